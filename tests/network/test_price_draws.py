"""Drawn prices keep their spread and move with their chain; yields and volumes stay within their ranges."""

import numpy as np
import pytest
from tiny_park import tiny_plan

import cyclopolis
from cyclopolis.network import compile_network
from cyclopolis.network.model import BUY, SELL
from cyclopolis.network.price_draws import OWN_SHARE, draw_prices, level_ranges


@pytest.fixture(scope="module")
def network():
    return compile_network(cyclopolis.read_plan(cyclopolis.example("changzhi")), 2030)


@pytest.fixture(scope="module")
def drawn(network):
    return draw_prices(network, 400, seed=11)


def test_the_same_seed_gives_the_same_draws(network, drawn):
    again, other = draw_prices(network, 400, seed=11), draw_prices(network, 400, seed=12)
    assert np.array_equal(drawn.price, again.price, equal_nan=True)
    assert np.array_equal(drawn.coefficient, again.coefficient)
    assert not np.array_equal(drawn.price, other.price, equal_nan=True)


def test_the_spread_between_buyer_and_seller_is_kept(network, drawn):
    markets = network.markets
    for good in np.unique(markets.commodity):
        rows = np.flatnonzero(markets.commodity == good)
        moved = drawn.price[:, rows] - markets.price[rows]
        assert np.allclose(moved, moved[:, :1], equal_nan=True), network.commodity_ids[good]


def test_no_seller_gets_more_than_a_buyer_pays_and_no_price_turns_into_a_gift(network, drawn):
    markets = network.markets
    for good in np.unique(markets.commodity):
        sell, buy = (np.flatnonzero((markets.commodity == good) & (markets.direction == side)) for side in (SELL, BUY))
        for cheap in sell:
            for dear in buy:
                if markets.price[cheap] <= markets.price[dear]:
                    assert (drawn.price[:, cheap] <= drawn.price[:, dear] + 1e-9).all()
    assert (drawn.price[:, markets.price >= 0] >= -1e-9).all()


def test_prices_of_a_chain_move_together_and_others_do_not(network, drawn):
    def moves(good):
        at = np.flatnonzero(network.markets.commodity == network.commodity_ids.index(good))[0]
        assert level_ranges(network)[at] > 0
        return drawn.price[:, at]

    together = np.corrcoef(moves("coking_coal"), moves("coke"))[0, 1]
    apart = np.corrcoef(moves("coke"), moves("cement"))[0, 1]
    assert together == pytest.approx(1 - OWN_SHARE, abs=0.08)
    assert abs(apart) < 0.15


def test_levels_stay_within_half_of_the_window_on_either_side(network, drawn):
    low, high = (
        network.commodities[name].to_numpy()[network.markets.commodity] for name in ("price_low", "price_high")
    )
    free = np.isnan(network.markets.price_range) & np.isfinite(low) & np.isfinite(high)
    moved = np.abs(drawn.price - network.markets.price)[:, free]
    assert (moved <= (high - low)[free] / 4 + 1e-9).all()
    assert moved.max() > 0


def test_yields_stay_within_the_recipe_and_alike_for_one_technology(network, drawn):
    ports, plants = network.ports, network.plants
    amount = np.abs(drawn.coefficient)
    own = np.abs(ports.coefficient)
    assert (amount >= np.minimum(ports.low, own) - 1e-12).all()
    assert (amount <= np.maximum(ports.high, own) + 1e-12).all()
    assert (np.sign(drawn.coefficient) == np.sign(ports.coefficient)).all()
    main = plants.main[plants.main >= 0]
    assert (drawn.coefficient[:, main] == ports.coefficient[main]).all()
    measured = ports.provenance == 0
    assert (drawn.coefficient[:, measured] == ports.coefficient[measured]).all()


def test_volumes_keep_their_order_and_their_own_range():
    rows = [
        {"commodity": "cement", "sell_price": 300.0, "sell_min": 10.0, "sell_max": 100.0, "volume_range_pct": 50.0,
         "price_range_pct": 20.0},
        {"commodity": "coal", "buy_price": 500.0, "buy_max": 1e4, "volume_range_pct": 0.0, "price_range_pct": 0.0},
    ]  # fmt: skip
    network = compile_network(tiny_plan(markets=rows))
    drawn = draw_prices(network, 300, seed=3)
    at = {network.commodity_ids[good]: row for row, good in enumerate(network.markets.commodity)}
    cement, coal = at["cement"], at["coal"]
    assert (drawn.volume_min <= drawn.volume_max).all()
    assert np.ptp(drawn.volume_max[:, cement]) == pytest.approx(100, abs=10)
    assert np.abs(drawn.volume_max[:, cement] - 100).max() <= 50
    assert np.allclose(drawn.volume_min[:, cement] * 10, drawn.volume_max[:, cement])
    assert (drawn.volume_max[:, coal] == 1e4).all()
    assert (drawn.price[:, coal] == 500.0).all()
    assert np.ptp(drawn.price[:, cement]) == pytest.approx(120, abs=15)
    assert np.abs(drawn.price[:, cement] - 300).max() <= 60
    assert np.isinf(drawn.volume_max[:, at["clinker"]]).all()


def test_nothing_is_drawn_of_nothing(network):
    with pytest.raises(ValueError, match="at least one"):
        draw_prices(network, 0, seed=1)
