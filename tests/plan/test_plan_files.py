"""Files as they come: encodings, blank and ragged rows, quoted lines; a workbook says what its folder says."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sound_plan import MARKETS, PLANTS, SITES, SOUND
from xlsxwriter import Workbook

from cyclopolis.examples import example
from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.plan import Plan, check_plan, new_plan, read_plan
from cyclopolis.plan.cells import ROW
from cyclopolis.plan.schema import choice_label, columns, header_label, plan_keys, table_label, tables
from cyclopolis.plan.table_reader import decode, read_csv

TEXT = "场地,类型,备注\n甲,园区,“煤—电”\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding: str) -> None:
    marks = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
    assert decode(marks.get(encoding, b"") + TEXT.encode(encoding), "x.csv") == TEXT


@pytest.mark.parametrize(("data", "byte", "line"), [
    (b"\xff", 1, 1), (b"ab\n\xff\xff", 4, 2), ("甲\n乙".encode() + b"\xff", 8, 2), (b"\xff\xfea", 3, 1),
    ("甲,\n".encode("gb18030") + b"\x80\xff", 5, 2),
])  # fmt: skip
def test_the_first_byte_that_no_encoding_knows(data: bytes, byte: int, line: int) -> None:
    problem = decode(data, "x.csv")
    assert isinstance(problem, Problem)
    assert (problem.text.key, problem.file) == ("plan.encoding", "x.csv")
    assert problem.text.values == {"byte": byte, "line": line}


ROWS = [
    ("a,b\n1,2\n3,4\n", [(2, "1", "2"), (3, "3", "4")], []),
    ("a,b\n1,2", [(2, "1", "2")], []),
    ("\n\na,b\n\n1,2\n ,\u3000\n3,4\n", [(5, "1", "2"), (7, "3", "4")], []),
    ('a,b\n"1\n1",2\n3,4\n', [(2, "1\n1", "2"), (3, "3", "4")], []),
    ('a,b\n"1\n\n\n1","2\n"\n3,4\n', [(2, "1\n\n\n1", "2"), (3, "3", "4")], []),
    ('a,b\n"1,1","say ""2"""\n', [(2, "1,1", 'say "2"')], []),
    ("a,b\r\n1,2\r\n\r\n3,4\r\n", [(2, "1", "2"), (4, "3", "4")], []),
    ("a,b\r1,2\r3,4", [(2, "1", "2"), (3, "3", "4")], []),
    ("a,b\n1\n3,4\n", [(2, "1", None), (3, "3", "4")], [("plan.row_length", 2, 1, 2)]),
    ("a,b\n1,2,3\n3,4\n", [(2, "1", "2"), (3, "3", "4")], [("plan.row_length", 2, 3, 2)]),
    ("a,b\n1,2,\n", [(2, "1", "2")], [("plan.row_length", 2, 3, 2)]),
    ("a,b\n\n1,2\n\n7\n", [(3, "1", "2"), (5, "7", None)], [("plan.row_length", 5, 1, 2)]),
    ("a;b\n1,5;2\n", [(2, "1,5", "2")], []),
    ("a\tb\n1,5\t2\n", [(2, "1,5", "2")], []),
    ('"a","b"\n"",2\n', [(2, None, "2")], []),
    ("a,b\n,\n,,\n1,2\n", [(4, "1", "2")], []),
    ("a,b\n", [], []),
    ('a,b\n1,"2\n3,4\n', [(2, "1", "2\n3,4")], [("plan.quote_open", 2, None, None)]),
]


