"""A place of a square kilometre as map layers in metres, worked out by hand."""

import json

EAST, NORTH = 400_000.0, 3_000_000.0
"""A corner of the place in UTM zone 50 N."""
CRS = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32650"}}
PLAN = {
    "plan.toml": 'name = "Square"\nbase_year = 2024\nhorizon = [2030]\ndiscount_rate = 0.06\n',
    "sites.csv": "site,kind,parent,developable_ha\ncity,city,,\npark,park,city,\nold,park,city,30\n",
    "plants.csv": "plant,site,technology,status,capacity,activity\nmill,park,cement_opc,existing,600000,500000\n",
}


def box(x: float, y: float, wide: float, high: float) -> list[list[list[float]]]:
    """Return the ring of a rectangle."""
    corners = ((x, y), (x + wide, y), (x + wide, y + high), (x, y + high), (x, y))
    return [[[EAST + east, NORTH + north] for east, north in corners]]


def collection(*features: tuple[str, object, dict[str, object]], crs: object = CRS) -> str:
    """Return features (type, coordinates, attributes) as GeoJSON."""
    rows = [
        {"type": "Feature", "properties": values, "geometry": {"type": kind, "coordinates": points}}
        for kind, points, values in features
    ]
    whole = {"type": "FeatureCollection", "features": rows}
    return json.dumps({**whole, "crs": crs} if crs else whole)


def area(x: float, y: float, wide: float, high: float, **values: object) -> tuple[str, object, dict[str, object]]:
    """Return one rectangle with attributes."""
    return ("Polygon", box(x, y, wide, high), values)


LAYERS = {
    "layers.csv": "layer,kind,site,file,source\nred,red_line,,red.geojson,bureau\n"
    "edge,boundary,park,edge.geojson,bureau\n"
    "old_edge,boundary,old,old.geojson,bureau\nuse,landuse,,use.geojson,survey\nnext,planned_landuse,,next.geojson,plan\n"
    "plots,parcels,park,plots.geojson,bureau\nworks,projects,park,works.geojson,bureau\n",
    "red.geojson": collection(area(0, 0, 200, 1000, name="west wood"), area(100, 0, 150, 100, name="spring")),
    "edge.geojson": collection(area(0, 0, 1000, 1000)),
    "old.geojson": collection(area(2000, 0, 500, 500)),
    "use.geojson": collection(
        area(100, 500, 300, 500, landuse="industrial"),
        area(600, 0, 400, 250, landuse="residential"),
        area(400, 500, 600, 500, landuse="farmland"),
    ),
    "next.geojson": collection(
        area(100, 500, 600, 500, landuse="industrial"), area(600, 0, 400, 250, landuse="residential")
    ),
    "plots.geojson": collection(
        area(150, 300, 100, 100, name="A"), area(260, 300, 100, 100, name="B"), area(110, 10, 20, 20, name="C"),
        area(199.9999, 700, 100, 100, name="D"),
    ),
    "works.geojson": collection(
        ("LineString", [[EAST + 300, NORTH + 50], [EAST + 50, NORTH + 50]], {"name": "pipe"}),
        ("Point", [EAST + 50, NORTH + 50], {"name": "well"}),
        ("Point", [EAST + 900, NORTH + 900], {"name": "mast"}),
    ),
}  # fmt: skip
