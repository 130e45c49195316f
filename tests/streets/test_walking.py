"""Walking times against plain Dijkstra, slopes against Tobler's function, siting against every choice."""

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from cyclopolis.infrastructure.streets.blocks import planarise
from cyclopolis.infrastructure.streets.circles import with_facilities
from cyclopolis.infrastructure.streets.siting import maximum_cover, p_median
from cyclopolis.infrastructure.streets.walking import (
    Access,
    backwards,
    minutes_to_nearest,
    nearest_nodes,
    served_share,
    slope_factor,
    walking_graph,
)

LINE = planarise(shapely.linestrings([[(0, 0), (750, 0)], [(750, 0), (750, 1500)]]))


def test_minutes_on_the_flat() -> None:
    graph = walking_graph(LINE, speed_kmh=4.5)
    ends = nearest_nodes(LINE, shapely.points([(0, 0), (750, 1500)])).node
    assert minutes_to_nearest(backwards(graph), ends[:1])[ends[1]] == pytest.approx(2250 / 75.0)


def test_tobler_is_fastest_on_a_gentle_descent() -> None:
    slope = np.linspace(-0.5, 0.5, 1001)
    speed = 6 * np.exp(-3.5 * np.abs(slope + 0.05))
    assert slope_factor(slope) == pytest.approx(speed / (6 * np.exp(-3.5 * 0.05)))
    assert slope[np.argmax(slope_factor(slope))] == pytest.approx(-0.05)


def test_uphill_is_slower_than_downhill() -> None:
    net = planarise(shapely.linestrings([[(0, 0), (1000, 0)]]))
    low, high = nearest_nodes(net, shapely.points([(0, 0), (1000, 0)])).node
    height = np.zeros(2)
    height[high] = 100.0
    graph = walking_graph(net, height, 6.0)
    assert graph[low, high] == pytest.approx(10.0 / slope_factor(np.array([0.1]))[0])
    assert graph[high, low] == pytest.approx(10.0 / slope_factor(np.array([-0.1]))[0])
    assert minutes_to_nearest(backwards(graph), np.array([high]))[low] == pytest.approx(graph[low, high])


@settings(max_examples=20, deadline=None)
@given(st.integers(3, 7), st.integers(0, 2**32 - 1))
def test_nearest_is_the_least_of_all_pairs(cells: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    ticks, end = np.arange(cells) * 100.0, (cells - 1) * 100.0
    net = planarise(shapely.linestrings([[(t, 0), (t, end)] for t in ticks] + [[(0, t), (end, t)] for t in ticks]))
    graph = walking_graph(net, draw.uniform(0, 30, len(net.node)))
    facilities = draw.choice(len(net.node), 2, replace=False)
    every = dijkstra(graph, directed=True)
    assert minutes_to_nearest(backwards(graph), facilities) == pytest.approx(every[:, facilities].min(axis=1))
    assert np.isinf(minutes_to_nearest(backwards(graph), facilities[:0])).all()


def test_a_facility_off_the_street_costs_the_way_to_it() -> None:
    graph = walking_graph(LINE, speed_kmh=4.5)
    access = Access(np.array([0]), np.array([150.0]))
    wide = with_facilities(graph, access, np.array([2.0]))
    assert minutes_to_nearest(backwards(wide), np.array([len(LINE.node)]))[0] == pytest.approx(2.0)


def test_two_streets_between_the_same_nodes_count_the_shorter() -> None:
    lines = [[(0, 0), (100, 0)], [(0, 0), (50, 80), (100, 0)], [(0, 0), (-9, 0)], [(100, 0), (109, 0)]]
    net = planarise(np.array([shapely.LineString(line) for line in lines]))
    graph = walking_graph(net, speed_kmh=6.0)
    a, b = nearest_nodes(net, shapely.points([(0, 0), (100, 0)])).node
    assert graph[a, b] == pytest.approx(1.0)


def test_share_served() -> None:
    assert served_share(np.array([5.0, 5.1, np.inf]), np.array([1.0, 1.0, 2.0]), 5.0) == 0.25
    assert np.isnan(served_share(np.zeros(0), np.zeros(0), 5.0))


CASES = st.tuples(st.integers(1, 9), st.integers(1, 6), st.integers(1, 3), st.integers(0, 2**32 - 1))


@settings(max_examples=40, deadline=None)
@given(CASES)
def test_maximum_cover_against_every_choice(case) -> None:
    cells, places, number, seed = case
    draw = np.random.default_rng(seed)
    covers, people = draw.random((cells, places)) < 0.4, draw.integers(0, 9, cells).astype(float)
    best = maximum_cover(csr_array(covers.astype(float)), people, number)
    choices = itertools.combinations(range(places), min(number, places))
    truth = max(people[covers[:, list(choice)].any(axis=1)].sum() for choice in choices)
    assert best.value == pytest.approx(truth)
    assert best.bound == pytest.approx(truth)
    if best.chosen.size:
        assert people[covers[:, best.chosen].any(axis=1)].sum() == pytest.approx(truth)


@settings(max_examples=40, deadline=None)
@given(CASES)
def test_p_median_against_every_choice(case) -> None:
    cells, places, number, seed = case
    draw = np.random.default_rng(seed)
    minutes, people = draw.uniform(1, 30, (cells, places)), draw.integers(1, 9, cells).astype(float)
    best = p_median(minutes, people, number)
    choices = itertools.combinations(range(places), min(number, places))
    truth = min(minutes[:, list(choice)].min(axis=1) @ people for choice in choices) / people.sum()
    assert best.value == pytest.approx(truth)
    assert minutes[:, best.chosen].min(axis=1) @ people / people.sum() == pytest.approx(truth)


def test_where_there_is_no_way_nobody_is_placed() -> None:
    assert p_median(np.full((2, 2), np.inf), np.ones(2), 1).status == "infeasible"
    one = p_median(np.array([[np.inf, 3.0], [np.inf, np.inf]]), np.ones(2), 1)
    assert (one.chosen.tolist(), one.value) == ([1], 3.0)
