"""From a plan to a design problem: candidates that can matter, capital as annual cost, limits as rows."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from cyclopolis.design.problem import DesignProblem, Limit, SolveOptions
from cyclopolis.design.prune import keep_plants, useful_plants
from cyclopolis.foundation.problems import user_error
from cyclopolis.industry import settled_amounts
from cyclopolis.network import base_flows, compile_network, left_at_ports, port_amounts, quantities
from cyclopolis.network.model import EXISTING, PLANNED, Bools, Floats, Flows, Network, Quantities
from cyclopolis.plan import Plan

MILLION = 1e6


@dataclass(frozen=True)
class DesignOptions:
    """What a user can say about a design.

    Parameters
    ----------
    year : int, optional
        Target year; the last of the plan's horizon when not given.
    gap : float
        Relative gap to the proven bound at which the search may end, measured on the gain over the base year.
    time_limit : float
        Seconds after which the best design found so far is returned with its gap.
    """

    year: int | None = None
    gap: float = 1e-3
    time_limit: float = 60.0


@dataclass(frozen=True)
class Posed:
    """A plan posed as a problem.

    ``rows`` has one row per limit, in the order of ``problem.limits``: scope (null: the whole plan), quantity, bound
    kind (min or max), bound, unit, origin (limits or land). ``skipped`` has the candidates left out and why
    (plant, commodity, reason).
    """

    plan: Plan
    year: int
    problem: DesignProblem
    forms: Quantities
    rows: pl.DataFrame
    skipped: pl.DataFrame

    @property
    def network(self) -> Network:
        """The network of the plants that are chosen from."""
        return self.problem.network


def target_year(plan: Plan, options: DesignOptions) -> int:
    """Return the year designed for.

    Raises
    ------
    UserError
        If the plan has no horizon and no year is given, or the year lies before the base year; if gap or time make no
        sense.
    """
    if not 0 <= options.gap < 1:
        raise user_error("design.bad_gap", gap=options.gap)
    if not options.time_limit > 0:
        raise user_error("design.bad_time", seconds=options.time_limit)
    if options.year is None and not plan.meta.horizon:
        raise user_error("design.no_year")
    year = plan.meta.horizon[-1] if options.year is None else options.year
    if year < plan.meta.base_year:
        raise user_error("design.year_before_base", year=year, base_year=plan.meta.base_year)
    return year


def recovery_factor(rate: float, years: Floats) -> Floats:
    """Return the capital recovery factor, the yearly share that pays a capital off with interest.

    Parameters
    ----------
    rate : float
        Discount rate as a share; 0 spreads the capital evenly.
    years : ndarray
        Lifetimes (P,), a.

    Examples
    --------
    >>> recovery_factor(0.06, np.array([20.0])).round(6).tolist(), recovery_factor(0.0, np.array([20.0])).tolist()
    ([0.087185], [0.05])
    """
    if rate == 0:
        return 1.0 / years
    growth = (1.0 + rate) ** years
    return np.asarray(rate * growth / (growth - 1.0), dtype=np.float64)


def sites_within(network: Network, scope: str | None) -> Bools:
    """Return the sites inside a place, itself included (S,); all for no place."""
    if scope is None:
        return np.ones(len(network.site_ids), dtype=np.bool_)
    inside = np.array([name == scope for name in network.site_ids], dtype=np.bool_)
    while True:
        more = inside | ((network.parent >= 0) & inside[network.parent])
        if (more == inside).all():
            return inside
        inside = more


def _buildable(network: Network, year: int) -> tuple[Bools, pl.DataFrame]:
    """Return the new plants that may be built by the year (P,), and the others with the reason."""
    plants = network.plants
    new = plants.status != EXISTING
    reasons = {
        "too_late": plants.build_from > year,
        "capacity": ~(plants.capacity > 0),
        "capex": np.isnan(plants.capex_fixed),
        "opex": np.isnan(plants.opex),
    }
    allowed, rows = new.copy(), []
    for reason, bad in reasons.items():
        rows += [(network.plant_ids[at], None, f"candidate_{reason}") for at in np.flatnonzero(allowed & bad)]
        allowed &= ~bad
    schema = {"plant": pl.String, "commodity": pl.String, "reason": pl.String}
    return allowed, pl.DataFrame(rows, schema=schema, orient="row")


def limit_rows(plan: Plan, year: int) -> pl.DataFrame:
    """Return the bounds that hold in a year, one row each: scope, quantity, kind (min, max), bound, origin.

    Of the rows of one scope and quantity the newest that has begun holds. Free land of a site bounds the land of what
    is built there.
    """
    limits = (
        plan.tables["limits"]
        .with_columns(start=pl.col("year").fill_null(-1))
        .filter(pl.col("start") <= year)
        .filter(pl.col("start") == pl.col("start").max().over("scope", "quantity"))
    )
    parts = [
        limits.filter(pl.col(kind).is_not_null()).select(
            "scope", "quantity", kind=pl.lit(kind), bound=pl.col(kind), origin=pl.lit("limits")
        )
        for kind in ("min", "max")
    ]
    land = plan.tables["sites"].filter(pl.col("developable_ha").is_not_null())
    parts.append(
        land.select(
            scope="site",
            quantity=pl.lit("land"),
            kind=pl.lit("max"),
            bound=pl.col("developable_ha"),
            origin=pl.lit("land"),
        )
    )
    return pl.concat(parts).unique().sort("origin", "scope", "quantity", "kind", "bound", nulls_last=True)


def _limits(network: Network, forms: Quantities, rows: pl.DataFrame) -> tuple[Limit, ...]:
    limits = []
    for scope, quantity, kind, bound in rows.select("scope", "quantity", "kind", "bound").iter_rows():
        within = sites_within(network, scope)[network.plants.site]
        limits.append(
            Limit(
                name=f"{kind} {quantity} {scope or ''}".strip(),
                form=forms[quantity],
                within=within,
                lower=bound if kind == "min" else -np.inf,
                upper=bound if kind == "max" else np.inf,
            )
        )
    return tuple(limits)


def _left(network: Network, base: Flows) -> Floats:
    """Return what a base state leaves unplaced or unmet at each port (J,), rounding apart."""
    left = left_at_ports(network, base)
    amount = port_amounts(base.activity, network.ports.plant, network.ports.coefficient)
    return np.where(left > 1e-9 * amount, left, 0.0)


def _left_today(plan: Plan, network: Network, base: Flows, settled: pl.DataFrame | None) -> Floats:
    """Return what the base year leaves unplaced or unmet at each port (J,).

    What only the markets of the target year no longer take or give does not count: the base year had a place for it.
    """
    left = _left(network, base)
    if network.year == plan.meta.base_year or not left.any():
        return left
    today = compile_network(plan, settled=settled)
    names = (today.plant_ids, today.commodity_ids)
    found = _left(today, base_flows(today))
    known = {
        (names[0][today.ports.plant[port]], names[1][today.ports.commodity[port]]): found[port]
        for port in np.flatnonzero(found)
    }
    for port in np.flatnonzero(left):
        key = (network.plant_ids[network.ports.plant[port]], network.commodity_ids[network.ports.commodity[port]])
        left[port] = min(left[port], known.get(key, 0.0))
    return left


def pose(plan: Plan, options: DesignOptions) -> Posed:
    """Pose a plan as a design problem for one year.

    Raises
    ------
    UserError
        If the year, gap or time make no sense.
    """
    year = target_year(plan, options)
    settled = settled_amounts(plan)
    whole = compile_network(plan, year, candidates=True, settled=settled)
    allowed, skipped = _buildable(whole, year)
    planned = allowed & (whole.plants.status == PLANNED)
    network = keep_plants(whole, useful_plants(whole, allowed) | planned)
    plants, forms = network.plants, quantities(network)
    grouped = np.zeros(plants.status.size, dtype=np.bool_)
    grouped[[plant for group in network.exclusions for plant in group]] = True
    base = base_flows(network)
    yearly = MILLION * recovery_factor(plan.meta.discount_rate, plants.lifetime)
    new = plants.status != EXISTING
    rows = limit_rows(plan, year)
    problem = DesignProblem(
        network=network,
        base=base,
        gain=forms["gain"],
        built_cost=np.where(new, yearly * np.nan_to_num(plants.capex_fixed), 0.0),
        capacity_cost=np.where(new, yearly * np.nan_to_num(plants.capex_slope), 0.0),
        decided=(plants.status == PLANNED) & ~grouped,
        barred=np.zeros(grouped.size, dtype=np.bool_),
        loose_max=_left_today(plan, network, base, settled),
        arc_min=np.zeros(network.arcs.giver.size),
        limits=_limits(network, forms, rows),
        options=SolveOptions(gap=options.gap, time_limit=options.time_limit),
    )
    return Posed(plan, year, problem, forms, rows, skipped)
