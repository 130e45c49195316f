"""Economy, environment and society as linear forms over the flows, with their parts: docs/methods/dimensions.md.

Each dimension is a weighted sum of its parts. The three are never added up: taxes really paid are a cost in the
economy, while the environment score charges every pollutant at the rate of the province, exempt or not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from cyclopolis.foundation.text import Language, catalogue
from cyclopolis.network.factors import MEDIA, Factors, Tax
from cyclopolis.network.model import (
    BUY,
    EXISTING,
    PROVENANCE,
    Bools,
    LinearForm,
    Network,
    Quantities,
)
from cyclopolis.network.quantities import build_form, flow_quantities, per_activity, per_trade
from cyclopolis.network.subsidies import subsidies_of, yearly_subsidies

DIMENSIONS = ("economy", "environment", "society")
MILLION = 1e6
LEFT_OUT = ("reduce_25", "reduce_50", "period", "top_water_class1", "one_of_oxygen_demand")
"""Rules of the tax law that the tax paid leaves out: they ask for concentrations or pollutants that recipes lack."""
_FAMILIES = ("activity", "arc", "trade", "fate", "built", "capacity")
_ASSUMED, _COMPUTED = PROVENANCE.index("assumed"), PROVENANCE.index("computed")


@dataclass(frozen=True)
class Part:
    """One visible part of a dimension: ``weight`` times the value of ``form`` (in ``unit``) counts in its score.

    ``names`` are what people call it, by language.
    """

    name: str
    dimension: str
    form: LinearForm
    unit: str
    weight: float
    provenance: str
    names: Mapping[Language, str]


@dataclass(frozen=True)
class Dimensions:
    """The three dimensions of one year's network.

    ``economy`` and ``environment`` are CNY per year (more is better; less is better), ``society`` points (more is
    better). ``economy`` is without capital, which depends on when it is spent: the quantity ``budget`` has it.
    Every part counts a new plant in each year it stands. ``lacking`` lists what counts as absent: columns plant,
    commodity, reason (``equivalent``: a pollutant or waste without a figure in the tax law; ``residents``: a
    hazardous plant around which nobody knows how many live).
    """

    parts: tuple[Part, ...]
    economy: LinearForm
    environment: LinearForm
    society: LinearForm
    taxes: Mapping[str, LinearForm]
    lacking: pl.DataFrame

    def part(self, name: str) -> Part:
        """Return a part by name."""
        return next(part for part in self.parts if part.name == name)


def dimension_names(dimension: str) -> Mapping[Language, str]:
    """Return what people call a dimension, by language.

    Examples
    --------
    >>> dimension_names("society")["en"]
    'Society'
    """
    return catalogue()[f"dimensions.{dimension}"]


def _part(
    name: str,
    dimension: str,
    form: LinearForm,
    weight: float,
    provenance: str,
    unit: str = "CNY/a",
    tax: Tax | None = None,
) -> Part:
    """Return a part with its names: a tax's own, else those of the catalogue."""
    names: Mapping[Language, str] = (
        catalogue()[f"dimensions.part.{name}"] if tax is None else {"en": tax.en, "zh": tax.zh}
    )
    return Part(name, dimension, form, unit, weight, provenance, names)


def combine(terms: Iterable[tuple[float, LinearForm]]) -> LinearForm:
    """Return the weighted sum of forms (at least one)."""
    (first, form), *rest = terms
    total = {name: first * getattr(form, name) for name in _FAMILIES}
    for weight, form in rest:
        for name in _FAMILIES:
            total[name] += weight * getattr(form, name)
    return LinearForm(**total)


def quantities(network: Network) -> Quantities:
    """Return all quantities of a network by name.

    Parameters
    ----------
    network : Network

    Returns
    -------
    mapping of name to LinearForm
        Every name of ``quantities.csv`` and the money forms: those of `flow_quantities` and, where the network has
        factors, those that the three dimensions add. An arc counts at its giver, a trade and a fate at their
        port's plant.
    """
    own = flow_quantities(network)
    if network.factors is None:
        return own
    found = _dimensions(network, network.factors, own)
    per_million = 1 / MILLION
    return {
        **own,
        "virgin_resource": _virgin(network, network.factors),
        "environment_score": combine([(per_million, found.environment)]),
        "environment_tax": combine([(per_million, _tax_by_law(network, network.factors))]),
        "fiscal_revenue": found.part("fiscal_revenue").form,
        "exposure": found.part("exposure").form,
        "society_score": found.society,
    }


def dimension_forms(network: Network) -> Dimensions:
    """Return the three dimensions of a network with their parts.

    Parameters
    ----------
    network : Network
        Compiled from a plan, so that it has factors.

    Raises
    ------
    ValueError
        If the network has no factors.
    """
    if network.factors is None:
        raise ValueError("the network has no factors: compile it from a plan")
    return _dimensions(network, network.factors, flow_quantities(network))


