"""Bounds against a general-purpose optimiser."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import minimize

from cyclopolis.industry.metabolism.reconcile import ReconcileProblem, reconcile

NAN = np.nan


def made(seed):
    """Return a random problem whose unbounded answer is partly negative."""
    generator = np.random.default_rng(seed)
    matrix = generator.integers(-1, 2, (3, 8)).astype(float)
    values = generator.uniform(-2, 3, 8)
    sds = generator.uniform(0.2, 2, 8)
    return ReconcileProblem(values, sds, sp.csr_matrix(matrix), lower=np.zeros(8), upper=np.full(8, 2.5))


@pytest.mark.parametrize("seed", range(12))
def test_bounded_values_are_the_optimum(seed):
    problem = made(seed)
    found = reconcile(problem)
    matrix = problem.linear.toarray()
    peer = minimize(
        lambda z: (((z - problem.values) / problem.sds) ** 2).sum(),
        np.clip(problem.values, 0, 2.5),
        jac=lambda z: 2 * (z - problem.values) / problem.sds**2,
        bounds=[(0, 2.5)] * 8,
        constraints={"type": "eq", "fun": lambda z: matrix @ z, "jac": lambda z: matrix},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-14},
    )
    assert peer.status in {0, 8}  # 8: it cannot improve further in its own arithmetic
    assert np.abs(matrix @ peer.x).max() < 1e-8
    assert found.chi_square == pytest.approx(peer.fun, rel=1e-6, abs=1e-8)
    np.testing.assert_allclose(found.values, peer.x, atol=1e-5)
    assert (found.values > -1e-9).all()
    assert (found.values < 2.5 + 1e-9).all()
    np.testing.assert_allclose(problem.linear @ found.values, 0, atol=1e-9)


def test_bounds_that_do_not_bite_change_nothing():
    base = ReconcileProblem(np.array([100.0, 110.0]), np.array([10.0, 10.0]), sp.csr_matrix([[1.0, -1.0]]))
    bounded = ReconcileProblem(base.values, base.sds, base.linear, lower=np.zeros(2), upper=np.full(2, 500.0))
    free, held = reconcile(base), reconcile(bounded)
    np.testing.assert_array_equal(free.values, held.values)
    np.testing.assert_array_equal(free.sds, held.sds)
    assert not held.approximate


def test_an_unknown_flow_is_kept_from_running_backwards():
    """5 goes in, 7 comes out, an unknown branch leaves: unbounded it would be -2."""
    problem = ReconcileProblem(
        np.array([5.0, 7.0, NAN]), np.array([1.0, 1.0, NAN]), sp.csr_matrix([[1.0, -1.0, -1.0]]), lower=np.zeros(3)
    )
    found = reconcile(problem)
    np.testing.assert_allclose(found.values, [6.0, 6.0, 0.0], atol=1e-9)
    assert found.at_bound.tolist() == [False, False, True]
    assert found.chi_square == pytest.approx(2.0)
    assert found.approximate


def test_bounds_with_correlated_values():
    problem = ReconcileProblem(
        np.array([1.0, -2.0, 0.5]),
        np.array([1.0, 1.0, 1.0]),
        sp.csr_matrix([[1.0, 1.0, -1.0]]),
        correlations=[(0, 1, 0.6)],
        lower=np.zeros(3),
    )
    found = reconcile(problem)
    inverse = np.linalg.inv(np.array([[1, 0.6, 0], [0.6, 1, 0], [0, 0, 1]]))
    peer = minimize(
        lambda z: (z - problem.values) @ inverse @ (z - problem.values),
        np.ones(3),
        bounds=[(0, None)] * 3,
        constraints={"type": "eq", "fun": lambda z: z[0] + z[1] - z[2]},
        method="SLSQP",
        options={"ftol": 1e-14},
    )
    np.testing.assert_allclose(found.values, peer.x, atol=1e-6)
    assert found.chi_square == pytest.approx(peer.fun, rel=1e-7)
