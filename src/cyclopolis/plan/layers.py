"""Map layers of a plan: lines, areas and points read from files, checked, repaired and brought to metres.

The table ``layers`` names the files. They are read only when an engine asks for them, because reading geometry needs
libraries that a check or a balance does not. Every repair is reported; nothing is moved or dropped silently.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.plan.layer_tags import read_tags
from cyclopolis.plan.model import Plan, provenance

Geometries = NDArray[np.object_]

AREAS = ("landuse", "buildings", "red_line", "parcels", "projects", "green", "boundary")
"""Kinds of layers whose areas count; their polygons must be valid."""
_OSM = (".osm", ".pbf")
_OSM_LAYER = {"streets": "lines", "rivers": "lines", "services": "points", "entrances": "points", "stations": "points"}
_GEOGRAPHIC = 4326


@dataclass(frozen=True)
class Layer:
    """One layer in metres.

    Parameters
    ----------
    name, kind, file : str
        As the table ``layers`` gives them.
    geometry : ndarray of shapely geometries
        In metres of ``crs`` (N,).
    attributes : polars.DataFrame
        The file's attributes (N rows); tags of OpenStreetMap are columns.
    feature : ndarray of int
        Number of each feature in its file, from 1 (N,).
    crs : str
        The projected system of the coordinates (``EPSG:32635``).
    notices : tuple of Problem
        What was repaired or left out, feature by feature.
    provenance : str
        Of the layer's row: user or assumed.
    """

    name: str
    kind: str
    file: str
    geometry: Geometries
    attributes: pl.DataFrame
    feature: NDArray[np.int64]
    crs: str
    notices: tuple[Problem, ...]
    provenance: str = "user"

    def column(self, field: str | None, *fallback: str) -> pl.Series:
        """Return the attribute a row of ``layers`` names, else the first of ``fallback`` there is, as text or number.

        Raises
        ------
        UserError
            If the layer has no such attribute.
        """
        wanted = (field,) if field else fallback
        for name in wanted:
            if name in self.attributes.columns:
                return self.attributes[name]
        raise UserError(
            [
                Problem(
                    message(
                        "layers.no_field", layer=self.name, wanted=", ".join(wanted),
                        fields=", ".join(self.attributes.columns),
                    ),
                    file=self.file,
                )
            ]
        )  # fmt: skip


def read_layers(plan: Plan, kinds: Collection[str]) -> Mapping[str, tuple[Layer, ...]]:
    """Read all layers of some kinds in one projected system.

    Coordinates in degrees are projected to the UTM zone of the first layer's middle; a projected system in metres is
    kept, and the other layers follow it.

    Parameters
    ----------
    plan : Plan
    kinds : collection of str
        Kinds of the table ``layers``.

    Returns
    -------
    mapping of kind to its layers, in the order of their names

    Raises
    ------
    UserError
        With every file that cannot be read, has no or a wrong coordinate system, or holds nothing.
    """
    rows = plan.tables["layers"].filter(pl.col("kind").is_in(list(kinds))).sort("layer").to_dicts()
    found: dict[str, list[Layer]] = {kind: [] for kind in kinds}
    problems: list[Problem] = []
    target: CRS | None = None
    for row in rows:
        try:
            layer, target = read_layer(plan.folder, row, target)
        except UserError as error:
            problems += error.problems
            continue
        found[row["kind"]].append(layer)
    if problems:
        raise UserError(problems)
    return {kind: tuple(layers) for kind, layers in found.items()}


def read_layer(folder: Path, row: Mapping[str, Any], target: CRS | None = None) -> tuple[Layer, CRS]:
    """Read one layer.

    Parameters
    ----------
    folder : Path
        Folder that relative file names start from.
    row : mapping
        A row of the table ``layers``.
    target : pyproj.CRS, optional
        Projected system to bring it to; chosen from the layer when not given.

    Returns
    -------
    Layer and its projected system

    Raises
    ------
    UserError
        If the file is missing or unreadable, has no coordinate system, has degrees where its system has metres (or the
        other way round), or holds no feature.
    """
    path = (folder / row["file"]).resolve()
    name, attributes, geometry, crs = _read_file(path, row)
    feature = np.arange(1, geometry.size + 1)
    notices: list[Problem] = []
    blank = np.asarray(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    if blank.any():
        notices.append(_notice(name, "layers.empty_features", count=int(blank.sum()), rows=_some(feature[blank])))
    geometry, feature, attributes = geometry[~blank], feature[~blank], attributes.filter(pl.Series(~blank))
    if geometry.size == 0:
        raise UserError([Problem(message("layers.nothing", layer=row["layer"]), file=name)])
    _check_system(name, crs, shapely.total_bounds(geometry))
    target = _target(crs, shapely.total_bounds(geometry)) if target is None else target
    geometry = _project(geometry, crs, target)
    if row["kind"] in AREAS:
        geometry, feature, attributes, found = _repair(name, geometry, feature, attributes)
        notices += found
    code = target.to_epsg()
    layer = Layer(
        row["layer"], row["kind"], row["file"], geometry, attributes, feature,
        f"EPSG:{code}" if code else target.to_string(), tuple(notices), provenance(row.get("source")),
    )  # fmt: skip
    return layer, target


def _read_file(path: Path, row: Mapping[str, Any]) -> tuple[str, pl.DataFrame, Geometries, CRS]:
    """Return the file's name, attributes, geometries and system."""
    name = row["file"]
    if not path.is_file():
        near = sorted(entry.name for entry in path.parent.glob("*")) if path.parent.is_dir() else []
        raise UserError([Problem(message("layers.no_file", layer=row["layer"], near=", ".join(near[:8])), file=name)])
    within = row.get("within") or (_osm_layer(row["kind"]) if path.suffix.casefold() in _OSM else None)
    try:
        meta, _, wkb, values = pyogrio.raw.read(path, layer=within)
    except (DataSourceError, DataLayerError, ValueError) as error:
        raise UserError([Problem(message("layers.unreadable", reason=str(error).strip()), file=name)]) from error
    if wkb is None:
        raise UserError([Problem(message("layers.nothing", layer=row["layer"]), file=name)])
    columns = {field: _series(field, column) for field, column in zip(meta["fields"], values, strict=True)}
    attributes = read_tags(pl.DataFrame(columns) if columns else pl.DataFrame({"feature": range(len(wkb))}))
    stated = row.get("crs") or meta["crs"]
    if not stated:
        raise UserError([Problem(message("layers.no_crs", layer=row["layer"]), file=name)])
    try:
        crs = CRS.from_user_input(stated)
    except CRSError as error:
        raise UserError([Problem(message("layers.bad_crs", crs=stated), file=name, value=str(stated))]) from error
    return name, attributes, np.asarray(shapely.from_wkb(wkb), dtype=np.object_), crs


