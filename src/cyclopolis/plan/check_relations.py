"""Checks of what binds measurements together: their identifiers, correlations and linear relations."""

from collections.abc import Iterator
from typing import Any

import polars as pl

from cyclopolis.foundation.problems import Problem
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.headers import TextTable


def check_measurement_ids(text: TextTable, measurements: pl.DataFrame) -> Iterator[Problem]:
    """Check that no two measurements have the same identifier; most have none."""
    first: dict[str, int] = {}
    for row in measurements.filter(pl.col("measurement").is_not_null()).sort(ROW).iter_rows(named=True):
        other = first.setdefault(row["measurement"], row[ROW])
        if other != row[ROW]:
            yield text.problem("plan.duplicate_id", row[ROW], place=row[PLACE], column="measurement", other=other)


def check_correlations(text: TextTable, correlations: pl.DataFrame) -> Iterator[Problem]:
    """Check that a correlation names two measurements, and that each pair has one row."""
    seen: dict[tuple[str, ...], int] = {}
    for row in correlations.drop_nulls(["first", "second"]).sort(ROW).iter_rows(named=True):
        if row["first"] == row["second"]:
            yield text.problem("plan.same_measurement", row[ROW], place=row[PLACE], column="second")
            continue
        other = seen.setdefault(tuple(sorted((row["first"], row["second"]))), row[ROW])
        if other != row[ROW]:
            yield text.problem("plan.pair_twice", row[ROW], place=row[PLACE], column="second", other=other)


def check_relations(text: TextTable, relations: pl.DataFrame) -> Iterator[Problem]:
    """Check that each term says of what it speaks, and that each relation has one right-hand side."""
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in relations.drop_nulls(["relation", "year"]).sort(ROW).iter_rows(named=True):
        groups.setdefault((row["relation"], row["year"]), []).append(row)
        port = [row["plant"] is not None, row["direction"] is not None]
        way = [row["from_plant"] is not None, row["to_plant"] is not None]
        if not ((all(port) and not any(way)) or (all(way) and not any(port))):
            yield text.problem("plan.measured_where", row[ROW], place=row[PLACE], column="plant")
    for (relation, year), rows in groups.items():
        given = [row for row in rows if row["amount"] is not None]
        if not given:
            row = rows[0]
            yield text.problem(
                "plan.relation_no_amount",
                row[ROW],
                place=row[PLACE],
                column="amount",
                relation=relation,
                year=str(year),
            )
        for row in given[1:]:
            yield text.problem(
                "plan.relation_two_amounts", row[ROW], place=row[PLACE], column="amount",
                relation=relation, year=str(year), other=given[0][ROW],
            )  # fmt: skip
