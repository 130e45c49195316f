"""Rules of storms that hold whatever the parameters: mass, shape, mirror, steps; and what a year's rain keeps."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from drainage_places import write
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclopolis.infrastructure.drainage.gages import clock, with_series, with_storm
from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.rainfall import Storm, annual_capture, lasting, plan_storms
from cyclopolis.infrastructure.drainage.storms import (
    SMALL_DAY_MM,
    capture_ratio,
    chicago_cumulative,
    chicago_depths,
    design_depth,
    formula_depth,
)
from cyclopolis.infrastructure.drainage.swmm import run_swmm
from cyclopolis.library.storm import load_storm_library
from cyclopolis.plan import read_plan

FORMULAS = load_storm_library().formulas.sort("formula").rows(named=True)
formulas = st.sampled_from(FORMULAS).map(
    lambda row: [row[key] for key in ("a_l_s_ha", "c", "b_min", "b_exponent", "n")]
)


@given(formulas, st.floats(1, 100), st.floats(5, 180))
def test_rarer_and_longer_storms_bring_more_rain(parameters, period, minutes) -> None:
    rain = formula_depth(*parameters, period, minutes)
    assert 0 < rain < 500
    assert formula_depth(*parameters, period * 1.5, minutes) > rain or parameters[3] > 0
    assert formula_depth(*parameters, period, minutes + 5) > rain
    assert formula_depth(*parameters, period, minutes + 5) / (minutes + 5) < rain / minutes, "and thinner rain"


@given(formulas, st.floats(1, 100), st.integers(10, 240), st.floats(0.1, 0.9))
def test_a_storm_of_the_library_has_one_peak_where_it_is_asked_for(parameters, period, minutes, ratio) -> None:
    _, _, b, exponent, n = parameters
    total = formula_depth(*parameters, period, minutes)
    depths = chicago_depths(total, float(minutes), 1.0, b * period**exponent, n, ratio)
    assert depths.sum() == pytest.approx(total)
    assert (depths >= 0).all()
    top = int(depths.argmax())
    assert top - 1 <= ratio * minutes <= top + 2
    assert (np.diff(depths[: top + 1]) >= -1e-9).all()
    assert (np.diff(depths[top:]) <= 1e-9).all()


@given(
    st.floats(1, 300), st.integers(2, 60), st.floats(0.5, 60), st.floats(0.3, 1.0), st.floats(0, 1), st.integers(1, 6)
)
def test_fine_steps_add_up_to_coarse_ones(total, steps, b, n, ratio, parts) -> None:
    minutes = 6.0 * steps
    coarse = chicago_depths(total, minutes, 6.0, b, n, ratio)
    fine = chicago_depths(total, minutes, 6.0 / parts, b, n, ratio)
    assert fine.reshape(-1, parts).sum(axis=1) == pytest.approx(coarse, rel=1e-9, abs=1e-9 * total)


@given(st.floats(1, 300), st.integers(2, 60), st.floats(0.5, 60), st.floats(0.3, 1.0), st.floats(0.05, 0.95))
def test_a_peak_as_far_from_the_end_is_the_mirrored_storm(total, steps, b, n, ratio) -> None:
    one = chicago_depths(total, 5.0 * steps, 5.0, b, n, ratio)
    other = chicago_depths(total, 5.0 * steps, 5.0, b, n, 1.0 - ratio)
    assert other[::-1] == pytest.approx(one, rel=1e-7, abs=1e-9 * total)


@given(st.floats(1, 300), st.floats(1, 300), st.floats(0.5, 60), st.floats(0.3, 1.0), st.floats(0, 1))
def test_rain_starts_at_nought_ends_at_its_total_and_scales(total, minutes, b, n, ratio) -> None:
    ends = np.array([0.0, minutes])
    risen = chicago_cumulative(ends, total, minutes, b, n, ratio)
    assert risen == pytest.approx([0.0, total], abs=1e-9 * total)
    t = np.linspace(0, minutes, 7)
    twice = chicago_cumulative(t, 2 * total, minutes, b, n, ratio)
    assert twice == pytest.approx(2 * chicago_cumulative(t, total, minutes, b, n, ratio))


days = st.lists(st.floats(0, 200), min_size=1, max_size=60).map(np.array)


@given(days, st.floats(0, 250), st.floats(0, 250))
def test_more_kept_of_each_day_keeps_more_of_the_year(rain, one, other) -> None:
    if not (rain > SMALL_DAY_MM).any():
        assert np.isnan(capture_ratio(rain, one))
        return
    low, high = (capture_ratio(rain, depth) for depth in sorted((one, other)))
    assert 0 <= low <= high <= 1 + 1e-12
    assert capture_ratio(rain[::-1], one) == pytest.approx(capture_ratio(rain, one))
    assert capture_ratio(rain, float(rain.max())) == pytest.approx(1.0)


@given(days, st.floats(0, 1))
def test_a_design_depth_keeps_what_it_is_for(rain, ratio) -> None:
    depth = design_depth(rain, ratio)
    if np.isnan(depth):
        assert not (rain > SMALL_DAY_MM).any()
    else:
        assert capture_ratio(rain, depth) == pytest.approx(ratio, abs=1e-9)


def test_cities_keep_more_with_deeper_measures(tmp_path) -> None:
    plan = read_plan(write(tmp_path))
    table = load_storm_library().capture_depths
    for (city,), own in table.group_by("city_zh"):
        depths = own.sort("target_pct")["depth_mm"].to_list()
        assert depths == sorted(depths), city
        shares = [annual_capture(plan, depth, str(city))[0] for depth in depths]
        assert shares == pytest.approx(own.sort("target_pct")["target_pct"].to_list())
        assert annual_capture(plan, depths[0] - 1.0, str(city))[0] is None
        assert annual_capture(plan, depths[-1] + 1.0, str(city))[0] is None
    assert annual_capture(plan, 20.0, "Atlantis") == (None, "", "memory")


HEAD = "[OPTIONS]\nSTART_DATE {start}\nSTART_TIME {time}\nEND_DATE {end}\nEND_TIME 00:00:00\n"


@settings(max_examples=60)
@given(
    st.integers(0, 50_000_000).map(lambda minutes: datetime.fromisoformat("1990-01-01") + timedelta(minutes=minutes)),
    st.floats(0.1, 500),
)
def test_a_model_is_lengthened_to_hold_its_storm_never_cut(start, hours) -> None:
    text = HEAD.format(start=f"{start:%m/%d/%Y}", time=f"{start:%H:%M:%S}", end="01/01/2095")
    long = Inp.parse(text.encode())
    assert lasting(long, hours) is long
    short = Inp.parse(text.replace("01/01/2095", f"{start:%m/%d/%Y}").encode())
    made = lasting(short, hours)
    if made is not short:
        end = datetime.strptime(f"{made.option('END_DATE')} {made.option('END_TIME')}", "%m/%d/%Y %H:%M:%S")  # noqa: DTZ007
        assert hours <= (end - start).total_seconds() / 3600 <= hours + 1 + 1e-6


@given(st.integers(0, 100_000))
def test_clocks_come_back(seconds) -> None:
    parts = [int(part) for part in clock(seconds / 60).split(":")]
    hours, minutes, rest = (*parts, 0)[:3]
    assert 3600 * hours + 60 * minutes + rest == seconds


MODEL = b"""[OPTIONS]
FLOW_UNITS CFS
END_DATE 01/02/2004
[RAINGAGES]
G1 VOLUME 1:00 1.0 FILE "somewhere.dat" ST01 IN
G2 CUMULATIVE 0:15 1.0 TIMESERIES old
[TIMESERIES]
old 0:00 1
old 1:00 2
[SUBCATCHMENTS]
S1 G1 O 4 50 400 1 0
S2 G2 O 4 50 400 1 0
[SUBAREAS]
S1 0.01 0.1 0.05 0.05 25 OUTLET
S2 0.01 0.1 0.05 0.05 25 OUTLET
[INFILTRATION]
S1 3.0 0.5 4 7 0
S2 3.0 0.5 4 7 0
[OUTFALLS]
O 0 FREE NO
"""


@pytest.mark.parametrize("units", ["CFS", "CMS"])
@pytest.mark.parametrize("step", [1.0, 5.0, 7.5])
def test_a_storm_falls_whole_on_every_gage_in_either_units(tmp_path, units, step) -> None:
    """Gages that read files, volumes or cumulative rain before now read the intensity of the storm."""
    depths = np.array([2.0, 9.0, 4.0, 0.0, 1.0])
    model = Inp.parse(MODEL.replace(b"CFS", units.encode()))
    wet = with_storm(model, depths * 60.0 / step, step)
    assert {row.fields[1] for row in wet.rows("RAINGAGES")} == {"INTENSITY"}
    totals = run_swmm(wet.to_bytes(), tmp_path).totals
    assert totals.depth_mm["rain"] == pytest.approx(depths.sum(), rel=1e-3)
    again = with_storm(wet, depths * 60.0 / step, step)
    assert again.to_bytes() == wet.to_bytes(), "twice is once"
    assert with_series(wet, "old").names("TIMESERIES") == ("old", "cyclopolis_storm")


def test_storms_stand_in_the_order_of_their_return_period(tmp_path) -> None:
    storms = (
        "storm,kind,city,return_period_a,duration_min,series\nc,formula,贵阳,50,60,\nb,formula,贵阳,2,60,\n"
        "a,formula,贵阳,2,120,\ngauge,series,,,,2021\n"
    )
    rain = "series,minute,depth_mm\n2021,0,3\n2021,10,8\n"
    found = plan_storms(read_plan(write(tmp_path, storms=storms, rain=rain)))
    assert [storm.name for storm in found] == ["a", "b", "c", "gauge"]
    assert [storm.kind for storm in found] == ["formula", "formula", "formula", "series"]
    assert found[2].depth_mm.sum() > found[1].depth_mm.sum()


def test_a_dry_storm_leaves_a_model_its_time(tmp_path) -> None:
    storm = Storm("dry", "series", np.zeros(4), 15.0)
    model = storm.falls_on(Inp.parse(MODEL))
    totals = run_swmm(model.to_bytes(), tmp_path).totals
    assert totals.depth_mm["rain"] == pytest.approx(0.0)
    assert totals.peak_at_h is None
