"""Headers, file and sheet names: each accepted name of each column and table, and units beside them."""

from pathlib import Path

import polars as pl
import pytest
from texts import column
from xlsxwriter import Workbook

from cyclopolis.plan.cells import ROW, Sheet
from cyclopolis.plan.headers import nearest, to_text_table
from cyclopolis.plan.meta import meta_from_sheet, meta_from_toml, read_meta
from cyclopolis.plan.schema import columns, fold, header_names, plan_keys, table_names, tables
from cyclopolis.plan.source import read_source
from cyclopolis.plan.table_reader import read_csv
from cyclopolis.plan.workbook import read_workbook

ALIASES = {
    table: [(entry.name, name) for entry in described for name in (entry.name, *entry.aliases)]
    for table, described in columns().items()
}
TABLES = sorted(ALIASES)


def sheet_of(*rows: tuple[str | None, ...], header_row: int = 1) -> Sheet:
    header, *body = rows
    cells = {str(place): [row[place] for row in body] for place in range(len(header))}
    frame = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String()))
    frame = frame.with_columns(pl.int_range(header_row + 1, header_row + 1 + len(body), dtype=pl.Int64).alias(ROW))
    return Sheet("x.csv", "", tuple(cell or "" for cell in header), header_row, frame)


def layers(table: str) -> list[list[tuple[str, str]]]:
    """Return header rows that together use each alias of each column, each column at most once in a row."""
    names = {entry.name: [entry.name, *entry.aliases] for entry in columns()[table]}
    depth = max(map(len, names.values()))
    return [
        [(name, aliases[min(layer, len(aliases) - 1)]) for name, aliases in names.items()] for layer in range(depth)
    ]


@pytest.mark.parametrize("table", TABLES)
def test_each_alias_of_each_column_in_a_csv_file(table: str, tmp_path: Path) -> None:
    path, used = tmp_path / f"{table}.csv", set()
    for layer in layers(table):
        cells = [name for name, _ in layer]
        path.write_text(",".join(alias for _, alias in layer) + "\n" + ",".join(cells) + "\n", encoding="utf-8")
        sheet, problems = read_csv(path, path.name)
        assert (problems, sheet is None) == ([], False)
        text, problems = to_text_table(sheet, table)
        assert problems == []
        assert text.written == dict(layer)
        assert text.frame.select(cells).row(0) == tuple(cells)
        used |= set(layer)
    assert used == set(ALIASES[table])


def test_each_alias_of_each_column_in_a_workbook(tmp_path: Path) -> None:
    book = Workbook(tmp_path / "all.xlsx")
    wanted = {}
    for table in TABLES:
        for number, layer in enumerate(layers(table)):
            page = book.add_worksheet(f"{table}{number}")
            wanted[page.name] = (table, layer)
            page.write_row(1, 1, [alias for _, alias in layer])
            page.write_row(3, 1, [name for name, _ in layer])
    book.close()
    for name, _, sheet, found in read_workbook(tmp_path / "all.xlsx"):
        table, layer = wanted.pop(name)
        assert (found, sheet is None) == ([], False)
        assert sheet.header_row == 2
        text, problems = to_text_table(sheet, table)
        assert problems == []
        assert text.frame.select(name for name, _ in layer).row(0) == tuple(name for name, _ in layer)
        assert text.frame[ROW].to_list() == [4]
    assert wanted == {}


@pytest.mark.parametrize("table", TABLES)
def test_headers_in_capitals_full_width_and_with_spaces(table: str) -> None:
    for entry in columns()[table]:
        wide = entry.name.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
        for written in (entry.name.upper(), f" {entry.name} ", entry.name.replace("_", " "), wide):
            assert header_names(table)[fold(written)] == entry.name


