"""The small park redesigned under many conditions, each with its outcome known beforehand."""

import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cyclopolis.design import Design, DesignOptions, pose, solve_problem
from cyclopolis.design.conflict import explain_clash
from cyclopolis.design.engine import design
from cyclopolis.design.money import recovery_factor
from cyclopolis.design.pose import limit_rows
from cyclopolis.design.recheck import check_design
from cyclopolis.design.solve import solve_elastic, solve_years
from cyclopolis.examples import example
from cyclopolis.foundation.numbers import quantity_text
from cyclopolis.foundation.problems import UserError
from cyclopolis.industry import balance
from cyclopolis.plan import read_plan

QUICK = read_plan(example("quickstart"))
WATER = 2_820_000.0
"""Freshwater of the base year, m3: 1.2 million MWh at 2.35 m3 each; the mill takes none."""


def with_rows(plan, name: str, *rows: dict[str, object], keep: bool = False):
    """Return the plan with a table's rows replaced (or some added)."""
    schema = plan.tables[name].schema
    new = pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)
    table = pl.concat([plan.tables[name], new]) if keep else new
    return replace(plan, tables={**plan.tables, name: table})


def with_values(plan, name: str, key: str, item: str, **values: object):
    """Return the plan with some columns of one row changed."""
    table = plan.tables[name]
    here = pl.col(key) == item
    changed = {
        column: pl.when(here).then(pl.lit(value, dtype=table.schema[column])).otherwise(pl.col(column))
        for column, value in values.items()
    }
    return replace(plan, tables={**plan.tables, name: table.with_columns(**changed)})


FREE = with_rows(QUICK, "limits")
"""The park without any limit."""


@pytest.fixture(scope="module")
def done():
    return design(QUICK)


@pytest.fixture(scope="module")
def unlimited():
    return design(FREE)


def place(result: Design, column: str = "after") -> dict[str, float]:
    table = result.tables["accounts"].filter(pl.col("scope_kind") == "place")
    return dict(table.select("quantity", column).iter_rows())


def built(result: Design) -> set[str]:
    return set(result.tables["builds"]["plant"])


def activity(result: Design, plant: str) -> float:
    return result.tables["plants"].filter(pl.col("plant") == plant)["after"].item()


# Limits: which rows hold


def test_the_latest_row_up_to_the_year_holds_for_its_place_and_quantity():
    plan = with_rows(
        QUICK,
        "limits",
        {"scope": "park", "quantity": "water", "max": 9e6},
        {"scope": "park", "quantity": "water", "year": 2026, "max": 8e6},
        {"scope": "park", "quantity": "water", "year": 2030, "max": 7e6},
        {"scope": "cement_site", "quantity": "water", "year": 2025, "max": 6e6},
        {"quantity": "water", "max": 5e6},
        {"scope": "park", "quantity": "so2", "min": 1.0, "max": 400.0},
        {"scope": "park", "quantity": "so2", "year": 2027, "max": 300.0},
    )

    def bounds(year):
        rows = limit_rows(plan, year).filter(pl.col("origin") == "limits")
        return {
            (scope, quantity, kind): bound
            for scope, quantity, kind, bound in rows.select("scope", "quantity", "kind", "bound").iter_rows()
        }

    assert bounds(2024) == {
        ("park", "water", "max"): 9e6,
        (None, "water", "max"): 5e6,
        ("park", "so2", "min"): 1.0,
        ("park", "so2", "max"): 400.0,
    }
    # The newer row of SO2 takes the place of the older one whole, its least too.
    assert bounds(2028) == {
        ("park", "water", "max"): 8e6,
        ("cement_site", "water", "max"): 6e6,
        (None, "water", "max"): 5e6,
        ("park", "so2", "max"): 300.0,
    }
    assert bounds(2030)["park", "water", "max"] == bounds(2045)["park", "water", "max"] == 7e6


@pytest.mark.parametrize(("free_land", "expected"), [(2.9, False), (3.0, True)])
def test_land_of_a_place_bounds_what_is_built_there(free_land, expected):
    result = design(with_values(FREE, "sites", "site", "park", developable_ha=free_land))
    assert ("bricks" in built(result)) is expected
    row = result.tables["limits"].filter((pl.col("scope") == "park") & (pl.col("quantity") == "land"))
    assert row["after"].item() == pytest.approx(3.0 if expected else 0.0)
    assert row["binding"].item() is expected
    assert row["slack"].item() == pytest.approx(0.0 if expected else 2.9)


