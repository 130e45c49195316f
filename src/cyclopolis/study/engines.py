"""The engines in the order in which they run, and what each is handed of the others' answers.

Engines on one floor never import each other: what one needs of another is handed over here as a plain table. They are
reached by the lazy names of the package ``cyclopolis``, so that a balance does not wait for the solver to load.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

import cyclopolis
from cyclopolis.foundation.result import Result
from cyclopolis.plan import Plan

Answer = Callable[[Plan, Mapping[str, Result], Mapping[str, Any]], Result]


def _always(plan: Plan) -> bool:
    del plan
    return True


@dataclass(frozen=True)
class Engine:
    """One engine.

    Parameters
    ----------
    name : str
    result : str
        Public name of its result's class.
    answer : callable
        How it is asked: plan, answers so far, options.
    needs : tuple of str
        Engines whose answers it is handed.
    applies : callable
        Whether the plan holds what it asks for; a run of everything passes over it where not.
    takes_options : bool
        Whether it takes the options of design.
    """

    name: str
    result: str
    answer: Answer
    needs: tuple[str, ...] = ()
    applies: Callable[[Plan], bool] = _always
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


def _streets(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done, options
    return cyclopolis.streets(plan)


def _has_layers(kind: str) -> Callable[[Plan], bool]:
    """Return whether a plan has a map layer of a kind."""
    return lambda plan: kind in plan.tables["layers"]["kind"].to_list()


ENGINES: tuple[Engine, ...] = (
    Engine("balance", "Balance", _balance),
    Engine("design", "Design", _design, needs=("balance",), takes_options=True),
    Engine("streets", "Streets", _streets, applies=_has_layers("streets")),
    Engine("rating", "Rating", _rate, needs=("balance", "design")),
)


def needed(name: str) -> tuple[Engine, ...]:
    """Return an engine with all that it needs, in the order in which they run.

    Examples
    --------
    >>> [engine.name for engine in needed("rating")], [engine.name for engine in needed("streets")]
    (['balance', 'design', 'rating'], ['streets'])
    """
    wanted = {name}
    for engine in reversed(ENGINES):
        if engine.name in wanted:
            wanted |= set(engine.needs)
    return tuple(engine for engine in ENGINES if engine.name in wanted)


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
