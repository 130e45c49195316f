"""Whether systems (economy, environment, society) move in step: coupling and coordination degree, and its classes."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Coordination:
    """Coupling C, joint level T and coordination degree D = sqrt(C T), each of shape (...,)."""

    c: Floats
    t: Floats
    d: Floats


def coordination(
    systems: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    form: Literal["classic", "corrected"] = "classic",
) -> Coordination:
    """Return the coupling coordination degree of systems.

    Classic: C = n (prod U)^(1/n) / sum U, which piles up near 1. Corrected:
    C = sqrt((1 - mean over pairs of abs(U_i - U_j)) (prod (U_i / max U))^(1/(n-1))). T is the weighted mean,
    D = sqrt(C T).

    Parameters
    ----------
    systems : array, shape (..., n)
        Index of each system, from 0 to 1; NaN (unknown) makes the whole unknown.
    weights : array, shape (n,), optional
        Weights in T, sum 1; equal when left out.
    form : {"classic", "corrected"}

    Returns
    -------
    Coordination
        C is zero where every system is zero.

    Raises
    ------
    ValueError
        If an index is outside 0..1, there are fewer than two systems, or the weights do not fit.

    References
    ----------
    Classic: standard model as in the R package coupling. Corrected: Wang et al. (2021), Journal of Natural Resources
    36(3) 793-810.

    Examples
    --------
    >>> found = coordination([[0.101, 0.280], [0.424, 0.421]])
    >>> found.d.round(2).tolist()
    [0.41, 0.65]
    """
    values = np.asarray(systems, dtype=np.float64)
    count = values.shape[-1]
    shares = np.full(count, 1.0 / count) if weights is None else np.asarray(weights, dtype=np.float64)
    if count < 2 or np.any(values < 0) or np.any(values > 1):
        raise ValueError("coordination needs two systems or more, each from 0 to 1")
    if shares.shape != (count,) or np.any(shares < 0) or abs(shares.sum() - 1) > 1e-6:
        raise ValueError("one weight per system is needed, zero or more, and their sum one")
    largest = values.max(axis=-1, keepdims=True)
    relative = values / np.where(largest > 0, largest, 1.0)
    product = np.prod(relative, axis=-1)
    if form == "classic":
        total = relative.sum(axis=-1)
        c = count * product ** (1 / count) / np.where(total > 0, total, 1.0)
    else:
        first, second = np.triu_indices(count, 1)
        apart = np.abs(values[..., first] - values[..., second]).mean(axis=-1)
        c = np.sqrt((1 - apart) * product ** (1 / (count - 1)))
    t = values @ shares
    return Coordination(c, np.asarray(t), np.sqrt(c * t))


@dataclass(frozen=True)
class Scale:
    """A scale of classes: upper limits in rising order (each class open below and closed above) and names."""

    name: str
    upper: Floats
    en: tuple[str, ...]
    zh: tuple[str, ...]

    def places(self, degrees: npt.ArrayLike) -> Ints:
        """Return the number of each degree's class, from 0; -1 where the degree is unknown."""
        values = np.asarray(degrees, dtype=np.float64)
        found = np.searchsorted(self.upper, values, side="left")
        return np.where(np.isnan(values), -1, np.minimum(found, len(self.upper) - 1)).astype(np.int64)


@cache
def scales() -> Mapping[str, Scale]:
    """Return the published class scales by name, as they stand in ``coordination_scales.csv``.

    Examples
    --------
    >>> [scales()["ten"].en[place] for place in scales()["ten"].places([0.41, 0.65])]
    ['near imbalance', 'primary coordination']
    """
    rows: dict[str, list[dict[str, str]]] = {}
    text = (files("cyclopolis.rating") / "coordination_scales.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        rows.setdefault(row["scale"], []).append(row)
    return {
        name: Scale(
            name,
            np.array([float(row["high"]) for row in found]),
            tuple(row["en"] for row in found),
            tuple(row["zh"] for row in found),
        )
        for name, found in rows.items()
    }