@pytest.mark.parametrize(("budget", "expected"), [(25.4, False), (25.6, True)])
def test_a_budget_of_the_whole_plan_bounds_capital(budget, expected):
    result = design(with_rows(QUICK, "limits", {"quantity": "budget", "max": budget}))
    assert ("bricks" in built(result)) is expected
    assert place(result)["budget"] <= budget * (1 + 1e-9)
    assert place(result)["budget"] == pytest.approx(result.tables["builds"]["capex"].sum(), abs=1e-9)


def test_a_limit_on_a_place_inside_counts_only_what_is_inside(unlimited):
    inside = design(with_rows(QUICK, "limits", {"scope": "cement_site", "quantity": "water", "max": 0.0}))
    assert inside.facts["objective"] == pytest.approx(unlimited.facts["objective"], rel=1e-9)
    row = inside.tables["limits"].filter(pl.col("quantity") == "water")
    assert row.select("before", "after").row(0) == (0.0, 0.0)


def test_water_that_just_suffices_keeps_the_power_station_from_growing(unlimited):
    assert place(unlimited)["water"] > WATER
    result = design(with_rows(QUICK, "limits", {"scope": "park", "quantity": "water", "max": WATER}))
    assert place(result)["water"] == pytest.approx(WATER, rel=1e-9)
    assert activity(result, "power") == pytest.approx(1_200_000.0)
    row = result.tables["limits"].filter(pl.col("quantity") == "water")
    assert row["binding"].item()
    assert result.facts["objective"] < unlimited.facts["objective"]
    assert check_design(QUICK, result) == ()


def test_a_least_of_jobs_is_kept_at_a_price(unlimited):
    least = place(unlimited)["jobs"] + 1.0
    result = design(with_rows(QUICK, "limits", {"scope": "park", "quantity": "jobs", "min": least}))
    assert place(result)["jobs"] >= least * (1 - 1e-6)
    assert result.facts["objective"] < unlimited.facts["objective"]
    row = result.tables["limits"].filter(pl.col("quantity") == "jobs").row(0, named=True)
    assert row["kind"] == "min"
    assert row["slack"] == pytest.approx(row["after"] - least)


# Limits that clash


def clash_of(plan) -> tuple[list[str], list[str]]:
    with pytest.raises(UserError) as caught:
        design(plan)
    problems = caught.value.problems
    return [one.render("en") for one in problems], [one.render("zh") for one in problems]


def said(value: float, unit: str) -> list[str]:
    return [quantity_text(value, unit, "en"), quantity_text(value, unit, "zh")]


@pytest.mark.parametrize("scope", ["park", None])
def test_too_little_water_lacks_what_the_base_year_takes_beyond_it(scope):
    plan = with_rows(QUICK, "limits", {"scope": scope, "quantity": "water", "max": 2_000_000.0})
    posed = pose(plan, DesignOptions())
    at = posed.rows["quantity"].to_list().index("water")
    assert solve_problem(posed.problem, elastic=True).excess[at] == pytest.approx(WATER - 2e6, rel=1e-6)
    english, chinese = clash_of(plan)
    assert len(english) == 2
    for text, lacking, needed in zip(
        (english[1], chinese[1]), said(WATER - 2e6, "m3/a"), said(WATER, "m3/a"), strict=True
    ):
        assert lacking in text
        assert needed in text
    assert ("Quickstart Park lacks" if scope else "The whole plan lacks") in english[1]
    assert ("入门示例园区" if scope else "整个规划") in chinese[1]


def test_two_limits_that_clash_are_both_named():
    plan = with_rows(
        QUICK,
        "limits",
        {"scope": "park", "quantity": "water", "max": 2_500_000.0},
        {"scope": "park", "quantity": "so2", "max": 100.0},
    )
    english, _ = clash_of(plan)
    # 1.2 million MWh emit 0.15 kg of SO2 each: 180 t.
    lacking = {"water": quantity_text(WATER - 2.5e6, "m3/a", "en"), "so2": quantity_text(80.0, "t/a", "en")}
    assert len(english) == 3
    assert any(lacking["water"] in text for text in english)
    assert any(lacking["so2"] in text and "sulphur dioxide" in text for text in english)


