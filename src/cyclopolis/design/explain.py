"""Why a programme answers as it does: what binds and what more of it is worth, what clashes, what loop runs free."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import csr_array

from cyclopolis.design.extend import Columns, with_columns, with_rows
from cyclopolis.design.kept import Kept, whole_fixed
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Answer, Objective, Program
from cyclopolis.network.model import Bools, Floats, Ints

TIGHT = 1e-6
"""Slack, in the row's own unit, below which a row binds."""


@dataclass(frozen=True)
class Worth:
    """What more room in one row is worth.

    ``local`` is the objective's gain per unit of the row with whole numbers fixed, good for a small step. ``stepped``
    is the gain per unit when the row gives by ``step`` and everything is decided anew, proven to lie between
    ``stepped`` and ``at_most``. Both are zero or more: room never harms.
    """

    row: int
    side: str
    local: float
    step: float
    stepped: float
    at_most: float


def binding(program: Program, natural: Floats) -> tuple[Bools, Bools]:
    """Return which rows stand at their lower and at their upper bound (R,), equations at neither.

    Examples
    --------
    >>> one = np.ones(1)
    >>> program = Program(csr_array([[2.0]]), -one, 6 * one, 0 * one, 9 * one, one > 1, one)
    >>> binding(program, np.array([3.0]))[1].tolist()
    [True]
    """
    amount = program.matrix @ (natural / program.scale)
    open_room = program.row_upper > program.row_lower
    size = TIGHT * np.maximum(np.abs(amount), 1.0)
    return open_room & (amount - program.row_lower <= size), open_room & (program.row_upper - amount <= size)


def local_worths(program: Program, objective: Objective, natural: Floats, options: SolveOptions) -> Floats:
    """Return the duals (R,) of a solution's rows with its whole numbers fixed: the gain per unit that a bound moves up.

    Parameters
    ----------
    program, objective
        What was solved and maximised.
    natural : ndarray
        The solution (V,).
    options : SolveOptions
        Of the solve of the linear programme that is left.
    """
    settled = Kept(whole_fixed(program, natural), options)
    settled.set_objective(objective)
    dual = settled.solve(duals=True).row_dual
    return dual if dual.size else np.full(program.row_lower.size, np.nan)


def worths(
    program: Program,
    objective: Objective,
    answer: Answer,
    rows: Sequence[int],
    steps: Floats,
    options: SolveOptions | None = None,
    dual: Floats | None = None,
) -> list[Worth]:
    """Return what more room in those of some rows that bind is worth, locally and by a finite step.

    Parameters
    ----------
    program : Program
    objective : Objective
        What was maximised.
    answer : Answer
        The best found, to which the gain is compared.
    rows : sequence of int
        Rows to look at.
    steps : ndarray
        By how much each of them gives (n,), in its own unit.
    options : SolveOptions, optional
        Of each solve.
    dual : ndarray, optional
        What `local_worths` gives, where it is known already.
    """
    options = SolveOptions() if options is None else options
    at_lower, at_upper = binding(program, answer.natural)
    dual = local_worths(program, objective, answer.natural, options) if dual is None else dual
    kept = Kept(program, options)
    kept.set_objective(objective)
    found = []
    for row, step in zip(rows, steps.tolist(), strict=True):
        if not (at_lower[row] or at_upper[row]):
            continue
        upper = bool(at_upper[row])
        lower_bound, upper_bound = program.row_lower[[row]], program.row_upper[[row]]
        at = np.array([row])
        kept.set_rows(at, lower_bound - (0.0 if upper else step), upper_bound + (step if upper else 0.0))
        wider = kept.solve()
        kept.set_rows(at, lower_bound, upper_bound)
        found.append(
            Worth(
                row=row,
                side="upper" if upper else "lower",
                local=max(float(dual[row]) * (1.0 if upper else -1.0), 0.0),
                step=step,
                stepped=max((wider.objective - answer.objective) / step, 0.0),
                at_most=max((wider.bound - answer.objective) / step, 0.0),
            )
        )
    return found


@dataclass(frozen=True)
class Forced:
    """What it costs to force something in: the loss found, the least loss proven, and how much of it there then is.

    ``natural`` (V,) is the solution with it, empty where there is none.
    """

    status: str
    loss: float
    proven: float
    amount: float
    natural: Floats = field(default_factory=lambda: np.zeros(0))

    @property
    def breakeven(self) -> float:
        """Loss per unit: by so much a unit would have to be worth more, or cost less, to be chosen."""
        return self.loss / self.amount if self.amount > 0 else np.inf


def force_in(
    program: Program,
    objective: Objective,
    answer: Answer,
    switches: Ints,
    amounts: Floats,
    options: SolveOptions | None = None,
) -> Forced:
    """Force one of some yes/no columns to be chosen and decide everything else anew.

    Parameters
    ----------
    program, objective, answer
        As for `worths`.
    switches : ndarray of int
        Whole-number columns of which at least one unit must be chosen.
    amounts : ndarray
        Weights (V,) of what is counted then, per natural unit of each column: output, capital, years.
    options : SolveOptions, optional
        Of the solve.
    """
    options = SolveOptions() if options is None else options
    row = csr_array((np.ones(switches.size), (np.zeros(switches.size, int), switches)), shape=(1, program.scale.size))
    kept = Kept(with_rows(program, row, np.ones(1), np.array([np.inf])), options)
    kept.set_objective(objective)
    forced = kept.solve()
    if not forced.natural.size:
        return Forced(forced.status, np.inf, np.inf, 0.0)
    loss, proven = answer.objective - forced.objective, answer.objective - forced.bound
    return Forced(forced.status, float(loss), float(max(proven, 0.0)), float(amounts @ forced.natural), forced.natural)


