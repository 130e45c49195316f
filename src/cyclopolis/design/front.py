"""Fronts over two or three objectives: the best trade-offs of a programme over its whole range, each with a gap.

The augmented epsilon-constraint method (AUGMECON) asks, floor by floor over all objectives but the first, for the
greatest first objective plus a little of the others. Here the floors are no fixed grid: each solve settles every floor
between its own and what its solution reaches, and the next goes to the middle of the largest box still open, so that no
solution is found twice and a box without any is never entered again. Solves run side by side in threads; floors are
handed out and answers taken in in one fixed order, so that the front is the same on any number of threads.

Sources: Mavrotas (2009), Appl. Math. Comput. 213, 455-465; Mavrotas and Florios (2013), Appl. Math. Comput. 219,
9652-9669; Nikas, Fountoulakis, Forouli, Doukas (2020), Oper. Res. Int. J. 22, 1291-1332 (AUGMECON-R).
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.sparse import csr_array

from cyclopolis.design.crew import Crew
from cyclopolis.design.extend import with_rows
from cyclopolis.design.front_search import Point, Search, Unexplored
from cyclopolis.design.kept import Kept
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Answer, Objective, Program
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.text import message
from cyclopolis.network.model import Floats, Ints

AHEAD = 4
"""Floors handed out before the oldest answer is taken in; fixed, so that threads change no front."""
SHARE = 0.6
"""Share of its part of the whole time that one solve may take: some find nothing new, and the ends take several."""
LEAST_SECONDS = 2.0
"""A solve gets this many seconds at least."""
_TICK = 0.1
"""Seconds between two looks at the clock while solves run."""


@dataclass(frozen=True)
class FrontOptions:
    """How fine and how long to look.

    ``points`` wanted; ``gap`` of each point, least side of a box worth entering (``resolution``), both as shares of the
    ranges; ``augment`` is the weight of the objectives after the first, ranges set equal: a trade-off flatter than
    this is not followed. ``time_limit`` (s) is for the whole front, ``solve_limit`` for one solve: without it, a share
    of the whole that leaves time for all points wanted. A solve cut short gives a point with a wider gap.
    """

    points: int = 50
    gap: float = 5e-3
    resolution: float = 1e-2
    augment: float = 1e-2
    time_limit: float = 600.0
    solve_limit: float | None = None
    threads: int = 2
    seed: int = 1

    @property
    def seconds_each(self) -> float:
        """Seconds for one solve."""
        if self.solve_limit is not None:
            return self.solve_limit
        return max(SHARE * self.threads * self.time_limit / self.points, min(LEAST_SECONDS, self.time_limit))


@dataclass(frozen=True)
class Front:
    """Points none of which beats another, best first objective first, and what is not known.

    ``status`` is complete (all boxes settled to gap and resolution), enough (as many points as wanted), time_limit,
    interrupted, infeasible, unbounded or no_solution. ``ideal`` (p,) are proven bounds of the objectives. ``solves``
    counts optimisations, ``empty`` those that found nothing, ``repeated`` those that found what was known.
    """

    names: tuple[str, ...]
    status: str
    points: tuple[Point, ...]
    ideal: Floats
    unexplored: Unexplored | None
    solves: int
    empty: int
    repeated: int
    seconds: float

    @property
    def values(self) -> Floats:
        """Objectives of the points (N, p)."""
        return np.array([point.values for point in self.points]).reshape(len(self.points), len(self.names))


@dataclass(frozen=True)
class Floored:
    """A programme with a row for each objective: ``unit[j]`` times row ``rows[j]``, plus a constant, is objective j."""

    program: Program
    objectives: tuple[Objective, ...]
    rows: Ints
    unit: Floats

    def bound(self, numbers: Ints, floors: Floats) -> Floats:
        """Return the lower bounds of some objectives' rows that hold them above their floors."""
        constants = np.array([self.objectives[number].constant for number in numbers])
        rows: Floats = (floors - constants) / self.unit[numbers]
        return rows


