"""A plan of 1,000 plants closes as a small one does; `benchmarks/compiling.py` measures how fast 5,000 compile."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from compiling import synthetic_plan

from cyclopolis.network import base_flows, compile_network, left_at_ports, quantities


def test_a_thousand_plants_close_at_every_port():
    plan = synthetic_plan(1000)
    network = compile_network(plan)
    forms = quantities(network)
    flows = base_flows(network)
    assert network.arcs.giver.size > 10_000
    assert abs(left_at_ports(network, flows)).max() < 1e-6
    assert forms["sales"].value(flows) > 0


def test_the_draw_is_the_same_for_one_seed():
    first, second = synthetic_plan(50), synthetic_plan(50)
    assert all(first.tables[name].equals(second.tables[name]) for name in first.tables)
