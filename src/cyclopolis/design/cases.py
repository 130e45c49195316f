"""Process network synthesis problems as published: units by name, solved by the same model as a plan.

A problem is a mapping as in the literature's data files: ``products`` (with ``demand_min``, ``demand_max``),
``raw_material_price``, ``units`` (``inputs`` and ``outputs`` per unit of activity, ``capacity_max``, ``fixed_cost``,
``proportional_cost``), and groups of units that exclude each other. Costs are minimised; surplus of anything but the
products costs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from cyclopolis.design.model import solve_problem
from cyclopolis.design.problem import DesignProblem, Limit, Solution, SolveOptions, built_rule, no_flows, zero_form
from cyclopolis.design.synthesis import dangling_units, maximal_structure, solution_structures
from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.network.model import (
    BUY,
    CANDIDATE,
    SELL,
    SUPPLY,
    Arcs,
    Bools,
    Fates,
    Floats,
    Ints,
    Markets,
    Network,
    Plants,
    Ports,
    Trades,
)

ENOUGH = 1e3
"""A unit without a capacity may run at this many times the greatest demand; if that binds, more is tried."""
MOST_STRUCTURES = 10_000
"""Structures that are listed one by one; a problem with more says that there are more."""
_UNIT_KEYS = {"inputs", "outputs", "capacity_max", "fixed_cost", "proportional_cost"}
_CASE_KEYS = {
    "products", "raw_materials", "raw_material_price", "units", "objective", "mutually_exclusive",
    "mutual_exclusion_variant",
}  # fmt: skip


@dataclass(frozen=True)
class Units:
    """A synthesis problem on arrays: U units, M materials, links and amounts U x M, money per unit."""

    names: tuple[str, ...]
    materials: tuple[str, ...]
    takes: csr_array
    makes: csr_array
    raw: Bools
    products: Bools
    price: Floats
    demand_min: Floats
    demand_max: Floats
    capacity: Floats
    fixed: Floats
    proportional: Floats

    def units_of(self, mask: Bools) -> list[str]:
        """Return the names of the marked units, in the order given."""
        return [self.names[unit] for unit in np.flatnonzero(mask)]


def _amounts(given: object) -> dict[str, float]:
    """Return amounts by material from a mapping, or 1 each from a list of names."""
    if isinstance(given, Mapping):
        return {str(name): float(amount) for name, amount in given.items()}
    if isinstance(given, Sequence) and not isinstance(given, str):
        return dict.fromkeys((str(name) for name in given), 1.0)
    raise TypeError


def _check(inputs: Mapping[str, Any]) -> None:
    """Refuse what cannot be read, all of it at once."""
    problems = []

    def refuse(key: str, **values: object) -> None:
        problems.append(Problem(message(f"design.case_{key}", **values)))

    for key in sorted(set(inputs) - _CASE_KEYS):
        refuse("unknown_key", key=key)
    units = inputs.get("units")
    if not isinstance(units, Mapping) or not units:
        refuse("no_units")
        units = {}
    if not inputs.get("products"):
        refuse("no_products")
    for name, unit in units.items():
        if not isinstance(unit, Mapping):
            refuse("unit_amounts", unit=name)
            continue
        for key in sorted(set(unit) - _UNIT_KEYS):
            refuse("unknown_unit_key", unit=name, key=key)
        try:
            amounts = [*_amounts(unit.get("inputs", {})).values(), *_amounts(unit.get("outputs", {})).values()]
            numbers = [float(unit[key]) for key in ("capacity_max", "fixed_cost", "proportional_cost") if key in unit]
        except (TypeError, ValueError):
            refuse("unit_amounts", unit=name)
            continue
        if any(not amount > 0 for amount in amounts) or any(not number >= 0 for number in numbers):
            refuse("unit_amounts", unit=name)
    for key in ("mutually_exclusive", "mutual_exclusion_variant"):
        for group in inputs.get(key) or ():
            for name in group:
                if name not in units:
                    refuse("unknown_unit", unit=name, key=key)
    if problems:
        raise UserError(problems)


def read_units(inputs: Mapping[str, Any]) -> Units:
    """Return a synthesis problem as arrays.

    Raises
    ------
    UserError
        Naming every key, unit or amount that cannot be read.
    """
    _check(inputs)
    prices = {str(name): float(price) for name, price in (inputs.get("raw_material_price") or {}).items()}
    raw = dict.fromkeys([*(str(name) for name in inputs.get("raw_materials") or ()), *prices])
    given = inputs["products"]
    products = {str(name): (given[name] or {}) if isinstance(given, Mapping) else {} for name in given}
    units = {str(name): unit for name, unit in inputs["units"].items()}
    links = [(_amounts(unit.get("inputs", {})), _amounts(unit.get("outputs", {}))) for unit in units.values()]
    used = [name for takes, makes in links for name in (*takes, *makes)]
    materials = tuple(sorted({*raw, *products, *used}))
    place = {name: number for number, name in enumerate(materials)}

    def matrix(side: int) -> csr_array:
        entries = [(row, place[name], amount) for row, pair in enumerate(links) for name, amount in pair[side].items()]
        rows, columns, amounts = (np.array(part) for part in zip(*entries, strict=True)) if entries else ((), (), ())
        return csr_array((amounts, (rows, columns)), shape=(len(units), len(materials)), dtype=np.float64)

    def column(values: Mapping[str, float], default: float) -> Floats:
        return np.array([values.get(name, default) for name in materials])

    def figure(key: str, default: float) -> Floats:
        return np.array([float(unit.get(key, default)) for unit in units.values()])

    return Units(
        names=tuple(units),
        materials=materials,
        takes=matrix(0),
        makes=matrix(1),
        raw=np.array([name in raw for name in materials]),
        products=np.array([name in products for name in materials]),
        price=column(prices, 0.0),
        demand_min=column({name: float(item.get("demand_min", 0.0)) for name, item in products.items()}, 0.0),
        demand_max=column({name: float(item.get("demand_max", np.inf)) for name, item in products.items()}, np.inf),
        capacity=figure("capacity_max", np.inf),
        fixed=figure("fixed_cost", 0.0),
        proportional=figure("proportional_cost", 0.0),
    )


def _pairs(giver: Ints, taker: Ints, commodity: Ints, plant: Ints) -> tuple[Ints, Ints]:
    """Return every output port with every input port of the same commodity at another plant."""
    order = taker[np.argsort(commodity[taker], kind="stable")]
    left = np.searchsorted(commodity[order], commodity[giver], side="left")
    right = np.searchsorted(commodity[order], commodity[giver], side="right")
    count = right - left
    givers = np.repeat(giver, count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    takers = order[np.repeat(left, count) + within]
    apart = plant[givers] != plant[takers]
    return givers[apart], takers[apart]


def units_network(units: Units, enough: float) -> Network:
    """Return the units as candidate plants at one place; ``enough`` stands for a capacity that is not given."""
    net = (units.makes - units.takes).tocoo()
    order = np.lexsort((net.col, net.row))
    plant, commodity, coefficient = (part[order] for part in (net.row, net.col, net.data))
    kept = coefficient != 0
    plant, commodity, coefficient = plant[kept].astype(np.int64), commodity[kept].astype(np.int64), coefficient[kept]
    count, outputs, inputs = len(units.names), np.flatnonzero(coefficient > 0), np.flatnonzero(coefficient < 0)
    giver, taker = _pairs(outputs, inputs, commodity, plant)
    bought = inputs[units.raw[commodity[inputs]]]
    sold = outputs[units.products[commodity[outputs]]]
    surplus = outputs[~units.products[commodity[outputs]]]
    size = len(units.materials)
    capacity = np.where(np.isfinite(units.capacity), units.capacity, enough)
    return Network(
        site_ids=("here",),
        enterprise_ids=(),
        plant_ids=units.names,
        commodity_ids=units.materials,
        technology_ids=units.names,
        chain_ids=(),
        mode_ids=(),
        fate_ids=("surplus",),
        year=0,
        parent=np.array([-1]),
        park=np.array([0]),
        grid_factor=np.array([np.nan]),
        chain=np.full(count, -1),
        commodities=pl.DataFrame({"commodity": units.materials}),
        technologies=pl.DataFrame({"technology": units.names}),
        t_per_unit=np.ones(size),
        plants=_candidates(count, plant, capacity),
        ports=Ports(
            plant=plant,
            commodity=commodity,
            coefficient=coefficient,
            recipe=coefficient,
            low=np.abs(coefficient),
            high=np.abs(coefficient),
            role=np.zeros(plant.size, dtype=np.int64),
            natural=np.zeros(plant.size, dtype=np.bool_),
            provenance=np.ones(plant.size, dtype=np.int64),
        ),
        arcs=Arcs(
            giver=giver,
            taker=taker,
            ratio=np.ones(giver.size),
            kind=np.full(giver.size, SUPPLY),
            distance=np.zeros(giver.size),
            mode=np.full(giver.size, -1),
            cost=np.zeros(giver.size),
            cap_group=np.full(giver.size, -1),
            co2_credit=np.zeros(giver.size),
            cap_share=np.zeros(0),
            exchange=np.full(giver.size, np.nan),
            exchange_provenance=np.full(giver.size, -1),
        ),
        markets=Markets(
            commodity=np.tile(np.arange(size), 2),
            site=np.full(2 * size, -1),
            direction=np.repeat([BUY, SELL], size),
            price=np.concatenate([units.price, np.zeros(size)]),
            volume_min=np.concatenate([np.zeros(size), units.demand_min]),
            volume_max=np.concatenate([np.full(size, np.inf), units.demand_max]),
            implied=np.zeros(2 * size, dtype=np.bool_),
            provenance=np.ones(2 * size, dtype=np.int64),
        ),
        trades=Trades(
            port=np.concatenate([bought, sold]),
            market=np.concatenate([commodity[bought], size + commodity[sold]]),
        ),
        fates=Fates(
            port=surplus,
            fate=np.zeros(surplus.size, dtype=np.int64),
            cost=np.zeros(surplus.size),
            co2=np.zeros(surplus.size),
            provenance=np.ones(surplus.size, dtype=np.int64),
        ),
        exclusions=(),
        unknowns=pl.DataFrame(),
    )


def _candidates(count: int, plant: Ints, capacity: Floats) -> Plants:
    """Return candidate plants of the given largest capacities and no other figures."""
    unknown, zeros = np.full(count, np.nan), np.zeros(count)
    first = np.searchsorted(plant, np.arange(count)).clip(max=max(plant.size - 1, 0))
    return Plants(
        site=np.zeros(count, dtype=np.int64),
        enterprise=np.full(count, -1),
        technology=np.arange(count),
        status=np.full(count, CANDIDATE),
        main=first,
        capacity=capacity,
        capacity_min=zeros,
        activity=zeros,
        build_from=unknown,
        build_until=unknown,
        lifetime=unknown,
        capex=unknown,
        capex_fixed=unknown,
        capex_slope=unknown,
        opex=unknown,
        jobs=unknown,
        land=unknown,
        may_close=np.zeros(count, dtype=np.bool_),
        library=np.zeros(count, dtype=np.bool_),
        provenance=np.ones(count, dtype=np.int64),
        economics_provenance=np.ones(count, dtype=np.int64),
    )


def units_problem(units: Units, enough: float, options: SolveOptions) -> DesignProblem:
    """Return the synthesis problem as a design problem: gain is minus cost, building costs the fixed cost."""
    network = units_network(units, enough)
    trades = network.trades
    paid = np.where(network.markets.direction[trades.market] == BUY, network.markets.price[trades.market], 0.0)
    gain = replace(zero_form(network), activity=-units.proportional, trade=-paid)
    count = len(units.names)
    return DesignProblem(
        network=network,
        base=no_flows(network),
        gain=gain,
        built_cost=units.fixed,
        capacity_cost=np.zeros(count),
        decided=np.zeros(count, dtype=np.bool_),
        barred=np.zeros(count, dtype=np.bool_),
        loose_max=np.zeros(network.ports.plant.size),
        arc_min=np.zeros(network.arcs.giver.size),
        limits=_axioms(units, network),
        options=options,
    )


def _axioms(units: Units, network: Network) -> tuple[Limit, ...]:
    """Return the axioms as rules over what is built: starved and useless units are out, products have a maker."""
    inside = maximal_structure(units.takes, units.makes, units.raw, units.products)
    rules = [built_rule(network, "maximal structure", np.where(inside, 0.0, 1.0), upper=0.0)] if ~inside.all() else []
    makes = (units.makes.toarray() > 0) & inside[:, None]
    for material in np.flatnonzero(units.products):
        rules.append(built_rule(network, "product made", makes[:, material].astype(float), lower=1.0))
    takers, taken = units.takes.nonzero()
    for unit, material in zip(takers.tolist(), taken.tolist(), strict=True):
        if inside[unit] and not units.raw[material]:
            weights = -makes[:, material].astype(float)
            weights[unit] += 1.0
            rules.append(built_rule(network, "input made", weights, upper=0.0))
    return tuple(rules)


def _exclusion_rules(units: Units, network: Network, groups: Sequence[Sequence[str]]) -> tuple[Limit, ...]:
    return tuple(
        built_rule(network, "exclusion", np.array([float(name in group) for name in units.names]), upper=1.0)
        for group in groups
    )


def _path_cuts(units: Units, network: Network, dangling: Bools) -> tuple[Limit, ...]:
    """Return rules that ask each dangling unit for a taker outside the dangling set."""
    made = np.asarray(units.makes[dangling].sum(axis=0)).ravel() > 0
    takers = (units.takes @ made.astype(float) > 0) & ~dangling
    return tuple(
        built_rule(network, "path to a product", -takers.astype(float) + (np.arange(dangling.size) == unit), upper=0.0)
        for unit in np.flatnonzero(dangling)
    )


def rank_structures(units: Units, groups: Sequence[Sequence[str]], count: int) -> tuple[list[Solution], bool]:
    """Return the ``count`` cheapest solution structures in rising order of cost, and whether these are all.

    After each optimum its structure is cut off and the model is solved again; a set with a unit on no path to a product
    is not a structure and is cut off by asking for such a path.
    """
    options = SolveOptions(gap=1e-9, time_limit=600.0)
    demand = np.concatenate([units.demand_min, np.where(np.isfinite(units.demand_max), units.demand_max, 0.0)])
    enough = ENOUGH * max(float(demand.max(initial=0.0)), 1.0)
    problem = units_problem(units, enough, options)
    problem = problem.with_limits(problem.limits + _exclusion_rules(units, problem.network, groups))
    found: list[Solution] = []
    while len(found) < count:
        solution = solve_problem(problem)
        if solution.status != "optimal":
            return found, True
        chosen = solution.flows.built > 0.5
        dangling = dangling_units(units.takes, units.makes, units.products, chosen)
        if dangling.any():
            problem = problem.with_limits(problem.limits + _path_cuts(units, problem.network, dangling))
            continue
        found.append(solution)
        cut = built_rule(problem.network, "not again", np.where(chosen, 1.0, -1.0), upper=float(chosen.sum()) - 1.0)
        problem = problem.with_limits((*problem.limits, cut))
    return found, False


def _answer(units: Units, solution: Solution) -> dict[str, Any]:
    chosen = solution.flows.built > 0.5
    return {
        "cost": -solution.objective,
        "units": units.units_of(chosen),
        "activity": {units.names[unit]: float(solution.flows.activity[unit]) for unit in np.flatnonzero(chosen)},
    }


def _lacking(units: Units, groups: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return by how much each product's demand cannot be met, in the state that lacks least."""
    enough = ENOUGH * max(float(units.demand_min.max(initial=0.0)), 1.0)
    problem = units_problem(units, enough, SolveOptions(gap=1e-6))
    rules = _exclusion_rules(units, problem.network, groups)
    solution = solve_problem(problem.with_limits(rules), elastic=True)
    short = -solution.market_excess[len(units.materials) :]
    return {
        units.materials[at]: float(short[at]) for at in np.flatnonzero(short > 1e-6 * np.maximum(units.demand_min, 1))
    }


