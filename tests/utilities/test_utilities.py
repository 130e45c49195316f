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


def demand(**values) -> pl.DataFrame:
    rows = [
        (service, year, value, services()[service].unit, "balance", "computed")
        for service, pairs in values.items()
        for year, value in pairs.items()
    ]
    names = ["service", "year", "demand", "unit", "origin", "provenance"]
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
    found = dict(
        service_demand(flows, plan.library.commodities, 2023, "balance").select("service", "demand").iter_rows()
    )
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
    assert dict(turned.select("service", "demand").iter_rows()) == pytest.approx(found)


def test_waste_to_energy_closes() -> None:
    names = ["msw_sorting", "rdf_production", "rdf_power", "rdf_pyrolysis", "msw_incineration"]
    rows = closure(load_library(), names)
    assert rows.height == 5
    assert rows["closed"].all()
    power = load_library().recipes.filter(technology="rdf_power", commodity="electricity")["amount"].item()
    assert 0.2 < power * 3.6 / 15.0 < 0.35
