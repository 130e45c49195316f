"""The circularity of every scope as a table: material and water measures, cycling of mass, shape of the exchanges."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
import polars as pl

from cyclopolis.foundation.problems import UserError
from cyclopolis.foundation.text import Language, say
from cyclopolis.industry.metabolism import circularity as measure
from cyclopolis.industry.metabolism.cycling import cycling
from cyclopolis.industry.metabolism.detailed import SCOPES, movements
from cyclopolis.industry.metabolism.topology import topology
from cyclopolis.network.model import Floats

LARGEST: Final = 2_000
"""Plants up to which cycling is computed: it needs the inverse of a dense matrix of that size."""
CYCLING: Final = (
    "throughflow",
    "path_length",
    "finn_cycling_index",
    "ascendency",
    "development_capacity",
    "ascendency_share",
)
"""Measures of the network of mass."""
_BETWEEN: Final = ("internal", "supply", "exchange", "substitution")
_USED: Final[Mapping[str, tuple[str, ...]]] = {
    "circular_material_use": ("recycled", "secondary_exports", "consumption"),
    "resource_productivity": ("sales", "purchases", "disposal", "transport", "consumption"),
    "waste_reuse_rate": ("reused_inside", "given", "sold", "arising"),
    "recycled_content": ("secondary_imports", "input"),
    "renewable_content": ("biogenic_input", "input"),
    "recycled_outflow": ("secondary_exports", "exports", "landfilled", "treated"),
    "biological_outflow": ("biogenic_output", "exports", "landfilled", "treated"),
    "circular_water": ("from_circular_sources", "withdrawn"),
    "lawful_discharge": ("discharged", "withdrawn"),
    "water_reuse": ("reused", "withdrawn"),
    "material_productivity": ("sales", "input", "secondary_imports"),
}
"""Items whose unknown parts make a measure incomplete."""
_HOME: Final = {
    "sales": "money",
    "purchases": "money",
    "disposal": "money",
    "transport": "money",
    **dict.fromkeys(("reused_inside", "given", "sold", "arising"), "solid_waste"),
    **dict.fromkeys(("from_circular_sources", "withdrawn", "discharged", "reused"), "water"),
}
_NEVER: Final = {
    "reused_content": "reuse",
    "reused_outflow": "reuse",
    "lifetime_ratio": "lifetimes",
    "renewable_energy": "renewable_share",
    "resource_intensity": "formula",
}
"""Measures for which a plan holds no data, and what is missing."""
REASONS: Final = (
    "incomplete",
    "nothing_flows",
    "sustainability",
    "biological_fate",
    "too_large",
    "endless_cycle",
    *dict.fromkeys(_NEVER.values()),
)
"""What can stand in ``missing``."""


@cache
def measure_table() -> pl.DataFrame:
    """Return the measures in order: measure, unit, formula, source, formula_provenance, rank.

    Examples
    --------
    >>> measure_table()["measure"][0]
    'circular_material_use'
    """
    with (files("cyclopolis.industry.metabolism") / "measures.csv").open(encoding="utf-8") as handle:
        return pl.read_csv(handle.read().encode()).with_row_index("rank")


@dataclass(frozen=True)
class MassNetwork:
    """Mass between the plants of a scope and across its boundary, t/a.

    ``flows`` (n, n) from row to column; ``inputs``, ``losses``, ``exports`` (n,): what enters, what goes to the
    environment or a landfill, what is delivered. What a plant's recipe leaves open is closed at the boundary, so that
    every plant balances.
    """

    flows: Floats
    inputs: Floats
    losses: Floats
    exports: Floats


def mass_network(moves: pl.DataFrame) -> MassNetwork:
    """Return the mass network of one scope.

    Parameters
    ----------
    moves : polars.DataFrame
        Movements of the scope (`movements`) of what has mass: from_plant, to_plant, movement, mass_t.

    Examples
    --------
    >>> moves = pl.DataFrame({"from_plant": ["a", None, "b"], "to_plant": ["b", "a", None],
    ...                       "movement": ["inside", "bought", "sold"], "mass_t": [3.0, 4.0, 3.0]})
    >>> found = mass_network(moves)
    >>> found.flows.tolist(), found.inputs.tolist(), found.losses.tolist(), found.exports.tolist()
    ([[0.0, 3.0], [0.0, 0.0]], [4.0, 0.0], [1.0, 0.0], [0.0, 3.0])
    """
    known = moves.drop_nulls("mass_t")
    into, out = (
        pl.col("movement").is_in(["received", "bought", "natural", "from_stock", "no_source"]),
        pl.col("movement"),
    )
    sides = (
        (known.filter(into), "to_plant"),
        (known.filter(out.is_in(["given", "sold", "treat"])), "from_plant"),
        (known.filter(~into & out.is_in(["given", "sold", "treat", "inside"]).not_()), "from_plant"),
    )
    inside = known.filter(pl.col("movement") == "inside")
    columns = [table[end] for table, end in sides] + [inside["from_plant"], inside["to_plant"]]
    names = pl.concat(columns).unique().sort() if columns else pl.Series(dtype=pl.String)
    place = {name: index for index, name in enumerate(names.to_list())}
    size = len(place)

    def at(column: pl.Series) -> np.ndarray:
        return np.array([place[name] for name in column.to_list()], dtype=np.int64)

    inputs, exports, losses = (
        np.bincount(at(table[end]), weights=table["mass_t"].to_numpy(), minlength=size).astype(np.float64)
        for table, end in sides
    )
    flows = np.zeros((size, size))
    np.add.at(flows, (at(inside["from_plant"]), at(inside["to_plant"])), inside["mass_t"].to_numpy())
    left = flows.sum(axis=0) + inputs - flows.sum(axis=1) - losses - exports
    return MassNetwork(flows, inputs + np.maximum(-left, 0.0), losses + np.maximum(left, 0.0), exports)


def _cycling_of(moves: pl.DataFrame) -> tuple[dict[str, float], str | None]:
    """Return the measures of cycling of one scope, and what is missing."""
    unknown = dict.fromkeys(CYCLING, float("nan"))
    plants = pl.concat([moves["from_plant"], moves["to_plant"]]).n_unique()
    if plants > LARGEST:
        return unknown, "too_large"
    net = mass_network(moves)
    if not net.inputs.size:
        return unknown, "nothing_flows"
    try:
        found = cycling(net.flows, net.inputs, net.losses, net.exports)
    except UserError:
        return unknown, "endless_cycle"
    values = (
        found.throughflow,
        found.path_length,
        found.finn_cycling_index,
        found.ascendency,
        found.capacity,
        found.ascendency_share,
    )
    return dict(zip(CYCLING, values, strict=True)), None


def _shape_of(moves: pl.DataFrame) -> dict[str, float]:
    """Return the shape of one scope's exchanges: without an exchange everything is 0."""
    inside = moves.filter(pl.col("movement") == "inside")
    if inside.is_empty():
        return dict.fromkeys(("actors", "links", "cyclicity", "connectance", "linkage_density", "largest_strong"), 0.0)
    found = topology(inside["from_plant"].to_list(), inside["to_plant"].to_list())
    return {
        "actors": float(found.actors),
        "links": float(found.links),
        "cyclicity": found.cyclicity,
        "connectance": found.connectance_directed,
        "linkage_density": found.linkage_density,
        "largest_strong": float(found.largest_strong),
    }


