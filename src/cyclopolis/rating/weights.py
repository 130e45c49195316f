"""Weights of criteria: equal, by experts (AHP), from the spread of the data (entropy, CRITIC), and combined.

Kernels on plain arrays. A table has alternatives (places) in rows and criteria in columns; leading axes are independent
tables (years, draws) and stay in front of the answer.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CONSISTENT = 0.1
"""Consistency ratio below which a pairwise matrix is accepted (Saaty)."""

_RECIPROCAL = 1e-2
"""How far a[j, i] * a[i, j] may be from 1: judgements are often printed with two or three digits."""


@dataclass(frozen=True)
class Ahp:
    """Priorities of a pairwise matrix.

    Parameters
    ----------
    weights : array, shape (..., n)
        Sum 1.
    lambda_max : array, shape (...,)
        Largest eigenvalue (for the geometric mean: the mean of (A w)_i / w_i).
    ci, cr : array, shape (...,)
        Consistency index (lambda_max - n) / (n - 1) and ratio CI / RI; zero for n below 3.
    random_index : float
        RI used, from the table named ``table``.
    """

    weights: Floats
    lambda_max: Floats
    ci: Floats
    cr: Floats
    random_index: float
    table: str

    @property
    def consistent(self) -> Bools:
        """Whether the ratio is below 0.1."""
        return np.asarray(self.cr < CONSISTENT)


@cache
def random_indices() -> Mapping[str, Mapping[int, float]]:
    """Return the random-index tables by name and order of the matrix, as they stand in ``random_index.csv``."""
    found: dict[str, dict[int, float]] = {}
    text = (files("cyclopolis.rating") / "random_index.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        found.setdefault(row["table"], {})[int(row["n"])] = float(row["value"])
    return found


def not_reciprocal(matrix: npt.ArrayLike) -> list[tuple[int, int]]:
    """Return the cells (row, column, row before column) where a pairwise matrix contradicts itself.

    A cell is at fault where a[i, j] is not positive or a[i, j] * a[j, i] is not 1 within a hundredth; the diagonal must
    be 1.

    Examples
    --------
    >>> not_reciprocal([[1, 3], [0.5, 1]]), not_reciprocal([[1, 3], [0.333, 1]])
    ([(0, 1)], [])
    """
    table = np.asarray(matrix, dtype=np.float64)
    product = table * table.T
    good = (table > 0) & (table.T > 0) & (np.abs(product - 1) <= _RECIPROCAL)
    return [(int(i), int(j)) for i, j in np.argwhere(~good) if i <= j]


def ahp(
    matrix: npt.ArrayLike,
    method: Literal["eigenvector", "geometric_mean"] = "eigenvector",
    table: str = "saaty",
) -> Ahp:
    """Return the priorities of pairwise comparisons.

    Parameters
    ----------
    matrix : array, shape (..., n, n)
        a[i, j] says how many times i matters more than j; reciprocal and positive.
    method : {"eigenvector", "geometric_mean"}
        Principal right eigenvector, or geometric means of the rows.
    table : str
        Random-index table: a name of `random_indices`.

    Returns
    -------
    Ahp

    Raises
    ------
    ValueError
        If the matrix is not square, not positive, or the table has no index for its order.

    References
    ----------
    Saaty, T. L. (2008), doi 10.1504/IJSSCI.2008.017590; Crawford and Williams (1985) for the geometric mean.

    Examples
    --------
    >>> ahp([[1, 2, 4], [0.5, 1, 2], [0.25, 0.5, 1]]).weights.round(4).tolist()
    [0.5714, 0.2857, 0.1429]
    """
    pairs = np.asarray(matrix, dtype=np.float64)
    order = pairs.shape[-1]
    if pairs.ndim < 2 or pairs.shape[-2] != order or not np.all(pairs > 0):
        raise ValueError("a pairwise matrix is square and positive")
    index = random_indices()[table].get(order)
    if index is None:
        raise ValueError(f"the random-index table {table} ends before {order}")
    if method == "eigenvector":
        values, vectors = np.linalg.eig(pairs)
        place = np.argmax(values.real, axis=-1)
        largest = np.take_along_axis(values.real, place[..., None], axis=-1)[..., 0]
        vector = np.abs(np.take_along_axis(vectors.real, place[..., None, None], axis=-1)[..., 0])
    else:
        vector = np.exp(np.log(pairs).mean(axis=-1))
        largest = np.mean(np.matmul(pairs, vector[..., None])[..., 0] / vector, axis=-1)
    weights = vector / vector.sum(axis=-1, keepdims=True)
    ci = np.maximum(largest - order, 0.0) / max(order - 1, 1)
    return Ahp(weights, np.asarray(largest), ci, ci / index if index > 0 else np.zeros_like(ci), index, table)


def equal_weights(count: int) -> Floats:
    """Return equal weights of sum 1.

    Examples
    --------
    >>> equal_weights(4).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    return np.full(count, 1.0 / count)


