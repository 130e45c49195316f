"""Reconcile measured flows, coefficients and concentrations with the relations they must satisfy.

The kernel works on numbered quantities; whoever calls it keeps the names. A verification case maps onto it so: a
quantity without value gets NaN, ``sd: 0`` is an exact value, ``half_width`` divided by 1.96 an uncertainty; each entry
of ``linear`` is a row of ``linear``; each entry of ``products`` a row ``(result, factor, of)`` of ``products``; each of
``correlations`` one ``(first, second, coefficient)``.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import chi2

from cyclopolis.industry.metabolism.reconcile_bounds import active_bounds
from cyclopolis.industry.metabolism.reconcile_linear import (
    LinearSystem,
    covariance_between,
    free_motion,
    linearise,
    measured_values,
    solve_system,
    spread_of_unknowns,
    twin_groups,
    values_of_unknowns,
)
from cyclopolis.industry.metabolism.reconcile_problem import (
    Convergence,
    Kind,
    Reconciled,
    ReconcileProblem,
    Suspect,
    bounds_of,
    check_problem,
    covariance_of,
)
from cyclopolis.industry.metabolism.reconcile_refuse import refuse_contradiction, refuse_loop
from cyclopolis.industry.metabolism.reconcile_solve import removed_variance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

STEP = 1e-10
ITERATIONS = 100
HALF = 0.5
EXACTLY = 1e-7
ROUNDING = 1e-13

__all__ = ["Convergence", "ReconcileProblem", "Reconciled", "Suspect", "covariance", "gross_errors", "reconcile"]


@dataclass(frozen=True)
class _Point:
    """One pass of the iteration: the relations at a point, and the values they lead to."""

    system: LinearSystem
    relations: tuple[sp.csr_matrix, Floats, Floats]
    values: Floats
    chi_square: float
    motion: Floats
    at_bound: Bools


def _pass(problem: ReconcileProblem, spread: sp.csr_matrix, point: Floats, rows: Bools | None = None) -> _Point:
    """Linearise at a point and solve; ``rows`` leaves out products that have no starting values yet."""
    exact, unknown = problem.sds == 0, np.isnan(problem.values)
    products = problem.product_rows if rows is None else problem.product_rows[rows]
    relations = linearise(problem.linear, problem.right_side, products, exact, np.nan_to_num(point))
    system = solve_system(*relations, unknown, spread)
    values, chi_square = _values(problem, system, point)
    at_bound = np.zeros(unknown.size, dtype=bool)
    if problem.lower is not None or problem.upper is not None:
        system, values, chi_square, at_bound = _within_bounds(
            problem, spread, point, relations, (system, values, chi_square)
        )
    return _Point(system, relations, values, chi_square, free_motion(system), at_bound)


def _values(problem: ReconcileProblem, system: LinearSystem, point: Floats) -> tuple[Floats, float]:
    """Return all values at the solution of a linear system; free unknowns keep their current value."""
    unknown, exact = np.isnan(problem.values), problem.sds == 0
    start = np.where(unknown | exact, 0.0, problem.values)
    values, chi_square = measured_values(system, start)
    values = values_of_unknowns(system, np.where(unknown, np.nan_to_num(point), values))
    return np.where(exact, problem.values, values), chi_square


def _within_bounds(
    problem: ReconcileProblem,
    spread: sp.csr_matrix,
    point: Floats,
    relations: tuple[sp.csr_matrix, Floats, Floats],
    found: tuple[LinearSystem, Floats, float],
) -> tuple[LinearSystem, Floats, float, Bools]:
    """Hold at their bound the values that would leave it, each as one more exact relation."""
    system, values, chi_square = found
    exact, unknown = problem.sds == 0, np.isnan(problem.values)
    lower, upper = bounds_of(problem)
    moving = (free_motion(system) != 0).any(axis=0)
    slack = 1e-9 * np.maximum(1.0, np.abs(values))
    if system.conflicts or not ((values < lower - slack) | (values > upper + slack))[~exact & ~moving].any():
        return system, values, chi_square, np.zeros(exact.size, dtype=bool)
    matrix, right, size = relations
    low, high = active_bounds(
        matrix,
        right,
        np.where(exact | unknown, 0.0, problem.values),
        spread,
        np.where(exact, 0.0, lower),
        np.where(exact, 0.0, upper),
        np.where(exact, 0.0, values),
    )
    low, high = low & ~exact, high & ~exact
    held = np.flatnonzero(low | high)
    limits = np.where(low, lower, upper)[held]
    picks = sp.csr_matrix((np.ones(held.size), (np.arange(held.size), held)), (held.size, exact.size))
    system = solve_system(
        sp.csr_matrix(sp.vstack([matrix, picks], format="csr")),
        np.append(right, limits),
        np.append(size, np.abs(limits)),
        unknown,
        spread,
    )
    return system, *_values(problem, system, point), low | high


def _start(problem: ReconcileProblem, spread: sp.csr_matrix) -> Floats:
    """Return starting values: what is measured, what relations and known products give, then the median or a half."""
    point = problem.values.copy()
    products = problem.product_rows
    result, factor, of = products.T
    while True:
        before = int(np.isnan(point).sum())
        usable = ~np.isnan(point[factor]) & ~np.isnan(point[of])
        usable |= (problem.sds[factor] == 0) | (problem.sds[of] == 0)
        found = _pass(replace(problem, lower=None, upper=None), spread, point, usable)
        known = np.isnan(point) & ~(found.motion != 0).any(axis=0)
        point[known] = found.values[known]
        for target, other in ((factor, of), (of, factor)):
            ready = np.isnan(point[target]) & ~np.isnan(point[result]) & (np.nan_to_num(point[other]) != 0)
            point[target[ready]] = point[result[ready]] / point[other[ready]]
        if int(np.isnan(point).sum()) in {0, before}:
            break
    sizes = np.abs(problem.values[~np.isnan(problem.values) & (problem.values != 0)])
    middle = float(np.median(sizes)) if sizes.size else 1.0
    guess = np.where(np.isin(np.arange(point.size), factor), HALF, middle)
    return np.where(np.isnan(point), guess, point)


def _iterate(problem: ReconcileProblem, spread: sp.csr_matrix) -> tuple[_Point, tuple[float, ...]]:
    """Relinearise until the determined values stand still."""
    exact = problem.sds == 0
    products = problem.product_rows
    if not (products.size and (~exact[products[:, 1]] & ~exact[products[:, 2]]).any()):
        return _pass(problem, spread, problem.values), (0.0,)
    point = _start(problem, spread)
    floor = np.nan_to_num(problem.sds)
    steps: list[float] = []
    for _ in range(ITERATIONS):
        found = _pass(problem, spread, point)
        still = ~(found.motion != 0).any(axis=0)
        scale = np.maximum(np.maximum(np.abs(found.values), floor), 1e-6 * np.abs(found.values).max())
        steps.append(float((np.abs(found.values - point) / np.where(scale > 0, scale, 1.0))[still].max(initial=0.0)))
        point = found.values
        if steps[-1] < STEP:
            break
    return _pass(problem, spread, point), tuple(steps)


def _residual(problem: ReconcileProblem, values: Floats, determined: Bools) -> float:
    """Return the largest relation left open, relative to its terms, among those wholly determined."""
    terms = abs(problem.linear)
    sums = np.abs(problem.linear @ values - problem.right_side)
    sizes = terms @ np.abs(values) + np.abs(problem.right_side)
    whole = terms @ (~determined).astype(float) == 0
    result, factor, of = problem.product_rows.T
    sums = np.append(sums, np.abs(values[result] - values[factor] * values[of]))
    sizes = np.append(sizes, np.abs(values[result]) + np.abs(values[factor] * values[of]))
    whole = np.append(whole, determined[result] & determined[factor] & determined[of]) & (sizes > 0)
    return float((sums[whole] / sizes[whole]).max(initial=0.0))


def _kinds(problem: ReconcileProblem, bound: Bools, moving: Bools) -> tuple[Kind, ...]:
    """Classify every quantity."""
    choices: tuple[Kind, ...] = ("constant", "unobservable", "observable", "reconciled", "measured")
    unknown = np.isnan(problem.values)
    code = np.where(bound, 3, 4)
    code = np.where(unknown, np.where(moving, 1, 2), code)
    return tuple(choices[item] for item in np.where(problem.sds == 0, 0, code).tolist())


def reconcile(problem: ReconcileProblem) -> Reconciled:
    """Return the values nearest to the measured ones (in units of their uncertainty) that satisfy all relations.

    Parameters
    ----------
    problem : ReconcileProblem

    Returns
    -------
    Reconciled

    Raises
    ------
    UserError
        For impossible input, exact values that contradict each other, a loop of exact coefficients that sums to 1, or
        bounds that cannot be kept.

    Notes
    -----
    Weighted least squares with the relations as side conditions; products by Gauss-Newton iteration (Cencic, O. (2016)
    Nonlinear data reconciliation in material flow analysis with software STAN. Sustainable Environment Research 26,
    291-298). Classification after elimination of the unknowns (Crowe et al. 1983). Local test: VDI 2048 sheet 1.

    Examples
    --------
    What goes into a process, 100 +- 10, must come out of it, 110 +- 10:

    >>> balance = sp.csr_matrix([[1.0, -1.0]])
    >>> found = reconcile(ReconcileProblem(np.array([100.0, 110.0]), np.array([10.0, 10.0]), balance))
    >>> found.values.round(6).tolist(), found.sds.round(6).tolist(), round(found.chi_square, 6)
    ([105.0, 105.0], [7.071068, 7.071068], 0.5)
    """
    check_problem(problem)
    spread = covariance_of(problem)
    found, steps = _iterate(problem, spread)
    system, exact, unknown = found.system, problem.sds == 0, np.isnan(problem.values)
    _refuse(problem, found)
    moving = (found.motion != 0).any(axis=0)
    bound = np.diff(sp.csc_matrix(system.relations @ spread).indptr) > 0
    removed = removed_variance(system.relations, spread, system.factor) if system.factor else np.zeros(exact.size)
    variance = spread.diagonal() - removed
    variance = np.where(variance > ROUNDING * spread.diagonal(), variance, 0.0)
    shown = np.flatnonzero(unknown & ~moving)
    variance[shown] = spread_of_unknowns(system, shown)
    _refuse_loops(problem, found, variance, moving)
    corrected = bound & (removed > 0)
    tests = np.full(exact.size, np.nan)
    tests[corrected] = np.abs(problem.values - found.values)[corrected] / np.sqrt(removed[corrected])
    dof = system.relations.shape[0] - int(found.at_bound[~unknown].sum())
    residual = _residual(problem, found.values, ~moving)
    return Reconciled(
        np.where(moving, np.nan, found.values),
        np.where(moving, np.nan, np.sqrt(variance)),
        _kinds(problem, bound, moving),
        found.chi_square,
        dof,
        float(chi2.sf(found.chi_square, dof)) if dof > 0 else float("nan"),
        tests,
        system.elimination.free_columns,
        twin_groups(found.motion),
        found.at_bound,
        Convergence(steps[-1] < STEP and residual < EXACTLY, steps, residual),
        system,
    )


def _refuse(problem: ReconcileProblem, found: _Point) -> None:
    """Raise the error for relations that no value can satisfy."""
    if found.at_bound.any() or not found.system.conflicts:
        return
    matrix, right, _ = found.relations
    exact = problem.sds == 0
    result, factor, of = problem.product_rows.T
    rows = np.tile(np.arange(result.size), 3)
    products = sp.csr_matrix(
        (np.ones(3 * result.size), (rows, np.concatenate([result, factor, of]))), (result.size, exact.size)
    )
    held = sp.csr_matrix(sp.vstack([problem.linear, products], format="csr") @ sp.diags_array(exact.astype(float)))
    held.eliminate_zeros()
    refuse_contradiction(problem, (matrix, right), np.isnan(problem.values), found.system.conflicts, held)


def _refuse_loops(problem: ReconcileProblem, found: _Point, variance: Floats, moving: Bools) -> None:
    """Look for quantities that exact relations alone hold at 0."""
    unknown, exact = np.isnan(problem.values), problem.sds == 0
    size = np.where(unknown | exact, np.abs(found.values).max(initial=0.0), problem.sds)
    flat = (np.sqrt(variance) <= EXACTLY * size) & (np.abs(found.values) <= EXACTLY * size)
    refuse_loop(problem, found.relations, np.flatnonzero(flat & ~exact & ~moving & ~found.at_bound), exact)


def covariance(problem: ReconcileProblem, found: Reconciled, quantities: Ints) -> Floats:
    """Return the covariance matrix of some reconciled quantities.

    Parameters
    ----------
    problem : ReconcileProblem
    found : Reconciled
        Its result.
    quantities : (k,) int array

    Returns
    -------
    (k, k) array
        NaN in the rows and columns of unobservable quantities.

    Examples
    --------
    >>> asked = ReconcileProblem(np.array([100.0, 110.0]), np.array([10.0, 10.0]), sp.csr_matrix([[1.0, -1.0]]))
    >>> covariance(asked, reconcile(asked), np.array([0, 1])).round(6).tolist()
    [[50.0, 50.0], [50.0, 50.0]]
    """
    shown = np.flatnonzero(~np.isnan(found.values[quantities]))
    joint = np.full((quantities.size, quantities.size), np.nan)
    joint[np.ix_(shown, shown)] = covariance_between(found.system, quantities[shown], np.isnan(problem.values))
    return joint


def gross_errors(problem: ReconcileProblem, found: Reconciled, count: int = 5) -> tuple[Suspect, ...]:
    """Rank the measurements by their local test and reconcile again without each of the first.

    Parameters
    ----------
    problem : ReconcileProblem
    found : Reconciled
        Its result.
    count : int
        How many measurements to leave out, one at a time.

    Returns
    -------
    tuple of Suspect
        The largest local test first.

    Examples
    --------
    >>> asked = ReconcileProblem(np.array([100.0, 160.0, 101.0]), np.array([5.0, 5.0, 5.0]),
    ...                          sp.csr_matrix([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]))
    >>> first = gross_errors(asked, reconcile(asked), 1)[0]
    >>> first.index, round(first.value, 6), round(first.chi_square, 6)
    (1, 100.5, 0.02)
    """
    tested = np.flatnonzero(~np.isnan(found.local_tests))
    order = tested[np.argsort(-found.local_tests[tested], kind="stable")][:count]
    return tuple(_without(problem, found, int(index)) for index in order)


def _without(problem: ReconcileProblem, found: Reconciled, index: int) -> Suspect:
    """Reconcile without one measurement."""
    values, sds = problem.values.copy(), problem.sds.copy()
    values[index] = sds[index] = np.nan
    kept = [item for item in problem.correlations if index not in item[:2]]
    again = reconcile(replace(problem, values=values, sds=sds, correlations=kept))
    shift = np.nan_to_num(again.values - found.values)
    unit = np.where(np.nan_to_num(found.sds) > 0, np.nan_to_num(found.sds), np.inf)
    moved = np.abs(shift) / unit
    changed = np.flatnonzero(moved > 0.1)
    changed = changed[np.argsort(-moved[changed], kind="stable")]
    return Suspect(
        index,
        float(found.local_tests[index]),
        again.chi_square,
        again.dof,
        again.p_value,
        float(again.values[index]),
        float(again.sds[index]),
        changed,
        shift[changed],
    )
