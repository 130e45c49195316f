"""The land engine: what lies on protected ground, what is left to build on, how uses change, which zones suit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import polars as pl

from cyclopolis.ecology.land import drafts, measuring
from cyclopolis.ecology.land.figures import land_figures
from cyclopolis.ecology.land.layers_out import geojson
from cyclopolis.ecology.land.parts import joined
from cyclopolis.ecology.land.reading import KINDS, Ground, outlines, read_ground
from cyclopolis.ecology.land.redline import REACH_M
from cyclopolis.foundation.columns import Column
from cyclopolis.foundation.problems import Problem, user_error
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message
from cyclopolis.plan import Plan

Rows = measuring.Rows
_NAMED = 12


@dataclass(frozen=True)
class LandOptions:
    """What a user can say about the measuring of land.

    Parameters
    ----------
    tolerance_m2 : float
        Overlap with protected ground that is put down to the last digits of drawn lines, m2.
    reach_m : float
        Distances from protected ground are measured up to this, m.
    cell_m : float
        Side of the cells of the zoning proposal, m (350: the largest block of 12 ha).
    margin_m : float
        Width of the green margin beside protected ground in the proposal, m (assumed).
    industry_share : float
        Share of the ground to build on that the proposal gives to industry (assumed).
    """

    tolerance_m2: float = 1.0
    reach_m: float = REACH_M
    cell_m: float = 350.0
    margin_m: float = 100.0
    industry_share: float = 0.4

    def check(self) -> None:
        """Raise UserError when an option makes no sense."""
        lengths = self.reach_m > 0 and self.cell_m > 0 and self.margin_m >= 0
        if not lengths or self.tolerance_m2 < 0 or not 0 <= self.industry_share <= 1:
            raise user_error("land.bad_option", **asdict(self))


class Land(Result):
    """The answer of `land`; tables and columns are documented in ``columns.csv``."""

    engine: ClassVar[str] = "land"
    columns_package: ClassVar[str] = "cyclopolis.ecology.land"

    def refusals(self) -> pl.DataFrame:
        """Return the parcels and projects that are refused because they lie on protected ground."""
        return self.tables["overlaps"].filter("refused")

    def summary(self) -> tuple[Line, ...]:
        """Return what is refused, and what is left to build on in each place."""
        lines = []
        overlaps = self.tables["overlaps"]
        if overlaps.height:
            lines.append(Line(message("land.line_looked_at"), overlaps.height, "1"))
            lines.append(Line(message("land.line_refused"), self.refusals().height, "1"))
            lines.append(Line(message("land.line_overlap"), float(overlaps["overlap_ha"].sum()), "ha"))
        for row in self.tables["places"].head(6).iter_rows(named=True):
            name = message("land.line_left", site=row["scope"]) if row["scope"] else message("land.line_left_whole")
            lines.append(Line(name, row["developable_ha"], "ha", row["provenance"]))
            if row["design_ha"] is not None:
                own = "user" if row["planned_ha"] is not None else row["provenance"]
                lines.append(Line(message("land.line_design", site=row["scope"]), row["design_ha"], "ha", own))
        changed = self.tables["changes"].filter("changed")
        if self.tables["changes"].height:
            lines.append(Line(message("land.line_changed"), float(changed["area_ha"].sum()), "ha"))
        areas = self.tables["draft_areas"]
        if areas.height:
            sure = drafts.weakest(self.tables["draft_formulas"]["provenance"].to_list())
            lines.append(Line(message("land.line_candidates"), float(areas["area_ha"].sum()), "ha", sure))
            new = float((areas["area_ha"] - areas["protected_ha"]).sum())
            lines.append(Line(message("land.line_candidates_new"), new, "ha", sure))
        zones = self.tables["zones"].filter(pl.col("zone") != "out").height
        if zones:
            lines.append(Line(message("land.line_draft"), zones, "1"))
        lines.append(Line(message("streets.line_notices"), self.tables["notices"].height, "1"))
        return tuple(lines)

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return maps of protected ground, of the proposed zones, and the change of classes."""
        return land_figures(self.tables, language)

    def files(self) -> Mapping[str, str]:
        """Return the candidate areas as a map layer."""
        areas = self.tables["draft_areas"]
        return {"draft_areas.geojson": geojson(areas)} if areas.height else {}


def land(plan: Plan, options: LandOptions | None = None, progress: Progress = silent) -> Land:
    """Hold parcels, projects and places of a plan against its protected areas.

    Protected areas are taken as they are drawn; they are never moved, thinned or redrawn.

    Parameters
    ----------
    plan : Plan
        With map layers of at least one of the kinds red_line, parcels, projects, boundary, landuse, planned_landuse.
    options : LandOptions, optional
    progress : Progress
        Told how far it is.

    Returns
    -------
    Land

    Raises
    ------
    UserError
        If the plan has none of these layers, a layer cannot be read, or an option makes no sense.
    """
    options = LandOptions() if options is None else options
    options.check()
    if plan.tables["layers"].filter(pl.col("kind").is_in(KINDS)).is_empty():
        raise user_error("land.nothing")
    progress(message("streets.stage_layers"), 0.05)
    ground = read_ground(plan)
    progress(message("land.stage_overlap"), 0.3)
    tables = _measure(plan, ground, options)
    frames = {name: _frame(tables[name], columns) for name, columns in Land.columns().items() if name in tables}
    frames["zone_totals"] = _zone_totals(frames["zones"])
    frames["overlaps"] = frames["overlaps"].sort(
        ["refused", "distance_m", "kind", "name", "layer", "feature"],
        descending=[True, False, True, False, False, False], nulls_last=True,
    )  # fmt: skip
    facts = {"crs": ground.crs, **asdict(options), "scenario": list(plan.scenario)}
    return Land(tables=frames, facts=facts, inputs=plan.inputs)


