"""Ground that is left, and change between two maps of land use, as pure functions on geometries in metres."""

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Geometries = NDArray[np.object_]

NOTHING: shapely.Geometry = shapely.Polygon()


def joined(shapes: Geometries) -> shapely.Geometry:
    """Return the union of areas; lines and points are left out.

    Examples
    --------
    >>> joined(np.array([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1), shapely.Point(9, 9)])).area
    3.0
    """
    areas = shapes[shapely.get_dimensions(shapes) == 2] if shapes.size else shapes
    return shapely.union_all(areas) if areas.size else NOTHING


def left_over(
    ground: shapely.Geometry, red: shapely.Geometry, taken: shapely.Geometry
) -> tuple[Floats, shapely.Geometry]:
    """Return the parts of a place, m2 (4,): ground, protected, taken outside of it, left; and what is left as a shape.

    The last three sum to the first.

    Examples
    --------
    >>> parts, rest = left_over(shapely.box(0, 0, 10, 10), shapely.box(0, 0, 5, 10), shapely.box(4, 0, 8, 10))
    >>> parts.tolist(), rest.area
    ([100.0, 50.0, 30.0, 20.0], 20.0)
    """
    free = shapely.difference(ground, red)
    rest = shapely.difference(free, taken)
    whole, outside, left = (float(shapely.area(shape)) for shape in (ground, free, rest))
    return np.array([whole, whole - outside, outside - left, left]), rest


def partition(shapes: Geometries, use: Ints, number: int) -> tuple[Geometries, float]:
    """Return one shape for each class (C,) that do not overlap, and the area counted twice before, m2.

    Where features of two classes overlap, the class that stands first keeps the ground.

    Examples
    --------
    >>> classes, twice = partition(np.array([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)]), np.array([0, 1]), 2)
    >>> shapely.area(classes).tolist(), twice
    ([2.0, 1.0], 1.0)
    """
    found = np.full(number, NOTHING, dtype=np.object_)
    before, drawn = NOTHING, 0.0
    for one in range(number):
        own = joined(shapes[use == one])
        drawn += float(shapely.area(own))
        if shapely.is_empty(own):
            continue
        found[one] = shapely.difference(own, before)
        before = shapely.union(before, own)
    return found, drawn - float(shapely.area(before))


def changes(now: Geometries, planned: Geometries) -> Floats:
    """Return the transition matrix of two maps, m2 (C + 1, C + 1): from a class now (row) to one in the plan (column).

    The last row is ground that only the plan shows, the last column ground that only the present map shows; rows sum to
    the areas now, columns to the areas planned.

    Parameters
    ----------
    now, planned : ndarray of geometry
        One shape for each class, not overlapping (C,); see `partition`.

    Examples
    --------
    >>> now = np.array([shapely.box(0, 0, 2, 1), shapely.box(2, 0, 3, 1)])
    >>> changes(now, np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 4, 1)])).tolist()
    [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]
    """
    size = now.size
    matrix = np.zeros((size + 1, size + 1))
    matrix[:size, :size] = shapely.area(shapely.intersection(now[:, None], planned[None, :]))
    matrix[:size, size] = np.maximum(shapely.area(now) - matrix[:size, :size].sum(axis=1), 0.0)
    matrix[size, :size] = np.maximum(shapely.area(planned) - matrix[:size, :size].sum(axis=0), 0.0)
    matrix[matrix < 1e-6 * max(matrix.sum(), 1e-9)] = 0.0
    return matrix


def cells(ground: shapely.Geometry, side: float) -> tuple[Geometries, Ints, Ints]:
    """Return the square cells that meet a ground, with their column and row, by row from the south-west.

    Examples
    --------
    >>> squares, column, row = cells(shapely.box(0, 0, 700, 350), 350.0)
    >>> shapely.area(squares).tolist(), column.tolist(), row.tolist()
    ([122500.0, 122500.0], [0, 1], [0, 0])
    """
    none = np.zeros(0, dtype=np.int64)
    if shapely.is_empty(ground):
        return np.array([], dtype=np.object_), none, none
    west, south, east, north = shapely.bounds(ground)
    columns, rows = (max(int(np.ceil(span / side - 1e-9)), 1) for span in (east - west, north - south))
    row, column = (grid.ravel() for grid in np.mgrid[0:rows, 0:columns])
    x, y = west + column * side, south + row * side
    squares = shapely.box(x, y, x + side, y + side)
    shapely.prepare(ground)
    meets = shapely.intersects(ground, squares)
    return squares[meets], column[meets].astype(np.int64), row[meets].astype(np.int64)
