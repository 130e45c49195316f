"""Cases of heat recovery: targets, pinch, several utilities, solved by the heat kernels."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cyclopolis.foundation.text import message
from cyclopolis.industry.exchanges.heat.pinch import (
    HeatStreams,
    HeatTargets,
    composite_curve,
    heat_streams,
    heat_targets,
    least_units,
)
from cyclopolis.industry.exchanges.heat.utilities import place_utilities
from cyclopolis.study.verify.fields import listing, mapping, number, refuse, required
from cyclopolis.study.verify.naming import renamed, words

_NOTES = ("formulation", "source", "description", "provenance", "format", "comment", "assumptions", "note", "notes")
_CASE: Mapping[str, Sequence[str]] = {
    "streams": ("process_streams",),
    "difference": (
        "delta_t_min",
        "dt_min",
        "dtmin",
        "minimum_approach_temperature",
        "hrat",
        "min_delta_t",
        "tmin",
        "minimum_temperature_difference",
        "delta_tmin",
        "delta_t",
    ),
    "utilities": ("utility",),
    "units": (),
    "note": tuple(name for name in _NOTES if name != "note"),
}
_ENDS: Mapping[str, Sequence[str]] = {
    "id": ("name", "stream", "utility"),
    "supply": (
        "t_in",
        "tin",
        "ts",
        "t_s",
        "supply_temperature",
        "t_supply",
        "inlet_temperature",
        "temperature_in",
        "t_start",
        "supply_t",
        "temperature",
        "t",
        "level",
    ),
    "target": (
        "t_out",
        "tout",
        "tt",
        "t_t",
        "target_temperature",
        "t_target",
        "outlet_temperature",
        "temperature_out",
        "t_end",
        "target_t",
    ),
    "side": ("type", "kind", "class"),
    "contribution": ("dt_cont", "delta_t_contribution", "dt_contribution", "delta_t_cont"),
    "note": tuple(name for name in _NOTES if name != "note"),
}
_STREAM: Mapping[str, Sequence[str]] = {
    **_ENDS,
    "cp": (
        "mcp",
        "fcp",
        "heat_capacity_flow",
        "heat_capacity_flowrate",
        "heat_capacity_flow_rate",
        "cp_flow",
        "m_cp",
        "w",
        "heat_capacity",
    ),
    "duty": ("heat", "q", "dh", "delta_h", "enthalpy", "heat_load", "load", "heat_duty", "enthalpy_change"),
    "film": ("h", "htc", "film_coefficient", "heat_transfer_coefficient"),
}
_UTILITY: Mapping[str, Sequence[str]] = {
    **_ENDS,
    "cost": ("price", "unit_cost"),
    "most": ("max", "capacity", "max_duty", "limit"),
}
_SIDES = {"hot": True, "h": True, "source": True, "cold": False, "c": False, "sink": False}


def solve_heat(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return the targets of a set of streams, and the duties of several utilities where they are asked for."""
    tree, _ = renamed(inputs, _CASE, "")
    rows = [
        renamed(mapping(one, f"streams.{at}"), _STREAM, f"streams.{at}")[0]
        for at, one in enumerate(_blocks(required(tree, "streams"), "streams"), 1)
    ]
    streams, half = _streams(rows, tree)
    targets = heat_targets(streams)
    figures = _figures(streams, targets, half)
    answer: dict[str, Any] = {}
    for key, wanted in expected.items():
        said = words(str(key)) - {"freshwater", "min", "max"}
        if isinstance(wanted, Mapping) and tree.get("utilities") is not None:
            answer[str(key)] = _utilities(tree["utilities"], streams, half)
        elif said in figures:
            found = figures[said]
            one = isinstance(found, list) and isinstance(wanted, int | float)
            answer[str(key)] = _nearest(found, float(wanted)) if one and isinstance(wanted, int | float) else found
    return answer or {"q_hot_min": targets.hot, "q_cold_min": targets.cold}


def _nearest(found: Sequence[float], wanted: float) -> float | None:
    return min(found, key=lambda one: abs(one - wanted)) if found else None


def _figures(streams: HeatStreams, targets: HeatTargets, half: float) -> dict[frozenset[str], Any]:
    """Return every figure by what its field's name says."""
    pinches = targets.pinches
    hot_side, cold_side = (pinches + half).tolist(), (pinches - half).tolist()
    given, taken = float(streams.duty[streams.hot].sum()), float(-streams.duty[~streams.hot].sum())
    curve = np.stack((targets.temperature, targets.residual), axis=1).tolist()
    table: dict[str, Any] = {
        "hot": targets.hot,
        "cold": targets.cold,
        "pinch_hot": hot_side,
        "pinch_cold": cold_side,
        "pinch_shifted": pinches.tolist(),
        "pinch": pinches.tolist(),
        "pinch_interval": pinches.tolist(),
        "pinch_mean": pinches.tolist(),
        "heat_recovery": targets.recovered,
        "heat_recovered": targets.recovered,
        "recovery": targets.recovered,
        "recovered": targets.recovered,
        "process_heat_recovery": targets.recovered,
        "heat_exchanged": targets.recovered,
        "hot_without_recovery": taken,
        "cold_without_recovery": given,
        "hot_without_integration": taken,
        "cold_without_integration": given,
        "units": least_units(streams, targets),
        "exchangers": least_units(streams, targets),
        "grand_composite": curve,
        "grand_composite_curve": curve,
        "cascade": targets.residual.tolist(),
        "heat_cascade": targets.residual.tolist(),
        "hot_composite_curve": np.stack(composite_curve(streams, hot=True), axis=1).tolist(),
        "cold_composite_curve": np.stack(composite_curve(streams, hot=False, start=targets.cold), axis=1).tolist(),
    }
    return {words(name) - {"freshwater", "min", "max"}: value for name, value in table.items()}


