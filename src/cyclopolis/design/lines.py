"""Lines (pipes, wires) between two places as investments of yes or no: which arcs need one, and what it costs.

A line carries one commodity from one place to another for any number of plants at both ends; it is as wide as it needs.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from cyclopolis.network.model import Floats, Flows, Ints, Network
from cyclopolis.network.places import floats

LIFETIME_A = 30.0
"""Lifetime of a line in years (assumed)."""


@dataclass(frozen=True)
class Lines:
    """Lines that may be built (L): ``arc_line`` (A,) is the line that an arc needs, -1 for none.

    ``plant`` is a plant at the giving end (limits count the line there), ``from_site``, ``to_site``, ``commodity`` and
    ``mode`` positions in the network, ``distance`` km, ``capital`` million CNY.
    """

    arc_line: Ints
    plant: Ints
    from_site: Ints
    to_site: Ints
    commodity: Ints
    mode: Ints
    distance: Floats
    capital: Floats


def no_lines(network: Network) -> Lines:
    """Return that no arc needs a line."""
    none, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
    return Lines(np.full(network.arcs.giver.size, -1), none, none, none, none, none, nothing, nothing)


def find_lines(network: Network, transport: pl.DataFrame, base: Flows) -> Lines:
    """Return the lines that arcs between two places need.

    Parameters
    ----------
    network : Network
    transport : polars.DataFrame
        Modes with ``line_capital`` (million CNY per km); those without one need no line.
    base : Flows
        State of the base year: what flows today has its line.
    """
    arcs, ports, plants = network.arcs, network.ports, network.plants
    capital = dict(zip(transport["mode"].to_list(), floats(transport["line_capital"]).tolist(), strict=True))
    per_km = np.array([*(capital.get(mode, np.nan) for mode in network.mode_ids), np.nan])[arcs.mode]
    giver = ports.plant[arcs.giver]
    start, end = plants.site[giver], plants.site[ports.plant[arcs.taker]]
    key = np.stack([start, end, ports.commodity[arcs.giver], arcs.mode], axis=1)
    needs = np.isfinite(per_km) & (start != end) & (arcs.distance > 0)
    if not needs.any():
        return no_lines(network)
    found, first, number = np.unique(key[needs], axis=0, return_index=True, return_inverse=True)
    at, number = np.flatnonzero(needs), number.ravel()
    flowing = np.zeros(len(found), dtype=np.bool_)
    flowing[number[base.arc[at] > 0]] = True
    renumbered = np.where(flowing, -1, np.cumsum(~flowing) - 1)
    line = np.full(arcs.giver.size, -1)
    line[at] = renumbered[number]
    lead = at[first][~flowing]
    return Lines(
        arc_line=line,
        plant=giver[lead],
        from_site=start[lead],
        to_site=end[lead],
        commodity=ports.commodity[arcs.giver[lead]],
        mode=arcs.mode[lead],
        distance=arcs.distance[lead],
        capital=per_km[lead] * arcs.distance[lead],
    )


def without_lines(network: Network, transport: pl.DataFrame) -> Network:
    """Return the network with transport costs that no longer pay lines off: those are capital of their own."""
    share = dict(zip(transport["mode"].to_list(), (floats(transport["line_share_pct"]) / 100).tolist(), strict=True))
    arcs, ports, plants = network.arcs, network.ports, network.plants
    paid = np.nan_to_num(np.array([*(share.get(mode, 0.0) for mode in network.mode_ids), 0.0]))[arcs.mode]
    apart = plants.site[ports.plant[arcs.giver]] != plants.site[ports.plant[arcs.taker]]
    return replace(network, arcs=replace(arcs, cost=np.where(apart, arcs.cost * (1.0 - paid), arcs.cost)))
