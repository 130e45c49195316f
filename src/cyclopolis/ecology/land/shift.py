"""The shift of Chinese web maps (GCJ-02, BD-09) against WGS 84, and whether a layer looks shifted.

Formulas of the public domain (the published reverse engineering of GCJ-02 by "eviltransform", constants a and ee of the
Krasovsky 1940 ellipsoid); accuracy a few metres, enough to suspect, not to survey.
"""

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Geometries = NDArray[np.object_]

_A, _EE = 6378245.0, 0.00669342162296594323
_SYSTEMS = ("GCJ-02", "BD-09")
LEAST_GAIN = 0.2
"""How much more of a layer must fall inside its boundary after moving it back before a shift is suspected (a share)."""


def _offset(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return the shift of GCJ-02 against WGS 84 in degrees."""
    x, y = lon - 105.0, lat - 35.0
    pi = np.pi
    waves = (20.0 * np.sin(6.0 * x * pi) + 20.0 * np.sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + waves
    north += (20.0 * np.sin(y * pi) + 40.0 * np.sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * pi) + 320.0 * np.sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + waves
    east += (20.0 * np.sin(x * pi) + 40.0 * np.sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * pi) + 300.0 * np.sin(x / 30.0 * pi)) * 2.0 / 3.0
    radians = np.radians(lat)
    magic = 1.0 - _EE * np.sin(radians) ** 2
    root = np.sqrt(magic)
    d_lat = north * 180.0 / ((_A * (1.0 - _EE)) / (magic * root) * pi)
    d_lon = east * 180.0 / (_A / root * np.cos(radians) * pi)
    return d_lon, d_lat


def to_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return WGS 84 degrees as GCJ-02 shows them.

    Examples
    --------
    >>> lon, lat = to_gcj02(np.array([116.3912757]), np.array([39.906217]))
    >>> lon.round(4).tolist(), lat.round(4).tolist()
    ([116.3975], [39.9076])
    """
    d_lon, d_lat = _offset(lon, lat)
    return lon + d_lon, lat + d_lat


def from_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return GCJ-02 degrees as WGS 84, by fixed-point iteration.

    Examples
    --------
    >>> there = to_gcj02(np.array([106.7]), np.array([26.6]))
    >>> [part.round(6).tolist() for part in from_gcj02(*there)]
    [[106.7], [26.6]]
    """
    x, y = lon, lat
    for _ in range(6):
        d_lon, d_lat = _offset(x, y)
        x, y = lon - d_lon, lat - d_lat
    return x, y


def from_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return BD-09 degrees as WGS 84.

    Examples
    --------
    >>> [part.round(3).tolist() for part in from_bd09(np.array([116.404]), np.array([39.915]))]
    [[116.391], [39.907]]
    """
    x, y = lon - 0.0065, lat - 0.006
    turn = np.pi * 3000.0 / 180.0
    radius = np.hypot(x, y) - 0.00002 * np.sin(y * turn)
    angle = np.arctan2(y, x) - 0.000003 * np.cos(x * turn)
    return from_gcj02(radius * np.cos(angle), radius * np.sin(angle))


def suspected(shapes: Geometries, ground: shapely.Geometry) -> str | None:
    """Return the system that a layer seems to be in, or None when it fits as it is.

    The area of the layer inside the ground is compared before and after moving it back from each system.

    Parameters
    ----------
    shapes : ndarray of Polygon
        The layer, in degrees.
    ground : Polygon
        What should hold it, in degrees.

    Returns
    -------
    "GCJ-02", "BD-09" or None
    """
    total = float(shapely.area(shapes).sum())
    if total <= 0:
        return None

    def inside(moved: Geometries) -> float:
        return float(shapely.area(shapely.intersection(moved, ground)).sum()) / total

    now = inside(shapes)
    best, system = now + LEAST_GAIN, None
    for name, back in zip(_SYSTEMS, (from_gcj02, from_bd09), strict=True):
        share = inside(shapely.transform(shapes, lambda points, back=back: np.column_stack(back(*points.T))))
        if share > best:
            best, system = share, name
    return system
