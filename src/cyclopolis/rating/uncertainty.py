"""How sure a grade or a rank is: many draws of weights and of unknown values, streamed so that memory stays small."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DRAWS = 10_000
"""Draws taken when nothing else is asked."""

_BLOCK = 1 << 20
"""Numbers held at a time in each array (8 MB)."""
_BINS = 500
"""Steps of the score between 0 and 1 by which quantiles are counted."""
_PLACES = 2000
"""Places whose steps are counted at a time."""


@dataclass(frozen=True)
class Simulation:
    """What the draws say of each place.

    Parameters
    ----------
    mean, sd : array, shape (N,)
        Of the score.
    low, high : array, shape (N,)
        5th and 95th percentile, to 1/500 of the score's range (interpolated).
    grades : array, shape (N, G + 1)
        Share of draws in each grade, the lowest (below every mark) first.
    rank_mean, rank_sd : array, shape (N,)
        Of the rank, 1 the best.
    first : array, shape (N,)
        Share of draws in which the place is the best.
    stable : array, shape (N,)
        Share of draws in which it keeps the rank that it has at the middle values and given weights.
    """

    mean: Floats
    sd: Floats
    low: Floats
    high: Floats
    grades: Floats
    rank_mean: Floats
    rank_sd: Floats
    first: Floats
    stable: Floats


def draw_weights(weights: npt.ArrayLike, draws: int, spread: float, seed: int) -> Floats:
    """Return drawn weights of sum one around given ones (Dirichlet distribution).

    Parameters
    ----------
    weights : array, shape (K,)
        Means; a zero stays zero.
    draws : int
    spread : float
        About the coefficient of variation of a weight of mean size: the concentration is K / spread^2 - 1. Zero keeps
        the weights as they are.
    seed : int

    Returns
    -------
    array, shape (draws, K)

    Examples
    --------
    >>> draw_weights([0.5, 0.5, 0.0], 4, 0.2, 1).sum(axis=1).round(12).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    means = np.asarray(weights, dtype=np.float64)
    shares = means / means.sum()
    return _drawn(tuple(shares.tolist()), draws, spread, seed)


@lru_cache(maxsize=32)
def _drawn(shares: tuple[float, ...], draws: int, spread: float, seed: int) -> Floats:
    """Draw once for the same weights: several places and states of a framework share them."""
    if spread == 0 or len(shares) == 1:
        found = np.tile(shares, (draws, 1))
    else:
        concentration = max(len(shares) / spread**2 - 1, 1e-6)
        parts = np.random.default_rng(seed).standard_gamma(concentration * np.array(shares), (draws, len(shares)))
        found = np.asarray(parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-300))
    found.flags.writeable = False
    return found


def simulate(
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    weights: npt.ArrayLike,
    marks: npt.ArrayLike = (),
    *,
    draws: int = DRAWS,
    spread: float = 0.2,
    seed: int = 0,
) -> Simulation:
    """Draw weights and values and count scores, grades and ranks.

    The score of a place is the weighted sum of its criteria. A value is uniform between its bounds (equal bounds: it is
    known); weights are drawn around the given ones by `draw_weights`.

    Parameters
    ----------
    low, high : array, shape (N, K)
        Bounds of each criterion's score, from 0 to 1.
    weights : array, shape (K,)
        Zero or more; only their ratios matter.
    marks : array, shape (G,)
        Scores from which each grade is granted, rising.
    draws : int
    spread : float
        Of the weights, see `draw_weights`.
    seed : int

    Returns
    -------
    Simulation

    Raises
    ------
    ValueError
        If a bound is outside 0..1 or the lower lies above the higher.

    Examples
    --------
    >>> found = simulate([[0.9, 0.8], [0.1, 0.0]], [[0.9, 0.8], [0.1, 0.6]], [0.5, 0.5], [0.6], draws=500)
    >>> found.first.tolist(), found.grades[0].tolist()
    ([1.0, 0.0], [0.0, 1.0])
    """
    lower, upper = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    means = np.asarray(weights, dtype=np.float64)
    if not (np.all(lower >= 0) and np.all(upper <= 1) and np.all(lower <= upper)):
        raise ValueError("bounds must lie between 0 and 1, the lower not above the higher")
    shares = means / means.sum()
    counts = _Counts(len(lower), np.asarray(marks, dtype=np.float64), _order(((lower + upper) / 2) @ shares))
    for scores in _scores(lower, upper, draw_weights(shares, draws, spread, seed), seed + 1):
        counts.add(scores)
    return counts.answer()


