"""Draws of prices, yields and demand as changes of a posed plan's programme: only costs, bounds and coefficients move.

Builds stay free here (`evaluate` holds them); in a draw an existing plant may run below its base year, for its market
may be smaller. The baseline is counted at the draw's prices too, so that every value is what the design brings.
"""

from dataclasses import dataclass, replace

import numpy as np

from cyclopolis.design.assemble import Assembly, limited_markets
from cyclopolis.design.draws import Change
from cyclopolis.design.layout import years_sizes
from cyclopolis.design.money import spans
from cyclopolis.design.pose import Posed
from cyclopolis.design.program import Objective
from cyclopolis.network import PriceDraws, dimension_forms, draw_prices, quantities
from cyclopolis.network.model import Bools, Floats, Ints, LinearForm, Network

FIRST = ("built", "capacity", "line")
"""Families of columns that are decided before the draw is known."""
_FLOWS = ("activity", "arc", "trade", "fate")


def first_stage(assembly: Assembly) -> Bools:
    """Return the columns (V,) that say what is built."""
    first = np.zeros(assembly.layout.size, dtype=np.bool_)
    for (family, _), columns in assembly.layout.columns.items():
        first[columns] = family in FIRST
    return first


def plan_changes(posed: Posed, assembly: Assembly, goals: tuple[Objective, ...], draws: int, seed: int) -> list[Change]:
    """Return draws of prices, yields and volumes, the same movement in all years.

    Parameters
    ----------
    posed : Posed
    assembly : Assembly
        Of ``posed.whole``.
    goals : tuple of Objective
        Economy, environment and society as `objectives` gives them.
    draws : int
        How many.
    seed : int
        The same seed gives the same draws.
    """
    years = posed.whole.years
    drawn = [draw_prices(year.network, draws, seed) for year in years]
    known = [_Year(posed, assembly, number, found) for number, found in enumerate(drawn)]
    return [_change(assembly, goals, [year.draw(number) for year in known]) for number in range(draws)]


@dataclass(frozen=True)
class _Moved:
    """What one draw moves in one year: weights (V,) and constants of the three objectives, bounds and entries."""

    weights: tuple[Floats, Floats, Floats]
    constants: tuple[float, float, float]
    columns: Ints
    lower: Floats
    upper: Floats
    rows: Ints
    row_lower: Floats
    row_upper: Floats
    entries: tuple[Ints, Ints, Floats]


@dataclass(frozen=True)
class _Slopes:
    """How the forms of one year move: per CNY of a trade's price (F, T) and per unit of a port's coefficient (F, J).

    Forms F are the three dimensions and then the limits. Money is linear in prices and counts at trades, what recipes
    make is linear in their coefficients and counts at activities; so these say all of any draw.
    """

    trade: Floats
    port: Floats


