"""The grids of the example `guiyang`: hills, karst and woods around its park, assumed throughout.

No map was read; the hills are sums of sines. Drawing again gives the same bytes.
"""

import math
from collections.abc import Callable

WEST, SOUTH, CELL, SIZE = 660_000.0, 2_932_000.0, 250.0, 40
"""South-west corner in metres of EPSG:32648, side of a cell in m, cells along each side (10 km)."""

Field = Callable[[float, float], float]


def _height(x: float, y: float) -> float:
    """Return a height, m, from 1,050 to about 1,500; x and y in km from the south-west corner."""
    hills = 130 * math.sin(1.1 * x + 0.4) * math.cos(0.9 * y) + 70 * math.sin(2.3 * x - 1.2 * y)
    return 1270 + hills + 12 * (y - 5)


def _slope(x: float, y: float) -> float:
    """Return the slope, degrees, from heights 100 m to each side."""
    step = 0.1
    east, north = (_height(x + dx, y + dy) - _height(x - dx, y - dy) for dx, dy in ((step, 0), (0, step)))
    return math.degrees(math.atan(math.hypot(east, north) / (2000 * step)))


def _wood(x: float, y: float) -> float:
    """Return the share covered by vegetation: more on slopes, less near the park at (5, 4.5)."""
    town = math.exp(-((x - 5) ** 2 + (y - 4.5) ** 2) / 4)
    return min(max(0.25 + 0.022 * _slope(x, y) + 0.15 * math.sin(0.7 * x + y) - 0.5 * town, 0.03), 0.95)


def _carbonate(x: float, y: float) -> float:
    """Return the share of bare carbonate rock: two belts from south-west to north-east."""
    return min(max(0.45 + 0.5 * math.sin(1.3 * (x - y)) - 0.3 * _wood(x, y), 0.0), 0.9)


FIELDS: dict[str, tuple[Field, int]] = {
    "rain_erosivity": (lambda x, y: 4200 + 90 * y + 25 * x, 0),
    "soil_erodibility": (lambda x, y: 0.028 + 0.012 * math.sin(0.8 * x + 0.5 * y), 3),
    "relief": (lambda x, y: 0.4 + 0.11 * _slope(x, y) ** 1.2, 2),
    "cover_factor": (lambda x, y: min(0.65 * math.exp(-4.2 * _wood(x, y)) + 0.01, 1.0), 3),
    "terrain": (lambda x, y: 12 * _slope(x, y), 0),
    "vegetation": (_wood, 2),
    "carbonate": (_carbonate, 2),
    "slope": (_slope, 1),
    "rain": (lambda x, y: 980 + 1.3 * (_height(x, y) - 1270), 0),
    "runoff": (lambda x, y: 420 - 280 * _wood(x, y), 0),
    "evapotranspiration": (lambda x, y: 520 + 130 * _wood(x, y), 0),
    "resistance": (lambda x, y: 1 + 40 * (1 - _wood(x, y)) ** 2, 1),
}
"""Field and digits of each grid by its kind."""


def guiyang_grids() -> dict[str, str]:
    """Return the grids of `guiyang` as ESRI ASCII texts by file name.

    Examples
    --------
    >>> grids = guiyang_grids()
    >>> len(grids), grids["slope.asc"].splitlines()[:2]
    (12, ['ncols 40', 'nrows 40'])
    """
    head = f"ncols {SIZE}\nnrows {SIZE}\nxllcorner {WEST:.0f}\nyllcorner {SOUTH:.0f}\ncellsize {CELL:.0f}\n"
    middles = [(at + 0.5) * CELL / 1000 for at in range(SIZE)]
    return {
        f"{kind}.asc": f"{head}NODATA_value -9999\n"
        + "".join(" ".join(f"{field(x, y):.{digits}f}" for x in middles) + "\n" for y in reversed(middles))
        for kind, (field, digits) in FIELDS.items()
    }
