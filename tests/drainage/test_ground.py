"""No design takes more ground than there is; a catchment that is split gives each part its share of a measure."""

import numpy as np
import pytest
from drainage_places import write
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.foundation.problems import UserError
from cyclopolis.infrastructure.drainage.engine import DrainOptions, drain
from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.kinds import measure_kinds
from cyclopolis.infrastructure.drainage.rainfall import plan_storms
from cyclopolis.infrastructure.drainage.search import _Quadratic, fitting, search_designs
from cyclopolis.infrastructure.drainage.sponge import Measure, SpongeWriter, refuse_too_large, surfaces, treated_pct
from cyclopolis.infrastructure.drainage.swmm import run_swmm, units_of
from cyclopolis.infrastructure.drainage.variants import prepare
from cyclopolis.plan import read_plan

HEAD = "catchment,measure,area_m2,max_area_m2\n"
ONE = "catchment,area_ha,imperviousness_pct,outlet,storm_outlet,separated_pct\n"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return read_plan(write(tmp_path_factory.mktemp("town")))


@pytest.fixture(scope="module")
def rainy(town) -> Inp:
    return plan_storms(town)[0].falls_on(prepare(town).models["grey"])


def crowded(town, model: Inp) -> SpongeWriter:
    """Return four measures on one catchment of 3 ha sealed and 3 ha open ground that do not all fit at once."""
    places = (
        ("green_roof", 20_000.0, 200.0), ("permeable_pavement", 25_000.0, 130.0), ("bioretention", 19_000.0, 475.0),
        ("rain_garden", 16_000.0, 475.0),
    )  # fmt: skip
    measures = [Measure("S1", kind, most, price) for kind, most, price in places]
    return SpongeWriter(model, measure_kinds(town), measures)


def test_sealed_and_open_ground_are_told_apart(town, rainy) -> None:
    sealed, free = crowded(town, rainy).grounds()
    assert (sealed.catchment, sealed.on_sealed, sealed.places.tolist()) == ("S1", True, [0, 1])
    assert (free.catchment, free.on_sealed, free.places.tolist()) == ("S1", False, [2, 3])
    assert (sealed.free_m2, free.free_m2) == pytest.approx((30_000.0, 30_000.0))


def test_every_design_fits_on_the_ground(town, rainy) -> None:
    writer = crowded(town, rainy)
    found = search_designs(writer, 60, workers=1)
    assert found.problems == ()
    assert found.cost.size == 60
    for areas in found.areas_m2:
        refuse_too_large(writer, areas)
    used = np.array(
        [[areas[ground.places].sum() / ground.free_m2 for ground in writer.grounds()] for areas in found.areas_m2]
    )
    assert used.max() == pytest.approx(1.0, rel=1e-5), "the largest design takes all of one ground"
    with pytest.raises(UserError, match="sealed"):
        refuse_too_large(writer, np.array([measure.max_area_m2 for measure in writer.measures]))


def test_measures_that_fit_are_let_alone(town, rainy) -> None:
    writer = SpongeWriter(rainy, measure_kinds(town), [Measure("S1", "green_roof", 9000.0, 1.0)])
    assert search_designs(writer, 2, workers=1).areas_m2.ravel().tolist() == pytest.approx([0.0, 9000.0])


shares = st.lists(st.floats(0, 1), min_size=4, max_size=4).map(np.array)
rooms = st.lists(st.floats(0.05, 3), min_size=4, max_size=4).map(
    lambda values: np.array([[values[0], values[1], 0.0, 0.0], [0.0, 0.0, values[2], values[3]]])
)


@settings(max_examples=100, deadline=None)
@given(shares, rooms)
def test_what_fits_is_no_larger_and_keeps_its_proportions(wanted, room) -> None:
    held = fitting(wanted, room)
    assert (held <= wanted + 1e-15).all()
    assert (room @ held <= 1.0 + 1e-12).all()
    for row in room:
        mine = row > 0
        if row @ wanted <= 1.0:
            assert held[mine].tolist() == wanted[mine].tolist()
        else:
            assert row @ held == pytest.approx(1.0)
            assert held[mine] * wanted[mine][::-1] == pytest.approx(held[mine][::-1] * wanted[mine])
    assert fitting(held, room) == pytest.approx(held)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 6).flatmap(lambda n: st.lists(st.floats(-2, 2), min_size=n, max_size=n)).map(np.array))
