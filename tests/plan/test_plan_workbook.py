"""Workbooks: numbers, dates, error cells and merged cells as real users send them; templates in both languages."""

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from python_calamine import CalamineWorkbook
from sound_plan import SOUND
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from cyclopolis.examples import example
from cyclopolis.foundation.problems import UserError
from cyclopolis.library import load_library
from cyclopolis.plan import check_plan, read_plan, write_template
from cyclopolis.plan.schema import (
    choice_label,
    columns,
    header_label,
    plan_keys,
    table_label,
)

META = [("name", "Sound Park"), ("base_year", 2023), ("horizon", "2028; 2035"), ("discount_rate", 0.06)]


def rows_of(name: str) -> list[list[str | float]]:
    def cell(text: str) -> str | float:
        try:
            return float(text)
        except ValueError:
            return text

    return [[cell(part) for part in line.split(",")] for line in SOUND[name].splitlines()]


def write_book(
    path: Path, change: Callable[[dict[str, Worksheet], Workbook], None] = lambda sheets, book: None
) -> Path:
    book = Workbook(path)
    sheets = {}
    for table in ("plan", "sites", "plants", "markets"):
        sheets[table] = book.add_worksheet(table)
        for number, row in enumerate([*META] if table == "plan" else rows_of(f"{table}.csv")):
            sheets[table].write_row(number, 0, row)
    change(sheets, book)
    book.close()
    return path


def keys(path: Path) -> list[tuple[str, str, int | None]]:
    return [(problem.text.key, problem.sheet, problem.row) for problem in check_plan(path)]


def test_a_workbook_is_the_same_plan_as_its_folder(tmp_path: Path, write_plan) -> None:
    book, folder = read_plan(write_book(tmp_path / "park.xlsx")), read_plan(write_plan({}))
    for table, frame in folder.tables.items():
        assert frame.equals(book.tables[table]), table
    assert book.meta.horizon == (2028, 2035)
    assert book.folder == tmp_path / "park"
    assert list(book.inputs) == ["park.xlsx"]


def test_dates_flags_blank_rows_and_chinese_sheets(tmp_path: Path) -> None:
    def change(sheets: dict[str, Worksheet], book: Workbook) -> None:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheets["plants"].write_row(0, 7, ["最晚建设年", "可关停"])
        sheets["plants"].write_datetime(3, 7, dt.date(2031, 6, 30), day)
        sheets["plants"].write_boolean(1, 8, True)
        limits = book.add_worksheet("约束")
        limits.write_row(2, 1, ["范围", "约束量", "上限", "单位"])
        limits.write_row(5, 1, ["park", "用水", 3, "万m3"])
        book.add_worksheet("Notes").write(0, 0, "free text")
        book.add_worksheet("empty")
        book.add_worksheet("hidden").hide()

    path = write_book(tmp_path / "park.xlsx", change)
    plan = read_plan(path)
    assert plan.tables["plants"]["build_until"].to_list() == [2031, None, None]
    assert plan.tables["plants"]["may_close"].to_list() == [None, None, True]
    assert plan.tables["limits"]["max"].to_list() == [30000.0]
    assert [(problem.text.key, problem.sheet) for problem in plan.notices] == [("plan.unknown_table", "Notes")]


def test_error_cells_are_located(tmp_path: Path) -> None:
    def change(sheets: dict[str, Worksheet], book: Workbook) -> None:
        sheets["plants"].write_formula(1, 4, "=A1/0", None, "#DIV/0!")
        sheets["plants"].write_formula(2, 6, "=nix", None, "#NAME?")

    path = write_book(tmp_path / "park.xlsx", change)
    problems = check_plan(path)
    assert [(p.text.key, p.sheet, p.row, p.value) for p in problems] == [
        ("plan.error_cell", "plants", 2, "#DIV/0!"),
        ("plan.error_cell", "plants", 3, "#NAME?"),
    ]
    assert "E2" in problems[0].render("en")


def test_merged_cells_are_located(tmp_path: Path) -> None:
    def header(sheets: dict[str, Worksheet], book: Workbook) -> None:
        sheets["plants"].merge_range(0, 4, 0, 5, "capacity")

    def body(sheets: dict[str, Worksheet], book: Workbook) -> None:
        sheets["plants"].merge_range(1, 1, 2, 1, "park")

    def aside(sheets: dict[str, Worksheet], book: Workbook) -> None:
        sheets["plants"].merge_range(1, 9, 2, 9, "")

    assert ("plan.merged_header", "plants", 1) in keys(write_book(tmp_path / "a.xlsx", header))
    (problem, *_) = check_plan(tmp_path / "a.xlsx")
    assert "E1:F1" in problem.render("zh")
    assert keys(write_book(tmp_path / "b.xlsx", body))[0] == ("plan.merged_cells", "plants", 2)
    assert keys(write_book(tmp_path / "c.xlsx", aside)) == []


def test_a_date_where_a_number_is_wanted_is_told(tmp_path: Path) -> None:
    def change(sheets: dict[str, Worksheet], book: Workbook) -> None:
        sheets["plants"].write_datetime(1, 4, dt.date(2024, 1, 2), book.add_format({"num_format": "m-d"}))

    (problem,) = check_plan(write_book(tmp_path / "park.xlsx", change))
    assert (problem.text.key, problem.value) == ("plan.not_a_number", "2024-01-02")


