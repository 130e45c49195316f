"""Arcs of plants that see each other alike carried from pool to pool, exactly, and parted among the plants afterwards.

Let every giver of a class ``G`` reach the same takers at the same ratio and worth, and every taker of a class ``T`` the
same givers. Then every pair of ``G`` and ``T`` is an arc, and which giver serves which taker changes nothing: no
balance, no cap of a substitution, no limit, no money. So one column ``F`` carries from pool to pool, each member gives
``o`` into its own pool, and each taker takes ``i`` out of its own::

    sum of o over the givers of G = sum of F over the classes T that G reaches
    sum of ratio F over the classes G that reach T = sum of i over the takers of T

Arcs add up to a state of the pools; a state of the pools can be parted into arcs (`Pools.restore`): lay what members
give and what the columns carry end to end on two lines of one length, and let the pieces that lie over each other serve
each other. So optimum and bound are the same, and columns grow with the plants, not with their square. A class of one
needs no pool: ``F`` then stands in the balance of its port. Exact aggregation: Rogers, Plante, Wong, Evans (1991),
Oper. Res. 39, 553-582.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack, vstack

from cyclopolis.design.assemble import Assembly
from cyclopolis.design.layout import years_sizes
from cyclopolis.design.program import Objective, Program
from cyclopolis.network.model import Bools, Floats, Ints

MANY_ARCS = 20_000
"""Arcs, all years together, from which on those of plants alike are pooled."""
ROUNDING = 1e-12
"""Share of one line below which another one is nothing."""


@dataclass(frozen=True)
class Side:
    """One end of the pooled arcs: its members (M), in pools (K), and the columns that carry from pool to pool (F).

    Members are givers, or takers by port and cap. ``port`` and ``pool`` of each; ``cap`` (-1: none) is the position of
    a taker's cap among the rows of caps and ``weight`` the tonnes that one unit taken brings towards it. ``end`` is the
    pool of each column, ``ratio`` what one unit carried is at this end, ``sign`` that of a flow in a port's balance.
    """

    port: Ints
    pool: Ints
    cap: Ints
    weight: Floats
    end: Ints
    ratio: Floats
    sign: float

    @property
    def alone(self) -> Bools:
        """Which members are the only ones of their pool (M,)."""
        return np.asarray(np.bincount(self.pool)[self.pool] == 1)

    @property
    def first(self) -> Ints:
        """First member of each pool (K,)."""
        return np.unique(self.pool, return_index=True)[1]


@dataclass(frozen=True)
class Classes:
    """Which arcs are pooled and how.

    ``arc`` (N,) are positions of arcs, ``giver`` and ``taker`` the members that each joins, ``lead`` (F,) the first arc
    of each column.
    """

    arc: Ints
    giver: Ints
    taker: Ints
    lead: Ints
    givers: Side
    takers: Side


def _numbered(*keys: Floats | Ints) -> tuple[Ints, Ints]:
    """Return the position of the first of each different row of keys, and which one each row is."""
    _, first, which = np.unique(np.stack(keys, axis=1), axis=0, return_index=True, return_inverse=True)
    return first, which.ravel()


def twins(own: Ints, sight: Ints) -> Ints:
    """Return the class of each member (M,): members are twins when their entries show the same set.

    Parameters
    ----------
    own : ndarray of int
        Member of each entry (N,), each from 0 to M - 1 at least once.
    sight : ndarray of int
        What the entry shows (N,): whom it joins, and how.

    Examples
    --------
    >>> twins(np.array([0, 0, 1, 1, 2]), np.array([7, 8, 8, 7, 7])).tolist()
    [0, 0, 1]
    """
    order = np.lexsort((sight, own))
    shown = np.split(sight[order], np.flatnonzero(np.diff(own[order])) + 1)
    known: dict[bytes, int] = {}
    return np.array([known.setdefault(one.tobytes(), len(known)) for one in shown], dtype=np.int64)


def _worth(assembly: Assembly, arc: Ints) -> Ints:
    """Return the class of each arc by ratio and by what it counts for in the goal and in limits of all years (N,)."""
    problem, layout = assembly.problem, assembly.layout
    counts = [problem.network.arcs.ratio[arc]]
    for year, part in enumerate(problem.years):
        counts.append(assembly.goal.weights[layout.columns["arc", year]][arc])
        owner = layout.owner["arc"][arc]
        counts += [np.where(limit.within[owner], limit.form.arc[arc], 0.0) for limit in part.limits]
    return _numbered(*(count for count in counts if count.any()))[1]


def pool_classes(assembly: Assembly) -> Classes:
    """Return the arcs that can be pooled and their classes.

    Left out are arcs that need a line, that have a least amount, and that end at a port without a balance.
    """
    problem = assembly.problem
    arcs, ports = problem.network.arcs, problem.network.ports
    free = ~(ports.natural[arcs.giver] | ports.natural[arcs.taker]) & (arcs.ratio > 0)
    for part in problem.years:
        free &= part.arc_min <= 0
    if problem.lines is not None:
        free &= problem.lines.arc_line < 0
    arc = np.flatnonzero(free)
    ratio, group, rows = arcs.ratio[arc], arcs.cap_group[arc], assembly.entity["cap", 0]
    capped = np.isin(group, rows)
    cap = np.where(capped, np.searchsorted(rows, group), -1)
    weight = np.where(capped, problem.network.t_per_unit[ports.commodity[arcs.giver[arc]]] / ratio, 0.0)
    worth = _worth(assembly, arc)
    given, giver = _numbered(arcs.giver[arc])
    taken, taker = _numbered(arcs.taker[arc], cap, weight)
    width = int(worth.max(initial=0)) + 1
    out, into = twins(giver, taker * width + worth), twins(taker, giver * width + worth)
    lead, _ = _numbered(out[giver], into[taker])
    ends, none = (out[giver[lead]], into[taker[lead]]), np.zeros(given.size)
    givers = Side(arcs.giver[arc[given]], out, np.full(given.size, -1), none, ends[0], np.ones(lead.size), -1.0)
    takers = Side(arcs.taker[arc[taken]], into, cap[taken], weight[taken], ends[1], ratio[lead], 1.0)
    return Classes(arc, giver, taker, arc[lead], givers, takers)


class _Added:
    """Columns and rows added to a programme: bounds and scales, and entries of natural coefficients as triplets."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.upper: list[Floats] = []
        self.weights: list[Floats] = []
        self.row_scale: list[Floats] = []
        self.entries: list[tuple[Ints, Ints, Floats]] = []

    def add_columns(self, upper: Floats, weights: Floats) -> Ints:
        """Add columns from 0 to an upper bound with weights in the goal (natural); returns their positions."""
        self.upper.append(upper)
        self.weights.append(weights)
        self.columns += upper.size
        return np.arange(self.columns - upper.size, self.columns)

    def add_rows(self, scale: Floats) -> Ints:
        """Add rows that must be nought; returns their positions."""
        self.row_scale.append(np.where(scale > 0, scale, 1.0))
        self.rows += scale.size
        return np.arange(self.rows - scale.size, self.rows)

    def put(self, row: Ints, column: Ints, value: Floats) -> None:
        """Add entries; noughts are left out."""
        used = value != 0
        self.entries.append((row[used], column[used], value[used]))


