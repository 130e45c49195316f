"""Rows of the land result: overlaps with protected areas, what is left of each place, change of class, zones."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from cyclopolis.ecology.land.drafts import Suitable, sampled
from cyclopolis.ecology.land.parts import cells, changes, joined, left_over, partition
from cyclopolis.ecology.land.reading import Ground, outlines
from cyclopolis.ecology.land.redline import overlap, refused
from cyclopolis.ecology.land.zoning import MARGIN, OUT, ZONES, industry_score, zones

Rows = list[dict[str, Any]]
HA = 1e4
FAR_M = 2000.0
"""Distance from industry and living ground beyond which a cell's score does not change, m (assumed)."""


def overlap_rows(ground: Ground, tolerance_m2: float, reach_m: float) -> tuple[Rows, Rows]:
    """Return one row per parcel and project, and one per pair of such and a protected area."""
    red = ground.shapes["red_line"]
    rows: Rows = []
    pairs: Rows = []
    for kind in ("projects", "parcels"):
        shapes = ground.shapes[kind]
        if not shapes.geometry.size:
            continue
        found = overlap(shapes.geometry, red.geometry, reach_m)
        size = shapely.area(shapes.geometry)
        out = refused(found, size, tolerance_m2)
        for at in range(size.size):
            rows.append(
                {
                    "kind": kind,
                    "layer": shapes.layer[at],
                    "feature": int(shapes.feature[at]),
                    "name": shapes.name[at],
                    "site": shapes.site[at] or None,
                    "area_ha": size[at] / HA,
                    "overlap_ha": found.area[at] / HA,
                    "share": float(found.area[at] / size[at]) if size[at] > 0 else None,
                    "distance_m": float(found.distance[at]) if np.isfinite(found.distance[at]) else None,
                    "refused": bool(out[at]),
                    "provenance": _worse(shapes.provenance[at], red.provenance),
                }
            )
        told = zip(found.parcel.tolist(), found.area_of.tolist(), found.shared.tolist(), strict=True)
        pairs += [
            {"kind": kind, "layer": shapes.layer[at], "feature": int(shapes.feature[at]), "name": shapes.name[at],
             "protected_layer": red.layer[of], "protected": red.name[of], "overlap_ha": shared / HA}
            for at, of, shared in told
        ]  # fmt: skip
    return rows, pairs


def _worse(own: str, others: Sequence[str]) -> str:
    return "assumed" if own == "assumed" or "assumed" in others else "computed"


def place_shapes(ground: Ground) -> dict[str, tuple[str, shapely.Geometry]]:
    """Return each place that has a boundary or, failing that, parcels: which of them, and its ground."""
    found: dict[str, tuple[str, shapely.Geometry]] = {}
    for basis in ("parcels", "boundary"):
        shapes = ground.shapes[basis]
        found |= {site: (basis, joined(shapes.of(site))) for site in sorted(set(shapes.site))}
    return {site: found[site] for site in sorted(found)}


def site_rows(ground: Ground, sites: pl.DataFrame) -> Rows:
    """Return one row per place: ground, protected, taken, left to build on, beside the plan's own figure."""
    red = joined(ground.shapes["red_line"].geometry)
    land, green = ground.land, joined(ground.shapes["green"].geometry)
    taken = shapely.union(joined(land.geometry[ground.taken[land.use]]), green)
    known, mapped = bool(land.geometry.size), joined(land.geometry)
    own = dict(sites.select("site", "developable_ha").iter_rows())
    assumed = any("assumed" in shapes.provenance for shapes in ground.shapes.values())
    rows: Rows = []
    for site, (basis, shape) in place_shapes(ground).items():
        parts, rest = left_over(shape, red, taken)
        covered = float(shapely.area(shapely.intersection(shape, mapped))) if known else 0.0
        rows.append(
            {
                "scope": site,
                "basis": basis,
                "ground_ha": parts[0] / HA,
                "protected_ha": parts[1] / HA,
                "taken_ha": parts[2] / HA if known else None,
                "developable_ha": parts[3] / HA,
                "mapped_share": covered / parts[0] if known and parts[0] > 0 else None,
                "green_ha": float(shapely.area(shapely.intersection(shape, green))) / HA,
                "planned_ha": own.get(site),
                "difference_ha": parts[3] / HA - own[site] if own.get(site) is not None else None,
                "provenance": "assumed" if assumed else "computed",
                "rest": rest,
            }
        )
    return rows


