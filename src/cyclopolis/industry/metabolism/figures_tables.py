"""What the pictures of a balance draw, as tables: links of each Sankey diagram, residuals, the network map.

Every figure is drawn from the table of its own name (the map from two), so that what is seen can be read and checked.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
import scipy.sparse as sp

from cyclopolis.industry.metabolism.accounts import mass_weights
from cyclopolis.industry.metabolism.spread import Doubt
from cyclopolis.network import Flows, Network
from cyclopolis.network.names import pick
from cyclopolis.network.places import nearest_ancestor, positions

SOURCE = {"purchase": "bought", "natural": "nature", "unplaced": "no_source", "stock": "from_stock"}
"""Ends of the place where a kind of flow starts; any other kind keeps its own name."""
TARGET = {"sale": "sold", "unplaced": "no_way_out", "natural": "nature", "stock": "to_stock"}
"""Ends of the place where a kind of flow stops."""
BETWEEN = ("internal", "supply", "exchange", "substitution")
"""Kinds of flow from plant to plant."""
_SMALL = 1e-6
"""Differences below this share of what passes are rounding."""


def picture_tables(
    network: Network, flows: Flows, rows: pl.DataFrame, doubt: Doubt, sites: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Return the tables behind the Sankey diagrams and the map, as documented in ``columns.csv``.

    Parameters
    ----------
    network : Network
    flows : Flows
    rows : polars.DataFrame
        The flows as a table.
    doubt : Doubt
        Standard deviations of what the state rests on.
    sites : polars.DataFrame
        The plan's sites with ``lon`` and ``lat``.
    """
    ports = _ports(network, flows)
    passing = _passing(rows, ports, network)
    plants = pl.DataFrame(
        {
            "plant": pl.Series(network.plant_ids, dtype=pl.String),
            "chain": pick(network.chain_ids, network.chain[network.plants.technology]),
            "site": pick(network.site_ids, network.plants.site),
        }
    )
    chain = plants.select("plant", group="chain:" + pl.col("chain").fill_null(""))
    site = plants.select("plant", group="site:" + pl.col("site"))
    group = network.commodities.select("commodity", node=pl.lit("group:") + commodity_group())
    good = network.commodities.select("commodity", node=pl.lit("commodity:") + pl.col("commodity"))
    long = {
        "links_by_chain": _by_members(passing, ports, chain),
        "links_by_site": _by_members(passing, ports, site),
        "links_by_group": _by_node(passing, group),
        "links_by_commodity": _by_node(passing, good),
    }
    found = {name: link_table(network, parts, doubt) for name, parts in long.items()}
    return found | {"network_map": _map_links(network, rows, ports, doubt), "network_map_plants": _map(network, sites)}


def commodity_group() -> pl.Expr:
    """Return the group of each commodity: emission, natural, solid_waste, fuel, gas, liquid or solid.

    The first that fits: emissions; what nature gives; what has a class of solid waste; what has a heating value; then
    by the state in which it moves.
    """
    return (
        pl.when(pl.col("kind") == "emission")
        .then(pl.lit("emission"))
        .when(pl.col("natural").fill_null(value=False))
        .then(pl.lit("natural"))
        .when(pl.col("sw_code").is_not_null())
        .then(pl.lit("solid_waste"))
        .when(pl.col("lhv_gj_per_unit") > 0)
        .then(pl.lit("fuel"))
        .when(pl.col("state").is_in(["gas", "vapour"]))
        .then(pl.lit("gas"))
        .when(pl.col("state").is_in(["liquid", "dissolved", "slurry"]))
        .then(pl.lit("liquid"))
        .otherwise(pl.lit("solid"))
    )


def _ports(network: Network, flows: Flows) -> pl.DataFrame:
    """Return the ports with their amount and the mass in tonnes that counts per unit of it."""
    ports = network.ports
    run = np.nan_to_num(flows.activity)[ports.plant]
    return pl.DataFrame(
        {
            "port": np.arange(ports.plant.size),
            "plant": pick(network.plant_ids, ports.plant),
            "commodity": pick(network.commodity_ids, ports.commodity),
            "direction": pl.Series(np.where(ports.coefficient > 0, "out", "in"), dtype=pl.String),
            "port_amount": np.abs(ports.coefficient) * run,
            "weight": mass_weights(network)[ports.commodity],
        }
    )


def _passing(rows: pl.DataFrame, ports: pl.DataFrame, network: Network) -> pl.DataFrame:
    """Return the flows that count in the mass balance, each with the port that it leaves (from outside: enters)."""
    counted = network.commodities.filter(pl.col("kind").is_in(["material", "emission"]))
    drawn = rows.join(counted, on="commodity", how="semi").filter(pl.col("mass_t") > 0)
    return _with_port(drawn, ports)


