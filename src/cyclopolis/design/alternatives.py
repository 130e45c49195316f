"""Near-optimal alternatives: what is built in all, some or none of the designs that are almost as good.

Modelling to generate alternatives by hopping: within an allowed loss of every objective, look for the design that
differs most from all found so far, until nothing differs any more. What was never built, or always, is asked for
together::

    max  sum of y_g over groups never built so far - sum of y_g over groups always built so far

A solution shows new designs; when the bound says that not one group can change, all that is left is proven at once.

Sources: Brill, Chang, Hopkins (1982), Manage. Sci. 28, 221-235 (hop, skip, jump); DeCarolis (2011), Energy Econ. 33,
145-152 (modelling to generate alternatives for energy systems).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from cyclopolis.design.extend import Columns, wider, with_columns, with_rows
from cyclopolis.design.floored import with_floors
from cyclopolis.design.kept import Kept
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Objective, Program
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.text import message
from cyclopolis.network.model import Bools, Floats, Ints

BUILT = 0.5
"""Sum of whole numbers from which a group counts as built."""


@dataclass(frozen=True)
class Alternatives:
    """Designs within the allowed loss, and what they have in common.

    ``designs`` (N, V) are natural amounts, the first one the reference; ``values`` (N, p) their objectives; ``built``
    (N, G) what each builds; ``verdict`` (G,) is all, some, none, or open when time ran out before it was proven.
    """

    designs: Floats
    values: Floats
    built: Bools
    verdict: tuple[str, ...]
    solves: int
    seconds: float


@dataclass(frozen=True)
class Margin:
    """What turning one group round costs the first objective, the others kept within their allowed loss.

    The group is forced ``out`` if the reference builds it, else in. At least ``proven`` is lost, at most ``loss``; both
    infinite when it cannot be.
    """

    group: int
    out: bool
    loss: float
    proven: float


def _with_groups(program: Program, groups: Sequence[Ints]) -> tuple[Program, Ints]:
    """Return the programme with one yes/no column for each group, and their positions.

    ``y <= sum`` and ``sum <= most y`` make the column say whether anything of the group is built.
    """
    count, size = len(groups), program.scale.size
    wide = with_columns(
        program,
        Columns(
            csr_array((program.row_lower.size, count)), np.zeros(count), np.ones(count), np.ones(count, dtype=np.bool_)
        ),
    )
    most = np.array([max(float(program.upper[group].sum()), 1.0) for group in groups])
    row = np.repeat(np.arange(count), [group.size for group in groups])
    column = np.concatenate([*groups, np.zeros(0, dtype=np.int64)]).astype(np.int64)
    at = np.arange(count)
    sums = csr_array((np.ones(row.size), (row, column)), shape=(count, size + count))
    yes = csr_array((np.ones(count), (at, size + at)), shape=(count, size + count))
    no_bound = np.full(count, np.inf)
    wide = with_rows(wide, csr_array(sums - yes), np.zeros(count), no_bound)
    wide = with_rows(wide, csr_array(sums - yes.multiply(most[:, None])), -no_bound, np.zeros(count))
    return wide, size + at


def _built(natural: Floats, groups: Sequence[Ints]) -> Bools:
    return np.array([natural[group].sum() > BUILT for group in groups], dtype=np.bool_)


def alternatives(
    program: Program,
    objectives: Sequence[Objective],
    reference: Floats,
    loss: Floats,
    groups: Sequence[Ints],
    options: SolveOptions | None = None,
    most: int = 50,
    time_limit: float = 300.0,
    progress: Progress = silent,
) -> Alternatives:
    """Find near-optimal designs until it is proven what is built in all, some and none of them.

    Parameters
    ----------
    program : Program
        What can be.
    objectives : sequence of Objective
        What may be lost a little (p,).
    reference : ndarray
        Natural amounts of the design to start from (V,).
    loss : ndarray
        What each objective may be below the reference (p,), in its unit; infinite if it may be anything.
    groups : sequence of ndarray of int
        Whole-number columns of each thing that may be built; it is built when their sum is positive.
    options : SolveOptions, optional
        Of each solve.
    most : int
        Designs at most.
    time_limit : float
        Seconds for all.
    progress : Progress
        Told after every design.

    Returns
    -------
    Alternatives
        Nothing is left open unless time or the number of designs ran out.

    Examples
    --------
    >>> one = np.ones(3)
    >>> row = csr_array([[1.0, 1.0, 1.0]])
    >>> program = Program(row, np.array([-np.inf]), np.array([2.0]), 0 * one, one, one > 0, one)
    >>> gain = Objective("gain", np.array([9.0, 5.0, 4.0]))
    >>> groups = [np.array([at]) for at in range(3)]
    >>> alternatives(program, [gain], np.array([1.0, 1.0, 0.0]), np.array([1.5]), groups).verdict
    ('all', 'some', 'some')
    """
    options = SolveOptions() if options is None else options
    begin = time.monotonic()
    known = np.array([objective.value(reference) for objective in objectives])
    floored = with_floors(program, objectives)
    wide, switches = _with_groups(floored.program, groups)
    kept = Kept(wide, options)
    floors = floored.bound(np.arange(len(objectives)), known - loss - 1e-9 * np.maximum(np.abs(known), 1.0))
    kept.set_rows(floored.rows, floors, np.full(len(objectives), np.inf))
    designs, proven, solves = _hop(kept, switches, reference, groups, most, begin + time_limit, progress)
    values = np.array([[objective.value(design) for objective in objectives] for design in designs])
    built = np.array([_built(design, groups) for design in designs])
    always, never = np.all(built, axis=0).tolist(), (~np.any(built, axis=0)).tolist()
    sure = ("all", "none") if proven else ("open", "open")
    verdict = tuple(sure[0] if yes else sure[1] if no else "some" for yes, no in zip(always, never, strict=True))
    return Alternatives(np.array(designs), values, built, verdict, solves, time.monotonic() - begin)


def _hop(
    kept: Kept,
    switches: Ints,
    reference: Floats,
    groups: Sequence[Ints],
    most: int,
    until: float,
    progress: Progress,
) -> tuple[list[Floats], bool, int]:
    """Return designs, each unlike all before it, whether nothing else can change, and how many solves it took."""
    designs, built, solves = [reference], [_built(reference, groups)], 0
    while len(designs) < most and time.monotonic() < until:
        always, never = np.all(built, axis=0), ~np.any(built, axis=0)
        if not (always | never).any():
            return designs, True, solves
        weights = np.zeros(reference.size + switches.size)
        weights[switches] = never.astype(np.float64) - always
        kept.set_objective(Objective("change", weights, float(always.sum())))
        answer = kept.solve(gap=0.5, time_limit=until - time.monotonic())
        solves += 1
        if not (answer.natural.size and _changes(answer.natural, always, never, groups)):
            return designs, answer.status == "optimal" and answer.bound < 1.0 - 1e-6, solves
        designs.append(answer.natural[: reference.size])
        built.append(_built(answer.natural, groups))
        progress(message("front.stage_alternatives", designs=len(designs)))
        if answer.status == "interrupted":
            break
    return designs, False, solves


def _changes(natural: Floats, always: Bools, never: Bools, groups: Sequence[Ints]) -> bool:
    """Return whether a design turns round anything that was the same in all designs."""
    built = _built(natural, groups)
    return bool((always & ~built).any() or (never & built).any())


def margins(
    program: Program,
    objectives: Sequence[Objective],
    reference: Floats,
    loss: Floats,
    groups: Sequence[Ints],
    chosen: Sequence[int],
    options: SolveOptions | None = None,
) -> list[Margin]:
    """Return what it costs to turn some groups round, one at a time, each with what is proven.

    Parameters
    ----------
    program, objectives, reference, loss, groups, options
        As for `alternatives`; the loss of the first objective is what is measured, so it is not used.
    chosen : sequence of int
        Positions in ``groups``.
    """
    options = SolveOptions() if options is None else options
    known = np.array([objective.value(reference) for objective in objectives])
    floored = with_floors(program, objectives)
    wide, switches = _with_groups(floored.program, groups)
    kept = Kept(wide, options)
    kept.set_objective(wider(objectives[0], len(groups)))
    rest = np.arange(1, len(objectives))
    floors = floored.bound(rest, (known - loss)[1:] - 1e-9 * np.maximum(np.abs(known[1:]), 1.0))
    kept.set_rows(floored.rows[1:], floors, np.full(rest.size, np.inf))
    built = _built(reference, groups)
    found = []
    for group in chosen:
        at, forced = switches[group : group + 1], np.array([0.0 if built[group] else 1.0])
        kept.set_columns(at, forced, forced)
        answer = kept.solve()
        kept.set_columns(at, np.zeros(1), np.ones(1))
        if answer.status == "infeasible":
            found.append(Margin(group, bool(built[group]), np.inf, np.inf))
            continue
        lost = known[0] - answer.objective if answer.natural.size else np.inf
        found.append(Margin(group, bool(built[group]), float(lost), float(known[0] - answer.bound)))
    return found
