"""Writes the square kilometre with some of its files replaced."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from land_layers import LAYERS, PLAN

from cyclopolis.ecology.land import Land, land
from cyclopolis.plan import Plan, read_plan

WritePlan = Callable[..., Plan]


@pytest.fixture
def place(tmp_path: Path) -> WritePlan:
    """Return a function that writes the place with some files replaced (None: left out) and reads it."""

    def write(changed: Mapping[str, str | None] | None = None) -> Plan:
        folder = tmp_path / "place"
        folder.mkdir(exist_ok=True)
        for name, text in {**PLAN, **LAYERS, **(changed or {})}.items():
            if text is None:
                (folder / name).unlink(missing_ok=True)
            else:
                (folder / name).write_text(text, encoding="utf-8")
        return read_plan(folder)

    return write


@pytest.fixture
def measured(place: WritePlan) -> Land:
    return land(place())
