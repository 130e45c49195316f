"""The library's facts are whole: every identifier resolves, every range holds its value, every unit agrees."""

import csv
import re
from importlib.resources import files

import polars as pl
import pytest

from cyclopolis.library import Library, load_library

LIBRARY = load_library()
TABLES = LIBRARY.tables()
COLUMNS = Library.columns()
KEYS = {
    "commodities": ["commodity"],
    "technologies": ["technology"],
    "recipes": ["technology", "commodity"],
    "substitutions": ["commodity", "technology", "displaced"],
    "fates": ["commodity"],
    "emission_factors": ["factor_set", "item", "quantity"],
    "grid_factors": ["year", "region", "basis"],
    "environment_tax": ["pollutant", "medium"],
    "environment_tax_rules": ["rule"],
    "transport": ["mode"],
    "ewc_codes": ["ewc_code"],
    "nace_classes": ["nace_class"],
    "solid_waste_classes": ["class_code"],
    "exergy": ["commodity"],
    "traits": ["commodity", "trait"],
    "services": ["service"],
    "land_uses": ["land_use"],
    "land_factors": ["factor"],
    "land_formulas": ["measure"],
    "land_thresholds": ["item", "grade"],
    "street_targets": ["measure"],
    "water_classes": ["parameter", "water", "rule"],
    "air_index": ["edition", "pollutant", "averaging", "iaqi", "concentration"],
    "air_limits": ["edition", "valid_from", "pollutant", "averaging"],
    "pollution_equivalents": ["commodity"],
    "pollution_rates": ["region", "medium"],
    "tax_exemptions": ["technology"],
    "environment_rates": ["item"],
    "society_weights": ["part"],
    "exposure_bands": ["band"],
    "hazards": ["technology"],
    "taxes": ["tax"],
    "regions": ["region"],
    "price_groups": ["chain"],
    "concepts": ["concept"],
    "industries": ["industry"],
    "legal_status": ["concept", "jurisdiction"],
    "systems": ["system", "technology"],
}
COLUMN_CASES = [(table, column) for table, columns in COLUMNS.items() for column in columns]


def values(table: str, column: str) -> set[str]:
    return set(TABLES[table][column].drop_nulls().to_list())


def parts(column: pl.Series) -> set[str]:
    return {part for text in column.drop_nulls() for part in text.split(";")}


def test_every_table_is_documented_and_every_documented_table_exists() -> None:
    assert set(COLUMNS) == set(TABLES) == set(KEYS)
    for name, table in TABLES.items():
        assert dict(table.schema) == {column.name: column.dtype for column in COLUMNS[name]}, name
        assert table.height > 0, name


@pytest.mark.parametrize("table", sorted(KEYS))
def test_rows_have_one_identity(table: str) -> None:
    double = TABLES[table].filter(pl.struct(KEYS[table]).is_duplicated())
    assert double.is_empty(), double.select(KEYS[table])


@pytest.mark.parametrize(("table", "column"), COLUMN_CASES, ids=lambda case: getattr(case, "name", case))
def test_cells_keep_to_their_column(table, column) -> None:
    cells = TABLES[table][column.name]
    if column.required:
        assert cells.null_count() == 0
    if column.choices:
        assert set(cells.drop_nulls()) <= set(column.choices)
    if column.minimum is not None:
        assert cells.drop_nulls().min() is None or cells.min() >= column.minimum
    if column.maximum is not None:
        assert cells.drop_nulls().max() is None or cells.max() <= column.maximum
    if column.dtype == pl.String:
        held = cells.drop_nulls()
        assert (held == held.str.strip_chars()).all()
        assert (held.str.len_chars() > 0).all()
    if column.dtype == pl.Float64:
        assert cells.drop_nulls().is_finite().all()


@pytest.mark.parametrize(
    ("table", "column"), [case for case in COLUMN_CASES if case[1].refers], ids=lambda case: getattr(case, "name", case)
)
def test_references_resolve(table, column) -> None:
    other, key = column.refers.split(".")
    named = parts(TABLES[table][column.name])
    if column.name == "ewc_code":
        named = {code.removesuffix("*") for code in named}
    assert named <= values(other, key)


def test_identifiers_are_plain_words() -> None:
    for table, key in (("commodities", "commodity"), ("technologies", "technology"), ("transport", "mode")):
        assert all(re.fullmatch(r"[a-z][A-Za-z0-9_]*", name) for name in TABLES[table][key])


def test_both_languages_name_everything() -> None:
    for table in ("commodities", "technologies", "transport"):
        for name in TABLES[table]["name_zh"]:
            assert re.search(r"[一-鿿]", name), name
        for name in TABLES[table]["name"]:
            assert name.isascii(), name


def test_names_of_commodities_are_not_shared() -> None:
    for column in ("name", "name_zh"):
        assert LIBRARY.commodities[column].is_duplicated().sum() == 0


