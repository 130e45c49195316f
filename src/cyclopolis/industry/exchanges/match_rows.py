"""From the pairs of the join to the tables that people read: names, law, blockers, ranks."""

from collections.abc import Mapping, Sequence

import polars as pl

from cyclopolis.foundation.columns import empty_table, read_columns
from cyclopolis.industry.exchanges.match_legal import HAZARDOUS, legal_columns
from cyclopolis.industry.exchanges.match_words import Vocabulary
from cyclopolis.library import Library
from cyclopolis.network.model import PROVENANCE

PACKAGE = "cyclopolis.industry.exchanges"
BLOCKERS = (
    "hazard_both",
    "hazard_one",
    "status_unknown",
    "by_product_terms",
    "pretreatment",
    "technical_limit",
    "share_limit",
    "needs_step",
    "not_built",
    "no_rule",
    "unit_mismatch",
    "no_amount",
    "no_capacity",
    "no_place",
    "no_price",
    "no_transport",
    "check_text",
)
"""What may stand in the way, by code: texts are ``match.blocker_CODE``."""


def match_rows(
    pairs: pl.DataFrame, listings: pl.DataFrame, words: Vocabulary, stands: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the table ``matches``.

    Parameters
    ----------
    pairs : polars.DataFrame
        As `match_block.find_pairs` writes them.
    listings : polars.DataFrame
        ``row, listing, plant, site, concept, text, unit, main_t, status, provenance`` and ``near``, ``park`` of a plan.
    words : Vocabulary
    stands : polars.DataFrame, optional
        ``from_plant, to_plant, commodity`` of what flows already.
    """
    rules = words.related.select(
        "relation", "offer", "need", "basis", "max_share_pct", "pretreatment", "technical_limit", "co2_credit", "step"
    ).rename({"step": "step_technology"})
    sides = ("row", "listing", "plant", "site", "text", "unit", "main_t", "status", "provenance", "park", "near")
    kept = [name for name in sides if name in listings.columns]
    giver = listings.select(kept)
    taker = listings.select(pl.col(name).alias(f"n_{name}") for name in kept)
    rows = (
        pairs.join(rules, on="relation")
        .join(giver, on="row")
        .join(taker, left_on="nrow", right_on="n_row")
        .join(legal_columns(words.library), left_on="offer", right_on="concept", how="left")
        .join(
            words.library.commodities.select("commodity", "t_per_unit"),
            left_on="offer",
            right_on="commodity",
            how="left",
        )
    )
    rows = _within_share(_near(rows))
    rows = _money(rows)
    rows = rows.with_columns(
        giver=pl.coalesce("plant", "listing"),
        taker=pl.coalesce("n_plant", "n_listing"),
        mode=pl.when(pl.col("mode") >= 0).then(
            pl.col("mode").replace_strict(dict(enumerate(words.modes)), default=None, return_dtype=pl.String)
        ),
        **{name: pl.col(name).fill_null("unknown") for name in ("status_cn", "status_eu")},
    )
    rows = _standing(rows, stands).with_columns(blockers=_blockers())
    rows = rows.sort(
        ["net_gain_cny", "unit_gain_cny", "fit", "giver", "taker", "offer", "need"],
        descending=[True, True, True, False, False, False, False],
        nulls_last=True,
    ).unique(["row", "nrow"], keep="first", maintain_order=True)
    rows = rows.with_columns(
        rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        from_site="site",
        to_site="n_site",
        offer_text="text",
        need_text="n_text",
        need_unit=pl.col("n_unit"),
        provenance=_worst("provenance", "n_provenance"),
    )
    return shaped(rows, "matches")


def shaped(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return rows with just the documented columns of a table, in their types."""
    known = read_columns(PACKAGE)[table]
    if rows.is_empty():
        return empty_table(known)
    missing = [pl.lit(None, column.dtype).alias(column.name) for column in known if column.name not in rows.columns]
    return rows.with_columns(missing).select(pl.col(column.name).cast(column.dtype) for column in known)


def _near(rows: pl.DataFrame) -> pl.DataFrame:
    """Give pairs of one park whose places are unknown the way within it."""
    if "park" not in rows.columns:
        return rows
    same = pl.col("distance_km").is_null() & (pl.col("park") == pl.col("n_park"))
    return rows.with_columns(distance_km=pl.when(same).then(pl.col("near")).otherwise("distance_km"))


def _within_share(rows: pl.DataFrame) -> pl.DataFrame:
    """Hold amounts within the largest share of the taker's product, by mass, where both are known."""
    if "n_main_t" not in rows.columns:
        return rows
    most = pl.col("max_share_pct") / 100 * pl.col("n_main_t") / pl.col("t_per_unit")
    capped = (pl.col("basis") == "substitution") & most.is_not_null() & (most > 0)
    return rows.with_columns(amount=pl.when(capped).then(pl.min_horizontal("amount", most)).otherwise("amount"))


def _money(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the parts of the net gain of a year."""
    amount = pl.col("amount")
    return rows.with_columns(
        covered=amount * pl.col("ratio"),
        saved_purchase_cny=amount * pl.col("ratio") * pl.col("nprice"),
        saved_disposal_cny=amount * pl.col("price"),
        transport_cny=-amount * pl.col("haul"),
        processing_cny=-amount * pl.col("process_cost"),
        unit_gain_cny="unit_gain",
        net_gain_cny=amount * pl.col("unit_gain"),
        co2_credit_t=amount * pl.col("co2_credit"),
    )


def _standing(rows: pl.DataFrame, stands: pl.DataFrame | None) -> pl.DataFrame:
    if stands is None:
        return rows.with_columns(stands=pl.lit(value=False))
    keys = stands.select(giver="from_plant", taker="to_plant", offer="commodity").unique().with_columns(stands=True)
    return rows.join(keys, on=["giver", "taker", "offer"], how="left", maintain_order="left").with_columns(
        pl.col("stands").fill_null(value=False)
    )


def _blockers() -> pl.Expr:
    """Return the codes of what stands in the way of each pair, separated by ``;``."""
    cn, eu = pl.col("status_cn") == HAZARDOUS, pl.col("status_eu") == HAZARDOUS
    either = pl.col("status_cn").is_in(["by_product", "end_of_waste"]) | pl.col("status_eu").is_in(
        ["by_product", "end_of_waste"]
    )
    when: Mapping[str, pl.Expr] = {
        "hazard_both": cn & eu,
        "hazard_one": cn ^ eu,
        "status_unknown": (pl.col("status_cn") == "unknown") | (pl.col("status_eu") == "unknown"),
        "by_product_terms": either,
        "pretreatment": pl.col("pretreatment").is_not_null() & (pl.col("pretreatment") != "none"),
        "technical_limit": pl.col("technical_limit").is_not_null(),
        "share_limit": pl.col("max_share_pct") < 100,
        "needs_step": pl.col("basis") == "processing",
        "not_built": pl.col("n_status").is_in(["planned", "candidate"]),
        "no_rule": pl.col("n_plant").is_not_null() & (pl.col("basis") == "kind"),
        "unit_mismatch": pl.col("ratio").is_null(),
        "no_amount": pl.col("amount").is_null() & pl.col("ratio").is_not_null(),
        "no_capacity": pl.col("n_status").is_in(["planned", "candidate"]) & pl.col("amount").is_null(),
        "no_place": pl.col("distance_km").is_null(),
        "no_price": pl.col("unit_gain").is_null(),
        "no_transport": pl.col("haul").is_null() & pl.col("distance_km").is_not_null(),
        "check_text": pl.col("basis").is_in(["text", "narrower", "industry"]) | (pl.col("fit") < 0.6),
    }
    codes = [pl.when(expr.fill_null(value=False)).then(pl.lit(code)) for code, expr in when.items()]
    return pl.concat_str(codes, separator=";", ignore_nulls=True)


def _worst(*columns: str) -> pl.Expr:
    """Return the worst provenance of some columns."""
    order = {name: rank for rank, name in enumerate(PROVENANCE)}
    ranks = [
        pl.col(name).replace_strict(order, default=PROVENANCE.index("assumed"), return_dtype=pl.Int64)
        for name in columns
    ]
    back = dict(enumerate(PROVENANCE))
    return pl.max_horizontal(ranks).replace_strict(back, return_dtype=pl.String)


def side_rows(matches: pl.DataFrame, listings: pl.DataFrame, side: str) -> pl.DataFrame:
    """Return the table ``offers`` or ``needs``: each listing with how many fit it and the best of them."""
    mine, other = ("giver", "taker") if side == "offer" else ("taker", "giver")
    thing = "offer" if side == "offer" else "need"
    concept = pl.col("concept")
    best = (
        matches.sort("rank")
        .group_by(mine, thing, maintain_order=True)
        .agg(
            pairs=pl.len().cast(pl.Int64),
            best=pl.col(other).first(),
            best_gain_cny=pl.col("net_gain_cny").first(),
        )
    )
    rows = listings.filter(pl.col("side") == side).with_columns(owner_name=pl.coalesce("plant", "listing"))
    by_plant = rows["plant"].null_count() < rows.height
    keys = (["owner_name", "concept"], [mine, thing]) if by_plant else (["owner_name"], [mine])
    if not by_plant:
        best = best.unique(mine, keep="first", maintain_order=True)
    found = rows.join(best, left_on=keys[0], right_on=keys[1], how="left", maintain_order="left")
    found = found.with_columns(
        pl.col("pairs").fill_null(0), concept=pl.when(concept.str.starts_with("~").not_()).then(concept)
    )
    found = found.sort(["best_gain_cny", "listing"], descending=[True, False], nulls_last=True)
    return shaped(found, "offers" if side == "offer" else "needs")


def taker_rows(listings: pl.DataFrame, library: Library, standing: Sequence[str]) -> pl.DataFrame:
    """Return the table ``takers``: which technologies take what is unused, standing here or not."""
    unused = (
        listings.filter((pl.col("side") == "offer") & pl.col("concept").is_not_null())
        .group_by("concept")
        .agg(amount=pl.when(pl.col("amount").count() > 0).then(pl.col("amount").sum()), unit=pl.col("unit").first())
    )
    heads = library.technologies.select("technology", "reference_capacity")
    taken = library.recipes.filter(direction="in").select("technology", concept="commodity", per="amount")
    limits = (
        library.substitutions.sort("max_share_pct", descending=True, nulls_last=True)
        .unique(["commodity", "technology"], keep="first", maintain_order=True)
        .select("technology", "max_share_pct", "pretreatment", "technical_limit", "provenance", concept="commodity")
    )
    both = pl.concat(
        [limits.select("technology", "concept"), taken.filter(pl.col("per") > 0).select("technology", "concept")]
    )
    rows = (
        unused.join(both.unique(), on="concept")
        .join(limits, on=["technology", "concept"], how="left")
        .join(taken, on=["technology", "concept"], how="left")
        .join(heads, on="technology", how="left")
        .with_columns(
            takes_at_reference=pl.col("per") * pl.col("reference_capacity"),
            stands=pl.col("technology").is_in(list(standing)),
            provenance=pl.col("provenance").fill_null("memory"),
        )
        .sort("concept", "technology")
    )
    return shaped(rows, "takers")


def name_rows(library: Library, more: pl.DataFrame, concepts: Sequence[str]) -> pl.DataFrame:
    """Return the table ``names``: concepts that the answer speaks of, and plants and places of a plan."""
    known = library.concepts.select("concept", "name", "name_zh").join(
        library.commodities.select("commodity", own="name", own_zh="name_zh"),
        left_on="concept",
        right_on="commodity",
        how="full",
        coalesce=True,
    )
    rows = known.filter(pl.col("concept").is_in(list(concepts))).select(
        kind=pl.lit("concept"),
        item="concept",
        name=pl.coalesce("own", "name", "own_zh", "name_zh", "concept"),
        name_zh=pl.coalesce("own_zh", "name_zh", "own", "name", "concept"),
    )
    return shaped(pl.concat([rows, more]).unique(["kind", "item"], keep="first").sort("kind", "item"), "names")
