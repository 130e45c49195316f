"""A mixed-integer linear programme on plain arrays: what assembling hands to solving, and what solving hands back.

Nothing here knows plants or years. Assembling (`assemble`) writes a `Program` from a design problem; everything that
solves (one optimum, a front, alternatives, draws, explanations) works on it.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array

from cyclopolis.network.model import Bools, Floats


@dataclass(frozen=True)
class Program:
    """Rows and columns of a programme: ``row_lower <= matrix @ z <= row_upper``, ``lower <= z <= upper``.

    ``z`` are scaled columns: the natural amount of column ``v`` is ``scale[v] * z[v]``. Integer columns have scale 1.

    Parameters
    ----------
    matrix : csr_array
        Coefficients over the scaled columns (R, V); no explicit zeros, indices sorted.
    row_lower, row_upper : ndarray
        Bounds of the rows (R,), infinite where there is none.
    lower, upper : ndarray
        Bounds of the scaled columns (V,).
    integer : ndarray of bool
        Columns that take whole numbers (V,).
    scale : ndarray
        Natural amount of one unit of each column (V,).
    """

    matrix: csr_array
    row_lower: Floats
    row_upper: Floats
    lower: Floats
    upper: Floats
    integer: Bools
    scale: Floats


@dataclass(frozen=True)
class Objective:
    """A quantity of a solution: ``constant + natural @ weights``, weights (V,) per natural unit of each column.

    Solvers always maximise; what should be small (an environment score) is handed over with its sign turned.
    """

    name: str
    weights: Floats
    constant: float = 0.0

    def value(self, natural: Floats) -> float:
        """Return the quantity at natural amounts (V,).

        Examples
        --------
        >>> Objective("gain", np.array([2.0, -1.0]), 5.0).value(np.array([3.0, 4.0]))
        7.0
        """
        return self.constant + float(self.weights @ natural)


@dataclass(frozen=True)
class Answer:
    """What one solve found.

    ``status`` is optimal, time_limit (best found when time ran out), interrupted (best found when the user stopped it),
    infeasible, unbounded or no_solution (the search ended before any was found). ``natural`` (V,) are natural amounts,
    empty unless something was found; ``objective`` and ``bound`` are in the objective's unit, constant included; no
    solution beats ``bound``. ``row_dual`` (R,) and ``column_dual`` (V,), per natural unit of the objective, are there
    only when asked for: those of the linear programme that is left when whole numbers are fixed.
    """

    status: str
    natural: Floats
    objective: float
    bound: float
    seconds: float
    row_dual: Floats = field(default_factory=lambda: np.zeros(0))
    column_dual: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def gap(self) -> float:
        """Relative gap between bound and objective; 0 when they agree."""
        difference = abs(self.bound - self.objective)
        return 0.0 if difference == 0 else difference / max(abs(self.objective), 1e-9)
