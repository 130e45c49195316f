"""Indicators computed and judged over all scopes, for one state of the place."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cyclopolis.library.frameworks import Framework, Indicator, Value
from cyclopolis.library.frameworks.glossary import Input
from cyclopolis.library.frameworks.units import conversion
from cyclopolis.rating.judging import MET, NOT_MET, UNKNOWN, Codes, Judgement, judge
from cyclopolis.rating.values import Values

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class State:
    """All values of one state (before or after the design) as arrays over the scopes, by name."""

    values: Mapping[str, Value]
    after: bool


@dataclass(frozen=True)
class Rated:
    """One indicator over all scopes: its value, its judgement and the inputs that are missing."""

    value: Numbers
    direct: npt.NDArray[np.bool_]
    judgement: Judgement
    missing: tuple[tuple[str, ...], ...]


def state_of(values: Values, inputs: Mapping[str, Input], *, after: bool) -> State:
    """Return the values of one state; after the design, ``base.NAME`` holds the value before."""
    found: dict[str, Value] = {}
    for name, one in inputs.items():
        numbers = values.numbers(name, after=after)
        found[name] = _words(numbers, one.choices) if one.choices else numbers
        if after:
            found[f"base.{name}"] = values.numbers(name, after=False)
    return State(found, after)


def _words(numbers: Numbers, choices: tuple[str, ...]) -> npt.NDArray[np.str_]:
    known = [choices[int(one) - 1] if one in range(1, len(choices) + 1) else "" for one in numbers]
    return np.array(known, dtype=np.str_)


def _own_units(indicator: Indicator, inputs: Mapping[str, Input], values: Mapping[str, Value]) -> Mapping[str, Value]:
    """Return the values with the indicator's inputs in the units that its formula asks for."""
    found = dict(values)
    for name, unit in indicator.inputs.items():
        factor = conversion(inputs[name].unit, unit) or 1.0
        if factor != 1.0:
            for key in (name, f"base.{name}"):
                if key in values:
                    found[key] = np.asarray(values[key], dtype=float) * factor
    return found


def compute(indicator: Indicator, inputs: Mapping[str, Input], state: State) -> Numbers:
    """Return the formula's value over the scopes; NaN without a formula or where an input is missing."""
    direct = np.asarray(state.values[indicator.id], dtype=float)
    if indicator.formula is None:
        return np.full(direct.shape, np.nan)
    result = indicator.formula.evaluate(_own_units(indicator, inputs, state.values))
    return np.broadcast_to(result, direct.shape).astype(float)


def rate_indicator(indicator: Indicator, inputs: Mapping[str, Input], before: State, state: State) -> Rated:
    """Compute and judge one indicator in one state.

    A value entered for the indicator itself goes before its formula; after the design the formula's change is laid over
    it.
    """
    computed = compute(indicator, inputs, state)
    direct = np.asarray(state.values[indicator.id], dtype=float)
    if state.after and indicator.formula is not None:
        change = computed - compute(indicator, inputs, before)
        direct = np.where(np.isnan(change), direct, direct + change)
    value = np.where(np.isnan(direct), computed, direct)
    judgement = judge(indicator.target, value, state.values, indicator.id)
    undefined = np.isnan(value) & (judgement.reason == "missing")
    missing = tuple(
        _missing(indicator, state, place) if judgement.status[place] == UNKNOWN else () for place in range(len(value))
    )
    none_missing = np.array([not names for names in missing], dtype=bool)
    reason = np.where(undefined & none_missing, "undefined", judgement.reason)
    return Rated(value, ~np.isnan(direct), Judgement(judgement.status, judgement.threshold, reason), missing)


def _missing(indicator: Indicator, state: State, place: int) -> tuple[str, ...]:
    names = indicator.formula.names if indicator.formula else indicator.needs()
    wanted = dict.fromkeys((*names, *indicator.target.names()))
    if _known(state.values.get(indicator.id), place):
        wanted = dict.fromkeys(indicator.target.names())
    lost = [name for name in wanted if not _known(state.values.get(name), place)]
    return (*lost, *(name for name in indicator.statements() if not _known(state.values.get(name), place)))


def _known(value: Value | None, place: int) -> bool:
    if value is None:
        return False
    one = np.asarray(value)[place]
    return bool(one != "") if isinstance(one, str) else not np.isnan(one)


def group_statuses(framework: Framework, statuses: Mapping[str, Codes]) -> list[Codes]:
    """Judge each group: met when enough members are met, not met when enough can no longer be."""
    found = []
    for group in framework.groups:
        stacked = np.stack([statuses[member] for member in group.of])
        met = np.sum(stacked == MET, axis=0)
        possible = met + np.sum(stacked == UNKNOWN, axis=0)
        found.append(np.where(met >= group.n, MET, np.where(possible < group.n, NOT_MET, UNKNOWN)).astype(np.int8))
    return found


def verdict(framework: Framework, statuses: Mapping[str, Codes]) -> Codes | None:
    """Judge the framework as a whole, or None where it has no pass rule that data could decide."""
    if framework.verdict == "none" or not framework.indicators:
        return None
    everything = framework.verdict == "all"
    needed = [statuses[one.id] for one in framework.indicators if everything or one.required]
    stacked = np.stack(needed + ([] if everything else group_statuses(framework, statuses)))
    failed = np.any(stacked == NOT_MET, axis=0)
    unsure = np.any(stacked == UNKNOWN, axis=0)
    return np.where(failed, NOT_MET, np.where(unsure, UNKNOWN, MET)).astype(np.int8)
