"""Cases as others write them: other names, units and shapes of the same question give the same answer."""

import pytest

from cyclopolis.foundation.problems import UserError
from cyclopolis.study.verify.heat import solve_heat
from cyclopolis.study.verify.naming import load_factor, split_unit, words
from cyclopolis.study.verify.water import solve_hydrogen, solve_interplant, solve_water

ROWS = ((2, 0, 100), (5, 50, 100), (30, 50, 800), (4, 400, 800))


def test_one_question_in_many_words():
    variants = [
        {"processes": [{"id": n, "mass_load_kg_h": m, "cin_max_ppm": a, "cout_max_ppm": b}
                       for n, (m, a, b) in enumerate(ROWS)], "freshwater_ppm": 0},
        {"operations": {f"P{n}": {"load": m * 1000, "c_in_max": a, "c_out_max": b}
                        for n, (m, a, b) in enumerate(ROWS)},
         "units": {"flow": "t/h", "load": "g/h", "concentration": "mg/L"}},
        {"processes": [{"name": str(n), "limiting_flow": 1000 * m / (b - a), "max_inlet": a, "max_outlet": b}
                       for n, (m, a, b) in enumerate(ROWS)], "fresh_sources": [{"id": "w", "c": 0, "cost": 2.0}]},
        {"processes": [{"id": n, "load": m, "limiting_flow": 1000 * m / (b - a), "cin": a, "cout": b}
                       for n, (m, a, b) in enumerate(ROWS)], "fresh_water": {"concentration": 0}},
        {"sinks": [{"id": n, "flow_t_h": 1000 * m / (b - a), "c_max": a} for n, (m, a, b) in enumerate(ROWS)],
         "sources": [{"id": n, "flowrate": 1000 * m / (b - a), "concentration": b}
                     for n, (m, a, b) in enumerate(ROWS)]},
    ]  # fmt: skip
    asked = {
        "minimum_fresh_water_flowrate": 90,
        "effluent": 90,
        "pinch_concentration": 100,
        "freshwater_saving_pct": 20,
    }
    for inputs in variants:
        found = solve_water(inputs, asked)
        assert found["minimum_fresh_water_flowrate"] == pytest.approx(90.0)
        assert found["effluent"] == pytest.approx(90.0)
        assert found["pinch_concentration"] == 100.0
    assert found["freshwater_saving_pct"] == pytest.approx(100 * 80 / 170)


def test_regeneration_changes_the_plain_target_only_where_it_is_meant():
    inputs = {
        "processes": [{"id": n, "load_kg_h": m, "cin": a, "cout": b} for n, (m, a, b) in enumerate(ROWS)],
        "regeneration": {"outlet_ppm": 5},
    }
    assert solve_water(inputs, {"min_freshwater": 0})["min_freshwater"] == pytest.approx(20.0)
    both = solve_water(inputs, {"min_freshwater": 0, "regeneration_recycling": {"freshwater": 0}})
    assert both["min_freshwater"] == pytest.approx(90.0)
    assert both["regeneration_recycling"]["freshwater"] == pytest.approx(20.0)


def test_hydrogen_with_and_without_a_purifier():
    inputs = {
        "utility": {"id": "import", "purity": 95.0, "current_flow": 277.2},
        "sinks": [{"id": "a", "flow": 2495.0, "purity_min": 80.61}, {"id": "b", "flow": 180.2, "purity_min": 78.85},
                  {"id": "c", "flow": 554.4, "purity_min": 77.57}, {"id": "d", "flow": 720.7, "purity_min": 75.14}],
        "sources": [{"id": "a", "flow": 1801.9, "purity": 75}, {"id": "b", "flow": 138.6, "purity": 75},
                    {"id": "c", "flow": 346.5, "purity": 73}, {"id": "d", "flow": 457.4, "purity": 70},
                    {"id": "e", "flow": 623.8, "purity": 93}, {"id": "f", "flow": 415.8, "purity": 80}],
    }  # fmt: skip
    found = solve_hydrogen(inputs, {"min_import": 0, "pinch_purity": 70, "hydrogen_saving": 0})
    assert found["min_import"] == pytest.approx(268.82104, abs=1e-4)
    assert found["hydrogen_saving"] == pytest.approx(277.2 - 268.82104, abs=1e-4)
    assert found["pinch_purity"] == 70.0
    more = solve_hydrogen({**inputs, "purifier": {"recovery": 0.9, "product_purity": 98}}, {"min_utility": 0})
    assert more["min_utility"] < found["min_import"]


