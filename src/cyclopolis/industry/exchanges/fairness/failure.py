"""The engine of failure: any plant or pipe out for a year, what follows, who is hit, and what redundancy is worth."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import polars as pl
from scipy.sparse import csr_array, eye_array, hstack, vstack

from cyclopolis.foundation.columns import empty_table
from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.industry.exchanges.fairness.figures import failure_figures
from cyclopolis.industry.exchanges.fairness.operating import Operating, coalition_state, operating
from cyclopolis.industry.metabolism.topology import topology
from cyclopolis.network import compile_network
from cyclopolis.network.model import Floats, Ints
from cyclopolis.plan import Plan

_HAIRS = (1e-9, 1e-7, 1e-6, 1e-4)
_PAIRED = 10
"""Of how many of the worst failures all pairs are tried."""
_TINY = 1e-6
_LESS = 1e-5
"""Share of output from which on a plant counts as hit."""


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
    """Whether pairs of the worst failures are tried too; whether members exchange all that pays when it happens."""

    pairs: bool = False
    together: bool = False


def failure(plan: Plan, options: FailureOptions | None = None, *, progress: Progress = silent) -> Failure:
    """Take every plant and every pipe of the base year out for a year, one at a time.

    Others keep producing as much as they can: along the usual exchanges (no more than they carried), with markets up to
    their volumes, and by running less where that is not enough. First the least output is lost, then most of the usual
    exchanges and trade is kept, then the most is earned. What is usual is the base year, or all that pays if members
    exchange (``together``), which shows what a park that shares everything depends on.

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
    if asked.together:
        every = np.ones(len(problem.names), dtype=np.bool_)
        state = coalition_state(problem, every)
        problem = replace(problem, base=np.where(state > _TINY, state, 0.0), local=threading.local())
    singles = _elements(problem)
    if not singles:
        raise user_error("failure.nothing")
    wide, nothing = with_shortfall(problem), np.zeros(0, dtype=np.int64)
    usual, ready = (_after(wide, nothing, spare=spare) for spare in (False, True))
    found = []
    for place, (kind, name, column) in enumerate(singles):
        progress(message("failure.stage", name=name), place / len(singles))
        found.append(_one(problem, wide, usual, ready, kind, name, np.array([column])))
    if asked.pairs:
        worst = sorted(range(len(found)), key=lambda at: -found[at]["loss"])[:_PAIRED]
        for one, other in combinations(worst, 2):
            columns = np.array([singles[one][2], singles[other][2]])
            name = f"{singles[one][1]} + {singles[other][1]}"
            found.append(_one(problem, wide, usual, ready, "pair", name, columns))
    facts = {"tried": len(found), "pairs": asked.pairs, "together": asked.together, "scenario": list(plan.scenario)}
    return Failure(_tables(problem, usual, ready, found), facts, plan.inputs)


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


def with_shortfall(problem: Operating) -> Operating:
    """Return the problem with a second set of columns: by how much each column falls short of what is usual (2 V,)."""
    size = problem.base.size
    eye = eye_array(size, format="csr")
    matrix = csr_array(vstack((hstack((problem.matrix, csr_array(problem.matrix.shape))), hstack((eye, eye)))))
    free = problem.matrix.shape[0] - problem.network.markets.price.size
    low = np.concatenate((problem.low[:free], np.zeros(problem.low.size - free), problem.base))
    return replace(
        problem,
        matrix=matrix,
        low=low,
        high=np.concatenate((problem.high, np.full(size, np.inf))),
        base=np.concatenate((problem.base, np.zeros(size))),
        gain=np.concatenate((problem.gain, np.zeros(size))),
        local=threading.local(),
    )


def _after(wide: Operating, out: Ints, *, spare: bool) -> Floats:
    """Return the state (V,) with some columns out; with ``spare`` every possible exchange stands ready besides.

    Least output lost, then most kept of the usual exchanges, then of the usual trade, then the greatest gain.
    """
    plants, arcs, size = wide.sizes[0], wide.sizes[1], wide.base.size // 2
    held = plants + (0 if spare else arcs)
    usual = wide.base[:size]
    upper = np.concatenate((np.where(np.arange(size) < held, usual, np.inf), usual))
    upper[out] = 0.0
    kept = np.flatnonzero(usual > 0)
    of_arcs = (kept >= plants) & (kept < plants + arcs)
    for columns in (kept[kept < plants], kept[of_arcs], kept[kept >= plants + arcs]):
        short = np.zeros(2 * size)
        short[size + columns] = 1.0 / usual[columns]
        state = _held(wide, upper, short)
        upper[size + columns] = np.minimum(state[size + columns], usual[columns])
    return _held(wide, upper, -wide.gain)[:size]


def _held(wide: Operating, upper: Floats, cost: Floats) -> Floats:
    """Return the best state; shortfalls found before may grow by a hair where rounding makes them clash."""
    size = wide.base.size // 2
    for hair in _HAIRS:
        most = upper.copy()
        most[size:] += hair * (1.0 + wide.base[:size])
        found = wide.best(np.zeros(2 * size), most, cost)
        if found.size:
            return found
    raise user_error("failure.no_state")


def _one(
    problem: Operating, wide: Operating, usual: Floats, ready: Floats, kind: str, name: str, out: Ints
) -> dict[str, Any]:
    """Return what one failure does."""
    state = _after(wide, out, spare=False)
    loss = float(problem.gain @ (usual - state))
    spared = _after(wide, out, spare=True) if loss > 0 else state
    plants = problem.sizes[0]
    before, after = usual[:plants], state[:plants]
    less = np.where(before > 0, 1.0 - np.divide(after, before, out=np.ones(plants), where=before > 0), 0.0)
    others = (less > _LESS) & ~np.isin(np.arange(plants), out)
    hurt = _own(problem, usual) - _own(problem, state)
    of_plant = np.bincount(problem.player, weights=hurt, minlength=len(problem.names))
    mine = np.unique(_players(problem, out))
    scale = max(1.0, abs(float(problem.gain @ usual)))
    members = np.flatnonzero(of_plant > _TINY * scale)
    worth = min(loss, loss - float(problem.gain @ (ready - spared))) if loss > 0 else 0.0
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
        "redundancy": worth if worth > _TINY * scale else 0.0,
    }


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


def _tables(problem: Operating, usual: Floats, ready: Floats, found: list[dict[str, Any]]) -> dict[str, pl.DataFrame]:
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
        links += _link_rows(problem, ready, one)
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


def _link_rows(problem: Operating, ready: Floats, one: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return exchanges that would carry more in this failure than when all stands and every exchange is ready."""
    if one["redundancy"] <= 0:
        return []
    network, plants = problem.network, problem.sizes[0]
    ports, arcs = network.ports, network.arcs
    more = one["spared"] - np.maximum(ready, problem.base)
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
