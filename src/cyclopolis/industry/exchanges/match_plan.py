"""What a plan leaves unused and buys, as offers and needs."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from cyclopolis.industry.exchanges.match_block import SIDE
from cyclopolis.industry.exchanges.match_words import ALL_YEAR, Vocabulary, vocabulary
from cyclopolis.industry.metabolism.plan_reconcile import settled_amounts
from cyclopolis.library.lexicon import lexicon
from cyclopolis.network import Flows, Network, base_flows, compile_network, left_at_ports
from cyclopolis.network.model import BUY, EXISTING, PROVENANCE, ROLES, Bools, Floats, Ints
from cyclopolis.network.names import pick
from cyclopolis.network.places import floats, read_places
from cyclopolis.plan import Plan

PLAN_BASES = ("exact", "substitution", "kind", "narrower", "industry", "text")
"""Relations that count in a plan: processing is the business of `chains`, a use is already in the taker's recipe."""
STATUS = ("existing", "planned", "candidate")
LIKE = 0.9
"""How surely a commodity of the user's own is what its name says (assumed)."""
FIRST, LAST = 0, 9999


@dataclass(frozen=True)
class Sides:
    """Offers and needs for the join, and one row per listing that says what it is.

    Parameters
    ----------
    offers, needs : polars.DataFrame
        As `SIDE`.
    listings : polars.DataFrame
        ``row, listing, side, plant, site, concept, text, amount, unit, main_t, status, provenance, lon, lat``.
    words : Vocabulary
    """

    offers: pl.DataFrame
    needs: pl.DataFrame
    listings: pl.DataFrame
    words: Vocabulary


def plan_sides(plan: Plan, *, planned: bool = True) -> tuple[Sides, Network, Flows]:
    """Return the unused outputs and bought inputs of a plan's base year, and what they were read from.

    Unused is what leaves by a fate, has nowhere to go, or is a by-product without a price that would just go outside;
    bought is what no plant of the place gives. Plants that do not
    stand yet need what their recipe takes at their capacity.
    """
    network = compile_network(plan, settled=settled_amounts(plan))
    flows = base_flows(network)
    words = vocabulary(plan.library, _own_names(plan), bases=PLAN_BASES)
    table = _ports(plan, network, flows, planned=planned)
    listings = table.with_columns(listing=pl.col("plant") + ":" + pl.col("concept")).with_row_index("row")
    listings = listings.with_columns(pl.col("row").cast(pl.Int64))
    return Sides(_side(listings, "offer", words), _side(listings, "need", words), listings, words), network, flows


def _own_names(plan: Plan) -> list[tuple[str, str | None, float]]:
    """Return the plan's own commodities with what their names mean."""
    found: list[tuple[str, str | None, float]] = []
    known = set(lexicon().concepts)
    for row in plan.tables["commodities"].sort("commodity").iter_rows(named=True):
        if row["commodity"] in known:
            continue
        texts = [row[name] for name in ("name", "name_zh", "commodity") if row[name]]
        meanings = [lexicon().meaning(text) for text in texts]
        things = [(meaning.things[0], meaning.sure) for meaning in meanings if meaning.things]
        like, sure = max(things, key=lambda pair: pair[1], default=(None, 0.0))
        found.append((row["commodity"], like, LIKE * sure))
    return found


def _ports(plan: Plan, network: Network, flows: Flows, *, planned: bool) -> pl.DataFrame:
    """Return one row per port with something unused or bought."""
    ports, plants = network.ports, network.plants
    output = ports.coefficient > 0
    standing = plants.status[ports.plant] == EXISTING
    emission = (network.commodities["kind"] == "emission").to_numpy()[ports.commodity]
    open_port = ~emission & ~ports.natural
    unknown = standing & np.isnan(plants.activity[ports.plant])
    amount, price = _unused_and_bought(network, flows)
    future = ~standing & ~output & planned & ~(plants.library[ports.plant])
    size = plants.capacity[ports.plant]
    amount = np.where(future, -ports.coefficient * size, amount)
    amount = np.where(unknown, np.nan, amount)
    use = np.flatnonzero(open_port & ((standing & ((amount > 0) | unknown)) | future))
    main = plants.main[ports.plant[use]]
    run = np.where(future[use], size[use], np.nan_to_num(plants.activity[ports.plant[use]]))
    places = read_places(plan.tables["sites"])
    site = plants.site[ports.plant[use]]
    lon, lat = _coordinates(plan, places.located[site])
    return pl.DataFrame(
        {
            "side": np.where(output[use], "offer", "need"),
            "plant": pick(network.plant_ids, ports.plant[use]),
            "site": pick(network.site_ids, site),
            "concept": pick(network.commodity_ids, ports.commodity[use]),
            "text": pl.Series([None] * use.size, dtype=pl.String),
            "amount": amount[use],
            "unit": network.commodities["unit"].gather(ports.commodity[use]),
            "price": price[use],
            "main_t": run * network.t_per_unit[ports.commodity[np.maximum(main, 0)]],
            "status": pick(STATUS, plants.status[ports.plant[use]]),
            "provenance": pick(PROVENANCE, np.maximum(ports.provenance, plants.provenance[ports.plant])[use]),
            "lon": lon,
            "lat": lat,
            "near": places.near[site],
            "owner": ports.plant[use],
            "technology": pick(network.technology_ids, plants.technology[ports.plant[use]]),
            "first": np.where(future[use], np.nan_to_num(plants.build_from[ports.plant[use]], nan=FIRST), FIRST),
            "park": places.park[site],
        }
    ).with_columns(pl.col("amount", "price", "main_t", "lon", "lat").fill_nan(None), pl.col("first").cast(pl.Int32))


