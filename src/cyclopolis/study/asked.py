"""Engines that are asked by themselves, beside the chain of balance, design and rating; answers are saved alike."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cyclopolis
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import message
from cyclopolis.plan import Plan, read_plan
from cyclopolis.study.store import RunResult, results_folder

Ask = Callable[[Plan, Mapping[str, Any], Progress], Result]


def _water(plan: Plan, options: Mapping[str, Any], progress: Progress) -> Result:
    return cyclopolis.water(plan, cyclopolis.WaterOptions(**options), progress=progress)


def _heat(plan: Plan, options: Mapping[str, Any], progress: Progress) -> Result:
    del options, progress
    return cyclopolis.heat(plan)


def _fairness(plan: Plan, options: Mapping[str, Any], progress: Progress) -> Result:
    return cyclopolis.fairness(plan, cyclopolis.FairnessOptions(**options), progress=progress)


def _failure(plan: Plan, options: Mapping[str, Any], progress: Progress) -> Result:
    return cyclopolis.failure(plan, cyclopolis.FailureOptions(**options), progress=progress)


ASKED: Mapping[str, Ask] = {"water": _water, "heat": _heat, "fairness": _fairness, "failure": _failure}


def ask(
    path: Path | str,
    engine: str,
    scenario: Sequence[str] = (),
    *,
    options: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> RunResult:
    """Ask one engine of a plan and save its answer in ``results/SCENARIO/ENGINE``.

    Parameters
    ----------
    path : Path or str
        The plan.
    engine : str
        One of `ASKED`.
    scenario : sequence of str
        Scenarios to apply, in order.
    options : mapping, optional
        Options of the engine.
    progress : Progress

    Raises
    ------
    UserError
        If the plan has errors or the engine cannot answer.
    """
    progress(message("study.stage_read"), 0.0)
    plan = read_plan(path, scenario)
    progress(message(f"study.stage_{engine}"), 0.1)
    result = ASKED[engine](plan, options or {}, progress)
    folder = results_folder(Path(path), scenario)
    result.save(folder / engine)
    return RunResult(plan, {engine: result}, folder)
