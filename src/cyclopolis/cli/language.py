"""In which language the command line speaks."""

import locale
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from cyclopolis.foundation.text import LANGUAGES, Language

_OPTION = "--lang"


def as_language(text: str | None) -> Language | None:
    """Return the language that a tag such as ``zh``, ``zh_CN.UTF-8`` or ``en-GB`` names, or None.

    Examples
    --------
    >>> as_language("zh_CN.UTF-8"), as_language("C")
    ('zh', None)
    """
    tag = (text or "").replace("-", "_").split("_")[0].split(".")[0].lower()
    return next((language for language in LANGUAGES if language == tag), None)


def typed_language(arguments: Sequence[str]) -> str | None:
    """Return what the user typed after ``--lang``, or None.

    Examples
    --------
    >>> typed_language(["check", "here", "--lang", "zh"]), typed_language(["--lang=en"]), typed_language(["check"])
    ('zh', 'en', None)
    """
    for position, argument in enumerate(arguments):
        if argument == _OPTION and position + 1 < len(arguments):
            return arguments[position + 1]
        if argument.startswith(f"{_OPTION}="):
            return argument.partition("=")[2]
    return None


def interface_language(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """Return the language of help and messages: ``--lang``, else ``CYCLOPOLIS_LANG``, else the locale, else English."""
    names = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    system = next((name for name in names if name), None) or locale.getlocale()[0]
    for text in (typed_language(arguments), environment.get("CYCLOPOLIS_LANG"), system):
        found = as_language(text)
        if found:
            return found
    return "en"


def plan_language(path: Path) -> Language | None:
    """Return the language that ``plan.toml`` names, or None where it cannot be told; for words about a broken plan.

    A plan that reads well says its language itself (``plan.meta.language``).
    """
    try:
        value = tomllib.loads((path / "plan.toml").read_text(encoding="utf-8-sig")).get("language")
    except (OSError, ValueError):
        return None
    return as_language(value) if isinstance(value, str) else None
