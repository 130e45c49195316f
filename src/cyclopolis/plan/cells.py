"""What every reader hands over: the cells of one sheet as texts, with the row numbers of the user's spreadsheet."""

from dataclasses import dataclass

import polars as pl

from cyclopolis.foundation.problems import Problem, Severity
from cyclopolis.foundation.text import message

ROW = "@row"
"""Column that holds each row's number in the user's file; the header stands in row 1 as spreadsheets count."""
PLACE = "@place"
"""Column that holds the file that put a row there when it is not the table's own (a scenario), else null."""
SPACES = (
    " \t\r\n\v\f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u200e\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
"""What is cut off at both ends of a cell."""


@dataclass(frozen=True)
class Sheet:
    """The cells of a CSV file or of one sheet of a workbook.

    Parameters
    ----------
    file, sheet : str
        Where it stands; ``sheet`` is empty for a CSV file.
    header : tuple of str
        The header's cells as they stand.
    header_row : int
        Row of the header, 1 for the first.
    frame : polars.DataFrame
        String columns ``"0"``, ``"1"``, ... (null: an empty cell) and the row numbers in ``@row``.
    """

    file: str
    sheet: str
    header: tuple[str, ...]
    header_row: int
    frame: pl.DataFrame

    def problem(
        self,
        key: str,
        *,
        row: int | None = None,
        column: str = "",
        value: str = "",
        severity: Severity = "error",
        suggestion: str = "",
        **values: object,
    ) -> Problem:
        """Return a problem in this sheet."""
        return Problem(message(key, **values), severity, self.file, self.sheet, row, column, value, suggestion)


def column_letter(position: int) -> str:
    """Return a column's letters as spreadsheets write them.

    Examples
    --------
    >>> column_letter(0), column_letter(27)
    ('A', 'AB')
    """
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def make_sheet(file: str, sheet: str, frame: pl.DataFrame) -> Sheet | None:
    """Cut the cells' margins, drop blank rows, take the first row left as the header.

    Parameters
    ----------
    file, sheet : str
        Where the cells stand.
    frame : polars.DataFrame
        All rows of the file in order, String columns ``"0"``, ``"1"``, ... and ``@row``.

    Returns
    -------
    Sheet, or None when every cell is empty
    """
    texts = [name for name in frame.columns if name != ROW]
    cleaned = frame.with_columns(pl.col(texts).str.strip_chars(SPACES).replace("", None))
    cleaned = cleaned.filter(pl.any_horizontal(pl.col(texts).is_not_null()))
    if cleaned.is_empty():
        return None
    first = cleaned.row(0, named=True)
    body = cleaned.slice(1)
    used = [name for name in texts if first[name] is not None or body[name].null_count() < body.height]
    width = max(int(name) for name in used) + 1
    kept = texts[:width]
    return Sheet(file, sheet, tuple(first[name] or "" for name in kept), int(first[ROW]), body.select(*kept, ROW))
