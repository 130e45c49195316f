"""Blocks, density and frontage against published figures, closed forms and reordering."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.infrastructure.streets.blocks import (
    block_sizes,
    blocks,
    dead_ends,
    frontage_activity,
    hull_km2,
    intersections,
    planarise,
)
from cyclopolis.plan.layers import read_layer

DATA = Path(__file__).parent / "data"
PUBLISHED = {
    "helsinki_centre": (21.26, 1.543, 13.78, 54, 1.67, 0.98, 16.21, 0.468),
    "finland_suburb": (44.67, 4.531, 9.86, 34, 5.85, 1.47, 57.29, 0.833),
}
"""km, km2, km/km2, blocks, mean, median and largest ha, share of area above 4 ha: computed from the same files."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_two_real_places(name: str) -> None:
    layer, _ = read_layer(DATA, {"layer": name, "kind": "streets", "file": f"{name}.geojson"})
    assert layer.crs == "EPSG:32635"
    net = planarise(layer.geometry)
    sizes = block_sizes(shapely.area(blocks(net)) / 1e4, 4.0)
    length, ground = net.length.sum() / 1000, hull_km2(layer.geometry)
    found = (length, ground, length / ground, sizes.count, sizes.mean_ha, sizes.median_ha, sizes.largest_ha)
    assert [*found, sizes.share_above] == pytest.approx(PUBLISHED[name], abs=0.006)


def grid(cells: int, side: float) -> np.ndarray:
    ticks, end = np.arange(cells + 1) * side, cells * side
    return shapely.linestrings([[(t, 0), (t, end)] for t in ticks] + [[(0, t), (end, t)] for t in ticks])


@pytest.mark.parametrize(("side", "area"), [(350.0, 12.25), (178.0, 3.1684)])
def test_blocks_of_a_square_grid(side: float, area: float) -> None:
    net = planarise(grid(3, side))
    found = shapely.area(blocks(net)) / 1e4
    assert found == pytest.approx(np.full(9, area))
    assert block_sizes(found, 4.0).side_m == pytest.approx(side)
    assert intersections(net) == 4 * 4 - 4
    assert dead_ends(net) == 0
    assert net.pieces()[0] == 1
    assert net.length.sum() == pytest.approx(8 * 3 * side)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 12)] * 4), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_order_and_direction_of_lines_change_nothing(ends, random) -> None:
    lines = [[(a, b), (c, d)] for a, b, c, d in ends if (a, b) != (c, d)]
    if not lines:
        return
    there = planarise(shapely.linestrings(lines))
    random.shuffle(lines)
    back = planarise(shapely.linestrings([line[::-1] for line in lines]))
    assert there.length.sum() == pytest.approx(back.length.sum())
    assert intersections(there) == intersections(back)
    assert dead_ends(there) == dead_ends(back)
    smallest = 1e-9
    assert shapely.area(blocks(there, smallest)) == pytest.approx(shapely.area(blocks(back, smallest)))
    hull = shapely.area(shapely.convex_hull(shapely.union_all(there.edges)))
    assert shapely.area(blocks(there, smallest)).sum() <= hull + 1e-9


def test_euler_holds_for_the_planar_network() -> None:
    net = planarise(grid(4, 100.0))
    pieces, _ = net.pieces()
    assert len(blocks(net)) == len(net.edges) - len(net.node) + pieces


def test_slivers_are_no_blocks() -> None:
    thin = shapely.linestrings([[(0, 0), (100, 0)], [(0, 5), (100, 5)], [(0, 0), (0, 5)], [(100, 0), (100, 5)]])
    assert len(blocks(planarise(thin))) == 0
    assert len(blocks(planarise(thin), 0.04)) == 1


def test_no_block_has_no_size() -> None:
    none = block_sizes(np.zeros(0), 4.0)
    assert none.count == 0
    assert np.isnan([none.mean_ha, none.median_ha, none.largest_ha, none.side_m, none.share_above]).all()


def test_a_door_counts_once_at_its_nearest_street() -> None:
    streets = shapely.linestrings([[(0, 0), (100, 0)], [(0, 20), (50, 20)]])
    doors = shapely.points([(10, 9), (10, 11), (90, 12), (500, 0)])
    count, density = frontage_activity(streets, doors, 15.0)
    assert count.tolist() == [2, 1]
    assert density.tolist() == [2.0, 2.0]
    assert frontage_activity(streets, doors[:0], 15.0)[0].tolist() == [0, 0]
