"""Base-year flows by rule: what is known to be exchanged, then inside enterprises, then markets, then lawful ways out.

All functions are pure and work on arrays; amounts are shared in proportion, never in the order of rows.
"""

import numpy as np

from cyclopolis.network.model import BUY, INTERNAL, SELL, Arcs, Fates, Floats, Flows, Ints, Network

_ROUNDS = 200


def port_amounts(activity: Floats, plant: Ints, coefficient: Floats) -> Floats:
    """Return the amount at each port (J,), never negative; a plant of unknown activity counts as standing still.

    Examples
    --------
    >>> port_amounts(np.array([10.0]), np.array([0, 0]), np.array([1.0, -0.5])).tolist()
    [10.0, 5.0]
    """
    known = np.where(np.isnan(activity), 0.0, activity)
    return np.abs(coefficient) * known[plant]


def _total(position: Ints, amount: Floats, size: int) -> Floats:
    return np.bincount(position, weights=amount, minlength=size).astype(np.float64)


def _limit(flow: Floats, position: Ints, weight: Floats, room: Floats) -> Floats:
    """Scale flows down in proportion so that those of one position together keep within its room; -1 means no limit."""
    held = position >= 0
    total = _total(position[held], (flow * weight)[held], room.size)
    over = total > room
    factor = np.where(over, room / np.where(over, total, 1.0), 1.0)
    return np.where(held, flow * np.append(factor, 1.0)[position], flow)


def share_out(supply: Floats, need: Floats, room: Floats, arcs: Arcs, mass: Floats, open_arcs: np.ndarray) -> Floats:
    """Share the supply of givers over open arcs in proportion to the takers' needs, as much as both allow.

    Parameters
    ----------
    supply, need : (J,) float
        What each output port still has and each input port still needs.
    room : (G,) float
        Tonnes that each cap group still allows.
    arcs : Arcs
    mass : (A,) float
        Tonnes per unit given (0 where unknown).
    open_arcs : (A,) bool
        Arcs that may carry.

    Returns
    -------
    (A,) float
        Units given. Each round uses up a giver, a taker or a cap of every connected part, so few rounds suffice.
    """
    flow = np.zeros(arcs.giver.size)
    use = np.flatnonzero(open_arcs & (supply[arcs.giver] > 0) & (need[arcs.taker] > 0))
    giver, taker, ratio, group = arcs.giver[use], arcs.taker[use], arcs.ratio[use], arcs.cap_group[use]
    weight, one = mass[use], np.ones(use.size)
    supply, need, room = supply.copy(), need.copy(), room.copy()
    tiny_supply, tiny_need, tiny_room = 1e-12 * supply, 1e-12 * need, 1e-12 * room
    for _ in range(_ROUNDS):
        full = (group >= 0) & (np.append(room, np.inf)[group] <= np.append(tiny_room, 0.0)[group]) & (weight > 0)
        wish = np.where(
            (supply[giver] > tiny_supply[giver]) & (need[taker] > tiny_need[taker]) & ~full, need[taker] / ratio, 0.0
        )
        if not wish.any():
            break
        given = _limit(wish, giver, one, supply)
        given = _limit(given, taker, ratio, need)
        given = _limit(given, group, weight, room)
        flow[use] += given
        supply = np.maximum(supply - _total(giver, given, supply.size), 0.0)
        need = np.maximum(need - _total(taker, given * ratio, need.size), 0.0)
        held = group >= 0
        room = np.maximum(room - _total(group[held], (given * weight)[held], room.size), 0.0)
    return flow


def cap_room(arcs: Arcs, taker_tonnes: Floats) -> Floats:
    """Return the tonnes (G,) that each cap group allows: its share of the taker's main commodity.

    Parameters
    ----------
    arcs : Arcs
    taker_tonnes : (A,) float
        Tonnes per year of the main commodity of each arc's taker.
    """
    room = np.zeros(arcs.cap_share.size)
    held = arcs.cap_group >= 0
    room[arcs.cap_group[held]] = taker_tonnes[held]
    return room * arcs.cap_share


def base_arc_flows(amount: Floats, arcs: Arcs, output: np.ndarray, mass: Floats, taker_tonnes: Floats) -> Floats:
    """Return the base-year flow along each arc (A,).

    First the exchanges of known amount, kept within what giver and taker have; then those "as much as both allow"; then
    what enterprises use themselves in one place.

    Parameters
    ----------
    amount : (J,) float
        Amount at each port.
    arcs : Arcs
    output : (J,) bool
        Output ports.
    mass : (A,) float
        Tonnes per unit given (0: unknown).
    taker_tonnes : (A,) float
        Tonnes per year of the main commodity of each arc's taker (0: unknown).
    """
    size = amount.size
    supply, need = np.where(output, amount, 0.0), np.where(output, 0.0, amount)
    known = np.isfinite(arcs.exchange)
    flow = np.where(known, arcs.exchange, 0.0)
    flow = _limit(flow, arcs.giver, np.ones(flow.size), supply)
    flow = _limit(flow, arcs.taker, arcs.ratio, need)
    room = cap_room(arcs, taker_tonnes)
    for wave in (np.isinf(arcs.exchange), np.isnan(arcs.exchange) & (arcs.kind == INTERNAL)):
        held = arcs.cap_group >= 0
        used = _total(arcs.cap_group[held], (flow * mass)[held], room.size)
        left = np.maximum(supply - _total(arcs.giver, flow, size), 0.0)
        wanted = np.maximum(need - _total(arcs.taker, flow * arcs.ratio, size), 0.0)
        flow = flow + share_out(left, wanted, np.maximum(room - used, 0.0), arcs, mass, wave)
    return flow


