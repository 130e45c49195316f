"""Why a design is as it is: what binding limits are worth, what candidates that were not chosen would lose.

Each question is a small change of the programme that was solved, decided anew. The programme is first settled to a
finer gap, to which all changes are compared; what is still unproven stands beside each number.
"""

import time
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from cyclopolis.design.assemble import Assembly, read_answer
from cyclopolis.design.explain import Forced, binding, force_in, local_worths, worths
from cyclopolis.design.kept import Kept
from cyclopolis.design.pools import Pools
from cyclopolis.design.pose import Posed
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Answer
from cyclopolis.design.words import plant_name
from cyclopolis.design.years import YearsSolution
from cyclopolis.network.model import Bools, Floats, Ints
from cyclopolis.network.names import pick
from cyclopolis.plan.schema import quantities

FINE_GAP = 1e-6
"""Gap to which changes are solved: what they move is small beside the gain."""
STEP = 0.01
"""Share of its bound by which a limit gives; a bound of nought gives by one unit."""
LEAST_SECONDS, TIMES = 60.0, 2.0
"""All explanations together take at most so many times what the design took, and are given at least so long."""
EACH_SECONDS = 10.0
"""A solve is given so long at least, as far as time is left: enough for all of a plan of usual size."""
TELLING = 1e-9
"""Loss below this share of the objective that counts as none."""
_STATUS = ("existing", "planned", "candidate")


@dataclass
class Patience:
    """How long explaining may go on; each of the solves that are left gets an equal share of what is left or more."""

    until: float
    left: int

    def options(self, options: SolveOptions) -> SolveOptions | None:
        """Return the options of the next solve, None when time is up."""
        seconds = self.until - time.monotonic()
        share, self.left = max(seconds / max(self.left, 1), min(EACH_SECONDS, seconds)), self.left - 1
        return replace(options, gap=min(options.gap, FINE_GAP), time_limit=share) if seconds > 0 else None


def explained(posed: Posed, pools: Pools, answer: Answer, most: int) -> dict[str, pl.DataFrame]:
    """Return the tables ``limit_worth`` and ``not_chosen`` of a design.

    Parameters
    ----------
    posed : Posed
    pools : Pools
        The programme of ``posed.whole`` as it was solved.
    answer : Answer
        The design as solved, in the columns of ``pools``.
    most : int
        How many limits, and how many plants, are solved anew.
    """
    options = posed.whole.options
    plants = _not_built(posed, pools, answer)[:most]
    seconds = min(options.time_limit, max(LEAST_SECONDS, TIMES * answer.seconds))
    patience = Patience(time.monotonic() + seconds, 1 + most + plants.size)
    finest = _finest(pools, answer, patience) if most else answer
    limits = _limit_worths(posed, pools, answer, finest, most, patience)
    patience.left = plants.size
    return {"limit_worth": limits, "not_chosen": _not_chosen(posed, pools, finest, plants, patience)}


def _finest(pools: Pools, answer: Answer, patience: Patience) -> Answer:
    """Return the design solved on to the fine gap, or as it is."""
    options = patience.options(pools.assembly.problem.options)
    if options is None or answer.gap <= FINE_GAP:
        return answer
    kept = Kept(pools.program, options)
    kept.set_objective(pools.goal)
    finer = kept.solve()
    if not finer.natural.size or finer.objective < answer.objective:
        return replace(answer, bound=min(answer.bound, finer.bound)) if np.isfinite(finer.bound) else answer
    return replace(finer, bound=min(answer.bound, finer.bound))


def _limit_rows(posed: Posed, assembly: Assembly) -> tuple[Ints, pl.DataFrame]:
    """Return the rows of all limits, and what each says: year, scope, quantity, kind, bound, origin."""
    columns = ("scope", "quantity", "kind", "bound", "origin")
    at, said = [np.zeros(0, dtype=np.int64)], []
    for number, year in enumerate(posed.years):
        place = assembly.rows["limit", number]
        own = posed.year_rows[number]
        at.append(np.arange(place.start, place.start + own.height))
        said.append(own.select(pl.lit(year, pl.Int64).alias("year"), *columns))
    place = assembly.rows["spending", 0]
    at.append(np.arange(place.start, place.stop))
    years = pl.Series(posed.years, dtype=pl.Int64)
    said.append(posed.spending_rows.select(years.gather(posed.spending_rows["position"]).alias("year"), *columns))
    return np.concatenate(at), pl.concat(said)