def minmax(matrix: npt.ArrayLike, benefit: npt.ArrayLike | None = None) -> Floats:
    """Return each column from 0 (worst) to 1 (best); a column of equal values is 1 throughout.

    Parameters
    ----------
    matrix : array, shape (..., N, K)
    benefit : array of bool, shape (K,), optional
        True where more is better; everywhere when left out.

    Examples
    --------
    >>> minmax([[1, 10], [3, 20], [2, 40]], [True, False]).round(3).tolist()
    [[0.0, 1.0], [1.0, 0.667], [0.5, 0.0]]
    """
    values = np.asarray(matrix, dtype=np.float64)
    better = np.ones(values.shape[-1], dtype=bool) if benefit is None else np.asarray(benefit, dtype=np.bool_)
    low, high = values.min(axis=-2, keepdims=True), values.max(axis=-2, keepdims=True)
    width = high - low
    shares = np.where(better, values - low, high - values) / np.where(width > 0, width, 1.0)
    return np.where(width == 0, 1.0, shares)


def entropy_weights(
    matrix: npt.ArrayLike,
    benefit: npt.ArrayLike | None = None,
    normalisation: Literal["sum", "minmax"] = "sum",
    shift: float = 0.0,
) -> Floats:
    """Return weights by the spread of each criterion over the alternatives: what differs more weighs more.

    With shares p of the column's sum, H = -sum(p ln p) / ln m (0 ln 0 = 0), the weight is (1 - H) / sum(1 - H).

    Parameters
    ----------
    matrix : array, shape (..., m, K)
        Zero or more with ``normalisation="sum"``.
    benefit : array of bool, shape (K,), optional
        Matters with ``normalisation="minmax"`` only.
    normalisation : {"sum", "minmax"}
        Shares of the values themselves (Shannon's form), or of the values brought to 0..1 in their better direction
        first, as many Chinese papers do; the two give different weights.
    shift : float
        Added after min-max (papers use 0.0001, 0.01 or 1) so that no share is zero.

    Returns
    -------
    array of float, shape (..., K)
        Sum 1; equal where no criterion differs at all.

    Raises
    ------
    ValueError
        If a value is negative or a column holds only zeros (sum form), or there are fewer than two alternatives.

    References
    ----------
    Shannon (1948); Zavadskas and Podvezko (2016), IJITDM 15(2) 267-283.

    Examples
    --------
    >>> entropy_weights([[30, 30, 38, 29], [19, 54, 86, 29], [19, 15, 85, 28.9], [68, 70, 60, 29]]).round(4).tolist()
    [0.463, 0.3992, 0.1378, 0.0]
    """
    return _spread_weights(1.0 - entropies(matrix, benefit, normalisation, shift))


def entropies(
    matrix: npt.ArrayLike,
    benefit: npt.ArrayLike | None = None,
    normalisation: Literal["sum", "minmax"] = "sum",
    shift: float = 0.0,
) -> Floats:
    """Return the entropy H of each criterion, from 0 to 1; see `entropy_weights`.

    Examples
    --------
    >>> entropies([[3.0, 100], [2.5, 80], [1.8, 50], [2.2, 70]]).round(4).tolist()
    [0.9877, 0.9788]
    """
    values = np.asarray(matrix, dtype=np.float64)
    if values.ndim < 2 or values.shape[-2] < 2:
        raise ValueError("entropy needs two alternatives or more")
    if normalisation == "minmax":
        values = minmax(values, benefit) + shift
    if np.any(values < 0) or np.any(values.sum(axis=-2) <= 0):
        raise ValueError("entropy needs values of zero or more, and no column of zeros; bring them to 0..1 first")
    shares = values / values.sum(axis=-2, keepdims=True)
    logs = np.log(np.where(shares > 0, shares, 1.0))
    return np.asarray(-np.sum(shares * logs, axis=-2) / np.log(values.shape[-2]))


