"""Classes of surface water by the single-factor method of GB 3838-2002, as pure functions on arrays.

The worst parameter decides the class of a sample (Technical notice on the assessment of surface water, 2011 No. 22).
Classes are numbered 1 to 5; 6 is worse than class V; 0 is unknown.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

WORSE = 6
"""Number of what is worse than class V."""
CLASS_NAMES = ("", "I", "II", "III", "IV", "V", "worse than V")


def classes(value: Floats, limits: Floats, at_least: Bools) -> Ints:
    """Return the class that each value meets: the best one whose limit holds.

    Parameters
    ----------
    value : ndarray
        Concentrations (N,), NaN where unknown.
    limits : ndarray
        Limits of classes I to V (N, 5), in the unit of the value.
    at_least : ndarray of bool
        Whether the limits are least values, as for oxygen (N,).

    Returns
    -------
    ndarray of int (N,)
        1 to 5, 6 for worse than V, 0 for unknown.

    Examples
    --------
    >>> ammonia = np.array([[0.15, 0.5, 1.0, 1.5, 2.0]])
    >>> [int(classes(np.array([value]), ammonia, np.array([False]))[0]) for value in (0.15, 0.51, 2.0, 2.1, np.nan)]
    [1, 3, 5, 6, 0]
    """
    sign = np.where(at_least, -1.0, 1.0)
    holds = (sign * value)[:, None] <= sign[:, None] * limits * (1 + sign[:, None] * 1e-12)
    best = np.where(holds.any(axis=1), holds.argmax(axis=1) + 1, WORSE)
    return np.where(np.isnan(value), 0, best).astype(np.int64)


def multiples(value: Floats, limit: Floats, at_least: Bools) -> Floats:
    """Return how many times a value lies over its limit, ``value / limit - 1``; NaN where it does not or has no sense.

    Oxygen (a least value) has no multiple.

    Examples
    --------
    >>> multiples(np.array([3.0, 0.5, 1.0]), np.array([1.0, 1.0, 5.0]), np.array([False, False, True])).tolist()
    [2.0, nan, nan]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        over = value / limit - 1.0
    return np.where(~at_least & (over > 0), over, np.nan)


def worst_of(group: Ints, found: Ints, number: int) -> Ints:
    """Return the worst class of each group (G,): 0 where nothing is known.

    Examples
    --------
    >>> worst_of(np.array([0, 0, 1]), np.array([2, 4, 0]), 3).tolist()
    [4, 0, 0]
    """
    worst = np.zeros(number, dtype=np.int64)
    np.maximum.at(worst, group, found)
    return worst


def place_rating(section_class: Ints) -> str | None:
    """Return the rating of a place's sections by the shares of their classes; None where no class is known.

    Excellent from 90 % in classes I to III, good from 75 %; below that light pollution with less than 20 % worse than
    class V, moderate with less than 40 %, else heavy, which also needs less than 60 % in classes I to III (notice 2011
    No. 22; thresholds recalled).

    Examples
    --------
    >>> place_rating(np.array([1, 2, 3, 3])), place_rating(np.array([2, 4, 6, 6, 6])), place_rating(np.array([0]))
    ('excellent', 'heavy', None)
    """
    known = section_class[section_class > 0]
    if known.size == 0:
        return None
    good, bad = float((known <= 3).mean()), float((known == WORSE).mean())
    if good >= 0.75:
        return "excellent" if good >= 0.9 else "good"
    if bad < 0.2:
        return "light"
    return "heavy" if bad >= 0.4 and good < 0.6 else "moderate"
