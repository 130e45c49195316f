"""Cells one by one: numbers, percentages, years, dates, flags, choices, lists, identifiers, bounds and references."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import column, seen, text_table, typed

from cyclopolis.plan.cells import ROW, column_letter, make_sheet
from cyclopolis.plan.convert import Known, convert, disguised_years, read_choices, read_numbers, read_years
from cyclopolis.plan.schema import choice_names, choice_values, columns, read_rows
from cyclopolis.plan.workbook import _text

NUMBERS = [
    ("1,234,567.89", 1234567.89),
    ("-1,234", -1234.0),
    ("+1 234.5", 1234.5),
    ("1，２３４．５", 1234.5),
    ("１ ２３４", 1234.0),
    ("1\u202f234", 1234.0),
    ("１．２ｅ３", 1200.0),
    ("1.2E-3", 0.0012),
    ("1.", 1.0),
    ("0", 0.0),
    ("-0", 0.0),
    ("–7", -7.0),
    ("－７", -7.0),
    ("²", 2.0),
    ("1,23", None),
    ("1,2345", None),
    ("1234,567", None),
    (",123", None),
    ("1,234,56", None),
    ("1,,234", None),
    ("1.234.567", None),
    ("1 23", None),
    ("12 34", None),
    ("1e", None),
    ("e5", None),
    ("--5", None),
    ("5-", None),
    ("(5)", None),
    ("5/2", None),
    ("=5", None),
    ("约5", None),
    ("5万", None),
    (">5", None),
    ("5~6", None),
    ("n/a", None),
    ("-", None),
    ("/", None),
    ("无", None),
    ("Infinity", None),
    ("-inf", None),
    ("NaN", None),
    ("true", None),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS)
def test_number_forms(text: str, value: float | None) -> None:
    assert read_numbers(pl.Series([text])).to_list() == [value]


def test_blank_cells_stay_unknown_beside_any_form() -> None:
    texts = [text for text, _ in NUMBERS]
    mixed = pl.Series([None, *texts, None], dtype=pl.String)
    assert read_numbers(mixed).to_list() == [None, *(value for _, value in NUMBERS), None]
    assert read_numbers(pl.Series([None, "5", None])).to_list() == [None, 5.0, None]


@given(st.text(alphabet="0123456789.,eE+-_ xfdn%'", max_size=8))
def test_the_quick_way_reads_as_the_careful_one(text: str) -> None:
    """A column of plain numbers is cast at once; a strange cell beside them must not change what they are."""
    trimmed = text.strip()
    (alone,) = read_numbers(pl.Series([trimmed or None], dtype=pl.String))
    beside, _ = read_numbers(pl.Series([trimmed or None, "１"], dtype=pl.String))
    assert alone == beside


@pytest.mark.parametrize(("text", "whole", "share"), [
    ("12%", 12.0, 0.12), ("１２％", 12.0, 0.12), ("12.5 %", 12.5, 0.125), ("1,200%", 1200.0, 12.0),
    ("-3%", -3.0, -0.03),
    ("%", None, None), ("12%%", None, None), ("12‰", None, None), ("%12", None, None),
])  # fmt: skip
def test_percentages(text: str, whole: float | None, share: float | None) -> None:
    cell = pl.Series([text])
    assert read_numbers(cell, 1.0).item() == whole
    assert read_numbers(cell, 0.01).item() == pytest.approx(share)
    assert read_numbers(cell).item() is None


def test_a_percent_sign_by_the_column_it_stands_in() -> None:
    rows = {"commodity": "fly_ash", "technology": "cement_opc", "displaced": "limestone", "ratio": "90%"}
    shares = typed("substitutions", {**rows, "ratio": "0.9", "max_share_pct": "30%"})
    assert shares["max_share_pct"].to_list() == [30.0]
    assert typed("technologies", {"technology": "x", "scale_exponent": "60%"})["scale_exponent"].to_list() == [0.6]
    _, problems = convert(text_table("substitutions", rows), {})
    assert seen(problems) == [("plan.not_a_number", 2, "ratio", "90%")]


@pytest.mark.parametrize(("text", "sheet", "noted"), [
    ("0.08", "measurements", True), ("0.999", "measurements", True), ("1", "measurements", False),
    ("8", "measurements", False), ("0", "measurements", False), ("0.5%", "measurements", False), ("0.08", "", False),
])  # fmt: skip
def test_a_share_of_a_percent_column_from_a_workbook_is_noted(text: str, sheet: str, noted: bool) -> None:
    """A cell that shows 8 % holds 0.08, and only the workbook's formats say so."""
    row = {"plant": "a", "commodity": "c", "amount": "5", "year": "2023", "uncertainty_pct": text}
    _, problems = convert(text_table("measurements", row, sheet=sheet), {})
    wanted = [("plan.percent_small", 2, "uncertainty_pct", text)] if noted else []
    assert seen(problems) == wanted
    assert all((problem.severity, problem.sheet) == ("notice", sheet) for problem in problems)


