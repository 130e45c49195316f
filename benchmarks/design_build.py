"""How long it takes to write a design over years, beside raw arrays, linopy, Pyomo and PyPSA, up to a loaded HiGHS.

Run ``python benchmarks/design_build.py [SIZE PERIODS] [hub] [WAY ...]`` (all ways when none is named; Pyomo and PyPSA
are skipped where they are not installed: ``pip install pyomo pypsa``). Drawn from a seed: SIZE givers and as many
takers of 20 commodities, 1 % of all pairs joined (``hub``: one giver joined to every taker of its commodity besides),
PERIODS years. Every way runs in a process of its own, the best of several (Pyomo and PyPSA once); seconds, ratio to raw
arrays, peak memory above the start. Raw arrays are the least that any tool must do: the same rows and columns written
by hand for this one model. PyPSA says the flows, the sizes built by period and the money; that a plant is built at most
once is a constraint of our own there, and least loads of new plants, caps, limits and requirements (empty here) it
cannot say.
"""

import gc
import importlib
import importlib.util
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array, csr_array

from cyclopolis.design.assemble import assemble
from cyclopolis.design.kept import Kept
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Objective, Program
from cyclopolis.design.years import Builds, YearsProblem
from design import exchange_problem

WAYS = {"raw": 7, "cyclopolis": 7, "linopy": 3, "pyomo": 1, "pypsa": 1}
"""Ways, with how often each runs."""
PEERS = {
    "linopy": ("linopy", "pandas", "xarray"),
    "pyomo": ("pyomo.environ", "pyomo.contrib.appsi.solvers"),
    "pypsa": ("pypsa",),
}
"""Modules that are loaded before the clock starts."""


def years_problem(size: int, periods: int, hub: bool) -> YearsProblem:
    """Return the problem of the benchmark, the same in every year."""
    one = exchange_problem(size, hub=hub)
    new = one.new
    plants = one.network.plants
    years = tuple(
        replace(one, network=replace(one.network, year=2025 + at), loose_max=np.zeros_like(one.loose_max))
        for at in range(periods)
    )
    largest = plants.capacity[new]
    worth = 1.06 ** -np.arange(periods, dtype=float)
    cost = one.built_cost[new][:, None] * worth * 10
    zeros = np.zeros(new.size)
    builds = Builds(new, largest, largest, np.ones(new.size), one.built_cost[new], zeros)
    return YearsProblem(years, worth, builds, cost, np.zeros_like(cost), options=SolveOptions())


