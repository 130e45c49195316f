"""Exergy: how much of an energy is work. Factors are the library's; what it does not know stays unknown."""

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from cyclopolis.network.quantities import GJ_PER_MWH

AMBIENT_K = 298.15
"""Temperature of the surroundings (the usual reference of chemical exergies), K."""


def carnot(temperature: ArrayLike, ambient: float = AMBIENT_K) -> NDArray[np.float64]:
    """Return the share of a heat that is work: 1 - ambient / temperature.

    Parameters
    ----------
    temperature : array-like
        Level of the heat, K.
    ambient : float
        Temperature of the surroundings, K.

    Returns
    -------
    numpy.ndarray
        Shares; negative below the surroundings.

    Notes
    -----
    Carnot (1824); Szargut, Morris and Steward (1988), Exergy Analysis of Thermal, Chemical, and Metallurgical
    Processes.

    Examples
    --------
    >>> round(float(carnot(596.3)), 6)
    0.5
    """
    return np.asarray(1.0 - ambient / np.asarray(temperature, dtype=np.float64), dtype=np.float64)


def energy_factors(commodities: pl.DataFrame, exergy: pl.DataFrame) -> pl.DataFrame:
    """Return energy and exergy of one unit of every energy carrier.

    Parameters
    ----------
    commodities : polars.DataFrame
        With commodity, unit, lhv_gj_per_unit, lhv_carbon_provenance.
    exergy : polars.DataFrame
        The library's: exergy over lower heating value (power, fuel), temperature in K (heat), GJ per unit (steam).

    Returns
    -------
    polars.DataFrame
        Columns commodity, gj, exergy_gj (both per unit; exergy null where unknown), lhv_from, exergy_from (provenance).

    Examples
    --------
    >>> from cyclopolis.library import load_library
    >>> table = energy_factors(load_library().commodities, load_library().exergy)
    >>> table.filter(commodity="electricity").row(0)
    ('electricity', 3.6, 3.6, None, 'seen')
    """
    heat = pl.when(pl.col("commodity") == "electricity").then(GJ_PER_MWH).otherwise(pl.col("lhv_gj_per_unit"))
    table = commodities.select("commodity", gj=heat, lhv_from="lhv_carbon_provenance").drop_nulls("gj")
    found = table.join(
        exergy.select("commodity", "basis", "value", exergy_from="provenance"), on="commodity", how="left"
    )
    ratio = found["value"].to_numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        share = carnot(ratio)
    per_unit = (
        pl.when(pl.col("basis").is_in(["power", "fuel"]))
        .then(pl.col("gj") * pl.col("value"))
        .when(pl.col("basis") == "heat")
        .then(pl.col("gj") * pl.lit(pl.Series(share)))
        .when(pl.col("basis") == "steam")
        .then(pl.col("value"))
    )
    return found.with_columns(exergy_gj=per_unit).select("commodity", "gj", "exergy_gj", "lhv_from", "exergy_from")
