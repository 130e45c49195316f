"""What is known of Guiyang is in the tables, the chemical company's loop closes, the rest is marked assumed."""

import pytest
from example_tables import rows

from cyclopolis.ecology.compliance import comply
from cyclopolis.ecology.land import land
from cyclopolis.examples import example
from cyclopolis.industry import balance
from cyclopolis.plan import read_plan

HERE = example("guiyang")
FACTS = {
    "rivers": 107, "drinking_water_sources": 6, "section_compliance_pct": 100, "source_compliance_pct": 100,
    "pocket_parks": 10, "green_cover_pct": 42.06, "park_green_area_m2_per_person": 14.85, "forest_cover_pct": 55.03,
    "good_air_days_pct": 99.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def plan():
    return read_plan(HERE)


def test_facts_and_only_facts_are_unmarked() -> None:
    given = rows(HERE / "indicators.csv")
    assert {row["name"]: float(row["value"]) for row in given} == FACTS
    assert not any(row["source"].startswith("assumed") for row in given)
    for table in ("plants", "markets", "layers", "water_quality", "recipes", "sections"):
        assert all(row["source"].startswith("assumed") for row in rows(HERE / f"{table}.csv")), table


def test_the_number_of_sections_stays_unknown() -> None:
    assert not any("section" in row["name"] and row["unit"] == "1" for row in rows(HERE / "indicators.csv"))


def test_all_chains_and_the_loop_stand(plan) -> None:
    technologies = set(plan.tables["plants"]["technology"])
    assert {"wet_phosphoric_acid", "al_smelting", "machine_parts_works", "cement_opc", "tcm_extraction"} <= technologies
    assert {
        "polyacrylamide",
        "cmc",
        "drilling_fluids",
        "water_chemicals_works",
        "paper_dispersant_works",
    } <= technologies
    assert {"msw_sorting", "rdf_production", "rdf_power"} <= technologies


def test_the_loop_carries_what_its_takers_need(plan) -> None:
    flows = balance(plan).tables["flows"]
    given = {
        (row["from_plant"], row["to_plant"]): row["amount"]
        for row in flows.iter_rows(named=True)
        if row["from_plant"] and row["to_plant"]
    }
    assert given["pam", "muds"] == pytest.approx(0.01 * 48_000)
    assert given["cmc_line", "muds"] == pytest.approx(0.03 * 48_000)
    assert given["pam", "dispersant"] == pytest.approx(0.2 * 6_000)
    assert given["sorting", "upgrading"] == pytest.approx(1.24 * 80_000)
    assert given["upgrading", "power"] == pytest.approx(78_000)


def test_six_sources_comply(plan) -> None:
    waters = comply(plan).tables["waters"].filter(scope="", kind="water_source").row(0, named=True)
    assert (waters["sections"], waters["meeting_share"], waters["provenance"]) == (6, 1.0, "assumed")


def test_what_is_left_of_the_chemical_park_goes_to_design(plan) -> None:
    own = plan.tables["sites"].filter(site="chemical")["developable_ha"].item()
    left = land(plan).tables["places"].filter(scope="chemical")["developable_ha"].item()
    assert own is None
    assert 0 < left < 150
