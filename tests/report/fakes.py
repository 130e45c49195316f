"""Results with the documented columns and made-up rows: pages are tested without waiting for an engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from cyclopolis.foundation.columns import Column
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, message

HOSTILE = "<script>alert(1)</script>\"'&"
CLOSING = "</script><!--"


@dataclass(frozen=True)
class Fake(Result):
    """Columns are those of the tables themselves."""

    engine: ClassVar[str] = "fake"
    columns_package: ClassVar[str] = ""
    units: ClassVar[Mapping[str, str]] = {
        "capacity": "@unit/a",
        "mass_t": "t/a",
        "money_cny": "CNY/a",
        "transport_cny": "CNY/a",
        "distance_km": "km",
        "capex": "million CNY",
        "land_ha": "ha",
        "giver_cny": "CNY/a",
        "taker_cny": "CNY/a",
        "saving_cny": "CNY/a",
    }

    def __post_init__(self) -> None:
        """Accept any table."""

    def columns(self) -> Mapping[str, tuple[Column, ...]]:
        return {
            name: tuple(
                Column(name, column, "text", self.units.get(column, ""), False, "", (), None, None, (), column, column)
                for column in table.columns
            )
            for name, table in self.tables.items()
        }

    def summary(self) -> tuple[Line, ...]:
        return (
            Line(message("quantity.gain"), 123_456_789.0, "CNY/a"),
            Line(message("quantity.sales"), None, "CNY/a"),
            Line(message("quantity.mass_in"), 2.5, "t/a", "assumed"),
        )

    def figures(self, language: Language) -> Mapping[str, Figure]:
        return {}


@dataclass(frozen=True)
class FakeBalance(Fake):
    engine: ClassVar[str] = "balance"

    def figures(self, language: Language) -> Mapping[str, Figure]:
        link = {"source": [0, 1], "target": [1, 2], "value": [5.0, float("nan")], "label": [HOSTILE, CLOSING]}
        sankey: dict[str, Any] = {
            "type": "sankey",
            "node": {"label": [HOSTILE, CLOSING, "<b>bold</b>"]},
            "link": link,
            "hovertemplate": "%{label}<br>%{value}<extra></extra>",
        }
        return {"sankey": {"data": [sankey], "layout": {"title": {"text": HOSTILE}}}}


@dataclass(frozen=True)
class FakeDesign(Fake):
    engine: ClassVar[str] = "design"

    def figures(self, language: Language) -> Mapping[str, Figure]:
        bar = {"type": "bar", "x": [HOSTILE, CLOSING], "y": [1.0, 2.0], "name": HOSTILE}
        return {"exchanges": {"data": [bar], "layout": {}}}


def balance(rows: int = 3) -> FakeBalance:
    flows = pl.DataFrame(
        [
            {
                "flow": f"f{n}",
                "kind": ("exchange", "unplaced", "sale")[n % 3],
                "from_plant": "kiln",
                "to_plant": HOSTILE,
                "from_site": "park",
                "to_site": None,
                "commodity": "carbide_slag",
                "as_commodity": None,
                "amount": 1e5 / (n + 1),
                "unit": "t",
                "mass_t": 1e5 / (n + 1),
                "money_cny": -1.5e6 * n,
                "transport_cny": None,
                "distance_km": 12.5,
                "provenance": "assumed",
                "price_provenance": "memory",
            }
            for n in range(rows)
        ],
        schema_overrides={"as_commodity": pl.String, "transport_cny": pl.Float64, "to_site": pl.String},
    )
    ports = pl.DataFrame({"plant": ["kiln"] * 2, "provenance": ["measured", "memory"]})
    unknowns = pl.DataFrame({"plant": [CLOSING], "commodity": ["ash"], "reason": ["no_activity"]})
    prices = pl.DataFrame(
        {
            "commodity": ["ash"],
            "direction": ["buy"],
            "price": [12.5],
            "unit": ["t"],
            "provenance": ["memory"],
            "amount": [3.0],
        }
    )
    plants = pl.DataFrame(
        {
            "plant": ["kiln", HOSTILE],
            "site": ["park", HOSTILE],
            "enterprise": [None, HOSTILE],
            "technology": ["lime_kiln", "coking"],
            "status": ["existing", "planned"],
            "capacity": [1e5, None],
            "activity": [None, 9e4],
            "unit": ["t", "t"],
            "provenance": ["user", "assumed"],
        }
    )
    tables = {
        "plants": plants,
        "flows": flows,
        "ports": ports,
        "accounts": accounts(),
        "unknowns": unknowns,
        "prices": prices,
    }
    return FakeBalance(tables)


def accounts(before_after: bool = False) -> pl.DataFrame:
    rows = []
    for kind, scope in (("place", "park"), ("site", "park"), ("site", HOSTILE), ("chain", "coal")):
        for quantity, value, unit in (
            ("gain", 2.5e8, "CNY/a"),
            ("water", 1.2e7, "m3/a"),
            ("co2", 3.4e6, "t/a"),
            ("jobs", 1200.0, "1"),
            ("unaccounted", None, "t/a"),
        ):
            row = {"scope_kind": kind, "scope": scope, "quantity": quantity, "value": value, "unit": unit}
            if before_after:
                after = None if value is None else value * 0.9
                row = {
                    "scope_kind": kind,
                    "scope": scope,
                    "quantity": quantity,
                    "before": value,
                    "after": after,
                    "change": None if value is None else -0.1 * value,
                    "unit": unit,
                }
            rows.append(row)
    return pl.DataFrame(rows)


def reasons() -> dict[str, pl.DataFrame]:
    worth = {
        "year": 2030, "scope": HOSTILE, "quantity": "water", "kind": "max", "bound": 1e6, "unit": "m3/a",
        "local": 3.5, "step": 1e4, "stepped": 2.5, "gap": 0.1,
    }  # fmt: skip
    plant = {
        "plant": f"new:lime_kiln@{HOSTILE}", "site": HOSTILE, "outcome": "loses", "loss": 2e6, "gap": 1e3,
        "capex": 60.0, "breakeven_capex": 40.0, "price_kind": "gate_fee", "breakeven_price": 12.5, "unit": "t",
    }  # fmt: skip
    return {"limit_worth": pl.DataFrame([worth]), "not_chosen": pl.DataFrame([plant])}


def design(rows: int = 3) -> FakeDesign:
    builds = pl.DataFrame(
        [
            {
                "plant": f"new:lime_kiln@{HOSTILE}",
                "technology": "lime_kiln",
                "site": HOSTILE,
                "capacity": 1.5e5,
                "unit": "t",
                "activity": 9e4,
                "capex": 123.4,
                "capex_per_year": 1.2e7,
                "jobs": 55.0,
                "land_ha": None,
                "provenance": "memory",
            }
            for _ in range(rows)
        ],
        schema_overrides={"land_ha": pl.Float64},
    )
    exchanges = pl.DataFrame(
        [
            {
                "from_plant": HOSTILE,
                "to_plant": CLOSING,
                "kind": "exchange",
                "distance_km": 2.0,
                "co2_credit_t": None,
                "commodity": "fly_ash",
                "as_commodity": "clay",
                "before": 0.0,
                "after": 1e5,
                "change": 1e5 - n,
                "unit": "t",
                "giver_cny": 2.5e6,
                "taker_cny": -0.2e6,
                "saving_cny": 2.3e6,
            }
            for n in range(rows)
        ]
    )
    limits = pl.DataFrame(
        {
            "scope": [HOSTILE] * rows,
            "kind": ["max"] * rows,
            "quantity": ["water"] * rows,
            "bound": [1e6] * rows,
            "before": [1e6] * rows,
            "after": [9e5] * rows,
            "slack": [1e5] * rows,
            "unit": ["m3/a"] * rows,
            "binding": [n % 2 == 0 for n in range(rows)],
        }
    )
    proposed = pl.DataFrame(
        {
            "from_plant": [HOSTILE],
            "to_plant": ["kiln"],
            "commodity": ["ash"],
            "as_commodity": [None],
            "status": ["not_chosen"],
            "found": [0.0],
            "amount": [0.0],
            "unit": ["t"],
            "break_even": [35.5],
        },
        schema_overrides={"as_commodity": pl.String},
    )
    tables = {
        "builds": builds,
        "exchanges": exchanges,
        "accounts": accounts(True),
        "limits": limits,
        "proposed": proposed,
        **reasons(),
    }
    return FakeDesign(tables)
