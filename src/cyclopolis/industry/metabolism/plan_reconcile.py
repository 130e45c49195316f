"""Reconcile a plan's base year: what was measured, what is stated and what recipes say, all at once.

Everything carries an uncertainty; every port must equal the sum of its flows. What no measurement reaches stays as the
rules give it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
import scipy.sparse as sp

from cyclopolis.industry.metabolism.plan_reconcile_data import data_names, pose, thing_names
from cyclopolis.industry.metabolism.plan_reconcile_problem import Data, Things, thing_relations
from cyclopolis.industry.metabolism.plan_reconcile_shares import (
    ROUNDING,
    Shares,
    read_shares,
    refuse_more_than_all,
    split_sums,
)
from cyclopolis.industry.metabolism.plan_reconcile_sides import Sides, correlated_data, read_terms, side_relations
from cyclopolis.industry.metabolism.reconcile import reconcile
from cyclopolis.industry.metabolism.reconcile_problem import Reconciled, ReconcileProblem
from cyclopolis.network import Flows, Network, base_flows, compile_network
from cyclopolis.network.model import PROVENANCE, Bools, Floats, Ints
from cyclopolis.network.names import pick
from cyclopolis.plan import Plan

LIMIT: Final = 1.959963984540054
"""Local test above which a measurement is suspect, at 5 per cent (VDI 2048 sheet 1)."""
LEVEL: Final = 0.05
"""Probability below which what is known is not accepted as a whole."""
TIED: Final = 1e-6
"""Relative difference below which two local tests are equal."""
_COMPUTED: Final = PROVENANCE.index("computed")
ROUNDS: Final = 20
"""Most passes in which flows that would turn negative are taken out."""
STILL: Final = 1e-9
"""Relative change below which nothing has moved."""


@dataclass(frozen=True)
class PlanReconciled:
    """A reconciled base year.

    Parameters
    ----------
    network, flows
        The base year by rule, as measured.
    things : Things
    data : Data
    chosen : int array
        Quantities (data, then things) in the problem; the others no measurement reaches.
    overruled : (N,) bool
        Recipes and stated amounts that gave way to measurements.
    problem : ReconcileProblem
    found : Reconciled
    where : polars.DataFrame
        File and row of each measurement.
    lost : polars.DataFrame
        Correlations and relations that cannot be used: plant, commodity, reason.
    settled : polars.DataFrame
        Amounts for `compile_network`: plant, direction, from_plant, to_plant, commodity, amount, provenance (null:
        not measured itself).
    """

    network: Network
    flows: Flows
    things: Things
    data: Data
    chosen: Ints
    overruled: Bools
    problem: ReconcileProblem
    found: Reconciled
    where: pl.DataFrame
    lost: pl.DataFrame
    settled: pl.DataFrame

    def spread_out(self, entries: Floats) -> Floats:
        """Return entries of the problem's quantities at all data and things, NaN outside the problem."""
        full = np.full(self.data.value.size + self.things.size, np.nan)
        full[self.chosen] = entries
        return full

    def of_things(self, entries: Floats) -> Floats:
        """Return entries of the problem's quantities at the things (NaN outside)."""
        return self.spread_out(entries)[self.data.value.size :]


def reconcile_plan(plan: Plan) -> PlanReconciled | None:
    """Reconcile the base year of a plan.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    PlanReconciled or None
        None when nothing was measured in the base year, or nothing that a plant's recipe or flows can use.

    Raises
    ------
    UserError
        If exact measurements contradict each other; it names their rows.

    Notes
    -----
    Relations: port = sum of its flows; main port = activity. Data: measurements; stated activity where the main
    commodity is not measured; stated amounts of exchanges; port - recipe x activity = 0 with the recipe's usual range
    as a 95 % interval. A flow that the rules do not know of, and one that would turn negative, is 0.

    Examples
    --------
    >>> import cyclopolis
    >>> reconcile_plan(cyclopolis.read_plan(cyclopolis.example("quickstart"))) is None
    True
    """
    measurements, shares = plan.tables["measurements"], plan.tables["shares"]
    if all(table.filter(pl.col("year") == plan.meta.base_year).is_empty() for table in (measurements, shares)):
        return None
    network = compile_network(plan)
    flows = base_flows(network)
    placed = read_shares(network, flows, shares)
    where = _where(plan, ("measurements", "shares"))
    refuse_more_than_all(network, placed, where.tail(shares.height))
    terms = read_terms(network, flows, plan.tables["relations"], _where(plan, ("relations",)))
    things, data = pose(network, flows, measurements, placed, plan.library.recipes, terms.arc[terms.arc >= 0])
    if not (np.array(data.basis, dtype=str) == "measurement").any():
        return None
    pairs, astray = correlated_data(data, measurements, plan.tables["correlations"])
    sides = Sides(*side_relations(terms, things), pairs)
    dropped = _nothing_left(network, placed, things)
    chosen, silent, problem, found = _solve(network, things, data, where, dropped, sides)
    lost = pl.concat([terms.lost, astray]).unique(maintain_order=True)
    draft = PlanReconciled(network, flows, things, data, chosen, silent, problem, found, where, lost, pl.DataFrame())
    return replace(draft, settled=_settled(draft))


