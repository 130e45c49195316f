"""Circularity of every scope: by hand on small parks, oracles of networks, nothing flows, nothing known."""

import numpy as np
import polars as pl
import pytest
from tiny_park import EXCHANGES, PLANTS, tiny_plan

from cyclopolis.foundation.text import LANGUAGES, say
from cyclopolis.industry.metabolism import circularity_table as tables
from cyclopolis.industry.metabolism.circularity_table import REASONS, circularity_table, mass_network, measure_table
from cyclopolis.industry.metabolism.cycling import cycling
from cyclopolis.industry.metabolism.detailed import scopes

SHAPE = ("actors", "links", "cyclicity", "connectance", "linkage_density", "largest_strong")


def rows_of(*flows):
    """Return a table of flows from tuples kind, from, to, mass."""
    kind, giver, taker, mass = zip(*flows, strict=True)
    return pl.DataFrame(
        {"kind": kind, "from_plant": giver, "to_plant": taker, "commodity": ["stuff"] * len(flows), "mass_t": mass},
        schema_overrides={"from_plant": pl.String, "to_plant": pl.String},
    )


def measured(rows, *plants):
    members = pl.DataFrame({"scope_kind": "place", "scope": "place", "plant": plants})
    details = pl.DataFrame(
        {"scope_kind": ["place"], "scope": ["place"], "account": ["material"], "item": ["input"], "of": [None]}
        | {"value": [1.0], "missing": [0]},
        schema_overrides={"of": pl.String},
    )
    goods = pl.DataFrame({"commodity": ["stuff"], "kind": ["material"]})
    found = circularity_table(rows, details, members, goods)
    return {row["measure"]: (row["value"], row["missing"]) for row in found.iter_rows(named=True)}


def test_the_quickstart_by_hand(quickstart):
    bought = 502_800 + 26_400 + 720 + 390_000 + 25_000 + 45_000 + 22_500 + 20_000
    consumed = bought - 520_000
    assert quickstart.measure("circular_material_use") == pytest.approx(100 * 20_000 / (consumed + 20_000))
    assert quickstart.measure("waste_reuse_rate") == pytest.approx(100 * 20_000 / 184_800)
    assert quickstart.measure("recycled_content") == pytest.approx(100 * 70_000 / bought)
    assert quickstart.measure("recycled_outflow") == pytest.approx(100 * 20_000 / (520_000 + 164_800))
    assert quickstart.measure("resource_productivity") == pytest.approx((585.1e6 - 467.3285e6 - 4.012e6) / consumed)
    assert quickstart.measure("material_productivity") == pytest.approx(585.1e6 / (bought - 70_000))
    assert quickstart.measure("renewable_content") == 0.0
    assert quickstart.measure("water_reuse") == 1.0


def test_without_an_exchange_the_shape_is_zero_and_nothing_cycles(quickstart):
    assert {name: quickstart.measure(name) for name in SHAPE} == dict.fromkeys(SHAPE, 0.0)
    assert quickstart.measure("finn_cycling_index") == 0.0
    assert quickstart.measure("path_length") == pytest.approx(1.0)


def test_recycling_inside_counts_in_the_rate_and_not_as_recycled_content(make):
    state = make(tiny_plan(exchanges=[{**EXCHANGES[0], "amount": 400.0}]))
    inside, sent = state.of("material", "recycled"), state.of("material", "secondary_exports")
    assert inside == pytest.approx(400.0)
    consumed = state.of("material", "consumption")
    assert state.measure("circular_material_use") == pytest.approx(100 * (inside + sent) / (consumed + inside + sent))


def test_one_exchange_is_one_link(tiny):
    assert tiny.measure("links") == 1.0
    assert tiny.measure("actors") == 2.0
    assert tiny.measure("connectance") == pytest.approx(0.5)
    assert tiny.measure("linkage_density") == pytest.approx(0.5)
    assert tiny.measure("cyclicity") == 0.0
    assert tiny.measure("links", "park") == 0.0


def test_two_plants_that_feed_each_other():
    rows = rows_of(
        ("purchase", None, "a", 1.0),
        ("exchange", "a", "b", 2.0),
        ("exchange", "b", "a", 1.0),
        ("landfill", "b", None, 1.0),
    )
    found = measured(rows, "a", "b")
    assert found["throughflow"] == (4.0, None)
    assert found["path_length"] == (4.0, None)
    assert found["finn_cycling_index"][0] == pytest.approx(0.5)
    assert found["cyclicity"][0] == pytest.approx(1.0)
    assert found["largest_strong"][0] == 2.0
    assert found["connectance"][0] == 1.0


def test_the_information_of_a_straight_chain_is_all_order():
    found = measured(
        rows_of(("purchase", None, "a", 5.0), ("exchange", "a", "b", 5.0), ("sale", "b", None, 5.0)), "a", "b"
    )
    assert found["ascendency_share"][0] == pytest.approx(1.0)
    assert found["ascendency"][0] == pytest.approx(15 * np.log2(3))
    assert found["development_capacity"][0] == pytest.approx(15 * np.log2(3))


