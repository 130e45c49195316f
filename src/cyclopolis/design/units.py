"""Process units by name as a synthesis problem on arrays, and as a network of candidate plants."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.network.model import (
    BUY,
    CANDIDATE,
    SELL,
    SUPPLY,
    Arcs,
    Bools,
    Fates,
    Floats,
    Ints,
    Markets,
    Network,
    Plants,
    Ports,
    Trades,
)

_UNIT_KEYS = {"inputs", "outputs", "capacity_max", "fixed_cost", "proportional_cost", "name", "note"}
_PRODUCT_KEYS = {"demand_min", "demand_max", "price"}
_CASE_KEYS = {
    "products",
    "raw_materials",
    "raw_material_price",
    "units",
    "objective",
    "note",
    "mutually_exclusive",
    "mutual_exclusion_variant",
}


@dataclass(frozen=True)
class Units:
    """A synthesis problem on arrays: U units, M materials, links and amounts U x M, money per unit."""

    names: tuple[str, ...]
    materials: tuple[str, ...]
    takes: csr_array
    makes: csr_array
    raw: Bools
    products: Bools
    price: Floats
    worth: Floats
    demand_min: Floats
    demand_max: Floats
    capacity: Floats
    fixed: Floats
    proportional: Floats

    def units_of(self, mask: Bools) -> list[str]:
        """Return the names of the marked units, in the order given."""
        return [self.names[unit] for unit in np.flatnonzero(mask)]


def _amounts(given: object) -> dict[str, float]:
    """Return amounts by material from a mapping, or 1 each from a list of names."""
    if isinstance(given, Mapping):
        return {str(name): float(amount) for name, amount in given.items()}
    if isinstance(given, Sequence) and not isinstance(given, str):
        return dict.fromkeys((str(name) for name in given), 1.0)
    raise TypeError


def _unread(given: Mapping[str, Any], known: set[str]) -> list[str]:
    """Return the keys that would be passed over though they say more than a remark: unknown, and no mere text."""
    return sorted(str(key) for key, value in given.items() if key not in known and not isinstance(value, str))


def _check_unit(name: object, unit: object) -> Iterator[Problem]:
    """Yield what is wrong with one unit."""
    wrong = Problem(message("design.case_unit_amounts", unit=name))
    if not isinstance(unit, Mapping):
        yield wrong
        return
    for key in _unread(unit, _UNIT_KEYS):
        yield Problem(message("design.case_unknown_unit_key", unit=name, word=key))
    try:
        amounts = [*_amounts(unit.get("inputs", {})).values(), *_amounts(unit.get("outputs", {})).values()]
        numbers = [float(unit[key]) for key in ("capacity_max", "fixed_cost", "proportional_cost") if key in unit]
    except (TypeError, ValueError):
        yield wrong
        return
    if any(not amount > 0 for amount in amounts) or any(not number >= 0 for number in numbers):
        yield wrong


def _check_products(inputs: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the products: their keys, their demands, and those that are raw materials too."""
    given = inputs.get("products")
    if not given:
        yield Problem(message("design.case_no_products"))
        return
    raw = {*(inputs.get("raw_materials") or ()), *(inputs.get("raw_material_price") or ())}
    for name in given:
        if name in raw:
            yield Problem(message("design.case_raw_product", product=name))
        item = (given[name] or {}) if isinstance(given, Mapping) else {}
        if not isinstance(item, Mapping) or set(item) - _PRODUCT_KEYS or not all(_is_number(v) for v in item.values()):
            yield Problem(message("design.case_product", product=name))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _without_blanks(given: object) -> object:
    """Return a tree of mappings without the entries that hold nothing."""
    if isinstance(given, Mapping):
        return {key: _without_blanks(value) for key, value in given.items() if value is not None}
    return given


def _check(inputs: Mapping[str, Any]) -> None:
    """Refuse what cannot be read, all of it at once."""
    units = inputs.get("units")
    named = units if isinstance(units, Mapping) else {}
    problems = [
        *(Problem(message("design.case_unknown_key", word=key)) for key in _unread(inputs, _CASE_KEYS)),
        *(() if named else (Problem(message("design.case_no_units")),)),
        *_check_products(inputs),
        *(problem for name, unit in named.items() for problem in _check_unit(name, unit)),
        *(
            Problem(message("design.case_unknown_unit", unit=name, word=key))
            for key in ("mutually_exclusive", "mutual_exclusion_variant")
            for group in inputs.get(key) or ()
            for name in group
            if name not in named
        ),
        *(
            Problem(message("design.case_price", material=name))
            for name, price in (inputs.get("raw_material_price") or {}).items()
            if not _is_number(price)
        ),
    ]
    if problems:
        raise UserError(problems)


