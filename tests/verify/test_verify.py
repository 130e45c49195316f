"""Cases: every bundled one holds, every corrupted one fails, and every bad file says what is wrong."""

import json
from functools import cache
from pathlib import Path

import pytest
import yaml

from cyclopolis.foundation.text import LANGUAGES
from cyclopolis.study.verify import bundled_cases, compare, read_case, verify
from cyclopolis.study.verify.kinds import kinds

CASES = bundled_cases()


def write(folder, tree, name="case.yaml"):
    path = folder / name
    path.write_text(tree if isinstance(tree, str) else yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    return path


def one(path):
    report = verify([path])
    assert len(report.cases) == 1
    return report.cases[0], report.exit_code


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_bundled_cases_hold(path):
    case, code = one(path)
    assert [row for row in case.rows if not row.ok] == []
    assert (case.status, code) == ("pass", 0)
    assert case.rows


def test_every_kind_has_a_bundled_case():
    assert {read_case(path).kind for path in CASES} == set(kinds())


def leaves(tree, path=()):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*path, key))
    elif isinstance(tree, list):
        for place, value in enumerate(tree):
            yield from leaves(value, (*path, place))
    elif isinstance(tree, int | float) and not isinstance(tree, bool):
        yield path


def corrupted(tree, part, path):
    copy = yaml.safe_load(yaml.safe_dump(tree))
    node = copy[part]
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = node[path[-1]] * 1.5 + 3
    return copy


@cache
def computed(path):
    """Return the engine's answer to a bundled case, solved once for all tests."""
    case = read_case(path)
    inputs = {**case.inputs, "inp": str(path.parent / case.inputs["inp"])} if "inp" in case.inputs else case.inputs
    return case, kinds()[case.kind](inputs, {**case.computed_check, **case.published})


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_corrupted_number_is_found(path):
    """Change one number at a time: exactly that field must miss."""
    case, answer = computed(path)
    tree = {"published": dict(case.published), "computed_check": dict(case.computed_check)}
    compared = {row.field for row in compare(case.published, case.computed_check, answer, case.tolerance)}
    tried = 0
    for part, content in tree.items():
        for spot in leaves(content):
            field = ".".join(str(key + 1) if isinstance(key, int) else str(key) for key in spot)
            if field not in compared or (part == "computed_check" and case.published.get(spot[0]) is not None):
                continue
            bad = corrupted(tree, part, spot)
            rows = compare(bad["published"], bad["computed_check"], answer, case.tolerance)
            assert [row.field for row in rows if not row.ok] == [field]
            tried += 1
    assert tried


@pytest.mark.parametrize("name", ["accounting_carbide_slag_clinker", "reconcile_vdi2048_a", "ena_oyster_reef"])
def test_a_corrupted_file_fails(name, tmp_path):
    path = next(path for path in CASES if path.stem == name)
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    part = "published" if name != "accounting_carbide_slag_clinker" else "computed_check"
    spot = next(iter(leaves(tree[part])))
    case, code = one(write(tmp_path, corrupted(tree, part, spot)))
    assert (case.status, code) == ("miss", 1)


def test_changed_inputs_change_the_answer(tmp_path):
    """The engine solves what the file asks, not what the file of that name once held."""
    tree = yaml.safe_load(
        next(path for path in CASES if path.stem == "pgraph_two_reactors").read_text(encoding="utf-8")
    )
    tree["inputs"]["units"]["O2"]["fixed_cost"] = 1500
    case, code = one(write(tmp_path, tree))
    assert code == 1
    cost = next(row for row in case.rows if row.field == "optimum.cost")
    assert cost.computed == pytest.approx(58777.777778 + 500)


def test_other_activities_of_the_same_optimum_are_accepted_but_no_worse_ones(tmp_path):
    unit = {"inputs": {"R": 1}, "outputs": {"P": 1}, "fixed_cost": 10, "proportional_cost": 1}
    tree = {
        "case_id": "tie",
        "kind": "process_network_synthesis_cost",
        "inputs": {
            "products": {"P": {"demand_min": 10}},
            "raw_material_price": {"R": 2},
            "units": {"A": {**unit, "capacity_max": 8}, "B": {**unit, "capacity_max": 8}},
        },
        "tolerance": {"cost": 0.01},
    }
    for activity, code in (
        ({"A": 5, "B": 5}, 0),
        ({"A": 8, "B": 2}, 0),
        ({"A": 2, "B": 8}, 0),
        ({"A": 8, "B": 3}, 1),
        ({"A": 9, "B": 1}, 1),
    ):
        tree["published"] = {"optimum": {"cost": 50.0, "units": ["A", "B"], "activity": activity}}
        assert one(write(tmp_path, tree))[1] == code, activity


