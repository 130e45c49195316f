"""The design engine: what to exchange, build and run in a target year, with a proven gap."""

from collections.abc import Mapping
from typing import Any, ClassVar

import polars as pl

from cyclopolis.design.breakeven import proposed_table
from cyclopolis.design.conflict import explain_clash
from cyclopolis.design.figures import design_figures
from cyclopolis.design.pose import DesignOptions, Posed, pose
from cyclopolis.design.problem import Solution
from cyclopolis.design.solve import solve_problem
from cyclopolis.design.tables import design_tables, yearly_capital
from cyclopolis.design.tidy import tidy_flows
from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.network.model import Flows
from cyclopolis.plan import Plan

SHOWN = ("water", "power", "energy", "co2", "co2_power", "landfill", "waste_reused", "jobs")
"""Quantities whose change the summary names."""
_TINY_GAP = 1e-5
"""Gap below which the summary only says that it is smaller."""


class Design(Result):
    """The answer of `design`; tables and columns are documented in ``columns.csv``.

    ``facts`` hold the year, the status (optimal or time_limit), objective, bound and gap (CNY per year over the base
    year, capital paid), seconds, and the sizes of the problem.
    """

    engine: ClassVar[str] = "design"
    columns_package: ClassVar[str] = "cyclopolis.design"

    def summary(self) -> tuple[Line, ...]:
        """Return gain, capital, builds, exchanges and the main changes."""
        facts, exchanges = self.facts, self.tables["exchanges"]
        lines = [
            Line(message("design.line_year"), str(facts["year"])),
            Line(message("design.line_objective"), facts["objective"], "CNY/a"),
            _gap_line(facts["gap"]),
            Line(message("design.line_gain"), self.change("gain"), "CNY/a"),
            Line(message("design.line_capital"), self.change("budget"), "million CNY"),
            Line(message("design.line_builds"), self.tables["builds"].height, "1"),
            Line(message("design.line_exchanges"), exchanges.filter(pl.col("after") > 0).height, "1"),
            Line(message("design.line_new_exchanges"), exchanges.filter(pl.col("before") == 0).height, "1"),
        ]
        for quantity in SHOWN:
            unit = self.tables["accounts"].filter(pl.col("quantity") == quantity)["unit"]
            if unit.len():
                lines.append(Line(message(f"design.change_{quantity}"), self.change(quantity), unit[0]))
        binding = self.tables["limits"].filter(pl.col("binding")).height
        lines.append(Line(message("design.line_binding"), binding, "1"))
        return tuple(lines)

    def change(self, quantity: str) -> float | None:
        """Return the change of a quantity over the whole place, None when unknown."""
        row = self.tables["accounts"].filter((pl.col("scope_kind") == "place") & (pl.col("quantity") == quantity))
        value = row["change"].to_list()
        return float(value[0]) if value and value[0] is not None else None

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return the exchange network before and after, what to build, and what changes."""
        return design_figures(self.tables, language)


def _gap_line(gap: float) -> Line:
    """Return the gap in per cent; what is nought but for the solver's last digits is not written with false digits."""
    tiny = 0.0 < gap < _TINY_GAP
    return Line(message("design.line_gap"), f"< {100.0 * _TINY_GAP:g} %" if tiny else 100.0 * gap, "" if tiny else "%")


def _facts(posed: Posed, solution: Solution, after: Flows) -> dict[str, Any]:
    network = posed.network
    return {
        "year": posed.year,
        "base_year": posed.plan.meta.base_year,
        "status": solution.status,
        "objective": solution.objective,
        "bound": solution.bound,
        "gap": solution.gap,
        "seconds": round(solution.seconds, 3),
        "gap_asked": posed.problem.options.gap,
        "time_limit": posed.problem.options.time_limit,
        "capital_cny_per_year": yearly_capital(posed, after),
        "discount_rate": posed.plan.meta.discount_rate,
        "candidates": int(posed.problem.new.size),
        "plants": len(network.plant_ids),
        "arcs": int(network.arcs.giver.size),
        "trades": int(network.trades.port.size),
        "scenario": list(posed.plan.scenario),
    }


def design(plan: Plan, options: DesignOptions | None = None) -> Design:
    """Find what to exchange, build and run in a target year for the greatest yearly gain after capital.

    Candidates that no working structure needs are pruned (`useful_plants`), then one mixed-integer linear programme is
    solved to the gap asked for (see `model`). The baseline is the base year's state at the target year's prices, so
    that the objective is what the design brings.

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
    posed = pose(plan, options)
    solution = solve_problem(posed.problem)
    if solution.status == "infeasible":
        raise explain_clash(posed)
    if solution.status == "no_solution":
        raise user_error("design.no_time", seconds=options.time_limit)
    if solution.status == "unbounded":
        raise user_error("design.unbounded")
    after = tidy_flows(posed.problem, solution.flows, solution.loose)
    tables = design_tables(posed, after, proposed_table(posed, solution))
    ordered = {
        name: tables[name].select(column.name for column in columns) for name, columns in Design.columns().items()
    }
    return Design(tables=ordered, facts=_facts(posed, solution, after), inputs=plan.inputs)
