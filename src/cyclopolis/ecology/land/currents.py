"""Current density between sources over a grid of resistance. No legal delineation.

Circuit theory after McRae et al. 2008: cells are nodes, neighbouring cells are joined by a conductance of two over the
sum of their resistances.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse.linalg import splu

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TOLERANCE = 1e-8
"""Relative residual up to which the currents are solved."""
SMALL = 20_000
"""Cells up to which a grid is solved directly at once."""
MOST_STEPS = 40
"""Steps after which a grid of great contrasts or many holes is solved directly, with more memory."""


def linked(resistance: Floats, one: Bools, other: Bools) -> bool:
    """Return whether current can run between two sources: over sides of cells, not over corners.

    Examples
    --------
    >>> ends = np.array([[True, False], [False, False]])
    >>> linked(np.array([[1.0, np.nan], [np.nan, 1.0]]), ends, ends[::-1, ::-1])
    False
    """
    part, _ = ndimage.label(np.isfinite(resistance))
    return bool((np.intersect1d(part[one], part[other]) > 0).any())


def conductances(resistance: Floats) -> tuple[Floats, Floats]:
    """Return the conductances to the east (R, C - 1) and south (R - 1, C) neighbours; 0 where nothing passes.

    Examples
    --------
    >>> [side.tolist() for side in conductances(np.array([[1.0, 3.0, np.nan]]))]
    [[[0.5, 0.0]], []]
    """
    east = 2.0 / (resistance[:, :-1] + resistance[:, 1:])
    south = 2.0 / (resistance[:-1] + resistance[1:])
    return np.where(np.isfinite(east), east, 0.0), np.where(np.isfinite(south), south, 0.0)


def laplacian(east: Floats, south: Floats, shunt: Floats) -> sparse.csr_matrix:
    """Return the matrix of a grid of conductances with shunts to the ground (R C, R C).

    Examples
    --------
    >>> laplacian(np.array([[2.0]]), np.zeros((0, 2)), np.array([[1.0, 0.0]])).toarray().tolist()
    [[3.0, -2.0], [-2.0, 2.0]]
    """
    number = np.arange(shunt.size, dtype=np.int32).reshape(shunt.shape)
    one = np.concatenate((number[:, :-1].ravel(), number[:-1].ravel()))
    other = np.concatenate((number[:, 1:].ravel(), number[1:].ravel()))
    value = np.concatenate((east.ravel(), south.ravel()))
    one, other, value = one[value > 0], other[value > 0], value[value > 0]
    size = shunt.size
    whole = np.bincount(one, value, size) + np.bincount(other, value, size) + shunt.ravel()
    rows = np.concatenate((one, other, number.ravel()))
    columns = np.concatenate((other, one, number.ravel()))
    return sparse.csr_matrix((np.concatenate((-value, -value, whole)), (rows, columns)), shape=(size, size))


def voltages(east: Floats, south: Floats, shunt: Floats, inflow: Floats) -> Floats:
    """Return the voltages of a grid of conductances with shunts to the ground (R, C).

    By conjugate gradients with pyamg's smoothed aggregation as preconditioner; directly where the grid is small or the
    residual does not fall below `TOLERANCE` within `MOST_STEPS`.
    """
    matrix = laplacian(east, south, shunt)
    known = np.flatnonzero(matrix.diagonal() > 0)
    matrix, right = matrix[known][:, known], inflow.ravel()[known]
    found = np.zeros(shunt.size)
    inner = _by_steps(matrix, right) if known.size > SMALL else None
    found[known] = _direct(matrix, right) if inner is None else inner
    return found.reshape(shunt.shape)


def _by_steps(matrix: sparse.csr_matrix, right: Floats) -> Floats | None:
    """Return the solution by multigrid, None where it does not come near enough."""
    import pyamg  # noqa: PLC0415 - slow to load

    with _same_draws():
        levels = pyamg.smoothed_aggregation_solver(matrix)
        found = np.asarray(levels.solve(right, tol=TOLERANCE, accel="cg", maxiter=MOST_STEPS))
    near = np.linalg.norm(right - matrix @ found) <= 1.01 * TOLERANCE * np.linalg.norm(right)
    return found if near else None


@contextmanager
def _same_draws() -> Iterator[None]:
    """Let the guesses that pyamg draws from numpy's global generator be the same each time; its state comes back."""
    before = np.random.get_state()  # noqa: NPY002 - pyamg knows no other generator
    np.random.seed(1)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def _direct(matrix: sparse.csr_matrix, right: Floats) -> Floats:
    factor = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    return np.asarray(factor.solve(right))


def current(resistance: Floats, sources: Bools, ground: Bools) -> Floats:
    """Return the current through every cell when one ampere enters the sources and leaves at the ground (R, C).

    ``L v = i`` with the voltage of the ground held at zero, solved by `voltages`. The current of a cell is half the
    sum of what flows over its edges and of what enters or leaves there. Cells that nothing joins to the ground have
    none.

    Parameters
    ----------
    resistance : ndarray
        Above 0 (R, C); NaN where nothing passes.
    sources, ground : ndarray of bool
        Cells where current enters (in equal parts) and leaves (R, C).

    Raises
    ------
    ValueError
        If no source cell is joined to the ground.

    Examples
    --------
    >>> ends = np.array([[True, False, False, False]])
    >>> current(np.ones((1, 4)), ends, ends[:, ::-1]).round(6).tolist()
    [[1.0, 1.0, 1.0, 1.0]]
    """
    passes = np.isfinite(resistance)
    east, south = conductances(resistance)
    part, _ = ndimage.label(passes)
    reached = passes & np.isin(part, np.unique(part[ground & passes]))
    enters = sources & reached & ~ground
    if not enters.any():
        raise ValueError("no source is joined to the ground")
    free = reached & ~ground
    inner = east * (free[:, :-1] & free[:, 1:]), south * (free[:-1] & free[1:])
    shunt = np.zeros(resistance.shape)
    shunt[:, :-1] += east * (free[:, :-1] & ground[:, 1:])
    shunt[:, 1:] += east * (free[:, 1:] & ground[:, :-1])
    shunt[:-1] += south * (free[:-1] & ground[1:])
    shunt[1:] += south * (free[1:] & ground[:-1])
    inflow = enters / float(enters.sum())
    value = voltages(*inner, shunt, inflow)
    over, under = east * (value[:, :-1] - value[:, 1:]), south * (value[:-1] - value[1:])
    through, net = np.zeros(value.shape), np.zeros(value.shape)
    for flow, first, second in (
        (over, np.s_[:, :-1], np.s_[:, 1:]),
        (under, np.s_[:-1, :], np.s_[1:, :]),
    ):
        through[first] += np.abs(flow)
        through[second] += np.abs(flow)
        net[first] += flow
        net[second] -= flow
    return np.asarray((through + np.abs(net)) / 2)
