"""Cases of water and hydrogen networks: targets, regeneration, several contaminants, plants together and alone."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.exchanges.fairness.shapley import shapley_value
from cyclopolis.industry.exchanges.quality.network import QualityNetwork
from cyclopolis.industry.exchanges.quality.pinch import QualityPinch
from cyclopolis.industry.exchanges.quality.problem import QualityProblem
from cyclopolis.industry.exchanges.quality.reference import fresh_alone
from cyclopolis.industry.exchanges.quality.solving import (
    coalitions,
    of_plants,
    pinch_of,
    solve_network,
    without_regeneration,
)
from cyclopolis.study.verify.naming import split_unit, words
from cyclopolis.study.verify.water_inputs import WaterCase, read_water

Tree = Mapping[str, Any]
_SAME = 1e-6
_JOINTS = ("", "+", "_", "-", ",", ", ", "&", " + ", " & ", "/", " ")
"""What people write between the names of plants that go together."""


def solve_water(inputs: Tree, expected: Tree) -> dict[str, Any]:
    """Answer a case of one place and any number of contaminants."""
    return _answers(_Asked(read_water(inputs, {}), expected))


def solve_hydrogen(inputs: Tree, expected: Tree) -> dict[str, Any]:
    """Answer a case of hydrogen: impurity is 100 less the purity."""
    return _answers(_Asked(read_water(inputs, {}, gas=True), expected))


def solve_interplant(inputs: Tree, expected: Tree) -> dict[str, Any]:
    """Answer a case of several plants, alone and together."""
    return _answers(_Asked(read_water(inputs, {}), expected))


@dataclass(frozen=True)
class _Asked:
    """A case and what it names of the answer; networks are solved when something asks for them, once."""

    case: WaterCase
    expected: Tree

    @cached_property
    def problem(self) -> QualityProblem:
        """The problem that plain targets mean: without regeneration where the case asks for that besides."""
        apart = any("regenerat" in str(key) for key in self.expected) or any(
            "reuse" in str(key) for key in self.expected
        )
        return without_regeneration(self.case.problem) if apart else self.case.problem

    @cached_property
    def best(self) -> QualityNetwork:
        """The network of the plain targets."""
        second = self.problem.linear and self.problem.recovery.size > 0
        priced = self.case.has_cost and any("cost" in str(key) for key in self.expected)
        aims = (*(("cost",) if priced else ()), "fresh", *(("regenerated",) if second else ()))
        return solve_network(self.problem, aims)

    @cached_property
    def pinch(self) -> QualityPinch | None:
        """The pinch of one contaminant and one fresh source."""
        plain = self.problem
        return pinch_of(plain) if plain.contaminants == 1 and plain.fresh.shape[0] == 1 else None

    @cached_property
    def alone(self) -> float:
        """Fresh flow without any reuse."""
        return float(fresh_alone(self.case.problem).sum())

    def regenerated(self, *, recycle: bool) -> QualityNetwork:
        """Return the network with regeneration: least fresh, then least regenerated."""
        return solve_network(replace(self.case.problem, recycle=recycle), ("fresh", "regenerated"))

    @cached_property
    def of_coalition(self) -> dict[tuple[int, ...], float]:
        """Least fresh flow of every group of plants."""
        every = range(len(self.case.plants))
        return {group: solve_network(of_plants(self.problem, group)).fresh for group in coalitions(every)}

    @cached_property
    def singles(self) -> dict[str, float]:
        """Least fresh flow of each plant alone."""
        return {name: solve_network(of_plants(self.problem, [at])).fresh for at, name in enumerate(self.case.plants)}

    def named(self, group: Sequence[int]) -> list[str]:
        """Return all ways in which a group of plants may be named."""
        names = [self.case.plants[at] for at in group]
        return list(dict.fromkeys(joint.join(names) for joint in _JOINTS))

    def second(self, name: str) -> float:
        """Return an objective that comes after the fresh flow."""
        return dict(solve_network(self.problem, ("fresh", name)).reached)[name]


def _answers(asked: _Asked) -> dict[str, Any]:
    """Return a figure for every field that is asked for and known; all plain ones besides."""
    answer: dict[str, Any] = {}
    for key, wanted in asked.expected.items():
        found = _figure(asked, str(key), wanted)
        if found is not None:
            answer[str(key)] = found
    if not answer:
        answer["min_freshwater"] = asked.best.fresh
    return answer


def _figure(asked: _Asked, key: str, wanted: object) -> Any:  # noqa: ANN401 - a tree of figures
    said, share = _plain(key), split_unit(key)[1] in ("pct", "percent") or "pct" in words(key)
    if isinstance(wanted, Mapping):
        return _tree(asked, said, wanted)
    if "design" in said and isinstance(wanted, list) and all(isinstance(one, str) for one in wanted):
        return _design(asked, wanted)
    figure = _FIGURES.get(said)
    value = None if figure is None else figure(asked)
    if value is None or isinstance(value, list):
        return _as_asked(value, wanted)
    return 100.0 * value / asked.alone if share and "saving" in said else value


def _plain(key: str) -> frozenset[str]:
    """Return what a field asks for; a sum counts only where plants stand alone."""
    said = words(key)
    return said - {"pct", "plant"} if "alone" in said else said - {"pct", "plant", "sum"}


def _as_asked(value: list[float] | None, wanted: object) -> Any:  # noqa: ANN401 - one figure or several
    if value is None or isinstance(wanted, list):
        return value
    return min(value, key=lambda one: abs(one - wanted)) if value and isinstance(wanted, int | float) else None


def _pinches(asked: _Asked) -> list[float] | None:
    if asked.pinch is None:
        return None
    return [100.0 - one if asked.case.gas else one for one in asked.pinch.pinches.tolist()]


def _saving(asked: _Asked) -> float:
    if len(asked.case.plants) > 1:
        return sum(asked.singles.values()) - asked.best.fresh
    return (asked.case.now if np.isfinite(asked.case.now) else asked.alone) - asked.best.fresh


def _waste_purity(asked: _Asked) -> float:
    impurity = float(asked.best.inlet[-1, 0])
    return 100.0 - impurity if asked.case.gas else impurity


_Figure = Callable[[_Asked], Any]
_FIGURES: dict[frozenset[str], _Figure] = {}


def _say(figure: _Figure, *names: str) -> None:
    """Let every one of the names ask for a figure; names are read as fields are."""
    for name in names:
        _FIGURES[_plain(name)] = figure


_say(
    lambda a: a.best.fresh,
    "min_freshwater",
    "freshwater",
    "min",
    "min_freshwater_reuse",
    "freshwater_reuse",
    "min_reuse",
    "min_freshwater_integrated",
    "freshwater_integrated",
    "integrated",
    "min_integrated",
    "freshwater_min_cost",
    "freshwater_recycling",
    "min_freshwater_reuse_recycling",
    "min_freshwater_direct_reuse",
)
_say(
    lambda a: a.best.discharged,
    "min_wastewater",
    "wastewater",
    "min_wastewater_reuse",
    "wastewater_reuse",
    "min_wastewater_integrated",
    "wastewater_integrated",
)
_say(
    lambda a: a.alone,
    "freshwater_without_reuse",
    "without_reuse",
    "min_freshwater_without_reuse",
    "freshwater_without_integration",
    "freshwater_base_case",
    "without_reuse_sum",
)
_say(_saving, "freshwater_saving", "saving", "wastewater_saving", "saving_integrated", "freshwater_saving_integrated")
_say(
    lambda a: solve_network(without_regeneration(a.case.problem)).fresh,
    "min_freshwater_without_regeneration",
    "freshwater_without_regeneration",
)
_say(_pinches, "pinch_integrated", "pinch", "pinch_purity", "pinch_freshwater", "global_pinch", "pinch_quality")
_say(_waste_purity, "wastewater_purity", "wastewater_concentration_average", "wastewater_quality")
_say(
    lambda a: dict(a.best.reached).get("cost"),
    "min_cost",
    "cost",
    "min_sum_cost",
    "operating_cost",
    "min_operating_cost",
)
_say(
    lambda a: sum(a.singles.values()),
    "sum_of_single_plants",
    "min_freshwater_single_plants_total",
    "sum_freshwater_single_plants",
    "sum_min_freshwater_single_plants",
)
_say(
    lambda a: a.second("cross_flow"),
    "min_cross_plant_flow_at_integrated_optimum",
    "min_cross_plant_flow",
    "cross_plant_flow",
    "least_cross_flow",
    "min_cross_flow_rate",
    "cross_flow_integrated",
)
_say(
    lambda a: round(a.second("cross_links")),
    "min_number_of_cross_plant_links_at_integrated_optimum",
    "min_cross_plant_links",
    "cross_plant_links",
    "number_of_cross_plant_links",
    "fewest_cross_links",
    "min_interplant_links",
)
_say(lambda a: round(a.second("links")), "min_number_of_connections", "number_of_connections", "fewest_connections")
_say(lambda a: a.regenerated(recycle=False).fresh, "regeneration_reuse_freshwater", "min_freshwater_regeneration_reuse")
_say(
    lambda a: a.regenerated(recycle=False).regenerated,
    "regeneration_reuse_regenerated_flow",
    "min_regenerated_regeneration_reuse",
    "regeneration_reuse_min_regenerated",
)
_say(
    lambda a: a.regenerated(recycle=True).fresh,
    "regeneration_recycling_freshwater",
    "min_freshwater_regeneration_recycling",
    "min_freshwater_with_regeneration",
    "freshwater_regeneration",
    "min_freshwater_regeneration_reuse_recycling",
)
_say(
    lambda a: a.regenerated(recycle=True).regenerated,
    "regeneration_recycling_regenerated_flow",
    "min_regenerated",
    "min_regeneration",
    "regenerated",
    "min_regenerated_regeneration_recycling",
    "regeneration_recycling_min_regenerated",
    "regeneration",
)
_say(
    lambda a: a.regenerated(recycle=True).discharged,
    "regeneration_recycling_wastewater",
    "min_wastewater_regeneration_recycling",
)
_say(
    lambda a: a.regenerated(recycle=False).discharged,
    "regeneration_reuse_wastewater",
    "min_wastewater_regeneration_reuse",
)


def _tree(asked: _Asked, said: frozenset[str], wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return figures by name: by kind of regeneration, by plant, by group of plants, by fresh source."""
    if "regeneration" in said:
        return _of_regeneration(asked, said, wanted)
    if "shapley" in said or "nucleolus" in said:
        return _shares(asked, said)
    plants = set(asked.case.plants)
    if "coalition" in said or any(str(key) not in plants for key in wanted):
        return _of_coalitions(asked, said, wanted) if plants else _of_sources(asked, wanted)
    if "saving" in said:
        return dict(zip(asked.case.plants, _shapley(asked).tolist(), strict=True))
    return dict(asked.singles)


