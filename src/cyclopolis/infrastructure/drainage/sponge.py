"""Writes sponge measures into a model: their layers, where they stand, and what surface they leave.

A measure takes the place of sealed or unsealed ground of its catchment, so that the share of sealed surface and the
width of what is left are written anew. One `SpongeWriter` prepares all that designs have in common; a design is then a
few lines more.
"""

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count

import numpy as np
import numpy.typing as npt

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.infrastructure.drainage.inp import Inp, format_row
from cyclopolis.infrastructure.drainage.swmm import FOOT, INCH, Floats, Units, units_of

LAYERS: Mapping[str, tuple[str, ...]] = {
    "SURFACE": ("berm_or_storage_height", "vegetation_fraction", "manning_n", "slope", "side_slope"),
    "SOIL": (
        "thickness",
        "porosity",
        "field_capacity",
        "wilting_point",
        "conductivity",
        "conductivity_slope",
        "suction_head",
    ),
    "PAVEMENT": ("thickness", "void_ratio", "impervious_fraction", "permeability", "clogging_factor"),
    "STORAGE": ("thickness", "void_ratio", "seepage_rate", "clogging_factor"),
    "DRAIN": ("flow_coefficient", "flow_exponent", "offset", "delay"),
}
"""Parameters of each layer in SWMM's order."""
_LENGTHS = {"mm", "mm/h"}
_SWALE_M = 4.0
_AREA, _SEALED, _WIDTH = 3, 4, 5


@dataclass(frozen=True)
class Kind:
    """One kind of measure: SWMM's type, whether it takes sealed ground, what drains to it, its layers.

    ``layers`` maps layer and parameter to value and unit, in SI units.
    """

    name: str
    swmm_type: str
    on_sealed: bool
    treats: float
    to_pervious: bool
    layers: Mapping[tuple[str, str], tuple[float, str]]


@dataclass(frozen=True)
class Measure:
    """One measure at one catchment: its largest area, its cost, and what drains to it at that area.

    ``from_sealed_pct`` is None where the kind's usual ratio of areas holds.
    """

    catchment: str
    kind: str
    max_area_m2: float
    cost_cny_m2: float
    from_sealed_pct: float | None = None


@dataclass(frozen=True, eq=False)
class Ground:
    """The sealed or the open ground of a catchment, m2, and the places of the measures that may take it."""

    catchment: str
    on_sealed: bool
    free_m2: float
    places: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Surface:
    """The row of a catchment, and its ground without measures of the model's own: all of it and the sealed part."""

    line: int
    fields: tuple[str, ...]
    area_m2: float
    sealed_m2: float


class SpongeWriter:
    """Writes designs over one model.

    Parameters
    ----------
    model : Inp
        The model without these measures.
    kinds : mapping of str to Kind
    measures : sequence of Measure
        What a design gives an area for, in this order.

    Raises
    ------
    UserError
        If a catchment is not in the model.
    """

    def __init__(self, model: Inp, kinds: Mapping[str, Kind], measures: Sequence[Measure]) -> None:
        self._units = units_of(model)
        self._kinds, self.measures = kinds, tuple(measures)
        taken = {name.casefold() for name in model.names("LID_CONTROLS")}
        self._called = {name: _free_name(name, taken) for name in sorted({measure.kind for measure in measures})}
        used = [replace(kinds[name], name=called) for name, called in self._called.items()]
        prepared = model.add_rows("LID_CONTROLS", [row for kind in used for row in control_rows(kind, self._units)])
        prepared = prepared.add_rows("LID_USAGE", []) if not measures else prepared
        self._lines = list(prepared.lines)
        if self._lines and not self._lines[-1].endswith("\n"):
            self._lines[-1] += prepared.newline
        self._newline = prepared.newline
        self._catchment = surfaces(prepared)
        missing = sorted({measure.catchment for measure in measures} - set(self._catchment))
        if missing:
            known = ", ".join(self._catchment)
            raise UserError([Problem(message("drainage.no_catchment", known=known), value=name) for name in missing])
        self._by_catchment: dict[str, list[int]] = {}
        for place, measure in enumerate(self.measures):
            self._by_catchment.setdefault(measure.catchment, []).append(place)

    def grounds(self) -> tuple[Ground, ...]:
        """Return the sealed and the open ground of each catchment with the measures that share it."""
        found = []
        for catchment, places in self._by_catchment.items():
            ground = self._catchment[catchment]
            for on_sealed, free in ((True, ground.sealed_m2), (False, ground.area_m2 - ground.sealed_m2)):
                mine = [place for place in places if self._kinds[self.measures[place].kind].on_sealed == on_sealed]
                if mine:
                    found.append(Ground(catchment, on_sealed, max(free, 0.0), np.array(mine)))
        return tuple(found)

    def write(self, areas_m2: Floats) -> bytes:
        """Return the model with each measure at its area; one without area is left out.

        Parameters
        ----------
        areas_m2 : (n,) array
            Area of each measure, in the order of ``measures``.
        """
        lines, usage = list(self._lines), []
        for catchment, places in self._by_catchment.items():
            mine = [(self.measures[place], float(areas_m2[place])) for place in places if areas_m2[place] > 0]
            if not mine:
                continue
            ground = self._catchment[catchment]
            lines[ground.line], shares = self._changed(ground, mine)
            usage += [
                self._usage(catchment, measure, area, share)
                for (measure, area), share in zip(mine, shares, strict=True)
            ]
        if usage:
            lines += ["[LID_USAGE]" + self._newline, *(row + self._newline for row in usage)]
        return "".join(lines).encode("utf-8", "surrogateescape")

    def _changed(self, ground: Surface, mine: Sequence[tuple[Measure, float]]) -> tuple[str, list[float]]:
        """Return a catchment's line with what is left of it, and the share of its sealed ground that each treats."""
        on_sealed = sum(area for measure, area in mine if self._kinds[measure.kind].on_sealed)
        total = sum(area for _, area in mine)
        left = max(ground.area_m2 - total, 0.0)
        sealed = max(ground.sealed_m2 - on_sealed, 0.0)
        fields = list(ground.fields)
        fields[_SEALED] = f"{100.0 * min(sealed / left, 1.0) if left > 0 else 0.0:.6g}"
        fields[_WIDTH] = f"{float(fields[_WIDTH]) * max(left / max(ground.area_m2, 1e-9), 1e-3):.6g}"
        shares = [treated_pct(self._kinds[measure.kind], measure, area, sealed) for measure, area in mine]
        over = max(sum(shares) / 100.0, 1.0)
        return format_row(fields) + self._newline, [share / over for share in shares]

    def _usage(self, catchment: str, measure: Measure, area: float, share: float) -> str:
        kind = self._kinds[measure.kind]
        length = FOOT if self._units.is_us else 1.0
        width = math.sqrt(area) if kind.swmm_type != "VS" else min(math.sqrt(area), _SWALE_M)
        width = 0.0 if kind.swmm_type in {"RB", "IT"} else width / length
        size = area / self._units.measure_m2
        row = (
            catchment,
            self._called[measure.kind],
            1,
            f"{size:.6g}",
            f"{width:.6g}",
            0,
            f"{share:.6g}",
            int(kind.to_pervious),
        )
        return format_row(row)


