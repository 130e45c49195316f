"""The land engine on a square kilometre worked out by hand, and what it says of bad layers."""

import json

import numpy as np
import pytest
import shapely
from land_layers import CRS, EAST, LAYERS, NORTH, area, collection

import cyclopolis
from cyclopolis.ecology.land import Land, LandOptions, land
from cyclopolis.ecology.land.shift import to_gcj02
from cyclopolis.foundation.problems import UserError
from cyclopolis.plan.layers import to_degrees


def row(result: Land, table: str, **keys: object) -> dict[str, object]:
    return result.tables[table].filter(**keys).row(0, named=True)


def notices(result: Land) -> list[str]:
    return result.tables["notices"]["key"].to_list()


def test_overlap_share_distance_and_refusal(measured) -> None:
    first, second, third, fourth = (row(measured, "overlaps", name=name) for name in "ABCD")
    assert (first["area_ha"], first["overlap_ha"], first["share"]) == pytest.approx((1.0, 0.5, 0.5))
    assert (first["distance_m"], first["refused"]) == (0.0, True)
    assert (second["overlap_ha"], second["refused"]) == (0.0, False)
    assert second["distance_m"] == pytest.approx(60.0)
    assert (third["share"], third["refused"]) == (pytest.approx(1.0), True)
    assert 0 < fourth["overlap_ha"] < 1e-4
    assert not fourth["refused"], "a hundredth of a square metre is within the tolerance"


def test_a_tolerance_of_nothing_refuses_the_last_digits_too(place) -> None:
    assert row(land(place(), LandOptions(tolerance_m2=0.0)), "overlaps", name="D")["refused"]


def test_lines_and_points_on_protected_ground_are_refused(measured) -> None:
    told = {name: row(measured, "overlaps", name=name) for name in ("pipe", "well", "mast")}
    assert [told[name]["refused"] for name in told] == [True, True, False]
    assert told["well"]["share"] is None
    assert told["mast"]["distance_m"] == pytest.approx(700.0)


def test_pairs_name_each_protected_area_once(measured) -> None:
    met = measured.tables["pairs"].filter(name="C")
    assert sorted(met["protected"]) == ["spring", "west wood"]
    assert met["overlap_ha"].to_list() == pytest.approx([0.04, 0.04])
    assert row(measured, "overlaps", name="C")["overlap_ha"] == pytest.approx(0.04)


def test_refusals_are_said_with_their_names(measured) -> None:
    assert sorted(measured.refusals()["name"]) == ["A", "C", "pipe", "well"]
    text = row(measured, "notices", key="land.refused")["text"]
    assert all(name in text for name in ("A", "C", "pipe", "well"))


def test_parts_of_a_place_sum_to_the_whole(measured) -> None:
    park = row(measured, "places", scope="park")
    assert park["ground_ha"] == pytest.approx(100.0)
    assert park["protected_ha"] == pytest.approx(20.5)
    assert park["taken_ha"] == pytest.approx(10.0 + 10.0)
    parts = park["protected_ha"] + park["taken_ha"] + park["developable_ha"]
    assert parts == pytest.approx(park["ground_ha"])
    assert park["planned_ha"] is None


def test_the_plans_own_figure_stands_beside(measured) -> None:
    old = row(measured, "places", scope="old")
    assert (old["planned_ha"], old["developable_ha"], old["difference_ha"]) == pytest.approx((30.0, 25.0, -5.0))


def test_rows_of_changes_sum_to_the_areas_now_and_columns_to_the_plan(measured) -> None:
    table = measured.tables["changes"]
    now = {"industrial": 15.0, "residential": 10.0, "farmland": 30.0}
    for use, size in now.items():
        assert table.filter(from_use=use)["area_ha"].sum() == pytest.approx(size)
    assert table.filter(to_use="industrial")["area_ha"].sum() == pytest.approx(30.0)
    assert row(measured, "changes", from_use="farmland", to_use="industrial")["area_ha"] == pytest.approx(15.0)
    gone = table.filter((table["from_use"] == "farmland") & table["to_use"].is_null())
    assert gone["area_ha"].to_list() == pytest.approx([15.0])


