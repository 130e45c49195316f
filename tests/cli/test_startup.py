"""Start-up stays light: what is loaded, and how long it takes."""

import resource
import subprocess
import sys
from pathlib import Path

import cyclopolis

HEAVY = ("linopy", "highspy", "geopandas", "plotly", "xarray", "pandas", "scipy", "jinja2")


def loaded(code: str) -> set[str]:
    """Return the modules loaded after some code ran in a fresh process."""
    tail = "\nimport sys; sys.stderr.write('\\n' + ' '.join(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True)
    return set(result.stderr.splitlines()[-1].split())


def command(words: list[str]) -> str:
    head = "from cyclopolis.cli import main\n"
    return f"{head}try:\n    main({words!r})\nexcept SystemExit as end:\n    assert not end.code"


def test_help_loads_no_table_library() -> None:
    found = loaded(command(["--help"]))
    assert "click" in found
    assert not found & {*HEAVY, "polars", "numpy", "yaml", "pint", "xlsxwriter"}


def test_check_loads_no_solver_and_no_plotting() -> None:
    found = loaded(command(["check", str(cyclopolis.example("quickstart"))]))
    assert "polars" in found
    assert not found & set(HEAVY)


def test_balance_does_not_wait_for_the_modelling_library(quickstart: Path) -> None:
    found = loaded(command(["balance", str(quickstart), "--quiet"]))
    assert "scipy" in found
    assert not found & {"linopy", "xarray", "pandas", "plotly"}


def test_import_loads_nothing_at_all() -> None:
    found = loaded("import cyclopolis")
    assert not found & {*HEAVY, "polars", "numpy", "click", "yaml"}


def test_design_stays_a_function_when_its_package_is_loaded() -> None:
    code = "import cyclopolis, cyclopolis.design.problem\nassert callable(cyclopolis.design), cyclopolis.design"
    assert "cyclopolis.design" in loaded(code)


def processor_seconds(words: list[str]) -> float:
    """Return the least processor time of three runs: unlike the clock it does not mind a busy machine."""
    found = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def test_help_and_import_are_quick() -> None:
    bare = processor_seconds(["-c", "pass"])
    assert processor_seconds(["-m", "cyclopolis", "--help"]) - bare < 0.3
    assert processor_seconds(["-c", "import cyclopolis"]) - bare < 0.15
