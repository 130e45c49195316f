"""Radar of a framework's dimensions, gaps ranked, and the path in the cube of economy, environment and society."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import polars as pl

from cyclopolis.foundation.numbers import number_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, Message, say
from cyclopolis.rating.state import AXES

_COLOURS = {"before": "#8a949e", "after": "#1b7f5c"}
_MOST_GAPS = 20
_FEWEST_DIMENSIONS = 3
_ACROSS, _UP = (1.0, -0.55, 0.0), (0.2, 0.35, 1.0)
"""Where the three axes point on paper: in parallel projection a page needs no 3-D graphics."""


def radar_framework(scores: pl.DataFrame, scope: str) -> str | None:
    """Return the framework whose radar says most: three dimensions or more, and the narrowest shares."""
    width = (pl.col("share_high_before") - pl.col("share_low_before")).fill_null(1.0)
    table = (
        scores.filter((pl.col("scope") == scope) & pl.col("dimension").is_not_null())
        .group_by("framework")
        .agg(count=pl.len(), known=(1 - width).sum() / pl.len())
        .filter((pl.col("count") >= _FEWEST_DIMENSIONS) & (pl.col("known") > 0))
        .sort(["known", "framework"], descending=[True, False])
    )
    return None if table.is_empty() else str(table["framework"].first())


def radar_figure(scores: pl.DataFrame, scope: str, title: str, framework: str, language: Language) -> Figure:
    """Return a radar of the dimensions: worst and best case of the share of points, before and after."""
    rows = scores.filter(
        (pl.col("scope") == scope) & (pl.col("framework") == framework) & pl.col("dimension").is_not_null()
    ).to_dicts()
    names = [(row["dimension_name_zh"] if language == "zh" else None) or row["dimension_name"] for row in rows]
    data: list[dict[str, Any]] = []
    for state, colour in _COLOURS.items():
        if all(row[f"share_low_{state}"] is None for row in rows):
            continue
        for end, dash in (("low", "solid"), ("high", "dot")):
            shares = [row[f"share_{end}_{state}"] for row in rows]
            whole = [
                100 * (0.0 if share is None and end == "low" else 1.0 if share is None else share) for share in shares
            ]
            label = say(f"rating.radar_{end}", language, state=say(f"rating.{state}", language))
            data.append(
                {
                    "type": "scatterpolar",
                    "mode": "lines+markers",
                    "name": label,
                    "theta": [*names, names[0]],
                    "r": [*whole, whole[0]],
                    "line": {"color": colour, "dash": dash},
                    "fill": "toself" if end == "low" else "none",
                    "opacity": 0.85,
                }
            )
    layout = {
        "title": {"text": say("rating.figure_radar", language, framework=title)},
        "polar": {"radialaxis": {"range": [0, 100], "ticksuffix": " %"}},
        "legend": {"orientation": "h"},
        "height": 520,
    }
    return {"data": data, "layout": layout}


def gap_figure(gaps: pl.DataFrame, scope: str, place: Message, language: Language) -> Figure:
    """Return bars of the points at stake of each missed indicator, in the order of points per CNY."""
    rows = gaps.filter(pl.col("scope") == scope).sort("rank").head(_MOST_GAPS).to_dicts()
    names = [f"{row['rank']}. {_local(row, 'name', language)} ({row['framework']})" for row in rows]
    texts = [_cost_text(row, language) for row in rows]
    bar = {
        "type": "bar",
        "orientation": "h",
        "y": names,
        "x": [100 * row["share"] for row in rows],
        "text": texts,
        "textposition": "auto",
        "marker": {"color": ["#1b7f5c" if row["closed"] else "#d1603d" for row in rows]},
        "showlegend": False,
    }
    layout = {
        "title": {"text": say("rating.figure_gaps", language, place=place)},
        "xaxis": {"title": {"text": say("rating.axis_points", language)}},
        "yaxis": {"autorange": "reversed", "automargin": True},
        "height": 180 + 28 * len(rows),
    }
    return {"data": [bar], "layout": layout}


def _local(row: dict[str, Any], column: str, language: Language) -> str:
    return str((row[f"{column}_zh"] if language == "zh" else None) or row[column])


def _cost_text(row: dict[str, Any], language: Language) -> str:
    if row["measure"] is None:
        return ""
    low, high = number_text(row["cost_low"], 3), number_text(row["cost_high"], 3)
    return say("rating.gap_cost", language, measure=_local(row, "measure_name", language), low=low, high=high)


def _flat(point: Sequence[float]) -> tuple[float, float]:
    across = sum(one * other for one, other in zip(point, _ACROSS, strict=True))
    return across, sum(one * other for one, other in zip(point, _UP, strict=True))


def cube_figure(states: pl.DataFrame, names: Mapping[str, str], place: Message, language: Language) -> Figure:
    """Return the paths of all places whose three indices are known, in the cube."""
    data = [_line([one, other], "#c3c9cf", "dot") for one, other in _edges()]
    data.append(_line([(0, 0, 0), (1, 1, 1)], "#b9a24a", "dash"))
    known = states.filter(pl.all_horizontal(pl.col(axis).is_not_null() for axis in AXES))
    for scope in known["scope"].unique(maintain_order=True):
        rows = known.filter(pl.col("scope") == scope).sort("year", "state").to_dicts()
        points = [_flat([row[axis] for axis in AXES]) for row in rows]
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers+text",
                "name": names.get(scope, scope),
                "x": [x for x, _ in points],
                "y": [y for _, y in points],
                "text": [f"{row['year']}" + ("*" if row["state"] == "after" else "") for row in rows],
                "hovertext": [_state_text(row, language) for row in rows],
                "hoverinfo": "text",
                "textposition": "top center",
                "marker": {"size": 10},
            }
        )
    ends = {"economy": (1.06, 0, 0), "environment": (0, 1.06, 0), "society": (0, 0, 1.06)}
    notes = [
        {"x": x, "y": y, "text": say(f"advice.axis_{axis}", language), "showarrow": False}
        for axis, (x, y) in ((axis, _flat(end)) for axis, end in ends.items())
    ]
    hidden = {"visible": False, "range": [-0.75, 1.2]}
    layout = {
        "title": {"text": say("rating.figure_cube", language, place=place)},
        "xaxis": hidden,
        "yaxis": {"visible": False, "range": [-0.15, 1.7], "scaleanchor": "x"},
        "annotations": notes,
        "legend": {"orientation": "h"},
        "height": 620,
    }
    return {"data": data, "layout": layout}


def _edges() -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    corners = list(product((0, 1), repeat=3))
    return [
        (one, other)
        for place, one in enumerate(corners)
        for other in corners[place + 1 :]
        if sum(a != b for a, b in zip(one, other, strict=True)) == 1
    ]


def _line(points: Sequence[Sequence[float]], colour: str, dash: str) -> dict[str, Any]:
    flat = [_flat(point) for point in points]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [x for x, _ in flat],
        "y": [y for _, y in flat],
        "line": {"color": colour, "dash": dash, "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _state_text(row: dict[str, Any], language: Language) -> str:
    named = [f"{say(f'advice.axis_{axis}', language)} {number_text(row[axis], 3)}" for axis in AXES]
    degree = row["coordination_classic"], row["coordination_corrected"]
    ends = "_zh" if language == "zh" else ""
    told = say(
        "rating.cube_degree",
        language,
        classic=number_text(degree[0], 3),
        corrected=number_text(degree[1], 3),
        name=row[f"class_corrected{ends}"],
    )
    return "<br>".join([str(row["year"]), *named, told])
