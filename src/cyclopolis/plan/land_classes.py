"""The classes of land use on a map layer, by the names, codes and tags that the library knows."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cyclopolis.plan.layers import Geometries, Layer
from cyclopolis.plan.schema import fold


def class_names(table: pl.DataFrame, key: str) -> Mapping[str, int]:
    """Return the row of a library table by every folded name, alias and tag value of it."""
    names: dict[str, int] = {}
    for at, row in enumerate(table.iter_rows(named=True)):
        tags = [tag.split("=")[-1] for tag in (row["tags"] or "").split(";")] if key == "land_use" else []
        for name in (row[key], row["name"], row["name_zh"], *(row["aliases"] or "").split(";"), *tags):
            if name:
                names.setdefault(fold(name), at)
    return names


def land_classes(
    layers: Sequence[Layer], fields: Mapping[str, Mapping[str, str | None]], uses: pl.DataFrame
) -> tuple[Geometries, NDArray[np.int64], set[str]]:
    """Return the polygons whose use is known, their use, and the names that no class fits.

    Parameters
    ----------
    layers : sequence of Layer
    fields : mapping
        The row of the table ``layers`` of each layer, for the attribute that names the class (``kind_field``).
    uses : polars.DataFrame
        The library's ``land_uses``; a use is a position in it.

    Raises
    ------
    UserError
        If a layer has no attribute of that name.
    """
    names = class_names(uses, "land_use")
    polygons: list[object] = []
    use: list[int] = []
    lost: set[str] = set()
    for layer in layers:
        values = layer.column(fields[layer.name]["kind_field"], "landuse", "land_use", "natural", "用地类别")
        for shape, value in zip(layer.geometry, values.cast(pl.String).to_list(), strict=True):
            at = names.get(fold(value)) if value else None
            if at is None:
                lost |= {value} if value else set()
                continue
            polygons.append(shape)
            use.append(at)
    return np.array(polygons, dtype=np.object_), np.array(use, dtype=np.int64), lost
