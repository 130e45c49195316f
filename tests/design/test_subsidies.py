"""Subsidies in designs: what they bring by hand, what they get built, and what leaves everything as it is."""

from dataclasses import replace

import polars as pl
import pytest
from test_design_small_plans import FREE, built, with_rows, with_values

from cyclopolis.design import DesignOptions, pose
from cyclopolis.design.assemble import assemble
from cyclopolis.design.capital import tax_spared
from cyclopolis.design.checker_years import check_years, present_value
from cyclopolis.design.engine import design
from cyclopolis.design.recheck import check_design
from cyclopolis.design.solve import solve_assembly
from cyclopolis.foundation.problems import UserError
from cyclopolis.network import dimension_forms
from cyclopolis.plan import Plan

EXACT = DesignOptions(gap=1e-9, explain=0)
YEARS = (2025, 2030)
PLANNED = with_values(FREE, "plants", "plant", "bricks", status="planned")
"""The park without limits whose brick works is built in any case."""
MILLION = 1e6


def over_years(plan: Plan) -> Plan:
    return replace(plan, meta=replace(plan.meta, horizon=YEARS))


def paid(plan: Plan, *rows: dict[str, object]) -> Plan:
    return with_rows(plan, "subsidies", *({"subsidy": f"s{at}", **row} for at, row in enumerate(rows)))


def part(result, name: str) -> float:
    table = result.tables["dimensions"].filter(pl.col("part") == name)
    return float(table["contribution"].sum())


def profit_tax(posed) -> float:
    return sum(tax.rate for tax in posed.network.factors.taxes if tax.basis == "profit" and tax.cost)


def position(posed, plant: str) -> int:
    return posed.network.plant_ids.index(plant)


@pytest.fixture(scope="module", params=[False, True], ids=["one year", "years"])
def plain(request):
    plan = over_years(PLANNED) if request.param else PLANNED
    return plan, design(plan, EXACT)


def test_what_is_paid_per_unit_is_taxed_income_of_every_year(plain):
    plan, before = plain
    after = design(paid(plan, {"technology": "flyash_brick", "per_unit": 2.0}), EXACT)
    posed = pose(plan, EXACT)
    plants = after.tables["year_plants"].filter(pl.col("plant") == "bricks").sort("year")
    gross = float((posed.whole.worth * 2.0 * plants["after"].to_numpy()).sum())
    assert gross > 0
    assert part(after, "subsidies") == pytest.approx(gross, rel=1e-9)
    assert after.facts["objective"] - before.facts["objective"] == pytest.approx(
        (1 - profit_tax(posed)) * gross, rel=1e-6
    )


@pytest.mark.parametrize(("row", "grant"), [({"capital_pct": 30.0}, None), ({"per_built": 5.0}, 5.0)])
def test_what_is_paid_of_capital_is_money_then_and_no_depreciation_later(plain, row, grant):
    plan, before = plain
    after = design(paid(plan, {"plant": "bricks", **row}), EXACT)
    posed = pose(plan, EXACT)
    at = position(posed, "bricks")
    built_then = after.tables["investments"].filter(pl.col("plant") == "bricks").row(0, named=True)
    amount = 0.3 * built_then["capex"] if grant is None else grant * built_then["units"]
    assert built_then["subsidy"] == pytest.approx(amount, rel=1e-9)
    when = posed.years.index(built_then["year"])
    gain = MILLION * amount * posed.spent[at, when]
    lost = MILLION * amount * tax_spared(posed.whole)[at, when]
    assert part(after, "capital_subsidies") == pytest.approx(gain, rel=1e-9)
    assert after.facts["objective"] - before.facts["objective"] == pytest.approx(gain - lost, rel=1e-6)


def test_parts_add_up_to_the_objective_and_the_recheck_agrees(plain):
    plan, _ = plain
    rows = {"technology": "flyash_brick", "per_unit": 1.0, "capital_pct": 10.0}, {"plant": "bricks", "per_built": 1.0}
    given = paid(plan, *rows)
    result = design(given, EXACT)
    economy = result.tables["dimensions"].filter(pl.col("dimension") == "economy")
    assert economy["contribution"].sum() == pytest.approx(result.facts["objective"], rel=1e-9)
    assert check_design(given, result) == ()
    posed = pose(given, EXACT)
    found = solve_assembly(assemble(posed.whole))
    assert check_years(posed.whole, found) == ()
    if posed.by_present_value:
        value = present_value(posed.whole, found, plan.meta.discount_rate, plan.meta.base_year)
        assert value == pytest.approx(found.objective, rel=1e-7)


