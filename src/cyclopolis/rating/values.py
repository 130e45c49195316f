"""The values that frameworks need, before and after the design: from the user, the plan's tables and the engines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.library.frameworks.glossary import Input
from cyclopolis.library.frameworks.units import conversion
from cyclopolis.plan.model import Plan, provenance

Numbers = npt.NDArray[np.float64]

WHOLE = ""
"""Scope of the plan as a whole."""

_NEGLIGIBLE = 1e-9
"""Relative change of an engine's figure that is rounding."""

_WEAKEST_LAST = ("measured", "user", "seen", "computed", "memory", "assumed")


@dataclass(frozen=True)
class Cell:
    """One value of one input in one scope.

    ``origin`` is user (indicators table), plan (summed from the plan's tables), engine, user+engine, plan+engine (the
    engine's change by the design laid over the given value), exceeds (that sum would be negative, so it is unknown), or
    lapsed (a part of something that the design changes, so it is unknown).
    """

    value: float
    origin: str
    provenance: str


@dataclass(frozen=True)
class Values:
    """All values by scope and input name; a missing name is unknown; ``after`` is empty when nothing was designed."""

    scopes: tuple[str, ...]
    before: Mapping[str, Mapping[str, Cell]]
    after: Mapping[str, Mapping[str, Cell]]
    notices: tuple[Problem, ...]

    def numbers(self, name: str, *, after: bool) -> Numbers:
        """Return the values of one input over all scopes, NaN where unknown."""
        cells = self.after if after else self.before
        return np.array([_value(cells.get(scope, {}).get(name)) for scope in self.scopes])


def _value(cell: Cell | None) -> float:
    return float("nan") if cell is None else cell.value


def weakest(classes: Sequence[str]) -> str:
    """Return the weakest of several provenance classes.

    Examples
    --------
    >>> weakest(["user", "assumed", "measured"])
    'assumed'
    """
    known = [one for one in classes if one in _WEAKEST_LAST]
    return max(known, key=_WEAKEST_LAST.index) if known else "computed"


def gather_values(
    plan: Plan, inputs: Mapping[str, Input], quantities: pl.DataFrame | None, *, own_tables: bool = True
) -> Values:
    """Collect every input's value before and after the design.

    Parameters
    ----------
    plan : Plan
        Its ``indicators``, ``sites`` and ``enterprises`` tables are read.
    inputs : mapping of name to Input
        The glossary.
    quantities : polars.DataFrame or None
        What the engines found: columns ``state`` (before, after), ``scope`` (site, empty for the whole), ``quantity``,
        ``value``, and if known ``provenance``.
    own_tables : bool
        Whether the plan's other tables count (they describe the base year, not earlier ones).

    Raises
    ------
    UserError
        If a value of the indicators table has a unit that does not fit its input.
    """
    roots = _roots(plan)
    user, notices = _user_cells(plan, inputs, roots)
    scopes = (WHOLE, *sorted(scope for scope in user if scope != WHOLE))
    found = {state: _quantity_cells(quantities, state, roots) for state in ("before", "after")}
    designed = bool(found["after"])
    before: dict[str, Mapping[str, Cell]] = {}
    after: dict[str, Mapping[str, Cell]] = {}
    for scope in scopes:
        given = {**(_plan_cells(plan, inputs, scope) if own_tables else {}), **user.get(scope, {})}
        start, end = found["before"].get(scope, {}), found["after"].get(scope, {})
        before[scope] = {**_engine_cells(inputs, start), **given}
        if designed:
            after[scope] = _after_cells(inputs, given, start, end)
    return Values(scopes, before, after, tuple(notices))


def _roots(plan: Plan) -> tuple[str, ...]:
    return tuple(plan.tables["sites"].filter(pl.col("parent").is_null())["site"].to_list())


def _user_cells(
    plan: Plan, inputs: Mapping[str, Input], roots: tuple[str, ...]
) -> tuple[dict[str, dict[str, Cell]], list[Problem]]:
    """Return the newest value up to the base year of each site and input, in the input's unit."""
    by_word = {word: name for name, one in inputs.items() for word in (one.zh, one.en)} | {
        name: name for name in inputs
    }
    cells: dict[str, dict[str, Cell]] = {}
    errors: list[Problem] = []
    notices: dict[str, Problem] = {}
    table = plan.tables["indicators"].filter(pl.col("year") <= plan.meta.base_year).sort("year", maintain_order=True)
    for row in table.iter_rows(named=True):
        name = by_word.get(row["name"].strip())
        if name is None:
            notices[row["name"]] = Problem(
                message("rating.unknown_name"), "notice", file="indicators", column="name", value=row["name"]
            )
            continue
        factor = conversion(row["unit"], inputs[name].unit)
        if factor is None:
            text = message("rating.unit_misfit", name=name, unit=row["unit"], wanted=inputs[name].unit)
            errors.append(Problem(text, file="indicators", column="unit", value=row["unit"]))
            continue
        scope = WHOLE if roots == (row["site"],) else row["site"]
        cells.setdefault(scope, {})[name] = Cell(row["value"] * factor, "user", provenance(row["source"]))
    if errors:
        raise UserError(errors)
    return cells, list(notices.values())


