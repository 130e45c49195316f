"""Uncertainties of many unknowns at once, by selected inversion of the relations and unknowns together.

With relations ``A z + B u = b``, measured covariance Q and ``N = A Q A'``, the unknowns' covariance is ``-`` the lower
right block of ``[[N, B], [B', 0]]^-1``. Its diagonal lies in the pattern of the matrix, so that one factor and one
selected inversion give all variances. Every unknown is eliminated right after a relation it stands in (a matching), so
that no pivot is zero at the start.
"""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import maximum_bipartite_matching
from scipy.sparse.linalg import SuperLU, splu

from cyclopolis.industry.metabolism.reconcile_inverse import entries, selected_inverse
from cyclopolis.industry.metabolism.reconcile_solve import factorise

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOOSE = 1e-8


def _largest(matrix: sp.csr_matrix, axis: int) -> Floats:
    """Return the largest absolute entry of each row or column."""
    return np.asarray(abs(matrix).max(axis=axis).toarray()).ravel()


def _order(joint: sp.csr_matrix, mates: Ints) -> Ints:
    """Return a fill-reducing order in which each unknown follows its relation.

    Parameters
    ----------
    joint : (m + k, m + k) csr matrix
        Relations first, then unknowns.
    mates : (k,) int array
        The relation each unknown follows.

    Returns
    -------
    (m + k,) int array
    """
    count = joint.shape[0] - mates.size
    group = np.append(np.arange(count), mates)
    coarse = sp.csr_matrix((np.ones(group.size), (np.arange(group.size), group)), (group.size, count))
    pattern = sp.csr_matrix(coarse.T @ abs(joint) @ coarse)
    pattern.data[:] = -1.0
    dominant = sp.csc_matrix(pattern + sp.diags_array(np.diff(pattern.indptr) + 1.0))
    order = np.argsort(factorise(dominant).perm_c)
    follower = np.full(count, -1, dtype=np.int64)
    follower[mates] = count + np.arange(mates.size)
    both = np.stack([order, follower[order]], axis=1).ravel()
    return np.asarray(both[both >= 0], dtype=np.int64)


def hidden_variances(matrix: sp.csr_matrix, covariance: sp.csr_matrix, kept_rows: Ints, columns: Ints) -> Floats | None:
    """Return the variances of all unknowns found by an elimination.

    Parameters
    ----------
    matrix : (m, n) csr matrix
        The relations as they were before elimination.
    covariance : (n, n) csr matrix
        Of the measured values.
    kept_rows : int array
        Independent relations, among them those the unknowns were found from.
    columns : (k,) int array
        The unknowns that were found.

    Returns
    -------
    (k,) array or None
        None when a pivot vanished. A relation without any measured value is taken as known to 1e-4 of the others'
        scale, which moves a variance by about 1e-8 of itself.

    Examples
    --------
    Two flows known to 3 and 4 meet; the third is their sum:

    >>> hidden_variances(sp.csr_matrix([[1.0, 1.0, -1.0]]), sp.csr_matrix(np.diag([9.0, 16.0, 0.0])),
    ...                  np.array([0]), np.array([2])).round(9).tolist()
    [25.0]
    """
    rows = sp.csr_matrix(matrix[kept_rows])
    normal = sp.csr_matrix((rows @ covariance) @ rows.T)
    unknown = sp.csr_matrix(rows[:, columns])
    mates = maximum_bipartite_matching(unknown, perm_type="row").astype(np.int64)
    if (mates < 0).any():
        return None
    diagonal = normal.diagonal()
    bare = diagonal <= 0
    row_scale = np.where(bare, 1.0, 1.0 / np.sqrt(np.where(bare, 1.0, diagonal)))
    column_scale = 1.0 / _largest(sp.csr_matrix(sp.diags_array(np.where(bare, 0.0, row_scale)) @ unknown), 0).clip(
        1e-300
    )
    lone = column_scale >= 1e299
    column_scale[lone] = 1.0 / _largest(unknown, 0)[lone]
    reach = _largest(sp.csr_matrix(unknown @ sp.diags_array(column_scale)), 1)
    row_scale = np.where(bare, 1.0 / np.where(reach > 0, reach, 1.0), row_scale)
    scaler = sp.diags_array(row_scale)
    top = scaler @ normal @ scaler + sp.diags_array(np.where(bare, LOOSE, 0.0))
    side = scaler @ unknown @ sp.diags_array(column_scale)
    joint = sp.csr_matrix(sp.block_array([[top, side], [side.T, None]], format="csr"))
    order = _order(joint, mates)
    factor = _factor(sp.csc_matrix(joint[order][:, order]))
    if factor is None:
        return None
    place = np.empty(order.size, dtype=np.int64)
    place[order] = np.arange(order.size)
    spots = place[rows.shape[0] + np.arange(columns.size)]
    return np.asarray(-entries(selected_inverse(factor), spots, spots) * column_scale**2)


def _factor(matrix: sp.csc_matrix) -> SuperLU | None:
    """Factor in the given order, without row interchange; None when that cannot be."""
    try:
        factor = splu(matrix, permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except RuntimeError:
        return None
    return factor if (factor.perm_r == factor.perm_c).all() else None
