"""Ports at which a plant may move within its recipe's usual range, where the user allows it."""

import numpy as np

from cyclopolis.network.model import ROLES, Bools, Floats, Ints, Network
from cyclopolis.network.quantities import solid_waste_ports

_MOVING = tuple(ROLES.index(role) for role in ("feedstock", "byproduct", "waste"))


def flexible_ports(network: Network, allowed: Bools) -> Ints:
    """Return the ports whose amount may move, of the plants that are allowed to (P,).

    Feedstocks, by-products and liquid or gaseous wastes of known mass, with a range in the recipe. Main products,
    utilities, emissions and whatever else an account counts by the recipe (solid waste, taxed pollutants, nature's
    gifts) stay. A plant with one such port alone has nothing to set against it: it stays too.
    """
    ports = network.ports
    more, less = recipe_room(network, np.arange(ports.plant.size))
    moving = (
        allowed[ports.plant]
        & np.isin(ports.role, _MOVING)
        & ~ports.natural
        & ~_counted(network)
        & (network.t_per_unit[ports.commodity] > 0)
        & (more + less > 0)
    )
    moving[network.plants.main[network.plants.main >= 0]] = False
    several = np.bincount(ports.plant[moving], minlength=len(network.plant_ids)) > 1
    return np.flatnonzero(moving & several[ports.plant])


def _counted(network: Network) -> Bools:
    """Return the ports that accounts count by recipe and activity (J,): emissions, solid waste, taxed pollutants."""
    ports, factors = network.ports, network.factors
    emission = (network.commodities["kind"] == "emission").to_numpy()[ports.commodity]
    taxed = np.zeros(ports.plant.size, dtype=np.bool_)
    if factors is not None:
        taxed = np.isin(factors.medium, (0, 1))[ports.commodity] & (ports.coefficient > 0)
    return np.asarray(emission | taxed | solid_waste_ports(network), dtype=np.bool_)


def recipe_room(network: Network, ports: Ints) -> tuple[Floats, Floats]:
    """Return how much more and how much less than its coefficient each port may have, per main unit.

    A measured amount outside the recipe's range keeps the room that lies beyond it on the recipe's side.
    """
    table = network.ports
    amount = np.abs(table.coefficient[ports])
    return np.maximum(table.high[ports] - amount, 0.0), np.maximum(amount - table.low[ports], 0.0)