def with_floors(program: Program, objectives: Sequence[Objective]) -> Floored:
    """Add a free row for each objective, of largest coefficient 1, whose lower bound can be raised later."""
    costs = np.array([objective.weights * program.scale for objective in objectives])
    unit = np.maximum(np.abs(costs).max(axis=1), 1e-12)
    rows = np.arange(len(objectives)) + program.row_lower.size
    free = np.full(len(objectives), np.inf)
    taller = with_rows(program, csr_array(costs / unit[:, None]), -free, free)
    return Floored(taller, tuple(objectives), rows, unit)


@dataclass(frozen=True)
class _End:
    """The best point of one objective: its status, and by how much each objective may still be better (p,)."""

    status: str
    point: Point | None
    slack: Floats
    bound: float


def _below(value: float) -> float:
    """Return a floor just below a value reached, for rounding's sake."""
    return value - 1e-7 * max(abs(value), 1.0)


def _end(
    kept: Kept, floored: Floored, first: int, options: FrontOptions, start: Floats, span: Floats | None = None
) -> _End:
    """Maximise one objective, then the others one by one, each held at its best (one row of the payoff table).

    Gaps are shares of the values until the ranges ``span`` (p,) are known, then shares of those.
    """
    count = len(floored.objectives)
    every, free = np.arange(count), np.full(count, np.inf)
    held, slack = np.full(count, -np.inf), np.full(count, np.nan)
    natural, bound, status, seconds = start, np.inf, "optimal", 0.0
    for number in [first, *(other for other in range(count) if other != first)]:
        kept.restart()
        kept.set_objective(floored.objectives[number])
        kept.set_rows(floored.rows, floored.bound(every, held), free)
        relative, width = (options.gap, 0.0) if span is None else (0.0, 0.5 * options.gap * float(span[number]))
        answer = kept.solve(natural, gap=relative, absolute_gap=width, time_limit=options.seconds_each)
        seconds += answer.seconds
        bound = answer.bound if number == first else bound
        if not answer.natural.size:
            status = answer.status
            break
        natural, slack[number] = answer.natural, answer.bound - answer.objective
        held[number] = _below(answer.objective)
    if np.isnan(slack).all():
        return _End(status, None, slack, bound)
    values = np.array([objective.value(natural) for objective in floored.objectives])
    return _End("optimal", Point(values, natural, np.nan, seconds), slack, bound)


def _payoff(
    crew: Crew, floored: Floored, options: FrontOptions, sink: Callable[[Point], None], progress: Progress
) -> list[_End]:
    """Return the best point of each objective in their order, then what was found on the way.

    They are found side by side, each is handed on as soon as it is there. Those whose gap is wider than the ranges
    allow, which are known only when all are there, are looked for once more.
    """
    count = len(floored.objectives)
    ends: dict[int, _End] = {}
    on_the_way: list[_End] = []
    for again in (False, True):
        span = _span(list(ends.values())) if again else None
        tasks = {}
        for first in range(count):
            if span is not None and _width(ends[first], span) <= options.gap:
                continue
            known = ends[first].point if again else None
            start = np.zeros(0) if known is None else known.natural
            task = partial(_end, floored=floored, first=first, options=options, start=start, span=span)
            tasks[crew.submit(task)] = first
        for done, future in enumerate(_as_they_come(list(tasks))):
            end, first = future.result(), tasks[future]
            if end.point is not None:
                sink(end.point)
            if again and end.point is not None:
                on_the_way.append(ends[first])
            if not again or end.point is not None:
                ends[first] = end
            progress(message("front.stage_ends"), (done + 1) / len(tasks))
        if any(end.point is None for end in ends.values()):
            break
    return [*(ends[first] for first in range(count)), *on_the_way]


def _span(ends: Sequence[_End]) -> Floats:
    """Return the range of each objective over the ends of a front (p,)."""
    values = np.array([end.point.values for end in ends if end.point is not None])
    return np.asarray(np.maximum(np.ptp(values, axis=0), 1e-12))


