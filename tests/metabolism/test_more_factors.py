"""CO2, exergy and circularity by the numbers: every fuel by hand, clinker's floor, Carnot's chain, tiny places."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from cyclopolis.industry.metabolism import circularity as measure
from cyclopolis.industry.metabolism.carbon import burning_factors, split_carbon
from cyclopolis.industry.metabolism.emissions import clinker_co2, clinker_factors, fuel_co2, fuel_factors
from cyclopolis.industry.metabolism.exergy import AMBIENT_K, carnot, energy_factors
from cyclopolis.library import load_library

LIBRARY = load_library()
FUELS = {row["item"]: row for row in fuel_factors(LIBRARY.emission_factors).iter_rows(named=True)}
ENERGY = {row["commodity"]: row for row in energy_factors(LIBRARY.commodities, LIBRARY.exergy).iter_rows(named=True)}

# fuel: unit, GJ per unit, t C per GJ, share burnt, t CO2 per unit = GJ · C · share · 44/12 to six decimals
BY_HAND = {
    "anthracite": ("t", 22.867, 0.02749, 0.98, 2.258819),
    "lignite": ("t", 14.759, 0.02797, 0.98, 1.483361),
    "coke": ("t", 28.435, 0.02942, 0.98, 3.006031),
    "petroleum_coke": ("t", 32.5, 0.0275, 0.98, 3.211542),
    "diesel": ("t", 42.652, 0.0202, 0.98, 3.09591),
    "coal_tar": ("t", 33.453, 0.022, 0.98, 2.644571),
    "lng": ("t", 51.498, 0.0172, 0.98, 3.182851),
    "bof_gas": ("kNm3", 8.4, 0.0496, 0.99, 1.512403),
}


@pytest.mark.parametrize("fuel", BY_HAND)
def test_every_further_fuel_by_hand(fuel):
    unit, heat, carbon, share, expected = BY_HAND[fuel]
    row = FUELS[fuel]
    assert (row["unit"], row["ncv"], row["carbon_content"], row["oxidation"]) == (unit, heat, carbon, share)
    assert row["t_co2_per_unit"] == pytest.approx(expected, abs=5.1e-7)
    assert float(fuel_co2(1.0, heat, carbon, share)) == pytest.approx(expected, abs=5.1e-7)


# IPCC 2006, volume 2, table 1.4: default kg CO2 per TJ, all carbon burnt
IPCC = {
    "anthracite": 98_300,
    "lignite": 101_000,
    "bituminous": 94_600,
    "coke": 107_000,
    "petroleum_coke": 97_500,
    "diesel": 74_100,
    "coal_tar": 80_700,
    "natural_gas": 56_100,
    "coke_oven_gas": 44_400,
    "bf_gas": 260_000,
    "bof_gas": 182_000,
}


@pytest.mark.parametrize("fuel", IPCC)
def test_carbon_per_heat_is_near_the_international_default(fuel):
    own = FUELS[fuel]["carbon_content"] * 44 / 12 * 1e6  # kg per TJ
    assert own == pytest.approx(IPCC[fuel], rel=0.11)


def test_gas_is_cleaner_than_oil_than_coal_per_heat():
    order = ["coke_oven_gas", "natural_gas", "diesel", "bituminous", "coke", "bof_gas", "bf_gas"]
    per_heat = [FUELS[fuel]["t_co2_per_unit"] / FUELS[fuel]["ncv"] for fuel in order]
    assert all(first < second for first, second in pairwise(per_heat))


def test_fuel_factors_are_one_sorted_row_a_fuel():
    assert len(FUELS) == 14
    assert list(FUELS) == sorted(FUELS)
    shuffled = fuel_factors(LIBRARY.emission_factors.sample(fraction=1.0, shuffle=True, seed=3))
    assert shuffled.equals(fuel_factors(LIBRARY.emission_factors))


@pytest.mark.parametrize("factor", [0.0, 0.5, 2.0, 1e6])
def test_co2_of_fuel_is_proportional_to_each_of_its_four(factor):
    base = [3.0, 20.0, 0.025, 0.98]
    once = float(fuel_co2(*base))
    for spot in range(4):
        bent = [value * (factor if spot == place else 1.0) for place, value in enumerate(base)]
        assert float(fuel_co2(*bent)) == pytest.approx(once * factor)


@pytest.mark.parametrize(
    ("clinker", "materials", "expected"),
    [
        (100.0, {}, 53.5),
        (100.0, {"carbide_slag": 50.0}, 29.5),  # 53.5 - 24
        (100.0, {"slaked_lime": 50.0}, 23.5),  # 53.5 - 30
        (100.0, {"carbide_slag": 100.0}, 5.5),
        (100.0, {"carbide_slag": 100.0, "steel_slag": 100.0}, 0.0),  # 53.5 - 69.5: never below nothing
        (100.0, {"fly_ash": 10.0, "red_mud": 10.0, "phosphorus_slag": 10.0}, 48.65),  # 53.5 - 0.55 - 0.55 - 3.75
        (0.0, {"carbide_slag": 10.0}, 0.0),
        (0.0, {}, 0.0),
    ],
)
def test_clinker_by_hand(clinker, materials, expected):
    factor, deduction = clinker_factors(LIBRARY.emission_factors)
    found = clinker_co2(clinker, factor, list(materials.values()), [deduction[name] for name in materials])
    assert found == pytest.approx(expected)


def test_deductions_stay_below_the_co2_of_their_lime():
    """A tonne of pure CaO saves 44/56 t of CO2; of Ca(OH)2 44/74 t; no waste holds more."""
    _, deduction = clinker_factors(LIBRARY.emission_factors)
    assert deduction["slaked_lime"] == pytest.approx(44 / 74, abs=0.01)
    assert all(0 < saved <= 44 / 74 + 0.01 for saved in deduction.values())


@pytest.mark.parametrize(
    ("burnable", "bound", "emitted", "fuel"),
    [
        (10.0, 0.0, 12.0, 10.0),  # 2 of process
        (10.0, 0.0, 8.0, 8.0),  # no more than what is emitted
        (10.0, 4.0, 12.0, 6.0),  # 4 stay in the product
        (10.0, 15.0, 12.0, 0.0),  # more bound than burnable: all of process
        (0.0, 0.0, 5.0, 0.0),
        (7.0, 7.0, 0.0, 0.0),
    ],
)
def test_fuel_and_process_by_hand(burnable, bound, emitted, fuel):
    found = split_carbon(np.array([burnable]), np.array([bound]), np.array([emitted]))
    assert [part.item() for part in found] == [fuel, emitted - fuel]


def test_burning_never_gives_more_than_the_carbon_held_but_by_official_values():
    table = burning_factors(LIBRARY.commodities, LIBRARY.emission_factors).drop_nulls("burnt")
    official = {row["commodity"] for row in FUELS.values()} - {None}
    for row in table.iter_rows(named=True):
        if row["commodity"] in official or row["bound"] is None:
            continue
        assert 0.98 - 1e-12 <= row["burnt"] / row["bound"] <= 0.99 + 1e-12 or row["bound"] == row["burnt"] == 0.0, row
    assert table.height > len(official)


# --- exergy ---
@pytest.mark.parametrize(
    ("temperature", "share"), [(298.15, 0.0), (596.3, 0.5), (1192.6, 0.75), (373.15, 0.200992), (149.075, -1.0)]
)
def test_carnot_by_hand(temperature, share):
    assert float(carnot(temperature)) == pytest.approx(share, abs=1e-6)


def test_two_engines_in_a_row_do_what_one_does():
    """1 - c(T2, T0) = (1 - c(T1, T0)) (1 - c(T2, T1))."""
    for middle in (350.0, 500.0, 900.0):
        one = 1 - carnot(1500.0)
        two = (1 - carnot(middle)) * (1 - carnot(1500.0, middle))
        assert float(one) == pytest.approx(float(two))


def test_carnot_rises_with_the_source_and_falls_with_the_surroundings():
    levels = np.linspace(AMBIENT_K, 2000, 50)
    assert (np.diff(carnot(levels)) > 0).all()
    assert float(carnot(400.0, 310.0)) < float(carnot(400.0, 273.15))


@pytest.mark.parametrize("commodity", LIBRARY.exergy.filter(pl.col("basis") != "fuel")["commodity"].to_list())
def test_heat_steam_and_power_hold_at_most_their_energy_as_work(commodity):
    row = ENERGY[commodity]
    assert 0 <= row["exergy_gj"] <= row["gj"]
    assert (row["exergy_gj"] == row["gj"]) == (commodity == "electricity")


@pytest.mark.parametrize(
    ("commodity", "temperature"), [("heat_lowtemp", 353.15), ("district_heat", 353.15), ("heat_medtemp", 523.15)]
)
def test_heat_is_worth_its_carnot_share(commodity, temperature):
    assert ENERGY[commodity]["exergy_gj"] / ENERGY[commodity]["gj"] == pytest.approx(1 - 298.15 / temperature)


def test_a_carrier_has_one_row_and_unknown_exergy_is_null_not_nothing():
    table = energy_factors(LIBRARY.commodities, LIBRARY.exergy)
    assert table["commodity"].is_unique().all()
    unknown = table.filter(~pl.col("commodity").is_in(LIBRARY.exergy["commodity"].implode()))
    assert unknown.height > 0
    assert unknown["exergy_gj"].null_count() == unknown.height
    assert table.filter(pl.col("exergy_from").is_not_null())["exergy_gj"].null_count() == 0
    assert (table["gj"] >= 0).all()


# --- circularity of tiny places: recycled, imported waste, exported waste, DMC -> rate in % ---
@pytest.mark.parametrize(
    ("recovered", "imported", "exported", "consumption", "rate"),
    [
        (0.0, 0.0, 0.0, 100.0, 0.0),
        (25.0, 0.0, 0.0, 75.0, 25.0),
        (25.0, 25.0, 0.0, 75.0, 0.0),  # all recycled waste came from elsewhere
        (0.0, 0.0, 25.0, 75.0, 25.0),  # all is recycled elsewhere
        (30.0, 10.0, 5.0, 75.0, 25.0),  # 30 - 10 + 5
        (100.0, 0.0, 0.0, 0.0, 100.0),  # a place that lives on its waste
    ],
)
def test_circular_material_use_of_tiny_places(recovered, imported, exported, consumption, rate):
    found = measure.circular_material_use(recovered, imported, exported, consumption)
    assert float(found) == pytest.approx(rate)
    scaled = measure.circular_material_use(*(1e3 * part for part in (recovered, imported, exported, consumption)))
    assert float(scaled) == pytest.approx(rate)


@pytest.mark.parametrize(
    "name",
    [
        *("waste_reuse_rate", "recycled_content", "renewable_content", "recycled_outflow", "biological_outflow"),
        *("circular_water", "lawful_discharge"),
    ],
)
def test_a_share_is_nothing_at_nothing_whole_at_all_and_blind_to_units(name):
    function = getattr(measure, name)
    assert function(np.array([0.0, 4.0, 8.0]), 8.0).tolist() == [0.0, 50.0, 100.0]
    assert float(function(3e-9, 12e-9)) == pytest.approx(float(function(3e9, 12e9)))
    assert np.isnan(function(np.array([1.0, np.nan]), np.array([0.0, 5.0]))).all()


def test_water_used_again_counts_on_top_of_the_first_use():
    assert measure.water_reuse(10.0, np.array([0.0, 5.0, 10.0, 90.0])).tolist() == [1.0, 1.5, 2.0, 10.0]


def test_revenue_per_linear_tonne_grows_as_inflow_becomes_circular():
    found = measure.material_productivity(1000.0, 100.0, np.array([0.0, 50.0, 90.0, 100.0]))
    assert found[:3].tolist() == [10.0, 20.0, 100.0]
    assert np.isnan(found[3])  # no linear inflow left to divide by
