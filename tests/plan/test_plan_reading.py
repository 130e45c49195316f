"""A plan from files: encodings, Chinese headers, units, order of rows, the library merged."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from sound_plan import MARKETS, PLANTS, SITES, SOUND, TOML

from cyclopolis.examples import example, examples
from cyclopolis.foundation.problems import UserError
from cyclopolis.library import load_library
from cyclopolis.plan import check_plan, new_plan, provenance, read_plan
from cyclopolis.plan.schema import columns

CHINESE_SITES = "场地,名称,上级,类型,经度,纬度\ncity,贵阳,,城市,106.6,26.6\npark,园区,city,园区,106.7,26.7\n"
CHINESE_PLANTS = (
    "装置,所在园区,技术,状态,产能,产量,单位,数据来源\n"
    "power,park,coal_power,已建,１５０，000,120 000,万度/年,年报\n"
    '\n,,,,,,,\nmill,park,cement_opc,现有,60,50,万吨,"年报，第 5\n页"\n'
    "bricks,park,flyash_brick,备选,3000,,万块/年,假设\n"
)


def test_sound_plan(write_plan) -> None:
    plan = read_plan(write_plan({}))
    assert plan.meta.name == "Sound Park"
    assert (plan.meta.base_year, plan.meta.horizon, plan.meta.discount_rate) == (2023, (2028,), 0.06)
    assert (plan.meta.currency, plan.meta.language, plan.scenario, plan.notices) == ("CNY", "en", (), ())
    assert set(plan.inputs) == set(SOUND)
    assert all(len(digest) == 64 for digest in plan.inputs.values())
    assert plan.tables["plants"]["plant"].to_list() == ["bricks", "mill", "power"]
    assert plan.tables["plants"]["activity"].to_list() == [None, 500000.0, 1200000.0]
    for table, described in columns().items():
        expected = {column.name: column.dtype for column in described}
        assert dict(plan.tables[table].schema) == expected, table


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_chinese_headers_numbers_units_and_encodings(write_plan, encoding: str, ends: str) -> None:
    sites, plants = (text.replace("\n", ends).encode(encoding) for text in (CHINESE_SITES, CHINESE_PLANTS))
    plan = read_plan(write_plan({"sites.csv": sites, "plants.csv": plants}))
    rows = plan.tables["plants"].select("plant", "status", "capacity", "activity", "unit").rows()
    assert rows == [
        ("bricks", "candidate", 30000.0, None, "万块/年"),
        ("mill", "existing", 600000.0, 500000.0, "万吨"),
        ("power", "existing", 1500000.0, 1200000.0, "万度/年"),
    ]
    assert plan.tables["sites"]["name"].to_list() == ["贵阳", "园区"]
    assert plan.tables["plants"]["source"].to_list()[2] == "年报"


def test_rows_are_numbered_as_the_spreadsheet_numbers_them(write_plan) -> None:
    plants = CHINESE_PLANTS.replace("flyash_brick", "flyash_brik")
    (problem,) = check_plan(write_plan({"plants.csv": plants}))
    assert (problem.file, problem.row, problem.column, problem.suggestion) == ("plants.csv", 6, "技术", "flyash_brick")


def test_files_may_have_chinese_names(write_plan) -> None:
    folder = write_plan({})
    (folder / "plants.csv").rename(folder / "装置.csv")
    assert read_plan(folder).tables["plants"].height == 3


def test_units_of_rows_and_headers_are_converted(write_plan) -> None:
    folder = write_plan(
        {
            "sites.csv": SITES.replace("source", "developable_ha [亩]").replace("map", "1500"),
            "markets.csv": "commodity,sell_price,price_unit,sell_max,unit\nbrick,0.36,元/块,5000,万块\n"
            "electricity,0.35,元/度,,\ncement,300,,2,kt/d\n",
            "limits.csv": "scope,quantity,max,unit\npark,用水,3,万m3/d\n,预算,1.5,亿元\n,SO2,500,\n",
            "recipes.csv": "technology,commodity,direction,amount,low,high,unit\n"
            "flyash_brick,electricity,in,50,40,60,kWh\n",
            "measurements.csv": "plant,direction,commodity,amount,uncertainty,unit,year\n"
            "power,out,fly_ash,12,0.6,万吨,2023\n",
            "exchanges.csv": "from_plant,to_plant,commodity,amount,unit,status\npower,mill,fly_ash,45,kt/a,existing\n",
        }
    )
    plan = read_plan(folder)
    assert plan.tables["sites"]["developable_ha"].to_list() == pytest.approx([100.0, 100.0])
    markets = plan.tables["markets"].select("commodity", "sell_price", "sell_max").rows()
    assert markets == [("brick", 360.0, 50000.0), ("cement", 300.0, 730000.0), ("electricity", 350.0, None)]
    limits = dict(plan.tables["limits"].select("quantity", "max").rows())
    assert limits == pytest.approx({"water": 10950000.0, "budget": 150.0, "so2": 500.0})
    assert plan.tables["recipes"].select("amount", "low", "high").row(0) == pytest.approx((0.05, 0.04, 0.06))
    assert plan.tables["measurements"].select("amount", "uncertainty").row(0) == pytest.approx((120000.0, 6000.0))
    assert plan.tables["exchanges"]["amount"].to_list() == [45000.0]
    merged = plan.library.recipes.filter(technology="flyash_brick", commodity="electricity")
    assert merged.select("amount", "provenance").row(0) == (0.05, "user")


def test_own_commodities_and_technologies(write_plan) -> None:
    folder = write_plan(
        {
            "commodities.csv": "commodity,name_zh,kind,unit,state,price_high\nbasalt,玄武岩,material,t,solid,80\n"
            "fibre,,material,kg,solid,15\ncement,,,,,420\n",
            "technologies.csv": "technology,main_commodity,reference_capacity,capex,scale_exponent\n"
            "spinning,fibre,5000000,90,0.7\n",
            "recipes.csv": "technology,commodity,direction,amount,unit\nspinning,fibre,out,1,\n"
            "spinning,basalt,in,1.05,kg\n",
            "plants.csv": PLANTS + "spin,park,spinning,existing,4000000,3500000,x\n",
        }
    )
    plan = read_plan(folder)
    names = plan.library.commodities.filter(pl.col("commodity").is_in(["basalt", "fibre"]))
    assert names.select("commodity", "name", "name_zh").rows() == [
        ("basalt", "玄武岩", "玄武岩"),
        ("fibre", "fibre", "fibre"),
    ]
    recipe = dict(plan.library.recipes.filter(technology="spinning").select("commodity", "amount").rows())
    assert recipe == pytest.approx({"fibre": 1.0, "basalt": 0.00105})
    cement = plan.library.commodities.filter(commodity="cement").row(0, named=True)
    known = load_library().commodities.filter(commodity="cement").row(0, named=True)
    assert (cement["price_high"], cement["unit"], cement["name"]) == (420.0, "t", known["name"])


def test_order_of_rows_and_columns_changes_nothing(write_plan, tmp_path: Path) -> None:
    plan = read_plan(write_plan({}))

    def turned(text: str) -> str:
        head, *rows = [line.split(",")[::-1] for line in text.splitlines()]
        return "\n".join(",".join(row) for row in [head, *rows[::-1]]) + "\n"

    folder = write_plan({"sites.csv": turned(SITES), "plants.csv": turned(PLANTS), "markets.csv": turned(MARKETS)})
    again = read_plan(folder)
    for table, frame in plan.tables.items():
        assert frame.equals(again.tables[table]), table


@pytest.mark.parametrize("name", examples())
def test_examples_read_without_an_error(name: str) -> None:
    assert [problem for problem in check_plan(example(name)) if problem.severity == "error"] == []


@pytest.mark.parametrize("name", examples())
def test_scenarios_of_examples_read(name: str) -> None:
    for path in sorted((example(name) / "scenarios").glob("*.toml")):
        plan = read_plan(example(name), [path.stem])
        assert plan.scenario == (path.stem,)
        assert f"scenarios/{path.name}" in plan.inputs


def test_new_plan_copies_and_never_overwrites(tmp_path: Path) -> None:
    folder = new_plan(tmp_path / "mine", "quickstart")
    mine, bundled = read_plan(folder), read_plan(example("quickstart"))
    assert mine.inputs == bundled.inputs
    before = sorted(path.name for path in folder.rglob("*"))
    with pytest.raises(UserError, match="not empty"):
        new_plan(folder, "quickstart")
    assert sorted(path.name for path in folder.rglob("*")) == before
    with pytest.raises(UserError):
        new_plan(tmp_path / "other", "quickstrt")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert read_plan(new_plan(empty, "quickstart")).inputs == bundled.inputs
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="not empty"):
        new_plan(tmp_path / "file", "quickstart")
    with pytest.raises(UserError, match="cannot be written"):
        new_plan(tmp_path / "file" / "below", "quickstart")


def test_no_plan_there(tmp_path: Path) -> None:
    assert [problem.text.key for problem in check_plan(tmp_path / "none")] == ["plan.no_such_path"]
    assert [problem.text.key for problem in check_plan("bad\0name")] == ["plan.no_such_path"]
    (tmp_path / "plan.docx").write_text("x")
    assert [problem.text.key for problem in check_plan(tmp_path / "plan.docx")] == ["plan.not_a_plan"]
    with pytest.raises(UserError, match="neither a folder"):
        read_plan(tmp_path / "plan.docx")


def test_keys_of_plan_toml(write_plan) -> None:
    toml = '"名称" = "x"\n"基准年" = "2023年"\n"折现率" = "8%"\n"语言" = "中文"\n'
    plan = read_plan(write_plan({"plan.toml": toml}))
    assert (plan.meta.base_year, plan.meta.discount_rate, plan.meta.language) == (2023, 0.08, "zh")
    assert plan.meta.horizon == ()
    problems = check_plan(write_plan({"plan.toml": TOML + "[place]\nx = 1\n"}))
    assert [problem.text.key for problem in problems] == ["plan.key_nested"]


def test_provenance_of_a_column() -> None:
    table = pl.DataFrame({"source": ["assumed x", "Assumed", "假设：同类", "report; assumed there", None]})
    assert table.select(provenance(pl.col("source"))).to_series().to_list() == [
        "assumed", "assumed", "assumed", "user", "user",
    ]  # fmt: skip
    assert [provenance(source) for source in table["source"]] == ["assumed", "assumed", "assumed", "user", "user"]


def test_check_imports_no_solver_and_no_plotting() -> None:
    code = (
        "import sys; from cyclopolis.plan import check_plan; from cyclopolis.examples import example;"
        "assert check_plan(example('quickstart')) is not None;"
        "bad = {'highspy', 'linopy', 'plotly', 'geopandas', 'matplotlib', 'xlsxwriter', 'scipy', 'pandas', 'xarray'};"
        "assert not bad & set(sys.modules), bad & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
