"""Pictures of a rating as plain Plotly data."""

from typing import Any

import polars as pl

from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, Message, say

_COLOURS = {"met": "#1b7f5c", "not_met": "#d1603d", "reported": "#4a7ebb", "unknown": "#c3c9cf"}
_MOST_BARS = 30
_FARTHEST = 2.0


def status_figure(frameworks: pl.DataFrame, scope: str, place: Message, language: Language) -> Figure:
    """Return stacked bars: met, not met, reported and unknown of each framework, before and after the design."""
    table = frameworks.filter(pl.col("scope") == scope)
    designed = table["met_after"].is_not_null().any()
    states = ("before", "after") if designed else ("before",)
    titles = _names(table, "title", language)
    groups = [
        [title for title in titles for _ in states],
        [say(f"rating.{state}", language) for _ in titles for state in states],
    ]
    data: list[dict[str, Any]] = []
    for status, colour in _COLOURS.items():
        counts = [row[f"{status}_{state}"] for row in table.iter_rows(named=True) for state in states]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": say(f"rating.status_{status}", language),
                "y": groups,
                "x": counts,
                "marker": {"color": colour},
            }
        )
    layout = {
        "barmode": "stack",
        "title": {"text": say("rating.figure_statuses", language, place=place)},
        "xaxis": {"title": {"text": say("rating.axis_indicators", language)}},
        "yaxis": {"autorange": "reversed", "automargin": True},
        "legend": {"orientation": "h"},
        "height": 160 + 34 * len(groups[0]),
    }
    return {"data": data, "layout": layout}


def distance_figure(indicators: pl.DataFrame, scope: str, place: Message, language: Language) -> Figure:
    """Return bars of value over target (1 is met) of the judged indicators, the farthest from their target first."""
    table = (
        indicators.filter((pl.col("scope") == scope) & pl.col("reached_before").is_not_null())
        .sort("reached_before", maintain_order=True)
        .head(_MOST_BARS)
    )
    marks = {"memory": " *", "seen": ""}
    names = [
        f"{name}{marks.get(provenance, '')} ({framework})"
        for name, provenance, framework in zip(
            _names(table, "name", language), table["threshold_provenance"], table["framework"], strict=True
        )
    ]
    designed = table["reached_after"].is_not_null().any()
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": say(f"rating.{state}", language),
            "y": names,
            "x": [None if one is None else min(one, _FARTHEST) for one in table[f"reached_{state}"]],
            "marker": {"color": colour},
        }
        for state, colour in (("before", "#8a949e"), ("after", "#1b7f5c"))
        if state == "before" or designed
    ]
    layout = {
        "barmode": "group",
        "title": {"text": say("rating.figure_distances", language, place=place)},
        "xaxis": {"title": {"text": say("rating.axis_reached", language)}, "range": [0, _FARTHEST]},
        "yaxis": {"autorange": "reversed", "automargin": True},
        "shapes": [{"type": "line", "x0": 1, "x1": 1, "yref": "paper", "y0": 0, "y1": 1, "line": {"dash": "dot"}}],
        "legend": {"orientation": "h"},
        "height": 160 + 26 * len(names),
    }
    return {"data": data, "layout": layout}


def _names(table: pl.DataFrame, column: str, language: Language) -> list[str]:
    chinese = table[f"{column}_zh"].to_list() if language == "zh" else [None] * table.height
    return [zh or en for en, zh in zip(table[column].to_list(), chinese, strict=True)]
