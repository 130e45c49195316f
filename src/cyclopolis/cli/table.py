"""The table of commands: what can be typed. The group, its help and docs/commands.md are made from it.

Texts are in the catalogue: ``cli.<command>_help`` (the first sentence is the short one), ``cli.option_<option>``,
``cli.argument_<argument>``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from cyclopolis.cli import actions, assess, exchanges, framework, library
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

    ``kind`` is flag, text, year, share, seconds, km, count, points (whose number may be left out), language or strings.
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
    Option("pieces", "count"),
    Option("pipes", "flag"),
    Option("one-chain", "flag"),
    Option("flexible", "flag"),
)
_PARETO = (Option("pareto", "points"), Option("near", "share"), Option("draws", "count"))
_UNDER = (Option("under", "text"), Option("worst", "share"))
_PLAN = (Argument("plan"),)
_SIGNED = (Option("who", "text"), Option("why", "text"))

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
        "match",
        "cyclopolis.match(plan_or_list, options)",
        exchanges.match,
        (Argument("source"),),
        (
            SCENARIO,
            Option("reach", "km"),
            Option("least-fit", "share"),
            Option("budget", "count"),
            Option("out", "text"),
            Option("score", "flag"),
            JSON,
            QUIET,
            LANG,
        ),
    ),
    Command("chains", "cyclopolis.chains(plan)", exchanges.chains, _PLAN, (SCENARIO, JSON, QUIET, LANG)),
    Command(
        "water",
        "cyclopolis.water(plan, options)",
        actions.water,
        _PLAN,
        (SCENARIO, Option("time-limit", "seconds"), JSON, QUIET, LANG),
    ),
    Command("heat", "cyclopolis.heat(plan)", actions.heat, _PLAN, (SCENARIO, JSON, QUIET, LANG)),
    Command(
        "design",
        "cyclopolis.design(plan, options)",
        actions.design,
        _PLAN,
        (SCENARIO, *_DESIGN, *_PARETO, *_UNDER, Option("check", "flag"), JSON, QUIET, LANG),
    ),
    Command("fairness", "cyclopolis.fairness(plan, options)", actions.fairness, _PLAN, (SCENARIO, JSON, QUIET, LANG)),
    Command(
        "failure",
        "cyclopolis.failure(plan, options)",
        actions.failure,
        _PLAN,
        (SCENARIO, Option("pairs", "flag"), Option("together", "flag"), JSON, QUIET, LANG),
    ),
    Command(
        "drain",
        "cyclopolis.drain(plan, options)",
        actions.drain,
        _PLAN,
        (SCENARIO, Option("storm", "text"), Option("designs", "count"), Option("seed", "count"), JSON, QUIET, LANG),
    ),
    Command("streets", "cyclopolis.streets(plan)", actions.streets, _PLAN, (SCENARIO, JSON, QUIET, LANG)),
    Command("land", "cyclopolis.land(plan)", actions.land, _PLAN, (SCENARIO, JSON, QUIET, LANG)),
    Command("capacity", "cyclopolis.capacity(plan, loads)", actions.capacity, _PLAN, (SCENARIO, JSON, QUIET, LANG)),
    Command("comply", "cyclopolis.comply(plan)", actions.comply, _PLAN, (SCENARIO, JSON, QUIET, LANG)),
    Command("rate", "cyclopolis.rate(plan, quantities)", actions.rate, _PLAN, (SCENARIO, JSON, QUIET, LANG)),
    Command(
        "assess",
        commands=(
            Command(
                "attach",
                "cyclopolis.attach_evidence(folder, name, site, year, place, who=, why=)",
                assess.attach,
                (*_PLAN, Argument("value_name"), Argument("site"), Argument("proof")),
                (*_SIGNED, JSON, LANG),
            ),
            Command(
                "review",
                "cyclopolis.review(folder, name, site, year, value, unit, who=, why=)",
                assess.review,
                (*_PLAN, Argument("value_name"), Argument("site"), Argument("value")),
                (Option("unit", "text"), *_SIGNED, JSON, LANG),
            ),
            Command("advice", "cyclopolis.write_advice(folder, advice)", assess.advice, _PLAN, (SCENARIO, JSON, LANG)),
            Command(
                "certificate",
                "cyclopolis.write_certificate(plan, rating, folder, language)",
                assess.certificate,
                _PLAN,
                (SCENARIO, *_SIGNED, JSON, LANG),
            ),
            Command("log", "cyclopolis.read_log(folder)", assess.log, _PLAN, (JSON, LANG)),
        ),
    ),
    Command(
        "framework",
        commands=(
            Command("new", "cyclopolis.new_framework(path)", framework.new, (Argument("file"),), (JSON, LANG)),
            Command(
                "check",
                "cyclopolis.check_framework(path)",
                framework.check,
                (Argument("framework_files", many=True),),
                (JSON, LANG),
            ),
            Command("show", "cyclopolis.find_framework(name)", framework.show, (Argument("framework"),), (JSON, LANG)),
            Command(
                "import",
                "cyclopolis.import_framework(sheet, path, like)",
                framework.bring_in,
                (Argument("sheet"), Argument("file")),
                (Option("like", "text"), JSON, LANG),
            ),
        ),
    ),
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
