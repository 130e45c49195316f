"""A copy of the small example, free to be written to."""

import shutil
from pathlib import Path

import pytest

import cyclopolis


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "quickstart"
    shutil.copytree(cyclopolis.example("quickstart"), place, ignore=shutil.ignore_patterns("results"))
    return place
