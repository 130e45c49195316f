"""Storm-water cases: a SWMM model by its file, run with one or several of its storms."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.infrastructure.drainage.gages import with_found_files, with_series
from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.swmm import ACRE, FLOW_M3_S, FOOT, GALLON, HECTARE, INCH, POUND, Run, run_swmm
from cyclopolis.study.verify.fields import known_only, listing, mapping, required

_DEPTH = {"in": INCH, "mm": 1.0}
_FLOW = {unit.lower(): size for unit, size in FLOW_M3_S.items()} | {"m3_s": 1.0, "l_s": 1e-3}
_MASS = {"lbs": POUND, "lb": POUND, "kg": 1.0}
_VOLUME = {
    "mgal": 1e6 * GALLON,
    "million_gal": 1e6 * GALLON,
    "10_6_gal": 1e6 * GALLON,
    "gal": GALLON,
    "acre_ft": ACRE * FOOT,
    "acre_feet": ACRE * FOOT,
    "ha_m": HECTARE,
    "ft3": FOOT**3,
    "m3": 1.0,
    "ml": 1e3,
}
"""Units in which a case may ask, and their size in mm, m3/s, kg and m3."""


def solve_swmm(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Run a model once per entry of ``runs``; ``series`` replaces the time series of its rain gages.

    Returns
    -------
    dict
        ``results``: one mapping per run of fields named ``quantity_unit``: ``runoff_in``, ``peak_runoff_cfs``, and so
        on in every unit of its kind; those of a single run stand beside ``results`` too.
    """
    del expected
    known_only(inputs, ("inp", "runs"), "")
    path = Path(str(required(inputs, "inp")))
    try:
        model = with_found_files(Inp.parse(path.read_bytes()), path.parent)
    except OSError as error:
        text = message("verify.no_file", reason=error.strerror)
        raise UserError([Problem(text, column="inputs: inp", value=str(inputs["inp"]))]) from error
    results = []
    for place, entry in enumerate(listing(inputs.get("runs") or [{}], "runs")):
        run = mapping(entry or {}, f"runs.{place + 1}")
        known_only(run, ("series",), f"runs.{place + 1}")
        mine = with_series(model, str(run["series"]), path.name) if run.get("series") is not None else model
        with TemporaryDirectory() as folder:
            results.append(answer(run_swmm(mine.to_bytes(), Path(folder), name=path.name)))
    return {"results": results, **(results[0] if len(results) == 1 else {})}


def answer(run: Run) -> dict[str, float]:
    """Return everything that a case may name of a run, in each unit of its kind."""
    totals = run.totals
    depths, volumes = totals.depth_mm, totals.volume_m3
    found: dict[str, tuple[float | None, Mapping[str, float]]] = {
        "runoff": (depths["runoff"], _DEPTH),
        "surface_runoff": (depths["runoff"], _DEPTH),
        "rainfall": (depths["rain"], _DEPTH),
        "total_rainfall": (depths["rain"], _DEPTH),
        "precipitation": (depths["rain"], _DEPTH),
        "total_precipitation": (depths["rain"], _DEPTH),
        "infiltration": (depths["infiltration"], _DEPTH),
        "evaporation": (depths["evaporation"], _DEPTH),
        "lid_drainage": (depths["drained"], _DEPTH),
        "final_storage": (depths["storage"], _DEPTH),
        "peak_runoff": (totals.peak_runoff_m3_s, _FLOW),
        "outfall_peak": (totals.outfall_peak_m3_s, _FLOW),
        "external_outflow": (volumes["outflow"], _VOLUME),
        "flooding": (volumes["flooding"], _VOLUME),
        "flooding_loss": (volumes["flooding"], _VOLUME),
        "dry_weather_inflow": (volumes["dry_weather"], _VOLUME),
        "wet_weather_inflow": (volumes["wet_weather"], _VOLUME),
    }
    for name in totals.discharged_kg:
        load = totals.discharged_kg[name]
        found |= {form.format(name.lower()): (load, _MASS) for form in ("{}", "{}_load", "outfall_{}")}
        found[f"washoff_{name.lower()}"] = (totals.washed_kg.get(name), _MASS)
    if depths["rain"] and depths["runoff"] is not None:
        found["runoff_coefficient"] = (depths["runoff"] / depths["rain"], {"": 1.0})
    return {
        f"{name}_{unit}".rstrip("_"): value / size
        for name, (value, sizes) in found.items()
        if value is not None
        for unit, size in sizes.items()
    }
