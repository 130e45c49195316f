"""The engine of heat recovery: each plant, all as one, steam mains between them, waste heat for district heating."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.industry.exchanges.heat.figures import heat_figures
from cyclopolis.industry.exchanges.heat.pinch import (
    HeatStreams,
    HeatTargets,
    composite_curve,
    heat_streams,
    heat_targets,
    least_units,
)
from cyclopolis.industry.exchanges.heat.site import (
    Profile,
    SteamMains,
    district_heat,
    heat_pipes,
    site_profile,
    steam_mains,
)
from cyclopolis.industry.exchanges.heat.utilities import place_utilities
from cyclopolis.industry.exchanges.ways import annuity, distances, site_of_plants
from cyclopolis.plan import Plan

CONTRIBUTION = 5.0
"""Part of the least temperature difference (K) that a stream or utility brings where it says nothing (assumed)."""
HEAT_LOSS = 0.01
"""Share of heat lost per km of district-heating pipe (assumed)."""
HEAT_PIPE, HEAT_PIPE_PER_KW, PIPE_LIFE = 3_000_000.0, 60.0, 30.0
"""Cost of a district-heating pipe in CNY per km, and per km and kW; years that it lasts (assumed)."""
HOURS, HEATING_HOURS = 8000.0, 2880.0
"""Hours per year of utilities and of district heating where none are given (assumed)."""


@dataclass(frozen=True)
class HeatRecovery(Result):
    """Heat recovery of a plan; tables as in ``columns.csv`` beside this file."""

    engine: ClassVar[str] = "heat"
    columns_package: ClassVar[str] = "cyclopolis.industry.exchanges.heat"

    def summary(self) -> tuple[Line, ...]:
        """Return heating and cooling without recovery, apart, together, and what mains and district heating save."""
        targets = self.tables["targets"]
        apart, together = (targets.filter(scope=scope).row(0, named=True) for scope in ("apart", "together"))
        steam, heating = self.tables["steam"], self.tables["heating"]
        return (
            Line(message("heat.hot_without"), apart["hot_without"], "kW"),
            Line(message("heat.hot_apart"), apart["hot"], "kW"),
            Line(message("heat.hot_together"), together["hot"], "kW"),
            Line(message("heat.cold_without"), apart["cold_without"], "kW"),
            Line(message("heat.cold_apart"), apart["cold"], "kW"),
            Line(message("heat.cold_together"), together["cold"], "kW"),
            Line(message("heat.by_steam"), float(steam["used"].sum()), "kW"),
            Line(message("heat.to_heating"), float(heating["arriving"].sum()), "kW"),
        )

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return composite and grand composite curves of all plants as one, and of each plant."""
        return heat_figures(self.tables, language)


def heat(plan: Plan) -> HeatRecovery:
    """Find what heat can be recovered in a plan.

    Parameters
    ----------
    plan : Plan
        With the table ``heat_streams``, and ``heat_utilities`` where utilities, steam mains or district heating count.

    Returns
    -------
    HeatRecovery

    Raises
    ------
    UserError
        If the plan has no heat streams, or its utilities cannot meet all needs.
    """
    rows = plan.tables["heat_streams"].sort("stream")
    if rows.is_empty():
        raise user_error("heat.no_streams")
    plants = rows["plant"].unique().sort().to_list()
    own = {plant: _streams(rows.filter(plant=plant)) for plant in plants}
    whole = _streams(rows)
    alone = {plant: heat_targets(streams) for plant, streams in own.items()}
    together = heat_targets(whole)
    profiles = [site_profile(alone[plant]) for plant in plants]
    utilities = plan.tables["heat_utilities"].sort("utility")
    mains = utilities.filter(kind="steam")
    level = mains["supply_temperature"].to_numpy().astype(np.float64)
    passed = steam_mains(profiles, level, CONTRIBUTION) if level.size else SteamMains(*np.zeros((2, len(plants), 0)))
    tables = {
        "targets": _targets(own, alone, whole, together),
        "curves": _curves(own, alone, whole, together),
        "steam": _steam(mains, plants, passed),
        "utilities": _utilities(utilities, whole),
        "heating": _heating(plan, utilities.filter(kind="heating"), plants, profiles, passed),
    }
    return HeatRecovery(tables, {"scenario": list(plan.scenario)}, plan.inputs)


def _streams(rows: pl.DataFrame) -> HeatStreams:
    supply, target = (rows[name].to_numpy().astype(np.float64) for name in ("supply_temperature", "target_temperature"))
    given = rows.select(
        size=pl.coalesce(
            pl.col("duty"),
            pl.col("heat_capacity_flow") * (pl.col("supply_temperature") - pl.col("target_temperature")).abs(),
        ),
        sign=pl.when(pl.col("kind") == "cold").then(-1.0).otherwise(1.0),
        by=2.0 * pl.col("contribution").fill_null(CONTRIBUTION),
    )
    duty = (given["size"] * given["sign"]).to_numpy()
    return heat_streams(supply, target, duty, given["by"].to_numpy())


def _table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in HeatRecovery.columns()[name]})


