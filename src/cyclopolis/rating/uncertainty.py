"""How sure a grade or a rank is: many draws of weights and of unknown values, streamed so that memory stays small."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DRAWS = 10_000
"""Draws taken when nothing else is asked."""

_BLOCK = 1 << 23
"""Numbers held at a time (64 MB)."""
_BINS = 500
"""Steps of the score between 0 and 1 by which quantiles are counted."""


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


def draw_weights(weights: npt.ArrayLike, draws: int, concentration: float, seed: int) -> Floats:
    """Return drawn weights of sum one around given ones (Dirichlet distribution).

    Parameters
    ----------
    weights : array, shape (K,)
        Means; a zero stays zero.
    draws : int
    concentration : float
        Larger is closer: the coefficient of variation of weight w is sqrt((1 - w) / (w (c + 1))).
    seed : int

    Returns
    -------
    array, shape (draws, K)

    Examples
    --------
    >>> draw_weights([0.5, 0.5, 0.0], 4, 50.0, 1).sum(axis=1).round(12).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    means = np.asarray(weights, dtype=np.float64)
    parts = np.random.default_rng(seed).standard_gamma(concentration * means / means.sum(), (draws, len(means)))
    return np.asarray(parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-300))


def simulate(
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    weights: npt.ArrayLike,
    marks: npt.ArrayLike = (),
    *,
    draws: int = DRAWS,
    concentration: float = 50.0,
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
    concentration : float
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
    for scores in _scores(lower, upper, draw_weights(shares, draws, concentration, seed), seed + 1):
        for line in scores:
            counts.add(line)
    return counts.answer()


def _order(scores: Floats) -> Ints:
    """Return ranks from 1, equal scores in the order of their rows."""
    ranks = np.empty(len(scores), dtype=np.int64)
    ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return ranks


def _scores(lower: Floats, upper: Floats, weights: Floats, seed: int) -> Iterator[Floats]:
    """Yield scores, shape (draws of the block, N); values are drawn only where they are not known."""
    width = upper - lower
    open_rows, open_columns = np.nonzero(width)
    spread, base = width[open_rows, open_columns], lower
    random = np.random.default_rng(seed)
    step = max(1, min(len(weights), _BLOCK // max(len(lower), 1)))
    for start in range(0, len(weights), step):
        drawn = weights[start : start + step]
        scores = drawn @ base.T
        if len(spread):
            for place, own in enumerate(drawn):
                parts = random.random(len(spread)) * spread * own[open_columns]
                scores[place] += np.bincount(open_rows, weights=parts, minlength=len(lower))
        yield scores


class _Counts:
    """Running sums over the draws."""

    def __init__(self, places: int, marks: Floats, middle: Ints) -> None:
        self.marks, self.middle, self.draws = marks, middle, 0
        self.row = np.arange(places)
        self.sums = np.zeros((4, places))
        self.grades = np.zeros((places, len(marks) + 1))
        self.bins = np.zeros((places, _BINS), dtype=np.uint32)
        self.first, self.stable = np.zeros(places), np.zeros(places)

    def add(self, scores: Floats) -> None:
        self.draws += 1
        ranks = _order(scores)
        for place, one in enumerate((scores, ranks)):
            self.sums[2 * place] += one
            self.sums[2 * place + 1] += np.square(one)
        self.grades[self.row, np.searchsorted(self.marks, scores + 1e-12, side="right")] += 1
        self.bins[self.row, np.minimum((scores * _BINS).astype(np.int64), _BINS - 1)] += 1
        self.first += ranks == 1
        self.stable += ranks == self.middle

    def answer(self) -> Simulation:
        count = max(self.draws, 1)
        mean, square, rank, rank_square = self.sums / count
        return Simulation(
            mean,
            np.sqrt(np.maximum(square - mean**2, 0.0)),
            self.quantile(0.05),
            self.quantile(0.95),
            self.grades / count,
            rank,
            np.sqrt(np.maximum(rank_square - rank**2, 0.0)),
            self.first / count,
            self.stable / count,
        )

    def quantile(self, share: float) -> Floats:
        wanted = share * self.draws
        found = np.empty(len(self.row))
        for place, bins in enumerate(self.bins):
            reached = np.cumsum(bins)
            bin_of = int(np.searchsorted(reached, wanted))
            before = reached[bin_of] - bins[bin_of]
            found[place] = (bin_of + (wanted - before) / max(int(bins[bin_of]), 1)) / _BINS
        return found
