"""Scores of frameworks and of their dimensions: points earned, and how many more the unknown could still bring.

What is unknown is never counted as zero and never left out: a score is the interval from its worst to its best case.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.library.frameworks import Framework, Indicator
from cyclopolis.rating.judging import MET, NOT_MET, UNKNOWN, Codes
from cyclopolis.rating.weights import ahp, random_indices

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
    possible = np.array([points for _, _, points in rows], dtype=np.float64)
    dimension = np.array([places[by_id[members[0]].dimension] for members, _, _ in rows], dtype=np.int64)
    weighted = framework.weighting is not None and len(rows) > 0
    return Items(
        _by_weights(framework, possible, dimension) if weighted else possible,
        dimension,
        tuple(members for members, _, _ in rows),
        tuple(enough for _, enough, _ in rows),
        np.array([any(by_id[one].provenance == "memory" for one in members) for members, _, _ in rows], dtype=bool),
        framework.weighting.method if weighted and framework.weighting else "framework" if graded else "equal",
    )


def dimension_weights(framework: Framework) -> Floats:
    """Return the weights of the dimensions, given or by pairwise comparison, sum one.

    Raises
    ------
    ValueError
        If the framework weighs no dimensions.
    UserError
        If the random-index table is not known or too short.
    """
    told = framework.weighting
    if told is None:
        raise ValueError(f"{framework.id} weighs no dimensions")
    if told.method == "ahp":
        order = len(told.matrix)
        if order not in random_indices().get(told.table, {}):
            text = message("verify.no_random_index", table=told.table, order=order)
            raise UserError([Problem(text, file=framework.file, column="weighting: random_index")])
        return ahp(told.matrix, table=told.table).weights
    return np.array([told.weights[one.id] for one in framework.dimensions], dtype=np.float64)


def _by_weights(framework: Framework, possible: Floats, dimension: Ints) -> Floats:
    """Return points of which each dimension has its weight of 100; one without items leaves its to the rest."""
    weights = dimension_weights(framework)
    inside = np.bincount(dimension, weights=possible, minlength=len(weights))
    used = np.where(inside > 0, weights, 0.0)
    each = used / max(float(used.sum()), 1e-300) / np.where(inside > 0, inside, 1.0)
    return np.asarray(100 * possible * each[dimension])


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
