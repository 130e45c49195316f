"""What a framework's points come to over its dimensions, and how likely its levels are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cyclopolis.library.frameworks import Framework, Value
from cyclopolis.rating.judging import Codes
from cyclopolis.rating.scores import Items, Scores, by_dimension, items_of, score_items
from cyclopolis.rating.uncertainty import DRAWS, Simulation, simulate

Floats = npt.NDArray[np.float64]

_SPREAD = 0.2
"""Spread of equal weights, which are ours; weights of a framework are not varied."""


@dataclass(frozen=True)
class Total:
    """Points of a framework in one state.

    ``possible`` (D + 1,), ``low`` and ``high`` (N, D + 1) are sums by dimension, the whole last; ``shares_low`` and
    ``shares_high`` their shares, or those that somebody published (``published``); ``memory`` the part of the decided
    points that rests on recalled marks; ``simulation`` the draws, by scope (None where nothing is known).
    """

    items: Items
    possible: Floats
    low: Floats
    high: Floats
    shares_low: Floats
    shares_high: Floats
    published: npt.NDArray[np.bool_]
    memory: Floats
    marks: tuple[float, ...]
    simulation: tuple[Simulation | None, ...]
    in_points: bool

    def probability(self, place: int, mark: float) -> float | None:
        """Return the share of draws in which at least so many points are reached."""
        found = self.simulation[place]
        if found is None:
            return None
        return float(found.grades[0, self.marks.index(mark) + 1 :].sum())


def total_of(framework: Framework, statuses: Mapping[str, Codes], values: Mapping[str, Value], scopes: int) -> Total:
    """Add up a framework's points by dimension.

    A framework whose points exist but are not public (IGMC) has no share of its own: the few checks that are known say
    nothing of the whole. Only what an assessor published is a share then.

    Parameters
    ----------
    framework : Framework
    statuses : mapping of indicator to array of int, shape (N,)
    values : mapping of name to array, shape (N,)
        For points that an assessor gave and shares that somebody published.
    scopes : int
        N.
    """
    items = items_of(framework)
    points = {one.id: _numbers(values, f"{one.id}.points", scopes) for one in framework.indicators}
    scores = score_items(items, statuses, {name: one for name, one in points.items() if one is not None}, scopes)
    count = len(framework.dimensions)
    possible = by_dimension(items, items.possible[None, :], count)[0]
    low, high = by_dimension(items, scores.low, count), by_dimension(items, scores.high, count)
    decided = items.possible - (scores.high - scores.low)
    memory = by_dimension(items, decided * items.memory, count)
    of_decided = np.divide(
        memory, by_dimension(items, decided, count), out=np.full(memory.shape, np.nan), where=memory > 0
    )
    points_told = framework.total_points
    in_points = items.weights == "framework" and points_told is not None and abs(possible[-1] - points_told) < 0.5
    countable = possible if in_points or points_told is None else np.zeros_like(possible)
    share_low, share_high, published = _shares(framework, values, low, high, countable)
    marks = tuple(sorted({one.min_points for one in framework.levels if one.min_points is not None}))
    return Total(
        items,
        possible,
        low,
        high,
        share_low,
        share_high,
        published,
        np.where(np.isnan(of_decided) & (by_dimension(items, decided, count) > 0), 0.0, of_decided),
        marks,
        _simulations(items, scores, marks, countable[-1]),
        in_points,
    )


def _numbers(values: Mapping[str, Value], name: str, scopes: int) -> Floats | None:
    found = values.get(name)
    return None if found is None else np.broadcast_to(np.asarray(found, dtype=np.float64), (scopes,))


def _shares(
    framework: Framework, values: Mapping[str, Value], low: Floats, high: Floats, possible: Floats
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return shares of points, those that somebody published in their place."""
    some = possible > 0
    low_share = np.where(some, low / np.where(some, possible, 1.0), np.nan)
    high_share = np.where(some, high / np.where(some, possible, 1.0), np.nan)
    published = np.zeros(low.shape, dtype=bool)
    for place, dimension in enumerate(framework.dimensions):
        names = dimension.share_names(framework.id)
        whole, least, most = (_numbers(values, name, len(low)) for name in names)
        if whole is None or least is None or most is None:
            continue
        given = ~(np.isnan(whole) & np.isnan(least) & np.isnan(most))
        start = np.where(np.isnan(whole), np.where(np.isnan(least), 0.0, least), whole) / 100
        end = np.where(np.isnan(whole), np.where(np.isnan(most), 100.0, most), whole) / 100
        low_share[:, place] = np.where(given, start, low_share[:, place])
        high_share[:, place] = np.where(given, end, high_share[:, place])
        published[:, place] = given
    return low_share, high_share, published


def _simulations(items: Items, scores: Scores, marks: tuple[float, ...], total: float) -> tuple[Simulation | None, ...]:
    """Draw each scope of which something is known: unknown items anywhere between nothing and full points."""
    found: list[Simulation | None] = []
    for low, high in zip(scores.low, scores.high, strict=True):
        if not len(low) or not total or np.all(high - low >= items.possible - 1e-12):
            found.append(None)
            continue
        least, most = (np.clip(one / items.possible, 0, 1)[None, :] for one in (low, high))
        spread = _SPREAD if items.weights == "equal" else 0.0
        shares = [mark / total for mark in marks]
        found.append(simulate(least, most, items.possible, shares, draws=DRAWS, spread=spread))
    return tuple(found)


def score_rows(framework: Framework, scopes: Sequence[str], totals: Mapping[str, Total]) -> list[dict[str, Any]]:
    """Return one row per scope and dimension, and one for the whole with the draws."""
    names = [(one.id, one.name, one.name_zh) for one in framework.dimensions] + [("", "", "")]
    rows = []
    for place, scope in enumerate(scopes):
        for number, (identity, name, name_zh) in enumerate(names):
            any_total = next(iter(totals.values()))
            row: dict[str, Any] = {
                "scope": scope,
                "framework": framework.id,
                "dimension": identity or None,
                "dimension_name": name or None,
                "dimension_name_zh": name_zh or None,
                "weights": any_total.items.weights,
                "possible": float(any_total.possible[number]),
            }
            for state, total in totals.items():
                found = _score_columns(total, place, number, whole=not identity)
                row |= {f"{column}_{state}": value for column, value in found.items()}
            rows.append(row)
    return rows


def _score_columns(total: Total, place: int, number: int, *, whole: bool) -> dict[str, Any]:
    draws = total.simulation[place] if whole else None
    return {
        "earned": float(total.low[place, number]),
        "best": float(total.high[place, number]),
        "share_low": _plain(total.shares_low[place, number]),
        "share_high": _plain(total.shares_high[place, number]),
        "origin": "published" if number < total.published.shape[1] and total.published[place, number] else "computed",
        "memory": _plain(total.memory[place, number]),
        "mean": None if draws is None else float(draws.mean[0]),
        "p5": None if draws is None else float(draws.low[0]),
        "p95": None if draws is None else float(draws.high[0]),
    }


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
