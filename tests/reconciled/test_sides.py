"""Half widths, correlated measurements and linear relations, against least squares written out by hand."""

import numpy as np
import polars as pl
import pytest
from test_two_plants import EXCHANGES, RECIPES, flow, measured, row, tiny_library, tiny_plan
from tiny_park import recipe

import cyclopolis
from cyclopolis.foundation.problems import UserError
from cyclopolis.industry import BalanceOptions, balance
from cyclopolis.industry.metabolism.plan_reconcile import reconcile_plan

COAL = {"plant": "boiler", "direction": "in", "commodity": "coal"}
ASH = {"plant": "boiler", "direction": "out", "commodity": "ash"}
BETWEEN = {"from_plant": "boiler", "to_plant": "mill", "commodity": "ash"}


def term(where, coefficient, amount=None, relation="weighbridge", year=2024):
    return {**where, "relation": relation, "coefficient": coefficient, "amount": amount, "year": year}


def pair(first, second, coefficient):
    return {"first": first, "second": second, "coefficient": coefficient}


def test_half_width_is_1_96_standard_uncertainties():
    rows = [measured("boiler", "coal", "in", 4400.0, half_width=196.0)]
    coal = row(balance(tiny_plan(measurements=rows)), "reconciled", kind="port", commodity="coal")
    variance = (196 / 1.959963984540054) ** 2
    assert (coal["sd"], coal["sd_provenance"]) == (pytest.approx(variance**0.5), "user")
    assert coal["reconciled"] == pytest.approx(4400 - 400 * variance / (variance + 200_000))


def test_half_width_of_zero_is_exact():
    rows = [measured("boiler", "coal", "in", 4400.0, half_width=0.0)]
    coal = row(balance(tiny_plan(measurements=rows)), "reconciled", kind="port", commodity="coal")
    assert (coal["reconciled"], coal["class"]) == (4400, "constant")


@pytest.mark.parametrize("coefficient", [-0.6, 0.0, 0.5])
def test_correlated_measurements_against_generalised_least_squares(coefficient):
    # Recipe and stated activity say 4000, with variance 160,000 + 40,000 (as in test_two_plants).
    rows = [
        measured("boiler", "coal", "in", 4300.0, 100.0, measurement="belt"),
        measured("boiler", "coal", "in", 4500.0, 50.0, measurement="truck"),
    ]
    result = balance(tiny_plan(measurements=rows, correlations=[pair("belt", "truck", coefficient)]))
    shared = coefficient * 100 * 50
    weight = np.linalg.inv([[10_000, shared, 0], [shared, 2500, 0], [0, 0, 200_000]])
    said = np.array([4300.0, 4500.0, 4000.0])
    best = (weight @ said).sum() / weight.sum()
    coal = result.tables["reconciled"].filter((pl.col("kind") == "port") & (pl.col("commodity") == "coal"))
    assert coal["reconciled"].to_list() == pytest.approx([best] * 2)
    assert coal["reconciled_sd"].to_list() == pytest.approx([weight.sum() ** -0.5] * 2)
    squares = (said - best) @ weight @ (said - best)
    assert row(result, "reconcile_tests")["chi_square"] == pytest.approx(squares)
    assert result.tables["suspects"].height > 0


def test_correlations_that_cannot_hold_together_are_refused():
    rows = [measured("boiler", "coal", "in", 4300.0 + at, 50.0, measurement=name) for at, name in enumerate("abc")]
    pairs = [pair("a", "b", 0.9), pair("b", "c", 0.9), pair("a", "c", -0.9)]
    with pytest.raises(UserError) as caught:
        balance(tiny_plan(measurements=rows, correlations=pairs))
    text = str(caught.value)
    assert "not positive definite" in text
    assert all(f"measurements:{at} boiler:coal" in text for at in (1, 2, 3))


def test_an_exact_measurement_errs_with_nothing():
    rows = [measured("boiler", "coal", "in", 4300.0, sd, measurement=name) for sd, name in ((50.0, "a"), (0.0, "b"))]
    with pytest.raises(UserError, match="uncertainty above 0"):
        balance(tiny_plan(measurements=rows, correlations=[pair("a", "b", 0.3)]))


def test_a_correlation_with_a_year_before_counts():
    # What the ash of 2020 was says nothing of the coal of 2024 but by their common error: the ash is corrected by
    # recipe and shared error, and the coal with it.
    rows = [
        measured("boiler", "coal", "in", 4300.0, 100.0, measurement="belt"),
        measured("boiler", "ash", "out", 900.0, 10.0, measurement="old") | {"year": 2020},
        measured("boiler", "ash", "out", 1000.0, 10.0) | {"year": 2020},
    ]
    plain, linked = (
        balance(tiny_plan(measurements=rows, correlations=pairs)) for pairs in ([], [pair("belt", "old", 0.9)])
    )
    one, two = (row(result, "reconciled", kind="port", commodity="coal", year=2024) for result in (plain, linked))
    assert two["reconciled"] - one["reconciled"] > 100
    assert linked.tables["unknowns"].filter(pl.col("reason") == "correlation_not_placed").is_empty()


