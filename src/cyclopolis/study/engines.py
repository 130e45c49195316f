"""The engines in the order in which they run, and what each is handed of the others' answers.

Engines on one floor never import each other: what one needs of another is handed over here as a plain table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from cyclopolis.design import Design, DesignOptions, design
from cyclopolis.foundation.result import Result
from cyclopolis.industry import Balance, balance
from cyclopolis.plan import Plan
from cyclopolis.rating import Rating, rate

Answer = Callable[[Plan, Mapping[str, Result], Mapping[str, Any]], Result]


@dataclass(frozen=True)
class Engine:
    """One engine: its name, its result's class, how it is asked, and whether it takes the run's options."""

    name: str
    result: type[Result]
    answer: Answer
    takes_options: bool = False


def _balance(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done, options
    return balance(plan)


def _design(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    return design(plan, DesignOptions(**options))


def _rate(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del options
    return rate(plan, before_and_after(done["design"].tables["accounts"]))


ENGINES: tuple[Engine, ...] = (
    Engine("balance", Balance, _balance),
    Engine("design", Design, _design, takes_options=True),
    Engine("rating", Rating, _rate),
)


def before_and_after(accounts: pl.DataFrame) -> pl.DataFrame:
    """Turn a design's accounts into the table of quantities that rating reads.

    Parameters
    ----------
    accounts : polars.DataFrame
        ``scope_kind, scope, quantity, before, after, unit`` as design gives it.

    Returns
    -------
    polars.DataFrame
        ``state`` (before or after), ``scope`` (a site), ``quantity``, ``value``, ``unit``, ``provenance``, ``origin``.
    """
    sites = accounts.filter(pl.col("scope_kind") == "site")
    states = [
        sites.select(
            state=pl.lit(state),
            scope="scope",
            quantity="quantity",
            value=pl.col(state),
            unit="unit",
            provenance=pl.lit("computed"),
            origin=pl.lit(origin),
        )
        for state, origin in (("before", "balance"), ("after", "design"))
    ]
    return pl.concat(states)
