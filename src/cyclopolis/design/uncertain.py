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


class _Year:
    """One year of the plan: what it is without a draw, and what each draw moves."""

    def __init__(self, posed: Posed, assembly: Assembly, number: int, drawn: PriceDraws) -> None:
        self._posed, self._assembly, self._number, self._drawn = posed, assembly, number, drawn
        self._part = posed.whole.years[number]
        self._worth = float(posed.whole.worth[number])
        self._span = float(spans(posed.years)[number])
        self._plain = self._scores(self._part.network)
        self._amounts = quantities(self._part.network)

    def _scores(self, network: Network) -> tuple[LinearForm, LinearForm, LinearForm]:
        """Return the three dimensions as they count in the objectives, without what builds count for."""
        forms = dimension_forms(network)
        scaled = ((forms.economy, self._worth), (forms.environment, -self._span), (forms.society, self._span))
        found = []
        for form, factor in scaled:
            flows = {family: factor * getattr(form, family) for family in _FLOWS}
            none = np.zeros_like(form.built)
            found.append(LinearForm(**flows, built=none, capacity=none))
        return found[0], found[1], found[2]

    def draw(self, at: int) -> _Moved:
        """Return what a draw moves."""
        part, drawn = self._part, self._drawn
        markets = replace(
            part.network.markets,
            price=drawn.price[at],
            volume_min=drawn.volume_min[at],
            volume_max=drawn.volume_max[at],
        )
        ports = replace(part.network.ports, coefficient=drawn.coefficient[at])
        network = replace(part.network, markets=markets, ports=ports)
        weights, constants = [], []
        for old, new in zip(self._plain, self._scores(network), strict=True):
            moved = _less(new, old)
            columns, values = self._assembly.layout.form_terms(moved, self._number)
            own = np.zeros(self._assembly.layout.size)
            np.add.at(own, columns, values)
            weights.append(own)
            constants.append(-moved.value(part.base))
        columns, lower, upper = self._columns(network)
        rows, row_lower, row_upper = self._markets(network)
        return _Moved(
            (weights[0], weights[1], weights[2]),
            (constants[0], constants[1], constants[2]),
            columns, lower, upper, rows, row_lower, row_upper, self._entries(network),
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
        """Return the rows of market volumes with their bounds."""
        assembly = self._assembly
        place = assembly.rows["market", self._number]
        at, scale = limited_markets(assembly.layout, self._number), assembly.row_scale[place]
        markets = network.markets
        least = np.zeros(at.size)  # what must be sold at least was agreed for the plan's own volumes
        return np.arange(place.start, place.stop), least, markets.volume_max[at] / scale

    def _entries(self, network: Network) -> tuple[Ints, Ints, Floats]:
        """Return the entries of the matrix that yields move: balances of ports, and limits that count recipes."""
        assembly, number = self._assembly, self._number
        ports, old = network.ports, self._part.network.ports
        place, at = assembly.rows["port", number], assembly.entity["port", number]
        moved = np.flatnonzero(ports.coefficient[at] != old.coefficient[at])
        rows = [place.start + moved]
        columns = [assembly.layout.columns["activity", number].start + ports.plant[at[moved]]]
        values = [ports.coefficient[at[moved]]]
        amounts = quantities(network)
        limits = assembly.rows["limit", number]
        names = self._posed.year_rows[number]["quantity"].to_list()
        for position, (quantity, limit) in enumerate(zip(names, self._part.limits, strict=False)):
            change = _less(amounts[quantity], self._amounts[quantity])
            column, _ = assembly.layout.form_terms(_only_flows(change), number, limit.within)
            if column.size:
                every, value = assembly.layout.form_terms(_only_flows(amounts[quantity]), number, limit.within)
                kept = np.isin(every, column)
                rows.append(np.full(int(kept.sum()), limits.start + position))
                columns.append(every[kept])
                values.append(value[kept])
        row, column = np.concatenate(rows), np.concatenate(columns)
        scale = assembly.program.scale[column] / assembly.row_scale[row]
        return row, column, np.concatenate(values) * scale


def _less(form: LinearForm, other: LinearForm) -> LinearForm:
    """Return the difference of two forms, exactly nought where both agree."""
    names = (*_FLOWS, "built", "capacity")
    return LinearForm(**{name: getattr(form, name) - getattr(other, name) for name in names})


def _only_flows(form: LinearForm) -> LinearForm:
    return replace(form, built=np.zeros_like(form.built), capacity=np.zeros_like(form.capacity))


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
