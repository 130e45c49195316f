"""Ranking by closeness to the ideal (TOPSIS), for every floor that ranks: designs among designs, parks among parks."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_PIECE = 1 << 15
"""Numbers handled at a time: a quarter of a megabyte."""
_SMALL = 1e-100
"""Values outside this and its inverse are scaled first, because their squares would leave the range of numbers."""


def topsis(matrix: npt.ArrayLike, weights: npt.ArrayLike, benefit: npt.ArrayLike) -> Floats:
    """Return how close each alternative is to the ideal one: 1 at the ideal, 0 at the anti-ideal.

    The closeness is D- / (D+ + D-), with the distances of `ideal_distances`.

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
    plus, minus = ideal_distances(matrix, weights, benefit)
    total = np.add(plus, minus, out=plus)
    return np.where(total > 0, minus / np.where(total > 0, total, 1.0), np.nan)


def ideal_distances(matrix: npt.ArrayLike, weights: npt.ArrayLike, benefit: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return the distances of each alternative to the ideal and to the anti-ideal.

    Columns are divided by their Euclidean norm (vector normalisation) and weighted; D+ is the Euclidean distance to the
    best value of each column, D- to the worst.

    Parameters
    ----------
    matrix, weights, benefit : array
        As in `topsis`; the distances are proportional to the weights.

    Returns
    -------
    D+, D- : array of float, shape (..., N)

    Raises
    ------
    ValueError
        As in `topsis`.

    Examples
    --------
    >>> plus, minus = ideal_distances([[5, 8, 4], [7, 6, 8], [8, 8, 6], [7, 4, 6]], [0.3, 0.4, 0.3], [True] * 3)
    >>> plus.round(4).tolist(), minus.round(4).tolist()
    ([0.1175, 0.0635, 0.0487, 0.1307], [0.1193, 0.1223, 0.1446, 0.0655])
    """
    values = np.asarray(matrix, dtype=np.float64)
    shares = np.asarray(weights, dtype=np.float64)
    better = np.asarray(benefit, dtype=np.bool_)
    if values.ndim < 2 or shares.ndim < 1 or shares.shape[-1] != values.shape[-1] or better.shape != values.shape[-1:]:
        raise ValueError(f"matrix {values.shape}, weights {shares.shape}, benefit {better.shape} do not fit")
    if not np.all(shares >= 0) or not np.all(np.isfinite(shares)) or not np.all(shares.any(axis=-1)):
        raise ValueError("weights must be zero or more, and not all zero")
    high, low = values.max(axis=-2), values.min(axis=-2)
    size = np.maximum(np.abs(high), np.abs(low))
    if not np.all((size == 0) | ((size > _SMALL) & (size < 1 / _SMALL))):
        divisor = np.where(size > 0, size, 1.0)
        values, high, low = values / divisor[..., None, :], high / divisor, low / divisor
    norm = np.einsum("...nk,...nk->...k", values, values)
    importance = np.square(shares) / np.where(norm > 0, norm, 1.0)
    best, worst = np.where(better, high, low), np.where(better, low, high)
    return _distances(values, best, importance), _distances(values, worst, importance)


def _distances(values: Floats, end: Floats, importance: Floats) -> Floats:
    """Return weighted distances; one table is worked through in pieces that stay in the processor's cache.

    Many draws of weights over one table are matrix products.
    """
    if values.ndim > 2:
        gap = values - end[..., None, :]
        np.square(gap, out=gap)
        return np.asarray(np.sqrt(np.matmul(gap, importance[..., None])[..., 0]))
    draws = importance.reshape(-1, importance.shape[-1])
    found = np.empty((len(draws), len(values)))
    step = max(1, _PIECE // max(len(draws), values.shape[1], 1))
    piece = np.empty((min(step, len(values)), values.shape[1]))
    for start in range(0, len(values), step):
        rows = values[start : start + step]
        gap = np.subtract(rows, end, out=piece[: len(rows)])
        np.multiply(gap, gap, out=gap)
        found[:, start : start + step] = draws @ gap.T
    return np.sqrt(found, out=found).reshape(*importance.shape[:-1], len(values))
