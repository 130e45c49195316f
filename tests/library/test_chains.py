"""Chains connect, substitutions are uses or substitutions but never both, and each waste has a lawful way out."""

from dataclasses import replace

import polars as pl
import pytest

from cyclopolis.library import chain_gaps, load_library, stray_substitutions, technology_sheet, with_user_rows

LIBRARY = load_library()
TAKES = set(LIBRARY.recipes.filter(direction="in").select("technology", "commodity").iter_rows())
MAKES = set(LIBRARY.recipes.filter(direction="out")["commodity"])
PRICES = {row["commodity"]: row for row in LIBRARY.commodities.iter_rows(named=True)}
FATES = {row["commodity"]: row for row in LIBRARY.fates.iter_rows(named=True)}


@pytest.mark.parametrize(
    "row", LIBRARY.substitutions.rows(named=True), ids=lambda row: f"{row['commodity']}-{row['technology']}"
)
def test_a_waste_that_the_recipe_takes_is_a_use(row) -> None:
    assert row["kind"] == ("use" if (row["technology"], row["commodity"]) in TAKES else "substitution")


def test_most_matches_are_uses() -> None:
    kinds = dict(LIBRARY.substitutions["kind"].value_counts().iter_rows())
    assert kinds == {"use": 96, "substitution": 23}


def test_substitutions_without_anything_to_displace_are_listed_and_stated() -> None:
    stray = stray_substitutions(LIBRARY)
    expected = [
        (row["commodity"], row["technology"], row["displaced"])
        for row in LIBRARY.substitutions.iter_rows(named=True)
        if row["kind"] == "substitution" and (row["technology"], row["displaced"]) not in TAKES
    ]
    assert list(stray.select("commodity", "technology", "displaced").iter_rows()) == expected
    assert 0 < len(expected) < 10
    assert stray["note"].null_count() == 0
    assert stray["note_zh"].null_count() == 0


def test_a_substitution_by_heat_keeps_the_heat() -> None:
    for row in LIBRARY.substitutions.filter(pl.col("source").str.contains("heating values")).iter_rows(named=True):
        heat = [PRICES[row[key]]["lhv_gj_per_unit"] for key in ("commodity", "displaced")]
        assert row["ratio"] == pytest.approx(heat[0] / heat[1], rel=0.01)


def test_gaps_agree_with_plain_sets() -> None:
    taken = {commodity for _, commodity in TAKES} | set(LIBRARY.substitutions["commodity"])
    expected = {}
    for name, row in PRICES.items():
        lacks = (name not in MAKES and not row["natural"], name not in taken and row["kind"] != "emission")
        if any(lacks):
            expected[name] = {(True, True): "neither", (True, False): "no_producer", (False, True): "no_user"}[lacks]
    gaps = chain_gaps(LIBRARY)
    assert dict(gaps.select("commodity", "gap").iter_rows()) == expected


def test_what_nobody_makes_can_be_bought_or_comes_as_waste() -> None:
    """An input with no producer, no price and no one to pay for its disposal could never reach its technology."""
    for name in chain_gaps(LIBRARY).filter(gap="no_producer")["commodity"]:
        assert PRICES[name]["price_high"] is not None or PRICES[name]["disposal_cost"] is not None, name


def test_chains_of_the_carbide_park_connect() -> None:
    gaps = set(chain_gaps(LIBRARY)["commodity"])
    links = {
        "semi_coke",
        "lime",
        "calcium_carbide",
        "acetylene",
        "chlorine",
        "hcl",
        "carbide_slag",
        "salt_mud",
        "fly_ash",
    }
    assert not links & gaps


def test_a_new_taker_closes_a_gap() -> None:
    assert "carbide_dust" in set(chain_gaps(LIBRARY).filter(gap="no_user")["commodity"])
    fuel = pl.DataFrame(
        {
            "technology": ["clinker"],
            "commodity": ["carbide_dust"],
            "direction": ["in"],
            "amount": [0.01],
            "source": ["x"],
        }
    )
    assert "carbide_dust" not in set(chain_gaps(with_user_rows(LIBRARY, recipes=fuel))["commodity"])


def test_every_waste_and_emission_has_a_lawful_way_out() -> None:
    leaving = set(LIBRARY.recipes.filter(pl.col("role").is_in(["waste", "emission"]))["commodity"])
    assert leaving <= set(FATES)


def test_valuable_products_have_no_way_out_but_a_buyer() -> None:
    assert not {"coal_tar", "chlorine", "cement", "pvc", "electricity", "hcl", "semi_coke_tar"} & set(FATES)


