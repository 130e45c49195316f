"""Total site on plain arrays: what plants reject and need as steam mains see it; waste heat for district heating."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from cyclopolis.industry.exchanges.heat.pinch import Floats, HeatTargets
from cyclopolis.industry.exchanges.programme import Programme, solve


@dataclass(frozen=True)
class Profile:
    """A plant's grand composite curve without its pockets, over shifted temperatures, descending (L,).

    ``available`` is the heat that the plant rejects at or above each temperature, ``needed`` the heat that it needs at
    or below each.
    """

    temperature: Floats
    available: Floats
    needed: Floats


def site_profile(targets: HeatTargets) -> Profile:
    """Return what a plant rejects and needs after its own recovery.

    Notes
    -----
    Dhole and Linnhoff (1993, Comput. Chem. Eng. 17, S101-S109): above the pinch only what no hotter point of the curve
    covers is needed from outside, below it only what no colder point takes up is rejected.

    Examples
    --------
    >>> from cyclopolis.industry.exchanges.heat.pinch import heat_streams, heat_targets
    >>> four = heat_streams([150, 90, 20, 25], [60, 60, 125, 100], [180, 240, 262.5, 225], 20.0)
    >>> plant = site_profile(heat_targets(four))
    >>> float(plant.needed.max()), float(plant.available.max())
    (107.5, 40.0)
    """
    temperature, residual = targets.temperature, targets.residual
    pinch = float(targets.pinches.max()) if targets.pinches.size else (np.inf if targets.hot == 0 else -np.inf)
    low = float(targets.pinches.min()) if targets.pinches.size else pinch
    up = np.where(temperature >= pinch, residual, 0.0)
    needed = np.minimum.accumulate(np.where(temperature >= pinch, up, np.inf))
    needed = np.where(temperature >= pinch, needed, 0.0)
    down = np.where(temperature <= low, residual, 0.0)
    below = np.minimum.accumulate(np.where(temperature <= low, down, np.inf)[::-1])[::-1]
    available = np.where(temperature <= low, below, 0.0)
    return Profile(temperature, available, needed)


def at_or_above(profile: Profile, temperature: Floats) -> Floats:
    """Return the heat available at or above shifted temperatures."""
    return _between(profile.temperature, profile.available, temperature, left=float(profile.available.max(initial=0.0)))


def at_or_below(profile: Profile, temperature: Floats) -> Floats:
    """Return the heat needed at or below shifted temperatures."""
    return _between(profile.temperature, profile.needed, temperature, right=float(profile.needed.max(initial=0.0)))


def _between(level: Floats, value: Floats, at: Floats, *, left: float = 0.0, right: float = 0.0) -> Floats:
    """Interpolate over descending levels; of two values at one level the smaller counts (a jump is not yet passed)."""
    if not level.size:
        return np.zeros_like(at)
    order = np.lexsort((value, level))
    rising, held = level[order], value[order]
    first = np.concatenate(([True], np.diff(rising) > 0))
    return np.asarray(np.interp(at, rising[first], held[first], left=left, right=right), dtype=np.float64)


@dataclass(frozen=True)
class SteamMains:
    """Steam raised by each plant at each main (N, M), used by each plant from each main (N, M)."""

    raised: Floats
    used: Floats


def steam_mains(profiles: list[Profile], level: Floats, by: float) -> SteamMains:
    """Return what plants raise into and draw from steam mains so that most heat passes between them.

    Parameters
    ----------
    profiles : list of Profile
    level : (M,) array
        Temperatures of the mains.
    by : float
        Part of the least temperature difference that steam brings, on either side.

    Notes
    -----
    A linear programme: what is raised in mains at or above a level is available above it; what is used from mains at
    or below a level is needed below it; steam may be let down, never lifted.
    """
    count, mains = len(profiles), level.size
    hottest = np.argsort(-level, kind="stable")
    above = np.tril(np.ones((mains, mains)))
    raise_max = np.array([at_or_above(one, level[hottest] + by) for one in profiles]).reshape(count, mains)
    use_max = np.array([at_or_below(one, level[hottest] - by) for one in profiles]).reshape(count, mains)
    size = count * mains
    rows, high = list[Floats](), list[float]()
    for plant in range(count):
        for main in range(mains):
            row = np.zeros(2 * size)
            row[plant * mains : (plant + 1) * mains] = above[main]
            rows.append(row)
            high.append(float(raise_max[plant, main]))
            row = np.zeros(2 * size)
            row[size + plant * mains : size + (plant + 1) * mains] = 1.0 - (above[main] - np.eye(mains)[main])
            rows.append(row)
            high.append(float(use_max[plant, main]))
    for main in range(mains):
        row = np.zeros(2 * size)
        row[:size], row[size:] = -np.tile(above[main], count), np.tile(above[main], count)
        rows.append(row)
        high.append(0.0)
    prefer = np.tile(1e-6 * np.arange(mains, 0, -1), count)
    cost = np.concatenate((1e-4 + prefer, -np.ones(size) + prefer))
    scale = max(float(raise_max.max(initial=0.0)), float(use_max.max(initial=0.0)), 1e-12)
    found = solve(
        Programme(
            cost,
            csr_array(np.array(rows).reshape(-1, 2 * size)),
            np.full(len(rows), -np.inf),
            np.array(high) / scale,
            np.zeros(2 * size),
            np.full(2 * size, np.inf),
            np.zeros(2 * size, np.bool_),
        )
    )
    raised, used = np.zeros((count, mains)), np.zeros((count, mains))
    z = np.where(found.z > 1e-9, found.z, 0.0) * scale
    raised[:, hottest], used[:, hottest] = z[:size].reshape(count, mains), z[size:].reshape(count, mains)
    return SteamMains(raised, used)


def district_heat(profile: Profile, raised: Floats, flow: float, back: float, by: float) -> float:
    """Return the most heat that a plant can give to water heated from ``back`` to ``flow``, its steam raised besides.

    The water's line must stay below what the plant rejects at or above every temperature.

    Examples
    --------
    >>> plant = Profile(np.array([120.0, 60.0]), np.array([0.0, 600.0]), np.zeros(2))
    >>> round(district_heat(plant, np.zeros(0), 90.0, 50.0, 5.0), 3)
    600.0
    """
    kinks = profile.temperature - by
    inside = np.unique(
        np.concatenate((kinks[(kinks > back) & (kinks < flow)], [back], np.linspace(back, flow, 41)[:-1]))
    )
    hot = inside + by
    taken = float(raised.sum())
    room = np.maximum(at_or_above(profile, hot) - taken, 0.0)
    return float(np.min(room * (flow - back) / (flow - inside)))


@dataclass(frozen=True)
class HeatPipes:
    """Heat sent from each source to each demand (N, M); ``arriving`` is what is left after losses."""

    sent: Floats
    arriving: Floats
    status: str


def heat_pipes(
    most: Floats, demand: Floats, distance: Floats, loss: float, worth: Floats, fixed: Floats, variable: Floats
) -> HeatPipes:
    """Return which source heats which demand, for the greatest yearly gain.

    Parameters
    ----------
    most : (N, M) array
        Most that each source can give at each demand's temperatures; shares of it add up to one.
    demand : (M,) array
    distance : (N, M) array
        In km; NaN: no pipe.
    loss : float
        Share lost per km.
    worth : (M,) array
        What a unit of heat that arrives replaces, per year.
    fixed, variable : (N, M) array
        Yearly cost of a pipe, and per unit of heat sent.

    Examples
    --------
    >>> found = heat_pipes(
    ...     np.array([[10.0], [10.0]]), np.array([8.0]), np.array([[1.0], [9.0]]), 0.01, np.array([5.0]),
    ...     np.array([[1.0], [30.0]]), np.zeros((2, 1)),
    ... )
    >>> found.arriving.round(6).tolist()
    [[8.0], [0.0]]
    """
    kept = np.where(np.isnan(distance), 0.0, np.maximum(1.0 - loss * np.nan_to_num(distance), 0.0))
    most = np.where(kept > 0, most, 0.0)
    count, ends = most.shape
    size = count * ends
    cost = np.concatenate(((variable - worth[None, :] * kept).ravel(), fixed.ravel()))
    rows, high = list[Floats](), list[float]()
    for one in range(count):
        row = np.zeros((2, count, ends))
        row[0, one] = np.divide(1.0, most[one], out=np.zeros(ends), where=most[one] > 0)
        rows.append(row.ravel())
        high.append(1.0)
    for end in range(ends):
        row = np.zeros((2, count, ends))
        row[0, :, end] = kept[:, end]
        rows.append(row.ravel())
        high.append(float(demand[end]))
    tie = np.hstack((np.eye(size), -np.diag(most.ravel())))
    found = solve(
        Programme(
            np.nan_to_num(cost),
            csr_array(np.vstack([np.array(rows).reshape(-1, 2 * size), tie])),
            np.full(len(rows) + size, -np.inf),
            np.concatenate((high, np.zeros(size))),
            np.zeros(2 * size),
            np.concatenate((most.ravel(), np.ones(size))),
            np.concatenate((np.zeros(size, np.bool_), np.ones(size, np.bool_))),
        )
    )
    sent = np.where(found.z[:size] > 1e-9, found.z[:size], 0.0).reshape(count, ends)
    return HeatPipes(sent, sent * kept, found.status)
