"""Every text a user sees, in English and Chinese, from one catalogue.

The catalogue is the folder ``catalogue/`` beside this file: CSV tables with the columns ``key, en, zh``. A text is
named by its key (``plan.unknown_id``) and filled by name (``{value}``). Code never holds a sentence for a user.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@cache
def catalogue() -> Mapping[str, Mapping[Language, str]]:
    """Return all texts by key.

    Returns
    -------
    mapping of key to ``{"en": ..., "zh": ...}``

    Raises
    ------
    ValueError
        If a key stands twice.

    Examples
    --------
    >>> catalogue()["language.name"]["zh"]
    '中文'
    """
    texts: dict[str, Mapping[Language, str]] = {}
    folder = files("cyclopolis.foundation") / "catalogue"
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if not entry.name.endswith(".csv"):
            continue
        with entry.open(encoding="utf-8") as handle:
            for row in csv.DictReader(handle):
                if row["key"] in texts:
                    raise ValueError(
                        f"text {row['key']!r} stands twice in the catalogue, the second time in {entry.name}"
                    )
                texts[row["key"]] = {"en": row["en"], "zh": row["zh"]}
    return texts


@dataclass(frozen=True)
class Message:
    """A text by its key with its values, rendered when the language is known.

    Parameters
    ----------
    key : str
        Key in the catalogue.
    values : mapping
        Values for the ``{names}`` in the text. A value that is itself a `Message` is rendered in the same language.

    Examples
    --------
    >>> Message("language.name").render("en")
    'English'
    """

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def render(self, language: Language) -> str:
        """Return the text in ``language``; raises KeyError for an unknown key or a missing value."""
        filled = {
            name: value.render(language) if isinstance(value, Message) else value for name, value in self.values.items()
        }
        return catalogue()[self.key][language].format_map(filled)


def say(key: str, language: Language, **values: object) -> str:
    """Return the text of ``key`` in ``language``, filled with ``values``.

    Examples
    --------
    >>> say("language.name", "en")
    'English'
    """
    return Message(key, values).render(language)


def message(key: str, **values: object) -> Message:
    """Return a `Message`; the short way to write one."""
    return Message(key, values)
