"""Arcs pooled: the same optimum as arc by arc, and arcs afterwards that the independent checker accepts."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_alike import split

from cyclopolis.design import DesignOptions, pose
from cyclopolis.design.assemble import assemble, read_answer
from cyclopolis.design.checker_years import check_years
from cyclopolis.design.pools import compact, overlaps, pool_classes, pooled, twins
from cyclopolis.design.solve import best_answer
from cyclopolis.design.tidy import tidy_years

LINES = st.lists(st.tuples(st.integers(0, 3), st.just(0.0) | st.floats(1e-3, 1e6)), max_size=12)


@pytest.fixture(scope="module")
def assembly():
    return assemble(pose(split("quickstart", 2025, 2028), DesignOptions(gap=1e-8)).whole)


def test_optimum_and_bound_are_those_of_the_arcs_and_the_checker_finds_nothing(assembly):
    apart, joined = (_optimum(assembly, compact(assembly, many)) for many in (10**9, 1))
    assert joined.objective == pytest.approx(apart.objective, rel=1e-7)
    assert joined.bound == pytest.approx(apart.bound, rel=1e-6)
    assert joined.natural.size == apart.natural.size
    assert assembly.goal.value(joined.natural) == pytest.approx(joined.objective, rel=1e-9)
    found = tidy_years(assembly.problem, read_answer(assembly, joined))
    assert sum(state.arc.sum() for state in found.flows) > 0
    assert check_years(assembly.problem, found) == ()


def test_pools_are_fewer_than_arcs_and_join_every_pair(assembly):
    classes = pool_classes(assembly)
    out, into = classes.givers.pool[classes.giver], classes.takers.pool[classes.taker]
    assert classes.lead.size < classes.arc.size
    assert pooled(assembly).program.scale.size < assembly.program.scale.size
    for start, end in zip(classes.givers.end.tolist(), classes.takers.end.tolist(), strict=True):
        members = (classes.givers.pool == start).sum() * (classes.takers.pool == end).sum()
        assert ((out == start) & (into == end)).sum() == members


def test_what_counts_differently_in_a_limit_or_the_goal_stays_apart(assembly):
    before = pool_classes(assembly)
    several = np.bincount(before.givers.pool)[before.givers.pool[before.giver]] > 1
    arc = int(before.arc[several][0])
    weights = assembly.goal.weights.copy()
    weights[assembly.layout.columns["arc", 1].start + arc] += 1.0
    after = pool_classes(replace(assembly, goal=replace(assembly.goal, weights=weights)))
    member = after.giver[after.arc == arc][0]
    assert after.givers.alone[member]
    assert after.lead.size > before.lead.size


def test_twins_need_the_same_set():
    assert twins(np.array([1, 0, 2, 0, 2]), np.array([3, 3, 4, 4, 3])).tolist() == [0, 1, 0]


def _optimum(assembly, pools):
    answer = best_answer(pools.program, pools.goal, assembly.problem.options)
    return replace(answer, natural=pools.restore(answer.natural))


@given(LINES, LINES)
def test_overlaps_keep_both_lines(mine, yours):
    group, other = (np.array([one for one, _ in line], dtype=np.int64) for line in (mine, yours))
    amount, other_amount = (np.array([length for _, length in line]) for line in (mine, yours))
    one, two, length = overlaps(group, amount, other, other_amount)
    assert (group[one] == other[two]).all()
    assert (length > 0).all()
    total, other_total = (
        np.bincount(where, weights=sizes, minlength=4) for where, sizes in ((group, amount), (other, other_amount))
    )
    shared = (total > 0) & (other_total > 0)
    kept = np.bincount(one, weights=length, minlength=amount.size)
    np.testing.assert_allclose(kept, np.where(shared[group], amount, 0.0), atol=1e-9 * (1 + total.sum()))
    drawn = np.where(shared[other], other_amount * total[other] / np.where(other_total > 0, other_total, 1)[other], 0)
    np.testing.assert_allclose(
        np.bincount(two, weights=length, minlength=other.size), drawn, atol=1e-9 * (1 + total.sum())
    )