@pytest.mark.parametrize("commodity", sorted(FATES))
def test_fates_keep_their_rules(commodity: str) -> None:
    fate, row = FATES[commodity], PRICES[commodity]
    carbon_as_co2 = (row["carbon_t_per_unit"] or 0.0) * 44 / 12
    assert (fate["fate"] == "emit") == (row["kind"] == "emission")
    if fate["fate"] in {"emit", "vent", "flare", "discharge"}:
        assert fate["cost"] == 0.0
        assert fate["provenance"] == "assumed"
    else:
        assert fate["cost"] == row["disposal_cost"]
        assert fate["provenance"] == "memory"
    if fate["fate"] == "flare":
        assert row["state"] == "gas"
        assert row["lhv_gj_per_unit"] > 0
        assert fate["co2_t_per_unit"] == pytest.approx(0.0 if commodity == "biogas" else carbon_as_co2, abs=1e-4)
    if row["hazard"] and row["disposal_cost"] is not None:
        assert fate["fate"] == "treat"
    if fate["fate"] == "landfill":
        assert not row["hazard"]
        assert row["kind"] == "material"
    assert fate["co2_t_per_unit"] <= 1.001 * carbon_as_co2
    assert fate["note"]


def test_flared_and_vented_carbon_by_number() -> None:
    assert FATES["co2_conc"]["co2_t_per_unit"] == 1.0
    assert FATES["co2_fossil"]["co2_t_per_unit"] == 1.0
    assert FATES["co2_biogenic"]["co2_t_per_unit"] == 0.0
    assert FATES["bf_gas"]["co2_t_per_unit"] == pytest.approx(0.8481132 * 100 / 99, rel=0.02)


FUELS = {
    "bituminous": 1.913788,
    "coal_gangue": 0.764601,
    "coal_slime": 1.145441,
    "natural_gas": 2.1650152,
    "coke_oven_gas": 0.7636189,
    "bf_gas": 0.8481132,
}


@pytest.mark.parametrize(("item", "published"), FUELS.items())
def test_fuel_factors_give_the_checked_co2(item: str, published: float) -> None:
    row = LIBRARY.emission_factors.filter(factor_set="fuel", item=item)
    factor = dict(row.select("quantity", "value").iter_rows())
    co2 = factor["ncv"] * factor["carbon_content"] * factor["oxidation"] * 44 / 12
    assert co2 == pytest.approx(published, rel=5e-4)


@pytest.mark.parametrize("item", ["coal_gangue", "coal_slime", "diesel", "natural_gas", "coke", "petroleum_coke"])
def test_commodities_carry_the_same_heat_and_carbon_as_the_factors(item: str) -> None:
    factor = dict(
        LIBRARY.emission_factors.filter(factor_set="fuel", commodity=item).select("quantity", "value").iter_rows()
    )
    assert PRICES[item]["lhv_gj_per_unit"] == pytest.approx(factor["ncv"], rel=1e-3)
    assert PRICES[item]["carbon_t_per_unit"] == pytest.approx(factor["ncv"] * factor["carbon_content"], rel=1e-3)


def test_clinker_with_waste_gives_the_checked_co2() -> None:
    used = {"carbide_slag": 300000, "fly_ash": 50000, "steel_slag": 20000, "phosphogypsum": 10000}
    factors = LIBRARY.emission_factors
    deduction = dict(factors.filter(factor_set="clinker_deduction").select("item", "value").iter_rows())
    process = factors.filter(factor_set="clinker")["value"].item()
    assert 1_000_000 * process - sum(deduction[item] * tonnes for item, tonnes in used.items()) == pytest.approx(
        381500.0
    )


def test_credits_of_clinker_raw_materials_are_the_published_deductions() -> None:
    deduction = dict(
        LIBRARY.emission_factors.filter(factor_set="clinker_deduction", quantity="process_co2_avoided")
        .drop_nulls("commodity")
        .select("commodity", "value")
        .iter_rows()
    )
    rows = LIBRARY.substitutions.filter(pl.col("technology").is_in(["clinker", "clinker_carbide_slag"]))
    compared = [row for row in rows.iter_rows(named=True) if row["commodity"] in deduction]
    assert len(compared) >= 5
    for row in compared:
        assert row["co2_credit"] == deduction[row["commodity"]]


def test_a_sheet_shows_recipe_ranges_sources_and_closure() -> None:
    sheet = technology_sheet(LIBRARY, "clinker_carbide_slag")
    rows = LIBRARY.recipes.filter(technology="clinker_carbide_slag")
    assert sheet["recipe"].height == rows.height == sheet["sources"].filter(about="recipe")["rows"].sum()
    assert sheet["recipe"].row(0, named=True)["role"] == "main"
    assert sheet["recipe"]["direction"].to_list()[1:] == sorted(sheet["recipe"]["direction"].to_list()[1:])
    assert {"low", "high", "source", "provenance"} <= set(sheet["recipe"].columns)
    assert sheet["closure"]["closed"].item()
    assert "carbide_slag" in sheet["substitutions"]["commodity"].to_list()
    assert sheet["technology"].height == 1


def test_reordered_tables_give_the_same_gaps() -> None:
    shuffled = replace(
        LIBRARY,
        recipes=LIBRARY.recipes.sample(fraction=1.0, shuffle=True, seed=1),
        substitutions=LIBRARY.substitutions.sample(fraction=1.0, shuffle=True, seed=2),
    )
    assert chain_gaps(shuffled).equals(chain_gaps(LIBRARY))
