"""Models from tables: every variant has the same ground, the same sewage where it has pipes, and a way out."""

import numpy as np
import pytest
from drainage_places import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cyclopolis.foundation.text import say
from cyclopolis.infrastructure.drainage.build import build_models, way_out, without_sealed
from cyclopolis.infrastructure.drainage.engine import drain
from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.rainfall import plan_storms
from cyclopolis.infrastructure.drainage.swmm import run_swmm
from cyclopolis.plan import Plan, read_plan

SOILS = ("", "sand", "loam", "clay")


@st.composite
def towns(draw) -> dict[str, str]:
    """Draw a town: junctions whose pipes lead downhill to others or to one of two outlets, catchments anywhere."""
    size = draw(st.integers(1, 5))
    junctions = [f"J{at}" for at in range(size)]
    rows = {
        "junctions": ["junction,invert_m,depth_m,dry_weather_m3_d"],
        "conduits": ["conduit,from_node,to_node,length_m,diameter_m"],
        "outlets": ["outlet,invert_m,kind,capacity_m3_d", "works,90,plant,5000", "creek,90,storm,"],
        "catchments": ["catchment,area_ha,imperviousness_pct,slope_pct,soil,outlet,storm_outlet,separated_pct,ss_mg_l"],
        "measures": ["catchment,measure,area_m2,max_area_m2"],
    }
    for at, name in enumerate(junctions):
        sewage = draw(st.sampled_from(["", "0", "300"]))
        rows["junctions"].append(f"{name},{100 - at},3,{sewage}")
        end = draw(st.sampled_from([*junctions[at + 1 :], "works", "creek"]))
        rows["conduits"].append(f"P{at},{name},{end},{draw(st.integers(20, 300))},0.8")
    for at in range(draw(st.integers(1, 4))):
        area, sealed = draw(st.floats(0.2, 8)), draw(st.integers(0, 100))
        share = draw(st.sampled_from(["", "0", "30", "100"]))
        way = f"{draw(st.sampled_from([*junctions, 'creek']))},creek,{share}"
        slope, soil = draw(st.sampled_from(["", "0.5", "4"])), draw(st.sampled_from(SOILS))
        load = draw(st.sampled_from(["", "150", "60"]))
        rows["catchments"].append(f"area{at},{area:.3f},{sealed},{slope},{soil},{way},{load}")
    return {name: "\n".join(lines) + "\n" for name, lines in rows.items()}


def area_of(model: Inp) -> float:
    return sum(float(row.fields[3]) for row in model.rows("SUBCATCHMENTS"))


def sewage_of(model: Inp) -> float:
    return sum(float(row.fields[2]) for row in model.rows("DWF"))


def drawn(tmp_path_factory, tables: dict[str, str]) -> Plan:
    return read_plan(write(tmp_path_factory.mktemp("town"), **tables))


FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(tables=towns())
def test_ground_and_sewage_are_the_plans_in_every_variant(tmp_path_factory, tables) -> None:
    plan = drawn(tmp_path_factory, tables)
    built = build_models(plan)
    whole = plan.tables["catchments"]["area_ha"].sum()
    dry = plan.tables["junctions"]["dry_weather_m3_d"].fill_null(0.0).sum() / 86400
    for name, one in built.items():
        assert area_of(one.model) == pytest.approx(whole, rel=1e-6), name
        assert sewage_of(one.model) == pytest.approx(0.0 if name == "before" else dry, rel=1e-6), name
        assert Inp.parse(one.model.to_bytes()).to_bytes() == one.model.to_bytes()
    sealed = {
        name: sum(float(row.fields[3]) * float(row.fields[4]) for row in one.model.rows("SUBCATCHMENTS"))
        for name, one in built.items()
    }
    assert sealed["before"] == 0.0
    assert sealed["separated"] == pytest.approx(sealed["grey"], rel=1e-6, abs=1e-9)


