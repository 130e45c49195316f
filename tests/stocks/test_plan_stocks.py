"""Stocks in a user's plan: published numbers through a folder, uncertainty by hand, and mistakes told apart."""

import csv
import io
import math

import polars as pl
import pytest

from cyclopolis.examples import example
from cyclopolis.foundation.problems import UserError
from cyclopolis.industry import balance
from cyclopolis.industry.metabolism.plan_stocks import ITEMS
from cyclopolis.plan import check_plan, read_plan

BASE = {
    "plan.toml": 'name = "Town"\nbase_year = 2024\nhorizon = [2030]\ndiscount_rate = 0.06\n',
    "sites.csv": "site,name,parent,kind,source\ncity,City,,city,map\npark,Park,city,park,map\n",
    "plants.csv": "plant,site,technology,status,capacity,activity,source\n"
    "mill,park,cement_opc,existing,600000,500000,annual report\n",
    "markets.csv": "commodity,sell_price,source\ncement,360,quote\n",
}
D1 = [1, 3, 6, 10, 15, 20, 25, 30, 35, 40]
D2_STOCK = [
    *(0.99957094, 2.9953115, 5.96830193, 9.85008113, 14.4793678),
    *(19.60865447, 24.99043368, 30.46342411, 35.95916467, 41.45873561),
]
"""Test suite of ODYM (CC0): inflow 1 to 10, entry at the end of the year; fixed lifetime of 5, normal of 5 and 1.5."""
D2_OUTFLOW = [
    *(0.00042906, 0.00425944, 0.02700957, 0.11822079, 0.37071333),
    *(0.87071333, 1.61822079, 2.52700957, 3.50425944, 4.50042906),
]
FIXED = {"lifetime_kind": "fixed", "lifetime_mean": 5, "entry": "end"}
NORMAL = {"lifetime_kind": "normal", "lifetime_mean": 5, "lifetime_sd": 1.5, "entry": "end"}


def rows(values, life, column="inflow", first=2015, **more):
    """Return rows of one stock; what its rows share stands in the first."""
    found = [
        {"stock": "s", "commodity": "cement", "year": first + index, column: value, **more}
        for index, value in enumerate(values)
    ]
    return [{**found[0], **life}, *found[1:]]