@pytest.mark.parametrize(("texts", "rows"), [
    (["0.05", "0.1"], [2]), (["5", "0.5"], []), (["0", "0.05", "0.5%"], [3]), (["0.5%", "0.05"], [3]),
    (["x", "0.2"], [3]),
])  # fmt: skip
def test_shares_are_noted_once_and_not_beside_percentages(texts: list[str], rows: list[int]) -> None:
    row = {"commodity": "a", "technology": "b", "displaced": "c", "ratio": "1"}
    text = text_table("substitutions", *({**row, "max_share_pct": share} for share in texts), sheet="替代")
    notices = [problem for problem in convert(text, {})[1] if problem.severity == "notice"]
    assert [(problem.text.key, problem.row) for problem in notices] == [("plan.percent_small", row) for row in rows]


@pytest.mark.parametrize(("text", "year"), [
    ("2024", 2024), ("２０２４", 2024), ("2024.0", 2024), ("2,024", 2024), ("2024年", 2024), ("2024年度", 2024),
    ("2024年12月", 2024), ("2024年12月31日", 2024), ("2024/12/31", 2024), ("2024.12.31", 2024), ("2024-1-1", 2024),
    ("2024-12-31T00:00:00", 2024), ("2024-12-31 08:30", 2024), ("1905", 1905), ("1905年", 1905),
    ("1905-03-13", 1905), ("1906-01-09", 1906), ("1907-07-16", 1907), ("1905年7月", 1905),
    ("24", 24), ("2024.5", None), ("2024-12", None), ("12/31/2024", None), ("2024年底", None), ("FY2024", None),
    ("20 24", None), ("2024%", None), ("1e12", None), ("民国113年", None),
])  # fmt: skip
def test_years_in_their_forms(text: str, year: int | None) -> None:
    assert read_years(pl.Series([text])).to_list() == [year]


@pytest.mark.parametrize(("text", "year"), [
    ("1905-07-16", 2024), ("1905/7/16", 2024), ("1905.7.16", 2024), ("1905年7月16日", 2024),
    ("１９０５-０７-１６", 2024),
    ("1905-03-14", 1900), ("1906-01-08", 2200), ("1905-07-22", 2030), ("1909-07-17", 2024), ("1909-03-15", 1900),
    ("1910-01-09", 2200),
    ("1905-03-13", None), ("1906-01-09", None), ("1909-03-14", None), ("1910-01-10", None), ("2024-07-16", None),
    ("1905", None), ("1905-13-40", None), ("1905-02-30", None), ("x1905-07-16", None),
])  # fmt: skip
def test_a_year_shown_as_a_date_is_seen_through(text: str, year: int | None) -> None:
    cell = pl.Series([text, None], dtype=pl.String)
    assert disguised_years(cell).to_list() == [year, None]
    if year is not None:
        assert read_years(cell).to_list() == [None, None]


def test_a_year_shown_as_a_date_is_told_with_the_year_meant() -> None:
    rows = [{"quantity": "water", "max": "5", "year": year} for year in ("1905-07-22", "2030", "soon", "1905-07-16")]
    frame, problems = convert(text_table("limits", *rows), {})
    assert frame["year"].to_list() == [None, 2030, None, None]
    assert sorted(seen(problems), key=lambda entry: entry[1] or 0) == [
        ("plan.year_as_date", 2, "year", "1905-07-22"),
        ("plan.not_a_year", 4, "year", "soon"),
        ("plan.year_as_date", 5, "year", "1905-07-16"),
    ]
    assert {problem.row: problem.suggestion for problem in problems} == {2: "2030", 4: "", 5: "2024"}


