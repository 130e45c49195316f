"""A design's saved tables against the plan on paper: recipes, sizes, volumes, limits and money, without any network.

Where `check_state` trusts the compiled network, this trusts only the plan: its recipes, measurements, markets, plants
and limits, and the tables that a user sees. It works with joins and sums of tables alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from cyclopolis.design.alike import merge_alike
from cyclopolis.design.checker import ROUNDING, Violation
from cyclopolis.design.engine import Design
from cyclopolis.design.lines import LIFETIME_A
from cyclopolis.design.recheck_subsidies import check_subsidies, granted_of, inside, paid_in_year
from cyclopolis.industry import settled_amounts
from cyclopolis.plan import Plan

_MONEY = (
    "sales", "purchases", "disposal", "transport", "operation",
    "capital", "salvage", "subsidies", "capital_subsidies",
)  # fmt: skip
"""Parts of the economy that are no yearly costs beside those of the accounts."""
_PLANT = ("plant", "commodity")
FORMS = {
    "water": ("purchase", "freshwater"),
    "power": ("purchase", "electricity"),
}
"""Limited quantities that are a purchase of one commodity."""
EMITTED = ("so2", "nox", "pm", "voc", "cod", "nh3n")
"""Limited quantities that are the recipes' emission of the commodity of the same name."""


def check_design(plan: Plan, design: Design) -> tuple[Violation, ...]:
    """Return everything in a design's tables that does not hold against the plan.

    Parameters
    ----------
    plan : Plan
        The plan that was designed.
    design : Design
        Its design, computed or loaded.

    Returns
    -------
    tuple of Violation
        Empty when all holds.
    """
    plan, members = merge_alike(plan) if design.facts.get("merged") else (plan, None)
    return (
        *([] if members is None else _members(members, design)),
        *_look(plan, design),
        *(one for year in design.facts["years"] for one in _look(plan, _in_year(plan, design, year))),
        *_lifetimes(design),
        *_shifts(plan, design),
        *_stocks(plan, design),
        *check_subsidies(plan, design),
        *_objective(plan, design),
    )


@dataclass(frozen=True)
class _View:
    """The tables of a design as they are for one year, and the facts that name it."""

    tables: Mapping[str, pl.DataFrame]
    facts: Mapping[str, Any]


def _look(plan: Plan, design: "Design | _View") -> tuple[Violation, ...]:
    """Return what does not hold in the tables of one year."""
    return (
        *_recipes(plan, design),
        *_sizes(plan, design),
        *_volumes(plan, design),
        *_limits(plan, design),
        *_money(plan, design),
    )


def _members(members: pl.DataFrame, design: Design) -> list[Violation]:
    """Add the members of each group up again, and hold each to its own base year and size."""
    spread, groups = design.tables["members"], design.tables["year_plants"].select("year", "plant", total="after")
    sums = spread.group_by("year", "plant").agg(found=pl.col("after").sum())
    both = sums.join(groups, on=["year", "plant"]).with_columns(allowed="total").sort("year", "plant")
    own = spread.join(members.select("member", "least", "most"), on="member").sort("year", "member")
    over = own.with_columns(found="after", allowed="most").filter(_within("found", "allowed").not_())
    under = own.join(groups.filter(pl.col("total") > 0), on=["year", "plant"], how="semi")
    under = under.with_columns(found="least", allowed="after").filter(_within("found", "allowed").not_())
    return [
        *_violations("members", both.filter(_near("found", "allowed").not_()), ("plant",)),
        *_violations("capacity", over, ("member",)),
        *_violations("base activity", under, ("member",)),
    ]


