"""Two plants reconciled by hand: what was measured, stated and asked for by recipes, weighed by its uncertainty."""

import numpy as np
import polars as pl
import pytest
from tiny_park import EXCHANGES, RECIPES, tiny_library, tiny_plan

from cyclopolis.foundation.problems import UserError
from cyclopolis.industry import Balance, BalanceOptions, balance, settled_amounts
from cyclopolis.industry.metabolism.plan_reconcile import reconcile_plan
from cyclopolis.network import base_flows, compile_network, left_at_ports


def measured(plant, commodity, direction, amount, sd=None, **more):
    return {
        "plant": plant,
        "commodity": commodity,
        "direction": direction,
        "amount": amount,
        "uncertainty": sd,
        "year": 2024,
        **more,
    }


def flow(amount, sd=None):
    return {
        "from_plant": "boiler",
        "to_plant": "mill",
        "commodity": "ash",
        "amount": amount,
        "uncertainty": sd,
        "year": 2024,
    }


def row(result, table, **where):
    found = result.tables[table]
    for name, value in where.items():
        found = found.filter(pl.col(name) == value)
    return found.row(0, named=True)


def ranged(*changes):
    """The tiny library with the usual range of some recipes."""
    rows = [dict(item) for item in RECIPES]
    for technology, commodity, low, high in changes:
        for item in rows:
            if (item["technology"], item["commodity"]) == (technology, commodity):
                item |= {"low": low, "high": high}
    return tiny_library(recipes=rows)


def test_one_measurement_against_recipe_and_stated_activity():
    # coal: measured 4400 +- 220 (5 % assumed); recipe 0.4 x 10,000 = 4000 +- 400 (10 % assumed), activity +- 500 (5 %),
    # which is 200 of coal. Gap 400; variances 48,400 + 160,000 + 40,000 = 248,400.
    result = balance(tiny_plan(measurements=[measured("boiler", "coal", "in", 4400.0)]))
    coal = row(result, "reconciled", kind="port", commodity="coal")
    assert coal["reconciled"] == pytest.approx(4400 - 400 * 48_400 / 248_400)
    assert (coal["sd"], coal["sd_provenance"], coal["class"]) == (220, "assumed", "measured-redundant")
    assert coal["local_test"] == pytest.approx(400 / 248_400**0.5)
    activity = row(result, "reconciled", kind="activity", plant="boiler")
    assert activity["reconciled"] == pytest.approx(10_000 + 400 * (40_000 / 248_400) / 0.4)
    test = row(result, "reconcile_tests")
    assert (test["chi_square"], test["dof"]) == (pytest.approx(160_000 / 248_400), 1)
    assert test["accepted"]


def test_the_range_of_a_recipe_is_its_uncertainty():
    library = ranged(("power", "coal", 0.4 - 0.0392, 0.4 + 0.0392))  # 95 % interval: 0.02 per MWh, 200 of coal
    plan = tiny_plan(library=library, measurements=[measured("boiler", "coal", "in", 4300.0, 100.0)])
    recipe_row = row(balance(plan), "reconciled", kind="recipe", commodity="coal")
    assert recipe_row["sd"] == pytest.approx(200, rel=1e-4)
    assert recipe_row["sd_provenance"] == "seen"
    coal = row(balance(plan), "reconciled", kind="port", commodity="coal")
    assert coal["reconciled"] == pytest.approx(4300 - 300 * 10_000 / (10_000 + 40_000 + 40_000), rel=1e-4)


def test_a_recipe_without_width_is_exact():
    library = ranged(("power", "coal", 0.4, 0.4))
    plan = tiny_plan(library=library, measurements=[measured("boiler", "coal", "in", 4100.0, 100.0)])
    result = balance(plan)
    coal = row(result, "reconciled", kind="port", commodity="coal")
    activity = row(result, "reconciled", kind="activity", plant="boiler")
    assert coal["reconciled"] == pytest.approx(4100 - 100 * 10_000 / 50_000)
    assert coal["reconciled"] == pytest.approx(0.4 * activity["reconciled"])


def test_a_flow_between_two_plants_moves_both():
    # The mill takes all ash it uses from the boiler: 600 = 0.2 x 3000. Measured: the flow 660 +- 10, the mill's intake
    # 600 +- 10, no purchase: both are one thing. Recipe 600 +- 60, activity 3000 +- 150 (30 of ash): 600 +- sqrt(4500).
    rows = [flow(660.0, 10.0), measured("mill", "ash", "in", 600.0, 10.0)]
    result = balance(tiny_plan(measurements=rows))
    weights = np.array([1 / 100, 1 / 100, 1 / 4500])
    best = float(weights @ np.array([660.0, 600.0, 600.0]) / weights.sum())
    between = row(result, "reconciled", kind="flow", to_plant="mill")
    assert between["reconciled"] == pytest.approx(best)
    assert between["reconciled_sd"] == pytest.approx(weights.sum() ** -0.5)
    intake = row(result, "reconciled", kind="port", plant="mill", commodity="ash")
    assert intake["reconciled"] == pytest.approx(best)
    assert row(result, "flows", flow="boiler>mill:ash")["amount"] == pytest.approx(best)
    assert row(result, "flows", flow="boiler>landfill:ash")["amount"] == pytest.approx(1000 - best)
    test = row(result, "reconcile_tests")
    expected = weights @ (np.array([660.0, 600.0, 600.0]) - best) ** 2
    assert (test["chi_square"], test["dof"], test["accepted"]) == (pytest.approx(float(expected)), 2, False)


