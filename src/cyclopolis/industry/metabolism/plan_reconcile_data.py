"""What is known of a plan's base year as data for reconciliation, and what the data and things are called."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import polars as pl
import scipy.sparse as sp

from cyclopolis.industry.metabolism.plan_reconcile_extras import EXTRA, name_of
from cyclopolis.industry.metabolism.plan_reconcile_problem import (
    Data,
    Things,
    assumed_doubts,
    flow_measurements,
    guess_activity,
    join_data,
    number_things,
    port_measurements,
    recipe_doubts,
)
from cyclopolis.industry.metabolism.plan_reconcile_shares import Shares, share_data
from cyclopolis.network import Flows, Network
from cyclopolis.network.model import Bools, Floats, Ints


def pose(
    network: Network,
    flows: Flows,
    measurements: pl.DataFrame,
    shares: Shares,
    recipes: pl.DataFrame,
    named: Ints,
    *,
    base: bool = True,
) -> tuple[Things, Data]:
    """Return the things of a year and what is known of them.

    Parameters
    ----------
    network : Network
    flows : Flows
        The base year by rule.
    measurements, recipes : polars.DataFrame
        Of the plan and its library.
    shares : Shares
    named : int array
        Arcs that relations name; they take part.
    base : bool
        Whether the network's year is the base year, of which the plan states activities and exchanges.
    """
    arcs = network.arcs
    of_ports = port_measurements(network, measurements)
    of_flows, arcs_of = flow_measurements(network, measurements)
    guess = guess_activity(network, of_ports, base=base)
    stated = np.isfinite(arcs.exchange) & (arcs.exchange > 0)
    spoken = stated.copy()
    weighed = np.zeros(stated.size, dtype=bool)
    for at in of_flows["at"].to_list():
        spoken[arcs_of[at]] = weighed[arcs_of[at]] = True
    spoken[shares.result[shares.split]] = True
    spoken[named] = True
    ends = np.append(arcs.giver[weighed], arcs.taker[weighed])
    closed = np.isin(np.arange(network.ports.plant.size), np.intersect1d(ends, of_ports["at"].to_numpy()))
    things = number_things(network, flows, spoken, closed, guess)
    parts = [
        _measured_ports(of_ports, things),
        _measured_flows(of_flows, arcs_of, things),
        share_data(shares, things, measurements.height),
        *([_activities(network, of_ports, things), _exchanges(network, stated & ~weighed, things)] if base else []),
        _recipes(network, recipes, guess, things),
    ]
    joined = join_data(parts)
    return things, replace(joined, year=np.full(joined.at.size, network.year))


def _entries(
    kind: str, basis: str, at: Ints, value: Floats, sd: Floats, given: Bools, of: sp.csr_array, row: Ints | None = None
) -> Data:
    size = at.size
    row = np.full(size, -1) if row is None else row
    none = np.full((size, 2), -1)
    return Data([kind] * size, [basis] * size, at, row, value, sd, given, of, none, np.full(size, -1))


def _picks(columns: Ints, size: int) -> sp.csr_array:
    """Return a matrix that picks one thing per line."""
    return sp.csr_array((np.ones(columns.size), (np.arange(columns.size), columns)), shape=(columns.size, size))


def _measured_ports(table: pl.DataFrame, things: Things) -> Data:
    """Measurements of ports of plants that take part."""
    rows = table.filter(pl.Series(things.port[table["at"].to_numpy()] >= 0, dtype=pl.Boolean))
    at = rows["at"].to_numpy()
    value, sd = rows["value"].to_numpy(), rows["sd"].to_numpy()
    of = _picks(things.port[at], things.size)
    return _entries("port", "measurement", at, value, sd, rows["given"].to_numpy(), of, rows["row"].to_numpy())


def _measured_flows(table: pl.DataFrame, arcs_of: Mapping[int, Ints], things: Things) -> Data:
    """Measurements of flows; ``at`` is the first arc. A flow that two substitutions share counts as their sum."""
    groups = [things.arc[arcs_of[at]] for at in table["at"].to_list()]
    kept = np.array([bool((group >= 0).any()) for group in groups], dtype=bool)
    rows = table.filter(pl.Series(kept, dtype=pl.Boolean))
    groups = [group[group >= 0] for group, keep in zip(groups, kept.tolist(), strict=True) if keep]
    line = np.repeat(np.arange(len(groups)), [group.size for group in groups])
    column = np.concatenate([np.zeros(0, dtype=np.int64), *groups])
    of = sp.csr_array((np.ones(line.size), (line, column)), shape=(len(groups), things.size))
    at = np.array([arcs_of[item][0] for item in rows["at"].to_list()], dtype=np.int64)
    value, sd = rows["value"].to_numpy(), rows["sd"].to_numpy()
    return _entries("flow", "measurement", at, value, sd, rows["given"].to_numpy(), of, rows["row"].to_numpy())


def _activities(network: Network, of_ports: pl.DataFrame, things: Things) -> Data:
    """Return what the table of plants states where the main commodity is not measured."""
    plants = network.plants
    weighed = np.isin(plants.main, of_ports["at"].to_numpy())
    at = np.flatnonzero((things.activity >= 0) & np.isfinite(plants.activity) & ~weighed)
    value = plants.activity[at]
    given = np.zeros(at.size, dtype=bool)
    of = _picks(things.activity[at], things.size)
    return _entries("activity", "stated", at, value, assumed_doubts()["activity"] * value, given, of)


def _exchanges(network: Network, stated: Bools, things: Things) -> Data:
    """Return the stated amounts of exchanges that nobody measured."""
    at = np.flatnonzero(stated & (things.arc >= 0))
    value = network.arcs.exchange[at]
    given = np.zeros(at.size, dtype=bool)
    of = _picks(things.arc[at], things.size)
    return _entries("flow", "stated", at, value, assumed_doubts()["exchange"] * value, given, of)


def _recipes(network: Network, recipes: pl.DataFrame, guess: Floats, things: Things) -> Data:
    """Return each recipe amount as the difference of port and recipe x activity, known to be 0 within its range."""
    ports = network.ports
    main = np.zeros(ports.plant.size, dtype=bool)
    main[network.plants.main[network.plants.main >= 0]] = True
    same_way = np.sign(ports.recipe) == np.sign(ports.coefficient)
    at = np.flatnonzero((things.port >= 0) & ~main & np.isfinite(ports.recipe) & same_way)
    sd, given = recipe_doubts(network, recipes, guess)
    line = np.arange(at.size)
    of = sp.csr_array(
        (
            np.concatenate([np.ones(at.size), -np.abs(ports.recipe[at])]),
            (np.tile(line, 2), np.concatenate([things.port[at], things.activity[ports.plant[at]]])),
        ),
        shape=(at.size, things.size),
    )
    return _entries("recipe", "recipe", at, np.zeros(at.size), sd[at], given[at], of)


def data_names(network: Network, data: Data, extras: pl.DataFrame, where: pl.DataFrame) -> list[str]:
    """Return short names of the data for messages: file and row of a measurement, then what it speaks of."""
    ports, arcs = network.ports, network.arcs
    names = []
    for kind, at, row, year in zip(data.kind, data.at.tolist(), data.row.tolist(), data.year.tolist(), strict=True):
        start = "{}:{} ".format(*where.row(row)) if row >= 0 else f"{kind} "
        end = "" if year in {-1, network.year} else f" {year}"
        if kind in EXTRA:
            names.append(start + name_of(extras.row(at, named=True)))
            continue
        if kind == "activity":
            names.append(start + network.plant_ids[at] + end)
            continue
        between = kind in {"flow", "share"}
        port = arcs.giver[at] if between else at
        plant = network.plant_ids[ports.plant[port]]
        if between:
            plant += ">" + network.plant_ids[ports.plant[arcs.taker[at]]]
        names.append(f"{start}{plant}:{network.commodity_ids[ports.commodity[port]]}{end}")
    return names


def thing_names(network: Network, things: Things) -> list[str]:
    """Return short names of the things for messages."""
    ports, arcs = network.ports, network.arcs

    def of_port(port: int) -> str:
        return f"{network.plant_ids[ports.plant[port]]}:{network.commodity_ids[ports.commodity[port]]}"

    names = [network.plant_ids[at] for at in np.flatnonzero(things.activity >= 0)]
    names += [of_port(at) for at in np.flatnonzero(things.port >= 0).tolist()]
    for at in np.flatnonzero(things.arc >= 0).tolist():
        taker = network.plant_ids[ports.plant[arcs.taker[at]]]
        names.append(f"{of_port(arcs.giver[at])}>{taker}")
    return names + [f"{of_port(at)} {way}" for at, way in zip(things.rest_port.tolist(), things.rest_way, strict=True)]
