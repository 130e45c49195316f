"""Minutes to the nearest facility of 1,000,000 nodes, beside bare scipy, networkit and igraph in the same run.

Run ``python benchmarks/streets.py``. A grid of 1000 x 1000 junctions whose walking times differ with the slope (seed 0)
and 1,000 facilities. All search the reversed graph, made before. Networkit and igraph have no
nearest-of-many search: they run from one more node that is joined to every facility. Nothing here is a test.
"""

import resource
import time

import igraph
import networkit
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from cyclopolis.infrastructure.streets.walking import backwards, minutes_to_nearest

SIDE, FACILITIES, TIMES = 1000, 1000, 3


def grid_graph(side):
    """Return a directed grid with minutes that differ from street to street and way to way."""
    draw = np.random.default_rng(0)
    node = np.arange(side * side).reshape(side, side)
    start = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    end = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    minutes = draw.uniform(0.5, 3.0, 2 * start.size)
    rows, columns = np.concatenate((start, end)), np.concatenate((end, start))
    return csr_array((minutes, (rows, columns)), shape=(side * side, side * side))


def best(work):
    """Return the shortest of some runs and what the last one gave."""
    spent = []
    for _ in range(TIMES):
        begin = time.perf_counter()
        found = work()
        spent.append(time.perf_counter() - begin)
    return min(spent), found


def with_root(back, facilities):
    """Return the edges of the reversed graph and of one more node that leads to every facility."""
    edges = back.tocoo()
    size = back.shape[0]
    rows = np.concatenate((edges.row, np.full(facilities.size, size)))
    columns = np.concatenate((edges.col, facilities))
    return rows, columns, np.concatenate((edges.data, np.zeros(facilities.size)))


def main():
    graph = grid_graph(SIDE)
    facilities = np.sort(np.random.default_rng(1).choice(graph.shape[0], FACILITIES, replace=False))
    back = backwards(graph)
    size = graph.shape[0] + 1

    def to_networkit():
        rows, columns, minutes = with_root(csr_array(graph.T), facilities)
        return networkit.GraphFromCoo((minutes, (rows, columns)), n=size, weighted=True, directed=True)

    def to_igraph():
        rows, columns, minutes = with_root(csr_array(graph.T), facilities)
        return igraph.Graph(n=size, edges=np.column_stack((rows, columns)), directed=True), minutes

    peer, (other, minutes) = to_networkit(), to_igraph()

    def by_networkit(held):
        run = networkit.distance.Dijkstra(held, size - 1, storePaths=False)
        run.run()
        return np.asarray(run.getDistances())

    def by_igraph(held, weights):
        return np.asarray(held.distances(source=size - 1, weights=weights)[0])

    search = {
        "ours": best(lambda: minutes_to_nearest(back, facilities)),
        "bare csgraph": best(lambda: dijkstra(back, directed=True, indices=facilities, min_only=True)),
        "networkit": best(lambda: by_networkit(peer)),
        "igraph": best(lambda: by_igraph(other, minutes)),
    }
    whole = {
        "ours": best(lambda: minutes_to_nearest(backwards(graph), facilities)),
        "bare csgraph": best(lambda: dijkstra(csr_array(graph.T), indices=facilities, min_only=True)),
        "networkit": best(lambda: by_networkit(to_networkit())),
        "igraph": best(lambda: by_igraph(*to_igraph())),
    }
    truth = search["bare csgraph"][1]
    print(f"{graph.shape[0]:,} nodes, {graph.nnz:,} edges, {FACILITIES:,} facilities")
    print(
        "| way | search, s | over ours | from arrays, s | over ours | largest difference |\n|---|---|---|---|---|---|"
    )
    for name, (seconds, found) in search.items():
        apart, built = np.abs(found[: truth.size] - truth).max(), whole[name][0]
        ratios = seconds / search["ours"][0], built / whole["ours"][0]
        print(f"| {name} | {seconds:.3f} | {ratios[0]:.2f} | {built:.3f} | {ratios[1]:.2f} | {apart:.1e} |")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
