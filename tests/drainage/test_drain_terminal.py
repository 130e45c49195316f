"""Ctrl-C at a terminal while designs run: what was finished is kept, nobody is left behind, a second run goes on."""

import json
import os
import pty
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import cyclopolis

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


def children(parent: int) -> list[int]:
    """Processes that a process has started, from the kernel's table."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.append(int(entry.name))
    return found


def until(true, seconds: float = 90.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no table of processes to look at")
def test_ctrl_c_keeps_finished_designs_and_leaves_no_worker(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    shutil.copytree(cyclopolis.example("sponge"), folder)
    kept = folder / "results" / "drainage_designs.jsonl"
    typed = [sys.executable, "-m", "cyclopolis", "drain", str(folder), "--storm", "2-year", "--designs", "4000"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        typed, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 - no thread runs in this test
    ) as process:  # fmt: skip
        os.close(theirs)
        try:
            assert until(lambda: _drained(ours) and kept.is_file() and kept.read_text().count("\n") > 6)
            workers = children(process.pid)
            assert workers
            os.write(ours, b"\x03")  # what a keyboard sends for Ctrl-C
            assert until(lambda: _drained(ours) and process.poll() is not None, 30.0)
        finally:
            process.kill()
            os.close(ours)
    assert process.returncode not in (0, -9)
    assert until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 10.0)
    lines = kept.read_text(encoding="utf-8").splitlines()
    assert len(lines) > 6
    assert all(json.loads(line) for line in lines)


def _take_terminal() -> None:
    """Make the pseudo-terminal the one that signals come from."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _drained(ours: int) -> bool:
    """Read what was written, so that the other side never waits; always true."""
    import select

    while select.select([ours], [], [], 0)[0]:
        try:
            if not os.read(ours, 65536):
                break
        except OSError:  # the other side is closed
            break
    return True
