"""Weights against published examples and their laws."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.rating.weights import (
    ahp,
    combined_weights,
    critic_information,
    critic_weights,
    entropies,
    entropy_weights,
    equal_weights,
    minmax,
    not_reciprocal,
    random_indices,
)

DRINKS = """1 9 5 2 1 1 1/2
1/9 1 1/3 1/9 1/9 1/9 1/9
1/5 3 1 1/3 1/4 1/3 1/9
1/2 9 3 1 1/2 1 1/3
1 9 4 2 1 2 1/2
1 9 3 1 1/2 1 1/3
2 9 9 3 2 3 1"""
MATRIX = np.array([[float(Fraction(cell)) for cell in line.split()] for line in DRINKS.splitlines()])
FIRMS = [
    [61, 1.08, 4.33],
    [20.7, 0.26, 4.34],
    [16.3, 1.98, 2.53],
    [9, 3.29, 1.65],
    [5.4, 2.77, 2.33],
    [4, 4.12, 1.21],
    [-6.1, 3.52, 2.10],
    [-34.6, 3.31, 0.98],
]
XU = [[30, 30, 38, 29], [19, 54, 86, 29], [19, 15, 85, 28.9], [68, 70, 60, 29]]
ZAVADSKAS = [[3, 100, 10, 7], [2.5, 80, 8, 5], [1.8, 50, 20, 11], [2.2, 70, 12, 9]]
ERSOY = [
    [256, 8, 41, 1.6, 1.77, 7347.16],
    [256, 8, 32, 1.0, 1.80, 6919.99],
    [256, 8, 53, 1.6, 1.90, 8400],
    [256, 8, 41, 1.0, 1.75, 6808.9],
    [512, 8, 35, 1.6, 1.70, 8479.99],
    [256, 4, 35, 1.6, 1.70, 7499.99],
]
seeds = st.integers(0, 2**32 - 1)


def test_drinks_by_eigenvector() -> None:
    found = ahp(MATRIX)
    assert found.weights == pytest.approx([0.1775, 0.0191, 0.0418, 0.1164, 0.1896, 0.1288, 0.3268], abs=6e-5)
    assert (found.lambda_max, found.ci) == (pytest.approx(7.176629, abs=6e-7), pytest.approx(0.029438, abs=6e-7))
    assert found.cr == pytest.approx(0.0223, abs=6e-5)
    assert bool(found.consistent)
    assert ahp(MATRIX, table="saaty_revised").cr == pytest.approx(0.0218, abs=6e-5)


def test_drinks_by_geometric_mean() -> None:
    found = ahp(MATRIX, "geometric_mean")
    assert found.weights == pytest.approx([0.1787, 0.0185, 0.0422, 0.1165, 0.1911, 0.1286, 0.3243], abs=6e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), seeds)
def test_consistent_judgements_give_back_their_weights(order, seed) -> None:
    true = np.random.default_rng(seed).random(order) + 0.05
    matrix = true[:, None] / true
    for method in ("eigenvector", "geometric_mean"):
        found = ahp(matrix, method)
        assert found.weights == pytest.approx(true / true.sum())
        assert float(found.cr) == pytest.approx(0, abs=1e-9)
    assert not_reciprocal(matrix) == []


def test_many_matrices_at_once() -> None:
    matrices = np.stack([MATRIX, MATRIX.T])
    found = ahp(matrices)
    assert found.weights[1] == pytest.approx(ahp(MATRIX.T).weights)
    assert found.cr.shape == (2,)


def test_what_is_not_reciprocal_is_named() -> None:
    assert not_reciprocal([[1, 2, 3], [0.5, 1, 4], [0.333, 0.2, 1]]) == [(1, 2)]
    assert not_reciprocal([[2, 1], [1, 1]]) == [(0, 0)]
    assert not_reciprocal([[1, -2], [-0.5, 1]]) == [(0, 1)]


def test_bad_pairwise_matrices() -> None:
    with pytest.raises(ValueError, match="square and positive"):
        ahp([[1, 2, 3], [0.5, 1, 2]])
    with pytest.raises(ValueError, match="square and positive"):
        ahp([[1, 0], [0, 1]])
    with pytest.raises(ValueError, match="ends before"):
        ahp(np.ones((40, 40)))


def test_random_index_tables_rise() -> None:
    assert {"saaty", "saaty_revised", "alonso_lamata"} <= set(random_indices())
    for table in random_indices().values():
        assert (table[1], table[2]) == (0, 0)
        assert list(range(1, len(table) + 1)) == sorted(table)


@pytest.mark.parametrize(
    ("matrix", "published", "width"),
    [
        (XU, [0.4630, 0.3992, 0.1378, 0], 6e-5),
        (ZAVADSKAS, [0.1146, 0.1981, 0.4185, 0.2689], 6e-5),
        (ERSOY, [0.405, 0.221, 0.134, 0.199, 0.007, 0.034], 6e-4),
    ],
    ids=["xu_2004", "zavadskas_2016", "ersoy_2021"],
)
def test_entropy_weights_as_published(matrix, published, width) -> None:
    assert entropy_weights(matrix) == pytest.approx(published, abs=width)


def test_entropies_as_computed() -> None:
    assert entropies(ZAVADSKAS) == pytest.approx([0.9877, 0.9788, 0.9552, 0.9712], abs=6e-5)


def test_entropy_after_minmax_is_another_weight() -> None:
    plain, scaled = entropy_weights(FIRMS_UP), entropy_weights(FIRMS_UP, normalisation="minmax", shift=1e-4)
    assert scaled.sum() == pytest.approx(1)
    assert not np.allclose(plain, scaled, atol=0.01)
    turned = entropy_weights(-np.array(FIRMS_UP), [False] * 3, "minmax", 1e-4)
    assert turned == pytest.approx(scaled)


FIRMS_UP = [[one + 40 for one in row] for row in FIRMS]


def test_entropy_edges() -> None:
    assert entropy_weights([[2, 2], [2, 2]]).tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match="zero or more"):
        entropy_weights([[-1, 2], [3, 4]])
    with pytest.raises(ValueError, match="zero or more"):
        entropy_weights([[0, 2], [0, 4]])
    with pytest.raises(ValueError, match="two alternatives"):
        entropy_weights([[1, 2]])


def test_critic_as_published() -> None:
    assert critic_weights(FIRMS) == pytest.approx([0.20222554, 0.48090173, 0.31687273], abs=6e-9)
    assert critic_weights(FIRMS, correlation="spearman") == pytest.approx([0.21454645, 0.4898563, 0.29559726], abs=6e-8)
    information, spread, related = critic_information(FIRMS)
    assert spread == pytest.approx([0.2812, 0.3435, 0.3829], abs=6e-5)
    assert information == pytest.approx([0.5187, 1.2336, 0.8128], abs=6e-5)
    assert [related[0, 1], related[0, 2], related[1, 2]] == pytest.approx([-0.6563, 0.8117, -0.9345], abs=6e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 7), st.integers(2, 5), seeds)
def test_data_weights_ignore_units_and_order(rows, columns, seed) -> None:
    random = np.random.default_rng(seed)
    table, factor = random.random((rows, columns)) + 0.1, 10.0 ** random.integers(-4, 5, columns)
    benefit, order = random.random(columns) < 0.5, random.permutation(rows)
    for weigh in (
        entropy_weights,
        lambda one: critic_weights(one, benefit),
        lambda one: critic_weights(one, benefit, "spearman"),
    ):
        found = weigh(table)
        assert found.sum() == pytest.approx(1)
        assert weigh(table * factor) == pytest.approx(found, abs=1e-9)
        assert weigh(table[order]) == pytest.approx(found, abs=1e-9)
        assert weigh(np.stack([table, table * 2]))[1] == pytest.approx(found, abs=1e-9)


def test_critic_gives_nothing_to_what_does_not_vary() -> None:
    assert critic_weights([[1, 5, 3], [2, 4, 3], [3, 9, 3]])[2] == 0
    assert critic_weights([[1, 5], [1, 5]]).tolist() == [0.5, 0.5]


def test_minmax_and_equal() -> None:
    assert minmax([[1, 10, 7], [3, 20, 7]], [True, False, True]).tolist() == [[0, 1, 1], [1, 0, 1]]
    assert equal_weights(3) == pytest.approx([1 / 3] * 3)


def test_combined_weights() -> None:
    assert combined_weights([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]]) == pytest.approx(np.array([0.1, 0.09, 0.1]) / 0.29)
    assert combined_weights([[1, 0], [0, 1]], "additive", [0.7, 0.3]) == pytest.approx([0.7, 0.3])
    assert combined_weights([[0.5, 0.5], [0.9, 0.1]], shares=[1, 0]) == pytest.approx([0.5, 0.5])
    with pytest.raises(ValueError, match="exclude"):
        combined_weights([[1, 0], [0, 1]])