def raw(problem: YearsProblem) -> tuple[Program, Objective]:
    """Return the same programme written by hand: no families, no forms, no map back."""
    network, periods = problem.network, len(problem.years)
    ports, arcs, trades = network.ports, network.arcs, network.trades
    count, a, t = len(network.plant_ids), arcs.giver.size, trades.port.size
    new = problem.builds.plant
    width = count + a + t + network.fates.port.size + new.size
    least, most = problem.years[0].activity_bounds()
    amount = np.abs(ports.coefficient) * most[ports.plant]
    size_arc = np.minimum(amount[arcs.giver], amount[arcs.taker] / arcs.ratio)
    size_trade = np.minimum(amount[trades.port], network.markets.volume_max[trades.market])
    scale = np.concatenate([most, size_arc, size_trade, amount[network.fates.port], np.ones(new.size)])
    scale = np.where(scale > 0, scale, 1.0)
    held = np.flatnonzero(~ports.natural)
    row_of = np.cumsum(~ports.natural) - 1
    height = held.size + 2 * new.size
    bought = np.where(network.markets.direction[trades.market] == 0, 1.0, -1.0)
    row = [row_of[held], row_of[arcs.giver], row_of[arcs.taker], row_of[trades.port], row_of[network.fates.port]]
    column = [ports.plant[held], count + np.arange(a), count + np.arange(a), count + a + np.arange(t)]
    column.append(count + a + t + np.arange(network.fates.port.size))
    value = [ports.coefficient[held], -np.ones(a), arcs.ratio, bought, -np.ones(network.fates.port.size)]
    row_scale = np.where(amount[held] > 0, amount[held], 1.0)
    inner = [np.concatenate(part) for part in (row, column, value)]
    inner[2] = inner[2] * scale[inner[1]] / row_scale[inner[0]]
    rows = [(inner[0][None, :] + height * np.arange(periods)[:, None]).ravel()]
    columns = [(inner[1][None, :] + width * np.arange(periods)[:, None]).ravel()]
    values = [np.tile(inner[2], periods)]
    built = width - new.size + np.arange(new.size)
    for year in range(periods):
        run, units = height * year + held.size + np.arange(new.size), height * year + held.size + new.size
        rows.append(run)
        columns.append(width * year + new)
        values.append(np.ones(new.size))
        for begun in range(year + 1):
            rows += [run, units + np.arange(new.size)]
            columns += [width * begun + built, width * begun + built]
            values += [-np.ones(new.size), np.ones(new.size)]
    shape = (height * periods, width * periods)
    matrix = csr_array(
        coo_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=shape)
    )
    free = np.full(2 * new.size, -np.inf)
    tops = np.concatenate([np.zeros(held.size + new.size), np.ones(new.size)])
    lower = np.concatenate([least, np.zeros(width - count)])
    upper = np.concatenate([most, size_arc, size_trade, amount[network.fates.port], np.ones(new.size)])
    whole = np.zeros(width, dtype=bool)
    whole[built] = True
    form = problem.years[0].gain
    gain = np.concatenate([form.activity, form.arc, form.trade, form.fate, np.zeros(new.size)])
    weights = problem.worth[:, None] * gain[None, :]
    weights[:, built] -= problem.built_cost.T
    program = Program(
        matrix,
        np.tile(np.concatenate([np.zeros(held.size), free]), periods),
        np.tile(tops, periods),
        np.tile(lower / scale, periods),
        np.tile(upper / scale, periods),
        np.tile(whole, periods),
        np.tile(scale, periods),
    )
    return program, Objective("gain", weights.ravel())


