"""From a design problem over years to a programme on plain arrays, and from its answers back to states.

With ``x`` activity, ``a`` arcs, ``t`` trades, ``d`` fates, ``u`` what stays open, ``y`` units and ``c`` size built, in
every year::

    coefficient x = sum of a given + sold + d + u              at every output port
    |coefficient| x = sum of ratio a taken + bought + u        at every input port that nature does not feed
    least <= x <= most                                         plants that stand
    least load c <= x <= sum of c still standing               new plants
    smallest y <= c <= largest y                               ways of building that leave the size free
    sum of y still standing <= units                           new plants with several ways or years
    volume_min <= sum of t <= volume_max                       markets
    tonnes brought by a group <= share t x                     caps of substitutions
    more <= (high - c) x,  less <= (c - low) x                 ports that may move: coefficient x + more - less
    sum of t (more - less) out = sum of t (more - less) in     their plants, by mass
    y <= units v,  sum of v <= 1                               groups of which one is chosen (one park, one main chain)
    sum of y standing <= 1, y of a <= y of b standing          exclusions and requirements
    a <= most x sum of lines standing                          arcs that need a line
    stock = left x stock before + put x (into - outof)         stores; into - outof leaves their port
    lower <= quantity within the place <= upper                limits; capital of a year or of all years so far

Columns are scaled by the most that they can be, rows by their port, so that a coal mine and a laboratory stand in one
programme without losing digits. Nothing here loops over plants, arcs or ports.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import coo_array, csr_array

from cyclopolis.design.flexible import recipe_room
from cyclopolis.design.layout import Layout, Sizes, lay_out, years_sizes
from cyclopolis.design.problem import Limit
from cyclopolis.design.program import Answer, Objective, Program
from cyclopolis.design.years import YearsProblem, YearsSolution
from cyclopolis.network.model import BUY, Bools, Floats, Flows, Ints


@dataclass(frozen=True)
class Assembly:
    """A problem as a programme, with the map back.

    ``layout`` says where columns stand; ``rows[family, year]`` is the slice of a family of rows in a year, ``entity``
    what each of them belongs to (a position: port, plant, market, cap group, exclusion, limit); ``row_scale`` (R,) is
    the natural amount of one unit of each row.
    """

    problem: YearsProblem
    program: Program
    layout: Layout
    rows: Mapping[tuple[str, int], slice]
    entity: Mapping[tuple[str, int], Ints]
    row_scale: Floats
    goal: Objective


@dataclass
class _Rows:
    """Rows collected family by family: bounds, scales, and terms as triplets."""

    row: list[Ints] = field(default_factory=list)
    column: list[Ints] = field(default_factory=list)
    value: list[Floats] = field(default_factory=list)
    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    scale: list[Floats] = field(default_factory=list)
    slices: dict[tuple[str, int], slice] = field(default_factory=dict)
    entity: dict[tuple[str, int], Ints] = field(default_factory=dict)
    size: int = 0

    def open(self, family: str, year: int, entity: Ints, lower: Floats, upper: Floats, scale: Floats) -> int:
        """Add a family of rows, one for each entity; returns the number of the first."""
        first = self.size
        self.size += entity.size
        self.slices[family, year] = slice(first, self.size)
        self.entity[family, year] = entity
        self.lower.append(lower)
        self.upper.append(upper)
        self.scale.append(np.where(scale > 0, scale, 1.0))
        return first

    def terms(self, row: Ints, column: Ints, value: Floats) -> None:
        """Add terms; zeros are left out."""
        used = value != 0
        if not used.all():
            row, column, value = row[used], column[used], value[used]
        self.row.append(row.astype(np.int32))
        self.column.append(column.astype(np.int32))
        self.value.append(value)

    def matrix(self, column_scale: Floats, scale: Floats) -> tuple[csr_array, Floats, Floats]:
        """Return the scaled matrix and the scaled bounds of its rows."""
        row, column = np.concatenate(self.row), np.concatenate(self.column)
        value = np.concatenate(self.value)
        value *= column_scale[column]
        value /= scale[row]
        matrix = coo_array((value, (row, column)), shape=(self.size, column_scale.size)).tocsr()
        return matrix, np.concatenate(self.lower) / scale, np.concatenate(self.upper) / scale


def reference_size(lower: float, upper: float) -> float:
    """Return the size against which a bound's excess is measured: the bound, or 1 for a bound of nought."""
    bounds = [abs(value) for value in (lower, upper) if np.isfinite(value) and value != 0]
    return min(bounds) if bounds else 1.0


