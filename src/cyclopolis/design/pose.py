"""From a plan to a design problem: candidates that can matter, capital and its worth, limits as rows, year by year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import polars as pl

from cyclopolis.design.capital import (
    capital_builds,
    capital_costs,
    grants,
    line_worth,
    worth_of_capital,
    yearly_costs,
)
from cyclopolis.design.flexible import flexible_ports
from cyclopolis.design.lines import find_lines, without_lines
from cyclopolis.design.money import MILLION, yearly_worth
from cyclopolis.design.problem import DesignProblem, Limit, SolveOptions
from cyclopolis.design.prune import keep_plants, useful_plants
from cyclopolis.design.reach import activity_reach
from cyclopolis.design.stores import read_stores
from cyclopolis.design.words import plant_name
from cyclopolis.design.years import Spending, YearsProblem
from cyclopolis.foundation.problems import Problem, UserError, user_error
from cyclopolis.foundation.text import message
from cyclopolis.industry import settled_amounts
from cyclopolis.network import (
    base_flows,
    compile_network,
    compile_years,
    dimension_forms,
    left_at_ports,
    port_amounts,
    quantities,
)
from cyclopolis.network.model import (
    EXISTING,
    PLANNED,
    Bools,
    Floats,
    Flows,
    Ints,
    LinearForm,
    Network,
    Plants,
    Quantities,
)
from cyclopolis.plan import Plan

MOST_PIECES = 10
"""Most pieces of a capital curve."""
SERVICES = ("building materials", "city", "utilities")
"""Chains that serve all others and do not count as a park's main chain."""
NEVER = -1
"""Position of a needed plant that is not among those chosen from."""
_ROUNDING = 1e-9
_CAPITAL = pl.col("quantity").is_in(["budget", "investment"])


@dataclass(frozen=True)
class DesignOptions:
    """What a user can say about a design.

    Parameters
    ----------
    year : int, optional
        Design for this year alone, with capital as a yearly cost; all years of the plan's horizon together, by their
        net present value, when not given. A horizon of one year is designed for that year alone.
    gap : float
        Relative gap to the proven bound at which the search may end, measured on the gain over the base year.
    time_limit : float
        Seconds after which the best design found so far is returned with its gap.
    pieces : int
        Straight pieces that stand for the capital curve of a plant whose size is free.
    pipes : bool
        Decide on lines (pipes, wires) between two places one by one, with capital of their own, instead of paying them
        off with every unit carried.
    one_chain : bool
        One park, one main chain: the new plants of a park belong to one chain, `SERVICES` and plants that treat a waste
        apart.
    flexible : bool
        Let the amounts of every plant move within its recipe's range, and not of those alone that the plan marks.
    explain : int
        How many binding limits and how many plants that were not chosen are explained by deciding anew; 0 for none.
    """

    year: int | None = None
    gap: float = 1e-3
    time_limit: float = 60.0
    pieces: int = 3
    pipes: bool = False
    one_chain: bool = False
    flexible: bool = False
    explain: int = 3


def posing(asked: object) -> DesignOptions:
    """Return how a plan is posed for a question that takes some of the options of a design and others besides.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> posing(SimpleNamespace(gap=0.01, pipes=True, points=50)) == DesignOptions(gap=0.01, pipes=True)
    True
    """
    return DesignOptions(
        **{entry.name: getattr(asked, entry.name) for entry in fields(DesignOptions) if hasattr(asked, entry.name)}
    )


