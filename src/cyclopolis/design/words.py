"""The plan's own names and amounts inside messages, in the reader's language."""

from dataclasses import dataclass, field

import polars as pl

from cyclopolis.foundation.numbers import quantity_text
from cyclopolis.foundation.text import Language, Message, message
from cyclopolis.plan import Plan
from cyclopolis.plan.schema import quantities


@dataclass(frozen=True)
class Name(Message):
    """A name from a table, not from the catalogue: ``en`` and ``zh`` as the plan or the library give them."""

    key: str = ""
    names: tuple[str, str] = field(default=("", ""))

    def render(self, language: Language) -> str:
        """Return the name in the language, or the other one where that is missing."""
        first, second = self.names if language == "en" else self.names[::-1]
        return first or second


@dataclass(frozen=True)
class Amount(Message):
    """An amount with its unit, written for people."""

    key: str = ""
    value: float = 0.0
    unit: str = ""

    def render(self, language: Language) -> str:
        """Return number and unit, large numbers in millions or in 万."""
        return quantity_text(self.value, self.unit, language)


def _name(table: pl.DataFrame, key: str, identifier: str) -> Name:
    row = table.filter(pl.col(key) == identifier)
    if row.is_empty():
        return Name(names=(identifier, identifier))
    found = row.select(pl.coalesce("name", key), pl.coalesce("name_zh", "name", key)).row(0)
    return Name(names=(str(found[0]), str(found[1])))


def site_name(plan: Plan, site: str | None) -> Message:
    """Return the name of a site, or words for the whole plan."""
    return message("design.whole_plan") if site is None else _name(plan.tables["sites"], "site", site)


def commodity_name(plan: Plan, commodity: str) -> Name:
    """Return the name of a commodity."""
    return _name(plan.library.commodities, "commodity", commodity)


def plant_name(plan: Plan, plant: str) -> Name:
    """Return the name of a plant; a library candidate is called by its technology and site."""
    if not plant.startswith("new:"):
        return _name(plan.tables["plants"], "plant", plant)
    technology, _, site = plant.removeprefix("new:").partition("@")
    what = _name(plan.library.technologies, "technology", technology).names
    where = _name(plan.tables["sites"], "site", site).names
    return Name(names=(f"{what[0]}, {where[0]}", f"{where[1]}{what[1]}"))


def quantity_name(quantity: str) -> Name:
    """Return the name of a limited quantity."""
    found = quantities()[quantity]
    return Name(names=(found.en[:1].lower() + found.en[1:] if not found.en[:2].isupper() else found.en, found.zh))


def commodity_unit(plan: Plan, commodity: str) -> str:
    """Return the yearly unit of a commodity's amounts."""
    units = dict(plan.library.commodities.select("commodity", "unit").iter_rows())
    return f"{units.get(commodity, '')}/a"
