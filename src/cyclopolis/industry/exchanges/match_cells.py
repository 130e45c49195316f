"""Blocks of offers and needs in plain arrays: sorted by thing and cell once, then each relation is a walk of ranges.

A cell is as wide as the reach, so whatever lies within reach lies in the cell itself or in the eight around it. Cells
of one row of the grid follow each other in the sorted keys: the needs around an offer are three ranges, found by
binary search. Their lengths are the number of candidate pairs, known before any pair is made.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]
EARTH_KM = 6371.0088
KM_PER_DEGREE = 111.19
CHUNK = 1_000_000
"""Candidate pairs that are looked at in one go."""
_NEAREST_KM = 0.06
"""Smallest side of a cell: 20 bits hold the cells around the earth."""
_ROW, _THING, _MIDDLE = 20, 40, 500_000
_ROWS = (-1, 0, 1)


@dataclass(frozen=True)
class Blocks:
    """Places of one side, sorted by key.

    Parameters
    ----------
    key : Ints (n,)
        Thing, row of the grid and column of the grid in one number of 24, 20 and 20 bits.
    row : Ints (n,)
        What the caller calls each place.
    lon, lat : Floats (n,)
        Degrees.
    """

    key: Ints
    row: Ints
    lon: Floats
    lat: Floats

    def of(self, thing: int) -> "Blocks":
        """Return the places of one thing."""
        first, last = np.searchsorted(self.key, [thing << _THING, (thing + 1) << _THING])
        part = slice(int(first), int(last))
        return Blocks(self.key[part], self.row[part], self.lon[part], self.lat[part])


@dataclass(frozen=True)
class Met:
    """Pairs within reach: rows of both sides, the relation's position and the way in km; all (n,)."""

    offer: Ints
    need: Ints
    relation: Ints
    km: Floats


def cell_size(reach_km: float, furthest: float) -> tuple[float, float]:
    """Return width and height of a cell in degrees, for places up to a latitude.

    Examples
    --------
    >>> width, height = cell_size(111.19, 0.0)
    >>> round(width, 4), height
    (1.0002, 1.0)
    """
    height = max(reach_km, _NEAREST_KM) / KM_PER_DEGREE
    return height / max(cos(radians(min(furthest + height, 88.0))), 0.03), height


def sort_blocks(row: Ints, thing: Ints, lon: Floats, lat: Floats, cell: tuple[float, float]) -> Blocks:
    """Return places sorted by thing and cell; ties by row.

    Parameters
    ----------
    row, thing : Ints (n,)
    lon, lat : Floats (n,)
        Degrees.
    cell : (width, height)
        Degrees, as `cell_size` gives them.
    """
    column = np.floor(lon / cell[0]).astype(np.int64) + _MIDDLE
    line = np.floor(lat / cell[1]).astype(np.int64) + _MIDDLE
    key = (thing.astype(np.int64) << _THING) + (line << _ROW) + column
    order = np.argsort(key)
    return Blocks(key[order], row[order], lon[order], lat[order])


def _ranges(offers: Blocks, needs: Blocks, shift: int) -> tuple[Ints, Ints]:
    """Return where the needs around each offer begin and how many they are, for three rows of cells: (3, n) each."""
    wanted = [offers.key + (shift << _THING) + (line << _ROW) for line in _ROWS]
    first = np.stack([np.searchsorted(needs.key, keys - 1, side="left") for keys in wanted])
    last = np.stack([np.searchsorted(needs.key, keys + 1, side="right") for keys in wanted])
    return first, last - first


def count_met(offers: Blocks, needs: Blocks, relations: Ints) -> Ints:
    """Return how many candidate pairs each relation makes.

    Parameters
    ----------
    offers, needs : Blocks
    relations : Ints (m, 2)
        Things of each relation.

    Returns
    -------
    Ints (m,)
    """
    return np.array(
        [
            int(_ranges(offers.of(give), needs.of(take), take - give)[1].sum()) if len(needs.of(take).key) else 0
            for give, take in relations.tolist()
        ],
        dtype=np.int64,
    )


