"""Runs the engines over a plan in their order and saves each answer as soon as it is complete."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.text import message
from cyclopolis.plan import read_plan
from cyclopolis.study.engines import ENGINES, ON_REQUEST
from cyclopolis.study.store import RunResult, fresh_results, options_recorded, record, results_folder

if TYPE_CHECKING:
    from cyclopolis.foundation.result import Result


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
        Last engine to run (``balance``, ``design`` or ``rating``). That engine is always computed; those before it are
        taken from disk when the plan has not changed since. Without it all three are computed. ``match`` and ``chains``
        need no other engine and run only when named; what they saved stays while the plan does.
    options : mapping, optional
        Options of design: ``year``, ``gap``, ``time_limit``; of match: those of `MatchOptions`.
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
    names = [engine.name for engine in (*ENGINES, *ON_REQUEST)]
    if until is not None and until not in names:
        raise user_error("study.unknown_engine", engine=until, engines=", ".join(names))
    progress(message("study.stage_read"), 0.0)
    plan = read_plan(place, scenario)
    folder = results_folder(place, scenario)
    alone = tuple(engine for engine in ON_REQUEST if engine.name == until)
    wanted = alone or (ENGINES[: names.index(until) + 1] if until else ENGINES)
    fresh = fresh_results(plan, folder)
    saved = fresh if until else {}
    results: dict[str, Result] = {}
    recorded = options_recorded(folder)
    kept = fresh if alone else [engine.name for engine in ON_REQUEST if engine.name in fresh]
    done: dict[str, Mapping[str, Any]] = {name: recorded[name] for name in kept}
    for position, engine in enumerate(wanted):
        if engine.name in saved and engine.name != until:
            results[engine.name] = saved[engine.name]
            done[engine.name] = recorded[engine.name]
            continue
        progress(message(f"study.stage_{engine.name}"), (position + 1) / (len(wanted) + 1))
        results[engine.name] = engine.answer(plan, results, options or {})
        results[engine.name].save(folder / engine.name)
        done[engine.name] = dict(options or {}) if engine.takes_options else {}
        record(plan, folder, done)
    if not until:
        results |= {name: fresh[name] for name in kept}
    reused = tuple(name for name in results if saved.get(name) is results[name])
    return RunResult(plan, results, folder, reused)
