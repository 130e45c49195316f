"""The engine: EPA's three variants, a town from tables, water and money that add up, designs that no other beats."""

import json

import numpy as np
import polars as pl
import pytest
from drainage_places import TABLES, write

import cyclopolis
from cyclopolis.foundation.problems import UserError
from cyclopolis.infrastructure.drainage.build import build_models
from cyclopolis.infrastructure.drainage.engine import Drain, DrainOptions, drain
from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.kinds import measure_kinds
from cyclopolis.infrastructure.drainage.rainfall import lasting, plan_storms
from cyclopolis.infrastructure.drainage.search import DesignJob, nondominated, search_designs
from cyclopolis.infrastructure.drainage.sponge import Measure, SpongeWriter
from cyclopolis.infrastructure.drainage.swmm import run_swmm
from cyclopolis.infrastructure.drainage.variants import prepare
from cyclopolis.plan import read_plan


@pytest.fixture(scope="module")
def town_plan(tmp_path_factory):
    return read_plan(write(tmp_path_factory.mktemp("town")))


@pytest.fixture(scope="module")
def town(town_plan) -> Drain:
    return drain(town_plan)


@pytest.fixture(scope="module")
def sponge() -> Drain:
    return drain(read_plan(cyclopolis.example("sponge")))


def rows(result: Drain, table: str, **where) -> list[dict]:
    return list(result.tables[table].filter(**where).iter_rows(named=True))


def test_epa_site_in_three_variants(sponge) -> None:
    two = {row["variant"]: row for row in rows(sponge, "variants", storm="2-year")}
    assert {name: round(row["surface_mm"] / 25.4, 3) for name, row in two.items()} == {
        "before": 0.047, "grey": 0.533, "sponge": 0.232,
    }  # fmt: skip
    cfs = 0.3048**3
    for storm, before, grey in (("2-year", 4.14, 33.5), ("10-year", 7.34, 62.3), ("100-year", 31.6, 163.8)):
        found = {row["variant"]: row["peak_m3_s"] / cfs for row in rows(sponge, "variants", storm=storm)}
        assert found["before"] == pytest.approx(before, rel=0.01)
        assert found["grey"] == pytest.approx(grey, rel=0.005)
        assert found["before"] < found["sponge"] < found["grey"]
    assert two["before"]["ss_kg"] is None
    assert two["grey"]["ss_kg"] == pytest.approx(587.196 * 0.45359237)
    assert sponge.tables["storms"]["storm"].to_list() == ["2-year", "10-year", "100-year"]
    assert two["sponge"]["cost"] == pytest.approx(sponge.tables["measures"]["cost"].sum())
    assert two["sponge"]["provenance"] == "assumed"


def test_the_three_variant_figure_shows_the_numbers(sponge) -> None:
    for language in ("en", "zh"):
        figures = sponge.figures(language)
        assert list(figures) == ["variants", "hydrograph_1", "hydrograph_2", "hydrograph_3"]
        bars = {trace["legendgroup"]: trace["y"] for trace in figures["variants"]["data"] if trace["yaxis"] == "y"}
        assert [round(bars[name][0] / 25.4, 3) for name in ("before", "grey", "sponge")] == [0.047, 0.533, 0.232]
        flows = figures["hydrograph_1"]["data"][1:]
        assert max(flows[1]["y"]) == pytest.approx(0.946, rel=0.01)
        json.dumps(figures)


def test_water_of_the_town_is_conserved(town) -> None:
    for row in rows(town, "variants"):
        outlets = rows(town, "discharges", variant=row["variant"])
        out = sum(one["volume_m3"] for one in outlets)
        dry = sum(one["dry_m3"] for one in outlets)
        assert out + row["flooded_m3"] == pytest.approx(row["runoff_m3"] + dry, rel=0.03), row["variant"]
        assert row["runoff_coefficient"] == pytest.approx(1 - row["captured_pct"] / 100)
        assert row["error_pct"] < 1.0
    before, grey, sponge = rows(town, "variants")
    assert before["runoff_mm"] < sponge["runoff_mm"] < grey["runoff_mm"]
    assert before["peak_m3_s"] < sponge["peak_m3_s"]
    assert grey["cost"] == 0.0
    assert sponge["cost"] == pytest.approx((3000 * 130 + 600 * 475 + 500 * 475) / 1e6)


