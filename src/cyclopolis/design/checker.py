"""An independent look at a design: balances, capacities, volumes, caps, rules and money, added up one by one.

Nothing of the model is used here: no linear form, no matrix, only the network's prices and amounts, added up one by
one. Slow and plain on purpose; a design of a few thousand flows is checked in well under a second.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from cyclopolis.network.model import BUY, EXISTING, Floats, Flows, Network

ROUNDING = 1e-6
"""Largest deviation that counts as rounding, as a share of the amounts added up (and as an amount near nought)."""


@dataclass(frozen=True)
class Violation:
    """Something that does not hold: what kind, where (names), the amount found and the amount allowed."""

    kind: str
    where: tuple[str, ...]
    found: float
    allowed: float


def _beyond(found: float, allowed: float, size: float) -> bool:
    return found > allowed + ROUNDING * max(size, 1.0)


def check_state(
    network: Network,
    base_activity: Floats,
    flows: Flows,
    loose: Floats | None = None,
    loose_max: Floats | None = None,
) -> tuple[Violation, ...]:
    """Return everything that does not hold in a state of a network.

    Parameters
    ----------
    network : Network
        What the state is a state of.
    base_activity : ndarray
        Activity in the base year (P,); existing plants that may not close run at least at it.
    flows : Flows
        The state.
    loose, loose_max : ndarray, optional
        What stays unplaced or unmet at each port (J,), and how much may.

    Returns
    -------
    tuple of Violation
        Empty when all holds.
    """
    size = network.ports.plant.size
    nothing = np.zeros(size)
    loose = nothing if loose is None else loose
    loose_max = nothing if loose_max is None else loose_max
    return (
        *_signs(network, flows),
        *_balances(network, flows, loose, loose_max),
        *_moved(network, flows),
        *_capacities(network, base_activity, flows),
        *_volumes(network, flows),
        *_caps(network, flows),
        *_exclusions(network, flows),
    )


def _signs(network: Network, flows: Flows) -> list[Violation]:
    del network
    parts = ("activity", "arc", "trade", "fate", "built", "capacity")
    found = []
    for part in parts:
        for at, value in enumerate(getattr(flows, part).tolist()):
            if not value >= 0:
                found.append(Violation("negative", (part, str(at)), value, 0.0))
    return found


def _balances(network: Network, flows: Flows, loose: Floats, loose_max: Floats) -> list[Violation]:
    """Add up what enters and leaves each port and compare it with the recipe."""
    moved: dict[int, float] = defaultdict(float)
    for giver, taker, ratio, amount in zip(
        network.arcs.giver, network.arcs.taker, network.arcs.ratio, flows.arc, strict=True
    ):
        moved[int(giver)] += float(amount)
        moved[int(taker)] += float(ratio) * float(amount)
    for port, amount in zip(network.trades.port, flows.trade, strict=True):
        moved[int(port)] += float(amount)
    for port, amount in zip(network.fates.port, flows.fate, strict=True):
        moved[int(port)] += float(amount)
    found = []
    ports = network.ports
    for port in range(ports.plant.size):
        name = (network.plant_ids[ports.plant[port]], network.commodity_ids[ports.commodity[port]])
        if _beyond(float(loose[port]), float(loose_max[port]), float(loose_max[port])):
            found.append(Violation("loose", name, float(loose[port]), float(loose_max[port])))
        if ports.natural[port]:
            continue
        recipe = abs(float(ports.coefficient[port])) * float(flows.activity[ports.plant[port]])
        recipe += 0.0 if flows.shift is None else float(flows.shift[port])
        stored = 0.0 if flows.stock is None else float(flows.stock[port])
        total = moved[port] + float(loose[port]) + (stored if ports.coefficient[port] > 0 else -stored)
        if abs(total - recipe) > ROUNDING * max(total, recipe, 1.0):
            found.append(Violation("balance", name, total, recipe))
    return found


def _moved(network: Network, flows: Flows) -> list[Violation]:
    """Compare what moves at a port with the recipe's range, and add up by mass what moves at each plant."""
    if flows.shift is None:
        return []
    ports, found = network.ports, []
    gained: dict[int, float] = defaultdict(float)
    size: dict[int, float] = defaultdict(float)
    for port in np.flatnonzero(flows.shift).tolist():
        plant, shift = int(ports.plant[port]), float(flows.shift[port])
        activity, usual = float(flows.activity[plant]), abs(float(ports.coefficient[port]))
        name = (network.plant_ids[plant], network.commodity_ids[ports.commodity[port]])
        most, least = max(float(ports.high[port]), usual) * activity, min(float(ports.low[port]), usual) * activity
        amount = usual * activity + shift
        if _beyond(amount, most, most) or _beyond(least, amount, most):
            found.append(Violation("range", name, amount, most if amount > most else least))
        tonnes = shift * float(network.t_per_unit[ports.commodity[port]])
        gained[plant] += tonnes if ports.coefficient[port] > 0 else -tonnes
        size[plant] += abs(tonnes)
    for plant, tonnes in gained.items():
        if not abs(tonnes) <= ROUNDING * max(size[plant], 1.0):
            found.append(Violation("mass", (network.plant_ids[plant],), tonnes, 0.0))
    return found


