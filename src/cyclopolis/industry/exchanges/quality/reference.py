"""What a network with quality would need without any reuse."""

import numpy as np

from cyclopolis.industry.exchanges.quality.problem import Floats, QualityProblem


def fresh_alone(problem: QualityProblem) -> Floats:
    """Return the fresh flow of each sink and operation that is served by the cleanest fresh source alone (D + P,).

    NaN where that is not clean enough.
    """
    if not problem.fresh.size:
        return np.full(problem.sink_flow.size + problem.gain.size, np.nan)
    clean = problem.fresh[np.lexsort(problem.fresh.T[::-1])[0]]
    sinks = np.where((clean <= problem.sink_limit).all(axis=1), problem.sink_flow, np.nan)
    room = problem.outlet_limit - clean
    with np.errstate(divide="ignore", invalid="ignore"):
        flow = (problem.load - problem.outlet_limit * problem.gain[:, None]) / room
    fits = (clean <= problem.inlet_limit).all(axis=1) & ((room > 0) | (problem.load <= 0)).all(axis=1)
    flow = np.where((problem.load > 0) & (room > 0), flow, 0.0)
    operations = np.where(fits, np.maximum(flow.max(axis=1, initial=0.0), 0.0), np.nan)
    return np.concatenate((sinks, operations))
