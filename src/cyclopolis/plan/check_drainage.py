"""Checks of drainage: every drop must reach an outlet, every storm must be known, measures must fit their catchment."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import message
from cyclopolis.library.storm import load_storm_library
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.headers import TextTable, nearest

Frames = Mapping[str, pl.DataFrame]
Texts = Mapping[str, TextTable]
_FORMULA = ("a_l_s_ha", "c", "b_min", "n")
_POSITIVE = (("catchments", "area_ha"), ("conduits", "length_m"), ("conduits", "diameter_m"), ("junctions", "depth_m"))
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_YEARS = 30
"""Years of daily rain that GB 50014-2021 asks for."""


def check_drainage(texts: Texts, frames: Frames) -> Iterator[Problem]:
    """Check the tables of drainage; nothing is said where there are none."""
    yield from _sizes(texts, frames)
    yield from _names(texts, frames)
    yield from _conduits(texts["conduits"], frames)
    yield from _ways_out(texts, frames)
    yield from _catchments(texts["catchments"], frames)
    yield from _storms(texts["storms"], frames)
    yield from _measures(texts, frames)
    yield from _models(texts, frames)
    yield from _days(texts["daily_rain"], frames["daily_rain"])


def _ids(frames: Frames, *tables: str) -> list[str]:
    return [name for table in tables for name in frames[table][table.removesuffix("s")].drop_nulls()]


def _sizes(texts: Texts, frames: Frames) -> Iterator[Problem]:
    for table, column in _POSITIVE:
        for row, place in frames[table].filter(pl.col(column) == 0).select(ROW, PLACE).iter_rows():
            yield texts[table].problem("drainage.not_positive", row, place=place, column=column)
    wrong = frames["outlets"].filter(pl.col("capacity_m3_d").is_not_null() & (pl.col("kind") == "storm"))
    for row, place in wrong.select(ROW, PLACE).iter_rows():
        yield texts["outlets"].problem("drainage.capacity_of_storm", row, place=place, column="capacity_m3_d")


def _names(texts: Texts, frames: Frames) -> Iterator[Problem]:
    """Check that no two things share a name by which water could be sent to either."""
    seen: dict[str, str] = {}
    for table in ("junctions", "outlets", "catchments"):
        key = table.removesuffix("s")
        for name, row, place in frames[table].drop_nulls(key).select(key, ROW, PLACE).iter_rows():
            if seen.setdefault(name, table) != table:
                yield texts[table].problem(
                    "drainage.name_of_two", row, place=place, column=key, value=name, other=seen[name]
                )


def _conduits(text: TextTable, frames: Frames) -> Iterator[Problem]:
    """Check that pipes join things that there are, and note those that run uphill."""
    junctions, outlets = _ids(frames, "junctions"), _ids(frames, "outlets")
    heights = {
        name: height
        for table in ("junctions", "outlets")
        for name, height in frames[table].select(table.removesuffix("s"), "invert_m").iter_rows()
    }
    for row in frames["conduits"].iter_rows(named=True):
        start, end = row["from_node"], row["to_node"]
        for column, name, known in (("from_node", start, junctions), ("to_node", end, [*junctions, *outlets])):
            if name is not None and name not in known:
                key = "drainage.pipe_from_outlet" if name in outlets else "drainage.pipe_to_nowhere"
                near = nearest(name, known)
                yield text.problem(key, row[ROW], place=row[PLACE], column=column, value=name, suggestion=near)
        if start is not None and start == end:
            yield text.problem("drainage.pipe_ring", row[ROW], place=row[PLACE], column="to_node", value=end)
        low, high = heights.get(start), heights.get(end)
        if low is not None and high is not None and low < high:
            yield text.problem("drainage.pipe_uphill", row[ROW], place=row[PLACE], column="to_node", severity="notice")


def _ways_out(texts: Texts, frames: Frames) -> Iterator[Problem]:
    """Check that from every junction pipes lead to an outlet."""
    into: dict[str, list[str]] = {}
    for start, end in frames["conduits"].select("from_node", "to_node").drop_nulls().iter_rows():
        into.setdefault(end, []).append(start)
    reached = set(_ids(frames, "outlets"))
    front = sorted(reached)
    while front:
        front = sorted({start for end in front for start in into.get(end, [])} - reached)
        reached.update(front)
    lost = frames["junctions"].filter(~pl.col("junction").is_in(sorted(reached)))
    for name, row, place in lost.drop_nulls("junction").select("junction", ROW, PLACE).iter_rows():
        yield texts["junctions"].problem("drainage.no_way_out", row, place=place, column="junction", value=name)


def _catchments(text: TextTable, frames: Frames) -> Iterator[Problem]:
    """Check where catchments drain to, also once their rain is separated, and that they do not drain in a ring."""
    catchments = _ids(frames, "catchments")
    nodes = _ids(frames, "junctions", "outlets")
    after = dict(frames["catchments"].select("catchment", "outlet").drop_nulls().iter_rows())
    for row in frames["catchments"].iter_rows(named=True):
        for column, known in (("outlet", [*nodes, *catchments]), ("storm_outlet", nodes)):
            name = row[column]
            if name is not None and name not in known:
                near = nearest(name, known)
                yield text.problem(
                    "drainage.no_such_outlet", row[ROW], place=row[PLACE], column=column, value=name, suggestion=near
                )
        if row["separated_pct"] and row["storm_outlet"] is None:
            yield text.problem("drainage.separated_where", row[ROW], place=row[PLACE], column="separated_pct")
        way = [row["catchment"]]
        while way[-1] in after and after[way[-1]] not in way:
            way.append(after[way[-1]])
        if after.get(way[-1]) == row["catchment"]:
            ring = " > ".join([*way, row["catchment"]])
            yield text.problem("drainage.catchment_ring", row[ROW], place=row[PLACE], column="outlet", chain=ring)


def _storms(text: TextTable, frames: Frames) -> Iterator[Problem]:
    """Check that a storm has all that its kind needs."""
    formulas = load_storm_library().formulas
    cities = [*formulas["formula"], *formulas["city"], *formulas["city_zh"]]
    series = frames["rain"]["series"].drop_nulls().unique().to_list()
    for row in frames["storms"].iter_rows(named=True):
        at: dict[str, Any] = {"place": row[PLACE]}
        if row["kind"] == "formula":
            missing = [name for name in _FORMULA if row[name] is None]
            if row["return_period_a"] in (None, 0):
                yield text.problem(
                    "drainage.storm_period", row[ROW], **at, column="return_period_a", storm=row["storm"]
                )
            if row["city"] is None and missing:
                given = message("drainage.storm_parameters", storm=row["storm"], missing=", ".join(missing))
                yield text.problem(given, row[ROW], **at, column="city")
            elif row["city"] is not None and row["city"] not in cities and missing:
                near = nearest(row["city"], cities)
                yield text.problem(
                    "drainage.storm_city", row[ROW], **at, column="city", value=row["city"], suggestion=near
                )
        elif row["series"] is None:
            yield text.problem("drainage.storm_series", row[ROW], **at, column="series", storm=row["storm"])
        elif row["kind"] == "series" and row["series"] not in series:
            near = nearest(row["series"], series)
            yield text.problem(
                "drainage.no_rain", row[ROW], **at, column="series", value=row["series"], suggestion=near
            )
        elif row["kind"] == "model" and frames["drainage_models"].is_empty():
            yield text.problem("drainage.storm_model", row[ROW], **at, column="kind")


def _measures(texts: Texts, frames: Frames) -> Iterator[Problem]:
    """Check that measures fit their catchment, and that own parameters are ones that SWMM knows."""
    library = load_storm_library()
    rows = frames["measures"].with_columns(most=pl.max_horizontal("area_m2", "max_area_m2"))
    text = texts["measures"]
    for row, place in rows.filter(pl.col("area_m2") > pl.col("max_area_m2")).select(ROW, PLACE).iter_rows():
        yield text.problem("drainage.measure_crossed", row, place=place, column="area_m2")
    catchments = _ids(frames, "catchments")
    if catchments:
        for name, row, place in (
            rows.filter(~pl.col("catchment").is_in(catchments)).select("catchment", ROW, PLACE).rows()
        ):
            near = nearest(name, catchments)
            yield text.problem(
                "drainage.unknown_catchment", row, place=place, column="catchment", value=name, suggestion=near
            )
        yield from _fits(text, frames["catchments"], rows, library.measures)
    known = {tuple(row) for row in library.measure_layers.select("measure", "layer", "parameter").iter_rows()}
    for row in frames["measure_layers"].iter_rows(named=True):
        if (row["measure"], row["layer"], row["parameter"]) not in known:
            names = sorted({f"{layer} {name}" for measure, layer, name in known if measure == row["measure"]})
            given = message("drainage.no_parameter", measure=row["measure"], known=", ".join(names))
            yield texts["measure_layers"].problem(given, row[ROW], place=row[PLACE], column="parameter")


def _fits(text: TextTable, catchments: pl.DataFrame, rows: pl.DataFrame, measures: pl.DataFrame) -> Iterator[Problem]:
    """Check that the areas of a catchment's measures together fit on the surface whose place they take."""
    sealed = pl.col("area_ha") * 1e4 * pl.col("imperviousness_pct") / 100
    room = catchments.select("catchment", impervious=sealed, pervious=pl.col("area_ha") * 1e4 - sealed)
    joined = rows.join(measures.select("measure", surface="place"), on="measure").join(room, on="catchment")
    sums = (
        joined.with_columns(free=pl.when(pl.col("surface") == "impervious").then("impervious").otherwise("pervious"))
        .sort(ROW)
        .group_by("catchment", "surface", maintain_order=True)
        .agg(pl.col(ROW).last(), pl.col(PLACE).last(), used=pl.col("area_m2").sum(), free=pl.col("free").first())
        .filter(pl.col("used") > pl.col("free") * (1 + 1e-9))
    )
    for row in sums.iter_rows(named=True):
        given = message(
            f"drainage.measures_on_{row['surface']}",
            catchment=row["catchment"],
            used=f"{row['used']:,.0f}",
            free=f"{row['free']:,.0f}",
        )
        yield text.problem(given, row[ROW], place=row[PLACE], column="area_m2")


