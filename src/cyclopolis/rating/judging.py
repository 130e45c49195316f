"""Whether a value meets a target: three-valued, over whole arrays, never a guess.

Statuses are small integers: ``MET``, ``NOT_MET``, ``UNKNOWN`` and ``REPORTED`` (a value is known and the framework sets
no mark for it).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cyclopolis.library.frameworks.formula import Value
from cyclopolis.library.frameworks.model import COMPARISONS, STATEMENTS, Target

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]

UNKNOWN, NOT_MET, MET, REPORTED = -1, 0, 1, 2
STATUS_NAMES = {UNKNOWN: "unknown", NOT_MET: "not_met", MET: "met", REPORTED: "reported"}

_ROUNDING = 1e-9
"""Relative width within which a value counts as equal to its mark: it absorbs rounding of the last digits only."""


@dataclass(frozen=True)
class Judgement:
    """Statuses over the cells, the number each was held against (NaN: none or several), and why a cell is unknown."""

    status: Codes
    threshold: Numbers
    reason: npt.NDArray[np.str_]


def judge(target: Target, value: Numbers, values: Mapping[str, Value], identity: str) -> Judgement:
    """Judge an indicator's values against its target.

    Parameters
    ----------
    target : Target
        What must be reached.
    value : array of float
        The indicator's value by cell, NaN unknown.
    values : mapping
        All other values by name, for conditions and moving thresholds; statements stand under ``identity.task`` and so
        on.
    identity : str
        The indicator's id.

    Returns
    -------
    Judgement

    Examples
    --------
    >>> judge(Target(">=", value=70.0), np.array([70.0, 69.0, np.nan]), {}, "x").status.tolist()
    [1, 0, -1]
    """
    if target.op in COMPARISONS:
        return _compare(target, value, values)
    if target.op in STATEMENTS:
        return _stated(target.op, value, values, identity)
    if target.op == "cases":
        return _cases(target, value, values, identity)
    if target.parts:
        return _joined([judge(part, value, values, identity) for part in target.parts], every=target.op == "all")
    if target.op == "range":
        low = _held(">=", value, np.full(value.shape, target.minimum, dtype=float))
        high = _held("<=", value, np.full(value.shape, target.maximum, dtype=float))
        return _plain(value, np.where(low & high, MET, NOT_MET))
    yes = (value != 0) == bool(target.value)
    return _plain(value, np.where(yes, MET, NOT_MET) if target.op == "bool" else np.full(value.shape, REPORTED))


def _plain(value: Numbers, known: npt.NDArray[np.int_], threshold: Numbers | None = None) -> Judgement:
    """Return a judgement that is unknown exactly where the value (or the threshold) is."""
    marks = np.full(value.shape, np.nan) if threshold is None else threshold
    lost = np.isnan(value) if threshold is None else np.isnan(value) | np.isnan(marks)
    status = np.where(lost, UNKNOWN, known).astype(np.int8)
    return Judgement(status, marks, np.where(lost, "missing", ""))


def _held(op: str, value: Numbers, mark: Numbers) -> npt.NDArray[np.bool_]:
    """Compare with room for rounding: inclusive tests gain it, strict ones lose it."""
    room = _ROUNDING * np.maximum(np.abs(value), np.abs(mark))
    match op:
        case ">=":
            return np.asarray(value >= mark - room)
        case "<=":
            return np.asarray(value <= mark + room)
        case ">":
            return np.asarray(value > mark + room)
        case "<":
            return np.asarray(value < mark - room)
    return np.asarray(np.abs(value - mark) <= room)


def _compare(target: Target, value: Numbers, values: Mapping[str, Value]) -> Judgement:
    if target.value_of is not None:
        mark = np.broadcast_to(target.value_of.evaluate(values), value.shape).astype(float)
    else:
        mark = np.full(value.shape, target.value, dtype=float)
    return _plain(value, np.where(_held(target.op, value, mark), MET, NOT_MET), mark)


def _stated(op: str, value: Numbers, values: Mapping[str, Value], identity: str) -> Judgement:
    stated = np.broadcast_to(np.asarray(values.get(f"{identity}.{op}", np.nan), dtype=float), value.shape)
    status = np.where(np.isnan(stated), UNKNOWN, np.where(stated != 0, MET, NOT_MET)).astype(np.int8)
    return Judgement(status, np.full(value.shape, np.nan), np.where(np.isnan(stated), op, ""))


def _cases(target: Target, value: Numbers, values: Mapping[str, Value], identity: str) -> Judgement:
    """Judge by the first case that is true; a case of unknown truth stops the search in its cell."""
    status = np.full(value.shape, UNKNOWN, dtype=np.int8)
    threshold = np.full(value.shape, np.nan)
    reason = np.full(value.shape, "no_case", dtype="U16")
    is_open = np.ones(value.shape, dtype=bool)
    for case in target.cases:
        truth = np.broadcast_to(case.when.evaluate({**values, "value": value}), value.shape)
        unsure = is_open & np.isnan(truth)
        chosen = is_open & ~np.isnan(truth) & (truth != 0)
        inner = _settled(case.target, value, values, identity)
        status = np.where(chosen, inner.status, status)
        threshold = np.where(chosen, inner.threshold, threshold)
        reason = np.where(chosen, inner.reason, np.where(unsure, "missing", reason))
        is_open &= ~(chosen | unsure)
    return Judgement(status.astype(np.int8), threshold, reason)


def _settled(target: Target, value: Numbers, values: Mapping[str, Value], identity: str) -> Judgement:
    """Judge a case; a bare yes or no inside a case is decided by the case itself, not by a value."""
    if target.op == "bool":
        decided = np.full(value.shape, MET if target.value else NOT_MET, dtype=np.int8)
        return Judgement(decided, np.full(value.shape, np.nan), np.full(value.shape, "", dtype="U16"))
    return judge(target, value, values, identity)


def _joined(parts: list[Judgement], *, every: bool) -> Judgement:
    """Join parts by all or any; unknown parts leave the whole unknown unless the others decide."""
    status = np.stack([part.status for part in parts])
    decisive, other = (NOT_MET, MET) if every else (MET, NOT_MET)
    settled = np.any(status == decisive, axis=0)
    unsure = np.any(status == UNKNOWN, axis=0)
    joined = np.where(settled, decisive, np.where(unsure, UNKNOWN, other)).astype(np.int8)
    marks = np.stack([part.threshold for part in parts])
    single = np.sum(~np.isnan(marks), axis=0) == 1
    threshold = np.where(single, np.nansum(marks, axis=0), np.nan)
    reason = np.full(joined.shape, "", dtype="U16")
    for part in reversed(parts):
        reason = np.where((joined == UNKNOWN) & (part.reason != ""), part.reason, reason)
    return Judgement(joined, threshold, reason)
