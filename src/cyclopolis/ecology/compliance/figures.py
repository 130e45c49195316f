"""Pictures of compliance as plain Plotly data; each shows what one table holds."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.ecology.compliance.waters import CLASS_NAMES
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say

_CLASSES = ("#2f6fb5", "#4aa3d8", "#58b368", "#e9c46a", "#e76f51", "#9b2226")
_GRADES = ("#00a651", "#f2d024", "#f58220", "#d7282f", "#8b3f8f", "#6e1423")
_MOST_SECTIONS = 60


def compliance_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, Figure]:
    """Return all pictures by name."""
    figures = {}
    if tables["samples"].height:
        figures["classes"] = classes_figure(tables["samples"], language)
    if tables["air_days"].height:
        figures["air"] = air_figure(tables["air_days"], language)
    return figures


def _scale(colours: tuple[str, ...]) -> list[list[object]]:
    """Return a colour scale with one flat step for each colour."""
    size = len(colours)
    return [[edge / size, colour] for at, colour in enumerate(colours) for edge in (at, at + 1)]


def _grid(
    table: pl.DataFrame, row: str, value: str, text: list[str], colours: tuple[str, ...], names: list[str]
) -> dict[str, object]:
    """Return a heat map of rows over dates."""
    rows = table[row].unique(maintain_order=True).to_list()[:_MOST_SECTIONS]
    dates = table["date"].unique().sort().to_list()
    place = {(name, date): at for at, (name, date) in enumerate(table.select(row, "date").iter_rows())}
    numbers = table[value].to_list()
    at = [[place.get((name, date)) for date in dates] for name in rows]
    size = len(colours)
    return {
        "type": "heatmap",
        "x": dates,
        "y": rows,
        "z": [[None if cell is None else numbers[cell] for cell in line] for line in at],
        "text": [["" if cell is None else text[cell] for cell in line] for line in at],
        "hovertemplate": "%{y}, %{x}: %{text}<extra></extra>",
        "zmin": 0.5,
        "zmax": size + 0.5,
        "colorscale": _scale(colours),
        "colorbar": {"tickvals": list(range(1, size + 1)), "ticktext": names},
        "xgap": 1,
        "ygap": 1,
    }


def classes_figure(samples: pl.DataFrame, language: Language) -> Figure:
    """Return the class of every section on every date."""
    numbers = {name: number for number, name in enumerate(CLASS_NAMES) if name}
    table = samples.with_columns(number=pl.col("class").replace_strict(numbers, return_dtype=pl.Int64))
    names = [say(f"coded.compliance_class_{number}", language) for number in range(1, len(_CLASSES) + 1)]
    text = [
        say("compliance.hover_class", language, name=names[number - 1], deciding=deciding or "")
        for number, deciding in table.select("number", "deciding").iter_rows()
    ]
    layout = {
        "title": {"text": say("compliance.figure_classes", language)},
        "yaxis": {"autorange": "reversed", "automargin": True, "type": "category"},
        "xaxis": {"type": "category"},
        "height": 200 + 22 * min(samples["section"].n_unique(), _MOST_SECTIONS),
    }
    return {"data": [_grid(table, "section", "number", text, _CLASSES, names)], "layout": layout}


def air_figure(days: pl.DataFrame, language: Language) -> Figure:
    """Return the grade of air of every place and day."""
    names = [say(f"coded.compliance_grade_{number}", language) for number in range(1, len(_GRADES) + 1)]
    text = [
        say("compliance.hover_air", language, index=f"{index:.0f}", grade=names[grade - 1], leading=leading or "–")
        for index, grade, leading in days.select("index", "grade", "leading").iter_rows()
    ]
    layout = {
        "title": {"text": say("compliance.figure_air", language)},
        "yaxis": {"autorange": "reversed", "automargin": True, "type": "category"},
        "height": 260 + 22 * days["site"].n_unique(),
    }
    return {"data": [_grid(days, "site", "grade", text, _GRADES, names)], "layout": layout}
