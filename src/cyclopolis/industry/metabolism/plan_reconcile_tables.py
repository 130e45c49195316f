"""A reconciled base year as tables in the plan's words, as documented in ``columns.csv``."""

from typing import Final

import numpy as np
import polars as pl

from cyclopolis.industry.metabolism.accounts import mass_weights, throughput
from cyclopolis.industry.metabolism.plan_reconcile import LEVEL, LIMIT, STILL, PlanReconciled, touched_plants
from cyclopolis.industry.metabolism.plan_reconcile_extras import EXTRA, GOODS, NAMES
from cyclopolis.industry.metabolism.plan_reconcile_problem import Things
from cyclopolis.industry.metabolism.reconcile import covariance, gross_errors
from cyclopolis.industry.metabolism.reconcile_problem import Suspect
from cyclopolis.network import Network
from cyclopolis.network.model import EXISTING, Floats
from cyclopolis.network.names import pick

SHOWN: Final = 5
"""Suspects that are left out one at a time; and changes shown of each."""
_TRIED: Final = 20
_CLASSES: Final = {
    "reconciled": "measured-redundant",
    "measured": "measured-nonredundant",
    "observable": "unmeasured-observable",
    "unobservable": "unobservable",
    "constant": "constant",
}
_RANKED: Final = {"measurement": 0, "stated": 1, "recipe": 2}
_WHAT: Final = tuple(NAMES)
_ORDER: Final = ("plant", "layer", "kind", "commodity", "direction", "to_plant", "way", "site", "year")
TABLES: Final = (
    "reconciled",
    "reconciled_plants",
    "reconcile_tests",
    "suspects",
    "suspect_changes",
    "missing_measurements",
    "reconciled_covariance",
)


def quantities_table(found: PlanReconciled) -> pl.DataFrame:
    """Return every datum and thing with its names, in the order of the quantities: kind to year, basis, row."""
    data, whole, network = found.data, found.whole, found.network
    extra = np.isin(data.kind, list(EXTRA))
    plain, borrowed = np.flatnonzero(~extra), whole.extras[data.at[extra]]
    spoken = pl.DataFrame({"kind": pl.Series(data.kind, dtype=pl.String), "at": data.at, "year": data.year})
    named = pl.concat(
        [
            _named(network, spoken[plain]).with_columns(place=pl.Series(plain)),
            borrowed.with_columns(place=pl.Series(np.flatnonzero(extra))),
        ]
    )
    parts = [named.sort("place").drop("place")]
    parts += [_thing_names(network, things, year) for things, year in zip(whole.things, whole.years, strict=True)]
    table = pl.concat([*parts, whole.extras]).with_row_index("quantity").with_columns(pl.col("quantity").cast(pl.Int64))
    count = whole.size
    place = pl.Series([*data.row.tolist(), *[-1] * count], dtype=pl.Int64)
    place = place.set(place < 0, None)
    return table.with_columns(
        basis=pl.Series([*data.basis, *[None] * count], dtype=pl.String),
        overruled=pl.Series(np.append(found.overruled, np.zeros(count, dtype=bool))),
        given=pl.Series([*data.given.tolist(), *[None] * count], dtype=pl.Boolean),
        file=found.where["file"].gather(place),
        row=found.where["row"].gather(place),
    )


def _thing_names(network: Network, things: Things, year: int) -> pl.DataFrame:
    """Return the names of the things of one year, in order."""
    active = np.flatnonzero(things.activity >= 0)
    port, arc = np.flatnonzero(things.port >= 0), np.flatnonzero(things.arc >= 0)
    kinds = ["activity"] * active.size + ["port"] * port.size + ["flow"] * arc.size
    inner = _named(network, pl.DataFrame({"kind": kinds, "at": np.concatenate([active, port, arc]), "year": year}))
    outer = _named(
        network, pl.DataFrame({"kind": ["port"] * len(things.rest_way), "at": things.rest_port, "year": year})
    )
    outer = outer.with_columns(kind=pl.lit("flow", dtype=pl.String), way=pl.Series(things.rest_way, dtype=pl.String))
    return pl.concat([inner, outer])


