"""A programme whose objectives can be held above floors, and how a front is looked for on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from cyclopolis.design.extend import with_rows
from cyclopolis.design.program import Objective, Program
from cyclopolis.network.model import Floats, Ints

SHARE = 0.6
"""Share of its part of the whole time that one solve may take: some find nothing new, and the ends take several."""
LEAST_SECONDS = 2.0
"""A solve gets this many seconds at least."""


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
