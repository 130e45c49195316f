"""Cases of metabolism: reconciliation, dynamic stocks, ecological network analysis, network topology."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.stats import chi2

from cyclopolis.foundation.text import message
from cyclopolis.industry.metabolism.cycling import cycling
from cyclopolis.industry.metabolism.reconcile import Reconciled, ReconcileProblem, reconcile
from cyclopolis.industry.metabolism.stocks import Lifetime, inflow_driven, stock_driven
from cyclopolis.industry.metabolism.topology import topology
from cyclopolis.study.verify.fields import Numbers, known_only, listing, mapping, number, numbers, refuse, required

HALF_WIDTH = 1.96
"""Half width of a 95 % interval in standard uncertainties, as the cases state it."""

_LIFETIMES = {"lognormal": "log_normal", "foldednormal": "folded_normal", "constant": "fixed"}


def _plain(value: float) -> float | None:
    """Return a number, or None where the engine found none."""
    return None if np.isnan(value) else float(value)


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


def solve_reconciliation(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Reconcile quantities: values with uncertainties, classes, global and local tests."""
    del expected
    known_only(inputs, ("quantities", "linear", "products", "correlations", "confidence"), "")
    names, problem = _problem(inputs)
    found = reconcile(problem)
    confidence = number(inputs.get("confidence", 0.95), "confidence")
    limit = float(chi2.ppf(confidence, found.dof)) if found.dof else None
    values = [_plain(value) for value in found.values.tolist()]
    sds = [_plain(sd) for sd in found.sds.tolist()]
    return {
        "values": {name: [value, sd] for name, value, sd in zip(names, values, sds, strict=True)},
        "values_half_width": {
            name: [value, None if sd is None else HALF_WIDTH * sd]
            for name, value, sd in zip(names, values, sds, strict=True)
        },
        "classes": dict(zip(names, found.kinds, strict=True)),
        "local_test": {name: _plain(test) for name, test in zip(names, found.local_tests.tolist(), strict=True)},
        "chi_square": found.chi_square,
        "chi_square_limit": limit,
        "degrees_of_freedom": found.dof,
        "p_value": _plain(found.p_value),
        "accepted": limit is None or found.chi_square <= limit,
        **_lists(names, found),
    }


def _lists(names: Sequence[str], found: Reconciled) -> dict[str, list[str]]:
    """Return the names of each class that cases list."""
    classes = {"not_redundant": "measured", "unobservable": "unobservable", "observable": "observable"}
    return {
        label: [name for name, kind in zip(names, found.kinds, strict=True) if kind == wanted]
        for label, wanted in classes.items()
    }


def _problem(inputs: Mapping[str, Any]) -> tuple[list[str], ReconcileProblem]:
    quantities = [mapping(one, "quantities") for one in listing(required(inputs, "quantities"), "quantities")]
    names = [str(required(one, "id")) for one in quantities]
    place = {name: index for index, name in enumerate(names)}
    if len(place) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise refuse("quantities", message("verify.twice", names=", ".join(twice)))
    for name, one in zip(names, quantities, strict=True):
        known_only(one, ("id", "value", "sd", "half_width", "lower", "upper", "unit", "note"), name)

    def at(name: object, field: str) -> int:
        if str(name) not in place:
            raise refuse(field, message("verify.unknown_name", known=", ".join(names)), name)
        return place[str(name)]

    entries = [
        (row, at(name, f"linear.{row + 1}"), number(factor, f"linear.{row + 1}"))
        for row, terms in enumerate(listing(inputs.get("linear") or [], "linear"))
        for name, factor in mapping(terms, f"linear.{row + 1}").items()
    ]
    height = len(inputs.get("linear") or [])
    rows, columns, factors = zip(*entries, strict=True) if entries else ((), (), ())
    matrix = sp.csr_matrix((np.array(factors, dtype=float), (rows, columns)), shape=(height, len(names)))
    products = [
        [at(required(mapping(one, "products"), part), "products") for part in ("result", "factor", "of")]
        for one in listing(inputs.get("products") or [], "products")
    ]
    correlations = [_correlation(one, at) for one in listing(inputs.get("correlations") or [], "correlations")]
    problem = ReconcileProblem(
        values=np.array([_measured(one, name) for one, name in zip(quantities, names, strict=True)]),
        sds=np.array([_spread(one, name) for one, name in zip(quantities, names, strict=True)]),
        linear=matrix,
        products=np.array(products, dtype=np.int64).reshape(-1, 3),
        correlations=correlations,
        lower=_bounds(quantities, "lower"),
        upper=_bounds(quantities, "upper"),
        names=names,
    )
    return names, problem


def _correlation(one: object, at: Any) -> tuple[int, int, float]:  # noqa: ANN401 - the local look-up of a name
    cells = listing(one, "correlations")
    if len(cells) != 3:
        raise refuse("correlations", message("verify.row_length", given=len(cells), wanted=3))
    return at(cells[0], "correlations"), at(cells[1], "correlations"), number(cells[2], "correlations")


def _measured(one: Mapping[str, Any], name: str) -> float:
    return float("nan") if one.get("value") is None else number(one["value"], name)


def _spread(one: Mapping[str, Any], name: str) -> float:
    """Return the standard uncertainty: as given, or from the half width of a 95 % interval."""
    if one.get("value") is None:
        return float("nan")
    if one.get("half_width") is not None:
        return number(one["half_width"], name) / HALF_WIDTH
    return number(required(one, "sd"), name)


def _bounds(quantities: Sequence[Mapping[str, Any]], side: str) -> Numbers | None:
    if not any(one.get(side) is not None for one in quantities):
        return None
    return np.array([float("nan") if one.get(side) is None else number(one[side], side) for one in quantities])