CLASHES = {
    "sell_max": ({"commodity": "cement", "year": 2027, "sell_price": 330.0, "sell_max": 400_000.0}, 100_000.0),
    "buy_max": ({"commodity": "clinker", "year": 2027, "buy_price": 270.0, "buy_max": 300_000.0}, 90_000.0),
    "sell_min": ({"commodity": "brick", "year": 2027, "sell_price": 360.0, "sell_min": 45_000.0}, 15_000.0),
}


@pytest.mark.parametrize("kind", CLASHES)
def test_a_market_that_clashes_is_named_with_the_amount_that_lacks(kind):
    row, lacking = CLASHES[kind]
    plan = with_rows(FREE, "markets", row, keep=True)
    found = solve_problem(pose(plan, DesignOptions()).problem, elastic=True)
    assert np.abs(found.market_excess).max() == pytest.approx(lacking, rel=1e-6)
    assert np.abs(found.port_excess).max() == pytest.approx(0.0, abs=1e-3)
    english, chinese = clash_of(plan)
    unit = dict(QUICK.library.commodities.select("commodity", "unit").iter_rows())[row["commodity"]]
    texts = said(lacking, f"{unit}/a")
    assert len(english) == 2
    assert kind in english[1]
    assert kind in chinese[1]
    assert texts[0] in english[1]
    assert texts[1] in chinese[1]


def test_a_least_beyond_reach_says_what_can_be_reached():
    reach = pose(with_rows(QUICK, "limits", {"quantity": "jobs", "min": 1e4}), DesignOptions())
    _, (elastic,) = solve_elastic(reach.whole)
    lacking = -float(elastic.excess[reach.year_rows[0]["quantity"].to_list().index("jobs")])
    free = pose(with_rows(QUICK, "limits"), DesignOptions(gap=1e-9))
    jobs, whole = free.forms[-1]["jobs"], free.whole
    nothing = np.zeros_like(whole.built_cost)
    most = replace(whole, years=(replace(whole.years[0], gain=jobs),), built_cost=nothing, capacity_cost=nothing)
    reached = jobs.value(solve_years(most).flows[-1])
    assert lacking == pytest.approx(1e4 - reached, rel=1e-6)
    text = explain_clash(reach).problems[1].render("en")
    assert quantity_text(lacking, "jobs", "en").split()[0] in text


# What stands, what is decided, what may come


def test_a_plant_run_beyond_its_capacity_in_the_base_year_stays_where_it_is():
    plan = with_values(QUICK, "plants", "plant", "power", capacity=1_000_000.0)
    result = design(plan)
    assert result.facts["status"] == "optimal"
    assert activity(result, "power") == pytest.approx(1_200_000.0)
    assert check_design(plan, result) == ()


def test_a_plant_of_unknown_capacity_does_not_grow():
    plan = with_values(QUICK, "plants", "plant", "power", capacity=None)
    assert activity(design(plan), "power") == pytest.approx(1_200_000.0)


@pytest.mark.parametrize(
    ("may_close", "clinker", "expected"), [(True, 900.0, 0.0), (False, 900.0, 500_000.0), (True, 270.0, 500_000.0)]
)
def test_a_plant_closes_only_when_it_may_and_when_it_loses(may_close, clinker, expected):
    plan = with_values(QUICK, "plants", "plant", "mill", may_close=may_close)
    plan = with_values(plan, "markets", "commodity", "clinker", buy_price=clinker)
    result = design(plan)
    assert activity(result, "mill") == pytest.approx(expected)
    assert check_design(plan, result) == ()


@pytest.mark.parametrize(("status", "expected"), [("planned", True), ("candidate", False)])
def test_a_planned_plant_is_built_though_it_loses_and_a_candidate_is_not(status, expected):
    result = design(with_values(FREE, "plants", "plant", "bricks", status=status, capex=900.0))
    assert ("bricks" in built(result)) is expected
    if expected:
        row = result.tables["builds"].row(0, named=True)
        assert (row["status"], row["capex"]) == ("planned", 900.0)
        assert result.facts["objective"] < 0


