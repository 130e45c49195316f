"""The library's tables, read once from the package's own data."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import as_file, files

import polars as pl

from cyclopolis.foundation.columns import Column, read_columns

_PACKAGE = "cyclopolis.library"


@dataclass(frozen=True, eq=False)
class Library:
    """All that is known before a plan is read; columns, units and meanings are in ``columns.csv`` beside this file.

    Every row has ``source`` and ``provenance`` (seen, memory, assumed, user); an empty cell means unknown, never zero.

    Parameters
    ----------
    commodities : polars.DataFrame
        Things that flow: unit, state, prices, disposal cost, mass, heat and carbon per unit.
    technologies : polars.DataFrame
        Recipes' heads: main commodity, economics, industry codes, why a balance may stay open.
    recipes : polars.DataFrame
        Amounts per one unit of the technology's main commodity, with usual ranges.
    substitutions : polars.DataFrame
        Which waste may go where; ``kind`` is "use" where the receiver's recipe already takes it.
    fates : polars.DataFrame
        The lawful way out of a surplus, at most one per commodity; no row means there is none.
    emission_factors : polars.DataFrame
        Published accounting factors of fuels and clinker.
    grid_factors : polars.DataFrame
        CO2 per MWh by year and region.
    environment_tax : polars.DataFrame
        China's environmental protection tax: equivalents and rates.
    environment_tax_rules : polars.DataFrame
        How the tax is computed.
    transport : polars.DataFrame
        Default modes, all assumed.
    ewc_codes, nace_classes, solid_waste_classes : polars.DataFrame
        Code lists.
    exergy : polars.DataFrame
        What share of an energy carrier's energy is work.
    services, land_uses, street_targets : polars.DataFrame
        Services of the living circles, classes of land use, targets of street networks.
    land_factors, land_formulas, land_thresholds : polars.DataFrame
        Grids that drafts of protection need, their formulas, and the bounds of their grades.
    water_classes, air_index, air_limits : polars.DataFrame
        Limits of the classes of surface water (GB 3838), of the air quality index (HJ 633), of air (GB 3095).
    traits : polars.DataFrame
        What accounts must know of a commodity: balancing item, biogenic, circular source of water, virgin resource.
    pollution_equivalents, pollution_rates, tax_exemptions : polars.DataFrame
        Which commodity is which pollutant of the tax law, the provincial rates, and who need not pay.
    environment_rates, society_weights, exposure_bands, hazards, taxes : polars.DataFrame
        Assumed rates, weights, bands of distance, hazardous technologies and taxes behind the three dimensions.
    regions : polars.DataFrame
        Provinces and the power grid that serves each.
    price_groups : polars.DataFrame
        Chains whose prices move together.
    concepts : polars.DataFrame
        The vocabulary of listings: what commodities and other things are called, and what they may serve as.
    industries : polars.DataFrame
        Kinds of enterprises: what they are called, take and give.
    legal_status : polars.DataFrame
        Where the law of a place says more of a thing than the codes of the commodity do.
    systems : polars.DataFrame
        Circulation systems and the technologies that belong to each.

    Examples
    --------
    >>> load_library().commodities.filter(pl.col("commodity") == "carbide_slag")["name_zh"].item()
    '电石渣(干基)'
    """

    commodities: pl.DataFrame
    technologies: pl.DataFrame
    recipes: pl.DataFrame
    substitutions: pl.DataFrame
    fates: pl.DataFrame
    emission_factors: pl.DataFrame
    grid_factors: pl.DataFrame
    environment_tax: pl.DataFrame
    environment_tax_rules: pl.DataFrame
    transport: pl.DataFrame
    ewc_codes: pl.DataFrame
    nace_classes: pl.DataFrame
    solid_waste_classes: pl.DataFrame
    exergy: pl.DataFrame
    traits: pl.DataFrame
    services: pl.DataFrame
    land_uses: pl.DataFrame
    street_targets: pl.DataFrame
    water_classes: pl.DataFrame
    air_index: pl.DataFrame
    air_limits: pl.DataFrame
    pollution_equivalents: pl.DataFrame
    pollution_rates: pl.DataFrame
    tax_exemptions: pl.DataFrame
    environment_rates: pl.DataFrame
    society_weights: pl.DataFrame
    exposure_bands: pl.DataFrame
    hazards: pl.DataFrame
    taxes: pl.DataFrame
    regions: pl.DataFrame
    price_groups: pl.DataFrame
    concepts: pl.DataFrame
    industries: pl.DataFrame
    legal_status: pl.DataFrame
    systems: pl.DataFrame
    land_factors: pl.DataFrame
    land_formulas: pl.DataFrame
    land_thresholds: pl.DataFrame

    @classmethod
    def columns(cls) -> Mapping[str, tuple[Column, ...]]:
        """Return the documented columns of each table."""
        return read_columns(_PACKAGE)

    def tables(self) -> Mapping[str, pl.DataFrame]:
        """Return the tables by name."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}


@cache
def load_library() -> Library:
    """Read the library from the package's data; read once, then kept.

    Returns
    -------
    Library

    Examples
    --------
    >>> library = load_library()
    >>> library.recipes.filter(technology="semi_coke_retort", role="main")["commodity"].item()
    'semi_coke'
    """
    tables = {name: _read(name, columns) for name, columns in Library.columns().items()}
    return Library(**tables)


def _read(name: str, columns: tuple[Column, ...]) -> pl.DataFrame:
    """Read one table with its documented types; substitutions get their ``kind`` from the recipes."""
    stored = [column for column in columns if (name, column.name) != ("substitutions", "kind")]
    with as_file(files(_PACKAGE) / "data" / f"{name}.csv") as path:
        table = pl.read_csv(path, schema={column.name: column.dtype for column in stored})
    if name == "substitutions":
        recipes = _read("recipes", Library.columns()["recipes"])
        table = with_kinds(table, recipes)
    return table.select(column.name for column in columns)


def with_kinds(substitutions: pl.DataFrame, recipes: pl.DataFrame) -> pl.DataFrame:
    """Tell uses from substitutions.

    Parameters
    ----------
    substitutions : polars.DataFrame
        Rows with ``commodity`` and ``technology``.
    recipes : polars.DataFrame
        Recipes against which to judge.

    Returns
    -------
    polars.DataFrame
        The same rows, in the same order, with ``kind``: "use" where the receiver's recipe takes the commodity in (an
        amount of zero counts: the recipe names it), else "substitution". A use is never a second place for the waste.
    """
    taken = recipes.filter(direction="in").select("technology", "commodity").unique().with_columns(kind=pl.lit("use"))
    return (
        substitutions.drop("kind", strict=False)
        .join(taken, on=["technology", "commodity"], how="left", maintain_order="left")
        .with_columns(pl.col("kind").fill_null("substitution"))
    )
