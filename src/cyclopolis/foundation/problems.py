"""What is wrong, where, and how to mend it: collected, never raised one at a time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cyclopolis.foundation.text import Language, Message, message, say

Severity = Literal["error", "notice"]


@dataclass(frozen=True)
class Problem:
    """One thing wrong (or worth knowing) in what the user gave.

    Parameters
    ----------
    text : Message
        What is wrong and how to mend it.
    severity : {"error", "notice"}
        An error stops the work; a notice does not.
    file, sheet, column, value, suggestion : str
        Where it stands, and the nearest valid name; empty when it does not apply.
    row : int or None
        Row in the file as the user's spreadsheet numbers it (the header is row 1).
    line : int or None
        Line of a text file that is no table, from 1.
    """

    text: Message
    severity: Severity = "error"
    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""
    suggestion: str = ""
    line: int | None = None

    def render(self, language: Language) -> str:
        """Return one line: how bad, place, value, what is wrong, and the nearest valid name."""
        place = [
            say(f"problem.place_{name}", language, **{name: value})
            for name, value in (
                ("file", self.file),
                ("sheet", self.sheet),
                ("row", self.row),
                ("line", self.line),
                ("column", self.column),
            )
            if value not in ("", None)
        ]
        if self.value:
            place.append(say("problem.value", language, value=self.value))
        line = say(f"problem.severity_{self.severity}", language) + ": "
        line += ", ".join(place) + ": " if place else ""
        line += self.text.render(language)
        if self.suggestion:
            line += " " + say("problem.suggestion", language, suggestion=self.suggestion)
        return line

    def as_dict(self, language: Language) -> dict[str, object]:
        """Return the problem as plain values for programs that read JSON."""
        return {
            "severity": self.severity,
            "key": self.text.key,
            "file": self.file or None,
            "sheet": self.sheet or None,
            "row": self.row,
            "line": self.line,
            "column": self.column or None,
            "value": self.value or None,
            "suggestion": self.suggestion or None,
            "text": self.text.render(language),
        }


class UserError(Exception):
    """What the user gave cannot be worked with; carries every problem found.

    The command line prints the problems and ends with exit code 2; it never shows a traceback for this.
    """

    def __init__(self, problems: Iterable[Problem] | Message) -> None:
        self.problems = (Problem(problems),) if isinstance(problems, Message) else tuple(problems)
        super().__init__("\n".join(problem.render("en") for problem in self.problems))


def user_error(key: str, **values: object) -> UserError:
    """Return a `UserError` with one message; the short way to write one."""
    return UserError(message(key, **values))
