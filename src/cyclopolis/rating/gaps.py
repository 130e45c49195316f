"""The way up: how far each missed target is, what holds back most, and what measures would close the gap per CNY."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from cyclopolis.library.frameworks import Framework, Indicator
from cyclopolis.library.frameworks.glossary import Input
from cyclopolis.library.frameworks.units import conversion
from cyclopolis.rating.aggregation import obstacle_degree
from cyclopolis.rating.attainment import attainment
from cyclopolis.rating.indicators import Rated, State, compute
from cyclopolis.rating.judging import MET, NOT_MET, STATUS_NAMES
from cyclopolis.rating.rows import AllRated
from cyclopolis.rating.scores import items_of

Floats = npt.NDArray[np.float64]

_STEPS = 120
_WIDEST = 1e6
"""A measure is looked for up to this many times the present value."""


@dataclass(frozen=True)
class Measure:
    """A kind of work that moves one input, with its capital cost per unit of change (CNY)."""

    id: str
    input: str
    up: bool
    unit: str
    capex_low: float
    capex_high: float
    en: str
    zh: str
    provenance: str


@cache
def measures() -> tuple[Measure, ...]:
    """Return the library of measures as it stands in ``measures.csv``; every cost is a wide window with its source."""
    text = (files("cyclopolis.rating") / "measures.csv").read_text(encoding="utf-8")
    return tuple(
        Measure(
            row["measure"],
            row["input"],
            row["sense"] == "up",
            row["unit"],
            float(row["capex_low"]),
            float(row["capex_high"]),
            row["en"],
            row["zh"],
            row["provenance"],
        )
        for row in csv.DictReader(text.splitlines())
    )


def needed_change(
    indicator: Indicator, inputs: Mapping[str, Input], state: State, place: int, name: str, mark: float, *, up: bool
) -> float | None:
    """Return the least change of one input that brings the indicator to its mark, all else as it is.

    Parameters
    ----------
    indicator : Indicator
        With a formula and a target of at least or at most.
    inputs, state
        As in `compute`.
    place : int
        Scope.
    name : str
        Input that changes.
    mark : float
        Number to be reached.
    up : bool
        Whether the input rises or falls (to zero at most).

    Returns
    -------
    float or None
        Zero or more; None where no change does.
    """
    here = {key: np.asarray(value)[place : place + 1] for key, value in state.values.items() if np.ndim(value)}
    start = float(here.get(name, np.array([np.nan]))[0])
    if np.isnan(start):
        return None
    low, high = 0.0, (max(abs(start), 1.0) * _WIDEST if up else start)
    for attempt in range(4):
        steps = np.geomspace(high / _WIDEST**2, high, _STEPS) if attempt == 0 else np.linspace(low, high, _STEPS)
        tried = {key: np.broadcast_to(value, steps.shape) for key, value in here.items()}
        tried[name] = start + steps if up else start - steps
        tried[indicator.id] = np.full(steps.shape, np.nan)
        found = compute(indicator, inputs, State(tried, after=False))
        reached = found >= mark if indicator.target.op in {">=", ">"} else found <= mark
        if not np.any(reached):
            return None
        first = int(np.argmax(reached))
        low, high = (float(steps[first - 1]) if first else 0.0), float(steps[first])
    return high


def gap_rows(
    framework: Framework,
    scopes: Sequence[str],
    inputs: Mapping[str, Input],
    states: Mapping[str, State],
    rated: AllRated,
) -> list[dict[str, Any]]:
    """Return one row per scope and missed indicator: distance, points at stake, obstacle share and best measure."""
    items = items_of(framework)
    # where points are not public one indicator counts as one of all that the framework has
    hidden = items.weights == "equal" and framework.total_points is not None and framework.versions
    total = float(max(one.indicators for one in framework.versions) if hidden else items.possible.sum())
    points = {
        member: float(worth) / enough
        for worth, enough, members in zip(items.possible, items.enough, items.members, strict=True)
        for member in members
    }
    scored = [one for one in framework.indicators if one.id in points]
    if not scored:
        return []
    before = rated["before"]
    reached = np.stack([attainment(one, before[framework.id, one.id]) for one in scored], axis=1)
    shares = obstacle_degree(reached, np.array([points[one.id] for one in scored]))
    dimensions = {one.id: one for one in framework.dimensions}
    rows = []
    for place, scope in enumerate(scopes):
        for number, one in enumerate(scored):
            now = before[framework.id, one.id]
            if now.judgement.status[place] != NOT_MET:
                continue
            later = rated.get("after", {}).get((framework.id, one.id))
            row = _gap(one, now, place, points[one.id], total) | {
                "scope": scope,
                "dimension_name": dimensions[one.dimension].name,
                "dimension_name_zh": dimensions[one.dimension].name_zh,
                "obstacle": float(shares[place, number]),
                "status_after": None if later is None else STATUS_NAMES[int(later.judgement.status[place])],
                "closed": None if later is None else bool(later.judgement.status[place] == MET),
            }
            rows.append(row | _best_measure(one, now, place, inputs, states["before"], row["share"]))
    return rows


def _gap(one: Indicator, rated: Rated, place: int, points: float, total: float) -> dict[str, Any]:
    value, mark = float(rated.value[place]), float(rated.judgement.threshold[place])
    return {
        "framework": one.framework,
        "dimension": one.dimension,
        "indicator": one.id,
        "name": one.name,
        "name_zh": one.name_zh,
        "unit": one.unit,
        "value": None if np.isnan(value) else value,
        "threshold": None if np.isnan(mark) else mark,
        "distance": None if np.isnan(mark - value) else mark - value,
        "points": points,
        "share": points / total,
        "threshold_provenance": one.provenance,
    }


def _best_measure(
    one: Indicator, rated: Rated, place: int, inputs: Mapping[str, Input], state: State, share: float
) -> dict[str, Any]:
    """Return the cheapest measure that closes a gap by itself, or nothing where none of the library does."""
    mark = float(rated.judgement.threshold[place])
    if one.formula is None or rated.direct[place] or np.isnan(mark) or one.target.op not in {">=", ">", "<=", "<"}:
        return {}
    found: list[tuple[float, dict[str, Any]]] = []
    for measure in measures():
        if measure.input not in one.formula.names:
            continue
        factor = conversion(measure.unit, inputs[measure.input].unit) or 1.0
        change = needed_change(one, inputs, state, place, measure.input, mark, up=measure.up)
        if change is None:
            continue
        amount = change / factor
        low, high = amount * measure.capex_low / 1e6, amount * measure.capex_high / 1e6
        row = {
            "measure": measure.id,
            "measure_name": measure.en,
            "measure_name_zh": measure.zh,
            "change": amount if measure.up else -amount,
            "change_unit": measure.unit,
            "cost_low": low,
            "cost_high": high,
            "cost_provenance": measure.provenance,
            "share_per_cost": 100 * share / max((low + high) / 2, 1e-9),
        }
        found.append((high, row))
    return min(found, key=lambda pair: pair[0])[1] if found else {}


def ranked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the gaps of each scope ranked by points per CNY; those without a costed measure by points, after them."""
    order = sorted(
        rows, key=lambda row: (row["scope"], -(row.get("share_per_cost") or 0.0), -row["share"], row["indicator"])
    )
    seen: dict[str, int] = {}
    for row in order:
        seen[row["scope"]] = seen.get(row["scope"], 0) + 1
        row["rank"] = seen[row["scope"]]
    return order
