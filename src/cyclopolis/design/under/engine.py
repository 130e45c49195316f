"""The two-stage design of a plan: builds are shared by all scenarios, operation is each one's own.

Every scenario is posed as a plan of its own, with the same candidates and the same sizes; their programmes are joined
at what is built (`stochastic.joined`). Beside the answer stand the best design of each scenario alone (as if it had
been foreseen) and the design of the plan without any scenario, its builds held in each of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import polars as pl

from cyclopolis.design.assemble import Assembly, assemble, read_answer
from cyclopolis.design.checker_years import check_years
from cyclopolis.design.conflict import explain_clash, explain_unbounded
from cyclopolis.design.draws import held
from cyclopolis.design.pose import Alike, DesignOptions, Posed, pose, posing
from cyclopolis.design.program import Answer
from cyclopolis.design.solve import best_answer
from cyclopolis.design.stochastic import joined
from cyclopolis.design.tables_years import investments_table
from cyclopolis.design.tidy import tidy_years
from cyclopolis.design.uncertain import FIRST
from cyclopolis.design.under.figures import under_figures
from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.network.model import Floats, Ints
from cyclopolis.plan import Plan


@dataclass(frozen=True)
class UnderOptions:
    """What a user can say about a design for several scenarios.

    Parameters
    ----------
    year, gap, time_limit
        As for a single design; the time limit is that of each solve.
    worst : float
        Share of worst outcomes of which the mean is made as great as can be (conditional value at risk); 1 for the
        expected value.
    pieces, pipes, one_chain, flexible
        As for a single design.
    """

    year: int | None = None
    gap: float = 1e-3
    time_limit: float = 60.0
    worst: float = 1.0
    pieces: int = DesignOptions.pieces
    pipes: bool = False
    one_chain: bool = False
    flexible: bool = False


class Under(Result):
    """The answer of `design_under`; tables and columns are documented in ``columns.csv``.

    ``facts`` hold the expected value, the mean over the worst share, the bound and gap of what was maximised, the
    expected value of perfect information, and the value of the stochastic solution (None where the design without
    scenarios cannot be run in all of them).
    """

    engine: ClassVar[str] = "under"
    columns_package: ClassVar[str] = "cyclopolis.design.under"

    def summary(self) -> tuple[Line, ...]:
        """Return the expected value, the worst scenario, and what knowing or heeding the scenarios is worth."""
        facts, table = self.facts, self.tables["scenarios"]
        unit = facts["money"]
        worst = table.sort("objective")["scenario"][0]
        share = f"{100.0 * facts['worst']:g}"
        averse = (Line(message("under.line_cvar", share=share), facts["cvar"], unit),) if facts["worst"] < 1 else ()
        return (
            Line(message("under.line_scenarios"), ", ".join(table["scenario"])),
            Line(message("under.line_expected"), facts["expected"], unit),
            *averse,
            Line(message("under.line_worst"), worst),
            Line(message("design.line_gap"), 100.0 * facts["gap"], "%"),
            Line(message("design.line_builds"), self.tables["builds"].height, "1"),
            Line(message("under.line_foresight"), facts["stochastic_solution"], unit),
            Line(message("under.line_information"), facts["perfect_information"], unit),
            Line(message("front.line_violations"), float(table["violations"].sum()), "1"),
        )

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return what the design brings in each scenario, beside the best and beside the one unaware of scenarios."""
        return under_figures(self.tables["scenarios"], str(self.facts["money"]), language)


