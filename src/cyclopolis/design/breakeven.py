"""Exchanges that the plan hopes for: found by the design, or by how much they miss, or why they cannot be.

One that the design did not choose is forced in: the builds stay as designed (those at its two ends may still be built),
the arc must carry the amount asked for (or a small share of what both ends allow), and the rest is optimised again. The
loss per unit given is what each unit would have to be worth more for the exchange to break even.
"""

import time
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from cyclopolis.design.assemble import Assembly, assemble
from cyclopolis.design.pose import Posed
from cyclopolis.design.problem import DesignProblem, Solution, SolveOptions
from cyclopolis.design.program import Program
from cyclopolis.design.solver import maximise
from cyclopolis.design.years import one_year
from cyclopolis.network import find_arcs, find_port
from cyclopolis.network.model import EXISTING, Floats, Ints

SHARE = 0.01
"""Share of what both ends allow that is forced in when the plan names no amount."""
TIED = 5e-3
"""Break-even in CNY per unit below which an exchange is as good as what the design chose instead."""
CARRIES = 1e-6
"""Share of what both ends allow above which an arc counts as used."""


@dataclass(frozen=True)
class Verdict:
    """What became of one hoped-for exchange; amounts in units given per year, break-even in CNY per unit."""

    status: str
    found: float
    forced: float | None = None
    breakeven: float | None = None


def _most(problem: DesignProblem, arcs: Ints) -> Floats:
    """Return what both ends of each arc allow at full capacity (A',)."""
    network = problem.network
    _, most = problem.activity_bounds()
    port = np.abs(network.ports.coefficient) * most[network.ports.plant]
    return np.minimum(port[network.arcs.giver[arcs]], port[network.arcs.taker[arcs]] / network.arcs.ratio[arcs])


def settle(problem: DesignProblem, solution: Solution, free: Ints) -> DesignProblem:
    """Return the problem with all builds as in a solution, but for the plants given (by position)."""
    open_choice = np.zeros(len(problem.network.plant_ids), dtype=np.bool_)
    open_choice[free] = True
    new = problem.network.plants.status != EXISTING
    built = solution.flows.built > 0.5
    return replace(
        problem,
        decided=problem.decided | (built & new & ~open_choice),
        barred=problem.barred | (~built & new & ~open_choice),
        options=SolveOptions(gap=1e-9, time_limit=problem.options.time_limit),
    )


class Forcing:
    """Forces arcs into a design whose builds are settled; models are written once and only bounds change.

    Parameters
    ----------
    problem : DesignProblem
        With its builds free.
    solution : Solution
        The design.
    """

    def __init__(self, problem: DesignProblem, solution: Solution) -> None:
        self._problem, self._solution = problem, solution
        self._models: dict[tuple[int, ...], tuple[Assembly, float]] = {}

    def _settled(self, free: Ints) -> tuple[Assembly, float]:
        """Return programme and objective with all builds settled but those of some plants; written once."""
        key = tuple(free.tolist())
        if key not in self._models:
            assembly = assemble(one_year(settle(self._problem, self._solution, free)))
            reached = maximise(assembly.program, assembly.goal, assembly.problem.options).objective
            self._models[key] = (assembly, reached)
        return self._models[key]

    def loss(self, arcs: Ints, asked: float | None) -> tuple[float, float] | None:
        """Return the amount forced along the best of some arcs and the loss it brings; None when none can carry it.

        The amount is the one asked for; without one, a small share of what both ends allow, or all of it when a plant
        has to be built for it (its capital would else fall on a few tonnes). What limits do not allow is tried again
        with less.

        Parameters
        ----------
        arcs : ndarray of int
            Arcs that would do.
        asked : float or None
            Units given per year.

        Returns
        -------
        (float, float) or None
            Units given per year, and CNY per year lost.
        """
        network, plants = self._problem.network, self._problem.network.plants
        best: tuple[float, float] | None = None
        for at, limit in zip(arcs.tolist(), _most(self._problem, arcs).tolist(), strict=True):
            ends = network.ports.plant[[network.arcs.giver[at], network.arcs.taker[at]]]
            free = ends[(plants.status[ends] != EXISTING) & (self._solution.flows.built[ends] < 0.5)]
            assembly, reference = self._settled(free)
            wanted = min(asked, limit) if asked else limit if free.size else SHARE * limit
            for amount in dict.fromkeys((wanted, 0.5 * wanted, min(wanted, SHARE * limit))):
                forced = maximise(_demand(assembly, at, amount), assembly.goal, assembly.problem.options)
                if amount > 0 and forced.status == "optimal":
                    found = (amount, reference - forced.objective)
                    best = found if best is None or found[1] / found[0] < best[1] / best[0] else best
                    break
        return best


