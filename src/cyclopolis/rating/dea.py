"""Efficiency against peers by data envelopment analysis (DEA), one small linear programme per unit, solved by HiGHS.

The programme is built once; from unit to unit only a column, some limits and, for the slacks, the costs change, so that
HiGHS starts from the last basis.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import highspy

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Returns = Literal["constant", "variable", "non_increasing", "non_decreasing"]
Orientation = Literal["input", "output"]

_INFINITE = float("inf")
_TINY = 1e-7
_SUMS = {"variable": (1.0, 1.0), "non_increasing": (-_INFINITE, 1.0), "non_decreasing": (1.0, _INFINITE)}


@dataclass(frozen=True)
class Dea:
    """Efficiencies with the peers that show them.

    Parameters
    ----------
    score : array, shape (N,)
        theta (input: share of the inputs that would do, at most 1) or phi (output: factor by which outputs could
        grow, at least 1). Super-efficiencies lie on the other side of 1; NaN where the programme has no solution.
    peers : array, shape (N, N)
        lambda: weight of each unit in the reference of each unit.
    input_slacks : array, shape (N, m)
    output_slacks : array, shape (N, s)
        What is left beyond the radial change, in the data's units, their sum as large as can be.
    """

    score: Floats
    peers: Floats
    input_slacks: Floats
    output_slacks: Floats
    orientation: Orientation

    @property
    def efficiency(self) -> Floats:
        """Efficiency from 0 to 1: theta, or 1 / phi."""
        return self.score if self.orientation == "input" else 1.0 / self.score

    @property
    def efficient(self) -> Bools:
        """Whether a unit is efficient: score 1 and no slack (score 1 with slack is weakly efficient)."""
        scale = _TINY * 10
        slack = np.maximum(self.input_slacks.max(axis=1, initial=0.0), self.output_slacks.max(axis=1, initial=0.0))
        return np.asarray((np.abs(self.score - 1) <= scale) & (slack <= scale))


def dea(
    inputs: npt.ArrayLike,
    outputs: npt.ArrayLike,
    returns: Returns = "constant",
    orientation: Orientation = "input",
    *,
    super_efficiency: bool = False,
) -> Dea:
    """Return how efficient each unit is against the best of all.

    Input orientation: min theta with sum lambda_j x_j <= theta x_o, sum lambda_j y_j >= y_o, lambda >= 0; output
    orientation: max phi with sum lambda_j x_j <= x_o, sum lambda_j y_j >= phi y_o. Constant returns to scale is the CCR
    model; ``variable`` adds sum lambda = 1 (BCC). Slacks come from a second stage at the score found.

    Parameters
    ----------
    inputs : array, shape (N, m)
    outputs : array, shape (N, s)
        Zero or more.
    returns : {"constant", "variable", "non_increasing", "non_decreasing"}
    orientation : {"input", "output"}
    super_efficiency : bool
        Leave each unit out of its own reference, so that efficient units differ.

    Returns
    -------
    Dea

    Raises
    ------
    ValueError
        If the shapes do not fit or a value is negative or unknown.

    References
    ----------
    Charnes, Cooper, Rhodes (1978); Banker, Charnes, Cooper (1984); Andersen and Petersen (1993) for super-efficiency.

    Examples
    --------
    >>> dea([[2.0], [4.0], [8.0]], [[2.0], [2.0], [6.0]]).score.round(6).tolist()
    [1.0, 0.5, 0.75]
    """
    x, y = np.asarray(inputs, dtype=np.float64), np.asarray(outputs, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not np.all(x >= 0) or not np.all(y >= 0):
        raise ValueError("inputs (N, m) and outputs (N, s) must be zero or more and of the same units")
    programme = _Programme(x, y, returns, orientation)
    solved = [programme.solve(unit, super_efficiency=super_efficiency) for unit in range(len(x))]
    scores = np.array([score for score, _ in solved])
    peers = np.array([found for _, found in solved]).reshape(len(x), len(x))
    theta, phi = (scores, np.ones_like(scores)) if orientation == "input" else (np.ones_like(scores), scores)
    return Dea(
        scores,
        peers,
        _clean(theta[:, None] * x - peers @ x, x),
        _clean(peers @ y - phi[:, None] * y, y),
        orientation,
    )


def scale_efficiency(inputs: npt.ArrayLike, outputs: npt.ArrayLike, orientation: Orientation = "input") -> Floats:
    """Return CCR efficiency over BCC efficiency: 1 where a unit has its best size.

    Examples
    --------
    >>> scale_efficiency([[2.0], [4.0], [8.0]], [[2.0], [6.0], [8.0]]).round(4).tolist()
    [0.6667, 1.0, 0.6667]
    """
    constant = dea(inputs, outputs, "constant", orientation).efficiency
    return np.asarray(constant / dea(inputs, outputs, "variable", orientation).efficiency)


def _clean(slacks: Floats, data: Floats) -> Floats:
    room = _TINY * np.maximum(np.abs(data).max(axis=0, initial=0.0), 1e-300)
    return np.where(np.abs(slacks) <= room, 0.0, slacks)


class _Programme:
    """One linear programme in HiGHS: columns lambda_1..N and the factor, rows inputs, outputs, perhaps their sum."""

    def __init__(self, x: Floats, y: Floats, returns: Returns, orientation: Orientation) -> None:
        import highspy  # noqa: PLC0415 - the solver is loaded when it is needed

        self.by_input = orientation == "input"
        self.count, self.m = x.shape
        self.x, self.y = (one / _mean(one) for one in (x, y))
        self.slack_costs = x.sum(axis=1) - y.sum(axis=1)
        self.sums = _SUMS.get(returns)
        self.optimal = highspy.HighsModelStatus.kOptimal
        self.solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves its constructor without types
        self.solver.silent()
        for name, value in (("threads", 1), ("parallel", "off"), ("presolve", "off"), ("random_seed", 0)):
            self.solver.setOptionValue(name, value)
        for name in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
            self.solver.setOptionValue(name, 1e-9)
        self._build(self.solver)

    def _build(self, solver: "highspy.Highs") -> None:
        columns = self.count + 1
        solver.addVars(columns, np.zeros(columns), np.full(columns, _INFINITE))
        table = np.hstack([self.x, self.y]).T
        indices = np.tile(np.arange(self.count, dtype=np.int32), len(table))
        starts = (np.arange(len(table)) * self.count).astype(np.int32)
        free = np.full(len(table), _INFINITE)
        solver.addRows(len(table), -free, free, table.size, starts, indices, table.ravel())
        if self.sums:
            every = np.arange(self.count, dtype=np.int32)
            solver.addRow(*self.sums, self.count, every, np.ones(self.count))

    def solve(self, unit: int, *, super_efficiency: bool) -> tuple[float, Floats]:
        """Return score and peers of a unit, slacks made as large as can be."""
        solver, factor = self.solver, self.count
        self._place(unit)
        solver.changeColBounds(factor, 0.0, _INFINITE)
        if super_efficiency:
            solver.changeColBounds(unit, 0.0, 0.0)
        self._costs(np.zeros(self.count), 1.0 if self.by_input else -1.0)
        score, peers = self._run(factor)
        if not np.isnan(score):
            solver.changeColBounds(factor, score, score)
            self._costs(self.slack_costs / max(float(np.abs(self.slack_costs).max()), 1e-300), 0.0)
            second = self._run(factor)[1]
            peers = peers if np.isnan(second).any() else second
        if super_efficiency:
            solver.changeColBounds(unit, 0.0, _INFINITE)
        return score, peers

    def _place(self, unit: int) -> None:
        """Write the unit's own inputs and outputs into the factor's column and the limits of the rows."""
        own = [(row, self.x[unit, row]) for row in range(self.m)]
        out = [(self.m + row, self.y[unit, row]) for row in range(self.y.shape[1])]
        for row, amount in own:
            self.solver.changeCoeff(row, self.count, -amount if self.by_input else 0.0)
            self.solver.changeRowBounds(row, -_INFINITE, 0.0 if self.by_input else amount)
        for row, amount in out:
            self.solver.changeCoeff(row, self.count, 0.0 if self.by_input else -amount)
            self.solver.changeRowBounds(row, amount if self.by_input else 0.0, _INFINITE)

    def _costs(self, peers: Floats, factor: float) -> None:
        columns = np.arange(self.count + 1, dtype=np.int32)
        self.solver.changeColsCost(len(columns), columns, np.append(peers, factor))

    def _run(self, factor: int) -> tuple[float, Floats]:
        self.solver.run()
        if self.solver.getModelStatus() != self.optimal:
            return float("nan"), np.full(self.count, np.nan)
        found = np.asarray(self.solver.getSolution().col_value)
        return float(found[factor]), found[: self.count]


def _mean(table: Floats) -> Floats:
    mean = table.mean(axis=0)
    return np.where(mean > 0, mean, 1.0)
