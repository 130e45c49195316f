"""What identifiers are called in the reader's language."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from cyclopolis.foundation.text import Language, catalogue, say
from cyclopolis.plan import Plan
from cyclopolis.plan.schema import quantities

PLACE = "place"
"""Scope kind of the whole plan, in the accounts."""
_NEW = "new:"
_LIKE = {
    "from_plant": "plant",
    "to_plant": "plant",
    "taker": "plant",
    "giver": "plant",
    "anchor": "plant",
    "chain_place": "site",
    "offer": "concept",
    "need": "concept",
    "status_eu": "status_cn",
    "way": "kind",
    "from_site": "site",
    "to_site": "site",
    "as_commodity": "commodity",
    "limit_scope": "site",
    "rating_scope": "site",
    "fate": "kind",
}
"""Columns whose values are named as those of another."""
_OUTSIDE = ("from_plant", "to_plant", "from_site", "to_site")
_WHOLE = ("limit_scope", "rating_scope", "chain_place")
_TOTAL = ("detail_of",)


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
            "class_code": self.plan.library.solid_waste_classes,
            "facility": self.plan.library.services.rename({"service": "facility"}),
            "land_use": self.plan.library.land_uses,
        }
        maps = {kind: _by_id(table, kind, self.language) for kind, table in tables.items()}
        chain = "chain_zh" if self.language == "zh" else "chain"
        chains = self.plan.library.technologies.select("chain", pl.coalesce(chain, "chain").alias("name"))
        concepts = {**_by_id(self.plan.library.concepts, "concept", self.language), **maps["commodity"]}
        systems = _by_id(self.plan.library.systems.unique("system"), "system", self.language)
        return {
            **maps,
            "plant": self._plants(maps),
            "chain": dict(chains.drop_nulls().iter_rows()),
            "concept": concepts,
            "system": systems,
        }

    def _plants(self, maps: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
        """Return the plants' names; where two are called alike the enterprise is added."""
        called, firms = maps["plant"], maps["enterprise"]
        counts = Counter(called.values())
        owners = dict(self.plan.tables["plants"].select("plant", "enterprise").iter_rows())
        return {
            plant: f"{name} ({firms[owners[plant]]})" if counts[name] > 1 and owners[plant] in firms else name
            for plant, name in called.items()
        }

    def of(self, kind: str, identifier: str) -> str:
        """Return the name of a plant, site, enterprise, commodity, technology or chain.

        A candidate from the library (``new:TECHNOLOGY@SITE``) is called by both its parts.
        """
        if identifier.startswith(_NEW):
            technology, _, site = identifier.removeprefix(_NEW).partition("@")
            parts = {"technology": self.of("technology", technology), "site": self.of("site", site)}
            return say("report.new_plant", self.language, **parts)
        return self._maps[kind].get(identifier, identifier)

    def part(self, identifier: str) -> str:
        """Return the name of a part of an account: a class of waste with its code, or a commodity."""
        found = self._maps["class_code"].get(identifier)
        return f"{found} ({identifier})" if found else self.of("commodity", identifier)

    def scope(self, kind: str, identifier: str) -> str:
        """Return the name of what an account is about."""
        return say("report.whole_place", self.language) if kind == PLACE else self.of(kind, identifier)

    def layer(self, layer: str) -> str:
        """Return the name of a layer: goods, or a substance of the plan."""
        own = _by_id(self.plan.tables["substances"], "substance", self.language)
        return own.get(layer) or self.word(f"layer.{layer}")

    def quantity(self, quantity: str) -> str:
        """Return what a quantity of the accounts or the limits is called."""
        known = quantities().get(quantity)
        if known is None:
            return self.word(f"quantity.{quantity}")
        return known.zh if self.language == "zh" else known.en

    def blockers(self, codes: str) -> str:
        """Return what stands in the way of an exchange, by its codes separated by ``;``."""
        return self.word("exchange.comma").join(self.word(f"match.blocker_{code}") for code in codes.split(";") if code)

    def word(self, key: str) -> str:
        """Return the catalogue's text of a key made from a coded value (``status.met``), or the value itself."""
        return say(key, self.language) if key in catalogue() else key.partition(".")[2]


def _by_id(table: pl.DataFrame, kind: str, language: Language) -> Mapping[str, str]:
    order = ("name_zh", "name") if language == "zh" else ("name", "name_zh")
    return dict(table.select(kind, pl.coalesce(*order, kind)).iter_rows())


def unnamed(names: Names, column: str) -> str:
    """Return what no value means in a column: outside, the whole plan, or nothing to say."""
    if column in _OUTSIDE:
        return say("report.outside", names.language)
    if column in _TOTAL:
        return say("report.total", names.language)
    return say("report.whole_place", names.language) if column in _WHOLE else ""


def namer(names: Names, column: str) -> Callable[[str], str] | None:
    """Return how the values of a column are named, or None where they stand as they are."""
    words: Mapping[str, Callable[[str], str]] = {
        "plant": lambda value: names.of("plant", value),
        "site": lambda value: names.of("site", value),
        "enterprise": lambda value: names.of("enterprise", value),
        "commodity": lambda value: names.of("commodity", value),
        "technology": lambda value: names.of("technology", value),
        "facility": lambda value: names.of("facility", value),
        "land_use": lambda value: names.of("land_use", value),
        "from_use": lambda value: names.of("land_use", value),
        "to_use": lambda value: names.of("land_use", value),
        "kind": lambda value: names.word(f"flow_kind.{value}"),
        "reconcile_kind": lambda value: names.word(f"reconcile_kind.{value}"),
        "stored_at": lambda value: names.of("site", value),
        "substance_side": lambda value: names.word(f"side.{value}"),
        "movement": lambda value: names.word(f"movement.{value}"),
        "accepted": lambda value: names.word(f"accepted.{value}"),
        "basis": lambda value: names.word(f"basis.{value}"),
        "limit_kind": lambda value: names.word(f"limit_kind.{value}"),
        "proposed_status": lambda value: names.word(f"proposed.{value}"),
        "outcome": lambda value: names.word(f"outcome.{value}"),
        "price_kind": lambda value: names.word(f"price_kind.{value}"),
        "direction": lambda value: names.word(f"direction.{value}"),
        "reason": lambda value: names.word(f"unknown.{value}"),
        "quality_table": lambda value: names.word(f"quality_table.{value}"),
        "site_kind": lambda value: names.word(f"site_kind.{value}"),
        "plant_status": lambda value: names.word(f"plant_status.{value}"),
        "concept": lambda value: names.of("concept", value),
        "system": lambda value: names.of("system", value),
        "status_cn": lambda value: names.word(f"legal.{value}"),
        "match_basis": lambda value: names.word(f"match_basis.{value}"),
        "weak_reason": lambda value: names.word(f"exchange.reason_{value}"),
        "blockers": names.blockers,
        "quantity": names.quantity,
        "detail_of": names.part,
        "variant": lambda value: names.word(f"drainage.{value}"),
        "measure": lambda value: names.word(f"measure.{value}"),
        "service": lambda value: names.word(f"service.{value}"),
        "outlet_kind": lambda value: names.word(f"outlet_kind.{value}"),
        "stock_item": lambda value: names.word(f"stock_item.{value}"),
    }
    return words.get(_LIKE.get(column, column))
