"""Which bounds hold at the nearest values: a convex quadratic programme, solved by HiGHS."""

import highspy
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from cyclopolis.foundation.problems import user_error

Floats = NDArray[np.float64]

TOUCH = 1e-6
FORCE = 1e-7
UNIT = 1e-6


def _weights(covariance: sp.csr_matrix) -> sp.csc_matrix:
    """Return the inverse of the covariance of the measured values, group by correlated group."""
    size = covariance.shape[0]
    count, labels = sp.csgraph.connected_components(covariance, directed=False)
    diagonal = covariance.diagonal()
    plain = np.bincount(labels, minlength=count)[labels] == 1
    alone = np.flatnonzero(plain & (diagonal > 0))
    rows, columns, values = [alone], [alone], [1.0 / diagonal[alone]]
    for label in np.unique(labels[~plain]).tolist():
        group = np.flatnonzero(labels == label)
        rows.append(np.repeat(group, group.size))
        columns.append(np.tile(group, group.size))
        values.append(np.linalg.inv(covariance[group][:, group].toarray()).ravel())
    joined = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sp.csc_matrix(joined, shape=(size, size))


def active_bounds(
    matrix: sp.csr_matrix,
    right: Floats,
    measured: Floats,
    covariance: sp.csr_matrix,
    lower: Floats,
    upper: Floats,
    point: Floats,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which lower and which upper bounds hold with force at the nearest values.

    Parameters
    ----------
    matrix, right
        Linear relations ``matrix @ z = right``.
    measured : (n,) array
        Zero where nothing was measured.
    covariance : (n, n) csr matrix
        Of the measured values, zero where nothing was measured.
    lower, upper : (n,) arrays
        Bounds, infinite where there is none.
    point : (n,) array
        Values nearby, for the scale of what was not measured.

    Returns
    -------
    at_lower, at_upper : (n,) bool arrays

    Raises
    ------
    UserError
        If no values satisfy the relations within the bounds.

    Examples
    --------
    >>> held, _ = active_bounds(sp.csr_matrix([[1.0, -1.0]]), np.zeros(1), np.array([-3.0, 1.0]),
    ...                         sp.csr_matrix(np.eye(2)), np.zeros(2), np.full(2, np.inf), np.zeros(2))
    >>> bool(held.any())
    True
    """
    deviation = np.sqrt(covariance.diagonal())
    unit = np.where(deviation > 0, deviation, np.maximum(np.abs(point), UNIT * np.abs(point).max(initial=1.0)))
    origin = np.where(deviation > 0, measured, point)
    scaled = sp.csr_matrix(matrix @ sp.diags_array(unit))
    rows = 1.0 / np.maximum(abs(scaled).max(axis=1).toarray().ravel(), np.finfo(float).tiny)
    low, high = (lower - origin) / unit, (upper - origin) / unit
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # HiGHS ships no types for it
    solver.setOptionValue("output_flag", False)
    scaled = sp.csr_matrix(sp.diags_array(rows) @ scaled)
    solver.passModel(_model(scaled, rows * (right - matrix @ origin), low, high))
    scaler = sp.diags_array(unit)
    solver.passHessian(_hessian(sp.csc_matrix(sp.tril(scaler @ _weights(covariance) @ scaler))))
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise user_error("metabolism.bounds_impossible")
    solution = solver.getSolution()
    values, duals = np.array(solution.col_value), np.array(solution.col_dual)
    return (values - low < TOUCH) & (duals > FORCE), (high - values < TOUCH) & (duals < -FORCE)


def _model(matrix: sp.csr_matrix, right: Floats, lower: Floats, upper: Floats) -> highspy.HighsLp:
    """Return the linear part of the programme."""
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = matrix.shape
    model.col_cost_, model.col_lower_, model.col_upper_ = np.zeros(lower.size), lower, upper
    model.row_lower_ = model.row_upper_ = right
    columns = sp.csc_matrix(matrix)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = columns.indptr, columns.indices
    model.a_matrix_.value_ = columns.data
    return model


def _hessian(triangle: sp.csc_matrix) -> highspy.HighsHessian:
    """Return the quadratic part, its lower triangle column by column."""
    hessian = highspy.HighsHessian()
    hessian.dim_ = triangle.shape[0]
    hessian.format_ = highspy.HessianFormat.kTriangular
    hessian.start_, hessian.index_, hessian.value_ = triangle.indptr, triangle.indices, triangle.data
    return hessian
