"""Classes of surface water and the air quality index against the standards' own tables and plain loops."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclopolis.ecology.compliance.air import GOOD, good_share, grade, individual_index, overall
from cyclopolis.ecology.compliance.waters import classes, multiples, place_rating, worst_of
from cyclopolis.library import load_library

CLASSES = load_library().water_classes
LIMITS = [f"class_{number}" for number in range(1, 6)]


@pytest.mark.parametrize("row", CLASSES.to_dicts(), ids=lambda row: f"{row['parameter']}-{row['rule']}")
def test_every_limit_of_the_standard_is_met_just_at_it(row) -> None:
    limits = np.array([[row[name] for name in LIMITS]])
    at_least = np.array([row["rule"] == "at_least"])
    for number, limit in enumerate(limits[0], start=1):
        best = 1 + int(np.argmax(limits[0] == limit))
        assert classes(np.array([limit]), limits, at_least)[0] == best <= number
    beyond = limits[0, -1] * (0.99 if at_least[0] else 1.01)
    assert classes(np.array([beyond]), limits, at_least)[0] == 6


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.integers(0, CLASSES.height - 1))
def test_class_against_a_plain_loop(values, at) -> None:
    row = CLASSES.row(at, named=True)
    limits, least = [row[name] for name in LIMITS], row["rule"] == "at_least"
    found = classes(np.array(values), np.tile(limits, (len(values), 1)), np.full(len(values), least))
    for value, number in zip(values, found, strict=True):
        fits = [n for n, limit in enumerate(limits, 1) if (value >= limit if least else value <= limit)]
        assert number == (fits[0] if fits else 6)


def test_how_far_over() -> None:
    value, limit = np.array([2.5, 1.0, 1.0, np.nan]), np.array([1.0, 1.0, 5.0, 1.0])
    found = multiples(value, limit, np.array([False, False, True, False]))
    assert found[0] == pytest.approx(1.5)
    assert np.isnan(found[1:]).all()


def test_the_worst_parameter_decides() -> None:
    assert worst_of(np.array([1, 0, 1, 1]), np.array([3, 0, 5, 2]), 3).tolist() == [0, 5, 0]


@pytest.mark.parametrize(
    ("sections", "rating"),
    [([1] * 9 + [4], "excellent"), ([3] * 3 + [5], "good"), ([3, 4, 4], "light"), ([3, 3, 6, 5], "moderate"),
     ([1, 6, 6], "heavy"), ([0, 0], None)],
)  # fmt: skip
def test_rating_of_a_place(sections, rating) -> None:
    assert place_rating(np.array(sections)) == rating


BREAKS = load_library().air_index


@pytest.mark.parametrize("key", BREAKS.select("edition", "pollutant", "averaging").unique().sort(pl.all()).rows())
def test_every_breakpoint_of_both_editions(key) -> None:
    own = BREAKS.filter(edition=key[0], pollutant=key[1], averaging=key[2]).sort("concentration")
    points, index = own["concentration"].to_numpy(), own["iaqi"].to_numpy().astype(float)
    assert (np.diff(points) > 0).all()
    assert individual_index(points, points, index).tolist() == index.tolist()
    middle = (points[:-1] + points[1:]) / 2
    assert individual_index(middle, points, index) == pytest.approx(np.ceil((index[:-1] + index[1:]) / 2))


def index_of(edition: str, pollutant: str, value: float) -> float:
    own = BREAKS.filter(edition=edition, pollutant=pollutant, averaging="24h").sort("concentration")
    points, index = own["concentration"].to_numpy(), own["iaqi"].to_numpy().astype(float)
    return float(individual_index(np.array([value]), points, index)[0])


def test_the_new_edition_asks_more_of_fine_dust() -> None:
    assert index_of("HJ 633-2012", "PM2.5", 70.0) < GOOD < index_of("HJ 633-2026", "PM2.5", 70.0)


VALUES = st.one_of(st.floats(0, 500), st.just(float("nan")))


@given(st.lists(st.lists(VALUES, min_size=6, max_size=6), min_size=1, max_size=9))
def test_the_greatest_index_leads(rows) -> None:
    table = np.array(rows)
    index, leading = overall(table)
    for row, top, at in zip(table, index, leading, strict=True):
        known = row[~np.isnan(row)]
        if known.size:
            assert top == known.max() == row[at]
        else:
            assert np.isnan(top)
            assert at == -1


def test_grades_and_good_days() -> None:
    index = np.array([0.0, 50, 51, 100, 101, 150, 200, 300, 301, 500])
    assert grade(index).tolist() == [1, 1, 2, 2, 3, 3, 4, 5, 6, 6]
    assert good_share(index) == pytest.approx(0.4)
    assert np.isnan(good_share(np.array([np.nan])))
