"""What the dimensions must know beside flows: pollution equivalents, rates, taxes, weights, residents near sites."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from cyclopolis.library import Library
from cyclopolis.network.candidates import provenance_codes
from cyclopolis.network.model import PROVENANCE, Bools, Floats, Ints
from cyclopolis.network.places import Places, floats, nearest_ancestor, positions, straight_km

MEDIA = ("air", "water", "solid")
"""Media by code; -1 for what is no pollutant of the tax law."""
COUNTRY = "China"
"""Region whose range stands for a province of unknown rate."""
_KG_PER_T = 1000.0
_POINT_KM = 1e-6
_ASSUMED = PROVENANCE.index("assumed")


@dataclass(frozen=True)
class Rate:
    """A figure of a table with its provenance (a position in `PROVENANCE`)."""

    value: float
    provenance: int


@dataclass(frozen=True)
class Tax:
    """One tax: share ``rate`` of its ``basis``, of which ``local_share`` stays with the localities."""

    name: str
    basis: str
    rate: float
    local_share: float
    cost: bool
    provenance: int
    en: str
    zh: str


@dataclass(frozen=True)
class Factors:
    """Factors by commodity (C), site (S) and technology (T), in the order of the network's identifiers.

    ``medium`` is a position in `MEDIA` or -1; ``equivalents`` are pollution equivalents per unit (air and water),
    ``solid_rate`` is CNY per unit (solid); both NaN where nobody knows. ``pollution_rate`` (S, 2) is CNY per
    equivalent into air and water. ``taxed`` (T, C) tells which pollutants a technology pays for. ``virgin`` marks
    resources from the ground, ``uncounted`` emissions that are no pollutants (air, water, CO2). ``near`` counts the
    residents around a site by the weights of the bands of distance (NaN: no population or position known); ``hazard``
    is the weight of a technology as a neighbour. ``held`` marks sites whose grid factor is of an earlier year than
    the network's. ``items`` are the rates of the environment score, ``weights`` points per unit of the society score.
    ``price_group`` names the group of chains whose prices move together, by commodity ('': of its own).
    """

    medium: Ints
    equivalents: Floats
    solid_rate: Floats
    equivalent_provenance: Ints
    pollution_rate: Floats
    rate_provenance: Ints
    taxed: Bools
    virgin: Bools
    uncounted: Bools
    near: Floats
    hazard: Floats
    held: Bools
    items: Mapping[str, Rate]
    weights: Mapping[str, Rate]
    taxes: tuple[Tax, ...]
    price_group: tuple[str, ...]


def read_factors(
    library: Library,
    sites: pl.DataFrame,
    places: Places,
    commodities: pl.DataFrame,
    technologies: pl.DataFrame,
    year: int,
) -> Factors:
    """Return the factors of a plan.

    Parameters
    ----------
    library : Library
        With the plan's own factors laid over it.
    sites : polars.DataFrame
        The plan's table.
    places : Places
    commodities, technologies : polars.DataFrame
        Rows that the network uses, in its order.
    year : int
        Year for which grid factors are looked up.
    """
    commodity_ids = tuple(commodities["commodity"].to_list())
    technology_ids = tuple(technologies["technology"].to_list())
    medium, equivalents, solid, origin = _pollutants(library.pollution_equivalents, commodity_ids, commodities)
    rate, rate_origin = _pollution_rates(library, places)
    traits = library.traits
    virgin = traits.filter(trait="virgin")["commodity"]
    quiet = traits.filter(pl.col("trait").is_in(["balancing", "biogenic"]))["commodity"]
    hazards = dict(library.hazards.select("technology", "weight").iter_rows())
    return Factors(
        medium=medium,
        equivalents=equivalents,
        solid_rate=solid,
        equivalent_provenance=origin,
        pollution_rate=rate,
        rate_provenance=rate_origin,
        taxed=taxed_pollutants(library, commodity_ids, technology_ids, medium, equivalents),
        virgin=commodities["commodity"].is_in(virgin.implode()).to_numpy(),
        uncounted=commodities["commodity"].is_in([*quiet, "co2_fossil"]).to_numpy(),
        near=residents_near(sites, places, library.exposure_bands),
        hazard=np.array([hazards.get(name) or 0.0 for name in technology_ids], dtype=np.float64),
        held=_held(places, library, year),
        items={
            row["item"]: Rate(row["rate"], PROVENANCE.index(row["provenance"]))
            for row in library.environment_rates.sort("item").iter_rows(named=True)
        },
        weights={
            row["part"]: Rate(row["weight"] / row["reference"], PROVENANCE.index(row["provenance"]))
            for row in library.society_weights.sort("part").iter_rows(named=True)
        },
        taxes=tuple(_tax(row) for row in library.taxes.sort("tax").iter_rows(named=True)),
        price_group=price_groups(library, commodity_ids),
    )


def _tax(row: Mapping[str, Any]) -> Tax:
    """Return one tax from its row; one without a name is called by its identifier."""
    en = row["name"] or row["name_zh"] or row["tax"]
    origin = PROVENANCE.index(row["provenance"])
    zh = row["name_zh"] or en
    return Tax(row["tax"], row["basis"], row["rate"], row["local_share"], row["cost"], origin, en, zh)


def _pollutants(
    table: pl.DataFrame, commodity_ids: tuple[str, ...], commodities: pl.DataFrame
) -> tuple[Ints, Floats, Floats, Ints]:
    """Return medium, equivalents per unit, solid-waste rate per unit and provenance of each commodity (C,)."""
    at = positions(commodity_ids, table["commodity"])
    rows = table.filter(pl.Series(at >= 0, dtype=pl.Boolean))
    at = at[at >= 0]
    size = len(commodity_ids)
    mass = floats(commodities["t_per_unit"])
    medium = np.full(size, -1)
    origin = np.full(size, _ASSUMED)
    kg, rate = np.full(size, np.nan), np.full(size, np.nan)
    medium[at] = [MEDIA.index(name) for name in rows["medium"].to_list()]
    origin[at] = provenance_codes(rows["provenance"])
    kg[at], rate[at] = floats(rows["equivalent_kg"]), floats(rows["rate_cny_per_t"])
    with np.errstate(divide="ignore"):
        return medium, mass * _KG_PER_T / kg, mass * rate, origin


def region_names(library: Library) -> Mapping[str, str]:
    """Return the English name of every region by its Chinese one."""
    tables = (library.grid_factors, library.pollution_rates, library.regions)
    pairs = pl.concat([table.select("region_zh", "region") for table in tables]).drop_nulls()
    return dict(pairs.iter_rows())


def _pollution_rates(library: Library, places: Places) -> tuple[Floats, Ints]:
    """Return CNY per equivalent of each site into air and water (S, 2), and where it comes from.

    The midpoint of a range counts. A province without a row gets the country's midpoint, marked assumed.
    """
    english = region_names(library)
    known: dict[tuple[str, str], Rate] = {}
    for row in library.pollution_rates.iter_rows(named=True):
        middle = (row["rate_low"] + row["rate_high"]) / 2
        region = english.get(row["region"], row["region"])
        known[region, row["medium"]] = Rate(middle, PROVENANCE.index(row["provenance"]))
    rate, origin = np.full((len(places.ids), 2), np.nan), np.full((len(places.ids), 2), _ASSUMED)
    for site, region in enumerate(places.region):
        for code, medium in enumerate(MEDIA[:2]):
            own = known.get((english.get(region or "", region or ""), medium))
            found = own or known.get((COUNTRY, medium))
            if found is not None:
                rate[site, code] = found.value
                origin[site, code] = found.provenance if own else _ASSUMED
    return rate, origin


def taxed_pollutants(
    library: Library,
    commodity_ids: tuple[str, ...],
    technology_ids: tuple[str, ...],
    medium: Ints,
    equivalents: Floats,
) -> Bools:
    """Return which pollutants each technology is taxed for (T, C).

    A plant counts as one outlet, and its recipe fixes the proportions of its pollutants; so which are the first
    (``top_air`` and ``top_water_class2`` of the rules) by equivalents is known beforehand and the tax stays linear. An
    exempt technology is taxed for none. A pollutant that the recipe does not name is taxed.
    """
    count = {
        rule: int(number)
        for rule, number in library.environment_tax_rules.select("rule", "count").drop_nulls().iter_rows()
    }
    most = (count.get("top_air", 3), count.get("top_water_class2", 3))
    taxed = np.ones((len(technology_ids), len(commodity_ids)), dtype=np.bool_)
    out = library.recipes.filter(direction="out")
    technology = positions(technology_ids, out["technology"])
    commodity = positions(commodity_ids, out["commodity"])
    amount = floats(out["amount"])
    kept = (technology >= 0) & (commodity >= 0)
    technology, commodity, amount = technology[kept], commodity[kept], amount[kept]
    for code in (0, 1):
        use = np.flatnonzero((medium[commodity] == code) & np.isfinite(equivalents[commodity]))
        order = use[np.lexsort((commodity[use], -amount[use] * equivalents[commodity[use]], technology[use]))]
        held = technology[order]
        rank = np.arange(order.size) - np.searchsorted(held, held, side="left")
        beyond = order[rank >= most[code]]
        taxed[technology[beyond], commodity[beyond]] = False
    exempt = positions(technology_ids, library.tax_exemptions["technology"])
    taxed[exempt[exempt >= 0]] = False
    return taxed


def price_groups(library: Library, commodity_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return the price group of each commodity (C,), '' where it has none.

    It is the group of the chain that makes the commodity as a main product, else as a by-product, else that takes it;
    of several the one with the most technologies, then the first by name.
    """
    group = library.price_groups.select("chain", "price_group")
    heads = library.technologies.select("technology", "chain", "main_commodity").join(group, on="chain")
    rows = library.recipes.select("technology", "commodity", "direction").join(heads, on="technology")
    rank = (
        pl.when((pl.col("direction") == "out") & (pl.col("commodity") == pl.col("main_commodity")))
        .then(0)
        .when(pl.col("direction") == "out")
        .then(1)
        .otherwise(2)
    )
    best = (
        rows.group_by("commodity", "price_group", rank.alias("rank"))
        .len()
        .sort("commodity", "rank", -pl.col("len").cast(pl.Int64), "price_group")
        .unique("commodity", keep="first", maintain_order=True)
    )
    found = dict(best.select("commodity", "price_group").iter_rows())
    return tuple(found.get(name, "") for name in commodity_ids)


