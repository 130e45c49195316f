"""Measured air as rows of the result: individual indices, days, years and annual means."""

import numpy as np
import polars as pl

from cyclopolis.ecology.compliance.air import GOOD, grade, individual_index, overall
from cyclopolis.plan import Plan

POLLUTANTS = ("SO2", "NO2", "CO", "O3", "PM10", "PM2.5")
_DAILY = pl.when(pl.col("pollutant") == "O3").then(pl.lit("8h")).otherwise(pl.lit("24h"))
_TO_UG = {"mg/m3": 1000.0, "ug/m3": 1.0}


def measured(plan: Plan) -> pl.DataFrame:
    """Return daily values (24 h means; the day's greatest 8 h mean of ozone) with the edition that holds that day."""
    rows = plan.tables["air_quality"].with_columns(averaging=pl.coalesce("averaging", _DAILY))
    rows = rows.filter((pl.col("averaging") == _DAILY) & (pl.col("date").str.len_chars() == len("2024-01-01")))
    editions = plan.library.air_index.select("edition", "valid_from", "valid_to").unique(maintain_order=True)
    found = rows.join(editions, how="cross").filter(
        (pl.col("date") >= pl.col("valid_from")) & (pl.col("date") <= pl.col("valid_to").fill_null("9999"))
    )
    return found.sort("site", "date", "pollutant")


def index_rows(plan: Plan, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the individual index of every daily value."""
    table = plan.library.air_index
    index = np.full(rows.height, np.nan)
    keys = rows.select("edition", "pollutant", "averaging")
    for edition, pollutant, averaging in keys.unique().sort("edition", "pollutant").iter_rows():
        own = table.filter(edition=edition, pollutant=pollutant, averaging=averaging).sort("concentration")
        if own.is_empty():
            continue
        at = (keys["edition"] == edition).to_numpy() & (keys["pollutant"] == pollutant).to_numpy()
        scale = _TO_UG[own["unit"][0]]
        points = own["concentration"].to_numpy() * scale
        index[at] = individual_index(rows["value"].to_numpy()[at], points, own["iaqi"].to_numpy().astype(np.float64))
    return rows.select(
        "site", "date", "pollutant", "value", unit=pl.lit("ug/m3"), index=pl.Series("index", index), edition="edition"
    ).filter(pl.col("index").is_not_nan())


def day_rows(indices: pl.DataFrame) -> pl.DataFrame:
    """Return one row per place and day: index, grade, primary pollutants, whether it is good."""
    days = indices.select("site", "date", "edition").unique(maintain_order=True).sort("site", "date")
    wide = np.full((days.height, len(POLLUTANTS)), np.nan)
    at = days.with_row_index("day").join(indices, on=["site", "date", "edition"], maintain_order="left")
    column = np.array([POLLUTANTS.index(name) for name in at["pollutant"]], dtype=np.int64)
    wide[at["day"].to_numpy(), column] = at["index"].to_numpy()
    index, _ = overall(wide)
    leading = [
        "; ".join(name for name, value in zip(POLLUTANTS, row, strict=True) if value == top) if top > 50 else None
        for row, top in zip(wide.tolist(), index.tolist(), strict=True)
    ]
    return days.with_columns(
        pl.Series("index", index, dtype=pl.Float64),
        pl.Series("grade", grade(index), dtype=pl.Int64),
        pl.Series("leading", leading, dtype=pl.String),
        pl.Series("good", index <= GOOD, dtype=pl.Boolean),
        pl.Series("pollutants", (~np.isnan(wide)).sum(axis=1), dtype=pl.Int64),
    )


def year_rows(days: pl.DataFrame) -> pl.DataFrame:
    """Return the good days of each place and year."""
    return (
        days.with_columns(year=pl.col("date").str.slice(0, 4).cast(pl.Int64))
        .group_by("site", "year", maintain_order=True)
        .agg(
            days=pl.len().cast(pl.Int64),
            good_days=pl.col("good").sum().cast(pl.Int64),
            good_share=pl.col("good").mean(),
            complete_days=(pl.col("pollutants") == len(POLLUTANTS)).sum().cast(pl.Int64),
        )
    )


def mean_rows(plan: Plan, rows: pl.DataFrame) -> pl.DataFrame:
    """Return annual means beside the limit of class 2 of the edition that holds at the year's end."""
    means = (
        rows.with_columns(year=pl.col("date").str.slice(0, 4).cast(pl.Int64))
        .group_by("site", "year", "pollutant", maintain_order=True)
        .agg(mean=pl.col("value").mean())
    )
    limits = plan.library.air_limits.filter(pl.col("averaging") == "annual").with_columns(
        limit=pl.col("class_2") * pl.col("unit").replace_strict(_TO_UG, default=1.0)
    )
    day = pl.col("year").cast(pl.String) + "-12-31"
    within = (day >= pl.col("valid_from")) & (day <= pl.col("valid_to").fill_null("9999"))
    limits = limits.select("pollutant", "limit", "edition", "valid_from", "valid_to", "provenance")
    found = means.join(limits, on="pollutant", how="left").filter(pl.col("limit").is_null() | within)
    found = found.sort("site", "year", "pollutant")
    return found.select(
        "site", "year", "pollutant", "mean", unit=pl.lit("ug/m3"), limit="limit", met=pl.col("mean") <= pl.col("limit"),
        edition="edition", limit_provenance="provenance",
    )  # fmt: skip
