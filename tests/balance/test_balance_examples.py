"""The bundled examples balance: every port adds up from the flow table alone, and the parts sum to the whole."""

import polars as pl
import pytest

import cyclopolis
from cyclopolis.industry import Balance, balance
from cyclopolis.industry.metabolism.balance import chain_names

EXAMPLES = ("quickstart", "changzhi", "liupanshui")


@pytest.fixture(scope="module", params=EXAMPLES)
def solved(request) -> Balance:
    return balance(cyclopolis.read_plan(cyclopolis.example(request.param)))


_WAYS = (("out", 1), ("in", -1))


def by_port(flows: pl.DataFrame) -> pl.DataFrame:
    """Add up the flows at each plant, commodity and direction; at the taker what replaces another is left out.

    What goes into store is given by an output, and not used by an input that took it in.
    """
    stored = flows.filter(pl.col("kind") == "stock").select(
        "commodity",
        plant=pl.coalesce("from_plant", "to_plant"),
        amount=pl.when(pl.col("from_plant").is_not_null()).then("amount").otherwise(-pl.col("amount")),
    )
    held = [
        stored.with_columns(pl.col("amount") * sign, direction=pl.lit(way)) for way, sign in (("out", 1), ("in", -1))
    ]
    flows = flows.filter(pl.col("kind") != "stock")
    out = flows.filter(pl.col("from_plant").is_not_null()).select(
        "commodity", "amount", plant="from_plant", direction=pl.lit("out")
    )
    into = flows.filter(pl.col("to_plant").is_not_null() & pl.col("as_commodity").is_null()).select(
        "commodity", "amount", plant="to_plant", direction=pl.lit("in")
    )
    rows = pl.concat([out, into.select(out.columns), *(part.select(out.columns) for part in held)])
    return rows.group_by("plant", "commodity", "direction").agg(pl.col("amount").sum())


def test_every_port_is_the_sum_of_its_flows(solved):
    flows, ports = solved.tables["flows"], solved.tables["ports"].filter(pl.col("amount") > 0)
    replaced = flows.filter(pl.col("as_commodity").is_not_null()).select(plant="to_plant", commodity="as_commodity")
    together = ports.join(by_port(flows), on=["plant", "commodity", "direction"], how="left", suffix="_flows")
    together = together.join(replaced, on=["plant", "commodity"], how="anti")
    wrong = together.filter((pl.col("amount_flows").fill_null(0.0) - pl.col("amount")).abs() > 1e-6 * pl.col("amount"))
    assert wrong.is_empty(), wrong


@pytest.mark.parametrize("kind", ["chain", "plant"])
def test_the_parts_sum_to_the_place(solved, kind):
    accounts = solved.tables["accounts"]
    place = accounts.filter(pl.col("scope_kind") == "place").select("quantity", "value")
    parts = accounts.filter(pl.col("scope_kind") == kind).group_by("quantity").agg(part=pl.col("value").sum())
    both = place.join(parts, on="quantity")
    assert both.height == place.height
    for _, whole, part in both.rows():
        assert part == pytest.approx(whole, rel=1e-9, abs=1e-6)


def test_top_places_sum_to_the_place(solved):
    accounts = solved.tables["accounts"]
    sites = accounts.filter((pl.col("scope_kind") == "site") & (pl.col("quantity") == "mass_in"))
    place = accounts.filter((pl.col("scope_kind") == "place") & (pl.col("quantity") == "mass_in"))["value"].item()
    assert sites["value"].max() == pytest.approx(place)  # one city holds all


def test_money_of_the_flow_table_is_the_money_of_the_accounts(solved):
    flows = solved.tables["flows"]
    place = solved.tables["accounts"].filter(pl.col("scope_kind") == "place")
    value = dict(place.select("quantity", "value").rows())
    kinds = {"sale": value["sales"], "purchase": -value["purchases"]}
    for kind, expected in kinds.items():
        assert flows.filter(pl.col("kind") == kind)["money_cny"].sum() == pytest.approx(expected)
    ways = ("emit", "vent", "flare", "discharge", "treat", "landfill")
    assert -flows.filter(pl.col("kind").is_in(ways))["money_cny"].sum() == pytest.approx(value["disposal"])


def test_waste_that_arises_goes_somewhere(solved):
    place = solved.tables["accounts"].filter(pl.col("scope_kind") == "place")
    value = dict(place.select("quantity", "value").rows())
    assert value["waste_reused"] + value["landfill"] <= value["solid_waste"] * (1 + 1e-9)


def test_fresh_water_and_power_of_the_flow_table(solved):
    bought = solved.tables["flows"].filter(pl.col("kind") == "purchase")
    place = solved.tables["accounts"].filter(pl.col("scope_kind") == "place")
    value = dict(place.select("quantity", "value").rows())
    assert bought.filter(pl.col("commodity") == "freshwater")["amount"].sum() == pytest.approx(value["water"])
    assert bought.filter(pl.col("commodity") == "electricity")["amount"].sum() == pytest.approx(value["power"])


def test_every_flow_and_port_has_a_provenance(solved):
    for name in ("flows", "ports", "prices"):
        assert solved.tables[name]["provenance"].null_count() == 0


def test_nothing_is_negative_and_nothing_is_not_a_number(solved):
    for name in ("flows", "ports"):
        amounts = solved.tables[name]["amount"].drop_nulls()
        assert (amounts >= 0).all()
        assert amounts.is_finite().all()
    assert solved.tables["accounts"]["value"].drop_nulls().is_finite().all()


def test_every_chain_of_the_library_has_a_name_in_both_languages():
    for chain in cyclopolis.load_library().technologies["chain"].drop_nulls().unique().to_list():
        assert all(chain_names(chain)), chain


def test_a_chain_of_the_users_own_keeps_its_name():
    assert chain_names("our chain") == (None, None)
