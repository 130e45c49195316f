"""What one design brings in each scenario, beside the best design for it alone and the one unaware of scenarios."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.numbers import quantity_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.industry.metabolism.figures_look import GREY, MAIN, PALETTE, label, layout

_BARS = {"objective": MAIN, "foreseen": PALETTE[1], "unaware": GREY}


def under_figures(scenarios: pl.DataFrame, unit: str, language: Language) -> Mapping[str, Figure]:
    """Return bars of what each design brings in each scenario; where it cannot be run there is none.

    Parameters
    ----------
    scenarios : polars.DataFrame
        Table of the result.
    unit : str
        Of what it brings, CNY or CNY per year.
    language : {"en", "zh"}
    """
    traces = [
        {
            "type": "bar",
            "x": [label(name) for name in scenarios["scenario"]],
            "y": scenarios[column].to_list(),
            "name": say(f"under.bar_{column}", language),
            "marker": {"color": colour},
            "text": ["" if value is None else quantity_text(value, unit, language) for value in scenarios[column]],
            "hovertemplate": "%{x}<br>%{text}<extra></extra>",
        }
        for column, colour in _BARS.items()
    ]
    return {
        "scenarios": {
            "data": traces,
            "layout": layout(
                say("under.figure_scenarios", language),
                400,
                barmode="group",
                xaxis={"type": "category"},
                yaxis={"title": {"text": unit}},
                margin={"l": 72, "r": 16, "t": 56, "b": 40},
                legend={"orientation": "h", "y": -0.15},
            ),
        }
    }
