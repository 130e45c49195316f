"""Accounts: every quantity of every plant, summed over sites with what they hold, chains, enterprises, place."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from cyclopolis.network import MONEY, Flows, Network, port_amounts, quantities
from cyclopolis.network.model import EXISTING, Bools, Floats, Ints
from cyclopolis.network.names import pick
from cyclopolis.network.places import ancestry
from cyclopolis.network.quantities import heat_content
from cyclopolis.network.units import quantity_units

THROUGHPUT = {
    "mass_in": "t/a",
    "mass_out": "t/a",
    "unaccounted": "t/a",
    "water_in": "m3/a",
    "water_out": "m3/a",
    "energy_in": "GJ/a",
    "energy_out": "GJ/a",
}
"""What goes into plants and comes out of them, with units; ``unaccounted`` is mass in less mass out."""
PLACE = "place"
"""Scope of the whole plan."""


def throughput(activity: Floats, plant: Ints, coefficient: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return what goes into each plant and what comes out of it (P,), each port counted by its weight.

    Parameters
    ----------
    activity : (P,) float
        Main units per year.
    plant, coefficient, weight : (J,)
        Plant, signed amount per main unit and weight (t, m3 or GJ per unit) of each port.

    Examples
    --------
    >>> into, out = throughput(np.array([10.0]), np.array([0, 0]), np.array([1.0, -0.5]), np.array([1.0, 2.0]))
    >>> into.tolist(), out.tolist()
    ([10.0], [10.0])
    """
    amount = port_amounts(activity, plant, coefficient) * weight
    into, out = (
        np.bincount(plant[side], weights=amount[side], minlength=activity.size).astype(np.float64)
        for side in (coefficient < 0, coefficient > 0)
    )
    return into, out


def mass_weights(network: Network) -> Floats:
    """Return the mass of each commodity that counts in the mass balance (C,), t per unit.

    Materials and emissions count, natural ones included; water and energy do not (water that reacts is a material of
    its own). A material of unknown mass counts as absent.
    """
    counted = network.commodities["kind"].is_in(["material", "emission"]).to_numpy()
    return np.where(counted, np.nan_to_num(network.t_per_unit), 0.0)


def _throughputs(network: Network, activity: Floats) -> dict[str, Floats]:
    """Return mass, water and energy in and out by plant; energy is heating value, 3.6 GJ per MWh of power."""
    goods, ports = network.commodities, network.ports
    water = ((goods["kind"] == "water") & (goods["unit"] == "m3")).to_numpy().astype(np.float64)
    found: dict[str, Floats] = {}
    weights = (("mass", mass_weights(network)), ("water", water), ("energy", np.nan_to_num(heat_content(network))))
    for name, weight in weights:
        into, out = throughput(activity, ports.plant, ports.coefficient, weight[ports.commodity])
        found |= {f"{name}_in": into, f"{name}_out": out}
    return {**found, "unaccounted": found["mass_in"] - found["mass_out"]}


def plant_values(network: Network, flows: Flows) -> Mapping[str, tuple[Floats, Bools]]:
    """Return each quantity by plant (P,) and where it is not known (P,).

    A plant of unknown activity has nothing known; unknown operating cost hides operation and gain, unknown jobs the
    jobs, an unknown grid factor the CO2 of power.
    """
    plants = network.plants
    idle = np.isnan(plants.activity)
    runs = (flows.activity > 0) | (flows.built > 0)
    forms = {name: form.by_plant(network, flows) for name, form in quantities(network).items()}
    hidden = {
        "operation": runs & np.isnan(plants.opex),
        "gain": runs & np.isnan(plants.opex),
        "jobs": runs & np.isnan(plants.jobs),
        "land": (flows.built > 0) & np.isnan(plants.land),
        "budget": (flows.built > 0) & np.isnan(plants.capex),
        **_dimension_gaps(network, runs),
        "co2_power": (forms["power"] > 0) & np.isnan(network.grid_factor[plants.site]),
    }
    none = np.zeros(idle.size, dtype=bool)
    values = {name: (amount, idle | hidden.get(name, none)) for name, amount in forms.items()}
    through = _throughputs(network, flows.activity)
    return {**values, **{name: (through[name], idle) for name in THROUGHPUT}}


