"""What each command does: ask the engines, show what they answer. No arithmetic here.

Engines are reached through the lazy names of the package ``cyclopolis``, so that nothing heavy is read before it is
needed.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cyclopolis
from cyclopolis.cli.call import Call
from cyclopolis.cli.console import Watch, err, out, out_json, show_problems, table_lines
from cyclopolis.foundation.numbers import number_text, unit_text
from cyclopolis.foundation.text import Language, Message, say

if TYPE_CHECKING:
    from cyclopolis.foundation.result import Result
    from cyclopolis.study import RunResult


def new(call: Call) -> int:
    """Copy an example plan into a new folder."""
    folder = cyclopolis.new_plan(Path(call.values["folder"]), call.values["from"])
    out(say("cli.new_done", call.interface, folder=folder.resolve()))
    return 0


def template(call: Call) -> int:
    """Write an empty workbook to fill in."""
    path = cyclopolis.write_template(Path(call.values["workbook"]), call.chosen or call.interface)
    out(say("cli.template_done", call.interface, path=path.resolve()))
    return 0


def check(call: Call) -> int:
    """List what is wrong with a plan and what is worth knowing."""
    problems = cyclopolis.check_plan(call.plan, call.scenario)
    errors = sum(problem.severity == "error" for problem in problems)
    language = call.language
    if call.json:
        found = [problem.as_dict(language) for problem in problems]
        out_json({"ok": not errors, "plan": str(call.plan), "scenario": call.scenario, "problems": found})
    else:
        show_problems(problems, language)
        key = "cli.check_bad" if errors else "cli.check_good"
        out(say(key, language, plan=call.plan, errors=errors, notices=len(problems) - errors))
    return 2 if errors else 0


def balance(call: Call) -> int:
    """Balance the base year."""
    return _one_engine(call, "balance")


def design(call: Call) -> int:
    """Design a better place, and check the answer against the plan where asked to."""
    if call.values["pareto"] is not None:
        return _pareto(call)
    if call.values["under"]:
        return _under(call)
    done = _run_until(call, "design", _design_options(call))
    result = done.results["design"]
    assert isinstance(result, cyclopolis.Design)
    broken = cyclopolis.check_design(done.plan, result) if call.values["check"] else ()
    if call.json:
        checked = {"violations": [asdict(one) for one in broken]} if call.values["check"] else {}
        _show(call, done, "design", checked)
        return 1 if broken else 0
    _show(call, done, "design", {})
    for one in broken:
        values = {"found": number_text(one.found, 9), "allowed": number_text(one.allowed, 9)}
        err(say("cli.violation", call.language, kind=one.kind, where=", ".join(one.where), **values))
    if call.values["check"] and not broken:
        out(say("cli.no_violation", call.language))
    return 1 if broken else 0


def comply(call: Call) -> int:
    """Rate waters, air and green space."""
    return _one_engine(call, "compliance")


def capacity(call: Call) -> int:
    """Hold loads against carrying capacities."""
    return _one_engine(call, "capacity")


def land(call: Call) -> int:
    """Hold parcels and projects against protected areas; 1 when something is refused."""
    done = _run_until(call, "land", {})
    result = done.results["land"]
    assert isinstance(result, cyclopolis.Land)
    _show(call, done, "land", {})
    refused = result.refusals()
    for row in refused.iter_rows(named=True) if not call.json else ():
        values = {name: number_text(row[name] or 0.0, 4) for name in ("overlap_ha", "share")}
        err(say("cli.land_refused", call.language, name=row["name"], layer=row["layer"], **values))
    return 1 if refused.height else 0


def streets(call: Call) -> int:
    """Measure streets, blocks and living circles."""
    return _one_engine(call, "streets")


def drain(call: Call) -> int:
    """Run storms on the three variants, and look for better measures where asked to."""
    names = ("storm", "designs", "seed")
    options = {name: call.values[name] for name in names if call.values.get(name) is not None}
    return _one_engine(call, "drainage", options)


def water(call: Call) -> int:
    """Find networks with quality."""
    asked = {name: call.values[name] for name in ("time_limit",) if call.values.get(name)}
    return _one_engine(call, "water", asked)


def heat(call: Call) -> int:
    """Find what heat can be recovered."""
    return _one_engine(call, "heat")


def fairness(call: Call) -> int:
    """Divide what exchange brings."""
    return _one_engine(call, "fairness")


def failure(call: Call) -> int:
    """Take out plants and pipes."""
    return _one_engine(call, "failure", {name: True for name in ("pairs", "together") if call.values[name]})


def _pareto(call: Call) -> int:
    """Find the trade-offs between the dimensions, and say what the independent checker found where asked to."""
    options = {**_design_options(call), "points": call.values["pareto"]}
    options |= {name: call.values[name] for name in ("near", "draws") if call.values[name] is not None}
    return _checked(call, _run_until(call, "pareto", options), "pareto", "points", "point")


def _checked(call: Call, done: "RunResult", engine: str, table: str, item: str) -> int:
    """Show an answer whose rows say what the independent checker found; 1 where asked to and it found something."""
    rows = done.results[engine].tables[table].select(item, "violations").iter_rows()
    wrong = [row for row in rows if row[1]] if call.values["check"] else []
    _show(call, done, engine, {})
    key = "front.violations" if engine == "pareto" else "under.violations"
    for name, found in wrong:
        err(say(key, call.language, **{item: name, "found": found}))
    if call.values["check"] and not wrong and not call.json:
        out(say("cli.no_violation", call.language))
    return 1 if wrong else 0


def _under(call: Call) -> int:
    """Design once for several scenarios, and say what the independent checker found where asked to."""
    worst = {} if call.values["worst"] is None else {"worst": call.values["worst"]}
    done = _run_until(call, "under", {**_design_options(call), **worst, "under": call.values["under"]})
    return _checked(call, done, "under", "scenarios", "scenario")


def rate(call: Call) -> int:
    """Rate before and after the design."""
    return _one_engine(call, "rating")


def run(call: Call) -> int:
    """Run every engine and write the report."""
    language = call.language
    with Watch(call.quiet, language) as progress:
        done = cyclopolis.run(call.plan, call.scenario, options=_design_options(call), progress=progress)
        page = _write_report(done, language, progress)
    if call.json:
        results = {name: result_json(result, language, tables=False) for name, result in done.results.items()}
        out_json({"ok": True, "report": str(page), "summary": str(page.with_name("summary.html")), "results": results})
        return 0
    for result in done.results.values():
        show_summary(result, language)
    out(say("cli.report_at", language, path=page, summary=page.with_name("summary.html")))
    return 0


def report(call: Call) -> int:
    """Write the report from saved results."""
    done = cyclopolis.load_run(call.plan, call.scenario)
    language = call.language
    with Watch(call.quiet, language) as progress:
        page = _write_report(done, language, progress)
    out(say("cli.report_at", language, path=page, summary=page.with_name("summary.html")))
    return 0


def verify(call: Call) -> int:
    """Solve published cases and compare."""
    language = call.interface
    with Watch(call.quiet, language) as progress:
        found = cyclopolis.verify([Path(name) for name in call.values["cases"]], progress=progress)
    if call.json:
        out_json(found.as_dict(language))
    else:
        for line in found.lines(language):
            out(line)
    return int(found.exit_code)


def _design_options(call: Call) -> dict[str, Any]:
    """Return the options of design that were typed."""
    names = ("year", "gap", "time_limit", "pieces")
    typed = {name: call.values[name] for name in names if call.values.get(name) is not None}
    return typed | {name: True for name in ("pipes", "one_chain", "flexible") if call.values.get(name)}


def _one_engine(call: Call, engine: str, options: Mapping[str, Any] | None = None) -> int:
    """Run a plan up to one engine and show that engine's answer."""
    _show(call, _run_until(call, engine, options or {}), engine, {})
    return 0


