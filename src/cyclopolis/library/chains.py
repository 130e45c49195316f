"""Do the chains connect: what nobody makes, what nobody takes, which substitutions find nothing to displace."""

import polars as pl

from cyclopolis.library.tables import Library


def chain_gaps(library: Library) -> pl.DataFrame:
    """List the commodities that no technology makes or no technology takes.

    A gap is no fault: ores and grain are bought, goods and emissions leave. A waste or an intermediate in this list is
    a missing link. A commodity free from nature needs no maker and an emission no taker, so neither is listed for that.

    Parameters
    ----------
    library : Library

    Returns
    -------
    polars.DataFrame
        ``commodity, name, name_zh, kind, gap, fate`` where gap is ``no_producer``, ``no_user`` or ``neither`` and fate
        is the lawful way out if there is one.

    Examples
    --------
    >>> from cyclopolis.library import load_library
    >>> gaps = chain_gaps(load_library())
    >>> "semi_coke" in gaps["commodity"].to_list()
    False
    """
    used = library.recipes.filter(direction="in")["commodity"].implode()
    made = library.recipes.filter(direction="out")["commodity"].implode()
    fits = library.substitutions["commodity"].implode()
    made_or_free = pl.col("commodity").is_in(made) | pl.col("natural")
    used_or_leaves = pl.col("commodity").is_in(used) | pl.col("commodity").is_in(fits) | (pl.col("kind") == "emission")
    gap = (
        pl.when(~made_or_free & ~used_or_leaves)
        .then(pl.lit("neither"))
        .when(~made_or_free)
        .then(pl.lit("no_producer"))
        .when(~used_or_leaves)
        .then(pl.lit("no_user"))
    )
    return (
        library.commodities.with_columns(gap=gap)
        .filter(pl.col("gap").is_not_null())
        .join(library.fates.select("commodity", "fate"), on="commodity", how="left", maintain_order="left")
        .select("commodity", "name", "name_zh", "kind", "gap", "fate")
    )


def stray_substitutions(library: Library) -> pl.DataFrame:
    """List the substitutions whose displaced commodity is not in the receiver's recipe: they can displace nothing.

    Parameters
    ----------
    library : Library

    Returns
    -------
    polars.DataFrame
        ``commodity, technology, displaced, use, note, note_zh`` of each such row of kind "substitution".

    Examples
    --------
    >>> from cyclopolis.library import load_library
    >>> stray_substitutions(load_library())["note"].null_count()
    0
    """
    taken = library.recipes.filter(direction="in").select("technology", displaced="commodity")
    return (
        library.substitutions.filter(kind="substitution")
        .join(taken, on=["technology", "displaced"], how="anti", maintain_order="left")
        .select("commodity", "technology", "displaced", "use", "note", "note_zh")
    )
