"""What of a front is still unexplored: boxes of floors below which no objective may fall.

A front over objectives ``f1 .. fp`` is looked for by solving, for floors ``e`` over the last ``k = p - 1`` objectives::

    V(e) = max  f1 + small weights * (f2 .. fp)   subject to   f2 >= e2, ..., fp >= ep

A solution ``p`` of that is the best for all floors between ``e`` and its own ``(f2 .. fp)``: nothing is left to find
there. If there is none, nothing is left above ``e`` at all. What remains is kept as disjoint boxes
``lower < e <= upper``, each with a bound on V, which never rises with ``e``.
"""

from dataclasses import dataclass, replace

import numpy as np

from cyclopolis.network.model import Bools, Floats


@dataclass(frozen=True)
class Boxes:
    """Disjoint boxes of floors: lower and upper corners (B, k) and what V is at most in each (B,).

    ``lower`` may be minus infinity: no floor at all. ``again`` (B,) marks boxes where looking in the middle found a
    point that was known: there the front moves in steps, and the lower corner says at once whether anything is left.

    Examples
    --------
    >>> boxes = Boxes(np.array([[0.0]]), np.array([[10.0]]), np.array([9.0]), np.array([False]))
    >>> left = boxes.split(np.array([5.0])).explored(np.array([5.0]), np.array([7.0]), 6.0)
    >>> left.lower.ravel().tolist(), left.upper.ravel().tolist(), left.bound.tolist()
    ([0.0, 7.0], [5.0, 10.0], [9.0, 6.0])
    """

    lower: Floats
    upper: Floats
    bound: Floats
    again: Bools

    def __len__(self) -> int:
        """Return how many boxes there are."""
        return self.bound.size

    def take(self, chosen: Bools) -> "Boxes":
        """Return some of the boxes (B,)."""
        return Boxes(self.lower[chosen], self.upper[chosen], self.bound[chosen], self.again[chosen])

    def join(self, other: "Boxes") -> "Boxes":
        """Return these boxes and then the others."""
        return Boxes(
            np.concatenate([self.lower, other.lower]),
            np.concatenate([self.upper, other.upper]),
            np.concatenate([self.bound, other.bound]),
            np.concatenate([self.again, other.again]),
        )

    def cut(self, dimension: int, at: float, chosen: Bools) -> tuple["Boxes", "Boxes"]:
        """Return the parts of the chosen boxes below and above a floor in one dimension."""
        some = self.take(chosen)
        below, above = some.lower[:, dimension] < at, some.upper[:, dimension] > at
        low, high = some.take(below), some.take(above)
        upper, lower = low.upper.copy(), high.lower.copy()
        upper[:, dimension] = np.minimum(upper[:, dimension], at)
        lower[:, dimension] = np.maximum(lower[:, dimension], at)
        return Boxes(low.lower, upper, low.bound, low.again), Boxes(lower, high.upper, high.bound, high.again)

    def split(self, at: Floats, again: bool = False) -> "Boxes":
        """Return the boxes, the one around ``at`` (k,) cut through it in every dimension."""
        inside: Bools = np.all(self.lower <= at, axis=1) & np.all(self.upper > at, axis=1)
        rest, parts = self.take(~inside), self.take(inside)
        parts = replace(parts, again=np.full(len(parts), again))
        for dimension, floor in enumerate(at.tolist()):
            low, high = parts.cut(dimension, floor, np.ones(len(parts), dtype=np.bool_))
            parts = low.join(high)
        return rest.join(parts)

    def explored(self, start: Floats, end: Floats, bound: float) -> "Boxes":
        """Return what is left when floors from ``start`` to ``end`` (k,) are settled and V(start) <= ``bound``."""
        touched: Bools = np.all(self.upper > start, axis=1) & np.all(self.lower < end, axis=1)
        left, core = self.take(~touched), self.take(touched)
        for dimension in range(start.size):
            below, core = core.cut(dimension, float(start[dimension]), np.ones(len(core), dtype=np.bool_))
            core, above_end = core.cut(dimension, float(end[dimension]), np.ones(len(core), dtype=np.bool_))
            left = left.join(below).join(above_end)
        above = (left.lower >= start).all(axis=1)
        return replace(left, bound=np.where(above, np.minimum(left.bound, bound), left.bound))
