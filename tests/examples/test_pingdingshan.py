"""What the text of the Green Park names is in the tables, the assumed sizes fit each other, and design answers."""

from itertools import product

import polars as pl
import pytest
from example_tables import PINGDINGSHAN, rows

from cyclopolis.design import Design, DesignOptions, design
from cyclopolis.examples import example
from cyclopolis.network import base_flows, compile_network, dimension_forms
from cyclopolis.plan import read_plan

HERE = example("pingdingshan")
PLANTS = {row["plant"]: row for row in rows(HERE / "plants.csv")}
EXCHANGES = {(row["from_plant"], row["to_plant"], row["commodity"]) for row in rows(HERE / "exchanges.csv")}


def activity(plant: str) -> float:
    return float(PLANTS[plant]["activity"])


def capacity(plant: str) -> float:
    return float(PLANTS[plant]["capacity"])


@pytest.fixture(scope="module")
def designed() -> Design:
    return design(read_plan(HERE), DesignOptions(explain=0))


def test_named_parks_stand_and_named_works_too() -> None:
    assert {"mines", "power_park", "coking_park", "chem_park", "salt_park"} <= {
        row["site"] for row in rows(HERE / "sites.csv")
    }
    assert {
        "coal_power", "gangue_cfb_power", "gangue_brick", "clinker", "cement_flyash", "coking", "tar_distillation",
        "needle_coke_coal", "carbon_black", "coal_to_ammonia", "urea", "methanol_high_sulfur", "acetic_acid",
        "formaldehyde", "pom", "salt_solution_mining", "soda_ash_hou", "soda_ash_low_salt",
    } <= {row["technology"] for row in PLANTS.values()}  # fmt: skip


def test_named_exchanges_are_asked_for_and_none_is_given() -> None:
    ash = product(("yaomeng_pp",), ("mill", "mill_ash", "ash_bricks", "blocks"), ("fly_ash",))
    named = {
        ("wash_steam", "gangue_pp", "coal_slime"), ("wash_coking", "gangue_pp", "coal_gangue"),
        ("wash_steam", "bricks", "coal_gangue"), ("tar", "needle", "pitch"), ("tar", "black", "anthracene_oil"),
        ("ammonia", "hou", "ammonia"), ("brine", "hou", "salt"), ("methanol_hs", "acetic", "methanol"),
        ("methanol_hs", "formalin", "methanol"), *ash,
    }  # fmt: skip
    assert named <= EXCHANGES
    for row in rows(HERE / "exchanges.csv"):
        assert (row["status"], row["amount"], row["source"]) == ("proposed", "", PINGDINGSHAN[0])
    for giver, taker, _ in EXCHANGES:
        assert PLANTS[giver]["enterprise"] != PLANTS[taker]["enterprise"]


def test_sizes_fit_each_other() -> None:
    """Recipe amounts per unit as in the library."""
    assert activity("mine_coking") >= 1.72 * activity("wash_coking")
    assert activity("mine_steam") >= 1.3 * activity("wash_steam")
    assert activity("asu_n") >= 0.88 * activity("ammonia")
    assert activity("asu_m") >= 1.08 * activity("methanol_hs")
    assert activity("tar") <= 0.045 * activity("coke")
    assert activity("formalin") >= 3.15 * activity("pom")
    assert activity("co") >= 0.505 * activity("acetic")
    left = activity("ammonia") - 0.575 * activity("urea")
    assert 0 < 0.34 * capacity("hou") <= left
    assert 1.01 * capacity("dense") <= capacity("hou")
    assert 2.35 * capacity("needle") <= 0.555 * activity("tar")


def test_the_park_lives_beside_the_city() -> None:
    network = compile_network(read_plan(HERE))
    forms, flows = dimension_forms(network), base_flows(network)
    value = {part.name: part.form.value(flows) for part in forms.parts}
    assert set(network.factors.pollution_rate[:, 0]) == {4.8}, "Henan"
    assert 0 < value["environment_protection_tax"] <= value["air_pollution"] + value["water_pollution"]
    assert value["exposure"] > 0
    assert value["fiscal_revenue"] > 0


def test_design_is_proven_and_answers_every_named_exchange(designed: Design) -> None:
    assert designed.facts["status"] == "optimal"
    assert designed.facts["gap"] <= 0.001
    assert set(designed.tables["unknowns"].select("commodity", "reason").iter_rows()) == {
        ("ch4_air", "equivalent"), ("voc", "equivalent"),
    }  # fmt: skip
    proposed = designed.tables["proposed"]
    assert proposed.height == len(EXCHANGES)
    assert set(proposed["status"]) <= {"found", "tied", "not_chosen"}
    assert proposed.filter(pl.col("status") == "found").height > 0
