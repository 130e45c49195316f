"""Balance: what flows in the base year, by rule, and what it adds up to.

What was measured is first reconciled with itself, the recipes and what the plan states (`plan_reconcile`), unless the
options say that measurements are taken as they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import polars as pl

from cyclopolis.foundation.columns import empty_table
from cyclopolis.foundation.result import Figure, Line, Result
from cyclopolis.foundation.text import Language, catalogue, message
from cyclopolis.industry.metabolism.accounts import PLACE, accounts_table
from cyclopolis.industry.metabolism.circularity_table import circularity_table
from cyclopolis.industry.metabolism.detailed import details_table, movements, scopes
from cyclopolis.industry.metabolism.emissions import fuel_factors
from cyclopolis.industry.metabolism.figures import balance_figures
from cyclopolis.industry.metabolism.figures_tables import picture_tables, residuals_table
from cyclopolis.industry.metabolism.flow_tables import flows_table, ports_table, prices_table, unplaced
from cyclopolis.industry.metabolism.plan_reconcile import PlanReconciled, measurements_after, reconcile_plan
from cyclopolis.industry.metabolism.plan_reconcile_shares import read_shares
from cyclopolis.industry.metabolism.plan_reconcile_tables import TABLES, reconcile_tables
from cyclopolis.industry.metabolism.plan_reconcile_words import reconcile_lines
from cyclopolis.industry.metabolism.plan_stocks import stocks_table, with_commodities, with_stock_change
from cyclopolis.industry.metabolism.spread import doubts, linear_spread_table, spread
from cyclopolis.industry.metabolism.substances import TABLES as SUBSTANCE_TABLES
from cyclopolis.industry.metabolism.substances import substance_tables
from cyclopolis.network import Flows, Network, base_flows, compile_network, quantities, unknown_terms
from cyclopolis.network.model import PROVENANCE
from cyclopolis.network.names import pick
from cyclopolis.plan import Plan

SUMMARY: Final = (
    "mass_in",
    "mass_out",
    "unaccounted",
    "water",
    "power",
    "energy",
    "co2",
    "co2_power",
    "solid_waste",
    "waste_reused",
    "landfill",
    "sales",
    "purchases",
    "gain",
    "jobs",
)
"""Quantities of the whole place that the summary shows."""
_NAMES: Final = {"kind": pl.String, "item": pl.String, "name": pl.String, "name_zh": pl.String}
_MEASURED: Final = PROVENANCE.index("measured")
_STATUS: Final = ("existing", "planned", "candidate")


@dataclass(frozen=True)
class Balance(Result):
    """The base year's flows, ports, accounts, and what is not known; tables as in ``columns.csv`` beside this file."""

    engine: ClassVar[str] = "balance"
    columns_package: ClassVar[str] = "cyclopolis.industry.metabolism"

    def summary(self) -> tuple[Line, ...]:
        """Return mass, water, energy, CO2, waste, money and jobs of the whole place, and how much is not known."""
        rows = self.tables["accounts"].filter(pl.col("scope_kind") == PLACE)
        found = {name: (value, unit) for name, value, unit in rows.select("quantity", "value", "unit").iter_rows()}
        plants = self.tables["plants"].filter(pl.col("status") == "existing").height
        lines = [Line(message("balance.plants"), float(plants), "1")]
        lines += [Line(message(f"balance.{name}"), *found[name]) for name in SUMMARY if name in found]
        lost = self.tables["flows"].filter(pl.col("kind") == "unplaced").height
        lines.append(Line(message("balance.unplaced"), float(lost), "1"))
        lines.append(Line(message("balance.unknowns"), float(self.tables["unknowns"].height), "1"))
        return (*lines, *reconcile_lines(self.tables))

    def figures(self, language: Language) -> Mapping[str, Figure]:
        """Return flows by chain, by site and by commodity as Sankey diagrams."""
        return balance_figures(self.tables, language)


@dataclass(frozen=True)
class BalanceOptions:
    """What a balance also computes.

    Parameters
    ----------
    draws : int
        Draws of the Monte Carlo of the accounts; 0: linear propagation only.
    seed : int
        Seed of the draws.
    reconcile : bool
        Whether measurements are reconciled with each other, with the recipes and with what the plan states; else
        they are taken as they are. Without measurements it makes no difference.
    covariance : bool
        Whether the table ``reconciled_covariance`` is filled: the covariance of each pair of reconciled measurements.
    """

    draws: int = 0
    seed: int = 0
    reconcile: bool = True
    covariance: bool = False


