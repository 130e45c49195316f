"""A design as tables: what to build, what flows, what changes, what it is worth, which limits bind."""

import numpy as np
import polars as pl

from cyclopolis.design.links import links_table
from cyclopolis.design.pose import Posed
from cyclopolis.design.words import plant_name
from cyclopolis.industry.metabolism.accounts import accounts_table
from cyclopolis.industry.metabolism.balance import chain_names
from cyclopolis.industry.metabolism.flow_tables import flows_table, prices_table
from cyclopolis.network import dimension_forms, unknown_terms
from cyclopolis.network.model import BUY, EXISTING, INTERNAL, PROVENANCE, SELL, SUBSTITUTION, Floats, Flows
from cyclopolis.network.names import pick

_ARC_KINDS = ("internal", "supply", "exchange", "substitution")
_STATUS = ("existing", "planned", "candidate")


def _known(values: Floats) -> pl.Series:
    return pl.Series(values, dtype=pl.Float64).fill_nan(None)


def plants_table(posed: Posed, after: Flows) -> pl.DataFrame:
    """Return every plant that stands or is built: where, what, activity before and after."""
    network, plants = posed.network, posed.network.plants
    names = [plant_name(posed.plan, plant).names for plant in network.plant_ids]
    ports = np.maximum(plants.main, 0)
    sites = posed.plan.tables["sites"].select("site", "lon", "lat")
    table = pl.DataFrame(
        {
            "plant": network.plant_ids,
            "name": [name[0] for name in names],
            "name_zh": [name[1] for name in names],
            "site": pick(network.site_ids, plants.site),
            "technology": pick(network.technology_ids, plants.technology),
            "status": pick(_STATUS, plants.status),
            "main_commodity": pick(network.commodity_ids, network.ports.commodity[ports]),
            "before": posed.problem.base.activity,
            "after": after.activity,
            "unit": network.commodities["unit"].gather(network.ports.commodity[ports]),
        },
        schema_overrides={"plant": pl.String, "name": pl.String, "name_zh": pl.String},
    )
    shown = (plants.status == EXISTING) | (after.built > 0)
    located = table.join(sites, on="site", how="left", maintain_order="left")
    return located.filter(pl.Series(shown, dtype=pl.Boolean))


def builds_table(posed: Posed, after: Flows) -> pl.DataFrame:
    """Return the plants that the design builds, with size, capital, yearly cost of capital, jobs and land."""
    network, plants, problem = posed.network, posed.network.plants, posed.problem
    at = np.flatnonzero(after.built > 0)
    share = after.built[at] / plants.units[at]
    capital = plants.capex_fixed[at] * share + plants.capex_slope[at] * after.capacity[at]
    yearly = problem.built_cost[at] * share + problem.capacity_cost[at] * after.capacity[at]
    with np.errstate(divide="ignore", invalid="ignore"):
        jobs = plants.jobs[at] * after.capacity[at] / plants.capacity[at]
    names = [plant_name(posed.plan, network.plant_ids[plant]).names for plant in at]
    main = network.ports.commodity[np.maximum(plants.main[at], 0)]
    table = pl.DataFrame(
        {
            "plant": pick(network.plant_ids, at),
            "name": pl.Series([name[0] for name in names], dtype=pl.String),
            "name_zh": pl.Series([name[1] for name in names], dtype=pl.String),
            "site": pick(network.site_ids, plants.site[at]),
            "technology": pick(network.technology_ids, plants.technology[at]),
            "status": pick(_STATUS, plants.status[at]),
            "library": plants.library[at],
            "capacity": after.capacity[at],
            "activity": after.activity[at],
            "unit": network.commodities["unit"].gather(main),
            "capex": _known(capital),
            "capex_per_year": np.where(np.isnan(capital), np.nan, yearly),
            "jobs": _known(jobs),
            "land_ha": _known(plants.land[at] * share),
            "provenance": pick(PROVENANCE, plants.economics_provenance[at]),
        }
    )
    return table.with_columns(pl.col("capex_per_year").fill_nan(None)).sort(
        "capex", "plant", descending=[True, False], nulls_last=True
    )


def compare_accounts(posed: Posed, after: Flows) -> pl.DataFrame:
    """Return the accounts before and after with their change, every scope and quantity of either."""
    keys = ["scope_kind", "scope", "quantity", "unit"]
    before = accounts_table(posed.network, posed.problem.base).rename({"value": "before", "missing": "missing_before"})
    later = accounts_table(posed.network, after).rename({"value": "after"})
    both = later.join(before, on=keys, how="left", maintain_order="left")
    return both.select(
        "scope_kind", "scope", "quantity", "before", "after", change=pl.col("after") - pl.col("before"),
        unit="unit", missing="missing",
    )  # fmt: skip


