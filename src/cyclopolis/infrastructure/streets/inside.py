"""What of a map lies within the boundary of a place: layers of a whole town often reach beyond it."""

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Geometries = NDArray[np.object_]

EDGE_M = 1.0
"""What lies this near the boundary is within it, m: streets are often drawn as its edge."""


def inside_of(boundary: Geometries) -> shapely.Geometry | None:
    """Return the ground within a boundary (areas, metres), None where there is none.

    Examples
    --------
    >>> inside_of(np.array([])) is None, round(inside_of(np.array([shapely.box(0, 0, 98, 98)])).area) // 100
    (True, 99)
    """
    areas = boundary[shapely.get_dimensions(boundary) == 2]
    if not len(areas):
        return None
    found: shapely.Geometry = shapely.buffer(shapely.union_all(areas), EDGE_M)
    shapely.prepare(found)
    return found


def lies_inside(inside: shapely.Geometry | None, shapes: Geometries) -> Bools:
    """Return which shapes have their middle within the boundary; all where there is none."""
    if inside is None:
        return np.ones(len(shapes), dtype=np.bool_)
    return np.asarray(shapely.intersects(inside, shapely.point_on_surface(shapes)), dtype=np.bool_)


def length_inside(inside: shapely.Geometry | None, lines: Geometries) -> Floats:
    """Return the length of each line within the boundary, m."""
    if inside is None:
        return np.asarray(shapely.length(lines), dtype=np.float64)
    return np.asarray(shapely.length(shapely.intersection(lines, inside)), dtype=np.float64)


def clipped(inside: shapely.Geometry | None, areas: Geometries) -> tuple[Geometries, Bools]:
    """Return the part of each area within the boundary, and which areas have one; the others are left out."""
    if inside is None:
        return areas, np.ones(len(areas), dtype=np.bool_)
    parts = np.asarray(shapely.intersection(areas, inside), dtype=np.object_)
    kept = np.asarray(shapely.area(parts) > 0, dtype=np.bool_)
    return parts[kept], kept
