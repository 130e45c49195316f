"""Tags of an OpenStreetMap extract that stand packed in one attribute, as columns."""

import re

import polars as pl

_PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
WANTED = (
    "highway", "landuse", "building", "building:levels", "amenity", "shop", "leisure", "entrance", "railway",
    "public_transport", "natural", "healthcare", "social_facility", "sport", "office", "tourism", "man_made",
)  # fmt: skip
"""Tags that a layer of a plan may need."""


def read_tags(attributes: pl.DataFrame) -> pl.DataFrame:
    """Return attributes with the wanted tags of ``other_tags`` as columns of their own.

    Examples
    --------
    >>> frame = pl.DataFrame({"name": ["a", "b"], "other_tags": ['"amenity"=>"school","x"=>"1"', None]})
    >>> read_tags(frame).select("name", "amenity").rows()
    [('a', 'school'), ('b', None)]
    """
    if "other_tags" not in attributes.columns:
        return attributes
    tags = [dict(_PAIR.findall(text or "")) for text in attributes["other_tags"].to_list()]
    found = {name: [row.get(name) for row in tags] for name in WANTED}
    fresh = {
        name: pl.Series(name, values, dtype=pl.String)
        for name, values in found.items()
        if any(value is not None for value in values)
    }
    for name, series in fresh.items():
        if name in attributes.columns:
            fresh[name] = attributes[name].fill_null(series)
    return attributes.with_columns(list(fresh.values()))
