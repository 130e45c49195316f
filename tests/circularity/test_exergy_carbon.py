"""Exergy factors of the library, Carnot, and the split of CO2 into fuel and process."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclopolis.industry.metabolism.carbon import burning_factors, carbon_by_plant, split_carbon
from cyclopolis.industry.metabolism.exergy import AMBIENT_K, carnot, energy_factors
from cyclopolis.library import load_library

LIBRARY = load_library()
FACTORS = energy_factors(LIBRARY.commodities, LIBRARY.exergy)


def factor(commodity):
    row = FACTORS.filter(commodity=commodity).row(0, named=True)
    return row["exergy_gj"] / row["gj"]


@given(st.floats(AMBIENT_K, 5000.0))
def test_heat_above_the_surroundings_is_partly_work(temperature):
    assert 0.0 <= float(carnot(temperature)) < 1.0


def test_heat_of_the_surroundings_does_no_work():
    assert float(carnot(AMBIENT_K)) == 0.0


def test_hotter_heat_is_worth_more_and_power_all_of_it():
    assert factor("heat_lowtemp") < factor("steam_lp") < factor("steam_hp") < factor("heat_medtemp") < 1.0
    assert factor("electricity") == 1.0


@pytest.mark.parametrize(
    ("commodity", "exergy", "lhv"),
    [
        ("hydrogen", 236.09, 241.8),
        ("carbon_monoxide", 274.71, 283.0),
        ("natural_gas", 831.2, 802.3),
        ("methanol", 718.0, 638.1),
        ("ammonia", 337.9, 316.8),
    ],
)
def test_pure_fuels_have_the_published_chemical_exergy(commodity, exergy, lhv):
    assert factor(commodity) == pytest.approx(exergy / lhv, abs=6e-4)


def test_fuels_lie_near_their_heating_value():
    fuels = LIBRARY.exergy.filter(basis="fuel")["value"]
    assert fuels.min() > 0.95
    assert fuels.max() < 1.13


def test_what_the_library_does_not_know_stays_unknown():
    row = FACTORS.filter(commodity="msw").row(0, named=True)
    assert row["gj"] == 6.2
    assert row["exergy_gj"] is None
    assert FACTORS.filter(commodity="limestone").is_empty()


def test_every_exergy_belongs_to_an_energy_carrier():
    known = FACTORS["commodity"].to_list()
    assert set(LIBRARY.exergy["commodity"]) <= set(known)


@given(st.lists(st.tuples(*[st.floats(0.0, 1e7)] * 3), min_size=1, max_size=5))
def test_fuel_and_process_sum_to_what_is_emitted(rows):
    burnable, bound, emitted = np.array(rows).T
    fuel, process = split_carbon(burnable, bound, emitted)
    assert fuel + process == pytest.approx(emitted)
    assert (fuel >= 0).all()
    assert (process >= 0).all()
    assert (fuel <= burnable).all()


def test_official_factors_come_first_and_grown_matter_counts_nothing():
    table = burning_factors(LIBRARY.commodities, LIBRARY.emission_factors)
    found = dict(table.select("commodity", "burnt").iter_rows())
    assert found["coal_slime"] == pytest.approx(1.145441, rel=1e-6)
    assert found["steam_coal"] == pytest.approx(0.539 * 44 / 12 * 0.98)
    assert found["biogas"] is None
    assert found["limestone"] is None


def test_coal_power_burns_its_coal_and_the_limestone_is_process(quickstart):
    carbon = carbon_by_plant(quickstart.network, quickstart.flows, quickstart.plan.library.emission_factors)
    at = quickstart.network.plant_ids.index("power")
    assert carbon.fuel[at] == pytest.approx(502_800 * 0.539 * 44 / 12 * 0.98)
    assert carbon.fuel[at] + carbon.process[at] == pytest.approx(990_000.0)
    assert carbon.released[at] == 0.0


@pytest.mark.parametrize("name", ["quickstart", "changzhi", "liupanshui"])
def test_the_parts_of_co2_sum_to_the_account_in_every_scope(states, name):
    state = states[name]
    parts = state.details.filter((pl.col("account") == "carbon") & (pl.col("item") != "power_bought"))
    summed = parts.group_by("scope_kind", "scope").agg(pl.col("value").sum())
    both = summed.join(state.accounts.filter(quantity="co2"), on=["scope_kind", "scope"])
    assert both.height == summed.height
    assert both["value"].to_list() == pytest.approx(both["value_right"].to_list())
