"""Where one more facility serves most: maximum cover and p-median as integer programmes solved to proof."""

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Siting:
    """Chosen places with what they bring.

    ``chosen`` are positions of candidates; ``value`` is the people newly served (maximum cover) or the mean minutes
    per person (p-median); ``bound`` is proven: no choice is better.
    """

    chosen: Ints
    value: float
    bound: float
    status: str


def maximum_cover(covers: csr_array, people: Floats, number: int, time_limit: float = 60.0) -> Siting:
    """Return the ``number`` places that serve most people (maximal covering location, Church and ReVelle 1974).

    ``max sum people_i z_i``, ``z_i <= sum of y_j over the places j that cover i``, ``sum y = number``, y binary.

    Parameters
    ----------
    covers : csr_array
        Cells that a place covers (C, J): non-zero where place ``j`` serves cell ``i``.
    people : ndarray
        People of each cell that are not served yet (C,).
    number : int
        Places to choose.
    time_limit : float
        Seconds.

    Examples
    --------
    >>> covers = csr_array(np.array([[1, 0, 1], [1, 0, 0], [0, 1, 0]]))
    >>> best = maximum_cover(covers, np.array([5.0, 1.0, 4.0]), 1)
    >>> best.chosen.tolist(), best.value
    ([0], 6.0)
    """
    places = covers.shape[1]
    number = min(number, places)
    wanted = np.flatnonzero((people > 0) & (np.diff(covers.indptr) > 0))
    if number == 0 or wanted.size == 0:
        return Siting(np.zeros(0, dtype=np.int64), 0.0, 0.0, "optimal")
    if number == 1:
        gain = people[wanted] @ (covers[wanted].toarray() != 0)
        best = int(np.argmax(gain))
        return Siting(np.array([best]), float(gain[best]), float(gain[best]), "optimal")
    part = covers[wanted].tocoo()
    cell, place = part.row.astype(np.int64), part.col.astype(np.int64)
    row = np.concatenate((np.arange(wanted.size), cell, np.full(places, wanted.size)))
    column = np.concatenate((places + np.arange(wanted.size), place, np.arange(places)))
    value = np.concatenate((np.ones(wanted.size), -np.ones(part.nnz), np.ones(places)))
    matrix = coo_array((value, (row, column)), shape=(wanted.size + 1, places + wanted.size)).tocsr()
    cost = np.concatenate((np.zeros(places), people[wanted]))
    lower = np.concatenate((np.full(wanted.size, -np.inf), [float(number)]))
    upper = np.concatenate((np.zeros(wanted.size), [float(number)]))
    whole = np.arange(places)
    values, objective, bound, status = _solve(matrix, cost, lower, upper, whole, time_limit, maximise=True)
    return Siting(np.flatnonzero(values[:places] > 0.5), objective, bound, status)


def p_median(minutes: Floats, people: Floats, number: int, time_limit: float = 60.0) -> Siting:
    """Return the ``number`` places with the least mean minutes per person (p-median, Hakimi 1964).

    ``min sum people_i minutes_ij x_ij``, ``sum_j x_ij = 1``, ``x_ij <= y_j``, ``sum y = number``, y binary.

    Parameters
    ----------
    minutes : ndarray
        Minutes from each cell to each place (C, J); infinite where there is no way: that counts as twice the longest
        time, and a cell without a way to any place does not count.
    people : ndarray
        People of each cell (C,).
    number : int
        Places to choose.
    time_limit : float
        Seconds.

    Examples
    --------
    >>> best = p_median(np.array([[0.0, 9.0], [9.0, 0.0], [8.0, 1.0]]), np.array([1.0, 1.0, 1.0]), 1)
    >>> best.chosen.tolist(), round(best.value, 3)
    ([1], 3.333)
    """
    places = minutes.shape[1]
    number = min(number, places)
    finite = np.isfinite(minutes)
    reached = np.flatnonzero(finite.any(axis=1) & (people > 0))
    if number == 0 or reached.size == 0:
        return Siting(np.zeros(0, dtype=np.int64), float("nan"), float("nan"), "infeasible")
    far = 2.0 * float(minutes[finite].max())
    times, weight = np.where(finite, minutes, far)[reached], people[reached] / people[reached].sum()
    if number == 1:
        mean = weight @ times
        best = int(np.argmin(mean))
        return Siting(np.array([best]), float(mean[best]), float(mean[best]), "optimal")
    at, place = (part.ravel() for part in np.indices(times.shape))
    links = at.size
    row = np.concatenate((at, reached.size + np.arange(links), reached.size + np.arange(links)))
    column = np.concatenate((places + np.arange(links), places + np.arange(links), place))
    value = np.concatenate((np.ones(links), np.ones(links), -np.ones(links)))
    row = np.concatenate((row, np.full(places, reached.size + links)))
    column, value = np.concatenate((column, np.arange(places))), np.concatenate((value, np.ones(places)))
    matrix = coo_array((value, (row, column)), shape=(reached.size + links + 1, places + links)).tocsr()
    cost = np.concatenate((np.zeros(places), weight[at] * times.ravel()))
    lower = np.concatenate((np.ones(reached.size), np.full(links, -np.inf), [float(number)]))
    upper = np.concatenate((np.ones(reached.size), np.zeros(links), [float(number)]))
    values, objective, bound, status = _solve(matrix, cost, lower, upper, np.arange(places), time_limit, maximise=False)
    chosen = np.flatnonzero(values[:places] > 0.5) if values.size else np.zeros(0, dtype=np.int64)
    return Siting(chosen, objective, bound, status)


def _solve(
    matrix: csr_array, cost: Floats, lower: Floats, upper: Floats, whole: Ints, time_limit: float, *, maximise: bool
) -> tuple[Floats, float, float, str]:
    """Solve a programme with columns from 0 to 1; returns values, objective, proven bound and status."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves its constructor without types
    solver.silent()
    for name, value in (("threads", 1), ("random_seed", 1), ("mip_rel_gap", 0.0), ("time_limit", time_limit)):
        solver.setOptionValue(name, value)
    size = cost.size
    columns = np.arange(size, dtype=np.int32)
    solver.addVars(size, np.zeros(size), np.ones(size))
    solver.changeColsCost(size, columns, cost)
    solver.changeColsIntegrality(whole.size, whole.astype(np.int32), np.ones(whole.size, dtype=np.uint8))
    solver.addRows(matrix.shape[0], lower, upper, matrix.nnz, matrix.indptr, matrix.indices, matrix.data)
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize if maximise else highspy.ObjSense.kMinimize)
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return np.zeros(0), np.nan, np.nan, "infeasible"
    done = "optimal" if status == highspy.HighsModelStatus.kOptimal else "time_limit"
    values = np.asarray(solver.getSolution().col_value, dtype=np.float64)
    return values, float(solver.getObjectiveValue()), float(solver.getInfo().mip_dual_bound), done
