"""What is said to wrong words, and what scenarios, progress and closed pipes do, in this process and in others."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import cyclopolis
from cyclopolis.cli import start
from cyclopolis.cli.build import build
from cyclopolis.cli.console import width
from cyclopolis.cli.table import COMMANDS, Command
from cyclopolis.foundation.text import LANGUAGES, Language, catalogue, say

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Typed:
    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            start.main(list(words))
        seen = capsys.readouterr()
        return int(caught.value.code or 0), seen.out, seen.err

    return run


def leaves(
    which: tuple[Command, ...] = COMMANDS, before: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], Command]]:
    found = []
    for command in which:
        words = (*before, command.name)
        found += leaves(command.commands, words) if command.commands else [(words, command)]
    return found


LEAVES = leaves()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("words", "command"), LEAVES, ids=[" ".join(words) for words, _ in LEAVES])
def test_an_unknown_option_names_the_option_and_the_command(
    words: tuple[str, ...], command: Command, language: Language, typed: Typed
) -> None:
    code, out, err = typed(*words, "--no-such-thing", "--lang", language)
    assert (code, out) == (2, "")
    assert "--no-such-thing" in err
    assert f"cyclopolis {' '.join(words)}" in err
    assert len(err.splitlines()) == 1
    assert err.startswith("error" if language == "en" else "错误")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("words", "command"), LEAVES, ids=[" ".join(words) for words, _ in LEAVES])
def test_a_missing_argument_is_named(
    words: tuple[str, ...], command: Command, language: Language, typed: Typed
) -> None:
    needed = [argument for argument in command.arguments if not argument.optional]
    if not needed:
        return
    code, out, err = typed(*words, "--lang", language)
    assert (code, out) == (2, "")
    assert say(f"cli.metavar_{needed[0].name}", language) in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("words", "command"), LEAVES, ids=[" ".join(words) for words, _ in LEAVES])
def test_help_tells_each_argument_option_and_the_python_way(
    words: tuple[str, ...], command: Command, language: Language
) -> None:
    result = CliRunner().invoke(build(language), [*words, "--help"], prog_name="cyclopolis")
    assert result.exit_code == 0
    plain = "".join(result.output.split())
    for argument in command.arguments:
        assert "".join(say(f"cli.argument_{argument.name}", language).split()) in plain
    for option in command.options:
        assert f"--{option.name}" in result.output
        key = f"cli.option_{option.name.replace('-', '_')}"
        assert key in catalogue()
        assert "".join(say(key, language).split())[:20] in plain
    assert command.python.replace(" ", "") in plain
    assert max(width(line) for line in result.output.splitlines()) <= 80


@pytest.mark.parametrize(
    ("word", "guess"),
    [("desing", "design"), ("balanse", "balance"), ("reprot", "report"), ("chek", "check"), ("verfy", "verify")],
)
def test_a_mistyped_command_has_a_suggestion(word: str, guess: str, typed: Typed) -> None:
    code, _, err = typed(word, "--lang", "en")
    assert code == 2
    assert word in err
    assert f"“{guess}”" in err


@pytest.mark.parametrize("value", ["-1", "1.1", "nan", "inf", "x", ""])
def test_a_gap_is_a_share(value: str, typed: Typed) -> None:
    code, _, err = typed("design", "nowhere", f"--gap={value}", "--lang", "en")
    assert code == 2
    assert "--gap" in err
    assert "from 0 to 1" in err


@pytest.mark.parametrize("value", ["1899", "2201", "2030.5", "soon"])
def test_a_year_is_a_whole_number_of_our_time(value: str, typed: Typed) -> None:
    code, _, err = typed("design", "nowhere", "--year", value, "--lang", "en")
    assert code == 2
    assert "--year" in err


def test_the_codes_are_the_documented_ones() -> None:
    assert (start.OK, start.MISS, start.USER_ERROR, start.UNSUPPORTED, start.STOPPED) == (0, 1, 2, 3, 130)


def test_scenarios_compose_in_the_order_typed(typed: Typed, tmp_path: Path) -> None:
    place = tmp_path / "changzhi"
    shutil.copytree(cyclopolis.example("changzhi"), place, ignore=shutil.ignore_patterns("results"))
    words = ["balance", str(place), "--scenario", "dry_year", "--scenario", "dear_power", "--lang", "en"]
    code, out, err = typed(*words)
    assert code == 0, err
    assert (place / "results" / "dry_year+dear_power" / "balance" / "flows.parquet").is_file()
    assert "dry_year+dear_power" in out
    assert err.splitlines() == [say("study.stage_read", "en"), say("study.stage_balance", "en")]
    code, _, err = typed("report", str(place), "--scenario", "dry_year", "--lang", "en")
    assert code == 2, "that scenario alone was never run"
    code, out, _ = typed("report", str(place), "--scenario", "dry_year", "--scenario", "dear_power", "--quiet")
    assert code == 0
    page = (place / "results" / "dry_year+dear_power" / "report.html").read_text(encoding="utf-8")
    assert "dry_year + dear_power" in page


def test_an_unknown_scenario_is_a_user_s_error(typed: Typed, quickstart: Path) -> None:
    code, _, err = typed("check", str(quickstart), "--scenario", "wet_year", "--lang", "en")
    assert code == 2
    assert "wet_year" in err
    assert "Traceback" not in err


def test_a_capital_curve_has_ten_pieces_at_most(typed: Typed, quickstart: Path) -> None:
    code, _, err = typed("design", str(quickstart), "--pieces", "11", "--quiet", "--lang", "en")
    assert code == 2
    assert "11 pieces" in err


def test_quiet_says_nothing_on_the_side(typed: Typed, quickstart: Path) -> None:
    code, out, err = typed("balance", str(quickstart), "--quiet")
    assert (code, err) == (0, "")
    assert out


@pytest.mark.parametrize("words", [["--help"], ["library", "list", "commodities", "--json"]])
def test_a_reader_that_goes_away_is_no_error(words: list[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cyclopolis", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert said == b""


@pytest.mark.parametrize("encoding", ["ascii", "gb18030", "utf-8"])
def test_any_terminal_can_show_chinese_or_its_escapes(encoding: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "cyclopolis", "desing", "--lang", "zh"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert result.returncode == 2
    assert result.stdout == b""
    text = result.stderr.decode(encoding)
    assert ("没有命令" in text) == (encoding != "ascii")
    assert ("\\u6ca1" in text) == (encoding == "ascii")