def _models(texts: Texts, frames: Frames) -> Iterator[Problem]:
    models, catchments = frames["drainage_models"], frames["catchments"]
    text = texts["drainage_models"]
    for row, place in models.select(ROW, PLACE).head(1).iter_rows():
        if catchments.height:
            yield text.problem("drainage.model_and_catchments", row, place=place, column="inp")
        if "grey" not in models["variant"].to_list():
            yield text.problem("drainage.no_grey", row, place=place, column="variant")
    if (catchments.height or models.height) and frames["storms"].is_empty() and texts["storms"].frame.is_empty():
        named = texts["catchments"] if catchments.height else text
        yield Problem(message("drainage.no_storms"), "notice", file=named.file, sheet=named.sheet)


def _days(text: TextTable, days: pl.DataFrame) -> Iterator[Problem]:
    for name, row, place in days.drop_nulls("date").select("date", ROW, PLACE).iter_rows():
        if not _DAY.fullmatch(name):
            yield text.problem("drainage.not_a_day", row, place=place, column="date", value=name)
    years: Sequence[str] = days["date"].drop_nulls().str.slice(0, 4).unique().to_list()
    if 0 < len(years) < _YEARS:
        given = message("drainage.few_years", years=len(years), wanted=_YEARS)
        yield Problem(given, "notice", file=text.file, sheet=text.sheet)
