"""Stores of plants and sites: flow balance in less out equals the stock change; levels link the years."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from cyclopolis.industry.metabolism.plan_reconcile_extras import GOODS, Extras, Measured, with_doubt
from cyclopolis.industry.metabolism.plan_reconcile_problem import Things, is_open
from cyclopolis.network import Network
from cyclopolis.network.model import Ints
from cyclopolis.network.places import ancestry

_STORE = ("plant", "site", "commodity")


def add_stores(
    extras: Extras, network: Network, years: Sequence[tuple[int, Things]], changes: pl.DataFrame, first_row: int
) -> dict[int, dict[int, int]]:
    """Add stock changes and levels, and return the thing that goes into store at each port, by year and port.

    Parameters
    ----------
    extras : Extras
        What is added to.
    network : Network
    years : sequence of (int, Things)
        Years that are reconciled.
    changes : polars.DataFrame
        The plan's table ``stock_changes``.
    first_row : int
        Position of its first row among the rows of all tables that reconciliation reads.

    Notes
    -----
    What goes into store at an output is made and not delivered; at an input it is received and not used. The store of
    a site is open to all ports of its commodity in the site and the sites inside. A store of which a year says nothing
    has an unknown change in that year, not none.
    """
    into: dict[int, dict[int, int]] = {year: {} for year, _ in years}
    rows = with_doubt(changes, pl.coalesce("change", "level"), "stock", first_row)
    for key, group in rows.sort(*_STORE, "year", "row", nulls_last=True).group_by(_STORE, maintain_order=True):
        names = dict(zip(_STORE, key, strict=True))
        ports = _ports(network, names)
        open_ports = {year: [at for at in ports.tolist() if is_open(network, things, at)] for year, things in years}
        if not any(open_ports.values()):
            extras.lost.append((names["plant"], str(names["commodity"]), "stock_not_placed"))
            continue
        change = _one_store(extras, network, names, group, [year for year, _ in years])
        for year, _ in years:
            _connect(extras, network, change[year], year, open_ports[year], into)
    return into


def _ports(network: Network, store: Mapping[str, Any]) -> Ints:
    """Return the ports at a store."""
    ports = network.ports
    if store["commodity"] not in network.commodity_ids:
        return np.zeros(0, dtype=np.int64)
    right = ports.commodity == network.commodity_ids.index(store["commodity"])
    if store["plant"] is not None:
        right &= ports.plant == network.plant_ids.index(store["plant"])
    else:
        site, above = ancestry(network.parent)
        inside = site[above == network.site_ids.index(store["site"])]
        right &= np.isin(network.plants.site[ports.plant], inside)
    return np.flatnonzero(right)


def _one_store(
    extras: Extras, network: Network, names: Mapping[str, Any], rows: pl.DataFrame, years: Sequence[int]
) -> dict[int, int]:
    """Add the changes and levels of one store; return the change of each year."""
    unit = str(network.commodities["unit"][network.commodity_ids.index(names["commodity"])])
    shared = {**names, "layer": GOODS}
    levels = rows.filter(pl.col("level").is_not_null())["year"].to_list()
    span = range(min(levels), max(levels) + 1) if levels else range(0)
    stated = rows.filter(pl.col("change").is_not_null())["year"].to_list()
    wanted = sorted({*years, *stated, *span[1:]})
    change = {year: extras.add(kind="stock_change", unit=f"{unit}/a", year=year, **shared) for year in wanted}
    level = {year: extras.add(kind="stock_level", unit=unit, year=year, **shared) for year in span}
    for year in span[1:]:
        line = {level[year]: 1.0, level[year - 1]: -1.0, change[year]: -1.0}
        extras.lines.append((line, f"stock {names['plant'] or names['site']}:{names['commodity']} {year}"))
    for row in rows.filter(pl.col("amount").is_not_null()).iter_rows(named=True):
        thing = change[row["year"]] if row["level"] is None else level[row["year"]]
        extras.measured.append(Measured(thing, row["row"], row["amount"], row["sd"], row["given"]))
    return change


def _connect(
    extras: Extras, network: Network, change: int, year: int, ports: Sequence[int], into: Mapping[int, dict[int, int]]
) -> None:
    """Say what goes into store at each port: the change itself at the only one, else parts that sum to it.

    A port at two stores gives to their sum.
    """
    parts = [change] if len(ports) == 1 else []
    for port in ports if len(ports) > 1 else ():
        at = network.ports
        parts.append(
            extras.add(
                kind="stock_change",
                plant=network.plant_ids[at.plant[port]],
                commodity=network.commodity_ids[at.commodity[port]],
                direction="out" if at.coefficient[port] > 0 else "in",
                unit=f"{network.commodities['unit'][int(at.commodity[port])]}/a",
                layer=GOODS,
                year=year,
            )
        )
    if len(parts) > 1:
        store = extras.rows[change - extras.start]
        extras.lines.append(({change: 1.0, **dict.fromkeys(parts, -1.0)}, f"stock {store['site']} {year}"))
    for port, part in zip(ports, parts, strict=True):
        if port not in into[year]:
            into[year][port] = part
            continue
        both = extras.add(**{**extras.rows[into[year][port] - extras.start], "site": None})
        extras.lines.append(
            (
                {both: 1.0, into[year][port]: -1.0, part: -1.0},
                f"stocks {extras.rows[both - extras.start]['plant']} {year}",
            )
        )
        into[year][port] = both
