"""Transfer coefficients: shares of an output that go to a plant, and output per input, exact or measured."""

import numpy as np
import polars as pl
import pytest
from test_two_plants import EXCHANGES, measured, row, tiny_plan

import cyclopolis
from cyclopolis.foundation.problems import UserError
from cyclopolis.industry import balance, settled_amounts


def share(value, sd=None, **more):
    return {"plant": "boiler", "commodity": "ash", "share": value, "uncertainty": sd, "year": 2024, **more}


def test_output_per_input_against_least_squares():
    """Exact share: linear, so that ordinary weighted least squares over activity and coal is an oracle."""
    rows = [measured("boiler", "coal", "in", 4000.0, 40.0), measured("boiler", "ash", "out", 1100.0, 20.0)]
    plan = tiny_plan(exchanges=[], measurements=rows, shares=[share(0.26, 0.0, of_commodity="coal")])
    result = balance(plan)
    design = np.array([[0, 1 / 40], [0, 0.26 / 20], [1 / 500, 0], [-0.4 / 400, 1 / 400], [-0.1 / 100, 0.26 / 100]])
    target = np.array([4000 / 40, 1100 / 20, 10_000 / 500, 0, 0])
    (activity, coal), squares, _, _ = np.linalg.lstsq(design, target, rcond=None)
    assert row(result, "reconciled", kind="port", commodity="coal")["reconciled"] == pytest.approx(coal)
    assert row(result, "reconciled", kind="port", commodity="ash")["reconciled"] == pytest.approx(0.26 * coal)
    assert row(result, "reconciled", kind="activity", plant="boiler")["reconciled"] == pytest.approx(activity)
    test = row(result, "reconcile_tests")
    assert (test["chi_square"], test["dof"]) == (pytest.approx(float(squares[0])), 3)
    coefficient = row(result, "reconciled", kind="yield")
    assert (coefficient["reconciled"], coefficient["class"], coefficient["unit"]) == (0.26, "constant", "1")


def test_a_measured_share_moves_too():
    rows = [measured("boiler", "coal", "in", 4000.0, 40.0), measured("boiler", "ash", "out", 1100.0, 20.0)]
    plan = tiny_plan(exchanges=[], measurements=rows, shares=[share(0.26, 0.01, of_commodity="coal")])
    result = balance(plan)
    found = row(result, "reconciled", kind="yield")
    coal = row(result, "reconciled", kind="port", commodity="coal")["reconciled"]
    ash = row(result, "reconciled", kind="port", commodity="ash")["reconciled"]
    assert 0.26 < found["reconciled"] < 0.28
    assert found["reconciled"] * coal == pytest.approx(ash)
    assert found["reconciled_sd"] < 0.01
    assert row(result, "reconcile_tests")["converged"]


def test_a_share_determines_the_flow_to_a_plant():
    exchanges = [EXCHANGES[0] | {"amount": None}]
    rows = [measured("boiler", "ash", "out", 1000.0, 10.0)]
    plan = tiny_plan(exchanges=exchanges, measurements=rows, shares=[share(0.55, 0.005, to_plant="mill")])
    result = balance(plan)
    ash = row(result, "reconciled", kind="port", plant="boiler", commodity="ash")["reconciled"]
    part = row(result, "reconciled", kind="share")["reconciled"]
    given = row(result, "reconciled", kind="flow", plant="boiler", to_plant="mill")["reconciled"]
    assert given == pytest.approx(part * ash)
    assert row(result, "flows", flow="boiler>mill:ash")["amount"] == pytest.approx(given)
    assert row(result, "flows", flow="boiler>landfill:ash")["amount"] == pytest.approx(ash - given)
    assert settled_amounts(plan).filter(pl.col("to_plant") == "mill")["amount"].item() == pytest.approx(given)


def test_a_share_alone_is_a_measurement():
    result = balance(tiny_plan(exchanges=[], shares=[share(0.3, 0.003, of_commodity="coal")]))
    assert row(result, "reconcile_tests")["measurements"] == 1
    assert row(result, "reconcile_tests")["dof"] == 1
    assert row(result, "reconciled_plants", plant="boiler")["basis"] == "corrected"


def test_a_share_that_fits_nowhere_is_listed():
    result = balance(tiny_plan(shares=[share(0.3, of_commodity="brick"), share(0.5, to_plant="boiler")]))
    unknown = result.tables["unknowns"].filter(pl.col("reason") == "share_not_placed")
    assert unknown.select("plant", "commodity").rows() == [("boiler", "ash")] * 2
    assert result.tables["reconciled"].is_empty()


def test_all_of_it_may_go_one_way():
    exchanges = [EXCHANGES[0] | {"amount": None}]
    rows = [measured("boiler", "ash", "out", 700.0, 10.0)]
    plan = tiny_plan(exchanges=exchanges, measurements=rows, shares=[share(1.0, 0.0, to_plant="mill")])
    result = balance(plan)
    ash = row(result, "reconciled", kind="port", plant="boiler", commodity="ash")["reconciled"]
    assert row(result, "flows", flow="boiler>mill:ash")["amount"] == pytest.approx(ash)
    assert "boiler>landfill:ash" not in result.tables["flows"]["flow"].to_list()


def test_more_than_all_is_refused_with_its_rows():
    shares = [share(0.7, 0.0, to_plant="mill"), share(0.5, 0.01, to_plant="kiln")]
    with pytest.raises(UserError) as caught:
        balance(tiny_plan(shares=shares))
    text = str(caught.value)
    assert "shares:1, shares:2" in text
    assert "1.2" in text


def test_within_its_uncertainty_it_is_not():
    shares = [share(0.7, 0.05, to_plant="mill"), share(0.35, 0.05, to_plant="kiln")]
    result = balance(tiny_plan(exchanges=[], shares=shares))
    parts = result.tables["reconciled"].filter(pl.col("kind") == "share")
    assert parts["reconciled"].sum() <= 1 + 1e-9


def test_shares_are_read_with_their_place(tmp_path):
    folder = tmp_path / "plan"
    cyclopolis.new_plan(folder, "changzhi")
    (folder / "shares.csv").write_text(
        "plant,commodity,of_commodity,share,uncertainty,year,source\n"
        "pvc_c2h2,carbide_slag,calcium_carbide,1.15,0.02,2023,assumed: for the test\n",
        encoding="utf-8",
    )
    result = balance(cyclopolis.read_plan(folder))
    found = row(result, "reconciled", kind="yield")
    assert (found["file"], found["row"], found["measured"]) == ("shares.csv", 2, 1.15)
    assert row(result, "reconcile_tests")["measurements"] == 24 + 1
    assert row(result, "reconcile_tests")["accepted"]
