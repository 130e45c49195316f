"""Cases of reconciliation: quantities, flows between processes, stock changes, and what binds them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.stats import chi2

from cyclopolis.foundation.text import message
from cyclopolis.industry.metabolism.reconcile import (
    Reconciled,
    ReconcileProblem,
    covariance,
    gross_errors,
    reconcile,
)
from cyclopolis.study.verify.fields import Numbers, known_only, listing, mapping, number, refuse, required

HALF_WIDTH = 1.96
"""Half width of a 95 % interval in standard uncertainties, as the cases state it."""
LIMIT = 1.96
"""Local test above which a measurement is suspect."""
_FIELDS = ("quantities", "flows", "stocks", "linear", "products", "correlations", "confidence")
_WORDS = ("id", "unit", "note", "layer", "year", "name")
_NUMBERS = ("value", "sd", "sd_pct", "half_width", "half_width_pct", "lower", "upper", "exact")
_OUTSIDE = frozenset({"", "0", "environment", "outside", "none"})
"""Ends of flows that are no process and need not balance."""
_JOINT = 60
"""Largest number of quantities of which all correlations after reconciliation are computed."""


@dataclass(frozen=True)
class _Asked:
    """The quantities of a case by name, and the linear relations as terms by name with right-hand sides."""

    quantities: dict[str, Mapping[str, Any]]
    terms: list[dict[str, float]]
    right: list[float]


def _plain(value: float) -> float | None:
    """Return a number, or None where the engine found none."""
    return None if np.isnan(value) else float(value)


def solve_reconciliation(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Reconcile quantities: values with uncertainties, classes, global and local tests, suspects, correlations."""
    del expected
    known_only(inputs, _FIELDS, "")
    names, problem = _problem(inputs)
    found = reconcile(problem)
    confidence = number(inputs.get("confidence", 0.95), "confidence")
    limit = float(chi2.ppf(confidence, found.dof)) if found.dof else None
    values = [_plain(value) for value in found.values.tolist()]
    sds = [_plain(sd) for sd in found.sds.tolist()]
    moved = (found.values - problem.values).tolist()
    return {
        "values": {name: [value, sd] for name, value, sd in zip(names, values, sds, strict=True)},
        "values_half_width": {
            name: [value, None if sd is None else HALF_WIDTH * sd]
            for name, value, sd in zip(names, values, sds, strict=True)
        },
        "corrections": {name: _plain(shift) for name, shift in zip(names, moved, strict=True)},
        "classes": dict(zip(names, found.kinds, strict=True)),
        "local_test": {name: _plain(test) for name, test in zip(names, found.local_tests.tolist(), strict=True)},
        "chi_square": found.chi_square,
        "chi_square_limit": limit,
        "degrees_of_freedom": found.dof,
        "p_value": _plain(found.p_value),
        "accepted": limit is None or found.chi_square <= limit,
        "converged": found.convergence.converged,
        "approximate": found.approximate,
        **_lists(names, problem, found),
        **_joint(names, problem, found),
    }


def _lists(names: Sequence[str], problem: ReconcileProblem, found: Reconciled) -> dict[str, list[str]]:
    """Return the names of each class that cases list, of the suspects in order, and of what should be measured."""
    classes = {
        "not_redundant": "measured",
        "redundant": "reconciled",
        "unobservable": "unobservable",
        "observable": "observable",
    }
    lists = {
        label: [name for name, kind in zip(names, found.kinds, strict=True) if kind == wanted]
        for label, wanted in classes.items()
    }
    ranked = gross_errors(problem, found, int((found.local_tests > LIMIT).sum())) if found.dof else ()
    lists["suspects"] = [names[suspect.index] for suspect in ranked]
    lists["missing"] = [names[at] for at in found.missing.tolist()]
    return lists


def _joint(names: Sequence[str], problem: ReconcileProblem, found: Reconciled) -> dict[str, Any]:
    """Return covariances and correlations after reconciliation of a small case, by both names."""
    if len(names) > _JOINT:
        return {}
    joint = covariance(problem, found, np.arange(len(names)))
    size = np.sqrt(np.diag(joint))
    ends = combinations(range(len(names)), 2)
    pairs = [(f"{names[one]},{names[two]}", joint[one, two], size[one] * size[two]) for one, two in ends]
    return {
        "covariance": {name: _plain(value) for name, value, _ in pairs},
        "posterior_correlations": {name: _plain(value / scale) for name, value, scale in pairs if scale > 0},
    }


