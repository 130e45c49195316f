"""Selected entries of the inverse of a sparse symmetric matrix, from its factor.

The uncertainty of a flow needs the inverse of the normal matrix only at the pairs of plants that the flow joins.
Takahashi's recursion gives exactly those, column block by column block from the last to the first, without ever forming
the dense inverse. Columns of equal structure are taken together, so that the work is dense matrix products.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg.lapack import dtrtri
from scipy.sparse.linalg import SuperLU

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SPARE_ROWS = 4


@dataclass(frozen=True)
class SelectedInverse:
    """The inverse at the pattern of the factor, in the factor's order.

    Parameters
    ----------
    position : (n,) int array
        Place of each row of the matrix in the factor's order.
    block_of : (n,) int array
        Column block of each column.
    first : (s,) int array
        First column of each block.
    width : (s,) int array
        Number of columns of each block.
    offset : (s,) int array
        Start of each block in ``values``.
    keys : int array
        ``block * n + row`` of every stored row, ascending.
    row_start : (s,) int array
        Start of each block in ``keys``.
    values : array
        Dense blocks, row by row.
    """

    position: Ints
    block_of: Ints
    first: Ints
    width: Ints
    offset: Ints
    keys: Ints
    row_start: Ints
    values: Floats


def _close(lower: sp.csc_matrix) -> sp.csc_matrix:
    """Return the factor with every structural entry stored, also those that cancelled to zero."""
    size = lower.shape[0]
    found: list[Ints] = []
    children: dict[int, list[int]] = {}
    for column in range(size):
        own = lower.indices[lower.indptr[column] : lower.indptr[column + 1]].astype(np.int64)
        below = children.pop(column, ())
        rows = _union([own, *(found[child][1:] for child in below)]) if below else own
        found.append(rows)
        if rows.size > 1:
            children.setdefault(int(rows[1]), []).append(column)
    starts = np.concatenate([[0], np.cumsum([rows.size for rows in found])])
    rows = np.concatenate(found)
    columns = np.repeat(np.arange(size), np.diff(starts))
    values = np.zeros(rows.size)
    owner = np.repeat(np.arange(size), np.diff(lower.indptr))
    values[np.searchsorted(columns * size + rows, owner * size + lower.indices)] = lower.data
    return sp.csc_matrix((values, rows, starts), shape=lower.shape)


def _union(parts: list[Ints]) -> Ints:
    """Return what stands in some ascending lists, ascending; runs are merged, which beats hashing here."""
    merged = np.sort(np.concatenate(parts), kind="stable")
    fresh = np.ones(merged.size, dtype=bool)
    np.not_equal(merged[1:], merged[:-1], out=fresh[1:])
    return np.asarray(merged[fresh])


def _is_closed(lower: sp.csc_matrix) -> bool:
    """Say whether every column's rows, less the first, stand in the column of that first row too."""
    size = lower.shape[0]
    counts = np.diff(lower.indptr)
    owner = np.repeat(np.arange(size, dtype=np.int64), counts)
    below = np.ones(lower.nnz, dtype=bool)
    below[lower.indptr[:-1]] = False
    first = np.full(size, -1, dtype=np.int64)
    has = counts > 1
    first[has] = lower.indices[lower.indptr[:-1][has] + 1]
    wanted = first[owner[below]] * size + lower.indices[below]
    present = owner * size + lower.indices
    spot = np.minimum(np.searchsorted(present, wanted), present.size - 1)
    return bool((present[spot] == wanted).all())


def _blocks(lower: sp.csc_matrix) -> Ints:
    """Return the first column of each block of consecutive columns with (nearly) equal structure."""
    counts = np.diff(lower.indptr).astype(np.int64)
    size = counts.size
    chained = np.zeros(size, dtype=bool)
    has = np.flatnonzero(counts[:-1] > 1)
    chained[has + 1] = lower.indices[lower.indptr[has] + 1] == has + 1
    spare = np.concatenate([[0], counts[1:] + 1 - counts[:-1]])
    return np.flatnonzero(~(chained & (spare <= SPARE_ROWS)))


def _one_block(below: Floats, corner: Floats, pivots: Floats, beneath: Floats | None) -> tuple[Floats, Floats]:
    """Return the inverse at one block of columns: its square corner, and its rows below.

    Parameters
    ----------
    below : (r, k) array
        The factor's rows under the block.
    corner : (k, k) array
        The factor's unit lower triangle.
    pivots : (k,) array
        The pivots.
    beneath : (r, r) array or None
        The inverse at the rows under the block, known from the parent.
    """
    inverse = corner if pivots.size == 1 else dtrtri(corner, lower=1, unitdiag=1)[0]
    inner = inverse.T @ (inverse / pivots[:, None])
    if beneath is None:
        return inner, below
    reach = below if pivots.size == 1 else below @ inverse
    under = -(beneath @ reach)
    return inner - reach.T @ under, under


