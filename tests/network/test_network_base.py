"""The base-year rules on small cases worked out by hand, and what must hold for any."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_park import COMMODITIES, EXCHANGES, PLANTS, tiny_library, tiny_plan

from cyclopolis.network import base_flows, compile_network, find_arcs, find_port, left_at_ports, port_amounts
from cyclopolis.network.base import base_arc_flows, cap_room, leave_by_fate, share_out, trade_by_rank
from cyclopolis.network.model import INTERNAL, SUPPLY, Arcs, Fates


def make_arcs(giver, taker, ratio=None, kind=None, exchange=None, group=None, share=()):
    size = len(giver)
    return Arcs(
        giver=np.array(giver, dtype=np.int64),
        taker=np.array(taker, dtype=np.int64),
        ratio=np.ones(size) if ratio is None else np.array(ratio, dtype=float),
        kind=np.full(size, INTERNAL) if kind is None else np.array(kind),
        distance=np.zeros(size),
        mode=np.full(size, -1),
        cost=np.zeros(size),
        cap_group=np.full(size, -1) if group is None else np.array(group),
        co2_credit=np.full(size, np.nan),
        cap_share=np.array(share, dtype=float),
        exchange=np.full(size, np.nan) if exchange is None else np.array(exchange, dtype=float),
        exchange_provenance=np.full(size, -1),
    )


def shared(supply, need, arcs, room=(), mass=None):
    size = arcs.giver.size
    weight = np.zeros(size) if mass is None else np.array(mass, dtype=float)
    everything = np.ones(size, dtype=bool)
    return share_out(np.array(supply, float), np.array(need, float), np.array(room, float), arcs, weight, everything)


def test_one_giver_shares_by_need():
    flow = shared([30, 0, 0], [0, 10, 50], make_arcs([0, 0], [1, 2]))
    assert flow.tolist() == pytest.approx([5, 25])


def test_two_givers_serve_one_taker_alike():
    flow = shared([30, 30, 0], [0, 0, 20], make_arcs([0, 1], [2, 2]))
    assert flow.tolist() == pytest.approx([10, 10])


def test_what_one_taker_cannot_use_goes_to_the_next():
    # first 20/3 + 12 and 18 (taker 3 is offered 40/3 + 20 for its 30), then giver 0 has 4/3 left for taker 2
    flow = shared([20, 20, 0, 0], [0, 0, 15, 30], make_arcs([0, 0, 1], [2, 3, 3]))
    assert flow.tolist() == pytest.approx([8, 12, 18])


def test_a_ratio_counts_at_the_taker():
    flow = shared([100, 0], [0, 10], make_arcs([0], [1], ratio=[0.5]))
    assert flow.tolist() == pytest.approx([20])


def test_a_cap_holds_in_tonnes():
    flow = shared(
        [100, 100, 0], [0, 0, 90], make_arcs([0, 1], [2, 2], group=[0, 0], share=[1.0]), room=[30], mass=[2, 2]
    )
    assert flow.tolist() == pytest.approx([7.5, 7.5])


def test_the_room_of_a_cap_is_a_share_of_the_product():
    arcs = make_arcs([0, 0], [1, 2], group=[0, -1], share=[0.3])
    assert cap_room(arcs, np.array([1000.0, 5.0])).tolist() == [300.0]


@st.composite
def cases(draw):
    givers, takers = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    pairs = draw(st.lists(st.tuples(st.integers(0, givers - 1), st.integers(0, takers - 1)), unique=True, max_size=12))
    amounts = st.floats(0, 1e6)
    supply = [draw(amounts) for _ in range(givers)] + [0.0] * takers
    need = [0.0] * givers + [draw(amounts) for _ in range(takers)]
    ratio = [draw(st.floats(0.1, 3)) for _ in pairs]
    return supply, need, make_arcs([g for g, _ in pairs], [givers + t for _, t in pairs], ratio=ratio)


@given(cases())
def test_nobody_gives_or_takes_more_than_there_is_and_no_room_is_left_unused(case):
    supply, need, arcs = case
    flow = shared(supply, need, arcs)
    given_out = np.bincount(arcs.giver, weights=flow, minlength=len(supply))
    taken = np.bincount(arcs.taker, weights=flow * arcs.ratio, minlength=len(supply))
    scale = 1e-9 * (1 + max(supply + need))
    assert (flow >= 0).all()
    assert (given_out <= np.array(supply) + scale).all()
    assert (taken <= np.array(need) + scale).all()
    for giver, taker in zip(arcs.giver, arcs.taker, strict=True):
        assert min(supply[giver] - given_out[giver], need[taker] - taken[taker]) <= 1e-6 * (1 + max(supply + need))


@settings(max_examples=40)
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_arcs_changes_nothing(case, random):
    supply, need, arcs = case
    order = list(range(arcs.giver.size))
    random.shuffle(order)
    other = make_arcs(arcs.giver[order], arcs.taker[order], ratio=arcs.ratio[order])
    scale = 1e-9 * (1 + max(supply + need))
    assert shared(supply, need, other) == pytest.approx(shared(supply, need, arcs)[order], abs=scale)


def test_known_exchanges_come_first_then_open_ones_then_own_use():
    arcs = make_arcs(
        [0, 0, 0, 0], [1, 2, 3, 4], kind=[SUPPLY, SUPPLY, INTERNAL, SUPPLY], exchange=[10, np.inf, np.nan, np.nan]
    )
    amount = np.array([100.0, 50.0, 60.0, 80.0, 5.0])
    output = np.array([True, False, False, False, False])
    flow = base_arc_flows(amount, arcs, output, np.zeros(4), np.zeros(4))
    assert flow.tolist() == pytest.approx([10, 60, 30, 0])


@pytest.mark.parametrize(("stated", "expected"), [(400.0, 400.0), (900.0, 600.0), (5000.0, 600.0)])
def test_an_exchange_is_kept_within_what_the_taker_needs(stated, expected):
    network = compile_network(tiny_plan(exchanges=[{**EXCHANGES[0], "amount": stated}]))
    (arc,) = find_arcs(network, "boiler", "mill", "ash")
    assert base_flows(network).arc[arc] == pytest.approx(expected)


def test_an_exchange_is_kept_within_what_the_giver_has():
    plants = [{**row, "activity": 2000.0} if row["plant"] == "boiler" else row for row in PLANTS]
    network = compile_network(tiny_plan(plants=plants))
    (arc,) = find_arcs(network, "boiler", "mill", "ash")
    assert base_flows(network).arc[arc] == pytest.approx(200.0)


def test_as_much_as_both_allow_keeps_within_the_cap():
    row = {"from_plant": "boiler", "to_plant": "kiln", "commodity": "ash", "status": "existing"}
    network = compile_network(tiny_plan(exchanges=[row]))
    (arc,) = find_arcs(network, "boiler", "kiln", "ash", "clay")
    assert base_flows(network).arc[arc] == pytest.approx(300.0)  # 30 % of 1000 t of bricks
    port = find_port(network, "kiln", "clay", output=False)
    assert base_flows(network).trade[network.trades.port == port].item() == pytest.approx(1100 - 0.9 * 300)


def test_a_substitution_is_no_own_use_unless_the_plan_says_so(network):
    (arc,) = find_arcs(network, "boiler", "kiln", "ash", "clay")
    assert base_flows(network).arc[arc] == 0.0


def test_the_best_market_is_filled_first_and_shared_in_proportion():
    left = np.array([30.0, 90.0])
    trade = trade_by_rank(
        left, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([5.0, 3.0, 5.0, 3.0]), np.array([60.0, np.inf])
    )
    assert trade.tolist() == pytest.approx([15, 15, 45, 45])


def test_markets_without_room_leave_the_rest():
    trade = trade_by_rank(
        np.array([30.0]), np.array([0, 0]), np.array([0, 1]), np.array([5.0, 3.0]), np.array([10.0, 5.0])
    )
    assert trade.tolist() == [10, 5]


def test_the_dearer_market_is_the_last_for_a_buyer():
    rows = [{"commodity": "coal", "buy_price": p, "buy_max": m} for p, m in ((700.0, None), (500.0, 1000.0))]
    network = compile_network(tiny_plan(markets=rows))
    flows = base_flows(network)
    port = find_port(network, "boiler", "coal", output=False)
    at = np.flatnonzero(network.trades.port == port)
    bought = dict(zip(network.markets.price[network.trades.market[at]], flows.trade[at], strict=True))
    assert bought == {500.0: 1000.0, 700.0: 3000.0}


def test_the_cheapest_way_out_takes_all():
    fates = Fates(
        port=np.array([1, 1, 0]),
        fate=np.array([0, 1, 0]),
        cost=np.array([50.0, 20.0, np.nan]),
        co2=np.zeros(3),
        provenance=np.zeros(3, dtype=np.int64),
    )
    assert leave_by_fate(np.array([7.0, 9.0]), fates).tolist() == [0, 9, 7]


def test_every_port_of_the_tiny_park_adds_up_but_the_one_that_has_no_source(network):
    left = left_at_ports(network, base_flows(network))
    port = find_port(network, "mill", "ash", output=False)
    assert left[port] == pytest.approx(200.0)
    assert np.abs(np.delete(left, port)).max() < 1e-9


def test_a_plant_of_unknown_activity_stands_still():
    plants = [{**row, "activity": None} if row["plant"] == "kiln" else row for row in PLANTS]
    network = compile_network(tiny_plan(plants=plants))
    flows = base_flows(network)
    assert flows.activity.tolist() == [10000.0, 0.0, 3000.0]
    assert np.isfinite(flows.trade).all()


activities = st.floats(0, 1e5)


@settings(max_examples=10, deadline=None)
@given(st.tuples(activities, activities, activities), st.floats(0, 5e3), st.booleans())
def test_in_any_base_year_every_port_adds_up(activity, exchanged, open_ended):
    plants = [{**row, "activity": run, "capacity": None} for row, run in zip(PLANTS, activity, strict=True)]
    row = {**EXCHANGES[0], "amount": None if open_ended else exchanged}
    network = compile_network(tiny_plan(plants=plants, exchanges=[row]))
    flows = base_flows(network)
    amount = port_amounts(flows.activity, network.ports.plant, network.ports.coefficient)
    left = left_at_ports(network, flows)
    assert (left >= -1e-6 * (1 + amount)).all()
    ash = find_port(network, "mill", "ash", output=False)
    assert (np.abs(np.delete(left, ash)) <= 1e-6 * (1 + np.delete(amount, ash))).all()
    assert all((part >= 0).all() for part in (flows.arc, flows.trade, flows.fate))


def test_an_output_with_no_way_out_remains():
    goods = [{**row, "price_low": None} for row in COMMODITIES]
    network = compile_network(tiny_plan(tiny_library(commodities=goods, fates=[])))
    left = left_at_ports(network, base_flows(network))
    assert left[find_port(network, "boiler", "ash", output=True)] == pytest.approx(0.0)  # sold at an unknown price
    flows = base_flows(network)
    assert np.isnan(network.markets.price[network.trades.market[flows.trade > 0]]).any()
