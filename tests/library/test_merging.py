"""The user's rows lie over the library's: they win where filled, and touch nothing else."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.library import Library, load_library, with_user_rows

LIBRARY = load_library()


def commodity(**cells) -> pl.DataFrame:
    return pl.DataFrame({"source": ["ours"], **{key: [value] for key, value in cells.items()}})


NEW = {"commodity": "odd", "name": "Odd", "name_zh": "怪", "kind": "material", "unit": "t", "state": "solid"}


def test_nothing_given_changes_nothing() -> None:
    merged = with_user_rows(LIBRARY, commodities=pl.DataFrame({"commodity": []}))
    for name, table in LIBRARY.tables().items():
        assert merged.tables()[name].equals(table), name


def test_loading_is_done_once() -> None:
    assert load_library() is load_library()


def test_a_correction_wins_and_the_rest_stays() -> None:
    merged = with_user_rows(LIBRARY, commodities=commodity(commodity="fly_ash", price_high=55.0))
    before = LIBRARY.commodities.filter(commodity="fly_ash").row(0, named=True)
    after = merged.commodities.filter(commodity="fly_ash").row(0, named=True)
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"price_high", "provenance", "source"}
    assert (after["price_high"], after["provenance"], after["source"]) == (55.0, "user", "ours")
    others = pl.col("commodity") != "fly_ash"
    assert merged.commodities.filter(others).equals(LIBRARY.commodities.filter(others))
    assert merged.commodities["commodity"].equals(LIBRARY.commodities["commodity"])


def test_a_new_commodity_is_added_with_plain_marks() -> None:
    merged = with_user_rows(LIBRARY, commodities=commodity(**NEW))
    row = merged.commodities.tail(1).row(0, named=True)
    assert (row["commodity"], row["hazard"], row["natural"], row["provenance"]) == ("odd", False, False, "user")
    assert row["price_low"] is None
    assert merged.fates.filter(commodity="odd").is_empty()


@pytest.mark.parametrize(
    ("cells", "fate"),
    [
        ({"disposal_cost": 7.0}, "landfill"),
        ({"disposal_cost": 7.0, "hazard": True}, "treat"),
        ({"disposal_cost": 7.0, "kind": "water", "state": "liquid"}, "treat"),
        ({"disposal_cost": 7.0, "state": "gas"}, "treat"),
        ({"disposal_cost": 7.0, "state": "sludge"}, "landfill"),
        ({"kind": "emission", "state": "gas"}, "emit"),
    ],
)
def test_a_disposal_cost_gives_a_fate(cells, fate: str) -> None:
    merged = with_user_rows(LIBRARY, commodities=commodity(**(NEW | cells)))
    row = merged.fates.filter(commodity="odd").row(0, named=True)
    assert (row["fate"], row["cost"], row["provenance"]) == (fate, cells.get("disposal_cost", 0.0), "user")
    assert merged.fates.height == LIBRARY.fates.height + 1


def test_a_corrected_disposal_cost_keeps_the_fate() -> None:
    merged = with_user_rows(LIBRARY, commodities=commodity(commodity="tar_residue", disposal_cost=3000.0))
    row = merged.fates.filter(commodity="tar_residue").row(0, named=True)
    before = LIBRARY.fates.filter(commodity="tar_residue").row(0, named=True)
    assert (row["fate"], row["cost"], row["co2_t_per_unit"]) == ("treat", 3000.0, before["co2_t_per_unit"])
    assert merged.fates.height == LIBRARY.fates.height


def test_recipes_are_replaced_commodity_by_commodity() -> None:
    rows = pl.DataFrame(
        {
            "technology": ["lime_kiln", "lime_kiln"],
            "commodity": ["limestone", "steam_coal"],
            "direction": ["in", "in"],
            "amount": [1.9, 0.15],
            "source": ["measured", "measured"],
        }
    )
    merged = with_user_rows(LIBRARY, recipes=rows)
    mine = merged.recipes.filter(technology="lime_kiln")
    stone = mine.filter(commodity="limestone").row(0, named=True)
    assert (stone["amount"], stone["role"], stone["unit"], stone["provenance"]) == (1.9, "feedstock", "t", "user")
    assert (stone["low"], stone["high"]) == (None, None), "the library's range is not the user's"
    assert mine.height == LIBRARY.recipes.filter(technology="lime_kiln").height + 1
    kept = ~((pl.col("technology") == "lime_kiln") & pl.col("commodity").is_in(["limestone", "steam_coal"]))
    assert merged.recipes.filter(kept).equals(LIBRARY.recipes.filter(kept))


def test_a_recipe_row_turned_round_leaves_no_other_side() -> None:
    rows = commodity(technology="whr_power", commodity="heat_lowtemp", direction="in", amount=1.0)
    mine = with_user_rows(LIBRARY, recipes=rows).recipes.filter(technology="whr_power", commodity="heat_lowtemp")
    assert mine["direction"].to_list() == ["in"]


def test_kinds_are_found_anew() -> None:
    before = LIBRARY.substitutions.filter(commodity="waste_tyre", technology="clinker")["kind"].item()
    rows = commodity(technology="clinker", commodity="waste_tyre", direction="in", amount=0.01)
    merged = with_user_rows(LIBRARY, recipes=rows)
    after = merged.substitutions.filter(commodity="waste_tyre", technology="clinker")["kind"].item()
    assert (before, after) == ("substitution", "use")


def test_a_new_chain_of_the_user_is_complete() -> None:
    merged = with_user_rows(
        LIBRARY,
        commodities=commodity(**NEW),
        technologies=commodity(technology="make_odd", name="Make odd", name_zh="制怪", main_commodity="odd"),
        recipes=commodity(technology="make_odd", commodity="odd", direction="out", role="main", amount=1.0),
        substitutions=commodity(commodity="fly_ash", technology="make_odd", displaced="sand", ratio=1.0),
        transport=commodity(mode="truck", cost_per_t_km=0.5),
    )
    head = merged.technologies.filter(technology="make_odd").row(0, named=True)
    assert (head["unit"], head["main_direction"], head["capex"], head["economics_provenance"]) == (
        "t",
        "out",
        None,
        None,
    )
    assert merged.recipes.filter(technology="make_odd")["unit"].to_list() == ["t"]
    assert merged.substitutions.tail(1).row(0, named=True)["kind"] == "substitution"
    truck = merged.transport.filter(mode="truck").row(0, named=True)
    assert (truck["cost_per_t_km"], truck["reach_km"], truck["provenance"]) == (0.5, 300.0, "user")


def test_own_economics_are_marked_as_the_users() -> None:
    merged = with_user_rows(LIBRARY, technologies=commodity(technology="lime_kiln", capex=99.0))
    head = merged.technologies.filter(technology="lime_kiln").row(0, named=True)
    assert (head["capex"], head["economics_provenance"], head["economics_source"]) == (99.0, "user", "ours")
    assert head["gbt_provenance"] == "memory"


def test_a_substitution_is_corrected_in_place() -> None:
    rows = commodity(commodity="fly_ash", technology="clinker", displaced="clay_shale", ratio=0.9)
    merged = with_user_rows(LIBRARY, substitutions=rows)
    row = merged.substitutions.filter(commodity="fly_ash", technology="clinker").row(0, named=True)
    assert (row["ratio"], row["max_share_pct"], row["provenance"]) == (0.9, 12.0, "user")
    assert merged.substitutions.height == LIBRARY.substitutions.height


def test_commodities_of_the_library_keep_their_unit() -> None:
    """The plan has converted the numbers; the text of the user's unit is of no more use."""
    merged = with_user_rows(
        LIBRARY,
        commodities=commodity(commodity="fly_ash", unit="吨", price_high=9.0),
        recipes=commodity(technology="clinker", commodity="fly_ash", direction="in", amount=0.1, unit="kg"),
        technologies=commodity(technology="clinker", unit="吨", jobs=3.0),
    )
    assert merged.commodities.filter(commodity="fly_ash").select("unit", "price_high").row(0) == ("t", 9.0)
    assert merged.recipes.filter(technology="clinker", commodity="fly_ash").select("amount", "unit").row(0) == (
        0.1,
        "t",
    )
    assert merged.technologies.filter(technology="clinker").select("unit", "jobs").row(0) == ("t", 3.0)


