"""Candidate areas from grids: grades by hand, patches, formulas as the library says, drafts of a whole plan."""

from pathlib import Path

import numpy as np
import polars as pl
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import cyclopolis
from cyclopolis.ecology.land import land
from cyclopolis.ecology.land.drafts import weakest
from cyclopolis.ecology.land.grids import Grid
from cyclopolis.ecology.land.protection import FORMULAS, PATCH, graded, measures, outlines_of, patches
from cyclopolis.examples import example
from cyclopolis.examples.drawing_grids import guiyang_grids
from cyclopolis.foundation.text import LANGUAGES, say
from cyclopolis.library import load_library

LIBRARY = load_library()


def grid(*rows: list[float], cell: float = 100.0) -> Grid:
    return Grid(np.array(rows, dtype=float), 0.0, 0.0, cell)


def test_every_formula_has_its_kernel_its_factors_and_its_bounds() -> None:
    formulas, bounds = LIBRARY.land_formulas, set(LIBRARY.land_thresholds["item"])
    factors = set(LIBRARY.land_factors["factor"])
    assert set(formulas["measure"]) == set(FORMULAS)
    for row in formulas.iter_rows(named=True):
        needed = row["factors"].split(";")
        assert set(needed) <= factors
        assert row["measure"] in bounds
        if row["kind"] == "sensitivity":
            assert set(needed) <= bounds
        grades = LIBRARY.land_thresholds.filter(pl.col("item") == row["measure"])["grade"]
        assert grades.min() == 1
        assert row["candidate_grade"] in grades.to_list()
    kinds = next(column for column in cyclopolis.plan.schema.columns()["grids"] if column.name == "kind").choices
    assert set(kinds) == {"criterion", "resistance", "sources", *factors}


def test_measures_by_hand() -> None:
    """Two cells: R K LS (1 - C), R K LS C P, rain - runoff - evapotranspiration, and the fourth root of four grades."""
    given_grids = {
        "rain_erosivity": grid([50.0, 1000.0]), "soil_erodibility": grid([0.01, 0.05]), "relief": grid([1.0, 4.0]),
        "cover_factor": grid([0.5, 0.1]), "practice": grid([1.0, 0.5]), "terrain": grid([10.0, 400.0]),
        "vegetation": grid([0.7, 0.1]), "rain": grid([900.0, 1200.0]), "runoff": grid([200.0, 300.0]),
        "evapotranspiration": grid([600.0, 500.0]),
    }  # fmt: skip
    found = {one.name: one for one in measures(given_grids, LIBRARY.land_formulas, LIBRARY.land_thresholds)}
    assert set(found) == {"water_yield", "soil_kept", "soil_loss", "erosion"}
    assert found["water_yield"].values.tolist() == [[100.0, 400.0]]
    assert found["soil_kept"].values == pytest.approx(np.array([[0.25, 180.0]]))
    assert found["soil_loss"].values == pytest.approx(np.array([[0.25, 10.0]]))
    assert found["soil_loss"].grades.tolist() == [[1, 2]]
    # grades 1 1 1 1 and 5 5 5 5
    assert found["erosion"].values == pytest.approx(np.array([[1.0, 5.0]]))
    assert found["erosion"].grades.tolist() == [[1, 3]]
    # the second cell holds more than half of all water: it alone is of extreme importance
    assert found["water_yield"].grades.tolist() == [[1, 3]]


def test_a_factor_that_is_unknown_leaves_the_cell_unknown() -> None:
    holed = {"carbonate": grid([np.nan, 0.8]), "slope": grid([30.0, 30.0]), "vegetation": grid([0.1, 0.1])}
    (karst,) = measures(holed, LIBRARY.land_formulas, LIBRARY.land_thresholds)
    assert karst.grades.tolist() == [[0, 3]]
    assert np.isnan(karst.values[0, 0])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 0.95))
def test_the_cells_of_a_share_hold_it_and_are_the_greatest(seed: int, share: float) -> None:
    values = np.random.default_rng(seed).uniform(0, 1, (6, 7))
    bounds = pl.DataFrame({"grade": [1, 3], "basis": ["top_share"] * 2, "bound": [1.0, share]})
    grades = graded(values, bounds)
    top = values[grades == 3]
    assert top.sum() >= share * values.sum() * (1 - 1e-9)
    assert top.min() >= values[grades == 1].max(initial=0.0)
    assert top.sum() - top.min() < share * values.sum()