def _ports(rows: _Rows, layout: Layout, year: int, sizes: Sizes) -> None:
    """Write the balance of every port that nature does not serve."""
    problem = layout.problem.years[year]
    network = problem.network
    ports, arcs, trades = network.ports, network.arcs, network.trades
    held = ~ports.natural
    at = np.flatnonzero(held)
    first = rows.open("port", year, at, np.zeros(at.size), np.zeros(at.size), sizes.port[at])
    row = first + np.cumsum(held) - 1

    def add(family: str, port: Ints, sign: Floats) -> None:
        start, live = layout.columns[family, year].start, held[port]
        position = np.arange(start, start + port.size)
        rows.terms(row[port[live]], position[live], sign[live])

    rows.terms(row[at], layout.columns["activity", year].start + ports.plant[at], ports.coefficient[at])
    add("arc", arcs.giver, -np.ones(arcs.giver.size))
    add("arc", arcs.taker, arcs.ratio)
    bought = network.markets.direction[trades.market] == BUY
    add("trade", trades.port, np.where(bought, 1.0, -1.0))
    add("fate", network.fates.port, -np.ones(network.fates.port.size))
    loose = layout.loose[year]
    add("loose", loose, np.where(ports.coefficient[loose] > 0, -1.0, 1.0))
    side = np.sign(ports.coefficient[problem.flexible])
    add("more", problem.flexible, side)
    add("less", problem.flexible, -side)
    stored = layout.problem.kept.port
    add("into", stored, -np.ones(stored.size))
    add("outof", stored, np.ones(stored.size))


def _stores(rows: _Rows, layout: Layout, year: int) -> None:
    """Carry what is stored from one year of the horizon to the next."""
    stores = layout.problem.kept
    number, nothing = np.arange(stores.port.size), np.zeros(stores.port.size)
    left, put = stores.carried(year)
    first = rows.open("stock", year, stores.port, nothing, nothing, stores.capacity)
    rows.terms(first + number, layout.columns["stock", year].start + number, nothing + 1.0)
    rows.terms(first + number, layout.columns["into", year].start + number, -put)
    rows.terms(first + number, layout.columns["outof", year].start + number, put)
    if year:
        rows.terms(first + number, layout.columns["stock", year - 1].start + number, -left)


def _flexible(rows: _Rows, layout: Layout, year: int, sizes: Sizes) -> None:
    """Keep what moves within the recipes' ranges, and close the mass of each plant over it."""
    problem = layout.problem.years[year]
    ports, at = problem.network.ports, problem.flexible
    run = layout.columns["activity", year].start + ports.plant[at]
    number, mass = np.arange(at.size), problem.network.t_per_unit[ports.commodity[at]]
    plants, row = np.unique(ports.plant[at], return_inverse=True)
    size = np.zeros(plants.size)
    np.maximum.at(size, row, mass * np.maximum(sizes.more, sizes.less))
    nothing = np.zeros(plants.size)
    closed = rows.open("mass", year, plants, nothing, nothing, size)
    for family, room, sign in zip(("more", "less"), recipe_room(problem.network, at), (1.0, -1.0), strict=True):
        column = layout.columns[family, year].start + number
        none = np.zeros(at.size)
        first = rows.open(family, year, at, none - np.inf, none, getattr(sizes, family))
        rows.terms(first + number, column, none + 1.0)
        rows.terms(first + number, run, -room)
        rows.terms(closed + row, column, sign * np.sign(ports.coefficient[at]) * mass)


