"""Pictures of chains as plain Plotly data: the links of each park, and what missing technologies would use."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.numbers import number_text, quantity_text, unit_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.industry.metabolism.figures_look import ALARM, GREY, MAIN, label, layout, short

BARS = 20
STATES = {"standing": MAIN, "planned": "#d98e04", "missing": ALARM}
"""States of a link and their colours."""
_HOVER_BAR = "%{customdata[0]}<br>%{customdata[1]}<br>%{customdata[2]}<br>%{customdata[3]}<extra></extra>"
_HOVER_LINK = "%{customdata[0]} → %{customdata[1]}<br>%{customdata[2]}<br>%{customdata[3]}<extra></extra>"
CELLS = 60
"""Most rows of the chain map: chains of parks."""


def chain_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> dict[str, Figure]:
    """Return bars of missing technologies, the chains of each park by state, and the links of the whole place."""
    called = _names(tables["names"], language)
    found: dict[str, Figure] = {}
    if tables["missing"].height:
        found["chains_missing"] = _bars(tables["missing"].head(BARS), called, language)
    if tables["maps"].height:
        found["chains_parks"] = _parks(tables["maps"], called, language)
    whole = tables["links"].filter(pl.col("site") == "")
    if whole.height:
        found["chains_links"] = _links(whole, called, language)
    return found


def _names(table: pl.DataFrame, language: Language) -> Mapping[str, str]:
    return dict(
        table.select(pl.col("kind") + ":" + pl.col("item"), "name_zh" if language == "zh" else "name").iter_rows()
    )


def _bars(rows: pl.DataFrame, called: Mapping[str, str], language: Language) -> Figure:
    """Return the yearly gain of the first missing technologies, the first on top."""
    flipped = rows.reverse()
    data = [_said(row, called, language) for row in flipped.iter_rows(named=True)]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "y": [
                    f"{row['rank']}. {short(called.get('technology:' + row['technology'], row['technology']))}"
                    for row in flipped.iter_rows(named=True)
                ],
                "x": [None if value is None else value / 1e6 for value in flipped["gain_cny"]],
                "marker": {"color": [MAIN if (value or 0) >= 0 else GREY for value in flipped["gain_cny"]]},
                "customdata": data,
                "hovertemplate": _HOVER_BAR,
            }
        ],
        "layout": layout(
            say("chains.picture_missing", language),
            max(360, 24 * rows.height + 120),
            xaxis={"title": {"text": say("match.axis_gain", language)}, "automargin": True},
            yaxis={"automargin": True},
        ),
    }


def _said(row: Mapping[str, Any], called: Mapping[str, str], language: Language) -> list[str]:
    unit = unit_text(f"{row['unit']}/a", language)
    used = (
        f"{label(called.get('commodity:' + row['commodity'], row['commodity']))}: {number_text(row['unlocked'])} {unit}"
    )
    return [
        label(called.get("technology:" + row["technology"], row["technology"])),
        used,
        say(
            "chains.hover_capital",
            language,
            capital=quantity_text(row["capex"], "million CNY", language),
            jobs=number_text(row["jobs"], 3),
        ),
        say(
            "chains.hover_gate",
            language,
            gate=number_text(row["break_even_gate"], 3),
            unit=unit_text(f"CNY/{row['unit']}", language),
        ),
    ]


def _parks(maps: pl.DataFrame, called: Mapping[str, str], language: Language) -> Figure:
    """Return stacked bars of standing, planned and missing links of each chain in each park."""
    rows = maps.head(CELLS).reverse()
    place = say("chains.whole_place", language)
    labels = [
        " · ".join(
            (
                label(called.get("site:" + row["site"], row["site"]) if row["site"] else place, 18),
                label(called.get("system:" + row["system"], row["system"])),
            )
        )
        for row in rows.iter_rows(named=True)
    ]
    anchor_word = say("chains.hover_anchor", language)
    anchors = [label(called.get("plant:" + (anchor or ""), "–")) for anchor in rows["anchor"]]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "name": say(f"chains.state_{state}", language),
                "y": labels,
                "x": rows[f"links_{state}"].to_list(),
                "marker": {"color": colour},
                "customdata": [[anchor] for anchor in anchors],
                "hovertemplate": f"%{{y}}<br>%{{x}}<br>{anchor_word} %{{customdata[0]}}<extra></extra>",
            }
            for state, colour in STATES.items()
        ],
        "layout": layout(
            say("chains.picture_parks", language),
            max(360, 20 * rows.height + 140),
            barmode="stack",
            xaxis={"title": {"text": say("chains.axis_links", language)}, "automargin": True},
            yaxis={"automargin": True},
        ),
    }


def _links(links: pl.DataFrame, called: Mapping[str, str], language: Language) -> Figure:
    """Return every link of the whole place: stage along the chain to the right, one row per chain, colour by state."""
    systems = sorted(set(links["system"].to_list()))
    height = {system: index for index, system in enumerate(systems)}
    traces = []
    for state, colour in STATES.items():
        mine = links.filter(pl.col("state") == state).with_columns(
            nth=pl.int_range(pl.len()).over("system", "from_stage", "to_stage"),
            middle=(pl.col("from_stage") + pl.col("to_stage")) / 2,
        )
        shift = list(STATES).index(state) - 1
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": say(f"chains.state_{state}", language),
                "x": mine["middle"].to_list(),
                "y": [height[row["system"]] + 0.25 * shift + 0.05 * row["nth"] for row in mine.iter_rows(named=True)],
                "marker": {"size": 9, "color": colour, "symbol": "circle" if state == "standing" else "circle-open"},
                "customdata": [
                    [
                        label(called.get("technology:" + row["from_technology"], row["from_technology"])),
                        label(called.get("technology:" + row["to_technology"], row["to_technology"])),
                        label(called.get("commodity:" + row["commodity"], row["commodity"])),
                        say(f"chains.action_{row['action']}", language),
                    ]
                    for row in mine.iter_rows(named=True)
                ],
                "hovertemplate": _HOVER_LINK,
            }
        )
    axis = {
        "tickvals": list(height.values()),
        "ticktext": [label(called.get("system:" + system, system)) for system in systems],
        "automargin": True,
        "range": [-0.6, len(systems) - 0.4],
    }
    return {
        "data": traces,
        "layout": layout(
            say("chains.picture_links", language),
            max(360, 60 * len(systems) + 140),
            xaxis={"title": {"text": say("chains.axis_stage", language)}, "automargin": True},
            yaxis=axis,
        ),
    }