def _quantity_cells(quantities: pl.DataFrame | None, state: str, roots: tuple[str, ...]) -> dict[str, dict[str, Cell]]:
    cells: dict[str, dict[str, Cell]] = {}
    if quantities is None:
        return cells
    for row in quantities.filter((pl.col("state") == state) & pl.col("value").is_not_null()).iter_rows(named=True):
        scope = row["scope"] or WHOLE
        cell = Cell(row["value"], "engine", row.get("provenance") or "computed")
        cells.setdefault(scope, {})[row["quantity"]] = cell
        if roots == (scope,):
            cells.setdefault(WHOLE, {}).setdefault(row["quantity"], cell)
    return cells


def _engine_cell(one: Input, quantities: Mapping[str, Cell]) -> Cell | None:
    """Return an input's value by the engines' quantities, if they know all that its expression names."""
    if one.engine is None or any(name not in quantities for name in one.engine.names):
        return None
    value = one.engine.evaluate({name: quantities[name].value for name in one.engine.names}).item()
    classes = [quantities[name].provenance for name in one.engine.names]
    return None if np.isnan(value) else Cell(value, "engine", weakest(["computed", *classes]))


def _engine_cells(inputs: Mapping[str, Input], quantities: Mapping[str, Cell]) -> dict[str, Cell]:
    cells = {name: _engine_cell(one, quantities) for name, one in inputs.items() if one.use == "value"}
    return {name: cell for name, cell in cells.items() if cell is not None}


def _after_cells(
    inputs: Mapping[str, Input], given: Mapping[str, Cell], start: Mapping[str, Cell], end: Mapping[str, Cell]
) -> Mapping[str, Cell]:
    """Return the values after the design: engines' own, or the given ones plus the engines' change, or carried."""
    after = _engine_cells(inputs, end)
    for name, cell in given.items():
        one = inputs[name]
        first, last = _engine_cell(one, start), _engine_cell(one, end)
        if first is None or last is None:
            after[name] = cell
            continue
        after[name] = _changed(cell, first, last, lapses=one.use == "lapses")
    return after


def _changed(cell: Cell, first: Cell, last: Cell, *, lapses: bool) -> Cell:
    """Lay the engine's change over a given value, or say why that cannot be."""
    change = last.value - first.value
    small = _NEGLIGIBLE * max(abs(first.value), abs(last.value), abs(cell.value))
    if abs(change) <= small:
        return cell
    classes = weakest([cell.provenance, first.provenance, last.provenance])
    if lapses:
        return Cell(float("nan"), "lapsed", classes)
    value = cell.value + change
    if value < -small and cell.value >= 0 <= last.value:
        return Cell(float("nan"), "exceeds", classes)
    return Cell(value, f"{cell.origin}+engine", classes)


def _plan_cells(plan: Plan, inputs: Mapping[str, Input], scope: str) -> dict[str, Cell]:
    """Return the inputs that the plan's own tables give; a sum with a gap in it is unknown, not smaller."""
    sites = plan.tables["sites"]
    inside = _inside(sites, scope)
    firms = plan.tables["enterprises"].filter(pl.col("site").is_in(inside))
    places = sites.filter(pl.col("site") == scope) if scope else sites.filter(pl.col("parent").is_null())
    cells = {}
    for name, one in inputs.items():
        if not one.plan:
            continue
        table, column = one.plan.split(".")
        rows = firms if table == "enterprises" else places
        cell = _sum_cell(rows, column, one.unit)
        if cell is not None:
            cells[name] = cell
    return cells


def _sum_cell(rows: pl.DataFrame, column: str, unit: str) -> Cell | None:
    if rows.is_empty():
        return None
    classes = [provenance(source) for source in rows["source"].to_list()]
    if column == "count":
        return Cell(float(rows.height), "plan", weakest(classes))
    if rows[column].null_count():
        return None
    factor = conversion("million CNY", unit) if column == "output_value" else 1.0
    return Cell(float(rows[column].sum()) * (factor or 1.0), "plan", weakest(classes))


def _inside(sites: pl.DataFrame, scope: str) -> list[str]:
    """Return a site with all sites inside it (all sites for the whole plan)."""
    parents = dict(zip(sites["site"].to_list(), sites["parent"].to_list(), strict=True))
    if not scope:
        return list(parents)
    found = []
    for site in parents:
        step: str | None = site
        while step is not None and step != scope:
            step = parents.get(step)
        if step == scope:
            found.append(site)
    return found
