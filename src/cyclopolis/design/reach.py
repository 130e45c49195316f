"""How much each plant can run at most, given what its ports can take and give: tight sizes make a tight relaxation.

A new plant larger than it can ever run only costs more, so its size may be cut to what it can use; the fixed part of
its capital then weighs as it should when a solver relaxes whole numbers. The bounds follow from balances alone.
"""

import numpy as np

from cyclopolis.design.flexible import recipe_room
from cyclopolis.network.model import EXISTING, Floats, Ints, Network

ROUNDS = 30
"""Rounds after which the search for bounds ends; they are valid after any."""


def activity_reach(network: Network, most: Floats, flexible: Ints | None = None, stored: Ints | None = None) -> Floats:
    """Return the most that each plant can run (P,) by balances, starting from its capacity.

    An input can take what all givers along its arcs can give and what its markets sell; an output can give what all
    takers can take and what its markets buy, or anything where it has a lawful way out.

    Parameters
    ----------
    network : Network
        Of one year.
    most : ndarray
        Capacities (P,), main units per year.
    flexible : ndarray of int, optional
        Ports whose amount may move within the recipe's range.
    stored : ndarray of int, optional
        Ports with a store, which can give and take in one year what another year has.
    """
    ports, arcs, trades, markets = network.ports, network.arcs, network.trades, network.markets
    size = ports.plant.size
    amount = np.abs(ports.coefficient)
    largest, least = amount.copy(), amount.copy()
    if flexible is not None:
        more, less = recipe_room(network, flexible)
        largest[flexible] += more
        least[flexible] -= less
    market = np.zeros(size)
    with np.errstate(invalid="ignore"):
        np.add.at(market, trades.port, markets.volume_max[trades.market])
    market[network.fates.port] = np.inf
    market[ports.natural | (amount <= 0)] = np.inf
    if stored is not None:
        market[stored] = np.inf
    reach = most.copy()
    for _ in range(ROUNDS):
        port = largest * reach[ports.plant]
        room = market.copy()
        np.add.at(room, arcs.taker, arcs.ratio * port[arcs.giver])
        np.add.at(room, arcs.giver, port[arcs.taker] / arcs.ratio)
        with np.errstate(divide="ignore", invalid="ignore"):
            run = np.where(np.isfinite(room) & (least > 0), room / np.where(least > 0, least, 1.0), np.inf)
        tighter = reach.copy()
        np.minimum.at(tighter, ports.plant, run)
        if (tighter >= reach * (1 - 1e-9)).all():
            break
        reach = tighter
    return np.asarray(np.where(network.plants.status == EXISTING, most, reach), dtype=np.float64)
