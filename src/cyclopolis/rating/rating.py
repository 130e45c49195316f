"""The rating engine: every framework, every indicator that can be answered, before and after the design."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from cyclopolis.foundation.columns import read_columns
from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, Message, message
from cyclopolis.library.frameworks import Framework, Indicator, Level, load_frameworks
from cyclopolis.library.frameworks.glossary import Input, glossary
from cyclopolis.plan.model import Plan
from cyclopolis.rating.figures import distance_figure, status_figure
from cyclopolis.rating.indicators import Rated, rate_indicator, state_of, verdict
from cyclopolis.rating.judging import MET, NOT_MET, STATUS_NAMES, UNKNOWN, Codes
from cyclopolis.rating.values import WHOLE, Cell, Values, gather_values, weakest
from cyclopolis.rating.wording import target_text

_PACKAGE = "cyclopolis.rating"
_STATES = ("before", "after")


@dataclass(frozen=True)
class Rating(Result):
    """What the frameworks say of a place: the tables indicators, frameworks, levels and inputs of ``columns.csv``."""

    engine: ClassVar[str] = "rating"
    columns_package: ClassVar[str] = _PACKAGE

    @property
    def focus(self) -> str:
        """Scope of which most is known (empty: the whole plan), the one that summary and figures show."""
        known = (
            self.tables["frameworks"]
            .group_by("scope")
            .agg(known=pl.sum_horizontal("met_before", "not_met_before", "reported_before").sum())
            .sort(["known", "scope"], descending=[True, False])
        )
        return str(known["scope"].first() or WHOLE)

    def _focus_name(self) -> Message:
        names = self.facts["scopes"][self.focus]
        return _title(names["en"], names["zh"])

    def summary(self) -> tuple[Line, ...]:
        """Return how many indicators of each framework are met in `focus`, and how many rest on memory."""
        table = self.tables["frameworks"].filter(pl.col("scope") == self.focus)
        lines = []
        for row in table.iter_rows(named=True):
            if row["met_before"] + row["not_met_before"] + row["reported_before"] + (row["met_after"] or 0) == 0:
                continue
            title = _title(row["title"], row["title_zh"])
            of = f"/ {row['indicators']}"
            lines.append(Line(message("rating.met_before", framework=title), row["met_before"], of))
            if row["met_after"] is not None:
                lines.append(Line(message("rating.met_after", framework=title), row["met_after"], of))
        judged = self.tables["indicators"].filter(
            (pl.col("scope") == self.focus) & pl.col("status_before").is_in(["met", "not_met"])
        )
        lines.append(Line(message("rating.judged"), judged.height, f"/ {table['indicators'].sum()}"))
        memory = judged.filter(pl.col("threshold_provenance") == "memory").height
        lines.append(Line(message("rating.memory_targets"), memory, f"/ {judged.height}"))
        return tuple(lines)

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return the statuses by framework, and how far the judged indicators are from their targets."""
        return {
            "statuses": status_figure(self.tables["frameworks"], self.focus, self._focus_name(), language),
            "distances": distance_figure(self.tables["indicators"], self.focus, self._focus_name(), language),
        }


def _title(en: str, zh: str | None) -> Message:
    return message("rating.title", en=en, zh=zh or en)


def rate(plan: Plan, quantities: pl.DataFrame | None = None, frameworks: Sequence[str] | None = None) -> Rating:
    """Judge a place by every framework, before and after the design.

    A value comes from the plan's ``indicators`` table, else from its other tables, else from the engines. After the
    design the engines' change is laid over given values; what no engine touches is carried. What is missing stays
    unknown.

    Parameters
    ----------
    plan : Plan
        The place. Frameworks of its own may stand in its folder ``frameworks`` as YAML files.
    quantities : polars.DataFrame, optional
        What the engines found: ``state`` (before, after), ``scope`` (site; empty for the whole), ``quantity``,
        ``value``, and if known ``provenance``. Without rows of state ``after`` nothing is said about a design.
    frameworks : sequence of str, optional
        Ids of the frameworks to use; all by default.

    Returns
    -------
    Rating

    Raises
    ------
    UserError
        If a framework is unknown or malformed, or a value of the indicators table has a unit that does not fit.
    """
    own = plan.folder / "frameworks"
    chosen = _choose(load_frameworks(own if own.is_dir() else None), frameworks)
    inputs = glossary(chosen)
    values = gather_values(plan, inputs, quantities)
    before = state_of(values, inputs, after=False)
    designed = bool(values.after)
    states = {"before": before, **({"after": state_of(values, inputs, after=True)} if designed else {})}
    rated = {
        state: {
            (framework.id, one.id): rate_indicator(one, inputs, before, numbers)
            for framework in chosen
            for one in framework.indicators
        }
        for state, numbers in states.items()
    }
    tables = {
        "indicators": [row for one in chosen for row in _indicator_rows(one, values, rated)],
        "frameworks": [row for one in chosen for row in _framework_rows(one, values, rated)],
        "levels": [row for one in chosen for row in _level_rows(one, values, rated)],
        "inputs": _input_rows(chosen, inputs, values),
    }
    facts = {
        "base_year": plan.meta.base_year,
        "designed": designed,
        "frameworks": [one.id for one in chosen],
        "scopes": _scope_names(plan, values.scopes),
        "notices": [problem.as_dict("en") for problem in values.notices],
    }
    return Rating({name: _table(name, rows) for name, rows in tables.items()}, facts, dict(plan.inputs))


