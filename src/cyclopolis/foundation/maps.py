"""Maps as plain Plotly data, without any tile from a server: outlines in kilometres, a scale bar and a north arrow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_KM_PER_DEGREE = 111.32
_STEPS = (1.0, 2.0, 5.0)


@dataclass(frozen=True)
class View:
    """The part of the world on a map: its middle in degrees and its size in km."""

    lon: float
    lat: float
    width: float
    height: float

    def place(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Return kilometres east and north of the middle (equirectangular, true at the middle's latitude).

        Examples
        --------
        >>> view = View(106.0, 60.0, 1.0, 1.0)
        >>> [part.round(2).tolist() for part in view.place(np.array([107.0]), np.array([61.0]))]
        [[55.66], [111.32]]
        """
        east = (np.asarray(lon) - self.lon) * np.cos(np.radians(self.lat)) * _KM_PER_DEGREE
        return east, (np.asarray(lat) - self.lat) * _KM_PER_DEGREE

    def shows(self, outline: str) -> bool:
        """Return whether any part of an outline (WKT in degrees) lies on the map.

        Examples
        --------
        >>> view = View(106.0, 60.0, 1.0, 1.0)
        >>> view.shows("LINESTRING (105.9 60, 106.1 60)"), view.shows("POINT (106.1 60)")
        (True, False)
        """
        shape = shapely.from_wkt(outline)
        north, east = np.array([0.5, 0.5]) * (self.height, self.width) / _KM_PER_DEGREE
        east /= np.cos(np.radians(self.lat))
        return bool(shape.intersects(shapely.box(self.lon - east, self.lat - north, self.lon + east, self.lat + north)))


def view_of(outlines: Sequence[str], lon: Sequence[float] = (), lat: Sequence[float] = ()) -> View:
    """Return the view that shows all outlines (WKT in degrees) and points."""
    shapes = shapely.from_wkt(list(outlines)) if len(outlines) else np.array([], dtype=object)
    points = shapely.points(np.column_stack((np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))))
    west, south, east, north = shapely.total_bounds(np.concatenate((shapes, np.asarray(points, dtype=object))))
    middle = View((west + east) / 2, (south + north) / 2, 1.0, 1.0)
    x, y = middle.place(np.array([west, east]), np.array([south, north]))
    return View(middle.lon, middle.lat, max(float(np.ptp(x)), 1e-3), max(float(np.ptp(y)), 1e-3))


def outline_points(view: View, outlines: Iterable[str]) -> tuple[list[float | None], list[float | None]]:
    """Return the points of many outlines (WKT in degrees) as one line with gaps."""
    x: list[float | None] = []
    y: list[float | None] = []
    for shape in shapely.from_wkt(list(outlines)):
        parts = shapely.get_parts(shape)
        rings = shapely.get_rings(parts) if shapely.get_dimensions(shape) == 2 else parts
        for ring in rings:
            points = shapely.get_coordinates(ring)
            east, north = view.place(points[:, 0], points[:, 1])
            x += [*np.round(east, 4).tolist(), None]
            y += [*np.round(north, 4).tolist(), None]
    return x, y


def area_trace(view: View, outlines: Iterable[str], name: str, colour: str, hover: str | None = None) -> dict[str, Any]:
    """Return one filled trace of many areas."""
    x, y = outline_points(view, outlines)
    trace = {"type": "scatter", "mode": "lines", "fill": "toself", "x": x, "y": y, "name": name,
             "fillcolor": colour, "line": {"color": "#ffffff", "width": 0.6}, "opacity": 0.85}  # fmt: skip
    trace |= {"hoverinfo": "text", "text": hover} if hover else {"hoverinfo": "name"}
    return trace


def line_trace(view: View, outlines: Iterable[str], name: str, colour: str, width: float = 1.0) -> dict[str, Any]:
    """Return one trace of many lines or outlines."""
    x, y = outline_points(view, outlines)
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "name": name, "hoverinfo": "name",
            "line": {"color": colour, "width": width}}  # fmt: skip


def point_trace(
    view: View, lon: Sequence[float], lat: Sequence[float], name: str, hover: Sequence[str], marker: dict[str, Any]
) -> dict[str, Any]:
    """Return one trace of points with a text each."""
    x, y = view.place(np.asarray(lon, dtype=float), np.asarray(lat, dtype=float))
    return {"type": "scatter", "mode": "markers", "x": np.round(x, 4).tolist(), "y": np.round(y, 4).tolist(),
            "name": name, "text": list(hover), "hoverinfo": "text", "marker": marker}  # fmt: skip


def scale_km(width: float) -> float:
    """Return a round length of about a quarter of a map's width, km.

    Examples
    --------
    >>> scale_km(9.0), scale_km(0.5)
    (2.0, 0.1)
    """
    wish = max(width, 1e-6) / 4.0
    power = 10.0 ** np.floor(np.log10(wish))
    return float(max(step * power for step in _STEPS if step * power <= wish * (1 + 1e-9)))


def map_layout(view: View, title: str, north: str) -> dict[str, Any]:
    """Return the layout of a map: equal axes without numbers, a scale bar below and a north arrow above.

    Parameters
    ----------
    view : View
    title, north : str
        Texts in the reader's language.
    """
    bar = scale_km(view.width)
    left, low = -view.width / 2, -view.height / 2 - 0.09 * max(view.height, view.width)
    label = f"{bar:g} km" if bar >= 1 else f"{1000 * bar:g} m"
    hidden = {"visible": False, "showgrid": False, "zeroline": False}
    margin = 0.06 * max(view.width, view.height)
    return {
        "title": {"text": title},
        "xaxis": {**hidden, "range": [left - margin, view.width / 2 + margin]},
        "yaxis": {**hidden, "scaleanchor": "x", "range": [low - margin, view.height / 2 + margin]},
        "shapes": [
            {"type": "line", "x0": left, "x1": left + bar, "y0": low, "y1": low, "line": {"color": "#333", "width": 3}}
        ],
        "annotations": [
            {"x": left + bar / 2, "y": low, "text": label, "showarrow": False, "yshift": 11, "font": {"size": 11}},
            {"x": 0.985, "y": 0.985, "xref": "paper", "yref": "paper", "ax": 0, "ay": 34, "text": north,
             "showarrow": True, "arrowhead": 2, "arrowwidth": 2, "font": {"size": 12}},
        ],
        "legend": {"orientation": "h"},
        "plot_bgcolor": "#f4f5f2",
        "height": 640,
    }  # fmt: skip
