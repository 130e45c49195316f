"""The plan: valid, immutable, in the schema's units; past this door nobody checks a table again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

import polars as pl

from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import Language
from cyclopolis.library import Library

PLACED = ("measurements", "shares", "stock_changes", "concentrations", "correlations", "relations")
"""Tables of which a plan keeps where each row stands."""
_ASSUMED = r"(?i)^\s*(?:assumed|假设|假定)"


ADOPTED = "capacity "
"""How the source of a limit begins that was adopted from the table ``capacities``; the capacity's name follows."""


@dataclass(frozen=True)
class PlanMeta:
    """What ``plan.toml`` says.

    ``horizon`` holds the years planned for, ascending, after ``base_year``; ``discount_rate`` is a share (0.08: 8 %).
    """

    name: str
    name_zh: str
    place: str
    base_year: int
    horizon: tuple[int, ...]
    currency: str
    discount_rate: float
    language: Language


@dataclass(frozen=True)
class Plan:
    """Everything known and wanted about a place.

    Parameters
    ----------
    meta : PlanMeta
        What ``plan.toml`` says, scenario applied.
    tables : mapping of str to polars.DataFrame
        Every table of the schema; one that was not given has no rows. Columns and types are those of
        ``schema/columns.csv``, values are in its units.
    library : Library
        The library with the user's rows laid over it.
    inputs : mapping
        SHA-256 of every file read, by name.
    notices : tuple of Problem
        What is worth knowing but stops nothing.
    scenario : tuple of str
        Names of the scenarios applied, in order.
    folder : Path
        Where the plan stands and its results go; for a workbook the path without ``.xlsx``.
    places : mapping of str to polars.DataFrame
        Where the rows of the tables that reconciliation reads (`PLACED`) stand: columns file (or sheet, or scenario)
        and row, in their order.
    """

    meta: PlanMeta
    tables: Mapping[str, pl.DataFrame]
    library: Library
    inputs: Mapping[str, str]
    notices: tuple[Problem, ...]
    scenario: tuple[str, ...]
    folder: Path
    places: Mapping[str, pl.DataFrame] = field(default_factory=dict)


@overload
def provenance(source: str | None) -> str: ...
@overload
def provenance(source: pl.Expr) -> pl.Expr: ...
def provenance(source: str | pl.Expr | None) -> str | pl.Expr:
    """Return the provenance of a user's row by its source: ``assumed`` if it begins so (``假设``), else ``user``.

    Examples
    --------
    >>> provenance("assumed: typical load"), provenance("假设"), provenance("annual report 2024"), provenance(None)
    ('assumed', 'assumed', 'user', 'user')
    >>> pl.DataFrame({"source": ["Assumed", None]}).select(provenance(pl.col("source"))).to_series().to_list()
    ['assumed', 'user']
    """
    if isinstance(source, pl.Expr):
        assumed = source.str.contains(_ASSUMED).fill_null(value=False)
        return pl.when(assumed).then(pl.lit("assumed")).otherwise(pl.lit("user")).alias("provenance")
    text = (source or "").strip().casefold()
    return "assumed" if text.startswith(("assumed", "假设", "假定")) else "user"
