"""The rows of the library by what they must be: fates, transport, grid, tax, code lists, sheets, names, closure."""

import re

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from cyclopolis.foundation.problems import UserError
from cyclopolis.library import closure, load_library, search_library, technology_sheet, with_user_rows

LIBRARY = load_library()
COMMODITY = {row["commodity"]: row for row in LIBRARY.commodities.iter_rows(named=True)}


def named(table):
    """Return rows of a table as dictionaries."""
    return list(table.iter_rows(named=True))


# --- fates ---
@pytest.mark.parametrize("row", named(LIBRARY.fates), ids=lambda row: row["commodity"])
def test_each_fate_is_possible_for_its_commodity(row):
    about = COMMODITY[row["commodity"]]
    assert row["cost"] >= 0
    assert row["co2_t_per_unit"] >= 0
    held = (about["carbon_t_per_unit"] or 0.0) * 44 / 12
    if row["fate"] == "emit":
        assert about["kind"] == "emission"
        assert row["cost"] == 0  # taxes are counted apart
    if row["fate"] == "landfill":
        assert about["state"] in {"solid", "sludge", "slurry"}
        assert row["cost"] > 0
        assert row["co2_t_per_unit"] == 0
    if row["fate"] == "flare":
        assert about["state"] == "gas"
        assert row["co2_t_per_unit"] <= held + 1e-3  # rounded to four decimals, the carbon likewise
    if row["fate"] == "vent":
        assert about["state"] not in {"solid", "sludge", "slurry"}  # liquid argon boils away
    if row["fate"] == "discharge":
        assert about["kind"] == "water"
        assert (row["cost"], row["co2_t_per_unit"]) == (0.0, 0.0)
    if about["hazard"]:
        assert row["fate"] not in {"landfill", "discharge"}, "hazardous waste is treated"


# --- transport ---
@pytest.mark.parametrize("row", named(LIBRARY.transport), ids=lambda row: row["mode"])
def test_each_mode_can_be_reckoned_with(row):
    assert 1.0 <= row["detour"] <= 2.0
    assert 1.0 <= row["reach_km"] <= 1000.0
    costs = [row[name] for name in ("cost_per_t_km", "cost_per_unit_km") if row[name] is not None]
    assert costs
    assert all(0 < cost < 20 for cost in costs)
    states, kinds = row["states"].split(";"), row["kinds"].split(";")
    assert len(set(states)) == len(states)
    assert set(states) <= set(LIBRARY.commodities["state"])
    assert set(kinds) <= set(LIBRARY.commodities["kind"])


def test_pipes_reach_less_far_than_roads():
    reach = dict(LIBRARY.transport.select("mode", "reach_km").iter_rows())
    assert max(reach[mode] for mode in ("gas_pipeline", "steam_pipe", "heat_pipe", "water_pipe")) < reach["truck"]
    assert reach["steam_pipe"] < reach["heat_pipe"]


# --- grid ---
GRIDS = ["North", "Northeast", "East", "Central", "Northwest", "South", "Southwest"]


@pytest.mark.parametrize("year", [2021, 2022, 2023])
def test_the_nation_lies_between_its_grids_and_the_grids_between_provinces(year):
    rows = LIBRARY.grid_factors.filter(year=year, basis="average")
    factor = dict(rows.select("region", "factor_tco2_per_mwh").iter_rows())
    assert len(factor) == rows.height == 38
    grids = [factor[f"{name} grid"] for name in GRIDS]
    provinces = [value for region, value in factor.items() if region != "China" and not region.endswith("grid")]
    assert len(provinces) == 30
    assert min(grids) < factor["China"] < max(grids)
    assert min(provinces) <= min(grids)
    assert max(grids) <= max(provinces)
    assert factor["Yunnan"] < 0.25, "water power"
    assert factor["Inner Mongolia"] > 0.6, "coal power"
    assert factor["Sichuan"] < factor["Shanxi"]


@pytest.mark.parametrize("year", [2021, 2022, 2023])
def test_fossil_power_emits_most_and_power_without_traded_green_more_than_average(year):
    of = dict(
        LIBRARY.grid_factors.filter(year=year, region_zh="全国").select("basis", "factor_tco2_per_mwh").iter_rows()
    )
    every = LIBRARY.grid_factors.filter(pl.col("year") == year, pl.col("basis").is_in(["fossil", "residual"]))
    basis = dict(every.select("basis", "factor_tco2_per_mwh").iter_rows())
    assert of["average"] < basis["residual"] < basis["fossil"] < 1.0


