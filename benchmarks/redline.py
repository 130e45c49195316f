"""Overlap of 100,000 parcels with a red line of 97,000 vertices, beside plain Shapely and a prepared polygon.

Run ``python benchmarks/redline.py``. Parcels are squares of 100 m at random (seed 0) over a ragged polygon; plain
Shapely cuts every parcel that meets the polygon with the whole of it (a sample, extrapolated). Nothing here is a test.
"""

import resource
import time

import numpy as np
import shapely

from cyclopolis.ecology.land.redline import overlap

PARCELS, VERTICES, SIDE, TIMES, SAMPLE = 100_000, 97_000, 100.0, 3, 300


def ragged(vertices):
    """Return a polygon with a coast like a fjord."""
    draw = np.random.default_rng(0)
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    waves = sum(np.sin(k * angle + draw.uniform(0, 6)) / k for k in (3, 7, 19, 53, 211, 997, 4001))
    radius = 15_000.0 * (1 + 0.25 * waves)
    return shapely.Polygon(np.column_stack((radius * np.cos(angle), radius * np.sin(angle))))


def best(work):
    spent = []
    for _ in range(TIMES):
        begin = time.process_time()
        found = work()
        spent.append(time.process_time() - begin)
    return min(spent), found


def main():
    red = ragged(VERTICES)
    x, y = np.random.default_rng(1).uniform(-25_000, 25_000, (2, PARCELS))
    parcels = shapely.box(x, y, x + SIDE, y + SIDE)
    ours, found = best(lambda: overlap(parcels, np.array([red], dtype=object)))
    meeting = np.flatnonzero(found.area > 0)
    edge = meeting[found.area[meeting] < 0.999999 * SIDE**2]
    sample = np.random.default_rng(2).choice(edge, min(SAMPLE, edge.size), replace=False)
    begin = time.process_time()
    truth = shapely.area(shapely.intersection(parcels[sample], red))
    plain = (time.process_time() - begin) / sample.size * meeting.size
    apart = np.abs(truth - found.area[sample]).max()
    print(
        f"{PARCELS:,} parcels, {VERTICES:,} vertices, valid: {red.is_valid}; {meeting.size:,} overlap, {edge.size:,} at the edge"
    )
    print("| way | CPU seconds | over ours |\n|---|---|---|")
    print(f"| ours, with distances up to 1 km | {ours:.2f} | 1 |")
    print(f"| each parcel with the whole polygon (extrapolated) | {plain:.1f} | {plain / ours:.0f} |")
    print(
        f"largest difference {apart:.1e} m2; peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"
    )


if __name__ == "__main__":
    main()
