"""How long designs take: the bundled examples whole, and the model alone on networks of growing size.

Run ``python benchmarks/design.py [LARGEST]``. The synthetic networks are drawn from a seed: givers and takers of 20
commodities, 1 % of all pairs joined, a tenth of the takers still to be built. Prints seconds and CPU seconds of each
step, the size of the model and the gap.
"""

import resource
import sys
import time
from dataclasses import replace

import numpy as np

import cyclopolis
from cyclopolis.design import DesignOptions, DesignProblem, SolveOptions, pose, solve_problem
from cyclopolis.design.assemble import assemble
from cyclopolis.design.problem import zero_form
from cyclopolis.design.units import read_units, units_network
from cyclopolis.design.years import one_year
from cyclopolis.network import base_flows
from cyclopolis.network.model import CANDIDATE, EXISTING

SEED = 20261122
EXAMPLES = ("quickstart", "changzhi", "liupanshui")


def timed(work):
    """Return what some work gives, its seconds and its CPU seconds."""
    clock, cpu = time.perf_counter(), time.process_time()
    answer = work()
    return answer, time.perf_counter() - clock, time.process_time() - cpu


def examples() -> None:
    print("example       pose    solve (cpu)      whole (cpu)   plants  arcs    gap")
    for name in EXAMPLES:
        plan = cyclopolis.read_plan(cyclopolis.example(name))
        posed, posing, _ = timed(lambda plan=plan: pose(plan, DesignOptions()))
        solution, solving, solving_cpu = timed(lambda posed=posed: solve_problem(posed.problem))
        _, whole, whole_cpu = timed(lambda plan=plan: cyclopolis.design(plan))
        network = posed.network
        print(
            f"{name:12} {posing:6.2f} {solving:7.2f} ({solving_cpu:5.2f}) {whole:8.2f} ({whole_cpu:5.2f})"
            f" {len(network.plant_ids):8} {network.arcs.giver.size:6} {solution.gap:8.1e}"
        )


def exchange_problem(size: int, hub: bool = False) -> DesignProblem:
    """Return ``size`` givers and takers of 20 commodities, 1 % of all pairs joined; ``hub``: the first giver to all."""
    rng = np.random.default_rng(SEED)
    goods = rng.integers(0, 20, size=2 * size)
    units = {
        f"{'g' if at < size else 't'}{at:05d}": {
            "inputs": {"ore": 1.0} if at < size else {f"w{goods[at]}": 1.0},
            "outputs": {f"w{goods[at]}": 1.0} if at < size else {"good": 1.0},
            "capacity_max": float(rng.integers(10, 100)),
        }
        for at in range(2 * size)
    }
    case = {"products": {"good": {}}, "raw_material_price": {"ore": 0.0}, "units": units}
    network = units_network(read_units(case), 1.0)
    joined = rng.random(network.arcs.giver.size) < 0.01 * 20
    if hub:
        joined |= network.arcs.giver == network.arcs.giver.min()
    cut = {
        name: getattr(network.arcs, name)[joined] for name in network.arcs.__dataclass_fields__ if name != "cap_share"
    }
    arcs = replace(network.arcs, **cut)
    plants, count = network.plants, 2 * size
    status = np.where((np.arange(count) >= size) & (rng.random(count) < 0.1), CANDIDATE, EXISTING)
    activity = np.where((status == EXISTING) & (np.arange(count) < size), plants.capacity, 0.0)
    network = replace(
        network, arcs=arcs, plants=replace(plants, status=status, activity=activity, may_close=activity == 0)
    )
    worth = replace(zero_form(network), arc=rng.uniform(-1.0, 10.0, size=arcs.giver.size))
    return DesignProblem(
        network=network,
        base=base_flows(network),
        gain=worth,
        built_cost=np.where(status == CANDIDATE, rng.uniform(10.0, 200.0, size=count), 0.0),
        capacity_cost=np.zeros(count),
        decided=np.zeros(count, dtype=bool),
        barred=np.zeros(count, dtype=bool),
        loose_max=np.zeros(network.ports.plant.size),
        arc_min=np.zeros(arcs.giver.size),
        options=SolveOptions(gap=1e-3, time_limit=120.0),
    )


def models(largest: int) -> None:
    print("givers    arcs  binaries   build (cpu)    solve (cpu)  status        gap   memory MB")
    size = 125
    while size <= largest:
        problem = exchange_problem(size)
        _, building, building_cpu = timed(lambda problem=problem: assemble(one_year(problem)))
        solution, solving, solving_cpu = timed(lambda problem=problem: solve_problem(problem))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{size:6} {problem.network.arcs.giver.size:7} {problem.new.size:9} {building:7.2f} ({building_cpu:5.2f})"
            f" {solving:8.2f} ({solving_cpu:5.2f})  {solution.status:10} {solution.gap:7.1e} {memory:10.0f}"
        )
        size *= 2


if __name__ == "__main__":
    examples()
    models(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
