"""Current density between sources over a grid of resistance. No legal delineation.

Circuit theory after McRae et al. 2008: cells are nodes, neighbouring cells are joined by a conductance of two over the
sum of their resistances.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse.linalg import splu

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TOLERANCE = 1e-8
"""Relative residual up to which the currents are solved."""
COARSEST = 1000
"""Cells of the smallest grid, which is solved directly."""
_DAMPING = 0.8
MOST_STEPS = 60
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


@dataclass(frozen=True)
class Level:
    """One grid of the multigrid: matrix, its inverse diagonal (0 for cells outside), shape."""

    matrix: sparse.csr_matrix
    inverse: Floats
    shape: tuple[int, int]


def _level(east: Floats, south: Floats, shunt: Floats) -> Level:
    """Return the five-point matrix of conductances and shunts to the ground."""
    rows, columns = shunt.shape
    right, down = np.zeros(shunt.shape), np.zeros(shunt.shape)
    right[:, :-1], down[:-1] = east, south
    diagonal = shunt + right + down
    diagonal[:, 1:] += east
    diagonal[1:] += south
    flat = diagonal.ravel()
    bands = [-right.ravel()[:-1], -down.ravel()[: (rows - 1) * columns]]
    offsets = [(0, flat)] + [
        (sign * step, band) for step, band in zip((1, columns), bands, strict=True) for sign in (1, -1) if band.size
    ]
    merged: dict[int, Any] = {}
    for offset, band in offsets:
        merged[offset] = merged[offset] + band if offset in merged else band
    diagonals: list[Any] = list(merged.values())
    matrix = sparse.csr_matrix(sparse.diags(diagonals, list(merged), format="csr"))
    inverse = np.divide(1.0, flat, out=np.zeros(flat.size), where=flat > 0)
    return Level(matrix, inverse, (rows, columns))


def _even(grid: Floats, rows: int, columns: int) -> Floats:
    return np.pad(grid, ((0, rows - grid.shape[0]), (0, columns - grid.shape[1])))


def _halved(grid: Floats) -> Floats:
    """Return the sums of blocks of two by two cells."""
    rows, columns = (size + size % 2 for size in grid.shape)
    padded = _even(grid, rows, columns)
    return np.asarray(padded.reshape(rows // 2, 2, columns // 2, 2).sum(axis=(1, 3)))


def _levels(east: Floats, south: Floats, shunt: Floats) -> list[Level]:
    """Return grids of blocks of 2 x 2 cells: conductances over a block's border add up, the whole counts half.

    Halving a coarse matrix makes up for what constant values on blocks overstate (aggregation with overcorrection).
    """
    found = [_level(east, south, shunt)]
    while shunt.size > COARSEST:
        rows, columns = (size + size % 2 for size in shunt.shape)
        wide, high = _even(east, rows, columns - 1), _even(south, rows - 1, columns)
        east = wide[:, 1::2].reshape(rows // 2, 2, -1).sum(axis=1) / 2
        south = high[1::2].reshape(-1, columns // 2, 2).sum(axis=2) / 2
        shunt = _halved(shunt) / 2
        found.append(_level(east, south, shunt))
    return found


def _cycle(levels: Sequence[Level], bottom: Callable[[Floats], Floats], right: Floats) -> Floats:
    """Return one symmetric V-cycle of damped Jacobi steps for a right side (N,)."""
    own = levels[0]
    if len(levels) == 1:
        return bottom(right)
    value = _DAMPING * own.inverse * right
    value = value + _DAMPING * own.inverse * (right - own.matrix @ value)
    rest = (right - own.matrix @ value).reshape(own.shape)
    coarse = _cycle(levels[1:], bottom, _halved(rest).ravel()).reshape(levels[1].shape)
    fine = np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)[: own.shape[0], : own.shape[1]]
    value = value + fine.ravel() * (own.inverse > 0)
    value = value + _DAMPING * own.inverse * (right - own.matrix @ value)
    return np.asarray(value + _DAMPING * own.inverse * (right - own.matrix @ value))


def voltages(east: Floats, south: Floats, shunt: Floats, inflow: Floats) -> Floats:
    """Return the voltages of a grid of conductances with shunts to the ground (R, C).

    By preconditioned gradients; directly where the residual does not fall below `TOLERANCE` within `MOST_STEPS`.
    """
    levels = _levels(east, south, shunt)
    last = levels[-1]
    bottom = _direct(last)
    top = levels[0]
    rest = inflow.ravel().copy()
    value, step, before = np.zeros(rest.size), np.zeros(rest.size), 1.0
    aim = TOLERANCE * float(np.linalg.norm(rest))
    for _ in range(MOST_STEPS):
        if float(np.linalg.norm(rest)) <= aim:
            return value.reshape(shunt.shape)
        better = _cycle(levels, bottom, rest)
        now = float(rest @ better)
        step = better + (now / before) * step
        before = now
        moved = top.matrix @ step
        length = now / float(step @ moved)
        value += length * step
        rest -= length * moved
    return _direct(top)(inflow.ravel()).reshape(shunt.shape)


def _direct(level: Level) -> Callable[[Floats], Floats]:
    """Return what solves one grid directly."""
    known = np.flatnonzero(level.inverse > 0)
    matrix = level.matrix[known][:, known].tocsc()
    factor = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})

    def solve(right: Floats) -> Floats:
        found = np.zeros(right.size)
        found[known] = factor.solve(right[known])
        return found

    return solve


def current(resistance: Floats, sources: Bools, ground: Bools) -> Floats:
    """Return the current through every cell when one ampere enters the sources and leaves at the ground (R, C).

    ``L v = i`` with the voltage of the ground held at zero, solved by conjugate gradients with a geometric multigrid
    preconditioner. The current of a cell is half the sum of what flows over its edges and of what enters or leaves
    there. Cells that nothing joins to the ground have none.

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
