"""Reads SWMM's text report: its tables by their titles, its errors with the lines that they name, its warnings."""

import re
from collections.abc import Mapping
from typing import TypeAlias

Tables: TypeAlias = Mapping[str, tuple[tuple[str, ...], ...]]
_STARS = re.compile(r"^\s*\*{6,}\s*$")
_RULE = re.compile(r"^\s*-{20,}\s*$")
_ERROR = re.compile(r"^\s*ERROR \d+: .*", re.MULTILINE)
_WARNING = re.compile(r"^\s*(WARNING \d+: .*?)\s*$", re.MULTILINE)
_LINE = re.compile(r"at line (\d+)")


def read_report(text: str) -> Tables:
    """Return the rows of every summary table, split at blanks.

    Examples
    --------
    >>> text = '''  ***********
    ...   Some Summary
    ...   ***********
    ...   ---------------------
    ...   Node      Hours
    ...   ---------------------
    ...   J1         0.25
    ... '''
    >>> read_report(text)
    {'Some Summary': (('J1', '0.25'),)}
    """
    lines = text.splitlines()
    tables: dict[str, tuple[tuple[str, ...], ...]] = {}
    for place in range(1, len(lines) - 1):
        if _STARS.match(lines[place - 1]) and _STARS.match(lines[place + 1]):
            rows = _rows(lines, place + 2)
            if rows:
                tables[lines[place].strip()] = rows
    return tables


def _rows(lines: list[str], start: int) -> tuple[tuple[str, ...], ...]:
    """Return the rows between the second rule after a title and the next empty line."""
    rules, rows = 0, []
    for line in lines[start:]:
        if _STARS.match(line):
            break
        if _RULE.match(line):
            rules += 1
        elif rules >= 2:
            if not line.strip():
                break
            rows.append(tuple(line.split()))
    return tuple(rows)


def faults(text: str) -> list[tuple[str, int | None, str]]:
    r"""Return SWMM's errors: its words, the line of the input file that it names, and that line's text.

    Examples
    --------
    >>> faults("  ERROR 205: invalid keyword X at line 8 of [OPTION] section:\n  X  1\n")
    [('ERROR 205: invalid keyword X at line 8 of [OPTION] section', 8, 'X 1')]
    """
    found = []
    for match in _ERROR.finditer(text):
        words = match[0].strip().rstrip(":.")
        line = _LINE.search(words)
        after = text[match.end() :].lstrip("\n").split("\n")[0] if line else ""
        found.append((words, int(line[1]) if line else None, " ".join(after.split())))
    return found


def warnings(text: str) -> tuple[str, ...]:
    """Return SWMM's warnings, each once."""
    return tuple(dict.fromkeys(match[1] for match in _WARNING.finditer(text)))
