"""Aggregation, coordination and obstacles against published examples and their laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.rating.aggregation import (
    geometric,
    group_obstacles,
    ideal_distances,
    obstacle_degree,
    ranks,
    topsis,
    vikor,
    weighted_sum,
)
from cyclopolis.rating.coordination import coordination, scales

LOGISTICS = np.array(
    [
        [0.101, 0.280, 0.882, 0.190, 0.410],
        [0.165, 0.406, 0.906, 0.286, 0.509],
        [0.187, 0.427, 0.920, 0.307, 0.532],
        [0.238, 0.511, 0.931, 0.374, 0.590],
        [0.424, 0.421, 1.000, 0.422, 0.650],
        [0.538, 0.407, 0.990, 0.473, 0.684],
        [0.591, 0.466, 0.993, 0.528, 0.724],
        [0.694, 0.581, 0.996, 0.638, 0.797],
        [0.892, 0.662, 0.989, 0.777, 0.877],
        [0.879, 0.637, 0.987, 0.758, 0.865],
    ]
)
CLASSES = ["near"] + ["primary"] * 3 + ["intermediate"] * 2 + ["good"] * 2 + ["extreme"] * 2
TOWNS = [
    [0.0162, 0.2720, 0.2655],
    [0.1782, 0.6824, 0.3721],
    [0.5490, 0.0593, 0.5729],
    [0.6730, 0.4812, 0.9082],
    [0.0207, 0.8891, 0.2017],
    [0.9875, 0.5573, 0.8984],
]
SHARES = [
    [0.4728, 0.2624, 0.2648],
    [0.5368, 0.1556, 0.3076],
    [0.3054, 0.4777, 0.2169],
    [0.4166, 0.4957, 0.0877],
    [0.5895, 0.0501, 0.3604],
    [0.0297, 0.7892, 0.1811],
]
UNSCALED = [
    [0.394, 0.218, 0.220],
    [0.329, 0.0953, 0.188],
    [0.180, 0.282, 0.128],
    [0.131, 0.156, 0.0275],
    [0.392, 0.0333, 0.239],
    [0.00500, 0.133, 0.0305],
]
seeds = st.integers(0, 2**32 - 1)


def test_published_distances_and_ranks() -> None:
    table, weights = [[5, 8, 4], [7, 6, 8], [8, 8, 6], [7, 4, 6]], [0.3, 0.4, 0.3]
    plus, minus = ideal_distances(table, weights, [True] * 3)
    assert plus == pytest.approx([0.1175, 0.0635, 0.0487, 0.1307], abs=6e-5)
    assert minus == pytest.approx([0.1193, 0.1223, 0.1446, 0.0655], abs=6e-5)
    assert ranks(topsis(table, weights, [True] * 3)).tolist() == [3, 2, 1, 4]


def test_ranks() -> None:
    assert ranks([[1, 2, 2], [3, 1, 2]]).tolist() == [[3, 1, 1], [1, 3, 2]]
    assert ranks([5, 1, 3], ascending=True).tolist() == [3, 1, 2]


def test_coordination_as_published() -> None:
    found = coordination(LOGISTICS[:, :2])
    for column, values in zip((2, 3, 4), (found.c, found.t, found.d), strict=True):
        assert values == pytest.approx(LOGISTICS[:, column], abs=1e-3)


def test_the_class_follows_the_scale() -> None:
    degrees = LOGISTICS[:, 4]
    own = scales()["logistics"]
    assert [own.en[place].split()[0] for place in own.places(degrees)] == CLASSES
    ten = scales()["ten"]
    assert ten.en[ten.places([0.532])[0]] == "barely coordinated"
    assert own.en[own.places([0.532])[0]] == "primary coordination"
    assert ten.places([0.1, 0.1000001, 0.0, 1.0, np.nan]).tolist() == [0, 1, 0, 9, -1]
    for scale in scales().values():
        assert np.all(np.diff(scale.upper) > 0)
        assert scale.upper[-1] == 1


def test_corrected_coordination_of_two_is_the_papers() -> None:
    found = coordination([0.3, 0.6], form="corrected")
    assert float(found.c) == pytest.approx(((1 - 0.3) * 0.3 / 0.6) ** 0.5)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 5), seeds)
def test_coordination_laws(count, seed) -> None:
    random = np.random.default_rng(seed)
    systems = random.random((4, 6, count))
    order = random.permutation(count)
    for form in ("classic", "corrected"):
        found = coordination(systems, form=form)
        assert np.all((found.c >= 0) & (found.c <= 1 + 1e-12))
        assert found.d == pytest.approx(np.sqrt(found.c * systems.mean(axis=-1)))
        assert coordination(systems[..., order], form=form).d == pytest.approx(found.d)
        level = coordination(np.full(count, 0.4), form=form)
        assert (float(level.c), float(level.d)) == (pytest.approx(1), pytest.approx(0.4**0.5))


def test_coordination_edges() -> None:
    assert float(coordination([0.0, 0.0]).d) == 0
    assert np.isnan(coordination([np.nan, 0.5]).d)
    with pytest.raises(ValueError, match="0 to 1"):
        coordination([0.5, 1.2])
    with pytest.raises(ValueError, match="sum one"):
        coordination([0.5, 0.2], [0.5, 0.6])


def test_obstacles_as_published() -> None:
    found = obstacle_degree(TOWNS, [0.4, 0.3, 0.3])
    assert found == pytest.approx(np.array(SHARES), abs=6e-5)
    assert (1 - np.array(TOWNS)) * [0.4, 0.3, 0.3] == pytest.approx(np.array(UNSCALED), abs=6e-4)
    assert found.sum(axis=1) == pytest.approx(1)
    assert group_obstacles(found, [0, 0, 1], 2) == pytest.approx(np.stack([found[:, :2].sum(1), found[:, 2]], axis=1))


def test_obstacles_edges() -> None:
    assert obstacle_degree([[1.0, 1.0]], [0.5, 0.5]).tolist() == [[0, 0]]
    assert obstacle_degree([[np.nan, 0.5]], [0.5, 0.5]).tolist() == [[0, 1]]


def test_vikor_by_hand() -> None:
    """Three routes; S and R worked out with pencil."""
    found = vikor([[1, 3000], [2, 3750], [5, 4500]], [0.5, 0.5], [False, True])
    assert found.s == pytest.approx([0.5, 0.375, 0.5])
    assert found.r == pytest.approx([0.5, 0.25, 0.5])
    assert found.q == pytest.approx([1, 0, 1])


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(1, 5), seeds)
def test_means_and_vikor_laws(rows, columns, seed) -> None:
    random = np.random.default_rng(seed)
    table, weights = random.random((rows, columns)), random.random(columns) + 0.1
    weights /= weights.sum()
    plain, product = weighted_sum(table, weights), geometric(table, weights)
    assert plain == pytest.approx(table @ weights)
    assert np.all(product <= plain + 1e-12)
    assert geometric(np.full((2, columns), 0.3), weights) == pytest.approx(0.3)
    found = vikor(table, weights, [True] * columns)
    assert np.all((found.q >= 0) & (found.q <= 1 + 1e-12))
    assert np.all(found.s >= found.r - 1e-12)
    both = np.stack([table, table[::-1]])
    assert vikor(both, weights, [True] * columns).q[0] == pytest.approx(found.q)
    assert weighted_sum(both, weights)[0] == pytest.approx(plain)
    assert weighted_sum(table, np.stack([weights, weights]))[1] == pytest.approx(plain)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="sum one"):
        weighted_sum([[1.0, 2.0]], [0.5, 0.6])
    with pytest.raises(ValueError, match="zero or more"):
        geometric([[-1.0, 2.0]], [0.5, 0.5])
    assert geometric([[0.0, 2.0]], [0.0, 1.0]).tolist() == [2.0]