def _plants(rows: _Rows, layout: Layout, year: int, sizes: Sizes) -> None:
    """Tie activity, size and building of new plants together."""
    problem, builds = layout.problem, layout.problem.builds
    new = np.unique(builds.plant)
    place = np.full(len(problem.network.plant_ids), -1)
    place[new] = np.arange(new.size)
    largest = sizes.activity[new]
    first = rows.open("run", year, new, np.full(new.size, -np.inf), np.zeros(new.size), largest)
    rows.terms(first + np.arange(new.size), layout.columns["activity", year].start + new, np.ones(new.size))
    for built, ways in layout.standing(year):
        column, factor = layout.size_terms(ways, built)
        rows.terms(first + place[builds.plant[ways]], column, -factor)

    _loads(rows, layout, year, new)
    sized = np.flatnonzero(builds.sized)
    one, start = np.ones(sized.size), layout.columns["built", year].start
    size, _ = layout.size_terms(sized, year)
    nothing, free = np.zeros(sized.size), np.full(sized.size, -np.inf)
    first = rows.open("largest", year, sized, free, nothing, builds.largest[sized])
    rows.terms(first + np.arange(sized.size), size, one)
    rows.terms(first + np.arange(sized.size), start + sized, -builds.largest[sized])
    first = rows.open("smallest", year, sized, free, nothing, builds.largest[sized])
    rows.terms(first + np.arange(sized.size), size, -one)
    rows.terms(first + np.arange(sized.size), start + sized, builds.smallest[sized])
    _units(rows, layout, year, new, place)


def _loads(rows: _Rows, layout: Layout, year: int, new: Ints) -> None:
    """Let what stands of a new plant run at its least load."""
    builds, load = layout.problem.builds, layout.problem.network.plants.min_load
    loaded = new[load[new] > 0]
    line = np.full(load.size, -1)
    line[loaded] = np.arange(loaded.size)
    size = layout.problem.network.plants.capacity[loaded]
    first = rows.open("load", year, loaded, np.full(loaded.size, -np.inf), np.zeros(loaded.size), size)
    start = layout.columns["activity", year].start
    rows.terms(first + np.arange(loaded.size), start + loaded, -np.ones(loaded.size))
    for built, ways in layout.standing(year):
        kept = ways[line[builds.plant[ways]] >= 0]
        column, factor = layout.size_terms(kept, built)
        rows.terms(first + line[builds.plant[kept]], column, factor * load[builds.plant[kept]])


def _units(rows: _Rows, layout: Layout, year: int, new: Ints, place: Ints) -> None:
    """Let no more units of a plant stand than it has, and build what is decided, where bounds alone do not say so."""
    builds, problem = layout.problem.builds, layout.problem.years[year]
    pairs = [(built, ways) for built, ways in layout.standing(year) if ways.size]
    count = np.zeros(new.size, dtype=np.int64)
    for _, ways in pairs:
        count += np.bincount(place[builds.plant[ways]], minlength=new.size)
    most = np.zeros(new.size)
    np.maximum.at(most, place[builds.plant], builds.units)
    at = np.flatnonzero(count > 1)
    line = np.full(new.size, -1)
    line[at] = np.arange(at.size)
    first = rows.open("units", year, new[at], np.full(at.size, -np.inf), most[at], np.ones(at.size))
    for built, ways in pairs:
        row = line[place[builds.plant[ways]]]
        some = np.flatnonzero(row >= 0)
        rows.terms(first + row[some], layout.columns["built", built].start + ways[some], np.ones(some.size))
    several = np.bincount(place[builds.plant], minlength=new.size) > 1
    at = np.flatnonzero(several & problem.decided[new])
    line = np.full(new.size, -1)
    line[at] = np.arange(at.size)
    first = rows.open("decided", year, new[at], np.ones(at.size), np.full(at.size, np.inf), np.ones(at.size))
    row = line[place[builds.plant]]
    kept = np.flatnonzero(row >= 0)
    rows.terms(first + row[kept], layout.columns["built", year].start + kept, np.ones(kept.size))


