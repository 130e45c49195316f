"""A network that was found: what flows where, how clean it is, and whether it holds what it must."""

from dataclasses import dataclass

import numpy as np

from cyclopolis.industry.exchanges.quality.problem import Floats, QualityProblem

_TINY = 1e-7
"""Share of the largest flow below which a connection carries nothing."""


@dataclass(frozen=True)
class QualityNetwork:
    """Flows between givers and takers with the concentrations that they bring about.

    ``flows`` is (G, T), ``concentration`` (G, C) the actual one of each giver, ``inlet`` (T, C) that of each taker's
    mixture (NaN where nothing flows). ``reached`` holds each objective's value in the order asked for; no network does
    better than ``bound`` on the first of them. ``reject`` is what regenerators do not recover.
    """

    problem: QualityProblem
    flows: Floats
    concentration: Floats
    inlet: Floats
    status: str
    reached: tuple[tuple[str, float], ...]
    bound: float

    @property
    def fresh(self) -> float:
        """Fresh flow taken."""
        return float(self.flows[: self.problem.sizes[0]].sum())

    @property
    def discharged(self) -> float:
        """Flow that leaves for discharge, rejects of regenerators included."""
        return float(self.flows[:, -1].sum()) + self.reject

    @property
    def regenerated(self) -> float:
        """Flow into regenerators."""
        _, _, sinks, operations, regenerators = self.problem.sizes
        return float(self.flows[:, sinks + operations : sinks + operations + regenerators].sum())

    @property
    def reject(self) -> float:
        """Flow that regenerators take and do not give back."""
        fresh, sources, _, operations, _ = self.problem.sizes
        return max(0.0, self.regenerated - float(self.flows[fresh + sources + operations :].sum()))

    @property
    def gap(self) -> float:
        """Relative gap between the first objective and its bound; 0 when they agree."""
        value = self.reached[0][1] if self.reached else 0.0
        difference = abs(value - self.bound)
        return 0.0 if difference <= 1e-9 * max(1.0, abs(value)) else difference / max(abs(value), 1e-9)

    def crossing(self) -> Floats:
        """Return the flows that pass from one plant to another (G, T), zero elsewhere."""
        giver, taker = self.problem.giver_plant[:, None], self.problem.taker_plant[None, :]
        return np.where((giver >= 0) & (taker >= 0) & (giver != taker), self.flows, 0.0)

    def connections(self) -> Floats:
        """Return 1 where something flows (G, T)."""
        return np.asarray(self.flows > 0.0, dtype=np.float64)


def settled(problem: QualityProblem, flows: Floats) -> tuple[Floats, Floats]:
    """Return the concentrations that flows bring about: of givers (G, C), and of takers' mixtures (T, C).

    The outlet of an operation carries what came in and what it took up; that of a regenerator is its outlet
    concentration, or what it leaves of its feed. A linear system of one equation for each of them.
    """
    fresh, sources, sinks, operations, regenerators = problem.sizes
    first, unknown = fresh + sources, operations + regenerators
    known = np.concatenate((problem.fresh, problem.source))
    inner = flows[first:, sinks : sinks + unknown]
    flow_in = flows[:, sinks : sinks + unknown].sum(axis=0)
    out = np.concatenate((flow_in[:operations] + problem.gain, flow_in[operations:]))
    concentration = np.concatenate((known, np.zeros((unknown, problem.contaminants))))
    for k in range(problem.contaminants):
        keep = np.concatenate((np.ones(operations), 1.0 - problem.removal[:, k]))
        brought = flows[:first, sinks : sinks + unknown].T @ known[:, k]
        right = keep * brought + np.concatenate((problem.load[:, k], np.zeros(regenerators)))
        matrix = np.diag(out) - keep[:, None] * inner.T
        fixed = np.flatnonzero(~np.isnan(problem.outlet[:, k])) + operations
        idle = np.flatnonzero(out <= 0)
        for rows, values in ((fixed, problem.outlet[fixed - operations, k]), (idle, np.zeros(idle.size))):
            matrix[rows] = 0.0
            matrix[rows, rows] = 1.0
            right[rows] = values
        concentration[first:, k] = np.linalg.solve(matrix, right) if unknown else ()
    total = flows.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        inlet = np.where(total[:, None] > 0, flows.T @ concentration / total[:, None], np.nan)
    return concentration, inlet


