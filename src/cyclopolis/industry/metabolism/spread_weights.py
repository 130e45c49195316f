"""How every account moves with what goes in and out of the plants: accounts as linear forms of port amounts.

A change at a port is bought, sold or disposed of where the last unit of the base year was (its *outlet*); flows between
plants are held. The weights come from the same forms as the accounts themselves.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from cyclopolis.industry.metabolism.accounts import plant_values, units
from cyclopolis.network import Flows, Network, left_at_ports, quantities
from cyclopolis.network.model import BUY, SELL, Floats, Ints, Plants


@dataclass(frozen=True)
class Weights:
    """Derivatives of Q quantities, in the quantities' units.

    ``names`` (Q,); ``port`` (Q, J) per unit of a port's amount, however it gets there or away; ``outlet`` (Q, J) per
    unit that is bought, sold or disposed of; ``plant`` (Q, P) per main unit of activity, besides what its ports do;
    ``arc`` (Q, A) per unit given.
    """

    names: tuple[str, ...]
    port: Floats
    outlet: Floats
    plant: Floats
    arc: Floats


def last_outlet(
    amount: Floats, price: Floats, flow: Floats, port: Ints, size: int, *, dear_last: bool
) -> tuple[Ints, Floats]:
    """Return for each port the trade that took the last unit (-1: none), else the first that would, and its flow.

    Parameters
    ----------
    amount : (J,) array
        Amount at each port: a flow of less than 1e-9 of it is none.
    price, flow : (T,) arrays
        Price and flow of each trade.
    port : (T,) array
        Port of each trade.
    size : int
        Number of ports.
    dear_last : bool
        Whether trades are used from cheap to dear (purchases) or from dear to cheap (sales).

    Examples
    --------
    Two prices used: the dearer purchase is the last one.

    >>> trade, used = last_outlet(np.array([9.0]), np.array([1.0, 2.0]), np.array([5.0, 4.0]), np.array([0, 0]), 1,
    ...                           dear_last=True)
    >>> trade.tolist(), used.tolist()
    ([1], [4.0])
    """
    used = flow > 1e-9 * amount[port]
    rank = np.nan_to_num(price if dear_last else -price, nan=np.inf)
    best = np.full(size, -1)
    order = np.lexsort((np.arange(port.size), np.where(used, rank, -rank), used, port))
    best[port[order]] = order
    taken = np.where(best >= 0, np.append(np.where(used, flow, 0.0), 0.0)[best], 0.0)
    return best, taken


def outlet_weights(network: Network, flows: Flows, trade: Floats, fate: Floats) -> Floats:
    """Return the weight (Q, J) of one more unit bought, sold or disposed of at each port.

    Parameters
    ----------
    network : Network
    flows : Flows
    trade, fate : (Q, T), (Q, D) arrays
        Forms of the quantities.
    """
    ports, markets, trades, fates = network.ports, network.markets, network.trades, network.fates
    size = ports.plant.size
    amount = np.abs(ports.coefficient) * flows.activity[ports.plant]
    lost = left_at_ports(network, flows) > 1e-9 * amount
    weights = np.zeros((trade.shape[0], size))
    for direction, dear_last in ((BUY, True), (SELL, False)):
        use = np.flatnonzero(markets.direction[trades.market] == direction)
        best, taken = last_outlet(
            amount, markets.price[trades.market[use]], flows.trade[use], trades.port[use], size, dear_last=dear_last
        )
        way = np.full(size, -1)
        leaves = np.full(size, False)
        if direction == SELL:
            way[fates.port] = np.arange(fates.port.size)
            way_used = np.append(flows.fate, 0.0)[way] > 1e-9 * amount
            leaves = way_used | ((way >= 0) & (taken == 0))
        here = np.flatnonzero((best >= 0) & ~leaves & ~lost)
        weights[:, here] = trade[:, use[best[here]]]
        gone = np.flatnonzero(leaves & ~lost)
        weights[:, gone] = fate[:, way[gone]]
    return np.where(ports.natural, 0.0, weights)


def account_weights(network: Network, flows: Flows) -> Weights:
    """Return the derivatives of all accounts around a state.

    Parameters
    ----------
    network : Network
    flows : Flows
    """
    ports = network.ports
    forms = quantities(network)
    names = tuple(units())

    def stack(part: str) -> Floats:
        found = {name: getattr(form, part) for name, form in forms.items()}
        width = next(iter(found.values())).size
        return np.stack([found.get(name, np.zeros(width)) for name in names])

    still = _alone(replace(network, ports=replace(ports, coefficient=np.zeros(ports.plant.size))))
    own = _per_port(network)
    outlet = outlet_weights(network, flows, stack("trade"), stack("fate"))
    return Weights(
        names,
        np.stack([own[name] for name in names]),
        outlet,
        np.stack([still[name] for name in names]),
        stack("arc"),
    )


def _alone(network: Network) -> dict[str, Floats]:
    """Return each quantity of every plant that runs at one main unit and neither trades nor exchanges (P,)."""
    parts = {
        "activity": np.ones(len(network.plant_ids)),
        "arc": np.zeros(network.arcs.giver.size),
        "trade": np.zeros(network.trades.port.size),
        "fate": np.zeros(network.fates.port.size),
    }
    none = np.zeros(len(network.plant_ids))
    return {
        name: amount for name, (amount, _) in plant_values(network, Flows(**parts, built=none, capacity=none)).items()
    }


def _per_port(network: Network) -> dict[str, Floats]:
    """Return what one unit at each port adds to each quantity by itself (J,): every port seen as a plant of its own."""
    ports = network.ports
    size = ports.plant.size
    spread_out = Plants(**{entry.name: getattr(network.plants, entry.name)[ports.plant] for entry in fields(Plants)})
    apart = replace(
        network,
        plant_ids=tuple(str(index) for index in range(size)),
        plants=spread_out,
        ports=replace(ports, plant=np.arange(size), coefficient=np.sign(ports.coefficient)),
    )
    none = replace(apart, ports=replace(apart.ports, coefficient=np.zeros(size)))
    with_ports, without = _alone(apart), _alone(none)
    return {name: with_ports[name] - without[name] for name in with_ports}
