"""The engine of fairness: what every coalition is worth, what each member brings, who pays whom for what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from cyclopolis.foundation.columns import empty_table
from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.industry.exchanges.fairness.figures import fairness_figures
from cyclopolis.industry.exchanges.fairness.nucleolus import Core, least_core, membership, nucleolus
from cyclopolis.industry.exchanges.fairness.operating import (
    Operating,
    coalition_state,
    coalition_value,
    in_threads,
    operating,
)
from cyclopolis.industry.exchanges.fairness.shapley import sampled_shapley, shapley_value
from cyclopolis.network import compile_network
from cyclopolis.network.model import Floats, Ints
from cyclopolis.plan import Plan

EXACT = 12
"""Members up to which every coalition is valued."""
_CHUNK = 256


@dataclass(frozen=True)
class Fairness(Result):
    """Values and payments; tables as in ``columns.csv`` beside this file."""

    engine: ClassVar[str] = "fairness"
    columns_package: ClassVar[str] = "cyclopolis.industry.exchanges.fairness"

    def summary(self) -> tuple[Line, ...]:
        """Return what all gain together, whether a division is stable, and who brings and pays most."""
        members, facts = self.tables["members"], self.facts
        together = message("fairness.together")
        core = {True: "fairness.core_empty", False: "fairness.core_not_empty", None: "fairness.core_unknown"}
        best = members.sort("shapley", descending=True)["member"].to_list()
        paid = float(members["payment"].clip(lower_bound=0.0).sum())
        return (
            Line(message("fairness.members"), float(members.height), "1"),
            Line(together, facts["together"], "CNY/a"),
            Line(message(core[facts["core_empty"]]), facts["least_core"], "CNY/a"),
            Line(message("fairness.brings_most"), best[0] if best else None),
            Line(message("fairness.paid"), paid, "CNY/a"),
            Line(message("fairness.exchanges"), float(self.tables["payments"].height), "1"),
        )

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return what each member brings, and the payments."""
        return fairness_figures(self.tables, language)


@dataclass(frozen=True)
class FairnessOptions:
    """Pairs of random orders where members are too many for every coalition, their seed, and threads."""

    draws: int = 60
    seed: int = 0
    threads: int = 2


def fairness(plan: Plan, options: FairnessOptions | None = None, *, progress: Progress = silent) -> Fairness:
    """Divide what the enterprises of a plan gain by exchanging, builds fixed.

    Parameters
    ----------
    plan : Plan
    options : FairnessOptions, optional
    progress : Progress

    Returns
    -------
    Fairness
        Exact for up to `EXACT` members that could exchange; beyond, Shapley values are sampled with standard errors.

    Raises
    ------
    UserError
        If nobody could exchange with anybody, or the value of a coalition cannot be computed.
    """
    asked = options or FairnessOptions()
    problem = operating(compile_network(plan))
    active = _active(problem)
    if active.size < 2:
        raise user_error("fairness.nobody")
    known: dict[int, float] = {}

    def value(bits: int) -> float:
        if bits not in known:
            known[bits] = coalition_value(problem, _spread(bits, active))
        return known[bits]

    count = active.size
    error: Floats | None = None
    core: Core | None = None
    nucleus: Floats | None = None
    game = np.zeros(0)
    if count <= EXACT:
        game = _every(value, 2**count, asked.threads, progress)
        shares, nucleus, core = shapley_value(game), nucleolus(game), least_core(game)
    else:
        progress(message("fairness.stage", done=0, of=asked.draws), 0.2)
        shares, error = sampled_shapley(value, count, asked.draws, asked.seed)
    together = coalition_state(problem, np.isin(np.arange(len(problem.names)), active))
    change = _changes(problem, together)[active]
    links, left = _payments(problem, together, active, shares - change)
    del left
    names = [problem.names[one] for one in active]
    single = [value(1 << at) for at in range(count)]
    tables = {
        "members": _members(names, single, change, shares, error, nucleus, core),
        "coalitions": _coalitions(names, game, shares),
        "payments": links,
        **{name: empty_table(Fairness.columns()[name]) for name in ("failures", "hit", "links")},
    }
    facts = {
        "members": count,
        "coalitions_valued": len(known),
        "exact": count <= EXACT,
        "draws": 0 if count <= EXACT else asked.draws,
        "seed": asked.seed,
        "together": float(shares.sum()),
        "core_empty": None if core is None else core.empty,
        "least_core": None if core is None else core.least,
        "scenario": list(plan.scenario),
    }
    return Fairness(tables, facts, plan.inputs)


