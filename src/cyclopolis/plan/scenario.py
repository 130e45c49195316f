"""Scenarios: named changes laid over a plan's texts before these are checked, and so checked like any plan."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import polars as pl

from cyclopolis.foundation.columns import Column
from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import message
from cyclopolis.plan.cells import PLACE, ROW, SPACES
from cyclopolis.plan.convert import read_choices, read_numbers, read_years
from cyclopolis.plan.headers import nearest
from cyclopolis.plan.meta import load_toml
from cyclopolis.plan.schema import choice_names, columns, fold, header_names, table_names
from cyclopolis.plan.source import SCENARIO_FOLDER, Source
from cyclopolis.plan.table_reader import decode

_CHANGE = re.compile(r"\s*\[\[\s*change\s*\]\]")
_KEYS = ("action", "table", "where", "column", "value", "source", "note")


@dataclass(frozen=True)
class Change:
    """One change of a scenario, as texts, and where it stands."""

    action: str
    table: str
    where: Mapping[str, str]
    column: str
    value: str
    row: Mapping[str, str]
    file: str
    sheet: str
    number: int

    def problem(self, key: str, value: str = "", suggestion: str = "", column: str = "", **values: object) -> Problem:
        """Return a problem with this change."""
        return Problem(message(key, **values), "error", self.file, self.sheet, self.number, column, value, suggestion)

    @property
    def place(self) -> str:
        """Return the file that rows changed here shall name as theirs."""
        return f"{self.file} ({self.sheet})" if self.sheet else self.file


def apply_scenarios(source: Source, names: Sequence[str]) -> None:
    """Lay scenarios over a plan's texts, in the order given, each after those that it is based on.

    Parameters
    ----------
    source : Source
        The plan's texts; its tables, keys, inputs and problems are changed.
    names : sequence of str
        Scenarios to apply.
    """
    given = _table_scenarios(source)
    order: list[str] = []
    changes: dict[str, list[Change]] = {}
    for name in names:
        _gather(source, given, name, (), order, changes)
    for name in order:
        for change in changes[name]:
            _apply(source, change)


def _gather(
    source: Source,
    given: Mapping[str, list[Change]],
    name: str,
    above: tuple[str, ...],
    order: list[str],
    changes: dict[str, list[Change]],
) -> None:
    """Put a scenario behind those that it is based on; names of problems are reported."""
    if name in above:
        chain = " > ".join((*above, name))
        source.problems.append(Problem(message("plan.scenario_cycle", chain=chain)))
        return
    if name in order:
        return
    available = sorted({*given, *source.scenarios})
    if name not in available:
        shown = ", ".join(available) or "-"
        source.problems.append(
            Problem(message("plan.unknown_scenario", available=shown), value=name, suggestion=nearest(name, available))
        )
        return
    if name in given and name in source.scenarios:
        source.problems.append(Problem(message("plan.scenario_twice", file=source.scenarios[name].name), value=name))
        return
    based: Sequence[str] = ()
    if name in source.scenarios:
        based, changes[name] = _read_scenario(source, name)
    else:
        changes[name] = given[name]
    for other in based:
        _gather(source, given, other, (*above, name), order, changes)
    order.append(name)


def _read_scenario(source: Source, name: str) -> tuple[Sequence[str], list[Change]]:
    """Read ``scenarios/NAME.toml``."""
    path = source.scenarios[name]
    file = f"{SCENARIO_FOLDER}/{path.name}"
    data = path.read_bytes()
    source.inputs[file] = sha256(data).hexdigest()
    content, problems = load_toml(data, file)
    source.problems += problems
    for key in content:
        if key not in ("based_on", "change", "name", "name_zh", "note", "source"):
            near = nearest(key, ["based_on", "change", "name", "name_zh", "note", "source"])
            source.problems.append(Problem(message("plan.unknown_key"), file=file, column=key, suggestion=near))
    based = content.get("based_on", [])
    based = [based] if isinstance(based, str) else based
    rows = content.get("change", [])
    if not isinstance(based, list) or not all(isinstance(part, str) for part in based):
        source.problems.append(Problem(message("plan.based_on"), file=file, column="based_on"))
        based = []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        source.problems.append(Problem(message("plan.scenario_changes"), file=file, column="change"))
        rows = []
    changes = []
    for number, row in zip(_lines(data, len(rows)), rows, strict=True):
        for key in row:
            if key not in _KEYS:
                near = nearest(key, _KEYS)
                source.problems.append(
                    Problem(message("plan.unknown_key"), file=file, row=number, column=key, suggestion=near)
                )
        changes += _change(source, row, file, "", number)
    return based, changes


def _lines(data: bytes, count: int) -> Sequence[int]:
    """Return the line of each ``[[change]]``, or their numbers where they are written another way."""
    text = decode(data, "")
    lines = text.splitlines() if isinstance(text, str) else []
    found = [line for line, text in enumerate(lines, start=1) if _CHANGE.match(text)]
    return found if len(found) == count else range(1, count + 1)


def _table_scenarios(source: Source) -> dict[str, list[Change]]:
    """Return the scenarios of the table or sheet ``scenarios``."""
    text = source.tables["scenarios"]
    found: dict[str, list[Change]] = {}
    for row in text.frame.iter_rows(named=True):
        if row["scenario"]:
            found.setdefault(row["scenario"], [])
            found[row["scenario"]] += _change(source, row, text.file, text.sheet, row[ROW])
    return found


def _cell(value: object) -> str:
    """Return a TOML value as a cell's text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ";".join(_cell(part) for part in value)
    return "" if value is None else str(value).strip(SPACES)


