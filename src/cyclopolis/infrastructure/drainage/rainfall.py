"""The storms of a plan, and how much of a year's rain is kept: tables become arrays with their provenance."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.infrastructure.drainage.gages import with_series, with_storm
from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.storms import Floats, capture_ratio, chicago_depths, formula_depth
from cyclopolis.library.storm import load_storm_library
from cyclopolis.plan import Plan, provenance

DURATION_MIN, STEP_MIN, PEAK_RATIO = 120.0, 5.0, 0.4
"""Assumed where a storm does not say."""
_DRAIN_H = 12.0
"""Hours that a model goes on after the rain, so that what is kept and what runs off can be told apart."""
_PARAMETERS = ("a_l_s_ha", "c", "b_min", "b_exponent", "n")
_DATE = "%m/%d/%Y %H:%M:%S"


@dataclass(frozen=True)
class Storm:
    """One storm: its rain interval by interval, or the time series of the user's models; and how well it is known."""

    name: str
    kind: str
    depth_mm: Floats
    step_min: float
    series: str = ""
    period_a: float | None = None
    city: str = ""
    parameters: Mapping[str, float | None] = field(default_factory=dict)
    source: str = ""
    provenance: str = "user"

    def falls_on(self, model: Inp) -> Inp:
        """Return a model with this storm, run long enough for it to drain away."""
        if self.kind == "model":
            return with_series(model, self.series)
        wet = with_storm(model, self.depth_mm * 60.0 / self.step_min, self.step_min)
        return lasting(wet, self.depth_mm.size * self.step_min / 60.0 + _DRAIN_H)


def lasting(model: Inp, hours: float) -> Inp:
    """Return a model that runs for at least so many hours."""
    start = _moment(model, "START")
    end = _moment(model, "END")
    wanted = start + timedelta(hours=math.ceil(hours))
    if end >= wanted:
        return model
    return model.set_option("END_DATE", f"{wanted:%m/%d/%Y}").set_option("END_TIME", f"{wanted:%H:%M:%S}")


def _moment(model: Inp, which: str) -> datetime:
    day, time = model.option(f"{which}_DATE") or "01/01/2004", model.option(f"{which}_TIME") or "00:00:00"
    month, date, year = (part.zfill(2) for part in day.replace("-", "/").split("/"))
    parts = [int(float(part)) for part in time.split(":")]
    hours, minutes, seconds = (*parts, 0, 0)[:3]
    first = datetime.strptime(f"{month}/{date}/{year} 00:00:00", _DATE)  # noqa: DTZ007 - SWMM knows no zones
    return first + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def plan_storms(plan: Plan) -> tuple[Storm, ...]:
    """Return the storms of a plan, the most frequent first, then in the order of their identifiers.

    Raises
    ------
    UserError
        If there is none, or its rain is not given in even steps.
    """
    rows = list(plan.tables["storms"].iter_rows(named=True))
    if not rows:
        raise UserError([Problem(message("drainage.no_storms"))])
    makers = {"formula": _by_formula, "series": _by_series, "model": _of_model}
    rows.sort(key=lambda row: (row["return_period_a"] is None, row["return_period_a"] or 0.0, row["storm"]))
    return tuple(makers[row["kind"]](row, plan) for row in rows)


def _by_formula(row: Mapping[str, Any], plan: Plan) -> Storm:
    del plan
    known = formula_row(row["city"])
    values: dict[str, Any] = {name: row[name] if row[name] is not None else known.get(name) for name in _PARAMETERS}
    values["b_exponent"] = values["b_exponent"] or 0.0
    own = all(row[name] is not None for name in ("a_l_s_ha", "c", "b_min", "n"))
    period, minutes = row["return_period_a"], row["duration_min"] or DURATION_MIN
    total = formula_depth(**values, period=period, minutes=minutes)
    ratio = row["peak_ratio"] if row["peak_ratio"] is not None else known.get("peak_ratio", PEAK_RATIO)
    delay = values["b_min"] * period ** values["b_exponent"]
    step = row["step_min"] or STEP_MIN
    depths = chicago_depths(total, minutes, step, delay, values["n"], ratio)
    source = (row["source"] or "") if own else str(known.get("source", ""))
    weak = provenance(row["source"]) if own else str(known["provenance"])
    values |= {"duration_min": minutes, "peak_ratio": ratio}
    return Storm(row["storm"], "formula", depths, step, "", period, row["city"] or "", values, source, weak)


def formula_row(city: str | None) -> Mapping[str, Any]:
    """Return the library's formula of a city or by its identifier; empty where there is none."""
    if not city:
        return {}
    for row in load_storm_library().formulas.iter_rows(named=True):
        if city in (row["formula"], row["city"], row["city_zh"]):
            return row
    return {}


def _by_series(row: Mapping[str, Any], plan: Plan) -> Storm:
    rain = plan.tables["rain"].filter(pl.col("series") == row["series"]).sort("minute")
    minutes = rain["minute"].to_numpy()
    gaps = np.diff(minutes)
    step = float(row["step_min"] or (gaps.min() if gaps.size else STEP_MIN))
    places = (minutes - minutes[0]) / step
    if step <= 0 or np.abs(places - places.round()).max() > 1e-6:
        raise UserError([Problem(message("drainage.uneven_rain", series=row["series"], step=step), file="rain")])
    depths = np.zeros(int(places[-1].round()) + 1)
    depths[places.round().astype(int)] = rain["depth_mm"].to_numpy()
    weak = str(rain.select(provenance(pl.col("source"))).to_series().min())
    return Storm(row["storm"], "series", depths, step, source=row["source"] or "", provenance=weak)


def _of_model(row: Mapping[str, Any], plan: Plan) -> Storm:
    del plan
    return Storm(
        row["storm"], "model", np.zeros(0), 0.0, row["series"], row["return_period_a"], row["city"] or "",
        source=row["source"] or "", provenance=provenance(row["source"]),
    )  # fmt: skip


def daily_depths(plan: Plan) -> Floats:
    """Return the daily rain of a plan without snow, mm."""
    days = plan.tables["daily_rain"].filter(~pl.col("snow").fill_null(value=False))
    return days["depth_mm"].to_numpy().astype(float)


def annual_capture(plan: Plan, kept_mm: float, city: str) -> tuple[float | None, str, str]:
    """Return the share of a year's rain that is kept where ``kept_mm`` of each day are, %.

    Parameters
    ----------
    plan : Plan
    kept_mm : float
        Depth of rain that is kept of a design storm.
    city : str
        City or formula whose row of the library's table of design depths is used where the plan has no daily rain.

    Returns
    -------
    (float or None, str, str)
        The share; None outside the table; what it rests on; provenance.
    """
    days = daily_depths(plan)
    if days.size:
        ratio = capture_ratio(days, kept_mm)
        weak = str(plan.tables["daily_rain"].select(provenance(pl.col("source"))).to_series().min())
        return (None if math.isnan(ratio) else 100.0 * ratio), "daily_rain", weak
    named = formula_row(city)
    names = [city, named.get("city"), named.get("city_zh")]
    table = load_storm_library().capture_depths.filter(pl.col("city").is_in(names) | pl.col("city_zh").is_in(names))
    if table.is_empty():
        return None, "", "memory"
    depth, target = table.sort("depth_mm")["depth_mm"].to_numpy(), table.sort("depth_mm")["target_pct"].to_numpy()
    if not depth[0] <= kept_mm <= depth[-1]:
        return None, str(table["city"][0]), "memory"
    return float(np.interp(kept_mm, depth, target)), str(table["city"][0]), "memory"
