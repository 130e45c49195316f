"""The commands of the assessment: attach evidence, review, edit the advice, read the log, write the certificate."""

from dataclasses import asdict
from pathlib import Path

import cyclopolis
from cyclopolis.cli.call import Call
from cyclopolis.cli.console import out, out_json
from cyclopolis.foundation.problems import UserError
from cyclopolis.foundation.text import message, say


def _who_why(call: Call) -> tuple[str, str]:
    return str(call.values.get("who") or ""), str(call.values.get("why") or "")


def attach(call: Call) -> int:
    """Attach evidence to a value."""
    plan, name, site = cyclopolis.read_plan(call.plan), call.values["value_name"], call.values["site"]
    cyclopolis.check_names(plan, name, site)
    who, why = _who_why(call)
    row = cyclopolis.attach_evidence(
        plan.folder, name, site, plan.meta.base_year, call.values["proof"], who=who, why=why
    )
    return _done(call, row)


def review(call: Call) -> int:
    """Write down an expert's value."""
    plan, name, site = cyclopolis.read_plan(call.plan), call.values["value_name"], call.values["site"]
    cyclopolis.check_names(plan, name, site)
    who, why = _who_why(call)
    try:
        value = float(call.values["value"])
    except ValueError as error:
        raise UserError(message("cli.bad_value", value=call.values["value"])) from error
    unit = call.values.get("unit") or "1"
    row = cyclopolis.review(plan.folder, name, site, plan.meta.base_year, value, unit, who=who, why=why)
    return _done(call, row)


def _done(call: Call, row: dict[str, str]) -> int:
    if call.json:
        out_json({"ok": True, "row": row})
    else:
        out(say("cli.assess_done", call.language, path=", ".join(value for value in row.values() if value)))
    return 0


def advice(call: Call) -> int:
    """Write the drafted sentences to be edited."""
    done = cyclopolis.load_run(call.plan, call.scenario)
    plan = cyclopolis.read_plan(call.plan, call.scenario)
    path = cyclopolis.write_advice(cyclopolis.assessment_folder(plan.folder), done.results["rating"].tables["advice"])
    return _file(call, path)


def certificate(call: Call) -> int:
    """Write the certificate page."""
    done = cyclopolis.load_run(call.plan, call.scenario)
    who, why = _who_why(call)
    path = cyclopolis.write_certificate(done.plan, done.results["rating"], done.folder, call.language)
    cyclopolis.note_change(done.plan.folder, "certificate", {"file": path.name}, who=who, why=why)
    return _file(call, path)


def _file(call: Call, path: Path) -> int:
    if call.json:
        out_json({"ok": True, "file": str(path)})
    else:
        out(say("cli.assess_done", call.language, path=path))
    return 0


def log(call: Call) -> int:
    """Show the log."""
    lines = cyclopolis.read_log(cyclopolis.read_plan(call.plan).folder)
    if call.json:
        out_json({"ok": True, "log": [asdict(line) for line in lines]})
        return 0
    for line in lines:
        name = line.data.get("name") or line.data.get("file") or "-"
        values = {"when": line.when, "who": line.who, "why": line.why, "action": line.action, "name": name}
        out(say("cli.assess_log_line", call.language, **values))
    return 0
