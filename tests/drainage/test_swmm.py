"""The runner against EPA's published numbers, and what it says when SWMM refuses or a worker dies."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drainage_jobs import Unpicklable, runoff, square_or_die, variable
from swmm.toolkit import output
from swmm.toolkit.shared_enum import ElementType, NodeAttribute, SystemAttribute, Time

from cyclopolis.foundation.problems import UserError
from cyclopolis.infrastructure.drainage import pool
from cyclopolis.infrastructure.drainage.gages import clock, with_found_files, with_series, with_storm
from cyclopolis.infrastructure.drainage.inp import Inp
from cyclopolis.infrastructure.drainage.pool import run_pool
from cyclopolis.infrastructure.drainage.swmm import INCH, area_m2, outfall_series, run_swmm
from cyclopolis.infrastructure.drainage.swmm_report import warnings
from cyclopolis.study.verify import verify
from cyclopolis.study.verify.cases import bundled_cases

CASES = bundled_cases()[0].parent
EPA = CASES / "swmm"


def model(name: str) -> bytes:
    return (EPA / f"{name}.inp").read_bytes()


def test_epa_cases_hold() -> None:
    report = verify(sorted(CASES.glob("swmm_*.yaml")))
    assert report.exit_code == 0
    assert len(report.cases) == 6


def test_a_case_can_miss_and_say_why(tmp_path: Path) -> None:
    text = (CASES / "swmm_lid.yaml").read_text().replace("swmm/LID_Model.inp", str(EPA / "LID_Model.inp"))
    for old, new, code in (
        ("0.232", "0.25", 1),
        ("2-yr", "3-yr", 2),
        ("LID_Model.inp", "Gone.inp", 2),
        ("inp:", "imp:", 2),
    ):
        (tmp_path / "case.yaml").write_text(text.replace(old, new))
        assert verify([tmp_path / "case.yaml"]).exit_code == code, old


def test_water_is_conserved(tmp_path: Path) -> None:
    run = run_swmm(model("LID_Model"), tmp_path)
    depth = run.totals.depth_mm
    parts = sum(depth[name] for name in ("runoff", "drained", "infiltration", "evaporation", "storage"))
    assert parts == pytest.approx(depth["rain"] + 0.018 * INCH, rel=2e-3)
    assert run.totals.volume_m3["outflow"] == pytest.approx(
        (depth["runoff"] + depth["drained"]) / 1000 * area_m2(Inp.parse(model("LID_Model"))), rel=1e-3
    )
    assert {row[0] for row in run.tables["Subcatchment Runoff Summary"]} >= {"S1", "Swale6"}


def test_metric_models_give_metric_numbers(tmp_path: Path) -> None:
    metric = Inp.parse(model("Pre_Development")).set_option("FLOW_UNITS", "LPS")
    run = run_swmm(metric.to_bytes(), tmp_path)
    assert run.units.is_us is False
    assert run.totals.depth_mm["rain"] == pytest.approx(0.9783, rel=1e-3)
    assert run.totals.volume_m3["outflow"] == pytest.approx(
        run.totals.depth_mm["runoff"] / 1000 * area_m2(metric), rel=1e-2
    )


@pytest.mark.parametrize("name", ["LID_Model", "Pre_Development", "Site_Drainage_Model", "Example1", "Example3"])
def test_series_are_those_that_the_toolkit_reads(tmp_path: Path, name: str) -> None:
    run = run_swmm(model(name), tmp_path)
    handle = output.init()
    output.open(handle, str(tmp_path / "model.out"))
    count = output.get_times(handle, Time.NUM_PERIODS)
    step_h = output.get_times(handle, Time.REPORT_STEP) / 3600.0
    read = [
        np.array(output.get_system_series(handle, attribute, 0, count - 1))
        for attribute in (SystemAttribute.RAINFALL, SystemAttribute.RUNOFF_FLOW, SystemAttribute.OUTFALL_FLOWS)
    ]
    output.close(handle)
    units, series = run.units, run.series
    assert count > 0
    np.testing.assert_array_equal(series.hours, step_h * np.arange(1, count + 1))
    np.testing.assert_array_equal(series.rain_mm_h, read[0] * units.depth_mm)
    np.testing.assert_array_equal(series.runoff_m3_s, read[1] * units.flow_m3_s)
    np.testing.assert_array_equal(series.outfall_m3_s, read[2] * units.flow_m3_s)


@pytest.mark.parametrize("name", sorted(path.stem for path in EPA.glob("*.inp")))
def test_outfalls_are_those_that_the_toolkit_reads(tmp_path: Path, name: str) -> None:
    """Inflow and first pollutant; of the others the toolkit tells nothing."""
    text = model(name)
    outfalls, pollutants = Inp.parse(text).names("OUTFALLS"), Inp.parse(text).names("POLLUTANTS")
    run = run_swmm(text, tmp_path)
    inflow = outfall_series(tmp_path, outfalls)
    carried = outfall_series(tmp_path, outfalls, 0) if pollutants else {}
    handle = output.init()
    output.open(handle, str(tmp_path / "model.out"))
    count = output.get_times(handle, Time.NUM_PERIODS)
    for index in range(output.get_proj_size(handle)[1]):
        node = output.get_elem_name(handle, ElementType.NODE, index)
        if node not in outfalls:
            assert node not in inflow
            continue
        flow = np.array(output.get_node_series(handle, index, NodeAttribute.TOTAL_INFLOW, 0, count - 1))
        assert np.array_equal(inflow[node], run.units.flow_m3_s * flow)
        if pollutants:
            load = np.array(output.get_node_series(handle, index, NodeAttribute.POLLUT_CONC_0, 0, count - 1))
            assert np.array_equal(carried[node], inflow[node] * load)
    output.close(handle)
    for place, (pollutant, kg) in enumerate(run.totals.discharged_kg.items()):
        series = outfall_series(tmp_path, outfalls, place)
        per_m3 = {"MG/L": 1e-3, "UG/L": 1e-6}[Inp.parse(text).rows("POLLUTANTS")[place].fields[1].upper()]
        step_s = 3600.0 * run.series.hours[0]
        assert sum(one.sum() for one in series.values()) * step_s * per_m3 == pytest.approx(kg, rel=0.03), pollutant


def test_a_run_with_one_report_has_series_of_one(tmp_path: Path) -> None:
    late = Inp.parse(model("Example1")).set_option("REPORT_START_DATE", "01/02/1998")
    late = late.set_option("REPORT_START_TIME", "11:30:00")
    series = run_swmm(late.to_bytes(), tmp_path).series
    whole = run_swmm(model("Example1"), tmp_path).series
    assert series.hours.size == series.rain_mm_h.size == series.runoff_m3_s.size == 1
    assert series.outfall_m3_s[0] == whole.outfall_m3_s[-1] > 0


def test_series_of_outfalls_and_the_system_agree(tmp_path: Path) -> None:
    run = run_swmm(model("Site_Drainage_Model"), tmp_path)
    single = outfall_series(tmp_path, ("O1",))["O1"]
    assert single.max() == pytest.approx(run.series.outfall_m3_s.max(), rel=1e-3)
    assert single.sum() == pytest.approx(run.series.outfall_m3_s.sum(), rel=1e-3)
    assert run.totals.outfall_peak_m3_s == pytest.approx(33.44 * 0.3048**3, rel=2e-3)
    assert run.totals.discharged_kg["TSS"] == pytest.approx(587.196 * 0.45359237)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("4.55    ", "abc     ", 58, "invalid number abc"),
        ("FLOW_UNITS", "FLOW_UNITZ", 8, "invalid keyword"),
        ("TIMESERIES	2-yr", "TIMESERIES	9-yr", 53, "undefined object 9-yr"),
        (
            "S5              	GreenRoof       	1 ",
            "S5              	GreenRoof       	9 ",
            None,
            "LID area exceeds",
        ),
    ],
)
def test_swmm_speaks_for_itself_with_the_line(tmp_path: Path, old, new, line, words) -> None:
    text = model("LID_Model").decode().replace(old, new)
    with pytest.raises(UserError) as caught:
        run_swmm(text.encode(), tmp_path, name="mine.inp")
    problem = caught.value.problems[0]
    assert (problem.file, problem.row) == ("mine.inp", line)
    assert words in problem.render("en")
    if line:
        assert new.split()[0].casefold() in text.splitlines()[line - 1].casefold()
    assert run_swmm(model("Pre_Development"), tmp_path).totals.depth_mm["rain"] == pytest.approx(24.85, rel=1e-3)


def test_nothing_is_written_on_standard_output(tmp_path: Path, capfd) -> None:
    run_swmm(model("LID_Model"), tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_storm_of_our_own_falls_on_every_gage(tmp_path: Path) -> None:
    import numpy as np

    wet = with_storm(Inp.parse(model("Pre_Development")), np.array([30.0, 60.0, 12.0]), 10.0)
    run = run_swmm(wet.to_bytes(), tmp_path)
    assert run.totals.depth_mm["rain"] == pytest.approx(17.0, rel=1e-5)
    assert clock(61.5) == "1:01:30"
    with pytest.raises(UserError, match="has no rain gage"):
        with_series(Inp.parse(b"[OPTIONS]\n"), "x")


def test_files_beside_the_model_are_found(tmp_path: Path) -> None:
    (tmp_path / "rain data.dat").write_text("x")
    text = b'[RAINGAGES]\nG1 INTENSITY 1:00 1.0 FILE "rain data.dat" S1 MM\n[FILES]\nSAVE RAINFALL other.rff\n'
    found = with_found_files(Inp.parse(text), tmp_path)
    assert found.rows("RAINGAGES")[0].fields[5] == str(tmp_path / "rain data.dat")
    assert found.rows("FILES")[0].fields == ("SAVE", "RAINFALL", "other.rff")


def test_warnings_are_listed_once() -> None:
    assert warnings(" WARNING 04: drop\n x\n WARNING 04: drop\n") == ("WARNING 04: drop",)


def test_the_pool_survives_a_death_a_refusal_and_noise(capfd) -> None:
    found = {one.index: one for one in run_pool(square_or_die, list(range(40)), workers=2)}
    assert sorted(found) == list(range(40))
    assert [found[k].value for k in range(40) if k not in (7, 11)] == [k * k for k in range(40) if k not in (7, 11)]
    assert found[7].problems[0].text.key == "drainage.worker_died"
    assert found[11].problems[0].text.key == "drainage.no_gage"
    assert capfd.readouterr().out == ""


def test_a_run_takes_no_file_over(tmp_path: Path) -> None:
    text = model("LID_Model")
    first = run_swmm(text, tmp_path)
    for ending in ("inp", "rpt", "out"):
        (tmp_path / f"kept.{ending}").hardlink_to(tmp_path / f"model.{ending}")
        (tmp_path / f"kept.{ending}").write_bytes(b"kept")
    second = run_swmm(text, tmp_path)
    assert second.totals == first.totals
    assert all((tmp_path / f"kept.{ending}").read_bytes() == b"kept" for ending in ("inp", "rpt", "out"))


def test_workers_count_with_one_thread_and_the_parent_keeps_its_own(monkeypatch) -> None:
    name = "OPENBLAS_NUM_THREADS"
    for mine in (None, "3"):
        monkeypatch.delenv(name, raising=False)
        if mine is not None:
            monkeypatch.setenv(name, mine)
        assert [one.value for one in run_pool(variable, [name, "PATH"], workers=1)] == ["1", os.environ["PATH"]]
        assert os.environ.get(name) == mine


def test_a_worker_that_dies_at_its_last_piece_ends_the_sweep() -> None:
    (found,) = run_pool(square_or_die, [7], workers=2)
    assert found.problems[0].text.key == "drainage.worker_died"


def test_a_worker_that_dies_between_two_pieces_costs_none() -> None:
    """It answers its first piece and dies before the next are handed over; others do them all."""
    ours, theirs = multiprocessing.Pipe()
    theirs.close()
    worker = pool._Worker(multiprocessing.get_context("spawn").Process(), ours, ready=True)
    waiting = [4, 3, 2, 1, 0]
    pool._feed(worker, "abcde", waiting, 1)
    assert waiting == [4, 3, 2, 1, 0]
    assert worker.held == []
    ours.close()


def test_what_a_worker_loads_is_without_the_libraries_of_tables() -> None:
    code = (
        "import sys, cyclopolis.infrastructure.drainage.search, cyclopolis.infrastructure.drainage.sponge\n"
        "assert not {'polars', 'scipy'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_pool_that_cannot_start_says_so(capfd) -> None:
    with pytest.raises(UserError, match="No worker process could start"):
        list(run_pool(Unpicklable(), [1, 2], workers=1))


def test_the_pool_gives_what_one_process_gives(tmp_path: Path) -> None:
    models = [model("LID_Model"), model("Pre_Development"), b"[OPTIONS]\nNONSENSE 1\n"]
    found = sorted(run_pool(runoff, models, workers=1), key=lambda one: one.index)
    assert [one.value for one in found[:2]] == [runoff(text, tmp_path) for text in models[:2]]
    assert "NONSENSE" in found[2].problems[0].render("en")
    assert list(run_pool(runoff, [])) == []
