"""Chain maps: the links of each circulation system in each park, standing, planned or missing."""

import polars as pl

from cyclopolis.industry.chains.missing import UTILITIES, intake
from cyclopolis.library import Library
from cyclopolis.plan import Plan

WHOLE = ""
"""Site of the rows about the whole place."""
FEW = 5
"""Enterprises from which on a place without plants of known technology is looked at for weak linkage."""


def system_links(library: Library) -> pl.DataFrame:
    """Return the links of every circulation system: ``system, from_technology, commodity, to_technology``.

    One technology of the system gives what another takes, by recipe or rule; what all share (power, fresh water, air)
    makes no link.
    """
    members = library.systems.select("system", "technology", "stage")
    kinds = library.commodities.select("commodity", "kind")
    given = (
        library.recipes.filter(
            (pl.col("direction") == "out") & (pl.col("amount") > 0) & ~pl.col("commodity").is_in(UTILITIES)
        )
        .join(kinds, on="commodity")
        .filter(pl.col("kind") != "emission")
        .select("commodity", from_technology="technology")
    )
    taken = intake(library).select("commodity", to_technology="technology")
    pairs = given.join(taken, on="commodity").filter(pl.col("from_technology") != pl.col("to_technology"))
    return (
        pairs.join(members.rename({"technology": "from_technology", "stage": "from_stage"}), on="from_technology")
        .join(
            members.rename({"technology": "to_technology", "stage": "to_stage"}),
            on=["to_technology", "system"],
        )
        .select("system", "from_technology", "commodity", "to_technology", "from_stage", "to_stage")
        .unique()
        .sort("system", "from_stage", "to_stage", "commodity")
    )


def parks(plan: Plan) -> pl.DataFrame:
    """Return every pair of a place and a plant in it: ``site, plant``; the whole place holds all."""
    homes = plan.tables["enterprises"].select("enterprise", home="site")
    plants = (
        plan.tables["plants"].join(homes, on="enterprise", how="left").select("plant", at=pl.coalesce("site", "home"))
    )
    return _inside(plan, plants.rename({"at": "inner"})).select("site", "plant")


