"""The capacity engine: how much load waters, air, land and quotas carry, and how much of it is used."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import polars as pl

from cyclopolis.ecology.capacity.formulas import MONTH_DAYS, air_capacity, decayed, river_capacity
from cyclopolis.foundation.problems import Problem, UserError, user_error
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message, say
from cyclopolis.plan import Plan, provenance
from cyclopolis.plan.schema import quantities

_NEEDED = {
    "river": ("target_mg_l", "background_mg_l"),
    "air": ("a_value", "standard_mg_m3", "area_km2"),
    "water_resource": (),
    "land": (),
    "quota": ("amount",),
}
_REACH = ("length_km", "velocity_m_s", "decay_per_d")
_YEAR_SECONDS = 365.25 * 86_400.0


class Capacity(Result):
    """The answer of `capacity`; tables and columns are documented in ``columns.csv``."""

    engine: ClassVar[str] = "capacity"
    columns_package: ClassVar[str] = "cyclopolis.ecology.capacity"

    def summary(self) -> tuple[Line, ...]:
        """Return the share of each capacity that is used, the fullest first."""
        table = self.tables["loads"].filter(pl.col("used").is_not_null()).sort("used", descending=True)
        return tuple(
            Line(
                message("capacity.line_used", capacity=row["capacity"], year=row["year"]), row["used"], "1",
                row["provenance"],
            )
            for row in table.head(8).iter_rows(named=True)
        )  # fmt: skip

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return bars of load over capacity, before and after the design."""
        table = self.tables["loads"].filter(pl.col("used").is_not_null())
        if table.is_empty():
            return {}
        data = [
            {
                "type": "bar",
                "orientation": "h",
                "name": say(f"coded.capacity_state_{state}", language),
                "y": own["capacity"].to_list(),
                "x": [round(100.0 * used, 3) for used in own["used"]],
            }
            for state in ("before", "after")
            if (own := table.filter(pl.col("state") == state)).height
        ]
        layout = {
            "title": {"text": say("capacity.figure", language)},
            "xaxis": {"title": {"text": say("capacity.axis", language)}, "rangemode": "tozero"},
            "yaxis": {"automargin": True, "autorange": "reversed", "type": "category"},
            "shapes": [{"type": "line", "x0": 100, "x1": 100, "y0": 0, "y1": 1, "yref": "paper",
                        "line": {"color": "#9b2226", "dash": "dash"}}],
            "height": 220 + 26 * table["capacity"].n_unique(),
        }  # fmt: skip
        return {"used": {"data": data, "layout": layout}}


