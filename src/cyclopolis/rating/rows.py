"""The rows of a rating's tables: what each indicator, framework, level and input came to, before and after."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cyclopolis.library.frameworks import Framework, Indicator, Level
from cyclopolis.library.frameworks.glossary import Input
from cyclopolis.rating.indicators import Rated, verdict
from cyclopolis.rating.judging import MET, NOT_MET, STATUS_NAMES, UNKNOWN, Codes
from cyclopolis.rating.scores import level_by_points
from cyclopolis.rating.totals import Total
from cyclopolis.rating.values import Cell, Values, weakest
from cyclopolis.rating.wording import target_text

STATES = ("before", "after")

AllRated = Mapping[str, Mapping[tuple[str, str], Rated]]


def indicator_rows(framework: Framework, values: Values, rated: AllRated) -> list[dict[str, Any]]:
    """Return one row per scope and indicator."""
    dimensions = {one.id: one for one in framework.dimensions}
    rows = []
    for place, scope in enumerate(values.scopes):
        for one in framework.indicators:
            dimension = dimensions[one.dimension]
            row: dict[str, Any] = {
                "scope": scope,
                "framework": framework.id,
                "dimension": dimension.id,
                "dimension_name": dimension.name,
                "dimension_name_zh": dimension.name_zh,
                "edition": one.edition,
                "indicator": one.id,
                "name": one.name,
                "name_zh": one.name_zh,
                "unit": one.unit,
                "required": one.required,
                "target": target_text(one.target, one.unit, "en"),
                "target_zh": target_text(one.target, one.unit, "zh"),
                "threshold_provenance": one.provenance,
                "formula": one.formula.text if one.formula else None,
                "formula_provenance": one.formula_provenance or None,
            }
            for state, by_id in rated.items():
                found = _state_columns(framework, one, by_id[framework.id, one.id], place)
                found |= _origin_columns(one, values, scope, after=state == "after")
                row |= {f"{column}_{state}": value for column, value in found.items()}
            rows.append(row)
    return rows


def _state_columns(framework: Framework, one: Indicator, rated: Rated, place: int) -> dict[str, Any]:
    value, threshold = float(rated.value[place]), float(rated.judgement.threshold[place])
    status = int(rated.judgement.status[place])
    return {
        "value": None if np.isnan(value) else value,
        "status": STATUS_NAMES[status],
        "level": _grade(framework, one, value),
        "reached": _reached(one, value, threshold),
        "threshold": None if np.isnan(threshold) else threshold,
        "reason": str(rated.judgement.reason[place]) or None,
        "missing": "; ".join(rated.missing[place]) or None,
    }


def _origin_columns(one: Indicator, values: Values, scope: str, *, after: bool) -> dict[str, Any]:
    """Say where the values come from that the indicator rests on."""
    cells: Mapping[str, Cell] = (values.after if after else values.before)[scope]
    names = (one.id,) if one.id in cells else one.needs()
    used = {name: cells[name] for name in (*names, *one.target.names(), *one.statements()) if name in cells}
    return {
        "origin": "; ".join(f"{name}={cell.origin}" for name, cell in used.items()) or None,
        "provenance": weakest([cell.provenance for cell in used.values()]) if used else None,
    }


def _grade(framework: Framework, one: Indicator, value: float) -> str | None:
    if one.target.op != "levels" or np.isnan(value):
        return None
    for level in framework.levels:
        if level.scheme != one.target.scheme or level.score is None:
            continue
        if level.score.evaluate({"score": value}).item() == 1.0:
            return level.id
    return None


def _reached(one: Indicator, value: float, threshold: float) -> float | None:
    """Return how much of the target is reached, where both are positive."""
    if np.isnan(value) or np.isnan(threshold) or threshold <= 0 or value < 0:
        return None
    if one.direction == "lower":
        return threshold / value if value > 0 else None
    return value / threshold


def framework_rows(framework: Framework, values: Values, rated: AllRated) -> list[dict[str, Any]]:
    """Return one row per scope: how many indicators are met, not met, reported and unknown, and the verdict."""
    rows = []
    for place, scope in enumerate(values.scopes):
        row: dict[str, Any] = {
            "scope": scope,
            "framework": framework.id,
            "title": framework.title,
            "title_zh": framework.title_zh,
            "indicators": len(framework.indicators),
            "memory_targets": sum(one.provenance == "memory" for one in framework.indicators),
            "status": framework.status,
        }
        for state, by_id in rated.items():
            codes = statuses(framework, by_id)
            here = [int(one[place]) for one in codes.values()]
            row |= {f"{name}_{state}": here.count(code) for code, name in STATUS_NAMES.items()}
            whole = verdict(framework, codes)
            row[f"verdict_{state}"] = None if whole is None else STATUS_NAMES[int(whole[place])]
        rows.append(row)
    return rows


def statuses(framework: Framework, by_id: Mapping[tuple[str, str], Rated]) -> dict[str, Codes]:
    """Return the statuses of the framework's indicators over the scopes."""
    return {one.id: by_id[framework.id, one.id].judgement.status for one in framework.indicators}


