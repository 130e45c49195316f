"""Targets at, below and above their marks, and every way to be unknown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.library.frameworks import Case, Target, parse_formula
from cyclopolis.rating.judging import MET, NOT_MET, REPORTED, UNKNOWN, judge
from cyclopolis.rating.wording import target_text

NAN = float("nan")


def one(target, value, **values):
    found = judge(target, np.array([value]), {name: np.array([v]) for name, v in values.items()}, "x")
    return int(found.status[0]), str(found.reason[0])


@pytest.mark.parametrize(
    ("op", "below", "at", "above"),
    [
        (">=", NOT_MET, MET, MET),
        (">", NOT_MET, NOT_MET, MET),
        ("<=", MET, MET, NOT_MET),
        ("<", MET, NOT_MET, NOT_MET),
        ("==", NOT_MET, MET, NOT_MET),
    ],
)
def test_comparisons_at_the_mark(op, below, at, above):
    target = Target(op, value=70.0)
    assert [one(target, value)[0] for value in (69.9, 70.0, 70.1)] == [below, at, above]
    assert one(target, NAN) == (UNKNOWN, "missing")


@settings(deadline=None)
@given(st.floats(0.1, 1e6), st.floats(0.1, 1e6))
def test_rounding_of_the_last_digit_never_decides(part, whole):
    value = 100 * part / whole
    mark = 100 / whole * part
    assert one(Target(">=", value=mark), value)[0] == MET
    assert one(Target("<", value=mark), value)[0] == NOT_MET


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_strict_test_is_the_opposite_of_the_inclusive_one(value, mark):
    assert one(Target(">=", value=mark), value)[0] == 1 - one(Target("<", value=mark), value)[0]
    assert one(Target("<=", value=mark), value)[0] == 1 - one(Target(">", value=mark), value)[0]


def test_range_includes_both_ends():
    target = Target("range", minimum=10.0, maximum=15.0)
    assert [one(target, v)[0] for v in (9.9, 10.0, 15.0, 15.1)] == [NOT_MET, MET, MET, NOT_MET]


def test_yes_and_no():
    assert [one(Target("bool", value=1.0), v)[0] for v in (1.0, 0.0, NAN)] == [MET, NOT_MET, UNKNOWN]
    assert [one(Target("bool", value=0.0), v)[0] for v in (1.0, 0.0)] == [NOT_MET, MET]


def test_report_is_never_met():
    assert one(Target("report"), 5.0)[0] == REPORTED
    assert one(Target("report"), NAN)[0] == UNKNOWN


def test_moving_threshold():
    target = Target(">=", value_of=parse_formula("last + 2"))
    assert one(target, 62.0, last=60.0)[0] == MET
    assert one(target, 61.0, last=60.0)[0] == NOT_MET
    assert one(target, 61.0) == (UNKNOWN, "missing")


@pytest.mark.parametrize("op", ["task", "trend", "case_by_case"])
def test_statements_are_unknown_until_stated(op):
    assert one(Target(op), 99.0) == (UNKNOWN, op)
    assert one(Target(op), NAN, **{f"x.{op}": 1.0})[0] == MET
    assert one(Target(op), NAN, **{f"x.{op}": 0.0})[0] == NOT_MET


def test_all_and_any_in_three_values():
    mark, trend = Target(">=", value=90.0), Target("trend")
    either, both = Target("any", parts=(mark, trend)), Target("all", parts=(mark, trend))
    assert one(either, 95.0)[0] == MET
    assert one(either, 80.0) == (UNKNOWN, "trend")
    assert one(either, 80.0, **{"x.trend": 0.0})[0] == NOT_MET
    assert one(both, 95.0) == (UNKNOWN, "trend")
    assert one(both, 80.0)[0] == NOT_MET
    assert one(both, 95.0, **{"x.trend": 1.0})[0] == MET


def test_cases_take_the_first_true_one():
    rising = Case(parse_formula("growth > 0"), Target("<=", value=0.6))
    falling = Case(parse_formula("growth < 0"), Target(">=", value=0.6))
    target = Target("cases", cases=(rising, falling))
    assert one(target, 0.5, growth=3.0)[0] == MET
    assert one(target, 0.5, growth=-3.0)[0] == NOT_MET
    assert one(target, 0.5, growth=0.0) == (UNKNOWN, "no_case")
    assert one(target, 0.5) == (UNKNOWN, "missing")


def test_a_case_of_unknown_truth_does_not_fall_through():
    target = Target(
        "cases",
        cases=(
            Case(parse_formula("wet == 1"), Target(">=", value=90.0)),
            Case(parse_formula("true"), Target(">=", value=10.0)),
        ),
    )
    assert one(target, 50.0)[0] == UNKNOWN
    assert one(target, 50.0, wet=0.0)[0] == MET
    assert one(target, 50.0, wet=1.0)[0] == NOT_MET


def test_cells_are_judged_apart():
    target = Target(
        "cases",
        cases=(
            Case(parse_formula("value > 60"), Target("trend")),
            Case(parse_formula("true"), Target(">=", value=50.0)),
        ),
    )
    found = judge(target, np.array([70.0, 55.0, 40.0, NAN]), {}, "x")
    assert found.status.tolist() == [UNKNOWN, MET, NOT_MET, UNKNOWN]
    assert found.reason.tolist() == ["trend", "", "", "missing"]


@pytest.mark.parametrize(
    ("target", "en", "zh"),
    [
        (Target(">=", value=70.0), "at least 70 %", "不低于 70 %"),
        (Target("range", minimum=10.0, maximum=15.0), "from 10 to 15 %", "10 至 15 %"),
        (Target("bool", value=1.0), "yes", "是"),
        (Target("report"), "reported only", "仅报告"),
        (Target("trend", text="keeps falling", text_zh="持续下降"), "keeps falling", "持续下降"),
        (
            Target("any", parts=(Target("<=", value=25.0), Target("task"))),
            "at most 25 % or the set task is met",
            "不高于 25 %或完成规定任务",
        ),
    ],
)
def test_targets_in_words(target, en, zh):
    assert target_text(target, "%", "en") == en
    assert target_text(target, "%", "zh") == zh
