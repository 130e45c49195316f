"""Compare what an engine computed with what was published, field by field.

Every number of ``published`` is compared, and of ``computed_check`` where ``published`` is absent or null. Sources,
methods, provenance and notes are text. A list of names is compared as a set, other texts where the engine answers with
a text. A list may go on after the published entries (published: the first five). What was published and not computed
is a miss.

In ``tolerance``, ``relative`` is relative, ``count`` exact, every other key absolute: for the fields whose name
contains it, or for all fields when it is the only one. A number published with seven digits or more is known to half a
unit of its last digit only, so this much is allowed in any case.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Path = tuple[str, ...]

_TEXTS = {
    "source",
    "method",
    "provenance",
    "note",
    "notes",
    "rule",
    "title",
    "reference",
    "format",
    "comment",
    "doi",
    "url",
}
_TEXT_ENDS = ("_note", "_notes", "_source", "_method", "_provenance", "_comment")
_EXACT = ("exact", 0.0)
_PRINTED_DIGITS = 7
_FLOOR = 1e-12
"""Difference in the last digit that never counts."""


@dataclass(frozen=True)
class Row:
    """One compared field.

    ``basis`` is published or computed_check; ``computed`` is None where the engine has no such field; ``tolerance`` is
    the width applied, with its kind (relative, absolute, exact).
    """

    field: str
    computed: Any
    published: Any
    basis: str
    tolerance: tuple[str, float]
    ok: bool


def compare(
    published: Mapping[str, Any],
    computed_check: Mapping[str, Any],
    computed: Mapping[str, Any],
    tolerance: Mapping[str, float],
) -> tuple[Row, ...]:
    """Compare a computed tree with the published one.

    Examples
    --------
    >>> [row.ok for row in compare({"cost": 10.0, "n": 2}, {}, {"cost": 10.004, "n": 3}, {"cost": 0.01, "count": 0})]
    [True, False]
    """
    rows = list(_walk((), published, computed, tolerance, "published"))
    rest = _unpublished(computed_check, published)
    rows += _walk((), rest, computed, tolerance, "computed_check")
    return tuple(rows)


def _unpublished(check: Mapping[str, Any], published: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the computed check that was not published."""
    rest = {}
    for key, value in check.items():
        known = published.get(key)
        if known is None:
            rest[key] = value
        elif isinstance(known, dict) and isinstance(value, dict):
            rest[key] = _unpublished(value, known)
    return rest


def _is_text(key: str) -> bool:
    return key in _TEXTS or key.endswith(_TEXT_ENDS)


def _walk(path: Path, expected: object, computed: object, tolerance: Mapping[str, float], basis: str) -> Iterator[Row]:
    if isinstance(expected, dict):
        inside = computed if isinstance(computed, Mapping) else {}
        for key, value in expected.items():
            if not _is_text(str(key)):
                yield from _walk((*path, str(key)), value, inside.get(key), tolerance, basis)
    elif isinstance(expected, list) and not _is_names(expected):
        entries = computed if isinstance(computed, Sequence) and not isinstance(computed, str) else ()
        for place, value in enumerate(expected):
            entry = entries[place] if place < len(entries) else None
            yield from _walk((*path, str(place + 1)), value, entry, tolerance, basis)
    elif expected is not None:
        yield from _leaf(path, expected, computed, tolerance, basis)


def _leaf(path: Path, expected: object, computed: object, tolerance: Mapping[str, float], basis: str) -> Iterator[Row]:
    field = ".".join(path)
    if isinstance(expected, list):
        yield Row(field, computed, expected, basis, _EXACT, _names(expected) == _names(computed))
    elif isinstance(expected, bool):
        yield Row(field, computed, expected, basis, _EXACT, isinstance(computed, bool) and computed == expected)
    elif isinstance(expected, int | float):
        kind, width = width_of(path, expected, tolerance)
        yield Row(field, computed, expected, basis, (kind, width), _close(expected, computed, kind, width))
    elif isinstance(computed, str):
        yield Row(field, computed, expected, basis, _EXACT, computed == str(expected))


def _is_names(value: list[Any]) -> bool:
    """Tell a list of names, or a list of such lists, from a list of numbers."""
    if not value:
        return False
    if all(isinstance(one, str) for one in value):
        return True
    return all(isinstance(one, list) and one and all(isinstance(name, str) for name in one) for one in value)


def _names(value: object) -> list[Any] | None:
    """Return names, or sets of names, in an order of their own; None for anything else."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return None
    if all(isinstance(one, str) for one in value):
        return sorted(value)
    return sorted(
        sorted(str(name) for name in one) for one in value if isinstance(one, Sequence) and not isinstance(one, str)
    )


def width_of(path: Path, expected: float, tolerance: Mapping[str, float]) -> tuple[str, float]:
    """Return the kind (exact, relative or absolute) and width of the tolerance for one field.

    Examples
    --------
    >>> width_of(("values", "m1", "1"), 102.4, {"relative": 1e-5, "local_test": 2e-4})
    ('relative', 1e-05)
    >>> width_of(("local_test", "m1"), 4.5, {"relative": 1e-5, "local_test": 2e-4})
    ('absolute', 0.0002)
    """
    named = {key: width for key, width in tolerance.items() if key not in {"relative", "count", "absolute"}}
    exactly = [width for key, width in named.items() if key in path]
    partly = [width for key, width in named.items() if any(key in part for part in path)]
    if exactly or partly:
        return "absolute", min(exactly or partly)
    counted = any(part.startswith(("number_of", "count")) for part in path)
    if isinstance(expected, int) and (counted or "count" in tolerance):
        return "exact", 0.0
    if "relative" in tolerance:
        return "relative", tolerance["relative"]
    if "absolute" in tolerance:
        return "absolute", tolerance["absolute"]
    if named:
        return "absolute", min(named.values())
    return "exact", 0.0


def _close(expected: float, computed: object, kind: str, width: float) -> bool:
    if not isinstance(computed, int | float) or isinstance(computed, bool) or not math.isfinite(computed):
        return False
    room = width * abs(expected) if kind == "relative" else width
    printed = 0.0 if kind == "exact" else _half_unit(expected)
    return abs(computed - expected) <= max(room, printed) + _FLOOR * max(1.0, abs(expected))


def _half_unit(printed: float) -> float:
    """Return half a unit of the last printed digit; 0 for a number of few digits, which may be exact.

    Examples
    --------
    >>> _half_unit(0.03768102), _half_unit(0.5)
    (5e-09, 0.0)
    """
    _, digits, exponent = Decimal(repr(printed)).as_tuple()
    if len(digits) < _PRINTED_DIGITS or not isinstance(exponent, int):
        return 0.0
    return 0.5 * 10.0**exponent
