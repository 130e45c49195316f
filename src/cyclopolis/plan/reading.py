"""From files to a valid `Plan`: read, lay scenarios over, convert, resolve, measure, check, merge with the library."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.library import Library, load_library, with_user_rows
from cyclopolis.plan.check import cross_check
from cyclopolis.plan.convert import convert
from cyclopolis.plan.headers import TextTable
from cyclopolis.plan.measure import apply_units
from cyclopolis.plan.meta import read_meta
from cyclopolis.plan.model import Plan
from cyclopolis.plan.scenario import apply_scenarios
from cyclopolis.plan.schema import columns
from cyclopolis.plan.source import read_source
from cyclopolis.plan.tidy import check_keys, check_library_rows, sort_rows, strip_places

_DEFINES = {"commodities": "commodity", "technologies": "technology", "transport": "mode"}


def read_plan(path: Path | str, scenario: Sequence[str] = ()) -> Plan:
    """Read a plan.

    Parameters
    ----------
    path : Path or str
        A folder with ``plan.toml`` and a CSV file per table, or an ``.xlsx`` workbook with the same as sheets.
    scenario : sequence of str
        Names of scenarios to lay over the plan, in order.

    Returns
    -------
    Plan
        Valid and in the units of the schema; rows in the order of their identifiers, so that the order in the files does
        not matter.

    Raises
    ------
    UserError
        With every problem of every table, each with file, sheet, row, column, value and the nearest valid name.

    Examples
    --------
    >>> read_plan("no/such/folder")
    Traceback (most recent call last):
    ...
    cyclopolis.foundation.problems.UserError: There is nothing at no/such/folder: give the folder of a plan or an .xlsx workbook.
    """
    plan, problems = _assemble(Path(path), scenario)
    if plan is None:
        raise UserError(problems)
    return plan


def check_plan(path: Path | str, scenario: Sequence[str] = ()) -> tuple[Problem, ...]:
    """Check a plan.

    Parameters
    ----------
    path, scenario
        As in `read_plan`.

    Returns
    -------
    tuple of Problem
        Every error and notice, errors first; empty when there is nothing to say. Never raises for what a user gives.

    Examples
    --------
    >>> [problem.text.key for problem in check_plan("no/such/folder")]
    ['plan.no_such_path']
    """
    try:
        return tuple(_assemble(Path(path), scenario)[1])
    except UserError as error:
        return error.problems


def _assemble(path: Path, scenario: Sequence[str]) -> tuple[Plan | None, list[Problem]]:
    """Return the plan, or None when there are errors, and all problems, errors first."""
    names = (scenario,) if isinstance(scenario, str) else tuple(scenario)
    source = read_source(path)
    apply_scenarios(source, names)
    problems = source.problems
    meta, found = read_meta(source.meta)
    problems += found
    library = load_library()
    frames: dict[str, pl.DataFrame] = {}
    known = _known(source.tables, library)
    for table, text in source.tables.items():
        frames[table], found = convert(text, known)
        problems += found
        problems += check_keys(text, frames[table])
    problems += check_library_rows(source.tables, frames, library)
    units = _units(frames, library)
    for table, text in source.tables.items():
        frames[table], found = apply_units(text, frames[table], units)
        problems += found
    sorted_frames = {table: sort_rows(table, frames[table]) for table in columns()}
    if any(problem.severity == "error" for problem in problems):
        return None, _ordered(problems, source.tables)
    merged = _merge(library, sorted_frames)
    if meta is not None:
        problems += cross_check(meta, source.tables, sorted_frames, merged)
    problems = _ordered(problems, source.tables)
    if meta is None or any(problem.severity == "error" for problem in problems):
        return None, problems
    plan = Plan(
        meta=meta,
        tables={table: strip_places(frame) for table, frame in sorted_frames.items()},
        library=merged,
        inputs=dict(sorted(source.inputs.items())),
        notices=tuple(problems),
        scenario=names,
        folder=source.folder,
    )
    return plan, problems


def _known(texts: Mapping[str, TextTable], library: Library) -> dict[str, list[str]]:
    """Return the identifiers that references may name, the library's first."""
    known: dict[str, list[str]] = {}
    for table, described in columns().items():
        own = next((column.name for column in described if column.type == "id"), None)
        if own is None:
            continue
        ids = texts[table].frame[own].drop_nulls().to_list()
        if table in _DEFINES:
            ids = library.tables()[table][own].to_list() + ids
        known[table] = list(dict.fromkeys(ids))
    return known


def _units(frames: Mapping[str, pl.DataFrame], library: Library) -> dict[str, pl.DataFrame]:
    """Return the unit of each commodity, and of each technology's main commodity, the user's rows first."""
    commodity = _overlaid(frames["commodities"], library.commodities, "commodity", "unit")
    main = _overlaid(frames["technologies"], library.technologies, "technology", "main_commodity")
    technology = main.join(commodity.rename({"name": "value", "value": "unit"}), on="value", how="left")
    return {
        "commodity": commodity.rename({"value": "unit"}),
        "technology": technology.select("name", "unit"),
    }


def _overlaid(user: pl.DataFrame, library: pl.DataFrame, key: str, value: str) -> pl.DataFrame:
    """Return names and values of both tables, the user's where it has one."""
    both = pl.concat([user.select(key, value), library.select(key, value)]).drop_nulls()
    return both.unique(key, keep="first", maintain_order=True).rename({key: "name", value: "value"})


def _merge(library: Library, frames: Mapping[str, pl.DataFrame]) -> Library:
    """Lay the user's rows over the library; a new row without a name is called by its identifier."""

    def named(table: str) -> pl.DataFrame:
        key = _DEFINES[table]
        new = ~pl.col(key).is_in(library.tables()[table][key].to_list())
        plain = strip_places(frames[table])
        return plain.with_columns(
            pl.when(new).then(pl.coalesce(name, other, key)).otherwise(name).alias(name)
            for name, other in (("name", "name_zh"), ("name_zh", "name"))
        )

    return with_user_rows(
        library,
        commodities=named("commodities"),
        technologies=named("technologies"),
        recipes=strip_places(frames["recipes"]),
        substitutions=strip_places(frames["substitutions"]),
        transport=named("transport"),
    )


def _ordered(problems: Sequence[Problem], texts: Mapping[str, TextTable]) -> list[Problem]:
    """Return problems in a stable order: errors first, then by table, row and column."""
    tables: dict[str, int] = {}
    for position, table in enumerate(columns()):
        for name in (texts[table].file, texts[table].sheet):
            tables.setdefault(name, position)

    def key(problem: Problem) -> tuple[bool, int, str, str, int]:
        place = tables.get(problem.sheet or problem.file, -1)
        return (problem.severity != "error", place, problem.file, problem.sheet, problem.row or 0)

    return sorted(problems, key=key)
