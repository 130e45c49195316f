"""The design model against a second formulation, written with SciPy from the network's arrays alone."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from design_networks import Plant, World
from scipy.optimize import Bounds, LinearConstraint, milp

from cyclopolis.design import check_state, solve_problem
from cyclopolis.design.problem import Limit
from cyclopolis.design.tidy import tidy_flows
from cyclopolis.network import quantities
from cyclopolis.network.model import BUY, CANDIDATE, EXISTING


class Oracle:
    """Columns: activity, arcs, trades, fates, built, capacity; rows one by one; money from prices."""

    def __init__(self, problem):
        self.problem, self.network = problem, problem.network
        network = self.network
        sizes = [len(network.plant_ids), network.arcs.giver.size, network.trades.port.size, network.fates.port.size]
        sizes += [sizes[0], sizes[0]]
        self.start = np.concatenate([[0], np.cumsum(sizes)])
        self.rows, self.low, self.high = [], [], []

    def row(self, low, high, *terms):
        line = np.zeros(self.start[-1])
        for part, at, value in terms:
            line[self.start[part] + at] += value
        self.rows.append(line)
        self.low.append(low)
        self.high.append(high)

    def money(self) -> np.ndarray:
        network = self.network
        cost = np.zeros(self.start[-1])
        for plant in range(len(network.plant_ids)):
            cost[self.start[0] + plant] = network.plants.opex[plant]
            if network.plants.status[plant] != EXISTING:
                cost[self.start[4] + plant] = network.plants.capex_fixed[plant]
                cost[self.start[5] + plant] = network.plants.capex_slope[plant]
        cost[self.start[1] : self.start[2]] = network.arcs.cost
        for trade, market in enumerate(network.trades.market):
            sign = 1.0 if network.markets.direction[market] == BUY else -1.0
            cost[self.start[2] + trade] = sign * network.markets.price[market]
        cost[self.start[3] : self.start[4]] = network.fates.cost
        return cost

    def balances(self):
        network = self.network
        for port in range(network.ports.plant.size):
            if network.ports.natural[port]:
                continue
            terms = [(0, network.ports.plant[port], -abs(network.ports.coefficient[port]))]
            for arc in range(network.arcs.giver.size):
                if network.arcs.giver[arc] == port:
                    terms.append((1, arc, 1.0))
                if network.arcs.taker[arc] == port:
                    terms.append((1, arc, network.arcs.ratio[arc]))
            terms += [(2, at, 1.0) for at in np.flatnonzero(network.trades.port == port)]
            terms += [(3, at, 1.0) for at in np.flatnonzero(network.fates.port == port)]
            self.row(0.0, 0.0, *terms)

    def plants(self):
        network, plants = self.network, self.network.plants
        for plant in range(len(network.plant_ids)):
            if plants.status[plant] == EXISTING:
                base = plants.activity[plant]
                least = 0.0 if plants.may_close[plant] else base
                self.row(least, max(plants.capacity[plant], base), (0, plant, 1.0))
                self.row(0.0, 0.0, (4, plant, 1.0))
                self.row(0.0, 0.0, (5, plant, 1.0))
                continue
            self.row(-np.inf, 0.0, (0, plant, 1.0), (5, plant, -1.0))
            self.row(-np.inf, 0.0, (5, plant, 1.0), (4, plant, -plants.capacity[plant]))
            self.row(-np.inf, 0.0, (4, plant, plants.capacity_min[plant]), (5, plant, -1.0))

    def rest(self):
        network = self.network
        for market in range(network.markets.price.size):
            at = np.flatnonzero(network.trades.market == market)
            self.row(
                network.markets.volume_min[market], network.markets.volume_max[market], *[(2, one, 1.0) for one in at]
            )
        for group in range(network.arcs.cap_share.size):
            arcs = np.flatnonzero(network.arcs.cap_group == group)
            if arcs.size:
                taker = network.ports.plant[network.arcs.taker[arcs[0]]]
                self.row(-np.inf, 0.0, *[(1, arc, 1.0) for arc in arcs], (0, taker, -network.arcs.cap_share[group]))
        for members in network.exclusions:
            self.row(-np.inf, 1.0, *[(4, plant, 1.0) for plant in members])

    def solve(self, *extra):
        self.balances()
        self.plants()
        self.rest()
        for one in extra:
            self.row(*one)
        count = len(self.network.plant_ids)
        whole = np.zeros(self.start[-1])
        whole[self.start[4] : self.start[5]] = 1
        top = np.full(self.start[-1], np.inf)
        top[self.start[4] : self.start[4] + count] = 1.0
        return milp(
            self.money(),
            constraints=LinearConstraint(np.array(self.rows), np.array(self.low), np.array(self.high)),
            integrality=whole,
            bounds=Bounds(0.0, top),
            options={"mip_rel_gap": 1e-9},
        )

    def base_money(self) -> float:
        base = self.problem.base
        parts = (base.activity, base.arc, base.trade, base.fate, base.built, base.capacity)
        return -float(self.money() @ np.concatenate(parts))


def random_world(seed: int) -> World:
    rng = np.random.default_rng(1000 + seed)
    goods = [f"g{at}" for at in range(6)]
    plants = {}
    for at in range(8):
        chosen = [str(name) for name in rng.choice(goods, size=3, replace=False)]
        recipe = {
            chosen[0]: 1.0,
            chosen[1]: -float(rng.integers(1, 6)) / 4,
            chosen[2]: float(rng.choice([-1, 1])) * float(rng.integers(1, 5)) / 8,
        }
        size, stands = float(rng.integers(5, 40)), at < 3
        plants[f"p{at}"] = Plant(
            recipe,
            capacity=size,
            activity=0.6 * size if stands else 0.0,
            status=EXISTING if stands else CANDIDATE,
            capacity_min=None if at % 2 else 0.3 * size,
            fixed=float(rng.integers(2, 60)),
            slope=0.0 if at % 2 else float(rng.integers(0, 4)) / 4,
            opex=float(rng.integers(0, 3)),
            may_close=stands and bool(rng.integers(0, 2)),
        )
    return World(
        plants,
        buy={good: (float(rng.integers(5, 11)), np.inf if rng.random() < 0.6 else 80.0) for good in goods},
        sell={good: (float(rng.integers(1, 9)), float(rng.integers(10, 60))) for good in goods},
        sell_min={goods[seed % 6]: 1.0} if seed % 3 == 0 else {},
        fates={good: float(rng.integers(0, 4)) for good in goods},
        swaps={("g0", "g1"): (0.8, 0.25), ("g2", "g3"): (1.1, 0.15)},
        arc_cost=0.25,
        exclusions=[("p3", "p4", "p5")] if seed % 2 else [("p6", "p7")],
    )


@cache
def solved(seed: int):
    """Return a random problem and its optimum, solved once."""
    problem = random_world(seed).problem()
    return problem, solve_problem(problem)


def compare(problem, solution, oracle):
    if not oracle.success:
        assert solution.status == "infeasible"
        return None
    assert solution.status == "optimal"
    expected = -float(oracle.fun) - Oracle(problem).base_money()
    assert solution.objective == pytest.approx(expected, rel=1e-6, abs=1e-5)
    flows = tidy_flows(problem, solution.flows, solution.loose)
    assert check_state(problem.network, problem.base.activity, flows) == ()
    return solution


@pytest.mark.parametrize("seed", range(20))
def test_the_optimum_is_that_of_the_second_formulation(seed):
    problem, solution = solved(seed)
    compare(problem, solution, Oracle(problem).solve())


@pytest.mark.parametrize("seed", [0, 3, 4, 7, 11])
def test_with_a_limit_on_what_is_disposed_of_and_bought(seed):
    problem, free = solved(seed)
    if free.status != "optimal":
        pytest.fail("this seed should have a design")
    forms = quantities(problem.network)
    everywhere = np.ones(8, dtype=bool)
    spent = forms["purchases"].value(free.flows)
    bound = 0.9 * spent + 0.1 * forms["purchases"].value(problem.base)
    bound = min(bound, 0.97 * spent)
    limit = Limit("purchases", forms["purchases"], everywhere, upper=bound)
    oracle = Oracle(problem)
    buying = problem.network.markets.direction[problem.network.trades.market] == BUY
    price = problem.network.markets.price[problem.network.trades.market]
    row = [(2, at, price[at]) for at in np.flatnonzero(buying)]
    bounded = problem.with_limits((limit,))
    limited = compare(bounded, solve_problem(bounded), oracle.solve((-np.inf, bound, *row)))
    if limited is not None:
        assert limited.objective <= free.objective + 1e-6
        assert forms["purchases"].value(limited.flows) <= bound * (1 + 1e-6)


@pytest.mark.parametrize("seed", [1, 5, 8])
def test_with_a_least_on_what_is_sold(seed):
    problem, free = solved(seed)
    forms = quantities(problem.network)
    bound = 1.05 * forms["sales"].value(free.flows)
    limit = Limit("sales", forms["sales"], np.ones(8, dtype=bool), lower=bound)
    selling = problem.network.markets.direction[problem.network.trades.market] != BUY
    price = problem.network.markets.price[problem.network.trades.market]
    row = [(2, at, price[at]) for at in np.flatnonzero(selling)]
    bounded = problem.with_limits((limit,))
    kept = compare(bounded, solve_problem(bounded), Oracle(problem).solve((bound, np.inf, *row)))
    if kept is not None:
        assert forms["sales"].value(kept.flows) >= bound * (1 - 1e-6)
        assert kept.objective <= free.objective + 1e-6


class Exits:
    """Where more or less of a port's amount can go, and what a unit of it brings."""

    def __init__(self, network, flows):
        self.network, self.flows = network, flows
        self.sold = np.bincount(network.trades.market, flows.trade, minlength=network.markets.price.size)

    def money(self, port: int, more: bool):
        """Yield the money per unit more (or less) through each trade and fate of a port that has room."""
        markets, trades, fates = self.network.markets, self.network.trades, self.network.fates
        sense = 1.0 if more else -1.0
        for at in np.flatnonzero(trades.port == port):
            market = trades.market[at]
            spare = min(self.flows.trade[at], self.sold[market] - markets.volume_min[market])
            room = markets.volume_max[market] - self.sold[market] if more else spare
            if room > 1e-4:
                yield sense * (-1.0 if markets.direction[market] == BUY else 1.0) * markets.price[market]
        for at in np.flatnonzero(fates.port == port):
            if more or self.flows.fate[at] > 1e-4:
                yield -sense * fates.cost[at]


