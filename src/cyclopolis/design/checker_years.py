"""An independent look at a design over years: what `check_state` sees of each year, and what ties the years together.

Nothing of the programme is used: what stands in a year is counted build by build from lifetimes, capital is bounded and
discounted year by year, and the objective is added up again from prices.
"""

import numpy as np

from cyclopolis.design.checker import ROUNDING, Violation, check_state, yearly_money, yearly_subsidies, yearly_taxes
from cyclopolis.design.lines import LIFETIME_A
from cyclopolis.design.years import YearsProblem, YearsSolution
from cyclopolis.network.model import EXISTING, Network


def check_years(problem: YearsProblem, found: YearsSolution) -> tuple[Violation, ...]:
    """Return everything that does not hold in a solution over years, rounding apart.

    Parameters
    ----------
    problem : YearsProblem
        Only its data are read: networks, baselines, bounds, ways of building, lifetimes.
    found : YearsSolution
        The solution, tidied.

    Returns
    -------
    tuple of Violation
        Empty when all holds.
    """
    violations: list[Violation] = []
    for number, (year, flows, loose) in enumerate(zip(problem.years, found.flows, found.loose, strict=True)):
        of_year = check_state(year.network, year.base.activity, flows, loose, year.loose_max)
        violations += [
            Violation(item.kind, (str(year.network.year), *item.where), item.found, item.allowed) for item in of_year
        ]
        violations += _standing(problem, found, number)
        violations += _decided(problem, found, number)
        violations += _limits(problem, found, number)
        violations += _lines(problem, found, number)
    return (
        *violations,
        *_stores(problem, found),
        *_ways(problem, found),
        *_requirements(problem, found),
        *_choices(problem, found),
        *_capital(problem, found),
    )


def _lasting(problem: YearsProblem, found: YearsSolution, now: int) -> dict[int, tuple[float, float]]:
    """Return units and size of each new plant that stand in a year, build by build."""
    year, lifetime = problem.years[now].network.year, problem.network.plants.lifetime
    total: dict[int, tuple[float, float]] = {}
    for way, plant in enumerate(problem.builds.plant.tolist()):
        for built in range(now + 1):
            begun = problem.years[built].network.year
            if built < now and begun + float(lifetime[plant]) <= year:
                continue
            units, size = total.get(plant, (0.0, 0.0))
            total[plant] = (units + float(found.built[way, built]), size + float(found.capacity[way, built]))
    return total


def _beyond(value: float, allowed: float, size: float) -> bool:
    return value > allowed + ROUNDING * max(size, 1.0)


def _standing(problem: YearsProblem, found: YearsSolution, now: int) -> list[Violation]:
    """Compare what a year's state says stands with what was built and still lasts."""
    network, flows, wrong = problem.years[now].network, found.flows[now], []
    lasting = _lasting(problem, found, now)
    for plant, name in enumerate(network.plant_ids):
        units, size = lasting.get(plant, (0.0, 0.0))
        where = (str(network.year), name)
        if abs(float(flows.built[plant]) - units) > ROUNDING:
            wrong.append(Violation("standing", where, float(flows.built[plant]), units))
        if abs(float(flows.capacity[plant]) - size) > ROUNDING * max(size, 1.0):
            wrong.append(Violation("standing", where, float(flows.capacity[plant]), size))
        if network.plants.status[plant] != EXISTING and units > float(network.plants.units[plant]):
            wrong.append(Violation("units", where, units, float(network.plants.units[plant])))
    return wrong


def _decided(problem: YearsProblem, found: YearsSolution, now: int) -> list[Violation]:
    """Compare what is built in a year with what is decided and barred in it."""
    year, wrong = problem.years[now], []
    for plant in problem.years[0].new.tolist():
        ways = np.flatnonzero(problem.builds.plant == plant)
        built = float(found.built[ways, now].sum())
        where = (str(year.network.year), year.network.plant_ids[plant])
        if year.decided[plant] and built < 1:
            wrong.append(Violation("decided", where, built, 1.0))
        if year.barred[plant] and built > 0:
            wrong.append(Violation("barred", where, built, 0.0))
    return wrong


def _limits(problem: YearsProblem, found: YearsSolution, now: int) -> list[Violation]:
    """Count every limit of a year plant by plant."""
    year, wrong = problem.years[now], []
    for limit in year.limits:
        counted = limit.form.by_plant(year.network, found.flows[now])
        value = float(sum(counted[plant] for plant in np.flatnonzero(limit.within).tolist()))
        where = (str(year.network.year), limit.name)
        size = max(abs(value), *(abs(bound) for bound in (limit.lower, limit.upper) if np.isfinite(bound)), 1.0)
        if _beyond(value, limit.upper, size) or _beyond(limit.lower, value, size):
            wrong.append(Violation("limit", where, value, limit.upper if value > limit.upper else limit.lower))
    return wrong


