"""What the design model is given and what it answers: frozen arrays, no plan in sight.

A `DesignProblem` is a compiled network with the state of the base year, what money and capital are worth, and rows that
hold. It can be written by hand (a published case) as well as made from a plan.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from cyclopolis.network.model import EXISTING, Bools, Floats, Flows, Ints, LinearForm, Network

FAMILIES = ("activity", "arc", "trade", "fate", "built", "capacity")
"""The parts of a state, in the order of `Flows` and `LinearForm`."""


@dataclass(frozen=True)
class SolveOptions:
    """How hard to look: relative gap, seconds, and what makes two runs alike.

    ``heuristics`` has smaller programmes solved on the way to find good designs, and the search begun again with what
    was learnt. Many solves near one another, each from a good start, are several times faster without.
    """

    gap: float = 1e-3
    time_limit: float = 60.0
    threads: int = 1
    seed: int = 1
    heuristics: bool = True


@dataclass(frozen=True)
class Limit:
    """One row that a design keeps: ``lower <= form over the plants within <= upper``.

    ``within`` (P,) marks the plants that count; arcs count at their giver. A ``rule`` is logic (an exclusion, a cut)
    and is never relaxed when limits clash.
    """

    name: str
    form: LinearForm
    within: Bools
    lower: float = -np.inf
    upper: float = np.inf
    rule: bool = False


@dataclass(frozen=True)
class DesignProblem:
    """One year's choice on a network.

    Parameters
    ----------
    network : Network
        All plants that may stand, the candidates too.
    base : Flows
        State of the base year; existing plants that may not close keep at least this activity.
    gain : LinearForm
        What is maximised, CNY per year, before capital.
    built_cost, capacity_cost : ndarray
        Annual capital cost of building all units (P,), CNY per year, and per main unit of new capacity, CNY per year
        per unit.
    decided : ndarray of bool
        New plants that are built in any case (P,).
    barred : ndarray of bool
        New plants that are not built in any case (P,).
    loose_max : ndarray
        How much of a port may stay unplaced or unmet (J,), commodity unit per year: what the base year already left so.
    arc_min : ndarray
        Least amount along each arc (A,), units given per year.
    limits : tuple of Limit
        Rows that hold.
    flexible : ndarray of int
        Ports whose amount may move within the recipe's range (K,), ascending; the mass of their plant still closes.
    options : SolveOptions
        Gap, time, seed.
    """

    network: Network
    base: Flows
    gain: LinearForm
    built_cost: Floats
    capacity_cost: Floats
    decided: Bools
    barred: Bools
    loose_max: Floats
    arc_min: Floats
    limits: tuple[Limit, ...] = ()
    flexible: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    options: SolveOptions = field(default_factory=SolveOptions)

    @property
    def new(self) -> Ints:
        """Positions of the plants that do not stand yet."""
        return np.flatnonzero(self.network.plants.status != EXISTING)

    def activity_bounds(self) -> tuple[Floats, Floats]:
        """Return least and most activity (P,): base year's or nothing, and capacity (at least the base year's).

        A plant whose capacity is unknown does not grow; a candidate of unknown capacity is not built; a standing plant
        that has retired runs no more.
        """
        plants = self.network.plants
        base = np.nan_to_num(self.base.activity)
        existing = plants.status == EXISTING
        gone = existing & (plants.retire_year <= self.network.year)
        most = np.where(gone, 0.0, np.maximum(np.nan_to_num(plants.capacity), np.where(existing, base, 0.0)))
        least = np.where(existing & ~plants.may_close & ~gone, base, 0.0)
        return least, most

    def with_limits(self, limits: tuple[Limit, ...]) -> "DesignProblem":
        """Return the problem with other rows."""
        return replace(self, limits=limits)

    def value(self, flows: Flows) -> float:
        """Return the objective: gain minus annual capital, CNY per year."""
        units = self.network.plants.units
        capital = self.built_cost @ (flows.built / units) + self.capacity_cost @ flows.capacity
        return self.gain.value(flows) - float(capital)


@dataclass(frozen=True)
class Solution:
    """The best state found.

    ``status`` is optimal, time_limit (best found when time ran out), infeasible or no_solution (time ran out before
    any was found). ``objective`` and ``bound`` are CNY per year over the base year; no design beats ``bound``.
    ``gap`` is their relative difference. ``loose`` (J,) is what stays unplaced or unmet. ``excess`` holds by how much
    each limit gives (only after an elastic solve), in the limit's unit, positive above the upper and negative below
    the lower bound; ``market_excess`` (M,) and ``port_excess`` (J,) the same for market volumes and ports.
    """

    status: str
    flows: Flows
    loose: Floats
    objective: float
    bound: float
    seconds: float
    excess: Floats
    market_excess: Floats
    port_excess: Floats

    @property
    def gap(self) -> float:
        """Relative gap between bound and objective; 0 when they agree."""
        difference = abs(self.bound - self.objective)
        return 0.0 if difference == 0 else difference / max(abs(self.objective), 1e-9)


def no_flows(network: Network) -> Flows:
    """Return the empty state of a network."""
    plants = len(network.plant_ids)
    return Flows(
        activity=np.zeros(plants),
        arc=np.zeros(network.arcs.giver.size),
        trade=np.zeros(network.trades.port.size),
        fate=np.zeros(network.fates.port.size),
        built=np.zeros(plants),
        capacity=np.zeros(plants),
    )


def zero_form(network: Network) -> LinearForm:
    """Return the linear form that is nought everywhere; the start of one written by hand."""
    empty = no_flows(network)
    return LinearForm(**{name: getattr(empty, name) for name in FAMILIES})


def built_rule(network: Network, name: str, weights: Floats, lower: float = -np.inf, upper: float = np.inf) -> Limit:
    """Return a rule over what is built: ``lower <= weights (P,) @ built <= upper``."""
    everywhere = np.ones(len(network.plant_ids), dtype=np.bool_)
    return Limit(name, replace(zero_form(network), built=weights), everywhere, lower, upper, rule=True)
