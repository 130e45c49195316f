"""Networks with quality: published targets, an independent pinch kernel, an independent checker, bare peers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from cyclopolis.foundation.problems import UserError
from cyclopolis.industry.exchanges.quality.network import check_network, settled
from cyclopolis.industry.exchanges.quality.pinch import limiting_flows, quality_pinch, regeneration_target
from cyclopolis.industry.exchanges.quality.problem import quality_problem
from cyclopolis.industry.exchanges.quality.reference import fresh_alone
from cyclopolis.industry.exchanges.quality.solving import (
    apart,
    coalitions,
    of_plants,
    pinch_of,
    plants_of,
    solve_network,
    without_regeneration,
)

FOUR = {
    "load": [[2000.0], [5000], [30000], [4000]],
    "inlet_limit": [[0.0], [50], [50], [400]],
    "outlet_limit": [[100.0], [100], [800], [800]],
}
"""Wang and Smith (1994), g/h, ppm."""
POLLEY = {
    "sink_flow": [50.0, 100, 80, 70],
    "sink_limit": [[20.0], [50], [100], [200]],
    "source_flow": [50.0, 100, 70, 60],
    "source": [[50.0], [100], [150], [250]],
}
REFINERY = {
    "load": [[675.0, 18000, 1575], [3400, 414800, 4590], [5600, 1400, 520800]],
    "inlet_limit": [[0.0, 0, 0], [20, 300, 45], [120, 20, 200]],
    "outlet_limit": [[15.0, 400, 35], [120, 12500, 180], [220, 45, 9500]],
}
PLANTS = (
    ((20, 0, 100), (66.67, 50, 80), (100, 50, 100), (41.67, 80, 800), (10, 400, 800)),
    ((20, 0, 100), (66.67, 50, 80), (15.63, 80, 400), (42.86, 100, 800), (6.67, 400, 1000)),
    ((20, 0, 100), (80, 25, 50), (50, 25, 125), (40, 50, 800), (300, 100, 150)),
)
"""Olesen and Polley (1996): flow, inlet limit, outlet of each operation by plant."""


def interplant():
    rows = [(plant, *row) for plant, part in enumerate(PLANTS) for row in part]
    plant, flow, inlet, outlet = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return quality_problem(
        fresh=[[0.0]], sink_flow=flow, sink_limit=inlet, source_flow=flow, source=outlet,
        giver_plant=[-1, *plant.astype(int)], taker_plant=[*plant.astype(int), -1],
    )  # fmt: skip


def test_four_fixed_load_operations_of_wang_and_smith():
    problem = quality_problem(fresh=[[0.0]], **FOUR)
    found = solve_network(problem)
    assert found.fresh == pytest.approx(90.0)
    assert fresh_alone(problem).sum() == pytest.approx(112.5)
    assert pinch_of(problem).fresh == pytest.approx(90.0)
    assert pinch_of(problem).pinches.tolist() == [100.0]
    assert check_network(problem, found.flows) == ()


@pytest.mark.parametrize(("recycle", "fresh", "regenerated"), [(True, 20.0, 73.684211), (False, 46.153846, 46.153846)])
def test_regeneration_of_wang_and_smith(recycle, fresh, regenerated):
    problem = quality_problem(fresh=[[0.0]], outlet=[[5.0]], recycle=recycle, **FOUR)
    found = solve_network(problem, ("fresh", "regenerated"))
    assert (found.fresh, found.regenerated) == pytest.approx((fresh, regenerated), rel=1e-6)
    parts = (np.array(FOUR[name])[:, 0] for name in ("load", "inlet_limit", "outlet_limit"))
    assert regeneration_target(*parts, 5.0, recycle=recycle) == pytest.approx((fresh, regenerated), rel=1e-6)
    assert check_network(problem, found.flows) == ()
    assert solve_network(without_regeneration(problem)).fresh == pytest.approx(90.0)


def test_fixed_flows_of_polley_beside_a_bare_programme():
    found = solve_network(quality_problem(fresh=[[0.0]], **POLLEY))
    flow, limit = np.array(POLLEY["sink_flow"]), np.array(POLLEY["sink_limit"])[:, 0]
    given_, at = np.array(POLLEY["source_flow"]), np.array(POLLEY["source"])[:, 0]
    sinks, sources = flow.size, given_.size
    reuse = sources * sinks
    cost = np.concatenate((np.zeros(reuse), np.ones(sinks)))
    equal = np.hstack((np.tile(np.eye(sinks), (1, sources)), np.eye(sinks)))
    load = np.hstack([np.diag(at[s] - limit) for s in range(sources)] + [np.diag(-limit)])
    room = np.hstack((np.kron(np.eye(sources), np.ones(sinks)), np.zeros((sources, sinks))))
    bare = linprog(cost, A_ub=np.vstack((load, room)), b_ub=[*np.zeros(sinks), *given_], A_eq=equal, b_eq=flow)
    assert found.fresh == pytest.approx(bare.fun, rel=1e-9) == pytest.approx(70.0)
    assert found.discharged == pytest.approx(50.0)


def test_three_plants_alone_and_together():
    problem = interplant()
    alone = [solve_network(of_plants(problem, [at])).fresh for at in plants_of(problem)]
    assert alone == pytest.approx([98.335, 54.64925, 186.666667], rel=1e-6)
    assert solve_network(apart(problem)).fresh == pytest.approx(sum(alone))
    value = {group: solve_network(of_plants(problem, group)).fresh for group in coalitions([0, 1, 2])}
    assert value[0, 1] == pytest.approx(141.462, rel=1e-6)
    assert value[0, 1, 2] == pytest.approx(314.361333, rel=1e-6)
    fewest = solve_network(problem, ("fresh", "cross_links"))
    assert (fewest.fresh, (fewest.crossing() > 0).sum()) == (pytest.approx(314.361333, rel=1e-6), 3)
    least = solve_network(problem, ("fresh", "cross_flow"))
    assert (least.fresh, least.crossing().sum()) == pytest.approx((314.361333, 66.5667), rel=1e-5)
    assert check_network(problem, fewest.flows) == check_network(problem, least.flows) == ()


@pytest.mark.parametrize(
    ("data", "fresh"),
    [
        (REFINERY, 105.6028),
        (
            {
                "load": [[4000.0, 2000], [5600, 2100]],
                "inlet_limit": [[0.0, 25], [80, 30]],
                "outlet_limit": [[100.0, 75], [240, 90]],
            },
            54.0,
        ),
    ],
)
def test_several_contaminants_to_proven_optimality(data, fresh):
    contaminants = len(data["load"][0])
    problem = quality_problem(contaminants, fresh=[[0.0] * contaminants], **data)
    found = solve_network(problem)
    assert found.fresh == pytest.approx(fresh, abs=1e-3)
    assert found.bound <= found.fresh * (1 + 1e-9)
    assert found.gap < 1e-4
    assert check_network(problem, found.flows) == ()


def test_a_removal_share_is_global_too():
    """Two contaminants, a unit that takes 90 % of one and 50 % of the other; what is discharged must be clean."""
    problem = quality_problem(
        2, fresh=[[0.0, 0.0]], removal=[[0.9, 0.5]], discharge_limit=[20.0, 30.0],
        load=[[1000.0, 800.0], [3000.0, 600.0]], inlet_limit=[[0.0, 0.0], [30.0, 30.0]],
        outlet_limit=[[50.0, 80.0], [120.0, 90.0]],
    )  # fmt: skip
    found = solve_network(problem)
    assert found.gap < 1e-4
    assert check_network(problem, found.flows) == ()
    concentration, inlet = settled(problem, found.flows)
    assert (inlet[-1] <= np.array([20.0, 30.0]) * (1 + 1e-6)).all()
    carried = found.flows[:, -1] @ concentration
    removed = found.flows[:, 2] @ concentration * np.array([0.9, 0.5])
    assert carried + removed == pytest.approx([4000.0, 1400.0], rel=1e-6)


def test_hydrogen_with_a_purifier_closes():
    flow, limit = [100.0, 80.0], [[10.0], [25.0]]
    plain = quality_problem(
        fresh=[[1.0]], sink_flow=flow, sink_limit=limit, source_flow=[60.0, 70.0], source=[[20.0], [35.0]], full=100.0
    )
    more = quality_problem(
        fresh=[[1.0]], sink_flow=flow, sink_limit=limit, source_flow=[60.0, 70.0], source=[[20.0], [35.0]], full=100.0,
        outlet=[[2.0]], recovery=[0.9],
    )  # fmt: skip
    without, found = solve_network(plain), solve_network(more, ("fresh", "regenerated"))
    assert found.fresh < without.fresh
    assert check_network(more, found.flows) == ()
    assert found.fresh + 130.0 == pytest.approx(180.0 + found.discharged)


def test_least_flow_of_a_connection_is_kept():
    problem = quality_problem(fresh=[[0.0]], least_flow=25.0, **POLLEY)
    found = solve_network(problem)
    used = found.flows[found.flows > 0]
    assert used.min() >= 25.0 - 1e-6
    assert found.fresh >= 70.0
    assert check_network(problem, found.flows) == ()


def test_fewest_connections_are_not_more_than_without_asking():
    problem = quality_problem(fresh=[[0.0]], **POLLEY)
    plain, few = solve_network(problem), solve_network(problem, ("fresh", "links"))
    assert few.fresh == pytest.approx(plain.fresh)
    assert few.connections().sum() <= plain.connections().sum()


def test_pipes_cost_and_are_left_out_where_they_do_not_pay():
    free = interplant()
    dear = replace(free, fresh_cost=np.array([1.0]), pipe_cost=np.full(free.pipe_cost.shape, 0.0))
    crossing = (dear.giver_plant[:, None] >= 0) & (dear.giver_plant[:, None] != dear.taker_plant[None, :])
    crossing &= dear.taker_plant[None, :] >= 0
    never = replace(dear, pipe_cost=np.where(crossing, 1000.0, 0.0))
    assert solve_network(never, ("cost",)).crossing().sum() == 0
    some = solve_network(replace(dear, pipe_cost=np.where(crossing, 5.0, 0.0)), ("cost",))
    assert 0 < (some.crossing() > 0).sum() <= 3
    assert some.fresh < sum((98.335, 54.64925, 186.666667))


def test_what_cannot_be_is_refused():
    with pytest.raises(UserError, match="limit"):
        solve_network(quality_problem(fresh=[[30.0]], sink_flow=[10.0], sink_limit=[[20.0]]))
    with pytest.raises(UserError, match="purity"):
        solve_network(quality_problem(fresh=[[1.0]], sink_flow=[1.0], sink_limit=[[5.0]], removal=[[0.5]], full=100.0))


def test_the_checker_finds_what_is_wrong():
    problem = quality_problem(fresh=[[0.0]], **POLLEY)
    flows = solve_network(problem).flows.copy()
    flows[0, 0] -= 5.0
    assert {one.rule for one in check_network(problem, flows)} >= {"sink", "inlet"}
    assert {one.rule for one in check_network(problem, -flows)} >= {"negative"}


amounts = st.integers(1, 100).map(float)
levels = st.integers(0, 40).map(lambda step: 25.0 * step)


@settings(max_examples=25, deadline=None)
@given(
    sinks=st.lists(st.tuples(amounts, levels), min_size=1, max_size=5),
    sources=st.lists(st.tuples(amounts, levels), min_size=1, max_size=5),
)
def test_programme_and_composite_curves_agree_on_fixed_flows(sinks, sources):
    flow, limit = np.array(sinks).T
    given_, at = np.array(sources).T
    problem = quality_problem(fresh=[[0.0]], sink_flow=flow, sink_limit=limit, source_flow=given_, source=at)
    found = solve_network(problem)
    assert found.fresh == pytest.approx(quality_pinch(given_, at, flow, limit).fresh, rel=1e-6, abs=1e-5)
    assert check_network(problem, found.flows) == ()
    swapped = quality_problem(
        fresh=[[0.0]], sink_flow=flow[::-1], sink_limit=limit[::-1], source_flow=given_[::-1], source=at[::-1]
    )
    assert solve_network(swapped).fresh == pytest.approx(found.fresh, rel=1e-6, abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(amounts, st.integers(0, 10), st.integers(1, 10)), min_size=1, max_size=5))
def test_programme_and_composite_curves_agree_on_fixed_loads(rows):
    load = np.array([row[0] for row in rows]) * 100.0
    inlet = np.array([row[1] for row in rows]) * 20.0
    outlet = inlet + np.array([row[2] for row in rows]) * 40.0
    problem = quality_problem(fresh=[[0.0]], load=load, inlet_limit=inlet, outlet_limit=outlet)
    found = solve_network(problem)
    assert found.fresh == pytest.approx(pinch_of(problem).fresh, rel=1e-6, abs=1e-6)
    assert check_network(problem, found.flows) == ()
    through = limiting_flows(load, inlet, outlet)
    assert quality_pinch(through, outlet, through, inlet).fresh == pytest.approx(found.fresh, rel=1e-6, abs=1e-6)
