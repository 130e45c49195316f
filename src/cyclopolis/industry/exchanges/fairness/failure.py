"""The engine of failure: any plant or pipe out for a year, what follows, who is hit, and what redundancy is worth."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import polars as pl

from cyclopolis.foundation.columns import empty_table
from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.industry.exchanges.fairness.figures import failure_figures
from cyclopolis.industry.exchanges.fairness.operating import Operating, operating
from cyclopolis.industry.metabolism.topology import topology
from cyclopolis.network import compile_network
from cyclopolis.network.model import Floats, Ints
from cyclopolis.plan import Plan

_PAIRED = 10
"""Of how many of the worst failures all pairs are tried."""
_TINY = 1e-6


@dataclass(frozen=True)
class Failure(Result):
    """What failures cost; tables as in ``columns.csv`` beside this file."""

    engine: ClassVar[str] = "failure"
    columns_package: ClassVar[str] = "cyclopolis.industry.exchanges.fairness"

    def summary(self) -> tuple[Line, ...]:
        """Return the worst failure, how many hurt others, and the greatest worth of redundancy."""
        rows = self.tables["failures"]
        worst = rows.sort("rank").row(0, named=True)
        spare = rows.sort("redundancy", descending=True).row(0, named=True)
        return (
            Line(message("failure.tried"), float(rows.height), "1"),
            Line(message("failure.worst"), worst["failed"]),
            Line(message("failure.worst_loss"), worst["loss"], "CNY/a"),
            Line(message("failure.cascading"), float(rows.filter(pl.col("plants_hit") > 0).height), "1"),
            Line(message("failure.redundancy"), spare["failed"] if spare["redundancy"] > 0 else None),
            Line(message("failure.redundancy_worth"), spare["redundancy"], "CNY/a"),
        )

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return the criticality ranking."""
        return failure_figures(self.tables, language)


@dataclass(frozen=True)
class FailureOptions:
    """Whether pairs of the worst failures are tried too."""

    pairs: bool = False


def failure(plan: Plan, options: FailureOptions | None = None, *, progress: Progress = silent) -> Failure:
    """Take every plant and every pipe of the base year out for a year, one at a time.

    Others keep producing as much as they can: along the exchanges of the base year (no more than they carried), with
    markets up to their volumes, and by running less where that is not enough. First the least output is lost, then the
    most is earned.

    Parameters
    ----------
    plan : Plan
    options : FailureOptions, optional
    progress : Progress

    Raises
    ------
    UserError
        If nothing runs in the base year.
    """
    asked = options or FailureOptions()
    problem = operating(compile_network(plan))
    singles = _elements(problem)
    if not singles:
        raise user_error("failure.nothing")
    usual = _after(problem, np.zeros(0, dtype=np.int64), spare=False)
    found = []
    for place, (kind, name, column) in enumerate(singles):
        progress(message("failure.stage", name=name), place / len(singles))
        found.append(_one(problem, usual, kind, name, np.array([column])))
    if asked.pairs:
        worst = sorted(range(len(found)), key=lambda at: -found[at]["loss"])[:_PAIRED]
        for one, other in combinations(worst, 2):
            columns = np.array([singles[one][2], singles[other][2]])
            found.append(_one(problem, usual, "pair", f"{singles[one][1]} + {singles[other][1]}", columns))
    facts = {"tried": len(found), "pairs": asked.pairs, "scenario": list(plan.scenario)}
    return Failure(_tables(problem, usual, found), facts, plan.inputs)


def _elements(problem: Operating) -> list[tuple[str, str, int]]:
    """Return every plant that runs and every arc in use: kind, name, column."""
    network, plants = problem.network, problem.sizes[0]
    ports, arcs = network.ports, network.arcs
    found = [("plant", network.plant_ids[at], int(at)) for at in np.flatnonzero(problem.base[:plants] > 0)]
    for arc in np.flatnonzero(problem.base[plants : plants + problem.sizes[1]] > 0):
        giver, taker = arcs.giver[arc], arcs.taker[arc]
        name = f"{network.plant_ids[ports.plant[giver]]}>{network.plant_ids[ports.plant[taker]]}"
        found.append(("pipe", f"{name}:{network.commodity_ids[ports.commodity[giver]]}", int(plants + arc)))
    return found


def _after(problem: Operating, out: Ints, *, spare: bool) -> Floats:
    """Return the state (V,) with some columns out; with ``spare`` along every possible exchange, whatever it carried."""
    plants, arcs = problem.sizes[0], problem.sizes[1]
    upper = np.where(np.arange(problem.base.size) < plants + (0 if spare else arcs), problem.base, np.inf)
    upper[out] = 0.0
    running = np.flatnonzero(problem.base[:plants] > 0)
    share = np.zeros(problem.base.size)
    share[running] = -1.0 / problem.base[running]
    none = np.zeros(problem.base.size)
    low, high = problem.low.copy(), problem.high.copy()
    bound = problem.matrix.shape[0] - problem.network.markets.price.size
    low[bound:] = 0.0
    most = problem.best(none, upper, share, (low, high))
    if not most.size:
        raise user_error("failure.no_state")
    lower = none.copy()
    lower[running] = np.maximum(most[running] * (1 - 1e-7) - 1e-9, 0.0)
    best = problem.best(lower, upper, -problem.gain, (low, high))
    return best if best.size else most


