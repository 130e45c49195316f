"""The engine of networks with quality: who gives water (or gas) to whom, what it saves, which pipes it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from cyclopolis.foundation.columns import empty_table
from cyclopolis.foundation.problems import UserError
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.industry.exchanges.quality.figures import water_figures
from cyclopolis.industry.exchanges.quality.network import QualityNetwork
from cyclopolis.industry.exchanges.quality.pinch import QualityPinch, composite, limiting_flows
from cyclopolis.industry.exchanges.quality.plan_problem import PlanNetwork, plan_networks
from cyclopolis.industry.exchanges.quality.problem import NOWHERE, Floats, QualityProblem
from cyclopolis.industry.exchanges.quality.reference import fresh_alone
from cyclopolis.industry.exchanges.quality.solving import (
    apart,
    of_plants,
    pinch_of,
    solve_network,
    without_regeneration,
)
from cyclopolis.plan import Plan

_SHOWN = ("fresh_without_reuse", "fresh_apart", "fresh_together", "regenerated", "discharged", "cross_flow")


@dataclass(frozen=True)
class WaterNetwork(Result):
    """The networks with quality of a plan; tables as in ``columns.csv`` beside this file."""

    engine: ClassVar[str] = "water"
    columns_package: ClassVar[str] = "cyclopolis.industry.exchanges.quality"

    def summary(self) -> tuple[Line, ...]:
        """Return for each network the fresh flow without reuse, apart and together, and the pipes between plants."""
        rows = self.tables["networks"].iter_rows(named=True)
        return tuple(line for row in rows for line in _lines(row))

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return source and sink composite curves, the load that is left over, and the network of connections."""
        return water_figures(self.tables, language)


def _lines(row: Mapping[str, Any]) -> list[Line]:
    """Return the summary of one network."""
    commodity = row["commodity"]
    lines = [Line(message(f"water.{name}", commodity=commodity), row[name], row["unit"]) for name in _SHOWN]
    lines.append(Line(message("water.cross_links", commodity=commodity), float(row["cross_links"]), "1"))
    lines.append(Line(message("water.pipe_cost", commodity=commodity), row["pipe_cost"], "CNY/a", "assumed"))
    return lines


@dataclass(frozen=True)
class WaterOptions:
    """How hard to look: seconds for each objective, relative gap."""

    time_limit: float = 60.0
    gap: float = 1e-4


def water(plan: Plan, options: WaterOptions | None = None, *, progress: Progress = silent) -> WaterNetwork:
    """Find the networks with quality of a plan, one for each commodity that its operations use.

    Where fresh supplies have a cost, the network of least yearly cost is chosen (supplies, regeneration, discharge and
    pipes); else that of least fresh flow, then least regenerated flow, then fewest pipes between plants.

    Parameters
    ----------
    plan : Plan
        With the tables ``operations`` and ``supplies``.
    options : WaterOptions, optional
    progress : Progress

    Returns
    -------
    WaterNetwork

    Raises
    ------
    UserError
        If the plan has no operations, or no network keeps every limit.
    """
    asked = options or WaterOptions()
    parts: dict[str, list[pl.DataFrame]] = {
        name: [empty_table(columns)] for name, columns in WaterNetwork.columns().items()
    }
    found = plan_networks(plan)
    for place, network in enumerate(found):
        progress(message("water.stage", commodity=network.commodity), place / len(found))
        for name, table in _answer(network, asked).items():
            parts[name].append(table)
    facts = {"time_limit": asked.time_limit, "gap_asked": asked.gap, "scenario": list(plan.scenario)}
    return WaterNetwork({name: pl.concat(tables) for name, tables in parts.items()}, facts, plan.inputs)


