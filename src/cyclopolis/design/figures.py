"""Pictures of a design, drawn from its tables alone: the exchange network before and after, builds, changes."""

import math
from collections.abc import Mapping

import polars as pl

from cyclopolis.design.figures_links import flow_figures, investments_figure
from cyclopolis.foundation.numbers import quantity_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.plan.schema import quantities

COLOURS = {"supply": "#4c78a8", "exchange": "#59a14f", "substitution": "#e67e22"}
_STANDING, _NEW = "#555555", "#c0392b"
_GAP = 1.5
"""Empty room between the plants of two places on the ring, in plants."""
_BEND = 0.3
"""How far from the centre a line between two plants passes, as a share of the straight one."""
_STEPS = 12
_SIDE = 0.25
"""How far right or left of the middle a place's name is written outwards."""

Spot = tuple[float, float]


def design_figures(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, Figure]:
    """Return all pictures of a design by name."""
    return {
        "exchanges_before": exchange_figure(tables, "before", language),
        "exchanges_after": exchange_figure(tables, "after", language),
        "builds": builds_figure(tables["builds"], language),
        "investments": investments_figure(
            tables["investments"], tables["year_plants"]["year"].unique().sort().to_list(), language
        ),
        **flow_figures(tables, language),
        "changes": changes_figure(tables["accounts"], language),
    }


def _column(language: Language) -> str:
    return "name_zh" if language == "zh" else "name"


def plant_spots(plants: pl.DataFrame) -> tuple[dict[str, Spot], dict[str, Spot]]:
    """Return where to draw each plant and each place's name: on one ring, place by place, in the order of the compass.

    A ring keeps the plants of a crowded park apart, which a map would draw on top of each other; places follow each
    other as they lie around their common centre, those of unknown position at the end.

    Parameters
    ----------
    plants : polars.DataFrame
        The design's plants with ``site``, ``lon`` and ``lat``.
    """
    sites = plants.group_by("site", maintain_order=True).agg(
        pl.col("lon").first(), pl.col("lat").first(), members=pl.col("plant")
    )
    east = (pl.col("lon") - pl.col("lon").mean()) * pl.col("lat").mean().radians().cos()
    bearing = pl.arctan2(pl.col("lat") - pl.col("lat").mean(), east)
    ordered = sites.with_columns(bearing=bearing).sort("bearing", "site", nulls_last=True)
    room = sum(len(members) + _GAP for members in ordered["members"])
    spots: dict[str, Spot] = {}
    names: dict[str, Spot] = {}
    at = 0.0
    for site, members in ordered.select("site", "members").iter_rows():
        middle = at + (len(members) - 1) / 2
        for plant in members:
            spots[plant] = _on_ring(at / room, 1.0)
            at += 1.0
        at += _GAP
        names[str(site)] = _on_ring(middle / room, 1.09)
    return spots, names


def _on_ring(share: float, radius: float) -> Spot:
    angle = 2.0 * math.pi * share - math.pi
    return radius * math.cos(angle), radius * math.sin(angle)


def _bent(start: Spot, end: Spot) -> tuple[list[float | None], list[float | None]]:
    """Return the points of a line that bends towards the centre, ended by a gap."""
    hub = tuple(_BEND * (a + b) / 2 for a, b in zip(start, end, strict=True))
    shares = [step / _STEPS for step in range(_STEPS + 1)]
    points = [[(1 - t) ** 2 * start[k] + 2 * t * (1 - t) * hub[k] + t * t * end[k] for t in shares] for k in (0, 1)]
    return [*points[0], None], [*points[1], None]


def _labels(tables: Mapping[str, pl.DataFrame], language: Language) -> dict[tuple[str, str], str]:
    column = _column(language)
    names = {(kind, item): name for kind, item, name in tables["names"].select("kind", "item", column).iter_rows()}
    plants = {("plant", plant): name for plant, name in tables["plants"].select("plant", column).iter_rows()}
    return {**names, **plants}


def exchange_figure(tables: Mapping[str, pl.DataFrame], state: str, language: Language) -> Figure:
    """Return the exchanges of one state (``before`` or ``after``) as lines between plants, amounts on hover."""
    (spots, places), labels = plant_spots(tables["plants"]), _labels(tables, language)
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
            "xaxis": {"visible": False, "range": [-1.5, 1.5]},
            "yaxis": {"visible": False, "range": [-1.3, 1.3], "scaleanchor": "x"},
            "annotations": [
                {
                    "x": x,
                    "y": y,
                    "xanchor": "left" if x > _SIDE else "right" if x < -_SIDE else "center",
                    "text": labels.get(("site", site), site),
                    "showarrow": False,
                    "font": {"size": 11},
                }
                for site, (x, y) in places.items()
            ],
            "hovermode": "closest",
            "legend": {"orientation": "h", "y": -0.05},
            "height": 640,
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
        xs, ys = _bent(spots[row["from_plant"]], spots[row["to_plant"]])
        line_x += xs
        line_y += ys
        middle_x.append(xs[2 * _STEPS // 3])
        middle_y.append(ys[2 * _STEPS // 3])
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
            "line": {"color": colour, "width": 1.3},
            "opacity": 0.55,
            "name": say(f"design.kind_{kind}", language),
            "legendgroup": kind,
            "hoverinfo": "skip",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": middle_x,
            "y": middle_y,
            "marker": {"color": colour, "size": 5, "symbol": "diamond"},
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
