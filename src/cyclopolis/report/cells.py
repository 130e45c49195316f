"""Turns a result's table into cells: names instead of identifiers, numbers with units, badges for provenance."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cyclopolis.foundation.columns import Column
from cyclopolis.foundation.numbers import column_text, unit_text
from cyclopolis.foundation.text import catalogue, say
from cyclopolis.report.blocks import Cell, Table
from cyclopolis.report.names import Names, namer, unnamed

ROWS = 120
"""Rows of one table that a page shows; the rest is in the saved tables."""
BADGES = ("provenance", "price_provenance", "threshold_provenance", "target_provenance")
CODED = (
    "kind",
    "reconcile_kind",
    "way",
    "basis",
    "direction",
    "limit_kind",
    "plant_status",
    "proposed_status",
    "outcome",
    "price_kind",
    "site_kind",
)


@dataclass(frozen=True)
class View:
    """Which columns of a table a page shows, in order, under which caption, and how many rows of it.

    ``provenance`` is said once for the whole table where its rows do not say it themselves.
    """

    caption: str
    columns: tuple[str, ...]
    rows: int = ROWS
    provenance: str = ""


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
    described = {column.name: column for column in known}
    shown = table.head(view.rows)
    columns = [name for name in view.columns if not shown.height or shown[name].null_count() < shown.height]
    parts = [
        _numbers(shown[name], described.get(name), names)
        if shown[name].dtype.is_numeric()
        else _texts(shown[name], described.get(name), names)
        for name in columns
    ]
    return Table(
        name=view.caption,
        caption=say(f"report.{view.caption}", names.language),
        headers=tuple(header for header, _ in parts),
        rows=tuple(zip(*(cells for _, cells in parts), strict=True)) if shown.height else (),
        provenance=badge(view.provenance or None, names),
        more=max(table.height - view.rows, 0),
        empty=say("report.none", names.language),
    )


def _title(name: str, column: Column | None, names: Names) -> str:
    """Return the short header of a column, or what its table's documentation calls it."""
    key = f"header.{name}"
    if column is None or key in catalogue():
        return say(key, names.language)
    return column.zh if names.language == "zh" else column.en


def _numbers(values: pl.Series, column: Column | None, names: Names) -> tuple[Cell, tuple[Cell, ...]]:
    """Return header and cells of a number column; a unit that each row has of its own stands in the row."""
    language = names.language
    unit = column.unit if column else ""
    own = unit.startswith("@")
    shared = unit.replace("/@unit", f"/{say('number.per_unit', language)}") if not own else ""
    written, texts = column_text(values.to_list(), shared, language)
    if own and unit.endswith("/a"):
        written = say("number.per_year", language)
    title = _title(values.name, column, names)
    return Cell(f"{title} ({written})" if written else title, "number"), tuple(Cell(text, "number") for text in texts)


def _texts(values: pl.Series, column: Column | None, names: Names) -> tuple[Cell, tuple[Cell, ...]]:
    """Return header and cells of a column of words: names, codes in words, badges, judgements."""
    name, language = values.name, names.language
    title = _title(name, column, names)
    if name in BADGES:
        return Cell(title, "badge"), tuple(badge(value, names) for value in values)
    if values.dtype == pl.Boolean:
        return Cell(title, "mark"), tuple(_yes_no(name, value, names) for value in values)
    if name == "unit":
        return Cell(title, "unit"), tuple(Cell(unit_text(value or "", language), "unit") for value in values)
    called, empty = namer(names, name) or str, unnamed(names, name)
    style = "word" if name in CODED else "text"
    cells = (Cell(called(value) if value is not None else empty, style, value or "") for value in values)
    return Cell(title, style), tuple(cells)


def _yes_no(column: str, value: bool | None, names: Names) -> Cell:
    """Return a yes or no as a coloured word."""
    if value is None:
        return Cell("")
    if column == "met":
        return mark("met" if value else "not_met", names)
    answer = "yes" if value else "no"
    return Cell(names.word(f"binding.{answer}"), "mark", f"{column}-{answer}")


def mark(status: str | None, names: Names) -> Cell:
    """Return a judgement as a coloured word; None gives an empty cell."""
    return Cell(names.word(f"status.{status}"), "mark", status) if status else Cell("")


def badge(provenance: str | None, names: Names) -> Cell:
    """Return the badge of a provenance class; None gives an empty cell."""
    return Cell(names.word(f"provenance_short.{provenance}"), "badge", provenance) if provenance else Cell("")
