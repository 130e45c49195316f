"""Draws of weights and values against closed forms."""

import numpy as np
import pytest

from cyclopolis.rating.uncertainty import draw_weights, simulate


def test_drawn_weights_have_their_mean_and_spread() -> None:
    found = draw_weights([0.5, 0.3, 0.2, 0.0], 20_000, 0.3, 1)
    assert found.sum(axis=1) == pytest.approx(1)
    assert found.mean(axis=0) == pytest.approx([0.5, 0.3, 0.2, 0], abs=2e-3)
    assert found[:, 0].std() == pytest.approx((0.5 * 0.5 / (4 / 0.3**2)) ** 0.5, rel=0.03)


def test_known_values_are_certain() -> None:
    score = [[0.7] * 3, [0.4] * 3, [0.1] * 3]
    found = simulate(score, score, [1, 1, 1], [0.3, 0.6], draws=200)
    assert found.mean == pytest.approx([0.7, 0.4, 0.1])
    assert found.sd == pytest.approx(0, abs=1e-7)
    assert found.grades.tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert found.rank_mean.tolist() == [1, 2, 3]
    assert found.stable.tolist() == [1, 1, 1]
    assert found.first.tolist() == [1, 0, 0]


def test_an_unknown_value_is_uniform() -> None:
    found = simulate([[0.0], [0.25]], [[1.0], [0.25]], [1.0], [0.4], draws=20_000, seed=4)
    assert found.mean[0] == pytest.approx(0.5, abs=0.01)
    assert found.sd[0] == pytest.approx(12**-0.5, abs=0.01)
    assert (found.low[0], found.high[0]) == (pytest.approx(0.05, abs=0.01), pytest.approx(0.95, abs=0.01))
    assert found.grades[0] == pytest.approx([0.4, 0.6], abs=0.015)
    assert found.first[0] == pytest.approx(0.75, abs=0.015)


def test_seeded_and_streamed() -> None:
    random = np.random.default_rng(2)
    low = random.random((40, 6))
    one, other = (simulate(low * 0.5, low, np.ones(6), [0.3], draws=300, seed=9) for _ in range(2))
    assert one.mean.tolist() == other.mean.tolist()
    assert one.grades.sum(axis=1) == pytest.approx(1)
    assert one.rank_mean.mean() == pytest.approx(20.5)
    assert np.all(one.low <= one.high)


def test_blocks_change_nothing(monkeypatch) -> None:
    low = np.random.default_rng(3).random((50, 4))
    whole = simulate(low, low, np.ones(4), [0.5], draws=200)
    monkeypatch.setattr("cyclopolis.rating.uncertainty._BLOCK", 600)
    parts = simulate(low, low, np.ones(4), [0.5], draws=200)
    assert parts.grades.tolist() == whole.grades.tolist()
    assert parts.mean == pytest.approx(whole.mean)


def test_fixed_weights_stay() -> None:
    assert draw_weights([3.0, 1.0], 2, 0.0, 0).tolist() == [[0.75, 0.25]] * 2


def test_bounds_are_checked() -> None:
    with pytest.raises(ValueError, match="bounds"):
        simulate([[0.5]], [[0.4]], [1.0])
    with pytest.raises(ValueError, match="bounds"):
        simulate([[0.5]], [[1.4]], [1.0])
