"""Networks of flows with closed forms: chains, rings, fans, copies, brute-force parts; draws of small systems."""

from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp

from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.metabolism.cycling import cycling
from cyclopolis.industry.metabolism.montecarlo import (
    account_derivatives,
    draw_between,
    linear_spread,
    plan_elimination,
    solve_draws,
)
from cyclopolis.industry.metabolism.topology import largest_eigenvalue, topology


def chain(size, inflow=1.0, kept=1.0):
    """Return a chain in which each passes on the share ``kept`` and loses the rest; the last one delivers it all."""
    through = inflow * kept ** np.arange(size)
    flows = np.diag(through[1:], 1) if size > 1 else np.zeros((1, 1))
    inputs, export = np.zeros(size), np.zeros(size)
    inputs[0], export[-1] = inflow, through[-1]
    respiration = through - np.append(through[1:], through[-1])
    return flows, inputs, respiration, export


def ring(size, back, inflow=1.0):
    """Return a ring: all pass on all, the last gives the share ``back`` to the first and delivers the rest."""
    through = inflow / (1 - back)
    flows = np.diag(np.full(size - 1, through), 1) if size > 1 else np.zeros((1, 1))
    flows[-1, 0] += back * through
    inputs, export = np.zeros(size), np.zeros(size)
    inputs[0], export[-1] = inflow, (1 - back) * through
    return flows, inputs, np.zeros(size), export


def fan(count):
    """Return a hub that feeds ``count`` equal branches."""
    flows = np.zeros((count + 1, count + 1))
    flows[0, 1:] = 1 / count
    inputs, export = np.zeros(count + 1), np.full(count + 1, 1 / count)
    inputs[0], export[0] = 1.0, 0.0
    return flows, inputs, np.zeros(count + 1), export


@pytest.mark.parametrize("size", [1, 2, 3, 7, 30])
def test_a_chain_without_loss_is_all_order(size):
    """size + 1 equal flows, each the only one of its origin and its destination: AMI = H = log2(size + 1)."""
    found = cycling(*chain(size, inflow=5.0))
    assert found.throughflow == pytest.approx(5.0 * size)
    assert found.path_length == pytest.approx(size)
    assert found.finn_cycling_index == pytest.approx(0.0, abs=1e-12)
    assert found.mutual_information == pytest.approx(np.log2(size + 1))
    assert found.flow_diversity == pytest.approx(np.log2(size + 1))
    assert found.ascendency == pytest.approx(5.0 * (size + 1) * np.log2(size + 1))
    assert found.overhead == pytest.approx(0.0, abs=1e-9)
    assert found.effective_link_density == pytest.approx(1.0)
    assert found.trophic_depth == pytest.approx(size + 1)
    assert (found.links, found.strong_parts, found.largest_eigenvalue) == (size - 1, size, 0.0)


@pytest.mark.parametrize("size", [2, 4, 9])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_chain_with_losses_is_a_geometric_series(size, kept):
    found = cycling(*chain(size, 3.0, kept))
    series = (1 - kept**size) / (1 - kept)
    assert found.throughflow == pytest.approx(3.0 * series)
    assert found.path_length == pytest.approx(series)
    # direct: what the first passes on; indirect: all further steps
    assert found.indirect_to_direct == pytest.approx((series - 1 - kept) / kept, abs=1e-12)
    # what enters, what is passed on, what leaves (as much as enters)
    assert found.throughput == pytest.approx(3.0 * (1 + (series - 1) + 1))


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("back", [0.0, 0.2, 0.5, 0.95])
def test_a_ring_cycles_what_it_gives_back(size, back):
    """Every compartment is passed 1 / (1 - back) times, so the share that was there before is ``back``."""
    found = cycling(*ring(size, back))
    assert found.finn_cycling_index == pytest.approx(back, abs=1e-12)
    assert found.throughflow == pytest.approx(size / (1 - back))
    assert found.path_length == pytest.approx(size / (1 - back))
    assert found.largest_eigenvalue == pytest.approx(1.0 if back else 0.0)
    assert found.strong_parts == (1 if back else size)


