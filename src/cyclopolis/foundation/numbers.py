"""How numbers and units are written for people, in English and Chinese: thousands separated, no false digits."""

import math
from collections.abc import Sequence

from cyclopolis.foundation.text import Language, say

_STEPS: dict[Language, tuple[tuple[float, str], ...]] = {
    "en": ((1e9, "number.billion"), (1e6, "number.million")),
    "zh": ((1e8, "number.hundred_million"), (1e4, "number.ten_thousand")),
}
_UNITS: tuple[tuple[str, str], ...] = (
    ("CNY", "元"),
    ("jobs", "个"),
    ("/a", "/年"),
)
_SCALED = {"million CNY": (1e6, "CNY"), "million CNY/a": (1e6, "CNY/a")}

_TINY = 1e-6


def number_text(value: float | None, digits: int = 4) -> str:
    """Return a number with thousands separated and at least its whole part.

    Parameters
    ----------
    value : float or None
        The number; None and NaN give a dash, for an unknown number is never zero.
    digits : int
        Significant digits kept where the whole part has fewer.

    Examples
    --------
    >>> number_text(1234567.8), number_text(0.012345), number_text(12.0), number_text(None)
    ('1,234,568', '0.01235', '12', '–')
    >>> number_text(-0.4), number_text(0.0), number_text(99.996), number_text(-2.345e-12)
    ('-0.4', '0', '100', '-2.3e-12')
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    if abs(value) < _TINY:
        return f"{value:.2g}"
    whole = math.floor(math.log10(abs(value))) + 1
    text = f"{value:,.{min(max(digits - whole, 0), 12)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def unit_text(unit: str, language: Language) -> str:
    """Return a unit as people write it: ``m3`` with its raised 3, ``CNY/a`` as 元/年 in Chinese, nothing for ``1``.

    Examples
    --------
    >>> unit_text("m3/a", "en"), unit_text("CNY/a", "zh"), unit_text("1", "en")
    ('m³/a', '元/年', '')
    """
    if unit in ("", "1"):
        return ""
    text = unit.replace("m3", "m³").replace("m2", "m²").replace("km2", "km²").replace("CO2", "CO₂")
    if language == "zh":
        text = text.replace("million CNY", "百万元")
        for word, word_zh in _UNITS:
            text = text.replace(word, word_zh)
    return text


def quantity_text(value: float | None, unit: str, language: Language, digits: int = 3, *, signed: bool = False) -> str:
    """Return a number with its unit, large ones in millions and billions, or in 万 and 亿 in Chinese.

    For tiles and sentences; columns of a table are easier to compare by `column_text`. With ``signed`` a rise has a
    plus.

    Examples
    --------
    >>> quantity_text(23456789.0, "CNY/a", "en"), quantity_text(23456789.0, "CNY/a", "zh")
    ('23.5 million CNY/a', '2350 万元/年')
    >>> quantity_text(1200.0, "million CNY", "en"), quantity_text(1200.0, "million CNY", "zh")
    ('1.2 billion CNY', '12 亿元')
    >>> quantity_text(None, "t/a", "en")
    'unknown'
    """
    if value is None or math.isnan(value):
        return say("number.unknown", language)
    factor, plain_unit = _SCALED.get(unit, (1.0, unit))
    number = value * factor
    tail = unit_text(plain_unit, language)
    plus = "+" if signed and number > 0 else ""
    for size, key in _STEPS[language]:
        if abs(number) >= size:
            text = _rounded(number / size, digits)
            return f"{plus}{text} {say(key, language)}{_gap(tail, language)}{tail}"
    return f"{plus}{number_text(number, digits)}{' ' if tail else ''}{tail}"


def column_text(values: Sequence[float | None], unit: str, language: Language) -> tuple[str, list[str]]:
    """Return a unit and the numbers of a column written in it; money in millions or in 万 where it is large.

    All numbers of the column share the unit, so that they compare at a glance.

    Parameters
    ----------
    values : sequence of float or None
        The column.
    unit : str
        Its unit.
    language : {"en", "zh"}

    Returns
    -------
    (str, list of str)
        The unit for the header and one text per value.

    Examples
    --------
    >>> column_text([2.5e6, -1.2e7, None], "CNY/a", "zh")
    ('万元/年', ['250', '-1,200', '–'])
    >>> column_text([2.5, 1200.0], "t/a", "en")
    ('t/a', ['2.5', '1,200'])
    """
    largest = max((abs(value) for value in values if value is not None and math.isfinite(value)), default=0.0)
    if unit not in ("CNY", "CNY/a") or largest < 1e6:
        return unit_text(unit, language), [number_text(value, 3) for value in values]
    size, word = (1e4, "万") if language == "zh" else (1e6, "million ")
    texts = [number_text(None if value is None else value / size, 3) for value in values]
    return word + unit_text(unit, language), texts


def _rounded(value: float, digits: int) -> str:
    whole = math.floor(math.log10(abs(value))) + 1
    return number_text(round(value, digits - whole), max(digits, 1)).replace(",", "")


def _gap(unit: str, language: Language) -> str:
    """Return what stands between 万 or million and a unit: nothing before a Chinese character, else a space."""
    return "" if not unit or (language == "zh" and ord(unit[0]) > 0x2E80) else " "
