"""The sparse kernel against a dense one that shares nothing with it."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.metabolism.reconcile import ReconcileProblem, covariance, reconcile

CLOSE = 1e-7


def null_space(matrix):
    """Return an orthonormal basis of the null space, (n, k)."""
    if not matrix.size:
        return np.eye(matrix.shape[1])
    _, sizes, right = np.linalg.svd(matrix)
    rank = int((sizes > 1e-9 * max(1.0, sizes.max(initial=0.0))).sum())
    return right[rank:].T


def dense_answer(problem):
    """Solve the linear problem by projections: values, sds, kinds, chi square, degrees of freedom."""
    values, sds = problem.values, problem.sds
    matrix, right = problem.linear.toarray(), problem.right_side
    exact, unknown = sds == 0, np.isnan(values)
    known = ~exact & ~unknown
    right = right - matrix[:, exact] @ values[exact]
    hidden, seen = matrix[:, unknown], matrix[:, known]
    left = null_space(hidden.T).T
    bound, rest = left @ seen, left @ right
    bound[np.abs(bound) < 1e-11] = 0.0
    spread = np.diag(sds[known] ** 2)
    for first, second, coefficient in problem.correlations:
        spots = np.searchsorted(np.flatnonzero(known), [first, second])
        spread[spots[0], spots[1]] = spread[spots[1], spots[0]] = coefficient * sds[first] * sds[second]
    normal = np.linalg.pinv(bound @ spread @ bound.T, rcond=1e-10)
    gap = bound @ values[known] - rest
    fitted = values[known] - spread @ bound.T @ normal @ gap
    consistent = np.allclose(bound @ fitted, rest, atol=1e-6)
    joint = spread - spread @ bound.T @ normal @ bound @ spread
    inverse = np.linalg.pinv(hidden)
    free = null_space(hidden)
    kinds = np.full(values.size, "constant", dtype=object)
    kinds[known] = np.where((np.abs(bound @ spread) > 1e-9).any(axis=0), "reconciled", "measured")
    kinds[unknown] = np.where((np.abs(free) > 1e-7).any(axis=1), "unobservable", "observable")
    found, deviation = values.copy(), np.zeros(values.size)
    found[known], deviation[known] = fitted, np.sqrt(np.maximum(np.diag(joint), 0))
    found[unknown] = inverse @ (right - seen @ fitted)
    deviation[unknown] = np.sqrt(np.maximum(np.diag(inverse @ seen @ joint @ seen.T @ inverse.T), 0))
    lost = kinds == "unobservable"
    found[lost] = deviation[lost] = np.nan
    rank = int(np.linalg.matrix_rank(bound, tol=1e-9)) if bound.size else 0
    return found, deviation, kinds.tolist(), float(gap @ normal @ gap), rank, consistent, free.shape[1]


@st.composite
def problems(draw):
    """Draw a small system: whole coefficients, some rows dependent, some quantities exact, some not measured."""
    seed = draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(2, 9))
    matrix = generator.integers(-2, 3, (rows, columns)) * (generator.random((rows, columns)) < 0.6)
    if draw(st.booleans()):
        matrix = np.vstack([matrix, matrix.sum(axis=0)])
    truth = generator.uniform(-5, 5, columns).round(2)
    role = generator.choice(3, columns, p=[0.5, 0.35, 0.15])
    sds = np.choose(role, [generator.uniform(0.1, 2, columns), np.nan, 0.0])
    noise = np.where(role == 0, generator.standard_normal(columns), 0.0)
    values = np.where(role == 1, np.nan, truth + noise * np.nan_to_num(sds))
    known = np.flatnonzero(role == 0)
    correlations = [(int(known[0]), int(known[1]), 0.4)] if known.size > 1 and draw(st.booleans()) else []
    return ReconcileProblem(values, sds, sp.csr_matrix(matrix.astype(float)), matrix @ truth, None, correlations)


@settings(max_examples=150, deadline=None)
@given(problems())
def test_the_sparse_kernel_agrees_with_the_dense_one(problem):
    expected, deviation, kinds, squares, rank, consistent, lost = dense_answer(problem)
    assert consistent  # the right-hand sides were made from one truth, so there is always an answer
    found = reconcile(problem)
    assert list(found.kinds) == kinds
    np.testing.assert_allclose(found.values, expected, rtol=CLOSE, atol=CLOSE)
    np.testing.assert_allclose(found.sds, deviation, rtol=1e-5, atol=1e-5)
    assert found.chi_square == pytest.approx(squares, rel=1e-6, abs=1e-7)
    assert found.dof == rank
    assert found.missing.size == lost
    assert found.convergence.residual < 1e-9


@settings(max_examples=60, deadline=None)
@given(problems())
def test_measuring_the_missing_set_determines_everything_and_nothing_smaller_does(problem):
    found = reconcile(problem)
    if not found.missing.size:
        return
    values, sds = problem.values.copy(), problem.sds.copy()
    values[found.missing], sds[found.missing] = 1.0, 0.5
    again = reconcile(ReconcileProblem(values, sds, problem.linear, problem.right))
    assert "unobservable" not in again.kinds
    values[found.missing[0]] = sds[found.missing[0]] = np.nan
    assert "unobservable" in reconcile(ReconcileProblem(values, sds, problem.linear, problem.right)).kinds


@settings(max_examples=60, deadline=None)
@given(problems())
def test_measuring_one_twin_determines_its_whole_group(problem):
    found = reconcile(problem)
    for group in found.twins:
        values, sds = problem.values.copy(), problem.sds.copy()
        values[group[0]], sds[group[0]] = 1.0, 0.5
        again = reconcile(ReconcileProblem(values, sds, problem.linear, problem.right))
        assert not {again.kinds[item] for item in group.tolist()} & {"unobservable"}


@settings(max_examples=60, deadline=None)
@given(problems(), st.integers(0, 2**32 - 1))
def test_the_order_of_rows_and_quantities_changes_nothing(problem, seed):
    generator = np.random.default_rng(seed)
    rows = generator.permutation(problem.linear.shape[0])
    columns = generator.permutation(problem.values.size)
    place = np.argsort(columns)
    moved = ReconcileProblem(
        problem.values[columns],
        problem.sds[columns],
        sp.csr_matrix(problem.linear[rows][:, columns]),
        problem.right_side[rows],
        None,
        [(int(place[first]), int(place[second]), value) for first, second, value in problem.correlations],
    )
    first, second = reconcile(problem), reconcile(moved)
    np.testing.assert_allclose(second.values, first.values[columns], rtol=CLOSE, atol=CLOSE)
    np.testing.assert_allclose(second.sds, first.sds[columns], rtol=1e-5, atol=1e-5)
    assert [first.kinds[item] for item in columns.tolist()] == list(second.kinds)


@settings(max_examples=40, deadline=None)
@given(problems())
def test_the_covariance_has_the_variances_on_its_diagonal_and_obeys_the_relations(problem):
    found = reconcile(problem)
    everything = np.arange(problem.values.size)
    joint = covariance(problem, found, everything)
    np.testing.assert_allclose(np.sqrt(np.maximum(np.diag(joint), 0)), found.sds, rtol=1e-5, atol=1e-5)
    shown = ~np.isnan(found.values)
    whole = abs(problem.linear) @ (~shown).astype(float) == 0
    moved = problem.linear.toarray()[whole][:, shown] @ joint[np.ix_(shown, shown)]
    np.testing.assert_allclose(moved, 0, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(problems(), st.floats(0.5, 50))
def test_exact_values_that_disagree_are_refused_by_name(problem, gap):
    """Add one more exact quantity and say twice, with different sums, what it is."""
    size = problem.values.size
    wide = sp.hstack([problem.linear, sp.csr_matrix((problem.linear.shape[0], 1))])
    pick = np.zeros((2, size + 1))
    pick[:, size] = 1.0
    doubled = ReconcileProblem(
        np.append(problem.values, np.nan),
        np.append(problem.sds, np.nan),
        sp.csr_matrix(sp.vstack([wide, sp.csr_matrix(pick)])),
        np.concatenate([problem.right_side, [7.0, 7.0 + gap]]),
        relation_names=[f"row {k}" for k in range(problem.linear.shape[0])] + ["first word", "second word"],
    )
    with pytest.raises(UserError) as caught:
        reconcile(doubled)
    text = str(caught.value)
    assert "first word" in text
    assert "second word" in text
    assert "“row " not in text
