"""Scenarios on small texts: what each change does, in which order, where it meets nothing, and what it may not do."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import text_table

from cyclopolis.plan import check_plan, read_plan
from cyclopolis.plan.cells import PLACE, ROW
from cyclopolis.plan.meta import MetaText
from cyclopolis.plan.scenario import apply_scenarios
from cyclopolis.plan.schema import columns
from cyclopolis.plan.source import Source

PLANTS = [
    {"plant": "a", "technology": "x", "status": "existing", "capacity": "1,000", "activity": "50%", "note": "n"},
    {"plant": "b", "technology": "x", "status": "已建", "capacity": "2e3", "may_close": "是"},
    {"plant": "c", "technology": "y", "status": "candidate", "capacity": "", "build_until": "2030年"},
]
META = {"name": "X", "base_year": "2023", "discount_rate": "8%", "horizon": "2030"}


def source_of(tmp_path: Path, toml: Mapping[str, str], rows: Sequence[Mapping[str, str]] = ()) -> Source:
    meta = MetaText("plan.toml", "", {key: (key, value, None, None) for key, value in META.items()})
    source = Source(tmp_path, meta, {table: text_table(table) for table in columns()})
    source.tables["plants"] = text_table("plants", *PLANTS)
    source.tables["scenarios"] = text_table("scenarios", *({"scenario": "s", **row} for row in rows))
    for name, content in toml.items():
        (tmp_path / f"{name}.toml").write_text(content, encoding="utf-8")
        source.scenarios[name] = tmp_path / f"{name}.toml"
    return source


def after(tmp_path: Path, *rows: Mapping[str, str]) -> Source:
    """Return the plan's texts after the changes of one sheet."""
    source = source_of(tmp_path, {}, rows)
    apply_scenarios(source, ["s"])
    return source


def change(action: str, where: str = "", name: str = "", value: str = "", table: str = "plants") -> dict[str, str]:
    return {"action": action, "table": table, "where": where, "column": name, "value": value}


WHERE = [
    ("", "abc"), ("plant=a", "a"), ("plant=A", ""), ("装置=a", "a"), ("status=existing", "ab"), ("状态=现有", "ab"),
    ("status=candidate", "c"), ("capacity=1000", "a"), ("capacity=2,000", "b"), ("capacity=２０００", "b"),
    ("capacity=", "c"), ("capacity= ; plant=c", "c"), ("build_until=2030", "c"), ("build_until=2030-01-01", "c"),
    ("may_close=yes", "b"), ("may_close=no", ""), ("may_close=", "ac"), ("technology=x; capacity=2e3", "b"),
    ("technology=x；plant＝b", "b"), ("technology=y;plant=a", ""), (" plant = a ;", "a"), ("capacity=ten", ""),
    ("status=nonsense", ""), ("note=n", "a"), ("产能=1000;状态=在产", "a"),
]  # fmt: skip


@pytest.mark.parametrize(("where", "plants"), WHERE)
def test_where(tmp_path: Path, where: str, plants: str) -> None:
    source = after(tmp_path, change("set", where, "name", "hit"))
    frame = source.tables["plants"].frame
    assert "".join(frame.filter(name="hit")["plant"]) == plants
    expected = [] if plants else ["plan.change_no_row"]
    assert [problem.text.key for problem in source.problems] == expected
    assert all((p.file, p.row, p.column) == ("scenarios.csv", 2, "where") for p in source.problems)
    touched = pl.col("plant").is_in(list(plants))
    assert frame.filter(touched)[PLACE].to_list() == ["scenarios.csv"] * len(plants)
    assert frame.filter(~touched)[PLACE].null_count() == 3 - len(plants)


