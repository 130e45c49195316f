"""Drafts as map layers for other programs: GeoJSON in degrees (RFC 7946), each feature with what it is."""

import json

import polars as pl
import shapely

from cyclopolis.foundation.text import LANGUAGES, say


def geojson(table: pl.DataFrame) -> str:
    """Return rows of drafts as a GeoJSON text, one feature a line; each says that it is no legal delineation.

    Parameters
    ----------
    table : polars.DataFrame
        With ``outline`` (WKT in degrees); the other columns become properties.

    Examples
    --------
    >>> table = pl.DataFrame({"area": [1], "outline": ["POLYGON ((0 0, 0 1, 1 1, 0 0))"]})
    >>> feature = json.loads(geojson(table))["features"][0]
    >>> feature["properties"]["area"], feature["properties"]["status"]
    (1, 'Draft computed from the layers given; no legal delineation.')
    >>> feature["geometry"]["coordinates"]  # outer rings run against the clock
    [[[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]]
    """
    shapes = shapely.orient_polygons(shapely.from_wkt(table["outline"].to_list()))
    status = {"status" if language == "en" else f"status_{language}": say("land.no_legal", language)
              for language in LANGUAGES}  # fmt: skip
    rows = [
        json.dumps({"type": "Feature", "properties": {**row, **status}, "geometry": json.loads(shape)},
                   ensure_ascii=False, separators=(",", ":"))
        for row, shape in zip(table.drop("outline").to_dicts(), shapely.to_geojson(shapes), strict=True)
    ]  # fmt: skip
    joined = ",\n".join(rows)
    return f'{{"type":"FeatureCollection","features":[\n{joined}\n]}}\n'