@dataclass(frozen=True)
class Posed:
    """A plan posed as a problem over the years designed for.

    ``problem`` is the target year (the last one) alone, with capital as a yearly cost and the budget among its limits;
    ``whole`` has all years. ``rows`` has one row per limit, in the order of ``problem.limits``: scope (null: the whole
    plan), quantity, bound kind (min or max), bound, origin (limits or land); ``year_rows`` the same for the limits of
    each year of ``whole``, ``spending_rows`` for its bounds on capital, with the position of their year. ``skipped``
    has the candidates left out and why (plant, commodity, reason). ``spent`` and ``left`` (P, Y) are what 1 CNY of
    capital costs in the objective and what is left of it at the end. ``curve_error`` is the largest error of capital by
    its straight pieces, as a share.
    """

    plan: Plan
    years: tuple[int, ...]
    problem: DesignProblem
    whole: YearsProblem
    forms: tuple[Quantities, ...]
    rows: pl.DataFrame
    year_rows: tuple[pl.DataFrame, ...]
    spending_rows: pl.DataFrame
    skipped: pl.DataFrame
    spent: Floats
    left: Floats
    curve_error: float

    @property
    def network(self) -> Network:
        """The network of the target year, of the plants that are chosen from."""
        return self.problem.network

    @property
    def year(self) -> int:
        """The target year: the last one designed for."""
        return self.years[-1]

    @property
    def by_present_value(self) -> bool:
        """Whether the objective is a net present value (several years) and not a yearly gain (one year)."""
        return len(self.years) > 1


def target_years(plan: Plan, options: DesignOptions) -> tuple[int, ...]:
    """Return the years designed for.

    Raises
    ------
    UserError
        If the plan has no horizon and no year is given, or the year lies before the base year; if gap, time or pieces
        make no sense.
    """
    if not 0 <= options.gap < 1:
        raise user_error("design.bad_gap", gap=options.gap)
    if not options.time_limit > 0:
        raise user_error("design.bad_time", seconds=options.time_limit)
    if not 1 <= options.pieces <= MOST_PIECES:
        raise user_error("design.bad_pieces", pieces=options.pieces, most=MOST_PIECES)
    if options.year is None and not plan.meta.horizon:
        raise user_error("design.no_year")
    years = plan.meta.horizon if options.year is None else (options.year,)
    if years[0] < plan.meta.base_year:
        raise user_error("design.year_before_base", year=years[0], base_year=plan.meta.base_year)
    return years


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


def _spending(network: Network, rows: pl.DataFrame) -> tuple[Spending, ...]:
    """Return the bounds on capital: ``budget`` counts all years up to its own, ``investment`` its own alone."""
    return tuple(
        Spending(
            name=f"{kind} {quantity} {scope or ''}".strip(),
            within=sites_within(network, scope)[network.plants.site],
            year=year,
            total=quantity == "budget",
            lower=bound if kind == "min" else -np.inf,
            upper=bound if kind == "max" else np.inf,
        )
        for scope, quantity, kind, bound, year in rows.select(
            "scope", "quantity", "kind", "bound", "position"
        ).iter_rows()
    )


def _left(network: Network, base: Flows) -> Floats:
    """Return what a base state leaves unplaced or unmet at each port (J,), rounding apart."""
    left = left_at_ports(network, base)
    amount = port_amounts(base.activity, network.ports.plant, network.ports.coefficient)
    return np.where(left > 1e-9 * amount, left, 0.0)


def _open_today(plan: Plan, settled: pl.DataFrame | None) -> Mapping[tuple[str, str], float]:
    """Return what the base year leaves unplaced or unmet under its own markets, by plant and commodity."""
    today = compile_network(plan, settled=settled)
    found = _left(today, base_flows(today))
    ports = today.ports
    return {
        (today.plant_ids[ports.plant[port]], today.commodity_ids[ports.commodity[port]]): float(found[port])
        for port in np.flatnonzero(found)
    }


def _open_ports(network: Network, base: Flows, known: Mapping[tuple[str, str], float]) -> Floats:
    """Return what may stay unplaced or unmet at each port (J,): what the base year already left so.

    What only the markets of a later year no longer take or give does not count: the base year had a place for it.
    """
    left = _left(network, base)
    for port in np.flatnonzero(left):
        key = (network.plant_ids[network.ports.plant[port]], network.commodity_ids[network.ports.commodity[port]])
        left[port] = min(left[port], known.get(key, 0.0))
    return left


@dataclass(frozen=True)
class Alike:
    """What several plans posed side by side share: plants kept in any case, and how far each must be able to reach."""

    reach: Mapping[str, float]


