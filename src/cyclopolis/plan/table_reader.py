"""CSV files as users send them: any of the usual encodings, blank and ragged rows, quoted new lines.

Polars reads the cells; it pads short rows without a word, so the rows are counted beside it, and what it cannot read at
all the csv module reads row by row.
"""

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import message
from cyclopolis.plan.cells import ROW, Sheet, make_sheet


def decode(data: bytes, file: str) -> str | Problem:
    """Return the text of a file written in UTF-8 (with or without mark), UTF-16 with mark, or GB18030.

    Parameters
    ----------
    data : bytes
        The file's content.
    file : str
        Its name, for the problem.

    Returns
    -------
    str, or the problem that names the first byte and line that none of the encodings knows

    Examples
    --------
    >>> decode("企业".encode("gb18030"), "plants.csv")
    '企业'
    """
    marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ("utf-16",) if marked else ("utf-8-sig", "gb18030")
    furthest = 0
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            furthest = max(furthest, error.start)
    line = data.count(b"\n", 0, furthest) + 1
    return Problem(message("plan.encoding", byte=furthest + 1, line=line), file=file)


def _separator(text: str) -> str:
    """Return what separates the cells, judged by the first line with any letter in it."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    counts = {mark: first.count(mark) for mark in (",", "\t", ";")}
    return "," if counts[","] or not any(counts.values()) else max(counts, key=counts.__getitem__)


def read_csv(path: Path, file: str) -> tuple[Sheet | None, list[Problem]]:
    """Read a CSV file.

    Parameters
    ----------
    path : Path
        Where it is.
    file : str
        Its name as problems shall give it.

    Returns
    -------
    sheet, or None when it cannot be read or is empty, and the problems found: undecodable bytes, rows with more or
    fewer cells than the header, a quotation mark that is never closed
    """
    text = decode(path.read_bytes(), file)
    if isinstance(text, Problem):
        return None, [text]
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    separator = _separator(text)
    frame, lengths, problems = _fast(text, separator) or _slow(text, separator, file)
    sheet = make_sheet(file, "", frame) if frame.width > 1 else None
    if sheet is None:
        return None, problems
    expected = int(lengths[sheet.header_row - 1])
    kept = [name for name in sheet.frame.columns if name == ROW or int(name) < expected]
    whole = replace(sheet, header=sheet.header[:expected], frame=sheet.frame.select(kept))
    return whole, problems + _ragged(sheet, lengths)


def _fast(text: str, separator: str) -> tuple[pl.DataFrame, np.ndarray, list[Problem]] | None:
    """Read with polars; None where the file is not the plain CSV that polars and the csv module read alike."""
    data = text.encode()
    if not data.endswith(b"\n"):
        data += b"\n"
    if b"\0" in data:
        return None
    codes = np.frombuffer(data, dtype=np.uint8)
    if b'"' in data:
        quotes = codes == ord('"')
        if not _quotes_are_plain(codes, np.flatnonzero(quotes), ord(separator)):
            return None
        codes = np.where(np.cumsum(quotes, dtype=np.int32) & 1, ord("q"), codes)
    ends = np.flatnonzero(codes == 10)
    marks = np.searchsorted(np.flatnonzero(codes == ord(separator)), ends)
    lengths = np.diff(marks, prepend=0) + 1
    blank = np.diff(ends, prepend=-1) == 1
    lengths[blank] = 0
    width = int(lengths.max(initial=0))
    if width == 0:
        return pl.DataFrame([pl.Series(ROW, range(1, lengths.size + 1), dtype=pl.Int64)]), lengths, []
    schema = {str(position): pl.String() for position in range(width)}
    try:
        frame = pl.read_csv(data, has_header=False, schema=schema, separator=separator, truncate_ragged_lines=False)
    except (pl.exceptions.PolarsError, ValueError):
        return None
    if frame.height != lengths.size:
        return None
    return frame.with_columns(pl.int_range(1, frame.height + 1, dtype=pl.Int64).alias(ROW)), lengths, []


def _quotes_are_plain(codes: np.ndarray, quotes: np.ndarray, separator: int) -> bool:
    """Return whether every quoted cell begins and ends at a separator or a line's end; two quotes within are one."""
    if quotes.size % 2:
        return False
    edges = (separator, ord("\n"), ord('"'))
    before = np.where(quotes[0::2] == 0, ord("\n"), codes[quotes[0::2] - 1])
    return bool(np.isin(before, edges).all() and np.isin(codes[quotes[1::2] + 1], edges).all())


def _slow(text: str, separator: str, file: str) -> tuple[pl.DataFrame, np.ndarray, list[Problem]]:
    """Read row by row with the csv module."""
    rows: list[list[str]] = []
    problems: list[Problem] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=False)
    begin = 1
    try:
        for row in reader:
            rows.append(row)
            begin = reader.line_num + 1
    except csv.Error:
        problems.append(Problem(message("plan.csv_broken", line=begin), file=file))
    if not problems and rows and _ends_open(text, separator):
        problems.append(Problem(message("plan.quote_open"), file=file, row=len(rows)))
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    width = int(lengths.max(initial=0))
    cells = [
        pl.Series(str(position), [row[position] if position < len(row) else None for row in rows], dtype=pl.String)
        for position in range(width)
    ]
    return pl.DataFrame([*cells, pl.Series(ROW, range(1, len(rows) + 1), dtype=pl.Int64)]), lengths, problems


def _ends_open(text: str, separator: str) -> bool:
    """Return whether the last cell begins with a quotation mark that is never closed."""
    try:
        list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _ragged(sheet: Sheet, lengths: np.ndarray) -> list[Problem]:
    """Return a problem for each row that is not as long as the header."""
    expected = int(lengths[sheet.header_row - 1])
    rows = sheet.frame[ROW].to_numpy()
    found = lengths[rows - 1]
    return [
        sheet.problem("plan.row_length", row=int(row), found=int(count), expected=expected)
        for row, count in zip(rows[found != expected], found[found != expected], strict=True)
    ]