def _targets(
    own: Mapping[str, HeatStreams], alone: Mapping[str, HeatTargets], whole: HeatStreams, together: HeatTargets
) -> pl.DataFrame:
    def row(scope: str, plant: str | None, streams: HeatStreams, found: HeatTargets) -> dict[str, Any]:
        return {
            "scope": scope,
            "plant": plant,
            "hot": found.hot,
            "cold": found.cold,
            "recovered": found.recovered,
            "hot_without": float(-streams.duty[~streams.hot].sum()),
            "cold_without": float(streams.duty[streams.hot].sum()),
            "pinch": "; ".join(f"{one:g}" for one in found.pinches) or None,
            "units": least_units(streams, found),
        }

    rows = [row("plant", plant, own[plant], alone[plant]) for plant in own]
    summed = {
        name: float(sum(one[name] for one in rows))
        for name in ("hot", "cold", "recovered", "hot_without", "cold_without")
    }
    units = sum(one["units"] for one in rows)
    rows.append({"scope": "apart", "plant": None, **summed, "pinch": None, "units": units})
    rows.append(row("together", None, whole, together))
    return _table("targets", rows)


def _curves(
    own: Mapping[str, HeatStreams], alone: Mapping[str, HeatTargets], whole: HeatStreams, together: HeatTargets
) -> pl.DataFrame:
    rows = []
    each = [("plant", plant, own[plant], alone[plant]) for plant in own]
    for scope, plant, streams, found in [*each, ("together", None, whole, together)]:
        for name, amount, temperature in (
            ("hot", *composite_curve(streams, hot=True)),
            ("cold", *composite_curve(streams, hot=False, start=found.cold)),
            ("grand", found.residual, found.temperature),
        ):
            rows += [
                {
                    "scope": scope,
                    "plant": plant,
                    "curve": name,
                    "step": step,
                    "heat": float(amount[step]),
                    "temperature": float(temperature[step]),
                }
                for step in range(amount.size)
            ]
    return _table("curves", rows)


def _steam(mains: pl.DataFrame, plants: list[str], passed: SteamMains) -> pl.DataFrame:
    rows = [
        {
            "utility": name,
            "plant": plant,
            "temperature": temperature,
            "raised": float(passed.raised[at, main]),
            "used": float(passed.used[at, main]),
        }
        for main, (name, temperature) in enumerate(mains.select("utility", "supply_temperature").iter_rows())
        for at, plant in enumerate(plants)
    ]
    return _table("steam", rows)


def _utilities(utilities: pl.DataFrame, whole: HeatStreams) -> pl.DataFrame:
    rows = utilities.filter(pl.col("kind").is_in(["hot", "cold"]))
    if set(rows["kind"]) != {"hot", "cold"}:
        return _table("utilities", [])
    supply = rows["supply_temperature"].to_numpy().astype(np.float64)
    target = rows.select(pl.coalesce("target_temperature", "supply_temperature")).to_series().to_numpy()
    hot = (rows["kind"] == "hot").to_numpy()
    level = np.where(hot, supply, -supply)
    told = rows["cost"].fill_null(float("nan")).to_numpy()
    rank = 1.0 + np.argsort(np.argsort(level, kind="stable"), kind="stable")
    cost = np.asarray(rank if np.isnan(told).any() else told, dtype=np.float64)
    most = rows["duty_max"].fill_null(float("inf")).to_numpy()
    duty = place_utilities(whole, supply, target, hot, cost, most, np.full(hot.size, CONTRIBUTION))
    hours = rows["hours"].fill_null(HOURS).to_numpy()
    found = [
        {
            "utility": name,
            "kind": kind,
            "duty": float(duty[at]),
            "cost": None if np.isnan(told[at]) else float(duty[at] * told[at] * hours[at]),
        }
        for at, (name, kind) in enumerate(rows.select("utility", "kind").iter_rows())
    ]
    return _table("utilities", found)


def _heating(
    plan: Plan, rows: pl.DataFrame, plants: list[str], profiles: list[Profile], passed: SteamMains
) -> pl.DataFrame:
    if rows.is_empty():
        return _table("heating", [])
    flow, back, demand = (
        rows[name].to_numpy().astype(np.float64) for name in ("supply_temperature", "target_temperature", "duty_max")
    )
    most = np.array(
        [
            [district_heat(one, passed.raised[at], flow[end], back[end], CONTRIBUTION) for end in range(rows.height)]
            for at, one in enumerate(profiles)
        ]
    )
    standing = site_of_plants(plan)
    way = distances(plan, [*(standing.get(plant) for plant in plants), *rows["site"].to_list()])
    way = way[: len(plants), len(plants) :]
    yearly = annuity(plan.meta.discount_rate, PIPE_LIFE)
    fixed, per_kw = np.nan_to_num(way) * HEAT_PIPE * yearly, np.nan_to_num(way) * HEAT_PIPE_PER_KW * yearly
    worth = (rows["cost"].fill_null(0.0) * rows["hours"].fill_null(HEATING_HOURS)).to_numpy()
    pipes = heat_pipes(most, demand, way, HEAT_LOSS, worth, fixed, per_kw)
    found = [
        {
            "utility": name,
            "plant": plant,
            "most": float(most[at, end]),
            "sent": float(pipes.sent[at, end]),
            "arriving": float(pipes.arriving[at, end]),
            "distance_km": None if np.isnan(way[at, end]) else float(way[at, end]),
            "pipe_cost": float((fixed + per_kw * pipes.sent)[at, end]) if pipes.sent[at, end] > 0 else 0.0,
            "worth": float(pipes.arriving[at, end] * worth[end]),
        }
        for end, name in enumerate(rows["utility"].to_list())
        for at, plant in enumerate(plants)
    ]
    return _table("heating", found)
