"""Network measures: the oyster reef of the ecological literature, and small networks solved by hand."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.metabolism.cycling import cycling
from cyclopolis.industry.metabolism.topology import largest_eigenvalue, topology

# Dame and Patten (1981), kcal m-2 d-1; measures as printed in the enaR vignette (Borrett and Lau)
OYSTER = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.5135, 15.791],
        [0.0, 0.0, 1.206, 1.206, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.6609, 0.0, 4.2403],
        [0.0, 0.0, 0.0, 0.0, 0.1721, 1.9076],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.3262],
        [0.0, 8.1721, 7.2745, 0.6431, 0.0, 0.0],
    ]
)
INPUT = np.array([41.47, 0, 0, 0, 0, 0])
RESPIRATION = np.array([25.165, 5.76, 3.5794, 0.4303, 0.3594, 6.1759])
PRINTED = {
    "nodes": 6,
    "links": 12,
    "connectance": 0.333333,
    "linkage_density": 2,
    "largest_eigenvalue": 2.147899,
    "boundary_input": 41.47,
    "throughflow": 83.5833,
    "throughput": 125.0533,
    "path_length": 2.015512,
    "finn_cycling_index": 0.110169,
    "indirect_to_direct": 1.582925,
    "mutual_information": 1.330211,
    "ascendency": 166.3473,
    "capacity": 377.4452,
    "overhead": 211.0979,
    "ascendency_share": 0.440719,
    "flow_diversity": 3.018275,
    "robustness": 0.361102,
    "effective_link_density": 1.79506,
    "trophic_depth": 2.514395,
    "strong_parts": 2,
}


@pytest.mark.parametrize(("measure", "printed"), list(PRINTED.items()))
def test_oyster_reef(measure, printed):
    found = cycling(OYSTER, INPUT, RESPIRATION, np.zeros(6))
    assert getattr(found, measure) == pytest.approx(printed, rel=2e-6, abs=5e-7)


def test_a_chain_does_not_cycle():
    flows = np.diag([4.0, 4.0], 1)
    found = cycling(flows, np.array([4.0, 0, 0]), np.zeros(3), np.array([0, 0, 4.0]))
    assert found.finn_cycling_index == 0
    assert found.largest_eigenvalue == 0
    assert found.path_length == 3
    assert found.ascendency == pytest.approx(found.capacity)
    assert found.overhead == pytest.approx(0, abs=1e-12)


def test_half_recycled():
    """1 enters A; A sends 2 to B; B returns 1: each has seen half of its throughflow before."""
    found = cycling(np.array([[0, 2.0], [1.0, 0]]), np.array([1.0, 0]), np.array([0, 1.0]), np.zeros(2))
    assert found.finn_cycling_index == pytest.approx(0.5)
    assert found.throughflow == 4
    assert found.throughput == 5


def test_export_and_respiration_are_two_destinations():
    inputs, half = np.array([2.0]), np.array([1.0])
    apart = cycling(np.zeros((1, 1)), inputs, half, half)
    together = cycling(np.zeros((1, 1)), inputs, 2 * half, 0 * half)
    assert apart.capacity > together.capacity
    assert apart.throughflow == together.throughflow


def test_what_never_leaves_has_no_cycling_index():
    with pytest.raises(UserError) as caught:
        cycling(np.array([[0, 2.0], [2.0, 0]]), np.zeros(2), np.zeros(2), np.zeros(2))
    assert caught.value.problems[0].text.key == "metabolism.endless_cycle"


def test_negative_flows_are_refused():
    with pytest.raises(UserError) as caught:
        cycling(np.array([[0, -2.0], [0, 0]]), np.ones(2), np.ones(2), np.zeros(2))
    assert caught.value.problems[0].text.key == "metabolism.negative_flow"


def balanced(seed, size=5):
    """Return a random balanced network."""
    generator = np.random.default_rng(seed)
    shares = generator.dirichlet(np.ones(size + 1), size)[:, :size] * (generator.random((size, size)) < 0.7)
    inputs = generator.uniform(0.1, 5, size)
    through = np.linalg.solve(np.eye(size) - shares.T, inputs)
    flows = shares * through[:, None]
    return flows, inputs, through - flows.sum(axis=1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_shares_do_not_depend_on_the_unit_and_stay_in_their_range(seed, factor):
    flows, inputs, outputs = balanced(seed)
    found = cycling(flows, inputs, outputs, np.zeros(5))
    scaled = cycling(flows * factor, inputs * factor, outputs * factor, np.zeros(5))
    assert scaled.finn_cycling_index == pytest.approx(found.finn_cycling_index, rel=1e-9)
    assert scaled.ascendency == pytest.approx(found.ascendency * factor, rel=1e-9)
    assert 0 <= found.finn_cycling_index < 1
    assert 0 <= found.ascendency_share <= 1
    assert found.path_length >= 1
    assert found.capacity == pytest.approx(found.ascendency + found.overhead)
    assert 0 <= found.robustness <= np.exp(-1) + 1e-12


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_compartments_changes_nothing(seed):
    flows, inputs, outputs = balanced(seed)
    order = np.random.default_rng(seed).permutation(5)
    first = cycling(flows, inputs, outputs, np.zeros(5))
    second = cycling(flows[np.ix_(order, order)], inputs[order], outputs[order], np.zeros(5))
    for measure in PRINTED:
        assert getattr(second, measure) == pytest.approx(getattr(first, measure), rel=1e-8, abs=1e-10)


# --- topology: measures by hand


def test_a_small_network_by_hand():
    """a gives b twice, b returns to a, b gives c, d keeps to itself; e gives c."""
    shape = topology(["a", "a", "b", "b", "d", "e"], ["b", "b", "a", "c", "d", "c"])
    assert (shape.actors, shape.exchanges, shape.links) == (5, 6, 4)
    assert shape.linkage_density == 4 / 5
    assert shape.connectance_squared == 4 / 25
    assert shape.connectance_directed == 4 / 20
    assert shape.connectance_undirected == 3 / 10
    assert shape.cyclicity == 1.0
    assert (shape.suppliers, shape.receivers) == (3, 3)
    assert shape.prey_to_predator == 1.0
    assert shape.generalization == 4 / 3
    assert shape.vulnerability == 4 / 3
    assert (shape.largest_strong, shape.strong_parts) == (2, 1)


def test_no_exchange_at_all():
    shape = topology([], [])
    assert (shape.actors, shape.links, shape.cyclicity, shape.largest_strong) == (0, 0, 0.0, 0)
    assert np.isnan(shape.linkage_density)
    assert np.isnan(shape.prey_to_predator)


def test_an_acyclic_network_has_exactly_no_cyclicity():
    generator = np.random.default_rng(0)
    ends = np.sort(generator.choice(1000, (3000, 2)), axis=1)
    assert topology(ends[:, 0], ends[:, 1]).cyclicity == 0.0


@pytest.mark.parametrize("size", [2, 3, 50, 450])
def test_a_ring_has_cyclicity_one(size):
    ring = np.arange(size)
    shape = topology(ring, (ring + 1) % size)
    assert shape.cyclicity == pytest.approx(1.0, abs=1e-9)
    assert (shape.largest_strong, shape.strong_parts) == (size, 1)


@pytest.mark.parametrize("size", [40, 300])
def test_everyone_linked_to_everyone(size):
    giver, taker = np.nonzero(~np.eye(size, dtype=bool))
    shape = topology(giver, taker)
    assert shape.cyclicity == pytest.approx(size - 1)
    assert shape.connectance_directed == 1.0
    assert shape.connectance_undirected == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_largest_eigenvalue_against_dense(seed):
    generator = np.random.default_rng(seed)
    dense = (generator.random((600, 600)) < 0.004) * 1.0
    found = largest_eigenvalue(sp.csr_matrix(dense))
    assert found == pytest.approx(np.abs(np.linalg.eigvals(dense)).max(), rel=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=30), st.integers(0, 2**32 - 1))
def test_names_and_the_order_of_exchanges_change_nothing(pairs, seed):
    generator = np.random.default_rng(seed)
    order, label = generator.permutation(len(pairs)), generator.permutation(9)
    ends = np.array(pairs)
    first = topology(ends[:, 0], ends[:, 1])
    moved = label[ends[order]]
    second = topology([f"n{item}" for item in moved[:, 0]], [f"n{item}" for item in moved[:, 1]])
    for measure in vars(first):
        assert getattr(second, measure) == pytest.approx(getattr(first, measure), rel=1e-9, nan_ok=True)
