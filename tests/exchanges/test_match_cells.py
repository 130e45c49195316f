"""Blocks of offers and needs against a plain matcher that looks at every pair."""

import math

import numpy as np
import polars as pl
import pytest

from cyclopolis import match
from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.exchanges import match_cells
from cyclopolis.industry.exchanges.match import MatchOptions
from cyclopolis.industry.exchanges.match_cells import batches, cell_size, count_met, heaviest, meet, sort_blocks

RELATIONS = np.array([[0, 0], [0, 2], [1, 1], [2, 0], [3, 0]])
SIDES = 2


def places(seed: int, count: int, lon: float, lat: float, side: float) -> list[list[tuple[int, float, float]]]:
    """Return offers and needs: thing and degrees, on a coarse grid so that many share a place or a cell's edge."""
    rng = np.random.default_rng(seed)
    return [
        [
            (int(rng.integers(0, 3)), lon + round(rng.uniform(0, side), 2), lat + round(rng.uniform(0, side), 2))
            for _ in range(count)
        ]
        for _ in range(SIDES)
    ]


def far(a: tuple[int, float, float], b: tuple[int, float, float]) -> float:
    """Return the great circle in km by the spherical law of haversines, for one pair."""
    lon1, lat1, lon2, lat2 = (math.radians(value) for value in (*a[1:], *b[1:]))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(half))


@pytest.mark.parametrize(
    ("seed", "lon", "lat", "side", "reach"),
    [(1, 112.0, 36.0, 1.0, 10.0), (2, -3.0, -2.0, 5.0, 60.0), (3, 20.0, 68.0, 1.5, 15.0), (4, 9.0, 55.0, 0.3, 0.5)],
)
@pytest.mark.parametrize("chunk", [7, 1_000_000])
def test_every_pair_within_reach_is_met_once(
    monkeypatch: pytest.MonkeyPatch, seed: int, lon: float, lat: float, side: float, reach: float, chunk: int
) -> None:
    monkeypatch.setattr(match_cells, "CHUNK", chunk)
    sides = places(seed, 120, lon, lat, side)
    cell = cell_size(reach, max(abs(lat), abs(lat + side)))
    blocks = [
        sort_blocks(np.arange(len(rows)), *(np.array(part) for part in zip(*rows, strict=True)), cell) for rows in sides
    ]
    found = list(batches(meet(*blocks, RELATIONS, reach), 50))
    pairs = {
        (r, o, n): km
        for part in found
        for r, o, n, km in zip(part.relation, part.offer, part.need, part.km, strict=True)
    }
    wanted = {
        (r, o, n): far(a, b)
        for r, (give, take) in enumerate(RELATIONS.tolist())
        for o, a in enumerate(sides[0])
        for n, b in enumerate(sides[1])
        if a[0] == give and b[0] == take and far(a, b) <= reach
    }
    assert sum(len(part.km) for part in found) == len(pairs)
    assert pairs.keys() == wanted.keys()
    assert max(abs(pairs[key] - wanted[key]) for key in wanted) < 1e-9
    assert all(len(part.km) >= 50 for part in found[:-1])
    cells = [[(t, x // cell[0], y // cell[1]) for t, x, y in rows] for rows in sides]
    near = [
        sum(
            a[0] == give and b[0] == take and abs(a[1] - b[1]) <= 1 and abs(a[2] - b[2]) <= 1
            for a in cells[0]
            for b in cells[1]
        )
        for give, take in RELATIONS.tolist()
    ]
    assert count_met(*blocks, RELATIONS).tolist() == near
    assert heaviest(*blocks, 0, 2)[0] <= near[1]


def test_the_heaviest_cell_is_named() -> None:
    crowd, lone = [(0, 110.5, 30.5)] * 6, [(0, 100.0, 20.0)]
    row = np.arange(7)
    blocks = sort_blocks(row, *(np.array(part) for part in zip(*crowd, *lone, strict=True)), cell_size(5.0, 31.0))
    assert heaviest(blocks, blocks, 0, 0) == (36, 110.5, 30.5)


def test_pairs_without_a_place_count_too() -> None:
    rows = {"side": ["offer"] * 30 + ["need"] * 30, "text": ["fly ash"] * 60}
    with pytest.raises(UserError) as told:
        match(pl.DataFrame(rows), MatchOptions(budget=899))
    assert told.value.problems[0].text.values["place"] == "?"
    found = match(pl.DataFrame(rows), MatchOptions(budget=900))
    assert (found.facts["candidates"], found.facts["pairs"]) == (900, 900)


def test_years_beyond_any_number_are_rubbish() -> None:
    rows = {"side": ["offer", "need"], "text": ["fly ash"] * 2, "first_year": ["99999", "2030"]}
    found = match(pl.DataFrame(rows))
    assert found.tables["rubbish"].select("reason", "samples").rows() == [("years", "1")]
