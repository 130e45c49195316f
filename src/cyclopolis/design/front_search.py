"""The state of a search for a front: points known, boxes left, where to look next.

Pure bookkeeping over objective values; nothing here solves. See `boxes` for what a box is, `front` for who drives this.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cyclopolis.design.boxes import Boxes
from cyclopolis.network.model import Bools, Floats

SAME = 1e-7
"""Share of an objective's range within which two values are the same."""
GAINED = 1e-5
"""Share of the first objective's range by which a point must be better to take another's place: more than rounding."""
DEEPER = 0.1
"""Share of the first objective's range by which it is thought to fall at most below all that is known."""


@dataclass(frozen=True)
class Point:
    """One solution of a front.

    ``values`` (p,) are the objectives, all to be great; ``natural`` (V,) the amounts behind them. ``gap`` bounds what
    another solution could gain without losing anything: its gain in the first objective, plus ``augment`` times those
    in the others, each as a share of the objective's range.
    """

    values: Floats
    natural: Floats
    gap: float
    seconds: float


@dataclass(frozen=True)
class Unexplored:
    """The largest box in which points of the front may still hide.

    Corners over all objectives (p,), and its volume as a share of the box around the whole front.
    """

    lower: Floats
    upper: Floats
    share: float


@dataclass
class Search:
    """Points known so far and floors not yet settled.

    Parameters
    ----------
    payoff : sequence of Point
        The best point of each objective, in their order.
    ideal : ndarray
        Proven upper bounds of the objectives (p,).
    gap, resolution, augment : float
        Gap asked for and least side of a box, as shares of the ranges; weight of the objectives after the first.
    """

    payoff: Sequence[Point]
    ideal: Floats
    gap: float
    resolution: float
    augment: float
    points: list[Point] = field(default_factory=list)

    def __post_init__(self) -> None:
        values = np.array([point.values for point in self.payoff])
        self.lowest, top = values.min(axis=0), values.max(axis=0)
        self.span = np.where(top - self.lowest > SAME * np.abs(top), top - self.lowest, np.maximum(np.abs(top), 1.0))
        self.weights = self.augment * self.span[0] / self.span
        self.weights[0] = 1.0
        self.offset = -float(self.weights[1:] @ top[1:])
        floors = self.span.size - 1
        most = float(self.weights @ np.maximum(self.ideal, top)) + self.offset
        self.boxes = Boxes(
            np.full((1, floors), -np.inf), top[None, 1:].copy(), np.array([most]), np.zeros(1, dtype=np.bool_)
        )
        self.aside = self.boxes.take(np.zeros(1, dtype=np.bool_))
        for point in self.payoff:
            self._add(point)

    def total(self, values: Floats) -> float:
        """Return the objective of a box: the first one and a little of the others, nought off at their best."""
        return float(self.weights @ values) + self.offset

    def gap_of(self, values: Floats, bound: float) -> float:
        """Return by how much more a box's objective might be than it is at a point, as a share of the first range."""
        return max(bound - self.total(values), 0.0) / float(self.span[0])

    def _add(self, point: Point) -> bool:
        """Keep a point unless one as good is known; drop those that it beats. Return whether it is kept."""
        slack = SAME * self.span
        if any((known.values >= point.values - slack).all() for known in self.points):
            return False
        self.points = [known for known in self.points if not (point.values >= known.values - slack).all()]
        self.points.append(point)
        self.lowest = np.minimum(self.lowest, point.values)
        return True

    def _best(self, floors: Floats) -> Point | None:
        """Return the best known point at or above some floors (k,)."""
        slack = SAME * self.span[1:]
        able = [point for point in self.points if (point.values[1:] >= floors - slack).all()]
        return max(able, key=lambda point: self.total(point.values)) if able else None

    def start(self, floors: Floats) -> Floats:
        """Return the amounts (V,) of a known point to start from: the best above the floors, else the nearest."""
        best = self._best(floors)
        if best is None:
            short = [np.maximum((floors - point.values[1:]) / self.span[1:], 0.0).max() for point in self.points]
            best = self.points[int(np.argmin(short))]
        return best.natural

    def _sides(self, boxes: Boxes) -> Floats:
        """Return the sides of boxes (B, k) as shares of the ranges; without a floor, from the lowest value known."""
        low = np.maximum(boxes.lower, self.lowest[1:])
        sides: Floats = np.maximum(boxes.upper - low, 0.0) / self.span[1:]
        return sides

    def _heights(self, boxes: Boxes) -> Floats:
        """Return what V may still differ by in each box (B,), as a share of the first objective's range.

        Where no solution is known to reach the upper corner, the first objective may fall below all that is known.
        """
        slack = SAME * self.span[1:]
        values = np.array([point.values for point in self.points])
        totals = values @ self.weights + self.offset
        able = (values[None, :, 1:] >= boxes.upper[:, None, :] - slack).all(axis=2)
        lowest = min(float(totals.min()), float(boxes.bound.min(initial=np.inf))) - DEEPER * float(self.span[0])
        known = np.where(able, totals, lowest).max(axis=1, initial=lowest)
        heights: Floats = np.maximum(boxes.bound - known, 0.0) / self.span[0]
        return heights

    def volumes(self, boxes: Boxes) -> Floats:
        """Return the volume of boxes (B,) as a share of the box around the whole front."""
        sides = np.concatenate([self._sides(boxes), self._heights(boxes)[:, None]], axis=1)
        volumes: Floats = np.minimum(sides, 1.0).prod(axis=1)
        return volumes

    def _tidy(self) -> None:
        """Drop boxes in which nothing is left to gain; set those aside that are thinner than the resolution."""
        if not len(self.boxes):
            return
        open_ended = np.isinf(self.boxes.lower)
        thin = ((self._sides(self.boxes) <= self.resolution) & ~open_ended).any(axis=1)
        worth = self._heights(self.boxes) > max(self.gap, SAME)
        self.aside = self.aside.join(self.boxes.take(thin & worth))
        self.boxes = self.boxes.take(~thin & worth)

    def next_floors(self, pending: Sequence[Floats]) -> Floats | None:
        """Return the floors (k,) to solve for next: the middle of the largest box nobody works on, if any."""
        self._tidy()
        boxes = self.boxes
        if not len(boxes):
            return None
        free = np.ones(len(boxes), dtype=np.bool_)
        for floors in pending:
            free &= ~((boxes.lower <= floors) & (floors <= boxes.upper)).all(axis=1)
        if not free.any():
            return None
        # open-ended boxes of no volume come last, widest first
        order = np.lexsort((boxes.lower[:, 0], -self._sides(boxes).max(axis=1), -self.volumes(boxes)))
        at = next(int(box) for box in order if free[box])
        low = np.maximum(boxes.lower[at], self.lowest[1:])
        within = np.minimum(
            0.5 * (boxes.upper[at] - low), self.resolution * self.span[1:] if boxes.again[at] else np.inf
        )
        open_thin = np.isinf(boxes.lower[at]) & (boxes.again[at] | (self._sides(boxes)[at] <= self.resolution))
        floors_next: Floats = np.where(open_thin, -np.inf, low + within)
        return floors_next

    def settle(self, floors: Floats, point: Point | None, bound: float) -> bool:
        """Take in what was found at some floors: a point, or none. Return whether it is new."""
        kept = self._add(point) if point is not None else False
        best = self._best(floors) if point is not None else None
        end = np.full(floors.size, np.inf) if best is None else best.values[1:]
        self.boxes = self.boxes.split(floors, point is not None and not kept).explored(floors, end, bound)
        self.aside = self.aside.explored(floors, end, bound)
        self._tidy()
        return kept

    def sharpen(self, point: Point, better: Point | None, bound: float) -> bool:
        """Take in what was found where a point was held in every objective: a better one, or how good it is.

        Return whether a better one took its place.
        """
        if not any(known is point for known in self.points):
            return False
        if better is not None and self.total(better.values) > self.total(point.values) + GAINED * float(self.span[0]):
            self.points = [known for known in self.points if known is not point]
            return self._add(better)
        if np.isfinite(bound):
            surer = replace(point, gap=min(point.gap, self.gap_of(point.values, bound)))
            self.points = [surer if known is point else known for known in self.points]
        return False

    def give_up(self, floors: Floats) -> None:
        """Set the box around some floors aside: time ran out before anything was known."""
        around: Bools = np.all((self.boxes.lower <= floors) & (floors <= self.boxes.upper), axis=1)
        self.aside = self.aside.join(self.boxes.take(around))
        self.boxes = self.boxes.take(~around)

    def unexplored(self) -> Unexplored | None:
        """Return the largest box left, None when all is settled to the gap."""
        left = self.boxes.join(self.aside)
        left = left.take(self._heights(left) > max(self.gap, SAME)) if len(left) else left
        if not len(left):
            return None
        volumes = self.volumes(left)
        at = int(np.argmax(volumes))
        height = min(float(self._heights(left)[at]), 1.0) * self.span[0]
        top = min(float(left.bound[at]), float(self.ideal[0]))
        low = np.maximum(left.lower[at], self.lowest[1:])
        return Unexplored(
            np.concatenate([[top - height], low]), np.concatenate([[top], left.upper[at]]), float(volumes[at])
        )
