"""One silent HiGHS instance that keeps a compiled programme: only bounds, costs and coefficients change between solves.

A `Kept` belongs to one thread at a time. HiGHS lets go of Python's lock while it runs, so several of them solve side by
side in Python threads, each on one thread of its own.
"""

import threading

import highspy
import numpy as np
from highspy.highs import HighsCallbackEvent

from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Answer, Objective, Program
from cyclopolis.network.model import Bools, Floats, Ints

COST_SIZE = 1e3
"""Largest cost of a column as HiGHS sees it; objectives are divided to meet it."""
ABSOLUTE_GAP = 1e-9
"""Gap below which HiGHS always stops, in its own scaled objective: a billionth of the dearest column."""
_POLISH_SECONDS = 10.0
"""Least time that polishing is given, whatever the time limit."""
_STATUS = highspy.HighsModelStatus
_CUT_SHORT = {_STATUS.kTimeLimit: "time_limit", _STATUS.kInterrupt: "interrupted"}


class Kept:
    """A programme compiled once and solved many times, always for its greatest objective.

    Integer programmes are solved afresh each time, so that an answer depends on nothing that was solved before but the
    ``start`` given; linear ones go on from their last basis until `restart`.

    Parameters
    ----------
    program : Program
        What is solved.
    options : SolveOptions
        Relative gap (of the objective, constant included), time limit (s) of each solve, threads, seed.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> one = np.ones(1)
    >>> program = Program(csr_array([[2.0]]), -np.inf * one, 7 * one, 0 * one, 9 * one, one > 0, one)
    >>> kept = Kept(program, SolveOptions())
    >>> kept.set_objective(Objective("gain", np.array([5.0]), 1.0))
    >>> kept.solve().objective
    16.0
    >>> kept.set_rows(np.array([0]), np.array([-np.inf]), np.array([9.0]))
    >>> kept.solve().natural.tolist()
    [4.0]
    """

    def __init__(self, program: Program, options: SolveOptions) -> None:
        self.options = options
        self._scale = program.scale
        self._whole = np.flatnonzero(program.integer)
        self._lower, self._upper = program.lower.copy(), program.upper.copy()
        self._unit = 1.0
        self._stop = threading.Event()
        self._solver = _loaded(program, self._whole, options)
        _listen(self._solver, self._stop)
        self.set_objective(Objective("nothing", np.zeros(program.scale.size)))

    def set_objective(self, objective: Objective) -> None:
        """Set what is maximised."""
        cost = objective.weights * self._scale
        self._unit = max(float(np.abs(cost).max(initial=0.0)) / COST_SIZE, 1e-12)
        self._solver.changeColsCost(cost.size, np.arange(cost.size), cost / self._unit)
        self._solver.changeObjectiveOffset(objective.constant / self._unit)

    def set_rows(self, index: Ints, lower: Floats, upper: Floats) -> None:
        """Set the bounds of some rows, in the unit that the programme gave them."""
        change = self._solver.changeRowsBounds  # type: ignore[attr-defined]  # highspy's stubs forget it
        change(index.size, index.astype(np.int32), lower, upper)

    def set_columns(self, index: Ints, lower: Floats, upper: Floats) -> None:
        """Set the bounds of some columns, in natural amounts."""
        scale = self._scale[index]
        self._lower[index], self._upper[index] = lower / scale, upper / scale
        self._solver.changeColsBounds(index.size, index.astype(np.int32), self._lower[index], self._upper[index])

    def set_coefficients(self, rows: Ints, columns: Ints, values: Floats) -> None:
        """Set entries of the matrix, over scaled columns as the programme has them; nought takes an entry out."""
        for row, column, value in zip(rows.tolist(), columns.tolist(), values.tolist(), strict=True):
            self._solver.changeCoeff(row, column, value)

    def restart(self) -> None:
        """Forget every basis, solution and random state: the next answer depends on nothing that was solved before."""
        self._solver.passModel(self._solver.getLp())  # clearing the solver would keep the state of its random numbers

    def cancel(self) -> None:
        """Make a running solve, or the next one, return the best found so far (safe from any thread)."""
        self._stop.set()

    def solve(
        self,
        start: Floats | None = None,
        duals: bool = False,
        gap: float | None = None,
        absolute_gap: float = 0.0,
        time_limit: float | None = None,
    ) -> Answer:
        """Solve for the greatest objective.

        In the main thread Ctrl-C ends the search and the best found so far is returned with status ``interrupted``.

        Parameters
        ----------
        start : ndarray, optional
            Natural amounts (V,) to start from; of integer programmes only the whole numbers are taken and the rest is
            found anew, so that an answer to other bounds will do.
        duals : bool
            Whether to return the duals of the linear programme that is left when whole numbers are fixed.
        gap : float, optional
            Relative gap, instead of the options' own.
        absolute_gap : float
            Gap in the objective's unit at which the search may stop, whichever of the two gaps comes first.
        time_limit : float, optional
            Seconds, instead of the options' own.

        Returns
        -------
        Answer
            The best found, its whole numbers exact, with a bound that no solution beats.
        """
        if self._whole.size:
            self._solver.clearSolver()
            if start is not None and start.size:
                self._solver.setSolution(self._whole.size, self._whole, np.round(start[self._whole]))
        self._solver.setOptionValue("mip_rel_gap", self.options.gap if gap is None else gap)
        self._solver.setOptionValue("mip_abs_gap", max(absolute_gap / self._unit, ABSOLUTE_GAP))
        limit = self.options.time_limit if time_limit is None else time_limit
        before = self._solver.getRunTime()
        try:
            status = self._run(max(limit, 0.0))
            return self._answer(status, before, limit, duals)
        finally:
            self._stop.clear()

    def _run(self, limit: float) -> highspy.HighsModelStatus:
        """Run HiGHS beside the main thread, which alone hears Ctrl-C."""
        self._solver.setOptionValue("time_limit", limit)
        if threading.current_thread() is not threading.main_thread():
            self._solver.run()
            return self._solver.getModelStatus()
        done = threading.Event()  # not `Thread.join`, which takes an interrupted thread for a finished one

        def beside() -> None:
            try:
                self._solver.run()
            finally:
                done.set()

        threading.Thread(target=beside, daemon=True).start()
        try:
            done.wait()
        except KeyboardInterrupt:
            self.cancel()
            done.wait()
        return self._solver.getModelStatus()

    def _answer(self, status: highspy.HighsModelStatus, before: float, limit: float, duals: bool) -> Answer:
        solver, nothing = self._solver, np.zeros(0)
        if status == _STATUS.kUnboundedOrInfeasible:
            status = self._which(limit)
        info = solver.getInfo()
        seconds = float(solver.getRunTime()) - before
        if status == _STATUS.kInfeasible:
            return Answer("infeasible", nothing, np.nan, np.nan, seconds)
        if status == _STATUS.kUnbounded:
            return Answer("unbounded", nothing, np.inf, np.inf, seconds)
        linear = self._whole.size == 0
        bound = float(solver.getObjectiveValue()) if linear else float(info.mip_dual_bound)
        if linear and status != _STATUS.kOptimal:
            bound = np.inf
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return Answer("no_solution", nothing, np.nan, bound * self._unit, seconds)
        objective = float(solver.getObjectiveValue())
        values = np.asarray(solver.getSolution().col_value, dtype=np.float64)
        rows = columns = nothing
        if linear and duals:
            rows, columns = self._duals()
        if not linear:
            objective, values, rows, columns = self._polished(values, objective, limit, duals)
        return Answer(
            status=_CUT_SHORT.get(status, "optimal" if status == _STATUS.kOptimal else "time_limit"),
            natural=values * self._scale,
            objective=objective * self._unit,
            bound=max(bound, objective) * self._unit,
            seconds=float(solver.getRunTime()) - before,
            row_dual=rows,
            column_dual=columns,
        )

    def _which(self, limit: float) -> highspy.HighsModelStatus:
        """Tell unbounded from infeasible: without costs only the second remains."""
        solver = self._solver
        cost = np.asarray(solver.getLp().col_cost_, dtype=np.float64)
        every = np.arange(cost.size)
        solver.changeColsCost(cost.size, every, np.zeros(cost.size))
        status = self._run(limit)
        solver.changeColsCost(cost.size, every, cost)
        return _STATUS.kUnbounded if status == _STATUS.kOptimal else status

    def _polished(
        self, values: Floats, objective: float, limit: float, duals: bool
    ) -> tuple[float, Floats, Floats, Floats]:
        """Fix the whole numbers at their rounded values and solve the rest again, free of integrality tolerances."""
        solver, whole, rows, columns = self._solver, self._whole, np.zeros(0), np.zeros(0)
        fixed = np.round(values[whole])
        solver.changeColsIntegrality(whole.size, whole, np.zeros(whole.size, dtype=np.uint8))
        solver.changeColsBounds(whole.size, whole, fixed, fixed)
        self._stop.clear()
        self._run(max(limit, _POLISH_SECONDS))
        if solver.getModelStatus() == _STATUS.kOptimal:
            objective = float(solver.getObjectiveValue())
            values = np.asarray(solver.getSolution().col_value, dtype=np.float64)
            values[whole] = fixed
            rows, columns = self._duals() if duals else (rows, columns)
        solver.changeColsBounds(whole.size, whole, self._lower[whole], self._upper[whole])
        solver.changeColsIntegrality(whole.size, whole, np.ones(whole.size, dtype=np.uint8))
        return objective, values, rows, columns

    def _duals(self) -> tuple[Floats, Floats]:
        """Return what one more of each row's and column's bound brings, in the objective's unit."""
        solution = self._solver.getSolution()
        rows = np.asarray(solution.row_dual, dtype=np.float64) * self._unit
        return rows, np.asarray(solution.col_dual, dtype=np.float64) * self._unit / self._scale


