"""The parts of the report that show an engine's answer as it is: its tiles, its pictures, and some of its tables."""

from collections.abc import Mapping

import polars as pl

from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import catalogue, say
from cyclopolis.report.answers import pictures, tiles
from cyclopolis.report.blocks import Block, Text
from cyclopolis.report.cells import View, table_block
from cyclopolis.report.names import Names

SHOWN: Mapping[str, tuple[tuple[str, View], ...]] = {
    "under": (
        (
            "scenarios",
            View("under_scenarios", ("scenario", "chance", "objective", "foreseen", "unaware", "regret", "violations")),
        ),
        (
            "builds",
            View("under_builds", ("year", "plant", "site", "capacity", "unit", "capex", "scenarios_alone")),
        ),
    ),
    "streets": (
        (
            "measures",
            View(
                "streets_measures",
                (
                    "rating_scope",
                    "measure",
                    "value",
                    "unit",
                    "at_least",
                    "at_most",
                    "met",
                    "target_provenance",
                    "provenance",
                ),
            ),
        ),
        (
            "block_sizes",
            View(
                "streets_block_sizes",
                (
                    "rating_scope",
                    "group",
                    "count",
                    "mean_ha",
                    "median_ha",
                    "largest_ha",
                    "side_m",
                    "limit_ha",
                    "share_above",
                ),
            ),
        ),
        ("land_use", View("streets_land_use", ("rating_scope", "land_use", "area_ha", "share"))),
        (
            "circles",
            View(
                "streets_circles",
                ("rating_scope", "circle_min", "facility", "facilities", "people", "share", "provenance"),
            ),
        ),
        (
            "siting",
            View(
                "streets_siting",
                ("rating_scope", "facility", "circle_min", "method", "lon", "lat", "people_more", "share_after"),
            ),
        ),
        ("notices", View("notices", ("rating_scope", "file", "feature", "said"))),
    ),
    "water": (
        (
            "networks",
            View(
                "water_networks",
                (
                    "commodity",
                    "fresh_without_reuse",
                    "fresh_apart",
                    "fresh_together",
                    "regenerated",
                    "pipe_km",
                    "pipe_cost",
                    "gap",
                    "unit",
                ),
            ),
        ),
        (
            "members",
            View("water_members", ("commodity", "plant", "fresh_apart", "fresh_together", "received", "given", "unit")),
        ),
        (
            "connections",
            View(
                "water_connections", ("commodity", "from_plant", "to_plant", "flow", "unit", "distance_km", "pipe_cost")
            ),
        ),
    ),
    "heat": (
        (
            "targets",
            View("heat_targets", ("heat_scope", "plant", "hot", "cold", "recovered", "hot_without", "pinch")),
        ),
        ("steam", View("heat_steam", ("utility", "plant", "temperature", "raised", "used"))),
        ("heating", View("heat_heating", ("utility", "plant", "most", "sent", "arriving", "distance_km", "worth"))),
    ),
    "fairness": (
        (
            "members",
            View(
                "fairness_members",
                ("member", "alone", "change", "shapley", "shapley_error", "nucleolus", "least_core", "payment"),
            ),
        ),
        (
            "payments",
            View("fairness_payments", ("from_plant", "to_plant", "commodity", "amount", "unit", "payment", "price")),
        ),
    ),
    "failure": (
        (
            "failures",
            View(
                "failure_failures",
                ("rank", "failed", "loss", "plants_hit", "members_hit", "output_lost", "redundancy"),
            ),
        ),
        ("hit", View("failure_hit", ("failed", "plant", "activity_before", "activity_after", "loss"))),
    ),
    "land": (
        (
            "places",
            View(
                "land_places",
                (
                    "rating_scope",
                    "basis",
                    "ground_ha",
                    "protected_ha",
                    "taken_ha",
                    "developable_ha",
                    "planned_ha",
                    "difference_ha",
                    "design_ha",
                    "provenance",
                ),
            ),
        ),
        (
            "overlaps",
            View(
                "land_overlaps",
                ("kind", "name", "site", "area_ha", "overlap_ha", "share", "distance_m", "refused", "provenance"),
            ),
        ),
        ("pairs", View("land_pairs", ("kind", "name", "protected", "overlap_ha"))),
        ("changes", View("land_changes", ("from_use", "to_use", "area_ha", "share", "changed"))),
        ("zone_totals", View("land_zone_totals", ("rating_scope", "zone", "cells", "free_ha", "share"))),
        ("suitable", View("land_suitable", ("grade", "area_ha"))),
        (
            "draft_areas",
            View("land_draft_areas", ("area", "area_ha", "protected_ha", "reasons")),
        ),
        (
            "draft_classes",
            View("land_draft_classes", ("measure", "grade", "area_ha", "share", "least", "greatest", "candidate")),
        ),
        (
            "draft_formulas",
            View("land_draft_formulas", ("measure", "formula", "unit", "files", "bounds", "source", "provenance")),
        ),
        ("corridors", View("land_corridors", ("from_source", "to_source", "cost", "length_km", "current"))),
        ("notices", View("notices", ("file", "feature", "said"))),
    ),
    "capacity": (
        (
            "loads",
            View(
                "capacity_loads",
                (
                    "rating_scope",
                    "capacity",
                    "quantity",
                    "state",
                    "year",
                    "load",
                    "value",
                    "unit",
                    "used",
                    "over",
                    "provenance",
                ),
            ),
        ),
        (
            "capacities",
            View("capacity_capacities", ("rating_scope", "capacity", "kind", "method", "value", "unit", "provenance")),
        ),
        ("limits", View("capacity_limits", ("rating_scope", "quantity", "year", "max", "unit", "adopted"))),
    ),
    "compliance": (
        (
            "waters",
            View(
                "compliance_waters",
                (
                    "rating_scope",
                    "kind",
                    "sections",
                    "good_share",
                    "bad_share",
                    "meeting_share",
                    "rating",
                    "provenance",
                ),
            ),
        ),
        (
            "sections",
            View(
                "compliance_sections",
                (
                    "section",
                    "site",
                    "water",
                    "kind",
                    "target_class",
                    "samples",
                    "meeting_share",
                    "mean_class",
                    "worst_class",
                    "deciding",
                    "most_over",
                    "provenance",
                ),
            ),
        ),
        ("chiefs", View("compliance_chiefs", ("chief", "sections", "samples", "meeting_share"))),
        (
            "air_years",
            View("compliance_air_years", ("site", "year", "days", "good_days", "good_share", "complete_days")),
        ),
        (
            "air_means",
            View("compliance_air_means", ("site", "year", "pollutant", "mean", "unit", "limit", "met", "edition")),
        ),
        ("green", View("compliance_green", ("rating_scope", "measure", "year", "value", "unit", "provenance"))),
        (
            "works",
            View(
                "compliance_works",
                ("site", "work", "kind", "status", "year", "number", "length_m", "area_ha", "provenance"),
            ),
        ),
    ),
}
"""Which tables of an engine the report shows, in order; those with no rows are passed over."""


