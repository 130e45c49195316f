"""What streets, compliance and drainage found reaches the rating under the names of the list of inputs."""

import polars as pl
import pytest

import cyclopolis
from cyclopolis.library.frameworks.glossary import shipped_inputs
from cyclopolis.study.found import SCHEMA, found_quantities

FILES = {
    "plan.toml": 'name = "Air town"\nbase_year = 2024\nhorizon = [2030]\ndiscount_rate = 0.06\n',
    "sites.csv": "site,kind\ncity,city\n",
    "plants.csv": "plant,site,technology,status,capacity,activity\nmill,city,cement_opc,existing,600000,500000\n",
    "sections.csv": "section,site,kind,target_class\na,city,river,III\nb,city,lake,III\nc,city,water_source,\n",
    "water_quality.csv": "section,date,parameter,value\na,2024-01,COD,18\nb,2024-01,COD,35\nc,2024-01,COD,10\n",
    "air_quality.csv": "site,date,pollutant,value\ncity,2024-05-01,PM2.5,36\ncity,2024-05-02,PM2.5,120\n",
}


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("found")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    cyclopolis.run(folder, until="compliance")
    done = cyclopolis.run(folder, until="rating")
    return {**done.results, "compliance": cyclopolis.load_run(folder).results["compliance"]}


def test_the_table_has_its_columns_and_known_quantities(rated) -> None:
    table = found_quantities(rated)
    assert dict(table.schema) == SCHEMA
    expressions = " ".join(one.engine.text for one in shipped_inputs().values() if one.engine is not None)
    for quantity in table["quantity"].unique():
        assert quantity in expressions


def test_numbers_by_hand(rated) -> None:
    found = dict(found_quantities(rated).filter(pl.col("scope") == "").select("quantity", "value").rows())
    assert found["good_water_share"] == pytest.approx(0.5)
    assert found["source_meeting_share"] == 1.0
    air = dict(found_quantities(rated).filter(pl.col("scope") == "city").select("quantity", "value").rows())
    assert (air["good_air_days"], air["valid_air_days"]) == (1.0, 2.0)


def test_rating_takes_them(rated) -> None:
    table = rated["rating"].tables["indicators"]
    air = table.filter((pl.col("indicator") == "ec24-04a") & (pl.col("scope") == ""))
    assert air["value_before"].item() == pytest.approx(50.0)
    water = table.filter((pl.col("indicator") == "ec24-05a") & (pl.col("scope") == ""))
    assert water["value_before"].item() == pytest.approx(50.0)
    assert "engine" in (water["origin_before"].item() or "")
