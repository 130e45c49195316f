"""What is known of storms and sponge measures beforehand: formulas, design depths, measures, soils, each sourced."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import as_file, files

import polars as pl

from cyclopolis.foundation.columns import Column, read_columns

_PACKAGE = "cyclopolis.library.storm"


@dataclass(frozen=True, eq=False)
class StormLibrary:
    """Storm data; columns, units and meanings are in ``columns.csv`` beside this file, every row has its provenance.

    Parameters
    ----------
    formulas : polars.DataFrame
        Storm intensity formulas of cities.
    capture_depths : polars.DataFrame
        Design rainfall depth of cities by the share of the yearly runoff that is to be kept.
    measures : polars.DataFrame
        Sponge measures: what they take the place of, cost, removal of suspended solids.
    measure_layers : polars.DataFrame
        Their layers' parameters as SWMM's sponge (LID) module asks for them, in SI units.
    soils : polars.DataFrame
        Green and Ampt's parameters of soil textures.
    pipe_prices : polars.DataFrame
        Prices of laid pipes by diameter.

    Examples
    --------
    >>> load_storm_library().formulas.filter(formula="changsha")["n"].item()
    0.86
    """

    formulas: pl.DataFrame
    capture_depths: pl.DataFrame
    measures: pl.DataFrame
    measure_layers: pl.DataFrame
    soils: pl.DataFrame
    pipe_prices: pl.DataFrame

    @classmethod
    def columns(cls) -> Mapping[str, tuple[Column, ...]]:
        """Return the documented columns of each table."""
        return read_columns(_PACKAGE)


@cache
def load_storm_library() -> StormLibrary:
    """Read the tables from the package's data; read once, then kept."""
    return StormLibrary(**{entry.name: _read(entry.name) for entry in fields(StormLibrary)})


def _read(name: str) -> pl.DataFrame:
    columns = StormLibrary.columns()[name]
    stored = {column.name: pl.String() if column.type == "flag" else column.dtype for column in columns}
    with as_file(files(_PACKAGE) / "data" / f"{name}.csv") as path:
        table = pl.read_csv(path, schema=stored)
    return table.with_columns(pl.col(column.name) == "yes" for column in columns if column.type == "flag")
