"""Grids of cells read from ESRI ASCII files (.asc), strictly: what does not fit the header is refused with its line."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message

_HEADER = ("ncols", "nrows", "xllcorner", "yllcorner", "cellsize")
_CENTRED = {"xllcenter": "xllcorner", "yllcenter": "yllcorner"}


@dataclass(frozen=True)
class Grid:
    """Values (R, C) from north to south, NaN where there is no data; south-west corner and side of a cell in metres."""

    values: NDArray[np.float64]
    west: float
    south: float
    cell: float


def read_grid(path: Path) -> Grid:
    """Read an ESRI ASCII grid.

    Raises
    ------
    UserError
        If the file is missing, its header lacks something, or its numbers are not those that the header says.
    """
    if not path.is_file():
        raise _refused(path, None, "grid.no_file")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    header, at = _header(path, lines)
    rows, columns = int(header["nrows"]), int(header["ncols"])
    body = [(number, line.split()) for number, line in enumerate(lines[at:], at + 1) if line.strip()]
    if len(body) != rows:
        raise _refused(path, len(lines), "grid.rows", found=len(body), wanted=rows)
    values = np.empty((rows, columns))
    for row, (number, cells) in enumerate(body):
        if len(cells) != columns:
            raise _refused(path, number, "grid.columns", found=len(cells), wanted=columns)
        try:
            values[row] = [float(cell) for cell in cells]
        except ValueError as error:
            raise _refused(path, number, "grid.not_a_number") from error
    values[values == header.get("nodata_value", -9999.0)] = np.nan
    return Grid(values, header["xllcorner"], header["yllcorner"], header["cellsize"])


def _header(path: Path, lines: list[str]) -> tuple[dict[str, float], int]:
    """Return the header and the number of its lines."""
    header: dict[str, float] = {}
    at = 0
    while at < len(lines) and lines[at].strip()[:1].isalpha():
        name, _, value = lines[at].strip().partition(" ")
        try:
            header[name.casefold()] = float(value)
        except ValueError as error:
            raise _refused(path, at + 1, "grid.bad_header", name=name) from error
        at += 1
    half = header.get("cellsize", 0.0) / 2
    for centred, corner in _CENTRED.items():
        if centred in header:
            header[corner] = header.pop(centred) - half
    lacking = [name for name in _HEADER if name not in header]
    if lacking or header["cellsize"] <= 0:
        raise _refused(path, at, "grid.no_header", names=", ".join(lacking) or "cellsize")
    return header, at


def _refused(path: Path, row: int | None, key: str, **values: object) -> UserError:
    return UserError([Problem(message(key, **values), file=path.name, row=row)])
