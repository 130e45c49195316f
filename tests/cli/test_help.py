"""Help in two languages, made from one table of commands."""

import os

import pytest
from click.testing import CliRunner

from cyclopolis.cli.build import build
from cyclopolis.cli.console import width
from cyclopolis.cli.language import as_language, interface_language, typed_language
from cyclopolis.cli.pages import fold
from cyclopolis.cli.table import COMMANDS, Command
from cyclopolis.foundation.text import LANGUAGES, Language, say


def paths(commands: tuple[Command, ...], before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for command in commands:
        words = (*before, command.name)
        found += [words, *paths(command.commands, words)]
    return found


PATHS = [(), *paths(COMMANDS)]


def test_the_issue_s_commands_are_all_there() -> None:
    wanted = ["new", "template", "check", "balance", "match", "chains", "water", "heat", "design", "fairness"]
    wanted += [
        "failure",
        "drain",
        "streets",
        "comply",
        "rate",
        "assess",
        "framework",
        "report",
        "run",
        "verify",
        "library",
    ]
    assert {("library", name) for name in ("search", "show", "gaps", "list")} <= set(PATHS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("words", PATHS, ids=lambda words: " ".join(words) or "cyclopolis")
def test_every_command_has_help(words: tuple[str, ...], language: Language) -> None:
    result = CliRunner().invoke(build(language), [*words, "--help"], prog_name="cyclopolis")
    assert result.exit_code == 0, result.output
    assert say("cli.usage", language) in result.output
    assert say("cli.option_help", language) in result.output
    assert ("Options" in result.output) == (language == "en")
    assert all(width(line) <= 80 for line in result.output.splitlines())


def test_a_group_without_a_command_shows_its_help() -> None:
    for words in ([], ["library"]):
        result = CliRunner().invoke(build("en"), words, prog_name="cyclopolis")
        assert result.exit_code == 0
        assert "Commands:" in result.output


def test_version() -> None:
    import cyclopolis

    result = CliRunner().invoke(build("en"), ["--version"])
    assert result.output == f"cyclopolis {cyclopolis.__version__}\n"


def test_language_is_the_typed_one_then_the_variable_then_the_locale() -> None:
    assert interface_language(["--lang", "zh"], {"CYCLOPOLIS_LANG": "en"}) == "zh"
    assert interface_language(["check", "--lang=zh"], {}) == "zh"
    assert interface_language([], {"CYCLOPOLIS_LANG": "zh", "LANG": "en_GB.UTF-8"}) == "zh"
    assert interface_language([], {"LC_ALL": "zh_CN.UTF-8", "LANG": "en_GB.UTF-8"}) == "zh"
    assert interface_language([], {"LANG": "fr_FR.UTF-8"}) == "en"
    assert typed_language(["--lang"]) is None
    assert as_language(None) is None


def test_lines_fold_at_chinese_characters_and_never_start_with_a_full_stop() -> None:
    lines = fold("设计目标年的交换与新建方案。在全部约束之内选择交换、替代与新装置，使净收益最大。", 20)
    assert all(width(line) <= 22 for line in lines)
    assert not any(line[0] in "，。、" for line in lines)
    assert "".join(lines).startswith("设计目标年")


def test_help_follows_the_locale_in_a_process(cli) -> None:
    assert "用法" in cli("--help", LC_ALL="zh_CN.UTF-8").stdout
    assert "Usage" in cli("--help", LC_ALL="C.UTF-8").stdout
    assert "用法" in cli("--help", CYCLOPOLIS_LANG="zh").stdout
    assert "用法" in cli("--lang", "zh", "--help", CYCLOPOLIS_LANG="en").stdout
    assert os.environ.get("CYCLOPOLIS_LANG") is None
