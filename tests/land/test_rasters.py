"""Grids from GeoTIFF and ESRI ASCII brought to the same cells; what was changed is said, what is wrong is refused."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio import Affine

from cyclopolis.ecology.land.rasters import Raster, check_values, read_raster, same_cells
from cyclopolis.foundation.problems import UserError

GROUND = "EPSG:32648"
VALUES = np.arange(12.0).reshape(3, 4)


def tiff(path: Path, bands: list[np.ndarray], crs: str | None = GROUND, transform: Affine | None = None) -> Path:
    """Write a GeoTIFF with -1 where there is no data."""
    transform = Affine(100.0, 0, 500_000.0, 0, -100.0, 3_000_300.0) if transform is None else transform
    rows, columns = bands[0].shape
    with rasterio.open(
        path, "w", driver="GTiff", height=rows, width=columns, count=len(bands), dtype="float64", crs=crs,
        transform=transform, nodata=-1.0,
    ) as file:  # fmt: skip
        for number, band in enumerate(bands, start=1):
            file.write(band, number)
    return path


def ascii_grid(path: Path, values: np.ndarray, west: float = 500_000.0, south: float = 3_000_000.0, cell: float = 100):
    head = f"ncols {values.shape[1]}\nnrows {values.shape[0]}\nxllcorner {west}\nyllcorner {south}\ncellsize {cell}\n"
    body = "\n".join(" ".join(f"{value:g}" for value in row) for row in values)
    path.write_text(f"{head}NODATA_value -9999\n{body}\n", encoding="utf-8")


def read(folder: Path, file: str, kind: str = "rain", band: int = 1, crs: str | None = None) -> Raster:
    return read_raster(folder, file.split(".", maxsplit=1)[0], kind, file, band, crs, GROUND)


def test_a_band_is_read_with_its_system_and_its_gaps(tmp_path: Path) -> None:
    tiff(tmp_path / "two.tif", [VALUES, np.where(VALUES > 10, -1.0, 2 * VALUES)])
    found = read(tmp_path, "two.tif", band=2)
    assert found.crs.to_epsg() == 32648
    assert found.values[0].tolist() == [0, 2, 4, 6]
    assert np.isnan(found.values[2, 3])


def test_both_kinds_of_file_give_the_same_cells_without_a_word(tmp_path: Path) -> None:
    tiff(tmp_path / "one.tif", [VALUES])
    ascii_grid(tmp_path / "two.asc", VALUES)
    grids, said = same_cells([read(tmp_path, "one.tif"), read(tmp_path, "two.asc")], GROUND)
    assert said == []
    one, two = grids["one"], grids["two"]
    assert (one.west, one.south, one.cell) == (two.west, two.south, two.cell) == (500_000.0, 3_000_000.0, 100.0)
    assert np.array_equal(one.values, two.values)


def test_finer_cells_are_brought_to_those_of_the_first_and_it_is_said(tmp_path: Path) -> None:
    ascii_grid(tmp_path / "one.asc", VALUES)
    ascii_grid(tmp_path / "two.asc", np.full((12, 16), 7.0), cell=25)
    grids, said = same_cells([read(tmp_path, "one.asc"), read(tmp_path, "two.asc")], GROUND)
    assert grids["two"].values == pytest.approx(np.full((3, 4), 7.0))
    (one,) = said
    assert (one.text.key, one.severity, one.file) == ("grid.brought", "notice", "two.asc")
    assert "100 m" in one.text.render("en")


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 3), st.integers(0, 2))
def test_a_plane_stays_a_plane_where_cells_lie_half_a_cell_apart(right: int, up: int) -> None:
    """Bilinear means are exact for planes away from the edges."""
    frame = Affine(100.0, 0, 0.0, 0, -100.0, 1000.0)
    row, column = np.mgrid[0:10, 0:10]
    system = rasterio.crs.CRS.from_user_input(GROUND)
    first = Raster("a", "rain", "a", np.zeros((10, 10)), frame, system)
    moved = Affine(100.0, 0, 50.0 * right, 0, -100.0, 1000.0 - 50.0 * up)
    x, y = moved.c + 100 * (column + 0.5), moved.f - 100 * (row + 0.5)
    other = Raster("b", "rain", "b", 3 * x - 2 * y, moved, system)
    grids, _ = same_cells([first, other], GROUND)
    wanted = 3 * (100 * (column + 0.5)) - 2 * (1000 - 100 * (row + 0.5))
    assert grids["b"].values[3:8, 3:8] == pytest.approx(wanted[3:8, 3:8])


def test_names_of_patches_are_never_averaged(tmp_path: Path) -> None:
    ascii_grid(tmp_path / "one.asc", VALUES)
    patches = np.repeat(np.repeat(np.array([[1.0, 9.0], [4.0, 1.0]]), 6, axis=0), 8, axis=1)
    ascii_grid(tmp_path / "two.asc", patches, west=500_010.0, cell=25)
    rasters = [read(tmp_path, "one.asc"), read(tmp_path, "two.asc", kind="sources")]
    found = same_cells(rasters, GROUND)[0]["two"].values
    assert set(found[np.isfinite(found)].tolist()) <= {1.0, 4.0, 9.0}


def test_degrees_are_projected_to_square_cells_in_metres(tmp_path: Path) -> None:
    degrees = Affine(0.001, 0, 105.0, 0, -0.001, 27.1)
    tiff(tmp_path / "one.tif", [np.full((40, 40), 5.0)], crs="EPSG:4326", transform=degrees)
    grids, said = same_cells([read(tmp_path, "one.tif")], GROUND)
    grid = grids["one"]
    assert 90 < grid.cell < 112
    assert np.nanmax(grid.values) == pytest.approx(5.0)
    assert (grid.west, grid.south) == pytest.approx((500_000, 2_993_000), abs=2_000)
    assert said[0].text.key == "grid.brought"


def test_a_system_that_the_plan_states_wins(tmp_path: Path) -> None:
    tiff(tmp_path / "one.tif", [VALUES], crs=None)
    assert read(tmp_path, "one.tif", crs="EPSG:32649").crs.to_epsg() == 32649
    ascii_grid(tmp_path / "two.asc", VALUES)
    assert read(tmp_path, "two.asc", crs="EPSG:4326").crs.to_epsg() == 4326


def test_what_is_wrong_is_refused_with_the_file(tmp_path: Path) -> None:
    tiff(tmp_path / "one.tif", [VALUES])
    tiff(tmp_path / "bare.tif", [VALUES], crs=None)
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        tiff(tmp_path / "nowhere.tif", [VALUES], transform=Affine.identity())
    (tmp_path / "text.tif").write_text("no picture", encoding="utf-8")
    ascii_grid(tmp_path / "far.asc", VALUES, west=900_000.0)
    tried = {
        "grid.no_band": lambda: read(tmp_path, "one.tif", band=3),
        "grid.unreadable": lambda: read(tmp_path, "text.tif"),
        "grid.no_file": lambda: read(tmp_path, "none.tif"),
        "layers.bad_crs": lambda: read(tmp_path, "one.tif", crs="EPSG:0"),
        "grid.no_crs": lambda: read(tmp_path, "bare.tif"),
        "grid.no_place": lambda: read(tmp_path, "nowhere.tif", crs=GROUND),
        "grid.apart": lambda: same_cells([read(tmp_path, "one.tif"), read(tmp_path, "far.asc")], GROUND),
    }
    for key, work in tried.items():
        with pytest.raises(UserError) as caught:
            work()
        (problem,) = caught.value.problems
        assert problem.text.key == key
        assert problem.file is not None


def test_scale_and_offset_of_a_file_are_applied_and_told(tmp_path: Path) -> None:
    """Satellite products keep whole numbers and say how to turn them into values; cells without data stay so."""
    tiff(tmp_path / "one.tif", [np.where(VALUES > 10, -1.0, VALUES)])
    with rasterio.open(tmp_path / "one.tif", "r+") as file:
        file.scales, file.offsets = (0.5,), (100.0,)
    found = read(tmp_path, "one.tif")
    assert found.values[0].tolist() == [100.0, 100.5, 101.0, 101.5]
    assert np.isnan(found.values[2, 3])
    grids, said = same_cells([found], GROUND)
    assert np.array_equal(grids["one"].values, found.values, equal_nan=True)
    assert [(one.text.key, one.file) for one in said] == [("grid.scaled", "one.tif")]
    assert "0.5" in said[0].text.render("zh")


def raster(kind: str, *values: float) -> Raster:
    system = rasterio.crs.CRS.from_user_input(GROUND)
    return Raster("a", kind, "a.asc", np.array([values]), Affine(100.0, 0, 0.0, 0, -100.0, 100.0), system)


@pytest.mark.parametrize(
    ("kind", "values", "bounds", "key", "said"),
    [
        ("vegetation", (12.0, 87.0), (0.0, 1.0), "grid.out_of_bounds", "from 12 to 87"),
        ("rain", (-9999.0, 800.0), (0.0, None), "grid.out_of_bounds", ">= 0"),
        ("slope", (0.0, 91.0), (None, 90.0), "grid.out_of_bounds", "<= 90"),
        ("resistance", (0.0, 5.0), (None, None), "grid.no_resistance", "above zero"),
        ("sources", (0.0, 1.5), (None, None), "grid.no_patch", "whole numbers"),
        ("sources", (-1.0, 2.0), (None, None), "grid.no_patch", "whole numbers"),
        ("rain", (np.nan, np.nan), (0.0, None), "grid.empty", "without data"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(kind, values, bounds, key, said) -> None:
    with pytest.raises(UserError) as caught:
        check_values(raster(kind, *values), *bounds, "1")
    (problem,) = caught.value.problems
    assert (problem.text.key, problem.file) == (key, "a.asc")
    assert said in problem.text.render("en")
    assert "{" not in problem.text.render("zh")


@pytest.mark.parametrize(
    ("kind", "values"), [("vegetation", (0.0, 1.0000001, np.nan)), ("resistance", (0.1,)), ("sources", (0.0, 3.0))]
)
def test_values_within_their_bounds_pass(kind, values) -> None:
    check_values(raster(kind, *values), *((0.0, 1.0) if kind == "vegetation" else (None, None)), "1")
