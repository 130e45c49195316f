"""Uncertainty of every account: by linear propagation always, by Monte Carlo on request.

A recipe's usual range counts as a 95 % interval of a normal distribution, a measurement brings its own standard
uncertainty. Amounts are independent of each other; activities are known unless they are measured.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
import scipy.sparse as sp

from cyclopolis.industry.metabolism.accounts import accounts_table, scope_members
from cyclopolis.industry.metabolism.spread_draws import (
    HALF_RANGE,
    changes,
    draw_coefficients,
    links,
    nothing_follows,
    solve_activities,
    sound,
    stated_sd,
)
from cyclopolis.industry.metabolism.spread_weights import Weights, account_weights
from cyclopolis.network import Flows, Network
from cyclopolis.network.model import EXISTING, Bools, Floats

Method = Literal["linear", "held", "solved"]
DRAWN_SCOPES = ("place", "site", "chain", "enterprise")
"""Kinds of scope that Monte Carlo covers."""
_KEYS = ("scope_kind", "scope", "quantity")


@dataclass(frozen=True)
class Doubt:
    """Standard deviations of what a state rests on.

    Parameters
    ----------
    port : (J,) array
        Of the amount at each port at known activity, units per year; 0 for the main commodity.
    activity : (P,) array
        Of a measured activity, main units per year; else 0.
    free : (J,) bool array
        Ports whose amount goes with the activity: all that are not measured themselves.
    unknown : (J,) bool array
        Ports whose range nobody gave: they count as certain, and are counted.
    """

    port: Floats
    activity: Floats
    free: Bools
    unknown: Bools


def doubts(network: Network, flows: Flows, measurements: pl.DataFrame) -> Doubt:
    """Return the standard deviations of a state from recipe ranges and measurements.

    Parameters
    ----------
    network : Network
    flows : Flows
    measurements : polars.DataFrame
        The plan's table; several of one thing count as their mean.
    """
    ports, plants = network.ports, network.plants
    run = np.nan_to_num(flows.activity)[ports.plant]
    main = np.zeros(run.size, dtype=bool)
    main[plants.main[plants.main >= 0]] = True
    of_recipe = (ports.high - ports.low) / (2 * HALF_RANGE) * run
    measured, stated = _stated(network, measurements)
    own = np.where(measured, stated, np.where(main, 0.0, of_recipe))
    unknown = (run > 0) & np.where(measured, np.isnan(own), ~main & (ports.high <= ports.low))
    own = np.nan_to_num(own)
    activity = np.zeros(plants.main.size)
    has = np.flatnonzero(plants.main >= 0)
    activity[has] = own[plants.main[has]]
    return Doubt(np.where(main, 0.0, own), activity, main | ~measured, unknown)


def _stated(network: Network, measurements: pl.DataFrame) -> tuple[Bools, Floats]:
    """Return which ports are measured and their standard uncertainty (J,), NaN where the measurement has none."""
    ports = network.ports
    rows = (
        measurements.filter((pl.col("year") == network.year) & pl.col("plant").is_not_null())
        .select("plant", "commodity", "direction", sd=stated_sd())
        .with_columns(seen=pl.lit(value=True))
        .group_by("plant", "commodity", "direction")
        .agg(
            pl.col("seen").first(),
            sd=pl.when(pl.col("sd").null_count() == 0).then((pl.col("sd").sort() ** 2).sum().sqrt() / pl.len()),
        )
    )
    plants = pl.Series(network.plant_ids, dtype=pl.String).gather(ports.plant)
    goods = pl.Series(network.commodity_ids, dtype=pl.String).gather(ports.commodity)
    way = pl.Series(np.where(ports.coefficient > 0, "out", "in"), dtype=pl.String)
    at = pl.DataFrame({"plant": plants, "commodity": goods, "direction": way})
    found = at.join(rows, on=["plant", "commodity", "direction"], how="left", maintain_order="left")
    return found["seen"].fill_null(value=False).to_numpy(), found["sd"].fill_null(float("nan")).to_numpy()


def variance_by_plant(weights: Weights, doubt: Doubt, coefficient: Floats, plant: np.ndarray) -> Floats:
    """Return the variance of every account that each plant brings (Q, P), by linear propagation.

    Parameters
    ----------
    weights : Weights
    doubt : Doubt
    coefficient : (J,) array
        Amount per main unit, absolute.
    plant : (J,) array
        Plant of each port.

    Notes
    -----
    JCGM 100:2008 (GUM), equation 10: the sum of squared derivative times standard deviation. Activity moves all ports
    that are not measured themselves.

    Examples
    --------
    An account that adds two amounts of standard deviation 3 and 4:

    >>> none = np.zeros((1, 1))
    >>> weights = Weights(("so2",), np.ones((1, 2)), np.zeros((1, 2)), none, none)
    >>> doubt = Doubt(np.array([3.0, 4.0]), np.zeros(1), np.ones(2, dtype=bool), np.zeros(2, dtype=bool))
    >>> variance_by_plant(weights, doubt, np.ones(2), np.zeros(2, dtype=np.int64)).tolist()
    [[25.0]]
    """
    size = doubt.activity.size
    of_plant = sp.csr_array((np.ones(plant.size), (np.arange(plant.size), plant)), shape=(plant.size, size))
    per_port = weights.port + weights.outlet
    of_activity = weights.plant + (per_port * np.where(doubt.free, coefficient, 0.0)) @ of_plant
    return np.asarray((per_port * doubt.port) ** 2 @ of_plant + (of_activity * doubt.activity) ** 2)


def _scopes(network: Network, flows: Flows) -> tuple[pl.DataFrame, sp.csr_array]:
    """Return the scopes in order, and which plants belong to them (S, P)."""
    present = np.flatnonzero((network.plants.status == EXISTING) | (flows.built > 0))
    members = scope_members(network, present)
    order = members.select("scope_kind", "scope").unique(maintain_order=True).with_row_index("at")
    placed = members.join(order, on=["scope_kind", "scope"])
    shape = (order.height, len(network.plant_ids))
    at = placed["at"].cast(pl.Int64).to_numpy(), placed["member"].to_numpy()
    return order, sp.csr_array((np.ones(placed.height), at), shape=shape)


def _long(order: pl.DataFrame, names: tuple[str, ...], **columns: Floats) -> pl.DataFrame:
    """Return (S, Q) arrays as rows of scope and quantity."""
    quantity = pl.Series(names, dtype=pl.String).gather(np.tile(np.arange(len(names)), order.height))
    repeated = order.select("scope_kind", "scope")[np.repeat(np.arange(order.height), len(names))]
    return repeated.with_columns(
        quantity=quantity, **{name: pl.Series(value.ravel()) for name, value in columns.items()}
    )


def linear_spread_table(network: Network, flows: Flows, measurements: pl.DataFrame) -> pl.DataFrame:
    """Return the uncertainty of every account by linear propagation.

    Parameters
    ----------
    network : Network
    flows : Flows
    measurements : polars.DataFrame

    Returns
    -------
    polars.DataFrame
        Columns scope_kind, scope, quantity, value, sd, low95, high95, unit, method, unknown, draws; rows in the order
        of the accounts. ``unknown`` counts the amounts without a range, which count as certain.
    """
    ports = network.ports
    weights, doubt = account_weights(network, flows), doubts(network, flows, measurements)
    order, scope = _scopes(network, flows)
    variance = variance_by_plant(weights, doubt, np.abs(ports.coefficient), ports.plant)
    per_port = (weights.port + weights.outlet != 0) & doubt.unknown
    blind = per_port.astype(np.float64) @ sp.csr_array(
        (np.ones(ports.plant.size), (np.arange(ports.plant.size), ports.plant)),
        shape=(ports.plant.size, len(network.plant_ids)),
    )
    found = _long(order, weights.names, sd=np.sqrt(scope @ variance.T), unknown=np.asarray(scope @ blind.T))
    accounts = accounts_table(network, flows).drop("missing")
    known = pl.col("value").is_not_null()
    sd, value = pl.when(known).then(pl.col("sd")), pl.col("value")
    return accounts.join(found, on=_KEYS, how="left", maintain_order="left").select(
        *_KEYS,
        value,
        sd=sd,
        low95=value - HALF_RANGE * sd,
        high95=value + HALF_RANGE * sd,
        unit="unit",
        method=pl.lit("linear"),
        unknown=pl.col("unknown").cast(pl.Int64),
        draws=pl.lit(0, dtype=pl.Int64),
    )


def spread(
    network: Network, flows: Flows, measurements: pl.DataFrame, draws: int, seed: int, method: Method = "solved"
) -> pl.DataFrame:
    """Return the uncertainty of the accounts by Monte Carlo: recipes drawn, all draws at once.

    Parameters
    ----------
    network : Network
    flows : Flows
    measurements : polars.DataFrame
    draws, seed : int
    method : {"held", "solved"}
        Whether activities are held (measured ones drawn), or solved again so that every plant still delivers what it
        delivers outside. Where plants feed only each other they cannot be solved and are held.

    Returns
    -------
    polars.DataFrame
        As `linear_spread_table`; ``value`` is the mean, the interval from 2.5 to 97.5 per cent of the draws;
        ``draws`` counts those that had a solution. Values are null where the account is, or no draw was sound.
    """
    ports = network.ports
    weights, doubt = account_weights(network, flows), doubts(network, flows, measurements)
    linear = linear_spread_table(network, flows, measurements)
    order, scope = _scopes(network, flows)
    kept = order["scope_kind"].is_in(DRAWN_SCOPES).to_numpy()
    order, scope = order.filter(pl.Series(kept)), sp.csr_array(scope[np.flatnonzero(kept)])
    coefficient = np.abs(ports.coefficient)
    run = np.nan_to_num(flows.activity)[ports.plant]
    sd = np.where(run > 0, doubt.port / np.where(run > 0, run, 1.0), 0.0)
    drawn = draw_coefficients(coefficient, sd, draws, seed)
    linked, activity = nothing_follows(), None
    if method == "solved":
        try:
            activity = solve_activities(flows.activity, drawn, coefficient, links(network, flows))
            linked = links(network, flows)
        except ZeroDivisionError:
            method = "held"
    if activity is None:
        activity = draw_coefficients(flows.activity, doubt.activity, draws, seed + 1)
    good = sound(activity)
    activity, drawn = activity[:, good], drawn[:, good]
    with_activity = np.where(doubt.free[:, None] | (method == "solved"), activity[ports.plant], run[:, None])
    moved = changes(network, flows, weights, scope, drawn * with_activity, activity, linked)
    return _summed(linear, _quantiles(order, weights.names, moved), method)


def _quantiles(order: pl.DataFrame, names: tuple[str, ...], moved: Floats) -> pl.DataFrame:
    """Return mean, deviation and 95 % interval of changes (Q, S, draws) as rows."""
    count = moved.shape[2]
    if count < 2:
        blank = np.full(moved.shape[:2], np.nan)
        mean, deviation, low, high = blank, blank, blank, blank
    else:
        mean, deviation = moved.mean(axis=2), moved.std(axis=2, ddof=1)
        low, high = np.quantile(moved, [0.025, 0.975], axis=2)
    table = _long(order, names, mean=mean.T, deviation=deviation.T, low=low.T, high=high.T)
    return table.with_columns(draws=pl.lit(count, dtype=pl.Int64))


def _summed(linear: pl.DataFrame, drawn: pl.DataFrame, method: str) -> pl.DataFrame:
    """Return the drawn changes on top of the values of the accounts."""
    found = linear.drop("draws").join(drawn, on=_KEYS, how="inner", maintain_order="left")
    value = pl.col("value")
    table = found.select(
        *_KEYS,
        value=value + pl.col("mean"),
        sd=pl.when(value.is_not_null()).then(pl.col("deviation")),
        low95=value + pl.col("low"),
        high95=value + pl.col("high"),
        unit="unit",
        method=pl.lit(method),
        unknown="unknown",
        draws="draws",
    )
    return table.with_columns(pl.col("value", "sd", "low95", "high95").fill_nan(None))
