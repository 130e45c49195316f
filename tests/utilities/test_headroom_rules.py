"""Rules of headroom that hold whatever works and demands are given."""

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cyclopolis.infrastructure.utilities import Utilities, serve
from cyclopolis.infrastructure.utilities.demand import services
from cyclopolis.plan import read_plan

PLAN = 'name = "T"\nbase_year = 2020\nhorizon = [2026]\ndiscount_rate = 0.05\n'
SITES = "site,kind,parent\ncity,city,\neast,district,city\nmill,park,east\nwest,district,city\n"
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

works = st.lists(
    st.tuples(
        st.sampled_from(["city", "east", "mill", "west"]),
        st.floats(1, 100),
        st.one_of(st.none(), st.integers(2018, 2026)),
        st.one_of(st.none(), st.integers(2020, 2028)),
    ),
    min_size=1, max_size=5,
)  # fmt: skip
asked = st.lists(st.floats(0, 120), min_size=2, max_size=2)


def answer(folder, rows, plants, others, *, turned: bool = False) -> Utilities:
    folder.mkdir(exist_ok=True)
    lines = [
        f"w{at},{site},water,{size},{year or ''},{'' if until is None else max(until, year or 0)}"
        for at, (site, size, year, until) in enumerate(rows)
    ]
    lines = lines[::-1] if turned else lines
    (folder / "plan.toml").write_text(PLAN)
    (folder / "sites.csv").write_text(SITES)
    (folder / "utilities.csv").write_text("utility,site,service,capacity,year,until\n" + "\n".join(lines) + "\n")
    (folder / "utility_demands.csv").write_text(
        f"service,site,year,demand\nwater,east,2020,{others[0]}\nwater,west,2026,{others[1]}\n"
    )
    demand = [("water", "", year, value, services()["water"].unit, "balance", "computed")
              for year, value in zip((2020, 2026), plants, strict=True)]  # fmt: skip
    names = ["service", "site", "year", "demand", "unit", "origin", "provenance"]
    types = dict.fromkeys(names, pl.String) | {"year": pl.Int64, "demand": pl.Float64}
    return serve(read_plan(folder), pl.DataFrame(demand, schema=types, orient="row"))


@FEW
@given(rows=works, plants=asked, others=asked)
def test_headroom_is_capacity_less_demand(tmp_path_factory, rows, plants, others) -> None:
    found = answer(tmp_path_factory.mktemp("w"), rows, plants, others)
    water = found.tables["headroom"].filter(service="water")
    for row in water.iter_rows(named=True):
        assert row["headroom"] == pytest.approx(row["capacity"] - row["demand"])
        assert row["demand"] == pytest.approx(row["plants"] + row["others"])
        stands = [
            size
            for site, size, year, until in rows
            if (year or 2020) <= row["year"] <= (row["year"] if until is None else max(until, year or 0))
            and (row["scope"] in ("", site) or (row["scope"], site) == ("east", "mill"))
        ]
        assert row["capacity"] == pytest.approx(sum(stands))
    whole = water.filter(scope="")
    assert whole["year"].to_list() == list(range(2020, 2027))
    assert whole["others"].to_list() == pytest.approx([sum(others)] * 7)


@FEW
@given(rows=works, plants=asked, others=asked)
def test_what_breaks_is_the_first_year_without_headroom(tmp_path_factory, rows, plants, others) -> None:
    found = answer(tmp_path_factory.mktemp("w"), rows, plants, others)
    for row in found.tables["breaks"].filter(service="water").iter_rows(named=True):
        left = found.tables["headroom"].filter(service="water", scope=row["scope"]).sort("year")
        short = left.filter(pl.col("headroom") < 0)
        if short.is_empty():
            assert row["breaks_in"] is None
            assert row["short_by"] == 0.0
        else:
            assert short["year"][0] - 1 <= row["breaks_in"] <= short["year"][0]
            assert row["short_by"] == pytest.approx(-left["headroom"].min())
    ranks = found.tables["breaks"]
    broken = ranks.drop_nulls("breaks_in")["breaks_in"].to_list()
    assert broken == sorted(broken)
    assert ranks["rank"].to_list() == list(range(1, ranks.height + 1))


@FEW
@given(rows=works, plants=asked, others=asked)
def test_order_of_works_changes_nothing(tmp_path_factory, rows, plants, others) -> None:
    folder = tmp_path_factory.mktemp("w")
    one = answer(folder / "a", rows, plants, others)
    other = answer(folder / "b", rows, plants, others, turned=True)
    for name, table in one.tables.items():
        numbers = [key for key, kind in table.schema.items() if kind == pl.Float64]
        assert table.drop(numbers).equals(other.tables[name].drop(numbers)), name
        for column in numbers:
            assert other.tables[name][column].to_list() == pytest.approx(table[column].to_list(), abs=1e-9), column


@FEW
@given(rows=works, plants=asked, others=asked, more=st.floats(1, 500))
def test_more_works_never_break_sooner(tmp_path_factory, rows, plants, others, more) -> None:
    folder = tmp_path_factory.mktemp("w")
    before = answer(folder / "a", rows, plants, others).tables["breaks"]
    after = answer(folder / "b", [*rows, ("city", more, None, None)], plants, others).tables["breaks"]
    old, new = (table.filter(service="water", scope="")["breaks_in"].item() for table in (before, after))
    assert new is None or (old is not None and new >= old - 1e-9)
