"""Cases of several criteria that do not ship: other spellings, other variants, and what is refused."""

import pytest
import yaml

from cyclopolis.study.verify import verify

TZENG = [[5, 8, 4], [7, 6, 8], [8, 8, 6], [7, 4, 6]]


def one(folder, kind, inputs, published, width=1e-4):
    path = folder / "case.yaml"
    tree = {"case_id": "c", "kind": kind, "inputs": inputs, "published": published, "tolerance": {"absolute": width}}
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return verify([path]).cases[0]


HELD = {
    "ahp by geometric mean, upper triangle, own index": (
        "ahp",
        {"comparisons": [["2", "4"], ["2"]], "method": "geometric mean", "ri": 0.52},
        {"priorities": [0.5714, 0.2857, 0.1429], "cr": 0.0, "consistent": True, "rank": [1, 2, 3]},
    ),
    "ahp, triangle with diagonal, named table": (
        "ahp",
        {"matrix": [[1, 3, 5], [1, "5/3"], [1]], "random_index": "saaty_revised"},
        {"weights": [0.6522, 0.2174, 0.1304], "lambda_max": 3.0, "random_index": 0.52},
    ),
    "topsis with a cost and rows by name": (
        "topsis",
        {"matrix": {"a": [1, 10], "b": [2, 20]}, "weights": [0.5, 0.5], "types": ["max", "cost"]},
        {"closeness": [0.5, 0.5], "rank": [1, 1]},
    ),
    "topsis with equal weights": ("topsis", {"matrix": [[1, 5], [2, 4]], "directions": [1, -1]}, {"scores": [0, 1]}),
    "entropy after min-max": (
        "entropy_weights",
        {"data": [[1, 9], [2, 5], [3, 1]], "normalization": "minmax", "shift": 0.0001, "directions": ["max", "min"]},
        {"weights": [0.5, 0.5]},
    ),
    "critic by ranks": (
        "critic_weights",
        {"matrix": [[1, 5], [2, 4], [3, 9]], "correlation": "spearman"},
        {"weights": [0.4858, 0.5142], "correlation": [[1, 0.5], [0.5, 1]]},
    ),
    "coordination of three, corrected": (
        "coupling_coordination",
        {"U": [[0.5, 0.5, 0.5]], "form": "modified", "scale": "ten"},
        {"C": [1.0], "T": [0.5], "D": [0.7071], "C_classic": [1.0]},
    ),
    "coordination by year": (
        "coupling_coordination",
        {"systems": {"2020": [0.3, 0.6]}, "form": "wang"},
        {"C": [0.591608]},
    ),
    "obstacles by dimension": (
        "obstacle_degree",
        {"U": [[0.5, 1.0, 0.0]], "weights": [0.4, 0.3, 0.3], "dimensions": ["eco", "soc", "eco"]},
        {"percent": [[40, 0, 60]], "dimension_share": {"eco": [1.0], "soc": [0.0]}},
    ),
    "dea output oriented as a factor": (
        "dea",
        {"inputs": [2, 4, 8], "outputs": [2, 2, 6], "model": "CCR", "orientation": "output"},
        {"efficiency": [1, 2, 1.33333]},
    ),
    "dea output oriented as a share": (
        "dea",
        {"x": [[2], [4], [8]], "y": [[2], [2], [6]], "rts": "crs", "orientation": "output"},
        {"efficiency": [1, 0.5, 0.75], "phi": [1, 2, 1.33333], "rank": [1, 3, 2]},
    ),
    "dea slacks and scale": (
        "dea",
        {"x": [[2, 4], [2, 6]], "y": [[1], [1]], "returns": "BCC"},
        {"theta": [1, 1], "input_slacks": [[0, 0], [0, 2]], "scale_efficiency": [1, 1], "efficient": [True, False]},
    ),
}


@pytest.mark.parametrize("name", HELD)
def test_variants_hold(name, tmp_path) -> None:
    case = one(tmp_path, *HELD[name])
    assert [row for row in case.rows if not row.ok] == []
    assert (case.status, case.problems) == ("pass", ())


REFUSED = {
    "unknown field": ("topsis", {"matrix": TZENG, "weigths": [1, 1, 1]}, "weigths"),
    "not reciprocal": ("ahp", {"matrix": [[1, 2], [2, 1]]}, "(1, 2)"),
    "not square": ("ahp", {"matrix": [[1, 2, 3], [0.5, 1, 2]]}, "as many rows as columns"),
    "no number": ("ahp", {"matrix": [[1, "x"], [1, 1]]}, "x"),
    "unknown method": ("ahp", {"matrix": [[1, 2], [0.5, 1]], "method": "lottery"}, "eigenvector"),
    "unknown index table": ("ahp", {"matrix": [[1, 2], [0.5, 1]], "random_index": "mine"}, "saaty"),
    "weights that are not one": ("topsis", {"matrix": TZENG, "weights": [0.3, 0.4, 0.4]}, "1.1"),
    "a weight too few": ("topsis", {"matrix": TZENG, "weights": [0.5, 0.5]}, "2 values"),
    "unknown direction": ("topsis", {"matrix": TZENG, "directions": ["max", "max", "sideways"]}, "sideways"),
    "other normalisation": ("topsis", {"matrix": TZENG, "normalization": "fuzzy"}, "vector"),
    "negative shares": ("entropy_weights", {"matrix": [[1, -2], [3, 4]]}, "zero or more"),
    "an index above one": ("coupling_coordination", {"U": [[0.5, 1.5]]}, "0 to 1"),
    "one system": ("coupling_coordination", {"U": [[0.5], [0.4]]}, "U"),
    "unknown scale": ("coupling_coordination", {"U": [[0.5, 0.4]], "scale": "mine"}, "ten"),
    "groups too few": ("obstacle_degree", {"U": [[0.5, 0.4]], "groups": ["a"]}, "1 values"),
    "unequal units": ("dea", {"x": [[1], [2]], "y": [[1]]}, "same units"),
    "no outputs": ("dea", {"x": [[1], [2]]}, "y"),
    "unknown returns": ("dea", {"x": [[1]], "y": [[1]], "returns": "sometimes"}, "constant"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_named(name, tmp_path) -> None:
    kind, inputs, word = REFUSED[name]
    case = one(tmp_path, kind, inputs, {"weights": [1.0]})
    assert case.status == "unreadable"
    assert len(case.problems) == 1
    assert word in case.problems[0].render("en")
    assert "case.yaml" in case.problems[0].file
    if name in {"not reciprocal", "weights that are not one"}:
        field = {"not reciprocal": "matrix:", "weights that are not one": "weights:"}[name]
        lines = (tmp_path / "case.yaml").read_text(encoding="utf-8").splitlines()
        assert field in lines[case.problems[0].line - 1]
        assert "line" in case.problems[0].render("en")
