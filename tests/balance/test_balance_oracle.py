"""The balance of the tiny park: every number of its tables worked out on paper, and its accounts in all scopes."""

import json

import polars as pl
import pytest
from tiny_park import COMMODITIES, EXCHANGES, PLANTS, SITES, tiny_library, tiny_plan

from cyclopolis.foundation.text import LANGUAGES
from cyclopolis.industry import Balance, BalanceOptions, balance

ROAD = 1.3 * 17.9688969  # km

FLOWS = {  # id: (kind, amount, money, transport)
    "boiler>mill:ash": ("exchange", 400.0, None, 400 * 0.5 * ROAD),
    "boiler>landfill:ash": ("landfill", 600.0, -30_000.0, None),
    "boiler>emit:co2_fossil": ("emit", 7000.0, 0.0, None),
    "boiler>emit:so2": ("emit", 10.0, 0.0, None),
    "boiler>outside:electricity": ("sale", 10_000.0, 4_000_000.0, None),
    "outside>boiler:coal": ("purchase", 4000.0, -2_400_000.0, None),
    "outside>boiler:freshwater": ("purchase", 20_000.0, -100_000.0, None),
    "nature>boiler:oxygen_air": ("natural", 5000.0, None, None),
    "kiln>outside:brick": ("sale", 1000.0, 100_000.0, None),
    "kiln>treat:tar": ("treat", 10.0, -20_000.0, None),
    "outside>kiln:clay": ("purchase", 1100.0, -22_000.0, None),
    "outside>kiln:freshwater": ("purchase", 500.0, -2_500.0, None),
    "mill>outside:cement": ("sale", 3000.0, 750_000.0, None),
    "outside>mill:clinker": ("purchase", 2400.0, -720_000.0, None),
    "outside>mill:electricity": ("purchase", 150.0, -105_000.0, None),
    "unknown>mill:ash": ("unplaced", 200.0, None, None),
}


def test_the_flows_are_those_worked_out_on_paper(result):
    rows = result.tables["flows"].select("flow", "kind", "amount", "money_cny", "transport_cny").rows()
    assert {row[0] for row in rows} == set(FLOWS)
    for flow, kind, amount, money, transport in rows:
        expected = FLOWS[flow]
        assert kind == expected[0], flow
        assert amount == pytest.approx(expected[1]), flow
        assert money == (None if expected[2] is None else pytest.approx(expected[2])), flow
        assert transport == (None if expected[3] is None else pytest.approx(expected[3], rel=1e-6)), flow


def test_money_of_flows_is_money_of_accounts(result):
    flows = result.tables["flows"]
    place = value(result, "place", "place")
    assert flows.filter(pl.col("money_cny") > 0)["money_cny"].sum() == pytest.approx(place["sales"])
    bought = flows.filter(pl.col("kind") == "purchase")["money_cny"].sum()
    assert -bought == pytest.approx(place["purchases"])
    assert flows["transport_cny"].sum() == pytest.approx(place["transport"])
    paid = flows["money_cny"].sum() - flows["transport_cny"].sum()
    assert paid == pytest.approx(place["gain"] + place["operation"])


def value(result, kind, scope):
    rows = result.tables["accounts"].filter((pl.col("scope_kind") == kind) & (pl.col("scope") == scope))
    return dict(rows.select("quantity", "value").rows())


def test_mass_of_each_plant(result):
    boiler, kiln, mill = (value(result, "plant", name) for name in ("boiler", "kiln", "mill"))
    assert (boiler["mass_in"], boiler["mass_out"], boiler["unaccounted"]) == pytest.approx((9000, 8010, 990))
    assert (kiln["mass_in"], kiln["mass_out"], kiln["unaccounted"]) == pytest.approx((1100, 1010, 90))
    assert (mill["mass_in"], mill["mass_out"], mill["unaccounted"]) == pytest.approx((3000, 3000, 0))


def test_water_and_energy_of_each_plant(result):
    boiler, kiln, mill = (value(result, "plant", name) for name in ("boiler", "kiln", "mill"))
    assert (boiler["water_in"], boiler["water_out"], kiln["water_in"]) == (20_000, 0, 500)
    assert (boiler["energy_in"], boiler["energy_out"]) == pytest.approx((4000 * 20, 10_000 * 3.6))
    assert mill["energy_in"] == pytest.approx(150 * 3.6)


def test_a_place_holds_what_stands_inside_it(result):
    park, lot, hill, town = (value(result, "site", name) for name in ("park", "lot", "hill", "town"))
    for name in park:
        assert town[name] == pytest.approx(park[name] + hill[name]), name
    assert lot["sales"] == 100_000
    assert park["sales"] == 4_100_000  # the boiler in the park and the kiln on its lot


