"""A small town as map layers: a grid of streets of 350 m, land, doors, services and people, all worked out by hand."""

import json

PLAN = {
    "plan.toml": 'name = "Grid"\nbase_year = 2024\nhorizon = [2030]\ndiscount_rate = 0.06\n',
    "sites.csv": "site,kind\ntown,city\n",
    "plants.csv": "plant,site,technology,status,capacity,activity\nmill,town,cement_opc,existing,600000,500000\n",
    "enterprises.csv": "enterprise,site,output_value\nworks,town,245\n",
}
CRS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32650"}}
EAST, NORTH = 400_000.0, 3_000_000.0
"""A corner of the town in UTM zone 50 N."""


def place(point):
    return [EAST + point[0], NORTH + point[1], *point[2:]]


def collection(features: list[tuple[str, object, dict[str, object]]], crs: object = CRS) -> str:
    def moved(kind: str, points):
        if kind == "Point":
            return place(points)
        return [[place(p) for p in ring] for ring in points] if kind == "Polygon" else [place(p) for p in points]

    rows = [
        {"type": "Feature", "properties": values, "geometry": {"type": kind, "coordinates": moved(kind, points)}}
        for kind, points, values in features
    ]
    whole = {"type": "FeatureCollection", "features": rows}
    return json.dumps({**whole, "crs": crs} if crs else whole)


def square(x: float, y: float, side: float) -> list[list[tuple[float, float]]]:
    return [[(x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)]]


def grid(cells: int, side: float) -> list[tuple[str, object, dict[str, object]]]:
    ticks = [at * side for at in range(cells + 1)]
    end = cells * side
    lines = [[(t, 0.0), (t, end)] for t in ticks] + [[(0.0, t), (end, t)] for t in ticks]
    return [("LineString", line, {"highway": "residential"}) for line in lines]


TOWN = {
    "streets.geojson": collection(grid(2, 350.0)),
    "land.geojson": collection(
        [
            ("Polygon", square(0, 0, 350), {"landuse": "industrial"}),
            ("Polygon", square(350, 0, 350), {"landuse": "residential"}),
            ("Polygon", square(0, 350, 350), {"landuse": "residential"}),
            ("Polygon", square(350, 350, 350), {"landuse": "nobody knows"}),
        ]
    ),
    "pois.geojson": collection(
        [
            ("Point", (0.0, 0.0), {"amenity": "kindergarten", "shop": None}),
            ("Point", (100.0, 5.0), {"amenity": None, "shop": "bakery"}),
            ("Point", (200.0, -5.0), {"amenity": None, "shop": "convenience"}),
        ]
    ),
    "people.geojson": collection(
        [
            ("Point", (0.0, 0.0), {"people": 30}),
            ("Point", (350.0, 0.0), {"people": 20}),
            ("Point", (700.0, 700.0), {"people": 50}),
        ]
    ),
    "layers.csv": "layer,kind,file,source\nstreets,streets,streets.geojson,survey\nland,landuse,land.geojson,survey\n"
    "pois,services,pois.geojson,survey\npeople,people,people.geojson,census\n",
}