@pytest.mark.parametrize("count", [1, 2, 5, 16])
def test_a_fan_by_hand(count):
    """Three thirds of the throughput: in, hub to branches, out. AMI = log2 3, H = log2 3 + 2/3 log2 count."""
    found = cycling(*fan(count))
    assert found.throughput == pytest.approx(3.0)
    assert found.mutual_information == pytest.approx(np.log2(3))
    assert found.flow_diversity == pytest.approx(np.log2(3) + 2 / 3 * np.log2(count))
    assert found.effective_link_density == pytest.approx(count ** (1 / 3))
    assert found.trophic_depth == pytest.approx(3.0)
    assert found.connectance == pytest.approx(count / (count + 1) ** 2)
    share = np.log2(3) / (np.log2(3) + 2 / 3 * np.log2(count))
    assert found.robustness == pytest.approx(-share * np.log(share), abs=1e-12)


def joined(*networks):
    """Put networks side by side."""
    sizes = [network[1].size for network in networks]
    flows = np.zeros((sum(sizes), sum(sizes)))
    for start, (part, *_), size in zip(np.cumsum([0, *sizes[:-1]]), networks, sizes, strict=True):
        flows[start : start + size, start : start + size] = part
    return flows, *(np.concatenate([network[k] for network in networks]) for k in (1, 2, 3))


def test_parts_side_by_side():
    """A ring of 3 (back 0.5) and a chain of 2: throughflow 6 + 2, of which 3 cycled."""
    found = cycling(*joined(ring(3, 0.5), chain(2)))
    assert found.throughflow == pytest.approx(8.0)
    assert found.finn_cycling_index == pytest.approx(3 / 8)
    assert found.boundary_input == pytest.approx(2.0)
    assert found.path_length == pytest.approx(4.0)
    assert found.strong_parts == 3
    assert found.links == 4


@pytest.mark.parametrize("base", [ring(4, 0.3), chain(3, 2.0, 0.7), fan(5)], ids=["ring", "chain", "fan"])
def test_a_compartment_without_flows_only_counts_as_one_more(base):
    idle = (np.zeros((1, 1)), np.zeros(1), np.zeros(1), np.zeros(1))
    one, two = cycling(*base), cycling(*joined(base, idle))
    assert two.nodes == one.nodes + 1
    assert two.strong_parts == one.strong_parts + 1
    assert two.connectance == pytest.approx(one.connectance * one.nodes**2 / two.nodes**2)
    same = set(vars(one)) - {"nodes", "strong_parts", "connectance", "linkage_density"}
    for measure in same:
        assert getattr(two, measure) == pytest.approx(getattr(one, measure), abs=1e-12), measure


@pytest.mark.parametrize("base", [ring(4, 0.3), chain(3, 2.0, 0.7), fan(5)], ids=["ring", "chain", "fan"])
def test_two_copies_add_one_bit_of_diversity_and_less_of_order(base):
    """Origin tells the copy of a flow, but not for what comes from outside: the boundary is shared."""
    one, two = cycling(*base), cycling(*joined(base, base))
    assert two.throughput == pytest.approx(2 * one.throughput)
    assert two.throughflow == pytest.approx(2 * one.throughflow)
    assert two.flow_diversity == pytest.approx(one.flow_diversity + 1)
    assert one.mutual_information < two.mutual_information < one.mutual_information + 1
    for measure in ("finn_cycling_index", "path_length", "indirect_to_direct", "largest_eigenvalue"):
        assert getattr(two, measure) == pytest.approx(getattr(one, measure), abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_finn_by_following_the_flow_step_by_step(seed):
    """The shares over all paths as a power series, the index by its definition."""
    generator = np.random.default_rng(seed)
    size = int(generator.integers(2, 7))
    shares = generator.random((size, size)) * (generator.random((size, size)) < 0.6)
    shares *= 0.8 / np.maximum(shares.sum(axis=1, keepdims=True), 0.8)
    inputs = generator.uniform(0.5, 2, size)
    walks, step = np.eye(size), np.eye(size)
    for _ in range(400):
        step = step @ shares
        walks += step
    through = inputs @ walks
    flows = shares * through[:, None]
    left = through - flows.sum(axis=1)
    found = cycling(flows, inputs, 0.3 * left, 0.7 * left)
    own = np.diag(walks)
    assert found.throughflow == pytest.approx(through.sum())
    assert found.finn_cycling_index == pytest.approx((through * (1 - 1 / own)).sum() / through.sum(), abs=1e-9)
    assert found.path_length == pytest.approx(through.sum() / inputs.sum())
    assert found.capacity == pytest.approx(found.ascendency + found.overhead)
    assert 0 <= found.mutual_information <= found.flow_diversity


@pytest.mark.parametrize(
    ("flows", "inputs"),
    [
        ([[1.0]], [0.0]),  # feeds only itself
        ([[0.0, 2], [2, 0]], [0.0, 0.0]),  # two that only feed each other
        ([[0.0, 0, 0], [0, 0, 3], [0, 3, 0]], [1.0, 0, 0]),  # the same beside a sound one
    ],
)
def test_what_never_leaves_is_refused(flows, inputs):
    nothing = np.zeros(len(inputs))
    with pytest.raises(UserError) as caught:
        cycling(np.array(flows), np.array(inputs), nothing, nothing)
    assert caught.value.problems[0].text.key == "metabolism.endless_cycle"


@pytest.mark.parametrize("part", range(4))
def test_a_negative_flow_anywhere_is_refused(part):
    given = [item.copy() for item in ring(3, 0.5)]
    given[part].flat[1] = -1e-9
    with pytest.raises(UserError) as caught:
        cycling(*given)
    assert caught.value.problems[0].text.key == "metabolism.negative_flow"


# --- shape ---
@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (np.zeros((3, 3)), 0.0),
        (np.triu(np.ones((5, 5)), 1), 0.0),
        (np.eye(4), 1.0),
        ([[1, 1], [1, 0]], (1 + 5**0.5) / 2),  # golden ratio
        ([[0, 1, 0], [0, 0, 1], [1, 1, 0]], 1.3247179572447460),  # x³ = x + 1, the plastic number
        (np.ones((6, 6)), 6.0),
        (np.ones((6, 6)) - np.eye(6), 5.0),
        (np.block([[np.zeros((2, 2)), np.ones((2, 8))], [np.ones((8, 2)), np.zeros((8, 8))]]), 4.0),  # sqrt(2 · 8)
        (np.kron(np.eye(3), np.ones((2, 2))), 2.0),  # three separate parts
        (np.array([[0, 1, 9], [1, 0, 9], [0, 0, 0]]), 1.0),  # what leaves the ring does not count
    ],
)
def test_eigenvalues_known_in_closed_form(matrix, expected):
    assert largest_eigenvalue(sp.csr_matrix(np.array(matrix, float))) == pytest.approx(expected, abs=1e-9)


