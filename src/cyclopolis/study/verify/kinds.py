"""The kinds of cases and who solves them: the engines' own functions, fed with a case's inputs."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

Tree = Mapping[str, Any]
Solver = Callable[[Tree, Tree], Tree]
"""Solves a case: its inputs, and what it names of the answer (only to choose among optima of equal cost)."""


@cache
def kinds() -> Mapping[str, Solver]:
    """Return the solver of each kind; an engine gains a kind by one line here."""
    from cyclopolis.study.verify import accounting, criteria, metabolism, synthesis  # noqa: PLC0415 - engines are loaded on use

    return {
        "accounting": accounting.solve_accounting,
        "ahp": criteria.solve_ahp,
        "coupling_coordination": criteria.solve_coordination,
        "critic_weights": criteria.solve_critic,
        "dea": criteria.solve_dea,
        "dynamic_stock": metabolism.solve_stock,
        "ecological_network_analysis": metabolism.solve_cycling,
        "entropy_weights": criteria.solve_entropy,
        "network_topology": metabolism.solve_topology,
        "obstacle_degree": criteria.solve_obstacles,
        "process_network_synthesis_cost": synthesis.solve_cost,
        "process_network_synthesis_structure": synthesis.solve_structure,
        "reconciliation": metabolism.solve_reconciliation,
        "topsis": criteria.solve_topsis,
    }