def _lines(problem: YearsProblem, found: YearsSolution, now: int) -> list[Violation]:
    """Look for flows along arcs whose line does not stand."""
    wrong: list[Violation] = []
    if problem.lines is None:
        return wrong
    network = problem.years[now].network
    for arc in np.flatnonzero(problem.lines.arc_line >= 0).tolist():
        line, amount = int(problem.lines.arc_line[arc]), float(found.flows[now].arc[arc])
        there = any(
            found.lines[line, built] > 0 and problem.years[built].network.year + LIFETIME_A > network.year
            for built in range(now + 1)
        )
        if amount > ROUNDING and not there:
            plants = (network.ports.plant[end[arc]] for end in (network.arcs.giver, network.arcs.taker))
            wrong.append(Violation("line", (str(network.year), *(network.plant_ids[at] for at in plants)), amount, 0.0))
    return wrong


def _levels(problem: YearsProblem, found: YearsSolution, store: int) -> list[list[float]]:
    """Return what is in a store at the end of every calendar year, by year of the horizon."""
    stores = problem.kept
    level, levels = 0.0, list[list[float]]()
    for number, flows in enumerate(found.flows):
        levels.append([])
        net = 0.0 if flows.stock is None else float(flows.stock[stores.port[store]])
        for _ in range(int(stores.span[number])):
            level = level * float(stores.kept[store]) + net
            levels[-1].append(level)
    return levels


def _stores(problem: YearsProblem, found: YearsSolution) -> list[Violation]:
    """Fill and empty every store calendar year by calendar year: never below nought or over its size, empty at last."""
    stores, network, wrong = problem.kept, problem.network, []
    for flows in found.flows:
        away = [] if flows.stock is None else np.setdiff1d(np.flatnonzero(flows.stock), stores.port).tolist()
        wrong += [Violation("store", (network.plant_ids[network.ports.plant[port]],), 1.0, 0.0) for port in away]
    for store, port in enumerate(stores.port.tolist()):
        name = (network.plant_ids[network.ports.plant[port]], network.commodity_ids[network.ports.commodity[port]])
        size = float(stores.capacity[store])
        levels = [level for year in _levels(problem, found, store) for level in year]
        for level in levels:
            if _beyond(level, size, size) or _beyond(0.0, level, size):
                wrong.append(Violation("store", name, level, size if level > size else 0.0))
        if _beyond(levels[-1], 0.0, size):
            wrong.append(Violation("store", name, levels[-1], 0.0))
    return wrong


def _ways(problem: YearsProblem, found: YearsSolution) -> list[Violation]:
    """Look at whole numbers and sizes of every way of building."""
    builds, names, wrong = problem.builds, problem.network.plant_ids, []
    for way, plant in enumerate(builds.plant.tolist()):
        for year in range(len(problem.years)):
            units, size = float(found.built[way, year]), float(found.capacity[way, year])
            where = (str(problem.years[year].network.year), names[plant])
            if units != round(units) or units < 0:
                wrong.append(Violation("whole", where, units, round(units)))
            most, least = float(builds.largest[way]) * units, float(builds.smallest[way]) * units
            if _beyond(size, most, most) or _beyond(least, size, least):
                wrong.append(Violation("size", where, size, most if size > most else least))
    return wrong


def _requirements(problem: YearsProblem, found: YearsSolution) -> list[Violation]:
    wrong = []
    for needs, needed in problem.requires:
        for number, year in enumerate(problem.years):
            network: Network = year.network
            there = needed >= 0 and (
                network.plants.status[needed] == EXISTING or float(found.flows[number].built[needed]) > 0
            )
            if float(found.flows[number].built[needs]) > 0 and not there:
                wrong.append(Violation("requires", (str(network.year), network.plant_ids[needs]), 1.0, 0.0))
    return wrong


def _choices(problem: YearsProblem, found: YearsSolution) -> list[Violation]:
    """Count the groups of each choice of which anything is ever built."""
    wrong = []
    for groups in problem.choices:
        used = [
            group for group in groups if any(float(flows.built[plant]) > 0 for flows in found.flows for plant in group)
        ]
        if len(used) > 1:
            names = tuple(problem.network.plant_ids[group[0]] for group in used)
            wrong.append(Violation("choice", names, float(len(used)), 1.0))
    return wrong