@pytest.mark.parametrize(("start", "expected"), [(2028, True), (2029, False)])
def test_what_may_not_be_built_before_the_year_is_left_out_and_said(start, expected):
    plan = with_values(FREE, "plants", "plant", "bricks", build_from=start, build_until=2040)
    result = design(plan)
    assert ("bricks" in built(result)) is expected
    reasons = result.tables["unknowns"].filter(pl.col("plant") == "bricks")["reason"].to_list()
    assert reasons == ([] if expected else ["candidate_too_late"])
    assert "bricks" in built(design(plan, DesignOptions(year=start)))


def test_what_was_built_in_its_time_stands_later():
    plan = with_values(FREE, "plants", "plant", "bricks", build_from=2024, build_until=2026)
    assert "bricks" in built(design(plan))


def test_a_group_that_excludes_each_other_builds_one_even_of_planned_plants():
    twin = QUICK.tables["plants"].filter(pl.col("plant") == "bricks").to_dicts()[0]
    plan = with_rows(FREE, "plants", {**twin, "plant": "bricks2", "capacity": 20_000.0}, keep=True)
    both = design(plan)
    assert both.facts["status"] == "optimal"
    pair = [{"group": "one", "plant": name} for name in ("bricks", "bricks2")]
    apart = design(with_rows(plan, "exclusions", *pair))
    assert len(built(apart) & {"bricks", "bricks2"}) == 1
    assert apart.facts["objective"] <= both.facts["objective"] * (1 + 1e-9)
    planned = plan.tables["plants"].with_columns(
        status=pl.when(pl.col("plant").str.starts_with("bricks")).then(pl.lit("planned")).otherwise("status")
    )
    decided = replace(plan, tables={**plan.tables, "plants": planned})
    assert built(design(decided)) >= {"bricks", "bricks2"}
    assert len(built(design(with_rows(decided, "exclusions", *pair))) & {"bricks", "bricks2"}) == 1


# Capital


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.06, 0.12])
@pytest.mark.parametrize("years", [1.0, 20.0, 35.0])
def test_the_recovery_factor_is_the_closed_formula(rate, years):
    expected = 1 / years if rate == 0 else rate / (1 - (1 + rate) ** -years)
    assert recovery_factor(rate, np.array([years]))[0] == pytest.approx(expected, rel=1e-12)


def test_capital_of_a_library_plant_is_its_scale_curve_at_both_ends_and_close_between():
    network = pose(FREE, DesignOptions()).network
    at = network.plant_ids.index("new:gypsum_powder_fgd@park")
    plants = network.plants
    sizes = np.linspace(plants.capacity_min[at], plants.capacity[at], 41)
    # 80 million CNY for 300,000 t with exponent 0.65.
    curve = 80.0 * (sizes / 300_000.0) ** 0.65
    chord = plants.capex_fixed[at] + plants.capex_slope[at] * sizes
    assert (sizes[0], sizes[-1]) == (60_000.0, 300_000.0)
    assert chord[[0, -1]] == pytest.approx(curve[[0, -1]], rel=1e-12)
    assert (chord <= curve * (1 + 1e-12)).all()
    assert 0.0 < (1 - chord / curve).max() < 0.08


def test_yearly_capital_of_a_build_is_its_capital_times_the_factor(done):
    row = done.tables["builds"].row(0, named=True)
    # 25.49 million CNY over the 20 years assumed at 6 per cent.
    assert row["capex_per_year"] == pytest.approx(1e6 * row["capex"] * 0.06 / (1 - 1.06**-20), rel=1e-12)
    assert done.facts["capital_cny_per_year"] == pytest.approx(row["capex_per_year"])
    short = design(with_values(FREE, "plants", "plant", "bricks", lifetime=10.0))
    row = short.tables["builds"].filter(pl.col("plant") == "bricks").row(0, named=True)
    assert row["capex_per_year"] == pytest.approx(1e6 * row["capex"] * 0.06 / (1 - 1.06**-10), rel=1e-12)