@pytest.mark.parametrize("kind", ["chain", "enterprise", "plant"])
def test_money_and_mass_of_the_parts_sum_to_the_place(result, kind):
    accounts = result.tables["accounts"]
    parts = accounts.filter(pl.col("scope_kind") == kind).group_by("quantity").agg(pl.col("value").sum())
    place = value(result, "place", "place")
    for name, total in parts.rows():
        assert total == pytest.approx(place[name]), name


def test_chains_and_enterprises(result):
    assert value(result, "chain", "energy")["co2"] == 7000
    assert value(result, "enterprise", "grid")["operation"] == 520_000
    assert value(result, "enterprise", "stone")["jobs"] == 60


def test_ports_tell_amount_recipe_and_origin():
    row = {"plant": "boiler", "commodity": "coal", "direction": "in", "amount": 4400.0, "year": 2024}
    ports = balance(tiny_plan(measurements=[row]), BalanceOptions(reconcile=False)).tables["ports"]
    coal = ports.row(by_predicate=(pl.col("plant") == "boiler") & (pl.col("commodity") == "coal"), named=True)
    assert (coal["amount"], coal["recipe_amount"], coal["provenance"]) == (pytest.approx(4400), 4000, "measured")
    water = ports.row(by_predicate=(pl.col("plant") == "boiler") & (pl.col("commodity") == "freshwater"), named=True)
    assert (water["amount"], water["provenance"]) == (20_000, "seen")


def test_a_measurement_moves_the_flows_and_the_mass():
    row = {"plant": "boiler", "commodity": "coal", "direction": "in", "amount": 4400.0, "year": 2024}
    result = balance(tiny_plan(measurements=[row]), BalanceOptions(reconcile=False))
    coal = result.tables["flows"].row(by_predicate=pl.col("flow") == "outside>boiler:coal", named=True)
    assert (coal["amount"], coal["provenance"]) == (pytest.approx(4400), "measured")
    assert value(result, "plant", "boiler")["unaccounted"] == pytest.approx(1390)


def test_an_assumed_plant_makes_its_flows_assumed(result):
    rows = result.tables["flows"].filter((pl.col("from_plant") == "kiln") | (pl.col("to_plant") == "kiln"))
    assert rows["provenance"].unique().to_list() == ["assumed"]


def test_provenance_of_activity_and_exchange(result):
    flows = result.tables["flows"]
    assert flows.filter(pl.col("flow") == "boiler>outside:electricity")["provenance"].item() == "user"
    assert flows.filter(pl.col("flow") == "boiler>mill:ash")["provenance"].item() == "user"
    assert flows.filter(pl.col("flow") == "boiler>landfill:ash")["provenance"].item() == "seen"


def test_prices_that_the_user_did_not_give_are_listed():
    result = balance(tiny_plan(markets=[{"commodity": "coal", "buy_price": 500.0}]))
    prices = result.tables["prices"]
    assert "coal" not in prices["commodity"].to_list()
    water = prices.row(by_predicate=pl.col("commodity") == "freshwater", named=True)
    assert (water["direction"], water["price"], water["amount"], water["provenance"]) == (
        "buy",
        5.0,
        20_500.0,
        "memory",
    )


def test_what_is_not_known_is_listed_with_its_reason(result):
    assert result.tables["unknowns"].rows() == [("mill", "ash", "no_source")]


def test_an_exchange_too_large_is_listed():
    result = balance(tiny_plan(exchanges=[{**EXCHANGES[0], "amount": 5000.0}]))
    assert ("boiler", "ash", "exchange_too_large") in result.tables["unknowns"].rows()


def test_unknown_figures_are_null_for_the_plant_and_counted_for_the_place():
    technologies = [{**row, "opex": None} for row in tiny_library().technologies.to_dicts()]
    plants = [{**row, "opex": 10.0} if row["plant"] == "mill" else row for row in PLANTS]
    result = balance(tiny_plan(tiny_library(technologies=technologies), plants=plants))
    assert value(result, "plant", "boiler")["operation"] is None
    assert value(result, "plant", "boiler")["gain"] is None
    assert value(result, "place", "place")["operation"] == 30_000
    place = result.tables["accounts"].filter((pl.col("scope_kind") == "place") & (pl.col("quantity") == "operation"))
    assert place["missing"].item() == 2


def test_a_plant_of_unknown_activity_has_unknown_ports_and_accounts():
    plants = [{**row, "activity": None} if row["plant"] == "kiln" else row for row in PLANTS]
    result = balance(tiny_plan(plants=plants))
    ports = result.tables["ports"].filter(pl.col("plant") == "kiln")
    assert ports.height == 4
    assert ports["amount"].null_count() == 4
    assert set(value(result, "plant", "kiln").values()) == {None}
    assert ("kiln", None, "activity") in result.tables["unknowns"].rows()


