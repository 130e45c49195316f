"""Subsidies of a plan by plant and year: per unit made, and of the capital of what is built."""

import numpy as np
import polars as pl

from cyclopolis.network.candidates import provenance_codes
from cyclopolis.network.model import EXISTING, PROVENANCE, Bools, Floats, LinearForm, Network, Plants, Subsidies
from cyclopolis.network.places import Places, ancestry, floats, positions
from cyclopolis.network.quantities import build_form
from cyclopolis.plan import provenance

_PER_CENT = 100.0


def read_subsidies(
    table: pl.DataFrame, names: pl.DataFrame, plants: Plants, places: Places, year: int
) -> Subsidies | None:
    """Return what the rows of a plan pay in a year; rows that meet at a plant add up.

    Parameters
    ----------
    table : polars.DataFrame
        The plan's ``subsidies``.
    names : polars.DataFrame
        Columns plant and technology of each plant (P), in the order of ``plants``.
    plants : Plants
    places : Places
    year : int

    Returns
    -------
    Subsidies or None
        None where nothing is paid to any plant.
    """
    begun = pl.col("from_year").fill_null(year) <= year
    rows = table.filter(begun & (pl.col("until_year").fill_null(year) >= year)).sort("subsidy")
    if rows.is_empty():
        return None
    meets = _meets(rows, names, plants, places)
    new = plants.status != EXISTING

    def total(column: str) -> Floats:
        return np.asarray(np.nan_to_num(floats(rows[column])) @ meets, dtype=np.float64)

    found = Subsidies(
        per_unit=total("per_unit"),
        share=np.where(new, total("capital_pct") / _PER_CENT, 0.0),
        per_built=np.where(new, total("per_built"), 0.0),
        provenance=np.max(
            [
                np.full(plants.status.size, PROVENANCE.index("user")),
                *(provenance_codes(rows.select(provenance(pl.col("source")))["provenance"])[:, None] * meets),
            ],
            axis=0,
        ),
    )
    return found if any(part.any() for part in (found.per_unit, found.share, found.per_built)) else None


def _meets(rows: pl.DataFrame, names: pl.DataFrame, plants: Plants, places: Places) -> Bools:
    """Return which plants each row is for (rows, P): of its plant, technology and place, as far as it names them."""
    site, holder = ancestry(places.parent)
    inside = np.zeros((len(places.ids), len(places.ids)), dtype=np.bool_)
    inside[holder, site] = True
    scope = positions(places.ids, rows["scope"])
    within = np.where((scope < 0)[:, None], True, inside[scope][:, plants.site])
    own = [
        (rows[column].is_null().to_numpy()[:, None])
        | (rows[column].to_numpy()[:, None] == names[column].to_numpy()[None, :])
        for column in ("plant", "technology")
    ]
    return np.asarray(within & own[0] & own[1], dtype=np.bool_)


def subsidies_of(network: Network) -> Subsidies:
    """Return the subsidies of a network, all of them nought where it has none."""
    if network.subsidies is not None:
        return network.subsidies
    nothing = np.zeros(len(network.plant_ids))
    return Subsidies(nothing, nothing, nothing, np.zeros(nothing.size, dtype=np.int64))


def yearly_subsidies(network: Network) -> LinearForm:
    """Return what is paid per unit made, CNY per year."""
    return build_form(network, activity=subsidies_of(network).per_unit)
