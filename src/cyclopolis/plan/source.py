"""A plan's files: a folder with ``plan.toml`` and a CSV per table, or one workbook with a sheet per table."""

import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import LANGUAGES, message, say
from cyclopolis.plan.cells import Sheet
from cyclopolis.plan.headers import TextTable, empty_text_table, nearest, to_text_table
from cyclopolis.plan.meta import MetaText, meta_from_sheet, meta_from_toml
from cyclopolis.plan.schema import columns, fold, table_names, tables
from cyclopolis.plan.table_reader import read_csv
from cyclopolis.plan.workbook import read_workbook

PLAN_FILE = "plan.toml"
SCENARIO_FOLDER = "scenarios"


@dataclass
class Source:
    """What a plan's files hold, as texts; filled while they are read."""

    folder: Path
    meta: MetaText
    tables: dict[str, TextTable] = field(default_factory=dict)
    scenarios: dict[str, Path] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, table: str, sheet: Sheet | None, file: str, page: str) -> None:
        """Take in one table; a second one of the same name is a problem."""
        if table in self.tables:
            other = self.tables[table]
            self.problems.append(
                Problem(
                    message("plan.table_twice", other=other.sheet or other.file, table=table), file=file, sheet=page
                )
            )
            return
        if sheet is None:
            self.tables[table] = empty_text_table(table, file, page)
            return
        self.tables[table], problems = to_text_table(sheet, table)
        self.problems += problems

    def complete(self, hint: str) -> None:
        """Add the tables that are absent; report those that must be there."""
        given = {name for name, text in self.tables.items() if not text.frame.is_empty()}
        for table in columns():
            required = tables()[table].required and not given & set(tables()[table].unless)
            if table not in self.tables:
                self.tables[table] = empty_text_table(table, "")
                if required:
                    self.problems.append(Problem(message("plan.missing_table", table=table, hint=hint)))
            elif required and self.tables[table].frame.is_empty() and not self.blamed(table):
                text = self.tables[table]
                self.problems.append(Problem(message("plan.no_rows", table=table), file=text.file, sheet=text.sheet))

    def blamed(self, table: str) -> bool:
        """Return whether a table has a problem already."""
        text = self.tables[table]
        return any((problem.file, problem.sheet) == (text.file, text.sheet) for problem in self.problems)


def read_source(path: Path) -> Source:
    """Read all files of a plan.

    Parameters
    ----------
    path : Path
        A folder, or a workbook.

    Returns
    -------
    Source, problems of reading included

    Raises
    ------
    UserError
        If there is no plan at ``path`` at all.
    """
    try:
        if path.is_dir():
            return _read_folder(path)
        if not path.exists():
            raise UserError(message("plan.no_such_path", path=path))
        if path.suffix.casefold() == ".xlsx":
            return _read_workbook(path)
    except OSError as error:
        raise UserError(message("plan.cannot_open", path=path, reason=os.strerror(error.errno or 0))) from error
    except ValueError as error:
        raise UserError(message("plan.no_such_path", path=repr(str(path)))) from error
    raise UserError(message("plan.not_a_plan", path=path))


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _read_folder(folder: Path) -> Source:
    """Read ``plan.toml`` and every CSV file of a folder."""
    toml = folder / PLAN_FILE
    if not toml.is_file():
        raise UserError(message("plan.no_plan_file", path=folder))
    meta, problems = meta_from_toml(toml.read_bytes(), PLAN_FILE)
    source = Source(folder, meta, problems=problems, inputs={PLAN_FILE: _hash(toml)})
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if path.suffix.casefold() != ".csv" or not path.is_file() or path.name.startswith((".", "~$")):
            continue
        table = table_names().get(fold(path.stem))
        if table is None or table == "plan":
            source.problems.append(_unknown(path.stem, file=path.name))
            continue
        source.inputs[path.name] = _hash(path)
        sheet, found = read_csv(path, path.name)
        source.problems += found
        if sheet is None and found:
            source.tables.setdefault(table, empty_text_table(table, path.name))
            continue
        source.add(table, sheet, path.name, "")
    source.inputs |= {entry.name: _hash(entry) for entry in sorted(folder.glob("*.inp"))}
    scenarios = folder / SCENARIO_FOLDER
    if scenarios.is_dir():
        found_paths = sorted(scenarios.glob("*.toml"), key=lambda entry: entry.name)
        source.scenarios = {entry.stem: entry for entry in found_paths}
    source.complete(f"{folder.name}/")
    return source


def _read_workbook(path: Path) -> Source:
    """Read every sheet of a workbook."""
    source = Source(
        path.with_suffix(""), MetaText(path.name, "plan", {}, readable=False), inputs={path.name: _hash(path)}
    )
    seen_meta = False
    for name, hidden, sheet, problems in read_workbook(path):
        table = table_names().get(fold(name))
        if table is None:
            if not hidden and sheet is not None and fold(name) not in _list_sheets():
                source.problems.append(_unknown(name, file=path.name, sheet=name))
            continue
        source.problems += problems
        if table != "plan":
            source.add(table, sheet, path.name, name)
        elif sheet is not None:
            if seen_meta:
                source.problems.append(
                    Problem(
                        message("plan.table_twice", other=source.meta.sheet, table="plan"), file=path.name, sheet=name
                    )
                )
                continue
            source.meta, found = meta_from_sheet(sheet)
            source.problems += found
            seen_meta = True
    if not seen_meta:
        source.problems.append(Problem(message("plan.no_plan_sheet"), file=path.name))
    source.complete(path.name)
    return source


def _list_sheets() -> set[str]:
    """Return the names of the template's sheet that only feeds its drop-downs."""
    return {fold(say("plan.template_lists", language)) for language in LANGUAGES}


def _unknown(name: str, file: str, sheet: str = "") -> Problem:
    """Return the notice that a file or sheet is no table of a plan."""
    near = nearest(name, [*columns(), *table_names()])
    known = {fold(entry): entry for entry in columns()}
    near = known.get(fold(near), near)
    return Problem(message("plan.unknown_table"), "notice", file, sheet, suggestion=near)
