"""Ranking of the plan's sites by closeness to the ideal, with weights from the data, and how stable the ranks are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cyclopolis.rating.aggregation import ranks, topsis
from cyclopolis.rating.uncertainty import simulate
from cyclopolis.rating.weights import critic_weights, entropy_weights, equal_weights

Floats = npt.NDArray[np.float64]

_FEWEST = 3


def ranking_rows(scopes: Sequence[str], reached: Floats) -> list[dict[str, Any]]:
    """Return ranks of places by TOPSIS with equal, entropy and CRITIC weights: the three may disagree.

    Only indicators that every place knows and that differ are used. Stability comes from 10,000 draws of the weights.

    Parameters
    ----------
    scopes : sequence of str
    reached : array, shape (N, K)
        Attainments from 0 to 1, NaN unknown.

    Returns
    -------
    list of rows
        Empty with fewer than three places or without a common indicator.

    Examples
    --------
    >>> table = np.array([[0.9, 0.8], [0.2, 0.1], [0.5, 0.6]])
    >>> [(row["scope"], row["rank"]) for row in ranking_rows(["a", "b", "c"], table)[:3]]
    [('a', 1), ('b', 3), ('c', 2)]
    """
    if len(scopes) < _FEWEST:
        return []
    common = reached[:, ~np.isnan(reached).any(axis=0)]
    table = common[:, np.ptp(common, axis=0) > 0]
    count = table.shape[1]
    if not count:
        return []
    weights = {"equal": equal_weights(count), "entropy": entropy_weights(table), "critic": critic_weights(table)}
    rows = []
    for name, shares in weights.items():
        closeness = topsis(table, shares, np.ones(count, dtype=bool))
        place = ranks(closeness)
        draws = simulate(table, table, shares)
        rows += [
            {
                "scope": scope,
                "weights": name,
                "closeness": float(closeness[number]),
                "rank": int(place[number]),
                "indicators": count,
                "rank_mean": float(draws.rank_mean[number]),
                "first": float(draws.first[number]),
                "stable": float(draws.stable[number]),
            }
            for number, scope in enumerate(scopes)
        ]
    return rows
