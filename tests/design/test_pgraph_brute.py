"""Synthesis problems of many shapes against an independent brute force: every subset of units, one SciPy LP each."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import linprog

from cyclopolis.design import solve_synthesis_cost, solve_synthesis_structure
from cyclopolis.design.units import read_units
from cyclopolis.foundation.problems import UserError


def unit(takes, makes, capacity=None, fixed=0.0, proportional=0.0):
    found = {"inputs": takes, "outputs": makes, "fixed_cost": fixed, "proportional_cost": proportional}
    return found if capacity is None else {**found, "capacity_max": capacity}


def is_structure(case, chosen) -> bool:
    """The axioms over sets of names."""
    raw, products = set(case["raw_material_price"]), set(case["products"])
    units = {name: case["units"][name] for name in chosen}
    made = {good for item in units.values() for good in item["outputs"]}
    taken = {good for item in units.values() for good in item["inputs"]}
    if not products <= made or made & raw or taken - raw - made:
        return False
    wanted, useful = set(products), set()
    while True:
        more = {name for name, item in units.items() if set(item["outputs"]) & wanted} - useful
        if not more:
            return useful == set(chosen)
        useful |= more
        for name in more:
            wanted |= set(units[name]["inputs"])


def cost_of(case, chosen) -> float | None:
    """Least cost of running a structure, its fixed cost included; None when demand cannot be met."""
    units = [case["units"][name] for name in chosen]
    raw = list(case["raw_material_price"])
    goods = sorted({good for item in units for good in (*item["inputs"], *item["outputs"])} | set(raw))
    rows, most = [], []
    earned = np.zeros(len(units))
    for good in goods:
        net = np.array([item["outputs"].get(good, 0.0) - item["inputs"].get(good, 0.0) for item in units])
        bought = np.array([float(name == good) for name in raw])
        row = np.concatenate([net, bought])
        product = case["products"].get(good)
        rows.append(-row)
        most.append(-(product or {}).get("demand_min", 0.0))
        if product is not None:
            earned += product.get("price", 0.0) * net
            if "demand_max" in product:
                rows.append(row)
                most.append(product["demand_max"])
    cost = np.concatenate(
        [np.array([item["proportional_cost"] for item in units]) - earned, list(case["raw_material_price"].values())]
    )
    bounds = [(0, item.get("capacity_max")) for item in units] + [(0, None)] * len(raw)
    solved = linprog(cost, A_ub=np.array(rows), b_ub=np.array(most), bounds=bounds)
    return None if solved.status != 0 else float(solved.fun) + sum(item["fixed_cost"] for item in units)


def brute(case, groups=()) -> list[tuple[float, tuple[str, ...]]]:
    """Every feasible structure with its cost, cheapest first."""
    names, found = list(case["units"]), []
    for size in range(1, len(names) + 1):
        for chosen in combinations(names, size):
            if any(len(set(group) & set(chosen)) > 1 for group in groups) or not is_structure(case, chosen):
                continue
            cost = cost_of(case, chosen)
            if cost is not None:
                found.append((cost, chosen))
    return sorted(found, key=lambda item: item[0])


TWO_PRODUCTS = {
    "products": {"P": {"demand_min": 12.0}, "Q": {"demand_min": 7.0, "demand_max": 20.0}},
    "raw_material_price": {"R": 2.0, "S": 5.0},
    "units": {
        "both": unit({"R": 3.0}, {"P": 1.0, "Q": 0.5}, fixed=30.0, proportional=1.0),
        "only_p": unit({"R": 1.0, "S": 0.5}, {"P": 1.0}, 9.0, 12.0, 0.5),
        "only_q": unit({"S": 2.0}, {"Q": 1.0}, 8.0, 4.0, 0.25),
    },
}
LOOP = {
    "products": {"P": {"demand_min": 10.0}},
    "raw_material_price": {"feed": 4.0},
    "units": {
        "reactor": unit({"feed": 1.0, "solvent": 2.0}, {"crude": 1.0}, 40.0, 9.0, 1.5),
        "still": unit({"crude": 1.0}, {"P": 0.5, "solvent": 1.9}, 60.0, 11.0, 0.75),
        "maker": unit({"feed": 0.25}, {"solvent": 1.0}, 30.0, 3.0, 0.125),
        "direct": unit({"feed": 6.0}, {"P": 1.0}, 25.0, 1.0, 2.0),
    },
}
NO_CAPACITIES = {
    "products": {"P": {"demand_min": 800.0}},
    "raw_material_price": {"R": 0.5, "S": 0.75},
    "units": {
        "a": unit({"R": 3.0}, {"M": 2.0}, None, 10.0, 0.1),
        "b": unit({"S": 1.0}, {"M": 1.0}, None, 140.0, 0.05),
        "c": unit({"M": 1.0}, {"P": 4.0}, None, 55.0, 0.4),
        "d": unit({"M": 2.0}, {"P": 9.0}, None, 90.0, 0.2),
    },
}
EXACT_DEMAND = {
    "products": {"P": {"demand_min": 15.0, "demand_max": 15.0}, "B": {"demand_min": 6.0, "demand_max": 6.0}},
    "raw_material_price": {"R": 1.0},
    "units": {
        "pair": unit({"R": 2.0}, {"P": 1.0, "B": 1.0}, 50.0, 20.0, 1.0),
        "single": unit({"R": 2.5}, {"P": 1.0}, 50.0, 5.0, 1.0),
        "other": unit({"R": 4.0}, {"B": 1.0}, 50.0, 2.0, 1.0),
    },
}
SOLD_BY_PRODUCT = {
    "products": {"P": {"demand_min": 10.0, "demand_max": 30.0}, "heat": {"price": 1.75, "demand_max": 25.0}},
    "raw_material_price": {"coal": 1.25, "gas": 2.0},
    "units": {
        "burner": unit({"coal": 2.0}, {"P": 1.0, "heat": 1.5}, 40.0, 6.0, 0.5),
        "clean": unit({"gas": 1.0}, {"P": 1.0, "heat": 0.25}, 40.0, 9.0, 0.25),
    },
}
THREE_EXCLUDE = {
    "products": {"P": {"demand_min": 20.0}},
    "raw_material_price": {"R": 3.0},
    "units": {
        "small": unit({"R": 1.0}, {"P": 1.0}, 11.0, 5.0, 1.0),
        "middle": unit({"R": 1.2}, {"P": 1.0}, 14.0, 4.0, 1.0),
        "large": unit({"R": 1.5}, {"P": 1.0}, 21.0, 3.0, 1.0),
        "help": unit({"R": 2.5}, {"P": 1.0}, 9.0, 1.0, 1.0),
    },
    "mutually_exclusive": [["small", "middle", "large"]],
}
SURPLUS = {
    "products": {"P": {"demand_min": 8.0}},
    "raw_material_price": {"R": 1.0},
    "units": {
        "split": unit({"R": 1.0}, {"M": 1.0, "junk": 5.0}, 30.0, 4.0, 0.5),
        "join": unit({"M": 2.0}, {"P": 1.0}, 20.0, 8.0, 0.5),
        "use": unit({"junk": 3.0}, {"M": 0.75}, 25.0, 2.5, 0.1),
    },
}
PRODUCT_FEEDS_ON = {
    "products": {"P": {"demand_min": 5.0, "price": 0.5, "demand_max": 9.0}, "Q": {"demand_min": 4.0}},
    "raw_material_price": {"R": 1.5},
    "units": {
        "first": unit({"R": 1.0}, {"P": 1.0}, 30.0, 7.0, 0.25),
        "second": unit({"P": 2.0}, {"Q": 1.0}, 10.0, 3.0, 0.5),
        "third": unit({"R": 5.0}, {"Q": 1.0}, 10.0, 1.0, 0.5),
    },
}
CASES = {
    "two products": TWO_PRODUCTS,
    "loop between units": LOOP,
    "no capacities": NO_CAPACITIES,
    "exact demand": EXACT_DEMAND,
    "by-product sold": SOLD_BY_PRODUCT,
    "three exclude each other": THREE_EXCLUDE,
    "free surplus": SURPLUS,
    "a product feeds another": PRODUCT_FEEDS_ON,
}


@cache
def answered(name: str):
    """Return the answer of a named case, solved once."""
    return solve_synthesis_cost(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_ranking_agrees_with_all_subsets(name):
    case = CASES[name]
    groups = case.get("mutually_exclusive", ())
    expected = brute(case, groups)
    answer = answered(name)
    assert expected
    assert answer["status"] == "optimal"
    assert answer["number_of_solutions"] == len(expected)
    assert [cost for cost, _ in answer["ranked_costs"]] == pytest.approx([cost for cost, _ in expected], rel=1e-5)
    assert {tuple(units) for _, units in answer["ranked_costs"]} == {units for _, units in expected}
    assert answer["cost"] == answer["optimum"]["cost"] == answer["ranked_costs"][0][0]
    free = brute(case)[0][0]
    assert answer["optimum_without_exclusions"]["cost"] == pytest.approx(free, rel=1e-5)
    assert answer["lacking"] == {}


@pytest.mark.parametrize("name", CASES)
def test_activities_of_the_optimum_meet_demand_within_capacity_and_cost_what_is_said(name):
    case = CASES[name]
    answer = answered(name)
    activity, raw = answer["activity"], case["raw_material_price"]
    net: dict[str, float] = {}
    for unit_name, amount in activity.items():
        item = case["units"][unit_name]
        assert -1e-7 <= amount <= item.get("capacity_max", np.inf) + 1e-6
        for good, each in item["outputs"].items():
            net[good] = net.get(good, 0.0) + each * amount
        for good, each in item["inputs"].items():
            net[good] = net.get(good, 0.0) - each * amount
    for good, amount in net.items():
        product = case["products"].get(good, {})
        if good not in raw:
            assert amount >= product.get("demand_min", 0.0) - 1e-5
        assert amount <= product.get("demand_max", np.inf) + 1e-5
    money = sum(raw[good] * -amount for good, amount in net.items() if good in raw)
    money -= sum(item.get("price", 0.0) * net[good] for good, item in case["products"].items())
    for unit_name, amount in activity.items():
        item = case["units"][unit_name]
        money += item["fixed_cost"] + item["proportional_cost"] * amount
    assert answer["cost"] == pytest.approx(money, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_structures_agree_with_all_subsets(name):
    case = CASES[name]
    expected = {
        chosen
        for size in range(1, len(case["units"]) + 1)
        for chosen in combinations(case["units"], size)
        if is_structure(case, chosen)
    }
    answer = solve_synthesis_structure({key: value for key, value in case.items() if key != "mutually_exclusive"})
    assert {tuple(chosen) for chosen in answer["solution_structures"]} == expected
    assert set(answer["maximal_structure_units"]) == {name for chosen in expected for name in chosen}
    sizes = [len(chosen) for chosen in answer["solution_structures"]]
    assert sizes == sorted(sizes)


def _random_superstructure(seed: int):
    rng = np.random.default_rng(seed)
    raw, middle, products = ["R1", "R2"], ["M1", "M2", "M3", "M4"], ["P1", "P2"][: 1 + seed % 2]
    units = {}
    for at in range(8):
        takes = rng.choice([*raw, *middle], size=rng.integers(1, 3), replace=False)
        makes = rng.choice([g for g in [*middle, *products] if g not in takes], rng.integers(1, 3), replace=False)
        units[f"U{at}"] = {"inputs": takes.tolist(), "outputs": makes.tolist()}
    return {
        "products": {name: {} for name in products},
        "raw_material_price": dict.fromkeys(raw, 1.0),
        "units": units,
    }


@pytest.mark.parametrize("seed", range(20))
def test_random_superstructures_enumerate_what_the_axioms_allow(seed):
    case = _random_superstructure(seed)
    expected = {
        frozenset(chosen)
        for size in range(1, 9)
        for chosen in combinations(case["units"], size)
        if is_structure(case, chosen)
    }
    answer = solve_synthesis_structure(
        {"products": list(case["products"]), "raw_materials": ["R1", "R2"], "units": case["units"]}
    )
    assert answer["number_of_solution_structures"] == len(expected) == len(answer["solution_structures"])
    assert {frozenset(chosen) for chosen in answer["solution_structures"]} == expected


def test_of_three_that_exclude_each_other_one_at_most_stands():
    answer = answered("three exclude each other")
    trio = set(THREE_EXCLUDE["mutually_exclusive"][0])
    assert all(len(trio & set(units)) <= 1 for _, units in answer["ranked_costs"])
    assert len(trio & set(answer["optimum_without_exclusions"]["units"])) == 2
    assert answer["optimum_without_exclusions"]["cost"] < answer["cost"]


def test_pairs_of_exclusions_are_not_one_group_of_three():
    pairs = {**THREE_EXCLUDE, "mutually_exclusive": [["small", "middle"], ["middle", "large"]]}
    expected = brute(pairs, pairs["mutually_exclusive"])
    answer = solve_synthesis_cost(pairs)
    assert answer["number_of_solutions"] == len(expected) > len(brute(THREE_EXCLUDE, [["small", "middle", "large"]]))
    assert answer["cost"] == pytest.approx(expected[0][0], rel=1e-6)


def test_exclusions_that_starve_the_product_are_infeasible_by_the_amount_that_lacks():
    case = {**THREE_EXCLUDE, "products": {"P": {"demand_min": 33.5}}}
    answer = solve_synthesis_cost(case)
    assert brute(case, case["mutually_exclusive"]) == []
    assert answer["status"] == "infeasible"
    assert answer["ranked_costs"] == []
    assert answer["optimum_with_exclusions"] is None
    assert answer["second"] is None
    # The largest makes 21 and the helper 9.
    assert answer["lacking"] == pytest.approx({"P": 3.5})
    assert answer["optimum_without_exclusions"]["cost"] == pytest.approx(brute(case)[0][0], rel=1e-6)


def test_a_demand_that_cannot_be_met_exactly_is_infeasible():
    # Every P brings one B, and no more than 6 B may come of 15 P.
    case = {**EXACT_DEMAND, "units": {"pair": EXACT_DEMAND["units"]["pair"]}}
    assert brute(case) == []
    assert solve_synthesis_cost(case, count=1)["status"] == "infeasible"


def test_a_product_that_is_a_raw_material_is_refused():
    with pytest.raises(UserError) as caught:
        solve_synthesis_cost({**LOOP, "raw_material_price": {"feed": 4.0, "P": 1.0}})
    assert "“P” is a product and a raw material" in caught.value.problems[0].render("en")
    assert "“P”" in caught.value.problems[0].render("zh")


def test_a_unit_that_makes_a_raw_material_is_in_no_structure():
    units = {**LOOP["units"], "back": unit({"crude": 1.0}, {"feed": 50.0, "P": 3.0}, 50.0, 0.0, 0.0)}
    case = {**LOOP, "units": units}
    answer = solve_synthesis_cost(case)
    assert answer["cost"] == pytest.approx(brute(LOOP)[0][0], rel=1e-6)
    assert all("back" not in chosen for _, chosen in answer["ranked_costs"])
    assert "back" not in solve_synthesis_structure(case)["maximal_structure_units"]


def test_a_dearer_raw_material_never_makes_the_answer_cheaper():
    dear = {**NO_CAPACITIES, "raw_material_price": {"R": 1.0, "S": 0.75}}
    cost = solve_synthesis_cost(dear, count=1)["cost"]
    assert cost > answered("no capacities")["cost"]
    assert cost == pytest.approx(brute(dear)[0][0], rel=1e-6)


@pytest.mark.parametrize("where", ["case", "unit"])
@pytest.mark.parametrize("value", ["only words", 3, ["a"], {"b": 1}, True])
def test_an_unknown_key_is_a_remark_when_it_is_text_and_an_error_otherwise(where, value):
    units = {name: dict(item) for name, item in SURPLUS["units"].items()}
    case = {**SURPLUS, "units": units}
    (case if where == "case" else units["join"])["origin"] = value
    if isinstance(value, str):
        assert read_units(case).names == ("split", "join", "use")
        return
    with pytest.raises(UserError) as caught:
        read_units(case)
    (problem,) = caught.value.problems
    assert "origin" in problem.render("en")
    assert "origin" in problem.render("zh")
    assert ("join" in problem.render("en")) == (where == "unit")


@pytest.mark.parametrize("known", ["capacity_max", "fixed_cost", "proportional_cost"])
def test_a_known_key_with_text_is_still_wrong(known):
    units = {"U": {**unit({"R": 1.0}, {"P": 1.0}), known: "much"}}
    with pytest.raises(UserError, match="U"):
        read_units({"products": {"P": {}}, "raw_material_price": {"R": 1.0}, "units": units})