def heaviest(offers: Blocks, needs: Blocks, give: int, take: int) -> tuple[int, float, float]:
    """Return how many pairs the heaviest cell of needs makes in a relation, and the least degrees of its offers."""
    cells, many = np.unique(needs.of(take).key, return_counts=True)
    given = offers.of(give)
    block = Blocks(cells, cells, cells.astype(float), cells.astype(float))
    first, found = _ranges(block, given, give - take)
    pairs = found.sum(axis=0) * many
    worst = int(pairs.argmax())
    around = np.concatenate([np.arange(f, f + n) for f, n in zip(first[:, worst], found[:, worst], strict=True)])
    return int(pairs[worst]), float(given.lon[around].min()), float(given.lat[around].min())


def meet(offers: Blocks, needs: Blocks, relations: Ints, reach_km: float) -> Iterator[Met]:
    """Give the pairs within reach, in parts.

    Parameters
    ----------
    offers, needs : Blocks
    relations : Ints (m, 2)
        Things of each relation.
    reach_km : float
        Longest great circle between two places.
    """
    for place, (give, take) in enumerate(relations.tolist()):
        given, taken = offers.of(give), needs.of(take)
        if not len(given.key) or not len(taken.key):
            continue
        first, many = _ranges(given, taken, take - give)
        ends = np.cumsum(many.sum(axis=0))
        cuts = np.unique(np.searchsorted(ends, np.arange(0, int(ends[-1]), CHUNK)[1:], side="right"))
        for begin, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(ends)], strict=True):
            part = slice(begin, end)
            one, other = _spread(first[:, part], many[:, part])
            met, km = _within(given, taken, one + begin, other, reach_km)
            mine, theirs = given.row[met[0]], taken.row[met[1]]
            yield Met(mine, theirs, np.full(len(mine), place, np.int32), km)


def batches(parts: Iterable[Met], pairs: int = CHUNK) -> Iterator[Met]:
    """Give small parts together, so that each has at least so many pairs; the last may have fewer."""
    held: list[Met] = []
    many = 0
    for part in parts:
        held.append(part)
        many += len(part.km)
        if many >= pairs:
            yield _joined(held)
            held, many = [], 0
    if held:
        yield _joined(held)


def _joined(parts: list[Met]) -> Met:
    columns = ("offer", "need", "relation", "km")
    return Met(*(np.concatenate([getattr(part, name) for part in parts]) for name in columns))


def _spread(first: Ints, many: Ints) -> tuple[Ints, Ints]:
    """Return the pairs that ranges (3, n) stand for, as positions of both sides."""
    flat = many.ravel()
    before = np.cumsum(flat) - flat
    total = int(flat.sum())
    offer: Ints = np.repeat(np.tile(np.arange(many.shape[1], dtype=np.int32), 3), flat)
    start: Ints = np.repeat((first.ravel() - before).astype(np.int32), flat)
    return offer, np.add(start, np.arange(total, dtype=np.int32), dtype=np.int32)


def _within(given: Blocks, taken: Blocks, one: Ints, other: Ints, reach_km: float) -> tuple[tuple[Ints, Ints], Floats]:
    """Keep pairs within reach; the great circle (haversine) is worked out for those on the same latitude or nearly."""
    lat = given.lat[one]
    near = np.flatnonzero(np.abs(taken.lat[other] - lat) <= reach_km / KM_PER_DEGREE * 1.0001)
    one, other, lat = one[near], other[near], np.radians(lat[near])
    to = np.radians(taken.lat[other])
    across = np.radians(taken.lon[other] - given.lon[one]) / 2
    half = np.sin((to - lat) / 2) ** 2 + np.cos(lat) * np.cos(to) * np.sin(across) ** 2
    kept = np.flatnonzero(half <= sin(min(reach_km / (2 * EARTH_KM), np.pi / 2)) ** 2)
    km = 2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(half[kept], 1.0)))
    return (one[kept], other[kept]), km