def folder(path, table, name="stocks.csv"):
    header = list(dict.fromkeys(key for row in table for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="")
    writer.writeheader()
    writer.writerows(table)
    for file, content in {**BASE, name: text.getvalue()}.items():
        (path / file).write_text(content, encoding="utf-8")
    return path


def answer(path, table):
    return balance(read_plan(folder(path, table))).tables["stocks"]


def series(table, item, column="value"):
    return table.filter(item=item).sort("year")[column].to_list()


def keys(path, table):
    return [problem.text.key for problem in check_plan(folder(path, table)) if problem.severity == "error"]


def test_d1_fixed_lifetime(tmp_path):
    found = answer(tmp_path, rows(range(1, 11), FIXED))
    assert series(found, "stock") == D1
    assert series(found, "outflow") == [0, 0, 0, 0, 0, 1, 2, 3, 4, 5]
    assert series(found, "inflow") == list(range(1, 11))


def test_d2_normal_lifetime(tmp_path):
    found = answer(tmp_path, rows(range(1, 11), NORMAL))
    assert series(found, "stock") == pytest.approx(D2_STOCK, abs=6e-9)
    assert series(found, "outflow") == pytest.approx(D2_OUTFLOW, abs=6e-9)


def test_d3_the_stock_gives_the_inflow_back(tmp_path):
    found = answer(tmp_path, rows(D2_STOCK, NORMAL, "amount"))
    assert series(found, "inflow") == pytest.approx(range(1, 11), abs=1e-7)
    assert series(found, "outflow") == pytest.approx(D2_OUTFLOW, abs=1e-7)
    assert set(found["driven_by"]) == {"stock"}


@pytest.mark.parametrize("column", ["inflow", "amount"])
def test_what_comes_in_stands_or_goes(tmp_path, column):
    found = answer(tmp_path, rows([40, 50, 70, 75, 60, 90], NORMAL, column))
    stock = series(found, "stock")
    change = [now - before for now, before in zip(stock, [0, *stock[:-1]], strict=True)]
    assert series(found, "change") == pytest.approx(change)
    into, out = series(found, "inflow"), series(found, "outflow")
    assert [a - b for a, b in zip(into, out, strict=True)] == pytest.approx(change)


def test_units_are_brought_to_the_commodity_s(tmp_path):
    found = answer(tmp_path, rows(range(1, 11), FIXED, unit="kt"))
    assert series(found, "stock") == [1000 * value for value in D1]
    assert set(found.filter(item="stock")["unit"]) == {"t"}
    assert set(found.filter(item="inflow")["unit"]) == {"t/a"}
    (tmp_path / "again").mkdir()
    again = answer(tmp_path / "again", rows(D1, FIXED, "amount", unit="kt"))
    assert series(again, "inflow") == pytest.approx([1000 * value for value in range(1, 11)])


def test_uncertainty_of_years_adds_in_squares(tmp_path):
    found = answer(tmp_path, rows([100] * 8, FIXED, uncertainty_pct=10))
    wanted = [10 * math.sqrt(min(count, 5)) for count in range(1, 9)]
    assert series(found, "stock", "sd") == pytest.approx(wanted)
    assert series(found, "inflow", "sd") == pytest.approx([10] * 8)
    assert series(found, "outflow", "sd") == pytest.approx([0] * 5 + [10] * 3)
    last = found.filter(item="stock", year=2022).row(0, named=True)
    assert last["high95"] - last["low95"] == pytest.approx(2 * 1.959963984540054 * last["sd"])


def test_uncertainty_of_stocks_moves_the_inflow_of_two_years(tmp_path):
    life = {"lifetime_kind": "fixed", "lifetime_mean": 50, "entry": "end"}
    found = answer(tmp_path, rows([100, 120, 150], life, "amount", uncertainty_pct=1))
    assert series(found, "inflow", "sd") == pytest.approx([1, math.hypot(1, 1.2), math.hypot(1.2, 1.5)], rel=1e-6)
    assert series(found, "outflow", "sd") == pytest.approx([0, 0, 0], abs=1e-6)


def test_without_uncertainty_nothing_is_said_of_it(tmp_path):
    found = answer(tmp_path, rows([1, 2, 3], FIXED))
    assert found["sd"].null_count() == 12 - 3, "the outflow of 0 does not depend on any year"
    assert found.filter(item="stock")["low95"].null_count() == 3


def test_order_of_rows_does_not_matter(tmp_path):
    table = [*rows([5, 6, 7], FIXED), *[{**row, "stock": "r"} for row in rows([3, 2, 1], NORMAL)]]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert answer(tmp_path / "a", table).equals(answer(tmp_path / "b", table[::-1]))


def test_chinese_headers_and_words(tmp_path):
    text = "存量,物料,年份,流入,单位,寿命分布,平均寿命,进入时刻\n"
    text += "楼房,cement,2015年,2,千吨,固定,5,年末\n楼房,cement,2016,3,千吨,,,\n"
    for file, content in {**BASE, "存量.csv": text}.items():
        (tmp_path / file).write_text(content, encoding="utf-8")
    found = balance(read_plan(tmp_path)).tables["stocks"]
    assert series(found, "stock") == [2000, 5000]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"inflow": ""}, "plan.stock_neither"),
        ({"amount": 4}, "plan.stock_both"),
        ({"inflow": "", "amount": 4}, "plan.stock_mixed"),
        ({"year": 2019}, "plan.stock_gap"),
        ({"year": 2016}, "plan.duplicate_row"),
        ({"lifetime_kind": "normal"}, "plan.stock_differs"),
        ({"entry": "start"}, "plan.stock_differs"),
        ({"site": "nowhere"}, "plan.unknown_id"),
        ({"lifetime_shape": 2}, "plan.stock_parameter_extra"),
        ({"unit": "GJ"}, "plan.unit_dimension"),
        ({"inflow": -1}, "plan.below"),
    ],
)
def test_each_mistake_is_told_once(tmp_path, change, key):
    table = rows([1, 2, 3], FIXED)
    table[-1] |= change
    assert keys(tmp_path, table) == [key]


@pytest.mark.parametrize(
    ("life", "key", "column"),
    [
        ({"entry": "end"}, "plan.stock_no_lifetime", "lifetime_kind"),
        ({"lifetime_kind": "fixed", "lifetime_mean": 5}, "plan.stock_no_entry", "entry"),
        ({"lifetime_kind": "normal", "lifetime_mean": 5, "entry": "end"}, "plan.stock_parameter", "lifetime_sd"),
        ({"lifetime_kind": "weibull", "lifetime_shape": 2, "entry": "end"}, "plan.stock_parameter", "lifetime_scale"),
        (
            {"lifetime_kind": "normal", "lifetime_mean": 5, "lifetime_sd": 0, "entry": "end"},
            "plan.stock_parameter_zero",
            "lifetime_sd",
        ),
    ],
)
def test_what_a_lifetime_needs(tmp_path, life, key, column):
    (problem,) = (p for p in check_plan(folder(tmp_path, rows([1, 2], life))) if p.severity == "error")
    assert (problem.text.key, problem.column, problem.file, problem.row) == (key, column, "stocks.csv", 2)
    for language in ("en", "zh"):
        assert "{" not in problem.render(language)


