"""Grids of a plan read from ESRI ASCII files and GeoTIFF, and brought to the same cells; every change is reported."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio import Affine
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError, RasterioIOError
from rasterio.warp import Resampling, calculate_default_transform, reproject

from cyclopolis.ecology.land.grids import Grid, read_grid
from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message

TEXT = (".asc", ".txt")
"""Endings of files that are read as ESRI ASCII grids."""
CLASSES = ("sources",)
"""Kinds whose values are names of patches: the nearest is taken, never a mean."""
_SAME = 1e-6
"""Difference of corners, as a share of a cell, up to which cells are the same."""
_ROUNDING = 1e-6
"""How far a value may lie beyond its bounds, because files round."""


@dataclass(frozen=True)
class Raster:
    """One grid as its file has it: values (R, C), NaN without data; where its cells lie, in units of ``crs``.

    ``notices`` tell what the file asked for beyond its numbers (scale and offset).
    """

    name: str
    kind: str
    file: str
    values: NDArray[np.float64]
    transform: Affine
    crs: rasterio.crs.CRS
    notices: tuple[Problem, ...] = ()


def read_raster(folder: Path, name: str, kind: str, file: str, band: int, stated: str | None, ground: str) -> Raster:
    """Read one grid.

    Parameters
    ----------
    folder : Path
        Folder that ``file`` starts from.
    name, kind, file : str
        As the table ``grids`` gives them.
    band : int
        Band of a GeoTIFF, from 1.
    stated : str, optional
        Coordinate system that the plan states; it wins over the file's.
    ground : str
        System of the map layers: that of an ESRI ASCII grid, which cannot say its own.

    Raises
    ------
    UserError
        If the file is missing or unreadable, has no such band, or neither place nor coordinate system is known.
    """
    path = folder / file
    if path.suffix.casefold() in TEXT:
        grid = read_grid(path)
        north = grid.south + grid.cell * grid.values.shape[0]
        transform = Affine(grid.cell, 0.0, grid.west, 0.0, -grid.cell, north)
        return Raster(name, kind, file, grid.values, transform, _system(file, stated or ground))
    if not path.is_file():
        raise _refused(file, "grid.no_file")
    values, transform, own, notices = _geotiff(path, name, file, band)
    if stated is None and own is None:
        raise _refused(file, "grid.no_crs")
    return Raster(name, kind, file, values, transform, own if stated is None else _system(file, stated), notices)


def _geotiff(
    path: Path, name: str, file: str, band: int
) -> tuple[NDArray[np.float64], Affine, rasterio.crs.CRS | None, tuple[Problem, ...]]:
    """Return values (R, C) with the file's own scale and offset, place of the cells, system, and what was applied."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path) as source:
                if not 1 <= band <= source.count:
                    raise _refused(file, "grid.no_band", band=band, count=source.count)
                read = source.read(band, masked=True)
                transform, own = source.transform, source.crs
                scale, offset = source.scales[band - 1], source.offsets[band - 1]
    except RasterioIOError as error:
        raise _refused(file, "grid.unreadable", reason=str(error)) from error
    if transform.is_identity:
        raise _refused(file, "grid.no_place")
    values = np.where(np.ma.getmaskarray(read), np.nan, read.data.astype(np.float64) * scale + offset)
    if (scale, offset) == (1.0, 0.0):
        return values, transform, own, ()
    said = message("grid.scaled", name=name, scale=f"{scale:g}", offset=f"{offset:g}")
    return values, transform, own, (Problem(said, "notice", file=file),)


def check_values(raster: Raster, least: float | None, greatest: float | None, unit: str) -> None:
    """Refuse values that cannot be meant: other units, or a mark of missing data that the file does not declare.

    Parameters
    ----------
    raster : Raster
    least, greatest : float, optional
        What the library says of this kind of grid; resistances lie above zero and patches are whole numbers besides.
    unit : str
        Unit that the bounds are in.

    Raises
    ------
    UserError
        If a value lies outside.
    """
    known = raster.values[np.isfinite(raster.values)]
    if known.size == 0:
        raise _refused(raster.file, "grid.empty", name=raster.name)
    low, high = float(known.min()), float(known.max())
    if raster.kind == "resistance" and low <= 0:
        raise _refused(raster.file, "grid.no_resistance", name=raster.name, low=f"{low:g}")
    if raster.kind in CLASSES and (low < 0 or (known != np.round(known)).any()):
        raise _refused(raster.file, "grid.no_patch", name=raster.name)
    below = least is not None and low < least - _ROUNDING
    beyond = greatest is not None and high > greatest + _ROUNDING
    if below or beyond:
        raise _refused(
            raster.file, "grid.out_of_bounds", name=raster.name, kind=raster.kind, low=f"{low:g}", high=f"{high:g}",
            bounds=_span(least, greatest), unit=unit,
        )  # fmt: skip


