"""Builds the SWMM model of a plan that has no input file of its own, and what stood there before it was built on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.solids import with_solids
from cyclopolis.infrastructure.drainage.swmm import HECTARE
from cyclopolis.library.storm import load_storm_library
from cyclopolis.plan import Plan

SLOPE_PCT, SOIL, PIPE_N = 1.0, "loam", 0.013
"""What is assumed where a plan is silent."""
SEALED_N, OPEN_N, SEALED_MM, OPEN_MM, NO_STORE_PCT = 0.015, 0.24, 1.5, 7.6, 25.0
"""Roughness and depression storage of sealed and open ground, and the sealed share without storage (SWMM's samples)."""
SPLIT = "r"
"""Ends the name of the part of a catchment whose rain is separated."""
_HEAD = """[TITLE]
Built by Cyclopolis from the tables of a plan

[OPTIONS]
FLOW_UNITS           CMS
INFILTRATION         GREEN_AMPT
FLOW_ROUTING         {routing}
LINK_OFFSETS         DEPTH
ALLOW_PONDING        NO
START_DATE           01/01/2000
START_TIME           00:00:00
REPORT_START_DATE    01/01/2000
REPORT_START_TIME    00:00:00
END_DATE             01/02/2000
END_TIME             00:00:00
DRY_DAYS             5
REPORT_STEP          00:01:00
WET_STEP             00:01:00
DRY_STEP             00:05:00
ROUTING_STEP         10
VARIABLE_STEP        0.75
LENGTHENING_STEP     10
INERTIAL_DAMPING     PARTIAL
NORMAL_FLOW_LIMITED  BOTH
THREADS              1

[EVAPORATION]
CONSTANT             0.0

[RAINGAGES]
RAIN                 INTENSITY  0:05  1.0  TIMESERIES  DRY

[TIMESERIES]
DRY                  0:00  0

[REPORT]
INPUT                NO
SUBCATCHMENTS        ALL
NODES                ALL
LINKS                ALL
"""


@dataclass(frozen=True)
class Built:
    """A model with the plan's names of its parts: SWMM's names are short and plain, whatever the plan calls things.

    ``ends`` are further outfalls of outlets to which several pipes lead, with their outlet: SWMM takes one a pipe.
    """

    model: Inp
    catchments: Mapping[str, str] = field(default_factory=dict)
    nodes: Mapping[str, str] = field(default_factory=dict)
    pipes: Mapping[str, str] = field(default_factory=dict)
    ends: Mapping[str, str] = field(default_factory=dict)


def build_models(plan: Plan) -> dict[str, Built]:
    """Return the models ``before`` (no sealed ground, no pipes, no sewage) and ``grey`` (as the tables say).

    The model ``separated`` is ``grey`` with the rain of the named catchments led to their storm outlets.
    """
    tables = plan.tables
    nodes = {
        name: f"N{place}"
        for place, name in enumerate([*tables["junctions"]["junction"], *tables["outlets"]["outlet"]], start=1)
    }
    catchments = {name: f"S{place}" for place, name in enumerate(tables["catchments"]["catchment"], start=1)}
    pipes = {name: f"C{place}" for place, name in enumerate(tables["conduits"]["conduit"], start=1)}
    names = {**nodes, **catchments}
    into, ends = _pipe_ends(tables, nodes)
    made = {}
    for variant in ("before", "grey", "separated"):
        model = Inp.parse(_HEAD.format(routing="DYNWAVE" if pipes and variant != "before" else "KINWAVE").encode())
        model = _outfalls(model, tables["outlets"], nodes, {} if variant == "before" else ends)
        if variant != "before":
            model = _pipes(model, tables, nodes, pipes, into)
        rows = _catchment_rows(plan, variant, names)
        model = _surfaces(model, rows)
        made[variant] = Built(model, catchments, nodes, pipes, ends)
    return made


def _pipe_ends(tables: Mapping[str, pl.DataFrame], nodes: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the node at which each pipe ends, and the outlets' further outfalls, one for each pipe but the first."""
    outlets = set(tables["outlets"]["outlet"])
    pipes_to: dict[str, int] = {}
    into, ends = {}, {}
    for conduit, end in tables["conduits"].select("conduit", "to_node").iter_rows():
        pipes_to[end] = pipes_to.get(end, 0) + 1
        further = end in outlets and pipes_to[end] > 1
        into[conduit] = f"{nodes[end]}e{pipes_to[end]}" if further else nodes[end]
        if further:
            ends[into[conduit]] = end
    return into, ends


def _outfalls(model: Inp, outlets: pl.DataFrame, nodes: Mapping[str, str], ends: Mapping[str, str]) -> Inp:
    heights = dict(outlets.select("outlet", "invert_m").iter_rows())
    names = {**{nodes[name]: name for name in heights}, **ends}
    return model.add_rows("OUTFALLS", [(short, heights[name], "FREE", "NO") for short, name in names.items()])


def _pipes(
    model: Inp,
    tables: Mapping[str, pl.DataFrame],
    nodes: Mapping[str, str],
    pipes: Mapping[str, str],
    into: Mapping[str, str],
) -> Inp:
    """Add junctions with their sewage, and round pipes."""
    junctions = list(tables["junctions"].iter_rows(named=True))
    conduits = list(tables["conduits"].iter_rows(named=True))
    model = model.add_rows(
        "JUNCTIONS", [(nodes[row["junction"]], row["invert_m"], row["depth_m"], 0, 0, 0) for row in junctions]
    )
    model = model.add_rows(
        "CONDUITS",
        [
            (
                pipes[row["conduit"]],
                nodes[row["from_node"]],
                into[row["conduit"]],
                row["length_m"],
                row["roughness"] or PIPE_N,
                0,
                0,
                0,
            )
            for row in conduits
        ],
    )
    model = model.add_rows(
        "XSECTIONS", [(pipes[row["conduit"]], "CIRCULAR", row["diameter_m"], 0, 0, 0, 1) for row in conduits]
    )
    sewage = [
        (nodes[row["junction"]], "FLOW", f"{row['dry_weather_m3_d'] / 86400:.8g}")
        for row in junctions
        if row["dry_weather_m3_d"]
    ]
    return model.add_rows("DWF", sewage)


def way_out(plan: Plan) -> dict[str, str]:
    """Return the outlet that water of each junction reaches: the nearest storm outlet, else the nearest plant."""
    outlets = dict(plan.tables["outlets"].select("outlet", "kind").iter_rows())
    after: dict[str, list[str]] = {}
    for start, end in plan.tables["conduits"].select("from_node", "to_node").iter_rows():
        after.setdefault(start, []).append(end)
    found = {name: name for name in outlets}
    for junction in plan.tables["junctions"]["junction"]:
        seen, front = {junction}, [junction]
        reached: list[str] = []
        while front:
            front = [end for start in front for end in after.get(start, []) if end not in seen]
            seen.update(front)
            reached += [name for name in front if name in outlets]
        found[junction] = min(reached, key=lambda name: (outlets[name] != "storm", reached.index(name)))
    return found


def _catchment_rows(plan: Plan, variant: str, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return one row per subcatchment; a catchment whose rain is separated in part becomes two."""
    ends = way_out(plan) if variant == "before" else {}
    rows = []
    for row in plan.tables["catchments"].iter_rows(named=True):
        area = row["area_ha"]
        one = {
            "name": names[row["catchment"]],
            "outlet": names[ends.get(row["outlet"], row["outlet"])],
            "area": area,
            "sealed": 0.0 if variant == "before" else row["imperviousness_pct"],
            "width": row["width_m"] or (area * HECTARE) ** 0.5,
            "slope": SLOPE_PCT if row["slope_pct"] is None else row["slope_pct"],
            "soil": row["soil"] or SOIL,
            "ss": row["ss_mg_l"],
        }
        share = (row["separated_pct"] or 0.0) / 100.0 if variant == "separated" else 0.0
        if share > 0:
            end = names[row["storm_outlet"]]
            apart = {**one, "name": one["name"] + SPLIT, "outlet": end}
            parts = [({**one}, 1.0 - share), (apart, share)] if share < 1 else [({**one, "outlet": end}, 1.0)]
            rows += [{**part, "area": area * size, "width": one["width"] * size} for part, size in parts]
        else:
            rows.append(one)
    return rows


def _surfaces(model: Inp, rows: list[dict[str, Any]]) -> Inp:
    """Add subcatchments with their soil, and suspended solids where their concentration is given."""
    soils = {row["soil"]: row for row in load_storm_library().soils.iter_rows(named=True)}
    model = model.add_rows(
        "SUBCATCHMENTS",
        [(r["name"], "RAIN", r["outlet"], r["area"], r["sealed"], round(r["width"], 4), r["slope"], 0) for r in rows],
    )
    model = model.add_rows(
        "SUBAREAS",
        [(r["name"], SEALED_N, OPEN_N, SEALED_MM, OPEN_MM, NO_STORE_PCT, "OUTLET") for r in rows],
    )
    model = model.add_rows(
        "INFILTRATION",
        [
            (
                r["name"],
                soils[r["soil"]]["suction_mm"],
                soils[r["soil"]]["conductivity_mm_h"],
                soils[r["soil"]]["deficit"],
            )
            for r in rows
        ],
    )
    return with_solids(model, {r["name"]: r["ss"] for r in rows if r["ss"] is not None})


def without_sealed(model: Inp) -> Inp:
    """Return a model with no sealed ground and no measures: what a user's own model may have been before."""
    bare = model.set_fields("SUBCATCHMENTS", 4, 0)
    return bare.remove_rows("LID_USAGE").remove_rows("DWF")
