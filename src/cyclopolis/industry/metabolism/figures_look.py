"""What the pictures of the metabolism share: colours, layout, names made harmless, how uncertainty is said."""

from collections.abc import Mapping
from html import escape
from typing import Any

import polars as pl

from cyclopolis.foundation.numbers import quantity_text
from cyclopolis.foundation.text import Language, say

MAIN, GREY, ALARM = "#1f6f78", "#8a949b", "#c0392b"
"""Colours of what is known, of the ends of the place, and of what is unaccounted for."""
PALETTE = ("#1f6f78", "#d98e04", "#4a7fb5", "#7a5c9e", "#5b8c3a", "#a65a49", "#5f6b73")
"""Colours of series, in order."""
INTERVAL = 1.959963984540054
"""Standard deviations on each side of a 95 % interval of a normal distribution."""
_LONGEST = 30


def faded(colour: str, opacity: float) -> str:
    """Return a colour with an opacity.

    Examples
    --------
    >>> faded("#1f6f78", 0.3)
    'rgba(31,111,120,0.3)'
    """
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def label(name: str, longest: int | None = None) -> str:
    """Return a name as Plotly, which reads labels as HTML, shows it as it stands; cut where it is too long.

    Examples
    --------
    >>> label("<b>A & B</b>")
    '&lt;b&gt;A &amp; B&lt;/b&gt;'
    >>> label("abcdef", 4)
    'abc…'
    """
    cut = name if longest is None or len(name) <= longest else name[: longest - 1] + "…"
    return escape(cut, quote=False)


def short(name: str) -> str:
    """Return a name short enough for an axis."""
    return label(name, _LONGEST)


def names(tables: Mapping[str, pl.DataFrame], language: Language) -> Mapping[str, str]:
    """Return the plan's own names by ``kind:identifier``, as written; commodities among them."""
    column = "name_zh" if language == "zh" else "name"
    named = tables["names"].select(pl.col("kind") + ":" + pl.col("item"), column)
    goods = tables["commodities"].select("commodity:" + pl.col("commodity"), column)
    return dict([*named.iter_rows(), *goods.iter_rows()])


def spread_text(sd: float | None, unit: str, unknown: int, language: Language) -> str:
    """Return how uncertain an amount is: half its 95 % interval, and how many parts of it count as certain."""
    if sd is None:
        return say("picture.no_range", language)
    if sd == 0:
        return say("picture.certain", language)
    amount = quantity_text(INTERVAL * sd, unit, language)
    key = "picture.plus_minus_partly" if unknown else "picture.plus_minus"
    return say(key, language, amount=amount, unknown=unknown)


def layout(title: str, height: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - parts of Plotly's format
    """Return the layout that all pictures share."""
    return {
        "title": {"text": title},
        "font": {"size": 12},
        "height": height,
        "margin": {"l": 16, "r": 16, "t": 56, "b": 16},
        "plot_bgcolor": "#ffffff",
        "hoverlabel": {"align": "left"},
        **more,
    }