def _in_year(plan: Plan, design: Design, year: int) -> _View:
    """Return the tables of one year under the names of those of the target year."""
    of_year = {
        name: design.tables[f"year_{name}"].filter(pl.col("year") == year).drop("year")
        for name in ("plants", "flows", "accounts", "limits")
    }
    of_year["shifts"] = design.tables["shifts"]
    land = plan.tables["plants"].select("plant", "land_ha", "units")
    standing = of_year["plants"].filter(pl.col("status") != "existing").join(land, on="plant", how="left")
    begun = design.tables["investments"].filter(pl.col("year") <= year)
    capital = begun.group_by("plant").agg(pl.col("capex").sum())
    spent = begun.select("plant", "site").unique().join(capital, on="plant")
    builds = standing.select(
        "plant",
        "site",
        "capacity",
        activity="after",
        land_ha=pl.col("land_ha") * pl.col("units") / pl.col("units_right").fill_null(1),
        capex=pl.lit(None, dtype=pl.Float64),
    )
    only_spent = spent.select(
        "plant",
        "site",
        capacity=pl.lit(0.0),
        activity=pl.lit(0.0),
        land_ha=pl.lit(None, dtype=pl.Float64),
        capex="capex",
    )
    tables = {**of_year, "builds": pl.concat([builds, only_spent])}
    return _View(tables, {**design.facts, "year": year})


def _lifetimes(design: Design) -> list[Violation]:
    """Compare the capacity that stands in each year with what was built and still lasts."""
    found: list[Violation] = []
    built = design.tables["investments"]
    for year in design.facts["years"]:
        lasting = built.filter(
            (pl.col("year") <= year) & ((pl.col("year") == year) | (pl.col("year") + pl.col("lifetime") > year))
        )
        allowed = lasting.group_by("plant").agg(allowed=pl.col("capacity").sum())
        standing = design.tables["year_plants"].filter((pl.col("year") == year) & (pl.col("status") != "existing"))
        both = standing.select("plant", found="capacity").join(allowed, on="plant", how="full", coalesce=True)
        both = both.with_columns(pl.col("found", "allowed").fill_null(0.0)).sort("plant")
        found += _violations("standing", both.filter(_near("found", "allowed").not_()), ("plant",))
    return found


def _shifts(plan: Plan, design: Design) -> list[Violation]:
    """Compare amounts that moved with the plan's own recipes, and add up by mass what moved at each plant."""
    moves = design.tables["shifts"]
    running = design.tables["year_plants"].select("year", "plant", "technology", "after")
    mass = plan.library.commodities.select("commodity", "t_per_unit")
    recipes = plan.library.recipes.select("technology", "commodity", "direction", least="low", most="high")
    rows = (
        moves.join(running, on=["year", "plant"])
        .join(recipes, on=["technology", "commodity", "direction"], how="left")
        .join(mass, on="commodity", how="left")
        .with_columns(
            least=pl.min_horizontal(pl.col("least") * pl.col("after"), "by_recipe"),
            most=pl.max_horizontal(pl.col("most") * pl.col("after"), "by_recipe"),
        )
        .sort("year", "plant", "commodity")
    )
    over = rows.select("year", "plant", "commodity", found="amount", allowed="most")
    under = rows.select("year", "plant", "commodity", found="least", allowed="amount")
    sign = pl.when(pl.col("direction") == "out").then(1.0).otherwise(-1.0)
    tonnes = sign * (pl.col("amount") - pl.col("by_recipe")) * pl.col("t_per_unit")
    sums = rows.group_by("year", "plant").agg(found=tonnes.sum(), size=tonnes.abs().sum(), allowed=pl.lit(0.0))
    lost = sums.filter(pl.col("found").abs() > ROUNDING * pl.max_horizontal("size", 1.0)).sort("year", "plant")
    return [
        *_violations("range", over.filter(_within("found", "allowed").not_()), ("year", "plant", "commodity")),
        *_violations("range", under.filter(_within("found", "allowed").not_()), ("year", "plant", "commodity")),
        *_violations("mass", lost, ("year", "plant")),
    ]


