"""Pictures of heat recovery: composite curves and grand composite curves."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.industry.exchanges.look import COLD, HOT, MAIN, axes, curve, label


def heat_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, Figure]:
    """Return ``composite`` and ``grand_composite`` of all plants as one, and both of each plant with its name."""
    found: dict[str, Figure] = {}
    curves = tables["curves"]
    found["composite"] = _composite(curves.filter(scope="together"), say("heat.all", language), language)
    found["grand_composite"] = _grand(curves.filter(scope="together"), say("heat.all", language), language)
    for plant in curves.filter(scope="plant")["plant"].unique(maintain_order=True):
        mine = curves.filter((pl.col("scope") == "plant") & (pl.col("plant") == plant))
        found[f"composite_{plant}"] = _composite(mine, str(plant), language)
        found[f"grand_composite_{plant}"] = _grand(mine, str(plant), language)
    return found


def _line(curves: pl.DataFrame, name: str, colour: str, language: Language) -> dict[str, object]:
    mine = curves.filter(curve=name)
    return curve(say(f"heat.curve_{name}", language), mine["heat"].to_list(), mine["temperature"].to_list(), colour)


def _composite(curves: pl.DataFrame, name: str, language: Language) -> Figure:
    lines = [_line(curves, kind, colour, language) for kind, colour in (("hot", HOT), ("cold", COLD))]
    title = say("heat.composite_title", language, name=label(name))
    return {
        "data": lines,
        "layout": axes(title, say("heat.heat_axis", language), say("heat.temperature_axis", language)),
    }


def _grand(curves: pl.DataFrame, name: str, language: Language) -> Figure:
    title = say("heat.grand_title", language, name=label(name))
    x, y = say("heat.heat_axis", language), say("heat.shifted_axis", language)
    return {"data": [_line(curves, "grand", MAIN, language)], "layout": axes(title, x, y)}