class _Year:
    """One year of the plan: what it is without a draw, and what each draw moves."""

    def __init__(self, posed: Posed, assembly: Assembly, number: int, drawn: PriceDraws) -> None:
        self._posed, self._assembly, self._number, self._drawn = posed, assembly, number, drawn
        self._part = posed.whole.years[number]
        span = float(spans(posed.years)[number])
        self._factors = (float(posed.whole.worth[number]), -span, span)
        ports = self._part.network.ports
        self._moving = np.flatnonzero((drawn.coefficient != ports.coefficient).any(axis=0))
        self._plain = self._forms(self._part.network)
        self._slopes = self._measure()
        self._held = self._entries()

    def _forms(self, network: Network) -> list[LinearForm]:
        """Return the three dimensions as they count in the objectives, then the quantity of every limit."""
        forms, amounts = dimension_forms(network), quantities(network)
        own = (forms.economy, forms.environment, forms.society)
        names = self._posed.year_rows[self._number]["quantity"].to_list()[: len(self._part.limits)]
        scores = [_scaled(form, factor) for form, factor in zip(own, self._factors, strict=True)]
        return [*scores, *(amounts[name] for name in names)]

    def _measure(self) -> _Slopes:
        """Return the slopes: all prices a CNY higher; then of every plant one port at a time twice as large."""
        network = self._part.network
        dearer = replace(network, markets=replace(network.markets, price=network.markets.price + 1.0))
        trade = np.array([new.trade - old.trade for new, old in zip(self._forms(dearer), self._plain, strict=True)])
        ports = network.ports
        port = np.zeros((len(self._plain), ports.plant.size))
        owner = ports.plant[self._moving]
        order = np.argsort(owner, kind="stable")
        rank = np.empty(owner.size, dtype=np.int64)
        rank[order] = np.arange(owner.size) - np.searchsorted(owner[order], owner[order])
        for turn in range(int(rank.max(initial=-1)) + 1):
            at = self._moving[rank == turn]
            coefficient = ports.coefficient.copy()
            coefficient[at] *= 2.0
            other = self._forms(replace(network, ports=replace(ports, coefficient=coefficient)))
            for form, (new, old) in enumerate(zip(other, self._plain, strict=True)):
                port[form, at] = (new.activity - old.activity)[ports.plant[at]] / ports.coefficient[at]
        return _Slopes(trade, port)

    def draw(self, at: int) -> _Moved:
        """Return what a draw moves."""
        network, drawn, layout = self._part.network, self._drawn, self._assembly.layout
        ports, base = network.ports, self._part.base
        dearer = np.nan_to_num(drawn.price[at] - network.markets.price)[network.trades.market]
        more = drawn.coefficient[at] - ports.coefficient
        trade = self._slopes.trade * dearer
        activity = np.array(
            [np.bincount(ports.plant, row * more, minlength=base.activity.size) for row in self._slopes.port]
        )
        weights = np.zeros((3, layout.size))
        weights[:, layout.columns["trade", self._number]] = trade[:3]
        weights[:, layout.columns["activity", self._number]] = activity[:3]
        constants = -(activity[:3] @ np.nan_to_num(base.activity) + trade[:3] @ base.trade)
        markets = replace(network.markets, volume_min=0.0 * drawn.volume_min[at], volume_max=drawn.volume_max[at])
        other = replace(network, markets=markets, ports=replace(ports, coefficient=drawn.coefficient[at]))
        columns, lower, upper = self._columns(other)
        rows, row_lower, row_upper = self._markets(other)
        return _Moved(
            (weights[0], weights[1], weights[2]),
            (float(constants[0]), float(constants[1]), float(constants[2])),
            columns, lower, upper, rows, row_lower, row_upper, self._values(drawn.coefficient[at], activity, trade),
        )  # fmt: skip

    def _columns(self, network: Network) -> tuple[Ints, Floats, Floats]:
        """Return the flows with the bounds of the draw; an existing plant may run from nothing."""
        layout = self._assembly.layout
        alone = replace(self._posed.whole, years=(replace(self._part, network=network),))
        (sizes,) = years_sizes(alone)
        columns, upper = [], []
        for family in _FLOWS:
            place = layout.columns[family, self._number]
            columns.append(np.arange(place.start, place.stop))
            upper.append(getattr(sizes, family))
        at = np.concatenate(columns)
        return at, np.zeros(at.size), np.concatenate(upper)

    def _markets(self, network: Network) -> tuple[Ints, Floats, Floats]:
        """Return the rows of market volumes with their bounds; what must be sold was for the plan's own volumes."""
        assembly = self._assembly
        place = assembly.rows["market", self._number]
        at, scale = limited_markets(assembly.layout, self._number), assembly.row_scale[place]
        most: Floats = network.markets.volume_max[at] / scale
        return np.arange(place.start, place.stop), np.zeros(at.size), most

    def _entries(self) -> list[tuple[str, int, Ints, Ints, Ints]]:
        """Return what the draws move in the matrix: kind, form, positions, rows and columns, the same for every draw.

        Balances of ports whose coefficient moves; of every limit the activities and trades that it counts otherwise.
        """
        assembly, number, ports = self._assembly, self._number, self._part.network.ports
        columns = {family: assembly.layout.columns[family, number].start for family in ("activity", "trade")}
        place, entity = assembly.rows["port", number], assembly.entity["port", number]
        at = np.flatnonzero(np.isin(entity, self._moving))
        found = [("port", 0, entity[at], place.start + at, columns["activity"] + ports.plant[entity[at]])]
        start = assembly.rows["limit", number].start
        trades = ports.plant[self._part.network.trades.port]
        for position, limit in enumerate(self._part.limits[: len(self._plain) - 3]):
            form = 3 + position
            plants = np.unique(ports.plant[self._slopes.port[form] != 0])
            for kind, moved, owner in (
                ("activity", plants, plants),
                ("trade", np.flatnonzero(self._slopes.trade[form] != 0), trades[self._slopes.trade[form] != 0]),
            ):
                own = moved[limit.within[owner]]
                found.append((kind, form, own, np.full(own.size, start + position), columns[kind] + own))
        return [item for item in found if item[2].size]

    def _values(self, coefficient: Floats, activity: Floats, trade: Floats) -> tuple[Ints, Ints, Floats]:
        """Return rows, columns and values of the entries under a draw."""
        parts = [np.zeros(0)]
        for kind, form, at, _, _ in self._held:
            if kind == "port":
                parts.append(coefficient[at])
            else:
                more = activity if kind == "activity" else trade
                parts.append(getattr(self._plain[form], kind)[at] + more[form, at])
        none = np.zeros(0, dtype=np.int64)
        rows = np.concatenate([none, *(item[3] for item in self._held)])
        columns = np.concatenate([none, *(item[4] for item in self._held)])
        scale = self._assembly.program.scale[columns] / self._assembly.row_scale[rows]
        return rows, columns, np.concatenate(parts) * scale


def _scaled(form: LinearForm, factor: float) -> LinearForm:
    """Return a form times a factor, without what builds count for."""
    none = np.zeros_like(form.built)
    return LinearForm(**{family: factor * getattr(form, family) for family in _FLOWS}, built=none, capacity=none)


def _change(assembly: Assembly, goals: tuple[Objective, ...], years: list[_Moved]) -> Change:
    """Put what a draw moves in all years together."""
    drawn = tuple(
        Objective(
            goal.name,
            goal.weights + np.sum([year.weights[number] for year in years], axis=0),
            goal.constant + sum(year.constants[number] for year in years),
        )
        for number, goal in enumerate(goals)
    )
    rows, columns, values = (np.concatenate([year.entries[part] for year in years]) for part in range(3))
    there = np.asarray(assembly.program.matrix[rows, columns]).ravel() != 0 if rows.size else np.zeros(0, np.bool_)
    return Change(
        objectives=drawn,
        columns=np.concatenate([year.columns for year in years]),
        column_lower=np.concatenate([year.lower for year in years]),
        column_upper=np.concatenate([year.upper for year in years]),
        rows=np.concatenate([year.rows for year in years]),
        row_lower=np.concatenate([year.row_lower for year in years]),
        row_upper=np.concatenate([year.row_upper for year in years]),
        entry_rows=rows[there].astype(np.int64),
        entry_columns=columns[there].astype(np.int64),
        entry_values=np.asarray(values[there], dtype=np.float64),
    )
