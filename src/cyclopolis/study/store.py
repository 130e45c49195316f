"""Where results live: ``RESULTS/SCENARIO/ENGINE`` with one manifest per scenario that says what they rest on."""

import json
import platform
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from polars.exceptions import PolarsError

import cyclopolis
from cyclopolis.foundation.files import dump_json, write_atomic
from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.result import Result
from cyclopolis.foundation.text import message
from cyclopolis.plan import Plan, read_plan
from cyclopolis.study.engines import ENGINES, load

_MANIFEST = "manifest.json"
_LIBRARIES = ("highspy", "numpy", "polars", "pyscipopt", "scipy", "shapely", "swmm-toolkit")


@dataclass(frozen=True)
class RunResult:
    """What a run gives.

    Parameters
    ----------
    plan : Plan
        The plan as read, with its scenarios applied.
    results : mapping of str to Result
        Answers by engine, in the order in which they ran.
    folder : Path
        Where they are saved, one folder per engine.
    reused : tuple of str
        Engines whose saved answer was still fresh and was not computed again.
    """

    plan: Plan
    results: Mapping[str, Result]
    folder: Path
    reused: tuple[str, ...] = ()


def results_folder(path: Path, scenario: Sequence[str] = ()) -> Path:
    """Return where the results of a plan and its scenarios live, as an absolute path.

    Parameters
    ----------
    path : Path
        The plan: a folder, or a workbook (its results stand beside it in a folder of its name).
    scenario : sequence of str
        Names of the scenarios applied; none is called ``base``.

    Examples
    --------
    >>> results_folder(Path("/parks/east"), ["dry year", "a/b"]).as_posix()
    '/parks/east/results/dry year+a_b'
    >>> results_folder(Path("/parks/east.xlsx")).as_posix()
    '/parks/east/results/base'
    """
    whole = path.absolute()
    home = (whole.with_suffix("") if whole.suffix.lower() == ".xlsx" else whole) / "results"
    safe = (re.sub(r'[/\\:*?"<>|\x00-\x1f]', "_", name).lstrip(".") or "_" for name in scenario)
    return home / ("+".join(safe) or "base")


def load_run(path: Path | str, scenario: Sequence[str] = ()) -> RunResult:
    """Load what an earlier run saved.

    Parameters
    ----------
    path : Path or str
        The plan.
    scenario : sequence of str
        Names of the scenarios applied.

    Returns
    -------
    RunResult
        With every engine's result that is saved and fresh.

    Raises
    ------
    UserError
        If the plan cannot be read, nothing is saved, or the plan changed since.
    """
    place = Path(path)
    plan = read_plan(place, scenario)
    folder = results_folder(place, scenario)
    results = fresh_results(plan, folder)
    if not results:
        key = "study.stale" if (folder / _MANIFEST).is_file() else "study.missing"
        raise UserError([Problem(message(key, folder=folder, plan=place))])
    return RunResult(plan, results, folder, tuple(results))


def fresh_results(plan: Plan, folder: Path) -> dict[str, Result]:
    """Return the saved results that rest on just this plan and version, without those that need a lost one."""
    manifest = _read_manifest(folder)
    if _basis(manifest) != _basis(_manifest(plan, {})):
        return {}
    results: dict[str, Result] = {}
    for engine in ENGINES:
        if engine.name not in manifest["engines"] or not set(engine.needs) <= set(results):
            continue
        with suppress(UserError, OSError, ValueError, PolarsError):
            found = load(engine, folder / engine.name)
            if _unchanged(found, plan):
                results[engine.name] = found
    return results


def _unchanged(result: Result, plan: Plan) -> bool:
    """Return whether the files that a result read besides those of the plan (other scenarios) are as they were."""
    others = {name: digest for name, digest in result.inputs.items() if name not in plan.inputs}
    return all(sha256((plan.folder / name).read_bytes()).hexdigest() == digest for name, digest in others.items())


def record(plan: Plan, folder: Path, engines: Mapping[str, Mapping[str, Any]]) -> None:
    """Write down which engines' results are complete and what they rest on.

    Parameters
    ----------
    plan : Plan
    folder : Path
        Folder of the scenario's results.
    engines : mapping of str to mapping
        Options by engine.
    """
    write_atomic(folder / _MANIFEST, dump_json(_manifest(plan, engines)))


def options_recorded(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Return the options of each engine as they were written down."""
    return dict(_read_manifest(folder)["engines"])


def _manifest(plan: Plan, engines: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "plan": plan.meta.name,
        "scenario": list(plan.scenario),
        "inputs": dict(plan.inputs),
        "versions": {
            "cyclopolis": cyclopolis.__version__,
            "python": platform.python_version(),
            **{name: _version(name) for name in _LIBRARIES},
        },
        "engines": {name: dict(options) for name, options in engines.items()},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest, or an empty one where none can be read: then nothing counts as fresh."""
    try:
        found = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    return {"engines": {}, **found} if isinstance(found, dict) else {"engines": {}}


def _basis(manifest: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what must be equal for results to be fresh."""
    return (manifest.get("scenario"), manifest.get("inputs"), manifest.get("versions"))
