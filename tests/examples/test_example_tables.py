"""The bundled tables as they stand on paper: sources, marks, ids and the schema, without the engines."""

import tomllib
from collections.abc import Iterator

import pytest
from example_tables import DESCRIPTION, DESIGNED, EPA, FOUND, PAPER, PINGDINGSHAN, PUBLISHED, rows

from cyclopolis.examples import example, examples
from cyclopolis.foundation.columns import read_columns
from cyclopolis.foundation.problems import UserError


def all_tables() -> Iterator[tuple[str, str]]:
    for name in examples():
        for path in sorted(example(name).glob("*.csv")):
            yield name, path.stem


def test_six_examples_ship() -> None:
    assert examples() == ("changzhi", "kalundborg", "liupanshui", "pingdingshan", "quickstart", "sponge")


def test_unknown_example_is_named_with_those_there_are() -> None:
    with pytest.raises(UserError) as caught:
        example("changzi")
    assert "changzi" in str(caught.value)
    assert "changzhi, kalundborg, liupanshui, pingdingshan, quickstart, sponge" in str(caught.value)


@pytest.mark.parametrize("name", examples())
def test_plan_file_has_every_key(name: str) -> None:
    plan = tomllib.loads((example(name) / "plan.toml").read_text(encoding="utf-8"))
    assert set(plan) == {
        "name", "name_zh", "place", "base_year", "horizon", "currency", "discount_rate", "language",
    }  # fmt: skip
    assert plan["horizon"] == sorted(set(plan["horizon"]))
    assert plan["horizon"][0] > plan["base_year"]


@pytest.mark.parametrize(("name", "table"), list(all_tables()))
def test_table_keeps_the_schema_and_names_its_sources(name: str, table: str) -> None:
    columns = {column.name: column for column in read_columns("cyclopolis.plan.schema")[table]}
    for number, row in enumerate(rows(example(name) / f"{table}.csv"), start=2):
        assert set(row) <= set(columns), f"{table} row {number}: {set(row) - set(columns)}"
        assert None not in row.values(), f"{table} row {number} is short"
        assert row["source"], f"{table} row {number} has no source"
        assumed = row["source"].startswith("assumed")
        fact = row["source"] in {PAPER, *PINGDINGSHAN} or row["source"].startswith((DESCRIPTION, EPA))
        fact = fact or (name == FOUND and row["source"].startswith(PUBLISHED))
        assert assumed or fact, f"{table} row {number}: {row['source']}"
        for column in columns.values():
            value = row.get(column.name, "")
            assert value or not column.required, f"{table} row {number}: {column.name} is empty"
            if value and column.type == "number":
                float(value)


@pytest.mark.parametrize(("name", "table"), list(all_tables()))
def test_ids_stand_once(name: str, table: str) -> None:
    columns = read_columns("cyclopolis.plan.schema")[table]
    for column in (column.name for column in columns if column.type == "id"):
        values = [row[column] for row in rows(example(name) / f"{table}.csv") if row.get(column)]
        assert len(values) == len(set(values))


@pytest.mark.parametrize("name", DESIGNED)
def test_numbers_of_plants_are_assumed_never_facts(name: str) -> None:
    for row in rows(example(name) / "plants.csv"):
        assert row["source"].startswith("assumed"), row["plant"]


@pytest.mark.parametrize("name", DESIGNED)
def test_activity_stays_within_capacity(name: str) -> None:
    for row in rows(example(name) / "plants.csv"):
        if row["status"] == "existing":
            assert 0 < float(row["activity"]) <= float(row["capacity"]), row["plant"]
        else:
            assert row["activity"] == "", row["plant"]
            assert float(row["capacity"]) > 0


@pytest.mark.parametrize("name", DESIGNED)
def test_seller_never_gets_more_than_the_buyer_pays(name: str) -> None:
    for row in rows(example(name) / "markets.csv"):
        if row["buy_price"] and row["sell_price"]:
            assert float(row["sell_price"]) < float(row["buy_price"]), row["commodity"]
