"""Weighted least squares under linear relations among measured values: one sparse symmetric factor.

With measured values x, their covariance Q and relations ``G z = r`` of full row rank, the values nearest to x are
``z = x - Q G' l`` with ``(G Q G') l = G x - r``; the covariance of what was taken off is ``Q G' (G Q G')^-1 G Q``.
"""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import SuperLU, splu

from cyclopolis.industry.metabolism.reconcile_inverse import entries, selected_inverse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TINY_PIVOT = 1e-9
DEPENDENT = 1e-8
BLOCK = 256
PAIRS_AT_ONCE = 4_000_000


def factorise(matrix: sp.csc_matrix) -> SuperLU:
    """Factor a symmetric positive definite matrix in a fill-reducing order, without row interchange.

    Parameters
    ----------
    matrix : (m, m) csc matrix

    Returns
    -------
    SuperLU
        Raises RuntimeError when a pivot is exactly zero.

    Examples
    --------
    >>> factorise(sp.csc_matrix([[4.0, 1.0], [1.0, 3.0]])).solve(np.array([5.0, 4.0])).round(12).tolist()
    [1.0, 1.0]
    """
    return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})


def normal_matrix(relations: sp.csr_matrix, covariance: sp.csr_matrix) -> sp.csc_matrix:
    """Return ``G Q G'``.

    Examples
    --------
    >>> normal_matrix(sp.csr_matrix([[1.0, -1.0]]), sp.csr_matrix([[4.0, 0.0], [0.0, 9.0]])).toarray().tolist()
    [[13.0]]
    """
    return sp.csc_matrix((relations @ covariance) @ relations.T)


def sound_factor(relations: sp.csr_matrix, covariance: sp.csr_matrix) -> SuperLU | None:
    """Return the factor of the normal matrix, or None when the relations may depend on each other.

    Parameters
    ----------
    relations : (r, n) csr matrix
    covariance : (n, n) csr matrix

    Returns
    -------
    SuperLU or None
    """
    matrix = normal_matrix(relations, covariance)
    diagonal = matrix.diagonal()
    if not (diagonal > 0).all():
        return None
    try:
        factor = factorise(matrix)
    except RuntimeError:
        return None
    order = np.argsort(factor.perm_c)
    pivots = factor.U.diagonal() / diagonal[order]
    return factor if (factor.perm_r == factor.perm_c).all() and (pivots > TINY_PIVOT).all() else None


def _unit_rows(relations: sp.csr_matrix) -> sp.csr_matrix:
    """Scale every row to length 1."""
    length = np.sqrt(np.asarray(relations.multiply(relations).sum(axis=1)).ravel())
    return sp.csr_matrix(sp.diags_array(1.0 / length) @ relations)


def independent_rows(relations: sp.csr_matrix) -> NDArray[np.bool_]:
    """Mark a largest set of rows none of which is a sum of others.

    Parameters
    ----------
    relations : (r, n) csr matrix
        No row may be empty.

    Returns
    -------
    (r,) bool array

    Notes
    -----
    The rows, scaled to length 1, are factored as a Gram matrix with 1e-13 on its diagonal: a row that depends on those
    before it keeps a pivot of that size; one that does not keeps at least 1e-8. Uncertainties play no part in it.

    Examples
    --------
    >>> independent_rows(sp.csr_matrix([[1.0, -1.0], [2.0, -2.0]])).sum()
    np.int64(1)
    """
    unit = _unit_rows(relations)
    gram = sp.csc_matrix(unit @ unit.T + 1e-13 * sp.eye_array(relations.shape[0]))
    factor = factorise(gram)
    kept = np.empty(relations.shape[0], dtype=bool)
    kept[np.argsort(factor.perm_c)] = factor.U.diagonal() > DEPENDENT
    return kept


def combination(relations: sp.csr_matrix, target: Floats) -> Floats:
    """Return the weights with which independent rows add up to ``target`` (least squares).

    Examples
    --------
    >>> combination(sp.csr_matrix([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]), np.array([1.0, 0.0, -1.0])).round(9).tolist()
    [1.0, 1.0]
    """
    return factorise(sp.csc_matrix(relations @ relations.T)).solve(relations @ target)


