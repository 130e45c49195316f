"""Carrying capacities of waters and air as pure functions on arrays; the formulas are recalled (`memory`)."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MONTH_DAYS = np.array([31.0, 28.25, 31.0, 30.0, 31.0, 30.0, 31.0, 31.0, 30.0, 31.0, 30.0, 31.0])
"""Mean days of the months; they sum to 365.25."""
_SECONDS = 86_400.0
_G_PER_T = 1e6


def decayed(background: Floats, decay_per_d: Floats, length_km: Floats, velocity_m_s: Floats) -> Floats:
    """Return what is left of a concentration at the end of a reach, mg/L: ``C0 exp(-K x / u)``.

    One-dimensional river model, GB/T 25173-2010; ``x`` the length, ``u`` the mean velocity, ``K`` the rate of decay.

    Examples
    --------
    >>> one = np.ones(1)
    >>> decayed(10 * one, 0.2 * one, 43.2 * one, 0.5 * one).round(4).tolist()
    [8.1873]
    """
    days = length_km * 1000.0 / velocity_m_s / _SECONDS
    return np.asarray(background * np.exp(-decay_per_d * days))


def river_capacity(flow: Floats, days: Floats, target: Floats, background: Floats, waste_flow: Floats) -> Floats:
    """Return the load that a river can take in each month, t: ``(Cs - C) (Q + Qp)`` times the seconds of the month.

    GB/T 25173-2010, zero-dimensional model with ``C`` the concentration that comes from upstream, or one-dimensional
    with what is left of it at the end of the reach (`decayed`). A river that is already over its target takes nothing.

    Parameters
    ----------
    flow, waste_flow : ndarray
        Flow of the river and of the waste water, m3/s (M,).
    days : ndarray
        Days of each month (M,).
    target, background : ndarray
        Concentration to keep and of the water that comes, mg/L (M,).

    Examples
    --------
    >>> one = np.ones(1)
    >>> river_capacity(10 * one, 30 * one, 20 * one, 15 * one, 0 * one).tolist()
    [129.6]
    """
    room = np.maximum(target - background, 0.0)
    return np.asarray(room * (flow + waste_flow) * days * _SECONDS / _G_PER_T)


def air_capacity(a_value: float, standard: float, background: float, area: float, total_area: float) -> float:
    """Return the emission that the air over an area can take, t/a, by the A-value method of GB/T 3840-91.

    ``Q_i = A (C - C0) S_i / sqrt(S)`` with ``A`` in 10^4 km2/a, concentrations in mg/m3, areas in km2 gives 10^4 t/a.

    Parameters
    ----------
    a_value : float
        Regional ventilation coefficient A, 10^4 km2/a.
    standard, background : float
        Annual mean to keep and the one that comes from outside, mg/m3.
    area, total_area : float
        Area of the place and of the whole controlled area, km2.

    Examples
    --------
    >>> round(air_capacity(3.5, 0.06, 0.01, 25.0, 100.0))
    4375
    """
    return float(a_value * max(standard - background, 0.0) * area / np.sqrt(total_area) * 1e4)
