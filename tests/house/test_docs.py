"""What the docs say works: their commands run, their generated pages are current, their pins name no host."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", DOCS / "tutorial.md", DOCS / "tutorial.zh.md"]


def commands(page: Path) -> list[str]:
    """Return the lines of ``console`` blocks that begin with ``$``."""
    blocks = re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def expected_code(command: str) -> int:
    match = re.search(r"# exit (\d+)$", command)
    return int(match[1]) if match else 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    lines = [line for line in commands(page) if line.startswith("cyclopolis ")]
    assert lines, f"{page.name} shows no command"
    tool = Path(sys.executable).parent / "cyclopolis"
    for line in lines:
        words = shlex.split(line, comments=True)
        done = subprocess.run([tool, *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == expected_code(line), f"{line}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("script", ["generate_tables.py", "generate_commands.py"])
def test_generated_pages_are_current(script: str) -> None:
    done = subprocess.run([sys.executable, DOCS / script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run docs/{script}\n{done.stdout}{done.stderr}"


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "index.html").is_file()


@pytest.mark.parametrize("name", ["run.txt", "test.txt", "bench.txt"])
def test_pins_are_hashed_and_name_no_host(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "http" not in text
    assert "--index-url" not in text
    pins = re.split(r"\n(?=\S)", text.strip())
    assert len(pins) > 20
    assert all("==" in pin and "--hash=sha256:" in pin for pin in pins)


def test_the_readme_sets_up_with_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\$ (make \w+)", text, flags=re.MULTILINE) == ["make demo", "make test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"demo", "test", "lint", "types"} <= set(re.findall(r"^(\w+):", makefile, flags=re.MULTILINE))


def test_every_public_name_has_a_home_that_has_it() -> None:
    code = "import cyclopolis; [getattr(cyclopolis, name) for name in cyclopolis.__all__]"
    subprocess.run([sys.executable, "-c", code], check=True)
