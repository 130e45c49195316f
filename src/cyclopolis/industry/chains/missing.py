"""Technologies that a place lacks and that would use what is stranded: how much, at what cost, for what gate fee."""

import polars as pl

from cyclopolis.library import Library
from cyclopolis.network.candidates import LIFETIME_A, SMALLEST_SHARE
from cyclopolis.plan import Plan

UTILITIES = ("electricity", "freshwater", "air", "oxygen_air", "water_reactant")
"""Commodities that every technology shares: they make no link of a chain and are not stranded."""


def annuity(rate: float, years: float) -> float:
    """Return the yearly share of capital that pays it back with interest: r / (1 - (1 + r)^-n).

    Examples
    --------
    >>> round(annuity(0.08, 20), 5), annuity(0.0, 20)
    (0.10185, 0.05)
    """
    return 1 / years if rate == 0 else rate / (1 - (1 + rate) ** -years)


def prices(plan: Plan) -> pl.DataFrame:
    """Return what buying and selling a unit of each commodity is worth: ``commodity, buy, sell, out``.

    The plan's newest markets of the base year hold, the library's high and low price elsewhere; ``out`` is what the
    lawful way out costs.
    """
    rows = plan.tables["markets"].with_columns(pl.col("year").fill_null(-1))
    rows = rows.filter(pl.col("year") <= plan.meta.base_year).sort("commodity", "year")
    own = rows.group_by("commodity", maintain_order=True).agg(
        buy_own=pl.col("buy_price").drop_nulls().last(), sell_own=pl.col("sell_price").drop_nulls().last()
    )
    fates = plan.library.fates.group_by("commodity").agg(out=pl.col("cost").min())
    return (
        plan.library.commodities.select("commodity", "price_low", "price_high", "natural")
        .join(own, on="commodity", how="left")
        .join(fates, on="commodity", how="left")
        .select(
            "commodity",
            "out",
            buy=pl.when(pl.col("natural").fill_null(value=False))
            .then(0.0)
            .otherwise(pl.coalesce("buy_own", "price_high")),
            sell=pl.coalesce("sell_own", "price_low"),
        )
        .sort("commodity")
    )


def intake(library: Library) -> pl.DataFrame:
    """Return what each technology takes of what per main unit: ``technology, commodity, per, low, high, rule``.

    By its recipe, or by a substitution rule: then up to the largest share of the product by mass, and no more than what
    it displaces is taken.
    """
    recipe = library.recipes.filter((pl.col("direction") == "in") & (pl.col("amount") > 0)).select(
        "technology",
        "commodity",
        "low",
        "high",
        per="amount",
        rule=pl.lit("recipe"),
        displaced=pl.lit(None, pl.String),
        ratio=1.0,
    )
    mass = library.commodities.select("commodity", "t_per_unit")
    heads = library.technologies.select("technology", "main_commodity").join(
        mass.rename({"commodity": "main_commodity", "t_per_unit": "main_t"}), on="main_commodity", how="left"
    )
    taken = recipe.select("technology", displaced="commodity", displaced_per="per")
    rules = (
        library.substitutions.filter((pl.col("kind") == "substitution") & (pl.col("ratio") > 0))
        .join(taken, on=["technology", "displaced"])
        .join(heads, on="technology")
        .join(mass, on="commodity", how="left")
        .with_columns(by_need=pl.col("displaced_per") / pl.col("ratio"))
        .with_columns(by_share=pl.col("max_share_pct") / 100 * pl.col("main_t") / pl.col("t_per_unit"))
        .select(
            "technology",
            "commodity",
            low=pl.lit(None, pl.Float64),
            high=pl.lit(None, pl.Float64),
            per=pl.min_horizontal("by_need", "by_share"),
            rule=pl.lit("substitution"),
            displaced="displaced",
            ratio="ratio",
        )
    )
    return (
        pl.concat([recipe, rules.select(recipe.columns)])
        .filter(~pl.col("commodity").is_in(UTILITIES) & (pl.col("per") > 0))
        .sort("technology", "commodity", "rule", "per", descending=[False, False, False, True])
        .unique(["technology", "commodity"], keep="first", maintain_order=True)
    )


