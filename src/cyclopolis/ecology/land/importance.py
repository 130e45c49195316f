"""Importance and sensitivity of land as pure functions on grids, each with its formula. Drafts: no legal delineation.

Formulas after the Chinese Guide for delineating ecological protection red lines (2017) and the works it names; they and
the classes are recalled (`memory`). Any unknown factor leaves a cell unknown.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EROSION_CLASSES = (5.0, 25.0, 50.0, 80.0, 150.0)
"""Bounds between the six grades of water erosion, slight to severe, t/(ha a) (SL 190-2007, recalled)."""


def soil_loss(r: Floats, k: Floats, ls: Floats, c: Floats, p: Floats) -> Floats:
    """Return the soil lost in a year, t/(ha a), by RUSLE: ``A = R K LS C P`` (Renard et al. 1997).

    Parameters
    ----------
    r : ndarray
        Erosivity of rain, MJ mm/(ha h a).
    k : ndarray
        Erodibility of soil, t h/(MJ mm).
    ls, c, p : ndarray
        Slope length and steepness, cover, and practice, pure numbers.

    Examples
    --------
    >>> one = np.ones(1)
    >>> soil_loss(4000 * one, 0.03 * one, 5 * one, 0.1 * one, 0.5 * one).round(9).tolist()
    [30.0]
    """
    return np.asarray(r * k * ls * c * p)


def soil_kept(r: Floats, k: Floats, ls: Floats, c: Floats) -> Floats:
    """Return what cover keeps of the soil in a year, t/(ha a): ``R K LS (1 - C)``, potential less actual loss.

    Examples
    --------
    >>> one = np.ones(1)
    >>> soil_kept(4000 * one, 0.03 * one, 5 * one, 0.1 * one).round(9).tolist()
    [540.0]
    """
    return np.asarray(r * k * ls * (1.0 - c))


def water_yield(rain: Floats, runoff: Floats, evapotranspiration: Floats) -> Floats:
    """Return the water that land holds in a year, mm: ``rain - storm runoff - evapotranspiration``, never below zero.

    Examples
    --------
    >>> water_yield(np.array([1200.0, 500.0]), np.array([300.0, 200.0]), np.array([650.0, 400.0])).tolist()
    [250.0, 0.0]
    """
    return np.asarray(np.maximum(rain - runoff - evapotranspiration, 0.0))


def scaled(values: Floats) -> Floats:
    """Return values between 0 (the least known one) and 1 (the greatest); all alike give 0.

    Examples
    --------
    >>> scaled(np.array([2.0, 4.0, np.nan, 3.0])).tolist()
    [0.0, 1.0, nan, 0.5]
    """
    known = values[np.isfinite(values)]
    if known.size == 0 or known.max() == known.min():
        return np.where(np.isfinite(values), 0.0, np.nan)
    return np.asarray((values - known.min()) / (known.max() - known.min()))


def npp_importance(npp: Floats, infiltration: Floats, slope: Floats) -> Floats:
    """Return the importance for keeping water by net primary production: ``NPP F_sic (1 - F_slo)``, each scaled to 0-1.

    Examples
    --------
    >>> npp_importance(np.array([1.0, 3.0]), np.array([0.0, 1.0]), np.array([1.0, 0.0])).tolist()
    [0.0, 1.0]
    """
    return np.asarray(scaled(npp) * scaled(infiltration) * (1.0 - scaled(slope)))


def sensitivity(*grades: Floats) -> Floats:
    """Return the geometric mean of graded factors (1 insensitive to 9 extremely sensitive): ``(S_1 ... S_n)^(1/n)``.

    Erosion takes the grades of rain, soil, relief and cover; karst rocky desertification those of bare carbonate rock,
    slope and cover.

    Examples
    --------
    >>> sensitivity(np.array([1.0, 9.0]), np.array([9.0, 9.0])).tolist()
    [3.0, 9.0]
    """
    stacked = np.stack(grades)
    return np.asarray(np.prod(stacked, axis=0) ** (1.0 / len(grades)))


def upper_part(values: Floats, share: float) -> NDArray[np.bool_]:
    """Return the cells that together hold a share of the sum, the highest first (the guide takes one half).

    Examples
    --------
    >>> upper_part(np.array([5.0, 3.0, 2.0, np.nan]), 0.5).tolist()
    [True, False, False, False]
    """
    flat = np.where(np.isfinite(values), values, 0.0).ravel()
    order = np.argsort(-flat, kind="stable")
    before = np.concatenate(([0.0], np.cumsum(flat[order])[:-1]))
    chosen = np.zeros(flat.size, dtype=np.bool_)
    chosen[order[(before < share * flat.sum() * (1 - 1e-12)) & (flat[order] > 0)]] = True
    return chosen.reshape(values.shape)