def _pairs(value: object) -> dict[str, str] | None:
    """Return ``column=value; ...`` or a TOML table as a mapping; None where it is neither."""
    if value is None:
        return {}
    if isinstance(value, dict):
        return {str(key): _cell(part) for key, part in value.items()}
    found: dict[str, str] = {}
    for part in _cell(value).replace("；", ";").replace("＝", "=").split(";"):
        if not part.strip(SPACES):
            continue
        name, mark, text = part.partition("=")
        if not mark:
            return None
        found[name.strip(SPACES)] = text.strip(SPACES)
    return found


def _change(source: Source, row: Mapping[str, Any], file: str, sheet: str, number: int) -> list[Change]:
    """Check the form of one change; its names are checked against the plan's tables here too."""
    column = next(column for column in columns()["scenarios"] if column.name == "action")
    action = choice_names(column).get(fold(_cell(row.get("action"))), "")
    table = table_names().get(fold(_cell(row.get("table"))), "")
    blank = Change(action, table, {}, "", _cell(row.get("value")), {}, file, sheet, number)
    problems: list[Problem] = []
    if not action:
        problems.append(
            blank.problem(
                "plan.not_a_choice", _cell(row.get("action")), column="action", choices=", ".join(column.choices)
            )
        )
    if not table or table == "scenarios":
        written = _cell(row.get("table"))
        near = "" if table else nearest(written, ["plan", *(name for name in columns() if name != "scenarios")])
        problems.append(blank.problem("plan.change_table", written, near, column="table"))
    if problems:
        source.problems += problems
        return []
    where, problems = _named(blank, row.get("where"), "where")
    cells: dict[str, str] = {}
    name = ""
    if action == "add":
        cells, wrong = _named(blank, row.get("value"), "value")
        problems += wrong
        if not cells and not wrong:
            problems.append(blank.problem("plan.change_add", column="value"))
    elif action in ("set", "scale"):
        written = _cell(row.get("column"))
        name = header_names(table).get(fold(written), "")
        if not name:
            known = list(header_names(table).values())
            problems.append(
                blank.problem("plan.change_column", written, nearest(written, known), column="column", table=table)
            )
    source.problems += problems
    if problems:
        return []
    return [Change(action, table, where, name, blank.value, cells, file, sheet, number)]


def _named(change: Change, value: object, key: str) -> tuple[dict[str, str], list[Problem]]:
    """Return pairs with the columns' names, and the names that are none."""
    pairs = _pairs(value)
    if pairs is None:
        return {}, [change.problem("plan.change_pairs", _cell(value), column=key)]
    known = header_names(change.table)
    found, problems = {}, []
    for written, text in pairs.items():
        name = known.get(fold(written))
        if name is None:
            near = nearest(written, list(known.values()))
            problems.append(change.problem("plan.change_column", written, near, column=key, table=change.table))
        else:
            found[name] = text
    return found, problems


