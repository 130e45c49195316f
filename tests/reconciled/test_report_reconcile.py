"""The report says what measurements contradict, what was corrected and what each plant rests on."""

import pytest
from tiny_park import tiny_plan

import cyclopolis
from cyclopolis.foundation.text import LANGUAGES
from cyclopolis.industry import BalanceOptions, balance
from cyclopolis.report.blocks import Table, Text
from cyclopolis.report.names import Names
from cyclopolis.report.sections_reconcile import reconcile_blocks, reconciled_at_all


@pytest.fixture(scope="module")
def plan():
    return cyclopolis.read_plan(cyclopolis.example("changzhi"), ["inconsistent_measurements"])


@pytest.fixture(scope="module")
def result(plan):
    return balance(plan)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_section_names_the_gross_error(plan, result, language):
    blocks = reconcile_blocks(result, Names(plan, language))
    tables = {block.name: block for block in blocks if isinstance(block, Table)}
    assert list(tables) == [
        "suspects",
        "suspect_changes",
        "reconciled",
        "substance_balances",
        "substance_accounts",
        "reconciled_plants",
        "missing_measurements",
    ]
    passing = [[cell.text for cell in row] for row in tables["substance_balances"].rows]
    assert {row[0] for row in passing} == {"Phosphorus" if language == "en" else "磷"}
    assert len(passing) == 2
    first = [cell.text for cell in tables["suspects"].rows[0]]
    assert first[0] == "1"
    assert any("655,000" in text for text in first)
    assert any(text.endswith("inconsistent_measurements.toml") for text in first)
    assert len(tables["reconciled"].rows) == 29
    for table in tables.values():
        assert not [cell.text for cell in table.headers if "." in cell.text and "header" in cell.text]
    verdict = [block.text for block in blocks if isinstance(block, Text)][1]
    assert "84.3" in verdict


def test_what_gave_way_is_shown(plan):
    row = {"plant": "boiler", "direction": "out", "commodity": "ash", "amount": 2000.0, "uncertainty": 20.0}
    tiny = tiny_plan(measurements=[row | {"year": 2024}], exchanges=[])
    blocks = reconcile_blocks(balance(tiny), Names(plan, "en"))
    overruled = [block for block in blocks if isinstance(block, Table) and block.name == "overruled"]
    assert [cell.text for cell in overruled[0].rows[0]][:1] == ["Recipe"]
    verdict = [block.text for block in blocks if isinstance(block, Text)][1]
    assert verdict == "Nothing tests these measurements: no relation binds two of them."


def test_without_measurements_there_is_no_section():
    assert not reconciled_at_all(balance(tiny_plan()))
    row = {"plant": "boiler", "direction": "in", "commodity": "coal", "amount": 4000.0, "year": 2024}
    plan = tiny_plan(measurements=[row])
    assert reconciled_at_all(balance(plan))
    assert not reconciled_at_all(balance(plan, BalanceOptions(reconcile=False)))
