"""From a plan to its flow network: index maps and plain arrays, built once, shared by all engines."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain as concatenate

import numpy as np
import polars as pl

from cyclopolis.library import Library
from cyclopolis.network.arcs import (
    Ends,
    Modes,
    Pairs,
    find_arcs,
    finish_arcs,
    read_modes,
    recipe_pairs,
    substitution_pairs,
)
from cyclopolis.network.base import base_arc_flows, port_amounts
from cyclopolis.network.candidates import library_candidates, plant_rows, provenance_codes, read_plants
from cyclopolis.network.exchanges import Named, named_keys, read_exchanges
from cyclopolis.network.markets import Doors, finish_markets, implied_rows, market_rows, open_trades
from cyclopolis.network.model import EXISTING, ROLES, Arcs, Fates, Floats, Ints, Markets, Network, Plants, Ports, Trades
from cyclopolis.network.places import Places, ancestry, floats, grid_factors, positions, read_places
from cyclopolis.network.ports import base_activity, port_rows, read_measured, read_ports
from cyclopolis.plan import Plan

_UNKNOWNS = {"plant": pl.String, "commodity": pl.String, "reason": pl.String}
_MAIN, _EMISSION = ROLES.index("main"), ROLES.index("emission")


def compile_network(plan: Plan, year: int | None = None, *, candidates: bool = False) -> Network:
    """Compile a plan.

    Parameters
    ----------
    plan : Plan
        A valid plan.
    year : int, optional
        Year whose markets and grid factors hold; the base year when not given.
    candidates : bool
        Whether to add the library's technologies at sites that allow new plants.

    Returns
    -------
    Network
        Sorted by identifiers throughout, so that the order of rows in the plan changes nothing.
    """
    year = plan.meta.base_year if year is None else year
    tables, library = plan.tables, plan.library
    places = read_places(tables["sites"])
    fresh = library_candidates(tables["sites"] if candidates else tables["sites"].clear(), library.technologies)
    rows = plant_rows(tables["plants"], tables["enterprises"], fresh, library.technologies)
    measured = read_measured(tables["measurements"], plan.meta.base_year)
    activity = base_activity(rows, measured)
    standing = (rows["status"] == "existing").to_numpy()
    activity = np.where(standing, activity, 0.0)
    table, lost = port_rows(rows, library.recipes, library.commodities, measured, activity)

    commodities = library.commodities.join(table.select("commodity").unique(), on="commodity", how="semi").sort(
        "commodity"
    )
    commodity_ids = tuple(commodities["commodity"].to_list())
    technologies = library.technologies.join(rows.select("technology").unique(), on="technology", how="semi").sort(
        "technology"
    )
    technology_ids = tuple(technologies["technology"].to_list())
    chain_ids = tuple(sorted(set(technologies["chain"].drop_nulls().to_list())))
    enterprise_ids = tuple(tables["enterprises"]["enterprise"].sort().to_list())
    t_per_unit = floats(commodities["t_per_unit"])

    ports = read_ports(table, commodity_ids)
    main = _main_ports(rows, table)
    plants = read_plants(
        rows,
        site=positions(places.ids, rows["site"]),
        enterprise=positions(enterprise_ids, rows["enterprise"]),
        technology=positions(technology_ids, rows["technology"]),
        main=main,
        activity=activity,
    )
    named = read_exchanges(
        tables["exchanges"], measured, _port_names(rows, table), _rules(library.substitutions, library.recipes)
    )
    modes = read_modes(library.transport, commodities)
    arcs = _arcs(ports, plants, places, modes, commodities, technology_ids, library, named, t_per_unit)
    fates, fate_ids = _fates(ports, library.fates, commodity_ids)
    markets, trades = _markets(tables["markets"], commodities, places, ports, plants, arcs, fates, year, t_per_unit)
    plant_ids = tuple(rows["plant"].to_list())
    idle = rows.filter(pl.Series(standing & np.isnan(activity), dtype=pl.Boolean)).select(
        "plant", commodity=pl.lit(None, dtype=pl.String), reason=pl.lit("activity")
    )
    unknowns = pl.concat([pl.DataFrame(schema=_UNKNOWNS), idle, lost, named.unknowns])
    return Network(
        site_ids=places.ids,
        enterprise_ids=enterprise_ids,
        plant_ids=plant_ids,
        commodity_ids=commodity_ids,
        technology_ids=technology_ids,
        chain_ids=chain_ids,
        mode_ids=modes.ids,
        fate_ids=fate_ids,
        year=year,
        parent=places.parent,
        park=places.park,
        grid_factor=grid_factors(places, library.grid_factors, year),
        chain=positions(chain_ids, technologies["chain"]),
        commodities=commodities,
        technologies=technologies,
        t_per_unit=t_per_unit,
        plants=plants,
        ports=ports,
        arcs=arcs,
        markets=markets,
        trades=trades,
        fates=fates,
        exclusions=_exclusions(tables["exclusions"], plant_ids),
        unknowns=unknowns.unique().sort("reason", "plant", "commodity", nulls_last=True),
    )


def _main_ports(rows: pl.DataFrame, table: pl.DataFrame) -> Ints:
    """Return the port of each plant's main commodity (-1: its measured amounts cancel)."""
    ports = table.select("commodity", plant_row="plant_row", port=pl.int_range(pl.len(), dtype=pl.Int64))
    plants = rows.select(plant_row=pl.int_range(pl.len(), dtype=pl.Int64), commodity="main_commodity")
    found = plants.join(ports, on=["plant_row", "commodity"], how="left", maintain_order="left")
    return found["port"].fill_null(-1).to_numpy()