def _answer(network: PlanNetwork, options: WaterOptions) -> dict[str, pl.DataFrame]:
    problem = network.problem

    def solved(aims: tuple[str, ...], of: Any = problem) -> QualityNetwork:  # noqa: ANN401 - a problem
        return solve_network(of, aims, gap=options.gap, time_limit=options.time_limit)

    least = solved(("fresh",))
    second = ("regenerated",) if problem.recovery.size and problem.linear else ()
    aims = ("cost", "fresh") if network.priced else ("fresh", *second, "cross_links")
    best = least if not problem.linear and not network.priced else solved(aims)
    alone = fresh_alone(problem)
    lone = _least_fresh(apart(problem))
    pinch = _pinch(network)
    return {
        "networks": _networks(network, best, least, lone, alone, pinch),
        "connections": _connections(network, best),
        "qualities": _qualities(network, best),
        "members": _members(network, best, alone),
        "curves": _curves(network, pinch),
    }


def _least_fresh(problem: QualityProblem) -> float | None:
    """Return the least fresh flow with reuse alone, nothing regenerated; None where limits then cannot be kept."""
    try:
        return solve_network(without_regeneration(problem), ("fresh",)).fresh
    except UserError:
        return None


def _pinch(network: PlanNetwork) -> QualityPinch | None:
    problem = network.problem
    plain = problem.contaminants == 1 and problem.fresh.shape[0] == 1 and np.isinf(problem.fresh_max).all()
    return pinch_of(problem) if plain and np.isinf(problem.discharge_limit).all() else None


def _table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    columns = WaterNetwork.columns()[name]
    schema = {column.name: column.dtype for column in columns}
    return pl.DataFrame(rows, schema=schema)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _networks(
    network: PlanNetwork,
    best: QualityNetwork,
    least: QualityNetwork,
    lone: float | None,
    alone: Floats,
    pinch: QualityPinch | None,
) -> pl.DataFrame:
    crossing = best.crossing() > 0
    way = network.distance[crossing]
    cost = _pipe_costs(network, best)[crossing]
    reached = dict(best.reached)
    no_units = network.problem.recovery.size == 0
    row = {
        "commodity": network.commodity,
        "operations": len(set(network.givers) | set(network.takers)) - len(network.problem.fresh) - 1,
        "contaminants": "; ".join(network.contaminants),
        "fresh_without_reuse": _known(float(alone.sum())),
        "fresh_apart": lone,
        "fresh_together": best.fresh,
        "fresh_least": least.fresh,
        "pinch_fresh": pinch.fresh if pinch and no_units else None,
        "pinch_ppm": "; ".join(f"{one:g}" for one in pinch.pinches) if pinch else None,
        "regenerated": best.regenerated,
        "discharged": best.discharged,
        "cross_flow": float(best.crossing().sum()),
        "cross_links": int(crossing.sum()),
        "pipe_km": _known(float(way.sum())),
        "pipe_cost": _known(float(cost.sum())),
        "cost": reached.get("cost") if network.priced else None,
        "bound": best.bound,
        "gap": best.gap,
        "status": best.status,
        "unit": f"{network.unit}/a",
    }
    return _table("networks", [row])


def _pipe_costs(network: PlanNetwork, best: QualityNetwork) -> Floats:
    """Return the yearly cost of every pipe (G, T), NaN where its length is not known."""
    problem = network.problem
    cost = problem.pipe_cost + problem.pipe_flow_cost * best.flows
    return np.where(np.isnan(network.distance), np.nan, cost)


def _connections(network: PlanNetwork, best: QualityNetwork) -> pl.DataFrame:
    problem, cost = network.problem, _pipe_costs(network, best)
    fresh, _, sinks, operations, regenerators = problem.sizes
    first_unit, last = problem.giver_plant.size - regenerators, problem.taker_plant.size - 1
    rows = []
    for giver, taker in zip(*np.nonzero(best.flows), strict=True):
        one, other = int(problem.giver_plant[giver]), int(problem.taker_plant[taker])
        kind = (
            "fresh"
            if giver < fresh
            else "discharge"
            if taker == last
            else "regeneration"
            if giver >= first_unit or taker >= sinks + operations
            else "reuse"
            if one == other
            else "exchange"
        )
        piped = kind in ("exchange", "regeneration")
        rows.append(
            {
                "commodity": network.commodity,
                "kind": kind,
                "giver": network.givers[giver],
                "taker": network.takers[taker],
                "from_plant": network.plants[one] if one != NOWHERE else None,
                "to_plant": network.plants[other] if other != NOWHERE else None,
                "flow": float(best.flows[giver, taker]),
                "unit": f"{network.unit}/a",
                "distance_km": _known(network.distance[giver, taker]) if piped else None,
                "pipe_cost": _known(cost[giver, taker]) if piped else None,
            }
        )
    rows.sort(key=lambda row: (str(row["kind"]), str(row["giver"]), str(row["taker"])))
    return _table("connections", rows)


