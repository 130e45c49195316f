"""JSON of every command: it parses, has just the documented keys, and nothing else stands on standard output."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cyclopolis.cli import start
from cyclopolis.cli.table import COMMANDS, Command

TABLES = {
    "balance": {
        "flows",
        "ports",
        "accounts",
        "unknowns",
        "prices",
        "plants",
        "details",
        "circularity",
        "account_spread",
    },
    "design": {"builds", "flows", "accounts", "exchanges", "limits", "proposed", "prices", "unknowns"},
    "rating": {
        "indicators",
        "frameworks",
        "levels",
        "scores",
        "states",
        "gaps",
        "advice",
        "peers",
        "neighbours",
        "ranking",
        "evidence",
        "inputs",
    },
}
LINE = {"key": str, "name": str, "unit": str, "provenance": str}
CLASSES = {"measured", "user", "seen", "memory", "assumed", "computed"}
PROBLEM = {"severity", "text", "file", "row", "column", "value", "suggestion"}

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Return a function that runs a command in this process: exit code, output, messages."""
    for name in ("CYCLOPOLIS_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            start.main([str(word) for word in words])
        seen = capsys.readouterr()
        return int(caught.value.code or 0), seen.out, seen.err

    return run


@pytest.fixture(scope="module")
def plan(ran: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of an example that has been run: a design with another gap would spoil the shared one."""
    place = tmp_path_factory.mktemp("json") / "quickstart"
    shutil.copytree(ran("quickstart").plan.folder, place)
    return place


def commands(which: tuple[Command, ...] = COMMANDS, before: str = "") -> list[tuple[str, Command]]:
    found = []
    for command in which:
        name = f"{before}{command.name}"
        found += commands(command.commands, f"{name} ") if command.commands else [(name, command)]
    return found


def read(text: str) -> Any:
    """Return strict JSON: NaN and Infinity are refused."""

    def refuse(constant: str) -> float:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


def check_lines(lines: list[dict[str, Any]]) -> None:
    assert lines
    for line in lines:
        assert set(line) == {*LINE, "value"}
        assert all(isinstance(line[name], kind) for name, kind in LINE.items())
        assert line["provenance"] in CLASSES
        assert line["value"] is None or isinstance(line["value"], int | float | str)
        assert not isinstance(line["value"], float) or math.isfinite(line["value"])


def test_every_command_that_answers_a_program_is_tested_here() -> None:
    having = {name for name, command in commands() if any(option.name == "json" for option in command.options)}
    tested = {"check", "balance", "design", "rate", "run", "verify"}
    elsewhere = {"match", "chains", "water", "heat", "fairness", "failure"}  # tests/exchanges
    assert having == tested | elsewhere | {"library search", "library show", "library gaps", "library list"}


def test_check(typed: Say, plan: Path) -> None:
    code, out, err = typed("check", str(plan), "--json")
    assert (code, err) == (0, "")
    found = read(out)
    assert list(found) == ["ok", "plan", "scenario", "problems"]
    assert found["ok"] is True
    assert found["scenario"] == []
    assert all(problem["severity"] == "notice" for problem in found["problems"])


@pytest.mark.parametrize(("command", "engine"), [("balance", "balance"), ("rate", "rating")])
def test_one_engine(typed: Say, plan: Path, command: str, engine: str) -> None:
    code, out, err = typed(command, str(plan), "--json")
    assert (code, err) == (0, "")
    found = read(out)
    assert list(found) == ["ok", "saved", "engine", "summary", "facts", "tables"]
    assert found["ok"] is True
    assert found["engine"] == engine
    assert Path(found["saved"]).is_dir()
    check_lines(found["summary"])
    assert TABLES[engine] <= set(found["tables"])
    for rows in found["tables"].values():
        assert isinstance(rows, list)
        assert len({tuple(row) for row in rows}) <= 1, "all rows have the same keys in the same order"


def test_design_with_its_check(typed: Say, plan: Path) -> None:
    code, out, err = typed("design", str(plan), "--json", "--check", "--gap", "0.01")
    assert (code, err) == (0, "")
    found = read(out)
    assert list(found) == ["ok", "saved", "engine", "summary", "facts", "tables", "violations"]
    assert found["violations"] == []
    assert found["facts"]["gap_asked"] == 0.01
    assert TABLES["design"] <= set(found["tables"])
    check_lines(found["summary"])


def test_tables_in_json_are_the_saved_tables(typed: Say, plan: Path, ran: Callable[..., Any]) -> None:
    found = read(typed("balance", str(plan), "--json")[1])
    own = ran("quickstart").results["balance"].tables
    assert set(found["tables"]) == set(own)
    for name, table in own.items():
        assert len(found["tables"][name]) == table.height
    flows = {row["flow"]: row["amount"] for row in found["tables"]["flows"]}
    assert flows == dict(own["flows"].select("flow", "amount").iter_rows())


def test_run(typed: Say, tmp_path: Path, plan: Path) -> None:

    place = tmp_path / "plan"
    shutil.copytree(plan, place, ignore=shutil.ignore_patterns("results"))
    code, out, err = typed("run", str(place), "--json", "--lang", "zh")
    assert (code, err) == (0, "")
    found = read(out)
    assert list(found) == ["ok", "report", "summary", "results"]
    assert list(found["results"]) == ["balance", "design", "rating"]
    for name, result in found["results"].items():
        assert list(result) == ["engine", "summary", "facts"]
        assert result["engine"] == name
        check_lines(result["summary"])
    for page in (found["report"], found["summary"]):
        assert Path(page).is_absolute()
        assert 'lang="zh-CN"' in Path(page).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "keys", "rows"),
    [
        (["library", "search", "电石渣"], ["ok", "query", "found"], "found"),
        (["library", "search", "carbide", "slag"], ["ok", "query", "found"], "found"),
        (["library", "gaps"], ["ok", "gaps"], "gaps"),
        (["library", "list", "commodities"], ["ok", "commodities"], "commodities"),
        (["library", "list", "technologies"], ["ok", "technologies"], "technologies"),
        (["library", "list", "substitutions"], ["ok", "substitutions"], "substitutions"),
        (
            ["library", "show", "lime_kiln"],
            ["ok", "technology", "recipe", "closure", "substitutions", "sources"],
            "recipe",
        ),
    ],
)
def test_library(typed: Say, words: list[str], keys: list[str], rows: str) -> None:
    code, out, err = typed(*words, "--json")
    assert (code, err) == (0, "")
    found = read(out)
    assert list(found) == keys
    assert found["ok"] is True
    assert found[rows]
    assert len({tuple(row) for row in found[rows]}) == 1


def test_both_languages_find_the_same_waste(typed: Say) -> None:
    first = [
        read(typed("library", "search", word, "--json")[1])["found"][0]["id"] for word in ("电石渣", "carbide slag")
    ]
    assert first == ["carbide_slag", "carbide_slag"]


@pytest.mark.parametrize(
    "words",
    [
        ["desing", "--json"],
        ["check", "--json"],
        ["check", "/no/such/plan", "--json"],
        ["check", "/no/such/plan", "--jsn", "--json"],
        ["balance", "/no/such/plan", "--json"],
        ["design", "x", "--gap", "2", "--json"],
        ["design", "x", "--year", "3000", "--json"],
        ["design", "x", "--time-limit", "0", "--json"],
        ["rate", "/no/such/plan", "--json"],
        ["run", "/no/such/plan", "--json"],
        ["library", "show", "nothing_like_it", "--json"],
        ["library", "list", "nothing_like_it", "--json"],
        ["verify", "/no/such/case.yaml", "--json"],
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_json_too(typed: Say, words: list[str]) -> None:
    code, out, err = typed(*words)
    assert code == 2
    assert err == ""
    found = read(out)
    if words[0] == "verify":
        return
    assert found["ok"] is False
    assert found["problems"]
    for problem in found["problems"]:
        assert problem["severity"] in ("error", "notice")
        assert not [value for value in problem.values() if isinstance(value, str) and "Traceback" in value]


def test_problems_keep_their_keys(typed: Say, broken: Path) -> None:
    code, out, _ = typed("check", str(broken), "--json")
    assert code == 2
    keys = {tuple(sorted(problem)) for problem in read(out)["problems"]}
    assert len(keys) == 1
    assert {"severity", "file", "row", "column", "suggestion"} <= set(keys.pop())


def test_json_is_the_same_in_both_languages_but_for_words(typed: Say, plan: Path) -> None:
    english, chinese = (read(typed("balance", str(plan), "--json", "--lang", lang)[1]) for lang in ("en", "zh"))
    assert english["tables"] == chinese["tables"]
    assert [line["key"] for line in english["summary"]] == [line["key"] for line in chinese["summary"]]
    assert [line["value"] for line in english["summary"]] == [line["value"] for line in chinese["summary"]]
    assert [line["name"] for line in english["summary"]] != [line["name"] for line in chinese["summary"]]
