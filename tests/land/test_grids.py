"""Grids: reading, importance, suitability, corridors against brute force, currents against a dense solve."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from cyclopolis.ecology.land import currents
from cyclopolis.ecology.land.corridors import corridors, cost_graph
from cyclopolis.ecology.land.currents import conductances, current, laplacian, linked
from cyclopolis.ecology.land.grids import read_grid
from cyclopolis.ecology.land.importance import sensitivity, soil_kept, soil_loss, upper_part, water_yield
from cyclopolis.ecology.land.suitability import suitability
from cyclopolis.foundation.problems import UserError

HEADER = "ncols 3\nnrows 2\nxllcorner 100\nyllcorner 200\ncellsize 30\nNODATA_value -9999\n"


def written(tmp_path, text):
    path = tmp_path / "grid.asc"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_grid_is_read_from_north_to_south(tmp_path) -> None:
    grid = read_grid(written(tmp_path, HEADER + "1 2 3\n4 -9999 6\n"))
    assert (grid.west, grid.south, grid.cell) == (100, 200, 30)
    assert grid.values[0].tolist() == [1, 2, 3]
    assert np.isnan(grid.values[1, 1])
    centred = HEADER.replace("xllcorner 100", "xllcenter 115").replace("yllcorner 200", "yllcenter 215")
    again = read_grid(written(tmp_path, centred + "1 2 3\n4 5 6\n"))
    assert (again.west, again.south) == (100, 200)


@pytest.mark.parametrize(
    ("text", "key", "row"),
    [
        (HEADER + "1 2 3\n", "grid.rows", 7),
        (HEADER + "1 2 3\n4 5\n", "grid.columns", 8),
        (HEADER + "1 2 3\n4 x 6\n", "grid.not_a_number", 8),
        (HEADER.replace("cellsize 30\n", "") + "1 2 3\n4 5 6\n", "grid.no_header", 5),
        (HEADER.replace("cellsize 30", "cellsize wide") + "1 2 3\n4 5 6\n", "grid.bad_header", 5),
    ],
)
def test_a_bad_grid_is_refused_with_its_line(tmp_path, text, key, row) -> None:
    with pytest.raises(UserError) as caught:
        read_grid(written(tmp_path, text))
    problem = caught.value.problems[0]
    assert (problem.text.key, problem.row, problem.file) == (key, row, "grid.asc")


def test_a_missing_grid(tmp_path) -> None:
    with pytest.raises(UserError, match="not there"):
        read_grid(tmp_path / "none.asc")


def test_soil_kept_and_lost_are_the_potential_loss() -> None:
    r, k, ls, c = np.random.default_rng(0).uniform(0.01, 1, (4, 5, 5))
    one = np.ones((5, 5))
    assert np.allclose(soil_loss(r, k, ls, c, one) + soil_kept(r, k, ls, c), soil_loss(r, k, ls, one, one))


def test_what_is_unknown_stays_unknown_and_nothing_is_negative() -> None:
    assert np.isnan(water_yield(np.array([np.nan]), np.ones(1), np.ones(1))).all()
    assert np.isnan(sensitivity(np.array([np.nan]), np.ones(1))).all()
    assert water_yield(np.ones(1), np.ones(1), np.ones(1)).tolist() == [0]


def test_the_upper_part_holds_its_share_and_no_smaller_one_does() -> None:
    values = np.random.default_rng(3).uniform(0, 1, (6, 6))
    chosen = upper_part(values, 0.5)
    assert values[chosen].sum() >= 0.5 * values.sum()
    assert values[chosen].sum() - values[chosen].min() < 0.5 * values.sum()
    assert values[chosen].min() >= values[~chosen].max()


def test_an_excluded_cell_has_nothing_and_the_rest_lies_between_nought_and_one() -> None:
    grids = np.random.default_rng(1).uniform(-50, 50, (3, 4, 4))
    out = np.zeros((4, 4), dtype=bool)
    out[0, 0] = True
    found = suitability(list(grids), [0.2, 0.3, 0.5], [-20, 20, -20], [20, -20, 20], out)
    assert found[0, 0] == 0
    assert ((found >= 0) & (found <= 1)).all()
    turned = suitability(list(grids[::-1]), [0.5, 0.3, 0.2], [-20, 20, -20], [20, -20, 20], out)
    assert np.allclose(found, turned)


@pytest.mark.parametrize(
    ("weights", "ends", "said"),
    [([0.5, None], (0, 1), "Only 1 of 2"), ([0.5, 0.4], (0, 1), "sum to 0.9"), ([0.5, 0.5], (1, 1), "are equal")],
)
def test_weights_without_sense(weights, ends, said) -> None:
    with pytest.raises(UserError, match=said):
        suitability([np.ones((1, 1))] * 2, weights, [ends[0]] * 2, [ends[1]] * 2)


def brute_cost(resistance, start, goal, cell) -> float:
    """Return the least cost by relaxing every step until nothing changes."""
    rows, columns = resistance.shape
    cost = np.full(resistance.shape, np.inf)
    cost[start] = 0.0
    while True:
        before = cost.copy()
        for row, column in itertools.product(range(rows), range(columns)):
            for down, right in itertools.product((-1, 0, 1), repeat=2):
                to = (row + down, column + right)
                if (down or right) and 0 <= to[0] < rows and 0 <= to[1] < columns:
                    price = (resistance[row, column] + resistance[to]) / 2 * cell * np.hypot(down, right)
                    cost[to] = min(cost[to], cost[row, column] + price)
        if np.array_equal(before, cost):
            return float(cost[goal])


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1000))
def test_corridors_against_brute_force(seed) -> None:
    resistance = np.random.default_rng(seed).uniform(1, 20, (5, 6))
    sources = np.zeros((5, 6), dtype=np.int64)
    sources[0, 0], sources[4, 5] = 1, 2
    ((one, other, cost, path),) = corridors(resistance, sources, 10.0)
    assert (one, other, path[0], path[-1]) == (1, 2, 0, 29)
    assert cost == pytest.approx(brute_cost(resistance, (0, 0), (4, 5), 10.0))


def test_corridors_join_all_sources_that_can_be_joined() -> None:
    resistance = np.ones((3, 9))
    resistance[:, 6] = np.nan
    sources = np.zeros((3, 9), dtype=np.int64)
    sources[1, 0], sources[1, 3], sources[1, 5], sources[1, 8] = 1, 2, 3, 4
    found = {(one, other): cost for one, other, cost, _ in corridors(resistance, sources, 1.0)}
    assert found == {(1, 2): 3.0, (2, 3): 2.0}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_the_tree_of_corridors_is_the_cheapest_of_all_pairs(seed, many) -> None:
    """The sum of costs against scipy's tree over the least costs of every pair; paths pay what they cost."""
    rng = np.random.default_rng(seed)
    resistance = rng.uniform(1, 20, (7, 8))
    sources = np.zeros(resistance.shape, dtype=np.int64)
    sources.ravel()[rng.choice(56, 2 * many, replace=False)] = [*range(1, many + 1)] * 2
    walk = csgraph.dijkstra(cost_graph(resistance, 10.0), directed=False)
    flat = sources.ravel()
    pairs = np.array(
        [[walk[np.ix_(flat == one, flat == other)].min() for other in range(1, many + 1)] for one in range(1, many + 1)]
    )
    found = corridors(resistance, sources, 10.0)
    assert sum(cost for *_, cost, _ in found) == pytest.approx(csgraph.minimum_spanning_tree(np.triu(pairs)).sum())
    assert [cost for *_, cost, _ in found] == sorted(cost for *_, cost, _ in found)
    for one, other, cost, path in found:
        assert one < other
        assert (flat[path[0]], flat[path[-1]]) == (one, other)
        row, column = np.divmod(path, 8)
        step = np.hypot(np.diff(row), np.diff(column))
        assert (step < 1.5).all()
        price = (resistance.ravel()[path[1:]] + resistance.ravel()[path[:-1]]) / 2 * 10.0 * step
        assert price.sum() == pytest.approx(cost)


