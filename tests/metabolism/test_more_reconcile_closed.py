"""Reconciliation of one to four flows, worked out by hand for every class of quantity."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import chi2

from cyclopolis.industry.metabolism.reconcile import ReconcileProblem, covariance, gross_errors, reconcile

NAN = np.nan
EQUAL = [[1.0, -1.0]]
SPLIT = [[1.0, -1.0, -1.0]]
SERIES = [[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]
# in -> A -> (x, y), x -> B -> out1, y -> C -> out2
TREE = [[1.0, -1, -1, 0, 0], [0.0, 1, 0, -1, 0], [0.0, 0, 1, 0, -1]]


def asked(values, sds, linear, **rest):
    return ReconcileProblem(np.array(values, float), np.array(sds, float), sp.csr_matrix(linear), **rest)


def solved(values, sds, linear, **rest):
    return reconcile(asked(values, sds, linear, **rest))


# Two flows that must be equal: the weighted mean m = (a/s² + b/t²) / (1/s² + 1/t²), its variance 1 / (1/s² + 1/t²),
# chi square (a - b)² / (s² + t²).
@pytest.mark.parametrize(
    ("first", "s", "second", "t", "mean", "sd", "squares"),
    [
        (10.0, 1.0, 12.0, 1.0, 11.0, 0.5**0.5, 2.0),
        (10.0, 1.0, 15.0, 2.0, 11.0, 0.8**0.5, 5.0),
        (10.0, 3.0, 20.0, 1.0, 19.0, 0.9**0.5, 10.0),
        (0.0, 3.0, 25.0, 4.0, 9.0, 2.4, 25.0),
        (7.0, 0.5, 7.0, 0.25, 7.0, 0.05**0.5, 0.0),
        (-4.0, 2.0, 4.0, 2.0, 0.0, 2.0**0.5, 8.0),
        (1e9, 1e7, 1.02e9, 1e7, 1.01e9, 1e7 * 0.5**0.5, 2.0),
        (1e-6, 3e-8, 1.05e-6, 4e-8, 1.018e-6, 2.4e-8, 1.0),
    ],
)
def test_two_equal_flows_meet_at_their_weighted_mean(first, s, second, t, mean, sd, squares):
    found = solved([first, second], [s, t], EQUAL)
    assert found.values == pytest.approx([mean, mean], rel=1e-9, abs=1e-12)
    assert found.sds == pytest.approx([sd, sd], rel=1e-9)
    assert found.kinds == ("reconciled", "reconciled")
    assert found.chi_square == pytest.approx(squares, rel=1e-9, abs=1e-12)
    assert found.dof == 1
    assert found.p_value == pytest.approx(chi2.sf(squares, 1), rel=1e-6)
    # both corrections rest on the one contradiction, so both tests are its root
    assert found.local_tests == pytest.approx([squares**0.5] * 2, abs=1e-9)


# in = out1 + out2 with all measured: the gap g = in - out1 - out2 is shared by variance.
@pytest.mark.parametrize(
    ("values", "sds", "expected"),
    [
        ([10.0, 4.0, 3.0], [1.0, 1.0, 1.0], [9.0, 5.0, 4.0]),  # gap 3, a third each
        ([10.0, 4.0, 3.0], [1.0, 2.0, 2.0], [10 - 1 / 3, 4 + 4 / 3, 3 + 4 / 3]),  # gap 3 by 1 : 4 : 4
        ([10.0, 4.0, 9.0], [1.0, 1.0, 2.0], [10.5, 3.5, 7.0]),  # gap -3 by 1 : 1 : 4
        ([10.0, 4.0, 3.0], [0.0, 1.0, 1.0], [10.0, 5.5, 4.5]),  # in exact
        ([10.0, 4.0, 3.0], [1.0, 0.0, 1.0], [8.5, 4.0, 4.5]),  # one outflow exact
        ([10.0, 4.0, 3.0], [0.0, 0.0, 1.0], [10.0, 4.0, 6.0]),  # one corrected, entirely
    ],
)
def test_a_gap_is_shared_by_variance(values, sds, expected):
    found = solved(values, sds, SPLIT)
    assert found.values == pytest.approx(expected)
    assert list(found.kinds) == ["constant" if sd == 0 else "reconciled" for sd in sds]
    gap, total = values[0] - values[1] - values[2], sum(sd * sd for sd in sds)
    assert found.chi_square == pytest.approx(gap * gap / total)
    # variance left: s² - s⁴ / total
    left = [(sd * sd - sd**4 / total) ** 0.5 for sd in sds]
    assert found.sds == pytest.approx(left, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "sds", "linear", "kinds", "expected", "deviation"),
    [
        # one outflow not measured: 10 - 4, sqrt(0.3² + 0.4²)
        ([10, 4, NAN], [0.3, 0.4, NAN], SPLIT, "mmo", [10, 4, 6], [0.3, 0.4, 0.5]),
        # the inflow not measured: 4 + 3
        ([NAN, 4, 3], [NAN, 0.4, 0.3], SPLIT, "omm", [7, 4, 3], [0.5, 0.4, 0.3]),
        # with an exact partner the unknown takes over the one uncertainty
        ([10, 4, NAN], [0, 0.4, NAN], SPLIT, "cmo", [10, 4, 6], [0, 0.4, 0.4]),
        ([10, 4, NAN], [0, 0, NAN], SPLIT, "cco", [10, 4, 6], [0, 0, 0]),
        # two unknowns in one balance: neither can be had, the measured one is left alone
        ([10, NAN, NAN], [0.3, NAN, NAN], SPLIT, "muu", [10, NAN, NAN], [0.3, NAN, NAN]),
        ([NAN, NAN, NAN], [NAN, NAN, NAN], SPLIT, "uuu", [NAN] * 3, [NAN] * 3),
        # a series: one measurement goes all along
        ([5, NAN, NAN], [0.1, NAN, NAN], SERIES, "moo", [5, 5, 5], [0.1, 0.1, 0.1]),
        ([NAN, 5, NAN], [NAN, 0.1, NAN], SERIES, "omo", [5, 5, 5], [0.1, 0.1, 0.1]),
        # both ends of a series measured: the middle is the mean of the two
        ([4, NAN, 6], [1, NAN, 1], SERIES, "ror", [5, 5, 5], [0.5**0.5] * 3),
        ([4, NAN, 4], [0, NAN, 0], SERIES, "coc", [4, 4, 4], [0, 0, 0]),
        # a tree: the two branches by what leaves them
        ([NAN, NAN, NAN, 2, 3], [NAN, NAN, NAN, 0.3, 0.4], TREE, "ooomm", [5, 2, 3, 2, 3], [0.5, 0.3, 0.4, 0.3, 0.4]),
        # only the trunk measured: nothing of the branches
        ([5, NAN, NAN, NAN, NAN], [0.5, NAN, NAN, NAN, NAN], TREE, "muuuu", [5] + [NAN] * 4, [0.5] + [NAN] * 4),
        # a branch twice and the trunk: the branch is reconciled, the trunk as measured, the rest observable
        (
            [9, 4, NAN, 2, NAN],
            [0.5, 1, NAN, 1, NAN],
            TREE,
            "mroro",
            [9, 3, 6, 3, 6],
            [0.5, 0.5**0.5, 0.75**0.5, 0.5**0.5, 0.75**0.5],
        ),
    ],
)
def test_every_class_by_hand(values, sds, linear, kinds, expected, deviation):
    words = {"m": "measured", "o": "observable", "u": "unobservable", "r": "reconciled", "c": "constant"}
    found = solved(values, sds, linear)
    assert list(found.kinds) == [words[letter] for letter in kinds]
    np.testing.assert_allclose(found.values, expected, atol=1e-9)
    np.testing.assert_allclose(found.sds, deviation, atol=1e-9)
    hidden = np.flatnonzero(np.isnan(expected))
    assert (found.missing.size > 0) == (hidden.size > 0)
    assert set(found.missing.tolist()) <= set(hidden.tolist())


def test_local_tests_are_only_for_what_was_corrected():
    found = solved([10.0, 4.0, 3.0, 8.0], [1.0, 1.0, 1.0, 0.5], [[1.0, -1.0, -1.0, 0.0]])
    assert np.isfinite(found.local_tests[:3]).all()
    assert np.isnan(found.local_tests[3])
    assert found.kinds[3] == "measured"
    exact = solved([10.0, 4.0, 3.0], [0.0, 1.0, 1.0], SPLIT)
    assert np.isnan(exact.local_tests[0])


def test_a_mean_of_many_equal_measurements():
    """n measurements of one flow: the plain mean, sd over root n, the textbook sample variance as chi square."""
    values = np.array([9.0, 10.0, 11.0, 12.0, 8.0])
    linear = np.eye(4, 5) - np.eye(4, 5, k=1)
    found = solved(values, np.full(5, 2.0), linear)
    assert found.values == pytest.approx([10.0] * 5)
    assert found.sds == pytest.approx([2.0 / 5**0.5] * 5)
    assert found.chi_square == pytest.approx(((values - 10.0) ** 2).sum() / 4.0)
    assert found.dof == 4


@pytest.mark.parametrize("coefficient", [-0.9, -0.5, 0.0, 0.3, 0.8])
def test_two_correlated_flows_by_hand(coefficient):
    """Best mean of two correlated values (s = 1, t = 2): weights (t² - c) and (s² - c) over s² + t² - 2c."""
    shared = coefficient * 2.0
    below = 1.0 + 4.0 - 2 * shared
    mean = (10.0 * (4.0 - shared) + 15.0 * (1.0 - shared)) / below
    found = solved([10.0, 15.0], [1.0, 2.0], EQUAL, correlations=[(0, 1, coefficient)])
    assert found.values == pytest.approx([mean, mean])
    assert found.sds == pytest.approx([((4.0 - shared**2) / below) ** 0.5] * 2)
    assert found.chi_square == pytest.approx(25.0 / below)


def test_an_unknown_difference_feels_the_correlation():
    """z = x - y with sd 3 and 4: var 25 - 2 r 12."""
    for coefficient in (-0.5, 0.0, 0.5, 0.9):
        found = solved([10.0, 4.0, NAN], [3.0, 4.0, NAN], SPLIT, correlations=[(0, 1, coefficient)])
        assert found.sds[2] == pytest.approx((25.0 - 24.0 * coefficient) ** 0.5)


def test_covariance_of_two_flows_made_equal_is_that_of_one():
    problem = asked([10.0, 15.0, 5.0], [1.0, 2.0, 3.0], [[1.0, -1.0, 0.0]])
    joint = covariance(problem, reconcile(problem), np.array([0, 1, 2]))
    assert joint[:2, :2] == pytest.approx(np.full((2, 2), 0.8))
    assert joint[2] == pytest.approx([0.0, 0.0, 9.0])


def test_covariance_of_a_split_by_hand():
    """Q - Q a a' Q / (a' Q a) with Q = I and a = (1, -1, -1)."""
    problem = asked([10.0, 4.0, 3.0], [1.0, 1.0, 1.0], SPLIT)
    joint = covariance(problem, reconcile(problem), np.array([0, 1, 2]))
    assert joint == pytest.approx(np.array([[2.0, 1, 1], [1, 2, -1], [1, -1, 2]]) / 3)


def test_covariance_of_unknowns_by_hand():
    """y = a - b and z = a: cov(y, z) = var a; what is not determined is NaN and nothing else is."""
    linear = [[1.0, -1, -1, 0, 0, 0], [1.0, 0, 0, -1, 0, 0], [0.0, 0, 0, 0, 1, -1]]
    problem = asked([10, 4, NAN, NAN, NAN, NAN], [0.3, 0.4, NAN, NAN, NAN, NAN], linear)
    joint = covariance(problem, reconcile(problem), np.array([2, 3, 4]))
    assert joint[:2, :2] == pytest.approx(np.array([[0.25, 0.09], [0.09, 0.09]]))
    assert np.isnan(joint[2]).all()
    assert np.isnan(joint[:, 2]).all()


def test_a_right_hand_side_is_a_known_flow():
    """in - out = 3 (put in store): the gap 10 - 5 - 3 = 2 is halved."""
    found = solved([10.0, 5.0], [1.0, 1.0], EQUAL, right=np.array([3.0]))
    assert found.values == pytest.approx([9.0, 6.0])


def test_side_relations_with_any_coefficients():
    """2 x = 3 y: the gap 2·6 - 3·5 = -3 over 4·1 + 9·1 = 13."""
    found = solved([6.0, 5.0], [1.0, 1.0], [[2.0, -3.0]])
    assert found.values == pytest.approx([6 + 2 * 3 / 13, 5 - 3 * 3 / 13])
    assert found.chi_square == pytest.approx(9 / 13)


@pytest.mark.parametrize("faulty", range(6))
@pytest.mark.parametrize("sigmas", [12.0, -12.0])
def test_one_gross_error_in_a_well_measured_net_is_found_first(faulty, sigmas):
    """Flow 6 times measured along a chain: the wrong one leads the list, and without it the rest agrees."""
    linear = np.eye(5, 6) - np.eye(5, 6, k=1)
    noise = np.array([0.3, -0.4, 0.1, 0.5, -0.2, -0.3])
    values = 100.0 + noise
    values[faulty] += sigmas
    problem = asked(values, np.ones(6), linear)
    found = reconcile(problem)
    assert found.p_value < 1e-6
    first, *others = gross_errors(problem, found, 3)
    assert first.index == faulty
    assert first.p_value > 0.5
    assert first.dof == found.dof - 1
    rest = np.delete(values, faulty)
    assert first.value == pytest.approx(rest.mean())
    assert first.sd == pytest.approx(1 / 5**0.5)
    assert all(other.p_value < 1e-4 for other in others)
    tests = [first.local_test, *(other.local_test for other in others)]
    assert tests == sorted(tests, reverse=True)
    # leaving one out lowers chi square by exactly the square of its local test
    assert found.chi_square - first.chi_square == pytest.approx(first.local_test**2)


def test_leaving_out_what_nothing_else_says_leaves_it_unknown():
    problem = asked([10.0, 4.0, 3.0], [1.0, 1.0, 1.0], SPLIT)
    suspect = gross_errors(problem, reconcile(problem), 1)[0]
    assert suspect.dof == 0
    assert np.isnan(suspect.p_value)
    assert suspect.value == pytest.approx({0: 7.0, 1: 7.0, 2: 6.0}[suspect.index])


def test_no_suspects_where_nothing_is_corrected():
    problem = asked([10.0, NAN], [1.0, NAN], EQUAL)
    assert gross_errors(problem, reconcile(problem)) == ()


# --- products: z = factor x of ---
@pytest.mark.parametrize(
    ("values", "sds", "expected", "deviation"),
    [
        # result of two measured: 0.2 · 50, var = (50·0.01)² + (0.2·2)²
        ([NAN, 0.2, 50], [NAN, 0.01, 2], [10, 0.2, 50], [0.41**0.5, 0.01, 2]),
        # the factor from result and flow: 10 / 50, var = (0.5/50)² + (10·2/2500)²
        ([10, NAN, 50], [0.5, NAN, 2], [10, 0.2, 50], [0.5, (1e-4 + 6.4e-5) ** 0.5, 2]),
        # the flow from result and factor: 10 / 0.2, var = (0.5/0.2)² + (10·0.01/0.04)²
        ([10, 0.2, NAN], [0.5, 0.01, NAN], [10, 0.2, 50], [0.5, 0.01, 12.5**0.5]),
        # an exact factor is a linear relation
        ([NAN, 0.2, 50], [NAN, 0, 2], [10, 0.2, 50], [0.4, 0, 2]),
        ([10, 0.2, NAN], [0.5, 0, NAN], [10, 0.2, 50], [0.5, 0, 2.5]),
        ([10, NAN, 50], [0, NAN, 0], [10, 0.2, 50], [0, 0, 0]),
    ],
)
def test_products_with_one_unknown(values, sds, expected, deviation):
    found = solved(values, sds, np.zeros((0, 3)), products=np.array([[0, 1, 2]]))
    assert found.values == pytest.approx(expected)
    assert found.sds == pytest.approx(deviation, abs=1e-12)
    assert found.convergence.converged


def test_an_exact_factor_with_both_flows_measured_is_a_weighted_mean():
    """z = 2 x: the gap 21 - 2·10 = 1 over 1 + 4·0.25 = 2."""
    found = solved([21.0, 2.0, 10.0], [1.0, 0.0, 0.5], np.zeros((0, 3)), products=np.array([[0, 1, 2]]))
    assert found.values == pytest.approx([20.5, 2.0, 10.25])
    assert found.chi_square == pytest.approx(0.5)
    assert found.dof == 1


def test_transfer_coefficients_that_sum_to_one():
    """in = 100 splits 0.3 : rest: the other coefficient and both flows follow, with one shared uncertainty."""
    # in, a, b, ka, kb
    linear = [[1.0, -1, -1, 0, 0], [0.0, 0, 0, 1, 1]]
    found = solved(
        [100, NAN, NAN, 0.3, NAN],
        [0, NAN, NAN, 0.02, NAN],
        linear,
        right=np.array([0.0, 1.0]),
        products=np.array([[1, 3, 0], [2, 4, 0]]),
    )
    assert found.values == pytest.approx([100, 30, 70, 0.3, 0.7])
    assert found.sds == pytest.approx([0, 2, 2, 0.02, 0.02], abs=1e-12)
    assert found.dof == 0


def test_an_unmeasured_loop_with_an_exact_share_is_a_geometric_series():
    """in + back = through, back = k through: through = in / (1 - k), sd likewise."""
    for share in (0.1, 0.5, 0.9, 0.99):
        linear = [[1.0, 1, -1, 0, 0], [0.0, -1, 1, -1, 0]]
        found = solved([100, NAN, NAN, NAN, share], [5, NAN, NAN, NAN, 0], linear, products=np.array([[1, 4, 2]]))
        through = 100 / (1 - share)
        assert found.values == pytest.approx([100, share * through, through, 100, share])
        assert found.sds[1:4] == pytest.approx([5 * share / (1 - share), 5 / (1 - share), 5])
