"""Why a design is as it is: every explanation is put to the test by changing the plan as it says."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from test_design_small_plans import FREE, QUICK, WATER, built, with_rows, with_values

from cyclopolis.design import DesignOptions, pose, reasons
from cyclopolis.design.assemble import assemble
from cyclopolis.design.conflict import explain_unbounded
from cyclopolis.design.engine import design
from cyclopolis.design.pools import compact
from cyclopolis.design.reasons import explained
from cyclopolis.design.solve import best_answer
from cyclopolis.foundation.problems import UserError

EXACT = DesignOptions(gap=1e-9)


def watered(most: float):
    return with_rows(QUICK, "limits", {"scope": "park", "quantity": "water", "max": most})


@pytest.fixture(scope="module")
def dear():
    """Bricks of twice the capital that they would bear, so that they are not built."""
    return with_values(FREE, "plants", "plant", "bricks", capex=200.0)


@pytest.fixture(scope="module")
def without_bricks(dear):
    return design(dear, EXACT)


def test_water_that_binds_is_worth_what_a_design_with_more_of_it_brings():
    tight = design(watered(WATER), EXACT)
    row = tight.tables["limit_worth"].row(0, named=True)
    assert (row["scope"], row["quantity"], row["kind"], row["bound"]) == ("park", "water", "max", WATER)
    assert row["step"] == pytest.approx(0.01 * WATER)
    wider = design(watered(1.01 * WATER), EXACT)
    gained = (wider.facts["objective"] - tight.facts["objective"]) / (0.01 * WATER)
    assert row["stepped"] == pytest.approx(gained, rel=1e-5)
    assert gained > 0
    # the first drop is worth most: the gain falls as room grows
    little = design(watered(WATER + 10.0), EXACT)
    assert row["local"] == pytest.approx((little.facts["objective"] - tight.facts["objective"]) / 10.0, rel=1e-4)
    assert row["stepped"] <= row["local"] * (1 + 1e-6) + row["gap"] or built(wider) != built(tight)
    assert 0 <= row["gap"] < 1e-3 * gained


def test_only_limits_that_bind_are_worth_something():
    loose = design(QUICK, EXACT)
    assert not loose.tables["limits"]["binding"].any()
    assert loose.tables["limit_worth"].is_empty()


def test_a_budget_of_nought_gives_by_one_unit():
    row = design(with_rows(QUICK, "limits", {"quantity": "budget", "max": 0.0}), EXACT).tables["limit_worth"]
    assert row.select("quantity", "step", "scope").row(0) == ("budget", 1.0, None)
    # one million builds nothing here
    assert row["stepped"].item() == pytest.approx(0.0, abs=1.0)


def test_a_plant_is_chosen_just_below_the_capital_at_which_it_breaks_even(dear, without_bricks):
    row = without_bricks.tables["not_chosen"].row(0, named=True)
    assert (row["plant"], row["outcome"], row["library"]) == ("bricks", "loses", False)
    assert row["capex"] == pytest.approx(200.0)
    assert 0 < row["breakeven_capex"] < 200.0
    for share, chosen in ((0.99, True), (1.01, False)):
        plan = with_values(dear, "plants", "plant", "bricks", capex=share * row["breakeven_capex"])
        assert ("bricks" in built(design(plan, EXACT))) is chosen


def test_what_a_plant_would_lose_is_what_deciding_on_it_beforehand_loses(dear, without_bricks):
    row = without_bricks.tables["not_chosen"].row(0, named=True)
    decided = design(with_values(dear, "plants", "plant", "bricks", status="planned"), EXACT)
    assert "bricks" in built(decided)
    loss = without_bricks.facts["objective"] - decided.facts["objective"]
    assert row["loss"] == pytest.approx(loss, rel=1e-6)
    assert row["price_kind"] == "product_price"
    assert row["breakeven_price"] == pytest.approx(row["loss"] / row["activity"], rel=1e-9)


def test_a_plant_that_limits_shut_out_is_called_impossible(dear):
    plan = with_rows(dear, "limits", {"quantity": "budget", "max": 150.0})
    row = design(plan, EXACT).tables["not_chosen"].row(0, named=True)
    assert (row["plant"], row["outcome"], row["loss"]) == ("bricks", "impossible", None)


def test_the_plans_own_candidates_come_before_the_librarys(without_bricks):
    table = without_bricks.tables["not_chosen"]
    assert table["library"].to_list() == sorted(table["library"].to_list())
    assert not set(table["plant"]) & built(without_bricks)


def test_explanations_are_the_same_however_arcs_are_carried_and_however_often_they_are_asked_for(dear):
    posed = pose(with_rows(dear, "limits", {"scope": "park", "quantity": "water", "max": WATER}), EXACT)
    assembly = assemble(posed.whole)
    tables = []
    for many in (10**9, 10**9, 1):
        pools = compact(assembly, many)
        tables.append(explained(posed, pools, best_answer(pools.program, pools.goal, posed.whole.options), 4))
    for name, table in tables[0].items():
        assert table.height > 0
        assert table.equals(tables[1][name])
        numbers = [column for column, kind in table.schema.items() if kind.is_float()]
        assert table.drop(numbers).equals(tables[2][name].drop(numbers))
        for column in numbers:
            apart = tables[2][name][column].fill_null(-1.0).to_numpy()
            assert apart == pytest.approx(table[column].fill_null(-1.0).to_numpy(), rel=1e-6, abs=1e-3)


def test_without_time_what_is_not_known_is_left_open(dear, monkeypatch):
    monkeypatch.setattr(reasons, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(reasons, "TIMES", 0.0)
    assert design(dear, EXACT).tables["not_chosen"]["outcome"].unique().to_list() == ["open"]


def test_nothing_is_explained_where_nothing_is_asked(dear):
    tables = design(dear, DesignOptions(explain=0)).tables
    assert tables["not_chosen"].is_empty()


def test_what_an_exchange_saves_is_the_sum_of_what_giver_and_taker_save(without_bricks):
    table = without_bricks.tables["exchanges"]
    both = table["giver_cny"] + table["taker_cny"]
    assert both.to_numpy() == pytest.approx(table["saving_cny"].to_numpy(), rel=1e-12)
    gypsum = table.filter((pl.col("to_plant") == "mill") & (pl.col("commodity") == "fgd_gypsum")).row(0, named=True)
    # The power station need not dump it for 25, the mill not buy it for 60.
    assert gypsum["giver_cny"] == pytest.approx(25_000 * 25)
    assert gypsum["taker_cny"] == pytest.approx(25_000 * 60 - gypsum["transport_cny"])
    ash = table.filter((pl.col("to_plant") == "mill") & (pl.col("commodity") == "fly_ash")).row(0, named=True)
    # The power station gives up a sale at 5.
    assert ash["giver_cny"] == pytest.approx(-45_000 * 5)
    lines = {line.name.key: line.value for line in without_bricks.summary()}
    assert lines["design.line_saving"] == pytest.approx(table["saving_cny"].sum())


def test_a_loop_that_gains_without_end_is_told_step_by_step():
    here = pl.col("commodity") == "electricity"
    dearer = QUICK.tables["markets"].with_columns(
        sell_price=pl.when(here).then(900.0).otherwise("sell_price"),
        sell_max=pl.when(here).then(None).otherwise("sell_max"),
    )
    posed = pose(replace(FREE, tables={**FREE.tables, "markets": dearer}), DesignOptions())
    whole = assemble(posed.whole)
    # a plan's plants have capacities, so no plan is without bound: here they are lifted
    endless = replace(whole.program, upper=np.where(whole.program.integer, whole.program.upper, np.inf))
    assembly = replace(whole, program=endless)
    assert best_answer(assembly.program, assembly.goal, posed.whole.options).status == "unbounded"
    error = explain_unbounded(posed, assembly)
    english = [problem.render("en") for problem in error.problems]
    assert any("Power station buys" in text and "650" in text for text in english)
    assert any("Power station sells" in text and "900" in text for text in english)
    assert any("Power station runs without end" in text for text in english)
    chinese = " ".join(problem.render("zh") for problem in error.problems)
    assert "电厂无限运行" in chinese


def test_too_little_water_is_told_year_by_year():
    plan = with_rows(QUICK, "limits", {"scope": "park", "quantity": "water", "year": 2028, "max": 2e6})
    plan = replace(plan, meta=replace(plan.meta, horizon=(2026, 2028)))
    with pytest.raises(UserError) as caught:
        design(plan)
    told = [problem.render("en") for problem in caught.value.problems]
    assert len(told) == 2
    assert "Quickstart Park lacks 820,000 m" in told[1]
    assert "in 2028" in told[1]
