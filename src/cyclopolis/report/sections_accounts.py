"""The parts of the report on what the balance knows beyond its main accounts: spread, details, circularity, stocks."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.numbers import quantity_text
from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.report.accounts import whole
from cyclopolis.report.blocks import Block, Cell, Table, Text
from cyclopolis.report.cells import View, badge, table_block
from cyclopolis.report.names import Names

DETAILS: Mapping[str, tuple[str, ...]] = {
    "details_waste": ("solid_waste", "hazardous_waste"),
    "details_energy": ("energy",),
    "details_water": ("water",),
    "details_carbon": ("carbon",),
}
"""Which accounts of the details table stand under which caption."""
_DETAIL = ("account_item", "detail_of", "value", "unit", "provenance")
_MEASURE = ("measure", "value", "sd", "unit", "formula", "formula_source", "measure_note")
_STOCK = ("stock", "site", "commodity", "year", "stock_item", "value", "sd", "low95", "high95", "unit", "provenance")


def account_blocks(result: Result, names: Names) -> list[Block]:
    """Return how sure the main accounts are, and waste, energy, water and CO2 by item."""
    tables = result.tables
    blocks: list[Block] = [Text(say("report.details_intro", names.language))]
    if "account_spread" in tables:
        blocks.append(spread(tables["account_spread"], names))
    if "details" in tables:
        blocks += [_details(result, caption, names) for caption in DETAILS]
    return blocks


def spread(table: pl.DataFrame, names: Names) -> Table:
    """Return the accounts of the whole plan with standard uncertainty and the interval that holds 95 %."""
    language = names.language
    rows = []
    for row in whole(table).filter(pl.col("value").is_not_null()).iter_rows(named=True):
        value, sd, low, high = (
            quantity_text(row[name], row["unit"], language) for name in ("value", "sd", "low95", "high95")
        )
        numbers = (value, f"± {sd}", say("report.interval", language, low=low, high=high), str(row["unknown"]))
        cells = (Cell(text, "number") for text in numbers)
        rows.append((Cell(names.quantity(row["quantity"])), *cells))
    headers = ("value", "sd", "interval", "unranged")
    return Table(
        name="spread",
        caption=say("report.spread", language),
        headers=(
            Cell(say("header.quantity", language)),
            *(Cell(say(f"header.{name}", language), "number") for name in headers),
        ),
        rows=tuple(rows),
        provenance=badge("computed", names),
        note=say("report.spread_note", language),
        empty=say("report.none", language),
    )


def _details(result: Result, caption: str, names: Names) -> Table:
    """Return what flows of one account over the whole plan: each item, its total first, then its parts."""
    table = whole(result.tables["details"])
    flowing = table.filter(pl.col("account").is_in(DETAILS[caption]) & pl.col("provenance").is_not_null())
    shown = flowing.rename({"of": "detail_of"}).with_columns(account_item=_local("name", names))
    return table_block(shown, View(caption, _DETAIL), result.columns()["details"], names)


def circularity_blocks(result: Result, names: Names) -> list[Block]:
    """Return the measures of circularity of the whole plan; one that cannot be computed says what is missing."""
    table = whole(result.tables["circularity"]).rename({"source": "formula_source", "measure": "measure_code"})
    table = table.with_columns(measure=_local("name", names), measure_note=_local("note", names))
    shown = tuple(name for name in _MEASURE if name in table.columns)
    view = View("circularity", shown, provenance="computed")
    return [
        Text(say("report.circularity_intro", names.language)),
        table_block(table, view, result.columns()["circularity"], names),
    ]


def has_stocks(result: Result) -> bool:
    """Return whether a balance holds stocks."""
    return "stocks" in result.tables and not result.tables["stocks"].is_empty()


def stock_blocks(result: Result, names: Names) -> list[Block]:
    """Return the stocks in the base year, the years of the horizon, and the first and last year known."""
    table = result.tables["stocks"].rename({"item": "stock_item"})
    year, meta = pl.col("year"), names.plan.meta
    ends = (year == year.min().over("stock")) | (year == year.max().over("stock"))
    told = table.filter(year.is_in([meta.base_year, *meta.horizon]) | ends)
    return [
        Text(say("report.stocks_intro", names.language)),
        table_block(told, View("stocks", _STOCK), result.columns()["stocks"], names),
    ]


def _local(column: str, names: Names) -> pl.Expr:
    """Return a text in the reader's language, else in the other."""
    first, second = (f"{column}_zh", column) if names.language == "zh" else (column, f"{column}_zh")
    return pl.coalesce(first, second)
