"""The three dimensions of the tiny park on paper, their tables against the law, and what must always hold."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_park import PLANTS, SITES, tiny_library, tiny_plan

import cyclopolis
from cyclopolis.library import load_library, with_user_rows
from cyclopolis.network import Flows, base_flows, compile_network, dimension_forms, quantities
from cyclopolis.network.dimensions import DIMENSIONS, dimension_names
from cyclopolis.network.factors import disc_share, own_residents
from cyclopolis.network.model import LinearForm

NOTE = {"source": "test", "provenance": "assumed"}
SEEN = {"source": "test", "provenance": "seen"}
FACTORS = {
    "pollution_equivalents": [
        {"commodity": "so2", "medium": "air", "equivalent_kg": 0.95, **NOTE, "provenance": "seen"},
        {"commodity": "ash", "medium": "solid", "rate_cny_per_t": 25.0, **NOTE},
    ],
    "pollution_rates": [
        {"region": "China", "medium": "air", "rate_low": 1.2, "rate_high": 12.0, **NOTE},
        {"region": "North", "region_zh": "北方", "medium": "air", "rate_low": 1.9, "rate_high": 1.9, **SEEN},
    ],
    "environment_tax_rules": [
        {"rule": "top_air", "article": "9", "text": "t", "count": 3, **NOTE, "provenance": "seen"},
    ],
    "environment_rates": [
        {"item": "co2", "rate": 80.0, "unit": "CNY/t", **NOTE},
        {"item": "water", "rate": 2.0, "unit": "CNY/m3", **NOTE},
        {"item": "landfill", "rate": 30.0, "unit": "CNY/t", **NOTE},
        {"item": "virgin_resource", "rate": 5.0, "unit": "CNY/t", **NOTE},
    ],
    "society_weights": [
        {"part": "jobs", "weight": 2.0, "reference": 100.0, "unit": "1", **NOTE},
        {"part": "exposure", "weight": -1.0, "reference": 1000.0, "unit": "1", **NOTE},
        {"part": "fiscal_revenue", "weight": 1.0, "reference": 10.0, "unit": "million CNY/a", **NOTE},
    ],
    "exposure_bands": [
        {"band": "near", "from_km": 0.0, "to_km": 1.0, "weight": 1.0, **NOTE},
        {"band": "far", "from_km": 1.0, "to_km": 30.0, "weight": 0.1, **NOTE},
    ],
    "hazards": [{"technology": "brick", "weight": 2.0, **NOTE}],
    "taxes": [
        {"tax": "green", "basis": "environment_tax", "rate": 1.0, "local_share": 1.0, "cost": True, **NOTE},
        {"tax": "vat", "basis": "value_added", "rate": 0.1, "local_share": 0.5, "cost": False, **NOTE},
        {"tax": "income", **NOTE, "name": "Levy", "basis": "profit", "rate": 0.25, "local_share": 0.4, "cost": True},
    ],
    "traits": [{"commodity": "coal", "trait": "virgin", "source": "test", "provenance": "assumed"}],
}  # fmt: skip
PEOPLE = [
    {**SITES[0], "population": 5000.0},
    {**SITES[1], "population": 2000.0},
    SITES[2],
    {**SITES[3], "population": 700.0},
]


@pytest.fixture(scope="module")
def park():
    return compile_network(tiny_plan(tiny_library(**FACTORS), sites=PEOPLE))


@pytest.fixture(scope="module")
def found(park):
    forms, flows = dimension_forms(park), base_flows(park)
    return forms, {part.name: part.form.value(flows) for part in forms.parts}, flows


def test_environment_is_that_of_the_paper(park, found):
    forms, value, flows = found
    so2 = 10_000 / 0.95 * 1.9  # 10 t at the province's own rate, not at the midpoint
    assert value["air_pollution"] == pytest.approx(so2)
    assert value["solid_waste_pollution"] == pytest.approx(600 * 25)  # lawful storage is not exempt here
    assert value["co2_charge"] == pytest.approx(7000 * 80)
    assert value["water_charge"] == pytest.approx(20_500 * 2)
    assert value["landfill_charge"] == pytest.approx(600 * 30)
    assert value["virgin_resource_charge"] == pytest.approx(4000 * 5)  # coal bought outside
    assert "co2_power_charge" not in value  # no rate, no charge
    total = so2 + 15_000 + 560_000 + 41_000 + 18_000 + 20_000
    assert forms.environment.value(flows) == pytest.approx(total)
    assert quantities(park)["environment_score"].value(flows) == pytest.approx(total / 1e6)


def test_taxes_are_those_of_the_paper(park, found):
    forms, value, flows = found
    gain, green = quantities(park)["gain"].value(flows), 10_000 / 0.95 * 1.9
    added = 4_850_000 - 3_349_500
    assert value["green"] == pytest.approx(green)  # landfilled lawfully: the ash is not taxed
    assert value["income"] == pytest.approx(0.25 * (gain - green))
    assert forms.taxes["vat"].value(flows) == pytest.approx(0.1 * added)
    assert forms.economy.value(flows) == pytest.approx(gain - green - 0.25 * (gain - green))  # the buyer pays the vat
    local = green + 0.5 * 0.1 * added + 0.4 * 0.25 * (gain - green)
    assert value["fiscal_revenue"] == pytest.approx(local / 1e6)


def test_society_is_that_of_the_paper(found):
    forms, value, flows = found
    # the kiln stands in the park of 4 km2 with 2,000 people: within 1 km live pi / 4 of them, the rest within 30;
    # the town's other 2,300 live 11.1 km away, the hill's 700 18 km
    near = 2000 * np.pi / 4
    assert value["exposure"] == pytest.approx(2 * (near + 0.1 * (2000 - near + 2300 + 700)), rel=1e-6)
    assert value["jobs"] == pytest.approx(62)
    points = 2 * 62 / 100 - value["exposure"] / 1000 + value["fiscal_revenue"] / 10
    assert forms.society.value(flows) == pytest.approx(points)


def test_what_has_no_figure_is_listed_and_not_zero(found):
    forms = found[0]
    assert forms.lacking.rows() == [(None, "tar", "equivalent")]  # treated hazardous waste without a rate
    blind = dimension_forms(compile_network(tiny_plan(tiny_library(**FACTORS))))
    assert ("kiln", None, "residents") in blind.lacking.rows()


def test_parts_say_unit_weight_names_and_provenance(found):
    forms = found[0]
    assert {part.dimension for part in forms.parts} == set(DIMENSIONS)
    assert forms.part("income").names == {"en": "Levy", "zh": "Levy"}
    assert forms.part("exposure").names["zh"] == "危险装置周边居民暴露"
    assert forms.part("exposure").weight == -0.001
    assert forms.part("air_pollution").provenance == "seen"
    assert forms.part("solid_waste_pollution").provenance == "assumed"
    assert dimension_names("environment")["zh"] == "环境"


def test_scores_are_the_weighted_sums_of_their_parts_in_any_state(park, found):
    rng = np.random.default_rng(7)
    forms, base = found[0], found[2]
    state = Flows(*(rng.uniform(0, 9, getattr(base, name).size) for name in LinearForm.__dataclass_fields__))
    for name in DIMENSIONS:
        parts = sum(part.weight * part.form.value(state) for part in forms.parts if part.dimension == name)
        assert getattr(forms, name).value(state) == pytest.approx(parts)
    assert quantities(park)["society_score"].value(state) == pytest.approx(forms.society.value(state))


def test_a_new_hazardous_plant_counts_when_built_and_wears_down_capital():
    row = {"plant": "kiln2", "enterprise": "grid", "technology": "brick", "status": "candidate", "capacity": 5e4,
           "capex": 20.0, "lifetime": 10.0, "source": "test"}  # fmt: skip
    network = compile_network(tiny_plan(tiny_library(**FACTORS), sites=PEOPLE, plants=[*PLANTS, row]))
    forms, at = dimension_forms(network), network.plant_ids.index("kiln2")
    near = 2000 * np.pi / 4
    assert forms.part("exposure").form.built[at] == pytest.approx(2 * (near + 0.1 * (5000 - near)))
    assert forms.part("income").form.built[at] == pytest.approx(-0.25 * 20e6 / 10)


def test_the_law_taxes_the_first_three_and_spares_exempt_plants():
    library = load_library()
    plan = cyclopolis.read_plan(cyclopolis.example("changzhi"))
    network = compile_network(plan)
    taxed = network.factors.taxed
    sewage = network.technology_ids.index("wwtp_municipal")
    assert not taxed[sewage].any()
    counted = (
        library.recipes.join(library.pollution_equivalents.filter(medium="air"), on="commodity")
        .filter(direction="out", technology="coal_power")
        .sort(pl.col("amount") / pl.col("equivalent_kg"), descending=True)
    )
    power = network.technology_ids.index("coal_power")
    paid = [bool(taxed[power, network.commodity_ids.index(name)]) for name in counted["commodity"]]
    assert paid == [at < 3 for at in range(len(paid))]
    forms, flows = dimension_forms(network), base_flows(network)
    charged = forms.part("air_pollution").form.value(flows) + forms.part("water_pollution").form.value(flows)
    assert 0 < forms.part("environment_protection_tax").form.value(flows) < charged


def test_figures_are_those_of_the_law_table():
    library = load_library()
    law = {
        (row["pollutant"], row["medium"].split(",")[0]): row for row in library.environment_tax.iter_rows(named=True)
    }
    for row in library.pollution_equivalents.iter_rows(named=True):
        medium = "solid waste" if row["medium"] == "solid" else row["medium"]
        found = law[row["pollutant"], medium]
        if row["medium"] == "solid":
            assert row["rate_cny_per_t"] == found["tax_min_cny"] == found["tax_max_cny"]
        else:
            assert row["equivalent_kg"] == found["equivalent_value_kg"]


def test_a_plan_corrects_rates_row_by_row():
    own = pl.DataFrame({"item": ["co2"], "rate": [200.0], "source": ["our policy"]})
    merged = with_user_rows(load_library(), factors={"environment_rates": own}).environment_rates
    assert merged.filter(item="co2").select("rate", "unit", "provenance").row(0) == (200.0, "CNY/t", "user")
    assert merged.height == load_library().environment_rates.height


def test_a_province_without_rate_gets_the_midpoint_and_its_chinese_name_works():
    sites = [{**site, "grid_region": "北方"} if site["site"] == "town" else site for site in PEOPLE]
    named = compile_network(tiny_plan(tiny_library(**FACTORS), sites=sites))
    assert named.factors.pollution_rate[:, 0].tolist() == pytest.approx([1.9] * 4)
    sites = [{**site, "grid_region": "South"} if site["site"] == "town" else site for site in PEOPLE]
    other = compile_network(tiny_plan(tiny_library(**FACTORS), sites=sites))
    assert other.factors.pollution_rate[:, 0].tolist() == pytest.approx([6.6] * 4)


def test_grid_factors_hold_the_last_year_and_say_so():
    plan = cyclopolis.read_plan(cyclopolis.example("liupanshui"))
    later, then = compile_network(plan, 2035), compile_network(plan, 2023)
    assert later.factors.held.all()
    assert not then.factors.held.any()
    assert later.grid_factor.tolist() == then.grid_factor.tolist()


@given(st.floats(0, 20), st.floats(0, 8), st.lists(st.floats(0, 25), min_size=2, max_size=2))
@settings(max_examples=60, deadline=None)
def test_discs_fill_with_reach(distance, radius, reaches):
    shares = [float(disc_share(np.array([distance]), np.array([radius]), reach)[0]) for reach in sorted(reaches)]
    assert 0 <= shares[0] <= shares[1] + 1e-9
    assert shares[1] <= 1 + 1e-9


def test_a_disc_is_shared_as_a_fine_grid_says():
    side = np.linspace(-3, 3, 801)
    x, y = np.meshgrid(side, side)
    inside = x**2 + y**2 <= 9
    grid = ((x - 2.5) ** 2 + y**2 <= 4) & inside
    assert disc_share(np.array([2.5]), np.array([3.0]), 2.0)[0] == pytest.approx(grid.sum() / inside.sum(), rel=5e-3)


def test_residents_count_once():
    assert own_residents(np.array([-1, 0, 0]), np.array([10.0, 4.0, 9.0])).tolist() == [0.0, 4.0, 9.0]
