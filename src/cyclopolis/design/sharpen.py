"""What time is left once a front is there narrows the gaps of the points that time cut short."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from cyclopolis.design.crew import Crew
from cyclopolis.design.floored import LEAST_SECONDS, Floored, FrontOptions
from cyclopolis.design.front_search import Point, Search
from cyclopolis.design.kept import Kept
from cyclopolis.design.program import Answer, Objective
from cyclopolis.foundation.progress import Progress
from cyclopolis.foundation.text import message
from cyclopolis.network.model import Floats

ROUNDED = 1e-6
"""Share of the ranges by which a point is held below what it reaches, for rounding's sake."""


def sharpen(
    crew: Crew,
    floored: Floored,
    search: Search,
    objective: Objective,
    options: FrontOptions,
    until: float,
    sink: Callable[[Point], None],
    progress: Progress,
) -> int:
    """Ask again for the points whose gap is wider than asked for, each held at what it reaches in every objective.

    What is found there beats the point and takes its place; the bound says how much a design could still gain without
    losing anything. All of them share the time left; who needs less leaves it to the next round.

    Parameters
    ----------
    crew, floored, search, options
        Of the front; ``search`` is changed.
    objective : Objective
        What a box is solved for.
    until : float
        When to stop, by `time.monotonic`.
    sink : callable
        Gets every point that takes another's place.
    progress : Progress
        Told after every answer.

    Returns
    -------
    int
        Number of solves.
    """
    solves, cut_short = 0, True
    while cut_short:
        wide = sorted((point for point in search.points if not point.gap <= options.gap), key=lambda one: -one.gap)
        left = until - time.monotonic()
        if not wide or left < LEAST_SECONDS:
            break
        seconds = min(max(left * options.threads / len(wide), LEAST_SECONDS), left)
        futures = [
            crew.submit(partial(_again, point=point, floored=floored, objective=objective, search=search,
                                options=options, seconds=seconds))
            for point in wide
        ]  # fmt: skip
        cut_short = False
        for number, (point, future) in enumerate(zip(wide, futures, strict=True)):
            answer = future.result()
            solves += 1
            cut_short |= answer.status == "time_limit"
            better = point_of(answer, floored, search)
            if search.sharpen(point, better, answer.bound) and better is not None:
                sink(better)
            progress(message("front.stage_gaps", left=len(wide) - number - 1), (number + 1) / len(wide))
    return solves


def point_of(answer: Answer, floored: Floored, search: Search) -> Point | None:
    """Return what an answer found as a point of the front, None when nothing."""
    if not answer.natural.size:
        return None
    values = np.array([objective.value(answer.natural) for objective in floored.objectives])
    return Point(values, answer.natural, search.gap_of(values, answer.bound), answer.seconds)


def ask(
    kept: Kept,
    floored: Floored,
    objective: Objective,
    floors: Floats,
    start: Floats,
    gap: float,
    seconds: float,
) -> Answer:
    """Maximise an objective with every objective held above its floor (p,), afresh from a start (V,)."""
    every, free = np.arange(floors.size), np.full(floors.size, np.inf)
    kept.restart()
    kept.set_objective(objective)
    kept.set_rows(floored.rows, floored.bound(every, floors), free)
    return kept.solve(start, gap=0.0, absolute_gap=gap, time_limit=seconds)


def _again(
    kept: Kept,
    point: Point,
    floored: Floored,
    objective: Objective,
    search: Search,
    options: FrontOptions,
    seconds: float,
) -> Answer:
    floors = point.values - ROUNDED * search.span
    gap = 0.5 * options.gap * float(search.span[0])
    return ask(kept, floored, objective, floors, point.natural, gap, seconds)
