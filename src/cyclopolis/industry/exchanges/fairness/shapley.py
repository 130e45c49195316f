"""The Shapley value on plain arrays: exact, or sampled with standard errors.

A game of n players is an array of 2**n values; bit i of the place tells whether player i is a member.
"""

from collections.abc import Callable
from math import factorial

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def players_of(values: Floats) -> int:
    """Return the number of players of a game.

    Raises
    ------
    ValueError
        If the number of values is no power of two.
    """
    count = int(values.size).bit_length() - 1
    if values.size != 2**count:
        raise ValueError(f"{values.size} values are not those of all coalitions")
    return count


def shapley_value(values: Floats) -> Floats:
    """Return what each player brings on average over all orders of joining (n,).

    Notes
    -----
    Shapley (1953): sum over coalitions without i of s! (n - s - 1)! / n! times what i adds.

    Examples
    --------
    One left glove, two right ones: a pair is worth 1.

    >>> gloves = np.array([0.0, 0, 0, 1, 0, 1, 0, 1])
    >>> shapley_value(gloves).round(4).tolist()
    [0.6667, 0.1667, 0.1667]
    """
    count = players_of(values)
    place = np.arange(values.size)
    size = np.bitwise_count(place)
    weight = np.array([factorial(s) * factorial(count - s - 1) / factorial(count) for s in range(count)])
    found = np.zeros(count)
    for player in range(count):
        without = place[(place >> player) & 1 == 0]
        found[player] = weight[size[without]] @ (values[without | (1 << player)] - values[without])
    return found


def sampled_shapley(value: Callable[[int], float], count: int, draws: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Return an estimate of the Shapley value and its standard error (n,), (n,), from random orders and their reverses.

    Parameters
    ----------
    value : callable
        Value of a coalition given by the bits of its members; asked once for each order's beginnings.
    count : int
        Number of players.
    draws : int
        Pairs of orders.
    seed : int

    Notes
    -----
    Antithetic permutations (Mitchell et al. 2022, J. Mach. Learn. Res. 23, 1-46): an order and its reverse make one
    observation; the error is the standard deviation of the pairs' means over the root of their number.

    Examples
    --------
    >>> mean, error = sampled_shapley(lambda members: float(members.bit_count() ** 2), 3, 20)
    >>> mean.tolist(), error.tolist()
    ([3.0, 3.0, 3.0], [0.0, 0.0, 0.0])
    """
    random = np.random.default_rng(seed)
    pairs = np.zeros((draws, count))
    for draw in range(draws):
        order = random.permutation(count)
        for one in (order, order[::-1]):
            members, before = 0, value(0)
            for player in one.tolist():
                members |= 1 << player
                after = value(members)
                pairs[draw, player] += 0.5 * (after - before)
                before = after
    error = pairs.std(axis=0, ddof=1) / np.sqrt(draws) if draws > 1 else np.full(count, np.inf)
    return pairs.mean(axis=0), error
