"""Rules of water and air that hold whatever is measured, and waters whose limits differ."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cyclopolis
from cyclopolis.ecology.compliance import Compliance, comply
from cyclopolis.ecology.compliance.air import good_share, grade, individual_index, overall
from cyclopolis.ecology.compliance.waters import WORSE, classes, multiples, place_rating, worst_of
from cyclopolis.library import load_library
from cyclopolis.plan import check_plan, read_plan
from cyclopolis.report import write_report

BASE = {
    "plan.toml": 'name = "Lakes"\nbase_year = 2024\nhorizon = [2030]\ndiscount_rate = 0.06\n',
    "sites.csv": "site,kind\ncity,city\n",
    "plants.csv": "plant,site,technology,status,capacity,activity\nmill,city,cement_opc,existing,600000,500000\n",
}


@pytest.fixture
def rate(tmp_path: Path) -> Callable[..., Compliance]:
    def run(**tables: str) -> Compliance:
        for name, text in {**BASE, **{f"{key}.csv": value for key, value in tables.items()}}.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return comply(read_plan(tmp_path))

    return run


ascending = st.lists(st.floats(0.01, 100), min_size=5, max_size=5).map(sorted)


@given(ascending, st.floats(0, 200), st.booleans())
def test_the_class_is_the_best_whose_limit_holds(limits, value, at_least) -> None:
    table = np.array(limits[::-1] if at_least else limits)
    found = int(classes(np.array([value]), table[None], np.array([at_least]))[0])
    holds = [value >= limit * (1 - 1e-12) if at_least else value <= limit * (1 + 1e-12) for limit in table]
    assert found == (holds.index(True) + 1 if any(holds) else WORSE)


@given(ascending, st.floats(0, 200), st.floats(0, 200))
def test_more_of_what_harms_is_never_a_better_class(limits, one, other) -> None:
    values = np.array([min(one, other), max(one, other)])
    less, more = classes(values, np.array([limits, limits]), np.zeros(2, dtype=bool))
    assert less <= more
    less, more = classes(values, np.array([limits[::-1]] * 2), np.ones(2, dtype=bool))
    assert less >= more


@given(st.floats(0.001, 100), st.floats(0.001, 100))
def test_a_multiple_is_told_just_where_the_limit_is_passed(value, limit) -> None:
    (over,) = multiples(np.array([value]), np.array([limit]), np.array([False]))
    assert np.isnan(over) == (value / limit - 1 <= 0)
    if value > limit * (1 + 1e-9):
        assert limit * (1 + over) == pytest.approx(value)
    assert np.isnan(multiples(np.array([value]), np.array([limit]), np.array([True]))[0])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=20), st.randoms())
def test_the_worst_of_a_group_does_not_depend_on_order(rows, random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    found = [
        worst_of(np.array([g for g, _ in some], dtype=np.int64), np.array([c for _, c in some], dtype=np.int64), 5)
        for some in (rows, shuffled)
    ]
    assert found[0].tolist() == found[1].tolist()
    assert found[0].tolist() == [max([c for g, c in rows if g == group], default=0) for group in range(5)]


RANK = ("excellent", "good", "light", "moderate", "heavy")


@settings(max_examples=200)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=12), st.data())
def test_a_cleaner_section_never_worsens_a_place(sections, data) -> None:
    at = data.draw(st.integers(0, len(sections) - 1))
    better = list(sections)
    better[at] = max(1, better[at] - 1)
    before, after = (place_rating(np.array(some)) for some in (sections, better))
    assert before is not None
    assert after is not None
    assert RANK.index(after) <= RANK.index(before)


editions = load_library().air_index.select("edition", "pollutant", "averaging").unique().sort(pl.all()).rows()


@settings(max_examples=120)
@given(st.sampled_from(editions), st.floats(0, 3000), st.floats(0, 3000))
def test_dirtier_air_never_has_a_smaller_index(key, one, other) -> None:
    edition, pollutant, averaging = key
    table = load_library().air_index.filter(edition=edition, pollutant=pollutant, averaging=averaging)
    table = table.sort("concentration")
    points, index = table["concentration"].to_numpy(), table["iaqi"].to_numpy().astype(float)
    low, high = individual_index(np.array([min(one, other), max(one, other)]), points, index)
    assert low <= high
    assert low == np.ceil(low)
    assert 0 <= low <= index.max()


def test_the_index_rises_from_nought_without_a_step_back() -> None:
    for edition, pollutant, averaging in editions:
        table = load_library().air_index.filter(edition=edition, pollutant=pollutant, averaging=averaging)
        table = table.sort("concentration")
        assert table["concentration"].is_unique().all(), (edition, pollutant)
        assert table["iaqi"].is_sorted(), (edition, pollutant)
        assert table.select("concentration", "iaqi").row(0) == (0, 0)


@given(st.lists(st.one_of(st.floats(0, 500), st.just(np.nan)), min_size=1, max_size=6))
def test_the_greatest_known_index_leads(indices) -> None:
    top, at = overall(np.array(indices))
    known = [value for value in indices if value == value]  # noqa: PLR0124
    if known:
        assert top == max(known)
        assert indices[int(at)] == top
    else:
        assert np.isnan(top)
        assert at == -1


@given(st.lists(st.floats(0, 600), min_size=1, max_size=20))
def test_good_days_are_those_of_the_first_two_grades(indices) -> None:
    values = np.array(indices)
    assert good_share(values) == pytest.approx(float((grade(values) <= 2).mean()))


SAMPLES = "section,date,parameter,value\n"


def test_phosphorus_of_a_reservoir_is_judged_as_that_of_a_lake(rate) -> None:
    """0.08 mg/L is class II in a river and class IV in a lake."""
    found = rate(
        sections="section,site,kind\nspring,city,water_source\ndam,city,reservoir_source\nmere,city,lake\nbrook,city,river\n",
        water_quality=SAMPLES + "".join(f"{name},2024-06,TP,0.08\n" for name in ("spring", "dam", "mere", "brook")),
    )
    told = {row["section"]: row for row in found.tables["sections"].iter_rows(named=True)}
    assert {name: row["mean_class"] for name, row in told.items()} == {
        "spring": "II", "dam": "IV", "mere": "IV", "brook": "II",
    }  # fmt: skip
    assert {name: row["target_class"] for name, row in told.items()} == {
        "spring": "III", "dam": "III", "mere": None, "brook": None,
    }  # fmt: skip
    assert (told["spring"]["meeting_share"], told["dam"]["meeting_share"]) == (1.0, 0.0)
    sources = found.tables["waters"].filter(scope="", kind="water_source").row(0, named=True)
    assert (sources["sections"], sources["good_share"], sources["meeting_share"]) == (2, 0.5, 0.5)


def test_a_reservoir_may_be_named_in_chinese(rate) -> None:
    found = rate(
        sections="断面,场地,水体类型\n红枫湖,city,湖库型水源地\n",
        water_quality=SAMPLES + "红枫湖,2024-06,总磷,0.04\n",
    )
    row = found.tables["sections"].row(0, named=True)
    assert (row["kind"], row["mean_class"]) == ("reservoir_source", "III")


def test_the_mean_of_ph_is_held_against_both_its_limits(rate) -> None:
    """Each sample keeps one limit only; their mean is judged by both."""
    found = rate(
        sections="section,site,kind\nbrook,city,river\nkiln,city,river\n",
        water_quality=SAMPLES + "brook,2024-01,pH,7\nbrook,2024-02,pH,8\nkiln,2024-01,pH,6.5\nkiln,2024-02,pH,13\n",
    )
    told = {row["section"]: row["mean_class"] for row in found.tables["sections"].iter_rows(named=True)}
    assert told == {"brook": "I", "kiln": "worse than V"}


def test_other_averaging_times_are_left_out_and_told(rate, tmp_path) -> None:
    found = rate(
        air_quality="site,date,pollutant,averaging,value\ncity,2024-05-01,NO2,24h,30\ncity,2024-05-01,NO2,1h,900\n"
        "city,2024-05,NO2,24h,900\ncity,2015-05-01,NO2,24h,900\n"
    )
    assert found.tables["air_days"]["date"].to_list() == ["2024-05-01"]
    assert found.tables["air_means"]["mean"].to_list() == [30.0]
    notices = {problem.text.key: problem for problem in check_plan(tmp_path) if problem.severity == "notice"}
    assert notices["plan.air_not_daily"].row == 3
    assert notices["plan.air_too_early"].row == 5
    assert "1 more" in notices["plan.air_not_daily"].render("en")


def test_values_in_milligrams_and_micrograms_are_one(rate) -> None:
    rows = "site,date,pollutant,value,unit\ncity,2024-05-01,CO,{},{}\n"
    one, other = (
        rate(air_quality=rows.format(*pair)).tables["air_indices"] for pair in ((2, "mg/m3"), (2000, "ug/m3"))
    )
    assert one.equals(other)
    assert one["index"].to_list() == [50.0]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("sections", "section,site,kind\nbrook,city,river\n"),
        ("air_quality", "site,date,pollutant,value\ncity,2024-05-01,NO2,30\n"),
    ],
)
def test_a_bureau_without_plants_is_rated_and_gets_its_report(tmp_path, table, text) -> None:
    """An ecology bureau holds sections and stations, no plants: check, run and report do with that."""
    for name in ("plan.toml", "sites.csv"):
        (tmp_path / name).write_text(BASE[name], encoding="utf-8")
    assert [problem.text.key for problem in check_plan(tmp_path)] == ["plan.missing_table"]
    (tmp_path / f"{table}.csv").write_text(text, encoding="utf-8")
    if table == "sections":
        (tmp_path / "water_quality.csv").write_text(f"{SAMPLES}brook,2024-06,COD,18\n", encoding="utf-8")
    assert check_plan(tmp_path) == ()
    done = cyclopolis.run(tmp_path)
    assert "compliance" in done.results
    assert "design" not in done.results
    page = write_report(read_plan(tmp_path), done.results, tmp_path / "out", "en").read_text(encoding="utf-8")
    assert "Lakes" in page
    assert "Compliance" in page
