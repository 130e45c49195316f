"""Pictures of fairness and failure: what members bring, payments, the criticality ranking."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.industry.exchanges.look import GREY, HOT, MAIN, axes, label, sankey

_SHOWN = 25


def fairness_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, Figure]:
    """Return ``shares`` (bars by member) and ``payments`` (who pays whom)."""
    members = tables["members"].sort("shapley")
    names = [label(name) for name in members["member"]]
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": say(f"fairness.{name}", language),
            "x": members[name].to_list(),
            "y": names,
            "marker": {"color": colour},
        }
        for name, colour in (("shapley", MAIN), ("alone", GREY))
    ]
    errors = members["shapley_error"]
    if errors.null_count() < members.height:
        bars[0]["error_x"] = {"type": "data", "array": [1.96 * one for one in errors.to_list()]}
    layout = axes(say("fairness.shares_title", language), say("fairness.money_axis", language), "", _height(names))
    return {"shares": {"data": bars, "layout": layout}, "payments": _payments(tables["payments"], language)}


def _payments(payments: pl.DataFrame, language: Language) -> Figure:
    rows = payments.filter(pl.col("payment") != 0)
    money = pl.col("payment")
    payer = pl.when(money > 0).then("taker").otherwise("giver").alias("payer")
    payee = pl.when(money > 0).then("giver").otherwise("taker").alias("payee")
    flat = rows.select(payer, payee, money.abs(), "commodity")
    payers, payees = (flat[name].unique(maintain_order=True).to_list() for name in ("payer", "payee"))
    links = [
        (payers.index(one), len(payers) + payees.index(other), amount, commodity)
        for one, other, amount, commodity in flat.iter_rows()
    ]
    return sankey(
        payers + payees, links, say("fairness.payments_title", language), say("fairness.money_unit", language)
    )


def failure_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, Figure]:
    """Return ``criticality``: losses of the worst failures, and how much of each redundancy would avoid."""
    rows = tables["failures"].sort("rank").head(_SHOWN).reverse()
    names = [label(name) for name in rows["failed"]]
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": say(f"failure.{name}", language),
            "x": rows[name].to_list(),
            "y": names,
            "marker": {"color": colour},
        }
        for name, colour in (("loss", HOT), ("redundancy", MAIN))
    ]
    layout = axes(say("failure.title", language), say("fairness.money_axis", language), "", _height(names))
    return {"criticality": {"data": bars, "layout": layout}}


def _height(names: list[str]) -> int:
    return 160 + 28 * len(names)
