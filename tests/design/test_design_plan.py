"""Design on plans: examples designed, checked, explained; clashes and nonsense named in the plan's words."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from cyclopolis.design import Design, DesignOptions, check_state, pose, solve_problem
from cyclopolis.design.checker import yearly_money, yearly_taxes
from cyclopolis.design.conflict import explain_clash
from cyclopolis.design.engine import design
from cyclopolis.design.figures import plant_spots
from cyclopolis.design.money import recovery_factor
from cyclopolis.design.pose import limit_rows, sites_within
from cyclopolis.design.tidy import tidy_flows
from cyclopolis.examples import example
from cyclopolis.foundation.problems import UserError
from cyclopolis.plan import read_plan


@pytest.fixture(scope="module")
def quick():
    return read_plan(example("quickstart"))


@pytest.fixture(scope="module")
def quick_design(quick):
    return design(quick)


@pytest.fixture(scope="module")
def park():
    return read_plan(example("changzhi"))


@pytest.fixture(scope="module")
def park_design(park):
    return design(park, DesignOptions(explain=0))


def with_table(plan, name: str, table: pl.DataFrame):
    return replace(plan, tables={**plan.tables, name: table})


def with_limit(plan, **row: object):
    empty = plan.tables["limits"].clear()
    filled = {column: [row.get(column)] for column in empty.columns}
    return with_table(plan, "limits", pl.DataFrame(filled, schema=empty.schema))


def test_the_partner_park_is_designed_to_a_proven_gap(park_design):
    facts = park_design.facts
    assert facts["status"] == "optimal"
    assert facts["gap"] <= facts["gap_asked"]
    assert facts["seconds"] < 60
    assert facts["objective"] > 0
    assert park_design.tables["builds"].height > 0
    assert park_design.change("waste_reused") > 0
    assert park_design.change("landfill") < 0


@pytest.mark.parametrize("name", ["quickstart", "changzhi"])
def test_every_optimum_passes_the_independent_checker(name):
    plan = read_plan(example(name))
    posed = pose(plan, DesignOptions())
    problem, network = posed.problem, posed.network
    solution = solve_problem(problem)
    flows = tidy_flows(problem, solution.flows, solution.loose)
    assert check_state(network, problem.base.activity, flows, solution.loose, problem.loose_max) == ()
    gained = yearly_money(network, flows) - yearly_money(network, problem.base)
    gained -= yearly_taxes(network, flows) - yearly_taxes(network, problem.base)
    capital = float(problem.built_cost @ flows.built + problem.capacity_cost @ flows.capacity)
    assert gained - capital == pytest.approx(solution.objective, rel=1e-6)
    for limit in problem.limits:
        value = limit.form.by_plant(network, flows)[limit.within].sum()
        assert limit.lower - 1e-6 * abs(limit.lower) <= value <= limit.upper + 1e-6 * abs(limit.upper) + 1e-9


def test_money_of_the_tables_is_the_objective(park_design):
    facts, parts = park_design.facts, park_design.tables["dimensions"]
    economy = parts.filter(pl.col("dimension") == "economy")
    assert economy["contribution"].sum() == pytest.approx(facts["objective"], rel=1e-9)
    taxes = economy.filter((pl.col("year") == facts["year"]) & pl.col("part").str.contains("tax|surcharges"))
    assert (taxes["after"] - taxes["before"]).sum() > 0
    gain = economy.filter((pl.col("year") == facts["year"]) & (pl.col("unit") == "CNY/a"))
    gain = gain.filter(pl.col("part").str.contains("tax|surcharges").not_())
    sign = pl.when(pl.col("part") == "sales").then(1.0).otherwise(-1.0)
    total = gain.select(((pl.col("after") - pl.col("before")) * sign).sum()).item()
    assert park_design.change("gain") == pytest.approx(total, rel=1e-9)
    builds = park_design.tables["builds"]
    assert park_design.change("budget") == pytest.approx(builds["capex"].sum(), rel=1e-9)
    assert facts["capital_cny_per_year"] == pytest.approx(builds["capex_per_year"].sum(), rel=1e-9)


def test_flows_of_the_tables_add_up_to_the_accounts(park_design):
    flows = park_design.tables["flows"]
    place = park_design.tables["accounts"].filter(pl.col("scope_kind") == "place")
    after = dict(place.select("quantity", "after").iter_rows())
    bought = flows.filter(pl.col("kind") == "purchase")
    assert -bought["money_cny"].sum() == pytest.approx(after["purchases"], rel=1e-9)
    assert flows.filter(pl.col("kind") == "sale")["money_cny"].sum() == pytest.approx(after["sales"], rel=1e-9)
    assert flows["transport_cny"].sum() == pytest.approx(after["transport"], rel=1e-9)
    water = bought.filter(pl.col("commodity") == "freshwater")["amount"].sum()
    assert water == pytest.approx(after["water"], rel=1e-9)
    assert flows.filter(pl.col("kind") == "landfill")["mass_t"].sum() == pytest.approx(after["landfill"], rel=1e-6)


def test_existing_plants_keep_their_output(park, park_design):
    closing = park.tables["plants"].filter(pl.col("may_close"))["plant"].to_list()
    kept = park_design.tables["plants"].filter((pl.col("status") == "existing") & pl.col("plant").is_in(closing).not_())
    assert kept.height > 20
    assert (kept["after"] >= kept["before"] * (1 - 1e-9)).all()


def test_what_the_plan_hopes_for_is_found_or_priced(park, park_design):
    table = park_design.tables["proposed"]
    wanted = park.tables["exchanges"].filter(pl.col("status") == "proposed")
    assert table.height == wanted.height
    assert table["status"].is_in(["found", "tied", "not_chosen"]).sum() > table.height / 2
    found = table.filter(pl.col("status") == "found")
    assert (found["found"] > 0).all()
    missed = table.filter(pl.col("status") == "not_chosen")
    assert (missed["break_even"] > 0).all()
    assert (missed["forced"] > 0).all()


def test_a_break_even_paid_makes_the_exchange_break_even(park, park_design):
    """Pay one unchosen exchange its break-even and a little more: forcing it in is then no loss."""
    row = (
        park_design.tables["proposed"]
        .filter((pl.col("status") == "not_chosen") & (pl.col("commodity") == "fly_ash"))
        .row(0, named=True)
    )
    posed = pose(park, DesignOptions(gap=1e-4))
    network = posed.network
    giver, taker = (network.plant_ids.index(row[end]) for end in ("from_plant", "to_plant"))
    ends = network.ports.plant[network.arcs.giver] == giver, network.ports.plant[network.arcs.taker] == taker
    same = network.ports.commodity[network.arcs.giver] == network.commodity_ids.index(row["commodity"])
    arcs = np.flatnonzero(ends[0] & ends[1] & same)
    assert row["found"] < row["forced"]
    bonus = posed.problem.gain.arc.copy()
    bonus[arcs] += 1.05 * row["break_even"] + 1.0
    paid = replace(posed.problem, gain=replace(posed.problem.gain, arc=bonus))
    assert solve_problem(paid).flows.arc[arcs].sum() >= row["forced"] * 0.999


def test_tables_are_documented_saved_and_read_back(quick_design, tmp_path):
    quick_design.save(tmp_path / "design")
    again = Design.load(tmp_path / "design")
    assert set(again.tables) == set(Design.columns())
    for name, table in quick_design.tables.items():
        assert again.tables[name].equals(table)
    assert again.facts["objective"] == quick_design.facts["objective"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_summary_and_figures_speak_both_languages(quick_design, language):
    for line in quick_design.summary():
        assert line.name.render(language)
    figures = quick_design.figures(language)
    assert set(figures) == {
        "exchanges_before", "exchanges_after", "builds", "investments", "flows_by_site", "flows_by_chain", "changes",
    }  # fmt: skip
    json.dumps(figures)
    texts = [text for trace in figures["exchanges_after"]["data"] for text in trace.get("text", []) if "→" in str(text)]
    assert len(texts) == quick_design.tables["exchanges"].filter(pl.col("after") > 0).height


def test_plants_stand_apart_on_one_ring_place_by_place(park_design):
    plants = park_design.tables["plants"]
    spots, places = plant_spots(plants)
    assert set(spots) == set(plants["plant"])
    assert set(places) == set(plants["site"])
    points = np.array(list(spots.values()))
    assert np.hypot(*points.T) == pytest.approx(1.0)
    distance = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)) + np.eye(len(points))
    assert distance.min() > 0.05
    nowhere = plants.with_columns(lon=None, lat=None).cast({"lon": pl.Float64, "lat": pl.Float64})
    assert len(set(plant_spots(nowhere)[0].values())) == plants.height


def test_the_same_plan_gives_the_same_design(quick, quick_design):
    again = design(quick)
    for name, table in quick_design.tables.items():
        assert again.tables[name].equals(table), name


def test_the_order_of_rows_changes_nothing(quick, quick_design):
    turned = replace(quick, tables={name: table.reverse() for name, table in quick.tables.items()})
    again = design(turned)
    assert again.facts["objective"] == pytest.approx(quick_design.facts["objective"], rel=1e-12)
    assert again.tables["builds"].equals(quick_design.tables["builds"])


def test_a_limit_that_cannot_hold_is_named_with_what_it_lacks(park):
    dry = with_limit(park, scope="partner_park", quantity="water", max=3e7)
    with pytest.raises(UserError) as caught:
        design(dry, DesignOptions(year=2030))
    english = [problem.render("en") for problem in caught.value.problems]
    chinese = [problem.render("zh") for problem in caught.value.problems]
    assert len(english) == 2
    assert "2030" in english[0]
    assert "Changzhi Partner Park lacks" in english[1]
    assert "m³/a" in english[1]
    assert "limits.csv" in english[1]
    assert "长治合作共生园区" in chinese[1]
    # The amount named is enough, and a little less is not.
    posed = pose(dry, DesignOptions())
    needed = 3e7 + float(
        solve_problem(posed.problem, elastic=True).excess[posed.rows["quantity"].to_list().index("water")]
    )
    assert (
        solve_problem(
            pose(
                with_limit(park, scope="partner_park", quantity="water", max=needed * 1.000001), DesignOptions()
            ).problem
        ).status
        == "optimal"
    )
    assert (
        solve_problem(
            pose(with_limit(park, scope="partner_park", quantity="water", max=needed * 0.999), DesignOptions()).problem
        ).status
        == "infeasible"
    )


def test_a_least_that_cannot_be_reached_is_named(quick):
    error = explain_clash(pose(with_limit(quick, quantity="jobs", min=1e6), DesignOptions()))
    text = error.problems[1].render("en")
    assert "The whole plan misses its least jobs" in text
    assert "limits.csv" in text


def test_a_capacity_that_was_adopted_is_named_where_it_stands(quick):
    limited = with_limit(quick, quantity="jobs", min=1e6, source="capacity river")
    problem = next(one for one in explain_clash(pose(limited, DesignOptions())).problems if one.file)
    assert (problem.file, problem.column) == ("capacities.csv", "adopt")
    own = with_limit(quick, quantity="jobs", min=1e6, source="bureau")
    problem = next(one for one in explain_clash(pose(own, DesignOptions())).problems if one.file)
    assert (problem.file, problem.column) == ("limits.csv", "min")


def test_a_budget_of_nought_builds_nothing(quick):
    result = design(with_limit(quick, quantity="budget", max=0.0))
    assert result.tables["builds"].is_empty()
    assert result.tables["limits"].filter(pl.col("quantity") == "budget")["after"].to_list() == [0.0]


def test_a_sell_minimum_that_nobody_can_make_is_named(quick):
    markets = quick.tables["markets"]
    row = markets.filter(pl.col("sell_price").is_not_null()).head(1).with_columns(sell_min=pl.lit(1e9), sell_max=None)
    others = markets.join(row, on=["commodity", "sell_price"], how="anti")
    greedy = with_table(quick, "markets", pl.concat([others, row.select(markets.columns)], how="vertical_relaxed"))
    with pytest.raises(UserError) as caught:
        design(greedy)
    assert any("sell_min" in problem.render("en") for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (DesignOptions(year=1990), "base year"),
        (DesignOptions(gap=-0.1), "gap"),
        (DesignOptions(gap=1.0), "gap"),
        (DesignOptions(time_limit=0.0), "time limit"),
    ],
)
def test_options_that_make_no_sense_are_refused_before_solving(quick, options, word):
    with pytest.raises(UserError, match=word):
        design(quick, options)


def test_a_plan_without_a_horizon_asks_for_a_year(quick):
    bare = replace(quick, meta=replace(quick.meta, horizon=()))
    with pytest.raises(UserError, match="horizon"):
        design(bare)
    assert design(bare, DesignOptions(year=quick.meta.base_year)).facts["year"] == quick.meta.base_year


def test_a_candidate_that_comes_too_late_is_left_out_and_said(park):
    plants = park.tables["plants"].with_columns(
        build_from=pl.when(pl.col("status") == "candidate").then(2050).otherwise("build_from")
    )
    posed = pose(with_table(park, "plants", plants), DesignOptions())
    late = posed.skipped.filter(pl.col("reason") == "candidate_too_late")["plant"].to_list()
    assert set(late) == set(plants.filter(pl.col("status") == "candidate")["plant"])
    assert not set(late) & set(posed.network.plant_ids)


def test_a_planned_plant_is_built_whatever_it_costs(park):
    name = park.tables["plants"].filter(pl.col("status") == "candidate")["plant"][0]
    plants = park.tables["plants"].with_columns(
        status=pl.when(pl.col("plant") == name).then(pl.lit("planned")).otherwise("status"),
        capex=pl.when(pl.col("plant") == name).then(500.0).otherwise("capex"),
    )
    posed = pose(with_table(park, "plants", plants), DesignOptions())
    solution = solve_problem(posed.problem)
    assert solution.flows.built[posed.network.plant_ids.index(name)] == 1.0


def test_the_newest_limit_that_has_begun_holds(park):
    later = limit_rows(park, 2030).filter(pl.col("quantity") == "water")["bound"].to_list()
    sooner = limit_rows(park, 2027).filter(pl.col("quantity") == "water")["bound"].to_list()
    assert (sooner, later) == ([60_000_000.0], [57_000_000.0])


def test_sites_within_a_place_nest(park):
    network = pose(park, DesignOptions()).network
    inside = {
        name for name, within in zip(network.site_ids, sites_within(network, "partner_park"), strict=True) if within
    }
    assert {"partner_park", "donggu", "lucheng"} <= inside
    assert "changzhi" not in inside
    assert sites_within(network, None).all()


def test_the_recovery_factor_pays_the_capital_off():
    factor = recovery_factor(0.08, np.array([1.0, 15.0, 30.0]))
    for share, years in zip(factor, (1, 15, 30), strict=True):
        assert sum(share / 1.08**year for year in range(1, years + 1)) == pytest.approx(1.0)
