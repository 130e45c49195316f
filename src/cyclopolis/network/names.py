"""From positions back to names, and from names to positions: so that results speak the plan's words."""

import numpy as np
import polars as pl

from cyclopolis.network.model import Ints, Network


def find_port(network: Network, plant: str, commodity: str, *, output: bool) -> int:
    """Return the port of a plant and commodity in one direction, -1 when there is none."""
    if plant not in network.plant_ids or commodity not in network.commodity_ids:
        return -1
    ports = network.ports
    right = (ports.plant == network.plant_ids.index(plant)) & (
        ports.commodity == network.commodity_ids.index(commodity)
    )
    found = np.flatnonzero(right & ((ports.coefficient > 0) == output))
    return int(found[0]) if found.size else -1


def find_arcs(
    network: Network, from_plant: str, to_plant: str, commodity: str, as_commodity: str | None = None
) -> Ints:
    """Return the arcs along which a plant may give a commodity to another, in order.

    Parameters
    ----------
    network : Network
    from_plant, to_plant, commodity : str
        Identifiers.
    as_commodity : str, optional
        What it takes the place of; every possibility when not given.
    """
    giver = find_port(network, from_plant, commodity, output=True)
    if giver < 0 or to_plant not in network.plant_ids:
        return np.zeros(0, dtype=np.int64)
    arcs, ports = network.arcs, network.ports
    right = (arcs.giver == giver) & (ports.plant[arcs.taker] == network.plant_ids.index(to_plant))
    if as_commodity is not None:
        wanted = find_port(network, to_plant, as_commodity, output=False)
        right &= arcs.taker == wanted
    return np.flatnonzero(right)


def pick(ids: tuple[str, ...], position: Ints) -> pl.Series:
    """Return names by position, null for -1.

    Examples
    --------
    >>> pick(("a", "b"), np.array([1, -1])).to_list()
    ['b', None]
    """
    names = pl.Series([*ids, None], dtype=pl.String)
    return names.gather(np.where(position < 0, len(ids), position))
