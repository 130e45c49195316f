"""A programme whose limits, markets and (dearly) ports may give way, and by how much each of them does."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array, hstack

from cyclopolis.design.assemble import Assembly, reference_size
from cyclopolis.design.program import Objective, Program
from cyclopolis.network.model import Floats, Ints

PORT_WEIGHT = 100.0
"""Weight of a port's excess beside a limit's when limits clash: limits give way first, physics last."""


@dataclass(frozen=True)
class Relaxed:
    """The relaxed programme, the objective (minus the sum of relative excesses), and the columns of what gives.

    ``over[family, year]`` and ``under[family, year]`` are slices, one column for each row of the family, in the row's
    own unit.
    """

    program: Program
    goal: Objective
    over: Mapping[tuple[str, int], slice]
    under: Mapping[tuple[str, int], slice]

    def excess(self, natural: Floats, family: str, year: int) -> Floats:
        """Return by how much the rows of a family lie above their upper (+) or below their lower bound (-)."""
        return natural[self.over[family, year]] - natural[self.under[family, year]]


def _rows_that_give(assembly: Assembly) -> list[tuple[tuple[str, int], Ints, Floats, float]]:
    """Return (family and year, rows, size of each row's excess, weight) of everything that may give way."""
    found = []
    for (family, year), part in assembly.rows.items():
        rows = np.arange(part.start, part.stop)
        if family == "port":
            port = np.abs(assembly.problem.network.ports.coefficient[assembly.entity[family, year]])
            most = assembly.problem.years[year].activity_bounds()[1]
            size = port * most[assembly.problem.network.ports.plant[assembly.entity[family, year]]]
            found.append(((family, year), rows, np.where(size > 0, size, 1.0), PORT_WEIGHT))
        elif family == "market":
            markets, at = assembly.problem.years[year].network.markets, assembly.entity[family, year]
            pairs = zip(markets.volume_min[at].tolist(), markets.volume_max[at].tolist(), strict=True)
            found.append(((family, year), rows, np.array([reference_size(a, b) for a, b in pairs]), 1.0))
        elif family == "limit":
            limits = assembly.problem.years[year].limits
            size = np.array([reference_size(item.lower, item.upper) for item in limits])
            found.append(((family, year), rows, size, 1.0))
        elif family == "spending":
            size = np.array([reference_size(item.lower, item.upper) for item in assembly.problem.spending])
            found.append(((family, year), rows, size, 1.0))
    return found


def _rules(assembly: Assembly, key: tuple[str, int]) -> Floats:
    """Return the most that each row of a family may give: nothing where it is logic."""
    if key[0] != "limit":
        return np.full(assembly.entity[key].size, np.inf)
    return np.array([0.0 if limit.rule else np.inf for limit in assembly.problem.years[key[1]].limits])


def relax(assembly: Assembly) -> Relaxed:
    """Return the programme with what may give way, to be maximised for the least sum of relative excesses.

    Parameters
    ----------
    assembly : Assembly
        Assembled with ``elastic``, so that trades are not bounded by their markets.
    """
    program = assembly.program
    count, start = program.lower.size, program.lower.size
    row_scale = assembly.row_scale
    rows, values, most, scales, weights = [], [], [], [], []
    over: dict[tuple[str, int], slice] = {}
    under: dict[tuple[str, int], slice] = {}
    for key, at, size, weight in _rows_that_give(assembly):
        limit = _rules(assembly, key)
        for side, sign in ((over, -1.0), (under, 1.0)):
            side[key] = slice(start, start + at.size)
            start += at.size
            rows.append(at)
            values.append(sign * size / row_scale[at])
            most.append(limit)
            scales.append(size)
            weights.append(-weight / size)
    row, value = np.concatenate(rows), np.concatenate(values)
    extra = csr_array(coo_array((value, (row, np.arange(row.size))), shape=(program.matrix.shape[0], row.size)))
    wide = Program(
        matrix=csr_array(hstack([program.matrix, extra], format="csr")),
        row_lower=program.row_lower,
        row_upper=program.row_upper,
        lower=np.concatenate([program.lower, np.zeros(row.size)]),
        upper=np.concatenate([program.upper, *most]),
        integer=np.concatenate([program.integer, np.zeros(row.size, dtype=np.bool_)]),
        scale=np.concatenate([program.scale, *scales]),
    )
    goal = Objective("excess", np.concatenate([np.zeros(count), *weights]))
    return Relaxed(wide, goal, over, under)