def limited_markets(layout: Layout, year: int) -> Ints:
    """Return the markets of a year that have a row: those with a volume."""
    markets = layout.problem.years[year].network.markets
    return np.flatnonzero(np.isfinite(markets.volume_max) | (markets.volume_min > 0))


def _markets(rows: _Rows, layout: Layout, year: int) -> None:
    network = layout.problem.years[year].network
    markets, trades = network.markets, network.trades
    at = limited_markets(layout, year)
    least, most = markets.volume_min[at], markets.volume_max[at]
    scale = np.array([reference_size(a, b) for a, b in zip(least.tolist(), most.tolist(), strict=True)])
    first = rows.open("market", year, at, least, most, scale)
    row = np.full(markets.price.size, -1)
    row[at] = first + np.arange(at.size)
    trading = np.flatnonzero(row[trades.market] >= 0)
    rows.terms(row[trades.market[trading]], layout.columns["trade", year].start + trading, np.ones(trading.size))


def _caps(rows: _Rows, layout: Layout, year: int, sizes: Sizes) -> None:
    """Write the caps of substitutions; one without masses on both sides is not written."""
    network = layout.problem.network
    ports, arcs = network.ports, network.arcs
    taker = ports.plant[arcs.taker]
    main = ports.commodity[network.plants.main[taker]]
    per_tonne = network.t_per_unit[ports.commodity[arcs.giver]]
    share = np.append(arcs.cap_share, np.nan)[arcs.cap_group] * network.t_per_unit[main]
    known = np.flatnonzero((arcs.cap_group >= 0) & np.isfinite(per_tonne) & np.isfinite(share))
    group, lead = np.unique(arcs.cap_group[known], return_index=True)
    lead = known[lead]
    size = share[lead] * sizes.activity[taker[lead]]
    first = rows.open("cap", year, group, np.full(group.size, -np.inf), np.zeros(group.size), size)
    row = first + np.searchsorted(group, arcs.cap_group[known])
    rows.terms(row, layout.columns["arc", year].start + known, per_tonne[known])
    rows.terms(first + np.arange(group.size), layout.columns["activity", year].start + taker[lead], -share[lead])


def _groups(rows: _Rows, layout: Layout, year: int) -> None:
    """Write exclusions and requirements over what stands in a year."""
    problem, plant = layout.problem, layout.problem.builds.plant
    groups, pairs = problem.network.exclusions, problem.requires
    weights = np.zeros((len(groups) + len(pairs), len(problem.network.plant_ids)))
    for number, group in enumerate(groups):
        weights[number, list(group)] = 1.0
    existing = np.setdiff1d(np.arange(weights.shape[1]), problem.years[0].new)
    upper = np.ones(weights.shape[0])
    for number, (needs, needed) in enumerate(pairs, start=len(groups)):
        weights[number, needs], upper[number] = 1.0, float(needed in existing)
        if needed >= 0:
            weights[number, needed] = -1.0
    at = np.arange(upper.size)
    first = rows.open("group", year, at, np.full(at.size, -np.inf), upper, np.ones(at.size))
    most = layout.problem.builds.units
    for built, ways in layout.standing(year):
        line, way = np.nonzero(weights[:, plant[ways]])
        start = layout.columns["built", built].start
        value = weights[line, plant[ways[way]]]
        rows.terms(first + line, start + ways[way], np.where(value > 0, value / most[ways[way]], value))


