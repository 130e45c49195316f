"""The compiled flow network: what a plan says, as index maps and plain arrays shared by all engines.

Every plant touches a commodity at a *port*. What leaves an output port flows along an *arc* to an input port of another
plant, is *traded* on a market, or leaves by its lawful *fate*; what enters an input port comes along arcs or is traded.
A state of the network is a `Flows`: how active each plant is and how much goes along each arc, trade and fate. Every
account, cost and limit is a `LinearForm` over that state, so balance and design count with the same numbers.

Signs: amounts are never negative; direction is in the port. Units: each commodity's own unit per year; money in CNY per
year; capital in million CNY.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from cyclopolis.network.factors import Factors

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

EXISTING, PLANNED, CANDIDATE = 0, 1, 2
"""Codes of `Plants.status`."""
INTERNAL, SUPPLY, USE, SUBSTITUTION = 0, 1, 2, 3
"""Codes of `Arcs.kind`: inside one enterprise; a main product to another enterprise; a by-product or waste that the
taker's recipe names; a by-product or waste in place of another commodity."""
BUY, SELL = 0, 1
"""Codes of `Markets.direction`."""
ROLES = ("main", "feedstock", "utility", "byproduct", "waste", "emission")
"""Roles of a port by code."""
PROVENANCE = ("measured", "user", "seen", "memory", "assumed", "computed")
"""Provenance classes by code; arrays hold the position in this tuple."""


@dataclass(frozen=True)
class Plants:
    """One entry per plant (P), in the order of `Network.plant_ids`.

    ``site``, ``enterprise`` (-1: none), ``technology`` and ``main`` (port of the main commodity) are positions.
    ``capacity`` and ``activity`` are in main units per year and NaN when unknown (``activity`` is 0 for plants that do
    not stand yet). ``capex`` (million CNY at ``capacity``), ``opex`` (CNY per main unit), ``jobs`` (at ``capacity``),
    ``land`` (ha) are NaN when unknown; ``lifetime`` in years. ``capex_fixed`` and ``capex_slope`` (million CNY, million
    CNY per main unit) describe the capital of a plant whose capacity is free between ``capacity_min`` and ``capacity``;
    for a plant of given size ``capacity_min`` equals ``capacity`` and ``capex_slope`` is 0. Where the size is free,
    capital is ``capex`` (size / ``capacity``) ^ ``scale_exponent``, and the line is the chord of that curve. A plant of
    several ``units`` may be built in part, each unit an equal share of all. A standing plant no longer runs from
    ``retire_year`` on (NaN: it stays); what is built of a new one runs at ``min_load`` (a share) at least.
    ``library`` marks candidates that come from the library at a site that allows them.
    """

    site: Ints
    enterprise: Ints
    technology: Ints
    status: Ints
    main: Ints
    capacity: Floats
    capacity_min: Floats
    activity: Floats
    build_from: Floats
    build_until: Floats
    lifetime: Floats
    capex: Floats
    capex_fixed: Floats
    capex_slope: Floats
    scale_exponent: Floats
    units: Floats
    min_load: Floats
    retire_year: Floats
    opex: Floats
    jobs: Floats
    land: Floats
    may_close: Bools
    library: Bools
    provenance: Ints
    economics_provenance: Ints


@dataclass(frozen=True)
class Ports:
    """One entry per plant and commodity (J), sorted by plant, then commodity.

    ``coefficient`` is the amount per main unit, positive out of the plant and negative into it: the measured one
    where the base year was measured, else the recipe's. ``recipe`` is the recipe's own (NaN: the recipe does not
    name it), with its usual range ``low`` and ``high`` (absolute amounts). ``role`` is a position in `ROLES`.
    ``natural`` marks what nature gives or takes back free of charge: no flow is needed there.
    """

    plant: Ints
    commodity: Ints
    coefficient: Floats
    recipe: Floats
    low: Floats
    high: Floats
    role: Ints
    natural: Bools
    provenance: Ints


@dataclass(frozen=True)
class Arcs:
    """One entry per allowed flow between two plants (A), sorted by giver, then taker.

    ``giver`` and ``taker`` are ports. One unit given covers ``ratio`` units of the taker's need. ``cost`` is CNY per
    unit given, ``distance`` in km along the way, ``mode`` a position in `Network.mode_ids` (-1: none needed).
    ``cap_group`` (-1: none) is a position in ``cap_share``: the arcs of a group together bring at most ``cap_share``
    tonnes of the commodity per tonne of the taker's main commodity. ``co2_credit`` is t per unit given, avoided
    elsewhere; it is shown, never added to an account.
    """

    giver: Ints
    taker: Ints
    ratio: Floats
    kind: Ints
    distance: Floats
    mode: Ints
    cost: Floats
    cap_group: Ints
    co2_credit: Floats
    cap_share: Floats
    exchange: Floats
    exchange_provenance: Ints


@dataclass(frozen=True)
class Markets:
    """One entry per price at which a commodity is bought or sold (M).

    ``site`` is a position or -1 for outside; ``price`` in CNY per unit: what a plant pays (BUY) or gets (SELL); NaN
    only for implied sales of a product whose price nobody knows. ``volume_min`` and ``volume_max`` per year (0 and
    infinity when not limited). ``implied`` marks base-year sales of existing plants that no row of the plan names,
    and purchases at the library's high price. ``price_range`` and ``volume_range`` are the plan's own half widths of
    what may be drawn, as shares (NaN where it gives none; None: no plan).
    """

    commodity: Ints
    site: Ints
    direction: Ints
    price: Floats
    volume_min: Floats
    volume_max: Floats
    implied: Bools
    provenance: Ints
    price_range: Floats | None = None
    volume_range: Floats | None = None


