"""The part of the report on how the place is rated before and after."""

from dataclasses import replace

import polars as pl

from cyclopolis.foundation.numbers import number_text, unit_text
from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.rating import Rating
from cyclopolis.report.answers import pictures, tiles
from cyclopolis.report.blocks import Block, Cell, Table, Text
from cyclopolis.report.cells import View, badge, mark, table_block
from cyclopolis.report.names import Names
from cyclopolis.report.sections_judgement import judgement_blocks

_COUNTS = ("met", "not_met", "reported", "unknown")
_STATES = ("before", "after")
_HEADERS = (
    "indicator",
    "target",
    "value_before",
    "value_after",
    "unit",
    "status_before",
    "status_after",
    "origin",
    "provenance",
    "threshold_provenance",
)


def rating_blocks(result: Result, names: Names) -> list[Block]:
    """Return the count of each framework, then its indicators that are known, then those that are not."""
    scope = focus(result)
    frameworks = _about(result.tables["frameworks"], scope)
    blocks: list[Block] = [
        Text(say("report.rating_intro", names.language)),
        Text(say("report.rating_scope", names.language, scope=scope_name(scope, names))),
        tiles(result, names),
    ]
    blocks += pictures(result, names)
    indicators = _about(result.tables["indicators"], scope)
    for row in frameworks.iter_rows(named=True):
        own = indicators.filter(pl.col("framework") == row["framework"])
        blocks += _indicators(own, _local(row, "title", names), names)
    blocks += judgement_blocks(result, scope, names)
    blocks += _by_site(result, names)
    return blocks


def focus(result: Result) -> str:
    """Return the scope of which most is known: the one that the tables show (empty: the whole plan)."""
    assert isinstance(result, Rating), result.engine
    return result.focus


def scope_name(scope: str, names: Names) -> str:
    """Return what a scope of the rating is called."""
    return names.of("site", scope) if scope else say("report.whole_place", names.language)


def _about(table: pl.DataFrame, scope: str) -> pl.DataFrame:
    return table.filter(pl.col("scope") == scope)


def framework_table(result: Result, names: Names) -> Table:
    """Return one line per framework: met, not met, reported and unknown, before and after."""
    scope = focus(result)
    frameworks = _about(result.tables["frameworks"], scope).with_columns(framework_title=_title(names))
    counts = tuple(f"{count}_{state}" for count in _COUNTS for state in _STATES)
    view = View("frameworks", ("framework_title", "indicators", *counts), provenance="computed")
    table = table_block(frameworks, view, result.columns()["frameworks"], names)
    return replace(table, caption=say("report.frameworks_of", names.language, scope=scope_name(scope, names)))


def _title(names: Names) -> pl.Expr:
    order = ("title_zh", "title") if names.language == "zh" else ("title", "title_zh")
    return pl.coalesce(*order)


def _local(row: dict[str, str | None], column: str, names: Names) -> str:
    chinese = row[f"{column}_zh"] if names.language == "zh" else None
    return chinese or row[column] or ""


def _indicators(table: pl.DataFrame, title: str, names: Names) -> list[Block]:
    """Return what is known of one framework as a table and what is unknown as a paragraph that names it."""
    language = names.language
    rows = table.to_dicts()
    known = [row for row in rows if {row["status_before"], row["status_after"]} - {"unknown", None}]
    unknown = [_local(row, "name", names) for row in rows if row not in known]
    blocks: list[Block] = [
        Table(
            name="indicators",
            caption=title,
            headers=tuple(Cell(say(f"header.{name}", language), _style(name)) for name in _HEADERS),
            rows=tuple(_indicator_row(row, names) for row in known),
            empty=say("report.rating_nothing_known", language),
        )
    ]
    if unknown:
        blocks.append(Text(say("report.rating_unknown", language, count=len(unknown), names="; ".join(unknown))))
    return blocks


def _style(name: str) -> str:
    styles = {"unit": "unit", "provenance": "badge", "threshold_provenance": "badge"}
    return "number" if name.startswith("value_") else styles.get(name, "text")


def _indicator_row(row: dict[str, str | float | None], names: Names) -> tuple[Cell, ...]:
    texts = {key: value for key, value in row.items() if value is None or isinstance(value, str)}
    values = [row[f"value_{state}"] for state in _STATES]
    statuses = [texts[f"status_{state}"] for state in _STATES]
    return (
        Cell(_local(texts, "name", names)),
        Cell(_local(texts, "target", names)),
        *(Cell(number_text(value if isinstance(value, int | float) else None), "number") for value in values),
        Cell(unit_text(texts["unit"] or "", names.language), "unit"),
        *(mark(status, names) for status in statuses),
        Cell(origins(texts["origin_after"] or texts["origin_before"] or "", names)),
        badge(texts["provenance_after"] or texts["provenance_before"], names),
        badge(texts["threshold_provenance"], names),
    )


def origins(text: str, names: Names) -> str:
    """Return in words where the inputs of an indicator come from: each kind once, in the order of the inputs."""
    codes = [part.partition("=")[2] for part in text.split("; ") if "=" in part]
    return say("report.list_mark", names.language).join(names.word(f"origin.{code}") for code in dict.fromkeys(codes))


def _by_site(result: Result, names: Names) -> list[Block]:
    """Return the counts of the other scopes: the whole plan and the places that the user gave values for."""
    others = result.tables["frameworks"].filter(pl.col("scope") != focus(result))
    frameworks = others.with_columns(framework_title=_title(names))
    if frameworks.is_empty():
        return []
    judged = frameworks.filter(pl.sum_horizontal("met_before", "not_met_before", "met_after", "not_met_after") > 0)
    shown = judged.rename({"scope": "rating_scope"})
    columns = (
        "rating_scope",
        "framework_title",
        "met_before",
        "met_after",
        "not_met_before",
        "not_met_after",
        "unknown_after",
    )
    return [
        table_block(
            shown, View("frameworks_site", columns, provenance="computed"), result.columns()["frameworks"], names
        )
    ]
