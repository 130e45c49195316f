"""Eliminate the unknowns of a sparse linear system, keeping what the measurements alone must satisfy.

Sparse Gauss elimination with Markowitz' choice (fewest rows first, then the shortest row), restricted to the columns
of unknowns. In a network of flows one step merges two balances, the smaller into the larger, so that the work grows
like n log n; with general coefficients the same code is an ordinary threshold elimination. The rank decision is
local: an entry that cancels to 1e-11 of what was added is zero. Rows that hold one unknown alone (a concentration times
a flow, a plant with one unmeasured flow) are put into the others by the thousand, before that.
"""

import heapq
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PIVOT_SHARE = 0.1
CANCELLED = 1e-11
BATCH = 64
BATCH_SHARE = 0.1


@dataclass(frozen=True)
class Elimination:
    """A system ``A x = b`` after elimination of its unknown columns.

    Parameters
    ----------
    pivot_rows, pivot_columns : (k,) int arrays
        Row and unknown of each step, in order of elimination.
    triangle : (k, n) csr matrix
        The pivot rows; row i holds no pivot column of an earlier step.
    triangle_right : (k,) array
        Their right-hand sides.
    free_columns : (f,) int array
        Unknowns without a pivot: the system leaves them free.
    reduced : (r, n) csr matrix
        Rows without any unknown: what the measured values alone must satisfy.
    reduced_right, reduced_size : (r,) arrays
        Their right-hand sides, and the size of the terms these were summed from.
    reduced_rows : (r,) int array
        The row of A each of them was carried in.
    """

    pivot_rows: Ints
    pivot_columns: Ints
    triangle: sp.csr_matrix
    triangle_right: Floats
    free_columns: Ints
    reduced: sp.csr_matrix
    reduced_right: Floats
    reduced_size: Floats
    reduced_rows: Ints


@dataclass
class _Work:
    rows: dict[int, dict[int, float]]
    right: list[float]
    size: list[float]
    holders: dict[int, set[int]]
    queue: list[tuple[int, int]]


def _start(matrix: sp.csr_matrix, right: Floats, size: Floats, unknown: NDArray[np.bool_]) -> _Work:
    """Take the rows that hold an unknown out of the matrix, into dictionaries."""
    owner = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    hit = unknown[matrix.indices]
    rows: dict[int, dict[int, float]] = {}
    for row in np.unique(owner[hit]).tolist():
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        rows[row] = dict(zip(matrix.indices[span].tolist(), matrix.data[span].tolist(), strict=True))
    holders: dict[int, set[int]] = {column: set() for column in np.flatnonzero(unknown).tolist()}
    for row, column in zip(owner[hit].tolist(), matrix.indices[hit].tolist(), strict=True):
        holders[column].add(row)
    queue = [(len(found), column) for column, found in holders.items()]
    heapq.heapify(queue)
    return _Work(rows, right.tolist(), size.tolist(), holders, queue)


def _choose(work: _Work, column: int) -> int:
    """Return the shortest row whose entry is at least a tenth of the column's largest."""
    found = work.holders[column]
    least = PIVOT_SHARE * max(abs(work.rows[row][column]) for row in found)
    return min((len(work.rows[row]), row) for row in found if abs(work.rows[row][column]) >= least)[1]


def _add(work: _Work, row: int, pivot: int, column: int) -> None:
    """Subtract the multiple of the pivot row that clears ``column`` from ``row``."""
    target, source = work.rows[row], work.rows[pivot]
    factor = target.pop(column) / source[column]
    for other, value in source.items():
        if other == column:
            continue
        old = target.get(other, 0.0)
        step = factor * value
        new = old - step
        if abs(new) <= CANCELLED * (abs(old) + abs(step)):
            target.pop(other, None)
            if other in work.holders:
                work.holders[other].discard(row)
                heapq.heappush(work.queue, (len(work.holders[other]), other))
        else:
            target[other] = new
            if other in work.holders:
                work.holders[other].add(row)
    work.right[row] -= factor * work.right[pivot]
    work.size[row] += abs(factor) * work.size[pivot]


def _from_rows(rows: list[dict[int, float]], width: int) -> sp.csr_matrix:
    """Pack dictionaries into a csr matrix with sorted columns."""
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    columns = np.fromiter((column for row in rows for column in row), dtype=np.int64, count=int(starts[-1]))
    values = np.fromiter((value for row in rows for value in row.values()), dtype=float, count=int(starts[-1]))
    packed = sp.csr_matrix((values, columns, starts), shape=(len(rows), width))
    packed.sort_indices()
    return packed


def _sole_unknowns(matrix: sp.csr_matrix, unknown: NDArray[np.bool_]) -> tuple[Ints, Ints, Floats]:
    """Return rows that hold one unknown alone, that unknown and its coefficient; one row, the shortest, per unknown."""
    owner = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    hit = np.flatnonzero(unknown[matrix.indices])
    sole = hit[np.bincount(owner[hit], minlength=matrix.shape[0])[owner[hit]] == 1]
    largest = np.zeros(matrix.shape[1])
    np.maximum.at(largest, matrix.indices[hit], np.abs(matrix.data[hit]))
    columns = matrix.indices[sole]
    sole = sole[np.abs(matrix.data[sole]) >= PIVOT_SHARE * largest[columns]]
    rows, columns, values = owner[sole], matrix.indices[sole].astype(np.int64), matrix.data[sole]
    order = np.lexsort((rows, np.diff(matrix.indptr)[rows], columns))
    first = order[np.append(True, np.diff(columns[order]) > 0)] if order.size else order
    return rows[first], columns[first], values[first]