def _posed(plans: Sequence[Plan], options: DesignOptions) -> list[Posed]:
    """Pose plans side by side, with the same candidates and the same sizes.

    Raises
    ------
    UserError
        If their years or what can be built differ.
    """
    alone = [pose(plan, options) for plan in plans]
    if len({posed.years for posed in alone}) > 1:
        raise user_error("under.years")
    reach: dict[str, float] = {}
    for posed in alone:
        builds = posed.whole.builds
        for plant, largest in zip(builds.plant.tolist(), (builds.largest * builds.units).tolist(), strict=True):
            name = posed.network.plant_ids[plant]
            reach[name] = max(reach.get(name, 0.0), largest)
    both = [pose(plan, options, Alike(reach)) for plan in plans]
    wanted = _ways(both[0])
    for posed in both[1:]:
        found = _ways(posed)
        if found != wanted:
            unlike = sorted({str(way[0]) for way in set(found) ^ set(wanted)})
            scenario = ", ".join(posed.plan.scenario)
            raise user_error("under.unlike", scenario=scenario, plants=", ".join(unlike[:5]))
    return both


def _ways(posed: Posed) -> list[tuple[object, ...]]:
    """Return what can be built: plant, least and largest size of a unit, units; lines by their ends."""
    builds = posed.whole.builds
    network, lines = posed.network, posed.whole.lines
    sizes = zip(*(np.round(part, 6).tolist() for part in (builds.smallest, builds.largest, builds.units)), strict=True)
    ways = [(network.plant_ids[plant], *size) for plant, size in zip(builds.plant.tolist(), sizes, strict=True)]
    if lines is None:
        return ways
    ends = zip(*(part.tolist() for part in (lines.from_site, lines.to_site, lines.commodity, lines.mode)), strict=True)
    return [
        *ways,
        *(
            (f"{network.site_ids[giver]} > {network.site_ids[taker]}: {network.commodity_ids[good]}",
             network.mode_ids[mode])
            for giver, taker, good, mode in ends
        ),
    ]  # fmt: skip


def _first(assembly: Assembly) -> Ints:
    """Return the columns that say what is built, in the same order in all scenarios."""
    years = range(len(assembly.problem.years))
    parts = [assembly.layout.columns[family, year] for family in FIRST for year in years]
    return np.concatenate([np.arange(part.start, part.stop) for part in parts])


def _alone(posed: Posed, assembly: Assembly) -> Answer:
    """Return the best design of one scenario."""
    answer = best_answer(assembly.program, assembly.goal, posed.whole.options)
    if answer.status == "infeasible":
        raise explain_clash(posed)
    if answer.status == "unbounded":
        raise explain_unbounded(posed, assembly)
    if not answer.natural.size:
        raise user_error("design.no_time", seconds=posed.whole.options.time_limit)
    return answer


def _kept(assembly: Assembly, unaware: Floats, firsts: tuple[Ints, Ints]) -> float:
    """Return what a scenario brings with the builds of another design held; NaN where it cannot be run."""
    natural, first = np.zeros(assembly.layout.size), np.zeros(assembly.layout.size, dtype=np.bool_)
    natural[firsts[1]], first[firsts[1]] = unaware[firsts[0]], True
    program = held(assembly.program, natural, first)
    return best_answer(program, assembly.goal, assembly.problem.options).objective


def _mean_of_worst(values: Floats, chances: Floats, share: float) -> float:
    """Return the mean over the worst share of outcomes."""
    order = np.argsort(values, kind="stable")
    before = np.concatenate([[0.0], np.cumsum(chances[order])[:-1]])
    counted = np.clip(share - before, 0.0, chances[order])
    return float(counted @ values[order] / share)


