"""The three-dimensional state: economy, environment and society index of each place and year, and its path.

An index is the mean attainment of the indicators that belong to its axis (`attainment`). A formula that several
frameworks share counts once. Along a path only indicators are used that are known in every year of the place, so that
a step is a change of the place and not of what is known about it; a year without any is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from cyclopolis.library.frameworks import Framework, Indicator
from cyclopolis.library.frameworks.glossary import Input
from cyclopolis.plan.model import Plan
from cyclopolis.rating.attainment import attainment
from cyclopolis.rating.coordination import coordination, scales
from cyclopolis.rating.indicators import Rated, rate_indicator, state_of
from cyclopolis.rating.values import WHOLE, gather_values

Floats = npt.NDArray[np.float64]

AXES = ("economy", "environment", "society")
_SCALE = "ten"


@dataclass(frozen=True)
class _Moment:
    """Attainments at one moment: year, before or after the design, scopes, array (N, K)."""

    year: int
    state: str
    scopes: tuple[str, ...]
    values: Floats


def state_rows(
    plan: Plan,
    frameworks: Sequence[Framework],
    inputs: Mapping[str, Input],
    scopes: tuple[str, ...],
    rated: Mapping[str, Mapping[tuple[str, str], Rated]],
) -> list[dict[str, Any]]:
    """Return the rows of the table ``states``.

    Parameters
    ----------
    plan : Plan
        Every year of its ``indicators`` table up to the base year is a moment; a value holds until a newer one.
    frameworks : sequence of Framework
    inputs : mapping of name to Input
    scopes : tuple of str
    rated : mapping
        The indicators of the base year (``before``) and of the design (``after``, the last year of the horizon).
    """
    chosen = [
        (one, axis)
        for framework in frameworks
        for one in framework.indicators
        if (axis := _axis(framework, one)) is not None and one.target.op not in {"report", "levels"}
    ]
    if not chosen:
        return []
    indicators = [one for one, _ in chosen]
    moments = [_earlier(plan, year, indicators, inputs) for year in _years(plan)]
    for state, by_id in rated.items():
        year = plan.meta.base_year if state == "before" else max(plan.meta.horizon, default=plan.meta.base_year)
        columns = [attainment(one, by_id[one.framework, one.id]) for one in indicators]
        moments.append(_Moment(year, state, scopes, np.stack(columns, axis=1)))
    axes = np.array([axis for _, axis in chosen])
    texts = [one.formula.text if one.formula else one.id for one, _ in chosen]
    weights = np.array([1.0 / texts.count(text) for text in texts])
    every = dict.fromkeys(scope for moment in moments for scope in moment.scopes)
    return [row for scope in every for row in _path(scope, moments, axes, weights)]


def _axis(framework: Framework, one: Indicator) -> int | None:
    dimension = next(each for each in framework.dimensions if each.id == one.dimension)
    return AXES.index(dimension.axis) if dimension.axis else None


def _years(plan: Plan) -> list[int]:
    """Return the years before the base year of which something is known."""
    return sorted(set(plan.tables["indicators"].filter(pl.col("year") < plan.meta.base_year)["year"].to_list()))


def _earlier(plan: Plan, year: int, indicators: Sequence[Indicator], inputs: Mapping[str, Input]) -> _Moment:
    """Return the attainments of a year before the base year, by the indicators table alone."""
    at = replace(plan, meta=replace(plan.meta, base_year=year))
    values = gather_values(at, inputs, None, own_tables=False)
    state = state_of(values, inputs, after=False)
    columns = [attainment(one, rate_indicator(one, inputs, state, state)) for one in indicators]
    return _Moment(year, "before", values.scopes, np.stack(columns, axis=1))


def _path(scope: str, moments: Sequence[_Moment], axes: Floats, weights: Floats) -> list[dict[str, Any]]:
    """Return the path of one place through the cube."""
    own = [(one, one.values[one.scopes.index(scope)]) for one in moments if scope in one.scopes]
    own = [(moment, values) for moment, values in own if not np.all(np.isnan(values))]
    if not own:
        return []
    table = np.stack([values for _, values in own])
    common = ~np.isnan(table).any(axis=0)
    indices = np.full((len(own), len(AXES)), np.nan)
    counts, totals = [], []
    for axis in range(len(AXES)):
        used = common & (axes == axis)
        counts.append(int(used.sum()))
        totals.append(int(np.sum(axes == axis)))
        if used.any():
            indices[:, axis] = table[:, used] @ weights[used] / weights[used].sum()
    classic, corrected = coordination(indices), coordination(indices, form="corrected")
    scale = scales()[_SCALE]
    rows = []
    for place, (moment, _) in enumerate(own):
        row: dict[str, Any] = {"scope": scope or WHOLE, "year": moment.year, "state": moment.state, "scale": _SCALE}
        for axis, name in enumerate(AXES):
            row |= {name: _plain(indices[place, axis]), f"{name}_known": counts[axis], f"{name}_of": totals[axis]}
        for name, one in (("classic", classic), ("corrected", corrected)):
            row |= {f"coupling_{name}": _plain(one.c[place]), f"coordination_{name}": _plain(one.d[place])}
            number = int(scale.places(one.d[place]))
            row[f"class_{name}"] = scale.en[number] if number >= 0 else None
            row[f"class_{name}_zh"] = scale.zh[number] if number >= 0 else None
        rows.append(row | {"level": _plain(classic.t[place])})
    return rows


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
