"""The library with the user's own rows laid over it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import polars as pl

from cyclopolis.library.tables import Library, with_kinds

_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "commodities": ("commodity",),
    "technologies": ("technology",),
    "recipes": ("technology", "commodity", "direction"),
    "substitutions": ("commodity", "technology", "displaced"),
    "transport": ("mode",),
    "pollution_equivalents": ("commodity",),
    "pollution_rates": ("region", "medium"),
    "environment_rates": ("item",),
    "society_weights": ("part",),
    "exposure_bands": ("band",),
    "hazards": ("technology",),
    "taxes": ("tax",),
    "grid_factors": ("year", "region"),
    "land_thresholds": ("item", "grade"),
}
FACTOR_TABLES: Final = tuple(_KEYS)[5:]
"""Tables of factors behind the three dimensions that a plan may lay over the library's, row by row."""
_DEFAULTS: Final[Mapping[str, Mapping[str, object]]] = {
    "commodities": {"hazard": False, "natural": False},
    "technologies": {"main_direction": "out"},
    "taxes": {"cost": True},
}
_ASSUMED: Final = r"(?i)^\s*(?:assumed|假设|假定)"
_PROVENANCES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "commodities": {
        "lhv_carbon_provenance": ("lhv_gj_per_unit", "carbon_t_per_unit"),
        "ewc_provenance": ("ewc_code",),
        "sw_provenance": ("sw_code",),
        "natural_provenance": ("natural",),
    },
    "technologies": {
        "economics_provenance": ("reference_capacity", "capex", "opex", "jobs", "scale_exponent"),
        "gbt_provenance": ("gbt4754_2017",),
        "nace_provenance": ("nace_rev2",),
    },
}


def with_user_rows(
    library: Library,
    commodities: pl.DataFrame | None = None,
    technologies: pl.DataFrame | None = None,
    recipes: pl.DataFrame | None = None,
    substitutions: pl.DataFrame | None = None,
    transport: pl.DataFrame | None = None,
    factors: Mapping[str, pl.DataFrame] | None = None,
) -> Library:
    """Lay the user's rows over the library's.

    A row with the library's identifier corrects that row: its filled cells win, its empty cells keep what the library
    has. Any other row is added. Each such row gets the provenance "user", or "assumed" where its source begins with
    assumed, 假设 or 假定; without a source it is "plan". A user's recipe rows replace the library's
    rows of the same technology and commodity, ranges included; the other commodities of that technology stay. Kinds of
    substitutions are found anew, and a disposal cost given by the user gives the commodity a fate.

    Parameters
    ----------
    library : Library
    commodities, technologies, recipes, substitutions, transport : polars.DataFrame, optional
        Tables with columns of the same names as the library's; columns may be absent, others are not looked at. They
        are taken as checked: identifiers exist, required cells are filled, and numbers stand in the commodity's own
        unit. That is converted where a plan is read; a ``unit`` cell counts here only for a new commodity.
    factors : mapping of str to polars.DataFrame, optional
        Tables of `FACTOR_TABLES` by name, laid over the library's in the same way.

    Returns
    -------
    Library
        A new library; the given one is unchanged.

    Raises
    ------
    ValueError
        If a table lacks a column that identifies its rows.

    Examples
    --------
    >>> from cyclopolis.library import load_library
    >>> mine = pl.DataFrame({"commodity": ["cement"], "price_high": [450.0], "source": ["our contract"]})
    >>> merged = with_user_rows(load_library(), commodities=mine)
    >>> merged.commodities.filter(commodity="cement").select("price_low", "price_high", "provenance").row(0)
    (260.0, 450.0, 'user')
    """
    given = {
        "commodities": commodities,
        "technologies": technologies,
        "recipes": recipes,
        "substitutions": substitutions,
        "transport": transport,
        **(factors or {}),
    }
    shaped = {name: _shape(name, table) for name, table in given.items() if table is not None and not table.is_empty()}
    known = library.tables()
    merged = {name: _lay_over(name, known[name], table) for name, table in shaped.items() if name != "recipes"}
    everything = merged.get("commodities", library.commodities)
    if "technologies" in merged:
        merged["technologies"] = _with_units(merged["technologies"], everything, "main_commodity")
    if "recipes" in shaped:
        merged["recipes"] = _lay_recipes_over(library.recipes, shaped["recipes"], everything)
    if "commodities" in shaped:
        merged["fates"] = _with_user_fates(library.fates, everything, shaped["commodities"])
    merged["substitutions"] = with_kinds(
        merged.get("substitutions", library.substitutions), merged.get("recipes", library.recipes)
    ).select(library.substitutions.columns)
    return replace(library, **merged)


