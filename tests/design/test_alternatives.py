"""Near-optimal alternatives against every design there is."""

from itertools import product

import numpy as np
import pytest
from programs import knapsacks, mixed

from cyclopolis.design.alternatives import alternatives, margins
from cyclopolis.design.kept import Kept
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Objective, Program

EXACT = SolveOptions(gap=0.0)


def best(program: Program, objective: Objective) -> tuple[np.ndarray, float]:
    kept = Kept(program, EXACT)
    kept.set_objective(objective)
    answer = kept.solve()
    return answer.natural, answer.objective


def near(program: Program, objectives: list, floors: np.ndarray, groups: list) -> np.ndarray:
    """Return what is built in every feasible design of a pure integer programme at or above some floors."""
    ranges = [range(int(high) + 1) for high in program.upper]
    points = np.array(list(product(*ranges)), dtype=float)
    fits = (points @ program.matrix.toarray().T <= program.row_upper + 1e-9).all(axis=1)
    for objective, floor in zip(objectives, floors, strict=True):
        fits &= objective.constant + points @ objective.weights >= floor - 1e-9
    return np.array([[point[group].sum() > 0 for group in groups] for point in points[fits]])


@pytest.mark.parametrize(("seed", "most"), [(0, 1), (1, 1), (2, 2), (5, 1)])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.3])
def test_verdicts_are_those_of_all_near_optimal_designs(seed: int, most: int, share: float) -> None:
    program, objectives = knapsacks(seed, items=7, most=most)
    groups = [np.array([0]), np.array([1, 2]), np.array([3]), np.array([4]), np.array([5, 6])]
    reference, top = best(program, objectives[0])
    loss = np.array([share * top, 6.0])
    floors = np.array([top, objectives[1].value(reference)]) - loss
    found = alternatives(program, objectives, reference, loss, groups, EXACT)
    every = near(program, objectives, floors, groups)
    wanted = ["all" if all(every[:, g]) else "some" if any(every[:, g]) else "none" for g in range(5)]
    assert list(found.verdict) == wanted
    assert (found.values >= floors - 1e-6).all()
    for design, built in zip(found.designs, found.built, strict=True):
        assert (program.matrix @ design <= program.row_upper + 1e-6).all()
        assert built.tolist() in every.tolist()


def test_turning_a_build_round_costs_what_the_best_design_without_it_lacks() -> None:
    program, objectives = mixed(8)
    reference, top = best(program, objectives[0])
    groups = [np.array([at]) for at in range(6, 12)]
    found = margins(program, objectives[:1], reference, np.array([0.0]), groups, range(6), EXACT)
    assert {margin.out for margin in found} == {True, False}
    for margin in found:
        forced = Kept(program, EXACT)
        forced.set_objective(objectives[0])
        state = np.array([0.0 if margin.out else 1.0])
        forced.set_columns(groups[margin.group], state, state)
        assert margin.loss == pytest.approx(top - forced.solve().objective)
        assert margin.proven + 1e-9 >= 0
        assert margin.proven == pytest.approx(margin.loss, abs=1e-6)


def test_what_cannot_be_turned_round_says_so() -> None:
    program, objectives = mixed(8)
    lower, upper = program.lower.copy(), program.upper.copy()
    upper[6], lower[7] = 0.0, 1.0
    fixed = Program(program.matrix, program.row_lower, program.row_upper, lower, upper, program.integer, program.scale)
    reference, _ = best(fixed, objectives[0])
    groups = [np.array([6]), np.array([7])]
    found = margins(fixed, objectives[:1], reference, np.array([0.0]), groups, [0, 1], EXACT)
    assert [margin.proven for margin in found] == [np.inf, np.inf]
    assert alternatives(fixed, objectives[:1], reference, np.array([1e9]), groups, EXACT).verdict == ("none", "all")


def test_without_time_nothing_is_claimed() -> None:
    program, objectives = knapsacks(0, items=7)
    reference, _ = best(program, objectives[0])
    groups = [np.array([at]) for at in range(7)]
    found = alternatives(program, objectives, reference, np.array([5.0, 5.0]), groups, EXACT, time_limit=0.0)
    assert set(found.verdict) == {"open"}
    assert found.designs.shape == (1, 7)