def _one(problem: Operating, usual: Floats, kind: str, name: str, out: Ints) -> dict[str, Any]:
    """Return what one failure does."""
    state = _after(problem, out, spare=False)
    loss = float(problem.gain @ (usual - state))
    spared = _after(problem, out, spare=True) if loss > 0 else state
    plants = problem.sizes[0]
    before, after = usual[:plants], state[:plants]
    less = np.where(before > 0, 1.0 - np.divide(after, before, out=np.ones(plants), where=before > 0), 0.0)
    others = (less > _TINY) & ~np.isin(np.arange(plants), out)
    hurt = _own(problem, usual) - _own(problem, state)
    of_plant = np.bincount(problem.player, weights=hurt, minlength=len(problem.names))
    mine = np.unique(_players(problem, out))
    scale = max(1.0, abs(float(problem.gain @ usual)))
    members = np.flatnonzero(of_plant > _TINY * scale)
    reference = _after_spare(problem)
    return {
        "kind": kind,
        "failed": name,
        "loss": loss,
        "state": state,
        "spared": spared,
        "others": others,
        "hurt": hurt,
        "plants_hit": int(others.sum()),
        "members_hit": int((~np.isin(members, mine)).sum()),
        "output_lost": float(less[others].sum()),
        "redundancy": max(0.0, loss - float(problem.gain @ (reference - spared))) if loss > 0 else 0.0,
    }


def _after_spare(problem: Operating) -> Floats:
    """Return the usual state if every possible exchange stood ready, kept with the problem."""
    kept: Floats | None = getattr(problem._local, "reference", None)  # noqa: SLF001 - the problem's own store
    if kept is None:
        kept = _after(problem, np.zeros(0, dtype=np.int64), spare=True)
        problem._local.reference = kept  # noqa: SLF001 - as above
    return kept


def _players(problem: Operating, columns: Ints) -> Ints:
    one, other = problem.owners()
    return np.concatenate((one[columns], other[columns]))


def _own(problem: Operating, state: Floats) -> Floats:
    """Return the gain of each plant's own accounts (P,)."""
    ports, network = problem.network.ports.plant, problem.network
    plant = np.concatenate(
        (
            np.arange(problem.sizes[0]),
            ports[network.arcs.giver],
            ports[network.trades.port],
            ports[network.fates.port],
        )
    )
    return np.bincount(plant, weights=problem.gain * state, minlength=problem.sizes[0]).astype(np.float64)


def _links(problem: Operating, state: Floats) -> tuple[list[str], list[str]]:
    """Return givers and takers of the exchanges between members in a state."""
    one, other = problem.owners()
    span = np.arange(problem.sizes[0], problem.sizes[0] + problem.sizes[1])
    used = span[(state[span] > _TINY * max(1.0, float(state[span].max(initial=0.0)))) & (one[span] != other[span])]
    return [problem.names[at] for at in one[used]], [problem.names[at] for at in other[used]]


def _tables(problem: Operating, usual: Floats, found: list[dict[str, Any]]) -> dict[str, pl.DataFrame]:
    order = sorted(range(len(found)), key=lambda at: (-found[at]["loss"], found[at]["failed"]))
    rank = {at: place + 1 for place, at in enumerate(order)}
    before = len(set(zip(*_links(problem, usual), strict=True)))
    rows, hit, links = [], [], []
    for at in order:
        one = found[at]
        ends = _links(problem, one["state"])
        shape = topology(*ends) if ends[0] else None
        kept = ("kind", "failed", "loss", "plants_hit", "members_hit", "output_lost", "redundancy")
        rows.append(
            {
                **{name: one[name] for name in kept},
                "rank": rank[at],
                "links_left": shape.links if shape else 0,
                "links_before": before,
                "connectance_left": None if shape is None else float(shape.connectance_squared),
                "cyclicity_left": None if shape is None else float(shape.cyclicity),
            }
        )
        hit += _hit_rows(problem, usual, one)
        links += _link_rows(problem, one)
    tables = {name: empty_table(Failure.columns()[name]) for name in ("members", "coalitions", "payments")}
    return {**tables, "failures": _table("failures", rows), "hit": _table("hit", hit), "links": _table("links", links)}


def _hit_rows(problem: Operating, usual: Floats, one: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = problem.network.plant_ids
    scale = max(1.0, abs(float(problem.gain @ usual)))
    wanted = np.flatnonzero(one["others"] | (np.abs(one["hurt"]) > _TINY * scale))
    return [
        {
            "failed": one["failed"],
            "plant": names[plant],
            "member": problem.names[problem.player[plant]],
            "activity_before": float(usual[plant]),
            "activity_after": float(one["state"][plant]),
            "loss": float(one["hurt"][plant]),
        }
        for plant in wanted
    ]


def _link_rows(problem: Operating, one: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return exchanges that would carry more in this failure than when all stands and every exchange is ready."""
    if one["redundancy"] <= 0:
        return []
    network, plants = problem.network, problem.sizes[0]
    ports, arcs = network.ports, network.arcs
    more = one["spared"] - np.maximum(_after_spare(problem), problem.base)
    span = np.arange(plants, plants + problem.sizes[1])
    units = network.commodities["unit"].to_list()
    rows = []
    for at in span[more[span] > _TINY * max(1.0, float(np.abs(more[span]).max(initial=0.0)))]:
        giver, taker = arcs.giver[at - plants], arcs.taker[at - plants]
        commodity = int(ports.commodity[giver])
        rows.append(
            {
                "failed": one["failed"],
                "from_plant": network.plant_ids[ports.plant[giver]],
                "to_plant": network.plant_ids[ports.plant[taker]],
                "commodity": network.commodity_ids[commodity],
                "amount": float(more[at]),
                "unit": f"{units[commodity]}/a",
            }
        )
    return rows


def _table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in Failure.columns()[name]})