def _scope_names(plan: Plan, scopes: Sequence[str]) -> dict[str, dict[str, str]]:
    names = {WHOLE: {"en": plan.meta.name, "zh": plan.meta.name_zh or plan.meta.name}}
    for row in plan.tables["sites"].filter(pl.col("site").is_in(list(scopes))).iter_rows(named=True):
        english = row["name"] or row["site"]
        names[row["site"]] = {"en": english, "zh": row["name_zh"] or english}
    return names


def _choose(known: Mapping[str, Framework], wanted: Sequence[str] | None) -> tuple[Framework, ...]:
    if wanted is None:
        return tuple(known.values())
    text = message("rating.unknown_framework", known=", ".join(known))
    problems = [Problem(text, value=one) for one in wanted if one not in known]
    if problems:
        raise UserError(problems)
    return tuple(known[one] for one in dict.fromkeys(wanted))


def _table(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {column.name: column.dtype for column in read_columns(_PACKAGE)[name]}
    return pl.DataFrame(rows, schema=schema, orient="row")


_All = Mapping[str, Mapping[tuple[str, str], Rated]]


def _indicator_rows(framework: Framework, values: Values, rated: _All) -> list[dict[str, Any]]:
    dimensions = {one.id: one for one in framework.dimensions}
    rows = []
    for place, scope in enumerate(values.scopes):
        for one in framework.indicators:
            dimension = dimensions[one.dimension]
            row: dict[str, Any] = {
                "scope": scope,
                "framework": framework.id,
                "dimension": dimension.id,
                "dimension_name": dimension.name,
                "dimension_name_zh": dimension.name_zh,
                "edition": one.edition,
                "indicator": one.id,
                "name": one.name,
                "name_zh": one.name_zh,
                "unit": one.unit,
                "required": one.required,
                "target": target_text(one.target, one.unit, "en"),
                "target_zh": target_text(one.target, one.unit, "zh"),
                "threshold_provenance": one.provenance,
                "formula": one.formula.text if one.formula else None,
                "formula_provenance": one.formula_provenance or None,
            }
            for state, by_id in rated.items():
                found = _state_columns(framework, one, by_id[framework.id, one.id], place)
                found |= _origin_columns(one, values, scope, after=state == "after")
                row |= {f"{column}_{state}": value for column, value in found.items()}
            rows.append(row)
    return rows


def _state_columns(framework: Framework, one: Indicator, rated: Rated, place: int) -> dict[str, Any]:
    value, threshold = float(rated.value[place]), float(rated.judgement.threshold[place])
    status = int(rated.judgement.status[place])
    return {
        "value": None if np.isnan(value) else value,
        "status": STATUS_NAMES[status],
        "level": _grade(framework, one, value),
        "reached": _reached(one, value, threshold),
        "threshold": None if np.isnan(threshold) else threshold,
        "reason": str(rated.judgement.reason[place]) or None,
        "missing": "; ".join(rated.missing[place]) or None,
    }


def _origin_columns(one: Indicator, values: Values, scope: str, *, after: bool) -> dict[str, Any]:
    """Say where the values come from that the indicator rests on."""
    cells: Mapping[str, Cell] = (values.after if after else values.before)[scope]
    names = (one.id,) if one.id in cells else one.needs()
    used = {name: cells[name] for name in (*names, *one.target.names(), *one.statements()) if name in cells}
    return {
        "origin": "; ".join(f"{name}={cell.origin}" for name, cell in used.items()) or None,
        "provenance": weakest([cell.provenance for cell in used.values()]) if used else None,
    }


def _grade(framework: Framework, one: Indicator, value: float) -> str | None:
    if one.target.op != "levels" or np.isnan(value):
        return None
    for level in framework.levels:
        if level.scheme != one.target.scheme or level.score is None:
            continue
        if level.score.evaluate({"score": value}).item() == 1.0:
            return level.id
    return None


def _reached(one: Indicator, value: float, threshold: float) -> float | None:
    """Return how much of the target is reached, where both are positive."""
    if np.isnan(value) or np.isnan(threshold) or threshold <= 0 or value < 0:
        return None
    if one.direction == "lower":
        return threshold / value if value > 0 else None
    return value / threshold


def _framework_rows(framework: Framework, values: Values, rated: _All) -> list[dict[str, Any]]:
    rows = []
    for place, scope in enumerate(values.scopes):
        row: dict[str, Any] = {
            "scope": scope,
            "framework": framework.id,
            "title": framework.title,
            "title_zh": framework.title_zh,
            "indicators": len(framework.indicators),
            "memory_targets": sum(one.provenance == "memory" for one in framework.indicators),
            "status": framework.status,
        }
        for state, by_id in rated.items():
            statuses = _statuses(framework, by_id)
            here = [int(codes[place]) for codes in statuses.values()]
            row |= {f"{name}_{state}": here.count(code) for code, name in STATUS_NAMES.items()}
            whole = verdict(framework, statuses)
            row[f"verdict_{state}"] = None if whole is None else STATUS_NAMES[int(whole[place])]
        rows.append(row)
    return rows


def _statuses(framework: Framework, by_id: Mapping[tuple[str, str], Rated]) -> dict[str, Codes]:
    return {one.id: by_id[framework.id, one.id].judgement.status for one in framework.indicators}


def _level_rows(framework: Framework, values: Values, rated: _All) -> list[dict[str, Any]]:
    rows = []
    for place, scope in enumerate(values.scopes):
        for number, level in enumerate(framework.levels):
            row: dict[str, Any] = {
                "scope": scope,
                "framework": framework.id,
                "level": level.id,
                "label": level.label,
                "label_zh": level.label_zh,
                "min_points": level.min_points,
                "total_points": framework.total_points,
                "rule": level.rule or None,
                "provenance": level.provenance,
            }
            for state, by_id in rated.items():
                code = _level_reached(framework, level, by_id, place, first=number == 0)
                row[f"reached_{state}"] = STATUS_NAMES[code]
            rows.append(row)
    return rows


def _level_reached(
    framework: Framework, level: Level, by_id: Mapping[tuple[str, str], Rated], place: int, *, first: bool
) -> int:
    """Judge a level by its score, or the first by the framework's verdict; points that are not public leave it open."""
    if level.score is not None:
        for one in framework.indicators:
            if one.target.op == "levels" and one.target.scheme == level.scheme:
                found = level.score.evaluate({"score": float(by_id[framework.id, one.id].value[place])}).item()
                return UNKNOWN if np.isnan(found) else MET if found else NOT_MET
    whole = verdict(framework, _statuses(framework, by_id)) if first else None
    return UNKNOWN if whole is None else int(whole[place])


def _input_rows(chosen: Sequence[Framework], inputs: Mapping[str, Input], values: Values) -> list[dict[str, Any]]:
    """List every input: the common ones even when unknown, an indicator's own entry only when it was given."""
    users: dict[str, int] = {}
    own: set[str] = set()
    for framework in chosen:
        for one in framework.indicators:
            own.update((one.id, *one.statements()))
            for name in one.needs():
                users[name] = users.get(name, 0) + 1
    rows = []
    for scope in values.scopes:
        for name, one_input in inputs.items():
            if name in own and name not in values.before[scope]:
                continue
            row: dict[str, Any] = {
                "scope": scope,
                "input": name,
                "name": one_input.en,
                "name_zh": one_input.zh,
                "unit": one_input.unit,
                "indicators": users.get(name, 1),
                "definition": one_input.definition or None,
                "definition_zh": one_input.definition_zh or None,
            }
            for state, cells in zip(_STATES, (values.before, values.after), strict=True):
                cell = cells.get(scope, {}).get(name)
                if cell is not None:
                    row[f"value_{state}"] = None if np.isnan(cell.value) else cell.value
                    row[f"origin_{state}"] = cell.origin
                    row[f"provenance_{state}"] = cell.provenance
            rows.append(row)
    return rows
