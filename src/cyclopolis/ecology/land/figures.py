"""Pictures of land as plain Plotly data; each shows what one table holds."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.maps import area_trace, line_trace, map_layout, point_trace, view_of
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.library import load_library

_GROUND = (("green", "#bfe3b4"), ("red_line", "#d1495b"))
_ZONES = (("out", "#d9d9d9"), ("margin", "#7fb77e"), ("mixed", "#e9c46a"), ("industry", "#8a5fa8"))
_CORRIDORS = "#e8730c"
_FEW = 40
_MEASURES = ("#3d7dca", "#7fb3e6", "#5d9e4a", "#c98b2f", "#b5563c", "#8a5fa8")
"""Colours of the measures for which land is a candidate, in the order of the library's table."""


def land_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, Figure]:
    """Return all pictures by name."""
    figures: dict[str, Figure] = {}
    if tables["outlines"].height:
        figures["protected"] = protected_figure(tables["outlines"], language)
    if tables["zones"].height:
        figures["zones"] = zones_figure(tables, language)
    if tables["draft_areas"].height:
        figures["drafts"] = drafts_figure(tables, language)
    if tables["changes"].height:
        figures["changes"] = changes_figure(tables["changes"], language)
    return figures


def protected_figure(table: pl.DataFrame, language: Language) -> Figure:
    """Return the map of protected areas with parcels and projects, those refused in red."""
    view = view_of(table["outline"].to_list())
    data: list[dict[str, Any]] = []
    for kind, colour in _GROUND:
        own = table.filter(pl.col("kind") == kind)
        if own.height:
            data.append(area_trace(view, own["outline"], say(f"land.{kind}", language), colour))
    given = table.filter(pl.col("kind").is_in(["parcels", "projects"]))
    for out, colour in ((False, "#4a7ebb"), (True, "#7a0019")):
        own = given.filter(pl.col("refused") == out)
        if own.height:
            name = say("land.refused_short" if out else "land.allowed_short", language)
            data += _shapes(view, own, name, colour)
    border = table.filter(pl.col("kind") == "boundary")
    if border.height:
        data.append(line_trace(view, border["outline"], say("land.boundary", language), "#333333", 1.6))
    return {
        "data": data,
        "layout": map_layout(view, say("land.figure_protected", language), say("streets.north", language)),
    }


def _shapes(view: Any, table: pl.DataFrame, name: str, colour: str) -> list[dict[str, Any]]:  # noqa: ANN401
    """Return areas filled, lines drawn and points marked."""
    text = table["outline"]
    point, line = text.str.contains("POINT"), text.str.contains("LINESTRING")
    found = []
    areas = table.filter(~point & ~line)
    if areas.height:
        found.append(area_trace(view, areas["outline"], name, colour))
    if table.filter(line).height:
        found.append(line_trace(view, table.filter(line)["outline"], name, colour, 2.5))
    spots = table.filter(point)
    if spots.height:
        places = spots["outline"].str.extract_groups(r"\(\(?(?<lon>[-\d.]+) (?<lat>[-\d.]+)").struct.unnest()
        lon, lat = (places[side].cast(pl.Float64).to_list() for side in ("lon", "lat"))
        marker = {"size": 9, "color": colour, "symbol": "diamond"}
        found.append(point_trace(view, lon, lat, name, spots["name"].to_list(), marker))
    return found


def zones_figure(tables: Mapping[str, pl.DataFrame], language: Language) -> Figure:
    """Return the map of the proposed zones; its title says that it is no legal delineation."""
    zones, lines = tables["zones"], tables["outlines"]
    border = lines.filter(pl.col("kind") == "boundary")
    view = view_of([*zones["outline"], *border["outline"]])
    data = []
    for zone, colour in _ZONES:
        own = zones.filter(pl.col("zone") == zone)
        if own.height:
            name = say("land.zone_area", language, zone=say(f"coded.land_zone_{zone}", language),
                       area=f"{own['free_ha'].sum():.1f}")  # fmt: skip
            data.append(area_trace(view, own["outline"], name, colour))
    red = lines.filter(pl.col("kind") == "red_line")
    if red.height:
        data.append(line_trace(view, red["outline"], say("land.red_line", language), "#d1495b", 1.4))
    data.append(line_trace(view, border["outline"], say("land.boundary", language), "#333333", 1.4))
    near = [outline for outline in tables["corridors"]["outline"] if view.shows(outline)]
    if near:
        data.append(line_trace(view, near, say("land.corridors", language), _CORRIDORS, 3.0))
    return {
        "data": data,
        "layout": map_layout(view, say("land.figure_zones", language), say("streets.north", language)),
    }


def drafts_figure(tables: Mapping[str, pl.DataFrame], language: Language) -> Figure:
    """Return the map of candidate areas by what marks them; its title says that it is no legal delineation."""
    parts, lines = tables["draft_parts"].filter(pl.col("area_ha") > 0), tables["outlines"]
    border = lines.filter(pl.col("kind") == "boundary")
    view = view_of([*parts["outline"], *border["outline"]])
    column = "name_zh" if language == "zh" else "name"
    colours = dict(zip(load_library().land_formulas["measure"], _MEASURES, strict=True))
    data = []
    for row in parts.sort("area_ha", descending=True).iter_rows(named=True):
        name = say("land.zone_area", language, zone=row[column], area=f"{row['area_ha']:.0f}")
        data.append(area_trace(view, [row["outline"]], name, colours[row["measure"]]))
    red = lines.filter(pl.col("kind") == "red_line")
    if red.height:
        data.append(line_trace(view, red["outline"], say("land.red_line", language), "#d1495b", 1.4))
    if border.height:
        data.append(line_trace(view, border["outline"], say("land.boundary", language), "#333333", 1.4))
    if tables["corridors"].height:
        data.append(line_trace(view, tables["corridors"]["outline"], say("land.corridors", language), _CORRIDORS, 3.0))
    return {
        "data": data,
        "layout": map_layout(view, say("land.figure_drafts", language), say("streets.north", language)),
    }


def changes_figure(table: pl.DataFrame, language: Language) -> Figure:
    """Return flows from each use now to each use in the plan, ha."""
    column = "name_zh" if language == "zh" else "name"
    names: dict[str | None, str] = dict(load_library().land_uses.select("land_use", column).iter_rows())
    names[None] = say("land.not_mapped", language)
    rows = table.sort("area_ha", descending=True).head(_FEW)
    before = rows["from_use"].unique(maintain_order=True).to_list()
    after = rows["to_use"].unique(maintain_order=True).to_list()
    link = {
        "source": [before.index(use) for use in rows["from_use"]],
        "target": [len(before) + after.index(use) for use in rows["to_use"]],
        "value": [round(area, 4) for area in rows["area_ha"]],
        "color": ["rgba(200,120,60,0.45)" if one else "rgba(140,150,160,0.35)" for one in rows["changed"]],
    }
    node = {"label": [names.get(use, str(use)) for use in (*before, *after)], "pad": 14, "thickness": 14}
    layout = {"title": {"text": say("land.figure_changes", language)}, "height": 460}
    return {"data": [{"type": "sankey", "node": node, "link": link, "valuesuffix": " ha"}], "layout": layout}
