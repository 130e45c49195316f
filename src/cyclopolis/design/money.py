"""What money of other years is worth, and what a plant of any size costs to build.

All amounts are in prices of the base year; the discount rate is real. A year of the horizon stands for itself and the
years until the next one; the last one for as many as the one before it.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from cyclopolis.network.model import Floats

MILLION = 1e6


def recovery_factor(rate: float, years: Floats) -> Floats:
    """Return the capital recovery factor, the yearly share that pays a capital off with interest.

    Parameters
    ----------
    rate : float
        Discount rate as a share; 0 spreads the capital evenly.
    years : ndarray
        Lifetimes (P,), a.

    Examples
    --------
    >>> recovery_factor(0.06, np.array([20.0])).round(6).tolist(), recovery_factor(0.0, np.array([20.0])).tolist()
    ([0.087185], [0.05])
    """
    if rate == 0:
        return 1.0 / years
    growth = (1.0 + rate) ** years
    return np.asarray(rate * growth / (growth - 1.0), dtype=np.float64)


def spans(years: Sequence[int]) -> tuple[int, ...]:
    """Return how many years each year of a horizon stands for.

    Examples
    --------
    >>> spans([2025, 2030, 2040]), spans([2030])
    ((5, 10, 10), (1,))
    """
    gaps = [later - earlier for earlier, later in pairwise(years)]
    return (*gaps, gaps[-1] if gaps else 1)


def discount(rate: float, years: float) -> float:
    """Return what 1 CNY is worth so many years earlier: (1 + rate) ^ -years."""
    return float((1.0 + rate) ** -years)


def yearly_worth(rate: float, base_year: int, years: Sequence[int]) -> Floats:
    """Return what 1 CNY a year is worth in the base year for each year of a horizon (Y,), over the years it stands for.

    Examples
    --------
    >>> yearly_worth(0.0, 2020, [2025, 2030]).tolist()
    [5.0, 5.0]
    >>> round(float(yearly_worth(0.1, 2020, [2021, 2023])[0]), 6) == round(1 / 1.1 + 1 / 1.1**2, 6)
    True
    """
    return np.array(
        [
            sum(discount(rate, year + step - base_year) for step in range(span))
            for year, span in zip(years, spans(years), strict=True)
        ]
    )


def capital_worth(rate: float, base_year: int, years: Sequence[int], lifetime: Floats) -> tuple[Floats, Floats]:
    """Return what 1 CNY of capital spent in each year costs in the base year, and what is left of it at the end (P, Y).

    What is left when the horizon ends is the share of the lifetime that is then still to come (straight line).

    Parameters
    ----------
    rate : float
        Discount rate as a share.
    base_year : int
    years : sequence of int
        Years of the horizon (Y).
    lifetime : ndarray
        Lifetimes (P,), a.

    Examples
    --------
    >>> spent, left = capital_worth(0.0, 2020, [2025, 2030], np.array([20.0, 8.0]))
    >>> spent[0].tolist(), left.tolist()
    ([1.0, 1.0], [[0.5, 0.75], [0.0, 0.375]])
    """
    end = years[-1] + spans(years)[-1]
    begun = np.array(years, dtype=np.float64)
    share = np.clip(1.0 - (end - begun[None, :]) / lifetime[:, None], 0.0, 1.0)
    spent = np.array([discount(rate, year - base_year) for year in years])
    return np.broadcast_to(spent, share.shape).copy(), discount(rate, end - base_year) * share


def curve_pieces(smallest: float, largest: float, capital: float, exponent: float, pieces: int) -> list[Floats]:
    """Return chords of a curve of capital over size: smallest, largest, fixed, slope of each piece.

    Capital is capital at the largest size x (size / largest) ^ exponent; sizes where pieces meet grow by equal factors,
    which keeps the relative error of all chords alike.

    Examples
    --------
    >>> (one,) = curve_pieces(20.0, 100.0, 10.0, 1.0, 1)
    >>> one.round(9).tolist()
    [20.0, 100.0, 0.0, 0.1]
    """
    ends = largest * (smallest / largest) ** (1.0 - np.arange(pieces + 1) / pieces)
    cost = capital * (ends / largest) ** exponent
    slope = np.diff(cost) / np.diff(ends)
    fixed = cost[:-1] - slope * ends[:-1]
    return [np.array(piece) for piece in zip(ends[:-1], ends[1:], fixed, slope, strict=True)]


def curve_error(ratio: float, exponent: float, pieces: int) -> float:
    """Return the largest error of the chords as a share of the curve, for sizes from 1 to ``ratio``.

    Within a piece from 1 to q the chord is a + b s; it is farthest from the curve s^e, relative to it, at
    s = a e / (b (1 - e)).

    Examples
    --------
    >>> round(curve_error(5.0, 0.65, 1), 4), round(curve_error(5.0, 0.65, 3), 4), curve_error(5.0, 1.0, 1)
    (0.0692, 0.0081, 0.0)
    """
    if exponent in {0.0, 1.0} or ratio <= 1:
        return 0.0
    q = ratio ** (1.0 / pieces)
    slope = (q**exponent - 1.0) / (q - 1.0)
    fixed = 1.0 - slope
    size = fixed * exponent / (slope * (1.0 - exponent))
    return float(abs((fixed + slope * size) / size**exponent - 1.0))
