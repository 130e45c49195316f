"""Checks of stocks: one sort of number, one lifetime and one moment of entry each, and no year left out."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import message
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.headers import TextTable

PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "fixed": ("lifetime_mean",),
    "normal": ("lifetime_mean", "lifetime_sd"),
    "folded_normal": ("lifetime_mean", "lifetime_sd"),
    "log_normal": ("lifetime_mean", "lifetime_sd"),
    "weibull": ("lifetime_shape", "lifetime_scale"),
}
"""Columns that each distribution of lifetimes needs."""
ALL_PARAMETERS = tuple(sorted({name for names in PARAMETERS.values() for name in names}))
SHARED = ("site", "commodity", "lifetime_kind", *ALL_PARAMETERS, "entry")
"""Columns that say the same in every row of a stock, or nothing."""
_LISTED = 5


def check_stocks(text: TextTable, stocks: pl.DataFrame) -> Iterator[Problem]:
    """Check the rows of every stock against each other."""
    for row in stocks.filter(pl.col("inflow").is_null() == pl.col("amount").is_null()).iter_rows(named=True):
        key = "plan.stock_neither" if row["inflow"] is None else "plan.stock_both"
        yield text.problem(key, row[ROW], place=row[PLACE], column="inflow")
    for (stock,), rows in stocks.drop_nulls("stock").sort(ROW).group_by("stock", maintain_order=True):
        yield from _one_stock(text, str(stock), rows)


def _one_stock(text: TextTable, stock: str, rows: pl.DataFrame) -> Iterator[Problem]:
    first = rows.row(0, named=True)

    def said(key: str, row: Mapping[str, Any], column: str, **values: object) -> Problem:
        return text.problem(message(key, **values), row[ROW], place=row[PLACE], column=column)

    stated: dict[str, Any] = {}
    for column in SHARED:
        filled = rows.filter(pl.col(column).is_not_null())
        stated[column] = filled[column].first()
        if filled.is_empty():
            continue
        given = text.cell(filled[ROW][0], filled[PLACE][0], column)
        for row in filled.filter(pl.col(column) != stated[column]).iter_rows(named=True):
            yield said("plan.stock_differs", row, column, stock=stock, other=filled[ROW][0], given=given)
    mixed = rows.filter(pl.col("inflow").is_null() != rows["inflow"].is_null()[0])
    for row in mixed.filter(pl.col("inflow").is_null() != pl.col("amount").is_null()).iter_rows(named=True):
        yield said("plan.stock_mixed", row, "inflow", stock=stock, other=first[ROW])
    if stated["entry"] is None:
        yield said("plan.stock_no_entry", first, "entry", stock=stock)
    yield from _lifetime(text, stock, rows, stated)
    yield from _gaps(text, stock, rows)


def _lifetime(text: TextTable, stock: str, rows: pl.DataFrame, stated: Mapping[str, Any]) -> Iterator[Problem]:
    """Check that a stock names a distribution of lifetimes with its own parameters, and no others."""
    number, place, kind = rows[ROW][0], rows[PLACE][0], stated["lifetime_kind"]
    if kind is None:
        yield text.problem("plan.stock_no_lifetime", number, place=place, column="lifetime_kind", stock=stock)
        return
    needs = PARAMETERS[kind]
    for column in ALL_PARAMETERS:
        value = stated[column]
        if column in needs and value is None:
            yield text.problem("plan.stock_parameter", number, place=place, column=column, stock=stock, kind=kind)
        wrong = (
            "plan.stock_parameter_extra"
            if column not in needs and value is not None
            else "plan.stock_parameter_zero"
            if value == 0 and kind != "fixed"
            else ""
        )
        if wrong:
            at = rows.filter(pl.col(column).is_not_null()).row(0, named=True)
            yield text.problem(
                message(wrong, kind=kind, needs=", ".join(needs)), at[ROW], place=at[PLACE], column=column
            )


def _gaps(text: TextTable, stock: str, rows: pl.DataFrame) -> Iterator[Problem]:
    """Return a problem where years between the first and the last are missing."""
    years = rows.drop_nulls("year").sort("year", ROW)
    before = years["year"].shift(1)
    for position in (years["year"] - before > 1).fill_null(value=False).arg_true().to_list():
        row = years.row(position, named=True)
        missing = list(range(before[position] + 1, row["year"]))
        shown = ", ".join(str(year) for year in missing[:_LISTED]) + (", …" if len(missing) > _LISTED else "")
        yield text.problem("plan.stock_gap", row[ROW], place=row[PLACE], column="year", stock=stock, missing=shown)