VALID = {
    "case_id": "mine",
    "kind": "accounting",
    "inputs": {"clinker_t": 100, "clinker_factor": 0.5, "alternative_raw_materials": {"fly_ash_t": 100}},
    "published": {"process_co2_t": 44.5},
    "tolerance": {"mass": 1e-6},
}


def test_a_user_s_own_file(tmp_path):
    case, code = one(write(tmp_path, VALID))
    assert (case.case, case.status, code) == ("mine", "pass", 0)


def test_numbers_without_a_dot_and_names_that_look_like_flags(tmp_path):
    text = """
case_id: NO
kind: process_network_synthesis_cost
inputs:
  products: {NO: {demand_min: 1e1}}
  raw_material_price: {N: 2e0}
  units:
    Y: {inputs: {N: 1}, outputs: {NO: 1}, fixed_cost: 1e1, proportional_cost: 0}
published: {optimum: {cost: 30, units: [Y]}}
tolerance: {cost: 1e-6}
"""
    case, code = one(write(tmp_path, text))
    assert (case.case, case.problems, code) == ("NO", (), 0)


def process(**inputs):
    units = {"U": {"inputs": {"A": 1}, "outputs": {"B": 1}}}
    return {**VALID, "kind": "process_network_synthesis_cost", "inputs": {"products": ["B"], "units": units, **inputs}}


def stock(**inputs):
    life = {"type": "fixed", "mean": 1}
    return {**VALID, "kind": "dynamic_stock", "inputs": {"inflow": [1, 2], "lifetime": life, **inputs}}


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ("case_id: [", "not readable YAML"),
        ("just words", "block of fields"),
        ("", "block of fields"),
        ({**VALID, "case_id": None}, "case_id is missing"),
        ({**VALID, "kind": None}, "kind is missing"),
        ({**VALID, "inputs": {}}, "inputs is missing"),
        ({**VALID, "inputs": [1]}, "inputs must be a block"),
        ({**VALID, "published": None}, "no number to compare"),
        ({**VALID, "published": {"source": "a book"}}, "no number to compare"),
        ({**VALID, "tolerance": None}, "tolerance is missing"),
        ({**VALID, "tolerance": {"mass": -1}}, "not negative"),
        ({**VALID, "tolerance": {"mass": "small"}}, "not negative"),
        ({**VALID, "inputs": {"clinker_t": "many"}}, "clinker_t must be a number"),
        ({**VALID, "inputs": {"clinker_t": 1, "coal": 2}}, "no case of this kind|No case of this kind"),
        ({**VALID, "inputs": {"clinker_t": 1, "alternative_raw_materials": {"moon_dust_t": 1}}}, "moon_dust"),
        ({**VALID, "inputs": {"fuels": {"x": [1, 2]}}}, "2 values stand where 3"),
        ({**VALID, "inputs": {"units": {}}}, "One of these fields"),
        ({**VALID, "kind": "dynamic_stock", "inputs": {"mode": "sideways"}}, "inflow_driven"),
        ({**VALID, "kind": "dynamic_stock", "inputs": {"inflow": [1, 2]}}, "lifetime is missing"),
        (
            {
                **VALID,
                "kind": "dynamic_stock",
                "inputs": {"inflow": [1, 2], "lifetime": {"type": "endless", "mean": 1}},
            },
            "endless",
        ),
        (
            {
                **VALID,
                "kind": "dynamic_stock",
                "inputs": {"inflow": [1, [2]], "lifetime": {"type": "fixed", "mean": 1}},
            },
            "equally long",
        ),
        (
            {**VALID, "kind": "ecological_network_analysis", "inputs": {"flow_matrix_row_to_column": [[0, 1]]}},
            "as many rows",
        ),
        ({**VALID, "kind": "network_topology", "inputs": {"edges": [["a"]]}}, "1 values stand where 2"),
        ({**VALID, "kind": "reconciliation", "inputs": {"quantities": [{"id": "a"}, {"id": "a"}]}}, "stand twice: a"),
        ({**VALID, "kind": "reconciliation", "inputs": {"quantities": [{"id": "a", "value": 1}]}}, "sd is missing"),
        (
            {
                **VALID,
                "kind": "reconciliation",
                "inputs": {"quantities": [{"id": "a", "value": 1, "sd": 1}], "linear": [{"b": 1}]},
            },
            "not known here",
        ),
        ({**VALID, "kind": "process_network_synthesis_cost", "inputs": {"products": {"A": {}}}}, "unit"),
        (process(raw_materials=[{"a": 1}]), "A name is expected"),
        (process(raw_material_price="x"), "raw_material_price must be a block"),
        (process(mutually_exclusive=[True]), "mutually_exclusive must be a list"),
        (process(units={"U": {"inputs": {"A": float("inf")}, "outputs": {"B": 1}}}), "must be a number"),
        (stock(inflow=[]), "inflow is missing"),
        (stock(lifetime={"type": "fixed", "mean": [1, 2]}), "2 values stand where 1"),
    ],
)
def test_bad_files_say_what_is_wrong(tree, words, tmp_path):
    path = write(tmp_path, tree)
    case, code = one(path)
    assert (case.status, code) == ("unreadable", 2)
    for language in LANGUAGES:
        shown = [problem.render(language) for problem in case.problems]
        assert all(str(path) in line for line in shown)
    import re

    assert re.search(words, "\n".join(problem.render("en") for problem in case.problems))


