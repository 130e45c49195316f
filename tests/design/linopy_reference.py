"""The design model: what to exchange, build and run in one year, as a mixed-integer linear programme.

Variables are edge-indexed (one per plant, arc, trade, fate), never a dense plant x plant mask. With ``x`` activity,
``a`` arcs, ``t`` trades, ``d`` fates, ``y`` built (0/1) and ``c`` new capacity::

    max   gain(x, a, t, d, y, c) - capital(y, c)
    s.t.  coefficient x = sum of a given + sold + d + unplaced         at every output port
          |coefficient| x = sum of ratio a taken + bought + unmet      at every input port nature does not feed
          base <= x <= capacity                                        existing plants (0 <= x if they may close)
          x <= c,  smallest y <= c <= largest y                        new plants
          sum of t per market between its volumes
          sum of t a in a group <= share t x                           caps of substitutions
          coefficient x +- moved, (low - c) x <= moved <= (high - c) x  ports that may move; their mass closes by plant
          sum of y <= 1                                                exclusions
          lower <= limit <= upper                                      limits and rules

Every column is scaled by the largest amount it can take and every row by its port, so that a coal mine and a laboratory
stand in one model without losing digits.
"""

from dataclasses import dataclass, replace

import linopy
import numpy as np
import pandas as pd
import xarray as xr
from linopy_rows import Rows, add_variable, constrain, reference_size
from linopy_solver import maximise

from cyclopolis.design.problem import FAMILIES, DesignProblem, Limit, Solution, no_flows
from cyclopolis.network.model import BUY, Bools, Floats, Flows, Ints

PORT_WEIGHT = 100.0
"""Weight of a port's excess beside a limit's when limits clash: limits give way first, physics last."""


@dataclass(frozen=True)
class _Sizes:
    """The most that each variable can be; also the scale of its column."""

    activity: Floats
    port: Floats
    arc: Floats
    trade: Floats
    fate: Floats
    capacity: Floats


def _sizes(problem: DesignProblem, elastic: bool) -> _Sizes:
    """Return the sizes; in an elastic model a trade may go beyond the volume of its market."""
    network = problem.network
    ports, arcs, markets = network.ports, network.arcs, network.markets
    _, most = problem.activity_bounds()
    port = np.abs(ports.coefficient) * most[ports.plant]
    at = problem.flexible
    port[at] = np.maximum(ports.high[at], np.abs(ports.coefficient[at])) * most[ports.plant[at]]
    with np.errstate(divide="ignore", invalid="ignore"):
        need = np.where(arcs.ratio > 0, port[arcs.taker] / arcs.ratio, 0.0)
    volume = np.full(markets.price.size, np.inf) if elastic else markets.volume_max
    return _Sizes(
        activity=most,
        port=port,
        arc=np.minimum(port[arcs.giver], need),
        trade=np.minimum(port[network.trades.port], volume[network.trades.market]),
        fate=port[network.fates.port],
        capacity=most[problem.new],
    )


def _variables(model: linopy.Model, problem: DesignProblem, sizes: _Sizes) -> dict[str, linopy.Variable]:
    """Add the variables; those over new plants only are indexed by position in ``problem.new``."""
    least, _ = problem.activity_bounds()
    new = problem.new
    zeros = np.zeros
    variables = {
        "activity": add_variable(model, "activity", least, sizes.activity),
        "arc": add_variable(model, "arc", np.minimum(problem.arc_min, sizes.arc), sizes.arc),
        "trade": add_variable(model, "trade", zeros(sizes.trade.size), sizes.trade),
        "fate": add_variable(model, "fate", zeros(sizes.fate.size), sizes.fate),
        "capacity": add_variable(model, "capacity", zeros(new.size), sizes.capacity),
        "loose": add_variable(model, "loose", zeros(sizes.port.size), problem.loose_max),
    }
    free = np.full(problem.flexible.size, np.inf)
    variables["moved"] = add_variable(model, "moved", -free, free, _span(problem))
    index = pd.RangeIndex(new.size, name="built_at")
    variables["built"] = model.add_variables(
        lower=xr.DataArray(problem.decided[new].astype(np.float64), coords=[index]),
        upper=xr.DataArray(1.0 - problem.barred[new], coords=[index]),
        integer=True,
        name="built",
    )
    return variables


def _span(problem: DesignProblem) -> Floats:
    """Return the width of the range of each port that may move at the most activity (K,)."""
    ports, at = problem.network.ports, problem.flexible
    _, most = problem.activity_bounds()
    return (ports.high[at] - ports.low[at]) * most[ports.plant[at]]