def _where(plan: Plan, names: Sequence[str]) -> pl.DataFrame:
    """Return file and row of each row of some tables; where the plan does not tell, the row is counted."""
    counted = {name: np.arange(1, plan.tables[name].height + 1) for name in names}
    return pl.concat(
        plan.places.get(
            name, pl.DataFrame({"file": pl.Series([name] * counted[name].size, dtype=pl.String), "row": counted[name]})
        )
        for name in names
    )


def _nothing_left(network: Network, shares: Shares, things: Things) -> Bools:
    """Return the other flows (things,) of outputs whose exact shares sum to 1."""
    total, sd = split_sums(shares, network.ports.plant.size)
    full = (sd == 0) & (total >= 1 - ROUNDING)
    none = np.zeros(things.size, dtype=bool)
    none[things.first_rest :] = full[things.rest_port]
    arc = np.flatnonzero((things.arc >= 0) & full[network.arcs.giver])
    none[things.arc[arc[~np.isin(arc, shares.result[shares.split])]]] = True
    return none


def settled_amounts(plan: Plan) -> pl.DataFrame | None:
    """Return what `compile_network` must know of a plan's reconciled base year; None when nothing was measured."""
    found = reconcile_plan(plan)
    return None if found is None else found.settled


def _solve(
    network: Network, things: Things, data: Data, where: pl.DataFrame, dropped: Bools, sides: Sides
) -> tuple[Ints, Bools, ReconcileProblem, Reconciled]:
    """Reconcile; take out flows that would turn negative and what measurements overrule.

    At last, what is still negative is held at 0.
    """
    silent = np.zeros(data.value.size, dtype=bool)
    count = data.value.size
    names = [*data_names(network, data, where), *thing_names(network, things)]
    for _ in range(ROUNDS + count):
        chosen, problem, relations = _problem(network, things, data, names, dropped, silent, sides)
        found = reconcile(problem)
        full = np.full(count + things.size, np.nan)
        full[chosen] = found.values
        again = dropped | _negative(things, data, relations, full[count:])
        loser = -1 if (again != dropped).any() else _overruled(data, chosen, found)
        if loser >= 0:
            silent[loser] = True
        elif (again == dropped).all():
            break
        dropped = again
    if (full[count:] < -STILL * np.nanmax(np.abs(full[count:]), initial=0.0)).any():
        problem = replace(problem, lower=np.where(chosen < count, -np.inf, 0.0))
        found = reconcile(problem)
    return chosen, silent, problem, found


def _overruled(data: Data, chosen: Ints, found: Reconciled) -> int:
    """Return the recipe, else the stated amount, that has the largest local test of all when the whole is rejected.

    One measurement and one recipe that disagree have equal tests; the measurement then stands. A measurement that
    others contradict more is no reason to give up a recipe: -1, as when nothing needs to give way.
    """
    if not found.p_value < LEVEL:
        return -1
    known = np.flatnonzero(chosen < data.value.size)
    tests = np.nan_to_num(found.local_tests[known])
    top = chosen[known[tests >= (1 - TIED) * tests.max(initial=LIMIT)]]
    for basis in ("recipe", "stated"):
        for at in top.tolist():
            if data.basis[at] == basis:
                return int(at)
    return -1


