"""Suitability of land for a park: weighted overlay of scaled criteria with hard exclusions. No legal delineation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cyclopolis.foundation.problems import user_error

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WEIGHT_SUM = 1e-6
"""How far weights may sum from one."""


def suitability(
    criteria: Sequence[Floats], weights: Sequence[float | None], worst: Sequence[float], best: Sequence[float],
    excluded: Bools | None = None,
) -> Floats:  # fmt: skip
    """Return how well each cell suits, 0 to 1: ``sum_j w_j clip((x_j - worst_j) / (best_j - worst_j), 0, 1)``.

    Weighted linear combination after Malczewski 1999. An excluded cell has 0, whatever its criteria; a cell of which a
    criterion is unknown is unknown (NaN).

    Parameters
    ----------
    criteria : sequence of ndarray
        Grids of one shape (R, C).
    weights : sequence of float
        They sum to one.
    worst, best : sequence of float
        Value of each criterion that counts 0 and that counts 1; the best may be the smaller one.
    excluded : ndarray of bool, optional
        Cells that no weight can make up for (R, C).

    Raises
    ------
    UserError
        If a weight is missing or negative, weights do not sum to one, or a criterion's ends are equal.

    Examples
    --------
    >>> slope, road = np.array([[0.0, 10.0, 25.0]]), np.array([[500.0, 0.0, 0.0]])
    >>> suitability([slope, road], [0.6, 0.4], [25.0, 1000.0], [0.0, 0.0]).round(3).tolist()
    [[0.8, 0.76, 0.4]]
    """
    known = [weight for weight in weights if weight is not None and np.isfinite(weight) and weight >= 0]
    if len(known) < len(criteria):
        raise user_error("land.weights_missing", given=len(known), wanted=len(criteria))
    if abs(sum(known) - 1.0) > WEIGHT_SUM:
        raise user_error("land.weights_sum", total=f"{sum(known):.6g}")
    if any(low == high for low, high in zip(worst, best, strict=True)):
        raise user_error("land.criterion_flat")
    told = zip(criteria, known, worst, best, strict=True)
    found = sum(weight * np.clip((grid - low) / (high - low), 0.0, 1.0) for grid, weight, low, high in told)
    return np.asarray(found if excluded is None else np.where(excluded, 0.0, found))
