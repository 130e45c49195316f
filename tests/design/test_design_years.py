"""Designs over years: solved by hand, against every choice of builds, and what must hold whatever is chosen."""

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from design_networks import Plant, World, over_years, plant_at

from cyclopolis.design.checker import yearly_money
from cyclopolis.design.checker_years import check_years, present_value
from cyclopolis.design.lines import LIFETIME_A, Lines
from cyclopolis.design.money import capital_worth
from cyclopolis.design.problem import Limit
from cyclopolis.design.solve import solve_elastic, solve_problem, solve_years
from cyclopolis.design.tidy import tidy_years
from cyclopolis.design.years import Spending
from cyclopolis.network import best_flows, quantities
from cyclopolis.network.model import EXISTING, PLANNED

BASE, RATE = 2020, 0.08
MILL = Plant({"steel": 1.0, "slag": 0.2, "ore": -2.0}, capacity=100, activity=100, status=EXISTING)
KILN = Plant({"brick": 1.0, "slag": -1.0}, capacity=30, fixed=400.0, opex=1.0)
PARK = World(
    {"mill": MILL, "kiln": KILN},
    buy={"ore": (3.0, np.inf)},
    sell={"steel": (50.0, 100.0), "brick": (4.0, np.inf)},
    fates={"slag": 5.0},
)


def with_plants(world: World, **plants: Plant) -> World:
    return replace(world, plants={**world.plants, **plants})


def solved(problem, status="optimal"):
    """Solve, and let the independent checker look at every optimum of this file."""
    found = tidy_years(problem, solve_years(problem))
    assert found.status == status
    if status == "optimal":
        assert check_years(problem, found) == ()
        assert value(problem, found) == pytest.approx(found.objective, rel=1e-7, abs=1e-5)
    return found


def value(problem, found) -> float:
    """Return the present value of a solution, its money counted as it stands (not in millions)."""
    small = replace(
        problem, builds=replace(problem.builds, fixed=problem.builds.fixed / 1e6, slope=problem.builds.slope / 1e6)
    )
    return present_value(small, found, RATE, BASE)


def worlds(*years: int, world: World = PARK) -> dict[int, World]:
    return dict.fromkeys(years, world)


def discounted(first: int, last: int) -> float:
    return sum((1 + RATE) ** -(year - BASE) for year in range(first, last))


# By hand


def test_a_kiln_pays_over_its_years_and_is_worth_something_at_the_end():
    problem = over_years(worlds(2025, 2030), BASE, RATE)
    found = solved(problem)
    # 160 a year from 2025 to 2034; of 20 years 10 are left at the end of 2034.
    expected = 160 * discounted(2025, 2035) - 400 / 1.08**5 + 400 * 0.5 / 1.08**15
    assert found.objective == pytest.approx(expected)
    assert found.built.tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(("lifetime", "built"), [(5.0, [1.0, 1.0]), (6.0, [1.0, 0.0])])
def test_what_no_longer_stands_is_built_again(lifetime, built):
    problem = over_years(worlds(2025, 2030, world=with_plants(PARK, kiln=replace(KILN, lifetime=lifetime))), BASE, RATE)
    found = solved(problem)
    assert found.built.tolist() == [built]
    assert found.flows[1].built[plant_at(problem.network, "kiln")] == 1.0


@pytest.mark.parametrize(
    ("kiln", "built"),
    [
        (replace(KILN, build_from=2026.0), [0.0, 1.0]),
        (replace(KILN, build_until=2020.0), [0.0, 0.0]),
        (replace(KILN, build_until=2021.0), [1.0, 0.0]),
        (replace(KILN, build_from=2031.0), [0.0, 0.0]),
        (replace(KILN, status=PLANNED, fixed=1e5), [1.0, 0.0]),
        (replace(KILN, status=PLANNED, fixed=1e5, build_from=2029.0), [0.0, 1.0]),
    ],
)
def test_plants_are_built_within_their_window_and_planned_ones_in_its_first_year(kiln, built):
    found = solved(over_years(worlds(2025, 2030, world=with_plants(PARK, kiln=kiln)), BASE, RATE))
    assert found.built.tolist() == [built]


def test_a_plant_waits_for_the_year_in_which_its_product_is_wanted():
    first = replace(PARK, sell={"steel": (50.0, 100.0), "brick": (-20.0, 100.0)})
    found = solved(over_years({2025: first, 2030: PARK}, BASE, RATE))
    assert found.built.tolist() == [[0.0, 1.0]]