def _dimensions(network: Network, factors: Factors, own: Quantities) -> Dimensions:
    """Return the dimensions from the forms of the flows."""
    taxes = _taxes(network, factors, own)
    parts = (*_economy(network, factors, own, taxes), *_environment(network, factors, own),
             *_society(network, factors, own, taxes))  # fmt: skip
    scores = {
        name: combine([(part.weight, part.form) for part in parts if part.dimension == name]) for name in DIMENSIONS
    }
    return Dimensions(parts=parts, **scores, taxes=taxes, lacking=_lacking(network, factors))


def _worst(codes: Iterable[int]) -> str:
    """Return the worst provenance of several; what is computed is no worse than what it comes from."""
    found = [code for code in codes if code != _COMPUTED]
    return PROVENANCE[max(found)] if found else "computed"


def pollution(network: Network, factors: Factors, medium: int, *, paid: bool) -> LinearForm:
    """Return equivalents of the recipes' emissions into air (0) or water (1) times the site's rate, CNY per year.

    ``paid`` leaves out what the law does not tax.
    """
    ports, plants = network.ports, network.plants
    rate = factors.pollution_rate[plants.site[ports.plant], medium]
    right = (factors.medium[ports.commodity] == medium) & (ports.coefficient > 0)
    if paid:
        right = right & factors.taxed[plants.technology[ports.plant], ports.commodity]
    per_unit = np.where(right, factors.equivalents[ports.commodity] * rate, 0.0)
    return build_form(network, activity=per_activity(network, per_unit * ports.coefficient))


def _tax_by_law(network: Network, factors: Factors) -> LinearForm:
    """Return the environmental protection tax, CNY per year: air and water; lawful storage and treatment are free."""
    return combine([(1.0, pollution(network, factors, medium, paid=True)) for medium in (0, 1)])


def _solid(network: Network) -> Bools:
    """Return the fates that put solid waste somewhere (D,): landfill, and treatment of what is no water."""
    fates, ports = network.fates, network.ports
    left = np.array([name in {"treat", "landfill"} for name in network.fate_ids], dtype=bool)[fates.fate]
    water = (network.commodities["kind"] == "water").to_numpy()[ports.commodity[fates.port]]
    return np.asarray(left & ~water, dtype=np.bool_)


def _virgin(network: Network, factors: Factors) -> LinearForm:
    """Return tonnes of virgin resource bought outside or taken from the ground."""
    ports = network.ports
    mass = np.where(factors.virgin, network.t_per_unit, 0.0)[ports.commodity]
    mined = np.where(ports.natural & (ports.coefficient < 0), -ports.coefficient * mass, 0.0)
    return build_form(network, trade=per_trade(network, BUY, mass), activity=per_activity(network, mined))


def _taxes(network: Network, factors: Factors, own: Quantities) -> dict[str, LinearForm]:
    """Return what is paid of each tax, CNY per year.

    The basis ``value_added`` is sales less purchases; ``profit`` is the gain and what is paid per unit made, less the
    costs of the other taxes and the straight-line depreciation of what is built, as far as no subsidy paid for it.
    """
    plants, paid = network.plants, subsidies_of(network)
    new, borne = plants.status != EXISTING, 1.0 - paid.share
    with np.errstate(divide="ignore", invalid="ignore"):
        fixed = borne * plants.capex_fixed - paid.per_built * plants.units
        worn = build_form(
            network,
            built=np.where(new, MILLION * fixed / (plants.lifetime * plants.units), 0.0),
            capacity=np.where(new, MILLION * borne * plants.capex_slope / plants.lifetime, 0.0),
        )
    basis = {
        "environment_tax": _tax_by_law(network, factors),
        "value_added": combine([(1.0, own["sales"]), (-1.0, own["purchases"])]),
    }
    found = {tax.name: combine([(tax.rate, basis[tax.basis])]) for tax in factors.taxes if tax.basis in basis}
    costs = [(-1.0, found[tax.name]) for tax in factors.taxes if tax.name in found and tax.cost]
    profit = combine([(1.0, own["gain"]), (1.0, yearly_subsidies(network)), (-1.0, worn), *costs])
    late = {tax.name: combine([(tax.rate, profit)]) for tax in factors.taxes if tax.basis == "profit"}
    return {**found, **late}


