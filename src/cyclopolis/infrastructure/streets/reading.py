"""What the layers of one place say about its streets, land, doors, services, stations and people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.infrastructure.streets.blocks import StreetNet, planarise
from cyclopolis.infrastructure.streets.inside import clipped, inside_of, lies_inside
from cyclopolis.library import Library
from cyclopolis.plan.land_classes import land_classes
from cyclopolis.plan.layers import Layer
from cyclopolis.plan.schema import fold

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Geometries = NDArray[np.object_]

KINDS = ("streets", "landuse", "buildings", "entrances", "services", "stations", "people", "boundary")
STREET_CLASSES = frozenset(
    name + ending
    for name in (
        "motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street",
    )
    for ending in ("", "_link")
)  # fmt: skip
"""Values of OpenStreetMap's key highway that bound blocks."""
NO_WALKING = frozenset({"motorway", "motorway_link", "trunk_link", "construction", "proposed", "raceway"})
WALK_STEP_M = 50.0
"""Farthest that two nodes of the walking network lie apart, m: a door is at most half of it from one (assumed)."""
_TAGS = ("amenity", "shop", "leisure", "healthcare", "social_facility", "highway", "public_transport", "railway",
         "office", "tourism")  # fmt: skip


@dataclass(frozen=True)
class Services:
    """Facilities: a point each (F,) and which services it gives (F, S), in the order of the library's services."""

    point: Geometries
    gives: NDArray[np.bool_]


@dataclass(frozen=True)
class Ground:
    """One place as arrays.

    ``use`` holds positions in the library's land uses; what no class fits is left out and told. ``people`` and ``jobs``
    are points with their number, ``feature`` numbers them in the file. Where there is a ``boundary``, land, people and
    buildings are those within it (``inside``); streets, services and stations go on beyond it.
    """

    scope: str
    crs: str
    net: StreetNet
    walking: StreetNet
    height: Floats | None
    land: Geometries
    use: Ints
    doors: Geometries | None
    services: Services | None
    stations: Geometries | None
    people: Geometries
    number: Floats
    feature: Ints
    footprint: Floats
    storeys: Floats
    boundary: Geometries
    inside: shapely.Geometry | None
    provenance: Mapping[str, str]
    problems: tuple[Problem, ...] = field(default=())


def read_ground(scope: str, layers: Mapping[str, Sequence[Layer]], library: Library, rows: pl.DataFrame) -> Ground:
    """Return the ground of one place from its layers.

    Parameters
    ----------
    scope : str
        The site (empty: the whole plan).
    layers : mapping of kind to layers
    library : Library
        For the classes of land use and services.
    rows : polars.DataFrame
        The plan's table ``layers``, for the fields that hold classes and numbers.

    Raises
    ------
    UserError
        If a named field is not there or a number cannot be read.
    """
    fields = {row["layer"]: row for row in rows.iter_rows(named=True)}
    problems = [problem for many in layers.values() for layer in many for problem in layer.notices]
    lines, classes, height = _streets(layers["streets"], fields)
    bounding = lines[_in(classes, STREET_CLASSES)] if any(classes) else lines
    walked = lines[~_in(classes, NO_WALKING)]
    net, walking = planarise(bounding), planarise(walked, WALK_STEP_M)
    land, use, lost = land_classes(layers["landuse"], fields, library.land_uses)
    services, unknown = _services(layers["services"], fields, library.services)
    boundary = np.concatenate([layer.geometry for layer in layers["boundary"]] or [np.array([], dtype=np.object_)])
    inside = inside_of(boundary)
    people, number, feature = _people(layers["people"], fields)
    footprint, storeys = _buildings(layers["buildings"], fields, inside)
    at_home, (land, used) = lies_inside(inside, people), clipped(inside, land)
    for kind, left in (("people", int((~at_home).sum())), ("landuse", int((~used).sum()))):
        if left:
            called = ", ".join(layer.name for layer in layers[kind])
            problems.append(Problem(message("streets.outside", layer=called, count=left), "notice"))
    for key, names in (("streets.unknown_use", lost), ("streets.unknown_service", unknown)):
        if names:
            shown = ", ".join(sorted(names)[:8]) + (", ..." if len(names) > 8 else "")
            problems.append(Problem(message(key, names=shown, count=len(names)), "notice"))
    doors = _doors(layers, services)
    return Ground(
        scope=scope,
        crs=layers["streets"][0].crs,
        net=net,
        walking=walking,
        height=_node_heights(walking, lines, height),
        land=land,
        use=use[used],
        doors=doors,
        services=services,
        stations=_points(layers["stations"]) if layers["stations"] else None,
        people=people[at_home],
        number=number[at_home],
        feature=feature[at_home],
        footprint=footprint,
        storeys=storeys,
        boundary=boundary,
        inside=inside,
        provenance={kind: _worst(many) for kind, many in layers.items()},
        problems=tuple(problems),
    )


