"""The engine of trade-offs: a front over economy, environment and society, saved point by point."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl

from cyclopolis.design.alternatives import Alternatives, alternatives
from cyclopolis.design.assemble import Assembly, assemble
from cyclopolis.design.compromise import compromise
from cyclopolis.design.conflict import explain_clash, explain_unbounded
from cyclopolis.design.floored import FrontOptions
from cyclopolis.design.front import Front, front
from cyclopolis.design.front_search import Point
from cyclopolis.design.money import MILLION
from cyclopolis.design.objectives import objectives
from cyclopolis.design.pareto.figures import pareto_figures
from cyclopolis.design.pareto.risk import risk_tables
from cyclopolis.design.pareto.tables import Worked, build_groups, front_tables, work_out
from cyclopolis.design.pose import DesignOptions, Posed, pose, posing
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Objective
from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.plan import Plan

DIMENSIONS = ("economy", "environment", "society")


@dataclass(frozen=True)
class ParetoOptions:
    """What a user can say about a front.

    Parameters
    ----------
    points : int
        Trade-offs wanted.
    year : int, optional
        As for a single design.
    gap : float
        Gap of each point, as a share of the range of the economy.
    time_limit : float
        Seconds for the whole front.
    near : float, optional
        Loss of each dimension, as a share of its range on the front, within which designs count as near the
        compromise: then it is proven which builds all, some or none of them share.
    draws : int, optional
        Draws of prices, yields and demand under which the points of note (best of a dimension, knee, compromise) are
        run again with what they build.
    seed : int
        Of the draws.
    threads : int
        Solves side by side; it changes no point.
    pieces, pipes, one_chain, flexible
        As for a single design.
    """

    points: int = 50
    year: int | None = None
    gap: float = 5e-3
    time_limit: float = 600.0
    near: float | None = None
    draws: int | None = None
    seed: int = 1
    threads: int = 2
    pieces: int = DesignOptions.pieces
    pipes: bool = False
    one_chain: bool = False
    flexible: bool = False


class Pareto(Result):
    """The answer of `pareto`; tables and columns are documented in ``columns.csv``.

    ``facts`` hold the years, why the search ended (complete, enough, time_limit, interrupted, or running while it is
    still at work), the largest box in which trade-offs may still hide, and the effort.
    """

    engine: ClassVar[str] = "pareto"
    columns_package: ClassVar[str] = "cyclopolis.design.pareto"

    def summary(self) -> tuple[Line, ...]:
        """Return how many trade-offs there are, their ranges, knee, compromise and what is not known."""
        points, facts = self.tables["points"], self.facts
        status = message(f"front.status_{facts['status']}")
        lines = [Line(message("front.line_points", status=status), points.height, "1")]
        for dimension, unit, divisor in zip(DIMENSIONS, _units(points), (MILLION, MILLION, 1.0), strict=True):
            for key, value in (("best", points[dimension].max()), ("least", points[dimension].min())):
                lines.append(Line(message(f"front.line_{dimension}_{key}"), _number(value) / divisor, unit))
        for choice in ("knee", "compromise"):
            row = points.filter(pl.col("choice").str.contains(choice))
            lines.append(Line(message(f"front.line_{choice}"), f"{row['point'][0]}" if row.height else None))
        worst = points["gap"].max()
        lines.append(Line(message("front.line_gap"), None if worst is None else 100.0 * _number(worst), "%"))
        lines.append(Line(message("front.line_unexplored"), 100.0 * facts["unexplored_share"], "%"))
        always = self.tables["robust"].filter(pl.col("points") == points.height).height
        lines.append(Line(message("front.line_always"), always, "1"))
        lines.append(Line(message("front.line_violations"), _number(points["violations"].sum()), "1"))
        return tuple(lines)

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return the trade-offs in a cube and on parallel axes; both pick the same points."""
        return pareto_figures(self.tables, language)


def _number(value: object) -> float:
    return float(str(value))


def _units(points: pl.DataFrame) -> tuple[str, str, str]:
    economy = str(points["economy_unit"][0]).replace("CNY", "million CNY")
    return economy, "million CNY", "1"


def _facts(posed: Posed, found: Front | None, options: ParetoOptions) -> dict[str, Any]:
    box = None if found is None else found.unexplored
    return {
        "years": list(posed.years),
        "base_year": posed.plan.meta.base_year,
        "by_present_value": posed.by_present_value,
        "status": "running" if found is None else found.status,
        "ideal": [] if found is None else dict(zip(DIMENSIONS, found.ideal.tolist(), strict=True)),
        "unexplored_share": 1.0 if found is None else 0.0 if box is None else box.share,
        "unexplored": None if box is None else {"lower": box.lower.tolist(), "upper": box.upper.tolist()},
        "solves": 0 if found is None else found.solves,
        "seconds": 0.0 if found is None else round(found.seconds, 3),
        "points_wanted": options.points,
        "gap_asked": options.gap,
        "augment": FrontOptions().augment,
        "resolution": FrontOptions().resolution,
        "time_limit": options.time_limit,
        "near": options.near,
        "draws": options.draws,
        "seed": options.seed,
        "scenario": list(posed.plan.scenario),
    }