def test_header_texts_exist_in_both_languages() -> None:
    for table, column in COLUMN_CASES:
        assert column.en, (table, column.name)
        assert re.search(r"[一-鿿]", column.zh), (table, column.name)


@pytest.mark.parametrize("table", sorted(set(KEYS) - {"ewc_codes", "nace_classes"}))
def test_every_row_says_where_it_comes_from(table: str) -> None:
    assert TABLES[table]["source"].null_count() == 0
    assert set(TABLES[table]["provenance"]) <= {"seen", "memory", "assumed"}


def test_units_of_recipes_are_those_of_their_commodities() -> None:
    both = LIBRARY.recipes.join(LIBRARY.commodities, on="commodity", suffix="_of_commodity")
    assert both.height == LIBRARY.recipes.height
    assert both.filter(pl.col("unit") != pl.col("unit_of_commodity")).is_empty()


def test_units_of_technologies_are_those_of_their_main_commodities() -> None:
    both = LIBRARY.technologies.join(
        LIBRARY.commodities, left_on="main_commodity", right_on="commodity", suffix="_of_commodity"
    )
    assert both.height == LIBRARY.technologies.height
    assert both.filter(pl.col("unit") != pl.col("unit_of_commodity")).is_empty()


def test_every_range_holds_its_value() -> None:
    rows = LIBRARY.recipes
    assert rows.select(pl.col("low", "high").null_count()).row(0) == (0, 0)
    assert rows.filter(~pl.col("amount").is_between("low", "high")).is_empty()


def test_each_technology_has_one_main_row_of_one() -> None:
    main = LIBRARY.recipes.filter(role="main")
    assert sorted(main["technology"]) == sorted(LIBRARY.technologies["technology"])
    assert (main["amount"] == 1.0).all()
    heads = LIBRARY.technologies.select("technology", commodity="main_commodity", direction="main_direction")
    assert main.join(heads, on=["technology", "commodity", "direction"]).height == main.height


def test_a_treatment_has_its_waste_as_main_input() -> None:
    treated = LIBRARY.technologies.filter(main_direction="in")
    assert treated.height == 17
    assert dict(treated.select("technology", "main_commodity").iter_rows())["msw_incineration"] == "msw"
    inputs = LIBRARY.recipes.join(treated, on="technology").filter(direction="in", role="main")
    assert (inputs["commodity"] == inputs["main_commodity"]).all()


def test_roles_fit_directions() -> None:
    sides = LIBRARY.recipes.group_by("role").agg(pl.col("direction").unique().sort())
    expected = {"main": ["in", "out"], "feedstock": ["in"], "utility": ["in"]}
    expected |= {"byproduct": ["out"], "waste": ["out"], "emission": ["out"]}
    assert dict(sides.iter_rows()) == expected


def test_no_number_became_zero_for_want_of_knowledge() -> None:
    assert LIBRARY.commodities["disposal_cost"].null_count() > 100
    assert LIBRARY.commodities.filter(commodity="electricity")["t_per_unit"].item() is None
    priceless = LIBRARY.commodities.filter(commodity="wastewater_industrial").select("price_low", "price_high")
    assert priceless.row(0) == (None, None)


def test_sellers_never_get_more_than_buyers_pay() -> None:
    assert LIBRARY.commodities.filter(pl.col("price_low") > pl.col("price_high")).is_empty()


def test_what_nature_gives_is_little_and_stated() -> None:
    natural = LIBRARY.commodities.filter("natural")
    assert set(natural["commodity"]) == {"oxygen_air", "air", "water_reactant", "coal_resource", "rock_salt_resource"}
    assert natural["natural_provenance"].null_count() == 0


def test_mass_of_a_tonne_is_a_tonne() -> None:
    tonnes = LIBRARY.commodities.filter(pl.col("unit") == "t", pl.col("kind") != "energy")
    assert (tonnes["t_per_unit"] == 1.0).all()
    weighed = LIBRARY.commodities.filter(pl.col("kind").is_in(["material", "emission"]))
    assert weighed["t_per_unit"].null_count() == 0


def test_no_commodity_holds_more_carbon_than_its_mass() -> None:
    assert LIBRARY.commodities.filter(pl.col("carbon_t_per_unit") > pl.col("t_per_unit")).is_empty()


@pytest.mark.parametrize("year", [2021, 2022, 2023])
def test_grid_factors_keep_the_published_national_values(year: int) -> None:
    published = {2021: 0.5568, 2022: 0.5366, 2023: 0.5306}
    row = LIBRARY.grid_factors.filter(year=year, region="China", basis="average")
    assert row["factor_tco2_per_mwh"].item() == published[year]
    provinces = LIBRARY.grid_factors.filter(year=year, region="Guizhou")
    assert provinces.height == 1


