"""Draws against one solve each; derivatives against finite differences; draws against their distribution."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, norm, triang

from cyclopolis.industry.metabolism.montecarlo import (
    account_derivatives,
    draw_between,
    linear_spread,
    plan_elimination,
    solve_draws,
)


def recipes(size, seed, density=0.1):
    """Return a park's matrix I - A, columns of A summing below 1."""
    generator = np.random.default_rng(seed)
    needs = generator.random((size, size)) * (generator.random((size, size)) < density)
    needs *= 0.9 / np.maximum(needs.sum(axis=0), 1.0)
    np.fill_diagonal(needs, 0)
    matrix = sp.csc_matrix(np.eye(size) - needs)
    matrix.sort_indices()
    return matrix


def dense(plan, entries):
    """Return the matrices of all draws, (d, n, n)."""
    stack = np.zeros((entries.shape[1], plan.size, plan.size))
    stack[:, plan.rows, plan.columns] = entries.T
    return stack


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 25), st.integers(0, 2**32 - 1), st.floats(0.02, 0.6), st.booleans())
def test_every_draw_is_solved(size, seed, density, one_right):
    matrix = recipes(size, seed, density)
    generator = np.random.default_rng(seed)
    plan = plan_elimination(matrix)
    entries = matrix.data[:, None] * generator.uniform(0.7, 1.3, (matrix.nnz, 90))
    right = generator.uniform(-1, 1, size if one_right else (size, 90))
    found = solve_draws(plan, entries, right)
    wanted = np.broadcast_to(right if not one_right else right[:, None], (size, 90))
    expected = np.linalg.solve(dense(plan, entries), wanted.T[:, :, None])[:, :, 0].T
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9)


def test_the_pattern_comes_back_in_column_order():
    matrix = recipes(12, 3)
    plan = plan_elimination(matrix)
    np.testing.assert_array_equal(plan.rows, matrix.indices)
    np.testing.assert_array_equal(plan.columns, np.repeat(np.arange(12), np.diff(matrix.indptr)))
    assert sorted(plan.places) == sorted(set(plan.places.tolist()))
    assert plan.slots >= matrix.nnz


def test_a_chain_fills_nothing():
    matrix = sp.csc_matrix(sp.diags_array([np.ones(50), -0.5 * np.ones(49)], offsets=[0, 1]))
    assert plan_elimination(matrix).slots == matrix.nnz


def test_a_draw_whose_planned_pivot_vanishes_is_solved_with_another():
    matrix = sp.csc_matrix([[1.0, 0.5], [0.5, 1.0]])
    plan = plan_elimination(matrix)
    entries = np.repeat(matrix.data[:, None], 3, axis=1)
    entries[[0, 3], 1] = 0.0  # the diagonal: only the other diagonal is left
    entries[[0, 3], 2] = 1e-14
    found = solve_draws(plan, entries, np.array([1.0, 2.0]))
    np.testing.assert_allclose(found[:, 1], [4.0, 2.0])
    np.testing.assert_allclose(found[:, 2], [4.0, 2.0], rtol=1e-10)


def test_a_singular_draw_is_nan_and_alone():
    matrix = sp.csc_matrix([[1.0, 0.5], [0.5, 1.0]])
    entries = np.repeat(matrix.data[:, None], 2, axis=1)
    entries[:, 1] = 1.0
    found = solve_draws(plan_elimination(matrix), entries, np.ones(2))
    assert np.isnan(found[:, 1]).all()
    np.testing.assert_allclose(found[:, 0], 2 / 3)


def test_a_singular_typical_matrix_has_no_plan():
    with pytest.raises(ZeroDivisionError):
        plan_elimination(sp.csc_matrix([[1.0, 1.0], [0.0, 0.0]]))


def test_the_number_of_draws_at_once_changes_nothing():
    matrix = recipes(30, 5)
    plan = plan_elimination(matrix)
    entries = matrix.data[:, None] * np.random.default_rng(6).uniform(0.8, 1.2, (matrix.nnz, 20_000))
    right = np.ones(30)
    whole = solve_draws(plan, entries, right)
    np.testing.assert_array_equal(whole[:, :70], solve_draws(plan, entries[:, :70], right))


LOW, MIDDLE, HIGH = np.array([1.0, -4.0]), np.array([2.0, -4.0]), np.array([4.0, 6.0])


def test_draws_follow_their_distribution():
    drawn = draw_between(LOW, MIDDLE, HIGH, 20_000, seed=3)
    for row, low, middle, high in zip(drawn, LOW, MIDDLE, HIGH, strict=True):
        assert kstest(row, triang((middle - low) / (high - low), low, high - low).cdf).pvalue > 0.01
    even = draw_between(LOW, MIDDLE, HIGH, 20_000, seed=4, shape="uniform")
    assert kstest((even[0] - 1) / 3, "uniform").pvalue > 0.01
    bell = draw_between(LOW, MIDDLE, HIGH, 20_000, seed=5, shape="normal")
    assert kstest(bell[0], norm(2, 3 / (2 * 1.959964)).cdf).pvalue > 0.01


def test_the_same_seed_gives_the_same_draws_and_groups_move_together():
    first = draw_between(LOW, MIDDLE, HIGH, 50, seed=7, together=np.array([5, 5]))
    np.testing.assert_array_equal(first, draw_between(LOW, MIDDLE, HIGH, 50, seed=7, together=np.array([5, 5])))
    assert (np.argsort(first[0]) == np.argsort(first[1])).all()
    apart = draw_between(LOW, MIDDLE, HIGH, 5000, seed=7)
    assert abs(np.corrcoef(apart)[0, 1]) < 0.05


def test_a_range_of_nothing_is_its_value():
    point = np.array([3.0])
    np.testing.assert_array_equal(draw_between(point, point, point, 5, seed=0), 3.0)


def test_derivatives_against_differences():
    matrix, right = recipes(8, 11, 0.3), np.arange(1.0, 9)
    weights = sp.csr_matrix(np.random.default_rng(12).uniform(0, 1, (2, 8)))
    accounts, moves = account_derivatives(matrix, right, weights)
    np.testing.assert_allclose(accounts, weights @ np.linalg.solve(matrix.toarray(), right))
    for entry in range(matrix.nnz):
        bent = matrix.copy()
        bent.data[entry] += 1e-6
        moved = weights @ np.linalg.solve(bent.toarray(), right)
        np.testing.assert_allclose((moved - accounts) / 1e-6, moves[:, entry], rtol=1e-4, atol=1e-6)


def test_linear_propagation_and_draws_agree_when_uncertainty_is_small():
    matrix, right = recipes(20, 21), np.ones(20)
    weights = sp.csr_matrix(np.ones((1, 20)))
    _, moves = account_derivatives(matrix, right, weights)
    sds = 0.002 * np.abs(matrix.data)
    linear = linear_spread(sp.csr_matrix(moves), sp.csr_matrix(sp.diags_array(sds**2)))
    span = 1.959963984540054 * sds
    entries = draw_between(matrix.data - span, matrix.data, matrix.data + span, 20_000, seed=1, shape="normal")
    drawn = (weights @ solve_draws(plan_elimination(matrix), entries, right)).std()
    assert drawn == pytest.approx(linear[0], rel=0.02)


def test_linear_spread_knows_correlation():
    weights = sp.csr_matrix([[1.0, -1.0], [1.0, 1.0]])
    joint = sp.csr_matrix([[4.0, 4.0], [4.0, 4.0]])
    np.testing.assert_allclose(linear_spread(weights, joint), [0.0, 4.0])
