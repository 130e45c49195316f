"""What the description of the Partner Park names is in the tables, and the assumed sizes fit each other."""

from itertools import product

import pytest
from example_tables import DESCRIPTION, rows

from cyclopolis.examples import example

HERE = example("changzhi")
PLANTS = {row["plant"]: row for row in rows(HERE / "plants.csv")}
EXCHANGES = {(row["from_plant"], row["to_plant"], row["commodity"]) for row in rows(HERE / "exchanges.csv")}
STATIONS = ("xibaitai_pp", "xiangyuan_pp", "wuyang_pp", "tunliu_pp")
ACETYLENE = ("pvc_c2h2", "cnt_c2h2", "rubber_c2h2")


def activity(plant: str) -> float:
    return float(PLANTS[plant]["activity"])


def technologies() -> set[str]:
    return {row["technology"] for row in PLANTS.values()}


def test_named_parks_and_stations_are_sites() -> None:
    sites = {row["site"] for row in rows(HERE / "sites.csv")}
    assert {"ctl_park", "gaohe", "lucheng", "donggu", "xibaitai", "xiangyuan", "wuyang", "tunliu"} <= sites


def test_named_works_stand() -> None:
    assert {
        "ctl_indirect", "coal_power", "coking", "calcium_carbide", "chlor_alkali", "pvc_carbide", "carbon_nanotube",
        "chloroprene", "clinker_carbide_slag", "ceramsite", "insulation_block",
    } <= technologies()  # fmt: skip


@pytest.mark.parametrize("station", STATIONS)
def test_each_station_is_to_supply_carbide_and_chlor_alkali(station: str) -> None:
    takers = {taker for giver, taker, commodity in EXCHANGES if giver == station and commodity == "electricity"}
    assert "chlor_a" in takers
    assert takers & {"carbide_fa", "carbide_fb"}


def test_carbide_chloride_slag_mud_and_ash_go_where_the_text_says() -> None:
    named = {(furnace, works, "calcium_carbide") for furnace, works in product(("carbide_fa", "carbide_fb"), ACETYLENE)}
    named |= {("hcl_a", works, "hcl") for works in ("pvc", "cnt", "rubber")}
    named |= {(works, taker, "carbide_slag") for works, taker in product(ACETYLENE, ("slag_clinker", "blocks"))}
    named |= {("chlor_a", "clinker_l", "salt_mud")}
    ash = product(STATIONS, ("flyash_cement", "cement_l", "ceramsite_w", "blocks"))
    named |= {(station, taker, "fly_ash") for station, taker in ash}
    assert named <= EXCHANGES


def test_no_exchange_stands_in_the_baseline_and_none_has_an_amount() -> None:
    for row in rows(HERE / "exchanges.csv"):
        assert row["status"] == "proposed"
        assert row["amount"] == ""
        assert row["source"].startswith(DESCRIPTION)


def test_givers_and_takers_are_different_enterprises() -> None:
    for giver, taker, _ in EXCHANGES:
        assert PLANTS[giver]["enterprise"] != PLANTS[taker]["enterprise"]


def test_most_hydrogen_chloride_goes_to_pvc() -> None:
    wanted = {"pvc": 0.6 * activity("pvc"), "rubber": 0.465 * activity("rubber"), "cnt": 0.6 * activity("cnt")}
    assert sum(wanted.values()) <= activity("hcl_a")
    assert wanted["pvc"] > 0.5 * activity("hcl_a")
    assert wanted["cnt"] + wanted["rubber"] < 0.2 * activity("hcl_a")


def test_sizes_fit_each_other() -> None:
    """Recipe amounts per unit as in the library: oxygen, lime, carbide, acetylene, chlorine."""
    assert activity("ctl_asu") == pytest.approx(2.75 * activity("ctl_ft"))
    assert activity("lime_a") == pytest.approx(0.95 * activity("carbide_fa"))
    acetylene = sum(activity(plant) for plant in ACETYLENE)
    made = activity("carbide_fa") + activity("carbide_fb")
    assert 0.85 * made < 3.24 * acetylene < made
    assert activity("pvc_c2h2") == pytest.approx(0.43 * activity("pvc"))
    assert activity("rubber_c2h2") == pytest.approx(0.7 * activity("rubber"))
    assert activity("cnt_c2h2") == pytest.approx(1.35 * activity("cnt"))
    assert 0.975 * activity("hcl_a") < 0.886 * activity("chlor_a")


def test_indicators_sum_over_the_enterprises_of_the_park() -> None:
    inside = [row for row in rows(HERE / "enterprises.csv") if row["site"] != "sewage_works"]
    value = {row["name"]: float(row["value"]) for row in rows(HERE / "indicators.csv")}
    assert value["employees"] == sum(float(row["employees"] or 0) for row in inside)
    assert value["industrial_output"] == sum(float(row["output_value"] or 0) for row in inside)
    assert value["firms_total"] == sum(bool(row["employees"]) for row in inside)
    assert value["large_firms"] == sum(float(row["employees"] or 0) >= 300 for row in inside)
    area = sum(float(row["area_km2"] or 0) for row in rows(HERE / "sites.csv") if row["parent"] == "partner_park")
    assert value["park_area"] == pytest.approx(area)
