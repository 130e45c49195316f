"""Which language speaks: a table of what is typed, what the environment says, and what the plan says."""

import shutil
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import cyclopolis
from cyclopolis.cli import start
from cyclopolis.cli.build import build
from cyclopolis.cli.language import as_language, interface_language, plan_language, typed_language
from cyclopolis.foundation.text import LANGUAGES, Language

NAMES = ("CYCLOPOLIS_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
TABLE: list[tuple[str, str, str, str, str, str]] = [
    # typed, CYCLOPOLIS_LANG, LC_ALL, LC_MESSAGES, LANG, speaks
    ("", "", "", "", "", "en"),
    ("", "", "", "", "zh_CN.UTF-8", "zh"),
    ("", "", "", "", "en_US.UTF-8", "en"),
    ("", "", "", "", "de_DE.UTF-8", "en"),
    ("", "", "", "", "C", "en"),
    ("", "", "", "zh_CN", "en_US.UTF-8", "zh"),
    ("", "", "", "en_GB", "zh_CN.UTF-8", "en"),
    ("", "", "zh_TW.UTF-8", "en_GB", "en_US", "zh"),
    ("", "", "C.UTF-8", "zh_CN", "zh_CN", "en"),
    ("", "zh", "", "", "", "zh"),
    ("", "zh", "en_US.UTF-8", "", "en_US.UTF-8", "zh"),
    ("", "en", "zh_CN.UTF-8", "", "zh_CN.UTF-8", "en"),
    ("", "ZH", "", "", "en_US", "zh"),
    ("", "zh-Hans", "", "", "en_US", "zh"),
    ("", "fr", "", "", "zh_CN", "zh"),
    ("en", "zh", "zh_CN", "zh_CN", "zh_CN", "en"),
    ("zh", "en", "en_US", "en_US", "en_US", "zh"),
    ("zh", "", "", "", "", "zh"),
    ("zh_CN", "en", "", "", "", "zh"),
    ("fr", "zh", "", "", "", "zh"),
]


@pytest.mark.parametrize("row", TABLE, ids="|".join)
def test_the_interface(row: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("locale.getlocale", lambda *unused: (None, None))
    typed, *values, speaks = row
    environment = {name: value for name, value in zip(NAMES, values, strict=True) if value}
    for words in (["--lang", typed], [f"--lang={typed}"], ["check", "--lang", typed]) if typed else ([],):
        assert interface_language(words, environment) == speaks


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("en-GB", "en"),
        ("en_GB.UTF-8", "en"),
        ("zh", "zh"),
        ("zh-Hant-TW", "zh"),
        ("zh_CN.GB18030", "zh"),
        ("english", None),
        ("zhongwen", None),
        ("C", None),
        ("POSIX", None),
        ("", None),
        (None, None),
    ],
)
def test_tags(tag: str | None, language: Language | None) -> None:
    assert as_language(tag) == language


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], None),
        (["check", "x"], None),
        (["--lang"], None),
        (["--lang", "zh"], "zh"),
        (["--lang=zh"], "zh"),
        (["--lang="], ""),
        (["a", "--lang", "en", "--lang", "zh"], "en"),
        (["--language", "zh"], None),
    ],
)
def test_typed(words: list[str], found: str | None) -> None:
    assert typed_language(words) == found


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('language = "zh"', "zh"),
        ('language = "en"', "en"),
        ('\ufefflanguage = "zh"', "zh"),
        ('language = "fr"', None),
        ("language = 3", None),
        ("language = [", None),
        ("", None),
    ],
)
def test_a_plan_says_its_language_even_when_broken(tmp_path: Path, content: str, found: Language | None) -> None:
    (tmp_path / "plan.toml").write_text(content, encoding="utf-8")
    assert plan_language(tmp_path) == found
    assert plan_language(tmp_path / "nowhere") is None


@pytest.fixture
def speaking(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that gives a copy of the small example in a language."""

    def make(language: str) -> Path:
        place = tmp_path / f"plan_{language}"
        shutil.copytree(cyclopolis.example("quickstart"), place, ignore=shutil.ignore_patterns("results"))
        toml = place / "plan.toml"
        text = toml.read_text(encoding="utf-8").replace('language = "en"', f'language = "{language}"')
        toml.write_text(text, encoding="utf-8")
        return place

    return make


@pytest.mark.parametrize("typed", [None, *LANGUAGES])
@pytest.mark.parametrize("variable", [None, *LANGUAGES])
@pytest.mark.parametrize("planned", LANGUAGES)
def test_answers_about_a_plan(
    typed: str | None,
    variable: str | None,
    planned: str,
    speaking: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv("CYCLOPOLIS_LANG", variable)
    words = ["check", str(speaking(planned)), *(["--lang", typed] if typed else [])]
    with pytest.raises(SystemExit) as caught:
        start.main(words)
    assert caught.value.code == 0
    speaks = typed or planned
    assert ("no errors" in capsys.readouterr().out) == (speaks == "en")


def test_before_or_after_the_command(speaking: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    place = str(speaking("en"))
    outputs = []
    for words in (["--lang", "zh", "check", place], ["check", place, "--lang", "zh"], ["check", "--lang=zh", place]):
        with pytest.raises(SystemExit):
            start.main(words)
        outputs.append(capsys.readouterr().out)
    assert len(set(outputs)) == 1
    assert "no errors" not in outputs[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_languages_have_the_same_commands_and_options(language: Language) -> None:
    def shape(command: click.Command) -> object:
        parts = getattr(command, "commands", {})
        options = [(option.name, tuple(option.opts)) for option in command.params]
        return [options, {name: shape(part) for name, part in parts.items()}]

    assert shape(build(language)) == shape(build("en"))
