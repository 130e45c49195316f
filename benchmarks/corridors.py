"""Current density over a grid of a million cells, beside bare pyamg, SciPy's direct solver and plain conjugate
gradients, which get the matrix ready-made.

Run ``python benchmarks/corridors.py [SIDE]``. Resistances are drawn from a seed between 1 and 100 in patches; current
enters on the west edge and leaves on the east edge. The direct solver runs on a grid of a quarter of the cells, because
its memory grows faster; its time there is shown. Nothing here is a test.
"""

import resource
import sys
import time

import numpy as np
import pyamg
from scipy import ndimage
from scipy.sparse.linalg import cg, spsolve

from cyclopolis.ecology.land.currents import conductances, current, laplacian


def grid(side):
    draw = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(side, side)), 4)
    rank = draw.ravel().argsort().argsort().reshape(draw.shape) / draw.size
    resistance = np.exp(rank * np.log(100.0))
    west, east = np.zeros((2, side, side), dtype=bool)
    west[:, 0] = east[:, -1] = True
    return resistance, west, east


def spent(work):
    begin = time.perf_counter()
    found = work()
    return time.perf_counter() - begin, found


def system(resistance, west, east):
    matrix = laplacian(*conductances(resistance), np.zeros(resistance.shape))
    free = np.flatnonzero(~east.ravel())
    right = west.ravel()[free] / west.sum()
    return matrix[free][:, free].tocsc(), right


def _bare(matrix, right):
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return pyamg.smoothed_aggregation_solver(matrix).solve(right, tol=1e-8, accel="cg")


def main():
    side = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    case = grid(side)
    ours, flow = min((spent(lambda: current(*case)) for _ in range(2)), key=lambda pair: pair[0])
    matrix, right = system(*case)
    plain, answer = spent(lambda: cg(matrix, right, rtol=1e-8, maxiter=20_000))
    peer = min(spent(lambda: _bare(matrix.tocsr(), right))[0] for _ in range(2))
    half = system(*grid(side // 2))
    direct, _ = spent(lambda: spsolve(*half))
    print(f"{side * side:,} cells; the current of each column sums to {flow[:, side // 2].sum():.6f} at least 1")
    print("| way | cells | seconds |\n|---|---|---|")
    print(f"| ours, pyamg with all else | {side * side:,} | {ours:.1f} |")
    print(f"| pyamg alone | {side * side:,} | {peer:.1f} |")
    print(f"| SciPy conjugate gradients (ends with {answer[1]}) | {side * side:,} | {plain:.1f} |")
    print(f"| SciPy direct | {(side // 2) ** 2:,} | {direct:.1f} |")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
