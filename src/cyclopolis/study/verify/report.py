"""What verify says: cases, rows, problems, one exit code."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.text import Language, say
from cyclopolis.study.verify.compare import Row

PASS, MISS, UNREADABLE, UNSUPPORTED = "pass", "miss", "unreadable", "unsupported"
EXIT_CODES = {PASS: 0, MISS: 1, UNREADABLE: 2, UNSUPPORTED: 3}
_WORST_FIRST = (UNREADABLE, MISS, UNSUPPORTED, PASS)


@dataclass(frozen=True)
class CaseReport:
    """One case: its status (pass, miss, unreadable, unsupported), compared fields, and what is wrong with the file."""

    case: str
    kind: str
    file: str
    status: str
    rows: tuple[Row, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class VerifyReport:
    """All cases of one call."""

    cases: tuple[CaseReport, ...]

    @property
    def status(self) -> str:
        """The worst status: unreadable before miss before unsupported before pass."""
        found = {case.status for case in self.cases}
        return next((status for status in _WORST_FIRST if status in found), PASS)

    @property
    def exit_code(self) -> int:
        """0 pass, 1 miss, 2 unreadable, 3 kind not supported; of several cases the worst."""
        return EXIT_CODES[self.status]

    def as_dict(self, language: Language = "en") -> dict[str, Any]:
        """Return everything as plain values for programs that read JSON."""
        return {
            "ok": self.exit_code == 0,
            "exit_code": self.exit_code,
            "status": self.status,
            "cases": [
                {
                    "case": case.case,
                    "kind": case.kind,
                    "file": case.file,
                    "status": case.status,
                    "rows": [_row_dict(row) for row in case.rows],
                    "problems": [problem.as_dict(language) for problem in case.problems],
                }
                for case in self.cases
            ],
        }

    def lines(self, language: Language) -> Iterator[str]:
        """Yield the report as lines of text: every field, computed against published with its tolerance."""
        for case in self.cases:
            held = sum(row.ok for row in case.rows)
            status = say(f"verify.status_{case.status}", language)
            yield say(
                "verify.case_line",
                language,
                case=case.case,
                kind=case.kind or "?",
                status=status,
                held=held,
                of=len(case.rows),
            )
            for row in case.rows:
                yield _row_line(row, language)
            for problem in case.problems:
                yield "  " + problem.render(language)
        counts = {status: sum(case.status == status for case in self.cases) for status in EXIT_CODES}
        yield say("verify.total", language, cases=len(self.cases), **counts)


def _row_dict(row: Row) -> dict[str, Any]:
    kind, width = row.tolerance
    return {
        "field": row.field,
        "computed": row.computed,
        "published": row.published,
        "basis": row.basis,
        "tolerance": {"kind": kind, "width": width},
        "ok": row.ok,
    }


def _row_line(row: Row, language: Language) -> str:
    kind, width = row.tolerance
    return say(
        "verify.row_held" if row.ok else "verify.row_missed",
        language,
        field=row.field,
        computed=_shown(row.computed, language),
        published=_shown(row.published, language),
        basis=say(f"verify.basis_{row.basis}", language),
        tolerance=say(f"verify.tolerance_{kind}", language, width=f"{width:g}"),
    )


def _shown(value: object, language: Language) -> str:
    if value is None:
        return say("verify.absent", language)
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_shown(one, language) for one in value) + "]"
    return str(value)
