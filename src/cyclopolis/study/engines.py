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
    """One engine: its name, the public name of its result's class, how it is asked, and when.

    ``needs`` are engines whose answers it is handed, ``when`` tells whether a plan has data for it, ``asked`` is the
    public name of the class of its options; one that ``tells`` is handed the listener ``progress`` among them, one
    that ``keeps`` also ``keep``, which saves its answer so far.
    """

    name: str
    result: str
    answer: Answer
    needs: tuple[str, ...] = ()
    when: Callable[[Plan], bool] = lambda plan: plan.tables["plants"].height > 0
    asked: str = ""
    tells: bool = False
    keeps: bool = False


def _balance(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done, options
    return cyclopolis.balance(plan)


def _design(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    return cyclopolis.design(plan, cyclopolis.DesignOptions(**options))


def _pareto(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    asked = {name: value for name, value in options.items() if name not in ("keep", "progress")}
    return cyclopolis.pareto(plan, cyclopolis.ParetoOptions(**asked), options["keep"], options["progress"])


def _rate(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del options
    design = done["design"].tables
    others = {name: design[name] for name in ("builds", "limits", "proposed", "plants", "names") if name in design}
    return cyclopolis.rate(plan, before_and_after(design["accounts"]), others=others)


def _drain(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    asked = {name: value for name, value in options.items() if name != "progress"}
    keep = plan.folder / "results" / "drainage_designs.jsonl"
    return cyclopolis.drain(plan, cyclopolis.DrainOptions(**asked, keep=keep), progress=options["progress"])


def _streets(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    return cyclopolis.streets(plan, progress=options["progress"])


def _has_layers(kind: str) -> Callable[[Plan], bool]:
    """Return what tells whether a plan has a map layer of a kind."""
    return lambda plan: kind in plan.tables["layers"]["kind"].to_list()


def _comply(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done, options
    return cyclopolis.comply(plan)


def _has_monitoring(plan: Plan) -> bool:
    return any(plan.tables[name].height for name in ("sections", "water_quality", "air_quality", "works"))


def _serve(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del options
    commodities = plan.library.commodities
    asked = [
        cyclopolis.service_demand(done["balance"].tables["flows"], commodities, plan.meta.base_year, "balance"),
        cyclopolis.service_demand(done["design"].tables["flows"], commodities, done["design"].facts["year"], "design"),
    ]
    return cyclopolis.serve(plan, pl.concat(asked))


def _has_utilities(plan: Plan) -> bool:
    return plan.tables["utilities"].height > 0 and plan.tables["plants"].height > 0


def _has_drainage(plan: Plan) -> bool:
    return plan.tables["catchments"].height > 0 or plan.tables["drainage_models"].height > 0


def _match(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    return cyclopolis.match(plan, cyclopolis.MatchOptions(**options))


def _chains(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done, options
    return cyclopolis.chains(plan)


def _water(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    asked = {name: value for name, value in options.items() if name != "progress"}
    return cyclopolis.water(plan, cyclopolis.WaterOptions(**asked), progress=options["progress"])


def _heat(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done, options
    return cyclopolis.heat(plan)


def _fairness(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    return cyclopolis.fairness(plan, cyclopolis.FairnessOptions(), progress=options["progress"])


def _failure(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    asked = {name: value for name, value in options.items() if name != "progress"}
    return cyclopolis.failure(plan, cyclopolis.FailureOptions(**asked), progress=options["progress"])


def _has_rows(table: str) -> Callable[[Plan], bool]:
    """Return what tells whether a plan has rows in a table."""
    return lambda plan: plan.tables[table].height > 0


def _on_request(plan: Plan) -> bool:
    del plan
    return False


ENGINES: tuple[Engine, ...] = (
    Engine("balance", "Balance", _balance),
    Engine("design", "Design", _design, ("balance",), asked="DesignOptions"),
    Engine("pareto", "Pareto", _pareto, when=_on_request, asked="ParetoOptions", tells=True, keeps=True),
    Engine("rating", "Rating", _rate, ("balance", "design")),
    Engine("water", "WaterNetwork", _water, when=_has_rows("operations"), asked="WaterOptions", tells=True),
    Engine("heat", "HeatRecovery", _heat, when=_has_rows("heat_streams")),
    Engine("match", "Match", _match, when=_on_request, asked="MatchOptions"),
    Engine("chains", "Chains", _chains, when=_on_request),
    Engine("fairness", "Fairness", _fairness, when=_on_request, tells=True),
    Engine("failure", "Failure", _failure, when=_on_request, asked="FailureOptions", tells=True),
    Engine("streets", "Streets", _streets, when=_has_layers("streets"), tells=True),
    Engine("compliance", "Compliance", _comply, when=_has_monitoring),
    Engine("utilities", "Utilities", _serve, ("balance", "design"), when=_has_utilities),
    Engine("drainage", "Drain", _drain, when=_has_drainage, asked="DrainOptions", tells=True),
)
"""The engines in the order of a run; those ``_on_request`` answer only when named, and what they saved stays."""


def wanted_engines(plan: Plan, until: str | None) -> tuple[Engine, ...]:
    """Return the engines to run: all that a plan has data for, or one with those whose answers it is handed.

    Examples
    --------
    >>> from cyclopolis.examples import example
    >>> plan = cyclopolis.read_plan(example("quickstart"))
    >>> [engine.name for engine in wanted_engines(plan, None)]
    ['balance', 'design', 'rating']
    """
    if until is None:
        return tuple(engine for engine in ENGINES if engine.when(plan))
    last = next(engine for engine in ENGINES if engine.name == until)
    return tuple(engine for engine in ENGINES if engine is last or engine.name in last.needs)


def options_of(engine: Engine, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of some options that an engine takes."""
    if not engine.asked:
        return {}
    known = {field.name for field in fields(getattr(cyclopolis, engine.asked))}
    return {name: value for name, value in options.items() if name in known}


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