def test_a_region_has_one_chinese_name_and_a_row_one_identity():
    grid = LIBRARY.grid_factors
    assert grid.select("year", "region", "basis").is_duplicated().sum() == 0
    names = grid.group_by("region").agg(pl.col("region_zh").n_unique())
    assert names["region_zh"].to_list() == [1] * names.height


# --- tax ---
@pytest.mark.parametrize("medium", LIBRARY.environment_tax["medium"].unique().sort().to_list())
def test_each_medium_is_taxed_by_one_unit_within_the_law(medium):
    rows = LIBRARY.environment_tax.filter(medium=medium)
    assert rows["unit"].n_unique() == 1
    assert (rows["tax_min_cny"] <= rows["tax_max_cny"]).all()
    assert (rows["tax_min_cny"] > 0).all()
    assert rows["pollutant"].is_unique().all()
    lawful = {"air": (1.2, 12.0), "water": (1.4, 14.0)}.get(re.split("[ ,]", medium)[0])
    if lawful:
        assert rows["tax_min_cny"].min() >= lawful[0]
        assert rows["tax_max_cny"].max() <= lawful[1]
    weighed = rows["equivalent_value_kg"].drop_nulls()
    assert (weighed > 0).all()


def test_the_annexes_of_the_law_are_complete():
    counts = dict(LIBRARY.environment_tax.group_by("medium").len().iter_rows())
    assert counts["air"] == 44
    assert counts["water, class 1"] == 10
    assert counts["water, class 2"] == 51


@pytest.mark.parametrize(
    ("pollutant", "medium", "equivalent"),
    [
        ("SO2", "air", 0.95),
        ("NOx", "air", 0.95),
        ("CO", "air", 16.7),
    ],
)
def test_equivalents_of_the_law(pollutant, medium, equivalent):
    row = LIBRARY.environment_tax.filter(pollutant=pollutant, medium=medium)
    assert row["equivalent_value_kg"].item() == equivalent


# --- code lists ---
@pytest.mark.parametrize(
    ("table", "column", "pattern"),
    [
        ("ewc_codes", "ewc_code", r"\d\d( \d\d){0,2}\*?"),
        ("nace_classes", "nace_class", r"\d\d\.\d\d"),
        ("nace_classes", "isic_rev4", r"\d{4}.*"),
        ("solid_waste_classes", "class_code", r"SW\d\d|HW\d\d"),
    ],
)
def test_codes_keep_their_form(table, column, pattern):
    codes = LIBRARY.tables()[table][column].drop_nulls().to_list()
    assert codes
    assert [code for code in codes if not re.fullmatch(pattern, code)] == []


def test_hazardous_classes_are_the_hazardous_commodities():
    hazard = dict(LIBRARY.solid_waste_classes.select("class_code", "hazard").iter_rows())
    for row in COMMODITY.values():
        if row["sw_code"] in hazard and hazard[row["sw_code"]]:
            assert row["hazard"], row["commodity"]


@pytest.mark.parametrize(("column", "low", "high"), [("ratio", 0.0, 10.0), ("max_share_pct", 0.0, 100.0)])
def test_substitutions_keep_their_range(column, low, high):
    values = LIBRARY.substitutions[column].drop_nulls()
    assert values.min() > low
    assert values.max() <= high


def test_a_waste_in_its_own_place_is_a_use_and_never_a_substitution():
    same = LIBRARY.substitutions.filter(pl.col("commodity") == pl.col("displaced"))
    assert set(same["kind"]) <= {"use"}


def test_a_trait_fits_its_commodity():
    traits = LIBRARY.traits
    for name in traits.filter(trait="circular_water")["commodity"]:
        assert COMMODITY[name]["kind"] == "water"
    for name in traits.filter(trait="biogenic")["commodity"]:
        assert COMMODITY[name]["kind"] in {"material", "emission"}
    assert traits.select("commodity", "trait").is_duplicated().sum() == 0


