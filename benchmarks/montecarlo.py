"""Speed of Monte Carlo over recipes: all technologies of the library as one park, activities re-solved in every draw.

Run ``python benchmarks/montecarlo.py [DRAWS]``. Beside it: a loop of ``scipy.sparse.linalg.spsolve``, and batched dense
solves (``numpy.linalg.solve``). Prints seconds, ratios and the largest difference. Nothing here is a test.
"""

import resource
import sys
import time

import numpy as np
import polars as pl
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from cyclopolis.industry.metabolism.montecarlo import draw_between, plan_elimination, solve_draws
from cyclopolis.library.tables import load_library


def park():
    """Return pattern and ranges of the park: each need is met in equal parts by the technologies that make it."""
    library = load_library()
    technologies = library.technologies.filter(pl.col("main_direction") == "out")
    names = technologies["technology"].to_list()
    makers = {}
    for index, commodity in enumerate(technologies["main_commodity"].to_list()):
        makers.setdefault(commodity, []).append(index)
    found = {}
    for row in library.recipes.filter(pl.col("direction") == "in").iter_rows(named=True):
        sources = makers.get(row["commodity"], []) if row["technology"] in names else []
        for maker in sources:
            user = names.index(row["technology"])
            if maker != user and row["amount"]:
                middle = row["amount"] / len(sources)
                low = (row["low"] if row["low"] is not None else row["amount"]) / len(sources)
                high = (row["high"] if row["high"] is not None else row["amount"]) / len(sources)
                before = found.get((maker, user), (0.0, 0.0, 0.0))
                found[maker, user] = tuple(a + b for a, b in zip(before, (low, middle, high), strict=True))
    count = len(names)
    rows, columns = np.array(list(found)).T
    low, middle, high = np.array(list(found.values())).T
    return count, rows, columns, low, middle, high


def best(work, times=3):
    """Return the shortest of some runs and what the last one gave."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        given = work()
        spent.append(time.perf_counter() - start)
    return min(spent), given


def main():
    """Print the table."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    count, rows, columns, low, middle, high = park()
    inside = draw_between(low, middle, high, draws, seed=0)
    nominal = sp.csc_matrix(sp.eye_array(count) - sp.csc_matrix((middle, (rows, columns)), (count, count)))
    nominal.sort_indices()
    planning, plan = best(lambda: plan_elimination(nominal))
    spot = {pair: index for index, pair in enumerate(zip(plan.rows.tolist(), plan.columns.tolist(), strict=True))}
    entries = np.zeros((plan.rows.size, draws))
    entries[[spot[k, k] for k in range(count)]] = 1.0
    entries[[spot[pair] for pair in zip(rows.tolist(), columns.tolist(), strict=True)]] -= inside
    demand = np.random.default_rng(1).uniform(1, 10, count)

    def loop():
        out = np.empty((count, draws))
        for draw in range(draws):
            matrix = sp.csc_matrix((entries[:, draw], plan.rows, nominal.indptr), (count, count))
            out[:, draw] = spsolve(matrix, demand)
        return out

    def dense():
        stack = np.zeros((draws, count, count))
        stack[:, plan.rows, plan.columns] = entries.T
        return np.linalg.solve(stack, demand[None, :, None])[:, :, 0].T

    ours, values = best(lambda: solve_draws(plan, entries, demand))
    looped, first = best(loop, 1)
    batched, second = best(dense, 1)
    scale = np.abs(first).max()
    print(f"{count} technologies, {plan.rows.size} entries, {plan.slots} with fill, {draws} draws")
    print(f"plan (once)            {planning:8.4f} s")
    print(f"solve_draws            {ours:8.4f} s")
    for name, peer, other in (("loop of spsolve", looped, first), ("batched dense", batched, second)):
        print(f"{name:<22} {peer:8.4f} s   {peer / ours:6.1f} x   apart {np.abs(values - other).max() / scale:.1e}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
