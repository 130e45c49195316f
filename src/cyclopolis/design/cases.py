"""Process network synthesis problems as published: units by name, solved by the same model as a plan.

A problem is a mapping as in the literature's data files: ``products`` (with ``demand_min``, ``demand_max``),
``raw_material_price``, ``units`` (``inputs`` and ``outputs`` per unit of activity, ``capacity_max``, ``fixed_cost``,
``proportional_cost``), and groups of units that exclude each other. Costs are minimised; surplus of anything but the
products costs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from cyclopolis.design.problem import DesignProblem, Limit, Solution, SolveOptions, built_rule, no_flows, zero_form
from cyclopolis.design.solve import solve_problem
from cyclopolis.design.synthesis import dangling_units, maximal_structure, solution_structures
from cyclopolis.design.units import Units, read_units, units_network
from cyclopolis.foundation.problems import user_error
from cyclopolis.network.model import BUY, Bools, Network

ENOUGH = (1e3, 1e6, 1e9)
"""A unit without a capacity may run at so many times the greatest demand; where that binds, the next is tried, until
nothing becomes cheaper. The smallest is best, for a bound far above what happens costs digits."""
TIE = 1e-6
"""Share of the cost that all units together cost more when structures are ranked; it is taken off again."""
MOST_STRUCTURES = 10_000
"""Structures that are listed one by one; a problem with more says that there are more."""


def units_problem(units: Units, enough: float, options: SolveOptions) -> DesignProblem:
    """Return the synthesis problem as a design problem: gain is minus cost, building costs the fixed cost."""
    network = units_network(units, enough)
    trades = network.trades
    bought = network.markets.direction[trades.market] == BUY
    money = np.where(bought, -1.0, 1.0) * network.markets.price[trades.market]
    gain = replace(zero_form(network), activity=-units.proportional, trade=money)
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
    makes = (units.makes.toarray() > 0) & inside[:, None]
    takers, taken = units.takes.nonzero()
    fed = inside[takers] & ~units.raw[taken]
    own = np.eye(len(units.names))
    return (
        built_rule(network, "maximal structure", np.where(inside, 0.0, 1.0), upper=0.0),
        *(
            built_rule(network, "product made", makes[:, material].astype(float), lower=1.0)
            for material in np.flatnonzero(units.products)
        ),
        *(
            built_rule(network, "input made", own[unit] - makes[:, material], upper=0.0)
            for unit, material in zip(takers[fed].tolist(), taken[fed].tolist(), strict=True)
        ),
    )


def _exclusion_rules(units: Units, network: Network, groups: Sequence[Sequence[str]]) -> tuple[Limit, ...]:
    return tuple(
        built_rule(network, "exclusion", np.array([float(name in group) for name in units.names]), upper=1.0)
        for group in groups
    )


def _path_cuts(network: Network, units: Units, dangling: Bools) -> tuple[Limit, ...]:
    """Return rules that ask each dangling unit for a taker outside the dangling set."""
    made = np.asarray(units.makes[dangling].sum(axis=0)).ravel() > 0
    takers = (units.takes @ made.astype(float) > 0) & ~dangling
    return tuple(
        built_rule(network, "path to a product", -takers.astype(float) + (np.arange(dangling.size) == unit), upper=0.0)
        for unit in np.flatnonzero(dangling)
    )


def _cheapest(units: Units, problem: DesignProblem, count: int) -> tuple[list[Solution], bool]:
    """Return the cheapest solution structures in rising order of cost, and whether these are all.

    After each optimum its structure is cut off and the problem is solved again; a set with a unit on no path to a
    product is not a structure and is cut off by asking for such a path.
    """
    found: list[Solution] = []
    while True:
        solution = solve_problem(problem)
        if solution.status != "optimal":
            return found, True
        chosen = solution.flows.built > 0.5
        dangling = dangling_units(units.takes, units.makes, units.products, chosen)
        if dangling.any():
            rules = _path_cuts(problem.network, units, dangling)
        else:
            found.append(solution)
            if len(found) == count:
                return found, False
            weights = np.where(chosen, 1.0, -1.0)
            rules = (built_rule(problem.network, "not again", weights, upper=float(chosen.sum()) - 1.0),)
        problem = problem.with_limits(problem.limits + rules)


def rank_structures(units: Units, groups: Sequence[Sequence[str]], count: int) -> tuple[list[Solution], bool]:
    """Return the ``count`` cheapest solution structures in rising order of cost, and whether these are all.

    Every unit of a structure pays its fixed cost, run or not; of structures of equal cost the smaller comes first.

    Parameters
    ----------
    units : Units
    groups : sequence of sequences of str
        Names of units that exclude each other.
    count : int
        Structures wanted.

    Raises
    ------
    UserError
        If a unit without a capacity would run without end.
    """
    options = SolveOptions(gap=1e-9, time_limit=600.0)
    boundless = ~np.isfinite(units.capacity)
    before: list[float] = []
    for factor in ENOUGH:
        enough = factor * _greatest_demand(units)
        problem = units_problem(units, enough, options)
        problem = problem.with_limits(problem.limits + _exclusion_rules(units, problem.network, groups))
        first, _ = _cheapest(units, problem, 1)
        found, complete = _cheapest(units, _with_ties(problem, first[0], enough), count) if first else ([], True)
        binds = any((item.flows.activity[boundless] > 0.99 * enough).any() for item in found)
        costs = [problem.value(item.flows) for item in found]
        if not binds or (len(costs) == len(before) and np.allclose(costs, before, rtol=1e-6)):
            return found, complete
        before = costs
    raise user_error("design.case_unbounded")


def _with_ties(problem: DesignProblem, first: Solution, enough: float) -> DesignProblem:
    """Return the problem with a trifle on every unit and its activity: of equals the smaller comes first."""
    trifle = TIE * max(abs(first.objective), 1e-3) / problem.new.size
    gain = replace(problem.gain, activity=problem.gain.activity - trifle / enough)
    return replace(problem, gain=gain, built_cost=problem.built_cost + trifle)


def _greatest_demand(units: Units) -> float:
    """Return the greatest demand in terms of activity: over the smallest amount that any unit takes or makes."""
    demand = np.concatenate([units.demand_min, np.where(np.isfinite(units.demand_max), units.demand_max, 0.0)])
    amounts = np.concatenate([units.takes.data, units.makes.data])
    smallest = float(amounts[amounts > 0].min(initial=1.0))
    return max(float(demand.max(initial=0.0)), 1.0) / smallest


def _answer(units: Units, solution: Solution) -> dict[str, Any]:
    chosen = solution.flows.built > 0.5
    money = units_problem(units, ENOUGH[0], SolveOptions()).value(solution.flows)
    return {
        "cost": 0.0 - money,
        "units": units.units_of(chosen),
        "activity": {units.names[unit]: float(solution.flows.activity[unit]) for unit in np.flatnonzero(chosen)},
    }


def _lacking(units: Units, groups: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return by how much each product's demand cannot be met, in the state that lacks least."""
    enough = ENOUGH[0] * _greatest_demand(units)
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
        ``status`` (optimal or infeasible), ``cost``, ``units``, ``activity`` of the optimum under
        ``mutually_exclusive``, ``ranked_costs`` ([cost, units] in rising order), ``optimum`` and ``second``,
        ``optimum_without_exclusions``, ``optimum_with_exclusions`` (under the variant when there is one),
        ``number_of_solutions`` (feasible structures; None when there are more than
        ``count``), and ``lacking`` (product: amount short) when infeasible.

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
        ``products``, ``raw_materials`` and ``units`` with ``inputs`` and ``outputs`` (lists of names or amounts by
        name).
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
