"""Formulas of indicators: a small arithmetic language, parsed by Python's own grammar and never executed as Python.

Allowed are numbers, texts in comparisons, names, ``+ - * / **``, parentheses, comparisons, ``and``/``or``/``not``, and the
functions ``min``, ``max``, ``abs``, ``log``, ``exp``, ``sqrt``. A name may carry the prefix ``base.``: its value before the
design. Everything else (attributes, calls, indexing, lambdas, ...) is refused when the formula is read.

Values are numbers, texts or numpy arrays of one shape; NaN is unknown, and what cannot be computed (division by zero, the
logarithm of a negative number) is NaN as well, never an error.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from cyclopolis.foundation.problems import user_error

Value = float | str | npt.NDArray[np.float64]
"""A value of a name: a number, a text (only compared), or an array with NaN for unknown."""

_LONGEST = 2000
_DEEPEST = 40
_FUNCTIONS = {"min": 2, "max": 2, "abs": 1, "log": 1, "exp": 1, "sqrt": 1}
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.USub, ast.UAdd, ast.Not)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


@dataclass(frozen=True)
class Formula:
    """A checked formula.

    Parameters
    ----------
    text : str
        As written.
    names : tuple of str
        Names it uses, in order of first use, the prefix ``base.`` included.
    """

    text: str
    names: tuple[str, ...]

    def evaluate(self, values: Mapping[str, Value]) -> npt.NDArray[np.float64]:
        """Return the value of the formula.

        Parameters
        ----------
        values : mapping of name to number, text or array
            A missing name is unknown, like NaN.

        Returns
        -------
        array of float
            Zero-dimensional when every value is a number; NaN where it is unknown; comparisons give 1 and 0.

        Examples
        --------
        >>> parse_formula("100 * used / made").evaluate({"used": 30.0, "made": 40.0}).item()
        75.0
        >>> parse_formula("used / made").evaluate({"used": 30.0, "made": 0.0}).item()
        nan
        """
        with np.errstate(all="ignore"):
            result = np.asarray(_compute(_tree(self.text), values), dtype=float)
        return np.where(np.isfinite(result), result, np.nan)

    def missing(self, values: Mapping[str, Value]) -> tuple[str, ...]:
        """Return the names that have no value (absent, or NaN as a single number)."""
        return tuple(name for name in self.names if _absent(values.get(name)))


def _absent(value: Value | None) -> bool:
    return value is None or (isinstance(value, float) and bool(np.isnan(value)))


@cache
def parse_formula(text: str) -> Formula:
    """Read a formula.

    Raises
    ------
    UserError
        If it is no formula of the small language; the message names the part that is refused.

    Examples
    --------
    >>> parse_formula("100 * used / (made + old)").names
    ('used', 'made', 'old')
    """
    tree = _tree(text)
    names: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names[node.id] = None
    base = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    plain = [name for name in names if name not in called and name not in {"base", "true", "false"}]
    found = [*plain, *(f"base.{name}" for name in sorted(base))]
    return Formula(text, tuple(sorted(found, key=lambda name: text.find(name))))


@cache
def _tree(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise user_error("framework.formula_too_long", formula=text[:60], longest=_LONGEST)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise user_error("framework.formula_unreadable", formula=text, reason=str(error)) from error
    _check(tree, text, 0)
    return tree


def _check(node: ast.expr, text: str, depth: int) -> None:
    """Refuse everything outside the small language."""
    if depth > _DEEPEST:
        raise user_error("framework.formula_too_deep", formula=text, deepest=_DEEPEST)
    if not _allowed(node):
        raise user_error("framework.formula_refused", formula=text, part=ast.unparse(node))
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and not (isinstance(node, ast.Call | ast.Attribute) and isinstance(child, ast.Name)):
            _check(child, text, depth + 1)


def _allowed(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float | str)
        case ast.Name():
            return True
        case ast.Attribute(value=ast.Name(id="base")):
            return True
        case ast.BinOp(op=operator) | ast.UnaryOp(op=operator):
            return isinstance(operator, _OPERATORS)
        case ast.BoolOp():
            return True
        case ast.Compare(ops=operators):
            return all(isinstance(operator, _COMPARISONS) for operator in operators)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=keywords):
            return name in _FUNCTIONS and not keywords and len(arguments) >= _FUNCTIONS[name]
        case _:
            return False


def _compute(node: ast.expr, values: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=str() as constant):
            return constant
        case ast.Constant(value=constant):
            return float(constant)  # type: ignore[arg-type]  # _allowed admits int, float and str only
        case ast.Name(id="true"):
            return 1.0
        case ast.Name(id="false"):
            return 0.0
        case ast.Name(id=name):
            return values.get(name, float("nan"))
        case ast.Attribute(attr=name):
            return values.get(f"base.{name}", float("nan"))
        case ast.UnaryOp(op=operator, operand=operand):
            return _unary(operator, _number(_compute(operand, values)))
        case ast.BinOp(left=left, op=operator, right=right):
            return _binary(operator, _number(_compute(left, values)), _number(_compute(right, values)))
        case ast.BoolOp(op=junction, values=parts):
            return _joined(isinstance(junction, ast.And), [_number(_compute(part, values)) for part in parts])
        case ast.Compare(left=left, ops=operators, comparators=rights):
            sides = [_compute(side, values) for side in (left, *rights)]
            pairs = zip(operators, sides, sides[1:], strict=False)
            return _joined(True, [_compared(operator, one, other) for operator, one, other in pairs])
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _called(name, [_number(_compute(argument, values)) for argument in arguments])
        case _:
            raise AssertionError(ast.dump(node))


def _number(value: Value) -> npt.NDArray[np.float64]:
    return np.asarray(np.nan if isinstance(value, str) else value, dtype=float)


def _unary(operator: ast.unaryop, value: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    match operator:
        case ast.USub():
            return -value
        case ast.Not():
            return np.where(np.isnan(value), np.nan, np.where(value == 0, 1.0, 0.0))
        case _:
            return value


def _binary(
    operator: ast.operator, left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
        case _:
            power = np.power(left, right)
            return np.where(np.isnan(left) | np.isnan(right), np.nan, power)


def _compared(operator: ast.cmpop, left: Value, right: Value) -> npt.NDArray[np.float64]:
    if isinstance(left, str) or isinstance(right, str):
        if not (isinstance(left, str) and isinstance(right, str)):
            return np.asarray(np.nan)
        same = left == right
        return np.asarray(float(same if isinstance(operator, ast.Eq) else not same))
    one, other = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    tests = {ast.Lt: one < other, ast.LtE: one <= other, ast.Gt: one > other, ast.GtE: one >= other, ast.Eq: one == other}
    result = tests.get(type(operator), one != other)
    return np.where(np.isnan(one) | np.isnan(other), np.nan, np.asarray(result, dtype=float))


def _joined(every: bool, parts: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Join truth values in three-valued logic: unknown only where the known ones do not decide."""
    unknown = np.any(np.broadcast_arrays(*[np.isnan(part) for part in parts]), axis=0)
    truths = np.broadcast_arrays(*[np.where(np.isnan(part), float(every), part) != 0 for part in parts])
    joined = np.all(truths, axis=0) if every else np.any(truths, axis=0)
    decided = ~joined if every else joined
    return np.where(unknown & ~decided, np.nan, joined.astype(float))


def _called(name: str, arguments: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    first = arguments[0]
    match name:
        case "min":
            return np.minimum.reduce(np.broadcast_arrays(*arguments))
        case "max":
            return np.maximum.reduce(np.broadcast_arrays(*arguments))
        case "abs":
            return np.abs(first)
        case "log":
            return np.log(first)
        case "exp":
            return np.exp(first)
        case _:
            return np.sqrt(first)
