"""A linear programme with or without whole numbers on plain arrays, solved by one silent HiGHS of its own.

Every call makes its own solver with one thread, so that calls may run side by side and answer the same every time.
"""

from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
_STATUS = {
    highspy.HighsModelStatus.kOptimal: "optimal",
    highspy.HighsModelStatus.kInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnboundedOrInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnbounded: "unbounded",
}


@dataclass(frozen=True)
class Programme:
    """Minimise ``cost @ z`` over ``low <= matrix @ z <= high``, ``lower <= z <= upper``, some z whole."""

    cost: Floats
    matrix: csr_array
    low: Floats
    high: Floats
    lower: Floats
    upper: Floats
    whole: Bools


@dataclass(frozen=True)
class Optimum:
    """``status`` is optimal, time_limit (best found), infeasible, unbounded or no_solution; ``z`` is empty without one.

    Nothing is below ``bound``. ``dual`` holds the rows' multipliers of a programme without whole numbers.
    """

    status: str
    z: Floats
    value: float
    bound: float
    dual: Floats


def solve(programme: Programme, *, time_limit: float = 60.0, gap: float = 1e-9) -> Optimum:
    """Solve a programme.

    Examples
    --------
    >>> row = csr_array(np.array([[1.0, 1.0]]))
    >>> small = Programme(
    ...     np.array([1.0, 2.0]), row, np.array([1.5]), np.array([np.inf]), np.zeros(2), np.ones(2), np.zeros(2, bool)
    ... )
    >>> solve(small).value
    2.0
    """
    size = programme.cost.size
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves its constructor without types
    solver.silent()
    for name, value in (
        ("threads", 1),
        ("parallel", "off"),
        ("random_seed", 1),
        ("mip_rel_gap", gap),
        ("mip_abs_gap", 1e-9),
        ("primal_feasibility_tolerance", 1e-9),
        ("mip_feasibility_tolerance", 1e-8),
        ("time_limit", time_limit),
    ):
        solver.setOptionValue(name, value)
    columns = np.arange(size, dtype=np.int32)
    solver.addVars(size, programme.lower, programme.upper)
    solver.changeColsCost(size, columns, programme.cost)
    whole = columns[programme.whole]
    if whole.size:
        solver.changeColsIntegrality(whole.size, whole, np.ones(whole.size, dtype=np.uint8))
    rows = csr_array(programme.matrix)
    solver.addRows(rows.shape[0], programme.low, programme.high, rows.nnz, rows.indptr, rows.indices, rows.data)
    solver.run()
    status = _STATUS.get(solver.getModelStatus(), "time_limit")
    info = solver.getInfo()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    none = np.zeros(0)
    if status in ("infeasible", "unbounded") or not found:
        return Optimum(status if status != "time_limit" else "no_solution", none, np.nan, -np.inf, none)
    solution = solver.getSolution()
    value = float(solver.getObjectiveValue())
    bound = float(info.mip_dual_bound) if whole.size else value
    dual = np.asarray(solution.row_dual, dtype=np.float64)
    return Optimum(status, np.asarray(solution.col_value, dtype=np.float64), value, min(bound, value), dual)
