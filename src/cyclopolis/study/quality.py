"""What the answers rest on: how many rows were measured, given, taken from the library or assumed."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.result import Result
from cyclopolis.plan import Plan, provenance

CLASSES = ("measured", "user", "seen", "memory", "assumed", "computed")


def data_quality(plan: Plan, results: Mapping[str, Result]) -> pl.DataFrame:
    """Count the rows of each provenance class, by table of the plan and by what the balance used.

    Parameters
    ----------
    plan : Plan
    results : mapping of str to Result
        The balance's ``ports`` (amounts) and ``prices`` are counted when it is there.

    Returns
    -------
    polars.DataFrame
        ``quality_table`` (name of a table; ``amounts`` and ``prices`` are the balance's) and one count per class.
    """
    parts = [
        _classes(table, pl.lit("measured") if name == "measurements" else provenance(pl.col("source")), name)
        for name, table in plan.tables.items()
        if table.height and "source" in table.columns and name != "scenarios"
    ]
    if "balance" in results:
        tables = results["balance"].tables
        parts.append(_classes(tables["ports"], pl.col("provenance"), "amounts"))
        parts.append(_classes(tables["prices"], pl.col("provenance"), "prices"))
    rows = pl.concat(parts) if parts else pl.DataFrame(schema={"quality_table": pl.String, "provenance": pl.String})
    counts = [(pl.col("provenance") == name).sum().cast(pl.Int64).alias(name) for name in CLASSES]
    return rows.group_by("quality_table", maintain_order=True).agg(counts)


def _classes(table: pl.DataFrame, classes: pl.Expr, name: str) -> pl.DataFrame:
    return table.select(quality_table=pl.lit(name), provenance=classes)
