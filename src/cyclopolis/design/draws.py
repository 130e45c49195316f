"""A design under draws of prices, yields and demand: what is built stays, how it is run is chosen anew.

A `Change` says what a draw makes different of a programme: objectives, bounds, coefficients. Under each the columns of
the first stage are held at the design's amounts and the rest is optimised for the first objective: a linear programme
whose last basis is where the next one starts.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from cyclopolis.design.crew import Crew
from cyclopolis.design.kept import Kept
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Objective, Program
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.text import message
from cyclopolis.network.model import Bools, Floats, Ints

CHUNK = 16
"""Draws solved one after the other from one start; fixed, so that the number of threads changes no digit."""


def _none() -> Ints:
    return np.zeros(0, dtype=np.int64)


def _nothing() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True)
class Change:
    """What one draw or scenario makes different; what is not named stays.

    Parameters
    ----------
    objectives : tuple of Objective
        All objectives under this draw.
    columns, column_lower, column_upper : ndarray
        Columns with other bounds, in natural amounts.
    rows, row_lower, row_upper : ndarray
        Rows with other bounds, in the unit of the row.
    entry_rows, entry_columns, entry_values : ndarray
        Entries of the matrix, over scaled columns; each must be there in the programme.
    """

    objectives: tuple[Objective, ...]
    columns: Ints = field(default_factory=_none)
    column_lower: Floats = field(default_factory=_nothing)
    column_upper: Floats = field(default_factory=_nothing)
    rows: Ints = field(default_factory=_none)
    row_lower: Floats = field(default_factory=_nothing)
    row_upper: Floats = field(default_factory=_nothing)
    entry_rows: Ints = field(default_factory=_none)
    entry_columns: Ints = field(default_factory=_none)
    entry_values: Floats = field(default_factory=_nothing)


def changed(program: Program, change: Change) -> Program:
    """Return the programme under a change."""
    lower, upper = program.lower.copy(), program.upper.copy()
    scale = program.scale[change.columns]
    lower[change.columns], upper[change.columns] = change.column_lower / scale, change.column_upper / scale
    row_lower, row_upper = program.row_lower.copy(), program.row_upper.copy()
    row_lower[change.rows], row_upper[change.rows] = change.row_lower, change.row_upper
    matrix = program.matrix
    if change.entry_rows.size:
        matrix = matrix.copy()
        matrix[change.entry_rows, change.entry_columns] = change.entry_values
    return Program(matrix, row_lower, row_upper, lower, upper, program.integer, program.scale)


def _apply(kept: Kept, change: Change) -> None:
    kept.set_objective(change.objectives[0])
    kept.set_columns(change.columns, change.column_lower, change.column_upper)
    kept.set_rows(change.rows, change.row_lower, change.row_upper)
    kept.set_coefficients(change.entry_rows, change.entry_columns, change.entry_values)


def _back(program: Program, change: Change) -> Change:
    """Return the change that undoes another one."""
    scale = program.scale[change.columns]
    old = program.matrix[change.entry_rows, change.entry_columns] if change.entry_rows.size else _nothing()
    return replace(
        change,
        column_lower=program.lower[change.columns] * scale,
        column_upper=program.upper[change.columns] * scale,
        row_lower=program.row_lower[change.rows],
        row_upper=program.row_upper[change.rows],
        entry_values=np.asarray(old, dtype=np.float64),
    )


def _covers(change: Change, other: Change) -> bool:
    """Return whether a change sets anew all that another one set, so that nothing of that need be undone."""
    names = ("columns", "rows", "entry_rows", "entry_columns")
    return all(np.array_equal(getattr(change, name), getattr(other, name)) for name in names)


@dataclass(frozen=True)
class Outcomes:
    """What a design brings under every draw.

    ``values`` (D, p) are the objectives, NaN where the design cannot be run at all; ``status`` (D,) says why.
    """

    values: Floats
    status: tuple[str, ...]

    @property
    def failed(self) -> float:
        """Share of draws under which the design cannot be run."""
        return float(np.isnan(self.values[:, 0]).mean())


def held(program: Program, natural: Floats, first: Bools) -> Program:
    """Return the programme with the columns of the first stage (V,) held at a design's amounts, whole ones rounded."""
    amounts = np.where(program.integer, np.round(natural), natural) / program.scale
    lower, upper = np.where(first, amounts, program.lower), np.where(first, amounts, program.upper)
    return replace(program, lower=lower, upper=upper, integer=program.integer & ~first)


def _chunk(kept: Kept, program: Program, changes: Sequence[Change], hold: Bools) -> list[tuple[str, Floats]]:
    """Solve some draws one after the other; the first starts from nothing."""
    kept.restart()
    found = []
    last: Change | None = None
    for change in changes:
        free = ~hold[change.columns]
        some = replace(
            change,
            columns=change.columns[free],
            column_lower=change.column_lower[free],
            column_upper=change.column_upper[free],
        )
        if last is not None and not _covers(some, last):
            _apply(kept, _back(program, last))
        _apply(kept, some)
        answer = kept.solve()
        values = [objective.value(answer.natural) if answer.natural.size else np.nan for objective in some.objectives]
        found.append((answer.status, np.array(values)))
        last = some
    if last is not None:
        _apply(kept, _back(program, last))
    return found