def _lines(rows: _Rows, layout: Layout, year: int, sizes: Sizes) -> None:
    """Let flows along arcs that need a line pass only where one stands."""
    problem = layout.problem
    if problem.lines is None:
        return
    at = np.flatnonzero((problem.lines.arc_line >= 0) & (sizes.arc > 0))
    most = sizes.arc[at]
    first = rows.open("line", year, at, np.full(at.size, -np.inf), np.zeros(at.size), most)
    row = first + np.arange(at.size)
    rows.terms(row, layout.columns["arc", year].start + at, np.ones(at.size))
    for built in range(year + 1):
        if problem.line_lasts(built, year):
            rows.terms(row, layout.columns["line", built].start + problem.lines.arc_line[at], -most)


def _choices(rows: _Rows, layout: Layout) -> None:
    """Let plants of one group alone be built, of each choice between groups."""
    problem, builds = layout.problem, layout.problem.builds
    start = layout.columns["choice", 0].start
    first = rows.open("choice", 0, np.arange(len(problem.choices)), *_at_most_one(len(problem.choices)))
    column, members, chosen = start, [], []
    for number, groups in enumerate(problem.choices):
        own = np.arange(column, column + len(groups))
        rows.terms(np.full(own.size, first + number), own, np.ones(own.size))
        for group in groups:
            ways = np.flatnonzero(np.isin(builds.plant, group))
            members.append(ways)
            chosen.append(np.full(ways.size, column))
            column += 1
    if not members:
        return
    way, choice = np.concatenate(members), np.concatenate(chosen)
    for year in range(len(problem.years)):
        nothing = np.zeros(way.size)
        row = rows.open("chosen", year, builds.plant[way], nothing - np.inf, nothing, nothing + 1.0)
        at = row + np.arange(way.size)
        rows.terms(at, layout.columns["built", year].start + way, np.ones(way.size))
        rows.terms(at, choice, -builds.units[way])


def _at_most_one(size: int) -> tuple[Floats, Floats, Floats]:
    """Return lower and upper bounds and scales of rows of which each sum is 1 at most."""
    return np.full(size, -np.inf), np.ones(size), np.ones(size)


def _limits(rows: _Rows, layout: Layout, year: int, limits: tuple[Limit, ...]) -> None:
    """Write limits, one row each, from their linear forms over the plants within."""
    lower = np.array([limit.lower for limit in limits])
    upper = np.array([limit.upper for limit in limits])
    scale = np.array([reference_size(limit.lower, limit.upper) for limit in limits])
    first = rows.open("limit", year, np.arange(len(limits)), lower, upper, scale)
    for number, limit in enumerate(limits):
        column, value = layout.form_terms(limit.form, year, limit.within)
        rows.terms(np.full(column.size, first + number), column, value)


def _spending(rows: _Rows, layout: Layout) -> None:
    """Write the bounds on capital of a year or of all years up to it."""
    problem, builds = layout.problem, layout.problem.builds
    bounds = problem.spending
    lower = np.array([bound.lower for bound in bounds])
    upper = np.array([bound.upper for bound in bounds])
    scale = np.array([reference_size(bound.lower, bound.upper) for bound in bounds])
    first = rows.open("spending", 0, np.arange(len(bounds)), lower, upper, scale)
    for number, bound in enumerate(bounds):
        ways = np.flatnonzero(bound.within[builds.plant])
        for year in range(0 if bound.total else bound.year, bound.year + 1):
            row = np.full(ways.size, first + number)
            rows.terms(row, layout.columns["built", year].start + ways, builds.fixed[ways])
            size, factor = layout.size_terms(ways, year)
            rows.terms(row, size, factor * builds.slope[ways])
            if problem.lines is not None:
                at = np.flatnonzero(bound.within[problem.lines.plant])
                line = np.full(at.size, first + number)
                rows.terms(line, layout.columns["line", year].start + at, problem.lines.capital[at])


