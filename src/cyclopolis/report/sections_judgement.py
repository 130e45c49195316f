"""The part of the rating's report that says how much is reached, what is in the way, and what to do about it."""

import polars as pl

from cyclopolis.foundation.numbers import number_text, unit_text
from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import say
from cyclopolis.rating.advice import KINDS, kind_text
from cyclopolis.report.blocks import Block, Cell, Table, Text
from cyclopolis.report.cells import badge, mark
from cyclopolis.report.names import Names

_MOST_GAPS = 20
_Row = dict[str, str | float | bool | None]


def judgement_blocks(result: Result, scope: str, names: Names) -> list[Block]:
    """Return scores, levels, state, gaps, advice, peers and evidence; what is empty is left out."""
    tables = result.tables
    if "scores" not in tables:
        return []
    language = names.language
    own = {name: table.filter(pl.col("scope") == scope) for name, table in tables.items() if "scope" in table.columns}
    titles = {row["framework"]: _local(row, "title", names) for row in own["frameworks"].iter_rows(named=True)}
    blocks: list[Block] = [_scores(own["scores"], titles, names), _levels(own["levels"], titles, names)]
    if tables["states"].height:
        blocks.append(_states(tables["states"], names))
    if own["gaps"].height:
        blocks.append(_gaps(own["gaps"], titles, names))
    if own["advice"].height:
        blocks.append(Text(say("report.advice_intro", language)))
        blocks += [_advice(own["advice"], kind, names) for kind in KINDS]
    if own["neighbours"].height:
        blocks.append(_neighbours(own["neighbours"], names))
    if tables["evidence"].height:
        blocks.append(evidence_table(tables["evidence"], names))
    return blocks


def _local(row: _Row, column: str, names: Names) -> str:
    chinese = row[f"{column}_zh"] if names.language == "zh" else None
    return str(chinese or row[column] or "")


def _headers(columns: tuple[str, ...], numeric: set[str], names: Names) -> tuple[Cell, ...]:
    styles = {**dict.fromkeys(numeric, "number"), "unit": "unit", "threshold_provenance": "badge"}
    return tuple(Cell(say(f"header.{one}", names.language), styles.get(one, "text")) for one in columns)


def _number(value: object, names: Names, *, factor: float = 1.0) -> Cell:
    del names
    return Cell(number_text(value * factor, 3) if isinstance(value, int | float) else "–", "number")


def _scores(table: pl.DataFrame, titles: dict[str, str], names: Names) -> Table:
    """Return the share of the points in the worst and the best case, and how much of it rests on recalled marks."""
    shares = ("share_low_before", "share_high_before", "share_low_after", "share_high_after")
    columns = ("framework_title", "dimension", *shares, "memory_before")
    known = table.filter(
        (pl.col("share_low_before") > 0)
        | (pl.col("share_high_before") < 1)
        | (pl.col("share_low_after") > 0)
        | (pl.col("share_high_after") < 1)
    )
    rows = []
    for row in known.iter_rows(named=True):
        cells = [_number(row[share], names, factor=100) for share in shares]
        name = _local(row, "dimension_name", names) or "–"
        memory = _number(row["memory_before"], names, factor=100)
        rows.append((Cell(titles[row["framework"]]), Cell(name), *cells, memory))
    headers = _headers(columns, {*shares, "memory_before"}, names)
    return Table("scores", say("report.scores", names.language), headers, tuple(rows), badge("computed", names))


def _levels(table: pl.DataFrame, titles: dict[str, str], names: Names) -> Table:
    columns = ("framework_title", "level_name", "level_from", "status_before", "status_after")
    rows = tuple(
        (
            Cell(titles[row["framework"]]),
            Cell(_local(row, "label", names)),
            Cell(number_text(row["min_points"]) if row["min_points"] is not None else str(row["rule"] or "–")),
            mark(row["reached_before"], names),
            mark(row["reached_after"], names),
        )
        for row in table.iter_rows(named=True)
    )
    return Table(
        "levels", say("report.levels", names.language), _headers(columns, set(), names), rows, badge("computed", names)
    )


