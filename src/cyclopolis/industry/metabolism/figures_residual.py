"""The residual chart: mass unaccounted for at each plant, with its interval and its share of what goes in."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.numbers import number_text, quantity_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.industry.metabolism.figures_look import ALARM, GREY, MAIN, label, layout, names, short, spread_text

LARGEST = 25
"""Most plants drawn."""


def residual_figure(tables: Mapping[str, pl.DataFrame], language: Language) -> Figure:
    """Return the largest differences between what goes into plants and comes out of them, as bars.

    Plants whose difference the stated ranges explain (the 95 % interval holds 0) are told from those where they do
    not, and from those of which no range is known. Plants whose mass is unknown are counted below the chart.
    """
    rows = tables["residuals"]
    known = rows.filter(pl.col("unaccounted_t").is_not_null())
    drawn = known.head(LARGEST).with_row_index("place")
    called = names(tables, language)
    explained = pl.col("low95_t").le(0) & pl.col("high95_t").ge(0)
    vague = pl.col("sd_t").is_null() | ((pl.col("sd_t") == 0) & (pl.col("unknown") > 0))
    sort = pl.when(vague).then(pl.lit("no_range")).when(explained).then(pl.lit("explained"))
    sorted_rows = drawn.with_columns(sort=sort.otherwise(pl.lit("unexplained")))
    colours = {"unexplained": ALARM, "explained": MAIN, "no_range": GREY}
    bars = [
        _bars(rows_of, say(f"picture.residual_{sort}", language), colour)
        | {"customdata": _hover(rows_of, called, language)}
        for sort, colour in colours.items()
        for rows_of in (sorted_rows.filter(pl.col("sort") == sort),)
    ]
    shown = [called.get(f"plant:{plant}", plant) for plant in drawn["plant"].to_list()]
    left_out = known.height - drawn.height
    unknown = rows.height - known.height
    note = say("picture.residual_note", language, left_out=left_out, unknown=unknown)
    more = {
        "barmode": "overlay",
        "bargap": 0.3,
        "margin": {"l": 16, "r": 24, "t": 56, "b": 64},
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        "xaxis": {
            "title": {"text": say("picture.residual_axis", language) + (f" {note}" if left_out + unknown else "")},
            "zeroline": True,
            "zerolinecolor": "#23343b",
            "gridcolor": "#e4e9eb",
            "automargin": True,
            "range": _window(sorted_rows),
        },
        "yaxis": {
            "tickvals": list(range(drawn.height)),
            "ticktext": [short(name) for name in shown],
            "range": [drawn.height - 0.4, -0.6],
            "automargin": True,
        },
    }
    title = say("picture.residuals", language)
    return {
        "data": [bar for bar in bars if bar["x"]],
        "layout": layout(title, max(320, 150 + 24 * drawn.height), **more),
    }


def _bars(rows: pl.DataFrame, name: str, colour: str) -> dict[str, Any]:
    """Return the bars of one sort of plants."""
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": rows["unaccounted_t"].to_list(),
        "y": rows["place"].to_list(),
        "width": 0.66,
        "marker": {"color": colour},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": (rows["high95_t"] - rows["unaccounted_t"]).fill_null(0).to_list(),
            "arrayminus": (rows["unaccounted_t"] - rows["low95_t"]).fill_null(0).to_list(),
            "color": "#4f5d64",
            "thickness": 1.2,
            "width": 3,
        },
        "hovertemplate": "%{customdata[0]}<br>%{customdata[1]}<br>%{customdata[2]}<br>%{customdata[3]}<extra></extra>",
    }


def _window(rows: pl.DataFrame) -> list[float]:
    """Return the ends of the axis: bars whole, intervals that the ranges do not explain whole, wide ones cut off."""
    bars = [0.0, *rows["unaccounted_t"].to_list()]
    told = rows.filter(pl.col("sort") == "unexplained")
    ends = [*bars, *told["low95_t"].drop_nulls().to_list(), *told["high95_t"].drop_nulls().to_list()]
    room = 0.4 * (max(bars) - min(bars)) or 1.0
    return [min(ends) - room, max(ends) + room]


def _hover(rows: pl.DataFrame, called: Mapping[str, str], language: Language) -> list[list[str]]:
    """Return name, amount with share, uncertainty, and in and out of each plant."""
    found = []
    for row in rows.iter_rows(named=True):
        share = say("picture.residual_share", language, share=number_text(row["share_pct"], 3))
        through = {name: quantity_text(row[f"mass_{name}_t"], "t/a", language) for name in ("in", "out")}
        found.append(
            [
                label(called.get(f"plant:{row['plant']}", row["plant"])),
                f"{quantity_text(row['unaccounted_t'], 't/a', language)} {share}",
                spread_text(row["sd_t"], "t/a", row["unknown"], language),
                say("picture.residual_through", language, into=through["in"], out=through["out"]),
            ]
        )
    return found
