"""From a plan's network and its measurements to one problem for the reconciliation kernel.

*Things* are what the base year consists of: activities, port amounts, flows. *Data* are what is known of them, each
with its uncertainty: rows of ``measurements``, stated activities and exchanges, recipes. Every datum is a quantity of
its own, bound to its things by a relation, so that two rows may speak of one thing.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import polars as pl
import scipy.sparse as sp

from cyclopolis.industry.metabolism.spread_draws import HALF_RANGE, stated_sd
from cyclopolis.network import Flows, Network, left_at_ports
from cyclopolis.network.model import EXISTING, SELL, Bools, Floats, Ints
from cyclopolis.network.names import pick


@cache
def assumed_doubts() -> Mapping[str, float]:
    """Return the standard uncertainties that are assumed where none is given, as shares, from ``assumed_doubts.csv``.

    Examples
    --------
    >>> assumed_doubts()["activity"]
    0.05
    """
    with (files("cyclopolis.industry.metabolism") / "assumed_doubts.csv").open(encoding="utf-8") as handle:
        return {row["item"]: float(row["sd_pct"]) / 100 for row in csv.DictReader(handle)}


@dataclass(frozen=True)
class Data:
    """What is known, one entry each (N): ``of`` (N, things) says of which things it is the sum.

    ``row`` is the position in the tables that reconciliation reads, one after the other (-1: none), ``basis`` is
    measurement, stated or recipe, ``given`` whether the uncertainty was given (else assumed), ``at`` the port, arc,
    plant or extra thing by ``kind``, ``year`` the year that it speaks of (-1: all). ``product`` (N, 2) holds the things
    ``result, of`` of which a measured share is the ratio (-1: the datum is no share).
    """

    kind: list[str]
    basis: list[str]
    at: Ints
    row: Ints
    value: Floats
    sd: Floats
    given: Bools
    of: sp.csr_array
    product: Ints
    year: Ints


def join_data(parts: Sequence[Data]) -> Data:
    """Return the data of several parts, in their order."""
    return Data(
        [name for part in parts for name in part.kind],
        [name for part in parts for name in part.basis],
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.sd for part in parts]),
        np.concatenate([part.given for part in parts]),
        sp.csr_array(sp.vstack([part.of for part in parts], format="csr")),
        np.concatenate([part.product for part in parts]),
        np.concatenate([part.year for part in parts]),
    )


@dataclass(frozen=True)
class Things:
    """Positions of the things: activities, ports, arcs, then other flows of a port.

    ``activity`` (P,), ``port`` (J,), ``arc`` (A,) hold -1 for what takes no part; ``rest_way`` (R,) is sale, purchase,
    a fate or unplaced, at ``rest_port``. ``anchored`` (P,) marks plants whose flows the rules know.
    """

    activity: Ints
    port: Ints
    arc: Ints
    rest_port: Ints
    rest_way: list[str]
    anchored: Bools

    @property
    def first_rest(self) -> int:
        """Position of the first other flow."""
        return int(max(self.activity.max(initial=-1), self.port.max(initial=-1), self.arc.max(initial=-1))) + 1

    @property
    def size(self) -> int:
        """Number of things."""
        return self.first_rest + self.rest_port.size


def port_measurements(network: Network, measurements: pl.DataFrame) -> pl.DataFrame:
    """Return the measurements of ports: columns row, at (port), value, sd, given.

    Where both ways of one port are measured they count net, as in the network, with row null.
    """
    ports = network.ports
    names = pl.DataFrame(
        {
            "at": np.arange(ports.plant.size),
            "plant": pick(network.plant_ids, ports.plant),
            "commodity": pick(network.commodity_ids, ports.commodity),
            "way": np.where(ports.coefficient > 0, "out", "in"),
        },
        schema_overrides={"way": pl.String},
    )
    rows = _with_sd(measurements, network.year).filter(
        pl.col("plant").is_not_null() & pl.col("direction").is_not_null()
    )
    found = rows.join(names, on=["plant", "commodity"]).with_columns(same=pl.col("direction") == pl.col("way"))
    mixed = pl.col("same").all().over("at").not_()
    sign = pl.when("same").then(1.0).otherwise(-1.0)
    way = (
        found.filter(mixed)
        .group_by("at", "direction")
        .agg(
            value=(sign * pl.col("value")).mean(),
            sd=(pl.col("sd") ** 2).sum().sqrt() / pl.len(),
            given=pl.col("given").all(),
        )
    )
    net = way.group_by("at").agg(
        row=pl.lit(-1, dtype=pl.Int64),
        value=pl.col("value").sum(),
        sd=(pl.col("sd") ** 2).sum().sqrt(),
        given=pl.col("given").all(),
    )
    single = found.filter(mixed.not_()).select("at", "row", "value", "sd", "given")
    return pl.concat([single, net.select(single.columns)]).sort("at", "value", "sd", "row")


def flow_measurements(network: Network, measurements: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, Ints]]:
    """Return the measurements of flows (columns row, at, value, sd, given) and the arcs of each ``at``."""
    arcs, ports = network.arcs, network.ports
    named = pl.DataFrame(
        {
            "arc": np.arange(arcs.giver.size),
            "from_plant": pick(network.plant_ids, ports.plant[arcs.giver]),
            "to_plant": pick(network.plant_ids, ports.plant[arcs.taker]),
            "commodity": pick(network.commodity_ids, ports.commodity[arcs.giver]),
        }
    ).filter(pl.Series(~np.isnan(arcs.exchange), dtype=pl.Boolean))
    keys = ["from_plant", "to_plant", "commodity"]
    groups = named.group_by(keys).agg(pl.col("arc").sort()).sort(keys).with_row_index("at")
    rows = _with_sd(measurements, network.year).join(groups, on=keys)
    arcs_of = {int(at): np.array(arc, dtype=np.int64) for at, arc in groups.select("at", "arc").iter_rows()}
    table = rows.select(pl.col("at").cast(pl.Int64), "row", "value", "sd", "given").sort("at", "value", "sd", "row")
    return table, arcs_of


def _with_sd(measurements: pl.DataFrame, year: int) -> pl.DataFrame:
    """Return one year's measurements with their row and standard uncertainty, the assumed one where none is given."""
    amount = pl.col("amount")
    stated = stated_sd()
    return (
        measurements.with_columns(
            row=pl.int_range(pl.len(), dtype=pl.Int64),
            value=amount,
            sd=stated.fill_null(assumed_doubts()["measurement"] * amount),
            given=stated.is_not_null(),
        )
        .filter(pl.col("year") == year)
        .filter(amount.is_not_null())
    )


