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

from cyclopolis.design.crew import Crew
from cyclopolis.design.ends import Ends, find_ends
from cyclopolis.design.floored import Floored, FrontOptions, with_floors
from cyclopolis.design.front_search import Point, Search, Unexplored
from cyclopolis.design.kept import Kept
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Answer, Objective, Program
from cyclopolis.design.sharpen import ask, point_of, sharpen
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.text import message
from cyclopolis.network.model import Floats

AHEAD = 8
"""Floors handed out before the oldest answer is taken in; fixed, so that threads change no front."""
_TICK = 0.1
"""Seconds between two looks at the clock while solves run."""


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


def _search(ends: Ends, options: FrontOptions) -> Search:
    """Return a search that knows the ends of the front; at first only their bounds tell what they could still gain."""
    search = Search(ends.points, ends.bounds, options.gap, options.resolution, options.augment)
    most = search.total(ends.bounds)
    search.points = [replace(point, gap=search.gap_of(point.values, most)) for point in search.points]
    return search


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
        self.objective = Objective("front", np.asarray(weights), float(search.weights @ constants) + search.offset)
        self.tally = _Tally()

    def _solve(self, kept: Kept, floors: Floats, start: Floats) -> Answer:
        every = np.concatenate([[-np.inf], floors])
        gap = 0.5 * self._options.gap * float(self._search.span[0])
        return ask(kept, self._floored, self.objective, every, start, gap, self._options.seconds_each)

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

    def finished(self) -> Iterator[Point]:
        """Yield the points found since the last call, in whatever order they came."""
        for _, future in self._waiting:
            if future.done() and not future.cancelled() and future not in self._told:
                self._told.add(future)
                point = point_of(future.result(), self._floored, self._search)
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
        point = point_of(answer, self._floored, self._search)
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
    >>> from scipy.sparse import csr_array
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
    solving = SolveOptions(options.gap, options.seconds_each, threads=1, seed=options.seed, heuristics=False)
    search: Search | None = None
    line: _Line | None = None
    status = "complete"
    names = tuple(objective.name for objective in objectives)
    try:
        with Crew(floored.program, solving, options.threads) as crew:
            ends = find_ends(crew, floored, options, sink, progress)
            if not ends.points:
                return Front(names, ends.status, (), np.zeros(0), None, 0, 0, 0, time.monotonic() - begin)
            search = _search(ends, options)
            line = _Line(search, crew, floored, options)
            line.tally.solves = ends.solves
            status = _walk(line, search, options, begin, sink, progress)
            until = begin + options.time_limit
            line.tally.solves += sharpen(crew, floored, search, line.objective, options, until, sink, progress)
    except KeyboardInterrupt:
        if search is None:
            raise
        status = "interrupted"
        if line is not None:
            line.drain()
    ordered = sorted(search.points, key=lambda point: tuple(-point.values))
    tally = _Tally() if line is None else line.tally
    return Front(
        names, status, tuple(ordered), search.ideal, search.unexplored(),
        tally.solves, tally.empty, tally.repeated, time.monotonic() - begin,
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
