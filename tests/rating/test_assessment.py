"""Evidence, reviews, the log, and the commands around them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from places import PARK, place, value

from cyclopolis.cli.build import build
from cyclopolis.foundation.problems import UserError
from cyclopolis.rating import rate
from cyclopolis.rating.assessment import attach_evidence, check_names, evidence, note_change, read_log, review, reviews

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def signed(**more):
    return {"who": "Li", "why": "yearbook, page 3", "when": WHEN, **more}


def test_evidence_knows_whether_its_file_changed(tmp_path) -> None:
    proof = tmp_path / "proof.txt"
    proof.write_text("72 days")
    attach_evidence(tmp_path, "good_days", "park", 2024, str(proof), **signed())
    attach_evidence(tmp_path, "good_days", "park", 2024, "https://example.org/yearbook", **signed())
    assert [row["state"] for row in evidence(tmp_path)] == ["unchanged", "link"]
    proof.write_text("300 days")
    assert evidence(tmp_path)[0]["state"] == "changed"
    proof.unlink()
    assert evidence(tmp_path)[0]["state"] == "missing"
    table = rate(place(folder=tmp_path, sites=[PARK]), frameworks=["hj-274-2015"]).tables["evidence"]
    assert table["state"].to_list() == ["missing", "link"]


def test_a_review_goes_before_the_plans_value(tmp_path) -> None:
    plan = place(folder=tmp_path, sites=[PARK], indicators=[value("hj274-05", 2, "count")])

    def found():
        table = rate(plan, frameworks=["hj-274-2015"]).tables["inputs"]
        return dict(zip(table["input"].to_list(), table["value_before"].to_list(), strict=True)).get("hj274-05")

    assert found() == 2
    review(tmp_path, "hj274-05", "park", 2024, 7, "count", **signed())
    assert found() == 7
    review(tmp_path, "hj274-05", "park", 2024, 8, "count", **signed(who="Wang"))
    assert found() == 8
    assert [row["who"] for row in reviews(tmp_path)] == ["Li", "Wang"]
    assert plan.tables["indicators"].height == 1  # the plan's own tables stay as they are


def test_the_log_only_grows_and_tells_a_change_of_the_past(tmp_path) -> None:
    review(tmp_path, "a", "park", 2024, 1, "1", **signed())
    review(tmp_path, "b", "park", 2024, 2, "1", **signed())
    note_change(tmp_path, "certificate", {"file": "x"}, who="Li", why="for the file")
    lines = read_log(tmp_path)
    assert [(line.action, line.who) for line in lines] == [("review", "Li"), ("review", "Li"), ("certificate", "Li")]
    assert lines[0].when == "2026-01-02T03:04:05+00:00"
    assert lines[0].why == "yearbook, page 3"
    path = tmp_path / "assessment" / "log.jsonl"
    whole = path.read_text(encoding="utf-8").splitlines()
    for bad in ([whole[0].replace('"1"', '"9"', 1), *whole[1:]], whole[1:], [whole[0], whole[2]], [*whole, "{"]):
        path.write_text("\n".join(bad) + "\n", encoding="utf-8")
        with pytest.raises(UserError, match=r"log\.jsonl, line \d.*changed"):
            read_log(tmp_path)


def test_nothing_is_written_without_who_and_why(tmp_path) -> None:
    with pytest.raises(UserError, match="who does it and why"):
        review(tmp_path, "a", "park", 2024, 1, "1", who=" ", why="x")
    with pytest.raises(UserError, match="no such file"):
        attach_evidence(tmp_path, "a", "park", 2024, "absent.pdf", **signed())
    assert read_log(tmp_path) == ()
    assert not (tmp_path / "assessment").exists()


def test_names_are_checked_with_the_nearest(tmp_path) -> None:
    plan = place(folder=tmp_path, sites=[PARK])
    check_names(plan, "good_days", "park")
    with pytest.raises(UserError) as caught:
        check_names(plan, "good_dayz", "parc")
    assert [problem.suggestion for problem in caught.value.problems] == ["good_days", "park"]


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    import cyclopolis

    folder = tmp_path_factory.mktemp("assess") / "plan"
    cyclopolis.new_plan(folder, "quickstart")
    return folder


def typed(*words):
    result = CliRunner().invoke(build("en"), [str(word) for word in words], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output


def test_commands_of_the_assessment(quick, monkeypatch) -> None:
    import cyclopolis
    from cyclopolis.study import RunResult

    site = cyclopolis.read_plan(quick).tables["sites"]["site"][0]
    words = ("good_days", site)
    signed_words = ("--who", "Li", "--why", "seen")
    row = json.loads(typed("assess", "attach", quick, *words, "https://example.org", *signed_words, "--json"))["row"]
    assert row["place"] == "https://example.org"
    typed("assess", "review", quick, *words, "300", "--unit", "d/a", *signed_words)
    with pytest.raises(UserError, match="no number"):
        typed("assess", "review", quick, *words, "many", *signed_words)
    log = json.loads(typed("assess", "log", quick, "--json"))["log"]
    assert [line["action"] for line in log] == ["attach", "review"]
    assert "Li  review  good_days  seen" in typed("assess", "log", quick, "--lang", "en")
    plan = cyclopolis.read_plan(quick)
    done = RunResult(plan, {"rating": cyclopolis.rate(plan)}, quick / "results" / "base")
    monkeypatch.setattr(cyclopolis, "load_run", lambda path, scenario: done)
    path = Path(json.loads(typed("assess", "advice", quick, "--json"))["file"])
    assert path.read_text(encoding="utf-8-sig").startswith("id,kind,keep,text")
    page = Path(json.loads(typed("assess", "certificate", quick, *signed_words, "--json", "--lang", "en"))["file"])
    text = page.read_text(encoding="utf-8")
    assert "https://example.org" in text
    assert "granted only by the publisher" in text
    assert read_log(quick)[-1].action == "certificate"


def test_commands_about_frameworks(tmp_path) -> None:
    path = tmp_path / "own.yaml"
    typed("framework", "new", path)
    assert "no errors" in typed("framework", "check", path)
    assert json.loads(typed("framework", "show", path, "--json"))["framework"]["id"] == "own"
    text = typed("framework", "show", "igmc-3.0")
    assert "efficiency" in text
    assert "from 280 points" in text
    path.write_text("framework: [")
    assert json.loads(typed("framework", "check", path, "--json"))["problems"][0]["line"] == 2
