"""Frameworks made by users: written, checked with file and line, imported from sheets."""

import polars as pl
import pytest
import xlsxwriter
import yaml
from places import PARK, place, value
from test_frameworks import OWN, changed

from cyclopolis.foundation.problems import UserError
from cyclopolis.library.frameworks import parse_formula, read_framework
from cyclopolis.library.frameworks.units import UnitMisfitError, formula_unit
from cyclopolis.rating import rate
from cyclopolis.rating.authoring import (
    check_framework,
    explain_framework,
    find_framework,
    import_framework,
    new_framework,
)

HEADER = ["维度", "类别", "指标", "分值", "目标值", "单位"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_new_framework_is_sound_and_rates(language, tmp_path) -> None:
    path = new_framework(tmp_path / "frameworks" / "our-park.yaml", language)
    framework, problems = check_framework(path)
    assert problems == ()
    assert framework.id == "our-park"
    plan = place(folder=tmp_path, sites=[PARK], indicators=[value("our-park-2", 1, "1"), value("iav", 1, "亿元")])
    found = rate(plan, frameworks=["our-park"]).tables["indicators"]
    assert found["status_before"].to_list() == ["unknown", "met"]
    with pytest.raises(UserError, match="exists already"):
        new_framework(path)


def write(folder, text):
    path = folder / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder, **fields):
    return check_framework(write(folder, changed(**fields).decode()))[1]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"formula": "fresh_water / people"}, "uses people"),
        ({"formula": "fresh_water + pop_total"}, "different kinds"),
        ({"formula": "fresh_water ** 2"}, "does not fit the indicator's unit"),
        ({"direction": "up"}, "up is not known"),
        ({"formula": "own-1 + 1"}, "own"),
        ({"target": {"op": ">="}}, "must be a number"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(fields, words, tmp_path) -> None:
    (problem,) = faults(tmp_path, **fields)[:1]
    text = problem.render("en")
    assert words in text
    assert "file bad.yaml, line " in text
    lines = (tmp_path / "bad.yaml").read_text(encoding="utf-8").splitlines()
    place = next(iter(fields))
    assert f"{place}:" in "".join(lines[problem.line - 2 : problem.line])
    assert "第" in problem.render("zh")


def test_broken_yaml_names_its_line(tmp_path) -> None:
    (problem,) = check_framework(write(tmp_path, "framework:\n  id: x\n title: [\n"))[1]
    assert problem.line == 3
    assert check_framework(tmp_path / "absent.yaml")[1][0].file.endswith("absent.yaml")


def test_a_circle_is_named(tmp_path) -> None:
    tree = yaml.safe_load(yaml.safe_dump(OWN))
    one = tree["dimensions"][0]["categories"][0]["indicators"]
    one[0] |= {"id": "a", "formula": "b + 1", "inputs": {"b": "1"}, "unit": "1"}
    one.append({**one[0], "id": "b", "formula": "2 * c", "inputs": {"c": "1"}})
    one.append({**one[0], "id": "c", "formula": "a", "inputs": {"a": "1"}})
    with pytest.raises(UserError, match=r"line \d+.*a -> b -> c -> a") as caught:
        read_framework(yaml.safe_dump(tree).encode(), "bad.yaml")
    assert len(caught.value.problems) == 1


def test_weights_that_do_not_add_up(tmp_path) -> None:
    tree = yaml.safe_load(changed(weight=0.9))
    tree["framework"]["weights_sum"] = 1
    with pytest.raises(UserError, match=r"line \d+.*0\.9, not to 1"):
        read_framework(yaml.safe_dump(tree).encode(), "bad.yaml")


def test_a_new_input_is_noticed_with_the_nearest_name(tmp_path) -> None:
    formula, inputs = "fresh_watr / pop_total", {"fresh_watr": "m3/a", "pop_total": "person"}
    (problem,) = faults(tmp_path, formula=formula, inputs=inputs)
    assert (problem.severity, problem.suggestion) == ("notice", "fresh_water")


@pytest.mark.parametrize(
    ("formula", "unit"),
    [
        ("100 * a / b", {}),
        ("a / c", {"volume": -1, "mass": 1}),
        ("max(a, b) - 3", {"mass": 1}),
        ("sqrt(a * b)", {"mass": 1}),
        ("(a / b) ** 0.5", {}),
        ("a ** 2", {"mass": 2}),
        ("a ** 0.5", None),
        ("unknown / a", None),
        ("a > b", {}),
        ("-a", {"mass": 1}),
        ("log(a / b)", {}),
    ],
)
def test_units_of_formulas(formula, unit) -> None:
    assert formula_unit(parse_formula(formula), {"a": "t/a", "b": "kg", "c": "m3"}) == unit


def test_units_that_do_not_mix() -> None:
    for text in ("a + c", "a > c", "min(a, c)"):
        with pytest.raises(UnitMisfitError):
            formula_unit(parse_formula(text), {"a": "t", "c": "m3"})


ROWS = [
    HEADER,
    ["空间规划与开发", "街区", "路网密度", "120", "8", "km/km2"],
    ["", "", "街区尺度", "100", "", "ha"],
    ["环境", "水", "再生水利用率", "1,00", "25", "%"],
]


def sheet(folder, rows, kind="csv"):
    path = folder / f"table.{kind}"
    if kind == "csv":
        quoted = ['"' + '","'.join(row) + '"' for row in rows]
        path.write_bytes(("\r\n".join(quoted) + "\r\n").encode("gb18030"))
    else:
        book = xlsxwriter.Workbook(path)
        page = book.add_worksheet()
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
        book.close()
    return path


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_indicator_table_is_pasted_in(kind, tmp_path) -> None:
    done = import_framework(sheet(tmp_path, ROWS, kind), tmp_path / "frameworks" / "igmc-city.yaml", "igmc-3.0")
    found = {one.name: one for one in done.framework.indicators}
    assert [one.dimension for one in found.values()] == ["spatial", "spatial", "environment"]
    assert [one.weight for one in found.values()] == [120, 100, 100]
    assert found["街区尺度"].category == found["路网密度"].category
    assert [one.target.op for one in found.values()] == [">=", "report", ">="]
    assert len(done.framework.dimensions) == 6
    assert "3 indicators and 320 points" in done.notices[0].render("en")
    ids = [one.id for one in done.framework.indicators]
    plan = place(folder=tmp_path, sites=[PARK], indicators=[value(ids[0], 9, "km/km2"), value(ids[2], 30, "%")])
    rating = rate(plan, frameworks=["igmc-city"])
    levels = {row["level"]: row["reached_before"] for row in rating.tables["levels"].iter_rows(named=True)}
    assert levels == {"green": "met", "greener": "unknown", "greenest": "unknown"}
    whole = rating.tables["scores"].filter(pl.col("dimension").is_null()).row(0, named=True)
    assert (whole["earned_before"], whole["best_before"]) == (220, 320)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["类别", "指标"], ["a", "b"]], "dimension are missing"),
        ([HEADER, ["环境", "", "x", "many", "", ""]], "must be a number, not many"),
        ([[*HEADER, "判定"], ["环境", "", "x", "1", "", "", "about"]], "about is not known"),
        ([HEADER, ["", "", "x", "1", "", ""]], "dimension is missing"),
        ([HEADER, ["环境", "水", "", "1", "", ""]], "name is missing"),
        ([[*HEADER, "公式", "输入"], ["环境", "", "x", "1", "", "%", "a / b", "a: t"]], "uses b"),
    ],
)
def test_bad_sheets_are_refused_with_the_place(rows, words, tmp_path) -> None:
    with pytest.raises(UserError, match=words):
        import_framework(sheet(tmp_path, rows), tmp_path / "own.yaml")
    assert not (tmp_path / "own.yaml").exists()


def test_find_and_explain() -> None:
    told = explain_framework(find_framework("igmc-3.0"))
    assert [len(one["names"]) for one in told["principles"]] == [6, 7]
    assert [(one["categories"], one["indicators"], one["points"]) for one in told["versions"]] == [
        (18, 112, 320),
        (16, 109, 320),
    ]
    assert [one["min_points"] for one in told["levels"]] == [280, 245, 210]
    with pytest.raises(UserError, match=r"igmc-3\.0"):
        find_framework("igmc")


def test_guizhou_recognition_needs_all_twelve() -> None:
    given = [value("cp-gz-1", 75, "points"), value("chemical_revenue", 70, "亿元"), value("total_revenue", 100, "亿元")]

    def verdict(*more):
        rating = rate(place(sites=[PARK], indicators=[*given, *more]), frameworks=["chemical-park-guizhou"])
        return rating.tables["frameworks"]["verdict_before"][0]

    assert verdict() == "unknown"
    assert verdict(value("cp-gz-4", 1, "1")) == "met"
    assert verdict(value("cp-gz-4", 0, "1")) == "not_met"
