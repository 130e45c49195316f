"""What pipes cost: by hand on both systems of units, own prices first, what has no price is said."""

import numpy as np
import polars as pl
import pytest
from drainage_places import TABLES, write
from hypothesis import given, settings
from hypothesis import strategies as st

import cyclopolis
from cyclopolis.infrastructure.drainage.engine import drain
from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.pipes import pipe_cost, price_of
from cyclopolis.infrastructure.drainage.variants import prepare
from cyclopolis.library.storm import load_storm_library
from cyclopolis.plan import read_plan

PRICES = load_storm_library().pipe_prices


def model(units: str, conduits: str, shapes: str) -> Inp:
    text = f"[OPTIONS]\nFLOW_UNITS {units}\n\n[CONDUITS]\n{conduits}\n[XSECTIONS]\n{shapes}\n"
    return Inp.parse(text.encode())


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return read_plan(write(tmp_path_factory.mktemp("town")))


def test_the_table_of_prices_rises_and_is_marked_assumed() -> None:
    assert PRICES["diameter_m"].is_sorted()
    assert (PRICES["cost_low"] < PRICES["cost_high"]).all()
    assert (PRICES["cost_low"].diff().drop_nulls() > 0).all()
    assert PRICES["provenance"].unique().to_list() == ["assumed"]
    assert PRICES["source"].str.starts_with("assumed").all()


@settings(max_examples=50, deadline=None)
@given(st.floats(0.3, 3.0), st.floats(0.0, 0.5))
def test_a_wider_pipe_is_never_cheaper(diameter: float, more: float) -> None:
    wider = min(diameter + more, 3.0)
    cheap, dear = price_of(np.array([diameter, wider]))
    assert cheap <= dear


def test_prices_of_the_table_are_the_middle_of_their_range() -> None:
    middle = (PRICES["cost_low"] + PRICES["cost_high"]) / 2
    assert price_of(PRICES["diameter_m"].to_numpy()).tolist() == middle.to_list()


def test_metres_and_feet_cost_the_same(town) -> None:
    metric = model("LPS", "A J1 J2 100 0.013 0 0\nB J2 O 50 0.013 0 0", "A CIRCULAR 0.6 0 0 0 1\nB CIRCULAR 1 0 0 0 2")
    feet = model(
        "CFS",
        f"A J1 J2 {100 / 0.3048} 0.013 0 0\nB J2 O {50 / 0.3048} 0.013 0 0",
        f"A CIRCULAR {0.6 / 0.3048} 0 0 0 1\nB CIRCULAR {1 / 0.3048} 0 0 0 2",
    )
    by_hand = (100 * (950 + 1800) / 2 + 2 * 50 * (2000 + 3600) / 2) / 1e6
    for found in (pipe_cost(metric, {}, town), pipe_cost(feet, {}, town)):
        assert found.million_cny == pytest.approx(by_hand)
        assert (found.priced_m, found.unpriced_m) == (pytest.approx(150.0), 0.0)
        assert found.provenance == "assumed"


def test_channels_and_very_wide_pipes_have_no_price_and_are_measured(town) -> None:
    odd = model(
        "CMS", "A J1 J2 10 0.03 0 0\nB J2 J3 20 0.013 0 0\nC J3 O 40 0.013 0 0",
        "A TRAPEZOIDAL 1 2 3 3 1\nB CIRCULAR 3.5 0 0 0 1\nC CIRCULAR 0.3 0 0 0",
    )  # fmt: skip
    found = pipe_cost(odd, {}, town)
    assert (found.priced_m, found.unpriced_m) == (40.0, 30.0)
    assert found.million_cny == pytest.approx(40 * 675 / 1e6)


def test_own_prices_take_the_place_of_the_library(tmp_path) -> None:
    conduits = TABLES["conduits"].replace("diameter_m\n", "diameter_m,cost_cny_m,source\n")
    conduits = conduits.replace("120,0.6\n", "120,0.6,3000,tender 2024\n").replace("150,0.8\n", "150,0.8,,\n")
    plan = read_plan(write(tmp_path / "own", conduits=conduits.replace("80,0.8\n", "80,0.8,,\n")))
    made = prepare(plan)
    plain = 150 * 2000.0 + 80 * 2000.0
    assert made.pipes["grey"].million_cny == pytest.approx((120 * 3000 + plain) / 1e6)
    assert made.pipes["grey"].provenance == "assumed"
    every = conduits.replace("150,0.8,,\n", "150,0.8,10,bill\n").replace("80,0.8\n", "80,0.8,20,bill\n")
    own = prepare(read_plan(write(tmp_path / "all", conduits=every))).pipes["grey"]
    assert own.million_cny == pytest.approx((120 * 3000 + 150 * 10 + 80 * 20) / 1e6)
    assert own.provenance == "user"


def test_grey_and_sponge_are_compared_with_their_pipes(town) -> None:
    found = drain(town)
    rows = {row["variant"]: row for row in found.tables["variants"].iter_rows(named=True)}
    assert rows["before"]["total_cost"] == 0.0
    for row in rows.values():
        assert row["total_cost"] == pytest.approx(row["cost"] + row["pipe_cost"])
    assert rows["grey"]["cost"] == 0.0
    assert rows["grey"]["pipe_cost"] == pytest.approx((120 * 1375 + 230 * 2000) / 1e6)
    assert rows["sponge"]["pipe_cost"] >= rows["grey"]["pipe_cost"]
    lines = {line.name.render("en"): line.value for line in found.summary()}
    named = [name for name in lines if name.startswith("Capital of measures and pipes")]
    assert [lines[name] for name in named] == [rows["grey"]["total_cost"], rows["sponge"]["total_cost"]]


def test_what_the_comparison_does_not_know_is_listed_with_its_reason() -> None:
    found = drain(cyclopolis.read_plan(cyclopolis.example("sponge")))
    assert set(found.tables["unknowns"].rows()) == {
        ("before", "drainage_no_ss"), ("sponge", "drainage_no_ss"), ("grey", "drainage_unpriced"),
    }  # fmt: skip
    lost = found.tables["variants"].filter(pl.col("ss_kg").is_null())["variant"].unique().sort().to_list()
    assert lost == ["before", "sponge"]