@dataclass(frozen=True)
class Pools:
    """A programme with pools in place of arcs, and the way back.

    ``kept`` are the columns of the whole programme that it has too (they come first); ``carried`` (F,), ``given`` and
    ``taken`` (M,) its columns of each year: from pool to pool, into a pool and out of one (-1: the member is alone).
    """

    assembly: Assembly
    classes: Classes
    program: Program
    goal: Objective
    kept: Ints
    carried: tuple[Ints, ...]
    given: tuple[Ints, ...]
    taken: tuple[Ints, ...]

    def at(self, columns: Ints) -> Ints:
        """Return where columns of the whole programme that are no pooled arcs stand in this one."""
        return np.searchsorted(self.kept, columns)

    def restore(self, natural: Floats) -> Floats:
        """Return the natural amounts of the whole programme (V,) from those of this one; nothing from nothing."""
        if not natural.size or not self.carried:
            return natural
        whole = np.zeros(self.assembly.layout.size)
        whole[self.kept] = natural[: self.kept.size]
        for year in range(len(self.carried)):
            arcs = self.assembly.layout.columns["arc", year].start + self.classes.arc
            whole[arcs] = self._parted(natural, year)
        return whole

    def _parted(self, natural: Floats, year: int) -> Floats:
        """Return what goes along each pooled arc of a year (N,)."""
        classes = self.classes
        carried = np.maximum(natural[self.carried[year]], 0.0)
        giver, sends, sent = _shares(classes.givers, natural, self.given[year], carried)
        taker, gets, got = _shares(classes.takers, natural, self.taken[year], carried)
        one, two, amount = overlaps(sends, sent, gets, got)
        width = classes.takers.port.size
        arc = classes.giver * width + classes.taker
        order = np.argsort(arc)
        flow = np.zeros(arc.size)
        flow[order[np.searchsorted(arc, giver[one] * width + taker[two], sorter=order)]] = amount
        return flow


