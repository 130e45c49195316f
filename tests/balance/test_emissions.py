"""Greenhouse gas kernels against the official rules and the numbers published for them."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclopolis.industry.metabolism.emissions import clinker_co2, clinker_factors, fuel_co2, fuel_factors
from cyclopolis.library import load_library

# Chinese default values (NCV in GJ per t or per 10,000 Nm3, t C/GJ, oxidation) and the CO2 that follows from them
FUELS = {
    "bituminous": (23.076, 0.02308, 0.98, 1.913788),
    "coal_gangue": (8.374, 0.02541, 0.98, 0.764601),
    "coal_slime": (12.545, 0.02541, 0.98, 1.145441),
    "natural_gas": (389.31, 0.01532, 0.99, 21.650152),
    "coke_oven_gas": (173.854, 0.0121, 0.99, 7.636189),
    "bf_gas": (33.0, 0.0708, 0.99, 8.481132),
}


@pytest.mark.parametrize("fuel", FUELS)
def test_default_factors_give_the_published_co2(fuel):
    *values, expected = FUELS[fuel]
    assert float(fuel_co2(1.0, *values)) == pytest.approx(expected, abs=5.1e-7)  # printed with six decimals


@pytest.mark.parametrize("fuel", FUELS)
def test_the_library_holds_the_same_factors(fuel):
    row = fuel_factors(load_library().emission_factors).row(by_predicate=pl.col("item") == fuel, named=True)
    scale = 10.0 if row["unit"] == "kNm3" else 1.0  # the source counts gases by 10,000 Nm3
    assert row["t_co2_per_unit"] * scale == pytest.approx(FUELS[fuel][3], abs=5.1e-7)  # printed with six decimals


def test_fuels_are_taken_as_arrays():
    found = fuel_co2([1.0, 2.0], 20.0, [0.02, 0.03], 1.0)
    assert found.tolist() == pytest.approx([20 * 0.02 * 44 / 12, 2 * 20 * 0.03 * 44 / 12])


def test_clinker_with_carbide_slag():
    # 1 Mt of clinker with 300 kt carbide slag, 50 kt fly ash, 20 kt steel slag, 10 kt phosphogypsum
    factor, deduction = clinker_factors(load_library().emission_factors)
    materials = {"carbide_slag": 300e3, "fly_ash": 50e3, "steel_slag": 20e3, "phosphogypsum": 10e3}
    found = clinker_co2(1e6, factor, list(materials.values()), [deduction[name] for name in materials])
    assert found == pytest.approx(381_500.0)


def test_all_published_deductions_are_there():
    expected = {
        "carbide_slag": 0.48,
        "fly_ash": 0.055,
        "steel_slag": 0.215,
        "phosphogypsum": 0.245,
        "red_mud": 0.055,
        "slaked_lime": 0.6,
        "paper_white_mud": 0.375,
        "phosphorus_slag": 0.375,
        "municipal_sludge": 0.055,
    }
    assert clinker_factors(load_library().emission_factors)[1] == expected


def test_clinker_without_other_materials():
    assert clinker_co2(1000.0, 0.535) == pytest.approx(535.0)


@given(st.floats(0, 1e7), st.lists(st.tuples(st.floats(0, 1e7), st.floats(0, 1)), max_size=5))
def test_process_co2_is_never_negative_nor_above_the_factor(clinker, rows):
    found = clinker_co2(clinker, 0.535, [m for m, _ in rows], [d for _, d in rows])
    assert 0 <= found <= clinker * 0.535 + 1e-6


def test_materials_and_deductions_must_match():
    with pytest.raises(ValueError, match="2 materials, but 1 deductions"):
        clinker_co2(1.0, 0.5, [1.0, 2.0], [0.1])


def test_nothing_burnt_gives_nothing():
    assert fuel_co2(np.zeros(3), 20.0, 0.02, 0.98).tolist() == [0, 0, 0]
