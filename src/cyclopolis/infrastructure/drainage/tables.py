"""Turns runs into the tables of the answer; units are SI, names are the plan's."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from cyclopolis.foundation.columns import Column, read_columns
from cyclopolis.infrastructure.drainage.answers import Answer
from cyclopolis.infrastructure.drainage.rainfall import Storm, annual_capture, daily_depths, formula_row
from cyclopolis.infrastructure.drainage.search import Designs
from cyclopolis.infrastructure.drainage.solids import SOLIDS, solids
from cyclopolis.infrastructure.drainage.storms import design_depth
from cyclopolis.infrastructure.drainage.variants import Prepared, Standing
from cyclopolis.library.storm import load_storm_library
from cyclopolis.plan import Plan, provenance

PACKAGE = "cyclopolis.infrastructure.drainage"
TARGETS = (60.0, 70.0, 75.0, 80.0, 85.0)
MOST_LOST_PCT = 10.0
"""Continuity error of SWMM from which its user's manual calls results doubtful."""
_LITTLE_M3 = 10.0
_WORST = ("measured", "user", "seen", "computed", "memory", "assumed")
Rows = list[dict[str, Any]]


def frame(table: str, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Return rows as the documented table."""
    columns: Sequence[Column] = read_columns(PACKAGE)[table]
    schema = {column.name: column.dtype for column in columns}
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema, orient="row")


def worst(*classes: str) -> str:
    """Return the weakest of some provenance classes.

    Examples
    --------
    >>> worst("user", "memory", "computed")
    'memory'
    """
    return max(classes, key=_WORST.index)


def storm_rows(storms: Sequence[Storm], answers: Sequence[Answer]) -> Rows:
    """Return what each storm is; that of a time series of a model is what the model received."""
    rain = {answer.storm.name: answer.run.totals.depth_mm["rain"] for answer in answers}
    series = {answer.storm.name: answer.run.series for answer in answers}
    found = []
    for storm in storms:
        wet = series[storm.name].rain_mm_h
        rates = storm.depth_mm * 60.0 / storm.step_min if storm.depth_mm.size else wet
        last = float(series[storm.name].hours[np.flatnonzero(wet > 0)[-1]]) * 60.0 if (wet > 0).any() else None
        duration = storm.parameters.get("duration_min") or (
            storm.depth_mm.size * storm.step_min if storm.depth_mm.size else last
        )
        found.append(
            {
                "storm": storm.name,
                "kind": storm.kind,
                "return_period_a": storm.period_a,
                "depth_mm": float(storm.depth_mm.sum()) if storm.depth_mm.size else rain[storm.name],
                "duration_min": duration,
                "most_mm_h": float(rates.max(initial=0.0)),
                **{key: storm.parameters.get(key) for key in ("a_l_s_ha", "c", "b_min", "b_exponent", "n")},
                "origin": storm.source or storm.series,
                "provenance": storm.provenance,
            }
        )
    return found


def variant_row(answer: Answer, made: Prepared) -> dict[str, Any]:
    """Return the few numbers that compare variants."""
    totals, depth = answer.run.totals, answer.run.totals.depth_mm
    rain, surface = depth["rain"], depth["runoff"]
    runoff = None if surface is None else surface + (depth["drained"] or 0.0)
    flow = answer.run.series.outfall_m3_s
    costs = [one.cost for one in made.standing] if answer.variant == "sponge" else [0.0]
    known = [cost for cost in costs if cost is not None]
    full = [row for row in answer.run.tables.get("Conduit Surcharge Summary", ()) if float(row[1]) > 0]
    classes = [one.cost_provenance for one in made.standing if answer.variant == "sponge"]
    pipes = made.pipes.get(answer.variant)
    return {
        "storm": answer.storm.name,
        "variant": answer.variant,
        "rain_mm": rain,
        "runoff_mm": runoff,
        "surface_mm": surface,
        "runoff_m3": None if runoff is None else runoff / 1000.0 * answer.area_m2,
        "runoff_coefficient": runoff / rain if rain and runoff is not None else None,
        "captured_pct": 100.0 * (1.0 - runoff / rain) if rain and runoff is not None else None,
        "peak_m3_s": totals.outfall_peak_m3_s,
        "peak_at_h": float(answer.run.series.hours[flow.argmax()]) if flow.size and flow.max() > 0 else None,
        "ss_kg": solids(totals.discharged_kg),
        "flooded_m3": totals.volume_m3["flooding"],
        "surcharged_pipes": len(full),
        "cost": math.fsum(known),
        "pipe_cost": 0.0 if pipes is None else pipes.million_cny,
        "pipe_m": 0.0 if pipes is None else pipes.priced_m,
        "unpriced_m": 0.0 if pipes is None else pipes.unpriced_m,
        "total_cost": math.fsum(known) + (0.0 if pipes is None else pipes.million_cny),
        "cost_provenance": worst("computed", *classes, *([] if pipes is None else [pipes.provenance])),
        "error_pct": max(abs(totals.runoff_error_pct), abs(totals.flow_error_pct)),
        "provenance": worst(made.provenance, answer.storm.provenance, *classes),
    }


def lacking(variants: Rows) -> list[tuple[str, str]]:
    """Return what the comparison of variants does not know, and why.

    Loads without a pollutant, channels without a price, and runs in which more water is lost than can be trusted.
    """
    found = {(row["variant"], "drainage_no_ss") for row in variants if row["ss_kg"] is None}
    found |= {
        (row["variant"], "drainage_unsound")
        for row in variants
        if row["error_pct"] > MOST_LOST_PCT and (row["runoff_m3"] or 0.0) > _LITTLE_M3
    }
    found |= {(row["variant"], "drainage_unpriced") for row in variants if row["unpriced_m"] > 0}
    return sorted(found)


def _where(answer: Answer) -> dict[str, Any]:
    return {"storm": answer.storm.name, "variant": answer.variant}


def area_rows(answer: Answer, called: Mapping[str, str]) -> Rows:
    """Return SWMM's summary of each subcatchment."""
    mm, flow = answer.run.units.depth_mm, answer.run.units.flow_m3_s
    return [
        {
            **_where(answer),
            "catchment": called.get(row[0], row[0]),
            "rain_mm": float(row[1]) * mm,
            "runon_mm": float(row[2]) * mm,
            "infiltration_mm": float(row[4]) * mm,
            "runoff_mm": float(row[-4]) * mm,
            "peak_m3_s": float(row[-2]) * flow,
            "runoff_coefficient": float(row[-1]),
        }
        for row in answer.run.tables.get("Subcatchment Runoff Summary", ())
    ]


def node_rows(answer: Answer, called: Mapping[str, str]) -> Rows:
    """Return the manholes that water leaves."""
    units = answer.run.units
    return [
        {
            **_where(answer),
            "node": called.get(row[0], row[0]),
            "flooded_h": float(row[1]),
            "most_m3_s": float(row[2]) * units.flow_m3_s,
            "flooded_m3": float(row[5]) * units.million_m3,
        }
        for row in answer.run.tables.get("Node Flooding Summary", ())
    ]


def pipe_rows(answer: Answer, called: Mapping[str, str]) -> Rows:
    """Return how full each pipe runs."""
    full = {row[0]: float(row[1]) for row in answer.run.tables.get("Conduit Surcharge Summary", ())}
    return [
        {
            **_where(answer),
            "conduit": called.get(row[0], row[0]),
            "most_m3_s": float(row[2]) * answer.run.units.flow_m3_s,
            "most_of_full": float(row[-2]),
            "most_depth": float(row[-1]),
            "surcharged_h": full.get(row[0], 0.0),
        }
        for row in answer.run.tables.get("Link Flow Summary", ())
        if row[1] in {"CONDUIT", "CHANNEL"}
    ]


def outlet_rows(answer: Answer, called: Mapping[str, str], plan: Plan) -> Rows:
    """Return what reaches each outlet, what of it the rain brings, and how far a plant's capacity goes."""
    known = {row["outlet"]: row for row in plan.tables["outlets"].iter_rows(named=True)}
    loads = _outfall_loads(answer)
    ends: dict[str, list[str]] = {}
    for outfall in answer.outfalls:
        ends.setdefault(called.get(outfall, outfall), []).append(outfall)
    found = []
    for name, own in ends.items():
        outlet = known.get(name, {"kind": "storm", "capacity_m3_d": None})
        capacity = outlet["capacity_m3_d"]
        series = np.sum([answer.outfalls[outfall] for outfall in own], axis=0)
        volume = math.fsum(answer.volume_m3(outfall) for outfall in own)
        dry = math.fsum(answer.dry_m3.get(outfall, 0.0) for outfall in own)
        load = [loads[outfall] for outfall in own if outfall in loads]
        peak = float(series.max(initial=0.0))
        rate = capacity / 86400.0 if capacity else None
        found.append(
            {
                **_where(answer),
                "outlet": name,
                "outlet_kind": outlet["kind"],
                "volume_m3": volume,
                "dry_m3": min(dry, volume),
                "rain_m3": max(volume - dry, 0.0),
                "peak_m3_s": peak,
                "ss_kg": math.fsum(load) if load else None,
                "capacity_m3_d": capacity,
                "peak_over_capacity": peak / rate if rate else None,
                "over_capacity_m3": None
                if rate is None
                else float(np.maximum(series - rate, 0.0).sum() * answer.step_s),
            }
        )
    return found


def _outfall_loads(answer: Answer) -> dict[str, float]:
    """Return the suspended solids through each outfall, kg: as reported, else by the outfalls' shares of the total."""
    names = list(answer.run.totals.discharged_kg)
    if "Outfall Loading Summary" not in answer.run.tables:
        total = solids(answer.run.totals.discharged_kg)
        return {} if total is None else {name: share * total for name, share in answer.solids_share.items()}
    place = next((at for at, name in enumerate(names) if name.upper() in SOLIDS), None)
    if place is None:
        return {}
    column = place - len(names)
    rows = answer.run.tables.get("Outfall Loading Summary", ())
    return {row[0]: float(row[column]) * answer.run.units.mass_kg for row in rows if len(row) == 5 + len(names)}


def separation_rows(discharges: Rows) -> Rows:
    """Return how much of the rain no longer reaches each treatment plant."""
    rain = {(row["storm"], row["variant"], row["outlet"]): row["rain_m3"] for row in discharges}
    storm_m3: dict[tuple[str, str], float] = {}
    for row in discharges:
        if row["outlet_kind"] == "storm":
            at = (row["storm"], row["variant"])
            storm_m3[at] = storm_m3.get(at, 0.0) + row["rain_m3"]
    found = []
    for row in discharges:
        if row["outlet_kind"] != "plant" or row["variant"] != "grey":
            continue
        storm, outlet, before = row["storm"], row["outlet"], row["rain_m3"]
        after = rain.get((storm, "sponge", outlet), 0.0)
        moved = storm_m3.get((storm, "sponge"), 0.0) - storm_m3.get((storm, "grey"), 0.0)
        share = 100.0 * (1.0 - after / before) if before > 0 else None
        found.append(
            {
                "storm": storm, "outlet": outlet, "before_m3": before, "after_m3": after, "moved_pct": share,
                "to_storm_m3": moved,
            }
        )  # fmt: skip
    return found


def measure_rows(standing: Sequence[Standing]) -> Rows:
    """Return the measures of the sponge variant."""
    middle = _removals()
    return [
        {
            "catchment": one.catchment,
            "measure": one.kind,
            "area_m2": one.area_m2,
            "max_area_m2": one.max_area_m2,
            "treated_pct": one.treated_pct,
            "cost": one.cost,
            "ss_removal_pct": middle[one.kind],
            "origin": one.source,
            "provenance": one.cost_provenance,
        }
        for one in standing
    ]


def _removals() -> dict[str, float | None]:
    table = load_storm_library().measures.with_columns(middle=(pl.col("ss_low_pct") + pl.col("ss_high_pct")) / 2)
    return dict(table.select("measure", "middle").iter_rows())


def capture_rows(plan: Plan, variants: Rows, storms: Sequence[Storm], standing: Sequence[Standing]) -> Rows:
    """Return the annual capture ratio that belongs to what each variant keeps of each storm."""
    cities = {storm.name: storm.city for storm in storms}
    removal = _mean_removal(standing)
    found = []
    for row in variants:
        if row["rain_mm"] is None or row["runoff_mm"] is None:
            continue
        kept = row["rain_mm"] - row["runoff_mm"]
        annual, basis, weak = annual_capture(plan, kept, cities[row["storm"]])
        removed = annual * removal / 100 if annual is not None and removal and row["variant"] == "sponge" else None
        found.append(
            {
                "variant": row["variant"], "storm": row["storm"], "kept_mm": kept, "annual_pct": annual,
                "ss_removed_pct": removed, "basis": basis, "provenance": worst(weak, row["provenance"]),
            }
        )  # fmt: skip
    return found


def _mean_removal(standing: Sequence[Standing]) -> float | None:
    """Return the measures' removal of suspended solids, weighted by area; None where one of them is unknown."""
    middle = _removals()
    pairs = [(one.area_m2, middle[one.kind]) for one in standing if one.area_m2 > 0]
    if not pairs or any(share is None for _, share in pairs):
        return None
    return sum(area * (share or 0.0) for area, share in pairs) / sum(area for area, _ in pairs)


def design_depth_rows(plan: Plan, storms: Sequence[Storm]) -> Rows:
    """Return the design rainfall depth of each target, from daily rain or from the library's table of the city."""
    days = daily_depths(plan)
    if days.size:
        weak = str(plan.tables["daily_rain"].select(provenance(pl.col("source"))).to_series().min())
        return [
            {"target_pct": target, "depth_mm": depth, "basis": "daily_rain", "provenance": worst("computed", weak)}
            for target in TARGETS
            if not math.isnan(depth := design_depth(days, target / 100.0))
        ]
    names = {word for storm in storms for word in (storm.city, *map(formula_row(storm.city).get, ("city", "city_zh")))}
    table = load_storm_library().capture_depths.filter(
        pl.col("city").is_in(sorted(filter(None, names))) | pl.col("city_zh").is_in(sorted(filter(None, names)))
    )
    return [
        {"target_pct": row["target_pct"], "depth_mm": row["depth_mm"], "basis": row["city"], "provenance": "memory"}
        for row in table.iter_rows(named=True)
    ]


def hydrograph_frame(answers: Sequence[Answer]) -> pl.DataFrame:
    """Return every hydrograph step by step."""
    tables = [frame("hydrographs", [])]
    for answer in answers:
        series = answer.run.series
        count = series.hours.size
        tables.append(
            pl.DataFrame(
                {
                    "storm": [answer.storm.name] * count,
                    "variant": [answer.variant] * count,
                    "hour": series.hours,
                    "rain_mm_h": series.rain_mm_h,
                    "flow_m3_s": series.outfall_m3_s,
                }
            )
        )
    return pl.concat(tables)


def design_frames(found: Designs | None, made: Prepared, rain_mm: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the designs, and the areas of each; a catchment that was split is put together again."""
    if found is None:
        return frame("designs", []), frame("design_areas", [])
    numbers = np.arange(1, found.cost.size + 1)
    runoff, peak, load, flooded = (found.answers[:, k] for k in range(4))
    designs = pl.DataFrame(
        {
            "design": numbers,
            "cost": found.cost,
            "captured_pct": 100.0 * (1.0 - runoff / rain_mm),
            "runoff_mm": runoff,
            "peak_m3_s": pl.Series(peak).fill_nan(None),
            "ss_kg": pl.Series(load).fill_nan(None),
            "flooded_m3": flooded,
            "on_front": found.front,
        }
    )
    shares = made.spread > 0
    rows = [
        {
            "design": int(number),
            "catchment": one.measure.catchment,
            "measure": one.measure.kind,
            "area_m2": float(areas[shares[:, place]].sum()),
        }
        for number, areas in zip(numbers, found.areas_m2, strict=True)
        if found.front[number - 1]
        for place, one in enumerate(made.planned)
    ]
    return designs, frame("design_areas", rows)
