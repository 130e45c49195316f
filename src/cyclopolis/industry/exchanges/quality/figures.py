"""Pictures of networks with quality: composite curves, load left over, connections."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.numbers import unit_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.industry.exchanges.look import COLD, HOT, MAIN, axes, curve, label, sankey


def water_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, Figure]:
    """Return the pictures of every network, named ``composite``, ``surplus`` and ``connections`` with its commodity."""
    found: dict[str, Figure] = {}
    for commodity in tables["networks"]["commodity"]:
        curves = tables["curves"].filter(commodity=commodity)
        for contaminant in curves["contaminant"].unique(maintain_order=True):
            mine = curves.filter(contaminant=contaminant)
            found[f"composite_{commodity}_{contaminant}"] = _composite(mine, str(commodity), str(contaminant), language)
            if mine.filter(curve="surplus").height:
                found[f"surplus_{commodity}"] = _surplus(mine.filter(curve="surplus"), str(commodity), language)
        links = tables["connections"].filter(commodity=commodity)
        found[f"connections_{commodity}"] = _connections(links, str(commodity), language)
    return found


def _composite(curves: pl.DataFrame, commodity: str, contaminant: str, language: Language) -> Figure:
    unit = unit_text(curves["unit"][0], language)
    lines = [
        curve(
            say(f"water.curve_{name}", language),
            curves.filter(curve=name)["load"].to_list(),
            curves.filter(curve=name)["flow"].to_list(),
            colour,
        )
        for name, colour in (("source", HOT), ("sink", COLD))
    ]
    title = say("water.composite_title", language, commodity=label(commodity), contaminant=label(contaminant))
    x, y = say("water.load_axis", language), say("water.flow_axis", language, unit=unit)
    return {"data": lines, "layout": axes(title, x, y)}


def _surplus(curves: pl.DataFrame, commodity: str, language: Language) -> Figure:
    line = curve(
        say("water.curve_surplus", language), curves["load"].to_list(), curves["concentration"].to_list(), MAIN
    )
    title = say("water.surplus_title", language, commodity=label(commodity))
    return {
        "data": [line],
        "layout": axes(title, say("water.surplus_axis", language), say("water.concentration_axis", language)),
    }


def _connections(links: pl.DataFrame, commodity: str, language: Language) -> Figure:
    givers = [f"{name} ·" for name in links["giver"].unique(maintain_order=True)]
    takers = links["taker"].unique(maintain_order=True).to_list()
    shown = [name.replace("discharge", say("water.discharge", language)) for name in takers]
    rows = [
        (givers.index(f"{giver} ·"), len(givers) + takers.index(taker), flow, say(f"water.kind_{kind}", language))
        for giver, taker, flow, kind in links.select("giver", "taker", "flow", "kind").iter_rows()
    ]
    title = say("water.connections_title", language, commodity=label(commodity))
    unit = unit_text(links["unit"][0], language) if links.height else ""
    return sankey([name.removesuffix(" ·") for name in givers] + shown, rows, title, unit)