def _worst(layers: Sequence[Layer]) -> str:
    return "assumed" if any(layer.provenance == "assumed" for layer in layers) else "user"


def _in(classes: Sequence[str | None], wanted: frozenset[str]) -> NDArray[np.bool_]:
    return np.array([name in wanted for name in classes], dtype=np.bool_)


def _streets(
    layers: Sequence[Layer], fields: Mapping[str, Mapping[str, str | None]]
) -> tuple[Geometries, list[str | None], bool]:
    """Return the lines, the class of each (None: not said), and whether they have heights."""
    lines, classes = [], []
    for layer in layers:
        wanted = fields[layer.name]["kind_field"]
        given = wanted or ("highway" if "highway" in layer.attributes.columns else None)
        kinds = [None] * len(layer.geometry) if given is None else layer.column(given).cast(pl.String).to_list()
        flat = np.isin(shapely.get_type_id(layer.geometry), (1, 2, 5))
        lines.append(layer.geometry[flat])
        classes += [kind for kind, keep in zip(kinds, flat, strict=True) if keep]
    whole = np.concatenate(lines)
    if whole.size == 0:
        raise UserError([Problem(message("streets.no_lines", layer=layers[0].name), file=layers[0].file)])
    return whole, classes, bool(shapely.has_z(whole).any())


def _node_heights(net: StreetNet, lines: Geometries, tall: bool) -> Floats | None:
    """Return the height of each node from the nearest vertex that has one, None where the layer has no heights."""
    if not tall:
        return None
    points = shapely.get_coordinates(lines, include_z=True)
    points = points[np.isfinite(points[:, 2])]
    _, nearest = cKDTree(points[:, :2]).query(net.node)
    return np.asarray(points[nearest, 2], dtype=np.float64)


def service_positions(services: pl.DataFrame) -> tuple[Mapping[str, list[int]], Mapping[str, int]]:
    """Return the services by tag ``key=value`` (several may share one) and by folded name or alias."""
    by_tag: dict[str, list[int]] = {}
    by_name: dict[str, int] = {}
    for at, row in enumerate(services.iter_rows(named=True)):
        for tag in (row["tags"] or "").split(";"):
            by_tag.setdefault(tag, []).append(at)
        for name in (row["service"], row["name"], row["name_zh"], *(row["aliases"] or "").split(";")):
            if name:
                by_name.setdefault(fold(name), at)
    return by_tag, by_name


def _services(
    layers: Sequence[Layer], fields: Mapping[str, Mapping[str, str | None]], services: pl.DataFrame
) -> tuple[Services | None, set[str]]:
    """Return the facilities, None without a layer, and the names that no service fits."""
    if not layers:
        return None, set()
    by_tag, by_name = service_positions(services)
    points, rows, unknown = [], [], set()
    for layer in layers:
        wanted = fields[layer.name]["kind_field"]
        if wanted:
            found = [
                [by_name[fold(name)]] if name and fold(name) in by_name else []
                for name in layer.column(wanted).cast(pl.String).to_list()
            ]
            values = layer.column(wanted).cast(pl.String).to_list()
            unknown |= {name for name, hit in zip(values, found, strict=True) if name and not hit}
        else:
            tags = [name for name in _TAGS if name in layer.attributes.columns]
            found = [
                sorted({at for key in tags if row[key] for at in by_tag.get(f"{key}={row[key]}", [])})
                for row in layer.attributes.iter_rows(named=True)
            ]
        points.append(shapely.point_on_surface(layer.geometry))
        rows += found
    gives = np.zeros((len(rows), services.height), dtype=np.bool_)
    for at, hit in enumerate(rows):
        gives[at, hit] = True
    return Services(np.concatenate(points), gives), unknown


