"""Rules that hold whatever is drawn: ground is conserved, tiles are the polygon, zones keep out, shifts come back."""

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from land_layers import EAST, NORTH

from cyclopolis.ecology.land import LandOptions, land
from cyclopolis.ecology.land.drafts import Suitable, class_rows, sampled
from cyclopolis.ecology.land.grids import Grid
from cyclopolis.ecology.land.parts import cells, changes, joined, left_over, partition
from cyclopolis.ecology.land.redline import SMALLEST_M, overlap, refused, tiles
from cyclopolis.ecology.land.shift import from_bd09, from_gcj02, suspected, to_gcj02
from cyclopolis.ecology.land.zoning import INDUSTRY, LEAST_FREE, MARGIN, MIXED, OUT, industry_score, zones

boxes = st.tuples(st.integers(-40, 40), st.integers(-40, 40), st.integers(1, 30), st.integers(1, 30)).map(
    lambda b: shapely.box(b[0], b[1], b[0] + b[2], b[1] + b[3])
)
blobs = st.tuples(st.integers(-40, 40), st.integers(-40, 40), st.lists(st.floats(2, 25), min_size=5, max_size=40)).map(
    lambda b: shapely.Polygon(
        [
            (b[0] + r * np.cos(at), b[1] + r * np.sin(at))
            for r, at in zip(b[2], np.linspace(0, 2 * np.pi, len(b[2]), endpoint=False), strict=True)
        ]
    )
)
shapes = st.one_of(boxes, blobs)


@settings(max_examples=60, deadline=None)
@given(st.lists(blobs, min_size=1, max_size=3), st.integers(4, 20))
def test_tiles_are_the_polygon(polygons, most) -> None:
    """A corner has more vertices than the fewest asked for: its tile ends at a millimetre, not never."""
    parts, owner = tiles(np.array(polygons), most)
    west, south, east, north = shapely.bounds(parts).T
    small = np.maximum(east - west, north - south) < SMALLEST_M
    assert ((shapely.get_num_coordinates(parts) <= most + 1) | small).all()
    assert most < 12 or not small.any()
    for at, polygon in enumerate(polygons):
        own = parts[owner == at]
        assert shapely.area(own).sum() == pytest.approx(polygon.area, rel=1e-9)
        assert shapely.area(shapely.symmetric_difference(shapely.union_all(own), polygon)) < 1e-6


@settings(max_examples=80, deadline=None)
@given(st.lists(shapes, min_size=1, max_size=5), st.lists(shapes, min_size=1, max_size=4), st.floats(0.5, 60))
def test_overlap_against_plain_geometry(parcels, protected, reach) -> None:
    drawn, red = np.array(parcels), np.array(protected)
    found = overlap(drawn, red, reach)
    whole = shapely.union_all(red)
    assert found.area == pytest.approx(shapely.area(shapely.intersection(drawn, whole)), rel=1e-7, abs=1e-7)
    away = shapely.distance(drawn, whole)
    for got, wanted in zip(found.distance, away, strict=True):
        assert got == pytest.approx(wanted, abs=1e-6) or (wanted > reach - 1e-6 and np.isinf(got))
    pairs = {
        (at, of): shared
        for at, of, shared in zip(found.parcel.tolist(), found.area_of.tolist(), found.shared.tolist(), strict=True)
    }
    for at, of in np.ndindex(drawn.size, red.size):
        wanted = shapely.area(shapely.intersection(drawn[at], red[of]))
        assert pairs.get((at, of), 0.0) == pytest.approx(wanted, rel=1e-7, abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.lists(shapes, min_size=1, max_size=6), st.lists(shapes, min_size=1, max_size=4), st.randoms())
