"""P-graph synthesis: published structures, the axioms, brute force on random superstructures, laziness."""

from itertools import combinations, islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from cyclopolis.design import solve_synthesis_structure
from cyclopolis.design.synthesis import (
    compose_units,
    dangling_units,
    is_solution_structure,
    maximal_structure,
    reduce_units,
    solution_structures,
)

# Friedler, Tarjan, Huang, Fan (1992); data as in akosorosz/PGraphInCS, example 1 (MIT).
SEVEN_UNITS = {
    "O1": {"inputs": ["C"], "outputs": ["A", "F"]},
    "O2": {"inputs": ["D"], "outputs": ["A", "B"]},
    "O3": {"inputs": ["E", "F"], "outputs": ["C"]},
    "O4": {"inputs": ["F", "G"], "outputs": ["C", "D"]},
    "O5": {"inputs": ["G", "H"], "outputs": ["D"]},
    "O6": {"inputs": ["J"], "outputs": ["F"]},
    "O7": {"inputs": ["K", "L"], "outputs": ["H"]},
}
RAW = ["E", "G", "J", "K", "L"]
NINETEEN = """O1 O3|O1 O4|O1 O2 O4|O1 O3 O4|O1 O3 O6|O1 O4 O6|O2 O4 O6|O2 O5 O7|O1 O2 O3 O4|O1 O2 O4 O6|O1 O3 O4 O6|
O1 O2 O3 O4 O6|O1 O2 O3 O5 O7|O1 O2 O4 O5 O7|O2 O4 O5 O6 O7|O1 O2 O3 O4 O5 O7|O1 O2 O3 O5 O6 O7|O1 O2 O4 O5 O6 O7|
O1 O2 O3 O4 O5 O6 O7"""


def test_seven_unit_problem_has_its_nineteen_structures():
    answer = solve_synthesis_structure({"products": ["A"], "raw_materials": RAW, "units": SEVEN_UNITS})
    assert answer["maximal_structure_units"] == list(SEVEN_UNITS)
    assert answer["number_of_solution_structures"] == 19
    expected = {frozenset(part.split()) for part in NINETEEN.replace("\n", "").split("|")}
    assert {frozenset(structure) for structure in answer["solution_structures"]} == expected


def test_units_that_nobody_can_feed_or_needs_are_left_out():
    units = {
        **SEVEN_UNITS,
        "starved": {"inputs": ["nothing"], "outputs": ["C"]},
        "fed_by_starved": {"inputs": ["C", "also_nothing"], "outputs": ["A"]},
        "useless": {"inputs": ["E"], "outputs": ["Z"]},
        "makes_raw": {"inputs": ["E"], "outputs": ["G", "A"]},
    }
    answer = solve_synthesis_structure({"products": ["A"], "raw_materials": RAW, "units": units})
    assert answer["maximal_structure_units"] == list(SEVEN_UNITS)
    assert answer["number_of_solution_structures"] == 19


def test_a_product_that_cannot_be_made_leaves_nothing():
    units = {"U": {"inputs": ["X"], "outputs": ["A"]}}
    answer = solve_synthesis_structure({"products": ["A"], "raw_materials": ["E"], "units": units})
    assert answer == {
        "maximal_structure_units": [],
        "number_of_solution_structures": 0,
        "solution_structures": [],
    }


def test_a_loop_may_feed_itself():
    units = {"U": {"inputs": ["B"], "outputs": ["A", "C"]}, "V": {"inputs": ["C"], "outputs": ["B"]}}
    answer = solve_synthesis_structure({"products": ["A"], "raw_materials": [], "units": units})
    assert answer["solution_structures"] == [["U", "V"]]


def _matrices(takes: list[list[int]], makes: list[list[int]]) -> tuple[csr_array, csr_array]:
    return csr_array(np.array(takes, dtype=float)), csr_array(np.array(makes, dtype=float))


@st.composite
def superstructures(draw):
    units = draw(st.integers(1, 7))
    materials = draw(st.integers(2, 7))
    cell = st.integers(0, 3).map(lambda value: int(value == 0))
    table = st.lists(st.lists(cell, min_size=materials, max_size=materials), min_size=units, max_size=units)
    takes, makes = _matrices(draw(table), draw(table))
    kinds = draw(st.lists(st.sampled_from(["raw", "product", "between"]), min_size=materials, max_size=materials))
    raw = np.array([kind == "raw" for kind in kinds])
    products = np.array([kind == "product" for kind in kinds])
    return takes, makes, raw, products


