"""Amounts that move within their recipe's range: by hand, against the readable model, before both checkers."""

from dataclasses import replace

import linopy_reference
import numpy as np
import polars as pl
import pytest
from design_networks import Plant, World
from test_milp_oracle import random_world

from cyclopolis.design import check_state, solve_problem
from cyclopolis.design.engine import design
from cyclopolis.design.flexible import flexible_ports, recipe_room
from cyclopolis.design.pose import DesignOptions, pose
from cyclopolis.design.recheck import check_design
from cyclopolis.design.tidy import tidy_flows
from cyclopolis.examples import example
from cyclopolis.network.model import EXISTING, ROLES
from cyclopolis.plan import read_plan

KILN = Plant({"brick": 1.0, "slag": -0.6, "clay": -0.4}, capacity=100, activity=100, status=EXISTING)
PARK = World(
    {"kiln": KILN},
    buy={"slag": (1.0, np.inf), "clay": (5.0, np.inf)},
    sell={"brick": (50.0, 100.0)},
)


def with_range(world: World, low: float, high: float):
    """Return the problem of a world whose inputs and by-products may move between two shares of their amount."""
    problem = world.problem()
    network = problem.network
    amount = np.abs(network.ports.coefficient)
    ports = replace(network.ports, low=low * amount, high=high * amount)
    moving = np.setdiff1d(np.arange(amount.size), network.plants.main)
    return replace(problem, network=replace(network, ports=ports), flexible=moving)


def solved(problem):
    solution = solve_problem(problem)
    assert solution.status == "optimal"
    flows = tidy_flows(problem, solution.flows, solution.loose)
    assert check_state(problem.network, problem.base.activity, flows) == ()
    return solution, flows


def test_the_cheaper_feedstock_takes_the_place_of_the_dearer_as_far_as_both_ranges_and_the_mass_allow():
    # Slag may rise by 30 t, clay fall by 20 t: 20 t at 5 - 1 are saved.
    solution, flows = solved(with_range(PARK, 0.5, 1.5))
    assert solution.objective == pytest.approx(20 * (5 - 1))
    assert sorted(flows.shift[np.flatnonzero(flows.shift)].round(6).tolist()) == [-20.0, 20.0]


def test_one_port_alone_cannot_move_for_mass_closes():
    problem = with_range(PARK, 0.5, 1.5)
    solution, _ = solved(replace(problem, flexible=problem.flexible[:1]))
    assert solution.objective == pytest.approx(0.0, abs=1e-9)


def test_a_smaller_by_product_is_paid_for_by_a_smaller_feedstock():
    # Slag costs 5 to dump and ore 3 to buy: both fall together, 0.1 t of slag and of ore a tonne.
    mill = Plant({"steel": 1.0, "slag": 0.2, "ore": -2.0}, capacity=100, activity=100, status=EXISTING)
    world = World({"mill": mill}, buy={"ore": (3.0, np.inf)}, sell={"steel": (50.0, 100.0)}, fates={"slag": 5.0})
    solution, _ = solved(with_range(world, 0.5, 1.0))
    assert solution.objective == pytest.approx(100 * 0.1 * (5 + 3))


@pytest.mark.parametrize("seed", range(6))
def test_the_optimum_is_that_of_the_readable_model_and_no_worse_than_the_rigid_one(seed):
    problem = with_range(random_world(seed), 0.8, 1.3)
    reference, found = linopy_reference.solve_problem(problem), solve_problem(problem)
    assert reference.status == found.status
    if found.status == "optimal":
        assert found.objective == pytest.approx(reference.objective, rel=1e-7, abs=1e-6)
        solved(problem)
        rigid = solve_problem(replace(problem, flexible=problem.flexible[:0]))
        assert rigid.status != "optimal" or rigid.objective <= found.objective + 1e-6


def test_the_checker_sees_amounts_outside_their_range_and_mass_that_does_not_close():
    problem = with_range(PARK, 0.5, 1.5)
    _, flows = solved(problem)
    far = check_state(problem.network, problem.base.activity, replace(flows, shift=1.2 * flows.shift))
    assert {"range", "balance"} <= {item.kind for item in far}
    torn = check_state(problem.network, problem.base.activity, replace(flows, shift=np.maximum(flows.shift, 0.0)))
    assert {"mass", "balance"} <= {item.kind for item in torn}


QUICK = read_plan(example("quickstart"))


@pytest.fixture(scope="module")
def moved():
    return design(QUICK, DesignOptions(flexible=True))


def test_recipes_of_a_plan_move_only_where_allowed(moved):
    assert pose(QUICK, DesignOptions()).problem.flexible.size == 0
    rigid = design(QUICK)
    assert rigid.tables["shifts"].height == 0
    shifts = moved.tables["shifts"]
    assert shifts.height > 0
    assert moved.facts["objective"] >= rigid.facts["objective"]
    assert (
        shifts.filter((pl.col("amount") > pl.col("high") * (1 + 1e-6)) | (pl.col("amount") < pl.col("low"))).height == 0
    )
    assert check_design(QUICK, moved) == ()


def test_one_plant_alone_is_marked_in_the_table_plants():
    plants = QUICK.tables["plants"].with_columns(flexible=pl.col("plant") == "mill")
    plan = replace(QUICK, tables={**QUICK.tables, "plants": plants})
    problem = pose(plan, DesignOptions()).problem
    network = problem.network
    assert problem.flexible.size > 1
    assert {network.plant_ids[at] for at in network.ports.plant[problem.flexible]} == {"mill"}


def test_what_accounts_count_by_the_recipe_stays():
    network = pose(QUICK, DesignOptions()).network
    at = flexible_ports(network, np.ones(len(network.plant_ids), dtype=bool))
    kinds = network.commodities["kind"].to_numpy()[network.ports.commodity[at]]
    assert "emission" not in kinds
    assert {ROLES[role] for role in network.ports.role[at]} <= {"feedstock", "byproduct", "waste"}
    assert np.intersect1d(at, network.plants.main).size == 0
    more, less = recipe_room(network, at)
    assert (more + less > 0).all()


def test_the_second_check_sees_shifts_beyond_the_plan_s_recipes(moved):
    shifts = moved.tables["shifts"].with_columns(amount=pl.col("amount") * 3)
    found = check_design(QUICK, replace(moved, tables={**moved.tables, "shifts": shifts}))
    assert {"range", "recipe"} <= {item.kind for item in found}
