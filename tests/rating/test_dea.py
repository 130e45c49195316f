"""DEA against published efficiencies, a second solver, and its laws."""

import numpy as np
import pytest
from scipy.optimize import linprog

from cyclopolis.rating.dea import dea, scale_efficiency

X = [[5, 13], [16, 12], [16, 26], [17, 15], [18, 14], [23, 6], [25, 10], [27, 22], [37, 14], [42, 25], [5, 17]]
Y = [[one] for one in (12, 14, 25, 26, 8, 9, 27, 30, 31, 26, 12)]
PUBLISHED = [
    1.0,
    0.6222896790980051,
    0.8198562443845464,
    1.0,
    0.3103709311127934,
    0.5555555555555556,
    1.0,
    0.7576690895651103,
    0.8201058201058201,
    0.49056603773584917,
    1.0,
]
HOSPITALS_IN = np.array(
    [
        [20, 19, 25, 27, 22, 55, 33, 31, 30, 50, 53, 38],
        [151, 131, 160, 168, 158, 255, 235, 206, 244, 268, 306, 284],
    ]
).T
HOSPITALS_OUT = np.array(
    [
        [100, 150, 160, 180, 94, 230, 220, 152, 190, 250, 260, 250],
        [90, 50, 55, 72, 66, 90, 88, 80, 100, 100, 147, 120],
    ]
).T


def test_eleven_units() -> None:
    found = dea(X, Y)
    assert found.score == pytest.approx(PUBLISHED, abs=1e-9)
    assert found.input_slacks[10] == pytest.approx([0, 4])
    assert found.efficient.tolist() == [place in (0, 3, 6) for place in range(11)]
    variable = dea(X, Y, "variable")
    assert variable.score == pytest.approx([1, 0.8700, 1, 1, 0.7116, 1, 1, 1, 1, 0.4931, 1], abs=6e-5)
    assert variable.peers.sum(axis=1) == pytest.approx(1)
    assert scale_efficiency(X, Y) == pytest.approx(found.score / variable.score)


def test_six_units_of_a_textbook() -> None:
    inputs = np.array([[4, 7, 8, 4, 2, 10], [3, 3, 1, 2, 4, 1]]).T
    found = dea(inputs, np.ones((6, 1)))
    assert found.score == pytest.approx([6 / 7, 12 / 19, 1, 1, 1, 1], abs=1e-9)
    assert found.input_slacks[5] == pytest.approx([2, 0])
    assert not found.efficient[5]


def test_hospitals() -> None:
    ccr, bcc = dea(HOSPITALS_IN, HOSPITALS_OUT), dea(HOSPITALS_IN, HOSPITALS_OUT, "variable")
    expected = [1, 1, 0.8827, 1, 0.7635, 0.8348, 0.9020, 0.7963, 0.9604, 0.8706, 0.9551, 0.9582]
    assert ccr.score == pytest.approx(expected, abs=6e-5)
    expected = [1, 1, 0.8958, 1, 0.8818, 0.9389, 1, 0.7988, 0.9893, 1, 1, 1]
    assert bcc.score == pytest.approx(expected, abs=6e-5)


def multiplier(inputs, outputs, unit, *, variable):
    """The dual programme by another solver interface: weights of inputs and outputs instead of peers."""
    count, m, s = len(inputs), inputs.shape[1], outputs.shape[1]
    free = [1.0, -1.0] if variable else []
    cost = [*-outputs[unit], *np.zeros(m), *[-one for one in free]]
    table = np.hstack([outputs, -inputs, *[np.full((count, 1), one) for one in free]])
    bound = [[*np.zeros(s), *inputs[unit], *np.zeros(len(free))]]
    answer = linprog(cost, A_ub=table, b_ub=np.zeros(count), A_eq=bound, b_eq=[1.0])
    return -answer.fun


@pytest.mark.parametrize("variable", [False, True])
def test_duality(variable) -> None:
    random = np.random.default_rng(3)
    inputs, outputs = random.random((14, 3)) * [1, 1e3, 1e-2] + 1e-3, random.random((14, 2)) + 0.1
    found = dea(inputs, outputs, "variable" if variable else "constant").score
    dual = [multiplier(inputs / inputs.mean(0), outputs, unit, variable=variable) for unit in range(14)]
    assert found == pytest.approx(dual, abs=1e-6)


def test_laws() -> None:
    constant, output = dea(X, Y), dea(X, Y, "constant", "output")
    assert output.efficiency == pytest.approx(constant.score, abs=1e-8)
    rising, falling = dea(X, Y, "non_increasing").score, dea(X, Y, "non_decreasing").score
    variable = dea(X, Y, "variable").score
    assert np.all(constant.score <= np.minimum(rising, falling) + 1e-9)
    assert np.all(np.maximum(rising, falling) <= variable + 1e-9)
    assert np.minimum(rising, falling) == pytest.approx(constant.score, abs=1e-8)
    scaled = dea(np.array(X) * [1e4, 1e-3], np.array(Y) * 7)
    assert scaled.score == pytest.approx(constant.score, abs=1e-8)
    supers = dea(X, Y, super_efficiency=True).score
    assert np.all(supers[np.array(PUBLISHED) < 1] == pytest.approx(constant.score[np.array(PUBLISHED) < 1]))
    assert supers[[0, 3, 6]].min() > 1


def test_references_are_possible() -> None:
    for orientation in ("input", "output"):
        found = dea(HOSPITALS_IN, HOSPITALS_OUT, "variable", orientation)
        theta = found.score[:, None] if orientation == "input" else 1.0
        phi = found.score[:, None] if orientation == "output" else 1.0
        assert found.peers @ HOSPITALS_IN + found.input_slacks == pytest.approx(theta * HOSPITALS_IN, rel=1e-6)
        assert found.peers @ HOSPITALS_OUT - found.output_slacks == pytest.approx(phi * HOSPITALS_OUT, rel=1e-6)


def test_bad_data() -> None:
    with pytest.raises(ValueError, match="same units"):
        dea([[1.0], [2.0]], [[1.0]])
    with pytest.raises(ValueError, match="zero or more"):
        dea([[-1.0]], [[1.0]])