def nearest(
    relations: sp.csr_matrix, right: Floats, measured: Floats, covariance: sp.csr_matrix, factor: SuperLU
) -> tuple[Floats, float]:
    """Return the values nearest to the measured ones that satisfy the relations, and the weighted squares.

    Parameters
    ----------
    relations : (r, n) csr matrix
        Independent rows.
    right : (r,) array
    measured : (n,) array
        Zero where nothing was measured.
    covariance : (n, n) csr matrix
        Zero where nothing was measured.
    factor : SuperLU
        Factor of the normal matrix.

    Returns
    -------
    values : (n,) array
    chi_square : float
        Minimum of the weighted squares.

    Examples
    --------
    >>> relation, spread = sp.csr_matrix([[1.0, -1.0]]), sp.csr_matrix([[100.0, 0.0], [0.0, 100.0]])
    >>> factor = factorise(normal_matrix(relation, spread))
    >>> values, chi_square = nearest(relation, np.zeros(1), np.array([100.0, 110.0]), spread, factor)
    >>> values.round(9).tolist(), round(chi_square, 9)
    ([105.0, 105.0], 0.5)
    """
    gap = relations @ measured - right
    multipliers = factor.solve(gap)
    values = measured - covariance @ (relations.T @ multipliers)
    chi_square = float(multipliers @ gap)
    rest = relations @ values - right
    return values - covariance @ (relations.T @ factor.solve(rest)), chi_square


def removed_variance(relations: sp.csr_matrix, covariance: sp.csr_matrix, factor: SuperLU) -> Floats:
    """Return the diagonal of ``Q G' (G Q G')^-1 G Q``: the variance the relations take off each value.

    Parameters
    ----------
    relations : (r, n) csr matrix
        Independent rows.
    covariance : (n, n) csr matrix
    factor : SuperLU
        Factor of the normal matrix.

    Returns
    -------
    (n,) array

    Notes
    -----
    A column of ``G Q`` without correlations couples only rows that the normal matrix couples too, so the inverse is
    needed at its pattern alone (selected inversion). Columns of correlated values are solved for in blocks.
    """
    spread = sp.csc_matrix(relations @ covariance)
    spread.sort_indices()
    others = sp.csr_matrix(covariance - sp.diags_array(covariance.diagonal()))
    others.eliminate_zeros()
    removed = np.zeros(relations.shape[1])
    filled = np.diff(spread.indptr) > 0
    correlated = (np.diff(others.indptr) > 0) & filled
    simple = np.flatnonzero(filled & ~correlated)
    if simple.size:
        removed[simple] = _by_selected_inverse(spread[:, simple], factor)
    apart = np.flatnonzero(correlated)
    removed[apart] = solved_squares(spread[:, apart], factor)
    return removed


def _by_selected_inverse(columns: sp.csc_matrix, factor: SuperLU) -> Floats:
    """Return ``c' N^-1 c`` for every column, from the inverse at the factor's pattern."""
    columns = sp.csc_matrix(columns)
    inverse = selected_inverse(factor)
    counts = np.diff(columns.indptr).astype(np.int64)
    squares = np.empty(counts.size)
    ends = np.cumsum(counts**2)
    start = 0
    while start < counts.size:
        before = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + PAIRS_AT_ONCE, side="right")))
        count, begin = counts[start:stop], columns.indptr[start:stop].astype(np.int64)
        pairs = count**2
        owner = np.repeat(np.arange(count.size), pairs)
        within = np.arange(int(pairs.sum())) - np.repeat(np.cumsum(pairs) - pairs, pairs)
        left = begin[owner] + within // count[owner]
        right = begin[owner] + within % count[owner]
        found = entries(inverse, columns.indices[left].astype(np.int64), columns.indices[right].astype(np.int64))
        squares[start:stop] = np.bincount(owner, columns.data[left] * found * columns.data[right], minlength=count.size)
        start = stop
    return squares


def solved_squares(columns: sp.csc_matrix, factor: SuperLU) -> Floats:
    """Return ``c' N^-1 c`` for every column, by solving for blocks of columns.

    Examples
    --------
    >>> factor = factorise(sp.csc_matrix([[4.0, 0.0], [0.0, 2.0]]))
    >>> solved_squares(sp.csc_matrix([[2.0, 0.0], [0.0, 2.0]]), factor).tolist()
    [1.0, 2.0]
    """
    squares = np.empty(columns.shape[1])
    for start in range(0, columns.shape[1], BLOCK):
        dense = columns[:, start : start + BLOCK].toarray()
        squares[start : start + BLOCK] = np.einsum("ij,ij->j", dense, factor.solve(dense))
    return squares
