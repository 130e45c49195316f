"""Networks with quality and coalitions beside bare peers, in one run: ``python benchmarks/exchanges.py``.

Water: the same linear programme written densely for SciPy's linprog. Coalitions: the same optimum by the network's own
operating problem, built anew for every coalition.
"""

import tracemalloc
from collections.abc import Callable
from time import perf_counter

import numpy as np
from scipy.optimize import linprog

import cyclopolis
from cyclopolis.industry.exchanges.fairness.operating import coalition_value, operating
from cyclopolis.industry.exchanges.quality.problem import quality_problem
from cyclopolis.industry.exchanges.quality.solving import pinch_of, solve_network
from cyclopolis.network import base_flows, compile_network
from cyclopolis.network.operate import best_flows

SIZE = 60


def best_of(ask: Callable[[], float], times: int = 3) -> tuple[float, float, float]:
    """Return answer, least seconds and peak memory in MiB."""
    seconds = []
    for _ in range(times):
        start = perf_counter()
        answer = ask()
        seconds.append(perf_counter() - start)
    tracemalloc.start()
    ask()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return answer, min(seconds), peak


def bare(flow, limit, given, at) -> float:
    """Return the least fresh flow by a dense programme."""
    sinks, sources = flow.size, given.size
    cost = np.concatenate((np.zeros(sinks * sources), np.ones(sinks)))
    equal = np.hstack((np.tile(np.eye(sinks), (1, sources)), np.eye(sinks)))
    load = np.hstack([np.diag(one - limit) for one in at] + [np.diag(-limit)])
    room = np.hstack((np.kron(np.eye(sources), np.ones(sinks)), np.zeros((sources, sinks))))
    solved = linprog(cost, np.vstack((load, room)), np.concatenate((np.zeros(sinks), given)), equal, flow)
    return float(solved.fun)


def main() -> None:
    """Print both comparisons."""
    random = np.random.default_rng(0)
    flow, limit = random.uniform(1, 100, SIZE), random.uniform(0, 400, SIZE)
    given, at = random.uniform(1, 100, SIZE), random.uniform(10, 900, SIZE)
    problem = quality_problem(fresh=[[0.0]], sink_flow=flow, sink_limit=limit, source_flow=given, source=at)
    rows = [
        (f"least fresh flow, {SIZE} sinks and sources: cyclopolis", *best_of(lambda: solve_network(problem).fresh)),
        ("  the same by bare dense linprog", *best_of(lambda: bare(flow, limit, given, at))),
        ("  the same from composite curves", *best_of(lambda: pinch_of(problem).fresh)),
    ]
    network = compile_network(cyclopolis.read_plan(cyclopolis.example("changzhi")))
    posed, base = operating(network), base_flows(network)
    activity = np.nan_to_num(base.activity)
    groups = [int(bits) for bits in random.integers(1, 2 ** len(posed.names), 20)]

    def valued() -> float:
        return sum(coalition_value(posed, bits) for bits in groups)

    def anew() -> float:
        return sum(best_flows(network, activity, activity).arc.sum() for _ in groups)

    rows.append(("20 different coalitions of changzhi: cyclopolis (CNY/a)", *best_of(valued)))
    rows.append(("  20 operating problems built anew (flows)", *best_of(anew)))
    for name, answer, seconds, peak in rows:
        print(f"{name:<60} {answer:>16.6g} {seconds * 1000:>10.1f} ms {peak:>8.1f} MiB")


if __name__ == "__main__":
    main()
