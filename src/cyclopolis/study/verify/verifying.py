"""Run cases: read, solve by the engine of the kind, compare."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.text import message
from cyclopolis.study.verify.cases import bundled_cases, read_case
from cyclopolis.study.verify.compare import compare
from cyclopolis.study.verify.kinds import kinds
from cyclopolis.study.verify.report import MISS, PASS, UNREADABLE, UNSUPPORTED, CaseReport, VerifyReport


def verify(paths: Sequence[Path | str] | None = None, *, progress: Progress = silent) -> VerifyReport:
    """Solve published cases with the engines and compare the answers.

    Parameters
    ----------
    paths : sequence of Path, optional
        Case files, or folders of them; without any the cases that ship with the package.
    progress : Progress
        Told of each case.

    Returns
    -------
    VerifyReport
        Also for files that cannot be read and for kinds that are not known: they are cases with their own status.
    """
    found = tuple(_files(paths)) if paths else bundled_cases()
    reports = []
    for place, path in enumerate(found):
        progress(message("verify.stage", case=path.stem), place / len(found))
        reports.append(_verify_one(path))
    return VerifyReport(tuple(reports))


def _files(paths: Iterable[Path | str]) -> Iterable[Path]:
    for given in paths:
        path = Path(given)
        if path.is_dir():
            yield from sorted([*path.glob("*.yaml"), *path.glob("*.yml")])
        else:
            yield path


def _verify_one(path: Path) -> CaseReport:
    try:
        case = read_case(path)
    except UserError as error:
        return CaseReport(path.stem, "", str(path), UNREADABLE, problems=error.problems)
    solve = kinds().get(case.kind)
    if solve is None:
        text = message("verify.unsupported", kind=case.kind, known=", ".join(sorted(kinds())))
        problem = Problem(text, "notice", file=case.file, column="kind", value=case.kind)
        return CaseReport(case.id, case.kind, case.file, UNSUPPORTED, problems=(problem,))
    try:
        published = {key: value for key, value in case.published.items() if value is not None}
        computed = solve(_located(case.inputs, path.parent), {**case.computed_check, **published})
    except UserError as error:
        problems = tuple(_placed(problem, case.file) for problem in error.problems)
        return CaseReport(case.id, case.kind, case.file, UNREADABLE, problems=problems)
    rows = compare(case.published, case.computed_check, computed, case.tolerance)
    if not rows:
        problem = Problem(message("verify.nothing_published"), file=case.file)
        return CaseReport(case.id, case.kind, case.file, UNREADABLE, problems=(problem,))
    return CaseReport(case.id, case.kind, case.file, PASS if all(row.ok for row in rows) else MISS, rows)


def _located(inputs: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """Return the inputs with the file ``inp``, which is named from where the case stands, by its path."""
    return {**inputs, "inp": str(folder / str(inputs["inp"]))} if inputs.get("inp") else inputs


def _placed(problem: Problem, file: str) -> Problem:
    """Return the problem with the case's file and the line of the field, unless it names another file."""
    if problem.file:
        return problem
    return replace(problem, file=file, line=_line_of(Path(file), problem.column))


def _line_of(path: Path, column: str) -> int | None:
    """Return the line of the file on which the first part of a field (``inputs: units.mill``) begins."""
    field = column.removeprefix("inputs: ").split(".", maxsplit=1)[0].split(",", maxsplit=1)[0]
    pattern = re.compile(rf"[\s{{,]*['\"]?{re.escape(field)}['\"]?\s*:")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if field else []
    return next((number for number, line in enumerate(lines, start=1) if pattern.match(line)), None)