@FEW
@given(tables=towns())
def test_before_drains_where_the_pipes_lead(tmp_path_factory, tables) -> None:
    plan = drawn(tmp_path_factory, tables)
    after = dict(plan.tables["conduits"].select("from_node", "to_node").iter_rows())
    found = way_out(plan)
    for junction in plan.tables["junctions"]["junction"]:
        at = junction
        while at in after:
            at = after[at]
        assert found[junction] == at
    assert found["works"] == "works"
    before = build_models(plan)["before"]
    back = {short: name for name, short in before.nodes.items()}
    outlet = dict(plan.tables["catchments"].select("catchment", "outlet").iter_rows())
    names = {short: name for name, short in before.catchments.items()}
    for row in before.model.rows("SUBCATCHMENTS"):
        assert back[row.fields[2]] == found[outlet[names[row.fields[0]]]]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables=towns())
def test_swmm_takes_every_town_and_loses_no_water(tmp_path_factory, tables) -> None:
    plan = drawn(tmp_path_factory, tables)
    storm = plan_storms(plan)[0]
    folder = tmp_path_factory.mktemp("run")
    rain = set()
    for name, one in build_models(plan).items():
        totals = run_swmm(storm.falls_on(one.model).to_bytes(), folder).totals
        assert abs(totals.runoff_error_pct) < 0.5, name
        if totals.volume_m3["wet_weather"] + totals.volume_m3["dry_weather"] > 10.0:
            assert abs(totals.flow_error_pct) < 3.0, name
        rain.add(round(totals.depth_mm["rain"] or 0.0, 1))
    assert len(rain) == 1


def test_a_fork_takes_the_storm_outlet_before_the_plant(tmp_path) -> None:
    tables = {
        "junctions": "junction,invert_m,depth_m\nA,103,3\nB,102,3\n",
        "conduits": "conduit,from_node,to_node,length_m,diameter_m\n1,A,works,50,0.5\n2,A,B,50,0.5\n3,B,creek,50,0.5\n",
        "outlets": "outlet,invert_m,kind\nworks,90,plant\ncreek,90,storm\n",
        "catchments": "catchment,area_ha,imperviousness_pct,outlet\nfield,2,40,A\n",
        "measures": None,
    }
    plan = read_plan(write(tmp_path, **tables))
    assert way_out(plan) == {"works": "works", "creek": "creek", "A": "creek", "B": "creek"}


def test_a_model_without_sealed_ground_keeps_all_else() -> None:
    model = Inp.parse(
        b"[SUBCATCHMENTS]\nS1 R O 4 50 200 1 0 ; yard\nS2 R O 2 12.5 100 1 0\n"
        b"[LID_USAGE]\nS1 x 1 5 0 0 0 0\n[DWF]\nJ FLOW 1\n"
    )
    bare = without_sealed(model)
    assert [row.fields[4] for row in bare.rows("SUBCATCHMENTS")] == ["0", "0"]
    assert b"; yard" in bare.to_bytes()
    assert bare.rows("LID_USAGE") == bare.rows("DWF") == ()
    kept = [tuple(np.delete(row.fields, 4)) for row in bare.rows("SUBCATCHMENTS")]
    assert kept == [tuple(np.delete(row.fields, 4)) for row in model.rows("SUBCATCHMENTS")]


def steep(folder, drop: float, length: int, diameter: float, area: float) -> Plan:
    tables = {
        "junctions": "junction,invert_m,depth_m\nA,100,3\n",
        "conduits": f"conduit,from_node,to_node,length_m,diameter_m\n1,A,works,{length},{diameter}\n",
        "outlets": f"outlet,invert_m,kind\nworks,{100 - drop},plant\ncreek,90,storm\n",
        "catchments": f"catchment,area_ha,imperviousness_pct,outlet\nfield,{area},10,A\n",
        "measures": None,
    }
    return read_plan(write(folder, **tables))


@pytest.mark.parametrize(
    ("drop", "length", "diameter", "area"),
    [
        (9.9, 10, 0.8, 0.2),
        (9.9, 10, 2.0, 8),
        (5, 10, 0.8, 2),
        (9.9, 20, 0.8, 1),
        (0.01, 10, 0.3, 2),
        (0.5, 400, 0.5, 2),
    ],
)
def test_short_steep_pipes_lose_no_water(tmp_path, drop, length, diameter, area) -> None:
    """Without lengthening SWMM loses all of it, or makes several times as much."""
    plan = steep(tmp_path, drop, length, diameter, area)
    model = plan_storms(plan)[0].falls_on(build_models(plan)["grey"].model)
    totals = run_swmm(model.to_bytes(), tmp_path).totals
    assert abs(totals.flow_error_pct) < 2.0
    away = totals.volume_m3["outflow"] + totals.volume_m3["flooding"]
    assert away == pytest.approx(totals.volume_m3["wet_weather"], rel=0.03)


