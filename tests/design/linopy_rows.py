"""Rows and columns of a linopy model from plain arrays: terms collected by position, summed sparsely."""

import linopy
import numpy as np
import pandas as pd
import xarray as xr

from cyclopolis.network.model import Floats, Ints


class Rows:
    """Terms (row, variable, position, coefficient) collected for one family of constraints."""

    def __init__(self, variables: dict[str, linopy.Variable]) -> None:
        self._model = next(iter(variables.values())).model
        self._labels = {name: variable.labels.to_numpy() for name, variable in variables.items()}
        self._parts: list[tuple[str, Ints, Ints, Floats]] = []

    def add(self, family: str, row: Ints, position: Ints, coefficient: Floats) -> None:
        """Add terms; zero coefficients are left out."""
        used = coefficient != 0
        if used.any():
            self._parts.append((family, row[used], position[used], coefficient[used]))

    def build(self) -> tuple[linopy.LinearExpression, Ints] | None:
        """Return one sparse expression by row and the rows that have terms; None when there is no term."""
        if not self._parts:
            return None
        labels = np.concatenate([self._labels[family][position] for family, _, position, _ in self._parts])
        coefficients = np.concatenate([coefficient for *_, coefficient in self._parts])
        rows = np.concatenate([row for _, row, _, _ in self._parts])
        index = pd.RangeIndex(labels.size, name="term")
        terms = xr.Dataset(
            {
                "vars": (("term", "_term"), labels[:, None]),
                "coeffs": (("term", "_term"), coefficients[:, None]),
                "const": (("term",), np.zeros(labels.size)),
            },
            coords={"term": index},
        )
        group = xr.DataArray(rows, coords=[index], name="row")
        summed = linopy.LinearExpression(terms, self._model).groupby(group).sum()
        return summed, np.asarray(summed.indexes["row"], dtype=np.int64)


def constrain(
    model: linopy.Model, name: str, rows: Rows, lower: Floats, upper: Floats, scale: Floats | None = None
) -> bool:
    """Add ``lower <= rows <= upper`` (R,) for rows with terms; False when a row without terms cannot hold."""
    built = rows.build()
    size = lower.size
    bare = np.ones(size, dtype=np.bool_)
    if built is not None:
        expression, present = built
        bare[present] = False
        factor = 1.0 / scale[present] if scale is not None else np.ones(present.size)
        low, high = lower[present], upper[present]
        for sign, bound, which in (
            ("=", low, low == high),
            (">=", low, (low != high) & np.isfinite(low)),
            ("<=", high, (low != high) & np.isfinite(high)),
        ):
            if which.any():
                chosen = expression.isel(row=np.flatnonzero(which))
                index = pd.Index(present[which], name="row")
                model.add_constraints(
                    chosen,
                    sign,
                    xr.DataArray(bound[which], coords=[index]),
                    name=f"{name}_{ {'=': 'equal', '>=': 'least', '<=': 'most'}[sign] }",
                    scaling=xr.DataArray(factor[which], coords=[index]),
                )
    return bool(((lower[bare] <= 0) & (upper[bare] >= 0)).all())


def add_variable(
    model: linopy.Model, name: str, lower: Floats, upper: Floats, size: Floats | None = None
) -> linopy.Variable:
    """Add one variable per entry between bounds; its column is scaled by ``size`` (its upper bound when left out)."""
    index = pd.RangeIndex(lower.size, name=f"{name}_at")
    scale = upper if size is None else size
    scale = np.where(np.isfinite(scale) & (scale > 0), scale, 1.0)
    return model.add_variables(
        lower=xr.DataArray(lower, coords=[index]),
        upper=xr.DataArray(upper, coords=[index]),
        name=name,
        scaling=xr.DataArray(1.0 / scale, coords=[index]),
    )


def reference_size(lower: float, upper: float) -> float:
    """Return the size against which a limit's excess is measured: its bound, or 1 for a bound of nought."""
    bounds = [abs(value) for value in (lower, upper) if np.isfinite(value) and value != 0]
    return min(bounds) if bounds else 1.0