def test_a_works_is_built_once_enough_of_its_capital_is_paid():
    dear = with_values(FREE, "plants", "plant", "bricks", capex=200.0)
    told = design(dear, DesignOptions(gap=1e-9)).tables["not_chosen"].row(0, named=True)
    posed = pose(dear, EXACT)
    at = position(posed, "bricks")
    kept = float(posed.spent[at, 0] - tax_spared(posed.whole)[at, 0])
    needed = 100 * told["loss"] / (MILLION * 200.0 * kept)
    assert 0 < needed < 100
    for share, chosen in ((1.01, True), (0.99, False)):
        result = design(paid(dear, {"plant": "bricks", "capital_pct": share * needed}), EXACT)
        assert ("bricks" in built(result)) is chosen


def test_what_stands_is_paid_for_what_it_makes_before_and_after_alike():
    plain, given = FREE, paid(FREE, {"technology": "coal_power", "per_unit": 1.0})
    before, after = (design(plan, EXACT) for plan in (plain, given))
    power = after.tables["plants"].filter(pl.col("plant") == "power").row(0, named=True)
    more = power["after"] - power["before"]
    assert part(after, "subsidies") == pytest.approx(1.0 * more, abs=1e-6)
    assert after.facts["objective"] >= before.facts["objective"] - 1e-3


@pytest.mark.parametrize(
    "row",
    [
        {"technology": "flyash_brick", "per_unit": 0.0},
        {"technology": "flyash_brick", "per_unit": 9.0, "until_year": 2024},
        {"technology": "flyash_brick", "per_unit": 9.0, "from_year": 2036},
        {"technology": "flyash_brick", "per_unit": 9.0, "scope": "cement_site"},
        {"plant": "mill", "capital_pct": 50.0},
    ],
    ids=["nought", "over", "not yet", "elsewhere", "standing"],
)
def test_what_does_not_hold_changes_nothing(row):
    plain, given = (design(plan, EXACT) for plan in (PLANNED, paid(PLANNED, row)))
    assert given.facts["objective"] == plain.facts["objective"]
    assert not given.tables["dimensions"]["part"].str.contains("subsid").any()
    assert given.tables["flows"].equals(plain.tables["flows"])


def test_rows_add_up_whatever_their_order():
    rows = [{"technology": "flyash_brick", "per_unit": 1.0}, {"plant": "bricks", "capital_pct": 7.0}]
    rows.append({"technology": "flyash_brick", "per_unit": 0.5, "scope": "park"})
    one = paid(PLANNED, *rows)
    turned = replace(one, tables={**one.tables, "subsidies": one.tables["subsidies"].reverse()})
    first, second = design(one, EXACT), design(turned, EXACT)
    assert first.facts["objective"] == second.facts["objective"]
    joined = paid(PLANNED, {"technology": "flyash_brick", "per_unit": 1.5}, rows[1])
    assert design(joined, EXACT).facts["objective"] == pytest.approx(first.facts["objective"], rel=1e-12)


def test_the_subsidy_and_where_it_is_from_are_a_part_of_the_economy():
    plan = paid(PLANNED, {"technology": "flyash_brick", "per_unit": 3.0, "source": "assumed: a hope"})
    found = [one for one in dimension_forms(pose(plan, EXACT).network).parts if one.name == "subsidies"]
    assert [(one.dimension, one.provenance) for one in found] == [("economy", "assumed")]


def test_more_than_a_works_costs_is_refused_by_name():
    plan = paid(PLANNED, {"plant": "bricks", "capital_pct": 80.0}, {"plant": "bricks", "per_built": 9.0})
    with pytest.raises(UserError) as caught:
        design(plan, EXACT)
    for language, word in (("en", "s0, s1"), ("zh", "s0, s1")):
        assert word in caught.value.problems[0].render(language)
    assert caught.value.problems[0].file == "subsidies.csv"


def test_a_design_read_without_subsidies_is_told_apart_by_the_recheck():
    given = paid(PLANNED, {"technology": "flyash_brick", "per_unit": 3.0})
    result = design(given, EXACT)
    assert check_design(given, result) == ()
    assert check_design(PLANNED, result) != ()
