"""The streets engine: how fine the grid is, what lies on it, who reaches what on foot."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from cyclopolis.foundation.columns import Column
from cyclopolis.foundation.problems import Problem, user_error
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.infrastructure.streets.circles import circle_rows, siting_rows, unserved_rows, walk
from cyclopolis.infrastructure.streets.figures import street_figures
from cyclopolis.infrastructure.streets.measuring import (
    Rows,
    block_rows,
    land_rows,
    measure_rows,
    output_of,
    size_rows,
    street_rows,
)
from cyclopolis.infrastructure.streets.reading import KINDS, Ground, read_ground
from cyclopolis.infrastructure.streets.walking import WALKING_KMH
from cyclopolis.plan import Plan
from cyclopolis.plan.layers import Layer, read_layers

_SHOWN = ("street_density", "block_ha", "frontage_per_100m", "land_use_mix", "industrial_share", "output_per_ha")


@dataclass(frozen=True)
class StreetsOptions:
    """What a user can say about the measuring of streets.

    Parameters
    ----------
    speed_kmh : float
        Walking speed on the flat (4.5, assumed).
    reach_m : float
        How far from a street's axis a door still fronts it, m (30, assumed).
    sites : int
        Facilities to place for each service that does not reach everybody.
    """

    speed_kmh: float = WALKING_KMH
    reach_m: float = 30.0
    sites: int = 1


class Streets(Result):
    """The answer of `streets`; tables and columns are documented in ``columns.csv``."""

    engine: ClassVar[str] = "streets"
    columns_package: ClassVar[str] = "cyclopolis.infrastructure.streets"

    def summary(self) -> tuple[Line, ...]:
        """Return the grid's measures and the share of people served in each circle, of the first place."""
        table = self.tables["measures"]
        scopes = table["scope"].unique(maintain_order=True).to_list()
        lines = []
        for scope in scopes[:1]:
            for row in table.filter((pl.col("scope") == scope) & pl.col("measure").is_in(_SHOWN)).iter_rows(named=True):
                name = message(f"coded.streets_measure_{row['measure']}")
                lines.append(Line(name, row["value"], row["unit"], row["provenance"]))
            together = self.tables["circles"].filter((pl.col("scope") == scope) & pl.col("service").is_null())
            for row in together.iter_rows(named=True):
                name = message("streets.line_circle", minutes=f"{row['circle_min']:g}")
                lines.append(Line(name, row["share"], "1", row["provenance"]))
        lines.append(Line(message("streets.line_notices"), self.tables["notices"].height, "1"))
        return tuple(lines)

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return maps of blocks and frontage, block sizes, and the shares served."""
        return street_figures(self.tables, language)


def streets(plan: Plan, options: StreetsOptions | None = None, progress: Progress = silent) -> Streets:
    """Measure blocks, streets, land use and living circles from a plan's map layers.

    Parameters
    ----------
    plan : Plan
        With a layer of streets at least; land use, buildings, entrances, services, stations, people and a boundary are
        read where they are given, each for the site that its row names or for the whole plan.
    options : StreetsOptions, optional
    progress : Progress
        Told how far it is.

    Returns
    -------
    Streets

    Raises
    ------
    UserError
        If there is no layer of streets, a layer cannot be read, or an option makes no sense.
    """
    options = StreetsOptions() if options is None else options
    if not options.speed_kmh > 0 or not options.reach_m > 0 or options.sites < 0:
        raise user_error("streets.bad_option", speed=options.speed_kmh, reach=options.reach_m, sites=options.sites)
    rows = plan.tables["layers"]
    if rows.filter(pl.col("kind") == "streets").is_empty():
        raise user_error("streets.no_streets")
    progress(message("streets.stage_layers"), 0.05)
    layers = read_layers(plan, KINDS)
    tables: dict[str, Rows] = {name: [] for name in Streets.columns()}
    scopes = sorted({row["site"] or "" for row in rows.filter(pl.col("kind") == "streets").iter_rows(named=True)})
    for at, scope in enumerate(scopes):
        progress(message("streets.stage_measure"), 0.1 + 0.85 * at / len(scopes))
        ground = read_ground(scope, _of_scope(layers, rows, scope), plan.library, rows)
        for name, found in _measure(plan, ground, options).items():
            tables[name] += found
    frames = {name: _frame(tables[name], columns) for name, columns in Streets.columns().items()}
    facts = {
        "crs": layers["streets"][0].crs,
        "speed_kmh": options.speed_kmh,
        "reach_m": options.reach_m,
        "sites": options.sites,
        "scenario": list(plan.scenario),
    }
    return Streets(tables=frames, facts=facts, inputs=plan.inputs)


def _of_scope(layers: Mapping[str, tuple[Layer, ...]], rows: pl.DataFrame, scope: str) -> dict[str, list[Layer]]:
    """Return the layers of one place: its own streets; of the other kinds its own, else those of the whole plan."""
    site = {row["layer"]: row["site"] or "" for row in rows.iter_rows(named=True)}
    out = {}
    for kind, many in layers.items():
        own = [layer for layer in many if site[layer.name] == scope]
        out[kind] = own or ([] if kind == "streets" else [layer for layer in many if not site[layer.name]])
    return out


def _measure(plan: Plan, ground: Ground, options: StreetsOptions) -> dict[str, Rows]:
    """Return the rows of every table for one place."""
    library = plan.library
    targets = {row["measure"]: row for row in library.street_targets.iter_rows(named=True)}
    limits = {
        name: (float(targets[key]["at_most"]), str(targets[key]["provenance"]))
        for name, key in (("all", "block_ha"), ("living", "block_ha_living"))
    }
    blocks = block_rows(ground, library)
    sizes = size_rows(ground, blocks, limits)
    edges = street_rows(ground, options.reach_m)
    land = land_rows(ground, library) if ground.land.size else []
    output = output_of(plan.tables["enterprises"], _inside(plan.tables["sites"], ground.scope))
    found = {
        "blocks": blocks,
        "block_sizes": sizes,
        "streets": edges,
        "land_use": land,
        "measures": measure_rows(ground, sizes, edges, land, library, output),
    }
    missing = []
    if ground.services is not None and ground.people.size:
        circles = walk(ground, library.services.height, options.speed_kmh)
        found["circles"] = circle_rows(ground, circles, library)
        found["unserved"] = unserved_rows(ground, circles, library)
        found["siting"] = siting_rows(ground, circles, library, options.sites, options.speed_kmh, lambda _: None)
    else:
        missing = ["streets.no_people"] if not ground.people.size else ["streets.no_services"]
    pieces, part = ground.walking.pieces()
    said = [Problem(message(key), "notice") for key in missing]
    if pieces > 1:
        share = 100.0 * (1.0 - np.bincount(part).max() / part.size)
        said.append(Problem(message("streets.in_pieces", pieces=pieces, share=f"{share:.1f}"), "notice"))
    found["notices"] = [_notice_row(ground.scope, problem) for problem in (*ground.problems, *said)]
    return found


def _inside(sites: pl.DataFrame, scope: str) -> set[str]:
    """Return a place and all places inside it; every place for the whole plan."""
    if not scope:
        return set(sites["site"].to_list())
    found = {scope}
    while True:
        more = set(sites.filter(pl.col("parent").is_in(sorted(found)))["site"].to_list()) | found
        if more == found:
            return found
        found = more


def _notice_row(scope: str, problem: Problem) -> dict[str, Any]:
    return {
        "scope": scope,
        "layer": None,
        "file": problem.file or None,
        "feature": problem.row,
        "key": problem.text.key,
        "text": problem.text.render("en"),
        "text_zh": problem.text.render("zh"),
    }


def _frame(rows: Rows, columns: tuple[Column, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in columns}, orient="row")