def by_linopy(problem: YearsProblem) -> int:
    """Write the model in linopy (v1 semantics, sparse) and load it into HiGHS; returns its number of variables."""
    import linopy
    import pandas as pd
    import xarray as xr

    network, periods = problem.network, len(problem.years)
    ports, arcs, trades = network.ports, network.arcs, network.trades
    new = problem.builds.plant
    year = pd.RangeIndex(periods, name="year")
    _, most = problem.years[0].activity_bounds()
    least, _ = problem.years[0].activity_bounds()
    amount = np.abs(ports.coefficient) * most[ports.plant]
    arc_most = np.minimum(amount[arcs.giver], amount[arcs.taker] / arcs.ratio)
    trade_most = np.minimum(amount[trades.port], network.markets.volume_max[trades.market])

    with linopy.options:
        linopy.options["semantics"] = "v1"
        model = linopy.Model(sparse=True)

        def variable(name: str, low: np.ndarray, high: np.ndarray, **kind: bool) -> linopy.Variable:
            index = pd.RangeIndex(low.size, name=f"{name}_at")
            bounds = [
                xr.DataArray(np.broadcast_to(part, (periods, low.size)), coords=[year, index]) for part in (low, high)
            ]
            return model.add_variables(lower=bounds[0], upper=bounds[1], name=name, **kind)

        activity = variable("activity", least, most)
        arc = variable("arc", np.zeros(arc_most.size), arc_most)
        trade = variable("trade", np.zeros(trade_most.size), trade_most)
        built = variable("built", np.zeros(new.size), np.ones(new.size), integer=True)

        def terms(
            variable: linopy.Variable, at: np.ndarray, port: np.ndarray, value: np.ndarray
        ) -> linopy.LinearExpression:
            index = pd.RangeIndex(at.size, name="term")
            picked = variable.isel({variable.dims[1]: at}).rename({variable.dims[1]: "term"}).assign_coords(term=index)
            group = xr.DataArray(port, coords=[index], name="port")
            return (picked * xr.DataArray(value, coords=[index])).groupby(group).sum()

        every, a = np.arange(ports.plant.size), np.arange(arcs.giver.size)
        bought = np.where(network.markets.direction[trades.market] == 0, 1.0, -1.0)
        balance = terms(activity, ports.plant, every, ports.coefficient)
        balance = balance + terms(arc, a, arcs.giver, -np.ones(a.size)).reindex(port=every)
        balance = balance + terms(arc, a, arcs.taker, arcs.ratio).reindex(port=every)
        balance = balance + terms(trade, np.arange(trades.port.size), trades.port, bought).reindex(port=every)
        model.add_constraints(balance == 0, name="port")
        stands = built.cumsum("year").rename({"built_at": "new"})
        run = activity.isel(activity_at=new).rename({"activity_at": "new"})
        index = pd.RangeIndex(new.size, name="new")
        run, stands = run.assign_coords(new=index), stands.assign_coords(new=index)
        model.add_constraints(run - xr.DataArray(most[new], coords=[index]) * stands <= 0, name="run")
        model.add_constraints(stands <= 1, name="units")
        worth = xr.DataArray(problem.worth, coords=[year])
        gain = problem.years[0].gain
        cost = xr.DataArray(problem.built_cost.T, coords=[year, pd.RangeIndex(new.size, name="built_at")])
        money = (arc * xr.DataArray(gain.arc, dims=["arc_at"]) * worth).sum() - (built * cost).sum()
        model.add_objective(money, sense="max")
        model.to_highspy()
    return int(model.nvars)


def _sizes(problem: YearsProblem) -> tuple[np.ndarray, ...]:
    """Return least and most of plants, most of arcs, trades and fates, and the sign of a trade at its port."""
    network = problem.network
    ports, arcs, trades = network.ports, network.arcs, network.trades
    least, most = problem.years[0].activity_bounds()
    amount = np.abs(ports.coefficient) * most[ports.plant]
    arc = np.minimum(amount[arcs.giver], amount[arcs.taker] / arcs.ratio)
    trade = np.minimum(amount[trades.port], network.markets.volume_max[trades.market])
    bought = np.where(network.markets.direction[trades.market] == 0, 1.0, -1.0)
    return least, most, arc, trade, amount[network.fates.port], bought


