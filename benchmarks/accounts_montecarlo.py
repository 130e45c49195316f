"""Monte Carlo of the accounts of a 150-technology park: recipes drawn, activities solved again in every draw.

Run with ``python benchmarks/accounts_montecarlo.py [draws]``. The park is one enterprise at one place that runs 150
technologies of the library at their reference size, so that products go to each other's inputs. Timed, all in one
process: one order of elimination for all draws against a loop of ``scipy.sparse.linalg.spsolve`` and against batched
dense solves (``numpy.linalg.solve``), all on the same drawn matrices; then the whole spread of all accounts. Seconds
are of processor time, the least of three runs, so that a busy machine matters less.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

import cyclopolis
from cyclopolis.industry.metabolism.spread import doubts, linear_spread_table, spread
from cyclopolis.industry.metabolism.spread_draws import draw_coefficients, links, solve_activities, sound
from cyclopolis.network import base_flows, compile_network

TECHNOLOGIES = 150


def write_park(folder: Path) -> Path:
    library = cyclopolis.load_library().technologies.filter(pl.col("reference_capacity").is_not_null())
    chosen = library.sort("technology").head(TECHNOLOGIES)
    (folder / "plan.toml").write_text(
        'name = "Park"\nplace = "made up"\nbase_year = 2023\nhorizon = [2030]\ndiscount_rate = 0.06\n', encoding="utf-8"
    )
    (folder / "sites.csv").write_text("site,kind,lon,lat,area_km2\npark,park,105,26,20\n", encoding="utf-8")
    (folder / "enterprises.csv").write_text("enterprise,name,site\nowner,Owner,park\n", encoding="utf-8")
    plants = chosen.select(
        plant="technology",
        enterprise=pl.lit("owner"),
        technology="technology",
        status=pl.lit("existing"),
        capacity="reference_capacity",
        activity=0.8 * pl.col("reference_capacity"),
        source=pl.lit("assumed: benchmark"),
    )
    plants.write_csv(folder / "plants.csv")
    return folder


def best(function, times=3):
    spent, result = [], None
    for _ in range(times):
        start = time.process_time()
        result = function()
        spent.append(time.process_time() - start)
    return min(spent), result


def main(draws: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plan = cyclopolis.read_plan(write_park(Path(folder)))
    network = compile_network(plan)
    flows = base_flows(network)
    measurements = plan.tables["measurements"]
    linked, size = links(network, flows), flows.activity.size
    coefficient = np.abs(network.ports.coefficient)
    run = flows.activity[network.ports.plant]
    doubt = doubts(network, flows, measurements)
    sd = np.where(run > 0, doubt.port / np.where(run > 0, run, 1.0), 0.0)
    drawn = draw_coefficients(coefficient, sd, draws, 0)

    def entries(values):
        pull = -linked.share * linked.weight * values[linked.port]
        return sp.csc_matrix(sp.eye_array(size) + sp.coo_array((pull, (linked.row, linked.column)), shape=(size, size)))

    wanted = entries(coefficient) @ flows.activity

    def ours():
        return solve_activities(flows.activity, drawn, coefficient, linked)

    def loop():
        return np.stack([spsolve(entries(drawn[:, draw]), wanted) for draw in range(draws)], axis=1)

    def solves_only(matrices):
        return np.stack([spsolve(matrix, wanted) for matrix in matrices], axis=1)

    def dense():
        matrices = np.zeros((draws, size, size))
        matrices[:, np.arange(size), np.arange(size)] = 1.0
        pull = -(linked.share * linked.weight)[:, None] * drawn[linked.port]
        np.add.at(matrices, (slice(None), linked.row, linked.column), pull.T)
        return np.linalg.solve(matrices, np.broadcast_to(wanted[:, None], (draws, size, 1)))[:, :, 0].T

    ready = [entries(drawn[:, draw]) for draw in range(draws)]
    mine, found = best(ours)
    looped, reference = best(loop)
    bare, _ = best(lambda: solves_only(ready))
    batched, block = best(dense)
    whole, table = best(lambda: spread(network, flows, measurements, draws, 0))
    linear, _ = best(lambda: linear_spread_table(network, flows, measurements))
    good = sound(found)
    scale = np.abs(reference[:, good]).max()
    print(
        f"{size} plants, {network.ports.plant.size} ports, {linked.arc.size} links, {draws} draws, {good.sum()} sound"
    )
    print(
        f"largest difference over largest activity: spsolve {np.abs(found - reference)[:, good].max() / scale:.1e}",
        end="",
    )
    print(f", dense {np.abs(found - block)[:, good].max() / scale:.1e}")
    print(f"one elimination for all draws   {mine:8.3f} s")
    print(f"loop of spsolve, matrices built {looped:8.3f} s  {looped / mine:6.1f} x")
    print(f"loop of spsolve alone           {bare:8.3f} s  {bare / mine:6.1f} x")
    print(f"batched dense solves            {batched:8.3f} s  {batched / mine:6.1f} x")
    print(f"spread of all accounts          {whole:8.3f} s ({table.height} rows); linear {linear:.3f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
