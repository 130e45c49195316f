"""What cannot be reconciled is refused with the names of what is at fault."""

import numpy as np
import pytest
import scipy.sparse as sp

from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.metabolism.reconcile import ReconcileProblem, reconcile

NAN = np.nan
NAMES = ["in", "out", "back"]
ONE = sp.csr_matrix([[1.0, -1.0, 0.0]])


def refused(problem):
    with pytest.raises(UserError) as caught:
        reconcile(problem)
    for fault in caught.value.problems:
        assert fault.render("en") != fault.render("zh")
    return caught.value


def asked(values, sds, linear=ONE, **rest):
    return ReconcileProblem(np.array(values, float), np.array(sds, float), linear, names=NAMES, **rest)


@pytest.mark.parametrize(
    ("values", "sds", "key", "named"),
    [
        ([1, 2, 3], [1, NAN, 1], "value_without_sd", "out"),
        ([1, NAN, 3], [1, 1, 1], "sd_without_value", "out"),
        ([1, 2, 3], [1, -0.5, 1], "sd_negative", "out"),
        ([1, np.inf, 3], [1, 1, 1], "not_finite", "out"),
        ([1, 2, 3], [1, 1, np.inf], "not_finite", "back"),
    ],
)
def test_values_and_uncertainties(values, sds, key, named):
    error = refused(asked(values, sds))
    assert [fault.text.key for fault in error.problems] == [f"metabolism.{key}"]
    assert f"“{named}”" in str(error)


@pytest.mark.parametrize(
    ("correlations", "key"),
    [
        ([(0, 1, 1.0)], "correlation_range"),
        ([(0, 0, 0.5)], "correlation_range"),
        ([(0, 2, 0.5)], "correlation_unmeasured"),
    ],
)
def test_correlations(correlations, key):
    error = refused(asked([1, 2, NAN], [1, 1, NAN], correlations=correlations))
    assert error.problems[0].text.key == f"metabolism.{key}"


def test_correlations_that_cannot_hold_together():
    error = refused(asked([1, 2, 3], [1, 1, 1], correlations=[(0, 1, 0.9), (1, 2, 0.9), (0, 2, -0.9)]))
    assert error.problems[0].text.key == "metabolism.correlation_impossible"
    assert "in, out, back" in str(error)


def test_all_faults_are_told_at_once():
    assert len(refused(asked([1, NAN, 3], [-1, 1, NAN])).problems) == 3


def test_two_exact_values_that_disagree():
    error = refused(asked([100, 110, NAN], [0, 0, NAN], relation_names=["smelter"]))
    text = str(error)
    assert error.problems[0].text.key == "metabolism.contradiction"
    assert "“smelter”" in text
    assert "“in”, “out”" in text
    assert "10" in text


def test_exact_values_that_agree_are_no_contradiction():
    found = reconcile(asked([100, 100, NAN], [0, 0, NAN]))
    assert found.values[:2].tolist() == [100, 100]
    assert found.dof == 0


def test_exact_values_that_disagree_through_unknown_flows():
    """in -> x -> y -> out with x, y unknown: all three balances are named, the fourth is not."""
    linear = sp.csr_matrix([[1.0, -1, 0, 0, 0, 0], [0, 1, -1, 0, 0, 0], [0, 0, 1, -1, 0, 0], [0, 0, 0, 0, 1, -1]])
    problem = ReconcileProblem(
        np.array([5.0, NAN, NAN, 4.0, 1.0, NAN]),
        np.array([0.0, NAN, NAN, 0.0, 0.5, NAN]),
        linear,
        names=["in", "x", "y", "out", "p", "q"],
        relation_names=["A", "B", "C", "other"],
    )
    text = str(refused(problem))
    assert "“A”, “B”, “C”" in text
    assert "“other”" not in text


def test_relations_that_disagree_whatever_is_measured():
    linear = sp.csr_matrix([[1.0, -1, 0], [2.0, -2, 0], [0, 1, -1]])
    problem = asked([1, 2, 3], [1, 1, 1], linear, right=np.array([0.0, 5.0, 0.0]), relation_names=["A", "B", "C"])
    error = refused(problem)
    assert "“A”, “B”" in str(error)
    assert "“C”" not in str(error)


def loop(values, sds):
    """in + back = through; through = back + out; back = share x through, the share exactly 1."""
    names = ["in", "back", "through", "out", "share"]
    linear = sp.csr_matrix([[1.0, 1, -1, 0, 0], [0, -1, 1, -1, 0]])
    return ReconcileProblem(
        np.array([*values, 1.0]),
        np.array([*sds, 0.0]),
        linear,
        None,
        np.array([[1, 4, 2]]),
        names=names,
        relation_names=["mixer", "splitter", "return"],
    )


@pytest.mark.parametrize(
    ("values", "sds"),
    [
        ((100.0, NAN, NAN, NAN), (5.0, NAN, NAN, NAN)),
        ((100.0, 50.0, 150.0, NAN), (5.0, 5.0, 5.0, NAN)),
        ((NAN, NAN, NAN, NAN), (NAN, NAN, NAN, NAN)),
    ],
    ids=["inflow measured", "all measured", "nothing measured"],
)
def test_a_loop_of_exact_coefficients_that_returns_everything(values, sds):
    error = refused(loop(values, sds))
    assert error.problems[0].text.key == "metabolism.exact_loop"
    assert "“return”" in str(error)


def test_such_a_loop_with_an_exact_inflow_is_a_contradiction():
    error = refused(loop((100.0, NAN, NAN, NAN), (0.0, NAN, NAN, NAN)))
    assert error.problems[0].text.key == "metabolism.contradiction"
    assert "“return”" in str(error)
    assert "“mixer”" in str(error)


def test_a_share_of_exactly_nothing_is_allowed():
    problem = loop((100.0, NAN, NAN, NAN), (5.0, NAN, NAN, NAN))
    values = problem.values.copy()
    values[4] = 0.0
    found = reconcile(ReconcileProblem(values, problem.sds, problem.linear, None, problem.products))
    assert found.values.tolist() == [100.0, 0.0, 100.0, 100.0, 0.0]


def test_bounds_that_cross_or_exclude_an_exact_value():
    lower, upper = np.array([2.0, 0.0, 0.0]), np.array([1.0, 5.0, 5.0])
    error = refused(asked([1, 9, 1], [1, 0, 1], lower=lower, upper=upper))
    assert [fault.text.key for fault in error.problems] == ["metabolism.bounds_crossed", "metabolism.bounds_exact"]


def test_bounds_no_value_can_keep():
    error = refused(asked([10, 12, NAN], [1, 1, NAN], lower=np.array([9.0, NAN, NAN]), upper=np.array([NAN, 2.0, NAN])))
    assert error.problems[0].text.key == "metabolism.bounds_impossible"
