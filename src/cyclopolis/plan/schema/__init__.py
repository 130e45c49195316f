"""What a plan's tables, columns, choices, quantities and units are: data beside this file, read here."""

import csv
import io
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cyclopolis.foundation.columns import Column, read_columns
from cyclopolis.foundation.text import Language

_PACKAGE = "cyclopolis.plan.schema"


@dataclass(frozen=True)
class Table:
    """One table of a plan: whether it must be there, what identifies a row, which columns a unit column rules.

    ``unless`` are tables of which any one with rows makes a required table one that may be left out.
    """

    name: str
    required: bool
    key: tuple[str, ...]
    units: Mapping[str, tuple[str, ...]]
    aliases: tuple[str, ...]
    en: str
    zh: str
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quantity:
    """Something that limits and targets count, with its unit and whether less or more of it is better."""

    name: str
    unit: str
    better: str
    aliases: tuple[str, ...]
    en: str
    zh: str
    definition: str
    definition_zh: str


def split_list(text: str) -> tuple[str, ...]:
    """Return the parts of a text that are separated by ``;``."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


@cache
def read_rows(name: str) -> tuple[Mapping[str, str], ...]:
    """Return the rows of one of the data files beside this module."""
    text = (files(_PACKAGE) / name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(io.StringIO(text)))


@cache
def columns() -> Mapping[str, tuple[Column, ...]]:
    """Return the columns of each table, without those of ``plan.toml``."""
    return read_columns(_PACKAGE)


@cache
def plan_keys() -> tuple[Column, ...]:
    """Return the keys of ``plan.toml``."""
    return read_columns(_PACKAGE, "plan.csv")["plan"]


@cache
def tables() -> Mapping[str, Table]:
    """Return the tables of a plan by name, ``plan`` (the keys of ``plan.toml``) first."""
    found = {}
    for row in read_rows("tables.csv"):
        units = {part.split(":")[0]: tuple(part.split(":")[1].split("|")) for part in split_list(row["units"])}
        found[row["table"]] = Table(
            name=row["table"],
            required=row["required"].startswith("yes"),
            unless=tuple(part for part in row["required"].partition(" unless ")[2].split("|") if part),
            key=tuple(part for part in row["key"].split("|") if part),
            units=units,
            aliases=split_list(row["aliases"]),
            en=row["en"],
            zh=row["zh"],
        )
    return found


@cache
def quantities() -> Mapping[str, Quantity]:
    """Return the quantities that limits and targets may name.

    Examples
    --------
    >>> quantities()["water"].unit
    'm3/a'
    """
    return {
        row["quantity"]: Quantity(
            name=row["quantity"],
            unit=row["unit"],
            better=row["better"],
            aliases=split_list(row["aliases"]),
            en=row["en"],
            zh=row["zh"],
            definition=row["definition"],
            definition_zh=row["definition_zh"],
        )
        for row in read_rows("quantities.csv")
    }


def fold(text: str) -> str:
    """Return a name as it is compared: full-width made half-width, lower case, without spaces, ``_`` and ``-``.

    Examples
    --------
    >>> fold("Area＿KM2 ")
    'areakm2'
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in plain if not (letter.isspace() or letter in "_-\u200b\ufeff"))


@cache
def _labels() -> Mapping[str, Mapping[str, str]]:
    return {row["choice"]: row for row in read_rows("choices.csv")}


def choice_values(column: Column) -> tuple[str, ...]:
    """Return the values that a ``choice`` or ``flag`` column may hold."""
    if column.type == "flag":
        return ("yes", "no")
    return tuple(quantities()) if column.choices == ("@quantities",) else column.choices


@cache
def choice_names(column: Column) -> Mapping[str, str]:
    """Return the value of every accepted (folded) way to write it.

    Examples
    --------
    >>> status = next(column for column in columns()["plants"] if column.name == "status")
    >>> choice_names(status)["已建"]
    'existing'
    """
    names: dict[str, str] = {}
    for value in choice_values(column):
        labels = _labels().get(value, {})
        aliases = quantities()[value].aliases if column.choices == ("@quantities",) else ()
        aliases += split_list(labels.get("aliases", ""))
        for name in (*aliases, labels.get("en", value), labels.get("zh", value), value):
            names[fold(name)] = value
    return names


def choice_label(column: Column, value: str, language: Language) -> str:
    """Return how a value of a choice is written in ``language``; it reads back as the same value."""
    if column.choices == ("@quantities",):
        quantity = quantities()[value]
        return value if language == "en" or not quantity.aliases else _chinese(quantity.aliases, value)
    return value if language == "en" else _labels().get(value, {}).get("zh", value)


def _chinese(names: tuple[str, ...], default: str) -> str:
    """Return the first name with a Chinese letter."""
    return next((name for name in names if any("\u4e00" <= letter <= "\u9fff" for letter in name)), default)


def header_label(column: Column, language: Language) -> str:
    """Return the header of a column in ``language``; it reads back as the same column."""
    return column.name if language == "en" else _chinese(column.aliases, column.name)


def table_label(table: str, language: Language) -> str:
    """Return the sheet name of a table in ``language``; it reads back as the same table."""
    return table if language == "en" else _chinese(tables()[table].aliases, table)


@cache
def header_names(table: str) -> Mapping[str, str]:
    """Return the column of every accepted (folded) header of a table."""
    names: dict[str, str] = {}
    for column in plan_keys() if table == "plan" else columns()[table]:
        for name in (*column.aliases, column.name):
            names[fold(name)] = column.name
    return names


@cache
def table_names() -> Mapping[str, str]:
    """Return the table of every accepted (folded) file or sheet name."""
    return {fold(name): table.name for table in tables().values() for name in (*table.aliases, table.name)}
