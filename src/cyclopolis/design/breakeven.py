"""Exchanges that the plan hopes for: found by the design, or by how much they miss, or why they cannot be.

One that the design did not choose is forced in: the builds stay as designed (those at its two ends may still be built),
the arc must carry the amount asked for (or a small share of what both ends allow), and the rest is optimised again. The
loss per unit given is what each unit would have to be worth more for the exchange to break even.
"""

import time
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from cyclopolis.design.assemble import assemble
from cyclopolis.design.kept import Kept
from cyclopolis.design.pose import Posed
from cyclopolis.design.problem import DesignProblem
from cyclopolis.design.years import YearsProblem, YearsSolution
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


class Forcing:
    """Forces arcs into the last year of a design whose builds are settled; the programme is written once.

    Parameters
    ----------
    problem : YearsProblem
        With its builds free.
    solution : YearsSolution
        The design.
    """

    def __init__(self, problem: YearsProblem, solution: YearsSolution) -> None:
        self._problem, self._solution = problem, solution
        self._assembly = assemble(problem)
        self._kept: dict[tuple[int, ...], tuple[Kept, float]] = {}

    def _settled(self, free: Ints) -> tuple[Kept, float]:
        """Return the programme and its objective with all builds settled but those of some plants; written once."""
        key = tuple(free.tolist())
        if key not in self._kept:
            assembly, program = self._assembly, self._assembly.program
            lower, upper, integer = program.lower.copy(), program.upper.copy(), program.integer.copy()
            fixed = ~np.isin(self._problem.builds.plant, free)
            for year in range(len(self._problem.years)):
                columns = assembly.layout.columns["built", year].start + np.flatnonzero(fixed)
                lower[columns] = upper[columns] = self._solution.built[fixed, year]
                integer[columns] = False
            options = replace(self._problem.options, gap=1e-9)
            kept = Kept(replace(program, lower=lower, upper=upper, integer=integer), options)
            kept.set_objective(assembly.goal)
            self._kept[key] = (kept, kept.solve().objective)
        return self._kept[key]

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
            Units given per year, and the loss in CNY a year (of several years: its worth, spread over the last one).
        """
        problem, year = self._problem, len(self._problem.years) - 1
        network, plants = problem.network, problem.network.plants
        first = self._assembly.layout.columns["arc", year].start
        scale, upper = self._assembly.program.scale, self._assembly.program.upper
        best: tuple[float, float] | None = None
        for at, limit in zip(arcs.tolist(), _most(problem.years[year], arcs).tolist(), strict=True):
            ends = network.ports.plant[[network.arcs.giver[at], network.arcs.taker[at]]]
            free = ends[(plants.status[ends] != EXISTING) & (self._solution.flows[year].built[ends] < 0.5)]
            kept, reference = self._settled(free)
            wanted = min(asked, limit) if asked else limit if free.size else SHARE * limit
            column = np.array([first + at])
            most = upper[column] * scale[column]
            for amount in dict.fromkeys((wanted, 0.5 * wanted, min(wanted, SHARE * limit))):
                kept.set_columns(column, np.minimum(amount, most), most)
                forced = kept.solve()
                if amount > 0 and forced.status == "optimal":
                    found = (amount, (reference - forced.objective) / float(problem.worth[year]))
                    best = found if best is None or found[1] / found[0] < best[1] / best[0] else best
                    break
            kept.set_columns(column, np.zeros(1), most)
        return best


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


def proposed_table(posed: Posed, solution: YearsSolution) -> pl.DataFrame:
    """Return one row per proposed exchange: found, tied, not chosen with its break-even, or why it cannot be.

    Forcing stops when the design's own time limit has passed; the rest is ``not_chosen`` without a break-even.
    """
    rows = posed.plan.tables["exchanges"].filter(pl.col("status") == "proposed")
    network, until = posed.network, time.monotonic() + posed.problem.options.time_limit
    forcing: Forcing | None = None
    verdicts = []
    for row in rows.iter_rows(named=True):
        ends = (row["from_plant"], row["to_plant"], row["commodity"])
        arcs = find_arcs(network, *ends, row["as_commodity"])
        if arcs.size == 0:
            verdicts.append(Verdict(_missing(posed, *ends, row["as_commodity"]), 0.0))
            continue
        used = solution.flows[-1].arc[arcs]
        if (used > CARRIES * _most(posed.problem, arcs)).any():
            verdicts.append(Verdict("found", float(used.sum())))
        elif time.monotonic() > until:
            verdicts.append(Verdict("not_chosen", 0.0))
        else:
            forcing = Forcing(posed.whole, solution) if forcing is None else forcing
            verdicts.append(_judged(forcing.loss(arcs, row["amount"])))
    units = posed.plan.library.commodities.select("commodity", "unit")
    asked = rows.select("from_plant", "to_plant", "commodity", "as_commodity", "amount", "source")
    schema = {"status": pl.String, "found": pl.Float64, "forced": pl.Float64, "break_even": pl.Float64}
    answers = pl.DataFrame(
        [(item.status, item.found, item.forced, item.breakeven) for item in verdicts], schema=schema, orient="row"
    )
    return pl.concat([asked, answers], how="horizontal").join(units, on="commodity", how="left", maintain_order="left")
