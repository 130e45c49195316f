"""Where the browser is; missing Chromium fails in CI and skips elsewhere."""

import os
import shutil

import pytest


def chromium() -> str:
    """Return the path of a Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is not None:
        return found
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail("Chromium is not installed: the report cannot be looked at")
    pytest.skip("Chromium is not installed")
