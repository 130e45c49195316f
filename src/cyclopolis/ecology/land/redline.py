"""Parcels and projects against protected areas, as pure functions on arrays of geometries in metres.

A red line is never moved or simplified. Large polygons are cut into small tiles first, so that a parcel meets only the
few vertices near it; the tiles together are exactly the polygon.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Geometries = NDArray[np.object_]

TILE_VERTICES = 128
"""Vertices of a tile up to which it is not cut again."""
SMALLEST_M = 1e-3
"""Side of a tile that is not cut again, m: vertices that lie this near each other stay together."""
EDGE_VERTICES = 32
"""Vertices of a piece of outline in the search for distances."""
REACH_M = 1000.0
"""How far from protected ground distances are measured, m; beyond it they are not told."""


def tiles(polygons: Geometries, most: int = TILE_VERTICES) -> tuple[Geometries, Ints]:
    """Return polygons cut into tiles of few vertices, and the polygon of each tile.

    Each tile is halved across its longer side until it has at most ``most`` vertices or is a millimetre small.

    Parameters
    ----------
    polygons : ndarray of Polygon or MultiPolygon
    most : int
        Vertices that a tile may have.

    Examples
    --------
    >>> ring = shapely.Point(0, 0).buffer(1000.0, quad_segs=200)
    >>> parts, owner = tiles(np.array([ring]))
    >>> bool(np.isclose(shapely.area(parts).sum(), ring.area)), set(owner.tolist())
    (True, {0})
    """
    parts, owner = shapely.get_parts(polygons, return_index=True)
    done: list[Geometries] = []
    owners: list[Ints] = []
    while parts.size:
        west, south, east, north = shapely.bounds(parts).T
        small = (shapely.get_num_coordinates(parts) <= most + 1) | (np.maximum(east - west, north - south) < SMALLEST_M)
        done.append(parts[small])
        owners.append(owner[small].astype(np.int64))
        parts, owner = parts[~small], owner[~small]
        if parts.size == 0:
            break
        west, south, east, north = shapely.bounds(parts).T
        wide = east - west >= north - south
        x, y = (west + east) / 2, (south + north) / 2
        first = shapely.box(west, south, np.where(wide, x, east), np.where(wide, north, y))
        second = shapely.box(np.where(wide, x, west), np.where(wide, south, y), east, north)
        halves = np.concatenate((shapely.intersection(parts, first), shapely.intersection(parts, second)))
        parts, index = shapely.get_parts(halves, return_index=True)
        flat = shapely.get_dimensions(parts) < 2
        parts, owner = parts[~flat], np.concatenate((owner, owner))[index[~flat]]
    return np.concatenate(done), np.concatenate(owners)


@dataclass(frozen=True)
class Overlap:
    """What parcels share with protected areas: area (N,) in m2, distance (N,) in m, and which meet which.

    ``distance`` is 0 for what touches and infinite beyond the reach. ``parcel`` and ``area_of`` (K,) are pairs of a
    parcel and a protected area that share ground (or, for lines and points, meet), ``shared`` (K,) their area in m2.
    """

    area: Floats
    distance: Floats
    parcel: Ints
    area_of: Ints
    shared: Floats


def overlap(parcels: Geometries, protected: Geometries, reach_m: float = REACH_M) -> Overlap:
    """Return what parcels share with protected areas and how far away the others lie.

    Protected areas may overlap each other: a pair counts by itself, a parcel's area once.

    Parameters
    ----------
    parcels : ndarray of geometry
        Polygons, lines or points, metres (N,); the area of a line or point is 0.
    protected : ndarray of Polygon
        Protected areas (R,).
    reach_m : float
        Distances are measured up to this, m.

    Examples
    --------
    >>> red = np.array([shapely.box(0, 0, 10, 10)])
    >>> found = overlap(np.array([shapely.box(5, 5, 15, 15), shapely.box(13, 0, 14, 1)]), red)
    >>> found.area.tolist(), found.distance.tolist()
    ([25.0, 0.0], [0.0, 3.0])
    """
    none = np.zeros(0, dtype=np.int64)
    if len(protected) == 0 or len(parcels) == 0:
        return Overlap(np.zeros(len(parcels)), np.full(len(parcels), np.inf), none, none, np.zeros(0))
    parts, owner = tiles(protected)
    parcel, area_of, shared = _pairs(shapely.STRtree(parts), owner, parcels)
    area = np.zeros(len(parcels))
    if len(protected) > 1 and np.unique(parcel).size < parcel.size:
        single, _ = tiles(np.array([shapely.union_all(protected)], dtype=np.object_))
        once, _, most = _pairs(shapely.STRtree(single), np.zeros(single.size, dtype=np.int64), parcels)
        area[once] = most
    else:
        area[parcel] = shared
    distance = np.full(len(parcels), np.inf)
    distance[parcel] = 0.0
    apart = np.setdiff1d(np.arange(len(parcels)), parcel)
    edges = shapely.STRtree(_pieces(protected))
    near, away = edges.query_nearest(parcels[apart], max_distance=reach_m, all_matches=False, return_distance=True)
    distance[apart[near[0]]] = away
    kept = (shared > 0) | (shapely.get_dimensions(parcels[parcel]) < 2)
    return Overlap(area, distance, parcel[kept], area_of[kept], shared[kept])


def _pieces(polygons: Geometries) -> Geometries:
    """Return the outlines of polygons as short lines."""
    rings = shapely.get_rings(shapely.get_parts(polygons))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    size = np.bincount(ring)
    first = np.concatenate(([0], np.cumsum(size)[:-1]))
    found = []
    for start, many in zip(first.tolist(), size.tolist(), strict=True):
        at = np.arange(start, start + many - 1, EDGE_VERTICES)
        index = np.minimum(at[:, None] + np.arange(EDGE_VERTICES + 1), start + many - 1)
        found.append(shapely.linestrings(points[index]))
    return np.concatenate(found)


def _pairs(tree: shapely.STRtree, owner: Ints, parcels: Geometries) -> tuple[Ints, Ints, Floats]:
    """Return the pairs of a parcel and a protected area that meet, and the area they share, sorted.

    The tiles of one protected area do not overlap: a parcel within a tile lies in it whole, others are cut.
    """
    inside, holder = tree.query(parcels, predicate="within")
    number = int(owner.max() + 1)
    inside = np.unique(inside * number + owner[holder])
    parcel, tile = tree.query(parcels, predicate="intersects")
    key = parcel * number + owner[tile]
    cut = ~np.isin(key, inside)
    area = shapely.area(shapely.intersection(parcels[parcel[cut]], tree.geometries[tile[cut]]))
    pairs, back = np.unique(key, return_inverse=True)
    shared = np.zeros(pairs.size)
    np.add.at(shared, back[cut], area)
    shared[np.searchsorted(pairs, inside)] = shapely.area(parcels[inside // number])
    return (pairs // number).astype(np.int64), (pairs % number).astype(np.int64), shared


def refused(found: Overlap, size: Floats, tolerance_m2: float) -> Bools:
    """Return which parcels are refused: more than the tolerance of them lies on protected ground (N,).

    The tolerance is for the last digits of drawn lines, not a right to build. A line or a point has no area: it is
    refused when it meets protected ground at all.

    Parameters
    ----------
    found : Overlap
    size : ndarray
        Area of each parcel, m2 (N,); 0 for lines and points.
    tolerance_m2 : float

    Examples
    --------
    >>> red = np.array([shapely.box(0, 0, 10, 10)])
    >>> parcels = np.array([shapely.box(9, 9, 19, 19), shapely.Point(5, 5), shapely.Point(15, 5)])
    >>> refused(overlap(parcels, red), shapely.area(parcels), 1.0).tolist()
    [False, True, False]
    """
    return np.asarray(np.where(size > 0, found.area > tolerance_m2, found.distance == 0.0), dtype=np.bool_)
