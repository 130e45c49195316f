"""Reads framework files and refuses what is not one: every problem names the file, the entry and the field."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import Message, message
from cyclopolis.library.frameworks.formula import Formula, parse_formula
from cyclopolis.library.frameworks.model import (
    COMPARISONS,
    STATEMENTS,
    Case,
    Dimension,
    Framework,
    Group,
    Indicator,
    Level,
    Principles,
    Target,
    Version,
    Weighting,
)
from cyclopolis.library.frameworks.units import UnitMisfitError, formula_unit, powers_text, timeless

_SAFE = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_AXES = ("economy", "environment", "society")
_DIRECTIONS = ("higher", "lower", "range")
_VERDICTS = ("all", "required_and_groups", "none")
_GROUP_RULES = ("at_least", "exactly")
_OPS = (*COMPARISONS, *STATEMENTS, "range", "bool", "report", "levels", "all", "any")


def load_frameworks(folder: Path | None = None) -> Mapping[str, Framework]:
    """Return all frameworks by id, in file order.

    Parameters
    ----------
    folder : Path, optional
        Further frameworks: every ``*.yaml`` in it is read as well and must not reuse an id of the library.

    Raises
    ------
    UserError
        If a file is not a framework; all problems of all files at once.

    Examples
    --------
    >>> load_frameworks()["hj-274-2015"].title_zh
    '国家生态工业示范园区标准 HJ 274-2015'
    """
    found = dict(_shipped())
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")) if folder is not None else ():
        try:
            framework = read_framework(path.read_bytes(), path.name)
        except UserError as error:
            problems.extend(error.problems)
            continue
        if framework.id in found:
            problems.append(Problem(message("framework.id_taken", id=framework.id), file=path.name))
        found[framework.id] = framework
    if problems:
        raise UserError(problems)
    return MappingProxyType(found)


@cache
def _shipped() -> Mapping[str, Framework]:
    entries = sorted((files("cyclopolis.library.frameworks") / "data").iterdir(), key=lambda entry: entry.name)
    read = [read_framework(entry.read_bytes(), entry.name) for entry in entries if entry.name.endswith(".yaml")]
    return {framework.id: framework for framework in read}


def read_framework(content: bytes, name: str) -> Framework:
    """Read one framework from YAML.

    Parameters
    ----------
    content : bytes
        The file, UTF-8.
    name : str
        Its name, for the messages.

    Raises
    ------
    UserError
        With every problem found.
    """
    try:
        tree = yaml.load(content, _Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else None
        raise UserError([Problem(message("framework.unreadable", reason=reason), file=name, line=line)]) from error
    reader = _Reader(name)
    framework = reader.framework(tree)
    if reader.problems:
        raise UserError(reader.problems)
    return framework


class _Block(dict[Any, Any]):
    """A mapping that knows the line on which it begins and the line of each of its keys."""

    line: int = 0
    lines: Mapping[Any, int] = MappingProxyType({})


class _Loader(_SAFE):  # type: ignore[misc, valid-type]  # the C loader where PyYAML was built with it
    """The safe loader, keeping lines."""


def _block(loader: Any, node: Any) -> Iterator[_Block]:  # noqa: ANN401 - PyYAML has no types
    found = _Block()
    yield found
    loader.flatten_mapping(node)
    found.update(loader.construct_mapping(node, deep=True))
    found.line = node.start_mark.line + 1
    found.lines = {key.value: key.start_mark.line + 1 for key, _ in node.value if hasattr(key, "value")}


_Loader.add_constructor("tag:yaml.org,2002:map", _block)


class _Reader:
    """Turns the tree of one file into a framework and collects what is wrong with it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.blocks: dict[str, _Block] = {}

    def refuse(self, entry: str, field: str, text: Message, block: object = None) -> None:
        place = f"{entry}: {field}" if entry else field
        self.problems.append(Problem(text, file=self.file, column=place, line=self.line(entry, field, block)))

    def line(self, entry: str, field: str, block: object = None) -> int | None:
        """Return the line of a field of an entry, or of the entry."""
        found = block if isinstance(block, _Block) else self.blocks.get(entry)
        return found.lines.get(field.split(" ", maxsplit=1)[0], found.line) if found is not None else None

    def remember(self, entry: str, tree: object) -> None:
        """Note where an entry stands, so that what is wrong with it can be placed."""
        if isinstance(tree, _Block):
            self.blocks[entry] = tree

    def mapping(self, tree: object, entry: str, field: str) -> Mapping[str, Any]:
        if isinstance(tree, dict):
            return tree
        self.refuse(entry, field, message("framework.not_mapping"))
        return {}

    def listing(self, tree: object, entry: str, field: str) -> Sequence[Any]:
        if tree is None:
            return ()
        if isinstance(tree, list):
            return tree
        self.refuse(entry, field, message("framework.not_list"))
        return ()

    def text(self, tree: Mapping[str, Any], field: str, entry: str, *, required: bool = False) -> str:
        value = tree.get(field)
        if value is None:
            if required:
                self.refuse(entry, field, message("framework.missing_field", field=field), tree)
            return ""
        return str(value)

    def number(self, tree: Mapping[str, Any], field: str, entry: str, *, required: bool = False) -> float | None:
        value = tree.get(field)
        if value is None and not required:
            return None
        if isinstance(value, int | float):
            return float(value)
        self.refuse(entry, field, message("framework.not_number", field=field, value=value), tree)
        return None

    def choice(self, tree: Mapping[str, Any], field: str, entry: str, choices: Sequence[str]) -> str:
        value = self.text(tree, field, entry, required=True)
        if value and value not in choices:
            self.refuse(entry, field, message("framework.not_choice", value=value, choices=", ".join(choices)), tree)
        return value

    def formula(self, text: object, entry: str, field: str) -> Formula | None:
        if text is None:
            return None
        try:
            return parse_formula(str(text))
        except UserError as error:
            self.refuse(entry, field, error.problems[0].text)
            return None

    def framework(self, tree: object) -> Framework:
        top = self.mapping(tree, "", "")
        self.remember("", top)
        head = self.mapping(top.get("framework"), "", "framework")
        self.remember("framework", head)
        identity = self.text(head, "id", "framework", required=True)
        dimensions: list[Dimension] = []
        indicators: list[Indicator] = []
        for item in self.listing(top.get("dimensions"), "", "dimensions"):
            dimension = self.mapping(item, "dimensions", "dimension")
            dimensions.append(self.dimension(dimension))
            indicators.extend(self.dimension_indicators(dimension, identity))
        levels = tuple(self.level(item) for item in self.listing(head.get("levels"), "framework", "levels"))
        self.unique([indicator.id for indicator in indicators], "indicators")
        self.cycles(indicators)
        self.weights(head, indicators)
        self.schemes(indicators, levels)
        return Framework(
            id=identity,
            title=self.text(head, "title", "framework", required=True),
            title_zh=self.text(head, "title_zh", "framework"),
            publisher=self.text(head, "publisher", "framework"),
            year=int(self.number(head, "year", "framework", required=True) or 0),
            status=self.text(head, "status", "framework"),
            sources=self.sources(head),
            verdict=self.choice(head, "verdict", "framework", _VERDICTS) if "verdict" in head else "none",
            total_points=self.number(head, "total_points", "framework"),
            dimensions=tuple(dimensions),
            indicators=tuple(indicators),
            levels=levels,
            groups=self.groups(head, {indicator.id for indicator in indicators}),
            file=self.file,
            versions=tuple(self.version(item) for item in self.listing(head.get("versions"), "framework", "versions")),
            principles=self.principles(head),
            weighting=self.weighting(head, [one.id for one in dimensions]),
        )

    def version(self, item: object) -> Version:
        tree = self.mapping(item, "versions", "version")
        identity = self.text(tree, "id", "versions", required=True)
        categories, indicators, points = (
            self.number(tree, name, identity, required=True) or 0.0 for name in ("categories", "indicators", "points")
        )
        return Version(identity, int(categories), int(indicators), points, self.text(tree, "provenance", identity))

    def principles(self, head: Mapping[str, Any]) -> tuple[Principles, ...]:
        """Read each list of principles; a bare list is the framework's own."""
        given = self.listing(head.get("principles"), "framework", "principles")
        own = self.text(head, "principles_provenance", "framework")
        if given and not isinstance(given[0], dict):
            return (Principles("", tuple(str(one) for one in given), own),)
        found = []
        for item in given:
            tree = self.mapping(item, "principles", "principles")
            names = tuple(str(one) for one in self.listing(tree.get("names"), "principles", "names"))
            identity = self.text(tree, "id", "principles", required=True)
            found.append(Principles(identity, names, self.text(tree, "provenance", identity)))
        return tuple(found)

    def weighting(self, head: Mapping[str, Any], dimensions: Sequence[str]) -> Weighting | None:
        """Read the weights of the dimensions: given ones must add up to one, pairwise ones be reciprocal."""
        if head.get("weighting") is None:
            return None
        tree = self.mapping(head["weighting"], "framework", "weighting")
        self.remember("weighting", tree)
        method = self.choice(tree, "method", "weighting", ("given", "ahp"))
        if method == "given":
            given = self.mapping(tree.get("weights"), "weighting", "weights")
            weights = {one: self.number(given, one, "weighting", required=True) or 0.0 for one in dimensions}
            total = sum(weights.values())
            if abs(total - 1) > 1e-6 or min(weights.values(), default=0.0) < 0 or set(given) - set(dimensions):
                self.refuse("weighting", "weights", message("framework.weights_sum", total=f"{total:g}", wanted=1))
            return Weighting(method, MappingProxyType(weights))
        rows = [
            self.listing(row, "weighting", "matrix") for row in self.listing(tree.get("matrix"), "weighting", "matrix")
        ]
        matrix = tuple(tuple(_fraction(cell) for cell in row) for row in rows)
        count = len(dimensions)
        if len(matrix) != count or any(len(row) != count for row in matrix):
            self.refuse("weighting", "matrix", message("framework.matrix_size", count=count))
            return None
        faults = [f"({i + 1}, {j + 1})" for i in range(count) for j in range(i, count) if not _reciprocal(matrix, i, j)]
        if faults:
            self.refuse("weighting", "matrix", message("verify.not_reciprocal", cells="; ".join(faults)))
        return Weighting(method, MappingProxyType({}), matrix, self.text(tree, "random_index", "weighting") or "saaty")

    def cycles(self, indicators: Sequence[Indicator]) -> None:
        """Refuse indicators whose formulas lead back to themselves."""
        needs = {one.id: [name for name in one.needs() if name != one.id] for one in indicators}
        own = {one.id: one.formula is not None and one.id in one.formula.names for one in indicators}
        done: set[str] = set()
        for one in indicators:
            path = [one.id] if own[one.id] else _cycle(one.id, needs, done)
            if path:
                text = message("framework.cycle", path=" -> ".join([*path, path[0]]))
                self.refuse(path[0], "formula", text)
                done.update(path)

    def weights(self, head: Mapping[str, Any], indicators: Sequence[Indicator]) -> None:
        """Refuse weights that do not add up to what the file says they do."""
        wanted = self.number(head, "weights_sum", "framework")
        if wanted is None:
            return
        total = sum(one.weight or 0.0 for one in indicators)
        if abs(total - wanted) > 1e-6 * max(abs(wanted), 1.0):
            text = message("framework.weights_sum", total=f"{total:g}", wanted=f"{wanted:g}")
            self.refuse("framework", "weights_sum", text)

    def sources(self, head: Mapping[str, Any]) -> tuple[str, ...]:
        found = []
        for item in self.listing(head.get("source"), "framework", "source"):
            source = self.mapping(item, "framework", "source")
            found.append(" ".join(str(source[key]) for key in ("title", "url") if source.get(key)))
        return tuple(found)

    def unique(self, ids: Sequence[str], field: str) -> None:
        for identity in sorted({one for one in ids if ids.count(one) > 1}):
            self.refuse(identity, field, message("framework.twice", id=identity))

    def schemes(self, indicators: Sequence[Indicator], levels: Sequence[Level]) -> None:
        known = {level.scheme for level in levels if level.scheme}
        for indicator in indicators:
            for target in indicator.target.walk():
                if target.op == "levels" and target.scheme not in known:
                    self.refuse(indicator.id, "target", message("framework.unknown_scheme", scheme=target.scheme))

    def dimension(self, tree: Mapping[str, Any]) -> Dimension:
        identity = self.text(tree, "id", "dimensions", required=True)
        self.remember(identity, tree)
        return Dimension(
            id=identity,
            name=self.text(tree, "name", identity, required=True),
            name_zh=self.text(tree, "name_zh", identity),
            edition=self.text(tree, "edition", identity),
            points=self.number(tree, "points_max", identity),
            axis=self.choice(tree, "axis", identity, _AXES) if tree.get("axis") is not None else "",
        )

    def dimension_indicators(self, tree: Mapping[str, Any], framework: str) -> list[Indicator]:
        place = {"framework": framework, "dimension": str(tree.get("id", "")), "edition": str(tree.get("edition", ""))}
        found = []
        for item in self.listing(tree.get("categories"), place["dimension"], "categories"):
            category = self.mapping(item, place["dimension"], "category")
            for entry in self.listing(category.get("indicators"), str(category.get("id", "")), "indicators"):
                where = {**place, "category": str(category.get("id", ""))}
                found.append(self.indicator(self.mapping(entry, where["category"], "indicator"), where))
        for entry in self.listing(tree.get("evidenced_checks"), place["dimension"], "evidenced_checks"):
            check = {"target": {"op": "report"}, "required": False, **self.mapping(entry, place["dimension"], "check")}
            found.append(self.indicator(check, {**place, "category": "evidenced_checks"}))
        return found

    def indicator(self, tree: Mapping[str, Any], place: Mapping[str, str]) -> Indicator:
        identity = self.text(tree, "id", place["dimension"], required=True)
        self.remember(identity, tree)
        required = tree.get("required", False)
        if not isinstance(required, bool):
            self.refuse(identity, "required", message("framework.not_flag", value=required))
        formula = self.formula(tree.get("formula"), identity, "formula")
        inputs = {
            str(key): str(unit) for key, unit in self.mapping(tree.get("inputs") or {}, identity, "inputs").items()
        }
        if formula is not None:
            for name in formula.names:
                if name.removeprefix("base.") not in inputs:
                    self.refuse(identity, "formula", message("framework.unknown_input", name=name))
            self.units(identity, formula, inputs, self.text(tree, "unit", identity))
        return Indicator(
            **place,
            id=identity,
            name=self.text(tree, "name", identity, required=True),
            name_zh=self.text(tree, "name_zh", identity),
            unit=self.text(tree, "unit", identity).removeprefix("-"),
            direction=self.choice(tree, "direction", identity, _DIRECTIONS),
            required=bool(required),
            kind=self.text(tree, "kind", identity),
            group=self.text(tree, "group", identity),
            target=self.target(tree.get("target"), identity),
            weight=self.number(tree, "weight", identity),
            formula=formula,
            inputs=MappingProxyType(inputs),
            provenance=self.choice(tree, "provenance", identity, ("seen", "memory", "user")),
            name_provenance=self.text(tree, "name_provenance", identity),
            formula_provenance=self.text(tree, "formula_provenance", identity),
            note=self.text(tree, "note", identity),
            line=self.line(identity, "id") or 0,
        )

    def units(self, entry: str, formula: Formula, inputs: Mapping[str, str], wanted: str) -> None:
        """Refuse a formula that adds what cannot be added, or whose result has another unit than the indicator."""
        try:
            found = formula_unit(formula, inputs)
        except UnitMisfitError as error:
            units = {"one": error.one, "other": error.other}
            self.refuse(entry, "formula", message("framework.formula_mixes", formula=formula.text, **units))
            return
        unit = timeless(wanted.removeprefix("-"))
        if found is not None and unit is not None and found != unit:
            values = {"formula": formula.text, "found": powers_text(found), "unit": wanted or "1"}
            self.refuse(entry, "formula", message("framework.formula_unit", **values))

    def target(self, tree: object, entry: str) -> Target:
        shape = self.mapping(tree, entry, "target")
        if "cases" in shape:
            return Target("cases", cases=self.cases(shape["cases"], entry))
        op = self.choice(shape, "op", entry, _OPS)
        value_of = self.formula(shape.get("value_of"), entry, "target value_of")
        bare = op in {*COMPARISONS, "bool"} and "value_of" not in shape
        default = {"value": True} if op == "bool" else {}
        parts = self.listing(shape.get("of"), entry, "target of")
        if op in {"all", "any"} and not parts:
            self.refuse(entry, "target of", message("framework.missing_field", field="of"))
        target = Target(
            op=op,
            value=self.number({**default, **shape} if default else shape, "value", entry, required=bare),
            value_of=value_of,
            minimum=self.number(shape, "min", entry, required=op == "range"),
            maximum=self.number(shape, "max", entry, required=op == "range"),
            scheme=self.text(shape, "scheme", entry, required=op == "levels"),
            text=self.text(shape, "text", entry),
            text_zh=self.text(shape, "text_zh", entry),
            parts=tuple(self.target(part, entry) for part in parts),
        )
        if target.minimum is not None and target.maximum is not None and target.minimum > target.maximum:
            self.refuse(entry, "target", message("framework.range_reversed"))
        return target

    def cases(self, tree: object, entry: str) -> tuple[Case, ...]:
        found = []
        for item in self.listing(tree, entry, "target cases"):
            shape = self.mapping(item, entry, "target case")
            when = self.formula(str(shape.get("when", "true")), entry, "target when")
            target = self.target({key: value for key, value in shape.items() if key != "when"}, entry)
            if when is not None:
                found.append(Case(when, target))
        if not found:
            self.refuse(entry, "target cases", message("framework.missing_field", field="cases"))
        return tuple(found)

    def level(self, item: object) -> Level:
        tree = self.mapping(item, "levels", "level")
        identity = self.text(tree, "id", "levels", required=True)
        scheme = self.text(tree, "scheme", identity)
        return Level(
            id=identity,
            label=self.text(tree, "label", identity, required=True),
            label_zh=self.text(tree, "label_zh", identity),
            rule=self.text(tree, "rule", identity),
            scheme=scheme,
            min_points=self.number(tree, "min_points", identity),
            score=self.formula(tree.get("rule"), identity, "rule") if scheme else None,
            provenance=self.text(tree, "provenance", identity),
        )

    def groups(self, head: Mapping[str, Any], known: set[str]) -> tuple[Group, ...]:
        found = []
        for item in self.listing(head.get("groups"), "framework", "groups"):
            tree = self.mapping(item, "groups", "group")
            identity = self.text(tree, "id", "groups", required=True)
            members = tuple(str(member) for member in self.listing(tree.get("of"), identity, "of"))
            for member in members:
                if member not in known:
                    self.refuse(identity, "of", message("framework.unknown_member", id=member))
            count = int(self.number(tree, "n", identity, required=True) or 0)
            if not 1 <= count <= len(members):
                self.refuse(identity, "n", message("framework.group_count", n=count, members=len(members)))
            rule = self.choice(tree, "rule", identity, _GROUP_RULES)
            found.append(Group(identity, rule, count, members, self.text(tree, "provenance", identity)))
        return tuple(found)


def _fraction(cell: object) -> float:
    """Return a number written plainly or as a fraction (1/3); NaN for anything else."""
    try:
        return float(Fraction(str(cell)))
    except (ValueError, ZeroDivisionError):
        return float("nan")


def _reciprocal(matrix: Sequence[Sequence[float]], i: int, j: int) -> bool:
    """Return whether a[i, j] * a[j, i] is one, within a hundredth for numbers printed short."""
    return matrix[i][j] > 0 and abs(matrix[i][j] * matrix[j][i] - 1) <= 0.01


def _cycle(start: str, needs: Mapping[str, Sequence[str]], done: set[str]) -> list[str]:
    """Return the indicators that lead from one back to itself, or nothing."""
    path: list[str] = []

    def walk(name: str) -> list[str]:
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return []
        path.append(name)
        for other in needs.get(name, ()):
            found = walk(other) if other in needs else []
            if found:
                return found
        path.pop()
        done.add(name)
        return []

    return walk(start)
