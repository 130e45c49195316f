"""Fields of a case's inputs, read with one clear message where they do not fit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cyclopolis.foundation.problems import Problem, UserError
from cyclopolis.foundation.text import Message, message

Numbers = npt.NDArray[np.float64]


def refuse(field: str, text: Message, value: object = "") -> UserError:
    """Return the error for one field of the inputs."""
    return UserError([Problem(text, column=f"inputs: {field}", value=str(value))])


def mapping(value: object, field: str) -> Mapping[str, Any]:
    """Return a mapping; raises UserError for anything else."""
    if isinstance(value, Mapping):
        return value
    raise refuse(field, message("verify.not_mapping", field=field), value)


def listing(value: object, field: str) -> Sequence[Any]:
    """Return a list; raises UserError for anything else."""
    if isinstance(value, list | tuple):
        return value
    raise refuse(field, message("verify.not_list", field=field), value)


def number(value: object, field: str) -> float:
    """Return a finite number; raises UserError for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value):
        return float(value)
    raise refuse(field, message("verify.not_number", field=field), value)


def numbers(value: object, field: str) -> Numbers:
    """Return a list of numbers, or a list of equally long lists of numbers, as an array."""
    rows = [
        [number(one, field) for one in row] if isinstance(row, list | tuple) else number(row, field)
        for row in listing(value, field)
    ]
    lengths = {len(row) if isinstance(row, list) else -1 for row in rows}
    if not rows or 0 in lengths:
        raise refuse(field, message("verify.missing", field=field))
    if len(lengths) > 1:
        raise refuse(field, message("verify.ragged", field=field))
    return np.array(rows, dtype=float)


def required(inputs: Mapping[str, Any], field: str) -> Any:  # noqa: ANN401 - a tree of YAML
    """Return a field that must be there."""
    if inputs.get(field) is None:
        raise refuse(field, message("verify.missing", field=field))
    return inputs[field]


def known_only(tree: Mapping[str, Any], known: Sequence[str], field: str) -> None:
    """Raise UserError for a field that is not known, so that nothing asked is passed over in silence."""
    for key in tree:
        if key not in known:
            raise refuse(
                f"{field}.{key}" if field else str(key), message("verify.unknown_field", known=", ".join(known))
            )
