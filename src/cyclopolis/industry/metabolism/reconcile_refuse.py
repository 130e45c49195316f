"""Say which relations contradict each other, by their names."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.industry.metabolism.reconcile_eliminate import eliminate
from cyclopolis.industry.metabolism.reconcile_linear import Conflict
from cyclopolis.industry.metabolism.reconcile_problem import ReconcileProblem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHARE = 1e-7
NAMED = 5
LOOKED_AT = 20


def _traced(matrix: sp.csr_matrix, right: Floats, unknown: NDArray[np.bool_]) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Eliminate again with a mark on every row: returns the reduced rows, and the rows each was summed from."""
    count, width = matrix.shape
    marked = sp.csr_matrix(sp.hstack([matrix, sp.eye_array(count)], format="csr"))
    done = eliminate(marked, right, np.append(unknown, np.zeros(count, dtype=bool)))
    return sp.csr_matrix(done.reduced[:, :width]), sp.csr_matrix(done.reduced[:, width:])


def _listed(names: list[str]) -> str:
    """Join at most five names."""
    more = f" … ({len(names)})" if len(names) > NAMED else ""
    return ", ".join(f"“{name}”" for name in names[:NAMED]) + more


def refuse_contradiction(
    problem: ReconcileProblem,
    relations: tuple[sp.csr_matrix, Floats],
    unknown: NDArray[np.bool_],
    conflicts: tuple[Conflict, ...],
    exact_columns: sp.csr_matrix,
) -> None:
    """Raise the error that names the relations and the exact values in every conflict.

    Parameters
    ----------
    problem : ReconcileProblem
    relations : (matrix, right)
        As `linearise` returns them.
    unknown : (n,) bool array
    conflicts : tuple of Conflict
    exact_columns : (m + p, n) csr matrix
        Which exact values stand in which relation (not zero where one does).

    Raises
    ------
    UserError
        Always, when there is a conflict.
    """
    if not conflicts:
        return
    _, origin = _traced(*relations, unknown)
    faults = []
    for conflict in conflicts:
        sums = np.asarray(conflict.weights @ origin[conflict.rows]).ravel()
        rows = np.flatnonzero(np.abs(sums) > SHARE * np.abs(sums).max())
        constants = np.unique(exact_columns[rows].indices)
        listed = _listed([problem.name(index) for index in constants.tolist()])
        faults.append(
            Problem(
                message(
                    "metabolism.contradiction",
                    rows=_listed([problem.relation_name(row) for row in rows.tolist()]),
                    constants=listed or message("metabolism.no_constants"),
                    gap=abs(conflict.gap),
                )
            )
        )
    raise UserError(faults)


def refuse_loop(
    problem: ReconcileProblem,
    relations: tuple[sp.csr_matrix, Floats, Floats],
    suspects: Ints,
    exact: NDArray[np.bool_],
) -> None:
    """Raise the error for a loop of exact coefficients that sums to 1.

    Such a loop forces what flows into it to 0 whatever was measured. It shows as a quantity that exact relations
    alone, none of them with an exact flow in it, hold at 0.

    Parameters
    ----------
    problem : ReconcileProblem
    relations : (matrix, right, size)
        As `linearise` returns them.
    suspects : int array
        Quantities found to be exactly 0 although not given as exact; the first 20 are looked at.
    exact : (n,) bool array

    Raises
    ------
    UserError
        For the first suspect that a loop holds at 0.
    """
    matrix, right, size = relations
    count = problem.linear.shape[0]
    products = problem.product_rows
    steady = exact[products[:, 1]] & (problem.values[products[:, 1]] != 0)
    if not steady.any():
        return
    rows_kept = np.flatnonzero(np.append(np.ones(count, dtype=bool), steady) & (size == 0))
    for suspect in suspects[:LOOKED_AT].tolist():
        others = np.ones(matrix.shape[1], dtype=bool)
        others[suspect] = False
        reduced, origin = _traced(matrix[rows_kept], right[rows_kept], others)
        for row in np.flatnonzero(np.diff(reduced.indptr) > 0).tolist():
            rows = rows_kept[origin[[row]].indices]
            if (rows >= count).any():
                coefficients_first = rows[np.lexsort((rows, rows < count))]
                listed = _listed([problem.relation_name(int(item)) for item in coefficients_first])
                raise UserError(message("metabolism.exact_loop", rows=listed, name=problem.name(suspect)))