def _spread_weights(spread: Floats) -> Floats:
    """Return weights in proportion to a spread that is zero or more (rounding apart), equal where all are zero."""
    kept = np.where(spread > 1e-14, spread, 0.0)
    total = kept.sum(axis=-1, keepdims=True)
    return np.where(total > 0, kept / np.where(total > 0, total, 1.0), 1.0 / spread.shape[-1])


def critic_weights(
    matrix: npt.ArrayLike,
    benefit: npt.ArrayLike | None = None,
    correlation: Literal["pearson", "spearman"] = "pearson",
) -> Floats:
    """Return weights by contrast and conflict (CRITIC): what varies more and repeats others less weighs more.

    Columns are brought to 0..1 in their better direction; with standard deviation s and correlation r,
    C_j = s_j sum_k (1 - r_jk), and the weight is C_j / sum C. A criterion that does not vary gets zero.

    Parameters
    ----------
    matrix : array, shape (..., N, K)
    benefit : array of bool, shape (K,), optional
    correlation : {"pearson", "spearman"}
        Of values, or of ranks.

    Returns
    -------
    array of float, shape (..., K)

    References
    ----------
    Diakoulaki, Mavrotas, Papayannakis (1995), Computers & Operations Research 22(7) 763-770.

    Examples
    --------
    >>> critic_weights([[1, 5], [2, 4], [3, 9]], [True, True]).round(4).tolist()
    [0.4858, 0.5142]
    """
    return _spread_weights(critic_information(matrix, benefit, correlation)[0])


def critic_information(
    matrix: npt.ArrayLike,
    benefit: npt.ArrayLike | None = None,
    correlation: Literal["pearson", "spearman"] = "pearson",
) -> tuple[Floats, Floats, Floats]:
    """Return information C (..., K), standard deviations s (..., K) and correlations r (..., K, K) of `critic_weights`.

    Examples
    --------
    >>> critic_information([[1, 5], [2, 4], [3, 9]])[2].round(4).tolist()
    [[1.0, 0.7559], [0.7559, 1.0]]
    """
    shares = minmax(matrix, benefit)
    spread = shares.std(axis=-2, ddof=1) if shares.shape[-2] > 1 else np.zeros(shares.shape[:-2] + shares.shape[-1:])
    compared = _ranks(shares) if correlation == "spearman" else shares
    centred = compared - compared.mean(axis=-2, keepdims=True)
    size = np.sqrt(np.sum(np.square(centred), axis=-2, keepdims=True))
    unit = np.where(size > 1e-14, centred / np.where(size > 1e-14, size, 1.0), 0.0)
    related = np.matmul(np.swapaxes(unit, -1, -2), unit)
    return spread * np.sum(1.0 - related, axis=-1), spread, related


def _ranks(values: Floats) -> Floats:
    """Return ranks down each column, equal values sharing their mean rank."""
    below = np.sum(values[..., :, None, :] > values[..., None, :, :], axis=-2)
    same = np.sum(values[..., :, None, :] == values[..., None, :, :], axis=-2)
    return np.asarray(below + (same + 1) / 2)


def combined_weights(
    weights: npt.ArrayLike,
    how: Literal["multiplicative", "additive"] = "multiplicative",
    shares: npt.ArrayLike | None = None,
) -> Floats:
    """Return one set of weights from several (experts' and data's).

    Parameters
    ----------
    weights : array, shape (S, ..., K)
        The sets along the first axis.
    how : {"multiplicative", "additive"}
        Product, or weighted mean, brought to sum 1.
    shares : array, shape (S,), optional
        Weight of each set in the mean (exponent in the product); equal when left out.

    Raises
    ------
    ValueError
        If the product is zero throughout: the sets exclude each other.

    Examples
    --------
    >>> experts, data = [0.5, 0.5], [0.2, 0.8]
    >>> combined_weights([experts, data]).tolist(), combined_weights([experts, data], "additive").tolist()
    ([0.2, 0.8], [0.35, 0.65])
    """
    sets = np.asarray(weights, dtype=np.float64)
    parts = np.ones(len(sets)) if shares is None else np.asarray(shares, dtype=np.float64)
    parts = parts.reshape(-1, *([1] * (sets.ndim - 1)))
    joined = np.prod(sets**parts, axis=0) if how == "multiplicative" else np.sum(parts * sets, axis=0)
    total = joined.sum(axis=-1, keepdims=True)
    if not np.all(total > 0):
        raise ValueError("the sets of weights exclude each other: their product is zero")
    return np.asarray(joined / total)