def _from_accounts(details: pl.DataFrame) -> pl.DataFrame:
    """Return the measures that are ratios of accounts: scope_kind, scope, measure, value, missing."""
    totals = details.filter(pl.col("of").is_null()).with_columns(
        key=pl.concat_str("account", pl.lit("."), "item"), missing=pl.col("missing").cast(pl.Float64)
    )
    order = totals.select("scope_kind", "scope").unique(maintain_order=True)

    def read(item: str, column: str = "value") -> Floats:
        key = f"{_HOME.get(item, 'material')}.{item}"
        found = totals.filter(pl.col("key") == key).select("scope_kind", "scope", wanted=column)
        table = order.join(found, on=["scope_kind", "scope"], how="left", maintain_order="left")
        return table["wanted"].fill_null(float("nan")).to_numpy()

    added = read("sales") - read("purchases") - read("disposal") - read("transport")
    outflow = read("exports") + read("landfilled") + read("treated")
    grown_in, grown_out = read("biogenic_input"), read("biogenic_output")
    inside, sent = read("recycled"), read("secondary_exports")
    brought = read("secondary_imports")
    values = {
        "circular_material_use": measure.circular_material_use(inside + brought, brought, sent, read("consumption")),
        "resource_productivity": measure.resource_productivity(added, read("consumption")),
        "waste_reuse_rate": measure.waste_reuse_rate(
            read("reused_inside") + read("given") + read("sold"), read("arising")
        ),
        "recycled_content": measure.recycled_content(brought, read("input")),
        "renewable_content": measure.renewable_content(np.where(grown_in > 0, np.nan, grown_in), read("input")),
        "recycled_outflow": measure.recycled_outflow(sent, outflow),
        "biological_outflow": measure.biological_outflow(np.where(grown_out > 0, np.nan, grown_out), outflow),
        "circular_water": measure.circular_water(read("from_circular_sources"), read("withdrawn")),
        "lawful_discharge": measure.lawful_discharge(read("discharged"), read("withdrawn")),
        "water_reuse": measure.water_reuse(read("withdrawn"), read("reused")),
        "material_productivity": measure.material_productivity(read("sales"), read("input"), brought),
    }
    parts = []
    for name, value in values.items():
        unknown = np.sum([read(item, "missing") for item in _USED[name]], axis=0)
        reason = np.full(value.size, None, dtype=object)
        reason[unknown > 0] = "incomplete"
        reason[np.isnan(value)] = "nothing_flows"
        if name == "renewable_content":
            reason[grown_in > 0] = "sustainability"
        if name == "biological_outflow":
            reason[grown_out > 0] = "biological_fate"
        parts.append(
            order.with_columns(
                measure=pl.lit(name), value=pl.Series(value), missing=pl.Series(reason.tolist(), dtype=pl.String)
            )
        )
    never = [
        order.with_columns(measure=pl.lit(name), value=pl.lit(float("nan")), missing=pl.lit(reason))
        for name, reason in _NEVER.items()
    ]
    return pl.concat([*parts, *never])


