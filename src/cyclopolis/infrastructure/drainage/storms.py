"""Design storms and the annual runoff capture ratio: pure functions on plain arrays."""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

L_S_HA_PER_MM_MIN = 1e4 / 60.0
"""One mm/min is this many L/(s ha); codes round it to 167."""
SMALL_DAY_MM = 2.0
"""Days with no more rain than this do not count (GB 50014-2021 appendix A)."""


def formula_depth(
    a_l_s_ha: float, c: float, b_min: float, b_exponent: float, n: float, period: float, minutes: float
) -> float:
    r"""Return the rain of a duration by a Chinese storm intensity formula, mm.

    Parameters
    ----------
    a_l_s_ha, c, b_min, b_exponent, n : float
        ``q = A (1 + C lg P) / (t + b P^m)^n`` with ``q`` in L/(s ha) and ``t`` in minutes.
    period : float
        Return period ``P``, years.
    minutes : float
        Duration ``t``.

    Returns
    -------
    float

    Notes
    -----
    Form of GB 50014 (Standard for design of outdoor wastewater engineering); 1 mm/min is exactly 166.67 L/(s ha).

    Examples
    --------
    >>> round(formula_depth(3920, 0.68, 17, 0, 0.86, 2, 60), 1)
    40.6
    """
    intensity = a_l_s_ha * (1.0 + c * math.log10(period)) / (minutes + b_min * period**b_exponent) ** n
    return float(intensity / L_S_HA_PER_MM_MIN * minutes)


def chicago_depths(total_mm: float, minutes: float, step_min: float, b_min: float, n: float, ratio: float) -> Floats:
    r"""Return the rain of each interval of a Chicago storm, mm; their sum is the total.

    Parameters
    ----------
    total_mm : float
        Rain of the whole storm.
    minutes : float
        Duration ``T``.
    step_min : float
        Length of an interval; the last one is shorter where the duration is no multiple.
    b_min, n : float
        Of the formula ``i = a / (t + b)^n``, ``b`` with the return period's part already in it.
    ratio : float
        Where the peak stands, ``r``, between 0 and 1.

    Returns
    -------
    (k,) array

    Notes
    -----
    Keifer and Chu (1957). The rain up to ``t`` is, with ``H`` the total and ``T`` the duration,
    ``H (r - (r - t/T) (1 - t / (r (T + b)))^-n)`` before the peak and
    ``H (r + (t/T - r) (1 + (t - T) / ((1 - r) (T + b)))^-n)`` after it. Its differences conserve mass whatever the
    step; point values of the intensity would not.

    Examples
    --------
    >>> depths = chicago_depths(40.0, 120.0, 5.0, 17.0, 0.86, 0.4)
    >>> depths.size, round(float(depths.sum()), 12), int(depths.argmax())
    (24, 40.0, 9)
    """
    edges = np.minimum(np.arange(math.ceil(minutes / step_min - 1e-9) + 1) * step_min, minutes)
    return np.diff(chicago_cumulative(edges, total_mm, minutes, b_min, n, ratio))


def chicago_cumulative(t: Floats, total_mm: float, minutes: float, b_min: float, n: float, ratio: float) -> Floats:
    """Return the rain of a Chicago storm up to each time ``t`` (minutes); see `chicago_depths`."""
    share, span = t / minutes, minutes + b_min
    risen = np.zeros_like(t)
    before = share <= ratio
    if ratio > 0:
        early = t[before]
        risen[before] = ratio - (ratio - share[before]) * (1.0 - early / (ratio * span)) ** -n
    if ratio < 1:
        late = t[~before]
        risen[~before] = ratio + (share[~before] - ratio) * (1.0 + (late - minutes) / ((1.0 - ratio) * span)) ** -n
    return total_mm * risen


def capture_ratio(daily_mm: Floats, depth_mm: float) -> float:
    """Return the share of the rain of many years that is kept where each day's first ``depth_mm`` are kept.

    Parameters
    ----------
    daily_mm : (n,) array
        Daily rain of at least 30 years, without snow.
    depth_mm : float
        Design rainfall depth.

    Returns
    -------
    float
        Between 0 and 1; NaN where no day has more than 2 mm.

    Notes
    -----
    GB 50014-2021 appendix A.0.1: days of 2 mm or less are dropped, and the ratio of a depth ``H`` is
    ``sum(min(X, H)) / sum(X)`` over the days that stay.

    Examples
    --------
    >>> capture_ratio(np.array([1.0, 10.0, 20.0, 30.0]), 20.0)
    0.8333333333333334
    """
    days = daily_mm[daily_mm > SMALL_DAY_MM]
    return float(np.minimum(days, depth_mm).sum() / days.sum()) if days.size else math.nan


def design_depth(daily_mm: Floats, ratio: float) -> float:
    """Return the design rainfall depth whose capture ratio is the one wanted, mm.

    Parameters
    ----------
    daily_mm : (n,) array
        As in `capture_ratio`.
    ratio : float
        Wanted share, between 0 and 1.

    Returns
    -------
    float
        Exact between the days' depths, where the ratio rises in a straight line; NaN without a day above 2 mm.

    Examples
    --------
    >>> design_depth(np.array([1.0, 10.0, 20.0, 30.0]), 50 / 60)
    20.0
    """
    days = np.sort(daily_mm[daily_mm > SMALL_DAY_MM])
    if not days.size:
        return math.nan
    kept = np.cumsum(days) + days * np.arange(days.size - 1, -1, -1)
    return float(np.interp(ratio * days.sum(), np.concatenate([[0.0], kept]), np.concatenate([[0.0], days])))
