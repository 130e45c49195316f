"""Carrying capacities by hand, loads held against them, limits adopted by design, rows that lack something."""

import numpy as np
import polars as pl
import pytest

import cyclopolis
from cyclopolis.ecology.capacity import Capacity, capacity
from cyclopolis.ecology.capacity.formulas import MONTH_DAYS, air_capacity, decayed, river_capacity
from cyclopolis.foundation.problems import UserError
from cyclopolis.plan import read_plan

HEAD = (
    "capacity,site,kind,quantity,amount,usable_pct,flow_m3_s,background_mg_l,target_mg_l,decay_per_d,length_km,"
    "velocity_m_s,a_value,standard_mg_m3,background_mg_m3,area_km2,total_area_km2,adopt,source\n"
)
ROWS = {
    "zero": "zero,park,river,cod,,,10,15,20,,,,,,,,,,",
    "one": "one,park,river,cod,,50,10,15,20,0.2,43.2,0.5,,,,,,,assumed",
    "air": "air,park,air,so2,,,,,,,,,3.5,0.06,0.01,25,100,,",
    "runoff": "runoff,park,water_resource,water,,30,2,,,,,,,,,,,,",
    "quota": "quota,,quota,energy,5000000,,,,,,,,,,,,,yes,",
    "ground": "ground,park,land,land,,,,,,,,,,,,,,,",
}
FILES = {
    "plan.toml": 'name = "Bearing"\nbase_year = 2024\nhorizon = [2030]\ndiscount_rate = 0.06\n',
    "sites.csv": "site,kind\npark,park\n",
    "plants.csv": "plant,site,technology,status,capacity,activity\nmill,park,cement_opc,existing,600000,500000\n",
}
SECONDS = 365.25 * 86_400


@pytest.fixture
def plan(tmp_path):
    def write(*names: str, **files: str):
        rows = "\n".join(ROWS.get(name, name) for name in names)
        for name, text in {**FILES, "capacities.csv": f"{HEAD}{rows}\n", **files}.items():
            (tmp_path / name.replace("_csv", ".csv")).write_text(text, encoding="utf-8")
        return read_plan(tmp_path)

    return write


def loads(*rows: tuple[str, int, str, str, float]) -> pl.DataFrame:
    schema = {"state": pl.String, "year": pl.Int64, "scope": pl.String, "quantity": pl.String, "value": pl.Float64}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def values(found: Capacity) -> dict[str, float]:
    return dict(found.tables["capacities"].select("capacity", "value").iter_rows())


def test_each_kind_by_hand(plan) -> None:
    found = values(capacity(plan(*ROWS), loads(), {"park": 42.0}))
    assert found["zero"] == pytest.approx((20 - 15) * 10 * SECONDS / 1e6)
    assert found["one"] == pytest.approx(0.5 * (20 - 15 * np.exp(-0.2)) * 10 * SECONDS / 1e6)
    assert found["air"] == pytest.approx(3.5 * 0.05 * 25 / 10 * 1e4)
    assert found["runoff"] == pytest.approx(0.3 * 2 * SECONDS)
    assert (found["quota"], found["ground"]) == (5e6, 42.0)


def test_methods_and_marks_are_told(plan) -> None:
    table = capacity(plan(*ROWS), loads(), {"park": 42.0}).tables["capacities"]
    assert dict(table.select("capacity", "method").iter_rows()) == {
        "zero": "zero_dimension", "one": "one_dimension", "air": "a_value", "runoff": "runoff", "quota": "quota",
        "ground": "land_left",
    }  # fmt: skip
    assert table.filter(capacity="one")["provenance"].to_list() == ["assumed"]


def test_months_sum_to_the_year_and_a_dirty_month_takes_nothing(plan) -> None:
    flows = "capacity,month,flow_m3_s\n" + "".join(f"zero,{month},{month}\n" for month in range(1, 13))
    row = ROWS["zero"].replace(",10,15,", ",,15,")
    found = capacity(plan(row, monthly_flows_csv=flows), loads())
    months = found.tables["months"]
    assert months["value_t"].sum() == pytest.approx(values(found)["zero"])
    assert months["value_t"][5] == pytest.approx(5 * 6 * 30 * 86_400 / 1e6)
    one = np.ones(12)
    assert not river_capacity(one, MONTH_DAYS, 20 * one, 21 * one, one).any()