# Hoped-for exchanges


def test_each_reason_why_a_hoped_for_exchange_cannot_be():
    hoped = {
        ("power", "nobody", "fly_ash", None): "not_considered",
        ("mill", "power", "fly_ash", None): "giver_lacks",
        ("power", "mill", "fly_ash", "lime"): "taker_lacks",
        ("power", "mill", "heat_lowtemp", None): "no_rule",
        ("power", "mill", "fly_ash", None): "found",
    }
    names = ("from_plant", "to_plant", "commodity", "as_commodity")
    rows = [{**dict(zip(names, key, strict=True)), "status": "proposed"} for key in hoped]
    result = design(with_rows(QUICK, "exchanges", *rows))
    table = result.tables["proposed"]
    assert table["status"].to_list() == list(hoped.values())
    assert table["found"].to_list() == [0.0, 0.0, 0.0, 0.0, 45_000.0]
    assert table["break_even"].is_null().all()


def test_a_long_way_breaks_even_at_what_transport_costs_beyond_the_prices():
    far = with_values(FREE, "sites", "site", "cement_site", lon=124.0, lat=46.0)
    row = design(far).tables["proposed"].row(0, named=True)
    network = pose(far, DesignOptions()).network
    giver, taker = (network.ports.plant[end] for end in (network.arcs.giver, network.arcs.taker))
    ash = network.ports.commodity[network.arcs.giver] == network.commodity_ids.index("fly_ash")
    arc = np.flatnonzero((giver == network.plant_ids.index("power")) & (taker == network.plant_ids.index("mill")) & ash)
    # Ash bought elsewhere costs the mill 60; a tonne less to dump spares the power station 25.
    assert row["status"] == "not_chosen"
    # What is bought spares surcharges (1.56 %) when it is not, and a quarter of what is lost is not taxed.
    lost = network.arcs.cost[arc].min() - 60.0 * (1 - 0.0156) - 25.0
    assert row["break_even"] == pytest.approx(0.75 * lost, rel=1e-6)


def test_a_pair_that_the_plan_names_is_looked_at_beyond_the_reach_of_its_mode():
    near = QUICK.library.transport.with_columns(reach_km=pl.lit(3.0))
    plan = replace(FREE, library=replace(FREE.library, transport=near))
    result = design(plan)
    assert result.tables["proposed"]["status"].to_list() == ["found"]
    joined = result.tables["exchanges"].filter(pl.col("to_plant") == "mill")
    # The gypsum and power that nobody named stay within 3 km.
    assert joined["commodity"].to_list() == ["fly_ash"]


def test_what_no_budget_pays_for_is_impossible():
    row = {"from_plant": "power", "to_plant": "bricks", "commodity": "fly_ash", "status": "proposed"}
    plan = with_rows(with_rows(QUICK, "exchanges", row), "limits", {"quantity": "budget", "max": 1.0})
    table = design(plan).tables["proposed"]
    assert table.select("status", "found", "forced", "break_even").row(0) == ("impossible", 0.0, None, None)


def test_a_break_even_is_what_it_takes_to_build_for_the_exchange():
    row = {"from_plant": "power", "to_plant": "bricks", "commodity": "fly_ash", "status": "proposed"}
    plan = with_values(with_rows(FREE, "exchanges", row), "plants", "plant", "bricks", capex=200.0)
    answer = design(plan).tables["proposed"].row(0, named=True)
    assert answer["status"] == "not_chosen"
    assert answer["forced"] == pytest.approx(48_000.0)
    posed = pose(plan, DesignOptions(gap=1e-9))
    network = posed.network
    ends = (network.plant_ids.index("power"), network.plant_ids.index("bricks"))
    arcs = np.flatnonzero(
        (network.ports.plant[network.arcs.giver] == ends[0])
        & (network.ports.plant[network.arcs.taker] == ends[1])
        & (network.ports.commodity[network.arcs.giver] == network.commodity_ids.index("fly_ash"))
    )
    for share, expected in ((0.999, 0.0), (1.001, 1.0)):
        paid = posed.problem.gain.arc.copy()
        paid[arcs] += share * answer["break_even"]
        problem = replace(posed.problem, gain=replace(posed.problem.gain, arc=paid))
        assert solve_problem(problem).flows.built[ends[1]] == expected