def test_official_fuel_co2_stands_beside_the_recipes():
    factors = [
        {"factor_set": "fuel", "item": "coal", "commodity": "coal", "quantity": q, "value": v, "unit": u}
        for q, v, u in (("ncv", 20.0, "GJ/t"), ("carbon_content", 0.025, "tC/GJ"), ("oxidation", 0.98, "1"))
    ]
    (row,) = balance(tiny_plan(tiny_library(emission_factors=factors))).tables["fuel_co2"].rows(named=True)
    assert (row["plant"], row["commodity"], row["amount"], row["recipe_co2_t"]) == ("boiler", "coal", 4000.0, 7000.0)
    assert row["co2_t"] == pytest.approx(4000 * 20 * 0.025 * 0.98 * 44 / 12)


def test_the_summary_names_quantities_in_both_languages(result):
    for language in LANGUAGES:
        lines = {line.name.render(language): line.value for line in result.summary()}
        assert len(lines) == len(result.summary())
        assert 20_500 in lines.values()


def test_every_reason_has_a_text_in_both_languages():
    from cyclopolis.foundation.text import catalogue

    reasons = (
        "activity measured_without_activity exchange_not_given exchange_not_taken exchange_ratio exchange_too_large "
        "no_way_out no_source capex opex jobs land mass grid_factor price fate_cost"
    )
    for reason in reasons.split():
        assert all(catalogue()[f"unknown.{reason}"][language] for language in LANGUAGES)


def test_saved_and_loaded_it_is_the_same(result, tmp_path):
    result.save(tmp_path / "balance")
    again = Balance.load(tmp_path / "balance")
    assert again.facts == result.facts
    for name, table in result.tables.items():
        assert again.tables[name].equals(table), name
    assert json.dumps(again.figures("zh")) == json.dumps(result.figures("zh"))


def test_two_runs_give_the_same_tables(plan):
    first, second = balance(plan), balance(plan)
    for name, table in first.tables.items():
        assert table.equals(second.tables[name]), name


def test_any_other_state_is_computed(plan):
    from cyclopolis.industry import flows_table
    from cyclopolis.network import best_flows, compile_network

    network = compile_network(plan)
    run = network.plants.activity
    table = flows_table(network, best_flows(network, run, run), base=False)
    assert table["provenance"].unique().to_list() == ["computed"]
    assert table["kind"].is_in(["unplaced"]).sum() == 0


def test_ids_of_flows_are_unique_even_between_two_markets():
    rows = [{"commodity": "coal", "buy_price": p, "buy_max": 2500.0} for p in (500.0, 600.0)]
    flows = balance(tiny_plan(markets=rows)).tables["flows"]
    assert flows["flow"].is_unique().all()
    assert {"outside>boiler:coal", "outside>boiler:coal#2"} <= set(flows["flow"].to_list())


def test_a_local_market_is_the_other_end():
    flows = balance(tiny_plan(markets=[{"commodity": "coal", "site": "park", "buy_price": 500.0}])).tables["flows"]
    coal = flows.row(by_predicate=pl.col("commodity") == "coal", named=True)
    assert (coal["flow"], coal["from_site"], coal["to_site"]) == ("park>boiler:coal", "park", "park")


def test_a_substitution_names_what_it_replaces():
    row = {"from_plant": "boiler", "to_plant": "kiln", "commodity": "ash", "amount": 100.0, "status": "existing"}
    flows = balance(tiny_plan(exchanges=[row])).tables["flows"]
    found = flows.row(by_predicate=pl.col("kind") == "substitution", named=True)
    assert (found["flow"], found["as_commodity"], found["amount"]) == ("boiler>kiln:ash=clay", "clay", 100.0)


def test_a_plan_without_plants_balances():
    result = balance(tiny_plan(plants=[], exchanges=[]))
    assert result.tables["flows"].is_empty()
    assert "chains" not in result.figures("en")


def test_mass_that_no_one_knows_stays_null():
    goods = [{**row, "t_per_unit": None} if row["commodity"] == "clay" else row for row in COMMODITIES]
    result = balance(tiny_plan(tiny_library(commodities=goods)))
    clay = result.tables["flows"].row(by_predicate=pl.col("commodity") == "clay", named=True)
    assert clay["mass_t"] is None
    assert value(result, "plant", "kiln")["mass_in"] == 0
    assert (None, "clay", "mass") in result.tables["unknowns"].rows()


def test_site_names_fall_back_to_the_identifier(result):
    names = dict(result.tables["names"].filter(pl.col("kind") == "site").select("item", "name_zh").rows())
    assert names == {row["site"]: row["site"] for row in SITES}
