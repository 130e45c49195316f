"""What the terminal shows: lines, tables that line up in Chinese too, JSON, problems, progress."""

import json
import math
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO
from unicodedata import east_asian_width

from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.text import Language, Message


def out(text: str = "") -> None:
    """Write a line of the answer."""
    sys.stdout.write(f"{text}\n")


def err(text: str) -> None:
    """Write a line that is not part of the answer."""
    sys.stderr.write(f"{text}\n")


def width(text: str) -> int:
    """Return how many terminal columns a text takes; a Chinese character takes two.

    Examples
    --------
    >>> width("ash"), width("粉煤灰")
    (3, 6)
    """
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def _cell(text: str, columns: int, right: bool) -> str:
    space = " " * (columns - width(text))
    return space + text if right else text + space


def table_lines(headers: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """Return a table as lines of text.

    Parameters
    ----------
    headers : sequence of str
        One per column.
    rows : sequence of sequence of str
        Cells as text.
    right : sequence of bool
        Whether a column leans to the right, as numbers do.

    Examples
    --------
    >>> table_lines(["name", "t/a"], [["粉煤灰", "12"], ["ash", "3"]], [False, True])
    ['name    t/a', '------  ---', '粉煤灰   12', 'ash       3']
    """
    lines = [list(headers), *[list(row) for row in rows]]
    columns = [max(width(line[position]) for line in lines) for position in range(len(headers))]
    rule = ["-" * size for size in columns]
    return [
        "  ".join(_cell(text, size, lean) for text, size, lean in zip(line, columns, right, strict=True)).rstrip()
        for line in [lines[0], rule, *lines[1:]]
    ]


def plain(value: object) -> object:
    """Return a value that JSON can hold; a number that is not finite becomes null.

    Examples
    --------
    >>> plain({"a": (1.0, float("nan"))})
    {'a': [1.0, None]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


def out_json(value: object) -> None:
    """Write the answer as JSON."""
    out(json.dumps(plain(value), ensure_ascii=False, indent=2, allow_nan=False))


def show_problems(problems: Iterable[Problem], language: Language) -> None:
    """Write each problem on one line of standard error, errors before notices."""
    for problem in sorted(problems, key=lambda problem: problem.severity != "error"):
        err(" ".join(problem.render(language).split()))


class _Ticker:
    """Shows progress: one line that is written over on a terminal, a line per stage elsewhere."""

    def __init__(self, stream: TextIO, language: Language) -> None:
        self._stream = stream
        self._language = language
        self._terminal = stream.isatty()
        self._last = ""

    def __call__(self, stage: Message, done: float | None = None) -> None:
        text = stage.render(self._language)
        if self._terminal:
            share = "" if done is None else f" {done:.0%}"
            self._stream.write(f"\r\x1b[K{text}{share}")
        elif text != self._last:
            self._stream.write(f"{text}\n")
        self._last = text
        self._stream.flush()

    def end(self) -> None:
        """Clear the line, so that what follows starts on a fresh one."""
        if self._terminal and self._last:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


class Watch:
    """``with Watch(quiet, language) as progress:`` gives a listener and clears its line in the end."""

    def __init__(self, quiet: bool, language: Language) -> None:
        self._ticker = None if quiet else _Ticker(sys.stderr, language)

    def __enter__(self) -> Progress:
        return self._ticker or silent

    def __exit__(self, *unused: object) -> None:
        if self._ticker:
            self._ticker.end()
