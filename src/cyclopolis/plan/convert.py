"""Texts become typed values, a whole column at a time; what cannot be read is named, never guessed or dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import polars as pl

from cyclopolis.foundation.columns import Column
from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import Message, message
from cyclopolis.plan.cells import PLACE, ROW, SPACES
from cyclopolis.plan.headers import TextTable, nearest
from cyclopolis.plan.schema import choice_names, choice_values, columns, fold

_GROUPED = r"^[+-]?\d{1,3}(?:[, ']\d{3})+(?:\.\d+)?$"
_NUMBER = r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$"
_DATE = r"^(\d{4})(?:[-/.]\d{1,2}[-/.]\d{1,2}(?:[ T].*)?|年(?:度)?(?:\d{1,2}月(?:\d{1,2}日)?)?)$"
_DAY = r"^(19(?:0[569]|10)[-/.年]\d{1,2}[-/.月]\d{1,2})日?$"
_EPOCHS = (date(1899, 12, 30), date(1904, 1, 1))
"""Days from which spreadsheets count: usually the first, the second in workbooks of old Macintoshes."""
_YEARS = (1900, 2200)
_BAD_ID = r"[;；\x00-\x1f\x7f]"
_SUGGESTED = 200


@dataclass(frozen=True)
class Known:
    """Identifiers that references may name, the names by which people call them, and whether these are all.

    ``rows`` has the columns ``id``, ``name`` and ``name_zh``. Where the table that defines them could not be read
    ``whole``, nothing is said of references to it.
    """

    rows: pl.DataFrame
    whole: bool = True

    @cached_property
    def ids(self) -> pl.Series:
        """Return the identifiers, each once."""
        return self.rows["id"].unique(maintain_order=True)

    @cached_property
    def _called(self) -> Mapping[str, str]:
        return {name: row[0] for row in self.rows.iter_rows() for name in row[:0:-1] if name}

    def near(self, value: str) -> str:
        """Return the identifier that was probably meant: the one called so, else the one spelt most alike."""
        return self._called.get(value) or nearest(value, self.ids)


def read_numbers(texts: pl.Series, percent: float | None = None) -> pl.Series:
    """Read numbers as people write them.

    Full-width digits, thousands separators (comma, space, apostrophe) and a percent sign are understood. A comma that
    is no thousands separator is not: ``1,5`` may be one and a half or a slip.

    Parameters
    ----------
    texts : polars.Series of str
        Trimmed cells; null for an empty one.
    percent : float, optional
        What ``%`` stands for: 1 in a column of percentages, 0.01 in one of pure numbers; None where it has no place.

    Returns
    -------
    polars.Series of Float64
        Null where the cell is empty or holds no finite number.

    Examples
    --------
    >>> read_numbers(pl.Series(["1,234.5", "１，２３４", "12%", "1,5"]), percent=1.0).to_list()
    [1234.5, 1234.0, 12.0, None]
    """
    direct = texts.cast(pl.Float64, strict=False)
    if direct.null_count() == texts.null_count() and bool(direct.is_finite().all()):
        return direct
    plain = texts.str.normalize("NFKC").str.strip_chars(SPACES).str.replace_all("[\u2212\u2013]", "-")
    is_percent = plain.str.ends_with("%")
    frame = pl.DataFrame({"text": plain, "percent": is_percent}).with_columns(
        pl.when("percent")
        .then(pl.col("text").str.strip_suffix("%").str.strip_chars(SPACES))
        .otherwise("text")
        .alias("text")
    )
    grouped = pl.col("text").str.contains(_GROUPED)
    frame = frame.with_columns(
        pl.when(grouped).then(pl.col("text").str.replace_all("[, ']", "")).otherwise("text").alias("text")
    )
    plainly = pl.when(pl.col("text").str.contains(_NUMBER)).then(pl.col("text").cast(pl.Float64, strict=False))
    factor = pl.lit(percent, dtype=pl.Float64)
    value = pl.when("percent").then(plainly * factor).otherwise(plainly)
    read = frame.select(value.alias(texts.name)).to_series()
    return read.set(~read.is_finite().fill_null(value=False), None)


def read_years(texts: pl.Series) -> pl.Series:
    """Read years: ``2030``, ``2030年``, ``2030-12-31`` and the like.

    A date that is a year in disguise (see `disguised_years`) is null.

    Examples
    --------
    >>> read_years(pl.Series(["2030", "2030年", "2030-12-31", "soon"])).to_list()
    [2030, 2030, 2030, None]
    """
    plain = texts.str.normalize("NFKC")
    dates = plain.str.extract(_DATE, 1)
    numbers = read_numbers(pl.select(pl.coalesce(dates, plain)).to_series())
    wrong = (numbers != numbers.round()) | (numbers.abs() > 1e9) | disguised_years(texts).is_not_null()
    return numbers.set(wrong, None).cast(pl.Int64).rename(texts.name)


def disguised_years(texts: pl.Series) -> pl.Series:
    """Return the year behind each date that is but a year in a cell formatted as a date, else null.

    A spreadsheet that shows the number 2024 as a date shows 1905-07-16, the 2024th day of its count.

    Examples
    --------
    >>> disguised_years(pl.Series(["1905-07-16", "2024-07-16", "1905"])).to_list()
    [2024, None, None]
    """
    plain = pl.DataFrame({"text": texts.str.normalize("NFKC")})
    day = pl.col("text").str.extract(_DAY, 1).str.replace_all("[/.年月]", "-").str.to_date("%Y-%m-%d", strict=False)
    counts = [(day - pl.lit(epoch)).dt.total_days() for epoch in _EPOCHS]
    years = [pl.when(count.is_between(*_YEARS)).then(count) for count in counts]
    return plain.select(pl.coalesce(years).alias(texts.name)).to_series()


def read_choices(texts: pl.Series, column: Column) -> pl.Series:
    """Read choices and flags by any accepted name; null where it is none."""
    names = choice_names(column)
    found = {text: names[fold(text)] for text in texts.unique().drop_nulls().to_list() if fold(text) in names}
    if not found:
        return pl.Series(texts.name, [None] * len(texts), dtype=pl.String)
    return texts.replace_strict(list(found), list(found.values()), default=None, return_dtype=pl.String)


def convert(text: TextTable, known: Mapping[str, Known]) -> tuple[pl.DataFrame, list[Problem]]:
    """Convert a table's texts to the types of the schema.

    Parameters
    ----------
    text : TextTable
        Cells by column.
    known : mapping
        Identifiers by the table that defines them, the library's included.

    Returns
    -------
    table with the schema's columns and types and ``@row`` and ``@place``, and a problem for each cell that cannot be
    read (its value is null then)
    """
    problems: list[Problem] = []
    series: list[pl.Series] = []
    for column in columns()[text.table]:
        texts = text.frame[column.name]
        if column.required and column.name in text.written and texts.null_count():
            problems += _at(text, column, texts.is_null(), message("plan.empty_cell"))
        if texts.null_count() == texts.len():
            series.append(pl.Series(column.name, [None] * texts.len(), dtype=column.dtype))
            continue
        values, found = _converted(text, column, known.get(column.refers))
        series.append(values)
        problems += found
    return pl.DataFrame([*series, text.frame[ROW], text.frame[PLACE]]), problems


def _converted(text: TextTable, column: Column, known: Known | None) -> tuple[pl.Series, list[Problem]]:
    """Convert one column that is not empty; see `convert`."""
    texts = text.frame[column.name]
    values = _typed(texts, column)
    problems: list[Problem] = []
    if values.null_count() > texts.null_count():
        unread = values.is_null() & texts.is_not_null()
        if column.type == "year":
            found, unread = _disguised(text, column, unread)
            problems += found
        problems += _at(text, column, unread, *_unreadable(column))
    if column.minimum is not None or column.maximum is not None:
        problems += _outside(text, column, values)
    if column.unit == "%" and text.sheet:
        problems += _shares(text, column, values)
    if column.type == "list" and not column.refers:
        values, found = _listed_choices(text, column, values)
        problems += found
    if known is not None and known.whole:
        check = _unresolved_lists if column.type == "list" else _unresolved
        problems += check(text, column, values, known)
    return values, problems


def _shares(text: TextTable, column: Column, values: pl.Series) -> list[Problem]:
    """Note once that a workbook's percentages may be shares: a cell that shows 8 % holds 0.08."""
    small = (values > 0) & (values < 1)
    bare = ~text.frame[column.name].str.contains("[%％]")
    if (values >= 1).any() or not (small & bare).any():
        return []
    found = _at(text, column, (small & bare).fill_null(value=False), message("plan.percent_small"))
    return [replace(found[0], severity="notice")]


