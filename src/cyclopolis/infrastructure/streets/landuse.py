"""Land use on blocks and over a place: shares, mix, intensity; pure functions on arrays of polygons in metres."""

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Geometries = NDArray[np.object_]


def areas_by_use(polygons: Geometries, use: Ints, number: int) -> Floats:
    """Return the area of each use (U,), m2; where polygons of one use overlap the ground counts once.

    Parameters
    ----------
    polygons : ndarray of Polygon (N,)
    use : ndarray of int
        Use of each polygon, 0 to number - 1 (N,).
    number : int
        Number of uses U.
    """
    return np.array([shapely.area(shapely.union_all(polygons[use == at])) for at in range(number)], dtype=np.float64)


def overlay(blocks: Geometries, polygons: Geometries, use: Ints, number: int) -> Floats:
    """Return the area of each use within each block (B, U), m2; ground that two areas of one use share counts once.

    Examples
    --------
    >>> square = shapely.box(0, 0, 2, 1)
    >>> halves = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    >>> overlay(np.array([square]), halves, np.array([0, 1]), 2).tolist()
    [[1.0, 1.0]]
    """
    found = np.zeros((len(blocks), number))
    block, part = shapely.STRtree(polygons).query(blocks, predicate="intersects")
    if block.size == 0:
        return found
    pieces = shapely.intersection(blocks[block], polygons[part])
    at = block * number + use[part]
    order = np.argsort(at, kind="stable")
    cells, starts = np.unique(at[order], return_index=True)
    for cell, own in zip(cells, np.split(pieces[order], starts[1:]), strict=True):
        found[cell // number, cell % number] = shapely.area(own[0] if len(own) == 1 else shapely.union_all(own))
    return found


def mix_entropy(areas: Floats) -> Floats:
    """Return the land-use mix: Shannon entropy of the shares over its greatest possible value, 0 to 1.

    ``-sum p ln p / ln U`` with ``p`` the share of each of U uses (Cervero and Kockelman 1997, Transportation Research
    Part D 2(3)). NaN where there is no area or only one use is known at all.

    Parameters
    ----------
    areas : ndarray
        Areas by use along the last axis (..., U).

    Examples
    --------
    >>> mix_entropy(np.array([[1.0, 1.0], [5.0, 0.0]])).tolist()
    [1.0, 0.0]
    """
    total = areas.sum(axis=-1, keepdims=True)
    uses = areas.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = areas / total
        terms = np.where(share > 0, share * np.log(np.where(share > 0, share, 1.0)), 0.0)
        entropy = np.abs(terms.sum(axis=-1)) / np.log(uses)
    return np.where((total[..., 0] > 0) & (uses > 1), entropy, np.nan)


def floor_area(footprint_m2: Floats, storeys: Floats) -> tuple[float, int]:
    """Return the floor area (m2) of the buildings whose storeys are known, and the number of those that are not.

    Examples
    --------
    >>> floor_area(np.array([100.0, 50.0]), np.array([3.0, np.nan]))
    (300.0, 1)
    """
    known = np.isfinite(storeys)
    return float((footprint_m2[known] * storeys[known]).sum()), int((~known).sum())


def share_within(points: Geometries, weight: Floats, stations: Geometries, radius_m: float) -> float:
    """Return the share of weight (people, jobs) within a straight distance of a station; NaN where there is no weight.

    Examples
    --------
    >>> people = shapely.points([(0, 0), (600, 0)])
    >>> share_within(people, np.array([30.0, 10.0]), shapely.points([(100, 0)]), 500.0)
    1.0
    """
    total = float(weight.sum())
    if total <= 0:
        return float("nan")
    if len(stations) == 0:
        return 0.0
    tree = shapely.STRtree(stations)
    near = tree.query(points, predicate="dwithin", distance=radius_m)[0]
    return float(weight[np.unique(near)].sum()) / total
