"""A state of the network as tables in the plan's words: flows, ports, prices. Balance and design share them."""

import numpy as np
import polars as pl

from cyclopolis.network import Flows, Network, left_at_ports, port_amounts
from cyclopolis.network.model import BUY, PROVENANCE, ROLES, SELL, SUBSTITUTION, Floats, Ints
from cyclopolis.network.names import pick

ARC_KINDS = ("internal", "supply", "exchange", "substitution")
"""Kinds of flow between plants, by the code of `Arcs.kind`."""
_MEASURED, _COMPUTED = PROVENANCE.index("measured"), PROVENANCE.index("computed")


def port_provenance(network: Network) -> Ints:
    """Return where each port's amount comes from (J,): measured, or the weaker of coefficient and activity."""
    ports, plants = network.ports, network.plants
    weaker = np.maximum(ports.provenance, plants.provenance[ports.plant])
    own = np.where(np.arange(ports.plant.size) == plants.main[ports.plant], plants.provenance[ports.plant], weaker)
    return np.where(ports.provenance == _MEASURED, _MEASURED, own)


def _origin(network: Network, *, base: bool) -> Ints:
    """Return where the amounts at each port come from (J,); those of any state but the base year are computed."""
    return port_provenance(network) if base else np.full(network.ports.plant.size, _COMPUTED)


def flows_table(network: Network, flows: Flows, *, base: bool = True) -> pl.DataFrame:
    """Return every flow of a state, one row each, as documented in ``columns.csv``; flows of nothing are left out.

    Parameters
    ----------
    network : Network
    flows : Flows
    base : bool
        Whether the state is the base year; the amounts of any other state are ``computed``.
    """
    parts = [
        _between(network, flows, base=base),
        _traded(network, flows, base=base),
        _left(network, flows, base=base),
        _natural(network, flows, base=base),
        _unplaced(network, flows, base=base),
        _stored(network, flows, base=base),
    ]
    table = pl.concat(parts).sort(
        "from_plant", "to_plant", "commodity", "kind", "as_commodity", "place", "row", nulls_last=True
    )
    name = pl.concat_str(
        pl.coalesce("from_plant", "giver"),
        pl.lit(">"),
        pl.coalesce("to_plant", "taker"),
        pl.lit(":"),
        "commodity",
        pl.when(pl.col("as_commodity").is_not_null()).then("=" + pl.col("as_commodity")).otherwise(pl.lit("")),
    )
    table = table.with_columns(flow=name).with_columns(again=pl.int_range(1, pl.len() + 1).over("flow"))
    repeated = pl.concat_str("flow", pl.lit("#"), "again")
    return table.with_columns(flow=pl.when(pl.col("again") > 1).then(repeated).otherwise("flow")).select(_COLUMNS)


_COLUMNS = (
    "flow",
    "kind",
    "from_plant",
    "to_plant",
    "from_site",
    "to_site",
    "commodity",
    "as_commodity",
    "amount",
    "unit",
    "mass_t",
    "money_cny",
    "transport_cny",
    "distance_km",
    "provenance",
    "price_provenance",
)


def _rows(
    network: Network,
    *,
    kind: pl.Series,
    amount: Floats,
    commodity: Ints,
    provenance: Ints,
    from_plant: Ints | None = None,
    to_plant: Ints | None = None,
    outside: Ints | None = None,
    ends: tuple[str, str] = ("outside", "outside"),
    substituted: Ints | None = None,
    money: Floats | None = None,
    transport: Floats | None = None,
    distance: Floats | None = None,
    price_provenance: Ints | None = None,
) -> pl.DataFrame:
    """Return rows of one sort of flow; positions of -1 and numbers that are NaN become null."""
    none, blank = np.full(amount.size, -1), np.full(amount.size, np.nan)
    giver, taker = none if from_plant is None else from_plant, none if to_plant is None else to_plant
    place = none if outside is None else outside
    site = network.plants.site
    weight = network.t_per_unit[commodity]
    priced = none if price_provenance is None else price_provenance
    table = pl.DataFrame(
        {
            "kind": kind,
            "from_plant": pick(network.plant_ids, giver),
            "to_plant": pick(network.plant_ids, taker),
            "from_site": pick(network.site_ids, np.where(giver >= 0, site[giver], place) if site.size else none),
            "to_site": pick(network.site_ids, np.where(taker >= 0, site[taker], place) if site.size else none),
            "commodity": pick(network.commodity_ids, commodity),
            "as_commodity": pick(network.commodity_ids, none if substituted is None else substituted),
            "amount": amount,
            "unit": network.commodities["unit"].gather(commodity),
            "mass_t": amount * weight,
            "money_cny": blank if money is None else money,
            "transport_cny": blank if transport is None else transport,
            "distance_km": blank if distance is None else distance,
            "provenance": pick(PROVENANCE, provenance),
            "price_provenance": pick(PROVENANCE, priced),
            "giver": pl.Series([ends[0]] * amount.size, dtype=pl.String),
            "taker": pl.Series([ends[1]] * amount.size, dtype=pl.String),
            "place": pick(network.site_ids, place),
            "row": np.arange(amount.size),
        }
    )
    numbers = ("mass_t", "money_cny", "transport_cny", "distance_km")
    named = pl.coalesce("place", "giver"), pl.coalesce("place", "taker")
    return table.with_columns(pl.col(*numbers).fill_nan(None), giver=named[0], taker=named[1])


