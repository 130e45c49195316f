"""What GFHS says of Liuyang is in the tables, the drawing has its sizes, and rating ranks what GFHS ranks."""

import pytest
from example_tables import rows

import cyclopolis
from cyclopolis.ecology.land import land
from cyclopolis.examples import drawing, example
from cyclopolis.infrastructure.streets import streets
from cyclopolis.plan import read_plan
from cyclopolis.rating import rate

HERE = example("liuyang")
FACTS = {
    "park_area": 18, "firms_total": 870, "listed_a_shares": 5, "listed_neeq": 4, "clusters": 3, "block_area_mean": 12,
    "block_area_smaller": 3, "block_area_larger": 35, "area_planned": 23, "population_planned": 200_000,
    "igmc-3.0.environment.share": 50, "igmc-3.0.basic_services.share_high": 33.3,
}  # fmt: skip
WORKS = {("drainage_outlet", "improved"): 4, ("separation", "planned"): 7, ("reconstruction", "checked"): 8,
         ("well", "built"): 5, ("well", "improved"): 25, ("well", "cleaned"): 35}  # fmt: skip


@pytest.fixture(scope="module")
def plan():
    return read_plan(HERE)


def test_facts_stand_as_published_and_readings_are_assumed() -> None:
    given = {row["name"]: row for row in rows(HERE / "indicators.csv")}
    for name, value in FACTS.items():
        assert float(given[name]["value"]) == value
        assert given[name]["source"].startswith("GFHS")
    for name in set(given) - set(FACTS) - {"shops_per_100m"}:
        assert given[name]["source"].startswith("assumed"), name


def test_the_works_of_2018_are_all_there() -> None:
    found = {(row["kind"], row["status"]): row for row in rows(HERE / "works.csv")}
    assert {key: float(found[key]["number"]) for key in WORKS} == WORKS
    assert float(found["pipe", "built"]["length_m"]) == 1243.5
    assert all(row["source"].startswith("GFHS 2018") for row in found.values())


@pytest.mark.parametrize("name", ["liuyang", "guiyang"])
def test_the_shipped_layers_are_what_the_drawing_draws(name) -> None:
    files = getattr(drawing, name)()
    assert {path.name for path in example(name).glob("*.geojson")} == set(files)
    for file, text in files.items():
        assert (example(name) / file).read_text(encoding="utf-8") == text


def test_blocks_have_the_three_stated_sizes_and_mean(plan) -> None:
    found = streets(plan).tables
    sizes = found["blocks"]["area_ha"].round(2)
    assert set(sizes) == {3.17, 12.25, 35.05}
    mean = found["measures"].filter(measure="block_ha")["value"].item()
    assert mean == pytest.approx(12.0, abs=0.1)
    doors = found["measures"].filter(measure="frontage_per_100m")["value"].item()
    assert doors > 5


def test_people_and_ground_sum_to_what_is_stated(plan) -> None:
    people = drawing.liuyang()["people.geojson"]
    assert sum(int(part.split("}")[0]) for part in people.split('"people":')[1:]) == 150_000
    place = land(plan).tables["places"].row(0, named=True)
    assert place["ground_ha"] == pytest.approx(1800.0)
    parts = place["protected_ha"] + place["taken_ha"] + place["developable_ha"]
    assert parts == pytest.approx(1800.0)
    assert place["provenance"] == "assumed"


def test_rating_ranks_basic_services_and_spatial_planning_weakest(plan) -> None:
    rating = rate(plan, frameworks=["igmc-3.0"])
    weak = rating.tables["advice"].filter(kind="weakness").sort("rank")["id"].to_list()[:2]
    assert weak == ["weakness:dimension:igmc-3.0:basic_services", "weakness:dimension:igmc-3.0:spatial"]
    scores = {row["dimension"]: row for row in rating.tables["scores"].iter_rows(named=True)}
    for name in ("economy", "society", "culture", "spatial", "basic_services"):
        assert scores[name]["share_low_before"] < scores[name]["share_high_before"]
        assert scores[name]["origin_before"] == "published"
    assert rating.tables["levels"]["reached_before"].unique().to_list() == ["unknown"]


def test_comply_lists_the_works(plan) -> None:
    assert cyclopolis.comply(plan).tables["works"].height == len(WORKS) + 1
