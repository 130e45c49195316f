"""Help pages in the user's language that line up on a terminal in Chinese too."""

from collections.abc import Iterable

import click

from cyclopolis.cli.console import width
from cyclopolis.foundation.text import Language, say

_COLUMNS = 78
_NEVER_FIRST = "，。；：、）”？！,.;:)"


def _pieces(word: str) -> list[str]:
    """Return the parts of a word between which a line may break: after each wide character, not before a full stop."""
    parts = [""]
    for character in word:
        if parts[-1] and (width(character) == 2 or width(parts[-1][-1]) == 2) and character not in _NEVER_FIRST:
            parts.append("")
        parts[-1] += character
    return parts


def fold(text: str, columns: int) -> list[str]:
    """Break a paragraph into lines of at most ``columns`` terminal columns where its parts allow.

    Examples
    --------
    >>> fold("ash and slag", 8), fold("粉煤灰，脱硫石膏", 8)
    (['ash and', 'slag'], ['粉煤灰，', '脱硫石膏'])
    """
    lines = [""]
    for word in text.split():
        for position, piece in enumerate(_pieces(word)):
            gap = " " if position == 0 and lines[-1] else ""
            if lines[-1] and width(lines[-1]) + len(gap) + width(piece) > columns:
                lines.append(piece)
            else:
                lines[-1] += gap + piece
    return lines


def context_class(language: Language) -> type[click.Context]:
    """Return a click context class whose help pages speak the given language."""
    headings = {"Options": say("cli.options", language), "Commands": say("cli.commands", language)}
    colon = say("cli.colon", language)

    class Pages(click.HelpFormatter):
        def __init__(self, **unused: object) -> None:
            del unused
            super().__init__(width=_COLUMNS)

        def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
            super().write_usage(prog, args, prefix or f"{say('cli.usage', language)} ")

        def write_heading(self, heading: str) -> None:
            self.write(f"{headings.get(heading, heading)}{colon}\n")

        def write_text(self, text: str) -> None:
            indent = " " * self.current_indent
            blocks = [fold(paragraph, _COLUMNS - len(indent)) for paragraph in text.split("\n\n")]
            self.write("\n\n".join("\n".join(indent + line for line in block) for block in blocks) + "\n")

        def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
            known = list(rows)
            first = min(max(width(term) for term, _ in known), col_max) + col_spacing
            indent = " " * self.current_indent
            for term, text in known:
                head = indent + term + " " * max(first - width(term), col_spacing)
                lines = fold(text, _COLUMNS - len(indent) - first)
                rest = [" " * (len(indent) + first) + line for line in lines[1:]]
                self.write("\n".join([head + lines[0], *rest]) + "\n")

    class Context(click.Context):
        formatter_class = Pages

    return Context