def test_zones_cover_what_is_left_and_say_what_they_are(measured) -> None:
    zones, totals = measured.tables["zones"], measured.tables["zone_totals"]
    for scope in ("park", "old"):
        left = row(measured, "places", scope=scope)["developable_ha"]
        assert zones.filter(scope=scope)["free_ha"].sum() == pytest.approx(left)
        assert totals.filter(scope=scope)["share"].sum() == pytest.approx(1.0)
    assert "no legal delineation" in row(measured, "notices", key="land.no_legal")["text"]
    assert "no legal delineation" in measured.figures("en")["zones"]["layout"]["title"]["text"]
    assert any("no legal delineation" in line.name.render("en") for line in measured.summary())


def test_order_of_rows_and_features_changes_nothing(place, measured) -> None:
    rows = LAYERS["layers.csv"].splitlines()
    red = json.loads(LAYERS["red.geojson"])
    red["features"].reverse()
    again = land(place({"layers.csv": "\n".join([rows[0], *reversed(rows[1:])]), "red.geojson": json.dumps(red)}))
    for name in ("overlaps", "places", "changes", "zones"):
        assert again.tables[name].equals(measured.tables[name]), name


def test_saved_and_loaded(measured, tmp_path) -> None:
    measured.save(tmp_path / "kept")
    again = Land.load(tmp_path / "kept")
    assert all(again.tables[name].equals(table) for name, table in measured.tables.items())
    assert set(measured.figures("zh")) == {"protected", "zones", "changes"}


def test_web_map_coordinates_are_suspected_and_said(place) -> None:
    x = EAST + np.array([300.0, 700.0, 700.0, 300.0, 300.0])
    y = NORTH + np.array([300.0, 300.0, 700.0, 700.0, 300.0])
    lon, lat = to_gcj02(*to_degrees(x, y, "EPSG:32650"))
    shifted = collection(
        ("Polygon", [np.column_stack((lon, lat)).tolist()], {"name": "shifted"}),
        crs={"type": "name", "properties": {"name": "EPSG:4326"}},
    )
    found = land(place({"plots.geojson": shifted}))
    said = row(found, "notices", key="land.shift")
    assert "GCJ-02" in said["text"]
    assert said["file"] == "plots.geojson"
    assert "land.shift" not in notices(land(place()))


def test_what_is_missing_is_said(place) -> None:
    rows = LAYERS["layers.csv"].splitlines()
    bare = land(
        place({"layers.csv": "\n".join(line for line in rows if "boundary" not in line and "parcels" not in line)})
    )
    assert "land.no_boundary" in notices(bare)
    assert bare.tables["places"].is_empty()
    unmapped = land(
        place({"layers.csv": "\n".join(line for line in rows if "landuse" not in line and "red_line" not in line)})
    )
    assert {"land.no_landuse", "land.no_red_line"} <= set(notices(unmapped))
    assert row(unmapped, "places", scope="park")["taken_ha"] is None


@pytest.mark.parametrize(
    ("red", "key"),
    [
        (collection(area(0, 0, 10, 10), crs={"type": "name", "properties": {"name": "nowhere:1"}}), "layers."),
        (collection(), "layers.nothing"),
        ("no map", "layers.unreadable"),
    ],
)
def test_bad_layers_are_refused_with_their_file(place, red, key) -> None:
    plan = place({"red.geojson": red})
    with pytest.raises(UserError) as caught:
        land(plan)
    assert caught.value.problems[0].file == "red.geojson"
    assert caught.value.problems[0].text.key.startswith(key)


def test_degrees_taken_for_metres(place) -> None:
    degrees = {"type": "Polygon", "coordinates": [[[113.6, 28.1], [113.7, 28.1], [113.7, 28.2], [113.6, 28.1]]]}
    text = json.dumps(
        {
            "type": "FeatureCollection",
            "crs": CRS,
            "features": [{"type": "Feature", "properties": {}, "geometry": degrees}],
        }
    )
    with pytest.raises(UserError) as caught:
        land(place({"red.geojson": text}))
    assert caught.value.problems[0].text.key == "layers.degrees_for_metres"


