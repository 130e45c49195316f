"""Trade-offs under draws: what each of note brings when prices, yields and demand turn out otherwise."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from cyclopolis.design.assemble import Assembly
from cyclopolis.design.draws import evaluate, regret, value_at_risk
from cyclopolis.design.front_search import Point
from cyclopolis.design.pose import Posed
from cyclopolis.design.problem import SolveOptions
from cyclopolis.design.program import Objective
from cyclopolis.design.uncertain import first_stage, plan_changes
from cyclopolis.foundation.progress import Progress

DIMENSIONS = ("economy", "environment", "society")
WORST = 0.05
"""Share of draws that counts as bad."""
DRAWS_SCHEMA = {"point": pl.Int64, "draw": pl.Int64, "status": pl.String, **dict.fromkeys(DIMENSIONS, pl.Float64)}
_NUMBERS = ("planned", "mean", "sd", "value_at_risk", "cvar", "regret_mean", "regret_max")
RISK_SCHEMA = {
    "point": pl.Int64, "dimension": pl.String, "draws": pl.Int64, "failed": pl.Float64,
    **dict.fromkeys(_NUMBERS, pl.Float64),
}  # fmt: skip


def no_risk() -> dict[str, pl.DataFrame]:
    """Return the tables of a front that was not drawn."""
    return {"draws": pl.DataFrame(schema=DRAWS_SCHEMA), "risk": pl.DataFrame(schema=RISK_SCHEMA)}


def risk_tables(
    posed: Posed,
    assembly: Assembly,
    goals: tuple[Objective, ...],
    points: Sequence[tuple[int, Point]],
    draws: int,
    seed: int,
    options: SolveOptions,
    threads: int,
    progress: Progress,
) -> dict[str, pl.DataFrame]:
    """Return every draw of some points, with their builds held, and what they come to.

    Regret is what a point brings less than the best of these points under the same draw.

    Parameters
    ----------
    posed, assembly, goals
        The plan as posed, assembled, with its three objectives.
    points : sequence of (int, Point)
        Number and point.
    draws, seed : int
        How many draws, and which.
    options : SolveOptions
        Of each solve.
    threads : int
        Solves side by side.
    progress : Progress
        Told as draws are done.
    """
    changes = plan_changes(posed, assembly, goals, draws, seed)
    first = first_stage(assembly)
    found = [
        evaluate(assembly.program, point.natural, first, changes, options, threads, progress) for _, point in points
    ]
    rows = [
        (number, draw + 1, outcome.status[draw], *(None if np.isnan(value) else value for value in values))
        for (number, _), outcome in zip(points, found, strict=True)
        for draw, values in enumerate(outcome.values.tolist())
    ]
    lost = [regret(np.array([outcome.values[:, k] for outcome in found])) for k in range(len(DIMENSIONS))]
    risk = []
    for at, ((number, point), outcome) in enumerate(zip(points, found, strict=True)):
        for k, dimension in enumerate(DIMENSIONS):
            values, missed = outcome.values[:, k], lost[k][at]
            known = values[~np.isnan(values)]
            if not known.size:
                risk.append((number, dimension, draws, 1.0, float(point.values[k]), *[None] * 6))
                continue
            bad, mean = value_at_risk(values, WORST)
            could = missed[np.isfinite(missed)]
            risk.append(
                (
                    number, dimension, draws, outcome.failed, float(point.values[k]), float(known.mean()),
                    float(known.std()), bad, mean, float(could.mean()), float(could.max()),
                )
            )  # fmt: skip
    return {
        "draws": pl.DataFrame(rows, schema=DRAWS_SCHEMA, orient="row"),
        "risk": pl.DataFrame(risk, schema=RISK_SCHEMA, orient="row"),
    }