def test_a_grade_does_not_depend_on_the_order_of_the_bounds() -> None:
    values = np.linspace(-1, 3, 41)
    bounds = pl.DataFrame({"grade": [1, 2, 3], "basis": ["above"] * 3, "bound": [0.0, 1.0, 2.0]})
    assert graded(values, bounds).tolist() == graded(values, bounds.reverse()).tolist()
    assert graded(np.array([0.0, 1.0, 2.0, 2.1]), bounds).tolist() == [0, 1, 2, 3]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_patches_are_the_connected_cells_with_all_their_ground(seed: int, least: int) -> None:
    chosen = np.random.default_rng(seed).random((8, 9)) < 0.5
    found = patches(chosen, Grid(np.zeros((8, 9)), 300.0, 700.0, 100.0), float(least))
    sizes = np.bincount(found.number.ravel(), minlength=len(found.shape) + 1)[1:]
    assert (np.diff(sizes) <= 0).all()
    assert (sizes >= least).all()
    assert shapely.area(found.shape) / 1e4 == pytest.approx(sizes.astype(float))
    assert not (found.number[~chosen] > 0).any()
    assert all(shapely.is_valid(found.shape))
    for one in range(len(found.shape)):  # one part each, or parts that touch at a corner only
        assert shapely.buffer(found.shape[one], 1e-6, cap_style="square", join_style="mitre").geom_type == "Polygon"


def test_outlines_lie_where_their_cells_lie() -> None:
    number = np.array([[0, 1, 1], [2, 0, 0]])
    first, second = outlines_of(number, Grid(np.zeros((2, 3)), 10.0, 20.0, 5.0), 2)
    assert first.bounds == (15.0, 25.0, 25.0, 30.0)
    assert second.bounds == (10.0, 20.0, 15.0, 25.0)


def test_the_least_sure_provenance_is_named() -> None:
    assert weakest(["seen", "user"]) == "user"
    assert weakest(["seen", "memory"]) == "memory"


@pytest.fixture(scope="module")
def guiyang() -> cyclopolis.Land:
    return land(cyclopolis.read_plan(example("guiyang")))


def test_the_shipped_grids_are_what_the_drawing_draws() -> None:
    texts = guiyang_grids()
    assert {path.name for path in example("guiyang").glob("*.asc")} == set(texts)
    for file, text in texts.items():
        assert (example("guiyang") / file).read_text(encoding="utf-8") == text
    sources = cyclopolis.read_plan(example("guiyang")).tables["grids"]["source"]
    assert all(source.startswith("assumed") for source in sources)


def test_the_example_drafts_areas_that_its_measures_mark(guiyang: cyclopolis.Land) -> None:
    areas, parts, classes = (guiyang.tables[name] for name in ("draft_areas", "draft_parts", "draft_classes"))
    least = LIBRARY.land_thresholds.filter(pl.col("item") == PATCH)["bound"].item()
    assert areas.height > 3
    assert areas["area_ha"].min() >= least
    assert (areas["protected_ha"] <= areas["area_ha"]).all()
    shapes = shapely.from_wkt(parts["outline"].to_list())
    union = shapely.union_all(shapely.from_wkt(areas["outline"].to_list()))
    assert shapely.area(shapely.difference(shapely.union_all(shapes), union)) < 1e-6
    shares = classes.group_by("measure").agg(pl.col("share").sum(), pl.col("area_ha").sum())
    assert shares["share"].to_list() == pytest.approx([1.0] * shares.height)
    assert shares["area_ha"].to_list() == pytest.approx([10_000.0] * shares.height)
    marked = classes.filter("candidate").group_by("measure").agg(pl.col("area_ha").sum())
    for measure, inside in parts.select("measure", "area_ha").iter_rows():
        assert inside <= marked.filter(pl.col("measure") == measure)["area_ha"].item() + 1e-6


