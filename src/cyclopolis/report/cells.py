"""Turns a result's table into cells: names instead of identifiers, numbers with units, badges for provenance."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cyclopolis.foundation.columns import Column
from cyclopolis.foundation.numbers import column_text, number_text, quantity_text, unit_text
from cyclopolis.foundation.text import say
from cyclopolis.report.blocks import Cell, Table
from cyclopolis.report.names import Names, namer, unnamed

ROWS = 120
"""Rows of one table that a page shows; the rest is in the saved tables."""
BADGES = ("provenance", "price_provenance", "threshold_provenance", "origin_provenance")


@dataclass(frozen=True)
class View:
    """Which columns of a table a page shows, in order, under which caption.

    ``paired`` names number columns that are written with the row's own ``unit``; that column is then left out.
    """

    caption: str
    columns: tuple[str, ...]
    paired: tuple[str, ...] = ()
    rows: int = ROWS


def table_block(table: pl.DataFrame, view: View, known: Sequence[Column], names: Names) -> Table:
    """Return a table of a result as a block of the page; a column in which nothing is known is left out.

    Parameters
    ----------
    table : polars.DataFrame
        Rows in the order in which they are shown.
    view : View
        What to show of it.
    known : sequence of Column
        The documented columns, for units.
    names : Names
        For the reader's language.
    """
    language = names.language
    units = {column.name: column.unit for column in known}
    shown = table.head(view.rows)
    headers, cells = [], []
    for name in view.columns:
        if shown.height and shown[name].is_null().all():
            continue
        header, column = _column(shown, name, units.get(name, ""), view, names)
        headers.append(header)
        cells.append(column)
    return Table(
        caption=say(f"report.{view.caption}", language),
        headers=tuple(headers),
        rows=tuple(zip(*cells, strict=True)) if shown.height else (),
        more=max(table.height - view.rows, 0),
        empty=say("report.none", language),
    )


def _column(table: pl.DataFrame, name: str, unit: str, view: View, names: Names) -> tuple[Cell, tuple[Cell, ...]]:
    """Return the header and the cells of one column."""
    language = names.language
    values = table[name]
    title = say(f"header.{name}", language)
    if name in view.paired:
        texts = [quantity_text(value, unit, language) for value, unit in zip(values, table["unit"], strict=True)]
        return Cell(title, "number"), tuple(Cell(text, "number") for text in texts)
    if values.dtype.is_numeric():
        header_unit, texts = ("", [number_text(value) for value in values])
        if unit and not unit.startswith("@"):
            header_unit, texts = column_text(values.to_list(), unit, language)
        elif unit.startswith("@") and "/" in unit:
            header_unit = unit_text(unit.partition("/")[0].lstrip("@"), language)
        return Cell(title + (f" ({header_unit})" if header_unit else ""), "number"), tuple(
            Cell(text, "number") for text in texts
        )
    if name in BADGES:
        return Cell(title), tuple(badge(value, names) for value in values)
    if values.dtype == pl.Boolean:
        return Cell(title), tuple(_yes_no(name, value, names) for value in values)
    if name == "unit":
        return Cell(title), tuple(Cell(unit_text(value or "", language)) for value in values)
    called = namer(names, name) or str
    empty = unnamed(names, name)
    return Cell(title), tuple(Cell(called(value) if value is not None else empty) for value in values)


def _yes_no(column: str, value: bool | None, names: Names) -> Cell:
    """Return a yes or no as a coloured word."""
    if value is None:
        return Cell("")
    answer = "yes" if value else "no"
    return Cell(names.word(f"binding.{answer}"), "mark", f"{column}-{answer}")


def mark(status: str | None, names: Names) -> Cell:
    """Return a judgement as a coloured word; None gives an empty cell."""
    return Cell(names.word(f"status.{status}"), "mark", status) if status else Cell("")


def badge(provenance: str | None, names: Names) -> Cell:
    """Return the badge of a provenance class; None gives an empty cell."""
    return Cell(names.word(f"provenance_short.{provenance}"), "badge", provenance) if provenance else Cell("")
