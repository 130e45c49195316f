"""Speed of the reconciliation kernel, beside one bare sparse LU of the same normal matrix.

Run ``python benchmarks/reconcile.py [FLOWS ...] [PICTURE.svg]``. The network: five flows leave every plant for partners
within 50 neighbours (or, shown beside it, for uniformly random ones), 15 % of them leave for the environment, seed 0.
Prints seconds, ratios to the bare LU and the peak memory of the process; nothing here is a test.
"""

import resource
import sys
import time
from pathlib import Path

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


def measure(flows, reach, times, kept):
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
    tenth = ReconcileProblem(np.where(hidden, np.nan, values), np.where(hidden, np.nan, sds), balances)
    partly, _ = best(lambda: reconcile(tenth), min(times, 2))
    kept.append((flows, bare, solving, solving + spreading) if reach else None)
    print(
        f"{flows:>9,} {reach or 'any':>5} {bare:9.3f} {solving:9.3f} {solving / bare:6.2f} "
        f"{solving + spreading:9.3f} {(solving + spreading) / bare:6.2f} {classing:9.3f} {eliminating:9.3f} "
        f"{whole:9.3f} {partly:9.3f} {partly / bare:6.2f} {peak():7.2f}",
        flush=True,
    )


def picture(rows, path):
    """Write cost against size, both logarithmic, as a small SVG."""
    width, height, left, bottom = 560, 340, 60, 300
    low, high = np.log10(rows[0][0]), np.log10(rows[-1][0])
    base, top = np.floor(np.log10(min(row[1] for row in rows))), np.ceil(np.log10(max(row[3] for row in rows)))

    def spot(size, seconds):
        return (
            left + (np.log10(size) - low) / (high - low) * (width - left - 20),
            bottom - (np.log10(seconds) - base) / (top - base) * (bottom - 20),
        )

    space = "http://www.w3.org/2000/svg"
    parts = [
        f'<svg xmlns="{space}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for power in range(int(base), int(top) + 1):
        y = spot(rows[0][0], 10.0**power)[1]
        parts.append(f'<path d="M{left} {y:.0f}H{width - 20}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4:.0f}" text-anchor="end">{10.0**power:g} s</text>')
    for row in rows:
        x = spot(row[0], 1)[0]
        parts.append(f'<text x="{x:.0f}" y="{bottom + 16}" text-anchor="middle">{row[0]:,}</text>')
    parts.append(f'<text x="{width / 2:.0f}" y="{bottom + 34}" text-anchor="middle">flows</text>')
    names = ("bare LU", "values", "values and all uncertainties")
    for column, (name, colour) in enumerate(zip(names, ("#888", "#1f77b4", "#d62728"), strict=True)):
        line = " ".join("{:.1f},{:.1f}".format(*spot(row[0], row[column + 1])) for row in rows)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{left + 14}" y="{34 + 16 * column}" fill="{colour}">{name}</text>')
    start, end = rows[0], rows[-1]
    first, last = spot(start[0], start[3]), spot(end[0], start[3] * end[0] / start[0])
    straight = f"M{first[0]:.1f} {first[1]:.1f}L{last[0]:.1f} {last[1]:.1f}"
    parts.append(f'<path d="{straight}" stroke="#d62728" stroke-dasharray="3 4"/>')
    parts.append(f'<text x="{left + 14}" y="82" fill="#555">dotted: strictly linear</text></svg>')
    Path(path).write_text("\n".join(parts) + "\n", encoding="utf-8")


def main():
    """Print the table for the sizes asked for."""
    sizes = [int(item) for item in sys.argv[1:] if item.isdigit()] or [1_000, 10_000, 100_000]
    kept = []
    print("    flows reach   bare LU    values  ratio  with sds  ratio  classify eliminate reconcile", end="")
    print("    a tenth unmeasured peak GiB")
    for size in sizes:
        measure(size, 50, 3 if size <= 100_000 else 1, kept)
    for path in [item for item in sys.argv[1:] if item.endswith(".svg")]:
        picture(kept, path)
    for size in [item for item in sizes if item <= 20_000]:
        measure(size, None, 1, kept)


if __name__ == "__main__":
    main()
