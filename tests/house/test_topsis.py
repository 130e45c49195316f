"""Closeness to the ideal against a published example, its laws and a plain loop."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.foundation.topsis import topsis


def plain(table, weights, benefit):
    """The textbook, number by number."""
    columns = list(zip(*table, strict=True))
    total = sum(weights)
    weighted = []
    for column, weight in zip(columns, weights, strict=True):
        norm = sum(value * value for value in column) ** 0.5
        weighted.append([weight / total * value / norm if norm else 0.0 for value in column])
    ideal = [max(column) if up else min(column) for column, up in zip(weighted, benefit, strict=True)]
    anti = [min(column) if up else max(column) for column, up in zip(weighted, benefit, strict=True)]
    found = []
    for row in zip(*weighted, strict=True):
        plus = sum((value - best) ** 2 for value, best in zip(row, ideal, strict=True)) ** 0.5
        minus = sum((value - worst) ** 2 for value, worst in zip(row, anti, strict=True)) ** 0.5
        found.append(minus / (plus + minus) if plus + minus else float("nan"))
    return found


def test_published_example() -> None:
    found = topsis([[5, 8, 4], [7, 6, 8], [8, 8, 6], [7, 4, 6]], [0.3, 0.4, 0.3], [True] * 3)
    assert found == pytest.approx([0.5037, 0.6581, 0.7482, 0.3340], abs=6e-5)


sizes = st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**32 - 1))


@settings(max_examples=40, deadline=None)
@given(sizes)
def test_same_as_the_textbook_and_free_of_units(size) -> None:
    rows, columns, seed = size
    random = np.random.default_rng(seed)
    table = np.round(random.normal(size=(rows, columns)), 2)
    weights, benefit = random.random(columns) + 0.01, random.random(columns) < 0.5
    found = topsis(table, weights, benefit)
    assert found == pytest.approx(plain(table.tolist(), weights.tolist(), benefit.tolist()), nan_ok=True, abs=1e-9)
    units = 10.0 ** random.integers(-6, 7, columns)
    assert topsis(table * units, 7 * weights, benefit) == pytest.approx(found, nan_ok=True, abs=1e-9)
    order = random.permutation(rows)
    assert topsis(table[order], weights, benefit) == pytest.approx(found[order], nan_ok=True, abs=1e-12)


def test_batches_are_the_single_answers_side_by_side() -> None:
    random = np.random.default_rng(5)
    tables, draws, benefit = random.random((3, 7, 4)), random.random((6, 4)), [True, False, True, True]
    single = [topsis(tables[0], draw, benefit) for draw in draws]
    assert topsis(tables[0], draws, benefit) == pytest.approx(np.array(single))
    assert topsis(tables[0], draws.reshape(2, 3, 4), benefit).reshape(6, 7) == pytest.approx(np.array(single))
    assert topsis(tables, draws[0], benefit)[2] == pytest.approx(topsis(tables[2], draws[0], benefit))
    assert topsis(tables, draws[:3], benefit)[1] == pytest.approx(topsis(tables[1], draws[1], benefit))


def test_extremes() -> None:
    assert topsis([[1, 5], [2, 4]], [1, 1], [True, False]).tolist() == [0.0, 1.0]
    assert np.isnan(topsis([[3, 3], [3, 3]], [1, 1], [True, True])).all()
    assert topsis([[0, 1], [0, 2]], [1, 1], [True, True]).tolist() == [0.0, 1.0]
    assert np.isnan(topsis([[np.nan, 1], [0, 2]], [1, 1], [True, True])).all()
    assert topsis([[1e-200], [2e-200], [3e-200]], [1], [True]) == pytest.approx([0, 0.5, 1])
    assert topsis([[1e200], [2e200], [3e200]], [1], [True]) == pytest.approx([0, 0.5, 1])


@pytest.mark.parametrize("weights", [[0.5], [-1, 2], [0, 0], [np.nan, 1]])
def test_bad_weights_are_refused(weights) -> None:
    with pytest.raises(ValueError, match=r"weights"):
        topsis([[1, 2], [3, 4]], weights, [True, True])
