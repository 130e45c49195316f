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
    """One engine: its name, the public name of its result's class, how it is asked, whether it takes options.

    One ``on_request`` runs only when asked for by name; it takes long, and gets ``keep`` (saves the result so far) and
    ``progress`` among its options.
    """

    name: str
    result: str
    answer: Answer
    takes_options: bool = False
    on_request: bool = False


def _named(options: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """Return those options that an engine knows."""
    known = {field.name for field in fields(kind)}
    return {name: value for name, value in options.items() if name in known}


def _balance(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done, options
    return cyclopolis.balance(plan)


def _design(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    return cyclopolis.design(plan, cyclopolis.DesignOptions(**_named(options, cyclopolis.DesignOptions)))


def _pareto(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    chosen = cyclopolis.ParetoOptions(**_named(options, cyclopolis.ParetoOptions))
    return cyclopolis.pareto(plan, chosen, options["keep"], options["progress"])


def _rate(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del options
    return cyclopolis.rate(plan, before_and_after(done["design"].tables["accounts"]))


ENGINES: tuple[Engine, ...] = (
    Engine("balance", "Balance", _balance),
    Engine("design", "Design", _design, takes_options=True),
    Engine("pareto", "Pareto", _pareto, takes_options=True, on_request=True),
    Engine("rating", "Rating", _rate),
)


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