def _named(network: Network, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the names of quantities of plants, ports and arcs; ``rows`` holds kind, at and year (-1: all)."""
    ports, arcs, plants = network.ports, network.arcs, network.plants
    kind, at = rows["kind"].cast(pl.String).to_numpy(), rows["at"].cast(pl.Int64).to_numpy()
    of_activity, of_arc = kind == "activity", np.isin(kind, ["flow", "share"])
    port = at.copy()
    port[of_arc] = arcs.giver[at[of_arc]]
    port[of_activity] = np.maximum(plants.main[at[of_activity]], 0)
    taker = np.full(at.size, -1)
    taker[of_arc] = ports.plant[arcs.taker[at[of_arc]]]
    plant = np.where(of_activity, at, ports.plant[port])
    blank = pl.lit(None, dtype=pl.String)
    unit = network.commodities["unit"].gather(ports.commodity[port])
    return rows.select(
        pl.col("kind").cast(pl.String),
        plant=pick(network.plant_ids, plant),
        to_plant=pick(network.plant_ids, taker),
        site=blank,
        commodity=pick(network.commodity_ids, ports.commodity[port]),
        direction=pl.Series(np.where(ports.coefficient[port] > 0, "out", "in").tolist(), dtype=pl.String),
        way=blank,
        unit=pl.when(pl.col("kind").is_in(["share", "yield"])).then(pl.lit("1")).otherwise(unit),
        layer=pl.lit(GOODS, dtype=pl.String),
        year=pl.when(pl.col("year") >= 0).then(pl.col("year").cast(pl.Int64)),
    ).select(*NAMES)


def _shifted(found: PlanReconciled, values: Floats) -> Floats:
    """Return what must be added to a recipe datum to show it as an amount: recipe x activity; 0 for the others."""
    data, whole, ports = found.data, found.whole, found.network.ports
    count = data.value.size
    shift = np.zeros(count + whole.size)
    kind = np.array(data.kind, dtype=str) == "recipe"
    for year, things, start in zip(whole.years, whole.things, whole.starts, strict=False):
        recipe = np.flatnonzero(kind & (data.year == year))
        at = data.at[recipe]
        activity = values[count + start + things.activity[ports.plant[at]]]
        shift[recipe] = np.abs(ports.recipe[at]) * activity
    return shift


def reconciled_table(found: PlanReconciled) -> pl.DataFrame:
    """Return every quantity that a measurement reaches, what was known of it and what it became.

    A recipe shows as the amount that it asks for at the reconciled activity. A thing that some datum but a recipe
    speaks of is not repeated.
    """
    data, answer = found.data, found.found
    count, blank = data.value.size, np.full(found.whole.size, np.nan)
    values = found.spread_out(answer.values)
    shift = _shifted(found, values)
    kinds = pl.Series([None] * values.size, dtype=pl.String).to_list()
    for position, kind in zip(found.chosen.tolist(), answer.kinds, strict=True):
        kinds[position] = _CLASSES[kind]
    said = np.zeros(values.size, dtype=bool)
    direct = ~np.isin(data.kind, ["recipe", "share", "yield"])
    single = np.diff(data.of.indptr) == 1
    said[count + data.of[np.flatnonzero(direct & single)].indices] = True
    table = quantities_table(found).with_columns(
        measured=pl.Series(np.append(data.value, blank) + shift),
        sd=pl.Series(np.append(data.sd, blank)),
        reconciled=pl.Series(values + shift),
        reconciled_sd=pl.Series(found.spread_out(answer.sds)),
        local_test=pl.Series(found.spread_out(answer.local_tests)),
        **{"class": pl.Series(kinds, dtype=pl.String)},
    )
    table = table.filter(pl.col("class").is_not_null() & pl.Series(~said))
    numbers = ("measured", "sd", "reconciled", "reconciled_sd", "local_test")
    moved = pl.col("class").is_in(["measured-redundant"])
    return (
        table.with_columns(pl.col(*numbers).fill_nan(None))
        .with_columns(
            correction=pl.col("reconciled") - pl.col("measured"),
            suspect=(pl.col("local_test") > LIMIT).fill_null(value=False),
            sd_provenance=pl.when(pl.col("basis").is_not_null()).then(_sd_provenance()),
            basis=pl.when(moved)
            .then(pl.lit("corrected"))
            .when(pl.col("measured").is_not_null() & (pl.col("basis") == "measurement"))
            .then(pl.lit("measured"))
            .otherwise(pl.lit("estimated")),
        )
        .sort(*_ORDER, "measured", "file", "row", nulls_last=True)
    )


def _sd_provenance() -> pl.Expr:
    given = pl.when(pl.col("kind") == "recipe").then(pl.lit("seen")).otherwise(pl.lit("user"))
    return pl.when("given").then(given).otherwise(pl.lit("assumed"))


def tests_table(found: PlanReconciled) -> pl.DataFrame:
    """Return the global test in one row; ``accepted`` is null where nothing is redundant."""
    answer = found.found
    tested = answer.dof > 0
    row = {
        "chi_square": answer.chi_square,
        "dof": answer.dof,
        "p": answer.p_value if tested else None,
        "accepted": answer.p_value >= LEVEL if tested else None,
        "overruled": int(found.overruled.sum()),
        "measurements": sum(basis == "measurement" for basis in found.data.basis),
        "approximate": answer.approximate,
        "converged": answer.convergence.converged,
    }
    types = {"chi_square": pl.Float64, "dof": pl.Int64, "p": pl.Float64, "accepted": pl.Boolean}
    return pl.DataFrame([row], schema_overrides={**types, "measurements": pl.Int64, "overruled": pl.Int64})


def ranked_suspects(found: PlanReconciled) -> list[Suspect]:
    """Return the data with the largest local tests, each left out once; of equal ones measurements come first."""
    if found.found.dof == 0:
        return []
    count = found.data.value.size
    tried = gross_errors(found.problem, found.found, _TRIED)

    def rank(suspect: Suspect) -> tuple[float, int, int]:
        at = int(found.chosen[suspect.index])
        return -round(suspect.local_test, 6), _RANKED[found.data.basis[at]] if at < count else 3, at

    return sorted(tried, key=rank)[:SHOWN]


def suspects_tables(found: PlanReconciled) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the suspects in order, and what changes most when each is left out."""
    names = quantities_table(found)
    shift = _shifted(found, found.spread_out(found.found.values))
    full = np.append(found.data.value, np.full(found.whole.size, np.nan)) + shift
    values = found.spread_out(found.found.values) + shift
    first, second = [], []
    for place, suspect in enumerate(ranked_suspects(found), start=1):
        at = int(found.chosen[suspect.index])
        first.append(
            {
                "rank": place,
                "quantity": at,
                "measured": full[at],
                "reconciled": values[at],
                "local_test": suspect.local_test,
                "suspect": suspect.local_test > LIMIT,
                "expected": suspect.value + shift[at],
                "expected_sd": suspect.sd,
                "chi_square": suspect.chi_square,
                "dof": suspect.dof,
                "p": suspect.p_value,
                "accepted": suspect.p_value >= LEVEL if suspect.dof > 0 else None,
            }
        )
        moved = [
            (int(found.chosen[index]), amount)
            for index, amount in zip(suspect.changed.tolist(), suspect.shifts.tolist(), strict=True)
            if found.chosen[index] >= found.data.value.size
        ]
        second += [
            {"rank": place, "quantity": index, "reconciled": values[index], "change": amount}
            for index, amount in moved[:SHOWN]
        ]
    numbers = ("measured", "reconciled", "local_test", "expected", "expected_sd", "chi_square", "p")
    ranked = pl.DataFrame(first, schema=_types(*numbers, suspect=pl.Boolean(), dof=pl.Int64(), accepted=pl.Boolean()))
    ranked = ranked.with_columns(pl.col(*numbers).fill_nan(None))
    changes = pl.DataFrame(second, schema=_types("reconciled", "change"))
    named = names.select("quantity", *_WHAT, "file", "row", source="basis")
    return (
        ranked.join(named, on="quantity", how="left", maintain_order="left"),
        changes.join(named, on="quantity", how="left", maintain_order="left"),
    )


def _types(*numbers: str, **others: pl.DataType) -> pl.Schema:
    """Return the types of a ranked table."""
    return pl.Schema({"rank": pl.Int64(), "quantity": pl.Int64(), **dict.fromkeys(numbers, pl.Float64()), **others})


def missing_table(found: PlanReconciled) -> pl.DataFrame:
    """Return a smallest set of things that, measured, would determine everything that is not."""
    at = found.chosen[found.found.missing]
    return quantities_table(found)[at].sort(*_ORDER, nulls_last=True)


def covariance_table(found: PlanReconciled) -> pl.DataFrame:
    """Return the covariance of each pair of reconciled measurements once, a measurement with itself among them."""
    count = found.data.value.size
    known = np.flatnonzero(found.chosen < count)
    known = known[np.array(found.data.basis, dtype=str)[found.chosen[known]] == "measurement"]
    joint = covariance(found.problem, found.found, known)
    one, two = np.triu_indices(known.size)
    names = pl.Series([found.problem.name(at) for at in known.tolist()], dtype=pl.String)
    units = quantities_table(found)["unit"].gather(found.chosen[known])
    return pl.DataFrame(
        {
            "first": names.gather(one),
            "second": names.gather(two),
            "covariance": joint[one, two],
            "first_unit": units.gather(one),
            "second_unit": units.gather(two),
        }
    ).with_columns(pl.col("covariance").fill_nan(None))


def plants_basis_table(found: PlanReconciled, settled: Network) -> pl.DataFrame:
    """Return for every plant that stands on what its amounts rest, and its mass residual before and after.

    Parameters
    ----------
    found : PlanReconciled
    settled : Network
        The network compiled with the reconciled amounts.
    """
    network = found.network
    touched, count = touched_plants(found)
    same = np.ones(touched.size, dtype=bool)
    values = found.of_things(found.found.values)
    port = np.flatnonzero(found.things.port >= 0)
    plant = network.ports.plant[port]
    before = np.abs(network.ports.coefficient[port]) * np.nan_to_num(network.plants.activity)[plant]
    same[plant[np.abs(values[found.things.port[port]] - before) > STILL * before]] = False
    basis = np.where(~touched, "estimated", np.where(same, "measured", "corrected"))
    residual = []
    for state in (network, settled):
        weight = mass_weights(state)[state.ports.commodity]
        into, out = throughput(state.plants.activity, state.ports.plant, state.ports.coefficient, weight)
        residual.append(np.where(np.isnan(state.plants.activity), np.nan, into - out))
    table = pl.DataFrame(
        {
            "plant": pl.Series(network.plant_ids, dtype=pl.String),
            "basis": pl.Series(basis.tolist(), dtype=pl.String),
            "measurements": count,
            "activity_before": network.plants.activity,
            "activity_after": settled.plants.activity,
            "unaccounted_before": residual[0],
            "unaccounted_after": residual[1],
        }
    ).filter(pl.Series(network.plants.status == EXISTING, dtype=pl.Boolean))
    return table.with_columns(
        pl.col("activity_before", "activity_after", "unaccounted_before", "unaccounted_after").fill_nan(None)
    )


def reconcile_tables(found: PlanReconciled, settled: Network, *, joint: bool = False) -> dict[str, pl.DataFrame]:
    """Return all tables of a reconciliation.

    Parameters
    ----------
    found : PlanReconciled
    settled : Network
        The network compiled with the reconciled amounts.
    joint : bool
        Whether the covariance of the measurements is wanted; its table is empty else.
    """
    suspects, changes = suspects_tables(found)
    tables = (
        reconciled_table(found),
        plants_basis_table(found, settled),
        tests_table(found),
        suspects,
        changes,
        missing_table(found),
        covariance_table(found) if joint else pl.DataFrame(),
    )
    return dict(zip(TABLES, tables, strict=True))
