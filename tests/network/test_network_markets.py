"""Where plants may buy and sell: the plan's rows, what follows without them, and the base-year volume."""

import numpy as np
import polars as pl
import pytest
from tiny_park import COMMODITIES, EXCHANGES, PLANTS, RECIPES, commodity, recipe, tiny_library, tiny_plan

from cyclopolis.network import compile_network, find_port
from cyclopolis.network.markets import Doors, implied_rows
from cyclopolis.network.model import BUY, SELL


def market(network, name, direction):
    """Return positions of the markets of a commodity in one direction."""
    c = network.commodity_ids.index(name)
    return np.flatnonzero((network.markets.commodity == c) & (network.markets.direction == direction))


def served(network, plant, name, *, output):
    """Return the markets that a port can use."""
    port = find_port(network, plant, name, output=output)
    return network.trades.market[network.trades.port == port].tolist()


def test_an_input_without_a_row_is_bought_at_the_high_price(network):
    (coal,) = market(network, "coal", BUY)
    assert network.markets.price[coal] == 600.0
    assert network.markets.implied[coal]
    assert np.isinf(network.markets.volume_max[coal])
    assert served(network, "boiler", "coal", output=False) == [coal]


def test_what_stands_today_is_sold_at_the_low_price_and_todays_volume(network):
    (power,) = market(network, "electricity", SELL)
    assert network.markets.price[power] == 400.0
    assert network.markets.volume_max[power] == 10000.0
    assert market(network, "ash", SELL).size == 0  # it has a lawful way out


def test_buyers_never_see_the_sellers_price(network):
    (buy,), (sell,) = market(network, "electricity", BUY), market(network, "electricity", SELL)
    assert network.markets.price[buy] > network.markets.price[sell]


def test_own_use_and_exchanges_lower_the_volume_that_may_be_sold():
    plants = [{**row, "enterprise": "grid", "site": "park"} if row["plant"] == "mill" else row for row in PLANTS]
    network = compile_network(tiny_plan(plants=plants))
    (power,) = market(network, "electricity", SELL)
    assert network.markets.volume_max[power] == pytest.approx(10000 - 3000 * 0.05)


def test_a_byproduct_without_a_way_out_may_be_sold():
    rows = [*RECIPES, recipe("brick", "steam", "out", "byproduct", 0.2)]
    goods = [*COMMODITIES, commodity("steam", "energy", state="vapour", low=90.0, high=200.0)]
    network = compile_network(tiny_plan(tiny_library(recipes=rows, commodities=goods)))
    (steam,) = market(network, "steam", SELL)
    assert network.markets.volume_max[steam] == pytest.approx(200.0)


def test_a_row_of_the_plan_replaces_what_would_follow():
    rows = [{"commodity": "coal", "buy_price": 500.0, "buy_max": 3000.0}]
    network = compile_network(tiny_plan(markets=rows))
    (coal,) = market(network, "coal", BUY)
    assert not network.markets.implied[coal]
    assert (network.markets.price[coal], network.markets.volume_max[coal]) == (500.0, 3000.0)


def test_a_row_that_only_buys_leaves_todays_sales_as_they_are():
    network = compile_network(tiny_plan(markets=[{"commodity": "brick", "buy_price": 500.0}]))
    (brick,) = market(network, "brick", SELL)
    assert network.markets.implied[brick]


def test_one_row_may_hold_both_prices():
    network = compile_network(
        tiny_plan(markets=[{"commodity": "electricity", "buy_price": 650.0, "sell_price": 380.0}])
    )
    (buy,), (sell,) = market(network, "electricity", BUY), market(network, "electricity", SELL)
    assert (network.markets.price[buy], network.markets.price[sell]) == (650.0, 380.0)


def test_a_market_at_a_place_is_open_only_inside_it():
    rows = [{"commodity": "freshwater", "site": "park", "buy_price": 3.0}]
    network = compile_network(
        tiny_plan(markets=rows, plants=[*PLANTS, {**PLANTS[2], "plant": "kiln2", "site": "hill"}])
    )
    by_price = {network.markets.price[m]: m for m in market(network, "freshwater", BUY)}
    assert served(network, "kiln", "freshwater", output=False) == [by_price[3.0]]  # the lot lies inside the park
    assert served(network, "kiln2", "freshwater", output=False) == [by_price[5.0]]


@pytest.mark.parametrize(("year", "price"), [(2024, 500.0), (2029, 500.0), (2030, 800.0), (2040, 800.0)])
def test_the_newest_row_holds(year, price):
    rows = [{"commodity": "coal", "buy_price": 500.0}, {"commodity": "coal", "buy_price": 800.0, "year": 2030}]
    network = compile_network(tiny_plan(markets=rows), year)
    assert network.markets.price[market(network, "coal", BUY)].tolist() == [price]


