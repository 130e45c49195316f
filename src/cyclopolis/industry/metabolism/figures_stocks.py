"""Time series of stocks: what stands beside what comes in and goes out, with bands of 95 %."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.numbers import quantity_text, unit_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.industry.metabolism.figures_look import PALETTE, faded, label, layout, names, spread_text

LARGEST = 8
"""Most stocks drawn, in the order of their identifiers; the table holds all."""
_COLOURS = {"stock": PALETTE[0], "inflow": PALETTE[2], "outflow": PALETTE[1]}
_PANEL = 250


def stocks_figure(tables: Mapping[str, pl.DataFrame], language: Language) -> Figure:
    """Return one row of two panels for each stock: what stands, and what comes in and goes out."""
    rows = tables["stocks"]
    ids = rows["stock"].unique().sort().to_list()
    called = names(tables, language)
    count = max(min(len(ids), LARGEST), 1)
    data: list[dict[str, Any]] = []
    more: dict[str, Any] = {
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
        "annotations": [],
        "margin": {"l": 56, "r": 24, "t": 72, "b": 32},
    }
    for position, stock in enumerate(ids[:LARGEST]):
        mine = rows.filter(pl.col("stock") == stock)
        top = 1.0 - position / count
        bottom = top - (1.0 - 0.28) / count
        for side, items in enumerate((("stock",), ("inflow", "outflow"))):
            axis = 2 * position + side + 1
            more |= _axes(axis, side, bottom, top - 0.14 / count)
            more["annotations"].append(_heading(stock, mine, items[0], called, (side, top - 0.13 / count), language))
            for item in items:
                data += _line(mine.filter(pl.col("item") == item), item, axis, language, first=position == 0)
    title = say("picture.stocks", language)
    if len(ids) > LARGEST:
        title += " " + say("picture.stocks_left_out", language, left_out=len(ids) - LARGEST)
    return {"data": data, "layout": layout(title, 90 + _PANEL * count, **more)}


def _axes(number: int, side: int, bottom: float, top: float) -> dict[str, Any]:
    name = "" if number == 1 else str(number)
    across = [0.0, 0.46] if side == 0 else [0.54, 1.0]
    grid = {"gridcolor": "#e4e9eb", "zerolinecolor": "#9aa5ab"}
    return {
        f"xaxis{name}": {"domain": across, "anchor": f"y{name}", "tickformat": "d", **grid},
        f"yaxis{name}": {
            "domain": [bottom, top],
            "anchor": f"x{name}",
            "rangemode": "tozero",
            "automargin": True,
            "ticks": "outside",
            "ticklen": 4,
            "tickcolor": "#ffffff",
            **grid,
        },
    }


def _heading(
    stock: str,
    rows: pl.DataFrame,
    item: str,
    called: Mapping[str, str],
    spot: tuple[int, float],
    language: Language,
) -> dict[str, Any]:
    """Return what stands above a panel: the stock, its commodity and the unit."""
    commodity = rows["commodity"][0]
    unit = rows.filter(pl.col("item") == item)["unit"][0]
    good = called.get(f"commodity:{commodity}", commodity)
    text = say("picture.stocks_panel", language, stock=stock, good=good, unit=unit_text(unit, language))
    return {
        "x": 0.0 if spot[0] == 0 else 0.54,
        "y": spot[1],
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "bottom",
        "showarrow": False,
        "text": label(text),
    }


def _line(rows: pl.DataFrame, item: str, axis: int, language: Language, *, first: bool) -> list[dict[str, Any]]:
    """Return a line with its band; the band is left out where no uncertainty is known."""
    number = "" if axis == 1 else str(axis)
    shared = {"type": "scatter", "xaxis": f"x{number}", "yaxis": f"y{number}", "legendgroup": item}
    found: list[dict[str, Any]] = []
    banded = rows.drop_nulls("sd")
    if banded.height:
        found.append(
            {
                **shared,
                "mode": "lines",
                "x": [*banded["year"].to_list(), *banded["year"].to_list()[::-1]],
                "y": [*banded["high95"].to_list(), *banded["low95"].to_list()[::-1]],
                "fill": "toself",
                "fillcolor": faded(_COLOURS[item], 0.18),
                "line": {"width": 0},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    found.append(
        {
            **shared,
            "mode": "lines",
            "name": say(f"picture.stocks_{item}", language),
            "x": rows["year"].to_list(),
            "y": rows["value"].to_list(),
            "line": {"color": _COLOURS[item], "width": 2},
            "showlegend": first,
            "customdata": [
                [quantity_text(value, unit, language), spread_text(sd, unit, 0, language)]
                for value, sd, unit in rows.select("value", "sd", "unit").iter_rows()
            ],
            "hovertemplate": "%{x}: %{customdata[0]}<br>%{customdata[1]}<extra></extra>",
        }
    )
    return found
