"""How far plants are from each other, and what a pipe between them costs a year (assumed unit costs)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cyclopolis.network.places import positions, read_places, straight_km
from cyclopolis.plan import Plan

Floats = npt.NDArray[np.float64]
WINDING = 1.3
"""Length of a way over the straight line (assumed)."""


def annuity(rate: float, years: float) -> float:
    """Return the yearly payment for one unit of capital.

    Examples
    --------
    >>> round(annuity(0.08, 20.0), 4), annuity(0.0, 20.0)
    (0.1019, 0.05)
    """
    return 1.0 / years if rate == 0 else rate / (1.0 - (1.0 + rate) ** -years)


@dataclass(frozen=True)
class PipeCosts:
    """What pipes cost; all figures are assumed orders of magnitude of 2021-2025 and stand here to be changed.

    ``fixed`` CNY per km of pipe of any width, ``flow`` CNY per km and unit per year of flow, ``pumping`` CNY per unit
    and km, ``life`` years.
    """

    fixed: float = 300_000.0
    flow: float = 1.0
    pumping: float = 0.02
    life: float = 20.0

    def yearly(self, rate: float) -> tuple[float, float]:
        """Return the yearly cost per km, and per km and unit of flow."""
        share = annuity(rate, self.life)
        return self.fixed * share, self.flow * share + self.pumping


def site_of_plants(plan: Plan) -> dict[str, str | None]:
    """Return where each plant stands: its own site, else that of its enterprise."""
    homes = dict(plan.tables["enterprises"].select("enterprise", "site").iter_rows())
    rows = plan.tables["plants"].select("plant", "site", "enterprise").iter_rows()
    return {plant: site or homes.get(enterprise) for plant, site, enterprise in rows}


def distances(plan: Plan, sites: list[str | None]) -> Floats:
    """Return the length of the way between sites (N, N) in km; NaN where a position is not known.

    Straight line x `WINDING`; between two plants of one place half the root of its area.
    """
    import polars as pl  # noqa: PLC0415 - a series is needed only here

    places = read_places(plan.tables["sites"])
    at = positions(places.ids, pl.Series(sites, dtype=pl.String))
    located = np.where(at >= 0, places.located[at] if at.size else at, -1)
    vector = places.vector[at]
    way = straight_km(vector[:, None], vector[None, :]) * WINDING
    same = located[:, None] == located[None, :]
    way = np.where(same, np.maximum(way, places.near[at][:, None]), way)
    unknown = (at < 0)[:, None] | (at < 0)[None, :] | (~same & ((located < 0)[:, None] | (located < 0)[None, :]))
    return np.asarray(np.where(unknown, np.nan, way), dtype=np.float64)
