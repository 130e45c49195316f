"""Reconcile a plan: what was measured, what is stated and what recipes say, all years and layers at once.

Everything carries an uncertainty; every port must equal the sum of its flows and of what goes into store. What no
measurement reaches stays as the rules give it.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
import scipy.sparse as sp

from cyclopolis.industry.metabolism.plan_reconcile_problem import Data, Things
from cyclopolis.industry.metabolism.plan_reconcile_whole import READ, Whole, assemble, places_of, years_of
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
    """A reconciled base year, and the years reconciled with it.

    Parameters
    ----------
    network, flows
        The base year by rule, as measured.
    whole : Whole
        Things, data and relations of all years.
    chosen : int array
        Quantities (data, then things) in the problem; the others no measurement reaches.
    overruled : (N,) bool
        Recipes and stated amounts that gave way to measurements.
    problem : ReconcileProblem
    found : Reconciled
    where : polars.DataFrame
        File and row of each measurement.
    settled : polars.DataFrame
        Amounts for `compile_network`: plant, direction, from_plant, to_plant, commodity, amount, provenance (null:
        not measured itself).
    """

    network: Network
    flows: Flows
    whole: Whole
    chosen: Ints
    overruled: Bools
    problem: ReconcileProblem
    found: Reconciled
    where: pl.DataFrame
    settled: pl.DataFrame

    @property
    def things(self) -> Things:
        """Things of the base year."""
        return self.whole.things[0]

    @property
    def data(self) -> Data:
        """What is known of all years."""
        return self.whole.data

    @property
    def now(self) -> Bools:
        """Which data (N,) speak of plants, ports and flows of the base year."""
        ours = np.isin(self.data.kind, ["activity", "port", "flow", "recipe", "share", "yield"])
        return np.asarray(ours & np.isin(self.data.year, [-1, self.network.year]), dtype=np.bool_)

    def spread_out(self, entries: Floats) -> Floats:
        """Return entries of the problem's quantities at all data and things, NaN outside the problem."""
        full = np.full(self.data.value.size + self.whole.size, np.nan)
        full[self.chosen] = entries
        return full

    def of_things(self, entries: Floats) -> Floats:
        """Return entries of the problem's quantities at the things of the base year (NaN outside)."""
        return self.spread_out(entries)[self.data.value.size :][: self.things.size]

    def stored(self) -> Floats:
        """Return what goes into store at each port of the base year (J,); 0 where none is known to."""
        amount = np.zeros(self.network.ports.plant.size)
        if self.whole.stored:
            port, thing = np.array(list(self.whole.stored.items()), dtype=np.int64).T
            amount[port] = np.nan_to_num(self.spread_out(self.found.values)[self.data.value.size + thing])
        return amount


def reconcile_plan(plan: Plan) -> PlanReconciled | None:
    """Reconcile the base year of a plan, and with it the other years of which something was measured.

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
    Relations: port = sum of its flows and of what goes into store; main port = activity; in every layer what goes into
    a plant comes out of it. Data: measurements of every year; of the base year stated activity where the main commodity
    is not measured, and stated amounts of exchanges; port - recipe x activity = 0 with the recipe's usual range as a
    95 % interval. A flow that the rules do not know of, and one that would turn negative, is 0.

    Examples
    --------
    >>> import cyclopolis
    >>> reconcile_plan(cyclopolis.read_plan(cyclopolis.example("quickstart"))) is None
    True
    """
    years = years_of(plan)
    if not years:
        return None
    network = compile_network(plan)
    flows = base_flows(network)
    where = places_of(plan, READ)
    whole = assemble(plan, network, flows, years, where)
    if not (np.array(whole.data.basis, dtype=str) == "measurement").any():
        return None
    chosen, silent, problem, found = _solve(whole)
    draft = PlanReconciled(network, flows, whole, chosen, silent, problem, found, where, pl.DataFrame())
    return replace(draft, settled=_settled(draft))


def settled_amounts(plan: Plan) -> pl.DataFrame | None:
    """Return what `compile_network` must know of a plan's reconciled base year; None when nothing was measured."""
    found = reconcile_plan(plan)
    return None if found is None else found.settled


def _solve(whole: Whole) -> tuple[Ints, Bools, ReconcileProblem, Reconciled]:
    """Reconcile; take out flows that would turn negative and what measurements overrule.

    At last, what is still negative is held at 0; stock changes may be negative, and amounts of substances show it.
    """
    count = whole.data.value.size
    silent, dropped = np.zeros(count, dtype=bool), whole.dropped
    for _ in range(ROUNDS + count):
        chosen, problem = _problem(whole, dropped, silent)
        found = reconcile(problem)
        full = np.full(count + whole.size, np.nan)
        full[chosen] = found.values
        again = dropped | _negative(whole, dropped, full[count:])
        loser = -1 if (again != dropped).any() else _overruled(whole.data, chosen, found)
        if loser >= 0:
            silent[loser] = True
        elif (again == dropped).all():
            break
        dropped = again
    goods = count + whole.starts[-1]
    if (full[count:goods] < -STILL * np.nanmax(np.abs(full[count:goods]), initial=0.0)).any():
        lower = np.where((chosen >= count) & (chosen < goods), 0.0, -np.inf)
        problem = replace(problem, lower=lower)
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


