"""Ecological network analysis: how much of a throughflow cycles, and how ordered the flows are."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from cyclopolis.foundation.problems import user_error
from cyclopolis.industry.metabolism.topology import largest_eigenvalue

Floats = NDArray[np.float64]

ENDLESS = 1e-12


@dataclass(frozen=True)
class Cycling:
    """Measures of a network of flows; flows in the unit given, information in bits.

    Parameters
    ----------
    nodes, links : int
        Compartments, and flows between them that are not 0.
    connectance, linkage_density : float
        Links over n^2, links over n.
    largest_eigenvalue : float
        Of the 0/1 matrix of links.
    strong_parts : int
        Number of strongly connected components, single compartments included.
    boundary_input : float
        All that enters.
    throughflow : float
        Sum over compartments of what enters each (TST).
    throughput : float
        Sum of all flows, those across the boundary included (TSTp).
    path_length : float
        Compartments an inflow passes before it leaves (APL).
    finn_cycling_index : float
        Share of the throughflow that has been at its compartment before.
    indirect_to_direct : float
        Flow over paths of two steps and more, over flow of one step.
    mutual_information : float
        Average mutual information of origin and destination, bit.
    flow_diversity : float
        Entropy of the flows, bit.
    ascendency, capacity, overhead : float
        Throughput times mutual information, times diversity, and their difference.
    ascendency_share : float
        Ascendency over capacity.
    robustness : float
        ``-a ln a`` of that share.
    effective_link_density, trophic_depth : float
        2 to the power of half the conditional entropy; 2 to the power of the mutual information.
    """

    nodes: int
    links: int
    connectance: float
    linkage_density: float
    largest_eigenvalue: float
    strong_parts: int
    boundary_input: float
    throughflow: float
    throughput: float
    path_length: float
    finn_cycling_index: float
    indirect_to_direct: float
    mutual_information: float
    flow_diversity: float
    ascendency: float
    capacity: float
    overhead: float
    ascendency_share: float
    robustness: float
    effective_link_density: float
    trophic_depth: float


def _ratio(part: float, whole: float) -> float:
    """Return a ratio, NaN over nothing."""
    return part / whole if whole else float("nan")


def _storage_of_paths(flows: Floats, entering: Floats) -> tuple[Floats, Floats]:
    """Return the direct shares G and the shares over all paths (I - G)^-1.

    Raises
    ------
    UserError
        If some compartments only feed each other, so that what enters them never leaves.
    """
    shares = flows / np.where(entering > 0, entering, 1.0)[:, None]
    left = np.eye(entering.size) - shares
    try:
        paths: Floats = np.linalg.inv(left).astype(np.float64)
    except np.linalg.LinAlgError:
        raise user_error("metabolism.endless_cycle") from None
    if not float(np.linalg.norm(paths)) <= 1 / ENDLESS:
        raise user_error("metabolism.endless_cycle")
    return shares, paths


def _information(flows: Floats, inputs: Floats, respiration: Floats, export: Floats) -> tuple[float, float, float]:
    """Return throughput, mutual information and diversity of all flows, those across the boundary included."""
    size = inputs.size
    joint = np.zeros((size + 1, size + 2))
    joint[:size, :size], joint[size, :size] = flows, inputs
    joint[:size, size], joint[:size, size + 1] = respiration, export
    total = float(joint.sum())
    if not total:
        return 0.0, float("nan"), float("nan")
    share = joint / total
    apart = share.sum(axis=1)[:, None] * share.sum(axis=0)
    held = share > 0
    information = float((share[held] * np.log2(share[held] / apart[held])).sum())
    return total, information, float(-(share[held] * np.log2(share[held])).sum())


def _cycled(direct: Floats, paths: Floats, entering: Floats, inputs: Floats) -> tuple[float, float, float]:
    """Return what passes a compartment again, what flows by more than one step, and what by one step."""
    own = np.diag(paths)
    first = float((direct * inputs[:, None]).sum())
    realised = float((paths * inputs[:, None]).sum())
    return float((entering * (own - 1) / own).sum()), realised - float(inputs.sum()) - first, first


def cycling(flows: Floats, inputs: Floats, respiration: Floats, export: Floats) -> Cycling:
    """Return the measures of a network of flows.

    Parameters
    ----------
    flows : (n, n) array
        From row to column, not negative.
    inputs, respiration, export : (n,) arrays
        What enters each compartment from outside, what it loses, what it delivers outside; same unit.

    Returns
    -------
    Cycling

    Raises
    ------
    UserError
        If a flow is negative, or compartments feed only each other.

    Notes
    -----
    Finn (1976) Journal of Theoretical Biology 56, 363-380; Ulanowicz (1986) Growth and Development; Ulanowicz,
    Goerner, Lietaer and Gomez (2009) Ecological Complexity 6, 27-36; definitions as in Lau, Borrett et al. (2017) enaR,
    Methods in Ecology and Evolution. Throughflow is what enters, also where the data do not quite balance. The
    information measures take respiration and export as two destinations.

    Examples
    --------
    Half of what B takes returns to A:

    >>> found = cycling(np.array([[0.0, 2.0], [1.0, 0.0]]), np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.zeros(2))
    >>> found.throughflow, found.path_length, round(found.finn_cycling_index, 6)
    (4.0, 4.0, 0.5)
    """
    if min(float(part.min(initial=0.0)) for part in (flows, inputs, respiration, export)) < 0:
        raise user_error("metabolism.negative_flow")
    size = inputs.size
    entering = flows.sum(axis=0) + inputs
    direct, paths = _storage_of_paths(flows, entering)
    throughflow, boundary = float(entering.sum()), float(inputs.sum())
    cycled, indirect, first = _cycled(direct, paths, entering, inputs)
    throughput, information, diversity = _information(flows, inputs, respiration, export)
    share = _ratio(information, diversity)
    links = int((flows > 0).sum())
    pattern = sp.csr_matrix((flows > 0).astype(float))
    return Cycling(
        size,
        links,
        _ratio(links, size**2),
        _ratio(links, size),
        largest_eigenvalue(pattern),
        int(connected_components(pattern, directed=True, connection="strong")[0]),
        boundary,
        throughflow,
        throughput,
        _ratio(throughflow, boundary),
        _ratio(cycled, throughflow),
        _ratio(indirect, first),
        information,
        diversity,
        throughput * information,
        throughput * diversity,
        throughput * (diversity - information),
        share,
        -share * float(np.log(share)) if share > 0 else float("nan"),
        2.0 ** ((diversity - information) / 2),
        2.0**information,
    )
