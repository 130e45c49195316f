"""Small tables as texts, so that one inner function can be tested without files."""

from collections.abc import Mapping, Sequence

import polars as pl

from cyclopolis.foundation.columns import Column
from cyclopolis.foundation.problems import Problem
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.convert import Known, convert
from cyclopolis.plan.headers import TextTable
from cyclopolis.plan.schema import columns


def column(table: str, name: str) -> Column:
    """Return one column of the schema."""
    return next(entry for entry in columns()[table] if entry.name == name)


def text_table(
    table: str, *rows: Mapping[str, str], sheet: str = "", units: Mapping[str, str] | None = None
) -> TextTable:
    """Return a table whose rows stand in rows 2, 3, ... of its file; absent cells are empty."""
    names = [entry.name for entry in columns()[table]]
    given = [name for name in names if any(name in row for row in rows)]
    cells = {name: pl.Series(name, [row.get(name) or None for row in rows], dtype=pl.String) for name in names}
    frame = pl.DataFrame(
        [
            *cells.values(),
            pl.Series(ROW, range(2, len(rows) + 2), dtype=pl.Int64),
            pl.Series(PLACE, [None] * len(rows), dtype=pl.String),
        ]
    )
    return TextTable(table, f"{table}.csv", sheet, frame, units or {}, {name: name for name in given})


def typed(table: str, *rows: Mapping[str, str], known: Mapping[str, Known] | None = None) -> pl.DataFrame:
    """Return a table's typed rows; every cell must be readable."""
    frame, problems = convert(text_table(table, *rows), known or {})
    assert problems == []
    return frame


def seen(problems: Sequence[Problem]) -> list[tuple[str, int | None, str, str]]:
    """Return key, row, column and value of each problem."""
    return [(problem.text.key, problem.row, problem.column, problem.value) for problem in problems]
