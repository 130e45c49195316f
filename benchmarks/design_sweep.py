"""Speed of sweeps of designs: two cores beside one, and one kept programme beside writing it anew for every scenario.

Run ``python benchmarks/design_sweep.py [EXAMPLE] [POINTS] [DRAWS]``. A front is solved on one and on two threads (the
points must be the same), and one design is run under draws of prices, yields and demand: on kept programmes, and with
the programme assembled and loaded again for each draw (the plan is read and compiled once in both). Prints seconds,
designs per second, ratios and the largest difference. Nothing here is a test.
"""

import resource
import sys
import time
from dataclasses import replace

import numpy as np

import cyclopolis
from cyclopolis.design.assemble import assemble
from cyclopolis.design.draws import evaluate, held
from cyclopolis.design.floored import FrontOptions
from cyclopolis.design.front import front
from cyclopolis.design.objectives import objectives
from cyclopolis.design.pose import DesignOptions, pose
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.solve import best_answer
from cyclopolis.design.uncertain import first_stage, plan_changes
from cyclopolis.network import dimension_forms, draw_prices, quantities


def timed(work):
    """Return seconds and what the work gave."""
    begin = time.perf_counter()
    given = work()
    return time.perf_counter() - begin, given


def drawn(posed, draws, number):
    """Return the problem as it is under one draw, existing plants free to run from nothing."""
    years = []
    for part, draw, rows in zip(posed.whole.years, draws, posed.year_rows, strict=True):
        network = part.network
        markets = replace(
            network.markets,
            price=draw.price[number],
            volume_min=0 * draw.volume_min[number],
            volume_max=draw.volume_max[number],
        )
        ports = replace(network.ports, coefficient=draw.coefficient[number])
        plants = replace(network.plants, may_close=np.ones_like(network.plants.may_close))
        other = replace(network, markets=markets, ports=ports, plants=plants)
        gain = replace(dimension_forms(other).economy, built=part.gain.built, capacity=part.gain.capacity)
        amounts, names = quantities(other), rows["quantity"].to_list()
        limits = tuple(replace(limit, form=amounts[name]) for limit, name in zip(part.limits, names, strict=True))
        years.append(replace(part, network=other, gain=gain, limits=limits))
    return replace(posed.whole, years=tuple(years))


def sweep(program, goals, points):
    """Print a front on one and on two threads."""
    options = FrontOptions(points=points, time_limit=3600, solve_limit=600)
    alone, one = timed(lambda: front(program, goals, replace(options, threads=1)))
    together, two = timed(lambda: front(program, goals, replace(options, threads=2)))
    alike = one.values.shape == two.values.shape
    span = np.ptp(one.values, axis=0)
    apart = float(np.max(np.abs(one.values - two.values) / span)) if alike else np.inf
    print(
        f"front of {len(one.points)} points, {one.solves} solves: {alone:.1f} s on one thread, {together:.1f} s on two"
    )
    print(f"  ratio {alone / together:.2f}, points apart by at most {apart:.1e} of the ranges")


def draws(posed, assembly, goals, count):
    """Print a design under draws, kept and written anew."""
    design = best_answer(assembly.program, goals[0], SolveOptions(gap=1e-3, time_limit=120))
    first, options = first_stage(assembly), SolveOptions()

    def kept(threads):
        changes = plan_changes(posed, assembly, goals, count, 1)
        return evaluate(assembly.program, design.natural, first, changes, options, threads).values[:, 0]

    def anew():
        prices = [draw_prices(year.network, count, 1) for year in posed.whole.years]
        found = []
        for number in range(count):
            again = assemble(drawn(posed, prices, number))
            found.append(best_answer(held(again.program, design.natural, first), again.goal, options).objective)
        return np.array(found)

    base, before = timed(anew)
    for threads in (1, 2):
        seconds, found = timed(lambda threads=threads: kept(threads))
        apart = np.abs(found - before).max() / np.abs(before).max()
        print(f"{count} draws kept on {threads} thread(s): {seconds:.2f} s, {count / seconds:.1f} designs/s")
        print(
            f"  {base / seconds:.1f} times as many as anew ({count / base:.1f} designs/s), apart by at most {apart:.1e}"
        )


def main():
    """Print the tables."""
    name = sys.argv[1] if len(sys.argv) > 1 else "changzhi"
    points = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    posed = pose(cyclopolis.read_plan(cyclopolis.example(name)), DesignOptions())
    assembly = assemble(posed.whole)
    goals = objectives(posed, assembly)
    rows, columns = assembly.program.matrix.shape
    print(f"{name}: {rows} rows, {columns} columns, {int(assembly.program.integer.sum())} whole")
    draws(posed, assembly, goals, count)
    sweep(assembly.program, goals, points)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
