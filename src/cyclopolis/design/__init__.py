"""Design: what to exchange, substitute, build and connect, optimal within the plan's limits."""

from cyclopolis.design.cases import solve_synthesis_cost, solve_synthesis_structure
from cyclopolis.design.checker import Violation, check_state
from cyclopolis.design.engine import Design, design
from cyclopolis.design.pose import DesignOptions, pose
from cyclopolis.design.problem import DesignProblem, Limit, Solution, SolveOptions
from cyclopolis.design.recheck import check_design
from cyclopolis.design.solve import solve_problem

__all__ = [
    "Design",
    "DesignOptions",
    "DesignProblem",
    "Limit",
    "Solution",
    "SolveOptions",
    "Violation",
    "check_design",
    "check_state",
    "design",
    "pose",
    "solve_problem",
    "solve_synthesis_cost",
    "solve_synthesis_structure",
]