def reached(size, pairs):
    """Return the reach of everyone by Warshall's closure."""
    reach = np.eye(size, dtype=bool)
    for start, end in pairs:
        reach[start, end] = True
    for via, start, end in product(range(size), repeat=3):
        reach[start, end] |= reach[start, via] & reach[via, end]
    return reach


@pytest.mark.parametrize("seed", range(20))
def test_strong_parts_by_closure(seed):
    generator = np.random.default_rng(seed)
    pairs = generator.integers(0, 9, (int(generator.integers(3, 22)), 2))
    shape = topology(pairs[:, 0], pairs[:, 1])
    actors = np.unique(pairs)
    reach = reached(9, pairs.tolist())
    mutual = (reach & reach.T)[np.ix_(actors, actors)]
    parts = {tuple(row) for row in mutual.tolist()}
    assert shape.largest_strong == mutual.sum(axis=1).max()
    assert shape.strong_parts == sum(sum(part) > 1 for part in parts)
    links = {(start, end) for start, end in pairs.tolist() if start != end}
    assert shape.links == len(links)
    assert shape.connectance_undirected * actors.size * (actors.size - 1) / 2 == pytest.approx(
        len({frozenset(link) for link in links})
    )
    assert (shape.cyclicity > 0) == (shape.strong_parts > 0)
    assert shape.cyclicity <= max(len({e for s, e in links if s == actor}) for actor in actors) + 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_one_more_link_never_makes_less_of_a_cycle(seed):
    generator = np.random.default_rng(seed)
    pairs = [tuple(pair) for pair in generator.permutation(np.argwhere(~np.eye(6, dtype=bool))).tolist()]
    before = (0.0, 0)
    for count in range(6, 31, 4):
        ends = np.array(pairs[:count])
        shape = topology(ends[:, 0], ends[:, 1])
        after = (shape.cyclicity, shape.largest_strong)
        assert after[0] >= before[0] - 1e-9
        assert after[1] >= before[1]
        before = after
    assert before == (pytest.approx(5.0), 6)


def test_reversing_all_exchanges_swaps_givers_and_takers():
    giver, taker = ["a", "a", "b", "c", "c"], ["b", "c", "c", "a", "d"]
    one, two = topology(giver, taker), topology(taker, giver)
    assert (one.suppliers, one.receivers) == (two.receivers, two.suppliers) == (3, 4)
    assert (one.generalization, one.vulnerability) == (two.vulnerability, two.generalization) == (5 / 4, 5 / 3)
    assert one.prey_to_predator == pytest.approx(1 / two.prey_to_predator)
    assert one.cyclicity == pytest.approx(two.cyclicity)
    assert one.largest_strong == two.largest_strong == 3


