"""Explanations that can be worked out by hand or counted out."""

from itertools import combinations

import numpy as np
import pytest
from programs import mixed
from scipy.sparse import csr_array

from cyclopolis.design.explain import binding, clash, force_in, free_loop, relaxation, worths
from cyclopolis.design.kept import Kept
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Answer, Objective, Program

EXACT = SolveOptions(gap=0.0)
INF = np.inf


def solved(program: Program, objective: Objective) -> Answer:
    kept = Kept(program, EXACT)
    kept.set_objective(objective)
    return kept.solve()


def shop(room: float = 7.0) -> tuple[Program, Objective]:
    """Return machines (y) of 4 units each that cost 5; units (x) sell at 2 within 4 y and within some room."""
    program = Program(
        csr_array(np.array([[1.0, -4.0], [1.0, 0.0]])),
        np.full(2, -INF),
        np.array([0.0, room]),
        np.zeros(2),
        np.array([INF, 9.0]),
        np.array([False, True]),
        np.ones(2),
    )
    return program, Objective("profit", np.array([2.0, -5.0]))


def test_room_is_worth_its_price_locally_and_less_when_a_machine_must_come_too() -> None:
    program, profit = shop()
    answer = solved(program, profit)
    assert answer.objective == pytest.approx(4.0)
    assert binding(program, answer.natural)[1].tolist() == [False, True]
    small, large = (worths(program, profit, answer, [0, 1], np.full(2, step), EXACT) for step in (1.0, 5.0))
    assert [(item.row, item.side) for item in small] == [(1, "upper")]
    assert small[0].local == pytest.approx(2.0)
    assert small[0].stepped == small[0].at_most == pytest.approx(2.0)
    # room for 12: a third machine; 3 x 8 - 15 = 9, five more for five units of room
    assert large[0].stepped == pytest.approx(1.0)


def test_room_below_a_least_amount_is_worth_something_too() -> None:
    program, profit = shop()
    least = Program(
        program.matrix,
        np.array([-INF, 9.0]),
        np.array([0.0, 20.0]),
        program.lower,
        program.upper,
        program.integer,
        program.scale,
    )
    loss = Objective("cost", np.array([-1.0, -5.0]))
    answer = solved(least, loss)
    (found,) = worths(least, loss, answer, [1], np.array([1.0]), EXACT)
    assert (found.side, found.local) == ("lower", pytest.approx(1.0))
    assert found.stepped == pytest.approx(6.0)
    assert profit.value(answer.natural) < 20


@pytest.mark.parametrize("seed", [8, 9])
def test_forcing_in_costs_what_the_best_with_it_lacks(seed: int) -> None:
    program, objectives = mixed(seed)
    answer = solved(program, objectives[0])
    idle = [at for at in range(6, 12) if answer.natural[at] < 0.5]
    output = np.zeros(12)
    output[idle[0] - 6] = 1.0
    found = force_in(program, objectives[0], answer, np.array(idle[:1]), output, EXACT)
    lower = program.lower.copy()
    lower[idle[0]] = 1.0
    best = solved(
        Program(
            program.matrix, program.row_lower, program.row_upper, lower, program.upper, program.integer, program.scale
        ),
        objectives[0],
    )
    assert found.loss == pytest.approx(answer.objective - best.objective)
    assert found.proven <= found.loss + 1e-9
    assert found.breakeven == (pytest.approx(found.loss / found.amount) if found.amount > 0 else INF)


def test_what_cannot_be_forced_in_says_so() -> None:
    program, profit = shop()
    shut = Program(
        program.matrix,
        program.row_lower,
        program.row_upper,
        program.lower,
        np.array([INF, 0.0]),
        program.integer,
        program.scale,
    )
    found = force_in(shut, profit, solved(shut, profit), np.array([1]), np.array([1.0, 0.0]), EXACT)
    assert (found.status, found.loss, found.breakeven) == ("infeasible", INF, INF)


def limits() -> Program:
    """Return x + y >= 10, x <= 4, y <= 3, x - y <= 100: the first three clash by 3."""
    return Program(
        csr_array(np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, -1.0]])),
        np.array([10.0, -INF, -INF, -INF]),
        np.array([INF, 4.0, 3.0, 100.0]),
        np.zeros(2),
        np.full(2, INF),
        np.zeros(2, dtype=np.bool_),
        np.ones(2),
    )


def test_the_least_relaxation_gives_where_it_is_cheap() -> None:
    program = limits()
    gives = relaxation(program, np.arange(4), np.array([5.0, 1.0, 5.0, 1.0]))
    assert gives == pytest.approx([0, 3, 0, 0])
    below = relaxation(program, np.array([0, 2]), np.array([1.0, 5.0]))
    assert below == pytest.approx([-3, 0])
    assert relaxation(program, np.array([3]), np.ones(1)) is None


def test_a_clash_is_irreducible() -> None:
    program = limits()
    core = clash(program, np.arange(4))
    assert core.tolist() == [0, 1, 2]
    for kept_rows in combinations(core.tolist(), 2):
        loose = Kept(program, EXACT)
        dropped = np.array([row for row in range(4) if row not in kept_rows])
        loose.set_rows(dropped, np.full(dropped.size, -INF), np.full(dropped.size, INF))
        assert loose.solve().status == "optimal"


def test_what_holds_has_no_clash_and_what_is_bounded_no_loop() -> None:
    program, profit = shop()
    assert clash(program, np.arange(2)).size == 0
    assert free_loop(program, profit) is None


def test_the_free_loop_names_the_columns_that_run_in_circles() -> None:
    # buy a (3), turn 2 a into 1 b, sell b (8); a third way only loses; scales must not matter
    matrix = np.array([[1.0, -2.0, 0.0, 1.0], [0.0, 1.0, -1.0, 0.0]])
    gain = Objective("gain", np.array([-3.0, 0.0, 8.0, -9.0]))
    scale = np.array([10.0, 1.0, 100.0, 1.0])
    for factors in (np.ones(4), scale):
        program = Program(
            csr_array(matrix * factors),
            np.zeros(2),
            np.zeros(2),
            np.zeros(4),
            np.full(4, INF),
            np.array([False, True, False, False]),
            factors,
        )
        loop = free_loop(program, gain)
        assert loop is not None
        assert loop / loop[1] == pytest.approx([2.0, 1.0, 1.0, 0.0])
        assert gain.weights @ loop == pytest.approx(1.0)
