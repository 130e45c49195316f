"""Stores of plants and sites in a plan's reconciliation: balances by hand, classes, levels, the flows that follow."""

import numpy as np
import polars as pl
import pytest
from test_two_plants import measured, row
from tiny_park import tiny_plan

import cyclopolis
from cyclopolis.foundation.problems import UserError
from cyclopolis.foundation.text import LANGUAGES
from cyclopolis.industry import balance
from cyclopolis.industry.metabolism.plan_reconcile import reconcile_plan
from cyclopolis.network import base_flows, compile_network, left_at_ports
from cyclopolis.network.names import find_port

OUT = {"from_plant": "boiler", "to_plant": "mill", "commodity": "ash", "uncertainty": 20.0, "year": 2024}


def store(change=None, sd=None, plant="boiler", **more):
    return {"plant": plant, "commodity": "ash", "change": change, "uncertainty": sd, "year": 2024, **more}


def tied(**changes):
    """All ash of the boiler goes to the mill or into store: nothing else is open there."""
    shares = [
        {"plant": "boiler", "commodity": "ash", "to_plant": "mill", "share": 1.0, "uncertainty": 0.0, "year": 2024}
    ]
    return tiny_plan(exchanges=[], shares=shares, **changes)


def test_made_less_delivered_is_stored():
    # Ash made 1000 +- 10, landfilled and given 400 +- 40 (stated) + rest: the stock takes 50 of it.
    rows = [measured("boiler", "ash", "out", 1000.0, 10.0)]
    result = balance(tiny_plan(measurements=rows, stock_changes=[store(50.0, 5.0)]))
    left = row(result, "reconciled", kind="flow", plant="boiler", way="landfill")
    assert left["reconciled"] == pytest.approx(550)
    variance = 1 / (1 / 100 + 1 / (100.0**2 + 50.0**2))  # measured; recipe 10 % and activity 5 % of 1000
    assert left["reconciled_sd"] == pytest.approx((variance + 25 + 40**2) ** 0.5)
    held = row(result, "reconciled", kind="stock_change")
    assert (held["reconciled"], held["class"]) == (50, "measured-nonredundant")
    assert row(result, "flows", kind="stock")["amount"] == pytest.approx(50)
    assert row(result, "flows", flow="boiler>landfill:ash")["amount"] == pytest.approx(550)
    change = row(result, "details", item="stock_change", scope_kind="enterprise", scope="grid")
    assert change["value"] == pytest.approx(50)


def test_a_measured_change_is_corrected_where_all_flows_are_measured():
    # The share of all ash to the mill leaves no other flow: made - given = stored, three measurements, one relation.
    rows = [measured("boiler", "ash", "out", 1000.0, 10.0), {**OUT, "amount": 930.0}]
    shares = [{"plant": "boiler", "commodity": "ash", "of_commodity": "coal", "share": 0.25, "uncertainty": 0.2}]
    result = balance(tiny_plan(exchanges=[], measurements=rows, shares=shares, stock_changes=[store(50.0, 5.0)]))
    found = row(result, "reconciled", kind="stock_change")
    assert found["class"] in {"measured-redundant", "measured-nonredundant"}
    flows = result.tables["flows"].filter((pl.col("commodity") == "ash") & (pl.col("from_plant") == "boiler"))
    made = row(result, "ports", plant="boiler", commodity="ash")["amount"]
    assert flows["amount"].sum() == pytest.approx(made)


@pytest.mark.parametrize("change", [-60.0, 60.0])
def test_a_store_at_an_input_moves_the_purchase(change):
    rows = [measured("boiler", "coal", "in", 4000.0, 1.0)]
    stock = {"plant": "boiler", "commodity": "coal", "change": change, "uncertainty": 2.0, "year": 2024}
    result = balance(tiny_plan(measurements=rows, stock_changes=[stock]))
    used = row(result, "ports", plant="boiler", commodity="coal")["amount"]
    assert row(result, "flows", flow="outside>boiler:coal")["amount"] == pytest.approx(used + change)
    stored = row(result, "flows", kind="stock")
    end = "from_plant" if change > 0 else "to_plant"
    assert (stored[end], stored["amount"]) == ("boiler", pytest.approx(60))
    links = result.tables["links_by_chain"]
    assert links.filter(pl.col("target" if change > 0 else "source").str.ends_with("_stock")).height == 1
    unknown = result.tables["unknowns"]["reason"].to_list()
    assert "no_way_out" not in unknown


def test_a_change_nobody_measured_follows_or_cannot_be_known():
    rows = [measured("boiler", "ash", "out", 1000.0, 10.0)]
    result = balance(tiny_plan(measurements=rows, stock_changes=[store()]))
    free = row(result, "reconciled", kind="stock_change")
    assert (free["reconciled"], free["class"]) == (None, "unobservable")
    asked = result.tables["missing_measurements"]
    assert asked.filter(pl.col("kind").is_in(["stock_change", "flow"]) & (pl.col("commodity") == "ash")).height == 1
    assert result.tables["flows"].filter(pl.col("kind") == "stock").is_empty()  # never invented