def selected_inverse(factor: SuperLU) -> SelectedInverse:
    """Return the inverse of a symmetric matrix at the pattern of its factor.

    Parameters
    ----------
    factor : SuperLU
        Factor of a symmetric positive definite matrix, made without row interchange (symmetric mode).

    Returns
    -------
    SelectedInverse

    Notes
    -----
    Takahashi, Fagan and Chin (1973); Erisman and Tinney (1975) Communications of the ACM 18, 177-179; in blocks as in
    Lin, Lu, Yang, Ying, Car and E (2011) ACM Transactions on Mathematical Software 37, 40.

    Examples
    --------
    >>> from scipy.sparse.linalg import splu
    >>> matrix = sp.csc_matrix([[2.0, -1.0], [-1.0, 2.0]])
    >>> inverse = selected_inverse(splu(matrix, diag_pivot_thresh=0.0, options={"SymmetricMode": True}))
    >>> entries(inverse, np.array([0, 0]), np.array([0, 1])).round(4).tolist()
    [0.6667, 0.3333]
    """
    lower = sp.csc_matrix(factor.L)
    lower.sort_indices()
    if not _is_closed(lower):
        lower = _close(lower)
    size = lower.shape[0]
    first = _blocks(lower)
    last = np.concatenate([first[1:], [size]])
    width = last - first
    ends = lower.indptr[last]
    fronts = [
        np.concatenate([np.arange(a, b), lower.indices[lower.indptr[b - 1] + 1 : end]])
        for a, b, end in zip(first.tolist(), last.tolist(), ends.tolist(), strict=True)
    ]
    values, offset = _recursion(lower, factor.U.diagonal(), first, width, fronts)
    lengths = np.array([front.size for front in fronts], dtype=np.int64)
    return SelectedInverse(
        factor.perm_c.astype(np.int64),
        np.repeat(np.arange(first.size), width),
        first,
        width,
        offset,
        np.repeat(np.arange(first.size), lengths) * size + np.concatenate(fronts),
        np.concatenate([[0], np.cumsum(lengths)[:-1]]),
        values,
    )


def _recursion(
    lower: sp.csc_matrix, pivots: Floats, first: Ints, width: Ints, fronts: list[Ints]
) -> tuple[Floats, Ints]:
    """Fill the blocks from the last to the first; each takes the inverse under it from its parent's dense front."""
    block_of = np.repeat(np.arange(first.size), width)
    parent = [int(block_of[front[k]]) if front.size > k else -1 for front, k in zip(fronts, width, strict=True)]
    waiting = np.bincount([p for p in parent if p >= 0], minlength=first.size)
    offset = np.concatenate([[0], np.cumsum([front.size * k for front, k in zip(fronts, width.tolist(), strict=True)])])
    values = np.empty(int(offset[-1]))
    owner = np.repeat(np.arange(lower.shape[0]), np.diff(lower.indptr))
    place = np.zeros(lower.shape[0], dtype=np.int64)
    dense: dict[int, Floats] = {}
    for block in range(first.size - 1, -1, -1):
        front, k, start = fronts[block], int(width[block]), int(first[block])
        span = slice(lower.indptr[start], lower.indptr[start + k])
        place[front] = np.arange(front.size)
        piece = np.zeros((front.size, k), order="F")
        piece[place[lower.indices[span]], owner[span] - start] = lower.data[span]
        above, beneath = parent[block], None
        if above >= 0:
            spots = np.searchsorted(fronts[above], front[k:])
            beneath = dense[above][spots[:, None], spots]
            waiting[above] -= 1
            if waiting[above] == 0:
                del dense[above]
        inner, under = _one_block(piece[k:], piece[:k], pivots[start : start + k], beneath)
        column = values[offset[block] : offset[block + 1]].reshape(front.size, k)
        column[:k], column[k:] = inner, under
        if waiting[block]:
            full = np.empty((front.size, front.size))
            full[:, :k] = column
            full[:k, k:] = under.T
            if beneath is not None:
                full[k:, k:] = beneath
            dense[block] = full
    return values, offset[:-1]


def entries(inverse: SelectedInverse, rows: Ints, columns: Ints) -> Floats:
    """Return the inverse at pairs of rows; a pair must be an entry of the matrix (or of its factor).

    Parameters
    ----------
    inverse : SelectedInverse
    rows, columns : (p,) int arrays
        Pairs, in the order of the matrix.

    Returns
    -------
    (p,) array

    Raises
    ------
    KeyError
        If a pair is outside the factor's pattern.
    """
    left, right = inverse.position[rows], inverse.position[columns]
    column, row = np.minimum(left, right), np.maximum(left, right)
    block = inverse.block_of[column]
    keys = block * inverse.position.size + row
    spot = np.searchsorted(inverse.keys, keys)
    if (spot >= inverse.keys.size).any() or (inverse.keys[np.minimum(spot, inverse.keys.size - 1)] != keys).any():
        raise KeyError("a pair outside the pattern of the factor")
    place = inverse.offset[block] + (spot - inverse.row_start[block]) * inverse.width[block]
    return inverse.values[place + column - inverse.first[block]]
