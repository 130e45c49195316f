"""Checks of what goes into networks with quality and heat recovery: operations, supplies, streams, utilities."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import message
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.headers import TextTable

_SHARED = {
    "operations": ("plant", "flow_in", "flow_out"),
    "supplies": ("kind", "site", "flow_max", "cost", "recovery_pct"),
}
"""Columns that say the same in every row of one operation or supply, or nothing."""
_NAME = {"operations": "operation", "supplies": "supply"}


def check_operations(text: TextTable, operations: pl.DataFrame) -> Iterator[Problem]:
    """Check that every operation takes up a load or has fixed flows, and that every contaminant has its limits."""
    yield from _shared(text, operations)
    for (_, _), rows in operations.sort(ROW).group_by("operation", "commodity", maintain_order=True):
        fixed = {name: rows[name].drop_nulls().len() > 0 for name in ("flow_in", "flow_out")}
        for row in rows.iter_rows(named=True):
            yield from _one_operation(text, row, fixed)


def _one_operation(text: TextTable, row: Mapping[str, Any], fixed: Mapping[str, bool]) -> Iterator[Problem]:
    def said(key: str, column: str, **values: object) -> Problem:
        return text.problem(message(key, **values), row[ROW], place=row[PLACE], column=column)

    name, contaminant = row["operation"], row["contaminant"]
    loaded = row["load"] is not None
    if loaded and any(fixed.values()):
        yield said("plan.operation_both", "load", operation=name)
        return
    if not loaded and not any(fixed.values()):
        yield said("plan.operation_nothing", "load", operation=name)
        return
    for column, needed in (("inlet_max", loaded or fixed["flow_in"]), ("outlet_max", loaded or fixed["flow_out"])):
        if needed and row[column] is None and not text.cell(row[ROW], row[PLACE], column):
            yield said("plan.no_quality_limit", column, operation=name, contaminant=contaminant)
    if loaded and None not in (row["inlet_max"], row["outlet_max"]) and row["outlet_max"] <= row["inlet_max"]:
        yield said("plan.limits_reversed", "outlet_max", operation=name, inlet=f"{row['inlet_max']:g}")


def check_supplies(text: TextTable, frames: Mapping[str, pl.DataFrame]) -> Iterator[Problem]:
    """Check that supplies serve a network, know each of its contaminants, and do something to it."""
    supplies, operations = frames["supplies"], frames["operations"]
    yield from _shared(text, supplies)
    wanted: dict[str, set[str]] = {}
    for commodity, contaminant in operations.select("commodity", "contaminant").drop_nulls().iter_rows():
        wanted.setdefault(commodity, set()).add(contaminant)
    for (_, commodity), rows in supplies.sort(ROW).group_by("supply", "commodity", maintain_order=True):
        first = rows.row(0, named=True)
        known = wanted.get(str(commodity), set())
        if not known and operations.height:
            yield text.problem("plan.supply_idle", first[ROW], place=first[PLACE], column="commodity")
        for row in rows.iter_rows(named=True):
            yield from _one_supply(text, row, known)
        missing = sorted(known - set(rows["contaminant"].drop_nulls()))
        if missing and first["kind"] != "discharge":
            said = message("plan.supply_silent", supply=first["supply"], contaminants=", ".join(missing))
            yield text.problem(said, first[ROW], place=first[PLACE], column="contaminant")


def _one_supply(text: TextTable, row: Mapping[str, Any], known: set[str]) -> Iterator[Problem]:
    def said(key: str, column: str, **values: object) -> Problem:
        return text.problem(message(key, **values), row[ROW], place=row[PLACE], column=column)

    if known and row["contaminant"] is not None and row["contaminant"] not in known:
        yield said("plan.contaminant_unknown", "contaminant", known=", ".join(sorted(known)))
    if row["kind"] == "regeneration":
        if (row["concentration"] is None) == (row["removal_pct"] is None):
            yield said("plan.regeneration_one", "concentration", supply=row["supply"])
    elif row["kind"] is not None:
        if row["concentration"] is None and not text.cell(row[ROW], row[PLACE], "concentration"):
            yield said("plan.no_concentration", "concentration", supply=row["supply"])
        for column in ("removal_pct", "recovery_pct", "feed_max"):
            if row[column] is not None:
                yield said("plan.only_regeneration", column)


def _shared(text: TextTable, frame: pl.DataFrame) -> Iterator[Problem]:
    """Check that the rows of one operation or supply do not contradict each other."""
    key = _NAME[text.table]
    for column in _SHARED[text.table]:
        first = pl.col(column).drop_nulls().first().over(key, "commodity")
        for row in frame.filter(pl.col(column).is_not_null() & (pl.col(column) != first)).iter_rows(named=True):
            said = message("plan.rows_differ", name=row[key])
            yield text.problem(said, row[ROW], place=row[PLACE], column=column)


def check_heat_streams(text: TextTable, streams: pl.DataFrame) -> Iterator[Problem]:
    """Check that streams have one heat flow, and temperatures that fit their kind."""
    for row in streams.iter_rows(named=True):

        def said(key: str, column: str, row: Mapping[str, Any] = row, **values: object) -> Problem:
            return text.problem(message(key, **values), row[ROW], place=row[PLACE], column=column)

        supply, target, kind = row["supply_temperature"], row["target_temperature"], row["kind"]
        if (row["duty"] is None) == (row["heat_capacity_flow"] is None):
            yield said("plan.stream_one", "duty", stream=row["stream"])
        if None in (supply, target):
            continue
        if supply == target and (kind is None or row["duty"] is None):
            yield said("plan.stream_still", "kind" if kind is None else "duty", stream=row["stream"])
        elif (kind == "hot" and supply < target) or (kind == "cold" and supply > target):
            ends = f"{supply:g}", f"{target:g}"
            key = f"plan.stream_reversed_{kind}"
            yield said(key, "target_temperature", stream=row["stream"], supply=ends[0], target=ends[1])


def check_heat_utilities(text: TextTable, frames: Mapping[str, pl.DataFrame]) -> Iterator[Problem]:
    """Check that utilities heat or cool as their kind says, and that district heating has its place and demand."""
    for row in frames["heat_utilities"].iter_rows(named=True):

        def said(key: str, column: str, row: Mapping[str, Any] = row, **values: object) -> Problem:
            return text.problem(message(key, **values), row[ROW], place=row[PLACE], column=column)

        supply, target = row["supply_temperature"], row["target_temperature"]
        turned = {"hot": 1.0, "cold": -1.0}.get(row["kind"] or "", 0.0)
        if None not in (supply, target) and turned * (supply - target) < 0:
            yield said("plan.utility_reversed", "target_temperature", supply=f"{supply:g}", target=f"{target:g}")
        if row["kind"] == "heating":
            for column in ("site", "duty_max", "target_temperature"):
                if row[column] is None and not text.cell(row[ROW], row[PLACE], column):
                    yield said("plan.heating_needs", column, utility=row["utility"])
