"""From files to a valid `Plan`: read, lay scenarios over, convert, resolve, measure, check, merge with the library."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import polars as pl

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.library import FACTOR_TABLES, Library, load_library, with_user_rows
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.check import cross_check
from cyclopolis.plan.convert import Known, convert
from cyclopolis.plan.headers import TextTable
from cyclopolis.plan.measure import apply_units
from cyclopolis.plan.meta import read_meta
from cyclopolis.plan.model import PLACED, Plan
from cyclopolis.plan.scenario import apply_scenarios
from cyclopolis.plan.schema import columns
from cyclopolis.plan.source import read_source
from cyclopolis.plan.tidy import check_keys, check_library_rows, sort_rows, strip_places

_HEADER = ("plan.unknown_column", "plan.no_header", "plan.header_twice", "plan.missing_column", "plan.merged_header")
"""What leaves a table's columns open, so that nothing is said of what seems to be missing in it."""
_CUT = ("plan.quote_open", "plan.merged_cells")
_DEFINES = {"commodities": "commodity", "technologies": "technology", "transport": "mode"}
_NAMES = ("name", "name_zh")


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
        Valid and in the units of the schema; rows in the order of their identifiers, so that the order in the files
        does not matter.

    Raises
    ------
    UserError
        With every problem of every table, each with file, sheet, row, column, value and the nearest valid name.

    Examples
    --------
    >>> from cyclopolis.examples import example
    >>> plan = read_plan(example("quickstart"))
    >>> plan.meta.base_year, plan.tables["plants"].height
    (2023, 3)
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
    unsure = {problem.text.values.get("table") for problem in problems if problem.text.key == "plan.missing_table"}
    unsure |= {table for table in source.tables if any(_of(source.tables[table], problem) for problem in problems)}
    frames, found = _typed_tables(source.tables, library, unsure)
    problems += found
    refused = any(problem.severity == "error" for problem in problems)
    headless = {(problem.file, problem.sheet) for problem in problems if problem.text.key in _HEADER or _whole(problem)}
    kept = _without_refused(source.tables, frames, problems) if refused else frames
    merged = _merge(library, kept)
    found = cross_check(meta, source.tables, kept, merged, complete=not refused)
    problems += [problem for problem in found if (problem.file, problem.sheet) not in headless]
    problems = _ordered(problems, source.tables)
    if meta is None or any(problem.severity == "error" for problem in problems):
        return None, problems
    plan = Plan(
        meta=meta,
        tables={table: strip_places(frame) for table, frame in frames.items()},
        library=merged,
        inputs=dict(sorted({**source.inputs, **_hashes(source.folder, frames["layers"], frames["grids"])}.items())),
        notices=tuple(problems),
        scenario=names,
        folder=source.folder,
        places={name: _places(source.tables[name], frames[name]) for name in PLACED},
    )
    return plan, problems


def _hashes(folder: Path, *tables: pl.DataFrame) -> dict[str, str]:
    """Return the SHA-256 of every file of map layers and grids that is there: results know what they rest on."""
    found = {}
    for name in pl.concat([table["file"] for table in tables]).drop_nulls().unique(maintain_order=True):
        path = folder / name
        if path.is_file():
            with path.open("rb") as handle:
                found[name] = hashlib.file_digest(handle, "sha256").hexdigest()
    return found


def _places(text: TextTable, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the file, sheet or scenario and the row of each row."""
    return frame.select(file=pl.coalesce(PLACE, pl.lit(text.sheet or text.file)), row=ROW)


def _whole(problem: Problem) -> bool:
    """Return whether a problem is one of a whole file or sheet, so that its rows are not known."""
    return problem.severity == "error" and bool(problem.file) and (problem.row is None or problem.text.key in _CUT)


def _of(text: TextTable, problem: Problem) -> bool:
    """Return whether a problem leaves open which rows a table has."""
    return (problem.file, problem.sheet) == (text.file, text.sheet) and (_whole(problem) or problem.text.key in _HEADER)


def _typed_tables(
    texts: Mapping[str, TextTable], library: Library, unsure: Collection[object]
) -> tuple[dict[str, pl.DataFrame], list[Problem]]:
    """Convert every table, resolve its references, bring its values to the schema's units, sort its rows."""
    problems: list[Problem] = []
    frames: dict[str, pl.DataFrame] = {}
    known = _known(texts, library, unsure)
    for table in columns():
        frames[table], found = convert(texts[table], known)
        problems += found
        problems += check_keys(texts[table], frames[table])
    problems += check_library_rows(texts, frames, library)
    units = _units(frames, library)
    for table in columns():
        measured, found = apply_units(texts[table], frames[table], units)
        problems += found
        frames[table] = sort_rows(table, measured)
    return frames, problems


def _without_refused(
    texts: Mapping[str, TextTable], frames: Mapping[str, pl.DataFrame], problems: Sequence[Problem]
) -> dict[str, pl.DataFrame]:
    """Return the tables without the rows that have errors, so that one mistake is told once.

    Places stay, wrong as their positions may be: what is said of a swapped position helps to mend it.
    """
    wrong: dict[tuple[str, str], set[int]] = {}
    for problem in problems:
        if problem.severity == "error" and problem.row is not None:
            wrong.setdefault((problem.file, problem.sheet), set()).add(problem.row)
    kept = dict(frames)
    for table, text in texts.items():
        rows = wrong.get((text.file, text.sheet), set())
        if rows and table != "sites":
            bad = pl.col(ROW).is_in(sorted(rows)) & pl.col(PLACE).is_null()
            kept[table] = frames[table].filter(~bad)
    for places, rows in wrong.items():
        changed = pl.col(ROW).is_in(sorted(rows)) & (pl.col(PLACE) == places[0])
        kept = {table: frame.filter(~changed.fill_null(value=False)) for table, frame in kept.items()}
    return {
        table: frame.drop_nulls([column.name for column in columns()[table] if column.required])
        for table, frame in kept.items()
    }


def _known(texts: Mapping[str, TextTable], library: Library, unsure: Collection[object]) -> dict[str, Known]:
    """Return the identifiers that references may name, the library's first."""
    known: dict[str, Known] = {}
    for table, described in columns().items():
        own = next((column.name for column in described if column.type == "id"), None)
        if own is None:
            continue
        sources = [texts[table].frame]
        if table in _DEFINES:
            sources.insert(0, library.tables()[table])
        rows = pl.concat([frame.select(pl.col(own).alias("id"), *map(_or_null(frame), _NAMES)) for frame in sources])
        known[table] = Known(rows.drop_nulls("id"), table not in unsure)
    return known


def _or_null(frame: pl.DataFrame) -> Callable[[str], pl.Expr]:
    """Return what gives a column of the table, or nulls where it has none of that name."""
    return lambda name: pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name)


def _units(frames: Mapping[str, pl.DataFrame], library: Library) -> dict[str, pl.DataFrame]:
    """Return the unit of each commodity, technology's main commodity and substance, the user's rows first."""
    commodity = _overlaid(frames["commodities"], library.commodities, "commodity", "unit")
    main = _overlaid(frames["technologies"], library.technologies, "technology", "main_commodity")
    technology = main.join(commodity.rename({"name": "value", "value": "unit"}), on="value", how="left")
    return {
        "commodity": commodity.rename({"value": "unit"}),
        "technology": technology.select("name", "unit"),
        "substance": frames["substances"].select("unit", name="substance").drop_nulls().unique("name", keep="first"),
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
        factors={table: strip_places(frames[table]) for table in FACTOR_TABLES},
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
