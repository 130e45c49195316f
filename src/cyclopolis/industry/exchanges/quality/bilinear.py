"""Networks of several contaminants, whose concentrations are part of the answer: proven global optimality by SCIP."""

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from cyclopolis.foundation.problems import user_error
from cyclopolis.industry.exchanges.quality.linear import network_of, solve_rows
from cyclopolis.industry.exchanges.quality.network import QualityNetwork, check_network, settled
from cyclopolis.industry.exchanges.quality.objectives import weights_of
from cyclopolis.industry.exchanges.quality.problem import Floats, QualityProblem
from cyclopolis.industry.exchanges.quality.reference import fresh_alone
from cyclopolis.industry.exchanges.quality.rows import Rows, flow_rows, largest

if TYPE_CHECKING:
    from pyscipopt import Model, Variable

_SLACK = 1e-6
_ROUNDS = 20
_SERIES = 5
"""Regenerators up to which all their orders are tried for a first network."""
_AGAIN = (0.0, 1.0, 3.0, 8.0)
"""How much, of what the last regenerator lets go, goes back to the first of them."""


def solve_bilinear(
    problem: QualityProblem,
    objectives: Sequence[str] = ("fresh",),
    *,
    gap: float = 1e-5,
    time_limit: float = 60.0,
) -> QualityNetwork:
    """Find the network that is best in the first objective, among those in the second, and so on; any contaminants.

    Parameters
    ----------
    problem : QualityProblem
    objectives : sequence of str
        Of `objectives.OBJECTIVES`, the most important first.
    gap : float
        Relative gap to prove.
    time_limit : float
        Seconds for each objective.

    Returns
    -------
    QualityNetwork
        ``bound`` is SCIP's proven bound of the first objective, ``gap`` what is left open when time ran out.

    Raises
    ------
    UserError
        If no network keeps every limit, or none was found in time.

    Notes
    -----
    Flow x, outlet concentration c, and the load carried w = x c along every connection of an operation or of a
    regenerator that removes a share; all balances of loads are linear in w (the reformulation of Quesada and Grossmann
    1995), so SCIP branches on w = x c alone. Its best point is then improved by linear programmes with the
    concentrations held (which stays feasible: cleaner givers only help) until nothing changes.
    """
    from pyscipopt import Model  # noqa: PLC0415 - a large solver, needed only here

    model = Model()
    model.hideOutput()
    model.setParam("limits/gap", gap)
    model.setParam("randomization/randomseedshift", 1)
    model.setParam("parallel/maxnthreads", 1)
    parts = _Parts(problem, model)
    for flows in starting_points(problem):
        parts.suggest(flows)
    status, bound, values = "optimal", -np.inf, []
    for place, name in enumerate(objectives):
        flow, whole = weights_of(problem, name)
        aim = parts.form(flow, whole)
        model.setObjective(aim)
        model.setParam("limits/time", model.getSolvingTime() + time_limit)
        model.optimize()
        if model.getNSols() == 0:
            raise user_error("quality.infeasible" if model.getStatus() == "infeasible" else "quality.no_time")
        if model.getStatus() not in ("optimal", "gaplimit"):
            status = "time_limit"
        found = model.getPrimalbound()
        if place == 0:
            bound = model.getDualbound() * (parts.scale if flow.any() else 1.0)
        values.append(found)
        point = parts.point()
        if place + 1 < len(objectives):
            model.freeTransform()
            model.addCons(aim <= found + _SLACK * max(1.0, abs(found)))
    return _improved(problem, objectives, point, status, bound)


