"""Candidate areas for protection from grids: measures, their grades, patches. Drafts: no legal delineation.

Formulas, the grids that they need and the bounds of their grades are the library's tables ``land_formulas``,
``land_factors`` and ``land_thresholds``; the kernels are in `importance`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray
from scipy import ndimage

from cyclopolis.ecology.land.grids import Grid
from cyclopolis.ecology.land.importance import (
    npp_importance,
    sensitivity,
    soil_kept,
    soil_loss,
    upper_part,
    water_yield,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FORMULAS: Mapping[str, Callable[..., Floats]] = {
    "water_yield": water_yield,
    "water_npp": npp_importance,
    "soil_kept": soil_kept,
    "soil_loss": soil_loss,
    "erosion": sensitivity,
    "karst": sensitivity,
}
"""The kernel of each measure of ``land_formulas``; it takes the factors in the order in which the table names them."""
PATCH = "patch_ha"
"""Item of ``land_thresholds`` that holds the least patch, ha."""


@dataclass(frozen=True)
class Measure:
    """A measure worked out: values (R, C), NaN where a factor is unknown; grades (R, C), 0 where unknown."""

    name: str
    values: Floats
    grades: Ints
    candidate: int


def graded(values: Floats, bounds: pl.DataFrame) -> Ints:
    """Return the grade of each value (R, C), 0 where it is unknown or below every bound.

    Parameters
    ----------
    values : ndarray
        Values (R, C), NaN where unknown.
    bounds : polars.DataFrame
        Rows of one item with ``grade``, ``basis`` (at_least, above, top_share) and ``bound``. Of several that hold, the
        one with the highest bound counts; of top_share the one with the smallest share.

    Examples
    --------
    >>> bounds = pl.DataFrame({"grade": [5, 3, 1], "basis": ["at_least"] * 3, "bound": [0.0, 0.2, 0.6]})
    >>> graded(np.array([0.1, 0.2, 0.9, np.nan]), bounds).tolist()
    [5, 3, 1, 0]
    >>> shares = pl.DataFrame({"grade": [1, 3], "basis": ["top_share"] * 2, "bound": [1.0, 0.5]})
    >>> graded(np.array([6.0, 3.0, 1.0]), shares).tolist()
    [3, 1, 1]
    """
    known = np.isfinite(values)
    found = np.zeros(values.shape, dtype=np.int64)
    weakest_first = bounds.with_columns(
        order=pl.when(pl.col("basis") == "top_share").then(-pl.col("bound")).otherwise("bound")
    ).sort("order")
    for grade, basis, bound in weakest_first.select("grade", "basis", "bound").iter_rows():
        if basis == "top_share":
            holds = known if bound >= 1 else upper_part(values, bound)
        else:
            holds = values > bound if basis == "above" else values >= bound
        found[holds & known] = grade
    return found


def measures(grids: Mapping[str, Grid], formulas: pl.DataFrame, thresholds: pl.DataFrame) -> list[Measure]:
    """Return every measure whose factors are all there, in the order of the table.

    Parameters
    ----------
    grids : mapping of str to Grid
        By kind (``land_factors``), all of the same cells.
    formulas, thresholds : polars.DataFrame
        The library's tables, with the user's bounds laid over them.
    """
    found = []
    for row in formulas.iter_rows(named=True):
        factors = row["factors"].split(";")
        if not set(factors) <= set(grids):
            continue
        values = [grids[factor].values for factor in factors]
        if row["kind"] == "sensitivity":
            grades = [graded(grids[factor].values, _of(thresholds, factor)) for factor in factors]
            values = [np.where(grade > 0, grade, np.nan).astype(np.float64) for grade in grades]
        measured = FORMULAS[row["measure"]](*values)
        own = graded(measured, _of(thresholds, row["measure"]))
        found.append(Measure(row["measure"], measured, own, row["candidate_grade"]))
    return found


def _of(thresholds: pl.DataFrame, item: str) -> pl.DataFrame:
    return thresholds.filter(pl.col("item") == item)


@dataclass(frozen=True)
class Patches:
    """Candidate areas (N): ``number`` (R, C) of the patch that a cell belongs to, from 1, 0 elsewhere; shapes (N,)."""

    number: Ints
    shape: NDArray[np.object_]


def patches(chosen: Bools, grid: Grid, least_ha: float) -> Patches:
    """Return the connected parts of chosen cells that are large enough, the largest first.

    Cells that share a side belong together.

    Parameters
    ----------
    chosen : ndarray of bool
        Cells (R, C), the first row in the north.
    grid : Grid
        Where the cells lie.
    least_ha : float
        Smaller parts are left out.

    Examples
    --------
    >>> grid = Grid(np.zeros((1, 4)), 0.0, 0.0, 100.0)
    >>> found = patches(np.array([[True, False, True, True]]), grid, 1.0)
    >>> found.number.tolist(), shapely.area(found.shape).tolist()
    ([[2, 0, 1, 1]], [20000.0, 10000.0])
    """
    label, count = ndimage.label(chosen)
    cells = np.bincount(label.ravel(), minlength=count + 1)[1:]
    large = np.flatnonzero(cells * grid.cell**2 / 1e4 >= least_ha * (1 - 1e-9))
    order = large[np.lexsort((large, -cells[large]))]
    new = np.zeros(count + 1, dtype=np.int64)
    new[order + 1] = np.arange(1, order.size + 1)
    number = new[label]
    return Patches(number, outlines_of(number, grid, order.size))


def outlines_of(number: Ints, grid: Grid, count: int) -> NDArray[np.object_]:
    """Return the outline of the cells of each number from 1 to ``count``, in metres (count,); empty without any."""
    row, column = np.nonzero(number)
    west, north = grid.west, grid.south + grid.cell * number.shape[0]
    # runs of cells in a row are one box each
    owner = number[row, column]
    first = np.ones(row.size, dtype=np.bool_)
    first[1:] = (row[1:] != row[:-1]) | (column[1:] != column[:-1] + 1) | (owner[1:] != owner[:-1])
    start = np.flatnonzero(first)
    stop = np.append(start, row.size)[1:] - 1
    top = north - grid.cell * row[start]
    boxes = shapely.box(west + grid.cell * column[start], top - grid.cell, west + grid.cell * (column[stop] + 1), top)
    order = np.argsort(owner[start], kind="stable")
    bounds = np.searchsorted(owner[start][order], np.arange(1, count + 2))
    parts = [boxes[order[low:high]] for low, high in pairwise(bounds.tolist())]
    found = np.empty(count, dtype=np.object_)
    found[:] = [shapely.union_all(part) for part in parts]
    return found
