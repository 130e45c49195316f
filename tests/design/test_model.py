"""The model: hand-solved optima, brute force over builds, limits, elasticity, order, time."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from design_networks import Plant, World, plant_at

from cyclopolis.design import check_state, solve_problem
from cyclopolis.design.breakeven import Forcing
from cyclopolis.design.checker import yearly_money
from cyclopolis.design.problem import DesignProblem, Limit, built_rule, zero_form
from cyclopolis.design.solve import solve_years
from cyclopolis.design.tidy import tidy_flows
from cyclopolis.design.years import one_year
from cyclopolis.network import best_flows, quantities
from cyclopolis.network.model import CANDIDATE, EXISTING


def solved(problem: DesignProblem):
    """Solve, and let the independent checker look at every optimum of this file."""
    solution = solve_problem(problem)
    assert solution.status == "optimal"
    flows = tidy_flows(problem, solution.flows, solution.loose)
    assert check_state(problem.network, problem.base.activity, flows, solution.loose, problem.loose_max) == ()
    money = yearly_money(problem.network, flows) - yearly_money(problem.network, problem.base)
    capital = problem.built_cost @ flows.built + problem.capacity_cost @ flows.capacity
    assert money - capital == pytest.approx(solution.objective, rel=1e-6, abs=1e-6)
    assert solution.objective <= solution.bound * (1 + 1e-9) + 1e-6
    return solution


# One mill stands and dumps 20 slag a year at 5 each; a kiln could turn slag into brick.
MILL = Plant({"steel": 1.0, "slag": 0.2, "ore": -2.0}, capacity=100, activity=100, status=EXISTING)
KILN = Plant({"brick": 1.0, "slag": -1.0}, capacity=30, status=CANDIDATE, fixed=40.0, opex=1.0)
PARK = World(
    {"mill": MILL, "kiln": KILN},
    buy={"ore": (3.0, np.inf)},
    sell={"steel": (50.0, 100.0), "brick": (4.0, np.inf)},
    fates={"slag": 5.0},
)


def test_a_kiln_for_slag_solved_by_hand():
    # 20 bricks at 4, less 20 at 1 to run, plus 20 x 5 of dumping spared, less 40 for the kiln.
    solution = solved(PARK.problem())
    assert solution.objective == pytest.approx(20 * 4 - 20 * 1 + 20 * 5 - 40)
    assert solution.flows.built.tolist() == [1.0, 0.0]
    assert solution.gap == pytest.approx(0.0, abs=1e-6)


def test_a_kiln_that_costs_more_than_it_brings_is_not_built():
    dear = replace(PARK, plants={**PARK.plants, "kiln": replace(KILN, fixed=161.0)})
    solution = solved(dear.problem())
    assert solution.objective == pytest.approx(0.0, abs=1e-9)
    assert solution.flows.built.sum() == 0


def test_a_decided_plant_is_built_and_a_barred_one_is_not():
    dear = replace(PARK, plants={**PARK.plants, "kiln": replace(KILN, fixed=200.0)}).problem()
    decided = dear.decided.copy()
    decided[plant_at(dear.network, "kiln")] = True
    assert solved(replace(dear, decided=decided)).objective == pytest.approx(160.0 - 200.0)
    cheap = PARK.problem()
    assert solved(replace(cheap, barred=decided)).flows.built.sum() == 0


def test_sales_keep_within_the_volume_of_their_market():
    small = replace(PARK, sell={"steel": (50.0, 100.0), "brick": (4.0, 7.0)}, fates={"slag": 0.0})
    solution = solved(replace(small, plants={**PARK.plants, "kiln": replace(KILN, fixed=1.0)}).problem())
    assert solution.objective == pytest.approx(7 * 3 - 1)


def test_a_least_volume_is_sold_even_at_a_loss():
    poor = replace(PARK, sell={"steel": (50.0, 100.0), "brick": (-9.0, 50.0)}, sell_min={"brick": 10.0})
    solution = solved(poor.problem())
    assert solution.objective == pytest.approx(-9 * 10 - 10 + 5 * 10 - 40)


def test_the_cap_of_a_substitution_holds():
    cement = Plant({"cement": 1.0, "clay": -1.0}, capacity=50, activity=50, status=EXISTING)
    world = World(
        {"mill": MILL, "cement": cement},
        buy={"ore": (3.0, np.inf), "clay": (2.0, np.inf)},
        sell={"steel": (50.0, 100.0), "cement": (30.0, 50.0)},
        fates={"slag": 5.0},
        swaps={("slag", "clay"): (0.8, 0.1)},
        arc_cost=0.5,
    )
    solution = solved(world.problem())
    # At most 0.1 x 50 = 5 t of slag, each in place of 0.8 t of clay.
    assert solution.flows.arc.sum() == pytest.approx(5.0)
    assert solution.objective == pytest.approx(5 * (5.0 + 0.8 * 2.0 - 0.5))


@pytest.mark.parametrize(("may_close", "gain"), [(False, 0.0), (True, 100 * (2 * 3.0 + 0.2 * 5.0 - 1.0))])
def test_an_existing_plant_keeps_its_output_unless_it_may_close(may_close, gain):
    world = replace(
        PARK,
        plants={"mill": replace(MILL, may_close=may_close)},
        sell={"steel": (1.0, 100.0)},
    )
    solution = solved(world.problem())
    assert solution.objective == pytest.approx(gain, abs=1e-6)
    assert solution.flows.activity[0] == pytest.approx(0.0 if may_close else 100.0)


def test_an_existing_plant_may_grow_to_its_capacity_where_somebody_buys():
    grown = replace(PARK, plants={"mill": replace(MILL, capacity=120)}, sell={"steel": (50.0, 110.0)})
    solution = solved(grown.problem())
    assert solution.flows.activity[0] == pytest.approx(110.0)


def test_size_is_chosen_between_smallest_and_largest_with_its_capital():
    kiln = replace(KILN, capacity_min=25.0, capacity=60.0, fixed=10.0, slope=1.0)
    solution = solved(replace(PARK, plants={"mill": MILL, "kiln": kiln}).problem())
    # 20 t of slag ask for 20, but the smallest kiln has 25.
    assert solution.flows.capacity[plant_at(PARK.network(), "kiln")] == pytest.approx(25.0)
    assert solution.objective == pytest.approx(160.0 - 10.0 - 25.0)


def test_one_plant_of_a_group_is_built():
    world = replace(PARK, plants={"mill": MILL, "k1": KILN, "k2": KILN}, exclusions=[("k1", "k2")])
    small = replace(world, plants={"mill": MILL, "k1": replace(KILN, capacity=8), "k2": replace(KILN, capacity=9)})
    solution = solved(small.problem())
    assert solution.flows.built.sum() == 1
    assert solution.objective == pytest.approx(9 * 8 - 40)


def limit(problem: DesignProblem, name: str, **bounds: float) -> Limit:
    everywhere = np.ones(len(problem.network.plant_ids), dtype=bool)
    return Limit(name, quantities(problem.network)[name], everywhere, **bounds)


def test_a_limit_holds_and_what_it_costs_is_the_difference():
    problem = PARK.problem()
    kept = solved(problem.with_limits((limit(problem, "disposal", upper=30.0),)))
    assert kept.objective == pytest.approx(160.0 - 40.0)
    assert quantities(problem.network)["disposal"].value(kept.flows) <= 30.0 + 1e-6
    budget = built_rule(problem.network, "nothing built", np.ones(2), upper=0.0)
    assert solved(problem.with_limits((budget,))).objective == pytest.approx(0.0, abs=1e-9)


def test_limits_that_clash_give_the_least():
    problem = PARK.problem()
    disposal = limit(problem, "disposal", upper=30.0)
    nothing = built_rule(problem.network, "nothing built", np.ones(2), upper=0.0)
    clash = problem.with_limits((disposal, nothing))
    assert solve_problem(clash).status == "infeasible"
    elastic = solve_problem(clash, elastic=True)
    # The mill must dump 20 t at 5: 70 more than allowed; the rule does not give.
    assert elastic.excess == pytest.approx([70.0, 0.0])
    assert elastic.market_excess == pytest.approx(0.0, abs=1e-6)
    assert elastic.port_excess == pytest.approx(0.0, abs=1e-6)


def test_a_limit_on_what_nobody_can_change_is_infeasible_not_ignored():
    problem = PARK.problem()
    assert solve_problem(problem.with_limits((limit(problem, "water", lower=5.0),))).status == "infeasible"
    assert solve_problem(problem.with_limits((limit(problem, "water", upper=5.0),))).status == "optimal"


def test_an_output_without_a_way_out_stops_the_plant_or_is_named():
    world = replace(PARK, plants={"mill": MILL}, fates={})
    problem = world.problem()
    assert solve_problem(problem).status == "infeasible"
    elastic = solve_problem(problem, elastic=True)
    slag = int(np.flatnonzero(np.abs(elastic.port_excess) > 1)[0])
    assert problem.network.commodity_ids[problem.network.ports.commodity[slag]] == "slag"
    assert abs(elastic.port_excess[slag]) == pytest.approx(20.0)
    loose = np.zeros(problem.loose_max.size)
    loose[slag] = 20.0
    assert solved(replace(problem, loose_max=loose)).loose[slag] == pytest.approx(20.0)


def test_a_market_too_small_for_what_stands_gives_way_and_not_the_port():
    full = replace(PARK, plants={"mill": MILL})
    small = replace(full, sell={"steel": (50.0, 60.0)}).problem()
    assert solve_problem(small).status == "infeasible"
    elastic = solve_problem(small, elastic=True)
    selling = int(np.flatnonzero(small.network.markets.direction == 1)[0])
    assert elastic.market_excess[selling] == pytest.approx(40.0)
    assert elastic.port_excess == pytest.approx(0.0, abs=1e-6)
    scarce = replace(full, buy={"ore": (3.0, 150.0)}).problem()
    elastic = solve_problem(scarce, elastic=True)
    buying = int(np.flatnonzero(scarce.network.markets.direction == 0)[0])
    assert elastic.market_excess[buying] == pytest.approx(200.0 - 150.0)
    twins = replace(full, plants={"m1": MILL, "m2": MILL}, sell={"steel": (50.0, 130.0)}).problem()
    elastic = solve_problem(twins, elastic=True)
    assert np.abs(elastic.market_excess).max() == pytest.approx(70.0)
    assert elastic.port_excess == pytest.approx(0.0, abs=1e-6)


def _equal_givers(second_cost: float) -> DesignProblem:
    """Two mills with slag and one works that takes the slag of one, at a cost of the second's own."""
    works = Plant({"cement": 1.0, "slag": -1.0}, capacity=20, activity=20, status=EXISTING)
    world = World(
        {"m1": MILL, "m2": MILL, "works": works},
        buy={"ore": (3.0, np.inf), "slag": (8.0, np.inf)},
        sell={"steel": (50.0, 200.0), "cement": (30.0, 20.0)},
        fates={"slag": 5.0},
    )
    problem = world.problem()
    owner = problem.network.ports.plant[problem.network.arcs.giver]
    gain = replace(problem.gain, arc=np.where(owner == plant_at(problem.network, "m2"), -second_cost, 0.0))
    return replace(problem, gain=gain)


