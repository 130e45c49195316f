"""Units of framework inputs: a table of words (``万元``, ``10^4 CNY``, ``t``) and their quotients."""

import csv
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def unit_words() -> Mapping[str, tuple[str, float]]:
    """Return kind and factor to the kind's base unit of every known unit word, aliases included."""
    words: dict[str, tuple[str, float]] = {}
    text = (files("cyclopolis.library.frameworks") / "units.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        for word in (row["unit"], *row["aliases"].split(";")):
            if word:
                words[word] = (row["kind"], float(row["factor"]))
    return words


@cache
def read_unit(text: str) -> tuple[float, Mapping[str, int]] | None:
    """Return the factor to base units and the powers of each kind, or None when a word is not known.

    A note after the unit (``10^4 CNY/a (constant price)``, ``t exported waste``) is left out.

    Examples
    --------
    >>> read_unit("10^4 CNY/a (constant price)")
    (10000.0, {'money': 1, 'time': -1})
    >>> read_unit("parsec") is None
    True
    """
    bare = text.split(" (", maxsplit=1)[0].strip() or "1"
    factor, powers = 1.0, Counter[str]()
    for position, part in enumerate(bare.split("/")):
        known = _longest_word(part.strip())
        if known is None:
            return None
        kind, size = unit_words()[known]
        factor = factor * size if position == 0 else factor / size
        if kind:
            powers[kind] += 1 if position == 0 else -1
    return factor, {kind: power for kind, power in powers.items() if power}


def _longest_word(part: str) -> str | None:
    words = part.split(" ")
    for length in range(len(words), 0, -1):
        candidate = " ".join(words[:length])
        if candidate in unit_words():
            return candidate
    return None


def conversion(given: str, wanted: str) -> float | None:
    """Return what a value in ``given`` is multiplied by to stand in ``wanted``; None when the units do not fit.

    A value of one year may come without its ``/a``.

    Examples
    --------
    >>> conversion("亿元", "10^4 CNY/a")
    10000.0
    >>> conversion("t", "m3/a") is None
    True
    """
    if given.strip() == wanted.strip():
        return 1.0
    for spelling in (given, f"{given}/a"):
        one, other = read_unit(spelling), read_unit(wanted)
        if one is not None and other is not None and one[1] == other[1]:
            return one[0] / other[0]
    return None