def _columns(layout: Layout, sizes: list[Sizes]) -> tuple[Floats, Floats, Bools, Floats]:
    """Return lower and upper bounds (natural), integrality and scale of all columns (V,)."""
    problem, builds = layout.problem, layout.problem.builds
    lower, upper = np.zeros(layout.size), np.zeros(layout.size)
    integer = np.zeros(layout.size, dtype=np.bool_)
    single = np.bincount(builds.plant, minlength=1)[builds.plant] == 1
    for year, (part, size) in enumerate(zip(problem.years, sizes, strict=True)):
        columns = {family: layout.columns[family, year] for family in ("activity", "arc", "trade", "fate", "loose")}
        lower[columns["activity"]] = size.least
        lower[columns["arc"]] = np.minimum(part.arc_min, size.arc)
        for family in ("activity", "arc", "trade", "fate", "more", "less"):
            upper[layout.columns[family, year]] = getattr(size, family)
        upper[layout.columns["into", year]] = upper[layout.columns["outof", year]] = size.store
        last = year == len(problem.years) - 1
        upper[layout.columns["stock", year]] = 0.0 if last else problem.kept.capacity
        upper[columns["loose"]] = part.loose_max[layout.loose[year]]
        built, capacity = layout.columns["built", year], layout.columns["capacity", year]
        integer[built] = True
        upper[built] = np.where(part.barred[builds.plant], 0.0, builds.units)
        lower[built] = np.where(single & part.decided[builds.plant], 1.0, 0.0)
        line = layout.columns["line", year]
        integer[line], upper[line] = True, 1.0
        choice = layout.columns["choice", year]
        integer[choice], upper[choice] = True, 1.0
        upper[capacity] = (builds.largest * builds.units)[builds.sized]
    scale = np.where(np.isfinite(upper) & (upper > 0) & ~integer, upper, 1.0)
    return lower, upper, integer, scale


def _storage(layout: Layout) -> Floats:
    """Return what storing costs in the objective by column (V,), CNY: mean of what stands times the worth of a year."""
    stores, weights = layout.problem.kept, np.zeros(layout.size)
    for year, worth in enumerate(layout.problem.worth.tolist()):
        start, put = stores.mean(year)
        cost = worth * stores.cost
        weights[layout.columns["into", year]] += cost * put
        weights[layout.columns["outof", year]] -= cost * put
        if year:
            weights[layout.columns["stock", year - 1]] += cost * start
    return weights


def _goal(layout: Layout) -> Objective:
    """Return the objective: gain of every year at its worth, less capital, over the baseline; CNY."""
    problem, builds = layout.problem, layout.problem.builds
    weights = layout.form_weights(tuple(year.gain for year in problem.years), problem.worth)
    ways = np.arange(builds.plant.size)
    for year in range(len(problem.years)):
        weights[layout.columns["built", year]] -= problem.built_cost[:, year]
        size, factor = layout.size_terms(ways, year)
        np.add.at(weights, size, -factor * problem.capacity_cost[:, year])
        if problem.lines is not None:
            weights[layout.columns["line", year]] -= problem.line_cost[:, year]
    weights -= _storage(layout)
    base = sum(
        worth * year.gain.value(year.base) for worth, year in zip(problem.worth.tolist(), problem.years, strict=True)
    )
    return Objective("gain", weights, -float(base))


def assemble(problem: YearsProblem, elastic: bool = False) -> Assembly:
    """Write a problem as a programme on plain arrays.

    Parameters
    ----------
    problem : YearsProblem
        What to choose from.
    elastic : bool
        Let trades go beyond the volumes of their markets (see `relax`).

    Returns
    -------
    Assembly
        Programme, its objective, and the map between both.
    """
    layout = lay_out(problem)
    sizes = years_sizes(problem, elastic)
    lower, upper, integer, scale = _columns(layout, sizes)
    rows = _Rows()
    for year, part in enumerate(problem.years):
        _ports(rows, layout, year, sizes[year])
        _flexible(rows, layout, year, sizes[year])
        _stores(rows, layout, year)
        _plants(rows, layout, year, sizes[year])
        _markets(rows, layout, year)
        _caps(rows, layout, year, sizes[year])
        _groups(rows, layout, year)
        _lines(rows, layout, year, sizes[year])
        _limits(rows, layout, year, part.limits)
    _choices(rows, layout)
    _spending(rows, layout)
    row_scale = np.concatenate(rows.scale)
    matrix, row_lower, row_upper = rows.matrix(scale, row_scale)
    program = Program(matrix, row_lower, row_upper, lower / scale, upper / scale, integer, scale)
    return Assembly(problem, program, layout, rows.slices, rows.entity, row_scale, _goal(layout))


