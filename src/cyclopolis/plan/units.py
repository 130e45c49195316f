"""Units at the door: what users write (``万吨/年``, ``10^4 t/a``, ``kWh``) becomes a factor to the unit that is held.

Unit names are data (``schema/units.csv``); pint carries the dimensions and the arithmetic, here and nowhere else.
A year has 365 days. Normal cubic metres are a quantity of their own, so that nobody mistakes them for mass or volume.
"""

import re
import unicodedata
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING

from cyclopolis.foundation.text import Message, message
from cyclopolis.plan.schema import read_rows, split_list

if TYPE_CHECKING:
    from pint import UnitRegistry

_LONGEST = 60
_HIGHEST = 6
_MULTIPLIERS = {"十": 1e1, "百": 1e2, "千": 1e3, "万": 1e4, "十万": 1e5, "百万": 1e6, "千万": 1e7, "亿": 1e8}
_SUPERSCRIPTS = str.maketrans(
    {"⁰": "^0", "¹": "^1", "²": "2", "³": "3", "⁴": "^4", "⁵": "^5", "⁶": "^6", "⁷": "^7", "⁸": "^8"}
)
_PIECE = re.compile(r"\s+|[/*()]|[^\s/*()]+")
_NUMBER = re.compile(r"(\d{1,12}(?:\.\d{1,12})?(?:e\d{1,2})?)(.*)", re.DOTALL)


class UnknownUnitError(ValueError):
    """A text that names no unit; ``args[0]`` is the part that is not understood."""


@cache
def names() -> dict[str, str]:
    """Return the canonical unit of every name as it is written in the data."""
    return {
        unicodedata.normalize("NFKC", name): row["unit"]
        for row in read_rows("units.csv")
        for name in (row["unit"], *split_list(row["aliases"]))
    }


@cache
def _folded() -> dict[str, str]:
    """Return the canonical unit of every name in lower case, where only one unit has it (not mg and Mg)."""
    found: dict[str, set[str]] = {}
    for name, unit in names().items():
        found.setdefault(name.casefold(), set()).add(unit)
    return {name: min(units) for name, units in found.items() if len(units) == 1}


@cache
def _registry() -> "UnitRegistry[float]":
    from pint import UnitRegistry  # noqa: PLC0415 - slow to import, and needed only where a unit is converted

    registry: UnitRegistry[float] = UnitRegistry(None)
    for row in read_rows("units.csv"):
        registry.define(f"{row['unit']} = {row['definition']}")
    return registry


def _word(text: str) -> tuple[float, str]:
    """Return factor and canonical unit (empty: a pure number) of one word such as ``万吨`` or ``1e4t``."""
    if known := names().get(text) or _folded().get(text.casefold()):
        return 1.0, known
    if match := _NUMBER.fullmatch(text):
        number, rest = float(match[1]), match[2]
        if not rest:
            return number, ""
        inner, unit = _word(rest)
        return number * inner, unit
    for length in (2, 1):
        if (multiplier := _MULTIPLIERS.get(text[:length])) is not None:
            if not text[length:]:
                return multiplier, ""
            inner, unit = _word(text[length:])
            return multiplier * inner, unit
    raise UnknownUnitError(text)


@cache
def parse_unit(text: str) -> tuple[float, tuple[tuple[str, int], ...]]:
    """Take a unit text apart.

    Parameters
    ----------
    text : str
        Names of ``schema/units.csv`` with ``/``, ``*`` or a space between them, numbers and Chinese multipliers before.

    Returns
    -------
    factor and pairs of canonical unit and exponent, sorted by unit

    Raises
    ------
    UnknownUnitError
        If a part of the text names no unit.

    Examples
    --------
    >>> parse_unit("万吨/年")
    (10000.0, (('a', -1), ('t', 1)))
    """
    plain = unicodedata.normalize("NFKC", text.translate(_SUPERSCRIPTS)).strip()
    if len(plain) > _LONGEST:
        raise UnknownUnitError(plain[:_LONGEST])
    whole = plain
    plain = re.sub(r"(?:×|x|\*)?\s*10(?:\^|\*\*)(\d{1,2})(?!\d)", r" 1e\1 ", plain, flags=re.IGNORECASE)
    plain = plain.replace("每", "/").replace("·", "*").replace("⋅", "*").replace("^", "")
    factor, exponents = 1.0, dict[str, int]()
    sign, outer = 1, list[int]()
    for piece in (whole,) if whole in names() else _PIECE.findall(plain):
        if piece.isspace() or piece == "*":
            continue
        if piece == "/":
            sign = -1 if not outer else -outer[-1]
        elif piece == "(":
            outer.append(sign)
        elif piece == ")":
            if not outer:
                raise UnknownUnitError(text)
            sign = outer.pop()
        else:
            number, unit = _word(piece)
            factor *= number if sign > 0 or number == 0 else 1 / number
            if unit:
                exponents[unit] = exponents.get(unit, 0) + sign
    if outer or not isfinite(factor) or factor <= 0 or any(abs(power) > _HIGHEST for power in exponents.values()):
        raise UnknownUnitError(text)
    return factor, tuple(sorted((unit, power) for unit, power in exponents.items() if power))


@cache
def factor(unit: str, target: str) -> float | Message:
    """Return what one ``unit`` is in ``target``, or what is wrong with it.

    A rate may leave out what it is counted per: ``t`` for ``t/a``, ``kWh`` for ``kWh/(t)``; the target's is meant then.
    Where ``ppm`` is held, mass per volume is that of water: a litre weighs a kilogram.

    Parameters
    ----------
    unit : str
        Unit as a user wrote it.
    target : str
        Unit in which the value is held.

    Examples
    --------
    >>> factor("万吨", "t/a")
    10000.0
    >>> factor("GJ", "t").key
    'plan.unit_dimension'
    >>> factor("mg/L", "ppm"), factor("g/t", "ppm")
    (1.0, 1.0)
    """
    if unit == target:
        return 1.0
    try:
        scale, parts = parse_unit(unit)
    except UnknownUnitError as error:
        return message("plan.unit_unknown", part=error.args[0], target=target)
    candidates = ["mg/L", target] if target == "ppm" else [target]
    if "/" in target:
        candidates.append(target.split("/", 1)[0])
    for candidate in candidates:
        try:
            other_scale, other = parse_unit(candidate)
        except UnknownUnitError:
            continue
        if parts == other:
            return scale / other_scale
        ratio = _ratio(parts, other)
        if ratio is not None:
            return float(f"{scale * ratio / other_scale:.15g}")
    return message("plan.unit_dimension", unit=unit, target=target)


def _ratio(parts: tuple[tuple[str, int], ...], other: tuple[tuple[str, int], ...]) -> float | None:
    """Return the factor between two products of units, or None when they measure different things."""
    registry = _registry()
    sides = []
    for side in (parts, other):
        quantity = registry.Quantity(1.0, "")
        for unit, power in side:
            quantity = quantity * registry.Quantity(1.0, unit) ** power
        sides.append(quantity.to_base_units())
    if sides[0].dimensionality != sides[1].dimensionality:
        return None
    return float(sides[0].magnitude / sides[1].magnitude)
