"""Rating whole places: hand-computed indicators, where values come from, and what a design changes."""

import json

import polars as pl
import pytest
import yaml
from places import PARK, place, quantities, value
from polars.testing import assert_frame_equal
from test_frameworks import OWN

from cyclopolis.foundation.problems import UserError
from cyclopolis.foundation.text import LANGUAGES
from cyclopolis.rating import Rating, rate

WASTE = {"solid_waste": 1000.0, "waste_reused": 600.0, "landfill": 400.0}


def row(rating, indicator, scope=""):
    found = rating.tables["indicators"].filter((pl.col("indicator") == indicator) & (pl.col("scope") == scope))
    assert found.height == 1
    return found.row(0, named=True)


def test_indicators_by_hand():
    plan = place(
        sites=[PARK],
        enterprises=[
            {"enterprise": "e1", "site": "park", "employees": 700.0, "output_value": 300.0},
            {"enterprise": "e2", "site": "park", "employees": 300.0, "output_value": 200.0},
        ],
        indicators=[
            value("iav", 1.2, "亿元"),  # 12,000 x 10^4 CNY
            value("isw_old_stock_utilised", 0, "t"),
            value("hitech_output", 150, "million CNY"),
            value("energy_tce", 29.3076 * 6000, "GJ"),
        ],
    )
    rating = rate(plan, quantities({**WASTE, "water": 96000.0, "energy": 1e9}))
    expected = {
        "hj274-01": 30.0,  # 150 of 500 million CNY
        "hj274-02": 12.0,  # 12,000 / 1,000 people
        "hj274-06": 60.0,
        "hj274-11": 0.5,
        "hj274-14": 8.0,
        "gp-01": 2.0,
        "gp-04": 1250.0,
        "en-k9": 60.0,
        "en-k11": 40.0,
        "cp-gz-2": 10.0,
        "hj274-28": 1000 / 12000,
    }
    for indicator, number in expected.items():
        assert row(rating, indicator)["value_before"] == pytest.approx(number), indicator
    statuses = {one: row(rating, one)["status_before"] for one in expected}
    assert statuses == {
        "hj274-01": "met",  # exactly at the mark
        "hj274-02": "not_met",
        "hj274-06": "not_met",
        "hj274-11": "met",
        "hj274-14": "met",
        "gp-01": "not_met",
        "gp-04": "not_met",
        "en-k9": "met",
        "en-k11": "met",
        "cp-gz-2": "met",
        "hj274-28": "met",
    }
    assert row(rating, "hj274-01")["origin_before"] == "hitech_output=user; industrial_output=plan"
    assert row(rating, "gp-04")["reached_before"] == pytest.approx(1250 / 1500)
    assert row(rating, "hj274-14")["threshold_provenance"] == "memory"


def test_unknown_says_what_is_missing_and_why():
    rating = rate(place(sites=[PARK], indicators=[value("iav_growth", 0, "%/a"), value("energy_growth", 3, "%/a")]))
    assert row(rating, "hj274-14")["missing_before"] == "fresh_water; iav"
    assert row(rating, "hj274-14")["reason_before"] == "missing"
    assert row(rating, "hj274-10")["status_before"] == "unknown"  # division by zero growth
    assert row(rating, "hj274-17")["missing_before"] == "hj274-17"
    assert row(rating, "ec24-05d")["reason_before"] == "task"
    assert row(rating, "ec24-05d")["missing_before"] == "ec24-05d; ec24-05d.task"
    assert row(rating, "sp-02")["reason_before"] == "case_by_case"
    assert row(rating, "cp-tf-3")["missing_before"] == "base.co2_emission; co2_emission"


def test_division_by_zero_is_unknown_with_its_reason():
    rating = rate(place(sites=[PARK], indicators=[value("firms_signed", 0, "1"), value("firms_total", 0, "1")]))
    found = row(rating, "pm-k1")
    assert (found["value_before"], found["status_before"], found["reason_before"]) == (None, "unknown", "undefined")


def test_direct_entry_goes_before_the_formula():
    plan = place(sites=[PARK], indicators=[value("hj274-06", 71, "%"), value("isw_old_stock_utilised", 0, "t")])
    rating = rate(plan, quantities(WASTE, {**WASTE, "waste_reused": 500.0}))
    found = row(rating, "hj274-06")
    assert (found["value_before"], found["status_before"], found["origin_before"]) == (71, "met", "hj274-06=user")
    assert (found["value_after"], found["status_after"]) == (pytest.approx(61), "not_met")