def _substitute(
    matrix: sp.csr_matrix, right: Floats, size: Floats, pivots: tuple[Ints, Ints, Floats]
) -> tuple[sp.csr_matrix, Floats, Floats]:
    """Put many unknowns into all other rows at once; the pivot rows become empty."""
    rows, columns, values = pivots
    keep = np.ones(matrix.shape[0])
    keep[rows] = 0.0
    rest = sp.csr_matrix(sp.diags_array(keep) @ matrix)
    factors = sp.csr_matrix(rest[:, columns] @ sp.diags_array(1.0 / values))
    known = matrix[rows]
    fresh = sp.csr_matrix(rest - factors @ known)
    terms = sp.csr_matrix(abs(rest) + abs(factors) @ abs(known))
    fresh.sort_indices()
    terms.sort_indices()
    wide = fresh.shape[1]
    owner = np.repeat(np.arange(fresh.shape[0], dtype=np.int64), np.diff(fresh.indptr)) * wide + fresh.indices
    whole = np.repeat(np.arange(terms.shape[0], dtype=np.int64), np.diff(terms.indptr)) * wide + terms.indices
    fresh.data[np.abs(fresh.data) <= CANCELLED * terms.data[np.searchsorted(whole, owner)]] = 0.0
    fresh.eliminate_zeros()
    fresh.sort_indices()
    return fresh, right - factors @ right[rows], size + abs(factors) @ size[rows]


def eliminate(
    matrix: sp.csr_matrix, right: Floats, unknown: NDArray[np.bool_], size: Floats | None = None
) -> Elimination:
    """Eliminate the unknown columns of ``matrix @ x = right``.

    Parameters
    ----------
    matrix : (m, n) csr matrix
        One row per relation.
    right : (m,) array
        Right-hand sides.
    unknown : (n,) bool array
        Columns to eliminate.
    size : (m,) array, optional
        Size of the terms each right-hand side was summed from; ``abs(right)`` when left out.

    Returns
    -------
    Elimination

    Notes
    -----
    Markowitz, H. M. (1957) The elimination form of the inverse. Management Science 3, 255-269; the projection of the
    unmeasured quantities follows Crowe, Garcia Campos and Hrymak (1983) AIChE Journal 29, 881-888.

    Examples
    --------
    Two plants joined by one unknown flow: their balances merge into one.

    >>> balances = sp.csr_matrix([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    >>> done = eliminate(balances, np.zeros(2), np.array([False, True, False]))
    >>> done.reduced.toarray().tolist(), done.pivot_columns.tolist()
    ([[1.0, 0.0, -1.0]], [1])
    """
    size = np.abs(right) if size is None else size
    left = unknown.copy()
    batches: list[tuple[Ints, Ints, sp.csr_matrix, Floats]] = []
    while True:
        pivots_at_once = _sole_unknowns(matrix, left)
        rows, columns, _ = pivots_at_once
        if rows.size < max(BATCH, BATCH_SHARE * left.sum()):
            break
        batches.append((rows, columns, matrix[rows], right[rows]))
        matrix, right, size = _substitute(matrix, right, size, pivots_at_once)
        left[columns] = False
    work = _start(matrix, right, size, left)
    free, pivots = [], []
    while work.queue:
        count, column = heapq.heappop(work.queue)
        if column not in work.holders:
            continue
        found = work.holders[column]
        if count != len(found):
            heapq.heappush(work.queue, (len(found), column))
            continue
        if not found:
            free.append(column)
            del work.holders[column]
            continue
        pivot = _choose(work, column)
        for row in sorted(found - {pivot}):
            _add(work, row, pivot, column)
        del work.holders[column]
        for other in work.rows[pivot]:
            if other in work.holders:
                work.holders[other].discard(pivot)
                heapq.heappush(work.queue, (len(work.holders[other]), other))
        pivots.append((pivot, column, work.rows.pop(pivot)))
    return _finish(matrix, work, batches, pivots, free)


def _finish(
    matrix: sp.csr_matrix,
    work: _Work,
    batches: list[tuple[Ints, Ints, sp.csr_matrix, Floats]],
    pivots: list[tuple[int, int, dict[int, float]]],
    free: list[int],
) -> Elimination:
    """Join the merged rows with those that never held an unknown, and the pivot rows in their order."""
    width = matrix.shape[1]
    touched = sorted(work.rows)
    late = np.array([pivot for pivot, _, _ in pivots], dtype=np.int64)
    used = np.zeros(matrix.shape[0], dtype=bool)
    used[touched] = True
    used[late] = True
    for rows, _, _, _ in batches:
        used[rows] = True
    rest = np.flatnonzero(~used)
    order = np.concatenate([rest, np.asarray(touched, dtype=np.int64)])
    merged = _from_rows([work.rows[row] for row in touched], width)
    right = np.asarray(work.right)
    return Elimination(
        np.concatenate([*(rows for rows, _, _, _ in batches), late]),
        np.concatenate(
            [*(columns for _, columns, _, _ in batches), np.array([column for _, column, _ in pivots], dtype=np.int64)]
        ),
        sp.csr_matrix(
            sp.vstack([*(held for _, _, held, _ in batches), _from_rows([row for _, _, row in pivots], width)])
        ),
        np.concatenate([*(sides for _, _, _, sides in batches), right[late]]),
        np.array(sorted(free), dtype=np.int64),
        sp.csr_matrix(sp.vstack([matrix[rest], merged], format="csr")) if touched else sp.csr_matrix(matrix[rest]),
        right[order],
        np.asarray(work.size)[order],
        order,
    )
