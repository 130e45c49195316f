"""The sparse parts one by one: elimination, selected inversion, dependent rows, networks at size."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from cyclopolis.industry.metabolism import reconcile_eliminate, reconcile_inverse
from cyclopolis.industry.metabolism.reconcile import ReconcileProblem, reconcile
from cyclopolis.industry.metabolism.reconcile_eliminate import eliminate
from cyclopolis.industry.metabolism.reconcile_hidden import hidden_variances
from cyclopolis.industry.metabolism.reconcile_inverse import entries, selected_inverse
from cyclopolis.industry.metabolism.reconcile_linear import (
    free_motion,
    solve_system,
    solved_spread,
    spread_of_unknowns,
)
from cyclopolis.industry.metabolism.reconcile_solve import (
    combination,
    factorise,
    independent_rows,
    normal_matrix,
    removed_variance,
    solved_squares,
    sound_factor,
)


def network(plants, flows, seed, outside=0.15):
    """Return the balances of a random network, the partner of each flow (-1: the environment), and its sender."""
    generator = np.random.default_rng(seed)
    sender = np.concatenate([np.arange(plants), generator.integers(0, plants, flows - plants)])
    receiver = (sender + generator.integers(1, plants, flows)) % plants
    receiver[generator.random(flows) < outside] = -1
    inside = receiver >= 0
    matrix = sp.csr_matrix(
        (
            np.concatenate([-np.ones(flows), np.ones(inside.sum())]),
            (np.concatenate([sender, receiver[inside]]), np.concatenate([np.arange(flows), np.flatnonzero(inside)])),
        ),
        (plants, flows),
    )
    return matrix, sender, receiver


def bridges(plants, sender, receiver, hidden):
    """Return which hidden flows are the only hidden way between two parts; the environment is one more plant."""
    found = []
    ends = np.where(receiver < 0, plants, receiver)
    for flow in hidden.tolist():
        others = hidden[hidden != flow]
        graph = sp.csr_matrix((np.ones(others.size), (sender[others], ends[others])), (plants + 1, plants + 1))
        _, part = connected_components(graph, directed=False)
        if part[sender[flow]] != part[ends[flow]]:
            found.append(flow)
    return set(found)


@pytest.mark.parametrize("seed", range(6))
def test_a_hidden_flow_of_a_network_is_observable_exactly_when_it_is_a_bridge(seed):
    """Graph theory against the numeric classification."""
    matrix, sender, receiver = network(40, 120, seed)
    generator = np.random.default_rng(seed + 100)
    hidden = np.flatnonzero(generator.random(120) < 0.35)
    values, sds = np.full(120, 5.0), np.ones(120)
    values[hidden] = sds[hidden] = np.nan
    found = reconcile(ReconcileProblem(values, sds, matrix))
    kinds = np.array(found.kinds)
    assert set(np.flatnonzero(kinds == "observable")) == bridges(40, sender, receiver, hidden)
    ends = np.where(receiver < 0, 40, receiver)
    _, part = connected_components(
        sp.csr_matrix((np.ones(hidden.size), (sender[hidden], ends[hidden])), (41, 41)), directed=False
    )
    joined = {index for index in range(120) if index not in set(hidden) and part[sender[index]] != part[ends[index]]}
    assert set(np.flatnonzero(kinds == "reconciled")) == joined
    assert found.dof == part.max()
    assert found.missing.size == hidden.size - (41 - (part.max() + 1))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_elimination_keeps_the_solution_set(seed):
    """The reduced rows are sums of the rows, hold no unknown, and the pivot rows hold no earlier pivot."""
    generator = np.random.default_rng(seed)
    matrix = generator.integers(-2, 3, (5, 7)) * (generator.random((5, 7)) < 0.6).astype(float)
    truth = generator.uniform(-1, 1, 7)
    unknown = generator.random(7) < 0.5
    done = eliminate(sp.csr_matrix(matrix), matrix @ truth, unknown)
    assert not done.reduced.toarray()[:, unknown].any()
    np.testing.assert_allclose(done.reduced @ truth, done.reduced_right, atol=1e-9)
    np.testing.assert_allclose(done.triangle @ truth, done.triangle_right, atol=1e-9)
    assert not np.tril(done.triangle.toarray()[:, done.pivot_columns], -1).any()
    assert set(done.pivot_columns) | set(done.free_columns) == set(np.flatnonzero(unknown))
    rank = np.linalg.matrix_rank(np.vstack([done.triangle.toarray(), done.reduced.toarray()]), tol=1e-9)
    assert rank == np.linalg.matrix_rank(matrix, tol=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [1, 2, 30, 200])
def test_selected_inverse_is_the_inverse_at_the_pattern(seed, size):
    generator = np.random.default_rng(seed)
    base = sp.random_array((size, 3 * size), density=min(1.0, 3 / size), rng=generator, format="csr")
    matrix = sp.csc_matrix(base @ base.T + sp.eye_array(size))
    inverse = selected_inverse(factorise(matrix))
    pattern = matrix.tocoo()
    found = entries(inverse, pattern.row.astype(np.int64), pattern.col.astype(np.int64))
    np.testing.assert_allclose(found, np.linalg.inv(matrix.toarray())[pattern.row, pattern.col], rtol=1e-9, atol=1e-12)


def test_selected_inverse_survives_entries_that_cancel():
    """Fill that is exactly zero is dropped by the factor but needed by the recursion."""
    matrix = np.eye(5) * 4
    matrix[0, 1] = matrix[1, 0] = matrix[0, 2] = matrix[2, 0] = 2.0
    matrix[1, 2] = matrix[2, 1] = 1.0
    matrix[1, 3] = matrix[3, 1] = matrix[2, 4] = matrix[4, 2] = 1.0
    lower = sp.csc_matrix(factorise(sp.csc_matrix(matrix)).L)
    closed = reconcile_inverse._close(lower)
    assert reconcile_inverse._is_closed(closed)
    assert closed.nnz >= lower.nnz
    np.testing.assert_array_equal(closed.toarray(), lower.toarray())
    dropped = sp.csc_matrix(np.array([[1.0, 0, 0], [0.5, 1, 0], [0.5, 0, 1]]))
    assert not reconcile_inverse._is_closed(dropped)
    assert reconcile_inverse._close(dropped).nnz == dropped.nnz + 1


def test_a_pair_outside_the_pattern_is_refused():
    inverse = selected_inverse(factorise(sp.csc_matrix(np.diag([1.0, 2.0, 3.0]))))
    with pytest.raises(KeyError):
        entries(inverse, np.array([0]), np.array([2]))


@pytest.mark.parametrize("correlated", [False, True])
def test_removed_variance_by_selected_inversion_and_by_solving_agree(correlated):
    matrix, _, _ = network(60, 300, 3)
    generator = np.random.default_rng(4)
    sds = generator.uniform(0.1, 10, 300)
    spread = sp.lil_matrix(sp.diags_array(sds**2))
    if correlated:
        for first in range(0, 40, 2):
            spread[first, first + 1] = spread[first + 1, first] = 0.5 * sds[first] * sds[first + 1]
    spread = sp.csr_matrix(spread)
    factor = sound_factor(matrix, spread)
    solved = solved_squares(sp.csc_matrix(matrix @ spread), factor)
    np.testing.assert_allclose(removed_variance(matrix, spread, factor), solved, rtol=1e-9, atol=1e-12)


def test_a_network_without_environment_has_one_balance_too_many():
    matrix, _, _ = network(50, 250, 5, outside=0.0)
    assert sound_factor(matrix, sp.csr_matrix(sp.eye_array(250))) is None
    assert independent_rows(matrix).sum() == 49
    found = reconcile(ReconcileProblem(np.full(250, 3.0), np.ones(250), matrix))
    assert found.dof == 49
    np.testing.assert_allclose(matrix @ found.values, 0, atol=1e-10)


def test_uncertainties_over_twelve_orders_do_not_change_the_rank():
    matrix, _, _ = network(30, 120, 6)
    sds = np.logspace(-6, 6, 120)
    found = reconcile(ReconcileProblem(np.full(120, 5.0), sds, matrix))
    assert found.dof == 30
    size = abs(matrix) @ np.abs(found.values)
    assert (np.abs(matrix @ found.values) < 1e-9 * size).all()


def test_combination_finds_the_rows_that_add_up():
    rows = sp.csr_matrix([[1.0, -1, 0, 0], [0, 1, -1, 0], [0, 0, 1, -1]])
    np.testing.assert_allclose(combination(rows, np.array([2.0, -2, 3, -3])), [2, 0, 3], atol=1e-12)


def test_values_at_the_truth_stay_there_and_noise_shrinks():
    """A network of 2,000 plants: exact data are returned; noisy ones come closer to the truth."""
    matrix, _, _ = network(2000, 10_000, 7)
    generator = np.random.default_rng(8)
    truth = generator.uniform(1, 10, 10_000)
    right = matrix @ truth
    sds = np.full(10_000, 0.3)
    exact = reconcile(ReconcileProblem(truth, sds, matrix, right))
    np.testing.assert_allclose(exact.values, truth, rtol=1e-12)
    assert exact.chi_square == pytest.approx(0, abs=1e-12)
    noisy = reconcile(ReconcileProblem(truth + 0.3 * generator.standard_normal(10_000), sds, matrix, right))
    assert 0.001 < noisy.p_value < 0.999
    error = noisy.values - truth
    assert (error**2).mean() < 0.09
    loose = noisy.sds > 0  # a plant with one flow has it fixed by its balance
    assert loose.mean() > 0.99
    assert (error[loose] / noisy.sds[loose]).std() == pytest.approx(1.0, abs=0.03)
    np.testing.assert_allclose(matrix @ noisy.values, right, atol=1e-9)
    assert (noisy.sds < 0.3).all()


def test_normal_matrix_couples_plants_that_share_a_flow():
    matrix = sp.csr_matrix([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    spread = sp.csr_matrix(np.diag([1.0, 4.0, 9.0]))
    np.testing.assert_array_equal(normal_matrix(matrix, spread).toarray(), [[5.0, -4.0], [-4.0, 13.0]])


def test_a_long_chain_of_unknown_flows_is_determined_from_its_end():
    size = 3000
    matrix = sp.diags_array([np.ones(size), -np.ones(size)], offsets=[0, 1], shape=(size, size + 1), format="csr")
    values, sds = np.full(size + 1, np.nan), np.full(size + 1, np.nan)
    values[0], sds[0] = 7.0, 0.5
    found = reconcile(ReconcileProblem(values, sds, sp.csr_matrix(matrix)))
    np.testing.assert_allclose(found.values, 7.0, rtol=1e-9)
    np.testing.assert_allclose(found.sds, 0.5, rtol=1e-9)
    assert found.kinds[0] == "measured"
    assert set(found.kinds[1:]) == {"observable"}


def test_goods_and_substance_layers_are_reconciled_together():
    """A chain of splitters: flows, concentrations and substance flows; the substance closes where the goods do."""
    steps = 60
    generator = np.random.default_rng(9)
    through = np.cumprod(np.append(1000.0, generator.uniform(0.8, 0.95, steps)))
    goods = np.concatenate([through, through[:-1] - through[1:]])
    share = generator.uniform(0.05, 0.2, goods.size)
    substance = goods * share
    for step in range(steps):  # what leaves sideways takes what the main flow does not carry on
        side = steps + 1 + step
        substance[side] = substance[step] - substance[step + 1]
        share[side] = substance[side] / goods[side]
    count = goods.size
    balance = sp.lil_matrix((steps, count))
    for step in range(steps):
        balance[step, step], balance[step, step + 1], balance[step, steps + 1 + step] = 1, -1, -1
    balance = sp.csr_matrix(balance)
    linear = sp.csr_matrix(sp.block_diag([balance, sp.csr_matrix((0, count)), balance], format="csr"))
    products = np.stack([2 * count + np.arange(count), count + np.arange(count), np.arange(count)], axis=1)
    truth = np.concatenate([goods, share])
    sds = 0.02 * np.abs(truth)
    values = np.concatenate([truth + sds * generator.standard_normal(truth.size), np.full(count, np.nan)])
    found = reconcile(ReconcileProblem(values, np.append(sds, np.full(count, np.nan)), linear, None, products))
    assert found.convergence.converged
    assert found.dof == 2 * steps
    assert 0.001 < found.p_value < 0.999
    product = found.values[count : 2 * count] * found.values[:count]
    np.testing.assert_allclose(found.values[2 * count :], product, rtol=1e-8)
    assert set(found.kinds[2 * count :]) == {"observable"}


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
@pytest.mark.parametrize("correlated", [False, True])
def test_uncertainties_of_many_unknowns_agree_with_solving_for_each(share, correlated):
    matrix, _, _ = network(300, 1200, 31)
    generator = np.random.default_rng(32)
    hidden = generator.random(1200) < share
    sds = np.where(hidden, 0.0, 10.0 ** generator.uniform(-2, 2, 1200))
    spread = sp.lil_matrix(sp.diags_array(sds**2))
    seen = np.flatnonzero(~hidden)[:40]
    for first, second in zip(seen[::2] if correlated else [], seen[1::2], strict=False):
        spread[first, second] = spread[second, first] = -0.3 * sds[first] * sds[second]
    system = solve_system(matrix, np.zeros(300), np.zeros(300), hidden, sp.csr_matrix(spread))
    moving = (free_motion(system) != 0).any(axis=0)
    columns = np.flatnonzero(hidden & ~moving)
    found = hidden_variances(matrix, sp.csr_matrix(spread), system.kept_rows, system.elimination.pivot_columns)
    place = {column: index for index, column in enumerate(system.elimination.pivot_columns.tolist())}
    solved = solved_spread(system, columns)
    assert columns.size > 10
    np.testing.assert_allclose(found[[place[column] for column in columns.tolist()]], solved, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(spread_of_unknowns(system, columns), solved, rtol=1e-5, atol=1e-9)


def test_unknowns_found_from_concentrations_too():
    """Substance flows that no flow measures: coefficients other than 1, relations without a measured value."""
    generator = np.random.default_rng(41)
    goods, _, _ = network(150, 600, 42)
    count = 600
    shares = generator.uniform(0.01, 0.5, count)
    bind = sp.hstack([sp.diags_array(shares), -sp.eye_array(count)])
    matrix = sp.csr_matrix(sp.vstack([sp.hstack([goods, sp.csr_matrix((150, count))]), bind], format="csr"))
    hidden = np.append(generator.random(count) < 0.1, np.ones(count, dtype=bool))
    spread = sp.csr_matrix(sp.diags_array(np.where(hidden, 0.0, generator.uniform(0.1, 3, 2 * count) ** 2)))
    system = solve_system(matrix, np.zeros(750), np.zeros(750), hidden, spread)
    moving = (free_motion(system) != 0).any(axis=0)
    columns = np.flatnonzero(hidden & ~moving)
    assert columns.size > 500
    np.testing.assert_allclose(
        spread_of_unknowns(system, columns), solved_spread(system, columns), rtol=1e-5, atol=1e-9
    )


@pytest.mark.parametrize("seed", range(8))
def test_putting_in_many_unknowns_at_once_is_the_same_elimination(seed, monkeypatch):
    """The same rank, free unknowns as many, and a solution set that holds the truth either way."""
    generator = np.random.default_rng(seed)
    matrix = sp.random_array((40, 60), density=0.06, rng=generator, format="csr")
    matrix.data = generator.integers(1, 4, matrix.nnz) * generator.choice([-1.0, 1.0], matrix.nnz)
    truth, unknown = generator.uniform(-1, 1, 60), generator.random(60) < 0.5
    found = []
    for batch in (1, 10**9):
        monkeypatch.setattr(reconcile_eliminate, "BATCH", batch)
        monkeypatch.setattr(reconcile_eliminate, "BATCH_SHARE", 0.0)
        done = eliminate(sp.csr_matrix(matrix), matrix @ truth, unknown)
        assert not done.reduced.toarray()[:, unknown].any()
        np.testing.assert_allclose(done.reduced @ truth, done.reduced_right, atol=1e-9)
        np.testing.assert_allclose(done.triangle @ truth, done.triangle_right, atol=1e-9)
        assert not np.tril(done.triangle.toarray()[:, done.pivot_columns], -1).any()
        assert np.unique(np.concatenate([done.pivot_rows, done.reduced_rows])).size == 40
        found.append(done)
    first, second = found
    assert first.free_columns.size == second.free_columns.size
    assert np.linalg.matrix_rank(first.reduced.toarray(), tol=1e-9) == np.linalg.matrix_rank(
        second.reduced.toarray(), tol=1e-9
    )
    assert (first.reduced_size >= np.abs(first.reduced_right) - 1e-12).all()
