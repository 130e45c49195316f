"""What the pictures of exchanges share: colours, axes, names made harmless."""

from html import escape
from typing import Any

HOT, COLD, MAIN, GREY = "#c0392b", "#2e6da4", "#1f6f78", "#8a949b"
PALETTE = ("#1f6f78", "#d98e04", "#4a7fb5", "#7a5c9e", "#5b8c3a", "#a65a49", "#5f6b73")


def label(name: str) -> str:
    """Return a name as Plotly, which reads labels as HTML, shows it as it stands.

    Examples
    --------
    >>> label("<b>A & B</b>")
    '&lt;b&gt;A &amp; B&lt;/b&gt;'
    """
    return escape(name, quote=False)


def axes(title: str, x: str, y: str, height: int = 420) -> dict[str, Any]:
    """Return the layout of a picture with two axes."""
    return {
        "title": {"text": title},
        "height": height,
        "font": {"size": 12},
        "margin": {"l": 60, "r": 16, "t": 56, "b": 48},
        "plot_bgcolor": "#ffffff",
        "xaxis": {"title": {"text": x}, "zeroline": False, "gridcolor": "#e3e7ea"},
        "yaxis": {"title": {"text": y}, "zeroline": False, "gridcolor": "#e3e7ea"},
    }


def curve(name: str, x: list[float], y: list[float], colour: str) -> dict[str, Any]:
    """Return one line with its points."""
    return {"type": "scatter", "mode": "lines+markers", "name": name, "x": x, "y": y, "line": {"color": colour}}


def sankey(nodes: list[str], links: list[tuple[int, int, float, str]], title: str, unit: str) -> dict[str, Any]:
    """Return a Sankey diagram of links (from, to, amount, text)."""
    return {
        "data": [
            {
                "type": "sankey",
                "valuesuffix": f" {unit}",
                "node": {
                    "label": [label(name) for name in nodes],
                    "color": [PALETTE[at % len(PALETTE)] for at in range(len(nodes))],
                    "pad": 14,
                },
                "link": {
                    "source": [one[0] for one in links],
                    "target": [one[1] for one in links],
                    "value": [one[2] for one in links],
                    "label": [label(one[3]) for one in links],
                },
            }
        ],
        "layout": {"title": {"text": title}, "height": 140 + 26 * len(nodes), "font": {"size": 12}},
    }