def _from_flows(moves: pl.DataFrame) -> Iterable[dict[str, object]]:
    """Yield the measures of the network of every scope; scopes that hold the same flows are computed once."""
    has_mass = pl.col("counts")
    known: dict[bytes, tuple[dict[str, float], str | None]] = {}
    for (kind, scope), part in moves.partition_by("scope_kind", "scope", as_dict=True, maintain_order=True).items():
        seen = part["row"].to_numpy().tobytes() + "".join(part["movement"].to_list()).encode()
        if seen not in known:
            found, reason = _cycling_of(part.filter(has_mass))
            known[seen] = {**found, **_shape_of(part.filter(pl.col("kind").is_in(_BETWEEN)))}, reason
        values, reason = known[seen]
        for name, value in values.items():
            missing = reason if name in CYCLING else None
            missing = "nothing_flows" if missing is None and np.isnan(value) else missing
            yield {"scope_kind": kind, "scope": scope, "measure": name, "value": value, "missing": missing}


def circularity_table(
    rows: pl.DataFrame, details: pl.DataFrame, members: pl.DataFrame, commodities: pl.DataFrame
) -> pl.DataFrame:
    """Return the circularity of every scope as documented in ``columns.csv``.

    Parameters
    ----------
    rows : polars.DataFrame
        The state's table of flows.
    details : polars.DataFrame
        Its detailed accounts.
    members : polars.DataFrame
        Which plants belong to which scope (`scopes`).
    commodities : polars.DataFrame
        With commodity and kind: materials and emissions have mass that counts.

    Returns
    -------
    polars.DataFrame
        Columns scope_kind, scope, measure, value, unit, formula, source, missing, and names and notes. A value that
        cannot be computed is null and ``missing`` says why; "incomplete" stands beside a value of which some parts are
        unknown.
    """
    counted = commodities.filter(pl.col("kind").is_in(["material", "emission"]))["commodity"]
    moves = movements(rows, members).with_columns(counts=pl.col("commodity").is_in(counted.implode()))
    schema = {
        "scope_kind": pl.String,
        "scope": pl.String,
        "measure": pl.String,
        "value": pl.Float64,
        "missing": pl.String,
    }
    networks = pl.DataFrame(list(_from_flows(moves)), schema=schema)
    table = pl.concat([_from_accounts(details).select(*schema), networks])
    kind = pl.col("scope_kind").replace_strict({name: i for i, name in enumerate(SCOPES)}, return_dtype=pl.Int64)
    return (
        table.join(measure_table(), on="measure")
        .with_columns(pl.col("value").fill_nan(None))
        .sort(kind, "scope", "rank")
        .with_columns(name=_names("en"), name_zh=_names("zh"), note=_notes("en"), note_zh=_notes("zh"))
        .select(_COLUMNS)
    )


_COLUMNS: Final = (
    "scope_kind",
    "scope",
    "measure",
    "value",
    "unit",
    "formula",
    "source",
    "missing",
    "name",
    "name_zh",
    "note",
    "note_zh",
)


def _names(language: Language) -> pl.Expr:
    texts = {name: say(f"circularity.measure.{name}", language) for name in measure_table()["measure"]}
    return pl.col("measure").replace_strict(texts, return_dtype=pl.String)


def _notes(language: Language) -> pl.Expr:
    texts = {reason: say(f"circularity.missing.{reason}", language) for reason in REASONS}
    return pl.col("missing").replace_strict(texts, default=None, return_dtype=pl.String)
