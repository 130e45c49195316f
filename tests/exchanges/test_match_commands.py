"""The commands match and chains, and their parts of the report."""

import json
import shutil
from pathlib import Path

import pytest

import cyclopolis
from cyclopolis.cli import start


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("match") / "p"
    shutil.copytree(cyclopolis.example("quickstart"), folder, ignore=shutil.ignore_patterns("results"))
    return folder


def typed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        start.main(words)
    shown = capsys.readouterr()
    return int(end.value.code or 0), shown.out, shown.err


@pytest.mark.parametrize(("language", "word"), [("en", "Net gain"), ("zh", "净收益")])
def test_match_of_a_plan(place: Path, capsys: pytest.CaptureFixture[str], language: str, word: str) -> None:
    code, shown, _ = typed(capsys, "match", str(place), "--lang", language)
    assert code == 0
    assert word in shown
    assert (place / "results" / "base" / "match" / "matches.parquet").is_file()


def test_chains_then_the_report_holds_both(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed(capsys, "match", str(place), "--quiet")
    code, shown, _ = typed(capsys, "chains", str(place), "--json")
    found = json.loads(shown)
    assert (code, found["ok"], found["engine"]) == (0, True, "chains")
    code, _, _ = typed(capsys, "report", str(place), "--lang", "zh", "--quiet")
    assert code == 0
    page = (place / "results" / "base" / "report.html").read_text(encoding="utf-8")
    for text in ("供需匹配", "产业链与缺失环节", "最佳新配对", "符合条件才算副产品"):
        assert text in page
    assert list(cyclopolis.load_run(place).results) == ["match", "chains"]


def test_match_of_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "list.csv"
    path.write_text("side,text,amount,unit\noffer,fly ash,1,kt\nneed,pozzolan,2,kt\nperhaps,x,,\n", encoding="utf-8")
    code, shown, _ = typed(capsys, "match", str(path), "--out", str(tmp_path / "out"), "--lang", "en")
    assert code == 0
    assert "neither offer nor need" in shown
    assert {"rubbish.csv", "best.parquet", "match"} <= {entry.name for entry in (tmp_path / "out").iterdir()}
    code, shown, _ = typed(capsys, "match", str(path), "--json")
    assert json.loads(shown)["facts"]["pairs"] == 1


def test_a_budget_and_a_bad_number_end_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "list.csv"
    path.write_text("side,text\n" + "offer,ash\n" * 5 + "need,ash\n" * 5, encoding="utf-8")
    code, _, told = typed(capsys, "match", str(path), "--budget", "3", "--lang", "en")
    assert (code, told.count("error:")) == (2, 1)
    assert "ash → ash" in told
    code, _, told = typed(capsys, "match", str(path), "--reach", "near", "--lang", "en")
    assert code == 2


def test_score_of_the_bundled_set(capsys: pytest.CaptureFixture[str]) -> None:
    from cyclopolis.industry.exchanges.match_score import labelled_parks

    code, shown, _ = typed(capsys, "match", str(labelled_parks()), "--score", "--lang", "en")
    assert code == 0
    assert "shanxi_coal" in shown
    code, shown, _ = typed(capsys, "match", str(labelled_parks()), "--score", "--json")
    assert json.loads(shown)["parks"][-1]["recall"] > 0.9