def _qualities(network: PlanNetwork, best: QualityNetwork) -> pl.DataFrame:
    problem = network.problem
    outlets = np.concatenate(
        (problem.fresh, problem.source, problem.outlet_limit, np.full_like(problem.outlet, np.inf))
    )
    inlets = np.concatenate(
        (problem.sink_limit, problem.inlet_limit, problem.feed_limit, problem.discharge_limit[None, :])
    )
    rows = [
        {
            "commodity": network.commodity,
            "place": name,
            "side": side,
            "contaminant": contaminant,
            "concentration": _known(values[at, k]),
            "limit": _known(limits[at, k]),
        }
        for side, names, values, limits in (
            ("in", network.takers, best.inlet, inlets),
            ("out", network.givers, best.concentration, outlets),
        )
        for at, name in enumerate(names)
        for k, contaminant in enumerate(network.contaminants)
    ]
    return _table("qualities", rows)


def _members(network: PlanNetwork, best: QualityNetwork, alone: Floats) -> pl.DataFrame:
    problem, crossing = network.problem, best.crossing()
    fresh, _, sinks, operations, _ = problem.sizes
    of_takers = problem.taker_plant[: sinks + operations]
    rows = []
    for at, plant in enumerate(network.plants):
        rows.append(
            {
                "commodity": network.commodity,
                "plant": plant,
                "fresh_without_reuse": _known(float(alone[of_takers == at].sum())),
                "fresh_apart": _least_fresh(of_plants(problem, [at])),
                "fresh_together": float(best.flows[:fresh][:, problem.taker_plant == at].sum()),
                "received": float(crossing[:, problem.taker_plant == at].sum()),
                "given": float(crossing[problem.giver_plant == at].sum()),
                "unit": f"{network.unit}/a",
            }
        )
    return _table("members", rows)


def _curves(network: PlanNetwork, pinch: QualityPinch | None) -> pl.DataFrame:
    problem = network.problem
    rows: list[dict[str, Any]] = []

    def add(contaminant: str, curve: str, load: Floats, flow: Floats | None, concentration: Floats | None) -> None:
        rows.extend(
            {
                "commodity": network.commodity,
                "contaminant": contaminant,
                "curve": curve,
                "step": step,
                "load": float(load[step]) * network.kg,
                "flow": None if flow is None else float(flow[step]),
                "concentration": None if concentration is None else float(concentration[step]),
                "unit": f"{network.unit}/a",
            }
            for step in range(load.size)
        )

    for k, contaminant in enumerate(network.contaminants):
        room = problem.outlet_limit[:, k] > problem.inlet_limit[:, k]
        through = np.zeros(problem.gain.size)
        through[room] = limiting_flows(
            problem.load[room, k], problem.inlet_limit[room, k], problem.outlet_limit[room, k]
        )
        bounded = np.isfinite(problem.sink_limit[:, k])
        add(
            contaminant,
            "source",
            *composite(
                np.concatenate((problem.source_flow, through)),
                np.concatenate((problem.source[:, k], problem.outlet_limit[:, k])),
            ),
            None,
        )
        add(
            contaminant,
            "sink",
            *composite(
                np.concatenate((problem.sink_flow[bounded], through)),
                np.concatenate((problem.sink_limit[bounded, k], problem.inlet_limit[:, k])),
            ),
            None,
        )
    if pinch is not None:
        add(network.contaminants[0], "surplus", pinch.surplus, None, pinch.level)
    return _table("curves", rows)
