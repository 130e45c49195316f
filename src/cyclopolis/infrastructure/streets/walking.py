"""Walking times on the street network and who is served within a circle, as pure functions on arrays.

Times are directed: uphill is slower than downhill. The nearest facility of every node comes from one run of Dijkstra's
algorithm from all facilities at once (`scipy.sparse.csgraph`).
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from cyclopolis.infrastructure.streets.blocks import StreetNet

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Geometries = NDArray[np.object_]

WALKING_KMH = 4.5
"""Walking speed on the flat, km/h (assumed)."""


def slope_factor(slope: Floats) -> Floats:
    """Return the speed on a slope over the speed on the flat.

    Tobler's hiking function ``exp(-3.5 |s + 0.05|)`` relative to its value at ``s = 0`` (Tobler 1993, NCGIA Technical
    Report 93-1).

    Parameters
    ----------
    slope : ndarray
        Rise over run in the direction of walking, a pure number.

    Examples
    --------
    >>> slope_factor(np.array([0.0, 0.1, -0.05])).round(4).tolist()
    [1.0, 0.7047, 1.1912]
    """
    return np.asarray(np.exp(-3.5 * np.abs(slope + 0.05)) / np.exp(-3.5 * 0.05), dtype=np.float64)


def walking_graph(net: StreetNet, height: Floats | None = None, speed_kmh: float = WALKING_KMH) -> csr_array:
    """Return walking minutes between neighbouring nodes as a directed graph (N, N).

    Parameters
    ----------
    net : StreetNet
    height : ndarray, optional
        Height of each node (N,), m; flat where not given or NaN.
    speed_kmh : float
        Walking speed on the flat, km/h.

    Returns
    -------
    csr_array
        Minutes from row to column; the shortest where two nodes are joined twice.
    """
    run = net.length
    rise = np.zeros_like(run) if height is None else np.nan_to_num(height[net.end] - height[net.start])
    flat = run / (speed_kmh * 1000.0 / 60.0)
    slope = np.where(run > 0, rise / np.where(run > 0, run, 1.0), 0.0)
    there, back = flat / slope_factor(slope), flat / slope_factor(-slope)
    rows, columns = np.concatenate((net.start, net.end)), np.concatenate((net.end, net.start))
    minutes = np.maximum(np.concatenate((there, back)), 1e-9)
    order = np.lexsort((minutes, columns, rows))
    rows, columns, minutes = rows[order], columns[order], minutes[order]
    first = np.ones(rows.size, dtype=np.bool_)
    first[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    kept = first & (rows != columns)
    size = len(net.node)
    indptr = np.concatenate(([0], np.cumsum(np.bincount(rows[kept], minlength=size))))
    return csr_array((minutes[kept], columns[kept], indptr), shape=(size, size))


def backwards(graph: csr_array) -> csr_array:
    """Return a graph with every way turned round: what a search from the facilities walks on."""
    return csr_array(graph.T)


def minutes_to_nearest(back: csr_array, facilities: Ints, limit: float = np.inf) -> Floats:
    """Return the minutes from every node to its nearest facility (N,); infinite beyond ``limit`` or without a way.

    Parameters
    ----------
    back : csr_array
        The walking graph `backwards` (N, N); turned round once for all services.
    facilities : ndarray of int
        Nodes with a facility.
    limit : float
        Minutes after which the search ends.

    Examples
    --------
    >>> graph = csr_array(np.array([[0.0, 2.0, 0.0], [2.5, 0.0, 1.0], [0.0, 1.0, 0.0]]))
    >>> minutes_to_nearest(backwards(graph), np.array([0])).tolist()
    [0.0, 2.5, 3.5]
    """
    if facilities.size == 0:
        return np.full(back.shape[0], np.inf)
    found = dijkstra(back, directed=True, indices=np.unique(facilities), limit=limit, min_only=True)
    return np.asarray(found, dtype=np.float64)


@dataclass(frozen=True)
class Access:
    """Where points join the network: nearest node (P,), its distance (P,) in m."""

    node: Ints
    distance: Floats


def nearest_nodes(net: StreetNet, points: Geometries) -> Access:
    """Return the node at which each point joins the network, in a straight line."""
    tree = shapely.STRtree(np.asarray(shapely.points(net.node)))
    found, distance = tree.query_nearest(points, all_matches=False, return_distance=True)
    node = np.zeros(len(points), dtype=np.int64)
    away = np.zeros(len(points))
    node[found[0]], away[found[0]] = found[1], distance
    return Access(node, away)


def join_minutes(access: Access, speed_kmh: float = WALKING_KMH) -> Floats:
    """Return the minutes between each point and its node (P,)."""
    return access.distance / (speed_kmh * 1000.0 / 60.0)


def served_share(minutes: Floats, people: Floats, circle: float) -> float:
    """Return the share of people within a circle of minutes; NaN where nobody lives.

    Examples
    --------
    >>> served_share(np.array([4.0, 12.0]), np.array([30.0, 10.0]), 5.0)
    0.75
    """
    total = float(people.sum())
    return float(people[minutes <= circle].sum()) / total if total > 0 else float("nan")
