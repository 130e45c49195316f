"""Writes the small town with some of its files replaced."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from town_layers import PLAN, TOWN

from cyclopolis.plan import Plan, read_plan


@pytest.fixture
def town(tmp_path: Path) -> Callable[..., Plan]:
    """Return a function that writes the town with some files replaced and reads it."""

    def write(changed: Mapping[str, str] | None = None) -> Plan:
        folder = tmp_path / "town"
        folder.mkdir(exist_ok=True)
        for name, text in {**PLAN, **TOWN, **(changed or {})}.items():
            (folder / name).write_text(text, encoding="utf-8")
        return read_plan(folder)

    return write