def test_the_engine_s_change_is_laid_over_the_user_s_value():
    plan = place(sites=[PARK], indicators=[value("fresh_water", 100, "10^4 m3"), value("iav", 10, "million CNY")])
    change = quantities(
        {"water": 9e5, **dict.fromkeys(MONEY, 0.0)}, {"water": 8e5, **dict.fromkeys(MONEY, 0.0), "sales": 1e6}
    )
    rating = rate(plan, change)
    inputs = {one["input"]: one for one in rating.tables["inputs"].iter_rows(named=True)}
    assert inputs["fresh_water"]["value_before"] == 1e6
    assert inputs["fresh_water"]["value_after"] == 9e5
    assert inputs["fresh_water"]["origin_after"] == "user+engine"
    assert inputs["iav"]["value_after"] == pytest.approx(1100)
    assert inputs["water_withdrawal"]["origin_before"] == "engine"
    assert inputs["water_withdrawal"]["value_after"] == 8e5


MONEY = ("sales", "purchases", "disposal", "transport")


def test_what_no_engine_touches_is_carried():
    rating = rate(
        place(sites=[PARK], indicators=[value("green_area", 3, "km2")]), quantities({"water": 1.0}, {"water": 1.0})
    )
    found = row(rating, "gp-26")
    assert (found["value_before"], found["value_after"]) == (30, 30)
    assert found["origin_after"] == "green_area=user; park_area=plan"


def test_a_change_larger_than_the_value_given_is_unknown_not_negative():
    plan = place(sites=[PARK], indicators=[value("isw_disposed", 10, "t")])
    rating = rate(plan, quantities({"landfill": 400.0}, {"landfill": 100.0}))
    found = row(rating, "cp-wd-1")
    assert (found["value_before"], found["value_after"]) == (10, None)
    assert "isw_disposed=exceeds" in found["origin_after"]


def test_effects_of_the_design_need_a_design():
    before = {"water": 100.0}
    assert row(rate(place(sites=[PARK]), quantities(before)), "cp-tf-2")["status_before"] == "unknown"
    found = row(rate(place(sites=[PARK]), quantities(before, {"water": 70.0})), "cp-tf-2")
    assert (found["value_after"], found["status_after"]) == (30, "reported")


def test_without_a_design_nothing_is_said_of_after():
    rating = rate(place(sites=[PARK]), quantities(WASTE))
    assert rating.facts["designed"] is False
    assert rating.tables["indicators"]["status_after"].null_count() == rating.tables["indicators"].height
    assert rating.tables["frameworks"]["met_after"].null_count() == 12


def test_the_newest_value_up_to_the_base_year_counts():
    values = [value("hj274-05", number, "count", year) for year, number in ((2022, 4), (2024, 6), (2026, 2))]
    for order in (values, values[::-1]):
        found = row(rate(place(sites=[PARK], indicators=order)), "hj274-05")
        assert (found["value_before"], found["status_before"]) == (6, "met")


def test_names_in_words_are_accepted_and_unknown_ones_noticed():
    plan = place(sites=[PARK], indicators=[value("工业增加值（可比价）", 1, "亿元"), value("happiness", 9, "1")])
    rating = rate(plan)
    inputs = {one["input"]: one["value_before"] for one in rating.tables["inputs"].iter_rows(named=True)}
    assert inputs["iav"] == 10000
    assert [notice["value"] for notice in rating.facts["notices"]] == ["happiness"]


def test_a_unit_that_does_not_fit_is_refused_with_all_others():
    plan = place(sites=[PARK], indicators=[value("iav", 1, "t"), value("fresh_water", 1, "万元")])
    with pytest.raises(UserError) as caught:
        rate(plan)
    assert len(caught.value.problems) == 2
    assert "m3/a" in str(caught.value)


def test_assumed_values_are_marked_to_the_end():
    plan = place(sites=[PARK], indicators=[value("green_area", 3, "km2", source="assumed: map")])
    assert row(rate(plan), "gp-26")["provenance_before"] == "assumed"


def test_a_gap_in_the_plan_s_sum_makes_it_unknown():
    firms = [
        {"enterprise": "e1", "site": "park", "output_value": 300.0, "employees": 5.0},
        {"enterprise": "e2", "site": "park", "output_value": None, "employees": 5.0},
    ]
    inputs = {
        one["input"]: one["value_before"]
        for one in rate(place(sites=[PARK], enterprises=firms)).tables["inputs"].iter_rows(named=True)
    }
    assert inputs["industrial_output"] is None
    assert inputs["employees"] == 10
    assert inputs["firms_total"] == 2


