"""Runs the three variants under every storm, and once without rain where there is sewage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from cyclopolis.foundation.progress import Progress
from cyclopolis.foundation.text import message
from cyclopolis.infrastructure.drainage.gages import with_storm
from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.rainfall import Storm
from cyclopolis.infrastructure.drainage.solids import solids_in
from cyclopolis.infrastructure.drainage.swmm import Floats, Run, area_m2, outfall_series, run_swmm
from cyclopolis.infrastructure.drainage.variants import VARIANTS, Prepared

_RAIN_OF_A_DRY_DAY = 5.0


@dataclass(frozen=True)
class Answer:
    """One run: inflow of each outfall (m3/s), the volume (m3) that it has without rain, and its share of the solids."""

    storm: Storm
    variant: str
    run: Run
    outfalls: Mapping[str, Floats]
    dry_m3: Mapping[str, float]
    area_m2: float
    solids_share: Mapping[str, float] = field(default_factory=dict)

    @property
    def step_s(self) -> float:
        """Seconds between two values of a series."""
        hours = self.run.series.hours
        return float(hours[0]) * 3600.0 if hours.size else 0.0

    def volume_m3(self, outfall: str) -> float:
        """Volume through an outfall: its series, scaled so that all together are what the solver summed up."""
        sums = {name: float(series.sum()) for name, series in self.outfalls.items()}
        total = sum(sums.values())
        return self.run.totals.volume_m3["outflow"] * sums[outfall] / total if total > 0 else 0.0


def run_variants(made: Prepared, storms: Sequence[Storm], progress: Progress) -> list[Answer]:
    """Run every variant under every storm, in that order of storms and variants."""
    answers: list[Answer] = []
    count = len(storms) * len(VARIANTS)
    with TemporaryDirectory(prefix="cyclopolis-") as folder:
        for storm in storms:
            for variant in VARIANTS:
                stage = message("drainage.stage_run", storm=storm.name, variant=message(f"drainage.{variant}"))
                progress(stage, len(answers) / count)
                answers.append(_answer(made, storm, variant, Path(folder)))
    return answers


def _answer(made: Prepared, storm: Storm, variant: str, folder: Path) -> Answer:
    plain = made.models[variant]
    model = storm.falls_on(plain)
    name = made.extra.get(variant, "model.inp")
    outfalls = model.names("OUTFALLS")
    run = run_swmm(model.to_bytes(), folder, name=name)
    series = outfall_series(folder, outfalls)
    area = area_m2(model)
    answer = Answer(storm, variant, run, series, {}, area, _solids_share(model, folder, outfalls))
    if run.totals.volume_m3["dry_weather"] <= 0:
        return answer
    dry = with_storm(model, np.zeros(2), _RAIN_OF_A_DRY_DAY)
    without = Answer(
        storm, variant, run_swmm(dry.to_bytes(), folder, name=name), outfall_series(folder, outfalls), {}, area
    )
    return replace(answer, dry_m3={outfall: without.volume_m3(outfall) for outfall in without.outfalls})


def _solids_share(model: Inp, folder: Path, outfalls: tuple[str, ...]) -> dict[str, float]:
    """Return which share of the suspended solids each outfall discharges; empty without such a pollutant or load."""
    name = solids_in(model)
    if name is None:
        return {}
    carried = outfall_series(folder, outfalls, model.names("POLLUTANTS").index(name))
    sums = {outfall: float(series.sum()) for outfall, series in carried.items()}
    total = sum(sums.values())
    return {outfall: own / total for outfall, own in sums.items()} if total > 0 else {}
