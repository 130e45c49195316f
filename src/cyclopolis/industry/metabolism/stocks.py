"""Stocks of things that live some years: what enters, what stands, what leaves.

Every year's entry is a cohort; the share of a cohort that still stands at the end of a later year is the survival
function of its lifetime. Flows are per year; a stock is what stands at the end of a year's period; nothing stands
before the first. A year's period runs from halfway to the year before to halfway to the year after, so that years need
not be evenly spaced. When in its period a cohort enters must be said: at its start, middle or end, or spread over it
(a whole number n: n Gauss-Legendre points).
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from cyclopolis.foundation.problems import user_error

Floats = NDArray[np.float64]
LifetimeKind = Literal["fixed", "normal", "folded_normal", "log_normal", "weibull"]
Entry = Literal["start", "middle", "end"] | int

MOMENTS = {"start": 0.0, "middle": 0.5, "end": 1.0}
MOST_POINTS = 30
NEGLIGIBLE = 1e-12


@dataclass(frozen=True)
class Lifetime:
    """How long things stand.

    Parameters
    ----------
    kind : {"fixed", "normal", "folded_normal", "log_normal", "weibull"}
        Distribution. ``folded_normal`` takes the mean and standard deviation before folding; ``log_normal`` those of
        the lifetime itself.
    mean, sd : float or array
        Years; for all but ``weibull`` (``fixed`` needs the mean alone). One value, one per product, or one per cohort
        and product, (t, p).
    shape, scale : float or array
        For ``weibull``: shape, and scale in years.
    """

    kind: LifetimeKind
    mean: float | Floats | None = None
    sd: float | Floats | None = None
    shape: float | Floats | None = None
    scale: float | Floats | None = None

    def parameters(self) -> tuple[Floats, ...]:
        """Return the parameters the kind needs, checked.

        Raises
        ------
        UserError
            For an unknown kind, or a parameter that is missing or not above 0 (a fixed lifetime may be 0).
        """
        if self.kind not in get_args(LifetimeKind):
            raise user_error("metabolism.lifetime_unknown", kind=self.kind, choices=", ".join(get_args(LifetimeKind)))
        names = {"fixed": ("mean",), "weibull": ("shape", "scale")}.get(self.kind, ("mean", "sd"))
        found = []
        for name in names:
            given = getattr(self, name)
            value = np.asarray(np.nan if given is None else given, dtype=float)
            if not (np.isfinite(value) & ((value > 0) | ((value == 0) & (self.kind == "fixed")))).all():
                shown = "—" if given is None else float(np.min(value))
                raise user_error("metabolism.lifetime_positive", kind=self.kind, parameter=name, value=shown)
            found.append(value)
        return tuple(found)


@dataclass(frozen=True)
class StockModel:
    """Inflow, stock and outflow of some products over some years.

    Parameters
    ----------
    years : (t,) array
    inflow, outflow : (t,) or (t, p) arrays
        Per year.
    stock : (t,) or (t, p) array
        At the end of each year's period.
    shrink : (t,) or (t, p) array
        What every older cohort was multiplied by in that year so that a falling stock needed no negative inflow; 1
        where nothing was.
    """

    years: Floats
    inflow: Floats
    outflow: Floats
    stock: Floats
    shrink: Floats


def survival(lifetime: Lifetime, ages: Floats) -> Floats:
    """Return the share still standing at some ages.

    Parameters
    ----------
    lifetime : Lifetime
    ages : array, years
        Must broadcast against the parameters.

    Returns
    -------
    array

    Examples
    --------
    >>> survival(Lifetime("normal", mean=5.0, sd=1.5), np.array([0.0, 5.0])).round(8).tolist()
    [0.99957094, 0.5]
    >>> survival(Lifetime("weibull", shape=1.0, scale=2.0), np.array([2.0])).round(6).tolist()
    [0.367879]
    """
    given = lifetime.parameters()
    if lifetime.kind == "fixed":
        return (ages < given[0]).astype(float)
    if lifetime.kind == "weibull":
        shape, scale = given
        return np.asarray(np.exp(-((np.maximum(ages, 0.0) / scale) ** shape)))
    mean, sd = given
    if lifetime.kind == "normal":
        return np.asarray(ndtr((mean - ages) / sd))
    if lifetime.kind == "folded_normal":
        age = np.maximum(ages, 0.0)
        return np.asarray(ndtr((mean - age) / sd) + np.exp(log_ndtr(-(mean + age) / sd)))
    spread = np.log1p((sd / mean) ** 2)
    with np.errstate(divide="ignore"):
        height = np.log(np.maximum(ages, 0.0) / mean)
    return np.asarray(ndtr(-(height + spread / 2) / np.sqrt(spread)))


def entry_points(entry: Entry) -> tuple[Floats, Floats]:
    """Return the moments in its period at which a cohort enters (0 start, 1 end), and the share of each.

    Raises
    ------
    UserError
        For an unknown moment, or fewer than 1 or more than 30 points.

    Examples
    --------
    >>> [part.round(4).tolist() for part in entry_points(2)]
    [[0.2113, 0.7887], [0.5, 0.5]]
    """
    if isinstance(entry, str) and entry in MOMENTS:
        return np.array([MOMENTS[entry]]), np.ones(1)
    if isinstance(entry, int) and not isinstance(entry, bool) and 1 <= entry <= MOST_POINTS:
        points, weights = np.polynomial.legendre.leggauss(entry)
        return (points + 1) / 2, weights / 2
    raise user_error("metabolism.entry_unknown", entry=entry)


def period_bounds(years: Floats) -> Floats:
    """Return the bounds of the years' periods, halfway between neighbours.

    Parameters
    ----------
    years : (t,) array
        Rising; a single year stands for one year.

    Returns
    -------
    (t + 1,) array

    Raises
    ------
    UserError
        If the years do not rise.

    Examples
    --------
    >>> period_bounds(np.array([2020.0, 2021.0, 2025.0])).tolist()
    [2019.5, 2020.5, 2023.0, 2027.0]
    """
    years = np.asarray(years, dtype=float)
    gaps = np.diff(years)
    if (~(gaps > 0)).any():
        spot = int(np.flatnonzero(~(gaps > 0))[0])
        raise user_error("metabolism.years_not_rising", before=f"{years[spot]:g}", year=f"{years[spot + 1]:g}")
    if not gaps.size:
        return np.array([years[0] - 0.5, years[0] + 0.5])
    middles = years[:-1] + gaps / 2
    return np.concatenate([[years[0] - gaps[0] / 2], middles, [years[-1] + gaps[-1] / 2]])


def survival_by_age(lifetime: Lifetime, step: float, count: int, entry: Entry) -> Floats:
    """Return the survival of a cohort at the end of each period, when all periods are equal.

    Parameters
    ----------
    lifetime : Lifetime
        The same for all cohorts.
    step : float, years
        Length of a period.
    count : int
        Number of periods.
    entry : {"start", "middle", "end"} or int

    Returns
    -------
    (count, p) array
        Row k: k periods after the cohort's own.

    Examples
    --------
    >>> survival_by_age(Lifetime("fixed", mean=2.0), 1.0, 4, "end").ravel().tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    points, weights = entry_points(entry)
    ages = (np.arange(1, count + 1)[:, None] - points) * step
    return np.asarray(np.tensordot(survival(lifetime, ages[:, :, None]), weights, axes=([1], [0])))


