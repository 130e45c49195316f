"""Uncertainty of accounts: by hand, against Monte Carlo, against a loop of solves, and against the accounts moved."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve
from tiny_park import PLANTS, RECIPES, tiny_library, tiny_plan

from cyclopolis.foundation.columns import read_columns
from cyclopolis.industry import Balance, BalanceOptions, balance
from cyclopolis.industry.metabolism.accounts import accounts_table, plant_values
from cyclopolis.industry.metabolism.spread import Doubt, doubts, linear_spread_table, spread, variance_by_plant
from cyclopolis.industry.metabolism.spread_draws import (
    HALF_RANGE,
    Links,
    draw_coefficients,
    links,
    solve_activities,
    sound,
)
from cyclopolis.industry.metabolism.spread_weights import Weights, account_weights, last_outlet
from cyclopolis.network import base_flows, compile_network, port_amounts

RANGES = {"coal": (0.36, 0.45), "ash": (0.09, 0.12), "so2": (0.0005, 0.0017), "freshwater": (1.8, 2.4)}


def ranged_plan(**changes):
    """The tiny park with ranges in its recipe of power."""
    recipes = [
        {**row, "low": RANGES[row["commodity"]][0], "high": RANGES[row["commodity"]][1]}
        if row["technology"] == "power" and row["commodity"] in RANGES
        else row
        for row in RECIPES
    ]
    return tiny_plan(library=tiny_library(recipes=recipes), **changes)


def sd_of(table, quantity, scope="place"):
    return table.filter(quantity=quantity, scope=scope)["sd"].item()


@pytest.fixture(scope="module")
def park():
    plan = ranged_plan()
    network = compile_network(plan)
    return plan, network, base_flows(network)


@pytest.fixture(scope="module")
def park_spread(park):
    plan, network, flows = park
    return linear_spread_table(network, flows, plan.tables["measurements"])


def test_a_range_is_a_95_per_cent_interval(park_spread):
    so2 = 10_000 * (0.0017 - 0.0005) / (2 * HALF_RANGE)
    row = park_spread.filter(scope="place", quantity="so2").row(0, named=True)
    assert row["value"] == pytest.approx(10.0)
    assert row["sd"] == pytest.approx(so2)
    assert row["low95"] == pytest.approx(10.0 - HALF_RANGE * so2)
    assert row["high95"] == pytest.approx(10.0 + HALF_RANGE * so2)


def test_a_change_of_coal_is_bought_at_the_price_of_coal(park_spread):
    coal = 10_000 * 0.09 / (2 * HALF_RANGE)
    water = 10_000 * 0.6 / (2 * HALF_RANGE)
    assert sd_of(park_spread, "energy") == pytest.approx(coal * 20.0)
    assert sd_of(park_spread, "water") == pytest.approx(water)
    assert sd_of(park_spread, "purchases") == pytest.approx(np.hypot(coal * 600.0, water * 5.0))


def test_a_change_of_ash_is_landfilled_while_the_exchange_is_held(park_spread):
    ash = 10_000 * 0.03 / (2 * HALF_RANGE)
    assert sd_of(park_spread, "landfill") == pytest.approx(ash)
    assert sd_of(park_spread, "disposal") == pytest.approx(50.0 * ash)
    assert sd_of(park_spread, "waste_reused") == 0.0


def test_mass_that_goes_in_and_out_adds_its_variances(park_spread):
    coal, ash, so2 = (10_000 * width / (2 * HALF_RANGE) for width in (0.09, 0.03, 0.0012))
    assert sd_of(park_spread, "unaccounted") == pytest.approx(np.sqrt(coal**2 + ash**2 + so2**2))


def test_variances_of_enterprises_add_up_to_the_place(park_spread):
    parts = park_spread.filter(scope_kind="enterprise").group_by("quantity").agg(square=(pl.col("sd") ** 2).sum())
    both = parts.join(park_spread.filter(scope="place"), on="quantity")
    assert both["square"].sqrt().to_numpy() == pytest.approx(both["sd"].to_numpy())


def test_amounts_without_a_range_are_counted(park_spread):
    row = park_spread.filter(scope="boiler", quantity="co2").row(0, named=True)
    assert (row["sd"], row["unknown"]) == (0.0, 1)
    assert park_spread.filter(scope="boiler", quantity="so2")["unknown"].item() == 0


def measurement(commodity, direction, amount, **more):
    return {"plant": "boiler", "commodity": commodity, "direction": direction, "amount": amount, "year": 2024, **more}


def test_a_measurement_brings_its_own_uncertainty():
    rows = [measurement("so2", "out", 12.0, uncertainty=0.5), measurement("coal", "in", 4100.0, uncertainty_pct=2.0)]
    plan = ranged_plan(measurements=rows)
    network = compile_network(plan)
    table = linear_spread_table(network, base_flows(network), plan.tables["measurements"])
    assert sd_of(table, "so2") == pytest.approx(0.5)
    assert sd_of(table, "energy") == pytest.approx(4100 * 0.02 * 20.0)


def test_a_measurement_that_is_assumed_still_brings_its_own():
    rows = [measurement("so2", "out", 12.0, uncertainty=0.5, source="assumed: made up")]
    plan = ranged_plan(measurements=rows)
    network = compile_network(plan)
    table = linear_spread_table(network, base_flows(network), plan.tables["measurements"])
    assert sd_of(table, "so2") == pytest.approx(0.5)


def test_two_measurements_of_one_thing_are_better_than_one():
    rows = [measurement("so2", "out", amount, uncertainty=0.6) for amount in (12.0, 13.0)]
    plan = ranged_plan(measurements=rows)
    network = compile_network(plan)
    table = linear_spread_table(network, base_flows(network), plan.tables["measurements"])
    assert sd_of(table, "so2") == pytest.approx(0.6 / np.sqrt(2))


def test_a_measurement_without_uncertainty_is_counted_as_unknown():
    plan = ranged_plan(measurements=[measurement("so2", "out", 12.0)])
    network = compile_network(plan)
    table = linear_spread_table(network, base_flows(network), plan.tables["measurements"])
    row = table.filter(scope="boiler", quantity="so2").row(0, named=True)
    assert (row["sd"], row["unknown"]) == (0.0, 1)


def test_a_measured_activity_moves_all_that_goes_with_it():
    rows = [
        measurement("electricity", "out", 9000.0, uncertainty=90.0),
        measurement("so2", "out", 12.0, uncertainty=0.0),
    ]
    plan = tiny_plan(measurements=rows)
    network = compile_network(plan)
    flows = base_flows(network)
    table = linear_spread_table(network, flows, plan.tables["measurements"])
    assert sd_of(table, "co2") == pytest.approx(0.7 * 90.0)
    assert sd_of(table, "operation") == pytest.approx(50.0 * 90.0)
    assert sd_of(table, "so2") == 0.0
    drawn = spread(network, flows, plan.tables["measurements"], 4000, 3, "held")
    assert sd_of(drawn, "co2") == pytest.approx(0.7 * 90.0, rel=0.05)
    assert sd_of(drawn, "so2") == 0.0


def test_an_unknown_account_has_no_uncertainty():
    plan = tiny_plan(plants=[{**PLANTS[2], "activity": None}, *PLANTS[:2]])
    network = compile_network(plan)
    flows = base_flows(network)
    table = linear_spread_table(network, flows, plan.tables["measurements"])
    row = table.filter(scope="kiln", quantity="co2").row(0, named=True)
    assert row["value"] is None
    assert row["sd"] is None
    drawn = spread(network, flows, plan.tables["measurements"], 50, 1)
    assert drawn.filter(scope="lot", quantity="co2")["sd"].item() is None


@pytest.mark.parametrize("name", ["changzhi", "liupanshui"])
def test_weights_say_how_the_accounts_move(states, name):
    """Move one amount, balance again: the accounts move as the weights say (where no plant gives or takes it)."""
    network, flows = states[name].network, states[name].flows
    weights = account_weights(network, flows)
    ports, arcs = network.ports, network.arcs
    amount = port_amounts(flows.activity, ports.plant, ports.coefficient)
    linked = np.zeros(amount.size, dtype=bool)
    linked[np.concatenate((arcs.giver, arcs.taker))] = True
    alone = np.flatnonzero((amount > 0) & ~linked & ~np.isin(np.arange(amount.size), network.plants.main))
    chosen = np.random.default_rng(0).choice(alone, 25, replace=False)
    before = totals(network, flows, weights.names)
    for port in chosen:
        coefficient = ports.coefficient.copy()
        coefficient[port] *= 1.0 + 1e-6
        other = replace(network, ports=replace(ports, coefficient=coefficient))
        after = totals(other, base_flows(other), weights.names)
        wanted = (weights.port + weights.outlet)[:, port] * amount[port] * 1e-6
        assert after - before == pytest.approx(wanted, rel=1e-3, abs=1e-7 * np.abs(before).max())


def totals(network, flows, names):
    values = plant_values(network, flows)
    return np.array([values[name][0].sum() for name in names])


def test_the_last_sale_is_the_worst_one_and_an_unused_market_is_the_first_to_open():
    amount, port = np.array([9.0, 9.0]), np.array([0, 0, 1, 1])
    price, flow = np.array([5.0, 3.0, 4.0, 6.0]), np.array([5.0, 4.0, 0.0, 0.0])
    trade, used = last_outlet(amount, price, flow, port, 2, dear_last=False)
    assert trade.tolist() == [1, 3]
    assert used.tolist() == [4.0, 0.0]


@pytest.mark.parametrize("method", ["held", "solved"])
def test_monte_carlo_agrees_with_linear_propagation(states, method):
    state = states["quickstart"]
    linear = linear_spread_table(state.network, state.flows, state.measurements)
    drawn = spread(state.network, state.flows, state.measurements, 20_000, 11, method)
    both = drawn.join(linear, on=["scope_kind", "scope", "quantity"]).filter(pl.col("sd_right") > 0)
    narrow = both.filter(pl.col("quantity").is_in(["water", "power", "energy", "co2", "co2_power", "energy_out"]))
    assert narrow.height > 20
    assert narrow["value"].to_numpy() == pytest.approx(narrow["value_right"].to_numpy(), rel=0.01)
    assert narrow["sd"].to_numpy() == pytest.approx(narrow["sd_right"].to_numpy(), rel=0.05)
    assert (narrow["low95"] < narrow["value"]).all()
    assert (narrow["high95"] > narrow["value"]).all()


def test_seeds_reproduce_and_differ(states):
    state = states["changzhi"]
    found = [spread(state.network, state.flows, state.measurements, 100, seed) for seed in (4, 4, 5)]
    assert found[0].equals(found[1])
    assert not found[0].equals(found[2])


def test_the_order_of_plants_changes_nothing():
    tables = []
    for plants in (PLANTS, PLANTS[::-1]):
        plan = ranged_plan(plants=plants)
        network = compile_network(plan)
        tables.append(spread(network, base_flows(network), plan.tables["measurements"], 200, 1))
    assert tables[0].equals(tables[1])


def test_activities_solved_in_every_draw_are_those_of_a_loop_of_solves(states):
    state = states["changzhi"]
    network, flows = state.network, state.flows
    linked = links(network, flows)
    assert linked.arc.size >= 5
    coefficient = np.abs(network.ports.coefficient)
    doubt = doubts(network, flows, state.measurements)
    run = flows.activity[network.ports.plant]
    sd = np.where(run > 0, doubt.port / np.where(run > 0, run, 1.0), 0.0)
    drawn = draw_coefficients(coefficient, sd, 20, 8)
    found = solve_activities(flows.activity, drawn, coefficient, linked)
    size = flows.activity.size

    def matrix(values):
        pull = -linked.share * linked.weight * values[linked.port]
        return sp.csc_matrix(sp.eye_array(size) + sp.coo_array((pull, (linked.row, linked.column)), shape=(size, size)))

    delivered = matrix(coefficient) @ flows.activity
    for draw in range(20):
        one = spsolve(matrix(drawn[:, draw]), delivered)
        assert found[:, draw] == pytest.approx(one, rel=1e-8, abs=1e-6 * flows.activity.max() * 1e-3)


def test_with_certain_recipes_the_base_year_is_solved_again(states):
    state = states["changzhi"]
    coefficient = np.abs(state.network.ports.coefficient)
    found = solve_activities(state.flows.activity, coefficient[:, None], coefficient, links(state.network, state.flows))
    assert found[:, 0] == pytest.approx(state.flows.activity, rel=1e-9)


def test_a_treatment_plant_follows_what_it_is_given():
    pushed = Links(np.array([0]), np.array([1]), np.array([1]), np.array([0]), np.array([1.0]), np.array([2.0]))
    drawn = np.array([[1.0, 1.0], [0.3, 0.6], [1.0, 1.0]])
    found = solve_activities(np.array([10.0, 6.0]), drawn, drawn[:, 0], pushed)
    assert found.tolist() == [[10.0, 10.0], [6.0, 12.0]]


def test_plants_that_feed_only_each_other_cannot_be_solved():
    ring = Links(
        np.array([0, 1]),
        np.array([2, 3]),
        np.array([0, 1]),
        np.array([1, 0]),
        np.array([1.0, 1.0]),
        np.array([1.0, 1.0]),
    )
    ones = np.ones((4, 2))
    with pytest.raises(ZeroDivisionError):
        solve_activities(np.array([5.0, 5.0]), ones, ones[:, 0], ring)


def test_draws_without_a_solution_are_left_out():
    assert sound(np.array([[1.0, 2.0, np.nan], [1.0, -3.0, 1.0]])).tolist() == [True, False, False]


def test_drawn_amounts_are_never_below_nothing():
    found = draw_coefficients(np.array([1.0]), np.array([2.0]), 1000, 1)
    assert found.min() == 0.0


def test_variance_counts_a_port_through_all_its_ways():
    network_weights = Weights(
        ("x",), np.array([[1.0, 0.0]]), np.array([[1.0, -1.0]]), np.array([[10.0]]), np.zeros((1, 1))
    )
    doubt = Doubt(np.array([2.0, 1.0]), np.array([3.0]), np.array([True, False]), np.zeros(2, dtype=bool))
    found = variance_by_plant(network_weights, doubt, np.array([0.5, 9.0]), np.zeros(2, dtype=np.int64))
    assert found.item() == pytest.approx((2 * 2.0) ** 2 + (1 * 1.0) ** 2 + ((10 + 2 * 0.5) * 3.0) ** 2)


def test_a_place_without_plants_has_no_spread():
    plan = tiny_plan(plants=[], exchanges=[], enterprises=[])
    network = compile_network(plan)
    flows = base_flows(network)
    assert linear_spread_table(network, flows, plan.tables["measurements"]).is_empty()
    assert spread(network, flows, plan.tables["measurements"], 10, 1).is_empty()


def test_the_balance_draws_on_request():
    plan = ranged_plan()
    plain, drawn = balance(plan), balance(plan, BalanceOptions(draws=300, seed=2))
    assert plain.tables["account_spread"]["method"].unique().to_list() == ["linear"]
    assert "draws" not in plain.facts
    assert drawn.facts["draws"] == 300
    table = drawn.tables["account_spread"]
    assert set(table["method"]) == {"linear", "solved"}
    assert table.filter(method="linear").equals(plain.tables["account_spread"])
    assert table.filter(method="solved")["draws"].unique().to_list() == [300]


def test_the_spread_is_as_documented_and_beside_the_accounts(states):
    state = states["changzhi"]
    table = linear_spread_table(state.network, state.flows, state.measurements)
    assert table.columns == [column.name for column in read_columns(Balance.columns_package)["account_spread"]]
    keys = ["scope_kind", "scope", "quantity", "value", "unit"]
    assert table.select(keys).equals(accounts_table(state.network, state.flows).select(keys))
