"""The bundled plans through the engines: what holds whatever the library's numbers are, and what the docs report."""

import polars as pl
import pytest
from example_tables import DESIGNED

from cyclopolis.design import Design, DesignOptions, check_state, design, pose, solve_problem
from cyclopolis.examples import example
from cyclopolis.industry import balance
from cyclopolis.plan import read_plan

CAP = 18_500_000.0
"""CO2 of the sites that the scenario carbon_cap allows, t per year."""


@pytest.fixture(scope="module")
def changzhi() -> Design:
    return design(read_plan(example("changzhi")))


def gain_and_flows(scenario: str) -> tuple[float, float, dict[str, float]]:
    """Return the gain of a scenario's design, its bound, and the activity of each plant."""
    posed = pose(read_plan(example("changzhi"), [scenario]), DesignOptions())
    found = solve_problem(posed.problem)
    assert found.status == "optimal"
    assert check_state(posed.network, posed.problem.base.activity, found.flows) == ()
    activity = dict(zip(posed.network.plant_ids, found.flows.activity.tolist(), strict=True))
    return found.objective, found.bound, activity


@pytest.mark.parametrize("name", DESIGNED)
def test_base_year_balances_and_nothing_is_lost(name: str) -> None:
    found = balance(read_plan(example(name)))
    assert found.tables["unknowns"].is_empty()
    assert found.tables["flows"].filter(pl.col("kind") == "unplaced").is_empty()
    assert found.tables["flows"].filter(pl.col("kind").is_in(["exchange", "substitution", "supply"])).is_empty()
    whole = found.tables["accounts"].filter(pl.col("scope_kind") == "place")
    value = dict(whole.select("quantity", "value").iter_rows())
    assert abs(value["unaccounted"]) < 0.03 * value["mass_in"]
    assert value["gain"] > 0


@pytest.mark.parametrize("name", DESIGNED)
def test_limits_of_the_base_year_hold_in_the_balance(name: str) -> None:
    plan = read_plan(example(name))
    accounts = balance(plan).tables["accounts"].filter(pl.col("scope_kind") == "site")
    checked = 0
    for row in plan.tables["limits"].filter(pl.col("scope").is_not_null()).iter_rows(named=True):
        if row["year"] is None or row["year"] <= plan.meta.base_year:
            value = accounts.filter((pl.col("scope") == row["scope"]) & (pl.col("quantity") == row["quantity"]))[
                "value"
            ]
            assert 0 < value.item() <= row["max"], (row["scope"], row["quantity"])
            checked += 1
    assert checked


def test_quickstart_design_brings_the_ash_to_mill_and_bricks() -> None:
    found = design(read_plan(example("quickstart")))
    assert found.facts["gap"] <= 0.001
    ash = found.tables["exchanges"].filter(pl.col("commodity") == "fly_ash")
    after = dict(ash.select("to_plant", "after").iter_rows())
    assert after == pytest.approx({"bricks": 48_000, "mill": 45_000}, rel=1e-6)
    assert found.tables["builds"]["plant"].to_list() == ["bricks"]


def test_changzhi_design_is_proven_and_begins_without_exchanges(changzhi: Design) -> None:
    assert changzhi.facts["status"] == "optimal"
    assert changzhi.facts["gap"] <= 0.001
    between = changzhi.tables["exchanges"].filter(pl.col("commodity") != "tar_residue")
    assert between["before"].sum() == 0
    assert between["after"].sum() > 0


def test_every_limit_and_plant_asked_for_is_explained_in_time(changzhi: Design) -> None:
    worth, plants = changzhi.tables["limit_worth"], changzhi.tables["not_chosen"]
    assert min(worth.height, plants.height) >= 3
    assert worth["stepped"].is_not_null().sum() == 3
    assert set(plants["outcome"]) == {"loses"}
    assert (plants["gap"] < 1e-6 * plants["loss"]).all()


def test_each_named_exchange_is_found_or_has_its_break_even(changzhi: Design) -> None:
    proposed = changzhi.tables["proposed"]
    assert proposed.height == 41
    for row in proposed.iter_rows(named=True):
        if row["status"] == "found":
            assert row["found"] > 0
        else:
            assert row["break_even"] is not None
            assert row["break_even"] >= -1e-6


def test_most_hydrogen_chloride_goes_to_pvc(changzhi: Design) -> None:
    found = changzhi.tables["proposed"].filter(pl.col("commodity") == "hcl")
    amount = dict(found.select("to_plant", "found").iter_rows())
    assert amount["pvc"] > 10 * amount["rubber"] > 10 * amount["cnt"] > 0


def test_break_even_of_the_slag_kiln_is_borne_out_by_a_higher_fee(changzhi: Design) -> None:
    """Not built at the fee of today; built in the scenario whose fee is dearer by more than the break-even."""
    proposed = changzhi.tables["proposed"].filter(
        pl.col("from_plant") == "pvc_c2h2", pl.col("to_plant") == "slag_clinker"
    )
    assert proposed["status"].item() == "not_chosen"
    assert 0 < proposed["break_even"].item() < 180 - 40
    _, _, activity = gain_and_flows("slag_fee")
    assert activity["slag_clinker"] > 0


def test_less_water_never_earns_more(changzhi: Design) -> None:
    gain, _, _ = gain_and_flows("dry_year")
    assert gain <= changzhi.facts["bound"] * (1 + 1e-9)


def test_carbon_cap_holds_and_power_gives_way() -> None:
    plan = read_plan(example("changzhi"), ["carbon_cap"])
    posed = pose(plan, DesignOptions())
    found = solve_problem(posed.problem)
    limit = next(
        item
        for item, quantity in zip(posed.problem.limits, posed.rows["quantity"].to_list(), strict=True)
        if quantity == "co2"
    )
    assert float(limit.form.by_plant(posed.network, found.flows)[limit.within].sum()) <= CAP * (1 + 1e-6)
    before, after = posed.problem.base.activity, found.flows.activity
    power = [number for number, plant in enumerate(posed.network.plant_ids) if plant.endswith("_pp")]
    assert after[power].sum() < before[power].sum()


def test_made_up_meter_readings_are_never_shown_as_measured() -> None:
    found = balance(read_plan(example("changzhi")))
    assert set(found.tables["ports"]["provenance"]) == {"assumed"}
    hcl = found.tables["ports"].filter((pl.col("plant") == "pvc") & (pl.col("commodity") == "hcl"))
    assert hcl["amount"].item() == pytest.approx(169_500, rel=0.02)
    assert hcl["amount"].item() > hcl["recipe_amount"].item() * 0.99
