"""Checks of stock changes, concentrations and what years share."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.problems import Problem
from cyclopolis.library import Library
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.check_links import one_uncertainty, passes, ports_of, technologies_of
from cyclopolis.plan.headers import TextTable, nearest
from cyclopolis.plan.units import factor

_SHARED: Mapping[str, tuple[str, ...]] = {
    "shares": ("plant", "commodity", "of_commodity", "to_plant"),
    "concentrations": ("substance", "commodity", "plant", "direction", "from_plant", "to_plant"),
}
"""What tells one parameter from another, in tables of which a row without a year holds for all years."""
_ROUNDING = 1e-9


def check_stock_changes(text: TextTable, frames: Mapping[str, pl.DataFrame], library: Library) -> Iterator[Problem]:
    """Check that each row says where the store is and gives one number at most, and that the plant touches it."""
    ports, technologies = ports_of(library), technologies_of(frames)
    for row in frames["stock_changes"].iter_rows(named=True):
        where: dict[str, Any] = {"place": row[PLACE]}
        if (row["plant"] is None) == (row["site"] is None):
            yield text.problem("plan.stored_where", row[ROW], column="plant", **where)
        elif row["change"] is not None and row["level"] is not None:
            yield text.problem("plan.change_and_level", row[ROW], column="level", **where)
        elif row["change"] is None and row["level"] is None and _doubted(row):
            yield text.problem("plan.uncertainty_of_nothing", row[ROW], column=_doubted(row), **where)
        else:
            yield from one_uncertainty(text, row)
        technology = technologies.get(row["plant"])
        known = ports.get((technology or "", "in"), set()) | ports.get((technology or "", "out"), set())
        if technology is not None and row["commodity"] not in known:
            yield text.problem(
                "plan.not_stored", row[ROW], place=row[PLACE], column="commodity", value=row["commodity"],
                suggestion=nearest(row["commodity"], sorted(known)), plant=row["plant"], technology=technology,
            )  # fmt: skip


def _doubted(row: Mapping[str, Any]) -> str:
    """Return the first column of uncertainty that a row fills, empty when none."""
    return next((name for name in ("uncertainty", "uncertainty_pct", "half_width") if row[name] is not None), "")


def check_concentrations(text: TextTable, frames: Mapping[str, pl.DataFrame], library: Library) -> Iterator[Problem]:
    """Check where each concentration was sampled, that the commodity passes there, and that no part exceeds all."""
    ports, technologies = ports_of(library), technologies_of(frames)
    units = {
        **dict(library.commodities.select("commodity", "unit").iter_rows()),
        **dict(frames["commodities"].select("commodity", "unit").drop_nulls().iter_rows()),
    }
    held = dict(frames["substances"].select("substance", "unit").drop_nulls().iter_rows())
    for row in frames["concentrations"].iter_rows(named=True):
        port = [row["plant"] is not None, row["direction"] is not None]
        way = [row["from_plant"] is not None, row["to_plant"] is not None]
        if not (all(port) == any(port) and all(way) == any(way) and not (any(port) and any(way))):
            yield text.problem("plan.sampled_where", row[ROW], place=row[PLACE], column="plant")
            continue
        if any(way) and row["from_plant"] == row["to_plant"]:
            yield text.problem("plan.same_plant", row[ROW], place=row[PLACE], column="to_plant", value=row["to_plant"])
            continue
        if row["value"] is None and _doubted(row):
            yield text.problem("plan.uncertainty_of_nothing", row[ROW], place=row[PLACE], column=_doubted(row))
        else:
            yield from one_uncertainty(text, row)
        ends = [(row["plant"], row["direction"])] if any(port) else []
        ends += [(row["from_plant"], "out"), (row["to_plant"], "in")] if any(way) else []
        for plant, direction in ends:
            yield from passes(text, row, plant, direction, technologies, ports)
        yield from _whole(text, row, held.get(row["substance"]), units.get(row["commodity"]))


def _whole(text: TextTable, row: Mapping[str, Any], unit: str | None, commodity_unit: str | None) -> Iterator[Problem]:
    """Check that a substance is not more than the commodity that contains it, where both are counted alike."""
    if row["value"] is None or unit is None or commodity_unit is None:
        return
    scale = factor(unit, commodity_unit)
    if isinstance(scale, float) and row["value"] * scale > 1 + _ROUNDING:
        yield text.problem(
            "plan.more_than_whole", row[ROW], place=row[PLACE], column="value", substance=row["substance"],
            commodity=row["commodity"], share=f"{row['value'] * scale:.4g}",
        )  # fmt: skip


def check_years(texts: Mapping[str, TextTable], frames: Mapping[str, pl.DataFrame]) -> Iterator[Problem]:
    """Check that a share or concentration either is one for all years or has a year in every row."""
    for table, key in _SHARED.items():
        rows = frames[table].sort(ROW)
        mixed = rows.filter(pl.col("year").is_null().any().over(key) & pl.col("year").is_not_null().any().over(key))
        for _, group in mixed.group_by(key, maintain_order=True):
            row = group.filter(pl.col("year").is_null()).row(0, named=True)
            other = group.filter(pl.col("year").is_not_null())[ROW][0]
            yield texts[table].problem("plan.year_and_none", row[ROW], place=row[PLACE], column="year", other=other)
