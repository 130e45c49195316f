"""Runs EPA SWMM 5.2 on the text of an input file and reads what it answers, in SI units.

The solver is one C library with one model in it, so that a process runs one model at a time. It is driven by its own
``open``, ``start``, ``stride``, ``end``: the short ``run`` writes on standard output. Totals come from the solver at
full precision, series from the binary output, everything else from the report's tables.
"""

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.swmm_report import Tables, faults, read_report

Floats = npt.NDArray[np.float64]

FLOW_UNITS = ("CFS", "GPM", "MGD", "CMS", "LPS", "MLD")
FOOT, INCH, GALLON, POUND, ACRE, HECTARE = 0.3048, 25.4, 3.785411784e-3, 0.45359237, 4046.8564224, 1e4
FLOW_M3_S: Mapping[str, float] = {
    "CFS": FOOT**3,
    "GPM": GALLON / 60,
    "MGD": 1e6 * GALLON / 86400,
    "CMS": 1.0,
    "LPS": 1e-3,
    "MLD": 1e3 / 86400,
}
"""m3/s in one of each flow unit that SWMM knows; the first three bring US units for all the rest."""
_LOCK = Lock()
_STRIDE_S = 10_000_000
_RUNOFF = {
    "rain": "rainfall",
    "runoff": "runoff",
    "drained": "drains",
    "infiltration": "infil",
    "evaporation": "evap",
    "storage": "finalStorage",
}
_ROUTING = {
    "dry_weather": "dwInflow",
    "wet_weather": "wwInflow",
    "outflow": "outflow",
    "flooding": "flooding",
    "external": "exInflow",
}
_OFF_SCALE = 1e30
_SYSTEM, _RAIN, _RUNOFF_FLOW, _OUTFALL_FLOW = 15, 1, 4, 11
"""How many values of the whole system a record of the binary output ends with, and the places of three of them."""
_NODE_INFLOW = 4
_TAIL_BYTES = 24
_OUTFLOW = re.compile(
    r"^  \*+ +(\S.*)\n  Quality Routing Continuity +(.+)\n(?:  .*\n)*?  External Outflow \.+ +(.+)$", re.MULTILINE
)
_ONE_THREAD = re.compile(rb"^\s*THREADS\s+1\s", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class Units:
    """The units of one model: its flow unit, and whether depth, volume and mass are in inches, feet and pounds."""

    flow: str

    @property
    def is_us(self) -> bool:
        """Whether the model counts in US units."""
        return self.flow in FLOW_UNITS[:3]

    @property
    def flow_m3_s(self) -> float:
        """m3/s in one flow unit."""
        return FLOW_M3_S[self.flow]

    @property
    def depth_mm(self) -> float:
        """Millimetres in one unit of depth."""
        return INCH if self.is_us else 1.0

    @property
    def million_m3(self) -> float:
        """m3 in one unit of the report's volumes (million gallons or million litres)."""
        return 1e6 * GALLON if self.is_us else 1e3

    @property
    def cubic_m3(self) -> float:
        """m3 in one unit of the solver's volumes (cubic feet or cubic metres)."""
        return FOOT**3 if self.is_us else 1.0

    @property
    def mass_kg(self) -> float:
        """Kilograms in one unit of a load."""
        return POUND if self.is_us else 1.0

    @property
    def area_m2(self) -> float:
        """Square metres in one unit of a subcatchment's area."""
        return ACRE if self.is_us else HECTARE

    @property
    def measure_m2(self) -> float:
        """Square metres in one unit of a measure's area."""
        return FOOT**2 if self.is_us else 1.0


def units_of(model: Inp) -> Units:
    """Return the units that a model counts in; SWMM's own where it says none."""
    return Units((model.option("FLOW_UNITS") or "CFS").upper())


@dataclass(frozen=True)
class Totals:
    """Totals of one run; None where the model has no such part.

    Parameters
    ----------
    depth_mm : mapping
        ``rain, runoff, drained, infiltration, evaporation, storage`` over the whole area; ``drained`` left measures
        through their drains.
    volume_m3 : mapping
        ``dry_weather, wet_weather, outflow, flooding, external`` of the pipes.
    peak_runoff_m3_s, peak_at_h : float or None
        Largest total runoff of all subcatchments and hours from the start of the report.
    outfall_peak_m3_s : float or None
        Largest total inflow of all outfalls.
    washed_kg, discharged_kg : mapping
        Load of each pollutant washed off the surfaces, and through the outfalls; where a model routes nothing, what
        leaves the place. Surfaces that drain to others count each time that water leaves one.
    runoff_error_pct, flow_error_pct : float
        Continuity errors.
    """

    depth_mm: Mapping[str, float | None]
    volume_m3: Mapping[str, float]
    peak_runoff_m3_s: float | None
    peak_at_h: float | None
    outfall_peak_m3_s: float | None
    washed_kg: Mapping[str, float]
    discharged_kg: Mapping[str, float]
    runoff_error_pct: float
    flow_error_pct: float


@dataclass(frozen=True)
class Series:
    """Series at the report's steps: hours from its start, rain in mm/h, flows in m3/s."""

    hours: Floats
    rain_mm_h: Floats
    runoff_m3_s: Floats
    outfall_m3_s: Floats
    by_outfall_m3_s: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What one run gave."""

    units: Units
    totals: Totals
    series: Series
    report: str

    @cached_property
    def tables(self) -> Tables:
        """The tables of the report by their titles, as texts in the model's own units."""
        return read_report(self.report)


def run_swmm(model: bytes, folder: Path, *, name: str = "model.inp") -> Run:
    """Run one model in a folder of its own.

    Parameters
    ----------
    model : bytes
        The input file's text.
    folder : Path
        Where ``model.inp``, ``model.rpt`` and ``model.out`` are written; what stands there is removed before: written
        over, ext4 would put each file on the disk at once, a fifth of all time in a sweep. The option ``THREADS 1`` is
        added at the end, where it moves no line: more threads only get in each other's way.
    name : str
        What the model is called in messages.

    Raises
    ------
    UserError
        With SWMM's own messages and the lines that they name.
    """
    inp, rpt, out = files = [folder / f"model.{ending}" for ending in ("inp", "rpt", "out")]
    for file in files:
        file.unlink(missing_ok=True)
    inp.write_bytes(model if _ONE_THREAD.search(model) else model + b"\n[OPTIONS]\nTHREADS 1\n")
    with _LOCK:
        depths, volumes, errors = _solve(inp, rpt, out, name)
        units, series = _series(out)
    report = rpt.read_text(encoding="utf-8", errors="replace")
    volume = {key: value * units.cubic_m3 for key, value in volumes.items()}
    depth = {key: None if value is None else value * units.depth_mm for key, value in depths.items()}
    runoff = series.runoff_m3_s
    peak = float(runoff.max()) if runoff.size and depth["rain"] is not None else None
    totals = Totals(
        depth_mm=depth,
        volume_m3=volume,
        peak_runoff_m3_s=peak,
        peak_at_h=None if not peak else float(series.hours[runoff.argmax()]),
        outfall_peak_m3_s=_outfall_peak(report, series, units),
        washed_kg=_loads(report, "Subcatchment Washoff Summary", units, skip=0),
        discharged_kg=_loads(report, "Outfall Loading Summary", units, skip=4) or _left(report, units),
        runoff_error_pct=errors[0],
        flow_error_pct=errors[1],
    )
    return Run(units, totals, series, report)


def _solve(
    inp: Path, rpt: Path, out: Path, name: str
) -> tuple[dict[str, float | None], dict[str, float], tuple[float, float]]:
    """Run the solver; raises UserError with what its report says."""
    from swmm.toolkit import solver  # noqa: PLC0415 - a C library, loaded on use

    try:
        try:
            solver.swmm_open(str(inp), str(rpt), str(out))
            solver.swmm_start(1)
            while solver.swmm_stride(_STRIDE_S) > 0:
                pass
            runoff, routing = solver.system_get_runoff_totals(), solver.system_get_routing_totals()
            depths = {key: _known(getattr(runoff, source)) for key, source in _RUNOFF.items()}
            volumes = {key: float(getattr(routing, source)) for key, source in _ROUTING.items()}
            solver.swmm_end()
            errors = solver.swmm_get_mass_balance()
        finally:
            solver.swmm_close()
    except Exception as error:  # the binding raises no narrower type
        raise UserError(_problems(rpt, name, str(error))) from error
    return depths, volumes, (float(errors[0]), float(errors[1]))


def check_swmm(model: bytes, folder: Path, name: str) -> None:
    """Read a model as it stands; raises UserError with SWMM's own messages and the lines that they name."""
    from swmm.toolkit import solver  # noqa: PLC0415 - a C library, loaded on use

    inp, rpt, out = (folder / f"check.{ending}" for ending in ("inp", "rpt", "out"))
    inp.write_bytes(model)
    with _LOCK:
        try:
            try:
                solver.swmm_open(str(inp), str(rpt), str(out))
            finally:
                solver.swmm_close()
        except Exception as error:
            raise UserError(_problems(rpt, name, str(error))) from error


def _known(value: float) -> float | None:
    """Return a number, or None where the model has no area."""
    return float(value) if math.isfinite(value) and abs(value) < _OFF_SCALE else None


def _problems(rpt: Path, name: str, error: str) -> list[Problem]:
    """Return SWMM's own messages as problems."""
    report = rpt.read_text(encoding="utf-8", errors="replace") if rpt.is_file() else ""
    found = faults(report) or [(" ".join(error.split()), None, "")]
    return [
        Problem(message("drainage.swmm_refuses", reason=reason), file=name, row=line, value=text[:80])
        for reason, line, text in found
    ]


def _columns(out: Path, places: Sequence[int]) -> tuple[float, list[Floats]]:
    """Return the hours between two records of the binary output, and the values at some places of all records.

    The file ends with the place of its first record, the number of records, an error code and a magic number (4 bytes
    each); the seconds between two records stand before the first (SWMM 5 Interfacing Guide). One pass over a few
    columns is many times faster than one list of numbers for each. Places are in bytes; those below zero count from
    the end.
    """
    with out.open("rb") as file:
        file.seek(-16, os.SEEK_END)
        begin, count = (int(value) for value in np.fromfile(file, "<i4", 2))
        file.seek(begin - 4)
        step_h = int(np.fromfile(file, "<i4", 1)[0]) / 3600.0
        if not count:
            return step_h, [np.zeros(0) for _ in places]
        width = (out.stat().st_size - _TAIL_BYTES - begin) // count
        names = [f"at{number}" for number in range(len(places))]
        offsets = [place % width for place in places]
        record = np.dtype({"names": names, "formats": ["<f4"] * len(names), "offsets": offsets, "itemsize": width})
        records = np.memmap(file, record, "r", begin, count)
        return step_h, [records[name].astype(np.float64) for name in names]


def _series(out: Path) -> tuple[Units, Series]:
    """Read the flow unit and the series of the whole system, whose values stand last in a record."""
    units = Units(FLOW_UNITS[int(np.fromfile(out, "<i4", 3)[2])])
    step_h, (rain, runoff, outfall) = _columns(out, [4 * (at - _SYSTEM) for at in (_RAIN, _RUNOFF_FLOW, _OUTFALL_FLOW)])
    flow = units.flow_m3_s
    hours: Floats = step_h * np.arange(1, rain.size + 1, dtype=np.float64)
    return units, Series(hours, rain * units.depth_mm, runoff * flow, outfall * flow)


def outfall_series(folder: Path, outfalls: tuple[str, ...], pollutant: int | None = None) -> dict[str, Floats]:
    """Return the inflow of each outfall of the run in a folder, m3/s; one that the output leaves out is missing.

    With the place of a pollutant among the model's it is what the water carries of it, m3/s times its concentration. A
    record holds a date, 8 values of each subcatchment and 6 of each node, each followed by those of the pollutants.
    """
    from swmm.toolkit import output  # noqa: PLC0415 - a C library, loaded on use
    from swmm.toolkit.shared_enum import ElementType  # noqa: PLC0415

    out = folder / "model.out"
    _, _, unit, areas, nodes, _, pollutants = (int(value) for value in np.fromfile(out, "<i4", 7))
    handle = output.init()
    output.open(handle, str(out))
    try:
        names = [output.get_elem_name(handle, ElementType.NODE, index) for index in range(nodes)]
    finally:
        output.close(handle)
    first = [8 + 4 * (areas * (8 + pollutants) + index * (6 + pollutants)) for index in range(nodes)]
    told = {name: place for name, place in zip(names, first, strict=True) if name in outfalls}
    _, inflow = _columns(out, [place + 4 * _NODE_INFLOW for place in told.values()])
    found = [FLOW_M3_S[FLOW_UNITS[unit]] * series for series in inflow]
    if pollutant is not None:
        _, carried = _columns(out, [place + 4 * (6 + pollutant) for place in told.values()])
        found = [series * own for series, own in zip(found, carried, strict=True)]
    return {name: series for name, series in zip(told, found, strict=True) if series.size}


def _outfall_peak(report: str, series: Series, units: Units) -> float | None:
    """Return the largest total outfall inflow: between two reports where the report says so, else of the series."""
    row = re.search(r"Outfall Loading Summary.*?^  System +\S+ +\S+ +(\S+)", report, re.DOTALL | re.MULTILINE)
    if row is None:
        return float(series.outfall_m3_s.max()) if series.outfall_m3_s.size else None
    digits = len(row[1].partition(".")[2])
    printed, shown = float(row[1]) * units.flow_m3_s, float(series.outfall_m3_s.max(initial=0.0))
    return shown if abs(printed - shown) <= 0.51 * 10.0**-digits * units.flow_m3_s else printed


def _loads(report: str, title: str, units: Units, skip: int) -> dict[str, float]:
    """Return the pollutants' totals of a table; those counted in numbers are left out."""
    start = report.find(title)
    if start < 0:
        return {}
    rules = [match.start() for match in re.finditer(r"^  -{20,}", report[start:], re.MULTILINE)][:3]
    if len(rules) < 3:
        return {}
    head = report[start + rules[0] : start + rules[1]].splitlines()
    tail = report[start + rules[2] :].splitlines()
    row = next((line.split() for line in tail[:3] if line.startswith("  System")), None)
    count = len(row) - 1 - skip if row else 0
    if row is None or count < 1:
        return {}
    names, masses = head[-2].split()[-count:], head[-1].split()[-count:]
    kept = zip(names, masses, row[-count:], strict=True)
    return {name: float(value) * units.mass_kg for name, mass, value in kept if mass in {"lbs", "kg"}}


def _left(report: str, units: Units) -> dict[str, float]:
    """Return what of each pollutant leaves the place by the continuity of its routing, up to five a table."""
    found: dict[str, float] = {}
    for head, masses, row in _OUTFLOW.findall(report):
        told = zip(head.split(), masses.split(), row.split(), strict=True)
        found |= {name: float(value) * units.mass_kg for name, mass, value in told if mass in {"lbs", "kg"}}
    return found


def area_m2(model: Inp) -> float:
    """Return the area of all subcatchments of a model."""
    units = units_of(model)
    return sum(float(row.fields[3]) for row in model.rows("SUBCATCHMENTS")) * units.area_m2
