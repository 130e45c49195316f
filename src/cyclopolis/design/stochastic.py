"""Two-stage design: what is built is decided once, before it is known which of a handful of scenarios comes true.

The extensive form has the columns of the first stage once, those of the second and the rows once for each scenario.
Maximised is the expected objective, or its conditional value at risk, the mean over the worst outcomes::

    max  eta - sum over s of p_s short_s / share     subject to   short_s >= eta - f_s,  short_s >= 0

Sources: Birge and Louveaux (2011), Introduction to Stochastic Programming, 2nd ed., Springer, ch. 1 and 4; Rockafellar
and Uryasev (2000), J. Risk 2, 21-41.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from cyclopolis.design.draws import Change, changed, evaluate
from cyclopolis.design.extend import Columns, with_columns, with_rows
from cyclopolis.design.kept import Kept
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Answer, Objective, Program
from cyclopolis.network.model import Bools, Floats, Ints


@dataclass(frozen=True)
class Extensive:
    """The extensive form: a programme, what it maximises, and where each column of scenario s went: ``at[s]`` (V,)."""

    program: Program
    objective: Objective
    at: tuple[Ints, ...]

    def natural(self, whole: Floats) -> tuple[Floats, ...]:
        """Return the amounts of each scenario (S of V,) from those of the whole."""
        return tuple(whole[own] for own in self.at)


def extensive(
    program: Program, first: Bools, changes: Sequence[Change], chances: Floats, worst: float = 1.0
) -> Extensive:
    """Return the extensive form of a two-stage programme.

    Parameters
    ----------
    program : Program
        What can be, without any change.
    first : ndarray of bool
        Columns decided before the scenario is known (V,).
    changes : sequence of Change
        The scenarios (S); the first objective of each is maximised.
    chances : ndarray
        Their probabilities (S,), which sum to one.
    worst : float
        Share of worst outcomes over which the mean is maximised; 1 maximises the expected value.

    Raises
    ------
    ValueError
        If the probabilities do not sum to one or the share is not within 0 and 1.
    """
    scenes = [changed(program, change) for change in changes]
    once = np.flatnonzero(first)
    return joined(scenes, [once] * len(scenes), [change.objectives[0] for change in changes], chances, worst)


def joined(
    scenes: Sequence[Program],
    firsts: Sequence[Ints],
    objectives: Sequence[Objective],
    chances: Floats,
    worst: float = 1.0,
) -> Extensive:
    """Return the extensive form of programmes that share what is decided first, whatever else differs.

    Parameters
    ----------
    scenes : sequence of Program
        One for each scenario (S).
    firsts : sequence of ndarray of int
        Columns of each that are decided before the scenario is known, in the same order in all, with the same scale.
    objectives : sequence of Objective
        What each maximises.
    chances, worst
        As for `extensive`.

    Raises
    ------
    ValueError
        As `extensive`.
    """
    if abs(chances.sum() - 1.0) > 1e-9 or (chances < 0).any() or not 0 < worst <= 1:
        raise ValueError("probabilities must sum to one and the share of worst outcomes lie within 0 and 1")
    shared = firsts[0].size
    laters = [np.setdiff1d(np.arange(scene.scale.size), once) for scene, once in zip(scenes, firsts, strict=True)]
    starts = shared + np.concatenate([[0], np.cumsum([later.size for later in laters])])
    at, blocks = [], []
    for scene, once, later, start in zip(scenes, firsts, laters, starts[:-1].tolist(), strict=True):
        own = np.empty(scene.scale.size, dtype=np.int64)
        own[once], own[later] = np.arange(shared), start + np.arange(later.size)
        at.append(own)
        matrix, rows = scene.matrix.tocsc(), scene.row_lower.size
        left, right = start - shared, int(starts[-1]) - start - later.size
        parts = [matrix[:, once], csr_array((rows, left)), matrix[:, later], csr_array((rows, right))]
        blocks.append(hstack(parts, format="csr"))
    pairs = list(zip(scenes, firsts, strict=True))
    lower = np.max([scene.lower[once] for scene, once in pairs], axis=0)
    upper = np.min([scene.upper[once] for scene, once in pairs], axis=0)
    rest = list(zip(scenes, laters, strict=True))
    whole = Program(
        matrix=csr_array(vstack(blocks, format="csr")),
        row_lower=np.concatenate([scene.row_lower for scene in scenes]),
        row_upper=np.concatenate([scene.row_upper for scene in scenes]),
        lower=np.concatenate([lower, *(scene.lower[later] for scene, later in rest)]),
        upper=np.concatenate([upper, *(scene.upper[later] for scene, later in rest)]),
        integer=np.concatenate([scenes[0].integer[firsts[0]], *(scene.integer[later] for scene, later in rest)]),
        scale=np.concatenate([scenes[0].scale[firsts[0]], *(scene.scale[later] for scene, later in rest)]),
    )
    places = tuple(at)
    if worst < 1:
        return _averse(whole, places, objectives, chances, worst)
    return _expected(whole, places, objectives, chances)


def _spread(objective: Objective, at: Ints, size: int) -> Floats:
    """Return the weights of one scenario's objective over the columns of the whole."""
    weights = np.zeros(size)
    weights[at] = objective.weights
    return weights


