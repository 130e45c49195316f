"""One design problem solved: assembled, handed to the solver, read back as states."""

import time
from dataclasses import replace

import numpy as np

from cyclopolis.design.assemble import Assembly, assemble, read_answer
from cyclopolis.design.kept import Kept
from cyclopolis.design.pools import compact
from cyclopolis.design.problem import DesignProblem, Solution, SolveOptions
from cyclopolis.design.program import Answer, Objective, Program
from cyclopolis.design.relax import relax
from cyclopolis.design.years import YearsProblem, YearsSolution, one_year, year_solution
from cyclopolis.network.model import Floats

MANY = 500
"""Whole numbers from which on a programme is solved in steps."""
UNUSED = 1e-6
"""Units below which the relaxed programme does not use a way of building."""
KERNEL_SHARE = 0.4
"""Share of the time limit that the second step is given."""


def solve_years(problem: YearsProblem) -> YearsSolution:
    """Return the best states of all years of a problem with their bound."""
    return solve_assembly(assemble(problem))


def solve_assembly(assembly: Assembly) -> YearsSolution:
    """Return the best states of a problem already assembled."""
    pools = compact(assembly)
    answer = best_answer(pools.program, pools.goal, assembly.problem.options)
    return read_answer(assembly, replace(answer, natural=pools.restore(answer.natural)))


def best_answer(program: Program, goal: Objective, options: SolveOptions) -> Answer:
    """Solve a programme once for the greatest value of an objective.

    One of many whole numbers is solved in three steps: without whole numbers, which bounds all; with only those whole
    numbers free that the first step uses, which often is good enough already; and whole, starting from there.
    """
    if int(program.integer.sum()) < MANY:
        return _solved(program, goal, options, options.time_limit)
    begun = time.monotonic()
    relaxed = _solved(replace(program, integer=np.zeros_like(program.integer)), goal, options, options.time_limit)
    if relaxed.status != "optimal":
        return _solved(program, goal, options, options.time_limit)
    unused = program.integer & (relaxed.natural <= UNUSED) & (program.lower <= 0)
    kernel = replace(program, upper=np.where(unused, 0.0, program.upper))
    first = _solved(kernel, goal, options, KERNEL_SHARE * options.time_limit)
    known = replace(first, bound=relaxed.bound, seconds=time.monotonic() - begun)
    if first.natural.size and known.gap <= options.gap:
        return replace(known, status="optimal")
    if first.status == "interrupted":
        return known
    left = max(options.time_limit - (time.monotonic() - begun), 1.0)
    last = _solved(program, goal, options, left, first.natural)
    bound = min(last.bound, relaxed.bound) if np.isfinite(last.bound) else relaxed.bound
    best = last if last.natural.size and not last.objective < first.objective else replace(first, status=last.status)
    return replace(best, bound=max(bound, best.objective), seconds=time.monotonic() - begun)


def _solved(
    program: Program, goal: Objective, options: SolveOptions, seconds: float, start: Floats | None = None
) -> Answer:
    kept = Kept(program, options)
    kept.set_objective(goal)
    return kept.solve(start, time_limit=seconds)


def solve_problem(problem: DesignProblem, elastic: bool = False) -> Solution:
    """Return the best state of a problem of one year with its bound.

    Parameters
    ----------
    problem : DesignProblem
        What to choose from.
    elastic : bool
        Let limits, market volumes and (dearly) ports give way, and minimise the sum of their relative excess instead;
        ``excess`` then says by how much.

    Returns
    -------
    Solution
        Status optimal, time_limit, no_solution, infeasible or unbounded; the state is empty when there is none.
    """
    if not elastic:
        return year_solution(problem, solve_years(one_year(problem)))
    return solve_elastic(one_year(problem))[1][0]


def solve_elastic(problem: YearsProblem) -> tuple[Floats, tuple[Solution, ...]]:
    """Return by how much each bound on capital gives, and a solution a year with what else gives there."""
    assembly = assemble(problem, elastic=True)
    wide = relax(assembly)
    answer = best_answer(wide.program, wide.goal, problem.options)
    count = assembly.layout.size
    found = read_answer(assembly, replace(answer, natural=answer.natural[:count]))
    years = tuple(year_solution(part, found, number) for number, part in enumerate(problem.years))
    if answer.natural.size == 0:
        return np.zeros(len(problem.spending)), years
    solutions = []
    for number, year in enumerate(years):
        excess = wide.excess(answer.natural, "limit", number)
        market, port = year.market_excess.copy(), year.port_excess.copy()
        market[assembly.entity["market", number]] = wide.excess(answer.natural, "market", number)
        port[assembly.entity["port", number]] = wide.excess(answer.natural, "port", number)
        solutions.append(replace(year, excess=excess, market_excess=market, port_excess=port))
    return wide.excess(answer.natural, "spending", 0), tuple(solutions)
