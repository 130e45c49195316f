"""Layers of substances and energy over the goods: concentration x amount, balanced at every plant that it passes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from cyclopolis.industry.metabolism.plan_reconcile_extras import Extras, Measured, with_doubt
from cyclopolis.industry.metabolism.plan_reconcile_problem import Things, is_open
from cyclopolis.network import Network
from cyclopolis.network.model import Ints
from cyclopolis.network.names import pick
from cyclopolis.plan.units import factor

Key = tuple[str | None, str | None, str | None, str]
"""Where a concentration holds: plant, direction, taker, commodity; None for everywhere."""
_WEIGHTLESS = ("power", "heat")
"""States of commodities that carry no mass, and so no substance that is counted in mass."""


@dataclass(frozen=True)
class Layer:
    """One substance in one year: the concentration thing of every place that the plan names, and which are ``none``."""

    substance: str
    unit: str
    lossy: bool
    year: int
    of: Mapping[Key, int]
    none: frozenset[int]


@dataclass(frozen=True)
class Stage:
    """A network's names by port and arc, and the things of one year; ``start`` is the position of its first thing."""

    network: Network
    things: Things
    start: int
    stored: Mapping[int, int]

    @cached_property
    def names(self) -> tuple[list[str], list[str], list[str]]:
        """Plant, commodity and direction of each port."""
        ports = self.network.ports
        way = np.where(ports.coefficient > 0, "out", "in").tolist()
        plant, commodity = pick(self.network.plant_ids, ports.plant), pick(self.network.commodity_ids, ports.commodity)
        return plant.to_list(), commodity.to_list(), way

    @cached_property
    def flows(self) -> Mapping[int, list[tuple[int, int]]]:
        """Flows at each port as pairs of thing and arc (-1: to or from outside)."""
        found: dict[int, list[tuple[int, int]]] = {}
        for arc in np.flatnonzero(self.things.arc >= 0).tolist():
            for port in (self.network.arcs.giver[arc], self.network.arcs.taker[arc]):
                found.setdefault(int(port), []).append((int(self.things.arc[arc]) + self.start, arc))
        for place, port in enumerate(self.things.rest_port.tolist()):
            found.setdefault(port, []).append((self.things.first_rest + place + self.start, -1))
        return found


def add_layers(
    extras: Extras,
    stages: Sequence[tuple[int, Stage]],
    substances: pl.DataFrame,
    concentrations: pl.DataFrame,
    first_row: int,
) -> None:
    """Add concentrations, amounts of substances and their balances at plants.

    Parameters
    ----------
    extras : Extras
        What is added to.
    stages : sequence of (int, Stage)
        Years that are reconciled.
    substances, concentrations : polars.DataFrame
        Of the plan.
    first_row : int
        Position of the first row of concentrations among the rows of all tables that reconciliation reads.

    Notes
    -----
    An output that was sampled is well mixed: its flows hold what it holds. Else a flow holds what was sampled of it, or
    what its commodity holds everywhere. An input holds the mix of what comes in. Commodities of which no row speaks
    have an unknown content, not none; power and heat carry no mass. A plant is balanced in a layer when a row finds the
    substance in one of its inputs or outputs: what goes in comes out, and a loss where the substance is ``lossy``.
    """
    rows = with_doubt(concentrations, pl.col("value"), "concentration", first_row)
    for item in substances.sort("substance").iter_rows(named=True):
        mine = rows.filter(pl.col("substance") == item["substance"])
        named: dict[tuple[Key, int | None], int] = {}
        for year, stage in stages:
            of = _concentrations(extras, stage, item, mine, year, named)
            lossy = item["balance"] == "lossy"
            _add_plants(extras, stage, Layer(item["substance"], item["unit"], lossy, year, of, _none(of, mine)))
        _measure(extras, mine, named)


def _key(row: Mapping[str, Any]) -> Key:
    """Return where the concentration of a row holds."""
    if row["from_plant"] is not None:
        return row["from_plant"], "out", row["to_plant"], row["commodity"]
    return row["plant"], row["direction"], None, row["commodity"]


def _concentrations(
    extras: Extras,
    stage: Stage,
    item: Mapping[str, Any],
    rows: pl.DataFrame,
    year: int,
    named: dict[tuple[Key, int | None], int],
) -> dict[Key, int]:
    """Return the concentration of each place that rows of a year, or of all years, speak of; new ones are added."""
    units = dict(stage.network.commodities.select("commodity", "unit").iter_rows())
    of: dict[Key, int] = {}
    for row in rows.filter(pl.col("year").is_null() | (pl.col("year") == year)).iter_rows(named=True):
        if row["commodity"] not in units:
            continue
        key = _key(row)
        if (key, row["year"]) not in named:
            named[key, row["year"]] = extras.add(
                kind="concentration",
                plant=key[0],
                to_plant=key[2],
                commodity=key[3],
                direction=key[1],
                unit=f"{item['unit']}/{units[key[3]]}",
                layer=item["substance"],
                year=row["year"],
            )
        of[key] = named[key, row["year"]]
    return of


def _none(of: Mapping[Key, int], rows: pl.DataFrame) -> frozenset[int]:
    """Return the concentrations that are known to be nothing."""
    some = {_key(row) for row in rows.iter_rows(named=True) if row["amount"] != 0}
    return frozenset(thing for key, thing in of.items() if key not in some)


