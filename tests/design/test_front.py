"""Fronts against brute force, a published front, and what every front must keep to."""

import time
from dataclasses import replace

import numpy as np
import pytest
from programs import every_value, knapsacks, mixed, nondominated
from scipy.sparse import csr_array

from cyclopolis.design.boxes import Boxes
from cyclopolis.design.crew import Crew
from cyclopolis.design.floored import FrontOptions, with_floors
from cyclopolis.design.front import Front, front
from cyclopolis.design.front_search import Point, Search
from cyclopolis.design.kept import Kept
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Objective, Program
from cyclopolis.design.sharpen import sharpen
from cyclopolis.foundation.progress import silent

EVERY = FrontOptions(points=10_000, gap=1e-7, resolution=5e-3, augment=1e-4, threads=1)
"""Looks for every point of a front that moves in steps of more than a two-hundredth of its range."""


def rows(values: np.ndarray) -> list:
    """Return rows in an order that does not depend on how they were found, without rounding dust."""
    return sorted(map(tuple, (np.asarray(values) + 0.0).round(6).tolist()))


@pytest.mark.parametrize(("seed", "objectives"), [(0, 2), (15, 2), (2, 3), (3, 3), (7, 3)])
def test_every_point_of_a_small_front_is_found_and_no_other(seed: int, objectives: int) -> None:
    program, wanted = knapsacks(seed, items=9, objectives=objectives)
    found = front(program, wanted, EVERY)
    assert found.status == "complete"
    assert rows(found.values) == rows(nondominated(every_value(program, wanted)))
    for point in found.points:
        assert [objective.value(point.natural) for objective in wanted] == pytest.approx(point.values)
        assert point.gap <= 1e-6


# Two knapsacks of fifty items (2kp50), an instance of Mavrotas and Florios (2013), Appl. Math. Comput. 219, 9652-9669.
WEIGHTS = """
84 49 68 20 97 74 60 30 13 95 19 41 17 95 73 12 66 55 75 20 56 80 59 66 25 70 95 96 62 74 31 59 21 85 45 97 23 53
51 95 58 68 62 45 83 82 47 15 52 72 19 96 93 64 72 91 32 96 44 76 69 82 51 38 52 22 83 27 70 56 29 89 86 48 13 95
66 94 16 44 67 90 48 29 90 54 77 28 100 86 51 62 40 54 21 55 50 62 51 77
"""
VALUES = """
21 69 26 92 77 30 96 80 60 61 52 92 19 10 63 34 100 60 11 12 37 100 74 17 60 69 49 69 49 59 17 21 74 85 83 41 29 63
56 38 66 92 25 84 89 21 46 94 96 92 24 92 53 25 10 31 83 34 64 69 95 40 59 87 13 94 53 52 61 53 78 34 89 32 28 56
52 40 41 59 35 96 72 55 100 44 90 66 59 22 72 25 36 16 56 91 61 56 66 53
"""
PUBLISHED = """
2103 1529 2090 1531 2089 1577 2087 1588 2079 1589 2075 1635 2070 1636 2062 1662 2059 1694 2038 1708 2029 1715 2028
1716 2015 1730 2009 1735 2003 1755 1993 1761 1987 1769 1982 1772 1975 1773 1973 1808 1956 1827 1931 1857 1893 1902
1862 1909 1830 1914 1826 1917 1822 1929 1814 1949 1783 1965 1755 1969 1742 1986 1711 2002 1639 2003 1636 2012 1547
2020
"""


def numbers(text: str) -> np.ndarray:
    return np.array(text.split(), dtype=float)


def test_points_of_two_knapsacks_lie_on_their_published_front() -> None:
    program = Program(
        csr_array(numbers(WEIGHTS).reshape(2, 50)),
        np.full(2, -np.inf),
        np.array([1445.0, 1502.5]),
        np.zeros(50),
        np.ones(50),
        np.ones(50, dtype=np.bool_),
        np.ones(50),
    )
    wanted = [Objective(name, row) for name, row in zip("ab", numbers(VALUES).reshape(2, 50), strict=True)]
    published = rows(numbers(PUBLISHED).reshape(35, 2))
    found = front(program, wanted, replace(EVERY, points=8))  # all 35 are found too, in a minute
    assert len(found.points) == 8
    assert set(rows(found.values)) <= set(published)
    assert found.values[[0, -1]].tolist() == [[2103.0, 1529.0], [1547.0, 2020.0]]


