"""Checks of places, plants, prices and bounds; see `check`."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from cyclopolis.foundation.problems import Problem, Severity
from cyclopolis.foundation.text import message
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.headers import TextTable, nearest

SLIP = 1.5
"""Output over capacity from which on a slip of units is likelier than a plant that is run hard."""
_CHINA = {"lon": (73.0, 136.0), "lat": (18.0, 54.0)}
"""Degrees between which China lies; coordinates the other way round are probably swapped."""
_ALIKE = 85.0
"""How alike two names of indicators are from which on one is likelier a slip than a name of its own."""
_PAIRS = (
    ("limits", "min", "max"),
    ("markets", "sell_min", "sell_max"),
    ("recipes", "low", "high"),
    ("commodities", "price_low", "price_high"),
    ("plants", "build_from", "build_until"),
    ("subsidies", "from_year", "until_year"),
    ("pollution_rates", "rate_low", "rate_high"),
    ("exposure_bands", "from_km", "to_km"),
)
"""Columns of which the first may not exceed the second."""


def plain(number: float) -> str:
    """Return a number with thousands separators and no exponent.

    Examples
    --------
    >>> plain(1200000.0), plain(0.25)
    ('1,200,000', '0.25')
    """
    return f"{number:,.6f}".rstrip("0").rstrip(".")


def check_sites(text: TextTable, sites: pl.DataFrame, grid_factors: pl.DataFrame) -> Iterator[Problem]:
    """Check that places do not hold each other in a circle, that coordinates are whole, and that grid regions exist."""
    parents = dict(sites.select("site", "parent").drop_nulls().rows())
    rows = {row["site"]: row for row in sites.iter_rows(named=True)}
    done: set[str] = set()
    for site in sorted(parents):
        path: list[str] = []
        place: str = site
        while place in parents and place not in path and place not in done:
            path.append(place)
            place = parents[place]
        if place in path:
            ring = path[path.index(place) :]
            row = rows[min(ring)]
            yield text.problem(
                "plan.site_cycle", row[ROW], place=row[PLACE], column="parent", value=row["parent"],
                chain=" > ".join([*ring, ring[0]]),
            )  # fmt: skip
        done.update(path)
    regions = sorted({*grid_factors["region"].drop_nulls(), *grid_factors["region_zh"].drop_nulls()})
    for row in sites.filter(pl.col("grid_region").is_not_null() & ~pl.col("grid_region").is_in(regions)).iter_rows(
        named=True
    ):
        yield text.problem(
            "plan.grid_region", row[ROW], place=row[PLACE], column="grid_region", value=row["grid_region"],
            suggestion=nearest(row["grid_region"], regions),
        )  # fmt: skip
    for row in sites.filter(pl.col("lon").is_null() != pl.col("lat").is_null()).iter_rows(named=True):
        column = "lat" if row["lat"] is None else "lon"
        if not text.cell(row[ROW], row[PLACE], column):
            yield text.problem("plan.half_position", row[ROW], place=row[PLACE], column=column)
    swapped = pl.col("lat").is_between(*_CHINA["lon"]) & pl.col("lon").is_between(*_CHINA["lat"])
    for row in sites.filter(swapped).iter_rows(named=True):
        yield text.problem(
            "plan.swapped", row[ROW], place=row[PLACE], column="lon", severity="notice", lon=row["lon"], lat=row["lat"]
        )


def check_plants(text: TextTable, frames: Mapping[str, pl.DataFrame], base_year: int | None) -> Iterator[Problem]:
    """Check where plants stand, that their output fits their capacity and status, and when they may be built."""
    plants = frames["plants"]
    standing = pl.col("status") == "existing"
    measured = frames["measurements"]["plant"].drop_nulls().to_list()

    def rows(condition: pl.Expr) -> Iterator[dict[str, Any]]:
        return plants.filter(condition).iter_rows(named=True)

    def said(key: str, row: Mapping[str, Any], column: str, **values: object) -> Problem:
        severity: Severity = "notice" if key in _NOTICES else "error"
        return text.problem(message(key, **values), row[ROW], place=row[PLACE], column=column, severity=severity)

    for row in rows(pl.col("site").is_null() & pl.col("enterprise").is_null()):
        yield said("plan.plant_nowhere", row, "site")
    for row in rows(standing & pl.col("activity").is_null() & ~pl.col("plant").is_in(measured)):
        yield said("plan.no_activity", row, "activity", plant=row["plant"])
    for row in rows(~standing & (pl.col("activity") > 0)):
        yield said("plan.activity_of_future", row, "activity", status=row["status"])
    for row in rows(~standing & (pl.col("capacity").is_null() | (pl.col("capacity") == 0))):
        yield said("plan.no_capacity", row, "capacity", status=row["status"])
    over = standing & (pl.col("activity") > pl.col("capacity") * (1 + 1e-9))
    for row in rows(over):
        slip = (pl.col("activity") > pl.col("capacity") * SLIP) & (pl.col("plant") == row["plant"])
        key = "plan.over_capacity_far" if not plants.filter(slip).is_empty() else "plan.over_capacity"
        yield said(key, row, "activity", capacity=plain(row["capacity"]), activity=plain(row["activity"]))
    if base_year is not None:
        for row in rows(~standing & (pl.col("build_until") <= base_year)):
            yield said("plan.too_early", row, "build_until", base_year=base_year)


_NOTICES = ("plan.no_activity", "plan.over_capacity")


def check_costs(text: TextTable, plants: pl.DataFrame, technologies: pl.DataFrame) -> Iterator[Problem]:
    """Note plants to be built whose capital cost neither the plan nor the library knows."""
    known = technologies.filter(
        pl.col("capex").is_not_null() & (pl.col("reference_capacity") > 0) & pl.col("scale_exponent").is_not_null()
    )["technology"]
    unknown = (
        (pl.col("status") != "existing")
        & pl.col("capex").is_null()
        & pl.col("technology").is_not_null()
        & ~pl.col("technology").is_in(known.to_list())
    )
    for row, place, technology in plants.filter(unknown).select(ROW, PLACE, "technology").iter_rows():
        yield text.problem("plan.no_capex", row, place=place, column="capex", severity="notice", technology=technology)


def check_bounds(texts: Mapping[str, TextTable], frames: Mapping[str, pl.DataFrame]) -> Iterator[Problem]:
    """Check that lower ends do not exceed upper ends, and that a limit says something."""
    for table, low, high in _PAIRS:
        crossed = frames[table].filter(pl.col(low) > pl.col(high))
        for row, place in crossed.select(ROW, PLACE).iter_rows():
            yield texts[table].problem(
                "plan.crossed", row, place=place, column=low, high=texts[table].written.get(high, high),
                value_high=texts[table].cell(row, place, high),
            )  # fmt: skip
    for row, place in (
        frames["limits"].filter(pl.all_horizontal(pl.col("min", "max").is_null())).select(ROW, PLACE).rows()
    ):
        yield texts["limits"].problem("plan.no_bound", row, place=place, column="max")


def check_markets(text: TextTable, markets: pl.DataFrame) -> Iterator[Problem]:
    """Check that a market row has a price, and that volumes belong to a price."""
    for row, place in (
        markets.filter(pl.all_horizontal(pl.col("buy_price", "sell_price").is_null())).select(ROW, PLACE).rows()
    ):
        yield text.problem("plan.no_price", row, place=place, column="buy_price")
    for price, volumes in (("buy_price", ("buy_max",)), ("sell_price", ("sell_min", "sell_max"))):
        other = "sell_price" if price == "buy_price" else "buy_price"
        for volume in volumes:
            lost = pl.col(price).is_null() & pl.col(volume).is_not_null() & pl.col(other).is_not_null()
            for row, place in markets.filter(lost).select(ROW, PLACE).iter_rows():
                yield text.problem("plan.volume_only", row, place=place, column=volume, price=price)


def check_exclusions(text: TextTable, frames: Mapping[str, pl.DataFrame]) -> Iterator[Problem]:
    """Check that groups hold plants to be built, and more than one."""
    rows = frames["exclusions"].join(frames["plants"].select("plant", "status"), on="plant", how="inner")
    for row in rows.filter(pl.col("status") == "existing").iter_rows(named=True):
        yield text.problem("plan.excludes_existing", row[ROW], place=row[PLACE], column="plant", value=row["plant"])
    alone = rows.filter(pl.len().over("group") == 1).sort(ROW)
    for row in alone.iter_rows(named=True):
        yield text.problem(
            "plan.excludes_one", row[ROW], place=row[PLACE], column="group", value=row["group"], severity="notice"
        )


def check_indicators(text: TextTable, indicators: pl.DataFrame) -> Iterator[Problem]:
    """Note values that no framework of the library asks for: near another name each alone, the others together.

    A framework of the user's own may ask for them, so they are kept.
    """
    if indicators.is_empty():
        return
    from cyclopolis.library.frameworks.glossary import glossary, shipped_inputs  # noqa: PLC0415 - few plans need it
    from cyclopolis.library.frameworks.loading import load_frameworks  # noqa: PLC0415 - reads every framework

    names = indicators.drop_nulls("name").unique("name", keep="first", maintain_order=True).sort(ROW, "name")
    names = names.filter(~pl.col("name").is_in(list(shipped_inputs())))
    if names.is_empty():
        return
    known = {*shipped_inputs(), *glossary(load_frameworks().values())}
    lost: list[tuple[int, str | None, str]] = []
    for row, place, name in names.filter(~pl.col("name").is_in(sorted(known))).select(ROW, PLACE, "name").iter_rows():
        near = nearest(name, sorted(known), _ALIKE)
        if near:
            yield text.problem(
                "plan.unknown_indicator", row, place=place, column="name", severity="notice", suggestion=near
            )
        else:
            lost.append((row, place, name))
    if lost:
        row, place, name = lost[0]
        others = ", ".join(entry[2] for entry in lost[1:])
        key = "plan.unknown_indicators" if others else "plan.unknown_indicator"
        yield text.problem(key, row, place=place, column="name", value=name, severity="notice", names=others)


def check_targets(text: TextTable, targets: pl.DataFrame, base_year: int | None) -> Iterator[Problem]:
    """Check that targets lie ahead."""
    if base_year is None:
        return
    for row, place in targets.filter(pl.col("year") <= base_year).select(ROW, PLACE).iter_rows():
        yield text.problem("plan.too_early", row, place=place, column="year", base_year=base_year)
