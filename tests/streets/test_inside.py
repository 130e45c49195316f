"""A park in a town whose map reaches farther: only what lies within the boundary counts, walks go on beyond it."""

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from town_layers import TOWN, collection, grid, square

from cyclopolis.infrastructure.streets import Streets, streets
from cyclopolis.infrastructure.streets.inside import EDGE_M, clipped, inside_of, length_inside, lies_inside
from cyclopolis.infrastructure.streets.landuse import overlay

SIDE = 350.0
ROWS = TOWN["layers.csv"] + "edge,boundary,edge.geojson,bureau\n"
EDGE = collection([("Polygon", square(700, 700, 700), {})])
LAND = collection(
    [
        ("Polygon", square(0, 0, 1050), {"landuse": "industrial"}),
        ("Polygon", square(1050, 1050, 1050), {"landuse": "residential"}),
        ("Polygon", square(-900, -900, 300), {"landuse": "residential"}),
    ]
)
PEOPLE = collection(
    [
        ("Point", (750.0, 750.0), {"people": 30}),
        ("Point", (1400.0, 1400.0), {"people": 70}),
        ("Point", (100.0, 100.0), {"people": 5000}),
    ]
)


def value(result: Streets, measure: str) -> float | None:
    return result.tables["measures"].filter(pl.col("measure") == measure)["value"].item()


@pytest.fixture
def wide(town):
    """Return a town of 6 x 6 blocks whose boundary holds the 2 x 2 in the middle."""
    changed = {"streets.geojson": collection(grid(6, SIDE)), "layers.csv": ROWS, "edge.geojson": EDGE}
    return lambda **more: town({**changed, "land.geojson": LAND, "people.geojson": PEOPLE, **more})


def test_streets_and_blocks_within(wide) -> None:
    found = streets(wide())
    assert value(found, "ground_boundary") == pytest.approx(0.49)
    assert value(found, "street_length") == pytest.approx(4.2, abs=12 * EDGE_M / 1000 + 1e-9)
    assert value(found, "street_density") == pytest.approx(4.2 / 0.49, rel=0.004)
    assert value(found, "blocks") == 4
    assert value(found, "block_ha") == pytest.approx(12.25)
    assert value(found, "junctions") == 9
    assert value(found, "dead_ends") == 0
    assert found.tables["blocks"]["land_use"].to_list().count("industrial") == 1
    assert found.tables["streets"].height == 12 + 12, "twelve pieces within, twelve that cross the edge"


def test_without_a_boundary_the_whole_map_counts(wide) -> None:
    found = streets(wide(**{"layers.csv": TOWN["layers.csv"]}))
    assert value(found, "blocks") == 36
    assert value(found, "street_length") == pytest.approx(14 * 2.1)
    assert found.tables["circles"]["people"].max() == pytest.approx(5100.0)
    assert "streets.outside" not in found.tables["notices"]["key"].to_list()


def test_land_is_cut_at_the_boundary(wide) -> None:
    found = streets(wide())
    land = {row["land_use"]: row["area_ha"] for row in found.tables["land_use"].iter_rows(named=True)}
    assert land == pytest.approx({"industrial": 12.25, "residential": 12.25}, rel=0.01)
    assert value(found, "industrial_share") == pytest.approx(0.5, abs=0.005)
    assert value(found, "land_use_mix") == pytest.approx(np.log(2) / np.log(12), rel=1e-3)
    assert value(found, "output_per_ha") == pytest.approx(245 / 12.25, rel=0.01)


def test_people_within_walk_to_services_without(wide) -> None:
    """The kindergarten stands at the far corner of the town; those within the boundary walk there."""
    found = streets(wide())
    assert found.tables["circles"]["people"].unique().to_list() == [100.0]
    unserved = found.tables["unserved"].filter(pl.col("service") == "kindergarten").sort("cell")
    assert unserved["cell"].to_list() == [1, 2]
    assert unserved["minutes"].to_list() == pytest.approx([1500 / 75, 2800 / 75], abs=1.0)


def test_what_was_left_out_is_said(wide) -> None:
    notices = streets(wide()).tables["notices"].filter(pl.col("key") == "streets.outside")
    assert sorted(notices["text"]) == [
        "1 shapes of land lie outside the boundary and do not count.",
        "1 shapes of people lie outside the boundary and do not count.",
    ]
    assert all("边界之外" in text for text in notices["text_zh"])


