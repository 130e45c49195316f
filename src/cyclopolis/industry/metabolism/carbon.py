"""Fossil CO2 of every plant, split into what its fuels give and what its process gives."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from cyclopolis.industry.metabolism.emissions import CO2_PER_CARBON, fuel_factors
from cyclopolis.industry.metabolism.flow_tables import port_provenance
from cyclopolis.library import load_library
from cyclopolis.network import Flows, Network, port_amounts, quantities
from cyclopolis.network.model import PROVENANCE, Floats, Ints

OXIDATION = {"solid": 0.98, "liquid": 0.98, "sludge": 0.98, "gas": 0.99}
"""Share of a fuel's carbon that burns, by state: the official values of all fuels that have one."""


@dataclass(frozen=True)
class Carbon:
    """Fossil CO2 by plant (P,), t per year.

    ``fuel``: carbon of fuels that leaves in no product, at most what the plant emits; ``process``: the rest of what the
    plant emits; ``released``: what surplus gives that is flared, vented or otherwise let go; ``provenance`` by code.
    """

    fuel: Floats
    process: Floats
    released: Floats
    provenance: Ints


def split_carbon(burnable: Floats, bound: Floats, emitted: Floats) -> tuple[Floats, Floats]:
    """Return CO2 of fuel and of process: fuel = min(emitted, max(0, burnable - bound)), process = the rest.

    Parameters
    ----------
    burnable : (P,) array
        CO2 of all fuels taken in, if all of it burnt.
    bound : (P,) array
        CO2 that the carbon of the products would give.
    emitted : (P,) array
        Fossil CO2 of the plant by its recipe or measurement.

    Notes
    -----
    The carbon balance of the Chinese guidelines for coking and steel (carbon in less carbon in products); a reducing
    agent counts as a fuel.

    Examples
    --------
    >>> fuel, process = split_carbon(np.array([10.0, 10.0]), np.array([0.0, 8.0]), np.array([12.0, 1.0]))
    >>> fuel.tolist(), process.tolist()
    ([10.0, 1.0], [2.0, 0.0])
    """
    fuel = np.minimum(emitted, np.maximum(0.0, burnable - bound))
    return fuel, emitted - fuel


def burning_factors(commodities: pl.DataFrame, emission_factors: pl.DataFrame) -> pl.DataFrame:
    """Return t CO2 per unit of every fossil fuel: the official value, else its carbon times the official oxidation.

    Returns
    -------
    polars.DataFrame
        Columns commodity, burnt (null: no fuel), bound (t CO2 in its carbon, null: unknown), origin (provenance code).
    """
    grown = load_library().traits.filter(trait="biogenic")["commodity"].to_list()
    official = fuel_factors(emission_factors).select("commodity", "unit", "t_co2_per_unit", official="provenance")
    codes = {name: code for code, name in enumerate(PROVENANCE)}
    fossil = pl.col("commodity").is_in(grown).not_() & (pl.col("kind") == "material")
    carbon = pl.when(fossil).then(pl.col("carbon_t_per_unit") * CO2_PER_CARBON)
    share = pl.col("state").replace_strict(OXIDATION, default=None, return_dtype=pl.Float64)
    own = pl.when(pl.col("lhv_gj_per_unit").is_not_null()).then(carbon * share)
    origin = pl.coalesce("official", "lhv_carbon_provenance").replace_strict(codes, default=-1, return_dtype=pl.Int64)
    return commodities.join(
        official.drop_nulls("commodity"), on=["commodity", "unit"], how="left", maintain_order="left"
    ).select("commodity", burnt=pl.coalesce("t_co2_per_unit", own), bound=carbon, origin=origin)


def carbon_by_plant(network: Network, flows: Flows, emission_factors: pl.DataFrame) -> Carbon:
    """Return the fossil CO2 of every plant of a state, split; the parts sum to the account ``co2``."""
    ports, size = network.ports, len(network.plant_ids)
    factors = burning_factors(network.commodities, emission_factors)
    burnt, bound = (factors[name].fill_null(0.0).to_numpy()[ports.commodity] for name in ("burnt", "bound"))
    amount = port_amounts(flows.activity, ports.plant, ports.coefficient)
    into = ports.coefficient < 0
    emission = (network.commodities["kind"] == "emission").to_numpy()[ports.commodity]
    burnable, products = (
        np.bincount(ports.plant, weights=weights, minlength=size).astype(np.float64)
        for weights in (np.where(into, amount * burnt, 0.0), np.where(into | emission, 0.0, amount * bound))
    )
    form = quantities(network)["co2"]
    emitted = form.activity * np.nan_to_num(flows.activity)
    fuel, process = split_carbon(burnable, products, emitted)
    released = np.bincount(ports.plant[network.fates.port], weights=form.fate * flows.fate, minlength=size)
    weak = np.full(size, -1)
    counted = (burnt > 0) | (bound > 0) | emission
    both = np.maximum(port_provenance(network), factors["origin"].to_numpy()[ports.commodity])
    np.maximum.at(weak, ports.plant[counted], both[counted])
    return Carbon(fuel, process, released.astype(np.float64), weak)