def _within_reach(problems: Sequence[DesignProblem], stored: Ints, alike: Alike | None) -> Plants:
    """Return the plants with those of free size no larger than they can run in some year (or in another plan)."""
    plants = problems[0].network.plants
    reach = np.max(
        [activity_reach(one.network, one.activity_bounds()[1], one.flexible, stored) for one in problems], axis=0
    )
    if alike is not None:
        reach = np.maximum(reach, [alike.reach.get(plant, 0.0) for plant in problems[0].network.plant_ids])
    free = (plants.status != EXISTING) & (plants.capacity_min < plants.capacity)
    size = np.where(free, np.clip(reach, plants.capacity_min, plants.capacity), plants.capacity)
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = plants.capex * (size / plants.capacity) ** plants.scale_exponent
    capex = np.where(free & (size < plants.capacity), scaled, plants.capex)
    return replace(plants, capacity=size, capex=capex)


def _windows(plants: Plants, years: Sequence[int], base_year: int) -> Bools:
    """Return which plants may be built in each year (P, Y): what a year stands for begins after the year before it."""
    begun = np.array([base_year, *years[:-1]])
    year = np.array(years)
    early = plants.build_from[:, None] > year[None, :]
    late = plants.build_until[:, None] <= begun[None, :]
    return np.asarray((plants.status != EXISTING)[:, None] & ~early & ~late, dtype=np.bool_)


def decisions(network: Network, years: Sequence[int], base_year: int) -> tuple[Bools, Bools]:
    """Return what is built in each year in any case, and what is not (P, Y).

    A planned plant outside exclusion groups is built in the first year that its window allows, and anew only when its
    lifetime has passed.
    """
    plants = network.plants
    grouped = np.zeros(plants.status.size, dtype=np.bool_)
    grouped[[plant for group in network.exclusions for plant in group]] = True
    window = _windows(plants, years, base_year)
    planned = (plants.status == PLANNED) & window.any(axis=1) & ~grouped
    first = np.argmax(window, axis=1)
    decided = np.zeros_like(window)
    decided[planned, first[planned]] = True
    begun = np.array(years)[first]
    gone = begun[:, None] + plants.lifetime[:, None] <= np.array(years)[None, :]
    barred = ~window | (planned[:, None] & ~decided & ~gone)
    return decided, barred


@dataclass(frozen=True)
class _Drafts:
    """Networks of all years before the choice of plants is cut down, and what was left out."""

    networks: tuple[Network, ...]
    skipped: pl.DataFrame


def _networks(plan: Plan, years: Sequence[int], settled: pl.DataFrame | None, alike: Alike | None) -> _Drafts:
    """Compile the networks and keep the plants that can matter in any year."""
    whole = compile_years(plan, years, candidates=True, settled=settled)
    allowed, skipped = _buildable(whole[-1], years[-1])
    missed = allowed & ~_windows(whole[-1].plants, years, plan.meta.base_year).any(axis=1)
    passed = [(whole[-1].plant_ids[at], None, "candidate_too_early") for at in np.flatnonzero(missed)]
    skipped = pl.concat([skipped, pl.DataFrame(passed, schema=skipped.schema, orient="row")])
    allowed &= ~missed
    keep = allowed & (whole[-1].plants.status == PLANNED)
    if alike is not None:
        keep = keep | (allowed & np.array([plant in alike.reach for plant in whole[-1].plant_ids], dtype=np.bool_))
    for network in whole:
        begun = allowed & ~(network.plants.build_from > network.year)
        stored = read_stores(plan.tables["stores"], network, years).port
        keep = keep | useful_plants(network, begun, stored)
    return _Drafts(tuple(keep_plants(network, keep) for network in whole), skipped)


def _requirements(plan: Plan, network: Network) -> tuple[tuple[int, int], ...]:
    """Return the pairs (plant, what it needs) by position; `NEVER` for one that cannot stand."""
    place = {name: at for at, name in enumerate(network.plant_ids)}
    rows = plan.tables["requirements"].select("plant", "needs").unique().sort("plant", "needs")
    return tuple((place[plant], place.get(needs, NEVER)) for plant, needs in rows.iter_rows() if plant in place)


