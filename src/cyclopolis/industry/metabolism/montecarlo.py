"""Many draws of one sparse system: the order of elimination is found once, the arithmetic runs over all draws at once.

A park's activities solve ``M a = f``. When its recipes are uncertain, every draw has another M with the same pattern.
`plan_elimination` finds pivots and fill once; `solve_draws` then eliminates all draws together, each step one array
operation over the draws. A draw in which a planned pivot turns out too small is solved again on its own with pivoting.
"""

import heapq
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import splu
from scipy.special import ndtri

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shape = Literal["uniform", "triangular", "normal"]
_Pivot = tuple[int, int, list[int], list[int]]

PIVOT_SHARE = 0.01
GROWTH = 1e4
CHUNK_BYTES = 8_000_000
HALF_RANGE = 1.959963984540054


@dataclass(frozen=True)
class Step:
    """One pivot; the entries of a step stand together: the pivot, those below it, those beside it.

    Parameters
    ----------
    start : int
        Place of the pivot.
    row, column : int
        Equation and unknown of the pivot.
    below_rows : (a,) int array
        Equations of the entries under the pivot, places ``start + 1`` and on.
    beside_columns : (b,) int array
        Unknowns of the entries beside it that are not eliminated yet, places ``start + 1 + a`` and on.
    target : (a * b,) int array
        Places the products are subtracted from.
    """

    start: int
    row: int
    column: int
    below_rows: Ints
    beside_columns: Ints
    target: Ints


@dataclass(frozen=True)
class EliminationPlan:
    """Order of elimination and fill for one pattern.

    Parameters
    ----------
    size : int
        Number of equations.
    rows, columns : (nnz,) int arrays
        Pattern in the order in which `solve_draws` expects the entries (column by column, rows ascending).
    places : (nnz,) int array
        Where each entry goes among the places.
    slots : int
        Number of places: entries with fill.
    largest : float
        Largest entry of the typical matrix.
    steps : tuple of Step
    """

    size: int
    rows: Ints
    columns: Ints
    places: Ints
    slots: int
    largest: float
    steps: tuple[Step, ...]


def plan_elimination(matrix: sp.csc_matrix) -> EliminationPlan:
    """Find pivots and fill for all matrices with the pattern of this one.

    Parameters
    ----------
    matrix : (n, n) csc matrix
        A typical matrix; a pivot must be at least a hundredth of the largest entry left in its column.

    Returns
    -------
    EliminationPlan

    Raises
    ------
    ZeroDivisionError
        If the matrix is singular.

    Notes
    -----
    Pivots by Markowitz' count ``(rows - 1)(columns - 1)``, ties by number: deterministic.

    Examples
    --------
    >>> plan_elimination(sp.csc_matrix([[1.0, -0.5], [-0.2, 1.0]])).slots
    4
    """
    matrix = sp.csc_matrix(matrix)
    matrix.sort_indices()
    size = matrix.shape[0]
    columns = np.repeat(np.arange(size), np.diff(matrix.indptr))
    values: dict[tuple[int, int], float] = {}
    by_row: list[set[int]] = [set() for _ in range(size)]
    by_column: list[set[int]] = [set() for _ in range(size)]
    for row, column, value in zip(matrix.indices.tolist(), columns.tolist(), matrix.data.tolist(), strict=True):
        values[row, column] = value
        by_row[row].add(column)
        by_column[column].add(row)
    steps: list[_Pivot] = []
    queue = [(_count(by_row, by_column, column), column) for column in range(size)]
    heapq.heapify(queue)
    left = set(range(size))
    while left:
        count, column = heapq.heappop(queue)
        if column not in left:
            continue
        current = _count(by_row, by_column, column)
        if current != count:
            heapq.heappush(queue, (current, column))
            continue
        touched = _pivot_on(column, values, by_row, by_column, steps)
        left.remove(column)
        for other in sorted(touched & left):
            heapq.heappush(queue, (_count(by_row, by_column, other), other))
    return _lay_out(matrix, columns, steps)


def _lay_out(matrix: sp.csc_matrix, columns: Ints, steps: list[_Pivot]) -> EliminationPlan:
    """Give every entry its place, step by step."""
    place: dict[tuple[int, int], int] = {}
    for row, column, below, beside in steps:
        for pair in ((row, column), *((other, column) for other in below), *((row, other) for other in beside)):
            place[pair] = len(place)
    laid = tuple(
        Step(
            place[row, column],
            row,
            column,
            np.array(below, dtype=np.int64),
            np.array(beside, dtype=np.int64),
            np.array([place[down, across] for down in below for across in beside], dtype=np.int64),
        )
        for row, column, below, beside in steps
    )
    rows = matrix.indices.astype(np.int64)
    places = np.array([place[pair] for pair in zip(rows.tolist(), columns.tolist(), strict=True)], dtype=np.int64)
    largest = float(np.abs(matrix.data).max(initial=0.0))
    return EliminationPlan(matrix.shape[0], rows, columns.astype(np.int64), places, len(place), largest, laid)


