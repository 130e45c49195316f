"""Columns are data: one CSV describes the tables of a plan or of a result, and code, docs and checks read it.

A column table has the columns ``table, column, type, unit, required, refers, choices, minimum, maximum, aliases, en,
zh``:

- ``type``: ``id`` (an identifier that this table defines), ``ref`` (an identifier that another table defines, see
  ``refers``), ``text``, ``number``, ``integer``, ``flag`` (yes/no), ``year``, ``choice`` (see ``choices``), ``list``
  (identifiers separated by ``;``);
- ``unit``: unit of a number; ``@unit`` means the row's own ``unit`` column, ``1`` a pure number, empty for no number;
- ``required``: ``yes`` when a cell may not be empty;
- ``aliases``: other accepted headers separated by ``;``, the Chinese ones included.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import polars as pl

_TYPES: Mapping[str, pl.DataType] = {
    "id": pl.String(),
    "ref": pl.String(),
    "text": pl.String(),
    "list": pl.String(),
    "choice": pl.String(),
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "year": pl.Int64(),
    "flag": pl.Boolean(),
}


@dataclass(frozen=True)
class Column:
    """One column of a user's or a result's table; see the module's text for the meaning of each field."""

    table: str
    name: str
    type: str
    unit: str
    required: bool
    refers: str
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    aliases: tuple[str, ...]
    en: str
    zh: str

    @property
    def dtype(self) -> pl.DataType:
        """The polars type in which the column is held."""
        return _TYPES[self.type]


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


@cache
def read_columns(package: str, name: str = "columns.csv") -> Mapping[str, tuple[Column, ...]]:
    """Read a column table that ships in a package.

    Parameters
    ----------
    package : str
        Import name of the package that holds the file, ``cyclopolis.plan.schema`` for one.
    name : str
        File name.

    Returns
    -------
    mapping of table name to its columns, in file order
    """
    tables: dict[str, list[Column]] = {}
    with (files(package) / name).open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            column = Column(
                table=row["table"],
                name=row["column"],
                type=row["type"],
                unit=row["unit"],
                required=row["required"] == "yes",
                refers=row["refers"],
                choices=_split(row["choices"]),
                minimum=float(row["minimum"]) if row["minimum"] else None,
                maximum=float(row["maximum"]) if row["maximum"] else None,
                aliases=_split(row["aliases"]),
                en=row["en"],
                zh=row["zh"],
            )
            if column.type not in _TYPES:
                raise ValueError(
                    f"{package}/{name}: column {column.table}.{column.name} has unknown type {column.type!r}"
                )
            tables.setdefault(column.table, []).append(column)
    return {table: tuple(columns) for table, columns in tables.items()}


def empty_table(columns: tuple[Column, ...]) -> pl.DataFrame:
    """Return a table with the given columns and no rows."""
    return pl.DataFrame(schema={column.name: column.dtype for column in columns})
