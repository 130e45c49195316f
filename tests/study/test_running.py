"""Runs: in order, saved when complete, reused when fresh, refused when stale."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

import cyclopolis
from cyclopolis.foundation.problems import UserError
from cyclopolis.foundation.text import Message
from cyclopolis.study import load_run, results_folder, run
from cyclopolis.study.engines import ENGINES, before_and_after
from cyclopolis.study.quality import CLASSES, data_quality
from cyclopolis.study.store import RunResult

NAMES = ["balance", "design", "rating"]


def key(caught: pytest.ExceptionInfo[UserError]) -> str:
    return caught.value.problems[0].text.key


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    place = tmp_path_factory.mktemp("study") / "quickstart"
    shutil.copytree(cyclopolis.example("quickstart"), place, ignore=shutil.ignore_patterns("results"))
    return run(place)


def test_a_run_answers_with_every_engine_and_saves_each(done: RunResult) -> None:
    assert list(done.results) == NAMES == [engine.name for engine in ENGINES if engine.when(done.plan)]
    assert done.folder == results_folder(done.plan.folder)
    for name, result in done.results.items():
        assert result.engine == name
        assert type(result).load(done.folder / name).tables.keys() == result.tables.keys()
        assert json.loads((done.folder / name / "manifest.json").read_text(encoding="utf-8"))["inputs"]
    manifest = json.loads((done.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["inputs"] == dict(done.plan.inputs)
    assert list(manifest["engines"]) == sorted(NAMES)
    assert manifest["versions"]["cyclopolis"] == cyclopolis.__version__
    assert manifest["scenario"] == []


def test_the_same_plan_gives_the_same_tables(done: RunResult, tmp_path: Path) -> None:
    place = tmp_path / "again"
    shutil.copytree(done.plan.folder, place, ignore=shutil.ignore_patterns("results"))
    again = run(place)
    for name, result in done.results.items():
        for table, frame in result.tables.items():
            assert frame.equals(again.results[name].tables[table]), (name, table)


def test_saved_results_load_as_they_were(done: RunResult) -> None:
    loaded = load_run(done.plan.folder)
    assert loaded.reused == tuple(NAMES)
    for name, result in done.results.items():
        for table, frame in result.tables.items():
            assert frame.equals(loaded.results[name].tables[table])


def test_progress_names_every_stage(folder: Path) -> None:
    seen: list[tuple[str, float | None]] = []

    def listen(stage: Message, done: float | None = None) -> None:
        seen.append((stage.key, done))

    run(folder, progress=listen)
    assert [name for name, _ in seen] == ["study.stage_read", *(f"study.stage_{name}" for name in NAMES)]
    shares = [share for _, share in seen]
    assert shares == sorted(shares, key=lambda share: share or 0)


def test_until_stops_there_and_reuses_what_is_fresh(folder: Path) -> None:
    first = run(folder, until="balance")
    assert list(first.results) == ["balance"]
    second = run(folder, until="design", options={"gap": 0.01})
    assert second.reused == ("balance",)
    manifest = json.loads((second.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["engines"] == {"balance": {}, "design": {"gap": 0.01}}
    third = run(folder, until="rating")
    assert third.reused == ("balance", "design")
    assert third.results["design"].facts["gap_asked"] == 0.01
    assert list(load_run(folder).results) == NAMES
    assert run(folder).reused == ()


def test_a_changed_plan_makes_results_stale(folder: Path) -> None:
    run(folder)
    sites = folder / "sites.csv"
    sites.write_text(sites.read_text(encoding="utf-8").replace("0.4", "0.5"), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_run(folder)
    assert key(caught) == "study.stale"
    again = run(folder, until="rating")
    assert again.reused == ()
    assert list(load_run(folder).results) == NAMES


def test_a_run_up_to_the_balance_makes_older_answers_stale(folder: Path) -> None:
    run(folder)
    sites = folder / "sites.csv"
    sites.write_text(sites.read_text(encoding="utf-8").replace("0.4", "0.5"), encoding="utf-8")
    run(folder, until="balance")
    assert list(load_run(folder).results) == ["balance"]


def test_results_of_another_version_are_stale(folder: Path) -> None:
    done = run(folder, until="balance")
    manifest = done.folder / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"cyclopolis": "', '"cyclopolis": "0.'))
    with pytest.raises(UserError) as caught:
        load_run(folder)
    assert key(caught) == "study.stale"


@pytest.mark.parametrize("content", ["", "[]", "{", '{"engines": {"balance": {}}}'])
def test_a_spoilt_manifest_counts_as_nothing(folder: Path, content: str) -> None:
    done = run(folder, until="balance")
    (done.folder / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(UserError):
        load_run(folder)
    assert run(folder, until="design").reused == ()


def test_a_spoilt_table_counts_as_nothing(folder: Path) -> None:
    done = run(folder, until="balance")
    (done.folder / "balance" / "flows.parquet").write_bytes(b"spoilt")
    with pytest.raises(UserError):
        load_run(folder)


def test_an_interrupted_run_keeps_what_was_complete(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run(folder)

    def stop(*unused: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cyclopolis, "design", stop)
    with pytest.raises(KeyboardInterrupt):
        run(folder)
    monkeypatch.undo()
    after = load_run(folder)
    assert list(after.results) == ["balance"]
    assert after.results["balance"].tables["flows"].equals(before.results["balance"].tables["flows"])
    assert type(before.results["design"]).load(before.folder / "design")
    assert not [path for path in after.folder.iterdir() if path.name.startswith(".")]


def test_nothing_saved_says_what_to_run(folder: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_run(folder)
    assert key(caught) == "study.missing"


def test_an_unknown_engine_is_a_user_s_error(folder: Path) -> None:
    with pytest.raises(UserError) as caught:
        run(folder, until="rate")
    assert key(caught) == "study.unknown_engine"


def test_scenarios_have_places_of_their_own(tmp_path: Path) -> None:
    assert results_folder(tmp_path, ["dry_year"]).name == "dry_year"
    assert results_folder(tmp_path, ["a", "b"]).name == "a+b"
    assert results_folder(tmp_path, ["../x"]).parent == tmp_path / "results"
    assert results_folder(tmp_path, [".."]).parent == tmp_path / "results"
    assert results_folder(tmp_path / "plan.xlsx").parent == tmp_path / "plan" / "results"


def test_a_scenario_runs_beside_the_base(tmp_path: Path) -> None:
    place = tmp_path / "changzhi"
    shutil.copytree(cyclopolis.example("changzhi"), place, ignore=shutil.ignore_patterns("results"))
    base = run(place, until="balance")
    dry = run(place, ["dry_year"], until="balance")
    assert dry.folder != base.folder
    assert dry.plan.scenario == ("dry_year",)
    assert load_run(place).plan.scenario == ()


def test_rating_is_handed_the_whole_and_the_sites(done: RunResult) -> None:
    accounts = done.results["design"].tables["accounts"]
    table = before_and_after(accounts)
    places = accounts.filter(pl.col("scope_kind").is_in(["place", "site"]))
    assert table.height == 2 * places.height
    assert set(table["state"]) == {"before", "after"}
    whole = table.filter((pl.col("scope") == "") & (pl.col("quantity") == "water"))
    own = accounts.filter((pl.col("scope_kind") == "place") & (pl.col("quantity") == "water"))
    assert whole["value"].to_list() == [own["before"][0], own["after"][0]]


def test_every_row_of_the_plan_is_counted_once(done: RunResult) -> None:
    counts = data_quality(done.plan, done.results)
    by_name = {row["quality_table"]: row for row in counts.iter_rows(named=True)}
    for name in ("sites", "plants", "markets"):
        assert sum(by_name[name][one] for one in CLASSES) == done.plan.tables[name].height
    assert sum(by_name["amounts"][one] for one in CLASSES) == done.results["balance"].tables["ports"].height
    assert by_name["plants"]["assumed"] == done.plan.tables["plants"].height
    assert "scenarios" not in by_name
    assert data_quality(done.plan, {}).height < counts.height