def _series(field: str, values: NDArray[Any]) -> pl.Series:
    """Return a file's attribute as numbers where it is one, else as text."""
    if values.dtype.kind in "iufb":
        return pl.Series(field, values)
    return pl.Series(field, [None if value is None else str(value) for value in values], dtype=pl.String)


def _osm_layer(kind: str) -> str:
    """Return the part of an OpenStreetMap extract that holds a kind of layer."""
    return _OSM_LAYER.get(kind, "multipolygons")


def _check_system(name: str, crs: CRS, bounds: NDArray[np.float64]) -> None:
    """Refuse degrees taken for metres, metres taken for degrees, and coordinates that are no numbers."""
    if not np.isfinite(bounds).all():
        raise UserError([Problem(message("layers.not_finite"), file=name)])
    west, south, east, north = (float(value) for value in bounds)
    degrees = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    values = {"west": f"{west:g}", "south": f"{south:g}", "east": f"{east:g}", "north": f"{north:g}"}
    if crs.is_geographic and not degrees:
        raise UserError([Problem(message("layers.metres_for_degrees", crs=crs.name, **values), file=name)])
    if crs.is_projected and degrees:
        raise UserError([Problem(message("layers.degrees_for_metres", crs=crs.name, **values), file=name)])


def _target(crs: CRS, bounds: NDArray[np.float64]) -> CRS:
    """Return the layer's own system when it is projected in metres, else the UTM zone of its middle."""
    if crs.is_projected and math.isclose(crs.axis_info[0].unit_conversion_factor, 1.0):
        return crs
    x, y = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    lon, lat = Transformer.from_crs(crs, _GEOGRAPHIC, always_xy=True).transform(x, y)
    return CRS.from_epsg(utm_zone(float(lon), float(lat)))