def test_plants_that_only_feed_each_other_are_told_not_computed():
    found = measured(rows_of(("exchange", "a", "b", 1.0), ("exchange", "b", "a", 1.0)), "a", "b")
    assert found["finn_cycling_index"] == (None, "endless_cycle")
    assert found["cyclicity"][0] == pytest.approx(1.0)


def test_too_many_plants_are_told_not_computed(monkeypatch):
    monkeypatch.setattr(tables, "LARGEST", 2)
    found = measured(rows_of(("exchange", "a", "b", 1.0), ("sale", "b", None, 1.0)), "a", "b")
    assert found["finn_cycling_index"] == (None, "too_large")
    assert found["links"][0] == 1.0


def test_flows_without_mass_leave_the_cycling_empty():
    found = measured(
        rows_of(("exchange", "a", "b", None), ("exchange", "b", "a", None)).cast({"mass_t": pl.Float64}), "a", "b"
    )
    assert found["throughflow"] == (None, "nothing_flows")
    assert found["links"][0] == 2.0


def test_a_mass_network_balances_at_every_plant():
    rng = np.random.default_rng(5)
    names = list("abcdef")
    flows = [("exchange", *rng.choice(names, 2, replace=False).tolist(), float(rng.uniform(1, 9))) for _ in range(20)]
    flows += [("purchase", None, name, float(rng.uniform(1, 9))) for name in names[:3]]
    flows += [("sale", name, None, float(rng.uniform(1, 9))) for name in names[2:]]
    kinds = {"exchange": "inside", "purchase": "bought", "sale": "sold"}
    moves = rows_of(*flows).with_columns(movement=pl.col("kind").replace_strict(kinds))
    net = mass_network(moves)
    into, out = net.flows.sum(axis=0) + net.inputs, net.flows.sum(axis=1) + net.losses + net.exports
    assert into == pytest.approx(out)
    assert net.flows.sum() == pytest.approx(sum(flow[3] for flow in flows if flow[0] == "exchange"))
    found = cycling(net.flows, net.inputs, net.losses, net.exports)
    assert 0.0 <= found.finn_cycling_index < 1.0
    assert found.ascendency <= found.capacity


def test_what_the_plan_cannot_tell_is_null_with_its_reason(tiny):
    rows = tiny.circularity.filter(pl.col("value").is_null() & (pl.col("scope") == "place"))
    found = dict(rows.select("measure", "missing").iter_rows())
    assert found["reused_content"] == "reuse"
    assert found["renewable_energy"] == "renewable_share"
    assert found["lifetime_ratio"] == "lifetimes"
    assert rows["missing"].null_count() == 0


def test_grown_matter_leaves_the_renewable_content_unknown(tiny):
    details = tiny.details.with_columns(
        value=pl.when((pl.col("item") == "biogenic_input") & pl.col("of").is_null())
        .then(5.0)
        .otherwise(pl.col("value"))
    )
    members = scopes(tiny.network, tiny.flows)
    found = circularity_table(tiny.rows, details, members, tiny.network.commodities)
    row = found.filter(scope="place", measure="renewable_content").row(0, named=True)
    assert (row["value"], row["missing"]) == (None, "sustainability")


def test_an_unknown_part_is_told_beside_the_value(make):
    state = make(tiny_plan(plants=[{**PLANTS[2], "activity": None}, *PLANTS[:2]]))
    row = state.circularity.filter(scope="place", measure="waste_reuse_rate").row(0, named=True)
    assert row["missing"] == "incomplete"
    assert row["value"] == pytest.approx(40.0)


@pytest.mark.parametrize("name", ["quickstart", "changzhi", "liupanshui"])
def test_measures_keep_within_their_bounds(states, name):
    table = states[name].circularity
    assert table.height == table.select("scope_kind", "scope").n_unique() * measure_table().height
    shares = table.filter(pl.col("unit") == "%")["value"].drop_nulls()
    assert shares.min() >= 0.0
    wanted = pl.col("measure").is_in(["finn_cycling_index", "ascendency_share", "connectance"])
    unit = table.filter(wanted)["value"].drop_nulls()
    assert unit.min() >= 0.0
    assert unit.max() <= 1.0 + 1e-9
    assert (table.filter(measure="path_length")["value"].drop_nulls() >= 1.0 - 1e-9).all()


def test_the_order_of_flows_changes_nothing(states):
    state = states["changzhi"]
    mixed = state.rows.sample(fraction=1.0, shuffle=True, seed=2)
    again = circularity_table(mixed, state.details, scopes(state.network, state.flows), state.network.commodities)
    assert again.drop("value").equals(state.circularity.drop("value"))
    first, second = (table["value"].fill_null(-1.0).to_numpy() for table in (state.circularity, again))
    assert first == pytest.approx(second, rel=1e-9, abs=1e-9)


def test_every_measure_and_reason_has_words_in_both_languages(states):
    table = states["changzhi"].circularity
    assert table.select("name", "name_zh", "source").null_count().sum_horizontal().item() == 0
    noted = table.filter(pl.col("missing").is_not_null())
    assert noted.select("note", "note_zh").null_count().sum_horizontal().item() == 0
    assert all(say(f"circularity.missing.{reason}", language) for reason in REASONS for language in LANGUAGES)