def _capacities(network: Network, base_activity: Floats, flows: Flows) -> list[Violation]:
    plants, found = network.plants, []
    for at, name in enumerate(network.plant_ids):
        activity, built, new = float(flows.activity[at]), float(flows.built[at]), float(flows.capacity[at])
        capacity = 0.0 if np.isnan(plants.capacity[at]) else float(plants.capacity[at])
        if plants.status[at] == EXISTING:
            gone = plants.retire_year[at] <= network.year
            base = 0.0 if gone else float(base_activity[at])
            most = 0.0 if gone else max(capacity, base)
            if _beyond(activity, most, most):
                found.append(Violation("capacity", (name,), activity, most))
            if not plants.may_close[at] and _beyond(base, activity, base):
                found.append(Violation("base activity", (name,), activity, base))
            continue
        units = float(plants.units[at])
        unit = capacity / units
        least = min(float(np.nan_to_num(plants.capacity_min[at])) / units, unit) * built
        if built != round(built) or not 0.0 <= built <= units:
            found.append(Violation("whole", (name,), built, min(max(round(built), 0.0), units)))
        if _beyond(activity, new, capacity):
            found.append(Violation("capacity", (name,), activity, new))
        if _beyond(new, unit * built, capacity):
            found.append(Violation("size", (name,), new, unit * built))
        if _beyond(float(plants.min_load[at]) * new, activity, capacity):
            found.append(Violation("load", (name,), activity, float(plants.min_load[at]) * new))
        if _beyond(least, new, capacity):
            found.append(Violation("size", (name,), new, least))
    return found


def _volumes(network: Network, flows: Flows) -> list[Violation]:
    markets = network.markets
    total: dict[int, float] = defaultdict(float)
    for market, amount in zip(network.trades.market, flows.trade, strict=True):
        total[int(market)] += float(amount)
    found = []
    for at in range(markets.price.size):
        name = (network.commodity_ids[markets.commodity[at]],)
        most, least = float(markets.volume_max[at]), float(markets.volume_min[at])
        if _beyond(total[at], most, total[at]):
            found.append(Violation("market", name, total[at], most))
        if _beyond(least, total[at], least):
            found.append(Violation("market", name, total[at], least))
    return found


def _caps(network: Network, flows: Flows) -> list[Violation]:
    """Compare the tonnes that each group brings with its share of the taker's main commodity."""
    arcs, ports = network.arcs, network.ports
    brought: dict[int, float] = defaultdict(float)
    allowed: dict[int, float] = {}
    for at in np.flatnonzero(arcs.cap_group >= 0):
        group, taker = int(arcs.cap_group[at]), int(ports.plant[arcs.taker[at]])
        main = ports.commodity[network.plants.main[taker]]
        made = float(flows.activity[taker]) * float(network.t_per_unit[main])
        mass = float(network.t_per_unit[ports.commodity[arcs.giver[at]]])
        if np.isfinite(mass) and np.isfinite(made):
            brought[group] += mass * float(flows.arc[at])
            allowed[group] = float(arcs.cap_share[group]) * made
    return [
        Violation("cap", (str(group),), total, allowed[group])
        for group, total in brought.items()
        if _beyond(total, allowed[group], max(total, allowed[group]))
    ]


