"""Scores of frameworks and of their dimensions: points earned, and how many more the unknown could still bring.

What is unknown is never counted as zero and never left out: a score is the interval from its worst to its best case.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cyclopolis.library.frameworks import Framework, Indicator
from cyclopolis.rating.judging import MET, NOT_MET, UNKNOWN, Codes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Items:
    """What a framework gives points for: indicators one by one, and groups of which some members are enough.

    ``possible`` (K,) are the points of each, ``dimension`` (K,) the number of its dimension, ``members`` the ids behind
    it, ``enough`` how many of them bring the full points. ``weights`` says whose the points are: the framework's, or
    equal ones of ours.
    """

    possible: Floats
    dimension: Ints
    members: tuple[tuple[str, ...], ...]
    enough: tuple[int, ...]
    memory: npt.NDArray[np.bool_]
    weights: str


@dataclass(frozen=True)
class Scores:
    """Points of each item by scope, shape (N, K): earned for sure, and earned at best."""

    low: Floats
    high: Floats


def items_of(framework: Framework) -> Items:
    """Return what the framework gives points for.

    With points of its own these are its indicators. Without, each judged indicator counts one, and a group counts as
    many as it asks for: HJ 274-2015 gives 17 + 6 = 23.

    Examples
    --------
    >>> from cyclopolis.library.frameworks import load_frameworks
    >>> items_of(load_frameworks()["hj-274-2015"]).possible.sum().item()
    23.0
    """
    places = {one.id: place for place, one in enumerate(framework.dimensions)}
    by_id = {one.id: one for one in framework.indicators}
    graded = framework.weighted()
    grouped = () if graded else framework.groups
    inside = {member for group in grouped for member in group.of}
    single = [one for one in framework.indicators if one.id not in inside and _scored(one, graded=graded)]
    rows: list[tuple[tuple[str, ...], int, float]] = [
        ((one.id,), 1, one.weight if graded and one.weight is not None else 1.0) for one in single
    ]
    rows += [(group.of, group.n, float(group.n)) for group in grouped]
    return Items(
        np.array([points for _, _, points in rows], dtype=np.float64),
        np.array([places[by_id[members[0]].dimension] for members, _, _ in rows], dtype=np.int64),
        tuple(members for members, _, _ in rows),
        tuple(enough for _, enough, _ in rows),
        np.array([any(by_id[one].provenance == "memory" for one in members) for members, _, _ in rows], dtype=bool),
        "framework" if graded else "equal",
    )


def _scored(one: Indicator, *, graded: bool) -> bool:
    return one.target.op != "levels" if graded else one.target.op not in {"report", "levels"}


def score_items(items: Items, statuses: Mapping[str, Codes], points: Mapping[str, Floats], scopes: int) -> Scores:
    """Return points earned and earned at best.

    Parameters
    ----------
    items : Items
    statuses : mapping of indicator to array of int, shape (N,)
    points : mapping of indicator to array, shape (N,)
        Points that an assessor gave, NaN where none; they go before the judgement.
    scopes : int
        N.

    Examples
    --------
    >>> items = Items(np.array([2.0]), np.array([0]), (("a", "b", "c"),), (2,), np.array([False]), "equal")
    >>> statuses = {"a": np.array([MET]), "b": np.array([UNKNOWN]), "c": np.array([NOT_MET])}
    >>> found = score_items(items, statuses, {}, 1)
    >>> found.low.tolist(), found.high.tolist()
    ([[1.0]], [[2.0]])
    """
    low = np.zeros((scopes, len(items.possible)))
    high = np.zeros_like(low)
    for place, (members, enough) in enumerate(zip(items.members, items.enough, strict=True)):
        codes = np.stack([statuses[member] for member in members])
        met = np.sum(codes == MET, axis=0)
        open_ones = np.sum((codes != MET) & (codes != NOT_MET), axis=0)
        each = items.possible[place] / enough
        low[:, place] = each * np.minimum(met, enough)
        high[:, place] = each * np.minimum(met + open_ones, enough)
        given = points.get(members[0])
        if given is not None and len(members) == 1:
            known = ~np.isnan(given)
            bounded = np.clip(given, 0.0, items.possible[place])
            low[:, place] = np.where(known, bounded, low[:, place])
            high[:, place] = np.where(known, bounded, high[:, place])
    return Scores(low, high)


def by_dimension(items: Items, values: Floats, count: int) -> Floats:
    """Return values of items summed by dimension, the whole last: shape (N, count + 1)."""
    sums = values @ np.eye(count)[items.dimension] if len(items.possible) else np.zeros((len(values), count))
    return np.concatenate([sums, sums.sum(axis=1, keepdims=True)], axis=1)


def level_by_points(low: float, high: float, mark: float) -> int:
    """Judge a level that is granted from a number of points.

    Examples
    --------
    >>> level_by_points(215, 320, 210), level_by_points(100, 150, 210), level_by_points(150, 250, 210)
    (1, 0, -1)
    """
    if low >= mark - 1e-9:
        return MET
    return NOT_MET if high < mark - 1e-9 else UNKNOWN
