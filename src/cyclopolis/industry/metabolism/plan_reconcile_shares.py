"""Measured transfer coefficients of a plan: shares of what goes into a plant or comes out of it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
import scipy.sparse as sp

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.industry.metabolism.plan_reconcile_problem import Data, Things, assumed_doubts
from cyclopolis.network import Flows, Network
from cyclopolis.network.model import Bools, Floats, Ints
from cyclopolis.network.names import find_arcs, find_port

LIMIT: Final = 1.959963984540054
"""Half width of a 95 % interval in standard uncertainties."""
ROUNDING: Final = 1e-9
"""Difference from 1 that is rounding."""


@dataclass(frozen=True)
class Shares:
    """Shares that the network can hold, one entry each (S).

    ``result`` and ``base`` are an arc and its giver's port (``split``), or an output and an input port of one plant.
    ``row`` is the position in the table of shares; ``lost`` lists plant, commodity and reason of the others.
    """

    split: Bools
    result: Ints
    base: Ints
    row: Ints
    value: Floats
    sd: Floats
    given: Bools
    lost: pl.DataFrame


def read_shares(network: Network, flows: Flows, shares: pl.DataFrame) -> Shares:
    """Return the shares of the network's year and those of all years.

    Parameters
    ----------
    network : Network
    flows : Flows
        The base year by rule: where several arcs fit, the one that carries something is meant.
    shares : polars.DataFrame
        The plan's table.
    """
    rows = shares.with_row_index("row").filter(pl.col("year").is_null() | (pl.col("year") == network.year))
    found: list[tuple[bool, int, int, int, float, float, bool]] = []
    lost: list[tuple[str, str, str]] = []
    for item in rows.iter_rows(named=True):
        split = item["to_plant"] is not None
        base = find_port(
            network, item["plant"], item["commodity"] if split else item["of_commodity"] or "", output=split
        )
        result = (
            one_arc(network, flows, item["plant"], item["to_plant"], item["commodity"])
            if split
            else find_port(network, item["plant"], item["commodity"], output=True)
        )
        if base < 0 or result < 0:
            lost.append((item["plant"], item["commodity"], "share_not_placed"))
            continue
        given = item["uncertainty"] is not None
        sd = item["uncertainty"] if given else assumed_doubts()["measurement"] * item["share"]
        found.append((split, result, base, item["row"], item["share"], sd, given))
    columns = list(zip(*found, strict=True)) if found else [()] * 7
    split_, result_, base_, row_, value_, sd_, given_ = columns
    return Shares(
        np.array(split_, dtype=bool),
        np.array(result_, dtype=np.int64),
        np.array(base_, dtype=np.int64),
        np.array(row_, dtype=np.int64),
        np.array(value_, dtype=float),
        np.array(sd_, dtype=float),
        np.array(given_, dtype=bool),
        pl.DataFrame(lost, schema={"plant": pl.String, "commodity": pl.String, "reason": pl.String}, orient="row"),
    )


def one_arc(network: Network, flows: Flows, giver: str, taker: str, commodity: str) -> int:
    """Return the arc meant between two plants, -1 when there is none or it cannot be told."""
    arcs = find_arcs(network, giver, taker, commodity)
    used = arcs[(flows.arc[arcs] > 0) | np.isfinite(network.arcs.exchange[arcs])]
    meant = used if used.size else arcs
    return int(meant[0]) if meant.size == 1 else -1


def split_sums(shares: Shares, ports: int) -> tuple[Floats, Floats]:
    """Return what the shares of each port's output sum to (J,), and the standard uncertainty of that (J,).

    Several rows of one flow count as their mean.
    """
    at = np.flatnonzero(shares.split)
    flow, first, times = np.unique(shares.result[at], return_index=True, return_counts=True)
    value = np.bincount(np.searchsorted(flow, shares.result[at]), weights=shares.value[at], minlength=flow.size)
    square = np.bincount(np.searchsorted(flow, shares.result[at]), weights=shares.sd[at] ** 2, minlength=flow.size)
    base = shares.base[at][first]
    total = np.bincount(base, weights=value / times, minlength=ports)
    return total.astype(float), np.sqrt(np.bincount(base, weights=square / times**2, minlength=ports))


def refuse_more_than_all(network: Network, shares: Shares, where: pl.DataFrame) -> None:
    """Raise the error for shares that give away more than there is, beyond their uncertainty.

    Parameters
    ----------
    network : Network
    shares : Shares
    where : polars.DataFrame
        File and row of each share.

    Raises
    ------
    UserError
        Naming the rows, one problem per output.
    """
    total, sd = split_sums(shares, network.ports.plant.size)
    problems = []
    for port in np.flatnonzero(total > 1 + LIMIT * sd + ROUNDING).tolist():
        at = shares.row[shares.split & (shares.base == port)]
        listed = ", ".join("{}:{}".format(*where.row(int(row))) for row in sorted(at.tolist()))
        text = message(
            "reconciled.shares_over_one",
            rows=listed,
            total=float(total[port]),
            commodity=network.commodity_ids[network.ports.commodity[port]],
            plant=network.plant_ids[network.ports.plant[port]],
        )
        problems.append(Problem(text))
    if problems:
        raise UserError(problems)


def share_data(shares: Shares, things: Things, first_row: int) -> Data:
    """Return the shares of things that take part as data; their rows are counted on from ``first_row``."""
    result = np.where(shares.split, np.append(things.arc, -1)[np.where(shares.split, shares.result, -1)], -1)
    ports = np.append(things.port, -1)
    result = np.where(shares.split, result, ports[np.where(shares.split, -1, shares.result)])
    base = ports[shares.base]
    kept = np.flatnonzero((result >= 0) & (base >= 0))
    return Data(
        ["share" if split else "yield" for split in shares.split[kept].tolist()],
        ["measurement"] * kept.size,
        shares.result[kept],
        shares.row[kept] + first_row,
        shares.value[kept],
        shares.sd[kept],
        shares.given[kept],
        sp.csr_array((kept.size, things.size)),
        np.stack([result[kept], base[kept]], axis=1),
        np.full(kept.size, -1),
    )
