"""The summary for those who decide: fixed parts with few lines each, so that it never grows past two sheets."""

from collections.abc import Mapping
from dataclasses import replace

from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.plan import Plan
from cyclopolis.report.accounts import place_accounts, whole
from cyclopolis.report.blocks import Block, Table, Text
from cyclopolis.report.cells import View, table_block
from cyclopolis.report.names import Names
from cyclopolis.report.sections import tiles
from cyclopolis.report.sections_design import largest, limits, proposed
from cyclopolis.report.sections_rating import framework_table
from cyclopolis.study.quality import data_quality

_TILES = 8
_LINES = 8
_SHOWN = (
    "gain",
    "sales",
    "purchases",
    "water",
    "power",
    "energy",
    "co2",
    "solid_waste",
    "waste_reused",
    "landfill",
    "jobs",
)


def summary_parts(plan: Plan, results: Mapping[str, Result], names: Names) -> tuple[Block, ...]:
    """Return the parts of the summary in reading order."""
    language = names.language
    parts: list[Block] = []
    main = results.get("design") or results.get("balance")
    if main is not None:
        parts.append(tiles(main, names, _TILES))
        columns = ("before", "after", "change") if "design" in results else ("value",)
        accounts = main.tables["accounts"]
        few = whole(accounts).filter(whole(accounts)["quantity"].is_in(_SHOWN))
        parts.append(replace(place_accounts(few, columns, names), caption=say("report.summary_accounts", language)))
    if "design" in results:
        parts += _design_parts(results["design"], names)
    if "rating" in results:
        parts.append(_first(framework_table(results["rating"], names), 10))
    counts = data_quality(plan, results)
    classes = [name for name in counts.columns if name != "quality_table"]
    totals = {name: f"{counts[name].sum():,}" for name in classes}
    parts.append(Text(say("report.summary_quality", language, **totals)))
    return tuple(parts)


def _design_parts(design: Result, names: Names) -> list[Block]:
    known, tables = design.columns(), design.tables
    builds = View("builds", ("plant", "capacity", "unit", "capex", "jobs"), rows=_LINES)
    exchanges = View("summary_exchanges", ("from_plant", "to_plant", "commodity", "change", "unit"), rows=_LINES)
    binding = View("summary_limits", ("limit_scope", "quantity", "limit_kind", "bound", "after", "unit"), rows=_LINES)
    asked = View("proposed", ("from_plant", "to_plant", "commodity", "proposed_status", "break_even", "unit"), rows=_LINES)
    new = tables["exchanges"].filter(tables["exchanges"]["change"] > 0)
    tight = limits(design)
    return [
        table_block(tables["builds"], builds, known["builds"], names),
        table_block(largest(new, "change"), exchanges, known["exchanges"], names),
        table_block(tight.filter(tight["binding"]), binding, known["limits"], names),
        table_block(proposed(design), asked, known["proposed"], names),
    ]


def _first(table: Table, count: int) -> Table:
    return replace(table, rows=table.rows[:count], more=max(len(table.rows) - count, 0))