def test_buildings_within(wide) -> None:
    houses = collection(
        [
            ("Polygon", square(720, 720, 10), {"levels": 3}),
            ("Polygon", square(10, 10, 50), {"levels": 9}),
        ]
    )
    rows = ROWS + "houses,buildings,houses.geojson,survey\n"
    found = streets(wide(**{"layers.csv": rows, "houses.geojson": houses}))
    assert value(found, "floor_area") == pytest.approx(300.0)
    assert value(found, "floor_area_ratio") == pytest.approx(300.0 / 0.49e6)


def test_a_boundary_that_holds_all_changes_nothing_but_the_ground(town) -> None:
    plain = streets(town())
    whole = collection([("Polygon", square(-50, -50, 800), {})])
    held = streets(town({"layers.csv": ROWS, "edge.geojson": whole}))
    for name, table in plain.tables.items():
        if name != "measures":
            assert table.equals(held.tables[name]), name
    assert value(held, "street_length") == value(plain, "street_length")
    assert value(held, "street_density") == pytest.approx(4.2 / 0.64)


def test_a_site_of_its_own_counts_its_own_part(town) -> None:
    """The land of the whole plan, cut at the boundary of one site."""
    rows = (
        "layer,kind,site,file,source\nstreets,streets,,streets.geojson,s\nown,streets,park,streets.geojson,s\n"
        "land,landuse,,land.geojson,s\nedge,boundary,park,edge.geojson,s\n"
    )
    sites = "site,kind,parent\ntown,city,\npark,park,town\n"
    edge = collection([("Polygon", square(0, 0, 350), {})])
    found = streets(town({"layers.csv": rows, "sites.csv": sites, "edge.geojson": edge}))
    share = found.tables["measures"].filter(pl.col("measure") == "industrial_share").sort("scope")
    assert share["scope"].to_list() == ["", "park"]
    assert share["value"].to_list() == pytest.approx([1 / 3, 1.0], abs=0.01)


boxes = st.tuples(st.floats(-50, 50), st.floats(-50, 50), st.floats(1, 60), st.floats(1, 60)).map(
    lambda b: shapely.box(b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(st.lists(boxes, min_size=1, max_size=4), st.lists(boxes, min_size=1, max_size=6))
def test_parts_within_are_no_larger_and_lie_within(boundary, areas) -> None:
    inside = inside_of(np.array(boundary))
    assert inside is not None
    assert inside.area >= shapely.union_all(boundary).area
    shapes = np.array(areas)
    parts, kept = clipped(inside, shapes)
    assert (shapely.area(parts) <= shapely.area(shapes[kept]) * (1 + 1e-9)).all()
    assert shapely.covers(shapely.buffer(inside, 1e-6), parts).all()
    assert not shapely.intersects(shapes[~kept], shapely.union_all(boundary)).any()
    outlines = shapely.boundary(shapes)
    length = length_inside(inside, outlines)
    assert (length <= shapely.length(outlines) * (1 + 1e-9)).all()
    assert lies_inside(inside, np.array([shapely.union_all(boundary)])).all()


def test_no_boundary_keeps_all() -> None:
    shapes = np.array([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 9, 9)])
    assert inside_of(np.array([shapely.linestrings([(0, 0), (1, 1)])])) is None
    assert lies_inside(None, shapes).tolist() == [True, True]
    assert clipped(None, shapes)[0] is shapes
    assert length_inside(None, shapely.boundary(shapes)).tolist() == [4.0, 16.0]


@given(st.lists(st.tuples(boxes, st.integers(0, 2)), min_size=1, max_size=8))
def test_ground_of_a_block_counts_once_for_each_use(drawn) -> None:
    block = shapely.box(-20, -20, 30, 30)
    areas, use = np.array([one for one, _ in drawn]), np.array([at for _, at in drawn])
    found = overlay(np.array([block]), areas, use, 3)[0]
    for at in range(3):
        wanted = shapely.area(shapely.intersection(shapely.union_all(areas[use == at]), block))
        assert found[at] == pytest.approx(wanted, abs=1e-6)


def test_the_edge_itself_counts(wide) -> None:
    """Streets that were drawn a hand's breadth outside the boundary still belong to it."""
    ring = [(700.0, 699.9), (1400.1, 699.9), (1400.1, 1400.1), (699.9, 1400.1), (699.9, 699.9)]
    lines = collection([("LineString", ring, {"highway": "residential"})])
    found = streets(wide(**{"streets.geojson": lines}))
    assert value(found, "street_length") == pytest.approx(2.8, rel=1e-3)