def _main_chains(network: Network) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """Return the new plants of each park by chain, where a park could have several."""
    plants = network.plants
    treats = (network.technologies["main_direction"] == "in").fill_null(value=False).to_numpy()[plants.technology]
    chain = network.chain[plants.technology]
    serves = np.array([name in SERVICES for name in (*network.chain_ids, "")])[chain] | (chain < 0)
    bound = np.flatnonzero((plants.status != EXISTING) & ~treats & ~serves)
    park = network.park[plants.site[bound]]
    found = []
    for place in np.unique(park).tolist():
        own = bound[park == place]
        groups = tuple(tuple(own[chain[own] == one].tolist()) for one in np.unique(chain[own]).tolist())
        if len(groups) > 1:
            found.append(groups)
    return tuple(found)


def _may_move(plan: Plan, network: Network, *, every: bool) -> Bools:
    """Return the plants whose amounts may move within their recipes (P,): all, or those that the plan marks."""
    marked = set(plan.tables["plants"].filter(pl.col("flexible"))["plant"])
    return np.array([every or name in marked for name in network.plant_ids], dtype=np.bool_)


def _without_builds(form: LinearForm) -> LinearForm:
    """Return the form without what it counts for builds: the tax that depreciation spares is part of their cost."""
    return replace(form, built=np.zeros_like(form.built), capacity=np.zeros_like(form.capacity))


def _with_lines(whole: YearsProblem, plan: Plan) -> YearsProblem:
    """Return the problem with the lines that its arcs need; their depreciation spares no tax (a simplification)."""
    lines = find_lines(whole.network, plan.library.transport, whole.years[0].base)
    spent, left = line_worth(plan, tuple(year.network.year for year in whole.years))
    return replace(whole, lines=lines, line_cost=MILLION * lines.capital[:, None] * (spent - left)[None, :])


def _refuse_shared_units(plan: Plan) -> None:
    """Refuse exclusion groups with plants of several units: half a plant shuts nobody out."""
    several = plan.tables["plants"].filter(pl.col("units") > 1).select("plant", "units")
    rows = plan.tables["exclusions"].join(several, on="plant").sort("group", "plant")
    if rows.height:
        group, plant, units = rows.select("group", "plant", "units").row(0)
        raise user_error("design.units_excluded", group=group, plant=plant, units=int(units))


def _problems(
    plan: Plan,
    options: DesignOptions,
    networks: Sequence[Network],
    forms: Sequence[Quantities],
    rows: Sequence[pl.DataFrame],
    settled: pl.DataFrame | None,
) -> tuple[DesignProblem, ...]:
    """Return the choice of each year alone: its baseline, gain, decisions and limits; capital as a yearly cost."""
    network, years = networks[-1], [one.year for one in networks]
    decided, barred = decisions(network, years, plan.meta.base_year)
    known = _open_today(plan, settled)
    moving = flexible_ports(network, _may_move(plan, network, every=options.flexible))
    problems = []
    for number, (one, form) in enumerate(zip(networks, forms, strict=True)):
        base = base_flows(one)
        built_cost, capacity_cost = yearly_costs(one, plan.meta.discount_rate)
        problems.append(
            DesignProblem(
                network=one,
                base=base,
                gain=_without_builds(dimension_forms(one).economy),
                built_cost=built_cost,
                capacity_cost=capacity_cost,
                decided=decided[:, number],
                barred=barred[:, number],
                loose_max=_open_ports(one, base, known),
                arc_min=np.zeros(one.arcs.giver.size),
                limits=_limits(one, form, rows[number].filter(~_CAPITAL)),
                flexible=moving,
                options=_solving(options),
            )
        )
    return tuple(problems)


def _solving(options: DesignOptions) -> SolveOptions:
    return SolveOptions(gap=options.gap, time_limit=options.time_limit)


