"""Frameworks of one's own: a file to begin from, a check of it, the import of an indicator table from a spreadsheet.

The indicator table of IGMC, for one, is not public: whoever holds a licence pastes it into a sheet and imports it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from cyclopolis.foundation.columns import Column, read_columns
from cyclopolis.foundation.files import write_atomic
from cyclopolis.foundation.problems import Problem, UserError, user_error
from cyclopolis.foundation.text import Language, message
from cyclopolis.library.frameworks import Framework, load_frameworks, read_framework
from cyclopolis.library.frameworks.glossary import glossary, shipped_inputs
from cyclopolis.plan.cells import ROW, SPACES, Sheet
from cyclopolis.plan.headers import nearest
from cyclopolis.plan.schema import fold
from cyclopolis.plan.table_reader import read_csv
from cyclopolis.plan.workbook import read_workbook
from cyclopolis.rating.scores import dimension_weights
from cyclopolis.rating.weights import ahp

_YES = {"yes", "y", "true", "1", "是", "必选", "√"}
_NO = {"no", "n", "false", "0", "否", "可选", ""}


@dataclass(frozen=True)
class Imported:
    """A framework made from a sheet: where it was written, what it holds, and what is worth knowing."""

    path: Path
    framework: Framework
    notices: tuple[Problem, ...]


def new_framework(path: Path, language: Language = "en") -> Path:
    """Write a framework file to begin from, with every common form of target in it.

    Parameters
    ----------
    path : Path
        The file, by rule in the folder ``frameworks`` of a plan.
    language : {"en", "zh"}
        Language of its comments.

    Raises
    ------
    UserError
        If the file exists.
    """
    if path.exists():
        raise UserError([Problem(message("framework.file_exists"), file=str(path))])
    text = (files("cyclopolis.rating") / f"template.{language}.yaml").read_text(encoding="utf-8")
    identity = re.sub(r"[^a-z0-9.]+", "-", path.stem.lower()).strip("-") or "own"
    write_atomic(path, text.replace("ID", identity))
    return path


def check_framework(path: Path) -> tuple[Framework | None, tuple[Problem, ...]]:
    """Return a framework file read, and what is wrong with it or worth knowing.

    A notice names each input that no framework of the library uses: it may be a new one, or a misspelt one.

    Examples
    --------
    >>> check_framework(Path("nowhere.yaml"))[1][0].severity
    'error'
    """
    try:
        framework = read_framework(path.read_bytes(), path.name)
        glossary([framework])
        if framework.weighting is not None:
            dimension_weights(framework)
    except OSError as error:
        return None, (Problem(message("framework.no_file", reason=error.strerror), file=str(path)),)
    except UserError as error:
        return None, error.problems
    return framework, (*_unshared(framework), *_inconsistent(framework))


def _inconsistent(framework: Framework) -> list[Problem]:
    """Notice pairwise comparisons that contradict each other more than is accepted."""
    told = framework.weighting
    if told is None or told.method != "ahp":
        return []
    found = ahp(told.matrix, table=told.table)
    if bool(found.consistent):
        return []
    text = message("framework.inconsistent", cr=f"{float(found.cr):.3f}", table=told.table)
    return [Problem(text, "notice", file=framework.file)]


def _unshared(framework: Framework) -> list[Problem]:
    own = {one.id for one in framework.indicators}
    found = {
        name: one
        for one in framework.indicators
        for name in one.needs()
        if name not in shipped_inputs() and name not in own
    }
    return [
        Problem(
            message("framework.new_input", id=one.id),
            "notice",
            file=framework.file,
            line=one.line or None,
            value=name,
            suggestion=nearest(name, shipped_inputs()),
        )
        for name, one in found.items()
    ]


def find_framework(name: str) -> Framework:
    """Return a framework of the library by id, or one from a file.

    Raises
    ------
    UserError
        If there is none, or the file is no framework.
    """
    known = load_frameworks()
    if name in known:
        return known[name]
    path = Path(name)
    if path.is_file():
        framework, problems = check_framework(path)
        if framework is None:
            raise UserError(problems)
        return framework
    text = message("rating.unknown_framework", known=", ".join(known))
    raise UserError([Problem(text, value=name, suggestion=nearest(name, known))])


def import_framework(sheet: Path, path: Path, like: str | None = None) -> Imported:
    """Make a framework file from a sheet with one indicator a row.

    Parameters
    ----------
    sheet : Path
        An ``.xlsx`` or ``.csv`` with the columns of ``sheet.csv`` under their English or Chinese names: at least
        ``dimension`` and ``name``; also category, unit, points, op, target, formula and others.
    path : Path
        Framework file to write; its name becomes the id.
    like : str, optional
        A framework of the library whose dimensions, levels, total of points, versions and principles it takes over.

    Returns
    -------
    Imported
        With notices where counts or points differ from those that ``like`` is known to have.

    Raises
    ------
    UserError
        If the sheet cannot be read, a cell does not fit, or the file exists.
    """
    if path.exists():
        raise UserError([Problem(message("framework.file_exists"), file=str(path))])
    cells = _read(sheet)
    rows = _rows(cells)
    base = find_framework(like) if like else None
    tree = _tree(rows, path.stem, base, cells)
    text = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, width=140)
    framework = read_framework(text.encode(), path.name)
    glossary([framework])
    write_atomic(path, text)
    return Imported(path, framework, tuple(_counts(framework, base)))


def _read(path: Path) -> Sheet:
    """Return the first sheet that holds anything."""
    if not path.is_file():
        raise UserError([Problem(message("framework.no_file", reason="-"), file=str(path))])
    problems: list[Problem] = []
    if path.suffix.lower() == ".xlsx":
        for _, hidden, sheet, wrong in read_workbook(path):
            if sheet is not None and not hidden:
                if wrong:
                    raise UserError(wrong)
                return sheet
    else:
        found, problems = read_csv(path, path.name)
        if found is not None and not problems:
            return found
    raise UserError(problems or [Problem(message("framework.empty_sheet"), file=path.name)])


def _rows(sheet: Sheet) -> list[dict[str, Any]]:
    """Return the sheet's rows with typed cells, or all that is wrong with them at once."""
    columns = read_columns("cyclopolis.rating", "sheet.csv")["indicators"]
    words = {fold(word): one.name for one in columns for word in (one.name, one.en, one.zh, *one.aliases)}
    named = {place: words.get(fold(cell or "")) for place, cell in enumerate(sheet.header)}
    by_name = {one.name: one for one in columns}
    missing = [one.name for one in columns if one.required and one.name not in named.values()]
    if missing:
        text = message("framework.sheet_columns", missing=", ".join(missing), known=", ".join(by_name))
        raise UserError([Problem(text, file=sheet.file, sheet=sheet.sheet, row=sheet.header_row)])
    problems: list[Problem] = []
    rows = []
    for cells in sheet.frame.iter_rows(named=True):
        row: dict[str, Any] = {ROW: cells[ROW]}
        for place, name in named.items():
            cell = (cells.get(str(place)) or "").strip(SPACES)
            if name is not None:
                row[name] = _cell(cell, by_name[name], sheet, cells[ROW], problems)
        if any(value not in (None, "", False) for name, value in row.items() if name != ROW):
            rows.append(row)
    if problems:
        raise UserError(problems)
    return _filled_down(rows)