def pareto(
    plan: Plan,
    options: ParetoOptions | None = None,
    keep: Callable[[Pareto], None] | None = None,
    progress: Progress = silent,
) -> Pareto:
    """Find the trade-offs between economy, environment and society of a plan, none of which beats another.

    Parameters
    ----------
    plan : Plan
        A valid plan.
    options : ParetoOptions, optional
        How many points, how exact, how long.
    keep : callable, optional
        Gets the result so far whenever a point is found, to be saved at once.
    progress : Progress
        Told how far the search is.

    Returns
    -------
    Pareto
        With Ctrl-C, the points found until then.

    Raises
    ------
    UserError
        If limits clash, nothing was found in time, a dimension has no bound, or an option makes no sense.
    """
    options = ParetoOptions() if options is None else options
    if options.points < len(DIMENSIONS):
        raise user_error("front.too_few_points", least=len(DIMENSIONS), points=options.points)
    posed = pose(plan, posing(options))
    assembly = assemble(posed.whole)
    goals = objectives(posed, assembly)
    book = _Book(posed, assembly, options, keep)
    found = front(assembly.program, goals, _front_options(options), book.sink, progress)
    if found.status == "infeasible":
        raise explain_clash(posed)
    if found.status == "unbounded":
        raise explain_unbounded(posed, assembly)
    if not found.points:
        raise user_error("design.no_time", seconds=options.time_limit)
    near = None
    if options.near is not None and found.status != "interrupted":
        near = _near(posed, assembly, goals, found, options, progress)
    answer = book.result(found.points, found, near)
    if options.draws is None or found.status == "interrupted":
        return answer
    noted = answer.tables["points"].filter(pl.col("choice").is_not_null())["point"].to_list()
    tables = risk_tables(
        posed, assembly, goals, [(number, found.points[number - 1]) for number in noted],
        options.draws, options.seed, SolveOptions(gap=options.gap), options.threads, progress,
    )  # fmt: skip
    return replace(answer, tables={**answer.tables, **tables})


class _Book:
    """Works every point out once and hands the result so far on whenever one more is found."""

    def __init__(
        self, posed: Posed, assembly: Assembly, options: ParetoOptions, keep: Callable[[Pareto], None] | None
    ) -> None:
        self._posed, self._assembly, self._options, self._keep = posed, assembly, options, keep
        self._known: dict[int, Worked] = {}
        self._found: list[Point] = []

    def result(self, points: Sequence[Point], found: Front | None, near: Alternatives | None = None) -> Pareto:
        """Return the answer for some points, numbered as given."""
        for point in points:
            if id(point.natural) not in self._known:
                self._known[id(point.natural)] = work_out(self._posed, self._assembly, point)
        worked = [replace(self._known[id(point.natural)], point=point) for point in points]
        facts = _facts(self._posed, found, self._options)
        return Pareto(front_tables(self._posed, worked, near), facts, self._posed.plan.inputs)

    def sink(self, point: Point) -> None:
        """Take a point in and hand on what is known."""
        self._found.append(point)
        if self._keep is None:
            return
        # one that a later point beats does not stay
        best = [one for one in self._found if not any(_beats(other, one) for other in self._found)]
        self._keep(self.result(sorted(best, key=lambda one: tuple(-one.values)), None))


def _beats(one: Point, other: Point) -> bool:
    """Return whether one point is as good as another in everything and better in something."""
    return bool((one.values >= other.values).all() and (one.values > other.values).any())


def _front_options(options: ParetoOptions) -> FrontOptions:
    return FrontOptions(points=options.points, gap=options.gap, time_limit=options.time_limit, threads=options.threads)


def _near(
    posed: Posed,
    assembly: Assembly,
    goals: Sequence[Objective],
    found: Front,
    options: ParetoOptions,
    progress: Progress,
) -> Alternatives:
    """Return the designs near the compromise and what they share."""
    values = found.values
    middle = found.points[compromise(values).nearest]
    loss = float(options.near or 0.0) * np.maximum(np.ptp(values, axis=0), 1e-9)
    solving = SolveOptions(gap=options.gap, time_limit=options.time_limit)
    groups = build_groups(posed, assembly)
    return alternatives(
        assembly.program, goals, middle.natural, loss, groups, solving, time_limit=options.time_limit, progress=progress
    )
