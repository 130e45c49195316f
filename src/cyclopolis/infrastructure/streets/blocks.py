"""Blocks, density and junctions of a street network, as pure functions on arrays of lines in metres.

A block is a face that the street lines enclose: lines are split where they meet (planarised) and the faces between them
polygonised. Lines are axes of streets, so a block reaches to the middle of the streets around it.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Geometries = NDArray[np.object_]

HECTARE = 1e4
SMALLEST_HA = 0.1
"""Faces up to this size are slivers between carriageways, not blocks (assumed)."""


@dataclass(frozen=True)
class StreetNet:
    """A planarised street network.

    Parameters
    ----------
    edges : ndarray of LineString
        Street pieces between two nodes (E,), metres.
    node : ndarray
        Coordinates of the nodes (N, 2), metres.
    start, end : ndarray of int
        Nodes of each edge (E,).
    """

    edges: Geometries
    node: Floats
    start: Ints
    end: Ints

    @property
    def length(self) -> Floats:
        """Length of each edge (E,), m."""
        return np.asarray(shapely.length(self.edges), dtype=np.float64)

    @property
    def degree(self) -> Ints:
        """Number of edge ends at each node (N,)."""
        both = np.concatenate((self.start, self.end))
        return np.bincount(both, minlength=len(self.node)).astype(np.int64)

    def pieces(self) -> tuple[int, Ints]:
        """Return the number of connected parts and the part of each node (N,)."""
        size = len(self.node)
        graph = coo_array((np.ones(self.start.size), (self.start, self.end)), shape=(size, size))
        number, part = connected_components(graph, directed=False)
        return int(number), part.astype(np.int64)


def planarise(lines: Geometries, step_m: float | None = None) -> StreetNet:
    """Return the network of lines split wherever they meet or cross.

    Parameters
    ----------
    lines : ndarray of LineString or MultiLineString
        Street axes, metres.
    step_m : float, optional
        Without it an edge runs from junction to junction; with it every bend is a node, and long pieces get nodes at
        most this far apart, so that a point finds a node near it.

    Examples
    --------
    >>> cross = shapely.linestrings([[(0, 0), (2, 0)], [(1, -1), (1, 1)]])
    >>> net = planarise(cross)
    >>> len(net.edges), len(net.node), int(net.degree.max())
    (4, 5, 4)
    >>> len(planarise(cross, 0.5).edges)
    8
    """
    whole = shapely.union_all(shapely.get_parts(shapely.force_2d(lines)))
    if step_m is None:
        edges = shapely.get_parts(shapely.line_merge(whole))
    else:
        edges = _segments(shapely.segmentize(shapely.get_parts(whole), step_m))
    edges = edges[shapely.length(edges) > 0]
    edges = edges[np.lexsort(np.column_stack((shapely.bounds(edges), shapely.length(edges))).T[::-1])]
    first = shapely.get_coordinates(shapely.get_point(edges, 0))
    last = shapely.get_coordinates(shapely.get_point(edges, -1))
    node, inverse = np.unique(np.vstack((first, last)), axis=0, return_inverse=True)
    inverse = inverse.reshape(-1).astype(np.int64)
    return StreetNet(edges, node, inverse[: len(edges)], inverse[len(edges) :])


def _segments(lines: Geometries) -> Geometries:
    """Return every straight piece of lines."""
    points, line = shapely.get_coordinates(lines, return_index=True)
    same = line[1:] == line[:-1]
    return np.asarray(shapely.linestrings(np.stack((points[:-1][same], points[1:][same]), axis=1)), dtype=np.object_)


def blocks(net: StreetNet, smallest_ha: float = SMALLEST_HA) -> Geometries:
    """Return the blocks of a network, largest first.

    Parameters
    ----------
    net : StreetNet
    smallest_ha : float
        Faces up to this area (ha) are left out.

    Returns
    -------
    ndarray of Polygon (B,)

    Examples
    --------
    >>> ticks = np.arange(3) * 350.0
    >>> grid = [[(t, 0), (t, 700)] for t in ticks] + [[(0, t), (700, t)] for t in ticks]
    >>> found = blocks(planarise(shapely.linestrings(grid)))
    >>> (shapely.area(found) / HECTARE).tolist()
    [12.25, 12.25, 12.25, 12.25]
    """
    faces = shapely.get_parts(shapely.polygonize(net.edges))
    area = shapely.area(faces)
    kept = area > smallest_ha * HECTARE
    faces, area = faces[kept], area[kept]
    bounds = shapely.bounds(faces)
    return np.asarray(faces[np.lexsort((bounds[:, 1], bounds[:, 0], -np.round(area, 6)))], dtype=np.object_)


@dataclass(frozen=True)
class BlockSizes:
    """Sizes of a set of blocks: ``share_above`` is the share of area in blocks larger than ``limit_ha``.

    ``side_m`` is the equivalent side: of a square of the mean area. All but ``count`` are NaN where there is no block.
    """

    count: int
    mean_ha: float
    median_ha: float
    largest_ha: float
    side_m: float
    limit_ha: float
    share_above: float


def block_sizes(area_ha: Floats, limit_ha: float) -> BlockSizes:
    """Return the sizes of blocks.

    Examples
    --------
    >>> sizes = block_sizes(np.array([12.25, 12.25]), 12.0)
    >>> sizes.mean_ha, sizes.side_m, sizes.share_above
    (12.25, 350.0, 1.0)
    """
    if area_ha.size == 0:
        return BlockSizes(0, np.nan, np.nan, np.nan, np.nan, limit_ha, np.nan)
    mean = float(area_ha.mean())
    return BlockSizes(
        count=int(area_ha.size),
        mean_ha=mean,
        median_ha=float(np.median(area_ha)),
        largest_ha=float(area_ha.max()),
        side_m=float(np.sqrt(mean * HECTARE)),
        limit_ha=limit_ha,
        share_above=float(area_ha[area_ha > limit_ha].sum() / area_ha.sum()),
    )


def hull_km2(lines: Geometries) -> float:
    """Return the area of the convex hull of lines, km2: the ground of a density where no boundary is given."""
    return float(shapely.area(shapely.convex_hull(shapely.union_all(lines)))) / 1e6


def intersections(net: StreetNet, counted: Bools | None = None) -> int:
    """Return the number of nodes (of those ``counted``, (N,)) where three or more street pieces meet."""
    return int(((net.degree >= 3) & (True if counted is None else counted)).sum())


def dead_ends(net: StreetNet, counted: Bools | None = None) -> int:
    """Return the number of nodes (of those ``counted``, (N,)) where a street ends."""
    return int(((net.degree == 1) & (True if counted is None else counted)).sum())


def frontage_activity(edges: Geometries, points: Geometries, reach_m: float) -> tuple[Ints, Floats]:
    """Return the entrances and shops along each street and their number per 100 m of it.

    A point counts once, at the nearest street within ``reach_m``.

    Parameters
    ----------
    edges : ndarray of LineString
        Streets (E,), metres.
    points : ndarray of Point
        Entrances and shops (P,).
    reach_m : float
        Farthest distance from the axis at which a point still fronts the street, m.

    Returns
    -------
    count (E,), per_100m (E,)

    Examples
    --------
    >>> street = shapely.linestrings([[(0, 0), (200, 0)]])
    >>> doors = shapely.points([(10, 5), (50, 8), (90, 500)])
    >>> [found.tolist() for found in frontage_activity(street, doors, 30.0)]
    [[2], [1.0]]
    """
    count = np.zeros(len(edges), dtype=np.int64)
    if len(points) and len(edges):
        at = shapely.STRtree(edges).query_nearest(points, max_distance=reach_m, all_matches=False)[1]
        count = np.bincount(at, minlength=len(edges)).astype(np.int64)
    length = shapely.length(edges)
    return count, np.where(length > 0, 100.0 * count / np.where(length > 0, length, 1.0), 0.0)
