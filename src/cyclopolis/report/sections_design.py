"""The part of the report on what to exchange and to build."""

import polars as pl

from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.report.accounts import accounts_matrix, place_accounts, whole
from cyclopolis.report.answers import pictures
from cyclopolis.report.blocks import Block, Text
from cyclopolis.report.cells import View, table_block
from cyclopolis.report.names import Names

BUILDS = (
    "plant",
    "site",
    "capacity",
    "activity",
    "unit",
    "capex",
    "capex_per_year",
    "jobs",
    "land_ha",
    "provenance",
)
EXCHANGES = (
    "from_plant",
    "to_plant",
    "kind",
    "commodity",
    "as_commodity",
    "before",
    "after",
    "change",
    "unit",
    "distance_km",
    "giver_cny",
    "taker_cny",
    "saving_cny",
    "co2_credit_t",
)
_EXCHANGES = 40
_POWER = "electricity"
LIMITS = ("limit_scope", "quantity", "limit_kind", "bound", "before", "after", "slack", "unit", "binding")
LIMIT_WORTH = (
    "year",
    "limit_scope",
    "quantity",
    "limit_kind",
    "bound",
    "unit",
    "local",
    "step",
    "stepped",
    "worth_gap",
)
NOT_CHOSEN = (
    "plant",
    "site",
    "outcome",
    "loss",
    "loss_gap",
    "capex",
    "breakeven_capex",
    "price_kind",
    "breakeven_price",
    "unit",
)
PROPOSED = (
    "from_plant",
    "to_plant",
    "commodity",
    "as_commodity",
    "proposed_status",
    "amount",
    "found_amount",
    "unit",
    "break_even",
)


def design_blocks(result: Result, names: Names) -> list[Block]:
    """Return what to build, what to exchange, what it changes, what limits it."""
    known = result.columns()
    tables = result.tables
    accounts = tables["accounts"]
    return [
        Text(say("report.design_intro", names.language)),
        table_block(tables["builds"], View("builds", BUILDS), known["builds"], names),
        place_accounts(accounts, ("before", "after", "change"), names),
        *grid_note(result, names),
        *pictures(result, names),
        table_block(
            largest(tables["exchanges"], "saving_cny"),
            View("exchanges", EXCHANGES, rows=_EXCHANGES, provenance="computed"),
            known["exchanges"],
            names,
        ),
        table_block(proposed(result), View("proposed", PROPOSED, provenance="computed"), known["proposed"], names),
        Text(say("report.proposed_note", names.language)),
        table_block(limits(result), View("limits", LIMITS, provenance="computed"), known["limits"], names),
        *reasons(result, names),
        accounts_matrix(accounts, "site", names, "change"),
    ]


def reasons(result: Result, names: Names) -> list[Block]:
    """Return what binding limits are worth and why plants were not chosen, each where there is something to say."""
    worth = result.tables["limit_worth"].rename({"scope": "limit_scope", "kind": "limit_kind", "gap": "worth_gap"})
    plants = result.tables["not_chosen"].rename({"gap": "loss_gap"})
    found: list[Block] = []
    for caption, table, columns in (("limit_worth", worth, LIMIT_WORTH), ("not_chosen", plants, NOT_CHOSEN)):
        if table.height:
            view = View(caption, columns, provenance="computed")
            found.append(table_block(table, view, result.columns()[caption], names))
            found.append(Text(say(f"report.{caption}_note", names.language)))
    return found


def grid_note(result: Result, names: Names) -> list[Block]:
    """Return what a fall of the CO2 of bought power means where stations of the plan supply plants directly."""
    exchanges, change = result.tables["exchanges"], pl.col("change")
    direct = exchanges.filter((pl.col("commodity") == _POWER) & (change > 0))
    bought = whole(result.tables["accounts"]).filter((pl.col("quantity") == "co2_power") & (change < 0))
    return [] if direct.is_empty() or bought.is_empty() else [Text(say("report.grid_note", names.language))]


def proposed(result: Result) -> pl.DataFrame:
    """Return the proposed exchanges with column names of their own."""
    return result.tables["proposed"].rename({"status": "proposed_status", "found": "found_amount"})


def limits(result: Result) -> pl.DataFrame:
    """Return the limits with column names of their own, those that bind first."""
    table = result.tables["limits"].rename({"scope": "limit_scope", "kind": "limit_kind"})
    return table.sort("binding", descending=True, maintain_order=True)


def largest(table: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return rows with the largest size of a number first."""
    return table.sort(pl.col(column).abs(), descending=True, nulls_last=True, maintain_order=True)