def test_a_missing_file_and_bytes_that_are_no_text(tmp_path):
    assert one(tmp_path / "absent.yaml")[1] == 2
    (tmp_path / "raw.yaml").write_bytes(bytes(range(256)))
    assert one(tmp_path / "raw.yaml")[1] == 2


def test_an_unknown_kind_is_not_supported(tmp_path):
    case, code = one(write(tmp_path, {**VALID, "kind": "astrology"}))
    assert (case.status, code) == ("unsupported", 3)
    assert "reconciliation" in case.problems[0].render("en")


def test_the_worst_case_decides(tmp_path):
    files = {
        "pass": VALID,
        "miss": {**VALID, "published": {"process_co2_t": 1}},
        "unsupported": {**VALID, "kind": "astrology"},
        "unreadable": "[",
    }
    paths = {name: write(tmp_path, tree, f"{name}.yaml") for name, tree in files.items()}
    assert verify([paths["pass"], paths["unsupported"]]).exit_code == 3
    assert verify([paths["unsupported"], paths["miss"]]).exit_code == 1
    assert verify([paths["miss"], paths["unreadable"], paths["pass"]]).exit_code == 2
    everything = verify([tmp_path])
    assert [case.file for case in everything.cases] == sorted(str(path) for path in paths.values())


def test_the_report_in_words_and_as_values(tmp_path):
    report = verify(
        [write(tmp_path, VALID), write(tmp_path, {**VALID, "published": {"process_co2_t": 1}}, "miss.yaml")]
    )
    for language in LANGUAGES:
        lines = list(report.lines(language))
        assert len(lines) == 5
        assert "44.5" in lines[1]
    values = json.loads(json.dumps(report.as_dict()))
    assert (values["ok"], values["exit_code"]) == (False, 1)
    assert values["cases"][1]["rows"][0] == {
        "field": "process_co2_t",
        "computed": 44.5,
        "published": 1,
        "basis": "published",
        "tolerance": {"kind": "absolute", "width": 1e-6},
        "ok": False,
    }


def test_progress_names_each_case(tmp_path):
    heard = []
    verify([write(tmp_path, VALID)], progress=lambda stage, done=None: heard.append((stage.render("en"), done)))
    assert heard == [("case case", 0.0)]


def test_no_case_holds_a_foreign_edge_list():
    """The published edge lists of exchange networks are under the GPL and do not ship."""
    networks = [path for path in CASES if read_case(path).kind == "network_topology"]
    assert [path.stem for path in networks] == ["network_star"]
    assert isinstance(networks[0], Path)
