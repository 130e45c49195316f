"""One figure from many criteria: weighted sum, geometric mean, TOPSIS, VIKOR; ranks and obstacles."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cyclopolis.foundation.topsis import ideal_distances, topsis

__all__ = [
    "Vikor",
    "geometric",
    "group_obstacles",
    "ideal_distances",
    "obstacle_degree",
    "ranks",
    "topsis",
    "vikor",
    "weighted_sum",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_ONE = 1e-6
"""How far a sum of weights may be from one."""


def _shares(weights: npt.ArrayLike) -> Floats:
    shares = np.asarray(weights, dtype=np.float64)
    if not np.all(shares >= 0) or not np.allclose(shares.sum(axis=-1), 1.0, rtol=0, atol=_ONE):
        raise ValueError("weights must be zero or more and their sum one")
    return shares


def weighted_sum(scores: npt.ArrayLike, weights: npt.ArrayLike) -> Floats:
    """Return the weighted mean of scores.

    Parameters
    ----------
    scores : array, shape (..., N, K)
    weights : array, shape (K,) or (..., K)
        Sum 1.

    Returns
    -------
    array, shape (..., N)

    Raises
    ------
    ValueError
        If a weight is negative or the sum is not one.

    Examples
    --------
    >>> weighted_sum([[1.0, 0.0], [0.5, 0.5]], [0.25, 0.75]).tolist()
    [0.25, 0.5]
    """
    values, shares = np.asarray(scores, dtype=np.float64), _shares(weights)
    if values.ndim == 2:
        return np.asarray(shares @ values.T)
    return np.asarray(np.matmul(values, shares[..., None])[..., 0])


def geometric(scores: npt.ArrayLike, weights: npt.ArrayLike) -> Floats:
    """Return the weighted geometric mean of scores: one zero of weight makes the whole zero.

    Parameters
    ----------
    scores : array, shape (..., N, K)
        Zero or more.
    weights : array, shape (K,) or (..., K)
        Sum 1.

    Raises
    ------
    ValueError
        If a score or a weight is negative or the sum of weights is not one.

    Examples
    --------
    >>> geometric([[4.0, 9.0], [0.0, 5.0]], [0.5, 0.5]).round(9).tolist()
    [6.0, 0.0]
    """
    values, shares = np.asarray(scores, dtype=np.float64), _shares(weights)
    if np.any(values < 0):
        raise ValueError("a geometric mean needs scores of zero or more")
    zero = (values == 0) & (shares[..., None, :] > 0)
    logs = np.log(np.where(values > 0, values, 1.0))
    means = np.matmul(logs, shares[..., None])[..., 0]
    return np.where(zero.any(axis=-1), 0.0, np.exp(means))


@dataclass(frozen=True)
class Vikor:
    """VIKOR's group utility S, individual regret R and compromise Q, each (..., N); less is better."""

    s: Floats
    r: Floats
    q: Floats


def vikor(matrix: npt.ArrayLike, weights: npt.ArrayLike, benefit: npt.ArrayLike, share: float = 0.5) -> Vikor:
    """Rank by compromise between the many and the worst off.

    With f* and f- the best and worst of each criterion, S sums w (f* - f) / (f* - f-), R takes the largest term, and
    Q = v (S - S*) / (S- - S*) + (1 - v) (R - R*) / (R- - R*).

    Parameters
    ----------
    matrix : array, shape (..., N, K)
    weights : array, shape (K,) or (..., K)
        Sum 1.
    benefit : array of bool, shape (K,)
    share : float
        v, the weight of the group's utility.

    References
    ----------
    Opricovic and Tzeng (2004), European Journal of Operational Research 156(2) 445-455.

    Examples
    --------
    >>> vikor([[1, 9], [2, 5], [3, 1]], [0.5, 0.5], [True, True]).r.tolist()
    [0.5, 0.25, 0.5]
    """
    values, shares = np.asarray(matrix, dtype=np.float64), _shares(weights)
    better = np.asarray(benefit, dtype=np.bool_)
    high, low = values.max(axis=-2, keepdims=True), values.min(axis=-2, keepdims=True)
    width = np.where(high > low, high - low, 1.0)
    lost = shares[..., None, :] * np.where(better, high - values, values - low) / width
    s, r = lost.sum(axis=-1), lost.max(axis=-1)
    return Vikor(s, r, share * _from_least(s) + (1 - share) * _from_least(r))


def _from_least(values: Floats) -> Floats:
    low, high = values.min(axis=-1, keepdims=True), values.max(axis=-1, keepdims=True)
    return np.asarray((values - low) / np.where(high > low, high - low, 1.0))


def ranks(scores: npt.ArrayLike, *, ascending: bool = False) -> Ints:
    """Return ranks from 1 (highest, or lowest where ``ascending``); equal scores share the better rank.

    Examples
    --------
    >>> ranks([0.2, 0.9, 0.9, 0.1]).tolist()
    [3, 1, 1, 4]
    """
    values = np.asarray(scores, dtype=np.float64)
    signed = values if ascending else -values
    order = np.sort(signed, axis=-1)
    if signed.ndim == 1:
        return np.searchsorted(order, signed, side="left").astype(np.int64) + 1
    flat, sorted_rows = signed.reshape(-1, signed.shape[-1]), order.reshape(-1, signed.shape[-1])
    found = [np.searchsorted(line, row, side="left") + 1 for line, row in zip(sorted_rows, flat, strict=True)]
    return np.array(found, dtype=np.int64).reshape(signed.shape)


def obstacle_degree(scores: npt.ArrayLike, weights: npt.ArrayLike) -> Floats:
    """Return what holds each place back: the share of each criterion in the distance to the ideal.

    O_j = w_j (1 - x_j) / sum_k w_k (1 - x_k).

    Parameters
    ----------
    scores : array, shape (..., N, K)
        From 0 to 1, 1 is ideal; NaN (unknown) has no share.
    weights : array, shape (K,) or (..., K)
        Zero or more; only their ratios matter.

    Returns
    -------
    array, shape (..., N, K)
        Sum 1 over the criteria; zeros where every score is ideal.

    Examples
    --------
    >>> obstacle_degree([[0.5, 1.0, 0.0]], [0.4, 0.3, 0.3]).round(2).tolist()
    [[0.4, 0.0, 0.6]]
    """
    values, shares = np.asarray(scores, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    held = np.nan_to_num(shares[..., None, :] * (1.0 - values), nan=0.0)
    total = held.sum(axis=-1, keepdims=True)
    return np.where(total > 0, held / np.where(total > 0, total, 1.0), 0.0)


def group_obstacles(obstacles: npt.ArrayLike, groups: npt.ArrayLike, count: int) -> Floats:
    """Return obstacles summed by dimension.

    Parameters
    ----------
    obstacles : array, shape (..., N, K)
    groups : array of int, shape (K,)
        Dimension of each criterion, from 0 to ``count - 1``.
    count : int

    Returns
    -------
    array, shape (..., N, count)

    Examples
    --------
    >>> group_obstacles([[0.4, 0.1, 0.5]], [0, 1, 0], 2).round(2).tolist()
    [[0.9, 0.1]]
    """
    places = np.asarray(groups, dtype=np.int64)
    return np.asarray(np.asarray(obstacles, dtype=np.float64) @ np.eye(count)[places])
