"""The assessment kept in files: evidence attached to values, expert reviews, and an append-only log of every change.

All stands in the folder ``assessment`` of the plan: ``evidence.csv``, ``reviews.csv`` and ``log.jsonl``. Each line of
the log carries the hash of the line before it, so that a change in the past is found.
"""

import csv
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cyclopolis.foundation.files import hash_file, write_atomic
from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.library.frameworks import load_frameworks
from cyclopolis.library.frameworks.glossary import glossary
from cyclopolis.plan.headers import nearest
from cyclopolis.plan.model import Plan

FOLDER = "assessment"
_EVIDENCE = ("name", "site", "year", "place", "sha256", "who", "when", "note")
_REVIEWS = ("name", "site", "year", "value", "unit", "who", "when", "comment")
_START = "0" * 64


@dataclass(frozen=True)
class LogLine:
    """One change: when, who, why, what was done to what, and the hash that binds it to the line before."""

    when: str
    who: str
    why: str
    action: str
    data: Mapping[str, Any]
    hash: str


def assessment_folder(plan_folder: Path) -> Path:
    """Return where the assessment of a plan is kept."""
    return plan_folder / FOLDER


def check_names(plan: Plan, name: str, site: str) -> None:
    """Raise UserError where a value's name or its site is not known to the plan and its frameworks."""
    own = plan.folder / "frameworks"
    names = glossary(load_frameworks(own if own.is_dir() else None).values())
    sites = plan.tables["sites"]["site"].to_list()
    problems = [
        Problem(message(key), value=value, suggestion=nearest(value, known))
        for key, value, known in (("rating.unknown_name", name, names), ("assessment.no_site", site, sites))
        if value not in known
    ]
    if problems:
        raise UserError(problems)


def attach_evidence(
    plan_folder: Path, name: str, site: str, year: int, place: str, *, who: str, why: str, when: datetime | None = None
) -> dict[str, str]:
    """Attach evidence to a value: a file with its hash, or a link.

    Parameters
    ----------
    plan_folder : Path
    name, site, year
        The value, as in the plan's ``indicators`` table.
    place : str
        A file (kept by its path from the plan's folder, with its SHA-256) or a link that begins with http.
    who, why : str
        Both are needed.
    when : datetime, optional
        Now when left out.

    Returns
    -------
    dict
        The row written.

    Raises
    ------
    UserError
        If the file is not there, or who or why is empty.
    """
    _named(who, why)
    link = place.startswith(("http://", "https://"))
    path = Path(place)
    if not link and not path.is_file():
        raise UserError([Problem(message("assessment.no_file"), file=place)])
    kept = place if link else os.path.relpath(path.resolve(), plan_folder.resolve()).replace(os.sep, "/")
    row = dict(
        zip(
            _EVIDENCE, (name, site, str(year), kept, "" if link else hash_file(path), who, _now(when), why), strict=True
        )
    )
    folder = assessment_folder(plan_folder)
    _add(folder / "evidence.csv", _EVIDENCE, row)
    _log(folder, who, why, "attach", row, when)
    return row


def review(
    plan_folder: Path,
    name: str,
    site: str,
    year: int,
    value: float,
    unit: str,
    *,
    who: str,
    why: str,
    when: datetime | None = None,
) -> dict[str, str]:
    """Write down an expert's value or points; from then on it goes before the plan's own.

    ``name`` is an input, an indicator, or ``indicator.points``; the comment is ``why``.

    Raises
    ------
    UserError
        If who or why is empty.
    """
    _named(who, why)
    row = dict(zip(_REVIEWS, (name, site, str(year), f"{value:.17g}", unit, who, _now(when), why), strict=True))
    folder = assessment_folder(plan_folder)
    _add(folder / "reviews.csv", _REVIEWS, row)
    _log(folder, who, why, "review", row, when)
    return row


def note_change(plan_folder: Path, action: str, data: Mapping[str, Any], *, who: str, why: str) -> None:
    """Write any other change into the log (a self-assessment, an edited sentence, a certificate)."""
    _named(who, why)
    _log(assessment_folder(plan_folder), who, why, action, data, None)


def _named(who: str, why: str) -> None:
    if not who.strip() or not why.strip():
        raise UserError(message("assessment.who_why"))


def _now(when: datetime | None) -> str:
    return (when or datetime.now(UTC)).isoformat(timespec="seconds")


def reviews(plan_folder: Path) -> list[dict[str, str]]:
    """Return the experts' rows in the order in which they were written; the last one of a value counts."""
    return _rows(assessment_folder(plan_folder) / "reviews.csv", _REVIEWS)


def evidence(plan_folder: Path) -> list[dict[str, str]]:
    """Return the evidence with its state: ``unchanged``, ``changed`` (another hash), ``missing`` or ``link``."""
    rows = _rows(assessment_folder(plan_folder) / "evidence.csv", _EVIDENCE)
    return [row | {"state": _state(plan_folder, row)} for row in rows]


def _state(plan_folder: Path, row: Mapping[str, str]) -> str:
    if row["place"].startswith(("http://", "https://")):
        return "link"
    path = plan_folder / row["place"]
    if not path.is_file():
        return "missing"
    return "unchanged" if hash_file(path) == row["sha256"] else "changed"


def read_log(plan_folder: Path) -> tuple[LogLine, ...]:
    """Return the log.

    Raises
    ------
    UserError
        If a line was changed, taken out or put in later: the file and the first such line are named.
    """
    path = assessment_folder(plan_folder) / "log.jsonl"
    if not path.is_file():
        return ()
    found, last = [], _START
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            tree = json.loads(text)
            sealed = tree.pop("hash")
        except (ValueError, KeyError, AttributeError) as error:
            raise UserError([Problem(message("assessment.log_broken"), file=str(path), line=number)]) from error
        if sealed != _seal(last, tree):
            raise UserError([Problem(message("assessment.log_broken"), file=str(path), line=number)])
        found.append(LogLine(**tree, hash=sealed))
        last = sealed
    return tuple(found)


def _seal(last: str, tree: Mapping[str, Any]) -> str:
    return sha256((last + json.dumps(tree, ensure_ascii=False, sort_keys=True)).encode()).hexdigest()


def _log(folder: Path, who: str, why: str, action: str, data: Mapping[str, Any], when: datetime | None) -> None:
    """Append one line; what stands there already is never written again."""
    lines = read_log(folder.parent)
    tree = {"when": _now(when), "who": who, "why": why, "action": action, "data": dict(data)}
    line = json.dumps(
        {**tree, "hash": _seal(lines[-1].hash if lines else _START, tree)}, ensure_ascii=False, sort_keys=True
    )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    for number, row in enumerate(rows, start=2):
        if any(row.get(name) is None for name in columns):
            raise UserError(
                [Problem(message("assessment.columns", columns=", ".join(columns)), file=str(path), row=number)]
            )
    return rows


def _add(path: Path, columns: tuple[str, ...], row: Mapping[str, str]) -> None:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows([*_rows(path, columns), row])
    write_atomic(path, stream.getvalue())