def _free_name(name: str, taken: Container[str]) -> str:
    """Return a name that a model's own measures do not have; SWMM does not tell capitals from small letters."""
    names = chain([name], (f"{name}_{number}" for number in count(2)))
    return next(one for one in names if one.casefold() not in taken)


def treated_pct(kind: Kind, measure: Measure, area_m2: float, sealed_m2: float) -> float:
    """Return the share of a catchment's other sealed ground that drains to a measure, %.

    Parameters
    ----------
    kind : Kind
    measure : Measure
    area_m2 : float
        Area of the measure.
    sealed_m2 : float
        Sealed ground that no measure covers.
    """
    if sealed_m2 <= 0:
        return 0.0
    if measure.from_sealed_pct is not None:
        full = measure.max_area_m2 or area_m2
        return min(100.0, measure.from_sealed_pct * area_m2 / full)
    return min(100.0, 100.0 * kind.treats * area_m2 / sealed_m2)


def control_rows(kind: Kind, units: Units) -> list[tuple[object, ...]]:
    """Return the rows of ``[LID_CONTROLS]`` of one kind in the model's units."""
    rows: list[tuple[object, ...]] = [(kind.name, kind.swmm_type)]
    for layer, parameters in LAYERS.items():
        given = [kind.layers.get((layer, name)) for name in parameters]
        if all(value is None for value in given):
            continue
        values = [_in_units(name, kind, layer, units) for name in parameters]
        tail = {"PAVEMENT": (0, 0), "STORAGE": ("NO",) if kind.swmm_type != "RB" else ("YES",)}.get(layer, ())
        rows.append((kind.name, layer, *(f"{value:.6g}" for value in values), *tail))
    return rows


def _in_units(name: str, kind: Kind, layer: str, units: Units) -> float:
    """Return a parameter in the model's units; a drain's coefficient depends on its exponent too."""
    value, unit = kind.layers.get((layer, name), (0.0, "1"))
    if not units.is_us or unit not in _LENGTHS:
        return value
    if name == "flow_coefficient":
        exponent, _ = kind.layers.get((layer, "flow_exponent"), (0.5, "1"))
        return float(value / INCH ** (1.0 - exponent))
    return value / INCH


def surfaces(model: Inp) -> dict[str, Surface]:
    r"""Return what each catchment has beside the measures that stand in the model already: SWMM's share is of that.

    Examples
    --------
    >>> model = Inp.parse(
    ...     b"[OPTIONS]\nFLOW_UNITS CMS\n[SUBCATCHMENTS]\nS1 R O 1 50 9 1 0\n[LID_USAGE]\nS1 roof 2 1000 0 0 0 0\n"
    ... )
    >>> surfaces(model)["S1"].area_m2, surfaces(model)["S1"].sealed_m2
    (8000.0, 4000.0)
    """
    units = units_of(model)
    covered: dict[str, float] = {}
    for row in model.rows("LID_USAGE"):
        size = float(row.fields[2]) * float(row.fields[3]) * units.measure_m2
        covered[row.fields[0]] = covered.get(row.fields[0], 0.0) + size
    found = {}
    for row in model.rows("SUBCATCHMENTS"):
        area = max(float(row.fields[_AREA]) * units.area_m2 - covered.get(row.fields[0], 0.0), 0.0)
        found[row.fields[0]] = Surface(row.line, row.fields, area, area * float(row.fields[_SEALED]) / 100.0)
    return found


def refuse_too_large(writer: SpongeWriter, areas_m2: Floats) -> None:
    """Raise UserError where the measures of a catchment do not fit on the ground whose place they take."""
    problems = []
    for ground in writer.grounds():
        used, free = float(np.sum(areas_m2[ground.places])), ground.free_m2
        if used > free * (1 + 1e-6):
            key = "drainage.measures_on_impervious" if ground.on_sealed else "drainage.measures_on_pervious"
            text = message(key, catchment=ground.catchment, used=f"{used:,.0f}", free=f"{free:,.0f}")
            problems.append(Problem(text, column="area_m2"))
    if problems:
        raise UserError(problems)
