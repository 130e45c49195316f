"""Accounts as tables for people: one line per quantity, or one row per site with a column per quantity."""

from collections.abc import Sequence

import polars as pl

from cyclopolis.foundation.numbers import column_text, quantity_text, unit_text
from cyclopolis.foundation.text import say
from cyclopolis.plan.schema import quantities
from cyclopolis.report.blocks import Cell, Table
from cyclopolis.report.cells import badge
from cyclopolis.report.names import PLACE, Names

MATRIX = ("gain", "water", "power", "energy", "co2", "solid_waste", "waste_reused", "landfill", "jobs")
"""Quantities shown for each site and chain."""
_MORE_IS_BETTER = ("gain", "sales")


def whole(accounts: pl.DataFrame) -> pl.DataFrame:
    """Return the accounts of the whole plan."""
    return accounts.filter(pl.col("scope_kind") == PLACE)


def place_accounts(accounts: pl.DataFrame, columns: Sequence[str], names: Names) -> Table:
    """Return the accounts of the whole plan, one line per quantity.

    Parameters
    ----------
    accounts : polars.DataFrame
        ``scope_kind, scope, quantity, unit`` and the number columns.
    columns : sequence of str
        Number columns to show; ``change`` is coloured by whether it is for the better.
    names : Names
        For the reader's language.
    """
    language = names.language
    rows = []
    for row in whole(accounts).iter_rows(named=True):
        cells = [Cell(names.quantity(row["quantity"]))]
        for column in columns:
            change = column == "change"
            text = quantity_text(row[column], row["unit"], language, signed=change)
            cells.append(
                Cell(text, "change" if change else "number", judged(row["quantity"], row[column]) if change else "")
            )
        rows.append((*cells, badge("computed", names)))
    headers = [Cell(say("header.quantity", language))]
    headers += [Cell(say(f"header.{column}", language), "number") for column in columns]
    return Table(
        name="accounts_place",
        caption=say("report.accounts_place", language),
        headers=(*headers, Cell(say("header.provenance", language), "badge")),
        rows=tuple(rows),
        empty=say("report.none", language),
    )


def judged(quantity: str, change: float | None) -> str:
    """Return ``better``, ``worse`` or nothing for a change of a quantity."""
    known = quantities().get(quantity)
    more = known.better == "higher" if known else quantity in _MORE_IS_BETTER
    if not change or (known is None and quantity not in _MORE_IS_BETTER):
        return ""
    return "better" if (change > 0) == more else "worse"


def accounts_matrix(accounts: pl.DataFrame, kind: str, names: Names, value: str = "value") -> Table:
    """Return the accounts of all sites or chains: one row each, one column per quantity.

    Parameters
    ----------
    accounts : polars.DataFrame
        As `place_accounts` takes them.
    kind : str
        ``site`` or ``chain``.
    names : Names
        For the reader's language.
    value : str
        Number column to show.
    """
    language = names.language
    rows = accounts.filter((pl.col("scope_kind") == kind) & pl.col("quantity").is_in(MATRIX))
    scopes = rows["scope"].unique(maintain_order=True).to_list()
    headers = [Cell(say(f"header.{kind}", language))]
    columns: list[list[Cell]] = [[Cell(names.scope(kind, scope)) for scope in scopes]]
    for quantity in MATRIX:
        part = rows.filter(pl.col("quantity") == quantity)
        if part.is_empty():
            continue
        by_scope = dict(part.select("scope", value).iter_rows())
        unit, texts = column_text([by_scope.get(scope) for scope in scopes], part["unit"][0], language)
        unit = unit or unit_text(part["unit"][0], language)
        headers.append(Cell(names.quantity(quantity) + (f" ({unit})" if unit else ""), "number"))
        columns.append([Cell(text, "number") for text in texts])
    return Table(
        name=f"accounts_{kind}",
        caption=say(f"report.accounts_{kind}_{value}", language),
        headers=tuple(headers),
        rows=tuple(zip(*columns, strict=True)),
        provenance=badge("computed", names),
        note=say("report.accounts_note", language) if kind == "site" else "",
        empty=say("report.none", language),
    )