def _demand(assembly: Assembly, arc: int, amount: float) -> Program:
    """Return the programme with a least amount along an arc, at most what the arc can carry."""
    program, column = assembly.program, assembly.layout.columns["arc", 0].start + arc
    lower = program.lower.copy()
    lower[column] = min(amount / program.scale[column], program.upper[column])
    return replace(program, lower=lower)


def _judged(forced: tuple[float, float] | None) -> Verdict:
    if forced is None:
        return Verdict("impossible", 0.0)
    breakeven = forced[1] / forced[0]
    if breakeven < TIED:
        return Verdict("tied", 0.0, forced[0], 0.0)
    return Verdict("not_chosen", 0.0, forced[0], breakeven)


def _missing(posed: Posed, giver: str, taker: str, commodity: str, instead: str | None) -> str:
    """Return why no arc joins two plants."""
    network = posed.network
    if giver not in network.plant_ids or taker not in network.plant_ids:
        return "not_considered"
    if find_port(network, giver, commodity, output=True) < 0:
        return "giver_lacks"
    if find_port(network, taker, instead or commodity, output=False) < 0 and instead is not None:
        return "taker_lacks"
    if instead is None and find_port(network, taker, commodity, output=False) < 0:
        return "no_rule"
    return "out_of_reach"


def proposed_table(posed: Posed, solution: Solution) -> pl.DataFrame:
    """Return one row per proposed exchange: found, tied, not chosen with its break-even, or why it cannot be.

    Forcing stops when the design's own time limit has passed; the rest is ``not_chosen`` without a break-even.
    """
    rows = posed.plan.tables["exchanges"].filter(pl.col("status") == "proposed")
    network, until = posed.network, time.monotonic() + posed.problem.options.time_limit
    forcing, verdicts = Forcing(posed.problem, solution), []
    for row in rows.iter_rows(named=True):
        ends = (row["from_plant"], row["to_plant"], row["commodity"])
        arcs = find_arcs(network, *ends, row["as_commodity"])
        if arcs.size == 0:
            verdicts.append(Verdict(_missing(posed, *ends, row["as_commodity"]), 0.0))
            continue
        used = solution.flows.arc[arcs]
        if (used > CARRIES * _most(posed.problem, arcs)).any():
            verdicts.append(Verdict("found", float(used.sum())))
        elif time.monotonic() > until:
            verdicts.append(Verdict("not_chosen", 0.0))
        else:
            verdicts.append(_judged(forcing.loss(arcs, row["amount"])))
    units = posed.plan.library.commodities.select("commodity", "unit")
    asked = rows.select("from_plant", "to_plant", "commodity", "as_commodity", "amount", "source")
    schema = {"status": pl.String, "found": pl.Float64, "forced": pl.Float64, "break_even": pl.Float64}
    answers = pl.DataFrame(
        [(item.status, item.found, item.forced, item.breakeven) for item in verdicts], schema=schema, orient="row"
    )
    return pl.concat([asked, answers], how="horizontal").join(units, on="commodity", how="left", maintain_order="left")