def _every(value: Any, count: int, threads: int, progress: Progress) -> Floats:  # noqa: ANN401 - a cached function
    """Return the value of every coalition, asked in threads, with progress told."""
    game = np.zeros(count)
    for start in range(0, count, _CHUNK):
        progress(message("fairness.stage", done=start, of=count), 0.1 + 0.9 * start / count)
        stop = min(start + _CHUNK, count)
        game[start:stop] = in_threads(value, range(start, stop), threads)
    return game


def _active(problem: Operating) -> Ints:
    """Return the members that some possible flow ties to another member."""
    one, other = problem.owners()
    ties = one != other
    return np.unique(np.concatenate((one[ties], other[ties])))


def _spread(bits: int, active: Ints) -> int:
    """Return the bits of all members for the bits of the active ones."""
    return sum(1 << int(member) for at, member in enumerate(active) if bits >> at & 1)


def _changes(problem: Operating, state: Floats) -> Floats:
    """Return what each member's own accounts gain over the base year (M,); transport along an arc is the giver's."""
    one, _ = problem.owners()
    weights = problem.gain * (state - problem.base)
    return np.bincount(one, weights=weights, minlength=len(problem.names)).astype(np.float64)


def _payments(problem: Operating, state: Floats, active: Ints, wanted: Floats) -> tuple[pl.DataFrame, Floats]:
    """Return a payment for every exchange so that members end with what is wanted (n,), and what no exchange can carry.

    Of all payments that do, those of least sum of squares per unit given: no exchange is burdened without need.
    """
    network = problem.network
    offset = problem.sizes[0]
    one, other = problem.owners()
    span = np.arange(offset, offset + problem.sizes[1])
    scale = float(np.abs(state).max(initial=1.0))
    used = span[(state[span] > 1e-9 * scale) & (one[span] != other[span])]
    place = {int(member): at for at, member in enumerate(active)}
    ties = np.zeros((active.size, used.size))
    for column, at in enumerate(used):
        ties[place[int(one[at])], column] += 1.0
        ties[place[int(other[at])], column] -= 1.0
    weight = np.sqrt(state[used])
    paid = weight * np.linalg.lstsq(ties * weight, wanted, rcond=None)[0] if used.size else np.zeros(0)
    ports, arcs = network.ports, network.arcs
    units = network.commodities["unit"].to_list()
    rows = []
    for column, at in enumerate(used):
        arc = int(at) - offset
        commodity = int(ports.commodity[arcs.giver[arc]])
        rows.append(
            {
                "from_plant": network.plant_ids[ports.plant[arcs.giver[arc]]],
                "to_plant": network.plant_ids[ports.plant[arcs.taker[arc]]],
                "commodity": network.commodity_ids[commodity],
                "giver": problem.names[one[at]],
                "taker": problem.names[other[at]],
                "amount": float(state[at]),
                "before": float(problem.base[at]),
                "unit": f"{units[commodity]}/a",
                "payment": float(paid[column]),
                "price": float(paid[column] / state[at]),
            }
        )
    return _table("payments", rows), wanted - ties @ paid


def _table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in Fairness.columns()[name]})


def _members(
    names: list[str],
    single: list[float],
    change: Floats,
    shares: Floats,
    error: Floats | None,
    nucleus: Floats | None,
    core: Core | None,
) -> pl.DataFrame:
    rows = [
        {
            "member": name,
            "alone": single[at],
            "change": float(change[at]),
            "shapley": float(shares[at]),
            "shapley_error": None if error is None else float(error[at]),
            "nucleolus": None if nucleus is None else float(nucleus[at]),
            "least_core": None if core is None else float(core.division[at]),
            "payment": float(shares[at] - change[at]),
        }
        for at, name in enumerate(names)
    ]
    return _table("members", rows)


def _coalitions(names: list[str], game: Floats, shares: Floats) -> pl.DataFrame:
    if not game.size:
        return _table("coalitions", [])
    given = membership(len(names)).astype(np.float64) @ shares
    rows = [
        {
            "members": "; ".join(name for at, name in enumerate(names) if bits >> at & 1),
            "value": float(game[bits]),
            "discontent": float(game[bits] - given[bits]),
        }
        for bits in range(1, game.size)
    ]
    return _table("coalitions", rows)