def _whole(
    plan: Plan,
    options: DesignOptions,
    problems: tuple[DesignProblem, ...],
    spending_rows: pl.DataFrame,
    alike: Alike | None,
) -> tuple[YearsProblem, Floats, Floats, float]:
    """Return all years together, what capital costs and leaves (P, Y), and the largest error of its pieces."""
    network, years = problems[-1].network, tuple(one.network.year for one in problems)
    rate, base_year = plan.meta.discount_rate, plan.meta.base_year
    stores = read_stores(plan.tables["stores"], network, years)
    builds, error = capital_builds(_within_reach(problems, stores.port, alike), problems[-1].new, options.pieces)
    nothing = np.zeros((builds.plant.size, len(years)))
    whole = YearsProblem(
        years=problems,
        worth=np.ones(1) if len(years) == 1 else yearly_worth(rate, base_year, years),
        builds=builds,
        built_cost=nothing,
        capacity_cost=nothing,
        requires=_requirements(plan, network),
        choices=_main_chains(network) if options.one_chain else (),
        spending=_spending(network, spending_rows),
        stores=stores,
        options=_solving(options),
    )
    _refuse_excess(plan, whole)
    spent, left = worth_of_capital(rate, base_year, years, network.plants.lifetime)
    built_cost, capacity_cost = capital_costs(whole, spent, left)
    whole = replace(whole, built_cost=built_cost, capacity_cost=capacity_cost)
    return (_with_lines(whole, plan) if options.pipes else whole), spent, left, error


def _refuse_excess(plan: Plan, whole: YearsProblem) -> None:
    """Refuse subsidies that pay more of a plant than it costs: building would gain without running."""
    builds = whole.builds
    capital = builds.fixed + builds.slope * builds.smallest
    share, each = (part[builds.plant] for part in grants(whole))
    paid = share * capital[:, None] + each
    barred = np.stack([year.barred for year in whole.years], axis=1)[builds.plant]
    over = np.argwhere((paid > capital[:, None] * (1 + _ROUNDING)) & ~barred)
    if not over.size:
        return
    way, number = over[0].tolist()
    network = whole.years[number].network
    plant = int(builds.plant[way])
    name, technology = network.plant_ids[plant], network.technology_ids[network.plants.technology[plant]]
    rows = plan.tables["subsidies"].filter(
        pl.col("plant").fill_null(name) == name, pl.col("technology").fill_null(technology) == technology
    )
    said = message(
        "design.subsidy_over",
        plant=plant_name(plan, name),
        year=network.year,
        paid=f"{paid[way, number]:.6g}",
        capital=f"{capital[way]:.6g}",
        rows=", ".join(rows["subsidy"].sort()),
    )
    raise UserError([Problem(said, severity="error", file="subsidies.csv")])


def pose(plan: Plan, options: DesignOptions, alike: Alike | None = None) -> Posed:
    """Pose a plan as a design problem over the years of its horizon, or over one year.

    Parameters
    ----------
    plan : Plan
    options : DesignOptions
    alike : Alike, optional
        What it shares with other plans posed beside it.

    Raises
    ------
    UserError
        If the year, gap, time or pieces make no sense, or if subsidies pay more of a plant than it costs.
    """
    years = target_years(plan, options)
    _refuse_shared_units(plan)
    settled = settled_amounts(plan)
    drafts = _networks(plan, years, settled, alike)
    networks = drafts.networks
    if options.pipes:
        networks = tuple(without_lines(one, plan.library.transport) for one in networks)
    forms = tuple(quantities(one) for one in networks)
    rows = [limit_rows(plan, year) for year in years]
    spending_rows = pl.concat(
        [table.filter(_CAPITAL).with_columns(position=pl.lit(at, pl.Int64)) for at, table in enumerate(rows)]
    )
    problems = _problems(plan, options, networks, forms, rows, settled)
    whole, spent, left, error = _whole(plan, options, problems, spending_rows, alike)
    return Posed(
        plan=plan,
        years=years,
        problem=replace(
            problems[-1],
            gain=dimension_forms(networks[-1]).economy,
            decided=np.any([one.decided for one in problems], axis=0),
            barred=np.all([one.barred for one in problems], axis=0),
            limits=_limits(networks[-1], forms[-1], rows[-1]),
        ),
        whole=whole,
        forms=forms,
        rows=rows[-1],
        year_rows=tuple(table.filter(~_CAPITAL) for table in rows),
        spending_rows=spending_rows,
        skipped=drafts.skipped,
        spent=spent,
        left=left,
        curve_error=error,
    )
