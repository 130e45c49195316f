"""What the tests of the command line share: a run in a process of its own, and a copy of the small example."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cyclopolis

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def cli() -> Run:
    """Return a function that runs ``cyclopolis`` as a user does."""

    def run(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        clean = {name: value for name, value in os.environ.items() if name not in ("CYCLOPOLIS_LANG", "LC_ALL", "LANG")}
        return subprocess.run(
            [sys.executable, "-m", "cyclopolis", *words],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**clean, "LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "utf-8", **environment},
            timeout=180,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the small example, free to be written to."""
    folder = tmp_path_factory.mktemp("plans") / "quickstart"
    shutil.copytree(cyclopolis.example("quickstart"), folder)
    return folder


@pytest.fixture
def broken(quickstart: Path, tmp_path: Path) -> Path:
    """Return a plan with a plant whose technology nobody knows."""
    folder = tmp_path / "broken"
    shutil.copytree(quickstart, folder, ignore=shutil.ignore_patterns("results"))
    table = folder / "plants.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("coal_power", "coal_powr"), encoding="utf-8")
    return folder