def solve_synthesis_cost(inputs: Mapping[str, Any], count: int = 50) -> dict[str, Any]:
    """Solve a process network synthesis problem for least cost.

    Parameters
    ----------
    inputs : mapping
        ``products``, ``raw_material_price``, ``units``, ``mutually_exclusive``, ``mutual_exclusion_variant``; see the
        module's text.
    count : int
        Structures ranked at most.

    Returns
    -------
    dict
        ``status`` (optimal or infeasible), ``cost``, ``units``, ``activity`` of the optimum under ``mutually_exclusive``,
        ``ranked_costs`` ([cost, units] in rising order), ``optimum`` and ``second``, ``optimum_without_exclusions``,
        ``optimum_with_exclusions`` (under the variant when there is one), ``number_of_solutions`` (feasible structures;
        None when there are more than ``count``), and ``lacking`` (product: amount short) when infeasible.

    Raises
    ------
    UserError
        If the problem cannot be read.

    Examples
    --------
    >>> unit = {"inputs": {"ore": 2}, "outputs": {"metal": 1}, "fixed_cost": 10, "proportional_cost": 1}
    >>> answer = solve_synthesis_cost(
    ...     {"products": {"metal": {"demand_min": 5}}, "raw_material_price": {"ore": 3}, "units": {"smelter": unit}}
    ... )
    >>> round(answer["cost"], 6), answer["units"]
    (45.0, ['smelter'])
    """
    units = read_units(inputs)
    groups = inputs.get("mutually_exclusive") or []
    variant = inputs.get("mutual_exclusion_variant") or groups
    ranked, complete = rank_structures(units, groups, count)
    answers = [_answer(units, solution) for solution in ranked]

    def best(under: Sequence[Sequence[str]]) -> dict[str, Any] | None:
        if under == groups:
            return answers[0] if answers else None
        first, _ = rank_structures(units, under, 1)
        return _answer(units, first[0]) if first else None

    optimum = answers[0] if answers else {"cost": None, "units": [], "activity": {}}
    return {
        "status": "optimal" if answers else "infeasible",
        **optimum,
        "ranked_costs": [[answer["cost"], answer["units"]] for answer in answers],
        "optimum": answers[0] if answers else None,
        "second": answers[1] if len(answers) > 1 else None,
        "optimum_without_exclusions": best([]),
        "optimum_with_exclusions": best(variant),
        "number_of_solutions": len(answers) if complete else None,
        "lacking": {} if answers else _lacking(units, groups),
    }