@pytest.fixture(scope="module")
def spread() -> tuple[Program, list, Front]:
    program, wanted = mixed(1)
    return program, wanted, front(program, wanted, FrontOptions(points=25, threads=2))


def test_no_point_beats_another_and_none_comes_twice(spread: tuple[Program, list, Front]) -> None:
    _, _, found = spread
    assert found.status == "enough"
    assert len(found.points) == 25
    assert nondominated(found.values) == pytest.approx(found.values[np.lexsort(found.values.T[::-1])], abs=1e-8)
    assert (np.diff(found.values[:, 0]) <= 0).all()


def test_nothing_beats_a_point_by_more_than_its_gap(spread: tuple[Program, list, Front]) -> None:
    program, wanted, found = spread
    floored = with_floors(program, wanted)
    kept = Kept(floored.program, SolveOptions(gap=0.0))
    kept.set_objective(wanted[0])
    span = found.values.max(axis=0) - found.values.min(axis=0)
    for point in found.points:
        floors = floored.bound(np.arange(3), point.values - 1e-6 * span)
        kept.set_rows(floored.rows, floors, np.full(3, np.inf))
        assert kept.solve().objective - point.values[0] <= (point.gap + 1e-4) * span[0]


def test_points_lie_all_over_the_front(spread: tuple[Program, list, Front]) -> None:
    program, wanted, found = spread
    fine = front(program, wanted, FrontOptions(points=60, threads=2))
    span = found.values.max(axis=0) - found.values.min(axis=0)
    far = np.abs(fine.values[:, None] - found.values[None]) / span
    assert far.max(axis=2).min(axis=1).max() < 0.35
    assert found.unexplored is not None
    assert fine.unexplored is not None
    assert fine.unexplored.share <= found.unexplored.share


def test_threads_change_no_front(spread: tuple[Program, list, Front]) -> None:
    program, wanted, found = spread
    again = front(program, wanted, FrontOptions(points=25, threads=1))
    assert again.values.tolist() == found.values.tolist()
    assert [point.gap for point in again.points] == [point.gap for point in found.points]
    assert again.solves == found.solves


def test_the_order_of_columns_and_rows_changes_no_front() -> None:
    program, wanted = knapsacks(3, items=9, objectives=3)
    order, rng = np.arange(9), np.random.default_rng(0)
    rng.shuffle(order)
    mixed_up = replace(
        program,
        matrix=csr_array(program.matrix.toarray()[::-1, order]),
        row_upper=program.row_upper[::-1],
        lower=program.lower[order],
        upper=program.upper[order],
    )
    other = [replace(objective, weights=objective.weights[order]) for objective in wanted]
    assert rows(front(mixed_up, other, EVERY).values) == rows(front(program, wanted, EVERY).values)


def test_an_objective_that_is_there_twice_changes_nothing() -> None:
    program, (first, second) = knapsacks(0, items=9)
    twice = front(program, [first, second, replace(second, name="again")], EVERY)
    assert rows(twice.values[:, :2]) == rows(front(program, [first, second], EVERY).values)


def test_an_objective_that_cannot_move_changes_nothing() -> None:
    program, (first, second) = knapsacks(0, items=9)
    still = front(program, [first, second, Objective("still", np.zeros(9), 4.0)], EVERY)
    assert rows(still.values[:, :2]) == rows(front(program, [first, second], EVERY).values)


def test_ctrl_c_keeps_every_point_found() -> None:
    program, wanted = mixed(2)
    handed: list[Point] = []

    def sink(point: Point) -> None:
        handed.append(point)
        if len(handed) == 9:
            raise KeyboardInterrupt

    found = front(program, wanted, FrontOptions(points=50), sink)
    assert found.status == "interrupted"
    kept = rows([point.values for point in found.points])
    assert all(
        tuple(value) in kept or any((np.array(known) >= np.array(value) - 1e-4).all() for known in kept)
        for value in rows([point.values for point in handed])
    )
    assert len(kept) >= 3
    assert found.unexplored is not None


def test_ctrl_c_before_anything_is_known_is_passed_on() -> None:
    def sink(point: Point) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        front(*mixed(2), FrontOptions(), sink)


