"""The programme on plain arrays against the same model written readably in linopy, and its map back to states."""

import linopy_reference
import numpy as np
import pytest
from test_milp_oracle import random_world, solved

from cyclopolis.design.assemble import assemble, read_answer
from cyclopolis.design.layout import COLUMN_FAMILIES
from cyclopolis.design.program import Answer
from cyclopolis.design.years import one_year


@pytest.mark.parametrize("seed", range(8))
def test_the_optimum_is_that_of_the_readable_model(seed):
    problem, solution = solved(seed)
    reference = linopy_reference.solve_problem(problem)
    assert reference.status == solution.status
    if solution.status == "optimal":
        assert solution.objective == pytest.approx(reference.objective, rel=1e-7, abs=1e-6)


def test_rows_and_columns_are_those_of_the_readable_model():
    problem = random_world(3).problem()
    program = assemble(one_year(problem)).program
    matrices = linopy_reference.build_model(problem).matrices
    assert program.matrix.has_sorted_indices
    assert (program.matrix.data != 0).all()
    # A size that is given needs no column and two rows less; ports that cannot stay open need no column either.
    given = int(
        (problem.network.plants.capacity_min[problem.new] == problem.network.plants.capacity[problem.new]).sum()
    )
    dense = matrices.A.shape
    assert program.matrix.shape[1] == dense[1] - given - problem.network.ports.plant.size
    assert program.integer.sum() == (matrices.vtypes != "C").sum()


def test_the_columns_of_a_year_cover_all_once():
    assembly = assemble(one_year(random_world(5).problem()))
    taken = np.zeros(assembly.layout.size, dtype=int)
    for family in COLUMN_FAMILIES:
        taken[assembly.layout.columns[family, 0]] += 1
    assert (taken == 1).all()
    rows = np.zeros(assembly.program.matrix.shape[0], dtype=int)
    for part in assembly.rows.values():
        rows[part] += 1
    assert (rows == 1).all()


def test_amounts_come_back_where_they_belong_and_the_objective_counts_them():
    problem = random_world(4).problem()
    assembly = assemble(one_year(problem))
    rng = np.random.default_rng(7)
    natural = rng.uniform(0.0, 1.0, assembly.layout.size)
    natural[assembly.layout.columns["built", 0]] = rng.integers(0, 2, problem.new.size)
    found = read_answer(assembly, Answer("optimal", natural, 0.0, 0.0, 0.0))
    value = problem.value(found.flows[0]) - problem.value(problem.base)
    assert assembly.goal.value(natural) == pytest.approx(value, rel=1e-12)
