"""Cases of metabolism: dynamic stocks, ecological network analysis, network topology."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cyclopolis.foundation.text import message
from cyclopolis.industry.metabolism.cycling import cycling
from cyclopolis.industry.metabolism.stocks import Lifetime, inflow_driven, stock_driven
from cyclopolis.industry.metabolism.topology import topology
from cyclopolis.study.verify.fields import Numbers, known_only, listing, mapping, number, numbers, refuse, required

_LIFETIMES = {"lognormal": "log_normal", "foldednormal": "folded_normal", "constant": "fixed"}


def solve_stock(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Run a dynamic stock, inflow_driven or stock_driven; cohorts enter at the end unless ``entry`` says else."""
    del expected
    known_only(inputs, ("mode", "inflow", "stock", "lifetime", "entry", "years", "never_negative"), "")
    mode = str(inputs.get("mode", "inflow_driven"))
    driver = {"inflow_driven": "inflow", "stock_driven": "stock"}.get(mode)
    if driver is None:
        raise refuse("mode", message("verify.unknown_name", known="inflow_driven, stock_driven"), mode)
    values = numbers(required(inputs, driver), driver)
    years = numbers(inputs["years"], "years") if "years" in inputs else np.arange(float(values.shape[0]))
    if years.ndim != 1:
        raise refuse("years", message("verify.not_list", field="years"))
    entry, lifetime = inputs.get("entry", "end"), _lifetime(inputs, values.shape)
    if mode == "inflow_driven":
        model = inflow_driven(years, values, lifetime, entry)
    else:
        model = stock_driven(years, values, lifetime, entry, never_negative=bool(inputs.get("never_negative")))
    return {
        "inflow": model.inflow.tolist(),
        "stock": model.stock.tolist(),
        "outflow": model.outflow.tolist(),
        "final_stock": model.stock[-1].tolist(),
    }


def _lifetime(inputs: Mapping[str, Any], shape: tuple[int, ...]) -> Lifetime:
    """Read the lifetime: one figure, one per product, or one per cohort and product."""
    tree = mapping(required(inputs, "lifetime"), "lifetime")
    known_only(tree, ("type", "mean", "sd", "shape", "scale"), "lifetime")
    kind = str(required(tree, "type")).lower().replace("-", "_").replace(" ", "_")
    given = {
        name: numbers(value, name) if isinstance(value, list) else number(value, f"lifetime.{name}")
        for name, value in tree.items()
        if name != "type"
    }
    products = shape[1] if len(shape) > 1 else 1
    for name, value in given.items():
        if np.shape(value) not in {(), (products,), (shape[0], products)}:
            raise refuse(f"lifetime.{name}", message("verify.row_length", given=np.size(value), wanted=products))
    return Lifetime(_LIFETIMES.get(kind, kind), **given)  # type: ignore[arg-type]  # Lifetime refuses an unknown kind


def solve_cycling(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Analyse an ecological network: a square matrix of flows with what crosses the boundary."""
    del expected
    known_only(
        inputs, ("nodes", "flow_matrix_row_to_column", "boundary_input", "respiration", "export", "flow_unit"), ""
    )
    flows = numbers(required(inputs, "flow_matrix_row_to_column"), "flow_matrix_row_to_column")
    if flows.ndim != 2 or flows.shape[0] != flows.shape[1]:
        raise refuse("flow_matrix_row_to_column", message("verify.not_square"))
    found = cycling(
        flows, *(_of_nodes(inputs, name, len(flows)) for name in ("boundary_input", "respiration", "export"))
    )
    answer: dict[str, float] = {
        "n": found.nodes,
        "L": found.links,
        "connectance_L_over_N2": found.connectance,
        "linkage_density": found.linkage_density,
        "lambda_max": found.largest_eigenvalue,
        "strongly_connected_components": found.strong_parts,
        "boundary_input": found.boundary_input,
        "total_system_throughflow": found.throughflow,
        "total_system_throughput": found.throughput,
        "average_path_length": found.path_length,
        "finn_cycling_index": found.finn_cycling_index,
        "indirect_to_direct": found.indirect_to_direct,
        "ami": found.mutual_information,
        "flow_diversity_H": found.flow_diversity,
        "ascendency": found.ascendency,
        "development_capacity": found.capacity,
        "overhead": found.overhead,
        "asc_over_cap": found.ascendency_share,
        "robustness": found.robustness,
        "effective_link_density": found.effective_link_density,
        "trophic_depth": found.trophic_depth,
    }
    return {name: None if np.isnan(value) else value for name, value in answer.items()}


def _of_nodes(inputs: Mapping[str, Any], name: str, count: int) -> Numbers:
    if inputs.get(name) is None:
        return np.zeros(count)
    values = numbers(inputs[name], name)
    if values.shape != (count,):
        raise refuse(name, message("verify.row_length", given=values.size, wanted=count))
    return values


def solve_topology(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Measure an exchange network: all its links, and those of by-products alone where an attribute tells them."""
    del expected
    known_only(inputs, ("edge_columns", "edges", "name_aliases_applied"), "")
    columns = [str(one) for one in listing(inputs.get("edge_columns") or ["supplier", "receiver"], "edge_columns")]
    if "supplier" not in columns or "receiver" not in columns:
        raise refuse("edge_columns", message("verify.missing", field="supplier, receiver"))
    rows = []
    for place, edge in enumerate(listing(required(inputs, "edges"), "edges"), start=1):
        cells = listing(edge, f"edges.{place}")
        if len(cells) != len(columns):
            raise refuse(f"edges.{place}", message("verify.row_length", given=len(cells), wanted=len(columns)))
        rows.append({column: str(cell) for column, cell in zip(columns, cells, strict=True)})
    everything = _shape(rows)
    answer: dict[str, Any] = {**everything, "exchange_rows": len(rows), "all_links": everything}
    answer["published_cyclicity"] = everything["cyclicity_lambda_max"]
    if "attribute" in columns:
        named = [row for row in rows if row["attribute"].lower().replace("_", "-").replace(" ", "-") == "by-product"]
        answer["by_product_links_only"] = _shape(named)
    return answer


def _shape(rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    found = topology([row["supplier"] for row in rows], [row["receiver"] for row in rows])
    answer: dict[str, float] = {
        "actors": found.actors,
        "exchanges": found.exchanges,
        "links": found.links,
        "linkage_density": found.linkage_density,
        "connectance_L_over_N2": found.connectance_squared,
        "connectance_directed": found.connectance_directed,
        "connectance_undirected_hardy_graedel": found.connectance_undirected,
        "cyclicity_lambda_max": found.cyclicity,
        "suppliers": found.suppliers,
        "receivers": found.receivers,
        "prey_to_predator_ratio": found.prey_to_predator,
        "generalization_L_over_receivers": found.generalization,
        "vulnerability_L_over_suppliers": found.vulnerability,
        "largest_scc": found.largest_strong,
        "scc_with_more_than_one_node": found.strong_parts,
    }
    return {name: None if np.isnan(value) else value for name, value in answer.items()}