def _spent(problem: YearsProblem, found: YearsSolution, way: int, year: int) -> float:
    """Return the capital of one way of building in one year, million CNY."""
    builds = problem.builds
    fixed, slope = float(builds.fixed[way]), float(builds.slope[way])
    return fixed * float(found.built[way, year]) + slope * float(found.capacity[way, year])


def _granted(problem: YearsProblem, found: YearsSolution, way: int, year: int) -> float:
    """Return what subsidies pay of one way of building in one year, million CNY."""
    paid, plant = problem.years[year].network.subsidies, int(problem.builds.plant[way])
    if paid is None:
        return 0.0
    share = float(paid.share[plant]) * _spent(problem, found, way, year)
    return share + float(paid.per_built[plant]) * float(found.built[way, year])


def _capital(problem: YearsProblem, found: YearsSolution) -> list[Violation]:
    wrong = []
    for bound in problem.spending:
        total = 0.0
        for way, plant in enumerate(problem.builds.plant.tolist()):
            if bound.within[plant]:
                years = range(0 if bound.total else bound.year, bound.year + 1)
                total += sum(_spent(problem, found, way, year) for year in years)
        for line, capital in enumerate(() if problem.lines is None else problem.lines.capital.tolist()):
            years = range(0 if bound.total else bound.year, bound.year + 1)
            if problem.lines is not None and bound.within[problem.lines.plant[line]]:
                total += sum(capital * float(found.lines[line, year]) for year in years)
        if _beyond(total, bound.upper, bound.upper) or _beyond(bound.lower, total, total):
            wrong.append(
                Violation("spending", (bound.name,), total, bound.upper if total > bound.upper else bound.lower)
            )
    return wrong


def present_value(problem: YearsProblem, found: YearsSolution, rate: float, base_year: int) -> float:
    """Return the net present value of a solution over its baseline, CNY, from prices, lifetimes and the discount rate.

    Every calendar year is discounted by itself: what a year of the horizon stands for earns the same in each of them;
    capital is spent, and subsidies of it are paid, when its year begins, and what is left of its lifetime at the end is
    worth its share of it.

    Parameters
    ----------
    problem : YearsProblem
        Of several years.
    found : YearsSolution
    rate : float
        Discount rate as a share.
    base_year : int
        Year that money is worth.
    """
    years = [year.network.year for year in problem.years]
    ends = [*years[1:], years[-1] + years[-1] - years[-2]]
    total = 0.0
    all_levels = [_levels(problem, found, store) for store in range(problem.kept.port.size)]
    for number, (year, flows) in enumerate(zip(problem.years, found.flows, strict=True)):
        gain = yearly_money(year.network, flows) - yearly_money(year.network, year.base)
        gain += yearly_subsidies(year.network, flows) - yearly_subsidies(year.network, year.base)
        gain -= yearly_taxes(year.network, flows, _worn(problem, found, number)) - yearly_taxes(
            year.network, year.base, 0.0
        )
        gain -= sum(
            float(problem.kept.cost[store]) * sum(levels[number]) / len(levels[number])
            for store, levels in enumerate(all_levels)
        )
        total += sum(gain / (1 + rate) ** (calendar - base_year) for calendar in range(years[number], ends[number]))
    spent = [
        (float(problem.network.plants.lifetime[plant]), [_spent(problem, found, way, at) for at in range(len(years))])
        for way, plant in enumerate(problem.builds.plant.tolist())
    ]
    for way in range(problem.builds.plant.size):
        for at, begun in enumerate(years):
            total += 1e6 * _granted(problem, found, way, at) / (1 + rate) ** (begun - base_year)
    lines = () if problem.lines is None else problem.lines.capital.tolist()
    spent += [(LIFETIME_A, (capital * found.lines[line]).tolist()) for line, capital in enumerate(lines)]
    for lifetime, capitals in spent:
        for begun, million in zip(years, capitals, strict=True):
            capital = 1e6 * million
            left = min(max((begun + lifetime - ends[-1]) / lifetime, 0.0), 1.0)
            total -= capital / (1 + rate) ** (begun - base_year)
            total += capital * left / (1 + rate) ** (ends[-1] - base_year)
    return total


def _worn(problem: YearsProblem, found: YearsSolution, now: int) -> float:
    """Return the straight-line depreciation of what stands in a year, CNY, as far as no subsidy paid for it."""
    total = 0.0
    for way, plant in enumerate(problem.builds.plant.tolist()):
        lifetime = float(problem.network.plants.lifetime[plant])
        for built in range(now + 1):
            begun, year = problem.years[built].network.year, problem.years[now].network.year
            if built == now or begun + lifetime > year:
                own = _spent(problem, found, way, built) - _granted(problem, found, way, built)
                total += 1e6 * own / lifetime
    return total