def read_units(inputs: Mapping[str, Any]) -> Units:
    """Return a synthesis problem as arrays.

    Raises
    ------
    UserError
        Naming every key, unit or amount that cannot be read.
    """
    inputs = {key: value for key, value in inputs.items() if value is not None}
    inputs |= {key: _without_blanks(inputs[key]) for key in ("units", "raw_material_price") if key in inputs}
    given = inputs.get("products") or {}
    if isinstance(given, Mapping):
        inputs["products"] = {name: _without_blanks(item) or {} for name, item in given.items()}
    _check(inputs)
    prices = {str(name): float(price) for name, price in (inputs.get("raw_material_price") or {}).items()}
    raw = dict.fromkeys([*(str(name) for name in inputs.get("raw_materials") or ()), *prices])
    given = inputs["products"]
    products = {str(name): (given[name] or {}) if isinstance(given, Mapping) else {} for name in given}
    units = {str(name): unit for name, unit in inputs["units"].items()}
    links = [(_amounts(unit.get("inputs", {})), _amounts(unit.get("outputs", {}))) for unit in units.values()]
    used = [name for takes, makes in links for name in (*takes, *makes)]
    materials = tuple(sorted({*raw, *products, *used}))
    place = {name: number for number, name in enumerate(materials)}

    def matrix(side: int) -> csr_array:
        filled = np.zeros((len(units), len(materials)))
        for row, pair in enumerate(links):
            for name, amount in pair[side].items():
                filled[row, place[name]] = amount
        return csr_array(filled)

    def column(values: Mapping[str, float], default: float) -> Floats:
        return np.array([values.get(name, default) for name in materials])

    def figure(key: str, default: float) -> Floats:
        return np.array([float(unit.get(key, default)) for unit in units.values()])

    return Units(
        names=tuple(units),
        materials=materials,
        takes=matrix(0),
        makes=matrix(1),
        raw=np.array([name in raw for name in materials]),
        products=np.array([name in products for name in materials]),
        price=column(prices, 0.0),
        worth=column({name: float(item.get("price", 0.0)) for name, item in products.items()}, 0.0),
        demand_min=column({name: float(item.get("demand_min", 0.0)) for name, item in products.items()}, 0.0),
        demand_max=column({name: float(item.get("demand_max", np.inf)) for name, item in products.items()}, np.inf),
        capacity=figure("capacity_max", np.inf),
        fixed=figure("fixed_cost", 0.0),
        proportional=figure("proportional_cost", 0.0),
    )


