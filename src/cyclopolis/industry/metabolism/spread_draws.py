"""Monte Carlo of accounts: recipes drawn, activities held or solved again in every draw, all draws at once."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp

from cyclopolis.industry.metabolism.montecarlo import draw_between, plan_elimination, solve_draws
from cyclopolis.industry.metabolism.spread_weights import Weights
from cyclopolis.network import Flows, Network, port_amounts
from cyclopolis.network.model import Bools, Floats, Ints

HALF_RANGE = 1.959963984540054
"""Half width of a 95 % interval in standard deviations of the normal distribution."""
SMALL = 1e-9
CHUNK = 600
"""Draws solved at once: their matrices stay near the processor."""


def stated_sd() -> pl.Expr:
    """Return the standard uncertainty that a row of ``measurements`` states, in one of three ways; null for none.

    Examples
    --------
    >>> rows = pl.DataFrame({"amount": [50.0] * 3, "uncertainty": [2.0, None, None],
    ...                      "uncertainty_pct": [None, 6.0, None], "half_width": [None, None, 7.839855938160217]})
    >>> rows.select(stated_sd()).to_series().to_list()
    [2.0, 3.0, 4.0]
    """
    share = pl.col("uncertainty_pct") / 100.0 * pl.col("amount")
    return pl.coalesce("uncertainty", share, pl.col("half_width") / HALF_RANGE)


@dataclass(frozen=True)
class Links:
    """Arcs that follow a port (L): the flow given is ``share`` x the amount at ``port``.

    ``row`` is the plant whose activity the arc asks for, ``column`` the plant of ``port``; ``weight`` turns the flow
    given into main units of the row's plant. An arc out of a main product follows the taker's need; an arc into a plant
    that treats a waste follows what the giver leaves. All other arcs are held.
    """

    arc: Ints
    port: Ints
    row: Ints
    column: Ints
    share: Floats
    weight: Floats


def links(network: Network, flows: Flows) -> Links:
    """Return the arcs along which activities depend on each other."""
    ports, arcs, plants = network.ports, network.arcs, network.plants
    amount = port_amounts(flows.activity, ports.plant, ports.coefficient)
    main = np.zeros(amount.size, dtype=bool)
    main[plants.main[plants.main >= 0]] = True
    runs = flows.arc > SMALL * amount[arcs.giver]
    pulled = runs & main[arcs.giver]
    pushed = runs & main[arcs.taker] & ~pulled
    arc = np.concatenate((np.flatnonzero(pulled), np.flatnonzero(pushed)))
    by_taker = np.arange(arc.size) < np.count_nonzero(pulled)
    port = np.where(by_taker, arcs.taker[arc], arcs.giver[arc])
    asked = np.where(by_taker, arcs.giver[arc], arcs.taker[arc])
    weight = np.where(by_taker, 1.0, arcs.ratio[arc])
    return Links(arc, port, ports.plant[asked], ports.plant[port], flows.arc[arc] / amount[port], weight)


def draw_coefficients(coefficient: Floats, sd: Floats, draws: int, seed: int) -> Floats:
    """Return drawn amounts per main unit (J, draws): normal, never below 0, independent of each other.

    Parameters
    ----------
    coefficient, sd : (J,) arrays
        Amount per main unit (absolute) and its standard deviation.
    draws, seed : int

    Examples
    --------
    >>> found = draw_coefficients(np.array([1.0, 2.0]), np.array([0.0, 0.1]), 10_000, 1)
    >>> found[0].std().item(), round(found[1].mean().item(), 1), round(found[1].std().item(), 2)
    (0.0, 2.0, 0.1)
    """
    low, high = coefficient - HALF_RANGE * sd, coefficient + HALF_RANGE * sd
    return np.maximum(draw_between(low, coefficient, high, draws, seed=seed, shape="normal"), 0.0)


def solve_activities(activity: Floats, drawn: Floats, base: Floats, linked: Links) -> Floats:
    """Return the activities (P, draws) at which plants still deliver what they deliver outside.

    Parameters
    ----------
    activity : (P,) array
        Main units per year in the base state.
    drawn, base : (J, draws), (J,) arrays
        Amounts per main unit, drawn and in the base state.
    linked : Links

    Returns
    -------
    (P, draws) array
        NaN in a draw that has no solution.

    Raises
    ------
    ZeroDivisionError
        If plants feed only each other, so that their activities are not determined.

    Notes
    -----
    ``a - L a = f``: L from the arcs of `Links`, f what the base state delivers elsewhere. One order of elimination for
    all draws (`plan_elimination`).

    Examples
    --------
    Plant 0 makes what plant 1 takes, half a unit per main unit; plant 1 sells 10, plant 0 sells 2:

    >>> chain = Links(np.array([0]), np.array([2]), np.array([0]), np.array([1]), np.array([1.0]), np.array([1.0]))
    >>> drawn = np.array([[1.0, 1.0], [1.0, 1.0], [0.5, 0.7]])
    >>> solve_activities(np.array([7.0, 10.0]), drawn, drawn[:, 0], chain).round(9).tolist()
    [[7.0, 9.0], [10.0, 10.0]]
    """
    size, draws = activity.size, drawn.shape[1]
    column = np.concatenate((linked.column, np.arange(size)))
    row = np.concatenate((linked.row, np.arange(size)))
    place, inverse = np.unique(column * size + row, return_inverse=True)
    rate = -linked.share * linked.weight
    gather = sp.csr_array((rate, (inverse[: rate.size], linked.port)), shape=(place.size, base.size))
    own = np.zeros(place.size)
    own[inverse[rate.size :]] = 1.0
    start = np.searchsorted(place, np.arange(size + 1) * size)
    nominal = sp.csc_matrix((gather @ base + own, place % size, start), shape=(size, size))
    wanted = nominal @ activity
    wanted = np.where(np.abs(wanted) < SMALL * activity, 0.0, wanted)
    plan = plan_elimination(nominal)
    solution = np.empty((size, draws))
    for first in range(0, draws, CHUNK):
        entries = gather @ drawn[:, first : first + CHUNK]
        entries += own[:, None]
        solution[:, first : first + CHUNK] = solve_draws(plan, entries, wanted)
    return solution


def changes(
    network: Network,
    flows: Flows,
    weights: Weights,
    scope: sp.csr_array,
    amount: Floats,
    activity: Floats,
    linked: Links,
) -> Floats:
    """Return by how much the accounts of all scopes differ from the base state (Q, S, draws).

    Parameters
    ----------
    network : Network
    flows : Flows
    weights : Weights
    scope : (S, P) sparse array
        Which plants belong to which scope.
    amount, activity : (J, draws), (P, draws) arrays
        Amounts at ports and activities of every draw.
    linked : Links
        Arcs that follow; no arcs where flows between plants are held.
    """
    ports, arcs = network.ports, network.arcs
    before = port_amounts(flows.activity, ports.plant, ports.coefficient)
    moved = amount - before[:, None]
    along = linked.share[:, None] * moved[linked.port]
    giver, taker = arcs.giver[linked.arc], arcs.taker[linked.arc]
    count = np.arange(linked.arc.size)
    shape = (before.size, count.size)
    passed = sp.csr_array((np.ones(count.size), (giver, count)), shape=shape) + sp.csr_array(
        (arcs.ratio[linked.arc], (taker, count)), shape=shape
    )
    outlet = moved - passed @ along
    of_ports = sp.csr_array(scope[:, ports.plant])
    of_arcs = sp.csr_array(scope[:, ports.plant[giver]])
    busier = activity - flows.activity[:, None]
    parts = []
    for port, left, plant, arc in zip(weights.port, weights.outlet, weights.plant, weights.arc, strict=True):
        change = _weighted(of_ports, port) @ moved + _weighted(of_ports, left) @ outlet
        change = change + _weighted(scope, plant) @ busier + _weighted(of_arcs, arc[linked.arc]) @ along
        parts.append(change)
    return np.stack(parts)


def _weighted(members: sp.csr_array, weight: Floats) -> sp.csr_array:
    """Return the columns of a 0/1 matrix times weights, without the entries that are 0."""
    found = members.copy()
    found.data = members.data * weight[members.indices]
    found.eliminate_zeros()
    return found


def nothing_follows() -> Links:
    """Return no links: all flows between plants are held."""
    none = np.zeros(0, dtype=np.int64)
    return Links(none, none, none, none, np.zeros(0), np.zeros(0))


def sound(activity: Floats) -> Bools:
    """Return which draws have a solution without a negative activity (draws,).

    Examples
    --------
    >>> sound(np.array([[1.0, -1.0, np.nan]])).tolist()
    [True, False, False]
    """
    floor = -SMALL * np.nanmax(np.abs(activity), initial=1.0)
    return np.asarray((activity >= floor).all(axis=0), dtype=np.bool_)
