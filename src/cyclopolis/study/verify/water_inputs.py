"""Inputs of cases on water and hydrogen, read into a problem: sinks, sources, operations, regeneration, plants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cyclopolis.foundation.text import message
from cyclopolis.industry.exchanges.quality.problem import NOWHERE, QualityProblem, quality_problem
from cyclopolis.study.verify.fields import known_only, listing, mapping, number, refuse, required
from cyclopolis.study.verify.naming import load_factor, renamed

Row = dict[str, Any]
_NOTES = ("formulation", "note", "notes", "source", "description", "provenance", "format", "comment", "assumptions")
_CASE: Mapping[str, Sequence[str]] = {
    "contaminants": ("contaminant", "components"),
    "fresh": (
        "freshwater",
        "fresh_water",
        "fresh_sources",
        "freshwater_sources",
        "freshwaters",
        "utility",
        "utilities",
        "hydrogen_utility",
        "hydrogen_utilities",
        "freshwater_concentration",
        "fresh_water_sources",
        "import",
        "hydrogen_plant",
        "hydrogen_plants",
        "fresh_hydrogen",
        "hydrogen_supply",
        "h2_plant",
        "h2_utility",
        "makeup",
    ),
    "sinks": ("demands", "sink", "consumers"),
    "sources": ("source_streams", "supplies", "producers"),
    "processes": (
        "operations",
        "units",
        "water_using_operations",
        "fixed_load",
        "fixed_load_operations",
        "water_operations",
    ),
    "regeneration": (
        "regenerators",
        "regenerator",
        "treatment",
        "treatments",
        "treatment_units",
        "purifier",
        "purifiers",
        "regeneration_units",
        "treatment_processes",
    ),
    "plants": (),
    "discharge_limit": (
        "discharge_limits",
        "environmental_limit",
        "environmental_limits",
        "discharge",
        "effluent_limit",
    ),
    "least_flow": ("min_flow", "minimum_flow", "minimum_connection_flow", "min_connection_flow"),
    "units": (),
    **{name: () for name in _NOTES if name != "source"},
}
_NAMED: Mapping[str, Sequence[str]] = {
    "id": ("name", "unit", "process", "operation", "stream", "number"),
    "note": _NOTES,
}
_CLEAN = ("c", "concentration", "conc", "c_out", "cout", "concentrations", "c_max_out", "composition")
_SINK: Mapping[str, Sequence[str]] = {
    **_NAMED,
    "plant": (),
    "flow": ("flowrate", "flow_rate", "f", "limiting_flow"),
    "limit": (
        "c_max",
        "cmax",
        "cin_max",
        "c_in_max",
        "max_concentration",
        "c_limit",
        "max_c",
        "cin",
        "c_in",
        *_CLEAN[:3],
    ),
    "purity": ("purity_min", "min_purity", "y_min", "y", "purity_minimum"),
}
_SOURCE: Mapping[str, Sequence[str]] = {
    **_NAMED,
    "plant": (),
    "flow": ("flowrate", "flow_rate", "f", "limiting_flow"),
    "at": (*_CLEAN, "cout_max", "c_out_max"),
    "purity": ("y",),
}
_OPERATION: Mapping[str, Sequence[str]] = {
    **_NAMED,
    "plant": (),
    "load": ("mass_load", "contaminant_load", "loads", "mass_loads", "mass_transfer", "delta_m", "m"),
    "inlet": (
        "cin_max",
        "c_in_max",
        "max_inlet",
        "inlet_max",
        "cin",
        "c_in",
        "max_inlet_concentration",
        "cmax_in",
        "inlet_concentration_max",
        "c_max_in",
        "inlet_limit",
        "inlet",
    ),
    "outlet": (
        "cout_max",
        "c_out_max",
        "max_outlet",
        "outlet_max",
        "cout",
        "c_out",
        "max_outlet_concentration",
        "cmax_out",
        "outlet_concentration_max",
        "c_max_out",
        "outlet_limit",
    ),
    "flow": (
        "limiting_flow",
        "limiting_flowrate",
        "flowrate",
        "limiting_water_flow",
        "limiting_water_flowrate",
        "f",
        "flow_limiting",
        "f_lim",
    ),
    "gain": ("water_gain", "flow_gain"),
    "loss": ("water_loss", "flow_loss"),
    "fixed_flow": (),
    "type": ("kind", "formulation_type"),
}
_FRESH: Mapping[str, Sequence[str]] = {
    **_NAMED,
    "at": _CLEAN,
    "purity": ("y",),
    "most": ("max_flow", "flow_max", "capacity", "limit", "available", "max"),
    "cost": ("price", "unit_cost"),
    "now": ("current_flow", "current", "flow"),
}
_UNIT: Mapping[str, Sequence[str]] = {
    **_NAMED,
    "plant": (),
    "outlet": ("cout", "c_out", "outlet_concentration", "c", "concentration"),
    "removal": ("removal_ratio", "removal_ratios", "rr", "removal_efficiency", "efficiency"),
    "purity": ("product_purity", "outlet_purity", "purity_product"),
    "recovery": ("hydrogen_recovery", "water_recovery", "recovery_ratio"),
    "feed": ("cin_max", "c_in_max", "max_inlet", "inlet_max", "feed_limit", "cin"),
    "most": ("capacity", "max_flow", "flow_max", "max_capacity"),
    "cost": ("price", "unit_cost", "treatment_cost"),
}
_PLANT: Mapping[str, Sequence[str]] = {
    "id": ("name", "plant"),
    "sinks": _CASE["sinks"],
    "sources": _CASE["sources"],
    "processes": _CASE["processes"],
    "note": _NOTES,
}


@dataclass(frozen=True)
class WaterCase:
    """A case's problem with the names in it; ``now`` is the fresh flow taken today, NaN where it is not told."""

    problem: QualityProblem
    plants: tuple[str, ...]
    fresh: tuple[str, ...]
    gas: bool
    now: float
    has_cost: bool


