"""The commands about frameworks: new, check, show, import."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cyclopolis
from cyclopolis.cli.call import Call
from cyclopolis.cli.console import out, out_json, show_problems, table_lines
from cyclopolis.foundation.numbers import number_text
from cyclopolis.foundation.text import say

if TYPE_CHECKING:
    from cyclopolis.library.frameworks import Framework


def new(call: Call) -> int:
    """Write a framework file to begin from."""
    path = cyclopolis.new_framework(Path(call.values["file"]), call.interface)
    return _written(call, path, 2)


def _written(call: Call, path: Path, indicators: int) -> int:
    if call.json:
        out_json({"ok": True, "file": str(path), "indicators": indicators})
    else:
        out(say("cli.framework_written", call.interface, path=path.resolve(), indicators=indicators))
    return 0


def check(call: Call) -> int:
    """Check framework files."""
    language, found = call.interface, []
    for name in call.values["framework_files"]:
        framework, problems = cyclopolis.check_framework(Path(name))
        found += [problem.as_dict(language) for problem in problems]
        if not call.json:
            show_problems(problems, language)
            if framework is not None:
                out(say("cli.framework_good", language, path=name, indicators=len(framework.indicators)))
    wrong = any(one["severity"] == "error" for one in found)
    if call.json:
        out_json({"ok": not wrong, "problems": found})
    return 2 if wrong else 0


def show(call: Call) -> int:
    """Show a framework."""
    framework = cyclopolis.find_framework(call.values["framework"])
    if call.json:
        out_json(
            {"ok": True, "framework": cyclopolis.explain_framework(framework), "indicators": _rows(call, framework)}
        )
        return 0
    language = call.interface
    out(f"{framework.id}: {framework.title} / {framework.title_zh} ({framework.year})")
    if framework.status:
        out(say("cli.framework_status", language, status=framework.status))
    if framework.total_points:
        out(say("cli.framework_points", language, points=number_text(framework.total_points)))
    for one in framework.principles:
        out(say("cli.framework_principles", language, id=one.id or "-", names=", ".join(one.names)))
    for version in framework.versions:
        values = {**vars(version), "points": number_text(version.points)}
        out(say("cli.framework_version", language, **values))
    for level in framework.levels:
        points = number_text(level.min_points)
        rule = level.rule if level.min_points is None else say("cli.framework_from", language, points=points)
        out(say("cli.framework_level", language, label=level.label_zh if language == "zh" else level.label, rule=rule))
    out()
    shown = ("dimension", "indicator", "name", "target_text", "weight", "provenance", "formula")
    rows = [["–" if row[name] is None else str(row[name]) for name in shown] for row in _rows(call, framework)]
    headers = [say(f"header.{name}", language) for name in shown]
    for line in table_lines(headers, rows, [name == "weight" for name in shown]):
        out(f"  {line}")
    return 0


def _rows(call: Call, framework: "Framework") -> list[dict[str, Any]]:
    language = call.interface
    return [
        {
            "dimension": one.dimension,
            "indicator": one.id,
            "name": one.name_zh if language == "zh" and one.name_zh else one.name,
            "unit": one.unit,
            "required": one.required,
            "target_text": cyclopolis.target_text(one.target, one.unit, language),
            "weight": one.weight,
            "provenance": one.provenance,
            "formula": one.formula.text if one.formula else None,
            "inputs": dict(one.inputs),
        }
        for one in framework.indicators
    ]


def bring_in(call: Call) -> int:
    """Make a framework file from a spreadsheet."""
    sheet, path = Path(call.values["sheet"]), Path(call.values["file"])
    done = cyclopolis.import_framework(sheet, path, call.values.get("like"))
    show_problems(done.notices, call.interface)
    return _written(call, done.path, len(done.framework.indicators))