def design_under(
    plan: Plan, scenarios: Mapping[str, Plan], chances: Sequence[float] = (), options: UnderOptions | None = None
) -> Under:
    """Find what to build once for several scenarios, each of which then runs as is best for it.

    Parameters
    ----------
    plan : Plan
        As it stands without a scenario: its design is the one that is unaware of them.
    scenarios : mapping of str to Plan
        The plan under each scenario.
    chances : sequence of float
        Weights of the scenarios, equal when not given; they are divided by their sum.
    options : UnderOptions, optional

    Returns
    -------
    Under

    Raises
    ------
    UserError
        If weights make no sense, if the scenarios differ in years or in what can be built, if one of them has no
        design, or if no design suits all.
    """
    options = UnderOptions() if options is None else options
    weights = np.array(chances or [1.0] * len(scenarios), dtype=np.float64)
    if not scenarios or weights.size != len(scenarios) or not (weights > 0).all() or not 0 < options.worst <= 1:
        raise user_error("under.weights")
    weights /= weights.sum()
    posed = _posed([plan, *scenarios.values()], posing(options))
    assemblies = [assemble(one.whole) for one in posed]
    firsts = [_first(assembly) for assembly in assemblies]
    unaware, *alone = [_alone(*pair) for pair in zip(posed, assemblies, strict=True)]
    own = assemblies[1:]
    form = joined([one.program for one in own], firsts[1:], [one.goal for one in own], weights, options.worst)
    answer = best_answer(form.program, form.objective, posed[0].whole.options)
    if answer.status == "infeasible":
        raise user_error("under.impossible", scenarios=", ".join(scenarios))
    if not answer.natural.size:
        raise user_error("design.no_time", seconds=options.time_limit)
    naturals = form.natural(answer.natural)
    values = np.array([one.goal.value(natural) for one, natural in zip(own, naturals, strict=True)])
    blind = [_kept(one, unaware.natural, (firsts[0], at)) for one, at in zip(own, firsts[1:], strict=True)]
    # what all share can be run in each alone too
    foreseen = np.maximum([one.objective for one in alone], values)
    table = pl.DataFrame(
        {
            "scenario": list(scenarios), "chance": weights, "objective": values, "foreseen": foreseen,
            "unaware": pl.Series(blind, dtype=pl.Float64).fill_nan(None), "regret": foreseen - values,
            "violations": [_wrong(*each, answer) for each in zip(posed[1:], own, naturals, strict=True)],
        }
    )  # fmt: skip
    first = read_answer(own[0], replace(answer, natural=naturals[0]))
    designs = [read_answer(one, each) for one, each in zip(own, alone, strict=True)]
    built = [set(investments_table(*pair)["plant"]) for pair in zip(posed[1:], designs, strict=True)]
    builds = investments_table(posed[1], first).with_columns(
        scenarios_alone=pl.col("plant").map_elements(
            lambda plant: sum(plant in one for one in built), return_dtype=pl.Int64
        )
    )
    columns = {name: [column.name for column in known] for name, known in Under.columns().items()}
    tables = {"scenarios": table, "builds": builds.select(columns["builds"])}
    read = {name: digest for one in (plan, *scenarios.values()) for name, digest in one.inputs.items()}
    return Under(tables=tables, facts=_facts(posed[0], answer, table, options), inputs=dict(sorted(read.items())))


def _wrong(posed: Posed, assembly: Assembly, natural: Floats, answer: Answer) -> int:
    """Return how many things the checker that knows nothing of the programme finds wrong in one scenario."""
    clean = tidy_years(posed.whole, read_answer(assembly, replace(answer, natural=natural)))
    return len(check_years(posed.whole, clean))


def _facts(posed: Posed, answer: Answer, table: pl.DataFrame, options: UnderOptions) -> dict[str, Any]:
    chance = table["chance"].to_numpy()
    expected, foreseen = (float(chance @ table[name].to_numpy()) for name in ("objective", "foreseen"))
    known = table["unaware"].null_count() == 0
    return {
        "years": list(posed.years),
        "by_present_value": posed.by_present_value,
        "money": "CNY" if posed.by_present_value else "CNY/a",
        "status": answer.status,
        "objective": answer.objective,
        "bound": answer.bound,
        "gap": answer.gap,
        "worst": options.worst,
        "expected": expected,
        "cvar": _mean_of_worst(table["objective"].to_numpy(), chance, options.worst),
        "perfect_information": foreseen - expected,
        "stochastic_solution": expected - float(chance @ table["unaware"].to_numpy()) if known else None,
        "seconds": round(answer.seconds, 3),
        "gap_asked": options.gap,
        "time_limit": options.time_limit,
    }