def test_separation_moves_rain_from_the_plant_to_the_river(town) -> None:
    (moved,) = rows(town, "separation")
    grey = {row["outlet"]: row for row in rows(town, "discharges", variant="grey")}
    sponge = {row["outlet"]: row for row in rows(town, "discharges", variant="sponge")}
    assert grey["river"]["volume_m3"] == pytest.approx(0.0, abs=1e-6)
    assert sponge["river"]["rain_m3"] > 0
    assert sponge["河口"]["rain_m3"] > 0
    assert moved["moved_pct"] == pytest.approx(100 * (1 - sponge["plant"]["rain_m3"] / grey["plant"]["rain_m3"]))
    assert 20 < moved["moved_pct"] < 95
    assert moved["to_storm_m3"] == pytest.approx(sponge["river"]["rain_m3"] + sponge["河口"]["rain_m3"])
    assert grey["plant"]["dry_m3"] == pytest.approx(sponge["plant"]["dry_m3"], rel=0.02)
    assert grey["plant"]["peak_over_capacity"] == pytest.approx(grey["plant"]["peak_m3_s"] * 86400 / 4000)
    assert grey["plant"]["over_capacity_m3"] > sponge["plant"]["over_capacity_m3"]


def test_solids_follow_the_water(town) -> None:
    _, grey, sponge = rows(town, "variants")
    assert sponge["ss_kg"] < grey["ss_kg"]
    concentration = grey["ss_kg"] / grey["runoff_m3"] * 1000
    assert 100 < concentration < 180
    assert sum(row["ss_kg"] for row in rows(town, "discharges", variant="grey")) == pytest.approx(
        grey["ss_kg"], rel=0.01
    )


def test_annual_capture_comes_from_the_table_of_the_city(town) -> None:
    assert [row["depth_mm"] for row in rows(town, "design_depths")] == [13.2, 18.4, 21.9, 26.3, 32.0]
    kept = {row["variant"]: row for row in rows(town, "capture")}
    for row in kept.values():
        assert row["provenance"] in {"memory", "assumed"}
        inside = 13.2 <= row["kept_mm"] <= 32.0
        assert (row["annual_pct"] is not None) == inside
        if inside:
            expected = np.interp(row["kept_mm"], [13.2, 18.4, 21.9, 26.3, 32.0], [60, 70, 75, 80, 85])
            assert row["annual_pct"] == pytest.approx(expected)
    assert {row["item"] for row in rows(town, "unknowns")} == {"before", "工业区", "living", "meadow"}


def test_names_are_the_users_and_the_order_of_rows_changes_nothing(town, tmp_path) -> None:
    assert {row["conduit"] for row in rows(town, "pipes")} == {"P1", "P2", "P3"}
    turned = {
        name: "\n".join([text.split("\n")[0], *reversed(text.strip().split("\n")[1:])]) + "\n"
        for name, text in TABLES.items()
    }
    again = drain(read_plan(write(tmp_path, **turned)))
    for name, table in town.tables.items():
        assert table.equals(again.tables[name]), name


def test_a_result_is_saved_and_loaded(town, tmp_path) -> None:
    town.save(tmp_path / "drainage")
    again = Drain.load(tmp_path / "drainage")
    assert again.summary() == town.summary()
    assert [line.name.render("zh") for line in again.summary()]


def test_own_daily_rain_and_own_formula_replace_the_library(tmp_path) -> None:
    days = "date,depth_mm,snow\n" + "".join(f"20{y:02d}-01-{d:02d},{d},\n" for y in range(30) for d in range(1, 29))
    days += "2031-01-01,500,yes\n"
    storms = "storm,kind,return_period_a,duration_min,a_l_s_ha,c,b_min,n,source\n"
    storms += "own,formula,5,120,2000,0.8,10,0.7,bulletin\n"
    plan = read_plan(write(tmp_path, daily_rain=days, storms=storms))
    (storm,) = plan_storms(plan)
    assert storm.provenance == "user"
    assert storm.depth_mm.sum() == pytest.approx(2000 * (1 + 0.8 * np.log10(5)) / 130**0.7 * 60e-4 * 120)
    found = drain(plan)
    depth = {row["target_pct"]: row["depth_mm"] for row in rows(found, "design_depths")}
    x = np.arange(3, 29.0)
    assert np.minimum(x, depth[75.0]).sum() / x.sum() == pytest.approx(0.75)
    assert {row["basis"] for row in rows(found, "design_depths")} == {"daily_rain"}


def test_series_of_rain(tmp_path) -> None:
    storms = "storm,kind,series\ngauge,series,2021\n"
    rain = "series,minute,depth_mm\n2021,0,3\n2021,10,8\n2021,30,2\n"
    (storm,) = plan_storms(read_plan(write(tmp_path, storms=storms, rain=rain)))
    assert storm.depth_mm.tolist() == [3.0, 8.0, 0.0, 2.0]
    bent = write(tmp_path / "bent", storms=storms, rain=rain.replace("30", "25"))
    with pytest.raises(UserError, match="even steps"):
        plan_storms(read_plan(bent))