def solve_synthesis_structure(inputs: Mapping[str, Any], most: int = MOST_STRUCTURES) -> dict[str, Any]:
    """Return the maximal structure and the solution structures of a synthesis problem.

    Parameters
    ----------
    inputs : mapping
        ``products``, ``raw_materials`` and ``units`` with ``inputs`` and ``outputs`` (lists of names or amounts by name).
    most : int
        Structures listed at most.

    Returns
    -------
    dict
        ``maximal_structure_units``, ``number_of_solution_structures`` (None when there are more than ``most``) and
        ``solution_structures``, by size and then by the order of the units.

    Examples
    --------
    >>> answer = solve_synthesis_structure(
    ...     {"products": ["B"], "raw_materials": ["A"], "units": {"U": {"inputs": ["A"], "outputs": ["B"]}}}
    ... )
    >>> answer["number_of_solution_structures"], answer["solution_structures"]
    (1, [['U']])
    """
    units = read_units(inputs)
    found = list(islice(solution_structures(units.takes, units.makes, units.raw, units.products), most + 1))
    inside = maximal_structure(units.takes, units.makes, units.raw, units.products)
    structures = sorted(found[:most], key=lambda structure: (len(structure), structure))
    return {
        "maximal_structure_units": units.units_of(inside),
        "number_of_solution_structures": len(found) if len(found) <= most else None,
        "solution_structures": [[units.names[unit] for unit in structure] for structure in structures],
    }