def _states(table: pl.DataFrame, names: Names) -> Table:
    axes = ("economy", "environment", "society")
    degrees = ("coordination_classic", "coordination_corrected")
    columns = ("site", "year", *axes, *degrees, "class_corrected")
    rows = tuple(
        (
            Cell(names.of("site", row["scope"]) if row["scope"] else say("report.whole_place", names.language)),
            Cell(str(row["year"]) + ("*" if row["state"] == "after" else ""), "number"),
            *(_number(row[column], names) for column in (*axes, *degrees)),
            Cell(_local(row, "class_corrected", names)),
        )
        for row in table.iter_rows(named=True)
    )
    headers = _headers(columns, {"year", *axes, *degrees}, names)
    return Table("states", say("report.states", names.language), headers, rows, badge("computed", names))


def _gaps(table: pl.DataFrame, titles: dict[str, str], names: Names) -> Table:
    numeric = {"rank", "value_before", "distance_to_mark", "obstacle", "share_per_cost"}
    columns = (
        "rank", "indicator", "framework_title", "value_before", "target", "distance_to_mark", "unit", "obstacle",
        "measure_named", "cost_window", "share_per_cost", "threshold_provenance",
    )  # fmt: skip
    rows = []
    for row in table.sort("rank").head(_MOST_GAPS).iter_rows(named=True):
        window = (
            "–" if row["cost_low"] is None else f"{number_text(row['cost_low'], 3)}–{number_text(row['cost_high'], 3)}"
        )
        rows.append(
            (
                Cell(str(row["rank"]), "number"),
                Cell(_local(row, "name", names)),
                Cell(titles[row["framework"]]),
                _number(row["value"], names),
                Cell(number_text(row["threshold"])),
                _number(row["distance"], names),
                Cell(unit_text(row["unit"] or "", names.language), "unit"),
                _number(row["obstacle"], names, factor=100),
                Cell(_local(row, "measure_name", names) or "–"),
                Cell(window),
                _number(row["share_per_cost"], names),
                badge(row["threshold_provenance"], names),
            )
        )
    more = max(table.height - _MOST_GAPS, 0)
    headers = _headers(columns, numeric, names)
    return Table("gaps", say("report.gaps", names.language), headers, tuple(rows), badge("computed", names), more=more)


def _advice(table: pl.DataFrame, kind: str, names: Names) -> Table:
    rows = tuple(
        (Cell(str(row["rank"]), "number"), Cell(row["text_zh" if names.language == "zh" else "text"]))
        for row in table.filter(pl.col("kind") == kind).iter_rows(named=True)
    )
    headers = _headers(("rank", "advice_text"), {"rank"}, names)
    caption = kind_text(kind, names.language)
    return Table(
        f"advice_{kind}",
        caption,
        headers,
        rows,
        badge("computed", names),
        empty=say("report.nothing_to_say", names.language),
    )


def _neighbours(table: pl.DataFrame, names: Names) -> Table:
    columns = ("rank", "site", "peer_distance", "indicators")
    rows = tuple(
        (
            Cell(str(row["rank"]), "number"),
            Cell(names.of("site", row["peer"])),
            _number(row["distance"], names),
            Cell(str(row["common"]), "number"),
        )
        for row in table.iter_rows(named=True)
    )
    headers = _headers(columns, {"rank", "peer_distance", "indicators"}, names)
    return Table("neighbours", say("report.peers", names.language), headers, rows, badge("computed", names))


def evidence_table(table: pl.DataFrame, names: Names) -> Table:
    """Return the evidence with its hashes and whether the files are still the same."""
    columns = ("evidence_of", "evidence_place", "sha256", "evidence_who", "evidence_when", "evidence_state")
    rows = tuple(
        (
            *(Cell(str(row[one] or "–")) for one in ("name", "place", "sha256", "who", "when")),
            Cell(say(f"report.evidence_{row['state']}", names.language)),
        )
        for row in table.iter_rows(named=True)
    )
    return Table("evidence", say("report.evidence", names.language), _headers(columns, set(), names), rows)
