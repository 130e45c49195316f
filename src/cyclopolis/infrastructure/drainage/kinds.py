"""The kinds of measures of a plan: the library's with the user's parameters over them; and where measures may stand."""

from dataclasses import dataclass

from cyclopolis.infrastructure.drainage.sponge import Kind, Measure
from cyclopolis.library.storm import load_storm_library
from cyclopolis.plan import Plan, provenance


@dataclass(frozen=True)
class Planned:
    """A row of the table measures: the measure, its area in the sponge variant, how well its cost is known."""

    measure: Measure
    area_m2: float
    cost_provenance: str
    source: str


def measure_kinds(plan: Plan) -> dict[str, Kind]:
    """Return every kind of measure by name, with the user's layer parameters."""
    library = load_storm_library()
    layers: dict[str, dict[tuple[str, str], tuple[float, str]]] = {}
    for measure, layer, name, value, unit in library.measure_layers.select(
        "measure", "layer", "parameter", "value", "unit"
    ).iter_rows():
        layers.setdefault(measure, {})[layer, name] = (value, unit)
    for row in plan.tables["measure_layers"].iter_rows(named=True):
        mine = layers[row["measure"]]
        mine[row["layer"], row["parameter"]] = (row["value"], mine[row["layer"], row["parameter"]][1])
    return {
        row["measure"]: Kind(
            row["measure"],
            row["swmm_type"],
            row["place"] == "impervious",
            row["treats"],
            row["to_pervious"],
            layers[row["measure"]],
        )
        for row in library.measures.iter_rows(named=True)
    }


def planned_measures(plan: Plan) -> tuple[Planned, ...]:
    """Return the measures of a plan in the order of its table."""
    costs = {row["measure"]: row for row in load_storm_library().measures.iter_rows(named=True)}
    found = []
    for row in plan.tables["measures"].iter_rows(named=True):
        area = row["area_m2"] or 0.0
        most = area if row["max_area_m2"] is None else row["max_area_m2"]
        known, own = costs[row["measure"]], row["cost_cny_m2"]
        cost = (known["cost_low"] + known["cost_high"]) / 2 if own is None else own
        weak = known["provenance"] if own is None else provenance(row["source"])
        source = known["source"] if own is None else row["source"] or ""
        measure = Measure(row["catchment"], row["measure"], most, cost, row["from_sealed_pct"])
        found.append(Planned(measure, area, weak, source))
    return tuple(found)