def missing_rows(plan: Plan, stranded: pl.DataFrame) -> pl.DataFrame:
    """Return the technologies that do not stand and take something stranded, ranked.

    Parameters
    ----------
    plan : Plan
    stranded : polars.DataFrame
        ``commodity, stranded`` (amount per year), ``site`` where most of it is.

    Returns
    -------
    polars.DataFrame
        One row per technology, documented as ``missing`` in ``columns.csv``. Those that pay for themselves come first,
        then by the mass that they use. Size: the library's reference, less where less is stranded, at least
        `SMALLEST_SHARE` of it. What is stranded is taken free of charge; what that saves its owner is in the gain.
    """
    later = plan.tables["plants"].filter(pl.col("status") != "existing")["technology"].implode()
    takes, lead = _absent(plan, stranded)
    also = _also(takes, lead)
    money = _unit_money(plan, takes.select("technology", "commodity", "rule", "displaced", "ratio", "per"), lead)
    share = annuity(plan.meta.discount_rate, LIFETIME_A) * 1e6
    costs = prices(plan).select("commodity", "out")
    uses = _uses(plan.library)
    rows = (
        lead.join(money, on="technology", how="left")
        .join(also, on="technology", how="left")
        .join(costs, on="commodity", how="left")
        .join(uses, on="technology", how="left")
        .with_columns(surplus=pl.col("margin") * pl.col("run") - pl.col("investment") * share)
        .with_columns(
            break_even_gate=pl.col("surplus") / pl.col("unlocked"),
            saved_disposal_cny=pl.col("unlocked") * pl.col("out").fill_null(0.0),
            unlocked_t=pl.when(pl.col("kind") == "material").then(pl.col("unlocked") * pl.col("t_per_unit")),
            water_m3=pl.col("water") * pl.col("run"),
            power_mwh=pl.col("power") * pl.col("run"),
            jobs=pl.col("jobs") * pl.col("fill"),
            planned=pl.col("technology").is_in(later),
            share_pct=100 * pl.col("unlocked") / pl.col("stranded"),
            capex="investment",
            takes_at_reference=pl.col("per") * pl.col("reference_capacity"),
            provenance=pl.lit("memory"),
        )
        .with_columns(gain_cny=pl.col("surplus") + pl.col("saved_disposal_cny"))
        .with_columns(pays=(pl.col("gain_cny") >= 0).fill_null(value=False))
        .sort(
            ["pays", "unlocked_t", "unlocked", "technology"],
            descending=[True, True, True, False],
            nulls_last=[False, True, True, False],
        )
    )
    return rows.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))


