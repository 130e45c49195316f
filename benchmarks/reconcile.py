"""Speed of the reconciliation kernel, beside one bare sparse LU of the same normal matrix.

Run ``python benchmarks/reconcile.py [FLOWS ...]``. The network: five flows leave every plant for partners within 50
neighbours (or, shown beside it, for uniformly random ones), 15 % of them leave for the environment, seed 0. Prints
seconds, ratios to the bare LU and the peak memory of the process; nothing here is a test.
"""

import resource
import sys
import time

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from cyclopolis.industry.metabolism.reconcile import ReconcileProblem, reconcile
from cyclopolis.industry.metabolism.reconcile_eliminate import eliminate
from cyclopolis.industry.metabolism.reconcile_linear import free_motion, linearise, solve_system
from cyclopolis.industry.metabolism.reconcile_solve import nearest, normal_matrix, removed_variance, sound_factor


def network(flows, reach=50, environment=0.15, seed=0):
    """Return the balances (plants x flows) of a made-up network; ``reach=None`` draws partners anywhere."""
    generator = np.random.default_rng(seed)
    plants = flows // 5
    sender = np.repeat(np.arange(plants), 5)
    if reach is None:
        receiver = (sender + generator.integers(1, plants, flows)) % plants
    else:
        receiver = (sender + generator.integers(1, reach + 1, flows) * generator.choice([-1, 1], flows)) % plants
    inside = generator.random(flows) >= environment
    rows = np.concatenate([sender, receiver[inside]])
    columns = np.concatenate([np.arange(flows), np.flatnonzero(inside)])
    signs = np.concatenate([-np.ones(flows), np.ones(int(inside.sum()))])
    return sp.csr_matrix((signs, (rows, columns)), (plants, flows))


def best(work, times):
    """Return the shortest of some runs and what the last one gave."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        given = work()
        spent.append(time.perf_counter() - start)
    return min(spent), given


def peak():
    """Return the peak memory of this process, GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure(flows, reach, times):
    """Print one line of the table."""
    balances = network(flows, reach)
    generator = np.random.default_rng(1)
    sds = generator.uniform(0.5, 2.0, flows)
    values = 10.0 + sds * generator.standard_normal(flows)
    spread = sp.csr_matrix(sp.diags_array(sds**2))
    right = np.zeros(balances.shape[0])
    matrix = normal_matrix(balances, spread)
    bare, _ = best(lambda: splu(matrix), times)

    def values_only():
        factor = sound_factor(balances, spread)
        return factor, nearest(balances, right, values, spread, factor)

    solving, (factor, _) = best(values_only, times)
    spreading, _ = best(lambda: removed_variance(balances, spread, factor), times)
    hidden = generator.random(flows) < 0.1
    classing, _ = best(
        lambda: free_motion(
            solve_system(
                *linearise(balances, right, np.zeros((0, 3), dtype=int), np.zeros(flows, bool), values),
                hidden,
                sp.csr_matrix(sp.diags_array(np.where(hidden, 0.0, sds**2))),
            )
        ),
        1,
    )
    eliminating, _ = best(lambda: eliminate(balances, right, hidden), 1)
    whole, _ = best(lambda: reconcile(ReconcileProblem(values, sds, balances)), 1)
    print(
        f"{flows:>9,} {reach or 'any':>5} {bare:9.3f} {solving:9.3f} {solving / bare:6.2f} "
        f"{solving + spreading:9.3f} {(solving + spreading) / bare:6.2f} {classing:9.3f} {eliminating:9.3f} "
        f"{whole:9.3f} {peak():7.2f}",
        flush=True,
    )


def main():
    """Print the table for the sizes asked for."""
    sizes = [int(item) for item in sys.argv[1:]] or [1_000, 10_000, 100_000]
    print("    flows reach   bare LU    values  ratio  with sds  ratio  classify eliminate reconcile peak GiB")
    for size in sizes:
        measure(size, 50, 3 if size <= 100_000 else 1)
    for size in [item for item in sizes if item <= 20_000]:
        measure(size, None, 1)


if __name__ == "__main__":
    main()
