"""Cases of reconciliation that a user may write: stock changes, layers, bounds, correlations, uncertainties."""

import pytest

from cyclopolis.foundation.problems import UserError
from cyclopolis.study.verify.reconciling import solve_reconciliation

TANK = [
    {"id": "into", "to": "tank", "value": 100, "sd": 10},
    {"id": "out", "from": "tank", "to": "environment", "value": 80, "half_width": 9.8},
]
STOCK = {"id": "change", "process": "tank", "value": 15, "sd": 4}


def solved(**inputs):
    return solve_reconciliation(inputs, {})


def test_flows_and_a_stock_change_by_hand():
    # Gap 100 - 80 - 15 = 5, variances 100 + 25 + 16 = 141.
    found = solved(flows=TANK, stocks=[STOCK])
    value = {name: pair[0] for name, pair in found["values"].items()}
    assert value == pytest.approx({"into": 100 - 500 / 141, "out": 80 + 125 / 141, "change": 15 + 80 / 141})
    assert found["chi_square"] == pytest.approx(25 / 141)
    assert found["degrees_of_freedom"] == 1
    assert set(found["classes"].values()) == {"reconciled"}


def test_a_stock_change_that_nobody_measured_is_found():
    found = solved(flows=TANK, stocks=[{"id": "change", "process": "tank"}])
    assert found["values"]["change"] == [pytest.approx(20), pytest.approx(125**0.5)]
    assert found["classes"]["change"] == "observable"
    assert found["posterior_correlations"]["into,change"] == pytest.approx(10 / 125**0.5)


def test_two_stores_of_unknown_change_are_not_found():
    more = {"id": "second", "process": "tank"}
    found = solved(flows=TANK, stocks=[{"id": "change", "process": "tank"}, more])
    assert found["unobservable"] == ["change", "second"]
    assert len(found["missing"]) == 1


def test_layers_bind_each_other():
    # Goods 100 +- 10 = 60 + 40 (exact); substance 0.1 x 100 and 8 +- 0.5: the content gives the goods away.
    quantities = [
        {"id": "g", "value": 100, "sd": 10, "layer": "goods"},
        {"id": "a", "value": 60, "exact": True},
        {"id": "b", "value": 40, "sd": 0},
        {"id": "c", "value": 0.1, "sd_pct": 10, "layer": "substance"},
        {"id": "s", "value": 8, "sd": 0.5, "layer": "substance"},
    ]
    found = solved(quantities=quantities, linear=[{"g": 1, "a": -1, "b": -1}], products=[["s", "c", "g"]])
    assert found["values"]["g"] == [pytest.approx(100), pytest.approx(0, abs=1e-9)]
    # c x 100 = s: variances 1 and 0.25 on a gap of 2.
    assert found["values"]["s"][0] == pytest.approx(8 + 2 * 0.25 / 1.25)
    assert found["values"]["c"][0] == pytest.approx(0.084)
    assert found["converged"]


def test_right_hand_sides_bounds_and_correlations_as_mappings():
    quantities = [{"id": "x", "value": 1, "sd": 1, "lower": 0}, {"id": "y", "value": 3, "sd": 1}]
    line = {"terms": {"x": 1, "y": 1}, "right": 2, "note": "a meter"}
    free = solved(quantities=[{**quantities[0], "lower": None}, quantities[1]], linear=[line])
    assert free["values"]["x"][0] == pytest.approx(0)
    tight = solved(quantities=[{**quantities[0], "lower": 0.5}, quantities[1]], linear=[line])
    assert tight["values"]["x"][0] == pytest.approx(0.5)
    assert tight["approximate"]
    pair = {"first": "x", "second": "y", "coefficient": 0.9}
    same = solved(quantities=quantities, linear=[{"x": 1, "y": -1}], correlations=[pair])
    assert same["chi_square"] == pytest.approx(4 / 0.2)
    assert same["suspects"] == ["x", "y"]


@pytest.mark.parametrize(
    ("inputs", "text"),
    [
        ({"flows": TANK, "stocks": [{**STOCK, "process": "tnak"}]}, "tank"),
        ({"flows": TANK, "stocks": [{**STOCK, "id": "into"}]}, "into"),
        ({"quantities": []}, "quantities"),
        ({"flows": TANK, "products": [["into", "out"]]}, "products"),
    ],
)
def test_bad_cases_are_refused(inputs, text):
    with pytest.raises(UserError, match=text):
        solved(**inputs)
