"""The plants of a plan, standing and possible, with their economics from the plan or scaled from the library."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from cyclopolis.library import Library
from cyclopolis.network.model import CANDIDATE, EXISTING, PLANNED, PROVENANCE, Floats, Plants
from cyclopolis.network.places import floats
from cyclopolis.plan import library_treatments, placeless_surplus, provenance

SMALLEST_SHARE = 0.2
"""Smallest size of a plant from the library, as a share of its reference capacity (assumed)."""
LIFETIME_A = 20.0
"""Lifetime in years of a plant whose lifetime nobody gave (assumed)."""
_STATUS = {"existing": EXISTING, "planned": PLANNED, "candidate": CANDIDATE}


def scaled_capital(capacity: Floats, reference: Floats, capex: Floats, exponent: Floats) -> Floats:
    """Return capital at ``capacity``: capex (capacity / reference) ^ exponent; NaN where anything is unknown.

    Examples
    --------
    >>> round(float(scaled_capital(np.array([50.0]), np.array([100.0]), np.array([10.0]), np.array([0.65]))[0]), 3)
    6.373
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(capex * (capacity / reference) ** exponent, dtype=np.float64)


def capital_chord(smallest: Floats, largest: Floats, at_smallest: Floats, at_largest: Floats) -> tuple[Floats, Floats]:
    """Return (fixed, slope) of the line through the capital at the smallest and the largest size.

    Capital grows less than size (exponent below 1), so the line lies below the curve between its ends by a few per
    cent and meets it at both; where both sizes are equal all capital is fixed.
    """
    span = largest - smallest
    free = span > 0
    slope = np.where(free, (at_largest - at_smallest) / np.where(free, span, 1.0), 0.0)
    return np.where(free, at_smallest - slope * smallest, at_largest), slope


def library_candidates(sites: pl.DataFrame, technologies: pl.DataFrame) -> pl.DataFrame:
    """Return one row per site and library technology that the site allows and whose size and capital are known.

    Columns: plant (``new:TECHNOLOGY@SITE``), site, technology.
    """
    known = (
        technologies.filter((pl.col("reference_capacity") > 0) & pl.col("capex").is_not_null())
        .select("technology")
        .sort("technology")
    )
    wanted = (
        sites.filter(pl.col("new_plants").is_not_null())
        .sort("site")
        .select("site", wish=pl.col("new_plants").str.split(";"))
        .explode("wish", empty_as_null=True)
        .with_columns(pl.col("wish").str.strip_chars())
    )
    anything = (
        wanted.filter(pl.col("wish").str.to_lowercase() == "any").select("site").unique().join(known, how="cross")
    )
    named = wanted.select("site", technology="wish").join(known, on="technology", how="semi")
    rows = pl.concat([anything.select("site", "technology"), named]).unique().sort("site", "technology")
    return rows.select(pl.format("new:{}@{}", "technology", "site").alias("plant"), "site", "technology")


def treatment_candidates(tables: Mapping[str, pl.DataFrame], library: Library) -> pl.DataFrame:
    """Return one row per site and treatment of the library for what plants to be built there cannot place otherwise.

    The site need not list it among its new plants: it is assumed. Columns as of `library_candidates`, and commodity.
    """
    home = tables["enterprises"].select("enterprise", home="site")
    places = tables["plants"].join(home, on="enterprise", how="left").select("plant", site=pl.coalesce("site", "home"))
    return (
        placeless_surplus(tables, library)
        .join(places.drop_nulls(), on="plant")
        .select("commodity", "site")
        .unique()
        .join(library_treatments(library), on="commodity")
        .select(pl.format("new:{}@{}", "technology", "site").alias("plant"), "site", "technology", "commodity")
        .sort("site", "technology")
    )


