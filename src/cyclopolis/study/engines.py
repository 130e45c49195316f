"""The engines in the order in which they run, and what each is handed of the others' answers.

Engines on one floor never import each other: what one needs of another is handed over here as a plain table. They are
reached by the lazy names of the package ``cyclopolis``, so that a balance does not wait for the solver to load.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import polars as pl

import cyclopolis
from cyclopolis.foundation.result import Result
from cyclopolis.plan import Plan
from cyclopolis.plan.model import ADOPTED
from cyclopolis.plan.source import PLAN_FILE
from cyclopolis.study.found import found_quantities
from cyclopolis.study.under import weighted

Answer = Callable[[Plan, Mapping[str, Result], Mapping[str, Any]], Result]


@dataclass(frozen=True)
class Engine:
    """One engine: its name, the public name of its result's class, how it is asked, and when.

    ``needs`` are engines whose answers it is handed, ``heeds`` those that it is handed where the plan has their data.
    ``when`` tells whether a plan has data for it, ``asked`` is the public name of the class of its options, ``also``
    has names of more that it takes; one that ``tells`` is handed the listener ``progress`` among them, one that
    ``keeps`` also ``keep``, which saves its answer so far.
    """

    name: str
    result: str
    answer: Answer
    needs: tuple[str, ...] = ()
    heeds: tuple[str, ...] = ()
    when: Callable[[Plan], bool] = lambda plan: plan.tables["plants"].height > 0
    asked: str = ""
    also: tuple[str, ...] = ()
    tells: bool = False
    keeps: bool = False


def _balance(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done, options
    return cyclopolis.balance(plan)


def _land(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del done
    return cyclopolis.land(plan, progress=options["progress"])


def _has_land(plan: Plan) -> bool:
    kinds = ("red_line", "parcels", "projects", "boundary", "planned_landuse")
    return plan.tables["layers"]["kind"].is_in(kinds).any()


def _design(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    known = heeding(plan, done)
    found = cyclopolis.design(known, cyclopolis.DesignOptions(**options))
    handed = land_handed(plan, known)
    return replace(found, facts={**found.facts, "developable_ha_from_land": handed}) if handed else found


def heeding(plan: Plan, done: Mapping[str, Result]) -> Plan:
    """Return the plan as a design is handed it: with the land that is left, and with the capacities it adopts."""
    return carried(bounded(plan, done), done)


def bounded(plan: Plan, done: Mapping[str, Result]) -> Plan:
    """Return the plan with the developable land that the land engine measured, where its table of sites gives none.

    Only where protected areas are known is what is left known: a plan without a layer of kind red_line stays as it is.
    """
    if "land" not in done or not _has_layers("red_line")(plan):
        return plan
    left = done["land"].tables["places"].select(site="scope", left_ha="developable_ha")
    sites = plan.tables["sites"].join(left, on="site", how="left", maintain_order="left")
    filled = sites.with_columns(developable_ha=pl.coalesce("developable_ha", "left_ha")).drop("left_ha")
    return replace(plan, tables={**plan.tables, "sites": filled})


def carried(plan: Plan, done: Mapping[str, Result]) -> Plan:
    """Return the plan with the capacities that it adopts among its limits."""
    if not plan.tables["capacities"]["adopt"].fill_null(value=False).any():
        return plan
    from cyclopolis.ecology.capacity import capacities, limits_of  # noqa: PLC0415 - loads with the engine only

    found, _ = capacities(plan, land_left(done))
    own = plan.tables["limits"]
    rows = limits_of(found).filter("adopted").select(
        scope=pl.when(pl.col("scope") != "").then("scope"), quantity="quantity", year=pl.col("year"), max="max",
        unit="unit", source=pl.lit(ADOPTED) + pl.col("capacity"),
    )  # fmt: skip
    both = pl.concat([own, rows.with_columns(pl.col("year").cast(own.schema["year"]))], how="diagonal")
    return replace(plan, tables={**plan.tables, "limits": both.select(own.columns)})


def land_left(done: Mapping[str, Result]) -> dict[str, float]:
    """Return the land left to build on by site, ha, where the land engine has run."""
    if "land" not in done:
        return {}
    return dict(done["land"].tables["places"].select("scope", "developable_ha").iter_rows())


def _capacity(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del options
    design = done["design"]
    years = {"before": plan.meta.base_year, "after": design.facts["year"]}
    year = pl.col("state").replace_strict(years, return_dtype=pl.Int64)
    loads = before_and_after(design.tables["accounts"]).with_columns(year=year)
    return cyclopolis.capacity(plan, loads, land_left(done))


def _has_capacities(plan: Plan) -> bool:
    return plan.tables["capacities"].height > 0 and plan.tables["plants"].height > 0


def land_handed(plan: Plan, known: Plan) -> dict[str, float]:
    """Return the developable land of each site that a plan was given besides its own, ha."""
    own, filled = plan.tables["sites"]["developable_ha"], known.tables["sites"]
    added = filled.filter(own.is_null() & filled["developable_ha"].is_not_null())
    return dict(added.select("site", "developable_ha").iter_rows())


def _pareto(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    asked = {name: value for name, value in options.items() if name not in ("keep", "progress")}
    known = heeding(plan, done)
    return cyclopolis.pareto(known, cyclopolis.ParetoOptions(**asked), options["keep"], options["progress"])


def _under(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    names, weights = weighted(str(options.get("under", "")))
    asked = {name: value for name, value in options.items() if name != "under"}
    in_folder = (plan.folder / PLAN_FILE).is_file()
    place = plan.folder if in_folder else plan.folder.with_name(f"{plan.folder.name}.xlsx")
    plans = {name: heeding(cyclopolis.read_plan(place, (*plan.scenario, name)), done) for name in names}
    return cyclopolis.design_under(heeding(plan, done), plans, weights, cyclopolis.UnderOptions(**asked))


def _rate(plan: Plan, done: Mapping[str, Result], options: Mapping[str, Any]) -> Result:
    del options
    design = done["design"].tables
    others = {name: design[name] for name in ("builds", "limits", "proposed", "plants", "names") if name in design}
    quantities = pl.concat([before_and_after(design["accounts"]), found_quantities(done)])
    return cyclopolis.rate(plan, quantities, others=others)


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
    base = plan.meta.base_year
    flows = done["design"].tables["year_flows"]
    asked = [cyclopolis.service_demand(done["balance"].tables["flows"], commodities, base, "balance")]
    asked += [
        cyclopolis.service_demand(flows.filter(pl.col("year") == year), commodities, year, "design")
        for year in done["design"].facts["years"]
        if year != base
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
    Engine("land", "Land", _land, when=_has_land, tells=True),
    Engine("design", "Design", _design, ("balance",), heeds=("land",), asked="DesignOptions"),
    Engine(
        "pareto", "Pareto", _pareto, heeds=("land",), when=_on_request, asked="ParetoOptions", tells=True, keeps=True
    ),
    Engine("under", "Under", _under, heeds=("land",), when=_on_request, asked="UnderOptions", also=("under",)),
    Engine("water", "WaterNetwork", _water, when=_has_rows("operations"), asked="WaterOptions", tells=True),
    Engine("heat", "HeatRecovery", _heat, when=_has_rows("heat_streams")),
    Engine("match", "Match", _match, when=_on_request, asked="MatchOptions"),
    Engine("chains", "Chains", _chains, when=_on_request),
    Engine("fairness", "Fairness", _fairness, when=_on_request, tells=True),
    Engine("failure", "Failure", _failure, when=_on_request, asked="FailureOptions", tells=True),
    Engine("streets", "Streets", _streets, when=_has_layers("streets"), tells=True),
    Engine("compliance", "Compliance", _comply, when=_has_monitoring),
    Engine("capacity", "Capacity", _capacity, ("balance", "design"), heeds=("land",), when=_has_capacities),
    Engine("utilities", "Utilities", _serve, ("balance", "design"), heeds=("land",), when=_has_utilities),
    Engine("drainage", "Drain", _drain, when=_has_drainage, asked="DrainOptions", tells=True),
    Engine("rating", "Rating", _rate, ("balance", "design"), heeds=("land", "streets", "compliance", "drainage")),
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
    heeded = {engine.name for engine in ENGINES if engine.name in last.heeds and engine.when(plan)}
    return tuple(engine for engine in ENGINES if engine is last or engine.name in last.needs or engine.name in heeded)


def options_of(engine: Engine, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of some options that an engine takes."""
    if not engine.asked:
        return {}
    known = {*engine.also, *(field.name for field in fields(getattr(cyclopolis, engine.asked)))}
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
