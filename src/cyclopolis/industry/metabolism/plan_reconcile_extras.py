"""Things of a reconciliation beside plants, ports and flows: stock changes and levels, concentrations, substances."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl
import scipy.sparse as sp

from cyclopolis.industry.metabolism.plan_reconcile_problem import Data, assumed_doubts
from cyclopolis.industry.metabolism.spread_draws import stated_sd

GOODS: Final = "goods"
"""Name of the layer of the commodities themselves."""
EXTRA: Final = frozenset({"stock_change", "stock_level", "concentration", "substance", "loss"})
"""Kinds of extra things."""
NAMES: Final = {
    "kind": pl.String,
    "plant": pl.String,
    "to_plant": pl.String,
    "site": pl.String,
    "commodity": pl.String,
    "direction": pl.String,
    "way": pl.String,
    "unit": pl.String,
    "layer": pl.String,
    "year": pl.Int64,
}
"""What a quantity is called, in the plan's words; no year: one value of all years."""


@dataclass(frozen=True)
class Measured:
    """One row that speaks of an extra thing: position of the thing, of the row, value, standard uncertainty, given."""

    thing: int
    row: int
    value: float
    sd: float
    given: bool


@dataclass(frozen=True)
class Extras:
    """Extra things and what binds them, while they are collected; positions count all things of all years.

    ``start`` is the position of the first extra thing. ``lines`` are relations: weights by thing, and a name.
    ``products`` are (result, factor, of) in things. ``rows`` name the things, ``measured`` holds what is known of them.
    ``lost`` lists plant, commodity and reason of rows that fit nowhere; ``none`` are concentrations of nothing that
    were of use although they are in no product.
    """

    start: int
    rows: list[dict[str, object]] = field(default_factory=list)
    lines: list[tuple[Mapping[int, float], str]] = field(default_factory=list)
    products: list[tuple[int, int, int]] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    lost: list[tuple[str | None, str, str]] = field(default_factory=list)
    none: set[int] = field(default_factory=set)

    def add(self, **names: object) -> int:
        """Add a thing and return its position."""
        self.rows.append(names)
        return self.start + len(self.rows) - 1

    @property
    def size(self) -> int:
        """Number of all things, those of the years among them."""
        return self.start + len(self.rows)

    def names(self) -> pl.DataFrame:
        """Return what the extra things are called, in order."""
        return pl.DataFrame(self.rows, schema=NAMES, orient="row") if self.rows else pl.DataFrame(schema=NAMES)

    def relations(self) -> tuple[sp.csr_array, list[str]]:
        """Return the relations (R, things), right-hand sides 0, and their names."""
        entries = [(line, at, weight) for line, (terms, _) in enumerate(self.lines) for at, weight in terms.items()]
        row, column, weight = zip(*entries, strict=True) if entries else ((), (), ())
        shape = (len(self.lines), self.size)
        matrix = sp.csr_array((np.array(weight, dtype=float), (np.array(row, int), np.array(column, int))), shape=shape)
        return matrix, [name for _, name in self.lines]


def with_doubt(rows: pl.DataFrame, value: pl.Expr, assumed: str, first_row: int) -> pl.DataFrame:
    """Return rows with ``row``, ``amount`` (null: not measured), ``sd`` and ``given``.

    Parameters
    ----------
    rows : polars.DataFrame
        With uncertainty, uncertainty_pct and half_width.
    value : polars.Expr
    assumed : str
        Item of ``assumed_doubts.csv`` that holds where a row gives no uncertainty.
    first_row : int
        Position of the first row among the rows of all tables that reconciliation reads.
    """
    sized = (
        rows.with_row_index("row", offset=first_row)
        .with_columns(measured=value)
        .with_columns(amount=pl.col("measured").abs())
    )
    stated = stated_sd()
    doubt = stated.fill_null(assumed_doubts()[assumed] * pl.col("amount"))
    found = sized.with_columns(sd=doubt, given=stated.is_not_null())
    return found.with_columns(amount="measured").drop("measured")


def name_of(row: Mapping[str, object]) -> str:
    """Return a short name of an extra thing for messages.

    Examples
    --------
    >>> name_of({"kind": "concentration", "layer": "carbon", "plant": None, "commodity": "coal", "year": 2023})
    'carbon concentration coal 2023'
    """
    between = f"{row['plant']}>{row['to_plant']}" if row.get("to_plant") else row.get("plant") or row.get("site")
    layer = None if row.get("layer") == GOODS else row.get("layer")
    parts = (layer, row["kind"], between, row.get("commodity"), row.get("way"), row.get("year"))
    return " ".join(str(part) for part in parts if part is not None)


def extra_data(extras: Extras) -> Data:
    """Return what is known of extra things; ``at`` counts the extra things, ``of`` all."""
    rows = extras.measured
    thing = np.array([item.thing for item in rows], dtype=np.int64)
    size, names = thing.size, [extras.rows[at - extras.start] for at in thing.tolist()]
    picks = sp.csr_array((np.ones(size), (np.arange(size), thing)), shape=(size, extras.size))
    return Data(
        [str(name["kind"]) for name in names],
        ["measurement"] * size,
        thing - extras.start,
        np.array([item.row for item in rows], dtype=np.int64),
        np.array([item.value for item in rows], dtype=float),
        np.array([item.sd for item in rows], dtype=float),
        np.array([item.given for item in rows], dtype=bool),
        picks,
        np.full((size, 2), -1),
        np.array([-1 if name["year"] is None else name["year"] for name in names], dtype=np.int64),
    )
