"""Runs the engines over a plan in their order and saves each answer as soon as it is complete."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import message
from cyclopolis.plan import Plan, read_plan
from cyclopolis.study.engines import ENGINES, options_of, wanted_engines
from cyclopolis.study.store import RunResult, fresh_results, options_recorded, record, results_folder


def run(
    path: Path | str,
    scenario: Sequence[str] = (),
    *,
    until: str | None = None,
    options: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> RunResult:
    """Run a plan: read and check it, then each engine in order; every answer is saved when it is complete.

    Parameters
    ----------
    path : Path or str
        The plan: a folder or a workbook.
    scenario : sequence of str
        Names of the plan's scenarios, applied in this order.
    until : str, optional
        The one engine that is asked (``balance``, ``design``, ``rating``, ``drainage``, ...). It is always computed;
        those whose answers it is handed are taken from disk when the plan has not changed since. Without it all are
        computed that the plan has data for.
    options : mapping, optional
        Options by name; each engine takes its own (``year``, ``gap``, ``time_limit``, ``pieces``, ``pipes``,
        ``one_chain``, ``flexible`` of design; ``points`` and ``near`` of pareto; ``storm``, ``designs``, ``seed`` of
        drainage).
    progress : Progress
        Told which engine is at work.

    Returns
    -------
    RunResult

    Raises
    ------
    UserError
        If the plan has errors, an engine cannot answer, or ``until`` names no engine.
    """
    place = Path(path)
    names = [engine.name for engine in ENGINES]
    if until is not None and until not in names:
        raise user_error("study.unknown_engine", engine=until, engines=", ".join(names))
    progress(message("study.stage_read"), 0.0)
    plan = read_plan(place, scenario)
    folder = results_folder(place, scenario)
    wanted = wanted_engines(plan, until)
    fresh = fresh_results(plan, folder)
    saved = fresh if until else {}
    results: dict[str, Result] = {}
    recorded = options_recorded(folder)
    asked = [engine for engine in ENGINES if engine not in wanted and engine.name in fresh]
    others = [engine.name for engine in asked if until not in (*engine.needs, *engine.heeds)]
    done: dict[str, Mapping[str, Any]] = {name: recorded[name] for name in others}
    for position, engine in enumerate(wanted):
        if engine.name in saved and engine.name != until:
            results[engine.name] = saved[engine.name]
            done[engine.name] = recorded[engine.name]
            continue
        progress(message(f"study.stage_{engine.name}"), (position + 1) / (len(wanted) + 1))
        mine = options_of(engine, options or {})
        done[engine.name] = mine
        keep = partial(_keep, plan, folder, engine.name, done)
        handed = {**mine, "progress": progress} if engine.tells else mine
        results[engine.name] = engine.answer(plan, results, {**handed, "keep": keep} if engine.keeps else handed)
        keep(results[engine.name])
    if not until:
        results |= {name: fresh[name] for name in others}
    reused = tuple(name for name in results if saved.get(name) is results[name])
    return RunResult(plan, results, folder, reused)


def _keep(plan: Plan, folder: Path, name: str, engines: Mapping[str, Mapping[str, Any]], result: Result) -> None:
    """Save an engine's answer, whole or so far, and write down what it rests on."""
    result.save(folder / name)
    record(plan, folder, engines)
