"""The compliance engine: whether rivers, lakes, water sources, air and green space keep what the standards ask."""

from collections.abc import Mapping
from typing import ClassVar

import polars as pl

from cyclopolis.ecology.compliance import air_tables, water_tables
from cyclopolis.ecology.compliance.figures import compliance_figures
from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.plan import Plan, provenance

GREEN = (
    "green_cover_pct",
    "park_green_area_m2_per_person",
    "forest_cover_pct",
    "pocket_parks",
    "wetland_protection_pct",
)
"""Names of the table ``indicators`` that tell of green space."""


class Compliance(Result):
    """The answer of `comply`; tables and columns are documented in ``columns.csv``."""

    engine: ClassVar[str] = "compliance"
    columns_package: ClassVar[str] = "cyclopolis.ecology.compliance"

    def summary(self) -> tuple[Line, ...]:
        """Return the rates of waters and good days, and the green figures that are known."""
        lines = []
        for row in self.tables["waters"].filter(pl.col("scope") == "").iter_rows(named=True):
            lines.append(Line(message(f"coded.compliance_kind_{row['kind']}"), row["sections"], "1", row["provenance"]))
            lines.append(Line(message("compliance.line_meeting"), row["meeting_share"], "1", row["provenance"]))
            lines.append(Line(message("compliance.line_good_classes"), row["good_share"], "1", row["provenance"]))
        years = self.tables["air_years"].sort("year", descending=True)
        for row in years.unique("site", keep="first", maintain_order=True).head(3).iter_rows(named=True):
            name = message("compliance.line_good_days", site=row["site"], year=row["year"])
            lines.append(Line(name, row["good_share"], "1"))
        for row in self.tables["green"].head(6).iter_rows(named=True):
            name = message(f"coded.compliance_measure_{row['measure']}")
            lines.append(Line(name, row["value"], row["unit"], row["provenance"]))
        works = self.tables["works"]
        if works.height:
            lines.append(Line(message("compliance.line_works"), works.height, "1"))
        for kind, area in works.group_by("kind").agg(pl.col("area_ha").sum()).sort("kind").iter_rows():
            if area:
                lines.append(
                    Line(
                        message("compliance.line_works_area", kind=message(f"coded.compliance_kind_{kind}")), area, "ha"
                    )
                )
        return tuple(lines)

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return classes of sections over time and the calendar of air quality."""
        return compliance_figures(self.tables, language)


def comply(plan: Plan) -> Compliance:
    """Rate monitored waters by GB 3838, air by HJ 633 and GB 3095, and list green figures and works.

    Parameters
    ----------
    plan : Plan
        With tables ``sections`` and ``water_quality``, ``air_quality``, ``works``, or green figures among its
        ``indicators``.

    Returns
    -------
    Compliance

    Raises
    ------
    UserError
        If the plan holds none of these.
    """
    if not has_monitoring(plan):
        raise user_error("compliance.nothing")
    rows = water_tables.rated(plan)
    samples = water_tables.sample_rows(rows)
    sections = water_tables.section_rows(plan, rows, samples)
    daily = air_tables.measured(plan)
    indices = air_tables.index_rows(plan, daily)
    days = air_tables.day_rows(indices)
    columns = Compliance.columns()
    places = pl.DataFrame(
        water_tables.place_rows(sections, _scopes(plan)),
        schema={column.name: column.dtype for column in columns["waters"]},
    )
    found = {
        "sections": sections,
        "samples": samples.with_columns(water_tables.class_name("worst").alias("class")),
        "parameters": water_tables.parameter_rows(rows),
        "chiefs": water_tables.chief_rows(sections),
        "waters": places,
        "air_days": days,
        "air_indices": indices,
        "air_years": air_tables.year_rows(days),
        "air_means": air_tables.mean_rows(plan, daily),
        "green": _green(plan),
        "works": plan.tables["works"].with_columns(provenance(pl.col("source"))).sort("kind", "work"),
    }
    tables = {
        name: found[name].select(pl.col(column.name).cast(column.dtype) for column in described)
        for name, described in columns.items()
    }
    return Compliance(tables=tables, facts={"scenario": list(plan.scenario)}, inputs=plan.inputs)


def has_monitoring(plan: Plan) -> bool:
    """Return whether a plan holds anything that compliance reads."""
    named = any(plan.tables[name].height for name in ("sections", "water_quality", "air_quality", "works"))
    return named or _green(plan).height > 0


def _scopes(plan: Plan) -> dict[str, set[str]]:
    """Return the whole plan and every site with the sites inside it."""
    sites = plan.tables["sites"]
    parent = dict(sites.select("site", "parent").iter_rows())
    inside: dict[str, set[str]] = {"": set(parent)}
    for site in sorted(parent):
        at: str | None = site
        seen: set[str] = set()
        while at is not None and at not in seen:
            inside.setdefault(at, set()).add(site)
            seen.add(at)
            at = parent.get(at)
    return inside


def _green(plan: Plan) -> pl.DataFrame:
    """Return the green figures of the indicators, newest first."""
    return (
        plan.tables["indicators"]
        .filter(pl.col("name").is_in(GREEN))
        .select(
            scope="site", measure="name", year="year", value="value", unit="unit", source="source",
            provenance=provenance(pl.col("source")),
        )
        .sort(["scope", "measure", "year"], descending=[False, False, True])
    )  # fmt: skip
