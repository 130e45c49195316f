"""The summary for those who decide: fixed parts with few lines each, so that it never grows past two sheets."""

from collections.abc import Mapping
from dataclasses import replace

from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.plan import Plan
from cyclopolis.report.accounts import place_accounts, whole
from cyclopolis.report.answers import tiles
from cyclopolis.report.blocks import Block, Table, Text
from cyclopolis.report.cells import View, table_block
from cyclopolis.report.names import Names
from cyclopolis.report.sections_design import largest, limits, proposed
from cyclopolis.report.sections_rating import framework_table
from cyclopolis.study.quality import data_quality

_TILES = 8
_LINES = 8
_BUILDS = 12
_FRAMEWORKS = 10
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


def summary_pages(
    plan: Plan, results: Mapping[str, Result], names: Names
) -> tuple[tuple[Block, ...], tuple[Block, ...]]:
    """Return what stands on the first sheet (what it brings, what to build) and on the second (how, limits, rating)."""
    language = names.language
    first: list[Block] = []
    second: list[Block] = []
    main = results.get("design") or results.get("balance")
    if main is not None:
        first.append(tiles(main, names, _TILES))
        columns = ("before", "after", "change") if "design" in results else ("value",)
        accounts = whole(main.tables["accounts"])
        few = accounts.filter(accounts["quantity"].is_in(_SHOWN))
        first.append(replace(place_accounts(few, columns, names), caption=say("report.summary_accounts", language)))
    if "design" in results:
        first.append(_builds(results["design"], names))
        second += _exchanges(results["design"], names)
    if "rating" in results:
        second.append(_first(framework_table(results["rating"], names), _FRAMEWORKS))
    counts = data_quality(plan, results)
    totals = {name: f"{counts[name].sum():,}" for name in counts.columns if name != "quality_table"}
    second.append(Text(say("report.summary_quality", language, **totals)))
    return tuple(first), tuple(second)


def _builds(design: Result, names: Names) -> Table:
    view = View("builds", ("plant", "capacity", "unit", "capex", "jobs"), rows=_BUILDS)
    return table_block(design.tables["builds"], view, design.columns()["builds"], names)


def _exchanges(design: Result, names: Names) -> list[Block]:
    """Return the largest exchanges, the limits that bind, and the proposals that are not taken."""
    known, exchanges = design.columns(), design.tables["exchanges"]
    new = View(
        "summary_exchanges", ("from_plant", "to_plant", "commodity", "change", "unit", "saving_cny"), rows=_LINES
    )
    binding = View("summary_limits", ("limit_scope", "quantity", "limit_kind", "bound", "after", "unit"), rows=_LINES)
    asked = View(
        "summary_proposed", ("from_plant", "to_plant", "commodity", "proposed_status", "break_even", "unit"), _LINES
    )
    tight, wanted = limits(design), proposed(design)
    missed = wanted.filter(wanted["proposed_status"] != "found").sort(
        "break_even", nulls_last=True, maintain_order=True
    )
    count = say("report.summary_found", names.language, found=wanted.height - missed.height, all=wanted.height)
    return [
        table_block(largest(exchanges.filter(exchanges["change"] > 0), "saving_cny"), new, known["exchanges"], names),
        table_block(tight.filter(tight["binding"]), binding, known["limits"], names),
        Text(count),
        table_block(missed, asked, known["proposed"], names),
    ]


def _first(table: Table, count: int) -> Table:
    return replace(table, rows=table.rows[:count], more=max(len(table.rows) - count, 0))