def test_a_standing_plant_retires_in_its_year():
    problem = over_years(
        worlds(2025, 2030, world=with_plants(PARK, mill=replace(MILL, retire_year=2030.0))), BASE, RATE
    )
    found = solved(problem)
    mill = plant_at(problem.network, "mill")
    assert [flows.activity[mill] for flows in found.flows] == [100.0, 0.0]


def test_units_are_built_one_by_one():
    kiln = replace(KILN, capacity=30, units=3, fixed=60.0)
    growing = {
        year: replace(with_plants(PARK, kiln=kiln), sell={"steel": (50.0, 100.0), "brick": (4.0, most)})
        for year, most in ((2025, 8.0), (2030, 20.0))
    }
    found = solved(over_years(growing, BASE, RATE))
    assert found.built.tolist() == [[1.0, 1.0]]
    assert [flows.capacity.max() for flows in found.flows] == [10.0, 20.0]


def test_a_loaded_plant_runs_at_least_at_its_load():
    poor = with_plants(PARK, kiln=replace(KILN, status=PLANNED, min_load=0.6, opex=30.0))
    problem = over_years(worlds(2025, 2030, world=poor), BASE, RATE)
    found = solved(problem)
    assert found.flows[0].activity[plant_at(problem.network, "kiln")] == pytest.approx(18.0)


def test_a_plant_that_needs_another_stands_only_with_it():
    both = with_plants(PARK, needed=Plant({"salt": 1.0, "ore": -1.0}, capacity=5, fixed=900.0))
    names = sorted(both.plants)
    pair = (names.index("kiln"), names.index("needed"))
    alone = solved(over_years(worlds(2025, 2030, world=both), BASE, RATE))
    tied = solved(over_years(worlds(2025, 2030, world=both), BASE, RATE, requires=(pair,)))
    barred = solved(over_years(worlds(2025, 2030, world=both), BASE, RATE, requires=((pair[0], -1),)))
    assert alone.built[:, 0].tolist() == [1.0, 0.0]
    assert tied.built.sum() in {0.0, 2.0}
    assert barred.built.sum() == 0
    assert alone.objective > tied.objective >= barred.objective


# Capital


def test_capital_of_a_free_size_follows_the_curve_within_its_error():
    kiln = Plant({"brick": 1.0, "slag": -1.0}, capacity=100, capacity_min=20, fixed=0.0, slope=10.0, exponent=0.65)
    big = replace(
        PARK,
        plants={"mill": replace(MILL, capacity=350, activity=350), "kiln": kiln},
        sell={"steel": (50.0, 350.0), "brick": (4.0, 500.0)},
    )
    costs = []
    for pieces in (1, 2, 4, 8):
        problem = over_years(worlds(2025, 2030, world=big), BASE, RATE, pieces=pieces)
        found = solved(problem)
        size = float(found.capacity[:, 0].sum())
        capital = float((problem.builds.fixed * found.built[:, 0] + problem.builds.slope * found.capacity[:, 0]).sum())
        assert found.built[:, 0].sum() == 1
        costs.append(capital / (1000 * (size / 100) ** 0.65) - 1)
    assert size == pytest.approx(70.0)
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(costs))
    assert -0.07 < costs[0] < -0.02
    assert -0.002 < costs[3] <= 0


@pytest.mark.parametrize(("total", "most", "built"), [(True, 400.0, 1), (True, 399.0, 0), (False, 399.0, 1)])
def test_budgets_of_a_year_and_of_all_years_so_far(total, most, built):
    everywhere = np.ones(2, dtype=bool)
    # The second year alone may not be dear enough: the kiln is then built in the first.
    bound = Spending("budget", everywhere, year=1, total=total, upper=most)
    found = solved(over_years(worlds(2025, 2030), BASE, RATE, spending=(bound,)))
    assert found.built.sum() == built


def test_budgets_that_clash_say_by_how_much():
    planned = with_plants(PARK, kiln=replace(KILN, status=PLANNED))
    bound = Spending("budget", np.ones(2, dtype=bool), year=1, total=True, upper=150.0)
    problem = over_years(worlds(2025, 2030, world=planned), BASE, RATE, spending=(bound,))
    assert solve_years(problem).status == "infeasible"
    spending, years = solve_elastic(problem)
    assert spending == pytest.approx([250.0])
    assert [np.abs(year.port_excess).max() for year in years] == [0.0, 0.0]


# Against every choice of builds