def _said(kind: str, size: int) -> pl.Series:
    return pl.Series([kind] * size, dtype=pl.String)


def _between(network: Network, flows: Flows, *, base: bool) -> pl.DataFrame:
    """Flows from plant to plant; what one pays the other is not known."""
    arcs, ports = network.arcs, network.ports
    use = np.flatnonzero(flows.arc > 0)
    giver, taker, amount = arcs.giver[use], arcs.taker[use], flows.arc[use]
    origin = _origin(network, base=base)
    shared = np.maximum(origin[giver], origin[taker])
    stated = arcs.exchange_provenance[use]
    provenance = np.where(
        stated >= 0, np.maximum(stated, np.where(np.isinf(arcs.exchange[use]), shared, stated)), shared
    )
    return _rows(
        network,
        kind=pick(ARC_KINDS, arcs.kind[use]),
        amount=amount,
        commodity=ports.commodity[giver],
        provenance=provenance if base else shared,
        from_plant=ports.plant[giver],
        to_plant=ports.plant[taker],
        substituted=np.where(arcs.kind[use] == SUBSTITUTION, ports.commodity[taker], -1),
        transport=arcs.cost[use] * amount,
        distance=arcs.distance[use],
    )


def _traded(network: Network, flows: Flows, *, base: bool) -> pl.DataFrame:
    """Purchases and sales."""
    ports, markets, trades = network.ports, network.markets, network.trades
    origin = _origin(network, base=base)
    tables = []
    for direction, kind, sign in ((BUY, "purchase", -1.0), (SELL, "sale", 1.0)):
        use = np.flatnonzero((flows.trade > 0) & (markets.direction[trades.market] == direction))
        port, market, amount = trades.port[use], trades.market[use], flows.trade[use]
        plant = ports.plant[port]
        tables.append(
            _rows(
                network,
                kind=_said(kind, use.size),
                amount=amount,
                commodity=ports.commodity[port],
                provenance=origin[port],
                from_plant=plant if direction == SELL else None,
                to_plant=plant if direction == BUY else None,
                outside=markets.site[market],
                money=sign * markets.price[market] * amount,
                price_provenance=np.where(np.isnan(markets.price[market]), -1, markets.provenance[market]),
            )
        )
    return pl.concat(tables)


def _left(network: Network, flows: Flows, *, base: bool) -> pl.DataFrame:
    """Return what leaves by its lawful way out, by fate."""
    ports, fates = network.ports, network.fates
    origin = _origin(network, base=base)
    tables = []
    for code, name in enumerate(network.fate_ids):
        use = np.flatnonzero((flows.fate > 0) & (fates.fate == code))
        port, amount = fates.port[use], flows.fate[use]
        tables.append(
            _rows(
                network,
                kind=_said(name, use.size),
                amount=amount,
                commodity=ports.commodity[port],
                provenance=origin[port],
                from_plant=ports.plant[port],
                ends=("outside", name),
                money=0.0 - fates.cost[use] * amount,
                price_provenance=np.where(np.isnan(fates.cost[use]), -1, fates.provenance[use]),
            )
        )
    return pl.concat([_nothing(network), *tables])


def _nothing(network: Network) -> pl.DataFrame:
    none = np.zeros(0, dtype=np.int64)
    return _rows(network, kind=_said("sale", 0), amount=np.zeros(0), commodity=none, provenance=none)


def _natural(network: Network, flows: Flows, *, base: bool) -> pl.DataFrame:
    """Return what nature gives (or takes back) free of charge."""
    amount = port_amounts(flows.activity, network.ports.plant, network.ports.coefficient)
    return _open_ends(network, np.where(network.ports.natural, amount, 0.0), "natural", ("nature", "nature"), base=base)


def _unplaced(network: Network, flows: Flows, *, base: bool) -> pl.DataFrame:
    """Return what has no known source or nowhere to go."""
    return _open_ends(network, unplaced(network, flows), "unplaced", ("unknown", "nowhere"), base=base)


