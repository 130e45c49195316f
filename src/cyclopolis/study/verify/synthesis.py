"""Process network synthesis cases, solved by design; other optima of the same cost are recognised as such."""

from collections.abc import Mapping
from typing import Any

from cyclopolis.design import solve_synthesis_cost, solve_synthesis_structure
from cyclopolis.foundation.text import message
from cyclopolis.study.verify.fields import listing, mapping, number, refuse

_CLOSE = 1e-6
_MANY = 1000
"""Structures ranked where a case asks how many there are; else only as many as it ranks, at least the first two."""


def solve_structure(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return maximal structure and solution structures."""
    del expected
    _check_shapes(inputs)
    return dict(solve_synthesis_structure(inputs))


def solve_cost(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return the least-cost structures.

    Where the case states the activities of an optimum and they differ from the engine's, they are kept if they satisfy
    the problem at the engine's cost: the optimum is then the same, reached by other activities.
    """
    _check_shapes(inputs)
    ranked = expected.get("ranked_costs")
    counted = any(str(key).startswith("number_of") for key in expected)
    count = _MANY if counted else max(2, len(ranked) if isinstance(ranked, list) else 0)
    answer = dict(solve_synthesis_cost(inputs, count))
    for key, stated in expected.items():
        found = answer.get(key)
        if not isinstance(stated, Mapping) or not isinstance(found, Mapping):
            continue
        activity = stated.get("activity")
        if isinstance(activity, Mapping) and _is_optimum(inputs, activity, found):
            answer[key] = {**found, "activity": dict(activity)}
    return answer


def _check_shapes(inputs: Mapping[str, Any]) -> None:
    """Refuse lists where blocks belong and the like; what the names and numbers mean is design's to check."""
    products = inputs.get("products") or []
    if not isinstance(products, Mapping):
        _names(products, "products")
    _names(inputs.get("raw_materials") or [], "raw_materials")
    mapping(inputs.get("raw_material_price") or {}, "raw_material_price")
    for field in ("mutually_exclusive", "mutual_exclusion_variant"):
        for group in listing(inputs.get(field) or [], field):
            _names(group, field)
    _check_finite(inputs, "")


def _names(value: object, field: str) -> None:
    for name in listing(value, field):
        if not isinstance(name, str | int):
            raise refuse(field, message("verify.not_name"), name)


def _check_finite(tree: object, field: str) -> None:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            _check_finite(value, f"{field}.{key}" if field else str(key))
    elif isinstance(tree, float):
        number(tree, field)


def _is_optimum(inputs: Mapping[str, Any], activity: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Check activities against the problem itself: capacities, balances, demands, the units chosen, and the cost."""
    units = inputs["units"]
    if not all(isinstance(level, int | float) and name in units for name, level in activity.items()):
        return False
    running = {name: float(level) for name, level in activity.items() if level > _CLOSE}
    if set(running) - set(found.get("units") or ()):
        return False
    balance: dict[str, float] = {}
    cost = 0.0
    for name, level in running.items():
        unit = units[name]
        capacity = unit.get("capacity_max")
        if capacity is not None and level > float(capacity) * (1 + _CLOSE):
            return False
        cost += float(unit.get("fixed_cost") or 0.0) + float(unit.get("proportional_cost") or 0.0) * level
        for sign, side in ((-1.0, "inputs"), (1.0, "outputs")):
            for material, amount in _amounts(unit.get(side)).items():
                balance[material] = balance.get(material, 0.0) + sign * amount * level
    prices = inputs.get("raw_material_price") or {}
    demands = inputs.get("products") or {}
    scale = max([1.0, *(abs(amount) for amount in balance.values())])
    for material, amount in balance.items():
        if material in prices:
            cost += float(prices[material] or 0.0) * max(0.0, -amount)
        elif amount < -_CLOSE * scale:
            return False
    met = all(_meets(balance.get(name, 0.0), demand, scale) for name, demand in demands.items())
    wanted = float(found["cost"])
    return met and abs(cost - wanted) <= _CLOSE * max(1.0, abs(wanted))


def _amounts(side: object) -> dict[str, float]:
    if isinstance(side, Mapping):
        return {str(name): float(amount) for name, amount in side.items()}
    return dict.fromkeys((str(name) for name in side), 1.0) if isinstance(side, list) else {}


def _meets(made: float, demand: object, scale: float) -> bool:
    if not isinstance(demand, Mapping):
        return made > 0
    low, high = float(demand.get("demand_min") or 0.0), demand.get("demand_max")
    return made >= low - _CLOSE * scale and (high is None or made <= float(high) + _CLOSE * scale)