# --- search: the everyday name finds the thing itself first ---
NAMES = [
    *(
        ("电石渣", "carbide_slag"),
        ("粉煤灰", "fly_ash"),
        ("水泥", "cement"),
        ("钢渣", "steel_slag"),
        ("赤泥", "red_mud"),
    ),
    *(("煤矸石", "coal_gangue"), ("氢气", "hydrogen"), ("甲醇", "methanol"), ("再生水", "reclaimed_water")),
    *(
        ("磷石膏", "phosphogypsum"),
        ("沼气", "biogas"),
        ("电力", "electricity"),
        ("合成氨", "ammonia"),
        ("石灰", "lime"),
    ),
    *(("cement", "cement"), ("steel slag", "steel_slag"), ("phosphogypsum", "phosphogypsum"), ("coke", "coke")),
    *(("hydrogen", "hydrogen"), ("methanol", "methanol"), ("ammonia", "ammonia"), ("electricity", "electricity")),
    *(("quicklime", "lime"), ("biogas", "biogas"), ("sulfuric acid", "sulfuric_acid"), ("red mud", "red_mud")),
]


@pytest.mark.parametrize(("text", "first"), NAMES)
def test_the_everyday_name_comes_first_and_exactly(text, first):
    row = search_library(text, limit=1).row(0, named=True)
    assert (row["kind"], row["id"], row["score"]) == ("commodity", first, 100.0)


@pytest.mark.parametrize("row", named(LIBRARY.technologies[::10]), ids=lambda row: row["technology"])
def test_spelling_case_and_blanks_do_not_matter(row):
    first = search_library(row["name"], limit=3)
    for text in (row["name"].upper(), f"  {row['name']} ", row["name"].replace(" ", "   ")):
        assert search_library(text, limit=3).equals(first)


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_a_shorter_list_is_the_start_of_a_longer_one(limit):
    for text in ("slag", "渣", "gas"):
        assert search_library(text, limit=limit).equals(search_library(text, limit=30).head(limit))


# --- sheets ---
SHEETS = LIBRARY.technologies["technology"].to_list()[::12]


@pytest.mark.parametrize("technology", SHEETS)
def test_a_sheet_holds_all_and_only_its_technology(technology):
    sheet = technology_sheet(LIBRARY, technology)
    assert list(sheet) == ["technology", "recipe", "closure", "substitutions", "sources"]
    assert sheet["technology"]["technology"].to_list() == sheet["closure"]["technology"].to_list() == [technology]
    rows = LIBRARY.recipes.filter(technology=technology)
    assert sorted(sheet["recipe"]["commodity"]) == sorted(rows["commodity"])
    assert sheet["recipe"]["role"].to_list().count("main") == 1
    assert sheet["recipe"]["commodity"][0] == sheet["technology"]["main_commodity"].item()
    assert sheet["recipe"]["name"].null_count() == sheet["recipe"]["name_zh"].null_count() == 0
    assert set(sheet["substitutions"]["technology"]) <= {technology}
    assert set(sheet["sources"]["about"]) == {"recipe", "economics"}
    assert sheet["recipe"]["amount"].sum() == pytest.approx(rows["amount"].sum())


def test_a_sheet_that_is_not_there_suggests_the_nearest():
    with pytest.raises(UserError) as caught:
        technology_sheet(LIBRARY, "lime_kilm")
    assert caught.value.problems[0].suggestion == "lime_kiln"


# --- closure of five recipes, each term of material written out; carbon by the carbon contents ---
@pytest.mark.parametrize(
    ("technology", "mass_in", "mass_out", "carbon_in", "carbon_out"),
    [
        (
            "lime_kiln",  # limestone, furnace gas (1.2 t/kNm3), oxygen; lime, CO2, vapour, NOx, dust
            1.8 + 0.36 * 1.2 + 0.22,
            1.0 + 1.37 + 0.02 + 0.0006 + 0.05,
            1.8 * 0.114 + 0.36 * 0.45,
            1.37 * 0.2727,
        ),
        (
            "clinker_carbide_slag",
            0.26 + 0.165 + 0.1 + 0.95 + 0.26 + 0.03,
            1.0 + 0.405 + 0.0006 + 0.32,
            0.165 * 0.539 + 0.1 * 0.114,
            0.405 * 0.2727,
        ),
        (
            "calcium_carbide",
            0.62 + 0.95 + 0.02,
            1.0 + 0.42 * 1.2 + 0.055 + 0.02 + 0.0003,
            0.62 * 0.8 + 0.02 * 0.9,
            0.31 + 0.42 * 0.45 + 0.055 * 0.3 + 0.02 * 0.2727,
        ),
        (
            "semi_coke_retort",
            1.62 + 0.6,
            1.0 + 0.9 * 0.95 + 0.105 + 0.002 + 0.1 + 0.0002 + 0.0002,
            1.62 * 0.66,
            0.8 + 0.9 * 0.174 + 0.105 * 0.83 + 0.002 * 0.7,
        ),
        ("chlor_alkali", 1.51 + 0.45 + 0.012, 1.0 + 0.886 + 0.0252 + 0.045, 0.012 * 0.113, 0.0),
    ],
)
def test_closure_by_hand(technology, mass_in, mass_out, carbon_in, carbon_out):
    row = closure(LIBRARY, [technology]).row(0, named=True)
    assert (row["mass_in"], row["mass_out"]) == pytest.approx((mass_in, mass_out))
    assert (row["carbon_in"], row["carbon_out"]) == pytest.approx((carbon_in, carbon_out))
    assert row["mass_gap_pct"] == pytest.approx(100 * (mass_out / mass_in - 1))
    assert row["carbon_gap_pct"] == pytest.approx(100 * (carbon_out / carbon_in - 1))
    assert row["closed"] == (abs(row["mass_gap_pct"]) <= 15 and abs(row["carbon_gap_pct"]) <= 15)


