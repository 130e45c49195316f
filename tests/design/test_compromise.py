"""Knee and compromise of fronts whose answer can be seen."""

import numpy as np
import pytest

from cyclopolis.design.compromise import bulge, compromise, shares


def test_a_quarter_circle_has_its_knee_in_the_middle() -> None:
    angle = np.linspace(0, np.pi / 2, 91)
    values = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = compromise(values)
    assert found.knee == found.nearest == 45
    assert found.bulge[45] == pytest.approx(1 - np.sqrt(0.5))
    assert found.bulge[[0, 90]] == pytest.approx([0, 0], abs=1e-12)


def test_an_eighth_of_a_sphere_has_its_knee_at_equal_shares() -> None:
    rng = np.random.default_rng(1)
    points = np.abs(rng.normal(size=(400, 3)))
    points = np.vstack([np.eye(3), np.ones((1, 3)), points])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    found = compromise(points)
    assert found.knee == found.nearest == 3
    assert found.bulge[3] == pytest.approx(1 - 1 / np.sqrt(3))


def test_units_noughts_and_order_change_nothing() -> None:
    rng = np.random.default_rng(2)
    values = rng.uniform(size=(20, 3))
    first = compromise(values)
    other = compromise(values[::-1] * [1e9, 1e-3, 7.0] + [-5e8, 3.0, 100.0])
    assert other.bulge[::-1] == pytest.approx(first.bulge)
    assert other.closeness[::-1] == pytest.approx(first.closeness)


def test_weight_moves_the_compromise_and_not_the_knee() -> None:
    angle = np.linspace(0, np.pi / 2, 91)
    values = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    found = compromise(values, np.array([5.0, 1.0]))
    assert found.knee == 45
    assert found.nearest < 30


def test_fronts_of_one_point_and_of_one_value() -> None:
    single = compromise(np.array([[3.0, -1.0]]))
    assert (single.knee, single.nearest) == (0, 0)
    flat = np.array([[1.0, 2.0, 5.0], [2.0, 1.0, 5.0]])
    assert shares(flat)[:, 2].tolist() == [0.0, 0.0]
    assert np.isfinite(bulge(flat)).all()
    assert compromise(flat).nearest in {0, 1}
