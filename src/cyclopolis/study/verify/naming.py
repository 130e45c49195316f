"""Field names of cases as people write them: units at their end, synonyms, any order of words."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cyclopolis.foundation.text import message
from cyclopolis.study.verify.fields import refuse

_MASS = {"mg": 1e-6, "g": 1e-3, "kg": 1.0, "t": 1e3, "ton": 1e3, "tonne": 1e3, "te": 1e3, "lb": 0.45359237}
_MASS |= {"m3": 1e3, "l": 1.0, "litre": 1.0, "kt": 1e6}
"""Kilogrammes; a cubic metre of water counts as a tonne."""
_TIME = {"s": 1.0, "sec": 1.0, "min": 60.0, "h": 3600.0, "hr": 3600.0, "d": 86400.0, "day": 86400.0, "a": 31536000.0}
_TIME |= {"yr": 31536000.0, "year": 31536000.0}
_SHARES = {
    "ppb": 1e-9, "ppm": 1e-6, "mg/l": 1e-6, "g/m3": 1e-6, "mg/kg": 1e-6, "g/t": 1e-6, "kg/t": 1e-3, "g/l": 1e-3,
    "g/kg": 1e-3, "kg/m3": 1e-3, "%": 1e-2, "pct": 1e-2, "percent": 1e-2, "kg/kg": 1.0, "fraction": 1.0,
}  # fmt: skip
_RATE_END = "|".join(f"{mass}_{time}" for mass in _MASS for time in _TIME)
_END = re.compile(
    rf"_(?:in_)?(?P<unit>{_RATE_END}|ppm|ppb|mg_l|g_m3|g_l|pct|percent|kmol_h|mol_s|mol_h|kmol_s|mmscfd|nm3_h|"
    r"kw_k|mw_k|kw_c|mw_c|kj_s|kw|mw|gj_h|c|degc|k|km|m|cny|usd|mol_pct|vol_pct)$"
)


def split_unit(key: str) -> tuple[str, str]:
    """Return a field's name without the unit at its end, and the unit with its slash.

    Examples
    --------
    >>> split_unit("mass_load_kg_h"), split_unit("cin_max_ppm"), split_unit("load")
    (('mass_load', 'kg/h'), ('cin_max', 'ppm'), ('load', ''))
    """
    found = _END.search(key.lower())
    if not found or not found.start():
        return key.lower(), ""
    return key.lower()[: found.start()], found["unit"].replace("_", "/")


def renamed(
    tree: Mapping[str, Any], names: Mapping[str, Sequence[str]], where: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a block's fields by their one name, and the units that stood in their names.

    Parameters
    ----------
    tree : mapping
        A block as written.
    names : mapping of str to sequence of str
        Every other name of each field.
    where : str
        Place of the block, for messages.

    Raises
    ------
    UserError
        For a field that has no such name, or that stands twice.
    """
    known = {other: name for name, others in names.items() for other in (name, *others)}
    fields: dict[str, Any] = {}
    units: dict[str, str] = {}
    for key, value in tree.items():
        plain, unit = split_unit(str(key))
        name = known.get(str(key).lower()) or known.get(plain)
        field = f"{where}.{key}" if where else str(key)
        if name is None:
            raise refuse(field, message("verify.unknown_field", known=", ".join(names)))
        if name in fields:
            raise refuse(field, message("verify.twice", names=str(key)))
        fields[name] = value
        if unit and str(key).lower() not in known:
            units[name] = unit
    return fields, units


def load_factor(load: str, flow: str, concentration: str) -> float | None:
    """Return what one unit of load is in flow x concentration; None where a unit says nothing of mass.

    Examples
    --------
    >>> round(load_factor("kg/h", "t/h", "ppm"), 9), load_factor("g/h", "mol/s", "ppm")
    (1000.0, None)
    """
    top, bottom, share = _rate(load), _rate(flow), _share(concentration)
    return None if top is None or bottom is None or share is None else top / (bottom * share)


def _rate(unit: str) -> float | None:
    parts = unit.strip().lower().split()
    mass, _, time = parts[0].partition("/") if parts else ("", "", "")
    return _MASS[mass] / _TIME[time] if mass in _MASS and time in _TIME else None


def _share(unit: str) -> float | None:
    text = unit.strip().lower()
    return next((size for name, size in _SHARES.items() if name in text.split() or text.endswith(name)), None)


_WORDS = {
    "minimum": "min", "target": "min", "least": "min", "lowest": "min", "minimal": "min", "optimal": "min",
    "fresh": "freshwater", "utility": "freshwater", "makeup": "freshwater", "import": "freshwater",
    "waste": "wastewater", "effluent": "wastewater", "discharge": "wastewater", "purge": "wastewater",
    "fuel": "wastewater", "tail": "wastewater", "savings": "saving", "reduction": "saving", "saved": "saving",
    "recycle": "recycling", "recycled": "recycling", "pinches": "pinch", "points": "pinch", "no": "without",
    "regen": "regeneration", "treated": "regenerated", "plants": "plant", "single": "alone", "individual": "alone",
    "standalone": "alone", "connections": "links", "matches": "links", "match": "links", "pipes": "links",
    "link": "links", "connection": "links", "interconnections": "links", "total": "sum", "together": "integrated",
    "joint": "integrated", "global": "integrated", "heating": "hot", "cooling": "cold", "interplant": "cross",
    "inter": "cross", "coalitions": "coalition", "values": "value", "percentage": "pct", "percent": "pct",
}  # fmt: skip
_DROPPED = {
    "flow", "flows", "flowrate", "rate", "of", "the", "water", "demand", "use", "usage", "consumption", "required",
    "requirement", "number", "at", "optimum", "concentration", "hydrogen", "h2", "and", "with", "to", "network", "by",
    "temperature", "duty", "t", "q", "temp", "side", "generation",
}  # fmt: skip


def words(key: str) -> frozenset[str]:
    """Return what a field's name says, without units, fillers, synonyms and order.

    Examples
    --------
    >>> words("min_freshwater_t_h") == words("minimum_fresh_water_flowrate")
    True
    """
    plain, _ = split_unit(key.replace("-", "_").replace(" ", "_"))
    plain = plain.replace("fresh_water", "freshwater").replace("waste_water", "wastewater")
    return frozenset(_WORDS.get(part, part) for part in plain.split("_") if part and part not in _DROPPED)
