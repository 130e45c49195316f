"""Which point of a front to look at first: its knee, and the compromise nearest to the ideal."""

from dataclasses import dataclass

import numpy as np

from cyclopolis.foundation.topsis import topsis
from cyclopolis.network.model import Floats


@dataclass(frozen=True)
class Compromise:
    """Bulge (N,) and closeness (N,) of every point of a front, and the positions of the greatest of each."""

    bulge: Floats
    closeness: Floats
    knee: int
    nearest: int


def shares(values: Floats) -> Floats:
    """Return objectives (N, p) as shares of their range on the front: 0 at the worst, 1 at the best.

    Examples
    --------
    >>> shares(np.array([[10.0, 0.0], [30.0, -8.0]])).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    low, span = values.min(axis=0), np.ptp(values, axis=0)
    return np.asarray((values - low) / np.where(span > 0, span, 1.0))


def bulge(values: Floats) -> Floats:
    """Return how far each point lies beyond the plane through the best points of each objective (N,).

    In shares of the ranges. Where those points span no plane, the one on which shares sum to one is taken.

    References
    ----------
    Das, I. (1999): On characterizing the "knee" of the Pareto curve based on normal-boundary intersection. Struct.
    Optim. 18, 107-115.

    Examples
    --------
    >>> bulge(np.array([[0.0, 4.0], [3.0, 3.0], [4.0, 0.0]])).round(4).tolist()
    [0.0, 0.3536, 0.0]
    """
    share = shares(values)
    count = share.shape[1]
    # the best point of each objective, the one that is better in the rest where several are
    ends = np.array(
        [share[max(range(len(share)), key=lambda at: (share[at, k], share[at].sum()))] for k in range(count)]
    )
    normal = np.ones(count)
    if np.linalg.matrix_rank(ends, tol=1e-9) == count:
        found = np.linalg.solve(ends, np.ones(count))
        normal = found if (found > 0).all() else normal
    return np.asarray((share @ normal - 1.0) / np.linalg.norm(normal))


def compromise(values: Floats, weights: Floats | None = None) -> Compromise:
    """Return knee and nearest compromise of a front.

    Closeness is that of TOPSIS over what each objective is above its worst value on the front, so that where an
    objective's nought lies changes nothing.

    Parameters
    ----------
    values : ndarray
        Objectives of the points (N, p), all to be great.
    weights : ndarray, optional
        Weights of the objectives (p,) for the closeness; equal without.

    Returns
    -------
    Compromise
        Of points alike the first counts.

    Examples
    --------
    >>> found = compromise(np.array([[0.0, 4.0], [3.0, 3.0], [4.0, 0.0]]))
    >>> found.knee, found.nearest
    (1, 1)
    """
    if len(values) == 1:
        return Compromise(np.zeros(1), np.ones(1), 0, 0)
    weights = np.ones(values.shape[1]) if weights is None else weights
    close = topsis(values - values.min(axis=0), weights, np.ones(values.shape[1], dtype=np.bool_))
    beyond = bulge(values)
    return Compromise(beyond, close, int(np.argmax(beyond)), int(np.argmax(np.nan_to_num(close, nan=-1.0))))