def test_crossing_and_empty_areas_are_mended_and_told(place) -> None:
    bow = [[[EAST, NORTH], [EAST + 100, NORTH + 100], [EAST + 100, NORTH], [EAST, NORTH + 100], [EAST, NORTH]]]
    red = collection(("Polygon", bow, {"name": "bow"}), ("Polygon", [], {"name": "void"}))
    found = land(place({"red.geojson": red}))
    assert {"layers.repaired", "layers.empty_features"} <= set(notices(found))
    assert row(found, "notices", key="layers.repaired")["feature"] == 1
    assert row(found, "places", scope="park")["protected_ha"] == pytest.approx(0.5)


@pytest.mark.parametrize("values", [{"tolerance_m2": -1}, {"reach_m": 0}, {"industry_share": 1.2}, {"cell_m": 0}])
def test_options_without_sense(place, values) -> None:
    with pytest.raises(UserError, match="options of land"):
        land(place(), LandOptions(**values))


def test_no_layer_of_land(place) -> None:
    with pytest.raises(UserError, match="no layer of land"):
        land(place({"layers.csv": "layer,kind,file\n"}))


def test_what_is_left_bounds_the_design_where_the_plan_gives_no_figure(place) -> None:
    plan = place()
    done = cyclopolis.run(plan.folder, until="design")
    left = row(done.results["land"], "places", scope="park")["developable_ha"]
    design = done.results["design"]
    assert design.facts["developable_ha_from_land"] == {"park": pytest.approx(left)}
    limit = design.tables["limits"].filter(quantity="land", scope="park")
    assert limit["bound"].to_list() == pytest.approx([left])
    assert design.tables["limits"].filter(quantity="land", scope="old")["bound"].to_list() == [30.0]


def test_shapes_are_never_moved(measured) -> None:
    drawn = shapely.from_wkt(measured.tables["outlines"].filter(kind="red_line")["outline"].to_list())
    assert all(shapely.get_num_coordinates(drawn) == 5)


def grid(values: str) -> str:
    return f"ncols 5\nnrows 5\nxllcorner {EAST}\nyllcorner {NORTH}\ncellsize 200\n{values}"


ROW = "0 25 50 75 100\n"
DRAFT = {
    "grids.csv": "grid,kind,file,source\nflat,criterion,flat.asc,bureau\nhard,resistance,hard.asc,bureau\n"
    "woods,sources,woods.asc,bureau\n",
    "suitability.csv": "grid,weight,worst,best,exclude_above,source\nflat,1,0,100,90,assumed\n",
    "flat.asc": grid(ROW * 5),
    "hard.asc": grid("1 1 1 1 1\n" * 5),
    "woods.asc": grid("1 0 0 0 2\n" + "0 0 0 0 0\n" * 4),
}


def test_drafts_from_grids(place) -> None:
    found = land(place(DRAFT))
    grades = dict(found.tables["suitable"].iter_rows())
    assert grades == {"excluded": 20.0, "0-20": 20.0, "20-40": 20.0, "40-60": 20.0, "60-80": 20.0, "80-100": 0.0}
    way = found.tables["corridors"].row(0, named=True)
    assert (way["from_source"], way["to_source"], way["cost"], way["length_km"]) == (1, 2, 800.0, 0.8)
    assert 0 < way["current"] < 1
    park = found.tables["zones"].filter(scope="park", zone="industry")
    assert park["score"].max() == pytest.approx(0.75), "industry begins where land suits best and is not excluded"


