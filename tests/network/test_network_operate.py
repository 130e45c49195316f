"""The operating problem: the balance matrices against the kernels, and the best flows against paper."""

import numpy as np
import pytest
from tiny_park import FATES, PLANTS, SITES, tiny_library, tiny_plan

from cyclopolis.foundation.problems import UserError
from cyclopolis.network import (
    Flows,
    base_flows,
    best_flows,
    cap_rows,
    compile_network,
    find_arcs,
    find_port,
    left_at_ports,
    market_volumes,
    port_balance,
    quantities,
)


def rich():
    return compile_network(tiny_plan(sites=[{**site, "new_plants": "any"} for site in SITES]), candidates=True)


def test_the_matrices_say_what_the_kernels_say():
    network = rich()
    rng = np.random.default_rng(3)
    plants = len(network.plant_ids)
    arcs, trades, fates = network.arcs.giver.size, network.trades.port.size, network.fates.port.size
    state = Flows(*(rng.uniform(0, 1e3, size) for size in (plants, arcs, trades, fates, plants, plants)))
    on_activity, on_arc, on_trade, on_fate = port_balance(network)
    total = on_activity @ state.activity + on_arc @ state.arc + on_trade @ state.trade + on_fate @ state.fate
    assert total == pytest.approx(left_at_ports(network, state))


def test_natural_ports_have_empty_rows(network):
    port = find_port(network, "boiler", "oxygen_air", output=False)
    assert [part[[port]].nnz for part in port_balance(network)] == [0, 0, 0, 0]


def test_market_volumes_sum_the_trades_of_each_market(network):
    flows = base_flows(network)
    expected = np.bincount(network.trades.market, weights=flows.trade, minlength=network.markets.price.size)
    assert (market_volumes(network) @ flows.trade).tolist() == expected.tolist()


def test_cap_rows_hold_tonnes_against_the_share_of_the_product(network):
    on_arcs, on_activity = cap_rows(network)
    (arc,) = find_arcs(network, "boiler", "kiln", "ash", "clay")
    group = network.arcs.cap_group[arc]
    assert on_arcs[group, arc] == 1.0
    assert on_activity[group, network.plant_ids.index("kiln")] == pytest.approx(-0.3)


def test_the_best_flows_of_the_tiny_park_by_hand(network):
    # The mill must get all its 600 t of ash (nobody sells it). Of the other 400 t the kiln takes 300 (its cap) in place
    # of 270 t of clay at 20 CNY, which saves 50 CNY of landfill each. Power for the mill comes by wire (7.19 CNY/MWh)
    # instead of being sold at 400 and bought at 700.
    run = network.plants.activity
    flows = best_flows(network, run, run)
    (use,), (sub,) = find_arcs(network, "boiler", "mill", "ash"), find_arcs(network, "boiler", "kiln", "ash", "clay")
    (wire,) = find_arcs(network, "boiler", "mill", "electricity")
    assert flows.arc[[use, sub, wire]].tolist() == pytest.approx([600, 300, 150])
    assert np.abs(left_at_ports(network, flows)).max() < 1e-6
    gain = quantities(network)["gain"]
    base = gain.value(base_flows(network))
    ash, power = network.arcs.cost[[use, wire]]
    better = 200 * (50 - ash) + 300 * 50 + 270 * 20 + 150 * (700 - 400 - power)
    assert gain.value(flows) - base == pytest.approx(better, rel=1e-9)


def test_the_best_flows_keep_volumes_and_caps(network):
    run = network.plants.activity
    flows = best_flows(network, run * 0.5, run)
    on_arcs, on_activity = cap_rows(network)
    assert (on_arcs @ flows.arc + on_activity @ flows.activity <= 1e-6).all()
    assert (market_volumes(network) @ flows.trade <= network.markets.volume_max + 1e-6).all()
    assert (flows.activity <= run + 1e-9).all()


def test_least_sales_are_met():
    rows = [{"commodity": "electricity", "buy_price": 700.0, "sell_price": 300.0, "sell_min": 9900.0}]
    network = compile_network(tiny_plan(markets=rows))
    run = network.plants.activity
    flows = best_flows(network, run, run)
    port = find_port(network, "boiler", "electricity", output=True)
    assert flows.trade[network.trades.port == port].item() == pytest.approx(9900)


def test_another_objective_may_be_maximised(network):
    run = network.plants.activity
    forms = quantities(network)
    greedy = best_flows(network, run, run, forms["waste_reused"])
    assert forms["waste_reused"].value(greedy) == pytest.approx(900)


def test_no_flows_at_all_is_said_in_words():
    library = tiny_library(fates=[row for row in FATES if row["commodity"] != "tar"])
    plants = [{**row, "status": "candidate"} if row["plant"] == "kiln" else row for row in PLANTS]
    network = compile_network(tiny_plan(library, plants=plants))
    run = np.where(np.arange(3) == network.plant_ids.index("kiln"), 100.0, network.plants.activity)
    with pytest.raises(UserError, match="nowhere to go"):
        best_flows(network, run, run)
