"""The engine on a town worked out by hand, what it says of bad layers, and that order changes nothing."""

import json

import polars as pl
import pytest
from town_layers import CRS, TOWN, collection, grid, square

import cyclopolis
from cyclopolis.foundation.problems import UserError
from cyclopolis.infrastructure.streets import Streets, StreetsOptions, streets

WALK = 350.0 / 75.0
"""Minutes along one side of a block at 4.5 km/h."""


def value(result: Streets, measure: str) -> float | None:
    return result.tables["measures"].filter(pl.col("measure") == measure)["value"].item()


@pytest.fixture
def measured(town) -> Streets:
    return streets(town())


def test_measures_of_the_grid(measured) -> None:
    assert value(measured, "street_length") == pytest.approx(4.2)
    assert value(measured, "ground_hull") == pytest.approx(0.49)
    assert value(measured, "street_density") == pytest.approx(4.2 / 0.49)
    assert value(measured, "blocks") == 4
    assert value(measured, "block_ha") == pytest.approx(12.25)
    assert value(measured, "block_ha_living") == pytest.approx(12.25)
    assert value(measured, "junctions") == 5
    assert value(measured, "industrial_share") == pytest.approx(1 / 3)
    assert value(measured, "output_per_ha") == pytest.approx(245 / 12.25)
    assert value(measured, "frontage_per_100m") == pytest.approx(200 / 700)
    assert value(measured, "active_frontage") == pytest.approx(0.7)
    assert value(measured, "people_within_500_m") is None


def test_sizes_keep_living_and_industrial_apart(measured) -> None:
    sizes = {row["group"]: row for row in measured.tables["block_sizes"].iter_rows(named=True)}
    assert {name: row["count"] for name, row in sizes.items()} == {"all": 4, "living": 2, "industrial": 1, "other": 1}
    assert (sizes["living"]["limit_ha"], sizes["living"]["share_above"]) == (4.0, 1.0)
    assert sizes["industrial"]["side_m"] == pytest.approx(350.0)


def test_targets_carry_their_source(measured) -> None:
    row = measured.tables["measures"].row(by_predicate=pl.col("measure") == "street_density", named=True)
    assert (row["at_least"], row["met"], row["target_provenance"]) == (8.0, True, "memory")
    row = measured.tables["measures"].row(by_predicate=pl.col("measure") == "block_ha", named=True)
    assert (row["at_most"], row["met"], row["target_provenance"]) == (12.0, False, "seen")


def test_circles_by_hand(measured) -> None:
    """The kindergarten stands at the corner: 0, 350 and 1400 m away from 30, 20 and 50 people."""
    circles = measured.tables["circles"]
    five = circles.filter((pl.col("circle_min") == 5) & (pl.col("service") == "kindergarten"))
    assert five["share"].item() == pytest.approx(0.5)
    unserved = measured.tables["unserved"].filter(pl.col("service") == "kindergarten")
    assert unserved.select("cell", "people").rows() == [(3, 50.0)]
    assert unserved["minutes"].item() == pytest.approx(4 * WALK)
    best = measured.tables["siting"].filter(
        (pl.col("service") == "kindergarten") & (pl.col("method") == "maximum_cover")
    )
    assert best.select("people_more", "share_after").rows() == [(50.0, 1.0)]
    assert best["mean_minutes"].item() == pytest.approx(0.2 * WALK)


def test_rows_in_another_order_change_nothing(town) -> None:
    plan = town()
    first = streets(plan)
    turned = json.loads(TOWN["streets.geojson"])
    turned["features"].reverse()
    head, *rows = TOWN["layers.csv"].strip().split("\n")
    changed = {"streets.geojson": json.dumps(turned), "layers.csv": "\n".join([head, *reversed(rows)]) + "\n"}
    again = streets(town(changed))
    for name, table in first.tables.items():
        assert table.equals(again.tables[name]), name


def test_unknown_land_use_is_told(measured) -> None:
    assert "streets.unknown_use" in measured.tables["notices"]["key"].to_list()
    assert measured.tables["land_use"]["area_ha"].sum() == pytest.approx(3 * 12.25)


def test_saved_and_loaded(measured, tmp_path) -> None:
    measured.save(tmp_path / "streets")
    again = Streets.load(tmp_path / "streets")
    assert all(again.tables[name].equals(table) for name, table in measured.tables.items())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pictures_and_summary(measured, language) -> None:
    figures = measured.figures(language)
    assert set(figures) == {"blocks", "frontage", "circles", "unserved"}
    titles = [figure["layout"]["title"]["text"] for figure in figures.values()]
    assert all(titles)
    assert len(set(titles)) == 4
    north = figures["blocks"]["layout"]["annotations"][1]["text"]
    assert north == {"en": "N", "zh": "北"}[language]
    assert all(line.name.render(language) for line in measured.summary())


def test_no_people_no_circles_and_it_is_said(town) -> None:
    layers = "\n".join(line for line in TOWN["layers.csv"].split("\n") if "census" not in line)
    result = streets(town({"layers.csv": layers}))
    assert result.tables["circles"].is_empty()
    assert "streets.no_people" in result.tables["notices"]["key"].to_list()


def test_a_network_in_pieces_is_told(town) -> None:
    island = [*grid(2, 350.0), ("LineString", [(2000, 0), (2100, 0)], {"highway": "residential"})]
    result = streets(town({"streets.geojson": collection(island)}))
    notice = result.tables["notices"].row(by_predicate=pl.col("key") == "streets.in_pieces", named=True)
    assert "2 pieces" in notice["text"]
    assert "2 块" in notice["text_zh"]


