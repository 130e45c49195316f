"""Many standing plants of one kind at one place designed as one, exactly, and spread over its members afterwards.

Plants of one technology at one place that differ in nothing but size see the same recipe, prices, markets, distances
and ways out. Let them run at ``x(i)`` between ``least(i)`` and ``most(i)``: their sum runs between the sums, and every
sum ``X`` can be spread, ``x(i) = least(i) + (most(i) - least(i)) (X - least) / (most - least)``. Whatever the sum takes
and gives, member ``i`` takes and gives ``x(i) / X`` of it, so that balances and caps of substitutions hold for each.
Money and emissions are linear and count the same. So the optimum of the merged plan is that of the plan, and its bound
too (exact aggregation: Rogers, Plante, Wong, Evans (1991), Oper. Res. 39, 553-582).

Not merged is what the plan names anywhere else (measured, exchanged, excluded, needed), what shares its enterprise with
another plant, what could take its own by-product (it may take a neighbour's, but not its own), hazardous plants (each
counts its own neighbours), and nothing at all where a limit counts jobs: jobs a unit differ from member to member, and
a group has their mean.
"""

from dataclasses import replace

import polars as pl

from cyclopolis.plan import Plan
from cyclopolis.plan.schema import columns

MANY_PLANTS = 500
"""Standing plants from which on `design` merges those alike."""
COUNTED = ("jobs", "society_score")
"""Limited quantities for which a group is not the same as its members."""
_SUMS = ("capacity", "activity", "jobs", "land_ha")
_KIND = ("technology", "home", "opex", "may_close", "retire_year", "assumed", "knows_jobs", "knows_land")
MEMBERS_SCHEMA = {"plant": pl.String, "member": pl.String, "least": pl.Float64, "most": pl.Float64, "base": pl.Float64}


def merge_alike(plan: Plan, many: int = MANY_PLANTS) -> tuple[Plan, pl.DataFrame]:
    """Return the plan with standing plants alike merged, and who stands for whom.

    Parameters
    ----------
    plan : Plan
    many : int
        Standing plants below which nothing is merged.

    Returns
    -------
    plan : Plan
        Each group is one plant under the identifier of its first member; capacity, activity, jobs and land are sums.
    members : polars.DataFrame
        Columns plant (the one that stands for all), member, least, most and base activity; empty when nothing is
        merged.

    Examples
    --------
    >>> from cyclopolis.examples import example
    >>> from cyclopolis.plan import read_plan
    >>> merge_alike(read_plan(example("quickstart")))[1].height
    0
    """
    plants = plan.tables["plants"]
    nothing = pl.DataFrame(schema=MEMBERS_SCHEMA)
    limited = plan.tables["limits"]["quantity"].is_in(COUNTED).any()
    if limited or plants.filter(pl.col("status") == "existing").height < many:
        return plan, nothing
    alike = _candidates(plan).with_columns(lead=pl.col("plant").first().over(_KIND))
    alike = alike.filter(pl.len().over("lead") > 1)
    if not alike.height:
        return plan, nothing
    merged = alike.group_by("lead", maintain_order=True).agg(
        pl.col("most").sum().alias("capacity"),
        *(pl.when(pl.col(name).is_not_null().all()).then(pl.col(name).sum()).alias(name) for name in _SUMS[1:]),
        pl.len().alias("count"),
    )
    sums = {name: pl.coalesce(f"{name}_sum", name) for name in _SUMS}
    kept = (
        plants.join(alike.filter(pl.col("plant") != pl.col("lead")), on="plant", how="anti", maintain_order="left")
        .join(merged, left_on="plant", right_on="lead", how="left", suffix="_sum", maintain_order="left")
        .with_columns(
            **sums,
            name=_named("name", " and {} alike"),
            name_zh=_named("name_zh", "等{}家同类装置"),
        )
        .select(plants.columns)
    )
    members = alike.select(plant="lead", member="plant", least="least", most="most", base="activity")
    return replace(plan, tables={**plan.tables, "plants": kept}), members.sort("plant", "member")