def balance(plan: Plan, options: BalanceOptions | None = None) -> Balance:
    """Balance the base year of a plan.

    Amounts are recipe x activity, measurements on top. Outputs go to existing exchanges, then to inputs of the same
    enterprise at one place, then to the best market with room, then their lawful way out; unmet inputs are bought at
    the cheapest market with room. What remains is shown as unplaced.

    Parameters
    ----------
    plan : Plan
    options : BalanceOptions, optional

    Returns
    -------
    Balance

    Examples
    --------
    >>> import cyclopolis
    >>> result = cyclopolis.balance(cyclopolis.read_plan(cyclopolis.example("quickstart")))
    >>> result.engine
    'balance'
    """
    asked = options or BalanceOptions()
    found = reconcile_plan(plan) if asked.reconcile else None
    network = compile_network(plan, settled=None if found is None else found.settled)
    flows = base_flows(network, None if found is None else found.stored())
    tables = _tables(plan, network, flows, found, asked)
    shaped = {
        name: table.select(column.name for column in Balance.columns()[name])
        if table.width
        else empty_table(Balance.columns()[name])
        for name, table in tables.items()
    }
    facts: dict[str, Any] = {"year": network.year, "plants": len(network.plant_ids), "ports": network.ports.plant.size}
    if asked.draws:
        facts |= {"draws": asked.draws, "seed": asked.seed}
    return Balance(shaped, facts, dict(plan.inputs))


def _tables(
    plan: Plan, network: Network, flows: Flows, found: PlanReconciled | None, asked: BalanceOptions
) -> dict[str, pl.DataFrame]:
    """Return the tables of a balance before their columns are put in order."""
    measurements = plan.tables["measurements"] if found is None else measurements_after(found)
    spreads = [linear_spread_table(network, flows, measurements)]
    if asked.draws:
        spreads.append(spread(network, flows, measurements, asked.draws, asked.seed))
    rows = flows_table(network, flows)
    members = scopes(network, flows)
    moves = movements(rows, members)
    details = details_table(network, flows, rows, plan.library.emission_factors)
    accounts = accounts_table(network, flows)
    stocks = stocks_table(plan)
    goods = with_commodities(network.commodities, stocks, plan.library.commodities)
    lost = [read_shares(network, flows, plan.tables["shares"]).lost, *([] if found is None else [found.whole.lost])]
    reconciled = (
        dict.fromkeys((*TABLES, *SUBSTANCE_TABLES), pl.DataFrame())
        if found is None
        else reconcile_tables(found, network, joint=asked.covariance) | substance_tables(found, moves)
    )
    return {
        "flows": rows,
        "ports": ports_table(network, flows),
        "accounts": accounts,
        "residuals": residuals_table(accounts, spreads[0]),
        **picture_tables(network, flows, rows, doubts(network, flows, measurements), plan.tables["sites"]),
        "account_spread": pl.concat(spreads),
        "details": with_stock_change(details, stocks, network, plan.library.commodities, moves),
        "stocks": stocks,
        "circularity": circularity_table(rows, details, members, network.commodities),
        "unknowns": pl.concat([_unknowns(network, flows), *lost]),
        "prices": prices_table(network, flows),
        "fuel_co2": fuel_co2_table(network, flows, plan.library.emission_factors),
        "names": names_table(plan, network),
        "plants": plants_table(network),
        "commodities": goods.with_columns(
            name=pl.coalesce("name", "name_zh", "commodity"), name_zh=pl.coalesce("name_zh", "name", "commodity")
        ),
        **reconciled,
    }


def _unknowns(network: Network, flows: Flows) -> pl.DataFrame:
    """Return what counts as absent and what has no source, no way out or does not fit: plant, commodity, reason."""
    ports, arcs = network.ports, network.arcs
    left = unplaced(network, flows)
    lost = np.flatnonzero(left > 0)
    output = ports.coefficient[lost] > 0
    stated = np.isfinite(arcs.exchange)
    short = np.flatnonzero(stated & (flows.arc < np.where(stated, arcs.exchange, 0.0) * (1 - 1e-9)))
    extra = pl.DataFrame(
        {
            "plant": pl.concat([pick(network.plant_ids, ports.plant[at]) for at in (lost, arcs.giver[short])]),
            "commodity": pl.concat(
                [pick(network.commodity_ids, ports.commodity[at]) for at in (lost, arcs.giver[short])]
            ),
            "reason": pl.Series(
                [*np.where(output, "no_way_out", "no_source").tolist(), *["exchange_too_large"] * short.size],
                dtype=pl.String,
            ),
        }
    )
    rows = pl.concat([unknown_terms(network), extra]).unique()
    return rows.sort("reason", "plant", "commodity", nulls_last=True)


