"""Makes the click group from the table of commands, with every text in the user's language."""

from collections.abc import Callable, Mapping
from typing import Any

import click

import cyclopolis
from cyclopolis.cli.call import Call
from cyclopolis.cli.language import as_language
from cyclopolis.cli.pages import context_class
from cyclopolis.cli.table import COMMANDS, LANG, Argument, Command, Option
from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import Language, message, say


class _Number(click.ParamType[Any]):
    """A number within bounds; what is wrong with another is said in the user's language."""

    def __init__(self, key: str, kind: type[int] | type[float], low: float, high: float) -> None:
        self.name = key
        self._kind = kind
        self._low, self._high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 - click's own signature
        del ctx
        try:
            number = self._kind(value)
        except ValueError:
            number = None
        if number is None or not self._low <= number <= self._high:
            option = param.opts[0] if param else ""
            raise UserError(message("cli.bad_number", option=option, value=value, low=self._low, high=self._high))
        return number


POINTS = "50"
"""Points of a front when the option stands without a number."""
_TYPES: Mapping[str, click.ParamType[Any]] = {
    "year": _Number("year", int, 1900, 2200),
    "share": _Number("share", float, 0, 1),
    "seconds": _Number("seconds", float, 1, 1_000_000),
    "km": _Number("km", float, 0.01, 20_000),
    "count": _Number("count", int, 0, 10_000_000_000),
    "points": _Number("points", int, 3, 1000),
}


def build(language: Language) -> click.Group:
    """Return the whole command line in one language."""
    words = context_class(language)
    return _group(
        "cyclopolis",
        COMMANDS,
        "cli.help",
        language,
        words,
        [
            click.Option(
                ["--version"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_version,
                help=say("cli.option_version", language),
            ),
            _option(LANG, language),
        ],
    )


def _group(
    name: str,
    commands: tuple[Command, ...],
    key: str,
    language: Language,
    words: type[click.Context],
    options: list[click.Parameter],
) -> click.Group:
    group = _Group(
        name,
        {command.name: _command(command, name, language, words) for command in commands},
        params=[*options, _help_option(language)],
        help=say(key, language),
        short_help=_first_sentence(say(key, language)),
        add_help_option=False,
        no_args_is_help=False,
        invoke_without_command=True,
        subcommand_metavar=say("cli.subcommand", language),
        options_metavar=say("cli.options_metavar", language),
        callback=_help_of_group,
    )
    group.context_class = words
    return group


class _Group(click.Group):
    """Keeps the order of the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(self.commands)


@click.pass_context
def _help_of_group(context: click.Context, /, **unused: object) -> None:
    """Show the help of a group that was called without a command."""
    del unused
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def _command(command: Command, parent: str, language: Language, words: type[click.Context]) -> click.Command:
    name = command.name if parent == "cyclopolis" else f"{parent}_{command.name}"
    if command.commands:
        return _group(command.name, command.commands, f"cli.{name}_help", language, words, [_option(LANG, language)])
    text = say(f"cli.{name}_help", language)
    made = click.Command(
        command.name,
        callback=_callback(command, language),
        params=[
            *(_argument(argument, language) for argument in command.arguments),
            *(_option(option, language) for option in command.options),
            _help_option(language),
        ],
        help=_with_arguments(text, command, language),
        short_help=_first_sentence(text),
        add_help_option=False,
        options_metavar=say("cli.options_metavar", language),
    )
    made.context_class = words
    return made


def _with_arguments(text: str, command: Command, language: Language) -> str:
    """Return a help text with one paragraph for each argument and the Python equivalent."""
    lines = [
        f"{say(f'cli.metavar_{argument.name}', language)}{say('cli.colon', language)}"
        f" {say(f'cli.argument_{argument.name}', language)}".rstrip()
        for argument in command.arguments
    ]
    return "\n\n".join([text, *lines, f"Python: {command.python}"])


def _first_sentence(text: str) -> str:
    """Return the first sentence of an English or Chinese text.

    Examples
    --------
    >>> _first_sentence("Check a plan. Nothing is written.")
    'Check a plan.'
    """
    ends = [text.find(mark) + 1 for mark in (". ", "。") if mark in text]
    return text[: min(ends)] if ends else text


def _argument(argument: Argument, language: Language) -> click.Argument:
    return click.Argument(
        [argument.name],
        nargs=-1 if argument.many else 1,
        required=not argument.optional,
        metavar=say(f"cli.metavar_{argument.name}", language) + ("..." if argument.many else ""),
    )


def _option(option: Option, language: Language) -> click.Option:
    names = [f"--{option.name}", option.name.replace("-", "_")]
    text = say(f"cli.option_{option.name.replace('-', '_')}", language)
    if option.kind == "flag":
        return click.Option(names, is_flag=True, help=text)
    if option.kind == "language":
        return click.Option(names, metavar="en|zh", help=text)
    metavar = say(f"cli.metavar_{option.kind}", language)
    if option.kind == "points":
        return click.Option(
            names, type=_TYPES[option.kind], is_flag=False, flag_value=POINTS, metavar=f"[{metavar}]", help=text
        )
    return click.Option(
        names, type=_TYPES.get(option.kind, click.STRING), multiple=option.kind == "strings", metavar=metavar, help=text
    )


def _help_option(language: Language) -> click.Option:
    def show(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
        del parameter
        if wanted and not context.resilient_parsing:
            click.echo(context.get_help())
            context.exit()

    return click.Option(
        ["--help"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help=say("cli.option_help", language),
    )


def _version(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    del parameter
    if wanted and not context.resilient_parsing:
        click.echo(f"cyclopolis {cyclopolis.__version__}")
        context.exit()


def _callback(command: Command, interface: Language) -> Callable[..., int]:
    def act(**values: Any) -> int:  # noqa: ANN401 - click hands over whatever the options hold
        assert command.action is not None, command.name
        typed = values.pop("lang", None) or _outer_language()
        chosen = as_language(typed)
        if typed and chosen is None:
            raise UserError(message("cli.bad_language", value=typed))
        return command.action(Call(values, chosen, interface))

    return act


def _outer_language() -> str | None:
    """Return ``--lang`` as typed before the command."""
    context = click.get_current_context(silent=True)
    while context is not None:
        if context.params.get("lang"):
            return str(context.params["lang"])
        context = context.parent
    return None


def usage_problem(error: click.UsageError) -> Problem:
    """Return what is wrong with the words typed as a problem in the catalogue's words."""
    command = error.ctx.command_path if error.ctx else "cyclopolis"
    guesses: list[str] = list(getattr(error, "possibilities", None) or [])
    if hasattr(error, "command_name"):
        text = message("cli.no_such_command", name=error.command_name, command=command)
    elif isinstance(error, click.NoSuchOption):
        text = message("cli.no_such_option", name=error.option_name, command=command)
    elif isinstance(error, click.MissingParameter) and error.param is not None:
        text = message(
            "cli.missing", name=error.param.make_metavar(error.ctx or click.Context(click.Command(""))), command=command
        )
    elif isinstance(error, click.BadOptionUsage):
        text = message("cli.option_value", name=error.option_name, command=command)
    else:
        text = message("cli.usage_error", text=error.format_message(), command=command)
    return Problem(text, suggestion=guesses[0] if guesses else "")
