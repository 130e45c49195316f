"""One list of all values that frameworks ask for: a value is entered once and serves every framework."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.library.frameworks.formula import Formula, parse_formula
from cyclopolis.library.frameworks.model import Framework, Indicator
from cyclopolis.library.frameworks.units import conversion, read_unit, unit_words


@dataclass(frozen=True)
class Input:
    """A value that indicators need.

    Parameters
    ----------
    name, unit : str
        Its id and the unit in which the rating holds it.
    choices : tuple of str
        For a value that is a word: the plan gives its number, 1 for the first.
    engine : Formula or None
        Its value in terms of the engines' quantities.
    use : {"value", "change", "lapses", ""}
        Whether the engine's figure may stand as the value, only its change by the design is used, or the value lapses
        when the engine's figure changes (a part of it, whose share in the change is unknown).
    plan : str
        Column of the plan's tables that it is summed from (``enterprises.employees``), if any.
    """

    name: str
    unit: str
    choices: tuple[str, ...]
    engine: Formula | None
    use: str
    plan: str
    en: str
    zh: str
    definition: str
    definition_zh: str


@cache
def shipped_inputs() -> Mapping[str, Input]:
    """Return the library's list of inputs by name."""
    found = {}
    text = (files("cyclopolis.library.frameworks") / "inputs.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        found[row["input"]] = Input(
            name=row["input"],
            unit=row["unit"],
            choices=tuple(row["choices"].split(";")) if row["choices"] else (),
            engine=parse_formula(row["engine"]) if row["engine"] else None,
            use=row["use"],
            plan=row["plan"],
            en=row["en"],
            zh=row["zh"],
            definition=row["definition"],
            definition_zh=row["definition_zh"],
        )
    return found


def glossary(frameworks: Iterable[Framework]) -> Mapping[str, Input]:
    """Return every value that may be entered for the given frameworks.

    These are the library's inputs that they use, inputs that only a user's framework knows, each indicator's own id
    (the indicator's value entered directly), the statements ``id.task``, ``id.trend``, ``id.case_by_case`` (1 or 0),
    the points that an assessor gave (``id.points``) and the share of a dimension's points that one published
    (``framework.dimension.share``, or its bounds ``.share_low`` and ``.share_high``).

    Raises
    ------
    UserError
        If a framework's unit of an input is not known or does not fit the list's.

    Examples
    --------
    >>> from cyclopolis.library.frameworks import load_frameworks
    >>> glossary(load_frameworks().values())["fresh_water"].unit
    'm3/a'
    """
    found: dict[str, Input] = {}
    problems: list[Problem] = []
    for framework in frameworks:
        for indicator in framework.indicators:
            for name in indicator.needs():
                if name != indicator.id and name not in found:
                    found[name] = shipped_inputs().get(name) or _own(name, indicator)
            problems.extend(_unit_problems(indicator, found, framework.file))
            found[indicator.id] = _plain(indicator.id, indicator.unit or "1", indicator.name, indicator.name_zh)
            for name in indicator.statements():
                found[name] = _plain(name, "1", indicator.name, indicator.name_zh)
            if indicator.weight is not None:
                name = f"{indicator.id}.points"
                found[name] = _plain(name, "points", indicator.name, indicator.name_zh)
        for dimension in framework.dimensions:
            for name in dimension.share_names(framework.id):
                found[name] = _plain(name, "%", dimension.name, dimension.name_zh)
    if problems:
        raise UserError(problems)
    return found


def _own(name: str, indicator: Indicator) -> Input:
    return _plain(name, indicator.inputs.get(name, "1"), name, name)


def _plain(name: str, unit: str, en: str, zh: str) -> Input:
    return Input(name, unit, (), None, "", "", en, zh or en, "", "")


def _unit_problems(indicator: Indicator, found: Mapping[str, Input], file: str) -> Iterable[Problem]:
    for name, unit in indicator.inputs.items():
        place = f"{indicator.id}: inputs"
        if read_unit(unit) is None:
            known = ", ".join(unit_words())
            text = message("framework.unknown_unit", unit=unit, name=name, known=known)
            yield Problem(text, file=file, column=place, value=unit, line=indicator.line or None)
        elif name in found and conversion(unit, found[name].unit) is None:
            text = message("framework.unit_misfit", unit=unit, name=name, wanted=found[name].unit)
            yield Problem(text, file=file, column=place, value=unit, line=indicator.line or None)
