"""Accounts: every quantity of every plant, summed over sites with what they hold, chains, enterprises, place."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from cyclopolis.network import MONEY, Flows, Network, port_amounts, quantities
from cyclopolis.network.model import EXISTING, Bools, Floats
from cyclopolis.network.names import pick
from cyclopolis.network.places import ancestry
from cyclopolis.network.units import quantity_units

MASS = ("mass_in", "mass_out", "unaccounted")
"""Mass of what goes into plants, of what comes out, and the difference, t/a."""
PLACE = "place"
"""Scope of the whole plan."""


def mass_by_plant(network: Network, activity: Floats) -> tuple[Floats, Floats]:
    """Return the mass (t/a) that goes into each plant and comes out of it (P,).

    Materials and emissions count, natural ones included; water and energy do not (water that reacts is a material of
    its own). A material of unknown mass counts as absent.
    """
    ports = network.ports
    counted = network.commodities["kind"].is_in(["material", "emission"]).to_numpy()
    mass = np.where(counted, np.nan_to_num(network.t_per_unit), 0.0)[ports.commodity]
    tonnes = port_amounts(activity, ports.plant, ports.coefficient) * mass
    size = len(network.plant_ids)
    into, out = (
        np.bincount(ports.plant[side], weights=tonnes[side], minlength=size).astype(np.float64)
        for side in (ports.coefficient < 0, ports.coefficient > 0)
    )
    return into, out


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
        "co2_power": (forms["power"] > 0) & np.isnan(network.grid_factor[plants.site]),
    }
    none = np.zeros(idle.size, dtype=bool)
    values = {name: (amount, idle | hidden.get(name, none)) for name, amount in forms.items()}
    into, out = mass_by_plant(network, flows.activity)
    return {**values, "mass_in": (into, idle), "mass_out": (out, idle), "unaccounted": (into - out, idle)}


def units() -> Mapping[str, str]:
    """Return the unit of every quantity of an account."""
    return {**quantity_units(), **dict.fromkeys(MONEY, "CNY/a"), **dict.fromkeys(MASS, "t/a")}


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
