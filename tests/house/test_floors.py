"""Imports run down the floors only."""

import ast
from pathlib import Path

import pytest

import cyclopolis

SOURCE = Path(cyclopolis.__file__).parent
FLOORS = {
    "foundation": -1,
    "library": 0,
    "plan": 1,
    "network": 2,
    "industry": 3,
    "infrastructure": 3,
    "ecology": 3,
    "design": 4,
    "outlook": 4,
    "rating": 4,
    "study": 5,
    "cli": 6,
    "web": 6,
    "report": 6,
    "examples": 0,
}
HEAVY = {"polars", "numpy", "scipy", "linopy", "highspy", "plotly", "pint", "jinja2", "pandas", "xarray", "xlsxwriter"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def packages(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("cyclopolis.")} & set(FLOORS)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_run_down(path: Path) -> None:
    parts = path.relative_to(SOURCE).parts
    if len(parts) == 1:
        return
    home = parts[0]
    assert home in FLOORS, f"{home} has no floor: add it to docs/architecture.md and to this test"
    for other in packages(imported(path)) - {home}:
        assert FLOORS[other] < FLOORS[home], f"{path} ({home}) must not import {other}"


def test_the_test_can_fail(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("from cyclopolis.report import page\nimport cyclopolis.plan.model\n")
    assert packages(imported(bad)) == {"report", "plan"}


def test_the_front_door_loads_nothing_heavy() -> None:
    for path in (SOURCE / "__init__.py", *sorted((SOURCE / "cli").glob("__init__.py"))):
        top = {name.split(".")[0] for name in imported(path)}
        assert not top & HEAVY


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 600
