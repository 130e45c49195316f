"""The network map: plants where they stand, and what flows from one to another."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from cyclopolis.foundation.numbers import quantity_text
from cyclopolis.foundation.result import Figure
from cyclopolis.foundation.text import Language, say
from cyclopolis.industry.metabolism.figures_look import GREY, MAIN, PALETTE, label, layout, names, spread_text
from cyclopolis.network.model import Floats

LARGEST = 400
"""Most flows drawn, the heaviest first; the table holds all."""
NAMED = 60
"""Most plants whose names are written on the map; more would hide each other, and are named in the hover."""
KINDS = ("internal", "supply", "exchange", "substitution")
_COLOURS = {"internal": GREY, "supply": PALETTE[2], "exchange": PALETTE[4], "substitution": PALETTE[1]}
_WIDTHS = (1.0, 2.0, 3.5, 5.5, 8.0)
"""Widths of lines; the thinnest is for what has no mass or next to none."""
_STEPS = 17
_OPEN = 0.22
"""How far plants of one place are drawn apart, as a share of the map."""
MOVED = 300
"""Most places that are moved apart."""
_ROUNDS = 200
_ACROSS = 2.0
"""How much wider than high the room of a place is, for names are written beside plants."""


def map_figure(tables: Mapping[str, pl.DataFrame], language: Language) -> Figure:
    """Return the map of plants and of the flows between them.

    Plants of one place are drawn on a ring around it, plants of unknown place on a ring around the map; places whose
    rings would overlap are moved apart. A line bends to the right of its way; its width goes by mass.
    """
    plants = tables["network_map_plants"].join(tables["plants"].select("plant", "status", "chain"), on="plant")
    flows = tables["network_map"].sort("mass_t", "flow", descending=[True, False], nulls_last=True).head(LARGEST)
    called = names(tables, language)
    spots, centres, stretch = positions(plants)
    at = dict(zip(plants["plant"].to_list(), spots, strict=True))
    left_out = tables["network_map"].height - flows.height
    title = say("picture.network_map", language)
    if left_out:
        title += " " + say("picture.map_left_out", language, left_out=left_out)
    axis = {"visible": False, "showgrid": False, "zeroline": False}
    more = {
        "xaxis": axis,
        "yaxis": {**axis, "scaleanchor": "x", "scaleratio": stretch},
        "legend": {"orientation": "h", "y": -0.02, "yanchor": "top", "x": 0},
        "hovermode": "closest",
        "annotations": _place_names(centres, called),
    }
    lines = _arcs(flows, at, called, language)
    sides = np.where(_turned(plants, spots) >= 0, "middle right", "middle left").tolist()
    return {"data": [*lines, *_dots(plants, spots, sides, called, language)], "layout": layout(title, 760, **more)}


def positions(plants: pl.DataFrame) -> tuple[Floats, dict[str, tuple[float, float]], float]:
    """Return where to draw each plant (P, 2), each place's name, and how much a degree north outweighs one east.

    Parameters
    ----------
    plants : polars.DataFrame
        Columns ``located_by``, ``lon``, ``lat``.
    """
    lon = plants["lon"].fill_null(float("nan")).to_numpy()
    lat = plants["lat"].fill_null(float("nan")).to_numpy()
    known = np.isfinite(lon) & np.isfinite(lat)
    stretch = 1.0 / float(np.cos(np.radians(np.mean(lat[known])))) if known.any() else 1.0
    middle = np.array([np.mean(lon[known]), np.mean(lat[known])]) if known.any() else np.zeros(2)
    scale = np.array([stretch, 1.0])
    flat = (np.stack([lon, lat], axis=1) - middle) / scale
    radius = float(np.max(np.hypot(*flat[known].T), initial=0.0)) or 0.1
    places = plants["located_by"]
    found = places.drop_nulls().unique().sort()
    members = [np.flatnonzero((places == place).fill_null(value=False).to_numpy()) for place in found.to_list()]
    rings = np.array([radius * _OPEN * (0.25 + 0.055 * here.size) if here.size > 1 else 0.0 for here in members])
    homes = np.array([flat[here[0]] for here in members]).reshape(-1, 2)
    room = np.maximum(rings + 0.1 * radius, (rings + 0.3 * radius) / _ACROSS)
    homes = spread_out(homes / [_ACROSS, 1.0], room) * [_ACROSS, 1.0]
    spots = np.zeros((plants.height, 2))
    for home, ring, here in zip(homes, rings, members, strict=True):
        spots[here] = home + ring * _ring(here.size)
    lost = np.flatnonzero(~known)
    reach = float(np.max(np.hypot(*spots[known].T), initial=0.0))
    spots[lost] = (1.2 * reach or radius) * _ring(lost.size)
    centres = {
        place: (float(x * stretch + middle[0]), float(y + ring + middle[1]))
        for place, (x, y), ring in zip(found.to_list(), homes.tolist(), rings.tolist(), strict=True)
    }
    return middle + spots * scale, centres, stretch


def spread_out(homes: Floats, room: Floats) -> Floats:
    """Return places moved apart where their rooms overlap (S, 2), by as little as a few rounds of pushing need.

    More than 300 places stay where they are: no map has room for them.

    Parameters
    ----------
    homes : (S, 2) array
    room : (S,) array
        Radius that each needs for itself.

    Examples
    --------
    >>> spread_out(np.array([[0.0, 0.0], [1.0, 0.0]]), np.ones(2)).round(6).tolist()
    [[-0.5, 0.0], [1.5, 0.0]]
    """
    moved = homes.copy()
    apart = room[:, None] + room[None, :]
    for _ in range(_ROUNDS if room.size <= MOVED else 0):
        way = moved[:, None, :] - moved[None, :, :]
        far = np.hypot(way[..., 0], way[..., 1])
        overlap = np.where(np.eye(room.size, dtype=bool), 0.0, np.maximum(apart - far, 0.0))
        if not (overlap > 1e-9 * apart).any():
            break
        index = np.arange(room.size)
        same = np.stack([np.sign(index[:, None] - index[None, :]), np.zeros((room.size, room.size))], axis=2)
        unit = np.where(far[..., None] > 0, way / np.where(far > 0, far, 1.0)[..., None], same)
        moved = moved + (unit * overlap[..., None] / 2).sum(axis=1)
    return moved


def _ring(count: int) -> Floats:
    """Return points evenly on a circle of radius 1, from the top clockwise (count, 2)."""
    angle = np.pi / 2 - 2 * np.pi * np.arange(count) / max(count, 1)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _place_names(centres: Mapping[str, tuple[float, float]], called: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "x": x,
            "y": y,
            "text": label(called.get(f"site:{place}", place), 24),
            "showarrow": False,
            "yshift": 14,
            "font": {"size": 11, "color": "#4f5d64"},
        }
        for place, (x, y) in sorted(centres.items())
    ]


def _arcs(
    flows: pl.DataFrame, at: Mapping[str, Floats], called: Mapping[str, str], language: Language
) -> list[dict[str, Any]]:
    """Return lines by kind and width, and in the middle of each a point that says what flows."""
    rows = flows.with_columns(
        width=_width(flows["mass_t"]), nth=pl.int_range(pl.len()).over("from_plant", "to_plant")
    ).rows(named=True)
    found = []
    for kind in KINDS:
        mine = [row for row in rows if row["kind"] == kind]
        curves = [_curve(at[row["from_plant"]], at[row["to_plant"]], row["nth"]) for row in mine]
        name = say(f"picture.flow_{kind}", language)
        shared = {"type": "scatter", "legendgroup": kind}
        for step in sorted({row["width"] for row in mine}):
            line = {"color": _COLOURS[kind], "width": _WIDTHS[step], "dash": "dot" if step == 0 else "solid"}
            some = [curve for curve, row in zip(curves, mine, strict=True) if row["width"] == step]
            found.append(
                {
                    **shared,
                    "mode": "lines",
                    "x": [value for curve in some for value in (*curve[:, 0].tolist(), None)],
                    "y": [value for curve in some for value in (*curve[:, 1].tolist(), None)],
                    "line": line,
                    "opacity": 0.55,
                    "hoverinfo": "skip",
                    "showlegend": False,
                }
            )
        if mine:
            tops = [curve[_STEPS // 2] for curve in curves]
            angle = [_angle(curve) for curve in curves]
            found.append(
                {
                    **shared,
                    "mode": "markers",
                    "name": name,
                    "x": [float(top[0]) for top in tops],
                    "y": [float(top[1]) for top in tops],
                    "marker": {"symbol": "triangle-up", "size": 9, "angle": angle, "color": _COLOURS[kind]},
                    "customdata": [_said(row, called, language) for row in mine],
                    "hovertemplate": "%{customdata[0]} → %{customdata[1]}<br>%{customdata[2]}<br>%{customdata[3]}<br>"
                    "%{customdata[4]}<extra></extra>",
                }
            )
    return found


def _width(mass: pl.Series) -> pl.Series:
    """Return the step of width of each flow, by mass against the heaviest."""
    known = mass.fill_null(0.0).to_numpy()
    share = known / max(float(np.max(known, initial=0.0)), 1e-300)
    return pl.Series(np.searchsorted([1e-6, 0.02, 0.1, 0.35], share, side="right"))


def _curve(start: Floats, stop: Floats, nth: int) -> Floats:
    """Return a bent line (steps, 2); the more flows go the same way, the more it bends."""
    way = stop - start
    side = np.array([way[1], -way[0]]) * (0.16 + 0.1 * nth)
    part = np.linspace(0.0, 1.0, _STEPS)[:, None]
    top = (start + stop) / 2 + side
    return np.asarray((1 - part) ** 2 * start + 2 * part * (1 - part) * top + part**2 * stop)


def _angle(curve: Floats) -> float:
    """Return where a line points in its middle, degrees clockwise from north."""
    across, up = curve[_STEPS // 2 + 1] - curve[_STEPS // 2 - 1]
    return float(np.degrees(np.arctan2(across, up)))


def _said(row: Mapping[str, Any], called: Mapping[str, str], language: Language) -> list[str]:
    """Return giver, taker, what flows, how much, and how uncertain."""

    def name(kind: str, item: str) -> str:
        return label(called.get(f"{kind}:{item}", item))

    good = name("commodity", row["commodity"])
    if row["as_commodity"] is not None:
        good = say("picture.in_place_of", language, good=good, displaced=name("commodity", row["as_commodity"]))
    return [
        name("plant", row["from_plant"]),
        name("plant", row["to_plant"]),
        good,
        quantity_text(row["amount"], f"{row['unit']}/a", language),
        spread_text(row["sd"], f"{row['unit']}/a", 0, language),
    ]


def _turned(plants: pl.DataFrame, spots: Floats) -> Floats:
    """Return how far each plant stands to the right of the middle of its place (P,)."""
    middle = plants.with_columns(x=pl.Series(spots[:, 0])).select(pl.col("x") - pl.col("x").mean().over("located_by"))
    return np.asarray(middle.to_series().to_numpy() + 1e-9)


def _dots(
    plants: pl.DataFrame, spots: Floats, sides: list[str], called: Mapping[str, str], language: Language
) -> list[dict[str, Any]]:
    """Return the plants: standing ones full, others hollow, those of unknown place as squares."""
    found = []
    alone = plants.with_columns(alone=(pl.len().over("located_by") == 1) & pl.col("located_by").is_not_null())
    standing = (plants["status"] == "existing").to_list()
    placed = plants["lon"].is_not_null().to_list()
    for sort, wanted, symbol in (
        ("standing", (True, True), "circle"),
        ("possible", (False, True), "circle-open"),
        ("lost", (True, False), "square"),
        ("lost_possible", (False, False), "square-open"),
    ):
        use = [index for index, pair in enumerate(zip(standing, placed, strict=True)) if pair == wanted]
        if not use:
            continue
        rows = alone[use].rows(named=True)
        found.append(
            {
                "type": "scatter",
                "mode": "markers+text" if plants.height <= NAMED else "markers",
                "text": [
                    "" if row["alone"] else label(called.get(f"plant:{row['plant']}", row["plant"]), 18) for row in rows
                ],
                "textposition": [sides[index] for index in use],
                "textfont": {"size": 9, "color": "#4f5d64"},
                "cliponaxis": False,
                "name": say(f"picture.plant_{sort}", language),
                "x": spots[use, 0].tolist(),
                "y": spots[use, 1].tolist(),
                "marker": {"symbol": symbol, "size": 9, "color": MAIN, "line": {"color": MAIN, "width": 1.5}},
                "customdata": [
                    [
                        label(called.get(f"plant:{row['plant']}", row["plant"])),
                        label(called.get(f"site:{row['site']}", row["site"])),
                    ]
                    for row in rows
                ],
                "hovertemplate": "%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
            }
        )
    return found