def survival_table(lifetime: Lifetime, years: Floats, entry: Entry) -> Floats:
    """Return the survival of every cohort at the end of every year's period.

    Parameters
    ----------
    lifetime : Lifetime
    years : (t,) array
    entry : {"start", "middle", "end"} or int

    Returns
    -------
    (t, t, p) array
        ``[year, cohort, product]``; 0 before the cohort's own year.

    Examples
    --------
    >>> survival_table(Lifetime("fixed", mean=2.0), np.arange(3.0), "end")[:, :, 0].tolist()
    [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]
    """
    bounds = period_bounds(years)
    points, weights = entry_points(entry)
    length = np.diff(bounds)
    year, cohort = np.tril_indices(length.size)
    varied = any(part.ndim == 2 for part in lifetime.parameters())
    if varied:
        rows = {
            name: value if np.ndim(value) < 2 else np.asarray(value)[cohort]
            for name, value in (
                ("mean", lifetime.mean),
                ("sd", lifetime.sd),
                ("shape", lifetime.shape),
                ("scale", lifetime.scale),
            )
            if value is not None
        }
        lifetime = Lifetime(lifetime.kind, **rows)
    share = sum(
        weight * survival(lifetime, (bounds[year + 1] - bounds[cohort] - point * length[cohort])[:, None])
        for point, weight in zip(points.tolist(), weights.tolist(), strict=True)
    )
    table = np.zeros((length.size, length.size, np.shape(share)[1]))
    table[year, cohort] = share
    return table