@pytest.mark.parametrize(("flag", "texts"), [
    ("yes", ["yes", "YES", "y", "true", "True", "t", "1", "是", "对", "√", "１", " yes"]),
    ("no", ["no", "No", "n", "FALSE", "f", "0", "否", "不", "×", "Ｎｏ"]),
    (None, ["maybe", "2", "?", "是的", "null", "-"]),
])  # fmt: skip
def test_flags(flag: str | None, texts: list[str]) -> None:
    entry = column("plants", "may_close")
    assert read_choices(pl.Series(texts), entry).to_list() == [flag] * len(texts)
    frame, problems = convert(text_table("plants", *({"may_close": text} for text in texts)), {})
    assert frame["may_close"].to_list() == [None if flag is None else flag == "yes"] * len(texts)
    wrong = [("plan.not_a_choice", row, "may_close", text) for row, text in enumerate(texts, start=2)]
    assert seen(problems) == ([] if flag else wrong)


CHOICES = [
    (table, entry.name, value)
    for table, described in columns().items()
    for entry in described
    if entry.type == "choice"
    for value in choice_values(entry)
]


@pytest.mark.parametrize(("table", "name", "value"), CHOICES)
def test_each_alias_of_each_choice(table: str, name: str, value: str) -> None:
    entry = column(table, name)
    labels = next((row for row in read_rows("choices.csv") if row["choice"] == value), {})
    written = [value, value.upper(), f" {value} ", *labels.get("aliases", "").split(";")]
    written = [text for text in [*written, labels.get("zh", ""), labels.get("en", "")] if text]
    assert read_choices(pl.Series(written), entry).to_list() == [value] * len(written)
    assert read_choices(pl.Series([f"{value}~"]), entry).to_list() == [None]


def test_a_choice_of_another_column_is_none_of_this_one() -> None:
    assert read_choices(pl.Series(["proposed", "existing"]), column("plants", "status")).to_list() == [None, "existing"]
    assert read_choices(pl.Series(["planned"]), column("exchanges", "status")).to_list() == [None]
    assert "main" not in choice_names(column("recipes", "direction"))


@pytest.mark.parametrize(("text", "near"), [
    ("existng", "existing"), ("candidat", "candidate"), ("已建成", "已建"), ("zzz", ""), ("planed", "planned"),
])  # fmt: skip
def test_a_choice_not_understood_gets_the_nearest(text: str, near: str) -> None:
    rows = {"plant": "a", "technology": "coal_power", "status": text}
    _, (problem,) = convert(text_table("plants", rows), {})
    assert (problem.text.key, problem.column, problem.value) == ("plan.not_a_choice", "status", text)
    assert problem.suggestion == near
    assert problem.text.values["choices"] == "existing, planned, candidate"


@pytest.mark.parametrize(("text", "wanted"), [
    ("a;b", "a;b"), ("a；b", "a;b"), ("a、b", "a;b"), ("a，b", "a;b"), ("a,b", "a;b"), (" a ; b ;", "a;b"),
    (";;a", "a"),
])  # fmt: skip
def test_lists(text: str, wanted: str) -> None:
    known = {"technologies": Known(pl.DataFrame({"id": ["a", "b"], "name": ["A", "B"], "name_zh": ["甲", "乙"]}))}
    frame, problems = convert(text_table("sites", {"new_plants": text}), known)
    assert (frame["new_plants"].to_list(), problems) == ([wanted], [])


def test_lists_that_name_nothing_or_something_unknown() -> None:
    known = {"technologies": Known(pl.DataFrame({"id": ["a", "brick"], "name": ["A", "Br"], "name_zh": ["甲", "砖"]}))}
    cells = [{"new_plants": text} for text in (";", "any", "不限", "a;brik", "a;砖", "any;a")]
    frame, problems = convert(text_table("sites", *cells), known)
    assert frame["new_plants"].to_list()[1] == "any"
    found = [(problem.text.key, problem.row, problem.value, problem.suggestion) for problem in problems]
    assert ("plan.empty_list", 2, ";", "") in found
    assert ("plan.unknown_id", 5, "brik", "brick") in found
    assert ("plan.unknown_id", 6, "砖", "brick") in found
    assert {row for _, row, _, _ in found}.isdisjoint({3, 7})


@pytest.mark.parametrize(("text", "good"), [
    ("a", True), ("甲厂 1#", True), ("a,b", True), ("a;b", False), ("a；b", False), ("a\nb", False), ("a\tb", False),
])  # fmt: skip
def test_identifiers(text: str, good: bool) -> None:
    frame, problems = convert(text_table("sites", {"site": text, "kind": "park"}), {})
    assert seen(problems) == ([] if good else [("plan.bad_id", 2, "site", text)])
    assert frame["site"].to_list() == [text if good else None]