# --- draws and derivatives ---
def test_two_plants_that_feed_each_other_in_every_draw():
    """[[1, -a], [-b, 1]] x = (f, g): x = (f + a g, g + b f) / (1 - a b)."""
    generator = np.random.default_rng(5)
    a, b = generator.uniform(0, 0.9, (2, 500))
    plan = plan_elimination(sp.csc_matrix([[1.0, -0.5], [-0.5, 1.0]]))
    ones = np.ones(500)
    found = solve_draws(plan, np.array([ones, -b, -a, ones]), np.array([2.0, 3.0]))
    np.testing.assert_allclose(found, np.array([2 + 3 * a, 3 + 2 * b]) / (1 - a * b))
    right = generator.uniform(1, 2, (2, 500))
    each = solve_draws(plan, np.array([ones, -b, -a, ones]), right)
    np.testing.assert_allclose(each, np.array([right[0] + a * right[1], right[1] + b * right[0]]) / (1 - a * b))


@pytest.mark.parametrize("seed", range(5))
def test_accounts_fall_as_all_entries_grow_together(seed):
    """y = w M⁻¹ f is homogeneous of degree -1 in M: the entries times their derivatives sum to -y (Euler)."""
    generator = np.random.default_rng(seed)
    matrix = sp.csc_matrix(np.eye(6) * 2 - 0.3 * (generator.random((6, 6)) < 0.4))
    matrix.sort_indices()
    weights = sp.csr_matrix(generator.uniform(-1, 1, (3, 6)))
    accounts, moves = account_derivatives(matrix, generator.uniform(1, 2, 6), weights)
    np.testing.assert_allclose(moves @ matrix.data, -accounts)


@pytest.mark.parametrize(
    ("weights", "joint", "expected"),
    [
        ([[1.0, 1.0]], [[9.0, 0.0], [0.0, 16.0]], [5.0]),
        ([[1.0, -1.0]], [[9.0, 6.0], [6.0, 16.0]], [13**0.5]),  # 9 + 16 - 12
        ([[2.0, 0.0], [0.0, -0.5], [0.0, 0.0]], [[9.0, 5.0], [5.0, 16.0]], [6.0, 2.0, 0.0]),
        ([[1.0, -1.0]], [[4.0, 4.0], [4.0, 4.0]], [0.0]),
    ],
)
def test_linear_spread_by_hand(weights, joint, expected):
    assert linear_spread(sp.csr_matrix(weights), sp.csr_matrix(joint)) == pytest.approx(np.array(expected), abs=1e-12)


@pytest.mark.parametrize(
    ("shape", "mean", "variance"),
    [
        ("uniform", 5.0, 64 / 12),  # 1 to 9
        ("triangular", 4.0, 57 / 18),  # (l² + m² + h² - lm - lh - mh) / 18
        ("normal", 2.0, (8 / 3.919928) ** 2),
    ],
)
def test_moments_of_the_draws(shape, mean, variance):
    """Low 1, middle 2, high 9."""
    drawn = draw_between(np.array([1.0]), np.array([2.0]), np.array([9.0]), 40_000, seed=11, shape=shape)[0]
    assert drawn.mean() == pytest.approx(mean, abs=0.05)
    assert drawn.var() == pytest.approx(variance, rel=0.03)
    if shape != "normal":
        assert 1.0 <= drawn.min() < drawn.max() <= 9.0


@pytest.mark.parametrize("middle", [0.0, 1.0])
def test_a_triangle_with_its_peak_at_an_end(middle):
    low, high = np.zeros(1), np.ones(1)
    drawn = draw_between(low, np.array([middle]), high, 40_000, seed=2)[0]
    assert np.isfinite(drawn).all()
    assert drawn.mean() == pytest.approx((1 + middle) / 3, abs=0.01)


def test_the_number_of_a_group_says_nothing():
    low, high = np.zeros(4), np.ones(4)
    one = draw_between(low, low + 0.5, high, 20, seed=1, together=np.array([0, 1, 0, 1]))
    two = draw_between(low, low + 0.5, high, 20, seed=1, together=np.array([3, 900, 3, 900]))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one[0], one[2])
    assert (one[0] != one[1]).any()
    assert (one != draw_between(low, low + 0.5, high, 20, seed=2, together=np.array([0, 1, 0, 1]))).any()
