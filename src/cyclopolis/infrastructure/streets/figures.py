"""Pictures of streets and living circles as plain Plotly data; each shows what one table holds."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.maps import area_trace, line_trace, map_layout, point_trace, view_of
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.library import load_library

_SIZES = ((2.0, "#1b7f5c"), (4.0, "#7fb77e"), (12.0, "#e9c46a"), (35.0, "#e76f51"), (float("inf"), "#9b2226"))
_DOORS = ((0.0, "#c3c9cf"), (2.0, "#8ab6d6"), (5.0, "#4a7ebb"), (float("inf"), "#1b3a6b"))
_MOST_POINTS = 3000


def street_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, Figure]:
    """Return all pictures by name, each with the place it shows where there are several."""
    figures: dict[str, Figure] = {}
    scopes = tables["measures"]["scope"].unique(maintain_order=True).to_list()
    for scope in scopes:
        own = {name: table.filter(pl.col("scope") == scope) for name, table in tables.items()}
        ending = f"_{scope}" if scope else ""
        if own["blocks"].height:
            figures[f"blocks{ending}"] = blocks_figure(own, language)
        if own["streets"]["doors"].is_not_null().any():
            figures[f"frontage{ending}"] = frontage_figure(own, language)
        if own["circles"].height:
            figures[f"circles{ending}"] = circles_figure(own["circles"], language)
        if own["unserved"].height:
            figures[f"unserved{ending}"] = unserved_figure(own, language)
    return figures


def blocks_figure(tables: Mapping[str, pl.DataFrame], language: Language) -> Figure:
    """Return the map of blocks by size."""
    blocks, streets = tables["blocks"], tables["streets"]
    view = view_of([*blocks["outline"], *streets["line"]])
    data: list[dict[str, Any]] = []
    low = 0.0
    for high, colour in _SIZES:
        part = blocks.filter((pl.col("area_ha") > low) & (pl.col("area_ha") <= high))
        key = "streets.size_over" if high == float("inf") else "streets.size_up_to"
        if part.height:
            data.append(area_trace(view, part["outline"], say(key, language, low=f"{low:g}", high=f"{high:g}"), colour))
        low = high
    data.append(line_trace(view, streets["line"], say("streets.streets", language), "#5b6770", 0.8))
    hover = [say("streets.hover_block", language, block=b, area=f"{a:.2f}", side=f"{s:.0f}") for b, a, s in
             blocks.select("block", "area_ha", "side_m").iter_rows()]  # fmt: skip
    data.append(point_trace(view, blocks["lon"].to_list(), blocks["lat"].to_list(), say("streets.blocks", language),
                            hover, {"size": 5, "color": "#333333", "opacity": 0.6}))  # fmt: skip
    return {
        "data": data,
        "layout": map_layout(view, say("streets.figure_blocks", language), say("streets.north", language)),
    }


def frontage_figure(tables: Mapping[str, pl.DataFrame], language: Language) -> Figure:
    """Return the map of streets by entrances and shops per 100 m."""
    streets = tables["streets"].filter(pl.col("doors_per_100m").is_not_null())
    view = view_of(streets["line"].to_list())
    data: list[dict[str, Any]] = []
    low = -1.0
    for high, colour in _DOORS:
        part = streets.filter((pl.col("doors_per_100m") > low) & (pl.col("doors_per_100m") <= high))
        if high == 0.0:
            name = say("streets.no_doors", language)
        else:
            key = "streets.doors_over" if high == float("inf") else "streets.doors_up_to"
            name = say(key, language, low=f"{max(low, 0):g}", high=f"{high:g}")
        if part.height:
            data.append(line_trace(view, part["line"], name, colour, 1.2 + 0.8 * len(data)))
        low = high
    title = say("streets.figure_frontage", language)
    return {"data": data, "layout": map_layout(view, title, say("streets.north", language))}


def _service_names(language: Language) -> Mapping[str, str]:
    services = load_library().services
    return dict(services.select("service", "name_zh" if language == "zh" else "name").rows())


def circles_figure(circles: pl.DataFrame, language: Language) -> Figure:
    """Return bars of the share of people served, by service and circle."""
    names = _service_names(language)
    data = []
    for circle, colour in ((5.0, "#1b7f5c"), (10.0, "#4a7ebb"), (15.0, "#8a5fa8")):
        part = circles.filter((pl.col("circle_min") == circle) & pl.col("share").is_not_null())
        if part.height == 0:
            continue
        together = say("streets.all_services", language, minutes=f"{circle:g}")
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": say("streets.circle", language, minutes=f"{circle:g}"),
                "y": [names.get(service, service) if service else together for service in part["service"]],
                "x": [round(100.0 * share, 2) for share in part["share"]],
                "marker": {"color": colour},
                "hovertemplate": "%{y}: %{x:.1f} %<extra></extra>",
            }
        )
    layout = {
        "title": {"text": say("streets.figure_circles", language)},
        "xaxis": {"title": {"text": say("streets.axis_served", language)}, "range": [0, 100]},
        "yaxis": {"autorange": "reversed", "automargin": True},
        "legend": {"orientation": "h"},
        "height": 180 + 22 * circles.height,
    }
    return {"data": data, "layout": layout}


def unserved_figure(tables: Mapping[str, pl.DataFrame], language: Language) -> Figure:
    """Return the map of people by the number of services that they do not reach, and where one more serves most."""
    names = _service_names(language)
    cells = (
        tables["unserved"]
        .group_by("cell", "lon", "lat", "people", maintain_order=True)
        .agg(pl.col("service"))
        .with_columns(number=pl.col("service").list.len())
        .sort("people", descending=True)
        .head(_MOST_POINTS)
    )
    siting = tables["siting"].filter(pl.col("method") == "maximum_cover")
    streets = tables["streets"]
    view = view_of(streets["line"].to_list(), cells["lon"].to_list(), cells["lat"].to_list())
    hover = [
        say(
            "streets.hover_unserved", language, people=f"{people:g}", services=", ".join(names.get(s, s) for s in lacks)
        )
        for people, lacks in cells.select("people", "service").iter_rows()
    ]
    bar = {"title": {"text": say("streets.axis_lacking", language)}}
    scale = {"colorscale": "YlOrRd", "reversescale": True, "showscale": True, "colorbar": bar}
    marker = {"size": 6, "color": cells["number"].to_list(), **scale}
    data = [
        line_trace(view, streets["line"], say("streets.streets", language), "#b8bfc6", 0.8),
        point_trace(
            view, cells["lon"].to_list(), cells["lat"].to_list(), say("streets.unserved", language), hover, marker
        ),
    ]
    if siting.height:
        more = [
            say("streets.hover_site", language, service=names.get(row["service"], row["service"]),
                people=f"{row['people_more']:.0f}", share=f"{100 * row['share_after']:.1f}")
            for row in siting.iter_rows(named=True)
        ]  # fmt: skip
        star = {"size": 12, "symbol": "star", "color": "#1b3a6b"}
        spots = siting["lon"].to_list(), siting["lat"].to_list()
        data.append(point_trace(view, *spots, say("streets.sites", language), more, star))
    title = say("streets.figure_unserved", language)
    return {"data": data, "layout": map_layout(view, title, say("streets.north", language))}
