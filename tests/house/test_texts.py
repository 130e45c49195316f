"""Every text a user sees exists once, in both languages, with the same values to fill in."""

import re
import string
from pathlib import Path

import pytest

import cyclopolis
from cyclopolis.foundation.text import LANGUAGES, Message, catalogue, message, say

SOURCE = Path(cyclopolis.__file__).parent
KEY = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z0-9_+]+)+$")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", sorted(catalogue()))
def test_both_languages_say_the_same(key: str) -> None:
    assert KEY.match(key)
    texts = catalogue()[key]
    assert set(texts) == set(LANGUAGES)
    assert all(text.strip() for text in texts.values())
    assert fields(texts["en"]) == fields(texts["zh"])


def literals(suffixes: tuple[str, ...]) -> str:
    files = [path for path in SOURCE.rglob("*") if path.suffix in suffixes and "catalogue" not in path.parts]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def test_every_key_in_the_code_exists() -> None:
    code = literals((".py", ".html", ".j2"))
    called = set(re.findall(r"""\b(?:say|message|user_error|Message|t)\(\s*["']([a-z0-9_.]+)["']""", code))
    assert called, "the search finds no key at all: mend it"
    heads = {key for key in called if key.endswith(".")}
    assert all(any(key.startswith(head) for key in catalogue()) for head in heads)
    missing = {key for key in called - heads if "." in key} - set(catalogue())
    assert not missing


def test_no_text_is_left_over() -> None:
    code = literals((".py", ".html", ".j2", ".csv"))
    heads = set(re.findall(r"""["']([a-z0-9_.]+\.[a-z0-9_]*)(?:\{|["'] ?[~+])""", code))
    unused = [
        key
        for key in catalogue()
        if f'"{key}"' not in code
        and f"'{key}'" not in code
        and f",{key}," not in code
        and not any(key.startswith(head) for head in heads)
    ]
    assert not unused


def test_messages_nest_and_fill() -> None:
    inner = message("language.name")
    outer = Message("problem.value", {"value": inner})
    assert "中文" in outer.render("zh")
    assert "English" in say("problem.value", "en", value=inner)
    with pytest.raises(KeyError):
        message("no.such_key").render("en")
    with pytest.raises(KeyError):
        message("problem.value").render("en")
