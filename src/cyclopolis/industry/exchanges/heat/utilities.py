"""Several utilities placed against the grand composite curve, and the steam levels of a whole site."""

import numpy as np
from scipy.optimize import linprog

from cyclopolis.foundation.problems import user_error
from cyclopolis.industry.exchanges.heat.pinch import Bools, Floats, HeatStreams

_ROOM = 1e-9


def place_utilities(
    streams: HeatStreams, supply: Floats, target: Floats, hot: Bools, cost: Floats, most: Floats, by: Floats
) -> Floats:
    """Return the duty of each utility that meets all needs at least cost (U,), all positive.

    Parameters
    ----------
    streams : HeatStreams
    supply, target : (U,) array
        Temperatures between which each utility gives (hot) or takes (cold) its heat; equal for steam.
    hot : (U,) array of bool
    cost : (U,) array
        Per unit of heat.
    most : (U,) array
        Most heat of each; infinite where there is no limit.
    by : (U,) array
        Each utility's part of the least temperature difference.

    Raises
    ------
    UserError
        If no utility is hot or cold enough, or there is too little of them.

    Notes
    -----
    A linear programme: what is passed down at each shifted temperature, utilities included, is not negative. Pockets of
    the grand composite curve need no rule of their own.

    Examples
    --------
    >>> from cyclopolis.industry.exchanges.heat.pinch import heat_streams
    >>> four = heat_streams([150, 90, 20, 25], [60, 60, 125, 100], [180, 240, 262.5, 225], 20.0)
    >>> duty = place_utilities(
    ...     four, np.array([180.0, 105, 15]), np.array([180.0, 105, 20]), np.array([True, True, False]),
    ...     np.array([9.0, 3, 1]), np.full(3, np.inf), np.full(3, 10.0),
    ... )
    >>> duty.round(3).tolist()
    [55.0, 52.5, 40.0]
    """
    shift = np.where(hot, -by, by)
    ends = np.stack((supply + shift, target + shift))
    high, low = ends.max(axis=0), ends.min(axis=0)
    upper, lower = streams.shifted()
    level = np.unique(np.concatenate((upper, lower, high, low)))[::-1]
    passed = _given_above(streams.duty, upper, lower, level)
    each = [_given_above(np.ones(1), high[[u]], low[[u]], level) for u in range(hot.size)]
    share = np.stack(each, axis=1)
    signed = share * np.where(hot, 1.0, -1.0)
    scale = max(float(np.abs(streams.duty).sum()), 1e-12)
    solved = linprog(
        cost,
        A_ub=-signed,
        b_ub=passed / scale + _ROOM,
        A_eq=np.where(hot, 1.0, -1.0)[None, :],
        b_eq=[-streams.duty.sum() / scale],
        bounds=list(zip(np.zeros(hot.size), np.where(np.isfinite(most), most / scale, np.inf), strict=True)),
    )
    if solved.x is None:
        raise user_error("heat.utilities_short")
    duty = np.asarray(solved.x, dtype=np.float64) * scale
    return np.where(duty < 1e-8 * scale, 0.0, duty)


def _given_above(duty: Floats, upper: Floats, lower: Floats, level: Floats) -> Floats:
    """Return the net heat given above each temperature, then that given at or above each (2 L,)."""
    span = upper - lower
    sliding = span > 0
    rate = np.divide(duty, span, out=np.zeros_like(duty), where=sliding)
    above = np.clip(upper - level[:, None], 0.0, np.where(sliding, span, 0.0)) @ rate
    still = np.where(sliding, 0.0, duty)
    before, after = above + (upper > level[:, None]) @ still, above + (upper >= level[:, None]) @ still
    return np.asarray(np.concatenate((before, after)), dtype=np.float64)
