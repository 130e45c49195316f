"""Stock carried from year to year: by hand, against every amount on a grid, before both checkers, in a plan."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from design_networks import Plant, World, over_years
from test_design_years import BASE, RATE, discounted, random_worlds, solved, worlds

from cyclopolis.design.checker_years import check_years
from cyclopolis.design.engine import design
from cyclopolis.design.pose import DesignOptions, pose
from cyclopolis.design.recheck import check_design
from cyclopolis.design.solve import solve_years
from cyclopolis.design.stores import Stores
from cyclopolis.examples import example
from cyclopolis.network.model import EXISTING
from cyclopolis.plan import check_plan, new_plan, read_plan

MILL = Plant({"steel": 1.0, "slag": 0.2, "ore": -2.0}, capacity=100, activity=100, status=EXISTING)
EARLY = World(
    {"mill": MILL},
    buy={"ore": (3.0, np.inf)},
    sell={"steel": (50.0, 100.0)},
    fates={"slag": 5.0},
)
LATE = replace(EARLY, sell={"steel": (50.0, 100.0), "slag": (30.0, 40.0)})


def with_store(by_year, capacity=100.0, cost=1.0, kept=1.0, good="slag"):
    problem = over_years(by_year, BASE, RATE)
    network = problem.network
    (port,) = np.flatnonzero(network.ports.commodity == network.commodity_ids.index(good))
    one = np.ones(1)
    span = np.diff([*sorted(by_year), 2 * max(by_year) - sorted(by_year)[-2]])
    return replace(problem, stores=Stores(np.array([port]), capacity * one, cost * one, kept * one, span))


def test_slag_waits_for_its_buyer():
    found = solved(with_store({2025: EARLY, 2030: LATE}))
    # 20 t a year for five years, 60 t on average (20 to 100), are not dumped at 5; then 20 t more are sold at 30 a
    # year and 40 t (80 to 0) stand on average.
    expected = (20 * 5 - 60) * discounted(2025, 2030) + (20 * 30 - 40) * discounted(2030, 2035)
    assert found.objective == pytest.approx(expected)
    assert [flows.stock.sum() for flows in found.flows] == pytest.approx([20.0, -20.0])


def test_what_is_stored_comes_out_before_the_end():
    found = solved(with_store(worlds(2025, 2030, world=EARLY), cost=0.0))
    # Nobody ever takes it: dumping is only put off, for what interest is worth.
    assert found.flows[1].stock.sum() == pytest.approx(-found.flows[0].stock.sum())
    assert found.objective == pytest.approx(100 * (discounted(2025, 2030) - discounted(2030, 2035)))


def test_a_feedstock_is_bought_when_it_is_cheap():
    dear = replace(EARLY, buy={"ore": (9.0, np.inf)})
    found = solved(with_store({2025: EARLY, 2030: dear}, capacity=50.0, cost=0.0, good="ore"))
    assert found.objective == pytest.approx(10 * 9 * discounted(2030, 2035) - 10 * 3 * discounted(2025, 2030))


@pytest.mark.parametrize("kept", [1.0, 0.9, 0.5])
@pytest.mark.parametrize("capacity", [15.0, 70.0])
def test_the_best_of_all_amounts_with_losses(kept, capacity):
    found = solved(with_store({2025: EARLY, 2028: LATE}, capacity=capacity, cost=2.0, kept=kept))

    def worth(into: float) -> float:
        level, levels = 0.0, []
        for _ in range(3):
            level = kept * level + into
            levels.append(level)
        if level > capacity * (1 + 1e-9):
            return -np.inf
        out = kept**3 * level / (1 + kept + kept**2)
        for _ in range(3):
            levels.append(kept * levels[-1] - out)
        first, second = np.mean(levels[:3]), np.mean(levels[3:])
        return (5 * into - 2 * first) * discounted(2025, 2028) + (30 * out - 2 * second) * discounted(2028, 2031)

    most = capacity / (1 + kept + kept**2)
    assert found.objective == pytest.approx(max(worth(into) for into in np.linspace(0.0, min(most, 20.0), 101)))


@pytest.mark.parametrize("seed", range(4))
def test_a_store_never_hurts_and_every_optimum_passes_the_checker(seed):
    plain = over_years(random_worlds(seed), BASE, RATE)
    ports = np.arange(plain.network.ports.plant.size)
    size, years = np.full(ports.size, 9.0), [year.network.year for year in plain.years]
    span = np.diff([*years, 2 * years[-1] - years[-2]])
    stored = replace(plain, stores=Stores(ports, size, 0.1 * size / 9, 1 - 0.05 * size / 9, span))
    without, found = solved_any(plain), solved_any(stored)
    assert without.status != "optimal" or found.objective >= without.objective - 1e-6


def solved_any(problem):
    status = solve_years(problem).status
    return solved(problem, status)


def test_the_checker_sees_a_store_overfull_and_one_never_emptied():
    problem = with_store({2025: EARLY, 2030: LATE})
    found = solved(problem)
    fuller = tuple(replace(flows, stock=1.5 * flows.stock) for flows in found.flows)
    assert {"store", "balance"} <= {item.kind for item in check_years(problem, replace(found, flows=fuller))}
    kept = (found.flows[0], replace(found.flows[1], stock=0.5 * found.flows[1].stock))
    assert "store" in {item.kind for item in check_years(problem, replace(found, flows=kept))}


QUICK = read_plan(example("quickstart"))


def stored_plan():
    """Return the park without limits and bricks, whose ash finds a buyer five years late."""
    tables = dict(QUICK.tables)
    for name, row in {
        "stores": {"plant": "power", "commodity": "fly_ash", "capacity": 50_000.0, "cost": 1.0, "loss_pct": 2.0},
        "markets": {"commodity": "fly_ash", "year": 2030, "sell_price": 200.0},
    }.items():
        schema = tables[name].schema
        new = pl.DataFrame([{column: row.get(column) for column in schema}], schema=schema)
        tables[name] = pl.concat([tables[name], new])
    return replace(QUICK, tables=tables, meta=replace(QUICK.meta, horizon=(2025, 2030)))


def test_a_plan_s_stores_are_filled_and_told():
    plan = stored_plan()
    result = design(plan)
    stocks = result.tables["stocks"]
    assert stocks.select("year", "plant", "commodity").rows() == [
        (2025, "power", "fly_ash"),
        (2030, "power", "fly_ash"),
    ]
    assert stocks["stored"][0] > 0 > stocks["stored"][1]
    assert stocks["stock"].to_list() == pytest.approx([50_000.0, 0.0])
    storage = result.tables["dimensions"].filter(pl.col("part") == "storage")
    assert storage["after"].to_list() == pytest.approx(stocks["cost_cny"].to_list())
    assert check_design(plan, result) == ()
    wrong = stocks.with_columns(cost_cny=pl.col("cost_cny") * 2)
    broken = check_design(plan, replace(result, tables={**result.tables, "stocks": wrong}))
    assert "storage" in {item.kind for item in broken}
    assert pose(plan, DesignOptions(year=2030)).whole.kept.port.size == 0


def test_only_what_a_plant_takes_or_gives_is_stored_beside_it(tmp_path):
    folder = tmp_path / "plan"
    new_plan(folder, "quickstart")
    (folder / "stores.csv").write_text("plant,commodity,capacity\npower,fly_ash,10\npower,brick,10\n", "utf-8")
    found = [problem.text.key for problem in check_plan(folder)]
    assert found.count("plan.stores_nothing") == 1
    (folder / "stores.csv").write_text("装置,物料,容量,贮存费\npower,fly_ash,10,2\n", "utf-8")
    assert read_plan(folder).tables["stores"].select("capacity", "cost").rows() == [(10.0, 2.0)]