def fuel_co2_table(network: Network, flows: Flows, emission_factors: pl.DataFrame) -> pl.DataFrame:
    """Return official CO2 of the fuels that each plant takes in, as if all of it burnt, beside the CO2 of its recipe.

    A cross-check, no account: what a coking plant takes in mostly leaves as coke. Only fuels whose unit is that of the
    official value are shown.
    """
    ports = network.ports
    run = np.nan_to_num(flows.activity)[ports.plant]
    own = quantities(network)["co2"]
    recipe = own.activity * np.nan_to_num(flows.activity)
    factors = (
        fuel_factors(emission_factors).select("commodity", "unit", factor="t_co2_per_unit").drop_nulls("commodity")
    )
    inputs = pl.DataFrame(
        {
            "plant": pick(network.plant_ids, ports.plant),
            "commodity": pick(network.commodity_ids, ports.commodity),
            "amount": np.where(ports.coefficient < 0, -ports.coefficient * run, 0.0),
            "unit": network.commodities["unit"].gather(ports.commodity),
            "recipe_co2_t": recipe[ports.plant],
        }
    ).filter(pl.col("amount") > 0)
    found = inputs.join(factors, on=["commodity", "unit"]).with_columns(co2_t=pl.col("amount") * pl.col("factor"))
    return found.sort("plant", "commodity")


def plants_table(network: Network) -> pl.DataFrame:
    """Return the plants with place, owner, technology, chain and activity in the year."""
    plants = network.plants
    technologies = network.technologies
    main = technologies["main_commodity"].gather(plants.technology)
    units = dict(zip(network.commodity_ids, network.commodities["unit"].to_list(), strict=True))
    return pl.DataFrame(
        {
            "plant": pl.Series(network.plant_ids, dtype=pl.String),
            "site": pick(network.site_ids, plants.site),
            "enterprise": pick(network.enterprise_ids, plants.enterprise),
            "technology": pick(network.technology_ids, plants.technology),
            "chain": pick(network.chain_ids, network.chain[plants.technology]),
            "status": pick(_STATUS, plants.status),
            "main_commodity": main,
            "capacity": plants.capacity,
            "activity": plants.activity,
            "unit": pl.Series([units.get(name, "") for name in main.to_list()], dtype=pl.String),
            "provenance": pick(
                PROVENANCE, np.where(network.ports.provenance[plants.main] == _MEASURED, _MEASURED, plants.provenance)
            ),
        }
    ).with_columns(pl.col("capacity", "activity").fill_nan(None))


def chain_names(chain: str) -> tuple[str | None, str | None]:
    """Return the English and Chinese name of a chain of the library, null for a chain of the user's own.

    Examples
    --------
    >>> chain_names("chlor-alkali")
    ('Chlor-alkali', '氯碱')
    """
    texts = catalogue().get(f"chain.{re.sub('[^a-z0-9]+', '_', chain.lower())}")
    return (texts["en"], texts["zh"]) if texts else (None, None)


def names_table(plan: Plan, network: Network) -> pl.DataFrame:
    """Return the names of sites, enterprises, plants and chains in both languages."""
    parts = [
        plan.tables[table].select(
            pl.lit(kind).alias("kind"), pl.col(kind).alias("item"), pl.col("name"), pl.col("name_zh")
        )
        for table, kind in (("sites", "site"), ("enterprises", "enterprise"), ("plants", "plant"))
    ]
    parts.append(
        pl.DataFrame([("chain", name, *chain_names(name)) for name in network.chain_ids], _NAMES, orient="row")
    )
    english = pl.coalesce("name", "name_zh", "item")
    table = pl.concat(parts).with_columns(name=english, name_zh=pl.coalesce("name_zh", "name", "item"))
    return table.sort("kind", "item")