def _inside(plan: Plan, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with a column ``inner`` (a site) once for each park or parcel around it, and for the whole place."""
    sites = plan.tables["sites"].select("site", "parent", "kind")
    parent = dict(sites.select("site", "parent").iter_rows())
    kind = dict(sites.select("site", "kind").iter_rows())
    pairs: list[tuple[str, str]] = []
    for site in sorted(parent):
        above: str | None = site
        seen: set[str] = set()
        while above is not None and above not in seen:
            seen.add(above)
            if kind.get(above) in ("park", "parcel"):
                pairs.append((site, above))
            above = parent.get(above)
        pairs.append((site, WHOLE))
    table = pl.DataFrame(pairs, schema={"inner": pl.String, "site": pl.String}, orient="row")
    return rows.join(table, on="inner")


def link_rows(plan: Plan, flows: pl.DataFrame) -> pl.DataFrame:
    """Return the links of each system in each park and in the whole place, documented as ``links``.

    Parameters
    ----------
    plan : Plan
    flows : polars.DataFrame
        ``from_plant, to_plant, commodity`` of what flows between plants in the base year.
    """
    where = parks(plan)
    plants = plan.tables["plants"].select("plant", "technology", "status").join(where, on="plant")
    named = plants.select("site", "plant", "technology")
    stands = _joined(flows, named)
    proposed = (
        plan.tables["exchanges"].filter(pl.col("status") == "proposed").select("from_plant", "to_plant", "commodity")
    )
    wished = _joined(proposed, named)
    ends = plants.group_by("site", "technology").agg(
        here=(pl.col("status") == "existing").any(), plant=pl.col("plant").sort().first()
    )
    links = system_links(plan.library)
    sites = ends.select("site").unique()
    rows = (
        links.join(sites, how="cross")
        .join(
            ends.rename({"technology": "from_technology", "here": "from_here", "plant": "from_plant"}),
            on=["site", "from_technology"],
            how="left",
        )
        .join(
            ends.rename({"technology": "to_technology", "here": "to_here", "plant": "to_plant"}),
            on=["site", "to_technology"],
            how="left",
        )
        .join(
            stands.with_columns(stands=True), on=["site", "from_technology", "commodity", "to_technology"], how="left"
        )
        .join(
            wished.with_columns(wished=True), on=["site", "from_technology", "commodity", "to_technology"], how="left"
        )
        .with_columns(pl.col("stands", "wished").fill_null(value=False))
        .filter(pl.col("from_here").fill_null(value=False) | pl.col("to_here").fill_null(value=False))
    )
    both = pl.col("from_plant").is_not_null() & pl.col("to_plant").is_not_null()
    here = pl.col("from_here").fill_null(value=False) & pl.col("to_here").fill_null(value=False)
    state = (
        pl.when(pl.col("stands"))
        .then(pl.lit("standing"))
        .when(both & (pl.col("wished") | ~here))
        .then(pl.lit("planned"))
        .otherwise(pl.lit("missing"))
    )
    action = (
        pl.when(pl.col("state") == "standing")
        .then(pl.lit("keep"))
        .when(here)
        .then(pl.lit("strengthen"))
        .when(pl.col("state") == "planned")
        .then(pl.lit("build"))
        .otherwise(pl.lit("complement"))
    )
    return (
        rows.with_columns(state=state)
        .with_columns(action=action)
        .sort("site", "system", "from_stage", "to_stage", "commodity")
    )


def _joined(flows: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Return flows between plants as links between technologies in each place that holds both."""
    givers = named.rename({"plant": "from_plant", "technology": "from_technology"})
    takers = named.rename({"plant": "to_plant", "technology": "to_technology"})
    return (
        flows.join(givers, on="from_plant")
        .join(takers, on=["to_plant", "site"])
        .select("site", "from_technology", "commodity", "to_technology")
        .unique()
    )


def map_rows(plan: Plan, links: pl.DataFrame) -> pl.DataFrame:
    """Return each system in each place where a plant of it stands, documented as ``maps``."""
    members = plan.library.systems.select("system", "technology", "anchor")
    standing = plan.tables["plants"].filter(pl.col("status") == "existing")
    plants = standing.select("plant", "technology", "enterprise", "activity").join(parks(plan), on="plant")
    worth = plan.tables["enterprises"].select("enterprise", "output_value")
    mine = plants.join(members, on="technology").join(worth, on="enterprise", how="left")
    anchors = (
        mine.sort(
            ["anchor", "output_value", "activity", "plant"], descending=[True, True, True, False], nulls_last=True
        )
        .unique(["site", "system"], keep="first", maintain_order=True)
        .select(
            "site",
            "system",
            anchor=pl.when(pl.col("anchor")).then("plant"),
            anchor_enterprise=pl.when(pl.col("anchor")).then("enterprise"),
        )
    )
    counts = mine.group_by("site", "system").agg(plants=pl.col("plant").n_unique().cast(pl.Int64))
    state = pl.col("state")
    sums = links.group_by("site", "system").agg(
        links_standing=(state == "standing").sum().cast(pl.Int64),
        links_planned=(state == "planned").sum().cast(pl.Int64),
        links_missing=(state == "missing").sum().cast(pl.Int64),
    )
    total = pl.col("links_standing") + pl.col("links_planned") + pl.col("links_missing")
    return (
        counts.join(sums, on=["site", "system"], how="left")
        .join(anchors, on=["site", "system"], how="left")
        .with_columns(pl.col("links_standing", "links_planned", "links_missing").fill_null(0))
        .with_columns(
            completeness=pl.when(total > 0).then(pl.col("links_standing") / total),
            linkage=pl.col("links_standing") / pl.col("plants"),
        )
        .filter(total > 0)
        .sort(["site", "links_standing", "plants", "system"], descending=[False, True, True, False])
    )


def weak_rows(plan: Plan, flows: pl.DataFrame) -> pl.DataFrame:
    """Return the parks and parcels whose enterprises share nothing that is known, documented as ``weak``."""
    firms = plan.tables["enterprises"].select("enterprise", "industry_code", inner="site")
    inside = _inside(plan, firms)
    counts = inside.group_by("site").agg(
        enterprises=pl.col("enterprise").n_unique().cast(pl.Int64),
        industries=pl.col("industry_code").drop_nulls().n_unique().cast(pl.Int64),
    )
    plants = plan.tables["plants"].filter(pl.col("status") == "existing").select("plant", "enterprise")
    where = parks(plan).join(plants, on="plant")
    sizes = where.group_by("site").agg(
        plants=pl.col("plant").n_unique().cast(pl.Int64), owners=pl.col("enterprise").n_unique()
    )
    givers = where.select("site", from_plant="plant", giver="enterprise")
    takers = where.select("site", to_plant="plant", taker="enterprise")
    shared = (
        flows.join(givers, on="from_plant")
        .join(takers, on=["to_plant", "site"])
        .filter(pl.col("giver").fill_null("") != pl.col("taker").fill_null(""))
        .group_by("site")
        .agg(links=pl.len().cast(pl.Int64))
    )
    rows = (
        counts.filter(pl.col("site") != WHOLE)
        .join(sizes, on="site", how="left")
        .join(shared, on="site", how="left")
        .with_columns(pl.col("plants", "owners", "links").fill_null(0))
    )
    none = pl.col("links") == 0
    return (
        rows.filter(none & ((pl.col("owners") > 1) | ((pl.col("plants") == 0) & (pl.col("enterprises") >= FEW))))
        .with_columns(reason=pl.when(pl.col("plants") == 0).then(pl.lit("no_plants")).otherwise(pl.lit("no_links")))
        .sort("site")
    )
