"""What a framework is: dimensions, indicators with their targets, groups and levels. Plain frozen data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cyclopolis.library.frameworks.formula import Formula

COMPARISONS = (">=", "<=", ">", "<", "==")
STATEMENTS = ("task", "trend", "case_by_case")
"""Targets that no number in the framework decides: somebody states whether they are met."""


@dataclass(frozen=True)
class Case:
    """One case of a conditional target: the first case whose ``when`` is true holds."""

    when: Formula
    target: "Target"


@dataclass(frozen=True)
class Target:
    """What an indicator must reach.

    Parameters
    ----------
    op : str
        ``>=``, ``<=``, ``>``, ``<``, ``==`` (against ``value`` or ``value_of``), ``range`` (``minimum`` to ``maximum``,
        both included), ``bool``, ``report`` (no pass mark), ``levels`` (grades of ``scheme``), ``task``, ``trend``,
        ``case_by_case`` (stated, not computed), ``all``, ``any`` (of ``parts``), ``cases`` (of ``cases``).
    """

    op: str
    value: float | None = None
    value_of: Formula | None = None
    minimum: float | None = None
    maximum: float | None = None
    scheme: str = ""
    text: str = ""
    text_zh: str = ""
    parts: tuple["Target", ...] = ()
    cases: tuple[Case, ...] = ()

    def walk(self) -> Iterator["Target"]:
        """Yield this target and all targets inside it."""
        yield self
        for part in (*self.parts, *(case.target for case in self.cases)):
            yield from part.walk()

    def names(self) -> tuple[str, ...]:
        """Return the names that its conditions and moving thresholds use, ``value`` (the indicator's own) left out."""
        found: dict[str, None] = {}
        for target in self.walk():
            formulas = [case.when for case in target.cases]
            formulas += [target.value_of] if target.value_of else []
            for formula in formulas:
                found.update(dict.fromkeys(formula.names))
        found.pop("value", None)
        return tuple(found)


@dataclass(frozen=True)
class Indicator:
    """One indicator of a framework.

    ``provenance`` belongs to the target, ``formula_provenance`` to the formula (``seen``, ``memory`` or ``ours``);
    ``inputs`` gives the unit of each name of the formula. Without a formula the value is entered under the
    indicator's id.
    """

    id: str
    framework: str
    dimension: str
    category: str
    name: str
    name_zh: str
    unit: str
    direction: str
    required: bool
    kind: str
    group: str
    target: Target
    weight: float | None
    formula: Formula | None
    inputs: Mapping[str, str]
    provenance: str
    name_provenance: str
    formula_provenance: str
    edition: str
    note: str
    line: int = 0
    """Line of the file on which the indicator begins."""

    def needs(self) -> tuple[str, ...]:
        """Return the names of all values that decide this indicator, without the prefix ``base.``."""
        decided = self.target.op == "cases" and all(case.target.op == "bool" for case in self.target.cases)
        own = () if decided else (self.id,)
        names = self.formula.names if self.formula else own
        found = dict.fromkeys(name.removeprefix("base.") for name in (*names, *self.target.names()))
        return tuple(found)

    def statements(self) -> tuple[str, ...]:
        """Return the names under which it can be stated (1 or 0) that a task, trend or case is met."""
        ops = dict.fromkeys(target.op for target in self.target.walk() if target.op in STATEMENTS)
        return tuple(f"{self.id}.{op}" for op in ops)


@dataclass(frozen=True)
class Dimension:
    """One dimension of a framework; ``points`` is None where the points are not public."""

    id: str
    name: str
    name_zh: str
    edition: str = ""
    points: float | None = None
    axis: str = ""
    """Economy, environment or society: the axis of the three-dimensional state that it counts for, if any."""

    def share_names(self, framework: str) -> tuple[str, str, str]:
        """Return the names under which a share of points that an assessor gave may be entered: whole, low, high."""
        return tuple(f"{framework}.{self.id}.share{end}" for end in ("", "_low", "_high"))  # type: ignore[return-value]


@dataclass(frozen=True)
class Level:
    """One level or grade: by points (``min_points``), by a rule on a score (``score``), or in words only."""

    id: str
    label: str
    label_zh: str
    rule: str
    scheme: str
    min_points: float | None
    score: Formula | None
    provenance: str


@dataclass(frozen=True)
class Group:
    """A rule over several indicators: ``at_least`` or ``exactly`` ``n`` of them are counted."""

    id: str
    rule: str
    n: int
    of: tuple[str, ...]
    provenance: str


@dataclass(frozen=True)
class Version:
    """One version of a framework (for cities, for communities): how many categories, indicators and points it has."""

    id: str
    categories: int
    indicators: int
    points: float
    provenance: str


@dataclass(frozen=True)
class Principles:
    """One published list of a framework's principles; two sources may differ, so each list is kept."""

    id: str
    names: tuple[str, ...]
    provenance: str


@dataclass(frozen=True)
class Weighting:
    """Weights of the dimensions: ``given`` by dimension, or by pairwise comparison (``ahp``) in their order."""

    method: str
    weights: Mapping[str, float]
    matrix: tuple[tuple[float, ...], ...] = ()
    table: str = "saaty"


@dataclass(frozen=True)
class Framework:
    """A published indicator system as data.

    ``verdict`` says how a pass is judged: ``all`` indicators met, ``required_and_groups``, or ``none`` (no pass rule
    that data could decide). ``total_points`` is None where the framework gives no points.
    """

    id: str
    title: str
    title_zh: str
    publisher: str
    year: int
    status: str
    sources: tuple[str, ...]
    verdict: str
    total_points: float | None
    dimensions: tuple[Dimension, ...]
    indicators: tuple[Indicator, ...]
    levels: tuple[Level, ...]
    groups: tuple[Group, ...]
    file: str
    versions: tuple[Version, ...] = ()
    principles: tuple[Principles, ...] = ()
    weighting: Weighting | None = None

    def weighted(self) -> bool:
        """Return whether every indicator that is not a grade has points (a weight) of the framework's own."""
        scored = [one for one in self.indicators if one.target.op != "levels"]
        return bool(scored) and all(one.weight is not None for one in scored)
