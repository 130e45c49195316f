"""Where plants stand: nesting of sites, coordinates, distances, grid regions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cyclopolis.network.model import Bools, Floats, Ints

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the Earth (IUGG)."""
SHORTEST_WAY_KM = 0.5
"""Way between two plants at one place of unknown or small area (assumed)."""


@dataclass(frozen=True)
class Places:
    """The sites of a plan in the order of ``ids`` (S).

    ``parent`` nests them (-1: top), ``park`` is the nearest park around a site, ``located`` the nearest place around it
    that has coordinates (-1: none), ``vector`` the unit vector of those coordinates (S, 3), ``near`` the way in km
    between two plants that share that place.
    """

    ids: tuple[str, ...]
    parent: Ints
    park: Ints
    located: Ints
    vector: Floats
    near: Floats
    region: tuple[str | None, ...]


def positions(ids: tuple[str, ...], values: pl.Series) -> Ints:
    """Return the position of each value in sorted ``ids``, -1 where it is null or not there.

    Examples
    --------
    >>> positions(("a", "b"), pl.Series(["b", None, "x"])).tolist()
    [1, -1, -1]
    """
    table = pl.DataFrame({"id": pl.Series(ids, dtype=pl.String), "position": np.arange(len(ids))})
    found = pl.DataFrame({"id": values.cast(pl.String)}).join(table, on="id", how="left", maintain_order="left")
    return found["position"].fill_null(-1).cast(pl.Int64).to_numpy()


def nearest_ancestor(parent: Ints, wanted: Bools) -> Ints:
    """Return for each site itself or the nearest place around it that is ``wanted`` (-1: none).

    Examples
    --------
    >>> nearest_ancestor(np.array([-1, 0, 1]), np.array([True, False, False])).tolist()
    [0, 0, 0]
    """
    found = np.arange(parent.size)
    for _ in range(parent.size):
        climb = (found >= 0) & ~wanted[found]
        if not climb.any():
            break
        found = np.where(climb, parent[found], found)
    return found


def ancestry(parent: Ints) -> tuple[Ints, Ints]:
    """Return all pairs (site, place that holds it, itself included), sorted by site, then nearness.

    Examples
    --------
    >>> [pair.tolist() for pair in ancestry(np.array([-1, 0]))]
    [[0, 1, 1], [0, 1, 0]]
    """
    site = above = np.arange(parent.size)
    sites, aboves, depths = [site], [above], [np.zeros_like(site)]
    for depth in range(1, parent.size + 1):
        above = parent[above]
        site, above = site[above >= 0], above[above >= 0]
        if not site.size:
            break
        sites.append(site)
        aboves.append(above)
        depths.append(np.full_like(site, depth))
    flat, holders, depth_of = np.concatenate(sites), np.concatenate(aboves), np.concatenate(depths)
    order = np.lexsort((depth_of, flat))
    return flat[order], holders[order]


def unit_vectors(lon: Floats, lat: Floats) -> Floats:
    """Return points on the unit sphere (N, 3) from degrees of longitude and latitude."""
    east, north = np.radians(lon), np.radians(lat)
    return np.stack((np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)), axis=-1)


def straight_km(a: Floats, b: Floats) -> Floats:
    """Return great-circle distances (N,) in km between unit vectors (N, 3): 2 R arcsin(chord / 2), as haversine.

    Examples
    --------
    >>> pole, equator = unit_vectors(np.array([0.0]), np.array([90.0])), unit_vectors(np.array([0.0]), np.array([0.0]))
    >>> round(float(straight_km(pole, equator)[0]), 1)
    10007.6
    """
    chord = np.sqrt(((a - b) ** 2).sum(axis=-1))
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1.0)), dtype=np.float64)


def read_places(sites: pl.DataFrame) -> Places:
    """Return the sites of a plan's table, in the order of their identifiers."""
    sites = sites.sort("site")
    ids = tuple(sites["site"].to_list())
    parent = positions(ids, sites["parent"])
    lon, lat = floats(sites["lon"]), floats(sites["lat"])
    located = nearest_ancestor(parent, np.isfinite(lon) & np.isfinite(lat))
    park = nearest_ancestor(parent, (sites["kind"] == "park").to_numpy())
    own = np.arange(parent.size)
    park = np.where(park < 0, own, park)
    base = np.where(located >= 0, located, park)
    area = floats(sites["area_km2"])
    near = np.fmax(np.sqrt(np.where(np.isnan(area), 0.0, area)) / 2, SHORTEST_WAY_KM)[base]
    vector = unit_vectors(lon, lat)[np.maximum(located, 0)] if parent.size else np.zeros((0, 3))
    region = sites["grid_region"].to_list()
    named = nearest_ancestor(parent, np.array([name is not None for name in region], dtype=bool))
    return Places(ids, parent, park, located, vector, near, tuple(region[p] if p >= 0 else None for p in named))


def floats(values: pl.Series) -> NDArray[np.float64]:
    """Return numbers as floats with NaN for null."""
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def grid_factors(
    places: Places,
    table: pl.DataFrame,
    year: int,
    english: Mapping[str, str] | None = None,
    grids: Mapping[str, str] | None = None,
) -> Floats:
    """Return t CO2 per MWh by site: the newest factor of the site's region up to ``year`` (NaN: none published).

    Parameters
    ----------
    places : Places
    table : polars.DataFrame
        Columns year, region, factor_tco2_per_mwh.
    year : int
        The last published year is held for later ones.
    english : mapping of str to str, optional
        English names of regions by their Chinese ones.
    grids : mapping of str to str, optional
        Power grid that serves each region: its factor stands in where the region has none.
    """
    known = (
        table.filter(pl.col("year") <= year)
        .sort("year", maintain_order=True)
        .group_by("region", maintain_order=True)
        .agg(pl.col("factor_tco2_per_mwh").last())
    )
    factor = dict(zip(known["region"].to_list(), known["factor_tco2_per_mwh"].to_list(), strict=True))
    named = [(english or {}).get(region or "", region or "") for region in places.region]
    values = [factor.get(region, factor.get((grids or {}).get(region, ""))) for region in named]
    return floats(pl.Series(values, dtype=pl.Float64))
