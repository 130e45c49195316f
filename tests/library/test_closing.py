"""Recipes close, or say why not; an independent loop and chemistry check the arithmetic."""

import math
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.foundation.problems import UserError
from cyclopolis.library import closure, load_library, with_user_rows
from cyclopolis.library.closing import TOLERANCE_PCT, gap_pct, side_totals

LIBRARY = load_library()
CLOSURE = closure(LIBRARY)
AMOUNTS = {(row[0], row[1]): row[2] for row in LIBRARY.recipes.select("technology", "commodity", "amount").iter_rows()}


def by_hand(technology: str) -> tuple[float, float, float, float]:
    """Mass in, mass out, carbon in, carbon out, by plain loops over plain dictionaries."""
    facts = {row["commodity"]: row for row in LIBRARY.commodities.iter_rows(named=True)}
    totals = {"in": [0.0, 0.0], "out": [0.0, 0.0]}
    for row in LIBRARY.recipes.filter(technology=technology).iter_rows(named=True):
        fact = facts[row["commodity"]]
        if fact["kind"] in {"water", "energy"}:
            continue
        totals[row["direction"]][0] += row["amount"] * (fact["t_per_unit"] or 0.0)
        totals[row["direction"]][1] += row["amount"] * (fact["carbon_t_per_unit"] or 0.0)
    return (*[totals[side][0] for side in ("in", "out")], *[totals[side][1] for side in ("in", "out")])


@pytest.mark.parametrize("technology", LIBRARY.technologies["technology"].to_list())
def test_each_technology_closes_or_says_why_not(technology: str) -> None:
    row = CLOSURE.filter(technology=technology).row(0, named=True)
    gaps = (row["mass_gap_pct"], row["carbon_gap_pct"])
    closes = all(gap is not None and abs(gap) <= TOLERANCE_PCT for gap in gaps)
    assert row["closed"] is closes
    if closes:
        assert row["reason"] is None, "a reason is kept only where it is needed"
    else:
        assert len(row["reason"]) > 30
        assert len(re.findall(r"[一-鿿]", row["reason_zh"])) >= 8


def test_an_open_side_is_named_by_its_reason() -> None:
    """A reason that speaks of carbon only must not cover an open mass balance."""
    for row in CLOSURE.filter(~pl.col("closed")).iter_rows(named=True):
        mass_open = row["mass_gap_pct"] is None or abs(row["mass_gap_pct"]) > TOLERANCE_PCT
        if mass_open:
            assert row["reason"].startswith(("water process", "energy process")), row["technology"]


def test_a_claim_of_no_carbon_holds() -> None:
    claims = CLOSURE.filter(pl.col("reason").str.starts_with("no carbon"))
    assert claims.height > 10
    assert (claims["carbon_in"] == 0).all()
    assert (claims["carbon_out"] == 0).all()


@pytest.mark.parametrize("technology", LIBRARY.technologies["technology"].to_list()[::7])
def test_totals_agree_with_plain_loops(technology: str) -> None:
    row = CLOSURE.filter(technology=technology).row(0, named=True)
    expected = by_hand(technology)
    found = (row["mass_in"], row["mass_out"], row["carbon_in"], row["carbon_out"])
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_mass_in_never_counts_water_or_energy() -> None:
    row = closure(LIBRARY, ["demin_water"]).row(0, named=True)
    assert (row["mass_in"], row["mass_out"], row["mass_gap_pct"], row["closed"]) == (0.0, 0.0, None, False)


def test_order_of_rows_changes_nothing() -> None:
    from dataclasses import replace

    shuffled = replace(LIBRARY, recipes=LIBRARY.recipes.sample(fraction=1.0, shuffle=True, seed=4))
    again = closure(shuffled)
    numbers = [name for name, dtype in CLOSURE.schema.items() if dtype == pl.Float64]
    for name in numbers:
        assert np.allclose(
            again[name].fill_null(-1e9).to_numpy(), CLOSURE[name].fill_null(-1e9).to_numpy(), rtol=1e-12, atol=1e-12
        )
    assert again["technology"].to_list() == CLOSURE["technology"].to_list()


def test_semi_coke_retort_closes_mass_and_carbon() -> None:
    row = closure(LIBRARY, ["semi_coke_retort"]).row(0, named=True)
    assert row["closed"]
    assert row["reason"] is None
    assert abs(row["carbon_gap_pct"]) < 5


