"""Cells become numbers, years, choices and lists; what cannot be read is null, and never a guess."""

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclopolis.plan.convert import read_choices, read_numbers, read_years
from cyclopolis.plan.schema import (
    choice_label,
    choice_names,
    choice_values,
    columns,
    fold,
    header_label,
    header_names,
    plan_keys,
    quantities,
    table_label,
    table_names,
    tables,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5.0),
        ("1,234.5", 1234.5),
        ("1，234．5", 1234.5),
        ("１２３４", 1234.0),
        ("1 234 567", 1234567.0),
        ("1\u00a0234", 1234.0),
        ("1'234", 1234.0),
        ("−5", -5.0),
        ("1.2e6", 1.2e6),
        ("１．２Ｅ６", 1.2e6),
        ("+3", 3.0),
        (".5", 0.5),
        ("1,5", None),
        ("12,34", None),
        ("1.234,5", None),
        ("inf", None),
        ("nan", None),
        ("1e999", None),
        ("1_000", None),
        ("0x10", None),
        ("五", None),
        ("5t", None),
        ("#REF!", None),
    ],
)
def test_number(text: str, value: float | None) -> None:
    assert read_numbers(pl.Series([text])).item() == value
    assert read_numbers(pl.Series([text, "１"])).to_list() == [value, 1.0]


def test_percent_only_where_it_has_a_place() -> None:
    cell = pl.Series(["8 %", "８％"])
    assert read_numbers(cell, percent=1.0).to_list() == [8.0, 8.0]
    assert read_numbers(cell, percent=0.01).to_list() == [0.08, 0.08]
    assert read_numbers(cell).to_list() == [None, None]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_as_python_writes_them_read_back(value: float) -> None:
    assert read_numbers(pl.Series([repr(value)])).item() == value


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_grouped_numbers_read_back(value: int) -> None:
    grouped = f"{value:,}"
    wide = grouped.translate(str.maketrans("0123456789,-", "０１２３４５６７８９，－"))
    assert read_numbers(pl.Series([grouped, wide])).to_list() == [float(value)] * 2


@given(st.lists(st.text(max_size=20), max_size=5))
def test_any_texts_give_finite_numbers_or_null(texts: list[str]) -> None:
    found = read_numbers(pl.Series(texts, dtype=pl.String)).to_list()
    assert all(value is None or math.isfinite(value) for value in found)
    years = read_years(pl.Series(texts, dtype=pl.String)).to_list()
    assert all(year is None or isinstance(year, int) for year in years)


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2030", 2030),
        ("2030.0", 2030),
        ("２０３０年", 2030),
        ("2030年度", 2030),
        ("2030-12-31", 2030),
        ("2030/1/5", 2030),
        ("2030-12-31 10:00:00", 2030),
        ("2030年5月1日", 2030),
        ("2030.5", None),
        ("12-31", None),
        ("next", None),
    ],
)
def test_year(text: str, year: int | None) -> None:
    assert read_years(pl.Series([text])).item() == year


def test_choices_are_read_in_both_languages_and_any_case() -> None:
    status = next(column for column in columns()["plants"] if column.name == "status")
    texts = pl.Series(["EXISTING", "已建", " Candidate", "备选", "plan", None])
    assert read_choices(texts, status).to_list() == ["existing", "existing", "candidate", "candidate", None, None]
    quantity = next(column for column in columns()["limits"] if column.name == "quantity")
    texts = pl.Series(["SO2", "so2", "二氧化硫", "NH3-N", "氨氮", "nh3n", "用水"])
    assert read_choices(texts, quantity).to_list() == ["so2"] * 3 + ["nh3n"] * 3 + ["water"]


def test_labels_read_back_in_both_languages() -> None:
    for table in tables():
        described = plan_keys() if table == "plan" else columns()[table]
        for language in ("en", "zh"):
            assert table_names()[fold(table_label(table, language))] == table
            labels = [header_label(column, language) for column in described]
            assert len({fold(label) for label in labels}) == len(labels)
            for column, label in zip(described, labels, strict=True):
                assert header_names(table)[fold(label)] == column.name
                if column.type in ("choice", "flag"):
                    for value in choice_values(column):
                        assert choice_names(column)[fold(choice_label(column, value, language))] == value


def test_no_header_table_or_choice_name_means_two_things() -> None:
    for table in tables():
        described = plan_keys() if table == "plan" else columns()[table]
        names = [(fold(name), column.name) for column in described for name in (column.name, *column.aliases)]
        assert len({name for name, _ in set(names)}) == len(set(names)), table
        for column in described:
            if column.choices == ("@quantities",):
                spelt = [(fold(n), q.name) for q in quantities().values() for n in (q.name, *q.aliases)]
                assert len({name for name, _ in set(spelt)}) == len(set(spelt))
    spelt = [(fold(name), table.name) for table in tables().values() for name in (table.name, *table.aliases)]
    assert len({name for name, _ in set(spelt)}) == len(set(spelt))
