"""Rows put in order, identities checked: what holds for every table alike."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import Message, message
from cyclopolis.library import Library
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.headers import TextTable
from cyclopolis.plan.schema import columns, tables
from cyclopolis.plan.units import UnknownUnitError, factor, parse_unit


def check_keys(text: TextTable, frame: pl.DataFrame) -> list[Problem]:
    """Return a problem for each row with the identity of an earlier one, or its copy where a table has no identities.

    A row with an unreadable cell in its identity has its problem already, and is left out.

    Parameters
    ----------
    text : TextTable
        The table as written.
    frame : polars.DataFrame
        Its typed rows.
    """
    identity = tables()[text.table].key
    key = list(identity) or [column.name for column in columns()[text.table]]
    if frame.height < 2:
        return []
    required = [column.name for column in columns()[text.table] if column.name in key and column.required]
    unread = pl.any_horizontal(frame[name].is_null() & text.frame[name].is_not_null() for name in key)
    rows = frame.filter(~unread).drop_nulls(required).select(*key, ROW, PLACE)
    first = [pl.col(name).first().over(key).alias(f"@first{name}") for name in (ROW, PLACE)]
    again = rows.with_columns(*first, pl.int_range(pl.len()).over(key).alias("@nth"))
    again = again.filter(pl.col("@nth") > 0)
    shown = key[0] if len(key) == 1 else ""
    said = "plan.duplicate_id" if shown else "plan.duplicate_row" if identity else "plan.same_row"
    return [
        text.problem(
            said,
            row[ROW],
            place=row[PLACE],
            column=shown,
            value=str(row[shown]) if shown else "",
            other=_row_of(text, row),
            columns=", ".join(key),
        )
        for row in again.iter_rows(named=True)
    ]


def _row_of(text: TextTable, row: Mapping[str, Any]) -> int | Message:
    """Return the number of the first row with an identity, and its file where that is another."""
    number, place = row[f"@first{ROW}"], row[f"@first{PLACE}"]
    if place == row[PLACE]:
        return int(number)
    return message("plan.row_of", row=number, file=place or text.sheet or text.file)


def check_library_rows(
    texts: Mapping[str, TextTable], frames: Mapping[str, pl.DataFrame], library: Library
) -> list[Problem]:
    """Return what is wrong with the user's own commodities, substances, technologies and modes of transport.

    A row that corrects the library's may leave cells empty; a new one may not leave out what defines it. A commodity of
    the library keeps its unit: every recipe and price of the library is counted in it.
    """
    problems: list[Problem] = []
    needs = {
        "commodities": ("kind", "unit", "state"),
        "technologies": ("main_commodity",),
        "transport": ("states", "kinds", "reach_km"),
    }
    for table, names in needs.items():
        key = tables()[table].key[0]
        known = library.tables()[table][key].to_list()
        fresh = frames[table].filter(pl.col(key).is_not_null() & ~pl.col(key).is_in(known))
        for row in fresh.iter_rows(named=True):
            problems += [
                texts[table].problem("plan.new_needs", row[ROW], place=row[PLACE], column=name, name=row[key])
                for name in names
                if row[name] is None and _was_empty(texts[table], name, row[ROW])
            ]
    units = dict(library.commodities.select("commodity", "unit").rows())
    for commodity, unit, row, place in frames["commodities"].select("commodity", "unit", ROW, PLACE).iter_rows():
        if unit is None:
            continue
        if commodity in units and factor(unit, units[commodity]) != 1.0:
            problems.append(
                texts["commodities"].problem(
                    "plan.unit_of_library", row, place=place, column="unit", value=unit, unit=units[commodity]
                )
            )
        elif commodity not in units:
            problems += _unknown_unit(texts["commodities"], row, place, unit)
    for unit, row, place in frames["substances"].select("unit", ROW, PLACE).drop_nulls("unit").iter_rows():
        problems += _unknown_unit(texts["substances"], row, place, unit)
    return problems


def _was_empty(text: TextTable, column: str, row: int) -> bool:
    """Return whether a cell was left empty, not merely unreadable."""
    cells = text.frame.filter(pl.col(ROW) == row)[column]
    return cells.null_count() == cells.len()


def _unknown_unit(text: TextTable, row: int, place: str | None, unit: str) -> list[Problem]:
    """Return the problem of a new commodity's or substance's unit that names nothing."""
    try:
        parse_unit(unit)
    except UnknownUnitError as error:
        said = {"part": error.args[0], "target": "t, m3, kNm3, MWh, GJ"}
        return [text.problem("plan.unit_unknown", row, place=place, column="unit", value=unit, **said)]
    return []


def sort_rows(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows in the order of their values, so that the order in the file changes nothing."""
    if frame.is_empty():
        return frame
    names = [column.name for column in columns()[table]]
    key = [name for name in tables()[table].key if name in names]
    return frame.sort([*(key or names), ROW], nulls_last=False, maintain_order=True)


def strip_places(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table without the columns that say where its rows stand."""
    return frame.drop(ROW, PLACE)