def test_sites_with_values_of_their_own_are_rated_apart():
    sites = [
        {"site": "city", "kind": "city"},
        {"site": "a", "parent": "city", "kind": "park", "area_km2": 1.0},
        {"site": "a1", "parent": "a", "kind": "parcel"},
        {"site": "b", "parent": "city", "kind": "park"},
    ]
    firms = [
        {"enterprise": "e1", "site": "a1", "employees": 5.0, "output_value": 1.0},
        {"enterprise": "e2", "site": "b", "employees": 7.0, "output_value": 1.0},
    ]
    plan = place(sites=sites, enterprises=firms, indicators=[value("iav", 20, "10^4 CNY", site="a")])
    rating = rate(plan, quantities({"water": 50.0}, scope="a"))
    assert rating.tables["frameworks"]["scope"].unique().sort().to_list() == ["", "a"]
    assert row(rating, "hj274-02", "a")["value_before"] == 4
    assert row(rating, "hj274-14", "a")["value_before"] == 2.5
    assert row(rating, "hj274-02")["status_before"] == "unknown"
    assert row(rating, "cp-gz-2", "a")["status_before"] == "not_met"


def test_conditions_read_choices():
    plan = place(sites=[PARK], indicators=[value("ec19-10", 41, "%"), value("terrain", 2, "1")])
    assert row(rate(plan), "ec19-10")["status_before"] == "met"  # hill: 40
    assert row(rate(plan), "ec19-10")["threshold_before"] == 40
    plan = place(sites=[PARK], indicators=[value("ec19-10", 41, "%"), value("terrain", 9, "1")])
    assert row(rate(plan), "ec19-10")["missing_before"] == "terrain"


@pytest.mark.parametrize(
    ("built", "planned", "status"),
    [(5, 5, "met"), (3, 8, "met"), (3, 7, "not_met"), (2.9, 9, "not_met")],
)
def test_area_rule_of_shandong(built, planned, status):
    plan = place(sites=[PARK], indicators=[value("built_area", built, "km2"), value("planned_area", planned, "km2")])
    assert row(rate(plan), "cp-sd-1")["status_before"] == status


@pytest.mark.parametrize(("score", "grade"), [(59.9, "A"), (60, "B"), (70, "C"), (84.9, "C"), (85, "D")])
def test_safety_grades_d_is_best(score, grade):
    rating = rate(place(sites=[PARK], indicators=[value("cp-sr-total", score, "points")]))
    assert row(rating, "cp-sr-total")["level_before"] == grade
    reached = rating.tables["levels"].filter(
        (pl.col("framework") == "chemical-park-safety") & (pl.col("reached_before") == "met")
    )
    assert reached["level"].to_list() == [grade]


def test_guiyang_s_published_figures():
    """Guiyang 2024 as its Foreign Affairs Office gives it: good air passes, park green area is just under the mark."""
    published = [
        value("good_days", 0.995 * 366, "d"),
        value("valid_days", 366, "d"),
        value("ec19-20", 14.85, "m2/person"),
    ]
    rating = rate(place(sites=[PARK], indicators=[*published, value("ec24-04a.task", 1, "1")]))
    assert row(rating, "ec24-04a")["value_before"] == pytest.approx(99.5)
    assert row(rating, "ec24-04a")["status_before"] == "met"
    assert row(rating, "ec19-20")["status_before"] == "not_met"


def test_igmc_is_shown_with_its_levels_and_stays_unknown():
    rating = rate(place(sites=[PARK]), frameworks=["igmc-3.0"])
    levels = rating.tables["levels"]
    assert levels["min_points"].to_list() == [280, 245, 210]
    assert levels["total_points"].to_list() == [320] * 3
    assert levels["reached_before"].to_list() == ["unknown"] * 3
    assert rating.tables["frameworks"]["verdict_before"].to_list() == [None]


def everything(framework_id):
    """Give every indicator of HJ 274 its best value directly."""
    from cyclopolis.library.frameworks import load_frameworks

    found = []
    for one in load_frameworks()[framework_id].indicators:
        target = one.target.cases[0].target if one.target.cases else one.target
        unit = one.unit or "1"
        found.append(value(one.id, target.value, unit))
    return [*found, value("iav_growth", 5, "%/a"), value("region", 1, "1")]


def test_a_framework_as_a_whole_is_met_by_required_items_and_groups():
    full = everything("hj-274-2015")
    rating = rate(place(sites=[PARK], indicators=full), frameworks=["hj-274-2015"])
    assert rating.tables["frameworks"]["verdict_before"].to_list() == ["met"]
    assert rating.tables["frameworks"]["met_before"].to_list() == [32]
    assert rating.tables["levels"]["reached_before"].to_list() == ["met"]
    without_optional = [one for one in full if one["name"] not in {"hj274-02", "hj274-03", "hj274-04"}]
    rating = rate(place(sites=[PARK], indicators=without_optional), frameworks=["hj-274-2015"])
    assert rating.tables["frameworks"]["verdict_before"].to_list() == ["met"]
    without_required = [one for one in full if one["name"] != "hj274-17"]
    rating = rate(place(sites=[PARK], indicators=without_required), frameworks=["hj-274-2015"])
    assert rating.tables["frameworks"]["verdict_before"].to_list() == ["unknown"]
    for failed in ("hj274-06", "hj274-07"):
        full = [{**one, "value": 1.0} if one["name"] == failed else one for one in full]
    rating = rate(place(sites=[PARK], indicators=full), frameworks=["hj-274-2015"])
    assert rating.tables["frameworks"]["verdict_before"].to_list() == ["not_met"]