def _apply(source: Source, change: Change) -> None:
    """Lay one change over the plan's texts."""
    if change.table == "plan":
        _apply_to_meta(source, change)
        return
    text = source.tables[change.table]
    frame = text.frame
    if change.action == "add":
        row: dict[str, str | int | None] = {name: change.row.get(name) or None for name in frame.columns}
        row |= {ROW: change.number, PLACE: change.place}
        fresh = pl.DataFrame([row], schema=frame.schema)
        source.tables[change.table] = text.with_frame(pl.concat([frame, fresh]))
        return
    mask = _matching(change, frame)
    if not mask.any():
        shown = "; ".join(f"{name}={value}" for name, value in change.where.items()) or "-"
        source.problems.append(change.problem("plan.change_no_row", shown, column="where", table=change.table))
        return
    if change.action == "remove":
        source.tables[change.table] = text.with_frame(frame.filter(~mask))
        return
    if change.action == "set":
        values = pl.Series([change.value or None] * frame.height, dtype=pl.String)
    else:
        scaled = _scaled(change, frame, mask)
        if isinstance(scaled, Problem):
            source.problems.append(scaled)
            return
        values = scaled
    source.tables[change.table] = text.with_frame(
        frame.with_columns(
            pl.when(mask).then(values).otherwise(pl.col(change.column)).alias(change.column),
            pl.when(mask).then(pl.lit(change.place)).otherwise(pl.col(PLACE)).alias(PLACE),
            pl.when(mask).then(pl.lit(change.number, dtype=pl.Int64)).otherwise(pl.col(ROW)).alias(ROW),
        )
    )


def _column(table: str, name: str) -> Column:
    return next(column for column in columns()[table] if column.name == name)


def _matching(change: Change, frame: pl.DataFrame) -> pl.Series:
    """Return which rows have all the values that a change asks for; an empty value asks for an empty cell."""
    mask = pl.Series([True] * frame.height, dtype=pl.Boolean)
    for name, value in change.where.items():
        column = _column(change.table, name)
        texts = frame[name]
        if not value:
            mask &= texts.is_null()
            continue
        equal = texts == value
        read = _reader(column)
        wanted = read(pl.Series(name, [value])).item() if read else None
        if read and wanted is not None:
            equal |= read(texts) == wanted
        mask &= equal.fill_null(value=False)
    return mask


def _reader(column: Column) -> Callable[[pl.Series], pl.Series] | None:
    """Return what reads a column's cells by their meaning; None where only the spelling counts."""
    match column.type:
        case "choice" | "flag":
            return lambda texts: read_choices(texts, column)
        case "number" | "integer":
            return read_numbers
        case "year":
            return read_years
    return None


def _scaled(change: Change, frame: pl.DataFrame, mask: pl.Series) -> pl.Series | Problem:
    """Return a column with the marked numbers multiplied, or why that cannot be."""
    column = _column(change.table, change.column)
    by = read_numbers(pl.Series([change.value or None], dtype=pl.String), 0.01).item()
    if by is None:
        return change.problem("plan.not_a_number", change.value, column="value")
    if column.type not in ("number", "integer"):
        return change.problem("plan.change_scale", change.column, column="column")
    percent = {"%": 1.0, "1": 0.01}.get(column.unit)
    numbers = read_numbers(frame[change.column], percent)
    if numbers.filter(mask).null_count() == int(mask.sum()):
        return change.problem("plan.change_unknown", change.column, column="column")
    products = [None if number is None else repr(number * by) for number in numbers.to_list()]
    texts = pl.Series(change.column, products, dtype=pl.String)
    return pl.select(pl.coalesce(texts, frame[change.column]).alias(change.column)).to_series()


def _apply_to_meta(source: Source, change: Change) -> None:
    """Set or scale a key of the plan."""
    if change.action not in ("set", "scale") or change.where:
        source.problems.append(change.problem("plan.change_plan", column="action"))
        return
    text = change.value
    if change.action == "scale":
        old = source.meta.items.get(change.column, ("", "", None, None))[1]
        pair = read_numbers(pl.Series([old or None, text or None], dtype=pl.String), 0.01).to_list()
        if None in pair:
            source.problems.append(change.problem("plan.change_unknown", change.column, column="column"))
            return
        text = repr(pair[0] * pair[1])
    source.meta = source.meta.with_item(change.column, text, change.place, change.number)