def _problem(
    network: Network, things: Things, data: Data, names: list[str], dropped: Bools, silent: Bools, sides: Sides
) -> tuple[Ints, ReconcileProblem, sp.csr_array]:
    """Pose the part of the plan that some measurement reaches."""
    by_rule, line_names = thing_relations(network, things, dropped)
    relations = sp.csr_array(sp.vstack([by_rule, sides.matrix], format="csr"))
    line_names += sides.names
    count, shares = data.value.size, data.product
    bound = sp.csr_array(
        sp.vstack(
            [
                sp.hstack([sp.diags_array(np.where(shares[:, 0] < 0, 1.0, 0.0)), -data.of]),
                sp.hstack([sp.csr_array((relations.shape[0], count)), relations]),
            ],
            format="csr",
        )
    )
    bound.eliminate_zeros()
    factor = np.flatnonzero(shares[:, 0] >= 0)
    products = np.stack([shares[factor, 0] + count, factor, shares[factor, 1] + count], axis=1)
    line = np.repeat(np.arange(factor.size), 3)
    linked = sp.vstack(
        [abs(bound), sp.csr_array((np.ones(line.size), (line, products.ravel())), shape=(factor.size, bound.shape[1]))]
    )
    _, label = sp.csgraph.connected_components(
        sp.block_array([[None, linked], [linked.T, None]], format="csr"), directed=False
    )
    label = np.delete(label, np.arange(bound.shape[0], bound.shape[0] + factor.size))
    of_line, of_quantity = label[: bound.shape[0]], label[bound.shape[0] :]
    reached = np.isin(of_quantity, of_quantity[:count][np.array(data.basis) == "measurement"])
    lines = np.flatnonzero(np.isin(of_line, of_quantity[reached]) & (np.diff(bound.indptr) > 0))
    gone = np.append(np.zeros(count, dtype=bool), dropped)
    chosen = np.flatnonzero(reached & ~gone)
    blank = np.full(things.size, np.nan)
    right = np.append(np.zeros(bound.shape[0] - sides.right.size), sides.right)
    inside = set(chosen.tolist())
    problem = ReconcileProblem(
        np.append(np.where(silent, np.nan, data.value), blank)[chosen],
        np.append(np.where(silent, np.nan, data.sd), blank)[chosen],
        sp.csr_matrix(bound[lines][:, chosen]),
        right[lines],
        products=np.searchsorted(chosen, products),
        correlations=[
            (int(np.searchsorted(chosen, one)), int(np.searchsorted(chosen, two)), value)
            for one, two, value in sides.correlations
            if one in inside and two in inside
        ],
        names=[names[at] for at in chosen.tolist()],
        relation_names=[
            *([*names[:count], *line_names][at] for at in lines.tolist()),
            *(names[at] for at in factor.tolist()),
        ],
    )
    return chosen, problem, by_rule


def _negative(things: Things, data: Data, relations: sp.csr_array, values: Floats) -> Bools:
    """Return the unmeasured flows (things,) that must be 0 because others leave less than nothing for them."""
    tiny = STILL * np.nanmax(np.abs(values), initial=0.0)
    known = abs(data.of).sum(axis=0) > 0
    shared = np.isin(np.arange(things.size), data.product)
    flow = np.zeros(things.size, dtype=bool)
    flow[things.arc[things.arc >= 0]] = True
    flow[things.first_rest :] = True
    unmeasured = flow & ~np.asarray(known).ravel() & ~shared
    out = unmeasured & (values < -tiny)
    blind = np.isnan(values)
    determined = relations @ np.where(blind, 0.0, values)
    short = (determined < -tiny) & (abs(relations) @ blind.astype(float) > 0)
    none_else = abs(relations) @ (blind & ~unmeasured).astype(float) == 0
    starved = np.asarray((abs(relations[np.flatnonzero(short & none_else)]).sum(axis=0)) > 0).ravel()
    return np.asarray(out | (starved & unmeasured & blind), dtype=np.bool_)


