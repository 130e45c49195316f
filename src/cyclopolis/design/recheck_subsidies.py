"""Subsidies of a design's saved tables counted again from the plan on paper, row by row."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cyclopolis.design.checker import ROUNDING, Violation
from cyclopolis.design.engine import Design
from cyclopolis.plan import Plan


def paid_in_year(plan: Plan, design: Design, year: int) -> tuple[float, float]:
    """Return what is paid per unit made in a year, in the baseline and in the design, CNY."""
    plants = design.tables["year_plants"].filter(pl.col("year") == year)
    before = after = 0.0
    for row in plan.tables["subsidies"].iter_rows(named=True):
        if not _holds(row, year):
            continue
        own = plants.filter(_meets(plan, row))
        before += (row["per_unit"] or 0.0) * float(own["before"].sum())
        after += (row["per_unit"] or 0.0) * float(own["after"].sum())
    return before, after


def granted_of(plan: Plan, design: Design) -> pl.Series:
    """Return what is paid of the capital of each row of the investments, million CNY."""
    investments = design.tables["investments"].with_row_index("at")
    total = [0.0] * investments.height
    for row in plan.tables["subsidies"].iter_rows(named=True):
        for at, year, capex, units in (
            investments.filter(_meets(plan, row)).select("at", "year", "capex", "units").rows()
        ):
            if _holds(row, year):
                total[at] += (row["capital_pct"] or 0.0) / 100 * capex + (row["per_built"] or 0.0) * units
    return pl.Series(total, dtype=pl.Float64)


def check_subsidies(plan: Plan, design: Design) -> list[Violation]:
    """Compare subsidies stated in the investments and in the parts of the economy with those of the plan's rows."""
    wrong, granted = [], granted_of(plan, design)
    investments = design.tables["investments"]
    for (year, plant, stated), due in zip(investments.select("year", "plant", "subsidy").rows(), granted, strict=True):
        wrong += _differs(("investments", str(year), plant), stated, due)
    parts = design.tables["dimensions"]
    for year in design.facts["years"]:
        own = parts.filter((pl.col("year") == year) & (pl.col("part") == "subsidies"))
        for side, due in zip(("before", "after"), paid_in_year(plan, design, year), strict=True):
            wrong += _differs((side, str(year)), float(own[side].sum()), due)
        capital = parts.filter((pl.col("year") == year) & (pl.col("part") == "capital_subsidies"))
        due = 1e6 * float(granted.filter(investments["year"] == year).sum())
        wrong += _differs(("capital", str(year)), float(capital["after"].sum()), due)
    return wrong


def _differs(where: tuple[str, ...], stated: float, due: float) -> list[Violation]:
    near = abs(stated - due) <= ROUNDING * max(abs(due), 1.0)
    return [] if near else [Violation("subsidy", where, stated, due)]


def _holds(row: Mapping[str, Any], year: int) -> bool:
    return bool((row["from_year"] or year) <= year <= (row["until_year"] or year))


def _meets(plan: Plan, row: Mapping[str, Any]) -> pl.Expr:
    """Return which rows of a design's table a subsidy is for."""
    met = pl.lit(value=True)
    for column in ("plant", "technology"):
        if row[column] is not None:
            met &= pl.col(column) == row[column]
    if row["scope"] is not None:
        met &= pl.col("site").is_in(inside(plan, row["scope"]))
    return met


def inside(plan: Plan, scope: str | None) -> list[str]:
    """Return a place and all places in it; every place for no scope."""
    parents = plan.tables["sites"].select("site", "parent")
    if scope is None:
        return parents["site"].to_list()
    found = {scope}
    while True:
        more = found | set(parents.filter(pl.col("parent").is_in(list(found)))["site"])
        if more == found:
            return sorted(found)
        found = more
