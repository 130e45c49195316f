"""What compiling finds: ports, arcs, candidates, measurements, and that the order of rows changes nothing."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_park import (
    COMMODITIES,
    EXCHANGES,
    FATES,
    PLANTS,
    RECIPES,
    SITES,
    SUBSTITUTIONS,
    TECHNOLOGIES,
    TRANSPORT,
    commodity,
    recipe,
    substitution,
    tiny_library,
    tiny_plan,
)

from cyclopolis.network import base_flows, compile_network, find_arcs, find_port
from cyclopolis.network.arcs import match
from cyclopolis.network.model import INTERNAL, SUBSTITUTION, SUPPLY, USE

WAY = 17.9688969 * 1.3  # km from park to hill by road: 0.2 degrees of longitude at 36.1 degrees north


def change(rows, key, name, **values):
    """Return rows with one of them changed."""
    return [{**row, **values} if row[key] == name else row for row in rows]


def coefficient(network, plant, name):
    p, c = network.plant_ids.index(plant), network.commodity_ids.index(name)
    found = (network.ports.plant == p) & (network.ports.commodity == c)
    return network.ports.coefficient[found].item()


def test_ids_are_sorted_and_ports_follow_plant_then_commodity(network):
    for ids in (network.plant_ids, network.commodity_ids, network.technology_ids, network.site_ids, network.mode_ids):
        assert list(ids) == sorted(ids)
    order = list(zip(network.ports.plant.tolist(), network.ports.commodity.tolist(), strict=True))
    assert order == sorted(set(order))
    assert len(order) == len(RECIPES)


def test_coefficients_are_signed(network):
    assert coefficient(network, "boiler", "electricity") == 1.0
    assert coefficient(network, "boiler", "coal") == -0.4
    assert coefficient(network, "mill", "ash") == -0.2


def test_recipe_matrix_holds_the_same_coefficients(network):
    matrix = network.recipe_matrix()
    assert matrix.shape == (3, len(network.commodity_ids))
    p, c = network.plant_ids.index("kiln"), network.commodity_ids.index("clay")
    assert matrix[p, c] == -1.1
    assert matrix.sum() == pytest.approx(network.ports.coefficient.sum())


def test_a_commodity_taken_and_given_counts_net():
    rows = [*RECIPES, recipe("power", "electricity", "in", "utility", 0.06, "MWh")]
    network = compile_network(tiny_plan(tiny_library(recipes=rows)))
    assert coefficient(network, "boiler", "electricity") == pytest.approx(0.94)


def test_a_technology_without_a_row_for_its_main_commodity_gets_one():
    rows = [row for row in RECIPES if (row["technology"], row["commodity"]) != ("brick", "brick")]
    network = compile_network(tiny_plan(tiny_library(recipes=rows)))
    assert coefficient(network, "kiln", "brick") == 1.0
    assert network.ports.commodity[network.plants.main[network.plant_ids.index("kiln")]] == network.commodity_ids.index(
        "brick"
    )


def test_what_nature_gives_is_marked(network):
    port = find_port(network, "boiler", "oxygen_air", output=False)
    assert network.ports.natural[port]
    assert network.ports.natural.sum() == 1


def test_arcs_of_the_tiny_park_are_these_three(network):
    arcs, ports = network.arcs, network.ports
    named = [
        (
            network.plant_ids[ports.plant[g]],
            network.plant_ids[ports.plant[t]],
            network.commodity_ids[ports.commodity[g]],
            network.commodity_ids[ports.commodity[t]],
            int(kind),
        )
        for g, t, kind in zip(arcs.giver, arcs.taker, arcs.kind, strict=True)
    ]
    assert named == [
        ("boiler", "kiln", "ash", "clay", SUBSTITUTION),
        ("boiler", "mill", "ash", "ash", USE),
        ("boiler", "mill", "electricity", "electricity", SUPPLY),
    ]


def test_the_use_of_a_waste_is_never_a_substitution_too(network):
    assert find_arcs(network, "boiler", "mill", "ash", "clinker").size == 0


def test_distance_and_cost_follow_the_way(network):
    (arc,) = find_arcs(network, "boiler", "mill", "ash")
    assert network.arcs.distance[arc] == pytest.approx(WAY, rel=1e-4)
    assert network.arcs.cost[arc] == pytest.approx(0.5 * WAY, rel=1e-4)
    assert network.mode_ids[network.arcs.mode[arc]] == "truck"


def test_power_goes_by_wire_at_its_own_cost(network):
    (arc,) = find_arcs(network, "boiler", "mill", "electricity")
    assert network.mode_ids[network.arcs.mode[arc]] == "wire"
    assert network.arcs.cost[arc] == pytest.approx(0.4 * 17.9689, rel=1e-4)


def test_inside_one_enterprise_and_park_nothing_is_paid(network):
    (arc,) = find_arcs(network, "boiler", "kiln", "ash", "clay")
    assert (network.arcs.cost[arc], network.arcs.distance[arc], network.arcs.mode[arc]) == (0.0, 0.0, -1)


def test_same_park_but_another_enterprise_pays_the_way_inside():
    plants = change(PLANTS, "plant", "kiln", enterprise="stone")
    network = compile_network(tiny_plan(plants=plants))
    (arc,) = find_arcs(network, "boiler", "kiln", "ash", "clay")
    assert network.arcs.distance[arc] == 1.0
    assert network.arcs.cost[arc] == 0.5


def test_own_use_is_internal():
    plants = change(PLANTS, "plant", "mill", enterprise="grid", site="lot")
    network = compile_network(tiny_plan(plants=plants))
    (arc,) = find_arcs(network, "boiler", "mill", "electricity")
    assert network.arcs.kind[arc] == INTERNAL


def test_beyond_the_reach_there_is_no_arc_unless_the_plan_names_it():
    short = [{**row, "reach_km": 5.0} for row in TRANSPORT]
    library = tiny_library(transport=short)
    silent = compile_network(tiny_plan(library, exchanges=[]))
    assert find_arcs(silent, "boiler", "mill", "ash").size == 0
    named = compile_network(tiny_plan(library))
    (arc,) = find_arcs(named, "boiler", "mill", "ash")
    assert named.arcs.cost[arc] == pytest.approx(0.5 * WAY, rel=1e-4)
    assert find_arcs(named, "boiler", "mill", "electricity").size == 0


def test_a_proposed_exchange_opens_its_arc_but_carries_nothing_today():
    short = tiny_library(transport=[{**row, "reach_km": 5.0} for row in TRANSPORT])
    network = compile_network(tiny_plan(short, exchanges=[{**EXCHANGES[0], "status": "proposed"}]))
    (arc,) = find_arcs(network, "boiler", "mill", "ash")
    assert np.isnan(network.arcs.exchange[arc])
    assert network.arcs.exchange_provenance[arc] == -1


def test_a_mode_carries_only_its_states_and_kinds():
    library = tiny_library(transport=[{**TRANSPORT[0], "kinds": "energy"}, TRANSPORT[1]])
    network = compile_network(tiny_plan(library, exchanges=[]))
    assert find_arcs(network, "boiler", "mill", "ash").size == 0
    assert find_arcs(network, "boiler", "mill", "electricity").size == 1


def test_the_cheapest_mode_within_reach_carries():
    rail = {**TRANSPORT[0], "mode": "rail", "cost_per_t_km": 0.1, "detour": 2.0}
    network = compile_network(tiny_plan(tiny_library(transport=[*TRANSPORT, rail])))
    (arc,) = find_arcs(network, "boiler", "mill", "ash")
    assert network.mode_ids[network.arcs.mode[arc]] == "rail"
    assert network.arcs.cost[arc] == pytest.approx(0.1 * 2 * 17.9689, rel=1e-4)


def test_a_commodity_not_counted_in_tonnes_travels_by_its_mass():
    goods = change(COMMODITIES, "commodity", "ash", unit="1000 m3", t_per_unit=2.0)
    network = compile_network(tiny_plan(tiny_library(commodities=goods)))
    (arc,) = find_arcs(network, "boiler", "mill", "ash")
    assert network.arcs.cost[arc] == pytest.approx(2 * 0.5 * WAY, rel=1e-4)


def test_places_without_coordinates_trade_only_inside_one_park():
    sites = [{k: v for k, v in row.items() if k not in {"lon", "lat"}} for row in SITES]
    network = compile_network(tiny_plan(sites=sites, exchanges=[]))
    assert find_arcs(network, "boiler", "mill", "ash").size == 0
    assert find_arcs(network, "boiler", "kiln", "ash", "clay").size == 1


def test_emissions_have_no_arcs():
    rows = [*RECIPES, recipe("brick", "co2_fossil", "in", "feedstock", 0.1)]
    network = compile_network(tiny_plan(tiny_library(recipes=rows)))
    assert find_arcs(network, "boiler", "kiln", "co2_fossil").size == 0


def test_caps_hold_for_the_taker_and_the_waste(network):
    (use,) = find_arcs(network, "boiler", "mill", "ash")
    (sub,) = find_arcs(network, "boiler", "kiln", "ash", "clay")
    shares = network.arcs.cap_share[network.arcs.cap_group[[use, sub]]]
    assert shares.tolist() == [0.25, 0.3]
    assert network.arcs.co2_credit[use] == 0.8
    assert np.isnan(network.arcs.co2_credit[sub])


def test_givers_of_one_waste_share_the_takers_cap():
    second = {**PLANTS[0], "plant": "boiler2"}
    network = compile_network(tiny_plan(plants=[*PLANTS, second]))
    groups = [network.arcs.cap_group[find_arcs(network, name, "mill", "ash")].item() for name in ("boiler", "boiler2")]
    assert groups[0] == groups[1] >= 0


def test_no_cap_where_the_product_has_no_mass():
    goods = change(COMMODITIES, "commodity", "brick", t_per_unit=None)
    network = compile_network(tiny_plan(tiny_library(commodities=goods)))
    (arc,) = find_arcs(network, "boiler", "kiln", "ash", "clay")
    assert network.arcs.cap_group[arc] == -1


def measured(plant, name, direction, amount, year=2024):
    return {"plant": plant, "commodity": name, "direction": direction, "amount": amount, "year": year}


def test_a_measured_port_counts_as_measured_and_keeps_its_recipe():
    network = compile_network(tiny_plan(measurements=[measured("boiler", "coal", "in", 4400.0)]))
    port = find_port(network, "boiler", "coal", output=False)
    assert network.ports.coefficient[port] == pytest.approx(-0.44)
    assert network.ports.recipe[port] == -0.4
    assert network.ports.provenance[port] == 0


def test_a_measured_main_output_is_the_activity():
    network = compile_network(tiny_plan(measurements=[measured("boiler", "electricity", "out", 9000.0)]))
    assert network.plants.activity[network.plant_ids.index("boiler")] == 9000.0
    assert coefficient(network, "boiler", "coal") == -0.4


def test_measurements_of_other_years_do_not_count():
    network = compile_network(tiny_plan(measurements=[measured("boiler", "coal", "in", 4400.0, year=2020)]))
    assert coefficient(network, "boiler", "coal") == -0.4


def test_several_measurements_of_one_port_count_as_their_mean():
    rows = [measured("boiler", "coal", "in", 4400.0), measured("boiler", "coal", "in", 4000.0)]
    assert coefficient(compile_network(tiny_plan(measurements=rows)), "boiler", "coal") == pytest.approx(-0.42)


def test_a_measured_commodity_outside_the_recipe_becomes_a_port():
    network = compile_network(tiny_plan(measurements=[measured("kiln", "ash", "out", 50.0)]))
    port = find_port(network, "kiln", "ash", output=True)
    assert network.ports.coefficient[port] == pytest.approx(0.05)
    assert np.isnan(network.ports.recipe[port])


def test_a_measurement_at_a_plant_of_unknown_activity_is_listed():
    plants = change(PLANTS, "plant", "kiln", activity=None)
    network = compile_network(tiny_plan(plants=plants, measurements=[measured("kiln", "clay", "in", 9.0)]))
    assert network.unknowns.rows() == [
        ("kiln", None, "activity"),
        ("kiln", "clay", "measured_without_activity"),
    ]
    assert np.isnan(network.plants.activity[network.plant_ids.index("kiln")])


def test_a_measured_flow_stands_for_the_exchange():
    row = {"from_plant": "boiler", "to_plant": "mill", "commodity": "ash", "amount": 333.0, "year": 2024}
    network = compile_network(tiny_plan(measurements=[row]))
    (arc,) = find_arcs(network, "boiler", "mill", "ash")
    assert network.arcs.exchange[arc] == 333.0
    assert network.arcs.exchange_provenance[arc] == 0


def test_an_exchange_without_amount_means_as_much_as_both_allow():
    network = compile_network(tiny_plan(exchanges=[{**EXCHANGES[0], "amount": None}]))
    (arc,) = find_arcs(network, "boiler", "mill", "ash")
    assert np.isinf(network.arcs.exchange[arc])


def test_an_assumed_exchange_stays_assumed():
    network = compile_network(tiny_plan(exchanges=[{**EXCHANGES[0], "source": "假设"}]))
    (arc,) = find_arcs(network, "boiler", "mill", "ash")
    assert network.arcs.exchange_provenance[arc] == 4


def test_an_exchange_finds_the_commodity_that_it_may_replace():
    rows = [{"from_plant": "boiler", "to_plant": "kiln", "commodity": "ash", "amount": 100.0, "status": "existing"}]
    network = compile_network(tiny_plan(exchanges=rows))
    (arc,) = find_arcs(network, "boiler", "kiln", "ash", "clay")
    assert network.arcs.exchange[arc] == 100.0
    assert network.unknowns.is_empty()


def test_a_substitution_that_no_rule_covers_is_taken_one_to_one_and_listed():
    row = {
        "from_plant": "boiler",
        "to_plant": "mill",
        "commodity": "ash",
        "as_commodity": "clinker",
        "amount": 10.0,
        "status": "existing",
    }
    network = compile_network(tiny_plan(exchanges=[row]))
    (arc,) = find_arcs(network, "boiler", "mill", "ash", "clinker")
    assert (network.arcs.ratio[arc], network.arcs.kind[arc]) == (1.0, SUBSTITUTION)
    assert network.unknowns.rows() == [("mill", "ash", "exchange_ratio")]


@pytest.mark.parametrize(
    ("giver", "taker", "name", "expected"),
    [
        ("mill", "boiler", "coal", [("mill", "coal", "exchange_not_given")]),
        ("boiler", "kiln", "electricity", [("kiln", "electricity", "exchange_not_taken")]),
    ],
)
def test_an_exchange_that_cannot_be_is_listed(giver, taker, name, expected):
    row = {"from_plant": giver, "to_plant": taker, "commodity": name, "amount": 1.0, "status": "existing"}
    assert compile_network(tiny_plan(exchanges=[row])).unknowns.rows() == expected


def test_library_candidates_stand_where_the_place_allows_them():
    sites = change(SITES, "site", "lot", new_plants="brick; cement")
    plan = tiny_plan(sites=sites)
    assert len(compile_network(plan).plant_ids) == 3
    network = compile_network(plan, 2030, candidates=True)
    fresh = [name for name in network.plant_ids if name.startswith("new:")]
    assert fresh == ["new:brick@lot", "new:cement@lot"]
    at = network.plant_ids.index("new:cement@lot")
    plants = network.plants
    assert plants.library[at]
    assert (plants.activity[at], plants.capacity[at], plants.capacity_min[at]) == (0.0, 1e5, 2e4)


def test_any_means_every_technology():
    network = compile_network(tiny_plan(sites=change(SITES, "site", "lot", new_plants="any")), candidates=True)
    assert sum(name.startswith("new:") for name in network.plant_ids) == len(TECHNOLOGIES)


def test_the_capital_of_a_free_size_is_right_at_both_ends():
    sites = change(SITES, "site", "lot", new_plants="cement")
    network = compile_network(tiny_plan(sites=sites), candidates=True)
    at = network.plant_ids.index("new:cement@lot")
    fixed, slope = network.plants.capex_fixed[at], network.plants.capex_slope[at]
    assert fixed + slope * 1e5 == pytest.approx(100.0)
    assert fixed + slope * 2e4 == pytest.approx(100 * 0.2**0.65)


def test_a_candidate_of_given_size_has_all_its_capital_fixed():
    row = {"plant": "mill2", "enterprise": "stone", "technology": "cement", "status": "candidate", "capacity": 5e4}
    network = compile_network(tiny_plan(plants=[*PLANTS, row]))
    at = network.plant_ids.index("mill2")
    plants = network.plants
    assert plants.capex_fixed[at] == plants.capex[at] == pytest.approx(100 * 0.5**0.65)
    assert (plants.capex_slope[at], plants.capacity_min[at], plants.activity[at]) == (0.0, 5e4, 0.0)
    assert plants.jobs[at] == 40.0


def test_own_figures_win_over_the_library(network):
    at = network.plant_ids.index("mill")
    assert network.plants.jobs[at] == 60.0
    assert network.plants.opex[at] == 30.0


def test_exclusions_are_positions():
    rows = [{"group": "g", "plant": "mill"}, {"group": "g", "plant": "kiln"}, {"group": "f", "plant": "boiler"}]
    assert compile_network(tiny_plan(exclusions=rows)).exclusions == ((0,), (1, 2))


def test_match_cut_into_batches_gives_the_same_pairs():
    rng = np.random.default_rng(1)
    giver, taker = rng.integers(0, 9, 200), rng.integers(0, 9, 150)
    whole = [np.concatenate(part) for part in zip(*match(giver, taker), strict=True)]
    parts = [np.concatenate(part) for part in zip(*match(giver, taker, size=37), strict=True)]
    assert [part.tolist() for part in whole] == [part.tolist() for part in parts]
    assert (giver[whole[0]] == taker[whole[1]]).all()
    assert whole[0].size == sum((giver == key).sum() * (taker == key).sum() for key in range(9))


def arrays(network):
    """Return everything in a network as comparable values."""
    found = {}
    for name in ("plants", "ports", "arcs", "markets", "trades", "fates"):
        for key, value in vars(getattr(network, name)).items():
            found[f"{name}.{key}"] = value.tolist()
    return {**found, "ids": (network.plant_ids, network.commodity_ids, network.site_ids, network.fate_ids)}


MANY = {
    "sites": [*SITES[:2], {**SITES[2], "new_plants": "any"}, SITES[3]],
    "plants": [*PLANTS, {**PLANTS[0], "plant": "boiler2"}, {**PLANTS[2], "plant": "kiln2", "site": "hill"}],
    "exchanges": [*EXCHANGES, {"from_plant": "boiler2", "to_plant": "kiln2", "commodity": "ash", "status": "existing"}],
    "measurements": [measured("boiler", "coal", "in", 4400.0), measured("kiln", "ash", "out", 5.0)],
    "markets": [
        {"commodity": "coal", "buy_price": 500.0, "buy_max": 1000.0},
        {"commodity": "coal", "buy_price": 550.0},
        {"commodity": "ash", "site": "park", "sell_price": 5.0, "sell_max": 100.0},
    ],
}
LIBRARY_ROWS = {
    "commodities": [*COMMODITIES, commodity("slag", low=1.0, high=2.0)],
    "technologies": TECHNOLOGIES,
    "recipes": RECIPES,
    "substitutions": [*SUBSTITUTIONS, substitution("ash", "power", "coal", 0.1, share=5.0)],
    "fates": FATES,
    "transport": TRANSPORT,
}


def text(value):
    """NaN-safe comparison of nested lists."""
    return repr(value)


@cache
def unshuffled():
    return compile_network(tiny_plan(tiny_library(**LIBRARY_ROWS), **MANY), candidates=True)


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_the_order_of_rows_changes_nothing(data):
    shuffled = {name: data.draw(st.permutations(rows), label=name) for name, rows in MANY.items()}
    library = {name: data.draw(st.permutations(rows), label=name) for name, rows in LIBRARY_ROWS.items()}
    first = unshuffled()
    second = compile_network(tiny_plan(tiny_library(**library), **shuffled), candidates=True)
    assert text(arrays(first)) == text(arrays(second))
    assert text(vars(base_flows(first))) == text(vars(base_flows(second)))


def test_a_cap_never_stops_a_recipe_from_its_own_share():
    rows = change(SUBSTITUTIONS, "technology", "cement", max_share_pct=10.0)
    network = compile_network(tiny_plan(tiny_library(substitutions=rows)))
    (arc,) = find_arcs(network, "boiler", "mill", "ash")
    assert network.arcs.cap_share[network.arcs.cap_group[arc]] == pytest.approx(0.2)


def test_a_plan_without_plants_compiles():
    network = compile_network(tiny_plan(plants=[], exchanges=[]))
    assert network.plant_ids == ()
    assert base_flows(network).arc.size == 0
