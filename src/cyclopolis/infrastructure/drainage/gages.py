"""Puts rain into a model: another series of its own, or a storm that is added to it; and keeps its files found."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import message
from cyclopolis.infrastructure.drainage.inp import Inp, Row
from cyclopolis.infrastructure.drainage.swmm import Floats, units_of

_SOURCE, _SERIES, _FILE = 4, 5, 5


def with_series(model: Inp, series: str, name: str = "") -> Inp:
    """Return the model with all its rain gages reading one of its own time series.

    Raises
    ------
    UserError
        If the model has no rain gage, or no time series of that name.
    """
    known = model.names("TIMESERIES")
    gages = model.rows("RAINGAGES")
    if not gages:
        raise UserError([Problem(message("drainage.no_gage"), file=name)])
    if series not in known:
        text = message("drainage.no_series", known=", ".join(known) or "-")
        raise UserError([Problem(text, file=name, value=series)])
    for place in range(len(gages)):
        row = model.rows("RAINGAGES")[place]
        if len(row.fields) > _SERIES and row.fields[_SOURCE].upper() == "TIMESERIES":
            model = model.set_field("RAINGAGES", row, _SERIES, series)
        else:
            fields = [*row.fields[:_SOURCE], "TIMESERIES", series]
            model = _with_gage(model, row, fields)
    return model


def with_storm(model: Inp, intensity_mm_h: Floats, step_min: float, series: str = "cyclopolis_storm") -> Inp:
    """Return the model with all its rain gages reading a storm given as the intensity of each interval.

    Parameters
    ----------
    model : Inp
    intensity_mm_h : (n,) array
        Mean intensity of each interval.
    step_min : float
        Length of an interval; a whole number of seconds.
    series : str
        Name under which the storm is added.

    Raises
    ------
    UserError
        If the model has no rain gage.
    """
    per_unit = units_of(model).depth_mm
    times = step_min * np.arange(intensity_mm_h.size)
    rows = [
        (series, clock(minute), f"{value / per_unit:.6f}") for minute, value in zip(times, intensity_mm_h, strict=True)
    ]
    model = model.remove_rows("TIMESERIES", lambda row: row.fields[0] == series).add_rows("TIMESERIES", rows)
    for place in range(len(model.rows("RAINGAGES"))):
        row = model.rows("RAINGAGES")[place]
        factor = row.fields[3] if len(row.fields) > 3 else "1.0"
        model = _with_gage(model, row, [row.fields[0], "INTENSITY", clock(step_min), factor, "TIMESERIES", series])
    return with_series(model, series)


def _with_gage(model: Inp, row: Row, fields: list[str]) -> Inp:
    others = [list(other.fields) for other in model.rows("RAINGAGES")]
    place = model.rows("RAINGAGES").index(row)
    return model.replace_rows("RAINGAGES", [*others[:place], fields, *others[place + 1 :]])


def clock(minutes: float) -> str:
    """Return minutes as SWMM writes times.

    Examples
    --------
    >>> clock(90.0), clock(0.5), clock(1445)
    ('1:30', '0:00:30', '24:05')
    """
    seconds = round(minutes * 60)
    text = f"{seconds // 3600}:{seconds // 60 % 60:02d}"
    return f"{text}:{seconds % 60:02d}" if seconds % 60 else text


def with_found_files(model: Inp, folder: Path) -> Inp:
    """Return the model with files named relative to ``folder`` by their full paths, for it runs elsewhere."""
    for section, row, position in _named_files(model):
        path = Path(row.fields[position])
        if not path.is_absolute() and (folder / path).is_file():
            again = next(other for other in model.rows(section) if other.line == row.line)
            model = model.set_field(section, again, position, str((folder / path).resolve()))
    return model


def _named_files(model: Inp) -> Iterator[tuple[str, Row, int]]:
    for section in ("RAINGAGES", "TIMESERIES", "TEMPERATURE", "FILES"):
        for row in model.rows(section):
            if section == "FILES":
                position = 2 if re.fullmatch(r"USE", row.fields[0], re.IGNORECASE) else 0
            else:
                places = [place for place, word in enumerate(row.fields) if word.upper() == "FILE"]
                position = places[0] + 1 if places else 0
            if 0 < position < len(row.fields):
                yield section, row, position
