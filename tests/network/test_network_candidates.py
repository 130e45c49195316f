"""Sizes and capital of possible plants, provenance, and the way from names to positions and back."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_park import FATES, PLANTS, RECIPES, SITES, TECHNOLOGIES, fate, recipe, tiny_library, tiny_plan

from cyclopolis.network import compile_network, find_arcs, find_port
from cyclopolis.network.candidates import capital_chord, library_candidates, provenance_codes, scaled_capital
from cyclopolis.network.model import CANDIDATE, EXISTING, PLANNED, PROVENANCE
from cyclopolis.network.names import pick

sizes = st.floats(1, 1e6)


@given(sizes, st.floats(1.01, 20), st.floats(1, 1e4), st.floats(0.3, 1.0))
def test_the_chord_meets_the_curve_at_both_ends_and_lies_below_it_between(smallest, times, capex, exponent):
    largest = smallest * times
    reference = np.array([largest])
    ends = [
        scaled_capital(np.array([x]), reference, np.array([capex]), np.array([exponent])) for x in (smallest, largest)
    ]
    fixed, slope = capital_chord(np.array([smallest]), np.array([largest]), *ends)
    assert fixed + slope * smallest == pytest.approx(ends[0])
    assert fixed + slope * largest == pytest.approx(ends[1])
    middle = (smallest + largest) / 2
    curve = scaled_capital(np.array([middle]), reference, np.array([capex]), np.array([exponent]))
    assert fixed + slope * middle <= curve * (1 + 1e-9)
    assert fixed >= -1e-9 * capex


def test_capital_of_unknown_scale_is_unknown():
    one, nan = np.array([1.0]), np.array([np.nan])
    for values in ((2 * one, one, one, nan), (one, nan, one, one), (nan, one, one, one), (one, one, nan, one)):
        assert np.isnan(scaled_capital(*values)).all()


def sites(wish):
    return tiny_plan(sites=[{**SITES[0], "new_plants": wish}]).tables["sites"]


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (None, []),
        ("any", ["new:brick@town", "new:cement@town", "new:power@town"]),
        ("ANY", ["new:brick@town", "new:cement@town", "new:power@town"]),
        ("power", ["new:power@town"]),
        (" power ;brick;power", ["new:brick@town", "new:power@town"]),
        ("power;any", ["new:brick@town", "new:cement@town", "new:power@town"]),
    ],
)
def test_what_a_place_allows(wish, expected):
    assert library_candidates(sites(wish), tiny_library().technologies)["plant"].to_list() == expected


@pytest.mark.parametrize("unknown", ["reference_capacity", "capex"])
def test_a_technology_of_unknown_size_or_capital_is_no_candidate(unknown):
    rows = [{**row, unknown: None} if row["technology"] == "power" else row for row in TECHNOLOGIES]
    found = library_candidates(sites("any"), tiny_library(technologies=rows).technologies)
    assert found["technology"].to_list() == ["brick", "cement"]


def test_without_an_exponent_the_full_capital_is_due_at_any_size():
    rows = [{**row, "scale_exponent": None} for row in TECHNOLOGIES]
    row = {"plant": "b", "site": "hill", "technology": "brick", "status": "candidate"}
    network = compile_network(tiny_plan(tiny_library(technologies=rows), plants=[*PLANTS, row]))
    at = network.plant_ids.index("b")
    assert (network.plants.capex_fixed[at], network.plants.capex_slope[at]) == (20.0, 0.0)


def test_the_users_plant_of_that_name_wins():
    row = {
        "plant": "new:brick@lot",
        "enterprise": "grid",
        "technology": "brick",
        "status": "candidate",
        "capacity": 7.0,
    }
    allowed = [{**site, "new_plants": "brick"} if site["site"] == "lot" else site for site in SITES]
    network = compile_network(tiny_plan(plants=[*PLANTS, row], sites=allowed), candidates=True)
    at = network.plant_ids.index("new:brick@lot")
    assert network.plants.capacity[at] == 7.0
    assert not network.plants.library[at]


def test_status_codes():
    rows = [
        *PLANTS,
        {"plant": "a", "site": "hill", "technology": "brick", "status": "planned", "capacity": 10.0},
        {"plant": "b", "site": "hill", "technology": "brick", "status": "candidate", "capacity": 10.0},
    ]
    network = compile_network(tiny_plan(plants=rows))
    status = dict(zip(network.plant_ids, network.plants.status.tolist(), strict=True))
    assert (status["boiler"], status["a"], status["b"]) == (EXISTING, PLANNED, CANDIDATE)


def test_a_plant_stands_where_its_enterprise_stands_unless_it_says_otherwise(network):
    at = dict(zip(network.plant_ids, network.plants.site.tolist(), strict=True))
    assert network.site_ids[at["boiler"]] == "park"
    assert network.site_ids[at["kiln"]] == "lot"


def test_plants_without_an_enterprise_are_never_one_enterprise():
    rows = [{**row, "enterprise": None, "site": "park"} for row in PLANTS]
    network = compile_network(tiny_plan(plants=rows))
    assert network.plants.enterprise.tolist() == [-1, -1, -1]
    (arc,) = find_arcs(network, "boiler", "mill", "electricity")
    assert network.arcs.cost[arc] > 0


def test_a_candidate_of_no_given_size_may_be_of_any():
    row = {"plant": "b", "site": "hill", "technology": "brick", "status": "candidate"}
    network = compile_network(tiny_plan(plants=[*PLANTS, row]))
    at = network.plant_ids.index("b")
    assert (network.plants.capacity_min[at], network.plants.capacity[at]) == (1e4, 5e4)


def test_an_existing_plant_of_unknown_capacity_keeps_it_unknown():
    rows = [{**row, "capacity": None} if row["plant"] == "kiln" else row for row in PLANTS]
    network = compile_network(tiny_plan(plants=rows))
    at = network.plant_ids.index("kiln")
    assert np.isnan(network.plants.capacity[at])
    assert network.plants.jobs[at] == pytest.approx(40 * 1000 / 5e4)  # by its activity instead


def test_lifetimes_are_given_or_assumed():
    rows = [{**row, "lifetime": 33.0} if row["plant"] == "kiln" else row for row in PLANTS]
    network = compile_network(tiny_plan(plants=rows))
    assert network.plants.lifetime.tolist() == [20.0, 33.0, 20.0]


def test_provenance_codes_are_positions():
    found = provenance_codes(pl.Series(["user", "seen", None, "measured"]))
    assert [PROVENANCE[code] for code in found] == ["user", "seen", "assumed", "measured"]


def test_provenance_of_plants_and_of_their_economics(network):
    named = [PROVENANCE[code] for code in network.plants.provenance]
    assert named == ["user", "assumed", "user"]
    assert [PROVENANCE[code] for code in network.plants.economics_provenance] == ["memory"] * 3
    own = [{**row, "capex": 1.0, "opex": 1.0, "jobs": 1.0} for row in PLANTS]
    full = compile_network(tiny_plan(plants=own))
    assert [PROVENANCE[code] for code in full.plants.economics_provenance] == named


@given(st.lists(st.integers(-1, 2)))
def test_picked_names_are_found_again(found):
    names = pick(("a", "b", "c"), np.array(found, dtype=np.int64)).to_list()
    assert names == [None if position < 0 else "abc"[position] for position in found]


def test_ports_and_arcs_are_found_by_name(network):
    port = find_port(network, "mill", "ash", output=False)
    assert network.plant_ids[network.ports.plant[port]] == "mill"
    assert find_port(network, "mill", "ash", output=True) == -1
    assert find_port(network, "nobody", "ash", output=True) == -1
    assert find_port(network, "mill", "gold", output=True) == -1
    assert find_arcs(network, "boiler", "nobody", "ash").size == 0
    assert find_arcs(network, "kiln", "mill", "ash").size == 0
    assert find_arcs(network, "boiler", "kiln", "ash").size == 1


BURNER = {
    **TECHNOLOGIES[2],
    "technology": "burner",
    "main_commodity": "tar",
    "main_direction": "in",
}


def with_treatment(fates=(), **changes):
    library = tiny_library(
        technologies=[*TECHNOLOGIES, {**BURNER, **changes}],
        recipes=[*RECIPES, recipe("burner", "tar", "in", "main", 1.0)],
        fates=[row for row in FATES if row["commodity"] != "tar"] + list(fates),
    )
    plant = {"plant": "new kiln", "enterprise": "grid", "site": "lot", "technology": "brick", "status": "candidate"}
    return tiny_plan(library, plants=[row for row in PLANTS if row["plant"] != "kiln"] + [plant])


def test_a_treatment_of_the_library_may_stand_where_a_surplus_has_no_other_place():
    network = compile_network(with_treatment(), candidates=True)
    at = network.plant_ids.index("new:burner@lot")
    assert network.plants.library[at]
    assert network.plants.status[at] == CANDIDATE
    assert PROVENANCE[network.plants.provenance[at]] == "assumed"
    listed = network.unknowns.filter(reason="treatment_assumed").select("plant", "commodity").rows()
    assert listed == [("new:burner@lot", "tar")]


@pytest.mark.parametrize(
    "changed",
    [{"fates": [fate("tar", "treat", 2000.0)]}, {"main_direction": "out"}, {"capex": None}, {"opex": None}],
    ids=["lawful fate", "no treatment", "unknown capital", "unknown cost"],
)
def test_no_treatment_is_assumed_where_there_is_a_place_or_nobody_knows_its_economics(changed):
    network = compile_network(with_treatment(**changed), candidates=True)
    assert "new:burner@lot" not in network.plant_ids


def test_without_candidates_no_treatment_is_assumed():
    assert "new:burner@lot" not in compile_network(with_treatment()).plant_ids