def _held(places: Places, library: Library, year: int) -> Bools:
    """Return the sites whose newest grid factor is of an earlier year (S,)."""
    english = region_names(library)
    newest = dict(
        library.grid_factors.filter(pl.col("year") <= year).group_by("region").agg(pl.col("year").max()).iter_rows()
    )
    return np.array(
        [newest.get(english.get(region or "", region or ""), year) < year for region in places.region], dtype=np.bool_
    )


def disc_share(distance: Floats, radius: Floats, reach: float) -> Floats:
    """Return which share of a disc lies within ``reach`` of a point: the lens of two circles over the disc's area.

    Parameters
    ----------
    distance : array
        From the point to the middle of each disc, km.
    radius : array
        Of each disc, km; 0 for a place of unknown area, which lies wholly at its middle.
    reach : float
        Radius around the point, km.

    Examples
    --------
    >>> disc_share(np.array([0.0, 0.0, 9.0]), np.array([2.0, 0.0, 1.0]), 1.0).tolist()
    [0.25, 1.0, 0.0]
    """
    point = radius < _POINT_KM
    r = np.where(point, 1.0, radius)
    d = np.maximum(distance, _POINT_KM)
    with np.errstate(invalid="ignore"):
        a = np.arccos(np.clip((d**2 + reach**2 - r**2) / (2 * d * max(reach, _POINT_KM)), -1, 1))
        b = np.arccos(np.clip((d**2 + r**2 - reach**2) / (2 * d * r), -1, 1))
        kite = np.sqrt(np.maximum((-d + reach + r) * (d + reach - r) * (d - reach + r) * (d + reach + r), 0.0)) / 2
    lens = reach**2 * a + r**2 * b - kite
    inside = np.where(d + r <= reach, 1.0, np.where(d + reach <= r, (reach / r) ** 2, lens / (np.pi * r**2)))
    share = np.where(d >= r + reach, 0.0, inside)
    return np.where(point, (distance < reach).astype(np.float64), share)