def _stored(network: Network, flows: Flows, *, base: bool) -> pl.DataFrame:
    """Return what goes from a plant into store or comes out of it."""
    ports, origin = network.ports, _origin(network, base=base)
    stock = np.zeros(ports.plant.size) if flows.stock is None else flows.stock
    tables = []
    for into in (True, False):
        use = np.flatnonzero((stock if into else -stock) > 0)
        tables.append(
            _rows(
                network,
                kind=_said("stock", use.size),
                amount=np.abs(stock[use]),
                commodity=ports.commodity[use],
                provenance=np.maximum(origin[use], _COMPUTED),
                from_plant=ports.plant[use] if into else None,
                to_plant=None if into else ports.plant[use],
                ends=("stock", "stock"),
            )
        )
    return pl.concat(tables)


def unplaced(network: Network, flows: Flows) -> Floats:
    """Return what no flow explains at each port (J,), rounding apart."""
    left = left_at_ports(network, flows)
    amount = port_amounts(flows.activity, network.ports.plant, network.ports.coefficient)
    return np.where(left > 1e-9 * amount, left, 0.0)


def _open_ends(network: Network, amount: Floats, kind: str, ends: tuple[str, str], *, base: bool) -> pl.DataFrame:
    ports = network.ports
    origin = _origin(network, base=base)
    tables = []
    for output in (True, False):
        use = np.flatnonzero((amount > 0) & ((ports.coefficient > 0) == output))
        tables.append(
            _rows(
                network,
                kind=_said(kind, use.size),
                amount=amount[use],
                commodity=ports.commodity[use],
                provenance=origin[use],
                from_plant=ports.plant[use] if output else None,
                to_plant=None if output else ports.plant[use],
                ends=ends,
            )
        )
    return pl.concat(tables)


def ports_table(network: Network, flows: Flows) -> pl.DataFrame:
    """Return the amount at every port of plants that stand, as documented in ``columns.csv``."""
    ports, plants = network.ports, network.plants
    unknown = np.isnan(plants.activity)
    run = np.where(unknown, np.nan, flows.activity)[ports.plant]
    amount = np.abs(ports.coefficient) * run
    shown = (flows.activity[ports.plant] > 0) | unknown[ports.plant]
    table = pl.DataFrame(
        {
            "plant": pick(network.plant_ids, ports.plant),
            "commodity": pick(network.commodity_ids, ports.commodity),
            "direction": pl.Series(np.where(ports.coefficient > 0, "out", "in"), dtype=pl.String),
            "role": pick(ROLES, ports.role),
            "amount": amount,
            "unit": network.commodities["unit"].gather(ports.commodity),
            "mass_t": amount * network.t_per_unit[ports.commodity],
            "recipe_amount": np.abs(ports.recipe) * run,
            "provenance": pick(PROVENANCE, port_provenance(network)),
        }
    )
    table = table.filter(pl.Series(shown, dtype=pl.Boolean))
    return table.with_columns(pl.col("amount", "mass_t", "recipe_amount").fill_nan(None)).sort("plant", "commodity")


def prices_table(network: Network, flows: Flows) -> pl.DataFrame:
    """Return the prices used that do not come from the plan, with the amounts that they price."""
    ports, markets, trades, fates = network.ports, network.markets, network.trades, network.fates
    market = trades.market
    rows = pl.concat(
        [
            pl.DataFrame(
                {
                    "commodity": pick(network.commodity_ids, ports.commodity[trades.port]),
                    "direction": pl.Series(np.where(markets.direction[market] == BUY, "buy", "sell"), dtype=pl.String),
                    "price": markets.price[market],
                    "unit": network.commodities["unit"].gather(ports.commodity[trades.port]),
                    "provenance": pick(PROVENANCE, markets.provenance[market]),
                    "amount": flows.trade,
                }
            ),
            pl.DataFrame(
                {
                    "commodity": pick(network.commodity_ids, ports.commodity[fates.port]),
                    "direction": _said("dispose", fates.port.size),
                    "price": fates.cost,
                    "unit": network.commodities["unit"].gather(ports.commodity[fates.port]),
                    "provenance": pick(PROVENANCE, fates.provenance),
                    "amount": flows.fate,
                }
            ).filter(pl.col("price") != 0),
        ]
    )
    used = rows.filter((pl.col("amount") > 0) & (pl.col("provenance") != "user"))
    keys = ["commodity", "direction", "price", "unit", "provenance"]
    totals = used.group_by(keys).agg(pl.col("amount").sort().sum()).sort(keys)
    return totals.with_columns(pl.col("price").fill_nan(None))