def test_the_map_of_zones_shows_corridors_only_where_they_lie_on_it(place) -> None:
    """One corridor crosses the park; three kilometres farther south it does not."""
    name = "corridors (draft)"
    near = land(place(DRAFT)).figures("en")["zones"]["data"]
    assert name in [trace["name"] for trace in near]
    far = {
        file: text.replace(f"yllcorner {NORTH}", f"yllcorner {NORTH - 3000}")
        for file, text in DRAFT.items()
        if file.endswith(".asc")
    }
    moved = land(place({**DRAFT, **far}))
    assert moved.tables["corridors"].height == 1
    assert name not in [trace["name"] for trace in moved.figures("en")["zones"]["data"]]


def test_grids_of_other_cells_are_brought_to_those_of_the_first_and_told(place) -> None:
    found = land(place({**DRAFT, "hard.asc": DRAFT["hard.asc"].replace("cellsize 200", "cellsize 100")}))
    notices = found.tables["notices"].filter(key="grid.brought")
    assert notices["file"].to_list() == ["hard.asc"]
    # the finer grid covers a quarter; beyond it nothing passes, so that the woods cannot be joined
    assert found.tables["corridors"].is_empty()


def test_two_grids_of_one_kind_are_refused(place) -> None:
    again = DRAFT["grids.csv"] + "more,sources,woods.asc,bureau\n"
    with pytest.raises(UserError, match=r"grids\.csv, row 5.*row 4 is a grid of this kind too"):
        land(place({**DRAFT, "grids.csv": again}))


def test_a_result_knows_the_grids_that_it_rests_on(place) -> None:
    assert {"flat.asc", "hard.asc", "woods.asc"} <= set(land(place(DRAFT)).inputs)


def test_it_is_said_which_land_a_design_takes(place) -> None:
    said = {row["key"]: row["text"] for row in land(place()).tables["notices"].iter_rows(named=True)}
    assert "30.0 ha" in said["land.design_own"]
    assert "park" in said["land.design_measured"]
    found = land(place())
    places = {row["scope"]: row for row in found.tables["places"].iter_rows(named=True)}
    assert places["old"]["design_ha"] == 30.0
    assert places["park"]["design_ha"] == places["park"]["developable_ha"]
    lines = {line.name.render("en"): line for line in found.summary()}
    own = lines["Developable land that a design takes, old"]
    assert (own.value, own.provenance) == (30.0, "user")
    assert "Developable land that a design takes, park" in lines


def test_without_a_red_line_a_design_takes_only_what_the_plan_says(place) -> None:
    layers = LAYERS["layers.csv"].replace("red,red_line,,red.geojson,bureau\n", "")
    found = land(place({"layers.csv": layers, "red.geojson": None}))
    assert dict(found.tables["places"].select("scope", "design_ha").iter_rows()) == {"old": 30.0, "park": None}


def test_grids_that_lie_apart_are_refused(place) -> None:
    far = DRAFT["hard.asc"].replace(f"xllcorner {EAST}", f"xllcorner {EAST + 90_000}")
    with pytest.raises(UserError, match="does not lie where"):
        land(place({**DRAFT, "hard.asc": far}))


def test_weights_that_do_not_sum_to_one_are_refused(place) -> None:
    with pytest.raises(UserError, match=r"sum to 0\.7"):
        land(place({**DRAFT, "suitability.csv": DRAFT["suitability.csv"].replace("flat,1,", "flat,0.7,")}))


def test_a_factor_in_another_unit_is_refused_with_its_file(place) -> None:
    """Vegetation in percent would grade every cell as covered."""
    grids = DRAFT["grids.csv"] + "green,vegetation,flat.asc,bureau\n"
    with pytest.raises(UserError, match=r"flat\.asc.*from 0 to 100.*within 0 - 1"):
        land(place({**DRAFT, "grids.csv": grids}))


def test_a_chinese_kind_of_grid_is_understood(place) -> None:
    grids = DRAFT["grids.csv"].replace("hard,resistance", "hard,生态阻力") + "wet,年降水量,flat.asc,bureau\n"
    plan = place({**DRAFT, "grids.csv": grids})
    assert dict(plan.tables["grids"].select("grid", "kind").iter_rows())["wet"] == "rain"
    assert land(plan).tables["corridors"].height == 1