def _width(end: _End, span: Floats) -> float:
    """Return the gap of an end as a share of the ranges; what its time did not reach counts as wide open."""
    return float(np.max(np.where(np.isnan(end.slack), np.inf, end.slack / span)))


def _as_they_come(futures: Sequence[Future[_End]]) -> Iterator[Future[_End]]:
    left = set(futures)
    while left:
        done, left = wait(left, return_when=FIRST_COMPLETED)
        yield from done


def _search(ends: Sequence[_End], count: int, options: FrontOptions) -> Search:
    """Return a search that knows the ends of the front; their gaps become shares of the ranges."""
    points = [end.point for end in ends if end.point is not None]
    ideal = np.array([end.bound for end in ends[:count]])
    values = np.array([point.values for point in points])
    span = _span(ends)
    # where time ran out before an objective's turn came, only its own bound is known
    slacks = [np.where(np.isnan(end.slack), ideal - row, end.slack) for end, row in zip(ends, values, strict=True)]
    gaps = [max(float(np.max(slack / span)), 0.0) for slack in slacks]
    known = [replace(point, gap=gap) for point, gap in zip(points, gaps, strict=True)]
    return Search(known, ideal, options.gap, options.resolution, options.augment)


@dataclass
class _Tally:
    """What the solves brought."""

    solves: int = 0
    empty: int = 0
    repeated: int = 0


class _Line:
    """Hands floors out and takes answers in, in one order that no thread can change.

    Floors are chosen knowing exactly the answers to all but the last `AHEAD` floors handed out before.
    """

    def __init__(self, search: Search, crew: Crew, floored: Floored, options: FrontOptions) -> None:
        self._search, self._crew, self._floored, self._options = search, crew, floored, options
        self._waiting: deque[tuple[Floats, Future[Answer]]] = deque()
        self._told: set[Future[Answer]] = set()
        weights = sum(
            weight * objective.weights for weight, objective in zip(search.weights, floored.objectives, strict=True)
        )
        constants = np.array([objective.constant for objective in floored.objectives])
        self._objective = Objective("front", np.asarray(weights), float(search.weights @ constants) + search.offset)
        self.tally = _Tally()

    def _solve(self, kept: Kept, floors: Floats, start: Floats) -> Answer:
        count = floors.size + 1
        all_floors = np.concatenate([[-np.inf], floors])
        kept.restart()
        kept.set_objective(self._objective)
        kept.set_rows(self._floored.rows, self._floored.bound(np.arange(count), all_floors), np.full(count, np.inf))
        gap = 0.5 * self._options.gap * float(self._search.span[0])
        return kept.solve(start, gap=0.0, absolute_gap=gap, time_limit=self._options.seconds_each)

    def fill(self) -> bool:
        """Hand out floors while there are any and more points are wanted; return whether anything is on its way."""
        while len(self._waiting) < AHEAD and len(self._search.points) + len(self._waiting) < self._options.points:
            floors = self._search.next_floors([pending for pending, _ in self._waiting])
            if floors is None:
                break
            start = self._search.start(floors)
            task = partial(self._solve, floors=floors, start=start)
            self._waiting.append((floors, self._crew.submit(task)))
        return bool(self._waiting)

    def point(self, answer: Answer) -> Point | None:
        """Return what an answer found as a point."""
        if not answer.natural.size:
            return None
        values = np.array([objective.value(answer.natural) for objective in self._floored.objectives])
        gap = max(answer.bound - self._search.total(values), 0.0) / float(self._search.span[0])
        return Point(values, answer.natural, gap, answer.seconds)

    def finished(self) -> Iterator[Point]:
        """Yield the points found since the last call, in whatever order they came."""
        for _, future in self._waiting:
            if future.done() and not future.cancelled() and future not in self._told:
                self._told.add(future)
                point = self.point(future.result())
                if point is not None and future.result().status != "interrupted":
                    yield point

    def take(self) -> bool:
        """Take in the oldest answer if it is there and was handed on; return whether it was."""
        if not (self._waiting and (self._waiting[0][1] in self._told or self._waiting[0][1].cancelled())):
            return False
        floors, future = self._waiting.popleft()
        if future.cancelled():
            self._search.give_up(floors)
            return True
        answer = future.result()
        self.tally.solves += 1
        if answer.status in {"no_solution", "interrupted", "unbounded"}:
            self._search.give_up(floors)
            return True
        point = self.point(answer)
        new = self._search.settle(floors, point, -np.inf if point is None else answer.bound)
        self.tally.empty += point is None
        self.tally.repeated += point is not None and not new
        return True

    def drain(self) -> None:
        """Take in all that is there once nothing runs any more."""
        self._told.update(future for _, future in self._waiting if future.done())
        while self.take():
            pass

    def wait(self) -> None:
        """Wait until one more answer is there, or a moment."""
        wait([future for _, future in self._waiting if future not in self._told], _TICK, FIRST_COMPLETED)