@pytest.mark.parametrize(("text", "rows", "wanted"), ROWS)
def test_rows_of_a_csv_file(
    tmp_path: Path, text: str, rows: list[tuple[int, str, str]], wanted: list[tuple[str, int, int, int]]
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    sheet, problems = read_csv(path, "x.csv")
    assert sheet is not None
    assert sheet.header == ("a", "b")
    assert sheet.frame.select(ROW, "0", "1").rows() == rows
    found = [(p.text.key, p.row, p.text.values.get("found"), p.text.values.get("expected")) for p in problems]
    assert found == wanted


@pytest.mark.parametrize("text", ["", "\n\n", " , \n\u3000,\n", "\ufeff"])
def test_a_file_without_a_letter_is_empty(tmp_path: Path, text: str, write_plan) -> None:
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    assert read_csv(tmp_path / "x.csv", "x.csv") == (None, [])
    assert check_plan(write_plan({"exchanges.csv": text})) == ()
    assert check_plan(write_plan({"sites.csv": text}))[0].text.key == "plan.no_rows"


def test_problems_of_many_tables_stand_in_a_stable_order(write_plan) -> None:
    bad = {
        "markets.csv": "commodity,sell_price\nbrik,360\ncement,x\n",
        "plants.csv": PLANTS.replace("coal_power", "cole_power").replace("30000", "thirty"),
        "sites.csv": SITES.replace("106.7", "east"),
        "notes.csv": "a\n1\n",
    }
    found = [(p.severity, p.file, p.row, p.value) for p in check_plan(write_plan(bad))]
    assert found == [
        ("error", "sites.csv", 3, "east"),
        ("error", "plants.csv", 2, "cole_power"),
        ("error", "plants.csv", 4, "thirty"),
        ("error", "markets.csv", 2, "brik"),
        ("error", "markets.csv", 3, "x"),
        ("notice", "notes.csv", None, ""),
    ]


def as_book(plan: Plan, path: Path, language: str) -> Path:
    """Write a plan's tables as a workbook with headers, sheets and choices in one language.

    Values of a plan are in the schema's units already, so the units that its rows once had are left out.
    """
    book = Workbook(path)
    page = book.add_worksheet(table_label("plan", language))
    for number, key in enumerate(plan_keys()):
        value = getattr(plan.meta, key.name)
        page.write_row(
            number, 0, [header_label(key, language), ";".join(map(str, value)) if isinstance(value, tuple) else value]
        )
    for table, frame in plan.tables.items():
        page = book.add_worksheet(table_label(table, language))
        for position, column in enumerate(columns()[table]):
            if column.name in tables()[table].units:
                continue
            page.write_string(1, position, header_label(column, language))
            for number, value in enumerate(frame[column.name].to_list(), start=2):
                if value is None:
                    continue
                if column.type == "choice":
                    page.write_string(number, position, choice_label(column, value, language))
                elif isinstance(value, str):
                    page.write_string(number, position, value)
                else:
                    page.write(number, position, value)
    book.close()
    return path


@pytest.mark.parametrize(("name", "language"), [("quickstart", "en"), ("changzhi", "zh"), ("liupanshui", "zh")])
def test_an_example_as_a_workbook_is_the_same_plan(tmp_path: Path, name: str, language: str) -> None:
    wanted = read_plan(example(name))
    small = wanted.tables["enterprises"].head(150)
    if wanted.tables["enterprises"].height > small.height:
        used = wanted.tables["plants"]["enterprise"].drop_nulls().unique()
        small = wanted.tables["enterprises"].filter(pl.col("enterprise").is_in(used.implode()))
    frames = {**wanted.tables, "enterprises": small}
    cut = Plan(wanted.meta, frames, wanted.library, {}, (), (), wanted.folder)
    book = read_plan(as_book(cut, tmp_path / "plan.xlsx", language))
    assert book.meta == wanted.meta
    for table, frame in frames.items():
        units = list(tables()[table].units)
        assert frame.drop(units).equals(book.tables[table].drop(units)), table
    assert [problem.text.key for problem in book.notices] == [problem.text.key for problem in wanted.notices]
    for table, frame in wanted.library.tables().items():
        assert frame.equals(book.library.tables()[table]), table
    assert (book.folder, list(book.inputs)) == (tmp_path / "plan", ["plan.xlsx"])


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("sound")
    for name, content in SOUND.items():
        (folder / name).write_text(content, encoding="utf-8")
    return read_plan(folder)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_of_rows_and_columns_is_the_same_plan(tmp_path: Path, sound: Plan, data: st.DataObject) -> None:
    (tmp_path / "plan.toml").write_text(SOUND["plan.toml"], encoding="utf-8")
    for name, content in {"sites.csv": SITES, "plants.csv": PLANTS, "markets.csv": MARKETS}.items():
        header, *rows = csv.reader(io.StringIO(content))
        order = data.draw(st.permutations(range(len(header))))
        rows = data.draw(st.permutations(rows))
        text = io.StringIO(newline="")
        csv.writer(text).writerows([[row[place] for place in order] for row in (header, *rows)])
        (tmp_path / name).write_text(text.getvalue(), encoding="utf-8", newline="")
    again = read_plan(tmp_path)
    assert again.meta == sound.meta
    for table, frame in sound.tables.items():
        assert frame.equals(again.tables[table]), table


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_problem_names_its_place_in_both_languages(language: str) -> None:
    said = message("plan.not_a_number")
    problem = Problem(said, "error", "厂.csv", "装置", 1234, "产能", "十", "10")
    line = problem.render(language)
    for part in ("厂.csv", "装置", "1234", "产能", "十", "10", said.render(language)):
        assert part in line
    assert ("file" in line) == (language == "en")
    assert ("文件" in line) == (language == "zh")
    assert problem.as_dict(language) | {"text": ""} == {
        "severity": "error", "key": "plan.not_a_number", "file": "厂.csv", "sheet": "装置", "row": 1234,
        "line": None, "column": "产能", "value": "十", "suggestion": "10", "text": "",
    }  # fmt: skip
    bare = Problem(said, "notice")
    assert bare.render(language).endswith(": " + said.render(language))
    assert set(bare.as_dict(language).values()) >= {None, "notice"}


def test_the_error_of_a_plan_carries_every_problem_as_a_line(write_plan) -> None:
    folder = write_plan({"plants.csv": PLANTS.replace("coal_power", "cole_power"), "sites.csv": "site,kind\na,b\n"})
    with pytest.raises(UserError) as caught:
        read_plan(folder)
    problems = check_plan(folder)
    assert caught.value.problems == problems
    assert str(caught.value).splitlines() == [problem.render("en") for problem in problems]
    assert len(problems) > 2


EXISTING: Mapping[str, str] = {"file": "x", "folder/.hidden": "x", "folder/sub/file": "x"}


@pytest.mark.parametrize("name", EXISTING)
def test_a_new_plan_leaves_what_is_there(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(EXISTING[name], encoding="utf-8")
    target = tmp_path / name.partition("/")[0]
    with pytest.raises(UserError) as caught:
        new_plan(target, "quickstart")
    assert [problem.text.key for problem in caught.value.problems] == ["plan.folder_taken"]
    assert path.read_text(encoding="utf-8") == "x"
    assert [entry.name for entry in tmp_path.iterdir()] == [target.name]


def test_a_new_plan_of_no_example_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        new_plan(tmp_path / "mine", "changzi")
    assert caught.value.problems[0].suggestion == "changzhi" or "changzhi" in caught.value.problems[0].render("en")
    assert list(tmp_path.iterdir()) == []


def test_a_new_plan_takes_the_scenarios_but_no_programs_and_no_results(tmp_path: Path) -> None:
    folder = new_plan(tmp_path / "deep" / "mine", "changzhi")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"plan.toml", "sites.csv", "plants.csv", "scenarios/dry_year.toml"} <= names
    assert not any(name.endswith(".py") or "/." in name or name.startswith(("results", ".")) for name in names)