def test_a_spoilt_recipe_is_caught() -> None:
    wrong = pl.DataFrame(
        {"technology": ["lime_kiln"], "commodity": ["limestone"], "direction": ["in"], "amount": [3.6], "source": ["x"]}
    )
    row = closure(with_user_rows(LIBRARY, recipes=wrong), ["lime_kiln"]).row(0, named=True)
    assert not row["closed"]
    assert row["mass_gap_pct"] < -TOLERANCE_PCT


def test_unknown_technologies_are_all_named_with_the_nearest() -> None:
    with pytest.raises(UserError) as caught:
        closure(LIBRARY, ["lime_kilm", "coking", "zzz"])
    problems = caught.value.problems
    assert [problem.suggestion for problem in problems] == ["lime_kiln", ""]
    assert "lime_kilm" in problems[0].render("zh")


@given(
    amounts=st.lists(
        st.tuples(st.integers(0, 3), st.booleans(), st.floats(0, 1e6)),
        max_size=30,
    )
)
@settings(max_examples=60, deadline=None)
def test_side_totals_lose_nothing(amounts) -> None:
    owner = np.array([row[0] for row in amounts], dtype=np.intp)
    is_out = np.array([row[1] for row in amounts], dtype=np.bool_)
    amount = np.array([row[2] for row in amounts], dtype=np.float64)
    into, out = side_totals(owner, is_out, amount, 4)
    assert into.shape == out.shape == (4,)
    assert math.isclose(into.sum() + out.sum(), amount.sum(), rel_tol=1e-9, abs_tol=1e-9)
    for index in range(4):
        assert math.isclose(out[index], sum(row[2] for row in amounts if row[0] == index and row[1]), rel_tol=1e-9)


@given(st.floats(1e-6, 1e6), st.floats(0, 1e6))
@settings(max_examples=60, deadline=None)
def test_gap_is_zero_only_for_equal_sides_and_is_free_of_units(amount_in, amount_out) -> None:
    gap = gap_pct(np.array([amount_in]), np.array([amount_out]))[0]
    assert (gap == 0) == (amount_in == amount_out) or abs(amount_in - amount_out) < 1e-9 * amount_in
    scaled = gap_pct(np.array([1000 * amount_in]), np.array([1000 * amount_out]))[0]
    assert math.isclose(gap, scaled, rel_tol=1e-6, abs_tol=1e-6)


STOICHIOMETRY = [
    ("chlor_alkali", "chlorine", 70.906 / (2 * 39.997), 0.01),
    ("chlor_alkali", "hydrogen", 2.016 / (2 * 39.997), 0.01),
    ("chlor_alkali", "salt", 58.443 / 39.997, 0.05),
    ("hcl_synthesis", "chlorine", 70.906 / (2 * 36.461), 0.01),
    ("electrolysis_h2", "water_reactant", 18.015 / 2.016, 0.02),
    ("electrolysis_h2", "oxygen", 15.999 / 2.016, 0.02),
    ("lime_kiln", "limestone", 100.087 / 56.077, 0.05),
    ("sulfuric_acid_s", "sulfur", 32.06 / 98.079, 0.02),
    ("thermal_phosphoric_acid", "yellow_phosphorus", 0.85 * 30.974 / 97.994, 0.03),
]


@pytest.mark.parametrize(("technology", "commodity", "ratio", "slack"), STOICHIOMETRY)
def test_recipes_keep_to_stoichiometry(technology: str, commodity: str, ratio: float, slack: float) -> None:
    assert AMOUNTS[technology, commodity] == pytest.approx(ratio, rel=slack)


MOLECULES = [
    ("methanol", 12.011 / 32.042),
    ("urea", 12.011 / 60.056),
    ("acetylene", 24.022 / 26.038),
    ("acetic_acid", 24.022 / 60.052),
    ("benzene", 72.066 / 78.114),
    ("carbon_monoxide", 12.011 / 28.010),
    ("co2_fossil", 12.011 / 44.009),
    ("ch4_air", 12.011 / 16.043),
    ("pvc", 24.022 / 62.50),
    ("soda_ash", 12.011 / 105.99),
]


@pytest.mark.parametrize(("commodity", "share"), MOLECULES)
def test_carbon_contents_are_those_of_the_molecules(commodity: str, share: float) -> None:
    held = LIBRARY.commodities.filter(commodity=commodity)["carbon_t_per_unit"].item()
    assert held == pytest.approx(share, rel=0.01)
