"""The drainage engine: what a storm does before development, with pipes alone, and with sponge measures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.infrastructure.drainage import tables
from cyclopolis.infrastructure.drainage.answers import Answer, run_variants
from cyclopolis.infrastructure.drainage.rainfall import Storm, plan_storms
from cyclopolis.infrastructure.drainage.search import Designs, search_designs
from cyclopolis.infrastructure.drainage.swmm_report import warnings
from cyclopolis.infrastructure.drainage.variants import VARIANTS, Prepared, prepare
from cyclopolis.plan import Plan


@dataclass(frozen=True)
class DrainOptions:
    """How to drain.

    Parameters
    ----------
    storm : str, optional
        The one storm to run; all by default. Designs are looked for under the first of those run.
    designs : int
        SWMM runs spent on the choice of measures; 0 leaves the measures as the plan says.
    seed : int
        Of the search.
    workers : int, optional
        Processes of the search; as many as there are cores by default.
    keep : Path, optional
        File that holds every finished design, so that an interrupted search goes on where it stopped.
    """

    storm: str | None = None
    designs: int = 0
    seed: int = 1
    workers: int | None = None
    keep: Path | None = None


@dataclass(frozen=True)
class Drain(Result):
    """The answer of `drain`; the tables are documented in ``columns.csv`` beside this file."""

    engine: ClassVar[str] = "drainage"
    columns_package: ClassVar[str] = tables.PACKAGE

    def summary(self) -> tuple[Line, ...]:
        """Return runoff, peak and what is kept of the first storm in each variant, and the cost of the measures."""
        storms = self.tables["storms"]
        first = storms["storm"][0]
        rows = {row["variant"]: row for row in self.tables["variants"].filter(storm=first).iter_rows(named=True)}
        weak = storms["provenance"][0]
        lines = [Line(message("drainage.line_rain", storm=first), storms["depth_mm"][0], "mm", weak)]
        for key, column, unit in (
            ("runoff", "surface_mm", "mm"),
            ("peak", "peak_m3_s", "m3/s"),
            ("captured", "captured_pct", "%"),
            ("flooded", "flooded_m3", "m3"),
        ):
            lines += [
                Line(
                    message(f"drainage.line_{key}", variant=message(f"drainage.{name}")),
                    rows[name][column],
                    unit,
                    rows[name]["provenance"],
                )
                for name in VARIANTS
            ]
        sponge = rows["sponge"]
        lines.append(Line(message("drainage.line_cost"), sponge["cost"], "million CNY", sponge["provenance"]))
        for name in VARIANTS[1:]:
            text = message("drainage.line_total_cost", variant=message(f"drainage.{name}"))
            lines.append(Line(text, rows[name]["total_cost"], "million CNY", rows[name]["cost_provenance"]))
        kept = self.tables["capture"].filter(storm=first, variant="sponge").filter(pl.col("annual_pct").is_not_null())
        lines += [
            Line(message("drainage.line_annual", basis=row["basis"]), row["annual_pct"], "%", row["provenance"])
            for row in kept.iter_rows(named=True)
        ]
        front = int(self.tables["designs"]["on_front"].sum())
        return (*lines, Line(message("drainage.line_front"), float(front), "1")) if front else tuple(lines)

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return the comparison of variants, the hydrographs, and the front of designs where there is one."""
        from cyclopolis.infrastructure.drainage.figures import drainage_figures  # noqa: PLC0415 - drawn on demand

        return drainage_figures(self.tables, language)


def drain(plan: Plan, options: DrainOptions | None = None, *, progress: Progress = silent) -> Drain:
    """Run a plan's storms on its three variants, and look for better measures where asked to.

    Parameters
    ----------
    plan : Plan
        With ``catchments``, ``outlets`` and ``storms``, or with SWMM models of its own (``drainage_models``).
    options : DrainOptions, optional
    progress : Progress
        Told of each run.

    Returns
    -------
    Drain

    Raises
    ------
    UserError
        If there is nothing to drain, a storm or file is missing, SWMM refuses a model, or measures do not fit.

    Examples
    --------
    >>> from cyclopolis.examples import example
    >>> from cyclopolis.plan import read_plan
    >>> answer = drain(read_plan(example("sponge")), DrainOptions(storm="2-year"))
    >>> [round(depth / 25.4, 3) for depth in answer.tables["variants"]["surface_mm"]]
    [0.047, 0.533, 0.232]
    """
    options = DrainOptions() if options is None else options
    storms = plan_storms(plan)
    if options.storm is not None:
        names = [storm.name for storm in storms]
        storms = tuple(storm for storm in storms if storm.name == options.storm)
        if not storms:
            raise user_error("drainage.no_storm", storm=options.storm, known=", ".join(names))
    made = prepare(plan)
    answers = run_variants(made, storms, progress)
    found = _designs(plan, made, storms[0], options, progress)
    rain = next(answer.run.totals.depth_mm["rain"] or 0.0 for answer in answers)
    return Drain(
        tables=_tables(plan, made, storms, answers, found, rain),
        facts=_facts(options, answers, found),
        inputs=plan.inputs,
    )


def _designs(plan: Plan, made: Prepared, storm: Storm, options: DrainOptions, progress: Progress) -> Designs | None:
    if options.designs < 1:
        return None
    if not any(measure.max_area_m2 > 0 for measure in made.options):
        raise user_error("drainage.no_choice")
    writer = made.writer(storm.falls_on(made.base), plan)
    return search_designs(
        writer, options.designs, options.seed, workers=options.workers, keep=options.keep, progress=progress
    )


def _tables(
    plan: Plan,
    made: Prepared,
    storms: Sequence[Storm],
    answers: Sequence[Answer],
    found: Designs | None,
    rain_mm: float,
) -> dict[str, pl.DataFrame]:
    variants = [tables.variant_row(answer, made) for answer in answers]
    discharges = [row for answer in answers for row in tables.outlet_rows(answer, made.called, plan)]
    designs, areas = tables.design_frames(found, made, rain_mm)
    rows = {
        "storms": tables.storm_rows(storms, answers),
        "variants": variants,
        "areas": [row for answer in answers for row in tables.area_rows(answer, made.called)],
        "nodes": [row for answer in answers for row in tables.node_rows(answer, made.called)],
        "pipes": [row for answer in answers for row in tables.pipe_rows(answer, made.called)],
        "discharges": discharges,
        "separation": tables.separation_rows(discharges),
        "measures": tables.measure_rows(made.standing),
        "capture": tables.capture_rows(plan, variants, storms, made.standing),
        "design_depths": tables.design_depth_rows(plan, storms),
        "unknowns": [{"item": item, "reason": reason} for item, reason in (*made.assumed, *tables.lacking(variants))],
    }
    made_frames = {name: tables.frame(name, entries) for name, entries in rows.items()}
    made_frames |= {"hydrographs": tables.hydrograph_frame(answers), "designs": designs, "design_areas": areas}
    return {name: made_frames[name] for name in Drain.columns()}


def _facts(options: DrainOptions, answers: Sequence[Answer], found: Designs | None) -> dict[str, Any]:
    said = {answer.variant: list(warnings(answer.run.report)) for answer in answers}
    return {
        "storm": options.storm,
        "designs": options.designs,
        "seed": options.seed,
        "warnings": {variant: words for variant, words in said.items() if words},
        "designs_failed": [problem.render("en") for problem in found.problems] if found else [],
    }