def _span(least: float | None, greatest: float | None) -> str:
    if greatest is None:
        return f">= {least:g}"
    return f"<= {greatest:g}" if least is None else f"{least:g} - {greatest:g}"


def same_cells(rasters: Sequence[Raster], ground: str) -> tuple[dict[str, Grid], list[Problem]]:
    """Bring grids to the cells of the first one, in metres of the map layers' system.

    Parameters
    ----------
    rasters : sequence of Raster
        The first gives the cells, after it was brought to ``ground`` if its own system is another.
    ground : str
        Projected system of the map layers.

    Returns
    -------
    grids by name, and what was brought to other cells
        Values are means of neighbouring cells weighted by nearness (bilinear), names of patches those of the nearest.

    Raises
    ------
    UserError
        If a grid does not lie where the first one lies.
    """
    if not rasters:
        return {}, []
    target = rasterio.crs.CRS.from_user_input(ground)
    frame, shape = _frame(rasters[0], target)
    cell = frame.a
    found: dict[str, Grid] = {}
    notices: list[Problem] = []
    for raster in rasters:
        notices += raster.notices
        values = raster.values
        if not _alike(raster, frame, shape, target):
            values = _brought(raster, frame, shape, target)
            said = message("grid.brought", name=raster.name, crs=raster.crs.to_string(), cell=f"{cell:g}", to=ground)
            notices.append(Problem(said, "notice", file=raster.file))
        if not np.isfinite(values).any():
            raise _refused(raster.file, "grid.apart", name=raster.name, first=rasters[0].name)
        found[raster.name] = Grid(values, frame.c, frame.f - cell * shape[0], cell)
    return found, notices


def _frame(first: Raster, target: rasterio.crs.CRS) -> tuple[Affine, tuple[int, int]]:
    """Return square cells upright in the target's system that cover a grid: its own where they are so already."""
    rows, columns = first.values.shape
    own = first.transform
    upright = own.b == 0 and own.d == 0 and abs(own.a + own.e) < _SAME * own.a
    if first.crs == target and upright:
        return own, (rows, columns)
    west, south, east, north = rasterio.transform.array_bounds(rows, columns, own)
    frame, wide, high = calculate_default_transform(first.crs, target, columns, rows, west, south, east, north)
    return frame, (int(high), int(wide))


def _alike(raster: Raster, frame: Affine, shape: tuple[int, int], target: rasterio.crs.CRS) -> bool:
    """Return whether a grid has just the cells of a frame."""
    apart = np.abs(np.array(raster.transform[:6]) - np.array(frame[:6])).max()
    return bool(raster.values.shape == shape and raster.crs == target and apart <= _SAME * frame.a)


def _brought(raster: Raster, frame: Affine, shape: tuple[int, int], target: rasterio.crs.CRS) -> NDArray[np.float64]:
    values = np.full(shape, np.nan)
    reproject(
        raster.values, values, src_transform=raster.transform, src_crs=raster.crs, src_nodata=np.nan,
        dst_transform=frame, dst_crs=target, dst_nodata=np.nan,
        resampling=Resampling.nearest if raster.kind in CLASSES else Resampling.bilinear,
    )  # fmt: skip
    return values


def _system(file: str, stated: str) -> rasterio.crs.CRS:
    try:
        return rasterio.crs.CRS.from_user_input(stated)
    except (CRSError, RasterioError, ValueError) as error:
        raise UserError([Problem(message("layers.bad_crs", crs=stated), file=file, value=stated)]) from error


def _refused(file: str, key: str, **values: object) -> UserError:
    return UserError([Problem(message(key, **values), file=file)])