def _filled_down(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give rows below a merged or once-written dimension or category the one above."""
    last: dict[str, Any] = {}
    for row in rows:
        if row.get("dimension") and row["dimension"] != last.get("dimension"):
            last = {"dimension": row["dimension"]}
        for name in ("dimension", "category"):
            row[name] = row.get(name) or last.get(name)
            last[name] = row[name]
    return rows


def _cell(cell: str, column: Column, sheet: Sheet, row: int, problems: list[Problem]) -> object:
    def refuse(key: str, **values: object) -> None:
        problems.append(
            Problem(message(key, **values), file=sheet.file, sheet=sheet.sheet, row=row, column=column.name, value=cell)
        )

    if column.type == "flag":
        if cell.lower() not in _YES | _NO:
            refuse("framework.not_flag", value=cell)
        return cell.lower() in _YES
    if not cell:
        if column.required and column.name != "dimension":
            refuse("framework.missing_field", field=column.name)
        return None
    if column.type == "choice" and cell not in column.choices:
        refuse("framework.not_choice", value=cell, choices=", ".join(column.choices))
    if column.type == "number":
        try:
            return float(cell.replace(",", "").replace("，", ""))
        except ValueError:
            refuse("framework.not_number", field=column.name, value=cell)
    return cell


def _tree(rows: list[dict[str, Any]], name: str, base: Framework | None, sheet: Sheet) -> dict[str, Any]:
    identity = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-") or "own"
    head: dict[str, Any] = {"id": identity, "title": name, "year": base.year if base else 0, "verdict": "none"}
    if base is not None:
        head |= {"title": f"{base.title} ({name})", "title_zh": f"{base.title_zh}（{name}）"}
        head |= {"publisher": base.publisher, "total_points": base.total_points, "levels": _levels(base)}
        head["principles"] = [{"id": p.id, "names": list(p.names), "provenance": p.provenance} for p in base.principles]
        head["versions"] = [vars(version) for version in base.versions]
    head["status"] = f"imported from {sheet.file}"
    dimensions: dict[str, dict[str, Any]] = {}
    for one in base.dimensions if base else ():
        block: dict[str, Any] = {"id": one.id, "name": one.name, "name_zh": one.name_zh}
        dimensions[one.id] = block | ({"axis": one.axis} if one.axis else {}) | {"categories": []}
    words = {
        fold(word): one.id for one in (base.dimensions if base else ()) for word in (one.id, one.name, one.name_zh)
    }
    taken: set[str] = set()
    for number, row in enumerate(rows, start=1):
        given = row["dimension"]
        if not given:
            text = message("framework.missing_field", field="dimension")
            raise UserError([Problem(text, file=sheet.file, sheet=sheet.sheet, row=row[ROW], column="dimension")])
        key = words.get(fold(given), given)
        own = dimensions.setdefault(key, {"id": key, "name": given, "categories": []})
        category = next((one for one in own["categories"] if one["name"] == (row["category"] or given)), None)
        if category is None:
            count = len(own["categories"]) + 1
            category = {"id": f"{key}-{count}", "name": row["category"] or given, "indicators": []}
            own["categories"].append(category)
        category["indicators"].append(_indicator(row, row.get("indicator") or _free(identity, number, taken), base))
    return {"framework": head, "dimensions": list(dimensions.values())}


def _free(identity: str, number: int, taken: set[str]) -> str:
    found = f"{identity}-{number:03d}"
    taken.add(found)
    return found


def _levels(base: Framework) -> list[dict[str, Any]]:
    return [
        {
            "id": one.id,
            "label": one.label,
            "label_zh": one.label_zh,
            "min_points": one.min_points,
            "provenance": one.provenance,
        }
        for one in base.levels
        if one.min_points is not None
    ]


def _indicator(row: Mapping[str, Any], identity: str, base: Framework | None) -> dict[str, Any]:
    del base
    formula, inputs = row.get("formula"), {}
    for part in (row.get("inputs") or "").replace("；", ";").replace("：", ":").split(";"):
        name, _, unit = part.partition(":")
        if name.strip():
            inputs[name.strip()] = unit.strip() or "1"
    found: dict[str, Any] = {
        "id": identity,
        "name": row["name"],
        "name_zh": row.get("name_zh") or row["name"],
        "unit": row.get("unit") or "",
        "direction": row.get("direction") or "higher",
        "required": bool(row.get("required")),
        "target": _target(row),
        "weight": row.get("points"),
        "provenance": "user",
        "name_provenance": "user",
    }
    if formula:
        found |= {"formula": formula, "inputs": inputs, "formula_provenance": "user"}
    return found | ({"note": row["note"]} if row.get("note") else {})


def _target(row: Mapping[str, Any]) -> dict[str, Any]:
    op, target = row.get("op"), row.get("target")
    if op is None:
        low = row.get("direction") == "lower"
        op = "report" if target is None else "range" if row.get("target_high") is not None else "<=" if low else ">="
    if op == "range":
        return {"op": op, "min": target, "max": row.get("target_high")}
    return {"op": op} if target is None else {"op": op, "value": target}


def _counts(framework: Framework, base: Framework | None) -> list[Problem]:
    """Return notices where the import is not as large as the framework is known to be."""
    if base is None or not base.versions:
        return []
    found = len(framework.indicators), sum(one.weight or 0.0 for one in framework.indicators)
    for version in base.versions:
        if found[0] == version.indicators and abs(found[1] - version.points) < 0.5:
            return []
    known = "; ".join(f"{one.id}: {one.indicators}, {one.points:g}" for one in base.versions)
    text = message("framework.counts_differ", indicators=found[0], points=f"{found[1]:g}", known=known)
    return [Problem(text, "notice", file=framework.file)]


def explain_framework(framework: Framework) -> dict[str, Any]:
    """Return what a framework is as plain values: counts, principles, versions, levels, sources."""
    if not framework.indicators:
        raise user_error("framework.no_indicators", id=framework.id)
    return {
        "id": framework.id,
        "title": framework.title,
        "title_zh": framework.title_zh,
        "publisher": framework.publisher,
        "year": framework.year,
        "status": framework.status,
        "sources": list(framework.sources),
        "total_points": framework.total_points,
        "dimensions": [vars(one) for one in framework.dimensions],
        "principles": [{"id": one.id, "names": list(one.names)} for one in framework.principles],
        "versions": [vars(one) for one in framework.versions],
        "levels": [
            {"id": one.id, "label": one.label, "label_zh": one.label_zh, "min_points": one.min_points, "rule": one.rule}
            for one in framework.levels
        ],
        "groups": [{"id": one.id, "rule": one.rule, "n": one.n, "of": list(one.of)} for one in framework.groups],
    }
