"""Draws of prices, yields and demand: prices move together along chains and keep what lies between seller and buyer.

A library price is a window of the years 2021 to 2025: what a seller got at worst and a buyer paid at most. Two things
are in it, the spread between the two sides and the movement of the level; half of it is taken for each (assumed). A
draw shifts all prices of a commodity by one amount, so that the spread stays exactly what the network has; how far is
told by one factor of its group of chains and a small part of its own.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from cyclopolis.network.factors import Factors
from cyclopolis.network.model import PROVENANCE, Floats, Ints, Network
from cyclopolis.network.places import floats

LEVEL_SHARE = 0.5
"""Part of a library window that is movement of the level; the rest is spread (assumed)."""
OWN_SHARE = 0.2
"""Part of the variance of a price that is its own, not its chain's (assumed)."""
VOLUME_RANGE = 0.1
"""Half width of a market's volume, as a share, where the plan gives none (assumed)."""
_MEASURED = PROVENANCE.index("measured")


@dataclass(frozen=True)
class PriceDraws:
    """Draws (D) over a network's markets (M) and ports (J).

    ``price`` is CNY per unit (NaN where the network has none); ``coefficient`` the signed amount per main unit;
    ``volume_min`` and ``volume_max`` in units per year. ``chain_factor`` (D, G) holds the standard normal factor of
    each group in ``groups``; ``seed`` makes the same draws again.
    """

    price: Floats
    coefficient: Floats
    volume_min: Floats
    volume_max: Floats
    groups: tuple[str, ...]
    chain_factor: Floats
    seed: int


def uniform_within(normal: Floats) -> Floats:
    """Return standard normal numbers as uniform ones between -1 and 1, by their distribution function.

    Examples
    --------
    >>> uniform_within(np.array([0.0])).tolist()
    [0.0]
    """
    return np.asarray(2 * ndtr(normal) - 1, dtype=np.float64)


def level_ranges(network: Network) -> Floats:
    """Return how far the price of each market may move up and down (M,), CNY per unit.

    The plan's range as a share of the price where it gives one, else half of `LEVEL_SHARE` of the library's window of
    the commodity; 0 where neither is known.
    """
    markets, goods = network.markets, network.commodities
    window = floats(goods["price_high"]) - floats(goods["price_low"])
    usual = np.nan_to_num(np.maximum(window, 0.0) * LEVEL_SHARE / 2)[markets.commodity]
    own = np.full(usual.size, np.nan) if markets.price_range is None else markets.price_range
    return np.where(np.isnan(own), usual, np.nan_to_num(own * np.abs(markets.price)))


def draw_prices(network: Network, draws: int, seed: int) -> PriceDraws:
    """Draw prices, yields and volumes.

    Parameters
    ----------
    network : Network
        Compiled from a plan.
    draws : int
        How many, at least 1.
    seed : int
        The same seed gives the same draws.

    Returns
    -------
    PriceDraws
        With z = sqrt(1 - OWN_SHARE) F(group) + sqrt(OWN_SHARE) e(commodity), F and e standard normal, and
        u = 2 Phi(z) - 1 uniform in [-1, 1], each price is its own plus u times its range, the same u for all
        markets of a commodity. Where the plan gives unlike ranges to both sides of a commodity, the narrower holds for
        both, so that no seller gets more than a buyer pays. A buyer's price of 0 or more does not fall below 0, nor a
        seller's.

        A yield lies between the recipe's low and high end: the coefficient plus u times the way to the end on that
        side, one u per technology and commodity; main commodities and measured ports stay. Volumes of a market are
        multiplied by 1 + u times its range, both ends alike.

    Raises
    ------
    ValueError
        If there is less than one draw or the network comes from no plan.
    """
    if draws < 1:
        raise ValueError("at least one draw is needed")
    if network.factors is None:
        raise ValueError("the network has no factors: compile it from a plan")
    rng = np.random.default_rng(seed)
    groups, member = _members(network.factors)
    chain = rng.standard_normal((draws, len(groups)))
    own = rng.standard_normal((draws, len(network.commodity_ids)))
    share = np.where(member < 0, 1.0, OWN_SHARE)
    common = np.concatenate((chain, np.zeros((draws, 1))), axis=1)[:, member]
    move = uniform_within(np.sqrt(1 - share) * common + np.sqrt(share) * own)
    low, high = _volumes(network, rng, draws)
    return PriceDraws(
        price=_prices(network, move),
        coefficient=_yields(network, rng, draws),
        volume_min=low,
        volume_max=high,
        groups=groups,
        chain_factor=chain,
        seed=seed,
    )


def _members(factors: Factors) -> tuple[tuple[str, ...], Ints]:
    """Return the groups that the network's commodities belong to, and the group of each commodity (-1: none)."""
    groups = tuple(sorted(set(factors.price_group) - {""}))
    at = {group: position for position, group in enumerate(groups)}
    return groups, np.array([at.get(group, -1) for group in factors.price_group], dtype=np.int64)


def _prices(network: Network, move: Floats) -> Floats:
    """Return the price of each draw and market (D, M), one shift for all markets of a commodity."""
    markets = network.markets
    reach = np.full(len(network.commodity_ids), np.inf)
    np.minimum.at(reach, markets.commodity, level_ranges(network))
    shift = move[:, markets.commodity] * reach[markets.commodity]
    # the lowest price that is 0 or more may fall to 0, and all of its commodity's with it
    floor = np.full(reach.size, np.inf)
    np.fmin.at(floor, markets.commodity, np.where(markets.price >= 0, markets.price, np.inf))
    shift = np.maximum(shift, -np.where(np.isfinite(floor), floor, np.inf)[markets.commodity])
    return np.asarray(markets.price + shift, dtype=np.float64)


def _yields(network: Network, rng: np.random.Generator, draws: int) -> Floats:
    """Return the coefficient of each draw and port (D, J)."""
    ports, plants = network.ports, network.plants
    width = len(network.commodity_ids)
    key = plants.technology[ports.plant] * width + ports.commodity
    kinds, at = np.unique(key, return_inverse=True)
    turn = rng.uniform(-1.0, 1.0, (draws, kinds.size))[:, at]
    amount = np.abs(ports.coefficient)
    fixed = (ports.provenance == _MEASURED) | (plants.main[ports.plant] == np.arange(ports.plant.size))
    down = np.where(fixed, 0.0, np.maximum(amount - ports.low, 0.0))
    up = np.where(fixed, 0.0, np.maximum(ports.high - amount, 0.0))
    drawn = amount + np.where(turn < 0, turn * down, turn * up)
    return np.asarray(np.sign(ports.coefficient) * drawn, dtype=np.float64)


def _volumes(network: Network, rng: np.random.Generator, draws: int) -> tuple[Floats, Floats]:
    """Return the least and most volume of each draw and market (D, M)."""
    markets = network.markets
    own = np.full(markets.price.size, np.nan) if markets.volume_range is None else markets.volume_range
    reach = np.where(np.isnan(own), VOLUME_RANGE, own)
    factor = 1 + rng.uniform(-1.0, 1.0, (draws, reach.size)) * reach
    return factor * markets.volume_min, factor * markets.volume_max