def test_plants_say_what_they_rest_on():
    result = balance(tiny_plan(measurements=[measured("boiler", "coal", "in", 4400.0)]))
    basis = dict(result.tables["reconciled_plants"].select("plant", "basis").rows())
    assert basis == {"boiler": "corrected", "kiln": "estimated", "mill": "estimated"}


def test_what_no_other_knowledge_tests_is_left_as_measured():
    result = balance(tiny_plan(measurements=[measured("boiler", "electricity", "out", 10_500.0, 100.0)]))
    power = row(result, "reconciled", kind="port", commodity="electricity", plant="boiler")
    assert (power["reconciled"], power["class"], power["basis"]) == (10_500, "measured-nonredundant", "measured")
    test = row(result, "reconcile_tests")
    assert (test["dof"], test["p"], test["accepted"]) == (0, None, None)
    assert result.tables["suspects"].is_empty()


def test_no_measurements_no_difference():
    plan = tiny_plan()
    with_it, without = balance(plan), balance(plan, BalanceOptions(reconcile=False))
    assert settled_amounts(plan) is None
    assert with_it.tables["reconciled"].is_empty()
    for name, table in without.tables.items():
        assert table.equals(with_it.tables[name]), name


def test_a_measurement_of_another_year_does_not_count():
    old = measured("boiler", "coal", "in", 4400.0) | {"year": 2020}
    assert reconcile_plan(tiny_plan(measurements=[old])) is None


def test_measurements_can_be_taken_as_they_are():
    plan = tiny_plan(measurements=[measured("boiler", "coal", "in", 4400.0)])
    result = balance(plan, BalanceOptions(reconcile=False))
    assert row(result, "ports", plant="boiler", commodity="coal")["amount"] == pytest.approx(4400)
    assert result.tables["reconcile_tests"].is_empty()


ROWS = [
    measured("boiler", "coal", "in", 4150.0, 80.0),
    measured("boiler", "ash", "out", 1100.0, 30.0),
    measured("mill", "ash", "in", 640.0, 20.0),
    measured("mill", "cement", "out", 3050.0, 30.0),
    flow(610.0, 15.0),
]


def test_ports_equal_flows_afterwards():
    plan = tiny_plan(measurements=ROWS)
    network = compile_network(plan, settled=settled_amounts(plan))
    state = base_flows(network)
    assert np.abs(left_at_ports(network, state)).max() < 1e-6
    result = balance(plan)
    after = result.tables["reconciled"].filter((pl.col("kind") == "port") & pl.col("reconciled").is_not_null())
    joined = after.join(result.tables["ports"], on=["plant", "commodity", "direction"], suffix="_port")
    assert joined.height == after.height > 10
    assert joined["reconciled"].to_list() == pytest.approx(joined["amount"].to_list(), rel=1e-9)
    for port in result.tables["ports"].filter(pl.col("role") != "emission").iter_rows(named=True):
        side = "from_plant" if port["direction"] == "out" else "to_plant"
        flows = result.tables["flows"].filter(
            (pl.col(side) == port["plant"]) & (pl.coalesce("as_commodity", "commodity") == port["commodity"])
        )
        assert flows["amount"].sum() == pytest.approx(port["amount"], rel=1e-9), port


def test_the_order_of_rows_changes_nothing():
    one, other = (balance(tiny_plan(measurements=rows)) for rows in (ROWS, ROWS[::-1]))
    for name, table in one.tables.items():
        drop = [column for column in ("row", "file") if column in table.columns]
        same = other.tables[name].drop(drop)
        assert table.drop(drop).equals(same), name


def test_many_good_measurements_pull_a_wrong_recipe():
    """A recipe that one good measurement contradicts gives way: it was never weighed at this plant."""
    plan = tiny_plan(measurements=[measured("boiler", "ash", "out", 2000.0, 20.0)], exchanges=[])
    result = balance(plan)
    ash = row(result, "reconciled", kind="port", plant="boiler", commodity="ash")
    assert ash["reconciled"] == pytest.approx(2000)
    overruled = result.tables["reconciled"].filter("overruled")
    assert overruled.select("kind", "commodity").rows() == [("recipe", "ash")]
    test = row(result, "reconcile_tests")
    assert (test["overruled"], test["dof"]) == (1, 0)
    assert row(result, "ports", plant="boiler", commodity="coal")["amount"] == pytest.approx(4000)


