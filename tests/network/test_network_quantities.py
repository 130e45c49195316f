"""Quantities of the tiny park, each worked out on paper, and what must hold for any state."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_park import COMMODITIES, FATES, PLANTS, SITES, tiny_library, tiny_plan

from cyclopolis.network import MONEY, Flows, base_flows, compile_network, quantities, unknown_terms
from cyclopolis.network.units import quantity_units

# 0.2 degrees of longitude at 36.1 degrees north by road (x 1.3), 0.5 CNY per t km
TRANSPORT = 400 * 0.5 * 1.3 * 17.9688969

BY_PLANT = {  # boiler, kiln, mill
    "water": (20000, 500, 0),
    "power": (0, 0, 150),
    "co2_power": (0, 0, 90),  # 150 MWh at 0.6 t/MWh
    "energy": (80000, 0, 540),  # 4000 t of coal at 20 GJ/t; 150 MWh at 3.6 GJ
    "so2": (10, 0, 0),
    "nox": (0, 0, 0),
    "co2": (7000, 0, 0),
    "landfill": (600, 0, 0),
    "hazardous_waste": (0, 10, 0),
    "solid_waste": (1000, 10, 0),
    "waste_reused": (400, 0, 0),
    "land": (0, 0, 0),
    "budget": (0, 0, 0),
    "jobs": (1.2, 0.8, 60),  # 100 jobs at 1 million MWh, 40 at 50,000 t; the mill's own figure
    "sales": (4_000_000, 100_000, 750_000),
    "purchases": (2_500_000, 24_500, 825_000),
    "disposal": (30_000, 20_000, 0),
    "transport": (TRANSPORT, 0, 0),
    "operation": (500_000, 20_000, 90_000),
    "gain": (970_000 - TRANSPORT, 35_500, -165_000),
}


@pytest.mark.parametrize("name", BY_PLANT)
def test_quantities_by_plant_are_those_worked_out_on_paper(network, name):
    flows = base_flows(network)
    form = quantities(network)[name]
    assert form.by_plant(network, flows).tolist() == pytest.approx(BY_PLANT[name], rel=1e-6)
    assert form.value(flows) == pytest.approx(sum(BY_PLANT[name]), rel=1e-6)


def test_every_quantity_of_the_plan_has_a_form_and_no_other(network):
    assert set(quantities(network)) == {*quantity_units(), *MONEY}


def test_two_emissions_of_a_surplus_that_is_flared_count():
    fates = [{**row, "fate": "flare", "co2_t_per_unit": 0.5} if row["commodity"] == "ash" else row for row in FATES]
    network = compile_network(tiny_plan(tiny_library(fates=fates)))
    assert quantities(network)["co2"].value(base_flows(network)) == pytest.approx(7000 + 0.5 * 600)


def test_an_emission_is_counted_once_though_its_fate_releases_it(network):
    assert quantities(network)["co2"].value(base_flows(network)) == 7000


def test_sold_waste_counts_as_put_to_use():
    network = compile_network(tiny_plan(markets=[{"commodity": "ash", "sell_price": 1.0, "sell_max": 250.0}]))
    flows = base_flows(network)
    assert quantities(network)["waste_reused"].value(flows) == pytest.approx(650)
    assert quantities(network)["landfill"].value(flows) == pytest.approx(350)


def test_building_counts_capital_land_and_jobs():
    row = {
        "plant": "mill2",
        "enterprise": "stone",
        "technology": "cement",
        "status": "candidate",
        "capacity": 5e4,
        "capex": 70.0,
        "jobs": 44.0,
        "land_ha": 3.0,
    }
    sites = [{**site, "new_plants": "brick"} if site["site"] == "lot" else site for site in SITES]
    network = compile_network(tiny_plan(plants=[*PLANTS, row], sites=sites), candidates=True)
    base = base_flows(network)
    built, capacity = base.built.copy(), base.capacity.copy()
    mill2, brick = network.plant_ids.index("mill2"), network.plant_ids.index("new:brick@lot")
    built[[mill2, brick]] = 1
    capacity[[mill2, brick]] = 5e4, 2e4
    state = Flows(base.activity, base.arc, base.trade, base.fate, built, capacity)
    forms = quantities(network)
    small = 20 * 0.2**0.65  # capital at 10,000 t; the line to 20 at 50,000 t
    assert forms["budget"].value(state) == pytest.approx(70 + small + (20 - small) * (1e4 / 4e4))
    assert forms["land"].value(state) == 3.0
    assert forms["jobs"].value(state) - forms["jobs"].value(base) == pytest.approx(44 + 40 * 0.4)
    assert ("new:brick@lot", None, "land") not in unknown_terms(network).rows()


@cache
def rich():
    network = compile_network(tiny_plan(sites=[{**site, "new_plants": "any"} for site in SITES]), candidates=True)
    return network, quantities(network)


@given(st.integers(0, 2**32 - 1))
def test_the_whole_is_the_sum_of_the_plants_and_gain_the_sum_of_its_parts(seed):
    network, forms = rich()
    rng = np.random.default_rng(seed)
    plants = len(network.plant_ids)
    arcs, trades, fates = network.arcs.giver.size, network.trades.port.size, network.fates.port.size
    state = Flows(*(rng.uniform(0, 1e4, size) for size in (plants, arcs, trades, fates, plants, plants)))
    for form in forms.values():
        parts = form.by_plant(network, state)
        assert parts.sum() == pytest.approx(form.value(state), rel=1e-9, abs=1e-6)
    value = {name: forms[name].value(state) for name in MONEY}
    costs = value["purchases"] + value["disposal"] + value["transport"] + value["operation"]
    assert value["gain"] == pytest.approx(value["sales"] - costs, rel=1e-9, abs=1e-3)


def test_what_is_unknown_counts_as_absent_and_is_listed():
    library = tiny_library()
    technologies = library.technologies.to_dicts()
    for row in technologies:
        row["opex"] = row["jobs"] = None
    goods = [
        {**row, "price_low": None, "t_per_unit": None} if row["commodity"] == "brick" else row for row in COMMODITIES
    ]
    sites = [{**site, "grid_region": None} for site in SITES]
    network = compile_network(tiny_plan(tiny_library(technologies=technologies, commodities=goods), sites=sites))
    flows = base_flows(network)
    forms = quantities(network)
    assert forms["operation"].value(flows) == 0.0
    assert forms["jobs"].value(flows) == 60.0
    assert forms["co2_power"].value(flows) == 0.0
    assert forms["sales"].value(flows) == 4_750_000
    assert unknown_terms(network).rows() == [
        ("mill", "electricity", "grid_factor"),
        ("boiler", None, "jobs"),
        ("kiln", None, "jobs"),
        (None, "brick", "mass"),
        ("boiler", None, "opex"),
        ("kiln", None, "opex"),
        ("mill", None, "opex"),
        (None, "brick", "price"),
    ]


def test_forms_never_hold_what_is_not_a_number():
    library = tiny_library()
    rows = [{**row, "opex": None, "jobs": None, "capex": None} for row in library.technologies.to_dicts()]
    network = compile_network(
        tiny_plan(tiny_library(technologies=rows), sites=[{**s, "new_plants": "any"} for s in SITES]), candidates=True
    )
    for form in quantities(network).values():
        assert all(np.isfinite(part).all() for part in vars(form).values())