def trade_by_rank(left: Floats, port: Ints, market: Ints, merit: Floats, room: Floats) -> Floats:
    """Return the amount (T,) of each trade: ports turn to their best market first, which shares its room in proportion.

    Parameters
    ----------
    left : (J,) float
        What each port still has to trade.
    port, market : (T,) int
    merit : (T,) float
        Higher is better (the price for a seller, minus the price for a buyer); equal ones go by market.
    room : (M,) float
        Volume that each market takes (infinite: no limit).
    """
    order = np.lexsort((market, -np.where(np.isnan(merit), -np.inf, merit), port))
    sorted_port = port[order]
    rank = np.arange(order.size) - np.searchsorted(sorted_port, sorted_port)
    trade, left, room = np.zeros(port.size), left.copy(), room.copy()
    for step in range(int(rank.max(initial=-1)) + 1):
        chosen = order[rank == step]
        amount = _limit(left[port[chosen]], market[chosen], np.ones(chosen.size), room)
        trade[chosen] = amount
        left = np.maximum(left - _total(port[chosen], amount, left.size), 0.0)
        room = np.maximum(room - _total(market[chosen], amount, room.size), 0.0)
    return trade


def leave_by_fate(left: Floats, fates: Fates) -> Floats:
    """Return the amount (D,) of each fate: all that is left goes the cheapest way (unknown costs last)."""
    cost = np.where(np.isnan(fates.cost), np.inf, fates.cost)
    order = np.lexsort((fates.fate, cost, fates.port))
    sorted_port = fates.port[order]
    first = order[np.arange(order.size) == np.searchsorted(sorted_port, sorted_port)]
    flow = np.zeros(fates.port.size)
    flow[first] = left[fates.port[first]]
    return flow


def arc_masses(network: Network) -> tuple[Floats, Floats]:
    """Return (tonnes per unit given, tonnes per year of the taker's main commodity) of each arc; 0 where unknown."""
    ports, plants, arcs = network.ports, network.plants, network.arcs
    mass = np.nan_to_num(network.t_per_unit)
    made = np.nan_to_num(plants.activity) * mass[ports.commodity[plants.main]]
    return mass[ports.commodity[arcs.giver]], made[ports.plant[arcs.taker]]


def left_at_ports(network: Network, flows: Flows) -> Floats:
    """Return what no flow explains at each port (J,): amount minus arcs, trades, fates, stock; 0 at natural ports.

    In a balanced state this is 0; in the base year it is what has nowhere to go or comes from nobody knows where.
    """
    ports, arcs = network.ports, network.arcs
    size = ports.plant.size
    left = port_amounts(flows.activity, ports.plant, ports.coefficient)
    left = left - _total(arcs.giver, flows.arc, size) - _total(arcs.taker, flows.arc * arcs.ratio, size)
    left = left - _total(network.trades.port, flows.trade, size) - _total(network.fates.port, flows.fate, size)
    if flows.stock is not None:
        left = left - np.where(ports.coefficient > 0, flows.stock, -flows.stock)
    if flows.shift is not None:
        left = left + flows.shift
    return np.where(ports.natural, 0.0, left)


def base_flows(network: Network, stock: Floats | None = None) -> Flows:
    """Return the base-year state by rule.

    Known exchanges, then use within an enterprise at one place, then purchases at the cheapest open market with room
    and sales at the best one, then the lawful way out; `left_at_ports` gives what remains. Plants of unknown
    activity stand still.

    Parameters
    ----------
    network : Network
    stock : (J,) float, optional
        What goes into store at each port, negative out of it: at an output it is not delivered, at an input it is taken
        in and not used.
    """
    ports, markets, trades = network.ports, network.markets, network.trades
    activity = np.nan_to_num(network.plants.activity)
    amount = port_amounts(activity, ports.plant, ports.coefficient)
    if stock is not None:
        amount = np.maximum(amount - np.where(ports.coefficient > 0, stock, -stock), 0.0)
    mass, made = arc_masses(network)
    arc = base_arc_flows(amount, network.arcs, ports.coefficient > 0, mass, made)
    none = np.zeros(len(network.plant_ids))
    state = Flows(activity, arc, np.zeros(trades.port.size), np.zeros(network.fates.port.size), none, none, stock)
    left = np.maximum(left_at_ports(network, state), 0.0)
    left = np.where(left <= 1e-9 * amount, 0.0, left)
    trade = np.zeros(trades.port.size)
    for direction, sign in ((BUY, -1.0), (SELL, 1.0)):
        use = np.flatnonzero(markets.direction[trades.market] == direction)
        market = trades.market[use]
        trade[use] = trade_by_rank(left, trades.port[use], market, sign * markets.price[market], markets.volume_max)
    left = np.maximum(left - _total(trades.port, trade, left.size), 0.0)
    left = np.where(left <= 1e-9 * amount, 0.0, left)
    return Flows(activity, arc, trade, leave_by_fate(left, network.fates), none, none, stock)