class _Parts:
    """The variables of the programme, scaled: flows of the connections, concentrations, loads carried, existence."""

    def __init__(self, problem: QualityProblem, model: "Model") -> None:
        self.problem, self.model = problem, model
        self.scale = problem.flow_scale()
        giver, taker = problem.arcs
        most_given, most_taken = problem.most_flows()
        self.most = np.minimum(most_given[giver], most_taken[taker]) / self.scale
        self.flows = [model.addVar(f"x{at}", lb=0.0, ub=float(top)) for at, top in enumerate(self.most)]
        self.exists: dict[int, Variable] = {}
        self.unit = largest(problem)
        self.known = problem.given / self.unit
        self.first = problem.fresh_max.size + problem.source_flow.size
        if problem.contaminants > 1 or np.isnan(problem.outlet).any():
            self.known[self.first : self.first + problem.gain.size] = np.nan
        self.total: dict[int, Variable] = {}
        self.whole: dict[tuple[int, int], Variable] = {}
        self.outlets: dict[tuple[int, int], Variable] = {}
        self.carried: dict[tuple[int, int], Any] = {}
        self._add_flows(flow_rows(problem))
        for k in range(problem.contaminants):
            self._add_contaminant(k)

    def form(self, flow: Floats, whole: Floats) -> Any:  # noqa: ANN401 - PySCIPOpt's expressions
        """Return the scaled objective; connections that count get their binary."""
        from pyscipopt import quicksum  # noqa: PLC0415 - as above

        for at in np.flatnonzero(whole):
            self._exist(int(at))
        counts = float(self.scale) if flow.any() else 1.0
        return quicksum(
            [float(flow[at]) * self.flows[at] for at in np.flatnonzero(flow)]
            + [float(whole[at]) / counts * self.exists[int(at)] for at in np.flatnonzero(whole)]
        )

    def point(self) -> Floats:
        """Return the flows of the best point (G, T), in the problem's unit."""
        giver, taker = self.problem.arcs
        flows = np.zeros((self.problem.giver_plant.size, self.problem.taker_plant.size))
        flows[giver, taker] = [max(self.model.getVal(one), 0.0) * self.scale for one in self.flows]
        for at, one in self.exists.items():
            if self.model.getVal(one) < 0.5:
                flows[giver[at], taker[at]] = 0.0
        return flows

    def suggest(self, flows: Floats) -> None:
        """Hand SCIP a network that keeps all limits."""
        giver, taker = self.problem.arcs
        concentration = settled(self.problem, flows)[0] / self.unit
        through = flows.sum(axis=1) / self.scale
        point = self.model.createSol()
        for at, flow in enumerate(self.flows):
            self.model.setSolVal(point, flow, float(flows[giver[at], taker[at]] / self.scale))
        for at, whole in self.exists.items():
            self.model.setSolVal(point, whole, float(flows[giver[at], taker[at]] > 0))
        for of, total in self.total.items():
            self.model.setSolVal(point, total, float(through[of]))
        for (of, k), outlet in self.outlets.items():
            held = float(np.clip(concentration[of, k], outlet.getLbOriginal(), outlet.getUbOriginal()))
            self.model.setSolVal(point, outlet, held)
            self.model.setSolVal(point, self.whole[of, k], float(through[of]) * held)
        for (at, k), load in self.carried.items():
            if np.isnan(self.known[giver[at], k]):
                of = int(giver[at])
                held = self.model.getSolVal(point, self.outlets[of, k])
                self.model.setSolVal(point, load, float(flows[of, taker[at]] / self.scale) * held)
        self.model.addSol(point)

    def _exist(self, at: int) -> None:
        if at in self.exists:
            return
        one = self.model.addVar(f"y{at}", vtype="B")
        self.exists[at] = one
        self.model.addCons(self.flows[at] <= float(self.most[at]) * one)
        if self.problem.least_flow > 0:
            self.model.addCons(self.flows[at] >= self.problem.least_flow / self.scale * one)

    def _add_flows(self, rows: Rows) -> None:
        from pyscipopt import quicksum  # noqa: PLC0415 - as above

        if self.problem.least_flow > 0:
            for at in range(len(self.flows)):
                self._exist(at)
        matrix = rows.matrix
        for row in range(matrix.shape[0]):
            span = slice(matrix.indptr[row], matrix.indptr[row + 1])
            terms = [
                float(value) * self.flows[at]
                for at, value in zip(matrix.indices[span], matrix.data[span], strict=True)
                if value
            ]
            low, high = rows.low[row] / self.scale, rows.high[row] / self.scale
            if not terms:
                continue
            total = quicksum(terms)
            if np.isfinite(low):
                self.model.addCons(total >= float(low))
            if np.isfinite(high):
                self.model.addCons(total <= float(high))

    def _add_contaminant(self, k: int) -> None:
        """Add the concentrations, the loads carried and their balances of one contaminant."""
        floor = self._floors(k)
        self._add_outlets(k, self._tops(k), floor)
        self._add_limits(k, floor)
        for at, share in self._changing(k):
            load = self.problem.load[at, k] / self.unit[k] / self.scale if at < self.problem.gain.size else 0.0
            leaves = self.whole[self.first + at, k]
            self.model.addCons(self._carried_by(k, giver=self.first + at) == leaves)
            brought = self._carried_by(k, taker=self.problem.sink_flow.size + at)
            self.model.addCons(leaves == share * brought + float(load))

    def _add_outlets(self, k: int, top: Floats, floor: Floats) -> None:
        """Add unknown outlet concentrations, the loads that leave at them, and those carried along connections."""
        from pyscipopt import quicksum  # noqa: PLC0415 - as above

        giver, _ = self.problem.arcs
        for at in np.flatnonzero(np.isnan(self.known[:, k])).tolist():
            outlet = self.model.addVar(f"c{at}_{k}", lb=float(min(floor[at], top[at])), ub=float(top[at]))
            self.outlets[at, k] = outlet
            out = quicksum([self.flows[arc] for arc in np.flatnonzero(giver == at).tolist()])
            self.whole[at, k] = self.model.addVar(f"m{at}_{k}", lb=0.0)
            self.model.addCons(self.whole[at, k] == self._through(at, out) * outlet)
        for arc, (of, flow) in enumerate(zip(giver.tolist(), self.flows, strict=True)):
            if np.isnan(self.known[of, k]):
                carried = self.model.addVar(f"w{arc}_{k}", lb=0.0, ub=float(self.most[arc] * top[of]))
                self.model.addCons(carried == flow * self.outlets[of, k])
                self.carried[arc, k] = carried
            else:
                self.carried[arc, k] = float(self.known[of, k]) * flow

    def _carried_by(self, k: int, *, giver: int | None = None, taker: int | None = None) -> Any:  # noqa: ANN401 - an expression
        """Return the load that leaves a giver or reaches a taker."""
        from pyscipopt import quicksum  # noqa: PLC0415 - as above

        ends = self.problem.arcs
        chosen = ends[0] == giver if taker is None else ends[1] == taker
        return quicksum([self.carried[arc, k] for arc in np.flatnonzero(chosen).tolist()])

    def _add_limits(self, k: int, floor: Floats) -> None:
        """Add the limits of takers; what is never free of the contaminant reaches none that must be."""
        from pyscipopt import quicksum  # noqa: PLC0415 - as above

        problem = self.problem
        giver, taker = problem.arcs
        parts = (problem.sink_limit, problem.inlet_limit, problem.feed_limit, problem.discharge_limit[None, :])
        limits = np.concatenate(parts)[:, k] / self.unit[k]
        dirty = floor > 0
        units = self.first + problem.gain.size
        if dirty[len(problem.fresh) : units].all():
            dirty[units:] |= problem.removal[:, k] < 1
        for arc in np.flatnonzero(np.isin(taker, np.flatnonzero(limits <= 0)) & dirty[giver]).tolist():
            self.model.chgVarUb(self.flows[arc], 0.0)
        for to in np.flatnonzero(np.isfinite(limits)).tolist():
            flow_in = quicksum([self.flows[arc] for arc in np.flatnonzero(taker == to).tolist()])
            self.model.addCons(self._carried_by(k, taker=to) <= float(limits[to]) * flow_in)

    def _through(self, giver: int, out: Any) -> "Variable":  # noqa: ANN401 - PySCIPOpt's expressions
        """Return the variable of all that a giver gives; one for all contaminants."""
        if giver not in self.total:
            most = float(self.problem.most_flows()[0][giver] / self.scale)
            self.total[giver] = self.model.addVar(f"o{giver}", lb=0.0, ub=most)
            self.model.addCons(self.total[giver] == out)
        return self.total[giver]

    def _floors(self, k: int) -> Floats:
        """Return the lowest concentration of each giver (G,): an operation's flow is not more than limiting."""
        problem = self.problem
        most = problem.most_through() + problem.gain
        load = problem.load[:, k] / self.unit[k]
        own = np.divide(load, most, out=np.zeros_like(load), where=np.isfinite(most) & (most > 0))
        units = np.where(np.isnan(problem.outlet[:, k]), 0.0, problem.outlet[:, k] / self.unit[k])
        own = np.minimum(own, problem.outlet_limit[:, k] / self.unit[k])
        return np.concatenate((self.known[: self.first, k], own, units))

    def _changing(self, k: int) -> list[tuple[int, float]]:
        """Return operations, and regenerators that remove a share: their place after the sources, and what is kept."""
        operations = self.problem.gain.size
        own = [(one, 1.0) for one in range(operations)]
        shares = np.flatnonzero(np.isnan(self.problem.outlet[:, k]))
        return own + [(operations + int(one), 1.0 - float(self.problem.removal[one, k])) for one in shares]

    def _tops(self, k: int) -> Floats:
        """Return the highest concentration that each giver can have (G,)."""
        problem = self.problem
        own = problem.outlet_limit[:, k] / self.unit[k]
        feeds = problem.feed_limit[:, k] / self.unit[k]
        fixed = self.known[: self.first, k]
        worst = max(float(np.max(own, initial=0.0)), float(np.max(fixed, initial=0.0)))
        clean = (1.0 - problem.removal[:, k]) * np.minimum(feeds, worst)
        return np.concatenate((fixed, own, np.where(np.isnan(problem.outlet[:, k]), clean, worst)))