def read_water(inputs: Mapping[str, Any], units: Mapping[str, Any], *, gas: bool = False) -> WaterCase:
    """Read the inputs of a case; ``units`` are those of the case, ``gas`` if qualities are purities in per cent.

    Raises
    ------
    UserError
        For a field that is not known, is missing, or does not fit.
    """
    tree, suffixes = renamed(inputs, _CASE, "")
    units = {**units, **mapping(tree.get("units") or {}, "units")}
    if "fresh" in suffixes:
        units.setdefault("concentration", suffixes["fresh"])
    names = tree.get("contaminants")
    count = len(names) if isinstance(names, list) else 1
    reader = _Reader([str(one) for one in names] if isinstance(names, list) else [], gas, units)
    parts = {"sinks": _SINK, "sources": _SOURCE, "processes": _OPERATION}
    plants, rows = _placed(tree, parts)
    fresh = [reader.fresh(one, f"fresh.{at}") for at, one in enumerate(_fresh_rows(tree.get("fresh", 0.0), count), 1)]
    regeneration = [
        reader.unit(one, f"regeneration.{at}")
        for at, one in enumerate(_rows(tree.get("regeneration"), "regeneration"), 1)
    ]
    operations, more_sources, more_sinks = reader.operations(rows["processes"])
    sinks = [reader.sink(one, where) for one, where in rows["sinks"]] + more_sinks
    sources = [reader.source(one, where) for one, where in rows["sources"]] + more_sources
    if not sinks and not operations:
        raise refuse("sinks", message("verify.needs_one", fields="sinks, processes, plants"))
    discharge = tree.get("discharge_limit")
    problem = quality_problem(
        count,
        fresh=[one["at"] for one in fresh],
        fresh_max=[one["most"] for one in fresh],
        fresh_cost=[one["cost"] for one in fresh],
        source_flow=[one["flow"] for one in sources],
        source=[one["at"] for one in sources],
        sink_flow=[one["flow"] for one in sinks],
        sink_limit=[one["at"] for one in sinks],
        load=[one["load"] for one in operations],
        inlet_limit=[one["inlet"] for one in operations],
        outlet_limit=[one["outlet"] for one in operations],
        gain=[one["gain"] for one in operations],
        outlet=[one["outlet"] for one in regeneration],
        removal=[one["removal"] for one in regeneration],
        recovery=[one["recovery"] for one in regeneration],
        feed_limit=[one["feed"] for one in regeneration],
        capacity=[one["most"] for one in regeneration],
        regeneration_cost=[one["cost"] for one in regeneration],
        discharge_limit=None if discharge is None else reader.vector(discharge, "discharge_limit"),
        full=100.0 if gas else np.inf,
        giver_plant=[NOWHERE for _ in fresh] + [_plant(one, plants) for one in (*sources, *operations, *regeneration)],
        taker_plant=[_plant(one, plants) for one in (*sinks, *operations, *regeneration)] + [NOWHERE],
        least_flow=number(tree.get("least_flow") or 0.0, "least_flow"),
    )
    told = [one["now"] for one in fresh]
    labels = tuple(str(one["id"]) for one in fresh)
    return WaterCase(problem, plants, labels, gas, float(sum(told)), any(one["cost"] for one in fresh))


