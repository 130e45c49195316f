"""Draws of a plan: the kept programme under a change is the programme of the changed plan."""

from dataclasses import replace

import numpy as np
import pytest

import cyclopolis
from cyclopolis.design.assemble import assemble
from cyclopolis.design.draws import changed, evaluate, held
from cyclopolis.design.objectives import objectives
from cyclopolis.design.pose import DesignOptions, Posed, pose
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.solve import best_answer
from cyclopolis.design.uncertain import first_stage, plan_changes
from cyclopolis.network import dimension_forms, draw_prices

EXACT = SolveOptions(gap=1e-9)


@pytest.fixture(scope="module")
def posed() -> Posed:
    return pose(cyclopolis.read_plan(cyclopolis.example("quickstart")), DesignOptions(gap=1e-9))


def drawn_plan(posed: Posed, number: int, draws: int, seed: int) -> Posed:
    """Return the plan as it would have been posed had a draw been known; existing plants may run from nothing."""
    years = []
    for part in posed.whole.years:
        drawn = draw_prices(part.network, draws, seed)
        markets = replace(
            part.network.markets,
            price=drawn.price[number],
            volume_min=np.zeros_like(drawn.volume_min[number]),
            volume_max=drawn.volume_max[number],
        )
        ports = replace(part.network.ports, coefficient=drawn.coefficient[number])
        network = replace(part.network, markets=markets, ports=ports)
        gain = dimension_forms(network).economy
        gain = replace(gain, built=part.gain.built, capacity=part.gain.capacity)
        plants = replace(network.plants, may_close=np.ones_like(network.plants.may_close))
        years.append(replace(part, network=replace(network, plants=plants), gain=gain))
    return replace(posed, whole=replace(posed.whole, years=tuple(years)))


def test_a_change_gives_what_the_changed_plan_gives(posed: Posed) -> None:
    assembly = assemble(posed.whole)
    goals = objectives(posed, assembly)
    changes = plan_changes(posed, assembly, goals, 4, seed=3)
    first = first_stage(assembly)
    design = best_answer(assembly.program, goals[0], EXACT)
    found = evaluate(assembly.program, design.natural, first, changes, EXACT)
    assert found.failed == 0
    spread = []
    for number in range(4):
        other = drawn_plan(posed, number, 4, seed=3)
        again = assemble(other.whole)
        fresh = best_answer(held(again.program, design.natural, first), again.goal, EXACT)
        assert found.values[number, 0] == pytest.approx(fresh.objective, rel=1e-6)
        own = objectives(other, again)
        moved = held(changed(assembly.program, changes[number]), design.natural, first)
        kept = best_answer(moved, changes[number].objectives[1], EXACT)
        alike = best_answer(held(again.program, design.natural, first), own[1], EXACT)
        assert kept.objective == pytest.approx(alike.objective, rel=1e-6)
        spread.append(found.values[number, 0])
    assert np.ptp(spread) > 1e6


def test_a_seed_makes_the_same_draws_and_another_one_others(posed: Posed) -> None:
    assembly = assemble(posed.whole)
    goals = objectives(posed, assembly)
    one, same, other = (plan_changes(posed, assembly, goals, 2, seed) for seed in (1, 1, 2))
    assert (one[1].objectives[0].weights == same[1].objectives[0].weights).all()
    assert (one[1].objectives[0].weights != other[1].objectives[0].weights).any()


def test_only_builds_are_decided_first(posed: Posed) -> None:
    assembly = assemble(posed.whole)
    first = first_stage(assembly)
    assert first[assembly.program.integer].all()
    assert not first[assembly.layout.columns["activity", 0]].any()