def by_pyomo(problem: YearsProblem) -> int:
    """Write the model in Pyomo, as its manual writes such models, and load it into HiGHS."""
    import pyomo.environ as pyo
    from pyomo.contrib.appsi.solvers import Highs

    network, periods = problem.network, len(problem.years)
    ports, arcs, trades, fates = network.ports, network.arcs, network.trades, network.fates
    least, most, arc_most, trade_most, fate_most, bought = (part.tolist() for part in _sizes(problem))
    new, gain = problem.builds.plant.tolist(), problem.years[0].gain.arc.tolist()
    terms: list[list[tuple[str, int, float]]] = [[] for _ in range(ports.plant.size)]
    for port, (plant, value) in enumerate(zip(ports.plant.tolist(), ports.coefficient.tolist(), strict=True)):
        terms[port].append(("x", plant, value))
    for at, (giver, taker, ratio) in enumerate(
        zip(arcs.giver.tolist(), arcs.taker.tolist(), arcs.ratio.tolist(), strict=True)
    ):
        terms[giver].append(("a", at, -1.0))
        terms[taker].append(("a", at, ratio))
    for at, port in enumerate(trades.port.tolist()):
        terms[port].append(("t", at, bought[at]))
    for at, port in enumerate(fates.port.tolist()):
        terms[port].append(("d", at, -1.0))
    model = pyo.ConcreteModel()
    model.year = pyo.RangeSet(0, periods - 1)
    model.x = pyo.Var(range(len(most)), model.year, bounds=lambda _, i, _q: (least[i], most[i]))
    model.a = pyo.Var(range(len(arc_most)), model.year, bounds=lambda _, i, _q: (0, arc_most[i]))
    model.t = pyo.Var(range(len(trade_most)), model.year, bounds=lambda _, i, _q: (0, trade_most[i]))
    model.d = pyo.Var(range(len(fate_most)), model.year, bounds=lambda _, i, _q: (0, fate_most[i]))
    model.y = pyo.Var(range(len(new)), model.year, domain=pyo.Binary)
    variables = {name: getattr(model, name) for name in "xatd"}
    held = np.flatnonzero(~ports.natural).tolist()
    model.port = pyo.Constraint(
        held, model.year, rule=lambda _, p, q: sum(c * variables[n][i, q] for n, i, c in terms[p]) == 0
    )
    model.run = pyo.Constraint(
        range(len(new)),
        model.year,
        rule=lambda m, i, q: m.x[new[i], q] <= most[new[i]] * sum(m.y[i, b] for b in range(q + 1)),
    )
    model.units = pyo.Constraint(
        range(len(new)), model.year, rule=lambda m, i, q: sum(m.y[i, b] for b in range(q + 1)) <= 1
    )
    worth, cost = problem.worth.tolist(), problem.built_cost.tolist()
    model.goal = pyo.Objective(
        expr=sum(worth[q] * gain[i] * model.a[i, q] for i in range(len(gain)) for q in range(periods))
        - sum(cost[i][q] * model.y[i, q] for i in range(len(new)) for q in range(periods)),
        sense=pyo.maximize,
    )
    Highs().set_instance(model)
    return sum(len(part) for part in model.component_objects(pyo.Var))


def by_pypsa(problem: YearsProblem) -> int:
    """Write the model as a PyPSA network of investment periods and load it into HiGHS."""
    import pandas as pd
    import pypsa

    network, periods = problem.network, len(problem.years)
    ports, arcs, trades, fates = network.ports, network.arcs, network.trades, network.fates
    least, most, arc_most, trade_most, fate_most, bought = _sizes(problem)
    new = problem.builds.plant
    standing = np.setdiff1d(np.arange(most.size), new)
    years = list(range(2025, 2025 + periods))
    grid = pypsa.Network()
    grid.set_snapshots(pd.MultiIndex.from_product([years, [0]], names=["period", "timestep"]))
    grid.investment_periods = years
    grid.investment_period_weightings["objective"] = problem.worth

    def names(letter: str, count: int) -> list[str]:
        return [f"{letter}{at}" for at in range(count)]

    bus = np.array(names("p", ports.plant.size))
    grid.add("Bus", bus)
    into, out = np.full(most.size, -1), np.full(most.size, -1)
    into[ports.plant[ports.coefficient < 0]] = np.flatnonzero(ports.coefficient < 0)
    out[ports.plant[ports.coefficient > 0]] = np.flatnonzero(ports.coefficient > 0)
    grid.add(
        "Link",
        [f"x{at}" for at in standing],
        bus0=bus[into[standing]],
        bus1=bus[out[standing]],
        p_nom=most[standing],
        p_min_pu=least[standing] / most[standing],
    )
    for number, year in enumerate(years):
        grid.add(
            "Link",
            [f"y{at}_{year}" for at in new],
            bus0=bus[into[new]],
            bus1=bus[out[new]],
            p_nom_extendable=True,
            p_nom_mod=most[new],
            p_nom_max=most[new],
            build_year=year,
            lifetime=100,
            capital_cost=problem.built_cost[:, number] / most[new] / problem.worth[number:].sum(),
        )
    grid.add(
        "Link",
        names("a", arc_most.size),
        bus0=bus[arcs.giver],
        bus1=bus[arcs.taker],
        efficiency=arcs.ratio,
        p_nom=arc_most,
        marginal_cost=-problem.years[0].gain.arc,
    )
    grid.add("Generator", names("t", trade_most.size), bus=bus[trades.port], p_nom=trade_most, sign=bought)
    grid.add("Generator", names("d", fate_most.size), bus=bus[fates.port], p_nom=fate_most, sign=-1.0)
    model = grid.optimize.create_model(multi_investment_periods=True)
    whole = model.variables["Link-n_mod"]
    first = [f"y{at}_{years[0]}" for at in new]
    dim = whole.dims[0]
    total = whole.sel({dim: first}).rename({dim: "new"}).assign_coords(new=range(new.size))
    for year in years[1:]:
        part = whole.sel({dim: [f"y{at}_{year}" for at in new]}).rename({dim: "new"})
        total = total + part.assign_coords(new=range(new.size))
    model.add_constraints(total <= 1, name="once")
    model.to_highspy()
    return int(model.nvars)


