"""Pictures of an answer, drawn from its tables alone: variants side by side, hydrographs, the front of designs."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.numbers import number_text, quantity_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.infrastructure.drainage.variants import VARIANTS

COLOURS = {"before": "#59a14f", "grey": "#7f7f7f", "sponge": "#1f77b4"}
_RAIN = "#9ecae1"
_TAIL = 0.01
"""Share of the peak below which a hydrograph is no longer drawn."""


def drainage_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, Figure]:
    """Return all pictures by name."""
    found = {"variants": variants_figure(tables, language)}
    for place, storm in enumerate(tables["storms"]["storm"], start=1):
        found[f"hydrograph_{place}"] = hydrograph_figure(tables, storm, language)
    if tables["designs"].height:
        found["front"] = front_figure(tables["designs"], language)
    return found


def _axis(title: str, **more: object) -> dict[str, Any]:
    return {"title": {"text": title}, "automargin": True, "gridcolor": "#e4e9eb", **more}


def variants_figure(tables: Mapping[str, pl.DataFrame], language: Language) -> Figure:
    """Return surface runoff and peak of the three variants under every storm as bars."""
    rows = tables["variants"]
    data: list[dict[str, Any]] = []
    for axis, (column, unit) in enumerate((("surface_mm", "mm"), ("peak_m3_s", "m3/s")), start=1):
        number = "" if axis == 1 else "2"
        for variant in VARIANTS:
            mine = rows.filter(variant=variant)
            values = mine[column].to_list()
            data.append(
                {
                    "type": "bar",
                    "name": say(f"drainage.{variant}", language),
                    "legendgroup": variant,
                    "showlegend": axis == 1,
                    "x": mine["storm"].to_list(),
                    "y": values,
                    "xaxis": f"x{number}",
                    "yaxis": f"y{number}",
                    "text": [number_text(value, 3) for value in values],
                    "textposition": "outside",
                    "cliponaxis": False,
                    "customdata": [quantity_text(value, unit, language) for value in values],
                    "hovertemplate": "%{x}: %{customdata}<extra>%{fullData.name}</extra>",
                    "marker": {"color": COLOURS[variant]},
                }
            )
    layout = {
        "title": {"text": say("drainage.figure_variants", language)},
        "barmode": "group",
        "height": 420,
        "legend": {"orientation": "h", "y": -0.15},
        "xaxis": {"domain": [0, 0.45], "anchor": "y", "type": "category"},
        "xaxis2": {"domain": [0.55, 1], "anchor": "y2", "type": "category"},
        "yaxis": _axis(say("drainage.axis_runoff", language), anchor="x", rangemode="tozero"),
        "yaxis2": _axis(say("drainage.axis_peak", language), anchor="x2", rangemode="tozero"),
    }
    return {"data": data, "layout": layout}


def hydrograph_figure(tables: Mapping[str, pl.DataFrame], storm: str, language: Language) -> Figure:
    """Return the flow through all outlets of the three variants under one storm, its rain hanging from above."""
    rows = tables["hydrographs"].filter(storm=storm)
    last = _end(rows)
    rows = rows.filter(pl.col("hour") <= last)
    rain = rows.filter(variant="grey")
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "fill": "tozeroy",
            "name": say("drainage.rain", language),
            "x": rain["hour"].to_list(),
            "y": rain["rain_mm_h"].to_list(),
            "yaxis": "y2",
            "line": {"color": _RAIN, "width": 1, "shape": "hv"},
        }
    ]
    for variant in VARIANTS:
        mine = rows.filter(variant=variant)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": say(f"drainage.{variant}", language),
                "x": mine["hour"].to_list(),
                "y": mine["flow_m3_s"].to_list(),
                "line": {"color": COLOURS[variant], "width": 2},
            }
        )
    most = float(rain["rain_mm_h"].max() or 0.0)  # type: ignore[arg-type]
    layout = {
        "title": {"text": say("drainage.figure_hydrograph", language, storm=storm)},
        "height": 440,
        "legend": {"orientation": "h", "y": -0.2},
        "xaxis": _axis(say("drainage.axis_hours", language), rangemode="tozero"),
        "yaxis": _axis(say("drainage.axis_flow", language), rangemode="tozero", domain=[0, 0.7]),
        "yaxis2": _axis(say("drainage.axis_rain", language), range=[max(most * 1.05, 1.0), 0], domain=[0.74, 1]),
    }
    return {"data": data, "layout": layout}


def _end(rows: pl.DataFrame) -> float:
    """Return the hour after which nothing worth drawing happens."""
    peak = rows["flow_m3_s"].max() or 0.0
    busy = rows.filter((pl.col("flow_m3_s") > _TAIL * peak) | (pl.col("rain_mm_h") > 0))  # type: ignore[operator]
    return float(busy["hour"].max() or rows["hour"].max() or 0.0)  # type: ignore[arg-type]


def front_figure(designs: pl.DataFrame, language: Language) -> Figure:
    """Return the designs by cost and kept rain, those on the front coloured by their peak."""
    data: list[dict[str, Any]] = []
    for on_front in (False, True):
        mine = designs.filter(on_front=on_front)
        words = [
            say(
                "drainage.hover_design",
                language,
                design=row["design"],
                cost=quantity_text(row["cost"], "million CNY", language),
                captured=number_text(row["captured_pct"], 3),
                peak=quantity_text(row["peak_m3_s"], "m3/s", language),
                load=quantity_text(row["ss_kg"], "kg", language),
            )
            for row in mine.iter_rows(named=True)
        ]
        marker: dict[str, Any] = {"color": "#c8ced1", "size": 5}
        if on_front:
            bar = {"title": {"text": say("drainage.axis_peak", language)}}
            marker = {"color": mine["peak_m3_s"].to_list(), "colorscale": "Viridis", "size": 8, "colorbar": bar}
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": say("drainage.on_front" if on_front else "drainage.beaten", language),
                "x": mine["cost"].to_list(),
                "y": mine["captured_pct"].to_list(),
                "text": words,
                "hovertemplate": "%{text}<extra></extra>",
                "marker": marker,
            }
        )
    layout = {
        "title": {"text": say("drainage.figure_front", language)},
        "height": 460,
        "legend": {"orientation": "h", "y": -0.2},
        "xaxis": _axis(say("drainage.axis_cost", language), rangemode="tozero"),
        "yaxis": _axis(say("drainage.axis_captured", language)),
    }
    return {"data": data, "layout": layout}
