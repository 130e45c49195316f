"""Detailed accounts: by hand on small parks; on the examples they agree with the accounts and close."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from tiny_park import PLANTS, tiny_plan

from cyclopolis.foundation.columns import read_columns
from cyclopolis.industry import Balance, balance, flows_table
from cyclopolis.industry.metabolism.detailed import ACCOUNTS, details_table, item_names, item_table, movements, scopes

EXAMPLES = ("quickstart", "changzhi", "liupanshui")
ARCS = {"internal", "supply", "exchange", "substitution"}


def test_material_of_the_quickstart_place_by_hand(quickstart):
    of = quickstart.of
    bought = 502_800 + 26_400 + 720 + 390_000 + 25_000 + 45_000 + 22_500 + 20_000
    assert of("material", "imports") == pytest.approx(bought)
    assert of("material", "exports") == pytest.approx(520_000)
    assert of("material", "extraction") == 0.0
    assert of("material", "landfilled") == pytest.approx(21_600 + 43_200 + 100_000)
    assert of("material", "processed_output") == pytest.approx(990_000 + 216 + 180 + 36 + 20)
    assert of("material", "balancing_in") == pytest.approx(864_000)
    assert of("material", "balancing_out") == pytest.approx(228_000 + 3_000)
    assert of("material", "consumption") == pytest.approx(bought - 520_000)
    assert of("material", "secondary_imports") == pytest.approx(25_000 + 45_000)
    assert of("material", "secondary_exports", of="fly_ash") == pytest.approx(20_000)
    assert of("material", "recycled") == 0.0


def test_nobody_said_how_stocks_change(quickstart):
    rows = quickstart.details.filter(item="stock_change")
    assert rows.height == scopes(quickstart.network, quickstart.flows).select("scope_kind", "scope").n_unique()
    assert rows["value"].null_count() == rows.height


def test_energy_and_exergy_of_the_quickstart_place_by_hand(quickstart):
    of = quickstart.of
    assert of("energy", "bought", of="steam_coal") == pytest.approx(502_800 * 20.9)
    assert of("energy", "bought", of="electricity") == pytest.approx(17_000 * 3.6)
    assert of("energy", "sold") == pytest.approx(1_200_000 * 3.6)
    assert of("energy", "wasted", of="heat_lowtemp") == pytest.approx(5_160_000)
    assert of("energy", "made") == pytest.approx(1_200_000 * 3.6 + 5_160_000)
    assert of("exergy", "bought", of="steam_coal") == pytest.approx(502_800 * 20.9 * 1.07)
    assert of("exergy", "wasted") == pytest.approx(5_160_000 * (1 - 298.15 / 353.15))


def test_waste_of_the_quickstart_place_by_class_and_fate(quickstart):
    of = quickstart.of
    assert of("solid_waste", "arising", of="SW02") == pytest.approx(120_000)
    assert of("solid_waste", "landfilled", of="SW02") == pytest.approx(100_000)
    assert of("solid_waste", "sold", of="SW02") == pytest.approx(20_000)
    assert of("solid_waste", "landfilled", of="SW03") == pytest.approx(21_600)
    assert of("hazardous_waste", "arising") == 0.0


def test_an_exchange_is_inside_the_town_and_crosses_the_border_of_the_parks(tiny):
    assert tiny.of("material", "exchanged", "town", "ash") == pytest.approx(400.0)
    assert tiny.of("material", "exports", "park", "ash") == pytest.approx(400.0)
    assert tiny.of("material", "imports", "hill", "ash") == pytest.approx(400.0)
    assert tiny.of("material", "recycled", "town", "ash") == pytest.approx(400.0)
    assert tiny.of("material", "secondary_exports", "park", "ash") == pytest.approx(400.0)
    assert tiny.of("material", "exchanged", "park") == 0.0
    assert tiny.of("solid_waste", "reused_inside", "place") == pytest.approx(400.0)
    assert tiny.of("solid_waste", "given", "grid") == pytest.approx(400.0)


def test_hazardous_waste_is_also_solid_waste(tiny):
    assert tiny.of("hazardous_waste", "treated", of="HW11") == pytest.approx(10.0)
    assert tiny.of("solid_waste", "treated", of="HW11") == pytest.approx(10.0)


def test_a_flow_touches_a_scope_once_whatever_side():
    rows = pl.DataFrame(
        {"kind": ["exchange", "sale", "purchase", "landfill"], "from_plant": ["a", "a", None, "b"]}
        | {"to_plant": ["b", None, "b", None]}
    )
    members = pl.DataFrame({"scope_kind": "site", "scope": ["s", "s", "t"], "plant": ["a", "b", "b"]})
    found = movements(rows, members).select("scope", "row", "movement").rows()
    assert found == [
        ("s", 0, "inside"),
        ("s", 1, "sold"),
        ("s", 2, "bought"),
        ("s", 3, "landfill"),
        ("t", 0, "received"),
        ("t", 2, "bought"),
        ("t", 3, "landfill"),
    ]


@pytest.mark.parametrize("name", EXAMPLES)
def test_parts_sum_to_totals(states, name):
    details = states[name].details
    keys = ["scope_kind", "scope", "account", "item"]
    parts = (
        details.filter(pl.col("of").is_not_null())
        .group_by(keys)
        .agg(pl.col("value").sum(), pl.col("missing").sum(), known=pl.col("value").count())
    )
    both = parts.join(details.filter(pl.col("of").is_null()), on=keys)
    assert both.height > 100
    assert both["missing"].equals(both["missing_right"], check_names=False)
    nothing = both.filter(pl.col("known") == 0)
    assert nothing["value_right"].null_count() == nothing.height
    both = both.filter(pl.col("known") > 0)
    assert both["value"].to_numpy() == pytest.approx(both["value_right"].to_numpy(), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(
    ("quantity", "account", "items", "of"),
    [
        ("water", "water", ["taken"], "freshwater"),
        ("energy", "energy", ["bought"], None),
        ("so2", "emissions", ["released"], "so2"),
        ("nox", "emissions", ["released"], "nox"),
        ("cod", "emissions", ["released"], "cod"),
        ("nh3n", "emissions", ["released"], "nh3n"),
        ("solid_waste", "solid_waste", ["arising"], None),
        ("waste_reused", "solid_waste", ["reused_inside", "given", "sold"], None),
        ("landfill", "material", ["landfilled"], None),
        ("unaccounted", "material", ["unaccounted"], None),
        ("co2_power", "carbon", ["power_bought"], None),
        ("sales", "money", ["sales"], None),
        ("purchases", "money", ["purchases"], None),
        ("disposal", "money", ["disposal"], None),
        ("operation", "money", ["operation"], None),
        ("gain", "money", ["gain"], None),
        ("jobs", "jobs", ["jobs"], None),
    ],
)
def test_details_agree_with_the_accounts(states, name, quantity, account, items, of):
    state = states[name]
    wanted = state.details.filter(
        (pl.col("account") == account)
        & pl.col("item").is_in(items)
        & pl.col("of").eq_missing(pl.lit(of, dtype=pl.String))
    )
    summed = wanted.group_by("scope_kind", "scope").agg(pl.col("value").sum())
    accounts = state.accounts.filter((pl.col("quantity") == quantity) & (pl.col("scope_kind") != "plant"))
    both = accounts.join(summed, on=["scope_kind", "scope"], how="left").with_columns(
        pl.col("value_right").fill_null(0.0)
    )
    largest = both["value"].abs().max()
    assert both["value"].to_numpy() == pytest.approx(
        both["value_right"].to_numpy(), rel=1e-9, abs=1e-6 * largest + 1e-6
    )


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(
    ("account", "into", "out"),
    [
        (
            "energy",
            ["extracted", "bought", "received", "made", "no_source"],
            ["used", "sold", "given", "wasted", "no_way_out"],
        ),
        (
            "exergy",
            ["extracted", "bought", "received", "made", "no_source"],
            ["used", "sold", "given", "wasted", "no_way_out"],
        ),
        (
            "solid_waste",
            ["arising"],
            ["reused_inside", "given", "sold", "landfilled", "treated", "released", "no_way_out"],
        ),
    ],
)
def test_what_comes_goes(states, name, account, into, out):
    rows = states[name].details.filter((pl.col("account") == account) & pl.col("of").is_null())
    sign = pl.when(pl.col("item").is_in(into)).then(1.0).when(pl.col("item").is_in(out)).then(-1.0)
    found = (
        rows.with_columns(signed=sign * pl.col("value"))
        .group_by("scope_kind", "scope")
        .agg(left=pl.col("signed").sum(), size=pl.col("value").abs().max())
    )
    assert set(into + out) <= set(rows["item"])
    assert (found["left"].abs() <= 1e-9 * found["size"] + 1e-9).all()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_order_of_flows_changes_nothing(states, name):
    state = states[name]
    mixed = state.rows.sample(fraction=1.0, shuffle=True, seed=3)
    again = details_table(state.network, state.flows, mixed, state.plan.library.emission_factors)
    assert again.drop("value").equals(state.details.drop("value"))
    assert again["value"].fill_null(-1).to_numpy() == pytest.approx(state.details["value"].fill_null(-1).to_numpy())


def test_two_runs_give_the_same(states):
    state = states["changzhi"]
    again = details_table(state.network, state.flows, state.rows, state.plan.library.emission_factors)
    assert again.equals(state.details)


def test_nothing_is_made_twice(states):
    keys = ["scope_kind", "scope", "account", "item", "of"]
    assert not states["changzhi"].details.select(keys).is_duplicated().any()


def test_a_plan_without_plants_has_no_details(make):
    state = make(tiny_plan(plants=[], exchanges=[], enterprises=[]))
    assert state.details.is_empty()
    assert state.circularity.is_empty()


def test_a_plant_of_unknown_activity_is_counted_and_leaves_nothing_known(make):
    idle = [{**PLANTS[2], "activity": None}, *PLANTS[:2]]
    state = make(tiny_plan(plants=idle))
    lot = state.details.filter((pl.col("scope") == "lot") & pl.col("of").is_null())
    assert lot["value"].null_count() == lot.height
    assert lot["missing"].to_list() == [1] * lot.height
    assert state.of("material", "imports", "hill") > 0


def test_an_unknown_mass_is_counted_as_missing(make):
    state = make(tiny_plan())
    blank = state.rows.with_columns(
        mass_t=pl.when(pl.col("commodity") == "coal").then(None).otherwise(pl.col("mass_t"))
    )
    found = details_table(state.network, state.flows, blank, state.plan.library.emission_factors)
    row = found.filter((pl.col("scope") == "place") & (pl.col("account") == "material") & (pl.col("item") == "imports"))
    assert row.filter(pl.col("of").is_null())["missing"].item() == 1
    coal = row.filter(of="coal")
    assert coal["value"].item() is None


def test_provenance_is_that_of_the_weakest_part(tiny):
    row = tiny.details.filter(scope="place", account="energy", item="bought", of="coal")
    assert row["provenance"].item() in {"user", "seen", "memory"}
    assert (
        tiny.details.filter(scope="lot", account="material", item="imports", of="clay")["provenance"].item()
        == "assumed"
    )
    total = tiny.details.filter((pl.col("scope") == "place") & (pl.col("item") == "imports") & pl.col("of").is_null())
    assert total["provenance"].item() == "assumed"


def test_a_new_plant_counts_once_it_is_built(states):
    state = states["quickstart"]
    at = state.network.plant_ids.index("bricks")
    built = np.zeros(len(state.network.plant_ids))
    built[at] = 1.0
    activity = state.flows.activity.copy()
    activity[at] = 1000.0
    after = replace(state.flows, built=built, activity=activity)
    rows = flows_table(state.network, after, base=False)
    found = details_table(state.network, after, rows, state.plan.library.emission_factors)
    assert "brick_co" not in state.details["scope"].to_list()
    assert found.filter(scope="brick_co", item="no_source", account="material")["value"].max() > 0


def test_items_have_names_units_and_no_doubles():
    table = item_table()
    assert set(table["account"]) <= set(ACCOUNTS)
    assert set(table["sign"]) == {1, -1}
    assert not table.select("account", "class", "item", "movement").is_duplicated().any()
    names = item_names()
    assert names.null_count().sum_horizontal().item() == 0
    assert names.filter(account="water", item="reused")["name_zh"].item() == "水：内部装置间利用"


def test_every_movement_of_a_material_counts_in_the_difference_of_in_and_out():
    rows = item_table().filter(account="material", item="unaccounted")
    moves = set(item_table()["movement"])
    assert set(rows.filter(pl.col("class") == "material")["movement"]) == moves - {"inside"}


def test_the_balance_holds_the_tables_as_documented():
    result = balance(tiny_plan())
    columns = read_columns(Balance.columns_package)
    for name in ("details", "circularity"):
        assert result.tables[name].columns == [column.name for column in columns[name]]
        for column in columns[name]:
            assert result.tables[name][column.name].dtype == column.dtype, column.name
            if column.required:
                assert result.tables[name][column.name].null_count() == 0, column.name
            if column.choices:
                assert set(result.tables[name][column.name].drop_nulls()) <= set(column.choices)
