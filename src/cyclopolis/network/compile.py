"""From a plan to its flow network: index maps and plain arrays, built once, shared by all engines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from cyclopolis.network.candidates import (
    library_candidates,
    plant_rows,
    provenance_codes,
    read_plants,
    treatment_candidates,
)
from cyclopolis.network.exchanges import Named, named_keys, read_exchanges
from cyclopolis.network.factors import read_factors, region_names
from cyclopolis.network.markets import Doors, finish_markets, implied_rows, market_rows, open_trades
from cyclopolis.network.model import EXISTING, ROLES, Arcs, Fates, Floats, Ints, Markets, Network, Plants, Ports, Trades
from cyclopolis.network.places import Places, ancestry, floats, grid_factors, positions, read_places
from cyclopolis.network.ports import Measured, base_activity, port_rows, read_measured, read_ports
from cyclopolis.network.subsidies import read_subsidies
from cyclopolis.plan import Plan

_UNKNOWNS = {"plant": pl.String, "commodity": pl.String, "reason": pl.String}
_NONE = np.zeros(0, dtype=np.int64)
_NO_MARKETS = Markets(_NONE, _NONE, _NONE, np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.bool_), _NONE)
_MAIN, _EMISSION = ROLES.index("main"), ROLES.index("emission")


def compile_network(
    plan: Plan, year: int | None = None, *, candidates: bool = False, settled: pl.DataFrame | None = None
) -> Network:
    """Compile a plan.

    Parameters
    ----------
    plan : Plan
        A valid plan.
    year : int, optional
        Year whose markets and grid factors hold; the base year when not given.
    candidates : bool
        Whether to add the library's technologies at sites that allow new plants.
    settled : polars.DataFrame, optional
        Reconciled amounts of the base year that take the place of measurements and recipes: plant and direction, or
        from_plant and to_plant; commodity, amount, provenance (null where it was not measured itself).

    Returns
    -------
    Network
        Sorted by identifiers throughout, so that the order of rows in the plan changes nothing.
    """
    return compile_years(
        plan, (plan.meta.base_year if year is None else year,), candidates=candidates, settled=settled
    )[0]


def compile_years(
    plan: Plan, years: Sequence[int], *, candidates: bool = False, settled: pl.DataFrame | None = None
) -> tuple[Network, ...]:
    """Compile a plan for several years, whose networks share plants, ports, arcs and fates.

    Parameters
    ----------
    plan : Plan
        A valid plan.
    years : sequence of int
        Years whose markets and grid factors hold.
    candidates, settled
        As in `compile_network`.

    Returns
    -------
    tuple of Network
        One a year.
    """
    draft = _draft(plan, settled, candidates=candidates)
    every = _without_years(plan, draft)
    return tuple(_in_year(plan, draft, every, year) for year in years)


def _without_years(plan: Plan, draft: "_Draft") -> Network:
    """Return what the networks of all years share: plants, ports, arcs and fates; no markets, no factors."""
    tables, library, commodities = plan.tables, plan.library, draft.commodities
    commodity_ids = tuple(commodities["commodity"].to_list())
    technology_ids = tuple(draft.technologies["technology"].to_list())
    chain_ids = tuple(sorted(set(draft.technologies["chain"].drop_nulls().to_list())))
    enterprise_ids = tuple(tables["enterprises"]["enterprise"].sort().to_list())
    plant_ids = tuple(draft.rows["plant"].to_list())
    ports = read_ports(draft.ports, commodity_ids)
    plants = read_plants(
        draft.rows,
        site=positions(draft.places.ids, draft.rows["site"]),
        enterprise=positions(enterprise_ids, draft.rows["enterprise"]),
        technology=positions(technology_ids, draft.rows["technology"]),
        main=_main_ports(draft.rows, draft.ports),
        activity=draft.activity,
    )
    modes = read_modes(library.transport, commodities)
    arcs, left_over = _arcs(draft, ports, plants, modes, tables["exchanges"], library)
    fates, fate_ids = _fates(ports, library.fates, commodity_ids)
    return Network(
        site_ids=draft.places.ids,
        enterprise_ids=enterprise_ids,
        plant_ids=plant_ids,
        commodity_ids=commodity_ids,
        technology_ids=technology_ids,
        chain_ids=chain_ids,
        mode_ids=modes.ids,
        fate_ids=fate_ids,
        year=plan.meta.base_year,
        parent=draft.places.parent,
        park=draft.places.park,
        grid_factor=np.full(len(draft.places.ids), np.nan),
        chain=positions(chain_ids, draft.technologies["chain"]),
        commodities=commodities,
        technologies=draft.technologies,
        t_per_unit=draft.t_per_unit,
        plants=plants,
        ports=ports,
        arcs=arcs,
        markets=_NO_MARKETS,
        trades=Trades(_NONE, _NONE),
        fates=fates,
        exclusions=_exclusions(tables["exclusions"], plant_ids),
        unknowns=pl.concat([draft.unknowns, left_over]).unique().sort("reason", "plant", "commodity", nulls_last=True),
    )


def _in_year(plan: Plan, draft: "_Draft", every: Network, year: int) -> Network:
    """Return the network of one year: its markets, grid factors, factors of the dimensions and subsidies."""
    tables, library, plants = plan.tables, plan.library, every.plants
    markets, trades = _markets(tables["markets"], draft, every.ports, plants, every.arcs, every.fates, year)
    regions = dict(library.regions.select("region", "grid").iter_rows())
    return replace(
        every,
        year=year,
        grid_factor=grid_factors(draft.places, library.grid_factors, year, region_names(library), regions),
        markets=markets,
        trades=trades,
        factors=read_factors(library, tables["sites"], draft.places, draft.commodities, draft.technologies, year),
        subsidies=read_subsidies(tables["subsidies"], draft.rows, plants, draft.places, year),
    )


@dataclass(frozen=True)
class _Draft:
    """What is read before anything has a position: places, plants with their activity (P,), ports and their names."""

    places: Places
    rows: pl.DataFrame
    measured: Measured
    activity: Floats
    ports: pl.DataFrame
    commodities: pl.DataFrame
    technologies: pl.DataFrame
    unknowns: pl.DataFrame

    @property
    def t_per_unit(self) -> Floats:
        """Mass of one unit of each commodity (C,), NaN where unknown."""
        return floats(self.commodities["t_per_unit"])


def _draft(plan: Plan, settled: pl.DataFrame | None, *, candidates: bool) -> _Draft:
    """Read plants, ports and the rows of the library that they name, each sorted by identifier."""
    tables, library = plan.tables, plan.library
    fresh = library_candidates(tables["sites"] if candidates else tables["sites"].clear(), library.technologies)
    assumed = treatment_candidates(tables, library).join(fresh, on="plant", how="anti")
    assumed = assumed if candidates else assumed.clear()
    fresh = pl.concat([fresh, assumed.drop("commodity")]).sort("site", "technology")
    rows = plant_rows(tables["plants"], tables["enterprises"], fresh, library.technologies)
    measured = read_measured(tables["measurements"], plan.meta.base_year, settled)
    standing = (rows["status"] == "existing").to_numpy()
    activity = np.where(standing, base_activity(rows, measured), 0.0)
    ports, lost = port_rows(rows, library.recipes, library.commodities, measured, activity)
    idle = rows.filter(pl.Series(standing & np.isnan(activity), dtype=pl.Boolean)).select(
        "plant", commodity=pl.lit(None, dtype=pl.String), reason=pl.lit("activity")
    )
    return _Draft(
        places=read_places(tables["sites"]),
        rows=rows,
        measured=measured,
        activity=activity,
        ports=ports,
        commodities=library.commodities.join(ports, on="commodity", how="semi").sort("commodity"),
        technologies=library.technologies.join(rows, on="technology", how="semi").sort("technology"),
        unknowns=pl.concat(
            [
                pl.DataFrame(schema=_UNKNOWNS),
                idle,
                lost,
                assumed.select("plant", "commodity", reason=pl.lit("treatment_assumed")),
            ]
        ),
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
    draft: _Draft, ports: Ports, plants: Plants, modes: Modes, exchanges: pl.DataFrame, library: Library
) -> tuple[Arcs, pl.DataFrame]:
    """Find the arcs by recipe, by substitution and by the plan's own word; and what of that word cannot be."""
    commodity_ids = tuple(draft.commodities["commodity"].to_list())
    technology_ids = tuple(draft.technologies["technology"].to_list())
    rules = _rules(library.substitutions, library.recipes)
    named = read_exchanges(exchanges, draft.measured, _port_names(draft.rows, draft.ports), rules)
    emission = (draft.commodities["kind"] == "emission").to_numpy()[ports.commodity]
    open_port = ~emission & ~ports.natural
    output = np.flatnonzero(open_port & (ports.coefficient > 0))
    wanted = np.flatnonzero(open_port & (ports.coefficient < 0))
    table = pl.DataFrame(
        {
            "port": np.arange(ports.plant.size),
            "plant": ports.plant,
            "commodity": ports.commodity,
            "technology": plants.technology[ports.plant],
        }
    )
    placed = rules.with_columns(
        commodity=pl.Series(positions(commodity_ids, rules["commodity"])),
        displaced=pl.Series(positions(commodity_ids, rules["displaced"])),
        technology=pl.Series(positions(technology_ids, rules["technology"])),
        row=pl.int_range(pl.len(), dtype=pl.Int64),
    )
    givers = table[output].join(placed.select("commodity", "row"), on="commodity").sort("port", "row")
    displaced = placed.select("technology", "row", commodity="displaced")
    takers = table[wanted].join(displaced, on=["technology", "commodity"]).sort("port", "row")
    batches = concatenate(
        recipe_pairs(output, wanted, ports.commodity),
        substitution_pairs(givers, takers, floats(placed["ratio"])),
        _spoken(named),
    )
    ends = _ends(draft.places, ports, plants)
    found = find_arcs(batches, ends, draft.places, modes, named_keys(named, ports.plant.size))
    made = draft.t_per_unit[ports.commodity[np.maximum(plants.main, 0)]]
    arcs = finish_arcs(
        found,
        table,
        _limits(library.substitutions, commodity_ids, technology_ids, draft.t_per_unit),
        np.isfinite(made) & (made > 0) & (plants.main >= 0),
        named.amounts(found["giver"].to_numpy(), found["taker"].to_numpy()),
    )
    return _lift_caps(arcs, ports, plants, draft.t_per_unit), named.unknowns


def _ends(places: Places, ports: Ports, plants: Plants) -> Ends:
    """Return what the search for arcs must know of each port."""
    site = plants.site[ports.plant]
    return Ends(
        plant=ports.plant,
        commodity=ports.commodity,
        site=site,
        park=places.park[site],
        enterprise=plants.enterprise[ports.plant],
        main=ports.role == _MAIN,
    )


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
    table: pl.DataFrame, draft: _Draft, ports: Ports, plants: Plants, arcs: Arcs, fates: Fates, year: int
) -> tuple[Markets, Trades]:
    """Return explicit and implied markets; what is left of each output today sets the implied volumes."""
    commodities, places = draft.commodities, draft.places
    emission = (commodities["kind"] == "emission").to_numpy()[ports.commodity]
    output = ports.coefficient > 0
    amount = port_amounts(plants.activity, ports.plant, ports.coefficient)
    mass = np.nan_to_num(draft.t_per_unit)[ports.commodity]
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