@pytest.mark.parametrize(("header", "name", "unit"), [
    ("area_km2 [公顷]", "area_km2", "公顷"), ("面积（亩）", "area_km2", "亩"), ("规划面积(ha)", "area_km2", "ha"),
    ("面积 ［ 平方公里 ］", "area_km2", "平方公里"), ("人口(万人)", "population", "万人"), ("经度（°）", "lon", "°"),
    ("可开发用地[亩]", "developable_ha", "亩"), ("面积", "area_km2", ""), ("名称（中文）", "name", ""),
])  # fmt: skip
def test_a_unit_beside_a_header(header: str, name: str, unit: str) -> None:
    text, problems = to_text_table(sheet_of(("site", "kind", header), ("a", "park", "5")), "sites")
    assert problems == []
    assert text.written[name] == header
    assert dict(text.header_units) == ({name: unit} if unit else {})


@pytest.mark.parametrize(("header", "near"), [
    ("capasity", "capacity"), ("tehnology", "technology"), ("产 能量", "产能"), ("zzzzzz", ""), ("状态栏", "状态"),
    ("capacity [t", "capacity"), ("装置名", "装置名称"),
])  # fmt: skip
def test_a_header_of_nobody_gets_the_nearest(header: str, near: str) -> None:
    sheet = sheet_of(("plant", "technology", "status", header), ("a", "coal_power", "existing", "5"), header_row=3)
    _, (problem,) = to_text_table(sheet, "plants")
    assert (problem.text.key, problem.row, problem.column) == ("plan.unknown_column", 3, header)
    assert fold(problem.suggestion) == fold(near)


def test_one_column_under_two_headers_keeps_the_first() -> None:
    sheet = sheet_of(("site", "kind", "面积", "area_km2"), ("a", "park", "5", "6"))
    text, (problem,) = to_text_table(sheet, "sites")
    assert (problem.text.key, problem.column, problem.text.values["other"]) == ("plan.header_twice", "area_km2", "面积")
    assert text.frame["area_km2"].to_list() == ["5"]


def test_cells_under_no_header_are_told_and_empty_ones_are_not() -> None:
    told = to_text_table(sheet_of(("site", "", "kind"), ("a", "x", "park")), "sites")[1]
    assert [(problem.text.key, problem.row, problem.column) for problem in told] == [("plan.no_header", 1, "B")]
    assert to_text_table(sheet_of(("site", "", "kind"), ("a", None, "park")), "sites")[1] == []


@pytest.mark.parametrize("table", TABLES)
def test_each_required_column_that_is_missing(table: str) -> None:
    needed = [entry.name for entry in columns()[table] if entry.required]
    _, problems = to_text_table(sheet_of(("note",), ("x",)), table)
    assert [problem.text.values["name"] for problem in problems] == needed
    assert {problem.text.key for problem in problems} <= {"plan.missing_column"}
    for problem in problems:
        alias = column(table, str(problem.text.values["name"])).aliases[0]
        assert alias in problem.render("en")
        assert alias in problem.render("zh")


def test_a_misspelt_required_header_is_told_once() -> None:
    _, problems = to_text_table(sheet_of(("site", "knd"), ("a", "park")), "sites")
    assert [(problem.text.key, problem.suggestion) for problem in problems] == [("plan.unknown_column", "kind")]


@pytest.mark.parametrize("table", sorted(tables()))
def test_each_name_of_a_table(table: str) -> None:
    for name in (table, *tables()[table].aliases):
        for written in (name, name.upper(), f" {name} "):
            assert table_names()[fold(written)] == table


@pytest.mark.parametrize(("name", "near"), [
    ("plnts.csv", "plants"), ("sites2.csv", "sites"), ("装置一览.csv", "装置"), ("limts.csv", "limits"),
    ("qqqqqqqq.csv", ""),
])  # fmt: skip
def test_a_file_of_nobody_is_noted_with_the_nearest(write_plan, name: str, near: str) -> None:
    source = read_source(write_plan({name: "a,b\n1,2\n"}))
    (problem,) = source.problems
    assert (problem.text.key, problem.severity, problem.file) == ("plan.unknown_table", "notice", name)
    assert problem.suggestion == near
    assert name not in source.inputs


