"""The operating problem of the base year with some of it held: what members reach together, what a failure leaves.

One programme over the flows of a compiled network with all builds fixed; who may change what is told by the bounds of
its columns, so that many questions share one set of rows. One HiGHS per thread, each with one thread of its own.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from cyclopolis.foundation.problems import user_error
from cyclopolis.network import Flows, Network, base_flows, quantities
from cyclopolis.network.model import Bools, Floats, Ints
from cyclopolis.network.operate import cap_rows, market_volumes, port_balance

_TINY = 1e-9
"""Share of the base year's gain below which a coalition gains nothing."""


@dataclass(frozen=True)
class Operating:
    """Rows, columns and base state of a network whose builds are fixed.

    Columns are activity (P), arcs (A), trades (T), fates (D), one after the other (V). ``base`` (V,) is the base year,
    ``gain`` (V,) CNY per year per unit of each, ``player`` (P,) the member that owns each plant.
    """

    network: Network
    sizes: tuple[int, int, int, int]
    matrix: csr_array
    low: Floats
    high: Floats
    base: Floats
    gain: Floats
    player: Ints
    names: tuple[str, ...]
    local: threading.local = field(default_factory=threading.local, repr=False, compare=False)

    def parts(self, state: Floats) -> Flows:
        """Return a state as flows of the network."""
        activity, arc, trade, fate = np.split(state, np.cumsum(self.sizes)[:-1])
        none = np.zeros(activity.size)
        return Flows(activity, arc, trade, fate, none, none)

    def owners(self) -> tuple[Ints, Ints]:
        """Return the member at both ends of every column (V,), (V,); of a trade or fate the same twice."""
        ports, arcs = self.network.ports.plant, self.network.arcs
        alone = (self.player, self.player[ports[self.network.trades.port]], self.player[ports[self.network.fates.port]])
        one = np.concatenate((alone[0], self.player[ports[arcs.giver]], *alone[1:]))
        other = np.concatenate((alone[0], self.player[ports[arcs.taker]], *alone[1:]))
        return one, other

    def best(self, lower: Floats, upper: Floats, cost: Floats) -> Floats:
        """Return the state (V,) of least cost between bounds; empty where there is none."""
        solver: Any = getattr(self.local, "solver", None)
        if solver is None:
            solver = self.local.solver = _loaded(self)
        columns = np.arange(self.base.size, dtype=np.int32)
        solver.changeColsBounds(columns.size, columns, lower, upper)
        solver.changeColsCost(columns.size, columns, cost)
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            solver.clearSolver()
            solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return np.zeros(0)
        return np.asarray(solver.getSolution().col_value, dtype=np.float64)


def operating(network: Network) -> Operating:
    """Return the operating problem of a network's base year; enterprises are the members, plants without one their own.

    What the base year leaves unplaced or unmet at a port may stay so, but not grow.
    """
    flows = base_flows(network)
    base = np.concatenate([np.nan_to_num(part) for part in (flows.activity, flows.arc, flows.trade, flows.fate)])
    parts = port_balance(network)
    sizes = tuple(part.shape[1] for part in parts)
    balance = csr_array(hstack(parts))
    on_arcs, on_activity = cap_rows(network)
    rest = csr_array((on_arcs.shape[0], sizes[2] + sizes[3]))
    caps = csr_array(hstack((on_activity, on_arcs, rest)))
    volumes = market_volumes(network)
    before, after = csr_array((volumes.shape[0], sizes[0] + sizes[1])), csr_array((volumes.shape[0], sizes[3]))
    traded = csr_array(hstack((before, volumes, after)))
    left, over, sold = balance @ base, caps @ base, traded @ base
    form = quantities(network)["gain"]
    gain = np.concatenate((form.activity, form.arc, form.trade, form.fate))
    player, names = _members(network)
    low = np.concatenate(
        (np.minimum(left, 0.0), np.full(over.size, -np.inf), np.minimum(network.markets.volume_min, sold))
    )
    high = np.concatenate((np.maximum(left, 0.0), np.maximum(over, 0.0), np.maximum(network.markets.volume_max, sold)))
    matrix = csr_array(vstack((balance, caps, traded)))
    return Operating(network, (sizes[0], sizes[1], sizes[2], sizes[3]), matrix, low, high, base, gain, player, names)


def _members(network: Network) -> tuple[Ints, tuple[str, ...]]:
    """Return the member of each plant (P,), and the members' names: enterprises, then plants without one."""
    owner = network.plants.enterprise
    used = np.unique(owner[owner >= 0])
    names = [network.enterprise_ids[one] for one in used]
    place = {int(one): at for at, one in enumerate(used)}
    player = np.zeros(owner.size, dtype=np.int64)
    for plant, one in enumerate(owner.tolist()):
        if one < 0:
            names.append(network.plant_ids[plant])
        player[plant] = place[one] if one >= 0 else len(names) - 1
    return player, tuple(names)


def _loaded(problem: Operating) -> highspy.Highs:
    """Return a HiGHS of one thread with the rows and columns of a problem."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves its constructor without types
    solver.silent()
    for name, value in (("threads", 1), ("parallel", "off"), ("random_seed", 1)):
        solver.setOptionValue(name, value)
    size = problem.base.size
    solver.addVars(size, np.zeros(size), np.full(size, np.inf))
    rows = problem.matrix
    rows.sum_duplicates()
    solver.addRows(rows.shape[0], problem.low, problem.high, rows.nnz, rows.indptr, rows.indices, rows.data)
    return solver


def coalition_state(problem: Operating, members: Bools) -> Floats:
    """Return the best state when only members (M,) may change what they do among themselves and with markets.

    Activities stay; every flow with an end outside keeps its base-year amount.

    Raises
    ------
    UserError
        If that cannot be computed, with the names of the members.
    """
    one, other = problem.owners()
    free = members[one] & members[other]
    free[: problem.sizes[0]] = False
    lower = np.where(free, 0.0, problem.base)
    upper = np.where(free, np.inf, problem.base)
    found = problem.best(lower, upper, -problem.gain)
    if not found.size:
        names = ", ".join(name for name, is_in in zip(problem.names, members.tolist(), strict=True) if is_in)
        raise user_error("fairness.no_value", members=names)
    return found


def coalition_value(problem: Operating, bits: int) -> float:
    """Return what the members given by bits gain over the base year, CNY per year."""
    members = (bits >> np.arange(len(problem.names))) & 1 == 1
    if not members.any():
        return 0.0
    state = coalition_state(problem, members)
    value = float(problem.gain @ (state - problem.base))
    return value if abs(value) > _TINY * max(1.0, abs(float(problem.gain @ problem.base))) else 0.0


def in_threads(ask: Callable[[int], float], questions: Sequence[int], threads: int = 2) -> list[float]:
    """Return the answers to many questions, asked in several threads, in their order."""
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return list(pool.map(ask, questions))
