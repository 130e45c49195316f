"""Exchanges that the plan names: which ports they join, what they carry in the base year, and those that cannot be."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from cyclopolis.network.candidates import provenance_codes
from cyclopolis.network.model import Floats, Ints
from cyclopolis.network.places import floats
from cyclopolis.network.ports import Measured
from cyclopolis.plan import provenance


@dataclass(frozen=True)
class Named:
    """Exchanges by ports: table (giver, taker, ratio, rule, amount) and what cannot be placed.

    ``rule`` says whether a substitution rule covers it; ``amount`` is NaN for a proposed one and infinite for "as
    much as both allow".
    """

    table: pl.DataFrame
    unknowns: pl.DataFrame

    def amounts(self, giver: Ints, taker: Ints) -> tuple[Floats, Ints]:
        """Return the base-year amount on each arc (A,) and its provenance; NaN and -1 where the plan names none."""
        arcs = pl.DataFrame({"giver": giver, "taker": taker})
        found = arcs.join(self.table, on=["giver", "taker"], how="left", maintain_order="left")
        amount = floats(found["amount"])
        return amount, np.where(np.isnan(amount), -1, provenance_codes(found["provenance"]))


def read_exchanges(exchanges: pl.DataFrame, measured: Measured, ports: pl.DataFrame, rules: pl.DataFrame) -> Named:
    """Return the plan's exchanges as pairs of ports.

    Parameters
    ----------
    exchanges : polars.DataFrame
        The plan's table. A measured flow stands for an exchange and its amount for the one given.
    measured : Measured
    ports : polars.DataFrame
        Columns port, plant, commodity, technology (identifiers) and output.
    rules : polars.DataFrame
        Substitutions that are not uses: commodity, technology, displaced, ratio.
    """
    found = _to_ports(_with_measured(exchanges, measured), ports, rules)
    placed = pl.col("giver").is_not_null() & pl.col("taker").is_not_null()
    table = (
        found.filter(placed)
        .with_columns(rule=pl.col("same") | pl.col("stated").is_not_null(), ratio=pl.col("stated").fill_null(1.0))
        .group_by("giver", "taker")
        .agg(
            ratio=pl.col("ratio").max(),
            rule=pl.col("rule").any(),
            provenance=pl.col("provenance").min(),
            amount=pl.when(pl.col("amount").count() > 0).then(pl.col("amount").sort().sum()),
        )
        .sort("giver", "taker")
    )
    return Named(table, _not_placed(found, placed & pl.col("same").not_() & pl.col("stated").is_null()))


def _with_measured(exchanges: pl.DataFrame, measured: Measured) -> pl.DataFrame:
    """Return the plan's exchanges and measured flows, numbered; what was measured goes before what was given."""
    given = exchanges.select(
        "from_plant",
        "to_plant",
        "commodity",
        "as_commodity",
        amount=pl.when(pl.col("status") == "existing").then(pl.col("amount").fill_null(float("inf"))),
        provenance=provenance(pl.col("source")),
    )
    flows = measured.flows.rename({"amount": "measured", "provenance": "origin"})
    return given.join(flows, on=["from_plant", "to_plant", "commodity"], how="full", coalesce=True).with_columns(
        amount=pl.coalesce("measured", "amount"),
        provenance=pl.coalesce("origin", "provenance"),
        exchange=pl.int_range(pl.len()),
    )


def _to_ports(rows: pl.DataFrame, ports: pl.DataFrame, rules: pl.DataFrame) -> pl.DataFrame:
    """Add the ports that give and take, what is taken, whether it is the same thing, and the ratio a rule states.

    A port that takes the thing itself goes before one that takes it by a rule.
    """
    giver = ports.filter(pl.col("output")).select(from_plant="plant", commodity="commodity", giver="port")
    taker = ports.filter(pl.col("output").not_()).select(
        "technology", to_plant="plant", taken="commodity", taker="port"
    )
    rows = rows.join(giver, on=["from_plant", "commodity"], how="left")
    direct = rows.with_columns(taken=pl.coalesce("as_commodity", "commodity")).join(
        taker, on=["to_plant", "taken"], how="left"
    )
    by_rule = (
        rows.filter(pl.col("as_commodity").is_null())
        .join(taker, on="to_plant")
        .join(rules.rename({"displaced": "taken"}), on=["commodity", "technology", "taken"])
        .sort("exchange", "taken")
        .unique("exchange", keep="first", maintain_order=True)
        .select("exchange", rule_taker="taker", rule_ratio="ratio", rule_taken="taken")
    )
    return (
        direct.join(by_rule, on="exchange", how="left")
        .with_columns(
            taken=pl.when(pl.col("taker").is_null()).then(pl.col("rule_taken")).otherwise(pl.col("taken")),
            taker=pl.coalesce("taker", "rule_taker"),
        )
        .join(
            rules.select("commodity", "technology", "ratio", taken="displaced"),
            on=["commodity", "technology", "taken"],
            how="left",
        )
        .with_columns(same=pl.col("commodity") == pl.col("taken"), stated=pl.coalesce("ratio", "rule_ratio"))
    )


def _not_placed(found: pl.DataFrame, assumed: pl.Expr) -> pl.DataFrame:
    """Return what no port gives, what no port takes, and substitutions of assumed ratio: plant, commodity, reason."""
    parts = (
        (found.filter(pl.col("giver").is_null()), "from_plant", "exchange_not_given"),
        (found.filter(pl.col("taker").is_null()), "to_plant", "exchange_not_taken"),
        (found.filter(assumed), "to_plant", "exchange_ratio"),
    )
    return pl.concat([rows.select("commodity", plant=plant, reason=pl.lit(why)) for rows, plant, why in parts]).select(
        "plant", "commodity", "reason"
    )


def named_keys(named: Named, width: int) -> Ints:
    """Return giver x width + taker of each named pair."""
    table = named.table
    return np.asarray(table["giver"].to_numpy() * width + table["taker"].to_numpy(), dtype=np.int64)
