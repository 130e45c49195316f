"""The part of the report on what to exchange and to build."""

import polars as pl

from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.report.accounts import accounts_matrix, place_accounts
from cyclopolis.report.blocks import Block, Picture, Text
from cyclopolis.report.cells import View, table_block
from cyclopolis.report.names import Names

BUILDS = ("plant", "technology", "site", "capacity", "unit", "capex", "jobs", "land_ha", "provenance")
EXCHANGES = ("from_plant", "to_plant", "commodity", "as_commodity", "before", "after", "change", "unit", "saving_cny")
LIMITS = ("scope", "quantity", "bound", "before", "after", "slack", "unit", "binding")
PROPOSED = ("from_plant", "to_plant", "commodity", "as_commodity", "found", "amount", "unit", "break_even")


def design_blocks(result: Result, names: Names) -> list[Block]:
    """Return what to build, what to exchange, what it changes, what limits it."""
    known = result.columns()
    tables = result.tables
    accounts = tables["accounts"]
    return [
        Text(say("report.design_intro", names.language)),
        table_block(tables["builds"], View("builds", BUILDS), known["builds"], names),
        place_accounts(accounts, ("before", "after", "change"), names),
        *pictures(result, names),
        table_block(largest(tables["exchanges"], "change"), View("exchanges", EXCHANGES), known["exchanges"], names),
        table_block(tables["proposed"], View("proposed", PROPOSED), known["proposed"], names),
        table_block(tables["limits"], View("limits", LIMITS), known["limits"], names),
        accounts_matrix(accounts, "site", names, "change"),
    ]


def pictures(result: Result, names: Names) -> list[Block]:
    """Return a result's figures; a figure's title becomes its caption."""
    blocks: list[Block] = []
    for name, figure in result.figures(names.language).items():
        layout = dict(figure.get("layout", {}))
        caption = str(layout.pop("title", {}).get("text", ""))
        margin = {**layout.get("margin", {}), "t": 24}
        bare = {"data": figure["data"], "layout": {**layout, "margin": margin}}
        blocks.append(Picture(f"{result.engine}-{name}", caption, bare))
    return blocks


def largest(table: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return rows with the largest size of a number first."""
    return table.sort(pl.col(column).abs(), descending=True, nulls_last=True, maintain_order=True)