def _port_names(rows: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Return each port with the identifiers of its plant, commodity and technology."""
    plants = rows.select("plant", "technology", plant_row=pl.int_range(pl.len(), dtype=pl.Int64))
    return table.select(
        "plant_row", "commodity", port=pl.int_range(pl.len(), dtype=pl.Int64), output=pl.col("coefficient") > 0
    ).join(plants, on="plant_row", how="left", maintain_order="left")


def _rules(substitutions: pl.DataFrame, recipes: pl.DataFrame) -> pl.DataFrame:
    """Return the true substitutions: those of a waste that the technology's recipe does not take anyway."""
    taken = recipes.filter(pl.col("direction") == "in").select("technology", "commodity")
    return (
        substitutions.filter(pl.col("ratio") > 0)
        .join(taken, on=["technology", "commodity"], how="anti")
        .unique(["commodity", "technology", "displaced"], keep="last", maintain_order=True)
        .sort("commodity", "technology", "displaced")
        .select("commodity", "technology", "displaced", "ratio")
    )


def _arcs(
    ports: Ports,
    plants: Plants,
    places: Places,
    modes: Modes,
    commodities: pl.DataFrame,
    technology_ids: tuple[str, ...],
    library: Library,
    named: Named,
    t_per_unit: Floats,
) -> Arcs:
    """Find the arcs by recipe, by substitution and by the plan's own word."""
    emission = (commodities["kind"] == "emission").to_numpy()[ports.commodity]
    open_port = ~emission & ~ports.natural
    output, wanted = (
        np.flatnonzero(open_port & (ports.coefficient > 0)),
        np.flatnonzero(open_port & (ports.coefficient < 0)),
    )
    commodity_ids = tuple(commodities["commodity"].to_list())
    table = pl.DataFrame(
        {"plant": ports.plant, "commodity": ports.commodity, "technology": plants.technology[ports.plant]}
    ).with_row_index("port")
    table = table.with_columns(pl.col("port").cast(pl.Int64))
    rules = _rules(library.substitutions, library.recipes)
    rules = rules.with_columns(
        commodity=pl.Series(positions(commodity_ids, rules["commodity"])),
        displaced=pl.Series(positions(commodity_ids, rules["displaced"])),
        technology=pl.Series(positions(technology_ids, rules["technology"])),
        row=pl.int_range(pl.len(), dtype=pl.Int64),
    )
    givers = table[output].join(rules.select("commodity", "row"), on="commodity").sort("port", "row")
    takers = (
        table[wanted]
        .join(rules.select("technology", "row", commodity="displaced"), on=["technology", "commodity"])
        .sort("port", "row")
    )
    ends = Ends(
        plant=ports.plant,
        commodity=ports.commodity,
        site=plants.site[ports.plant],
        park=places.park[plants.site[ports.plant]],
        enterprise=plants.enterprise[ports.plant],
        main=ports.role == _MAIN,
    )
    batches = concatenate(
        recipe_pairs(output, wanted, ports.commodity),
        substitution_pairs(givers, takers, floats(rules["ratio"])),
        _spoken(named),
    )
    found = find_arcs(batches, ends, places, modes, named_keys(named, ports.plant.size))
    made = t_per_unit[ports.commodity[np.maximum(plants.main, 0)]]
    capped = np.isfinite(made) & (made > 0) & (plants.main >= 0)
    arcs = finish_arcs(
        found,
        table,
        _limits(library.substitutions, commodity_ids, technology_ids, t_per_unit),
        capped,
        named.amounts(found["giver"].to_numpy(), found["taker"].to_numpy()),
    )
    return _lift_caps(arcs, ports, plants, t_per_unit)


def _lift_caps(arcs: Arcs, ports: Ports, plants: Plants, t_per_unit: Floats) -> Arcs:
    """Return the arcs with no cap below what the taker's own recipe takes: a working recipe proves its own share."""
    own = np.zeros_like(arcs.cap_share)
    named = (arcs.cap_group >= 0) & (ports.commodity[arcs.giver] == ports.commodity[arcs.taker])
    taker, group = arcs.taker[named], arcs.cap_group[named]
    main = plants.main[ports.plant[taker]]
    taken = -ports.coefficient[taker] * t_per_unit[ports.commodity[taker]]
    made = np.abs(ports.coefficient[main]) * t_per_unit[ports.commodity[main]]
    np.maximum.at(own, group, taken / made)
    return replace(arcs, cap_share=np.maximum(arcs.cap_share, own))


def _spoken(named: Named) -> Iterator[Pairs]:
    """Yield the pairs that no rule of the library covers but the plan says exist."""
    table = named.table.filter(pl.col("rule").not_())
    yield Pairs(
        table["giver"].to_numpy(), table["taker"].to_numpy(), floats(table["ratio"]), np.ones(table.height, dtype=bool)
    )


def _limits(
    substitutions: pl.DataFrame, commodity_ids: tuple[str, ...], technology_ids: tuple[str, ...], t_per_unit: Floats
) -> pl.DataFrame:
    """Return the largest share and credit of each waste and technology; a waste of unknown mass has no share."""
    credit = pl.col("co2_credit") if "co2_credit" in substitutions.columns else pl.lit(None, dtype=pl.Float64)
    rows = substitutions.select(
        commodity=pl.Series(positions(commodity_ids, substitutions["commodity"])),
        technology=pl.Series(positions(technology_ids, substitutions["technology"])),
        share=pl.col("max_share_pct") / 100,
        credit=credit,
    ).filter((pl.col("commodity") >= 0) & (pl.col("technology") >= 0))
    known = pl.Series(np.flatnonzero(np.isfinite(t_per_unit) & (t_per_unit > 0)))
    return (
        rows.group_by("commodity", "technology")
        .agg(share=pl.col("share").max(), credit=pl.col("credit").max())
        .with_columns(share=pl.when(pl.col("commodity").is_in(known.implode())).then(pl.col("share")))
        .sort("commodity", "technology")
    )


def _fates(ports: Ports, fates: pl.DataFrame, commodity_ids: tuple[str, ...]) -> tuple[Fates, tuple[str, ...]]:
    """Give every output port its lawful ways out; an emission without a row is emitted free of charge."""
    rows = fates.select(
        "fate",
        "cost",
        "co2_t_per_unit",
        "provenance",
        commodity=pl.Series(positions(commodity_ids, fates["commodity"])),
    )
    outputs = pl.DataFrame(
        {"port": np.arange(ports.plant.size), "commodity": ports.commodity, "role": ports.role}
    ).filter(pl.Series((ports.coefficient > 0) & ~ports.natural, dtype=pl.Boolean))
    emitted = outputs.filter(pl.col("role") == _EMISSION).join(rows, on="commodity", how="anti")
    table = pl.concat(
        [
            outputs.join(rows, on="commodity"),
            emitted.with_columns(
                fate=pl.lit("emit"), cost=pl.lit(0.0), co2_t_per_unit=pl.lit(0.0), provenance=pl.lit("assumed")
            ),
        ],
        how="diagonal",
    ).sort("port", "fate")
    fate_ids = tuple(sorted(set(table["fate"].to_list())))
    return (
        Fates(
            port=table["port"].to_numpy(),
            fate=positions(fate_ids, table["fate"]),
            cost=floats(table["cost"]),
            co2=floats(table["co2_t_per_unit"]),
            provenance=provenance_codes(table["provenance"]),
        ),
        fate_ids,
    )


def _markets(
    table: pl.DataFrame,
    commodities: pl.DataFrame,
    places: Places,
    ports: Ports,
    plants: Plants,
    arcs: Arcs,
    fates: Fates,
    year: int,
    t_per_unit: Floats,
) -> tuple[Markets, Trades]:
    """Return explicit and implied markets; what is left of each output today sets the implied volumes."""
    emission = (commodities["kind"] == "emission").to_numpy()[ports.commodity]
    output = ports.coefficient > 0
    amount = port_amounts(plants.activity, ports.plant, ports.coefficient)
    mass = np.nan_to_num(t_per_unit)[ports.commodity]
    made = np.nan_to_num(plants.activity) * mass[np.maximum(plants.main, 0)]
    arc = base_arc_flows(amount, arcs, output, mass[arcs.giver], made[ports.plant[arcs.taker]])
    surplus = amount - np.bincount(arcs.giver, weights=arc, minlength=amount.size)
    surplus = np.where(surplus <= 1e-9 * amount, 0.0, surplus)
    standing = plants.status[ports.plant] == EXISTING
    placeless = ~np.isin(np.arange(amount.size), fates.port)
    doors = Doors(
        commodity=ports.commodity,
        site=plants.site[ports.plant],
        output=output,
        tradable=~emission & ~ports.natural,
        standing=standing,
        product=output & standing & ((ports.role == _MAIN) | placeless),
    )
    commodity_ids = tuple(commodities["commodity"].to_list())
    explicit = market_rows(table, commodity_ids, places.ids, year)
    trades = open_trades(explicit, doors, *ancestry(places.parent))
    served = np.zeros(amount.size, dtype=bool)
    served[trades["port"].to_numpy()] = True
    implied = implied_rows(doors, served, surplus, commodities)
    return finish_markets(explicit, implied, trades, doors, served)


def _exclusions(table: pl.DataFrame, plant_ids: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the groups of plants of which at most one is built."""
    rows = table.with_columns(position=pl.Series(positions(plant_ids, table["plant"]))).filter(pl.col("position") >= 0)
    groups = rows.group_by("group").agg(pl.col("position").unique().sort()).sort("group")
    return tuple(tuple(group) for group in groups["position"].to_list())
