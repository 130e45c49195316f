"""What is on disk stays whole whatever stops a run, is refused when stale, and is the same bytes each time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import cyclopolis
from cyclopolis.foundation.problems import UserError
from cyclopolis.report import write_report
from cyclopolis.study import RunResult, load_run, results_folder, run

Ran = Callable[..., RunResult]


@pytest.fixture
def place(tmp_path: Path, ran: Ran) -> Path:
    """Return a plan with the results of a whole run beside it, free to be spoilt."""
    target = tmp_path / "plan"
    shutil.copytree(ran("quickstart").plan.folder, target)
    return target


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def key(caught: pytest.ExceptionInfo[UserError]) -> str:
    return caught.value.problems[0].text.key


def change(place: Path, table: str = "sites.csv") -> None:
    path = place / table
    path.write_bytes(path.read_bytes() + b"\n")


def test_two_runs_write_the_same_bytes(place: Path, ran: Ran) -> None:
    before = contents(results_folder(place))
    again = run(place)
    after = contents(again.folder)
    assert set(before) == set(after)
    for name, data in before.items():
        if name.endswith("manifest.json"):
            old, new = json.loads(data), json.loads(after[name])
            assert {k for k in old if old[k] != new[k]} <= {"made", "date", "seconds", "facts"}
        else:
            assert data == after[name], name
    assert ran("quickstart").plan.inputs == again.plan.inputs


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_of_saved_results_is_that_of_the_run(place: Path, ran: Ran, tmp_path: Path, language: str) -> None:
    done, loaded = ran("quickstart"), load_run(place)
    first = write_report(done.plan, done.results, tmp_path / "a", language)
    second = write_report(loaded.plan, loaded.results, tmp_path / "b", language)
    for name in ("report.html", "summary.html"):
        same = first.with_name(name).read_bytes() == second.with_name(name).read_bytes()
        assert same, name  # compared before: a diff of five million characters takes for ever


@pytest.mark.parametrize("table", ["sites.csv", "plants.csv", "markets.csv", "limits.csv", "plan.toml"])
def test_results_of_another_plan_are_refused(place: Path, table: str) -> None:
    assert list(load_run(place).results) == ["balance", "design", "rating"]
    change(place, table)
    with pytest.raises(UserError) as caught:
        load_run(place)
    assert key(caught) == "study.stale"
    assert "cyclopolis run" in caught.value.problems[0].render("en")


def test_a_new_table_makes_results_stale(place: Path) -> None:
    (place / "targets.csv").write_text("site,quantity,year,value,unit,source\n", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_run(place)
    assert key(caught) == "study.stale"


def test_results_beside_the_plan_are_not_inputs(place: Path) -> None:
    (place / "results" / "base" / "notes.txt").write_text("mine")
    assert list(load_run(place).results) == ["balance", "design", "rating"]
    assert not [name for name in load_run(place).plan.inputs if "results" in name]


@pytest.mark.parametrize("engine", ["balance", "design", "rating"])
@pytest.mark.parametrize("spoil", ["gone", "cut", "empty", "no_manifest"])
def test_what_is_spoilt_and_what_rests_on_it_is_not_used(place: Path, engine: str, spoil: str) -> None:
    folder = results_folder(place) / engine
    table = min(folder.glob("*.parquet"))
    if spoil == "gone":
        shutil.rmtree(folder)
    elif spoil == "cut":
        table.write_bytes(table.read_bytes()[:-20])
    elif spoil == "empty":
        table.write_bytes(b"")
    else:
        (folder / "manifest.json").unlink()
    names = ["balance", "design", "rating"]
    whole = names[: names.index(engine)]
    if whole:
        assert list(load_run(place).results) == whole
    else:
        with pytest.raises(UserError):
            load_run(place)


def test_a_disk_that_fails_while_saving_leaves_the_older_answer(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(results_folder(place))

    def full(*unused: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("polars.DataFrame.write_parquet", full)
    with pytest.raises(OSError, match="No space"):
        run(place, until="balance")
    monkeypatch.undo()
    assert contents(results_folder(place)) == before
    assert list(load_run(place).results) == ["balance", "design", "rating"]


def test_an_engine_that_refuses_leaves_those_before_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*unused: object, **others: object) -> None:
        raise UserError([])

    monkeypatch.setattr(cyclopolis, "rate", refuse)
    with pytest.raises(UserError):
        run(place)
    monkeypatch.undo()
    assert list(load_run(place).results) == ["balance", "design"]


def test_ctrl_c_while_designing_keeps_the_balance_and_exits_130(place: Path) -> None:
    shutil.rmtree(place / "results")
    process = subprocess.Popen(
        [sys.executable, "-m", "cyclopolis", "run", str(place), "--lang", "en"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert process.stderr is not None
    seen = []
    while not seen or "design" not in seen[-1].lower():
        line = process.stderr.readline()
        assert line, seen
        seen.append(line)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert "Stopped" in err
    assert "Traceback" not in "".join(seen) + err
    assert list(load_run(place).results) == ["balance"]
    left = {path.name for path in results_folder(place).iterdir()}
    assert left == {"balance", "manifest.json"}


def test_scenarios_are_kept_apart_and_their_order_counts(tmp_path: Path) -> None:
    place = tmp_path / "changzhi"
    shutil.copytree(cyclopolis.example("changzhi"), place, ignore=shutil.ignore_patterns("results"))
    both = run(place, ["dry_year", "dear_power"], until="balance")
    assert both.folder.name == "dry_year+dear_power"
    assert both.plan.scenario == ("dry_year", "dear_power")
    assert list(load_run(place, ["dry_year", "dear_power"]).results) == ["balance"]
    for other in ([], ["dry_year"], ["dear_power"], ["dear_power", "dry_year"]):
        with pytest.raises(UserError) as caught:
            load_run(place, other)
        assert key(caught) == "study.missing"
    water = both.plan.tables["limits"]
    assert not water.equals(cyclopolis.read_plan(place).tables["limits"])


def test_an_unknown_scenario_names_those_that_there_are(place: Path) -> None:
    with pytest.raises(UserError) as caught:
        run(place, ["no_such_scenario"])
    assert "no_such_scenario" in caught.value.problems[0].render("en")
    assert not (place / "results" / "no_such_scenario").exists()