def _count(by_row: list[set[int]], by_column: list[set[int]], column: int) -> int:
    """Return the least Markowitz count of a column."""
    rows = by_column[column]
    return (len(rows) - 1) * (min((len(by_row[row]) for row in rows), default=1) - 1)


def _pivot_on(
    column: int,
    values: dict[tuple[int, int], float],
    by_row: list[set[int]],
    by_column: list[set[int]],
    steps: list[_Pivot],
) -> set[int]:
    """Eliminate one column, note the step, and return the columns whose counts changed."""
    rows = by_column[column]
    largest = max((abs(values[row, column]) for row in rows), default=0.0)
    if not largest:
        raise ZeroDivisionError("the matrix is singular")
    fit = [row for row in rows if abs(values[row, column]) >= PIVOT_SHARE * largest]
    pivot = min(fit, key=lambda row: (len(by_row[row]), row))
    below, beside = sorted(rows - {pivot}), sorted(by_row[pivot] - {column})
    for row in below:
        factor = values[row, column] / values[pivot, column]
        for other in beside:
            values[row, other] = values.get((row, other), 0.0) - factor * values[pivot, other]
            by_row[row].add(other)
            by_column[other].add(row)
        by_row[row].discard(column)
    for other in beside:
        by_column[other].discard(pivot)
    steps.append((pivot, column, below, beside))
    return set(beside)