def capacities(plan: Plan, land_left: Mapping[str, float] | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the capacities of a plan and the monthly ones of its rivers, as the result's tables hold them.

    Parameters
    ----------
    plan : Plan
        With the table ``capacities``, and ``monthly_flows`` for rivers whose months differ.
    land_left : mapping of site to ha, optional
        Land left to build on, for rows of kind land that give no amount of their own.

    Raises
    ------
    UserError
        Naming each row that lacks what its kind needs.
    """
    flows = plan.tables["monthly_flows"].sort("capacity", "month")
    rows: list[dict[str, Any]] = []
    months: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for row in plan.tables["capacities"].sort("capacity").iter_rows(named=True):
        own = flows.filter(pl.col("capacity") == row["capacity"])
        lacking = _lacking(row, own, land_left or {})
        if lacking:
            said = message("capacity.lacks", capacity=row["capacity"], kind=row["kind"], columns=", ".join(lacking))
            problems.append(Problem(said, file="capacities.csv"))
            continue
        value, method, monthly = _value(row, own, land_left or {})
        share = 1.0 if row["usable_pct"] is None else row["usable_pct"] / 100.0
        rows.append(
            {"capacity": row["capacity"], "scope": row["site"] or "", "kind": row["kind"], "quantity": row["quantity"],
             "year": row["year"], "value": value * share, "unit": quantities()[row["quantity"]].unit, "method": method,
             "adopted": bool(row["adopt"]), "provenance": _provenance(row["source"])}
        )  # fmt: skip
        months += [
            {"capacity": row["capacity"], "month": month, "flow_m3_s": flow, "value_t": amount * share}
            for month, flow, amount in monthly
        ]
    if problems:
        raise UserError(problems)
    known = Capacity.columns()
    frames = [
        pl.DataFrame(found, schema={column.name: column.dtype for column in known[name]}, orient="row")
        for name, found in (("capacities", rows), ("months", months))
    ]
    return frames[0], frames[1]


def _provenance(source: str | None) -> str:
    return "assumed" if provenance(source) == "assumed" else "computed"


def _lacking(row: Mapping[str, Any], flows: pl.DataFrame, left: Mapping[str, float]) -> list[str]:
    """Return the columns that a row needs and lacks."""
    lacking = [name for name in _NEEDED[row["kind"]] if row[name] is None]
    flowing = row["flow_m3_s"] is not None or flows.height == len(MONTH_DAYS)
    if row["kind"] == "river" and not flowing:
        lacking.append("flow_m3_s")
    if row["kind"] == "water_resource" and row["amount"] is None and not flowing:
        lacking.append("amount")
    if row["kind"] == "land" and row["amount"] is None and (row["site"] or "") not in left:
        lacking.append("amount")
    given = [name for name in _REACH if row[name] is not None]
    if row["kind"] == "river" and given and len(given) < len(_REACH):
        lacking += [name for name in _REACH if row[name] is None]
    return lacking


def _value(
    row: Mapping[str, Any], flows: pl.DataFrame, left: Mapping[str, float]
) -> tuple[float, str, list[tuple[int, float, float]]]:
    """Return the capacity of a row before its usable share, by which method, and its months (month, flow, t)."""
    size = len(MONTH_DAYS)
    flow = np.full(size, row["flow_m3_s"] or 0.0) if flows.is_empty() else flows["flow_m3_s"].to_numpy()
    if row["kind"] == "river":
        background = np.full(size, row["background_mg_l"])
        reach = row["length_km"] is not None
        if reach:
            background = decayed(background, *(np.full(size, row[name]) for name in ("decay_per_d", *_REACH[:2])))
        target, waste = np.full(size, row["target_mg_l"]), np.full(size, row["waste_flow_m3_s"] or 0.0)
        monthly = river_capacity(flow, MONTH_DAYS, target, background, waste)
        told = list(zip(range(1, size + 1), flow.tolist(), monthly.tolist(), strict=True))
        return float(monthly.sum()), "one_dimension" if reach else "zero_dimension", told
    if row["kind"] == "air":
        whole = row["total_area_km2"] or row["area_km2"]
        outside = float(row["background_mg_m3"] or 0.0)
        found = air_capacity(row["a_value"], row["standard_mg_m3"], outside, row["area_km2"], whole)
        return found, "a_value", []
    if row["amount"] is not None:
        return float(row["amount"]), "quota", []
    if row["kind"] == "land":
        return left[row["site"] or ""], "land_left", []
    return float((flow * MONTH_DAYS).sum() / MONTH_DAYS.sum() * _YEAR_SECONDS), "runoff", []


def capacity(plan: Plan, loads: pl.DataFrame, land_left: Mapping[str, float] | None = None) -> Capacity:
    """Hold the loads of a plan against what waters, air, land and quotas carry.

    Parameters
    ----------
    plan : Plan
        With the table ``capacities``.
    loads : polars.DataFrame
        ``state`` (before or after), ``year``, ``scope`` (empty: the whole plan), ``quantity``, ``value``.
    land_left : mapping of site to ha, optional
        Land left to build on by site.

    Returns
    -------
    Capacity

    Raises
    ------
    UserError
        If the plan has no capacities or a row lacks what its kind needs.
    """
    if plan.tables["capacities"].is_empty():
        raise user_error("capacity.nothing")
    found, months = capacities(plan, land_left)
    asked = loads.select("scope", "quantity", "state", load_year="year", load="value")
    joined = found.join(asked, on=["scope", "quantity"], how="left").filter(
        pl.col("year").is_null() | pl.col("load_year").is_null() | (pl.col("load_year") >= pl.col("year"))
    )
    used = pl.when(pl.col("value") > 0).then(pl.col("load") / pl.col("value"))
    table = joined.with_columns(used=used, year=pl.col("load_year")).with_columns(
        over=(pl.col("load") > pl.col("value") * (1 + 1e-9))
    )
    known = Capacity.columns()["loads"]
    table = table.select(pl.col(column.name).cast(column.dtype) for column in known)
    table = table.sort(["capacity", "year", "state"], descending=[False, False, True], nulls_last=True)
    facts = {"scenario": list(plan.scenario)}
    return Capacity(
        tables={"capacities": found, "months": months, "loads": table, "limits": limits_of(found)},
        facts=facts,
        inputs=plan.inputs,
    )


def limits_of(found: pl.DataFrame) -> pl.DataFrame:
    """Return capacities as rows of the table ``limits``: the least one of each place, quantity and year."""
    grouped = found.group_by("scope", "quantity", "year", maintain_order=True).agg(
        max=pl.col("value").min(),
        unit=pl.col("unit").first(),
        adopted=pl.col("adopted").any(),
        capacity=pl.col("capacity").sort_by("value").first(),
    )
    known = Capacity.columns()["limits"]
    return grouped.sort("scope", "quantity", "year").select(pl.col(column.name).cast(column.dtype) for column in known)