@pytest.mark.parametrize(("row", "name", "wanted"), [
    (change("set", "plant=a", "capacity", "5"), "capacity", ["5", "2e3", None]),
    (change("设定", "plant=a", "产能", "5"), "capacity", ["5", "2e3", None]),
    (change("set", "plant=a", "capacity", ""), "capacity", [None, "2e3", None]),
    (change("scale", "", "capacity", "2"), "capacity", ["2000.0", "4000.0", None]),
    (change("scale", "plant=b", "capacity", "50%"), "capacity", ["1,000", "1000.0", None]),
    (change("乘以", "plant=b", "capacity", "０．１"), "capacity", ["1,000", "200.0", None]),
    (change("scale", "", "capacity", "0"), "capacity", ["0.0", "0.0", None]),
    (change("scale", "", "capacity", "-1"), "capacity", ["-1000.0", "-2000.0", None]),
    (change("remove", "plant=b"), "plant", ["a", "c"]),
    (change("remove"), "plant", []),
    (change("add", "", "", "plant=d; 技术=z; status=candidate; capacity=5"), "plant", ["a", "b", "c", "d"]),
    (change("add", "", "", "plant=d;capacity=5"), "capacity", ["1,000", "2e3", None, "5"]),
])  # fmt: skip
def test_what_a_change_does(tmp_path: Path, row: Mapping[str, str], name: str, wanted: list[str | None]) -> None:
    source = after(tmp_path, row)
    assert source.problems == []
    assert source.tables["plants"].frame[name].to_list() == wanted


def test_an_added_row_stands_where_the_scenario_says(tmp_path: Path) -> None:
    source = after(tmp_path, change("set", "plant=a", "note", "z"), change("add", "", "", "plant=d"))
    frame = source.tables["plants"].frame
    assert frame.select("plant", ROW, PLACE).rows() == [
        ("a", 2, "scenarios.csv"), ("b", 3, None), ("c", 4, None), ("d", 3, "scenarios.csv"),
    ]  # fmt: skip
    assert frame.row(3, named=True)["capacity"] is None


@pytest.mark.parametrize(("row", "key", "name", "value", "suggestion"), [
    (change("multiply", "", "capacity", "2"), "plan.not_a_choice", "action", "multiply", ""),
    (change("set", "", "capacity", "2", "plnts"), "plan.change_table", "table", "plnts", "plants"),
    (change("set", "", "capacity", "2", "scenarios"), "plan.change_table", "table", "scenarios", ""),
    (change("set", "", "capasity", "2"), "plan.change_column", "column", "capasity", "capacity"),
    (change("set", "", "", "2"), "plan.change_column", "column", "", ""),
    (change("set", "plnt=a", "capacity", "2"), "plan.change_column", "where", "plnt", "plant"),
    (change("remove", "plant"), "plan.change_pairs", "where", "plant", ""),
    (change("add", "", "", ""), "plan.change_add", "value", "", ""),
    (change("add", "", "", "plant"), "plan.change_pairs", "value", "plant", ""),
    (change("add", "", "", "plnt=d"), "plan.change_column", "value", "plnt", "plant"),
    (change("scale", "", "capacity", "x"), "plan.not_a_number", "value", "x", ""),
    (change("scale", "", "capacity", ""), "plan.not_a_number", "value", "", ""),
    (change("scale", "", "name", "2"), "plan.change_scale", "column", "name", ""),
    (change("scale", "", "build_until", "2"), "plan.change_scale", "column", "build_until", ""),
    (change("scale", "plant=c", "capacity", "2"), "plan.change_unknown", "column", "capacity", ""),
    (change("scale", "", "lifetime", "2"), "plan.change_unknown", "column", "lifetime", ""),
    (change("remove", "", "", "", "plan"), "plan.change_plan", "action", "", ""),
    (change("add", "", "", "name=x", "plan"), "plan.change_plan", "action", "", ""),
    (change("set", "name=X", "name", "Y", "plan"), "plan.change_plan", "action", "", ""),
    (change("scale", "", "name", "2", "plan"), "plan.change_unknown", "column", "name", ""),
    (change("scale", "", "discount_rate", "x", "plan"), "plan.change_unknown", "column", "discount_rate", ""),
    (change("scale", "", "place", "2", "plan"), "plan.change_unknown", "column", "place", ""),
    (change("set", "", "nme", "Y", "plan"), "plan.change_column", "column", "nme", "name"),
])  # fmt: skip
def test_what_a_change_may_not_do(
    tmp_path: Path, row: Mapping[str, str], key: str, name: str, value: str, suggestion: str
) -> None:
    source = after(tmp_path, row)
    (problem,) = source.problems
    assert (problem.text.key, problem.file, problem.row) == (key, "scenarios.csv", 2)
    assert (problem.column, problem.value) == (name, value)
    assert problem.suggestion == suggestion
    assert source.tables["plants"].frame.equals(text_table("plants", *PLANTS).frame)
    assert {name: entry[1] for name, entry in source.meta.items.items()} == META


