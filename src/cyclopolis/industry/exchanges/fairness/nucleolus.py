"""The nucleolus, the core and the least core of a game on plain arrays, by linear programmes.

A game of n players is an array of 2**n values; bit i of the place tells whether player i is a member.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeResult, linprog

from cyclopolis.industry.exchanges.fairness.shapley import Floats, players_of

_CLOSE = 1e-9


@dataclass(frozen=True)
class Core:
    """Whether some division leaves no coalition with a reason to go its own way.

    ``least`` is the smallest discontent that the worst-off coalition must have (not positive if the core is not
    empty), ``division`` (n,) one that reaches it.
    """

    empty: bool
    least: float
    division: Floats


def membership(count: int) -> npt.NDArray[np.bool_]:
    """Return which players belong to each coalition (2**n, n)."""
    return ((np.arange(2**count)[:, None] >> np.arange(count)) & 1).astype(np.bool_)


def least_core(values: Floats) -> Core:
    """Return the least core: max over proper coalitions of v(S) - x(S) as small as can be, everything divided.

    Maschler, Peleg and Shapley (1979). The core is not empty if that is not positive.

    Examples
    --------
    Three players who share 1 by majority: no division is stable.

    >>> found = least_core(np.array([0.0, 0, 0, 1, 0, 1, 1, 1]))
    >>> found.empty, round(found.least, 4), found.division.round(4).tolist()
    (True, 0.3333, [0.3333, 0.3333, 0.3333])
    """
    count = players_of(values)
    if count == 1:
        return Core(empty=False, least=0.0, division=values[1:].copy())
    members = membership(count)[1:-1].astype(np.float64)
    scale = float(np.abs(values).max()) or 1.0
    solved = _smallest(members, values[1:-1] / scale, np.ones((1, count)), values[-1:] / scale, None)
    least = float(solved.x[-1]) * scale
    least = 0.0 if abs(least) < _CLOSE * scale else least
    return Core(least > 0.0, least, np.asarray(solved.x[:-1], dtype=np.float64) * scale)


def _smallest(members: Floats, worth: Floats, fixed: Floats, held: Floats, lower: Floats | None) -> OptimizeResult:
    """Minimise t over divisions x with x(S) + t >= worth for the rows of members, fixed @ x = held, x >= lower."""
    count = members.shape[1]
    wide = np.hstack((-members, -np.ones((worth.size, 1))))
    equal = np.hstack((fixed, np.zeros((fixed.shape[0], 1))))
    low = [None] * count if lower is None else lower.tolist()
    bounds = [(one, None) for one in low] + [(None, None)]
    solved = linprog(
        np.append(np.zeros(count), 1.0), A_ub=wide, b_ub=-worth, A_eq=equal, b_eq=held, bounds=bounds, method="highs-ds"
    )
    assert solved.x is not None, solved.message
    return solved


def nucleolus(values: Floats) -> Floats:
    """Return the division whose discontents, largest first, are lexicographically smallest (n,).

    Discontent of a coalition is what it could do alone less what it gets. Players get at least what they can do alone
    where together they can do as much; else the prenucleolus is returned.

    Notes
    -----
    Schmeidler (1969). One linear programme after the other (Kopelowitz 1967; Hallefjord, Helming and Jornsten 1995):
    the largest discontent is made small; the coalitions that must stay at it (their dual is positive) are held, those
    whose members then are settled too (linear dependence) leave, until nothing is free.

    Examples
    --------
    The bankruptcy of the Talmud (Aumann and Maschler 1985): 200 for claims of 100, 200 and 300.

    >>> claims = np.array([100.0, 200, 300])
    >>> left = [max(0.0, 200 - claims[~one].sum()) for one in membership(3)]
    >>> nucleolus(np.array(left)).round(6).tolist()
    [50.0, 75.0, 75.0]
    """
    count = players_of(values)
    if count == 1:
        return values[1:].copy()
    scale = float(np.abs(values).max()) or 1.0
    worth = values / scale
    members = membership(count).astype(np.float64)
    alone = worth[2 ** np.arange(count)]
    lower = alone if alone.sum() <= worth[-1] + _CLOSE else None
    fixed, held = members[-1:], worth[-1:]
    free = np.arange(1, worth.size - 1)
    division: Floats = np.zeros(count)
    while np.linalg.matrix_rank(fixed) < count and free.size:
        solved = _smallest(members[free], worth[free], fixed, held, lower)
        division = np.asarray(solved.x[:-1])
        tight = free[np.asarray(solved.ineqlin.marginals) < -_CLOSE]
        slack = members[tight] @ division
        fixed, held = _independent(np.vstack((fixed, members[tight])), np.concatenate((held, slack)))
        free = free[~_spanned(members[free], fixed)]
    if np.linalg.matrix_rank(fixed) == count:
        division = np.asarray(np.linalg.lstsq(fixed, held, rcond=None)[0], dtype=np.float64)
    return np.where(np.abs(division) < _CLOSE, 0.0, division) * scale


def _independent(rows: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return rows that do not follow from those before them, with their values."""
    kept: list[int] = []
    for at in range(rows.shape[0]):
        if np.linalg.matrix_rank(rows[[*kept, at]]) > len(kept):
            kept.append(at)
    return rows[kept], values[kept]


def _spanned(rows: Floats, fixed: Floats) -> npt.NDArray[np.bool_]:
    """Return which rows follow from the fixed ones."""
    basis = np.linalg.svd(fixed, full_matrices=False)[2][: np.linalg.matrix_rank(fixed)]
    rest = rows - rows @ basis.T @ basis
    return np.asarray(np.abs(rest).max(axis=1) < 1e-8)
