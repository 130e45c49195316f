"""Numbers and units as people write them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclopolis.foundation.numbers import column_text, number_text, quantity_text, unit_text
from cyclopolis.foundation.text import LANGUAGES


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_a_written_number_reads_back_to_four_digits(value: float) -> None:
    read = float(number_text(value).replace(",", ""))
    assert math.isclose(read, value, rel_tol=6e-2 if abs(value) < 1e-6 else 5.1e-4)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=1, max_value=1e14), st.sampled_from(LANGUAGES))
def test_a_quantity_reads_back_to_three_digits(value: float, language) -> None:
    number, *rest = quantity_text(value, "t/a", language).split(" ")
    scale = {"million": 1e6, "billion": 1e9, "万": 1e4, "亿": 1e8}.get(rest[0], 1.0) if rest else 1.0
    assert math.isclose(float(number.replace(",", "")) * scale, value, rel_tol=5.1e-3)


@pytest.mark.parametrize(
    ("value", "unit", "en", "zh"),
    [
        (12.0, "ha", "12 ha", "12 ha"),
        (0.0, "CNY/a", "0 CNY/a", "0 元/年"),
        (1.5e9, "CNY/a", "1.5 billion CNY/a", "15 亿元/年"),
        (250.0, "million CNY", "250 million CNY", "2.5 亿元"),
        (-4.5e6, "MWh/a", "-4.5 million MWh/a", "-450 万 MWh/年"),
        (20551.0, "1", "20,551", "2.06 万"),
        (None, "t/a", "unknown", "未知"),
        (math.nan, "t/a", "unknown", "未知"),
    ],
)
def test_quantities_in_both_languages(value, unit, en, zh) -> None:
    assert quantity_text(value, unit, "en") == en
    assert quantity_text(value, unit, "zh") == zh


def test_a_rise_has_its_plus() -> None:
    assert quantity_text(5.0, "t/a", "en", signed=True) == "+5 t/a"
    assert quantity_text(-5.0, "t/a", "en", signed=True) == "-5 t/a"
    assert quantity_text(0.0, "t/a", "en", signed=True) == "0 t/a"


def test_unknown_and_endless_are_not_zero() -> None:
    assert number_text(None) == number_text(math.nan) == "–"
    assert number_text(math.inf) == "∞"
    assert number_text(-math.inf) == "-∞"
    assert number_text(-1e-20) == "-1e-20"


def test_a_column_shares_one_unit() -> None:
    assert column_text([1e6, -2.5e9, None], "CNY/a", "en") == ("million CNY/a", ["1", "-2,500", "–"])
    assert column_text([], "CNY/a", "zh") == ("元/年", [])
    assert column_text([1500.0], "kNm3", "en") == ("kNm³", ["1,500"])
    assert unit_text("1", "zh") == ""
    assert unit_text("km2", "en") == "km²"
