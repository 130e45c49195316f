"""The engines in the order in which they run, and what each is handed of the others' answers.

Engines on one floor never import each other: what one needs of another is handed over here as a plain table. They are
reached by the lazy names of the package ``cyclopolis``, so that a balance does not wait for the solver to load.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl

import cyclopolis
from cyclopolis.foundation.result import Result
from cyclopolis.plan import Plan

Answer = Callable[[Plan, Mapping[str, Result], Mapping[str, Any]], Result]


@dataclass(frozen=True)
class Engine:
    """One engine: its name, the public name of its result's class, how it is asked, whether it takes options."""

    name: str
    result: str
    answer: Answer
    takes_options: bool = False


def _balance(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done, options
    return cyclopolis.balance(plan)


def _design(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    return cyclopolis.design(plan, cyclopolis.DesignOptions(**options))


def _rate(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del options
    return cyclopolis.rate(plan, before_and_after(done["design"].tables["accounts"]))


def _match(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    known = {field.name for field in fields(cyclopolis.MatchOptions)}
    return cyclopolis.match(plan, cyclopolis.MatchOptions(**{name: options[name] for name in options if name in known}))


def _chains(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done, options
    return cyclopolis.chains(plan)


ENGINES: tuple[Engine, ...] = (
    Engine("balance", "Balance", _balance),
    Engine("design", "Design", _design, takes_options=True),
    Engine("rating", "Rating", _rate),
)
"""The engines of a run, in order."""
ON_REQUEST: tuple[Engine, ...] = (
    Engine("match", "Match", _match, takes_options=True),
    Engine("chains", "Chains", _chains),
)
"""Engines that need no other's answer and run when asked for; what they saved is part of later reports."""


def load(engine: Engine, folder: Path) -> Result:
    """Load an engine's saved result; raises UserError when the folder holds none."""
    kind: type[Result] = getattr(cyclopolis, engine.result)
    return kind.load(folder)


def before_and_after(accounts: pl.DataFrame) -> pl.DataFrame:
    """Turn a design's accounts into the table of quantities that rating reads.

    Parameters
    ----------
    accounts : polars.DataFrame
        ``scope_kind, scope, quantity, before, after, unit`` as design gives it.

    Returns
    -------
    polars.DataFrame
        ``state`` (before or after), ``scope`` (a site; empty for the whole plan), ``quantity``, ``value``, ``unit``,
        ``provenance``, ``origin``.

    Examples
    --------
    >>> accounts = pl.DataFrame(
    ...     [("place", "place", "water", 5.0, 4.0, "m3/a"), ("chain", "coal", "water", 5.0, 4.0, "m3/a")],
    ...     schema=["scope_kind", "scope", "quantity", "before", "after", "unit"],
    ...     orient="row",
    ... )
    >>> before_and_after(accounts).select("state", "scope", "value").rows()
    [('before', '', 5.0), ('after', '', 4.0)]
    """
    kind = pl.col("scope_kind")
    places = accounts.filter(kind.is_in(["place", "site"]))
    states = [
        places.select(
            state=pl.lit(state),
            scope=pl.when(kind == "place").then(pl.lit("")).otherwise("scope"),
            quantity="quantity",
            value=pl.col(state),
            unit="unit",
            provenance=pl.lit("computed"),
            origin=pl.lit(origin),
        )
        for state, origin in (("before", "balance"), ("after", "design"))
    ]
    return pl.concat(states)
