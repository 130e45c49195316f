"""A park of three plants whose every number is worked out by hand in the tests; and the means to change it.

The power plant burns coal and leaves ash; the cement works' recipe takes ash (a use); the brick works may take ash
in place of clay (a substitution). All prices are round.
"""

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from cyclopolis.foundation.columns import empty_table, read_columns

FACTORS = (
    "pollution_equivalents",
    "pollution_rates",
    "tax_exemptions",
    "environment_tax_rules",
    "environment_rates",
    "society_weights",
    "exposure_bands",
    "hazards",
    "taxes",
    "regions",
    "traits",
    "price_groups",
)
PLAN = read_columns("cyclopolis.plan.schema")
LIBRARY = read_columns("cyclopolis.library")


@dataclass(frozen=True)
class Meta:
    name: str = "Tiny Park"
    name_zh: str = "小园区"
    place: str = "Nowhere"
    base_year: int = 2024
    horizon: tuple[int, ...] = (2030,)
    currency: str = "CNY"
    discount_rate: float = 0.06
    language: str = "en"


@dataclass(frozen=True)
class TinyLibrary:
    commodities: pl.DataFrame
    technologies: pl.DataFrame
    recipes: pl.DataFrame
    substitutions: pl.DataFrame
    fates: pl.DataFrame
    transport: pl.DataFrame
    grid_factors: pl.DataFrame
    emission_factors: pl.DataFrame
    pollution_equivalents: pl.DataFrame
    pollution_rates: pl.DataFrame
    tax_exemptions: pl.DataFrame
    environment_tax_rules: pl.DataFrame
    environment_rates: pl.DataFrame
    society_weights: pl.DataFrame
    exposure_bands: pl.DataFrame
    hazards: pl.DataFrame
    taxes: pl.DataFrame
    regions: pl.DataFrame
    traits: pl.DataFrame
    price_groups: pl.DataFrame


@dataclass(frozen=True)
class TinyPlan:
    meta: Meta
    tables: dict[str, pl.DataFrame]
    library: TinyLibrary
    inputs: dict[str, str] = field(default_factory=dict)
    notices: tuple[object, ...] = ()
    scenario: tuple[str, ...] = ()
    folder: Path = Path()
    places: dict[str, pl.DataFrame] = field(default_factory=dict)


def table(schema, name, rows):
    """Return documented columns, null where a row does not say."""
    columns = schema[name]
    known = {column.name for column in columns}
    for row in rows:
        assert set(row) <= known, set(row) - known
    if not rows:
        return empty_table(columns)
    return pl.DataFrame(
        {c.name: pl.Series([row.get(c.name) for row in rows], dtype=c.dtype, strict=False) for c in columns}
    )


def commodity(name, kind="material", unit="t", state="solid", low=None, high=None, mass=1.0, **more):
    return {
        "commodity": name,
        "name": name.capitalize(),
        "name_zh": f"{name}料",
        "kind": kind,
        "unit": unit,
        "state": state,
        "price_low": low,
        "price_high": high,
        "t_per_unit": mass,
        "hazard": False,
        "natural": False,
        "source": "test",
        "provenance": "memory",
        **more,
    }


COMMODITIES = [
    commodity("coal", low=300.0, high=600.0, lhv_gj_per_unit=20.0, carbon_t_per_unit=0.5),
    commodity("oxygen_air", state="gas", natural=True),
    commodity("freshwater", "water", "m3", "liquid", 2.0, 5.0),
    commodity("electricity", "energy", "MWh", "power", 400.0, 700.0, mass=None),
    commodity("ash", sw_code="SW02", disposal_cost=50.0),
    commodity("co2_fossil", "emission", state="gas"),
    commodity("so2", "emission", state="gas"),
    commodity("clinker", low=200.0, high=300.0),
    commodity("cement", low=250.0, high=400.0),
    commodity("clay", low=10.0, high=20.0),
    commodity("brick", low=100.0, high=150.0),
    commodity("tar", state="liquid", hazard=True, sw_code="HW11"),
]


def technology(name, chain, main, direction="out", **more):
    return {
        "technology": name,
        "chain": chain,
        "name": name.capitalize(),
        "name_zh": f"{name}工艺",
        "main_commodity": main,
        "main_direction": direction,
        "unit": "MWh" if main == "electricity" else "t",
        "source": "test",
        "provenance": "memory",
        "economics_provenance": "memory",
        **more,
    }


TECHNOLOGIES = [
    technology(
        "power",
        "energy",
        "electricity",
        reference_capacity=1e6,
        capex=1000.0,
        opex=50.0,
        jobs=100.0,
        scale_exponent=0.65,
    ),
    technology(
        "cement", "building", "cement", reference_capacity=1e5, capex=100.0, opex=30.0, jobs=80.0, scale_exponent=0.65
    ),
    technology(
        "brick", "building", "brick", reference_capacity=5e4, capex=20.0, opex=20.0, jobs=40.0, scale_exponent=0.65
    ),
]


def recipe(technology_id, name, direction, role, amount, unit="t"):
    return {
        "technology": technology_id,
        "commodity": name,
        "direction": direction,
        "role": role,
        "amount": amount,
        "unit": unit,
        "source": "test",
        "provenance": "seen",
    }


