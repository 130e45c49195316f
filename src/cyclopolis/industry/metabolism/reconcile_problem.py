"""What a reconciliation is asked, checked at the door, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import Message, message
from cyclopolis.industry.metabolism.reconcile_linear import LinearSystem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Kind = Literal["reconciled", "measured", "observable", "unobservable", "constant"]
Correlation = tuple[int, int, float]


@dataclass(frozen=True)
class ReconcileProblem:
    """Quantities, what was measured of them, and the relations they must satisfy.

    Parameters
    ----------
    values : (n,) array
        Measured values, each in its own unit; NaN where nothing was measured.
    sds : (n,) array
        Standard uncertainties (1 sigma), in the unit of the value; 0 for an exact value; NaN where not measured.
    linear : (m, n) csr matrix
        Linear relations, one a row: ``linear @ z = right``.
    right : (m,) array, optional
        Right-hand sides; 0 when left out.
    products : (p, 3) int array, optional
        Rows ``(result, factor, of)``: ``z[result] = z[factor] * z[of]``.
    correlations : sequence of (first, second, coefficient), optional
        Correlations of measured values; 0 for every pair left out.
    lower, upper : (n,) arrays, optional
        Bounds; infinite or NaN where there is none.
    names : sequence of n str, optional
        Names of the quantities, for messages; their numbers when left out.
    relation_names : sequence of m + p str, optional
        Names of the rows of ``linear`` and then of ``products``, for messages.
    """

    values: Floats
    sds: Floats
    linear: sp.csr_matrix
    right: Floats | None = None
    products: Ints | None = None
    correlations: Sequence[Correlation] = ()
    lower: Floats | None = None
    upper: Floats | None = None
    names: Sequence[str] | None = None
    relation_names: Sequence[str] | None = None

    @property
    def right_side(self) -> Floats:
        """Right-hand sides, (m,)."""
        return np.zeros(self.linear.shape[0]) if self.right is None else self.right

    @property
    def product_rows(self) -> Ints:
        """Products, (p, 3)."""
        return np.zeros((0, 3), dtype=np.int64) if self.products is None else self.products

    def name(self, index: int) -> str:
        """Return the name of a quantity."""
        return str(index) if self.names is None else self.names[index]

    def relation_name(self, row: int) -> str:
        """Return the name of a relation; the linear ones come first."""
        if self.relation_names is not None:
            return self.relation_names[row]
        count = self.linear.shape[0]
        return f"linear {row + 1}" if row < count else f"products {row - count + 1}"


@dataclass(frozen=True)
class Convergence:
    """How the iteration over the products went.

    Parameters
    ----------
    converged : bool
        The last step was below 1e-10 of the values and the relations hold.
    steps : tuple of float
        Largest relative change of a determined quantity in each iteration; one entry when all relations are linear.
    residual : float
        Largest relation left open, relative to the terms in it.
    """

    converged: bool
    steps: tuple[float, ...]
    residual: float


@dataclass(frozen=True)
class Reconciled:
    """Values that satisfy the relations, nearest to what was measured.

    Parameters
    ----------
    values : (n,) array
        NaN where the quantity cannot be determined.
    sds : (n,) array
        Standard uncertainties; NaN where the quantity cannot be determined.
    kinds : tuple of n str
        ``reconciled`` measured and corrected by the relations; ``measured`` no relation says anything of it;
        ``observable`` not measured, determined by the others; ``unobservable`` not determined; ``constant`` exact.
    chi_square : float
        Weighted squares of the corrections.
    dof : int
        Number of independent relations among measured values.
    p_value : float
        Probability of a larger ``chi_square`` if all uncertainties are right; NaN when ``dof`` is 0.
    local_tests : (n,) array
        Correction over its standard uncertainty; NaN where nothing was corrected.
    missing : int array
        A smallest set of quantities that, measured, would determine every unobservable one.
    twins : tuple of int arrays
        Groups of unobservable quantities of which one measured determines all in the group.
    at_bound : (n,) bool array
        The value was held at a bound; all uncertainties are then approximate (the bound is taken as exact).
    convergence : Convergence
    system : LinearSystem
        The relations at the solution, for `covariance`.
    """

    values: Floats
    sds: Floats
    kinds: tuple[Kind, ...]
    chi_square: float
    dof: int
    p_value: float
    local_tests: Floats
    missing: Ints
    twins: tuple[Ints, ...]
    at_bound: NDArray[np.bool_]
    convergence: Convergence
    system: LinearSystem

    @property
    def approximate(self) -> bool:
        """Whether the uncertainties are approximate because a bound holds."""
        return bool(self.at_bound.any())


@dataclass(frozen=True)
class Suspect:
    """One measurement, and what is found without it.

    Parameters
    ----------
    index : int
        The quantity.
    local_test : float
        Its correction over the standard uncertainty of the correction.
    chi_square, dof, p_value
        Global test without it.
    value, sd : float
        What the other measurements say of it; NaN when they say nothing.
    changed : int array
        Quantities that move by more than a tenth of their uncertainty without it, the most moved first.
    shifts : array
        How far each of ``changed`` moves, in its own unit.
    """

    index: int
    local_test: float
    chi_square: float
    dof: int
    p_value: float
    value: float
    sd: float
    changed: Ints
    shifts: Floats


def check_problem(problem: ReconcileProblem) -> None:
    """Refuse what cannot be reconciled, with every fault found.

    Parameters
    ----------
    problem : ReconcileProblem

    Raises
    ------
    UserError
        For a value without uncertainty or the reverse, a negative uncertainty, an impossible correlation or bound.
    """
    values, sds = problem.values, problem.sds
    faults: list[Message] = []
    for index in np.flatnonzero(np.isnan(values) != np.isnan(sds)).tolist():
        key = "sd_without_value" if np.isnan(values[index]) else "value_without_sd"
        faults.append(message(f"metabolism.{key}", name=problem.name(index)))
    faults.extend(
        message("metabolism.sd_negative", name=problem.name(index), sd=float(sds[index]))
        for index in np.flatnonzero(sds < 0).tolist()
    )
    faults.extend(
        message("metabolism.not_finite", name=problem.name(index))
        for index in np.flatnonzero(np.isinf(values) | np.isinf(sds)).tolist()
    )
    faults.extend(_correlation_faults(problem))
    faults.extend(_bound_faults(problem))
    if faults:
        raise UserError([Problem(fault) for fault in faults])


def _correlation_faults(problem: ReconcileProblem) -> list[Message]:
    """Return what is wrong with the correlations."""
    faults = []
    for first, second, value in problem.correlations:
        names = {"first": problem.name(first), "second": problem.name(second)}
        if not -1 < value < 1 or first == second:
            faults.append(message("metabolism.correlation_range", value=value, **names))
        elif not (problem.sds[first] > 0 and problem.sds[second] > 0):
            faults.append(message("metabolism.correlation_unmeasured", **names))
    if not faults:
        for group, block in _correlation_blocks(problem):
            if np.linalg.eigvalsh(block)[0] <= 1e-12:
                listed = ", ".join(problem.name(index) for index in group.tolist())
                faults.append(message("metabolism.correlation_impossible", names=listed))
    return faults


def _bound_faults(problem: ReconcileProblem) -> list[Message]:
    """Return what is wrong with the bounds."""
    lower, upper = bounds_of(problem)
    faults = [
        message(
            "metabolism.bounds_crossed", name=problem.name(index), lower=float(lower[index]), upper=float(upper[index])
        )
        for index in np.flatnonzero(lower > upper).tolist()
    ]
    outside = (problem.sds == 0) & ((problem.values < lower) | (problem.values > upper)) & (lower <= upper)
    faults.extend(
        message(
            "metabolism.bounds_exact",
            name=problem.name(index),
            value=float(problem.values[index]),
            lower=float(lower[index]),
            upper=float(upper[index]),
        )
        for index in np.flatnonzero(outside).tolist()
    )
    return faults


def bounds_of(problem: ReconcileProblem) -> tuple[Floats, Floats]:
    """Return the bounds, infinite where there is none.

    Examples
    --------
    >>> asked = ReconcileProblem(np.ones(1), np.ones(1), sp.csr_matrix((0, 1)), lower=np.zeros(1))
    >>> [side.tolist() for side in bounds_of(asked)]
    [[0.0], [inf]]
    """
    size = problem.values.size
    lower = np.full(size, -np.inf) if problem.lower is None else problem.lower
    upper = np.full(size, np.inf) if problem.upper is None else problem.upper
    return np.where(np.isnan(lower), -np.inf, lower), np.where(np.isnan(upper), np.inf, upper)


def _correlation_blocks(problem: ReconcileProblem) -> list[tuple[Ints, Floats]]:
    """Return the groups of correlated quantities with their correlation matrices."""
    size = problem.values.size
    if not problem.correlations:
        return []
    rows, columns, values = (np.array(part) for part in zip(*problem.correlations, strict=True))
    matrix = sp.csr_matrix((values.astype(float), (rows, columns)), (size, size))
    matrix = sp.csr_matrix(matrix + matrix.T + sp.eye_array(size))
    _, labels = sp.csgraph.connected_components(matrix, directed=False)
    involved = np.unique(np.concatenate([rows, columns]))
    groups = [involved[labels[involved] == label] for label in np.unique(labels[involved])]
    return [(group, matrix[group][:, group].toarray()) for group in groups]


def covariance_of(problem: ReconcileProblem) -> sp.csr_matrix:
    """Return the covariance of the measured values, zero for exact values and unknowns.

    Examples
    --------
    >>> asked = ReconcileProblem(np.array([1.0, 2.0]), np.array([0.1, 0.2]), sp.csr_matrix((0, 2)),
    ...                          correlations=[(0, 1, 0.5)])
    >>> covariance_of(asked).toarray().round(12).tolist()
    [[0.01, 0.01], [0.01, 0.04]]
    """
    sds = np.nan_to_num(problem.sds)
    diagonal = sp.csr_matrix(sp.diags_array(sds**2))
    if not problem.correlations:
        return diagonal
    rows, columns, values = (np.array(part) for part in zip(*problem.correlations, strict=True))
    apart = sp.csr_matrix((values * sds[rows] * sds[columns], (rows, columns)), (sds.size, sds.size))
    return sp.csr_matrix(diagonal + apart + apart.T)