def _disguised(text: TextTable, column: Column, unread: pl.Series) -> tuple[list[Problem], pl.Series]:
    """Return a problem for each year that stands as a date of 1905, and which cells are then still to be explained."""
    years = disguised_years(text.frame[column.name])
    said = message("plan.year_as_date")
    problems = [
        replace(problem, suggestion=str(year))
        for problem, year in zip(_at(text, column, years.is_not_null(), said), years.drop_nulls(), strict=True)
    ]
    return problems, unread & years.is_null()


def _typed(texts: pl.Series, column: Column) -> pl.Series:
    """Return a column's values in its type; null where a cell cannot be read."""
    match column.type:
        case "number":
            values = read_numbers(texts, {"%": 1.0, "1": 0.01}.get(column.unit))
        case "integer":
            numbers = read_numbers(texts)
            values = numbers.set(numbers != numbers.round(), None).cast(pl.Int64)
        case "year":
            values = read_years(texts)
        case "choice":
            values = read_choices(texts, column)
        case "flag":
            values = read_choices(texts, column) == "yes"
        case "id":
            values = texts.set(texts.str.contains(_BAD_ID).fill_null(value=False), None)
        case "list":
            values = _joined(texts)
        case _:
            values = texts
    return values


def _joined(texts: pl.Series) -> pl.Series:
    """Return lists with ``;`` between their parts and nothing else; null where no part is left."""
    parts = texts.str.replace_all("[；、，,]", ";").str.split(";").list.eval(pl.element().str.strip_chars(SPACES))
    joined = parts.list.eval(pl.element().filter(pl.element() != "")).list.join(";")
    return joined.set(joined == "", None)