def _plant(row: Row, plants: Sequence[str]) -> int:
    return plants.index(row["plant"]) if row["plant"] in plants else NOWHERE


def _rows(value: object, field: str) -> Sequence[Mapping[str, Any]]:
    """Return blocks: of a list, of one block, or of blocks by name."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        if value and all(isinstance(one, Mapping) for one in value.values()):
            return [{"id": name, **one} for name, one in value.items()]
        return [value]
    return [mapping(one, f"{field}.{at}") for at, one in enumerate(listing(value, field), 1)]


def _fresh_rows(value: object, count: int) -> Sequence[Mapping[str, Any]]:
    """Return fresh sources: from a concentration, one per contaminant, several sources, or blocks."""
    if isinstance(value, list) and not any(isinstance(one, Mapping) for one in value):
        if any(isinstance(one, list) for one in value):
            return [{"c": one} for one in value]
        return [{"c": value}] if count > 1 else [{"c": one} for one in value]
    if isinstance(value, list | Mapping):
        return _rows(value, "fresh")
    clean = 0.0 if value is None else value
    return [{"c": [clean] * count if count > 1 else clean}]


def _placed(
    tree: Mapping[str, Any], parts: Mapping[str, Mapping[str, Sequence[str]]]
) -> tuple[tuple[str, ...], dict[str, list[tuple[Row, str]]]]:
    """Return the plants, and the rows of every part with their place in the file; each row knows its plant."""
    found: dict[str, list[tuple[Row, str]]] = {part: [] for part in parts}
    plants: list[str] = []

    def take(block: Mapping[str, Any], where: str, plant: str | None) -> None:
        for part, names in parts.items():
            for at, one in enumerate(_rows(block.get(part), part), 1):
                place = f"{where}{part}.{at}"
                row, units = renamed(one, names, place)
                home = plant if plant is not None else row.get("plant")
                if home is not None and str(home) not in plants:
                    plants.append(str(home))
                found[part].append(({**row, "plant": None if home is None else str(home), "@units": units}, place))

    take(tree, "", None)
    for block in _rows(tree.get("plants"), "plants"):
        inside, _ = renamed(block, _PLANT, "plants")
        name = str(required(inside, "id"))
        take(inside, f"plants.{name}.", name)
    return tuple(plants), found


class _Reader:
    """Reads rows of one case: how many contaminants, purities or concentrations, in which units."""

    def __init__(self, names: Sequence[str], gas: bool, units: Mapping[str, Any]) -> None:
        self.names, self.count, self.gas, self.units = names, len(names) or 1, gas, units

    def vector(self, value: object, field: str) -> list[float]:
        """Return a figure per contaminant, of a list or by the contaminants' names."""
        cells: Any = value
        if isinstance(value, Mapping):
            known_only(value, self.names, field)
            cells = [required(value, name) for name in self.names]
        cells = cells if isinstance(cells, list) else [cells]
        if len(cells) != self.count:
            raise refuse(field, message("verify.row_length", given=len(cells), wanted=self.count))
        found = [np.inf if one is None else number(one, field) for one in cells]
        if any(one < 0 for one in found):
            raise refuse(field, message("verify.negative"), value)
        return found

    def amount(self, row: Mapping[str, Any], name: str, where: str) -> float:
        """Return a number that is there and not negative."""
        value = number(required(row, name) if name in row else _missing(where, name), f"{where}.{name}")
        if value < 0:
            raise refuse(f"{where}.{name}", message("verify.negative"), value)
        return value

    def quality(self, row: Mapping[str, Any], name: str, where: str, *, open_end: bool = False) -> list[float]:
        """Return concentrations, or 100 less the purity; no limit where none is told and ``open_end``."""
        if row.get("purity") is not None:
            return [100.0 - one for one in self.vector(row["purity"], f"{where}.purity")]
        if row.get(name) is None:
            if open_end:
                return [np.inf] * self.count
            raise _missing(where, "purity" if self.gas else name)
        return self.vector(row[name], f"{where}.{name}")

    def sink(self, row: Row, where: str) -> Row:
        """Return a sink's flow and limits; a contaminant without a limit is refused."""
        return {"flow": self.amount(row, "flow", where), "at": self.quality(row, "limit", where), "plant": row["plant"]}

    def source(self, row: Row, where: str) -> Row:
        """Return a source's flow and concentrations."""
        return {"flow": self.amount(row, "flow", where), "at": self.quality(row, "at", where), "plant": row["plant"]}

    def fresh(self, block: Mapping[str, Any], where: str) -> Row:
        """Return a fresh source."""
        row, _ = renamed(block, _FRESH, where)
        most, cost, now = row.get("most"), row.get("cost"), row.get("now")
        return {
            "id": row.get("id", where),
            "at": self.quality(row, "at", where),
            "most": np.inf if most is None else number(most, where),
            "cost": 0.0 if cost is None else number(cost, where),
            "now": np.nan if now is None else number(now, where),
        }

    def unit(self, block: Mapping[str, Any], where: str) -> Row:
        """Return a regenerator: its outlet, or the share that it removes (per cent if above 1)."""
        row, units = renamed(block, _UNIT, where)
        removal, most, cost = row.get("removal"), row.get("most"), row.get("cost")
        shares = [0.0] * self.count if removal is None else self.vector(removal, f"{where}.removal")
        if any(one > 1 for one in shares) or "removal" in units:
            shares = [one / 100.0 for one in shares]
        fixed = row.get("purity") is not None or row.get("outlet") is not None
        if not fixed and removal is None:
            raise refuse(where, message("verify.needs_one", fields="outlet, removal, product_purity"))
        recovery = number(row["recovery"], f"{where}.recovery") if row.get("recovery") is not None else 1.0
        return {
            "outlet": self.quality(row, "outlet", where) if fixed else [np.nan] * self.count,
            "removal": shares,
            "recovery": recovery / 100.0 if recovery > 1 else recovery,
            "feed": self.vector(row["feed"], where) if row.get("feed") is not None else [np.inf] * self.count,
            "most": np.inf if most is None else number(most, where),
            "cost": 0.0 if cost is None else number(cost, where),
            "plant": None if row.get("plant") is None else str(row["plant"]),
        }

    def operations(self, rows: Sequence[tuple[Row, str]]) -> tuple[list[Row], list[Row], list[Row]]:
        """Return fixed-load operations, and the sources and sinks of operations whose flow is fixed."""
        loads, sources, sinks = list[Row](), list[Row](), list[Row]()
        for row, where in rows:
            inlet, outlet = self.quality(row, "inlet", where), self.quality(row, "outlet", where)
            gain = number(row.get("gain") or 0.0, where) - number(row.get("loss") or 0.0, where)
            fixed = row.get("fixed_flow") or "flow" in str(row.get("type", "")).lower()
            if fixed:
                given = row["fixed_flow"] if isinstance(row.get("fixed_flow"), int | float) else None
                flow = self.amount(row, "flow", where) if given is None or given is True else float(given)
                sinks.append({"flow": flow, "at": inlet, "plant": row["plant"]})
                sources.append({"flow": flow + gain, "at": outlet, "plant": row["plant"]})
                continue
            if any(high <= low for high, low in zip(outlet, inlet, strict=True)) and row.get("load") is None:
                raise refuse(where, message("verify.outlet_below"))
            load = self._load(row, inlet, outlet, where)
            loads.append({"load": load, "inlet": inlet, "outlet": outlet, "gain": gain, "plant": row["plant"]})
        return loads, sources, sinks

    def _load(self, row: Row, inlet: Sequence[float], outlet: Sequence[float], where: str) -> list[float]:
        """Return loads in flow x concentration: converted by the units told, or by what fits the limiting flow."""
        room = [high - low for high, low in zip(outlet, inlet, strict=True)]
        flow = None if row.get("flow") is None else self.amount(row, "flow", where)
        if row.get("load") is None:
            if flow is None:
                raise refuse(where, message("verify.needs_one", fields="load, limiting_flow"))
            return [flow * one for one in room]
        load = self.vector(row["load"], f"{where}.load")
        unit = row["@units"].get("load") or str(self.units.get("load") or "")
        through = str(self.units.get("flow") or row["@units"].get("flow") or f"t/{unit.partition('/')[2]}")
        factor = load_factor(unit, through, str(self.units.get("concentration") or "ppm"))
        if factor is None and flow:
            ratios = [flow * wide / one for wide, one in zip(room, load, strict=True) if one > 0]
            factor = 10.0 ** round(float(np.log10(min(ratios)))) if ratios and min(ratios) > 0 else 1.0
        return [one * (1.0 if factor is None else factor) for one in load]


def _missing(where: str, name: str) -> Any:  # noqa: ANN401 - never returns
    raise refuse(f"{where}.{name}", message("verify.missing", field=name))
