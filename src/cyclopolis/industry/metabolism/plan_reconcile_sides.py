"""What binds a plan's measurements beyond its flows: correlations of their errors, and linear relations."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp

from cyclopolis.industry.metabolism.plan_reconcile_problem import Data, Things
from cyclopolis.industry.metabolism.plan_reconcile_shares import one_arc
from cyclopolis.network import Flows, Network
from cyclopolis.network.model import Floats, Ints
from cyclopolis.network.names import find_port

_LOST = {"plant": pl.String, "commodity": pl.String, "reason": pl.String}


@dataclass(frozen=True)
class Terms:
    """Terms of the relations of a year (T).

    ``relation`` is the position among the right-hand sides ``right`` (R), ``port`` or ``arc`` is -1 where the term is
    of the other kind; ``names`` (R) says file, row and name. Relations with a term that fits no port or flow are left
    out and listed in ``lost``: plant, commodity, reason.
    """

    relation: Ints
    port: Ints
    arc: Ints
    weight: Floats
    right: Floats
    names: list[str]
    lost: pl.DataFrame


@dataclass(frozen=True)
class Sides:
    """Linear relations among things, ``matrix @ things = right``, with names; and correlations of data by position."""

    matrix: sp.csr_array
    right: Floats
    names: list[str]
    correlations: list[tuple[int, int, float]]


def read_terms(network: Network, flows: Flows, relations: pl.DataFrame, places: pl.DataFrame) -> Terms:
    """Return the relations of the network's year.

    Parameters
    ----------
    network : Network
    flows : Flows
        The base year by rule: where several arcs fit, the one that carries something is meant.
    relations, places : polars.DataFrame
        The plan's table, and file and row of each of its rows.
    """
    rows = pl.concat([relations, places.select("file", "row")], how="horizontal")
    rows = rows.filter(pl.col("year") == network.year).sort("relation", maintain_order=True)
    terms: list[tuple[int, int, int, float]] = []
    right: list[float] = []
    names: list[str] = []
    lost: list[tuple[str | None, str, str]] = []
    for (name,), group in rows.group_by("relation", maintain_order=True):
        items = list(group.iter_rows(named=True))
        found = [(_port(network, item), _arc(network, flows, item)) for item in items]
        astray = [item for item, (port, arc) in zip(items, found, strict=True) if max(port, arc) < 0]
        if astray:
            lost += [(item["plant"] or item["from_plant"], item["commodity"], "relation_not_placed") for item in astray]
            continue
        terms += [(len(right), *ends, item["coefficient"]) for item, ends in zip(items, found, strict=True)]
        right.append(float(group["amount"].sum()))
        first = min(items, key=lambda item: (item["file"], item["row"]))
        names.append(f"{first['file']}:{first['row']} {name}")
    relation, port, arc, weight = list(zip(*terms, strict=True)) if terms else [()] * 4
    return Terms(
        np.array(relation, dtype=np.int64),
        np.array(port, dtype=np.int64),
        np.array(arc, dtype=np.int64),
        np.array(weight, dtype=float),
        np.array(right, dtype=float),
        names,
        pl.DataFrame(lost, schema=_LOST, orient="row"),
    )


def _port(network: Network, item: Mapping[str, str | None]) -> int:
    if item["plant"] is None:
        return -1
    return find_port(network, item["plant"], item["commodity"] or "", output=item["direction"] == "out")


def _arc(network: Network, flows: Flows, item: Mapping[str, str | None]) -> int:
    if item["from_plant"] is None:
        return -1
    return one_arc(network, flows, item["from_plant"], item["to_plant"] or "", item["commodity"] or "")


def side_relations(terms: Terms, things: Things) -> tuple[sp.csr_array, Floats, list[str]]:
    """Return the relations among things, (R', things), their right-hand sides (R',) and names.

    A relation with a term of a plant that takes no part (one that does not stand, or stands still) is left out.
    """
    column = np.where(terms.arc >= 0, np.append(things.arc, -1)[terms.arc], np.append(things.port, -1)[terms.port])
    out = np.bincount(terms.relation, weights=column < 0, minlength=terms.right.size) > 0
    kept = np.flatnonzero(~out)
    inside = np.isin(terms.relation, kept)
    line = np.searchsorted(kept, terms.relation[inside])
    matrix = sp.csr_array((terms.weight[inside], (line, column[inside])), shape=(kept.size, things.size))
    return matrix, terms.right[kept], [terms.names[at] for at in kept.tolist()]


def correlated_data(
    data: Data, measurements: pl.DataFrame, correlations: pl.DataFrame
) -> tuple[list[tuple[int, int, float]], pl.DataFrame]:
    """Return the correlations as positions in the data with the coefficient, and those that cannot be used.

    Parameters
    ----------
    data : Data
    measurements, correlations : polars.DataFrame
        Of the plan.

    Returns
    -------
    list of (first, second, coefficient), and a table of plant, commodity and reason of measurements that take no part
    """
    rows = [(at, row) for at, row in enumerate(data.row.tolist()) if 0 <= row < measurements.height]
    ids = measurements["measurement"].to_list()
    position = {ids[row]: at for at, row in rows if ids[row] is not None}
    used, astray = [], []
    for first, second, value in correlations.select("first", "second", "coefficient").iter_rows():
        if first in position and second in position:
            used.append((position[first], position[second], float(value)))
        else:
            astray += [name for name in (first, second) if name not in position]
    lost = measurements.filter(pl.col("measurement").is_in(astray)).select(
        plant=pl.coalesce("plant", "from_plant"),
        commodity="commodity",
        reason=pl.lit("correlation_not_placed", dtype=pl.String),
    )
    return used, lost
