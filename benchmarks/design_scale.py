"""How designs over years grow with the enterprises of a place: Liupanshui, every library technology a candidate.

Run ``python benchmarks/design_scale.py [--seconds 600] [--plain] [--svg FILE] [ENTERPRISES ...]``. The bundled
example has 4,492 enterprises in 8 parks, of which 34 have a plant. Here as many of them as ENTERPRISES says (more than
there are: drawn again) get a plant by their industry, sized by their output and run below capacity, all from a seed:
assumed, only to make the size real. Every technology of known size and capital is a candidate at each park; years 2025,
2027, 2030, 2033, 2035; gap 1 % within the seconds. The limits of water, set for the 34 plants, are left out; the budget
stays.

Plants alike are merged as `design` does (``--plain``: they are not, to compare). Each size runs in a process of its
own; prints sizes, seconds and CPU seconds, gap, peak memory and what the independent checker of all years finds.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

import cyclopolis
from cyclopolis.design.alike import merge_alike
from cyclopolis.design.assemble import assemble
from cyclopolis.design.checker_years import check_years
from cyclopolis.design.pose import DesignOptions, pose
from cyclopolis.design.solve import solve_assembly
from cyclopolis.design.tidy import tidy_years
from cyclopolis.plan import Plan

SEED = 20261126
YEARS = (2025, 2027, 2030, 2033, 2035)
SIZES = (100, 1000, 4492, 10000)
TRADES = {
    "0690": ("coal_washing", "coal_washing_steam", "gangue_brick", "mine_water_treatment"),
    "3021": ("cement_opc", "cement_flyash", "cement_slag", "cement_composite", "concrete_c30"),
    "1373": ("fruit_juice",),
    "3511": ("eaf_steel", "secondary_aluminium"),
    "3311": ("eaf_steel", "secondary_aluminium"),
    "3252": ("secondary_aluminium", "prebaked_anode"),
    "2613": ("tar_distillation", "naphthalene_superplasticizer", "cmc", "polyacrylamide"),
    "3990": ("cover_glass", "data_centre"),
    "1530": ("tea",),
    "1525": ("tea",),
    "1713": ("textile_dyeing",),
    "1353": ("ham",),
    "2740": ("tcm_extraction",),
    "1512": ("baijiu", "dg_feed"),
    "3841": ("lfp", "iron_phosphate", "lithium_carbonate"),
    "7723": ("slag_grinding", "gypsum_powder_fgd", "road_base", "flyash_brick", "cdw_recycling"),
    "3985": ("cover_glass", "calcined_kaolin", "carbon_nanotube"),
    "3031": ("aac_block", "insulation_block", "gypsum_board"),
}
"""Technologies that an enterprise of an industry may run (assumed)."""
OTHERS = ("concrete_c30", "plastic_recycling", "organic_fertilizer", "cdw_recycling", "industrial_wwtp")


def everything_allowed() -> Plan:
    """Return the example with all technologies allowed at all parks, over five years, without limits of water."""
    plan = cyclopolis.read_plan(cyclopolis.example("liupanshui"))
    anything = pl.when(pl.col("kind") == "park").then(pl.lit("any")).otherwise("new_plants")
    sites = plan.tables["sites"].with_columns(new_plants=anything)
    limits = plan.tables["limits"].filter(pl.col("quantity") == "budget")
    tables = {**plan.tables, "sites": sites, "limits": limits}
    return replace(plan, tables=tables, meta=replace(plan.meta, horizon=YEARS))


def planted(plan: Plan, count: int) -> Plan:
    """Return the plan with a plant for each of so many enterprises beside the owners of main plants."""
    rng = np.random.default_rng(SEED)
    enterprises, plants, library = plan.tables["enterprises"], plan.tables["plants"], plan.library
    rows = enterprises.join(plants.select("enterprise"), on="enterprise", how="anti").rows(named=True)
    prices = {
        name: (low + high) / 2
        for name, low, high in library.commodities.select("commodity", "price_low", "price_high").iter_rows()
        if low is not None and high is not None and low + high > 0
    }
    kinds = {row["technology"]: row for row in library.technologies.iter_rows(named=True)}
    owners, added = [], []
    order = rng.permutation(len(rows))
    for at in range(max(count - plants.height, 0)):
        owner = dict(rows[int(order[at % len(rows)])])
        owner["enterprise"] += f"_{at // len(rows)}" if at >= len(rows) else ""
        choice = TRADES.get(owner["industry_code"], OTHERS)
        kind = kinds[choice[int(rng.integers(len(choice)))]]
        price = prices.get(kind["main_commodity"]) if kind["main_direction"] == "out" else None
        made = 1e6 * owner["output_value"] / price if price else 0.02 * kind["reference_capacity"]
        made = float(np.clip(made, 1e-4 * kind["reference_capacity"], kind["reference_capacity"]))
        added.append(
            {
                "plant": f"p_{owner['enterprise']}",
                "enterprise": owner["enterprise"],
                "technology": kind["technology"],
                "status": "existing",
                "capacity": made * float(rng.uniform(1.02, 1.3)),
                "activity": made,
                "jobs": float(owner["employees"]),
                "source": "assumed: drawn for the benchmark",
            }
        )
        owners.append(owner)
    more = pl.DataFrame([{name: row.get(name) for name in plants.columns} for row in added], schema=plants.schema)
    known = enterprises.join(plants.select("enterprise"), on="enterprise", how="semi")
    tables = {
        **plan.tables,
        "plants": pl.concat([plants, more]),
        "enterprises": pl.concat([known, pl.DataFrame(owners, schema=enterprises.schema)]),
    }
    return replace(plan, tables=tables)


def measure(count: int, seconds: float, plain: bool) -> dict[str, float | str]:
    """Return what one size takes, in this process."""
    plan = planted(everything_allowed(), count)
    clock, cpu = time.perf_counter(), time.process_time()
    merged, _members = (plan, None) if plain else merge_alike(plan)
    posed = pose(merged, DesignOptions(gap=0.01, time_limit=seconds, pieces=1))
    assembly = assemble(posed.whole)
    writing, spent = time.perf_counter() - clock, time.process_time() - cpu
    found = solve_assembly(assembly)
    seconds_all, cpu_all = time.perf_counter() - clock, time.process_time() - cpu
    wrong = len(check_years(posed.whole, tidy_years(posed.whole, found))) if found.flows[0].activity.any() else -1
    return {
        "enterprises": count,
        "standing": plan.tables["plants"].filter(pl.col("status") == "existing").height,
        "merged": len(posed.network.plant_ids) - int(posed.problem.new.size),
        "candidates": int(posed.problem.new.size),
        "arcs": int(posed.network.arcs.giver.size),
        "columns": int(assembly.program.scale.size),
        "whole": int(assembly.program.integer.sum()),
        "writing": writing,
        "writing_cpu": spent,
        "seconds": seconds_all,
        "cpu": cpu_all,
        "status": found.status,
        "gap": 100 * found.gap,
        "objective": found.objective / 1e6,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "wrong": wrong,
    }


COLUMNS = (
    ("enterprises", "enterprises", ".0f"), ("merged", "plants", ".0f"), ("candidates", "candidates", ".0f"),
    ("arcs", "arcs", ".0f"), ("columns", "columns", ".0f"), ("whole", "whole", ".0f"),
    ("writing_cpu", "write CPU s", ".1f"), ("seconds", "all s", ".1f"), ("cpu", "all CPU s", ".1f"),
    ("gap", "gap %", ".3f"), ("objective", "million CNY", ".1f"), ("memory", "MB", ".0f"), ("wrong", "wrong", ".0f"),
)  # fmt: skip


def picture(runs: list[dict[str, float | str]]) -> str:
    """Return CPU seconds and memory against enterprises as SVG, both axes by factors of ten."""
    left, top, wide, high = 60, 20, 400, 220
    sizes = [float(run["enterprises"]) for run in runs]

    def across(value: float) -> float:
        return left + wide * (np.log10(value) - 2) / 2

    def up(value: float) -> float:
        return top + high * (1 - np.log10(max(value, 1.0)) / 4)

    parts = [
        (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 520 290" font-family="sans-serif" font-size="11">'
            '<rect width="520" height="290" fill="white"/>'
        )
    ]
    for power in range(5):
        y = up(10.0**power)
        parts.append(f'<path d="M{left} {y:.1f}h{wide}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{10**power:,}</text>')
    parts += [
        f'<text x="{across(size):.1f}" y="{top + high + 16}" text-anchor="middle">{size:,}</text>'
        for size in (100, 1000, 10000)
    ]
    parts.append(f'<text x="{left + wide / 2}" y="{top + high + 34}" text-anchor="middle">enterprises</text>')
    for name, colour, label in (("cpu", "#c0392b", "CPU s"), ("memory", "#2471a3", "MB")):
        values = [float(run[name]) for run in runs]
        line = " ".join(f"{across(a):.1f},{up(b):.1f}" for a, b in zip(sizes, values, strict=True))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{across(a):.1f}" cy="{up(b):.1f}" r="3" fill="{colour}"/>'
            for a, b in zip(sizes, values, strict=True)
        ]
        parts.append(f'<text x="{left + wide + 6}" y="{up(values[-1]) + 4:.1f}" fill="{colour}">{label}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="*", type=int)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--one", action="store_true")
    parser.add_argument("--svg", type=Path)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure(given.sizes[0], given.seconds, given.plain)))
        return
    print("  ".join(f"{title:>11}" for _, title, _ in COLUMNS) + "  status")
    runs = []
    for size in given.sizes or SIZES:
        words = [sys.executable, __file__, str(size), "--one", "--seconds", str(given.seconds)]
        said = subprocess.run(
            [*words, *(["--plain"] if given.plain else [])], check=True, capture_output=True, text=True
        ).stdout
        run = json.loads(said.splitlines()[-1])
        runs.append(run)
        print("  ".join(f"{run[name]:>11{shape}}" for name, _, shape in COLUMNS) + f"  {run['status']}", flush=True)
    if given.svg is not None:
        given.svg.write_text(picture(runs), encoding="utf-8")


if __name__ == "__main__":
    main()
