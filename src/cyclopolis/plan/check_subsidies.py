"""Checks of subsidies: that each row pays something, for something that is there; see `check`."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.problems import Problem, Severity
from cyclopolis.foundation.text import message
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.headers import TextTable

_AMOUNTS = ("per_unit", "capital_pct", "per_built")
_OF_NEW = ("capital_pct", "per_built")


def check_subsidies(text: TextTable, frames: Mapping[str, pl.DataFrame]) -> Iterator[Problem]:
    """Check that a subsidy has an amount and that one per unit names its technology; note one that meets no plant."""

    def said(key: str, row: Mapping[str, Any], column: str, severity: Severity = "error") -> Problem:
        return text.problem(message(key), row[ROW], place=row[PLACE], column=column, severity=severity)

    plants = _placed(frames)
    for row in frames["subsidies"].sort(ROW).iter_rows(named=True):
        written = [column for column in _AMOUNTS if text.cell(row[ROW], row[PLACE], column)]
        if not written:
            yield said("plan.subsidy_nothing", row, "per_unit")
        elif row["per_unit"] is not None and not text.cell(row[ROW], row[PLACE], "technology"):
            yield said("plan.subsidy_of_what", row, "technology")
        elif not _meets(row, plants, frames["sites"], new=not set(written) - set(_OF_NEW)):
            yield said("plan.subsidy_for_nobody", row, "subsidy", "notice")


def _placed(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return plant, technology, place and status of every plant of the plan."""
    home = frames["enterprises"].select("enterprise", home="site")
    placed = frames["plants"].join(home, on="enterprise", how="left")
    return placed.select("plant", "technology", "status", site=pl.coalesce("site", "home"))


def _meets(row: Mapping[str, Any], plants: pl.DataFrame, sites: pl.DataFrame, *, new: bool) -> bool:
    """Return whether a row is for a plant of the plan (to be built, if ``new``), or for one that a place may allow."""
    inside = _inside(sites, row["scope"])
    own = plants.filter(pl.col("site").is_in(inside) | pl.col("site").is_null())
    if new:
        own = own.filter(pl.col("status") != "existing")
    for column in ("plant", "technology"):
        if row[column] is not None:
            own = own.filter(pl.col(column) == row[column])
    if own.height or row["plant"] is not None:
        return own.height > 0
    wishes = sites.filter(pl.col("site").is_in(inside))["new_plants"].drop_nulls().to_list()
    allowed = {wish.strip().casefold() for wishes_here in wishes for wish in wishes_here.split(";")}
    return "any" in allowed or (bool(allowed) if row["technology"] is None else row["technology"] in allowed)


def _inside(sites: pl.DataFrame, scope: str | None) -> list[str]:
    """Return a place and all places in it; every place for no scope."""
    pairs = sites.select("site", "parent").rows()
    found = {site for site, _ in pairs} if scope is None else {scope}
    while True:
        more = found | {site for site, parent in pairs if parent in found}
        if more == found:
            return sorted(found)
        found = more
