"""Verification cases: one YAML file each, read whole or refused with one clear message per fault."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import yaml

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message

WITH_UNITS = (
    "water_network_single_contaminant",
    "water_network_multi_contaminant",
    "interplant_water_network",
    "hydrogen_network",
    "heat_pinch",
)
"""Kinds whose inputs are read with the case's ``units``."""
_SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SAFE):  # type: ignore[misc, valid-type]  # the C loader where PyYAML was built with it
    """The safe loader, with the plain words and numbers of YAML 1.2: ``NO`` is a name, ``1e-6`` a number."""


_Loader.yaml_implicit_resolvers = {
    letter: [
        (tag, pattern) for tag, pattern in rules if tag not in {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:float"}
    ]
    for letter, rules in _SAFE.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|false|True|False|TRUE|FALSE)$"), list("tfTF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$"
    ),
    list("-+0123456789."),
)


@dataclass(frozen=True)
class Case:
    """One case: what is asked and what was published.

    ``published`` and ``computed_check`` are trees of numbers, texts, lists and mappings; a field of ``computed_check``
    counts only where ``published`` has none.
    """

    id: str
    title: str
    kind: str
    inputs: Mapping[str, Any]
    published: Mapping[str, Any]
    computed_check: Mapping[str, Any]
    tolerance: Mapping[str, float]
    file: str


def bundled_cases() -> tuple[Path, ...]:
    """Return the case files that ship with the package, by name."""
    with as_file(files("cyclopolis.study.verify") / "cases") as folder:
        return tuple(sorted(folder.glob("*.yaml")))


def read_case(path: Path) -> Case:
    """Read one case.

    Parameters
    ----------
    path : Path
        A YAML file with ``case_id``, ``kind``, ``inputs``, ``published`` or ``computed_check``, and ``tolerance``.

    Raises
    ------
    UserError
        If the file cannot be read or is not a case; all faults at once.
    """
    name = str(path)
    tree = _tree(path, name)
    problems = [
        Problem(message("verify.missing", field=field), file=name, column=field)
        for field in ("case_id", "kind")
        if not isinstance(tree.get(field), str)
    ]
    parts = {field: tree.get(field) or {} for field in ("inputs", "published", "computed_check")}
    for field, part in parts.items():
        if not isinstance(part, dict):
            problems.append(Problem(message("verify.not_mapping", field=field), file=name, column=field))
    if not parts["inputs"]:
        problems.append(Problem(message("verify.missing", field="inputs"), file=name, column="inputs"))
    if not parts["published"] and not parts["computed_check"]:
        problems.append(Problem(message("verify.nothing_published"), file=name))
    tolerance = _tolerance(tree.get("tolerance"), name, problems)
    if problems:
        raise UserError(problems)
    if isinstance(tree.get("units"), dict) and tree["kind"] in WITH_UNITS:
        parts["inputs"] = {"units": tree["units"], **parts["inputs"]}
    return Case(tree["case_id"], str(tree.get("title", "")), tree["kind"], **parts, tolerance=tolerance, file=name)


def _tree(path: Path, name: str) -> dict[str, Any]:
    try:
        tree = yaml.load(path.read_bytes(), _Loader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise UserError([Problem(message("verify.no_file", reason=error.strerror), file=name)]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise UserError([Problem(message("verify.not_yaml", reason=reason), file=name)]) from error
    if not isinstance(tree, dict):
        raise UserError([Problem(message("verify.not_case"), file=name)])
    return tree


def _tolerance(tree: object, name: str, problems: list[Problem]) -> Mapping[str, float]:
    if not isinstance(tree, dict) or not tree:
        problems.append(Problem(message("verify.no_tolerance"), file=name, column="tolerance"))
        return {}
    found = {}
    for key, value in tree.items():
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
        if not (math.isfinite(number) and number >= 0):
            text = message("verify.bad_tolerance", name=key)
            problems.append(Problem(text, file=name, column="tolerance", value=str(value)))
        found[str(key)] = float(number)
    return found