def _limit_worths(
    posed: Posed, pools: Pools, answer: Answer, finest: Answer, most: int, patience: Patience
) -> pl.DataFrame:
    """Return what one unit more of every limit that binds is worth: near by, and by a step decided anew."""
    rows, said = _limit_rows(posed, pools.assembly)
    tight = _tight(pools, answer, rows, said)
    rows, said = rows[tight], said.filter(pl.Series(tight, dtype=pl.Boolean))
    size = pools.assembly.row_scale[rows]
    dual = np.zeros(0)
    if rows.size:
        dual = local_worths(pools.program, pools.goal, answer.natural, SolveOptions())
    local = np.maximum(np.where(said["kind"].to_numpy() == "max", 1.0, -1.0) * dual[rows], 0.0) / size
    bound = said["bound"].abs().to_numpy()
    step = np.where(bound > 0, STEP * bound, 1.0)
    stepped, gap = np.full(rows.size, np.nan), np.full(rows.size, np.nan)
    for at in np.argsort(-local * step, kind="stable")[:most].tolist():
        options = patience.options(pools.assembly.problem.options)
        if options is None:
            break
        one = [int(rows[at])]
        found = worths(pools.program, pools.goal, finest, one, step[[at]] / size[at], options, dual)
        for worth in found:
            stepped[at] = worth.stepped / size[at]
            gap[at] = (worth.at_most - worth.stepped) / size[at] + (finest.bound - finest.objective) / step[at]
    known = np.isfinite(stepped)
    units = {name: quantity.unit for name, quantity in quantities().items()}
    table = said.with_columns(
        unit=pl.col("quantity").replace_strict(units, return_dtype=pl.String),
        local=pl.Series(local, dtype=pl.Float64),
        step=pl.Series(np.where(known, step, np.nan), dtype=pl.Float64).fill_nan(None),
        stepped=pl.Series(stepped, dtype=pl.Float64).fill_nan(None),
        gap=pl.Series(np.where(np.isfinite(gap), gap, np.nan), dtype=pl.Float64).fill_nan(None),
    )
    return table.sort("year", "origin", "scope", "quantity", "kind", nulls_last=True)


def _tight(pools: Pools, answer: Answer, rows: Ints, said: pl.DataFrame) -> Bools:
    """Return which limits bind on their own side."""
    lower, upper = binding(pools.program, answer.natural)
    found: Bools = np.where(said["kind"].to_numpy() == "max", upper[rows], lower[rows])
    return found


def _not_built(posed: Posed, pools: Pools, answer: Answer) -> Ints:
    """Return the new plants that are never built: the plan's own first, then those that would take most stranded mass.

    Stranded is what plants still put to a way out (landfill, discharge, treatment) or leave unplaced in the last year.
    """
    found, network = _read(pools, answer), posed.network
    builds = posed.whole.builds
    built = np.zeros(len(network.plant_ids))
    np.add.at(built, builds.plant, found.built.sum(axis=1))
    at = np.unique(builds.plant[built[builds.plant] < 0.5])
    stranded = _stranded(posed, found.flows[-1].fate, found.loose[-1])
    most = posed.problem.activity_bounds()[1]
    arcs, ports = network.arcs, network.ports
    need = np.abs(ports.coefficient[arcs.taker]) * most[ports.plant[arcs.taker]]
    with np.errstate(divide="ignore", invalid="ignore"):
        room = np.where(arcs.ratio > 0, need / arcs.ratio, 0.0)
    mass = np.nan_to_num(network.t_per_unit[ports.commodity[arcs.giver]])
    taken = np.zeros(built.size)
    np.add.at(taken, ports.plant[arcs.taker], np.minimum(stranded[arcs.giver], room) * mass)
    order = np.lexsort((at, -taken[at], network.plants.library[at]))
    return at[order].astype(np.int64)