def _stocks(plan: Plan, design: Design) -> list[Violation]:
    """Fill and empty every store of the plan calendar year by calendar year, from the flows into and out of store."""
    years, found = design.facts["years"], []
    ends = [*years[1:], 2 * years[-1] - years[-2]] if len(years) > 1 else [years[0] + 1]
    flows = design.tables["year_flows"].filter(pl.col("kind") == "stock")
    signed = pl.when(pl.col("from_plant").is_null()).then(-pl.col("amount")).otherwise(pl.col("amount"))
    moved = flows.select("year", pl.coalesce("from_plant", "to_plant"), "commodity", signed.alias("signed"))
    net = {row[:3]: row[3] for row in moved.iter_rows()}
    costs = design.tables["stocks"].select("year", "plant", "commodity", "cost_cny")
    stated = {row[:3]: row[3] for row in costs.iter_rows()}
    columns = ("plant", "commodity", "capacity", "cost", "loss_pct")
    for plant, commodity, size, cost, loss in plan.tables["stores"].select(columns).sort(columns).iter_rows():
        level, where = 0.0, (plant, commodity)
        for year, end in zip(years, ends, strict=True):
            amount, levels = net.pop((year, *where), 0.0), []
            for _ in range(year, end):
                level = level * (1 - (loss or 0.0) / 100) + amount
                levels.append(level)
            if not -ROUNDING * max(size, 1.0) <= min(levels) <= max(levels) <= size + ROUNDING * max(size, 1.0):
                found.append(Violation("store", (str(year), *where), max(levels, key=abs), size))
            kept, told = (cost or 0.0) * sum(levels) / len(levels), stated.get((year, *where), 0.0)
            if abs(kept - told) > ROUNDING * max(size * (cost or 0.0), 1.0):
                found.append(Violation("storage", (str(year), *where), told, kept))
        if level > ROUNDING * max(size, 1.0):
            found.append(Violation("store", where, level, 0.0))
    return found + [Violation("store", tuple(map(str, key)), amount, 0.0) for key, amount in sorted(net.items())]


def _objective(plan: Plan, design: Design) -> list[Violation]:
    """Add up the net present value again, calendar year by calendar year, and compare it with the objective.

    Yearly money is that of the accounts, taxes that of the dimensions, capital that of the investments, subsidies
    those of the plan's rows.
    """
    years, parts = design.facts["years"], design.tables["dimensions"].filter(pl.col("dimension") == "economy")
    if len(years) == 1:
        total = float(parts["contribution"].sum())
    else:
        rate, base = plan.meta.discount_rate, plan.meta.base_year
        ends = [*years[1:], 2 * years[-1] - years[-2]]
        total = 0.0
        for year, end in zip(years, ends, strict=True):
            accounts = design.tables["year_accounts"].filter(
                (pl.col("year") == year) & (pl.col("scope_kind") == "place") & (pl.col("quantity") == "gain")
            )
            own = parts.filter((pl.col("year") == year) & pl.col("part").is_in(_MONEY).not_())
            paid_before, paid = paid_in_year(plan, design, year)
            gain = float(accounts["change"].sum()) + paid - paid_before - float((own["after"] - own["before"]).sum())
            total += sum(gain / (1 + rate) ** (calendar - base) for calendar in range(year, end))
        own = design.tables["investments"].select("year", "lifetime", "capex")
        lines = design.tables["lines"].select("year", pl.lit(LIFETIME_A).alias("lifetime"), "capex")
        for year, grant in zip(own["year"], granted_of(plan, design), strict=True):
            total += 1e6 * grant * (1 + rate) ** (base - year)
        for year, lifetime, capex in pl.concat([own, lines]).iter_rows():
            left = min(max((year + lifetime - ends[-1]) / lifetime, 0.0), 1.0)
            total -= 1e6 * capex * ((1 + rate) ** (base - year) - left * (1 + rate) ** (base - ends[-1]))
    stated = float(design.facts["objective"])
    return (
        []
        if abs(total - stated) <= 10 * ROUNDING * max(abs(stated), 1.0)
        else [Violation("objective", ("economy",), stated, total)]
    )


def _violations(kind: str, table: pl.DataFrame, where: tuple[str, ...]) -> list[Violation]:
    """Return rows of what was found and what was allowed as violations."""
    rows = table.select(*where, "found", "allowed").iter_rows()
    return [Violation(kind, tuple(str(name) for name in row[:-2]), row[-2], row[-1]) for row in rows]


def _near(found: str, allowed: str) -> pl.Expr:
    size = pl.max_horizontal(pl.col(found).abs(), pl.col(allowed).abs(), 1.0)
    return (pl.col(found) - pl.col(allowed)).abs() <= ROUNDING * size


def _within(found: str, allowed: str) -> pl.Expr:
    return pl.col(found) <= pl.col(allowed) + ROUNDING * pl.max_horizontal(pl.col(allowed).abs(), 1.0)