def work(way: str, size: int, periods: int, hub: bool) -> dict[str, float]:
    """Return seconds, memory and variables of one way, in this process."""
    for module in PEERS.get(way, ()):
        importlib.import_module(module)
    problem = years_problem(size, periods, hub)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clock = time.perf_counter()
    cpu = time.process_time()
    written = {"linopy": by_linopy, "pyomo": by_pyomo, "pypsa": by_pypsa}
    if way in written:
        variables = written[way](problem)
    else:
        if way == "raw":
            program, goal = raw(problem)
        else:
            assembly = assemble(problem)
            program, goal = assembly.program, assembly.goal
        kept = Kept(program, problem.options)
        kept.set_objective(goal)
        variables = program.scale.size
    seconds, spent = time.perf_counter() - clock, time.process_time() - cpu
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"seconds": seconds, "cpu": spent, "memory": memory, "variables": variables}


def same(size: int, periods: int, hub: bool) -> None:
    """Prove on a small case that the hand-written programme is the assembled one: equal optimum."""
    problem = years_problem(size, periods, hub)
    assembly = assemble(problem)
    answers = []
    for program, goal in (raw(problem), (assembly.program, assembly.goal)):
        kept = Kept(program, replace(problem.options, gap=1e-7))
        kept.set_objective(Objective("gain", goal.weights))
        answers.append(kept.solve().objective)
    print(f"optimum at {size} givers, {periods} years: raw {answers[0]:.6f}, cyclopolis {answers[1]:.6f}")


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    size, periods = numbers[:2] if len(numbers) > 1 else (2000, 12)
    hub = "hub" in sys.argv
    if "--way" in sys.argv:
        print(json.dumps(work(sys.argv[sys.argv.index("--way") + 1], size, periods, hub)))
        return
    same(40, 3, hub)
    found = {}
    named = [way for way in WAYS if way in sys.argv] or list(WAYS)
    for way in named:
        if way in {"pyomo", "pypsa"} and importlib.util.find_spec(way) is None:
            print(f"{way}: not installed")
            continue
        runs = []
        for _ in range(WAYS[way]):
            words = [sys.executable, __file__, str(size), str(periods), "--way", way, *(["hub"] if hub else [])]
            said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
            runs.append(json.loads(said.splitlines()[-1]))
        found[way] = min(runs, key=lambda run: run["cpu"])
    print("way          variables   seconds   CPU s   x raw   memory MB   x raw")
    for way, run in found.items():
        print(
            f"{way:12} {run['variables']:9} {run['seconds']:9.2f} {run['cpu']:7.2f}"
            f" {run['cpu'] / found['raw']['cpu']:7.2f} {run['memory']:11.0f}"
            f" {run['memory'] / max(found['raw']['memory'], 1.0):7.2f}"
        )


if __name__ == "__main__":
    main()
