"""The bundled plans pass the door, every scenario too, and what they name exists in the network."""

import tomllib
from collections import defaultdict

import numpy as np
import polars as pl
import pytest
from example_tables import DESIGNED

from cyclopolis.examples import example, examples
from cyclopolis.network import compile_network
from cyclopolis.network.model import BUY, SELL
from cyclopolis.network.operate import best_flows
from cyclopolis.plan import Plan, check_plan, read_plan

SCENARIOS = [(name, path.stem) for name in examples() for path in sorted((example(name) / "scenarios").glob("*.toml"))]


@pytest.fixture(scope="module", params=DESIGNED)
def plan(request: pytest.FixtureRequest) -> Plan:
    return read_plan(example(request.param))


@pytest.mark.parametrize("name", examples())
def test_check_finds_no_error(name: str) -> None:
    assert [problem.render("en") for problem in check_plan(example(name)) if problem.severity == "error"] == []


@pytest.mark.parametrize(("name", "scenario"), SCENARIOS)
def test_each_scenario_changes_what_it_says(name: str, scenario: str) -> None:
    before, after = read_plan(example(name)), read_plan(example(name), [scenario])
    changed = {table for table in before.tables if not before.tables[table].equals(after.tables[table])}
    text = (example(name) / "scenarios" / f"{scenario}.toml").read_text(encoding="utf-8")
    assert changed == {change["table"] for change in tomllib.loads(text)["change"]}


def test_every_proposed_exchange_has_an_arc(plan: Plan) -> None:
    network = compile_network(plan, max(plan.meta.horizon), candidates=True)
    ports, arcs = network.ports, network.arcs
    known = {
        (
            network.plant_ids[ports.plant[giver]],
            network.plant_ids[ports.plant[taker]],
            network.commodity_ids[ports.commodity[giver]],
            network.commodity_ids[ports.commodity[taker]],
        )
        for giver, taker in zip(arcs.giver, arcs.taker, strict=True)
    }
    for row in plan.tables["exchanges"].iter_rows(named=True):
        displaced = row["as_commodity"] or row["commodity"]
        assert (row["from_plant"], row["to_plant"], row["commodity"], displaced) in known


def test_every_output_has_somewhere_to_go_and_every_input_comes_from_somewhere(plan: Plan) -> None:
    network = compile_network(plan)
    ports = network.ports
    emission = network.commodities["kind"].to_numpy() == "emission"
    selling = {
        int(network.trades.port[i]) for i in np.flatnonzero(network.markets.direction[network.trades.market] == SELL)
    }
    buying = {
        int(network.trades.port[i]) for i in np.flatnonzero(network.markets.direction[network.trades.market] == BUY)
    }
    fated, given, taken = (
        {int(port) for port in array} for array in (network.fates.port, network.arcs.giver, network.arcs.taker)
    )
    for port in range(len(ports.plant)):
        if ports.natural[port] or emission[ports.commodity[port]]:
            continue
        label = f"{network.plant_ids[ports.plant[port]]} {network.commodity_ids[ports.commodity[port]]}"
        places = selling | fated | given if ports.coefficient[port] > 0 else buying | taken
        assert port in places, label


def test_air_limits_hold_in_the_base_year_by_recipe(plan: Plan) -> None:
    """Emissions by recipe times activity; water, too, as if every plant bought all its fresh water."""
    recipes = plan.library.recipes
    existing = plan.tables["plants"].filter(pl.col("status") == "existing")
    amounts = existing.join(recipes, on="technology").with_columns(total=pl.col("amount") * pl.col("activity"))
    parent = dict(zip(*(plan.tables["sites"][column].to_list() for column in ("site", "parent")), strict=True))
    home = dict(zip(*(plan.tables["enterprises"][column].to_list() for column in ("enterprise", "site")), strict=True))
    wanted = {"water": ("freshwater", "in"), "so2": ("so2", "out"), "nox": ("nox", "out")}
    total: dict[tuple[str, str], float] = defaultdict(float)
    for row in amounts.iter_rows(named=True):
        site: str | None = row["site"] or home[row["enterprise"]]
        while site is not None:
            for quantity, (commodity, direction) in wanted.items():
                if row["commodity"] == commodity and row["direction"] == direction:
                    total[site, quantity] += row["total"]
            site = parent[site]
    checked = 0
    for row in plan.tables["limits"].iter_rows(named=True):
        if row["quantity"] in wanted and (row["year"] is None or row["year"] <= plan.meta.base_year):
            assert 0 < total[row["scope"], row["quantity"]] <= row["max"], (row["scope"], row["quantity"])
            checked += 1
    assert checked


def test_plants_can_run_as_in_the_base_year_with_exchanges(plan: Plan) -> None:
    """The best flows at base-year activity exist: no market is too small and no cap starves a recipe."""
    network = compile_network(plan)
    activity = np.nan_to_num(network.plants.activity)
    flows = best_flows(network, activity, activity)
    free = np.zeros(network.ports.plant.size)
    for array, ports, sign in (
        (flows.arc, network.arcs.giver, -1.0),
        (flows.arc * network.arcs.ratio, network.arcs.taker, 1.0),
        (flows.fate, network.fates.port, -1.0),
        (flows.trade, network.trades.port, np.where(network.ports.coefficient[network.trades.port] > 0, -1.0, 1.0)),
    ):
        free += np.bincount(ports, weights=sign * array, minlength=free.size)
    wanted = -network.ports.coefficient * flows.activity[network.ports.plant]
    bound = ~network.ports.natural
    assert free[bound] == pytest.approx(wanted[bound], rel=1e-6, abs=1e-3)


def test_no_cap_starves_a_recipe() -> None:
    """Coking wastewater: 1.35 m3 make 1 m3 of reclaimed water, though the match says 100 % of the product."""
    network = compile_network(read_plan(example("changzhi")))
    taker = network.plant_ids.index("coke_ww_a")
    own = np.flatnonzero(network.ports.plant[network.arcs.taker] == taker)
    group = network.arcs.cap_group[own]
    assert network.arcs.cap_share[group[group >= 0]].min() >= 1.35