def plant_rows(
    plants: pl.DataFrame, enterprises: pl.DataFrame, fresh: pl.DataFrame, technologies: pl.DataFrame
) -> pl.DataFrame:
    """Return all plants sorted by identifier, each with its site and its technology's figures (prefix ``ref_``)."""
    home = enterprises.select("enterprise", home="site")
    own = plants.join(home, on="enterprise", how="left", maintain_order="left").with_columns(
        site=pl.coalesce("site", "home"), library=pl.lit(value=False)
    )
    extra = fresh.join(plants.select("plant"), on="plant", how="anti").with_columns(
        status=pl.lit("candidate"), library=pl.lit(value=True)
    )
    figures = technologies.select(
        "technology",
        "main_commodity",
        "main_direction",
        ref_capacity="reference_capacity",
        ref_capex="capex",
        ref_opex="opex",
        ref_jobs="jobs",
        ref_exponent="scale_exponent",
        ref_provenance="economics_provenance" if "economics_provenance" in technologies.columns else "provenance",
    )
    rows = pl.concat([own.drop("home"), extra], how="diagonal")
    return rows.join(figures, on="technology", how="left", maintain_order="left").sort("plant")


def read_plants(
    rows: pl.DataFrame,
    site: np.ndarray,
    enterprise: np.ndarray,
    technology: np.ndarray,
    main: np.ndarray,
    activity: Floats,
) -> Plants:
    """Return the plants as arrays from `plant_rows`, their positions and the base-year activity of what stands."""
    status = rows["status"].replace_strict(_STATUS, return_dtype=pl.Int64).to_numpy()
    standing = status == EXISTING
    given, reference = floats(rows["capacity"]), floats(rows["ref_capacity"])
    free = np.isnan(given) & ~standing
    capacity = np.where(free, reference, given)
    smallest = np.where(free, SMALLEST_SHARE * reference, capacity)
    units = np.where(free | standing, 1.0, np.nan_to_num(floats(rows["units"]), nan=1.0))
    exponent, capital = floats(rows["ref_exponent"]), floats(rows["ref_capex"])
    own_capex = floats(rows["capex"])
    capex = np.where(
        np.isnan(own_capex), units * scaled_capital(capacity / units, reference, capital, exponent), own_capex
    )
    at_smallest = np.where(np.isnan(own_capex), scaled_capital(smallest, reference, capital, exponent), own_capex)
    at_smallest = np.where(np.isnan(at_smallest), capex, at_smallest)
    fixed, slope = capital_chord(smallest, capacity, at_smallest, capex)
    size = np.where(standing & np.isnan(capacity), activity, capacity)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled_jobs = floats(rows["ref_jobs"]) * size / reference
    own_opex, own_jobs = floats(rows["opex"]), floats(rows["jobs"])
    own = rows.select(
        economics=pl.when(pl.all_horizontal(pl.col("capex", "opex", "jobs").is_not_null()))
        .then(provenance(pl.col("source")))
        .otherwise(pl.col("ref_provenance")),
        row=pl.when(pl.col("library")).then(pl.lit("assumed")).otherwise(provenance(pl.col("source"))),
    )
    lifetime = floats(rows["lifetime"])
    return Plants(
        site=site,
        enterprise=enterprise,
        technology=technology,
        status=status,
        main=main,
        capacity=capacity,
        capacity_min=smallest,
        activity=np.where(standing, activity, 0.0),
        build_from=floats(rows["build_from"]),
        build_until=floats(rows["build_until"]),
        lifetime=np.where(np.isnan(lifetime), LIFETIME_A, lifetime),
        capex=capex,
        capex_fixed=fixed,
        capex_slope=slope,
        scale_exponent=np.where(np.isnan(own_capex), exponent, 0.0),
        units=units,
        min_load=np.nan_to_num(floats(rows["min_load_pct"])) / 100.0,
        retire_year=floats(rows["retire_year"]),
        opex=np.where(np.isnan(own_opex), floats(rows["ref_opex"]), own_opex),
        jobs=np.where(np.isnan(own_jobs), scaled_jobs, own_jobs),
        land=floats(rows["land_ha"]),
        may_close=rows["may_close"].fill_null(value=False).to_numpy(),
        library=rows["library"].to_numpy(),
        provenance=provenance_codes(own["row"]),
        economics_provenance=provenance_codes(own["economics"]),
    )


def provenance_codes(values: pl.Series) -> np.ndarray:
    """Return positions in `PROVENANCE`; nothing said counts as assumed."""
    codes = {name: code for code, name in enumerate(PROVENANCE)}
    return values.fill_null("assumed").replace_strict(codes, return_dtype=pl.Int64).to_numpy()