@pytest.mark.parametrize("key", [entry.name for entry in plan_keys()])
def test_each_alias_of_each_key_of_the_plan(key: str) -> None:
    entry = next(entry for entry in plan_keys() if entry.name == key)
    for alias in (entry.name, *entry.aliases, entry.name.upper()):
        meta, problems = meta_from_toml(f'"{alias}" = "x"\n'.encode(), "plan.toml")
        assert problems == []
        assert meta.items == {key: (alias, "x", None, None)}
        sheet = sheet_of(("键", "值"), (alias, "x"))
        meta, problems = meta_from_sheet(sheet)
        assert problems == []
        assert meta.items == {key: (alias, "x", 2, None)}


GOOD = {"name": '"X"', "base_year": "2023", "horizon": "[2028, 2035]", "discount_rate": "0.06"}


@pytest.mark.parametrize(("key", "value", "said", "shown"), [
    ("base_year", '"soon"', "plan.not_a_year", "soon"),
    ("base_year", "1905-07-15", "plan.year_as_date", "1905-07-15"),
    ("base_year", "1850", "plan.outside", "1850"),
    ("base_year", "true", "plan.not_a_year", "yes"),
    ("horizon", "[2028, 1905-07-27]", "plan.year_as_date", "2028;1905-07-27"),
    ("horizon", "[2028, 2028]", "plan.horizon_order", "2028;2028"),
    ("horizon", "[2035, 2028]", "plan.horizon_order", "2035;2028"),
    ("horizon", "2023", "plan.horizon_before", "2023"),
    ("horizon", "[2300]", "plan.outside", "2300"),
    ("horizon", '["x"]', "plan.not_a_year", "x"),
    ("horizon", '";"', "plan.not_a_year", ";"),
    ("discount_rate", "8", "plan.outside", "8"),
    ("discount_rate", "nan", "plan.not_a_number", "nan"),
    ("discount_rate", "inf", "plan.not_a_number", "inf"),
    ("discount_rate", '"8 per cent"', "plan.not_a_number", "8 per cent"),
    ("currency", '"USD"', "plan.not_a_choice", "USD"),
    ("language", '"fr"', "plan.not_a_choice", "fr"),
    ("name", '""', "plan.missing_key", ""),
])  # fmt: skip
def test_a_wrong_key_of_the_plan(key: str, value: str, said: str, shown: str) -> None:
    toml = "".join(f"{name} = {text}\n" for name, text in {**GOOD, key: value}.items())
    meta, problems = read_meta(meta_from_toml(toml.encode(), "plan.toml")[0])
    assert meta is None
    assert [(p.text.key, p.file, p.column, p.value) for p in problems] == [(said, "plan.toml", key, shown)]


@pytest.mark.parametrize(("key", "value", "wanted"), [
    ("base_year", '"２０２３年"', 2023), ("base_year", "2023.0", 2023), ("base_year", "2023-12-31", 2023),
    ("horizon", '"2030、2035"', (2030, 2035)), ("horizon", '"2030；2035年"', (2030, 2035)), ("horizon", "[]", ()),
    ("horizon", "2030", (2030,)), ("discount_rate", '"8%"', 0.08), ("discount_rate", '"８ ％"', 0.08),
    ("discount_rate", "0", 0.0), ("currency", '"元"', "CNY"), ("language", '"中文"', "zh"), ("name", "5", "5"),
    ("place", '" 山西 "', "山西"), ("place", '"<script>"', "<script>"),
])  # fmt: skip
def test_a_key_of_the_plan_in_its_forms(key: str, value: str, wanted: object) -> None:
    toml = "".join(f"{name} = {text}\n" for name, text in {**GOOD, key: value}.items())
    meta, problems = read_meta(meta_from_toml(toml.encode(), "plan.toml")[0])
    assert problems == []
    assert getattr(meta, key) == pytest.approx(wanted) if isinstance(wanted, float) else getattr(meta, key) == wanted


def test_nearest_needs_a_likeness() -> None:
    assert nearest("fly ash", ["fly_ash", "bottom_ash"]) == "fly_ash"
    assert nearest("FLY-ASH", ["fly_ash"]) == "fly_ash"
    assert nearest("fly_ach", ["fly_ash"], 95.0) == ""
    assert nearest("water", []) == ""
    assert nearest("", ["a"]) == ""
