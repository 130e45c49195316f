"""What the engines beside balance and design found, as the table of quantities that rating reads.

A quantity's name stands in the column ``engine`` of the library's list of inputs, which says what input it answers.
"""

from collections.abc import Callable, Mapping

import polars as pl

from cyclopolis.foundation.result import Result

SCHEMA = {
    "state": pl.String,
    "scope": pl.String,
    "quantity": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "provenance": pl.String,
    "origin": pl.String,
}
_STREETS = ("block_ha", "frontage_per_100m", "street_density", "land_use_mix", "industrial_share")
_VARIANTS = {"grey": "before", "sponge": "after"}


def found_quantities(done: Mapping[str, Result]) -> pl.DataFrame:
    """Return the quantities of all engines that have answered.

    Parameters
    ----------
    done : mapping of engine to its result

    Returns
    -------
    polars.DataFrame
        ``state`` (before, after), ``scope`` (a site; empty for the whole plan), ``quantity``, ``value``, ``unit``,
        ``provenance``, ``origin``. What is measured today stands before the design only, unless an engine has its own
        state after it (drainage: the sponge variant).

    Examples
    --------
    >>> found_quantities({}).height
    0
    """
    parts = [answer(done[name]) for name, answer in _ANSWERS.items() if name in done]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *(part.select(list(SCHEMA)) for part in parts)])


def _rows(table: pl.DataFrame, origin: str, quantity: str, value: pl.Expr, unit: str) -> pl.DataFrame:
    """Return one quantity of the state today from a table with ``scope`` and ``provenance``."""
    return table.select(
        state=pl.lit("before"),
        scope="scope",
        quantity=pl.lit(quantity),
        value=value.cast(pl.Float64),
        unit=pl.lit(unit),
        provenance="provenance",
        origin=pl.lit(origin),
    ).drop_nulls("value")


def _streets(result: Result) -> pl.DataFrame:
    rows = result.tables["measures"].filter(pl.col("measure").is_in(_STREETS) & pl.col("value").is_not_null())
    return rows.select(
        state=pl.lit("before"),
        scope="scope",
        quantity="measure",
        value="value",
        unit="unit",
        provenance="provenance",
        origin=pl.lit("streets"),
    )


def _compliance(result: Result) -> pl.DataFrame:
    waters, years = result.tables["waters"], result.tables["air_years"]
    newest = years.filter(pl.col("year") == pl.col("year").max().over("site"))
    air = newest.with_columns(scope="site", provenance=pl.lit("computed"))
    open_water = (
        waters.filter(pl.col("kind").is_in(["river", "lake"]))
        .group_by("scope", maintain_order=True)
        .agg(
            good=(pl.col("good_share") * pl.col("sections")).sum() / pl.col("sections").sum(),
            provenance=pl.col("provenance").sort().first(),
        )
    )
    sources = waters.filter(pl.col("kind") == "water_source")
    return pl.concat(
        [
            _rows(air, "compliance", "good_air_days", pl.col("good_days"), "d/a"),
            _rows(air, "compliance", "valid_air_days", pl.col("days"), "d/a"),
            _rows(open_water, "compliance", "good_water_share", pl.col("good"), "1"),
            _rows(sources, "compliance", "source_meeting_share", pl.col("meeting_share"), "1"),
        ]
    )


def _drainage(result: Result) -> pl.DataFrame:
    capture = result.tables["capture"].filter(pl.col("annual_pct").is_not_null())
    rows = capture.filter(pl.col("variant").is_in(list(_VARIANTS))).unique(
        ["variant"], keep="first", maintain_order=True
    )
    return rows.select(
        state=pl.col("variant").replace_strict(_VARIANTS, return_dtype=pl.String),
        scope=pl.lit(""),
        quantity=pl.lit("annual_capture"),
        value=pl.col("annual_pct"),
        unit=pl.lit("%"),
        provenance="provenance",
        origin=pl.lit("drainage"),
    )


_ANSWERS: Mapping[str, Callable[[Result], pl.DataFrame]] = {
    "streets": _streets,
    "compliance": _compliance,
    "drainage": _drainage,
}
