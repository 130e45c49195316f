"""Pruning by synthesis: what cannot matter goes, and the optimum stays."""

from dataclasses import replace

import numpy as np
import pytest
from design_networks import Plant, World, plant_at
from test_model import _random_world

from cyclopolis.design import solve_problem
from cyclopolis.design.prune import keep_plants, useful_plants
from cyclopolis.network import base_flows, left_at_ports, quantities
from cyclopolis.network.model import EXISTING

MILL = Plant({"steel": 1.0, "slag": 0.2, "ore": -2.0}, capacity=100, activity=100, status=EXISTING)
WORLD = World(
    {
        "mill": MILL,
        "kiln": Plant({"brick": 1.0, "slag": -1.0, "dust": 0.1}),
        "starved": Plant({"brick": 1.0, "unobtainium": -1.0}),
        "choked": Plant({"brick": 1.0, "slag": -1.0, "poison": 0.1}),
        "useless": Plant({"toy": 1.0, "ore": -1.0}),
        "dust_eater": Plant({"pellet": 1.0, "dust": -1.0}),
        "after_starved": Plant({"steel": 1.0, "half": -1.0}),
        "half_maker": Plant({"half": 1.0, "unobtainium": -1.0}),
    },
    buy={"ore": (3.0, np.inf)},
    sell={"steel": (50.0, 100.0), "brick": (4.0, np.inf), "pellet": (1.0, 5.0)},
    fates={"slag": 5.0, "toy": 1.0},
)


def useful(world: World) -> set[str]:
    network = world.network()
    kept = useful_plants(network, np.ones(len(network.plant_ids), dtype=bool))
    return {name for name, stays in zip(network.plant_ids, kept, strict=True) if stays}


def test_only_plants_that_can_work_and_matter_stay():
    # The kiln's dust has no lawful way out but the dust eater, which in turn lives on it.
    assert useful(WORLD) == {"mill", "kiln", "dust_eater"}


def test_without_a_taker_for_its_dust_the_kiln_goes_too():
    plants = {name: plant for name, plant in WORLD.plants.items() if name != "dust_eater"}
    assert useful(replace(WORLD, plants=plants)) == {"mill"}


def test_what_may_not_be_built_does_not_count():
    network = WORLD.network()
    allowed = np.ones(len(network.plant_ids), dtype=bool)
    allowed[plant_at(network, "dust_eater")] = False
    kept = useful_plants(network, allowed)
    assert [name for name, stays in zip(network.plant_ids, kept, strict=True) if stays] == ["mill"]


def test_a_gate_fee_makes_a_plant_useful():
    world = replace(WORLD, plants={"mill": MILL, "burner": Plant({"heat": 1.0, "refuse": -1.0})})
    free = replace(world, buy={"ore": (3.0, np.inf), "refuse": (0.0, 10.0)}, fates={"slag": 5.0, "heat": 0.0})
    paid = replace(free, buy={"ore": (3.0, np.inf), "refuse": (-50.0, 10.0)})
    assert useful(free) == {"mill"}
    assert useful(paid) == {"mill", "burner"}


def test_a_network_without_some_plants_is_whole():
    network = WORLD.network()
    kept = useful_plants(network, np.ones(len(network.plant_ids), dtype=bool))
    small = keep_plants(network, kept)
    assert small.plant_ids == ("dust_eater", "kiln", "mill")
    ports, arcs = small.ports, small.arcs
    assert ports.plant.max() == 2
    assert arcs.giver.max() < ports.plant.size
    assert arcs.taker.max() < ports.plant.size
    for plant, port in enumerate(small.plants.main):
        assert ports.plant[port] == plant
    base = base_flows(small)
    assert np.abs(left_at_ports(small, base)).max() == pytest.approx(0.0, abs=1e-9)
    before = quantities(network)["gain"].value(base_flows(network))
    assert quantities(small)["gain"].value(base) == pytest.approx(before)


@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_is_the_same_with_and_without_pruning(seed):
    world = _random_world(seed)
    full = world.problem()
    network = full.network
    kept = useful_plants(network, network.plants.status != EXISTING)
    names = {name for name, stays in zip(network.plant_ids, kept, strict=True) if stays}
    groups = [group for group in world.exclusions if set(group) <= names]
    plants = {name: plant for name, plant in world.plants.items() if name in names}
    small = replace(world, plants=plants, exclusions=groups).problem()
    assert solve_problem(small).objective == pytest.approx(solve_problem(full).objective, rel=1e-9, abs=1e-6)