def _exclusions(network: Network, flows: Flows) -> list[Violation]:
    found = []
    for group in network.exclusions:
        built = [network.plant_ids[plant] for plant in group if flows.built[plant] > 0.5]
        if len(built) > 1:
            found.append(Violation("exclusion", tuple(built), float(len(built)), 1.0))
    return found


def yearly_money(network: Network, flows: Flows) -> float:
    """Return sales less purchases, disposal, transport and operation, CNY per year, from prices one by one.

    Unknown prices and costs count as nought, as everywhere.
    """
    markets, money = network.markets, 0.0
    for market, amount in zip(network.trades.market, flows.trade, strict=True):
        price = float(np.nan_to_num(markets.price[market]))
        money += (-price if markets.direction[market] == BUY else price) * float(amount)
    for cost, amount in zip(network.fates.cost, flows.fate, strict=True):
        money -= float(np.nan_to_num(cost)) * float(amount)
    for cost, amount in zip(network.arcs.cost, flows.arc, strict=True):
        money -= float(np.nan_to_num(cost)) * float(amount)
    for cost, amount in zip(network.plants.opex, flows.activity, strict=True):
        money -= float(np.nan_to_num(cost)) * float(amount)
    return money


def yearly_subsidies(network: Network, flows: Flows) -> float:
    """Return what is paid per unit made, CNY per year, plant by plant."""
    if network.subsidies is None:
        return 0.0
    rates = network.subsidies.per_unit
    return sum(float(rate) * float(amount) for rate, amount in zip(rates, flows.activity, strict=True))


def _depreciation(network: Network, flows: Flows) -> float:
    """Return the straight-line depreciation of what is built, CNY per year, as far as no subsidy paid for it."""
    plants, worn = network.plants, 0.0
    for plant in np.flatnonzero(flows.built > 0).tolist():
        capital = float(plants.capex_fixed[plant]) * float(flows.built[plant]) / float(plants.units[plant])
        capital += float(plants.capex_slope[plant]) * float(flows.capacity[plant])
        if network.subsidies is not None:
            capital -= float(network.subsidies.share[plant]) * capital
            capital -= float(network.subsidies.per_built[plant]) * float(flows.built[plant])
        worn += 1e6 * capital / float(plants.lifetime[plant])
    return worn


def yearly_taxes(network: Network, flows: Flows, worn: float | None = None) -> float:
    """Return the taxes that count as a cost, CNY per year, from emissions, prices and capital one by one.

    Pollutants are charged by the rate of the site where the law taxes them; a tax on value added on sales less
    purchases; a tax on profit on what is left, subsidies per unit
    included, after the other taxes and the depreciation ``worn`` (CNY per year; when not given, straight-line of what
    is built at its plant's own capital).
    """
    factors, plants, ports = network.factors, network.plants, network.ports
    if factors is None:
        return 0.0
    charged = 0.0
    for port in range(ports.plant.size):
        plant, good = int(ports.plant[port]), int(ports.commodity[port])
        medium, amount = int(factors.medium[good]), float(ports.coefficient[port]) * float(flows.activity[plant])
        if medium in {0, 1} and amount > 0 and factors.taxed[plants.technology[plant], good]:
            rate = float(factors.pollution_rate[plants.site[plant], medium]) * float(factors.equivalents[good])
            charged += float(np.nan_to_num(rate)) * amount
    added = 0.0
    for market, amount in zip(network.trades.market, flows.trade, strict=True):
        price = float(np.nan_to_num(network.markets.price[market]))
        added += (-price if network.markets.direction[market] == BUY else price) * float(amount)
    worn = _depreciation(network, flows) if worn is None else worn
    basis = {"environment_tax": charged, "value_added": added}
    early = sum(tax.rate * basis[tax.basis] for tax in factors.taxes if tax.cost and tax.basis in basis)
    profit = yearly_money(network, flows) + yearly_subsidies(network, flows) - worn - early
    return float(early + sum(tax.rate * profit for tax in factors.taxes if tax.cost and tax.basis == "profit"))
