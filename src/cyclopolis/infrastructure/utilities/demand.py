"""What the flows of a balance or a design ask of the public works, by the table of services beside this file."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import polars as pl

from cyclopolis.foundation.columns import read_columns

_PACKAGE = "cyclopolis.infrastructure.utilities"


@dataclass(frozen=True)
class Service:
    """One service: its unit, and which flows over the plan's edge ask for it (empty: any)."""

    name: str
    unit: str
    flow_kinds: tuple[str, ...]
    commodity_kinds: tuple[str, ...]
    states: tuple[str, ...]
    commodities: tuple[str, ...]
    counted_in: str


@cache
def services() -> Mapping[str, Service]:
    """Return the services by name.

    Examples
    --------
    >>> services()["heat"].unit
    'GJ/a'
    """
    with (files(_PACKAGE) / "services.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    return {
        row["service"]: Service(
            row["service"],
            row["unit"],
            _parts(row["flow_kinds"]),
            _parts(row["commodity_kinds"]),
            _parts(row["states"]),
            _parts(row["commodities"]),
            row["counted_in"],
        )
        for row in rows
    }


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(";") if part)


def service_demand(flows: pl.DataFrame, commodities: pl.DataFrame, year: int, origin: str) -> pl.DataFrame:
    """Return what flows over the edge of a place ask of each service.

    Parameters
    ----------
    flows : polars.DataFrame
        Flows of a balance or a design: ``kind, commodity, amount, unit, mass_t, from_site, to_site``.
    commodities : polars.DataFrame
        The library's, with ``kind``, ``state`` and ``lhv_gj_per_unit``.
    year : int
        Year of the flows.
    origin : str
        The engine that they come from.

    Returns
    -------
    polars.DataFrame
        ``service, site, year, demand, unit, origin, provenance``: for the whole place (an empty ``site``) and for every
        site at whose plants such flows begin or end. Null where a part of the demand cannot be counted (a heat carrier
        without heating value); 0 where the place asks for nothing.
    """
    known = commodities.select(
        "commodity",
        "state",
        "lhv_gj_per_unit",
        pl.col("kind").alias("commodity_kind"),
        pl.col("unit").alias("own_unit"),
    )
    joined = flows.join(known, on="commodity", how="left").with_columns(site=pl.coalesce("from_site", "to_site"))
    rows = []
    for service in services().values():
        mine = joined.filter(_asked(service)).with_columns(counted=_counted(service))
        parts = {"": mine, **{str(site): own for (site,), own in sorted(mine.drop_nulls("site").group_by("site"))}}
        for site, own in parts.items():
            lost = own["counted"].null_count() > 0
            demand = None if lost else float(own["counted"].sort().sum())
            rows.append((service.name, site, year, demand, service.unit, origin, "computed"))
    columns = read_columns(_PACKAGE)["demand"]
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in columns}, orient="row")


def _asked(service: Service) -> pl.Expr:
    """Return which flows ask for a service; sewage that a plant buys is the town's own."""
    wanted = pl.col("kind").is_in(service.flow_kinds)
    if service.commodity_kinds:
        wanted &= pl.col("commodity_kind").is_in(service.commodity_kinds)
    if service.states:
        wanted &= pl.col("state").is_in(service.states)
    if service.commodities:
        named = pl.lit(value=False)
        for name in service.commodities:
            whole = pl.col("commodity") == name
            named |= pl.col("commodity").str.starts_with(name[:-1]) if name.endswith("*") else whole
        wanted &= named
    return wanted.fill_null(value=False)


def _counted(service: Service) -> pl.Expr:
    if service.counted_in == "mass":
        return pl.col("mass_t")
    if service.counted_in == "heat":
        heat = pl.when(pl.col("own_unit") == "GJ").then(1.0).otherwise(pl.col("lhv_gj_per_unit"))
        return pl.col("amount") * heat
    return pl.col("amount")