def _unused_and_bought(network: Network, flows: Flows) -> tuple[Floats, Floats]:
    """Return what each port leaves unused or buys (J,), and CNY per unit that this costs: disposal or price (NaN)."""
    ports, markets, trades, fates = network.ports, network.markets, network.trades, network.fates
    size = ports.plant.size
    left = np.maximum(left_at_ports(network, flows), 0.0)
    amount = np.where(left > 1e-9 * np.abs(left).max(initial=0.0), left, 0.0)
    buying = markets.direction[trades.market] == BUY
    bought = np.where(buying, flows.trade, 0.0)
    amount = amount + np.bincount(trades.port, weights=bought, minlength=size)
    amount = amount + np.bincount(fates.port, weights=flows.fate, minlength=size)
    idle = markets.implied[trades.market] & ~buying & np.isnan(markets.price[trades.market])
    idle &= ports.role[trades.port] != ROLES.index("main")
    amount = amount + np.bincount(trades.port, weights=np.where(idle, flows.trade, 0.0), minlength=size)
    cost = np.full(size, np.nan)
    ask = np.where(buying, markets.price[trades.market], np.nan)
    known = np.isfinite(ask)
    np.fmin.at(cost, trades.port[known], ask[known])
    paid = np.bincount(trades.port, weights=np.where(known, bought * np.nan_to_num(ask), 0.0), minlength=size)
    base = np.bincount(trades.port, weights=np.where(known, bought, 0.0), minlength=size)
    cost = np.where(base > 0, paid / np.where(base > 0, base, 1.0), cost)
    out = np.isfinite(fates.cost)
    np.fmin.at(cost, fates.port[out], fates.cost[out])
    return amount, cost


def _coordinates(plan: Plan, located: Ints) -> tuple[Floats, Floats]:
    """Return degrees of each place (NaN: unknown) by the position of the nearest place around it that has them."""
    sites = plan.tables["sites"].sort("site")
    lon, lat = floats(sites["lon"]), floats(sites["lat"])
    known: Bools = located >= 0
    return np.where(known, lon[np.maximum(located, 0)], np.nan), np.where(known, lat[np.maximum(located, 0)], np.nan)


def _side(listings: pl.DataFrame, side: str, words: Vocabulary) -> pl.DataFrame:
    """Return one side as the join reads it."""
    rows = listings.filter(pl.col("side") == side)
    places = {name: place for place, name in enumerate(words.technologies)}
    units = {unit: place for place, unit in enumerate(listings["unit"].unique().sort().to_list())}
    return rows.select(
        "row",
        "lon",
        "lat",
        "amount",
        "first",
        "price",
        "owner",
        "near",
        concept=words.positions(rows["concept"]),
        unit=pl.col("unit").replace_strict(units, return_dtype=pl.Int32),
        months=pl.lit(ALL_YEAR),
        last=pl.lit(LAST),
        technology=pl.col("technology").replace_strict(places, default=-1, return_dtype=pl.Int32),
        fit=pl.lit(1.0),
    ).select(pl.col(name).cast(dtype) for name, dtype in SIDE.items())


def plan_exchanges(network: Network, flows: Flows) -> pl.DataFrame:
    """Return what flows between plants in the base year: ``from_plant, to_plant, commodity``."""
    arcs, ports = network.arcs, network.ports
    use = np.flatnonzero(flows.arc > 0)
    return pl.DataFrame(
        {
            "from_plant": pick(network.plant_ids, ports.plant[arcs.giver[use]]),
            "to_plant": pick(network.plant_ids, ports.plant[arcs.taker[use]]),
            "commodity": pick(network.commodity_ids, ports.commodity[arcs.giver[use]]),
        }
    )
