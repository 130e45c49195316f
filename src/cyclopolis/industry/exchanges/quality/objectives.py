"""What a network with quality may be best in, as weights over the flows and the existence of its connections."""

from collections.abc import Callable, Mapping

import numpy as np

from cyclopolis.industry.exchanges.quality.problem import Floats, QualityProblem

Weights = tuple[Floats, Floats]
"""Weights of every connection's flow and of its existence (A,), (A,)."""


def _groups(problem: QualityProblem) -> tuple[Floats, Floats, Floats, Floats]:
    """Return which connections carry fresh water, feed a regenerator, discharge, and pass between plants (A,)."""
    giver, taker = problem.arcs
    fresh, _, sinks, operations, regenerators = problem.sizes
    discharge = sinks + operations + regenerators
    one, other = problem.giver_plant[giver], problem.taker_plant[taker]
    parts = (
        giver < fresh,
        (taker >= sinks + operations) & (taker < discharge),
        taker == discharge,
        (one >= 0) & (other >= 0) & (one != other),
    )
    first, second, third, fourth = (np.asarray(part, dtype=np.float64) for part in parts)
    return first, second, third, fourth


def _cost(problem: QualityProblem) -> Weights:
    giver, taker = problem.arcs
    fresh, _, sinks, operations, regenerators = problem.sizes
    dear = np.zeros(problem.giver_plant.size)
    dear[:fresh] = problem.fresh_cost
    late = np.zeros(problem.taker_plant.size)
    late[sinks + operations : sinks + operations + regenerators] = problem.regeneration_cost
    late[-1] = problem.discharge_cost
    return dear[giver] + late[taker] + problem.pipe_flow_cost[giver, taker], problem.pipe_cost[giver, taker]


_OF: Mapping[str, Callable[[QualityProblem], Weights]] = {
    "fresh": lambda problem: (_groups(problem)[0], np.zeros(problem.arcs[0].size)),
    "regenerated": lambda problem: (_groups(problem)[1], np.zeros(problem.arcs[0].size)),
    "discharged": lambda problem: (_groups(problem)[2], np.zeros(problem.arcs[0].size)),
    "cross_flow": lambda problem: (_groups(problem)[3], np.zeros(problem.arcs[0].size)),
    "cross_links": lambda problem: (np.zeros(problem.arcs[0].size), _groups(problem)[3]),
    "links": lambda problem: (np.zeros(problem.arcs[0].size), np.ones(problem.arcs[0].size)),
    "cost": _cost,
}
OBJECTIVES = tuple(_OF)
"""Fresh flow, flow regenerated, flow discharged, flow between plants, connections between plants, all connections
(those with fresh sources and discharge included), cost."""


def weights_of(problem: QualityProblem, name: str) -> Weights:
    """Return the weights of one of `OBJECTIVES`; all are minimised.

    Examples
    --------
    >>> from cyclopolis.industry.exchanges.quality.problem import quality_problem
    >>> small = quality_problem(fresh=[[0]], sink_flow=[1], sink_limit=[[9]], source_flow=[1], source=[[5]])
    >>> weights_of(small, "fresh")[0].tolist(), weights_of(small, "links")[1].tolist()
    ([1.0, 0.0, 0.0], [1.0, 1.0, 1.0])
    """
    return _OF[name](problem)