def own_residents(parent: Ints, population: Floats) -> Floats:
    """Return the residents of each place who live in none of the places inside it; NaN where nobody knows.

    Examples
    --------
    >>> own_residents(np.array([-1, 0, 1]), np.array([100.0, np.nan, 30.0])).tolist()
    [70.0, nan, 30.0]
    """
    known = np.isfinite(population)
    above = np.where(parent >= 0, nearest_ancestor(parent, known)[np.maximum(parent, 0)], -1)
    rest = population.copy()
    inner = np.flatnonzero(known & (above >= 0))
    np.subtract.at(rest, above[inner], population[inner])
    return np.where(known, np.maximum(rest, 0.0), np.nan)


def residents_near(sites: pl.DataFrame, places: Places, bands: pl.DataFrame) -> Floats:
    """Return the residents around each site by the weights of the bands of distance (S,).

    The residents of a place are spread evenly over a disc of its area around its coordinates. NaN where the site has no
    position, or where no place has a population and a position.
    """
    rows = sites.sort("site")
    people = own_residents(places.parent, floats(rows["population"]))
    homes = np.flatnonzero((people > 0) & (places.located == np.arange(people.size)))
    near = np.full(people.size, np.nan)
    located = places.located >= 0
    if not homes.size:
        return near
    area = np.nan_to_num(floats(rows["area_km2"]))[homes]
    radius = np.sqrt(area / np.pi)
    at = np.flatnonzero(located)
    distance = straight_km(
        np.repeat(places.vector[at], homes.size, axis=0), np.tile(places.vector[homes], (at.size, 1))
    ).reshape(at.size, homes.size)
    total = np.zeros(at.size)
    for row in bands.sort("from_km", "band").iter_rows(named=True):
        ring = disc_share(distance, radius, row["to_km"]) - disc_share(distance, radius, row["from_km"])
        total += row["weight"] * (np.maximum(ring, 0.0) @ people[homes])
    near[at] = total
    return near
