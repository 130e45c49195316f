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
from cyclopolis.study.engines import ENGINES
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
        Last engine to run (``balance``, ``design``, ``pareto`` or ``rating``). That engine is always computed; those
        before it are taken from disk when the plan has not changed since. Without it all are computed but ``pareto``,
        which runs only when it is asked for and is taken from disk otherwise.
    options : mapping, optional
        Options of design: ``year``, ``gap``, ``time_limit``, ``pieces``, ``pipes``, ``one_chain``; of pareto also
        ``points`` and ``near``.
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
    upto = ENGINES[: names.index(until) + 1] if until else ENGINES
    wanted = [engine for engine in upto if engine.name == until or not engine.on_request]
    fresh = fresh_results(plan, folder)
    saved = fresh if until else {}
    results: dict[str, Result] = {}
    recorded = options_recorded(folder)
    # what was asked for by name rests on the plan alone and stays while that is the same
    stay = [engine.name for engine in ENGINES if engine.on_request and engine.name in fresh and engine.name != until]
    done: dict[str, Mapping[str, Any]] = {name: recorded[name] for name in stay}
    for position, engine in enumerate(wanted):
        if engine.name in saved and engine.name != until:
            results[engine.name] = saved[engine.name]
            done[engine.name] = recorded[engine.name]
            continue
        progress(message(f"study.stage_{engine.name}"), (position + 1) / (len(wanted) + 1))
        done[engine.name] = dict(options or {}) if engine.takes_options else {}
        keep = partial(_keep, plan, folder, engine.name, done)
        more = {"keep": keep, "progress": progress} if engine.on_request else {}
        results[engine.name] = engine.answer(plan, results, {**(options or {}), **more})
        keep(results[engine.name])
    results |= {name: fresh[name] for name in stay}
    reused = tuple(name for name in results if fresh.get(name) is results[name])
    return RunResult(plan, results, folder, reused)


def _keep(plan: Plan, folder: Path, name: str, engines: Mapping[str, Mapping[str, Any]], result: Result) -> None:
    """Save an engine's answer, whole or so far, and write down what it rests on."""
    result.save(folder / name)
    record(plan, folder, engines)
