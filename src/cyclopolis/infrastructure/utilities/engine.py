"""The utilities engine: which public works break first as a place grows."""

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
        """Return the share of each capacity that is used, year by year."""
        rows = self.tables["headroom"].drop_nulls("used_pct")
        data: list[dict[str, Any]] = []
        for place, service in enumerate(services()):
            mine = rows.filter(service=service)
            if mine.is_empty():
                continue
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
                    "name": say(f"service.{service}", language),
                    "x": mine["year"].to_list(),
                    "y": mine["used_pct"].to_list(),
                    "text": words,
                    "hovertemplate": "%{text}<extra>%{fullData.name}</extra>",
                    "line": {"color": _COLOURS[place % len(_COLOURS)]},
                }
            )
        line = {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": 100, "y1": 100, "line": {"dash": "dot"}}
        layout = {
            "title": {"text": say("utilities.figure", language)},
            "xaxis": {"tickformat": "d"},
            "yaxis": {"title": {"text": say("utilities.axis", language)}, "rangemode": "tozero", "automargin": True},
            "shapes": [line],
            "height": 400,
            "legend": {"orientation": "h", "y": -0.15},
        }
        return {"used": {"data": data, "layout": layout}}


def serve(plan: Plan, demand: pl.DataFrame) -> Utilities:
    """Hold the demand for each service against the capacity that stands, year by year.

    Parameters
    ----------
    plan : Plan
        With the tables ``utilities`` and ``utility_demands``.
    demand : polars.DataFrame
        What the plants ask for: ``service, year, demand, unit, origin, provenance``, as `service_demand` gives it for
        the balance and the design. Between two years it runs straight, after the last it stays (both assumed).

    Returns
    -------
    Utilities
    """
    last = max([*plan.meta.horizon, plan.meta.base_year, *demand["year"].to_list()])
    years = np.arange(plan.meta.base_year, last + 1)
    rows, unknowns = [], []
    for name, service in services().items():
        capacity, weak = _capacity(plan, name, years)
        plants, known = _over_years(demand.filter(service=name).sort("year"), years)
        others = _others(plan, name, years)
        if capacity is None:
            unknowns.append({"item": name, "reason": "no_capacity_of_service"})
        if not known:
            unknowns.append({"item": name, "reason": "no_demand_of_service"})
        rows += _rows(name, service.unit, years, capacity, plants, others, weak)
    headroom = pl.DataFrame(rows, schema=_schema("headroom"), orient="row")
    tables = {
        "headroom": headroom,
        "breaks": _breaks(headroom),
        "demand": demand.select(list(_schema("demand"))),
        "unknowns": pl.DataFrame(unknowns, schema=_schema("unknowns"), orient="row"),
    }
    return Utilities(tables=tables, facts={"years": [int(years[0]), int(years[-1])]}, inputs=plan.inputs)


def _schema(table: str) -> dict[str, pl.DataType]:
    return {column.name: column.dtype for column in read_columns(_PACKAGE)[table]}


def _capacity(plan: Plan, service: str, years: np.ndarray[Any, Any]) -> tuple[list[float] | None, str]:
    """Return what stands in each year, or None where no works are given."""
    works = list(plan.tables["utilities"].filter(service=service).iter_rows(named=True))
    if not works:
        return None, "user"
    base = plan.meta.base_year
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


def _others(plan: Plan, service: str, years: np.ndarray[Any, Any]) -> list[float]:
    rows = plan.tables["utility_demands"].filter(service=service).sort("year")
    if rows.is_empty():
        return [0.0] * years.size
    return [float(value) for value in np.interp(years, rows["year"].to_numpy(), rows["demand"].to_numpy())]


def _rows(
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
    """Return the services in the order in which they break: by the year, then by how much of them is used."""
    found = []
    for service in services():
        rows = headroom.filter(service=service)
        known = rows.drop_nulls("headroom").sort("year")
        broken = known.filter(pl.col("headroom") < 0)
        worst = known.sort("headroom", "year").row(0, named=True) if known.height else None
        found.append(
            {
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