def _shape(name: str, table: pl.DataFrame) -> pl.DataFrame:
    """Give a user's table all documented columns with their types; the last of two rows with one identity holds."""
    missing = [key for key in _KEYS[name] if key not in table.columns]
    if missing:
        raise ValueError(f"{name}: the columns {missing} identify a row and are not there")
    columns = Library.columns()[name]
    shaped = table.select(
        (pl.col(column.name) if column.name in table.columns else pl.lit(None)).cast(column.dtype).alias(column.name)
        for column in columns
    )
    shaped = shaped.with_columns(pl.col("source").fill_null("plan"))
    origin = pl.when(pl.col("source").str.contains(_ASSUMED)).then(pl.lit("assumed")).otherwise(pl.lit("user"))
    own = {"provenance": origin}
    for provenance, stated in _PROVENANCES.get(name, {}).items():
        own[provenance] = pl.when(pl.any_horizontal(pl.col(*stated).is_not_null())).then(origin)
    if name == "technologies":
        own["economics_source"] = pl.when(own["economics_provenance"].is_not_null()).then("source")
    return shaped.with_columns(**own).unique(subset=_KEYS[name], keep="last", maintain_order=True)


def _lay_over(name: str, known: pl.DataFrame, user: pl.DataFrame) -> pl.DataFrame:
    """Correct rows in place, cell by cell, and add new ones at the end."""
    keys = _KEYS[name]
    if name == "commodities":
        fresh = ~pl.col("commodity").is_in(known["commodity"].implode())
        user = user.with_columns(unit=pl.when(fresh).then("unit"))
    merged = known.update(user, on=list(keys), how="full", maintain_order="left_right")
    return merged.select(known.columns).with_columns(
        pl.col(column).fill_null(value) for column, value in _DEFAULTS.get(name, {}).items()
    )


def _with_units(table: pl.DataFrame, commodities: pl.DataFrame, key: str) -> pl.DataFrame:
    """Give each row its commodity's own unit."""
    units = commodities.select(pl.col("commodity").alias(key), "unit")
    return table.drop("unit").join(units, on=key, how="left", maintain_order="left").select(table.columns)


def _lay_recipes_over(known: pl.DataFrame, user: pl.DataFrame, commodities: pl.DataFrame) -> pl.DataFrame:
    """Replace the rows of each (technology, commodity) that the user gives; a role not given stays what it was."""
    pair = ("technology", "commodity")
    roles = known.select(*pair, "direction", _role=pl.col("role"))
    usual = pl.when(direction="in").then(pl.lit("feedstock")).otherwise(pl.lit("byproduct"))
    rows = (
        user.join(roles, on=[*pair, "direction"], how="left", maintain_order="left")
        .with_columns(role=pl.coalesce("role", "_role", usual))
        .drop("_role")
    )
    kept = known.join(user.select(pair), on=pair, how="anti", maintain_order="left")
    return pl.concat([kept, _with_units(rows, commodities, "commodity").select(known.columns)])


def _with_user_fates(fates: pl.DataFrame, commodities: pl.DataFrame, user: pl.DataFrame) -> pl.DataFrame:
    """Give the commodities whose disposal cost the user states that cost, and a fate by kind if they have none.

    Emissions are emitted; solids, sludge and slurry that are no hazardous waste are landfilled; all else is treated.
    """
    rows = commodities.join(user.select("commodity", _cost="disposal_cost"), on="commodity").filter(
        pl.col("_cost").is_not_null() | (pl.col("kind") == "emission")
    )
    fate = (
        pl.when(kind="emission")
        .then(pl.lit("emit"))
        .when((pl.col("kind") == "water") | pl.col("hazard"))
        .then(pl.lit("treat"))
        .when(pl.col("state").is_in(["solid", "sludge", "slurry"]))
        .then(pl.lit("landfill"))
        .otherwise(pl.lit("treat"))
    )
    known = fates.select("commodity", _fate="fate", _co2="co2_t_per_unit")
    fresh = rows.join(known, on="commodity", how="left", maintain_order="left").select(
        "commodity",
        fate=pl.coalesce("_fate", fate),
        cost=pl.col("_cost").fill_null(0.0),
        co2_t_per_unit=pl.col("_co2").fill_null(0.0),
        source="source",
        provenance="provenance",
        note=pl.lit(None, dtype=pl.String),
    )
    kept = fates.join(fresh, on="commodity", how="anti", maintain_order="left")
    return pl.concat([kept, fresh.select(fates.columns)])
