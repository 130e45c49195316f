"""The relations at a point, split into what binds measured values and what yields the unknowns."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import SuperLU, splu

from cyclopolis.industry.metabolism.reconcile_eliminate import Elimination, eliminate
from cyclopolis.industry.metabolism.reconcile_hidden import hidden_variances
from cyclopolis.industry.metabolism.reconcile_solve import (
    factorise,
    independent_rows,
    nearest,
    normal_matrix,
    sound_factor,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONFLICT = 1e-9
BLOCK_BYTES = 200_000_000
MANY = 200
CHECKED = 16
AGREED = 1e-6


@dataclass(frozen=True)
class Conflict:
    """Reduced relations that add up to ``0 = gap``.

    Parameters
    ----------
    rows : int array
        Rows of the elimination's ``reduced``.
    weights : array
        What each is multiplied by.
    gap : float
        What is left.
    """

    rows: Ints
    weights: Floats
    gap: float


@dataclass(frozen=True)
class LinearSystem:
    """Linear relations after elimination of the unknowns.

    Parameters
    ----------
    relations : (r, n) csr matrix
        Independent relations among measured values.
    right : (r,) array
    covariance : (n, n) csr matrix
        Of the measured values.
    factor : SuperLU or None
        Of ``relations @ covariance @ relations.T``; None when there is no relation.
    elimination : Elimination
    matrix : (m, n) csr matrix
        The relations before elimination.
    kept_rows : int array
        Independent ones among them.
    triangle_factor : SuperLU or None
        Of the elimination's pivot columns; None when nothing was eliminated.
    conflicts : tuple of Conflict
        Relations no value can satisfy.
    """

    relations: sp.csr_matrix
    right: Floats
    covariance: sp.csr_matrix
    factor: SuperLU | None
    elimination: Elimination
    matrix: sp.csr_matrix
    kept_rows: Ints
    triangle_factor: SuperLU | None
    conflicts: tuple[Conflict, ...]


def linearise(
    linear: sp.csr_matrix, right: Floats, products: Ints, exact: NDArray[np.bool_], point: Floats
) -> tuple[sp.csr_matrix, Floats, Floats]:
    """Return the relations as linear ones at a point, with the exact values moved to the right.

    Parameters
    ----------
    linear : (m, n) csr matrix
    right : (m,) array
    products : (p, 3) int array
        ``(result, factor, of)``.
    exact : (n,) bool array
    point : (n,) array
        Current values; exact values at their value.

    Returns
    -------
    matrix : (m + p, n) csr matrix
        Without entries in the columns of exact values.
    right, size : (m + p,) arrays
        Right-hand sides, and the size of the terms they were summed from.

    Notes
    -----
    ``r = f o`` becomes ``r - o0 f - f0 o = -f0 o0``; with an exact factor it is linear as it stands.

    Examples
    --------
    >>> matrix, right, _ = linearise(sp.csr_matrix((0, 3)), np.zeros(0), np.array([[0, 1, 2]]),
    ...                              np.array([False, False, False]), np.array([6.0, 2.0, 3.0]))
    >>> matrix.toarray().tolist(), right.tolist()
    ([[1.0, -3.0, -2.0]], [-6.0])
    """
    count, width = products.shape[0], linear.shape[1]
    result, factor, of = products.T
    curved = ~exact[factor] & ~exact[of]
    straight = np.where(exact[factor], 0.0, 1.0)
    entries_ = np.concatenate(
        [np.ones(count), -point[of] * straight, -point[factor] * np.where(exact[of] & ~exact[factor], 0.0, 1.0)]
    )
    rows = np.tile(np.arange(count), 3)
    bent = sp.csr_matrix((entries_, (rows, np.concatenate([result, factor, of]))), (count, width))
    matrix = sp.csr_matrix(sp.vstack([linear, bent], format="csr")) if count else sp.csr_matrix(linear)
    total = np.concatenate([right, np.where(curved, -point[factor] * point[of], 0.0)])
    fixed = np.where(exact, point, 0.0)
    size = np.abs(total) + abs(matrix) @ np.abs(fixed)
    total = total - matrix @ fixed
    matrix = sp.csr_matrix(matrix @ sp.diags_array(np.where(exact, 0.0, 1.0))) if exact.any() else matrix
    matrix.eliminate_zeros()
    return matrix, total, size


def solve_system(
    matrix: sp.csr_matrix, right: Floats, size: Floats, unknown: NDArray[np.bool_], covariance: sp.csr_matrix
) -> LinearSystem:
    """Eliminate the unknowns and factor what is left.

    Parameters
    ----------
    matrix, right, size
        As `linearise` returns them.
    unknown : (n,) bool array
    covariance : (n, n) csr matrix
        Of the measured values.

    Returns
    -------
    LinearSystem
    """
    done = eliminate(matrix, right, unknown, size)
    filled = np.diff(done.reduced.indptr) > 0
    conflicts = [
        Conflict(np.array([row]), np.ones(1), float(done.reduced_right[row]))
        for row in np.flatnonzero(~filled & (np.abs(done.reduced_right) > CONFLICT * done.reduced_size)).tolist()
    ]
    held = np.flatnonzero(filled)
    factor = None
    if held.size:
        factor = sound_factor(done.reduced[held], covariance)
        if factor is None:
            kept = independent_rows(done.reduced[held])
            conflicts.extend(_dependent_conflicts(done, held, kept))
            held = held[kept]
            factor = factorise(normal_matrix(done.reduced[held], covariance))
    relations = done.reduced if held.size == filled.size else done.reduced[held]
    triangle_factor = None
    if done.pivot_columns.size:
        square = sp.csc_matrix(done.triangle[:, done.pivot_columns])
        triangle_factor = splu(square, permc_spec="NATURAL", diag_pivot_thresh=0.0)
    return LinearSystem(
        relations,
        done.reduced_right[held],
        covariance,
        factor,
        done,
        matrix,
        np.concatenate([done.pivot_rows, done.reduced_rows[held]]),
        triangle_factor,
        tuple(conflicts),
    )


def _dependent_conflicts(done: Elimination, held: Ints, kept: NDArray[np.bool_]) -> list[Conflict]:
    """Return the relations that others add up to, but with another right-hand side."""
    base = done.reduced[held[kept]]
    factor = factorise(sp.csc_matrix(base @ base.T))
    right, size = done.reduced_right[held[kept]], done.reduced_size[held[kept]]
    conflicts = []
    for row in held[~kept].tolist():
        weights = factor.solve(np.asarray((base @ done.reduced[[row]].T).todense()).ravel())
        gap = float(done.reduced_right[row] - weights @ right)
        scale = float(done.reduced_size[row] + np.abs(weights) @ size)
        if abs(gap) > CONFLICT * scale:
            used = np.abs(weights) > 1e-7 * max(1.0, float(np.abs(weights).max()))
            rows = np.append(held[kept][used], row)
            conflicts.append(Conflict(rows, np.append(-weights[used], 1.0), gap))
    return conflicts


def measured_values(system: LinearSystem, measured: Floats) -> tuple[Floats, float]:
    """Return the measured values corrected to satisfy the relations, and the weighted squares."""
    if system.factor is None:
        return measured, 0.0
    return nearest(system.relations, system.right, measured, system.covariance, system.factor)


def values_of_unknowns(system: LinearSystem, values: Floats) -> Floats:
    """Return all values with the unknowns filled in from the measured ones.

    Parameters
    ----------
    system : LinearSystem
    values : (n,) array
        Reconciled measured values; the current value of every unknown (used for the free ones alone).

    Returns
    -------
    (n,) array
    """
    done = system.elimination
    if system.triangle_factor is None:
        return values
    known = values.copy()
    known[done.pivot_columns] = 0.0
    filled = values.copy()
    filled[done.pivot_columns] = system.triangle_factor.solve(done.triangle_right - done.triangle @ known)
    return filled


def free_motion(system: LinearSystem, probes: int = 2) -> Floats:
    """Return how all quantities move when the free unknowns move at random.

    Parameters
    ----------
    system : LinearSystem
    probes : int
        Number of random movements (whole numbers, seed 0, so that sums of whole coefficients cancel exactly).

    Returns
    -------
    (probes, n) array
        A quantity that moves in none is determined.
    """
    done = system.elimination
    moves = np.zeros((probes, done.triangle.shape[1]))
    if not done.free_columns.size:
        return moves
    generator = np.random.default_rng(0)
    moves[:, done.free_columns] = generator.integers(2**15, 2**20, (probes, done.free_columns.size))
    starts, columns, values = done.triangle.indptr.tolist(), done.triangle.indices.tolist(), done.triangle.data.tolist()
    for probe in range(probes):
        move: list[float] = moves[probe].tolist()
        for step in range(done.pivot_columns.size - 1, -1, -1):
            own, total, scale, pivot = int(done.pivot_columns[step]), 0.0, 0.0, 1.0
            for spot in range(starts[step], starts[step + 1]):
                column = columns[spot]
                if column == own:
                    pivot = values[spot]
                else:
                    term = values[spot] * move[column]
                    total += term
                    scale += abs(term)
            move[own] = -total / pivot if abs(total) > CONFLICT * scale else 0.0
        moves[probe] = move
    return moves


def twin_groups(motion: Floats) -> tuple[Ints, ...]:
    """Return the groups of quantities that can only move together, in proportion.

    Parameters
    ----------
    motion : (2, n) array
        As `free_motion` returns it.

    Returns
    -------
    tuple of int arrays
        Each group ascending, groups by their first member.

    Examples
    --------
    >>> [group.tolist() for group in twin_groups(np.array([[0.0, 2.0, -2.0, 5.0], [0.0, 3.0, -3.0, 1.0]]))]
    [[1, 2], [3]]
    """
    moving = np.flatnonzero((motion != 0).any(axis=0))
    if not moving.size:
        return ()
    angle = np.arctan2(motion[1, moving], motion[0, moving]) % np.pi
    order = np.argsort(angle, kind="stable")
    breaks = np.flatnonzero(np.diff(angle[order]) > 1e-9) + 1
    groups = [np.sort(moving[part]) for part in np.split(order, breaks)]
    return tuple(sorted(groups, key=lambda group: int(group[0])))


def weights_of_unknowns(system: LinearSystem, columns: Ints) -> Floats:
    """Return how unknowns follow from the measured values.

    Parameters
    ----------
    system : LinearSystem
    columns : (k,) int array
        Unknowns that are determined.

    Returns
    -------
    (n, k) array
        Derivative of each unknown with respect to each measured value.
    """
    done, factor = system.elimination, system.triangle_factor
    if factor is None:
        return np.zeros((done.triangle.shape[1], 0))
    place = np.full(done.triangle.shape[1], -1)
    place[done.pivot_columns] = np.arange(done.pivot_columns.size)
    units = np.zeros((done.pivot_columns.size, columns.size))
    units[place[columns], np.arange(columns.size)] = 1.0
    paths = factor.solve(units, trans="T")  # type: ignore[call-overload]  # the stubs lack trans
    weights: Floats = -(done.triangle.T @ paths)
    weights[done.pivot_columns] = 0.0
    weights[done.free_columns] = 0.0
    return weights


def spread_of_unknowns(system: LinearSystem, columns: Ints) -> Floats:
    """Return the variances of unknowns that are determined.

    Parameters
    ----------
    system : LinearSystem
    columns : (k,) int array

    Returns
    -------
    (k,) array

    Notes
    -----
    A few are solved for one by one. Many come from one selected inversion, of which some are checked that way; should
    one be off by more than 1e-6 of itself, all are solved for.
    """
    if columns.size <= MANY:
        return solved_spread(system, columns)
    done = system.elimination
    found = hidden_variances(system.matrix, system.covariance, system.kept_rows, done.pivot_columns)
    if found is not None:
        place = np.full(system.matrix.shape[1], -1)
        place[done.pivot_columns] = np.arange(done.pivot_columns.size)
        variances: Floats = found[place[columns]]
        sample = np.linspace(0, columns.size - 1, CHECKED).astype(np.int64)
        checked = solved_spread(system, columns[sample])
        if (np.abs(variances[sample] - checked) <= AGREED * (checked + AGREED * variances.max())).all():
            return np.asarray(np.maximum(variances, 0.0), dtype=np.float64)
    return solved_spread(system, columns)


def solved_spread(system: LinearSystem, columns: Ints) -> Floats:
    """Return the same variances, solved for in blocks of unknowns."""
    variances = np.zeros(columns.size)
    width = system.covariance.shape[0]
    block = max(1, min(256, BLOCK_BYTES // (8 * max(width, 1))))
    for start in range(0, columns.size, block):
        weights = weights_of_unknowns(system, columns[start : start + block])
        spread = system.covariance @ weights
        part = np.einsum("ij,ij->j", weights, spread)
        if system.factor is not None:
            bound = system.relations @ spread
            part -= np.einsum("ij,ij->j", bound, system.factor.solve(bound))
        variances[start : start + block] = np.maximum(part, 0.0)
    return variances


def covariance_between(system: LinearSystem, columns: Ints, unknown: NDArray[np.bool_]) -> Floats:
    """Return the covariance matrix of some reconciled quantities.

    Parameters
    ----------
    system : LinearSystem
    columns : (k,) int array
        Quantities that are determined.
    unknown : (n,) bool array

    Returns
    -------
    (k, k) array
    """
    weights = np.zeros((system.covariance.shape[0], columns.size))
    weights[columns, np.arange(columns.size)] = 1.0
    hidden = np.flatnonzero(unknown[columns])
    if hidden.size:
        weights[:, hidden] = weights_of_unknowns(system, columns[hidden])
    spread = system.covariance @ weights
    joint: Floats = weights.T @ spread
    if system.factor is not None:
        bound = system.relations @ spread
        joint = joint - bound.T @ system.factor.solve(bound)
    return joint
