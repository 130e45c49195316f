"""Nesting, distances, grid factors: worked out by hand or by a second formula."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_park import PLAN, SITES, table

from cyclopolis.network.places import (
    EARTH_RADIUS_KM,
    ancestry,
    grid_factors,
    nearest_ancestor,
    positions,
    read_places,
    straight_km,
    unit_vectors,
)


def haversine(lon1, lat1, lon2, lat2):
    """The textbook formula, written out a second time."""
    a, b, c, d = map(math.radians, (lon1, lat1, lon2, lat2))
    h = math.sin((d - b) / 2) ** 2 + math.cos(b) * math.cos(d) * math.sin((c - a) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(h))


degrees = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


@given(degrees, degrees)
def test_distance_is_the_haversine(a, b):
    found = straight_km(
        unit_vectors(np.array([a[0]]), np.array([a[1]])), unit_vectors(np.array([b[0]]), np.array([b[1]]))
    )
    assert found[0] == pytest.approx(haversine(*a, *b), rel=1e-6, abs=1e-3)


def test_changzhi_to_taiyuan_is_the_distance_on_the_map():
    changzhi = unit_vectors(np.array([113.116]), np.array([36.195]))
    taiyuan = unit_vectors(np.array([112.549]), np.array([37.871]))
    assert straight_km(changzhi, taiyuan)[0] == pytest.approx(193, abs=2)


def test_positions_are_minus_one_for_null_and_unknown():
    assert positions(("a", "b", "c"), pl.Series(["c", None, "z", "a"])).tolist() == [2, -1, -1, 0]


def test_positions_of_nothing():
    assert positions((), pl.Series([], dtype=pl.String)).size == 0


def test_nearest_ancestor_climbs_until_wanted():
    parent = np.array([-1, 0, 1, 2, -1])
    wanted = np.array([False, True, False, False, False])
    assert nearest_ancestor(parent, wanted).tolist() == [-1, 1, 1, 1, -1]


@st.composite
def forests(draw):
    size = draw(st.integers(1, 12))
    return np.array([draw(st.integers(-1, i - 1)) for i in range(size)])


@given(forests())
def test_ancestry_lists_every_holder_once(parent):
    site, holder = ancestry(parent)
    expected = []
    for own in range(parent.size):
        at = own
        while at >= 0:
            expected.append((own, at))
            at = parent[at]
    assert list(zip(site.tolist(), holder.tolist(), strict=True)) == expected


def places(sites=SITES):
    return read_places(table(PLAN, "sites", sites))


def test_a_parcel_lies_where_its_park_lies():
    found = places()
    at = {name: i for i, name in enumerate(found.ids)}
    assert found.ids == ("hill", "lot", "park", "town")
    assert found.parent[at["lot"]] == at["park"]
    assert found.park[at["lot"]] == at["park"]
    assert found.located[at["lot"]] == at["park"]
    assert found.vector[at["lot"]].tolist() == found.vector[at["park"]].tolist()


def test_the_way_inside_one_place_is_half_its_side_at_least_half_a_kilometre():
    found = places()
    at = {name: i for i, name in enumerate(found.ids)}
    assert found.near[at["park"]] == 1.0  # half the side of 4 km2
    assert found.near[at["lot"]] == 1.0  # its coordinates are the park's
    assert found.near[at["hill"]] == 0.5  # area unknown


def test_a_city_without_a_park_is_its_own_park():
    found = places()
    assert found.park[found.ids.index("town")] == found.ids.index("town")


def test_a_place_without_coordinates_anywhere_is_not_located():
    found = places([{"site": "a", "kind": "city"}, {"site": "b", "kind": "park", "parent": "a"}])
    assert found.located.tolist() == [-1, -1]


FACTORS = pl.DataFrame(
    {
        "year": [2022, 2030, 2023, 2023],
        "region": ["North", "North", "North", "South"],
        "factor_tco2_per_mwh": [0.7, 0.2, 0.6, 0.4],
    }
)


@pytest.mark.parametrize(("year", "expected"), [(2021, None), (2022, 0.7), (2024, 0.6), (2029, 0.6), (2035, 0.2)])
def test_the_newest_grid_factor_up_to_the_year_holds(year, expected):
    factor = grid_factors(places(), FACTORS, year)
    if expected is None:
        assert np.isnan(factor).all()
    else:
        assert factor.tolist() == [expected] * 4  # all places lie in the town's region


def test_an_unnamed_region_leaves_the_factor_unknown():
    sites = [{**row, "grid_region": None} for row in SITES]
    assert np.isnan(grid_factors(places(sites), FACTORS, 2024)).all()
