"""What the pipes of a model cost: length times a price by diameter, the plan's own or the library's."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.swmm import FOOT, Floats, units_of
from cyclopolis.library.storm import load_storm_library
from cyclopolis.plan import Plan, provenance

_ROUND = ("CIRCULAR", "FILLED_CIRCULAR")
_BARRELS = 6


@dataclass(frozen=True)
class PipeCost:
    """Capital of pipes in million CNY, how well it is known; metres that it covers, and metres without a price.

    Open channels and closed shapes that are not round have no price, nor have pipes wider than the table.
    """

    million_cny: float
    priced_m: float
    unpriced_m: float
    provenance: str


def price_of(diameter_m: Floats) -> Floats:
    """Return the price of a laid pipe, CNY per m: the middle of the library's range, straight between diameters.

    Smaller pipes cost what the smallest costs; NaN beyond the largest.

    Examples
    --------
    >>> price_of(np.array([0.3, 0.35, 0.1, 9.0])).tolist()
    [675.0, 775.0, 675.0, nan]
    """
    table = load_storm_library().pipe_prices.sort("diameter_m")
    known = table["diameter_m"].to_numpy()
    middle = ((table["cost_low"] + table["cost_high"]) / 2).to_numpy()
    return np.asarray(np.interp(diameter_m, known, middle, right=np.nan))


def pipe_cost(model: Inp, called: Mapping[str, str], plan: Plan) -> PipeCost:
    """Return what the conduits of a model cost.

    Parameters
    ----------
    model : Inp
        With conduits and their cross-sections.
    called : mapping of str to str
        The plan's names of what has another name in the model.
    plan : Plan
        Own prices of its ``conduits`` take the place of the library's.
    """
    metres = FOOT if units_of(model).is_us else 1.0
    rows = {row["conduit"]: row for row in plan.tables["conduits"].iter_rows(named=True)}
    shapes = {row.fields[0]: row.fields for row in model.rows("XSECTIONS")}
    cost, priced, unpriced, classes = 0.0, 0.0, 0.0, set()
    for row in model.rows("CONDUITS"):
        length, shape = float(row.fields[3]) * metres, shapes[row.fields[0]]
        barrels = float(shape[_BARRELS]) if len(shape) > _BARRELS else 1.0
        own = rows.get(called.get(row.fields[0], row.fields[0]), {})
        price = own.get("cost_cny_m")
        weak = provenance(own.get("source")) if price is not None else "assumed"
        if price is None and shape[1].upper() in _ROUND:
            price = float(price_of(np.array([float(shape[2]) * metres]))[0])
        if price is None or np.isnan(price):
            unpriced += length
            continue
        cost += length * price * max(barrels, 1.0)
        priced += length
        classes.add(weak)
    return PipeCost(cost / 1e6, priced, unpriced, "assumed" if "assumed" in classes else "user")