def test_order_of_parcels_and_areas_changes_nothing(parcels, protected, random) -> None:
    drawn, red = np.array(parcels), np.array(protected)
    order, turn = list(range(drawn.size)), list(range(red.size))
    random.shuffle(order)
    random.shuffle(turn)
    one, other = overlap(drawn, red), overlap(drawn[order], red[turn])
    assert other.area == pytest.approx(one.area[order], abs=1e-7)
    assert other.distance == pytest.approx(one.distance[order], abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(st.lists(shapes, min_size=1, max_size=5), st.lists(shapes, min_size=1, max_size=3), st.floats(0, 20))
def test_a_greater_tolerance_never_refuses_more(parcels, protected, tolerance) -> None:
    drawn, red = np.array(parcels), np.array(protected)
    found, size = overlap(drawn, red), shapely.area(drawn)
    strict, lenient = refused(found, size, tolerance), refused(found, size, tolerance + 5.0)
    assert not (lenient & ~strict).any()


@settings(max_examples=60, deadline=None)
@given(shapes, st.lists(shapes, max_size=3), st.lists(shapes, max_size=3))
def test_what_is_left_is_on_neither(ground, red, taken) -> None:
    held, built = joined(np.array(red, dtype=object)), joined(np.array(taken, dtype=object))
    parts, rest = left_over(ground, held, built)
    assert parts[1:].sum() == pytest.approx(parts[0])
    assert (parts >= -1e-9).all()
    for other in (held, built):
        assert shapely.area(shapely.intersection(rest, other)) < 1e-6
    assert shapely.area(shapely.difference(rest, ground)) < 1e-6


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(shapes, st.integers(0, 2)), max_size=5),
    st.lists(st.tuples(shapes, st.integers(0, 2)), max_size=5),
)
def test_rows_of_changes_are_the_land_now_and_columns_the_plan(now, planned) -> None:
    maps = []
    for drawn in (now, planned):
        polygons = np.array([shape for shape, _ in drawn], dtype=object)
        use = np.array([at for _, at in drawn], dtype=np.int64)
        classes, twice = partition(polygons, use, 3)
        assert shapely.area(classes).sum() == pytest.approx(joined(polygons).area, rel=1e-9, abs=1e-9)
        assert twice >= -1e-6
        maps.append(classes)
    matrix = changes(*maps)
    assert matrix[:3].sum(axis=1) == pytest.approx(shapely.area(maps[0]), rel=1e-4, abs=1e-2)
    assert matrix[:, :3].sum(axis=0) == pytest.approx(shapely.area(maps[1]), rel=1e-4, abs=1e-2)
    assert matrix[3, 3] == 0.0
    assert changes(maps[1], maps[0]) == pytest.approx(matrix.T, rel=1e-6, abs=1e-2)


@settings(max_examples=50, deadline=None)
@given(shapes, st.floats(2, 30))
def test_cells_cover_their_ground_once(ground, side) -> None:
    squares, column, row = cells(ground, side)
    assert shapely.area(shapely.intersection(squares, ground)).sum() == pytest.approx(ground.area)
    assert len({*zip(column.tolist(), row.tolist(), strict=True)}) == squares.size
    assert (np.diff(row) >= 0).all()


free_cells = st.integers(1, 7).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(0, 1), min_size=n * n, max_size=n * n),
        st.lists(st.one_of(st.floats(0, 1), st.just(np.nan)), min_size=n * n, max_size=n * n),
        st.lists(st.booleans(), min_size=n * n, max_size=n * n),
        st.floats(0, 1),
        st.just(n),
    )
)


@settings(max_examples=100, deadline=None)
@given(free_cells)
def test_zones_keep_their_rules(drawn) -> None:
    share, score, near, wish, n = drawn
    row, column = (grid.ravel() for grid in np.mgrid[0:n, 0:n])
    free = np.array(share)
    zone = zones(column, row, free, free, np.array(near), np.array(score), wish)
    assert (zone[free < LEAST_FREE] == OUT).all()
    assert (zone[np.array(near) & (free >= LEAST_FREE)] == MARGIN).all()
    build = np.isin(zone, (INDUSTRY, MIXED))
    taken, whole = free[zone == INDUSTRY].sum(), free[build].sum()
    assert taken >= wish * whole * (1 - 1e-9)
    last = free[zone == INDUSTRY]
    if last.size:
        assert taken - last.max() < wish * whole + 1e-9, "no more than one cell beyond its share"


@pytest.mark.parametrize("wish", [0.0, 1.0])
def test_all_or_nothing_for_industry(wish) -> None:
    row, column = (grid.ravel() for grid in np.mgrid[0:3, 0:3])
    zone = zones(column, row, np.ones(9), np.ones(9), np.zeros(9, dtype=bool), np.linspace(0, 1, 9), wish)
    assert set(zone.tolist()) == {INDUSTRY if wish else MIXED}


def test_industry_is_one_piece_where_the_ground_is() -> None:
    row, column = (grid.ravel() for grid in np.mgrid[0:12, 0:12])
    score = np.random.default_rng(2).random(144)
    zone = zones(column, row, np.ones(144), np.ones(144), np.zeros(144, dtype=bool), score, 0.4)
    own = shapely.box(column, row, column + 1, row + 1)[zone == INDUSTRY]
    assert len(own) == 58
    assert shapely.union_all(own).geom_type == "Polygon"


@given(st.floats(0, 5000), st.floats(0, 5000), st.floats(0, 5000))
def test_nearer_to_industry_and_farther_from_living_suits_better(one, other, living) -> None:
    near, far = min(one, other), max(one, other)
    scores = industry_score(np.array([near, far]), np.array([living, living]), 2000.0)
    assert scores[0] >= scores[1]
    scores = industry_score(np.array([living, living]), np.array([near, far]), 2000.0)
    assert scores[0] <= scores[1]
    assert ((scores >= 0) & (scores <= 1)).all()


