"""The tables of a design against the plan alone: clean as designed, and every corruption noticed."""

from dataclasses import replace

import polars as pl
import pytest

from cyclopolis.design import Design, DesignOptions
from cyclopolis.design.engine import design
from cyclopolis.design.recheck import check_design
from cyclopolis.examples import example
from cyclopolis.plan import read_plan


@pytest.fixture(scope="module")
def quick():
    plan = read_plan(example("quickstart"))
    return plan, design(plan)


def with_table(result: Design, name: str, table: pl.DataFrame) -> Design:
    return replace(result, tables={**result.tables, name: table})


def kinds(plan, result) -> set[str]:
    return {violation.kind for violation in check_design(plan, result)}


@pytest.mark.parametrize("name", ["quickstart", "changzhi", "liupanshui"])
def test_the_designs_of_the_examples_hold_against_their_plans(name):
    plan = read_plan(example(name))
    plan = replace(
        plan, tables={**plan.tables, "exchanges": plan.tables["exchanges"].filter(pl.col("status") == "existing")}
    )
    assert check_design(plan, design(plan, DesignOptions(explain=0))) == ()


@pytest.mark.parametrize("kind", ["purchase", "sale", "exchange"])
def test_a_flow_made_larger_breaks_a_recipe(quick, kind):
    plan, result = quick
    flows = result.tables["flows"]
    first = flows.filter(pl.col("kind") == kind)["flow"][0]
    more = pl.when(pl.col("flow") == first).then(pl.col("amount") * 1.01 + 1).otherwise("amount")
    assert "recipe" in kinds(plan, with_table(result, "flows", flows.with_columns(amount=more)))


def test_a_flow_left_out_breaks_a_recipe(quick):
    plan, result = quick
    assert "recipe" in kinds(plan, with_table(result, "flows", result.tables["flows"].tail(-1)))


def test_a_price_made_up_breaks_the_money(quick):
    plan, result = quick
    flows = result.tables["flows"].with_columns(pl.col("money_cny") * 1.1)
    assert kinds(plan, with_table(result, "flows", flows)) == {"money"}


def test_a_standing_plant_slowed_down_and_a_build_overrun_are_found(quick):
    plan, result = quick
    standing = pl.col("status") == "existing"
    slower = result.tables["plants"].with_columns(
        after=pl.when(standing).then(pl.col("after") * 0.5).otherwise("after")
    )
    assert {"base activity", "recipe"} <= kinds(plan, with_table(result, "plants", slower))
    overrun = result.tables["builds"].with_columns(pl.col("activity") * 3)
    assert kinds(plan, with_table(result, "builds", overrun)) == {"capacity"}


def test_a_limit_overstepped_is_found(quick):
    plan, result = quick
    limits = result.tables["limits"]
    tight = limits.head(1).with_columns(
        scope=pl.lit(None, dtype=pl.String), quantity=pl.lit("budget"), kind=pl.lit("max"), bound=pl.lit(0.001)
    )
    assert kinds(plan, with_table(result, "limits", pl.concat([limits, tight]))) == {"limit"}


def test_more_sold_than_the_market_takes_is_found(quick):
    plan, result = quick
    markets = plan.tables["markets"].with_columns(
        sell_max=pl.when(pl.col("sell_price").is_not_null()).then(0.5).otherwise(None)
    )
    assert "market" in kinds(replace(plan, tables={**plan.tables, "markets": markets}), result)