def _run_until(call: Call, engine: str, options: Mapping[str, Any]) -> "RunResult":
    with Watch(call.quiet, call.language) as progress:
        return cyclopolis.run(call.plan, call.scenario, until=engine, options=options, progress=progress)


def _show(call: Call, done: "RunResult", engine: str, more: Mapping[str, Any]) -> None:
    """Show an engine's answer and where it is saved."""
    result, language = done.results[engine], call.language
    if call.json:
        out_json({"ok": True, "saved": str(done.folder / engine), **result_json(result, language, tables=True), **more})
    else:
        show_summary(result, language)
        out(say("cli.saved_at", language, folder=done.folder / engine))


def _write_report(done: "RunResult", language: Language, progress: Any) -> Path:  # noqa: ANN401 - a listener
    progress(Message("cli.stage_report"))
    return cyclopolis.write_report(done.plan, done.results, done.folder, language)


def show_summary(result: "Result", language: Language) -> None:
    """Write a result's summary as a table."""
    headers = [say(f"cli.column_{name}", language) for name in ("name", "value", "unit", "provenance")]
    rows = [
        (
            line.name.render(language),
            line.value if isinstance(line.value, str) else number_text(line.value),
            unit_text(line.unit, language),
            say(f"provenance.{line.provenance}", language),
        )
        for line in result.summary()
    ]
    out(say(f"study.engine_{result.engine}", language))
    for text in table_lines(headers, rows, (False, True, False, False)):
        out(f"  {text}")
    out()


def result_json(result: "Result", language: Language, *, tables: bool) -> dict[str, Any]:
    """Return a result as plain values."""
    summary = [
        {
            "key": line.name.key,
            "name": line.name.render(language),
            "value": line.value,
            "unit": line.unit,
            "provenance": line.provenance,
        }
        for line in result.summary()
    ]
    found: dict[str, Any] = {"engine": result.engine, "summary": summary, "facts": dict(result.facts)}
    if tables:
        found["tables"] = {name: table.to_dicts() for name, table in result.tables.items()}
    return found