def random_worlds(seed: int) -> dict[int, World]:
    rng = np.random.default_rng(50 + seed)
    goods = [f"g{at}" for at in range(4)]
    plants = {}
    for at in range(5):
        chosen = [str(name) for name in rng.choice(goods, size=3, replace=False)]
        size, stands = float(rng.integers(5, 40)), at < 2
        recipe = {chosen[0]: 1.0, chosen[1]: -float(rng.integers(1, 5)) / 4, chosen[2]: float(rng.integers(1, 5)) / 8}
        plants[f"p{at}"] = Plant(
            recipe,
            capacity=size,
            activity=0.6 * size if stands else 0.0,
            status=EXISTING if stands else PLANNED if at == 4 and seed % 3 == 0 else 2,
            fixed=float(rng.integers(50, 900)),
            opex=float(rng.integers(0, 3)),
            lifetime=float(rng.integers(3, 25)),
            retire_year=2030.0 if at == 1 and seed % 2 else float("nan"),
            build_from=float(rng.integers(2018, 2028)) if at == 3 else float("nan"),
        )
    first = World(
        plants,
        buy={good: (float(rng.integers(6, 12)), np.inf) for good in goods},
        sell={good: (float(rng.integers(1, 9)), float(rng.integers(5, 60))) for good in goods},
        fates=dict.fromkeys(goods, 1.0),
        arc_cost=0.25,
        exclusions=[("p2", "p3")] if seed % 2 else (),
    )
    second = replace(first, sell={good: (price * 1.2, most * 1.5) for good, (price, most) in first.sell.items()})
    return {2024: first, 2030: second}


def every_choice(problem):
    """Yield what is built by way and year (B, Y) over all choices that windows, decisions, units and groups allow."""
    network, builds = problem.network, problem.builds
    years = range(len(problem.years))
    for choice in product((0.0, 1.0), repeat=builds.plant.size * len(years)):
        built = np.array(choice).reshape(builds.plant.size, len(years))
        fits = True
        for year in years:
            part = problem.years[year]
            fits &= bool((built[:, year] <= ~part.barred[builds.plant]).all())
            fits &= bool((built[:, year] >= part.decided[builds.plant]).all())
            stands = standing(problem, built, year)
            fits &= bool((stands <= 1).all())
            fits &= all(stands[list(group)].sum() <= 1 for group in network.exclusions)
        if fits:
            yield built


def standing(problem, built, now):
    stands = np.zeros(len(problem.network.plant_ids))
    lifetime = problem.network.plants.lifetime
    for way, plant in enumerate(problem.builds.plant):
        for year in range(now + 1):
            lasts = problem.years[year].network.year + lifetime[plant] > problem.years[now].network.year
            stands[plant] += built[way, year] * (year == now or lasts)
    return stands


@pytest.mark.parametrize("seed", range(6))
def test_random_years_agree_with_every_choice_of_builds(seed):
    problem = over_years(random_worlds(seed), BASE, RATE)
    base = sum(
        worth * yearly_money(part.network, part.base) for worth, part in zip(problem.worth, problem.years, strict=True)
    )
    known: dict[tuple[int, bytes], float] = {}

    def best(year: int, stands) -> float:
        key = (year, stands.tobytes())
        if key not in known:
            part = problem.years[year]
            least, most = part.activity_bounds()
            there = (part.network.plants.status == EXISTING) | (stands > 0)
            flows = best_flows(part.network, np.where(there, least, 0.0), np.where(there, most, 0.0))
            known[key] = yearly_money(part.network, flows)
        return known[key]

    values = [
        sum(problem.worth[year] * best(year, standing(problem, built, year)) for year in range(2))
        - float(
            (problem.built_cost * built).sum() + (problem.capacity_cost * built * problem.builds.largest[:, None]).sum()
        )
        - base
        for built in every_choice(problem)
    ]
    assert len(values) > 4
    assert solved(problem).objective == pytest.approx(max(values), rel=1e-7, abs=1e-6)


# What must hold


def test_one_year_that_stands_for_itself_is_the_problem_of_that_year():
    world = random_worlds(1)[2024]
    single = over_years({2024: world}, 2024, RATE)
    assert single.worth.tolist() == [1.0]
    found = solve_years(single)
    part = single.years[0]
    yearly = replace(part, built_cost=np.zeros(5), capacity_cost=np.zeros(5))
    yearly.built_cost[single.builds.plant] = single.built_cost[:, 0]
    assert found.objective == pytest.approx(solve_problem(yearly).objective, rel=1e-9)


