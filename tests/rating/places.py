"""Small plans made in memory for the rating's tests."""

from pathlib import Path
from types import MappingProxyType

import polars as pl

from cyclopolis.foundation.columns import empty_table, read_columns
from cyclopolis.plan.model import Plan, PlanMeta

COLUMNS = read_columns("cyclopolis.plan.schema")


def place(folder=Path("nowhere"), **rows):
    """Return a plan that holds the given rows by table; the library is not needed for a rating."""
    tables = {name: empty_table(columns) for name, columns in COLUMNS.items()}
    for name, content in rows.items():
        schema = {column.name: column.dtype for column in COLUMNS[name]}
        tables[name] = pl.DataFrame(content, schema=schema, orient="row")
    meta = PlanMeta("Place", "某地", "", 2024, (2030,), "CNY", 0.06, "en")
    return Plan(meta, MappingProxyType(tables), None, {"sites.csv": "00"}, (), (), folder)


def value(name, number, unit, year=2024, site="park", source="statistics"):
    return {"site": site, "name": name, "year": year, "value": number, "unit": unit, "source": source}


def quantities(before, after=None, scope="", provenance="computed"):
    rows = [
        {"state": state, "scope": scope, "quantity": name, "value": number, "provenance": provenance}
        for state, found in (("before", before), ("after", after or {}))
        for name, number in found.items()
    ]
    return pl.DataFrame(
        rows,
        schema={
            "state": pl.String,
            "scope": pl.String,
            "quantity": pl.String,
            "value": pl.Float64,
            "provenance": pl.String,
        },
    )


PARK = {"site": "park", "kind": "park", "area_km2": 10.0, "population": 2000.0}
