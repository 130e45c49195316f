"""Empty, tiny and one-sided problems; products in every role; starting values."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from cyclopolis.industry.metabolism.reconcile import ReconcileProblem, covariance, gross_errors, reconcile

NAN = np.nan


def empty(columns):
    return sp.csr_matrix((0, columns))


def product(values, sds, linear=None, **rest):
    """result = factor x of, and whatever else."""
    values = np.array(values, float)
    matrix = empty(values.size) if linear is None else sp.csr_matrix(np.array(linear, float))
    return ReconcileProblem(values, np.array(sds, float), matrix, None, np.array([[0, 1, 2]]), **rest)


def test_nothing_at_all():
    found = reconcile(ReconcileProblem(np.zeros(0), np.zeros(0), empty(0)))
    assert found.values.size == 0
    assert found.kinds == ()
    assert found.dof == 0
    assert found.convergence.converged


def test_measurements_without_relations_are_returned():
    found = reconcile(ReconcileProblem(np.array([3.0, 4.0]), np.array([0.5, 0.0]), empty(2)))
    assert found.values.tolist() == [3.0, 4.0]
    assert found.sds.tolist() == [0.5, 0.0]
    assert found.kinds == ("measured", "constant")
    assert found.chi_square == 0
    assert gross_errors(ReconcileProblem(np.array([3.0, 4.0]), np.array([0.5, 0.0]), empty(2)), found) == ()


def test_nothing_measured_is_nothing_known():
    found = reconcile(ReconcileProblem(np.full(3, NAN), np.full(3, NAN), sp.csr_matrix([[1.0, -1.0, -1.0]])))
    assert found.kinds == ("unobservable",) * 3
    assert np.isnan(found.values).all()
    assert found.missing.size == 2


def test_a_relation_with_a_right_side_alone_determines_its_quantity():
    problem = ReconcileProblem(np.array([NAN]), np.array([NAN]), sp.csr_matrix([[2.0]]), np.array([7.0]))
    found = reconcile(problem)
    assert found.values[0] == 3.5
    assert found.sds[0] == 0
    assert found.kinds == ("observable",)


def test_a_correlated_neighbour_of_a_corrected_value_is_corrected_too():
    problem = ReconcileProblem(
        np.array([10.0, 12.0, 5.0]), np.ones(3), sp.csr_matrix([[1.0, -1.0, 0.0]]), correlations=[(1, 2, 0.5)]
    )
    found = reconcile(problem)
    assert found.kinds == ("reconciled",) * 3
    assert found.values[2] == pytest.approx(5 - 0.5)
    assert found.sds[2] == pytest.approx(np.sqrt(1 - 0.25 / 2))
    joint = covariance(problem, found, np.array([0, 1, 2]))
    assert joint[0, 0] == pytest.approx(joint[0, 1])
    assert joint[2, 2] == pytest.approx(found.sds[2] ** 2)


@pytest.mark.parametrize(
    ("values", "sds", "expected", "kinds"),
    [
        ((NAN, 0.2, 50), (NAN, 0.02, 5), (10, 0.2, 50), ("observable", "measured", "measured")),
        ((10, NAN, 50), (1, NAN, 5), (10, 0.2, 50), ("measured", "observable", "measured")),
        ((10, 0.2, NAN), (1, 0.02, NAN), (10, 0.2, 50), ("measured", "measured", "observable")),
        ((NAN, 0.2, 50), (NAN, 0, 5), (10, 0.2, 50), ("observable", "constant", "measured")),
        ((NAN, 0.2, 50), (NAN, 0, 0), (10, 0.2, 50), ("observable", "constant", "constant")),
        ((10, NAN, 50), (0, NAN, 0), (10, 0.2, 50), ("constant", "observable", "constant")),
        ((10, NAN, NAN), (1, NAN, NAN), (10, NAN, NAN), ("measured", "unobservable", "unobservable")),
    ],
)
def test_each_of_the_three_may_be_the_unknown(values, sds, expected, kinds):
    found = reconcile(product(values, sds))
    np.testing.assert_allclose(found.values, expected, rtol=1e-9)
    assert found.kinds == kinds
    assert found.chi_square == pytest.approx(0, abs=1e-12)


def test_uncertainty_of_a_quotient():
    """factor = result / of: relative variances add up."""
    found = reconcile(product((10, NAN, 50), (1, NAN, 5)))
    assert found.sds[1] == pytest.approx(0.2 * np.sqrt(0.1**2 + 0.1**2), rel=1e-9)


def test_all_three_measured_against_an_optimiser():
    values, sds = np.array([11.0, 0.2, 50.0]), np.array([1.0, 0.02, 4.0])
    found = reconcile(product(values, sds))
    peer = minimize(
        lambda z: (((np.array([z[0] * z[1], z[0], z[1]]) - values) / sds) ** 2).sum(),
        values[1:],
        options={"gtol": 1e-10},
    )
    assert found.chi_square == pytest.approx(peer.fun, rel=1e-4)
    assert found.dof == 1
    assert found.values[0] == pytest.approx(found.values[1] * found.values[2], rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_relative_and_absolute_units_give_the_same(seed):
    """Scaling all flows scales the answer; the coefficient stays."""
    generator = np.random.default_rng(seed)
    values = np.array([NAN, 0.4, 100.0, 61.0]) * generator.uniform(0.9, 1.1, 4)
    sds = np.array([NAN, 0.05, 10.0, 6.0])
    linear = [[-1.0, 0.0, 1.0, -1.0]]
    scale = np.array([1000.0, 1.0, 1000.0, 1000.0])
    first, second = reconcile(product(values, sds, linear)), reconcile(product(values * scale, sds * scale, linear))
    np.testing.assert_allclose(second.values, first.values * scale, rtol=1e-8)
    np.testing.assert_allclose(second.sds, first.sds * scale, rtol=1e-8)
    assert second.chi_square == pytest.approx(first.chi_square, rel=1e-8)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_products_optimum_against_an_optimiser(seed):
    """One plant splits its input by a measured coefficient; both outputs measured."""
    generator = np.random.default_rng(seed)
    share, through = generator.uniform(0.2, 0.8), generator.uniform(50, 200)
    truth = np.array([share * through, share, through, (1 - share) * through])
    sds = truth * 0.05
    values = truth + sds * generator.standard_normal(4)
    found = reconcile(product(values, sds, [[-1.0, 0.0, 1.0, -1.0]]))

    def squares(z):
        whole = np.array([z[0] * z[1], z[0], z[1], (1 - z[0]) * z[1]])
        return (((whole - values) / sds) ** 2).sum()

    peer = minimize(
        squares, truth[1:3], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000}
    )
    assert found.convergence.converged
    assert found.dof == 2
    assert found.chi_square == pytest.approx(peer.fun, rel=5e-3, abs=1e-6)
    assert found.chi_square >= peer.fun - 1e-9


def test_data_that_contradict_each_other_wildly_say_whether_they_converged():
    found = reconcile(product((1.0, 0.9, 1000.0, 5.0), (0.01, 0.01, 1.0, 0.01), [[-1.0, 0.0, 1.0, -1.0]]))
    assert found.convergence.converged == (found.convergence.steps[-1] < 1e-10 and found.convergence.residual < 1e-7)
    assert len(found.convergence.steps) <= 100
    assert found.p_value < 1e-10


def test_names_fall_back_to_numbers():
    problem = ReconcileProblem(np.ones(2), np.ones(2), sp.csr_matrix([[1.0, -1.0]]), None, np.array([[0, 1, 1]]))
    assert problem.name(1) == "1"
    assert problem.relation_name(0) == "linear 1"
    assert problem.relation_name(1) == "products 1"
