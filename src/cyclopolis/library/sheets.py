"""All about one technology on one sheet."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.library.closing import closure
from cyclopolis.library.tables import Library

_NAMED = ("commodity", "name", "name_zh")
_RECIPE = (*_NAMED, "direction", "role", "amount", "unit", "low", "high", "provenance", "source", "note")


def technology_sheet(library: Library, technology: str) -> Mapping[str, pl.DataFrame]:
    """Return the tables that describe one technology.

    Parameters
    ----------
    library : Library
    technology : str
        Identifier of the technology.

    Returns
    -------
    mapping of str to polars.DataFrame
        ``technology`` (one row), ``recipe`` (main first, then in, then out, with names and ranges), ``closure`` (one
        row), ``substitutions`` (what it may take instead) and ``sources`` (every source with its provenance and the
        number of rows that rest on it).

    Raises
    ------
    UserError
        If the library has no such technology; the nearest name is suggested.

    Examples
    --------
    >>> from cyclopolis.library import load_library
    >>> technology_sheet(load_library(), "lime_kiln")["recipe"]["commodity"][0]
    'lime'
    """
    balance = closure(library, [technology])
    head = library.technologies.filter(technology=technology)
    names = library.commodities.select(_NAMED)
    rows = library.recipes.filter(technology=technology)
    recipe = (
        rows.join(names, on="commodity", how="left", maintain_order="left")
        .sort(pl.col("role") != "main", pl.col("direction"), maintain_order=True)
        .select(_RECIPE)
    )
    sources = (
        pl.concat(
            [
                rows.select(about=pl.lit("recipe"), source="source", provenance="provenance"),
                head.select(about=pl.lit("economics"), source="economics_source", provenance="economics_provenance"),
            ]
        )
        .group_by("about", "source", "provenance", maintain_order=True)
        .agg(rows=pl.len())
    )
    return {
        "technology": head,
        "recipe": recipe,
        "closure": balance,
        "substitutions": library.substitutions.filter(technology=technology),
        "sources": sources,
    }
