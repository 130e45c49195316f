"""Suspended solids of a model: which pollutant they are, and event mean concentrations where a model has none."""

from collections.abc import Mapping

from cyclopolis.infrastructure.drainage.inp import Inp

SOLIDS = ("SS", "TSS")
"""What suspended solids are called among a model's pollutants, in any case of letters."""


def solids(loads_kg: Mapping[str, float]) -> float | None:
    """Return the load of suspended solids among a run's loads, or None.

    Examples
    --------
    >>> solids({"Lead": 0.2, "Tss": 31.0}), solids({"Lead": 0.2})
    (31.0, None)
    """
    return next((load for name, load in loads_kg.items() if name.upper() in SOLIDS), None)


def solids_in(model: Inp) -> str | None:
    """Return what a model calls its suspended solids, None where it has none."""
    return next((name for name in model.names("POLLUTANTS") if name.upper() in SOLIDS), None)


def with_solids(model: Inp, mg_l: Mapping[str, float]) -> Inp:
    """Return a model whose runoff carries suspended solids at event mean concentrations.

    Parameters
    ----------
    model : Inp
        A model without such a pollutant. Of a subcatchment that has land uses only what they leave open is taken.
    mg_l : mapping
        Concentration by subcatchment, mg/L; without any nothing is changed.
    """
    given = sorted(set(mg_l.values()))
    if not given:
        return model
    others = set(model.names("LANDUSES"))
    names = (name for place in range(1, len(given) + len(others) + 1) if (name := f"USE{place}") not in others)
    uses = dict(zip(given, names, strict=False))
    covered = _covered(model)
    left = {name: 100.0 - covered.get(name, 0.0) for name in mg_l}
    model = model.add_rows("POLLUTANTS", [(SOLIDS[0], "MG/L", 0, 0, 0, 0, "NO", "*", 0, 0, 0)])
    model = model.add_rows("LANDUSES", [(name,) for name in uses.values()])
    model = model.add_rows("WASHOFF", [(name, SOLIDS[0], "EMC", value, 0, 0, 0) for value, name in uses.items()])
    rows = [(name, uses[value], left[name]) for name, value in mg_l.items() if left[name] > 0]
    return model.add_rows("COVERAGES", rows)


def with_solids_everywhere(model: Inp, mg_l: float) -> Inp:
    r"""Return a model with one event mean concentration (mg/L) in all runoff, whatever its land uses are.

    Examples
    --------
    >>> model = with_solids_everywhere(Inp.parse(b"[SUBCATCHMENTS]\nS1 * J1 4 25 400 0.5 0\n"), 21.0)
    >>> solids_in(model), [row.fields[:4] for row in model.rows("WASHOFF")]
    ('SS', [('USE1', 'SS', 'EMC', '21')])
    """
    others = model.names("LANDUSES")
    model = with_solids(model, dict.fromkeys(model.names("SUBCATCHMENTS"), mg_l))
    model = model.add_rows("WASHOFF", [(name, SOLIDS[0], "EMC", mg_l, 0, 0, 0) for name in others])
    quality = model.option("IGNORE_QUALITY") is not None
    return model.set_option("IGNORE_QUALITY", "NO") if quality else model


def _covered(model: Inp) -> dict[str, float]:
    """Return how much of each subcatchment has a land use, percent; a line may tell several."""
    found: dict[str, float] = {}
    for row in model.rows("COVERAGES"):
        found[row.fields[0]] = found.get(row.fields[0], 0.0) + sum(float(share) for share in row.fields[2::2])
    return found