def _gone(whole: Whole, dropped: Bools) -> Bools:
    """Return the things (T,) that are 0: dropped flows, and what these would carry of a substance."""
    gone, count = dropped.copy(), whole.data.value.size
    result, _, of = whole.products.T
    gone[result[gone[of - count]] - count] = True
    return gone


def _problem(whole: Whole, dropped: Bools, silent: Bools) -> tuple[Ints, ReconcileProblem]:
    """Pose the part of the plan that some measurement reaches."""
    data, count = whole.data, whole.data.value.size
    gone = _gone(whole, dropped)
    relations = sp.csr_array(whole.relations @ sp.diags_array((~gone).astype(float)))
    bound = sp.csr_array(
        sp.vstack(
            [
                sp.hstack([sp.diags_array(np.where(whole.factors, 0.0, 1.0)), -data.of]),
                sp.hstack([sp.csr_array((relations.shape[0], count)), relations]),
            ],
            format="csr",
        )
    )
    bound.eliminate_zeros()
    kept = np.flatnonzero(~gone[whole.products[:, 0] - count])
    products = whole.products[kept]
    of_line, of_quantity = _parts(bound, products)
    reached = np.isin(of_quantity, of_quantity[:count][np.array(data.basis) == "measurement"])
    lines = np.flatnonzero(np.isin(of_line, of_quantity[reached]) & (np.diff(bound.indptr) > 0))
    chosen = np.flatnonzero(reached & ~np.append(np.zeros(count, dtype=bool), gone))
    products = products[reached[products[:, 0]]]
    blank = np.full(whole.size, np.nan)
    right = np.append(np.zeros(count), whole.right)
    inside = set(chosen.tolist())
    names, line_names = whole.names, [*whole.names[:count], *whole.lines]
    problem = ReconcileProblem(
        np.append(np.where(silent, np.nan, data.value), blank)[chosen],
        np.append(np.where(silent, np.nan, data.sd), blank)[chosen],
        sp.csr_matrix(bound[lines][:, chosen]),
        right[lines],
        products=np.searchsorted(chosen, products),
        correlations=[
            (int(np.searchsorted(chosen, one)), int(np.searchsorted(chosen, two)), value)
            for one, two, value in whole.correlations
            if one in inside and two in inside
        ],
        names=[names[at] for at in chosen.tolist()],
        relation_names=[
            *(line_names[at] for at in lines.tolist()),
            *(names[factor if factor < count else result] for result, factor, _ in products.tolist()),
        ],
    )
    return chosen, problem


def _parts(bound: sp.csr_array, products: Ints) -> tuple[Ints, Ints]:
    """Return the connected part of each line and of each quantity."""
    line = np.repeat(np.arange(len(products)), 3)
    shape = (len(products), bound.shape[1])
    linked = sp.vstack([abs(bound), sp.csr_array((np.ones(line.size), (line, products.ravel())), shape=shape)])
    _, label = sp.csgraph.connected_components(
        sp.block_array([[None, linked], [linked.T, None]], format="csr"), directed=False
    )
    part: Ints = np.asarray(label, dtype=np.int64)
    return part[: bound.shape[0]], part[linked.shape[0] :]


def _negative(whole: Whole, dropped: Bools, values: Floats) -> Bools:
    """Return the unmeasured flows (T,) that must be 0 because others leave less than nothing for them."""
    rules = whole.relations.shape[0] - whole.own
    relations = sp.csr_array(whole.relations[:rules] @ sp.diags_array((~_gone(whole, dropped)).astype(float)))
    relations.eliminate_zeros()
    tiny = STILL * np.nanmax(np.abs(values[: whole.starts[-1]]), initial=0.0)
    known = abs(whole.data.of).sum(axis=0) > 0
    split = whole.products[np.isin(whole.products[:, 1], np.flatnonzero(whole.factors))]
    shared = np.isin(np.arange(whole.size), split - whole.data.value.size)
    unmeasured = whole.flow & ~np.asarray(known).ravel() & ~shared
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
    for kind, at, basis, now in zip(data.kind, data.at.tolist(), data.basis, found.now.tolist(), strict=True):
        if basis == "measurement" and now:
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
    measured = (np.array(data.basis, dtype=str) == "measurement") & found.now
    of_flow = np.isin(data.kind, ["flow", "share"]) & found.now
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
    at = np.unique(data.at[(np.array(data.kind) == "port") & (np.array(data.basis) == "measurement") & found.now])
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
