"""Small programmes for tests: random ones whose every whole-number solution can be counted out."""

from itertools import product

import numpy as np
from scipy.sparse import csr_array

from cyclopolis.design.program import Objective, Program


def knapsacks(seed: int, items: int = 8, rows: int = 2, objectives: int = 2, most: int = 1) -> tuple[Program, list]:
    """Return a random integer programme of several knapsacks and objectives with small whole weights."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 10, (rows, items)).astype(float)
    program = Program(
        matrix=csr_array(weights),
        row_lower=np.full(rows, -np.inf),
        row_upper=np.floor(weights.sum(axis=1) * most / 2),
        lower=np.zeros(items),
        upper=np.full(items, float(most)),
        integer=np.ones(items, dtype=np.bool_),
        scale=np.ones(items),
    )
    values = rng.integers(-2, 10, (objectives, items)).astype(float)
    return program, [Objective(f"f{number}", row, float(number)) for number, row in enumerate(values)]


def every_value(program: Program, objectives: list[Objective]) -> np.ndarray:
    """Return the objectives of every feasible solution of a pure integer programme."""
    ranges = [range(int(low), int(high) + 1) for low, high in zip(program.lower, program.upper, strict=True)]
    points = np.array(list(product(*ranges)), dtype=float)
    sums = points @ program.matrix.toarray().T
    kept = ((sums <= program.row_upper + 1e-9) & (sums >= program.row_lower - 1e-9)).all(axis=1)
    return np.array([[o.constant + p @ o.weights for o in objectives] for p in points[kept]])


def nondominated(values: np.ndarray) -> np.ndarray:
    """Return the distinct rows that no other row dominates, sorted."""
    unique = np.unique(values.round(9), axis=0)
    better = (unique[None] >= unique[:, None]).all(axis=2) & (unique[None] > unique[:, None]).any(axis=2)
    return unique[~better.any(axis=1)]


def mixed(seed: int, plants: int = 6, objectives: int = 3) -> tuple[Program, list]:
    """Return a random mixed programme: plants that may be built (y) and run (x <= size y) within shared limits."""
    rng = np.random.default_rng(seed)
    size = rng.integers(2, 9, plants).astype(float)
    shared = rng.integers(1, 5, (2, plants)).astype(float)
    top = np.hstack([np.eye(plants), -np.diag(size)])
    matrix = csr_array(np.vstack([top, np.hstack([shared, np.zeros((2, plants))])]))
    program = Program(
        matrix=matrix,
        row_lower=np.full(plants + 2, -np.inf),
        row_upper=np.concatenate([np.zeros(plants), 0.4 * (shared @ size)]),
        lower=np.zeros(2 * plants),
        upper=np.concatenate([size, np.ones(plants)]),
        integer=np.arange(2 * plants) >= plants,
        scale=np.ones(2 * plants),
    )
    run = rng.integers(-3, 9, (objectives, plants)).astype(float)
    built = -rng.integers(0, 6, (objectives, plants)).astype(float)
    return program, [
        Objective(f"f{number}", np.concatenate([a, b])) for number, (a, b) in enumerate(zip(run, built, strict=True))
    ]