def change_rows(ground: Ground, uses: pl.DataFrame) -> tuple[Rows, float]:
    """Return the transition matrix of land use as rows, and the ground that both maps show twice, ha."""
    names = [*uses["land_use"].to_list(), None]
    now, twice = partition(ground.land.geometry, ground.land.use, uses.height)
    planned, more = partition(ground.planned.geometry, ground.planned.use, uses.height)
    matrix = changes(now, planned)
    whole = matrix.sum(axis=1)
    rows: Rows = [
        {
            "from_use": names[at],
            "to_use": names[to],
            "area_ha": matrix[at, to] / HA,
            "share": float(matrix[at, to] / whole[at]) if at < uses.height else None,
            "changed": at != to,
        }
        for at, to in zip(*np.nonzero(matrix), strict=True)
    ]
    return rows, (twice + more) / HA


def zone_rows(
    ground: Ground, site: str, rest: shapely.Geometry, uses: pl.DataFrame, cell_m: float, margin_m: float,
    industry_share: float, suits: Suitable | None = None,
) -> Rows:  # fmt: skip
    """Return the proposed zones of one place, one row per cell with ground to build on.

    What ``suits`` says at the middle of a cell tells how well it suits industry, and whether it is left out; without it
    distances tell.
    """
    squares, column, row = cells(rest, cell_m)
    if not squares.size:
        return []
    free = shapely.area(shapely.intersection(squares, rest))
    red = ground.shapes["red_line"].geometry
    near = np.isfinite(overlap(squares, red, margin_m).distance)
    barred = np.zeros(squares.size, dtype=np.bool_)
    if suits is not None:
        score, barred = sampled(suits.score, squares), sampled(suits.excluded, squares) > 0
    else:
        groups = uses["group"].to_numpy()[ground.land.use]
        industry, living = (
            _distance(squares, ground.land.geometry[groups == group]) for group in ("industrial", "living")
        )
        score = industry_score(industry, living, FAR_M)
    zone = zones(column, row, free, np.where(barred, 0.0, free / cell_m**2), near, score, industry_share)
    drawn = outlines(shapely.intersection(squares, rest), ground.crs)
    return [
        {"scope": site, "cell": at + 1, "zone": ZONES[zone[at]], "free_ha": free[at] / HA,
         "score": float(score[at]) if np.isfinite(score[at]) and zone[at] not in (OUT, MARGIN) else None,
         "outline": drawn[at]}
        for at in range(squares.size)
        if free[at] > 0
    ]  # fmt: skip


def _distance(squares: NDArray[np.object_], shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return how far squares lie from shapes, m; infinite where there are none."""
    if not shapes.size:
        return np.full(squares.size, np.inf)
    pair, away = shapely.STRtree(shapes).query_nearest(squares, all_matches=False, return_distance=True)
    found = np.full(squares.size, np.inf)
    found[pair[0]] = away
    return found


MOST_DRAWN = 2000
"""Parcels and projects that a map shows at most."""
THIN_M = 2.0
"""How far the outline of a very long layer may be off on the map, m."""


def outline_rows(ground: Ground, overlaps: Sequence[dict[str, Any]]) -> Rows:
    """Return what maps draw: protected areas, boundaries, green, and parcels and projects (refused first)."""
    rows: Rows = []
    for kind in ("boundary", "green", "red_line"):
        shapes = ground.shapes[kind]
        many = int(shapely.get_num_coordinates(shapes.geometry).sum()) > 20_000 if shapes.geometry.size else False
        told = zip(outlines(shapes.geometry, ground.crs, THIN_M if many else 0.0), shapes.name, strict=True)
        rows += [{"kind": kind, "name": name, "refused": False, "outline": outline} for outline, name in told]
    place = {
        (kind, layer, int(feature)): shape
        for kind in ("projects", "parcels")
        for layer, feature, shape in zip(
            ground.shapes[kind].layer, ground.shapes[kind].feature, ground.shapes[kind].geometry, strict=True
        )
    }
    chosen = sorted(overlaps, key=lambda row: not row["refused"])[:MOST_DRAWN]
    shapes_drawn = [place[row["kind"], row["layer"], row["feature"]] for row in chosen]
    drawn = outlines(np.array(shapes_drawn, dtype=np.object_), ground.crs) if shapes_drawn else []
    rows += [
        {"kind": row["kind"], "name": row["name"], "refused": row["refused"], "outline": outline}
        for row, outline in zip(chosen, drawn, strict=True)
    ]
    return rows
