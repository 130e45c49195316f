"""The compliance engine on a small place worked out by hand, and what is said of wrong rows."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import cyclopolis
from cyclopolis.ecology.compliance import Compliance, comply
from cyclopolis.foundation.problems import UserError
from cyclopolis.plan import Plan, check_plan, read_plan

FILES = {
    "plan.toml": 'name = "Water town"\nbase_year = 2024\nhorizon = [2030]\ndiscount_rate = 0.06\n',
    "sites.csv": "site,kind,parent\ncity,city,\neast,district,city\n",
    "plants.csv": "plant,site,technology,status,capacity,activity\nmill,city,cement_opc,existing,600000,500000\n",
    "sections.csv": "section,site,water,kind,target_class,chief\nbridge,east,Nanming,river,III,Chen\n"
    "weir,city,Nanming,river,II,Chen\nlake,city,Hongfeng,water_source,,Li\n",
    "water_quality.csv": "section,date,parameter,value,unit\n"
    "bridge,2024-01,氨氮,0.9,\nbridge,2024-01,COD,18,\nbridge,2024-01,总氮,9,\nbridge,2024-02,NH3-N,3000,ug/L\n"
    "bridge,2024-02,DO,7,\nweir,2024-01,TP,0.1,\nweir,2024-01,pH,9.5,\nlake,2024-01,permanganate index,5,\n",
    "air_quality.csv": "site,date,pollutant,value,unit\ncity,2024-05-01,PM2.5,36,\ncity,2024-05-01,O3,100,\n"
    "city,2024-05-02,PM2.5,20,\ncity,2024-05-02,CO,1,mg/m3\ncity,2024-05-03,PM10,200,\ncity,2026-05-01,PM2.5,70,\n",
    "works.csv": "work,kind,status,number,length_m,year,source\na,drainage_outlet,improved,4,,2018,GFHS\n"
    "b,pipe,built,,1243.5,2018,GFHS\n",
    "indicators.csv": "site,name,year,value,unit,source\ncity,green_cover_pct,2024,42.06,%,bureau\n",
}
Write = Callable[..., Plan]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def make(changed: Mapping[str, str] | None = None) -> Path:
        for name, text in {**FILES, **(changed or {})}.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return make


@pytest.fixture
def rated(write) -> Compliance:
    return comply(read_plan(write()))


def row(result: Compliance, table: str, **keys: object) -> dict[str, object]:
    return result.tables[table].filter(**keys).row(0, named=True)


def test_the_worst_parameter_decides_and_is_named(rated) -> None:
    first, second = (row(rated, "samples", section="bridge", date=date) for date in ("2024-01", "2024-02"))
    assert (first["class"], first["deciding"], first["meets"]) == ("III", "cod; nh3n", True)
    assert (second["class"], second["deciding"], second["meets"]) == ("worse than V", "nh3n", False)


def test_nitrogen_is_shown_but_does_not_count(rated) -> None:
    nitrogen = rated.tables["parameters"].filter(parameter="tn")
    assert nitrogen.is_empty() or not nitrogen["rated"].any()
    assert row(rated, "samples", section="bridge", date="2024-01")["class"] == "III"


def test_units_and_multiples(rated) -> None:
    ammonia = row(rated, "parameters", section="bridge", date="2024-02", parameter="nh3n")
    assert (ammonia["value"], ammonia["limit"], ammonia["over"]) == (3.0, 1.0, 2.0)
    acid = row(rated, "parameters", section="weir", date="2024-01", parameter="ph")
    assert (acid["class"], acid["over"]) == ("worse than V", None)


def test_sections_chiefs_and_places(rated) -> None:
    bridge = row(rated, "sections", section="bridge")
    assert (bridge["samples"], bridge["meeting"], bridge["meeting_share"]) == (2, 1, 0.5)
    assert (bridge["worst_class"], bridge["mean_class"], bridge["most_over"]) == ("worse than V", "V", 2.0)
    lake = row(rated, "sections", section="lake")
    assert (lake["target_class"], lake["meeting_share"]) == ("III", 1.0)
    chen = row(rated, "chiefs", chief="Chen")
    assert (chen["sections"], chen["samples"], chen["meeting_share"]) == (2, 3, pytest.approx(1 / 3))
    east = row(rated, "waters", scope="east", kind="river")
    assert (east["sections"], east["good_share"], east["rating"]) == (1, 0.0, "light")
    assert row(rated, "waters", scope="", kind="water_source")["meeting_share"] == 1.0


def test_air_follows_the_date(rated) -> None:
    days = {day["date"]: day for day in rated.tables["air_days"].iter_rows(named=True)}
    assert (days["2024-05-01"]["index"], days["2024-05-01"]["leading"]) == (52, "PM2.5")
    assert (days["2024-05-02"]["index"], days["2024-05-02"]["leading"]) == (29, None)
    assert (days["2024-05-03"]["grade"], days["2024-05-03"]["good"]) == (3, False)
    assert days["2026-05-01"]["edition"] == "HJ 633-2026"
    assert days["2026-05-01"]["good"] is False
    year = row(rated, "air_years", site="city", year=2024)
    assert (year["days"], year["good_days"], year["complete_days"]) == (3, 2, 0)


def test_means_beside_the_limit(rated) -> None:
    dust = row(rated, "air_means", pollutant="PM2.5", year=2024)
    assert (dust["mean"], dust["limit"], dust["met"]) == (28.0, 35.0, True)


def test_green_and_works_keep_their_source(rated) -> None:
    assert row(rated, "green", measure="green_cover_pct")["source"] == "bureau"
    assert rated.tables["works"]["length_m"].sum() == 1243.5


def test_order_of_rows_changes_nothing(rated, write) -> None:
    changed = {}
    for name in ("water_quality.csv", "air_quality.csv", "sections.csv"):
        head, *rows = FILES[name].strip().split("\n")
        changed[name] = "\n".join([head, *reversed(rows)]) + "\n"
    again = comply(read_plan(write(changed)))
    assert all(table.equals(again.tables[name]) for name, table in rated.tables.items())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pictures_summary_and_saving(rated, language, tmp_path) -> None:
    assert set(rated.figures(language)) == {"classes", "air"}
    assert all(line.name.render(language) for line in rated.summary())
    rated.save(tmp_path / "saved")
    again = Compliance.load(tmp_path / "saved")
    assert all(table.equals(again.tables[name]) for name, table in rated.tables.items())


def test_the_run_rates_by_itself(write) -> None:
    done = cyclopolis.run(write(), until="compliance")
    assert list(done.results) == ["compliance"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("water_quality.csv", "section,date,parameter,value\nbridge,2024/1,COD,18\n", "no date"),
        ("water_quality.csv", "section,date,parameter,value\nbridge,2024-13,COD,18\n", "no date"),
        ("water_quality.csv", "section,date,parameter,value\nbridge,2024-01,氨氮气,18\n", "“氨氮”"),
        ("water_quality.csv", "section,date,parameter,value\nbrige,2024-01,COD,18\n", "“bridge”"),
        ("water_quality.csv", "section,date,parameter,value,unit\nbridge,2024-01,COD,18,kWh\n", "kWh"),
        ("air_quality.csv", "site,date,pollutant,value\ncity,2024-05-01,PM25x,1\n", "choose one of"),
        ("sections.csv", "section,kind\nbridge,sea\nweir,river\nlake,lake\n", "choose one of"),
    ],
)
def test_one_clear_message(write, name, text, said) -> None:
    errors = [problem for problem in check_plan(write({name: text})) if problem.severity == "error"]
    assert len(errors) == 1
    assert said in errors[0].render("en")
    assert errors[0].file == name


def test_works_alone_have_a_summary_with_their_ground(tmp_path) -> None:
    for name in ("plan.toml", "sites.csv", "plants.csv"):
        (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    (tmp_path / "works.csv").write_text(
        "work,site,kind,status,area_ha,source\nreeds,city,wetland,built,12.5,bureau\n"
        "pond,city,wetland,planned,7.5,bureau\nmouth,city,sewage_outlet,cleaned,,bureau\n",
        encoding="utf-8",
    )
    found = comply(read_plan(tmp_path))
    lines = {line.name.render("en"): line.value for line in found.summary()}
    assert lines == {"Works listed": 3, "Area of works, wetlands": 20.0}
    assert "湿地" in found.summary()[1].name.render("zh")


def test_nothing_to_rate_is_said(write) -> None:
    folder = write()
    for name in ("sections", "water_quality", "air_quality", "works", "indicators"):
        (folder / f"{name}.csv").unlink()
    with pytest.raises(UserError):
        comply(read_plan(folder))


def test_an_assumed_row_marks_what_rests_on_it(write) -> None:
    head, *rows, last = FILES["water_quality.csv"].strip().split("\n")
    text = "\n".join([f"{head},source", *(f"{line}," for line in rows), f"{last},assumed"]) + "\n"
    result = comply(read_plan(write({"water_quality.csv": text})))
    assert row(result, "sections", section="lake")["provenance"] == "assumed"
