"""Kernels of rating beside scikit-criteria and SciPy, streamed draws, and the rating of one plan.

Run with ``python benchmarks/rating.py [draws]``; scikit-criteria is compared with where it is installed (it is no
dependency). Measured in one process, seconds of processor time, the least of several runs, so that a busy machine
matters less; memory is the largest resident set of the process.
"""

import importlib.util
import resource
import sys
import time

import numpy as np
from scipy.optimize import linprog

import cyclopolis
from cyclopolis.rating.aggregation import topsis
from cyclopolis.rating.dea import dea
from cyclopolis.rating.uncertainty import simulate


def best(function, times=5):
    spent, result = [], None
    for _ in range(times):
        start = time.process_time()
        result = function()
        spent.append(time.process_time() - start)
    return min(spent), result


def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def compare_topsis():
    random = np.random.default_rng(1)
    table, weights = random.random((5000, 60)), random.random(60)
    benefit = random.random(60) < 0.5
    ours, found = best(lambda: topsis(table, weights, benefit), 20)
    print(f"TOPSIS 5,000 x 60: {ours * 1e3:.2f} ms")
    if importlib.util.find_spec("skcriteria") is None:
        print("  scikit-criteria is not installed: no comparison")
        return
    import skcriteria
    from skcriteria.agg.similarity import TOPSIS
    from skcriteria.preprocessing.scalers import VectorScaler

    scaled = table / np.sqrt(np.square(table).sum(axis=0))
    directions = [max if one else min for one in benefit]

    def theirs():
        matrix = skcriteria.mkdm(table, directions, weights=weights / weights.sum())
        return TOPSIS().evaluate(VectorScaler(target="matrix").transform(matrix))

    matrix = skcriteria.mkdm(scaled, directions, weights=weights / weights.sum())
    whole, answer = best(theirs, 3)
    bare, _ = best(lambda: TOPSIS().evaluate(matrix), 3)
    off = np.abs(answer.e_.similarity - found).max()
    print(f"  scikit-criteria: {whole * 1e3:.1f} ms whole ({whole / ours:.0f} times), {bare * 1e3:.1f} ms TOPSIS alone")
    print(f"  ({bare / ours:.0f} times); largest difference {off:.1e}")


def compare_dea():
    random = np.random.default_rng(2)
    x, y = random.random((200, 4)) + 0.1, random.random((200, 3)) + 0.1

    def by_scipy():
        found = []
        for unit in range(len(x)):
            cost = np.zeros(len(x) + 1)
            cost[-1] = 1
            table = np.vstack([np.hstack([x.T, -x[unit][:, None]]), np.hstack([-y.T, np.zeros((3, 1))])])
            found.append(linprog(cost, A_ub=table, b_ub=np.concatenate([np.zeros(4), -y[unit]])).fun)
        return np.array(found)

    ours, found = best(lambda: dea(x, y).score, 3)
    theirs, answer = best(by_scipy, 1)
    off = np.abs(found - answer).max()
    print(f"DEA, 200 units (with slacks): {ours:.2f} s; a loop of scipy.optimize.linprog without: {theirs:.2f} s")
    print(f"  ({theirs / ours:.1f} times); largest difference {off:.1e}")


def stream(draws):
    random = np.random.default_rng(3)
    scores = random.random((100_000, 100))
    before = megabytes()
    spent, found = best(lambda: simulate(scores, scores, np.ones(100), [0.4, 0.5, 0.6], draws=draws), 1)
    print(f"100,000 parks x 100 indicators, {draws} weight draws: {spent:.0f} s, {megabytes():.0f} MB in all")
    print(f"  ({megabytes() - before:.0f} MB more than before)")
    assert np.allclose(found.grades.sum(axis=1), 1)


def rate_plan():
    plan = cyclopolis.read_plan(cyclopolis.example("changzhi"))
    cyclopolis.rate  # noqa: B018 - the import is not part of it
    first, _ = best(lambda: cyclopolis.rate(plan), 1)
    again, rating = best(lambda: cyclopolis.rate(plan), 5)
    count = rating.tables["frameworks"]["framework"].n_unique()
    print(f"Rating changzhi by {count} frameworks: {again:.2f} s; the first time, frameworks read: {first:.2f} s")


if __name__ == "__main__":
    compare_topsis()
    compare_dea()
    rate_plan()
    stream(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
