"""Chains: which links of each circulation system stand, and which missing technology would use what is stranded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from cyclopolis.foundation.columns import empty_table
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.industry.chains.figures import chain_figures
from cyclopolis.industry.chains.maps import WHOLE, link_rows, map_rows, weak_rows
from cyclopolis.industry.chains.missing import UTILITIES, missing_rows, sink_rows
from cyclopolis.industry.exchanges.match_plan import plan_exchanges, plan_sides
from cyclopolis.plan import Plan


@dataclass(frozen=True)
class Chains(Result):
    """Missing technologies, sinks, links and maps of chains; tables as in ``columns.csv`` beside this file."""

    engine: ClassVar[str] = "chains"
    columns_package: ClassVar[str] = "cyclopolis.industry.chains"

    def summary(self) -> tuple[Line, ...]:
        """Return how many links stand and are missing, how many technologies would pay, which parks share nothing."""
        whole = self.tables["maps"].filter(pl.col("site") == WHOLE)
        missing = self.tables["missing"]
        pays = missing.filter(pl.col("gain_cny") >= 0)
        counts = {name: float(whole[name].sum()) for name in ("links_standing", "links_planned", "links_missing")}
        return (
            Line(message("chains.systems"), float(whole.height), "1"),
            *(Line(message(f"chains.{name}"), value, "1") for name, value in counts.items()),
            Line(message("chains.technologies"), float(missing.height), "1"),
            Line(message("chains.paying"), float(pays.height), "1"),
            Line(message("chains.weak"), float(self.tables["weak"].height), "1"),
        )

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return the chain map of each park and bars of what missing technologies would use."""
        return chain_figures(self.tables, language)


def chains(plan: Plan) -> Chains:
    """Show the chains of a place and rank what it lacks.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    Chains

    Examples
    --------
    >>> import cyclopolis
    >>> found = chains(cyclopolis.read_plan(cyclopolis.example("quickstart")))
    >>> found.tables["missing"].filter(technology="flyash_brick").select("commodity", "planned").row(0)
    ('fly_ash', True)
    """
    sides, network, flows = plan_sides(plan, planned=False)
    moved = plan_exchanges(network, flows)
    stranded = _stranded(sides.listings)
    links = link_rows(plan, moved)
    sinks = sink_rows(plan, stranded)
    tables = {
        "missing": missing_rows(plan, stranded),
        "sinks": sinks,
        "links": links,
        "maps": map_rows(plan, links),
        "weak": weak_rows(plan, moved),
        "unknowns": sinks.filter(pl.col("takes").is_null()).select(
            "plant", "commodity", reason=pl.lit("sink_no_capacity")
        ),
        "names": _names(plan),
    }
    shaped = {name: _shaped(name, table) for name, table in tables.items()}
    return Chains(shaped, {"year": network.year, "stranded": stranded.height}, dict(plan.inputs))


def _stranded(listings: pl.DataFrame) -> pl.DataFrame:
    """Return what is left over in the whole place: ``commodity, stranded, site`` where most of it is.

    What standing plants buy of the same thing is taken off first: joining them needs no new technology.
    """
    known = listings.filter((pl.col("amount") > 0) & ~pl.col("concept").is_in(UTILITIES))
    bought = known.filter(pl.col("side") == "need").group_by("concept").agg(bought=pl.col("amount").sum())
    left = (
        known.filter(pl.col("side") == "offer")
        .sort(["concept", "amount", "site"], descending=[False, True, False])
        .group_by("concept", maintain_order=True)
        .agg(unused=pl.col("amount").sum(), site=pl.col("site").first())
        .join(bought, on="concept", how="left", maintain_order="left")
        .with_columns(stranded=pl.col("unused") - pl.col("bought").fill_null(0.0))
    )
    rest = left.filter(pl.col("stranded") > 1e-9 * pl.col("unused"))
    return rest.select("stranded", "site", commodity="concept")


def _shaped(name: str, table: pl.DataFrame) -> pl.DataFrame:
    known = Chains.columns()[name]
    if table.is_empty():
        return empty_table(known)
    missing = [pl.lit(None, column.dtype).alias(column.name) for column in known if column.name not in table.columns]
    return table.with_columns(missing).select(pl.col(column.name).cast(column.dtype) for column in known)


def _names(plan: Plan) -> pl.DataFrame:
    library = plan.library
    sources = (
        ("site", plan.tables["sites"]),
        ("plant", plan.tables["plants"]),
        ("enterprise", plan.tables["enterprises"]),
        ("commodity", library.commodities),
        ("technology", library.technologies),
    )
    parts = [
        table.select(
            kind=pl.lit(kind),
            item=pl.col(kind),
            name=pl.coalesce("name", "name_zh", kind),
            name_zh=pl.coalesce("name_zh", "name", kind),
        )
        for kind, table in sources
    ]
    parts.append(library.systems.select(kind=pl.lit("system"), item="system", name="name", name_zh="name_zh"))
    return pl.concat(parts).unique(["kind", "item"], keep="first").sort("kind", "item")