# The base state


MEASURED = """plant,direction,commodity,amount,uncertainty_pct,year,source
power,out,fly_ash,112000,3,2023,assumed: for this test
power,in,steam_coal,520000,2,2023,assumed: for this test
power,out,electricity,1190000,0.5,2023,assumed: for this test
"""


def test_before_is_the_reconciled_base_year_of_the_balance(tmp_path):
    shutil.copytree(example("quickstart"), tmp_path / "plan")
    (tmp_path / "plan" / "measurements.csv").write_text(MEASURED, encoding="utf-8")
    plan = read_plan(tmp_path / "plan")
    result, found = design(plan), balance(plan)
    keys = ["scope_kind", "scope", "quantity"]
    both = result.tables["accounts"].join(found.tables["accounts"], on=keys, how="inner")
    both = both.filter(pl.col("before").is_not_null() & pl.col("value").is_not_null())
    assert both.height > 100
    size = pl.max_horizontal(pl.col("value").abs(), 1.0)
    assert both.filter((pl.col("before") - pl.col("value")).abs() > 1e-9 * size).is_empty()
    assert place(result, "before")["water"] != pytest.approx(WATER, rel=1e-6)
    assert check_design(plan, result) == ()


# What is shown


def test_saved_tables_of_two_runs_are_the_same_bytes(done, tmp_path):
    done.save(tmp_path / "one")
    design(QUICK).save(tmp_path / "two")
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.parquet"))
    assert len(files) == len(done.tables)
    for path in files:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes(), path


@pytest.mark.parametrize("seed", [1, 2])
def test_rows_in_any_order_give_the_same_tables(done, seed):
    shuffled = {name: table.sample(fraction=1.0, shuffle=True, seed=seed) for name, table in QUICK.tables.items()}
    again = design(replace(QUICK, tables=shuffled))
    for name, table in done.tables.items():
        assert again.tables[name].equals(table), name


def test_the_summary_says_what_the_tables_add_up_to(done):
    lines = {line.name.key.removeprefix("design."): line for line in done.summary()}
    builds, exchanges, flows = (done.tables[name] for name in ("builds", "exchanges", "flows"))
    assert lines["line_capital"].value == pytest.approx(builds["capex"].sum())
    assert lines["line_builds"].value == builds.height
    assert lines["line_exchanges"].value == exchanges.filter(pl.col("after") > 0).height
    assert lines["line_new_exchanges"].value == exchanges.filter(pl.col("before") == 0).height
    assert lines["line_binding"].value == done.tables["limits"]["binding"].sum()
    economy = done.tables["dimensions"].filter(pl.col("dimension") == "economy")
    assert lines["line_objective"].value == pytest.approx(economy["contribution"].sum())
    capital = economy.filter(pl.col("part") == "capital")["contribution"].sum()
    assert capital == pytest.approx(-builds["capex_per_year"].sum())
    landfilled = flows.filter(pl.col("kind") == "landfill")["mass_t"].sum()
    assert lines["change_landfill"].value == pytest.approx(landfilled - place(done, "before")["landfill"])
    accounts = done.tables["accounts"].filter((pl.col("scope") == "power") & (pl.col("quantity") == "jobs"))
    more = accounts["before"].item() * (activity(done, "power") / 1_200_000.0 - 1)
    assert lines["change_jobs"].value == pytest.approx(builds["jobs"].sum() + more)


@pytest.mark.parametrize(
    ("gap", "value", "unit"),
    [(0.0, 0.0, "%"), (7.6e-15, "< 0.001 %", ""), (9.9e-6, "< 0.001 %", ""), (1.1e-5, 1.1e-3, "%"), (0.02, 2.0, "%")],
)
def test_a_gap_of_rounding_is_not_written_with_its_digits(done, gap, value, unit):
    result = replace(done, facts={**done.facts, "gap": gap})
    (line,) = [line for line in result.summary() if line.name.key == "design.line_gap"]
    assert line.unit == unit
    assert line.value == (value if isinstance(value, str) else pytest.approx(value))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("state", ["before", "after"])
