"""Start, exit codes, and what the user reads when something is wrong."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cyclopolis.cli.build import build, usage_problem
from cyclopolis.cli.console import err, out_json, show_problems
from cyclopolis.cli.language import interface_language, plan_language, typed_language
from cyclopolis.foundation.problems import Problem, UserError, user_error
from cyclopolis.foundation.text import Language, say

OK, MISS, USER_ERROR, UNSUPPORTED, STOPPED = 0, 1, 2, 3, 130
"""Exit codes: all well; a verification case missed; what the user gave is wrong; kind not supported; Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after ``cyclopolis``; the process's own arguments when left out.
    """
    typed = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_run(typed))


def _run(typed: list[str]) -> int:
    language = interface_language(typed, os.environ)
    try:
        group = build(language)
        with group.make_context("cyclopolis", list(typed)) as context:
            result = group.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as end:
        result = end.exit_code
    except click.UsageError as error:
        return _refuse([usage_problem(error)], typed, language)
    except UserError as error:
        return _refuse(error.problems, typed, _about_a_plan(typed, language))
    except KeyboardInterrupt:
        err(say("cli.stopped", language))
        # CPython notes an interrupt that ended an inner piece of source text and, under ``python -m``, would end the
        # process by the signal (-2) though it was caught here; running another piece of text takes the note away.
        exec("")  # noqa: S102 - a constant
        return STOPPED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        place = str(error.filename) if error.filename is not None else ""
        reason = error.strerror or type(error).__name__
        return _refuse(user_error("cli.system", file=place, reason=reason).problems, typed, language)
    return result if isinstance(result, int) else OK


def _about_a_plan(typed: list[str], language: Language) -> Language:
    """Return the plan's language where none was typed and one of the words is a plan's folder."""
    if typed_language(typed):
        return language
    found = (plan_language(Path(word)) for word in typed if not word.startswith("-"))
    return next((known for known in found if known), language)


def _refuse(problems: Sequence[Problem], typed: list[str], language: Language) -> int:
    if "--json" in typed:
        out_json({"ok": False, "problems": [problem.as_dict(language) for problem in problems]})
    else:
        show_problems(problems, language)
    return USER_ERROR
