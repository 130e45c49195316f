"""Every account, cost and limit as one linear form over the flows, so that all engines count alike.

The physical quantities are those of the plan's ``quantities.csv``; the money forms are ``sales``, ``purchases``,
``disposal``, ``transport``, ``operation`` and ``gain`` = sales - purchases - disposal - transport - operation (CNY
per year, without capital). What is unknown counts as absent; `unknown_terms` says what that is.
"""

import numpy as np
import polars as pl

from cyclopolis.network.model import (
    BUY,
    EXISTING,
    ROLES,
    SELL,
    Bools,
    Floats,
    LinearForm,
    Network,
    Quantities,
)
from cyclopolis.network.places import floats

GJ_PER_MWH = 3.6
MONEY = ("sales", "purchases", "disposal", "transport", "operation", "gain")
"""Names of the money forms, in CNY per year."""
EMISSIONS = ("so2", "nox", "pm", "voc", "cod", "nh3n")
"""Quantities that are the emission of the commodity of the same name."""
_MAIN = ROLES.index("main")


def flow_quantities(network: Network) -> Quantities:
    """Return the quantities that the flows alone decide, by name.

    Parameters
    ----------
    network : Network

    Returns
    -------
    mapping of name to LinearForm
        Names of ``quantities.csv`` in t, m3, MWh, GJ, ha, million CNY or jobs per year or at once, and the money forms;
        `cyclopolis.network.dimensions.quantities` adds those that rates and weights decide. An arc counts at its
        giver, a trade and a fate at their port's plant.
    """
    return {**_bought(network), **_emitted(network), **_waste(network), **_plants(network), **_money(network)}


def build_form(network: Network, **parts: Floats) -> LinearForm:
    """Return a form with the given parts; what is not given or not known is 0."""
    sizes = {
        "activity": len(network.plant_ids),
        "arc": network.arcs.giver.size,
        "trade": network.trades.port.size,
        "fate": network.fates.port.size,
        "built": len(network.plant_ids),
        "capacity": len(network.plant_ids),
    }
    whole = {
        name: np.nan_to_num(parts[name]) if name in parts else np.zeros(size, dtype=np.float64)
        for name, size in sizes.items()
    }
    return LinearForm(**whole)


def _is(network: Network, commodity: str) -> Bools:
    """Return which ports carry a commodity (J,)."""
    wanted = np.array([name == commodity for name in network.commodity_ids], dtype=bool)
    return wanted[network.ports.commodity]


def per_activity(network: Network, per_port: Floats) -> Floats:
    """Return the sum over each plant's ports (P,) of an amount per main unit."""
    return np.bincount(network.ports.plant, weights=np.nan_to_num(per_port), minlength=len(network.plant_ids)).astype(
        np.float64
    )


def per_trade(network: Network, direction: int, per_port: Floats) -> Floats:
    """Return a value per unit at each trade of one direction (T,), 0 at the others."""
    right = network.markets.direction[network.trades.market] == direction
    return np.where(right, per_port[network.trades.port], 0.0)


def heat_content(network: Network) -> Floats:
    """Return GJ per unit of each commodity (C,): 3.6 per MWh of electricity, else the lower heating value or NaN."""
    power = (network.commodities["commodity"] == "electricity").to_numpy()
    return np.where(power, GJ_PER_MWH, floats(network.commodities["lhv_gj_per_unit"]))


def _bought(network: Network) -> dict[str, LinearForm]:
    """Fresh water, power, its CO2 by the site's grid factor, and energy by heating value."""
    ports = network.ports
    power = _is(network, "electricity")
    heat = heat_content(network)[ports.commodity]
    grid = network.grid_factor[network.plants.site[ports.plant]]
    per_port = {
        "water": _is(network, "freshwater").astype(np.float64),
        "power": power.astype(np.float64),
        "co2_power": np.where(power, grid, 0.0),
        "energy": heat,
    }
    return {name: build_form(network, trade=per_trade(network, BUY, values)) for name, values in per_port.items()}


def _emitted(network: Network) -> dict[str, LinearForm]:
    """Emissions of the recipes; fossil CO2 also of surplus that is flared or otherwise released."""
    ports, fates = network.ports, network.fates
    mass = network.t_per_unit[ports.commodity]
    out = np.where(ports.coefficient > 0, ports.coefficient * mass, 0.0)
    forms = {name: build_form(network, activity=per_activity(network, out * _is(network, name))) for name in EMISSIONS}
    kind = (network.commodities["kind"] == "emission").to_numpy()[ports.commodity]
    own = per_activity(network, out * _is(network, "co2_fossil"))
    released = np.where(kind[fates.port], 0.0, fates.co2)
    return {**forms, "co2": build_form(network, activity=own, fate=released)}


def solid_waste_ports(network: Network) -> Bools:
    """Return which ports give out solid waste (J,): a code of the national catalogue, and not the main product."""
    coded = network.commodities["sw_code"].is_not_null().to_numpy()[network.ports.commodity]
    return np.asarray(coded & (network.ports.coefficient > 0) & (network.ports.role != _MAIN), dtype=np.bool_)


