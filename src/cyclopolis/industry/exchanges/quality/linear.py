"""Networks whose concentrations are known beforehand: linear programmes, with whole numbers where connections count."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, eye_array, hstack

from cyclopolis.foundation.problems import user_error
from cyclopolis.industry.exchanges.programme import Programme, solve
from cyclopolis.industry.exchanges.quality.network import QualityNetwork, settled, tidy
from cyclopolis.industry.exchanges.quality.objectives import weights_of
from cyclopolis.industry.exchanges.quality.problem import Bools, Floats, QualityProblem
from cyclopolis.industry.exchanges.quality.rows import Rows, flow_rows, quality_rows

_SLACK = 1e-9
"""By how much, of the scale, an objective may be given up for the next one."""
_WHOLE_SLACK = 1e-8
"""The same where connections are counted."""


@dataclass(frozen=True)
class _Answer:
    """Flows of the connections (A,), which exist, status, value and bound of each objective."""

    flows: Floats
    exists: Bools
    status: str
    values: tuple[float, ...]
    bounds: tuple[float, ...]


def solve_linear(
    problem: QualityProblem, objectives: Sequence[str] = ("fresh",), *, time_limit: float = 60.0
) -> QualityNetwork:
    """Find the network that is best in the first objective, among those in the second, and so on.

    Parameters
    ----------
    problem : QualityProblem
        With ``linear`` true: exact then. Where connections count, operations are kept at their outlet limits, so the
        number found is one that can be built, and least among such networks.
    objectives : sequence of str
        Of `objectives.OBJECTIVES`, the most important first.
    time_limit : float
        Seconds for each objective.

    Returns
    -------
    QualityNetwork

    Raises
    ------
    UserError
        If no network keeps every limit, or none was found in time.

    Notes
    -----
    Connections are binary variables with flow <= most x exists (and >= the least flow); HiGHS solves one programme
    after the other, each with the former values as rows. At last the connections that exist are fixed and the flows
    solved again, free of what whole numbers blur.

    Examples
    --------
    >>> from cyclopolis.industry.exchanges.quality.problem import quality_problem
    >>> small = quality_problem(fresh=[[0]], sink_flow=[30], sink_limit=[[25]], source_flow=[20], source=[[50]])
    >>> round(solve_linear(small).fresh, 6)
    15.0
    """
    return network_of(problem, solve_rows(problem, problem.given, objectives, time_limit), objectives)


def network_of(problem: QualityProblem, answer: _Answer, objectives: Sequence[str]) -> QualityNetwork:
    """Return the network of a programme's answer, with the concentrations that it brings about."""
    giver, taker = problem.arcs
    flows = np.zeros((problem.giver_plant.size, problem.taker_plant.size))
    flows[giver, taker] = tidy(answer.flows)
    concentration, inlet = settled(problem, flows)
    reached = tuple(zip(objectives, answer.values, strict=True))
    return QualityNetwork(problem, flows, concentration, inlet, answer.status, reached, answer.bounds[0])


def solve_rows(problem: QualityProblem, concentration: Floats, objectives: Sequence[str], time_limit: float) -> _Answer:
    """Solve the programme with givers no dirtier than ``concentration`` (G, C); see `solve_linear`."""
    scale = problem.flow_scale()
    rows = flow_rows(problem).and_rows(quality_rows(problem, concentration))
    rows = Rows(rows.matrix, rows.low / scale, rows.high / scale)
    giver, taker = problem.arcs
    most_given, most_taken = problem.most_flows()
    most = np.minimum(most_given[giver], most_taken[taker]) / scale
    pairs = [weights_of(problem, name) for name in objectives]
    none, all_of_them = np.zeros(0, np.bool_), np.ones(most.size, np.bool_)
    least = problem.least_flow
    if least <= 0 and not any(whole.any() for _, whole in pairs):
        return _lexicographic(rows, pairs, most, none, 0.0, scale, time_limit)
    first = _lexicographic(rows, pairs, most, all_of_them, least, scale, time_limit)
    smooth = [pair for pair in pairs if not pair[1].any()] or [(np.ones(most.size), np.zeros(most.size))]
    held = np.where(first.exists, most, 0.0)
    low = np.where(first.exists, least / scale, 0.0)
    last = _lexicographic(rows, smooth, held, none, 0.0, scale, time_limit, low=low)
    exists = last.flows > 0
    values = tuple(float(flow @ last.flows + whole @ (exists & first.exists)) for flow, whole in pairs)
    return _Answer(last.flows, exists, first.status, values, first.bounds)


def _lexicographic(
    rows: Rows,
    pairs: Sequence[tuple[Floats, Floats]],
    most: Floats,
    whole: Bools,
    least: float,
    scale: float,
    time_limit: float,
    *,
    low: Floats | None = None,
) -> _Answer:
    """Minimise one pair of weights after the other over scaled flows, with a binary for each connection if whole."""
    size, binaries = most.size, whole.size
    lower = np.concatenate((np.zeros(size) if low is None else low, np.zeros(binaries)))
    upper = np.concatenate((most, np.ones(binaries)))
    held = Rows(_wide(rows.matrix, binaries), rows.low, rows.high)
    if binaries:
        held = held.and_rows(_tied(-most, np.full(size, -np.inf), np.zeros(size)))
        if least > 0:
            held = held.and_rows(_tied(np.full(size, -least / scale), np.zeros(size), np.full(size, np.inf)))
    status, z = "optimal", np.zeros(0)
    values, bounds = list[float](), list[float]()
    integer = np.concatenate((np.zeros(size, np.bool_), whole))
    for flow, count in pairs:
        only_counts = bool(count.any()) and not flow.any()
        unit = 1.0 if only_counts else scale * max(float(np.abs(flow).max(initial=0.0)), 1e-12)
        cost = np.concatenate((flow * (scale / unit), count[:binaries] / unit))
        found = solve(Programme(cost, held.matrix, held.low, held.high, lower, upper, integer), time_limit=time_limit)
        if not found.z.size:
            raise user_error("quality.no_time" if found.status == "no_solution" else "quality.infeasible")
        status = "optimal" if found.status == status == "optimal" else "time_limit"
        z = found.z
        values.append(float(np.round(found.value)) if only_counts else found.value * unit)
        bounds.append(found.bound * unit)
        room = 0.5 if only_counts else _WHOLE_SLACK if binaries else _SLACK
        held = held.and_rows(Rows(csr_array(cost[None, :]), np.array([-np.inf]), np.array([found.value + room])))
    exists = z[size:] > 0.5 if binaries else z > 0
    return _Answer(np.maximum(z[:size], 0.0) * scale, exists, status, tuple(values), tuple(bounds))


def _tied(factor: Floats, low: Floats, high: Floats) -> Rows:
    """Return rows that tie each flow to its binary: low <= flow + factor x exists <= high."""
    size = factor.size
    diagonal = csr_array((factor, (np.arange(size), np.arange(size))), shape=(size, size))
    return Rows(csr_array(hstack((eye_array(size, format="csr"), diagonal))), low, high)


def _wide(matrix: csr_array, columns: int) -> csr_array:
    return csr_array(hstack((matrix, csr_array((matrix.shape[0], columns))))) if columns else matrix