def _pairs(giver: Ints, taker: Ints, commodity: Ints, plant: Ints) -> tuple[Ints, Ints]:
    """Return every output port with every input port of the same commodity at another plant."""
    order = taker[np.argsort(commodity[taker], kind="stable")]
    left = np.searchsorted(commodity[order], commodity[giver], side="left")
    right = np.searchsorted(commodity[order], commodity[giver], side="right")
    count = right - left
    givers = np.repeat(giver, count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    takers = order[np.repeat(left, count) + within]
    apart = plant[givers] != plant[takers]
    return givers[apart], takers[apart]


def units_network(units: Units, enough: float) -> Network:
    """Return the units as candidate plants at one place; ``enough`` stands for a capacity that is not given."""
    ports = _ports(units)
    count, size = len(units.names), len(units.materials)
    outputs, inputs = np.flatnonzero(ports.coefficient > 0), np.flatnonzero(ports.coefficient < 0)
    bought = inputs[units.raw[ports.commodity[inputs]]]
    sold = outputs[units.products[ports.commodity[outputs]]]
    surplus = outputs[~units.products[ports.commodity[outputs]]]
    return Network(
        site_ids=("here",),
        enterprise_ids=(),
        plant_ids=units.names,
        commodity_ids=units.materials,
        technology_ids=units.names,
        chain_ids=(),
        mode_ids=(),
        fate_ids=("surplus",),
        year=0,
        parent=np.array([-1]),
        park=np.array([0]),
        grid_factor=np.array([np.nan]),
        chain=np.full(count, -1),
        commodities=pl.DataFrame({"commodity": units.materials}),
        technologies=pl.DataFrame({"technology": units.names}),
        t_per_unit=np.ones(size),
        plants=_candidates(count, ports.plant, np.where(np.isfinite(units.capacity), units.capacity, enough)),
        ports=ports,
        arcs=_free_arcs(*_pairs(outputs, inputs, ports.commodity, ports.plant)),
        markets=_markets(units),
        trades=Trades(
            port=np.concatenate([bought, sold]),
            market=np.concatenate([ports.commodity[bought], size + ports.commodity[sold]]),
        ),
        fates=Fates(
            port=surplus,
            fate=np.zeros(surplus.size, dtype=np.int64),
            cost=np.zeros(surplus.size),
            co2=np.zeros(surplus.size),
            provenance=np.ones(surplus.size, dtype=np.int64),
        ),
        exclusions=(),
        unknowns=pl.DataFrame(),
    )


def _ports(units: Units) -> Ports:
    """Return what each unit makes and takes, net, by unit and material."""
    net = (units.makes - units.takes).tocoo()
    order = np.lexsort((net.col, net.row))
    plant, commodity, coefficient = (part[order] for part in (net.row, net.col, net.data))
    kept = coefficient != 0
    plant, commodity, coefficient = plant[kept].astype(np.int64), commodity[kept].astype(np.int64), coefficient[kept]
    return Ports(
        plant=plant,
        commodity=commodity,
        coefficient=coefficient,
        recipe=coefficient,
        low=np.abs(coefficient),
        high=np.abs(coefficient),
        role=np.zeros(plant.size, dtype=np.int64),
        natural=np.zeros(plant.size, dtype=np.bool_),
        provenance=np.ones(plant.size, dtype=np.int64),
    )


def _free_arcs(giver: Ints, taker: Ints) -> Arcs:
    """Return arcs that cost nothing and lead nowhere far."""
    return Arcs(
        giver=giver,
        taker=taker,
        ratio=np.ones(giver.size),
        kind=np.full(giver.size, SUPPLY),
        distance=np.zeros(giver.size),
        mode=np.full(giver.size, -1),
        cost=np.zeros(giver.size),
        cap_group=np.full(giver.size, -1),
        co2_credit=np.zeros(giver.size),
        cap_share=np.zeros(0),
        exchange=np.full(giver.size, np.nan),
        exchange_provenance=np.full(giver.size, -1),
    )


def _markets(units: Units) -> Markets:
    """Return a market to buy and one to sell each material."""
    size = len(units.materials)
    return Markets(
        commodity=np.tile(np.arange(size), 2),
        site=np.full(2 * size, -1),
        direction=np.repeat([BUY, SELL], size),
        price=np.concatenate([units.price, units.worth]),
        volume_min=np.concatenate([np.zeros(size), units.demand_min]),
        volume_max=np.concatenate([np.full(size, np.inf), units.demand_max]),
        implied=np.zeros(2 * size, dtype=np.bool_),
        provenance=np.ones(2 * size, dtype=np.int64),
    )


def _candidates(count: int, plant: Ints, capacity: Floats) -> Plants:
    """Return candidate plants of the given largest capacities and no other figures."""
    unknown, zeros = np.full(count, np.nan), np.zeros(count)
    first = np.searchsorted(plant, np.arange(count)).clip(max=max(plant.size - 1, 0))
    return Plants(
        site=np.zeros(count, dtype=np.int64),
        enterprise=np.full(count, -1),
        technology=np.arange(count),
        status=np.full(count, CANDIDATE),
        main=first,
        capacity=capacity,
        capacity_min=zeros,
        activity=zeros,
        build_from=unknown,
        build_until=unknown,
        lifetime=unknown,
        capex=unknown,
        capex_fixed=unknown,
        capex_slope=unknown,
        scale_exponent=unknown,
        units=np.ones(count),
        min_load=zeros,
        retire_year=unknown,
        opex=unknown,
        jobs=unknown,
        land=unknown,
        may_close=np.zeros(count, dtype=np.bool_),
        library=np.zeros(count, dtype=np.bool_),
        provenance=np.ones(count, dtype=np.int64),
        economics_provenance=np.ones(count, dtype=np.int64),
    )
