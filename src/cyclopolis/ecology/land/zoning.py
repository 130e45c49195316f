"""A proposal of zones on square cells: concentrated industry, mixed blocks, a green margin. No legal delineation.

The rule is simple and stated. Cells of which less than half is left to build on, or that a criterion excludes, stay
out. Cells within the margin of protected ground are the green margin. Industry begins at the cell of the highest
score and grows by the neighbouring cell of the highest score until it has its share of the ground to build on; when
no neighbour is left it begins anew. All others are mixed blocks (living, trade, services and quiet work). Ties go to
the cell that stands first.
"""

import heapq

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

OUT, MARGIN, INDUSTRY, MIXED = 0, 1, 2, 3
ZONES = ("out", "margin", "industry", "mixed")
LEAST_FREE = 0.5
"""Share of a cell that must be left to build on."""


def industry_score(to_industry: Floats, to_living: Floats, far: float) -> Floats:
    """Return how well cells suit industry (N,), 0 to 1: the mean of nearness to industry and distance from living.

    ``score = (1 - min(d_industry, far)/far + min(d_living, far)/far) / 2``; an unknown distance (infinite or NaN)
    counts half (assumed).

    Examples
    --------
    >>> industry_score(np.array([0.0, 500.0]), np.array([1000.0, np.inf]), 1000.0).tolist()
    [1.0, 0.5]
    """
    near = np.where(np.isfinite(to_industry), 1.0 - np.minimum(to_industry, far) / far, 0.5)
    away = np.where(np.isfinite(to_living), np.minimum(to_living, far) / far, 0.5)
    return np.asarray((near + away) / 2)


def zones(
    column: Ints, row: Ints, free: Floats, share: Floats, near_red: Bools, score: Floats, industry_share: float
) -> Ints:
    """Return the zone of each cell (N,): `OUT`, `MARGIN`, `INDUSTRY` or `MIXED`.

    Parameters
    ----------
    column, row : ndarray of int
        Place of the cells in the grid (N,).
    free : ndarray
        Ground left to build on in each cell, m2 (N,).
    share : ndarray
        The same as a share of the cell (N,).
    near_red : ndarray of bool
        Whether a cell lies within the margin of protected ground (N,).
    score : ndarray
        How well cells suit industry (N,); NaN is unknown and comes last.
    industry_share : float
        Share of the ground to build on that industry takes, 0 to 1.

    Examples
    --------
    >>> row, ones = np.zeros(4, dtype=int), np.ones(4)
    >>> score = np.array([0.9, 0.1, 0.2, 0.8])
    >>> zones(np.arange(4), row, ones, ones, np.zeros(4, dtype=bool), score, 0.5).tolist()
    [2, 2, 3, 3]
    """
    zone = np.where(share < LEAST_FREE, OUT, np.where(near_red, MARGIN, MIXED)).astype(np.int64)
    build = np.flatnonzero(zone == MIXED)
    place = {(int(column[cell]), int(row[cell])): int(cell) for cell in build}
    wish = industry_share * float(free[build].sum())
    rank = np.where(np.isnan(score), -1.0, score)
    order = sorted(build.tolist(), key=lambda cell: (-rank[cell], cell))
    taken = 0.0
    for seed in order:
        edge = [(-rank[seed], seed)]
        while edge and taken < wish * (1 - 1e-12):
            _, cell = heapq.heappop(edge)
            if zone[cell] == INDUSTRY:
                continue
            zone[cell] = INDUSTRY
            taken += float(free[cell])
            for east, north in ((0, 1), (1, 0), (0, -1), (-1, 0)):
                beside = place.get((int(column[cell]) + east, int(row[cell]) + north))
                if beside is not None and zone[beside] == MIXED:
                    heapq.heappush(edge, (-rank[beside], beside))
        if taken >= wish * (1 - 1e-12):
            break
    return zone
