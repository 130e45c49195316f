"""Points of a front as tables: what they bring in each dimension, what they build, which builds they share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from cyclopolis.design.alternatives import Alternatives
from cyclopolis.design.assemble import Assembly, read_answer
from cyclopolis.design.checker_years import check_years
from cyclopolis.design.compromise import Compromise, compromise
from cyclopolis.design.front_search import Point
from cyclopolis.design.links import links_table
from cyclopolis.design.pareto.risk import no_risk
from cyclopolis.design.pose import Posed
from cyclopolis.design.program import Answer
from cyclopolis.design.tables import exchanges_table, names_table, plants_table
from cyclopolis.design.tables_years import at_target, dimensions_table, investments_table, year_states
from cyclopolis.design.tidy import tidy_years
from cyclopolis.design.words import plant_name
from cyclopolis.network.model import Floats, Ints

_BUILDS = ("year", "plant", "name", "name_zh", "site", "technology", "units", "capacity", "unit", "capex")


DETAILS = ("plants", "exchanges", "links")
"""Tables of the target year that are saved of points of note."""


@dataclass(frozen=True)
class Worked:
    """A point worked out: tables of it, and how many things the independent checker found wrong.

    ``details`` are tables of the target year by the names in `DETAILS`.
    """

    point: Point
    parts: pl.DataFrame
    builds: pl.DataFrame
    details: Mapping[str, pl.DataFrame]
    violations: int


def work_out(posed: Posed, assembly: Assembly, point: Point) -> Worked:
    """Read a point back as states of all years, tidy them, check them and count their dimensions."""
    answer = Answer("optimal", point.natural, float(point.values[0]), float(point.values[0]), point.seconds)
    clean = tidy_years(posed.whole, read_answer(assembly, answer))
    states = year_states(posed, clean)
    builds = investments_table(posed, clean).select(_BUILDS)
    target, after = at_target(posed, states[-1]), clean.flows[-1]
    details = {
        "plants": plants_table(target, after),
        "exchanges": exchanges_table(target, after),
        "links": links_table(target, after),
    }
    parts = dimensions_table(posed, clean, states)
    return Worked(point, parts, builds, details, len(check_years(posed.whole, clean)))


def _choices(found: Compromise, values: Floats) -> list[str | None]:
    """Return what each point is the best of, None for the others; a compromise counts more than the end of a range."""
    names: list[str | None] = [None] * len(values)
    for number, dimension in enumerate(("economy", "environment", "society")):
        names[int(np.argmax(values[:, number]))] = dimension
    names[found.nearest] = "compromise"
    names[found.knee] = "knee_and_compromise" if found.knee == found.nearest else "knee"
    return names


def front_tables(posed: Posed, worked: Sequence[Worked], near: Alternatives | None = None) -> dict[str, pl.DataFrame]:
    """Return all tables of a front; points are numbered in the order given.

    Parameters
    ----------
    posed : Posed
    worked : sequence of Worked
        At least one point.
    near : Alternatives, optional
        Designs near the compromise, their groups the ways of building of `build_groups`.
    """
    values = np.array([item.point.values for item in worked])
    found = compromise(values)
    numbers = pl.Series(range(1, len(worked) + 1), dtype=pl.Int64)
    points = pl.DataFrame(
        {
            "point": numbers,
            "economy": values[:, 0],
            "economy_unit": "CNY" if posed.by_present_value else "CNY/a",
            "environment": values[:, 1],
            "society": values[:, 2],
            "gap": pl.Series([item.point.gap for item in worked], dtype=pl.Float64).fill_nan(None),
            "bulge": found.bulge,
            "closeness": pl.Series(found.closeness, dtype=pl.Float64).fill_nan(None),
            "choice": pl.Series(_choices(found, values), dtype=pl.String),
            "builds": pl.Series([item.builds["plant"].n_unique() for item in worked], dtype=pl.Int64),
            "capex": [float(item.builds["capex"].sum()) for item in worked],
            "violations": pl.Series([item.violations for item in worked], dtype=pl.Int64),
            "seconds": [item.point.seconds for item in worked],
        }
    )
    every = list(enumerate(worked, start=1))
    parts = _numbered([(number, item.parts) for number, item in every])
    builds = _numbered([(number, item.builds) for number, item in every])
    noted = [(number, item) for (number, item), choice in zip(every, points["choice"], strict=True) if choice]
    details = {name: _numbered([(number, item.details[name]) for number, item in noted]) for name in DETAILS}
    robust = _robust(posed, builds, len(worked), near)
    tables = {"points": points, "parts": parts, "builds": builds, "robust": robust, **no_risk()}
    return {**tables, **details, "names": names_table(posed)}


def _numbered(tables: Sequence[tuple[int, pl.DataFrame]]) -> pl.DataFrame:
    """Return tables of points as one, each row with the number of its point."""
    return pl.concat([table.select(pl.lit(number, pl.Int64).alias("point"), pl.all()) for number, table in tables])


def build_groups(posed: Posed, assembly: Assembly) -> list[Ints]:
    """Return for each new plant the columns that say whether it is built, in any way and year."""
    plant = posed.whole.builds.plant
    years = range(len(posed.years))
    starts = [assembly.layout.columns["built", year].start for year in years]
    return [
        np.concatenate([start + np.flatnonzero(plant == at) for start in starts]) for at in np.unique(plant).tolist()
    ]


def _robust(posed: Posed, builds: pl.DataFrame, count: int, near: Alternatives | None) -> pl.DataFrame:
    """Return every new plant with how many points build it and what is proven of the designs near the compromise."""
    plants = np.unique(posed.whole.builds.plant).tolist()
    names = [plant_name(posed.plan, posed.network.plant_ids[at]).names for at in plants]
    times = builds.select("point", "plant").unique().group_by("plant").agg(points=pl.len().cast(pl.Int64))
    table = pl.DataFrame(
        {
            "plant": [posed.network.plant_ids[at] for at in plants],
            "name": [name[0] for name in names],
            "name_zh": [name[1] for name in names],
            "verdict": [None] * len(plants) if near is None else list(near.verdict),
        },
        schema={"plant": pl.String, "name": pl.String, "name_zh": pl.String, "verdict": pl.String},
    )
    joined = table.join(times, on="plant", how="left", maintain_order="left").with_columns(
        points=pl.col("points").fill_null(0)
    )
    return joined.select(
        "plant", "name", "name_zh", "points", share=pl.col("points") / float(count), verdict="verdict"
    ).sort("points", "plant", descending=[True, False])