def test_no_source_or_one_alone_has_no_corridor() -> None:
    assert corridors(np.ones((2, 3)), np.zeros((2, 3), dtype=np.int64), 1.0) == []
    assert corridors(np.ones((2, 3)), np.eye(2, 3, dtype=np.int64), 1.0) == []


def test_sources_that_touch_at_a_corner_have_a_corridor_but_no_current() -> None:
    """Walking goes over corners, current does not."""
    resistance = np.array([[1.0, np.nan], [np.nan, 1.0]])
    sources = np.array([[1, 0], [0, 2]])
    ((*names, cost, _),) = corridors(resistance, sources, 10.0)
    assert (names, cost) == ([1, 2], pytest.approx(10 * 2**0.5))
    assert not linked(resistance, sources == 1, sources == 2)
    assert linked(np.ones((2, 2)), sources == 1, sources == 2)


def dense_current(resistance, sources, ground):
    """Return the currents of the cells by a dense solve of the whole circuit."""
    size, columns = resistance.size, resistance.shape[1]
    edges = []
    for row, column in itertools.product(*map(range, resistance.shape)):
        for down, right in ((0, 1), (1, 0)):
            to = (row + down, column + right)
            if to[0] < resistance.shape[0] and to[1] < columns:
                here, there = resistance[row, column], resistance[to]
                if np.isfinite(here) and np.isfinite(there):
                    edges.append((row * columns + column, to[0] * columns + to[1], 2 / (here + there)))
    matrix = np.zeros((size, size))
    for one, other, conductance in edges:
        matrix[one, one] += conductance
        matrix[other, other] += conductance
        matrix[one, other] -= conductance
        matrix[other, one] -= conductance
    free = np.flatnonzero(~ground.ravel() & np.isfinite(resistance.ravel()))
    voltage = np.zeros(size)
    voltage[free] = np.linalg.solve(matrix[np.ix_(free, free)], sources.ravel()[free] / sources.sum())
    through, net = np.zeros(size), np.zeros(size)
    for one, other, conductance in edges:
        flow = conductance * (voltage[one] - voltage[other])
        through[[one, other]] += abs(flow)
        net[one] += flow
        net[other] -= flow
    return ((through + np.abs(net)) / 2).reshape(resistance.shape)


