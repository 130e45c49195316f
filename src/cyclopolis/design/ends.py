"""The ends of a front: each objective at its best, with a little of the others, all ranges set equal."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from functools import partial

import numpy as np

from cyclopolis.design.crew import Crew
from cyclopolis.design.floored import Floored, FrontOptions
from cyclopolis.design.front_search import Point
from cyclopolis.design.kept import Kept
from cyclopolis.design.program import Answer, Objective
from cyclopolis.foundation.progress import Progress
from cyclopolis.foundation.text import message
from cyclopolis.network.model import Floats

SHRUNK = 0.5
"""Ends are looked for once more when a range turns out to be less than this share of what it was thought to be."""


@dataclass(frozen=True)
class Ends:
    """The ends of a front, in the order of its objectives.

    ``status`` is optimal, or why there are none; ``bounds`` (p,) are proven upper bounds of the objectives, ``solves``
    how many solves it took.
    """

    status: str
    points: tuple[Point, ...]
    bounds: Floats
    solves: int


def find_ends(
    crew: Crew, floored: Floored, options: FrontOptions, sink: Callable[[Point], None], progress: Progress
) -> Ends:
    """Find the best point of each objective, side by side; each is handed on as soon as it is there.

    First each objective is maximised alone, which bounds it and tells about how far the others range. Then each is
    maximised together with ``augment`` times the others, ranges set equal, so that no end is beaten where that costs
    its own objective nothing.
    """
    count = len(floored.objectives)
    alone = [
        future.result()
        for future in [crew.submit(partial(_best, goal=goal, floored=floored, options=options))
                       for goal in floored.objectives]
    ]  # fmt: skip
    bounds = np.array([answer.bound for answer in alone])
    failed = next((answer for answer in alone if not answer.natural.size), None)
    if failed is not None:
        return Ends(failed.status, (), bounds, count)
    points = [_point(answer, floored) for answer in alone]
    solves, span = count, span_of(points)
    while True:
        tasks = {
            crew.submit(partial(_best, goal=_blend(floored, first, span, options.augment), floored=floored,
                                options=options, start=points[first].natural, width=float(span[first]))): first
            for first in range(count)
        }  # fmt: skip
        solves += count
        for done, future in enumerate(_as_they_come(list(tasks))):
            answer = future.result()
            if answer.natural.size:
                points[tasks[future]] = _point(answer, floored)
                sink(points[tasks[future]])
            progress(message("front.stage_ends"), (done + 1) / count)
        known, span = span, span_of(points)
        if (span >= SHRUNK * known).all():
            return Ends("optimal", tuple(points), bounds, solves)


def _best(
    kept: Kept,
    goal: Objective,
    floored: Floored,
    options: FrontOptions,
    start: Floats | None = None,
    width: float | None = None,
) -> Answer:
    """Maximise a goal without any floor; its gap is a share of its range ``width``, else of its value."""
    count = floored.rows.size
    kept.restart()
    kept.set_objective(goal)
    kept.set_rows(floored.rows, np.full(count, -np.inf), np.full(count, np.inf))
    relative, absolute = (options.gap, 0.0) if width is None else (0.0, 0.5 * options.gap * width)
    return kept.solve(start, gap=relative, absolute_gap=absolute, time_limit=options.seconds_each)


def _blend(floored: Floored, first: int, span: Floats, augment: float) -> Objective:
    """Return one objective with a little of the others."""
    share = augment * span[first] / span
    share[first] = 1.0
    goals = floored.objectives
    weights = sum(part * goal.weights for part, goal in zip(share.tolist(), goals, strict=True))
    constant = float(share @ [goal.constant for goal in goals])
    return Objective("end", np.asarray(weights), constant)


def _point(answer: Answer, floored: Floored) -> Point:
    """Return an answer as a point; how much could still be gained there is not known."""
    values = np.array([goal.value(answer.natural) for goal in floored.objectives])
    return Point(values, answer.natural, np.inf, answer.seconds)


def span_of(points: Sequence[Point]) -> Floats:
    """Return the range of each objective over some points (p,); where it does not move, its size."""
    values = np.array([point.values for point in points])
    top = values.max(axis=0)
    span = np.ptp(values, axis=0)
    return np.asarray(np.where(span > 1e-7 * np.abs(top), span, np.maximum(np.abs(top), 1.0)))


def _as_they_come(futures: Sequence[Future[Answer]]) -> Iterator[Future[Answer]]:
    left = set(futures)
    while left:
        done, left = wait(left, return_when=FIRST_COMPLETED)
        yield from done