def evaluate(
    program: Program,
    natural: Floats | None,
    first: Bools,
    changes: Sequence[Change],
    options: SolveOptions | None = None,
    threads: int = 2,
    progress: Progress = silent,
) -> Outcomes:
    """Return what a design brings under every draw, its first stage held and the rest optimised anew.

    Parameters
    ----------
    program : Program
        What can be, without any change.
    natural : ndarray or None
        The design (V,); None finds the best for each draw on its own, as if the draw had been foreseen.
    first : ndarray of bool
        Columns of the first stage (V,): what is decided before the draw is known. Changes to their bounds are ignored
        when a design is held.
    changes : sequence of Change
        The draws.
    options : SolveOptions, optional
        Of each solve.
    threads : int
        How many solve side by side; it changes no digit.
    progress : Progress
        Told as draws are done.

    Returns
    -------
    Outcomes
        In the order of the draws.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> one = np.ones(2)
    >>> program = Program(csr_array([[1.0, -1.0]]), np.array([-np.inf]), np.zeros(1), 0 * one, 5 * one, one < 0, one)
    >>> draws = [Change((Objective("gain", np.array([price, -1.0])),)) for price in (3.0, 0.5)]
    >>> evaluate(program, np.array([0.0, 4.0]), np.array([False, True]), draws).values.ravel().tolist()
    [8.0, -2.0]
    >>> evaluate(program, None, np.array([False, True]), draws).values.ravel().tolist()
    [10.0, 0.0]
    """
    options = SolveOptions() if options is None else options
    hold = first if natural is not None else np.zeros_like(first)
    fixed = program if natural is None else held(program, natural, first)
    parts = [changes[start : start + CHUNK] for start in range(0, len(changes), CHUNK)]
    with Crew(fixed, options, threads) as crew:
        futures = [crew.submit(partial(_chunk, program=fixed, changes=part, hold=hold)) for part in parts]
        left = set(futures)
        while left:
            _, left = wait(left, return_when=FIRST_COMPLETED)
            done = min(CHUNK * (len(futures) - len(left)), len(changes))
            progress(message("front.stage_draws", done=done, all=len(changes)), done / len(changes))
        found = [pair for future in futures for pair in future.result()]
    return Outcomes(np.array([values for _, values in found]), tuple(status for status, _ in found))


def regret(values: Floats, best: Floats | None = None) -> Floats:
    """Return how much worse each design does than the best under each draw.

    Parameters
    ----------
    values : ndarray
        One objective of S designs under D draws (S, D), to be great; NaN where a design cannot be run.
    best : ndarray, optional
        What could have been under each draw (D,); without, the best of the designs.

    Returns
    -------
    ndarray
        Regret (S, D), infinite where a design cannot be run.

    Examples
    --------
    >>> regret(np.array([[5.0, 1.0], [3.0, np.nan]])).tolist()
    [[0.0, 0.0], [2.0, inf]]
    """
    unknown = np.isnan(values)
    reference = np.where(unknown, -np.inf, values).max(axis=0) if best is None else best
    return np.asarray(np.where(unknown, np.inf, reference - np.where(unknown, 0.0, values)))


def value_at_risk(values: Floats, share: float, weights: Floats | None = None) -> tuple[float, float]:
    """Return value at risk and conditional value at risk: where the worst share of outcomes begins, and its mean.

    Parameters
    ----------
    values : ndarray
        Outcomes to be great (D,); unknown ones are left out.
    share : float
        Share of outcomes that counts as bad, more than 0 and at most 1.
    weights : ndarray, optional
        Probabilities (D,), equal without.

    References
    ----------
    Rockafellar, R. T., Uryasev, S. (2002): Conditional value-at-risk for general loss distributions. J. Bank. Finance
    26, 1443-1471 (the outcome at the border counts with the part of it that fills the share).

    Examples
    --------
    >>> value_at_risk(np.array([10.0, 2.0, 4.0, 8.0, 6.0]), 0.3)
    (4.0, 2.6666666666666665)
    """
    weights = np.ones(values.size) if weights is None else weights
    known = ~np.isnan(values)
    order = np.argsort(values[known], kind="stable")
    outcomes, chance = values[known][order], weights[known][order] / weights[known].sum()
    before = np.concatenate([[0.0], np.cumsum(chance)[:-1]])
    counted = np.clip(share - before, 0.0, chance)
    at = int(np.flatnonzero(counted > 1e-12 * share)[-1])
    return float(outcomes[at]), float(counted @ outcomes / counted.sum())


def seeded(count: int, seed: int, draw: Callable[[np.random.Generator], Change]) -> list[Change]:
    """Return draws, each from its own stream of one seed, so that more draws leave the first ones as they were.

    Examples
    --------
    >>> def price(rng: np.random.Generator) -> Change:
    ...     return Change((Objective("gain", np.array([rng.uniform(1.0, 2.0)])),))
    >>> first, more = seeded(2, 7, price), seeded(5, 7, price)
    >>> all(a.objectives[0].weights[0] == b.objectives[0].weights[0] for a, b in zip(first, more))
    True
    """
    return [draw(np.random.default_rng([seed, number])) for number in range(count)]
