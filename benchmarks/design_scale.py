"""How designs over years grow: Liupanshui with every library technology a candidate at each of its 8 parks.

Run ``python benchmarks/design_scale.py [SECONDS] [PLANTS ...]``. The bundled example (4,492 enterprises, 34 plants of
the largest of them) with 5 years (2025, 2027, 2030, 2033, 2035), every technology of known size and capital allowed at
each park, solved to a gap of 1 % within SECONDS (600). With PLANTS the standing plants are first split into so many, of
equal size, each an enterprise of its own. Prints plants, candidates, arcs, columns, whole numbers, seconds and CPU
seconds of each step, gap, peak memory, and what the independent checker finds.
"""

import resource
import sys
import time
from dataclasses import replace

import polars as pl

import cyclopolis
from cyclopolis.design.assemble import assemble
from cyclopolis.design.checker_years import check_years
from cyclopolis.design.pose import DesignOptions, pose
from cyclopolis.design.solve import solve_assembly
from cyclopolis.design.tidy import tidy_years
from cyclopolis.plan import Plan

YEARS = (2025, 2027, 2030, 2033, 2035)


def everything_allowed() -> Plan:
    """Return the example with all technologies allowed at all parks, over five years."""
    plan = cyclopolis.read_plan(cyclopolis.example("liupanshui"))
    anything = pl.when(pl.col("kind") == "park").then(pl.lit("any")).otherwise("new_plants")
    sites = plan.tables["sites"].with_columns(new_plants=anything)
    return replace(plan, tables={**plan.tables, "sites": sites}, meta=replace(plan.meta, horizon=YEARS))


def split_plants(plan: Plan, count: int) -> Plan:
    """Return the plan with its standing plants split into about so many, each with an enterprise of its own."""
    plants, enterprises = plan.tables["plants"], plan.tables["enterprises"]
    standing = plants.filter(pl.col("status") == "existing")
    parts = max(round(count / standing.height), 1)
    numbers = pl.DataFrame({"part": range(parts)})
    named = standing.join(numbers, how="cross").with_columns(
        pl.format("{}_{}", "plant", "part").alias("plant"),
        pl.format("{}_{}", "enterprise", "part").alias("enterprise"),
        *(pl.col(name) / parts for name in ("capacity", "activity", "capex", "jobs", "land_ha")),
    )
    owners = enterprises.join(standing.select("enterprise").unique(), on="enterprise", how="semi")
    owners = owners.join(numbers, how="cross").with_columns(
        pl.format("{}_{}", "enterprise", "part").alias("enterprise")
    )
    tables = {
        **plan.tables,
        "plants": pl.concat([plants.filter(pl.col("status") != "existing"), named.select(plants.columns)]),
        "enterprises": pl.concat([enterprises, owners.select(enterprises.columns)]),
        "measurements": plan.tables["measurements"].clear(),
        "exchanges": plan.tables["exchanges"].clear(),
    }
    return replace(plan, tables=tables)


def measure(plan: Plan, seconds: float) -> None:
    clock, cpu = time.perf_counter(), time.process_time()
    posed = pose(plan, DesignOptions(gap=0.01, time_limit=seconds, pieces=1))
    posing, clock = time.perf_counter() - clock, time.perf_counter()
    assembly = assemble(posed.whole)
    assembling = time.perf_counter() - clock
    spent, clock, cpu = time.process_time() - cpu, time.perf_counter(), time.process_time()
    found = solve_assembly(assembly)
    solving, busy = time.perf_counter() - clock, time.process_time() - cpu
    network, program = posed.network, assembly.program
    wrong = len(check_years(posed.whole, tidy_years(posed.whole, found))) if found.flows[0].activity.any() else -1
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{len(network.plant_ids) - posed.problem.new.size:7} {posed.problem.new.size:10} {network.arcs.giver.size:8}"
        f" {program.scale.size:9} {int(program.integer.sum()):7} {posing:6.1f} {assembling:8.2f} ({spent:5.1f})"
        f" {solving:8.1f} ({busy:6.1f}) {found.status:11} {100 * found.gap:7.3f} {memory:7.0f} {wrong:6}",
        flush=True,
    )


def main() -> None:
    words = [float(word) for word in sys.argv[1:]]
    seconds = words[0] if words else 600.0
    print(
        " plants candidates     arcs   columns  whole#   pose assemble   (CPU)    solve  (CPU s) status        gap %"
        "  MB      wrong"
    )
    plan = everything_allowed()
    for count in words[1:]:
        measure(split_plants(plan, int(count)), seconds)
    measure(plan, seconds)


if __name__ == "__main__":
    main()
