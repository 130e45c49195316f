"""The part of the report on what measurements say of each other: the verdict, the suspects, what was corrected."""

import polars as pl

from cyclopolis.foundation.columns import Column
from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.report.accounts import whole
from cyclopolis.report.blocks import Block, Text
from cyclopolis.report.cells import View, table_block
from cyclopolis.report.names import Names

_WHAT = ("layer", "reconcile_kind", "plant", "stored_at", "taker", "commodity", "direction", "way", "year_of")
_SUSPECTS = (
    "rank",
    *_WHAT,
    "file",
    "row",
    "measured_value",
    "reconciled",
    "expected",
    "unit",
    "local_test",
    "p",
    "accepted",
)
_MEASURED = (
    *_WHAT,
    "file",
    "row",
    "measured_value",
    "sd",
    "reconciled",
    "reconciled_sd",
    "correction",
    "unit",
    "local_test",
)
_BALANCES = ("layer", "plant", "substance_side", "value", "sd", "unit", "year_of")
_ACCOUNTS = ("layer", "movement", "value", "unit", "unknown_flows")
_OVERRULED = (*_WHAT, "measured_value", "reconciled", "unit")
_PLANTS = (
    "plant",
    "basis",
    "measurements",
    "activity_before",
    "activity_after",
    "unit",
    "unaccounted_before",
    "unaccounted_after",
)


def reconciled_at_all(result: Result) -> bool:
    """Return whether a balance holds a reconciliation."""
    return "reconcile_tests" in result.tables and not result.tables["reconcile_tests"].is_empty()


def reconcile_blocks(result: Result, names: Names) -> list[Block]:
    """Return the verdict, the suspects, every measurement before and after, and what each plant rests on."""
    tables = result.tables
    known = _known(result)
    values = _named(tables["reconciled"], names)
    agree = pl.when("accepted").then(pl.lit("yes")).when(pl.col("accepted").not_()).then(pl.lit("no"))
    suspects = _named(tables["suspects"], names).with_columns(accepted=agree)
    blocks: list[Block] = [
        Text(say("report.reconcile_intro", names.language)),
        Text(_verdict(tables["reconcile_tests"].row(0, named=True), names)),
        table_block(suspects, View("suspects", _SUSPECTS), known, names),
    ]
    if suspects["suspect"].any():
        first = _named(tables["suspect_changes"], names).filter(pl.col("rank") == 1)
        view = View("suspect_changes", (*_WHAT, "reconciled", "change", "unit"))
        blocks.append(table_block(first, view, known, names))
    measured = values.filter(pl.col("row").is_not_null()).sort("local_test", descending=True, nulls_last=True)
    blocks.append(table_block(measured, View("reconciled", _MEASURED), known, names))
    if values["overruled"].any():
        blocks.append(table_block(values.filter("overruled"), View("overruled", _OVERRULED), known, names))
    units = tables["plants"].select("plant", "unit")
    plants = tables["reconciled_plants"].join(units, on="plant", how="left", maintain_order="left")
    missing = _named(tables["missing_measurements"], names)
    return [
        *blocks,
        *_substances(result, names),
        table_block(plants, View("reconciled_plants", _PLANTS), result.columns()["reconciled_plants"], names),
        table_block(missing, View("missing_measurements", (*_WHAT, "unit")), (), names),
    ]


def _known(result: Result) -> tuple[Column, ...]:
    """Return the documented columns, for units."""
    return (*result.columns()["suspect_changes"], *result.columns()["suspects"], *result.columns()["reconciled"])


def _substances(result: Result, names: Names) -> list[Block]:
    """Return what of each substance passes the plants, and what crosses the boundary of the whole place."""
    balances, accounts = (result.tables[name] for name in ("substance_balances", "substance_accounts"))
    if balances.is_empty():
        return []
    passing = _named(balances.rename({"substance": "layer", "side": "substance_side"}), names)
    crossing = whole(accounts).rename({"substance": "layer", "missing": "unknown_flows"})
    known = result.columns()
    return [
        table_block(
            passing, View("substance_balances", _BALANCES, provenance="computed"), known["substance_balances"], names
        ),
        table_block(
            _named(crossing, names),
            View("substance_accounts", _ACCOUNTS, provenance="computed"),
            known["substance_accounts"],
            names,
        ),
    ]


def _named(table: pl.DataFrame, names: Names) -> pl.DataFrame:
    """Return a table with column names of their own; layer and year say nothing where they are the same in all rows."""
    other = {"kind": "reconcile_kind", "to_plant": "taker", "measured": "measured_value", "site": "stored_at"}
    found = table.rename({old: new for old, new in other.items() if old in table.columns})
    called = {name: names.layer(name) for name in found["layer"].unique().to_list()}
    layer = pl.when((pl.col("layer") != "goods").any()).then(pl.col("layer").replace(called))
    found = found.with_columns(layer=layer)
    if "year" not in found.columns:
        return found
    return found.with_columns(year_of=pl.when(pl.col("year").n_unique() > 1).then(pl.col("year").cast(pl.String)))


def _verdict(test: dict[str, float | None], names: Names) -> str:
    """Return the global test in a sentence."""
    if test["accepted"] is None:
        return say("report.reconcile_untested", names.language)
    key = "report.reconcile_accepted" if test["accepted"] else "report.reconcile_rejected"
    return say(key, names.language, chi_square=test["chi_square"], dof=test["dof"], p=test["p"])
