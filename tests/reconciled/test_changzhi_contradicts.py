"""Changzhi with measurements that contradict each other on purpose: the gross error is found and named."""

import polars as pl
import pytest

import cyclopolis
from cyclopolis.foundation.text import LANGUAGES
from cyclopolis.industry import balance
from cyclopolis.industry.metabolism.plan_reconcile import reconcile_plan


@pytest.fixture(scope="module")
def plan():
    return cyclopolis.read_plan(cyclopolis.example("changzhi"), ["inconsistent_measurements"])


@pytest.fixture(scope="module")
def result(plan):
    return balance(plan)


def test_the_example_itself_agrees():
    test = balance(cyclopolis.read_plan(cyclopolis.example("changzhi"))).tables["reconcile_tests"].row(0, named=True)
    assert test["accepted"]
    assert test["measurements"] == 17 + 6 + 1  # readings, analyses, a stock


def test_the_contradiction_is_rejected(result):
    test = result.tables["reconcile_tests"].row(0, named=True)
    assert not test["accepted"]
    assert test["p"] < 1e-6
    assert test["measurements"] == 22 + 6 + 1


def test_the_gross_error_is_first(result):
    first = result.tables["suspects"].row(0, named=True)
    assert (first["plant"], first["commodity"], first["direction"]) == ("pvc_c2h2", "carbide_slag", "out")
    assert (first["measured"], first["source"]) == (655_000, "measurement")
    assert first["file"].endswith("inconsistent_measurements.toml")
    text = (cyclopolis.example("changzhi") / first["file"]).read_text(encoding="utf-8").splitlines()
    assert any("655000" in line for line in text[first["row"] - 1 : first["row"] + 4])
    tests = result.tables["suspects"]["local_test"].to_list()
    assert tests == sorted(tests, reverse=True)


def test_without_it_the_others_agree(result, plan):
    first = result.tables["suspects"].row(0, named=True)
    assert first["accepted"]
    rows = plan.tables["measurements"]
    kept = (rows["amount"] != 655_000).to_list()
    honest = cyclopolis.Plan(
        **{
            **{name: getattr(plan, name) for name in plan.__dataclass_fields__},
            "tables": {**plan.tables, "measurements": rows.filter(kept)},
            "places": {"measurements": plan.places["measurements"].filter(kept)},
        }
    )
    found = reconcile_plan(honest).found
    assert found.p_value > 0.05
    assert found.chi_square == pytest.approx(first["chi_square"])
    assert found.dof == first["dof"]


def test_what_the_gross_error_moves_is_told(result):
    changes = result.tables["suspect_changes"].filter(pl.col("rank") == 1)
    slag = changes.row(by_predicate=(pl.col("kind") == "port") & (pl.col("commodity") == "carbide_slag"), named=True)
    first = result.tables["suspects"].row(0, named=True)
    assert slag["reconciled"] + slag["change"] == pytest.approx(first["expected"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_summary_says_it(result, language):
    texts = [line.name.render(language) for line in result.summary()]
    assert any("carbide_slag" in text and "pvc_c2h2" in text for text in texts)


def test_accounts_carry_the_reconciled_values(result):
    slag = result.tables["reconciled"].filter(
        (pl.col("plant") == "pvc_c2h2") & (pl.col("commodity") == "carbide_slag") & pl.col("row").is_not_null()
    )
    flows = result.tables["flows"].filter(
        (pl.col("from_plant") == "pvc_c2h2") & (pl.col("commodity") == "carbide_slag")
    )
    assert slag.height == 3
    assert flows["amount"].sum() == pytest.approx(slag["reconciled"][0])
