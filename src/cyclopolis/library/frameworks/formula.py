"""Formulas of indicators: a small arithmetic language, parsed by Python's own grammar and never executed as Python.

Allowed are numbers, texts in comparisons, names, ``+ - * / **``, parentheses, comparisons, ``and``, ``or``, ``not``,
and the functions ``min``, ``max``, ``abs``, ``log``, ``exp``, ``sqrt``. A name may carry the prefix ``base.``: its
value before the design. Everything else (attributes, calls, indexing, lambdas) is refused when the formula is read.

Values are numbers, texts or numpy arrays of one shape; NaN (for a text: the empty text) is unknown, and what cannot be
computed (division by zero, the logarithm of a negative number) is NaN as well, never an error.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from cyclopolis.foundation.problems import user_error

Numbers = npt.NDArray[np.float64]
Value = float | str | Numbers | npt.NDArray[np.str_]
"""A value of a name: a number, a text (only compared), or an array of either."""

_LONGEST = 2000
_DEEPEST = 40
_ELEMENTWISE: Mapping[str, Callable[[Numbers], Numbers]] = {
    "abs": np.abs,
    "log": np.log,
    "exp": np.exp,
    "sqrt": np.sqrt,
}
_FEWEST = {"min": 2, "max": 2, "abs": 1, "log": 1, "exp": 1, "sqrt": 1}
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

    def evaluate(self, values: Mapping[str, Value]) -> Numbers:
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
            result = _numbers(_tree(self.text), values)
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
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    bases = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found: list[tuple[int, int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            found.append((node.lineno, node.col_offset, f"base.{node.attr}"))
        elif isinstance(node, ast.Name) and id(node) not in called | bases and node.id not in {"true", "false"}:
            found.append((node.lineno, node.col_offset, node.id))
    return Formula(text, tuple(dict.fromkeys(name for _, _, name in sorted(found))))


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
    named = isinstance(node, ast.Call | ast.Attribute)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and not (named and isinstance(child, ast.Name)):
            _check(child, text, depth + 1)


def _allowed(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float | str) and not isinstance(value, bool)
        case ast.Name() | ast.Attribute(value=ast.Name(id="base")) | ast.BoolOp():
            return True
        case ast.BinOp(op=operator) | ast.UnaryOp(op=operator):
            return isinstance(operator, _OPERATORS)
        case ast.Compare(ops=operators):
            return all(isinstance(operator, _COMPARISONS) for operator in operators)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            exact = len(arguments) == 1 if name in _ELEMENTWISE else len(arguments) >= _FEWEST.get(name, 0)
            return name in _FEWEST and exact
    return False


def _compute(node: ast.expr, values: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=constant):
            return constant if isinstance(constant, str) else float(str(constant))
        case ast.Name(id=name):
            return {"true": 1.0, "false": 0.0}.get(name, values.get(name, float("nan")))
        case ast.Attribute(attr=name):
            return values.get(f"base.{name}", float("nan"))
        case ast.Compare(left=left, ops=operators, comparators=rights):
            sides = [_compute(side, values) for side in (left, *rights)]
            pairs = zip(operators, sides, sides[1:], strict=False)
            return _joined([_compared(operator, one, other) for operator, one, other in pairs], every=True)
    return _arithmetic(node, values)


def _arithmetic(node: ast.expr, values: Mapping[str, Value]) -> Numbers:
    match node:
        case ast.UnaryOp(op=operator, operand=operand):
            return _unary(operator, _numbers(operand, values))
        case ast.BinOp(left=left, op=operator, right=right):
            return _binary(operator, _numbers(left, values), _numbers(right, values))
        case ast.BoolOp(op=junction, values=parts):
            return _joined([_numbers(part, values) for part in parts], every=isinstance(junction, ast.And))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _called(name, [_numbers(argument, values) for argument in arguments])
    raise AssertionError(ast.dump(node))


def _numbers(node: ast.expr, values: Mapping[str, Value]) -> Numbers:
    """Return the node's value as numbers; a text where a number belongs is unknown."""
    value = np.asarray(_compute(node, values))
    return np.full(value.shape, np.nan) if value.dtype.kind == "U" else value.astype(float)


def _unary(operator: ast.unaryop, value: Numbers) -> Numbers:
    if isinstance(operator, ast.Not):
        return np.where(np.isnan(value), np.nan, np.where(value == 0, 1.0, 0.0))
    return -value if isinstance(operator, ast.USub) else value


def _binary(operator: ast.operator, left: Numbers, right: Numbers) -> Numbers:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
    return np.where(np.isnan(left) | np.isnan(right), np.nan, np.power(left, right))


def _compared(operator: ast.cmpop, left: Value, right: Value) -> Numbers:
    one, other = np.asarray(left), np.asarray(right)
    texts = (one.dtype.kind == "U") + (other.dtype.kind == "U")
    if texts == 1 or (texts == 2 and not isinstance(operator, ast.Eq | ast.NotEq)):
        return np.full(np.broadcast_shapes(one.shape, other.shape), np.nan)
    unknown = (one == "") | (other == "") if texts else np.isnan(one) | np.isnan(other)
    match operator:
        case ast.Lt():
            true = one < other
        case ast.LtE():
            true = one <= other
        case ast.Gt():
            true = one > other
        case ast.GtE():
            true = one >= other
        case ast.Eq():
            true = one == other
        case _:
            true = one != other
    return np.where(unknown, np.nan, np.asarray(true, dtype=float))


def _joined(parts: list[Numbers], *, every: bool) -> Numbers:
    """Join truth values in three-valued logic: unknown only where the known ones do not decide."""
    same = np.broadcast_arrays(*parts)
    unknown = np.any([np.isnan(part) for part in same], axis=0)
    truths = [np.where(np.isnan(part), float(every), part) != 0 for part in same]
    joined = np.all(truths, axis=0) if every else np.any(truths, axis=0)
    decided = ~joined if every else joined
    return np.where(unknown & ~decided, np.nan, joined.astype(float))


def _called(name: str, arguments: list[Numbers]) -> Numbers:
    if name in _ELEMENTWISE:
        return _ELEMENTWISE[name](arguments[0])
    stacked = np.stack(np.broadcast_arrays(*arguments))
    return np.asarray(stacked.min(axis=0) if name == "min" else stacked.max(axis=0))