@pytest.mark.parametrize("second_cost", [0.0, 0.75, 4.0])
@pytest.mark.parametrize("asked", [None, 3.0, 1e6])
def test_the_break_even_of_the_second_best_is_what_it_costs_more(second_cost, asked):
    problem = _equal_givers(second_cost)
    owner = problem.network.ports.plant[problem.network.arcs.giver]
    second = np.flatnonzero(owner == plant_at(problem.network, "m2"))
    amount, loss = Forcing(one_year(problem), solve_years(one_year(problem))).loss(second, asked)
    # Both ends allow 20 t; without an amount asked for, 1 % of it is forced.
    assert amount == pytest.approx({None: 0.2, 3.0: 3.0, 1e6: 20.0}[asked])
    assert loss / amount == pytest.approx(second_cost, abs=1e-6)


def test_an_exchange_that_no_limit_allows_cannot_be_forced():
    problem = _equal_givers(1.0)
    owner = problem.network.ports.plant[problem.network.arcs.giver]
    second = np.flatnonzero(owner == plant_at(problem.network, "m2"))
    form = replace(zero_form(problem.network), arc=(owner == owner[second[0]]).astype(float))
    never = Limit("no slag of the second", form, np.ones(3, dtype=bool), upper=0.0)
    barred = one_year(problem.with_limits((never,)))
    assert Forcing(barred, solve_years(barred)).loss(second, None) is None


