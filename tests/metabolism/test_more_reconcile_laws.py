"""Laws of reconciliation on seeded random systems: the dense formula, invariances, distributions, smallest sets."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import lsq_linear, minimize
from scipy.stats import chi2

from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.metabolism.reconcile import ReconcileProblem, covariance, gross_errors, reconcile

NAN = np.nan


def correlated(seed, size=7, rows=3):
    """Return a fully measured system with a block of three correlated values, and its dense covariance."""
    generator = np.random.default_rng(seed)
    matrix = generator.integers(-2, 3, (rows, size)).astype(float)
    matrix[np.arange(rows), np.arange(rows)] = 3.0  # independent rows
    truth = generator.uniform(1, 20, size)
    sds = generator.uniform(0.2, 2, size)
    pairs = [(0, 1, 0.4), (1, 2, -0.3), (0, 2, 0.2)]
    spread = np.diag(sds**2)
    for first, second, value in pairs:
        spread[first, second] = spread[second, first] = value * sds[first] * sds[second]
    values = truth + generator.normal(0, 1, size) * sds
    return ReconcileProblem(values, sds, sp.csr_matrix(matrix), matrix @ truth, None, pairs), spread


@pytest.mark.parametrize("seed", range(15))
def test_values_spread_and_tests_are_those_of_the_dense_formula(seed):
    problem, spread = correlated(seed)
    matrix = problem.linear.toarray()
    gain = spread @ matrix.T @ np.linalg.inv(matrix @ spread @ matrix.T)
    gap = matrix @ problem.values - problem.right_side
    joint = spread - gain @ matrix @ spread
    taken = np.sqrt(np.diag(gain @ matrix @ spread))
    found = reconcile(problem)
    np.testing.assert_allclose(found.values, problem.values - gain @ gap, rtol=1e-9)
    np.testing.assert_allclose(covariance(problem, found, np.arange(7)), joint, atol=1e-9)
    np.testing.assert_allclose(found.sds, np.sqrt(np.diag(joint)), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.local_tests, np.abs(gain @ gap) / taken, rtol=1e-6)
    assert found.chi_square == pytest.approx(gap @ np.linalg.solve(matrix @ spread @ matrix.T, gap))
    assert found.dof == 3
    correction = found.values - problem.values
    assert found.chi_square == pytest.approx(correction @ np.linalg.solve(spread, correction))


@pytest.mark.parametrize("seed", range(6))
def test_reconciling_what_is_reconciled_changes_nothing(seed):
    problem, _ = correlated(seed)
    found = reconcile(problem)
    again = reconcile(replace(problem, values=found.values))
    np.testing.assert_allclose(again.values, found.values, rtol=1e-10)
    assert again.chi_square == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(again.sds, found.sds, rtol=1e-9)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("factor", [1e-6, 1e-3, 7.0, 1e6])
def test_the_unit_of_everything_is_free(seed, factor):
    problem, _ = correlated(seed)
    scaled = replace(
        problem, values=factor * problem.values, sds=factor * problem.sds, right=factor * problem.right_side
    )
    first, second = reconcile(problem), reconcile(scaled)
    np.testing.assert_allclose(second.values, factor * first.values, rtol=1e-8)
    np.testing.assert_allclose(second.sds, factor * first.sds, rtol=1e-6)
    assert second.chi_square == pytest.approx(first.chi_square, rel=1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_the_unit_of_one_quantity_is_free(seed):
    """Counting quantity 3 in thousandths: its column shrinks as its value grows."""
    problem, _ = correlated(seed)
    unit = np.ones(7)
    unit[3] = 1000.0
    other = replace(
        problem,
        values=problem.values * unit,
        sds=problem.sds * unit,
        linear=sp.csr_matrix(problem.linear @ sp.diags_array(1 / unit)),
    )
    first, second = reconcile(problem), reconcile(other)
    np.testing.assert_allclose(second.values / unit, first.values, rtol=1e-9)
    np.testing.assert_allclose(second.sds / unit, first.sds, rtol=1e-6)
    np.testing.assert_allclose(second.local_tests, first.local_tests, rtol=1e-6)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("how", ["repeated", "sum", "scaled", "mixed"])
def test_saying_it_differently_changes_nothing(seed, how):
    problem, _ = correlated(seed)
    matrix, right = problem.linear.toarray(), problem.right_side
    change = {
        "repeated": np.vstack([np.eye(3), [[1.0, 0, 0]]]),
        "sum": np.vstack([np.eye(3), [[1.0, 1, -2]]]),
        "scaled": np.diag([1e-4, -3.0, 1e4]),
        "mixed": np.array([[1.0, 2, 0], [0, 1, -1], [0, 0, 1]]),
    }[how]
    first = reconcile(problem)
    second = reconcile(replace(problem, linear=sp.csr_matrix(change @ matrix), right=change @ right))
    np.testing.assert_allclose(second.values, first.values, rtol=1e-8)
    np.testing.assert_allclose(second.sds, first.sds, rtol=1e-6)
    assert second.dof == first.dof == 3
    assert second.chi_square == pytest.approx(first.chi_square, rel=1e-7)


@pytest.mark.parametrize("seed", range(6))
def test_splitting_a_flow_into_two_unmeasured_legs_changes_nothing(seed):
    """A node put into the middle of flow 4, the second leg not measured, is only seen as one more equal flow."""
    problem, _ = correlated(seed)
    matrix = problem.linear.toarray()
    wide = np.zeros((4, 8))
    wide[:3, :7] = matrix
    wide[:3, 7], wide[:3, 4] = matrix[:, 4], 0.0  # what took the flow takes the second leg
    wide[3, 4], wide[3, 7] = 1.0, -1.0
    split = replace(
        problem,
        values=np.append(problem.values, NAN),
        sds=np.append(problem.sds, NAN),
        linear=sp.csr_matrix(wide),
        right=np.append(problem.right_side, 0.0),
    )
    first, second = reconcile(problem), reconcile(split)
    np.testing.assert_allclose(second.values[:7], first.values, rtol=1e-9)
    assert second.values[7] == pytest.approx(first.values[4])
    assert second.sds[7] == pytest.approx(first.sds[4], rel=1e-6)
    assert second.kinds[7] == "observable"
    assert second.chi_square == pytest.approx(first.chi_square)


@pytest.mark.parametrize("seed", range(6))
def test_one_more_measurement_never_widens_and_one_more_relation_never_lowers_chi_square(seed):
    problem, _ = correlated(seed)
    less = replace(problem, linear=problem.linear[:2], right=problem.right_side[:2])
    wide, narrow = reconcile(less), reconcile(problem)
    assert (narrow.sds <= wide.sds + 1e-12).all()
    assert narrow.chi_square >= wide.chi_square - 1e-12
    values, sds = problem.values.copy(), problem.sds.copy()
    values[6] = sds[6] = NAN
    without = reconcile(replace(problem, values=values, sds=sds))
    shown = ~np.isnan(without.sds)
    assert (narrow.sds[shown] <= without.sds[shown] + 1e-9).all()
    assert (narrow.sds <= problem.sds + 1e-12).all()


@pytest.mark.parametrize("seed", range(4))
def test_two_measurements_of_one_flow_are_as_good_as_their_mean(seed):
    """Quantity 5 measured twice equals one measurement with the weighted mean and its uncertainty."""
    problem, _ = correlated(seed)
    other, own = problem.values[5] + 0.7, 0.6
    weight = np.array([problem.sds[5] ** -2, own**-2])
    mean = (weight @ [problem.values[5], other]) / weight.sum()
    twice = replace(
        problem,
        values=np.append(problem.values, other),
        sds=np.append(problem.sds, own),
        linear=sp.csr_matrix(
            np.block([[problem.linear.toarray(), np.zeros((3, 1))], [np.eye(1, 8, 5) - np.eye(1, 8, 7)]])
        ),
        right=np.append(problem.right_side, 0.0),
    )
    values, sds = problem.values.copy(), problem.sds.copy()
    values[5], sds[5] = mean, weight.sum() ** -0.5
    first, second = reconcile(twice), reconcile(replace(problem, values=values, sds=sds))
    np.testing.assert_allclose(first.values[:7], second.values, rtol=1e-9)
    np.testing.assert_allclose(first.sds[:7], second.sds, rtol=1e-6)


def test_chi_square_of_honest_measurements_is_chi_square_distributed():
    """250 seeded draws around one truth, noise as stated: mean, quantiles and the uniform spread of p-values."""
    problem, spread = correlated(3)
    matrix = problem.linear.toarray()
    truth = problem.values - spread @ matrix.T @ np.linalg.solve(
        matrix @ spread @ matrix.T, matrix @ problem.values - problem.right_side
    )
    root = np.linalg.cholesky(spread)
    generator = np.random.default_rng(0)
    found = [reconcile(replace(problem, values=truth + root @ generator.standard_normal(7))) for _ in range(250)]
    squares = np.array([one.chi_square for one in found])
    assert squares.mean() == pytest.approx(3.0, abs=0.6)  # sd of the mean: sqrt(6 / 250) = 0.15
    for level in (0.1, 0.5, 0.9):
        assert (squares < chi2.ppf(level, 3)).mean() == pytest.approx(level, abs=0.1)
    tests = np.array([one.local_tests for one in found])
    assert (tests > 1.96).mean(axis=0) == pytest.approx(np.full(7, 0.05), abs=0.055)
    off = np.array([one.values for one in found]) - truth
    np.testing.assert_allclose(off.std(axis=0), found[0].sds, rtol=0.18)
    np.testing.assert_allclose(off.mean(axis=0), 0, atol=4 * found[0].sds.max() / 250**0.5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("faulty", [3, 4, 5, 6])
def test_a_very_wrong_value_leads_the_list(seed, faulty):
    problem, _ = correlated(seed, rows=4)
    clean = reconcile(replace(problem, correlations=()))
    values = clean.values.copy()
    values[faulty] += 25 * problem.sds[faulty]
    wrong = replace(problem, values=values, correlations=())
    found = reconcile(wrong)
    first = gross_errors(wrong, found, 1)[0]
    assert found.local_tests[faulty] == pytest.approx(np.nanmax(found.local_tests))
    # where another test is as large the two cannot be told apart, and leaving either out heals the rest
    assert first.chi_square == pytest.approx(0.0, abs=1e-6)


# --- unknown flows of small graphs against brute force ---
GRAPHS = {
    "triangle with environment": [(3, 0), (0, 1), (1, 2), (2, 0), (2, 3), (1, 3)],
    "two in parallel": [(2, 0), (0, 1), (0, 1), (1, 2)],
    "bow tie": [(4, 0), (0, 1), (1, 0), (1, 2), (2, 4), (2, 1)],
    "star": [(3, 0), (0, 1), (0, 2), (1, 3), (2, 3), (0, 3)],
    "two apart": [(3, 0), (0, 1), (1, 3), (3, 2), (2, 3)],
}


def balances(name):
    """Return the balance of every node but the environment, the one with the highest number."""
    arcs = GRAPHS[name]
    size = max(max(arc) for arc in arcs)
    matrix = np.zeros((size, len(arcs)))
    for column, (start, end) in enumerate(arcs):
        if end < size:
            matrix[end, column] += 1
        if start < size:
            matrix[start, column] -= 1
    return matrix


def determined(matrix, measured):
    """Say for every flow whether the measured ones fix it, by ranks alone."""
    hidden = [column for column in range(matrix.shape[1]) if column not in measured]
    rank = np.linalg.matrix_rank(matrix[:, hidden]) if hidden else 0
    fixed = set(measured)
    for column in hidden:
        rest = [other for other in hidden if other != column]
        if (np.linalg.matrix_rank(matrix[:, rest]) if rest else 0) == rank - 1:
            fixed.add(column)
    return fixed


@pytest.mark.parametrize("name", GRAPHS)
def test_classes_and_the_smallest_set_by_brute_force(name):
    matrix = balances(name)
    size = matrix.shape[1]
    for count in range(size + 1):
        for measured in combinations(range(size), count):
            values, sds = np.full(size, NAN), np.full(size, NAN)
            values[list(measured)], sds[list(measured)] = 1.0, 0.1
            found = reconcile(ReconcileProblem(values, sds, sp.csr_matrix(matrix)))
            fixed = determined(matrix, measured)
            assert {item for item, kind in enumerate(found.kinds) if kind != "unobservable"} == fixed, measured
            assert found.dof == count - np.linalg.matrix_rank(np.eye(size)[list(measured)] @ null(matrix)), measured
            assert len(determined(matrix, (*measured, *found.missing.tolist()))) == size, measured
            fewer = max(found.missing.size - 1, 0)
            enough = [len(determined(matrix, (*measured, *more))) == size for more in combinations(range(size), fewer)]
            assert found.missing.size == 0 or not any(enough), measured


def null(matrix):
    """Return a basis of the null space."""
    _, sizes, rows = np.linalg.svd(matrix)
    return rows[int((sizes > 1e-9).sum()) :].T


@pytest.mark.parametrize("name", GRAPHS)
def test_twins_are_the_flows_that_one_more_measurement_settles_together(name):
    matrix = balances(name)
    size = matrix.shape[1]
    found = reconcile(ReconcileProblem(np.full(size, NAN), np.full(size, NAN), sp.csr_matrix(matrix)))
    group = {item: frozenset(part.tolist()) for part in found.twins for item in part.tolist()}
    for column in range(size):
        together = frozenset(determined(matrix, (column,)))
        assert group.get(column, frozenset({column})) == together


# --- bounds and products against general optimisers ---
@pytest.mark.parametrize("seed", range(8))
def test_bounds_on_a_parametrised_split_against_bounded_least_squares(seed):
    """in = a + b + c, all kept above 0: without relations it is bounded least squares in (a, b, c)."""
    generator = np.random.default_rng(seed)
    values = np.append(generator.uniform(1, 4), generator.uniform(-3, 3, 3))
    sds = generator.uniform(0.3, 2, 4)
    found = reconcile(
        ReconcileProblem(values, sds, sp.csr_matrix([[1.0, -1, -1, -1]]), lower=np.array([NAN, 0.0, 0.0, 0.0]))
    )
    design = np.vstack([np.ones(3), np.eye(3)]) / sds[:, None]
    peer = lsq_linear(design, values / sds, bounds=(0, np.inf), method="bvls", tol=1e-14)
    np.testing.assert_allclose(found.values[1:], peer.x, atol=1e-7)
    assert found.chi_square == pytest.approx(2 * peer.cost, rel=1e-7, abs=1e-9)
    assert found.at_bound[1:].tolist() == (peer.active_mask == -1).tolist()
    assert found.approximate == bool((peer.active_mask != 0).any())


def test_tighter_bounds_never_fit_better():
    problem = ReconcileProblem(
        np.array([10.0, 4.0, 3.0]), np.ones(3), sp.csr_matrix([[1.0, -1.0, -1.0]]), upper=np.array([NAN, 9.0, NAN])
    )
    before = -1.0
    for cap in (9.0, 5.0, 4.5, 4.0, 3.0, 1.0):
        found = reconcile(replace(problem, upper=np.array([NAN, cap, NAN])))
        assert found.values[1] == pytest.approx(min(cap, 5.0))
        # with a = cap the rest is two equal flows: in - cap = b, each moved by half of 10 - cap - 3
        rest = 7.0 - min(cap, 5.0)
        assert found.chi_square == pytest.approx((min(cap, 5.0) - 4.0) ** 2 + rest * rest / 2)
        assert found.chi_square >= before - 1e-12
        before = found.chi_square


@pytest.mark.parametrize("seed", range(8))
def test_concentrations_and_flows_against_slsqp(seed):
    """Goods in = out1 + out2, substance likewise with m = c x q each, all nine measured."""
    generator = np.random.default_rng(seed)
    flow = np.array([0.0, *generator.uniform(20, 60, 2)])
    flow[0] = flow.sum()
    part = np.array([0.0, *generator.uniform(0.05, 0.4, 2)])
    part[0] = (flow * part).sum() / flow[0]
    truth = np.concatenate([flow, part, flow * part])
    sds = np.abs(truth) * 0.05
    values = truth + generator.standard_normal(9) * sds
    linear = np.zeros((2, 9))
    linear[0, :3] = linear[1, 6:] = [1.0, -1.0, -1.0]
    products = np.array([[6, 3, 0], [7, 4, 1], [8, 5, 2]])
    found = reconcile(ReconcileProblem(values, sds, sp.csr_matrix(linear), None, products))

    def open_relations(z):
        return np.concatenate([linear @ z, z[6:] - z[3:6] * z[:3]]) / 10.0

    peer = minimize(
        lambda u: ((u - values / sds) ** 2).sum(),
        values / sds,
        jac=lambda u: 2 * (u - values / sds),
        constraints={"type": "eq", "fun": lambda u: open_relations(u * sds)},
        method="SLSQP",
        options={"maxiter": 300, "ftol": 1e-15},
    )
    assert np.abs(open_relations(peer.x * sds)).max() < 1e-6
    assert found.convergence.converged
    assert np.abs(open_relations(found.values)).max() < 1e-9
    # Gauss-Newton stops where the relinearised problem stands still: near the optimum, never better than it
    assert found.chi_square >= peer.fun - 1e-6
    np.testing.assert_allclose(found.values, peer.x * sds, rtol=0.01)
    assert found.dof == 5


# --- what cannot be reconciled ---
def refused(problem):
    with pytest.raises(UserError) as caught:
        reconcile(problem)
    return {fault.text.key for fault in caught.value.problems}, str(caught.value)


NAMES = ("ore", "steel", "slag", "dust")
SMELTER = sp.csr_matrix([[1.0, -1, -1, 0], [0.0, 0, 1, -1]])


@pytest.mark.parametrize(
    ("values", "named", "spared"),
    [
        ([10, 7, 4, NAN], ("furnace", "ore", "steel", "slag"), ("mill", "dust")),
        ([10, 7, NAN, 4], ("furnace", "mill", "ore", "steel", "dust"), ("slag",)),
        ([NAN, NAN, 3, 4], ("mill", "slag", "dust"), ("furnace", "ore", "steel")),
    ],
)
def test_exact_flows_that_do_not_add_up_are_named_and_no_others(values, named, spared):
    values = np.array(values, float)
    sds = np.where(np.isnan(values), NAN, 0.0)
    problem = ReconcileProblem(values, sds, SMELTER, names=NAMES, relation_names=("furnace", "mill"))
    keys, text = refused(problem)
    assert keys == {"metabolism.contradiction"}
    assert all(f"“{name}”" in text for name in named)
    assert not any(f"“{name}”" in text for name in spared)
    assert "1" in text


@pytest.mark.parametrize("shares", [(1.0,), (0.5, 2.0), (4.0, 0.5, 0.5)])
def test_a_ring_of_exact_coefficients_with_product_one_is_named(shares):
    """x1 = in + k1 x0, and so on round: the ring gives back all it takes, so nothing may enter."""
    count = len(shares)
    # nodes x_0..x_{n-1}, passed p_i = k_i x_i, shares k_i, inflow
    size = 3 * count + 1
    linear = np.zeros((count, size))
    for node in range(count):
        linear[node, node] = -1.0
        linear[node, count + (node - 1) % count] = 1.0
    linear[0, -1] = 1.0
    values, sds = np.full(size, NAN), np.full(size, NAN)
    values[2 * count : -1], sds[2 * count : -1] = shares, 0.0
    values[-1], sds[-1] = 10.0, 1.0
    products = np.array([[count + node, 2 * count + node, node] for node in range(count)])
    keys, text = refused(ReconcileProblem(values, sds, sp.csr_matrix(linear), None, products))
    assert keys == {"metabolism.exact_loop"}
    assert "products 1" in text


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_ring_that_loses_something_is_fine(share):
    linear = sp.csr_matrix([[-1.0, 1.0, 0.0, 1.0]])
    problem = ReconcileProblem(
        np.array([NAN, NAN, share, 10.0]), np.array([NAN, NAN, 0.0, 1.0]), linear, None, np.array([[1, 2, 0]])
    )
    assert reconcile(problem).values[0] == pytest.approx(10 / (1 - share))
