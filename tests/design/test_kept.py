"""The kept model against brute force, its own duals, and a model loaded afresh."""

import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from programs import every_value, knapsacks, mixed
from scipy.sparse import csr_array, random_array

from cyclopolis.design.kept import Kept, whole_fixed
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Objective, Program

EXACT = SolveOptions(gap=0.0)
NO_BOUND = -np.inf


def hard(seed: int = 3, size: int = 120) -> tuple[Program, Objective]:
    """Return a programme that takes HiGHS far longer than a test may."""
    rng = np.random.default_rng(seed)
    matrix = csr_array(random_array((size // 2, size), density=0.3, rng=rng))
    matrix.data = rng.integers(1, 60, matrix.nnz).astype(float)
    program = Program(
        matrix,
        np.full(size // 2, -np.inf),
        0.3 * matrix.sum(axis=1),
        np.zeros(size),
        np.ones(size),
        np.ones(size, dtype=np.bool_),
        np.ones(size),
    )
    return program, Objective("value", rng.integers(10, 60, size).astype(float))


@pytest.mark.parametrize("seed", range(6))
def test_one_kept_model_answers_every_objective_and_bound_as_brute_force_does(seed: int) -> None:
    program, objectives = knapsacks(seed, objectives=3)
    kept = Kept(program, EXACT)
    start = None
    for share in (1.0, 0.6, 1.2):
        tighter = replace(program, row_upper=np.floor(program.row_upper * share))
        kept.set_rows(np.arange(2), tighter.row_lower, tighter.row_upper)
        values = every_value(tighter, objectives)
        for number, objective in enumerate(objectives):
            kept.set_objective(objective)
            answer = kept.solve(start)
            assert answer.status == "optimal"
            assert answer.objective == pytest.approx(values[:, number].max())
            assert answer.bound == pytest.approx(answer.objective)
            assert objective.value(answer.natural) == pytest.approx(answer.objective)
            start = answer.natural


def test_scale_changes_no_answer() -> None:
    program, objectives = mixed(4)
    scale = np.where(program.integer, 1.0, 1e4)
    scaled = replace(
        program,
        matrix=csr_array(program.matrix * scale),
        lower=program.lower / scale,
        upper=program.upper / scale,
        scale=scale,
    )
    plain, other = Kept(program, EXACT), Kept(scaled, EXACT)
    for kept in (plain, other):
        kept.set_objective(objectives[0])
        kept.set_columns(np.array([0]), np.array([1.0]), np.array([1.5]))
    first, second = plain.solve(), other.solve()
    assert first.objective == pytest.approx(second.objective)
    assert 1.0 <= second.natural[0] <= 1.5
    assert first.natural == pytest.approx(second.natural)


def test_duals_foretell_what_a_small_step_of_a_bound_brings() -> None:
    program, objectives = mixed(5)
    kept = Kept(program, EXACT)
    kept.set_objective(objectives[0])
    answer = kept.solve(duals=True)
    linear = Kept(whole_fixed(program, answer.natural), EXACT)
    linear.set_objective(objectives[0])
    step, moved = 1e-3, 0
    for row in range(program.row_upper.size):
        at = np.array([row])
        linear.set_rows(at, program.row_lower[at], program.row_upper[at] + step)
        gained = linear.solve().objective - answer.objective
        linear.set_rows(at, program.row_lower[at], program.row_upper[at])
        assert gained == pytest.approx(answer.row_dual[row] * step, abs=1e-7)
        moved += gained > 1e-6
    assert moved
    assert (answer.column_dual != 0).any()


def test_coefficients_change_and_come_back() -> None:
    program, objectives = mixed(6)
    kept = Kept(program, EXACT)
    kept.set_objective(objectives[0])
    before = kept.solve().objective
    rows, columns = np.array([6, 7]), np.array([0, 0])
    old = program.matrix.toarray()[rows, columns]
    kept.set_coefficients(rows, columns, 3 * old)
    matrix = program.matrix.toarray()
    matrix[rows, columns] *= 3
    fresh = Kept(replace(program, matrix=csr_array(matrix)), EXACT)
    fresh.set_objective(objectives[0])
    assert kept.solve().objective == pytest.approx(fresh.solve().objective)
    kept.set_coefficients(rows, columns, old)
    assert kept.solve().objective == pytest.approx(before)


@pytest.mark.parametrize("seed", range(5))
def test_without_smaller_programmes_on_the_way_the_optimum_is_the_same(seed: int) -> None:
    program, objectives = knapsacks(seed, items=10)
    kept = Kept(program, SolveOptions(gap=0.0, heuristics=False))
    best = every_value(program, objectives).max(axis=0)
    for objective, most in zip(objectives, best, strict=True):
        kept.set_objective(objective)
        assert kept.solve().objective == pytest.approx(most)


@pytest.mark.parametrize("heuristics", [True, False])
def test_highs_knows_every_switch_of_smaller_programmes(heuristics: bool) -> None:
    program, _ = knapsacks(0)
    solver = Kept(program, SolveOptions(heuristics=heuristics))._solver
    for name in ("heuristic_run_rens", "heuristic_run_rins", "heuristic_run_root_reduced_cost", "allow_restart"):
        assert solver.getOptionValue(f"mip_{name}")[1] is heuristics


def test_answers_depend_on_nothing_solved_before() -> None:
    program, objectives = mixed(7)
    first, second = Kept(program, EXACT), Kept(program, EXACT)
    for objective in objectives:
        first.set_objective(objective)
        first.solve()
    for kept in (first, second):
        kept.set_objective(objectives[1])
    assert (first.solve().natural == second.solve().natural).all()


def test_infeasible_and_unbounded_are_told_apart() -> None:
    matrix = csr_array(np.array([[1.0, -1.0]]))
    free = Program(
        matrix, np.array([-np.inf]), np.zeros(1), np.zeros(2), np.full(2, np.inf), np.array([True, False]), np.ones(2)
    )
    for program in (free, whole_fixed(free, np.zeros(2))):
        kept = Kept(program, EXACT)
        kept.set_objective(Objective("gain", np.array([1.0, 1.0])))
        assert kept.solve().status == "unbounded"
        kept.set_rows(np.array([0]), np.array([-np.inf]), np.array([-1.0]))
        kept.set_columns(np.array([1]), np.zeros(1), np.array([0.5]))
        assert kept.solve().status == "infeasible"
        kept.set_columns(np.array([1]), np.zeros(1), np.array([2.0]))
        assert kept.solve().status == "optimal"


def test_time_limit_returns_the_best_with_its_bound() -> None:
    program, objective = hard()
    kept = Kept(program, SolveOptions(gap=0.0, time_limit=0.5))
    kept.set_objective(objective)
    answer = kept.solve()
    assert answer.status == "time_limit"
    assert 0 < answer.objective < answer.bound
    assert (program.matrix @ answer.natural <= program.row_upper + 1e-9).all()


def test_a_wide_absolute_gap_ends_the_search_early() -> None:
    program, objective = hard(size=60)
    kept = Kept(program, SolveOptions(gap=0.0, time_limit=5.0))
    kept.set_objective(objective)
    answer = kept.solve(absolute_gap=400.0)
    assert answer.status == "optimal"
    assert 0 < answer.bound - answer.objective <= 400.0


def test_ctrl_c_returns_the_best_found() -> None:
    old = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started us deaf
    program, objective = hard()
    kept = Kept(program, SolveOptions(gap=0.0, time_limit=30.0))
    kept.set_objective(objective)
    threading.Timer(0.6, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    begin = time.monotonic()
    try:
        answer = kept.solve()
    finally:
        signal.signal(signal.SIGINT, old)
    assert time.monotonic() - begin < 10.0
    assert answer.status == "interrupted"
    assert answer.objective > 0
    kept.set_columns(np.arange(120), np.zeros(120), np.zeros(120))
    assert kept.solve().status == "optimal"


def test_a_cancelled_solve_in_a_thread_returns_the_best_found() -> None:
    program, objective = hard()
    kept = Kept(program, SolveOptions(gap=0.0, time_limit=30.0))
    kept.set_objective(objective)
    found = []
    worker = threading.Thread(target=lambda: found.append(kept.solve()))
    worker.start()
    time.sleep(0.4)
    kept.cancel()
    worker.join(10.0)
    assert [answer.status for answer in found] == ["interrupted"]
