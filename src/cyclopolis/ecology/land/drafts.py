"""Drafts from a plan's grids: suitability, candidate areas for protection, corridors. No legal delineation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from cyclopolis.ecology.land.corridors import corridors
from cyclopolis.ecology.land.currents import current, linked
from cyclopolis.ecology.land.grids import Grid
from cyclopolis.ecology.land.protection import PATCH, Measure, Patches, measures, outlines_of, patches
from cyclopolis.ecology.land.rasters import check_values, read_raster, same_cells
from cyclopolis.ecology.land.suitability import suitability
from cyclopolis.foundation.problems import Problem
from cyclopolis.library import Library
from cyclopolis.plan import Plan
from cyclopolis.plan.model import provenance

Rows = list[dict[str, Any]]
_SIGNS = {"at_least": ">=", "above": ">", "top_share": "highest share"}


def read_grids(plan: Plan, crs: str) -> tuple[dict[str, tuple[str, Grid]], list[Problem]]:
    """Read the grids of a plan, brought to the same cells: kind and grid by name, and what was brought.

    Raises
    ------
    UserError
        If a file is wrong or grids do not lie together.
    """
    rows = plan.tables["grids"].sort("grid").to_dicts()
    rasters = [
        read_raster(plan.folder, row["grid"], row["kind"], row["file"], row["band"] or 1, row["crs"], crs)
        for row in rows
    ]
    bounds = {row["factor"]: row for row in plan.library.land_factors.iter_rows(named=True)}
    for raster in rasters:
        own = bounds.get(raster.kind, {"least": None, "greatest": None, "unit": ""})
        check_values(raster, own["least"], own["greatest"], own["unit"])
    grids, notices = same_cells(rasters, crs)
    return {row["grid"]: (row["kind"], grids[row["grid"]]) for row in rows}, notices


@dataclass(frozen=True, eq=False)
class Suitable:
    """How well cells suit (R, C), and which are excluded (R, C: 1, else 0) whatever their criteria say."""

    score: Grid
    excluded: Grid


def suitable(plan: Plan, grids: dict[str, tuple[str, Grid]]) -> Suitable | None:
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
    score, excluded = (Grid(values, first.west, first.south, first.cell) for values in (found, out.astype(np.float64)))
    return Suitable(score, excluded)


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


def corridor_rows(
    grids: Mapping[str, tuple[str, Grid]], candidates: Patches | None
) -> tuple[Rows, NDArray[np.object_]]:
    """Return the corridors between sources of a plan's grids, and their lines in metres.

    Sources are those of the grid of kind sources, else the candidate areas. ``current`` is the greatest current density
    on the corridor beyond its two sources, when one ampere runs from the first to the second; below 1 there are other
    ways, 1 is a bottleneck. It is unknown where nothing lies between them, or they touch at a corner only.
    """
    by_kind = {kind: grid for kind, grid in grids.values() if kind in ("resistance", "sources")}
    if "sources" in by_kind:
        patches = np.nan_to_num(by_kind["sources"].values).astype(np.int64)
    else:
        patches = np.zeros((0, 0), dtype=np.int64) if candidates is None else candidates.number
    if "resistance" not in by_kind or not patches.any():
        return [], np.array([], dtype=np.object_)
    ground = by_kind["resistance"]
    rows: Rows = []
    lines = []
    for one, other, cost, path in corridors(ground.values, patches, ground.cell):
        row, column = np.divmod(path, ground.values.shape[1])
        x = ground.west + (column + 0.5) * ground.cell
        y = ground.south + (ground.values.shape[0] - row - 0.5) * ground.cell
        ends = patches == one, patches == other
        between = ~np.isin(patches.ravel()[path], (one, other))
        known = bool(between.any()) and linked(ground.values, *ends)
        most = float(current(ground.values, *ends).ravel()[path][between].max()) if known else None
        lines.append(shapely.linestrings(np.column_stack((x, y))))
        rows.append(
            {"from_source": one, "to_source": other, "cost": cost,
             "length_km": float(shapely.length(lines[-1])) / 1000.0, "current": most}
        )  # fmt: skip
    return rows, np.array(lines, dtype=np.object_)


@dataclass(frozen=True)
class Protection:
    """Candidate areas and what they rest on, as rows of the tables of that name.

    ``parts`` are what each measure marks of the areas; their shapes, like those of the areas, are in metres.
    """

    candidates: Patches
    classes: Rows
    areas: Rows
    parts: Rows
    shapes: NDArray[np.object_]
    formulas: Rows


def protect(
    grids: Mapping[str, tuple[str, Grid]],
    given: Mapping[str, Mapping[str, Any]],
    library: Library,
    protected: shapely.Geometry,
) -> Protection | None:
    """Draft candidate areas for protection from the measures whose grids are all there; None where there is none.

    Parameters
    ----------
    grids : mapping
        Kind and grid by name.
    given : mapping of str to mapping
        Row of the table ``grids`` by name.
    library : Library
        With the user's bounds of grades.
    protected : shapely geometry
        What red lines hold already.
    """
    by_kind = dict(grids.values())
    found = measures(by_kind, library.land_formulas, library.land_thresholds)
    if not found:
        return None
    first = next(iter(by_kind.values()))
    names = {name: (en, zh) for name, en, zh in library.land_formulas.select("measure", "name", "name_zh").iter_rows()}
    hits = [measure.grades >= measure.candidate for measure in found]
    least = library.land_thresholds.filter(pl.col("item") == PATCH)["bound"].min()
    drawn = patches(np.any(hits, axis=0), first, float(str(least)))
    cell = first.cell**2 / 1e4
    areas: Rows = []
    already = shapely.area(shapely.intersection(drawn.shape, protected)) / 1e4
    for number, (shape, overlap) in enumerate(zip(drawn.shape, already.tolist(), strict=True), start=1):
        inside = drawn.number == number
        cells = int(inside.sum())
        shares = [(float((hit & inside).sum()) / cells, measure.name) for hit, measure in zip(hits, found, strict=True)]
        reasons = sorted((pair for pair in shares if pair[0] > 0), key=lambda pair: -pair[0])
        areas.append(
            {"area": number, "area_ha": float(shapely.area(shape)) / 1e4, "protected_ha": overlap,
             "reason": reasons[0][1], "reason_share": reasons[0][0],
             **{
                 column: "; ".join(f"{names[name][at]} {share:.0%}" for share, name in reasons)
                 for at, column in enumerate(("reasons", "reasons_zh"))
             }}
        )  # fmt: skip
    marked = [np.where(hit & (drawn.number > 0), 1, 0) for hit in hits]
    shapes = [outlines_of(cells, first, 1)[0] for cells in marked]
    return Protection(
        drawn,
        [row for measure in found for row in _grade_rows(measure, names[measure.name], cell)],
        areas,
        [
            {"measure": measure.name, "name": names[measure.name][0], "name_zh": names[measure.name][1],
             "area_ha": float(shapely.area(shape)) / 1e4}
            for measure, shape in zip(found, shapes, strict=True)
        ],
        np.array(shapes, dtype=np.object_),
        _formula_rows(found, grids, given, library),
    )  # fmt: skip


def _grade_rows(measure: Measure, names: tuple[str, str], cell: float) -> Rows:
    """Return the ground of every grade of a measure that occurs, with the least and greatest value."""
    rows: Rows = []
    total = int((measure.grades > 0).sum())
    for grade in np.unique(measure.grades[measure.grades > 0]).tolist():
        own = measure.values[measure.grades == grade]
        rows.append(
            {"measure": measure.name, "name": names[0], "name_zh": names[1], "grade": grade,
             "area_ha": own.size * cell, "share": own.size / total,
             "least": float(own.min()), "greatest": float(own.max()), "candidate": grade >= measure.candidate}
        )  # fmt: skip
    return rows


def _formula_rows(
    found: Sequence[Measure],
    grids: Mapping[str, tuple[str, Grid]],
    given: Mapping[str, Mapping[str, Any]],
    library: Library,
) -> Rows:
    """Return formula, weights, files and bounds behind each measure, with their source."""
    of_kind = {kind: given[name] for name, (kind, _) in grids.items()}
    rows: Rows = []
    for row in library.land_formulas.filter(pl.col("measure").is_in([one.name for one in found])).iter_rows(named=True):
        factors = row["factors"].split(";")
        items = [row["measure"], *(factors if row["kind"] == "sensitivity" else [])]
        bounds = library.land_thresholds.filter(pl.col("item").is_in(items))
        said = [
            f"{item} {grade}: {_SIGNS[basis]} {bound:g}"
            for item, grade, basis, bound in bounds.select("item", "grade", "basis", "bound").iter_rows()
        ]
        known = [row["provenance"], *bounds["provenance"], *(provenance(of_kind[one]["source"]) for one in factors)]
        rows.append(
            {"measure": row["measure"], "name": row["name"], "name_zh": row["name_zh"],
             "formula": row["formula"], "unit": row["unit"],
             "files": "; ".join(f"{factor}: {of_kind[factor]['file']}" for factor in factors),
             "bounds": "; ".join(said),
             "source": row["source"], "provenance": weakest(known)}
        )  # fmt: skip
    return rows


def weakest(provenances: Sequence[str]) -> str:
    """Return the least sure of some provenances.

    Examples
    --------
    >>> weakest(["user", "assumed", "memory"])
    'assumed'
    """
    return next(one for one in ("assumed", "memory", "user", "seen") if one in provenances)


def class_rows(found: Suitable) -> Rows:
    """Return the ground of each fifth of suitability and of what is excluded, ha."""
    out = found.excluded.values > 0
    known = found.score.values[np.isfinite(found.score.values) & ~out]
    cell = found.score.cell**2 / 1e4
    rows: Rows = [{"grade": "excluded", "area_ha": float(out.sum()) * cell}]
    for at in range(5):
        inside = (known > at / 5 if at else known >= 0.0) & (known <= (at + 1) / 5)
        rows.append({"grade": f"{20 * at}-{20 * (at + 1)}", "area_ha": float(inside.sum()) * cell})
    return rows
