"""Pictures of a matching as plain Plotly data: a map, a network, bars of what each pair brings, sources of takers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from cyclopolis.foundation.numbers import number_text, quantity_text, unit_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.industry.metabolism.figures_look import GREY, MAIN, PALETTE, faded, label, layout, short

DRAWN = 40
"""Most pairs drawn on the map and in the network."""
BARS = 20
"""Most pairs drawn as bars."""
_END = 22
"""Longest name of a thing or a taker beside a bar."""


def match_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> dict[str, Figure]:
    """Return the pictures of a matching; each shows rows of the table ``matches``.

    Parameters
    ----------
    tables : mapping of polars.DataFrame
        Tables of a `Match`.
    language : {"en", "zh"}
    """
    called = names(tables["names"], language)
    fresh = tables["matches"].filter(~pl.col("stands"))
    best = fresh.unique(["giver", "taker", "offer"], keep="first", maintain_order=True)
    if best.is_empty():
        return {}
    found = {
        "match_gains": _bars(best.head(BARS), called, language),
        "match_network": _network(best.head(DRAWN), called, language),
        "match_sources": _sources(best.head(DRAWN), called, language),
    }
    placed = _map(best.head(DRAWN), tables["places"], called, language)
    return {**found, "match_map": placed} if placed else found


def names(table: pl.DataFrame, language: Language) -> Mapping[str, str]:
    """Return what identifiers are called."""
    return dict(table.select("item", "name_zh" if language == "zh" else "name").iter_rows())


def said(row: Mapping[str, Any], called: Mapping[str, str], language: Language) -> list[str]:
    """Return giver, taker, what for what, how much, and what both gain, for a hover text."""
    good = label(called.get(row["offer"], row["offer"]))
    if row["need"] != row["offer"]:
        good = say("picture.in_place_of", language, good=good, displaced=label(called.get(row["need"], row["need"])))
    unknown = say("number.unknown", language)
    amount = (
        unknown
        if row["amount"] is None
        else f"{number_text(row['amount'])} {unit_text((row['unit'] or '') + '/a', language)}"
    )
    gain = unknown if row["net_gain_cny"] is None else quantity_text(row["net_gain_cny"], "CNY/a", language)
    return [
        label(called.get(row["giver"], row["giver"])),
        label(called.get(row["taker"], row["taker"])),
        good,
        amount,
        gain,
    ]


_HOVER = (
    "%{customdata[0]} → %{customdata[1]}<br>%{customdata[2]}<br>%{customdata[3]}<br>%{customdata[4]}<extra></extra>"
)


def _bars(rows: pl.DataFrame, called: Mapping[str, str], language: Language) -> Figure:
    """Return the parts of the net gain of the best pairs as stacked bars, the best on top."""
    flipped = rows.reverse()
    data = [said(row, called, language) for row in flipped.iter_rows(named=True)]
    ends = [
        [label(called.get(name, name), _END) for name in pair] for pair in flipped.select("offer", "taker").iter_rows()
    ]
    labels = [
        f"{number}. {good} → {taker}" for number, (good, taker) in zip(range(len(ends), 0, -1), ends, strict=True)
    ]
    parts = ("saved_purchase_cny", "saved_disposal_cny", "transport_cny", "processing_cny")
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": say(f"match.part_{part}", language),
            "y": labels,
            "x": [0.0 if value is None else value / 1e6 for value in flipped[part]],
            "marker": {"color": PALETTE[place]},
            "customdata": data,
            "hovertemplate": _HOVER,
        }
        for place, part in enumerate(parts)
        if flipped[part].fill_null(0.0).abs().sum() > 0
    ]
    axis = {"title": {"text": say("match.axis_gain", language)}, "zeroline": True, "automargin": True}
    return {
        "data": traces,
        "layout": layout(
            say("match.picture_gains", language),
            max(360, 24 * rows.height + 120),
            barmode="relative",
            xaxis=axis,
            yaxis={"automargin": True},
        ),
    }


def _network(rows: pl.DataFrame, called: Mapping[str, str], language: Language) -> Figure:
    """Return givers on the left and takers on the right; the width of a link is what both gain."""
    givers, takers = sorted(set(rows["giver"].to_list())), sorted(set(rows["taker"].to_list()))
    place = {("giver", name): index for index, name in enumerate(givers)}
    place |= {("taker", name): len(givers) + index for index, name in enumerate(takers)}
    goods = sorted(set(rows["offer"].to_list()))
    colour = {good: PALETTE[index % len(PALETTE)] for index, good in enumerate(goods)}
    gains = [max(value or 0.0, 0.0) for value in rows["net_gain_cny"].to_list()]
    least = max(max(gains, default=0.0) / 50, 1.0)
    links = rows.rows(named=True)
    return {
        "data": [
            {
                "type": "sankey",
                "node": {
                    "label": [label(called.get(name, name)) for name in (*givers, *takers)],
                    "color": [MAIN] * len(givers) + [GREY] * len(takers),
                    "pad": 12,
                    "thickness": 14,
                    "hovertemplate": "%{label}<extra></extra>",
                },
                "link": {
                    "source": [place["giver", row["giver"]] for row in links],
                    "target": [place["taker", row["taker"]] for row in links],
                    "value": [max(gain, least) for gain in gains],
                    "color": [faded(colour[row["offer"]], 0.4) for row in links],
                    "customdata": [said(row, called, language) for row in links],
                    "hovertemplate": _HOVER,
                },
            }
        ],
        "layout": layout(say("match.picture_network", language), max(420, 22 * max(len(givers), len(takers)))),
    }


def _sources(rows: pl.DataFrame, called: Mapping[str, str], language: Language) -> Figure:
    """Return for each taker who could give it what, as a table."""
    lines = rows.sort(["taker", "rank"])
    data = [said(row, called, language) for row in lines.iter_rows(named=True)]
    distance = [number_text(value, 3) for value in lines["distance_km"].to_list()]
    columns: Sequence[Sequence[str]] = [
        [row[1] for row in data],
        [row[0] for row in data],
        [row[2] for row in data],
        [row[3] for row in data],
        distance,
        [row[4] for row in data],
    ]
    headers = [
        say(f"exchange.{name}", language)
        for name in ("taker", "giver", "offer", "amount", "distance_km", "net_gain_cny")
    ]
    return {
        "data": [
            {
                "type": "table",
                "header": {"values": headers, "align": "left", "fill": {"color": "#e8eef0"}},
                "cells": {"values": [list(column) for column in columns], "align": "left", "height": 24},
            }
        ],
        "layout": layout(say("match.picture_sources", language), min(900, 120 + 26 * rows.height)),
    }


def _map(rows: pl.DataFrame, places: pl.DataFrame, called: Mapping[str, str], language: Language) -> Figure | None:
    """Return the best pairs between their places, east to the right, or None where no place is known."""
    at = {item: np.array([lon, lat]) for item, lon, lat in places.select("item", "lon", "lat").iter_rows()}
    known = [row for row in rows.iter_rows(named=True) if row["giver"] in at and row["taker"] in at]
    if not known:
        return None
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [value for row in known for value in (at[row["giver"]][0], at[row["taker"]][0], None)],
            "y": [value for row in known for value in (at[row["giver"]][1], at[row["taker"]][1], None)],
            "line": {"color": MAIN, "width": 1.5},
            "opacity": 0.5,
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]
    goods = sorted({row["offer"] for row in known})
    for index, good in enumerate(goods):
        mine = [row for row in known if row["offer"] == good]
        along = 0.3 + 0.5 * (index + 0.5) / len(goods)
        middles = [(1 - along) * at[row["giver"]] + along * at[row["taker"]] for row in mine]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": short(called.get(good, good)),
                "x": [float(point[0]) for point in middles],
                "y": [float(point[1]) for point in middles],
                "marker": {"size": 9, "color": PALETTE[index % len(PALETTE)]},
                "customdata": [said(row, called, language) for row in mine],
                "hovertemplate": _HOVER,
            }
        )
    ends = sorted({row[side] for row in known for side in ("giver", "taker")})
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "name": say("match.picture_places", language),
            "x": [float(at[item][0]) for item in ends],
            "y": [float(at[item][1]) for item in ends],
            "marker": {"size": 8, "symbol": "circle-open", "color": GREY},
            "customdata": [[label(called.get(item, item))] for item in ends],
            "hovertemplate": "%{customdata[0]}<extra></extra>",
        }
    )
    middle = float(np.mean([at[item][1] for item in ends]))
    axes = {
        "xaxis": {"title": {"text": say("match.axis_lon", language)}, "zeroline": False, "automargin": True},
        "yaxis": {
            "title": {"text": say("match.axis_lat", language)},
            "automargin": True,
            "scaleanchor": "x",
            "scaleratio": float(1 / max(np.cos(np.radians(middle)), 0.05)),
            "zeroline": False,
        },
    }
    return {"data": traces, "layout": layout(say("match.picture_map", language), 560, **axes)}
