"""Reconcile a plan's base year: what was measured, what is stated and what recipes say, all at once.

Everything carries an uncertainty; every port must equal the sum of its flows. What no measurement reaches stays as the
rules give it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
import scipy.sparse as sp

from cyclopolis.industry.metabolism.plan_reconcile_problem import (
    Data,
    Things,
    assumed_doubts,
    flow_measurements,
    guess_activity,
    number_things,
    port_measurements,
    recipe_doubts,
    thing_relations,
)
from cyclopolis.industry.metabolism.plan_reconcile_shares import (
    ROUNDING,
    Shares,
    read_shares,
    refuse_more_than_all,
    share_data,
    split_sums,
)
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
    where = _where(plan)
    refuse_more_than_all(network, placed, where.tail(shares.height))
    things, data = pose(network, flows, measurements, placed, plan.library.recipes)
    if not (np.array(data.basis, dtype=str) == "measurement").any():
        return None
    chosen, silent, problem, found = _solve(network, things, data, where, _nothing_left(network, placed, things))
    draft = PlanReconciled(network, flows, things, data, chosen, silent, problem, found, where, pl.DataFrame())
    return replace(draft, settled=_settled(draft))


def _where(plan: Plan) -> pl.DataFrame:
    """Return file and row of each measurement, then of each share; where the plan does not tell, the row is counted."""
    names = ("measurements", "shares")
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


def pose(
    network: Network, flows: Flows, measurements: pl.DataFrame, shares: Shares, recipes: pl.DataFrame
) -> tuple[Things, Data]:
    """Return the things of a base year and what is known of them.

    Parameters
    ----------
    network : Network
    flows : Flows
        The base year by rule.
    measurements, recipes : polars.DataFrame
        Of the plan and its library.
    shares : Shares
    """
    arcs = network.arcs
    of_ports = port_measurements(network, measurements)
    of_flows, arcs_of = flow_measurements(network, measurements)
    guess = guess_activity(network, of_ports)
    stated = np.isfinite(arcs.exchange) & (arcs.exchange > 0)
    spoken = stated.copy()
    weighed = np.zeros(stated.size, dtype=bool)
    for at in of_flows["at"].to_list():
        spoken[arcs_of[at]] = weighed[arcs_of[at]] = True
    spoken[shares.result[shares.split]] = True
    ends = np.append(arcs.giver[weighed], arcs.taker[weighed])
    closed = np.isin(np.arange(network.ports.plant.size), np.intersect1d(ends, of_ports["at"].to_numpy()))
    things = number_things(network, flows, spoken, closed, guess)
    parts = [
        _measured_ports(of_ports, things),
        _measured_flows(of_flows, arcs_of, things),
        share_data(shares, things, measurements.height),
        _activities(network, of_ports, things),
        _exchanges(network, stated & ~weighed, things),
        _recipes(network, recipes, guess, things),
    ]
    return things, Data(
        [name for part in parts for name in part.kind],
        [name for part in parts for name in part.basis],
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.sd for part in parts]),
        np.concatenate([part.given for part in parts]),
        sp.csr_array(sp.vstack([part.of for part in parts], format="csr")),
        np.concatenate([part.product for part in parts]),
    )


def _entries(
    kind: str, basis: str, at: Ints, value: Floats, sd: Floats, given: Bools, of: sp.csr_array, row: Ints | None = None
) -> Data:
    size = at.size
    row = np.full(size, -1) if row is None else row
    return Data([kind] * size, [basis] * size, at, row, value, sd, given, of, np.full((size, 2), -1))


def _picks(columns: Ints, size: int) -> sp.csr_array:
    """Return a matrix that picks one thing per line."""
    return sp.csr_array((np.ones(columns.size), (np.arange(columns.size), columns)), shape=(columns.size, size))


def _measured_ports(table: pl.DataFrame, things: Things) -> Data:
    """Measurements of ports of plants that take part."""
    rows = table.filter(pl.Series(things.port[table["at"].to_numpy()] >= 0, dtype=pl.Boolean))
    at = rows["at"].to_numpy()
    value, sd = rows["value"].to_numpy(), rows["sd"].to_numpy()
    of = _picks(things.port[at], things.size)
    return _entries("port", "measurement", at, value, sd, rows["given"].to_numpy(), of, rows["row"].to_numpy())


def _measured_flows(table: pl.DataFrame, arcs_of: Mapping[int, Ints], things: Things) -> Data:
    """Measurements of flows; ``at`` is the first arc. A flow that two substitutions share counts as their sum."""
    groups = [things.arc[arcs_of[at]] for at in table["at"].to_list()]
    kept = np.array([bool((group >= 0).any()) for group in groups], dtype=bool)
    rows = table.filter(pl.Series(kept, dtype=pl.Boolean))
    groups = [group[group >= 0] for group, keep in zip(groups, kept.tolist(), strict=True) if keep]
    line = np.repeat(np.arange(len(groups)), [group.size for group in groups])
    column = np.concatenate([np.zeros(0, dtype=np.int64), *groups])
    of = sp.csr_array((np.ones(line.size), (line, column)), shape=(len(groups), things.size))
    at = np.array([arcs_of[item][0] for item in rows["at"].to_list()], dtype=np.int64)
    value, sd = rows["value"].to_numpy(), rows["sd"].to_numpy()
    return _entries("flow", "measurement", at, value, sd, rows["given"].to_numpy(), of, rows["row"].to_numpy())


def _activities(network: Network, of_ports: pl.DataFrame, things: Things) -> Data:
    """Return what the table of plants states where the main commodity is not measured."""
    plants = network.plants
    weighed = np.isin(plants.main, of_ports["at"].to_numpy())
    at = np.flatnonzero((things.activity >= 0) & np.isfinite(plants.activity) & ~weighed)
    value = plants.activity[at]
    given = np.zeros(at.size, dtype=bool)
    of = _picks(things.activity[at], things.size)
    return _entries("activity", "stated", at, value, assumed_doubts()["activity"] * value, given, of)


def _exchanges(network: Network, stated: Bools, things: Things) -> Data:
    """Return the stated amounts of exchanges that nobody measured."""
    at = np.flatnonzero(stated & (things.arc >= 0))
    value = network.arcs.exchange[at]
    given = np.zeros(at.size, dtype=bool)
    of = _picks(things.arc[at], things.size)
    return _entries("flow", "stated", at, value, assumed_doubts()["exchange"] * value, given, of)


def _recipes(network: Network, recipes: pl.DataFrame, guess: Floats, things: Things) -> Data:
    """Return each recipe amount as the difference of port and recipe x activity, known to be 0 within its range."""
    ports = network.ports
    main = np.zeros(ports.plant.size, dtype=bool)
    main[network.plants.main[network.plants.main >= 0]] = True
    same_way = np.sign(ports.recipe) == np.sign(ports.coefficient)
    at = np.flatnonzero((things.port >= 0) & ~main & np.isfinite(ports.recipe) & same_way)
    sd, given = recipe_doubts(network, recipes, guess)
    line = np.arange(at.size)
    of = sp.csr_array(
        (
            np.concatenate([np.ones(at.size), -np.abs(ports.recipe[at])]),
            (np.tile(line, 2), np.concatenate([things.port[at], things.activity[ports.plant[at]]])),
        ),
        shape=(at.size, things.size),
    )
    return _entries("recipe", "recipe", at, np.zeros(at.size), sd[at], given[at], of)


def _solve(
    network: Network, things: Things, data: Data, where: pl.DataFrame, dropped: Bools
) -> tuple[Ints, Bools, ReconcileProblem, Reconciled]:
    """Reconcile; take out flows that would turn negative and what measurements overrule.

    At last, what is still negative is held at 0.
    """
    silent = np.zeros(data.value.size, dtype=bool)
    count = data.value.size
    names = [*data_names(network, data, where), *thing_names(network, things)]
    for _ in range(ROUNDS + count):
        chosen, problem, relations = _problem(network, things, data, names, dropped, silent)
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
    network: Network, things: Things, data: Data, names: list[str], dropped: Bools, silent: Bools
) -> tuple[Ints, ReconcileProblem, sp.csr_array]:
    """Pose the part of the plan that some measurement reaches."""
    relations, line_names = thing_relations(network, things, dropped)
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
    problem = ReconcileProblem(
        np.append(np.where(silent, np.nan, data.value), blank)[chosen],
        np.append(np.where(silent, np.nan, data.sd), blank)[chosen],
        sp.csr_matrix(bound[lines][:, chosen]),
        products=np.searchsorted(chosen, products),
        names=[names[at] for at in chosen.tolist()],
        relation_names=[
            *([*names[:count], *line_names][at] for at in lines.tolist()),
            *(names[at] for at in factor.tolist()),
        ],
    )
    return chosen, problem, relations


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


def data_names(network: Network, data: Data, where: pl.DataFrame) -> list[str]:
    """Return short names of the data for messages: file and row of a measurement, then plant and commodity."""
    ports, arcs = network.ports, network.arcs
    names = []
    for kind, at, row in zip(data.kind, data.at.tolist(), data.row.tolist(), strict=True):
        start = "{}:{} ".format(*where.row(row)) if row >= 0 else f"{kind} "
        if kind == "activity":
            names.append(start + network.plant_ids[at])
            continue
        between = kind in {"flow", "share"}
        port = arcs.giver[at] if between else at
        plant = network.plant_ids[ports.plant[port]]
        if between:
            plant += ">" + network.plant_ids[ports.plant[arcs.taker[at]]]
        names.append(f"{start}{plant}:{network.commodity_ids[ports.commodity[port]]}")
    return names


def thing_names(network: Network, things: Things) -> list[str]:
    """Return short names of the things for messages."""
    ports, arcs = network.ports, network.arcs

    def of_port(port: int) -> str:
        return f"{network.plant_ids[ports.plant[port]]}:{network.commodity_ids[ports.commodity[port]]}"

    names = [network.plant_ids[at] for at in np.flatnonzero(things.activity >= 0)]
    names += [of_port(at) for at in np.flatnonzero(things.port >= 0).tolist()]
    for at in np.flatnonzero(things.arc >= 0).tolist():
        taker = network.plant_ids[ports.plant[arcs.taker[at]]]
        names.append(f"{of_port(arcs.giver[at])}>{taker}")
    return names + [f"{of_port(at)} {way}" for at, way in zip(things.rest_port.tolist(), things.rest_way, strict=True)]


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
    return rows.with_columns(uncertainty_pct=pl.lit(None, dtype=pl.Float64), year=pl.lit(network.year, dtype=pl.Int64))
