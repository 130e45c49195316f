"""From a plan's tables to one network with quality per commodity."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

from cyclopolis.foundation.problems import user_error
from cyclopolis.industry.exchanges.quality.problem import NOWHERE, Floats, QualityProblem, quality_problem
from cyclopolis.industry.exchanges.ways import PipeCosts, distances, site_of_plants
from cyclopolis.plan import Plan


@dataclass(frozen=True)
class PlanNetwork:
    """A network of a plan: its problem with the names in it.

    ``givers`` (G) and ``takers`` (T) are names of supplies and operations, ``kg`` what one unit of flow at 1 ppm
    carries, ``distance`` (G, T) in km (NaN: none or unknown), ``pipe_unit`` (G, T) the yearly cost of a pipe and per
    unit of flow; ``priced`` whether supplies have a cost.
    """

    commodity: str
    unit: str
    contaminants: tuple[str, ...]
    plants: tuple[str, ...]
    givers: tuple[str, ...]
    takers: tuple[str, ...]
    problem: QualityProblem
    kg: float
    distance: Floats
    priced: bool


def plan_networks(plan: Plan) -> list[PlanNetwork]:
    """Return the networks of a plan, by commodity.

    Raises
    ------
    UserError
        If the plan has no operations.
    """
    operations = plan.tables["operations"]
    if operations.is_empty():
        raise user_error("quality.no_operations")
    commodities = operations["commodity"].unique().sort().to_list()
    return [_network(plan, commodity) for commodity in commodities]


def _network(plan: Plan, commodity: str) -> PlanNetwork:
    rows = plan.tables["operations"].filter(commodity=commodity)
    contaminants = tuple(rows["contaminant"].unique().sort().to_list())
    library = plan.library.commodities.filter(commodity=commodity)
    mass = library["t_per_unit"][0]
    kg = float(1.0 if mass is None or mass <= 0 else mass) * 1e-3
    names = rows["operation"].unique().sort().to_list()
    plants = tuple(rows["plant"].unique().sort().to_list())
    kinds = {name: _kind(rows.filter(operation=name)) for name in names}
    loads = [name for name in names if kinds[name] == "load"]
    sources = [name for name in names if kinds[name] in ("both", "source")]
    sinks = [name for name in names if kinds[name] in ("both", "sink")]
    supplies = plan.tables["supplies"].filter(commodity=commodity)
    fresh, regeneration = _names(supplies, "fresh"), _names(supplies, "regeneration")
    if not fresh:
        fresh = [commodity]

    grid, line = partial(_grid, contaminants), _line
    home = dict(rows.select("operation", "plant").iter_rows())
    place = {name: plants.index(home[name]) for name in names}
    giver_plant = [NOWHERE] * len(fresh) + [place[name] for name in (*sources, *loads)] + [NOWHERE] * len(regeneration)
    taker_plant = [place[name] for name in (*sinks, *loads)] + [NOWHERE] * (len(regeneration) + 1)
    standing = site_of_plants(plan)
    of_supply = dict(supplies.filter(pl.col("site").is_not_null()).select("supply", "site").iter_rows())
    at_giver = [None] * len(fresh) + [standing.get(home[name]) for name in (*sources, *loads)]
    at_taker = [standing.get(home[name]) for name in (*sinks, *loads)]
    units = [of_supply.get(name) for name in regeneration]
    way = _ways(plan, [*at_giver, *units], [*at_taker, *units, None], giver_plant, taker_plant)
    per_km, per_flow_km = PipeCosts().yearly(plan.meta.discount_rate)
    discharge = supplies.filter(kind="discharge")
    outlets = grid(supplies, "supply", regeneration, "concentration", np.nan)
    problem = quality_problem(
        len(contaminants),
        fresh=grid(supplies, "supply", fresh, "concentration", 0.0),
        fresh_max=line(supplies, "supply", fresh, "flow_max", np.inf),
        fresh_cost=line(supplies, "supply", fresh, "cost", 0.0),
        source_flow=line(rows, "operation", sources, "flow_out", 0.0),
        source=grid(rows, "operation", sources, "outlet_max", 0.0),
        sink_flow=line(rows, "operation", sinks, "flow_in", 0.0),
        sink_limit=grid(rows, "operation", sinks, "inlet_max", np.inf),
        load=grid(rows, "operation", loads, "load", 0.0) / kg,
        inlet_limit=grid(rows, "operation", loads, "inlet_max", np.inf),
        outlet_limit=grid(rows, "operation", loads, "outlet_max", np.inf),
        outlet=outlets,
        removal=grid(supplies, "supply", regeneration, "removal_pct", 0.0) / 100.0,
        recovery=line(supplies, "supply", regeneration, "recovery_pct", 100.0) / 100.0,
        feed_limit=grid(supplies, "supply", regeneration, "feed_max", np.inf),
        capacity=line(supplies, "supply", regeneration, "flow_max", np.inf),
        regeneration_cost=line(supplies, "supply", regeneration, "cost", 0.0),
        discharge_limit=_least(discharge, contaminants),
        discharge_cost=float(discharge["cost"].fill_null(0.0).to_numpy().max(initial=0.0)),
        full=np.inf if library["kind"][0] == "water" else 1e6,
        giver_plant=giver_plant,
        taker_plant=taker_plant,
        pipe_cost=np.nan_to_num(way) * per_km,
        pipe_flow_cost=np.nan_to_num(way) * per_flow_km,
    )
    return PlanNetwork(
        commodity,
        str(library["unit"][0]),
        contaminants,
        plants,
        (*fresh, *sources, *loads, *regeneration),
        (*sinks, *loads, *regeneration, "discharge"),
        problem,
        kg,
        way,
        priced=supplies.filter(kind="fresh")["cost"].drop_nulls().len() > 0,
    )


def _grid(
    contaminants: tuple[str, ...], table: pl.DataFrame, key: str, wanted: list[str], column: str, empty: float
) -> Floats:
    """Return a figure for each name and contaminant."""
    found = {(one, what): value for one, what, value in table.select(key, "contaminant", column).iter_rows()}
    cells = [[found.get((name, what)) for what in contaminants] for name in wanted]
    return np.array([[empty if one is None else one for one in row] for row in cells]).reshape(-1, len(contaminants))


def _line(table: pl.DataFrame, key: str, wanted: list[str], column: str, empty: float) -> Floats:
    """Return a figure for each name, which any of its rows may give."""
    found = dict(table.filter(pl.col(column).is_not_null()).select(key, column).iter_rows())
    return np.array([found.get(name, empty) for name in wanted], dtype=np.float64)


def _kind(rows: pl.DataFrame) -> str:
    """Return whether an operation takes up a load, or is a sink, a source or both."""
    if rows["load"].drop_nulls().len():
        return "load"
    into, out = rows["flow_in"].drop_nulls().len() > 0, rows["flow_out"].drop_nulls().len() > 0
    return "both" if into and out else "sink" if into else "source"


def _names(supplies: pl.DataFrame, kind: str) -> list[str]:
    return list(supplies.filter(kind=kind)["supply"].unique().sort().to_list())


def _least(discharge: pl.DataFrame, contaminants: tuple[str, ...]) -> list[float]:
    """Return the strictest discharge limit of each contaminant."""
    found = [discharge.filter(contaminant=name)["concentration"].drop_nulls() for name in contaminants]
    return [float(one.to_numpy().min()) if one.len() else np.inf for one in found]


def _ways(
    plan: Plan, givers: list[str | None], takers: list[str | None], giver_plant: list[int], taker_plant: list[int]
) -> Floats:
    """Return the length of each pipe that leaves a plant (G, T); NaN inside a plant and where a site is not known."""
    every = distances(plan, [*givers, *takers])[: len(givers), len(givers) :]
    one, other = np.array(giver_plant)[:, None], np.array(taker_plant)[None, :]
    return np.where((one == other) & (one >= 0), np.nan, every)