def test_slopes_of_the_surrogate_are_its_differences(x) -> None:
    quadratic = _Quadratic(*np.triu_indices(x.size))
    step = 1e-6
    for place in range(x.size):
        moved = np.eye(x.size)[place] * step
        wanted = (quadratic.terms((x + moved)[None]) - quadratic.terms((x - moved)[None]))[0] / (2 * step)
        assert quadratic.slopes(x)[:, place] == pytest.approx(wanted, abs=1e-7)


@pytest.mark.parametrize("separated", [5, 35, 90])
def test_a_split_catchment_shares_a_measure_by_area(tmp_path, separated) -> None:
    """The measure takes most of the sealed ground: halves would not fit on the smaller part."""
    catchments = ONE + f"town,10,60,J3,river,{separated}\n"
    measures = HEAD + "town,permeable_pavement,50000,55000\ntown,bioretention,1000,2000\n"
    plan = read_plan(write(tmp_path, catchments=catchments, measures=measures))
    made = prepare(plan)
    assert made.spread.sum(axis=0).tolist() == pytest.approx([1.0, 1.0])
    sizes = {(one.catchment, one.kind): one.max_area_m2 for one in made.options}
    assert sizes["S1r", "bioretention"] == pytest.approx(2000 * separated / 100)
    assert sizes["S1", "permeable_pavement"] == pytest.approx(55000 * (1 - separated / 100))
    usage = {(row.fields[0], row.fields[1]): float(row.fields[3]) for row in made.models["sponge"].rows("LID_USAGE")}
    assert sum(usage.values()) == pytest.approx(51_000.0, rel=1e-5)
    assert usage["S1r", "permeable_pavement"] == pytest.approx(50_000 * separated / 100, rel=1e-5)
    result = drain(plan)
    assert sorted(result.tables["measures"]["area_m2"]) == [1000.0, 50_000.0]


def test_own_names_that_end_like_ours_are_not_split(tmp_path) -> None:
    """A model of the user's may hold S1 and S1r: they are two places, not halves of one."""
    model = """[OPTIONS]
FLOW_UNITS CMS
END_DATE 01/02/2004
[RAINGAGES]
R INTENSITY 0:05 1.0 TIMESERIES wet
[TIMESERIES]
wet 0:00 20
wet 0:30 0
[SUBCATCHMENTS]
S1 R O 4 50 200 1 0
S1r R O 2 50 100 1 0
[SUBAREAS]
S1 0.01 0.1 1 5 25 OUTLET
S1r 0.01 0.1 1 5 25 OUTLET
[INFILTRATION]
S1 70 5 4 7 0
S1r 70 5 4 7 0
[OUTFALLS]
O 0 FREE NO
"""
    write(
        tmp_path, catchments=None, junctions=None, conduits=None, outlets=None,
        drainage_models="variant,inp\ngrey,town.inp\n", storms="storm,kind,series\nwet,model,wet\n",
        measures=HEAD + "S1,green_roof,1000,1000\n",
    )  # fmt: skip
    (tmp_path / "town.inp").write_text(model)
    made = prepare(read_plan(tmp_path))
    assert [(one.catchment, one.max_area_m2) for one in made.options] == [("S1", 1000.0)]
    assert made.spread.tolist() == [[1.0]]


def test_designs_of_a_split_catchment_add_up(tmp_path) -> None:
    catchments = ONE + "town,10,60,J3,river,30\n"
    plan = read_plan(write(tmp_path, catchments=catchments, measures=HEAD + "town,green_roof,0,20000\n"))
    result = drain(plan, DrainOptions(designs=3, workers=1))
    areas = result.tables["design_areas"].sort("area_m2")["area_m2"].to_list()
    assert areas[0] == 0.0
    assert areas[-1] == pytest.approx(20_000.0)


@pytest.mark.parametrize("seed", range(8))
def test_ground_is_conserved_and_so_is_water(town, rainy, tmp_path, seed) -> None:
    writer = crowded(town, rainy)
    most = np.array([measure.max_area_m2 for measure in writer.measures])
    room = np.array([np.isin(np.arange(4), ground.places) * most / ground.free_m2 for ground in writer.grounds()])
    draw = np.random.default_rng(seed)
    design = fitting(draw.random(4) * (draw.random(4) < 0.7), room) * most
    text = writer.write(design)
    model = Inp.parse(text)
    row = next(row for row in model.rows("SUBCATCHMENTS") if row.fields[0] == "S1")
    left = float(row.fields[3]) * units_of(model).area_m2 - design.sum()
    kinds = measure_kinds(town)
    taken = sum(area for area, one in zip(design, writer.measures, strict=True) if kinds[one.kind].on_sealed)
    assert float(row.fields[4]) / 100 * left == pytest.approx(30_000 - taken, abs=1.0)
    usage = [one.fields for one in model.rows("LID_USAGE")]
    assert sum(float(fields[3]) for fields in usage) == pytest.approx(design.sum(), rel=1e-5)
    assert sum(float(fields[6]) for fields in usage) <= 100.0 + 1e-3
    totals = run_swmm(text, tmp_path).totals
    assert abs(totals.runoff_error_pct) < 0.5
    assert abs(totals.flow_error_pct) < 1.0


