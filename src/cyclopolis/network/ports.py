"""Ports: what each plant takes in and gives out per main unit, from its recipe and from what was measured."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from cyclopolis.network.candidates import provenance_codes
from cyclopolis.network.model import ROLES, Floats, Ports
from cyclopolis.network.places import floats, positions
from cyclopolis.plan import provenance


@dataclass(frozen=True)
class Measured:
    """Base-year measurements: of ports (plant, commodity, direction) and of flows (from_plant, to_plant)."""

    ports: pl.DataFrame
    flows: pl.DataFrame


def read_measured(measurements: pl.DataFrame, year: int, settled: pl.DataFrame | None = None) -> Measured:
    """Return the measurements of one year; several of one thing count as their mean, assumed if one of them is.

    ``settled`` takes the place of what it names; its provenance is null where nothing was measured.
    """
    origin = pl.when(provenance(pl.col("source")) == "assumed").then(pl.lit("assumed")).otherwise(pl.lit("measured"))
    rows = measurements.filter(pl.col("year") == year).with_columns(provenance=origin)
    ports = (
        rows.filter(pl.col("plant").is_not_null() & pl.col("direction").is_not_null())
        .group_by("plant", "commodity", "direction")
        .agg(pl.col("amount").sort().mean(), pl.col("provenance").min())
        .sort("plant", "commodity", "direction")
    )
    flows = (
        rows.filter(pl.col("from_plant").is_not_null() & pl.col("to_plant").is_not_null())
        .group_by("from_plant", "to_plant", "commodity")
        .agg(pl.col("amount").sort().mean(), pl.col("provenance").min())
        .sort("from_plant", "to_plant", "commodity")
    )
    if settled is None:
        return Measured(ports, flows)
    at_ports = settled.filter(pl.col("plant").is_not_null()).select(ports.columns)
    between = settled.filter(pl.col("from_plant").is_not_null()).select(flows.columns)
    return Measured(
        _laid_over(ports, at_ports, ["plant", "commodity"]),
        _laid_over(flows, between, ["from_plant", "to_plant", "commodity"]),
    )


def _laid_over(rows: pl.DataFrame, settled: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Return the rows with settled ones in their place."""
    table = pl.concat([rows.join(settled, on=keys, how="anti"), settled])
    return table.sort(*(name for name in table.columns if name not in {"amount", "provenance"}))


def base_activity(rows: pl.DataFrame, measured: Measured) -> Floats:
    """Return each plant's base-year activity (P,): the measured main amount, else the plan's figure, else NaN."""
    main = measured.ports.select("plant", main_commodity="commodity", main_direction="direction", measured="amount")
    found = rows.with_columns(pl.col("main_direction").fill_null("out")).join(
        main, on=["plant", "main_commodity", "main_direction"], how="left", maintain_order="left"
    )
    return floats(found.select(pl.coalesce("measured", "activity")).to_series())


def port_rows(
    rows: pl.DataFrame, recipes: pl.DataFrame, commodities: pl.DataFrame, measured: Measured, activity: Floats
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return all ports sorted by plant and commodity, and the measurements that found no use.

    A commodity that a recipe both takes and gives counts net. A measured port's coefficient is the measured amount
    over the activity, so that every engine counts with it; a measured commodity that the recipe does not name
    becomes a port. A measurement at a plant of unknown or no activity cannot be used.
    """
    plants = rows.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("plant_row"),
        "plant",
        "technology",
        "main_commodity",
        direction=pl.col("main_direction").fill_null("out"),
    ).with_columns(activity=pl.Series(activity).fill_nan(None))
    facts = commodities.select("commodity", "kind", natural=pl.col("natural").fill_null(value=False))
    table = (
        plants.select("plant_row", "technology").join(_net_recipes(recipes, plants), on="technology").drop("technology")
    )
    own = measured.ports.join(plants.select("plant", "plant_row", "activity"), on="plant")
    usable = pl.col("activity") > 0
    signed = pl.when(pl.col("direction") == "out").then(1.0).otherwise(-1.0) * pl.col("amount") / pl.col("activity")
    values = {"measured": signed.sum(), "origin": pl.col("provenance").min()}
    news = own.filter(usable).group_by("plant_row", "commodity").agg(**values)
    lost = own.filter(usable.not_() | pl.col("activity").is_null()).select(
        "plant", "commodity", reason=pl.lit("measured_without_activity")
    )
    full = table.join(news, on=["plant_row", "commodity"], how="full", coalesce=True).join(
        facts, on="commodity", how="left"
    )
    full = full.with_columns(coefficient=pl.coalesce("measured", "recipe")).filter(pl.col("coefficient") != 0)
    usual = pl.when(pl.col("coefficient") > 0).then(pl.lit("byproduct")).otherwise(pl.lit("feedstock"))
    usual = pl.when(pl.col("kind") == "emission").then(pl.lit("emission")).otherwise(usual)
    full = full.with_columns(
        role=pl.coalesce("role", usual),
        provenance=pl.coalesce("origin", "provenance"),
        natural=pl.col("natural").fill_null(value=False)
        | ((pl.col("kind") == "emission") & (pl.col("coefficient") < 0)),
    )
    return full.sort("plant_row", "commodity"), lost


def _net_recipes(recipes: pl.DataFrame, plants: pl.DataFrame) -> pl.DataFrame:
    """Return the net signed amount of each technology's commodities, the main one always among them."""
    mains = plants.select("technology", "direction", commodity="main_commodity").unique()
    sign = pl.when(pl.col("direction") == "out").then(1.0).otherwise(-1.0)
    missing = mains.join(recipes, on=["technology", "commodity", "direction"], how="anti").with_columns(
        amount=pl.lit(1.0), role=pl.lit("main"), provenance=pl.lit("assumed")
    )
    rows = pl.concat(
        [recipes, missing.select("technology", "commodity", "direction", "amount", "role", "provenance")],
        how="diagonal",
    )
    order = pl.col("amount").rank("ordinal", descending=True).over("technology", "commodity")
    return (
        rows.with_columns(signed=sign * pl.col("amount"))
        .sort("technology", "commodity", "direction")
        .with_columns(order=order)
        .sort("technology", "commodity", "order")
        .group_by("technology", "commodity", maintain_order=True)
        .agg(
            recipe=pl.col("signed").sum(),
            low=pl.col("low").first(),
            high=pl.col("high").first(),
            role=pl.col("role").first(),
            provenance=pl.col("provenance").first(),
        )
    )


def read_ports(table: pl.DataFrame, commodity_ids: tuple[str, ...]) -> Ports:
    """Return the ports as arrays from `port_rows`."""
    roles = {name: code for code, name in enumerate(ROLES)}
    coefficient = floats(table["coefficient"])
    low, high = floats(table["low"]), floats(table["high"])
    return Ports(
        plant=table["plant_row"].to_numpy(),
        commodity=positions(commodity_ids, table["commodity"]),
        coefficient=coefficient,
        recipe=floats(table["recipe"]),
        low=np.where(np.isnan(low), np.abs(coefficient), low),
        high=np.where(np.isnan(high), np.abs(coefficient), high),
        role=table["role"].replace_strict(roles, return_dtype=pl.Int64).to_numpy(),
        natural=table["natural"].to_numpy(),
        provenance=provenance_codes(table["provenance"]),
    )