def test_when_time_runs_out_the_points_found_are_returned() -> None:
    program, wanted = mixed(3)
    begin = time.monotonic()
    found = front(program, wanted, FrontOptions(points=100_000, resolution=1e-6, time_limit=0.3))
    assert found.status == "time_limit"
    assert len(found.points) >= 3
    assert time.monotonic() - begin < 5.0


def test_a_front_of_nothing_says_why() -> None:
    program, wanted = knapsacks(1, items=4)
    tight = replace(program, row_lower=np.full(2, 1e3), row_upper=np.full(2, 2e3))
    assert front(tight, wanted).status == "infeasible"
    free = replace(program, row_upper=np.full(2, np.inf), upper=np.full(4, np.inf))
    assert front(free, wanted).status == "unbounded"


def poor_points(program: Program, wanted: list, count: int) -> list[Point]:
    """Points of few whole numbers that are allowed, but far from the best."""
    rng, found = np.random.default_rng(4), []
    while len(found) < count:
        natural = np.where(program.integer, rng.integers(0, 2, program.scale.size), 0.0).astype(float)
        if (program.matrix @ (natural / program.scale) <= program.row_upper).all():
            values = np.array([objective.value(natural) for objective in wanted])
            found.append(Point(values, natural, np.inf, 0.0))
    return found


def sharpened(seconds: float) -> tuple[Search, list[Point], list[Point], int]:
    """A search that knows three poor points, the points and what was handed on when they were sharpened."""
    program, wanted = knapsacks(2, items=9, objectives=3)
    poor = poor_points(program, wanted, 3)
    options = FrontOptions(gap=1e-4, time_limit=60, threads=2)
    search = Search(poor, np.array([1e3, 1e3, 1e3]), options.gap, options.resolution, options.augment)
    before, floored, told = list(search.points), with_floors(program, wanted), []
    weights = sum(weight * objective.weights for weight, objective in zip(search.weights, wanted, strict=True))
    objective = Objective("box", weights, search.offset)
    with Crew(floored.program, SolveOptions(), 2) as crew:
        until = time.monotonic() + seconds
        solves = sharpen(crew, floored, search, objective, options, until, told.append, silent)
    return search, before, told, solves


def test_time_left_puts_better_points_in_the_place_of_those_cut_short() -> None:
    search, before, told, solves = sharpened(60.0)
    assert solves == len(before)
    assert told
    program, wanted = knapsacks(2, items=9, objectives=3)
    best = nondominated(every_value(program, wanted))
    for point in search.points:
        assert point.gap <= 1e-4
        # no longer beaten by any solution there is, to its gap
        better = best[(best >= point.values - 1e-6).all(axis=1)]
        assert (better @ search.weights).max() - point.values @ search.weights <= 1e-3 * search.span[0]
    for old in before:
        assert any((point.values >= old.values - 1e-5 * search.span).all() for point in search.points)


def test_without_time_left_nothing_is_asked_again() -> None:
    search, before, told, solves = sharpened(0.0)
    assert (solves, told) == (0, [])
    assert search.points == before


def test_boxes_stay_apart_and_lose_nothing_but_what_is_settled() -> None:
    rng = np.random.default_rng(5)
    samples = rng.uniform(0, 10, (4000, 2))
    boxes = Boxes(np.array([[-np.inf, 0.0]]), np.array([[10.0, 10.0]]), np.array([9.0]), np.array([False]))
    open_still, least = np.ones(4000, dtype=bool), np.full(4000, 9.0)
    for _ in range(12):
        start = rng.uniform(0, 9, 2)
        end = start + rng.uniform(0, 3, 2) if rng.random() < 0.7 else np.full(2, np.inf)
        bound = rng.uniform(2, 9)
        boxes = boxes.split(start).explored(start, end, bound)
        above = (samples > start).all(axis=1)
        open_still &= ~(above & (samples <= end).all(axis=1))
        least = np.where(above, np.minimum(least, bound), least)
    inside = (boxes.lower[:, None] < samples) & (samples <= boxes.upper[:, None])
    holding = inside.all(axis=2)
    assert (holding.sum(axis=0) == open_still).all()
    bounds = np.where(holding, boxes.bound[:, None], -np.inf).max(axis=0)
    assert (bounds[open_still] >= least[open_still]).all()
