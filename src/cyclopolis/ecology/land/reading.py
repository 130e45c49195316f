"""What the map layers of a plan say about its land: protected areas, sites, parcels, uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from cyclopolis.ecology.land.shift import suspected
from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import message
from cyclopolis.plan import Plan
from cyclopolis.plan.land_classes import land_classes
from cyclopolis.plan.layers import Layer, read_layers, to_degrees

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Geometries = NDArray[np.object_]

KINDS = ("red_line", "parcels", "projects", "boundary", "landuse", "planned_landuse", "green")
_NAMES = ("name", "名称", "name_zh", "项目名称", "地块编号", "parcel", "project", "id", "ID")
_FREE_GROUPS = ("natural", "vacant")
_WET = "water"


@dataclass(frozen=True)
class Shapes:
    """Features of all layers of one kind: geometry (N,) in metres, layer, name, number in the file, place."""

    geometry: Geometries
    layer: list[str]
    name: list[str]
    feature: Ints
    site: list[str]
    provenance: list[str]

    def of(self, site: str) -> Geometries:
        """Return the features of a place."""
        return self.geometry[np.array([one == site for one in self.site], dtype=np.bool_)]


@dataclass(frozen=True)
class Land:
    """Features of land use: geometry (N,) and position in the library's land uses (N,)."""

    geometry: Geometries
    use: Ints


@dataclass(frozen=True)
class Ground:
    """All that the engine reads of the layers, in metres of ``crs``; ``taken`` (U,) marks uses that are not free."""

    crs: str
    shapes: Mapping[str, Shapes]
    land: Land
    planned: Land
    taken: NDArray[np.bool_]
    problems: tuple[Problem, ...]


def read_ground(plan: Plan) -> Ground:
    """Read the layers of land.

    Raises
    ------
    UserError
        If a layer cannot be read or names no land use.
    """
    layers = read_layers(plan, KINDS)
    rows = {row["layer"]: row for row in plan.tables["layers"].iter_rows(named=True)}
    problems = [problem for kind in KINDS for layer in layers[kind] for problem in layer.notices]
    shapes = {kind: _shapes(layers[kind], rows) for kind in KINDS}
    uses = plan.library.land_uses
    land, lost = _land(layers["landuse"], rows, uses)
    planned, more = _land(layers["planned_landuse"], rows, uses)
    if lost | more:
        names = sorted(lost | more)
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        problems.append(Problem(message("streets.unknown_use", names=shown, count=len(names)), "notice"))
    problems += _shifted(layers)
    free = uses["group"].is_in(_FREE_GROUPS) & (uses["land_use"] != _WET)
    crs = next(layer.crs for many in layers.values() for layer in many)
    return Ground(crs, shapes, land, planned, ~free.to_numpy(), tuple(problems))


def _shapes(layers: Sequence[Layer], rows: Mapping[str, Mapping[str, str | None]]) -> Shapes:
    none = np.array([], dtype=np.object_)
    names: list[str] = []
    for layer in layers:
        field = next((name for name in _NAMES if name in layer.attributes.columns), None)
        given = layer.attributes[field].cast(pl.String).to_list() if field else [None] * layer.feature.size
        told = zip(given, layer.feature.tolist(), strict=True)
        names += [name or f"{layer.name} {number}" for name, number in told]
    return Shapes(
        np.concatenate([none, *(layer.geometry for layer in layers)]),
        [layer.name for layer in layers for _ in layer.feature],
        names,
        np.concatenate([np.zeros(0, dtype=np.int64), *(layer.feature for layer in layers)]),
        [rows[layer.name]["site"] or "" for layer in layers for _ in layer.feature],
        [layer.provenance for layer in layers for _ in layer.feature],
    )


def _land(
    layers: Sequence[Layer], rows: Mapping[str, Mapping[str, str | None]], uses: pl.DataFrame
) -> tuple[Land, set[str]]:
    geometry, use, lost = land_classes(layers, rows, uses)
    return Land(geometry, use), lost


def _shifted(layers: Mapping[str, Sequence[Layer]]) -> list[Problem]:
    """Return what layers seem to be in the shifted coordinates of Chinese web maps, against the boundaries."""
    bounds = layers["boundary"]
    if not bounds:
        return []
    ground = shapely.union_all(_degrees(np.concatenate([layer.geometry for layer in bounds]), bounds[0].crs))
    found = []
    for kind in ("parcels", "projects", "landuse", "planned_landuse", "green"):
        for layer in layers[kind]:
            areas = layer.geometry[shapely.get_dimensions(layer.geometry) == 2]
            system = suspected(_degrees(areas, layer.crs), ground) if areas.size else None
            if system:
                said = message("land.shift", layer=layer.name, system=system)
                found.append(Problem(said, "notice", file=layer.file))
    return found


def _degrees(shapes: Geometries, crs: str) -> Geometries:
    def moved(points: Floats) -> Floats:
        return np.column_stack(to_degrees(points[:, 0], points[:, 1], crs))

    return np.asarray(shapely.transform(shapes, moved), dtype=np.object_)


def outlines(shapes: Geometries, crs: str, tolerance_m: float = 0.0) -> list[str]:
    """Return shapes as WKT in degrees for drawing, thinned by a tolerance; what is measured is never thinned."""
    drawn = shapely.simplify(shapes, tolerance_m) if tolerance_m > 0 else shapes
    return [str(text) for text in shapely.to_wkt(_degrees(drawn, crs), rounding_precision=6)]
