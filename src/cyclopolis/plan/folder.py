"""A new plan: a copy of a bundled example to begin with."""

from pathlib import Path


def new_plan(directory: Path | str, example: str) -> Path:
    """x."""
    return Path(directory)
