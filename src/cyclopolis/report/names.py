"""What identifiers are called in the reader's language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from cyclopolis.foundation.text import Language, catalogue, say
from cyclopolis.plan import Plan

_NEW = "new:"
_ENDS = ("from_plant", "to_plant", "from_site", "to_site")


@dataclass(frozen=True)
class Names:
    """Looks up the names of a plan's and its library's rows; an identifier without a name stays as it is."""

    plan: Plan
    language: Language

    @cached_property
    def _maps(self) -> Mapping[str, Mapping[str, str]]:
        tables = {
            "plant": self.plan.tables["plants"],
            "site": self.plan.tables["sites"],
            "enterprise": self.plan.tables["enterprises"],
            "commodity": self.plan.library.commodities,
            "technology": self.plan.library.technologies,
        }
        return {kind: _by_id(table, kind, self.language) for kind, table in tables.items()}

    def of(self, kind: str, identifier: str | None) -> str:
        """Return the name of a plant, site, enterprise, commodity or technology.

        A candidate from the library (``new:TECHNOLOGY@SITE``) is called by both its parts; None stays empty.
        """
        if identifier is None:
            return ""
        if identifier.startswith(_NEW):
            technology, _, site = identifier.removeprefix(_NEW).partition("@")
            parts = {"technology": self.of("technology", technology), "site": self.of("site", site)}
            return say("report.new_plant", self.language, **parts)
        return self._maps[kind].get(identifier, identifier)

    def scope(self, kind: str, identifier: str | None) -> str:
        """Return the name of what an account is about; the whole plan is called by its own name."""
        if kind in self._maps:
            return self.of(kind, identifier)
        return identifier or say("report.whole_place", self.language)

    def word(self, topic: str, value: str | None) -> str:
        """Return the catalogue's word for a coded value (``kind.sale``), or the value itself."""
        if value is None:
            return ""
        key = f"{topic}.{value}"
        return say(key, self.language) if key in catalogue() else value


def _by_id(table: pl.DataFrame, kind: str, language: Language) -> Mapping[str, str]:
    order = ("name_zh", "name") if language == "zh" else ("name", "name_zh")
    return dict(table.select(kind, pl.coalesce(*order, kind)).iter_rows())


def namer(names: Names, column: str) -> Callable[[str | None], str] | None:
    """Return how the values of a column are named, or None where they stand as they are."""
    kinds = {
        "plant": "plant",
        "from_plant": "plant",
        "to_plant": "plant",
        "site": "site",
        "from_site": "site",
        "to_site": "site",
        "enterprise": "enterprise",
        "commodity": "commodity",
        "as_commodity": "commodity",
        "technology": "technology",
    }
    if column in _ENDS:
        outside = say("report.outside", names.language)
        return lambda value: names.of(kinds[column], value) or outside
    if column in kinds:
        return lambda value: names.of(kinds[column], value)
    topics = {"kind": "flow_kind", "fate": "flow_kind"}
    topics |= {"reason": "unknown", **{name: name for name in ("direction", "plant_status", "quality_table", "site_kind")}}
    if column in topics:
        return lambda value: names.word(topics[column], value)
    return None