@pytest.mark.parametrize(("row", "key", "wanted"), [
    (change("set", "", "名称", "Y", "规划"), "name", "Y"),
    (change("set", "", "discount_rate", "0.1", "plan"), "discount_rate", "0.1"),
    (change("scale", "", "discount_rate", "0.5", "plan"), "discount_rate", "0.04"),
    (change("scale", "", "base_year", "100%", "plan"), "base_year", "2023.0"),
    (change("set", "", "place", "Y", "plan.toml"), "place", "Y"),
])  # fmt: skip
def test_changes_of_the_plan_itself(tmp_path: Path, row: Mapping[str, str], key: str, wanted: str) -> None:
    source = after(tmp_path, row)
    assert source.problems == []
    assert source.meta.items[key][1:] == (wanted, 2, "scenarios.csv")


def one(value: str, based: str = "[]") -> str:
    """Return a scenario that doubles the capacity of plant a and sets its note."""
    what = 'table = "plants"\nwhere = { plant = "a" }\n'
    return (
        f'based_on = {based}\n[[change]]\naction = "scale"\n{what}column = "capacity"\n'
        f'value = 2\n[[change]]\naction = "set"\n{what}column = "note"\nvalue = "{value}"\n'
    )


@pytest.mark.parametrize(("names", "note", "capacity"), [
    ([], "n", "1,000"), (["p"], "p", "2000.0"), (["p", "q"], "q", "4000.0"), (["q", "p"], "p", "4000.0"),
    (["p", "p"], "p", "2000.0"), (["r"], "r", "8000.0"), (["r", "p"], "r", "8000.0"), (["t", "r"], "r", "16000.0"),
    (["q", "t"], "t", "8000.0"),
])  # fmt: skip
def test_each_scenario_is_laid_once_and_after_its_base(
    tmp_path: Path, names: list[str], note: str, capacity: str
) -> None:
    files = {"p": one("p"), "q": one("q"), "r": one("r", '["p", "q"]'), "t": one("t", '"p"')}
    source = source_of(tmp_path, files)
    apply_scenarios(source, names)
    assert source.problems == []
    assert source.tables["plants"].frame.select("note", "capacity").row(0) == (note, capacity)


@pytest.mark.parametrize(("files", "chain"), [
    ({"p": one("p", '["p"]')}, "p > p"),
    ({"p": one("p", '["q"]'), "q": one("q", '["p"]')}, "p > q > p"),
    ({"p": one("p", '["q"]'), "q": one("q", '["r"]'), "r": one("r", '["q"]')}, "p > q > r > q"),
])  # fmt: skip
def test_circles_of_scenarios(tmp_path: Path, files: Mapping[str, str], chain: str) -> None:
    source = source_of(tmp_path, files)
    apply_scenarios(source, ["p"])
    assert [problem.text.key for problem in source.problems] == ["plan.scenario_cycle"]
    assert source.problems[0].text.values["chain"] == chain


def test_a_scenario_of_nobody_gets_the_nearest_and_the_list(tmp_path: Path) -> None:
    source = source_of(tmp_path, {"dry_year": one("x")}, [change("remove")])
    apply_scenarios(source, ["dry_yaer"])
    (problem,) = source.problems
    assert (problem.text.key, problem.value, problem.suggestion) == ("plan.unknown_scenario", "dry_yaer", "dry_year")
    assert problem.text.values["available"] == "dry_year, s"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_lines_of_changes_in_any_encoding(tmp_path: Path, encoding: str, ends: str) -> None:
    source = source_of(tmp_path, {"p": ""})
    text = '# 干旱\n\n[[change]]\naction = "remove"\ntable = "plants"\nwhere = { plant = "z" }\n\n  [[ change ]]\n'
    text += 'action = "remove"\ntable = "plants"\nwhere = { plant = "甲" }\n'
    (tmp_path / "p.toml").write_bytes(text.replace("\n", ends).encode(encoding))
    apply_scenarios(source, ["p"])
    assert [(problem.row, problem.value) for problem in source.problems] == [(3, "plant=z"), (8, "plant=甲")]
    assert [problem.file for problem in source.problems] == ["scenarios/p.toml"] * 2