def test_an_unknown_framework_is_named():
    with pytest.raises(UserError, match="green-parks"):
        rate(place(sites=[PARK]), frameworks=["green-parks", "hj-274-2015"])


def test_a_framework_added_by_one_file_is_rated(tmp_path):
    (tmp_path / "frameworks").mkdir()
    (tmp_path / "frameworks" / "own.yaml").write_text(yaml.safe_dump(OWN))
    rating = rate(place(tmp_path, sites=[PARK]), quantities({"water": 180000.0}))
    found = row(rating, "own-1")
    # the formula asks for 10^4 m3: 18 / 2,000 people
    assert found["value_before"] == pytest.approx(0.009)
    assert found["status_before"] == "met"
    assert rating.tables["frameworks"].filter(framework="own")["verdict_before"].to_list() == ["met"]


def test_order_of_rows_changes_nothing_and_saving_keeps_all(tmp_path):
    values = [value("iav", 1, "亿元"), value("green_area", 2, "km2"), value("hj274-05", 7, "count")]
    one = rate(place(sites=[PARK], indicators=values), quantities(WASTE, WASTE))
    other = rate(place(sites=[PARK], indicators=values[::-1]), quantities(WASTE, WASTE).reverse())
    for name, table in one.tables.items():
        assert_frame_equal(table, other.tables[name])
    one.save(tmp_path / "rating")
    again = Rating.load(tmp_path / "rating")
    for name, table in one.tables.items():
        assert_frame_equal(table, again.tables[name])


def test_summary_and_figures_in_both_languages():
    rating = rate(
        place(sites=[PARK], indicators=[value("isw_old_stock_utilised", 0, "t")]),
        quantities(WASTE, {**WASTE, "waste_reused": 800.0}),
    )
    for language in LANGUAGES:
        for line in rating.summary():
            assert line.name.render(language)
        figures = rating.figures(language)
        json.dumps(figures)
        totals = [sum(bar["x"][place] for bar in figures["statuses"]["data"]) for place in (0, 1)]
        assert totals == [4, 4]
        distances = figures["distances"]["data"]
        assert len(distances) == 2
        assert all(name.count("(") for name in distances[0]["y"])
    memory = next(line for line in rating.summary() if line.name.key == "rating.memory_targets")
    assert memory.value == 4
    assert memory.unit == "/ 5"


def test_the_focus_is_the_scope_of_which_most_is_known():
    sites = [{"site": "city", "kind": "city"}, {"site": "a", "name": "Park A", "parent": "city", "kind": "park"}]
    plan = place(sites=sites, indicators=[value("hj274-05", 7, "count", site="a")])
    rating = rate(plan)
    assert rating.focus == "a"
    assert "Park A" in rating.figures("en")["statuses"]["layout"]["title"]["text"]
    met = next(line for line in rating.summary() if line.name.key == "rating.met_before")
    assert met.value == 1
    assert rate(place(sites=sites)).focus == ""


def test_a_part_of_what_the_design_changes_lapses():
    plan = place(sites=[PARK], indicators=[value("hitech_output", 1, "亿元"), value("industrial_output", 5, "亿元")])
    same = rate(plan, quantities({"sales": 1e8}, {"sales": 1e8}))
    assert row(same, "hj274-01")["value_after"] == 20
    more = rate(plan, quantities({"sales": 1e8}, {"sales": 2e8}))
    found = row(more, "hj274-01")
    assert (found["value_before"], found["value_after"], found["status_after"]) == (20, None, "unknown")
    assert found["origin_after"] == "hitech_output=lapsed; industrial_output=user+engine"
    inputs = {one["input"]: one["value_after"] for one in more.tables["inputs"].iter_rows(named=True)}
    assert inputs["industrial_output"] == 60000


def test_energy_bought_is_never_taken_for_energy_used():
    """A power plant buys coal and sells power; statistics deduct what it sells, so only the user's figure counts."""
    rating = rate(
        place(sites=[PARK], indicators=[value("iav", 1, "亿元")]), quantities({"energy": 1e9}, {"energy": 2e9})
    )
    assert row(rating, "hj274-11")["missing_before"] == "energy_tce"
    assert row(rating, "hj274-11")["missing_after"] == "energy_tce"