def _stood(assembly: Assembly, built: Floats, capacity: Floats, year: int) -> tuple[Floats, Floats]:
    """Return units and size of new plants that stand in a year (P,)."""
    problem = assembly.problem
    count = len(problem.network.plant_ids)
    units, size = np.zeros(count), np.zeros(count)
    for when, ways in assembly.layout.standing(year):
        np.add.at(units, problem.builds.plant[ways], built[ways, when])
        np.add.at(size, problem.builds.plant[ways], capacity[ways, when])
    return units, size


def _shift(assembly: Assembly, natural: Floats, year: int) -> Floats | None:
    """Return what moves at each port beyond its recipe in a year (J,), None where none may."""
    layout, ports = assembly.layout, assembly.problem.years[year].flexible
    if not ports.size:
        return None
    shift = np.zeros(assembly.problem.network.ports.plant.size)
    shift[ports] = natural[layout.columns["more", year]] - natural[layout.columns["less", year]]
    return shift


def _stock(assembly: Assembly, natural: Floats, year: int) -> Floats | None:
    """Return what goes into store at each port in a year (J,), negative out of it; None where nothing is stored."""
    layout, stores = assembly.layout, assembly.problem.kept
    if not stores.port.size:
        return None
    stock = np.zeros(assembly.problem.network.ports.plant.size)
    stock[stores.port] = natural[layout.columns["into", year]] - natural[layout.columns["outof", year]]
    return stock


def read_answer(assembly: Assembly, answer: Answer) -> YearsSolution:
    """Return an answer to the programme as states of all years.

    Parameters
    ----------
    assembly : Assembly
    answer : Answer
        With natural amounts, or without any when nothing was found (states are then empty).
    """
    problem, layout, builds = assembly.problem, assembly.layout, assembly.problem.builds
    natural = np.maximum(answer.natural, 0.0) if answer.natural.size else np.zeros(layout.size)
    shape = (builds.plant.size, len(problem.years))
    built, capacity = np.zeros(shape), np.zeros(shape)
    for year in range(shape[1]):
        built[:, year] = np.round(natural[layout.columns["built", year]])
        capacity[:, year] = built[:, year] * builds.largest
        capacity[builds.sized, year] = natural[layout.columns["capacity", year]]
    flows, loose = [], []
    for year, part in enumerate(problem.years):
        parts = {family: natural[layout.columns[family, year]] for family in ("activity", "arc", "trade", "fate")}
        units, size = _stood(assembly, built, capacity, year)
        shift, stock = _shift(assembly, natural, year), _stock(assembly, natural, year)
        flows.append(Flows(**parts, built=units, capacity=size, stock=stock, shift=shift))
        left = np.zeros(part.loose_max.size)
        left[layout.loose[year]] = natural[layout.columns["loose", year]]
        loose.append(left)
    count = 0 if problem.lines is None else problem.lines.capital.size
    lines = np.zeros((count, shape[1]))
    for year in range(shape[1]):
        lines[:, year] = np.round(natural[layout.columns["line", year]])
    return YearsSolution(
        status=answer.status,
        flows=tuple(flows),
        loose=tuple(loose),
        built=built,
        capacity=capacity,
        lines=lines,
        objective=answer.objective,
        bound=answer.bound,
        seconds=answer.seconds,
    )
