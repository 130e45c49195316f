"""How long a large plan takes to compile: 5,000 plants, 300 commodities, about 500,000 arcs.

Run ``python benchmarks/compiling.py [PLANTS]``. The plan is drawn from a seed: 60 technologies of four inputs and
four outputs over 300 commodities, plants on 400 sites in a square of 200 km; half of the sites hold several plants
of one enterprise. Prints time and memory of each step.
"""

import resource
import sys
import time
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from cyclopolis.foundation.columns import empty_table, read_columns
from cyclopolis.library import Library, load_library
from cyclopolis.network import base_flows, compile_network, port_balance, quantities

SEED = 20261122
SITES, TECHNOLOGIES, COMMODITIES = 400, 120, 300
LIBRARY, PLAN = read_columns("cyclopolis.library"), read_columns("cyclopolis.plan.schema")


@dataclass(frozen=True)
class Meta:
    base_year: int = 2024


@dataclass(frozen=True)
class SyntheticPlan:
    meta: Meta
    tables: dict[str, pl.DataFrame]
    library: Library


def filled(schema, table: str, **values) -> pl.DataFrame:
    """Return a documented table with the given columns and nulls elsewhere."""
    size = max(len(value) for value in values.values() if not isinstance(value, str | float | bool))
    return pl.DataFrame(
        {
            column.name: pl.Series(
                [None] * size
                if column.name not in values
                else [values[column.name]] * size
                if isinstance(values[column.name], str | float | bool)
                else list(values[column.name]),
                dtype=column.dtype,
                strict=False,
            )
            for column in schema[table]
        }
    )


def synthetic_library(rng: np.random.Generator) -> Library:
    """Draw recipes of eight commodities each."""
    goods = [f"c{i:03d}" for i in range(COMMODITIES)]
    low = rng.uniform(10, 1000, COMMODITIES)
    names = [f"t{i:03d}" for i in range(TECHNOLOGIES)]
    picks = [rng.choice(COMMODITIES, 8, replace=False) for _ in names]
    rows = [
        (
            name,
            goods[good],
            "out" if k < 4 else "in",
            "main" if k == 0 else "byproduct" if k < 4 else "feedstock",
            1.0 if k == 0 else float(rng.uniform(0.1, 1)),
        )
        for name, pick in zip(names, picks, strict=True)
        for k, good in enumerate(pick)
    ]
    technology, commodity, direction, role, amount = zip(*rows, strict=True)
    return replace(
        load_library(),
        commodities=filled(
            LIBRARY,
            "commodities",
            commodity=goods,
            name=goods,
            kind="material",
            unit="t",
            state="solid",
            hazard=False,
            natural=False,
            price_low=low,
            price_high=low * 1.5,
            t_per_unit=1.0,
            provenance="assumed",
        ),
        technologies=filled(
            LIBRARY,
            "technologies",
            technology=names,
            chain=[f"chain{i % 7}" for i in range(TECHNOLOGIES)],
            name=names,
            main_commodity=[goods[pick[0]] for pick in picks],
            main_direction="out",
            unit="t",
            reference_capacity=1e5,
            capex=100.0,
            opex=20.0,
            jobs=50.0,
            scale_exponent=0.65,
            provenance="assumed",
        ),
        recipes=filled(
            LIBRARY,
            "recipes",
            technology=technology,
            commodity=commodity,
            direction=direction,
            role=role,
            amount=amount,
            unit="t",
            provenance="assumed",
        ),
        substitutions=filled(
            LIBRARY,
            "substitutions",
            commodity=[goods[i] for i in rng.integers(0, COMMODITIES, 100)],
            technology=[names[i] for i in rng.integers(0, TECHNOLOGIES, 100)],
            displaced=[goods[i] for i in rng.integers(0, COMMODITIES, 100)],
            ratio=1.0,
            max_share_pct=20.0,
            provenance="assumed",
        ),
        fates=filled(
            LIBRARY, "fates", commodity=goods, fate="landfill", cost=50.0, co2_t_per_unit=0.0, provenance="assumed"
        ),
        transport=filled(
            LIBRARY,
            "transport",
            mode=["rail", "truck"],
            states="solid",
            kinds="material",
            cost_per_t_km=[0.2, 0.5],
            reach_km=[130.0, 80.0],
            detour=[1.5, 1.3],
            provenance="assumed",
        ),
        grid_factors=empty_table(LIBRARY["grid_factors"]),
        emission_factors=empty_table(LIBRARY["emission_factors"]),
    )


def synthetic_plan(plants: int, seed: int = SEED) -> SyntheticPlan:
    """Draw a plan of the given number of plants."""
    rng = np.random.default_rng(seed)
    library = synthetic_library(rng)
    sites = [f"s{i:04d}" for i in range(SITES)]
    at = rng.integers(0, SITES, plants)
    technology = rng.integers(0, TECHNOLOGIES, plants)
    tables = {name: empty_table(columns) for name, columns in PLAN.items()}
    tables["sites"] = filled(
        PLAN,
        "sites",
        site=sites,
        kind="park",
        lon=112 + rng.uniform(0, 2, SITES),
        lat=36 + rng.uniform(0, 2, SITES),
        area_km2=rng.uniform(1, 9, SITES),
    )
    tables["enterprises"] = filled(PLAN, "enterprises", enterprise=[f"e{i:04d}" for i in range(SITES)], site=sites)
    tables["plants"] = filled(
        PLAN,
        "plants",
        plant=[f"p{i:05d}" for i in range(plants)],
        enterprise=[f"e{i:04d}" for i in at],
        technology=[f"t{i:03d}" for i in technology],
        status="existing",
        capacity=2e4,
        activity=rng.uniform(1e3, 2e4, plants),
        source="assumed, drawn from a seed",
    )
    return SyntheticPlan(Meta(), tables, library)


def main() -> None:
    """Compile one plan and print time and memory of each step."""
    plants = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    plan = synthetic_plan(plants)
    compile_network(synthetic_plan(50))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    network = compile_network(plan)
    compiled = time.perf_counter()
    quantities(network)
    formed = time.perf_counter()
    port_balance(network)
    balanced = time.perf_counter()
    base_flows(network)
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sizes = (
        f"commodities {len(network.commodity_ids)}, ports {network.ports.plant.size}, arcs {network.arcs.giver.size}"
    )
    print(f"plants {plants}, {sizes}")
    print(f"compile       {compiled - start:7.2f} s")
    print(f"quantities    {formed - compiled:7.2f} s")
    print(f"port balance  {balanced - formed:7.2f} s")
    print(f"base flows    {done - balanced:7.2f} s")
    print(f"memory        {peak:7.0f} MiB at most ({before:.0f} MiB before)")


if __name__ == "__main__":
    main()
