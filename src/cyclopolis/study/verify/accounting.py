"""Accounting cases: CO2 of fuels and of clinker by the official rules, with the library's factors."""

from collections.abc import Mapping
from typing import Any

from cyclopolis.foundation.text import message
from cyclopolis.industry.metabolism.emissions import clinker_co2, clinker_factors, fuel_co2, fuel_factors
from cyclopolis.library import load_library
from cyclopolis.study.verify.fields import known_only, listing, mapping, number, refuse, required

_FUEL_COLUMNS = ("ncv", "carbon_content", "oxidation_pct", "oxidation")


def solve_accounting(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """Account clinker (``clinker_t``), fuels (``fuels``), or both.

    Returns
    -------
    dict
        ``process_co2_t`` and ``deduction_factors`` (the library's) for clinker; ``co2_t_per_unit`` by fuel, and
        ``co2_t`` with ``total_co2_t`` where ``amounts`` are given.
    """
    del expected
    known_only(
        inputs, ("clinker_t", "clinker_factor", "alternative_raw_materials", "fuels", "columns", "amounts", "units"), ""
    )
    answer: dict[str, Any] = {}
    if "clinker_t" in inputs:
        answer |= _clinker(inputs)
    if "fuels" in inputs or "amounts" in inputs:
        answer |= _fuels(inputs)
    if not answer:
        raise refuse("", message("verify.needs_one", fields="clinker_t, fuels"))
    return answer


def _clinker(inputs: Mapping[str, Any]) -> dict[str, Any]:
    official, deductions = clinker_factors(load_library().emission_factors)
    factor = number(inputs["clinker_factor"], "clinker_factor") if "clinker_factor" in inputs else official
    amounts, saved = [], []
    for key, amount in mapping(inputs.get("alternative_raw_materials") or {}, "alternative_raw_materials").items():
        material = str(key).removesuffix("_t")
        field = f"alternative_raw_materials.{key}"
        if material not in deductions:
            raise refuse(field, message("verify.unknown_name", known=", ".join(deductions)), material)
        amounts.append(number(amount, field))
        saved.append(deductions[material])
    clinker = number(inputs["clinker_t"], "clinker_t")
    return {"process_co2_t": clinker_co2(clinker, factor, amounts, saved), "deduction_factors": dict(deductions)}


def _fuels(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Account fuels whose values the case gives, or the library knows."""
    factors = fuel_factors(load_library().emission_factors)
    per_unit = dict(zip(factors["item"].to_list(), factors["t_co2_per_unit"].to_list(), strict=True))
    given = mapping(inputs.get("fuels") or {}, "fuels")
    per_unit = {**per_unit, **{str(fuel): _per_unit(fuel, values, inputs) for fuel, values in given.items()}}
    answer: dict[str, Any] = {"co2_t_per_unit": per_unit}
    amounts = mapping(inputs.get("amounts") or {}, "amounts")
    if amounts:
        for fuel in amounts:
            if str(fuel) not in per_unit:
                raise refuse(f"amounts.{fuel}", message("verify.unknown_name", known=", ".join(per_unit)), fuel)
        emitted = {
            str(fuel): number(amount, f"amounts.{fuel}") * per_unit[str(fuel)] for fuel, amount in amounts.items()
        }
        answer |= {"co2_t": emitted, "total_co2_t": sum(emitted.values())}
    return answer


def _per_unit(fuel: str, values: object, inputs: Mapping[str, Any]) -> float:
    """Return t CO2 per unit of a fuel given as a row under ``columns`` or as a mapping."""
    field = f"fuels.{fuel}"
    if isinstance(values, Mapping):
        row = dict(values)
    else:
        columns = [str(column) for column in listing(inputs.get("columns") or _FUEL_COLUMNS[:3], "columns")]
        cells = listing(values, field)
        if len(cells) != len(columns):
            raise refuse(field, message("verify.row_length", given=len(cells), wanted=len(columns)))
        row = dict(zip(columns, cells, strict=True))
    known_only(row, _FUEL_COLUMNS, field)
    pure = (
        number(row["oxidation"], field) if "oxidation" in row else number(required(row, "oxidation_pct"), field) / 100
    )
    ncv, carbon = number(required(row, "ncv"), field), number(required(row, "carbon_content"), field)
    return float(fuel_co2(1.0, ncv, carbon, pure))
