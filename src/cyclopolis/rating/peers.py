"""Comparison with given parks: percentiles, the nearest peers, and lessons of published cases."""

import csv
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def percentiles(scores: npt.ArrayLike) -> Floats:
    """Return the share of the other places that each place beats in each criterion, ties counting half.

    Parameters
    ----------
    scores : array, shape (N, K)
        Higher is better; NaN unknown.

    Returns
    -------
    array, shape (N, K)
        From 0 to 100; NaN where the place is unknown or no other place is known.

    Examples
    --------
    >>> percentiles([[1.0], [2.0], [3.0], [float("nan")]])[:, 0].tolist()
    [0.0, 50.0, 100.0, nan]
    """
    values = np.asarray(scores, dtype=np.float64)
    known = ~np.isnan(values)
    others = known.sum(axis=0) - 1
    beaten = np.zeros_like(values)
    for column in range(values.shape[1]):
        order = np.sort(values[known[:, column], column])
        below = np.searchsorted(order, values[:, column], side="left")
        same = np.searchsorted(order, values[:, column], side="right") - below - 1
        beaten[:, column] = below + same / 2
    return np.where(known & (others > 0), 100 * beaten / np.maximum(others, 1), np.nan)


def nearest(scores: npt.ArrayLike, count: int) -> tuple[Ints, Floats]:
    """Return the places most like each place: mean distance over what both know, in standard deviations.

    Parameters
    ----------
    scores : array, shape (N, K)
    count : int
        Peers wanted.

    Returns
    -------
    peers : array of int, shape (N, min(count, N - 1))
        Nearest first; -1 where nothing is known of both.
    distance : array, the same shape
        NaN where nothing is known of both.

    Examples
    --------
    >>> peers, distance = nearest([[0.0, 0.0], [1.0, 1.0], [0.9, 1.0]], 1)
    >>> peers[:, 0].tolist()
    [2, 2, 1]
    """
    values = np.asarray(scores, dtype=np.float64)
    known = ~np.isnan(values)
    wanted = max(min(count, len(values) - 1), 0)
    counts = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0.0).sum(axis=0) / counts
    spread = np.sqrt(np.where(known, np.square(values - mean), 0.0).sum(axis=0) / counts)
    scaled = np.where(known, (values - mean) / np.where(spread > 0, spread, 1.0), 0.0)
    both = known.astype(np.float64) @ known.T.astype(np.float64)
    squares = np.square(scaled) @ known.T
    total = squares + squares.T - 2 * scaled @ scaled.T
    distance = np.where(both > 0, np.sqrt(np.maximum(total, 0.0) / np.maximum(both, 1.0)), np.inf)
    np.fill_diagonal(distance, np.inf)
    order = np.argsort(distance, axis=1, kind="stable")[:, :wanted]
    found = np.take_along_axis(distance, order, axis=1)
    lost = np.isinf(found)
    return np.where(lost, -1, order), np.where(lost, np.nan, found)


def peer_rows(
    scopes: Sequence[str], frameworks: Sequence[str], indicators: Sequence[str], reached: Floats
) -> list[dict[str, Any]]:
    """Return one row per place and indicator that another place knows as well."""
    shares = percentiles(reached)
    known = ~np.isnan(reached)
    return [
        {
            "scope": scope,
            "framework": frameworks[column],
            "indicator": indicators[column],
            "attainment": float(reached[place, column]),
            "percentile": float(shares[place, column]),
            "places": int(known[:, column].sum()),
        }
        for place, scope in enumerate(scopes)
        for column in range(reached.shape[1])
        if not np.isnan(shares[place, column])
    ]


def neighbour_rows(scopes: Sequence[str], reached: Floats, count: int = 3) -> list[dict[str, Any]]:
    """Return the nearest peers of each place."""
    peers, distance = nearest(reached, count)
    known = ~np.isnan(reached)
    return [
        {
            "scope": scope,
            "rank": rank + 1,
            "peer": scopes[peers[place, rank]],
            "distance": float(distance[place, rank]),
            "common": int(np.sum(known[place] & known[peers[place, rank]])),
        }
        for place, scope in enumerate(scopes)
        for rank in range(peers.shape[1])
        if peers[place, rank] >= 0
    ]


@cache
def lessons() -> tuple[dict[str, str], ...]:
    """Return the lessons of published cases as they stand in ``lessons.csv``, each with its source."""
    text = (files("cyclopolis.rating") / "lessons.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))
