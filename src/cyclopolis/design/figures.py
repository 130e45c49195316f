"""Pictures of a design, drawn from its tables alone: the exchange network before and after, builds, changes."""

import math
from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.numbers import quantity_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.plan.schema import quantities

COLOURS = {"supply": "#4c78a8", "exchange": "#59a14f", "substitution": "#e67e22"}
_STANDING, _NEW = "#555555", "#c0392b"
_SPREAD = 0.22
"""Radius of the ring on which the plants of one place stand, as a share of the smallest distance of two places."""

Spot = tuple[float, float]


def design_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, Figure]:
    """Return all pictures of a design by name."""
    return {
        "exchanges_before": exchange_figure(tables, "before", language),
        "exchanges_after": exchange_figure(tables, "after", language),
        "builds": builds_figure(tables["builds"], language),
        "changes": changes_figure(tables["accounts"], language),
    }


def _column(language: Language) -> str:
    return "name_zh" if language == "zh" else "name"


def plant_spots(plants: pl.DataFrame) -> dict[str, Spot]:
    """Return where to draw each plant: on a small ring around its place, the places themselves on a ring if unknown.

    Parameters
    ----------
    plants : polars.DataFrame
        The design's plants with ``site``, ``lon`` and ``lat``.
    """
    sites = plants.group_by("site", maintain_order=True).agg(
        pl.col("lon").first(), pl.col("lat").first(), members=pl.col("plant")
    )
    unknown = sites["lon"].null_count() + sites["lat"].null_count() > 0
    centres: dict[str, Spot] = {}
    for number, (site, lon, lat) in enumerate(sites.select("site", "lon", "lat").iter_rows()):
        angle = 2.0 * math.pi * number / max(sites.height, 1)
        centres[str(site)] = (math.cos(angle), math.sin(angle)) if unknown else (lon, lat)
    spots = list(centres.values())
    gaps = [math.dist(a, b) for at, a in enumerate(spots) for b in spots[:at] if a != b]
    ring = _SPREAD * min(gaps) if gaps else 0.1
    found: dict[str, Spot] = {}
    for site, members in sites.select("site", "members").iter_rows():
        lon, lat = centres[str(site)]
        for number, plant in enumerate(members):
            angle = 2.0 * math.pi * number / len(members)
            radius = ring * (len(members) > 1)
            found[plant] = (lon + radius * math.cos(angle), lat + radius * math.sin(angle))
    return found


def _labels(tables: Mapping[str, pl.DataFrame], language: Language) -> dict[tuple[str, str], str]:
    column = _column(language)
    names = {(kind, item): name for kind, item, name in tables["names"].select("kind", "item", column).iter_rows()}
    plants = {("plant", plant): name for plant, name in tables["plants"].select("plant", column).iter_rows()}
    return {**names, **plants}


def exchange_figure(tables: Mapping[str, pl.DataFrame], state: str, language: Language) -> Figure:
    """Return the exchanges of one state (``before`` or ``after``) as lines between plants, amounts on hover."""
    spots, labels = plant_spots(tables["plants"]), _labels(tables, language)
    rows = tables["exchanges"].filter(pl.col(state) > 0)
    traces = [
        trace
        for kind in COLOURS
        for trace in _lines(rows.filter(pl.col("kind") == kind), kind, state, spots, labels, language)
    ]
    traces += _plant_traces(tables["plants"], state, spots, language)
    title = say("design.figure_before" if state == "before" else "design.figure_after", language)
    return {
        "data": traces,
        "layout": {
            "title": {"text": title},
            "xaxis": {"title": {"text": say("design.axis_lon", language)}, "zeroline": False},
            "yaxis": {"title": {"text": say("design.axis_lat", language)}, "zeroline": False},
            "hovermode": "closest",
            "legend": {"orientation": "h", "y": -0.2},
            "height": 520,
        },
    }


