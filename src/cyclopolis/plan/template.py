"""An empty workbook to fill in: a sheet per table with headers, units, meanings and drop-downs, from the schema."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopolis.foundation.files import write_atomic
from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.text import Language, say
from cyclopolis.library import Library, load_library
from cyclopolis.plan.cells import column_letter
from cyclopolis.plan.schema import (
    choice_label,
    choice_values,
    columns,
    header_label,
    plan_keys,
    table_label,
    tables,
)

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

    from cyclopolis.foundation.columns import Column

_ROWS = 2000
"""Rows below the header that get drop-downs."""
_LISTED = ("technologies", "commodities")
_LONGEST_LIST = 255
"""Longest text that a spreadsheet takes as a list of choices."""


def write_template(path: Path | str, language: Language = "en") -> Path:
    """Write an empty workbook of a plan.

    Parameters
    ----------
    path : Path or str
        The ``.xlsx`` file to make.
    language : {"en", "zh"}
        Language of sheet names, headers, comments and choices; both read back as the same plan.

    Returns
    -------
    Path of the workbook

    Raises
    ------
    UserError
        If the file exists, has another suffix, or cannot be written.
    """
    from xlsxwriter import Workbook  # noqa: PLC0415 - only needed here, and slow to import

    target = Path(path)
    if target.suffix.casefold() != ".xlsx":
        raise user_error("plan.template_suffix", path=target)
    if target.exists():
        raise user_error("plan.template_taken", path=target)
    memory = io.BytesIO()
    book = Workbook(memory, {"in_memory": True})
    header = book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1, "text_wrap": True, "valign": "top"})
    needed = book.add_format({"bold": True, "bg_color": "#FCE4D6", "bottom": 1, "text_wrap": True, "valign": "top"})
    _plan_sheet(book, header, language)
    sheets = {table: book.add_worksheet(table_label(table, language)) for table in columns()}
    lists = _list_sheet(book, header, load_library(), language)
    for table, sheet in sheets.items():
        _table_sheet(sheet, table, (header, needed), lists, language)
    book.close()
    try:
        write_atomic(target, memory.getvalue())
    except OSError as error:
        raise user_error("plan.cannot_write", path=target, reason=error.strerror or type(error).__name__) from error
    return target


def _meaning(column: Column, language: Language) -> str:
    return column.zh if language == "zh" else column.en


def _plan_sheet(book: Workbook, header: Format, language: Language) -> None:
    """Write the sheet of the plan's keys."""
    sheet = book.add_worksheet(table_label("plan", language))
    for position, name in enumerate(("key", "value", "meaning")):
        sheet.write(0, position, say(f"plan.template_{name}", language), header)
    for row, column in enumerate(plan_keys(), start=1):
        sheet.write(row, 0, header_label(column, language), header)
        shown = _meaning(column, language)
        if column.required:
            shown += f" ({say('plan.template_needed', language)})"
        sheet.write(row, 2, shown)
        if column.type == "choice":
            labels = [choice_label(column, value, language) for value in choice_values(column)]
            sheet.data_validation(row, 1, row, 1, {"validate": "list", "source": labels})
    sheet.set_column(0, 1, 22)
    sheet.set_column(2, 2, 80)
    sheet.freeze_panes(1, 0)


def _list_sheet(book: Workbook, header: Format, library: Library, language: Language) -> dict[str, str]:
    """Write the library's identifiers with their names; return the range of each table's identifiers."""
    name = say("plan.template_lists", language)
    sheet = book.add_worksheet(name)
    ranges = {}
    for position, table in enumerate(_LISTED):
        key = tables()[table].key[0]
        rows = library.tables()[table].select(key, "name_zh" if language == "zh" else "name").sort(key).rows()
        left = position * 3
        sheet.write(0, left, table_label(table, language), header)
        for row, (identifier, called) in enumerate(rows, start=1):
            sheet.write_string(row, left, identifier)
            sheet.write_string(row, left + 1, called or "")
        letter = column_letter(left)
        ranges[table] = f"='{name}'!${letter}$2:${letter}${len(rows) + 1}"
        sheet.set_column(left, left, 26)
        sheet.set_column(left + 1, left + 1, 40)
    sheet.freeze_panes(1, 0)
    return ranges


def _table_sheet(
    sheet: Worksheet, table: str, formats: tuple[Format, Format], lists: dict[str, str], language: Language
) -> None:
    """Write one table: headers with comments, drop-downs for choices and references."""
    for position, column in enumerate(columns()[table]):
        sheet.write_string(0, position, header_label(column, language), formats[column.required])
        sheet.write_comment(0, position, _comment(column, language), {"x_scale": 2.2, "y_scale": 1.4})
        sheet.set_column(position, position, 30 if column.name in ("source", "note") else 16)
        source = _drop_down(column, lists, language)
        if source is None:
            continue
        strict = column.type in ("choice", "flag")
        sheet.data_validation(
            1,
            position,
            _ROWS,
            position,
            {
                "validate": "list",
                "source": source,
                "error_type": "stop" if strict else "information",
                "error_message": say("plan.template_bad_choice", language),
                "show_error": strict,
            },
        )
    sheet.freeze_panes(1, 1)


def _drop_down(column: Column, lists: dict[str, str], language: Language) -> str | list[str] | None:
    """Return what a column's drop-down offers, or None where it has none."""
    if column.type in ("choice", "flag"):
        labels = [choice_label(column, value, language) for value in choice_values(column)]
        return labels if len(",".join(labels)) <= _LONGEST_LIST else None
    if column.type != "ref":
        return None
    if column.refers in lists:
        return lists[column.refers]
    position = next(place for place, entry in enumerate(columns()[column.refers]) if entry.type == "id")
    letter = column_letter(position)
    return f"='{table_label(column.refers, language)}'!${letter}$2:${letter}${_ROWS + 1}"


def _comment(column: Column, language: Language) -> str:
    """Return what a header's comment says: meaning, unit, choices, what it refers to."""
    lines = [_meaning(column, language)]
    if column.required:
        lines.append(say("plan.template_needed", language))
    if column.unit:
        lines.append(say("plan.template_unit", language, unit=column.unit))
    if column.type in ("choice", "flag"):
        labels = ", ".join(choice_label(column, value, language) for value in choice_values(column))
        lines.append(say("plan.template_choices", language, choices=labels))
    if column.refers in _LISTED:
        names = {"table": table_label(column.refers, language), "lists": say("plan.template_lists", language)}
        lines.append(say("plan.template_refers_library", language, **names))
    elif column.refers:
        lines.append(say("plan.template_refers", language, table=table_label(column.refers, language)))
    return "\n".join(lines)