@dataclass(frozen=True)
class Breach:
    """One rule that a network breaks: which, of whom (position among givers or takers), by how much."""

    rule: str
    position: int
    excess: float


def check_network(problem: QualityProblem, flows: Floats, tolerance: float = 1e-6) -> tuple[Breach, ...]:
    """Check flows against the problem itself, by mixing them, without the programme that found them.

    Parameters
    ----------
    problem : QualityProblem
    flows : (G, T) array
    tolerance : float
        Relative to the largest flow, and to the limit of a concentration.

    Returns
    -------
    tuple of Breach
        Rules broken: ``fresh``, ``source``, ``sink``, ``balance``, ``inlet``, ``outlet``, ``barred``, ``least``.
    """
    fresh, sources, sinks, operations, regenerators = problem.sizes
    first = fresh + sources
    room = tolerance * max(1.0, float(flows.max(initial=0.0)))
    concentration, inlet = settled(problem, flows)
    found: list[Breach] = []

    def hold(rule: str, excess: Floats, allowed: float = room) -> None:
        found.extend(Breach(rule, int(at), float(excess[at])) for at in np.flatnonzero(excess > allowed))

    out, taken = flows.sum(axis=1), flows.sum(axis=0)
    hold("negative", np.maximum(-flows, 0.0).max(axis=1, initial=0.0))
    hold("fresh", out[:fresh] - problem.fresh_max)
    hold("source", np.abs(out[fresh:first] - problem.source_flow))
    hold("sink", np.abs(taken[:sinks] - problem.sink_flow))
    hold("balance", np.abs(out[first : first + operations] - taken[sinks : sinks + operations] - problem.gain))
    feeds = slice(sinks + operations, sinks + operations + regenerators)
    hold("capacity", taken[feeds] - problem.capacity)
    if np.isfinite(problem.full):
        pure = problem.full - concentration[:, 0]
        kept = problem.recovery * (pure @ flows[:, feeds]) / np.where(regenerators, pure[first + operations :], 1.0)
    else:
        kept = problem.recovery * taken[feeds]
    hold("recovery", np.abs(out[first + operations :] - kept))
    limits = np.concatenate(
        (problem.sink_limit, problem.inlet_limit, problem.feed_limit, problem.discharge_limit[None])
    )
    over = np.nan_to_num(inlet, nan=-np.inf) - limits
    hold("inlet", _relative(over, limits), tolerance)
    mine = concentration[first : first + operations] - problem.outlet_limit
    hold("outlet", _relative(mine, problem.outlet_limit), tolerance)
    hold("barred", np.where(problem.barred, flows, 0.0).max(axis=1, initial=0.0))
    small = (flows > room) & (flows < problem.least_flow - room)
    hold("least", np.where(small, problem.least_flow - flows, 0.0).max(axis=1, initial=0.0))
    if not problem.recycle and regenerators:
        hold("recycle", np.array([taken[feeds].sum() - out[:fresh].sum()]))
    return tuple(found)


def _relative(over: Floats, limit: Floats) -> Floats:
    """Return the largest excess of each row, relative to its limit (to the largest limit where that is nought)."""
    finite = np.abs(limit[np.isfinite(limit)])
    floor = float(finite.max(initial=0.0)) or 1.0
    with np.errstate(invalid="ignore"):
        share = np.where(np.isfinite(limit), over / np.where(np.abs(limit) > 0, np.abs(limit), floor), -np.inf)
    return np.asarray(share.max(axis=1, initial=-np.inf), dtype=np.float64)


def tidy(flows: Floats) -> Floats:
    """Return flows without what solvers leave of nothing."""
    largest = float(flows.max(initial=0.0))
    return np.where(flows > _TINY * largest, flows, 0.0)
