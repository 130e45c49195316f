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
    from cyclopolis.study.verify import (  # noqa: PLC0415 - engines are loaded on use
        accounting,
        criteria,
        drainage,
        heat,
        metabolism,
        reconciling,
        synthesis,
        water,
    )

    return {
        "accounting": accounting.solve_accounting,
        "ahp": criteria.solve_ahp,
        "coupling_coordination": criteria.solve_coordination,
        "critic_weights": criteria.solve_critic,
        "dea": criteria.solve_dea,
        "dynamic_stock": metabolism.solve_stock,
        "ecological_network_analysis": metabolism.solve_cycling,
        "entropy_weights": criteria.solve_entropy,
        "heat_pinch": heat.solve_heat,
        "hydrogen_network": water.solve_hydrogen,
        "interplant_water_network": water.solve_interplant,
        "network_topology": metabolism.solve_topology,
        "obstacle_degree": criteria.solve_obstacles,
        "process_network_synthesis_cost": synthesis.solve_cost,
        "process_network_synthesis_structure": synthesis.solve_structure,
        "reconciliation": reconciling.solve_reconciliation,
        "swmm": drainage.solve_swmm,
        "topsis": criteria.solve_topsis,
        "water_network_multi_contaminant": water.solve_water,
        "water_network_single_contaminant": water.solve_water,
    }
