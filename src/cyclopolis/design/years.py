"""A design problem over the years of a horizon: a choice a year, tied together by what is built and how long it lasts.

Every year is a `DesignProblem` on the same plants, ports, arcs and fates, with its own markets, limits and baseline.
What ties the years: a plant built in one of them stands until its lifetime ends, and all money is worth what its year
makes it worth today. A problem of one year is the same thing with one year in it.
"""

from dataclasses import dataclass, field

import numpy as np

from cyclopolis.design.lines import LIFETIME_A, Lines
from cyclopolis.design.problem import DesignProblem, Limit, Solution, SolveOptions
from cyclopolis.design.stores import Stores, no_stores
from cyclopolis.network.model import Bools, Floats, Flows, Ints, Network


@dataclass(frozen=True)
class Builds:
    """Ways in which new plants can be built (B), sorted by plant: one for each piece of a plant's capital curve.

    ``plant`` are positions. A unit built has between ``smallest`` and ``largest`` main units per year; ``units`` is the
    most units of the plant (1: yes or no). Capital of a unit is ``fixed`` + ``slope`` x its size, million CNY.
    """

    plant: Ints
    smallest: Floats
    largest: Floats
    units: Floats
    fixed: Floats
    slope: Floats

    @property
    def sized(self) -> Bools:
        """Which ways leave the size free (B,)."""
        return self.largest > self.smallest


@dataclass(frozen=True)
class Spending:
    """A bound on capital, million CNY: what is built in one year, or (``total``) in all years up to it.

    ``within`` (P,) marks the plants that count; ``year`` is a position among the problem's years.
    """

    name: str
    within: Bools
    year: int
    total: bool
    lower: float = -np.inf
    upper: float = np.inf


@dataclass(frozen=True)
class YearsProblem:
    """Choices of several years (Y) on one network of plants.

    Parameters
    ----------
    years : tuple of DesignProblem
        One a year, ascending. Plants, ports, arcs and fates are those of all years; each year's ``decided`` and
        ``barred`` say what is built in that year. Their own ``built_cost``, ``capacity_cost`` and ``options`` do not
        count.
    worth : ndarray
        What 1 CNY a year in each year is worth in the objective (Y,): the sum of the discount factors of the years it
        stands for, 1 in a problem of one year.
    builds : Builds
        Ways of building (B).
    built_cost, capacity_cost : ndarray
        Cost in the objective of a unit built in each year, CNY (B, Y), and of a main unit of its size, CNY (B, Y).
    requires : tuple of pairs
        Plants by position (a, b): a stands only in years in which b stands; -1 for a b that cannot.
    choices : tuple of tuples of groups
        Groups of new plants by position; of each tuple of groups, plants of one group alone are ever built.
    spending : tuple of Spending
        Bounds on capital.
    lines : Lines, optional
        Lines that arcs need; none need one when not given.
    line_cost : ndarray
        Cost in the objective of each line built in each year, CNY (L, Y).
    stores : Stores, optional
        Stores that carry stock from year to year; none when not given.
    options : SolveOptions
        Gap, time, seed.
    """

    years: tuple[DesignProblem, ...]
    worth: Floats
    builds: Builds
    built_cost: Floats
    capacity_cost: Floats
    requires: tuple[tuple[int, int], ...] = ()
    choices: tuple[tuple[tuple[int, ...], ...], ...] = ()
    spending: tuple[Spending, ...] = ()
    lines: Lines | None = None
    line_cost: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    stores: Stores | None = None
    options: SolveOptions = field(default_factory=SolveOptions)

    @property
    def network(self) -> Network:
        """The network of the first year: its plants, ports, arcs and fates are those of all years."""
        return self.years[0].network

    @property
    def kept(self) -> Stores:
        """The stores; none where none are given."""
        return no_stores(len(self.years)) if self.stores is None else self.stores

    def line_lasts(self, built: int, now: int) -> bool:
        """Return whether a line built in one year stands in another."""
        return built <= now and self.years[built].network.year + LIFETIME_A > self.years[now].network.year

    def stands(self, built: int, now: int) -> Bools:
        """Return which plants (P,), if built in one year, stand in another."""
        first, last = self.years[built].network.year, self.years[now].network.year
        if now <= built:
            return np.full(len(self.network.plant_ids), now == built)
        lifetime = self.network.plants.lifetime
        return np.isnan(lifetime) | (first + lifetime > last)


@dataclass(frozen=True)
class YearsSolution:
    """The best state of every year that was found.

    ``status``, ``objective``, ``bound`` and ``seconds`` as in `Answer`. ``flows`` has a state for each year, in which
    ``built`` and ``capacity`` are what stands of new plants; ``built`` and ``capacity`` (B, Y) say what is built when,
    ``lines`` (L, Y) which lines.
    ``loose`` (J,) is what stays unplaced or unmet in each year.
    """

    status: str
    flows: tuple[Flows, ...]
    loose: tuple[Floats, ...]
    built: Floats
    capacity: Floats
    lines: Floats
    objective: float
    bound: float
    seconds: float

    @property
    def gap(self) -> float:
        """Relative gap between bound and objective; 0 when they agree."""
        difference = abs(self.bound - self.objective)
        return 0.0 if difference == 0 else difference / max(abs(self.objective), 1e-9)


def one_year(problem: DesignProblem) -> YearsProblem:
    """Return a problem of one year: every plant is built in one way, capital is a yearly cost."""
    new, plants = problem.new, problem.network.plants
    _, most = problem.activity_bounds()
    units = plants.units[new]
    largest = most[new] / units
    return YearsProblem(
        years=(problem,),
        worth=np.ones(1),
        builds=Builds(
            plant=new,
            smallest=np.minimum(np.nan_to_num(plants.capacity_min[new]), largest),
            largest=largest,
            units=units,
            fixed=np.nan_to_num(plants.capex_fixed[new]) / units,
            slope=np.nan_to_num(plants.capex_slope[new]),
        ),
        built_cost=(problem.built_cost[new] / units)[:, None],
        capacity_cost=problem.capacity_cost[new][:, None],
        options=problem.options,
    )


def year_solution(problem: DesignProblem, found: YearsSolution, year: int = 0) -> Solution:
    """Return one year of a solution, with the objective and bound of the whole."""
    network = problem.network
    return Solution(
        status=found.status,
        flows=found.flows[year],
        loose=found.loose[year],
        objective=found.objective,
        bound=found.bound,
        seconds=found.seconds,
        excess=np.zeros(len(problem.limits)),
        market_excess=np.zeros(network.markets.price.size),
        port_excess=np.zeros(network.ports.plant.size),
    )


def limits_of(problem: YearsProblem) -> tuple[Limit, ...]:
    """Return the limits of all years, year by year."""
    return tuple(limit for year in problem.years for limit in year.limits)
