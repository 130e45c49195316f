"""Monitored waters as rows of the result: parameters, samples, sections, chiefs and places."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from cyclopolis.ecology.compliance.waters import CLASS_NAMES, WORSE, classes, multiples, place_rating, worst_of
from cyclopolis.plan import Plan, provenance
from cyclopolis.plan.check_sections import parameter_names
from cyclopolis.plan.schema import fold

Rows = list[dict[str, Any]]
_TARGETS = {name: number for number, name in enumerate(CLASS_NAMES[1:6], start=1)}
_SOURCE_TARGET = 3
"""Class that a drinking-water source keeps where its row gives none (GB 3838: class III)."""
SOURCES = {"water_source": "river", "reservoir_source": "lake"}
"""Kinds of drinking-water sources, and the water whose limits hold for them: lakes bear less phosphorus than rivers."""
_LIMITS = [f"class_{number}" for number in range(1, 6)]


def rated(plan: Plan) -> pl.DataFrame:
    """Return every measured value with its class: one row per section, date and parameter, sorted.

    A parameter of two rows (pH has a least and a greatest value) takes the worse class.
    """
    table = plan.library.water_classes
    names = parameter_names(table)
    sections = plan.tables["sections"].select(
        "section", "kind", target=pl.col("target_class").replace_strict(_TARGETS, default=None, return_dtype=pl.Int64)
    )
    source = pl.col("kind").is_in(SOURCES)
    sections = sections.with_columns(
        target=pl.when(source).then(pl.col("target").fill_null(_SOURCE_TARGET)).otherwise("target"),
        like=pl.col("kind").replace(SOURCES),
    )
    given = plan.tables["water_quality"]
    known = pl.Series("parameter", [names[fold(name)] for name in given["parameter"]], dtype=pl.String)
    measured = given.with_columns(known).join(sections, on="section", how="left")
    rows = _limited(measured, plan)
    at_least = (rows["rule"] == "at_least").to_numpy()
    value = rows["value"].to_numpy().astype(np.float64)
    limits = rows.select(_LIMITS).to_numpy().astype(np.float64).reshape(-1, 5)
    target = rows["target"].fill_null(0).to_numpy()
    limit = np.where(target > 0, limits[np.arange(target.size), np.maximum(target, 1) - 1], np.nan)
    counted = np.isin(rows["parameter"].to_numpy(), ["ph"], invert=True)
    over = np.where(counted, multiples(value, limit, at_least), np.nan)
    rows = rows.with_columns(
        pl.Series("class", classes(value, limits, at_least)),
        pl.Series("limit", limit, dtype=pl.Float64).fill_nan(None),
        pl.Series("over", over, dtype=pl.Float64).fill_nan(None),
        assumed=provenance(pl.col("source")) == "assumed",
    )
    keys = ["section", "date", "parameter"]
    worse = rows.sort([*keys, "class"], descending=[False, False, False, True])
    return worse.unique(keys, keep="first", maintain_order=True).with_columns(
        limit_provenance=pl.when(pl.col("general")).then("provenance").otherwise(pl.lit("memory"))
    )


def _limited(values: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """Return values (columns ``parameter`` and ``like``) beside every limit that holds for their water."""
    table = plan.library.water_classes.drop("name", "name_zh", "aliases", "source", "note")
    rows = values.join(table, on="parameter", how="inner", maintain_order="left")
    return rows.filter((pl.col("water") == "any") | (pl.col("water") == pl.col("like")))


def parameter_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the table of parameters."""
    return rows.select(
        "section", "date", "parameter", "value", "unit", class_name("class"), "limit", "over",
        rated=pl.col("general"), limit_provenance="limit_provenance",
    )  # fmt: skip


def class_name(column: str) -> pl.Expr:
    """Return class numbers as names; unknown is null."""
    names = dict(enumerate(CLASS_NAMES)) | {0: None}
    return pl.col(column).replace_strict(names, return_dtype=pl.String).alias(column)