RECIPES = [
    recipe("power", "electricity", "out", "main", 1.0, "MWh"),
    recipe("power", "coal", "in", "feedstock", 0.4),
    recipe("power", "oxygen_air", "in", "feedstock", 0.5),
    recipe("power", "freshwater", "in", "utility", 2.0, "m3"),
    recipe("power", "ash", "out", "waste", 0.1),
    recipe("power", "co2_fossil", "out", "emission", 0.7),
    recipe("power", "so2", "out", "emission", 0.001),
    recipe("cement", "cement", "out", "main", 1.0),
    recipe("cement", "clinker", "in", "feedstock", 0.8),
    recipe("cement", "ash", "in", "feedstock", 0.2),
    recipe("cement", "electricity", "in", "utility", 0.05, "MWh"),
    recipe("brick", "brick", "out", "main", 1.0),
    recipe("brick", "clay", "in", "feedstock", 1.1),
    recipe("brick", "freshwater", "in", "utility", 0.5, "m3"),
    recipe("brick", "tar", "out", "waste", 0.01),
]


def substitution(name, technology_id, displaced, ratio, share=None, credit=None):
    return {
        "commodity": name,
        "technology": technology_id,
        "displaced": displaced,
        "ratio": ratio,
        "max_share_pct": share,
        "co2_credit": credit,
        "source": "test",
        "provenance": "memory",
    }


SUBSTITUTIONS = [
    substitution("ash", "cement", "clinker", 1.0, share=25.0, credit=0.8),
    substitution("ash", "brick", "clay", 0.9, share=30.0),
]


def fate(name, way, cost, co2=0.0):
    return {
        "commodity": name,
        "fate": way,
        "cost": cost,
        "co2_t_per_unit": co2,
        "source": "test",
        "provenance": "memory",
    }


FATES = [
    fate("ash", "landfill", 50.0),
    fate("tar", "treat", 2000.0),
    fate("co2_fossil", "emit", 0.0, 1.0),
    fate("so2", "emit", 0.0),
]
TRANSPORT = [
    {
        "mode": "truck",
        "states": "solid;sludge",
        "kinds": "material",
        "cost_per_t_km": 0.5,
        "reach_km": 100.0,
        "detour": 1.3,
        "source": "test",
        "provenance": "assumed",
    },
    {
        "mode": "wire",
        "states": "power",
        "kinds": "energy",
        "cost_per_unit_km": 0.4,
        "reach_km": 50.0,
        "detour": 1.0,
        "source": "test",
        "provenance": "assumed",
    },
]
GRID = [
    {"year": 2022, "region": "North", "factor_tco2_per_mwh": 0.7, "source": "test", "provenance": "seen"},
    {"year": 2023, "region": "North", "factor_tco2_per_mwh": 0.6, "source": "test", "provenance": "seen"},
    {"year": 2028, "region": "North", "factor_tco2_per_mwh": 0.3, "source": "test", "provenance": "seen"},
]
SITES = [
    {"site": "town", "kind": "city", "lon": 113.0, "lat": 36.0, "grid_region": "North"},
    {"site": "park", "kind": "park", "parent": "town", "lon": 113.0, "lat": 36.1, "area_km2": 4.0},
    {"site": "lot", "kind": "parcel", "parent": "park"},
    {"site": "hill", "kind": "park", "parent": "town", "lon": 113.2, "lat": 36.1},
]
ENTERPRISES = [
    {"enterprise": "grid", "name": "Grid Co", "site": "park", "source": "test"},
    {"enterprise": "stone", "name": "Stone Co", "site": "hill", "source": "test"},
]
PLANTS = [
    {
        "plant": "boiler",
        "enterprise": "grid",
        "technology": "power",
        "status": "existing",
        "capacity": 12000.0,
        "activity": 10000.0,
        "source": "yearbook",
    },
    {
        "plant": "mill",
        "enterprise": "stone",
        "technology": "cement",
        "status": "existing",
        "capacity": 4000.0,
        "activity": 3000.0,
        "jobs": 60.0,
        "source": "yearbook",
    },
    {
        "plant": "kiln",
        "enterprise": "grid",
        "site": "lot",
        "technology": "brick",
        "status": "existing",
        "capacity": 1000.0,
        "activity": 1000.0,
        "source": "assumed from photographs",
    },
]
EXCHANGES = [{"from_plant": "boiler", "to_plant": "mill", "commodity": "ash", "amount": 400.0, "status": "existing"}]


def tiny_library(**changes):
    rows = {
        "commodities": COMMODITIES,
        "technologies": TECHNOLOGIES,
        "recipes": RECIPES,
        "substitutions": SUBSTITUTIONS,
        "fates": FATES,
        "transport": TRANSPORT,
        "grid_factors": GRID,
        "emission_factors": [],
        **{name: [] for name in FACTORS},
        **changes,
    }
    return TinyLibrary(**{name: table(LIBRARY, name, rows[name]) for name in rows})


def tiny_plan(library=None, meta=None, **changes):
    rows = {"sites": SITES, "enterprises": ENTERPRISES, "plants": PLANTS, "exchanges": EXCHANGES, **changes}
    tables = {name: table(PLAN, name, rows.get(name, [])) for name in PLAN}
    return TinyPlan(meta or Meta(), tables, library or tiny_library())
