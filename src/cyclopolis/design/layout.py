"""Where everything of a problem over years stands among the columns of its programme, and how large each can be."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cyclopolis.design.flexible import recipe_room
from cyclopolis.design.years import YearsProblem
from cyclopolis.network.model import Bools, Floats, Ints, LinearForm, Network

COLUMN_FAMILIES = (
    "activity",
    "arc",
    "trade",
    "fate",
    "loose",
    "built",
    "capacity",
    "line",
    "choice",
    "more",
    "less",
    "into",
    "outof",
    "stock",
)
"""Families of columns, in their order within a year; ``loose`` has a column for each port that may stay open,
``built`` one for each way of building, ``capacity`` one for each way that leaves the size free, ``line`` one for each
line, ``choice`` (in the first year) one for each group of plants of which others are shut out, ``more`` and ``less``
one for each port that may move within its range, ``into``, ``outof`` and ``stock`` one for each store: what goes
in and out in every calendar year, and what is there after the last."""


@dataclass(frozen=True)
class Sizes:
    """The most that each amount of one year can be (natural units); also the scale of its column.

    ``more`` and ``less`` are those of the ports that may move (K,), ``store`` what goes into or out of each store (S,).
    """

    least: Floats
    activity: Floats
    port: Floats
    arc: Floats
    trade: Floats
    fate: Floats
    more: Floats
    less: Floats
    store: Floats


def years_sizes(problem: YearsProblem, elastic: bool = False) -> list[Sizes]:
    """Return the sizes of every year; in an elastic programme a trade may go beyond the volume of its market."""
    found: list[Sizes] = []
    stores = problem.kept
    for number, year in enumerate(problem.years):
        network, bounds = year.network, year.activity_bounds()
        same = found and all(
            np.array_equal(*pair) for pair in zip(bounds, (found[-1].least, found[-1].activity), strict=True)
        )
        more, less = (
            room * bounds[1][network.ports.plant[year.flexible]] for room in recipe_room(network, year.flexible)
        )
        store = stores.capacity / stores.carried(number)[1]
        same = bool(same) and np.array_equal(found[-1].store, store)
        port, arc = (
            (found[-1].port, found[-1].arc)
            if same
            else _flow_sizes(network, bounds[1], (year.flexible, more), (stores.port, store))
        )
        markets, trades = network.markets, network.trades
        volume = np.full(markets.price.size, np.inf) if elastic else markets.volume_max
        trade = np.minimum(port[trades.port], volume[trades.market])
        fate = port[network.fates.port]
        found.append(Sizes(*bounds, port=port, arc=arc, trade=trade, fate=fate, more=more, less=less, store=store))
    return found


def _flow_sizes(network: Network, most: Floats, *extra: tuple[Ints, Floats]) -> tuple[Floats, Floats]:
    """Return the most at each port (J,) and along each arc (A,) at an activity; some ports may have more."""
    ports, arcs = network.ports, network.arcs
    port = np.abs(ports.coefficient) * most[ports.plant]
    for at, more in extra:
        np.add.at(port, at, more)
    with np.errstate(divide="ignore", invalid="ignore"):
        need = np.where(arcs.ratio > 0, port[arcs.taker] / arcs.ratio, 0.0)
    return port, np.minimum(port[arcs.giver], need)


@dataclass(frozen=True)
class Layout:
    """Columns of a problem: ``columns[family, year]`` is the slice of a family in a year (a position)."""

    problem: YearsProblem
    columns: Mapping[tuple[str, int], slice]
    loose: tuple[Ints, ...]
    size: int

    @cached_property
    def sized(self) -> Ints:
        """Position among the capacity columns of a year by way of building (B,), -1: its size is given."""
        sized = self.problem.builds.sized
        return np.where(sized, np.cumsum(sized) - 1, -1)

    @cached_property
    def owner(self) -> Mapping[str, Ints]:
        """Plant that each entry of a flow family counts at; those of trades are year by year (`trade_owner`)."""
        network = self.problem.network
        return {
            "activity": np.arange(len(network.plant_ids)),
            "arc": network.ports.plant[network.arcs.giver],
            "fate": network.ports.plant[network.fates.port],
        }

    def trade_owner(self, year: int) -> Ints:
        """Return the plant of each trade of a year."""
        network = self.problem.years[year].network
        return network.ports.plant[network.trades.port]

    def size_terms(self, ways: Ints, year: int) -> tuple[Ints, Floats]:
        """Return column and factor that give the size built in a year by some ways: sum of factor x column."""
        free = self.sized[ways]
        built = self.columns["built", year].start + ways
        capacity = self.columns["capacity", year].start + free
        return np.where(free >= 0, capacity, built), np.where(free >= 0, 1.0, self.problem.builds.largest[ways])

    def standing(self, now: int) -> list[tuple[int, Ints]]:
        """Return (year built, ways of building that still stand) for every year up to one."""
        plant = self.problem.builds.plant
        return [(year, np.flatnonzero(self.problem.stands(year, now)[plant])) for year in range(now + 1)]

    def form_terms(self, form: LinearForm, year: int, within: Bools | None = None) -> tuple[Ints, Floats]:
        """Return the columns and coefficients of a linear form over one year's state, what stands of new plants too.

        What is built counts by unit, its size by main unit.

        Parameters
        ----------
        form : LinearForm
        year : int
            Position of the year.
        within : ndarray of bool, optional
            Plants that count (P,).
        """
        owners = {**self.owner, "trade": self.trade_owner(year)}
        columns, values = [], []
        for family, owner in owners.items():
            coefficient = getattr(form, family)
            used = coefficient != 0
            if within is not None:
                used = used & within[owner]
            at = np.flatnonzero(used)
            columns.append(self.columns[family, year].start + at)
            values.append(coefficient[at])
        plant = self.problem.builds.plant
        if form.built.any() or form.capacity.any():
            for built, ways in self.standing(year):
                kept = ways if within is None else ways[within[plant[ways]]]
                columns.append(self.columns["built", built].start + kept)
                values.append(form.built[plant[kept]])
                size, factor = self.size_terms(kept, built)
                columns.append(size)
                values.append(factor * form.capacity[plant[kept]])
        found, coefficients = np.concatenate(columns), np.concatenate(values)
        used = coefficients != 0
        return found[used], coefficients[used]

    def form_weights(self, forms: tuple[LinearForm, ...], factor: Floats) -> Floats:
        """Return the weights (V,) of the sum over the years of factor (Y,) x form."""
        weights = np.zeros(self.size)
        for year, form in enumerate(forms):
            columns, values = self.form_terms(form, year)
            np.add.at(weights, columns, factor[year] * values)
        return weights


def lay_out(problem: YearsProblem) -> Layout:
    """Return where the columns of a problem stand."""
    network, builds = problem.network, problem.builds
    columns: dict[tuple[str, int], slice] = {}
    start, loose = 0, []
    for number, year in enumerate(problem.years):
        open_ports = np.flatnonzero((year.loose_max > 0) & ~network.ports.natural)
        loose.append(open_ports)
        sizes = {
            "activity": len(network.plant_ids),
            "arc": network.arcs.giver.size,
            "trade": year.network.trades.port.size,
            "fate": network.fates.port.size,
            "loose": open_ports.size,
            "built": builds.plant.size,
            "capacity": int(builds.sized.sum()),
            "choice": sum(len(groups) for groups in problem.choices) if number == 0 else 0,
            "more": problem.years[0].flexible.size,
            "less": problem.years[0].flexible.size,
            "into": problem.kept.port.size,
            "outof": problem.kept.port.size,
            "stock": problem.kept.port.size,
            "line": 0 if problem.lines is None else problem.lines.capital.size,
        }
        for family in COLUMN_FAMILIES:
            columns[family, number] = slice(start, start + sizes[family])
            start += sizes[family]
    return Layout(problem, columns, tuple(loose), start)