def _nowhere(point: Point) -> None:
    del point


def front(
    program: Program,
    objectives: Sequence[Objective],
    options: FrontOptions | None = None,
    sink: Callable[[Point], None] | None = None,
    progress: Progress = silent,
) -> Front:
    """Find the best trade-offs between two or more objectives, all to be great.

    Parameters
    ----------
    program : Program
        What can be.
    objectives : sequence of Objective
        Two or three; floors are laid on all but the first.
    options : FrontOptions, optional
        How many points, how fine, how long.
    sink : callable, optional
        Gets every point as soon as it is found, in the thread that called `front`; one that a later point beats may
        be among them.
    progress : Progress
        Told after every answer.

    Returns
    -------
    Front
        With Ctrl-C or when time runs out, of what was found until then. None of its points beats another.

    Examples
    --------
    >>> one = np.ones(2)
    >>> program = Program(csr_array([[1.0, 1.0]]), np.array([-np.inf]), np.array([3.0]), 0 * one, 3 * one, one > 0, one)
    >>> found = front(program, [Objective("a", np.array([1.0, 0.0])), Objective("b", np.array([0.0, 1.0]))])
    >>> found.status, found.values.tolist()
    ('complete', [[3.0, 0.0], [2.0, 1.0], [1.0, 2.0], [0.0, 3.0]])
    """
    options = FrontOptions() if options is None else options
    sink = _nowhere if sink is None else sink
    begin = time.monotonic()
    floored = with_floors(program, objectives)
    solving = SolveOptions(gap=options.gap, time_limit=options.seconds_each, threads=1, seed=options.seed)
    search: Search | None = None
    line: _Line | None = None
    status = "complete"
    names = tuple(objective.name for objective in objectives)
    try:
        with Crew(floored.program, solving, options.threads) as crew:
            ends = _payoff(crew, floored, options, sink, progress)
            failed = next((end for end in ends if end.point is None), None)
            if failed is not None:
                return Front(names, failed.status, (), np.zeros(0), None, 0, 0, 0, time.monotonic() - begin)
            search = _search(ends, len(objectives), options)
            line = _Line(search, crew, floored, options)
            status = _walk(line, search, options, begin, sink, progress)
    except KeyboardInterrupt:
        if search is None:
            raise
        status = "interrupted"
        if line is not None:
            line.drain()
    ordered = sorted(search.points, key=lambda point: tuple(-point.values))
    tally = _Tally() if line is None else line.tally
    solves = tally.solves + len(objectives) ** 2
    return Front(
        names, status, tuple(ordered), search.ideal, search.unexplored(),
        solves, tally.empty, tally.repeated, time.monotonic() - begin,
    )  # fmt: skip


def _walk(
    line: _Line,
    search: Search,
    options: FrontOptions,
    begin: float,
    sink: Callable[[Point], None],
    progress: Progress,
) -> str:
    """Solve box after box; return why it ended."""
    while line.fill():
        line.wait()
        for point in line.finished():
            sink(point)
        if line.take():
            done = len(search.points) / options.points
            progress(message("front.stage_points", points=len(search.points), wanted=options.points), min(done, 1.0))
        if time.monotonic() - begin > options.time_limit:
            return "time_limit"
    return "enough" if len(search.points) >= options.points else "complete"