def number_things(network: Network, flows: Flows, spoken: Bools, closed: Bools, guess: Floats) -> Things:
    """Return the things that take part, numbered.

    Parameters
    ----------
    network : Network
    flows : Flows
        The base year by rule: flows of nothing take no part.
    spoken : (A,) bool
        Arcs of known amount.
    closed : (J,) bool
        Ports that were measured together with a flow there: what is unplaced at them is an error, not a flow.
    guess : (P,) float
        Activity, or a guess of it where it is unknown; NaN keeps a plant out.
    """
    ports, arcs, plants = network.ports, network.arcs, network.plants
    inside = (plants.status == EXISTING) & (np.nan_to_num(guess) > 0)
    anchored = inside & np.isfinite(plants.activity)
    has = inside[ports.plant]
    linked = has[arcs.giver] & has[arcs.taker] & ((flows.arc > 0) | spoken)
    counted = [np.cumsum(chosen) - 1 for chosen in (inside, has, linked)]
    starts = np.cumsum([0, inside.sum(), has.sum()])
    activity, port, arc = (
        np.where(chosen, order + start, -1)
        for chosen, order, start in zip((inside, has, linked), counted, starts, strict=True)
    )
    rest_port, rest_way = _rest(network, flows, anchored[ports.plant] & ~ports.natural, closed)
    return Things(activity, port, arc, rest_port, rest_way, anchored)


def _rest(network: Network, flows: Flows, open_port: Bools, closed: Bools) -> tuple[Ints, list[str]]:
    """Return what else leaves or enters each port by the rules: sales, purchases, fates, unplaced."""
    ports, trades, fates = network.ports, network.trades, network.fates
    amount = np.abs(ports.coefficient) * np.nan_to_num(flows.activity)[ports.plant]
    left = left_at_ports(network, flows)
    sells = network.markets.direction[trades.market] == SELL
    sources = [
        (trades.port[(flows.trade > 0) & sells], "sale"),
        (trades.port[(flows.trade > 0) & ~sells], "purchase"),
        *((fates.port[(flows.fate > 0) & (fates.fate == code)], name) for code, name in enumerate(network.fate_ids)),
        (np.flatnonzero((left > 1e-9 * amount) & ~closed), "unplaced"),
    ]
    pairs = sorted({(int(port), way) for at, way in sources for port in at.tolist() if open_port[port]})
    return np.array([port for port, _ in pairs], dtype=np.int64), [way for _, way in pairs]