def test_a_correlation_with_what_takes_no_part_is_listed():
    rows = [
        measured("boiler", "coal", "in", 4300.0, 100.0, measurement="belt"),
        {"from_plant": "kiln", "to_plant": "mill", "commodity": "ash", "amount": 9.0, "uncertainty": 1.0}
        | {"measurement": "astray", "year": 2024},
    ]
    result = balance(tiny_plan(measurements=rows, correlations=[pair("belt", "astray", 0.5)]))
    found = result.tables["unknowns"].filter(pl.col("reason") == "correlation_not_placed")
    assert found.select("plant", "commodity").rows() == [("kiln", "ash")]


def test_a_relation_holds_exactly_and_moves_what_it_must():
    # With ash = 5200 - coal: coal 4000 +- 40, activity 10,000 +- 500, recipes 0.4 (+- 400) and 0.1 (+- 100).
    relations = [term(COAL, 1.0, 5200.0), term(ASH, 1.0)]
    rows = [measured("boiler", "coal", "in", 4000.0, 40.0)]
    result = balance(tiny_plan(exchanges=[], measurements=rows, relations=relations))
    design = np.array([[0, 1 / 40], [1 / 500, 0], [-0.4 / 400, 1 / 400], [-0.1 / 100, -1 / 100]])
    target = np.array([4000 / 40, 10_000 / 500, 0, -5200 / 100])
    (activity, coal), squares, *_ = np.linalg.lstsq(design, target)
    assert row(result, "reconciled", kind="port", commodity="coal")["reconciled"] == pytest.approx(coal)
    assert row(result, "reconciled", kind="port", commodity="ash")["reconciled"] == pytest.approx(5200 - coal)
    assert row(result, "reconciled", kind="activity", plant="boiler")["reconciled"] == pytest.approx(activity)
    test = row(result, "reconcile_tests")
    assert (test["chi_square"], test["dof"]) == (pytest.approx(float(squares[0])), 2)
    assert row(result, "ports", plant="boiler", commodity="ash")["amount"] == pytest.approx(5200 - coal)


def test_a_relation_determines_a_flow_that_nobody_measured():
    relations = [term(BETWEEN, 2.0, 0.0), term(ASH, -1.0)]
    rows = [measured("boiler", "ash", "out", 1000.0, 10.0)]
    plan = tiny_plan(exchanges=[EXCHANGES[0] | {"amount": None}], measurements=rows, relations=relations)
    result = balance(plan)
    ash = row(result, "reconciled", kind="port", plant="boiler", commodity="ash")["reconciled"]
    given = row(result, "reconciled", kind="flow", plant="boiler", to_plant="mill")
    assert given["reconciled"] == pytest.approx(ash / 2)
    assert given["class"] == "unmeasured-observable"


def test_the_order_of_terms_changes_nothing():
    relations = [term(COAL, 1.0, 5200.0), term(ASH, 1.0), term(ASH, 1.0, 1000.0, "other")]
    rows = [measured("boiler", "coal", "in", 4000.0, 40.0), flow(610.0, 15.0)]
    one, other = (balance(tiny_plan(measurements=rows, relations=order)) for order in (relations, relations[::-1]))
    assert one.tables["reconciled"].equals(other.tables["reconciled"])


def test_a_relation_of_another_year_does_not_bind():
    rows = [measured("boiler", "coal", "in", 4400.0)]
    plain = balance(tiny_plan(measurements=rows))
    other = balance(tiny_plan(measurements=rows, relations=[term(COAL, 1.0, 5200.0, year=2020)]))
    assert other.tables["reconciled"].equals(plain.tables["reconciled"])


def test_a_relation_that_fits_nowhere_is_listed_and_does_not_bind():
    rows = [measured("boiler", "coal", "in", 4400.0)]
    astray = {"plant": "boiler", "direction": "in", "commodity": "brick"}
    plain = balance(tiny_plan(measurements=rows))
    other = balance(tiny_plan(measurements=rows, relations=[term(COAL, 1.0, 5200.0), term(astray, 1.0)]))
    found = other.tables["unknowns"].filter(pl.col("reason") == "relation_not_placed")
    assert found.select("plant", "commodity").rows() == [("boiler", "brick")]
    assert other.tables["reconciled"].equals(plain.tables["reconciled"])


def test_a_relation_against_an_exact_measurement_is_refused_with_both():
    rows = [measured("boiler", "coal", "in", 4000.0, 0.0)]
    with pytest.raises(UserError) as caught:
        balance(tiny_plan(measurements=rows, relations=[term(COAL, 1.0, 4100.0)]))
    text = str(caught.value)
    assert "relations:1 weighbridge" in text
    assert "measurements:1 boiler:coal" in text
    assert "100" in text


