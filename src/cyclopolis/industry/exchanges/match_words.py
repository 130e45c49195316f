"""Concepts, modes and relations as numbers for the join, and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from cyclopolis.industry.exchanges.match_block import MODE, RELATION
from cyclopolis.industry.exchanges.match_fit import FIT, relations
from cyclopolis.library import Library
from cyclopolis.network.arcs import read_modes

ALL_YEAR = 4095
"""Twelve bits: every month."""


@dataclass(frozen=True)
class Vocabulary:
    """The words of one matching by position.

    Parameters
    ----------
    concepts : tuple of str
        Concepts, then texts that no name explains (``~word``).
    technologies : tuple of str
    modes : tuple of str
    related : polars.DataFrame
        `relations` with their position ``relation``, offers and needs by name.
    library : Library
    """

    concepts: tuple[str, ...]
    technologies: tuple[str, ...]
    modes: tuple[str, ...]
    related: pl.DataFrame
    library: Library

    def positions(self, names: pl.Series) -> pl.Series:
        """Return the position of each concept, null where it is none."""
        table = pl.DataFrame({"name": self.concepts}).with_row_index("position")
        found = pl.DataFrame({"name": names.cast(pl.String)}).join(table, on="name", how="left", maintain_order="left")
        return found["position"].cast(pl.Int32)


def vocabulary(
    library: Library, more: Sequence[tuple[str, str | None, float]] = (), *, bases: Sequence[str] = tuple(FIT)
) -> Vocabulary:
    """Return the vocabulary of a library.

    Parameters
    ----------
    library : Library
    more : sequence of (concept, like, fit)
        Concepts of the user's own, each with a concept of the library that its name means (None: none) and how surely.
    bases : sequence of str
        Kinds of relations to keep.
    """
    related = relations(library).filter(pl.col("basis").is_in(list(bases)))
    own = pl.DataFrame(
        [(name, like, fit) for name, like, fit in more],
        schema={"name": pl.String, "like": pl.String, "sure": pl.Float64},
        orient="row",
    )
    known = related["offer"].implode()
    fresh = own.filter(~pl.col("name").is_in(known))
    alone = fresh.select(
        offer="name", need="name", basis=pl.lit("exact"), ratio=1.0, fit=1.0, provenance=pl.lit("user")
    )
    as_offer = related.join(own.select(offer="like", name="name", sure="sure"), on="offer").with_columns(
        offer="name", fit=pl.col("fit") * pl.col("sure")
    )
    as_need = related.join(own.select(need="like", name="name", sure="sure"), on="need").with_columns(
        need="name", fit=pl.col("fit") * pl.col("sure")
    )
    parts = [related, alone, *(part.select(related.columns) for part in (as_offer, as_need))]
    rows = (
        pl.concat(parts, how="diagonal")
        .sort("fit", descending=True, maintain_order=True)
        .unique(["offer", "need", "technology"], keep="first", maintain_order=True)
        .sort("offer", "need", "technology", nulls_last=False)
        .with_row_index("relation")
        .with_columns(pl.col("relation").cast(pl.Int32))
    )
    names = pl.concat([rows["offer"], rows["need"]]).unique().sort().to_list()
    technologies = library.technologies["technology"].sort().to_list()
    return Vocabulary(tuple(names), tuple(technologies), _modes(library), rows, library)


def _modes(library: Library) -> tuple[str, ...]:
    return tuple(library.transport["mode"].sort().to_list())


def write_relations(words: Vocabulary, target: Path) -> None:
    """Write the relations as the join reads them."""
    places = {name: place for place, name in enumerate(words.technologies)}
    units = words.library.commodities.select("commodity", "unit")
    rows = (
        words.related.join(units.rename({"commodity": "offer", "unit": "ou"}), on="offer", how="left")
        .join(units.rename({"commodity": "need", "unit": "nu"}), on="need", how="left")
        .sort("relation")
    )
    known = pl.col("ou").is_not_null() & pl.col("nu").is_not_null()
    rows.select(
        offer=words.positions(rows["offer"]),
        need=words.positions(rows["need"]),
        relation="relation",
        technology=pl.col("technology").replace_strict(places, default=-1, return_dtype=pl.Int32).fill_null(-1),
        ratio="ratio",
        anyunit=known & pl.col("ratio").is_not_null(),
        fit="fit",
        process_cost="process_cost",
    ).select(pl.col(name).cast(dtype) for name, dtype in RELATION.items()).write_parquet(target)


def write_modes(words: Vocabulary, target: Path) -> None:
    """Write for each concept the cheapest mode and the one that reaches farthest.

    A thing that is no commodity of the library goes by road, if it is not known to be a gas or heat.
    """
    goods = words.library.commodities.sort("commodity")
    modes = read_modes(words.library.transport, goods)
    cost, place = modes.cost, {name: row for row, name in enumerate(goods["commodity"].to_list())}
    rows = []
    for position, concept in enumerate(words.concepts):
        if concept not in place:
            continue
        column = cost[:, place[concept]]
        able = np.flatnonzero(np.isfinite(column))
        if not able.size:
            continue
        cheap = able[np.argmin(column[able])]
        far = able[np.argmax(modes.reach[able])]
        pair = [
            (int(mode), float(column[mode]), float(modes.reach[mode]), float(modes.detour[mode]))
            for mode in (cheap, far)
        ]
        rows.append((position, *pair[0], *pair[1]))
    pl.DataFrame(rows, schema=dict(MODE), orient="row").write_parquet(target)


def month_bits(text: str) -> int | None:
    """Return months as bits (1: January) from ``1-4;10``; all for nothing said, None for what is no month.

    Examples
    --------
    >>> month_bits("1-3") , month_bits("11-2") == 2048 + 1024 + 2 + 1, month_bits(""), month_bits("13")
    (7, True, 4095, None)
    """
    bits = 0
    for part in filter(None, (piece.strip() for piece in text.replace(",", ";").replace("，", ";").split(";"))):
        first, _, last = part.replace("月", "").partition("-")
        if not (first.strip().isdigit() and (last.strip() or first.strip()).isdigit()):
            return None
        start, stop = int(first), int(last or first)
        if not (1 <= start <= 12 and 1 <= stop <= 12):
            return None
        month = start
        while True:
            bits |= 1 << (month - 1)
            if month == stop:
                break
            month = month % 12 + 1
    return bits or ALL_YEAR