def _economy(network: Network, factors: Factors, own: Quantities, taxes: Mapping[str, LinearForm]) -> tuple[Part, ...]:
    """Money per year without capital: sales and subsidies less all costs, taxes really paid among them."""
    prices = network.markets.provenance[np.unique(network.trades.market)]
    origin = {
        "sales": _worst(prices),
        "purchases": _worst(prices),
        "disposal": _worst(network.fates.provenance),
        "transport": "assumed",
        "operation": _worst(network.plants.economics_provenance),
    }
    parts = [_part(name, "economy", own[name], 1.0 if name == "sales" else -1.0, origin[name]) for name in origin]
    paid = subsidies_of(network)
    if paid.per_unit.any():
        said = _worst(paid.provenance[paid.per_unit > 0])
        parts.append(_part("subsidies", "economy", yearly_subsidies(network), 1.0, said))
    parts += [
        _part(tax.name, "economy", taxes[tax.name], -1.0, PROVENANCE[tax.provenance], tax=tax)
        for tax in factors.taxes
        if tax.cost
    ]
    return tuple(parts)


def _environment(network: Network, factors: Factors, own: Quantities) -> tuple[Part, ...]:
    """Pollution at the rates of the province without exemptions, and the assumed rates of what the law does not tax."""
    sites = network.plants.site
    parts = []
    for code, medium in enumerate(MEDIA[:2]):
        codes = [*factors.equivalent_provenance[factors.medium == code], *factors.rate_provenance[sites, code]]
        form = pollution(network, factors, code, paid=False)
        parts.append(_part(f"{medium}_pollution", "environment", form, 1.0, _worst(codes)))
    waste = np.where(_solid(network), factors.solid_rate[network.ports.commodity[network.fates.port]], 0.0)
    solid = _worst(factors.equivalent_provenance[factors.medium == MEDIA.index("solid")])
    parts.append(_part("solid_waste_pollution", "environment", build_form(network, fate=waste), 1.0, solid))
    amounts = {**{name: own[name] for name in ("co2", "co2_power", "water", "landfill")},
               "virgin_resource": _virgin(network, factors)}  # fmt: skip
    for name, form in amounts.items():
        rate = factors.items.get(name)
        if rate is not None:
            charged = combine([(rate.value, form)])
            parts.append(_part(f"{name}_charge", "environment", charged, 1.0, PROVENANCE[rate.provenance]))
    return tuple(parts)


def _society(network: Network, factors: Factors, own: Quantities, taxes: Mapping[str, LinearForm]) -> tuple[Part, ...]:
    """Jobs, local fiscal revenue (million CNY per year) and exposure of residents, each with its weight."""
    none = build_form(network)
    revenue = combine([(0.0, none), *((tax.local_share / MILLION, taxes[tax.name]) for tax in factors.taxes)])
    forms = {
        "jobs": (own["jobs"], "1"),
        "fiscal_revenue": (revenue, "million CNY/a"),
        "exposure": (exposure(network, factors), "1"),
    }
    parts = []
    for name, (form, unit) in forms.items():
        weight = factors.weights.get(name)
        origin = _ASSUMED if weight is None else weight.provenance
        parts.append(_part(name, "society", form, 0.0 if weight is None else weight.value, PROVENANCE[origin], unit))
    return tuple(parts)


def exposure(network: Network, factors: Factors) -> LinearForm:
    """Return residents near hazardous plants, by weight of band and plant.

    A new plant counts when it is built, whatever its size; a standing one in proportion to its activity, wholly at its
    base-year activity, as its jobs do.
    """
    plants = network.plants
    standing = plants.status == EXISTING
    people = np.nan_to_num(factors.near[plants.site]) * factors.hazard[plants.technology]
    with np.errstate(divide="ignore", invalid="ignore"):
        per_unit = np.where(standing & (plants.activity > 0), people / plants.activity, 0.0)
    return build_form(network, activity=per_unit, built=np.where(standing, 0.0, people))


def _lacking(network: Network, factors: Factors) -> pl.DataFrame:
    """Return pollutants and wastes without a figure, and hazardous plants around which nobody knows who lives."""
    ports, plants, fates = network.ports, network.plants, network.fates
    goods = np.array(network.commodity_ids, dtype=object)
    emission = (network.commodities["kind"] == "emission").to_numpy()
    known = np.isfinite(factors.equivalents) & np.isin(factors.medium, (0, 1))
    emitted = np.unique(ports.commodity[ports.coefficient > 0])
    silent = emitted[emission[emitted] & ~known[emitted] & ~factors.uncounted[emitted]]
    left = np.unique(ports.commodity[fates.port[_solid(network)]])
    dumped = left[~np.isfinite(factors.solid_rate[left]) & ~emission[left]]
    blind = np.flatnonzero(
        (factors.hazard[plants.technology] > 0) & np.isnan(factors.near[plants.site]) & ~plants.library
    )
    rows: list[tuple[str | None, str | None, str]] = [(None, goods[at], "equivalent") for at in (*silent, *dumped)]
    rows += [(network.plant_ids[at], None, "residents") for at in blind]
    return (
        pl.DataFrame(rows, schema=dict(network.unknowns.schema), orient="row")
        .unique()
        .sort("reason", "plant", "commodity", nulls_last=True)
    )