def _is_even(years: Floats, lifetime: Lifetime) -> bool:
    """Say whether one survival curve holds for all cohorts."""
    gaps = np.diff(np.asarray(years, dtype=float))
    even = gaps.size == 0 or bool(np.allclose(gaps, gaps[0], rtol=1e-12, atol=0))
    return even and all(part.ndim < 2 for part in lifetime.parameters())


def _columns(values: Floats, years: Floats) -> Floats:
    """Return values as (t, p), checked against the years."""
    values = np.asarray(values, dtype=float)
    if values.shape[0] != len(years):
        raise user_error("metabolism.stock_shape", given=values.shape[0], years=len(years))
    return values[:, None] if values.ndim == 1 else values


def _model(years: Floats, inflow: Floats, stock: Floats, shrink: Floats, flat: bool) -> StockModel:
    """Close the balance: what entered and does not stand has left."""
    length = np.diff(period_bounds(years))[:, None]
    outflow = inflow - np.diff(stock, axis=0, prepend=np.zeros((1, stock.shape[1]))) / length
    parts = (part[:, 0] if flat else part for part in (inflow, outflow, stock, shrink))
    return StockModel(np.asarray(years, dtype=float), *parts)


def inflow_driven(years: Floats, inflow: Floats, lifetime: Lifetime, entry: Entry) -> StockModel:
    """Return stock and outflow that follow from the inflow.

    Parameters
    ----------
    years : (t,) array
    inflow : (t,) or (t, p) array
        Per year.
    lifetime : Lifetime
    entry : {"start", "middle", "end"} or int
        When in its period a cohort enters; a whole number n spreads it over n Gauss-Legendre points.

    Returns
    -------
    StockModel

    Raises
    ------
    UserError
        For years that do not rise, a wrong number of values, or an impossible lifetime.

    Notes
    -----
    Equal steps and one lifetime for all cohorts: the stock is the convolution of inflow and survival, summed
    directly (a transform would leave noise where nothing stands), all products at once; otherwise one product of the
    survival table with the inflow.

    Examples
    --------
    >>> inflow_driven(np.arange(4.0), np.ones(4), Lifetime("fixed", mean=2.0), "end").stock.round(9).tolist()
    [1.0, 2.0, 2.0, 2.0]
    """
    entered = _columns(inflow, years)
    length = np.diff(period_bounds(years))
    amounts = entered * length[:, None]
    if _is_even(years, lifetime):
        curve = survival_by_age(lifetime, float(length[0]), length.size, entry)
        stock = np.array([np.einsum("cp,cp->p", curve[year::-1], amounts[: year + 1]) for year in range(length.size)])
    else:
        stock = np.einsum("tcp,cp->tp", survival_table(lifetime, years, entry), amounts)
    stock = np.ascontiguousarray(np.broadcast_to(stock, entered.shape))
    return _model(years, entered, stock, np.ones_like(stock), np.ndim(inflow) == 1)