NAMES = st.sampled_from(["capacity", "activity", "note", "name", "status"])
VALUES = st.sampled_from(["5", "1.5", "existing", "", "x y", "2030", "50%"])
CHANGES = st.lists(
    st.tuples(st.sampled_from(["set", "scale", "remove"]), st.sampled_from(["a", "b", "c", "zz"]), NAMES, VALUES),
    min_size=1,
    max_size=5,
)


@settings(max_examples=30, deadline=None)
@given(changes=CHANGES)
def test_a_sheet_and_a_file_change_alike(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, ...]]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    rows = [change(action, f"plant={plant}", name, value) for action, plant, name, value in changes]
    sheet = after(folder, *rows)
    quoted = "".join(
        f'[[change]]\naction = "{action}"\ntable = "plants"\nwhere = {{ plant = "{plant}" }}\n'
        f'column = "{name}"\nvalue = "{value}"\n'
        for action, plant, name, value in changes
    )
    file = source_of(folder, {"f": quoted})
    apply_scenarios(file, ["f"])
    assert file.tables["plants"].frame.drop(ROW, PLACE).equals(sheet.tables["plants"].frame.drop(ROW, PLACE))
    assert [p.text.key for p in file.problems] == [p.text.key for p in sheet.problems]


SHEET = [
    ["scenario", "action", "table", "where", "column", "value"],
    ["dry", "set", "sites", "site=park", "population", "5万"],
    ["dry", "set", "sites", "site=park", "kind", "prak"],
    ["dry", "set", "plants", "plant=mill", "technology", "cement_ocp"],
    ["dry", "set", "plants", "plant=power", "build_until", "soon"],
    ["dry", "set", "markets", "", "sell_price", "dear"],
    ["dry", "add", "sites", "", "", "site=new"],
    ["dry", "set", "plan", "", "base_year", "never"],
]


def test_types_are_checked_after_the_override(write_plan) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(SHEET)
    folder = write_plan({"scenarios.csv": text.getvalue()})
    assert check_plan(folder) == ()
    found = {(p.text.key, p.row, p.column, p.value, p.suggestion) for p in check_plan(folder, ["dry"])}
    assert found == {
        ("plan.not_a_number", 3, "population", "5万", ""),
        ("plan.not_a_choice", 3, "kind", "prak", "park"),
        ("plan.unknown_id", 4, "technology", "cement_ocp", "cement_opc"),
        ("plan.not_a_year", 5, "build_until", "soon", ""),
        ("plan.not_a_number", 6, "sell_price", "dear", ""),
        ("plan.empty_cell", 7, "kind", "", ""),
        ("plan.not_a_year", 8, "base_year", "never", ""),
    }
    assert {problem.file for problem in check_plan(folder, ["dry"])} == {"scenarios.csv"}


def test_an_override_reaches_the_library_and_leaves_the_plan_as_it_was(write_plan) -> None:
    text = (
        '[[change]]\naction = "add"\ntable = "commodities"\nvalue = { commodity = "cement", price_high = 999 }\n'
        '[[change]]\naction = "add"\ntable = "recipes"\n'
        'value = { technology = "cement_opc", commodity = "clinker", direction = "in", amount = 0.5, '
        'source = "假设" }\n'
    )
    folder = write_plan({"scenarios/dear.toml": text})
    plain, dear = read_plan(folder), read_plan(folder, ["dear"])
    assert dear.library.commodities.filter(commodity="cement")["price_high"].item() == 999.0
    assert plain.library.commodities.filter(commodity="cement")["price_high"].item() < 999.0
    row = dear.library.recipes.filter(technology="cement_opc", commodity="clinker")
    assert row.select("amount", "provenance").row(0) == (0.5, "assumed")
    assert dear.meta == plain.meta
    assert dear.tables["plants"].equals(plain.tables["plants"])