def _shares(side: Side, natural: Floats, column: Ints, carried: Floats) -> tuple[Ints, Ints, Floats]:
    """Return which member has a share in which column, and how much of it in units of the member's port."""
    amount = carried * side.ratio
    total = np.bincount(side.end, weights=amount)
    own = np.where(column >= 0, np.maximum(natural[np.maximum(column, 0)], 0.0), total[side.pool])
    return overlaps(side.pool, own, side.end, amount)


def overlaps(group: Ints, amount: Floats, other_group: Ints, other_amount: Floats) -> tuple[Ints, Ints, Floats]:
    """Return which pieces of two lines lie over each other, group by group, and how long they do.

    Within each group the pieces of both sides are laid end to end in their order, the second line drawn to the length
    of the first.

    Parameters
    ----------
    group, amount : ndarray
        Group and length of each piece of one line (N,), lengths not negative.
    other_group, other_amount : ndarray
        The same of the other line (M,).

    Returns
    -------
    piece, other, length : ndarray
        Positions in both lines and the length of each overlap (K,), longer than 0.

    Examples
    --------
    >>> one, two, length = overlaps(np.zeros(2, int), np.array([1.0, 3.0]), np.zeros(2, int), np.array([2.0, 2.0]))
    >>> one.tolist(), two.tolist(), length.tolist()
    ([0, 1, 1], [0, 0, 1], [1.0, 1.0, 2.0])
    """
    width = int(max(group.max(initial=-1), other_group.max(initial=-1))) + 1
    total = np.bincount(group, weights=amount, minlength=width)
    other_total = np.bincount(other_group, weights=other_amount, minlength=width)
    drawn = np.divide(total, other_total, out=np.zeros(width), where=other_total > ROUNDING * total)
    drawn_amount = other_amount * drawn[other_group]
    mine = np.flatnonzero((amount > 0) & (drawn[group] > 0))
    yours = np.flatnonzero(drawn_amount > 0)
    mine, yours = mine[np.argsort(group[mine], kind="stable")], yours[np.argsort(other_group[yours], kind="stable")]
    pieces = _laid(
        (group[mine].tolist(), amount[mine].tolist()), (other_group[yours].tolist(), drawn_amount[yours].tolist())
    )
    one, two, length = (np.array(part) for part in zip(*pieces, strict=True)) if pieces else (np.zeros(0),) * 3
    return mine[one.astype(np.int64)], yours[two.astype(np.int64)], length.astype(np.float64)


def _laid(mine: tuple[list[int], list[float]], yours: tuple[list[int], list[float]]) -> list[tuple[int, int, float]]:
    """Return piece, piece, length of all overlaps of two lines sorted by group; ends apart by rounding are dropped."""
    (group, left), (other_group, other_left) = mine, yours
    one = two = 0
    found = []
    while one < len(left) and two < len(other_left):
        if group[one] != other_group[two]:
            ahead = group[one] > other_group[two]
            one, two = (one, two + 1) if ahead else (one + 1, two)
            continue
        length = min(left[one], other_left[two])
        found.append((one, two, length))
        left[one] -= length
        other_left[two] -= length
        spent, other_spent = left[one] <= 0, other_left[two] <= 0
        one, two = one + spent, two + other_spent
    return found


def compact(assembly: Assembly, many: int = MANY_ARCS) -> Pools:
    """Return the programme of a problem as it is solved: with pools where arcs are ``many``, else as it is.

    Rows of the whole programme keep their positions in either; rows of pools come after them.
    """
    if assembly.problem.network.arcs.giver.size * len(assembly.problem.years) >= many:
        return pooled(assembly)
    every, none = np.arange(assembly.layout.size), np.zeros(0, dtype=np.int64)
    nobody = Side(none, none, none, np.zeros(0), none, np.zeros(0), 1.0)
    as_it_is = Classes(none, none, none, none, nobody, nobody)
    return Pools(assembly, as_it_is, assembly.program, assembly.goal, every, (), (), ())