def test_what_drains_to_a_measure_follows_its_ratio(town) -> None:
    kind = measure_kinds(town)["bioretention"]
    measure = Measure("S1", "bioretention", 1000.0, 1.0)
    assert treated_pct(kind, measure, 100.0, 0.0) == 0.0
    assert treated_pct(kind, measure, 100.0, 10_000.0) == pytest.approx(kind.treats)
    assert treated_pct(kind, measure, 1e6, 10_000.0) == 100.0
    given_share = Measure("S1", "bioretention", 1000.0, 1.0, 80.0)
    assert treated_pct(kind, given_share, 500.0, 10_000.0) == pytest.approx(40.0)
    assert treated_pct(kind, Measure("S1", "bioretention", 0.0, 1.0, 80.0), 500.0, 10_000.0) == pytest.approx(80.0)


def test_a_models_own_measures_keep_their_names_and_layers(town, rainy, tmp_path) -> None:
    """A green roof of the user's own stays what it is: ours gets another name."""
    own = rainy.add_rows(
        "LID_CONTROLS",
        [("Green_Roof", "GR"), ("Green_Roof", "SURFACE", 25, 0.1, 0.1, 1, 0),
         ("Green_Roof", "SOIL", 75, 0.5, 0.2, 0.1, 12.5, 10, 87.5), ("Green_Roof", "DRAINMAT", 3, 0.5, 0.1)],
    ).add_rows("LID_USAGE", [("S2", "Green_Roof", 1, 200, 10, 0, 0, 0)])  # fmt: skip
    writer = SpongeWriter(own, measure_kinds(town), [Measure("S1", "green_roof", 900.0, 1.0)])
    text = writer.write(np.array([900.0]))
    model = Inp.parse(text)
    assert model.names("LID_CONTROLS") == ("Green_Roof", "green_roof_2")
    assert [row.fields for row in model.rows("LID_CONTROLS")][:4] == [row.fields for row in own.rows("LID_CONTROLS")]
    assert [row.fields[:2] for row in model.rows("LID_USAGE")] == [("S2", "Green_Roof"), ("S1", "green_roof_2")]
    table = run_swmm(text, tmp_path).tables["LID Performance Summary"]
    assert [row[:2] for row in table] == [("S1", "green_roof_2"), ("S2", "Green_Roof")]


def test_ground_under_a_models_own_measures_is_not_given_twice(town, rainy, tmp_path) -> None:
    """SWMM's share of sealed ground is of what no measure covers: 1 ha of 6 is covered already, half of 5 is sealed."""
    layers = [("pit", "IT"), ("pit", "SURFACE", 0, 0, 0.24, 0.4, 0), ("pit", "STORAGE", 600, 0.6, 10, 0)]
    own = rainy.add_rows("LID_CONTROLS", [*layers, ("pit", "DRAIN", 0, 0.5, 0, 6)])
    own = own.add_rows("LID_USAGE", [("S1", "pit", 4, 2500, 0, 0, 0, 0)])
    assert (surfaces(own)["S1"].area_m2, surfaces(own)["S1"].sealed_m2) == pytest.approx((50_000.0, 25_000.0))
    writer = SpongeWriter(own, measure_kinds(town), [Measure("S1", "green_roof", 25_000.0, 1.0)])
    (ground,) = writer.grounds()
    assert ground.free_m2 == pytest.approx(25_000.0)
    model = Inp.parse(writer.write(np.array([10_000.0])))
    row = next(row for row in model.rows("SUBCATCHMENTS") if row.fields[0] == "S1")
    assert float(row.fields[4]) == pytest.approx(100 * 15_000 / 40_000)
    totals = run_swmm(model.to_bytes(), tmp_path).totals
    assert abs(totals.runoff_error_pct) < 0.5
    with pytest.raises(UserError, match="25,000"):
        refuse_too_large(writer, np.array([25_100.0]))
