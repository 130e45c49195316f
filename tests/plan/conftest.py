"""Writes the sound plan with some of its files replaced."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from sound_plan import SOUND

WritePlan = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture
def write_plan(tmp_path: Path) -> WritePlan:
    """Return a function that writes the sound plan with some of its files replaced, and returns its folder."""

    def write(changed: Mapping[str, str | bytes]) -> Path:
        folder = tmp_path / "park"
        for name, content in {**SOUND, **changed}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return write