def more_blocks(result: Result, names: Names) -> list[Block]:
    """Return an engine's answer: what it says at a glance, its pictures, its tables."""
    blocks: list[Block] = [Text(say(f"report.{result.engine}_intro", names.language)), tiles(result, names)]
    blocks += pictures(result, names)
    known = result.columns()
    for name, view in SHOWN[result.engine]:
        table = _worded(result, name, names)
        if table.height:
            columns = tuple(column for column in view.columns if column in table.columns)
            marked = any(column.endswith("provenance") for column in columns)
            shown = View(view.caption, columns, view.rows, "" if marked else "computed")
            blocks.append(table_block(table, shown, known[name], names))
    return blocks


def _worded(result: Result, name: str, names: Names) -> pl.DataFrame:
    """Return a table with words in place of its codes: those of the keys ``coded.ENGINE_COLUMN_CODE``."""
    table = result.tables[name]
    for column in [one for one, kind in table.schema.items() if kind == pl.String]:
        codes = table[column].drop_nulls().unique().to_list()
        keys = {code: f"coded.{result.engine}_{column}_{code}" for code in codes}
        words = {code: say(key, names.language) for code, key in keys.items() if key in catalogue()}
        if words:
            table = table.with_columns(pl.col(column).replace(words))
    if result.engine == "streets" and "service" in table.columns:
        table = table.with_columns(facility=pl.col("service"))
    if result.engine == "heat" and "scope" in table.columns:
        return table.with_columns(heat_scope="scope")
    if result.engine == "land":
        own = "_zh" if names.language == "zh" else ""
        said = {"measure": f"name{own}", "reasons": f"reasons{own}"}
        table = table.with_columns(**{to: pl.col(of) for to, of in said.items() if {to, of} <= set(table.columns)})
    if {"text", "text_zh"} <= set(table.columns):
        table = table.with_columns(said=pl.col("text_zh" if names.language == "zh" else "text"))
    if "scope" in table.columns:
        table = table.with_columns(rating_scope=pl.when(pl.col("scope") != "").then("scope"))
    return table