def single_changes(problem, flows):
    """Yield the gain per unit of every change of one arc whose two ends are made good by one trade or fate each."""
    network = problem.network
    ports, arcs, exits = network.ports, network.arcs, Exits(network, flows)
    grouped = arcs.cap_group >= 0
    brought = np.bincount(arcs.cap_group[grouped], flows.arc[grouped], minlength=arcs.cap_share.size)
    for arc in range(arcs.giver.size):
        group, taker = arcs.cap_group[arc], ports.plant[arcs.taker[arc]]
        capped = group >= 0 and brought[group] > arcs.cap_share[group] * flows.activity[taker] - 1e-4
        signs = ([] if capped else [1.0]) + ([-1.0] if flows.arc[arc] >= 1e-4 else [])
        for sign in signs:
            for given in exits.money(arcs.giver[arc], sign < 0):
                for taken in exits.money(arcs.taker[arc], sign < 0):
                    yield given + arcs.ratio[arc] * taken - sign * arcs.cost[arc]


@pytest.mark.parametrize("seed", range(6))
def test_no_change_of_one_flow_is_left_that_would_pay(seed):
    problem, solution = solved(seed)
    assert solution.status == "optimal"
    flows = tidy_flows(problem, solution.flows, solution.loose)
    changes = list(single_changes(problem, flows))
    assert len(changes) > 3
    assert max(changes) <= 1e-7


def test_the_search_for_changes_would_notice_a_bad_state():
    noticed = 0
    for seed in range(6):
        problem = random_world(seed).problem()
        noticed += any(gain > 1e-6 for gain in single_changes(problem, problem.base))
    assert noticed >= 3


@pytest.mark.parametrize("seed", range(4))
def test_more_choice_is_never_worse_and_less_choice_never_better(seed):
    world = random_world(seed)
    free = solved(seed)[1].objective
    without = replace(world, exclusions=())
    closing = {name: replace(plant, may_close=True) for name, plant in world.plants.items()}
    barred = world.problem()
    assert solve_problem(without.problem()).objective >= free - 1e-6
    assert solve_problem(replace(world, plants=closing).problem()).objective >= free - 1e-6
    assert solve_problem(replace(barred, barred=np.ones(8, dtype=bool))).objective <= free + 1e-6