def _flexible(model: linopy.Model, problem: DesignProblem, variables: dict[str, linopy.Variable]) -> bool:
    """Keep what moves within the recipes' ranges, and close each plant's mass over it."""
    ports, at = problem.network.ports, problem.flexible
    if not at.size:
        return True
    number, one = np.arange(at.size), np.ones(at.size)
    amount = np.abs(ports.coefficient[at])
    rows = Rows(variables)
    rows.add("moved", number, number, one)
    rows.add("activity", number, ports.plant[at], amount - np.maximum(ports.high[at], amount))
    rows.add("moved", number + at.size, number, -one)
    rows.add("activity", number + at.size, ports.plant[at], np.minimum(ports.low[at], amount) - amount)
    none = np.zeros(2 * at.size)
    holds = constrain(model, "range", rows, none - np.inf, none)
    plants, row = np.unique(ports.plant[at], return_inverse=True)
    mass = Rows(variables)
    mass.add("moved", row, number, np.sign(ports.coefficient[at]) * problem.network.t_per_unit[ports.commodity[at]])
    return constrain(model, "mass", mass, np.zeros(plants.size), np.zeros(plants.size)) and holds


def _add_ports(rows: Rows, problem: DesignProblem) -> Bools:
    """Write the balance of every port; returns the ports that have one."""
    network = problem.network
    ports, arcs, trades = network.ports, network.arcs, network.trades
    held = ~ports.natural
    at = np.arange(ports.plant.size)

    def add(family: str, port: Ints, sign: Floats) -> None:
        live = held[port]
        rows.add(family, port[live], np.flatnonzero(live), sign[live])

    live = np.flatnonzero(held)
    rows.add("activity", live, ports.plant[live], ports.coefficient[live])
    add("arc", arcs.giver, -np.ones(arcs.giver.size))
    add("arc", arcs.taker, arcs.ratio)
    bought = network.markets.direction[trades.market] == BUY
    add("trade", trades.port, np.where(bought, 1.0, -1.0))
    add("fate", network.fates.port, -np.ones(network.fates.port.size))
    moving = problem.flexible
    rows.add("moved", moving, np.arange(moving.size), np.sign(ports.coefficient[moving]))
    loose = np.where(problem.loose_max > 0, np.where(ports.coefficient > 0, -1.0, 1.0), 0.0)
    add("loose", at, loose)
    return held


def _limits(
    model: linopy.Model,
    problem: DesignProblem,
    variables: dict[str, linopy.Variable],
    limits: tuple[Limit, ...],
    name: str,
) -> bool:
    """Write limits, one row each, from their linear forms over the plants within."""
    network = problem.network
    owner = {
        "activity": np.arange(len(network.plant_ids)),
        "arc": network.ports.plant[network.arcs.giver],
        "trade": network.ports.plant[network.trades.port],
        "fate": network.ports.plant[network.fates.port],
        "built": problem.new,
        "capacity": problem.new,
    }
    rows = Rows(variables)
    for number, limit in enumerate(limits):
        for family in FAMILIES:
            form = getattr(limit.form, family)
            coefficient = form[problem.new] if family in {"built", "capacity"} else form
            used = np.flatnonzero((coefficient != 0) & limit.within[owner[family]])
            rows.add(family, np.full(used.size, number), used, coefficient[used])
    _give(rows, variables, name, np.arange(len(limits)))
    lower = np.array([limit.lower for limit in limits])
    upper = np.array([limit.upper for limit in limits])
    scale = np.array([reference_size(limit.lower, limit.upper) for limit in limits])
    return constrain(model, name, rows, lower, upper, scale)


def _caps(rows: Rows, problem: DesignProblem, sizes: _Sizes) -> Floats:
    """Write the caps of substitutions; returns the size of each. A cap without masses on both sides is not written."""
    network = problem.network
    ports, arcs = network.ports, network.arcs
    grouped = np.flatnonzero(arcs.cap_group >= 0)
    if grouped.size == 0:
        return np.zeros(0)
    group, first = np.unique(arcs.cap_group[grouped], return_index=True)
    taker = ports.plant[arcs.taker[grouped]]
    main = ports.commodity[network.plants.main[taker]]
    per_tonne = network.t_per_unit[ports.commodity[arcs.giver[grouped]]]
    share = arcs.cap_share[arcs.cap_group[grouped]] * network.t_per_unit[main]
    known = np.isfinite(per_tonne) & np.isfinite(share)
    row = np.searchsorted(group, arcs.cap_group[grouped])
    rows.add("arc", row[known], grouped[known], per_tonne[known])
    lead_at = first[known[first]]
    rows.add("activity", row[lead_at], taker[lead_at], -share[lead_at])
    size = np.ones(group.size)
    size[row[lead_at]] = share[lead_at] * sizes.activity[taker[lead_at]]
    return np.where(size > 0, size, 1.0)