def test_the_run_measures_only_where_there_are_layers(town) -> None:
    plan = town()
    done = cyclopolis.run(plan.folder, until="streets")
    assert list(done.results) == ["streets"]
    assert value(done.results["streets"], "blocks") == 4


def refused(town, changed) -> str:
    with pytest.raises(UserError) as caught:
        streets(town(changed))
    assert len(caught.value.problems) == 1
    problem = caught.value.problems[0]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in problem.render("zh"))
    return problem.render("en")


DEGREES = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"layers.csv": "layer,kind,file\na,landuse,land.geojson\n"}, "no layer of streets"),
        ({"layers.csv": "layer,kind,file\na,streets,street.geojson\n"}, "is not there"),
        ({"streets.geojson": "no map"}, "cannot be read as a map layer"),
        ({"streets.geojson": collection(grid(1, 9.0), DEGREES)}, "they are metres"),
        ({"streets.geojson": collection([])}, "no feature with a geometry"),
        ({"streets.geojson": collection([("Polygon", square(0, 0, 9), {})])}, "holds no lines"),
        ({"people.geojson": collection([("Point", (0, 0), {"people": "many"})])}, "must hold numbers"),
        ({"people.geojson": collection([("Point", (0, 0), {"folk": 3})])}, "has no attribute people"),
        ({"layers.csv": "layer,kind,file,crs\na,streets,streets.geojson,EPSG:77\n"}, "is no coordinate system"),
    ],
)
def test_one_clear_message(town, changed, said) -> None:
    assert said in refused(town, changed)


def test_degrees_said_to_be_metres(town) -> None:
    lines = json.loads(collection(grid(1, 9.0)))
    for feature in lines["features"]:
        feature["geometry"]["coordinates"] = [[106.7, 26.6], [106.71, 26.6]]
    assert "they are degrees" in refused(town, {"streets.geojson": json.dumps(lines)})


def test_a_shapefile_without_its_system(town, tmp_path) -> None:
    import numpy as np
    import pyogrio
    import shapely

    plan = town()
    line = shapely.to_wkb(shapely.linestrings([[(0, 0), (9, 9)]]))
    path = plan.folder / "bare.shp"
    named = {"fields": ["name"], "geometry_type": "LineString", "crs": None}
    with pytest.warns(UserWarning, match="crs"):
        pyogrio.raw.write(path, line, [np.array(["a"], dtype=object)], **named)
    assert "does not say its coordinate system" in refused(
        town, {"layers.csv": "layer,kind,file\na,streets,bare.shp\n"}
    )


def test_crossed_areas_are_mended_and_told(town) -> None:
    bow = ("Polygon", [[(0, 0), (100, 100), (100, 0), (0, 100), (0, 0)]], {"landuse": "industrial"})
    empty = ("Point", (5, 5), {"landuse": "industrial"})
    result = streets(town({"land.geojson": collection([bow, empty])}))
    told = result.tables["notices"].filter(pl.col("file") == "land.geojson")
    assert told["key"].to_list() == ["layers.no_areas", "layers.repaired"]
    assert told["feature"].to_list() == [None, 1]
    assert result.tables["land_use"]["area_ha"].item() == pytest.approx(0.5)


def test_names_of_services_and_uses_in_chinese(town) -> None:
    shops = collection([("Point", (0, 0), {"类别": "幼儿园"}), ("Point", (9, 0), {"类别": "火箭"})])
    land = collection([("Polygon", square(0, 0, 350), {"性质": "工业用地"})])
    layers = (
        "layer,kind,file,kind_field\nstreets,streets,streets.geojson,\nland,landuse,land.geojson,性质\n"
        "pois,services,pois.geojson,类别\npeople,people,people.geojson,\n"
    )
    result = streets(town({"pois.geojson": shops, "land.geojson": land, "layers.csv": layers}))
    assert result.tables["circles"]["service"].drop_nulls().to_list() == ["kindergarten"]
    assert result.tables["land_use"]["group"].to_list() == ["industrial"]
    assert "火箭" in result.tables["notices"].filter(pl.col("key") == "streets.unknown_service")["text"].item()


def test_an_osm_extract(town) -> None:
    osm = """<?xml version="1.0"?><osm version="0.6">
    <node id="1" lat="26.60" lon="106.70"/><node id="2" lat="26.60" lon="106.71"/>
    <node id="3" lat="26.61" lon="106.71"/>
    <node id="4" lat="26.6001" lon="106.7001"><tag k="amenity" v="kindergarten"/></node>
    <way id="9"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="highway" v="residential"/></way></osm>"""
    layers = "layer,kind,file\nstreets,streets,town.osm\npois,services,town.osm\n"
    result = streets(town({"town.osm": osm, "layers.csv": layers}))
    assert value(result, "blocks") == 1
    assert value(result, "block_ha") == pytest.approx(0.5 * 1.108 * 0.9944 * 100, rel=0.01)


def test_a_layer_of_metres_keeps_its_system(measured) -> None:
    assert measured.facts["crs"] == "EPSG:32650"
    assert CRS["properties"]["name"].endswith("32650")


@pytest.mark.parametrize("options", [StreetsOptions(speed_kmh=0), StreetsOptions(reach_m=-1), StreetsOptions(sites=-1)])
def test_options_that_make_no_sense(town, options) -> None:
    with pytest.raises(UserError):
        streets(town(), options)
