"""Checks of monitored waters and air (dates, parameters, what is measured where), grids and criteria; see `check`."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import date

import polars as pl

from cyclopolis.foundation.problems import Problem
from cyclopolis.library import Library
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.headers import TextTable, nearest
from cyclopolis.plan.schema import fold

_WEIGHT_SUM = 1e-6
_DATE = re.compile(r"^(\d{4})-(\d{2})(?:-(\d{2}))?$")


def is_date(text: str) -> bool:
    """Return whether a text is a day (YYYY-MM-DD) or a month (YYYY-MM).

    Examples
    --------
    >>> is_date("2024-02-29"), is_date("2024-02"), is_date("2023-02-29"), is_date("2024/2/1")
    (True, True, False, False)
    """
    found = _DATE.match(text)
    if found is None:
        return False
    year, month, day = (int(part) if part else 1 for part in found.groups())
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def parameter_names(water_classes: pl.DataFrame) -> Mapping[str, str]:
    """Return the parameter of every folded name and alias of the library's classes of surface water."""
    names: dict[str, str] = {}
    for row in water_classes.iter_rows(named=True):
        for name in (row["parameter"], row["name"], row["name_zh"], *(row["aliases"] or "").split(";")):
            if name:
                names.setdefault(fold(name), row["parameter"])
    return names


def check_monitoring(
    texts: Mapping[str, TextTable], frames: Mapping[str, pl.DataFrame], library: Library
) -> Iterator[Problem]:
    """Check that dates are dates and that parameters are known."""
    for table in ("water_quality", "air_quality"):
        for value, row, place in frames[table].select("date", ROW, PLACE).iter_rows():
            if value is not None and not is_date(value):
                yield texts[table].problem("plan.not_a_date", row, place=place, column="date", value=value)
    names = parameter_names(library.water_classes)
    shown = sorted({row["name_zh"] for row in library.water_classes.iter_rows(named=True)})
    for value, row, place in frames["water_quality"].select("parameter", ROW, PLACE).iter_rows():
        if value is not None and fold(value) not in names:
            near = nearest(value, [*library.water_classes["name"], *shown])
            yield texts["water_quality"].problem(
                "plan.water_parameter", row, place=place, column="parameter", value=value, suggestion=near
            )


def check_air(text: TextTable, air: pl.DataFrame, library: Library) -> Iterator[Problem]:
    """Tell once of values that no daily index is made of: other averaging times, months, days before any edition."""
    day = pl.col("date").is_not_null() & (pl.col("date").str.len_chars() == len("2024-01-01"))
    daily = pl.when(pl.col("pollutant") == "O3").then(pl.lit("8h")).otherwise(pl.lit("24h"))
    other = ~day | (pl.coalesce("averaging", daily) != daily)
    first = str(library.air_index["valid_from"].min())
    for key, column, left_out in (
        ("plan.air_not_daily", "averaging", other),
        ("plan.air_too_early", "date", ~other & (pl.col("date") < first)),
    ):
        rows = air.filter(pl.col("date").is_not_null() & left_out).sort(ROW).select(ROW, PLACE).rows()
        if rows:
            row, place = rows[0]
            yield text.problem(key, row, place=place, column=column, severity="notice", more=len(rows) - 1, first=first)


def check_grids(text: TextTable, grids: pl.DataFrame) -> Iterator[Problem]:
    """Check that no two grids are of one kind; only criteria of suitability may be many."""
    first: dict[str, int] = {}
    for row in grids.filter(pl.col("kind") != "criterion").sort(ROW).iter_rows(named=True):
        other = first.setdefault(row["kind"], row[ROW])
        if other != row[ROW]:
            yield text.problem("plan.grid_twice", row[ROW], place=row[PLACE], column="kind", other=other)


def check_suitability(text: TextTable, criteria: pl.DataFrame) -> Iterator[Problem]:
    """Check that the weights of the criteria sum to one, and that no criterion is worst where it is best."""
    rows = criteria.sort(ROW).to_dicts()
    for row in rows:
        if row["worst"] is not None and row["worst"] == row["best"]:
            yield text.problem("plan.criterion_flat", row[ROW], place=row[PLACE], column="best")
    weights = [row["weight"] for row in rows]
    if not weights or None in weights:
        return
    total = math.fsum(weights)
    if abs(total - 1.0) > _WEIGHT_SUM:
        last = rows[-1]
        yield text.problem("plan.weights_sum", last[ROW], place=last[PLACE], column="weight", total=f"{total:.6g}")
