"""Ranking by closeness to the ideal (TOPSIS), for every floor that ranks: designs among designs, parks among parks."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_BLOCK = 1 << 22
"""Numbers handled at a time where many draws of weights meet a large table."""


def topsis(matrix: npt.ArrayLike, weights: npt.ArrayLike, benefit: npt.ArrayLike) -> Floats:
    """Return how close each alternative is to the ideal one: 1 at the ideal, 0 at the anti-ideal.

    Columns are divided by their Euclidean norm (vector normalisation) and weighted; with the distances D+ to the best
    and D- to the worst value of each column the closeness is D- / (D+ + D-).

    Parameters
    ----------
    matrix : array, shape (N, K) or (..., N, K)
        Values of N alternatives in K criteria, in any units; leading axes are independent tables (years, draws).
    weights : array, shape (K,) or (..., K)
        Weights of the criteria, zero or more; only their ratios matter. Leading axes are independent draws and meet
        those of the matrix by broadcasting, so one table with D draws gives (D, N).
    benefit : array of bool, shape (K,)
        True where more is better.

    Returns
    -------
    array of float, shape (..., N)
        NaN where it is undefined: all alternatives alike, or a value of the table unknown.

    Raises
    ------
    ValueError
        If the shapes do not fit or a weight is negative, unknown or all are zero.

    References
    ----------
    Hwang, C. L., Yoon, K. (1981): Multiple Attribute Decision Making. Springer.

    Examples
    --------
    The example of Tzeng and Huang (2011):

    >>> table = [[5, 8, 4], [7, 6, 8], [8, 8, 6], [7, 4, 6]]
    >>> topsis(table, [0.3, 0.4, 0.3], [True, True, True]).round(4).tolist()
    [0.5037, 0.6581, 0.7482, 0.334]
    """
    values = np.asarray(matrix, dtype=np.float64)
    shares = np.asarray(weights, dtype=np.float64)
    better = np.asarray(benefit, dtype=np.bool_)
    if values.ndim < 2 or shares.ndim < 1 or shares.shape[-1] != values.shape[-1] or better.shape != values.shape[-1:]:
        raise ValueError(f"matrix {values.shape}, weights {shares.shape}, benefit {better.shape} do not fit")
    totals = shares.sum(axis=-1)
    if not np.all(shares >= 0) or not np.all((totals > 0) & (totals < np.inf)):
        raise ValueError("weights must be zero or more, and not all zero")
    size = np.abs(values).max(axis=-2, keepdims=True)
    values = values / np.where(size > 0, size, 1.0)
    norm = np.einsum("...nk,...nk->...k", values, values)
    importance = np.square(shares / totals[..., None]) / np.where(norm > 0, norm, 1.0)
    high, low = values.max(axis=-2), values.min(axis=-2)
    return _closeness(values, np.where(better, high, low), np.where(better, low, high), importance)


def _closeness(values: Floats, best: Floats, worst: Floats, importance: Floats) -> Floats:
    """Return the closeness; several draws of weights over one table become matrix products, a block at a time."""
    if importance.ndim == 1 or values.ndim > 2:
        plus = np.sqrt(_distance(values, best, importance))
        minus = np.sqrt(_distance(values, worst, importance))
        return _ratio(plus, minus)
    draws = importance.reshape(-1, importance.shape[-1])
    found = np.empty((len(draws), len(values)))
    step = max(1, _BLOCK // max(len(draws), values.shape[-1], 1))
    for start in range(0, len(values), step):
        rows = slice(start, start + step)
        plus = np.sqrt(draws @ np.square(values[rows] - best).T)
        minus = np.sqrt(draws @ np.square(values[rows] - worst).T)
        found[:, rows] = _ratio(plus, minus)
    return found.reshape(*importance.shape[:-1], len(values))


def _distance(values: Floats, end: Floats, importance: Floats) -> Floats:
    gap = values - end[..., None, :]
    np.square(gap, out=gap)
    return np.asarray(np.matmul(gap, importance[..., None])[..., 0])


def _ratio(plus: Floats, minus: Floats) -> Floats:
    total = plus + minus
    return np.where(total > 0, minus / np.where(total > 0, total, 1.0), np.nan)
