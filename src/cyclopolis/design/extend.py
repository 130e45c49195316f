"""Programmes made wider: more rows, more columns, the old ones where they were."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from cyclopolis.design.program import Objective, Program
from cyclopolis.network.model import Bools, Floats


@dataclass(frozen=True)
class Columns:
    """New columns: their coefficients in the old rows (R, N), bounds (N,) and whether they are whole (N,); scale 1."""

    matrix: csr_array
    lower: Floats
    upper: Floats
    integer: Bools


def with_columns(program: Program, columns: Columns) -> Program:
    """Return the programme with more columns behind its own."""
    matrix = csr_array(hstack([program.matrix, columns.matrix], format="csr"))
    matrix.sort_indices()
    return replace(
        program,
        matrix=matrix,
        lower=np.concatenate([program.lower, columns.lower]),
        upper=np.concatenate([program.upper, columns.upper]),
        integer=np.concatenate([program.integer, columns.integer]),
        scale=np.concatenate([program.scale, np.ones(columns.lower.size)]),
    )


def with_rows(program: Program, matrix: csr_array, lower: Floats, upper: Floats) -> Program:
    """Return the programme with more rows below its own; coefficients (N, V) over scaled columns."""
    taller = csr_array(vstack([program.matrix, matrix], format="csr"))
    taller.eliminate_zeros()
    taller.sort_indices()
    return replace(
        program,
        matrix=taller,
        row_lower=np.concatenate([program.row_lower, lower]),
        row_upper=np.concatenate([program.row_upper, upper]),
    )


def wider(objective: Objective, columns: int) -> Objective:
    """Return an objective that counts none of some new columns."""
    return replace(objective, weights=np.concatenate([objective.weights, np.zeros(columns)]))
