"""Does a recipe close: mass and carbon in against mass and carbon out."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.library.searching import nearest
from cyclopolis.library.tables import Library

TOLERANCE_PCT = 15.0
"""A balance is closed when what comes out is within this share of what goes in."""

_CLOSURE = ("mass_in", "mass_out", "mass_gap_pct", "carbon_in", "carbon_out", "carbon_gap_pct")


def gap_pct(amount_in: NDArray[np.float64], amount_out: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the gap of a balance as a share of what goes in.

    Parameters
    ----------
    amount_in, amount_out : array of float, shape (n,)
        Totals in any one unit, not negative.

    Returns
    -------
    array of float, shape (n,)
        ``100 (out - in) / in`` in %; NaN where nothing goes in, for there is nothing to compare with.

    Examples
    --------
    >>> gap_pct(np.array([2.0, 0.0]), np.array([1.5, 1.0]))
    array([-25.,  nan])
    """
    gap = np.full(amount_in.shape, np.nan)
    np.divide(100.0 * (amount_out - amount_in), amount_in, out=gap, where=amount_in > 0)
    return gap


def side_totals(
    owner: NDArray[np.intp], is_out: NDArray[np.bool_], amount: NDArray[np.float64], owners: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add up amounts by owner and side.

    Parameters
    ----------
    owner : array of int, shape (rows,)
        Index of the technology of each row, below ``owners``.
    is_out : array of bool, shape (rows,)
        Whether the row comes out.
    amount : array of float, shape (rows,)
        What to add.
    owners : int
        Number of technologies.

    Returns
    -------
    (array, array) of float, shape (owners,)
        Totals in and totals out.

    Examples
    --------
    >>> side_totals(np.array([0, 0]), np.array([False, True]), np.array([3.0, 2.0]), 1)
    (array([3.]), array([2.]))
    """
    totals = np.zeros((2, owners))
    np.add.at(totals, (is_out.astype(np.intp), owner), amount)
    return totals[0], totals[1]


def closure(library: Library, technologies: Sequence[str] | None = None) -> pl.DataFrame:
    """Check mass and carbon of recipes.

    Mass counts commodities of kind material and emission by ``t_per_unit``; water and energy stay outside (water that
    reacts or is bound is the material ``water_reactant``). Carbon counts the same rows by ``carbon_t_per_unit``; a
    carbon content that is not set adds nothing.

    Parameters
    ----------
    library : Library
    technologies : sequence of str, optional
        Which ones; all by default.

    Returns
    -------
    polars.DataFrame
        ``technology, mass_in, mass_out, mass_gap_pct, carbon_in, carbon_out, carbon_gap_pct, closed, reason,
        reason_zh``: t per unit of the main commodity, gaps in %. A gap is null where nothing goes in. ``closed`` is
        true when both gaps are known and at most 15 %.

    Raises
    ------
    UserError
        If a technology is not in the library.

    Examples
    --------
    >>> from cyclopolis.library import load_library
    >>> row = closure(load_library(), ["lime_kiln"]).row(0, named=True)
    >>> round(row["mass_in"], 3), row["closed"]
    (2.452, True)
    """
    heads = library.technologies.select("technology", reason="closure_reason", reason_zh="closure_reason_zh")
    if technologies is not None:
        _refuse_unknown(technologies, heads["technology"].to_list())
        heads = heads.filter(pl.col("technology").is_in(list(technologies)))
    heads = heads.with_row_index("owner")
    masses = library.commodities.filter(pl.col("kind").is_in(["material", "emission"])).select(
        "commodity", "t_per_unit", "carbon_t_per_unit"
    )
    rows = library.recipes.join(heads, on="technology").join(masses, on="commodity")
    owner = rows["owner"].to_numpy().astype(np.intp)
    is_out = (rows["direction"] == "out").to_numpy()
    totals = [
        side_totals(owner, is_out, (rows["amount"] * rows[factor]).fill_null(0.0).to_numpy(), heads.height)
        for factor in ("t_per_unit", "carbon_t_per_unit")
    ]
    values = [array for pair in totals for array in (*pair, gap_pct(*pair))]
    known_gaps = [pl.col(name).abs() <= TOLERANCE_PCT for name in ("mass_gap_pct", "carbon_gap_pct")]
    return (
        heads.with_columns(pl.Series(name, array) for name, array in zip(_CLOSURE, values, strict=True))
        .with_columns(pl.col("mass_gap_pct", "carbon_gap_pct").fill_nan(None))
        .with_columns(closed=pl.all_horizontal(known_gaps).fill_null(value=False))
        .select("technology", *_CLOSURE, "closed", "reason", "reason_zh")
    )


def _refuse_unknown(technologies: Sequence[str], known: Sequence[str]) -> None:
    """Raise a UserError with one problem for each technology that is not known."""
    problems = [
        Problem(message("library.unknown_technology", technology=name), suggestion=nearest(name, known))
        for name in sorted(set(technologies) - set(known))
    ]
    if problems:
        raise UserError(problems)