def test_a_gap_names_the_years(tmp_path):
    table = rows([1, 2, 3], FIXED)
    table[-1]["year"] = 2020
    (problem,) = (p for p in check_plan(folder(tmp_path, table)) if p.severity == "error")
    assert "2017, 2018, 2019" in problem.render("en")


def test_a_stock_that_nothing_can_hold_is_named(tmp_path):
    life = {"lifetime_kind": "fixed", "lifetime_mean": 0.5, "entry": "start"}
    with pytest.raises(UserError, match="stock s cannot"):
        answer(tmp_path, rows([1, 2, 3], life, "amount"))


def test_a_falling_stock_lets_nothing_in(tmp_path):
    life = {"lifetime_kind": "fixed", "lifetime_mean": 50, "entry": "end"}
    found = answer(tmp_path, rows([10, 4, 4], life, "amount"))
    assert series(found, "inflow") == pytest.approx([10, 0, 0])
    assert series(found, "outflow") == pytest.approx([0, 6, 0])


def change_of(result):
    found = result.tables["details"].filter(account="material", item="stock_change")
    return {tuple(row[:2]): row[2] for row in found.select("scope_kind", "scope", "value").iter_rows()}


def test_the_base_year_s_change_is_in_the_accounts(tmp_path):
    bricks = [{**row, "stock": "b", "commodity": "concrete", "site": "park"} for row in rows(range(1, 11), FIXED)]
    result = balance(read_plan(folder(tmp_path, [*rows([100] * 10, FIXED), *bricks])))
    found = change_of(result)
    assert found["site", "park"] == found["site", "city"] == pytest.approx((10 - 5) * 2.38)
    assert found["place", "place"] == pytest.approx((10 - 5) * 2.38 + 0.0)
    assert {value for (kind, _), value in found.items() if kind in {"chain", "enterprise"}} <= {None}
    assert result.tables["commodities"].filter(commodity="concrete")["name"].to_list() == ["Ready-mixed concrete C30"]


def test_all_that_stood_before_is_no_change(tmp_path):
    table = rows([10, 11], FIXED, "amount", first=2024)
    assert set(change_of(balance(read_plan(folder(tmp_path, table)))).values()) == {None}


def test_a_plan_without_stocks_has_none():
    result = balance(read_plan(example("quickstart")))
    assert result.tables["stocks"].is_empty()
    assert "stocks" not in result.figures("en")
    assert set(change_of(result).values()) == {None}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_figure_draws_the_table(tmp_path, language):
    table = [{**row, "stock": "<script>"} for row in rows(range(1, 11), NORMAL, uncertainty_pct=10)]
    result = balance(read_plan(folder(tmp_path, [*table, *rows([1, 2], FIXED)])))
    figure = result.figures(language)["stocks"]
    lines = [trace for trace in figure["data"] if "name" in trace]
    assert len(lines) == 2 * 3
    assert lines[0]["y"] == pytest.approx(D2_STOCK, abs=6e-9)
    assert "<script>" not in str(figure)
    assert "&lt;script&gt;" in str(figure["layout"]["annotations"])
    bands = [trace for trace in figure["data"] if trace.get("fill") == "toself"]
    first = result.tables["stocks"].filter(stock="<script>", item="stock").sort("year")
    assert bands[0]["y"] == pytest.approx([*first["high95"].to_list(), *first["low95"].to_list()[::-1]])


def test_changzhi_s_concrete_is_assumed_and_closes():
    plan = read_plan(example("changzhi"))
    found = balance(plan).tables["stocks"]
    assert set(found["provenance"]) == {"assumed"}
    assert set(found["item"]) == set(ITEMS)
    wide = found.pivot("item", index="year", values="value").sort("year")
    assert (wide["inflow"] - wide["outflow"]).sum() == pytest.approx(wide["stock"][-1])
    assert plan.tables["stocks"].filter(pl.col("year") == plan.meta.base_year).height == 1