def test_two_exact_measurements_that_disagree_are_named():
    rows = [measured("boiler", "coal", "in", 4000.0, 0.0), measured("boiler", "coal", "in", 4100.0, 0.0)]
    with pytest.raises(UserError) as caught:
        balance(tiny_plan(measurements=rows))
    text = str(caught.value)
    assert "measurements:1 boiler:coal" in text
    assert "measurements:2 boiler:coal" in text
    assert "100" in text


def test_two_exact_measurements_that_agree_are_fine():
    rows = [measured("boiler", "coal", "in", 4000.0, 0.0), measured("boiler", "coal", "in", 4000.0, 0.0)]
    coal = row(balance(tiny_plan(measurements=rows)), "reconciled", kind="port", commodity="coal")
    assert (coal["reconciled"], coal["class"]) == (4000, "constant")


def test_an_unknown_activity_follows_from_what_was_measured():
    plants = [
        {"plant": "boiler", "enterprise": "grid", "technology": "power", "status": "existing", "capacity": 12_000.0}
    ]
    plan = tiny_plan(plants=plants, exchanges=[], measurements=[measured("boiler", "coal", "in", 4400.0, 44.0)])
    result = balance(plan)
    activity = row(result, "reconciled", kind="activity", plant="boiler")
    assert (activity["reconciled"], activity["class"]) == (pytest.approx(11_000), "unmeasured-observable")
    # 44 of the scale and 10 % of the recipe, over 0.4
    assert activity["reconciled_sd"] == pytest.approx((44**2 + 440**2) ** 0.5 / 0.4)
    assert row(result, "ports", plant="boiler", commodity="ash")["amount"] == pytest.approx(1100)
    assert row(result, "flows", flow="outside>boiler:coal")["amount"] == pytest.approx(4400)


def test_what_cannot_be_known_is_not_invented():
    """Ash goes to the mill (as much as both allow) and to landfill: nothing tells how much to each."""
    exchanges = [EXCHANGES[0] | {"amount": None}]
    result = balance(tiny_plan(exchanges=exchanges, measurements=[measured("boiler", "ash", "out", 1000.0, 10.0)]))
    found = result.tables["reconciled"].filter(pl.col("class") == "unobservable")
    assert found["reconciled"].null_count() == found.height
    assert result.tables["missing_measurements"].height <= found.height


def test_a_flow_that_would_turn_negative_is_none():
    """More ash is given to the mill than the boiler is known to make: landfill gets none, the rest is weighed."""
    rows = [flow(590.0, 5.0), measured("boiler", "ash", "out", 580.0, 5.0), measured("mill", "ash", "in", 600.0, 20.0)]
    result = balance(tiny_plan(measurements=rows))
    flows = result.tables["flows"].filter((pl.col("from_plant") == "boiler") & (pl.col("commodity") == "ash"))
    assert flows["amount"].min() >= 0
    given = row(result, "flows", flow="boiler>mill:ash")["amount"]
    assert given == pytest.approx(row(result, "ports", plant="boiler", commodity="ash")["amount"])


def test_both_ways_of_one_port_count_net():
    rows = [measured("boiler", "coal", "in", 4500.0, 30.0), measured("boiler", "coal", "out", 400.0, 40.0)]
    coal = row(balance(tiny_plan(measurements=rows)), "reconciled", kind="port", commodity="coal")
    assert (coal["measured"], coal["sd"], coal["row"]) == (4100, 50, None)


def test_a_result_with_reconciliation_comes_back(tmp_path):
    result = balance(tiny_plan(measurements=ROWS))
    result.save(tmp_path / "balance")
    again = Balance.load(tmp_path / "balance")
    assert again.tables["reconciled"].equals(result.tables["reconciled"])
    assert [line.value for line in again.summary()] == [line.value for line in result.summary()]


def test_mass_residuals_are_told_before_and_after():
    result = balance(tiny_plan(measurements=[measured("boiler", "coal", "in", 4400.0)]))
    boiler = row(result, "reconciled_plants", plant="boiler")
    before = 4400 + 5000 - 1000 - 7000 - 10
    assert boiler["unaccounted_before"] == pytest.approx(before)
    account = result.tables["accounts"].filter((pl.col("scope") == "boiler") & (pl.col("quantity") == "unaccounted"))
    assert boiler["unaccounted_after"] == pytest.approx(account["value"].item())
    assert boiler["unaccounted_after"] != pytest.approx(before)


def test_accounts_are_surer_after_reconciliation():
    """The uncertainty of an account comes from the reconciled amounts, not from the raw readings."""
    rows = [measured("boiler", "ash", "out", 1010.0, 60.0), measured("boiler", "ash", "out", 1030.0, 60.0)]
    result = balance(tiny_plan(measurements=rows, exchanges=[]), BalanceOptions(draws=40, seed=1))
    ash = row(result, "reconciled", kind="port", plant="boiler", commodity="ash")
    spread = row(result, "account_spread", scope="boiler", quantity="landfill", method="linear")
    assert spread["sd"] == pytest.approx(ash["reconciled_sd"], rel=1e-6)
    assert spread["sd"] < 60 / 2**0.5
