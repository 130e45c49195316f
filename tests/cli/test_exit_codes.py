"""Exit codes, problems one per line, JSON for programs, and never a traceback for a user's error."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cyclopolis.cli import start
from cyclopolis.foundation.problems import user_error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["desing"], "did you mean “design”"),
        (["check"], "PLAN is missing"),
        (["check", "--scenari", "x", "p"], "no option “--scenari”"),
        (["design", "p", "--gap", "3"], "--gap 3 is not a number from 0 to 1"),
        (["design", "p", "--year", "soon"], "--year soon is not a number"),
        (["design", "p", "--year"], "--year is used wrongly"),
        (["check", "p", "q"], "See cyclopolis check --help"),
        (["check", "p", "--lang", "fr"], "use en or zh"),
        (["balance", "/no/such/place", "--quiet"], "/no/such/place"),
        (["library", "show", "lime_kilm"], "did you mean “lime_kiln”"),
        (["library", "list", "things"], "commodities"),
    ],
)
def test_a_user_s_error_is_one_line_and_exit_code_2(cli, words: list[str], said: str) -> None:
    result = cli(*words)
    assert result.returncode == 2, result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


def test_a_user_s_error_in_chinese(cli) -> None:
    result = cli("desing", "--lang", "zh")
    assert "没有命令“desing”" in result.stderr
    result = cli("design", "p", "--gap", "x", "--lang", "zh")
    assert "不是 0 到 1 之间的数" in result.stderr


def test_problems_of_a_plan_stand_on_standard_error_one_per_line(cli, broken: Path) -> None:
    result = cli("check", str(broken))
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    errors = [line for line in result.stderr.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert "plants.csv" in errors[0]
    assert "did you mean “coal_power”" in errors[0]
    assert "1 errors" in result.stdout


@pytest.mark.parametrize("command", ["check", "balance", "design", "rate", "run"])
def test_problems_as_json(cli, broken: Path, command: str) -> None:
    result = cli(command, str(broken), "--json")
    assert result.returncode == 2
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert found["ok"] is False
    errors = [problem for problem in found["problems"] if problem["severity"] == "error"]
    assert errors[0]["file"] == "plants.csv"
    assert errors[0]["suggestion"] == "coal_power"
    assert not (broken / "results").exists()


def test_a_good_plan_checks_with_exit_code_0(cli, quickstart: Path) -> None:
    result = cli("check", str(quickstart))
    assert result.returncode == 0, result.stderr
    assert "no errors" in result.stdout
    assert json.loads(cli("check", str(quickstart), "--json").stdout)["ok"] is True


def test_messages_about_a_plan_speak_the_plan_s_language(cli, broken: Path) -> None:
    toml = broken / "plan.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('language = "en"', 'language = "zh"'), encoding="utf-8")
    assert "错误" in cli("check", str(broken)).stderr
    assert "错误" in cli("balance", str(broken)).stderr
    assert "error" in cli("balance", str(broken), "--lang", "en").stderr


def test_a_report_without_results_says_what_to_run(cli, quickstart: Path, tmp_path: Path) -> None:
    import shutil

    fresh = tmp_path / "fresh"
    shutil.copytree(quickstart, fresh, ignore=shutil.ignore_patterns("results"))
    result = cli("report", str(fresh))
    assert result.returncode == 2
    assert "cyclopolis run" in result.stderr


def test_a_place_that_cannot_be_written_to_is_a_user_s_error(cli, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    result = cli("template", str(blocked / "plan.xlsx"))
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m cyclopolis library list commodities | head -1"
    result = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert "Traceback" not in result.stderr


def test_ctrl_c_is_130_and_says_that_nothing_is_lost(monkeypatch, capsys) -> None:
    def stop(*unused: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cyclopolis.check_plan", stop, raising=False)
    with pytest.raises(SystemExit) as caught:
        start.main(["check", "somewhere", "--lang", "en"])
    assert caught.value.code == 130
    assert "Stopped" in capsys.readouterr().err


def test_ctrl_c_in_a_process(quickstart: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cyclopolis", "run", str(quickstart), "--lang", "en"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert process.stderr is not None
    assert process.stderr.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Stopped" in err
    assert "Traceback" not in err
    assert not [path for path in quickstart.rglob(".*") if "results" in path.parts and path.is_dir()]


def test_a_programming_error_is_not_hidden(monkeypatch) -> None:
    def fail(*unused: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("cyclopolis.check_plan", fail, raising=False)
    with pytest.raises(ZeroDivisionError):
        start.main(["check", "somewhere"])


def test_exit_code_of_verify_is_that_of_its_report(monkeypatch, capsys) -> None:
    class Found:
        exit_code = 3

        def lines(self, language: str) -> list[str]:
            return ["a case", language]

        def as_dict(self, language: str) -> dict[str, object]:
            return {"language": language, "value": float("nan")}

    monkeypatch.setattr("cyclopolis.verify", lambda paths, progress: Found(), raising=False)
    for words, said in ((["verify", "--lang", "zh"], "zh\n"), (["verify", "--json"], '"value": null')):
        with pytest.raises(SystemExit) as caught:
            start.main(words)
        assert caught.value.code == 3
        assert said in capsys.readouterr().out


def test_an_error_of_an_engine_keeps_its_words(monkeypatch, capsys) -> None:
    def refuse(*unused: object) -> None:
        raise user_error("study.unknown_engine", engine="x", engines="y")

    monkeypatch.setattr("cyclopolis.check_plan", refuse, raising=False)
    with pytest.raises(SystemExit) as caught:
        start.main(["check", "somewhere", "--lang", "en"])
    assert caught.value.code == 2
    assert "no engine “x”" in capsys.readouterr().err


def test_an_interrupt_inside_source_text_still_ends_with_130(tmp_path: Path) -> None:
    (tmp_path / "stopped.py").write_text(
        "from cyclopolis.cli import start\n"
        "def build(language):\n"
        "    exec('raise KeyboardInterrupt')\n"
        "start.build = build\n"
        "start.main(['check', 'x'])\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, "-m", "stopped"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 130, done.stderr