def _lines(
    rows: pl.DataFrame,
    kind: str,
    state: str,
    spots: Mapping[str, Spot],
    labels: Mapping[tuple[str, str], str],
    language: Language,
) -> list[Figure]:
    """Return one trace of lines and one of points at their middles, which carry the words."""
    if rows.is_empty():
        return []
    line_x: list[float | None] = []
    line_y: list[float | None] = []
    middle_x, middle_y, words = [], [], []
    for row in rows.iter_rows(named=True):
        (x0, y0), (x1, y1) = spots[row["from_plant"]], spots[row["to_plant"]]
        line_x += [x0, x1, None]
        line_y += [y0, y1, None]
        middle_x.append((x0 + 2 * x1) / 3)
        middle_y.append((y0 + 2 * y1) / 3)
        values = {
            "giver": labels.get(("plant", row["from_plant"]), row["from_plant"]),
            "taker": labels.get(("plant", row["to_plant"]), row["to_plant"]),
            "amount": quantity_text(row[state], f"{row['unit']}/a", language),
            "commodity": labels.get(("commodity", row["commodity"]), row["commodity"]),
        }
        instead = row["as_commodity"]
        if instead is None:
            words.append(say("design.hover_flow", language, **values))
        else:
            values["instead"] = labels.get(("commodity", instead), instead)
            words.append(say("design.hover_as", language, **values))
    colour = COLOURS[kind]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": line_x,
            "y": line_y,
            "line": {"color": colour, "width": 1.5},
            "opacity": 0.6,
            "name": say(f"design.kind_{kind}", language),
            "legendgroup": kind,
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": middle_x,
            "y": middle_y,
            "marker": {"color": colour, "size": 6, "symbol": "diamond"},
            "text": words,
            "hovertemplate": "%{text}<extra></extra>",
            "legendgroup": kind,
            "showlegend": False,
        },
    ]


def _plant_traces(plants: pl.DataFrame, state: str, spots: Mapping[str, Spot], language: Language) -> list[Figure]:
    groups = [("design.plants_existing", plants.filter(pl.col("status") == "existing"), _STANDING)]
    if state == "after":
        groups.append(("design.plants_new", plants.filter(pl.col("status") != "existing"), _NEW))
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [spots[plant][0] for plant in rows["plant"]],
            "y": [spots[plant][1] for plant in rows["plant"]],
            "marker": {"color": colour, "size": 9},
            "text": rows[_column(language)].to_list(),
            "hovertemplate": "%{text}<extra></extra>",
            "name": say(key, language),
        }
        for key, rows, colour in groups
        if rows.height
    ]


def builds_figure(builds: pl.DataFrame, language: Language) -> Figure:
    """Return the plants built as bars of their capital, size on hover; unknown capital has no bar."""
    rows = builds.reverse()
    words = [
        f"{name}: {quantity_text(capacity, f'{unit}/a', language)}"
        for name, capacity, unit in rows.select(_column(language), "capacity", "unit").iter_rows()
    ]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": rows["capex"].to_list(),
                "y": rows[_column(language)].to_list(),
                "text": words,
                "textposition": "none",
                "hovertemplate": "%{text}<br>%{x:,.1f} " + say("design.axis_capital", language) + "<extra></extra>",
                "marker": {"color": _NEW},
            }
        ],
        "layout": {
            "title": {"text": say("design.figure_builds", language)},
            "xaxis": {"title": {"text": say("design.axis_capital", language)}},
            "yaxis": {"automargin": True},
            "height": max(240, 60 + 26 * rows.height),
        },
    }


def changes_figure(accounts: pl.DataFrame, language: Language) -> Figure:
    """Return the plan's quantities after the design as a share of before, both amounts on hover."""
    known = quantities()
    rows = accounts.filter(
        (pl.col("scope_kind") == "place") & pl.col("quantity").is_in(list(known)) & (pl.col("before") > 0)
    ).filter(pl.col("after").is_not_null())
    shares, names, words, colours = [], [], [], []
    for quantity, before, after, unit in rows.select("quantity", "before", "after", "unit").iter_rows():
        name = known[quantity].zh if language == "zh" else known[quantity].en
        better = after >= before if known[quantity].better == "higher" else after <= before
        shares.append(100.0 * after / before)
        names.append(name)
        colours.append(COLOURS["exchange"] if better else COLOURS["substitution"])
        amounts = {"before": quantity_text(before, unit, language), "after": quantity_text(after, unit, language)}
        words.append(say("design.hover_change", language, name=name, **amounts))
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": shares[::-1],
                "y": names[::-1],
                "text": words[::-1],
                "textposition": "none",
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {"color": colours[::-1]},
            }
        ],
        "layout": {
            "title": {"text": say("design.figure_changes", language)},
            "xaxis": {"title": {"text": say("design.axis_ratio", language)}},
            "yaxis": {"automargin": True},
            "shapes": [
                {"type": "line", "x0": 100, "x1": 100, "y0": 0, "y1": 1, "yref": "paper", "line": {"dash": "dot"}}
            ],
            "height": max(260, 60 + 26 * len(names)),
        },
    }