def touched_plants(found: PlanReconciled) -> tuple[Bools, Ints]:
    """Return which plants reconciliation may settle (P,), and how many measurements each has (P,).

    A plant is settled when something of it was measured, or when it moved with others.
    """
    network, data, things = found.network, found.data, found.things
    ports, arcs = network.ports, network.arcs
    count = np.zeros(len(network.plant_ids), dtype=np.int64)
    for kind, at, basis in zip(data.kind, data.at.tolist(), data.basis, strict=True):
        if basis == "measurement":
            ends = [at] if kind in {"port", "yield"} else [arcs.giver[at], arcs.taker[at]]
            count[ports.plant[ends]] += 1
    values = found.of_things(found.found.values)
    port = np.flatnonzero(things.port >= 0)
    before = np.abs(ports.coefficient[port]) * np.nan_to_num(network.plants.activity)[ports.plant[port]]
    after = values[things.port[port]]
    moved = np.zeros(count.size, dtype=bool)
    moved[ports.plant[port[np.abs(after - before) > STILL * before]]] = True
    return (count > 0) | moved, count


def _settled(found: PlanReconciled) -> pl.DataFrame:
    """Return the reconciled amounts of all ports of settled plants, and of the flows that were known."""
    network, data, things = found.network, found.data, found.things
    ports, arcs = network.ports, network.arcs
    values = found.of_things(found.found.values)
    touched, _ = touched_plants(found)
    sound = touched & (things.activity >= 0)
    sound[sound] = values[things.activity[sound]] > 0
    port = np.flatnonzero(sound[ports.plant] & (things.port >= 0))
    port = port[np.isfinite(values[things.port[port]])]
    measured = np.array(data.basis, dtype=str) == "measurement"
    of_flow = np.isin(data.kind, ["flow", "share"])
    of_port = np.array(data.kind, dtype=str) == "port"
    at_ports = pl.DataFrame(
        {
            "plant": pick(network.plant_ids, ports.plant[port]),
            "direction": pl.Series(np.where(ports.coefficient[port] > 0, "out", "in"), dtype=pl.String),
            "commodity": pick(network.commodity_ids, ports.commodity[port]),
            "amount": np.maximum(values[things.port[port]], 0.0),
            "provenance": pick(
                PROVENANCE, np.where(np.isin(port, data.at[measured & of_port]), ports.provenance[port], -1)
            ),
        }
    )
    weighed = data.at[measured & (np.array(data.kind, dtype=str) == "flow")]
    width = ports.plant.size
    key = ports.plant[arcs.taker] * np.int64(width) + arcs.giver
    named = ~np.isnan(arcs.exchange)
    arc = np.unique(data.at[of_flow])
    rivals = np.array([int((named[key == key[at]]).sum()) or int((key == key[at]).sum()) for at in arc], dtype=np.int64)
    arc = arc[(rivals == 1) & (things.arc[arc] >= 0)]
    arc = arc[np.isfinite(values[things.arc[arc]])]
    between = pl.DataFrame(
        {
            "from_plant": pick(network.plant_ids, ports.plant[arcs.giver[arc]]),
            "to_plant": pick(network.plant_ids, ports.plant[arcs.taker[arc]]),
            "commodity": pick(network.commodity_ids, ports.commodity[arcs.giver[arc]]),
            "amount": np.maximum(values[things.arc[arc]], 0.0),
            "provenance": pick(
                PROVENANCE,
                np.where(named[arc], np.where(np.isin(arc, weighed), arcs.exchange_provenance[arc], -1), _COMPUTED),
            ),
        }
    )
    return pl.concat([at_ports, between], how="diagonal").select(
        "plant", "direction", "from_plant", "to_plant", "commodity", "amount", "provenance"
    )


def measurements_after(found: PlanReconciled) -> pl.DataFrame:
    """Return the settled amounts of what was measured, with their uncertainties, as a table of measurements."""
    network, data, things = found.network, found.data, found.things
    ports = network.ports
    sds = found.of_things(found.found.sds)
    at = np.unique(data.at[(np.array(data.kind) == "port") & (np.array(data.basis) == "measurement")])
    of_ports = pl.DataFrame(
        {
            "plant": pick(network.plant_ids, ports.plant[at]),
            "commodity": pick(network.commodity_ids, ports.commodity[at]),
            "uncertainty": sds[things.port[at]],
        }
    ).with_columns(pl.col("uncertainty").fill_nan(None))
    rows = found.settled.filter(pl.col("plant").is_not_null()).join(of_ports, on=["plant", "commodity"])
    blank = pl.lit(None, dtype=pl.Float64)
    return rows.with_columns(uncertainty_pct=blank, half_width=blank, year=pl.lit(network.year, dtype=pl.Int64))
