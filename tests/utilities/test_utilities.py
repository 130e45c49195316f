"""Capacities against demand: sums, straight lines between years, and the order in which things break."""

import polars as pl
import pytest

import cyclopolis
from cyclopolis.infrastructure.utilities import Utilities, serve, service_demand
from cyclopolis.infrastructure.utilities.demand import services
from cyclopolis.library import closure, load_library
from cyclopolis.plan import read_plan

PLAN = 'name = "T"\nbase_year = 2020\nhorizon = [2030]\ncurrency = "CNY"\ndiscount_rate = 0.05\nlanguage = "en"\n'
WORKS = "公用设施,服务,能力,投运年份,停用年份,source\n"
WORKS += "w1,供水,100,,,\nw2,water,50,2026,,\ns1,污水,80,,2027,\nh1,heat,10,,,assumed\n"
OTHERS = "service,year,demand\nwater,2020,10\nwater,2030,30\n"


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("works")
    files = {"sites": "site,kind\nt,city\n", "utilities": WORKS, "utility_demands": OTHERS}
    (folder / "plan.toml").write_text(PLAN)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return read_plan(folder)


def demand(site: str = "", **values) -> pl.DataFrame:
    rows = [
        (service, site, year, value, services()[service].unit, "balance", "computed")
        for service, pairs in values.items()
        for year, value in pairs.items()
    ]
    names = ["service", "site", "year", "demand", "unit", "origin", "provenance"]
    types = dict.fromkeys(names, pl.String) | {"year": pl.Int64, "demand": pl.Float64}
    return pl.DataFrame(rows, schema=types, orient="row")


@pytest.fixture(scope="module")
def answer(plan) -> Utilities:
    asked = demand(
        water={2020: 60.0, 2030: 110.0}, sewage={2020: 40.0, 2030: 40.0}, heat={2020: 5.0, 2030: None},
        electric_power={2020: 7.0}, waste={2020: None},
    )  # fmt: skip
    return serve(plan, asked)


def test_headroom_year_by_year(answer) -> None:
    water = answer.tables["headroom"].filter(service="water")
    assert water["year"].to_list() == list(range(2020, 2031))
    assert water["capacity"].to_list() == [100.0] * 6 + [150.0] * 5
    assert water["demand"].to_list() == pytest.approx([70.0 + 7 * k for k in range(11)])
    assert (water["headroom"] - (water["capacity"] - water["demand"])).abs().max() < 1e-9
    assert water.filter(year=2030)["used_pct"].item() == pytest.approx(140 / 150 * 100)


def test_what_breaks_first(answer) -> None:
    breaks = answer.tables["breaks"]
    assert breaks["service"].to_list()[:2] == ["water", "sewage"]
    water, sewage = breaks.row(0, named=True), breaks.row(1, named=True)
    assert water["breaks_in"] == pytest.approx(2020 + 30 / 7)
    assert water["worst_year"] == 2025
    assert water["short_by"] == pytest.approx(5.0)
    assert sewage["breaks_in"] == 2028.0
    assert sewage["short_by"] == 40.0
    assert breaks["rank"].to_list() == [1, 2, 3, 4, 5]
    heat = breaks.filter(service="heat").row(0, named=True)
    assert heat["breaks_in"] is None
    assert heat["worst_pct"] == 50.0
    assert heat["provenance"] == "assumed"


NESTED = {
    "sites": "site,kind,parent\ncity,city,\neast,district,city\nmill,park,east\nwest,district,city\n",
    "utilities": "utility,site,service,capacity,year,until\nbig,city,water,100,,\nsmall,east,water,30,,\n"
    "own,mill,water,5,,2024\nplant,west,sewage,9,,\n",
    "utility_demands": "service,site,year,demand\nwater,east,2020,10\nwater,,2020,7\nwater,west,2020,1\n",
}


@pytest.fixture(scope="module")
def nested(tmp_path_factory) -> Utilities:
    folder = tmp_path_factory.mktemp("nested")
    (folder / "plan.toml").write_text(PLAN)
    for name, text in NESTED.items():
        (folder / f"{name}.csv").write_text(text)
    asked = [
        demand(water={2020: 40.0, 2030: 60.0}, sewage={2020: 8.0, 2030: 12.0}),
        demand("mill", water={2020: 12.0, 2030: 22.0}),
        demand("east", water={2020: 4.0, 2030: 4.0}),
        demand("west", sewage={2020: 8.0, 2030: None}),
    ]
    return serve(read_plan(folder), pl.concat(asked))


