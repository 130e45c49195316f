"""What ``plan.toml`` (or the sheet ``plan``) says becomes a `PlanMeta`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import polars as pl

from cyclopolis.foundation.columns import Column
from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import Language, Message, message
from cyclopolis.plan.cells import ROW, SPACES, Sheet
from cyclopolis.plan.convert import disguised_years, read_choices, read_numbers, read_years
from cyclopolis.plan.headers import nearest
from cyclopolis.plan.model import PlanMeta
from cyclopolis.plan.schema import fold, header_names, plan_keys
from cyclopolis.plan.table_reader import decode


@dataclass(frozen=True)
class MetaText:
    """The keys of the plan as texts, and where each stands.

    ``items`` holds for each key what was written as key, its text, its row (None in a TOML file) and the scenario that
    set it (None: the plan itself). ``readable`` is false where nothing could be read at all.
    """

    file: str
    sheet: str
    items: Mapping[str, tuple[str, str, int | None, str | None]]
    readable: bool = True

    def problem(self, item: str, said: Message, value: str = "") -> Problem:
        """Return a problem with one key."""
        written, _, row, place = self.items.get(item, (item, "", None, None))
        return Problem(said, "error", place or self.file, "" if place else self.sheet, row, written, value)

    def with_item(self, name: str, text: str, place: str, row: int) -> "MetaText":
        """Return the same keys with one set by a scenario."""
        return replace(self, items={**self.items, name: (name, text, row, place)})


def _plain(value: object) -> str:
    """Return a TOML value as a cell's text."""
    if isinstance(value, list):
        return ";".join(_plain(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip(SPACES)


def load_toml(data: bytes, file: str) -> tuple[dict[str, Any], list[Problem]]:
    """Return the content of a TOML file, or the problem that says where it breaks."""
    text = decode(data, file)
    if isinstance(text, Problem):
        return {}, [text]
    try:
        return tomllib.loads(text.replace("\r\n", "\n")), []
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return {}, [Problem(message("plan.toml_broken", reason=str(error)), file=file)]


def meta_from_toml(data: bytes, file: str) -> tuple[MetaText, list[Problem]]:
    """Read ``plan.toml``."""
    content, problems = load_toml(data, file)
    if problems:
        return MetaText(file, "", {}, readable=False), problems
    return _collect(file, "", [(key, value, None) for key, value in content.items()], problems)


def meta_from_sheet(sheet: Sheet) -> tuple[MetaText, list[Problem]]:
    """Read the sheet ``plan``: a key and a value in each row."""
    pairs: list[tuple[str, Any, int | None]] = [(sheet.header[0], (*sheet.header, "")[1], sheet.header_row)]
    second = pl.col("1") if "1" in sheet.frame.columns else pl.lit(None, dtype=pl.String)
    pairs += sheet.frame.select(pl.col("0").fill_null(""), second.fill_null(""), ROW).rows()
    pairs = [pair for pair in pairs if fold(str(pair[0])) not in ("key", "键", "项目", "")]
    return _collect(sheet.file, sheet.sheet, pairs, [])


def _collect(
    file: str, sheet: str, pairs: list[tuple[str, Any, int | None]], problems: list[Problem]
) -> tuple[MetaText, list[Problem]]:
    """Name the keys; unknown and repeated ones are problems."""
    items: dict[str, tuple[str, str, int | None, str | None]] = {}
    known = header_names("plan")
    for written, value, row in pairs:
        name = known.get(fold(written))
        if name is None:
            near = nearest(written, [column.name for column in plan_keys()])
            problems.append(Problem(message("plan.unknown_key"), "error", file, sheet, row, written, suggestion=near))
        elif isinstance(value, dict) or (
            isinstance(value, list) and any(isinstance(part, dict | list) for part in value)
        ):
            problems.append(Problem(message("plan.key_nested"), "error", file, sheet, row, written))
        elif name in items:
            problems.append(
                Problem(
                    message("plan.header_twice", other=items[name][0], name=name), "error", file, sheet, row, written
                )
            )
        else:
            items[name] = (written, _plain(value), row, None)
    return MetaText(file, sheet, items), problems


def read_meta(meta: MetaText) -> tuple[PlanMeta | None, list[Problem]]:
    """Convert and check the keys of a plan.

    Returns
    -------
    PlanMeta, or None when a key cannot be read, and the problems
    """
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    if not meta.readable:
        return None, []
    for column in plan_keys():
        text = meta.items.get(column.name, ("", "", None, None))[1]
        if not text:
            if column.required:
                problems.append(meta.problem(column.name, message("plan.missing_key", name=column.name)))
            continue
        value, key = _value(column, text)
        if value is None:
            said = message(key, choices=", ".join(column.choices))
            problems.append(meta.problem(column.name, said, text))
        elif column.minimum is not None and column.maximum is not None and not _within(value, column):
            bounds = {"minimum": f"{column.minimum:g}", "maximum": f"{column.maximum:g}"}
            problems.append(meta.problem(column.name, message("plan.outside", **bounds), text))
        else:
            values[column.name] = value
    base, horizon = values.get("base_year"), values.get("horizon", ())
    if base is not None and any(year <= base for year in horizon):
        problems.append(
            meta.problem("horizon", message("plan.horizon_before", base_year=base), meta.items["horizon"][1])
        )
    if any(later <= earlier for earlier, later in pairwise(horizon)):
        problems.append(meta.problem("horizon", message("plan.horizon_order"), meta.items["horizon"][1]))
    if problems:
        return None, problems
    language: Language = "zh" if values.get("language") == "zh" else "en"
    return PlanMeta(
        name=values["name"],
        name_zh=values.get("name_zh", ""),
        place=values.get("place", ""),
        base_year=values["base_year"],
        horizon=horizon,
        currency=values.get("currency", "CNY"),
        discount_rate=values["discount_rate"],
        language=language,
    ), []


def _value(column: Column, text: str) -> tuple[Any, str]:
    """Return the value of a key, or None and the key of what to say."""
    series = pl.Series(column.name, [text])
    if column.type == "number":
        return read_numbers(series, 0.01).item(), "plan.not_a_number"
    if column.type == "year":
        return read_years(series).item(), _no_year(series)
    if column.type == "choice":
        return read_choices(series, column).item(), "plan.not_a_choice"
    if column.type == "list":
        parts = [part.strip(SPACES) for part in text.translate(str.maketrans("；，、,", ";;;;")).split(";")]
        series = pl.Series([part for part in parts if part], dtype=pl.String)
        years = read_years(series).to_list()
        return (None if not years or None in years else tuple(years)), _no_year(series)
    return text, ""


def _no_year(texts: pl.Series) -> str:
    """Return the key of what to say of texts that are no years."""
    return "plan.not_a_year" if disguised_years(texts).is_null().all() else "plan.year_as_date"


def _within(value: float | tuple[float, ...], column: Column) -> bool:
    """Return whether a value, or each of several, lies in the column's range."""
    parts = value if isinstance(value, tuple) else (value,)
    low, high = column.minimum, column.maximum
    return all((low is None or part >= low) and (high is None or part <= high) for part in parts)