def _order(scores: Floats) -> Ints:
    """Return ranks from 1 along the last axis; equal scores share the better rank."""
    order = np.argsort(-scores, axis=-1)
    sorted_scores = np.take_along_axis(scores, order, axis=-1)
    numbers = np.broadcast_to(np.arange(scores.shape[-1]), scores.shape).copy()
    numbers[..., 1:][sorted_scores[..., 1:] == sorted_scores[..., :-1]] = 0
    np.maximum.accumulate(numbers, axis=-1, out=numbers)
    ranks = np.empty(scores.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, numbers + 1, axis=-1)
    return ranks


def _scores(lower: Floats, upper: Floats, weights: Floats, seed: int) -> Iterator[Floats]:
    """Yield scores, shape (draws of the block, N); values are drawn only where they are not known."""
    width = upper - lower
    rows, columns = np.nonzero(width)
    spread, (places, starts) = width[rows, columns], np.unique(rows, return_index=True)
    random = np.random.default_rng(seed)
    step = max(1, min(len(weights), _BLOCK // max(len(lower), len(rows), 1)))
    for start in range(0, len(weights), step):
        drawn = weights[start : start + step]
        scores = drawn @ lower.T
        if len(rows):
            parts = random.random((len(drawn), len(rows)))
            parts *= spread
            parts *= drawn[:, columns]
            scores[:, places] += np.add.reduceat(parts, starts, axis=1)
        yield scores


class _Counts:
    """Running sums over the draws."""

    def __init__(self, places: int, marks: Floats, middle: Ints) -> None:
        self.marks, self.middle, self.draws = marks, middle, 0
        self.row = np.arange(places)
        self.sums = np.zeros((4, places))
        self.passed = np.zeros((places, len(marks)))
        self.bins = np.zeros((places, _BINS), dtype=np.uint32)
        self.first, self.stable = np.zeros(places), np.zeros(places)

    def add(self, scores: Floats) -> None:
        """Take in a block of draws, shape (draws, N)."""
        self.draws += len(scores)
        ranks = _order(scores)
        for place, one in enumerate((scores, ranks)):
            self.sums[2 * place] += one.sum(axis=0)
            self.sums[2 * place + 1] += np.square(one).sum(axis=0)
        for grade, mark in enumerate(self.marks):
            self.passed[:, grade] += np.sum(scores >= mark - 1e-12, axis=0)
        for start in range(0, len(self.row), _PLACES):
            part = scores[:, start : start + _PLACES]
            count = part.shape[1]
            flat = np.minimum((part * _BINS).astype(np.int64), _BINS - 1) + np.arange(count) * _BINS
            found = np.bincount(flat.ravel(), minlength=count * _BINS).reshape(count, _BINS)
            self.bins[start : start + _PLACES] += found.astype(np.uint32)
        self.first += np.sum(ranks == 1, axis=0)
        self.stable += np.sum(ranks == self.middle, axis=0)

    def answer(self) -> Simulation:
        count = max(self.draws, 1)
        mean, square, rank, rank_square = self.sums / count
        return Simulation(
            mean,
            np.sqrt(np.maximum(square - mean**2, 0.0)),
            self.quantile(0.05),
            self.quantile(0.95),
            self.grades() / count,
            rank,
            np.sqrt(np.maximum(rank_square - rank**2, 0.0)),
            self.first / count,
            self.stable / count,
        )

    def grades(self) -> Floats:
        """Return draws by grade: what passes a mark and not the next."""
        ends = np.concatenate([np.full((len(self.row), 1), self.draws), self.passed, np.zeros((len(self.row), 1))], 1)
        return np.asarray(ends[:, :-1] - ends[:, 1:])

    def quantile(self, share: float) -> Floats:
        """Return a quantile of each place by its counts, straight within a step."""
        wanted = share * self.draws
        found = np.empty(len(self.row))
        for start in range(0, len(self.row), _PLACES):
            bins = self.bins[start : start + _PLACES]
            row, reached = np.arange(len(bins)), np.cumsum(bins, axis=1)
            place = np.sum(reached < wanted, axis=1)
            inside = bins[row, place]
            before = reached[row, place] - inside
            found[start : start + _PLACES] = (place + (wanted - before) / np.maximum(inside, 1)) / _BINS
        return found