def test_a_table_without_its_key_is_a_programmers_error() -> None:
    with pytest.raises(ValueError, match="commodity"):
        with_user_rows(LIBRARY, commodities=pl.DataFrame({"name": ["x"]}))


def test_the_last_of_two_equal_rows_holds() -> None:
    rows = pl.DataFrame({"commodity": ["fly_ash", "fly_ash"], "price_high": [1.0, 2.0], "source": ["a", "b"]})
    merged = with_user_rows(LIBRARY, commodities=rows)
    assert merged.commodities.height == LIBRARY.commodities.height
    assert merged.commodities.filter(commodity="fly_ash")["price_high"].item() == 2.0


def test_the_given_library_is_untouched_and_merging_twice_is_merging_once() -> None:
    before = {name: table.clone() for name, table in LIBRARY.tables().items()}
    rows = commodity(commodity="fly_ash", price_high=3.0)
    once = with_user_rows(LIBRARY, commodities=rows)
    twice = with_user_rows(once, commodities=rows)
    for name, table in before.items():
        assert LIBRARY.tables()[name].equals(table)
        assert once.tables()[name].equals(twice.tables()[name])


@given(
    names=st.lists(
        st.sampled_from([*LIBRARY.commodities["commodity"][:12], "new_a", "new_b"]), unique=True, max_size=6
    ),
    price=st.none() | st.floats(0, 1e5),
)
@settings(max_examples=25, deadline=None)
def test_schemas_and_identities_survive_any_merge(names, price) -> None:
    rows = pl.DataFrame(
        {"commodity": names, "price_high": [price] * len(names), "source": ["x"] * len(names)},
        schema={"commodity": pl.String, "price_high": pl.Float64, "source": pl.String},
    )
    merged = with_user_rows(LIBRARY, commodities=rows)
    for name, columns in Library.columns().items():
        assert dict(merged.tables()[name].schema) == {column.name: column.dtype for column in columns}
    assert merged.commodities["commodity"].is_duplicated().sum() == 0
    assert set(merged.commodities["commodity"]) == set(LIBRARY.commodities["commodity"]) | set(names)
    if price is not None and names:
        assert set(merged.commodities.filter(pl.col("commodity").is_in(names))["price_high"]) == {price}


@pytest.mark.parametrize(
    ("source", "provenance"),
    [
        ("Assumed: typical", "assumed"),
        ("假设：典型值", "assumed"),
        ("假定", "assumed"),
        ("meter 4", "user"),
        (None, "user"),
    ],
)
def test_an_assumption_of_the_user_stays_an_assumption(source, provenance: str) -> None:
    cells = pl.DataFrame(
        {"source": [source], "technology": ["coking"], "capex": [1.0]}, schema_overrides={"source": pl.String}
    )
    head = with_user_rows(LIBRARY, technologies=cells).technologies.filter(technology="coking").row(0, named=True)
    assert (head["provenance"], head["economics_provenance"]) == (provenance, provenance)
    assert head["source"] == head["economics_source"] == (source or "plan")
    waste = pl.DataFrame({"source": [source], "commodity": ["fly_ash"], "disposal_cost": [1.0]})
    assert (
        with_user_rows(LIBRARY, commodities=waste).fates.filter(commodity="fly_ash")["provenance"].item() == provenance
    )