def test_what_is_refused(tmp_path, town_plan) -> None:
    with pytest.raises(UserError, match=r"no storm P9\. It has: P2"):
        drain(town_plan, DrainOptions(storm="P9"))
    with pytest.raises(UserError, match="nothing to drain"):
        prepare(read_plan(cyclopolis.example("quickstart")))
    none = dict.fromkeys(["catchments", "junctions", "outlets", "conduits", "measures"])
    models = "variant,inp\ngrey,mine.inp\n"
    place = write(tmp_path, **none, drainage_models=models, storms="storm,kind,series\nP2,model,2-yr\n")
    with pytest.raises(UserError, match="There is no file"):
        drain(read_plan(place))
    text = (cyclopolis.example("sponge") / "Site_Drainage_Model.inp").read_text()
    (place / "mine.inp").write_text(text.replace("FLOW_UNITS ", "FLOW_UNITZ ", 1))
    with pytest.raises(UserError, match="invalid keyword FLOW_UNITZ") as caught:
        drain(read_plan(place))
    assert caught.value.problems[0].file == "mine.inp"
    assert "FLOW_UNITZ" in text.replace("FLOW_UNITS ", "FLOW_UNITZ ", 1).splitlines()[caught.value.problems[0].row - 1]
    (place / "mine.inp").write_text(text)
    plain = drain(read_plan(place))
    before, grey, sponge = rows(plain, "variants")
    assert before["surface_mm"] < grey["surface_mm"] == sponge["surface_mm"]
    assert [row["item"] for row in rows(plain, "unknowns") if row["reason"] == "drainage_before"] == ["before"]
    assert {row["item"] for row in rows(plain, "unknowns", reason="drainage_unpriced")} == {"grey", "sponge"}
    with pytest.raises(UserError, match="no measure to choose"):
        drain(read_plan(place), DrainOptions(designs=10))


def test_a_measure_takes_its_ground_and_keeps_the_units(town_plan) -> None:
    base = build_models(town_plan)["grey"].model
    writer = SpongeWriter(base, measure_kinds(town_plan), [Measure("S1", "green_roof", 5000.0, 1.0)])
    text = writer.write(np.array([2000.0])).decode()
    changed = next(line for line in text.splitlines() if line.startswith("S1 ") and "RAIN" in line).split()
    sealed = float(base.rows("SUBCATCHMENTS")[0].fields[4]) / 100 * float(changed[3]) * 1e4
    assert float(changed[4]) == pytest.approx(100 * (sealed - 2000) / (float(changed[3]) * 1e4 - 2000), rel=1e-5)
    assert writer.write(np.array([0.0])).decode().count("[LID_USAGE]") == 0
    with pytest.raises(UserError, match="no subcatchment"):
        SpongeWriter(base, measure_kinds(town_plan), [Measure("S99", "swale", 1.0, 1.0)])


def test_every_kind_of_measure_runs_in_metric_and_in_us_units(town_plan, tmp_path) -> None:
    kinds = measure_kinds(town_plan)
    storm = plan_storms(town_plan)[0]
    metric = storm.falls_on(build_models(town_plan)["grey"].model)
    site = prepare(read_plan(cyclopolis.example("sponge"))).models["grey"]
    for model, catchment in ((metric, metric.names("SUBCATCHMENTS")[0]), (storm.falls_on(site), "S1")):
        measures = [Measure(catchment, name, 300.0, 1.0) for name in kinds]
        writer = SpongeWriter(model, kinds, measures)
        bare = DesignJob(writer)(np.zeros(len(measures)), tmp_path)[0]
        for place, name in enumerate(kinds):
            areas = np.zeros(len(measures))
            areas[place] = 300.0
            assert DesignJob(writer)(areas, tmp_path)[0] <= bare * 1.01, name
        together = run_swmm(writer.write(np.full(len(measures), 100.0)), tmp_path)
        assert len(together.tables["LID Performance Summary"]) == len(kinds)


def test_a_model_lasts_as_long_as_its_storm(town_plan) -> None:
    model = build_models(town_plan)["grey"].model
    assert lasting(model, 5.0) is model
    assert lasting(model, 49.5).option("END_DATE") == "01/03/2000"


