"""Every published total of the Liupanshui parks, and that the assumed split meets each of them."""

import csv
import hashlib
import io
from collections import defaultdict

import pytest
from example_tables import PAPER, rows
from hypothesis import given
from hypothesis import strategies as st

from cyclopolis.examples import example
from cyclopolis.examples.generate import enterprises_csv, share_out

HERE = example("liupanshui")
SITES = {row["site"]: row for row in rows(HERE / "sites.csv")}
PARKS = {site: row for site, row in SITES.items() if row["kind"] == "park"}
ENTERPRISES = rows(HERE / "enterprises.csv")
INDICATORS = {(row["site"], row["name"]): row for row in rows(HERE / "indicators.csv")}
BELOW_MEAN = {"hightech", "pannan", "panbei", "faer", "liuzhi"}
ABOVE_10_BILLION = {"zhongshan", "shuicheng", "hongguo", "faer", "pannan"}


def park_of(site: str) -> str:
    return site if site in PARKS else SITES[site]["parent"]


def steps(value: str) -> int:
    """Money in whole steps of 0.01 million CNY, so that sums are exact."""
    return round(float(value) * 100)


def output_by_park() -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for row in ENTERPRISES:
        total[park_of(row["site"])] += steps(row["output_value"])
    return dict(total)


@pytest.mark.parametrize(
    ("site", "name", "value"),
    [
        ("liupanshui", "park_area", 642.295),
        ("liupanshui", "parks", 8),
        ("liupanshui", "zones", 3),
        ("liupanshui", "park_area_mean", 80.29),
        ("liupanshui", "park_area_min", 11.73),
        ("liupanshui", "park_area_max", 203.35),
        ("liupanshui", "parks_below_mean_area", 5),
        ("liupanshui", "park_population", 160_000),
        ("liupanshui", "firms_total", 4492),
        ("liupanshui", "employees", 25_000),
        ("liupanshui", "agencies", 72),
        ("liupanshui", "agency_staff", 466),
        ("liupanshui", "industrial_output", 99_371),
        ("liupanshui", "industrial_output_above_scale", 82_949),
        ("liupanshui", "fixed_investment_cumulative", 38_729),
        ("liupanshui", "parks_above_10_billion", 5),
        ("liupanshui", "chains", 7),
        ("liupanshui", "coal_capacity_target", 120e6),
        ("hightech", "firms_total", 60),
        ("hightech", "resident_firm_share", 44.04),
        ("hightech", "firms_above_scale", 25),
        ("hightech", "industrial_output_above_scale", 3949),
        ("mugang", "exchanges_between_firms", 0),
    ],
)
def test_fact_stands_with_its_source(site: str, name: str, value: float) -> None:
    row = INDICATORS[site, name]
    assert float(row["value"]) == value
    assert row["source"] == PAPER


def test_eight_parks_in_three_zones() -> None:
    zones = {
        zone: {site for site, row in PARKS.items() if row["parent"] == zone} for zone in ("east", "north", "south")
    }
    assert zones == {
        "east": {"liuzhi"},
        "north": {"shuicheng", "hightech", "zhongshan", "faer"},
        "south": {"pannan", "panbei", "hongguo"},
    }


def test_areas_meet_sum_mean_ends_and_the_five_below_the_mean() -> None:
    areas = {site: float(row["area_km2"]) for site, row in PARKS.items()}
    assert sum(areas.values()) == pytest.approx(642.295, abs=1e-9)
    mean = sum(areas.values()) / 8
    assert round(mean, 2) == 80.29
    assert min(areas.values()) == 11.73
    assert max(areas.values()) == 203.35
    assert {site for site, area in areas.items() if area < mean} == BELOW_MEAN


def test_residents_sum() -> None:
    assert sum(float(row["population"]) for row in PARKS.values()) == 160_000


def test_enterprises_meet_count_employees_and_output() -> None:
    assert len(ENTERPRISES) == 4492
    assert sum(int(row["employees"]) for row in ENTERPRISES) > 25_000
    assert sum(steps(row["output_value"]) for row in ENTERPRISES) == 9_937_100
    assert sum(steps(row["output_value"]) for row in ENTERPRISES if steps(row["output_value"]) >= 2000) == 8_294_900


def test_exactly_the_five_named_parks_are_above_10_billion() -> None:
    output = output_by_park()
    assert {site for site, value in output.items() if value > 1_000_000} == ABOVE_10_BILLION
    for site, value in output.items():
        assert steps(INDICATORS[site, "industrial_output"]["value"]) == value
        assert INDICATORS[site, "industrial_output"]["source"].startswith("assumed")


def test_high_tech_zone_has_its_firms() -> None:
    firms = [steps(row["output_value"]) for row in ENTERPRISES if row["site"] == "hightech"]
    above = [value for value in firms if value >= 2000]
    assert (len(firms), len(above), sum(above)) == (60, 25, 394_900)


def test_faer_does_industrial_solid_waste_only() -> None:
    drawn = {row["industry_code"] for row in ENTERPRISES if row["enterprise"].startswith("faer_")}
    assert drawn == {"7723"}
    owners = {row["enterprise"] for row in ENTERPRISES if row["site"] == "faer"}
    plants = {row["technology"] for row in rows(HERE / "plants.csv") if row["enterprise"] in owners}
    assert plants == {"aac_block", "gangue_brick", "gypsum_powder_fgd", "gypsum_board"}


def test_mugang_has_its_six_trades_and_shares_nothing() -> None:
    trades = {
        row["name"].removeprefix("Mugang ").rstrip("0123456789 ") for row in ENTERPRISES if row["site"] == "mugang"
    }
    assert trades == {"building materials", "hardware", "leather", "garments", "printing", "plastics"}
    assert not (HERE / "exchanges.csv").exists()


def test_seven_chains_are_named() -> None:
    note = INDICATORS["liupanshui", "chains"]["note"].lower()
    for chain in (
        "textiles", "new materials", "internet of things", "farm-product processing", "new-energy chemicals",
        "tourism equipment", "logistics",
    ):  # fmt: skip
        assert chain in note


def test_bundled_enterprises_are_the_generators_bytes() -> None:
    shipped = (HERE / "enterprises.csv").read_bytes()
    assert hashlib.sha256(enterprises_csv().encode()).hexdigest() == hashlib.sha256(shipped).hexdigest()
    assert len(shipped) < 1_000_000


def test_another_seed_gives_another_table_with_the_same_totals() -> None:
    other = list(csv.DictReader(io.StringIO(enterprises_csv(seed=7))))
    assert [row["output_value"] for row in other] != [row["output_value"] for row in ENTERPRISES]
    assert sum(steps(row["output_value"]) for row in other) == 9_937_100
    assert sum(int(row["employees"]) for row in other) == sum(int(row["employees"]) for row in ENTERPRISES)
    assert len(other) == 4492


@given(
    st.integers(min_value=0, max_value=10**7),
    st.lists(st.floats(min_value=0.1, max_value=100.0), min_size=1, max_size=50),
)
def test_shares_are_whole_and_sum(total: int, weights: list[float]) -> None:
    parts = share_out(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(abs(part - total * weight / whole) < 1 + 1e-6 for part, weight in zip(parts, weights, strict=True))


def test_jobs_of_the_main_plants_are_the_employees_of_their_owners() -> None:
    jobs: dict[str, int] = defaultdict(int)
    for row in rows(HERE / "plants.csv"):
        jobs[row["enterprise"]] += int(row["jobs"])
    employees = {row["enterprise"]: int(row["employees"]) for row in ENTERPRISES}
    assert jobs == {enterprise: employees[enterprise] for enterprise in jobs}