def test_a_row_of_the_future_does_not_replace_todays_price():
    network = compile_network(tiny_plan(markets=[{"commodity": "coal", "buy_price": 800.0, "year": 2030}]))
    assert network.markets.price[market(network, "coal", BUY)].tolist() == [600.0]


def test_tiers_of_one_year_stay_side_by_side():
    rows = [{"commodity": "coal", "buy_price": p, "buy_max": 100.0} for p in (700.0, 500.0)]
    network = compile_network(tiny_plan(markets=rows))
    assert network.markets.price[market(network, "coal", BUY)].tolist() == [500.0, 700.0]


def test_nothing_is_bought_at_an_unknown_price():
    goods = [{**row, "price_high": None} if row["commodity"] == "clay" else row for row in COMMODITIES]
    network = compile_network(tiny_plan(tiny_library(commodities=goods)))
    assert market(network, "clay", BUY).size == 0


def test_nobody_is_paid_for_taking_without_a_row():
    goods = [{**row, "price_high": -30.0} if row["commodity"] == "clay" else row for row in COMMODITIES]
    network = compile_network(tiny_plan(tiny_library(commodities=goods)))
    assert network.markets.price[market(network, "clay", BUY)].tolist() == [0.0]


def test_a_product_of_unknown_price_is_sold_at_nan():
    goods = [{**row, "price_low": None} if row["commodity"] == "brick" else row for row in COMMODITIES]
    network = compile_network(tiny_plan(tiny_library(commodities=goods)))
    assert np.isnan(network.markets.price[market(network, "brick", SELL)]).all()


def test_candidates_share_todays_volume():
    rows = [*PLANTS, {**PLANTS[2], "plant": "kiln2", "status": "candidate", "activity": None}]
    network = compile_network(tiny_plan(plants=rows))
    (brick,) = market(network, "brick", SELL)
    assert network.markets.volume_max[brick] == 1000.0
    assert served(network, "kiln2", "brick", output=True) == [brick]


def test_a_plan_with_no_exchange_sells_the_same_products():
    with_it, without = compile_network(tiny_plan()), compile_network(tiny_plan(exchanges=[]))
    assert with_it.markets.volume_max.tolist() == without.markets.volume_max.tolist()
    assert EXCHANGES[0]["commodity"] not in {"electricity", "cement", "brick"}


def test_assumed_rows_stay_assumed():
    network = compile_network(tiny_plan(markets=[{"commodity": "coal", "buy_price": 500.0, "source": "假设：合同"}]))
    assert network.markets.provenance[market(network, "coal", BUY)].tolist() == [4]


def test_the_implied_sale_counts_products_only():
    """What is vented today because nobody takes it is no demand, even where another plant makes it as its product."""
    doors = Doors(
        commodity=np.array([0, 0]),
        site=np.array([0, 0]),
        output=np.array([True, True]),
        tradable=np.array([True, True]),
        standing=np.array([True, True]),
        product=np.array([True, False]),
    )
    prices = pl.DataFrame({"price_low": [0.0], "price_high": [25.0], "provenance": ["memory"]})
    rows = implied_rows(doors, np.zeros(2, dtype=bool), np.array([120.0, 900.0]), prices)
    assert rows.select("direction", "high").rows() == [(SELL, 120.0)]


@pytest.mark.parametrize(("year", "volume"), [(2025, 100.0), (2029, 100.0), (2030, 250.0)])
def test_a_shared_utility_of_a_site_is_a_market_there_whose_volume_bounds_all_plants_inside(year, volume):
    rows = [
        {"commodity": "electricity", "site": "hill", "year": 2025, "buy_price": 500.0, "buy_max": 100.0},
        {"commodity": "electricity", "site": "hill", "year": 2030, "buy_price": 480.0, "buy_max": 250.0},
    ]
    second = {"plant": "mill two", "site": "hill", "technology": "cement", "status": "planned", "capacity": 10.0}
    network = compile_network(tiny_plan(markets=rows, plants=[*PLANTS, second]), year)
    markets, ports = network.markets, network.ports
    power = network.commodity_ids.index("electricity")
    (at,) = np.flatnonzero((markets.commodity == power) & (markets.direction == BUY))
    assert (network.site_ids[markets.site[at]], markets.volume_max[at]) == ("hill", volume)
    buyers = {network.plant_ids[ports.plant[port]] for port in network.trades.port[network.trades.market == at]}
    assert buyers == {"mill", "mill two"}