def test_a_store_of_a_site_takes_from_all_plants_there():
    # Park holds boiler and kiln; only the boiler makes ash there. Levels of two years give the change.
    rows = [measured("boiler", "ash", "out", 1000.0, 10.0)]
    levels = [
        {"site": "park", "commodity": "ash", "level": value, "uncertainty": sd, "year": year}
        for year, value, sd in ((2022, 480.0, 3.0), (2024, 520.0, 4.0))
    ]
    steady = {"site": "park", "commodity": "ash", "change": 15.0, "uncertainty": 1.0, "year": 2023}
    result = balance(tiny_plan(measurements=rows, stock_changes=[*levels, steady]))
    held = result.tables["reconciled"].filter(pl.col("kind") == "stock_change")
    found = dict(held.select("year", "reconciled").rows())
    assert found == {2023: pytest.approx(15.0), 2024: pytest.approx(25.0)}
    sd = dict(held.select("year", "reconciled_sd").rows())
    assert sd[2024] == pytest.approx((9 + 16 + 1) ** 0.5)
    assert row(result, "flows", kind="stock")["amount"] == pytest.approx(25)


def test_several_plants_share_a_site_store():
    rows = [measured("boiler", "ash", "out", 1000.0, 10.0), measured("mill", "ash", "in", 600.0, 5.0)]
    stock = [{"site": "town", "commodity": "ash", "change": 30.0, "uncertainty": 3.0, "year": 2024}]
    result = balance(tiny_plan(measurements=rows, stock_changes=stock))
    parts = result.tables["reconciled"].filter(pl.col("kind") == "stock_change")
    assert set(parts["plant"].to_list()) == {None, "boiler", "mill"}
    assert parts.filter(pl.col("plant").is_null())["reconciled"].item() == pytest.approx(30)


def test_the_order_of_rows_changes_nothing():
    rows = [measured("boiler", "ash", "out", 1000.0, 10.0)]
    stock = [store(50.0, 5.0), store(44.0, 6.0), {"site": "town", "commodity": "coal", "change": 5.0, "year": 2024}]
    one, other = (balance(tiny_plan(measurements=rows, stock_changes=order)) for order in (stock, stock[::-1]))
    same = [name for name in one.tables["reconciled"].columns if name not in {"row", "file"}]
    for name in ("flows", "account_spread"):
        assert one.tables[name].equals(other.tables[name])
    left, right = (result.tables["reconciled"].select(same) for result in (one, other))
    assert left.equals(right)


def test_two_surveys_of_one_stock_are_weighed():
    rows = [measured("boiler", "ash", "out", 1000.0, 10.0)]
    result = balance(tiny_plan(measurements=rows, stock_changes=[store(50.0, 5.0), store(60.0, 10.0)]))
    found = result.tables["reconciled"].filter(pl.col("kind") == "stock_change")
    weights = np.array([1 / 25, 1 / 100])
    assert found["reconciled"].to_list() == pytest.approx([(weights @ [50.0, 60.0]) / weights.sum()] * 2)
    assert found["class"].unique().to_list() == ["measured-redundant"]
    far = balance(tiny_plan(measurements=rows, stock_changes=[store(50.0, 5.0), store(90.0, 5.0)]))
    texts = [line.name.render(language) for language in LANGUAGES for line in far.summary()]
    assert any("stock of ash at boiler (stock_changes, row" in text for text in texts)
    assert any("boiler 的 ash 库存" in text for text in texts)


def test_exact_surveys_that_disagree_name_their_rows():
    rows = [measured("boiler", "ash", "out", 1000.0, 10.0)]
    with pytest.raises(UserError) as caught:
        balance(tiny_plan(measurements=rows, stock_changes=[store(50.0, 0.0), store(60.0, 0.0)]))
    assert "stock_changes:1" in str(caught.value)
    assert "stock_changes:2" in str(caught.value)


def test_a_store_where_nothing_flows_is_listed():
    stock = {"site": "hill", "commodity": "tar", "change": 5.0, "year": 2024}
    rows = [measured("boiler", "ash", "out", 1000.0, 10.0)]
    result = balance(tiny_plan(measurements=rows, stock_changes=[stock]))
    assert row(result, "unknowns", reason="stock_not_placed")["commodity"] == "tar"


def test_changzhi_buys_the_coal_that_it_lays_in():
    plan = cyclopolis.read_plan(cyclopolis.example("changzhi"))
    found = reconcile_plan(plan)
    network = compile_network(plan, settled=found.settled)
    port = find_port(network, "xibaitai_pp", "steam_coal", output=False)
    flows = base_flows(network, found.stored())
    used = -network.ports.coefficient[port] * flows.activity[network.ports.plant[port]]
    assert flows.trade[network.trades.port == port].sum() == pytest.approx(used + 18_000)
    assert left_at_ports(network, flows)[port] == pytest.approx(0, abs=1e-6 * used)
