"""A design over years as tables: what is built when, what flows, what it is worth, which limits bind, year by year."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from cyclopolis.design.capital import granted, line_worth, yearly_costs
from cyclopolis.design.flexible import recipe_room
from cyclopolis.design.lines import no_lines
from cyclopolis.design.money import MILLION, spans
from cyclopolis.design.pose import Posed
from cyclopolis.design.words import plant_name
from cyclopolis.design.years import YearsSolution
from cyclopolis.foundation.text import say
from cyclopolis.industry.metabolism.accounts import accounts_table
from cyclopolis.industry.metabolism.flow_tables import flows_table
from cyclopolis.network import dimension_forms, subsidies_of
from cyclopolis.network.model import EXISTING, Flows, Network
from cyclopolis.network.names import pick
from cyclopolis.plan.schema import quantities

BINDING = 1e-4
"""A limit binds when its slack is below this share of its bound."""
CHARGED = {"environment": "CNY", "society": "1"}
"""Units in which the contributions of the other dimensions add up."""
_STATUS = ("existing", "planned", "candidate")


@dataclass(frozen=True)
class YearState:
    """One year of a design: its network with the capital really spent on what stands, and its state."""

    year: int
    network: Network
    base: Flows
    after: Flows


def year_states(posed: Posed, found: YearsSolution) -> tuple[YearState, ...]:
    """Return the years of a design; in their networks the capital of what stands is what the design spends on it.

    So are the subsidies of that capital, each at what was paid when it was built.
    """
    builds, states = posed.whole.builds, []
    paid = granted(posed.whole, found.built, found.capacity)
    for number, (part, after) in enumerate(zip(posed.whole.years, found.flows, strict=True)):
        capital, grant = np.zeros(after.built.size), np.zeros(after.built.size)
        for built in range(number + 1):
            stands = posed.whole.stands(built, number)[builds.plant]
            spent = builds.fixed * found.built[:, built] + builds.slope * found.capacity[:, built]
            np.add.at(capital, builds.plant[stands], spent[stands])
            np.add.at(grant, builds.plant[stands], paid[stands, built])
        plants = part.network.plants
        there = after.built > 0
        per_plant = np.where(there, capital / np.where(there, after.built, 1.0) * plants.units, plants.capex_fixed)
        settled = replace(plants, capex_fixed=per_plant, capex_slope=np.where(there, 0.0, plants.capex_slope))
        network = replace(part.network, plants=settled)
        if grant.any() or network.subsidies is not None:
            each = np.where(there, grant / np.where(there, after.built, 1.0), 0.0)
            own = replace(subsidies_of(network), share=np.zeros_like(each), per_built=each)
            network = replace(network, subsidies=own)
        states.append(YearState(posed.years[number], network, part.base, after))
    return tuple(states)


def investments_table(posed: Posed, found: YearsSolution) -> pl.DataFrame:
    """Return what is built in each year, its capital, what subsidies pay of it, and what is left at the end."""
    network, builds = posed.network, posed.whole.builds
    plants = network.plants
    paid = granted(posed.whole, found.built, found.capacity)
    rows = []
    for year in range(len(posed.years)):
        for plant in np.unique(builds.plant[found.built[:, year] > 0]).tolist():
            ways = np.flatnonzero((builds.plant == plant) & (found.built[:, year] > 0))
            units, size = float(found.built[ways, year].sum()), float(found.capacity[ways, year].sum())
            capital = builds.fixed[ways] * found.built[ways, year] + builds.slope[ways] * found.capacity[ways, year]
            rows.append((year, plant, units, size, float(capital.sum()), float(paid[ways, year].sum())))
    when, at = (np.array([row[column] for row in rows], dtype=np.int64) for column in (0, 1))
    number, sizes, spent = (np.array([row[column] for row in rows], dtype=np.float64) for column in (2, 3, 4))
    names = [plant_name(posed.plan, network.plant_ids[plant]).names for plant in at]
    main = network.ports.commodity[np.maximum(plants.main[at], 0)]
    table = pl.DataFrame(
        {
            "year": pl.Series(np.array(posed.years, dtype=np.int64)[when], dtype=pl.Int64),
            "plant": pick(network.plant_ids, at),
            "name": pl.Series([name[0] for name in names], dtype=pl.String),
            "name_zh": pl.Series([name[1] for name in names], dtype=pl.String),
            "site": pick(network.site_ids, plants.site[at]),
            "technology": pick(network.technology_ids, plants.technology[at]),
            "status": pick(_STATUS, plants.status[at]),
            "units": number,
            "capacity": sizes,
            "unit": network.commodities["unit"].gather(main),
            "lifetime": plants.lifetime[at],
            "capex": spent,
            "subsidy": np.array([row[5] for row in rows], dtype=np.float64),
            "cost": MILLION * spent * posed.spent[at, when],
            "salvage": MILLION * spent * posed.left[at, when],
        }
    )
    return table.sort("year", "capex", "plant", descending=[False, True, False])


def lines_table(posed: Posed, found: YearsSolution) -> pl.DataFrame:
    """Return the lines that are built, with their capital and what is left of it when the horizon ends."""
    network = posed.network
    lines = no_lines(network) if posed.whole.lines is None else posed.whole.lines
    at, year = np.nonzero(found.lines > 0)
    spent, left = line_worth(posed.plan, posed.years)
    capital = lines.capital[at]
    table = pl.DataFrame(
        {
            "year": pl.Series(np.array(posed.years, dtype=np.int64)[year], dtype=pl.Int64),
            "from_site": pick(network.site_ids, lines.from_site[at]),
            "to_site": pick(network.site_ids, lines.to_site[at]),
            "commodity": pick(network.commodity_ids, lines.commodity[at]),
            "mode": pick(network.mode_ids, lines.mode[at]),
            "distance_km": lines.distance[at],
            "capex": capital,
            "cost": MILLION * capital * spent[year],
            "salvage": MILLION * capital * left[year],
        }
    )
    return table.sort("year", "from_site", "to_site", "commodity")


def shifts_table(posed: Posed, states: Sequence[YearState]) -> pl.DataFrame:
    """Return the amounts that moved within their range, every year: by recipe, in the design, and both ends."""
    network = posed.network
    ports, parts = network.ports, []
    for state in states:
        shift = np.zeros(ports.plant.size) if state.after.shift is None else state.after.shift
        at = np.flatnonzero(shift)
        activity, usual = state.after.activity[ports.plant[at]], np.abs(ports.coefficient[at])
        more, less = recipe_room(network, at)
        table = pl.DataFrame(
            {
                "year": np.full(at.size, state.year, dtype=np.int64),
                "plant": pick(network.plant_ids, ports.plant[at]),
                "commodity": pick(network.commodity_ids, ports.commodity[at]),
                "direction": pick(("in", "out"), (ports.coefficient[at] > 0).astype(np.int64)),
                "by_recipe": usual * activity,
                "amount": usual * activity + shift[at],
                "low": (usual - less) * activity,
                "high": (usual + more) * activity,
                "unit": network.commodities["unit"].gather(ports.commodity[at]),
            }
        )
        parts.append(table)
    return pl.concat(parts)


def stocks_table(posed: Posed, states: Sequence[YearState]) -> pl.DataFrame:
    """Return what goes into and out of each store in every year of the horizon, what it then holds, and its cost."""
    network, stores = posed.network, posed.whole.kept
    held, parts = np.zeros(stores.port.size), []
    for number, state in enumerate(states):
        stock = np.zeros(network.ports.plant.size) if state.after.stock is None else state.after.stock
        net = stock[stores.port]
        (left, put), (start, mean) = stores.carried(number), stores.mean(number)
        average = start * held + mean * net
        held = left * held + put * net
        table = pl.DataFrame(
            {
                "year": np.full(net.size, state.year, dtype=np.int64),
                "plant": pick(network.plant_ids, network.ports.plant[stores.port]),
                "commodity": pick(network.commodity_ids, network.ports.commodity[stores.port]),
                "stored": net,
                "stock": np.maximum(held, 0.0),
                "capacity": stores.capacity,
                "cost_cny": stores.cost * average,
                "unit": network.commodities["unit"].gather(network.ports.commodity[stores.port]),
            }
        )
        parts.append(table)
    return pl.concat(parts)


def year_plants_table(states: Sequence[YearState]) -> pl.DataFrame:
    """Return how every plant that stands runs in every year."""
    parts = []
    for state in states:
        network, plants = state.network, state.network.plants
        main = network.ports.commodity[np.maximum(plants.main, 0)]
        table = pl.DataFrame(
            {
                "year": np.full(plants.status.size, state.year, dtype=np.int64),
                "plant": network.plant_ids,
                "site": pick(network.site_ids, plants.site),
                "technology": pick(network.technology_ids, plants.technology),
                "status": pick(_STATUS, plants.status),
                "units": state.after.built,
                "capacity": pl.Series(np.where(plants.status == EXISTING, plants.capacity, state.after.capacity)),
                "before": state.base.activity,
                "after": state.after.activity,
                "unit": network.commodities["unit"].gather(main),
            },
            schema_overrides={"plant": pl.String},
        )
        shown = (plants.status == EXISTING) | (state.after.built > 0)
        parts.append(table.with_columns(pl.col("capacity").fill_nan(None)).filter(pl.Series(shown, dtype=pl.Boolean)))
    return pl.concat(parts)


def year_flows_table(states: Sequence[YearState]) -> pl.DataFrame:
    """Return the flows of every year."""
    return pl.concat(
        [
            flows_table(state.network, state.after, base=False).select(
                pl.lit(state.year, pl.Int64).alias("year"), pl.all()
            )
            for state in states
        ]
    )


def year_accounts_table(states: Sequence[YearState]) -> pl.DataFrame:
    """Return the accounts of the whole place and of every site in every year, before and after."""
    keys = ["scope_kind", "scope", "quantity", "unit"]
    parts = []
    for state in states:
        before = accounts_table(state.network, state.base).select(*keys, before="value")
        after = accounts_table(state.network, state.after).rename({"value": "after"})
        joined = after.join(before, on=keys, how="left", maintain_order="left")
        parts.append(
            joined.filter(pl.col("scope_kind").is_in(["place", "site"])).select(
                pl.lit(state.year, pl.Int64).alias("year"),
                *("scope_kind", "scope", "quantity", "before", "after"),
                change=pl.col("after") - pl.col("before"),
                unit="unit",
                missing="missing",
            )
        )
    return pl.concat(parts)


def year_limits_table(posed: Posed, found: YearsSolution, states: Sequence[YearState]) -> pl.DataFrame:
    """Return every limit of every year: what it counts before and after, its slack, and whether it binds."""
    parts = []
    for number, state in enumerate(states):
        part = posed.whole.years[number]
        before, after = (
            [float(limit.form.by_plant(part.network, flows)[limit.within].sum()) for limit in part.limits]
            for flows in (state.base, state.after)
        )
        parts.append(_counted(posed.year_rows[number], state.year, before, after))
        spent = [_spent(posed, found, at) for at, bound in enumerate(posed.whole.spending) if bound.year == number]
        own = posed.spending_rows.filter(pl.col("position") == number).drop("position")
        parts.append(_counted(own, state.year, [0.0] * len(spent), spent))
    sign = pl.when(pl.col("kind") == "max").then(1.0).otherwise(-1.0)
    units = {name: quantity.unit for name, quantity in quantities().items()}
    table = pl.concat(parts).with_columns(slack=sign * (pl.col("bound") - pl.col("after")))
    return table.select(
        "year",
        "scope",
        "quantity",
        "kind",
        "bound",
        "before",
        "after",
        "slack",
        binding=(pl.col("slack") <= BINDING * pl.col("bound").abs()) & (pl.col("after") != 0),
        unit=pl.col("quantity").replace_strict(units, return_dtype=pl.String),
        origin="origin",
    ).sort("year", "origin", "scope", "quantity", "kind", "bound", nulls_last=True)


def _counted(rows: pl.DataFrame, year: int, before: list[float], after: list[float]) -> pl.DataFrame:
    return rows.select(
        pl.lit(year, pl.Int64).alias("year"), "scope", "quantity", "kind", "bound", "origin"
    ).with_columns(pl.Series("before", before, dtype=pl.Float64), pl.Series("after", after, dtype=pl.Float64))


def _spent(posed: Posed, found: YearsSolution, number: int) -> float:
    """Return the capital that a bound counts, million CNY."""
    bound, builds = posed.whole.spending[number], posed.whole.builds
    ways = bound.within[builds.plant]
    years = slice(0 if bound.total else bound.year, bound.year + 1)
    capital = builds.fixed[:, None] * found.built + builds.slope[:, None] * found.capacity
    lines = posed.whole.lines
    along = (
        0.0 if lines is None else float((lines.capital[:, None] * found.lines)[bound.within[lines.plant], years].sum())
    )
    return float(capital[ways, years].sum()) + along


def dimensions_table(posed: Posed, found: YearsSolution, states: Sequence[YearState]) -> pl.DataFrame:
    """Return the parts of each dimension in every year, and what the change of each brings to the dimension's total.

    Of the economy, yearly parts count at the worth of their year, capital at the discount of the year in which it is
    spent, salvage at that of the end; together they are the objective. Parts of the other two count once for every
    year that a year of the horizon stands for.
    """
    investments, stocks = investments_table(posed, found), stocks_table(posed, states)
    money = "CNY" if posed.by_present_value else "CNY/a"
    rows: list[tuple[object, ...]] = []
    for state, worth, span in zip(states, posed.whole.worth.tolist(), spans(posed.years), strict=True):
        for part in dimension_forms(state.network).parts:
            before, after = part.form.value(state.base), part.form.value(state.after)
            economy = part.dimension == "economy"
            share = part.weight * (worth if economy else span) * (after - before)
            unit = money if economy else CHARGED[part.dimension]
            names = (part.names["en"], part.names["zh"])
            rows.append(
                (state.year, part.dimension, part.name, *names, before, after, part.unit, share, unit, part.provenance)
            )
        columns = ("year", "capex", "cost", "salvage")
        both = pl.concat([investments.select(columns), lines_table(posed, found).select(columns)])
        own = both.filter(pl.col("year") == state.year)
        kept = float(stocks.filter(pl.col("year") == state.year)["cost_cny"].sum())
        lines = [("storage", kept, -worth * kept)] if posed.whole.kept.port.size else []
        lines += [("capital", MILLION * float(own["capex"].sum()), -float(own["cost"].sum()))]
        grant = investments.filter((pl.col("year") == state.year) & (pl.col("subsidy") > 0))
        if grant.height:
            share = float((grant["cost"] * grant["subsidy"] / grant["capex"]).sum())
            lines.append(("capital_subsidies", MILLION * float(grant["subsidy"].sum()), share))
        if posed.by_present_value:
            salvage = float(own["salvage"].sum())
            lines.append(("salvage", salvage, salvage))
        for name, after, share in lines:
            names = (say(f"design.part_{name}", "en"), say(f"design.part_{name}", "zh"))
            rows.append((state.year, "economy", name, *names, 0.0, after, "CNY", share, money, "computed"))
    text, number = pl.String, pl.Float64
    schema = {
        "year": pl.Int64, "dimension": text, "part": text, "name": text, "name_zh": text, "before": number,
        "after": number, "unit": text, "contribution": number, "contribution_unit": text, "provenance": text,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def year_tables(posed: Posed, found: YearsSolution, states: Sequence[YearState]) -> dict[str, pl.DataFrame]:
    """Return the tables over years of a design."""
    return {
        "investments": investments_table(posed, found),
        "lines": lines_table(posed, found),
        "stocks": stocks_table(posed, states),
        "shifts": shifts_table(posed, states),
        "year_plants": year_plants_table(states),
        "year_flows": year_flows_table(states),
        "year_accounts": year_accounts_table(states),
        "year_limits": year_limits_table(posed, found, states),
        "dimensions": dimensions_table(posed, found, states),
    }


def at_target(posed: Posed, state: YearState) -> Posed:
    """Return the plan as posed with the target year's capital as the design spends it."""
    problem, network = posed.problem, state.network
    built_cost, capacity_cost = yearly_costs(network, posed.plan.meta.discount_rate)
    settled = replace(problem.network, plants=network.plants, subsidies=network.subsidies)
    return replace(posed, problem=replace(problem, network=settled, built_cost=built_cost, capacity_cost=capacity_cost))
