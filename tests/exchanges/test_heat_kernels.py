"""Heat recovery: published targets, the first law, an independent programme, steam and district heating."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.exchanges.heat.pinch import composite_curve, heat_streams, heat_targets, least_units
from cyclopolis.industry.exchanges.heat.site import (
    Profile,
    at_or_above,
    at_or_below,
    district_heat,
    heat_pipes,
    site_profile,
    steam_mains,
)
from cyclopolis.industry.exchanges.heat.utilities import place_utilities

LINNHOFF = ([150, 90, 20, 25], [60, 60, 125, 100], [180, 240, 262.5, 225])


def test_the_four_streams_of_linnhoff_and_hindmarsh():
    streams = heat_streams(*LINNHOFF, 20.0)
    found = heat_targets(streams)
    assert (found.hot, found.cold, found.recovered) == (107.5, 40.0, 380.0)
    assert found.pinches.tolist() == [80.0]
    assert found.residual[found.temperature == 80.0].tolist() == [0.0]
    assert least_units(streams, found) == 7


def test_the_four_streams_of_smith():
    """Smith (2005), Chemical Process Design and Integration, the example of the problem table: 7.5 and 10 MW."""
    found = heat_targets(heat_streams([250, 200, 20, 140], [40, 80, 180, 230], [31.5, 30, 32, 27], 10.0))
    assert (found.hot, found.cold) == pytest.approx((7.5, 10.0))
    assert found.pinches.tolist() == [145.0]


def test_threshold_problems_have_no_pinch():
    found = heat_targets(heat_streams([200, 20], [100, 40], [300, 100], 10.0))
    assert (found.hot, found.cold, found.pinches.size) == (0.0, 200.0, 0)
    found = heat_targets(heat_streams([200, 20], [100, 90], [100, 300], 10.0))
    assert (found.hot, found.cold, found.pinches.size) == (200.0, 0.0, 0)


def test_what_boils_and_condenses_counts_at_its_temperature():
    streams = heat_streams([120.0, 100.0], [120.0, 100.0], [50.0, -30.0], 10.0)
    found = heat_targets(streams)
    assert (found.hot, found.cold) == (0.0, 20.0)
    close = heat_targets(heat_streams([105.0, 100.0], [105.0, 100.0], [50.0, -30.0], 10.0))
    assert (close.hot, close.cold) == (30.0, 50.0)
    assert composite_curve(streams, hot=True)[0].tolist() == [0.0, 50.0]


temperatures = st.integers(2, 30).map(lambda step: 10.0 * step)
stream = st.tuples(temperatures, temperatures, st.integers(1, 50).map(float)).filter(lambda row: row[0] != row[1])


@settings(max_examples=40, deadline=None)
@given(st.lists(stream, min_size=1, max_size=8))
def test_the_first_law_order_and_a_programme(rows):
    supply, target, duty = np.array(rows).T
    streams = heat_streams(supply, target, duty, 20.0)
    found = heat_targets(streams)
    assert found.hot - found.cold == pytest.approx(-streams.duty.sum(), abs=1e-6)
    assert (found.residual >= 0).all()
    again = heat_targets(heat_streams(supply[::-1], target[::-1], duty[::-1], 20.0))
    assert (again.hot, again.cold) == pytest.approx((found.hot, found.cold), abs=1e-9)
    duties = place_utilities(
        streams, np.array([900.0, -90.0]), np.array([900.0, -90.0]), np.array([True, False]), np.ones(2),
        np.full(2, np.inf), np.zeros(2),
    )  # fmt: skip
    assert duties == pytest.approx([found.hot, found.cold], abs=1e-5 * float(np.abs(streams.duty).sum()))
    hot, cold = composite_curve(streams, hot=True), composite_curve(streams, hot=False)
    sums = streams.duty[streams.hot].sum(), -streams.duty[~streams.hot].sum()
    ends = tuple(curve[0][-1] if curve[0].size else 0.0 for curve in (hot, cold))
    assert ends == pytest.approx(sums)


def test_a_wider_difference_never_saves():
    hot = [heat_targets(heat_streams(*LINNHOFF, step)).hot for step in (5.0, 10.0, 20.0, 40.0)]
    assert hot == sorted(hot)


def test_cheap_steam_goes_first_and_too_cold_is_refused():
    streams = heat_streams(*LINNHOFF, 20.0)
    ends = np.array([180.0, 105, 15]), np.array([180.0, 105, 20])
    hot = np.array([True, True, False])
    rest = (np.full(3, np.inf), np.full(3, 10.0))
    assert place_utilities(streams, *ends, hot, np.array([9.0, 3, 1]), *rest) == pytest.approx([55, 52.5, 40], abs=1e-4)
    assert place_utilities(streams, *ends, hot, np.array([3.0, 9, 1]), *rest) == pytest.approx([107.5, 0, 40], abs=1e-4)
    with pytest.raises(UserError, match="hot or cold enough"):
        place_utilities(streams, ends[0] - 90, ends[1] - 90, hot, np.ones(3), *rest)


def test_profiles_leave_out_pockets_and_keep_the_targets():
    found = heat_targets(heat_streams([150, 90, 20, 25], [60, 60, 125, 100], [180, 240, 262.5, 225], 20.0))
    profile = site_profile(found)
    assert (profile.needed.max(), profile.available.max()) == (107.5, 40.0)
    assert (np.diff(profile.needed) <= 1e-9).all()
    assert (np.diff(profile.available) >= -1e-9).all()
    assert at_or_above(profile, np.array([500.0, -50.0])).tolist() == [0.0, 40.0]
    assert at_or_below(profile, np.array([500.0, -50.0])).tolist() == [107.5, 0.0]


def test_steam_passes_heat_from_one_plant_to_another():
    giver = site_profile(heat_targets(heat_streams([250.0], [150.0], [100.0], 10.0)))
    taker = site_profile(heat_targets(heat_streams([110.0], [140.0], [90.0], 10.0)))
    found = steam_mains([giver, taker], np.array([200.0, 150.0]), 5.0)
    assert found.used[1].sum() == pytest.approx(90.0)
    assert found.raised[0].sum() == pytest.approx(90.0)
    too_cold = steam_mains([giver, taker], np.array([130.0]), 5.0)
    assert too_cold.used.sum() == pytest.approx(30.0)
    lifted = steam_mains([taker, giver], np.array([260.0]), 5.0)
    assert lifted.used.sum() == 0.0


def test_district_heat_stays_below_what_is_rejected():
    plant = Profile(np.array([120.0, 60.0]), np.array([0.0, 600.0]), np.zeros(2))
    assert district_heat(plant, np.zeros(0), 90.0, 50.0, 5.0) == pytest.approx(600.0)
    assert district_heat(plant, np.zeros(0), 118.0, 50.0, 5.0) == pytest.approx(0.0)
    assert district_heat(plant, np.array([100.0]), 90.0, 50.0, 5.0) < 600.0


def test_far_heat_does_not_pay():
    most, demand = np.array([[10.0], [10.0]]), np.array([12.0])
    way = np.array([[1.0], [np.nan]])
    found = heat_pipes(most, demand, way, 0.1, np.array([5.0]), np.array([[1.0], [0.0]]), np.zeros((2, 1)))
    assert found.sent[:, 0] == pytest.approx([10.0, 0.0])
    assert found.arriving.sum() == pytest.approx(9.0)
    dear = heat_pipes(most, demand, way, 0.1, np.array([5.0]), np.array([[99.0], [0.0]]), np.zeros((2, 1)))
    assert dear.sent.sum() == 0.0
