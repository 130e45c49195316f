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

TILE_VERTICES = 64
"""Vertices of a tile up to which it is not cut again."""


def tiles(polygons: Geometries, most: int = TILE_VERTICES) -> tuple[Geometries, Ints]:
    """Return polygons cut into tiles of few vertices, and the polygon of each tile.

    Each tile is halved across its longer side until it has at most ``most`` vertices.

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
        small = shapely.get_num_coordinates(parts) <= most + 1
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

    ``parcel`` and ``area_of`` (K,) are pairs of a parcel and a protected area that overlap, ``shared`` (K,) their area.
    """

    area: Floats
    distance: Floats
    parcel: Ints
    area_of: Ints
    shared: Floats


def overlap(parcels: Geometries, protected: Geometries) -> Overlap:
    """Return what parcels share with protected areas and how far away the others lie.

    Protected areas may overlap each other: a pair counts by itself, a parcel's area once.

    Parameters
    ----------
    parcels : ndarray of geometry
        Polygons, lines or points, metres (N,); the area of a line or point is 0.
    protected : ndarray of Polygon
        Protected areas (R,).

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
    merged = shapely.union_all(protected) if len(protected) > 1 else protected[0]
    parts, _ = tiles(np.array([merged], dtype=np.object_))
    tree = shapely.STRtree(parts)
    area = _shared(tree, parcels)
    distance = np.zeros(len(parcels))
    touching = np.zeros(len(parcels), dtype=np.bool_)
    touching[tree.query(parcels, predicate="intersects")[0]] = True
    apart = np.flatnonzero(~touching)
    if apart.size:
        pair, away = tree.query_nearest(parcels[apart], all_matches=False, return_distance=True)
        distance[apart[pair[0]]] = away
    meeting = np.flatnonzero(touching)
    parcel, area_of = shapely.STRtree(protected).query(parcels[meeting], predicate="intersects")
    parcel = meeting[parcel]
    if len(protected) == 1:
        shared = area[parcel]
    else:
        shared = shapely.area(shapely.intersection(parcels[parcel], protected[area_of]))
    kept = (shared > 0) | (shapely.get_dimensions(parcels[parcel]) < 2)
    return Overlap(area, distance, parcel[kept].astype(np.int64), area_of[kept].astype(np.int64), shared[kept])


def _shared(tree: shapely.STRtree, parcels: Geometries) -> Floats:
    """Return the area of each parcel on tiles that do not overlap (N,): whole where a tile holds it, else cut."""
    whole = shapely.area(parcels)
    area = np.zeros(len(parcels))
    inside = tree.query(parcels, predicate="within")[0]
    area[inside] = whole[inside]
    rest = np.setdiff1d(np.arange(len(parcels)), inside, assume_unique=False)
    parcel, tile = tree.query(parcels[rest], predicate="intersects")
    cut = shapely.area(shapely.intersection(parcels[rest[parcel]], tree.geometries[tile]))
    np.add.at(area, rest[parcel], cut)
    return area


def refused(area: Floats, size: Floats, tolerance_m2: float) -> Bools:
    """Return which parcels are refused: more than the tolerance of them lies on protected ground (N,).

    The tolerance is for the last digits of drawn lines, not a right to build: a point or line inside is refused too when
    its distance is 0 (its size is 0 and its area cannot tell).

    Examples
    --------
    >>> refused(np.array([0.5, 25.0, 0.0]), np.array([100.0, 100.0, 0.0]), 1.0).tolist()
    [False, True, False]
    """
    return np.asarray((area > tolerance_m2) & (size > 0), dtype=np.bool_)