def _waste(network: Network) -> dict[str, LinearForm]:
    """Landfill, hazardous waste to treatment, solid waste arising and put to use, all in tonnes."""
    ports, fates = network.ports, network.fates
    mass = network.t_per_unit[ports.commodity]
    hazard = network.commodities["hazard"].fill_null(value=False).to_numpy()[ports.commodity]
    treated, landfilled = (
        np.array([name == fate for name in network.fate_ids], dtype=bool)[fates.fate] for fate in ("treat", "landfill")
    )
    water = (network.commodities["kind"] == "water").to_numpy()[ports.commodity]
    waste = np.where(solid_waste_ports(network), mass, 0.0)
    return {
        "landfill": build_form(network, fate=np.where(landfilled, mass[fates.port], 0.0)),
        "hazardous_waste": build_form(
            network, fate=np.where(treated & (hazard & ~water)[fates.port], mass[fates.port], 0.0)
        ),
        "solid_waste": build_form(network, activity=per_activity(network, waste * ports.coefficient)),
        "waste_reused": build_form(network, arc=waste[network.arcs.giver], trade=per_trade(network, SELL, waste)),
    }


def _plants(network: Network) -> dict[str, LinearForm]:
    """Land and capital of what is built; jobs of what stands and what is built.

    Jobs of a standing plant go with its activity: all of them at its base-year activity.
    """
    plants = network.plants
    standing = plants.status == EXISTING
    with np.errstate(divide="ignore", invalid="ignore"):
        per_unit = np.where(standing & (plants.activity > 0), plants.jobs / plants.activity, 0.0)
        by_size = np.where(plants.capacity > 0, plants.jobs / plants.capacity, 0.0)
    free = ~standing & (plants.capacity_min < plants.capacity)
    capital = build_form(
        network,
        built=np.where(standing, 0.0, plants.capex_fixed / plants.units),
        capacity=np.where(standing, 0.0, plants.capex_slope),
    )
    return {
        "land": build_form(network, built=np.where(standing, 0.0, plants.land / plants.units)),
        "budget": capital,
        "investment": capital,
        "jobs": build_form(
            network,
            activity=per_unit,
            built=np.where(standing | free, 0.0, plants.jobs / plants.units),
            capacity=np.where(free, by_size, 0.0),
        ),
    }


def _money(network: Network) -> dict[str, LinearForm]:
    """Money of the plants with the outside; what plants pay each other stays inside and is not known."""
    markets, trades = network.markets, network.trades
    price = np.nan_to_num(markets.price[trades.market])
    selling = markets.direction[trades.market] == SELL
    sales, purchases = np.where(selling, price, 0.0), np.where(selling, 0.0, price)
    forms = {
        "sales": build_form(network, trade=sales),
        "purchases": build_form(network, trade=purchases),
        "disposal": build_form(network, fate=network.fates.cost),
        "transport": build_form(network, arc=network.arcs.cost),
        "operation": build_form(network, activity=network.plants.opex),
    }
    forms["gain"] = build_form(
        network,
        activity=-forms["operation"].activity,
        arc=-forms["transport"].arc,
        trade=sales - purchases,
        fate=-forms["disposal"].fate,
    )
    return forms


def unknown_terms(network: Network) -> pl.DataFrame:
    """Return what counts as absent because it is unknown: columns plant, commodity, reason.

    Reasons: ``capex``, ``opex``, ``jobs``, ``land`` of a plant; ``mass`` of a commodity whose unit has no known mass
    though it is a material; ``grid_factor`` where power can be bought; ``price`` of an implied sale; ``fate_cost``;
    besides those that compiling found (`Network.unknowns`).
    """
    plants, ports = network.plants, network.ports
    names = np.array(network.plant_ids, dtype=object)
    goods = np.array(network.commodity_ids, dtype=object)
    new = plants.status != EXISTING
    rows: list[tuple[str | None, str | None, str]] = []
    user_made = ~plants.library
    for reason, values, wanted in (
        ("capex", plants.capex, new & user_made),
        ("opex", plants.opex, user_made),
        ("jobs", plants.jobs, user_made),
        ("land", plants.land, new & user_made),
    ):
        rows += [(name, None, reason) for name in names[wanted & np.isnan(values)]]
    counted = network.commodities["kind"].is_in(["material", "emission"]).to_numpy()
    rows += [(None, good, "mass") for good in goods[counted & np.isnan(network.t_per_unit)]]
    buys = network.trades.port[network.markets.direction[network.trades.market] == BUY]
    at = np.unique(ports.plant[buys[_is(network, "electricity")[buys]]])
    at = at[user_made[at] & np.isnan(network.grid_factor[plants.site[at]])]
    rows += [(name, "electricity", "grid_factor") for name in names[at]]
    rows += [(None, goods[c], "price") for c in network.markets.commodity[np.isnan(network.markets.price)]]
    rows += [
        (None, goods[c], "fate_cost")
        for c in np.unique(ports.commodity[network.fates.port[np.isnan(network.fates.cost)]])
    ]
    table = pl.DataFrame(rows, schema=dict(network.unknowns.schema), orient="row")
    return pl.concat([network.unknowns, table]).unique().sort("reason", "plant", "commodity", nulls_last=True)