@pytest.fixture(scope="module")
def writer() -> SpongeWriter:
    plan = read_plan(cyclopolis.example("sponge"))
    model = Inp.parse((plan.folder / "LID_Model.inp").read_bytes())
    model = model.remove_rows("LID_USAGE", lambda row: row.fields[0] in {"S4", "S5"})
    places = [("S4", "bioretention", 1400.0, 475.0), ("S5", "permeable_pavement", 9000.0, 130.0)]
    places.append(("S5", "green_roof", 4000.0, 200.0))
    return SpongeWriter(model, measure_kinds(plan), [Measure(*place) for place in places])


@pytest.fixture(scope="module")
def searched(writer, tmp_path_factory):
    told: list[float | None] = []
    keep = tmp_path_factory.mktemp("search") / "designs.jsonl"
    found = search_designs(writer, 130, workers=1, keep=keep, progress=lambda stage, done=None: told.append(done))
    return found, keep, told


def test_designs_are_found_again_from_disk(writer, searched) -> None:
    found, keep, told = searched
    assert found.areas_m2.shape == (130, 3)
    assert told[-1] == 1.0
    assert len(keep.read_text().splitlines()) == 130
    keep.write_text(keep.read_text()[:-40] + "\n{")
    again = search_designs(writer, 130, workers=1, keep=keep)
    for name in ("areas_m2", "cost", "answers", "front"):
        assert np.array_equal(getattr(found, name), getattr(again, name), equal_nan=name == "answers"), name


def test_no_design_of_a_grid_is_far_better_than_the_front(writer, searched, tmp_path) -> None:
    found = searched[0]
    values = np.column_stack([found.cost, found.answers[:, :2]])
    front, span = values[found.front], np.ptp(values, axis=0)
    most = np.array([measure.max_area_m2 for measure in writer.measures])
    price = np.array([measure.cost_cny_m2 for measure in writer.measures]) / 1e6
    job = DesignJob(writer)
    for share in np.array(np.meshgrid(*[[0.0, 0.4, 1.0]] * 3)).reshape(3, -1).T:
        other = np.array([most * share @ price, *job(most * share, tmp_path)[:2]])
        assert ((front - other) / span).max(axis=1).min() < 0.08, share


def test_search_is_no_dearer_than_blind_sampling(writer, searched, tmp_path) -> None:
    from scipy.stats import qmc

    found = searched[0]
    most = np.array([measure.max_area_m2 for measure in writer.measures])
    price = np.array([measure.cost_cny_m2 for measure in writer.measures]) / 1e6
    blind = qmc.Sobol(most.size, seed=5).random_base2(6) * most
    runoff = np.array([DesignJob(writer)(row, tmp_path)[0] for row in blind])
    for share in (0.1, 0.3, 0.6):
        bound = np.quantile(runoff, share)
        cheapest = (blind @ price)[runoff <= bound].min()
        assert found.cost[found.answers[:, 0] <= bound].min() <= cheapest * 1.01


def test_nondominated_is_what_the_definition_says() -> None:
    values = np.random.default_rng(4).integers(0, 4, (60, 3)).astype(float)
    kept = nondominated(values)
    for i, row in enumerate(values):
        beaten = any((other <= row).all() and (other < row).any() for other in values)
        repeated = any((values[j] == row).all() for j in range(i))
        assert kept[i] == (not beaten and not repeated)
    assert nondominated(np.zeros((0, 2))).size == 0


def test_designs_stand_in_the_answer() -> None:
    found = drain(read_plan(cyclopolis.example("sponge")), DrainOptions("2-year", designs=12, workers=1))
    designs = found.tables["designs"]
    assert designs.height == 12
    assert designs["cost"].is_sorted()
    first = rows(found, "design_areas", design=1)
    assert [row["area_m2"] for row in first] == [0.0] * 6
    assert found.tables["design_areas"]["design"].n_unique() == designs["on_front"].sum()
    assert "front" in found.figures("zh")
    assert designs.filter(pl.col("captured_pct") < 0).is_empty()


def test_an_interruption_loses_no_finished_design(writer, tmp_path) -> None:
    import multiprocessing

    def stop(stage, done=None) -> None:
        if done is not None and done > 0.2:
            raise KeyboardInterrupt

    keep = tmp_path / "designs.jsonl"
    with pytest.raises(KeyboardInterrupt):
        search_designs(writer, 20, workers=1, keep=keep, progress=stop)
    finished = len(keep.read_text().splitlines())
    assert 4 < finished < 20
    assert multiprocessing.active_children() == []
    found = search_designs(writer, 20, workers=1, keep=keep)
    assert found.cost.size == 20
    assert len(keep.read_text().splitlines()) == 20