def test_sites_with_works_of_their_own_are_looked_at_by_themselves(nested) -> None:
    table = nested.tables["headroom"].filter(service="water", year=2020)
    # a site counts with all inside it; the city is the whole place and stands once
    assert dict(table.select("scope", "capacity").iter_rows()) == {"": 135.0, "east": 35.0, "mill": 5.0}
    assert dict(table.select("scope", "demand").iter_rows()) == {"": 58.0, "east": 26.0, "mill": 12.0}
    later = nested.tables["headroom"].filter(service="water", year=2030)
    assert dict(later.select("scope", "capacity").iter_rows()) == {"": 130.0, "east": 30.0, "mill": 0.0}


def test_what_breaks_first_names_site_and_year(nested) -> None:
    breaks = nested.tables["breaks"].drop_nulls("breaks_in")
    found = {(row["scope"], row["service"]): row["breaks_in"] for row in breaks.iter_rows(named=True)}
    # the mill lacks water from the start; east when its last works' share is passed: 26 + t > 35, then 30 from 2025
    assert found == {("mill", "water"): 2020.0, ("", "sewage"): pytest.approx(2022.5), ("east", "water"): 2025.0}
    assert nested.tables["breaks"]["rank"].to_list() == list(range(1, nested.tables["breaks"].height + 1))
    west = nested.tables["headroom"].filter(scope="west", service="sewage")
    assert west["demand"][0] == 8.0
    assert ("sewage: west", "no_demand_of_service") in nested.tables["unknowns"].rows()
    said = [line.name.render("en") for line in nested.summary()]
    assert "Water supply, mill breaks in" in said
    assert {trace["name"] for trace in nested.figures("en")["used_at_sites"]["data"]} == {
        "Water supply, east", "Water supply, mill", "Sewage treatment, west",
    }  # fmt: skip


def test_the_unknown_stays_unknown(answer) -> None:
    waste = answer.tables["headroom"].filter(service="waste")
    assert waste["demand"].null_count() == waste.height
    power = answer.tables["headroom"].filter(service="electric_power")
    assert power["headroom"].null_count() == power.height
    found = set(answer.tables["unknowns"].rows())
    assert ("waste", "no_demand_of_service") in found
    assert ("electric_power", "no_capacity_of_service") in found
    assert ("heat", "no_demand_of_service") in found


def test_summary_and_figure(answer, tmp_path) -> None:
    first = answer.summary()[0]
    assert first.name.render("en") == "Water supply breaks in"
    assert first.value == "2025"
    figure = answer.figures("zh")["used"]
    assert {trace["name"] for trace in figure["data"]} == {"供水", "污水处理", "供热"}
    answer.save(tmp_path / "u")
    assert Utilities.load(tmp_path / "u").tables["breaks"].equals(answer.tables["breaks"])


def test_demand_is_what_crosses_the_edge() -> None:
    plan = read_plan(cyclopolis.example("changzhi"))
    result = cyclopolis.balance(plan)
    flows = result.tables["flows"]
    every = service_demand(flows, plan.library.commodities, 2023, "balance")
    found = dict(every.filter(site="").select("service", "demand").iter_rows())
    # what sites ask for adds up to what the place asks for
    sums = every.filter(pl.col("site") != "").group_by("service").agg(pl.col("demand").sum())
    assert dict(sums.iter_rows()) == pytest.approx({name: value for name, value in found.items() if value})
    accounts = dict(result.tables["accounts"].filter(scope_kind="place").select("quantity", "value").iter_rows())
    assert found["water"] == pytest.approx(accounts["water"])
    assert found["electric_power"] == pytest.approx(accounts["power"])
    steam = flows.filter(kind="purchase", commodity="steam_lp")["amount"].sum()
    factor = plan.library.commodities.filter(commodity="steam_lp")["lhv_gj_per_unit"].item()
    assert found["heat"] == pytest.approx(steam * factor)
    assert found["waste"] >= accounts["landfill"]
    sewage = flows.filter(pl.col("commodity").is_in(["sewage"]))["amount"].sum()
    assert found["sewage"] > sewage > 0
    turned = service_demand(flows.reverse(), plan.library.commodities, 2023, "balance")
    assert turned.equals(every)


def test_waste_to_energy_closes() -> None:
    names = ["msw_sorting", "rdf_production", "rdf_power", "rdf_pyrolysis", "msw_incineration"]
    rows = closure(load_library(), names)
    assert rows.height == 5
    assert rows["closed"].all()
    power = load_library().recipes.filter(technology="rdf_power", commodity="electricity")["amount"].item()
    assert 0.2 < power * 3.6 / 15.0 < 0.35