def test_a_run_that_loses_its_water_is_named(tmp_path) -> None:
    plan = steep(tmp_path / "a", 9.9, 10, 0.8, 1)
    text = plan_storms(plan)[0].falls_on(build_models(plan)["grey"].model).set_option("LENGTHENING_STEP", 0).to_bytes()
    none = dict.fromkeys(["catchments", "junctions", "outlets", "conduits", "measures"])
    models = "variant,inp\ngrey,mine.inp\n"
    storms = "storm,kind,series\nwet,model,cyclopolis_storm\n"
    folder = write(tmp_path / "b", **none, drainage_models=models, storms=storms)
    (folder / "mine.inp").write_bytes(text)
    found = drain(read_plan(folder)).tables["unknowns"].filter(reason="drainage_unsound")
    assert "grey" in found["item"].to_list()
    assert "10 %" in say("unknown.drainage_unsound", "en")
    sound = drain(plan).tables["unknowns"]
    assert "drainage_unsound" not in sound["reason"].to_list()


def test_several_pipes_to_one_outlet_are_one_outlet(tmp_path) -> None:
    """Two halves that end at the works bring it what one pipe brings, in every table."""
    head = "junction,invert_m,depth_m,dry_weather_m3_d\n"
    pipes = "conduit,from_node,to_node,length_m,diameter_m\n"
    areas = "catchment,area_ha,imperviousness_pct,outlet,ss_mg_l\n"
    two = {
        "junctions": head + "A,100,3,300\nB,100,3,300\n",
        "conduits": pipes + "1,A,works,100,0.8\n2,B,works,100,0.8\n",
        "outlets": "outlet,invert_m,kind,capacity_m3_d\nworks,98,plant,900\n",
        "catchments": areas + "a,2,60,A,100\nb,2,60,B,100\n",
        "measures": None,
    }
    one = {**two, "junctions": head + "A,100,3,300\n", "conduits": pipes + "1,A,works,100,0.8\n",
           "catchments": areas + "a,2,60,A,100\n"}  # fmt: skip
    both, half = (drain(read_plan(write(tmp_path / name, **tables))) for name, tables in (("2", two), ("1", one)))
    for variant in ("before", "grey", "sponge"):
        (double,) = both.tables["discharges"].filter(variant=variant).rows(named=True)
        (single,) = half.tables["discharges"].filter(variant=variant).rows(named=True)
        assert double["outlet"] == single["outlet"] == "works"
        for column in ("volume_m3", "dry_m3", "rain_m3", "peak_m3_s", "ss_kg"):
            assert double[column] == pytest.approx(2 * single[column], rel=0.01, abs=1e-6), (variant, column)
        assert double["peak_over_capacity"] == pytest.approx(2 * single["peak_over_capacity"], rel=0.01)
    assert both.tables["pipes"].filter(variant="grey")["conduit"].to_list() == ["1", "2"]


@FEW
@given(tables=towns())
def test_loads_of_outlets_are_those_of_the_place(tmp_path_factory, tables) -> None:
    """Before development too, where there is no pipe and SWMM reports no outfall."""
    plan = drawn(tmp_path_factory, tables)
    found = drain(plan)
    for row in found.tables["variants"].iter_rows(named=True):
        own = found.tables["discharges"].filter(variant=row["variant"])["ss_kg"]
        if row["ss_kg"] is None:
            assert own.null_count() == own.len()
            assert plan.tables["catchments"]["ss_mg_l"].null_count() == plan.tables["catchments"].height
        elif row["ss_kg"] > 0:
            assert own.sum() == pytest.approx(row["ss_kg"], rel=0.02, abs=0.01)