def starting_points(problem: QualityProblem) -> Iterator[Floats]:
    """Yield simple networks that keep all limits (G, T).

    Every taker is on the cleanest fresh source alone; all that leaves goes through regenerators one after the other, in
    an order that does, and some of it again.
    """
    fresh, sources, sinks, operations, regenerators = problem.sizes
    alone = fresh_alone(problem)
    if np.isnan(alone).any() or regenerators > _SERIES:
        return
    clean = int(np.lexsort(problem.fresh.T[::-1])[0])
    first = fresh + sources
    plain = np.zeros((problem.giver_plant.size, problem.taker_plant.size))
    plain[clean, : sinks + operations] = alone
    leaving = np.concatenate((problem.source_flow, alone[sinks:] + problem.gain))
    orders = [order for size in range(regenerators + 1) for order in permutations(range(regenerators), size)]
    for again in _AGAIN:
        for order in orders if again == 0 else [order for order in orders if len(order) > 1]:
            flows = plain.copy()
            steps = [sinks + operations + one for one in order] + [problem.taker_plant.size - 1]
            flows[fresh : first + operations, steps[0]] = leaving
            passed = float(leaving.sum()) * (1.0 + again)
            for at, one in enumerate(order):
                passed *= float(problem.recovery[one])
                flows[first + operations + one, steps[at + 1]] = passed
            if again:
                flows[first + operations + order[-1], [steps[0], -1]] = (
                    passed * again / (1 + again),
                    passed / (1 + again),
                )
            if not check_network(problem, flows):
                yield flows
                return


def _improved(
    problem: QualityProblem, objectives: Sequence[str], flows: Floats, status: str, bound: float
) -> QualityNetwork:
    """Improve a point by linear programmes with its concentrations held, until the objectives stay."""
    best: QualityNetwork | None = None
    for _ in range(_ROUNDS):
        concentration, _ = settled(problem, flows)
        first = problem.fresh_max.size + problem.source_flow.size
        own = slice(first, first + problem.gain.size)
        concentration[own] = np.minimum(concentration[own] * (1 + 1e-9), problem.outlet_limit)
        answer = solve_rows(problem, concentration, objectives, 60.0)
        found = network_of(problem, answer, objectives)
        if best is not None and found.reached[0][1] >= best.reached[0][1] - 1e-9 * max(1.0, best.reached[0][1]):
            break
        best, flows = found, found.flows
    assert best is not None
    return QualityNetwork(
        problem, best.flows, best.concentration, best.inlet, status, best.reached, min(bound, best.reached[0][1])
    )
