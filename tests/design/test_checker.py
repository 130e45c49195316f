"""The checker catches what is wrong: every kind of corruption, one by one."""

from dataclasses import replace

import numpy as np
import pytest
from design_networks import Plant, World
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.design import check_state, solve_problem
from cyclopolis.design.checker import yearly_money
from cyclopolis.design.tidy import tidy_flows
from cyclopolis.network import quantities
from cyclopolis.network.model import EXISTING

WORLD = World(
    {
        "mill": Plant({"steel": 1.0, "slag": 0.2, "ore": -2.0}, capacity=120, activity=100, status=EXISTING, opex=2.0),
        "cement": Plant({"cement": 1.0, "clay": -1.0}, capacity=50, activity=50, status=EXISTING),
        "k1": Plant({"brick": 1.0, "slag": -1.0}, capacity=12, fixed=4.0, opex=1.0),
        "k2": Plant({"brick": 1.0, "slag": -1.0}, capacity=11, fixed=4.0, opex=1.0),
    },
    buy={"ore": (3.0, np.inf), "clay": (2.0, np.inf)},
    sell={"steel": (50.0, 100.0), "brick": (4.0, 40.0), "cement": (30.0, 50.0)},
    sell_min={"brick": 2.0},
    fates={"slag": 5.0},
    swaps={("slag", "clay"): (0.8, 0.1)},
    arc_cost=0.5,
    exclusions=[("k1", "k2")],
)
PROBLEM = WORLD.problem()
SOLUTION = solve_problem(PROBLEM)
GOOD = tidy_flows(PROBLEM, SOLUTION.flows, SOLUTION.loose)


def kinds(flows, **given) -> set[str]:
    found = check_state(PROBLEM.network, PROBLEM.base.activity, flows, **given)
    return {violation.kind for violation in found}


def changed(part: str, at: int, value: float):
    values = getattr(GOOD, part).copy()
    values[at] = value
    return replace(GOOD, **{part: values})


def index(plant: str) -> int:
    return PROBLEM.network.plant_ids.index(plant)


def test_the_optimum_itself_is_clean():
    assert SOLUTION.status == "optimal"
    assert kinds(GOOD) == set()


def test_a_lost_tonne_on_an_arc_is_found_at_both_ends():
    at = int(np.argmax(GOOD.arc))
    found = check_state(PROBLEM.network, PROBLEM.base.activity, changed("arc", at, GOOD.arc[at] - 1.0))
    assert [violation.kind for violation in found] == ["balance", "balance"]
    assert {violation.where[0] for violation in found} & {"mill"}


@pytest.mark.parametrize("part", ["trade", "fate"])
def test_a_tonne_too_many_is_found(part):
    assert "balance" in kinds(changed(part, 0, getattr(GOOD, part)[0] + 1.0))


def test_nothing_may_be_negative_or_nan():
    assert "negative" in kinds(changed("arc", 0, -1.0))
    assert "negative" in kinds(changed("arc", 0, float("nan")))


def test_capacity_base_activity_and_whole_numbers():
    assert "capacity" in kinds(changed("activity", index("mill"), 121.0))
    assert "base activity" in kinds(changed("activity", index("mill"), 99.0))
    built = index("k1") if GOOD.built[index("k1")] else index("k2")
    assert "whole" in kinds(changed("built", built, 0.5))
    assert "size" in kinds(changed("built", built, 0.0))
    assert "size" in kinds(changed("capacity", built, 1.0))
    assert "capacity" in kinds(changed("activity", built, 30.0))


def test_market_volumes_of_both_ends():
    network = PROBLEM.network
    steel, brick = network.commodity_ids.index("steel"), network.commodity_ids.index("brick")
    of = network.markets.commodity[network.trades.market]
    assert "market" in kinds(changed("trade", int(np.flatnonzero(of == steel)[0]), 101.0))
    empty = GOOD.trade.copy()
    empty[of == brick] = 0.0
    assert "market" in kinds(replace(GOOD, trade=empty))


def test_the_cap_of_a_substitution():
    at = int(np.flatnonzero(PROBLEM.network.arcs.cap_group >= 0)[0])
    assert "cap" in kinds(changed("arc", at, 5.1))


def test_two_plants_of_a_group():
    both = GOOD.built.copy()
    both[[index("k1"), index("k2")]] = 1.0
    assert "exclusion" in kinds(replace(GOOD, built=both))


def test_what_stays_open_may_not_grow():
    loose = np.zeros(PROBLEM.loose_max.size)
    loose[0] = 1.0
    assert {"loose", "balance"} <= kinds(GOOD, loose=loose)


def test_money_is_counted_as_the_linear_forms_count_it():
    assert yearly_money(PROBLEM.network, GOOD) == pytest.approx(
        quantities(PROBLEM.network)["gain"].value(GOOD), rel=1e-12
    )


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_noticeable_change_of_one_amount_is_noticed(data):
    part = data.draw(st.sampled_from(["arc", "trade", "fate", "activity"]))
    values = getattr(GOOD, part)
    at = data.draw(st.integers(0, values.size - 1))
    step = data.draw(st.floats(0.01, 50.0)) * data.draw(st.sampled_from([-1.0, 1.0]))
    assert kinds(changed(part, at, float(values[at]) + step)) != set()
