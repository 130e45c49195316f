"""The rules of comparison: what counts, with which width, and what is only text."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.study.verify.compare import compare, width_of


def oks(published, computed, tolerance, check=None):
    return {row.field: row.ok for row in compare(published, check or {}, computed, tolerance)}


@pytest.mark.parametrize(
    ("computed", "tolerance", "ok"),
    [
        (100.0, {"relative": 1e-3}, True),
        (100.0999, {"relative": 1e-3}, True),
        (100.11, {"relative": 1e-3}, False),
        (99.89, {"relative": 1e-3}, False),
        (100.4, {"mass": 0.5}, True),
        (100.6, {"mass": 0.5}, False),
        (100.4, {"absolute": 0.5}, True),
        (100, {"count": 0}, True),
        (101, {"count": 0}, False),
        (None, {"absolute": 1e9}, False),
        (math.nan, {"absolute": 1e9}, False),
        (math.inf, {"absolute": 1e9}, False),
        ("100", {"absolute": 1e9}, False),
        (True, {"absolute": 1e9}, False),
    ],
)
def test_numbers(computed, tolerance, ok):
    assert oks({"x": 100}, {"x": computed}, tolerance) == {"x": ok}


@settings(deadline=None)
@given(st.floats(-1e9, 1e9), st.floats(1e-9, 0.5), st.floats(-2, 2))
def test_relative_width_is_relative(published, width, step):
    computed = published * (1 + step * width)
    found = oks({"x": published}, {"x": computed}, {"relative": width})["x"]
    if abs(step) < 0.999:
        assert found
    elif abs(step) > 1.001 and abs(published) > 1e-3 and width > 1e-6:
        assert not found


def test_the_width_follows_the_field_s_name():
    tolerance = {"relative": 1e-5, "local_test": 2e-4}
    assert width_of(("values", "m1", "1"), 5.0, tolerance) == ("relative", 1e-5)
    assert width_of(("local_test", "m1"), 5.0, tolerance) == ("absolute", 2e-4)
    assert width_of(("ranked_costs", "1", "1"), 5.0, {"cost": 0.01, "flow": 9.0}) == ("absolute", 0.01)
    assert width_of(("q_hot_min",), 5.0, {"duty": 0.01}) == ("absolute", 0.01)
    assert width_of(("number_of_solutions",), 2, {"cost": 5.0}) == ("exact", 0.0)
    assert width_of(("number_of_solutions",), 2, {"count": 0}) == ("exact", 0.0)
    assert width_of(("other",), 5.0, {"cost": 0.01, "flow": 9.0}) == ("absolute", 0.01)


def test_a_number_is_known_to_its_printed_digits():
    assert oks({"x": 0.03768102}, {"x": 0.0376810239}, {"relative": 1e-7})["x"]
    assert not oks({"x": 0.03768102}, {"x": 0.0376810251}, {"relative": 1e-7})["x"]
    assert not oks({"x": 0.5}, {"x": 0.5001}, {"relative": 1e-7})["x"]


def test_texts_are_passed_over_and_trees_are_walked():
    published = {
        "source": "a book of 2004",
        "provenance": "seen",
        "method": "by hand",
        "price_note": "recalled",
        "nothing": None,
        "inner": {"a": 1.0, "list": [1.0, None, 3.0], "flag": True, "word": "reconciled", "free": "anything"},
    }
    computed = {"inner": {"a": 1.0, "list": [1.0, 7.0, 3.5, 9.0], "flag": False, "word": "observable"}}
    assert oks(published, computed, {"absolute": 0.1}) == {
        "inner.a": True,
        "inner.list.1": True,
        "inner.list.3": False,
        "inner.flag": False,
        "inner.word": False,
    }


def test_what_was_not_computed_is_a_miss():
    assert oks({"a": {"b": [1.0, 2.0]}, "c": ["x"]}, {"a": {"b": [1.0]}}, {"absolute": 1}) == {
        "a.b.1": True,
        "a.b.2": False,
        "c": False,
    }


def test_the_check_counts_only_where_nothing_was_published():
    published = {"index": 0.5, "optimum": None, "inner": {"a": 1.0}}
    check = {"index": 9.0, "optimum": {"cost": 3.0}, "inner": {"a": 9.0, "b": 2.0}, "more": 4.0, "method": "LP"}
    computed = {"index": 0.5, "optimum": {"cost": 3.0}, "inner": {"a": 1.0, "b": 2.0}, "more": 5.0}
    rows = {row.field: (row.basis, row.ok) for row in compare(published, check, computed, {"absolute": 0.1})}
    assert rows == {
        "index": ("published", True),
        "inner.a": ("published", True),
        "optimum.cost": ("computed_check", True),
        "inner.b": ("computed_check", True),
        "more": ("computed_check", False),
    }


def test_names_are_sets_and_structures_sets_of_sets():
    assert oks({"units": ["O1", "O2"]}, {"units": ["O2", "O1"]}, {"count": 0})["units"]
    assert not oks({"units": ["O1", "O2"]}, {"units": ["O1"]}, {"count": 0})["units"]
    assert not oks({"units": ["O1"]}, {"units": ["O1", "O2"]}, {"count": 0})["units"]
    many = [["A", "B"], ["C"]]
    assert oks({"s": many}, {"s": [["C"], ["B", "A"]]}, {"count": 0})["s"]
    assert not oks({"s": many}, {"s": [["C"], ["A"]]}, {"count": 0})["s"]
    assert not oks({"s": many}, {"s": None}, {"count": 0})["s"]


def test_ranked_lists_may_go_on():
    published = {"ranked": [[10.0, ["A"]], [12.0, ["B", "A"]]]}
    computed = {"ranked": [[10.0, ["A"]], [12.0, ["A", "B"]], [15.0, ["C"]]]}
    assert all(oks(published, computed, {"cost": 0.01}).values())
    computed["ranked"][1][1] = ["C"]
    assert oks(published, computed, {"cost": 0.01}) == {
        "ranked.1.1": True,
        "ranked.1.2": True,
        "ranked.2.1": True,
        "ranked.2.2": False,
    }
