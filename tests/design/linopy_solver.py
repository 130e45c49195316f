"""A linopy model solved by HiGHS: silent, one thread, seeded, best solution with its bound.

linopy writes the model; its matrices go to HiGHS here, because only so can the run stay silent, begin its gap at the
base year (an offset) and be polished with its whole numbers fixed.
"""

from dataclasses import dataclass

import highspy
import linopy
import numpy as np
from linopy.matrices import MatrixAccessor
from numpy.typing import NDArray

from cyclopolis.design.problem import SolveOptions
from cyclopolis.network.model import Floats

_INFEASIBLE = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)


@dataclass(frozen=True)
class Run:
    """What HiGHS answered: status, value of every variable by its label, objective and bound in the model's units."""

    status: str
    values: Floats
    objective: float
    bound: float
    seconds: float


def _silent() -> highspy.Highs:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves its constructor without types
    solver.silent()
    return solver


def _highs(matrices: MatrixAccessor, offset: float, options: SolveOptions) -> tuple[highspy.Highs, float]:
    """Return HiGHS loaded with the model, and the factor by which its objective was divided."""
    cost = np.asarray(matrices.c, dtype=np.float64)
    scale = max(float(np.abs(cost).max(initial=0.0)) / 1e3, 1e-9)
    solver = _silent()
    for name, value in (
        ("threads", options.threads),
        ("parallel", "off"),
        ("random_seed", options.seed),
        ("mip_rel_gap", options.gap),
        ("mip_abs_gap", 0.0),
        # at 1e-9 HiGHS cuts off good designs and calls the rest proven; `_polish` mends what 1e-7 leaves
        ("mip_feasibility_tolerance", 1e-7),
        ("time_limit", options.time_limit),
    ):
        solver.setOptionValue(name, value)
    columns = np.arange(cost.size, dtype=np.int32)
    solver.addVars(cost.size, matrices.lb, matrices.ub)
    solver.changeColsCost(cost.size, columns, cost / scale)
    whole = columns[matrices.vtypes != "C"]
    solver.changeColsIntegrality(whole.size, whole, np.ones(whole.size, dtype=np.uint8))
    if matrices.A is not None:
        rows = matrices.A.tocsr()
        lower = np.where(matrices.sense != "<", matrices.b, -np.inf)
        upper = np.where(matrices.sense != ">", matrices.b, np.inf)
        solver.addRows(rows.shape[0], lower, upper, rows.nnz, rows.indptr, rows.indices, rows.data)
    solver.changeObjectiveOffset(offset / scale)
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    return solver, scale


def _polish(solver: highspy.Highs, whole: NDArray[np.int32], values: Floats, options: SolveOptions) -> None:
    """Fix the whole numbers at their rounded values and solve the rest again, free of integrality tolerances."""
    if whole.size == 0:
        return
    fixed = np.round(values[whole])
    solver.changeColsBounds(whole.size, whole, fixed, fixed)
    solver.changeColsIntegrality(whole.size, whole, np.zeros(whole.size, dtype=np.uint8))
    solver.setOptionValue("time_limit", solver.getRunTime() + max(options.time_limit, 10.0))
    solver.run()


def maximise(model: linopy.Model, offset: float, options: SolveOptions) -> Run:
    """Solve a linopy model for its greatest objective plus ``offset``.

    Parameters
    ----------
    model : linopy.Model
        Model with an objective to be maximised; column and row scaling of linopy are honoured.
    offset : float
        Constant added to the objective; the relative gap is measured on the sum.
    options : SolveOptions
        Gap, time limit (s), threads, seed.

    Returns
    -------
    Run
        Status optimal, time_limit, no_solution, infeasible or unbounded; ``values`` is empty unless a solution exists.
    """
    matrices = model.matrices
    solver, scale = _highs(matrices, offset, options)
    solver.run()
    status = solver.getModelStatus()
    seconds = float(solver.getRunTime())
    nothing = Run("no_solution", np.zeros(0), np.nan, np.nan, seconds)
    if status == highspy.HighsModelStatus.kUnbounded:
        return Run("unbounded", nothing.values, np.inf, np.inf, seconds)
    if status in _INFEASIBLE:
        return Run("infeasible", nothing.values, np.nan, np.nan, seconds)
    info = solver.getInfo()
    whole = np.flatnonzero(matrices.vtypes != "C").astype(np.int32)
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if not feasible:
        return nothing
    objective = float(solver.getObjectiveValue())
    bound = float(info.mip_dual_bound) if whole.size else objective
    values = np.asarray(solver.getSolution().col_value, dtype=np.float64)
    _polish(solver, whole, values, options)
    if solver.getModelStatus() == highspy.HighsModelStatus.kOptimal:
        objective = float(solver.getObjectiveValue())
        values = np.asarray(solver.getSolution().col_value, dtype=np.float64)
    done = "optimal" if status == highspy.HighsModelStatus.kOptimal else "time_limit"
    natural = values / matrices.var_scaling
    return Run(done, natural, objective * scale, max(bound, objective) * scale, seconds)