def test_limits_of_the_formulas() -> None:
    one = np.ones(1)
    assert decayed(7 * one, 0 * one, 9 * one, one).tolist() == [7.0]
    assert air_capacity(3.5, 0.05, 0.06, 10, 10) == 0
    halves = sum(air_capacity(3.5, 0.06, 0.0, 50, 100) for _ in range(2))
    assert halves == pytest.approx(air_capacity(3.5, 0.06, 0.0, 100, 100))


def test_load_over_capacity_by_state(plan) -> None:
    asked = loads(("before", 2024, "park", "cod", 1000.0), ("after", 2030, "park", "cod", 2000.0))
    table = capacity(plan("zero", "air"), asked).tables["loads"]
    whole = 5 * 10 * SECONDS / 1e6
    cod = table.filter(capacity="zero")
    assert cod["state"].to_list() == ["before", "after"]
    assert cod["used"].to_list() == pytest.approx([1000 / whole, 2000 / whole])
    assert cod["over"].to_list() == [False, True]
    assert table.filter(capacity="air")["load"].to_list() == [None], "an unknown load stays unknown"


def test_a_later_capacity_does_not_judge_an_earlier_load(plan) -> None:
    row = ROWS["quota"].replace("quota,,quota", "quota,park,quota")
    text = f"{HEAD.replace('capacity,site', 'capacity,year,site')}{row.replace('quota,park', 'quota,2030,park', 1)}\n"
    asked = loads(("before", 2024, "park", "energy", 1.0), ("after", 2030, "park", "energy", 2.0))
    found = capacity(plan(capacities_csv=text), asked)
    assert found.tables["loads"]["year"].to_list() == [2030]


def test_the_least_capacity_becomes_the_limit(plan) -> None:
    limits = capacity(plan("zero", "one"), loads()).tables["limits"].row(0, named=True)
    assert (limits["quantity"], limits["capacity"], limits["adopted"]) == ("cod", "one", False)


def test_order_changes_nothing_and_saved_is_loaded(plan, tmp_path) -> None:
    first = capacity(plan(*ROWS), loads(), {"park": 1.0})
    again = capacity(plan(*reversed(ROWS)), loads(), {"park": 1.0})
    first.save(tmp_path / "kept")
    for name, table in Capacity.load(tmp_path / "kept").tables.items():
        assert table.equals(again.tables[name])


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("r,park,river,cod,,,,15,20,,,,,,,,,,", "flow_m3_s"),
        ("r,park,river,cod,,,3,,20,,,,,,,,,,", "background_mg_l"),
        ("r,park,river,cod,,,3,15,20,0.2,,,,,,,,,", "length_km, velocity_m_s"),
        ("r,park,air,so2,,,,,,,,,,0.06,,20,,,", "a_value"),
        ("r,park,land,land,,,,,,,,,,,,,,,", "amount"),
        ("r,,quota,energy,,,,,,,,,,,,,,,", "amount"),
    ],
)
def test_rows_that_lack_something_name_it(plan, row, column) -> None:
    with pytest.raises(UserError) as caught:
        capacity(plan(row), loads())
    assert column in str(caught.value)


def test_no_capacities(plan) -> None:
    with pytest.raises(UserError, match="no capacities"):
        capacity(plan(), loads())


def test_adopted_capacities_bind_the_design(plan) -> None:
    where = plan("quota", "zero")
    done = cyclopolis.run(where.folder, until="capacity")
    limits = done.results["design"].tables["limits"]
    assert limits.filter(quantity="energy")["bound"].to_list() == [5e6]
    assert limits.filter(quantity="cod").is_empty(), "only adopted rows bind"
    used = done.results["capacity"].tables["loads"].filter(capacity="quota")
    assert used["state"].to_list() == ["before", "after"]
    assert (used["load"] > 0).all()
    assert set(done.results["capacity"].figures("zh")) == {"used"}
