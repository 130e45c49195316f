"""Which candidates can matter: the maximal structure of the plan's superstructure, and a network without the rest.

In P-graph words: a unit is a plant; a material is a port that must be served (an input that somebody feeds, an output
that somebody takes); raw is what a market, a lawful fate, nature or an existing plant serves; products are the ports of
existing plants and every sale. A candidate that cannot be served, or that serves nobody and sells nothing, is in no
solution structure and is left out before any number is optimised. What is paid for running sells as much as a sale.
"""

from dataclasses import fields, replace
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from cyclopolis.design.synthesis import compose_units, reduce_units
from cyclopolis.network import subsidies_of
from cyclopolis.network.model import BUY, EXISTING, Arcs, Bools, Ints, Network, Ports


def _matrix(units: Ints, materials: Ints, shape: tuple[int, int]) -> csr_array:
    return csr_array(coo_array((np.ones(units.size), (units, materials)), shape=shape))


def useful_plants(network: Network, allowed: Bools, stored: Ints | None = None) -> Bools:
    """Return the plants that stand or may belong to a working structure (P,).

    Parameters
    ----------
    network : Network
        Compiled with its candidates.
    allowed : ndarray of bool
        New plants that may be built at all (P,).
    stored : ndarray of int, optional
        Ports with a store: another year may serve them.

    Returns
    -------
    ndarray of bool
        Existing plants and the new ones of the maximal structure.
    """
    ports, arcs, markets, trades = network.ports, network.arcs, network.markets, network.trades
    existing = network.plants.status == EXISTING
    size, outside = ports.plant.size + 1, ports.plant.size
    needy = np.flatnonzero(~ports.natural)
    price = markets.price[trades.market]
    buying = markets.direction[trades.market] == BUY
    earns = trades.port[~buying | (price < 0)]
    giver, taker = ports.plant[arcs.giver], ports.plant[arcs.taker]
    shape = (len(network.plant_ids), size)
    takes = _matrix(ports.plant[needy], needy, shape)
    paid = np.flatnonzero(subsidies_of(network).per_unit > 0)
    makes = _matrix(
        np.concatenate([giver, taker, ports.plant[earns], paid]),
        np.concatenate([arcs.taker, arcs.giver, np.full(earns.size + paid.size, outside)]),
        shape,
    )
    served = np.zeros(size, dtype=np.bool_)
    served[trades.port] = True
    served[network.fates.port] = True
    served[arcs.taker[existing[giver]]] = True
    served[arcs.giver[existing[taker]]] = True
    if stored is not None:
        served[stored] = True
    wanted = np.append(existing[ports.plant], True)
    kept = reduce_units(takes, makes, served, allowed & ~existing)
    return np.asarray(existing | compose_units(takes, makes, wanted, kept), dtype=np.bool_)


def _cut(part: Ports | Arcs, kept: Bools, **replaced: Ints) -> dict[str, Any]:
    """Return the fields of a part, those of full length cut to what is kept, some of them renumbered."""
    cut: dict[str, Any] = {}
    for item in fields(part):
        values = replaced.get(item.name, getattr(part, item.name))
        cut[item.name] = values if item.name == "cap_share" else values[kept]
    return cut


def keep_plants(network: Network, keep: Bools) -> Network:
    """Return the network without some plants; markets, sites, commodities and technologies stay as they are.

    Parameters
    ----------
    network : Network
        Any compiled network.
    keep : ndarray of bool
        Plants that stay (P,).
    """
    ports, arcs, trades, fates, plants = network.ports, network.arcs, network.trades, network.fates, network.plants
    plant_at = np.cumsum(keep) - 1
    port_kept = keep[ports.plant]
    port_at = np.cumsum(port_kept) - 1
    arc_kept = port_kept[arcs.giver] & port_kept[arcs.taker]
    trade_kept, fate_kept = port_kept[trades.port], port_kept[fates.port]
    main = np.where(plants.main >= 0, port_at[np.maximum(plants.main, 0)], -1)
    cut = {item.name: getattr(plants, item.name)[keep] for item in fields(plants)}
    paid = network.subsidies
    return replace(
        network,
        subsidies=paid and replace(paid, **{item.name: getattr(paid, item.name)[keep] for item in fields(paid)}),
        plant_ids=tuple(name for name, stays in zip(network.plant_ids, keep.tolist(), strict=True) if stays),
        plants=replace(plants, **{**cut, "main": main[keep]}),
        ports=replace(ports, **_cut(ports, port_kept, plant=plant_at[ports.plant])),
        arcs=replace(arcs, **_cut(arcs, arc_kept, giver=port_at[arcs.giver], taker=port_at[arcs.taker])),
        trades=replace(trades, port=port_at[trades.port][trade_kept], market=trades.market[trade_kept]),
        fates=replace(
            fates,
            port=port_at[fates.port][fate_kept],
            fate=fates.fate[fate_kept],
            cost=fates.cost[fate_kept],
            co2=fates.co2[fate_kept],
            provenance=fates.provenance[fate_kept],
        ),
        exclusions=tuple(tuple(int(plant_at[plant]) for plant in group if keep[plant]) for group in network.exclusions),
    )