def test_tax_on_air_keeps_the_lawful_range() -> None:
    row = LIBRARY.environment_tax.filter(pollutant="SO2", medium="air").row(0, named=True)
    assert (row["equivalent_value_kg"], row["tax_min_cny"], row["tax_max_cny"]) == (0.95, 1.2, 12.0)
    rules = dict(LIBRARY.environment_tax_rules.select("rule", "count").iter_rows())
    assert (rules["top_air"], rules["top_water_class1"]) == (3, 5)


def test_each_state_has_a_way_to_travel_or_needs_none() -> None:
    carried = {
        (state, kind)
        for states, kinds in LIBRARY.transport.select("states", "kinds").iter_rows()
        for state in states.split(";")
        for kind in kinds.split(";")
    }
    things = LIBRARY.commodities.filter(pl.col("kind") != "emission").select("state", "kind").unique()
    assert set(things.iter_rows()) <= carried
    assert set(LIBRARY.transport["provenance"]) == {"assumed"}
    assert LIBRARY.transport["note"].null_count() == 0


def test_each_mode_prices_each_unit_it_may_carry() -> None:
    for mode in LIBRARY.transport.iter_rows(named=True):
        held = LIBRARY.commodities.filter(
            pl.col("state").is_in(mode["states"].split(";")), pl.col("kind").is_in(mode["kinds"].split(";"))
        )
        in_tonnes = held.filter(unit="t").height > 0
        by_tonne, by_unit = mode["cost_per_t_km"] is not None, mode["cost_per_unit_km"] is not None
        assert by_tonne or not in_tonnes, mode["mode"]
        others_with_mass = held.filter(pl.col("unit") != "t", pl.col("t_per_unit").is_not_null()).height
        others = held.filter(pl.col("unit") != "t").height
        assert by_unit or others == 0 or (by_tonne and others_with_mass == others), mode["mode"]


def test_package_data_are_clean_text() -> None:
    for entry in (files("cyclopolis.library") / "data").iterdir():
        content = entry.read_bytes()
        assert not content.startswith(b"\xef\xbb\xbf"), entry.name
        assert b"\r" not in content, entry.name
        rows = list(csv.reader(content.decode("utf-8").splitlines()))
        assert len({len(row) for row in rows}) == 1, entry.name


def test_semi_coke_has_a_source_and_carbide_finds_it() -> None:
    maker = LIBRARY.recipes.filter(commodity="semi_coke", direction="out")
    taker = LIBRARY.recipes.filter(commodity="semi_coke", direction="in")
    assert maker["technology"].to_list() == ["semi_coke_retort"]
    assert "calcium_carbide" in taker["technology"].to_list()
    assert set(LIBRARY.recipes.filter(technology="semi_coke_retort")["provenance"]) == {"memory"}


def test_semi_coke_heat_closes() -> None:
    rows = LIBRARY.recipes.filter(technology="semi_coke_retort").join(LIBRARY.commodities, on="commodity")
    heat = (
        rows.with_columns(heat=pl.col("amount") * pl.col("lhv_gj_per_unit")).group_by("direction").agg(pl.sum("heat"))
    )
    sides = dict(heat.iter_rows())
    assert 0.85 < sides["out"] / sides["in"] < 1.0


def test_retort_gas_properties_follow_from_its_composition() -> None:
    share = {"H2": 0.27, "CO": 0.17, "CH4": 0.075, "CO2": 0.07, "C2H4": 0.005, "N2": 0.41}
    molar_mass = {"H2": 2.016, "CO": 28.01, "CH4": 16.043, "CO2": 44.01, "C2H4": 28.054, "N2": 28.014}
    lhv = {"H2": 10.79, "CO": 12.63, "CH4": 35.88, "C2H4": 59.5}
    carbons = {"CO": 1, "CH4": 1, "CO2": 1, "C2H4": 2}
    gas = LIBRARY.commodities.filter(commodity="semi_coke_gas").row(0, named=True)
    kmol = 1000 / 22.414 / 1000
    assert sum(share.values()) == pytest.approx(1.0)
    assert gas["t_per_unit"] == pytest.approx(kmol * sum(share[k] * molar_mass[k] for k in share), rel=0.01)
    assert gas["lhv_gj_per_unit"] == pytest.approx(sum(share[k] * lhv[k] for k in lhv), rel=0.01)
    assert gas["carbon_t_per_unit"] == pytest.approx(
        12.011 * kmol * sum(share[k] * n for k, n in carbons.items()), rel=0.01
    )


def test_a_chain_has_one_chinese_name() -> None:
    pairs = LIBRARY.technologies.select("chain", "chain_zh").unique()
    assert pairs.height == LIBRARY.technologies["chain"].n_unique() == pairs["chain_zh"].n_unique()
    assert pairs["chain_zh"].null_count() == 0
