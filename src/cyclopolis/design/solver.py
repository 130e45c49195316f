"""A programme solved by HiGHS: silent, one thread, seeded, best solution with its bound."""

import highspy
import numpy as np
from numpy.typing import NDArray

from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Answer, Objective, Program
from cyclopolis.network.model import Floats

_INFEASIBLE = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)


def _silent() -> highspy.Highs:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves its constructor without types
    solver.silent()
    return solver


def pass_program(program: Program, options: SolveOptions) -> highspy.Highs:
    """Return HiGHS loaded with a programme, its options set, without an objective."""
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
    solver.addVars(program.lower.size, program.lower, program.upper)
    whole = np.flatnonzero(program.integer).astype(np.int32)
    solver.changeColsIntegrality(whole.size, whole, np.ones(whole.size, dtype=np.uint8))
    matrix = program.matrix
    if matrix.shape[0]:
        indptr, indices = matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)
        solver.addRows(matrix.shape[0], program.row_lower, program.row_upper, matrix.nnz, indptr, indices, matrix.data)
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    return solver


def _polish(solver: highspy.Highs, whole: NDArray[np.int32], values: Floats, options: SolveOptions) -> None:
    """Fix the whole numbers at their rounded values and solve the rest again, free of integrality tolerances."""
    if whole.size == 0:
        return
    fixed = np.round(values[whole])
    solver.changeColsBounds(whole.size, whole, fixed, fixed)
    solver.changeColsIntegrality(whole.size, whole, np.zeros(whole.size, dtype=np.uint8))
    solver.setOptionValue("time_limit", solver.getRunTime() + max(options.time_limit, 10.0))
    solver.run()


def maximise(program: Program, goal: Objective, options: SolveOptions) -> Answer:
    """Solve a programme for the greatest value of an objective.

    Parameters
    ----------
    program : Program
    goal : Objective
        The relative gap is measured on its value, constant included.
    options : SolveOptions
        Gap, time limit (s), threads, seed.

    Returns
    -------
    Answer
        Status optimal, time_limit, no_solution, infeasible or unbounded; ``natural`` is empty unless a solution exists.
    """
    cost = goal.weights * program.scale
    scale = max(float(np.abs(cost).max(initial=0.0)) / 1e3, 1e-9)
    solver = pass_program(program, options)
    solver.changeColsCost(cost.size, np.arange(cost.size, dtype=np.int32), cost / scale)
    solver.changeObjectiveOffset(goal.constant / scale)
    solver.run()
    status = solver.getModelStatus()
    seconds = float(solver.getRunTime())
    nothing = np.zeros(0)
    if status == highspy.HighsModelStatus.kUnbounded:
        return Answer("unbounded", nothing, np.inf, np.inf, seconds)
    if status in _INFEASIBLE:
        return Answer("infeasible", nothing, np.nan, np.nan, seconds)
    info = solver.getInfo()
    whole = np.flatnonzero(program.integer).astype(np.int32)
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return Answer("no_solution", nothing, np.nan, np.nan, seconds)
    objective = float(solver.getObjectiveValue())
    bound = float(info.mip_dual_bound) if whole.size else objective
    values = np.asarray(solver.getSolution().col_value, dtype=np.float64)
    _polish(solver, whole, values, options)
    if solver.getModelStatus() == highspy.HighsModelStatus.kOptimal:
        objective = float(solver.getObjectiveValue())
        values = np.asarray(solver.getSolution().col_value, dtype=np.float64)
    done = "optimal" if status == highspy.HighsModelStatus.kOptimal else "time_limit"
    return Answer(done, values * program.scale, objective * scale, max(bound, objective) * scale, seconds)
