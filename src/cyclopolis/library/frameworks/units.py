"""Units of framework inputs: a table of words (``万元``, ``10^4 CNY``, ``t``) and their quotients."""

import ast
import csv
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from cyclopolis.library.frameworks.formula import Formula


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


Powers = Mapping[str, int]
"""Powers of each kind: ``{"mass": 1, "time": -1}``."""


class UnitMisfitError(ValueError):
    """Two parts of a formula are added or compared whose units are of different kinds."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other}")
        self.one, self.other = one, other


def powers_text(powers: Powers) -> str:
    """Return powers of kinds as a short text.

    Examples
    --------
    >>> powers_text({"mass": 1, "time": -1}), powers_text({})
    ('mass/time', '1')
    """
    up = [kind if power == 1 else f"{kind}^{power}" for kind, power in powers.items() if power > 0]
    down = [kind if power == -1 else f"{kind}^{-power}" for kind, power in powers.items() if power < 0]
    return "/".join([" ".join(up) or "1", *down])


def formula_unit(formula: Formula, inputs: Mapping[str, str]) -> Powers | None:
    """Return the kinds of unit in which a formula answers, or None where they cannot be told.

    A bare number is a pure number where it multiplies, and takes the unit of what it is added to or compared with. A
    truth is a pure number. The unit is not known where an input's is not, and for powers that are no whole number.
    Time is left out, because statistics write yearly amounts with and without ``/a``.

    Parameters
    ----------
    formula : Formula
    inputs : mapping of name to unit

    Raises
    ------
    UnitMisfitError
        If parts of different kinds are added, subtracted or compared.

    Examples
    --------
    >>> from cyclopolis.library.frameworks.formula import parse_formula
    >>> formula_unit(parse_formula("100 * used / made"), {"used": "t/a", "made": "kg/a"})
    {}
    >>> formula_unit(parse_formula("used / people"), {"used": "m3/a", "people": "10^4 person"})
    {'volume': 1}
    """
    return _unit_of(ast.parse(formula.text.strip(), mode="eval").body, inputs)


def timeless(unit: str) -> Powers | None:
    """Return the powers of a unit's kinds, time left out; None where a word is not known."""
    known = read_unit(unit)
    return None if known is None else {kind: power for kind, power in known[1].items() if kind != "time"}


def _unit_of(node: ast.expr, inputs: Mapping[str, str]) -> Powers | None:
    found: Powers | None = None
    match node:
        case ast.Constant() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            found = {}
        case ast.Name(id=name) | ast.Attribute(attr=name):
            found = {} if name in {"true", "false"} else timeless(inputs.get(name, "?"))
        case ast.UnaryOp(operand=operand):
            found = _unit_of(operand, inputs)
        case ast.Compare(left=left, comparators=rights):
            _same([left, *rights], inputs)
            found = {}
        case ast.Call(func=ast.Name(id=name), args=arguments):
            found = _same(arguments, inputs) if name in {"min", "max", "abs"} else _root(name, arguments[0], inputs)
        case ast.BinOp(left=left, op=operator, right=right):
            found = _binary_unit(left, operator, right, inputs)
    return found


def _root(name: str, argument: ast.expr, inputs: Mapping[str, str]) -> Powers | None:
    powers = _unit_of(argument, inputs)
    if name != "sqrt" or powers is None:
        return {} if name != "sqrt" else None
    return {kind: power // 2 for kind, power in powers.items()} if all(p % 2 == 0 for p in powers.values()) else None


def _binary_unit(left: ast.expr, operator: ast.operator, right: ast.expr, inputs: Mapping[str, str]) -> Powers | None:
    if isinstance(operator, ast.Add | ast.Sub):
        return _same([left, right], inputs)
    one, other = _unit_of(left, inputs), _unit_of(right, inputs)
    if isinstance(operator, ast.Pow):
        if one == {}:
            return {}
        whole = right.value if isinstance(right, ast.Constant) and isinstance(right.value, int) else None
        return None if one is None or whole is None else {kind: power * whole for kind, power in one.items()}
    if one is None or other is None:
        return None
    joined = Counter(one)
    if isinstance(operator, ast.Mult):
        joined.update(other)
    else:
        joined.subtract(other)
    return {kind: power for kind, power in joined.items() if power}


def _same(parts: list[ast.expr], inputs: Mapping[str, str]) -> Powers | None:
    """Return the unit that all parts share; bare numbers take the others'."""
    units = [_unit_of(part, inputs) for part in parts if not isinstance(part, ast.Constant)]
    known = [unit for unit in units if unit is not None]
    for unit in known[1:]:
        if unit != known[0]:
            raise UnitMisfitError(powers_text(known[0]), powers_text(unit))
    return known[0] if known else {} if not units else None
