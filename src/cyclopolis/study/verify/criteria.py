"""Cases of judgement by several criteria: AHP, entropy and CRITIC weights, TOPSIS, coordination, obstacles, DEA."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from cyclopolis.foundation.text import message
from cyclopolis.rating.aggregation import group_obstacles, ideal_distances, obstacle_degree, ranks, topsis
from cyclopolis.rating.coordination import coordination, scales
from cyclopolis.rating.dea import dea, scale_efficiency
from cyclopolis.rating.weights import (
    ahp,
    critic_information,
    critic_weights,
    entropies,
    entropy_weights,
    not_reciprocal,
    random_indices,
)
from cyclopolis.study.verify.fields import Numbers, known_only, listing, number, numbers, refuse

Answer = TypeVar("Answer")

_NAMES = ("order", "names", "criteria", "alternatives", "labels", "units", "years", "columns", "rows")
_MATRIX = ("matrix", "decision_matrix", "data", "values", "x")
_WEIGHTS = ("weights", "weight", "w")
_DIRECTIONS = ("directions", "direction", "types", "objectives", "benefit", "impacts")
_SYSTEMS = ("U", "u", "systems", "subsystems", "indices", "matrix", "values")
_BEST = {"max", "maximum", "maximize", "maximise", "benefit", "positive", "higher", "+", "1", "true", "up"}
_WORST = {"min", "minimum", "minimize", "minimise", "cost", "negative", "lower", "-", "-1", "0", "false", "down"}


def solve_ahp(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Weigh pairwise comparisons: a matrix, or its upper triangle, of numbers or fractions such as ``1/9``."""
    del expected
    known_only(inputs, (*_MATRIX[:1], "pairwise", "comparisons", "method", *_INDEX, *_NAMES), "")
    field = _field(inputs, ("matrix", "pairwise", "comparisons"))
    matrix = _pairs(inputs[field], field)
    if matrix.ndim != 2 or len(matrix) != matrix.shape[1]:
        raise refuse(field, message("verify.not_square"))
    faults = not_reciprocal(matrix)
    if faults:
        cells = "; ".join(f"({i + 1}, {j + 1})" for i, j in faults)
        raise refuse(field, message("verify.not_reciprocal", cells=cells))
    method = _choice(inputs, ("method",), _METHODS, "eigenvector")
    table, own = _random_index(inputs, len(matrix))
    found = ahp(matrix, method, table)  # type: ignore[arg-type]  # one of the methods' names
    ci = float(found.ci)
    cr = ci / own if own is not None and own > 0 else float(found.cr)
    other = ahp(matrix, "geometric_mean" if method == "eigenvector" else "eigenvector")
    weights = found.weights.tolist()
    ratios = {"cr": cr, "consistency_ratio": cr, "ri": own if own is not None else found.random_index}
    ratios |= {f"cr_ri_{value[len(matrix)]:.2f}": ci / value[len(matrix)] for value in _indices(len(matrix))}
    return {
        **dict.fromkeys(("weights", "priorities", "priority_vector", "priority"), weights),
        f"{'geometric_mean' if method == 'eigenvector' else 'eigenvector'}_weights": other.weights.tolist(),
        f"{method}_weights": weights,
        **dict.fromkeys(("lambda_max", "lambda", "largest_eigenvalue"), float(found.lambda_max)),
        "ci": ci,
        "consistency_index": ci,
        "random_index": ratios["ri"],
        **ratios,
        "consistent": bool(cr < 0.1),
        **dict.fromkeys(("rank", "ranks", "ranking"), ranks(found.weights).tolist()),
    }


_INDEX = ("random_index", "ri", "random_index_table", "ri_table")
_METHODS = {
    "eigenvector": "eigenvector",
    "eigenvalue": "eigenvector",
    "eigen": "eigenvector",
    "geometric_mean": "geometric_mean",
    "geometric": "geometric_mean",
    "row_geometric_mean": "geometric_mean",
    "llsm": "geometric_mean",
}


def _indices(order: int) -> list[Mapping[int, float]]:
    return [table for table in random_indices().values() if table.get(order, 0.0) > 0]


def _random_index(inputs: Mapping[str, Any], order: int) -> tuple[str, float | None]:
    """Read the random index: a table's name, or a number of the case's own."""
    field = next((name for name in _INDEX if inputs.get(name) is not None), "")
    given = inputs.get(field)
    if isinstance(given, int | float) and not isinstance(given, bool):
        return "saaty", number(given, field)
    table = str(given) if given is not None else "saaty"
    if table not in random_indices():
        raise refuse(field, message("verify.unknown_name", known=", ".join(random_indices())), table)
    if order not in random_indices()[table]:
        raise refuse(field or "matrix", message("verify.no_random_index", table=table, order=order))
    return table, None


