"""The balances of a network with quality as sparse rows over its connections, concentrations given."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack

from cyclopolis.industry.exchanges.quality.problem import Floats, QualityProblem


@dataclass(frozen=True)
class Rows:
    """Rows ``low <= matrix @ x <= high`` over the flows of the connections (A,)."""

    matrix: csr_array
    low: Floats
    high: Floats

    def and_rows(self, *others: "Rows") -> "Rows":
        """Return these rows and more."""
        parts = [one for one in (self, *others) if one.low.size]
        if not parts:
            return self
        return Rows(
            csr_array(vstack([one.matrix for one in parts])),
            np.concatenate([one.low for one in parts]),
            np.concatenate([one.high for one in parts]),
        )


def ends(problem: QualityProblem) -> tuple[csr_array, csr_array]:
    """Return which connections leave each giver (G, A) and reach each taker (T, A)."""
    giver, taker = problem.arcs
    column, ones = np.arange(giver.size), np.ones(giver.size)
    leaves = csr_array((ones, (giver, column)), shape=(problem.giver_plant.size, giver.size))
    reaches = csr_array((ones, (taker, column)), shape=(problem.taker_plant.size, giver.size))
    return leaves, reaches


def flow_rows(problem: QualityProblem) -> Rows:
    """Return what holds of the flows whatever the concentrations: fixed flows, balances, what is there to take."""
    leaves, reaches = ends(problem)
    fresh, sources, sinks, operations, regenerators = problem.sizes
    outlets = fresh + sources
    units = slice(outlets + operations, None)
    feeds = slice(sinks + operations, sinks + operations + regenerators)
    rows = Rows(leaves[:fresh], np.zeros(fresh), problem.fresh_max).and_rows(
        Rows(leaves[fresh:outlets], problem.source_flow, problem.source_flow),
        Rows(reaches[:sinks], problem.sink_flow, problem.sink_flow),
        Rows(
            csr_array(leaves[outlets : outlets + operations] - reaches[sinks : sinks + operations]),
            problem.gain,
            problem.gain,
        ),
        Rows(reaches[feeds], np.zeros(regenerators), problem.capacity),
    )
    if np.isinf(problem.full):
        kept = csr_array(leaves[units] - csr_array(reaches[feeds].multiply(problem.recovery[:, None])))
        rows = rows.and_rows(Rows(kept, np.zeros(regenerators), np.zeros(regenerators)))
    if not problem.recycle and regenerators:
        once = csr_array((reaches[feeds].sum(axis=0) - leaves[:fresh].sum(axis=0)).reshape(1, -1))
        rows = rows.and_rows(Rows(once, np.array([-np.inf]), np.zeros(1)))
    return rows


def quality_rows(problem: QualityProblem, concentration: Floats) -> Rows:
    """Return what holds of the flows when no giver is dirtier than ``concentration`` (G, C).

    A taker's mixture keeps its limits; what an operation takes up still fits below its own outlet's figure; so does
    what a regenerator leaves.
    """
    fresh, sources, sinks, operations, regenerators = problem.sizes
    outlets = fresh + sources
    _, reaches = ends(problem)
    giver, _ = problem.arcs
    own = concentration[outlets : outlets + operations]
    limits = np.concatenate(
        (problem.sink_limit, problem.inlet_limit, problem.feed_limit, problem.discharge_limit[None, :])
    )
    found = Rows(csr_array((0, giver.size)), np.zeros(0), np.zeros(0))
    scales = largest(problem)
    inlets = reaches[sinks : sinks + operations]
    for k in range(problem.contaminants):
        carried, scale = concentration[giver, k], float(scales[k])
        held = np.flatnonzero(np.isfinite(limits[:, k]))
        room = own[:, k] * problem.gain - problem.load[:, k]
        found = found.and_rows(
            _mixture(reaches[held], carried, limits[held, k], np.zeros(held.size), scale),
            _mixture(inlets, carried, own[:, k], room, scale),
        )
        shares = np.flatnonzero(np.isnan(problem.outlet[:, k]))
        if shares.size:
            left = 1.0 - problem.removal[shares, k]
            out = concentration[outlets + operations + shares, k]
            feeds = reaches[sinks + operations + shares]
            kept = out / np.maximum(left, 1e-12)
            found = found.and_rows(_mixture(feeds, carried, kept, np.zeros(shares.size), scale))
    if np.isfinite(problem.full) and regenerators:
        found = found.and_rows(_recovered(problem, concentration))
    return found


def largest(problem: QualityProblem) -> Floats:
    """Return the largest finite concentration of each contaminant (C,), 1 where there is none."""
    parts = np.concatenate((problem.fresh, problem.source, problem.outlet_limit, problem.sink_limit))
    most = np.where(np.isfinite(parts), np.abs(parts), 0.0).max(axis=0, initial=0.0)
    return np.asarray(np.where(most > 0, most, 1.0), dtype=np.float64)


def _mixture(reaches: csr_array, carried: Floats, limit: Floats, room: Floats, scale: float) -> Rows:
    """Return rows: what the flows carry less limit x flow is at most room; each divided by its limit, or by scale."""
    unit = np.where(np.abs(limit) > 1e-9 * scale, np.abs(limit), scale)
    matrix = reaches.multiply(carried[None, :]) - reaches.multiply(limit[:, None])
    return Rows(csr_array(matrix.multiply(1.0 / unit[:, None])), np.full(limit.size, -np.inf), room / unit)


def _recovered(problem: QualityProblem, concentration: Floats) -> Rows:
    """Return rows: what is not contaminant leaves a regenerator to the share that it recovers."""
    fresh, sources, sinks, operations, regenerators = problem.sizes
    leaves, reaches = ends(problem)
    giver, _ = problem.arcs
    pure = 1.0 - concentration[giver, 0] / problem.full
    first = fresh + sources + operations
    out = leaves[first:].multiply(pure[None, :])
    feed = reaches[sinks + operations : sinks + operations + regenerators].multiply(pure[None, :])
    matrix = csr_array(out - feed.multiply(problem.recovery[:, None]))
    return Rows(matrix, np.zeros(regenerators), np.zeros(regenerators))
