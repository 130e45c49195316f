"""The built wheel, not only the source tree, does the main job."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(target.glob("*.whl"))


def test_the_wheel_holds_data_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "cyclopolis/py.typed" in names
    assert "cyclopolis/plan/schema/columns.csv" in names
    assert any(name.startswith("cyclopolis/examples/changzhi/") for name in names)
    assert any(name.startswith("cyclopolis/library/frameworks/") and name.endswith(".yaml") for name in names)
    assert not any(name.startswith(("tests/", "examples/")) or name.endswith(".pyc") for name in names)


def test_the_wheel_works_alone(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True, symlinks=True)
    python = home / "bin" / "python"
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run(
        [python, "-m", "pip", "install", "--no-deps", "--no-index", wheel], check=True, capture_output=True, env=quiet
    )
    library = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        check=True,
        capture_output=True,
        text=True,
    )
    site = Path(library.stdout.strip())
    packages = [path for path in sys.path if path.endswith("site-packages")]
    (site / "borrowed.pth").write_text("\n".join(packages) + "\n")
    where = subprocess.run(
        [python, "-c", "import cyclopolis; print(cyclopolis.__file__)"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert str(home) in where.stdout
    cyclopolis = home / "bin" / "cyclopolis"
    subprocess.run([cyclopolis, "new", "place", "--from", "quickstart"], check=True, cwd=tmp_path, capture_output=True)
    done = subprocess.run([cyclopolis, "run", "place"], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "place" / "results" / "base" / "report.html").is_file()