def test_the_network_picture_has_every_exchange_with_its_words(done, language, state):
    figure = done.figures(language)[f"exchanges_{state}"]
    texts = [text for trace in figure["data"] for text in trace.get("text", []) if "→" in text]
    rows = done.tables["exchanges"].filter(pl.col(state) > 0)
    assert len(texts) == rows.height
    column = "name_zh" if language == "zh" else "name"
    names = dict(done.tables["plants"].select("plant", column).iter_rows())
    goods = dict(done.tables["names"].filter(pl.col("kind") == "commodity").select("item", column).iter_rows())
    for row in rows.iter_rows(named=True):
        amount = quantity_text(row[state], f"{row['unit']}/a", language)
        words = (names[row["from_plant"]], names[row["to_plant"]], goods[row["commodity"]], amount)
        assert any(all(word in text for word in words) for text in texts), words


def test_bars_show_every_build_and_every_change(done):
    figures = done.figures("en")
    (bars,) = figures["builds"]["data"]
    assert bars["x"] == done.tables["builds"]["capex"].to_list()[::-1]
    (changes,) = figures["changes"]["data"]
    after, before = place(done), place(done, "before")
    shares = {round(100.0 * after[name] / before[name], 6) for name in ("water", "co2", "landfill", "jobs")}
    assert shares <= {round(share, 6) for share in changes["x"]}
    assert json.loads(json.dumps(figures["changes"])) == figures["changes"]


def test_exchanges_save_what_prices_and_transport_say(done):
    row = done.tables["exchanges"].filter((pl.col("to_plant") == "mill") & (pl.col("commodity") == "fly_ash"))
    row = row.row(0, named=True)
    # The mill pays 60 elsewhere; the power station would get 5, transport comes off.
    assert row["saving_cny"] == pytest.approx(45_000 * (60 - 5) - row["transport_cny"])
    gypsum = done.tables["exchanges"].filter((pl.col("to_plant") == "mill") & (pl.col("commodity") == "fgd_gypsum"))
    gypsum = gypsum.row(0, named=True)
    # Nobody buys gypsum; dumping it costs 25.
    assert gypsum["saving_cny"] == pytest.approx(25_000 * (60 + 25) - gypsum["transport_cny"])


# A scenario of the larger example


def test_a_cap_on_carbon_lowers_carbon_to_the_cap():
    capped = read_plan(example("changzhi"), scenario=["carbon_cap"])
    posed = pose(capped, DesignOptions(gap=0.01))
    solution = solve_problem(posed.problem)
    assert solution.status == "optimal"
    at = posed.rows["quantity"].to_list().index("co2")
    limit = posed.problem.limits[at]
    before = limit.form.by_plant(posed.network, posed.problem.base)[limit.within].sum()
    after = limit.form.by_plant(posed.network, solution.flows)[limit.within].sum()
    assert limit.upper == 18_500_000
    assert before > limit.upper
    assert after <= limit.upper * (1 + 1e-6)


# A surplus without a lawful way out


def with_sludge(plan, amount: float):
    """Return the plan with bricks that also leave dried sludge, for which there is no market, taker or fate."""
    recipes = plan.library.recipes
    row = recipes.filter((pl.col("technology") == "flyash_brick") & (pl.col("direction") == "out")).head(1)
    extra = row.with_columns(commodity=pl.lit("sludge_dry"), role=pl.lit("waste"), amount=pl.lit(amount))
    return replace(plan, library=replace(plan.library, recipes=pl.concat([recipes, extra])))


def test_a_surplus_without_a_way_out_goes_to_a_treatment_of_the_library():
    result = design(with_sludge(FREE, 0.02))
    assert {"bricks", "new:sludge_coincineration@park"} <= built(result)
    sludge = result.tables["flows"].filter((pl.col("commodity") == "sludge_dry") & pl.col("to_plant").is_not_null())
    assert sludge["to_plant"].to_list() == ["new:sludge_coincineration@park"]
    listed = result.tables["unknowns"].filter(pl.col("reason") == "treatment_assumed")
    assert listed.select("plant", "commodity").rows() == [("new:sludge_coincineration@park", "sludge_dry")]
    assert check_design(with_sludge(FREE, 0.02), result) == ()
