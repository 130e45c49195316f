"""The certificate page: what was assessed, what came out, who reviewed it, and on which evidence it rests."""

from pathlib import Path

from cyclopolis.foundation.files import write_atomic
from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import Language, say
from cyclopolis.plan import Plan
from cyclopolis.rating.assessment import read_log
from cyclopolis.report.blocks import Block, Cell, Section, Table, Text
from cyclopolis.report.names import Names
from cyclopolis.report.page import plain_page
from cyclopolis.report.sections_judgement import judgement_blocks
from cyclopolis.report.sections_rating import focus, framework_table, scope_name

CERTIFICATE = "certificate.html"
_SHOWN = {"scores", "levels", "states", "evidence"}


def write_certificate(plan: Plan, rating: Result, folder: Path, language: Language | None = None) -> Path:
    """Write ``certificate.html`` into a folder.

    Parameters
    ----------
    plan : Plan
    rating : Rating
    folder : Path
    language : {"en", "zh"}, optional
        The plan's own by default.

    Returns
    -------
    Path
    """
    names = Names(plan, language or plan.meta.language)
    scope = focus(rating)
    blocks: list[Block] = [
        Text(say("report.certificate_note", names.language)),
        Text(say("report.recommendations_scope", names.language, scope=scope_name(scope, names))),
        framework_table(rating, names),
    ]
    blocks += [one for one in judgement_blocks(rating, scope, names) if isinstance(one, Table) and one.name in _SHOWN]
    blocks.append(_log(plan, names))
    section = Section("certificate", say("report.certificate_title", names.language), tuple(blocks))
    path = folder.absolute() / CERTIFICATE
    write_atomic(path, plain_page(plan, names, (section,)))
    return path


def _log(plan: Plan, names: Names) -> Table:
    columns = ("evidence_when", "evidence_who", "log_action", "evidence_of", "log_why")
    rows = tuple(
        (Cell(line.when), Cell(line.who), Cell(line.action), Cell(str(line.data.get("name", "–"))), Cell(line.why))
        for line in read_log(plan.folder)
    )
    headers = tuple(Cell(say(f"header.{one}", names.language)) for one in columns)
    empty = say("report.nothing_to_say", names.language)
    return Table("log", say("report.log", names.language), headers, rows, empty=empty)
