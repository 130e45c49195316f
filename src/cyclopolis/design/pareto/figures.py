"""A front in a cube and on parallel axes; points carry their number in ``customdata``, so that both pick the same."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.design.figures import exchange_figure
from cyclopolis.design.figures_links import flow_figures, investments_figure
from cyclopolis.foundation.numbers import number_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say

DIMENSIONS = ("economy", "environment", "society")
COLOURS = {
    "economy": "#c0392b",
    "environment": "#59a14f",
    "society": "#4c78a8",
    "knee": "#8e44ad",
    "compromise": "#e67e22",
    "knee_and_compromise": "#8e44ad",
}
PLAIN = "#7f8c8d"
_DRAWN = ("knee_and_compromise", "knee", "compromise")
"""Choices whose exchanges, flows and builds are drawn."""
_MILLION = 1e6


def pareto_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, Figure]:
    """Return the pictures of a front by name, and what the knee and the compromise exchange and build."""
    points = tables["points"]
    found = {"cube": cube_figure(points, language), "axes": axes_figure(points, language)}
    years = tables["parts"]["year"].unique().sort().to_list()
    for choice in _DRAWN:
        for number in points.filter(pl.col("choice") == choice)["point"]:
            own = {name: tables[name].filter(pl.col("point") == number) for name in ("plants", "exchanges", "links")}
            pictures = {
                "exchanges": exchange_figure({**own, "names": tables["names"]}, "after", language),
                **flow_figures({**own, "names": tables["names"]}, language),
                "investments": investments_figure(tables["builds"].filter(pl.col("point") == number), years, language),
            }
            found |= {f"{choice}_{name}": _of(choice, figure, language) for name, figure in pictures.items()}
    return found


def _of(choice: str, figure: Figure, language: Language) -> Figure:
    """Return a picture of one point, which its title says."""
    title = say("front.figure_of", language, choice=say(f"front.choice_{choice}", language),
                title=figure["layout"]["title"]["text"])  # fmt: skip
    return {**figure, "layout": {**figure["layout"], "title": {"text": title}}}


def _titles(points: pl.DataFrame, language: Language) -> list[str]:
    per_year = str(points["economy_unit"][0]).endswith("/a")
    economy = say("front.axis_economy_year" if per_year else "front.axis_economy", language)
    return [economy, say("front.axis_environment", language), say("front.axis_society", language)]


def _colour(choice: str | None) -> str:
    return PLAIN if choice is None else COLOURS[choice]


def _shown(points: pl.DataFrame) -> pl.DataFrame:
    """Return the dimensions as they are shown: money in millions."""
    return points.with_columns(pl.col("economy") / _MILLION, pl.col("environment") / _MILLION)


def _words(points: pl.DataFrame, language: Language) -> list[str]:
    """Return what stands beside a point that is pointed at."""
    titles, words = _titles(points, language), []
    for row in points.select("point", "choice", *DIMENSIONS).iter_rows(named=True):
        lines = [say("front.hover_point", language, point=row["point"])]
        if row["choice"] is not None:
            lines.append(say(f"front.choice_{row['choice']}", language))
        lines += [f"{title}: {number_text(row[name])}" for title, name in zip(titles, DIMENSIONS, strict=True)]
        words.append("<br>".join(lines))
    return words


def cube_figure(points: pl.DataFrame, language: Language) -> Figure:
    """Return the points in a cube of the three dimensions; those of note have a colour and a name in the legend."""
    shown = _shown(points)
    words = dict(zip(shown["point"].to_list(), _words(shown, language), strict=True))
    traces = []
    for choice in (None, *COLOURS):
        rows = shown.filter(pl.col("choice").is_null() if choice is None else pl.col("choice") == choice)
        if rows.is_empty():
            continue
        traces.append(
            {
                "type": "scatter3d",
                "mode": "markers",
                "x": rows["economy"].to_list(),
                "y": rows["environment"].to_list(),
                "z": rows["society"].to_list(),
                "customdata": rows["point"].to_list(),
                "text": [words[point] for point in rows["point"]],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "size": [5 if choice is None else 8] * rows.height,
                    "color": _colour(choice),
                },
                "name": say("front.choice_none" if choice is None else f"front.choice_{choice}", language),
            }
        )
    axes = dict(zip(("xaxis", "yaxis", "zaxis"), _titles(points, language), strict=True))
    return {
        "data": traces,
        "layout": {
            "title": {"text": say("front.figure_cube", language)},
            "scene": {axis: {"title": {"text": title}} for axis, title in axes.items()},
            "legend": {"orientation": "h", "y": -0.05},
            "meta": {"linked": "points"},
            "height": 600,
        },
    }


def axes_figure(points: pl.DataFrame, language: Language) -> Figure:
    """Return a line for each point over the three dimensions, each from its worst (0 %) to its best (100 %)."""
    shown = _shown(points)
    words, titles = _words(shown, language), _titles(points, language)
    share = {
        name: (100.0 * (pl.col(name) - pl.col(name).min()) / (pl.col(name).max() - pl.col(name).min())).fill_nan(100.0)
        for name in DIMENSIONS
    }
    heights = shown.select(**share).rows()
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": titles,
            "y": list(height),
            "customdata": [point] * len(titles),
            "text": [text] * len(titles),
            "hovertemplate": "%{text}<extra></extra>",
            "line": {"color": _colour(choice), "width": 1.5 if choice is None else 3},
            "opacity": 0.55 if choice is None else 1.0,
            "name": say("front.hover_point", language, point=point),
            "showlegend": False,
        }
        for point, choice, height, text in zip(shown["point"], shown["choice"], heights, words, strict=True)
    ]
    return {
        "data": traces,
        "layout": {
            "title": {"text": say("front.figure_axes", language)},
            "yaxis": {"title": {"text": say("front.axis_share", language)}, "range": [-4, 104]},
            "hovermode": "closest",
            "meta": {"linked": "points"},
            "height": 460,
        },
    }