def _exclusions(rows: Rows, problem: DesignProblem) -> int:
    place = {plant: number for number, plant in enumerate(problem.new.tolist())}
    for number, group in enumerate(problem.network.exclusions):
        members = np.array([place[plant] for plant in group if plant in place], dtype=np.int64)
        rows.add("built", np.full(members.size, number), members, np.ones(members.size))
    return len(problem.network.exclusions)


def _objective(model: linopy.Model, problem: DesignProblem, variables: dict[str, linopy.Variable]) -> None:
    new = problem.new
    cost = {
        "activity": problem.gain.activity,
        "arc": problem.gain.arc,
        "trade": problem.gain.trade,
        "fate": problem.gain.fate,
        "built": problem.gain.built[new] - problem.built_cost[new],
        "capacity": problem.gain.capacity[new] - problem.capacity_cost[new],
    }
    total = Rows(variables)
    for family, coefficient in cost.items():
        at = np.arange(coefficient.size)
        total.add(family, np.zeros(at.size, dtype=np.int64), at, coefficient)
    built = total.build()
    if built is None:
        model.add_objective((0 * variables["activity"]).sum(), sense="max")
    else:
        model.add_objective(built[0].sum(), sense="max")


def _add_elastic(
    model: linopy.Model, problem: DesignProblem, sizes: _Sizes, variables: dict[str, linopy.Variable]
) -> None:
    """Add what each limit, market and port may give, and make the least relative giving the objective."""
    markets = problem.network.markets
    limit = np.array([reference_size(item.lower, item.upper) for item in problem.limits])
    market = np.array([reference_size(a, b) for a, b in zip(markets.volume_min, markets.volume_max, strict=True)])
    relaxed = np.array([0.0 if item.rule else np.inf for item in problem.limits])
    port = np.where(sizes.port > 0, sizes.port, 1.0)
    kinds = (
        ("limit", relaxed, limit, 1.0),
        ("market", np.full(market.size, np.inf), market, 1.0),
        ("port", np.full(port.size, np.inf), port, PORT_WEIGHT),
    )
    weights = {}
    for name, most, scale, weight in kinds:
        for side in ("over", "under"):
            family = f"{name}_{side}"
            variables[family] = add_variable(model, family, np.zeros(most.size), most, scale)
            weights[family] = -weight / scale
    goal = Rows(variables)
    for family, coefficient in weights.items():
        at = np.arange(coefficient.size)
        goal.add(family, np.zeros(at.size, dtype=np.int64), at, coefficient)
    built = goal.build()
    if built is not None:
        model.add_objective(built[0].sum(), sense="max")


def _give(rows: Rows, variables: dict[str, linopy.Variable], name: str, at: Ints) -> None:
    """Let rows give way in an elastic model; nothing otherwise."""
    if f"{name}_over" in variables:
        rows.add(f"{name}_over", at, at, -np.ones(at.size))
        rows.add(f"{name}_under", at, at, np.ones(at.size))


def build_model(problem: DesignProblem, elastic: bool = False) -> linopy.Model | None:
    """Return the linopy model of a problem, or None when a row that nothing can move does not hold.

    Parameters
    ----------
    problem : DesignProblem
        What to choose from.
    elastic : bool
        Let limits, market volumes and (dearly) ports give way, and minimise the sum of their relative excess instead.
    """
    network, sizes = problem.network, _sizes(problem, elastic)
    with linopy.options:
        linopy.options["semantics"] = "v1"
        model = linopy.Model(sparse=True)
        variables = _variables(model, problem, sizes)
        if elastic:
            _add_elastic(model, problem, sizes, variables)
        else:
            _objective(model, problem, variables)

        ports = Rows(variables)
        held = _add_ports(ports, problem)
        _give(ports, variables, "port", np.flatnonzero(held))
        zeros = np.zeros(sizes.port.size)
        holds = constrain(model, "port", ports, zeros, zeros, np.where(sizes.port > 0, sizes.port, 1.0))

        holds &= _flexible(model, problem, variables)
        holds &= _new_plants(model, problem, variables, sizes)

        markets = network.markets
        volumes = Rows(variables)
        limited = np.isfinite(markets.volume_max) | (markets.volume_min > 0)
        trading = np.flatnonzero(limited[network.trades.market])
        volumes.add("trade", network.trades.market[trading], trading, np.ones(trading.size))
        _give(volumes, variables, "market", np.flatnonzero(limited))
        least, most = np.where(limited, markets.volume_min, 0.0), np.where(limited, markets.volume_max, np.inf)
        scale = np.array([reference_size(a, b) for a, b in zip(least, most, strict=True)])
        holds &= constrain(model, "market", volumes, least, most, scale)

        caps = Rows(variables)
        scale = _caps(caps, problem, sizes)
        holds &= constrain(model, "cap", caps, np.full(scale.size, -np.inf), np.zeros(scale.size), scale)

        exclusions = Rows(variables)
        number = _exclusions(exclusions, problem)
        holds &= constrain(model, "exclusion", exclusions, np.full(number, -np.inf), np.ones(number))

        holds &= _limits(model, problem, variables, problem.limits, "limit")
    return model if holds else None


