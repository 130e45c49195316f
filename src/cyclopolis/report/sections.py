"""The parts of the report, each made from the results that there are."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.plan import Plan, provenance
from cyclopolis.plan.schema import columns
from cyclopolis.report.accounts import accounts_matrix, place_accounts
from cyclopolis.report.answers import pictures, tiles
from cyclopolis.report.blocks import Block, Section, Text
from cyclopolis.report.cells import View, table_block
from cyclopolis.report.names import Names
from cyclopolis.report.sections_accounts import account_blocks, circularity_blocks, has_stocks, stock_blocks
from cyclopolis.report.sections_design import design_blocks
from cyclopolis.report.sections_drainage import drainage_blocks
from cyclopolis.report.sections_exchanges import chain_blocks, match_blocks
from cyclopolis.report.sections_more import SHOWN, more_blocks
from cyclopolis.report.sections_pareto import pareto_blocks
from cyclopolis.report.sections_rating import framework_table, rating_blocks
from cyclopolis.report.sections_reconcile import reconcile_blocks, reconciled_at_all
from cyclopolis.report.sections_utilities import utilities_blocks
from cyclopolis.study.quality import data_quality

_TILES = 10
_PLANTS = ("plant", "technology", "enterprise", "site", "plant_status")
_FLOWS = (
    "from_plant",
    "to_plant",
    "commodity",
    "as_commodity",
    "amount",
    "unit",
    "distance_km",
    "money_cny",
    "transport_cny",
)


def report_sections(plan: Plan, results: Mapping[str, Result], names: Names) -> tuple[Section, ...]:
    """Return the parts of the report in reading order; a part whose result is missing is left out."""
    parts: list[tuple[str, list[Block]]] = [
        ("overview", overview_blocks(results, names)),
        ("place", place_blocks(plan, results, names)),
        ("data", quality_blocks(plan, results, names)),
    ]
    if "balance" in results:
        parts += _balance_parts(results["balance"], names)
    if "match" in results:
        parts.append(("match", match_blocks(results["match"], names)))
    if "chains" in results:
        parts.append(("chains", chain_blocks(results["chains"], names)))
    if "design" in results:
        parts.append(("design", design_blocks(results["design"], names)))
    parts += [(name, more_blocks(results[name], names)) for name in SHOWN if name in results]
    if "pareto" in results:
        parts.append(("pareto", pareto_blocks(results["pareto"], names)))
    if "rating" in results:
        parts.append(("rating", rating_blocks(results["rating"], names)))
    if "utilities" in results:
        parts.append(("utilities", utilities_blocks(results["utilities"], names)))
    if "drainage" in results:
        parts.append(("drainage", drainage_blocks(results["drainage"], names)))
    parts += [("unknowns", unknown_blocks(results, names)), ("prices", price_blocks(results, names))]
    return tuple(Section(name, say(f"report.section_{name}", names.language), tuple(blocks)) for name, blocks in parts)


def _balance_parts(result: Result, names: Names) -> list[tuple[str, list[Block]]]:
    """Return the parts that rest on the balance; what a saved balance does not hold is left out."""
    parts = [("balance", balance_blocks(result, names))]
    if reconciled_at_all(result):
        parts.append(("reconcile", reconcile_blocks(result, names)))
    if {"account_spread", "details"} & set(result.tables):
        parts.append(("details", account_blocks(result, names)))
    if "circularity" in result.tables:
        parts.append(("circularity", circularity_blocks(result, names)))
    if has_stocks(result):
        parts.append(("stocks", stock_blocks(result, names)))
    return parts


def overview_blocks(results: Mapping[str, Result], names: Names) -> list[Block]:
    """Return the few numbers that answer each engine's question."""
    blocks: list[Block] = [Text(say("report.overview_intro", names.language))]
    answered = [results[name] for name in ("design", "balance", "drainage") if name in results]
    blocks += [tiles(result, names, _TILES) for result in answered]
    return [*blocks, framework_table(results["rating"], names)] if "rating" in results else blocks


def place_blocks(plan: Plan, results: Mapping[str, Result], names: Names) -> list[Block]:
    """Return the sites and the plants of the plan; with a balance the plants' size and output too."""
    sites = plan.tables["sites"].rename({"kind": "site_kind"}).with_columns(provenance(pl.col("source")))
    blocks: list[Block] = [
        Text(say("report.place_intro", names.language)),
        table_block(
            sites,
            View("sites", ("site", "site_kind", "area_km2", "developable_ha", "population", "provenance")),
            columns()["sites"],
            names,
        ),
    ]
    if "balance" in results:
        plants = results["balance"].tables["plants"].rename({"status": "plant_status"})
        known = results["balance"].columns()["plants"]
        view = View("plants", (*_PLANTS, "capacity", "activity", "unit", "provenance"))
    else:
        plants, known = plan.tables["plants"].rename({"status": "plant_status"}), columns()["plants"]
        view = View("plants", _PLANTS)
    return [*blocks, table_block(plants, view, known, names)]


def quality_blocks(plan: Plan, results: Mapping[str, Result], names: Names) -> list[Block]:
    """Return how many rows of each provenance class the answers rest on."""
    counts = data_quality(plan, results)
    view = View("quality", ("quality_table", "measured", "user", "seen", "memory", "assumed", "computed"))
    return [Text(say("report.quality_intro", names.language)), table_block(counts, view, (), names)]


def balance_blocks(result: Result, names: Names) -> list[Block]:
    """Return the base year: its pictures, its accounts, its exchanges, and what has nowhere to go."""
    known = result.columns()
    flows = result.tables["flows"].sort("mass_t", descending=True, nulls_last=True, maintain_order=True)
    exchanges = flows.filter(pl.col("kind").is_in(["exchange", "substitution"]))
    unplaced = flows.filter(pl.col("kind") == "unplaced")
    accounts = result.tables["accounts"]
    return [
        Text(say("report.balance_intro", names.language)),
        *pictures(result, names),
        place_accounts(accounts, ("value",), names),
        accounts_matrix(accounts, "site", names),
        accounts_matrix(accounts, "chain", names),
        table_block(exchanges, View("base_exchanges", (*_FLOWS, "provenance")), known["flows"], names),
        table_block(unplaced, View("unplaced", ("from_plant", "commodity", "amount", "unit")), known["flows"], names),
    ]


def unknown_blocks(results: Mapping[str, Result], names: Names) -> list[Block]:
    """Return what could not be computed and why."""
    blocks: list[Block] = [Text(say("report.unknowns_intro", names.language))]
    for result in results.values():
        if "unknowns" in result.tables:
            shown = tuple(column.name for column in result.columns()["unknowns"])
            view = View(f"unknowns_{result.engine}", shown)
            blocks.append(table_block(result.tables["unknowns"], view, result.columns()["unknowns"], names))
    return blocks


def price_blocks(results: Mapping[str, Result], names: Names) -> list[Block]:
    """Return the prices used that are not the user's."""
    blocks: list[Block] = [Text(say("report.prices_intro", names.language))]
    for result in results.values():
        if "prices" in result.tables:
            shown = tuple(column.name for column in result.columns()["prices"])
            view = View(f"prices_{result.engine}", shown)
            blocks.append(table_block(result.tables["prices"], view, result.columns()["prices"], names))
    return blocks