def test_limits_hold_in_their_year_only():
    problem = over_years(worlds(2025, 2030, world=with_plants(PARK, kiln=replace(KILN, fixed=1e6))), BASE, RATE)
    form = quantities(problem.network)["disposal"]
    limit = Limit("disposal", form, np.ones(2, dtype=bool), upper=30.0)
    second = replace(problem, years=(problem.years[0], problem.years[1].with_limits((limit,))))
    found = solved(second)
    assert found.built.tolist() == [[0.0, 1.0]]
    assert form.value(found.flows[0]) == pytest.approx(100.0)
    assert form.value(found.flows[1]) <= 30.0


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda found: replace(found, built=np.zeros_like(found.built)), "standing"),
        (lambda found: replace(found, capacity=0.5 * found.capacity), "size"),
        (
            lambda found: replace(
                found, flows=(found.flows[0], replace(found.flows[1], activity=2 * found.flows[1].activity))
            ),
            "balance",
        ),
        (lambda found: replace(found, built=0.5 * found.built), "whole"),
        (lambda found: replace(found, flows=found.flows[::-1]), "market"),
    ],
)
def test_the_checker_sees_what_was_changed(change, kind):
    rising = {2025: replace(PARK, sell={"steel": (50.0, 100.0), "brick": (4.0, 8.0)}), 2030: PARK}
    rising = {
        year: with_plants(world, kiln=replace(KILN, capacity=30, units=3, fixed=60.0)) for year, world in rising.items()
    }
    problem = over_years(rising, BASE, RATE)
    found = solved(problem)
    assert kind in {violation.kind for violation in check_years(problem, change(found))}


def test_the_checker_sees_budgets_decisions_and_requirements():
    problem = over_years(worlds(2025, 2030), BASE, RATE)
    found = solved(problem)
    bound = Spending("budget", np.ones(2, dtype=bool), year=0, total=False, upper=399.0)
    kinds = {
        violation.kind for violation in check_years(replace(problem, spending=(bound,), requires=((0, -1),)), found)
    }
    assert kinds == {"spending", "requires"}
    year = problem.years[0]
    barred = replace(problem, years=(replace(year, barred=np.array([True, False])), problem.years[1]))
    assert {violation.kind for violation in check_years(barred, found)} == {"barred"}
    decided = replace(problem, years=(year, replace(problem.years[1], decided=np.array([True, False]))))
    assert {violation.kind for violation in check_years(decided, found)} == {"decided"}


# Lines


def with_line(problem, capital: float):
    """Return the problem in which the only arc needs a line."""
    one = np.zeros(1, dtype=np.int64)
    assert problem.network.arcs.giver.size == 1
    lines = Lines(one, one + 1, one, one, one, one, np.ones(1), np.array([capital]))
    spent, left = capital_worth(RATE, BASE, tuple(year.network.year for year in problem.years), np.array([LIFETIME_A]))
    return replace(problem, lines=lines, line_cost=capital * (spent - left))


@pytest.mark.parametrize(("capital", "built"), [(100.0, 1.0), (5000.0, 0.0)])
def test_a_line_is_laid_when_what_flows_pays_for_it(capital, built):
    problem = with_line(over_years(worlds(2025, 2030), BASE, RATE), capital)
    found = tidy_years(problem, solve_years(problem))
    assert found.lines.tolist() == [[built, 0.0]]
    assert found.built[0, 0] == built
    assert check_years(problem, found) == ()
    if built:
        left = (30 - 10) / 30
        kiln = 160 * discounted(2025, 2035) - 400 / 1.08**5 + 400 * 0.5 / 1.08**15
        assert found.objective == pytest.approx(kiln - capital / 1.08**5 + capital * left / 1.08**15)
        gone = check_years(problem, replace(found, lines=np.zeros((1, 2))))
        assert {violation.kind for violation in gone} == {"line"}


def test_capital_of_lines_counts_in_the_budget():
    bound = Spending("budget", np.ones(2, dtype=bool), year=1, total=True, upper=450.0)
    problem = over_years(worlds(2025, 2030), BASE, RATE, spending=(bound,))
    assert solve_years(with_line(problem, 50.0)).lines.sum() == 1
    assert solve_years(with_line(problem, 51.0)).lines.sum() == 0


def test_of_groups_that_are_chosen_between_one_alone_is_built():
    kiln = replace(KILN, capacity=8)
    park = with_plants(PARK, kiln=kiln, k2=replace(kiln, capacity=9), k3=replace(kiln, capacity=7))
    names = sorted(park.plants)
    first, second = (names.index("kiln"), names.index("k3")), (names.index("k2"),)
    cheap = {
        year: with_plants(world, **{name: replace(world.plants[name], fixed=50.0) for name in ("kiln", "k2", "k3")})
        for year, world in worlds(2025, 2030, world=park).items()
    }
    free = solved(over_years(cheap, BASE, RATE))
    problem = over_years(cheap, BASE, RATE, choices=((first, second),))
    found = solved(problem)
    assert free.built.sum() == 3
    assert sorted(problem.builds.plant[found.built[:, 0] > 0]) == sorted(first)
    assert {violation.kind for violation in check_years(problem, free)} == {"choice"}
