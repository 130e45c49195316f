"""The shape of an exchange network: how many links, how spread, how cyclic; the amounts play no part."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigs

Ints = NDArray[np.int64]

DENSE = 400
STILL = 1e-13
STEPS = 100_000
VECTORS = 60


@dataclass(frozen=True)
class Topology:
    """Measures of an exchange network.

    Parameters
    ----------
    actors : int
        Those named in an exchange.
    exchanges : int
        Rows given.
    links : int
        Different ordered pairs of two actors.
    linkage_density : float
        Links per actor.
    connectance_squared, connectance_directed : float
        Links over n^2 and over n (n - 1).
    connectance_undirected : float
        Joined pairs over all pairs, either direction counting once (Hardy and Graedel).
    cyclicity : float
        Largest eigenvalue of the 0/1 matrix of links: 0 without a cycle, 1 with single ones, more with woven ones.
    suppliers, receivers : int
        Actors that give, that take.
    prey_to_predator : float
        Suppliers per receiver.
    generalization, vulnerability : float
        Links per receiver, per supplier.
    largest_strong : int
        Actors in the largest part in which everyone reaches everyone.
    strong_parts : int
        Number of such parts with more than one actor.

    Notes
    -----
    A ratio of nothing to nothing is NaN.
    """

    actors: int
    exchanges: int
    links: int
    linkage_density: float
    connectance_squared: float
    connectance_directed: float
    connectance_undirected: float
    cyclicity: float
    suppliers: int
    receivers: int
    prey_to_predator: float
    generalization: float
    vulnerability: float
    largest_strong: int
    strong_parts: int


def _share(part: float, whole: float) -> float:
    """Return a ratio, NaN over nothing."""
    return part / whole if whole else float("nan")


def largest_eigenvalue(matrix: sp.csr_matrix) -> float:
    """Return the largest eigenvalue of a matrix without negative entries.

    Parameters
    ----------
    matrix : (n, n) csr matrix

    Returns
    -------
    float
        Exactly 0 for a matrix without a cycle.

    Notes
    -----
    It is the largest over the strongly connected parts (Frobenius), each of which is irreducible: small ones by dense
    eigenvalues, large ones by Arnoldi iteration from equal shares, whose largest real part is that of the Perron root.

    Examples
    --------
    >>> round(largest_eigenvalue(sp.csr_matrix([[0.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])), 6)
    1.414214
    """
    _, label = connected_components(matrix, directed=True, connection="strong")
    order = np.argsort(label, kind="stable")
    sizes = np.bincount(label)
    loops = matrix.diagonal()
    largest = float(loops.max(initial=0.0))
    ends = np.cumsum(sizes)
    for part in np.flatnonzero(sizes > 1).tolist():
        members = order[ends[part] - sizes[part] : ends[part]]
        largest = max(largest, _perron(sp.csr_matrix(matrix[members][:, members])))
    return largest


def _perron(matrix: sp.csr_matrix) -> float:
    """Return the Perron root of an irreducible matrix."""
    if matrix.shape[0] <= DENSE:
        return float(np.abs(np.linalg.eigvals(matrix.toarray())).max())
    start = np.ones(matrix.shape[0])
    value = float(matrix.sum() / matrix.shape[0])
    if np.abs(matrix @ start - value).max() <= STILL * value:
        return value
    found = eigs(matrix, k=1, which="LR", v0=start, ncv=VECTORS, maxiter=STEPS, return_eigenvectors=False)
    return float(found[0].real)


def topology(suppliers: Sequence[str] | Ints, receivers: Sequence[str] | Ints) -> Topology:
    """Return the measures of a network given as exchanges.

    Parameters
    ----------
    suppliers, receivers : sequences of k names or numbers
        One exchange each; repeated pairs make one link, an actor's exchange with itself none.

    Returns
    -------
    Topology

    Notes
    -----
    Hardy and Graedel (2002) Journal of Industrial Ecology 6, 29-38; Fath and Halnes (2007) Ecological Modelling 208,
    49-55 (cyclicity); Layton, Bras and Weissburg (2016) Environmental Science & Technology 50, 11243-11252.

    Examples
    --------
    >>> shape = topology(["a", "b", "b"], ["b", "a", "c"])
    >>> shape.links, shape.cyclicity, shape.largest_strong
    (3, 1.0, 2)
    """
    names, index = np.unique(np.concatenate([np.asarray(suppliers), np.asarray(receivers)]), return_inverse=True)
    count, rows = names.size, len(suppliers)
    giver, taker = index[:rows], index[rows:]
    pairs = np.unique(np.stack([giver, taker])[:, giver != taker], axis=1)
    links = pairs.shape[1]
    matrix = sp.csr_matrix((np.ones(links), (pairs[0], pairs[1])), (count, count))
    joined = np.unique(np.sort(pairs, axis=0), axis=1).shape[1]
    giving, taking = np.unique(pairs[0]).size, np.unique(pairs[1]).size
    sizes = np.bincount(connected_components(matrix, directed=True, connection="strong")[1]) if count else np.zeros(0)
    return Topology(
        count,
        rows,
        links,
        _share(links, count),
        _share(links, count**2),
        _share(links, count * (count - 1)),
        _share(2 * joined, count * (count - 1)),
        largest_eigenvalue(matrix) if count else 0.0,
        giving,
        taking,
        _share(giving, taking),
        _share(links, taking),
        _share(links, giving),
        int(sizes.max(initial=0)),
        int((sizes > 1).sum()),
    )