def utm_zone(lon: float, lat: float) -> int:
    """Return the EPSG code of the UTM zone (WGS 84) of a place.

    Examples
    --------
    >>> utm_zone(24.94, 60.17), utm_zone(104.8, 26.6), utm_zone(-58.4, -34.6)
    (32635, 32648, 32721)
    """
    zone = min(int((lon + 180.0) // 6.0) + 1, 60)
    return (32600 if lat >= 0 else 32700) + zone


def _project(geometry: Geometries, crs: CRS, target: CRS) -> Geometries:
    """Return geometries in another system; heights are kept."""
    if crs == target:
        return geometry
    move = Transformer.from_crs(crs, target, always_xy=True)

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = move.transform(points[:, 0], points[:, 1])
        return np.column_stack((x, y, *points.T[2:]))

    tall = shapely.has_z(geometry)
    out = geometry.copy()
    out[~tall] = shapely.transform(geometry[~tall], moved)
    out[tall] = shapely.transform(geometry[tall], moved, include_z=True)
    return np.asarray(out, dtype=np.object_)


def to_degrees(x: NDArray[np.float64], y: NDArray[np.float64], crs: str) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return longitude and latitude (WGS 84) of points in metres."""
    lon, lat = Transformer.from_crs(crs, _GEOGRAPHIC, always_xy=True).transform(x, y)
    return np.asarray(lon), np.asarray(lat)


def _repair(
    name: str, geometry: Geometries, feature: NDArray[np.int64], attributes: pl.DataFrame
) -> tuple[Geometries, NDArray[np.int64], pl.DataFrame, list[Problem]]:
    """Close lines that are meant as areas, mend polygons that cross themselves, leave out what has no area."""
    notices: list[Problem] = []
    kinds = shapely.get_type_id(geometry)
    ring = np.isin(kinds, (1, 2)) & shapely.is_closed(geometry)
    if ring.any():
        geometry = geometry.copy()
        geometry[ring] = shapely.polygons(shapely.linearrings([part.coords for part in geometry[ring]]))
        notices.append(_notice(name, "layers.closed_lines", count=int(ring.sum()), rows=_some(feature[ring])))
    flat = np.isin(shapely.get_type_id(geometry), (0, 1, 2, 4, 5))
    if flat.any():
        notices.append(_notice(name, "layers.no_areas", count=int(flat.sum()), rows=_some(feature[flat])))
    geometry, feature, attributes = geometry[~flat], feature[~flat], attributes.filter(pl.Series(~flat))
    broken = ~np.asarray(shapely.is_valid(geometry))
    for at in np.flatnonzero(broken):
        before = float(shapely.area(geometry[at]))
        reason = str(shapely.is_valid_reason(geometry[at]))
        mended = shapely.make_valid(geometry[at], method="structure", keep_collapsed=False)
        geometry[at] = mended
        after = float(shapely.area(mended))
        notices.append(
            _notice(
                name, "layers.repaired", row=int(feature[at]), reason=reason,
                before=f"{before / 1e4:.4f}", after=f"{after / 1e4:.4f}",
            )
        )  # fmt: skip
    return geometry, feature, attributes, notices


def _notice(file: str, key: str, row: int | None = None, **values: object) -> Problem:
    return Problem(message(key, **values), "notice", file=file, row=row)


def _some(numbers: Sequence[int] | NDArray[np.int64]) -> str:
    """Return the first numbers of a list as text."""
    shown = ", ".join(str(number) for number in numbers[:5])
    return shown + (", ..." if len(numbers) > 5 else "")
