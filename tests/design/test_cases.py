"""Published synthesis problems with costs, and problems of the same kinds against brute force."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import linprog

from cyclopolis.design import solve_synthesis_cost
from cyclopolis.design.cases import rank_structures
from cyclopolis.design.synthesis import solution_structures
from cyclopolis.design.units import read_units, units_network
from cyclopolis.foundation.problems import UserError

SEVEN = {
    "products": {"A": {"demand_min": 425}},
    "raw_material_price": {"E": 1.2, "G": 3.3, "J": 1.5, "K": 2.1, "L": 1.2},
    "units": {
        "O1": ({"C": 2}, {"A": 1.5, "F": 0.5}, 250, 50, 0.25),
        "O2": ({"D": 2}, {"A": 1, "B": 1}, 190, 30, 0.34),
        "O3": ({"E": 1, "F": 1}, {"C": 2}, 360, 100, 0.16),
        "O4": ({"F": 1, "G": 1}, {"C": 1, "D": 1}, 510, 80, 0.42),
        "O5": ({"G": 1, "H": 1}, {"D": 2}, 430, 90, 0.13),
        "O6": ({"J": 1}, {"F": 1}, 290, 20, 0.28),
        "O7": ({"K": 1, "L": 1}, {"H": 2}, 340, 40, 0.27),
    },
    "mutual_exclusion_variant": [["O6", "O7"], ["O5", "O6", "O7"]],
}
KEYS = ("inputs", "outputs", "capacity_max", "fixed_cost", "proportional_cost")
SEVEN["units"] = {name: dict(zip(KEYS, row, strict=True)) for name, row in SEVEN["units"].items()}
# Data file sevenunit_me.in of akosorosz/PGraphInCS (MIT); costs by enumerating its 19 structures with an LP each.
RANKED = [
    (1232.75, "O1 O2 O3 O5 O6 O7"),
    (1312.75, "O1 O2 O3 O4 O5 O6 O7"),
    (1315.0, "O1 O2 O3 O4 O6"),
    (1999.0, "O1 O2 O4 O6"),
    (2129.0, "O1 O2 O4 O5 O6 O7"),
]
TWO = {
    "products": {"D": {"demand_min": 100, "demand_max": 100}},
    "raw_material_price": {"A": 200, "B": 100, "C": 10},
    "units": {
        "O1": {"inputs": {"A": 1}, "outputs": {"D": 0.7}, "fixed_cost": 2000, "proportional_cost": 400},
        "O2": {"inputs": {"B": 1, "C": 2}, "outputs": {"D": 0.9}, "fixed_cost": 1000, "proportional_cost": 400},
    },
    "mutually_exclusive": [["O1", "O2"]],
}


def test_seven_unit_problem():
    answer = solve_synthesis_cost(SEVEN)
    assert answer["cost"] == pytest.approx(1232.75, abs=1e-6)
    assert answer["activity"] == pytest.approx(
        {"O1": 250, "O2": 50, "O3": 250, "O5": 50, "O6": 125, "O7": 25}, abs=1e-6
    )
    assert len(answer["ranked_costs"]) == len(RANKED) == answer["number_of_solutions"]
    for (cost, units), (expected, names) in zip(answer["ranked_costs"], RANKED, strict=True):
        assert cost == pytest.approx(expected, abs=1e-6)
        assert units == names.split()
    assert answer["optimum_with_exclusions"]["cost"] == pytest.approx(1315.0, abs=1e-6)
    assert answer["optimum_with_exclusions"]["units"] == ["O1", "O2", "O3", "O4", "O6"]
    assert answer["optimum_without_exclusions"]["cost"] == pytest.approx(1232.75, abs=1e-6)


def test_two_reactors_that_exclude_each_other():
    answer = solve_synthesis_cost(TWO)
    assert answer["number_of_solutions"] == 2
    assert answer["optimum"]["units"] == ["O2"]
    assert answer["optimum"]["cost"] == pytest.approx(58777.777778, abs=1e-5)
    assert answer["second"]["units"] == ["O1"]
    assert answer["second"]["cost"] == pytest.approx(87714.285714, abs=1e-5)


def test_without_exclusions_both_reactors_may_stand():
    answer = solve_synthesis_cost({key: value for key, value in TWO.items() if key != "mutually_exclusive"})
    assert answer["number_of_solutions"] == 3
    assert answer["ranked_costs"][1][1] == ["O1", "O2"]


def _cost_of(units, structure) -> float | None:
    """Cost of a structure by a linear programme written out with SciPy; None when it cannot meet the demand."""
    makes, takes = units.makes.toarray()[list(structure)], units.takes.toarray()[list(structure)]
    net = makes - takes
    count = len(structure)
    bought = np.flatnonzero(units.raw)
    rows, limits = [], []
    for material in range(len(units.materials)):
        buys = (bought == material).astype(float)
        rows.append(np.concatenate([-net[:, material], -buys]))
        limits.append(-units.demand_min[material])
        if np.isfinite(units.demand_max[material]):
            rows.append(np.concatenate([net[:, material], buys]))
            limits.append(units.demand_max[material])
    cost = np.concatenate([units.proportional[list(structure)], units.price[bought]])
    top = [None if np.isinf(most) else most for most in units.capacity[list(structure)]]
    solved = linprog(cost, A_ub=np.array(rows), b_ub=limits, bounds=[(0, t) for t in top] + [(0, None)] * bought.size)
    return None if solved.status != 0 else float(solved.fun) + float(units.fixed[list(structure)].sum()) + 0.0 * count


def _random_case(seed: int):
    rng = np.random.default_rng(seed)
    middle = ["M1", "M2", "M3"]
    units = {}
    for at in range(6):
        inputs = rng.choice(["R1", "R2", *middle], size=rng.integers(1, 3), replace=False)
        outputs = rng.choice(
            [name for name in [*middle, "P", "Q"] if name not in inputs], rng.integers(1, 3), replace=False
        )
        units[f"U{at}"] = {
            "inputs": {str(name): float(rng.integers(1, 4)) for name in inputs},
            "outputs": {str(name): float(rng.integers(1, 4)) for name in outputs},
            "fixed_cost": float(rng.integers(5, 60)),
            "proportional_cost": float(rng.integers(1, 9)) / 4,
            **({"capacity_max": float(rng.integers(10, 60))} if rng.random() < 0.7 else {}),
        }
    products = {"P": {"demand_min": float(rng.integers(5, 20))}}
    if rng.random() < 0.5:
        products["Q"] = {"demand_min": 1.0, "demand_max": 40.0}
    return {"products": products, "raw_material_price": {"R1": 1.0, "R2": 2.5}, "units": units}


@pytest.mark.parametrize("seed", range(9, 17))
def test_random_problems_agree_with_enumeration(seed):
    inputs = _random_case(seed)
    units = read_units(inputs)
    brute = []
    for structure in solution_structures(units.takes, units.makes, units.raw, units.products):
        cost = _cost_of(units, structure)
        if cost is not None:
            brute.append((cost, [units.names[unit] for unit in structure]))
    brute.sort(key=lambda item: item[0])
    answer = solve_synthesis_cost(inputs, count=6)
    assert answer["status"] == ("optimal" if brute else "infeasible")
    costs = [cost for cost, _ in answer["ranked_costs"]]
    assert costs == pytest.approx([cost for cost, _ in brute[:6]], rel=1e-5)
    if len(brute) < 6:
        assert answer["number_of_solutions"] == len(brute)
    if brute and (len(brute) == 1 or brute[1][0] > brute[0][0] * (1 + 1e-5)):
        assert answer["units"] == brute[0][1]


def test_demand_that_cannot_be_met_says_what_is_lacking():
    unit = {"inputs": {"R": 1}, "outputs": {"P": 1}, "capacity_max": 30}
    answer = solve_synthesis_cost(
        {"products": {"P": {"demand_min": 50}}, "raw_material_price": {"R": 1}, "units": {"U": unit}}
    )
    assert answer["status"] == "infeasible"
    assert answer["cost"] is None
    assert answer["lacking"] == pytest.approx({"P": 20.0})


def test_of_equal_structures_the_smaller_comes_first():
    units = {name: {"inputs": {"R": 1}, "outputs": {"P": 1}, "proportional_cost": 1} for name in ("U", "V")}
    answer = solve_synthesis_cost(
        {"products": {"P": {"demand_min": 10}}, "raw_material_price": {"R": 1}, "units": units}
    )
    assert len(answer["units"]) == 1
    assert answer["cost"] == pytest.approx(20.0)
    assert answer["number_of_solutions"] == 3


def test_units_in_a_loop_on_no_path_to_the_product_are_no_structure():
    units = {
        "make": {"inputs": {"R": 1}, "outputs": {"P": 1}, "fixed_cost": 1},
        "there": {"inputs": {"X": 1}, "outputs": {"Y": 1}, "fixed_cost": 1},
        "back": {"inputs": {"Y": 1}, "outputs": {"X": 1}, "fixed_cost": 1},
        "idle": {"inputs": {"X": 1}, "outputs": {"W": 1}},
    }
    inputs = {"products": {"P": {"demand_min": 10}}, "raw_material_price": {"R": 1}, "units": units}
    answer = solve_synthesis_cost(inputs)
    assert answer["ranked_costs"] == [[pytest.approx(11.0), ["make"]]]


def test_a_free_loop_that_gains_nothing_does_no_harm():
    units = {
        "make": {"inputs": {"R": 1}, "outputs": {"P": 1}},
        "there": {"inputs": {"X": 1}, "outputs": {"Y": 1}},
        "back": {"inputs": {"Y": 1, "R": 1}, "outputs": {"X": 1, "P": 1}},
    }
    answer = solve_synthesis_cost(
        {"products": {"P": {"demand_min": 10}}, "raw_material_price": {"R": 1}, "units": units}
    )
    assert answer["cost"] == pytest.approx(10.0)
    assert answer["units"] == ["make"]


def test_a_loop_that_earns_without_end_is_named():
    units = {"U": {"inputs": {"R": 1}, "outputs": {"P": 1}}}
    inputs = {"products": {"P": {"price": 5}}, "raw_material_price": {"R": 1}, "units": units}
    with pytest.raises(UserError, match="capacity_max"):
        solve_synthesis_cost(inputs)
    limited = {**inputs, "products": {"P": {"price": 5, "demand_max": 7}}}
    assert solve_synthesis_cost(limited)["cost"] == pytest.approx(-28.0)


def test_a_unit_that_takes_what_it_makes_counts_net():
    unit = {"inputs": {"R": 1, "P": 0.2}, "outputs": {"P": 1.2}, "proportional_cost": 1}
    answer = solve_synthesis_cost(
        {"products": {"P": {"demand_min": 10}}, "raw_material_price": {"R": 2}, "units": {"U": unit}}
    )
    assert answer["cost"] == pytest.approx(30.0)


def test_blank_entries_are_as_if_left_out():
    unit = {"inputs": {"R": 1}, "outputs": {"P": 1}, "capacity_max": None, "fixed_cost": 5}
    products = {"P": {"demand_min": 10, "demand_max": None}}
    inputs = {"products": products, "raw_material_price": {"R": 1}, "units": {"U": unit}, "mutually_exclusive": None}
    assert solve_synthesis_cost(inputs)["cost"] == pytest.approx(15.0)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"unitz": {}}, "unitz"),
        ({"units": {}}, "no units"),
        ({"products": {}}, "no products"),
        ({"products": {"D": {"demand": 3}}}, "demand_min"),
        ({"products": {"A": {"demand_min": 3}}}, "raw material"),
        ({"units": {"O1": {"inputs": {"A": "much"}, "outputs": {"D": 1}}}, "mutually_exclusive": []}, "O1"),
        ({"units": {"O1": {"inputs": {"A": 1}, "outputs": {"D": -1}}}, "mutually_exclusive": []}, "O1"),
        ({"units": {"O1": {"in": {"A": 1}, "outputs": {"D": 1}}}, "mutually_exclusive": []}, "in"),
        ({"mutually_exclusive": [["O1", "O9"]]}, "O9"),
        ({"raw_material_price": {"A": "dear"}}, "price"),
    ],
)
def test_what_cannot_be_read_is_named(change, word):
    with pytest.raises(UserError, match=word) as caught:
        solve_synthesis_cost({**TWO, **change})
    assert all(problem.render("zh") for problem in caught.value.problems)


def test_a_unit_without_capacity_is_not_bounded_by_a_guess():
    units = {"tiny": {"inputs": {"R": 0.00001}, "outputs": {"P": 0.00001}, "fixed_cost": 1}}
    answer = solve_synthesis_cost(
        {"products": {"P": {"demand_min": 10}}, "raw_material_price": {"R": 1}, "units": units}
    )
    assert answer["cost"] == pytest.approx(11.0)
    assert answer["activity"]["tiny"] == pytest.approx(1e6)


def test_the_network_of_units_is_sorted_and_complete():
    units = read_units(SEVEN)
    network = units_network(units, 1e3)
    ports, arcs = network.ports, network.arcs
    key = ports.plant * len(units.materials) + ports.commodity
    assert (np.diff(key) > 0).all()
    assert (np.diff(arcs.giver) >= 0).all()
    assert (ports.commodity[arcs.giver] == ports.commodity[arcs.taker]).all()
    pairs = {(a, b) for a, b in combinations(range(ports.plant.size), 2)}
    expected = sum(
        ports.commodity[a] == ports.commodity[b] and ports.coefficient[a] * ports.coefficient[b] < 0 for a, b in pairs
    )
    assert arcs.giver.size == expected


def test_ranking_stops_when_asked():
    found, complete = rank_structures(read_units(SEVEN), [], 2)
    assert len(found) == 2
    assert not complete
