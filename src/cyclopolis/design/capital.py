"""What building costs in the objective: ways of building, worth of capital, taxes that depreciation spares, grants."""

from collections.abc import Sequence

import numpy as np

from cyclopolis.design.lines import LIFETIME_A
from cyclopolis.design.money import MILLION, capital_worth, curve_error, curve_pieces, recovery_factor
from cyclopolis.design.years import Builds, YearsProblem
from cyclopolis.network import subsidies_of
from cyclopolis.network.model import EXISTING, Floats, Network, Plants
from cyclopolis.plan import Plan


def capital_builds(plants: Plants, new: np.ndarray, pieces: int) -> tuple[Builds, float]:
    """Return the ways of building new plants, and the largest error of their capital as a share.

    A plant of given size has one way for each of its equal units; one whose size is free has as many as the straight
    pieces of its capital curve.

    Parameters
    ----------
    plants : Plants
    new : ndarray of int
        Positions of the new plants, ascending.
    pieces : int
        Pieces of a capital curve.
    """
    rows: list[tuple[float, ...]] = []
    error = 0.0
    for plant in new.tolist():
        largest, units = float(np.nan_to_num(plants.capacity[plant])), float(plants.units[plant])
        smallest = min(float(np.nan_to_num(plants.capacity_min[plant])), largest)
        capital, exponent = (
            float(np.nan_to_num(plants.capex[plant])),
            float(np.nan_to_num(plants.scale_exponent[plant])),
        )
        if smallest >= largest or units > 1:
            rows.append((plant, largest / units, largest / units, units, capital / units, 0.0))
            continue
        if exponent in {0.0, 1.0} or smallest <= 0:
            fixed, slope = np.nan_to_num(plants.capex_fixed[plant]), np.nan_to_num(plants.capex_slope[plant])
            rows.append((plant, smallest, largest, 1.0, float(fixed), float(slope)))
            continue
        error = max(error, curve_error(largest / smallest, exponent, pieces))
        for low, high, fixed, slope in curve_pieces(smallest, largest, capital, exponent, pieces):
            rows.append((plant, low, high, 1.0, fixed, slope))
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    return Builds(table[:, 0].astype(np.int64), *(table[:, column] for column in range(1, 6))), error


def worth_of_capital(rate: float, base_year: int, years: Sequence[int], lifetime: Floats) -> tuple[Floats, Floats]:
    """Return what 1 CNY of capital spent in each year costs in the objective and what is left of it at the end (P, Y).

    Of one year alone it is a yearly cost by the capital recovery factor, and nothing is left.
    """
    if len(years) > 1:
        return capital_worth(rate, base_year, years, lifetime)
    spent = recovery_factor(rate, lifetime)[:, None]
    return spent, np.zeros_like(spent)


def line_worth(plan: Plan, years: Sequence[int]) -> tuple[Floats, Floats]:
    """Return what 1 CNY of a line's capital costs in the objective and what is left of it at the end (Y,)."""
    rate, lifetime = plan.meta.discount_rate, np.array([LIFETIME_A])
    spent, left = worth_of_capital(rate, plan.meta.base_year, years, lifetime)
    return spent[0], left[0]


def tax_spared(problem: YearsProblem) -> Floats:
    """Return what depreciating 1 CNY of capital evenly over its lifetime spares in taxes on profit (P, Y)."""
    factors, lifetime = problem.network.factors, problem.network.plants.lifetime
    taxes = () if factors is None else factors.taxes
    rate = sum(tax.rate for tax in taxes if tax.basis == "profit" and tax.cost)
    spared = np.zeros((lifetime.size, len(problem.years)))
    for built in range(len(problem.years)):
        for now in range(built, len(problem.years)):
            spared[:, built] += np.where(problem.stands(built, now), problem.worth[now] * rate / lifetime, 0.0)
    return spared


def grants(problem: YearsProblem) -> tuple[Floats, Floats]:
    """Return which share of the capital built in each year is paid for, and million CNY for each unit (both P, Y)."""
    paid = [subsidies_of(year.network) for year in problem.years]
    return np.stack([one.share for one in paid], axis=1), np.stack([one.per_built for one in paid], axis=1)


def granted(problem: YearsProblem, built: Floats, capacity: Floats) -> Floats:
    """Return what is paid of the capital of what is built, million CNY (B, Y).

    Parameters
    ----------
    problem : YearsProblem
    built, capacity : ndarray
        Units and size built in each way and year (B, Y), as in `YearsSolution`.
    """
    share, each = (part[problem.builds.plant] for part in grants(problem))
    capital = problem.builds.fixed[:, None] * built + problem.builds.slope[:, None] * capacity
    return np.asarray(share * capital + each * built, dtype=np.float64)


def capital_costs(problem: YearsProblem, spent: Floats, left: Floats) -> tuple[Floats, Floats]:
    """Return the cost in the objective of a unit built and of a main unit of its size, in each year, CNY (both B, Y).

    With K the capital of a unit and G what subsidies pay of it, the cost is (spent - left) K - spent G less the taxes
    that depreciating K - G spares: what is paid for is neither spent nor worn down by its owner, but stands.

    Parameters
    ----------
    problem : YearsProblem
    spent, left : ndarray
        As of `worth_of_capital` (P, Y).
    """
    builds, spared = problem.builds, tax_spared(problem)
    share, each = (part[builds.plant] for part in grants(problem))
    own, paid = (spent - left - spared)[builds.plant], (spent - spared)[builds.plant]
    cost = MILLION * (own - paid * share)
    return cost * builds.fixed[:, None] - MILLION * paid * each, cost * builds.slope[:, None]


def yearly_costs(network: Network, rate: float) -> tuple[Floats, Floats]:
    """Return the yearly cost of building all units of each plant, and of a main unit of its size, CNY (both P,).

    Capital less what subsidies pay of it, times the capital recovery factor; 0 for plants that stand.
    """
    plants, paid = network.plants, subsidies_of(network)
    new = plants.status != EXISTING
    yearly = np.where(new, MILLION * recovery_factor(rate, plants.lifetime), 0.0)
    fixed, slope = np.nan_to_num(plants.capex_fixed), np.nan_to_num(plants.capex_slope)
    return yearly * ((1.0 - paid.share) * fixed - paid.per_built * plants.units), yearly * (1.0 - paid.share) * slope