def add_rules(model: linopy.Model, problem: DesignProblem, rules: tuple[Limit, ...], name: str) -> bool:
    """Add rows to a model already built; False when one without terms cannot hold."""
    with linopy.options:
        linopy.options["semantics"] = "v1"
        return _limits(model, problem, dict(model.variables.items()), rules, name)


def _new_plants(
    model: linopy.Model, problem: DesignProblem, variables: dict[str, linopy.Variable], sizes: _Sizes
) -> bool:
    """Tie activity, capacity and building of new plants together: three rows for each."""
    new = problem.new
    plants, at, one = problem.network.plants, np.arange(new.size), np.ones(new.size)
    largest = sizes.capacity
    smallest = np.minimum(np.nan_to_num(plants.capacity_min[new]), largest)
    run, most, least = at, at + new.size, at + 2 * new.size
    rows = Rows(variables)
    rows.add("activity", run, new, one)
    rows.add("capacity", run, at, -one)
    rows.add("capacity", most, at, one)
    rows.add("built", most, at, -largest)
    rows.add("built", least, at, smallest)
    rows.add("capacity", least, at, -one)
    scale = np.tile(np.where(largest > 0, largest, 1.0), 3)
    return constrain(model, "new", rows, np.full(3 * new.size, -np.inf), np.zeros(3 * new.size), scale)


def _state(model: linopy.Model, problem: DesignProblem, values: Floats) -> tuple[Flows, dict[str, Floats]]:
    """Return the flows and all variables by name from HiGHS's values by label."""
    found = {name: values[variable.labels.to_numpy()] for name, variable in model.variables.items()}
    found = {name: found[name] if name == "moved" else np.maximum(found[name], 0.0) for name in found}
    count = len(problem.network.plant_ids)
    spread = {name: np.zeros(count) for name in ("built", "capacity")}
    for name, full in spread.items():
        full[problem.new] = found[name]
    spread["built"] = np.round(spread["built"])
    flows = Flows(found["activity"], found["arc"], found["trade"], found["fate"], spread["built"], spread["capacity"])
    return flows, found


def demand_arcs(model: linopy.Model, least: Floats) -> None:
    """Set the least amount along each arc (A,) of a model already built, at most what the arc can carry."""
    arc = model.variables["arc"]
    upper = arc.upper
    arc.update(lower=xr.DataArray(np.minimum(least, upper.to_numpy()), coords=upper.coords, dims=upper.dims))


def nothing_found(problem: DesignProblem, status: str, seconds: float = 0.0) -> Solution:
    """Return a solution that holds no state."""
    network = problem.network
    return Solution(
        status=status,
        flows=no_flows(network),
        loose=np.zeros(network.ports.plant.size),
        objective=np.nan,
        bound=np.nan,
        seconds=seconds,
        excess=np.zeros(len(problem.limits)),
        market_excess=np.zeros(network.markets.price.size),
        port_excess=np.zeros(network.ports.plant.size),
    )


def solve_model(problem: DesignProblem, model: linopy.Model, elastic: bool = False) -> Solution:
    """Solve a model that `build_model` wrote for the problem (rules may have been added since)."""
    run = maximise(model, 0.0 if elastic else -problem.value(problem.base), problem.options)
    nothing = nothing_found(problem, run.status, run.seconds)
    if run.values.size == 0:
        return nothing
    flows, found = _state(model, problem, run.values)
    solution = replace(nothing, flows=flows, loose=found["loose"], objective=run.objective, bound=run.bound)
    if not elastic:
        return solution
    limit, market, port = (found[f"{name}_over"] - found[f"{name}_under"] for name in ("limit", "market", "port"))
    return replace(solution, excess=limit, market_excess=market, port_excess=port)


def solve_problem(problem: DesignProblem, elastic: bool = False) -> Solution:
    """Return the best state of a problem with its bound.

    Parameters
    ----------
    problem : DesignProblem
        What to choose from.
    elastic : bool
        Find instead the state in which limits give least (see `build_model`); ``excess`` then says by how much.

    Returns
    -------
    Solution
        Status optimal, time_limit, no_solution, infeasible or unbounded; the state is empty when there is none.
    """
    model = build_model(problem, elastic)
    return nothing_found(problem, "infeasible") if model is None else solve_model(problem, model, elastic)