def _expected(whole: Program, at: Sequence[Ints], objectives: Sequence[Objective], chances: Floats) -> Extensive:
    weights = np.zeros(whole.scale.size)
    for objective, row, chance in zip(objectives, at, chances.tolist(), strict=True):
        weights += chance * _spread(objective, row, weights.size)
    constant = float(chances @ [objective.constant for objective in objectives])
    return Extensive(whole, Objective("expected", weights, constant), tuple(at))


def _averse(
    whole: Program, at: Sequence[Ints], objectives: Sequence[Objective], chances: Floats, worst: float
) -> Extensive:
    """Return the form that maximises the mean over the worst share: one level ``eta`` and a shortfall per scenario."""
    count, size = len(objectives), whole.scale.size
    unit = max(
        float(np.abs(objective.weights * whole.scale[row]).max()) for objective, row in zip(objectives, at, strict=True)
    )
    lower = np.concatenate([[-np.inf], np.zeros(count)])
    wide = with_columns(
        whole,
        Columns(
            csr_array((whole.row_lower.size, count + 1)),
            lower,
            np.full(count + 1, np.inf),
            np.zeros(count + 1, np.bool_),
        ),
    )
    rows = np.array(
        [_spread(objective, row, size) * whole.scale for objective, row in zip(objectives, at, strict=True)]
    )
    matrix = csr_array(np.hstack([rows / unit, np.full((count, 1), -1.0), np.eye(count)]))
    constants = np.array([objective.constant for objective in objectives])
    wide = with_rows(wide, matrix, -constants / unit, np.full(count, np.inf))
    weights = np.concatenate([np.zeros(size), [unit], -unit * chances / worst])
    return Extensive(wide, Objective("worst", weights), tuple(at))


@dataclass(frozen=True)
class TwoStage:
    """A design made for several scenarios.

    ``natural`` (S, V) are its amounts in each scenario, alike in the first stage; ``values`` (S, p) its objectives.
    ``foreseen`` is the expected value if the scenario were known before building, ``unaware`` that of the design made
    for the programme without any change, NaN if that cannot be run in some scenario.
    """

    answer: Answer
    natural: Floats
    values: Floats
    expected: float
    foreseen: float
    unaware: float

    @property
    def information(self) -> float:
        """What it would be worth to know the scenario before building (expected value of perfect information)."""
        return self.foreseen - self.expected

    @property
    def foresight(self) -> float:
        """What it is worth to have thought of the scenarios (value of the stochastic solution); NaN if infinite."""
        return self.expected - self.unaware


def two_stage(
    program: Program,
    objective: Objective,
    first: Bools,
    changes: Sequence[Change],
    chances: Floats,
    worst: float = 1.0,
    options: SolveOptions | None = None,
) -> TwoStage:
    """Find the design that does best over several scenarios, and what knowing or heeding them is worth.

    Parameters
    ----------
    program : Program
        What can be, without any change: the case for which a design unaware of scenarios is made.
    objective : Objective
        Of that case.
    first, changes, chances, worst
        As for `extensive`.
    options : SolveOptions, optional
        Of each solve.

    Raises
    ------
    ValueError
        If no design can be run in all scenarios, or the best is without bound.
    """
    options = SolveOptions() if options is None else options
    form = extensive(program, first, changes, chances, worst)
    kept = Kept(form.program, options)
    kept.set_objective(form.objective)
    answer = kept.solve()
    if not answer.natural.size:
        raise ValueError(f"no design for all scenarios: {answer.status}")
    natural = form.natural(answer.natural)
    values = np.array(
        [[item.value(amounts) for item in change.objectives] for change, amounts in zip(changes, natural, strict=True)]
    )
    alone = Kept(program, options)
    alone.set_objective(objective)
    unaware = evaluate(program, alone.solve().natural, first, changes, options)
    foreseen = evaluate(program, None, first, changes, options)
    return TwoStage(
        answer=answer,
        natural=np.array(natural),
        values=values,
        expected=float(chances @ values[:, 0]),
        foreseen=float(chances @ foreseen.values[:, 0]),
        unaware=float(chances @ unaware.values[:, 0]),
    )