def relaxation(program: Program, rows: Ints, weights: Floats, options: SolveOptions | None = None) -> Floats | None:
    """Return by how much some rows must give at least (n,): above their bound positive, below negative; None in vain.

    The weighted sum of what gives is least; other choices may cost as little.

    Parameters
    ----------
    program : Program
        One that cannot hold.
    rows : ndarray of int
        Rows that may give.
    weights : ndarray
        Cost of one unit of each (n,), for example one over the size of its bound.
    options : SolveOptions, optional
        Of the solve.
    """
    options = SolveOptions(gap=1e-6) if options is None else options
    count, size = rows.size, program.scale.size
    at = np.arange(count)
    ones, shape = np.ones(count), (program.row_lower.size, 2 * count)
    over = csr_array((np.r_[-ones, ones], (np.r_[rows, rows], np.r_[at, count + at])), shape=shape)
    free = np.full(2 * count, np.inf)
    wide = with_columns(program, Columns(over, np.zeros(2 * count), free, np.zeros(2 * count, dtype=np.bool_)))
    kept = Kept(wide, options)
    kept.set_objective(Objective("least given", np.concatenate([np.zeros(size), -weights, -weights])))
    found = kept.solve().natural[size:]
    return np.asarray(found[:count] - found[count:]) if found.size else None


def clash(program: Program, rows: Ints, options: SolveOptions | None = None) -> Ints:
    """Return rows that cannot hold together, while without any one of them the rest can (an irreducible set).

    Rows found to give are made hard until nothing more gives; of those the ones that can be left out are left out.

    Parameters
    ----------
    program : Program
        One that cannot hold.
    rows : ndarray of int
        Rows that may be blamed; the others count as given.
    options : SolveOptions, optional
        Of each solve.

    References
    ----------
    Chinneck, J. W. (2008): Feasibility and Infeasibility in Optimization. Springer, ch. 6 (elastic filter, deletion
    filter).
    """
    options = SolveOptions(gap=1e-6) if options is None else options
    open_rows, blamed = list(rows.tolist()), []
    while open_rows:
        gives = relaxation(program, np.array(open_rows), np.ones(len(open_rows)), options)
        if gives is None:
            break
        worst = open_rows[int(np.argmax(np.abs(gives)))]
        if np.abs(gives).max() <= TIGHT:
            return np.zeros(0, dtype=np.int64)
        blamed.append(worst)
        open_rows.remove(worst)
    kept = Kept(program, options)
    no_bound = np.full(rows.size, np.inf)
    kept.set_rows(rows, -no_bound, no_bound)
    core = list(blamed)
    for row in blamed:
        trial = np.array([other for other in core if other != row], dtype=np.int64)
        kept.set_rows(rows, -no_bound, no_bound)
        kept.set_rows(trial, program.row_lower[trial], program.row_upper[trial])
        if kept.solve().status == "infeasible":
            core.remove(row)
    return np.sort(np.array(core, dtype=np.int64))


def free_loop(program: Program, objective: Objective) -> Floats | None:
    """Return natural amounts (V,) of the smallest change that can be made over and over and always gains; None if none.

    A direction keeps to all rows and bounds however far it goes; of those that gain 1 the one with the least sum of
    scaled amounts is taken, so that only the columns of one loop are in it. An unbounded programme has one.

    Parameters
    ----------
    program : Program
    objective : Objective

    Examples
    --------
    Buying at 3 and selling at 5 without limit:

    >>> two = np.ones(2)
    >>> program = Program(csr_array([[1.0, -1.0]]), np.zeros(1), np.zeros(1), 0 * two, np.inf * two, two > 1, two)
    >>> free_loop(program, Objective("gain", np.array([-3.0, 5.0]))).tolist()
    [0.5, 0.5]
    """
    size = program.scale.size
    gain = objective.weights * program.scale
    unit = max(float(np.abs(gain).max(initial=0.0)), 1e-300)
    still = np.zeros(size)
    up = np.where(np.isfinite(program.upper), 0.0, np.inf)
    down = np.where(np.isfinite(program.lower), 0.0, np.inf)
    cone = replace(
        program,
        matrix=csr_array(program.matrix),
        row_lower=np.where(np.isfinite(program.row_lower), 0.0, -np.inf),
        row_upper=np.where(np.isfinite(program.row_upper), 0.0, np.inf),
        lower=still,
        upper=up,
        integer=np.zeros(size, dtype=np.bool_),
        scale=np.ones(size),
    )
    both = with_columns(cone, Columns(csr_array(-program.matrix), still, down, np.zeros(size, dtype=np.bool_)))
    row = csr_array(np.concatenate([gain, -gain])[None] / unit)
    kept = Kept(with_rows(both, row, np.ones(1), np.ones(1)), SolveOptions())
    kept.set_objective(Objective("least moved", -np.ones(2 * size)))
    moved = kept.solve().natural
    return np.asarray((moved[:size] - moved[size:]) * program.scale / unit) if moved.size else None
