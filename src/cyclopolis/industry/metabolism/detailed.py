"""Detailed accounts: what crosses the boundary of every scope, by commodity, carrier, class and fate.

A flow is seen from a scope (the place, a site with all it holds, a chain, an enterprise): it is bought, received,
given, sold, stays inside, or leaves by its fate. Which movement counts as which item of which account is a table,
``items.csv`` beside this file; accounting is one join and one sum.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import numpy as np
import polars as pl

from cyclopolis.foundation.text import say
from cyclopolis.industry.metabolism.accounts import plant_values, scope_members
from cyclopolis.industry.metabolism.carbon import carbon_by_plant
from cyclopolis.industry.metabolism.exergy import energy_factors
from cyclopolis.library import load_library
from cyclopolis.network import Flows, Network
from cyclopolis.network.model import EXISTING, PROVENANCE, ROLES, Bools, Floats, Ints
from cyclopolis.network.names import pick
from cyclopolis.network.quantities import solid_waste_ports

SCOPES = ("place", "site", "chain", "enterprise")
"""Kinds of scope that have detailed accounts."""
ACCOUNTS: Mapping[str, str] = {
    "material": "t/a",
    "water": "m3/a",
    "energy": "GJ/a",
    "exergy": "GJ/a",
    "carbon": "t/a",
    "emissions": "t/a",
    "solid_waste": "t/a",
    "hazardous_waste": "t/a",
    "money": "CNY/a",
    "jobs": "1",
}
"""Accounts and their units, in order."""
_KEY = ("scope_kind", "scope")
_CODES = {name: code for code, name in enumerate(PROVENANCE)}
_WORST = pl.col("origin").max()


@cache
def item_table() -> pl.DataFrame:
    """Return which movement counts in which item: columns account, class, item, movement, sign, parts, rank.

    Examples
    --------
    >>> item_table().filter(account="material", item="consumption")["sign"].to_list()
    [1, 1, 1, -1, -1]
    """
    with (files("cyclopolis.industry.metabolism") / "items.csv").open(encoding="utf-8") as handle:
        return pl.read_csv(handle.read().encode()).with_row_index("rank")


def scopes(network: Network, flows: Flows) -> pl.DataFrame:
    """Return which plants, standing or built, belong to which scope: columns scope_kind, scope, plant, member."""
    present = (network.plants.status == EXISTING) | (flows.built > 0)
    found = scope_members(network, np.flatnonzero(present)).filter(pl.col("scope_kind").is_in(SCOPES))
    return found.with_columns(plant=pick(network.plant_ids, found["member"].to_numpy()))


def movements(rows: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Return every flow as each scope sees it.

    Parameters
    ----------
    rows : polars.DataFrame
        The table of flows.
    members : polars.DataFrame
        From `scopes`.

    Returns
    -------
    polars.DataFrame
        The flows once per scope that they touch, with ``row``, scope_kind, scope and ``movement``: inside, given,
        received, bought, sold, natural, to_nature, to_stock, from_stock, no_source, no_way_out or a fate.
    """
    numbered = rows.with_row_index("row")
    sides = [
        numbered.select("row", plant=end)
        .drop_nulls()
        .join(members.select(*_KEY, "plant"), on="plant")
        .select("row", *_KEY, pl.lit(value=True).alias(name))
        for end, name in (("from_plant", "gives"), ("to_plant", "takes"))
    ]
    seen = sides[0].join(sides[1], on=["row", *_KEY], how="full", coalesce=True)
    gives, takes, kind = pl.col("gives").fill_null(value=False), pl.col("takes").fill_null(value=False), pl.col("kind")
    between = kind.is_in(["internal", "supply", "exchange", "substitution"])
    out = (
        pl.when(between)
        .then(pl.lit("given"))
        .when(kind == "sale")
        .then(pl.lit("sold"))
        .when(kind == "natural")
        .then(pl.lit("to_nature"))
        .when(kind == "unplaced")
        .then(pl.lit("no_way_out"))
        .when(kind == "stock")
        .then(pl.lit("to_stock"))
        .otherwise(kind)
    )
    into = (
        pl.when(between)
        .then(pl.lit("received"))
        .when(kind == "purchase")
        .then(pl.lit("bought"))
        .when(kind == "unplaced")
        .then(pl.lit("no_source"))
        .when(kind == "stock")
        .then(pl.lit("from_stock"))
        .otherwise(kind)
    )
    movement = pl.when(gives & takes).then(pl.lit("inside")).when(gives).then(out).otherwise(into)
    return (
        seen.join(numbered, on="row")
        .with_columns(movement=movement)
        .drop("gives", "takes")
        .sort("scope_kind", "scope", "row")
    )