def _pairs(given: object, field: str) -> Numbers:
    """Read a pairwise matrix, whole or as its upper triangle with or without the diagonal."""
    rows = [[_fraction(cell, field) for cell in listing(row, field)] for row in listing(given, field)]
    lengths = [len(row) for row in rows]
    size = lengths[0] if lengths else 0
    if lengths == list(range(size, 0, -1)) and size > 1 and all(row[0] == 1 for row in rows):
        rows = [row[1:] for row in rows[:-1]]
        lengths, size = [len(row) for row in rows], size - 1
    if lengths != list(range(size, 0, -1)):
        return numbers(rows, field)
    matrix = np.ones((size + 1, size + 1))
    for i, row in enumerate(rows):
        matrix[i, i + 1 :] = row
        matrix[i + 1 :, i] = [1 / cell if cell else np.nan for cell in row]
    return matrix


def _fraction(cell: object, field: str) -> float:
    if isinstance(cell, str):
        try:
            return float(Fraction(cell.replace(" ", "")))
        except (ValueError, ZeroDivisionError):
            pass
    return number(cell, field)


def solve_entropy(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Weigh criteria by the entropy of their shares, of the values or after min-max with a shift."""
    del expected
    known_only(inputs, (*_MATRIX, *_DIRECTIONS, *_NORMALISATION, "shift", *_NAMES), "")
    matrix = _table(inputs, _MATRIX)
    known = {"sum": "sum", "share": "sum", "none": "sum", "minmax": "minmax", "min_max": "minmax", "range": "minmax"}
    how = _choice(inputs, _NORMALISATION, known, "sum")
    shift = number(inputs["shift"], "shift") if "shift" in inputs else 0.0
    benefit = _benefit(inputs, matrix.shape[-1])
    weights = _guarded("matrix", lambda: entropy_weights(matrix, benefit, how, shift))  # type: ignore[arg-type]
    entropy = entropies(matrix, benefit, how, shift)  # type: ignore[arg-type]  # one of the names
    return {
        **dict.fromkeys(("weights", "weight", "w"), weights.tolist()),
        **dict.fromkeys(("entropy", "entropies", "H", "E", "e"), entropy.tolist()),
        **dict.fromkeys(("divergence", "diversification", "d"), (1 - entropy).tolist()),
        **dict.fromkeys(("rank", "ranks", "ranking"), ranks(weights).tolist()),
    }


_NORMALISATION = ("normalisation", "normalization", "normalise", "normalize")


def solve_critic(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Weigh criteria by contrast and conflict."""
    del expected
    known_only(inputs, (*_MATRIX, *_DIRECTIONS, "correlation", "variant", *_NAMES), "")
    matrix = _table(inputs, _MATRIX)
    benefit = _benefit(inputs, matrix.shape[-1])
    how = _choice(inputs, ("correlation", "variant"), {"pearson": "pearson", "spearman": "spearman"}, "pearson")
    weights = critic_weights(matrix, benefit, how)  # type: ignore[arg-type]  # one of the names
    information, spread, related = critic_information(matrix, benefit, how)  # type: ignore[arg-type]
    pairs = {f"r{i + 1}{j + 1}": float(related[i, j]) for i in range(len(related)) for j in range(len(related))}
    return {
        **dict.fromkeys(("weights", "weight", "w"), weights.tolist()),
        "spearman_variant": critic_weights(matrix, benefit, "spearman").tolist(),
        **dict.fromkeys(("C", "c", "information"), information.tolist()),
        **dict.fromkeys(("s", "std", "standard_deviation", "sd"), spread.tolist()),
        **dict.fromkeys(("r", "correlation", "correlations"), related.tolist()),
        **pairs,
        **dict.fromkeys(("rank", "ranks", "ranking"), ranks(weights).tolist()),
    }


def solve_topsis(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Rank by closeness to the ideal."""
    del expected
    known_only(inputs, (*_MATRIX, *_WEIGHTS, *_DIRECTIONS, *_NORMALISATION, *_NAMES), "")
    _choice(inputs, _NORMALISATION, {"vector": "vector"}, "vector")
    matrix = _table(inputs, _MATRIX)
    count = matrix.shape[-1]
    weights, benefit = _shares(inputs, count), _benefit(inputs, count)
    closeness = topsis(matrix, weights, benefit)
    plus, minus = ideal_distances(matrix, weights, benefit)
    return {
        **dict.fromkeys(("closeness", "C", "c", "score", "scores", "similarity"), closeness.tolist()),
        **dict.fromkeys(("rank", "ranks", "ranking"), ranks(closeness).tolist()),
        **dict.fromkeys(("d_plus", "D_plus", "s_plus", "distance_to_ideal"), plus.tolist()),
        **dict.fromkeys(("d_minus", "D_minus", "s_minus", "distance_to_anti_ideal"), minus.tolist()),
    }


def solve_coordination(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return coupling, joint level and coordination of systems, classic or corrected, with classes by a scale."""
    del expected
    known_only(inputs, ("form", "method", "model", *_WEIGHTS, *_SYSTEMS, "scale", *_NAMES), "")
    known = {"classic": "classic", "standard": "classic", "corrected": "corrected", "modified": "corrected"}
    form = _choice(inputs, ("form", "method", "model"), {**known, "wang": "corrected"}, "classic")
    systems = _table(inputs, _SYSTEMS)
    if systems.ndim != 2 or systems.shape[1] < 2:
        raise refuse(_field(inputs, _SYSTEMS), message("verify.ragged", field=_field(inputs, _SYSTEMS)))
    weights = _shares(inputs, systems.shape[1])
    forms = {
        name: _guarded(_field(inputs, _SYSTEMS), lambda name=name: coordination(systems, weights, name))  # type: ignore[misc]
        for name in ("classic", "corrected")
    }
    found = forms[form]
    scale = str(inputs.get("scale") or "ten")
    if scale not in scales():
        raise refuse("scale", message("verify.unknown_name", known=", ".join(scales())), scale)
    classes = [scales()[scale].en[one] for one in scales()[scale].places(found.d)]
    answer: dict[str, Any] = {
        **dict.fromkeys(("C", "c", "coupling", "coupling_degree"), found.c.tolist()),
        **dict.fromkeys(("T", "t", "comprehensive_index"), found.t.tolist()),
        **dict.fromkeys(("D", "d", "coordination", "coordination_degree", "ccd"), found.d.tolist()),
        **dict.fromkeys(("class", "classes", "grade"), classes),
        **dict.fromkeys(("rank", "ranks"), ranks(found.d).tolist()),
    }
    for name, one in forms.items():
        answer |= {f"C_{name}": one.c.tolist(), f"D_{name}": one.d.tolist()}
    return answer


def solve_obstacles(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return the share of each factor, and of each dimension where ``groups`` names them, in the distance to ideal."""
    del expected
    known_only(inputs, (*_WEIGHTS, *_SYSTEMS, "groups", "dimensions", *_NAMES), "")
    scores = _table(inputs, _SYSTEMS)
    weights = _shares(inputs, scores.shape[-1])
    share = obstacle_degree(scores, weights)
    unscaled = weights * (1 - scores)
    answer: dict[str, Any] = {
        **dict.fromkeys(("share", "shares", "obstacle", "obstacles", "obstacle_degree", "O"), share.tolist()),
        **dict.fromkeys(("percent", "obstacle_percent", "share_percent"), (100 * share).tolist()),
        **dict.fromkeys(("unscaled", "deviation_weighted"), unscaled.tolist()),
        **dict.fromkeys(("rank", "ranks"), ranks(share).tolist()),
    }
    field = next((name for name in ("groups", "dimensions") if name in inputs), "")
    if field:
        given = [str(one) for one in listing(inputs[field], field)]
        names = list(dict.fromkeys(given))
        if len(given) != scores.shape[-1]:
            raise refuse(field, message("verify.row_length", given=len(given), wanted=scores.shape[-1]))
        summed = group_obstacles(share, [names.index(one) for one in given], len(names))
        answer["dimension_share"] = {name: summed[..., place].tolist() for place, name in enumerate(names)}
    return answer


_RETURNS = {
    "constant": "constant",
    "crs": "constant",
    "ccr": "constant",
    "variable": "variable",
    "vrs": "variable",
    "bcc": "variable",
    "non_increasing": "non_increasing",
    "nirs": "non_increasing",
    "non_decreasing": "non_decreasing",
    "ndrs": "non_decreasing",
}
_ORIENTATIONS = {"input": "input", "in": "input", "output": "output", "out": "output"}
_X, _Y = ("x", "X", "inputs", "input_data"), ("y", "Y", "outputs", "output_data")


def solve_dea(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Return efficiencies, slacks and peers.

    Output-oriented papers print either phi (1 or more) or 1 / phi; the form that the case prints is answered.
    """
    known_only(inputs, ("returns", "rts", "model", "orientation", "super_efficiency", *_X, *_Y, *_NAMES), "")
    x, y = (_column(_table(inputs, names)) for names in (_X, _Y))
    returns = _choice(inputs, ("returns", "rts", "model"), _RETURNS, "constant")
    orientation = _choice(inputs, ("orientation",), _ORIENTATIONS, "input")
    over = inputs.get("super_efficiency") is True
    found = _guarded("x, y", lambda: dea(x, y, returns, orientation, super_efficiency=over))  # type: ignore[arg-type]
    printed = expected.get("efficiency") or expected.get("score") or ()
    as_factor = isinstance(printed, Sequence) and any(
        isinstance(one, int | float) and one > 1 + 1e-6 for one in printed
    )
    score = found.score if as_factor else found.efficiency
    scale = _guarded("x, y", lambda: scale_efficiency(x, y, orientation))  # type: ignore[arg-type]
    return {
        **dict.fromkeys(("efficiency", "efficiencies", "score", "scores"), score.tolist()),
        **dict.fromkeys(("theta", "phi"), found.score.tolist()),
        **dict.fromkeys(("scale_efficiency", "scale"), scale.tolist()),
        **dict.fromkeys(("slack_x", "slacks_x", "input_slacks"), found.input_slacks.tolist()),
        **dict.fromkeys(("slack_y", "slacks_y", "output_slacks"), found.output_slacks.tolist()),
        **dict.fromkeys(("peers", "lambda", "lambdas"), found.peers.tolist()),
        "efficient": found.efficient.tolist(),
        **dict.fromkeys(("rank", "ranks"), ranks(np.round(score, 9), ascending=as_factor and not over).tolist()),
    }


def _column(table: Numbers) -> Numbers:
    return table[:, None] if table.ndim == 1 else table


def _field(inputs: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return which of several names of one thing the case uses."""
    found = next((name for name in names if inputs.get(name) is not None), None)
    if found is None:
        raise refuse(names[0], message("verify.missing", field=names[0]))
    return found


def _table(inputs: Mapping[str, Any], names: Sequence[str]) -> Numbers:
    """Return a table of numbers, given as rows or as a mapping of name to row."""
    field = _field(inputs, names)
    given = inputs[field]
    return numbers(list(given.values()) if isinstance(given, Mapping) else given, field)


def _shares(inputs: Mapping[str, Any], count: int) -> Numbers:
    """Return weights: as given, equal when left out; their sum must be one."""
    field = next((name for name in _WEIGHTS if inputs.get(name) is not None), "")
    if not field:
        return np.full(count, 1 / count)
    weights = numbers(inputs[field], field)
    if weights.shape != (count,):
        raise refuse(field, message("verify.row_length", given=weights.size, wanted=count))
    if np.any(weights < 0) or abs(weights.sum() - 1) > 1e-3:
        raise refuse(field, message("verify.weights_not_one", total=f"{weights.sum():g}"))
    return weights


def _benefit(inputs: Mapping[str, Any], count: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which criteria are better when higher; all of them when left out."""
    field = next((name for name in _DIRECTIONS if inputs.get(name) is not None), "")
    if not field:
        return np.ones(count, dtype=bool)
    words = [str(one).strip().lower() for one in listing(inputs[field], field)]
    if len(words) != count:
        raise refuse(field, message("verify.row_length", given=len(words), wanted=count))
    for word in words:
        if word not in _BEST | _WORST:
            raise refuse(field, message("verify.unknown_name", known="max, min"), word)
    return np.array([word in _BEST for word in words])


def _choice(inputs: Mapping[str, Any], fields: Sequence[str], known: Mapping[str, str], default: str) -> str:
    field = next((name for name in fields if inputs.get(name) is not None), "")
    if not field:
        return default
    word = str(inputs[field]).strip().lower().replace("-", "_").replace(" ", "_")
    if word not in known:
        raise refuse(field, message("verify.unknown_name", known=", ".join(dict.fromkeys(known))), inputs[field])
    return known[word]


def _guarded(field: str, compute: Callable[[], Answer]) -> Answer:
    """Turn what a kernel refuses into a message about the case."""
    try:
        return compute()
    except ValueError as error:
        raise refuse(field, message("verify.refused", reason=str(error))) from error