def _listen(solver: highspy.Highs, stop: threading.Event) -> None:
    """Let a run end soon after ``stop`` is set."""

    def asked(event: HighsCallbackEvent) -> None:
        if stop.is_set():
            event.interrupt()

    for happening in (solver.cbMipInterrupt, solver.cbSimplexInterrupt, solver.cbIpmInterrupt):
        happening.subscribe(asked)


def whole_fixed(program: Program, natural: Floats) -> Program:
    """Return the linear programme that is left when the whole numbers are fixed at those of a solution (V,)."""
    lower, upper = program.lower.copy(), program.upper.copy()
    whole: Bools = program.integer
    lower[whole] = upper[whole] = np.round(natural[whole])
    return Program(
        program.matrix, program.row_lower, program.row_upper, lower, upper, np.zeros_like(whole), program.scale
    )


def _loaded(program: Program, whole: Ints, options: SolveOptions) -> highspy.Highs:
    """Return HiGHS with the programme inside; its threads are set before its first run, later would be too late."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves its constructor without types
    solver.silent()
    for name, value in (
        ("threads", options.threads),
        ("parallel", "off"),
        ("random_seed", options.seed),
        # at 1e-9 HiGHS cuts off good designs and calls the rest proven; polishing mends what 1e-7 leaves
        ("mip_feasibility_tolerance", 1e-7),
        ("mip_heuristic_run_rens", options.heuristics),
        ("mip_heuristic_run_rins", options.heuristics),
        ("mip_heuristic_run_root_reduced_cost", options.heuristics),
        ("mip_allow_restart", options.heuristics),
    ):
        solver.setOptionValue(name, value)
    columns, rows = program.scale.size, program.row_lower.size
    solver.addVars(columns, program.lower, program.upper)
    if whole.size:
        solver.changeColsIntegrality(whole.size, whole, np.ones(whole.size, dtype=np.uint8))
    matrix = program.matrix
    if rows:
        solver.addRows(
            rows,
            program.row_lower,
            program.row_upper,
            matrix.nnz,
            matrix.indptr.astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
        )
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
    return solver