def sample_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row per section and date: the worst class of the rated parameters decides."""
    counted = rows.filter(pl.col("general"))
    keys = ["section", "date"]
    groups = counted.select(keys).unique(maintain_order=True).with_row_index("group")
    joined = counted.join(groups, on=keys, how="left", maintain_order="left")
    worst = worst_of(joined["group"].to_numpy().astype(np.int64), joined["class"].to_numpy(), groups.height)
    joined = joined.with_columns(pl.Series("worst", worst[joined["group"].to_numpy()], dtype=pl.Int64))
    return (
        joined.group_by("group", *keys, "target", maintain_order=True)
        .agg(
            worst=pl.col("worst").first(),
            deciding=pl.col("parameter").filter(pl.col("class") == pl.col("worst")).sort().str.join("; "),
            parameters=pl.len().cast(pl.Int64),
            over=pl.col("over").max(),
            assumed=pl.col("assumed").any(),
        )
        .with_columns(
            meets=pl.when(pl.col("target").is_not_null()).then(pl.col("worst") <= pl.col("target")),
        )
        .sort(keys)
    )


def section_rows(plan: Plan, rows: pl.DataFrame, samples: pl.DataFrame) -> pl.DataFrame:
    """Return one row per section: rate of keeping its class, class of the means, worst class and what decides it."""
    values = rows.filter(pl.col("general")).group_by("section", "parameter", "like", maintain_order=True)
    means = _limited(values.agg(pl.col("value").mean()), plan)
    found = classes(
        means["value"].to_numpy().astype(np.float64),
        means.select(_LIMITS).to_numpy().astype(np.float64).reshape(-1, 5),
        (means["rule"] == "at_least").to_numpy(),
    )
    means = means.with_columns(pl.Series("class", found)).group_by("section").agg(mean_class=pl.col("class").max())
    worst = samples.filter(pl.col("worst") == pl.col("worst").max().over("section"))
    told = worst.group_by("section", maintain_order=True).agg(
        deciding=pl.col("deciding").str.split("; ").explode().unique().sort().str.join("; ")
    )
    counts = samples.group_by("section", maintain_order=True).agg(
        samples=pl.len().cast(pl.Int64),
        meeting=pl.col("meets").sum().cast(pl.Int64),
        targeted=pl.col("meets").count(),
        worst_class=pl.col("worst").max(),
        most_over=pl.col("over").max(),
        assumed=pl.col("assumed").any(),
    )
    table = plan.tables["sections"].with_columns(given=provenance(pl.col("source")))
    table = table.join(counts, on="section", how="left").join(means, on="section", how="left")
    table = table.join(told, on="section", how="left").sort("section")
    return table.with_columns(
        samples=pl.col("samples").fill_null(0),
        meeting=pl.when(pl.col("targeted") > 0).then("meeting"),
        mean_class=pl.col("mean_class").fill_null(0),
        worst_class=pl.col("worst_class").fill_null(0),
    ).select(
        "section", pl.col("name").alias("section_name"), pl.col("name_zh").alias("section_name_zh"), "site", "water",
        "kind", "chief",
        target_class=pl.when(pl.col("kind").is_in(SOURCES))
        .then(pl.col("target_class").fill_null(CLASS_NAMES[_SOURCE_TARGET]))
        .otherwise("target_class"),
        samples="samples", meeting="meeting",
        meeting_share=pl.col("meeting") / pl.when(pl.col("targeted") > 0).then("targeted"),
        mean_class=class_name("mean_class"), worst_class=class_name("worst_class"), deciding="deciding",
        most_over="most_over",
        provenance=pl.when((pl.col("given") == "assumed") | pl.col("assumed").fill_null(value=False))
        .then(pl.lit("assumed"))
        .otherwise(pl.lit("computed")),
    )  # fmt: skip


def chief_rows(sections: pl.DataFrame) -> pl.DataFrame:
    """Return one row per chief in charge, worst first."""
    return (
        sections.filter(pl.col("chief").is_not_null())
        .group_by("chief", maintain_order=True)
        .agg(
            sections=pl.len().cast(pl.Int64),
            samples=pl.col("samples").sum(),
            met=pl.col("meeting").sum(),
            rated=pl.col("samples").filter(pl.col("meeting").is_not_null()).sum(),
        )
        .with_columns(meeting_share=pl.col("met") / pl.when(pl.col("rated") > 0).then("rated"))
        .select("chief", "sections", "samples", "meeting_share")
        .sort("meeting_share", "chief", nulls_last=True)
    )


def place_rows(sections: pl.DataFrame, sites: Mapping[str, set[str]]) -> Rows:
    """Return one row per place and kind of water: shares of classes, rate, rating.

    Parameters
    ----------
    sections : polars.DataFrame
        As `section_rows` gives them.
    sites : mapping of scope to the sites inside it
        The whole plan is the empty scope.
    """
    numbers = {name: number for number, name in enumerate(CLASS_NAMES) if name}
    rows: Rows = []
    for scope, inside in sites.items():
        for kind in ("river", "lake", "water_source"):
            own = sections.filter(pl.col("kind").is_in(SOURCES) if kind in SOURCES else pl.col("kind") == kind)
            own = own.filter(pl.col("site").is_in(sorted(inside))) if scope else own
            found = np.array([numbers[name] for name in own["mean_class"].drop_nulls()], dtype=np.int64)
            if found.size == 0:
                continue
            met, rated_ = own["meeting"].sum(), own.filter(pl.col("meeting").is_not_null())["samples"].sum()
            rows.append(
                {
                    "scope": scope,
                    "kind": kind,
                    "sections": int(found.size),
                    "good_share": float((found <= 3).mean()),
                    "bad_share": float((found == WORSE).mean()),
                    "meeting_share": float(met) / float(rated_) if rated_ else None,
                    "rating": place_rating(found),
                    "provenance": "assumed" if "assumed" in own["provenance"].to_list() else "computed",
                }
            )
    return rows