def _read(pools: Pools, answer: Answer) -> YearsSolution:
    return read_answer(pools.assembly, replace(answer, natural=pools.restore(answer.natural)))


def _stranded(posed: Posed, fate: Floats, loose: Floats) -> Floats:
    """Return what each output port (J,) has no use for."""
    ports = posed.network.ports
    amount = np.where(ports.coefficient > 0, loose, 0.0)
    np.add.at(amount, posed.network.fates.port, fate)
    return amount


def _not_chosen(posed: Posed, pools: Pools, finest: Answer, plants: Ints, patience: Patience) -> pl.DataFrame:
    """Return what plants would lose when they had to be built, and what would make each break even."""
    network, builds, layout = posed.network, posed.whole.builds, pools.assembly.layout
    rows: list[tuple[object, ...]] = []
    for plant in plants.tolist():
        ways = np.flatnonzero(builds.plant == plant)
        switches = np.concatenate([layout.columns["built", year].start + ways for year in range(len(posed.years))])
        options, forced = patience.options(pools.assembly.problem.options), None
        if options is not None:
            nothing = np.zeros(pools.program.scale.size)
            forced = force_in(pools.program, pools.goal, finest, pools.at(switches), nothing, options)
        rows.append(_breakeven(posed, pools, finest, forced, plant, ways))
    number = pl.Float64
    schema = {
        "outcome": pl.String, "loss": number, "gap": number, "capex": number, "breakeven_capex": number,
        "activity": number, "price_kind": pl.String, "breakeven_price": number,
    }  # fmt: skip
    names = [plant_name(posed.plan, network.plant_ids[plant]).names for plant in plants.tolist()]
    main = network.ports.commodity[np.maximum(network.plants.main[plants], 0)]
    named = pl.DataFrame(
        {
            "plant": pick(network.plant_ids, plants),
            "name": pl.Series([name[0] for name in names], dtype=pl.String),
            "name_zh": pl.Series([name[1] for name in names], dtype=pl.String),
            "site": pick(network.site_ids, network.plants.site[plants]),
            "technology": pick(network.technology_ids, network.plants.technology[plants]),
            "status": pick(_STATUS, network.plants.status[plants]),
            "library": pl.Series(network.plants.library[plants], dtype=pl.Boolean),
            "unit": network.commodities["unit"].gather(main),
        }
    )
    return pl.concat([named, pl.DataFrame(rows, schema=schema, orient="row")], how="horizontal")


def _breakeven(
    posed: Posed, pools: Pools, finest: Answer, forced: Forced | None, plant: int, ways: Ints
) -> tuple[object, ...]:
    """Return outcome, loss, its gap, capital, capital and price that break even, amount and kind of price."""
    network, whole = posed.network, posed.whole
    makes = network.ports.coefficient[network.plants.main[plant]] > 0
    kind = "product_price" if makes else "gate_fee"
    if forced is None or not forced.natural.size:
        outcome = "impossible" if forced is not None and forced.status == "infeasible" else "open"
        return (outcome, None, None, None, None, None, kind, None)
    found = _read(pools, replace(finest, natural=forced.natural))
    fixed, slope = whole.builds.fixed[:, None], whole.builds.slope[:, None]
    capital = float((fixed * found.built + slope * found.capacity)[ways].sum())
    cost = float((whole.built_cost * found.built + whole.capacity_cost * found.capacity)[ways].sum())
    amounts = np.array([flows.activity[plant] for flows in found.flows])
    run, loss = float(whole.worth @ amounts), max(forced.loss, 0.0)
    unsure = finest.bound - finest.objective + forced.loss - forced.proven
    share = 1.0 - loss / cost if cost > 0 else -1.0
    return (
        "tied" if loss <= max(unsure, TELLING * max(abs(finest.objective), 1.0)) else "loses",
        loss,
        unsure if np.isfinite(unsure) else None,
        capital,
        share * capital if share >= 0 else None,
        float(amounts.max()),
        kind,
        loss / run if run > 0 else None,
    )