def _doors(layers: Mapping[str, Sequence[Layer]], services: Services | None) -> Geometries | None:
    """Return entrances and shops: the layer of entrances, and every shop or eating place of the services' layer."""
    found = [_points(layers["entrances"])] if layers["entrances"] else []
    for layer in layers["services"]:
        if "shop" not in layer.attributes.columns and "amenity" not in layer.attributes.columns:
            continue
        shop = pl.col("shop").is_not_null() if "shop" in layer.attributes.columns else pl.lit(value=False)
        eating = ("restaurant", "cafe", "fast_food", "bar", "pub", "bank", "pharmacy")
        dining = pl.col("amenity").is_in(eating) if "amenity" in layer.attributes.columns else pl.lit(value=False)
        active = layer.attributes.select((shop | dining).fill_null(value=False)).to_series().to_numpy()
        found.append(shapely.point_on_surface(layer.geometry[active]))
    if not found or (services is None and not layers["entrances"]):
        return None
    return np.concatenate(found)


def _points(layers: Sequence[Layer]) -> Geometries:
    return np.concatenate([shapely.point_on_surface(layer.geometry) for layer in layers])


def _people(layers: Sequence[Layer], fields: Mapping[str, Mapping[str, str | None]]) -> tuple[Geometries, Floats, Ints]:
    """Return points with people, their number and their feature in the file."""
    if not layers:
        none = np.zeros(0)
        return np.array([], dtype=np.object_), none, none.astype(np.int64)
    numbers = []
    for layer in layers:
        names = ("people", "population", "residents", "pop", "人口", "常住人口")
        values = layer.column(fields[layer.name]["value_field"], *names)
        numbers.append(_numbers(layer, values))
    whole = np.concatenate(numbers)
    known = np.isfinite(whole) & (whole > 0)
    feature = np.concatenate([layer.feature for layer in layers])
    return _points(layers)[known], whole[known], feature[known]


def _numbers(layer: Layer, values: pl.Series) -> Floats:
    """Return an attribute as numbers; raises UserError naming the first feature that is none or is negative."""
    read = values.cast(pl.Float64, strict=False)
    wrong = ((read.is_null() & values.is_not_null()) | (read < 0).fill_null(value=False)).to_numpy()
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        said = message("streets.not_a_number", layer=layer.name, field=values.name)
        raise UserError([Problem(said, file=layer.file, row=int(layer.feature[at]), value=str(values[at]))])
    return np.asarray(read.fill_null(float("nan")).to_numpy(), dtype=np.float64)


def _buildings(
    layers: Sequence[Layer], fields: Mapping[str, Mapping[str, str | None]], inside: shapely.Geometry | None
) -> tuple[Floats, Floats]:
    """Return the footprint (m2) and the storeys (NaN: unknown) of each building within the boundary."""
    footprint, storeys = [np.zeros(0)], [np.zeros(0)]
    for layer in layers:
        names = ("building:levels", "levels", "storeys", "floors", "层数")
        wanted = fields[layer.name]["value_field"] or next(
            (name for name in names if name in layer.attributes.columns), None
        )
        kept = lies_inside(inside, layer.geometry)
        footprint.append(shapely.area(layer.geometry)[kept])
        known = _numbers(layer, layer.column(wanted)) if wanted else np.full(len(layer.geometry), np.nan)
        storeys.append(known[kept])
    return np.concatenate(footprint), np.concatenate(storeys)