@pytest.mark.parametrize("shape", [(9, 12), (40, 41)])
def test_currents_against_a_dense_solve(shape) -> None:
    rng = np.random.default_rng(7)
    resistance = rng.uniform(1, 50, shape)
    resistance[3, 2:5] = np.nan
    sources, ground = np.zeros((2, *shape), dtype=bool)
    sources[0, :2] = ground[-1, -3:] = True
    found = current(resistance, sources, ground)
    assert np.allclose(found, dense_current(resistance, sources, ground), atol=1e-7)
    assert found[ground].sum() == pytest.approx(1.0)
    assert found[sources].sum() >= 1.0 - 1e-9
    assert not found[3, 2:5].any()


def test_current_of_a_mirrored_grid_is_mirrored() -> None:
    resistance = np.random.default_rng(2).uniform(1, 9, (8, 8))
    ends = np.zeros((2, 8, 8), dtype=bool)
    ends[0, :, 0] = ends[1, :, -1] = True
    there = current(resistance, ends[0], ends[1])
    assert np.allclose(current(resistance[::-1], ends[0], ends[1])[::-1], there, atol=1e-7)


def test_no_way_to_the_ground_is_an_error() -> None:
    resistance = np.array([[1.0, np.nan, 1.0]])
    ends = np.array([[True, False, False]])
    with pytest.raises(ValueError, match="no source"):
        current(resistance, ends, ends[:, ::-1])


def ends_of(resistance) -> tuple[np.ndarray, np.ndarray]:
    """Return the west and the east edge of a grid, where something passes."""
    ends = np.zeros((2, *resistance.shape), dtype=bool)
    ends[0, :, 0] = ends[1, :, -1] = True
    return ends[0] & np.isfinite(resistance), ends[1] & np.isfinite(resistance)


