"""P-graph synthesis: which units can belong to a working structure, and which structures there are.

A *unit* takes some materials and makes others; *raw* materials come from outside; *products* are wanted. A set of units
is a *solution structure* when (the axioms of Friedler, Tarjan, Huang and Fan, 1992, Comput. Chem. Eng. 16, S313-S320):

1. every product is made;
2. a material that no unit of the set makes is taken only if it is raw, and raw materials are not made;
3. only given units are in it;
4. every unit lies on a path to a product;
5. every material in it is taken or made by one of its units.

The union of all solution structures is the *maximal structure*. A loop may feed itself: the axioms ask who makes a
material, not who makes it first; amounts are the business of the linear programme.

Units (U) and materials (M) are positions; ``takes`` and ``makes`` are sparse U x M arrays whose non-zeros are links.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

Bools = NDArray[np.bool_]


def _hit(links: csr_array, marked: Bools) -> Bools:
    """Return the units (U,) that have a link to a marked material (M,)."""
    return np.asarray(links @ marked.astype(np.float64) > 0, dtype=np.bool_)


def _touched(links: csr_array, units: Bools) -> Bools:
    """Return the materials (M,) that a marked unit (U,) has a link to."""
    return np.asarray(links.T @ units.astype(np.float64) > 0, dtype=np.bool_)


def _links(matrix: csr_array) -> csr_array:
    """Return the pattern of a matrix: 1 where it is not zero, whatever the sign."""
    pattern = csr_array(matrix, copy=True)
    pattern.eliminate_zeros()
    pattern.data = np.ones(pattern.nnz)
    return pattern


def reduce_units(takes: csr_array, makes: csr_array, raw: Bools, units: Bools | None = None) -> Bools:
    """Drop, until none is left to drop, every unit that needs a material nobody supplies.

    Parameters
    ----------
    takes, makes : csr_array
        Links of the units to the materials, U x M.
    raw : ndarray of bool
        Materials that come from outside (M,).
    units : ndarray of bool, optional
        Units to begin with (U,); all when left out.

    Returns
    -------
    ndarray of bool
        Units that can be supplied (U,); the reduction part of the maximal structure algorithm.

    Examples
    --------
    >>> takes = csr_array([[1, 0, 0], [0, 1, 0]])
    >>> makes = csr_array([[0, 0, 1], [0, 0, 1]])
    >>> reduce_units(takes, makes, np.array([True, False, False])).tolist()
    [True, False]
    """
    takes, makes = _links(takes), _links(makes)
    kept = np.ones(takes.shape[0], dtype=np.bool_) if units is None else units.copy()
    while True:
        starved = kept & _hit(takes, ~raw & ~_touched(makes, kept))
        if not starved.any():
            return kept
        kept &= ~starved


def compose_units(takes: csr_array, makes: csr_array, products: Bools, units: Bools) -> Bools:
    """Walk upstream from the products and return the units met on the way (U,), out of ``units`` (U,).

    The composition part of the maximal structure algorithm.

    Examples
    --------
    >>> takes = csr_array([[1, 0, 0], [0, 1, 0]])
    >>> makes = csr_array([[0, 1, 0], [0, 0, 1]])
    >>> compose_units(takes, makes, np.array([False, True, False]), np.array([True, True])).tolist()
    [True, False]
    """
    takes, makes = _links(takes), _links(makes)
    wanted = products.copy()
    met = np.zeros_like(units)
    while True:
        new = units & ~met & _hit(makes, wanted)
        if not new.any():
            return met
        met |= new
        wanted |= _touched(takes, new)


def maximal_structure(takes: csr_array, makes: csr_array, raw: Bools, products: Bools) -> Bools:
    """Return the units (U,) of the maximal structure; none when some product cannot be made.

    Units that make a raw material are left out (axiom 2), then starved units are dropped and the rest is walked
    upstream from the products. Linear in the number of links times the length of the longest chain.

    Parameters
    ----------
    takes, makes : csr_array
        Links of the units to the materials, U x M.
    raw, products : ndarray of bool
        Raw materials and products (M,).

    Examples
    --------
    >>> takes = csr_array([[1, 0, 0], [0, 1, 0]])
    >>> makes = csr_array([[0, 1, 0], [0, 0, 1]])
    >>> maximal_structure(takes, makes, np.array([1, 0, 0], bool), np.array([0, 0, 1], bool)).tolist()
    [True, True]
    """
    kept = reduce_units(takes, makes, raw, ~_hit(_links(makes), raw))
    if not _touched(_links(makes), kept)[products].all():
        return np.zeros_like(kept)
    return compose_units(takes, makes, products, kept)


def dangling_units(takes: csr_array, makes: csr_array, products: Bools, units: Bools) -> Bools:
    """Return those of ``units`` (U,) from which no path of chosen units leads to a product."""
    return units & ~compose_units(takes, makes, products, units)


def is_solution_structure(takes: csr_array, makes: csr_array, raw: Bools, products: Bools, units: Bools) -> bool:
    """Tell whether a set of units (U,) satisfies the axioms.

    Examples
    --------
    >>> takes, makes = csr_array([[1, 0], [1, 0]]), csr_array([[0, 1], [0, 0]])
    >>> raw, products = np.array([True, False]), np.array([False, True])
    >>> is_solution_structure(takes, makes, raw, products, np.array([True, False]))
    True
    >>> is_solution_structure(takes, makes, raw, products, np.array([True, True]))
    False
    """
    made = _touched(_links(makes), units)
    taken = _touched(_links(takes), units)
    return bool(
        made[products].all()
        and not (made & raw).any()
        and not (taken & ~raw & ~made).any()
        and not dangling_units(takes, makes, products, units).any()
    )


def _masks(links: csr_array) -> list[int]:
    """Return each row's columns as the bits of one integer."""
    rows = [0] * links.shape[0]
    units, materials = links.nonzero()
    for unit, material in zip(units.tolist(), materials.tolist(), strict=True):
        rows[unit] |= 1 << material
    return rows