def test_the_plan_sheet(tmp_path: Path) -> None:
    def twice(sheets: dict[str, Worksheet], book: Workbook) -> None:
        book.add_worksheet("规划").write_row(0, 0, ["name", "again"])

    def wrong(sheets: dict[str, Worksheet], book: Workbook) -> None:
        sheets["plan"].write_row(6, 0, ["base year ", 2024])
        sheets["plan"].write_row(7, 0, ["discount", 0.05])

    assert keys(write_book(tmp_path / "a.xlsx", twice)) == [("plan.table_twice", "规划", None)]
    assert keys(write_book(tmp_path / "b.xlsx", wrong)) == [
        ("plan.header_twice", "plan", 7),
        ("plan.unknown_key", "plan", 8),
    ]
    book = Workbook(tmp_path / "c.xlsx")
    for table in ("sites", "plants"):
        sheet = book.add_worksheet(table)
        for number, row in enumerate(rows_of(f"{table}.csv")):
            sheet.write_row(number, 0, row)
    book.close()
    assert [problem.text.key for problem in check_plan(tmp_path / "c.xlsx")] == ["plan.no_plan_sheet"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"<html>", b"\x00" * 100])
def test_what_is_no_workbook(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "park.xlsx").write_bytes(content)
    assert [problem.text.key for problem in check_plan(tmp_path / "park.xlsx")] == ["plan.workbook_broken"]


def test_a_damaged_workbook_is_a_problem(tmp_path: Path) -> None:
    sound = write_book(tmp_path / "park.xlsx").read_bytes()
    for cut in range(0, len(sound), max(1, len(sound) // 40)):
        (tmp_path / "cut.xlsx").write_bytes(sound[:cut])
        assert check_plan(tmp_path / "cut.xlsx")
    with zipfile.ZipFile(io.BytesIO(sound)) as archive:
        members = {item: archive.read(item) for item in archive.namelist()}
    for lost in members:
        with zipfile.ZipFile(tmp_path / "lost.xlsx", "w") as archive:
            for name, content in members.items():
                archive.writestr(name, b"<broken" if name == lost else content)
        for problem in check_plan(tmp_path / "lost.xlsx"):
            assert problem.render("en")


def fill(sheet: Worksheet, table: str, frame: pl.DataFrame, language: str) -> None:
    """Write a table's values below the template's headers, choices in the template's language."""
    for position, column in enumerate(columns()[table]):
        for number, value in enumerate(frame[column.name], start=1):
            if value is not None:
                is_choice = column.type == "choice"
                sheet.write(number, position, choice_label(column, value, language) if is_choice else value)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_filled_template_reads_back(tmp_path: Path, language: str) -> None:
    """Fill the template of either language with an example's values and read it."""
    wanted = read_plan(example("quickstart"))
    template = CalamineWorkbook.from_path(write_template(tmp_path / "empty.xlsx", language))
    book = Workbook(tmp_path / "filled.xlsx")
    sheets = {name: book.add_worksheet(name) for name in template.sheet_names}
    for name, sheet in sheets.items():
        for number, row in enumerate(template.get_sheet_by_name(name).to_python()):
            sheet.write_row(number, 0, row)
    for number, key in enumerate(plan_keys(), start=1):
        value = getattr(wanted.meta, key.name)
        shown = "; ".join(map(str, value)) if isinstance(value, tuple) else value
        sheets[table_label("plan", language)].write(number, 1, shown)
    for table, frame in wanted.tables.items():
        fill(sheets[table_label(table, language)], table, frame, language)
    book.close()
    plan = read_plan(tmp_path / "filled.xlsx")
    assert plan.meta == wanted.meta
    assert plan.notices == wanted.notices
    for table, frame in wanted.tables.items():
        assert frame.equals(plan.tables[table]), table
    assert plan.library.recipes.equals(wanted.library.recipes)


def test_template_has_units_meanings_drop_downs_and_frozen_headers(tmp_path: Path) -> None:
    path = write_template(tmp_path / "plan.xlsx", "zh")
    with zipfile.ZipFile(path) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".xml")}
    sheets = [text for name, text in texts.items() if name.startswith("xl/worksheets/sheet")]
    assert len(sheets) == len(columns()) + 2
    assert all('state="frozen"' in text for text in sheets)
    comments = "".join(text for name, text in texts.items() if "comments" in name)
    assert "单位：km2" in comments
    assert "必填" in comments
    validations = "".join(sheets)
    assert "已建,已定,备选" in validations
    height = load_library().technologies.height
    assert f"选项'!$A$2:$A${height + 1}" in validations.replace("&apos;", "'")
    statuses = [header_label(column, "zh") for column in columns()["plants"]]
    read = CalamineWorkbook.from_path(path).get_sheet_by_name("装置").to_python()
    assert read[0] == statuses


def test_template_refuses_to_overwrite(tmp_path: Path) -> None:
    path = write_template(tmp_path / "plan.xlsx", "en")
    before = path.read_bytes()
    with pytest.raises(UserError, match="exists"):
        write_template(path, "en")
    assert path.read_bytes() == before
    with pytest.raises(UserError, match=r"\.xlsx"):
        write_template(tmp_path / "plan.xls", "en")
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot be written"):
        write_template(tmp_path / "file" / "plan.xlsx", "en")


def test_numbers_of_a_workbook_are_exact(tmp_path: Path) -> None:
    def change(sheets: dict[str, Worksheet], book: Workbook) -> None:
        for row, value in enumerate([1 / 3, 1e-9, 123456789012.5], start=1):
            sheets["sites"].write_row(row + 2, 0, [f"s{row}", "", "city", "parcel", "", "", ""])
            sheets["plants"].write_row(row + 3, 0, [f"p{row}", f"s{row}", "coal_power", "existing", value, value])

    plan = read_plan(write_book(tmp_path / "park.xlsx", change))
    found = plan.tables["plants"].filter(pl.col("plant").str.starts_with("p1") | pl.col("plant").is_in(["p2", "p3"]))
    assert found["capacity"].to_list() == [1 / 3, 1e-9, 123456789012.5]
