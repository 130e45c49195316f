"""What plants to be built would make and nobody can take, and the library's treatments of it."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.library import Library


def takers_of(library: Library) -> pl.DataFrame:
    """Return technology and commodity of everything that a technology takes, by recipe or as a substitute."""
    inputs = library.recipes.filter(direction="in").select("technology", "commodity")
    return pl.concat([inputs, library.substitutions.select("technology", "commodity")])


def placeless_surplus(tables: Mapping[str, pl.DataFrame], library: Library) -> pl.DataFrame:
    """Return plant and commodity of each output of a plant to be built that has no market, taker or lawful fate.

    What existing plants make is sold in the base year, so a market for it exists at that volume. A library technology
    that a site allows counts as a taker.

    Parameters
    ----------
    tables : mapping of str to polars.DataFrame
        Tables plants, sites and markets of a plan.
    library : Library
    """
    plants = tables["plants"].select("plant", "technology", "status").drop_nulls()
    kinds = plants.select("technology", "status").unique(maintain_order=True)
    outputs = library.recipes.filter((pl.col("direction") == "out") & (pl.col("amount") > 0)).select(
        "technology", "commodity"
    )
    made = kinds.join(outputs, on="technology", how="inner", maintain_order="left_right")
    takers = takers_of(library)
    allowed = [*kinds["technology"], *_allowed(tables["sites"], library)]
    has_place = (
        set(made.filter(status="existing")["commodity"])
        | set(takers.filter(pl.col("technology").is_in(allowed))["commodity"])
        | set(tables["markets"].filter(pl.col("sell_price").is_not_null())["commodity"].drop_nulls())
        | set(library.fates["commodity"])
        | set(library.commodities.filter(pl.col("natural") | (pl.col("kind") == "emission"))["commodity"])
    )
    lost = made.filter(~pl.col("commodity").is_in(sorted(has_place))).select("technology", "commodity").unique()
    return plants.join(lost, on="technology", how="inner").select("plant", "commodity").sort("commodity", "plant")


def _allowed(sites: pl.DataFrame, library: Library) -> list[str]:
    """Return the library technologies that some site lets design build."""
    wishes = {part.strip() for text in sites["new_plants"].drop_nulls() for part in text.split(";")}
    anything = any(wish.casefold() == "any" for wish in wishes)
    return library.technologies["technology"].to_list() if anything else sorted(wishes)


def library_treatments(library: Library) -> pl.DataFrame:
    """Return technology and commodity of the treatments: what runs on a waste as its main input, of known economics."""
    return (
        library.technologies.filter(
            (pl.col("main_direction") == "in")
            & (pl.col("reference_capacity") > 0)
            & pl.all_horizontal(pl.col("capex", "opex").is_not_null())
        )
        .select("technology", commodity="main_commodity")
        .sort("commodity", "technology")
    )
