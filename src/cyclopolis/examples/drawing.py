"""The map layers of the examples `liuyang` and `guiyang`, drawn from the few sizes that are known.

Known of Liuyang are 18 km2, blocks of 350 x 350 m (12 ha on average), smaller ones of 178 x 178 m (3 ha) and larger
ones of 35 ha. Where they lie, what stands on them and how many live there is assumed. Of Guiyang's park it is known
only that it stands; its layers are assumed throughout. Drawing again gives the same bytes.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Feature = dict[str, Any]
SIDES = (178.0, 350.0, 592.0)
"""Sides of blocks, m: 3.2, 12.25 and 35.0 ha."""
_SERVICES = (
    "primary school", "kindergarten", "health_station", "shop", "bus_stop", "sports_ground_small", "public_toilet",
    "community_service_station",
)  # fmt: skip


def _rounded(points: Iterable[tuple[float, float]], corner: tuple[float, float]) -> list[list[float]]:
    return [[round(corner[0] + x, 1), round(corner[1] + y, 1)] for x, y in points]


def _rectangle(x: float, y: float, wide: float, high: float) -> list[tuple[float, float]]:
    return [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high), (x, y)]


class Sheet:
    """Collects features of one place, in metres east and north of its corner."""

    def __init__(self, corner: tuple[float, float], zone: int) -> None:
        self.corner = corner
        self.crs = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{32600 + zone}"}}
        self.layers: dict[str, list[Feature]] = {}

    def _add(self, layer: str, kind: str, coordinates: object, values: Mapping[str, object]) -> None:
        geometry = {"type": kind, "coordinates": coordinates}
        self.layers.setdefault(layer, []).append({"type": "Feature", "properties": dict(values), "geometry": geometry})

    def area(self, layer: str, ring: Iterable[tuple[float, float]], **values: object) -> None:
        """Add a polygon by its closed ring."""
        self._add(layer, "Polygon", [_rounded(ring, self.corner)], values)

    def line(self, layer: str, points: Iterable[tuple[float, float]], **values: object) -> None:
        """Add a line."""
        self._add(layer, "LineString", _rounded(points, self.corner), values)

    def point(self, layer: str, x: float, y: float, **values: object) -> None:
        """Add a point."""
        self._add(layer, "Point", _rounded([(x, y)], self.corner)[0], values)

    def grid(
        self, west: float, columns: int, rows: int, side: float, use: Callable[[int, int], tuple[str, str]]
    ) -> list[tuple[float, float, str]]:
        """Add streets and blocks of one size and return where blocks for living stand (x, y, use)."""
        east, north = west + columns * side, rows * side
        for at in range(columns + 1):
            kind = "secondary" if at in (0, columns) else "residential"
            self.line("streets", [(west + at * side, 0.0), (west + at * side, north)], highway=kind)
        for at in range(rows + 1):
            self.line("streets", [(west, at * side), (east, at * side)], highway="residential")
        living = []
        for row in range(rows):
            for column in range(columns):
                now, planned = use(column, row)
                ring = _rectangle(west + column * side, row * side, side, side)
                self.area("landuse", ring, landuse=now)
                self.area("planned", ring, landuse=planned)
                if now == "residential":
                    living.append((west + (column + 0.5) * side, (row + 0.5) * side, now))
        return living

    def people(self, homes: list[tuple[float, float, str]], total: int) -> None:
        """Spread a number of residents over homes in whole people."""
        for at, (x, y, _) in enumerate(homes):
            self.point("people", x, y, people=total * (at + 1) // len(homes) - total * at // len(homes))

    def services(self, homes: list[tuple[float, float, str]], every: int) -> None:
        """Put one service after another beside every so many homes."""
        for at, (x, y, _) in enumerate(homes[::every]):
            self.point("services", x + 60.0, y + 20.0, service=_SERVICES[at % len(_SERVICES)])

    def files(self) -> dict[str, str]:
        """Return the GeoJSON text of each layer, one feature a line."""
        found = {}
        for layer, features in self.layers.items():
            rows = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in features)
            head = json.dumps({"type": "FeatureCollection", "crs": self.crs}, separators=(",", ":"))
            found[f"{layer}.geojson"] = f'{head[:-1]},"features":[\n{rows}\n]}}\n'
        return found


def liuyang() -> dict[str, str]:
    """Return the layers of `liuyang` by file name.

    Examples
    --------
    >>> sorted(liuyang())[:3]
    ['boundary.geojson', 'entrances.geojson', 'green.geojson']
    """
    sheet = Sheet((738_000.0, 3_126_000.0), 49)
    small, middle, large = SIDES

    def old_town(_: int, row: int) -> tuple[str, str]:
        use = "commercial" if row % 7 == 3 else "residential"
        return use, use

    def heart(column: int, row: int) -> tuple[str, str]:
        if column < 2:
            return ("residential", "residential") if (row + column) % 4 else ("public", "public")
        if column == 6 and row > 6:
            return "vacant", "residential" if row == 9 else "industrial"
        return ("commercial", "commercial") if (column, row) in {(2, 4), (2, 5)} else ("industrial", "industrial")

    def large_works(column: int, row: int) -> tuple[str, str]:
        return ("vacant", "industrial") if row == 4 and column > 0 else ("industrial", "industrial")

    west = 2 * small
    homes = sheet.grid(0.0, 2, 20, small, old_town)
    homes += sheet.grid(west, 7, 10, middle, heart)
    east = west + 7 * middle
    sheet.grid(east, 3, 5, large, large_works)
    edge = east + 3 * large
    sheet.area("boundary", _rectangle(0.0, 0.0, 5000.0, 3600.0), name="Liuyang ETDZ")
    coast = [(5000.0 - 40.0 * (at % 3) - (5000.0 - edge - 90.0), 150.0 * at) for at in range(24, -1, -1)]
    hill = [(5000.0, 0.0), (5000.0, 3600.0), *coast, (5000.0, 0.0)]
    sheet.area("red_line", hill, name="east hill")
    sheet.area("green", _rectangle(east + 40.0, 3010.0, 1500.0, 420.0), name="north park")
    sheet.area("projects", _rectangle(east + 700.0, 2400.0, 450.0, 450.0), name="pharmaceutical works, stage 2")
    sheet.area("projects", _rectangle(edge - 250.0, 2400.0, 200.0, 300.0), name="glass works, stage 2")
    plaza = west + 2 * middle
    for at in range(40):
        for side in (-8.0, 8.0):
            sheet.point("entrances", plaza + side, 4 * middle + 38.0 + 16.0 * at, name="Zixing Business Plaza")
    sheet.people(homes, 150_000)
    sheet.services(homes, 3)
    return sheet.files()


def guiyang() -> dict[str, str]:
    """Return the layers of `guiyang` by file name: one park of 12 blocks beside a reservoir.

    Examples
    --------
    >>> "red_line.geojson" in guiyang()
    True
    """
    sheet = Sheet((664_000.0, 2_936_000.0), 48)

    def use(column: int, row: int) -> tuple[str, str]:
        if column == 0:
            return "residential", "residential"
        return ("vacant", "industrial") if (column, row) in {(3, 1), (3, 2)} else ("industrial", "industrial")

    homes = sheet.grid(0.0, 4, 3, 300.0, use)
    sheet.area("boundary", _rectangle(0.0, 0.0, 1500.0, 1000.0), name="chemical park")
    bank = [(1320.0, 0.0), (1500.0, 0.0), (1500.0, 1000.0), (1260.0, 1000.0), (1290.0, 500.0), (1320.0, 0.0)]
    sheet.area("red_line", bank, name="reservoir bank")
    sheet.area("green", _rectangle(100.0, 910.0, 500.0, 80.0), name="pocket park")
    sheet.area("projects", _rectangle(920.0, 320.0, 260.0, 260.0), name="waste-to-energy plant")
    sheet.people(homes, 4_000)
    sheet.services(homes, 1)
    return sheet.files()