BOUNDED = [
    (table, entry.name, entry.minimum, entry.maximum)
    for table, described in columns().items()
    for entry in described
    if entry.minimum is not None and entry.type in ("number", "year")
]


@pytest.mark.parametrize(("table", "name", "low", "high"), BOUNDED)
def test_each_bound_of_the_schema(table: str, name: str, low: float, high: float | None) -> None:
    inside = [low] if high is None else [low, high]
    outside = [low - 1] if high is None else [low - 1, high + 1]
    row = {entry.name: "x" for entry in columns()[table] if entry.required and entry.type in ("id", "ref", "text")}
    rows = [{**row, name: f"{value:g}"} for value in [*inside, *outside]]
    _, problems = convert(text_table(table, *rows), {})
    key = "plan.below" if high is None else "plan.outside"
    wanted = [(key, 2 + len(inside) + place, name, f"{value:g}") for place, value in enumerate(outside)]
    assert seen(problems) == wanted
    assert all(problem.text.values["minimum"] == f"{low:g}" for problem in problems)


REFERENCES = [
    (table, entry.name, entry.refers) for table, described in columns().items() for entry in described
    if entry.type == "ref"
]  # fmt: skip


@pytest.mark.parametrize(("table", "name", "refers"), REFERENCES)
def test_each_reference_says_what_was_probably_meant(table: str, name: str, refers: str) -> None:
    names = {"id": ["carbide_slag", "park_1"], "name": ["Carbide slag", "North Park"], "name_zh": ["电石渣", "北园"]}
    known = {refers: Known(pl.DataFrame(names))}
    texts = ["carbide_slag", "carbide_slug", "电石渣", "North Park", "PARK_1", "qqqqqq"]
    frame, problems = convert(text_table(table, *({name: text} for text in texts)), known)
    assert frame[name].to_list() == texts
    problems = [problem for problem in problems if problem.column == name]
    assert [(problem.row, problem.value, problem.suggestion) for problem in problems] == [
        (3, "carbide_slug", "carbide_slag"),
        (4, "电石渣", "carbide_slag"),
        (5, "North Park", "park_1"),
        (6, "PARK_1", "park_1"),
        (7, "qqqqqq", ""),
    ]
    assert {problem.text.values["table"] for problem in problems} == {refers}
    unsure = {refers: Known(pl.DataFrame(names), whole=False)}
    assert convert(text_table(table, {name: "qqqqqq"}), unsure)[1] == []


REQUIRED = [
    (table, entry.name) for table, described in columns().items() for entry in described if entry.required
]  # fmt: skip


@pytest.mark.parametrize(("table", "name"), REQUIRED)
def test_each_required_cell(table: str, name: str) -> None:
    text = text_table(table, {name: "1"}, {"note": "no value"})
    problems = [problem for problem in convert(text, {})[1] if problem.text.key == "plan.empty_cell"]
    assert [(problem.row, problem.column, problem.value) for problem in problems] == [(3, name, "")]


@pytest.mark.parametrize(("cell", "text"), [
    (5.0, "5"), (0.1, "0.1"), (1e15, "1000000000000000.0"), (-3.0, "-3"), (True, "yes"), (False, "no"), ("", None),
    ("x", "x"), (7, "7"), (1 / 3, repr(1 / 3)),
])  # fmt: skip
def test_cells_of_a_workbook_as_texts(cell: float | str | bool, text: str | None) -> None:
    assert _text(cell) == text


def test_letters_of_columns() -> None:
    wanted = {0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA", 16383: "XFD"}
    assert {position: column_letter(position) for position in wanted} == wanted


def test_margins_blank_rows_and_blank_columns_are_cut() -> None:
    cells = {"0": ["\u3000", " a\u00a0", None, "\ufeff1 ", "\u200b"], "1": [None] * 5, "2": [None, "b", " ", "2", None]}
    frame = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String())).with_columns(pl.Series(ROW, range(1, 6)))
    sheet = make_sheet("x.csv", "", frame)
    assert sheet is not None
    assert (sheet.header, sheet.header_row) == (("a", "", "b"), 2)
    assert sheet.frame.rows() == [("1", None, "2", 4)]
    assert make_sheet("x.csv", "", frame.filter(pl.col(ROW) == 1)) is None
