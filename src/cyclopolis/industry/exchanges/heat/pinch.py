"""Pinch targets of heat recovery on plain arrays: problem table, composite curves, several utilities.

Hot streams are those whose supply temperature is above the target; a stream whose two temperatures are equal (boiling,
condensing) is told hot or cold by the sign of its duty. Temperatures in one unit, heat flows in one unit.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
_CLOSE = 1e-9


@dataclass(frozen=True)
class HeatStreams:
    """Process streams.

    Parameters
    ----------
    supply, target : (N,) array
        Temperatures of entry and exit.
    duty : (N,) array
        Heat given (positive, hot) or taken (negative, cold).
    contribution : (N,) array
        Part of the least temperature difference that the stream brings; both parts of a match add up.
    """

    supply: Floats
    target: Floats
    duty: Floats
    contribution: Floats

    @property
    def hot(self) -> Bools:
        """Which streams give heat (N,)."""
        return np.asarray(self.duty > 0)

    def shifted(self) -> tuple[Floats, Floats]:
        """Return upper and lower shifted temperature of each stream (N,): hot ones down, cold ones up."""
        by = np.where(self.hot, -self.contribution, self.contribution)
        ends = np.stack((self.supply + by, self.target + by))
        return ends.max(axis=0), ends.min(axis=0)


def heat_streams(
    supply: npt.ArrayLike, target: npt.ArrayLike, duty: npt.ArrayLike, least_difference: npt.ArrayLike
) -> HeatStreams:
    """Return streams of which each brings half of one least temperature difference (or its own, if an array).

    Parameters
    ----------
    supply, target : (N,) array-like
    duty : (N,) array-like
        Size of the heat flow; its sign follows from the temperatures, and counts only where these are equal.
    least_difference : float or (N,) array-like

    Examples
    --------
    >>> heat_streams([150, 20], [60, 125], [180, 262.5], 20.0).duty.tolist()
    [180.0, -262.5]
    """
    one, two = np.asarray(supply, dtype=np.float64), np.asarray(target, dtype=np.float64)
    size = np.asarray(duty, dtype=np.float64)
    signed = np.where(one > two, np.abs(size), np.where(one < two, -np.abs(size), size))
    return HeatStreams(one, two, signed, np.broadcast_to(np.asarray(least_difference) / 2.0, one.shape).astype(float))


@dataclass(frozen=True)
class HeatTargets:
    """What heat recovery can reach.

    Parameters
    ----------
    hot, cold : float
        Least heating and cooling from outside.
    recovered : float
        Heat that passes from hot to cold streams.
    temperature, residual : (L,) array
        Shifted temperatures, descending, and the heat that passes each from above at the target: the grand composite
        curve. A temperature stands twice where a stream gives or takes at it alone.
    pinches : (K,) array
        Shifted temperatures, descending, that no heat passes; none in a threshold problem.
    """

    hot: float
    cold: float
    recovered: float
    temperature: Floats
    residual: Floats
    pinches: Floats


def heat_targets(streams: HeatStreams) -> HeatTargets:
    """Return the targets of a set of streams from the problem table.

    Notes
    -----
    Linnhoff and Flower (1978, AIChE J. 24, 633-642): the surplus of each interval of shifted temperature cascades
    down; the largest deficit is the least heating.

    Examples
    --------
    The four streams of Linnhoff and Hindmarsh (1983):

    >>> four = heat_streams([150, 90, 20, 25], [60, 60, 125, 100], [180, 240, 262.5, 225], 20.0)
    >>> found = heat_targets(four)
    >>> found.hot, found.cold, found.pinches.tolist()
    (107.5, 40.0, [80.0])
    """
    temperature, passed = _cascade(streams)
    scale = max(float(np.abs(streams.duty).sum()), 1e-12)
    hot = max(0.0, float(-passed.min(initial=0.0)))
    hot = 0.0 if hot < _CLOSE * scale else hot
    residual = passed + hot
    residual = np.where(np.abs(residual) < _CLOSE * scale, 0.0, residual)
    cold = float(residual[-1]) if residual.size else 0.0
    given = float(streams.duty[streams.hot].sum())
    return HeatTargets(hot, cold, given - cold, temperature, residual, _pinches(temperature, residual))


def _pinches(temperature: Floats, residual: Floats) -> Floats:
    """Return where nothing passes though heat does above and below: neither the top nor the bottom of the cascade."""
    zero = residual == 0.0
    positive = ~zero
    above = np.concatenate(([False], np.logical_or.accumulate(positive)[:-1])) if zero.size else zero
    below = np.concatenate((np.logical_or.accumulate(positive[::-1])[::-1][1:], [False])) if zero.size else zero
    return np.unique(temperature[zero & above & below])[::-1]


def _cascade(streams: HeatStreams) -> tuple[Floats, Floats]:
    """Return shifted temperatures, descending, and the net heat given above each, without utilities."""
    upper, lower = streams.shifted()
    level = np.unique(np.concatenate((upper, lower)))[::-1]
    if not level.size:
        return level, level
    sliding = upper > lower
    given = streams.duty[sliding]
    rate = given / (upper - lower)[sliding]
    above = np.clip(upper[sliding] - level[:, None], 0.0, (upper - lower)[sliding]) @ rate
    still = streams.duty[~sliding]
    at = upper[~sliding]
    before = above + (at > level[:, None]) @ still
    after = above + (at >= level[:, None]) @ still
    jumps = np.isin(level, at)
    order = np.concatenate((np.arange(level.size), np.flatnonzero(jumps)))
    passed = np.concatenate((before, after[jumps]))
    place = np.argsort(order, kind="stable")
    return level[order[place]], passed[place]


def composite_curve(streams: HeatStreams, *, hot: bool, start: float = 0.0) -> tuple[Floats, Floats]:
    """Return the hot or cold composite curve: cumulated heat and real temperature, from the coldest end up.

    Parameters
    ----------
    streams : HeatStreams
    hot : bool
        Hot streams or cold ones.
    start : float
        Heat at the cold end; the cooling target for the cold curve, so that both stand as they recover.

    Examples
    --------
    >>> two = heat_streams([150, 90], [60, 60], [180, 240], 20.0)
    >>> [part.tolist() for part in composite_curve(two, hot=True)]
    [[0.0, 300.0, 420.0], [60.0, 90.0, 150.0]]
    """
    mine = streams.hot == hot
    ends = np.stack((streams.supply[mine], streams.target[mine]))
    low, high, size = ends.min(axis=0), ends.max(axis=0), np.abs(streams.duty[mine])
    level = np.unique(ends)
    sliding = high > low
    rate = np.divide(size, high - low, out=np.zeros_like(size), where=sliding)
    below = np.clip(level[:, None] - low, 0.0, high - low) @ rate
    before = below + (low < level[:, None]) @ np.where(sliding, 0.0, size)
    after = below + (low <= level[:, None]) @ np.where(sliding, 0.0, size)
    jump = after > before
    order = np.argsort(np.concatenate((np.arange(level.size), np.flatnonzero(jump))), kind="stable")
    return (
        start + np.concatenate((before, after[jump]))[order],
        np.concatenate((level, level[jump]))[order],
    )


def least_units(streams: HeatStreams, targets: HeatTargets, hot_utilities: int = 1, cold_utilities: int = 1) -> int:
    """Return the least number of exchangers, heaters and coolers: streams and utilities less one, each side of a pinch.

    Hohmann (1971); Linnhoff, Mason and Wardle (1979). Streams that cross the pinch count on both sides.

    Examples
    --------
    >>> four = heat_streams([150, 90, 20, 25], [60, 60, 125, 100], [180, 240, 262.5, 225], 20.0)
    >>> least_units(four, heat_targets(four))
    7
    """
    upper, lower = streams.shifted()
    cuts = [np.inf, *targets.pinches.tolist(), -np.inf]
    count = 0
    for place, (top, bottom) in enumerate(pairwise(cuts)):
        inside = int(((upper > bottom) & (lower < top)).sum())
        inside += hot_utilities if place == 0 and targets.hot > 0 else 0
        inside += cold_utilities if place == len(cuts) - 2 and targets.cold > 0 else 0
        count += max(inside - 1, 0)
    return count