def grids_of_contrast() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    rows, _ = np.indices((120, 120))
    spread = np.exp(rng.normal(0, 2, (120, 120)))
    return {
        "wide spread": np.exp(rng.normal(0, 5, (120, 120))),
        "two kinds": np.where(rng.random((120, 120)) < 0.5, 1.0, 1e6),
        "many holes": np.where(rng.random((120, 120)) < 0.3, np.nan, spread),
        "one channel": np.where(np.abs(rows - 60) < 2, 1.0, 1e8),
        "a maze": np.where((rows % 2 == 1) & (rng.random((120, 120)) < 0.95), np.nan, 1.0),
    }


@pytest.mark.parametrize("name", list(grids_of_contrast()))
@pytest.mark.parametrize("small", [0, 10**9])
def test_currents_of_any_contrast_obey_kirchhoff(name, small, monkeypatch) -> None:
    """What enters leaves: at every cell, over every column, whichever solver finds it."""
    monkeypatch.setattr(currents, "SMALL", small)
    resistance = grids_of_contrast()[name]
    sources, ground = ends_of(resistance)
    found = current(resistance, sources, ground)
    assert not found[~np.isfinite(resistance)].any()
    assert (found >= -1e-12).all()
    assert (found <= 1.0 + 1e-6).all()
    assert found[ground].sum() == pytest.approx(1.0, abs=1e-5)
    columns = found.sum(axis=0)
    assert (columns >= 1.0 - 1e-5).all(), "all of it crosses every column, and may wind"


@pytest.mark.parametrize("name", list(grids_of_contrast()))
def test_both_solvers_find_the_same_currents(name, monkeypatch) -> None:
    resistance = grids_of_contrast()[name]
    ends = ends_of(resistance)
    direct = current(resistance, *ends)
    monkeypatch.setattr(currents, "SMALL", 0)
    assert np.allclose(current(resistance, *ends), direct, atol=1e-5)
    monkeypatch.setattr(currents, "MOST_STEPS", 1)
    assert np.array_equal(current(resistance, *ends), direct), "what steps do not reach is solved directly"


def test_steps_find_the_same_bytes_and_leave_the_callers_draws_alone(monkeypatch) -> None:
    monkeypatch.setattr(currents, "SMALL", 0)
    resistance = np.random.default_rng(6).uniform(1, 100, (60, 60))
    ends = ends_of(resistance)
    np.random.seed(3)  # noqa: NPY002 - the generator that pyamg draws from
    first = current(resistance, *ends)
    after = np.random.random()  # noqa: NPY002
    second = current(resistance, *ends)
    assert np.array_equal(first, second)
    np.random.seed(3)  # noqa: NPY002
    assert np.random.random() == after  # noqa: NPY002


def test_the_laplacian_is_symmetric_and_its_rows_sum_to_the_shunts() -> None:
    rng = np.random.default_rng(8)
    resistance = np.where(rng.random((7, 9)) < 0.2, np.nan, rng.uniform(1, 9, (7, 9)))
    east, south = conductances(resistance)
    shunt = rng.random((7, 9))
    matrix = laplacian(east, south, shunt).toarray()
    assert np.array_equal(matrix, matrix.T)
    assert matrix.sum(axis=1) == pytest.approx(shunt.ravel())
    assert (np.linalg.eigvalsh(matrix) > 0).all()


@pytest.mark.parametrize("factor", [1e-6, 7.0, 1e9])
def test_currents_do_not_depend_on_the_unit_of_resistance(factor) -> None:
    resistance = np.random.default_rng(4).uniform(1, 30, (25, 33))
    ends = ends_of(resistance)
    assert np.allclose(current(resistance * factor, *ends), current(resistance, *ends), atol=1e-7)


def test_currents_back_and_forth_are_one() -> None:
    resistance = np.random.default_rng(5).uniform(1, 30, (20, 26))
    one, other = np.zeros((2, 20, 26), dtype=bool)
    one[3, 4] = other[15, 20] = True
    assert np.allclose(current(resistance, one, other), current(resistance, other, one), atol=1e-7)


def test_less_resistance_draws_more_current() -> None:
    resistance = np.full((15, 21), 10.0)
    ends = ends_of(resistance)
    before = current(resistance, *ends)
    resistance[7] = 1.0
    after = current(resistance, *ends)
    assert (after[7] > before[7]).all()
    assert after[0].max() < before[0].max()