def test_the_worst_ground_is_not_the_excluded_ground() -> None:
    score = Grid(np.array([[0.0, 0.0, 0.3, 1.0, np.nan]]), 0.0, 0.0, 100.0)
    excluded = Grid(np.array([[1.0, 0.0, 0.0, 0.0, 0.0]]), 0.0, 0.0, 100.0)
    rows = {row["grade"]: row["area_ha"] for row in class_rows(Suitable(score, excluded))}
    assert rows == {"excluded": 1.0, "0-20": 1.0, "20-40": 1.0, "40-60": 0.0, "60-80": 0.0, "80-100": 1.0}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.floats(0, 1), st.just(np.nan)), min_size=1, max_size=30), st.data())
def test_grades_hold_all_known_ground_once(values, data) -> None:
    out = np.array(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))))
    score = np.where(out, 0.0, np.array(values))
    found = Suitable(Grid(score[None], 0.0, 0.0, 100.0), Grid(out[None].astype(float), 0.0, 0.0, 100.0))
    assert sum(row["area_ha"] for row in class_rows(found)) == pytest.approx(np.isfinite(score).sum())


def grid(values: str) -> str:
    return f"ncols 5\nnrows 5\nxllcorner {EAST}\nyllcorner {NORTH}\ncellsize 200\n{values}"


def test_excluded_ground_is_never_proposed(place) -> None:
    """The two columns in the east are excluded: their cells lie out, whatever share industry asks for."""
    plan = place(
        {
            "grids.csv": "grid,kind,file,source\nflat,criterion,flat.asc,bureau\n",
            "suitability.csv": "grid,weight,worst,best,exclude_above,source\nflat,1,0,100,60,bureau\n",
            "flat.asc": grid("0 25 50 75 100\n" * 5),
            "layers.csv": "layer,kind,site,file,source\nred,red_line,,red.geojson,bureau\n"
            "edge,boundary,park,edge.geojson,bureau\n",
        }
    )
    found = land(plan, LandOptions(cell_m=100.0, margin_m=50.0, industry_share=1.0))
    zone_cells = found.tables["zones"].filter(scope="park")
    middle = shapely.get_x(shapely.centroid(shapely.from_wkt(zone_cells["outline"].to_list())))
    column = np.round((middle - middle.min()) / np.diff(np.unique(middle.round(7))).mean())
    east = column >= column.max() - 3
    assert set(zone_cells.filter(east)["zone"]) == {"out"}
    assert set(zone_cells.filter(~east)["zone"]) == {"out", "margin", "industry"}
    assert zone_cells.filter(pl.col("zone") == "industry").height == 10 * 3 - 2, "two lie within 50 m of the spring"
    assert zone_cells.filter(east)["free_ha"].sum() == pytest.approx(10.0, rel=0.01), "what no use has taken"


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_a_grid_is_sampled_where_the_cell_lies(x, y) -> None:
    values = np.arange(12.0).reshape(3, 4)
    found = sampled(Grid(values, -100.0, 50.0, 25.0), np.array([shapely.Point(x, y)]))[0]
    column, row = int(np.floor((x + 100.0) / 25.0)), 2 - int(np.floor((y - 50.0) / 25.0))
    if 0 <= column < 4 and 0 <= row < 3:
        assert found == values[row, column]
    else:
        assert np.isnan(found)


@given(st.floats(74, 134), st.floats(19, 53))
def test_shifts_come_back(lon, lat) -> None:
    there = to_gcj02(np.array([lon]), np.array([lat]))
    assert 0 < np.hypot(there[0][0] - lon, there[1][0] - lat) < 0.02
    back = from_gcj02(*there)
    assert (back[0][0], back[1][0]) == pytest.approx((lon, lat), abs=1e-8)


@pytest.mark.parametrize(("move", "system"), [(to_gcj02, "GCJ-02"), (None, None)])
@pytest.mark.parametrize("at", [(106.63, 26.65), (113.6, 28.1), (87.6, 43.8)])
def test_a_shifted_layer_is_suspected_and_a_sound_one_is_not(at, move, system) -> None:
    ground = shapely.box(at[0], at[1], at[0] + 0.01, at[1] + 0.01)
    parcels = shapely.box(at[0] + np.arange(4) * 0.0025, at[1], at[0] + np.arange(4) * 0.0025 + 0.002, at[1] + 0.01)
    if move is not None:
        x, y = move(*shapely.get_coordinates(parcels).T)
        parcels = shapely.set_coordinates(parcels, np.column_stack((x, y)))
    assert suspected(parcels, ground) == system


def test_baidu_lies_beyond_gaode() -> None:
    """BD-09 is GCJ-02 moved once more: taking only the second step back leaves a layer off by the first."""
    lon, lat = from_bd09(np.array([106.72]), np.array([26.65]))
    one = to_gcj02(lon, lat)
    assert np.hypot(106.72 - one[0][0], 26.65 - one[1][0]) == pytest.approx(0.0088, abs=0.001)