def test_a_forced_arc_carries_its_least():
    dear = replace(PARK, plants={**PARK.plants, "kiln": replace(KILN, fixed=300.0)}).problem()
    forced = replace(dear, arc_min=np.full(dear.arc_min.size, 10.0))
    solution = solve_problem(forced)
    assert solution.flows.arc[0] >= 10.0 - 1e-9
    assert solution.objective == pytest.approx(160.0 - 300.0)


def _random_world(seed: int) -> World:
    rng = np.random.default_rng(seed)
    goods = [f"g{at}" for at in range(5)]
    plants = {}
    for at in range(6):
        chosen = rng.choice(goods, size=3, replace=False)
        recipe = {
            str(chosen[0]): 1.0,
            str(chosen[1]): -float(rng.integers(1, 5)) / 4,
            str(chosen[2]): float(rng.integers(1, 5)) / 8,
        }
        size = float(rng.integers(5, 40))
        stands = at < 2
        plants[f"p{at}"] = Plant(
            recipe,
            capacity=size,
            activity=0.6 * size if stands else 0.0,
            status=EXISTING if stands else CANDIDATE,
            fixed=float(rng.integers(5, 90)),
            opex=float(rng.integers(0, 3)),
        )
    return World(
        plants,
        buy={good: (float(rng.integers(6, 12)), np.inf) for good in goods},
        sell={good: (float(rng.integers(1, 9)), float(rng.integers(5, 60))) for good in goods},
        fates=dict.fromkeys(goods, 1.0),
        arc_cost=0.25,
        exclusions=[("p4", "p5")] if seed % 2 else (),
    )