def _alternatives(posed: Posed) -> tuple[Floats, Floats]:
    """Return what a unit costs at each port otherwise (J,): bought at the cheapest market; sold at best or disposed of.

    The second is what the giver forgoes: the best sale price, else minus the cheapest way out. NaN where there is none.
    """
    network = posed.network
    markets, trades, fates = network.markets, network.trades, network.fates
    size = network.ports.plant.size
    price = markets.price[trades.market]
    buying = (markets.direction[trades.market] == BUY) & (markets.volume_max[trades.market] > 0)
    bought = np.full(size, np.inf)
    np.minimum.at(bought, trades.port[buying], np.where(np.isnan(price[buying]), np.inf, price[buying]))
    open_sale = (markets.direction[trades.market] == SELL) & (markets.volume_max[trades.market] > 0) & ~np.isnan(price)
    given_up = np.full(size, -np.inf)
    np.maximum.at(given_up, trades.port[open_sale], price[open_sale])
    known = ~np.isnan(fates.cost)
    np.maximum.at(given_up, fates.port[known], -fates.cost[known])
    return np.where(np.isinf(bought), np.nan, bought), np.where(np.isinf(given_up), np.nan, given_up)


def exchanges_table(posed: Posed, after: Flows) -> pl.DataFrame:
    """Return every flow between two enterprises before and after, and what the change saves.

    ``saving_cny`` compares with the market: what the taker need not buy, less what the giver could have sold it for (or
    plus what its disposal would have cost), less transport; null where one of these prices is unknown. Its parts are
    ``giver_cny``, the disposal spared or (negative) the sale forgone, and ``taker_cny``, the purchase spared less
    transport, before anything that one pays the other.
    """
    network, arcs, ports = posed.network, posed.network.arcs, posed.network.ports
    before, now = posed.problem.base.arc, after.arc
    at = np.flatnonzero(((before > 0) | (now > 0)) & (arcs.kind != INTERNAL))
    giver, taker = arcs.giver[at], arcs.taker[at]
    bought, given_up = _alternatives(posed)
    taking, giving = arcs.ratio[at] * bought[taker] - np.nan_to_num(arcs.cost[at]), -given_up[giver]
    change = now[at] - before[at]
    table = pl.DataFrame(
        {
            "from_plant": pick(network.plant_ids, ports.plant[giver]),
            "to_plant": pick(network.plant_ids, ports.plant[taker]),
            "kind": pick(_ARC_KINDS, arcs.kind[at]),
            "commodity": pick(network.commodity_ids, ports.commodity[giver]),
            "as_commodity": pick(
                network.commodity_ids, np.where(arcs.kind[at] == SUBSTITUTION, ports.commodity[taker], -1)
            ),
            "before": before[at],
            "after": now[at],
            "change": change,
            "unit": network.commodities["unit"].gather(ports.commodity[giver]),
            "distance_km": _known(arcs.distance[at]),
            "transport_cny": _known(arcs.cost[at] * now[at]),
            "giver_cny": _known(giving * change),
            "taker_cny": _known(taking * change),
            "saving_cny": _known((giving + taking) * change),
            "co2_credit_t": _known(arcs.co2_credit[at] * now[at]),
        }
    )
    return table.sort("from_plant", "to_plant", "commodity", "as_commodity", nulls_last=True)


def unknowns_table(posed: Posed) -> pl.DataFrame:
    """Return what counts as absent because it is unknown, in the dimensions too, and candidates left out and why."""
    return (
        pl.concat([unknown_terms(posed.network), dimension_forms(posed.network).lacking, posed.skipped])
        .unique()
        .sort("reason", "plant", "commodity", nulls_last=True)
    )


def names_table(posed: Posed) -> pl.DataFrame:
    """Return the names of places, of the commodities that flow and of chains, in both languages."""
    network = posed.network
    sites = posed.plan.tables["sites"].select(kind=pl.lit("site"), item="site", name="name", name_zh="name_zh")
    goods = network.commodities.select(kind=pl.lit("commodity"), item="commodity", name="name", name_zh="name_zh")
    chains = pl.DataFrame(
        [("chain", name, *chain_names(name)) for name in network.chain_ids], dict.fromkeys(sites.columns, pl.String),
        orient="row",
    )  # fmt: skip
    named = pl.concat([sites, goods, chains]).with_columns(
        name=pl.coalesce("name", "name_zh", "item"), name_zh=pl.coalesce("name_zh", "name", "item")
    )
    return named.sort("kind", "item")


def design_tables(posed: Posed, after: Flows, proposed: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return all tables of a design."""
    return {
        "builds": builds_table(posed, after),
        "plants": plants_table(posed, after),
        "flows": flows_table(posed.network, after, base=False),
        "accounts": compare_accounts(posed, after),
        "exchanges": exchanges_table(posed, after),
        "links": links_table(posed, after),
        "proposed": proposed,
        "prices": prices_table(posed.network, after),
        "unknowns": unknowns_table(posed),
        "names": names_table(posed),
    }


def yearly_capital(posed: Posed, flows: Flows) -> float:
    """Return the yearly cost of the capital built, CNY per year."""
    problem = posed.problem
    return float(
        problem.built_cost @ (flows.built / problem.network.plants.units) + problem.capacity_cost @ flows.capacity
    )