def level_rows(
    framework: Framework, values: Values, rated: AllRated, totals: Mapping[str, Total]
) -> list[dict[str, Any]]:
    """Return one row per scope and level: whether it is reached, and how likely it is."""
    rows = []
    for place, scope in enumerate(values.scopes):
        for number, level in enumerate(framework.levels):
            row: dict[str, Any] = {
                "scope": scope,
                "framework": framework.id,
                "level": level.id,
                "label": level.label,
                "label_zh": level.label_zh,
                "min_points": level.min_points,
                "total_points": framework.total_points,
                "rule": level.rule or None,
                "provenance": level.provenance,
            }
            for state, by_id in rated.items():
                total = totals[state]
                code = _level_reached(framework, level, by_id, place, first=number == 0)
                if level.min_points is not None and total.in_points:
                    code = level_by_points(total.low[place, -1], total.high[place, -1], level.min_points)
                    row[f"probability_{state}"] = total.probability(place, level.min_points)
                row[f"reached_{state}"] = STATUS_NAMES[code]
            rows.append(row)
    return rows


def _level_reached(
    framework: Framework, level: Level, by_id: Mapping[tuple[str, str], Rated], place: int, *, first: bool
) -> int:
    """Judge a level by its score, or the first by the framework's verdict; points that are not public leave it open."""
    if level.score is not None:
        for one in framework.indicators:
            if one.target.op == "levels" and one.target.scheme == level.scheme:
                found = level.score.evaluate({"score": float(by_id[framework.id, one.id].value[place])}).item()
                return UNKNOWN if np.isnan(found) else MET if found else NOT_MET
    whole = verdict(framework, statuses(framework, by_id)) if first else None
    return UNKNOWN if whole is None else int(whole[place])


def input_rows(chosen: Sequence[Framework], inputs: Mapping[str, Input], values: Values) -> list[dict[str, Any]]:
    """List every input: the common ones even when unknown, an indicator's own entry only when it was given."""
    users: dict[str, int] = {}
    own: set[str] = set()
    for framework in chosen:
        for one in framework.indicators:
            own.update((one.id, *one.statements(), f"{one.id}.points"))
            for name in one.needs():
                users[name] = users.get(name, 0) + 1
        own.update(name for dimension in framework.dimensions for name in dimension.share_names(framework.id))
    rows = []
    for scope in values.scopes:
        for name, one_input in inputs.items():
            if name in own and name not in values.before[scope]:
                continue
            row: dict[str, Any] = {
                "scope": scope,
                "input": name,
                "name": one_input.en,
                "name_zh": one_input.zh,
                "unit": one_input.unit,
                "indicators": users.get(name, 1),
                "definition": one_input.definition or None,
                "definition_zh": one_input.definition_zh or None,
            }
            for state, cells in zip(STATES, (values.before, values.after), strict=True):
                cell = cells.get(scope, {}).get(name)
                if cell is not None:
                    row[f"value_{state}"] = None if np.isnan(cell.value) else cell.value
                    row[f"origin_{state}"] = cell.origin
                    row[f"provenance_{state}"] = cell.provenance
            rows.append(row)
    return rows