def solution_structures(takes: csr_array, makes: csr_array, raw: Bools, products: Bools) -> Iterator[tuple[int, ...]]:
    """Yield every solution structure once, as ascending positions of its units.

    Material by material, beginning with the products, each unit that can make it is taken in or left out for good
    (decision mapping of Friedler, Varga and Fan, 1995, Chem. Eng. Sci. 50, 1755-1768). Sets are bits of integers and
    only the open branches are held, so the first structures of a huge superstructure come at once.

    Parameters
    ----------
    takes, makes : csr_array
        Links of the units to the materials, U x M.
    raw, products : ndarray of bool
        Raw materials and products (M,).

    Examples
    --------
    >>> takes, makes = csr_array([[1, 0], [1, 0]]), csr_array([[0, 1], [0, 1]])
    >>> raw, products = np.array([True, False]), np.array([False, True])
    >>> sorted(solution_structures(takes, makes, raw, products))
    [(0,), (0, 1), (1,)]
    """
    kept = maximal_structure(takes, makes, raw, products)
    if not kept.any():
        return
    keep = sum(1 << unit for unit in np.flatnonzero(kept).tolist())
    not_raw = sum(1 << material for material in np.flatnonzero(~raw).tolist())
    needs = [mask & not_raw for mask in _masks(_links(takes))]
    makers = [mask & keep for mask in _masks(_links(csr_array(makes.T)))]
    wanted = sum(1 << material for material in np.flatnonzero(products).tolist())
    branches = [(wanted, 0, 0, 0)]
    while branches:
        open_materials, decided, taken, refused = branches.pop()
        if not open_materials:
            yield tuple(unit for unit in range(taken.bit_length()) if taken >> unit & 1)
            continue
        lowest = open_materials & -open_materials
        able = makers[lowest.bit_length() - 1] & ~refused
        free = able & ~taken
        if not able:
            continue
        if not free:
            branches.append((open_materials & ~lowest, decided | lowest, taken, refused))
            continue
        unit = free & -free
        more = needs[unit.bit_length() - 1] & ~decided
        branches.append((open_materials, decided, taken, refused | unit))
        branches.append((open_materials | more, decided, taken | unit, refused))