def _per_unit(plan: Plan, design: "Design | _View") -> pl.DataFrame:
    """Return plant, commodity, net amount per main unit: the recipe's, or the base year's amount over the activity.

    The base year's amount is the reconciled one where measurements reach, else the measured one.
    """
    plants = design.tables["plants"].select("plant", "technology", "before", "after")
    sign = pl.when(pl.col("direction") == "out").then(1.0).otherwise(-1.0)
    recipes = plan.library.recipes.select("technology", "commodity", net=sign * pl.col("amount"))
    own = plants.join(recipes, on="technology").group_by("plant", "commodity").agg(pl.col("net").sum())
    keys = ["plant", "commodity", "direction"]
    amounts = (
        plan.tables["measurements"]
        .filter((pl.col("year") == plan.meta.base_year) & pl.col("plant").is_not_null())
        .group_by(keys)
        .agg(pl.col("amount").mean())
    )
    reconciled = settled_amounts(plan)
    if reconciled is not None:
        settled = reconciled.filter(pl.col("plant").is_not_null()).select(*keys, "amount")
        amounts = pl.concat([amounts.join(settled, on=keys, how="anti"), settled])
    measured = (
        amounts.join(plants.filter(pl.col("before") > 0), on="plant")
        .group_by("plant", "commodity")
        .agg(measured=(sign * pl.col("amount") / pl.col("before")).sum())
    )
    joined = own.join(measured, on=_PLANT, how="full", coalesce=True)
    return joined.select("plant", "commodity", net=pl.coalesce("measured", "net")).filter(pl.col("net") != 0)


def _ratios(plan: Plan) -> pl.DataFrame:
    """Return how much one unit of a substitute displaces: commodity, technology, as_commodity, ratio."""
    rows = plan.library.substitutions.select("commodity", "technology", "ratio", as_commodity="displaced")
    return rows.unique(["commodity", "technology", "as_commodity"], keep="last", maintain_order=True)


def _recipes(plan: Plan, design: "Design | _View") -> list[Violation]:
    """Compare what flows in and out of each plant with its recipe times its activity."""
    flows, plants = design.tables["flows"], design.tables["plants"]
    technology = plants.select("technology", to_plant="plant")
    out = flows.filter(pl.col("from_plant").is_not_null()).select("commodity", plant="from_plant", moved="amount")
    into = (
        flows.filter(pl.col("to_plant").is_not_null())
        .join(technology, on="to_plant", how="left")
        .join(_ratios(plan), on=["commodity", "technology", "as_commodity"], how="left")
        .select(
            commodity=pl.coalesce("as_commodity", "commodity"),
            plant="to_plant",
            moved=-pl.col("amount") * pl.when(pl.col("as_commodity").is_null()).then(1.0).otherwise(pl.col("ratio")),
        )
    )
    moved = pl.concat([out, into.select("commodity", "plant", "moved")])
    total = moved.group_by("plant", "commodity").agg(found=pl.col("moved").sum())
    wanted = _per_unit(plan, design).join(plants.select("plant", "after"), on="plant")
    moves = design.tables["shifts"].filter(pl.col("year") == design.facts["year"])
    sign = pl.when(pl.col("direction") == "out").then(1.0).otherwise(-1.0)
    extra = moves.select("plant", "commodity", shift=sign * (pl.col("amount") - pl.col("by_recipe")))
    wanted = wanted.join(extra, on=_PLANT, how="left").select(
        "plant", "commodity", allowed=pl.col("net") * pl.col("after") + pl.col("shift").fill_null(0.0)
    )
    both = total.join(wanted, on=_PLANT, how="full", coalesce=True).with_columns(
        pl.col("found", "allowed").fill_null(0.0)
    )
    wrong = both.filter(_near("found", "allowed").not_()).sort("plant", "commodity")
    return _violations("recipe", wrong, _PLANT)