def _of_regeneration(asked: _Asked, said: frozenset[str], wanted: Mapping[str, Any]) -> dict[str, Any]:
    found = asked.regenerated(recycle="recycling" in said or "reuse" not in said)
    figures = {"freshwater": found.fresh, "regenerated": found.regenerated, "wastewater": found.discharged}
    figures["regeneration"] = found.regenerated
    return {str(key): figures[name] for key in wanted for name in figures if words(str(key)) - {"min"} == {name}}


def _of_coalitions(asked: _Asked, said: frozenset[str], wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    places = range(len(asked.case.plants))
    groups = {name: group for group in coalitions(places) for name in asked.named(group)}
    if any(str(key) not in groups for key in wanted):
        return _of_sources(asked, wanted)
    if "saving" in said:
        lone = {at: asked.of_coalition[at,] for at in places}
        value = {group: sum(lone[at] for at in group) - asked.of_coalition[group] for group in asked.of_coalition}
    else:
        value = asked.of_coalition
    return {str(key): value[groups[str(key)]] for key in wanted}


def _of_sources(asked: _Asked, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    taken = dict(zip(asked.case.fresh, asked.best.flows[: len(asked.case.fresh)].sum(axis=1).tolist(), strict=True))
    return {str(key): taken[str(key)] for key in wanted if str(key) in taken} or None


def _savings(asked: _Asked) -> dict[tuple[int, ...], float]:
    lone = [asked.of_coalition[at,] for at in range(len(asked.case.plants))]
    return {group: sum(lone[at] for at in group) - fresh for group, fresh in asked.of_coalition.items()}


def _game(asked: _Asked) -> npt.NDArray[np.float64]:
    """Return the saving of every group of plants, by the bits of its members."""
    values = np.zeros(2 ** len(asked.case.plants))
    for group, saving in _savings(asked).items():
        values[sum(2**at for at in group)] = saving
    return values


def _shapley(asked: _Asked) -> npt.NDArray[np.float64]:
    return shapley_value(_game(asked))


def _shares(asked: _Asked, said: frozenset[str]) -> dict[str, float]:
    from cyclopolis.industry.exchanges.fairness.nucleolus import nucleolus  # noqa: PLC0415 - solves programmes

    found = nucleolus(_game(asked)) if "nucleolus" in said else _shapley(asked)
    return dict(zip(asked.case.plants, found.tolist(), strict=True))


_LINK = re.compile(
    r"^(?P<giver>.+?) (?:source|SR) ?(?P<out>\d+) *(?:->|to) *(?P<taker>.+?) (?:sink|SK) ?(?P<into>\d+) *:"
)


def _design(asked: _Asked, wanted: Sequence[str]) -> list[str]:
    """Return a stated list of links between plants, if with just these the least fresh flow is still reached.

    Where it is not, nothing is returned; where its lines are not links but text, they are kept as text.
    """
    found = [_LINK.match(one) for one in wanted]
    if not all(found):
        return list(wanted)
    plain = asked.problem
    crossing = (plain.giver_plant[:, None] >= 0) & (plain.taker_plant[None, :] >= 0)
    barred = plain.barred | (crossing & (plain.giver_plant[:, None] != plain.taker_plant[None, :]))
    for one in found:
        assert one is not None
        if one["giver"] not in asked.case.plants or one["taker"] not in asked.case.plants:
            return []
        givers = np.flatnonzero(plain.giver_plant == asked.case.plants.index(one["giver"]))
        takers = np.flatnonzero(plain.taker_plant == asked.case.plants.index(one["taker"]))
        out, into = int(one["out"]), int(one["into"])
        if not (0 < out <= givers.size and 0 < into <= takers.size):
            return []
        barred[givers[out - 1], takers[into - 1]] = False
    try:
        reached = solve_network(replace(plain, barred=barred)).fresh
    except UserError:
        return []
    return list(wanted) if reached <= asked.best.fresh * (1 + _SAME) else []
