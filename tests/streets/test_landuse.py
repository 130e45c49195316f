"""Land use: areas close, the mix has its known ends, what is unknown stays so."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cyclopolis.infrastructure.streets.landuse import (
    areas_by_use,
    floor_area,
    mix_entropy,
    overlay,
    share_within,
)


def test_ground_that_overlaps_counts_once() -> None:
    squares = np.array([shapely.box(0, 0, 2, 2), shapely.box(1, 0, 3, 2), shapely.box(5, 5, 6, 6)])
    assert areas_by_use(squares, np.array([0, 0, 1]), 3).tolist() == [6.0, 1.0, 0.0]


def test_parts_of_a_block_sum_to_it() -> None:
    rows = np.array([shapely.box(0, y, 10, y + 1) for y in range(10)])
    columns = np.array([shapely.box(x, 0, x + 2.5, 10) for x in np.arange(0, 10, 2.5)])
    found = overlay(rows, columns, np.array([0, 1, 0, 1]), 2)
    assert found == pytest.approx(np.full((10, 2), 5.0))


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=8))
def test_mix_lies_between_nothing_and_all_alike(areas) -> None:
    mix = mix_entropy(np.array(areas))
    if sum(areas) > 0:
        assert -1e-12 <= mix <= 1 + 1e-12
        assert mix_entropy(np.array(areas[::-1])) == pytest.approx(mix)
    else:
        assert np.isnan(mix)


def test_mix_by_hand() -> None:
    assert mix_entropy(np.array([3.0, 1.0])) == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)) / np.log(2))
    assert mix_entropy(np.ones((2, 5))).tolist() == pytest.approx([1.0, 1.0])
    assert np.isnan(mix_entropy(np.array([4.0])))


def test_buildings_of_unknown_height_are_counted_not_guessed() -> None:
    assert floor_area(np.array([10.0, 20.0, 30.0]), np.array([2.0, np.nan, 1.0])) == (50.0, 1)
    assert floor_area(np.zeros(0), np.zeros(0)) == (0.0, 0)


def test_people_near_a_station() -> None:
    people, number = shapely.points([(0, 0), (500, 0), (501, 0)]), np.array([1.0, 2.0, 4.0])
    station = shapely.points([(0, 0)])
    assert share_within(people, number, station, 500.0) == pytest.approx(3 / 7)
    assert share_within(people, number, station[:0], 500.0) == 0.0
    assert np.isnan(share_within(people[:0], number[:0], station, 500.0))
