"""Greenhouse gas accounting by the official rules: CO2 of fuels and process CO2 of clinker.

Kernels are pure; factors come from the library's ``emission_factors``.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

CO2_PER_CARBON = 44.0 / 12.0
"""Mass of CO2 per mass of carbon."""


def fuel_co2(amount: ArrayLike, ncv: ArrayLike, carbon_content: ArrayLike, oxidation: ArrayLike) -> NDArray[np.float64]:
    """Return the CO2 in t of burnt fuels: amount x NCV x carbon content x oxidation x 44/12.

    The rule of the Chinese accounting guidelines for enterprises (and of IPCC 2006, volume 2, equation 2.1 with carbon
    content and oxidation apart).

    Parameters
    ----------
    amount : array-like
        Fuel burnt, in its own unit (t, 1000 Nm3, 10000 Nm3, ...).
    ncv : array-like
        Net calorific value, GJ per unit.
    carbon_content : array-like
        t C per GJ.
    oxidation : array-like
        Share of the carbon that burns, 0 to 1.

    Returns
    -------
    numpy.ndarray
        t CO2, broadcast over the arguments.

    Examples
    --------
    One tonne of bituminous coal with the Chinese default values:

    >>> round(float(fuel_co2(1.0, 23.076, 0.02308, 0.98)), 6)
    1.913788
    """
    burnt, heat, carbon, share = (
        np.asarray(value, dtype=np.float64) for value in (amount, ncv, carbon_content, oxidation)
    )
    return np.asarray(burnt * heat * carbon * share * CO2_PER_CARBON, dtype=np.float64)


def clinker_co2(clinker: float, factor: float, materials: ArrayLike = (), deductions: ArrayLike = ()) -> float:
    """Return the process CO2 in t of clinker: max(0, clinker x factor - sum(material x deduction)).

    Raw materials that bring calcium without carbonate (carbide slag, steel slag, ...) save the limestone's CO2; the
    default factors are those of the Chinese accounting guideline for cement enterprises.

    Parameters
    ----------
    clinker : float
        Clinker made, t.
    factor : float
        t CO2 per t of clinker from carbonate raw materials.
    materials : array-like
        Non-carbonate raw materials used, t.
    deductions : array-like
        t CO2 saved per t of each.

    Raises
    ------
    ValueError
        If materials and deductions are not of one length.

    Examples
    --------
    >>> clinker_co2(1e6, 0.535, [300e3, 50e3, 20e3, 10e3], [0.48, 0.055, 0.215, 0.245])
    381500.0
    """
    amounts, saved = np.asarray(materials, dtype=np.float64), np.asarray(deductions, dtype=np.float64)
    if amounts.shape != saved.shape:
        raise ValueError(f"{amounts.size} materials, but {saved.size} deductions")
    return max(0.0, float(clinker * factor - amounts @ saved)) if amounts.size else clinker * factor


def fuel_factors(emission_factors: pl.DataFrame) -> pl.DataFrame:
    """Return official fuel values as columns item, commodity, unit, ncv, carbon_content, oxidation, t_co2_per_unit.

    Parameters
    ----------
    emission_factors : polars.DataFrame
        The library's table; ``unit`` is the unit of amount that the net calorific value belongs to.
    """
    rows = emission_factors.filter(pl.col("factor_set") == "fuel")
    wide = rows.pivot(on="quantity", index="item", values="value", on_columns=["ncv", "carbon_content", "oxidation"])
    about = rows.filter(pl.col("quantity") == "ncv").select(
        "item", "commodity", "provenance", unit=pl.col("unit").str.strip_prefix("GJ/")
    )
    table = about.join(wide, on="item").sort("item")
    values = fuel_co2(1.0, *(table[name].to_numpy() for name in ("ncv", "carbon_content", "oxidation")))
    return table.with_columns(t_co2_per_unit=pl.Series(values)).select(
        "item", "commodity", "unit", "ncv", "carbon_content", "oxidation", "t_co2_per_unit", "provenance"
    )


def clinker_factors(emission_factors: pl.DataFrame) -> tuple[float, Mapping[str, float]]:
    """Return the official process factor of clinker and the deduction by raw material (t CO2 per t).

    Examples
    --------
    >>> from cyclopolis.library import load_library
    >>> factor, deduction = clinker_factors(load_library().emission_factors)
    >>> factor, deduction["carbide_slag"]
    (0.535, 0.48)
    """
    factor = emission_factors.filter(pl.col("factor_set") == "clinker")["value"].item()
    rows = emission_factors.filter(pl.col("factor_set") == "clinker_deduction")
    return float(factor), dict(zip(rows["item"].to_list(), rows["value"].to_list(), strict=True))
