"""Identities, copies, units of rows and headers, and the user's rows in the library."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from sound_plan import PLANTS
from texts import column, seen, text_table
from xlsxwriter import Workbook

from cyclopolis.library import load_library, with_user_rows
from cyclopolis.plan import check_plan, provenance, read_plan
from cyclopolis.plan.cells import PLACE
from cyclopolis.plan.convert import convert
from cyclopolis.plan.measure import apply_units, target_units
from cyclopolis.plan.schema import columns, tables
from cyclopolis.plan.tidy import check_keys, check_library_rows, sort_rows

LIBRARY = load_library()
UNITS = {
    "commodity": pl.DataFrame({"name": ["cement", "brick", "electricity"], "unit": ["t", "1000 pcs", "MWh"]}),
    "technology": pl.DataFrame({"name": ["cement_opc", "coal_power"], "unit": ["t", "MWh"]}),
}
KEYED = sorted(name for name, table in tables().items() if table.key and name != "plan")
KEYLESS = sorted(name for name, table in tables().items() if not table.key)


def row_of(table: str) -> dict[str, str]:
    """Return a row with every cell filled and readable."""
    cells = {"number": "2", "integer": "2", "year": "2030", "flag": "yes"}
    return {
        entry.name: (entry.choices[0] if entry.type == "choice" and not entry.choices[0].startswith("@") else "water")
        if entry.type == "choice"
        else cells.get(entry.type, "x")
        for entry in columns()[table]
    }


def other(table: str, name: str) -> str:
    """Return another value of a column than `row_of` gives."""
    entry = column(table, name)
    if entry.type == "choice":
        return "so2" if entry.choices[0].startswith("@") else entry.choices[1]
    return {"number": "3", "year": "2031", "flag": "no"}.get(entry.type, "y")


def keys_of(table: str, *rows: Mapping[str, str]) -> list[tuple[str, int | None, object]]:
    text = text_table(table, *rows)
    problems = check_keys(text, convert(text, {})[0])
    return [(problem.text.key, problem.row, problem.text.values["other"]) for problem in problems]


@pytest.mark.parametrize("table", KEYED)
def test_a_second_row_of_one_identity(table: str) -> None:
    key, row = tables()[table].key, row_of(table)
    said = "plan.duplicate_id" if len(key) == 1 else "plan.duplicate_row"
    rest = {name: other(table, name) for name in row if name not in key and column(table, name).type != "list"}
    assert keys_of(table, row, {**row, **rest}, row) == [(said, 3, 2), (said, 4, 2)]
    for name in key:
        assert keys_of(table, row, {**row, name: other(table, name)}) == []


@pytest.mark.parametrize("table", KEYLESS)
def test_a_copy_of_a_row_without_identity(table: str) -> None:
    row = row_of(table)
    assert keys_of(table, row, {**row, "note": "y"}, row) == [("plan.same_row", 4, 2)]
    bare = {name: row[name] for name in row if column(table, name).required}
    assert keys_of(table, bare, row, bare, bare) == [("plan.same_row", 4, 2), ("plan.same_row", 5, 2)]
    for name in row:
        if column(table, name).type != "list":
            assert keys_of(table, row, {**row, name: other(table, name)}) == [], name


def test_cells_that_cannot_be_read_make_no_copies() -> None:
    limit = {"scope": "park", "quantity": "water", "max": "5"}
    assert keys_of("limits", {**limit, "year": "soon"}, {**limit, "year": "later"}) == []
    assert keys_of("limits", limit, {**limit, "max": "6"}) == [("plan.duplicate_row", 3, 2)]
    market = {"commodity": "cement", "buy_price": "5"}
    assert keys_of("markets", {**market, "buy_max": "much"}, {**market, "buy_max": "more"}) == []
    assert keys_of("sites", {"kind": "park"}, {"kind": "park"}) == []


def test_rows_are_the_same_by_value_not_by_spelling() -> None:
    market = {"commodity": "cement", "buy_price": "1,000", "year": "2030年"}
    assert keys_of("markets", market, {"commodity": "cement", "buy_price": "1e3", "year": "2030"}) == [
        ("plan.same_row", 3, 2)
    ]


def test_a_copy_names_the_file_of_the_first() -> None:
    text = text_table("sites", {"site": "a", "kind": "park"}, {"site": "a", "kind": "park"}, sheet="园区")
    moved = text.with_frame(text.frame.with_columns(pl.Series(PLACE, [None, "scenarios/x.toml"], dtype=pl.String)))
    (problem,) = check_keys(moved, convert(moved, {})[0])
    assert (problem.file, problem.sheet, problem.row) == ("scenarios/x.toml", "", 3)
    assert "row 2 of 园区 has" in problem.render("en")
    assert "2（园区）" in problem.render("zh")


@pytest.mark.parametrize(("unit", "table", "rows", "wanted"), [
    ("@main/a", "plants", [{"technology": "cement_opc"}, {"technology": "coal_power"}, {"technology": "?"}],
     ["(t)/a", "(MWh)/a", None]),
    ("CNY/@main", "technologies", [{"technology": "coal_power"}], ["CNY/(MWh)"]),
    ("CNY/@commodity", "commodities", [{"commodity": "brick"}], ["CNY/(1000 pcs)"]),
    ("@commodity/@main", "recipes", [{"commodity": "electricity", "technology": "cement_opc"}], ["MWh/(t)"]),
    ("@displaced/@commodity", "substitutions", [{"commodity": "cement", "displaced": "brick"}], ["1000 pcs/(t)"]),
    ("@quantity", "limits", [{"quantity": "water"}, {"quantity": "budget"}], ["m3/a", "million CNY"]),
    ("ha", "sites", [{"site": "a"}, {"site": "b"}], ["ha", "ha"]),
])  # fmt: skip
def test_the_unit_that_a_row_is_held_in(
    unit: str, table: str, rows: list[dict[str, str]], wanted: list[str | None]
) -> None:
    found = target_units(unit, text_table(table, *rows).frame, UNITS).to_list()
    assert [None if one is None else one.replace("(", "").replace(")", "") for one in found] == [
        None if one is None else one.replace("(", "").replace(")", "") for one in wanted
    ]


CONVERTED = [
    ("commodities", {"commodity": "cement", "price_high": "0.5"}, {"price_high": "元/kg"}, "price_high", 500.0),
    ("commodities", {"commodity": "cement", "t_per_unit": "900"}, {"t_per_unit": "kg/t"}, "t_per_unit", 0.9),
    ("technologies", {"technology": "coal_power", "opex": "0.02"}, {"opex": "元/度"}, "opex", 20.0),
    (
        "technologies", {"technology": "cement_opc", "reference_capacity": "60"},
        {"reference_capacity": "万吨/年"}, "reference_capacity", 600000.0,
    ),
    ("technologies", {"technology": "cement_opc", "capex": "2"}, {"capex": "亿元"}, "capex", 200.0),
    ("plants", {"technology": "cement_opc", "capacity": "60", "unit": "万吨"}, {}, "capacity", 600000.0),
    ("plants", {"technology": "cement_opc", "capacity": "60"}, {"capacity": "kt/a"}, "capacity", 60000.0),
    ("plants", {"technology": "cement_opc", "capacity": "60", "unit": "千吨"}, {"capacity": "kt/a"}, "capacity", 6e4),
    ("sites", {"area_km2": "150"}, {"area_km2": "公顷"}, "area_km2", 1.5),
    ("sites", {"population": "1.5"}, {"population": "万人"}, "population", 15000.0),
    ("enterprises", {"output_value": "3"}, {"output_value": "亿元"}, "output_value", 300.0),
    ("markets", {"commodity": "electricity", "buy_price": "0.4", "price_unit": "元/kWh"}, {}, "buy_price", 400.0),
    ("markets", {"commodity": "brick", "sell_max": "5", "unit": "万块"}, {}, "sell_max", 50.0),
    ("transport", {"mode": "truck", "reach_km": "5000"}, {"reach_km": "m"}, "reach_km", 5.0),
    ("targets", {"quantity": "energy", "value": "1", "unit": "万tce"}, {}, "value", 293076.0),
    ("plants", {"lifetime": "120"}, {"lifetime": "月"}, "lifetime", 10.0),
]  # fmt: skip


@pytest.mark.parametrize(("table", "row", "units", "name", "value"), CONVERTED)
def test_values_come_into_the_units_of_the_schema(
    table: str, row: dict[str, str], units: dict[str, str], name: str, value: float
) -> None:
    """Corrections of the library leave unit and main commodity empty; the unit in their header counts all the same."""
    text = text_table(table, row, units=units)
    frame, problems = apply_units(text, convert(text, {})[0], UNITS)
    assert problems == []
    assert frame[name].to_list() == pytest.approx([value])


@pytest.mark.parametrize(("table", "row", "units", "wanted"), [
    ("plants", {"technology": "cement_opc", "capacity": "6", "unit": "J"}, {}, ("plan.unit_dimension", 2, "unit", "J")),
    ("plants", {"technology": "cement_opc", "capacity": "6", "unit": "tn"}, {}, ("plan.unit_unknown", 2, "unit", "tn")),
    (
        "plants", {"technology": "cement_opc", "capacity": "6", "unit": "t"}, {"capacity": "kt"},
        ("plan.unit_twice", 2, "unit", "t"),
    ),
    ("sites", {"area_km2": "6"}, {"area_km2": "km"}, ("plan.unit_dimension", None, "area_km2", "km")),
    ("targets", {"quantity": "jobs", "value": "6", "unit": "t"}, {}, ("plan.unit_dimension", 2, "unit", "t")),
])  # fmt: skip
def test_units_that_do_not_fit(
    table: str, row: dict[str, str], units: dict[str, str], wanted: tuple[str, int | None, str, str]
) -> None:
    text = text_table(table, row, units=units)
    assert seen(apply_units(text, convert(text, {})[0], UNITS)[1]) == [wanted]


@pytest.mark.parametrize(("table", "row", "wanted"), [
    ("commodities", {"commodity": "cement"}, []),
    ("commodities", {"commodity": "cement", "unit": "t"}, []),
    ("commodities", {"commodity": "cement", "unit": "吨"}, []),
    ("commodities", {"commodity": "cement", "unit": "kg"}, [("plan.unit_of_library", "unit", "kg")]),
    ("commodities", {"commodity": "cement", "unit": "GJ"}, [("plan.unit_of_library", "unit", "GJ")]),
    ("commodities", {"commodity": "dust", "kind": "material", "unit": "t", "state": "solid"}, []),
    ("commodities", {"commodity": "dust", "kind": "material", "unit": "tn", "state": "solid"},
     [("plan.unit_unknown", "unit", "tn")]),
    ("commodities", {"commodity": "dust"}, [("plan.new_needs", name, "") for name in ("kind", "unit", "state")]),
    ("technologies", {"technology": "cement_opc"}, []),
    ("technologies", {"technology": "magic"}, [("plan.new_needs", "main_commodity", "")]),
    ("transport", {"mode": "truck"}, []),
    ("transport", {"mode": "cart", "states": "solid", "reach_km": "5"}, [("plan.new_needs", "kinds", "")]),
])  # fmt: skip
def test_own_rows_of_the_library(table: str, row: dict[str, str], wanted: list[tuple[str, str, str]]) -> None:
    texts = {name: text_table(name, *([row] if name == table else [])) for name in columns()}
    frames = {name: convert(text, {})[0] for name, text in texts.items()}
    found = check_library_rows(texts, frames, LIBRARY)
    assert seen(found) == [(key, 2, name, value) for key, name, value in wanted]


@pytest.mark.parametrize("table", ["sites", "limits", "markets"])
def test_rows_are_sorted_by_identity_or_by_all_they_say(table: str) -> None:
    rows = [{**row_of(table), columns()[table][0].name: first} for first in ("b", "a", "c")]
    frame, _ = convert(text_table(table, *rows), {})
    backwards, _ = convert(text_table(table, *rows[::-1]), {})
    one, two = (
        sort_rows(table, entry).select(entry.name for entry in columns()[table]) for entry in (frame, backwards)
    )
    assert one.equals(two)
    assert one[:, 0].to_list() == ["a", "b", "c"]


@pytest.mark.parametrize(("source", "kind"), [
    ("assumed", "assumed"), (" Assumed: x", "assumed"), ("ASSUMED", "assumed"), ("假设", "assumed"),
    ("假定值", "assumed"),
    ("年报 2023", "user"), ("not assumed", "user"), ("", "user"), (None, "user"), ("我方假设", "user"),
])  # fmt: skip
def test_provenance_of_a_text_and_of_a_column_agree(source: str | None, kind: str) -> None:
    assert provenance(source) == kind
    frame = pl.DataFrame({"source": pl.Series([source], dtype=pl.String)})
    assert frame.select(provenance(pl.col("source"))).item() == kind
    mine = pl.DataFrame(
        {"commodity": ["cement"], "price_high": [999.0], "source": pl.Series([source], dtype=pl.String)}
    )
    laid = with_user_rows(LIBRARY, commodities=mine).commodities.filter(commodity="cement")
    assert laid["provenance"].item() == kind


def test_corrections_with_units_in_their_headers_reach_the_library(write_plan) -> None:
    plan = read_plan(
        write_plan(
            {
                "commodities.csv": "物料,高价[元/kg]\ncement,0.5\n",
                "technologies.csv": "技术,参考产能（万吨/年）,投资（亿元）,来源\ncement_opc,100,3,假设\n",
                "recipes.csv": "technology,commodity,direction,amount [kg/t]\ncement_opc,natural_gypsum,in,50\n",
            }
        )
    )
    cement = plan.library.commodities.filter(commodity="cement").row(0, named=True)
    assert (cement["price_high"], cement["provenance"]) == (500.0, "user")
    kiln = plan.library.technologies.filter(technology="cement_opc").row(0, named=True)
    assert (kiln["reference_capacity"], kiln["capex"], kiln["provenance"]) == (1e6, 300.0, "assumed")
    gypsum = plan.library.recipes.filter(technology="cement_opc", commodity="natural_gypsum", direction="in")
    assert gypsum["amount"].to_list() == pytest.approx([0.05])
    untouched = plan.library.commodities.filter(pl.col("commodity") != "cement")
    assert untouched.equals(LIBRARY.commodities.filter(pl.col("commodity") != "cement"))


def test_a_year_cell_formatted_as_a_date_in_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "park.xlsx"
    book = Workbook(path)
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    plan = book.add_worksheet("规划")
    plan.write_column(0, 0, ["名称", "基准年", "折现率"])
    plan.write_column(0, 1, ["X", 2023, 0.08])
    plan.write_number(1, 1, 2023, day)
    sites = book.add_worksheet("园区")
    sites.write_row(0, 0, ["场地", "类型"])
    sites.write_row(1, 0, ["park", "园区"])
    plants = book.add_worksheet("装置")
    for number, cells in enumerate(line.split(",") for line in PLANTS.splitlines()):
        plants.write_row(number, 0, cells)
    plants.write(0, 7, "最晚建设年")
    plants.write_number(3, 7, 2030, day)
    plants.write_datetime(2, 7, dt.date(2031, 5, 1), day)
    book.close()
    found = [(p.text.key, p.sheet, p.row, p.column, p.value) for p in check_plan(path) if p.severity == "error"]
    assert found == [
        ("plan.year_as_date", "规划", 2, "基准年", "1905-07-15"),
        ("plan.year_as_date", "装置", 4, "最晚建设年", "1905-07-22"),
    ]