def test_plants_by_name_and_by_column():
    sinks = {"x": [{"id": "s", "flow": 10, "c_max": 0}], "y": [{"id": "t", "flow": 10, "c_max": 50}]}
    sources = {"x": [{"id": "u", "flow": 10, "c": 50}], "y": [{"id": "v", "flow": 10, "c": 200}]}
    by_name = {"plants": {name: {"sinks": sinks[name], "sources": sources[name]} for name in "xy"}}
    flat = {
        "sinks": [{**one, "plant": name} for name in "xy" for one in sinks[name]],
        "sources": [{**one, "plant": name} for name in "xy" for one in sources[name]],
    }
    asked = {
        "min_freshwater_single_plants": {"x": 0, "y": 0}, "min_freshwater_together": 0, "fewest_cross_links": 1,
        "min_cross_plant_flow": 0, "min_freshwater_by_coalition": {"x+y": 0}, "shapley_value_of_saving": {"x": 0},
        "nucleolus_of_saving": {"x": 0, "y": 0},
    }  # fmt: skip
    for inputs in (by_name, flat):
        found = solve_interplant(inputs, asked)
        assert found["min_freshwater_single_plants"] == pytest.approx({"x": 10.0, "y": 7.5})
        assert found["min_freshwater_together"] == pytest.approx(10.0)
        assert found["fewest_cross_links"] == 1
        assert found["min_cross_plant_flow"] == pytest.approx(10.0)
        assert found["min_freshwater_by_coalition"]["x+y"] == pytest.approx(10.0)
        assert sum(found["nucleolus_of_saving"].values()) == pytest.approx(7.5)


def test_heat_in_other_words():
    asked = {"q_hot_min": 0, "minimum_cold_utility": 0, "pinch_temperature": 80, "min_number_of_units": 7,
             "utility_duties": {"hp": 0, "cw": 0}}  # fmt: skip
    inputs = {
        "minimum_approach_temperature": 20,
        "streams": {
            "H1": {"type": "hot", "supply_temperature": 150, "target_temperature": 60, "CP_kw_k": 2},
            "H2": {"Ts": 90, "Tt": 60, "duty_kW": 240},
            "C1": {"t_in_c": 20, "t_out_c": 125, "mcp": 2.5},
            "C2": {"tin": 25, "tout": 100, "heat": 225},
        },
        "utilities": [{"id": "hp", "type": "hot", "t": 200}, {"id": "cw", "type": "cold", "t_in": 5, "t_out": 10}],
    }
    found = solve_heat(inputs, asked)
    assert (found["q_hot_min"], found["minimum_cold_utility"]) == (107.5, 40.0)
    assert (found["pinch_temperature"], found["min_number_of_units"]) == (80.0, 7)
    assert found["utility_duties"] == pytest.approx({"hp": 107.5, "cw": 40.0}, abs=1e-4)


@pytest.mark.parametrize(
    ("solve", "inputs", "match"),
    [
        (solve_water, {"sinks": [{"id": 1, "flow": 3}]}, "limit"),
        (solve_water, {"sinks": [{"id": 1, "c_max": 3}]}, "flow"),
        (solve_water, {"sinks": [{"id": 1, "flow": -3, "c_max": 3}]}, "negative"),
        (solve_water, {"sinks": [{"id": 1, "flow": 3, "c_max": 3, "colour": 1}]}, "colour"),
        (solve_water, {"sinks": [{"id": 1, "flow": 3, "c_max": [3, 4]}]}, "2 values"),
        (solve_water, {"magic": 1}, "magic"),
        (solve_water, {"processes": [{"id": 1, "cin": 50, "cout": 20, "limiting_flow": 3}]}, "above the inlet"),
        (solve_water, {"freshwater_ppm": 0}, "sinks"),
        (solve_heat, {"delta_t_min": 10, "streams": [{"id": 1, "type": "hot", "t_in": 5, "t_out": 9, "cp": 1}]},
         "Exchange"),
        (solve_heat, {"streams": [{"id": 1, "t_in": 5, "t_out": 9, "cp": 1}]}, "delta_t_min"),
        (solve_heat, {"delta_t_min": 10, "streams": [{"id": 1, "t_in": 5, "t_out": 9}]}, "cp"),
        (solve_hydrogen, {"utility": {"purity": 99}, "sinks": [{"id": 1, "flow": 3}]}, "purity"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(solve, inputs, match):
    with pytest.raises(UserError, match=match):
        solve(inputs, {"min_freshwater": 1.0, "q_hot_min": 1.0})


def test_names_and_units():
    assert split_unit("flow_t_h") == ("flow", "t/h")
    assert words("min_freshwater_reuse") == words("minimum_fresh_water_flowrate_reuse_t_h")
    assert load_factor("g/s", "kg/s", "ppm") == pytest.approx(1000.0)
    assert load_factor("kg/h", "t/h", "ppm NH3") == pytest.approx(1000.0)