def test_closure_asked_for_some_is_that_of_all():
    some = ["calcium_carbide", "lime_kiln", "coking"]
    every = closure(LIBRARY).filter(pl.col("technology").is_in(some))
    assert_frame_equal(closure(LIBRARY, some), every)
    assert_frame_equal(closure(LIBRARY, some[::-1]), every)
    assert closure(LIBRARY, []).is_empty()


# --- the user's rows ---
def own(**cells):
    return pl.DataFrame({name: [value] for name, value in {"source": "ours", **cells}.items()})


@pytest.mark.parametrize(
    ("column", "value"), [("price_low", 1.0), ("price_high", 9e3), ("lhv_gj_per_unit", 3.0), ("carbon_t_per_unit", 0.1)]
)
def test_one_corrected_cell_changes_one_cell_and_its_provenance(column, value):
    merged = with_user_rows(LIBRARY, commodities=own(commodity="fly_ash", **{column: value}))
    before, after = COMMODITY["fly_ash"], merged.commodities.filter(commodity="fly_ash").row(0, named=True)
    changed = {name for name in before if before[name] != after[name]}
    stated = {"lhv_carbon_provenance"} if column.startswith(("lhv", "carbon")) else set()
    assert changed == {column, "source", "provenance"} | stated
    assert after[column] == value
    rest = pl.col("commodity") != "fly_ash"
    assert merged.commodities.filter(rest).equals(LIBRARY.commodities.filter(rest))
    assert merged.commodities["commodity"].to_list() == LIBRARY.commodities["commodity"].to_list()


@pytest.mark.parametrize("table", ["commodities", "technologies", "recipes", "substitutions", "transport"])
def test_an_empty_table_changes_nothing(table):
    merged = with_user_rows(LIBRARY, **{table: LIBRARY.tables()[table].clear()})
    for name, known in LIBRARY.tables().items():
        assert merged.tables()[name].equals(known), name


def test_a_column_the_library_does_not_know_is_not_looked_at():
    merged = with_user_rows(LIBRARY, transport=own(mode="truck", reach_km=200.0, colour="red"))
    assert merged.transport.columns == LIBRARY.transport.columns
    row = merged.transport.filter(mode="truck").row(0, named=True)
    assert (row["reach_km"], row["cost_per_t_km"], row["provenance"]) == (200.0, 0.45, "user")


def test_corrections_of_different_tables_do_not_depend_on_their_order():
    price = own(commodity="lime", price_high=999.0)
    amount = own(technology="lime_kiln", commodity="limestone", direction="in", amount=1.7)
    at_once = with_user_rows(LIBRARY, commodities=price, recipes=amount)
    first = with_user_rows(with_user_rows(LIBRARY, commodities=price), recipes=amount)
    second = with_user_rows(with_user_rows(LIBRARY, recipes=amount), commodities=price)
    for name, table in at_once.tables().items():
        assert table.equals(first.tables()[name]), name
        assert table.equals(second.tables()[name]), name
    row = closure(at_once, ["lime_kiln"]).row(0, named=True)
    assert row["mass_in"] == pytest.approx(1.7 + 0.36 * 1.2 + 0.22)