def test_formulas_weights_and_no_legal_delineation_are_said(guiyang: cyclopolis.Land) -> None:
    formulas = guiyang.tables["draft_formulas"]
    assert formulas.filter(pl.col("measure") == "erosion")["formula"].item().count("equal weights") == 1
    assert "carbonate.asc" in formulas.filter(pl.col("measure") == "karst")["files"].item()
    assert set(formulas["provenance"]) == {"assumed"}, "no formula is surer than the grids that it was given"
    assert "land.no_legal" in guiyang.tables["notices"]["key"].to_list()
    for language in LANGUAGES:
        said = {line.name.render(language): line for line in guiyang.summary()}
        assert said[say("land.line_candidates", language)].provenance == "assumed"
        title = guiyang.figures(language)["drafts"]["layout"]["title"]["text"]
        assert title == say("land.figure_drafts", language)


def test_candidates_are_the_sources_of_corridors_where_none_are_given(guiyang: cyclopolis.Land) -> None:
    corridors, areas = guiyang.tables["corridors"], guiyang.tables["draft_areas"]
    assert corridors.height == areas.height - 1
    assert {*corridors["from_source"], *corridors["to_source"]} == set(areas["area"])


def test_own_bounds_replace_those_of_the_library(place) -> None:
    head = "ncols 5\nnrows 5\nxllcorner 400000\nyllcorner 3000000\ncellsize 200\nNODATA_value -9999\n"
    files = {
        "grids.csv": "grid,kind,file,source\nb,carbonate,c.asc,bureau\n"
        "s,slope,s.asc,bureau\nv,vegetation,v.asc,bureau\n",
        "c.asc": head + "0.5 0.5 0.5 0.5 0.5\n" * 5,
        "s.asc": head + "30 30 30 3 3\n" * 5,
        "v.asc": head + "0.1 0.1 0.1 0.9 0.9\n" * 5,
    }
    without = land(place(files)).tables["draft_areas"]
    assert without.is_empty()  # 60 ha, but the least patch has 100
    bounds = "item,grade,basis,bound,source\npatch_ha,1,at_least,20,bureau\ncarbonate,3,at_least,0.4,bureau\n"
    found = land(place({**files, "land_thresholds.csv": bounds}))
    areas = found.tables["draft_areas"]
    assert areas["area_ha"].to_list() == pytest.approx([60.0])
    assert "carbonate 3: >= 0.4" in found.tables["draft_formulas"]["bounds"].item()


def test_the_layer_of_candidates_holds_what_the_table_holds(guiyang: cyclopolis.Land, tmp_path: Path) -> None:
    """Read again by a library that does not know how it was written; RFC 7946 asks for degrees and turned rings."""
    guiyang.save(tmp_path / "land")
    path = tmp_path / "land" / "draft_areas.geojson"
    assert path.read_text(encoding="utf-8").count("no legal delineation") == guiyang.tables["draft_areas"].height
    meta, _, shapes, values = pyogrio.raw.read(path)
    assert meta["crs"] == "EPSG:4326"
    table = guiyang.tables["draft_areas"]
    held = dict(zip(meta["fields"].tolist(), values, strict=True))
    assert held["area"].tolist() == table["area"].to_list()
    assert held["area_ha"] == pytest.approx(table["area_ha"].to_numpy())
    assert held["reasons_zh"].tolist() == table["reasons_zh"].to_list()
    assert set(held["status_zh"]) == {say("land.no_legal", "zh")}
    drawn = shapely.from_wkb(shapes)
    assert shapely.equals(drawn, shapely.from_wkt(table["outline"].to_list())).all()
    assert shapely.is_valid(drawn).all()
    for shape in drawn:
        for part in shapely.get_parts(shape):
            assert part.exterior.is_ccw
            assert not any(ring.is_ccw for ring in part.interiors)
    again = cyclopolis.Land.load(tmp_path / "land")
    assert again.tables["draft_areas"].equals(table)


def test_a_place_without_candidates_has_no_layer_of_them(measured: cyclopolis.Land, tmp_path: Path) -> None:
    assert measured.files() == {}
    measured.save(tmp_path / "land")
    assert not list((tmp_path / "land").glob("*.geojson"))