def _axioms_one_by_one(takes, makes, raw, products, chosen) -> bool:
    """The axioms in plain loops over sets, without the module under test."""
    taken = {u: set(np.flatnonzero(takes.toarray()[u])) for u in chosen}
    made = {u: set(np.flatnonzero(makes.toarray()[u])) for u in chosen}
    all_made = set().union(*made.values()) if chosen else set()
    wanted = set(np.flatnonzero(products))
    if not wanted <= all_made or all_made & set(np.flatnonzero(raw)):
        return False
    if any(m not in all_made and not raw[m] for u in chosen for m in taken[u]):
        return False
    reaching = {u for u in chosen if made[u] & wanted}
    while True:
        more = {u for u in chosen if any(made[u] & taken[v] for v in reaching)} | reaching
        if more == reaching:
            return reaching == set(chosen)
        reaching = more


@settings(max_examples=60, deadline=None)
@given(superstructures())
def test_enumeration_is_exactly_what_the_axioms_allow(case):
    takes, makes, raw, products = case
    if not products.any():
        return
    units = takes.shape[0]
    brute = {
        chosen
        for size in range(1, units + 1)
        for chosen in combinations(range(units), size)
        if _axioms_one_by_one(takes, makes, raw, products, chosen)
    }
    found = list(solution_structures(takes, makes, raw, products))
    assert len(found) == len(set(found))
    assert set(found) == brute
    union = np.zeros(units, dtype=bool)
    for chosen in brute:
        union[list(chosen)] = True
    assert (maximal_structure(takes, makes, raw, products) == union).all()


@settings(max_examples=40, deadline=None)
@given(superstructures(), st.data())
def test_the_axiom_test_agrees_with_plain_loops(case, data):
    takes, makes, raw, products = case
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=takes.shape[0], max_size=takes.shape[0])))
    expected = _axioms_one_by_one(takes, makes, raw, products, tuple(np.flatnonzero(chosen)))
    assert is_solution_structure(takes, makes, raw, products, chosen) == expected


def test_order_of_units_changes_nothing_but_the_order():
    reversed_units = dict(reversed(SEVEN_UNITS.items()))
    answer = solve_synthesis_structure({"products": ["A"], "raw_materials": RAW, "units": reversed_units})
    first = solve_synthesis_structure({"products": ["A"], "raw_materials": RAW, "units": SEVEN_UNITS})
    assert {frozenset(s) for s in answer["solution_structures"]} == {frozenset(s) for s in first["solution_structures"]}


def test_a_huge_superstructure_yields_its_first_structures_at_once():
    width, depth = 40, 30
    units = width * depth
    layer, at = np.divmod(np.arange(units), width)
    material = np.arange(depth + 1)
    takes = csr_array((np.ones(units), (np.arange(units), layer)), shape=(units, depth + 1))
    makes = csr_array((np.ones(units), (np.arange(units), layer + 1)), shape=(units, depth + 1))
    raw, products = material == 0, material == depth
    assert maximal_structure(takes, makes, raw, products).all()
    first = list(islice(solution_structures(takes, makes, raw, products), 20))
    assert len(set(first)) == 20
    for structure in first:
        chosen = np.zeros(units, dtype=bool)
        chosen[list(structure)] = True
        assert is_solution_structure(takes, makes, raw, products, chosen)
    assert at.max() == width - 1


def test_reduction_composition_and_dangling_units():
    takes, makes = _matrices([[1, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]], [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    raw, products = np.array([True, False, False, False]), np.array([False, False, True, False])
    everything = np.ones(3, dtype=bool)
    assert reduce_units(takes, makes, raw).all()
    assert reduce_units(takes, makes, ~everything[:1].repeat(4)).tolist() == [False, False, False]
    assert compose_units(takes, makes, products, everything).tolist() == [True, True, False]
    assert dangling_units(takes, makes, products, everything).tolist() == [False, False, True]


def test_more_structures_than_asked_for_are_not_counted():
    units = {f"U{at}": {"inputs": ["R"], "outputs": ["P"]} for at in range(8)}
    inputs = {"products": ["P"], "raw_materials": ["R"], "units": units}
    assert solve_synthesis_structure(inputs)["number_of_solution_structures"] == 2**8 - 1
    few = solve_synthesis_structure(inputs, most=10)
    assert few["number_of_solution_structures"] is None
    assert len(few["solution_structures"]) == 10


@pytest.mark.parametrize("links", [([[1, 0]], [[0, -2]]), ([[3, 0]], [[0, 0.5]])])
def test_amounts_do_not_matter_to_structures(links):
    takes, makes = _matrices(*links)
    raw, products = np.array([True, False]), np.array([False, True])
    assert list(solution_structures(takes, makes, raw, products)) == [(0,)]