@pytest.mark.parametrize("seed", range(6))
def test_random_networks_agree_with_brute_force_over_builds(seed):
    problem = _random_world(seed).problem()
    network = problem.network
    least, most = problem.activity_bounds()
    best = -np.inf
    for choice in product((0.0, 1.0), repeat=problem.new.size):
        built = np.zeros(most.size)
        built[problem.new] = choice
        if any(built[list(group)].sum() > 1 for group in network.exclusions):
            continue
        standing = (network.plants.status == EXISTING) | (built > 0)
        flows = best_flows(network, np.where(standing, least, 0.0), np.where(standing, most, 0.0))
        best = max(best, problem.gain.value(flows) - problem.built_cost @ built)
    solution = solved(problem)
    assert solution.objective == pytest.approx(best - problem.gain.value(problem.base), rel=1e-7, abs=1e-6)


def test_order_and_names_of_plants_change_nothing():
    world = _random_world(1)
    first = solved(world.problem())
    turned = {f"q{9 - int(name[1:])}": plant for name, plant in world.plants.items()}
    renamed = replace(world, plants=turned, exclusions=[("q5", "q4")])
    second = solved(renamed.problem())
    assert second.objective == pytest.approx(first.objective, rel=1e-9)
    assert sorted(second.flows.activity.round(6)) == sorted(first.flows.activity.round(6))


def test_the_same_problem_gives_the_same_digits():
    problem = _random_world(2).problem()
    one, two = solve_problem(problem), solve_problem(problem)
    assert one.flows.activity.tolist() == two.flows.activity.tolist()
    assert one.flows.trade.tolist() == two.flows.trade.tolist()


def test_amounts_of_very_different_size_stand_in_one_model():
    big = replace(MILL, capacity=1e9, activity=1e9)
    tiny = Plant({"reagent": 1.0, "slag": -1.0}, capacity=0.01, fixed=0.5)
    world = replace(
        PARK,
        plants={"mill": big, "lab": tiny},
        sell={"steel": (50.0, 1e9), "reagent": (1000.0, 1.0)},
    )
    problem = world.problem(gap=1e-12)
    solution = solve_problem(problem)
    assert solution.flows.built.sum() == 1
    assert solution.flows.activity[plant_at(problem.network, "lab")] == pytest.approx(0.01)
    # 10 of reagent less 0.5 for the laboratory; the 0.05 of dumping spared drown in the digits of 50 thousand million.
    assert solution.objective == pytest.approx(9.5, abs=0.1)
    assert check_state(problem.network, problem.base.activity, solution.flows) == ()


def _knapsack(count: int, rows: int) -> DesignProblem:
    """Many plants, each worth something, under several budgets: hard to prove, easy to begin."""
    rng = np.random.default_rng(4)
    weights = rng.integers(200, 800, size=(rows, count)).astype(float)
    worth = weights.mean(axis=0) + rng.integers(0, 40, size=count)
    plants = {f"p{at:03d}": Plant({f"g{at:03d}": 1.0}, capacity=1.0, fixed=0.0) for at in range(count)}
    world = World(plants, sell={f"g{at:03d}": (float(worth[at]), 1.0) for at in range(count)})
    problem = world.problem(gap=0.0, time_limit=1.0)
    rules = tuple(
        built_rule(problem.network, "budget", weights[row], upper=0.5 * weights[row].sum()) for row in range(rows)
    )
    return problem.with_limits(rules)


def test_when_time_runs_out_the_best_design_comes_with_its_gap():
    problem = _knapsack(120, 10)
    solution = solve_problem(problem)
    assert solution.status == "time_limit"
    assert 0.0 < solution.gap < 0.2
    assert solution.bound > solution.objective > 0
    flows = tidy_flows(problem, solution.flows, solution.loose)
    assert check_state(problem.network, problem.base.activity, flows) == ()
    for rule in problem.limits:
        assert rule.form.value(flows) <= rule.upper + 1e-6