def _dimension_gaps(network: Network, runs: Bools) -> dict[str, Bools]:
    """Return where residents near a hazardous plant that runs are not known (P,)."""
    factors, plants = network.factors, network.plants
    if factors is None:
        return {}
    blind = runs & (factors.hazard[plants.technology] > 0) & np.isnan(factors.near[plants.site])
    return {"exposure": blind, "society_score": blind}


def units() -> Mapping[str, str]:
    """Return the unit of every quantity of an account."""
    return {**quantity_units(), **dict.fromkeys(MONEY, "CNY/a"), **THROUGHPUT}


def accounts_table(network: Network, flows: Flows) -> pl.DataFrame:
    """Return the accounts of a state as documented in ``columns.csv``.

    Parameters
    ----------
    network : Network
    flows : Flows

    Returns
    -------
    polars.DataFrame
        Columns scope_kind, scope, quantity, value, unit, missing. A site's account contains the places inside it.
        Unknown parts count as absent and are counted in ``missing``; a value is null when nothing of it is known.
    """
    plants = network.plants
    present = (plants.status == EXISTING) | (flows.built > 0)
    ids = np.arange(present.size)[present]
    values = plant_values(network, flows)
    names = list(values)
    amount = np.stack([values[name][0] for name in names])[:, ids]
    hidden = np.stack([values[name][1] for name in names])[:, ids]
    long = pl.DataFrame(
        {
            "member": np.tile(ids, len(names)),
            "quantity": pl.Series(names, dtype=pl.String).gather(np.repeat(np.arange(len(names)), ids.size)),
            "value": np.where(hidden, np.nan, amount).ravel(),
        }
    ).with_columns(pl.col("value").fill_nan(None))
    order = pl.DataFrame({"quantity": pl.Series(names, dtype=pl.String), "rank": np.arange(len(names))})
    unit = pl.DataFrame({"quantity": list(units()), "unit": list(units().values())})
    kinds = pl.DataFrame({"scope_kind": list(_KINDS), "kind_rank": range(len(_KINDS))})
    summed = (
        scope_members(network, ids)
        .join(long, on="member")
        .sort("scope_kind", "scope", "quantity", "member")
        .group_by("scope_kind", "scope", "quantity", maintain_order=True)
        .agg(
            value=pl.when(pl.col("value").count() > 0).then(pl.col("value").sum()),
            missing=pl.col("value").is_null().sum().cast(pl.Int64),
        )
    )
    return (
        summed.join(order, on="quantity")
        .join(unit, on="quantity")
        .join(kinds, on="scope_kind")
        .sort("kind_rank", "scope", "rank")
        .select("scope_kind", "scope", "quantity", "value", "unit", "missing")
    )


_KINDS = ("place", "site", "chain", "enterprise", "plant")


def scope_members(network: Network, ids: np.ndarray) -> pl.DataFrame:
    """Return which plants belong to which scope: columns scope_kind, scope, member."""
    plants = network.plants
    inside = pl.DataFrame(dict(zip(("site", "holder"), ancestry(network.parent), strict=True)))
    at = pl.DataFrame({"member": ids, "site": plants.site[ids]}).join(inside, on="site")
    parts = (
        ("place", pl.Series([PLACE] * ids.size, dtype=pl.String), ids),
        ("site", pick(network.site_ids, at["holder"].to_numpy()), at["member"].to_numpy()),
        ("chain", pick(network.chain_ids, network.chain[plants.technology[ids]]), ids),
        ("enterprise", pick(network.enterprise_ids, plants.enterprise[ids]), ids),
        ("plant", pick(network.plant_ids, ids), ids),
    )
    tables = [
        pl.DataFrame({"scope_kind": pl.Series([kind] * member.size, dtype=pl.String), "scope": scope, "member": member})
        for kind, scope, member in parts
    ]
    return pl.concat(tables).drop_nulls("scope")