def test_relations_and_correlations_are_read_with_their_place(tmp_path):
    folder = tmp_path / "plan"
    cyclopolis.new_plan(folder, "changzhi")
    (folder / "measurements.csv").write_text(
        "plant,direction,commodity,amount,unit,half_width,measurement,year\n"
        "pvc_c2h2,out,carbide_slag,24,万吨,1.96,belt,2023\npvc_c2h2,out,carbide_slag,26,万吨,1.96,truck,2023\n",
        encoding="utf-8",
    )
    (folder / "correlations.csv").write_text("first,second,coefficient\nbelt,truck,0.5\n", encoding="utf-8")
    (folder / "relations.csv").write_text(
        "relation,plant,direction,commodity,coefficient,amount,unit,year\n"
        "slag,pvc_c2h2,out,carbide_slag,2,50,万吨,2023\n",
        encoding="utf-8",
    )
    plan = cyclopolis.read_plan(folder)
    found = reconcile_plan(plan)
    assert [value for _, _, value in found.problem.correlations] == [0.5]
    assert "relations.csv:2 slag" in found.problem.relation_names
    slag = (
        balance(plan).tables["reconciled"].filter((pl.col("kind") == "port") & (pl.col("file") == "measurements.csv"))
    )
    assert slag["reconciled"].to_list() == pytest.approx([250_000.0] * 2)
    assert slag["sd"].to_list() == pytest.approx([10_000.0] * 2, rel=1e-4)


def test_covariance_on_request():
    # Two measurements of one thing become one value: every entry is the variance of the weighted mean.
    rows = [measured("boiler", "coal", "in", 4300.0, 100.0), measured("boiler", "coal", "in", 4500.0, 50.0)]
    plan = tiny_plan(measurements=rows)
    assert balance(plan).tables["reconciled_covariance"].is_empty()
    table = balance(plan, BalanceOptions(covariance=True)).tables["reconciled_covariance"]
    variance = 1 / (1 / 10_000 + 1 / 2500 + 1 / 200_000)
    assert table["covariance"].to_list() == pytest.approx([variance] * 3)
    assert {table["first"][1], table["second"][1]} == {"measurements:1 boiler:coal", "measurements:2 boiler:coal"}
    assert table.select("first_unit", "second_unit").unique().rows() == [("t", "t")]


def test_covariance_of_what_a_relation_binds():
    # ash = 5200 - coal, both measured: their errors are opposite.
    rows = [measured("boiler", "coal", "in", 4000.0, 40.0), measured("boiler", "ash", "out", 1150.0, 30.0)]
    plan = tiny_plan(exchanges=[], measurements=rows, relations=[term(COAL, 1.0, 5200.0), term(ASH, 1.0)])
    table = balance(plan, BalanceOptions(covariance=True)).tables["reconciled_covariance"]
    entries = {(row["first"] == row["second"]): row["covariance"] for row in table.iter_rows(named=True)}
    assert entries[False] == pytest.approx(-entries[True])
    assert entries[True] > 0


def test_exact_measurements_that_disagree_are_named_with_their_file_rows(tmp_path):
    folder = tmp_path / "plan"
    cyclopolis.new_plan(folder, "changzhi")
    (folder / "measurements.csv").write_text(
        "plant,direction,commodity,amount,unit,uncertainty,year\n"
        "pvc_c2h2,out,carbide_slag,24,万吨,0,2023\npvc_c2h2,out,carbide_slag,26,万吨,0,2023\n",
        encoding="utf-8",
    )
    with pytest.raises(UserError) as caught:
        balance(cyclopolis.read_plan(folder))
    text = str(caught.value)
    assert "measurements.csv:2 pvc_c2h2:carbide_slag" in text
    assert "measurements.csv:3 pvc_c2h2:carbide_slag" in text


def test_exact_shares_that_return_everything_are_refused():
    # All ash goes to the mill, which makes as much tar of it; all tar comes back, and ash is made of it one to one:
    # whatever else the boiler takes in could only be nothing.
    library = tiny_library(
        recipes=[*RECIPES, recipe("cement", "tar", "out", "waste", 0.2), recipe("power", "tar", "in", "feedstock", 0.1)]
    )
    back = EXCHANGES[0] | {"from_plant": "mill", "to_plant": "boiler", "commodity": "tar"}

    def exact(plant, commodity, value=1.0, **where):
        return {"plant": plant, "commodity": commodity, "share": value, "uncertainty": 0.0, "year": 2024, **where}

    def plan(returned):
        shares = [
            exact("boiler", "ash", to_plant="mill"),
            exact("mill", "tar", of_commodity="ash"),
            exact("mill", "tar", to_plant="boiler"),
            exact("boiler", "ash", returned, of_commodity="tar"),
        ]
        rows = [measured("boiler", "ash", "out", 1000.0, 10.0)]
        return tiny_plan(library=library, exchanges=[EXCHANGES[0], back], shares=shares, measurements=rows)

    with pytest.raises(UserError) as caught:
        balance(plan(1.0))
    text = str(caught.value)
    assert "sum to 1" in text
    assert "“shares:2 mill:tar”, “shares:4 boiler:ash”" in text
    assert row(balance(plan(0.9)), "reconcile_tests")["converged"]