def _measure(extras: Extras, rows: pl.DataFrame, named: Mapping[tuple[Key, int | None], int]) -> None:
    """Note what was measured of the concentrations; list rows of commodities that no plant touches."""
    used = {at for line in extras.products for at in line} | extras.none
    for row in rows.iter_rows(named=True):
        thing = named.get((_key(row), row["year"]), -1)
        if thing not in used:
            extras.lost.append((row["plant"] or row["from_plant"], row["commodity"], "concentration_not_placed"))
        elif row["amount"] is not None:
            extras.measured.append(Measured(thing, row["row"], row["amount"], row["sd"], row["given"]))


def _add_plants(extras: Extras, stage: Stage, layer: Layer) -> None:
    """Balance the layer at every plant of which it knows something."""
    network, things = stage.network, stage.things
    inside = np.flatnonzero(things.port >= 0)
    carriers = inside[_carries(network, inside, layer.unit)]
    sources = {port: _sources(stage, layer, port) for port in carriers.tolist()}
    known = np.array(
        [any(source not in {None, *layer.none} for source in sources[port]) for port in carriers.tolist()], dtype=bool
    )
    taking_part = np.unique(network.ports.plant[carriers[known]])
    given: dict[int, int] = {}
    for plant in taking_part.tolist():
        line: dict[int, float] = {}
        for port in carriers[network.ports.plant[carriers] == plant].tolist():
            if layer.none.issuperset(sources[port]):
                extras.none.update(found for found in sources[port] if found is not None)
                continue
            amount = _amount(extras, stage, layer, port, sources[port], given)
            line[amount] = 1.0 if network.ports.coefficient[port] > 0 else -1.0
        name = network.plant_ids[plant]
        if layer.lossy:
            loss = extras.add(
                kind="loss", plant=name, unit=f"{layer.unit}/a", layer=layer.substance, year=layer.year, direction="out"
            )
            line[loss] = 1.0
        extras.lines.append((line, f"{layer.substance} of {name} {layer.year}"))


def _carries(network: Network, ports: Ints, unit: str) -> np.ndarray:
    """Return which ports may carry a substance: power and heat carry no mass."""
    if not isinstance(factor(unit, "t"), float):
        return np.ones(ports.size, dtype=bool)
    state = network.commodities["state"].gather(network.ports.commodity[ports])
    return ~state.is_in(_WEIGHTLESS).fill_null(value=False).to_numpy()


def _own(stage: Stage, layer: Layer, port: int) -> int | None:
    """Return the concentration that the plan names for a port itself, else for its commodity everywhere."""
    plant, commodity, way = (names[port] for names in stage.names)
    found = layer.of.get((plant, way, None, commodity))
    return found if found is not None else layer.of.get((None, None, None, commodity))


def _sources(stage: Stage, layer: Layer, port: int) -> list[int | None]:
    """Return the concentration at a port and in each of its flows; None where no row speaks of it."""
    plants, commodities, ways = stage.names
    own = _own(stage, layer, port)
    everywhere = layer.of.get((None, None, None, commodities[port]))
    found: list[int | None] = []
    flows = stage.flows.get(port, ())
    for _, arc in flows:
        if arc < 0:
            found.append(own if ways[port] == "out" or len(flows) == 1 else everywhere)
            continue
        giver, taker = int(stage.network.arcs.giver[arc]), int(stage.network.arcs.taker[arc])
        sampled = layer.of.get((plants[giver], "out", plants[taker], commodities[giver]))
        found.append(sampled if sampled is not None else _own(stage, layer, giver))
    return [own, *found]


def _amount(
    extras: Extras, stage: Stage, layer: Layer, port: int, sources: list[int | None], given: dict[int, int]
) -> int:
    """Add the amount of a substance at a port: concentration x amount, and the sum over flows where these differ."""
    plant, commodity, way = (names[port] for names in stage.names)
    rest = {"unit": f"{layer.unit}/a", "layer": layer.substance, "year": layer.year}
    amount = extras.add(kind="substance", plant=plant, commodity=commodity, direction=way, **rest)
    own, flows = sources[0], stage.flows.get(port, [])
    differ = len(set(sources)) > 1
    said = (plant, way, None, commodity) in layer.of
    if own is not None and (said or not differ):
        extras.products.append((amount, own, int(stage.things.port[port]) + stage.start))
    if differ and port not in stage.stored and is_open(stage.network, stage.things, port):
        parts = [
            _flow_amount(extras, stage, layer, (thing, arc, port), source, given)
            for (thing, arc), source in zip(flows, sources[1:], strict=True)
        ]
        extras.lines.append(
            ({amount: 1.0, **dict.fromkeys(parts, -1.0)}, f"{layer.substance} in {plant}:{commodity} {layer.year}")
        )
    return amount


def _flow_amount(
    extras: Extras, stage: Stage, layer: Layer, flow: tuple[int, int, int], source: int | None, given: dict[int, int]
) -> int:
    """Add the amount of a substance in one flow, once for both its ends."""
    thing, arc, port = flow
    if thing in given:
        return given[thing]
    plants, commodities, ways = stage.names
    giver = int(stage.network.arcs.giver[arc]) if arc >= 0 else port
    taker = plants[int(stage.network.arcs.taker[arc])] if arc >= 0 else None
    way = None if arc >= 0 else stage.things.rest_way[thing - stage.start - stage.things.first_rest]
    given[thing] = extras.add(
        kind="substance",
        plant=plants[giver],
        to_plant=taker,
        commodity=commodities[giver],
        direction=ways[giver],
        way=way,
        unit=f"{layer.unit}/a",
        layer=layer.substance,
        year=layer.year,
    )
    if source is not None:
        extras.products.append((given[thing], source, thing))
    return given[thing]