def _facts(network: Network, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the flows with what accounts must know of them: kind, traits, energy, waste class, provenance codes."""
    goods, library = network.commodities, load_library()
    energy = energy_factors(goods, library.exergy)
    traits = library.traits.group_by("commodity").agg("trait")
    hazard = pl.col("hazard").fill_null(value=False)
    about = (
        goods.select(
            "commodity",
            hazard=hazard,
            coded=pl.col("sw_code").is_not_null(),
            waste_class=_first_class(),
            goods_kind="kind",
        )
        .join(energy, on="commodity", how="left")
        .join(traits, on="commodity", how="left")
    )
    ports = network.ports
    wasted = pl.DataFrame(
        {
            "from_plant": pick(network.plant_ids, ports.plant),
            "commodity": pick(network.commodity_ids, ports.commodity),
            "waste": solid_waste_ports(network),
            "by_main": (ports.role == ROLES.index("main")) & (ports.coefficient > 0),
        }
    ).filter(pl.col("waste") | pl.col("by_main"))
    flags = pl.col("waste", "by_main").fill_null(value=False)
    known = rows.join(about, on="commodity", how="left", maintain_order="left").join(
        wasted, on=["from_plant", "commodity"], how="left", maintain_order="left"
    )
    return known.with_columns(
        flags,
        pl.col("trait").fill_null(pl.lit([], dtype=pl.List(pl.String))),
        origin=_code("provenance"),
        priced=_code("price_provenance"),
        lhv=_code("lhv_from"),
        exergy_origin=_code("exergy_from"),
    )


def _first_class() -> pl.Expr:
    return pl.col("sw_code").cast(pl.String).str.split(";").list.first()


def _code(column: str) -> pl.Expr:
    """Return the code of a provenance, -1 where there is none."""
    return pl.col(column).replace_strict(_CODES, default=-1, return_dtype=pl.Int64)


def _valued(moves: pl.DataFrame) -> pl.DataFrame:
    """Return every movement once per account and class that it counts in: account, class, of, value, origin."""
    kind, has = pl.col("goods_kind"), pl.col("trait").list.contains
    solid = kind.is_in(["material", "emission"])
    secondary = pl.col("coded") & pl.col("gj").is_null() & ~pl.col("by_main")
    mass, amount, goods = pl.col("mass_t"), pl.col("amount"), pl.col("commodity")
    sold = pl.when(pl.col("movement") == "sold").then(pl.col("money_cny")).otherwise(-pl.col("money_cny"))
    money = (
        pl.col("kind").is_in(["natural", "unplaced", "stock", "internal", "supply", "exchange", "substitution"]).not_()
    )
    carrier = pl.col("gj").is_not_null()
    origin, priced = pl.col("origin"), pl.max_horizontal("origin", "priced")
    joule, work = pl.max_horizontal("origin", "lhv"), pl.max_horizontal("origin", "lhv", "exergy_origin")
    parts = (
        ("material", "material", solid & ~has("balancing"), mass, goods, origin),
        ("material", "balancing", solid & has("balancing"), mass, goods, origin),
        ("material", "secondary", (kind == "material") & secondary, mass, goods, origin),
        ("material", "biogenic", (kind == "material") & has("biogenic"), mass, goods, origin),
        ("water", "water", kind == "water", amount, goods, origin),
        ("water", "circular_water", (kind == "water") & has("circular_water"), amount, goods, origin),
        ("energy", "energy", carrier, amount * pl.col("gj"), goods, joule),
        ("exergy", "exergy", carrier, amount * pl.col("exergy_gj"), goods, work),
        ("emissions", "emissions", kind == "emission", mass, goods, origin),
        ("solid_waste", "solid_waste", pl.col("waste"), mass, pl.col("waste_class"), origin),
        ("hazardous_waste", "hazardous_waste", pl.col("waste") & pl.col("hazard"), mass, pl.col("waste_class"), origin),
        ("money", "money", money, sold, goods, priced),
        ("money", "transport", pl.col("transport_cny").is_not_null(), pl.col("transport_cny"), goods, origin),
    )
    return pl.concat(
        [
            moves.filter(wanted).select(
                *_KEY,
                "row",
                "movement",
                account=pl.lit(account),
                of=of,
                value=value,
                origin=code,
                **{"class": pl.lit(name)},
            )
            for account, name, wanted, value, of, code in parts
        ]
    )


def _by_plant(
    network: Network, flows: Flows, emission_factors: pl.DataFrame
) -> list[tuple[str, str, Floats, Bools, Ints]]:
    """Return items that belong to plants, not to flows: account, item, amount (P,), unknown (P,), provenance (P,)."""
    values = plant_values(network, flows)
    plants = network.plants
    economics, activity = plants.economics_provenance, plants.provenance
    both = np.maximum(economics, activity)
    carbon = carbon_by_plant(network, flows, emission_factors)
    idle = np.isnan(plants.activity)
    power, unknown_power = values["co2_power"]
    return [
        ("carbon", "fuel", carbon.fuel, idle, carbon.provenance),
        ("carbon", "process", carbon.process, idle, carbon.provenance),
        ("carbon", "flared", carbon.released, idle, carbon.provenance),
        ("carbon", "power_bought", power, unknown_power, np.maximum(activity, _CODES["seen"])),
        ("money", "operation", *values["operation"], both),
        ("money", "gain", *values["gain"], both),
        ("jobs", "jobs", *values["jobs"], both),
    ]


def _plant_items(network: Network, flows: Flows, emission_factors: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    parts = []
    for account, item, amount, hidden, origin in _by_plant(network, flows, emission_factors):
        at = members["member"].to_numpy()
        parts.append(
            members.select(
                *_KEY,
                "member",
                account=pl.lit(account),
                item=pl.lit(item),
                value=pl.Series(np.where(hidden, np.nan, amount)[at]).fill_nan(None),
                origin=pl.Series(np.where(amount != 0, origin, -1)[at]),
            )
        )
    return (
        pl.concat(parts)
        .sort(*_KEY, "account", "item", "member")
        .group_by(*_KEY, "account", "item", maintain_order=True)
        .agg(
            pl.when(pl.col("value").count() > 0).then(pl.col("value").sum()),
            missing=pl.col("value").is_null().sum().cast(pl.Int64),
            origin=_WORST,
        )
        .with_columns(of=pl.lit(None, dtype=pl.String))
    )


def _sum(entries: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    signed = (pl.col("sign") * pl.col("value")).sum()
    return (
        entries.sort(*keys, "row", nulls_last=True)
        .group_by(keys, maintain_order=True)
        .agg(
            value=pl.when(pl.col("value").count() > 0).then(signed),
            missing=pl.col("value").is_null().sum().cast(pl.Int64),
            origin=_WORST,
        )
    )


def details_table(network: Network, flows: Flows, rows: pl.DataFrame, emission_factors: pl.DataFrame) -> pl.DataFrame:
    """Return the detailed accounts of a state as documented in ``columns.csv``.

    Parameters
    ----------
    network : Network
    flows : Flows
    rows : polars.DataFrame
        The state's table of flows.
    emission_factors : polars.DataFrame
        Official values of fuels; exergy and traits are the library's.

    Returns
    -------
    polars.DataFrame
        Columns scope_kind, scope, account, item, of, value, unit, missing, provenance, name, name_zh. ``of`` is the
        commodity or waste class; the row without it is the total. A total of nothing is 0; of nothing known, null.
    """
    members = scopes(network, flows)
    entries = _valued(movements(_facts(network, rows), members)).join(item_table(), on=["account", "class", "movement"])
    keys = [*_KEY, "account", "item"]
    totals = _sum(entries.filter(pl.col("account") != "emissions"), keys).with_columns(of=pl.lit(None, dtype=pl.String))
    idle = np.isnan(network.plants.activity)[members["member"].to_numpy()]
    held = (
        members.with_columns(idle=pl.Series(idle))
        .group_by(_KEY)
        .agg(idle=pl.col("idle").sum().cast(pl.Int64), running=pl.col("idle").not_().sum())
    )
    frame = held.join(
        item_table().filter(pl.col("account") != "emissions").select("account", "item").unique(), how="cross"
    )
    nothing = pl.when(pl.col("running") > 0).then(0.0)
    value = pl.when(pl.col("missing").is_null()).then(nothing).otherwise(pl.col("value"))
    whole = frame.join(totals, on=keys, how="left").with_columns(
        value=value, missing=pl.col("missing").fill_null(0) + pl.col("idle")
    )
    parts = _sum(entries.filter("parts"), [*keys, "of"])
    stock = held.select(
        *_KEY,
        account=pl.lit("material"),
        item=pl.lit("stock_change"),
        value=pl.lit(None, dtype=pl.Float64),
        missing="idle",
    )
    tables = [whole, parts, _plant_items(network, flows, emission_factors, members), stock]
    return _ordered(pl.concat([table.select(set(table.columns) & _COLUMNS) for table in tables], how="diagonal"))


_COLUMNS = {"scope_kind", "scope", "account", "item", "of", "value", "missing", "origin"}


def _ordered(table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows in the order of scopes, accounts, items; with units and provenance in words."""
    ranks = item_table().group_by("account", "item").agg(rank=pl.col("rank").min().cast(pl.Int64))
    account = pl.col("account").replace_strict({name: i for i, name in enumerate(ACCOUNTS)}, return_dtype=pl.Int64)
    kind = pl.col("scope_kind").replace_strict({name: i for i, name in enumerate(SCOPES)}, return_dtype=pl.Int64)
    origin = table["origin"].fill_null(-1).to_numpy()
    return (
        table.with_columns(unit=pl.col("account").replace_strict(dict(ACCOUNTS)), provenance=pick(PROVENANCE, origin))
        .join(ranks, on=["account", "item"], how="left")
        .join(item_names(), on=["account", "item"], how="left")
        .sort(kind, "scope", account, pl.col("rank").fill_null(10_000), "item", "of", nulls_last=False)
        .select(*_KEY, "account", "item", "of", "value", "unit", "missing", "provenance", "name", "name_zh")
    )


_OF_PLANTS = (
    ("carbon", "fuel"),
    ("carbon", "process"),
    ("carbon", "flared"),
    ("carbon", "power_bought"),
    ("money", "operation"),
    ("money", "gain"),
    ("jobs", "jobs"),
    ("material", "stock_change"),
)
"""Items that are not sums of flows."""


@cache
def item_names() -> pl.DataFrame:
    """Return the names of all items in both languages: account, item, name, name_zh.

    Examples
    --------
    >>> item_names().filter(account="material", item="imports")["name"].item()
    'Material: brought in'
    """
    items = [*item_table().select("account", "item").unique(maintain_order=True).iter_rows(), *_OF_PLANTS]
    rows = [
        {
            "account": account,
            "item": item,
            "name": f"{say(f'circularity.account.{account}', 'en')}: {_lower(say(f'circularity.item.{item}', 'en'))}",
            "name_zh": f"{say(f'circularity.account.{account}', 'zh')}：{say(f'circularity.item.{item}', 'zh')}",
        }
        for account, item in items
    ]
    return pl.DataFrame(rows)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
