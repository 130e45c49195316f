"""The utilities engine: which public works break first as a place grows, in the whole place and site by site.

Works count for the whole place. A site with works of its own for a service is looked at by itself too: what stands on
it and inside it, against what its plants and residents ask for.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from cyclopolis.foundation.columns import read_columns
from cyclopolis.foundation.numbers import number_text, quantity_text
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message, say
from cyclopolis.infrastructure.utilities.demand import services
from cyclopolis.plan import Plan, provenance

_PACKAGE = "cyclopolis.infrastructure.utilities"
_COLOURS = ("#4c78a8", "#59a14f", "#e15759", "#f2a93b", "#8c6bb1")


@dataclass(frozen=True)
class Utilities(Result):
    """The answer of `serve`; the tables are documented in ``columns.csv`` beside this file."""

    engine: ClassVar[str] = "utilities"
    columns_package: ClassVar[str] = _PACKAGE

    def summary(self) -> tuple[Line, ...]:
        """Return the year in which each service breaks, or how much of it is used in its worst year."""
        lines = []
        for row in self.tables["breaks"].iter_rows(named=True):
            service = message(f"service.{row['service']}")
            if row["scope"]:
                if row["breaks_in"] is None:
                    continue
                service = message("utilities.service_at", service=service, site=row["scope"])
            if row["breaks_in"] is not None:
                text = message("utilities.line_breaks", service=service)
                lines.append(Line(text, str(math.ceil(row["breaks_in"])), "", row["provenance"]))
            elif row["worst_pct"] is None:
                lines.append(Line(service, None, "%", row["provenance"]))
            else:
                text = message("utilities.line_used", service=service, year=row["worst_year"])
                lines.append(Line(text, row["worst_pct"], "%", row["provenance"]))
        return tuple(lines)

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return the share of each capacity that is used: of the whole place, and of sites by themselves."""
        rows = self.tables["headroom"].drop_nulls("used_pct")
        whole, sites = rows.filter(scope=""), rows.filter(pl.col("scope") != "")
        figures = {"used": self._used(whole, "utilities.figure", language)}
        return figures | (
            {"used_at_sites": self._used(sites, "utilities.figure_sites", language)} if len(sites) else {}
        )

    def _used(self, rows: pl.DataFrame, title: str, language: Language) -> Figure:
        """Return lines of the share that is used, one for each service and place."""
        data: list[dict[str, Any]] = []
        places = rows.select("scope", "service").unique(maintain_order=True).rows()
        for place, (scope, service) in enumerate(places):
            mine = rows.filter(scope=scope, service=service)
            named = say(f"service.{service}", language)
            words = [
                say(
                    "utilities.hover",
                    language,
                    year=row["year"],
                    used=number_text(row["used_pct"], 3),
                    left=quantity_text(row["headroom"], row["unit"], language),
                )
                for row in mine.iter_rows(named=True)
            ]
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": say("utilities.service_at", language, service=named, site=scope) if scope else named,
                    "x": mine["year"].to_list(),
                    "y": mine["used_pct"].to_list(),
                    "text": words,
                    "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
                    "line": {"color": _COLOURS[place % len(_COLOURS)]},
                }
            )
        line = {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": 100, "y1": 100, "line": {"dash": "dot"}}
        layout = {
            "title": {"text": say(title, language)},
            "xaxis": {"tickformat": "d"},
            "yaxis": {"title": {"text": say("utilities.axis", language)}, "rangemode": "tozero", "automargin": True},
            "shapes": [line],
            "height": 400,
            "legend": {"orientation": "h", "y": -0.15},
        }
        return {"data": data, "layout": layout}


def serve(plan: Plan, demand: pl.DataFrame) -> Utilities:
    """Hold the demand for each service against the capacity that stands, year by year.

    Parameters
    ----------
    plan : Plan
        With the tables ``utilities`` and ``utility_demands``.
    demand : polars.DataFrame
        What the plants ask for: ``service, site, year, demand, unit, origin, provenance``, as `service_demand` gives it
        for the balance and the years of the design. Between two years it runs straight, after the last it stays (both
        assumed).

    Returns
    -------
    Utilities
    """
    last = max([*plan.meta.horizon, plan.meta.base_year, *demand["year"].to_list()])
    years = np.arange(plan.meta.base_year, last + 1)
    inside = _inside(plan.tables["sites"])
    rows, unknowns = [], []
    for name, service in services().items():
        works = plan.tables["utilities"].filter(service=name)
        for scope, sites in _scopes(works, inside).items():
            own = works if not scope else works.filter(pl.col("site").is_in(sites))
            asked = demand.filter((pl.col("service") == name) & (pl.col("site") == ""))
            if scope:
                asked = _together(demand.filter((pl.col("service") == name) & pl.col("site").is_in(sites)), asked)
            capacity, weak = _capacity(own, plan.meta.base_year, years)
            plants, known = _over_years(asked.sort("year"), years)
            others = _others(plan, name, scope, sites, years)
            if not scope and capacity is None:
                unknowns.append({"item": name, "reason": "no_capacity_of_service"})
            if not known:
                item = f"{name}: {scope}" if scope else name
                unknowns.append({"item": item, "reason": "no_demand_of_service"})
            rows += _rows(scope, name, service.unit, years, capacity, plants, others, weak)
    headroom = pl.DataFrame(rows, schema=_schema("headroom"), orient="row")
    tables = {
        "headroom": headroom,
        "breaks": _breaks(headroom),
        "demand": demand.select(list(_schema("demand"))),
        "unknowns": pl.DataFrame(unknowns, schema=_schema("unknowns"), orient="row"),
    }
    return Utilities(tables=tables, facts={"years": [int(years[0]), int(years[-1])]}, inputs=plan.inputs)


def _inside(sites: pl.DataFrame) -> dict[str, list[str]]:
    """Return every site with itself and all sites inside it."""
    parent = dict(sites.select("site", "parent").iter_rows())
    found: dict[str, list[str]] = {site: [] for site in parent}
    for site in sorted(parent):
        at: str | None = site
        while at is not None:
            found[at].append(site)
            at = parent.get(at)
    return found


def _scopes(works: pl.DataFrame, inside: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Return the whole place (an empty name) and the sites that have works of their own but are not all of it."""
    own = works["site"].drop_nulls().unique().sort().to_list()
    return {"": list(inside)} | {site: inside[site] for site in own if len(inside[site]) < len(inside)}


def _together(parts: pl.DataFrame, whole: pl.DataFrame) -> pl.DataFrame:
    """Return the demand of some sites together in every year of the whole; a site without a row asks for nothing."""
    lost = pl.col("demand").null_count() > 0
    sums = parts.group_by("year").agg(own=pl.when(lost).then(None).otherwise(pl.col("demand").sort().sum()), some=lost)
    joined = whole.join(sums, on="year", how="left", maintain_order="left")
    nothing = pl.when(pl.col("some").is_null()).then(0.0)
    return joined.with_columns(demand=pl.coalesce("own", nothing)).drop("own", "some")


def _schema(table: str) -> dict[str, pl.DataType]:
    return {column.name: column.dtype for column in read_columns(_PACKAGE)[table]}


def _capacity(rows: pl.DataFrame, base: int, years: np.ndarray[Any, Any]) -> tuple[list[float] | None, str]:
    """Return what stands in each year, or None where no works are given."""
    works = list(rows.iter_rows(named=True))
    if not works:
        return None, "user"
    standing = [
        sum(row["capacity"] for row in works if (row["year"] or base) <= year <= (row["until"] or year))
        for year in years
    ]
    weak = "assumed" if any(provenance(row["source"]) == "assumed" for row in works) else "user"
    return standing, weak


def _over_years(rows: pl.DataFrame, years: np.ndarray[Any, Any]) -> tuple[list[float | None], bool]:
    """Return the plants' demand in each year: straight between known years, the first before, the last after."""
    known = rows.drop_nulls("demand")
    if known.is_empty():
        return [None] * years.size, False
    values = np.interp(years, known["year"].to_numpy(), known["demand"].to_numpy())
    return [float(value) for value in values], known.height == rows.height


def _others(plan: Plan, service: str, scope: str, sites: Sequence[str], years: np.ndarray[Any, Any]) -> list[float]:
    """Return the demand of others: of the whole place all of it, of a site what is said of it and what it holds."""
    rows = plan.tables["utility_demands"].filter(service=service)
    rows = rows.filter(pl.col("site").is_in(sites)) if scope else rows
    found = np.zeros(years.size)
    for _, own in rows.group_by("site", maintain_order=True):
        known = own.sort("year")
        found += np.interp(years, known["year"].to_numpy(), known["demand"].to_numpy())
    return [float(value) for value in found]


def _rows(
    scope: str,
    service: str,
    unit: str,
    years: np.ndarray[Any, Any],
    capacity: Sequence[float] | None,
    plants: Sequence[float | None],
    others: Sequence[float],
    weak: str,
) -> list[dict[str, Any]]:
    found = []
    for place, year in enumerate(years):
        stands, own = None if capacity is None else capacity[place], plants[place]
        asked = None if own is None else own + others[place]
        left = None if stands is None or asked is None else stands - asked
        found.append(
            {
                "scope": scope,
                "service": service,
                "year": int(year),
                "capacity": stands,
                "plants": own,
                "others": others[place],
                "demand": asked,
                "headroom": left,
                "used_pct": 100.0 * asked / stands if stands and asked is not None else None,
                "unit": unit,
                "provenance": "assumed" if weak == "assumed" else "computed",
            }
        )
    return found


def _breaks(headroom: pl.DataFrame) -> pl.DataFrame:
    """Return services, of the whole and of sites, in the order in which they break: by the year, then by use."""
    found = []
    for scope, service in headroom.select("scope", "service").unique(maintain_order=True).iter_rows():
        rows = headroom.filter(scope=scope, service=service)
        known = rows.drop_nulls("headroom").sort("year")
        broken = known.filter(pl.col("headroom") < 0)
        worst = known.sort("headroom", "year").row(0, named=True) if known.height else None
        found.append(
            {
                "scope": scope,
                "service": service,
                "breaks_in": _crossing(known, broken["year"][0]) if broken.height else None,
                "worst_year": worst["year"] if worst else None,
                "worst_pct": worst["used_pct"] if worst else None,
                "short_by": max(-worst["headroom"], 0.0) if worst else None,
                "unit": rows["unit"][0],
                "provenance": rows["provenance"][0],
            }
        )
    found.sort(key=lambda row: (row["breaks_in"] is None, row["breaks_in"] or 0.0, -(row["worst_pct"] or -1.0)))
    ranked = [{"rank": rank, **row} for rank, row in enumerate(found, start=1)]
    return pl.DataFrame(ranked, schema=_schema("breaks"), orient="row")


def _crossing(known: pl.DataFrame, year: int) -> float:
    """Return when what is left passes zero on its straight way from the year before; a works' end falls in its year."""
    before = known.filter(pl.col("year") == year - 1)
    after = known.filter(pl.col("year") == year).row(0, named=True)
    if before.is_empty() or before["headroom"][0] < 0 or before["capacity"][0] != after["capacity"]:
        return float(year)
    left = before["headroom"][0]
    return float(year - 1 + left / (left - after["headroom"]))