def _absent(plan: Plan, stranded: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return all that absent technologies take of what is stranded, and for each the thing it takes most, sized."""
    library = plan.library
    standing = plan.tables["plants"].filter(pl.col("status") == "existing")["technology"].implode()
    heads = library.technologies.filter(
        ~pl.col("technology").is_in(standing) & (pl.col("reference_capacity") > 0)
    ).select(
        "technology",
        "chain",
        "main_commodity",
        "reference_capacity",
        "capex",
        "jobs",
        "opex",
        "scale_exponent",
        main_unit="unit",
    )
    facts = library.commodities.select("commodity", "unit", "t_per_unit", "kind")
    takes = (
        intake(library)
        .join(stranded, on="commodity")
        .join(heads, on="technology")
        .join(facts, on="commodity", how="left")
        .with_columns(
            tonnes=pl.col("per") * pl.when(pl.col("kind") == "material").then(pl.col("t_per_unit")).otherwise(1e-6)
        )
        .sort("technology", "tonnes", "commodity", descending=[False, True, False])
    )
    lead = takes.unique("technology", keep="first", maintain_order=True).with_columns(
        fill=(pl.col("stranded") / pl.col("per") / pl.col("reference_capacity")).clip(SMALLEST_SHARE, 1.0)
    )
    lead = lead.with_columns(capacity=pl.col("reference_capacity") * pl.col("fill"))
    lead = lead.with_columns(
        unlocked=pl.min_horizontal(pl.col("per") * pl.col("capacity"), "stranded"),
        run=pl.min_horizontal("capacity", pl.col("stranded") / pl.col("per")),
        investment=pl.col("capex") * pl.col("fill") ** pl.col("scale_exponent"),
    )
    return takes, lead


def _also(takes: pl.DataFrame, lead: pl.DataFrame) -> pl.DataFrame:
    """Return what else each technology would use, as ``COMMODITY AMOUNT UNIT``, separated by ``;``."""
    others = takes.join(lead.select("technology", "run", first="commodity"), on="technology").filter(
        pl.col("commodity") != pl.col("first")
    )
    return (
        others.with_columns(used=pl.min_horizontal(pl.col("per") * pl.col("run"), "stranded"))
        .sort("technology", "commodity")
        .group_by("technology", maintain_order=True)
        .agg(
            also_commodities=pl.col("commodity").str.join(";"),
            also_amounts=pl.col("used").round(0).cast(pl.Int64).cast(pl.String).str.join(";"),
        )
    )


def _unit_money(plan: Plan, takes: pl.DataFrame, lead: pl.DataFrame) -> pl.DataFrame:
    """Return CNY per main unit without capital: products sold, inputs bought, surplus put out; stranded inputs free.

    A thing taken by a substitution rule saves what it displaces.
    """
    library = plan.library
    worth = prices(plan)
    flows = library.recipes.join(lead.select("technology"), on="technology", how="semi").join(
        worth, on="commodity", how="left"
    )
    free = takes.filter(pl.col("rule") == "recipe").select("technology", "commodity").with_columns(free=True)
    kinds = library.commodities.select("commodity", "kind")
    flows = flows.join(free, on=["technology", "commodity"], how="left").join(kinds, on="commodity", how="left")
    out = pl.col("direction") == "out"
    emitted = pl.col("kind") == "emission"
    value = (
        pl.when(emitted)
        .then(0.0)
        .when(out & (pl.col("role") == "waste"))
        .then(-pl.col("out").fill_null(0.0))
        .when(out)
        .then(pl.coalesce("sell", -pl.col("out"), pl.lit(0.0)))
        .when(pl.col("free").fill_null(value=False))
        .then(0.0)
        .otherwise(-pl.col("buy").fill_null(0.0))
    )
    base = flows.group_by("technology").agg(flow=(value * pl.col("amount")).sum())
    saved = (
        lead.filter(pl.col("rule") == "substitution")
        .join(worth.select(displaced="commodity", displaced_buy="buy"), on="displaced", how="left")
        .select("technology", saved=pl.col("per") * pl.col("ratio") * pl.col("displaced_buy"))
    )
    opex = lead.select("technology", "opex")
    return (
        base.join(saved, on="technology", how="left")
        .join(opex, on="technology")
        .select("technology", margin=pl.col("flow") + pl.col("saved").fill_null(0.0) - pl.col("opex").fill_null(0.0))
    )


def _uses(library: Library) -> pl.DataFrame:
    """Return fresh water (m3) and power (MWh) per main unit of each technology."""
    rows = library.recipes.filter(
        (pl.col("direction") == "in") & pl.col("commodity").is_in(["freshwater", "electricity"])
    )
    wide = rows.select("technology").unique()
    for commodity, name in (("freshwater", "water"), ("electricity", "power")):
        one = rows.filter(pl.col("commodity") == commodity).select("technology", pl.col("amount").alias(name))
        wide = wide.join(one, on="technology", how="left")
    return wide.with_columns(pl.col("water", "power").fill_null(0.0))


def sink_rows(plan: Plan, stranded: pl.DataFrame) -> pl.DataFrame:
    """Return how much each standing, planned or possible plant can take of what is stranded, documented as ``sinks``.

    At capacity, by the recipe's usual range; a plant without a capacity counts with its activity, and where that is
    unknown too the amount is.
    """
    plants = plan.tables["plants"].select("plant", "technology", "status", "capacity", "activity")
    size = pl.coalesce("capacity", "activity")
    rows = (
        plants.join(intake(plan.library), on="technology")
        .join(stranded.drop("site"), on="commodity")
        .join(plan.library.commodities.select("commodity", "unit"), on="commodity", how="left")
        .with_columns(
            takes=pl.col("per") * size,
            takes_low=pl.coalesce("low", "per") * size,
            takes_high=pl.coalesce("high", "per") * size,
            capacity=size,
            provenance=pl.lit("computed"),
        )
    )
    return rows.with_columns(share_pct=100 * pl.col("takes") / pl.col("stranded")).sort("commodity", "plant")
