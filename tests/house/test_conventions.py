"""docs/conventions.md, section by section: each has its test here."""

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import cyclopolis
from cyclopolis.foundation.columns import read_columns
from cyclopolis.foundation.numbers import number_text
from cyclopolis.industry import balance
from cyclopolis.industry.metabolism.balance import Balance
from cyclopolis.industry.metabolism.stocks import Lifetime, inflow_driven
from cyclopolis.library import load_library
from cyclopolis.plan import Plan, read_plan

PAGE = Path(__file__).parents[2] / "docs" / "conventions.md"
PROVENANCE = {"measured", "user", "seen", "memory", "assumed", "computed"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan") / "park"
    cyclopolis.new_plan(folder, "quickstart")
    return folder


@pytest.fixture(scope="module")
def plan(folder: Path) -> Plan:
    return read_plan(folder)


@pytest.fixture(scope="module")
def result(plan: Plan) -> Balance:
    return balance(plan)


def change(folder: Path, target: Path, table: str, old: str, new: str) -> Path:
    """Copy the plan with one text of one table replaced."""
    target.mkdir()
    for source in folder.iterdir():
        if source.is_file():
            text = source.read_text(encoding="utf-8")
            if source.name == table:
                assert old in text
                text = text.replace(old, new)
            (target / source.name).write_text(text, encoding="utf-8")
    return target


def test_every_section_has_its_test() -> None:
    sections = set(re.findall(r"^## (\d+)\.", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    tests = set(re.findall(r"^def test_section_(\d+)_", Path(__file__).read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert sections == tests


def test_section_1_absent_is_never_zero(folder: Path, tmp_path: Path) -> None:
    silent = change(folder, tmp_path / "p", "plants.csv", "existing,600000,500000", "existing,600000,")
    answer = balance(read_plan(silent))
    ports = answer.tables["ports"].filter(pl.col("plant") == "mill")
    assert ports["amount"].null_count() == ports.height > 0
    assert "mill" in answer.tables["unknowns"]["plant"].to_list()
    accounts = answer.tables["accounts"].filter(pl.col("scope_kind") == "place")
    assert (accounts.filter(pl.col("quantity") == "water")["missing"] == 1).all()


def test_section_2_amounts_have_no_sign(result: Balance) -> None:
    assert (result.tables["flows"]["amount"] >= 0).all()
    assert (result.tables["ports"]["amount"] >= 0).all()


def test_section_3_money_is_seen_from_the_plants(result: Balance) -> None:
    flows = result.tables["flows"]
    assert (flows.filter(pl.col("kind") == "purchase")["money_cny"] < 0).all()
    assert (flows.filter(pl.col("kind") == "landfill")["money_cny"] < 0).all()
    assert flows.filter((pl.col("kind") == "sale") & (pl.col("commodity") == "cement"))["money_cny"].item() > 0
    place = dict(
        result.tables["accounts"].filter(pl.col("scope_kind") == "place").select("quantity", "value").iter_rows()
    )
    costs = sum(place[name] for name in ("purchases", "disposal", "transport", "operation"))
    assert place["gain"] == pytest.approx(place["sales"] - costs, rel=1e-9)


def test_section_4_units_are_converted_at_the_door(folder: Path, tmp_path: Path, plan: Plan) -> None:
    other = change(folder, tmp_path / "p", "sites.csv", "area_km2", "area_km2")
    (other / "measurements.csv").write_text(
        "plant,direction,commodity,amount,unit,uncertainty_pct,year,source\npower,out,fly_ash,11,万吨,5,2023,weighbridge\n",
        encoding="utf-8",
    )
    measured = read_plan(other).tables["measurements"]
    assert measured["amount"].item() == pytest.approx(110_000)
    assert plan.tables["measurements"].is_empty()


def test_section_5_mass_counts_materials_and_emissions(result: Balance) -> None:
    kinds = dict(load_library().commodities.select("commodity", "kind").iter_rows())
    ports = result.tables["ports"].with_columns(kind=pl.col("commodity").replace_strict(kinds))
    counted = ports.filter(pl.col("kind").is_in(["material", "emission"]))
    into = counted.filter(pl.col("direction") == "in")["mass_t"].sum()
    place = result.tables["accounts"].filter(pl.col("scope_kind") == "place")
    assert place.filter(pl.col("quantity") == "mass_in")["value"].item() == pytest.approx(into, rel=1e-9)
    assert {"water", "energy"} & set(ports["kind"])


def test_section_6_recipes_are_per_main_unit() -> None:
    recipes = load_library().recipes
    main = recipes.filter(pl.col("role") == "main")
    assert main["technology"].n_unique() == main.height
    assert (main["amount"] == 1).all()


def test_section_7_carbon_is_booked_where_it_is_burnt() -> None:
    fates = load_library().fates.filter(pl.col("fate") == "flare")
    carbon = load_library().commodities.select("commodity", "carbon_t_per_unit")
    burnt = fates.join(carbon, on="commodity").filter(pl.col("carbon_t_per_unit").is_not_null())
    assert burnt.height > 3
    biogenic = burnt.filter(pl.col("co2_t_per_unit") == 0)
    fossil = burnt.filter(pl.col("co2_t_per_unit") > 0)
    assert set(biogenic["commodity"]) <= {"biogas", "bio_cng"}
    assert fossil["co2_t_per_unit"].to_list() == pytest.approx(
        (fossil["carbon_t_per_unit"] * 44 / 12).to_list(), rel=2e-3
    )


def test_section_8_two_prices(result: Balance) -> None:
    prices = result.tables["prices"].filter(pl.col("commodity") == "fly_ash")
    by_direction = dict(prices.select("direction", "price").iter_rows())
    assert by_direction["buy"] == 60
    assert by_direction["sell"] == 5
    library = load_library().commodities.drop_nulls(["price_low", "price_high"])
    assert (library["price_low"] <= library["price_high"]).all()


def test_section_9_a_row_holds_until_a_later_one(folder: Path, tmp_path: Path) -> None:
    later = change(folder, tmp_path / "p", "sites.csv", "area_km2", "area_km2")
    (later / "markets.csv").write_text(
        "commodity,site,year,buy_price,sell_price,source\n"
        "electricity,,2023,560,350,x\nelectricity,,2026,600,360,x\nelectricity,,2040,900,400,x\n",
        encoding="utf-8",
    )
    later_plan = read_plan(later)
    for year, price in ((2023, 560), (2025, 560), (2026, 600), (2039, 600), (2040, 900)):
        network = cyclopolis.compile_network(later_plan, year)
        power = network.commodity_ids.index("electricity")
        rows = (network.markets.commodity == power) & (network.markets.direction == 0)
        assert network.markets.price[rows].tolist() == [price]


def test_section_10_entry_is_explicit() -> None:
    years = np.arange(10, dtype=np.float64)
    inflow = np.ones((10, 1))
    lifetime = Lifetime("normal", mean=5.0, sd=1.5)
    end = inflow_driven(years, inflow, lifetime, "end").stock[0]
    start = inflow_driven(years, inflow, lifetime, "start").stock[0]
    assert float(np.ravel(end)[0]) == pytest.approx(0.99957094, abs=1e-7)
    assert float(np.ravel(start)[0]) < float(np.ravel(end)[0])


def test_section_11_balances_close(result: Balance) -> None:
    flows = result.tables["flows"]
    for port in result.tables["ports"].iter_rows(named=True):
        end = "from_plant" if port["direction"] == "out" else "to_plant"
        column = pl.coalesce("as_commodity", "commodity") if port["direction"] == "in" else pl.col("commodity")
        found = flows.filter((pl.col(end) == port["plant"]) & (column == port["commodity"]))["amount"].sum()
        largest = flows.filter(pl.col("commodity") == port["commodity"])["amount"].max()
        if largest is None:
            assert port["amount"] is not None
            continue
        assert abs(found - port["amount"]) <= 1e-6 * float(str(largest))


def test_section_12_only_faces_round() -> None:
    assert number_text(1.23456) == "1.235"
    assert number_text(123456.789) == "123,457"


def test_section_13_order_changes_nothing(folder: Path, tmp_path: Path, result: Balance) -> None:
    mixed = tmp_path / "p"
    mixed.mkdir()
    for source in folder.iterdir():
        if not source.is_file():
            continue
        lines = source.read_text(encoding="utf-8").splitlines()
        if source.suffix == ".csv":
            lines = [lines[0], *reversed(lines[1:])]
        (mixed / source.name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    again = balance(read_plan(mixed))
    for name, table in result.tables.items():
        assert again.tables[name].equals(table), name


def test_section_14_every_number_says_where_it_comes_from(result: Balance) -> None:
    assert set(result.tables["flows"]["provenance"]) <= PROVENANCE
    assert set(result.tables["flows"]["price_provenance"].drop_nulls()) <= PROVENANCE
    columns = read_columns(Balance.columns_package)["flows"]
    choices = next(column.choices for column in columns if column.name == "provenance")
    assert set(choices) == PROVENANCE
