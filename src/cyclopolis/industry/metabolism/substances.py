"""Substances after reconciliation: what passes each plant, and what crosses the boundary of each scope."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from cyclopolis.industry.metabolism.plan_reconcile import PlanReconciled
from cyclopolis.industry.metabolism.plan_reconcile_extras import GOODS
from cyclopolis.industry.metabolism.plan_reconcile_tables import quantities_table
from cyclopolis.industry.metabolism.reconcile import covariance

TABLES: Final = ("substance_balances", "substance_accounts")
_BETWEEN: Final = ("internal", "supply", "exchange", "substitution")
_SIDES: Final = ("in", "out", "loss")


def substance_tables(found: PlanReconciled, moves: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the tables of substances, empty without substances.

    Parameters
    ----------
    found : PlanReconciled
    moves : polars.DataFrame
        Movements of the flows of the base year.
    """
    if not (found.whole.extras["layer"] != GOODS).any():
        return dict.fromkeys(TABLES, pl.DataFrame())
    return dict(zip(TABLES, (balances_table(found), accounts_table(found, moves)), strict=True))


def balances_table(found: PlanReconciled) -> pl.DataFrame:
    """Return what of each substance goes into each plant, comes out of it and is lost there, year by year.

    Notes
    -----
    The standard uncertainty of a sum follows from the covariance of its reconciled parts. A sum of which a part cannot
    be determined is empty; ``unknown`` counts these parts.
    """
    names = quantities_table(found)
    values, sds = found.spread_out(found.found.values), found.spread_out(found.found.sds)
    rows = names.with_columns(
        value=pl.Series(values).fill_nan(None),
        sd=pl.Series(sds).fill_nan(None),
        place=pl.Series(_inverse(found.chosen, names.height)),
        side=pl.when(pl.col("kind") == "loss").then(pl.lit("loss")).otherwise("direction"),
    ).filter(
        (pl.col("kind") == "loss")
        | ((pl.col("kind") == "substance") & pl.col("to_plant").is_null() & pl.col("way").is_null())
    )
    keys = ["year", "layer", "plant", "side"]
    parts = (
        rows.filter(pl.col("place") >= 0)
        .group_by(keys)
        .agg(
            pl.col("place", "sd"),
            pl.col("unit").first(),
            total=pl.col("value").sum(),
            unknown=pl.col("value").null_count(),
        )
    )
    spread = [_sum_sd(found, place, sd) for place, sd in parts.select("place", "sd").iter_rows()]
    known = pl.col("unknown") == 0
    return (
        parts.with_columns(sd=pl.Series(spread, dtype=pl.Float64))
        .with_columns(
            value=pl.when(known).then("total"),
            sd=pl.when(known).then("sd"),
            unknown=pl.col("unknown").cast(pl.Int64),
            rank=pl.col("side").replace_strict(list(_SIDES), range(len(_SIDES)), return_dtype=pl.Int64),
        )
        .rename({"layer": "substance"})
        .sort("year", "substance", "plant", "rank")
    )


def _sum_sd(found: PlanReconciled, place: Sequence[int], sd: Sequence[float | None]) -> float | None:
    """Return the standard uncertainty of a sum of quantities at these places; None where one is unknown."""
    if any(one is None for one in sd):
        return None
    if len(sd) == 1:
        return sd[0]
    joint = covariance(found.problem, found.found, np.array(place, dtype=np.int64))
    return float(np.sqrt(max(joint.sum(), 0.0)))


def _inverse(chosen: np.ndarray, size: int) -> np.ndarray:
    """Return the position in the problem of each quantity, -1 outside."""
    place = np.full(size, -1, dtype=np.int64)
    place[chosen] = np.arange(chosen.size)
    return place


def _contents(found: PlanReconciled) -> pl.DataFrame:
    """Return the reconciled concentrations of the base year: substance, where it holds, content and its unit."""
    values = found.spread_out(found.found.values)
    names = quantities_table(found).with_columns(content=pl.Series(values).fill_nan(None))
    count = found.data.value.size
    things = names[count:].filter(pl.col("kind") == "concentration")
    now = things.filter(pl.col("year").is_null() | (pl.col("year") == found.network.year))
    return now.select(
        "plant",
        "direction",
        "to_plant",
        "commodity",
        "content",
        substance="layer",
        unit=pl.col("unit").str.split("/").list.first() + "/a",
    )


def flow_contents(found: PlanReconciled, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the content of each substance in each flow: row, substance, content (null: unknown), unit.

    Parameters
    ----------
    found : PlanReconciled
    rows : polars.DataFrame
        Flows, each once, with ``row``.

    Notes
    -----
    What was sampled of a flow comes first, then what was sampled at its output, then the commodity everywhere. What
    enters from outside holds what was sampled at its input where nothing else enters there.
    """
    contents = _contents(found)
    alone = pl.col("row").count().over("to_plant", "commodity") == 1
    sampled = rows.with_columns(alone=alone & pl.col("to_plant").is_not_null() & pl.col("from_plant").is_null())
    blank = pl.lit(None, dtype=pl.String)
    keys = ["substance", "plant", "direction", "to_plant", "commodity"]
    known = contents.select(*keys, "content").unique(keys, keep="first", maintain_order=True)
    each = sampled.join(contents.select("substance", "unit").unique("substance", maintain_order=True), how="cross")
    ways = {
        "flow": {"plant": pl.col("from_plant"), "direction": pl.lit("out"), "to_plant": pl.col("to_plant")},
        "output": {"plant": pl.col("from_plant"), "direction": pl.lit("out"), "to_plant": blank},
        "input": {
            "plant": pl.when("alone").then("to_plant"),
            "direction": pl.when("alone").then(pl.lit("in")),
            "to_plant": blank,
        },
        "everywhere": {"plant": blank, "direction": blank, "to_plant": blank},
    }
    base = each.select("row", "substance", "unit")
    for way, where in ways.items():
        asked = each.select("row", "substance", "commodity", *(value.alias(name) for name, value in where.items()))
        if way != "everywhere":
            asked = asked.filter(pl.col("plant").is_not_null())
        hit = asked.join(known, on=keys, nulls_equal=True).select("row", "substance", pl.col("content").alias(way))
        base = base.join(hit, on=["row", "substance"], how="left", maintain_order="left")
    return base.select("row", "substance", "unit", content=pl.coalesce(*ways))


def accounts_table(found: PlanReconciled, moves: pl.DataFrame) -> pl.DataFrame:
    """Return what of each substance each scope buys, receives, gives, sells, loses to nature or puts into store.

    Parameters
    ----------
    found : PlanReconciled
    moves : polars.DataFrame
        Movements of the flows of the base year.
    """
    flows = moves.unique("row", maintain_order=True).select("row", "from_plant", "to_plant", "commodity").sort("row")
    valued = (
        moves.drop("unit")
        .join(flow_contents(found, flows), on="row")
        .with_columns(value=pl.col("content") * pl.col("amount"))
    )
    keys = ["scope_kind", "scope", "substance", "movement"]
    some = pl.col("value").count() > 0
    totals = (
        valued.sort(*keys, "row")
        .group_by(keys, maintain_order=True)
        .agg(
            pl.col("unit").first(),
            value=pl.when(some).then(pl.col("value").sum() + 0.0),
            missing=pl.col("value").null_count().cast(pl.Int64),
        )
    )
    return totals.filter(pl.col("value").is_not_null() & ((pl.col("value") != 0) | (pl.col("missing") == 0)))
