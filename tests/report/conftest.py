"""A plan, its results as documented, and a browser."""

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import browsers
import fakes
import pytest

import cyclopolis
from cyclopolis.foundation.result import Result
from cyclopolis.plan import Plan

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=20000",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


@pytest.fixture(scope="session")
def plan() -> Plan:
    return cyclopolis.read_plan(cyclopolis.example("quickstart"))


@pytest.fixture(scope="session")
def results(plan: Plan) -> dict[str, Result]:
    """Return a made-up balance and design with hostile names, and a real rating."""
    return {"balance": fakes.balance(12), "design": fakes.design(9), "rating": cyclopolis.rate(plan)}


@pytest.fixture(scope="session")
def browser() -> Callable[..., str]:
    """Return a function that opens a page in headless Chromium; missing Chromium fails in CI and skips elsewhere."""
    found = browsers.chromium()

    def look(page: Path, *flags: str) -> str:
        with tempfile.TemporaryDirectory() as profile:
            result = subprocess.run(
                [found, *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()],
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=120,
                check=False,
            )
        assert result.returncode == 0, result.stderr[-2000:]
        return result.stdout + result.stderr

    return look