def _asked(inputs: Mapping[str, Any]) -> _Asked:
    """Read quantities, flows and stock changes, with the balance of every process that flows name."""
    listed = [("quantities", one) for one in listing(inputs.get("quantities") or [], "quantities")]
    flows = [mapping(one, "flows") for one in listing(inputs.get("flows") or [], "flows")]
    stocks = [mapping(one, "stocks") for one in listing(inputs.get("stocks") or [], "stocks")]
    if not listed and not flows:
        raise refuse("quantities", message("verify.missing", field="quantities"))
    listed += [("flows", one) for one in flows] + [("stocks", one) for one in stocks]
    quantities: dict[str, Mapping[str, Any]] = {}
    twice = set()
    for field, one in listed:
        entry = mapping(one, field)
        name = str(required(entry, "id"))
        twice |= {name} & set(quantities)
        ends = {"flows": ("from", "to"), "stocks": ("process",)}.get(field, ())
        known_only(entry, (*_WORDS, *_NUMBERS, *ends), name)
        quantities[name] = entry
    if twice:
        raise refuse("quantities", message("verify.twice", names=", ".join(sorted(twice))))
    balances: dict[str, dict[str, float]] = {}
    for one in flows:
        for end, sign in (("to", 1.0), ("from", -1.0)):
            process = str(one.get(end) if one.get(end) is not None else "")
            if process.lower() not in _OUTSIDE:
                line = balances.setdefault(process, {})
                line[str(one["id"])] = line.get(str(one["id"]), 0.0) + sign
    for one in stocks:
        process = str(required(one, "process"))
        if process not in balances:
            raise refuse("stocks", message("verify.unknown_name", known=", ".join(sorted(balances))), process)
        balances[process][str(one["id"])] = -1.0
    terms, right = _linear(inputs)
    return _Asked(quantities, [*balances.values(), *terms], [*[0.0] * len(balances), *right])


def _linear(inputs: Mapping[str, Any]) -> tuple[list[dict[str, float]], list[float]]:
    """Read linear relations: coefficients by name, or ``terms`` with a right-hand side ``right``."""
    terms, right = [], []
    for row, entry in enumerate(listing(inputs.get("linear") or [], "linear"), start=1):
        field = f"linear.{row}"
        line = mapping(entry, field)
        amount: object = 0.0
        if isinstance(line.get("terms"), Mapping):
            known_only(line, ("terms", "right", "note"), field)
            line, amount = mapping(line["terms"], field), line.get("right", 0.0)
        terms.append({str(name): number(factor, field) for name, factor in line.items()})
        right.append(number(amount, field))
    return terms, right


def _problem(inputs: Mapping[str, Any]) -> tuple[list[str], ReconcileProblem]:
    """Return the names and the problem of a case."""
    asked = _asked(inputs)
    names = list(asked.quantities)
    place = {name: index for index, name in enumerate(names)}

    def at(name: object, field: str) -> int:
        if str(name) not in place:
            raise refuse(field, message("verify.unknown_name", known=", ".join(names)), name)
        return place[str(name)]

    entries = [
        (row, at(name, "linear"), factor) for row, line in enumerate(asked.terms) for name, factor in line.items()
    ]
    rows, columns, factors = zip(*entries, strict=True) if entries else ((), (), ())
    matrix = sp.csr_matrix((np.array(factors, dtype=float), (rows, columns)), shape=(len(asked.terms), len(names)))
    products = [
        [at(cell, "products") for cell in _cells(one, "products", ("result", "factor", "of"))]
        for one in listing(inputs.get("products") or [], "products")
    ]
    correlations = [_correlation(one, at) for one in listing(inputs.get("correlations") or [], "correlations")]
    quantities = list(asked.quantities.values())
    problem = ReconcileProblem(
        values=np.array([_measured(one, name) for one, name in zip(quantities, names, strict=True)]),
        sds=np.array([_spread(one, name) for one, name in zip(quantities, names, strict=True)]),
        linear=matrix,
        right=np.array(asked.right),
        products=np.array(products, dtype=np.int64).reshape(-1, 3),
        correlations=correlations,
        lower=_bounds(quantities, "lower"),
        upper=_bounds(quantities, "upper"),
        names=names,
    )
    return names, problem


def _cells(one: object, field: str, parts: Sequence[str]) -> list[Any]:
    """Return the parts of an entry that is a mapping by these names or a list in this order."""
    if isinstance(one, Mapping):
        known_only(one, (*parts, "note"), field)
        return [required(one, part) for part in parts]
    cells = list(listing(one, field))
    if len(cells) != len(parts):
        raise refuse(field, message("verify.row_length", given=len(cells), wanted=len(parts)))
    return cells


def _correlation(one: object, at: Callable[[object, str], int]) -> tuple[int, int, float]:
    first, second, value = _cells(one, "correlations", ("first", "second", "coefficient"))
    return at(first, "correlations"), at(second, "correlations"), number(value, "correlations")


def _measured(one: Mapping[str, Any], name: str) -> float:
    return float("nan") if one.get("value") is None else number(one["value"], name)


def _spread(one: Mapping[str, Any], name: str) -> float:
    """Return the standard uncertainty: exact, as given, in per cent, or from the half width of a 95 % interval."""
    if one.get("value") is None:
        return float("nan")
    if one.get("exact") is True:
        return 0.0
    size = abs(number(one["value"], name))
    for field, scale in (
        ("half_width", 1 / HALF_WIDTH),
        ("half_width_pct", size / 100 / HALF_WIDTH),
        ("sd_pct", size / 100),
    ):
        if one.get(field) is not None:
            return number(one[field], name) * scale
    return number(required(one, "sd"), name)


def _bounds(quantities: Sequence[Mapping[str, Any]], side: str) -> Numbers | None:
    if not any(one.get(side) is not None for one in quantities):
        return None
    return np.array([float("nan") if one.get(side) is None else number(one[side], side) for one in quantities])