def _measure(plan: Plan, ground: Ground, options: LandOptions) -> dict[str, Rows]:
    """Return the rows of every table."""
    uses = plan.library.land_uses
    overlaps, pairs = measuring.overlap_rows(ground, options.tolerance_m2, options.reach_m)
    places = measuring.site_rows(ground, plan.tables["sites"])
    for row in places:
        left = row["developable_ha"] if row["scope"] and ground.shapes["red_line"].geometry.size else None
        row["design_ha"] = left if row["planned_ha"] is None else row["planned_ha"]
    changed: Rows = []
    twice = 0.0
    if ground.land.geometry.size and ground.planned.geometry.size:
        changed, twice = measuring.change_rows(ground, uses)
    grids, brought = drafts.read_grids(plan, ground.crs)
    suits = drafts.suitable(plan, grids)
    given = {row["grid"]: row for row in plan.tables["grids"].iter_rows(named=True)}
    drafted = drafts.protect(grids, given, plan.library, joined(ground.shapes["red_line"].geometry))
    ways, lines = drafts.corridor_rows(grids, None if drafted is None else drafted.candidates)
    zones: Rows = []
    for place in places:
        zones += measuring.zone_rows(
            ground, place["scope"], place["rest"], uses, options.cell_m, options.margin_m, options.industry_share, suits
        )
    said = [
        *ground.problems,
        *brought,
        *_remarks(ground, overlaps, places, twice, bool(zones or ways or suits or drafted)),
    ]
    return {
        "overlaps": overlaps,
        "pairs": pairs,
        "places": [{name: value for name, value in row.items() if name != "rest"} for row in places],
        "changes": changed,
        "zones": zones,
        "suitable": drafts.class_rows(suits) if suits is not None else [],
        "corridors": [{**row, "outline": text} for row, text in zip(ways, outlines(lines, ground.crs), strict=True)],
        **_draft_rows(drafted, ground.crs),
        "outlines": measuring.outline_rows(ground, overlaps),
        "notices": [_notice_row(problem) for problem in said],
    }


def _draft_rows(drafted: drafts.Protection | None, crs: str) -> dict[str, Rows]:
    """Return the tables of candidate areas, empty where nothing was drafted."""
    if drafted is None:
        return {"draft_classes": [], "draft_areas": [], "draft_parts": [], "draft_formulas": []}
    areas, parts = (
        [{**row, "outline": text} for row, text in zip(rows, outlines(shapes, crs), strict=True)]
        for rows, shapes in ((drafted.areas, drafted.candidates.shape), (drafted.parts, drafted.shapes))
    )
    return {
        "draft_classes": drafted.classes, "draft_areas": areas, "draft_parts": parts,
        "draft_formulas": drafted.formulas,
    }  # fmt: skip


def _zone_totals(zones: pl.DataFrame) -> pl.DataFrame:
    """Return cells and ground of each proposed zone."""
    totals = zones.group_by("scope", "zone").agg(cells=pl.len().cast(pl.Int64), free_ha=pl.col("free_ha").sum())
    share = pl.col("free_ha") / pl.col("free_ha").sum().over("scope")
    return totals.sort("scope", "zone").with_columns(share=share)


def _remarks(ground: Ground, overlaps: Rows, places: Rows, twice: float, drafted: bool) -> list[Problem]:
    """Return what is refused, missing or drafted."""
    found = []
    names = [row["name"] for row in overlaps if row["refused"]]
    if names:
        shown = ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
        found.append(message("land.refused", count=len(names), names=shown))
    if not ground.shapes["red_line"].geometry.size:
        found.append(message("land.no_red_line"))
    if not places:
        found.append(message("land.no_boundary"))
    elif not ground.land.geometry.size:
        found.append(message("land.no_landuse"))
    for row in places:
        if row["design_ha"] is not None:
            key = "land.design_measured" if row["planned_ha"] is None else "land.design_own"
            found.append(message(key, site=row["scope"], area=f"{row['design_ha']:,.1f}"))
    if twice > 1e-4:
        found.append(message("land.twice", area=f"{twice:.4f}"))
    if drafted:
        found.append(message("land.no_legal"))
    return [Problem(one, "notice") for one in found]


def _notice_row(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file or None,
        "feature": problem.row,
        "key": problem.text.key,
        "text": problem.text.render("en"),
        "text_zh": problem.text.render("zh"),
    }


def _frame(rows: Rows, columns: tuple[Column, ...]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={column.name: column.dtype for column in columns}, orient="row")
