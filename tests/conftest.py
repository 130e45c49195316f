"""Examples that are run once and then read by all tests of the report, the command line and the study."""

import shutil
from collections.abc import Callable

import pytest

import cyclopolis
from cyclopolis.study import RunResult


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., RunResult]:
    """Return a function that runs an example once per session; nobody may change what it gives."""
    known: dict[tuple[str, str | None], RunResult] = {}

    def run(example: str, until: str | None = None) -> RunResult:
        if (example, until) not in known:
            place = tmp_path_factory.mktemp("ran") / example
            shutil.copytree(cyclopolis.example(example), place, ignore=shutil.ignore_patterns("results"))
            known[example, until] = cyclopolis.run(place, until=until)
        return known[example, until]

    return run
