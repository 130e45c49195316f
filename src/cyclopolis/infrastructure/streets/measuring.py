"""Measures of blocks, streets and land of one place as rows of the result's tables."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from cyclopolis.infrastructure.streets.blocks import (
    HECTARE,
    block_sizes,
    blocks,
    dead_ends,
    frontage_activity,
    hull_km2,
    intersections,
)
from cyclopolis.infrastructure.streets.inside import length_inside, lies_inside
from cyclopolis.infrastructure.streets.landuse import areas_by_use, floor_area, mix_entropy, overlay, share_within
from cyclopolis.infrastructure.streets.reading import Ground
from cyclopolis.library import Library
from cyclopolis.plan.layers import to_degrees

Rows = list[dict[str, Any]]
Geometries = NDArray[np.object_]
TOD_M = (500.0, 800.0)
"""Walking distances to a station of transit-oriented development, m."""
_DIGITS = 1e-6


def lonlat_wkt(shapes: Geometries, crs: str) -> list[str]:
    """Return shapes as WKT in degrees with six decimals."""

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(to_degrees(points[:, 0], points[:, 1], crs))

    if len(shapes) == 0:
        return []
    return [str(text) for text in shapely.to_wkt(shapely.transform(shapes, moved), rounding_precision=6)]


def block_rows(ground: Ground, library: Library) -> Rows:
    """Return the blocks with their land use, largest first."""
    found = blocks(ground.net)
    found = found[lies_inside(ground.inside, found)]
    if len(found) == 0:
        return []
    uses = library.land_uses
    area = shapely.area(found)
    by_use = overlay(found, ground.land, ground.use, uses.height)
    mix = mix_entropy(by_use)
    best = np.argmax(by_use, axis=1)
    known = by_use.max(axis=1) > 0
    names, groups = uses["land_use"].to_list(), uses["group"].to_list()
    inside = shapely.get_coordinates(shapely.point_on_surface(found))
    lon, lat = to_degrees(inside[:, 0], inside[:, 1], ground.crs)
    outlines = lonlat_wkt(found, ground.crs)
    return [
        {
            "scope": ground.scope,
            "block": at + 1,
            "area_ha": area[at] / HECTARE,
            "side_m": float(np.sqrt(area[at])),
            "land_use": names[best[at]] if known[at] else None,
            "group": _group(groups[best[at]]) if known[at] else "other",
            "mix": mix[at] if known[at] else None,
            "lon": lon[at],
            "lat": lat[at],
            "outline": outlines[at],
        }
        for at in range(len(found))
    ]


def _group(name: str) -> str:
    """Return how a block of a use is judged: living, industrial or other."""
    return name if name in {"living", "industrial"} else "other"


def size_rows(ground: Ground, rows: Rows, limits: Mapping[str, tuple[float, str]]) -> Rows:
    """Return the sizes of all blocks and of each group, against the limit of its group (ha, provenance)."""
    area = np.array([row["area_ha"] for row in rows])
    group = np.array([row["group"] for row in rows])
    out = []
    for name in ("all", "living", "industrial", "other"):
        limit, provenance = limits.get(name, limits["all"])
        chosen = area if name == "all" else area[group == name] if area.size else area
        sizes = block_sizes(chosen, limit)
        values = {key: _known(getattr(sizes, key)) for key in ("mean_ha", "median_ha", "largest_ha", "side_m")}
        out.append(
            {
                "scope": ground.scope,
                "group": name,
                "count": sizes.count,
                **values,
                "limit_ha": limit,
                "share_above": _known(sizes.share_above),
                "limit_provenance": provenance,
            }
        )
    return out


def _known(value: float) -> float | None:
    """Return a number, or None for NaN."""
    return None if np.isnan(value) else float(value)


def street_rows(ground: Ground, reach_m: float) -> Rows:
    """Return the streets between junctions with what fronts them."""
    edges = ground.net.edges[length_inside(ground.inside, ground.net.edges) > 0]
    length = np.asarray(shapely.length(edges))
    lines = lonlat_wkt(edges, ground.crs)
    if ground.doors is None:
        count: list[int | None] = [None] * length.size
        density: list[float | None] = [None] * length.size
    else:
        found = frontage_activity(edges, ground.doors, reach_m)
        count, density = found[0].tolist(), found[1].tolist()
    return [
        {
            "scope": ground.scope,
            "street": at + 1,
            "length_m": length[at],
            "doors": count[at],
            "doors_per_100m": density[at],
            "line": lines[at],
        }
        for at in range(length.size)
    ]


def land_rows(ground: Ground, library: Library) -> Rows:
    """Return the area of each land use and its share of the land whose use is known."""
    uses = library.land_uses
    area = areas_by_use(ground.land, ground.use, uses.height) / HECTARE
    total = area.sum()
    return [
        {
            "scope": ground.scope,
            "land_use": uses["land_use"][at],
            "group": uses["group"][at],
            "area_ha": float(area[at]),
            "share": float(area[at] / total),
        }
        for at in np.argsort(-area, kind="stable").tolist()
        if area[at] > 0
    ]


def measure_rows(
    ground: Ground, sizes: Rows, streets: Rows, land: Rows, library: Library, output_million: float | None
) -> Rows:
    """Return the measures of a place, each with its target and whether it is met."""
    ground_km2, basis = _ground_area(ground)
    length_km = float(length_inside(ground.inside, ground.net.edges).sum()) / 1000.0
    within = lies_inside(ground.inside, np.asarray(shapely.points(ground.net.node), dtype=np.object_))
    crossings, ends = intersections(ground.net, within), dead_ends(ground.net, within)
    pieces, part = ground.walking.pieces()
    largest = np.bincount(part).max() / part.size if part.size else np.nan
    everything = next(row for row in sizes if row["group"] == "all")
    living = next(row for row in sizes if row["group"] == "living")
    active = [row for row in streets if row["doors"]]
    fronts = sum(row["length_m"] for row in active)
    by_group: dict[str, float] = {}
    for row in land:
        by_group[row["group"]] = by_group.get(row["group"], 0.0) + row["area_ha"]
    total = sum(by_group.values())
    floor, unknown = floor_area(ground.footprint, ground.storeys)
    industrial = by_group.get("industrial", 0.0)
    mix = mix_entropy(np.array([row["area_ha"] for row in land] + [0.0] * (library.land_uses.height - len(land))))
    values: list[tuple[str, float | None, str, str]] = [
        ("street_length", length_km, "km", "streets"),
        (f"ground_{basis}", ground_km2, "km2", "boundary" if basis == "boundary" else "streets"),
        ("street_density", length_km / ground_km2 if ground_km2 > 0 else None, "km/km2", "streets"),
        ("junctions", float(crossings), "1", "streets"),
        ("junction_density", crossings / ground_km2 if ground_km2 > 0 else None, "1/km2", "streets"),
        ("dead_ends", float(ends), "1", "streets"),
        ("pieces", float(pieces), "1", "streets"),
        ("largest_piece", _known(float(largest)), "1", "streets"),
        ("blocks", float(everything["count"]), "1", "streets"),
        ("block_ha", everything["mean_ha"], "ha", "streets"),
        ("block_ha_living", living["mean_ha"], "ha", "landuse"),
        ("frontage_per_100m", _frontage(active, fronts, ground), "1/(100 m)", "services"),
        ("active_frontage", fronts / 1000.0 if ground.doors is not None else None, "km", "services"),
        ("land_use_mix", _known(float(mix)), "1", "landuse"),
        ("industrial_share", industrial / total if total > 0 else None, "1", "landuse"),
        ("footprint", float(ground.footprint.sum()) / HECTARE if ground.footprint.size else None, "ha", "buildings"),
        ("floor_area", floor if ground.footprint.size and not unknown else None, "m2", "buildings"),
        ("floor_area_known", floor if floor > 0 else None, "m2", "buildings"),
        ("floor_area_ratio", floor / (ground_km2 * 1e6) if floor > 0 and not unknown else None, "1", "buildings"),
        ("output_per_ha", _over(output_million, industrial), "million CNY/ha", "landuse"),
    ]
    for radius in TOD_M:
        share = _station_share(ground, radius)
        values.append((f"people_within_{radius:.0f}_m", share, "1", "people"))
    targets = {row["measure"]: row for row in library.street_targets.iter_rows(named=True)}
    return [_judged(ground, row, targets) for row in values]


def _over(value: float | None, hectares: float) -> float | None:
    return value / hectares if value is not None and hectares > 0 else None


def _frontage(active: Rows, metres: float, ground: Ground) -> float | None:
    """Return doors per 100 m of the streets that have any, None without a layer of doors."""
    if ground.doors is None:
        return None
    return 100.0 * sum(row["doors"] for row in active) / metres if metres > 0 else 0.0


def _station_share(ground: Ground, radius: float) -> float | None:
    if ground.stations is None or ground.people.size == 0:
        return None
    return _known(share_within(ground.people, ground.number, ground.stations, radius))


def _ground_area(ground: Ground) -> tuple[float, str]:
    """Return the area that densities relate to, km2: the boundary where there is one, else the convex hull."""
    if ground.boundary.size:
        return float(shapely.area(shapely.union_all(ground.boundary))) / 1e6, "boundary"
    return hull_km2(ground.net.edges), "hull"


def _judged(ground: Ground, row: tuple[str, float | None, str, str], targets: Mapping[str, Any]) -> dict[str, Any]:
    """Return a measure with its target."""
    measure, value, unit, kind = row
    target = targets.get(measure, {})
    low, high = target.get("at_least"), target.get("at_most")
    met = None
    if value is not None and (low is not None or high is not None):
        met = (low is None or value >= low - _DIGITS) and (high is None or value <= high + _DIGITS)
    assumed = "assumed" in {ground.provenance.get(kind), ground.provenance.get("streets")}
    return {
        "scope": ground.scope,
        "measure": measure,
        "value": value,
        "unit": unit,
        "at_least": low,
        "at_most": high,
        "met": met,
        "target_source": target.get("source"),
        "target_provenance": target.get("provenance"),
        "provenance": "assumed" if assumed else "computed",
    }


def output_of(plan_enterprises: pl.DataFrame, sites: set[str]) -> float | None:
    """Return the industrial output value of the enterprises at some sites, million CNY; None where none is known."""
    rows = plan_enterprises.filter(pl.col("site").is_in(sorted(sites)) & pl.col("output_value").is_not_null())
    return float(rows["output_value"].sum()) if rows.height else None