def _named(column: str, words: str) -> pl.Expr:
    others = pl.col("count") - (1 if column == "name" else 0)
    return pl.when(pl.col("count").is_null()).then(column).otherwise(pl.format("{}" + words, column, others))


def _candidates(plan: Plan) -> pl.DataFrame:
    """Return the plants that may be merged, sorted, with what they must share and the bounds of their activity."""
    plants = plan.tables["plants"]
    home = plan.tables["enterprises"].select("enterprise", seat="site")
    owned = pl.col("enterprise").is_not_null() & (pl.len().over("enterprise") > 1)
    closes = pl.col("may_close").fill_null(value=False)
    known = pl.all_horizontal(pl.col("activity", "capacity").is_not_null()) & (pl.col("activity") > 0)
    return (
        plants.filter(~owned)
        .join(home, on="enterprise", how="left")
        .filter((pl.col("status") == "existing") & known)
        .join(_named_plants(plan), on="plant", how="anti")
        .join(_self_feeding(plan), on="technology", how="anti")
        .join(plan.library.hazards, on="technology", how="anti")
        .with_columns(
            home=pl.coalesce("site", "seat"),
            may_close=closes,
            assumed=pl.col("source").fill_null("").str.to_lowercase().str.contains("^(assumed|假设)"),
            knows_jobs=pl.col("jobs").is_not_null(),
            knows_land=pl.col("land_ha").is_not_null(),
            least=pl.when(closes).then(0.0).otherwise("activity"),
            most=pl.max_horizontal("capacity", "activity"),
        )
        .sort("plant")
    )


def _named_plants(plan: Plan) -> pl.DataFrame:
    """Return the plants that any other table of the plan names."""
    named = [
        plan.tables[table].select(plant=pl.col(column.name).cast(pl.String))
        for table, described in columns().items()
        for column in described
        if column.refers == "plants" and table != "plants" and column.name in plan.tables[table].columns
    ]
    return pl.concat([pl.DataFrame(schema={"plant": pl.String}), *named]).drop_nulls().unique()


def _self_feeding(plan: Plan) -> pl.DataFrame:
    """Return the technologies that may take what they themselves give."""
    recipes, rules = plan.library.recipes, plan.library.substitutions
    given = recipes.filter(pl.col("direction") == "out").select("technology", "commodity")
    taken = recipes.filter(pl.col("direction") == "in").select("technology", "commodity")
    both = pl.concat([taken, rules.select("technology", "commodity")])
    return given.join(both, on=["technology", "commodity"], how="semi").select("technology").unique()


def spread_members(members: pl.DataFrame, year_plants: pl.DataFrame) -> pl.DataFrame:
    """Return what each member does in each year.

    Parameters
    ----------
    members : polars.DataFrame
        As `merge_alike` returns them.
    year_plants : polars.DataFrame
        Columns year, plant, after: activity of the merged plants.

    Returns
    -------
    polars.DataFrame
        year, plant, member, before, after, share: the share of everything that the merged plant takes and gives. What
        runs below the base year falls in proportion to it, what runs above rises in proportion to the room.
    """
    total = members.group_by("plant").agg(pl.col("base", "most").sum().name.suffix("_all"))
    both = members.join(total, on="plant").join(year_plants.select("year", "plant", total="after"), on="plant")
    room = pl.col("most_all") - pl.col("base_all")
    rise = (pl.col("total") - pl.col("base_all")) / pl.when(room > 0).then(room)
    after = (
        pl.when(pl.col("total") <= pl.col("base_all"))
        .then(pl.col("base") * pl.col("total") / pl.col("base_all"))
        .otherwise(pl.col("base") + (pl.col("most") - pl.col("base")) * rise.fill_null(0.0))
    )
    return (
        both.with_columns(after=after)
        .with_columns(share=pl.when(pl.col("total") > 0).then(pl.col("after") / pl.col("total")).otherwise(0.0))
        .select("year", "plant", "member", before="base", after="after", share="share")
        .sort("year", "plant", "member")
    )
