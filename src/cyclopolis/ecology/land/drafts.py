"""Drafts from a plan's grids: suitability of land and corridors between sources. No legal delineation."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from cyclopolis.ecology.land.corridors import corridors, current
from cyclopolis.ecology.land.grids import Grid, read_grid
from cyclopolis.ecology.land.suitability import suitability
from cyclopolis.foundation.problems import user_error
from cyclopolis.plan import Plan

Rows = list[dict[str, Any]]


def read_grids(plan: Plan) -> dict[str, tuple[str, Grid]]:
    """Read the grids of a plan: kind and grid by name.

    Raises
    ------
    UserError
        If a file is wrong or grids do not cover the same cells.
    """
    rows = plan.tables["grids"].sort("grid").iter_rows(named=True)
    found = {row["grid"]: (row["kind"], read_grid(plan.folder / row["file"])) for row in rows}
    frames = {(one.values.shape, one.west, one.south, one.cell) for _, one in found.values()}
    if len(frames) > 1:
        raise user_error("grid.frames", names=", ".join(found))
    return found


def suitable(plan: Plan, grids: dict[str, tuple[str, Grid]]) -> Grid | None:
    """Return how well each cell suits by the table ``suitability``, None without one."""
    rows = plan.tables["suitability"].sort("grid").to_dicts()
    if not rows:
        return None
    values = [grids[row["grid"]][1].values for row in rows]
    out = np.zeros(values[0].shape, dtype=np.bool_)
    for row, grid in zip(rows, values, strict=True):
        low = -np.inf if row["exclude_below"] is None else row["exclude_below"]
        high = np.inf if row["exclude_above"] is None else row["exclude_above"]
        out |= (grid < low) | (grid > high)
    worst, best = ([float(row[name]) for row in rows] for name in ("worst", "best"))
    found = suitability(values, [row["weight"] for row in rows], worst, best, out)
    first = grids[rows[0]["grid"]][1]
    return Grid(found, first.west, first.south, first.cell)


def sampled(grid: Grid, shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the value of a grid's cell at the middle of each shape (N,); NaN outside of it.

    Examples
    --------
    >>> grid = Grid(np.array([[1.0, 2.0], [3.0, 4.0]]), 0.0, 0.0, 10.0)
    >>> sampled(grid, shapely.points([[5.0, 5.0], [15.0, 15.0], [25.0, 5.0]])).tolist()
    [3.0, 2.0, nan]
    """
    middle = shapely.centroid(shapes)
    column = np.floor((shapely.get_x(middle) - grid.west) / grid.cell).astype(np.int64)
    rows, columns = grid.values.shape
    row = rows - 1 - np.floor((shapely.get_y(middle) - grid.south) / grid.cell).astype(np.int64)
    inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    found = np.full(len(shapes), np.nan)
    found[inside] = grid.values[row[inside], column[inside]]
    return found


def corridor_rows(grids: dict[str, tuple[str, Grid]]) -> tuple[Rows, NDArray[np.object_]]:
    """Return the corridors between the sources of a plan's grids, and their lines in metres.

    ``current`` is the greatest current density on the corridor beyond its two sources, when one ampere runs from the
    first to the second; below 1 there are other ways, 1 is a bottleneck.
    """
    by_kind = {kind: grid for kind, grid in grids.values() if kind in ("resistance", "sources")}
    if len(by_kind) < 2:
        return [], np.array([], dtype=np.object_)
    ground, patches = by_kind["resistance"], np.nan_to_num(by_kind["sources"].values).astype(np.int64)
    rows: Rows = []
    lines = []
    for one, other, cost, path in corridors(ground.values, patches, ground.cell):
        row, column = np.divmod(path, ground.values.shape[1])
        x = ground.west + (column + 0.5) * ground.cell
        y = ground.south + (ground.values.shape[0] - row - 0.5) * ground.cell
        flow = current(ground.values, patches == one, patches == other).ravel()[path]
        between = ~np.isin(patches.ravel()[path], (one, other))
        lines.append(shapely.linestrings(np.column_stack((x, y))))
        rows.append(
            {"from_source": one, "to_source": other, "cost": cost,
             "length_km": float(shapely.length(lines[-1])) / 1000.0,
             "current": float(flow[between].max()) if between.any() else None}
        )  # fmt: skip
    return rows, np.array(lines, dtype=np.object_)


def class_rows(grid: Grid) -> Rows:
    """Return the ground of each fifth of suitability and of what is excluded, ha."""
    known = grid.values[np.isfinite(grid.values)]
    cell = grid.cell**2 / 1e4
    rows: Rows = [{"grade": "excluded", "area_ha": float((known == 0).sum()) * cell}]
    for at in range(5):
        inside = (known > at / 5) & (known <= (at + 1) / 5)
        rows.append({"grade": f"{20 * at}-{20 * (at + 1)}", "area_ha": float(inside.sum()) * cell})
    return rows