def _unreadable(column: Column) -> tuple[Message, Sequence[str]]:
    """Return what to say of a cell that cannot be read, and the names it may have meant."""
    if column.type in ("choice", "flag"):
        values = choice_values(column)
        return message("plan.not_a_choice", choices=", ".join(values)), values
    keys = {"number": "plan.not_a_number", "integer": "plan.not_whole", "year": "plan.not_a_year", "id": "plan.bad_id"}
    return message(keys.get(column.type, "plan.empty_list")), ()


def _at(text: TextTable, column: Column, mask: pl.Series, said: Message, names: Sequence[str] = ()) -> list[Problem]:
    """Return a problem for each marked cell of a column."""
    if not mask.any():
        return []
    cells = text.frame.filter(mask).select(ROW, PLACE, column.name)
    return [
        text.problem(
            said,
            row,
            place=place,
            column=column.name,
            value=value or "",
            suggestion=_near_choice(column, value) if names and value else "",
        )
        for row, place, value in cells.iter_rows()
    ]


def _near_choice(column: Column, value: str) -> str:
    """Return the accepted name nearest to a choice that is not understood."""
    return nearest(value, [*choice_values(column), *choice_names(column)])


def _outside(text: TextTable, column: Column, values: pl.Series) -> list[Problem]:
    """Return a problem for each value below the least or above the largest allowed."""
    low = column.minimum if column.minimum is not None else float("-inf")
    high = column.maximum if column.maximum is not None else float("inf")
    mask = ((values < low) | (values > high)).fill_null(value=False)
    if column.maximum is None:
        return _at(text, column, mask, message("plan.below", minimum=f"{low:g}"))
    return _at(text, column, mask, message("plan.outside", minimum=f"{low:g}", maximum=f"{high:g}"))


def _unresolved(text: TextTable, column: Column, values: pl.Series, known: Known) -> list[Problem]:
    """Return a problem for each reference that no row defines."""
    mask = values.is_not_null() & ~values.is_in(known.ids.implode())
    if not mask.any():
        return []
    wrong = values.filter(mask).unique(maintain_order=True).to_list()
    near = {value: known.near(value) for value in wrong[:_SUGGESTED]}
    return _unknown(text, column, text.frame.filter(mask).select(ROW, PLACE, column.name), near)


def _unresolved_lists(text: TextTable, column: Column, values: pl.Series, known: Known) -> list[Problem]:
    """Return a problem for each part of a list that no row defines."""
    parts = pl.DataFrame([text.frame[ROW], text.frame[PLACE], values.str.split(";").alias("part")])
    parts = parts.explode("part").drop_nulls("part")
    wrong = parts.filter(~pl.col("part").is_in([*known.ids.to_list(), *column.choices]))
    near = {value: known.near(value) for value in wrong["part"].unique(maintain_order=True)}
    return _unknown(text, column, wrong, near)


def _unknown(text: TextTable, column: Column, cells: pl.DataFrame, near: Mapping[str, str]) -> list[Problem]:
    """Return a problem for each cell (row, place, value), with what may have been meant where that was looked for."""
    return [
        text.problem(
            "plan.unknown_id",
            row,
            place=place,
            column=column.name,
            value=value,
            suggestion=near.get(value, ""),
            table=column.refers,
        )
        for row, place, value in cells.iter_rows()
    ]


def _listed_choices(text: TextTable, column: Column, values: pl.Series) -> tuple[pl.Series, list[Problem]]:
    """Return a list column with each part by its value's name, and a problem for each part that is none."""
    names, problems, found = choice_names(column), list[Problem](), list[str | None]()
    said = message("plan.not_a_choice", choices=", ".join(choice_values(column)))
    for cell, row, place in zip(values, text.frame[ROW], text.frame[PLACE], strict=True):
        parts = cell.split(";") if cell else []
        problems += [
            text.problem(
                said,
                row,
                place=place,
                column=column.name,
                value=part,
                suggestion=_near_choice(column, part),
            )
            for part in parts
            if fold(part) not in names
        ]
        found.append(";".join(names.get(fold(part), part) for part in parts) or None)
    return pl.Series(column.name, found, dtype=pl.String), problems