@dataclass(frozen=True)
class Trades:
    """One entry per port and market that it can use (T): ``port`` and ``market`` are positions."""

    port: Ints
    market: Ints


@dataclass(frozen=True)
class Fates:
    """One entry per output port that has a lawful way out (D).

    ``fate`` is a position in `Network.fate_ids`; ``cost`` in CNY per unit; ``co2`` in t per unit released by that fate.
    """

    port: Ints
    fate: Ints
    cost: Floats
    co2: Floats
    provenance: Ints


@dataclass(frozen=True)
class Subsidies:
    """What is paid to each plant in one year, summed over the rows of the plan that hold in it.

    ``per_unit`` (P,) is CNY per unit of the main commodity. Of a new plant built in the year, ``share`` (P,) of its
    capital is paid and ``per_built`` (P,) million CNY for each unit built; both are 0 for plants that stand.
    ``provenance`` (P,) is the worst of the rows that count (a position in `PROVENANCE`).
    """

    per_unit: Floats
    share: Floats
    per_built: Floats
    provenance: Ints


@dataclass(frozen=True)
class Network:
    """A plan compiled once; positions in the arrays refer to the ``*_ids`` tuples.

    ``parent`` nests the sites (-1: top). ``commodities`` and ``technologies`` hold the rows used, in the order of
    ``commodity_ids`` and ``technology_ids``, for names, units and masses; ``grid_factor`` is t CO2 per MWh by site
    (NaN: unknown). ``factors`` are what the dimensions count with; a network that comes from no plan has none.
    ``subsidies`` are those of the year, None where the plan has none.
    """

    site_ids: tuple[str, ...]
    enterprise_ids: tuple[str, ...]
    plant_ids: tuple[str, ...]
    commodity_ids: tuple[str, ...]
    technology_ids: tuple[str, ...]
    chain_ids: tuple[str, ...]
    mode_ids: tuple[str, ...]
    fate_ids: tuple[str, ...]
    year: int
    parent: Ints
    park: Ints
    grid_factor: Floats
    chain: Ints
    commodities: pl.DataFrame
    technologies: pl.DataFrame
    t_per_unit: Floats
    plants: Plants
    ports: Ports
    arcs: Arcs
    markets: Markets
    trades: Trades
    fates: Fates
    exclusions: tuple[tuple[int, ...], ...]
    unknowns: pl.DataFrame
    factors: "Factors | None" = None
    subsidies: Subsidies | None = None

    def recipe_matrix(self) -> csr_array:
        """Return the coefficients as a sparse matrix, plants x commodities, positive out of the plant."""
        ports = self.ports
        shape = (len(self.plant_ids), len(self.commodity_ids))
        return csr_array((ports.coefficient, (ports.plant, ports.commodity)), shape=shape)


@dataclass(frozen=True)
class Flows:
    """A state of a network for one year.

    Shapes: ``activity`` (P,) main units; ``arc`` (A,) units given; ``trade`` (T,) units; ``fate`` (D,) units; ``built``
    (P,) 1 for a plant that is built new, else 0; ``capacity`` (P,) main units of new capacity; ``stock`` (J,) what goes
    into store at each port, negative out of it; ``shift`` (J,) what moves at each port beyond coefficient x activity
    (None: nothing anywhere).
    """

    activity: Floats
    arc: Floats
    trade: Floats
    fate: Floats
    built: Floats
    capacity: Floats
    stock: Floats | None = None
    shift: Floats | None = None


@dataclass(frozen=True)
class LinearForm:
    """A quantity as coefficients over `Flows`, shapes alike; per unit of each, in the quantity's unit."""

    activity: Floats
    arc: Floats
    trade: Floats
    fate: Floats
    built: Floats
    capacity: Floats

    def by_plant(self, network: Network, flows: Flows) -> Floats:
        """Return the quantity of each plant (P,): arcs count at the giver, trades and fates at their port's plant."""
        ports = network.ports.plant
        size = len(network.plant_ids)
        parts = (
            (ports[network.arcs.giver], self.arc * flows.arc),
            (ports[network.trades.port], self.trade * flows.trade),
            (ports[network.fates.port], self.fate * flows.fate),
        )
        total = self.activity * flows.activity + self.built * flows.built + self.capacity * flows.capacity
        for plant, amount in parts:
            total = total + np.bincount(plant, weights=amount, minlength=size)
        return np.asarray(total, dtype=np.float64)

    def value(self, flows: Flows) -> float:
        """Return the quantity of the whole network."""
        pairs = (
            (self.activity, flows.activity),
            (self.arc, flows.arc),
            (self.trade, flows.trade),
            (self.fate, flows.fate),
            (self.built, flows.built),
            (self.capacity, flows.capacity),
        )
        return float(sum(float((form * state).sum()) for form, state in pairs))


Quantities = Mapping[str, LinearForm]
"""Linear forms by the names of `plan/schema/quantities.csv`, and ``gain`` (CNY per year without capital)."""
