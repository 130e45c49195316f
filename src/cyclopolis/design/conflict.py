"""Limits that clash: which ones, and by how much they must give, in the plan's words."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from cyclopolis.design.assemble import Assembly
from cyclopolis.design.explain import free_loop
from cyclopolis.design.pose import Posed
from cyclopolis.design.problem import Solution, SolveOptions
from cyclopolis.design.solve import solve_elastic
from cyclopolis.design.words import (
    Amount,
    commodity_name,
    commodity_unit,
    plant_name,
    quantity_name,
    site_name,
)
from cyclopolis.foundation.problems import Problem, UserError, user_error
from cyclopolis.foundation.text import Message, message
from cyclopolis.network.model import SELL, Floats, Network
from cyclopolis.plan import Plan
from cyclopolis.plan.model import ADOPTED
from cyclopolis.plan.schema import quantities

TELLING = 1e-6
"""Excesses below this share of the bound are rounding, not a clash."""
LOOP_STEPS = 12
"""Most steps of a free loop that are named."""


def explain_clash(posed: Posed) -> UserError:
    """Return what must give so that a design exists.

    The problem is solved again with every limit, market volume and port allowed to give way, for the least sum of
    relative excesses (a port's weighs a hundredfold). The answer is one smallest set of concessions, not the only one.

    Parameters
    ----------
    posed : Posed
        A plan whose limits cannot all hold.

    Returns
    -------
    UserError
        One problem for each limit, market or port that must give way.
    """
    options = SolveOptions(gap=1e-4, time_limit=posed.problem.options.time_limit)
    spending, years = solve_elastic(replace(posed.whole, options=options))
    when = str(posed.year) if len(posed.years) == 1 else f"{posed.years[0]}-{posed.year}"
    if years[0].status in {"infeasible", "no_solution"}:
        return user_error("design.clash_unknown", year=when)
    capital = posed.spending_rows.with_columns(pl.Series("excess", spending, dtype=pl.Float64))
    problems = []
    for number, (year, found) in enumerate(zip(posed.years, years, strict=True)):
        rows = posed.year_rows[number].with_columns(pl.Series("excess", found.excess, dtype=pl.Float64))
        own = capital.filter(pl.col("position") == number).select(rows.columns)
        network = posed.whole.years[number].network
        problems += [*_limits(posed.plan, pl.concat([own, rows]), year)]
        problems += [*_markets(posed.plan, network, found), *_ports(posed.plan, network, found)]
    if not problems:
        return user_error("design.clash_unknown", year=when)
    return UserError([Problem(message("design.clash", year=when), severity="error"), *problems])


def _limits(plan: Plan, rows: pl.DataFrame, year: int) -> Iterator[Problem]:
    for scope, quantity, kind, bound, origin, excess in rows.select(
        "scope", "quantity", "kind", "bound", "origin", "excess"
    ).iter_rows():
        if abs(excess) <= TELLING * max(abs(bound), 1.0):
            continue
        unit = quantities()[quantity].unit
        file, column = _stands(plan, scope, quantity, kind, bound, origin)
        yield Problem(
            message(
                f"design.clash_{kind}",
                scope=site_name(plan, scope),
                quantity=quantity_name(quantity),
                year=year,
                lacking=Amount(value=abs(excess), unit=unit),
                bound=Amount(value=bound, unit=unit),
                needed=Amount(value=bound + excess, unit=unit),
            ),
            file=file,
            column=column,
            value=f"{bound:.10g}",
        )


def _stands(plan: Plan, scope: str | None, quantity: str, kind: str, bound: float, origin: str) -> tuple[str, str]:
    """Return file and column where a limit stands: the limits, the sites' land, or a capacity that was adopted."""
    if origin == "land":
        return "sites.csv", "developable_ha"
    same = pl.col("scope").eq_missing(pl.lit(scope)) & (pl.col("quantity") == quantity) & (pl.col(kind) == bound)
    rows = plan.tables["limits"].filter(same)
    adopted = rows.height > 0 and bool(rows["source"].fill_null("").str.starts_with(ADOPTED).all())
    return ("capacities.csv", "adopt") if adopted else ("limits.csv", kind)


def _markets(plan: Plan, network: Network, found: Solution) -> Iterator[Problem]:
    markets = network.markets
    bounds = np.where(np.isfinite(markets.volume_max), markets.volume_max, markets.volume_min)
    for at in np.flatnonzero(np.abs(found.market_excess) > TELLING * np.maximum(bounds, 1.0)):
        commodity = network.commodity_ids[markets.commodity[at]]
        over = found.market_excess[at] > 0
        selling = markets.direction[at] == SELL
        kind = ("sell_max" if over else "sell_min") if selling else ("buy_max" if over else "buy_min")
        site = network.site_ids[markets.site[at]] if markets.site[at] >= 0 else None
        unit = commodity_unit(plan, commodity)
        yield Problem(
            message(
                f"design.clash_{kind}",
                scope=site_name(plan, site) if site else message("design.outside"),
                commodity=commodity_name(plan, commodity),
                year=network.year,
                lacking=Amount(value=abs(float(found.market_excess[at])), unit=unit),
                bound=Amount(value=float(markets.volume_max[at] if over else markets.volume_min[at]), unit=unit),
            ),
            file="" if markets.implied[at] else "markets.csv",
            column="" if markets.implied[at] else kind,
        )


def _ports(plan: Plan, network: Network, found: Solution) -> Iterator[Problem]:
    ports = network.ports
    amount = np.abs(ports.coefficient) * found.flows.activity[ports.plant]
    for at in np.flatnonzero(np.abs(found.port_excess) > TELLING * np.maximum(amount, 1.0)):
        commodity = network.commodity_ids[ports.commodity[at]]
        yield Problem(
            message(
                "design.clash_output" if ports.coefficient[at] > 0 else "design.clash_input",
                plant=plant_name(plan, network.plant_ids[ports.plant[at]]),
                commodity=commodity_name(plan, commodity),
                year=network.year,
                lacking=Amount(value=abs(float(found.port_excess[at])), unit=commodity_unit(plan, commodity)),
            )
        )


def explain_unbounded(posed: Posed, assembly: Assembly) -> UserError:
    """Return the loop that gains without end, step by step: what is bought, run, handed on and sold in it.

    Parameters
    ----------
    posed : Posed
        A plan whose gain has no upper bound.
    assembly : Assembly
        Of ``posed.whole``.
    """
    loop = free_loop(assembly.program, assembly.goal)
    if loop is None:
        return user_error("design.unbounded")
    steps = [step for number in range(len(posed.years)) for step in _loop_steps(posed, assembly, loop, number)]
    return UserError([Problem(message("design.unbounded"), severity="error"), *steps[:LOOP_STEPS]])


def _loop_steps(posed: Posed, assembly: Assembly, loop: Floats, number: int) -> Iterator[Problem]:
    """Yield what moves in one year of a loop: purchases, plants, exchanges, sales."""
    network, plan, columns = posed.whole.years[number].network, posed.plan, assembly.layout.columns
    ports, trades, arcs, markets = network.ports, network.trades, network.arcs, network.markets
    year, plants = network.year, network.plants

    def moved(family: str) -> tuple[Floats, list[int]]:
        part = loop[columns[family, number]]
        return part, np.flatnonzero(np.abs(part) > TELLING * np.abs(loop).max()).tolist()

    def named(port: int) -> dict[str, Message]:
        commodity = network.commodity_ids[ports.commodity[port]]
        plant = plant_name(plan, network.plant_ids[ports.plant[port]])
        return {"plant": plant, "commodity": commodity_name(plan, commodity)}

    traded = moved("trade")[1]
    for selling in (False, True):
        if selling:
            yield from (
                Problem(message("design.loop_run", year=year, **named(int(plants.main[at]))))
                for at in moved("activity")[1]
            )
            for at in moved("arc")[1]:
                taker = plant_name(plan, network.plant_ids[ports.plant[arcs.taker[at]]])
                yield Problem(message("design.loop_give", year=year, taker=taker, **named(int(arcs.giver[at]))))
        for at in traded:
            market = int(trades.market[at])
            if bool(markets.direction[market] == SELL) != selling:
                continue
            unit = f"CNY/{network.commodities['unit'][int(ports.commodity[trades.port[at]])]}"
            price = Amount(value=float(markets.price[market]), unit=unit)
            key = "design.loop_sell" if selling else "design.loop_buy"
            yield Problem(
                message(key, year=year, price=price, **named(int(trades.port[at]))),
                file="" if markets.implied[market] else "markets.csv",
                column="" if markets.implied[market] else "sell_max" if selling else "buy_max",
            )
