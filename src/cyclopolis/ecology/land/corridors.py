"""Corridors between sources over a grid of resistance: least-cost paths. No legal delineation.

Least-cost paths after Knaapen et al. 1992 (minimum cumulative resistance).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STRAIGHT = ((0, 1), (1, 0))
_SLANTED = ((1, 1), (1, -1))


def _pairs(shape: tuple[int, int], step: tuple[int, int]) -> tuple[Ints, Ints]:
    """Return the cells that lie one step apart, as numbers in row order."""
    number = np.arange(shape[0] * shape[1], dtype=np.int64).reshape(shape)
    down, right = step
    rows = slice(None, shape[0] - down), slice(down, None)
    ahead = slice(max(-right, 0), shape[1] - max(right, 0)), slice(max(right, 0), shape[1] - max(-right, 0))
    return number[rows[0], ahead[0]].ravel(), number[rows[1], ahead[1]].ravel()


def cost_graph(resistance: Floats, cell: float) -> sparse.csr_matrix:
    """Return the graph of least-cost walking over a grid (cells with NaN are not entered): 8 neighbours.

    A step costs the mean of both resistances times its length.

    Parameters
    ----------
    resistance : ndarray
        Resistance per metre, above 0 (R, C); NaN where nothing passes.
    cell : float
        Side of a cell, m.
    """
    flat = resistance.ravel()
    first, second, cost = [], [], []
    for step in (*_STRAIGHT, *_SLANTED):
        one, other = _pairs((resistance.shape[0], resistance.shape[1]), step)
        price = (flat[one] + flat[other]) / 2 * cell * np.hypot(*step)
        known = np.isfinite(price)
        first.append(one[known])
        second.append(other[known])
        cost.append(price[known])
    ends = np.concatenate(first), np.concatenate(second)
    return sparse.csr_matrix((np.concatenate(cost), ends), shape=(flat.size, flat.size))


def corridors(resistance: Floats, sources: Ints, cell: float) -> list[tuple[int, int, float, Ints]]:
    """Return the least-cost corridors that join all sources: a minimum spanning tree over their least costs.

    One search from all sources at once is enough: the tree over the cheapest steps between the reaches of two sources
    is one over all pairs (Mehlhorn 1988).

    Parameters
    ----------
    resistance : ndarray
        Above 0 (R, C); NaN where nothing passes.
    sources : ndarray of int
        Number of the source that a cell belongs to, from 1; 0 elsewhere (R, C).
    cell : float
        Side of a cell, m.

    Returns
    -------
    list of (source, source, cost, cells)
        The cheapest first. Cells in row order numbers, from the first source, the lower number, to the second; sources
        that cannot be joined are left out.

    Examples
    --------
    >>> sources = np.array([[1, 0, 0, 2]])
    >>> [(a, b, cost, path.tolist()) for a, b, cost, path in corridors(np.ones((1, 4)), sources, 10.0)]
    [(1, 2, 30.0, [0, 1, 2, 3])]
    """
    graph = cost_graph(resistance, cell)
    flat = sources.ravel()
    starts = np.flatnonzero(flat > 0)
    if starts.size == 0:
        return []
    reach, before, start = csgraph.dijkstra(
        graph, directed=False, indices=starts, min_only=True, return_predecessors=True
    )
    owner = np.where(start >= 0, flat[np.maximum(start, 0)], 0)
    steps = graph.tocoo()
    ends = np.stack((steps.row, steps.col)).astype(np.int64)
    crossing = (owner[ends[0]] != owner[ends[1]]) & (owner[ends] > 0).all(axis=0)
    ends, price = ends[:, crossing], steps.data[crossing]
    swapped = owner[ends[0]] > owner[ends[1]]
    ends[:, swapped] = ends[::-1, swapped]
    cost = reach[ends[0]] + price + reach[ends[1]]
    rows = []
    for at in _tree(owner[ends[0]], owner[ends[1]], cost):
        one, other = ends[:, at].tolist()
        path = [*_way(before, one)[::-1], *_way(before, other)]
        names = int(owner[one]), int(owner[other])
        rows.append((*names, float(cost[at]), np.array(path, dtype=np.int64)))
    return rows


def _tree(one: Ints, other: Ints, cost: Floats) -> list[int]:
    """Return which edges make a minimum spanning tree (a forest where parts lie apart), the cheapest first."""
    order = np.lexsort((other, one, cost))
    pairs = np.stack((one[order], other[order]))
    first = np.sort(np.unique(pairs, axis=1, return_index=True)[1])  # only the cheapest edge of a pair can be taken
    above: dict[int, int] = {}

    def root(name: int) -> int:
        while name in above:
            name = above[name]
        return name

    taken = []
    for at in first.tolist():
        low, high = (root(int(name)) for name in pairs[:, at])
        if low != high:
            above[high] = low
            taken.append(int(order[at]))
    return taken


def _way(before: NDArray[np.int32], cell: int) -> list[int]:
    """Return the cells from one back to the source that it was reached from."""
    way = [cell]
    while before[way[-1]] >= 0:
        way.append(int(before[way[-1]]))
    return way
