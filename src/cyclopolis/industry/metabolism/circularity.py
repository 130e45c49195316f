"""Measures of circularity: one pure function each, on plain numbers or arrays; a ratio to nothing is NaN."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def _array(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def ratio(part: ArrayLike, whole: ArrayLike) -> Floats:
    """Return part / whole, NaN where the whole is not above 0.

    Examples
    --------
    >>> ratio([1.0, 1.0], [4.0, 0.0]).tolist()
    [0.25, nan]
    """
    above, below = _array(part), _array(whole)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


def circular_material_use(
    recovered: ArrayLike, imported: ArrayLike, exported: ArrayLike, consumption: ArrayLike
) -> Floats:
    """Return the circular material use rate in per cent: 100 U / (DMC + U), U = RCV_R - IMP_w + EXP_w.

    Parameters
    ----------
    recovered : array-like
        Waste recycled in plants of the scope (RCV_R), t/a; neither energy recovery nor backfilling.
    imported, exported : array-like
        Waste brought in for recycling, and sent out for recycling elsewhere (IMP_w, EXP_w), t/a.
    consumption : array-like
        Domestic material consumption (DMC), t/a.

    Notes
    -----
    Eurostat (2018), Circular material use rate: calculation method.

    Examples
    --------
    100 t recycled, of which 20 t came from outside; 10 t more are recycled elsewhere; DMC 810 t:

    >>> float(circular_material_use(100.0, 20.0, 10.0, 810.0))
    10.0
    """
    use = _array(recovered) - _array(imported) + _array(exported)
    return 100.0 * ratio(use, _array(consumption) + use)


def resource_productivity(value_added: ArrayLike, consumption: ArrayLike) -> Floats:
    """Return value added per material consumed, CNY/t.

    Parameters
    ----------
    value_added : array-like
        CNY/a.
    consumption : array-like
        Domestic material consumption, t/a.

    Notes
    -----
    Eurostat, economy-wide material flow accounts: GDP over DMC.

    Examples
    --------
    >>> float(resource_productivity(1_000.0, 4.0))
    250.0
    """
    return ratio(value_added, consumption)


def waste_reuse_rate(reused: ArrayLike, arising: ArrayLike) -> Floats:
    """Return the share of solid waste that is put to use, per cent.

    Parameters
    ----------
    reused, arising : array-like
        t/a; stocks of earlier years are in neither.

    Examples
    --------
    >>> float(waste_reuse_rate(30.0, 120.0))
    25.0
    """
    return 100.0 * ratio(reused, arising)


def recycled_content(recycled_in: ArrayLike, total_in: ArrayLike) -> Floats:
    """Return the recycled content of the inflow, per cent (ISO 59020:2024, A.2.3).

    Examples
    --------
    >>> float(recycled_content(5.0, 20.0))
    25.0
    """
    return 100.0 * ratio(recycled_in, total_in)


def renewable_content(renewable_in: ArrayLike, total_in: ArrayLike) -> Floats:
    """Return the sustainably grown content of the inflow, per cent (ISO 59020:2024, A.2.4).

    Examples
    --------
    >>> float(renewable_content(1.0, 20.0))
    5.0
    """
    return 100.0 * ratio(renewable_in, total_in)


def recycled_outflow(recycled_out: ArrayLike, total_out: ArrayLike) -> Floats:
    """Return the share of the outflow that is recycled, per cent (ISO 59020:2024, A.3.4).

    Examples
    --------
    >>> float(recycled_outflow(8.0, 20.0))
    40.0
    """
    return 100.0 * ratio(recycled_out, total_out)


def biological_outflow(recirculated_out: ArrayLike, total_out: ArrayLike) -> Floats:
    """Return the share of the outflow that returns to the biological cycle, per cent (ISO 59020:2024, A.3.5).

    Examples
    --------
    >>> float(biological_outflow(2.0, 20.0))
    10.0
    """
    return 100.0 * ratio(recirculated_out, total_out)


def circular_water(circular_in: ArrayLike, withdrawn: ArrayLike) -> Floats:
    """Return the share of water withdrawn that comes from circular sources, per cent (ISO 59020:2024, A.5.2).

    Examples
    --------
    >>> float(circular_water(30.0, 120.0))
    25.0
    """
    return 100.0 * ratio(circular_in, withdrawn)


def lawful_discharge(discharged: ArrayLike, withdrawn: ArrayLike) -> Floats:
    """Return the water discharged as its quality rules ask over the water withdrawn, per cent (ISO 59020:2024, A.5.3).

    Examples
    --------
    >>> float(lawful_discharge(60.0, 120.0))
    50.0
    """
    return 100.0 * ratio(discharged, withdrawn)


def water_reuse(withdrawn: ArrayLike, reused: ArrayLike) -> Floats:
    """Return how often water is used: (withdrawn + reused) / withdrawn (ISO 59020:2024, A.5.4).

    Examples
    --------
    >>> float(water_reuse(100.0, 50.0))
    1.5
    """
    return ratio(_array(withdrawn) + _array(reused), withdrawn)


def material_productivity(revenue: ArrayLike, total_in: ArrayLike, circular_in: ArrayLike) -> Floats:
    """Return revenue per linear inflow, CNY/t: revenue / (inflow - circular inflow) (ISO 59020:2024, A.6.2).

    Examples
    --------
    >>> float(material_productivity(900.0, 100.0, 10.0))
    10.0
    """
    return ratio(revenue, _array(total_in) - _array(circular_in))
