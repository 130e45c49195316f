"""The design engine: what to exchange, build and run over the years of a plan, with a proven gap."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import polars as pl

from cyclopolis.design.alike import merge_alike, spread_members
from cyclopolis.design.assemble import assemble, read_answer
from cyclopolis.design.breakeven import proposed_table
from cyclopolis.design.conflict import explain_clash, explain_unbounded
from cyclopolis.design.figures import design_figures
from cyclopolis.design.money import MILLION
from cyclopolis.design.pools import compact
from cyclopolis.design.pose import DesignOptions, Posed, pose
from cyclopolis.design.reasons import explained
from cyclopolis.design.solve import best_answer
from cyclopolis.design.tables import design_tables, yearly_capital
from cyclopolis.design.tables_years import at_target, year_states, year_tables
from cyclopolis.design.tidy import tidy_years
from cyclopolis.design.years import YearsSolution
from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.plan import Plan

SHOWN = ("water", "power", "energy", "co2", "co2_power", "landfill", "waste_reused", "jobs")
"""Quantities whose change the summary names."""
_TINY_GAP = 1e-5
"""Gap below which the summary only says that it is smaller."""


class Design(Result):
    """The answer of `design`; tables and columns are documented in ``columns.csv``.

    ``facts`` hold the years, the status (optimal, time_limit or interrupted), objective, bound and gap (over the base
    year, capital paid: CNY of net present value, or CNY per year where one year is designed for), seconds, and the
    sizes of the problem.
    """

    engine: ClassVar[str] = "design"
    columns_package: ClassVar[str] = "cyclopolis.design"

    def summary(self) -> tuple[Line, ...]:
        """Return gain, capital, builds, exchanges and the main changes."""
        facts, exchanges = self.facts, self.tables["exchanges"]
        lines = [
            Line(message("design.line_year"), ", ".join(str(year) for year in facts["years"])),
            _objective_line(facts),
            _gap_line(facts["gap"]),
            Line(message("design.line_gain"), self.change("gain"), "CNY/a"),
            Line(message("design.line_capital"), self.change("budget"), "million CNY"),
            Line(message("design.line_builds"), self.tables["builds"].height, "1"),
            Line(message("design.line_exchanges"), exchanges.filter(pl.col("after") > 0).height, "1"),
            Line(message("design.line_new_exchanges"), exchanges.filter(pl.col("before") == 0).height, "1"),
        ]
        lines.append(Line(message("design.line_saving"), float(exchanges["saving_cny"].sum()), "CNY/a"))
        for quantity in SHOWN:
            unit = self.tables["accounts"].filter(pl.col("quantity") == quantity)["unit"]
            if unit.len():
                lines.append(Line(message(f"design.change_{quantity}"), self.change(quantity), unit[0]))
        binding = self.tables["limits"].filter(pl.col("binding")).height
        lines.append(Line(message("design.line_binding"), binding, "1"))
        if facts.get("merged"):
            lines.append(Line(message("alike.line_merged"), facts["merged"], "1"))
        return tuple(lines)

    def change(self, quantity: str) -> float | None:
        """Return the change of a quantity over the whole place, None when unknown."""
        row = self.tables["accounts"].filter((pl.col("scope_kind") == "place") & (pl.col("quantity") == quantity))
        value = row["change"].to_list()
        return float(value[0]) if value and value[0] is not None else None

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return the exchange network before and after, what to build, and what changes."""
        return design_figures(self.tables, language)


def _objective_line(facts: Mapping[str, Any]) -> Line:
    if facts["by_present_value"]:
        return Line(message("design.line_present_value"), facts["objective"] / MILLION, "million CNY")
    return Line(message("design.line_objective"), facts["objective"], "CNY/a")


def _gap_line(gap: float) -> Line:
    """Return the gap in per cent; what is nought but for the solver's last digits is not written with false digits."""
    tiny = 0.0 < gap < _TINY_GAP
    return Line(message("design.line_gap"), f"< {100.0 * _TINY_GAP:g} %" if tiny else 100.0 * gap, "" if tiny else "%")


def _facts(posed: Posed, solution: YearsSolution) -> dict[str, Any]:
    network = posed.network
    return {
        "year": posed.year,
        "years": list(posed.years),
        "by_present_value": posed.by_present_value,
        "base_year": posed.plan.meta.base_year,
        "status": solution.status,
        "objective": solution.objective,
        "bound": solution.bound,
        "gap": solution.gap,
        "seconds": round(solution.seconds, 3),
        "gap_asked": posed.problem.options.gap,
        "time_limit": posed.problem.options.time_limit,
        "capital_cny_per_year": yearly_capital(posed, solution.flows[-1]),
        "curve_error": posed.curve_error,
        "discount_rate": posed.plan.meta.discount_rate,
        "candidates": int(posed.problem.new.size),
        "plants": len(network.plant_ids),
        "arcs": int(network.arcs.giver.size),
        "trades": int(network.trades.port.size),
        "scenario": list(posed.plan.scenario),
    }


def design(plan: Plan, options: DesignOptions | None = None) -> Design:
    """Find what to exchange, build and run over the years of a plan for the greatest net present value.

    Candidates that no working structure needs are pruned (`useful_plants`), then one mixed-integer linear programme is
    solved to the gap asked for (see `assemble`). The baseline is the base year's state at each year's prices, so that
    the objective is what the design brings. For one year alone the objective is the yearly gain after capital as a
    yearly cost. Ctrl-C returns the best design found so far.

    Parameters
    ----------
    plan : Plan
        A valid plan.
    options : DesignOptions, optional
        Year, gap, time limit.

    Returns
    -------
    Design
        The best design found, with its proven bound.

    Raises
    ------
    UserError
        If the limits clash (naming each and by how much it must give), if nothing was found in time, or if year, gap or
        time make no sense.
    """
    options = DesignOptions() if options is None else options
    merged, members = merge_alike(plan)
    posed = pose(merged, options)
    assembly = assemble(posed.whole)
    pools = compact(assembly)
    answer = best_answer(pools.program, pools.goal, posed.whole.options)
    solution = read_answer(assembly, replace(answer, natural=pools.restore(answer.natural)))
    if solution.status == "infeasible":
        raise explain_clash(posed)
    if solution.status == "no_solution":
        raise user_error("design.no_time", seconds=options.time_limit)
    if solution.status == "unbounded":
        raise explain_unbounded(posed, assembly)
    clean = tidy_years(posed.whole, solution)
    states = year_states(posed, clean)
    target = at_target(posed, states[-1])
    years = year_tables(posed, clean, states)
    limits = years["year_limits"].filter(pl.col("year") == posed.year).drop("year")
    tables = {
        **design_tables(target, clean.flows[-1], proposed_table(posed, solution)),
        "limits": limits,
        "members": spread_members(members, years["year_plants"]),
        **years,
    }
    tables |= explained(posed, pools, answer, options.explain)
    ordered = {
        name: tables[name].select(column.name for column in columns) for name, columns in Design.columns().items()
    }
    return Design(tables=ordered, facts={**_facts(target, clean), "merged": members.height}, inputs=plan.inputs)