def solve_draws(plan: EliminationPlan, entries: Floats, right: Floats) -> Floats:
    """Solve one system per draw.

    Parameters
    ----------
    plan : EliminationPlan
    entries : (nnz, d) array
        Entries of every draw's matrix, in the order of ``plan.rows`` and ``plan.columns``.
    right : (n,) or (n, d) array
        Right-hand side, the same for all draws or one per draw.

    Returns
    -------
    (n, d) array
        NaN in a draw whose matrix is singular.

    Examples
    --------
    >>> plan = plan_elimination(sp.csc_matrix([[1.0, -0.5], [-0.2, 1.0]]))
    >>> solve_draws(plan, np.array([[1.0, 1.0], [-0.2, 0.0], [-0.5, 0.0], [1.0, 2.0]]), np.array([0.9, 1.0])).round(9)
    array([[1.55555556, 0.9       ],
           [1.31111111, 0.5       ]])
    """
    draws = entries.shape[1]
    given = right[:, None] if right.ndim == 1 else right
    solution = np.empty((plan.size, draws))
    chunk = max(64, CHUNK_BYTES // (8 * max(plan.slots, 1)))
    for start in range(0, draws, chunk):
        part = entries[:, start : start + chunk]
        wanted = np.broadcast_to(
            given[:, start : start + chunk] if given.shape[1] > 1 else given, (plan.size, part.shape[1])
        )
        solution[:, start : start + chunk] = _solve_chunk(plan, part, wanted)
    return solution


def _solve_chunk(plan: EliminationPlan, entries: Floats, right: Floats) -> Floats:
    """Eliminate and substitute back for some draws; solve the doubtful ones again with pivoting.

    The error of an elimination without new pivots is bounded by the machine's, times the product of its factors over
    the matrix (Higham 2002, theorem 9.3); a draw in which that grows is doubtful.
    """
    work = np.zeros((plan.slots, entries.shape[1]))
    work[plan.places] = entries
    wanted = right.copy()
    solution = np.empty_like(wanted)
    growth = np.zeros(entries.shape[1])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for step in plan.steps:
            middle = step.start + 1 + step.below_rows.size
            if step.below_rows.size:
                factor = work[step.start + 1 : middle] / work[step.start]
                wanted[step.below_rows] -= factor * wanted[step.row]
                products = factor[:, None, :] * work[middle : middle + step.beside_columns.size]
                np.maximum(growth, np.abs(factor).max(axis=0) * plan.largest, out=growth)
                if step.target.size:
                    np.maximum(growth, np.abs(products).max(axis=(0, 1)), out=growth)
                    work[step.target] -= products.reshape(step.target.size, -1)
        for step in reversed(plan.steps):
            total = wanted[step.row]
            if step.beside_columns.size:
                middle = step.start + 1 + step.below_rows.size
                beside = work[middle : middle + step.beside_columns.size]
                total = total - np.einsum("bd,bd->d", beside, solution[step.beside_columns])
            solution[step.column] = total / work[step.start]
    sound = (growth <= GROWTH * plan.largest) & np.isfinite(solution).all(axis=0)
    for draw in np.flatnonzero(~sound).tolist():
        solution[:, draw] = _pivoted(plan, entries[:, draw], right[:, draw])
    return solution


def _pivoted(plan: EliminationPlan, entries: Floats, right: Floats) -> Floats:
    """Solve one draw with row interchange; NaN when it is singular."""
    matrix = sp.csc_matrix((entries, (plan.rows, plan.columns)), (plan.size, plan.size))
    try:
        return np.asarray(splu(matrix).solve(right))
    except RuntimeError:
        return np.full(plan.size, np.nan)


def draw_between(
    low: Floats,
    middle: Floats,
    high: Floats,
    count: int,
    *,
    seed: int,
    shape: Shape = "triangular",
    together: Ints | None = None,
) -> Floats:
    """Return random draws of some quantities.

    Parameters
    ----------
    low, middle, high : (k,) arrays
        Usual range and likely value; ``normal`` takes the range as 95 %, so that draws may leave it.
    count : int
        Number of draws.
    seed : int
    shape : {"uniform", "triangular", "normal"}
    together : (k,) int array, optional
        Quantities with the same number rise and fall together (one random number for all of them); all apart when left
        out.

    Returns
    -------
    (k, count) array

    Examples
    --------
    >>> low, middle, high = np.array([1.0, 10.0]), np.array([2.0, 20.0]), np.array([4.0, 40.0])
    >>> found = draw_between(low, middle, high, 1000, seed=1, together=np.array([0, 0]))
    >>> bool(np.allclose(found[1], 10 * found[0])), bool((found[0] >= 1).all() and (found[0] <= 4).all())
    (True, True)
    """
    group = np.arange(low.size) if together is None else np.unique(together, return_inverse=True)[1]
    chance = np.random.default_rng(seed).random((int(group.max(initial=-1)) + 1, count))[group]
    span = (high - low)[:, None]
    if shape == "uniform":
        return np.asarray(low[:, None] + chance * span)
    if shape == "normal":
        return np.asarray(middle[:, None] + ndtri(chance) * span / (2 * HALF_RANGE))
    peak = np.where(high > low, (middle - low) / np.where(high > low, high - low, 1.0), 0.0)[:, None]
    with np.errstate(invalid="ignore"):
        rising = low[:, None] + np.sqrt(chance * peak) * span
        falling = high[:, None] - np.sqrt((1 - chance) * (1 - peak)) * span
    return np.where(chance < peak, rising, falling)


def linear_spread(weights: sp.csr_matrix, covariance: sp.csr_matrix) -> Floats:
    """Return the standard uncertainties of sums ``weights @ x`` (linear propagation).

    Parameters
    ----------
    weights : (r, n) csr matrix
    covariance : (n, n) csr matrix

    Returns
    -------
    (r,) array

    Examples
    --------
    >>> linear_spread(sp.csr_matrix([[1.0, 1.0]]), sp.csr_matrix([[9.0, 0.0], [0.0, 16.0]])).tolist()
    [5.0]
    """
    spread = sp.csr_matrix(weights @ covariance)
    squares: Floats = np.asarray(spread.multiply(weights).sum(axis=1), dtype=np.float64).ravel()
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)), dtype=np.float64)


def account_derivatives(matrix: sp.csc_matrix, right: Floats, weights: sp.csr_matrix) -> tuple[Floats, Floats]:
    """Return accounts ``weights @ a`` with ``matrix @ a = right``, and how they move with every entry of the matrix.

    Parameters
    ----------
    matrix : (n, n) csc matrix
        Row indices sorted.
    right : (n,) array
    weights : (r, n) csr matrix

    Returns
    -------
    accounts : (r,) array
    derivatives : (r, nnz) array
        In the order of the matrix's entries.

    Notes
    -----
    ``dy = -w M^-1 dM a``: one factor, one solve for the activities and one transposed solve per account.

    Examples
    --------
    >>> accounts, moves = account_derivatives(sp.csc_matrix([[2.0]]), np.array([6.0]), sp.csr_matrix([[1.0]]))
    >>> accounts.tolist(), moves.tolist()
    ([3.0], [[-1.5]])
    """
    factor = splu(matrix)
    activities = factor.solve(right)
    dense = weights.toarray().T
    prices = factor.solve(dense, trans="T")  # type: ignore[call-overload]  # the stubs lack trans
    columns = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))
    return np.asarray(weights @ activities), np.asarray(-prices.T[:, matrix.indices] * activities[columns])