def stock_driven(
    years: Floats, stock: Floats, lifetime: Lifetime, entry: Entry, *, never_negative: bool = False
) -> StockModel:
    """Return the inflow that holds a stock, and the outflow.

    Parameters
    ----------
    years : (t,) array
    stock : (t,) or (t, p) array
        At the end of each year's period.
    lifetime : Lifetime
    entry : {"start", "middle", "end"} or int
    never_negative : bool
        When the stock falls faster than its cohorts die, let nothing enter and shrink all older cohorts by one factor,
        for that and all later years; otherwise the inflow becomes negative.

    Returns
    -------
    StockModel

    Raises
    ------
    UserError
        As `inflow_driven`; and if nothing of a cohort stands at the end of its own period.

    Notes
    -----
    Forward substitution in the triangular survival table, for all products at once. The correction is that of the
    Open Dynamic Material Systems Model (Pauliuk and Heeren 2020, Journal of Industrial Ecology 24, 446-458).

    Examples
    --------
    >>> stock_driven(np.arange(3.0), np.array([1.0, 3.0, 6.0]), Lifetime("fixed", mean=5.0), "end").inflow.tolist()
    [1.0, 2.0, 3.0]
    """
    wanted = _columns(stock, years)
    length = np.diff(period_bounds(years))
    even = _is_even(years, lifetime)
    table = (
        survival_by_age(lifetime, float(length[0]), length.size, entry)
        if even
        else survival_table(lifetime, years, entry)
    )
    width = max(wanted.shape[1], table.shape[-1])
    table = np.broadcast_to(table, (*table.shape[:-1], width))
    wanted = np.broadcast_to(wanted, (wanted.shape[0], width))
    amounts, shrink = _substitute(years, wanted, table, even, never_negative)
    return _model(years, amounts / length[:, None], wanted, shrink, np.ndim(stock) == 1 and width == 1)


def _substitute(
    years: Floats, wanted: Floats, table: Floats, even: bool, never_negative: bool
) -> tuple[Floats, Floats]:
    """Return the amounts entering in each period, and what older cohorts were multiplied by."""
    amounts, shrink = np.zeros(wanted.shape), np.ones(wanted.shape)
    alive = np.zeros(wanted.shape)
    for year in range(wanted.shape[0]):
        old = alive[:year]
        shares = table[year:0:-1] if even else table[year, :year]
        standing = np.einsum("cp,cp->p", shares, old)
        gap = wanted[year] - standing
        if never_negative:
            falling = gap < -NEGLIGIBLE * np.maximum(standing, 1.0)
            if falling.any():
                shrink[year] = np.where(falling, wanted[year] / np.where(falling, standing, 1.0), 1.0)
                old *= shrink[year]
            gap = np.where(gap < 0, 0.0, gap)
        own = table[0] if even else table[year, year]
        if ((own <= 0) & (np.abs(gap) > NEGLIGIBLE * np.maximum(np.abs(wanted[year]), 1.0))).any():
            raise user_error("metabolism.stock_no_survivor", year=f"{float(years[year]):g}")
        amounts[year] = alive[year] = np.where(own > 0, gap / np.where(own > 0, own, 1.0), 0.0)
    return amounts, shrink


def stock_by_cohort(model: StockModel, lifetime: Lifetime, entry: Entry) -> Floats:
    """Return what stands of every cohort at the end of every year's period.

    Parameters
    ----------
    model : StockModel
    lifetime : Lifetime
    entry : {"start", "middle", "end"} or int
        The two the model was made with.

    Returns
    -------
    (t, t, p) array
        ``[year, cohort, product]``; its sum over cohorts is the stock.

    Examples
    --------
    >>> life = Lifetime("fixed", mean=2.0)
    >>> model = inflow_driven(np.arange(3.0), np.array([1.0, 2.0, 3.0]), life, "end")
    >>> stock_by_cohort(model, life, "end")[:, :, 0].tolist()
    [[1.0, 0.0, 0.0], [1.0, 2.0, 0.0], [0.0, 2.0, 3.0]]
    """
    inflow = _columns(model.inflow, model.years)
    shrink = _columns(model.shrink, model.years)
    standing = survival_table(lifetime, model.years, entry) * (inflow * np.diff(period_bounds(model.years))[:, None])
    for cohort in range(inflow.shape[0] - 1):
        standing[cohort + 1 :, cohort] *= np.cumprod(shrink[cohort + 1 :], axis=0)
    return np.asarray(standing)
