"""Workbooks: each sheet's cells as texts, read by calamine, with what it leaves unsaid (error cells, merged cells)."""

import html
import re
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path

import polars as pl
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.plan.cells import ROW, Sheet, column_letter, make_sheet

_Cell = int | float | str | bool | time | date | datetime | timedelta
_ERROR_CELL = re.compile(
    rb'<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]{1,3})(\d{1,7})"[^>]*>(?:(?!</c>).)*?<v>([^<]*)</v>', re.DOTALL
)
_SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_LARGEST = 500_000_000


def _text(cell: _Cell) -> str | None:
    """Return a cell as text: whole numbers without a point, dates as 2024-01-31."""
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


def read_workbook(path: Path) -> Iterator[tuple[str, bool, Sheet | None, list[Problem]]]:
    """Read every sheet of a workbook.

    Parameters
    ----------
    path : Path
        An ``.xlsx`` file.

    Yields
    ------
    name of the sheet, whether it is hidden, its cells (None when it is empty), and its problems: cells that show an
    error such as ``#REF!``, and merged cells

    Raises
    ------
    UserError
        If the file is no workbook.
    """
    file = path.name
    try:
        workbook = CalamineWorkbook.from_path(path)
        errors = _error_cells(path)
    except (
        CalamineError,
        OSError,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise UserError([Problem(message("plan.workbook_broken"), file=file)]) from error
    for meta in workbook.sheets_metadata:
        hidden = meta.visible != SheetVisibleEnum.Visible
        try:
            pages = workbook.get_sheet_by_name(meta.name)
            rows = pages.to_python(skip_empty_area=False)
        except (CalamineError, ValueError):
            yield meta.name, hidden, None, [Problem(message("plan.sheet_broken"), file=file, sheet=meta.name)]
            continue
        width = max((len(row) for row in rows), default=0)
        columns: dict[str, list[str | None]] = {
            str(position): [_text(row[position]) if position < len(row) else None for row in rows]
            for position in range(width)
        }
        frame = pl.DataFrame(columns, schema={name: pl.String() for name in columns})
        frame = frame.with_columns(pl.int_range(1, len(rows) + 1, dtype=pl.Int64).alias(ROW))
        sheet = make_sheet(file, meta.name, frame) if width else None
        problems = [
            Problem(
                message("plan.error_cell", cell=f"{column}{row}"), file=file, sheet=meta.name, row=int(row), value=value
            )
            for column, row, value in errors.get(meta.name, [])
        ]
        yield meta.name, hidden, sheet, problems + (_merged(pages, sheet) if sheet else [])


def _merged(pages: CalamineSheet, sheet: Sheet) -> list[Problem]:
    """Return a problem for each group of merged cells that reaches into the table."""
    found = []
    for (top, left), (bottom, right) in pages.merged_cell_ranges or []:
        if bottom + 1 < sheet.header_row or left >= len(sheet.header):
            continue
        cells = f"{column_letter(left)}{top + 1}:{column_letter(right)}{bottom + 1}"
        key = "plan.merged_header" if top + 1 <= sheet.header_row else "plan.merged_cells"
        found.append(sheet.problem(key, row=top + 1, cells=cells))
    return found


def _error_cells(path: Path) -> Mapping[str, list[tuple[str, str, str]]]:
    """Return column, row and error of each error cell by sheet name; calamine reads such cells as empty ones."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    with zipfile.ZipFile(path) as archive:
        if sum(item.file_size for item in archive.infolist()) > _LARGEST:
            raise ValueError("too large")
        links = archive.read("xl/_rels/workbook.xml.rels").decode(errors="replace")
        targets = {
            _attribute(tag, "Id"): _attribute(tag, "Target") for tag in re.findall(r"<Relationship\b[^>]*>", links)
        }
        for tag in _SHEET.findall(archive.read("xl/workbook.xml").decode(errors="replace")):
            target = targets.get(_attribute(tag, r"\w+:id"), "").removeprefix("/xl/")
            try:
                content = archive.read(f"xl/{target}")
            except KeyError:
                continue
            if b't="e"' in content:
                found[_attribute(tag, "name")] = [
                    (column.decode(), row.decode(), value.decode(errors="replace"))
                    for column, row, value in _ERROR_CELL.findall(content)
                ]
    return found


def _attribute(tag: str, name: str) -> str:
    """Return the value of an attribute of an XML tag."""
    match = re.search(rf"\s{name}=\"([^\"]*)\"", tag)
    return html.unescape(match[1]) if match else ""
