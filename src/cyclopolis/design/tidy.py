"""Solver dust swept away: amounts on their bounds, balances closed to the last digit that a float holds."""

from dataclasses import replace

import numpy as np

from cyclopolis.design.problem import DesignProblem
from cyclopolis.design.years import YearsProblem, YearsSolution
from cyclopolis.network import left_at_ports
from cyclopolis.network.model import EXISTING, Floats, Flows

DUST = 1e-8
"""Share of a plant's or port's size below which an amount is rounding."""


def _snap(values: Floats, targets: tuple[Floats, ...], size: Floats) -> Floats:
    """Return values set to the first target that they are within dust of."""
    for target in targets:
        values = np.where(np.abs(values - target) <= DUST * size, target, values)
    return values


def tidy_years(problem: YearsProblem, found: YearsSolution) -> YearsSolution:
    """Return a solution whose sizes and flows of all years are without rounding errors of the solver."""
    builds = problem.builds
    largest = builds.largest[:, None] * found.built
    capacity = _snap(found.capacity, (np.zeros_like(largest), largest, builds.smallest[:, None] * found.built), largest)
    flows = []
    for year, (part, state, loose) in enumerate(zip(problem.years, found.flows, found.loose, strict=True)):
        size = np.zeros(state.capacity.size)
        for built in range(year + 1):
            stands = problem.stands(built, year)[builds.plant]
            np.add.at(size, builds.plant[stands], capacity[stands, built])
        flows.append(tidy_flows(part, replace(state, capacity=size), loose))
    return replace(found, flows=tuple(flows), capacity=capacity)


def tidy_flows(problem: DesignProblem, flows: Flows, loose: Floats) -> Flows:
    """Return the same state without rounding errors of the solver.

    Activity and capacity are set to the bounds they stand at, dust is dropped, and what then is left at a port goes
    to its largest trade or fate (its arcs are left alone, for they have two ends).

    Parameters
    ----------
    problem : DesignProblem
    flows : Flows
        State as solved.
    loose : ndarray
        What stays unplaced or unmet at each port (J,).
    """
    network = problem.network
    ports, arcs, trades, fates = network.ports, network.arcs, network.trades, network.fates
    least, most = problem.activity_bounds()
    nothing = np.zeros(most.size)
    capacity = _snap(flows.capacity, (nothing, most), most)
    new = network.plants.status != EXISTING
    activity = _snap(flows.activity, (nothing, least, np.where(new, capacity, most)), most)
    port = np.abs(ports.coefficient) * most[ports.plant]
    arc = np.where(flows.arc <= DUST * np.minimum(port[arcs.giver], port[arcs.taker] / arcs.ratio), 0.0, flows.arc)
    trade = np.where(flows.trade <= DUST * port[trades.port], 0.0, flows.trade)
    fate = np.where(flows.fate <= DUST * port[fates.port], 0.0, flows.fate)
    state = Flows(activity, arc, trade, fate, flows.built, capacity, flows.stock, flows.shift)
    left = left_at_ports(network, state) - np.where(loose > DUST * port, loose, 0.0)
    exits = np.concatenate([trades.port, fates.port])
    amounts = np.concatenate([trade, fate])
    order = np.lexsort((-amounts, exits))
    first = order[np.unique(exits[order], return_index=True)[1]]
    first = first[amounts[first] > 0]
    amounts[first] = np.maximum(amounts[first] + left[exits[first]], 0.0)
    return replace(state, trade=amounts[: trade.size], fate=amounts[trade.size :])
