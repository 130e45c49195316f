"""A plan of 1,000 plants compiles at once; `benchmarks/compiling.py` measures 5,000."""

import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from compiling import synthetic_plan

from cyclopolis.network import base_flows, compile_network, left_at_ports, quantities


def test_a_thousand_plants_compile_within_seconds():
    plan = synthetic_plan(1000)
    start = time.perf_counter()
    network = compile_network(plan)
    forms = quantities(network)
    flows = base_flows(network)
    assert time.perf_counter() - start < 6  # 0.4 s alone on one core
    assert network.arcs.giver.size > 10_000
    assert abs(left_at_ports(network, flows)).max() < 1e-6
    assert forms["sales"].value(flows) > 0


def test_the_draw_is_the_same_for_one_seed():
    first, second = synthetic_plan(50), synthetic_plan(50)
    assert all(first.tables[name].equals(second.tables[name]) for name in first.tables)