def is_open(network: Network, things: Things, port: int) -> bool:
    """Return whether the rules know all flows at a port, so that the port equals their sum."""
    plant = network.ports.plant[port]
    return bool(things.port[port] >= 0 and things.anchored[plant] and not network.ports.natural[port])


def thing_relations(network: Network, things: Things) -> tuple[sp.csr_array, list[str], Ints]:
    """Return the relations among things: port = sum of its flows, main port = activity; their names; line of each port.

    Parameters
    ----------
    network : Network
    things : Things
    """
    ports, arcs, plants = network.ports, network.arcs, network.plants
    open_port = np.flatnonzero((things.port >= 0) & ~ports.natural & things.anchored[ports.plant])
    line = np.full(ports.plant.size, -1)
    line[open_port] = np.arange(open_port.size)
    arc = np.flatnonzero(things.arc >= 0)
    rest = np.arange(things.rest_port.size)
    main = np.flatnonzero((things.activity >= 0) & (plants.main >= 0))
    main_line = open_port.size + np.arange(main.size)
    parts = (
        (line[open_port], things.port[open_port], np.ones(open_port.size)),
        (line[arcs.giver[arc]], things.arc[arc], -np.ones(arc.size)),
        (line[arcs.taker[arc]], things.arc[arc], -arcs.ratio[arc]),
        (line[things.rest_port], things.first_rest + rest, -np.ones(rest.size)),
        (main_line, things.port[plants.main[main]], np.ones(main.size)),
        (main_line, things.activity[main], -np.ones(main.size)),
    )
    row, column, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    kept = row >= 0
    shape = (open_port.size + main.size, things.size)
    matrix = sp.csr_array((weight[kept], (row[kept], column[kept])), shape=shape)
    names = [f"{network.plant_ids[ports.plant[at]]}:{network.commodity_ids[ports.commodity[at]]}" for at in open_port]
    return matrix, names + [network.plant_ids[at] for at in main], line


def guess_activity(network: Network, measured: pl.DataFrame, *, base: bool = True) -> Floats:
    """Return each plant's activity (P,); where unknown, the median of what its measured ports say by recipe, or NaN.

    In a year that is not the ``base`` the measured ports come first.
    """
    ports = network.ports
    at, value = measured["at"].to_numpy(), measured["value"].to_numpy()
    rate = np.abs(ports.recipe[at])
    said = pl.DataFrame({"plant": ports.plant[at], "run": np.where(rate > 0, value / np.where(rate > 0, rate, 1), 0.0)})
    middle = said.filter(pl.col("run") > 0).group_by("plant").agg(pl.col("run").median()).sort("plant")
    guess = network.plants.activity.copy()
    plant, run = middle["plant"].to_numpy(), middle["run"].to_numpy()
    guess[plant] = np.where(np.isnan(guess[plant]) | (not base), run, guess[plant])
    return guess


def recipe_doubts(network: Network, recipes: pl.DataFrame, guess: Floats) -> tuple[Floats, Bools]:
    """Return the standard uncertainty of each port's recipe amount (J,) and whether the recipe gives its range.

    The usual range counts as a 95 % interval; equal ends make the recipe exact; without a range the share of
    ``assumed_doubts.csv`` holds.
    """
    ports, plants = network.ports, network.plants
    keys = ["technology", "commodity", "direction"]
    named = pl.DataFrame(
        {
            "technology": pick(network.technology_ids, plants.technology[ports.plant]),
            "commodity": pick(network.commodity_ids, ports.commodity),
            "direction": np.where(np.nan_to_num(ports.recipe) > 0, "out", "in"),
        },
        schema_overrides={"direction": pl.String},
    )
    ranges = recipes.sort("amount", descending=True).unique(keys, keep="first", maintain_order=True)
    found = named.join(ranges.select(*keys, "low", "high"), on=keys, how="left", maintain_order="left")
    width = found.select((pl.col("high") - pl.col("low")).abs() / (2 * HALF_RANGE)).to_series()
    known = width.is_not_null().to_numpy()
    assumed = assumed_doubts()["recipe"] * np.abs(np.nan_to_num(ports.recipe))
    return np.where(known, width.fill_null(0.0).to_numpy(), assumed) * np.nan_to_num(guess)[ports.plant], known