def pooled(assembly: Assembly) -> Pools:
    """Return the programme of a problem with pools in place of the arcs that can be pooled.

    Parameters
    ----------
    assembly : Assembly
        A programme as `assemble` writes it, not elastic.
    """
    layout, program, goal, classes = assembly.layout, assembly.program, assembly.goal, pool_classes(assembly)
    stays = np.ones(layout.size, dtype=np.bool_)
    for year in range(len(assembly.problem.years)):
        stays[layout.columns["arc", year].start + classes.arc] = False
    kept = np.flatnonzero(stays)
    added = _Added(kept.size, program.row_lower.size)
    carried, given, taken = [], [], []
    for year, sizes in enumerate(years_sizes(assembly.problem)):
        most = [
            np.bincount(one.pool, weights=sizes.port[one.port])[one.end] / one.ratio
            for one in (classes.givers, classes.takers)
        ]
        column = added.add_columns(np.minimum(*most), goal.weights[layout.columns["arc", year]][classes.lead])
        carried.append(column)
        _limits(added, assembly, classes, column, year)
        given.append(_side(added, assembly, classes.givers, column, sizes.port, year))
        taken.append(_side(added, assembly, classes.takers, column, sizes.port, year))
    wide = Objective(goal.name, np.concatenate([goal.weights[kept], *added.weights]), goal.constant)
    return Pools(assembly, classes, _widened(assembly, kept, added), wide, kept, *map(tuple, (carried, given, taken)))


def _limits(added: _Added, assembly: Assembly, classes: Classes, column: Ints, year: int) -> None:
    """Count what is carried in the limits of a year, as the first of its arcs does."""
    owner, first = assembly.layout.owner["arc"][classes.lead], assembly.rows["limit", year].start
    for number, limit in enumerate(assembly.problem.years[year].limits):
        value = np.where(limit.within[owner], limit.form.arc[classes.lead], 0.0)
        added.put(np.full(column.size, first + number), column, value)


def _side(added: _Added, assembly: Assembly, side: Side, column: Ints, size: Floats, year: int) -> Ints:
    """Write the pools of one side in a year; returns the column of each member, -1 where it is alone."""
    ports = assembly.problem.network.ports
    balance = assembly.rows["port", year].start + np.cumsum(~ports.natural) - 1
    first, several = side.first, np.flatnonzero(~side.alone)
    member, one = np.full(side.port.size, -1), np.ones(several.size)
    member[several] = added.add_columns(size[side.port[several]], np.zeros(several.size))
    shared = np.unique(side.pool[several])
    row, sign = balance[side.port[first]], np.full(first.size, side.sign)
    reach = np.bincount(side.pool, weights=size[side.port]).astype(np.float64)
    row[shared] = added.add_rows(reach[shared])
    sign[shared] = -1.0
    added.put(row[side.end], column, sign[side.end] * side.ratio)
    added.put(row[side.pool[several]], member[several], one)
    added.put(balance[side.port[several]], member[several], side.sign * one)
    cap = assembly.rows["cap", year].start + side.cap
    bound = several[side.cap[several] >= 0]
    added.put(cap[bound], member[bound], side.weight[bound])
    lead = first[side.end]
    bound = np.flatnonzero((member[lead] < 0) & (side.cap[lead] >= 0))
    added.put(cap[lead[bound]], column[bound], side.weight[lead[bound]] * side.ratio[bound])
    return member


def _widened(assembly: Assembly, kept: Ints, added: _Added) -> Program:
    """Return the programme of the columns kept and of what is added."""
    program, zeros = assembly.program, np.zeros(added.columns - kept.size)
    upper = np.concatenate(added.upper)
    scale = np.where(upper > 0, upper, 1.0)
    row_scale = np.concatenate([assembly.row_scale, *added.row_scale])
    row, column, value = (np.concatenate(part) for part in zip(*added.entries, strict=True))
    column = column - kept.size
    entries = (value * scale[column] / row_scale[row], (row, column))
    right = csr_array(coo_array(entries, shape=(added.rows, zeros.size)))
    closed = np.zeros(added.rows - program.row_lower.size)
    left = vstack([program.matrix[:, kept], csr_array((closed.size, kept.size))], format="csr")
    return Program(
        matrix=csr_array(hstack([left, right], format="csr")),
        row_lower=np.concatenate([program.row_lower, closed]),
        row_upper=np.concatenate([program.row_upper, closed]),
        lower=np.concatenate([program.lower[kept], zeros]),
        upper=np.concatenate([program.upper[kept], upper / scale]),
        integer=np.concatenate([program.integer[kept], zeros > 0]),
        scale=np.concatenate([program.scale[kept], scale]),
    )
