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
        metabolism,
        reconciling,
        synthesis,
    )

    return {
        "accounting": accounting.solve_accounting,
        "dynamic_stock": metabolism.solve_stock,
        "ecological_network_analysis": metabolism.solve_cycling,
        "network_topology": metabolism.solve_topology,
        "process_network_synthesis_cost": synthesis.solve_cost,
        "process_network_synthesis_structure": synthesis.solve_structure,
        "reconciliation": reconciling.solve_reconciliation,
    }
