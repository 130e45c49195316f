"""A design for several scenarios of one plan: each read, all handed to the design, the answer saved."""

from collections.abc import Sequence
from pathlib import Path

import cyclopolis
from cyclopolis.foundation.problems import user_error
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.text import message
from cyclopolis.study.engines import bounded, wanted_engines
from cyclopolis.study.run import run
from cyclopolis.study.store import RunResult, results_folder


def weighted(under: str) -> tuple[list[str], list[float]]:
    """Return names and weights of scenarios as typed; no weights when none is given.

    Raises
    ------
    UserError
        If a weight is no number, or some have one and others have none.

    Examples
    --------
    >>> weighted("dry=0.3, wet=0.7"), weighted("dry,wet")
    ((['dry', 'wet'], [0.3, 0.7]), (['dry', 'wet'], []))
    """
    parts = [part.strip().partition("=") for part in under.split(",") if part.strip()]
    names, texts = [name.strip() for name, _, _ in parts], [text.strip() for _, _, text in parts if text.strip()]
    try:
        weights = [float(text) for text in texts]
    except ValueError:
        raise user_error("under.weights") from None
    if (weights and len(weights) < len(names)) or len(set(names)) < len(names):
        raise user_error("under.weights")
    return names, weights


def run_under(
    path: Path | str,
    under: str,
    scenario: Sequence[str] = (),
    options: "cyclopolis.UnderOptions | None" = None,
    progress: Progress = silent,
) -> RunResult:
    """Design once for several scenarios of a plan and save the answer beside its other results.

    Parameters
    ----------
    path : Path or str
        The plan.
    under : str
        Names of its scenarios, separated by commas, each with a weight after ``=`` or none with one.
    scenario : sequence of str
        Scenarios that lie under all of them.
    options : UnderOptions, optional
    progress : Progress

    Raises
    ------
    UserError
        As `read_plan` and `design_under`, and if the weights make no sense.
    """
    names, weights = weighted(under)
    progress(message("study.stage_read"), 0.0)
    plan = cyclopolis.read_plan(path, scenario)
    heeds = any(engine.name == "land" for engine in wanted_engines(plan, "design"))
    done = run(path, scenario, until="land", progress=progress).results if heeds else {}
    plans = {name: bounded(cyclopolis.read_plan(path, (*scenario, name)), done) for name in names}
    progress(message("study.stage_under"), 0.2)
    result = cyclopolis.design_under(bounded(plan, done), plans, weights, options)
    folder = results_folder(Path(path), scenario)
    result.save(folder / result.engine)
    return RunResult(plan, {result.engine: result}, folder, ())
