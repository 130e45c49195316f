"""Measures of circularity as plain functions: published formulas by hand, bounds, and ratios to nothing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclopolis.industry.metabolism import circularity as measure

AMOUNT = st.floats(0.0, 1e9)


def test_circular_material_use_of_a_place_that_only_recycles_at_home():
    assert measure.circular_material_use(120.0, 0.0, 0.0, 880.0) == pytest.approx(12.0)


def test_waste_brought_in_is_no_merit_of_the_place_and_waste_sent_out_is():
    assert measure.circular_material_use(50.0, 50.0, 0.0, 900.0) == 0.0
    assert measure.circular_material_use(0.0, 0.0, 100.0, 900.0) == pytest.approx(10.0)


@given(AMOUNT, AMOUNT, st.floats(1.0, 1e9))
def test_circular_material_use_lies_between_none_and_all(inside, sent, consumption):
    assert 0.0 <= float(measure.circular_material_use(inside, 0.0, sent, consumption)) <= 100.0


@given(AMOUNT, st.floats(1.0, 1e9), AMOUNT)
def test_more_recycling_never_lowers_the_rate(inside, consumption, more):
    before = float(measure.circular_material_use(inside, 0.0, 0.0, consumption))
    assert float(measure.circular_material_use(inside + more, 0.0, 0.0, consumption)) >= before - 1e-9


@pytest.mark.parametrize(
    ("function", "arguments", "value"),
    [
        (measure.resource_productivity, (5.0e6, 2.0e4), 250.0),
        (measure.waste_reuse_rate, (63.0, 100.0), 63.0),
        (measure.recycled_content, (7.0, 28.0), 25.0),
        (measure.renewable_content, (3.0, 60.0), 5.0),
        (measure.recycled_outflow, (9.0, 45.0), 20.0),
        (measure.biological_outflow, (1.0, 8.0), 12.5),
        (measure.circular_water, (2.0, 16.0), 12.5),
        (measure.lawful_discharge, (12.0, 16.0), 75.0),
        (measure.water_reuse, (16.0, 8.0), 1.5),
        (measure.material_productivity, (90.0, 50.0, 5.0), 2.0),
    ],
)
def test_formulas_by_hand_on_numbers_and_arrays(function, arguments, value):
    assert float(function(*arguments)) == pytest.approx(value)
    doubled = function(*[np.array([argument, 2.0 * argument]) for argument in arguments])
    assert doubled.tolist() == pytest.approx([value, value])


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (measure.circular_material_use, (0.0, 0.0, 0.0, 0.0)),
        (measure.resource_productivity, (1.0, 0.0)),
        (measure.resource_productivity, (1.0, -5.0)),
        (measure.waste_reuse_rate, (0.0, 0.0)),
        (measure.water_reuse, (0.0, 1.0)),
        (measure.material_productivity, (1.0, 4.0, 4.0)),
        (measure.circular_water, (1.0, math.nan)),
    ],
)
def test_a_share_of_nothing_or_of_the_unknown_is_unknown(function, arguments):
    assert math.isnan(float(function(*arguments)))


def test_what_is_unknown_stays_unknown_and_leaves_the_rest_alone():
    found = measure.waste_reuse_rate(np.array([1.0, math.nan]), np.array([4.0, 4.0]))
    assert found[0] == 25.0
    assert math.isnan(found[1])