def _with_port(rows: pl.DataFrame, ports: pl.DataFrame) -> pl.DataFrame:
    """Return flows with ``port`` and their amount per unit that passes it."""
    placed = rows.with_columns(plant=pl.coalesce("from_plant", "to_plant"))
    found = placed.join(ports, on=["plant", "commodity"], how="left", maintain_order="left")
    return found.with_columns(share=pl.col("amount") / pl.col("port_amount"))


def _end(words: Mapping[str, str]) -> pl.Expr:
    """Return the end of the place where a flow of each kind starts or stops; a way out keeps its own name."""
    return "end:" + pl.col("kind").replace(dict(words))


def _by_members(passing: pl.DataFrame, ports: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Return parts of links between groups of plants and the ends of the place, and each group's difference."""
    ends = passing.join(members.rename({"plant": "from_plant", "group": "giver"}), on="from_plant", how="left").join(
        members.rename({"plant": "to_plant", "group": "taker"}), on="to_plant", how="left"
    )
    links = ends.select(
        source=pl.coalesce("giver", _end(SOURCE)),
        target=pl.coalesce("taker", _end(TARGET)),
        mass_t="mass_t",
        port="port",
        per_unit=pl.col("mass_t") / pl.col("port_amount"),
    )
    sign = pl.when(pl.col("direction") == "in").then(1.0).otherwise(-1.0) * pl.col("weight")
    own = ports.filter((pl.col("port_amount") > 0) & (pl.col("weight") > 0)).join(members, on="plant")
    own = own.with_columns(signed=sign, size=pl.col("weight") * pl.col("port_amount"))
    gap = (pl.col("signed") * pl.col("port_amount")).sort_by("port").sum().over("group")
    own = own.with_columns(gap=gap, whole=pl.col("size").sum().over("group"))
    own = own.filter(pl.col("gap").abs() > _SMALL * pl.col("whole"))
    less = pl.col("gap") > 0
    turned = pl.when(less).then(1.0).otherwise(-1.0) * pl.col("signed")
    gaps = own.select(
        source=pl.when(less).then("group").otherwise(pl.lit("end:excess")),
        target=pl.when(less).then(pl.lit("end:unaccounted")).otherwise("group"),
        mass_t=turned * pl.col("port_amount"),
        port="port",
        per_unit=turned,
    )
    return pl.concat([links, gaps]).filter(pl.col("source") != pl.col("target"))


def _by_node(passing: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Return parts of links from where goods come, through their node, to where they go."""
    named = passing.join(nodes, on="commodity", how="left", maintain_order="left").with_columns(
        per_unit=pl.col("mass_t") / pl.col("port_amount")
    )
    made = pl.when(pl.col("from_plant").is_not_null()).then(pl.lit("end:made")).otherwise(_end(SOURCE))
    used = pl.when(pl.col("to_plant").is_not_null()).then(pl.lit("end:used")).otherwise(_end(TARGET))
    return pl.concat(
        [
            named.select("mass_t", "port", "per_unit", source=made, target="node"),
            named.select("mass_t", "port", "per_unit", source="node", target=used),
        ]
    ).select("source", "target", "mass_t", "port", "per_unit")


def link_table(network: Network, parts: pl.DataFrame, doubt: Doubt) -> pl.DataFrame:
    """Return links with mass and standard uncertainty.

    Parameters
    ----------
    network : Network
    parts : polars.DataFrame
        Columns source, target, mass_t, port, per_unit (tonnes of the link per unit at the port).
    doubt : Doubt

    Returns
    -------
    polars.DataFrame
        Columns source, target, mass_t, sd_t, unknown.

    Notes
    -----
    A flow is, in proportion, as uncertain as the port that it leaves (or enters from outside). Ports are independent
    of each other but for a measured activity, which moves all ports of its plant; ``sd_t`` is empty where no port of
    the link has a stated range.
    """
    keyed = parts.sort("source", "target", "port", "mass_t")
    order = keyed.select("source", "target").unique(maintain_order=True).with_row_index("link")
    placed = keyed.join(order, on=["source", "target"], maintain_order="left")
    link, port = placed["link"].cast(pl.Int64).to_numpy(), placed["port"].to_numpy()
    sd, unknown = link_spread(network, link, port, placed["per_unit"].to_numpy(), doubt, order.height)
    mass = np.bincount(link, weights=placed["mass_t"].to_numpy(), minlength=order.height)
    table = order.select("source", "target").with_columns(
        mass_t=pl.Series(mass, dtype=pl.Float64),
        sd_t=pl.Series(sd, dtype=pl.Float64).fill_nan(None),
        unknown=pl.Series(unknown, dtype=pl.Int64),
    )
    return table.cast({"source": pl.String, "target": pl.String})


def link_spread(
    network: Network, link: np.ndarray, port: np.ndarray, per_unit: np.ndarray, doubt: Doubt, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the standard uncertainty of each link (NaN: no port has a range) and its ports without a range."""
    ports, plants = network.ports, network.plants
    size = ports.plant.size
    form = sp.csr_array((per_unit, (link, port)), shape=(count, size))
    form.sum_duplicates()
    of_plant = sp.csr_array((np.ones(size), (np.arange(size), ports.plant)), shape=(size, plants.main.size))
    shared = form * np.where(doubt.free, np.abs(ports.coefficient), 0.0)[None, :]
    moved = sp.csr_array(shared) @ of_plant * doubt.activity[None, :]
    own = sp.csr_array(form * doubt.port[None, :])
    variance = own.power(2).sum(axis=1) + sp.csr_array(moved).power(2).sum(axis=1)
    used = sp.csr_array((np.ones(form.nnz), form.indices, form.indptr), shape=form.shape)
    unknown = np.asarray(used @ doubt.unknown.astype(np.int64)).round().astype(np.int64)
    sd = np.sqrt(np.asarray(variance))
    return np.where((sd == 0) & (unknown > 0), np.nan, sd), unknown


def residuals_table(accounts: pl.DataFrame, spread: pl.DataFrame) -> pl.DataFrame:
    """Return what goes into each plant, comes out of it, and is unaccounted for, the largest first.

    Parameters
    ----------
    accounts, spread : polars.DataFrame
        Tables ``accounts`` and ``account_spread`` of the balance.
    """
    plants = accounts.filter(pl.col("scope_kind") == "plant").select(plant="scope", quantity="quantity", value="value")
    names = {"mass_in": "mass_in_t", "mass_out": "mass_out_t", "unaccounted": "unaccounted_t"}
    base = plants.select("plant").unique()
    for quantity, column in names.items():
        one = plants.filter(pl.col("quantity") == quantity).select("plant", pl.col("value").alias(column))
        base = base.join(one, on="plant", how="left")
    doubt = spread.filter(
        (pl.col("scope_kind") == "plant") & (pl.col("quantity") == "unaccounted") & (pl.col("method") == "linear")
    ).select("unknown", plant="scope", sd_t="sd", low95_t="low95", high95_t="high95")
    into = pl.col("mass_in_t")
    return (
        base.join(doubt, on="plant", how="left")
        .with_columns(
            share_pct=pl.when(into > 0).then(100 * pl.col("unaccounted_t") / into),
            unknown=pl.col("unknown").fill_null(0),
        )
        .sort(pl.col("unaccounted_t").abs(), "plant", descending=[True, False], nulls_last=True)
    )


def _map_links(network: Network, rows: pl.DataFrame, ports: pl.DataFrame, doubt: Doubt) -> pl.DataFrame:
    """Return the flows from plant to plant with their standard uncertainty."""
    between = _with_port(rows.filter(pl.col("kind").is_in(BETWEEN)), ports)
    sd, _ = link_spread(
        network,
        np.arange(between.height),
        between["port"].to_numpy(),
        between["share"].to_numpy(),
        doubt,
        between.height,
    )
    return between.with_columns(sd=pl.Series(sd, dtype=pl.Float64).fill_nan(None))


def _map(network: Network, sites: pl.DataFrame) -> pl.DataFrame:
    """Return where plants stand: the coordinates of their site, or of the nearest place around it that has some."""
    at = positions(network.site_ids, sites["site"])
    lon, lat = np.full(len(network.site_ids), np.nan), np.full(len(network.site_ids), np.nan)
    lon[at[at >= 0]] = sites["lon"].fill_null(np.nan).to_numpy()[at >= 0]
    lat[at[at >= 0]] = sites["lat"].fill_null(np.nan).to_numpy()[at >= 0]
    found = nearest_ancestor(network.parent, np.isfinite(lon) & np.isfinite(lat))
    place = found[network.plants.site]
    known = place >= 0
    return pl.DataFrame(
        {
            "plant": pl.Series(network.plant_ids, dtype=pl.String),
            "site": pick(network.site_ids, network.plants.site),
            "located_by": pick(network.site_ids, place),
            "lon": np.where(known, lon[place], np.nan) if lon.size else np.full(place.size, np.nan),
            "lat": np.where(known, lat[place], np.nan) if lat.size else np.full(place.size, np.nan),
        }
    ).with_columns(pl.col("lon", "lat").fill_nan(None))