def _sizes(plan: Plan, design: "Design | _View") -> list[Violation]:
    """Compare activity with capacity, and standing plants with their base year."""
    plants, builds = design.tables["plants"], design.tables["builds"]
    gone = (pl.col("retire_year") <= design.facts["year"]).fill_null(value=False)
    own = plan.tables["plants"].select(
        "plant", given="capacity", gone=gone, may_close=pl.col("may_close").fill_null(value=False) | gone
    )
    standing = plants.filter(pl.col("status") == "existing").join(own, on="plant", how="left")
    most = pl.when(pl.col("gone")).then(0.0).otherwise(pl.max_horizontal(pl.col("given").fill_null(0.0), "before"))
    over = standing.select("plant", found="after", allowed=most).filter(_within("found", "allowed").not_())
    under = standing.filter(pl.col("may_close").not_()).select("plant", found="before", allowed="after")
    new = builds.select("plant", found="activity", allowed="capacity")
    return [
        *_violations("capacity", over, ("plant",)),
        *_violations("base activity", under.filter(_within("found", "allowed").not_()), ("plant",)),
        *_violations("capacity", new.filter(_within("found", "allowed").not_()), ("plant",)),
    ]


def _volumes(plan: Plan, design: "Design | _View") -> list[Violation]:
    """Compare all that is traded of a commodity with the sum of what the plan's markets of the year take or give."""
    flows, year = design.tables["flows"], design.facts["year"]
    markets = plan.tables["markets"].filter(pl.col("year").fill_null(0) <= year)
    found = []
    for kind, price, most in (("sale", "sell_price", "sell_max"), ("purchase", "buy_price", "buy_max")):
        rows = markets.filter(pl.col(price).is_not_null())
        room = rows.group_by("commodity").agg(allowed=pl.col(most).sum(), open=pl.col(most).is_null().any())
        traded = flows.filter(pl.col("kind") == kind).group_by("commodity").agg(found=pl.col("amount").sum())
        joined = traded.join(room.filter(pl.col("open").not_()), on="commodity").sort("commodity")
        found += _violations("market", joined.filter(_within("found", "allowed").not_()), ("commodity",))
    return found


def _limits(plan: Plan, design: "Design | _View") -> list[Violation]:
    """Count limited quantities anew from flows, recipes and builds, and compare them with the limits."""
    plants, flows, builds = design.tables["plants"], design.tables["flows"], design.tables["builds"]
    per_unit = _per_unit(plan, design).join(plants.select("plant", "site", "after"), on="plant")
    mass = dict(plan.library.commodities.select("commodity", "t_per_unit").iter_rows())
    found = []
    for scope, quantity, kind, bound in (
        design.tables["limits"].select("scope", "quantity", "kind", "bound").iter_rows()
    ):
        sites = inside(plan, scope)
        if quantity in FORMS:
            sort, commodity = FORMS[quantity]
            rows = flows.filter((pl.col("kind") == sort) & (pl.col("commodity") == commodity))
            value = rows.filter(pl.col("to_site").is_in(sites))["amount"].sum()
        elif quantity in EMITTED:
            rows = per_unit.filter(
                (pl.col("commodity") == quantity) & pl.col("site").is_in(sites) & (pl.col("net") > 0)
            )
            value = float((rows["net"] * rows["after"]).sum()) * (mass.get(quantity) or 0.0)
        elif quantity in {"budget", "land"}:
            column = "capex" if quantity == "budget" else "land_ha"
            value = builds.filter(pl.col("site").is_in(sites))[column].sum()
        else:
            continue
        over, under = value - bound, bound - value
        if (over if kind == "max" else under) > ROUNDING * max(abs(bound), 1.0):
            found.append(Violation("limit", (scope or "", quantity), float(value), float(bound)))
    return found


def _money(plan: Plan, design: "Design | _View") -> list[Violation]:
    """Add up money of flows, transport and operation, and compare it with the gain of the accounts."""
    flows, plants = design.tables["flows"], design.tables["plants"]
    library = plan.library.technologies.select("technology", usual="opex")
    own = plan.tables["plants"].select("plant", "opex")
    costs = plants.join(own, on="plant", how="left").join(library, on="technology", how="left")
    run = (costs["after"] * costs.select(pl.coalesce("opex", "usual").fill_null(0.0)).to_series()).sum()
    money = float(flows["money_cny"].sum()) - float(flows["transport_cny"].sum()) - float(run)
    accounts = design.tables["accounts"].filter((pl.col("scope_kind") == "place") & (pl.col("quantity") == "gain"))
    stated = float(accounts["after"].sum())
    size = float(flows["money_cny"].abs().sum())
    if abs(money - stated) <= ROUNDING * max(size, 1.0):
        return []
    return [Violation("money", ("gain",), stated, money)]
