"""Which plants may give to which, how, how far and at what cost: found vectorised, port by port of one commodity."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from cyclopolis.network.model import INTERNAL, SUBSTITUTION, SUPPLY, USE, Arcs, Bools, Floats, Ints
from cyclopolis.network.places import Places, floats, straight_km

BATCH = 2_000_000
"""Pairs of ports looked at together; bounds the memory."""


@dataclass(frozen=True)
class Modes:
    """Modes of transport (M) against commodities (C).

    ``cost`` (M, C) is CNY per unit and km (NaN: this mode does not carry it), ``reach`` (M,) km of way, ``detour``
    (M,).
    """

    ids: tuple[str, ...]
    cost: Floats
    reach: Floats
    detour: Floats


@dataclass(frozen=True)
class Ends:
    """What the search for arcs must know of each port: plant, commodity, site, park, enterprise, direction."""

    plant: Ints
    commodity: Ints
    site: Ints
    park: Ints
    enterprise: Ints
    main: Bools


@dataclass(frozen=True)
class Pairs:
    """Pairs of ports: ``giver``, ``taker``, ``ratio`` and whether they substitute."""

    giver: Ints
    taker: Ints
    ratio: Floats
    substitutes: Bools


def read_modes(transport: pl.DataFrame, commodities: pl.DataFrame) -> Modes:
    """Return what each mode charges for each commodity.

    A mode carries a commodity when it names its state and its kind. A commodity counted in tonnes costs
    ``cost_per_t_km``; any other one costs ``cost_per_unit_km`` or, without that, ``cost_per_t_km`` times the mass of
    a unit.
    """
    transport = transport.sort("mode")
    states, kinds = commodities["state"].to_list(), commodities["kind"].to_list()
    tonnes = (commodities["unit"] == "t").to_numpy()
    mass = floats(commodities["t_per_unit"])
    per_t, per_unit = floats(transport["cost_per_t_km"]), floats(transport["cost_per_unit_km"])
    carried = np.zeros((transport.height, commodities.height), dtype=bool)
    for row, (state_list, kind_list) in enumerate(transport.select("states", "kinds").iter_rows()):
        own_states, own_kinds = _parts(state_list), _parts(kind_list)
        carried[row] = [
            state in own_states and (not own_kinds or kind in own_kinds)
            for state, kind in zip(states, kinds, strict=True)
        ]
    by_mass = per_t[:, None] * mass[None, :]
    other = np.where(np.isnan(per_unit)[:, None], by_mass, per_unit[:, None])
    cost = np.where(tonnes[None, :], per_t[:, None], other)
    reach, detour = floats(transport["reach_km"]), floats(transport["detour"])
    return Modes(
        ids=tuple(transport["mode"].to_list()),
        cost=np.where(carried, cost, np.nan),
        reach=np.where(np.isnan(reach), np.inf, reach),
        detour=np.where(np.isnan(detour), 1.0, detour),
    )


def _parts(text: str | None) -> frozenset[str]:
    return frozenset(part.strip() for part in (text or "").split(";") if part.strip())


def match(giver_key: Ints, taker_key: Ints, size: int = BATCH) -> Iterator[tuple[Ints, Ints]]:
    """Yield batches of positions (giver row, taker row) of equal key, by giver, then taker.

    Examples
    --------
    >>> [(g.tolist(), t.tolist()) for g, t in match(np.array([5, 7]), np.array([7, 5, 7]))]
    [([0, 1, 1], [1, 0, 2])]
    """
    order = np.argsort(taker_key, kind="stable")
    keys = taker_key[order]
    start = np.searchsorted(keys, giver_key, side="left")
    count = np.searchsorted(keys, giver_key, side="right") - start
    done = np.concatenate(([0], np.cumsum(count)))
    first = 0
    while first < giver_key.size:
        last = int(np.searchsorted(done, done[first] + size, side="right")) - 1
        last = min(max(last, first + 1), giver_key.size)
        counts = count[first:last]
        rows = np.repeat(np.arange(first, last), counts)
        within = np.arange(rows.size) - np.repeat(done[first:last] - done[first], counts)
        yield rows, order[start[rows] + within]
        first = last


def cheapest_mode(
    modes: Modes, commodity: Ints, straight: Floats, near: Floats, anyhow: Bools
) -> tuple[Ints, Floats, Floats]:
    """Return the cheapest mode, the way in km and the cost in CNY per unit for each pair.

    Parameters
    ----------
    modes : Modes
    commodity : (N,) int
        What is carried.
    straight : (N,) float
        Straight distance in km; NaN where both plants stand at one place.
    near : (N,) float
        Way in km within one place.
    anyhow : (N,) bool
        Pairs that the plan names: the reach does not count, and without a mode they cost nothing known.

    Returns
    -------
    mode : (N,) int
        Position of the mode; -1 where no mode carries the commodity that far.
    way, cost : (N,) float
    """
    size = commodity.size
    best, way_of = np.full(size, -1), np.where(np.isnan(straight), near, straight)
    cost_of = np.full(size, np.inf)
    for mode in range(len(modes.ids)):
        way = np.where(np.isnan(straight), near, straight * modes.detour[mode])
        cost = modes.cost[mode, commodity] * way
        better = (cost < cost_of) & (anyhow | (way <= modes.reach[mode]))
        best[better], cost_of[better] = mode, cost[better]
        way_of[better] = way[better]
    return best, way_of, np.where(np.isinf(cost_of), 0.0, cost_of)


def _reach(
    pairs: Pairs, ends: Ends, places: Places, modes: Modes, named: Ints, width: int
) -> tuple[Bools, dict[str, Ints | Floats]]:
    """Return which pairs are arcs, and distance, mode, cost and kind of every pair."""
    giver, taker = pairs.giver, pairs.taker
    site_a, site_b = ends.site[giver], ends.site[taker]
    located_a, located_b = places.located[site_a], places.located[site_b]
    same_park = ends.park[giver] == ends.park[taker]
    inside = same_park & (ends.enterprise[giver] == ends.enterprise[taker]) & (ends.enterprise[giver] >= 0)
    unknown = (located_a < 0) | (located_b < 0)
    together = (site_a == site_b) | ((located_a == located_b) & ~unknown) | (unknown & same_park)
    straight = straight_km(places.vector[site_a], places.vector[site_b])
    straight = np.where(together, np.nan, straight)
    anyhow = np.isin(giver * width + taker, named)
    commodity = ends.commodity[giver]
    mode, way, cost = cheapest_mode(modes, commodity, straight, places.near[site_a], anyhow)
    allowed = ((mode >= 0) & (together | ~unknown)) | inside | anyhow
    lost = unknown & ~together
    kind = np.where(inside, INTERNAL, np.where(ends.main[giver], SUPPLY, USE))
    return allowed & (ends.plant[giver] != ends.plant[taker]), {
        "distance": np.where(inside, 0.0, np.where(lost, np.nan, way)),
        "mode": np.where(inside | lost, -1, mode),
        "cost": np.where(inside | lost, 0.0, cost),
        "kind": np.where(pairs.substitutes, SUBSTITUTION, kind),
    }


def find_arcs(batches: Iterator[Pairs], ends: Ends, places: Places, modes: Modes, named: Ints) -> pl.DataFrame:
    """Return the allowed pairs with distance, mode, cost and kind, sorted by giver, then taker.

    Parameters
    ----------
    batches : iterator of Pairs
    ends : Ends
    places : Places
    modes : Modes
    named : (N,) int
        Pairs (giver x number of ports + taker) that the plan itself names.
    """
    width = ends.plant.size
    found = []
    for pairs in batches:
        keep, columns = _reach(pairs, ends, places, modes, named, width)
        found.append(
            pl.DataFrame(
                {
                    "giver": pairs.giver[keep],
                    "taker": pairs.taker[keep],
                    "ratio": pairs.ratio[keep],
                    **{name: values[keep] for name, values in columns.items()},
                },
                schema=_ARC_SCHEMA,
            )
        )
    table = pl.concat([pl.DataFrame(schema=_ARC_SCHEMA), *found])
    return table.sort("giver", "taker").unique(["giver", "taker"], keep="first", maintain_order=True)


_ARC_SCHEMA = {
    "giver": pl.Int64,
    "taker": pl.Int64,
    "ratio": pl.Float64,
    "distance": pl.Float64,
    "mode": pl.Int64,
    "cost": pl.Float64,
    "kind": pl.Int64,
}


def recipe_pairs(output: Ints, wanted: Ints, commodity: Ints) -> Iterator[Pairs]:
    """Yield pairs of output and input ports of the same commodity."""
    for rows, columns in match(commodity[output], commodity[wanted]):
        yield Pairs(output[rows], wanted[columns], np.ones(rows.size), np.zeros(rows.size, dtype=bool))


def substitution_pairs(givers: pl.DataFrame, takers: pl.DataFrame, ratio: Floats) -> Iterator[Pairs]:
    """Yield pairs of an output port and the input port of what it displaces; tables (port, row), ``ratio`` by row."""
    giver_row, taker_row = givers["row"].to_numpy(), takers["row"].to_numpy()
    giver_port, taker_port = givers["port"].to_numpy(), takers["port"].to_numpy()
    for rows, columns in match(giver_row, taker_row):
        yield Pairs(giver_port[rows], taker_port[columns], ratio[giver_row[rows]], np.ones(rows.size, dtype=bool))


def finish_arcs(
    table: pl.DataFrame, ports: pl.DataFrame, rules: pl.DataFrame, capped: Bools, exchange: tuple[Floats, Ints]
) -> Arcs:
    """Add caps and credits.

    Parameters
    ----------
    table : polars.DataFrame
        Arcs of `find_arcs`.
    ports : polars.DataFrame
        Columns plant, commodity, technology (positions), in port order.
    rules : polars.DataFrame
        One row per waste (``commodity``) and ``technology``: ``share`` of the product (null: no limit), ``credit``.
    capped : (P,) bool
        Plants whose product has a known mass, so that a share of it means something.
    exchange : pair of (A,) float and (A,) int
        What the plan says about the base year, and its provenance.
    """
    giver, taker = table["giver"].to_numpy(), table["taker"].to_numpy()
    commodity, plant = ports["commodity"].to_numpy()[giver], ports["plant"].to_numpy()[taker]
    keyed = pl.DataFrame(
        {
            "commodity": commodity,
            "technology": ports["technology"].to_numpy()[taker],
            "plant": plant,
            "capped": capped[plant],
        }
    ).join(rules, on=["commodity", "technology"], how="left", maintain_order="left")
    groups = (
        keyed.filter(pl.col("share").is_not_null() & pl.col("capped"))
        .group_by("plant", "commodity")
        .agg(pl.col("share").first())
        .sort("plant", "commodity")
        .with_row_index("group")
    )
    named = keyed.join(
        groups.select("plant", "commodity", "group"), on=["plant", "commodity"], how="left", maintain_order="left"
    )
    return Arcs(
        giver=giver,
        taker=taker,
        ratio=table["ratio"].to_numpy(),
        kind=table["kind"].to_numpy(),
        distance=table["distance"].to_numpy(),
        mode=table["mode"].to_numpy(),
        cost=table["cost"].to_numpy(),
        cap_group=named["group"].cast(pl.Int64).fill_null(-1).to_numpy(),
        co2_credit=floats(named["credit"]),
        cap_share=floats(groups["share"]),
        exchange=exchange[0],
        exchange_provenance=exchange[1],
    )
