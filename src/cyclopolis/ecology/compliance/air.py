"""The air quality index of HJ 633, as pure functions on arrays; the table of breakpoints follows the date."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GOOD = 100
"""Greatest index of a good day (excellent or good air)."""
GRADES = (50, 100, 150, 200, 300)
"""Greatest index of grades 1 to 5; above is grade 6."""


def individual_index(concentration: Floats, breakpoints: Floats, index: Floats) -> Floats:
    """Return the individual index of concentrations, rounded up to a whole number.

    Linear between the breakpoints (HJ 633, formula 1); above the highest it stays at that breakpoint's index.

    Parameters
    ----------
    concentration : ndarray
        In the unit of the breakpoints (N,); NaN where unknown.
    breakpoints, index : ndarray
        Concentrations, ascending, and their indices (B,).

    Returns
    -------
    ndarray (N,)
        NaN where the concentration is unknown.

    Examples
    --------
    >>> pm = np.array([0.0, 35, 75, 115, 150, 250, 350, 500]), np.array([0.0, 50, 100, 150, 200, 300, 400, 500])
    >>> individual_index(np.array([35.0, 36.0, 75.0, 600.0, np.nan]), *pm).tolist()
    [50.0, 52.0, 100.0, 500.0, nan]
    """
    found = np.interp(concentration, breakpoints, index)
    return np.where(np.isnan(concentration), np.nan, np.ceil(np.round(found, 9)))


def overall(indices: Floats) -> tuple[Floats, Ints]:
    """Return the air quality index and the position of its pollutant along the last axis.

    Parameters
    ----------
    indices : ndarray
        Individual indices (..., K), NaN where unknown.

    Returns
    -------
    index : ndarray (...,)
        The greatest; NaN where all are unknown.
    leading : ndarray of int (...,)
        Position of the greatest; -1 where nothing is known.

    Examples
    --------
    >>> overall(np.array([[50.0, 120.0], [np.nan, np.nan]]))
    (array([120.,  nan]), array([ 1, -1]))
    """
    known = ~np.isnan(indices)
    filled = np.where(known, indices, -np.inf)
    some = known.any(axis=-1)
    top = np.where(some, filled.max(axis=-1), np.nan)
    return top, np.where(some, filled.argmax(axis=-1), -1).astype(np.int64)


def grade(index: Floats) -> Ints:
    """Return the grade of an index, 1 (excellent) to 6 (severe); 0 where it is unknown.

    Examples
    --------
    >>> grade(np.array([50.0, 51.0, 301.0, np.nan])).tolist()
    [1, 2, 6, 0]
    """
    found = np.searchsorted(np.array(GRADES, dtype=np.float64), index, side="left") + 1
    return np.where(np.isnan(index), 0, found).astype(np.int64)


def good_share(index: Floats) -> float:
    """Return the share of the days of known index that are good; NaN where none is known.

    Examples
    --------
    >>> good_share(np.array([50.0, 100.0, 101.0, np.nan])).__round__(4)
    0.6667
    """
    known = index[~np.isnan(index)]
    return float((known <= GOOD).mean()) if known.size else float("nan")
