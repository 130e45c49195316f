"""Ask a network with quality: the best network, what it would need alone, what plants save together."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from cyclopolis.foundation.problems import user_error
from cyclopolis.industry.exchanges.quality.linear import solve_linear
from cyclopolis.industry.exchanges.quality.network import QualityNetwork
from cyclopolis.industry.exchanges.quality.pinch import QualityPinch, limiting_flows, quality_pinch
from cyclopolis.industry.exchanges.quality.problem import NOWHERE, Ints, QualityProblem


def solve_network(
    problem: QualityProblem,
    objectives: Sequence[str] = ("fresh",),
    *,
    gap: float = 1e-5,
    time_limit: float = 60.0,
) -> QualityNetwork:
    """Find the best network: by linear programming where that is exact, else by global optimisation.

    See `solve_linear` and `solve_bilinear`.

    Raises
    ------
    UserError
        If no network keeps every limit, none was found in time, or a regenerator of gases removes a share.
    """
    if problem.linear:
        return solve_linear(problem, objectives, time_limit=time_limit)
    if np.isfinite(problem.full) and problem.recovery.size:
        raise user_error("quality.share_of_gas")
    from cyclopolis.industry.exchanges.quality.bilinear import solve_bilinear  # noqa: PLC0415 - loads SCIP

    return solve_bilinear(problem, objectives, gap=gap, time_limit=time_limit)


def without_regeneration(problem: QualityProblem) -> QualityProblem:
    """Return the problem without its regenerators."""
    fresh, sources, sinks, operations, _ = problem.sizes
    givers, takers = np.arange(fresh + sources + operations), np.append(np.arange(sinks + operations), -1)
    none = np.zeros((0, problem.contaminants))
    return replace(
        problem,
        outlet=none,
        removal=none,
        feed_limit=none,
        recovery=np.zeros(0),
        capacity=np.zeros(0),
        regeneration_cost=np.zeros(0),
        giver_plant=problem.giver_plant[givers],
        taker_plant=problem.taker_plant[takers],
        barred=problem.barred[np.ix_(givers, takers)],
        pipe_cost=problem.pipe_cost[np.ix_(givers, takers)],
        pipe_flow_cost=problem.pipe_flow_cost[np.ix_(givers, takers)],
    )


def pinch_of(problem: QualityProblem) -> QualityPinch:
    """Return the targets of a problem of one contaminant and one fresh source, regenerators left out."""
    assert problem.contaminants == 1
    assert problem.fresh.shape[0] == 1
    through = limiting_flows(problem.load[:, 0], problem.inlet_limit[:, 0], problem.outlet_limit[:, 0])
    return quality_pinch(
        np.concatenate((problem.source_flow, through)),
        np.concatenate((problem.source[:, 0], problem.outlet_limit[:, 0])),
        np.concatenate((problem.sink_flow, through)),
        np.concatenate((problem.sink_limit[:, 0], problem.inlet_limit[:, 0])),
        float(problem.fresh[0, 0]),
    )


def plants_of(problem: QualityProblem) -> Ints:
    """Return the plants that take part, ascending."""
    both = np.concatenate((problem.giver_plant, problem.taker_plant))
    return np.unique(both[both != NOWHERE])


def of_plants(problem: QualityProblem, plants: Sequence[int]) -> QualityProblem:
    """Return the problem of some plants alone; what belongs to no plant stays."""
    fresh, sources, sinks, operations, _ = problem.sizes
    givers = np.isin(problem.giver_plant, [NOWHERE, *plants])
    takers = np.isin(problem.taker_plant, [NOWHERE, *plants])
    parts = np.split(givers, np.cumsum([fresh, sources, operations]))
    of_fresh, of_sources, of_operations, of_units = parts
    of_sinks = takers[:sinks]
    return replace(
        problem,
        fresh=problem.fresh[of_fresh],
        fresh_max=problem.fresh_max[of_fresh],
        fresh_cost=problem.fresh_cost[of_fresh],
        source_flow=problem.source_flow[of_sources],
        source=problem.source[of_sources],
        sink_flow=problem.sink_flow[of_sinks],
        sink_limit=problem.sink_limit[of_sinks],
        load=problem.load[of_operations],
        inlet_limit=problem.inlet_limit[of_operations],
        outlet_limit=problem.outlet_limit[of_operations],
        gain=problem.gain[of_operations],
        outlet=problem.outlet[of_units],
        removal=problem.removal[of_units],
        recovery=problem.recovery[of_units],
        feed_limit=problem.feed_limit[of_units],
        capacity=problem.capacity[of_units],
        regeneration_cost=problem.regeneration_cost[of_units],
        giver_plant=problem.giver_plant[givers],
        taker_plant=problem.taker_plant[takers],
        barred=problem.barred[np.ix_(givers, takers)],
        pipe_cost=problem.pipe_cost[np.ix_(givers, takers)],
        pipe_flow_cost=problem.pipe_flow_cost[np.ix_(givers, takers)],
    )


def apart(problem: QualityProblem) -> QualityProblem:
    """Return the problem in which nothing passes from one plant to another."""
    giver, taker = problem.giver_plant[:, None], problem.taker_plant[None, :]
    return replace(problem, barred=problem.barred | ((giver >= 0) & (taker >= 0) & (giver != taker)))


def coalitions(plants: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield every group of plants that is not empty, small ones first.

    Examples
    --------
    >>> list(coalitions([0, 1]))
    [(0,), (1,), (0, 1)]
    """
    for size in range(1, len(plants) + 1):
        yield from combinations(plants, size)
