"""Which measures, how large: designs that no other beats in cost, kept rain, peak and load together.

Every design is run by SWMM; nothing else decides what is on the front. Where to look is told in three steps: single
measures and all of them, a Sobol sequence over all areas, then rounds of epsilon-constraint programmes (least cost
subject to a bound on one answer) on quadratic surrogates of the answers so far. The surrogate only proposes. scipy is
enough for that: cost is linear in the areas, so that least cost under a bound is a small smooth programme. pymoo
(Apache-2.0, kept) was looked at and left out: it brings several packages more for a part that scipy's solver does.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cyclopolis.foundation.problems import Problem
from cyclopolis.foundation.progress import Progress, silent
from cyclopolis.foundation.text import message
from cyclopolis.infrastructure.drainage.pool import Outcome, run_pool
from cyclopolis.infrastructure.drainage.solids import solids
from cyclopolis.infrastructure.drainage.sponge import SpongeWriter
from cyclopolis.infrastructure.drainage.swmm import Floats, run_swmm

ANSWERS = ("runoff_mm", "peak_m3_s", "ss_kg", "flooded_m3")
"""What a run says of a design, all the better the smaller; NaN where the model has no such thing."""
_ROUND = 48
_DIGITS = 4


@dataclass(frozen=True)
class DesignJob:
    """Runs one design: a vector of areas."""

    writer: SpongeWriter

    def __call__(self, areas_m2: Sequence[float], folder: Path) -> tuple[float, ...]:
        """Return the answers in the order of `ANSWERS`."""
        totals = run_swmm(self.writer.write(np.asarray(areas_m2)), folder).totals
        depth = totals.depth_mm
        load = solids(totals.discharged_kg)
        return (
            (depth["runoff"] or 0.0) + (depth["drained"] or 0.0),
            np.nan if totals.outfall_peak_m3_s is None else totals.outfall_peak_m3_s,
            np.nan if load is None else load,
            totals.volume_m3["flooding"],
        )


@dataclass(frozen=True)
class Designs:
    """Every design that ran: areas (m2), capital (million CNY), answers, whether it is on the front.

    ``problems`` are those of designs that have no answer.
    """

    areas_m2: Floats
    cost: Floats
    answers: Floats
    front: npt.NDArray[np.bool_]
    problems: tuple[Problem, ...] = ()


def nondominated(values: Floats) -> npt.NDArray[np.bool_]:
    """Return which rows no other row beats: none is at most as large everywhere and smaller somewhere.

    Parameters
    ----------
    values : (n, m) array
        Smaller is better. Of equal rows the first stays.

    Examples
    --------
    >>> nondominated(np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 3.0], [1.0, 3.0]])).tolist()
    [True, True, False, False]
    """
    kept = np.ones(values.shape[0], dtype=bool)
    for place, row in enumerate(values):
        if kept[place]:
            worse = (values >= row).all(axis=1)
            worse[: place + 1] &= (values[: place + 1] > row).any(axis=1)
            kept &= ~worse
            kept[place] = True
    return kept


@dataclass
class _Record:
    """Designs on disk: one line of JSON each, added as they finish, so that an interruption loses none."""

    path: Path | None
    key: str
    done: dict[tuple[float, ...], tuple[float, ...]] = field(default_factory=dict)

    def open(self) -> None:
        """Read what an earlier run of the same model left; a line cut off in the middle is passed over."""
        if self.path is None or not self.path.is_file():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
                if entry["key"] == self.key:
                    answers = tuple(np.nan if value is None else float(value) for value in entry["answers"])
                    self.done[tuple(entry["areas_m2"])] = answers
            except (ValueError, KeyError, TypeError):
                continue

    def add(self, areas: tuple[float, ...], answers: tuple[float, ...]) -> None:
        """Keep one design."""
        self.done[areas] = answers
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        entry = {"key": self.key, "areas_m2": areas, "answers": [None if v != v else v for v in answers]}  # noqa: PLR0124
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry) + "\n")


def search_designs(
    writer: SpongeWriter,
    budget: int,
    seed: int = 1,
    *,
    workers: int | None = None,
    keep: Path | None = None,
    progress: Progress = silent,
) -> Designs:
    """Look for the designs that no other beats.

    Parameters
    ----------
    writer : SpongeWriter
        The model with its storm, and the measures with their largest areas and costs.
    budget : int
        Most SWMM runs.
    seed : int
        Of the Sobol sequence; the same seed, model and budget give the same designs.
    workers : int, optional
        Processes; as many as there are cores by default.
    keep : Path, optional
        File to which every finished design is added at once; designs in it of the same model are not run again.
    progress : Progress
        Told how many designs are done.

    Returns
    -------
    Designs
    """
    most = np.array([measure.max_area_m2 for measure in writer.measures])
    price = np.array([measure.cost_cny_m2 for measure in writer.measures]) / 1e6
    record = _Record(keep, _key(writer))
    record.open()
    shares: list[tuple[float, ...]] = []
    answers: dict[tuple[float, ...], tuple[float, ...]] = {}
    problems: list[Problem] = []
    for batch in _rounds(most, price, _room(writer, most), budget, seed, shares, answers):
        fresh = [share for share in batch if _areas(share, most) not in record.done]
        for share in batch:
            if share not in fresh:
                answers[share] = record.done[_areas(share, most)]
        for outcome in run_pool(DesignJob(writer), [_areas(share, most) for share in fresh], workers):
            problems += _take(outcome, fresh, most, record, answers)
            done = len(answers) + len(problems)
            progress(message("drainage.stage_designs", done=done, all=budget), min(done / budget, 1.0))
        shares += [share for share in batch if share in answers]
    return _designs(shares, answers, most, price, problems)


def _key(writer: SpongeWriter) -> str:
    """Return what tells this model and these measures from others."""
    probe = writer.write(np.array([measure.max_area_m2 for measure in writer.measures]))
    return sha256(probe + repr(writer.measures).encode()).hexdigest()[:16]


def _areas(share: tuple[float, ...], most: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in np.round(np.array(share) * most, _DIGITS))


def _take(
    outcome: Outcome,
    fresh: Sequence[tuple[float, ...]],
    most: Floats,
    record: _Record,
    answers: dict[tuple[float, ...], tuple[float, ...]],
) -> tuple[Problem, ...]:
    """Keep one outcome; return its problems."""
    share = fresh[outcome.index]
    if outcome.value is not None:
        answers[share] = outcome.value
        record.add(_areas(share, most), outcome.value)
    return outcome.problems


def _room(writer: SpongeWriter, most: Floats) -> Floats:
    """Return one row for each ground that several measures share: how much of it each takes at its largest area."""
    rows = []
    for ground in writer.grounds():
        row = np.zeros(most.size)
        row[ground.places] = most[ground.places] / max(ground.free_m2, 1e-9)
        if row.sum() > 1.0:
            rows.append(row)
    return np.array(rows).reshape(len(rows), most.size)


def fitting(shares: Floats, room: Floats) -> Floats:
    """Return shares of the largest areas that fit on the ground: measures that share too little shrink alike.

    Parameters
    ----------
    shares : (n,) array
        Between 0 and 1.
    room : (g, n) array
        How much of each ground each measure takes at its largest area; a measure stands on one ground.

    Examples
    --------
    >>> fitting(np.array([1.0, 0.5, 0.8]), np.array([[1.0, 1.0, 0.0]])).round(4).tolist()
    [0.6667, 0.3333, 0.8]
    """
    shrink = np.ones(shares.size)
    for row in room:
        used = float(row @ shares)
        if used > 1.0:
            shrink[row > 0] = 1.0 / used
    return np.asarray(shares * shrink)


def _rounds(
    most: Floats,
    price: Floats,
    room: Floats,
    budget: int,
    seed: int,
    shares: list[tuple[float, ...]],
    answers: dict[tuple[float, ...], tuple[float, ...]],
) -> Iterator[list[tuple[float, ...]]]:
    """Yield designs to run as shares of the largest areas, each once; ``shares`` and ``answers`` grow in between."""
    from scipy.stats import qmc  # noqa: PLC0415 - slow to load

    size = most.size
    seen: set[tuple[float, ...]] = set()

    def new(rows: Iterable[Floats]) -> list[tuple[float, ...]]:
        found = []
        for row in rows:
            held = fitting(np.clip(row, 0.0, 1.0), room)
            share = tuple(float(value) for value in np.round(held, 6))
            if share not in seen and len(seen) < budget:
                seen.add(share)
                found.append(share)
        return found

    if size == 0 or budget < 1:
        return
    first = np.concatenate([np.zeros((1, size)), np.ones((1, size)), np.eye(size)])
    wanted = max(budget // 2 - len(first), 0)
    if wanted:
        sobol = qmc.Sobol(size, seed=seed).random_base2(max(int(np.ceil(np.log2(wanted))), 0))[:wanted]
        first = np.concatenate([first, sobol])
    yield new(first)
    turn = 0
    while len(seen) < budget and shares:
        turn += 1
        proposals = _propose(np.array(shares), np.array([answers[share] for share in shares]), most * price, room, turn)
        batch = new(proposals)
        if not batch:
            return
        yield batch


def _propose(shares: Floats, answers: Floats, full_cost: Floats, room: Floats, turn: int) -> list[Floats]:
    """Return designs of least cost whose answer, by the surrogate, is at most a bound, for bounds along each answer."""
    quadratic = _Quadratic(*np.triu_indices(shares.shape[1]))
    basis = quadratic.terms(shares)
    found: list[Floats] = []
    weight = full_cost / max(float(full_cost.sum()), 1e-12)
    varied = [k for k in range(answers.shape[1]) if np.ptp(answers[:, k]) > 0]
    for k in varied:
        target = (answers[:, k] - answers[:, k].min()) / float(np.ptp(answers[:, k]))
        fit = np.linalg.lstsq(
            np.concatenate([basis, 1e-4 * np.eye(basis.shape[1])]),
            np.concatenate([target, np.zeros(basis.shape[1])]),
            rcond=None,
        )[0]
        count = max(_ROUND // len(varied), 2)
        for bound in (np.arange(count) + (turn * 0.381966) % 1.0) / count:
            feasible = np.flatnonzero(target <= bound + 1e-12)
            start = shares[feasible[np.argmin(shares[feasible] @ weight)]] if feasible.size else shares[target.argmin()]
            cheapest = _least_cost(start, weight, quadratic, fit, float(bound), room)
            if np.isfinite(cheapest).all():
                found.append(cheapest)
    return found


def _least_cost(
    start: Floats, weight: Floats, quadratic: "_Quadratic", fit: Floats, bound: float, room: Floats
) -> Floats:
    """Return the shares of least cost whose surrogate is at most a bound and that fit on the ground."""
    from scipy.optimize import minimize  # noqa: PLC0415 - slow to load

    limits: list[Any] = [
        {
            "type": "ineq",
            "fun": lambda x: bound - quadratic.terms(x[None])[0] @ fit,
            "jac": lambda x: -(fit @ quadratic.slopes(x)),
        }
    ]
    if len(room):
        limits.append({"type": "ineq", "fun": lambda x: 1.0 - room @ x, "jac": lambda x: -room})  # noqa: ARG005
    answer: Any = minimize(  # type: ignore[call-overload]
        lambda x: float(x @ weight),
        start,
        jac=lambda x: weight,  # noqa: ARG005
        bounds=[(0.0, 1.0)] * start.size,
        constraints=limits,
        method="SLSQP",
        options={"maxiter": 60, "ftol": 1e-7},
    )
    return np.asarray(answer.x)


@dataclass(frozen=True)
class _Quadratic:
    """A full quadratic: the pairs of variables of its mixed terms."""

    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]

    def terms(self, x: Floats) -> Floats:
        """Return one, each variable and each product, for each row of ``x``."""
        return np.concatenate([np.ones((x.shape[0], 1)), x, x[:, self.first] * x[:, self.second]], axis=1)

    def slopes(self, x: Floats) -> Floats:
        """Return the derivative of each term by each variable at one point."""
        unit = np.eye(x.size)
        products = x[self.first, None] * unit[self.second] + x[self.second, None] * unit[self.first]
        return np.concatenate([np.zeros((1, x.size)), unit, products])


def _designs(
    shares: list[tuple[float, ...]],
    answers: dict[tuple[float, ...], tuple[float, ...]],
    most: Floats,
    price: Floats,
    problems: list[Problem],
) -> Designs:
    """Return the designs in the order of their cost."""
    areas = np.array([_areas(share, most) for share in shares]).reshape(len(shares), most.size)
    values = np.array([answers[share] for share in shares]).reshape(len(shares), len(ANSWERS))
    cost = areas @ price
    order = np.lexsort((*areas.T[::-1], cost)) if len(shares) else np.zeros(0, dtype=np.intp)
    areas, values, cost = areas[order], values[order], cost[order]
    known = ~np.isnan(values).any(axis=0) if len(shares) else np.zeros(len(ANSWERS), dtype=bool)
    front = nondominated(np.column_stack([cost, values[:, known]]))
    return Designs(areas, cost, values, front, tuple(problems))
