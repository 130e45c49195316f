"""The table of commands: what can be typed. The group, its help and docs/commands.md are made from it.

Texts are in the catalogue: ``cli.<command>_help`` (the first sentence is the short one), ``cli.option_<option>``,
``cli.argument_<argument>``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cyclopolis.cli import actions, library
from cyclopolis.cli.call import Call

Action = Callable[[Call], int]


@dataclass(frozen=True)
class Argument:
    """A word that stands without a name; ``many`` takes any number of them, ``optional`` none."""

    name: str
    many: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Option:
    """A word that starts with ``--``.

    ``kind`` is flag, text, year, share, seconds, points (whose number may be left out), count, language or strings.
    """

    name: str
    kind: str


@dataclass(frozen=True)
class Command:
    """One command, or a group of them when it has ``commands``; ``python`` names the same thing for programmers."""

    name: str
    python: str = ""
    action: Action | None = None
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    commands: tuple["Command", ...] = ()


LANG = Option("lang", "language")
SCENARIO = Option("scenario", "strings")
JSON = Option("json", "flag")
QUIET = Option("quiet", "flag")
_DESIGN = (
    Option("year", "year"),
    Option("gap", "share"),
    Option("time-limit", "seconds"),
    Option("pipes", "flag"),
    Option("one-chain", "flag"),
)
_PARETO = (Option("pareto", "points"), Option("near", "share"), Option("draws", "count"))
_PLAN = (Argument("plan"),)

COMMANDS: tuple[Command, ...] = (
    Command(
        "new",
        "cyclopolis.new_plan(folder, example)",
        actions.new,
        (Argument("folder"),),
        (Option("from", "text"), LANG),
    ),
    Command(
        "template", "cyclopolis.write_template(path, language)", actions.template, (Argument("workbook"),), (LANG,)
    ),
    Command("check", "cyclopolis.check_plan(path, scenario)", actions.check, _PLAN, (SCENARIO, JSON, LANG)),
    Command(
        "balance",
        "cyclopolis.balance(plan)",
        actions.balance,
        _PLAN,
        (SCENARIO, JSON, QUIET, LANG),
    ),
    Command(
        "design",
        "cyclopolis.design(plan, options)",
        actions.design,
        _PLAN,
        (SCENARIO, *_DESIGN, *_PARETO, Option("check", "flag"), JSON, QUIET, LANG),
    ),
    Command("rate", "cyclopolis.rate(plan, quantities)", actions.rate, _PLAN, (SCENARIO, JSON, QUIET, LANG)),
    Command(
        "report",
        "cyclopolis.write_report(plan, results, folder, language)",
        actions.report,
        _PLAN,
        (SCENARIO, QUIET, LANG),
    ),
    Command("run", "cyclopolis.run(path, scenario)", actions.run, _PLAN, (SCENARIO, *_DESIGN, JSON, QUIET, LANG)),
    Command(
        "verify",
        "cyclopolis.verify(paths)",
        actions.verify,
        (Argument("cases", many=True, optional=True),),
        (JSON, QUIET, LANG),
    ),
    Command(
        "library",
        commands=(
            Command(
                "search", "cyclopolis.load_library()", library.search, (Argument("words", many=True),), (JSON, LANG)
            ),
            Command("show", "cyclopolis.load_library()", library.show, (Argument("entry"),), (JSON, LANG)),
            Command("gaps", "cyclopolis.load_library()", library.gaps, (), (JSON, LANG)),
            Command("list", "cyclopolis.load_library()", library.list_all, (Argument("kind"),), (JSON, LANG)),
        ),
    ),
)
