"""Headers become columns: every accepted name of a column, in either language, with its unit beside it if given."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl
from rapidfuzz import fuzz, process

from cyclopolis.foundation.problems import Problem, Severity
from cyclopolis.foundation.text import Message, message
from cyclopolis.plan.cells import PLACE, ROW, Sheet, column_letter
from cyclopolis.plan.schema import columns, fold, header_names

_WITH_UNIT = re.compile(r"(.+?)\s*[\[(（［]([^\[\]()（）［］]+)[\])）］]\s*")
_NEAR = 60.0


@dataclass(frozen=True)
class TextTable:
    """One table of the plan before its cells are converted.

    Parameters
    ----------
    table : str
        Its name.
    file, sheet : str
        Where it stands.
    frame : polars.DataFrame
        String columns as the schema names them (null: empty), row numbers in ``@row``, and in ``@place`` the scenario
        that put or changed a row (null: none).
    header_units : mapping
        Unit of a column that its header gave.
    written : mapping
        Header of each column as the user wrote it.
    """

    table: str
    file: str
    sheet: str
    frame: pl.DataFrame
    header_units: Mapping[str, str]
    written: Mapping[str, str]

    def problem(
        self,
        said: str | Message,
        row: int | None = None,
        *,
        place: str | None = None,
        column: str = "",
        value: str | None = None,
        severity: Severity = "error",
        suggestion: str = "",
        **values: object,
    ) -> Problem:
        """Return a problem in this table: a key and its values, or a message.

        ``place`` is the row's own if it has one; the cell's text is added unless a ``value`` is given.
        """
        return Problem(
            message(said, **values) if isinstance(said, str) else said,
            severity,
            place or self.file,
            "" if place else self.sheet,
            row,
            self.written.get(column, column),
            self.cell(row, place, column) if value is None else value,
            suggestion,
        )

    @cached_property
    def _positions(self) -> Mapping[tuple[int | None, str | None], int]:
        return {row: position for position, row in enumerate(self.frame.select(ROW, PLACE).iter_rows())}

    def cell(self, row: int | None, place: str | None, column: str) -> str:
        """Return the text of a cell as it was written, empty for an empty one."""
        position = self._positions.get((row, place))
        if position is None or column not in self.frame.columns:
            return ""
        return self.frame[column][position] or ""

    def with_frame(self, frame: pl.DataFrame) -> "TextTable":
        """Return the same table with other rows."""
        return replace(self, frame=frame)


def nearest(value: str, known: Iterable[str], alike: float = _NEAR) -> str:
    """Return the known name that is most like ``value``, or an empty text when none is ``alike`` (of 100).

    Examples
    --------
    >>> nearest("carbide_slug", ["carbide_slag", "steam_coal"])
    'carbide_slag'
    """
    choices = {name: fold(name) for name in known}
    best = process.extractOne(fold(value), choices, scorer=fuzz.ratio, score_cutoff=alike)
    return best[2] if best else ""


def empty_text_table(table: str, file: str, sheet: str = "") -> TextTable:
    """Return a table without rows."""
    schema = {column.name: pl.String() for column in columns()[table]}
    frame = pl.DataFrame(schema={**schema, ROW: pl.Int64(), PLACE: pl.String()})
    return TextTable(table, file, sheet, frame, {}, {})


def to_text_table(sheet: Sheet, table: str) -> tuple[TextTable, list[Problem]]:
    """Name the columns of a sheet.

    Parameters
    ----------
    sheet : Sheet
        Cells with the header as written.
    table : str
        The table of the plan that it is.

    Returns
    -------
    table with every column of the schema (absent ones empty), and the problems: headers that name no column, two
    headers of one column, cells under no header, required columns that are missing
    """
    problems: list[Problem] = []
    found: dict[str, int] = {}
    units: dict[str, str] = {}
    written: dict[str, str] = {}
    known = header_names(table)
    for position, header in enumerate(sheet.header):
        letter = column_letter(position)
        if not header:
            if sheet.frame[str(position)].null_count() < sheet.frame.height:
                problems.append(sheet.problem("plan.no_header", row=sheet.header_row, column=letter))
            continue
        name, unit = known.get(fold(header)), ""
        if name is None and (match := _WITH_UNIT.fullmatch(header)):
            name, unit = known.get(fold(match[1])), match[2].strip()
        if name is None:
            near = nearest(header, [column.name for column in columns()[table]] + list(known))
            problems.append(
                sheet.problem("plan.unknown_column", row=sheet.header_row, column=header, table=table, suggestion=near)
            )
        elif name in found:
            problems.append(
                sheet.problem("plan.header_twice", row=sheet.header_row, column=header, other=written[name], name=name)
            )
        else:
            found[name], written[name] = position, header
            if unit:
                units[name] = unit
    guessed = {known.get(fold(problem.suggestion)) for problem in problems}
    if sheet.frame.height or found:
        problems += [
            sheet.problem(
                "plan.missing_column", row=sheet.header_row, name=column.name, alias="; ".join(column.aliases[:2])
            )
            for column in columns()[table]
            if column.required and column.name not in found and column.name not in guessed
        ]
    frame = sheet.frame.select(
        *(
            (pl.col(str(found[column.name])) if column.name in found else pl.lit(None, dtype=pl.String)).alias(
                column.name
            )
            for column in columns()[table]
        ),
        pl.col(ROW),
        pl.lit(None, dtype=pl.String).alias(PLACE),
    )
    ruled = {column.name for column in columns()[table] if column.type == "number" and column.unit not in ("", "@unit")}
    units = {name: unit for name, unit in units.items() if name in ruled}
    return TextTable(table, sheet.file, sheet.sheet, frame, units, written), problems
