"""Plants alike designed as one: the same optimum as plant by plant, and a lawful state for every member."""

from dataclasses import replace

import polars as pl
import pytest

from cyclopolis.design import DesignOptions, pose
from cyclopolis.design import engine as engine_module
from cyclopolis.design import recheck as recheck_module
from cyclopolis.design.alike import merge_alike, spread_members
from cyclopolis.design.engine import design
from cyclopolis.design.recheck import check_design
from cyclopolis.design.solve import solve_years
from cyclopolis.examples import example
from cyclopolis.plan import read_plan

PARTS = (0.1, 0.25, 0.3, 0.35)
ROOMS = (1.0, 1.3, 1.02, 1.1)
"""Unequal members: shares of activity, and capacity over activity of each."""


def split(name: str, *years: int):
    """Return an example with every standing plant split into unequal members, each with an enterprise of its own."""
    plan = read_plan(example(name))
    plants, owners = plan.tables["plants"], plan.tables["enterprises"]
    number = pl.DataFrame({"part": [0, 1, 2, 3], "size": PARTS, "room": ROOMS})
    standing = plants.filter((pl.col("status") == "existing") & pl.col("activity").is_not_null())
    members = standing.join(number, how="cross").with_columns(
        plant=pl.format("{}_{}", "plant", "part"),
        enterprise=pl.format("owner_{}_{}", "plant", "part"),
        activity=pl.col("activity") * pl.col("size"),
        capacity=pl.col("activity") * pl.col("size") * pl.col("room"),
    )
    seats = owners.select("enterprise", "site")
    members = members.join(standing.select("technology", owner="enterprise").unique("technology"), on="technology")
    members = members.join(seats.rename({"enterprise": "owner", "site": "seat"}), on="owner", how="left")
    members = members.with_columns(site=pl.coalesce("site", "seat"))
    fresh = members.select("enterprise", "site").with_columns(
        *(pl.lit(None, dtype=kind).alias(column) for column, kind in owners.schema.items()
          if column not in {"enterprise", "site"})
    )  # fmt: skip
    others = plants.join(standing.select("plant"), on="plant", how="anti")
    empty = {key: plan.tables[key].clear() for key in ("measurements", "exchanges", "shares", "stock_changes")}
    tables = {
        **plan.tables,
        **empty,
        "plants": pl.concat([others, members.select(plants.columns)]),
        "enterprises": pl.concat([owners, fresh.select(owners.columns)]),
    }
    meta = replace(plan.meta, horizon=years) if years else plan.meta
    return replace(plan, tables=tables, meta=meta)


@pytest.fixture(scope="module")
def quick():
    return split("quickstart", 2025, 2028)


def test_the_optimum_of_the_merged_plan_is_that_of_the_plan(quick):
    options = DesignOptions(gap=1e-7)
    merged, members = merge_alike(quick, many=2)
    assert members.height == 8
    assert merged.tables["plants"].height == quick.tables["plants"].height - 6
    apart = solve_years(pose(quick, options).whole)
    joined = solve_years(pose(merged, options).whole)
    assert joined.objective == pytest.approx(apart.objective, rel=1e-6)
    assert joined.bound == pytest.approx(apart.bound, rel=1e-6)


def test_order_of_rows_changes_nothing(quick):
    tables = {**quick.tables, "plants": quick.tables["plants"].reverse()}
    assert merge_alike(replace(quick, tables=tables), many=2)[1].equals(merge_alike(quick, many=2)[1])


def test_members_keep_their_own_bounds_and_are_checked(quick, monkeypatch):
    monkeypatch.setattr(engine_module, "merge_alike", lambda plan: merge_alike(plan, many=2))
    monkeypatch.setattr(recheck_module, "merge_alike", lambda plan: merge_alike(plan, many=2))
    done = design(quick)
    assert done.facts["merged"] == 8
    assert check_design(quick, done) == ()
    spread = done.tables["members"]
    assert spread.height == 16
    shares = spread.group_by("year", "plant").agg(pl.col("share").sum())["share"]
    assert shares.to_list() == pytest.approx([1.0] * shares.len())
    spread = spread.with_columns(after=pl.col("after") * 1.5)
    broken = replace(done, tables={**done.tables, "members": spread})
    assert {one.kind for one in check_design(quick, broken)} >= {"members", "capacity"}


def test_what_the_plan_names_stays_alone(quick):
    names = sorted(merge_alike(quick, many=2)[1]["member"].to_list())
    operations = quick.tables["exclusions"]
    row = dict.fromkeys(operations.schema) | {"group": "g", "plant": names[0]}
    named = pl.DataFrame([row], schema=operations.schema)
    other = replace(quick, tables={**quick.tables, "exclusions": named})
    assert names[0] not in merge_alike(other, many=2)[1]["member"].to_list()


def test_few_plants_and_limits_on_jobs_merge_nothing(quick):
    assert merge_alike(quick)[1].height == 0
    limits = quick.tables["limits"]
    row = dict.fromkeys(limits.schema) | {"quantity": "jobs", "min": 1.0}
    jobs = pl.DataFrame([row], schema=limits.schema)
    assert merge_alike(replace(quick, tables={**quick.tables, "limits": jobs}), many=2)[1].height == 0


def test_hazardous_plants_stay_alone():
    plan = split("liupanshui")
    merged, members = merge_alike(plan, many=2)
    technologies = plan.tables["plants"].join(members, left_on="plant", right_on="member", how="semi")["technology"]
    assert technologies.len() > 0
    assert not technologies.is_in(plan.library.hazards["technology"].to_list()).any()
    for column in ("activity", "jobs"):
        before, after = (one.tables["plants"][column].sum() for one in (plan, merged))
        assert after == pytest.approx(before)


def test_members_fall_in_proportion_to_the_base_and_rise_in_proportion_to_the_room():
    members = pl.DataFrame(
        {"plant": ["a", "a"], "member": ["a", "b"], "least": [0.0, 0.0], "most": [10.0, 50.0], "base": [10.0, 30.0]}
    )
    plants = pl.DataFrame({"year": [1, 2, 3], "plant": ["a"] * 3, "after": [20.0, 50.0, 0.0]})
    spread = spread_members(members, plants)
    assert spread["after"].to_list() == [5.0, 15.0, 10.0, 40.0, 0.0, 0.0]
    assert spread["share"].to_list() == [0.25, 0.75, 0.2, 0.8, 0.0, 0.0]
