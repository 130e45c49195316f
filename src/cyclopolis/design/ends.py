"""The ends of a front: each objective at its best, then the others, each held (the payoff table)."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import partial

import numpy as np

from cyclopolis.design.crew import Crew
from cyclopolis.design.floored import Floored, FrontOptions
from cyclopolis.design.front_search import Point
from cyclopolis.design.kept import Kept
from cyclopolis.foundation.progress import Progress
from cyclopolis.foundation.text import message
from cyclopolis.network.model import Floats


@dataclass(frozen=True)
class End:
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
) -> End:
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
        return End(status, None, slack, bound)
    values = np.array([objective.value(natural) for objective in floored.objectives])
    return End("optimal", Point(values, natural, np.nan, seconds), slack, bound)


def find_ends(
    crew: Crew, floored: Floored, options: FrontOptions, sink: Callable[[Point], None], progress: Progress
) -> list[End]:
    """Return the best point of each objective in their order, then what was found on the way.

    They are found side by side, each is handed on as soon as it is there. Those whose gap is wider than the ranges
    allow, which are known only when all are there, are looked for once more.
    """
    count = len(floored.objectives)
    ends: dict[int, End] = {}
    on_the_way: dict[int, End] = {}
    for again in (False, True):
        span = span_of(list(ends.values())) if again else None
        tasks = {}
        for first in range(count):
            if span is not None and width_of(ends[first], span) <= options.gap:
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
                on_the_way[first] = ends[first]
            if not again or end.point is not None:
                ends[first] = end
            progress(message("front.stage_ends"), (done + 1) / len(tasks))
        if any(end.point is None for end in ends.values()):
            break
    return [*(ends[first] for first in range(count)), *(end for _, end in sorted(on_the_way.items()))]


def span_of(ends: Sequence[End]) -> Floats:
    """Return the range of each objective over the ends of a front (p,)."""
    values = np.array([end.point.values for end in ends if end.point is not None])
    return np.asarray(np.maximum(np.ptp(values, axis=0), 1e-12))


def width_of(end: End, span: Floats) -> float:
    """Return the gap of an end as a share of the ranges; what its time did not reach counts as wide open."""
    return float(np.max(np.where(np.isnan(end.slack), np.inf, end.slack / span)))


def _as_they_come(futures: Sequence[Future[End]]) -> Iterator[Future[End]]:
    left = set(futures)
    while left:
        done, left = wait(left, return_when=FIRST_COMPLETED)
        yield from done