def _blocks(value: object, field: str) -> Sequence[Any]:
    """Return blocks of a list, or of blocks by name."""
    if isinstance(value, Mapping):
        return [{"id": name, **mapping(one, f"{field}.{name}")} for name, one in value.items()]
    return listing(value, field)


def _streams(rows: Sequence[Mapping[str, Any]], tree: Mapping[str, Any]) -> tuple[HeatStreams, float]:
    """Return the streams, and the part of the least difference that each brings where it says nothing of its own."""
    if not rows:
        raise refuse("streams", message("verify.missing", field="streams"))
    least = number(tree.get("difference") or 0.0, "delta_t_min")
    if tree.get("difference") is None and any(row.get("contribution") is None for row in rows):
        raise refuse("delta_t_min", message("verify.missing", field="delta_t_min"))
    if least < 0:
        raise refuse("delta_t_min", message("verify.negative"), least)
    ends = [_ends(row, f"streams.{row.get('id', at)}") for at, row in enumerate(rows, 1)]
    duty = [
        _duty(row, *end, f"streams.{row.get('id', at)}")
        for at, (row, end) in enumerate(zip(rows, ends, strict=True), 1)
    ]
    by = [least if row.get("contribution") is None else 2.0 * number(row["contribution"], "dt_cont") for row in rows]
    supply, target = zip(*ends, strict=True)
    return heat_streams(supply, target, duty, np.array(by)), least / 2.0


def _ends(row: Mapping[str, Any], where: str) -> tuple[float, float]:
    """Return supply and target temperature; a stream that is called hot but heats up is refused."""
    if row.get("supply") is None:
        raise refuse(where, message("verify.missing", field="t_in"))
    supply = number(row["supply"], f"{where}.t_in")
    target = supply if row.get("target") is None else number(row["target"], f"{where}.t_out")
    side = _SIDES.get(str(row.get("side", "")).lower().split("_")[0].split(" ")[0])
    if side is not None and supply != target and side != (supply > target):
        name, way = ("hot", "cool down") if side else ("cold", "heat up")
        raise refuse(where, message("verify.reversed", side=name, way=way, supply=f"{supply:g}", target=f"{target:g}"))
    return supply, target


def _duty(row: Mapping[str, Any], supply: float, target: float, where: str) -> float:
    """Return the heat flow of a stream; its sign tells the side of one whose temperature stays."""
    if row.get("cp") is not None and supply != target:
        size = number(row["cp"], f"{where}.cp")
        if size < 0:
            raise refuse(f"{where}.cp", message("verify.negative"), size)
        return size * abs(supply - target)
    if row.get("duty") is None:
        raise refuse(where, message("verify.needs_one", fields="cp, duty"))
    size = number(row["duty"], f"{where}.duty")
    side = _SIDES.get(str(row.get("side", "")).lower())
    return size if side is None else abs(size) if side else -abs(size)


def _utilities(value: object, streams: HeatStreams, half: float) -> dict[str, float]:
    """Return the duty of each utility at least cost; without costs the hottest and the coldest are the dearest."""
    rows = [renamed(mapping(one, "utilities"), _UTILITY, "utilities")[0] for one in _blocks(value, "utilities")]
    ends = [_ends({**row, "side": None}, "utilities") for row in rows]
    hot = np.array(
        [
            _SIDES.get(str(row.get("side", "")).lower().split("_")[0], end[0] > end[1])
            for row, end in zip(rows, ends, strict=True)
        ]
    )
    supply, target = (np.array(side) for side in zip(*ends, strict=True))
    level = np.where(hot, np.maximum(supply, target), -np.minimum(supply, target))
    rank = np.argsort(np.argsort(level)) + 1.0
    told = [row.get("cost") for row in rows]
    costs = rank.tolist() if any(one is None for one in told) else [number(one, "cost") for one in told]
    most = np.array([np.inf if row.get("most") is None else number(row["most"], "max") for row in rows])
    by = np.array([half if row.get("contribution") is None else number(row["contribution"], "dt_cont") for row in rows])
    duty = place_utilities(streams, supply, target, hot, np.array(costs), most, by)
    return {str(row.get("id", at)): float(one) for at, (row, one) in enumerate(zip(rows, duty, strict=True), 1)}
